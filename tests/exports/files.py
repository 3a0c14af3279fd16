"""Rows into the bytes of a workbook, a CSV file or a JSON document; the same rows make the same bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter

CREATED = datetime(2026, 1, 15, 9, 0, 0)
Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One sheet: headings in order, rows by heading; a heading that a row lacks is an empty cell there.

    `beyond` is the size that a workbook declares for the sheet, as (rows, columns), where that is more than it holds.
    """

    headings: Sequence[str]
    rows: Iterable[Row]
    beyond: tuple[int, int] = (0, 0)

    def cells(self) -> Iterable[list[object]]:
        for row in self.rows:
            yield [row.get(heading) for heading in self.headings]


def table(rows: Sequence[Row], **options) -> Table:
    """Rows that all have the same headings."""
    return Table(headings=list(rows[0]), rows=rows, **options)


def xlsx(sheets: Mapping[str, Table]) -> bytes:
    """A workbook, row by row in constant memory."""
    target = io.BytesIO()
    literal = {"strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False}
    options = literal | {"constant_memory": True, "default_date_format": "yyyy/mm/dd hh:mm:ss"}
    book = xlsxwriter.Workbook(target, options)
    book.set_properties({"created": CREATED})
    bold = book.add_format({"bold": True})
    for name, content in sheets.items():
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, content.headings, bold)
        number = 0
        for number, cells in enumerate(content.cells(), start=1):
            sheet.write_row(number, 0, cells)
        rows, columns = content.beyond
        if rows > number + 1:
            sheet.write_blank(rows - 1, columns - 1, None, bold)
    book.close()
    return target.getvalue()


def csv_text(content: Table, delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    """A CSV file as text, with the line ends of Windows."""
    target = io.StringIO()
    writer = csv.writer(target, delimiter=delimiter, quoting=quoting)
    writer.writerow(content.headings)
    writer.writerows(content.cells())
    return target.getvalue()


def json_bytes(document: object) -> bytes:
    """A JSON document as command line tools print it."""
    return json.dumps(document, indent=2, ensure_ascii=False).encode()
