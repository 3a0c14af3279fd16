"""Files of an export as pages of columns of known kinds: entered in the ledger, then written anew."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import xlsxwriter

from planner.anonymity.kinds import heading_row, is_numbering, is_series, kind_of, kind_within, tab_of
from planner.anonymity.ledger import Cell, Ledger
from planner.errors import InputError
from planner.readers.cells import headings_of
from planner.readers.columns import split_unit
from planner.readers.exports import as_text
from planner.readers.files import File
from planner.readers.sandbox import Sheet, Workbook, document, load

MOST_LETTERS = 32767
"""Longest text that a cell of a workbook holds."""

MOST_LEVELS = 200
"""Deepest document that is taken apart."""

_RECORD_KINDS = ("kind", "type")
"""Names under which records of documents tell what they are."""

_MADE = datetime(2000, 1, 1)
_OLDEST = datetime(1900, 3, 1)
"""Before this day spreadsheets do not count alike."""


@dataclass(frozen=True)
class Page:
    """One sheet, and what it holds.

    Parameters
    ----------
    name : str
        Sheet or tab of a tool, by which headings are understood.
    sheet : Sheet
    header : int
        Position of the row of headings.
    kinds : list of str
        Kind of each column.
    stranger : {"heading", "vm"}
        What a heading that no tool has names.
    """

    name: str
    sheet: Sheet
    header: int
    kinds: list[str]
    stranger: str = "heading"

    @classmethod
    def of(cls, sheet: Sheet, name: str) -> Page:
        """A sheet as a page; `name` tells what it holds, where it is a tab of another name."""
        header = heading_row(sheet.rows, name)
        headings = headings_of(sheet.rows[header]) if sheet.rows else []
        if is_series(headings):
            return cls(name, sheet, header, [kind_of(text, name) or "value" for text in headings], "vm")
        headings += [""] * (max(map(len, sheet.rows), default=0) - len(headings))
        return cls(name, sheet, header, [_column_kind(text, name) for text in headings])

    def enter(self, ledger: Ledger) -> None:
        """Enter every text of the page."""
        if self.sheet.name:
            ledger.enter("sheet", self.sheet.name)
        for row in self.sheet.rows[: self.header]:
            _enter_all(ledger, "text", row)
        for text in headings_of(self.sheet.rows[self.header]) if self.sheet.rows else []:
            if text and kind_of(text, self.name) is None:
                ledger.enter(self.stranger, text)
            elif text:
                ledger.headings.add(text)
        rows = self.sheet.rows[self.header + 1 :]
        for position, kind in enumerate(self.kinds):
            _enter_all(ledger, kind, (row[position] for row in rows if position < len(row)))
        if "count" in self.kinds and "vm" in self.kinds:
            name, count = self.kinds.index("vm"), self.kinds.index("count")
            for row in rows:
                number = as_text(row[count]) if len(row) > max(name, count) else ""
                if number.isdecimal() and int(number) > 1:
                    ledger.counts[as_text(row[name])] = int(number)

    def rows(self, ledger: Ledger) -> Iterator[tuple[int, list[Cell]]]:
        """Number and cells of every row, as they are to be written."""
        for position, (number, row) in enumerate(zip(self.sheet.row_numbers, self.sheet.rows, strict=True)):
            if position < self.header:
                yield number, [ledger.of("text", cell) for cell in row]
            elif position == self.header:
                yield number, [self._heading(ledger, cell) for cell in row]
            else:
                yield number, [ledger.of(kind, cell) for kind, cell in zip(self.kinds, row, strict=False)]

    def _heading(self, ledger: Ledger, cell: Cell) -> Cell:
        stays = cell is None or kind_of(as_text(cell), self.name) is not None
        return cell if stays else ledger.of(self.stranger, as_text(cell))


@dataclass(frozen=True)
class Book:
    """A workbook or a CSV file."""

    kind: str
    pages: list[Page]

    @classmethod
    def of(cls, workbook: Workbook, stem: str) -> Book:
        pages = [Page.of(sheet, sheet.name or tab_of(stem)) for sheet in workbook.sheets.values()]
        return cls(workbook.kind, pages)

    def enter(self, ledger: Ledger) -> None:
        for page in self.pages:
            page.enter(ledger)

    def written(self, ledger: Ledger) -> bytes:
        """The book with surrogates, as the bytes of a new file."""
        if self.kind == "csv":
            return csv_bytes(self.pages[0], ledger)
        return xlsx_bytes({str(ledger.of("sheet", page.sheet.name)): page.rows(ledger) for page in self.pages})


@dataclass(frozen=True)
class Tree:
    """A JSON document; the name of a value tells its kind, beside the names and kinds of the records that hold it."""

    root: object
    kind: str = "json"

    def enter(self, ledger: Ledger) -> None:
        self._mapped(self.root, lambda kind, cell: _enter_all(ledger, kind, [cell]), ledger.headings.add)

    def written(self, ledger: Ledger) -> bytes:
        """The document with surrogates, in UTF-8."""
        found = self._mapped(self.root, ledger.of)
        return json.dumps(found, ensure_ascii=False, indent=1).encode("utf-8")

    def _mapped(
        self, value: object, visit: Callable[[str, Cell], Cell], keep: Callable[[str], None] = lambda name: None
    ) -> object:
        """The document with what `visit` gives for each value and each name that no tool has; `keep` sees the others.

        A record's kind, or its type, counts for all that it holds.
        """

        def mapped(value: object, kind: str, name: str, record: str) -> object:
            if isinstance(value, list):
                return [mapped(inner, kind, name, record) for inner in value]
            if not isinstance(value, dict):
                return visit(kind, value)
            own = next((value[key] for key in _RECORD_KINDS if isinstance(value.get(key), str)), "")
            found = {}
            for key, inner in value.items():
                known = kind_within(key, (own, name, record))
                if known:
                    keep(as_text(key))
                renamed = key if known else visit("heading", key)
                inner_kind = known or ("numbering" if is_numbering(key) else "text")
                found[renamed] = mapped(inner, inner_kind, key, own or record)
            return found

        return mapped(value, "text", "", "")


def read(file: File) -> Book | Tree:
    """A file of an export, read in the child process that has limits.

    Raises
    ------
    InputError
        As for `planner.readers.sandbox.load`.
    """
    workbook = load(file, None)
    if workbook.kind != "json":
        return Book.of(workbook, file.stem)
    tree = document(file)
    if _depth(tree) > MOST_LEVELS:
        raise InputError(f"{file.label}: found a document of more than {MOST_LEVELS} levels, expected fewer")
    return Tree(tree)


def xlsx_bytes(sheets: dict[str, Iterator[tuple[int, list[Cell]]]]) -> bytes:
    """A workbook that holds these rows and nothing else."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"constant_memory": True}) as book:
        book.set_properties({"created": _MADE})
        date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for name, rows in sheets.items():
            page = book.add_worksheet(name)
            for number, row in rows:
                for column, cell in enumerate(row):
                    _write(page, number - 1, column, cell, date)
    return buffer.getvalue()


def csv_bytes(page: Page, ledger: Ledger) -> bytes:
    """A page as UTF-8 CSV, its rows where they stood."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=page.sheet.delimiter or ",", lineterminator="\r\n")
    line = 1
    for number, row in page.rows(ledger):
        writer.writerows([[]] * (number - line))
        writer.writerow(["" if cell is None else cell for cell in row])
        line = number + 1
    return text.getvalue().encode("utf-8")


def _write(page, row: int, column: int, cell: Cell, date) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        page.write_boolean(row, column, cell)
    elif isinstance(cell, int | float):
        if abs(cell) < float("inf"):
            page.write_number(row, column, cell)
        else:
            page.write_string(row, column, str(cell))
    elif (moment := _moment(cell)) is not None:
        page.write_datetime(row, column, moment, date)
    elif len(cell) > MOST_LETTERS:
        raise InputError(
            f"sheet {page.name}, row {row + 1}, column {column + 1}: found a list of names of {len(cell):,} letters "
            f"where a pattern stood, expected at most {MOST_LETTERS:,}, which is what a cell holds"
        )
    else:
        page.write_string(row, column, cell)


def _moment(text: str) -> datetime | None:
    """The date and time that a cell holds, as the reader spells those of spreadsheets."""
    if len(text) not in (19, 26) or text[10] != "T" or text[4] != "-":
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found >= _OLDEST else None


def _column_kind(heading: str, sheet: str) -> str:
    kind = kind_of(heading, sheet) if heading else None
    if kind is not None:
        return kind
    if split_unit(heading)[1]:
        return "value"
    return "numbering" if is_numbering(heading) else "text"


def _depth(value: object) -> int:
    """Levels of a document, counted level by level."""
    levels, inner = 0, [value]
    while inner:
        levels += 1
        held = (one.values() if isinstance(one, dict) else one for one in inner if isinstance(one, dict | list))
        inner = [one for values in held for one in values]
    return levels


def _enter_all(ledger: Ledger, kind: str, cells: Iterable[Cell]) -> None:
    """Enter every text of some cells, each once."""
    cells = list(cells)
    texts = dict.fromkeys(cell for cell in cells if cell.__class__ is str)
    others = (cell for cell in cells if cell is not None and cell.__class__ is not str)
    for text in dict.fromkeys(as_text(cell) for cell in (*texts, *(o for o in others if not ledger.stays(kind, o)))):
        if text:
            ledger.enter(kind, text)
