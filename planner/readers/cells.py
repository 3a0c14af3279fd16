"""Cells as they stand in a sheet: rows of headings, and columns."""

from __future__ import annotations

from collections.abc import Sequence


def headings_of(row: Sequence[object]) -> list[str]:
    """Headings as trimmed text, "" for a blank one."""
    return ["" if cell is None else " ".join(str(cell).split()) for cell in row]


def cells_of(rows: list[list], position: int) -> list[object]:
    """One column of rows that may be of different length."""
    return [row[position] if position < len(row) else None for row in rows]
