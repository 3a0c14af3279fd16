"""Nutanix Collector workbooks, which share sheet names with RVTools: vmList tells them apart."""

from __future__ import annotations

import numpy as np

from planner.readers.exports import Journal, Part, has_headings, joined, read_part, require
from planner.readers.machines import example, flag, number, text, use_columns, workloads_of
from planner.readers.owned import host_note, hosts_of, note_unknown_hosts
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables
from planner.units import MHZ_PER_GHZ

FORMAT = "Nutanix Collector"
SHEETS = ("Metadata", "vmList", "vInfo", "vCPU", "vMemory", "vHosts")

SLOWEST_MHZ = 100
"""A clock above this that names no unit is in MHz."""

NAME = text("name", "VM Name", required=True)
SHARES = {"average": "Average %", "peak": "Peak %", "p95": ("95th Percentile % (recommended)", "95th Percentile %")}
VM_COLUMNS = (
    NAME,
    text("state", "Power State"),
    number("vcpus", "vCPUs", required=True),
    number("limit_ghz", "Max CPU", unit="GHz", bare="MHz"),
    number("memory_gib", "Memory", unit="GiB", bare="MiB", required=True),
    number("storage_gib", "Capacity", unit="GiB", bare="MiB"),
    number("storage_gib_used", "Consumed", unit="GiB", bare="MiB"),
    number("group_gib", "Volume Group Capacity", unit="GiB", bare="MiB"),
    text("os", "Guest OS"),
    flag("template", "Template"),
    text("host", "Host"),
    text("pool", "Cluster Name", "Cluster"),
)
INFO_COLUMNS = (NAME, text("vm_id", "MOID"), number("iops", "95th Percentile IOPS"))
CPU_COLUMNS = (NAME, *use_columns(**{f"cpu_share_{name}": label for name, label in SHARES.items()}))
MEMORY_COLUMNS = (NAME, *use_columns(**{f"memory_share_{name}": label for name, label in SHARES.items()}))
HOST_COLUMNS = (
    text("name", "Host Name", required=True),
    text("model", "Model"),
    number("cores", "CPU Cores"),
    number("ghz", "CPU Speed", unit="GHz", bare="GHz"),
    number("memory_gib", "Memory Size", unit="GiB", bare="GiB"),
)
META_COLUMNS = (text("version", "Collector Version", "Collection Version"), text("hypervisor", "Hypervisor"))


def resembles(workbook: Workbook) -> bool:
    """Whether there is vmList beside Metadata or vHosts."""
    return bool(workbook.find("vmList")) and bool(workbook.find("Metadata") or workbook.find("vHosts"))


def recognises(workbook: Workbook) -> bool:
    """Whether vmList has its headings too."""
    return resembles(workbook) and has_headings(workbook.find("vmList"), VM_COLUMNS)


def parse(workbook: Workbook) -> Tables:
    """The VMs of vmList with what vCPU, vMemory and vInfo measured, and the hosts of vHosts.

    Raises
    ------
    InputError
        A missing column, or cells that are no numbers.
    """
    journal = Journal(file=workbook.file)
    parts = {
        name: read_part(workbook.find(name), columns, journal)
        for name, columns in (
            ("vmList", VM_COLUMNS),
            ("vCPU", CPU_COLUMNS),
            ("vMemory", MEMORY_COLUMNS),
            ("vInfo", INFO_COLUMNS),
            ("vHosts", HOST_COLUMNS),
            ("Metadata", META_COLUMNS),
        )
    }
    journal.close()
    vms = require(parts["vmList"], workbook.file, "vmList")
    vms = joined(vms, parts["vCPU"], [f"cpu_share_{name}" for name in SHARES], "vCPU row", journal)
    vms = joined(vms, parts["vMemory"], [f"memory_share_{name}" for name in SHARES], "vMemory row", journal)
    vms = joined(vms, parts["vInfo"], ["vm_id", "iops"], "vInfo row", journal)
    groups = (vms.frame["group_gib"] > 0).to_numpy()
    if groups.any():
        message = (
            f"with volume groups, {vms.frame['group_gib'].sum():,.6g} GiB in all: several may share one, not counted"
        )
        example(journal, "information", message, vms, groups, "group_gib")
    about = parts["Metadata"]
    told = about.frame.iloc[0] if about is not None and len(about.frame) else {"hypervisor": "", "version": ""}
    tables = journal.tables(FORMAT, dialect=told["hypervisor"], version=told["version"])
    tables.put("workloads", *workloads_of(_in_ghz(vms), journal))
    if parts["vHosts"] is not None:
        hosts = _with_clusters(_in_one_unit(parts["vHosts"], journal), vms)
        note_unknown_hosts(tables.frames["workloads"], tables.origins["workloads"], hosts, journal)
        tables.put("hosts", *hosts_of(hosts, journal))
    return tables


def _in_ghz(vms: Part) -> Part:
    """Use as GHz where the list tells what all vCPUs of a VM could use at most."""
    if not vms.has("limit_ghz"):
        return vms
    limit = vms.frame["limit_ghz"].where(vms.frame["limit_ghz"] > 0)
    for name in SHARES:
        if vms.has(f"cpu_share_{name}"):
            share = vms.frame[f"cpu_share_{name}"]
            vms = vms.plus(f"cpu_ghz_{name}", share * limit, like=f"cpu_share_{name}")
            vms = vms.plus(f"cpu_share_{name}", share.where(limit.isna()))
    return vms


def _in_one_unit(hosts: Part, journal: Journal) -> Part:
    """Clocks without a unit: GHz, or MHz where no clock is that high."""
    in_mhz = (hosts.frame["ghz"] > SLOWEST_MHZ).to_numpy()
    if not in_mhz.any():
        return hosts
    position = int(np.flatnonzero(in_mhz)[0])
    message = f"{hosts.frame['ghz'].iloc[position]:,.0f} GHz is no host's clock: read as MHz"
    host_note(journal, "guessed", message, hosts.origin, position, "ghz", hosts.frame)
    return hosts.plus("ghz", hosts.frame["ghz"].mask(in_mhz, hosts.frame["ghz"] / MHZ_PER_GHZ))


def _with_clusters(hosts: Part, vms: Part) -> Part:
    """The cluster of each host is that of the VMs on it; vHosts does not tell."""
    known = vms.frame[vms.frame["host"] != ""].drop_duplicates("host").set_index("host")["pool"]
    return hosts.plus("pool", hosts.frame["name"].map(known).fillna(""), like="name")
