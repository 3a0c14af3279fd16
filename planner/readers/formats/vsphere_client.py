"""The vSphere Client's list of VMs, exported as CSV; its default columns have neither CPUs nor memory size."""

from __future__ import annotations

from planner.errors import UnknownColumns
from planner.readers.columns import fold
from planner.readers.exports import Journal, only_headings, read_part, require
from planner.readers.machines import number, text, workloads_of
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables

FORMAT = "vSphere Client"
SHEETS = ()
COLUMNS = (
    text("name", "Name", required=True),
    text("state", "State", "Power State"),
    text("os", "Guest OS"),
    text("host", "Host"),
    text("pool", "Cluster"),
    text("vm_uuid", "UUID"),
    number("vcpus", "CPUs", "vCPUs", "CPU Count", "Number of CPUs"),
    number("memory_gib", "Memory Size", "Memory", unit="GiB"),
    number("storage_gib", "Provisioned Space", unit="GiB"),
    number("storage_gib_used", "Used Space", unit="GiB"),
    number("cpu_ghz_used", "Host CPU", unit="GHz"),
    number("memory_gib_used", "Host Mem", unit="GiB"),
)


def recognises(workbook: Workbook) -> bool:
    """Whether it is one table with Name, State, Provisioned Space and Used Space."""
    headings = {fold(text) for text in only_headings(workbook, COLUMNS)}
    return {"name", "state", "provisionedspace", "usedspace"} <= headings


def parse(workbook: Workbook) -> Tables:
    """The VMs of the list, or what they use where the list does not tell what they are given.

    Raises
    ------
    InputError
        Cells that are no numbers, or have no unit.
    """
    journal = Journal(file=workbook.file)
    vms = require(read_part(workbook.only, COLUMNS, journal), workbook.file, "")
    journal.close()
    missing = [label for name, label in (("vcpus", "CPUs"), ("memory_gib", "Memory Size")) if not vms.has(name)]
    if missing:
        raise UnknownColumns(
            f"{workbook.file}: found the vSphere Client's list without {' and '.join(map(repr, missing))}, expected "
            "both; show these columns in the client before exporting, or export with RVTools",
            workbook.file,
        )
    tables = journal.tables(FORMAT)
    tables.put("workloads", *workloads_of(vms, journal))
    return tables
