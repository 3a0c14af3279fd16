"""A report as one HTML file without outside links."""

from __future__ import annotations

import html

import pandas as pd

from planner.imports import REPORTED
from planner.reports import Report
from planner.writers.headings import PROPOSALS, heading

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2b33}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;font-size:.85rem}
th,td{border-bottom:1px solid #d5dde1;padding:.3rem .6rem;text-align:left;vertical-align:top}
th{background:#eef3f5}td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
div{overflow-x:auto}
"""


def html_bytes(report: Report) -> bytes:
    """The report as UTF-8 HTML; every text from outside is escaped."""
    parts = [
        ("Summary", report.summary),
        ("Savings", report.savings),
        ("Today and plan", report.totals),
        ("Costs by host over the horizon", report.costs),
        *([("Licences", report.licences)] if len(report.licences) else []),
        ("Hosts", report.hosts),
        ("Placement", report.placement),
        *([] if report.failures is None else [("Failures, the worst case first", report.failures)]),
        *([] if report.moves is None else [("Moves", report.moves)]),
        ("Left out", report.left_out),
        ("Checker's verdict", report.verdict),
        ("Assumptions", report.assumptions),
        *([(PROPOSALS, report.proposals)] if len(report.proposals) else []),
        *((REPORTED[name], table) for name, table in report.imports.items()),
        ("Notes on what was read", report.notes),
    ]
    body = "".join(f"<h2>{html.escape(title)}</h2><div>{_table(frame)}</div>" for title, frame in parts)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Placement plan</title>'
        f"<style>{_STYLE}</style></head><body><h1>Placement plan</h1>{body}</body></html>"
    )
    return page.encode("utf-8")


def _table(frame: pd.DataFrame) -> str:
    head = "".join(f"<th>{html.escape(heading(str(name)))}</th>" for name in frame.columns)
    rows = "".join(
        "<tr>" + "".join(_cell(name, value) for name, value in zip(frame.columns, row, strict=True)) + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(name: str, value: object) -> str:
    if value is None or value is pd.NA or value != value:
        return "<td></td>"
    if isinstance(value, int | float) and not isinstance(value, bool):
        share = str(name).endswith(("_utilisation", "_busy", "_share", "confidence"))
        return (
            f'<td class="n">{value:.1%}</td>'
            if share
            else f'<td class="n">{value:,.6g}</td>'
            if abs(value) < 1e5
            else (f'<td class="n">{value:,.0f}</td>')
        )
    return f"<td>{html.escape(str(value))}</td>"
