"""Disks of a machine in a column each, as people list them: added up to one column of storage."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from planner.readers.cells import cells_of, headings_of
from planner.readers.columns import in_mib, match, split_unit
from planner.readers.numerals import Numbers, numbers_of, style_of
from planner.readers.sandbox import Sheet
from planner.units import GIB_PER_UNIT, counted

HEADING = "Storage (GiB)"
MOST_ROWS_ABOVE = 12
_WORDS = (
    r"disks?|drives?|hdd|ssd|vmdk|volumes?|luns?|(?:fest)?platten?|laufwerk|disques?|lecteur|discos?|disco|schijf|dysk"
)
_DISK = re.compile(
    rf"(?:hard |virtual )?(?:{_WORDS})[\s#:_-]*(?:\d{{1,2}}|[a-z]:?)(?:\s*(?:size|capacity|größe))?|[a-z]:\\?|"
    rf"(?:system|data|os|boot|daten)[\s-]?(?:{_WORDS})",
    re.IGNORECASE,
)


def with_disks_added_up(sheet: Sheet) -> Sheet:
    """The sheet with one more column, the sum of its columns of disks, and a remark; as it is where there is none.

    A heading such as ``Disk 2 (GB)``, ``C: (GB)`` or ``Platte D`` is one of a disk. Nothing is added up where another
    column tells the storage, or a cell is no number.
    """
    for at, row in enumerate(sheet.rows[:MOST_ROWS_ABOVE]):
        headings = headings_of(row)
        found = [place for place, text in enumerate(headings) if _DISK.fullmatch(split_unit(text)[0].strip())]
        if len(found) > 1 or (found and headings[found[0]][1:2] == ":"):
            told = match(headings, "workloads").get("storage_gib")
            if told is not None and told.position not in found:
                return sheet
            return _added_up(sheet, at, headings, found)
    return sheet


def _added_up(sheet: Sheet, at: int, headings: list[str], found: list[int]) -> Sheet:
    rows = sheet.rows[at + 1 :]
    total = np.zeros(len(rows))
    known = np.zeros(len(rows), dtype=bool)
    for place in found:
        cells, unit = cells_of(rows, place), split_unit(headings[place])[1]
        if unit and unit.casefold() not in GIB_PER_UNIT:
            return sheet
        read = _in_gib(cells, unit, sheet.delimiter)
        if read.findings or any(isinstance(cell, str) and cell.strip() for cell in read.cells):
            return sheet
        is_number = np.array([isinstance(cell, float | int) for cell in read.cells], dtype=bool)
        total += [cell if told else 0.0 for cell, told in zip(read.cells, is_number, strict=True)]
        known |= is_number
    width = max(len(row) for row in sheet.rows)
    heads = [*sheet.rows[at], *[None] * (width - len(sheet.rows[at])), HEADING]
    below = [
        [*row, *[None] * (width - len(row)), float(gib) if told else None]
        for row, gib, told in zip(rows, total, known, strict=True)
    ]
    names = ", ".join(headings[place] for place in found)
    remark = ("guessed", "storage_gib", f"storage is the sum of {counted(len(found), 'column')}: {names}")
    return replace(sheet, rows=[*sheet.rows[:at], heads, *below], remarks=(*sheet.remarks, remark))


def _in_gib(cells: list, unit: str, delimiter: str) -> Numbers:
    """Numbers of a column of disks, in GiB; without a unit GiB, or MiB where they are too large for that."""
    how = {"wanted": "GiB", "stated": bool(unit), "sheet": style_of(cells), "delimiter": delimiter}
    read = numbers_of(cells, unit=unit or "GiB", **how)
    if not unit and in_mib("storage_gib", read.cells):
        read = numbers_of(cells, unit="MiB", **how)
    return read
