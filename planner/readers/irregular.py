"""Rows of a CSV file that do not fit its headings: what a stray delimiter or a lost quote does to a table."""

from __future__ import annotations

from planner.readers.sandbox import Sheet
from planner.readers.tables import note
from planner.schema import Origin
from planner.units import counted


def irregular_rows(sheet: Sheet, header: int, origin: Origin) -> tuple[list[dict], list[str]]:
    """What is wrong with the rows below the headings of a CSV file; nothing for any other sheet.

    Parameters
    ----------
    sheet : Sheet
    header : int
        Position of the row of headings.
    origin : Origin
        Of the rows below the headings.

    Returns
    -------
    list of dict
        Notes on cells that seem to have swallowed rows, and on a last row that seems to be cut off.
    list of str
        A finding for each row with more cells than there are headings: its cells belong to other columns.
    """
    if not sheet.delimiter:
        return [], []
    width, rows = len(sheet.rows[header]), sheet.rows[header + 1 :]
    findings = [
        f"{origin.where(position)}: found {len(row)} cells, expected {width} as there are headings; a text with "
        f"{sheet.delimiter!r} in it belongs in quotes"
        for position, row in enumerate(rows)
        if any(cell is not None for cell in row[width:])
    ]
    notes = []
    for position, row in enumerate(rows):
        lines = max((_lines_like_rows(cell, sheet.delimiter, width) for cell in row), default=0)
        if lines:
            message = f"a cell in quotes runs over {counted(lines, 'line')} that could be rows: is a quote missing?"
            notes.append(_note(message, origin, position))
    if sheet.cut and rows and len(rows[-1]) < width:
        message = "the last row ends early and without a line end: the file may be cut off"
        notes.append(_note(message, origin, len(rows) - 1))
    return notes, findings


def _lines_like_rows(cell: object, delimiter: str, width: int) -> int:
    """How many lines of a cell hold delimiters enough to be a row of a table so wide."""
    if not isinstance(cell, str) or not ("\n" in cell or "\r" in cell):
        return 0
    return sum(line.count(delimiter) >= max(1, width // 2) for line in cell.splitlines())


def _note(message: str, origin: Origin, position: int) -> dict:
    return note("suspicious", message, file=origin.file, sheet=origin.sheet, row=origin.row(position))
