"""Files into inventories: `read` sniffs the format, one module a format does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pandas as pd

from planner import schema
from planner.errors import InputError, UnknownColumns, did_you_mean
from planner.inventory import Inventory
from planner.readers import mapping as mapping_reader
from planner.readers.columns import frame_from_sheet
from planner.readers.files import File, Source, opened
from planner.readers.formats import FORMATS, SHEETS, template
from planner.readers.gathering import gathered
from planner.readers.joining import inventory_of
from planner.readers.mapping import Mapping, Suggestion, locating, memory
from planner.readers.mapping.sockets import with_cores_multiplied
from planner.readers.sandbox import OnRows, Workbook, load
from planner.readers.series_files import read_series
from planner.readers.strays import require_storage
from planner.readers.tables import Tables, note, remarks_of
from planner.units import counted

__all__ = ["forget", "read", "read_series", "read_table", "remember", "suggestions"]


def read(
    source: Source | Sequence[Source],
    *,
    include: Sequence[str] = (),
    ghz_per_vcpu: float | None = None,
    mapping: Mapping | str | Path | None = None,
    remembered: bool = True,
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
    mapping : Mapping or path of a TOML file, optional
        What the columns of sheets of no known tool mean, see `planner.readers.mapping`.
    remembered : bool
        Whether a mapping that somebody confirmed for the same headings is used; a note says so.
    on_rows : callable, optional
        Called with file, sheet and rows so far as reading goes on.

    Returns
    -------
    Inventory
        Its `notes` tell everything that was converted, guessed, dropped or left out.

    Raises
    ------
    InputError
        A file that cannot be read, or whose columns nobody can tell; cells outside the schema, or no workload at all.
    """
    told = mapping if mapping is None or isinstance(mapping, Mapping) else Mapping.read(mapping)
    books, notes = loaded(source, on_rows=on_rows)
    try:
        inventory = inventory_of(_parsed(books, told, remembered), notes, ghz_per_vcpu=ghz_per_vcpu)
    except UnknownColumns as error:
        raise InputError(f"{error}; {mapping_reader.how(error.file)}") from error
    return inventory.include(*include) if include else inventory


def loaded(source: Source | Sequence[Source], *, on_rows: OnRows | None = None) -> tuple[list[Workbook], list[dict]]:
    """The workbooks of one file or several, those that belong together joined; and notes on what nobody reads."""
    sources = list(source) if isinstance(source, list | tuple) else [source]
    if not sources:
        raise InputError("found no file to read, expected at least one")
    books, notes = [], []
    for one in sources:
        files, unread = opened(one)
        notes += [note("ignored", "not a file that is read", file=name) for name in unread]
        books += [load(file, SHEETS, on_rows=on_rows) for file in files]
    return _prepared(books), notes


def suggestions(
    source: Source | Sequence[Source], mapping: Mapping | str | Path | None = None, *, remembered: bool = True
) -> list[Suggestion]:
    """What the columns of files mean: as a mapping says, else as it is remembered, else as it is guessed.

    Parameters
    ----------
    source, mapping, remembered
        As for `read`.

    Returns
    -------
    list of Suggestion
        One for each table; that of a file which cannot be read yet is the best there is. None for files of a known
        tool that have its columns, unless a mapping tells of them.
    """
    told = mapping if mapping is None or isinstance(mapping, Mapping) else Mapping.read(mapping)
    books = [book for book in loaded(source)[0] if told is not None or _lacks_columns(book)]
    return mapping_reader.suggestions_of(books, told, remembered=remembered)


def remember(source: Source | Sequence[Source], mapping: Mapping | str | Path) -> int:
    """Keep what a mapping says of these files, for the same headings next time; returns how many tables.

    Raises
    ------
    InputError
        None of its tables stands in the files, one lacks a column that it cannot be read without, or nothing can be
        kept.
    """
    told = mapping if isinstance(mapping, Mapping) else Mapping.read(mapping)
    books = [mapping_reader.whole(book) for book in loaded(source)[0]]
    given = [(book, found) for book in books for found in locating.located(book, told)]
    if not given:
        raise locating.refuse(books[0], told)
    for book, found in given:
        mapping_reader.require_complete(book, found)
    return len(memory.remember(found.mapped for _, found in given))


def forget(source: Source | Sequence[Source]) -> int:
    """Forget every mapping that is remembered for headings of these files; returns how many there were."""
    return memory.forget(key for book in loaded(source)[0] for key in locating.fingerprints(mapping_reader.whole(book)))


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
    sheet = with_cores_multiplied(template.sheet_of(workbook, table))
    frame, origin, notes = frame_from_sheet(sheet, table, workbook.file)
    checked = schema.conform(frame, table, origin)
    if checked.empty:
        raise InputError(f"{origin.where()}: found no row below the headings, expected at least one")
    checked.attrs["notes"] = [*remarks_of(sheet, workbook.file), *notes]
    return checked


def _parsed(books: list[Workbook], told: Mapping | None, remembered: bool) -> list[Tables]:
    """Tables of all workbooks, each as a mapping tells or as it is remembered, else as its format, else guessed.

    One that no format knows is passed over beside others of its folder or archive.
    """
    known = [(book, _format_of(book)) for book in books]
    known = [(mapping_reader.whole(book) if format is None else book, format) for book, format in known]
    # A mapping is made of whole workbooks; an export that has all its columns is loaded in part.
    given = [
        [] if told is None else mapping_reader.given(mapping_reader.whole(book) if _lacks_columns(book) else book, told)
        for book, _ in known
    ]
    if told is not None and not any(given):
        raise locating.refuse(known[0][0], told)
    understood = {_parent(book) for book, format in known if format is not None} - {""}
    found, as_hosts = [], []
    for (book, format), tables in zip(known, given, strict=True):
        # The template is the one format that fits any table with the right headings.
        if not tables and remembered and format in (None, template):
            tables = mapping_reader.recalled(book)
        is_guess = not tables and format in (None, template)
        tables = tables or _unaided(book, format, understood)
        found.append(tables)
        as_hosts.append(is_guess and {name for one in tables for name in one.frames} == {"hosts"})
    if not any("workloads" in tables.frames for own in found for tables in own):
        for at, (book, _) in enumerate(known):
            found[at] = (as_hosts[at] and mapping_reader.as_workloads(mapping_reader.whole(book))) or found[at]
    return [tables for own in found for tables in own]


def _unaided(book: Workbook, format: ModuleType | None, understood: set[str]) -> list[Tables]:
    """The tables of a workbook of which no mapping tells."""
    plain = template.plain_headings(book) if format is template else {}
    if plain and (tables := mapping_reader.fuller(book, plain)):
        return tables
    if format is not None:
        own = format.parse(book)
        if format is not template:
            require_storage(book, own)
        return [replace(own, notes=[*own.notes, *_unread_sheets(book, own)])]
    return [_passed_over(book)] if _parent(book) in understood else _guessed(book)


def _passed_over(book: Workbook) -> Tables:
    """Nothing of a file beside files in known formats; the note says where it could be read."""
    message = "in no format that is known, beside files that are"
    if tables := mapping_reader.sure_of(book):
        held = " and ".join(dict.fromkeys(one.table.replace("_", " ") for one in tables))
        message += f", though it holds a table that looks like {held}; {mapping_reader.how(_parent(book))}"
    return Tables(file=book.file, format="", notes=[note("ignored", message, file=book.file)])


def _guessed(book: Workbook) -> list[Tables]:
    """The tables of a file in no known format; with a note where its sheets are called as those of a known tool.

    Storage of such a file may stand on another sheet, where reading it as 0 would be wrong.

    Raises
    ------
    InputError
        No table is sure enough: of a file whose sheets are called so, the message names the column that the tool has.
    UnknownColumns
        Nothing read tells storage while a sheet that nothing reads is about it.
    """
    tool = next((one for one in FORMATS if hasattr(one, "resembles") and one.resembles(book)), None)
    if tool is None:
        return mapping_reader.parse(book)
    named = "the planner's template" if tool is template else tool.FORMAT
    called = f"its sheets are called as those of {named}, whose headings they do not have"
    try:
        found = mapping_reader.parse(book)
    except InputError as error:
        tool.parse(book)
        raise InputError(f"{error}; {called}") from error
    for tables in found:
        require_storage(book, tables)
    found[0].notes.append(note("guessed", f"{called}: read as a list of one's own", file=book.file))
    return found


def _lacks_columns(book: Workbook) -> bool:
    """Whether no format reads a file for certain: the template's does not, for it fits any table."""
    format = _format_of(book)
    if format in (None, template):
        return True
    try:
        format.parse(book)
    except UnknownColumns:
        return True
    except InputError:
        return False
    return False


def _prepared(books: Sequence[Workbook]) -> list[Workbook]:
    """Workbooks, those that belong together joined; disks added up and cores multiplied where people list them so."""
    joined = gathered(books, FORMATS)
    return [mapping_reader.reckoned(book) if _format_of(book) in (None, template) else book for book in joined]


def _format_of(book: Workbook) -> ModuleType | None:
    """The format that a file is in; None where nobody knows it."""
    return next((format for format in FORMATS if format.recognises(book)), None)


def _unread_sheets(book: Workbook, tables: Tables) -> list[dict]:
    """One note on the sheets of an export that nothing reads."""
    names = [name for name in book.sheet_names if name not in tables.unread] if tables.unread else []
    message = f"{counted(len(names), 'sheet')} that nothing reads: {', '.join(names)}"
    return [note("ignored", message, file=book.file, count=len(names))] if names else []


def _parent(book: Workbook) -> str:
    return book.source.parent if isinstance(book.source, File) else ""
