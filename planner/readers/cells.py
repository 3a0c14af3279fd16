"""Cells as they stand in a sheet, turned into headings and numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")


def headings_of(row: Sequence[object]) -> list[str]:
    """Headings as trimmed text, "" for a blank one."""
    return ["" if cell is None else " ".join(str(cell).split()) for cell in row]


def cells_of(rows: list[list], position: int) -> list[object]:
    """One column of rows that may be of different length."""
    return [row[position] if position < len(row) else None for row in rows]


def to_numbers(cells: list[object], factor: float) -> tuple[list[object], list[int]]:
    """Numbers, and texts that are numbers, times `factor`; everything else as it is.

    Returns
    -------
    list
        The cells.
    list of int
        Positions of the numbers that were written with thousands commas.

    Examples
    --------
    >>> to_numbers([2048, "1,024", "many", None], 1 / 1024)
    ([2.0, 1.0, 'many', None], [1])
    """
    found, commas = [], []
    for position, cell in enumerate(cells):
        value = cell
        if isinstance(cell, str):
            text = cell.strip()
            if _THOUSANDS.fullmatch(text):
                commas.append(position)
                text = text.replace(",", "")
            if _NUMBER.fullmatch(text):
                value = float(text)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        found.append(value * factor if is_number else value)
    return found, commas
