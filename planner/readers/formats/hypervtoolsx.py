"""HyperVToolsX workbooks: Hyper-V in sheets named like those of RVTools."""

from __future__ import annotations

from planner.errors import UnknownColumns
from planner.readers.cells import headings_of
from planner.readers.columns import Column, fold
from planner.readers.exports import Journal, has_headings, joined, note_blanks, owners, read_part, require, sum_by_owner
from planner.readers.machines import number, text, workloads_of
from planner.readers.owned import hosts_of, note_unknown_hosts
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables

FORMAT = "HyperVToolsX"
SHEETS = ("vInfo", "vCPU", "vMemory", "vDisk", "vVHD", "vHost")
ITS_OWN = frozenset(
    map(fold, ("vVHD", "vVLAN", "vCheckpoint", "vIntegration", "vReplication", "vHostStorage", "vStorage", "vOS"))
)
"""Folded names of sheets that RVTools does not have."""


def _size(name: str, label: str, *aliases: str) -> Column:
    return number(name, label, *aliases, unit="GiB", bare="GB")


NAME = text("name", "VM", "VM Name", "VMName", "Name", required=True)
ID = text("vm_uuid", "VM ID", "VMId", "Id")
VM_COLUMNS = (
    NAME,
    ID,
    text("state", "State", "Power State", "VM State", "Status"),
    text("host", "Host", "Host Name", "Computer Name", "Hyper-V Host"),
    text("pool", "Cluster", "Cluster Name"),
    text("os", "Guest OS", "OS", "Operating System"),
    number("vcpus", "Processor Count", "vCPU", "vCPUs", "CPUs", "CPU Count", "Virtual Processors"),
    _size("assigned_gib", "Memory Assigned"),
    _size("startup_gib", "Memory Startup", "Startup Memory"),
)
CPU_COLUMNS = (NAME, ID, number("vcpus", "Processor Count", "vCPU", "vCPUs", "CPUs", "CPU Count", "Count"))
MEMORY_COLUMNS = (
    NAME,
    ID,
    _size("assigned_gib", "Memory Assigned", "Assigned"),
    _size("startup_gib", "Memory Startup", "Startup Memory", "Startup"),
    _size("memory_gib_used", "Memory Demand", "Demand"),
)
DISK_COLUMNS = (NAME, ID, _size("storage_gib", "Size", "Maximum Size", "Max Size", "Disk Size", "Capacity", "VHD Size"))
HOST_COLUMNS = (
    text("name", "Host", "Host Name", "Name", "Computer Name", required=True),
    text("pool", "Cluster", "Cluster Name"),
    text("vendor", "Vendor", "Manufacturer"),
    text("model", "Model"),
    number("sockets", "Sockets", "# CPU", "CPU Sockets", "Processors"),
    number("cores", "Cores", "# Cores", "CPU Cores", "Physical Cores", "Total Cores"),
    number("ghz", "Speed", "CPU Speed", "Clock Speed", "Max Clock Speed", unit="GHz", bare="MHz"),
    _size("memory_gib", "Memory", "Total Memory", "Physical Memory", "Memory Capacity", "# Memory"),
)


def resembles(workbook: Workbook) -> bool:
    """Whether vInfo has no column Powerstate, and memory assigned or a sheet of Hyper-V stands beside it."""
    info = workbook.find("vInfo")
    if info is None or not info.rows or workbook.find("vmList"):
        return False
    headings = {fold(text) for text in headings_of(info.rows[0])}
    theirs = {fold(name) for name in workbook.sheet_names} & ITS_OWN
    return "powerstate" not in headings and bool(theirs or any("memoryassigned" in text for text in headings))


def recognises(workbook: Workbook) -> bool:
    """Whether vInfo names its VMs too."""
    return resembles(workbook) and has_headings(workbook.find("vInfo"), VM_COLUMNS)


def parse(workbook: Workbook) -> Tables:
    """The VMs of vInfo with what vCPU, vMemory and vDisk or vVHD tell, and the hosts of vHost.

    Raises
    ------
    InputError
        Nothing tells the CPUs or memory of VMs, disks without a column of sizes, or cells that are no numbers.
    """
    journal = Journal(file=workbook.file)
    vms = read_part(workbook.find("vInfo"), VM_COLUMNS, journal)
    cpu = read_part(workbook.find("vCPU"), CPU_COLUMNS, journal)
    memory = read_part(workbook.find("vMemory"), MEMORY_COLUMNS, journal)
    disks = [read_part(workbook.find(name), DISK_COLUMNS, journal) for name in ("vVHD", "vDisk")]
    host = read_part(workbook.find("vHost"), HOST_COLUMNS, journal)
    journal.close()
    vms = joined(require(vms, workbook.file, "vInfo"), cpu, ["vcpus"], "vCPU row", journal)
    given = ["assigned_gib", "startup_gib", "memory_gib_used"]
    vms = joined(vms, memory, given, "vMemory row", journal)
    found = next((name for name in given[:2] if vms.has(name)), None)
    if not vms.has("vcpus") or found is None:
        what = "vCPUs, such as 'Processor Count'" if found else "memory, such as 'Memory Assigned (GB)'"
        message = f"found no column of {what}, there or on vCPU and vMemory"
        raise UnknownColumns(f"{workbook.file}, sheet vInfo: {message}", workbook.file)
    assigned = vms.frame["assigned_gib"]
    vms = vms.plus("memory_gib", assigned.where(assigned > 0, vms.frame["startup_gib"]), like=found)
    disk = next((part for part in disks if part is not None and part.has("storage_gib")), None)
    if disk is None and any(part is not None for part in disks):
        # Disks whose sizes nobody can read are no reason to read storage as 0.
        message = "found no column of sizes on vVHD or vDisk, expected 'Size (GB)'"
        raise UnknownColumns(f"{workbook.file}: {message}", workbook.file)
    if disk is not None:
        owner = owners(disk, vms, "disk", journal)
        note_blanks(disk, "storage_gib", owner, "disk", journal)
        vms = vms.plus("storage_gib", sum_by_owner(disk, "storage_gib", owner, len(vms.frame)), like="storage_gib")
    tables = journal.tables(FORMAT)
    tables.put("workloads", *workloads_of(vms, journal))
    if host is not None:
        note_unknown_hosts(tables.frames["workloads"], tables.origins["workloads"], host, journal)
        tables.put("hosts", *hosts_of(host, journal))
    return tables
