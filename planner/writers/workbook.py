"""A report as an Excel workbook: real tables, number formats, frozen headings, nothing that could become a formula."""

from __future__ import annotations

import io
import math

import pandas as pd
import xlsxwriter

from planner import schema
from planner.imports import REPORTED
from planner.reports import Report
from planner.writers.headings import EXPLANATIONS, PROPOSALS, heading

_WIDEST = 60
"""Characters of the widest column; longer texts wrap."""
_LINE_POINTS = 15
_COLOUR = "#0b6e8f"


def xlsx_bytes(report: Report) -> bytes:
    """The report as the bytes of an .xlsx workbook."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": "Placement plan", "comments": "Every figure is explained on sheet Assumptions."})
        writer = _Writer(book)
        title = f"{report.plan.hosts_used:,} hosts carry {len(report.plan.placement):,} workloads"
        writer.sheet("Summary", report.summary, title=title)
        writer.sheet("Savings", report.savings, title="Today against the plan, per year and over the horizon")
        writer.sheet("Totals", report.totals)
        writer.sheet("Costs by host", report.costs, title=f"Each host of the plan over {report.years:g} years")
        if len(report.licences):
            writer.sheet("Licences", report.licences)
        writer.sheet("Hosts", report.hosts)
        writer.sheet("Placement", report.placement)
        if report.failures is not None:
            writer.sheet("Failures", report.failures, title="What is left when hosts are lost, the worst case first")
            writer.sheet("Restarts", report.plan.restarts)
        if report.moves is not None:
            writer.sheet("Moves", report.moves)
        for name, table in report.explanations.items():
            writer.sheet(EXPLANATIONS[name], table)
        writer.sheet("Left out", report.left_out)
        writer.sheet("Assumptions", report.assumptions)
        if len(report.proposals):
            writer.sheet(PROPOSALS, report.proposals)
        labels = {a.name: a.heading for a in schema.attributes("host_models").values()}
        writer.sheet("Host models", report.problem.host_models.rename(columns=labels), headed=True)
        writer.sheet("Verdict", report.verdict)
        for name, table in report.imports.items():
            writer.sheet(REPORTED[name], table)
        writer.sheet("Notes", report.notes)
    return buffer.getvalue()


class _Writer:
    """Writes tables as sheets of one workbook with the same look."""

    def __init__(self, book: xlsxwriter.Workbook):
        self.book = book
        self.formats = {
            "title": book.add_format({"bold": True, "font_size": 14, "font_color": _COLOUR}),
            "head": book.add_format({"bold": True, "font_color": "white", "bg_color": _COLOUR, "valign": "vcenter"}),
            "share": book.add_format({"num_format": "0.0%"}),
            "whole": book.add_format({"num_format": "#,##0"}),
            "number": book.add_format({"num_format": "#,##0.00"}),
            "general": book.add_format({}),
            "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        }

    def sheet(self, name: str, frame: pd.DataFrame, *, title: str = "", headed: bool = False) -> None:
        """Write a table; `headed` where its columns are headings for people already."""
        page = self.book.add_worksheet(name)
        top = 2 if title else 0
        if title:
            page.write_string(0, 0, title, self.formats["title"])
        headings = [str(column) if headed else heading(str(column)) for column in frame.columns]
        columns = [
            {"header": text, "header_format": self.formats["head"], "format": self._format(name, frame, at)}
            for at, text in enumerate(headings)
        ]
        bottom = top + max(len(frame), 1)
        page.add_table(
            top,
            0,
            bottom,
            max(len(headings) - 1, 0),
            {"name": name.replace(" ", "_"), "columns": columns, "style": "Table Style Light 9"},
        )
        for at, column in enumerate(frame.columns):
            kept = columns[at]["format"]
            for row, value in enumerate(frame[column].tolist(), start=top + 1):
                self._cell(page, row, at, value, self._of_cell(name, frame, row - top - 1, at, kept))
            shown = [len(headings[at]) + 3, *(len(_shown(value)) + 1 for value in frame[column].head(500))]
            page.set_column(at, at, min(max(shown), _WIDEST))
        wrapped = [at for at, column in enumerate(columns) if column["format"] is self.formats["wrap"]]
        for row in range(min(len(frame), 5000)) if wrapped else ():
            lines = max(math.ceil(len(_shown(frame.iloc[row, at])) / _WIDEST) for at in wrapped)
            if lines > 1:
                page.set_row(top + 1 + row, _LINE_POINTS * lines)
        page.freeze_panes(top + 1, 1 if name in ("Placement", "Hosts", "Savings", "Totals") else 0)
        page.set_landscape()
        page.fit_to_pages(1, 0)
        page.repeat_rows(top)

    def _format(self, name: str, frame: pd.DataFrame, at: int):
        column = str(frame.columns[at])
        if column.endswith(("_utilisation", "_busy", "_share", "confidence")):
            return self.formats["share"]
        if column in ("assumption", "message", "source", "sentence", "argument", "what", "why_off") or (
            name == "Assumptions" and column == "value"
        ):
            return self.formats["wrap"]
        if frame.dtypes.iloc[at].kind in "fiu":
            values = frame.iloc[:, at].dropna()
            return self.formats["whole" if (values % 1 == 0).all() else "number"]
        return self.formats["general"]

    def _of_cell(self, name: str, frame: pd.DataFrame, row: int, at: int, kept):
        if name == "Summary" and frame.columns[at] == "value":
            value, unit = frame.iloc[row, at], frame.iloc[row]["unit"]
            if unit == "share":
                return self.formats["share"]
            if isinstance(value, float) and value % 1:
                return self.formats["number"]
            return self.formats["whole"] if isinstance(value, int | float) else kept
        return kept

    def _cell(self, page, row: int, column: int, value: object, look) -> None:
        if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
            page.write_blank(row, column, None, look)
        elif isinstance(value, bool):
            page.write_string(row, column, "yes" if value else "no", look)
        elif isinstance(value, int | float):
            page.write_number(row, column, value, look)
        else:
            page.write_string(row, column, str(value)[:32767], look)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:,.2f}"
    return str(value)
