"""A report as one HTML file without outside links or scripts: a page to sign, and the tables."""

from __future__ import annotations

import html
import math

import pandas as pd

from planner.colours import BLUE, GREY
from planner.imports import REPORTED
from planner.reports import Report
from planner.writers import svg
from planner.writers.decision import figures, headline, number, statements
from planner.writers.formulas import MISSING
from planner.writers.headings import PROPOSALS, heading
from planner.writers.utilisation import COLOURS, utilisation

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem;color:#1c2b33}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:1.5rem 0 .5rem}p.lead{font-size:1.1rem;margin:.2rem 0 1rem}
table{border-collapse:collapse;width:100%;font-size:.85rem}
th,td{border-bottom:1px solid #d5dde1;padding:.3rem .6rem;text-align:left;vertical-align:top}
th{background:#eef3f5}td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
details{margin:.4rem 0}details>div{overflow-x:auto}summary{cursor:pointer;font-weight:600}summary small{font-weight:400}
.figures{display:grid;grid-template-columns:repeat(3,1fr);gap:.7rem}
.figures div{border:1px solid #d5dde1;border-left:4px solid #0072B2;padding:.5rem .8rem}
.figures b{display:block;font-size:1.25rem}.figures small{color:#5b6670}
dl{display:grid;grid-template-columns:9rem 1fr;gap:.35rem 1rem;margin:1rem 0}dt{font-weight:600}dd{margin:0}
.alarm{color:#a32f00;font-weight:600}
svg{width:100%;height:auto;display:block;margin:1rem 0;font-family:inherit}
.sign td{height:2.4rem;border-bottom:1px solid #1c2b33}.sign th{background:none}
@page{size:A4;margin:14mm}
@media print{body{margin:0;max-width:none;padding:0;font-size:12px}h2{break-after:avoid}
svg{break-inside:avoid}.charts{break-before:page}
.figures,dl,.sign{break-inside:avoid}details:not([open]){display:none}.tables h2{break-before:page}
.tables:not(:has(details[open])){display:none}}
@media(max-width:40rem){.figures{grid-template-columns:1fr}dl{grid-template-columns:1fr}}
"""


_SAVINGS, _RANGES = "Savings", "Ranges over the horizon"
_TOTALS, _COSTS = "Today and plan", "Costs by host over the horizon"
_MONEY = (_SAVINGS, _RANGES, _TOTALS, _COSTS)
"""Tables in which a blank cell would be read as nothing to pay: a figure that is missing says so."""


def html_bytes(report: Report) -> bytes:
    """The report as UTF-8 HTML: a page to sign, and its tables folded below; every text from outside is escaped."""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Placement plan</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body>{_decision(report)}{_signatures()}{_charts(report)}"
        f'<section class="tables"><h2>Tables</h2>{"".join(_folded(*part) for part in _tables(report))}</section>'
        "</body></html>"
    )
    return page.encode("utf-8")


def _decision(report: Report) -> str:
    shown = "".join(
        f"<div>{html.escape(one.label)}<b>{html.escape(one.value)}</b><small>{html.escape(one.note)}</small></div>"
        for one in figures(report)
    )
    told = "".join(
        f'<dt>{html.escape(one.about)}</dt><dd class="{"alarm" if one.alarm else "fine"}">{html.escape(one.text)}</dd>'
        for one in statements(report)
    )
    return (
        f'<h1>Placement plan</h1><p class="lead">{html.escape(headline(report))}</p>'
        f'<div class="figures">{shown}</div><h2>What this rests on</h2><dl>{told}</dl>'
    )


def _charts(report: Report) -> str:
    items = report.savings[report.savings["item"] != "total"]
    estates = {"today": items["today_horizon"].tolist(), "plan": items["plan_horizon"].tolist()}
    title = f"Costs over {report.years:g} years ({report.problem.prices.currency})"
    costs = svg.bars(title, items["item"].tolist(), estates, (GREY, BLUE), number)
    used = utilisation(report.hosts)
    shares = {name: used.frame[name].tolist() for name in used.frame}
    labels = [str(label) for label in used.frame.index]
    show, most = ("{:,.0f}".format, _in_fours(used.frame)) if used.counted else ("{:.0%}".format, 1.0)
    full = "" if not used.frame.size else svg.columns(used.title, labels, shares, COLOURS, show, most)
    return f'<section class="charts"><h2>Charts</h2>{costs}{full}</section>'


def _in_fours(counts: pd.DataFrame) -> int:
    """The end of a scale whose quarters are whole numbers of hosts."""
    return math.ceil(counts.to_numpy().max(initial=0) / 4) * 4


def _signatures() -> str:
    rows = "".join(
        f"<tr><th>{who}</th><td></td><td></td><td></td></tr>" for who in ("Made by", "Checked by", "Approved by")
    )
    return (
        '<h2>Signatures</h2><table class="sign"><thead><tr><th></th><th>Name</th><th>Date</th><th>Signature</th></tr>'
        f"</thead><tbody>{rows}</tbody></table>"
    )


def _tables(report: Report) -> list[tuple[str, pd.DataFrame]]:
    return [
        ("Summary", report.summary_told),
        (_SAVINGS, report.savings),
        *([] if report.ranges is None else [(_RANGES, report.ranges)]),
        (_TOTALS, report.totals),
        (_COSTS, report.costs),
        *([("Old iron, kept or replaced by a share of a new host", report.iron)] if len(report.iron) else []),
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


def _folded(title: str, frame: pd.DataFrame) -> str:
    rows = "1 row" if len(frame) == 1 else f"{len(frame):,} rows"
    table = _table(frame, MISSING if title in _MONEY else "")
    return f"<details><summary>{html.escape(title)} <small>({rows})</small></summary><div>{table}</div></details>"


def _table(frame: pd.DataFrame, blank: str) -> str:
    head = "".join(f"<th>{html.escape(heading(str(name)))}</th>" for name in frame.columns)
    rows = "".join(
        "<tr>" + "".join(_cell(name, value, blank) for name, value in zip(frame.columns, row, strict=True)) + "</tr>"
        for row in frame.itertuples(index=False, name=None)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(name: str, value: object, blank: str) -> str:
    if value is None or value is pd.NA or value != value:
        return f'<td class="n">{blank}</td>' if blank else "<td></td>"
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
