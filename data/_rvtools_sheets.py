"""The synthetic estate as a workbook of the kind that RVTools 4 writes: its sheets, headings and spellings.

A row is a dictionary by heading, so the order in the code is the order of the columns. What no planner reads
has the value that a quiet estate shows.
"""

from __future__ import annotations

from pathlib import Path

from _rvtools_clusters import CLUSTERS
from _rvtools_detail import VCENTER, Detail, Row, flag
from _rvtools_estate import EXPORTED, Estate, short_name
from _rvtools_hosts import cluster_row, datastore_rows, host_rows
from _rvtools_vinfo import nameless_row, vinfo_row
from _workbook import workbook, write_sheet

EMPTY_HEADINGS = 11
"""Cells behind the last heading of vInfo that real exports leave formatted and empty."""

PARTITION_TABLE_MIB = 350
STRANGERS = ("old-intranet-01", "old-intranet-02", "scan-station")
"""Machines that vPartition knows and vInfo does not."""


def write_export(path: Path, estate: Estate) -> None:
    """Write the estate as an export with eleven sheets."""
    mhz = {short_name(host.name): host.generation.mhz for host in estate.hosts}
    details = [Detail(machine, mhz[short_name(machine.host)]) for machine in estate.machines]
    with workbook(path) as book:
        vinfo = [vinfo_row(detail) for detail in details]
        vinfo.insert(len(vinfo) // 2, nameless_row(vinfo[0]))
        write_sheet(book, "vInfo", vinfo, trailing_blanks=EMPTY_HEADINGS)
        write_sheet(book, "vCPU", [_vcpu(detail) for detail in details])
        write_sheet(book, "vMemory", [_vmemory(detail) for detail in details])
        write_sheet(book, "vDisk", [row for detail in details for row in _vdisk(detail)])
        write_sheet(book, "vPartition", _vpartition(details))
        write_sheet(book, "vNetwork", [_vnetwork(detail) for detail in details])
        write_sheet(book, "vTools", [_vtools(detail) for detail in details])
        write_sheet(book, "vCluster", [cluster_row(cluster, estate.hosts) for cluster in CLUSTERS])
        write_sheet(book, "vHost", host_rows(estate.hosts, details))
        write_sheet(book, "vDatastore", datastore_rows(details))
        write_sheet(book, "vMetaData", [_vmetadata()])


def _vcpu(detail: Detail) -> Row:
    cpus = detail.machine.vcpus_in_vcpu or detail.machine.vcpus
    return (
        detail.head
        | {
            "CPUs": cpus,
            "Sockets": detail.sockets,
            "Cores p/s": max(1, cpus // detail.sockets),
            "Max": detail.max_mhz,
            "Overall": detail.overall_mhz,
            "Level": "normal",
            "Shares": 1000 * cpus,
            "Reservation": 0,
            "Entitlement": detail.overall_mhz,
            "DRS Entitlement": detail.overall_mhz,
            "Limit": -1,
            "Hot Add": flag(detail.is_windows),
            "Hot Remove": flag(False),
            "Numa Hotadd Exposed": flag(False),
        }
        | detail.tail
    )


def _vmemory(detail: Detail) -> Row:
    size = detail.machine.memory_mib
    return (
        detail.head
        | {
            "Size MiB": size,
            "Memory Reservation Locked To Max": flag(False),
            "Overhead": 30 + size // 110 if detail.is_on else 0,
            "Max": size,
            "Consumed": detail.consumed_mib,
            "Consumed Overhead": 25 + size // 220 if detail.is_on else 0,
            "Private": detail.consumed_mib,
            "Shared": 0,
            "Swapped": 0,
            "Ballooned": 0,
            "Active": detail.active_mib,
            "Entitlement": detail.consumed_mib,
            "DRS Entitlement": detail.consumed_mib,
            "Level": "normal",
            "Shares": size * 10,
            "Reservation": 0,
            "Limit": -1,
            "Hot Add": flag(detail.is_windows),
        }
        | detail.tail
    )


def _vdisk(detail: Detail) -> list[Row]:
    name = detail.machine.name
    return [
        detail.head
        | {
            "Disk": f"Hard disk {number + 1}",
            "Disk Key": 2000 + number,
            "Capacity MiB": mib,
            "Raw": flag(False),
            "Disk Mode": "persistent",
            "Sharing mode": "sharingNone",
            "Thin": flag(number > 0),
            "Controller": "VMware paravirtual SCSI",
            "Label": "SCSI controller 0",
            "SCSI Unit #": 7,
            "Unit #": number,
            "Shared Bus": "noSharing",
            "Path": f"[{detail.datastore}] {name}/{name}{f'_{number}' if number else ''}.vmdk",
        }
        | detail.tail
        for number, mib in enumerate(detail.machine.disks_mib)
    ]


def _vpartition(details: list[Detail]) -> list[Row]:
    rows = [row for detail in details if detail.has_tools for row in _partitions(detail)]
    for number, name in enumerate(STRANGERS):
        # The guest of an export that was filtered afterwards; its ids lead nowhere.
        stranger = {"VM": name, "Host": None, "VM ID": f"vm-{number + 1}", "VM UUID": None}
        rows.insert(number * len(rows) // len(STRANGERS), rows[number] | stranger)
    return rows


def _partitions(detail: Detail) -> list[Row]:
    rows = []
    for number, disk_mib in enumerate(detail.machine.disks_mib):
        capacity = disk_mib - PARTITION_TABLE_MIB
        consumed = int(capacity * detail.partition_fill[number])
        letter = f"{'CDEFGH'[number]}:\\"
        directory = "/" if number == 0 else f"/data{number}"
        size = {
            "Disk Key": 2000 + number,
            "Disk": letter if detail.is_windows else directory,
            "Capacity MiB": capacity,
            "Consumed MiB": consumed,
            "Free MiB": capacity - consumed,
            "Free % ": round(100 * (capacity - consumed) / capacity),
        }
        rows.append(detail.head | size | detail.tail)
    return rows


def _vnetwork(detail: Detail) -> Row:
    return (
        detail.head
        | {
            "NIC label": "Network adapter 1",
            "Adapter": "Vmxnet3",
            "Network": detail.network,
            "Switch": f"dvs-{detail.machine.cluster.key}",
            "Connected": flag(detail.is_on),
            "Starts Connected": flag(True),
            "Mac Address": detail.mac,
            "Type": "assigned",
            "IPv4 Address": detail.address if detail.has_tools else None,
            "IPv6 Address": None,
            "Direct Path IO": flag(False),
        }
        | detail.tail
    )


def _vtools(detail: Detail) -> Row:
    return (
        detail.head
        | {
            "VM Version": 19 if detail.is_windows else 14,
            "Tools": "toolsOk" if detail.has_tools else "toolsNotRunning",
            "Tools Version": 12389 if detail.has_tools else None,
            "Required Version": 12389,
            "Upgradeable": "No",
            "Upgrade Policy": "manual",
            "Sync time": flag(False),
            "App status": "appStatusGray",
            "Heartbeat status": "green" if detail.has_tools else "gray",
            "Operation Ready": flag(detail.has_tools),
        }
        | detail.place
        | detail.ids
    )


def _vmetadata() -> Row:
    return {
        "RVTools major version": "4.7",
        "RVTools version": "4.7.1.4",
        "xlsx creation datetime": EXPORTED,
        "Server": VCENTER["VI SDK Server"],
    }
