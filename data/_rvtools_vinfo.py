"""The sheet vInfo of the synthetic export: one row a machine."""

from __future__ import annotations

from datetime import datetime, timedelta

from _rvtools_clusters import CLUSTERS
from _rvtools_detail import DATACENTER, VCENTER, Detail, Row, flag
from _rvtools_estate import EXPORTED

VCENTER_VERSION = {
    "VI SDK Server type": "VMware vCenter Server 8.0.3 build-24322831",
    "VI SDK API Version": "8.0.3.0",
}


def vinfo_row(detail: Detail) -> Row:
    """The row of a machine on vInfo."""
    return (
        {"VM": detail.machine.name, "Migration wave": detail.wave}
        | detail.head
        | _state(detail)
        | _size(detail)
        | _network(detail)
        | _protection(detail)
        | _boot(detail)
        | detail.custom
        | detail.place
        | detail.systems
        | {"Customization Info": "IDLE", "Guest Detailed Data": None}
        | {"VM ID": None, "SMBIOS UUID": f"4206{detail.machine.vm_uuid[4:]}"}
        | detail.ids
        | VCENTER_VERSION
        | VCENTER
    )


def _state(detail: Detail) -> Row:
    machine = detail.machine
    return {
        "Config status": "green",
        "DNS Name": f"{machine.name}.corp.example".replace(" ", "-").lower() if detail.has_tools else None,
        "Connection state": "connected",
        "Guest state": "running" if detail.has_tools else "notRunning",
        "Heartbeat": "green" if detail.has_tools else "gray",
        "Consolidation Needed": flag(False),
        "PowerOn": detail.powered_on_at if detail.is_on else None,
        "Suspended To Memory": flag(False),
        "Suspend time": EXPORTED - timedelta(days=9) if machine.power == "suspended" else None,
        "Suspend Interval": 0,
        "Creation date": machine.created,
        "Change Version": max(machine.created, datetime(2021, 5, 4, 11, 22, 33)),
    }


def _size(detail: Detail) -> Row:
    machine = detail.machine
    shown = not machine.blank_in_vinfo
    return {
        "CPUs": machine.vcpus if shown else None,
        "Overall Cpu Readiness": "0%" if detail.is_on else None,
        "Memory": machine.memory_mib if shown else None,
        "Active Memory": detail.active_mib if shown else None,
        "NICs": 1,
        "Disks": len(machine.disks_mib),
        "Total disk capacity MiB": detail.disk_mib,
        "Fixed Passthru HotPlug": flag(False),
        "min Required EVC Mode Key": None,
        "Latency Sensitivity": "normal",
        "Op Notification Timeout": 0,
        "EnableUUID": flag(not detail.is_windows).upper(),
        "CBT": flag(detail.is_on).upper(),
    }


def _network(detail: Detail) -> Row:
    return (
        {"Primary IP Address": detail.address if detail.has_tools else None, "Network #1": detail.network}
        | {f"Network #{number}": None for number in range(2, 9)}
        | {"Num Monitors": 1, "Video Ram KiB": 8192}
    )


def _protection(detail: Detail) -> Row:
    machine = detail.machine
    return {
        "Resource pool": f"/{DATACENTER}/{machine.cluster.name}/Resources",
        "Folder ID": f"Group-v{100 + CLUSTERS.index(machine.cluster)}",
        "Folder": detail.folder,
        "vApp": None,
        "DAS protection": flag(detail.is_on),
        "FT State": "notConfigured",
        "FT Role": None,
        "FT Latency": "gray",
        "FT Bandwidth": -1,
        "FT Sec. Latency": -1,
        "Vm Failover In Progress": flag(False),
        "Provisioned MiB": detail.disk_mib + (machine.memory_mib if detail.is_on else 0),
        "In Use MiB": detail.in_use_mib,
        "Unshared MiB": detail.in_use_mib,
        "HA Restart Priority": "medium",
        "HA Isolation Response": "none",
        "HA VM Monitoring": "vmMonitoringDisabled",
        "Cluster rule(s)": None,
        "Cluster rule name(s)": None,
    }


def _boot(detail: Detail) -> Row:
    name, datastore = detail.machine.name, detail.datastore
    return {
        "Boot Required": flag(False),
        "Boot delay": 0,
        "Boot retry delay": 10000,
        "Boot retry enabled": flag(False),
        "Boot BIOS setup": flag(False),
        "Reboot PowerOff": flag(False),
        "EFI Secure boot": flag(detail.is_windows),
        "Firmware": "efi" if detail.is_windows else "bios",
        "HW version": 19 if detail.is_windows else 14,
        "HW upgrade status": "none",
        "HW upgrade policy": "never",
        "HW target": None,
        "Path": f"[{datastore}] {name}/{name}.vmx",
        "Log directory": f"[{datastore}] {name}/",
        "Snapshot directory": f"[{datastore}] {name}/",
        "Suspend directory": f"[{datastore}] {name}/",
    }


def nameless_row(row: Row) -> Row:
    """The row that an object which vanished during the export leaves behind, with the headings of `row`."""
    flags = {"Template": flag(False), "SRM Placeholder": flag(False)}
    state = {"Powerstate": "poweredOff", "Connection state": "inaccessible"}
    return dict.fromkeys(row) | flags | state | {"CPUs": 0, "Memory": 0}
