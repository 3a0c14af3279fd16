"""Workbooks whose bytes depend on their content alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from planner import schema

CREATED = datetime(2026, 1, 15, 9, 0, 0)
"""Moment that every sample says it was made at; a real clock would change the bytes with each run."""

TEMPLATE_SHEETS = {"Workloads": "workloads", "Hosts": "hosts", "Host models": "host_models"}
WIDEST_COLUMN = 34


@contextmanager
def workbook(path: Path) -> Iterator[xlsxwriter.Workbook]:
    """A new workbook at `path` that is saved when the block ends."""
    literal = {"strings_to_urls": False, "strings_to_formulas": False}
    book = xlsxwriter.Workbook(path, literal | {"default_date_format": "yyyy/mm/dd hh:mm:ss"})
    book.set_properties({"title": path.stem, "comments": "Synthetic sample", "created": CREATED})
    yield book
    book.close()


def write_template(path: Path, tables: dict[str, list[dict]]) -> None:
    """Rows by table of the schema, as a workbook in the planner's own template.

    Parameters
    ----------
    path : Path
    tables : dict
        Name of the table to its rows, each a dictionary by attribute; one that is missing has headings only.
    """
    with workbook(path) as book:
        for title, name in TEMPLATE_SHEETS.items():
            columns = schema.attributes(name).values()
            rows = [[row.get(attribute.name) for attribute in columns] for row in tables.get(name, [])]
            headings = [attribute.heading for attribute in columns]
            sheet = book.add_worksheet(title)
            sheet.add_table(
                0,
                0,
                max(len(rows), 1),
                len(headings) - 1,
                {
                    "name": title.replace(" ", ""),
                    "columns": [{"header": heading} for heading in headings],
                    "data": rows,
                    "style": "Table Style Light 9",
                },
            )
            sheet.freeze_panes(1, 1)
            _fit_columns(sheet, headings, rows)


def write_sheet(book: xlsxwriter.Workbook, title: str, rows: list[dict], trailing_blanks: int = 0) -> None:
    """Rows as a sheet with a heading row, the way exports have them: text stays text, None is an empty cell.

    Parameters
    ----------
    book : Workbook
    title : str
        Name of the sheet.
    rows : list of dict
        Heading to value, all with the same headings.
    trailing_blanks : int
        Empty cells that the heading row has behind its last heading.
    """
    sheet = book.add_worksheet(title)
    bold = book.add_format({"bold": True})
    headings = list(rows[0])
    sheet.write_row(0, 0, headings, bold)
    for column in range(len(headings), len(headings) + trailing_blanks):
        sheet.write_blank(0, column, None, bold)
    for number, row in enumerate(rows, start=1):
        sheet.write_row(number, 0, row.values())
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows), len(headings) - 1)


def _fit_columns(sheet: Worksheet, headings: list[str], rows: list[list]) -> None:
    for column, heading in enumerate(headings):
        longest = max([len(heading) + 3, *(len(str(row[column] or "")) + 1 for row in rows)])
        sheet.set_column(column, column, min(longest, WIDEST_COLUMN))
