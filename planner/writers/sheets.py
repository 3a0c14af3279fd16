"""Tables as sheets of one workbook, with the same look; only what is a `Formula` becomes one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import pandas as pd
import xlsxwriter

from planner.reports import AT_ONCE, DISCOUNTED, PAYBACK
from planner.writers.formulas import MISSING, Formula
from planner.writers.headings import heading

_WIDEST = 60
"""Characters of the widest column; longer texts wrap."""
LINE_POINTS = 15
"""Height of a row with one line of text."""
_A4 = 9
"""Paper size by the number that workbooks have for it."""
_COLOUR = "#0b6e8f"
_MONEY = "#,##0.00"
_PAYBACK = f'[=0]"{AT_ONCE}";{_MONEY}'
"""Years of a payback; 0 says what it means, and is a number all the same."""
_WRAPPED = ("assumption", "assumption_as_planned", "message", "source", "sentence", "argument", "what", "why_off")
_FROZEN = ("Placement", "Hosts", "Savings", "Totals", "Costs by host", "Hosts today")
"""Sheets whose first column stays in sight."""


class Sheets:
    """Writes tables as sheets of one workbook with the same look."""

    def __init__(self, book: xlsxwriter.Workbook):
        self.book = book
        self.formats = {
            "title": book.add_format({"bold": True, "font_size": 14, "font_color": _COLOUR}),
            "head": book.add_format(
                {"bold": True, "font_color": "white", "bg_color": _COLOUR, "valign": "vcenter", "text_wrap": True}
            ),
            "share": book.add_format({"num_format": "0.0%", "valign": "top"}),
            "whole": book.add_format({"num_format": "#,##0", "valign": "top"}),
            "number": book.add_format({"num_format": _MONEY, "valign": "top"}),
            "live": book.add_format({"num_format": _MONEY, "align": "right", "valign": "top"}),
            "sum": book.add_format({"num_format": _MONEY, "align": "right", "valign": "top", "bold": True}),
            "payback": book.add_format({"num_format": _PAYBACK, "align": "right", "valign": "top"}),
            "label": book.add_format({"bold": True, "valign": "top"}),
            "general": book.add_format({"valign": "top"}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top", "indent": 1}),
            "missing": book.add_format({"italic": True, "font_color": "#8A8F98"}),
            "told": book.add_format({"font_color": "#5b6670", "indent": 1}),
            "quiet": book.add_format({"font_color": "#5b6670"}),
            "plain": book.add_format({"num_format": "0.######", "align": "right"}),
            "input": book.add_format(
                {
                    "num_format": "0.######",
                    "align": "right",
                    "font_color": "#0000FF",
                    "bg_color": "#FFF7CC",
                    "border": 1,
                }
            ),
        }

    def sheet(
        self,
        name: str,
        frame: pd.DataFrame,
        *,
        title: str | Formula = "",
        headed: bool = False,
        sums: Sequence[object] = (),
        top: int | None = None,
    ):
        """Write a table and return its sheet.

        Parameters
        ----------
        name : str
        frame : DataFrame
            Cells may be a `Formula`.
        title : str or Formula
        headed : bool
            Where its columns are headings for people already.
        sums : sequence
            A row above the headings, a cell for each column.
        top : int, optional
            Row of the headings, counted from 0.
        """
        page = self.book.add_worksheet(name)
        top = first_row(bool(title), bool(sums)) - 1 if top is None else top
        if title:
            self.cell(page, 0, 0, title, self.formats["title"])
        for at, value in enumerate(sums):
            self.cell(page, top - 1, at, value, self.formats["label" if isinstance(value, str) else "sum"])
        headings = distinct(str(column) if headed else heading(str(column)) for column in frame.columns)
        columns = [
            {"header": text, "header_format": self.formats["head"], "format": self._format(name, frame, at)}
            for at, text in enumerate(headings)
        ]
        bottom, right = top + max(len(frame), 1), max(len(headings) - 1, 0)
        options = {"name": name.replace(" ", "_"), "columns": columns, "style": "Table Style Light 9"}
        page.add_table(top, 0, bottom, right, options)
        for at, text in enumerate(headings):
            total = sums[at] if sums else None
            self._column(page, top + 1, at, frame, name, columns[at]["format"], (text, total))
        if any(column["format"] is self.formats["live"] for column in columns):
            rule = {"type": "cell", "criteria": "==", "value": f'"{MISSING}"', "format": self.formats["missing"]}
            page.conditional_format(max(top - 1, 0), 0, bottom, right, rule)
        self._wrap(page, frame, top, [at for at, one in enumerate(columns) if one["format"] is self.formats["wrap"]])
        page.freeze_panes(top + 1, 1 if name in _FROZEN else 0)
        page.set_paper(_A4)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.repeat_rows(top)
        return page

    def _column(self, page, first: int, at: int, frame: pd.DataFrame, name: str, kept, above: tuple) -> None:
        """The cells of a column, and its width: of what stands `above` them too, its heading and its sum."""
        text, total = above
        values = frame.iloc[:, at].tolist()
        for row, value in enumerate(values):
            self.cell(page, first + row, at, value, self._of_cell(name, frame, row, at, value, kept))
        widths = [len(text) + 3, len(_shown(total)) + 2, *(len(_shown(value)) + 1 for value in values[:500])]
        page.set_column(at, at, min(max(widths), _WIDEST))

    def _wrap(self, page, frame: pd.DataFrame, top: int, wrapped: list[int]) -> None:
        """Rows as high as their longest text needs."""
        for row in range(min(len(frame), 5000)) if wrapped else ():
            lines = max(math.ceil(len(_shown(frame.iloc[row, at])) / _WIDEST) for at in wrapped)
            if lines > 1:
                page.set_row(top + 1 + row, LINE_POINTS * lines)

    def _format(self, name: str, frame: pd.DataFrame, at: int):
        column = str(frame.columns[at])
        if column.endswith(("_utilisation", "_busy", "_share", "confidence")):
            return self.formats["share"]
        if column in _WRAPPED or (name == "Assumptions" and column == "value"):
            return self.formats["wrap"]
        if frame.dtypes.iloc[at].kind in "fiu":
            values = frame.iloc[:, at].dropna()
            return self.formats["whole" if (values % 1 == 0).all() else "number"]
        if column != "metric" and name != "Summary" and any(isinstance(value, Formula) for value in frame.iloc[:, at]):
            return self.formats["live"]
        return self.formats["general"]

    def _of_cell(self, name: str, frame: pd.DataFrame, row: int, at: int, value: object, kept):
        if name == "Savings" and row == len(frame) - 1 and kept is not self.formats["wrap"]:
            return self.formats["label" if isinstance(value, str) else "sum"]
        if kept is self.formats["live"] and isinstance(value, int | float) and value % 1 == 0:
            return self.formats["whole"]
        if name == "Summary" and frame.columns[at] == "value":
            if frame.iloc[row]["item"] in (PAYBACK, DISCOUNTED):
                return self.formats["payback"]
            if frame.iloc[row]["unit"] == "share":
                return self.formats["share"]
            value = value.value if isinstance(value, Formula) else value
            if isinstance(value, float) and value % 1:
                return self.formats["number"]
            return self.formats["whole"] if isinstance(value, int | float) else kept
        return kept

    def cell(self, page, row: int, column: int, value: object, look) -> None:
        """Write one cell; only a `Formula` becomes a formula, whatever a text looks like."""
        if isinstance(value, Formula):
            page.write_formula(row, column, value.text, look, value.value)
        elif value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
            page.write_blank(row, column, None, look)
        elif isinstance(value, bool):
            page.write_string(row, column, "yes" if value else "no", look)
        elif isinstance(value, int | float):
            page.write_number(row, column, value, look)
        else:
            page.write_string(row, column, str(value)[:32767], look)


def first_row(titled: bool, summed: bool) -> int:
    """The row of a table's first figures, counted from 0, below a title and a row of sums.

    >>> first_row(False, False), first_row(True, False), first_row(True, True)
    (1, 3, 4)
    """
    return 1 + 2 * titled + summed


def distinct(headings: Iterable[str]) -> list[str]:
    """Headings of which no two are the same to Excel, which does not tell case.

    >>> distinct(["Total", "Agent", "agent"])
    ['Total', 'Agent', 'agent (2)']
    """
    found: list[str] = []
    times: Counter[str] = Counter()
    for text in headings:
        times[text.casefold()] += 1
        found.append(text if times[text.casefold()] == 1 else f"{text} ({times[text.casefold()]})")
    return found


def _shown(value: object) -> str:
    value = value.value if isinstance(value, Formula) else value
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:,.2f}"
    return str(value)
