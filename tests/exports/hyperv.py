"""Hyper-V: what `Get-VM | Export-Csv` writes, and workbooks of HyperVToolsX.

Headings beyond those that are known for certain are guesses; no plan needs them.
"""

from __future__ import annotations

import csv

from tests.exports.estate import MIB_PER_GIB, Estate, Vm, make
from tests.exports.export import Export, Host, Told, truth_of
from tests.exports.files import Row, csv_text, table, xlsx

BYTES_PER_MIB = 1024**2
TYPE_LINE = "#TYPE Microsoft.HyperV.PowerShell.VirtualMachine\r\n"
_STATES = {"on": "Running", "off": "Off", "suspended": "Saved"}


def powershell(seed: int, vms: int) -> Export:
    """Windows PowerShell: a line of `#TYPE` above the headings, every cell in quotes, memory in bytes.

    Memory is what is assigned, and what a machine starts with where it is saved or off and has none assigned.
    """
    return _powershell("hyperv-powershell", seed, vms, TYPE_LINE)


def powershell_untyped(seed: int, vms: int) -> Export:
    """The same from PowerShell 7 or with `-NoTypeInformation`: no line above the headings."""
    return _powershell("hyperv-powershell-untyped", seed, vms, "")


def toolsx(seed: int, vms: int) -> Export:
    """HyperVToolsX: a workbook whose sheets are called as those of RVTools, with units in the headings."""
    estate = make(seed, vms)
    shown = _shown(estate)
    named = [{"VM Name": vm.name, "Host": vm.host.short_name} for vm in shown]
    sheets = {
        "vInfo": [_info(vm) for vm in shown],
        "vCPU": [row | {"vCPU": vm.vcpus, "Reserve": 0, "Limit": 100} for row, vm in zip(named, shown, strict=True)],
        "vMemory": [row | {"Memory Assigned (GB)": vm.memory_gib} for row, vm in zip(named, shown, strict=True)],
        "vNetwork": [row | {"Switch": "External"} for row in named],
        "vVLAN": [row | {"VLAN": 100} for row in named],
        "vCheckpoint": [named[0] | {"Checkpoint": "before update"}],
        "vIntegration": [row | {"Service": "Heartbeat"} for row in named],
        "vStorage": [row | {"Controller": "SCSI 0"} for row in named],
        "vDisk": [row | {"Disk": 0} for row in named],
        "vVHD": [row for vm in shown for row in _disks(vm)],
        "vReplication": [row | {"State": "Disabled"} for row in named],
        "vDVD": [row | {"Path": None} for row in named],
        "vCluster": [{"Cluster": name} for name in dict.fromkeys(host.cluster for host in estate.hosts)],
        "vHost": _hosts(estate),
        "vHostStorage": [{"Host": host.short_name, "Volume": "C:", "Size (GB)": 894.0} for host in estate.hosts],
        "vOS": [row | {"OS": vm.os} for row, vm in zip(named, shown, strict=True)],
    }
    told = [_told(vm, vm.disk_gib) for vm in shown]
    hosts = [Host(name=r["Host"], cores=r["Cores"], memory_gib=r["Memory (GB)"]) for r in _hosts(estate)]
    return Export(
        name="hypervtoolsx",
        files={"HyperVToolsX.xlsx": xlsx({name: table(rows) for name, rows in sheets.items()})},
        truth=truth_of("HyperVToolsX", told, hosts),
    )


def _powershell(name: str, seed: int, vms: int, above: str) -> Export:
    shown = _shown(make(seed, vms))
    text = above + csv_text(table([_get_vm(vm) for vm in shown]), quoting=csv.QUOTE_ALL)
    truth = truth_of("Hyper-V", [_told(vm, 0.0) for vm in shown])
    return Export(name=name, files={"vms.csv": text.encode("utf-8-sig")}, truth=truth)


def _shown(estate: Estate) -> list[Vm]:
    return [vm for vm in estate.vms if vm.state in _STATES]


def _told(vm: Vm, storage_gib: float) -> Told:
    return Told(name=vm.name, vcpus=vm.vcpus, memory_gib=vm.memory_gib, storage_gib=storage_gib, state=vm.state)


def _get_vm(vm: Vm) -> Row:
    assigned = vm.memory_mib * BYTES_PER_MIB if vm.is_running else 0
    return {
        "VMName": vm.name,
        "VMId": vm.uuid,
        "ComputerName": vm.host.short_name.upper(),
        "Name": vm.name,
        "Id": vm.uuid,
        "State": _STATES[vm.state],
        "Status": "Operating normally",
        "Heartbeat": "OkApplicationsHealthy" if vm.is_running else None,
        "CPUUsage": round(vm.cpu_average),
        "ProcessorCount": vm.vcpus,
        "MemoryAssigned": assigned,
        "MemoryDemand": round(assigned * vm.memory_average / 100),
        "MemoryStartup": vm.memory_mib * BYTES_PER_MIB,
        "MemoryMinimum": 512 * BYTES_PER_MIB,
        "MemoryMaximum": 1024**4,
        "DynamicMemoryEnabled": "False",
        "Generation": 2,
        "Version": "9.0",
        "Uptime": "12.03:14:15.9260000" if vm.is_running else "00:00:00",
        "Path": f"C:\\ClusterStorage\\Volume1\\{vm.name}",
        "HardDrives": "System.Collections.Generic.List`1[Microsoft.HyperV.PowerShell.HardDiskDrive]",
        "IsClustered": "True",
        "Notes": "first line\nsecond line" if vm.number % 7 == 0 else None,
        "CreationTime": "15.01.2024 09:00:00",
    }


def _info(vm: Vm) -> Row:
    return {
        "VM Name": vm.name,
        "Host": vm.host.short_name,
        "Cluster": vm.host.cluster,
        "State": _STATES[vm.state],
        "Generation": 2,
        "vCPU": vm.vcpus,
        "Memory Startup (GB)": vm.memory_gib,
        "Memory Assigned (GB)": vm.memory_gib if vm.is_running else 0,
        "Memory Demand (GB)": round(vm.used_mib(vm.memory_average) / MIB_PER_GIB, 2),
        "VM ID": vm.uuid,
        "Notes": None,
    }


def _disks(vm: Vm) -> list[Row]:
    return [
        {
            "VM Name": vm.name,
            "Host": vm.host.short_name,
            "Path": f"C:\\ClusterStorage\\Volume1\\{vm.name}\\{number}.vhdx",
            "VHD Type": "Dynamic" if disk.thin else "Fixed",
            "Max Size (GB)": disk.capacity_mib / MIB_PER_GIB,
            "File Size (GB)": round(disk.used_mib / MIB_PER_GIB, 2),
            "VM ID": vm.uuid,
        }
        for number, disk in enumerate(vm.disks)
    ]


def _hosts(estate: Estate) -> list[Row]:
    return [
        {
            "Host": host.short_name,
            "Cluster": host.cluster,
            "CPU Model": host.cpu_model,
            "Sockets": host.sockets,
            "Cores": host.cores,
            "Logical Processors": 2 * host.cores,
            "Memory (GB)": round(host.memory_mib / MIB_PER_GIB, 2),
            "VMs": len(estate.on_host(host)),
        }
        for host in estate.hosts
    ]
