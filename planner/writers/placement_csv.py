"""The placement as CSV: one row per workload, then one row per spare host with a blank workload.

Where the plan says where lost workloads restart, a column `case` follows, and a row for each restart.
"""

from __future__ import annotations

import csv
import io

import pandas as pd

from planner.plan import PLACEMENT_COLUMNS
from planner.reports import Report

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that make a spreadsheet program take a text for a formula (OWASP, CSV injection)."""


def csv_bytes(report: Report) -> bytes:
    """The plan as UTF-8 CSV with a byte order mark, as Excel wants it."""
    plan = report.plan
    columns = [*PLACEMENT_COLUMNS, *(["case"] if len(plan.restarts) else [])]
    rows = pd.concat([plan.placement, plan.spares, plan.restarts], ignore_index=True)[columns].fillna("")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([harmless(cell) for cell in row] for row in rows.itertuples(index=False))
    return text.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """The text with an apostrophe before it where it would be taken for a formula.

    >>> harmless("=1+1"), harmless("web-1"), harmless("'=quoted")
    ("'=1+1", 'web-1', "''=quoted")
    """
    return (
        "'" + text if text.startswith(RISKY) or (text.startswith("'") and text.lstrip("'").startswith(RISKY)) else text
    )


def original(text: str) -> str:
    """The text that `harmless` was given.

    >>> original("'=1+1"), original("web-1"), original("''=quoted")
    ('=1+1', 'web-1', "'=quoted")
    """
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(RISKY) else text
