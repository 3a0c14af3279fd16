"""Hyper-V: what ``Get-VM | Export-Csv`` writes, with or without its line of types."""

from __future__ import annotations

import numpy as np

from planner.readers.columns import match_columns
from planner.readers.exports import Journal, only_headings, read_part, require
from planner.readers.machines import example, flag, is_running, number, text, workloads_of
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables

FORMAT = "Hyper-V Get-VM"
SHEETS = ()
COLUMNS = (
    text("name", "Name", "VMName", required=True),
    text("vm_uuid", "VMId", "Id"),
    text("state", "State", required=True),
    text("host", "ComputerName"),
    number("vcpus", "ProcessorCount", required=True),
    number("startup_gib", "MemoryStartup", unit="GiB", bare="bytes"),
    number("assigned_gib", "MemoryAssigned", unit="GiB", bare="bytes"),
    number("memory_gib_used", "MemoryDemand", unit="GiB", bare="bytes"),
    flag("dynamic", "DynamicMemoryEnabled"),
)


def recognises(workbook: Workbook) -> bool:
    """Whether it is one table with ProcessorCount and MemoryAssigned or MemoryStartup."""
    found = match_columns(only_headings(workbook, COLUMNS), COLUMNS)
    return {"name", "vcpus"} <= found.keys() and bool({"startup_gib", "assigned_gib"} & found.keys())


def parse(workbook: Workbook) -> Tables:
    """The VMs: memory is what is assigned now, and what they start with where nothing is assigned.

    Raises
    ------
    InputError
        A missing column, or cells that are no numbers.
    """
    journal = Journal(file=workbook.file)
    vms = require(read_part(workbook.only, COLUMNS, journal), workbook.file, "")
    journal.close()
    frame = vms.frame
    assigned = (frame["assigned_gib"] > 0).to_numpy()
    like = "assigned_gib" if vms.has("assigned_gib") else "startup_gib"
    vms = vms.plus("memory_gib", np.where(assigned, frame["assigned_gib"], frame["startup_gib"]), like=like)
    untold = (
        frame["assigned_gib"].isna().to_numpy() & vms.has("assigned_gib") & frame["state"].map(is_running).to_numpy()
    )
    if untold.any():
        message = f"without {vms.origin.heading('assigned_gib')}: what they start with is read"
        example(journal, "guessed", message, vms, untold, "assigned_gib")
    dynamic = frame["dynamic"].to_numpy() & assigned
    if dynamic.any():
        message = "with dynamic memory: what is assigned at the moment of the export is read, which may grow"
        example(journal, "information", message, vms, dynamic, "memory_gib")
    tables = journal.tables(FORMAT)
    tables.put("workloads", *workloads_of(vms, journal))
    return tables
