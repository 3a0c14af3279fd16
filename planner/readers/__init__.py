"""Files into inventories: `read` sniffs the format, one module a format does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from planner import schema
from planner.errors import InputError, did_you_mean
from planner.inventory import Inventory
from planner.readers.columns import frame_from_sheet
from planner.readers.files import File, Source, opened
from planner.readers.formats import FORMATS, SHEETS, template, unknown
from planner.readers.gathering import gathered
from planner.readers.joining import inventory_of
from planner.readers.sandbox import OnRows, Workbook, load
from planner.readers.series_files import read_series
from planner.readers.tables import Tables, counted, note

__all__ = ["read", "read_series", "read_table"]


def read(
    source: Source | Sequence[Source],
    *,
    include: Sequence[str] = (),
    ghz_per_vcpu: float | None = None,
    on_rows: OnRows | None = None,
) -> Inventory:
    """Read an inventory from one file or several.

    Parameters
    ----------
    source : path, bytes, binary file object, or a list of these
        Exports of any known tool, our template, or one table: .xlsx, .csv or .json, a folder or a .zip of these. The
        tables of several files are joined.
    include : sequence of str
        Workloads to plan for after all, by the reason they are left out: "powered off", "template", "placeholder".
    ghz_per_vcpu : float, optional
        Clock behind CPU use that an export gives in percent; by default that of today's host.
    on_rows : callable, optional
        Called with file, sheet and rows so far as reading goes on.

    Returns
    -------
    Inventory
        Its `notes` tell everything that was converted, guessed, dropped or left out.

    Raises
    ------
    InputError
        A file that cannot be read or is in no known format, cells outside the schema, or no workload at all.
    """
    sources = list(source) if isinstance(source, list | tuple) else [source]
    if not sources:
        raise InputError("found no file to read, expected at least one")
    books, notes = [], []
    for one in sources:
        files, unread = opened(one)
        notes += [note("ignored", "not a file that is read", file=name) for name in unread]
        books += [load(file, SHEETS, on_rows=on_rows) for file in files]
    inventory = inventory_of(_parsed(gathered(books, FORMATS)), notes, ghz_per_vcpu=ghz_per_vcpu)
    return inventory.include(*include) if include else inventory


def read_table(source: Source, table: str) -> pd.DataFrame:
    """Read one table, as for ``--hosts FILE`` or ``--host-models FILE``.

    Parameters
    ----------
    source : path, bytes or binary file object
        A workbook with the sheet of that table, or with a single sheet, or a CSV file.
    table : {"workloads", "hosts", "host_models"}

    Returns
    -------
    DataFrame
        The table, passed by `schema.conform`; notes on its columns in ``attrs["notes"]``.

    Raises
    ------
    InputError
        A file that cannot be read, cells outside the schema, or no row at all.
    """
    if table not in template.SHEET_OF:
        raise InputError(f"found table {table!r}{did_you_mean(table, template.SHEET_OF)}")
    workbook = load(source, frozenset({template.SHEET_OF[table]}))
    sheet = template.sheet_of(workbook, table)
    frame, origin, notes = frame_from_sheet(sheet, table, workbook.file)
    checked = schema.conform(frame, table, origin)
    if checked.empty:
        raise InputError(f"{origin.where()}: found no row below the headings, expected at least one")
    checked.attrs["notes"] = notes
    return checked


def _parsed(books: list[Workbook]) -> list[Tables]:
    """Tables of all workbooks; one that no format knows is passed over beside others of its folder or archive."""
    known = [(book, next((format for format in FORMATS if format.recognises(book)), None)) for book in books]
    understood = {_parent(book) for book, format in known if format is not None} - {""}
    found = []
    for book, format in known:
        if format is not None:
            tables = format.parse(book)
            found.append(replace(tables, notes=[*tables.notes, *_unread_sheets(book, tables)]))
        elif _parent(book) in understood:
            said = [note("ignored", "in no format that is known, beside files that are", file=book.file)]
            found.append(Tables(file=book.file, format="", notes=said))
        else:
            found.append(unknown.parse(book))
    return found


def _unread_sheets(book: Workbook, tables: Tables) -> list[dict]:
    """One note on the sheets of an export that nothing reads."""
    names = [name for name in book.sheet_names if name not in tables.unread] if tables.unread else []
    message = f"{counted(len(names), 'sheet')} that nothing reads: {', '.join(names)}"
    return [note("ignored", message, file=book.file, count=len(names))] if names else []


def _parent(book: Workbook) -> str:
    return book.source.parent if isinstance(book.source, File) else ""
