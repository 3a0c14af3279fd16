"""Google Migration Center tables: a file each for machines, disks, tags and use over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.readers.columns import fold
from planner.readers.exports import (
    Journal,
    Part,
    has_headings,
    note_blanks,
    only_headings,
    owners,
    read_part,
    require,
    sum_by_owner,
)
from planner.readers.machines import number, text, workloads_of
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables
from planner.units import counted

FORMAT = "Google Migration Center"
SHEETS = ("vmInfo", "diskInfo", "tagInfo", "perfInfo")

MACHINE_COLUMNS = (
    text("vm_id", "MachineId", required=True),
    text("name", "MachineName", required=True),
    text("state", "MachineStatus"),
    text("os", "OsName"),
    number("vcpus", "AllocatedProcessorCoreCount", required=True),
    number("memory_gib", "MemoryGiB", unit="GiB", bare="GiB", required=True),
    number("disks_gib", "TotalDiskAllocatedGiB", unit="GiB", bare="GiB"),
    number("storage_gib_used", "TotalDiskUsedGiB", unit="GiB", bare="GiB"),
)
DISK_COLUMNS = (
    text("vm_id", "MachineId", required=True),
    number("storage_gib", "SizeInGib", unit="GiB", bare="GiB", required=True),
)
TAG_COLUMNS = (text("vm_id", "MachineId", required=True), text("key", "Key", required=True), text("value", "Value"))
TABS = {
    "vmInfo": {"machineid", "machinename", "allocatedprocessorcorecount"},
    "diskInfo": {"machineid", "disklabel", "sizeingib"},
    "tagInfo": {"machineid", "key", "value"},
    "perfInfo": {"machineid", "timestamp", "cpuutilizationpercentage"},
}
"""Folded headings that each table has."""


def tab_of(workbook: Workbook) -> tuple[str, str] | None:
    """Which of the tables a file is, by its headings."""
    headings = {fold(text) for text in only_headings(workbook, MACHINE_COLUMNS)}
    return next((("", tab) for tab, needed in TABS.items() if needed <= headings), None)


def resembles(workbook: Workbook) -> bool:
    """Whether there is the table of machines."""
    return workbook.find("vmInfo") is not None


def recognises(workbook: Workbook) -> bool:
    """Whether the table of machines has its headings."""
    return has_headings(workbook.find("vmInfo"), MACHINE_COLUMNS)


def parse(workbook: Workbook) -> Tables:
    """The machines; storage is the sum of their disks, else their total.

    Raises
    ------
    InputError
        A missing column, or cells that are no numbers.
    """
    journal = Journal(file=workbook.file)
    machines = require(read_part(workbook.find("vmInfo"), MACHINE_COLUMNS, journal), workbook.file, "vmInfo")
    disks = read_part(workbook.find("diskInfo"), DISK_COLUMNS, journal)
    tags = read_part(workbook.find("tagInfo"), TAG_COLUMNS, journal)
    journal.close()
    nameless = (machines.frame["name"] == "").to_numpy()
    named = machines.frame["name"].where(~nameless, machines.frame["vm_id"])
    machines = _with_storage(machines.plus("name", named), disks, journal)
    if tags is not None:
        machines = machines.plus("tags", _tags(tags, machines, journal))
    tables = journal.tables(FORMAT)
    tables.put("workloads", *workloads_of(machines, journal))
    if "perfInfo" not in workbook.members:
        return tables
    frame = tables.frames["workloads"]
    names = dict(zip(frame["vm_id"], frame["name"], strict=True))
    return replace(tables, series=workbook.members["perfInfo"], series_names=names)


def _with_storage(machines: Part, disks: Part | None, journal: Journal) -> Part:
    total = machines.frame["disks_gib"].to_numpy()
    if disks is None:
        return machines.plus("storage_gib", total, like="disks_gib") if machines.has("disks_gib") else machines
    owner = owners(disks, machines, "disk", journal)
    note_blanks(disks, "storage_gib", owner, "disk", journal)
    summed = sum_by_owner(disks, "storage_gib", owner, len(total))
    without = np.isnan(summed) & ~np.isnan(total)
    if without.any():
        message = f"storage of {counted(without.sum(), 'machine')} is TotalDiskAllocatedGiB: diskInfo has no disk of it"
        journal.note("information", message, sheet="vmInfo", subject="storage_gib")
    return machines.plus("storage_gib", np.where(without, total, summed), like="disks_gib")


def _tags(tags: Part, machines: Part, journal: Journal) -> list[str]:
    """Tags of each machine, as ``key=value`` parted by commas."""
    owner = owners(tags, machines, "tag", journal)
    found: list[list[str]] = [[] for _ in range(len(machines.frame))]
    for position, key, value in zip(owner, tags.frame["key"], tags.frame["value"], strict=True):
        if position >= 0:
            found[position].append(f"{key}={value}".replace(",", " "))
    return [", ".join(own) for own in found]
