"""Tables that cloud migration services take: Azure Migrate, AWS Migration Hub and Google Migration Center."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.exports.estate import MIB_PER_GIB, Vm, make
from tests.exports.export import Export, Told, truth_of
from tests.exports.files import Row, Table, csv_text, table

SAMPLES = 24
BYTES_PER_GIB = 1024**3
_DISKS = 4
_MANDATORY = ("Server name", "Cores", "Memory (In MB)", "OS name")


def azure(seed: int, vms: int) -> Export:
    """The CSV template of Azure Migrate: `*` marks what is mandatory, most cells are blank.

    Storage is the sum of the disks; where none is listed, the storage in use. Its last row has one field too few, and
    a physical server has the hypervisor AWS.
    """
    estate = make(seed, vms).without_names_twice()
    rows = [_azure(vm, "IP addresses", "Boot type") for vm in estate.vms]
    headings = [f"*{text}" if text in _MANDATORY else text for text in rows[0]]
    starred = Table(headings=headings, rows=[dict(zip(headings, row.values(), strict=True)) for row in rows])
    text = csv_text(starred).rstrip("\r\n").removesuffix(",") + "\r\n"
    truth = truth_of("Azure Migrate", [_azure_told(vm) for vm in estate.vms])
    return Export(name="azure-migrate", files={"AzureMigrateimporttemplate.csv": text.encode("utf-8-sig")}, truth=truth)


def azure_variant(seed: int, vms: int) -> Export:
    """An older template of Azure Migrate: other headings, storage in MB, no list of disks."""
    estate = make(seed, vms).without_names_twice()
    rows = []
    for vm in estate.vms:
        row = _azure(vm, "IP address", "Boot Type")
        kept = {heading: value for heading, value in row.items() if not heading.startswith(("Disk ", "Storage"))}
        kept |= {"Storage in use (In MB)": vm.used_disk_mib, "*Storage allocated (In MB)": vm.disk_mib}
        rows.append({_older(heading): value for heading, value in kept.items()})
    told = [replace(_azure_told(vm), storage_gib=vm.disk_gib) for vm in estate.vms]
    text = csv_text(table(rows))
    truth = truth_of("Azure Migrate", told)
    return Export(name="azure-migrate-variant", files={"servers.csv": text.encode()}, truth=truth)


def migration_hub(seed: int, vms: int) -> Export:
    """The import template of AWS Migration Hub: no disks and no power state; physical servers have no VMware name."""
    estate = make(seed, vms).without_names_twice()
    rows, told = [], []
    for vm in estate.vms:
        is_physical = vm.number % 9 == 8
        rows.append(_hub(vm, is_physical))
        told.append(
            Told(
                name=f"{vm.name}.example.com" if is_physical else vm.name,
                vcpus=vm.vcpus,
                memory_gib=vm.memory_gib,
                use={
                    "cpu_vcpus_average": vm.vcpus * vm.cpu_average / 100,
                    "cpu_vcpus_peak": vm.vcpus * vm.cpu_peak / 100,
                    "memory_gib_average": vm.used_mib(vm.memory_average) / MIB_PER_GIB,
                    "memory_gib_peak": vm.used_mib(vm.memory_peak) / MIB_PER_GIB,
                },
            )
        )
    text = csv_text(table(rows))
    truth = truth_of("AWS Migration Hub", told)
    return Export(name="migration-hub", files={"import_template.csv": text.encode()}, truth=truth)


def migration_center(seed: int, vms: int) -> Export:
    """Tables of Google Migration Center: machines, their disks and tags, and a day of use by the hour.

    The average and the peak are those of the samples in perfInfo; names may repeat, machine IDs do not.
    """
    estate = make(seed, vms)
    shown = [vm for vm in estate.vms if vm.state in ("on", "off", "suspended")]
    random = np.random.default_rng([seed, vms])
    samples = {vm.number: _samples(vm, random) for vm in shown if vm.is_running}
    disks = [
        {
            "MachineId": vm.uuid,
            "DiskLabel": f"disk {number}",
            "SizeInGib": disk.capacity_mib // MIB_PER_GIB,
            "UsedInGib": round(disk.used_mib / MIB_PER_GIB, 2),
            "StorageTypeLabel": "SAN",
        }
        for vm in shown
        for number, disk in enumerate(vm.disks)
    ]
    tags = [{"MachineId": vm.uuid, "Key": "team", "Value": f"team {vm.number % 4}"} for vm in shown]
    tables = {
        "vmInfo.csv": [_machine(vm) for vm in shown],
        "diskInfo.csv": disks,
        "tagInfo.csv": tags,
        "perfInfo.csv": [row for rows in samples.values() for row in rows],
    }
    files = {name: csv_text(table(rows)).encode() for name, rows in tables.items()}
    told = [_center_told(vm, samples.get(vm.number, [])) for vm in shown]
    return Export(name="migration-center", files=files, truth=truth_of("Google Migration Center", told))


def _azure(vm: Vm, addresses: str, boot: str) -> Row:
    row = {
        "Server name": vm.name,
        addresses: f"{vm.ip};192.168.0.{vm.number % 250 + 1}" if vm.number % 3 == 0 else vm.ip,
        "Cores": vm.vcpus,
        "Memory (In MB)": vm.memory_mib,
        "OS name": vm.os.removesuffix(" (64-bit)"),
        "OS version": None,
        "OS architecture": "x64",
        "Server type": "Physical" if vm.number % 9 == 8 else "Virtual",
        "Hypervisor": "AWS" if vm.number % 9 == 8 else "VMware",
        "CPU utilization percentage": vm.cpu_average if _is_measured(vm) else None,
        "Memory utilization percentage": vm.memory_average if _is_measured(vm) else None,
        "Network adapters": None,
        "Network In throughput": None,
        "Network Out throughput": None,
        boot: "UEFI",
        "Number of disks": len(vm.disks) if _lists_disks(vm) else None,
        "Storage in use (In GB)": vm.used_disk_mib / MIB_PER_GIB,
    }
    sizes = [disk.capacity_mib // MIB_PER_GIB for disk in vm.disks] if _lists_disks(vm) else []
    for number in range(1, _DISKS + 1):
        row |= {
            f"Disk {number} size (In GB)": sizes[number - 1] if number <= len(sizes) else None,
            f"Disk {number} read throughput (MB per second)": None,
            f"Disk {number} write throughput (MB per second)": None,
            f"Disk {number} read ops (operations per second)": None,
            f"Disk {number} write ops (operations per second)": None,
        }
    return row


def _is_measured(vm: Vm) -> bool:
    return vm.number % 4 != 1


def _lists_disks(vm: Vm) -> bool:
    return vm.number % 6 != 5


def _older(heading: str) -> str:
    return heading if heading.startswith("*") else heading.replace("Memory (In MB)", "*Memory (In MB)")


def _azure_told(vm: Vm) -> Told:
    use = {
        "cpu_vcpus_used": vm.vcpus * vm.cpu_average / 100,
        "memory_gib_used": vm.memory_gib * vm.memory_average / 100,
    }
    return Told(
        name=vm.name,
        vcpus=vm.vcpus,
        memory_gib=vm.memory_gib,
        storage_gib=vm.disk_gib if _lists_disks(vm) else vm.used_disk_mib / MIB_PER_GIB,
        use=use if _is_measured(vm) else {},
    )


def _hub(vm: Vm, is_physical: bool) -> Row:
    return {
        "ExternalId": None,
        "SMBiosId": vm.bios_uuid,
        "IPAddress": vm.ip,
        "MACAddress": vm.mac,
        "HostName": f"{vm.name}.example.com",
        "VMware.MoRefId": None if is_physical else vm.moid,
        "VMware.VCenterId": None if is_physical else f"vcenter{vm.host.vcenter + 1}",
        "CPU.NumberOfProcessors": 2 if vm.vcpus % 2 == 0 else 1,
        "CPU.NumberOfCores": vm.vcpus,
        "CPU.NumberOfLogicalCores": vm.vcpus,
        "OS.Name": vm.os,
        "OS.Version": None,
        "VMware.VMName": None if is_physical else vm.name,
        "RAM.TotalSizeInMB": vm.memory_mib,
        "RAM.UsedSizeInMB.Avg": vm.used_mib(vm.memory_average),
        "RAM.UsedSizeInMB.Max": vm.used_mib(vm.memory_peak),
        "CPU.UsagePct.Avg": vm.cpu_average,
        "CPU.UsagePct.Max": vm.cpu_peak,
        "DiskReadsOpsPerSecond.Max": 30 * vm.vcpus,
        "DiskWritesOpsPerSecond.Max": 10 * vm.vcpus,
        "Applications": None,
        "ApplicationWave": None,
        "Tags": None,
        "ServerId": None,
    }


def _machine(vm: Vm) -> Row:
    return {
        "MachineId": vm.uuid,
        "MachineName": vm.name,
        "PrimaryIPAddress": vm.ip,
        "PrimaryMACAddress": vm.mac,
        "PublicIPAddress": None,
        "IpAddressListSemiColonDelimited": f"{vm.ip};192.168.0.{vm.number % 250 + 1}",
        "TotalDiskAllocatedGiB": vm.disk_mib // MIB_PER_GIB,
        "TotalDiskUsedGiB": round(vm.used_disk_mib / MIB_PER_GIB, 2),
        "MachineTypeLabel": None,
        "AllocatedProcessorCoreCount": vm.vcpus,
        "MemoryGiB": vm.memory_gib,
        "HostingLocation": vm.host.datacenter,
        "OsType": "Windows" if "Windows" in vm.os else "Linux",
        "OsName": vm.os,
        "OsVersion": None,
        "MachineStatus": {"on": "Running", "off": "Stopped", "suspended": "Suspended"}[vm.state],
        "ProvisioningState": "Provisioned",
        "CreateDate": "2024-05-01",
        "IsPhysical": "FALSE",
        "Source": "vCenter",
    }


def _samples(vm: Vm, random: np.random.Generator) -> list[Row]:
    """A day by the hour, never above the peak of the machine."""
    rows = []
    for hour, share in enumerate(random.uniform(0.2, 1.0, SAMPLES)):
        cpu, memory = round(vm.cpu_peak * share, 1), round(vm.memory_peak * share, 1)
        rows.append(
            {
                "MachineId": vm.uuid,
                "TimeStamp": f"2026-01-14T{hour:02d}:00:00Z",
                "CpuUtilizationPercentage": cpu,
                "MemoryUtilizationPercentage": memory,
                "UtilizedMemoryBytes": round(memory / 100 * vm.memory_gib * BYTES_PER_GIB),
                "DiskReadOperationsPerSec": 12.5,
                "DiskWriteOperationsPerSec": 7.25,
                "NetworkBytesPerSecSent": 120000,
                "NetworkBytesPerSecReceived": 90000,
            }
        )
    return rows


def _center_told(vm: Vm, samples: list[Row]) -> Told:
    use = {}
    if samples:
        cpu = [vm.vcpus * row["CpuUtilizationPercentage"] / 100 for row in samples]
        memory = [row["UtilizedMemoryBytes"] / BYTES_PER_GIB for row in samples]
        use = {
            "cpu_vcpus_average": sum(cpu) / SAMPLES,
            "cpu_vcpus_peak": max(cpu),
            "memory_gib_average": sum(memory) / SAMPLES,
            "memory_gib_peak": max(memory),
        }
    return Told(
        name=vm.name, vcpus=vm.vcpus, memory_gib=vm.memory_gib, storage_gib=vm.disk_gib, state=vm.state, use=use
    )
