"""Samples over time beside the files that list machines: a long table, joined as `read_series` reads it."""

from __future__ import annotations

from planner.errors import InputError
from planner.readers.cells import cells_of, headings_of
from planner.readers.columns import match
from planner.readers.sandbox import Workbook
from planner.readers.series_columns import ALIASES, QUANTITY, parts_of, split
from planner.readers.tables import Tables

FORMAT = "use over time"
SHEETS = ()
LEAST_SAMPLES = 2
"""Rows for each name, on average, from which a table holds samples and not machines."""

HOW = "give it with --series FILE, and what its headings do not tell with --series-settings"


def recognises(workbook: Workbook) -> bool:
    """Whether it is one table with a name, a moment and a measured quantity whose names stand again and again.

    A table that tells vCPUs is a list of machines.
    """
    sheet = workbook.only
    if sheet is None or workbook.source is None:
        return False
    headings = headings_of(sheet.rows[0])
    stems = [split(heading)[0] for heading in headings]
    named = [at for at, stem in enumerate(stems) if stem in ALIASES["workload"]]
    measured = {stem for part in QUANTITY for stem in ALIASES[part]}
    if not named or measured.isdisjoint(stems) or not {*ALIASES["timestamp"]} & {*stems}:
        return False
    vcpus = match(headings, "workloads").get("vcpus")
    if vcpus is not None and stems[vcpus.position] not in measured:
        return False
    rows = sheet.rows[1:]
    return any(LEAST_SAMPLES * len(set(map(str, cells_of(rows, at)))) <= len(rows) for at in named)


def parse(workbook: Workbook) -> Tables:
    """The file as a series; which of its names are workloads shows when all files are joined.

    Raises
    ------
    InputError
        It is no .csv, or a heading names no unit.
    """
    if workbook.kind != "csv":
        raise InputError(f"{workbook.file}: found samples over time, expected them as .csv; save it so, or {HOW}")
    try:
        parts_of(headings_of(workbook.only.rows[0]), {}, workbook.file)
    except InputError as error:
        raise InputError(f"{error}; it holds samples over time: {HOW}") from error
    return Tables(file=workbook.file, format=FORMAT, series=workbook.source)
