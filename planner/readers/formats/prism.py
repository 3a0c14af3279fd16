"""Nutanix Prism Central VM list: CSV whose cells carry units, and storage as used of given."""

from __future__ import annotations

from dataclasses import replace

from planner.readers.cells import headings_of
from planner.readers.columns import fold, heading_row
from planner.readers.exports import Journal, only_headings, read_part, require
from planner.readers.machines import number, text, use_columns, workloads_of
from planner.readers.sandbox import Sheet, Workbook
from planner.readers.tables import Tables

FORMAT = "Nutanix Prism"
SHEETS = ()
ITS_OWN = frozenset({"controllerreadiops", "memoryusage", "categories"})
USED_OF_GIVEN = "Storage"
COLUMNS = (
    text("name", "VM Name", "Name", required=True),
    text("host", "Host"),
    text("pool", "Cluster"),
    text("state", "Power State"),
    text("tags", "Categories"),
    number("vcpus", "Cores", "vCPUs", required=True),
    number("memory_gib", "Memory Capacity", unit="GiB", required=True),
    number("storage_gib", "Storage", unit="GiB"),
    number("storage_gib_used", "Storage used", unit="GiB"),
    *use_columns(cpu_share_used="CPU Usage", memory_share_used="Memory Usage"),
    number("reads", "Controller Read IOPS", "Read IOPS"),
    number("writes", "Controller Write IOPS", "Write IOPS"),
)


def recognises(workbook: Workbook) -> bool:
    """Whether it is one table with memory capacity and a controller's figures or Prism's use."""
    headings = {fold(text) for text in only_headings(workbook, COLUMNS)}
    return {"memorycapacity", "cores"} <= headings and bool(headings & ITS_OWN)


def parse(workbook: Workbook) -> Tables:
    """The VMs of the list.

    Raises
    ------
    InputError
        A missing column, or cells that are no numbers.
    """
    journal = Journal(file=workbook.file)
    vms = require(read_part(_storage_in_two(workbook.only), COLUMNS, journal), workbook.file, "")
    journal.close()
    if vms.has("reads") or vms.has("writes"):
        vms = vms.plus("iops", vms.frame[["reads", "writes"]].sum(axis=1, min_count=1), like="reads")
    tables = journal.tables(FORMAT)
    tables.put("workloads", *workloads_of(vms, journal))
    return tables


def _storage_in_two(sheet: Sheet) -> Sheet:
    """``61.2 GiB / 127 GiB`` as a column of what is given, and one more of what is used."""
    header = heading_row(sheet, COLUMNS)
    headings = [fold(text) for text in headings_of(sheet.rows[header])]
    if fold(USED_OF_GIVEN) not in headings:
        return sheet
    at, width = headings.index(fold(USED_OF_GIVEN)), len(headings)
    heads = [*sheet.rows[header], *[None] * (width - len(sheet.rows[header])), "Storage used"]
    rows = [*sheet.rows[:header], heads]
    for row in sheet.rows[header + 1 :]:
        cells = [*row, *[None] * (width - len(row))]
        used, slash, given = str(cells[at] or "").partition("/")
        cells[at : at + 1] = [given.strip() if slash else cells[at]]
        rows.append([*cells, used.strip() if slash else None])
    return replace(sheet, rows=rows)
