"""Tables on a sheet: parted by blank rows and blank columns, under titles, with headings of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.readers.cells import headings_of
from planner.readers.columns import MAX_TITLE_ROWS
from planner.readers.sandbox import Sheet


@dataclass(frozen=True, kw_only=True)
class Region:
    """A part of a sheet that may be a table.

    Parameters
    ----------
    sheet : Sheet
    rows : range
        Positions in `sheet.rows`, side by side.
    columns : tuple of int
        Positions of its columns in a row.
    """

    sheet: Sheet
    rows: range
    columns: tuple[int, ...]

    def starts(self) -> list[int]:
        """Positions of the rows that may be its headings: the first few, without titles that fill one cell."""
        some = self.rows[: MAX_TITLE_ROWS + 1]
        return [at for at in some if not is_title(self.cells(at))]

    def cells(self, at: int) -> list:
        """Cells of the row at a position of the sheet."""
        row = self.sheet.rows[at]
        return [row[column] if column < len(row) else None for column in self.columns]

    def labels(self, at: int) -> dict[str, int]:
        """Position of each column by its heading in the row at a position of the sheet.

        A second heading of the same text is called ``RAM (2)``; a column that holds something under no heading is
        called ``column 3``.
        """
        found: dict[str, int] = {}
        for column, text in zip(self.columns, headings_of(self.cells(at)), strict=True):
            if not text and not self._holds(column, at):
                continue
            text = text or f"column {column + 1}"
            name, again = text, 2
            while name in found:
                name, again = f"{text} ({again})", again + 1
            found[name] = column
        return found

    def below(self, at: int) -> list[int]:
        """Positions of the rows under its headings that hold anything of it."""
        return [row for row in self.rows if row > at and any(cell is not None for cell in self.cells(row))]

    def row_number(self, at: int) -> int:
        return self.sheet.row_numbers[at]

    def _holds(self, column: int, at: int) -> bool:
        rows = (self.sheet.rows[row] for row in self.rows if row > at)
        return any(column < len(row) and row[column] is not None for row in rows)


def is_title(cells: Sequence[object]) -> bool:
    """Whether a row says one thing only: one cell, or the same in all that hold anything, as merged cells do."""
    return len({str(cell) for cell in cells if cell is not None}) < 2


def bands(sheet: Sheet) -> list[range]:
    """Rows that follow each other without a blank row, as ranges of positions."""
    found, start = [], 0
    for at in range(1, len(sheet.rows) + 1):
        if at == len(sheet.rows) or sheet.row_numbers[at] != sheet.row_numbers[at - 1] + 1:
            found.append(range(start, at))
            start = at
    return found if sheet.rows else []


def parts(sheet: Sheet, rows: range) -> list[Region]:
    """What stands side by side in a band of rows, parted by columns that are blank but for titles."""
    told = [at for at in rows if not is_title(sheet.rows[at])] or list(rows)
    filled = sorted({column for at in told for column, cell in enumerate(sheet.rows[at]) if cell is not None})
    groups: list[list[int]] = []
    for column in filled:
        if groups and column == groups[-1][-1] + 1:
            groups[-1].append(column)
        else:
            groups.append([column])
    return [Region(sheet=sheet, rows=rows, columns=tuple(group)) for group in groups]


def whole_band(sheet: Sheet, rows: range) -> Region:
    """All columns of a band of rows."""
    return Region(sheet=sheet, rows=rows, columns=tuple(range(max(len(sheet.rows[at]) for at in rows))))


def whole(regions: Sequence[Region]) -> Region:
    """Regions of one band as one, the blank columns between them left out."""
    return replace(regions[0], columns=tuple(sorted(column for one in regions for column in one.columns)))
