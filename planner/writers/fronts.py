"""A front of plans as a file: the table, and where every workload is in each plan."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pandas as pd
import xlsxwriter

from planner.fronts import CRITERIA, Front
from planner.units import counted
from planner.writers import put, require_writable
from planner.writers.headings import heading
from planner.writers.json import records, versions

FORMATS = ("xlsx", "csv", "json")


def front_bytes(front: Front, format: str) -> bytes:
    """A front as the bytes of a file.

    Parameters
    ----------
    front : Front
    format : {"xlsx", "csv", "json"}
        A workbook with a sheet for each plan, the table alone, or a document with the placement of each plan.
    """
    if format == "csv":
        return front.table.to_csv(index=False).encode("utf-8")
    if format == "json":
        document = {
            "objectives": list(front.objectives),
            "bounds": front.bounds,
            "units": front.units,
            "missing": front.missing,
            "without": {name: list(items) for name, items in front.without.items()},
            "front": records(front.table),
            "placements": {name: records(plan.placement) for name, plan in front.plans.items()},
            "versions": versions(),
        }
        return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        _sheet(book, "Front", named(front, front.table))
        for name, plan in front.plans.items():
            _sheet(book, name.capitalize(), plan.placement)
    return buffer.getvalue()


def below(front: Front, name: str) -> str:
    """What no plan has of an objective, by its proven bound: fewer than 4 hosts, less than 1,200 EUR."""
    bound, unit = front.bounds[name], front.units[CRITERIA[name]]
    if name in ("hosts", "moves"):
        return f"fewer than {counted(bound, name.removesuffix('s'))}"
    return f"less than {bound:,.0f} {unit}"


def named(front: Front, table: pd.DataFrame) -> pd.DataFrame:
    """Columns of its table with the currency in the name of the cost."""
    return table.rename(columns={"cost": f"cost ({front.units['cost']})"} if "cost" in front.units else {})


def _sheet(book: xlsxwriter.Workbook, name: str, frame: pd.DataFrame) -> None:
    page = book.add_worksheet(name)
    amount = book.add_format({"num_format": "#,##0.00"})
    formats = [{"format": amount} if kind.kind == "f" else {} for kind in frame.dtypes]
    headings = [heading(str(column)) for column in frame.columns]
    rows = [["" if pd.isna(cell) else cell for cell in row] for row in frame.itertuples(index=False, name=None)]
    page.add_table(
        0,
        0,
        max(len(rows), 1),
        len(headings) - 1,
        {
            "name": name.replace(" ", "_"),
            "columns": [{"header": one} | look for one, look in zip(headings, formats, strict=True)],
            "data": rows,
        },
    )
    page.freeze_panes(1, 1)
    page.autofit()


def write_front(front: Front, path: str | os.PathLike) -> Path:
    """Write a front in the format of the path's suffix: .xlsx, .csv or .json; a file that is there is replaced.

    Raises
    ------
    InputError
        Another suffix, or a folder that does not exist or cannot be written to.
    """
    path = require_writable(path, FORMATS)
    return put(path, front_bytes(front, path.suffix.lower().removeprefix(".")))
