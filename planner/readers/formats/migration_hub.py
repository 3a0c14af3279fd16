"""AWS Application Discovery and Migration Hub import files: CSV, without disks."""

from __future__ import annotations

from planner.readers.exports import Journal, only_headings, read_part, require
from planner.readers.machines import example, number, text, use_columns, workloads_of
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables

FORMAT = "AWS Migration Hub"
SHEETS = ()
MARKS = frozenset({"RAM.TotalSizeInMB", "CPU.NumberOfCores", "CPU.NumberOfProcessors", "CPU.NumberOfLogicalCores"})
"""Headings by which the format is known; two of them are enough."""

COLUMNS = (
    text("vm_name", "VMware.VMName"),
    text("host_name", "HostName"),
    text("external_id", "ExternalId", "ServerId"),
    text("bios_uuid", "SMBiosId"),
    text("vm_id", "VMware.MoRefId"),
    text("vcenter", "VMware.VCenterId"),
    text("os", "OS.Name"),
    text("application", "Applications"),
    text("tags", "Tags"),
    number("cores", "CPU.NumberOfCores"),
    number("threads", "CPU.NumberOfLogicalCores"),
    number("processors", "CPU.NumberOfProcessors"),
    number("memory_gib", "RAM.TotalSizeInMB", unit="GiB", bare="MB", required=True),
    number("memory_gib_average", "RAM.UsedSizeInMB.Avg", unit="GiB", bare="MB"),
    number("memory_gib_peak", "RAM.UsedSizeInMB.Max", unit="GiB", bare="MB"),
    *use_columns(cpu_share_average="CPU.UsagePct.Avg", cpu_share_peak="CPU.UsagePct.Max"),
    number("reads", "DiskReadsOpsPerSecond.Max"),
    number("writes", "DiskWritesOpsPerSecond.Max"),
)


def recognises(workbook: Workbook) -> bool:
    """Whether it is one table with two of the headings that the format alone has."""
    return len(MARKS & set(only_headings(workbook, COLUMNS))) > 1


def parse(workbook: Workbook) -> Tables:
    """The servers: named by their VM, host name or identifier; as many vCPUs as cores, else as threads.

    Raises
    ------
    InputError
        No column of memory, or cells that are no numbers.
    """
    journal = Journal(file=workbook.file)
    servers = require(read_part(workbook.only, COLUMNS, journal), workbook.file, "")
    journal.close()
    frame = servers.frame
    name = frame["vm_name"].where(frame["vm_name"] != "", frame["host_name"])
    heading = next((h for h in ("vm_name", "host_name", "external_id") if servers.has(h)), "external_id")
    servers = servers.plus("name", name.where(name != "", frame["external_id"]), like=heading)
    vcpus = frame["cores"].where(frame["cores"] > 0, frame["threads"])
    servers = servers.plus("vcpus", vcpus.where(vcpus > 0, frame["processors"]), like="cores")
    unknown = ~(frame["cores"] > 0).to_numpy() & (servers.frame["vcpus"] > 0).to_numpy()
    if unknown.any():
        message = "without CPU.NumberOfCores: threads or processors are read"
        example(journal, "guessed", message, servers, unknown, "vcpus")
    if servers.has("reads") or servers.has("writes"):
        servers = servers.plus("iops", frame[["reads", "writes"]].sum(axis=1, min_count=1), like="reads")
    tables = journal.tables(FORMAT)
    tables.put("workloads", *workloads_of(servers, journal))
    return tables
