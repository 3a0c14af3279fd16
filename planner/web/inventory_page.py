"""What was read, what was left out, and everything that reading did."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from planner import rules, schema
from planner.imports import REPORTED
from planner.web import frame
from planner.web.source import Chosen
from planner.writers.headings import heading

SHOWN = ("files", "totals", "rows", "suspicious")
"""Tables of the import report that stand beside the notes."""


def show(chosen: Chosen) -> None:
    """How much was read, and the tables behind it in a box that opens."""
    inventory = chosen.inventory
    counts = [
        (inventory.workloads["count"].sum(), "workloads"),
        (inventory.hosts["count"].sum(), "hosts"),
        (len(inventory.host_models), "host models"),
        (len(inventory.rules), "placement rules"),
        (len(inventory.proposals), "proposed rules"),
        (inventory.left_out["count"].sum(), "left out"),
        (len(inventory.notes), "notes"),
    ]
    words = " · ".join(
        f"**{number:,.0f}** {label.removesuffix('s') if number == 1 else label}" for number, label in counts if number
    )
    report = inventory.import_report()
    tables = [
        *((REPORTED[name], _headed(report[name])) for name in SHOWN if name in report),
        ("Workloads", table("workloads", inventory.workloads)),
        ("Hosts", table("hosts", inventory.hosts)),
        ("Host models", table("host_models", inventory.host_models)),
        ("Rules", rules.to_frame(inventory.rules)),
        ("Left out", table("workloads", inventory.left_out)),
        ("Notes", inventory.notes),
    ]
    filled = [(label, rows) for label, rows in tables if len(rows)]
    with st.expander(f"Read: {words}"):
        st.caption(frame.as_text(f"From {chosen.label}; {', '.join(inventory.sources)}"))
        for tab, (label, rows) in zip(st.tabs([label for label, _ in filled], key="read_tabs"), filled, strict=True):
            tab.dataframe(rows, hide_index=True, key=f"read_{label}")


def _headed(rows: pd.DataFrame) -> pd.DataFrame:
    """A table of the import report with headings that people read, and shares as percent."""
    shown = rows.assign(confidence=rows["confidence"].map("{:.1%}".format)) if "confidence" in rows else rows
    return shown.round(2).rename(columns={column: heading(str(column)) for column in rows})


def table(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table that hold anything, with readable headings; a reason comes second."""
    attributes = schema.attributes(name)
    shown = [column for column in rows if column == "reason" or (column in attributes and _holds(rows[column]))]
    if "reason" in shown:
        shown.insert(1, shown.pop(shown.index("reason")))
    return (
        rows[shown]
        .round(2)
        .rename(columns={column: attributes[column].heading for column in shown if column in attributes})
    )


def _holds(column: pd.Series) -> bool:
    blank = schema.is_blank(column) | (column == 0 if column.dtype.kind in "fiu" else False)
    return not bool(blank.all())
