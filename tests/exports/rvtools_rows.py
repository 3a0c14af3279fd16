"""Rows of an RVTools workbook with MiB, sheet by sheet, as dictionaries by heading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from tests.exports.estate import MIB_PER_GIB, Datastore, Estate, Host, Vm
from tests.exports.files import CREATED, Row

POWER = {"on": "poweredOn", "off": "poweredOff", "suspended": "suspended"}
EPOCH = datetime(1969, 12, 31, 22)
"""What a creation date that nobody knows is shown as, two hours west of Greenwich."""

_SERVERS = ("vcenter1.example.com", "vcenter2.example.com")
_UUIDS = ("f1a3c1d2-0000-4000-8000-000000000001", "f1a3c1d2-0000-4000-8000-000000000002")


def flag(value: bool) -> str:
    """A boolean as most columns spell it."""
    return "True" if value else "False"


def vcenter(number: int) -> Row:
    """The vCenter that a row comes from."""
    return {"VI SDK Server": _SERVERS[number], "VI SDK UUID": _UUIDS[number]}


def start(vm: Vm) -> Row:
    """Columns that every sheet of machines begins with."""
    return {
        "VM": vm.name,
        "Powerstate": POWER[vm.power],
        "Template": flag(vm.state == "template"),
        "SRM Placeholder": flag(vm.state == "placeholder"),
    }


def end(vm: Vm) -> Row:
    """Columns that every sheet of machines ends with."""
    return {
        "Annotation": 'first line\nsecond line, "quoted"' if vm.number % 7 == 0 else None,
        "Backup status": "ok" if vm.number % 3 else None,
        "Cost centre": 4000 + vm.number % 5,
        "Datacenter": vm.host.datacenter,
        "Cluster": vm.host.cluster,
        "Host": vm.host.name,
        "Folder": f"/{vm.host.datacenter}/vm",
        "OS according to the configuration file": vm.os,
        "OS according to the VMware Tools": vm.os if vm.is_running else None,
        "VM ID": vm.moid,
        "VM UUID": vm.uuid,
    } | vcenter(vm.host.vcenter)


def info(vm: Vm) -> Row:
    """The row of a machine on vInfo."""
    store = vm.disks[0].datastore
    return {
        **start(vm),
        **end(vm),
        "Config status": "green",
        "DNS Name": f"{vm.name}.example.com" if vm.number % 4 else None,
        "Connection state": "connected",
        "Guest state": "running" if vm.is_running else "notRunning",
        "Heartbeat": "green" if vm.is_running else "gray",
        "Consolidation Needed": flag(False),
        "PowerOn": CREATED - timedelta(days=30) if vm.is_running else None,
        "Creation date": EPOCH if vm.number % 5 == 0 else CREATED - timedelta(days=400 + vm.number % 900),
        "CPUs": vm.vcpus,
        "Overall Cpu Readiness": "0%",
        "Memory": vm.memory_mib,
        "Active Memory": vm.used_mib(vm.memory_average),
        "NICs": 1,
        "Disks": len(vm.disks),
        "Total disk capacity MiB": vm.disk_mib,
        "EnableUUID": "TRUE" if vm.number % 2 else "FALSE",
        "CBT": "TRUE",
        "Primary IP Address": vm.ip if vm.is_running else None,
        "Network #1": "VM Network",
        "Video Ram KiB": 8192,
        "Resource pool": f"/{vm.host.datacenter}/{vm.host.cluster}/Resources",
        "DAS protection": flag(True),
        "FT State": "notConfigured",
        "Provisioned MiB": vm.disk_mib + vm.memory_mib,
        "In Use MiB": vm.used_disk_mib,
        "Unshared MiB": vm.used_disk_mib,
        "HA Restart Priority": "medium",
        "Firmware": "efi",
        "HW version": 19,
        "Path": f"[{store}] {vm.name}/{vm.name}.vmx",
        "SMBIOS UUID": vm.bios_uuid,
        "VI SDK Server type": "VMware vCenter Server 8.0.3 build-24322831",
        "VI SDK API Version": "8.0.3.0",
    }


def cpu(vm: Vm) -> Row:
    """The row of a machine on vCPU; what it uses is in MHz."""
    return {
        **start(vm),
        **end(vm),
        "CPUs": vm.vcpus,
        "Sockets": vm.vcpus if vm.vcpus % 2 else vm.vcpus // 2,
        "Cores p/s": 1 if vm.vcpus % 2 else 2,
        "Max": vm.vcpus * vm.host.mhz,
        "Overall": vm.cpu_mhz(vm.cpu_average) if vm.is_running else None,
        "Level": "normal",
        "Shares": 1000 * vm.vcpus,
        "Reservation": 0,
        "Entitlement": vm.cpu_mhz(vm.cpu_p95),
        "Limit": -1,
        "Hot Add": flag(vm.number % 2 == 0),
        "Hot Remove": flag(False),
        "Numa Hotadd Exposed": flag(False),
    }


def memory(vm: Vm) -> Row:
    """The row of a machine on vMemory."""
    return {
        **start(vm),
        **end(vm),
        "Size MiB": vm.memory_mib,
        "Memory Reservation Locked To Max": flag(False),
        "Overhead": 60 + vm.vcpus,
        "Max": vm.memory_mib,
        "Consumed": vm.used_mib(vm.memory_peak),
        "Swapped": 0,
        "Ballooned": 0,
        "Active": vm.used_mib(vm.memory_average) if vm.is_running else None,
        "Entitlement": vm.memory_mib // 2,
        "Level": "normal",
        "Shares": 10 * vm.memory_mib,
        "Reservation": 0,
        "Limit": -1,
        "Hot Add": flag(True),
    }


def disks(vm: Vm) -> Iterator[Row]:
    """The rows of a machine on vDisk."""
    for number, disk in enumerate(vm.disks, start=1):
        suffix = "" if number == 1 else f"_{number - 1}"
        yield {
            **start(vm),
            **end(vm),
            "Disk": f"Hard disk {number}",
            "Disk Key": 1999 + number,
            "Capacity MiB": disk.capacity_mib,
            "Raw": flag(False),
            "Disk Mode": "persistent",
            "Sharing mode": "sharingNone",
            "Thin": flag(disk.thin),
            "Eagerly Scrub": flag(False),
            "Controller": "SCSI controller 0",
            "SCSI Unit #": number - 1,
            "Unit #": number - 1,
            "Shared Bus": "noSharing",
            "Path": f"[{disk.datastore}] {vm.name}/{vm.name}{suffix}.vmdk",
        }


def partitions(vm: Vm) -> Iterator[Row]:
    """The rows of a machine on vPartition: what its guest sees, a little less than the disk."""
    for number, disk in enumerate(vm.disks if vm.is_running else ()):
        capacity = disk.capacity_mib - 550
        consumed = min(disk.used_mib, capacity)
        yield {
            **start(vm),
            **end(vm),
            "Disk Key": 2000 + number,
            "Disk": f"{'CDEFGH'[number]}:\\",
            "Capacity MiB": capacity,
            "Consumed MiB": consumed,
            "Free MiB": capacity - consumed,
            "Free % ": round(100 * (capacity - consumed) / capacity),
        }


def network(vm: Vm) -> Row:
    """The row of a machine on vNetwork."""
    return {
        **start(vm),
        **end(vm),
        "NIC label": "Network adapter 1",
        "Adapter": "Vmxnet3",
        "Network": "VM Network",
        "Switch": "vSwitch0",
        "Connected": flag(vm.is_running),
        "Starts Connected": flag(True),
        "Mac Address": vm.mac,
        "Type": "assigned",
        "IPv4 Address": vm.ip,
        "Direct Path IO": flag(False),
    }


def hosts(estate: Estate) -> Iterator[Row]:
    """The rows of vHost."""
    by_host: dict[Host, list[Vm]] = defaultdict(list)
    for vm in estate.vms:
        by_host[vm.host].append(vm)
    for host in estate.hosts:
        yield _hardware(host) | _load(host, by_host[host]) | vcenter(host.vcenter)


def _hardware(host: Host) -> Row:
    return {
        "Host": host.name,
        "Datacenter": host.datacenter,
        "Cluster": host.cluster,
        "Config status": "green",
        "in Maintenance Mode": flag(host.maintenance),
        "in Quarantine Mode": flag(False),
        "CPU Model": host.cpu_model,
        "Speed": host.mhz,
        "HT Available": flag(True),
        "HT Active": flag(True),
        "# CPU": host.sockets,
        "Cores per CPU": host.cores_per_socket,
        "# Cores": host.cores,
        "# Memory": host.memory_mib,
        "Memory Tiering Type": "noTiering",
        "# NICs": 4,
        "# HBAs": 2,
        "VMotion support": flag(True),
        "Assigned License(s)": "vSphere 8 Enterprise Plus",
        "Host Power Policy": "dynamic",
        "ESX Version": "VMware ESXi 8.0.3 build-24280767",
        "Boot time": CREATED - timedelta(days=90),
        "NTP Server(s)": "ntp.example.com",
        "Vendor": "Example Systems",
        "Model": "Rack 2000",
        "Serial number": f"EX{host.number:05d}",
        "BIOS Date": datetime(2024, 3, 14),
        "Object ID": host.moid,
        "Rack": f"R{host.number % 3 + 1}",
        "UUID": f"00000000-0000-4000-8000-{host.number:012d}",
    }


def _load(host: Host, vms: list[Vm]) -> Row:
    running = [vm for vm in vms if vm.is_running]
    vcpus = sum(vm.vcpus for vm in running)
    active = sum(vm.used_mib(vm.memory_average) for vm in running)
    used = sum(vm.cpu_mhz(vm.cpu_average) for vm in running)
    return {
        "CPU usage %": round(100 * used / (host.cores * host.mhz)),
        "Memory usage %": round(100 * active / host.memory_mib),
        "# VMs total": len(vms),
        "# VMs": len(running),
        "VMs per Core": len(running) / host.cores,
        "# vCPUs": vcpus,
        "vCPUs per Core": vcpus / host.cores,
        "vRAM": sum(vm.memory_mib for vm in running),
        "VM Used memory": active,
    }


def clusters(estate: Estate) -> Iterator[Row]:
    """The rows of vCluster."""
    for name in dict.fromkeys(host.cluster for host in estate.hosts):
        members = [host for host in estate.hosts if host.cluster == name]
        yield {
            "Name": name,
            "Config status": "green",
            "OverallStatus": "green",
            "NumHosts": len(members),
            "numEffectiveHosts": sum(not host.maintenance for host in members),
            "TotalCpu": sum(host.cores * host.mhz for host in members),
            "NumCpuCores": sum(host.cores for host in members),
            "NumCpuThreads": 2 * sum(host.cores for host in members),
            "TotalMemory": sum(host.memory_mib for host in members),
            "HA enabled": flag(True),
            "Failover Level": 1,
            "AdmissionControlEnabled": flag(True),
            "DRS enabled": flag(True),
            "Object ID": f"domain-c{members[0].number}",
        } | vcenter(members[0].vcenter)


def datastore(store: Datastore) -> Row:
    """The row of a datastore; RVTools lists one once, with the hosts that reach it."""
    free = store.capacity_mib - store.used_mib
    return {
        "Name": store.name,
        "Config status": "green",
        "Accessible": flag(True),
        "Type": "VMFS",
        "Capacity MiB": store.capacity_mib,
        "Provisioned MiB": store.used_mib,
        "In Use MiB": store.used_mib,
        "Free MiB": free,
        "Free %": round(100 * free / store.capacity_mib),
        "SIOC enabled": flag(False),
        "# Hosts": len(store.hosts),
        "Hosts": ", ".join(store.hosts),
        "Block size": 1,
        "Major Version": 6,
        "Version": "6.82",
    } | vcenter(store.vcenter)


def metadata() -> Row:
    """The row of vMetaData."""
    return {
        "RVTools major version": "4.7",
        "RVTools version": "4.7.1.4",
        "xlsx creation datetime": "2026-01-15 09:00:00",
        "Server": _SERVERS[0],
    }


def minor(sheet: str, estate: Estate) -> Iterator[Row]:
    """Some rows of a sheet that no plan needs."""
    if sheet in ("vTools", "vCD"):
        for vm in estate.vms:
            yield start(vm) | end(vm)
    elif sheet in ("vSnapshot", "vUSB"):
        for vm in estate.vms[:: 20 if sheet == "vSnapshot" else 500]:
            yield start(vm) | end(vm) | {"Name": "before update", "Size MiB (total)": 100 * MIB_PER_GIB}
    elif sheet in ("vHBA", "vNIC", "vSwitch", "vPort", "vSC_VMK", "vMultiPath"):
        for host in estate.hosts:
            for number in range(2):
                yield _hardware(host) | {"Device": f"vmhba{number}", "Speed": 25000, "Disk": f"naa.6{number}"}
