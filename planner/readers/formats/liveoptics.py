"""Live Optics workbooks: VMware, Hyper-V, and general ones of physical servers."""

from __future__ import annotations

import numpy as np

from planner.readers.cells import headings_of
from planner.readers.columns import fold
from planner.readers.exports import Journal, Part, has_headings, joined, read_part, require
from planner.readers.machines import flag, number, text, use_columns, workloads_of
from planner.readers.owned import hosts_of, note_unknown_hosts
from planner.readers.pooled import shared_stores
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables

FORMAT = "Live Optics"
SHEETS = ("Details", "ESX Hosts", "Hypervisors", "Host Devices", "VMs", "VM Performance", "Servers", "Server Disks")

KEYS = (
    text("name", "VM Name", "Guest VM Name", required=True),
    text("vm_uuid", "InstanceUUID", "Instance UUID"),
    text("vm_id", "MOB ID"),
)
VM_COLUMNS = (
    *KEYS,
    text("bios_uuid", "UUID (BIOS)"),
    text("state", "Power State"),
    flag("running", "IsRunning"),
    flag("template", "Template"),
    text("os", "VM OS", "Guest VM OS"),
    number("vcpus", "Virtual CPU", required=True),
    number("memory_gib", "Provisioned Memory", unit="GiB", bare="MiB", required=True),
    number("memory_gib_used", "Used Memory (active)", unit="GiB", bare="MiB"),
    number("storage_gib", "Virtual Disk Size", unit="GiB", bare="MiB"),
    number("storage_gib_used", "Guest VM Disk Used", unit="GiB", bare="MiB"),
    text("host", "Host", "Hypervisor"),
    text("pool", "Cluster"),
)
PERFORMANCE_COLUMNS = (
    *KEYS,
    text("host", "Host"),
    number("cpu_ghz_peak", "Peak vCPU", unit="GHz", bare="GHz"),
    number("cpu_ghz_average", "Average vCPU", unit="GHz", bare="GHz"),
    number("cpu_ghz_p95", "95th Percentile vCPU", "95% vCPU", unit="GHz", bare="GHz"),
    number("memory_gib_peak", "Peak Memory", unit="GiB", bare="MiB"),
    number("memory_gib_average", "Avg Memory", "Average Memory", unit="GiB", bare="MiB"),
    number("iops", "Peak IOPS"),
)
HOST_COLUMNS = (
    text("name", "Host Name", "Host-Name", "Server Name", required=True),
    text("pool", "Cluster"),
    text("vendor", "Manufacturer"),
    text("model", "Model"),
    number("sockets", "CPU Sockets"),
    number("cores", "CPU Cores"),
    number("threads", "CPU Threads"),
    number("ghz", "CPU Clock Speed", unit="GHz", bare="GHz"),
    number("memory_gib", "Memory", unit="GiB", bare="KiB"),
)
SERVER_COLUMNS = (
    text("name", "Server Name", required=True),
    text("os", "OS"),
    text("vendor", "Manufacturer"),
    text("model", "Model"),
    number("sockets", "CPU Sockets"),
    number("vcpus", "CPU Cores", required=True),
    number("threads", "CPU Threads"),
    number("ghz", "CPU Clock Speed", unit="GHz", bare="GHz"),
    number("memory_gib", "Memory", unit="GiB", bare="KiB", required=True),
    number("memory_gib_peak", "Peak Memory Usage", unit="GiB", bare="KiB"),
    *use_columns(cpu_share_peak=("Peak CPU Percentage", "Peak CPU %")),
    number("storage_gib", "Local Capacity", unit="GiB", bare="GiB"),
    number("storage_gib_used", "Used Capacity", unit="GiB", bare="GiB"),
    number("iops", "Peak IOPS"),
)
DEVICE_COLUMNS = (
    text("host", "Server Name", required=True),
    text("name", "Device Name", required=True),
    text("type", "Device Type"),
    number("capacity_gib", "Capacity", unit="GiB", bare="GiB"),
)
PERFORMANCE = ("cpu_ghz_peak", "cpu_ghz_average", "cpu_ghz_p95", "memory_gib_peak", "memory_gib_average", "iops")


def resembles(workbook: Workbook) -> bool:
    """Whether there are VMs or servers beside the sheet that goes with them."""
    beside = (("VMs", "ESX Hosts"), ("VMs", "Hypervisors"), ("Servers", "Server Disks"))
    return any(workbook.find(one) and workbook.find(other) for one, other in beside)


def recognises(workbook: Workbook) -> bool:
    """Whether there are the Details of a project, or such sheets whose headings are the tool's."""
    listed = workbook.find("VMs"), workbook.find("Servers")
    are_its_own = has_headings(listed[0], VM_COLUMNS) or (not listed[0] and has_headings(listed[1], SERVER_COLUMNS))
    return _has_details(workbook) or (resembles(workbook) and are_its_own)


def parse(workbook: Workbook) -> Tables:
    """The VMs and hosts of a collector run, or its physical servers.

    Raises
    ------
    InputError
        A missing column, or cells that are no numbers.
    """
    journal = Journal(file=workbook.file)
    if workbook.find("VMs"):
        return _virtual(workbook, journal)
    if workbook.find("Servers"):
        return _physical(workbook, journal)
    journal.note("ignored", "a workbook without VMs and servers: storage arrays or performance alone")
    return journal.tables(FORMAT, version=_build(workbook))


def _virtual(workbook: Workbook, journal: Journal) -> Tables:
    vms = read_part(workbook.find("VMs"), VM_COLUMNS, journal)
    performance = read_part(workbook.find("VM Performance"), PERFORMANCE_COLUMNS, journal)
    hosts = read_part(workbook.find("ESX Hosts") or workbook.find("Hypervisors"), HOST_COLUMNS, journal)
    devices = read_part(workbook.find("Host Devices"), DEVICE_COLUMNS, journal)
    journal.close()
    vms = require(vms, workbook.file, "VMs")
    if (vms.frame["state"] == "").all() and vms.has("running"):
        vms = vms.plus("state", np.where(vms.frame["running"], "on", "off"), like="running")
    vms = _with_performance(vms, performance, journal)
    tables = journal.tables(
        FORMAT, dialect="Hyper-V" if workbook.find("Hypervisors") else "VMware", version=_build(workbook)
    )
    tables.put("workloads", *workloads_of(vms, journal))
    if hosts is None:
        return tables
    note_unknown_hosts(tables.frames["workloads"], tables.origins["workloads"], hosts, journal)
    tables.put("hosts", *hosts_of(_with_threads(hosts), journal))
    if devices is not None:
        first = ~devices.frame["name"].duplicated().to_numpy()
        seen_by = devices.frame.groupby("name", sort=False)["host"].unique()
        stores = devices.keep(first & (devices.frame["name"] != "").to_numpy())
        reach = [list(seen_by[name]) for name in stores.frame["name"]]
        tables.shared_stores.update(shared_stores(stores, reach, hosts, journal, label="device"))
    return tables


def _with_performance(vms: Part, performance: Part | None, journal: Journal) -> Part:
    """Joined by MOB ID and host: the IDs of several vCenters are the same."""
    if performance is None:
        return vms
    performance = performance.plus("vcenter", performance.frame["host"], like="host")
    vms = vms.plus("vcenter", vms.frame["host"], like="host")
    return joined(vms, performance, PERFORMANCE, "row of VM Performance", journal).without("vcenter")


def _physical(workbook: Workbook, journal: Journal) -> Tables:
    """Each server is a workload as large as itself, and the host that carries it today."""
    servers = read_part(workbook.find("Servers"), SERVER_COLUMNS, journal)
    journal.close()
    servers = require(servers, workbook.file, "Servers").plus("host", servers.frame["name"], like="name")
    tables = journal.tables(FORMAT, dialect="physical servers", version=_build(workbook))
    tables.put("workloads", *workloads_of(servers, journal))
    hosts = servers.plus("cores", servers.frame["vcpus"], like="vcpus")
    found = hosts_of(_with_threads(hosts.without("iops")), journal)
    tables.put("hosts", *found)
    return tables


def _with_threads(hosts: Part) -> Part:
    if not hosts.has("threads"):
        return hosts
    return hosts.plus("hyper_threading", hosts.frame["threads"] > hosts.frame["cores"], like="threads")


def _has_details(workbook: Workbook) -> bool:
    details = workbook.find("Details")
    return details is not None and bool(details.rows) and fold(headings_of(details.rows[0])[0]) == "projectid"


def _build(workbook: Workbook) -> str:
    """The collector's build version, from the pairs of Details."""
    details = workbook.find("Details")
    rows = (headings_of(row) for row in (details.rows if details else ()))
    return next((row[1] for row in rows if len(row) > 1 and fold(row[0]) == "collectorbuildversion"), "")
