"""A report as an Excel workbook: real tables, number formats, frozen headings, and savings that follow the prices."""

from __future__ import annotations

import io

import pandas as pd
import xlsxwriter

from planner import schema
from planner.imports import REPORTED
from planner.reports import APPRAISED, NPV, Report
from planner.units import counted
from planner.writers.formulas import Formula
from planner.writers.headings import EXPLANATIONS, PROPOSALS
from planner.writers.live import Live
from planner.writers.sheets import Sheets
from planner.writers.workbook_charts import write_charts


def xlsx_bytes(report: Report) -> bytes:
    """The report as the bytes of an .xlsx workbook."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": "Placement plan", "comments": "Every figure is explained on sheet Assumptions."})
        writer, live = Sheets(book), Live(report)
        title = f"{counted(len(report.plan.placement), 'workload')} on {counted(report.plan.hosts_used, 'host')}"
        writer.sheet("Summary", _summary(report, live), title=title)
        live.write_savings(writer)
        if report.ranges is not None:
            writer.sheet("Ranges", report.ranges, title="The horizon where prices are given as ranges")
        write_charts(writer, live)
        writer.sheet("Totals", live.totals())
        live.estates["plan"].write(writer, "Each host of the plan")
        live.estates["today"].write(writer, "Each host of today")
        if len(report.iron):
            writer.sheet(
                "Old iron", report.iron, title="Keeping each old host against a share of a new one, as planned"
            )
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


def _summary(report: Report, live: Live) -> pd.DataFrame:
    """The report's summary; what appraises the plan as an investment follows the prices."""
    frame = report.summary.copy()
    for item in APPRAISED:
        row, figure = frame["item"].tolist().index(item), live.appraised(item)
        frame.at[row, "value"] = figure
        if item != NPV:
            frame.at[row, "unit"] = Formula(f'=IF(ISNUMBER({figure.text[1:]}),"years","")', frame.at[row, "unit"])
    return frame
