"""RVTools exports: VMs of vInfo joined with vCPU, vMemory, vDisk and vPartition, hosts of vHost.

Columns are found by their heading in every dialect (MiB and MB, trimmed exports, custom attributes anywhere). What the
export does not know stays blank, and every fallback is noted.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.readers.cells import headings_of
from planner.readers.columns import Column, fold, match_columns
from planner.readers.exports import Journal, Part, has_headings, only_headings, owners, read_part, sum_by_owner
from planner.readers.formats.rvtools import constraints
from planner.readers.formats.rvtools.clusters import with_fault_domains
from planner.readers.formats.rvtools.datastores import shared_stores
from planner.readers.formats.rvtools.estate import Estate
from planner.readers.formats.rvtools.hosts import HOST_COLUMNS, read_hosts
from planner.readers.formats.rvtools.sizes import places, reservations, sizes, storage, use
from planner.readers.formats.rvtools.vsan import deflated
from planner.readers.machines import (
    IDENTITIES,
    flag,
    is_running,
    number,
    real_rows,
    states,
    text,
    unique_names,
    use_columns,
    without_unknown_size,
)
from planner.readers.owned import note_unknown_hosts
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables

FORMAT = "RVTools"
SHEETS = (
    *("vInfo", "vCPU", "vMemory", "vDisk", "vPartition", "vHost", "vDatastore", "vMetaData"),
    *constraints.SHEETS,
)

_TAB_NAME = re.compile(r"(.*?)(?:RVTools)?_?tab(v[A-Za-z_]+?|dv[A-Za-z]+?)(?:[ _-]?\d.*)?", re.IGNORECASE)


def _size(name: str, label: str, *aliases: str, required: bool = False) -> Column:
    return number(name, label, *aliases, unit="GiB", bare="MiB", required=required)


def _keys(sheet: str) -> tuple[Column, ...]:
    """What joins sheets; some exports write the sheet's name before each heading."""
    return (
        text("name", "VM", "VM Name", f"{sheet}VMName", required=True),
        text("vm_uuid", "VM UUID", f"{sheet}UUID"),
        text("vm_id", "VM ID", f"{sheet}VMID"),
        text("vcenter", "VI SDK UUID", f"{sheet}VISDKUUID"),
    )


PLACE = (text("pool", "Cluster", "vInfoCluster"), text("host", "Host", "vInfoHost"))
VM_COLUMNS = (
    *_keys("vInfo"),
    text("bios_uuid", "SMBIOS UUID"),
    *PLACE,
    text("state", "Powerstate", "Power state", "vInfoPowerstate", required=True),
    flag("template", "Template", "vInfoTemplate"),
    flag("placeholder", "SRM Placeholder", "vInfoSRMPlaceHolder"),
    number("vcpus", "CPUs", "vInfoCPUs", required=True),
    _size("memory_gib", "Memory", "vInfoMemory", required=True),
    _size("memory_gib_used", "Active Memory", "vInfoActiveMemory"),
    _size("disks_gib", "Total disk capacity", "vInfoTotalDiskCapacityMiB", "vInfoTotalDiskCapacity"),
    _size("provisioned_gib", "Provisioned", "vInfoProvisioned", "vInfoProvisionedMiB"),
    _size("in_use_gib", "In Use", "vInfoInUse"),
    text("os_tools", "OS according to the VMware Tools", "OS according to VMware Tools", "Guest OS", "vInfoOSTools"),
    text("os_file", "OS according to the configuration file", "OS according to configuration file", "vInfoOS"),
    *use_columns(cpu_share_used="CPU Usage %"),
    *constraints.VM_COLUMNS,
)
CPU_COLUMNS = (
    *_keys("vCPU"),
    *PLACE,
    number("vcpus", "CPUs", "vCPUCPUs"),
    number("cpu_ghz_used", "Overall", "vCPUOverall", unit="GHz", bare="MHz"),
    *constraints.CPU_COLUMNS,
)
MEMORY_COLUMNS = (
    *_keys("vMemory"),
    *PLACE,
    _size("memory_gib", "Size", "vMemorySizeMiB"),
    _size("memory_gib_used", "Active", "vMemoryActive"),
    _size("memory_reservation_gib", "Reservation", "vMemoryReservation"),
    *constraints.MEMORY_COLUMNS,
)
DISK_COLUMNS = (*_keys("vDisk"), _size("storage_gib", "Capacity", "vDiskCapacityMiB"), *constraints.DISK_COLUMNS)
PARTITION_COLUMNS = (*_keys("vPartition"), _size("storage_gib_used", "Consumed", "vPartitionConsumedMiB"))


def resembles(workbook: Workbook) -> bool:
    """Whether the workbook has vInfo; other tools have it too, and are asked before."""
    return workbook.find("vInfo") is not None


def recognises(workbook: Workbook) -> bool:
    """Whether vInfo has its headings."""
    return has_headings(workbook.find("vInfo"), VM_COLUMNS)


def tab_of(workbook: Workbook) -> tuple[str, str] | None:
    """The export and the tab that a CSV file is, by its name ``RVTools_tabvInfo.csv`` or by the headings of vInfo."""
    named = _TAB_NAME.fullmatch(workbook.source.stem) if workbook.source else None
    if named:
        tab = next((name for name in SHEETS if fold(name) == fold(named[2])), named[2])
        return fold(named[1]), tab
    found = match_columns(only_headings(workbook, VM_COLUMNS), VM_COLUMNS)
    is_info = {"name", "state"} <= found.keys() and found["name"].heading.casefold() in ("vm", "vinfovmname")
    return ("", "vInfo") if is_info else None


def parse(workbook: Workbook) -> Tables:
    """The VMs and hosts of an RVTools export.

    Parameters
    ----------
    workbook : Workbook

    Returns
    -------
    Tables
        `workloads` with the extra column `storage_gib_used` (guest file systems) where vPartition stands, and `hosts`
        where vHost stands; shared storage where vDatastore does too.

    Raises
    ------
    InputError
        An export of another tool, a missing column, or cells that are no numbers (all of them are told).
    """
    journal = Journal(file=workbook.file)
    vms = read_part(workbook.find("vInfo"), VM_COLUMNS, journal)
    if vms is None:
        raise InputError(f"{workbook.file}, sheet vInfo: found an empty sheet, expected one row for each VM")
    cpu = read_part(workbook.find("vCPU"), CPU_COLUMNS, journal)
    memory = read_part(workbook.find("vMemory"), MEMORY_COLUMNS, journal)
    disk = read_part(workbook.find("vDisk"), DISK_COLUMNS, journal)
    partition = read_part(workbook.find("vPartition"), PARTITION_COLUMNS, journal)
    host = read_part(workbook.find("vHost"), (*HOST_COLUMNS, *constraints.HOST_COLUMNS), journal)
    journal.close()

    vms = real_rows(vms, journal)
    details = _details({"vCPU": cpu, "vMemory": memory, "vDisk": disk, "vPartition": partition}, vms, journal)
    disks = details.get("vDisk", (None, np.empty(0, dtype=int)))
    every = _workloads(deflated(vms, disks, workbook, journal), details, journal)
    frame, origin = without_unknown_size(every, vms.origin, journal)
    tables = journal.tables(FORMAT, dialect=_dialect(vms), version=_version(workbook))
    tables.put("workloads", frame, origin)
    hosts, host_part = pd.DataFrame({"name": [], "pool": []}, dtype=str), None
    if host is not None:
        note_unknown_hosts(frame, origin, host, journal)
        hosts, host_part = _hosts(host, tables, journal)
        tables.shared_stores.update(shared_stores(workbook.find("vDatastore"), host, journal))
    estate = Estate(
        workbook=workbook, vms=vms, workloads=every, kept=np.isin(vms.origin.rows, origin.rows),
        hosts=hosts, host_part=host_part, details=details, journal=journal,
    )  # fmt: skip
    tables.proposals.extend(constraints.harvest(estate))
    return tables


def _hosts(host: Part, tables: Tables, journal: Journal) -> tuple[pd.DataFrame, Part]:
    """The hosts that can be planned on, put into `tables`, and the rows of vHost behind them."""
    hosts, origin = read_hosts(host, journal)
    part = host.keep(np.isin(host.origin.rows, origin.rows))
    hosts = with_fault_domains(hosts, part)
    tables.put("hosts", hosts, origin)
    return hosts, part


def _details(parts: dict[str, Part | None], vms: Part, journal: Journal) -> dict[str, tuple[Part, np.ndarray]]:
    """The sheets that there are, each with the position in `vms` of the VM of each row."""
    labels = {"vCPU": "vCPU row", "vMemory": "vMemory row", "vDisk": "disk", "vPartition": "partition"}
    return {
        sheet: (part, owners(part, vms, labels[sheet], journal)) for sheet, part in parts.items() if part is not None
    }


def _workloads(vms: Part, details: dict[str, tuple[Part, np.ndarray]], journal: Journal) -> pd.DataFrame:
    """One row for each VM, with the schema's columns."""
    cpu, memory, disk, partition = (
        details.get(sheet, (None, np.empty(0, dtype=int))) for sheet in ("vCPU", "vMemory", "vDisk", "vPartition")
    )
    frame = pd.DataFrame({"name": unique_names(vms, journal), "state": states(vms, journal)})
    told = [detail for detail in (cpu, memory) if detail[0] is not None]
    on = frame["state"].map(is_running).to_numpy(dtype=bool)
    frame["vcpus"] = sizes(vms, *cpu, "vcpus", journal)
    frame["memory_gib"] = sizes(vms, *memory, "memory_gib", journal)
    frame["storage_gib"] = storage(vms, *disk, journal)
    frame["cpu_ghz_used"] = use(vms, *cpu, on, "cpu_ghz_used", journal)
    frame["memory_gib_used"] = use(vms, *memory, on, "memory_gib_used", journal)
    frame["memory_reservation_gib"] = reservations(vms, *memory, journal)
    frame["os"] = vms.frame["os_tools"].where(vms.frame["os_tools"] != "", vms.frame["os_file"])
    frame["pool"] = places(vms, "pool", told, journal)
    frame["host"] = places(vms, "host", told, journal)
    if vms.has("cpu_share_used"):
        frame["cpu_share_used"] = vms.frame["cpu_share_used"].where(on)
    for name in IDENTITIES:
        frame[name] = vms.frame[name]
    frame["storage_gib_used"] = sum_by_owner(partition[0], "storage_gib_used", partition[1], len(frame))
    return frame


def _dialect(vms: Part) -> str:
    """Which of its spellings the export has."""
    headings = list(vms.origin.headings.values())
    if any(heading.startswith("vInfo") for heading in headings):
        return "database headings"
    return next((f"{unit} headings" for unit in ("MiB", "MB") for heading in headings if heading.endswith(unit)), "")


def _version(workbook: Workbook) -> str:
    """The version that vMetaData tells; its headings come in two kinds."""
    sheet = workbook.find("vMetaData")
    rows = [headings_of(row) for row in sheet.rows] if sheet is not None else []
    if len(rows) > 1 and "RVTools version" in rows[0]:
        return dict(zip(rows[0], rows[1], strict=False)).get("RVTools version", "")
    return next((row[1] for row in rows if len(row) > 1 and row[0] == "RVTools version"), "")
