"""The blank template: a workbook to fill in, described by the schema it is read with."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from planner import schema
from planner.errors import InputError, did_you_mean
from planner.readers.formats.template import RULES, SHEET_OF
from planner.schema import Attribute

BLANK_ROWS = 200
WIDEST_COLUMN = 28
_ROW_LIMIT = 1_048_575
_CHOICES = {
    "state": list(dict.fromkeys(schema.STATES.values())),
    "flag": list(dict.fromkeys(schema.FLAGS.values())),
}
"""What a cell is chosen from, by the type of its column."""

INSTRUCTIONS = (
    "Fill in the sheet Workloads, one row each: Name, vCPUs and Memory are required, all others may stay blank.",
    "Sheet Hosts lists what you own; sheet Host models lists what you could buy. Both may stay blank.",
    "Sheet Rules says who must or must not share a host, and what runs where; it may stay blank.",
    "Columns may stand in any order and may be removed. Units are read from the heading: Memory (MiB) is converted.",
    "Further columns are kept. A column of the same name on Workloads and Hosts can be planned as a further resource.",
)
EXAMPLES = {
    "workloads": {
        "name": "shop-web-01",
        "vcpus": 4,
        "memory_gib": 16,
        "storage_gib": 120,
        "network_gbps": 0.5,
        "iops": 800,
        "cpu_ghz_used": 2.1,
        "memory_gib_used": 9.5,
        "cpu_ghz_p95": 3.4,
        "memory_reservation_gib": 4,
        "tier": "gold",
        "os": "Ubuntu Linux 24.04",
        "pool": "Berlin",
        "host": "esx01",
        "state": "on",
        "application": "shop",
        "keep_apart": "shop-web",
        "count": 1,
    },
    "hosts": {
        "name": "esx01",
        "model": "Two-socket rack server",
        "cores": 64,
        "memory_gib": 1024,
        "sockets": 2,
        "ghz": 2.4,
        "hyper_threading": "yes",
        "pool": "Berlin",
        "rack": "A1",
        "count": 1,
    },
    "host_models": {"name": "Two-socket rack server", "cores": 64, "memory_gib": 1024, "sockets": 2, "ghz": 2.4},
    "rules": {"kind": "KeepApart", "workloads": "sql-*", "within": "rack"},
}
"""One example row for each table, shown on the sheet Read me; columns that are absent stay blank."""


def write_template(path: str | os.PathLike, *, overwrite: bool = False) -> Path:
    """Write a blank template to fill in: a workbook (.xlsx), or the headings of one table of workloads (.csv).

    Parameters
    ----------
    path : path
        The suffix decides the format.
    overwrite : bool
        Whether a file that is there may be replaced.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        Another suffix, a file that is there already, or a folder that cannot be written to.
    """
    path = Path(path)
    write = _FORMATS.get(path.suffix.lower())
    if write is None:
        raise InputError(f"{path}: found suffix {path.suffix!r}{did_you_mean(path.suffix, _FORMATS)}")
    try:
        with path.open("wb" if overwrite else "xb") as stream:
            stream.write(write())
    except FileExistsError as error:
        raise InputError(f"{path}: found a file of that name, expected a new name") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be written, {error.strerror}") from error
    return path


def _csv() -> bytes:
    headings = [attribute.heading for attribute in schema.attributes("workloads").values()]
    return (",".join(headings) + "\n").encode("utf-8-sig")


def _xlsx() -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        styles = {
            "title": book.add_format({"bold": True, "font_size": 14}),
            "heading": book.add_format({"bold": True, "bottom": 1, "valign": "top"}),
            "wrapped": book.add_format({"text_wrap": True, "valign": "top"}),
            "number": book.add_format({"num_format": "#,##0.##"}),
            "integer": book.add_format({"num_format": "#,##0"}),
            "text": book.add_format({"num_format": "@"}),
        }
        _write_read_me(book.add_worksheet("Read me"), styles)
        for table, name in (SHEET_OF | {"rules": RULES}).items():
            _write_table(book.add_worksheet(name), table, styles)
        book.get_worksheet_by_name(SHEET_OF["workloads"]).activate()
    return stream.getvalue()


_FORMATS: dict[str, Callable[[], bytes]] = {".xlsx": _xlsx, ".csv": _csv}


def _write_read_me(sheet: Worksheet, styles: dict[str, Format]) -> None:
    sheet.write_string(0, 0, "How to fill in this workbook", styles["title"])
    for row, sentence in enumerate(INSTRUCTIONS, 1):
        sheet.write_string(row, 0, sentence)
    top = len(INSTRUCTIONS) + 2
    widths = {"Sheet": 14, "Column": 24, "Unit": 10, "Required": 10, "If blank": 10, "Example": 24, "Description": 90}
    for column, (heading, width) in enumerate(widths.items()):
        sheet.set_column(column, column, width)
        sheet.write_string(top, column, heading, styles["heading"])
    row = top
    for table, name in (SHEET_OF | {"rules": RULES}).items():
        for attribute in schema.attributes(table).values():
            row += 1
            required = "yes" if attribute.required else ""
            example = EXAMPLES[table].get(attribute.name, "")
            cells = (
                name,
                attribute.heading,
                attribute.unit,
                required,
                attribute.default,
                example,
                attribute.description,
            )
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell, styles["wrapped"])


def _write_table(sheet: Worksheet, table: str, styles: dict[str, Format]) -> None:
    """One blank Excel table: a heading with a comment, a number format and a validation for each column."""
    columns = schema.attributes(table).values()
    sheet.add_table(
        0,
        0,
        BLANK_ROWS,
        len(columns) - 1,
        {"name": table.title().replace("_", ""), "columns": [{"header": attribute.heading} for attribute in columns]},
    )
    sheet.freeze_panes(1, 1)
    for position, attribute in enumerate(columns):
        width = min(max(len(attribute.heading) + 4, 12), WIDEST_COLUMN)
        style = styles[attribute.type if attribute.is_number else "text"]
        sheet.set_column(position, position, width, style)
        sheet.write_comment(0, position, f"{attribute.description} {_requirement(attribute)}", {"x_scale": 2})
        rule = _validation(attribute)
        if rule:
            sheet.data_validation(1, position, _ROW_LIMIT, position, rule)


def _requirement(attribute: Attribute) -> str:
    if attribute.required:
        return "Required."
    return f"Blank means {attribute.default}." if attribute.default else "May stay blank."


def _validation(attribute: Attribute) -> dict | None:
    """Excel's rule for a column: numbers within the schema's limits, states and flags from a list, any other text."""
    expected = f"Expected {attribute.expected}."
    shown = {
        "input_title": attribute.heading[:32],
        "input_message": attribute.description[:255],
        "error_message": expected,
    }
    if attribute.type in _CHOICES:
        return {"validate": "list", "source": _CHOICES[attribute.type], **shown}
    if not attribute.is_number:
        return None
    kind = "integer" if attribute.type == "integer" else "decimal"
    limits = {"criteria": "between", "minimum": attribute.minimum, "maximum": attribute.maximum}
    return {"validate": kind, **limits, **shown}
