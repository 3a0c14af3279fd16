"""Formulas of a written workbook: each refers to cells alone, so that no text from outside can become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xlsxwriter.utility import quote_sheetname, xl_rowcol_to_cell

MISSING = "missing"
"""What a cell shows where a figure is missing."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula and its value, for viewers that do not work it out.

    Parameters
    ----------
    text : str
        Begins with ``=``.
    value : float or str
        A text where the formula gives one, or where a figure is missing.
    """

    text: str
    value: float | str


@dataclass(frozen=True, slots=True)
class Term:
    """A part of a formula, and the cells that it needs."""

    text: str
    needs: tuple[str, ...]

    def times(self, *names: str) -> Term:
        """The term times cells."""
        return Term("*".join((self.text, *names)), self.needs + names)


def known(text: str, needs: Sequence[str], value: float) -> Formula:
    """A formula that shows a figure where every cell that it needs is a number, and that it is missing otherwise.

    Examples
    --------
    >>> known("A1*pue", ["A1", "pue"], 3.0).text
    '=IF(COUNT(A1,pue)=2,A1*pue,"missing")'
    """
    return Formula(f'=IF(COUNT({",".join(needs)})={len(needs)},{text},"{MISSING}")', shown(value))


def shown(value: float | None) -> float | str:
    """A figure as a cell shows it.

    >>> shown(float("nan")), shown(2)
    ('missing', 2.0)
    """
    return MISSING if value is None or value != value else float(value)


def cell(row: int, column: int, sheet: str = "", *, fixed: bool = True) -> str:
    """The address of a cell, counted from 0.

    >>> cell(2, 3), cell(0, 1, "Costs by host"), cell(4, 0, fixed=False)
    ('$D$3', "'Costs by host'!$B$1", 'A5')
    """
    address = xl_rowcol_to_cell(row, column, row_abs=fixed, col_abs=fixed)
    return f"{quote_sheetname(sheet)}!{address}" if sheet else address


def column_range(first: int, last: int, column: int, sheet: str = "") -> str:
    """The cells of a column from one row to another, counted from 0.

    >>> column_range(1, 3, 0)
    '$A$2:$A$4'
    """
    return f"{cell(first, column, sheet)}:{cell(last, column)}"
