"""Sheets of other tools' exports: declared columns read by heading, joined to workloads by identifier."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from planner import units
from planner.errors import InputError, UnknownColumns, nearest
from planner.readers.cells import cells_of, headings_of
from planner.readers.columns import (
    Column,
    Match,
    heading_row,
    match_columns,
    read_numbers,
    repeated_headings,
    total_rows,
)
from planner.readers.irregular import irregular_rows
from planner.readers.numerals import style_of
from planner.readers.sandbox import Sheet, Workbook
from planner.readers.tables import Tables, note
from planner.schema import FLAGS, Origin, raise_findings
from planner.units import counted

_UNTOLD = frozenset({"", "nan", "none", "n/a"})
"""Texts of a flag that say nothing, which is no."""

LARGEST = np.finfo(float).max
MAX_VALUE = 1e15
MAX_GIB = 1e11
"""No size is larger, not even one in bytes that is taken for MiB."""

MANY_HEADINGS = 8
"""So many headings of a tool on one sheet are no chance, even where those are missing that it cannot do without."""

KEYS = ("vm_uuid", "vm_id", "vcenter", "name")
"""Columns by which sheets are joined."""


@dataclass(frozen=True, kw_only=True)
class Journal:
    """What reading one file did and found wrong; every finding is kept, so that they can be told together."""

    file: str
    notes: list[dict] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    unread: dict[str, list[str]] = field(default_factory=dict)

    def note(self, kind: str, message: str, **where: object) -> None:
        """Add a note; `where` as in `tables.note`, without the file."""
        self.notes.append(note(kind, message, file=self.file, **where))

    def tables(self, format: str, *, dialect: str = "", version: str = "") -> Tables:
        """The file's tables, still empty, which share what is noted here."""
        about = {"file": self.file, "format": format, "dialect": dialect, "version": version}
        return Tables(**about, notes=self.notes, unread=self.unread)

    def close(self) -> None:
        """Raise one InputError for all findings; do nothing where there is none."""
        raise_findings(self.findings)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One sheet of an export: the declared columns, typed, one row for each row of the sheet.

    Texts are str with "" for blank, numbers float64 in the declared unit with NaN for blank, flags bool with False for
    blank. Columns that the sheet does not have are blank.
    """

    frame: pd.DataFrame
    origin: Origin

    def has(self, column: str) -> bool:
        return column in self.origin.headings

    def plus(self, name: str, values: object, *, like: str = "") -> Part:
        """The part with a column more, or another one; its heading is that of column `like`."""
        headings = self.origin.headings | {name: self.origin.heading(like or name)}
        return Part(frame=self.frame.assign(**{name: values}), origin=replace(self.origin, headings=headings))

    def without(self, name: str) -> Part:
        """The part without a column."""
        headings = {column: heading for column, heading in self.origin.headings.items() if column != name}
        return Part(frame=self.frame.drop(columns=name), origin=replace(self.origin, headings=headings))

    def keep(self, rows: np.ndarray) -> Part:
        """The part with only these rows, given as a mask."""
        origin = replace(self.origin, rows=self.origin.rows[rows])
        return Part(frame=self.frame[rows].reset_index(drop=True), origin=origin)


def read_part(sheet: Sheet | None, columns: Iterable[Column], journal: Journal) -> Part | None:
    """The declared columns of a sheet; None where the export has no such sheet or it is empty.

    Parameters
    ----------
    sheet : Sheet or None
    columns : iterable of Column
    journal : Journal
        Takes the notes on units, and a finding for every cell that is no number where one belongs.

    Raises
    ------
    InputError
        A required column is missing; the message names the nearest heading.
    """
    if sheet is None or not sheet.rows:
        return None
    columns = list(columns)
    header = heading_row(sheet, columns)
    headings = headings_of(sheet.rows[header])
    matches = match_columns(headings, columns)
    told = {name: found.heading for name, found in matches.items()}
    numbers = np.array(sheet.row_numbers[header + 1 :], dtype=int)
    origin = Origin(file=journal.file, sheet=sheet.name, rows=numbers, headings=told)
    notes, findings = irregular_rows(sheet, header, origin)
    journal.notes.extend(notes)
    journal.findings.extend(findings)
    _require(headings, columns, matches, origin)
    journal.notes.extend(repeated_headings(headings, matches, {"file": journal.file, "sheet": sheet.name}))
    left = journal.unread.get(sheet.name, [text for text in headings if text])
    journal.unread[sheet.name] = [text for text in left if text not in told.values()]
    return part_of(sheet, header, columns, matches, journal)


def part_of(
    sheet: Sheet, header: int, columns: Sequence[Column], matches: Mapping[str, Match], journal: Journal
) -> Part:
    """The rows below those headings, with columns that were found already; see `read_part`."""
    rows, numbers = sheet.rows[header + 1 :], sheet.row_numbers[header + 1 :]
    told = {name: found.heading for name, found in matches.items()}
    origin = Origin(file=journal.file, sheet=sheet.name, rows=np.array(numbers, dtype=int), headings=told)
    cells = {
        column.name: cells_of(rows, matches[column.name].position) if column.name in matches else [None] * len(rows)
        for column in columns
    }
    numeric = [column for column in columns if column.type == "number" and column.name in matches]
    style = style_of(cell for column in numeric for cell in cells[column.name])
    of_host = any(column.name == "cores" for column in columns)
    for column in numeric:
        raw, found = cells[column.name], matches[column.name]
        cells[column.name], notes, findings = read_numbers(
            raw, found, column, style, sheet.delimiter, origin, of_host=of_host
        )
        journal.notes.extend(notes)
        journal.findings.extend(findings or _wrong_numbers(raw, cells[column.name], column, origin))
    for column in columns:
        if column.type == "flag" and column.name in matches:
            _note_strange_flags(cells[column.name], column.name, origin, journal)
    keep, notes, findings = total_rows(cells, [column.name for column in numeric], origin)
    journal.notes.extend(notes)
    journal.findings.extend(findings)
    data = {column.name: _typed(cells[column.name], column.type) for column in columns}
    part = Part(frame=pd.DataFrame(data, index=range(len(rows))), origin=origin)
    return part if keep.all() else part.keep(keep)


def only_headings(workbook: Workbook, columns: Iterable[Column]) -> list[str]:
    """Headings of the only sheet of a file, where these columns would be found; none where it has several sheets."""
    sheet = workbook.only
    return headings_of(sheet.rows[heading_row(sheet, columns)]) if sheet is not None else []


def has_headings(sheet: Sheet | None, columns: Iterable[Column]) -> bool:
    """Whether a sheet has the headings of a tool: more than half of those it cannot do without, or many of all.

    An empty sheet has none that contradict.
    """
    if sheet is None or not sheet.rows:
        return sheet is not None
    columns = list(columns)
    found = match_columns(headings_of(sheet.rows[heading_row(sheet, columns)]), columns).keys()
    required = [column.name in found for column in columns if column.required]
    return 2 * sum(required) > len(required) or len(found) >= MANY_HEADINGS


def require(part: Part | None, file: str, sheet: str) -> Part:
    """The part; an InputError where its sheet is empty or not there."""
    if part is None:
        where = f"{file}, sheet {sheet}" if sheet else file
        raise InputError(f"{where}: found an empty sheet, expected one row for each machine")
    return part


def _typed(cells: list, kind: str) -> np.ndarray:
    if kind == "number":
        return np.array([cell if _is_size(cell) else np.nan for cell in cells], dtype="float64")
    if kind == "flag":
        return np.array([FLAGS.get(as_text(cell).casefold()) == "yes" for cell in cells], dtype=bool)
    return np.array([as_text(cell) for cell in cells], dtype=object)


def as_text(cell: object) -> str:
    """A cell as text; a whole number without its decimal point, blanks trimmed and single.

    >>> as_text(59.0), as_text(" a  b "), as_text(None)
    ('59', 'a b', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell if cell.isalnum() else " ".join(cell.split())
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return " ".join(str(cell).split())


def owners(part: Part, vms: Part, label: str, journal: Journal) -> np.ndarray:
    """For each row of a sheet, the position in `vms` of the VM that it belongs to, -1 where there is none.

    Joined by VM UUID; where a row has none, by VM ID together with the vCenter's UUID; else by name, unless the VM of
    that name carries another ID. An ambiguous key joins nothing, unless a sheet without identifiers lists the same
    names in the same order. One note counts the rows without a VM.

    Parameters
    ----------
    part, vms : Part
        Both with a column `name`, and the others of `KEYS` where they have them.
    label : str
        What to call one row in the note.
    journal : Journal
    """
    uuids, ids, vcenters, names = (_key(vms, name) for name in KEYS)
    if not (part.has("vm_uuid") or part.has("vm_id")) and np.array_equal(_key(part, "name"), names):
        return np.arange(len(names))
    by_uuid, by_id, by_name = _unique(uuids), _unique(ids), _unique(names)
    by_both = _unique(zip(vcenters, ids, strict=True))
    found = np.full(len(part.frame), -1)
    rows = zip(*(_key(part, name) for name in KEYS), strict=True)
    for row, (uuid, key, vcenter, name) in enumerate(rows):
        position = by_uuid.get(uuid, -1)
        if position < 0:
            position = by_both.get((vcenter, key), -1 if vcenter else by_id.get(key, -1))
        if position < 0:
            position = by_name.get(name, -1)
            if position >= 0 and key and ids[position] not in ("", key):
                position = -1
        if position >= 0 and uuid and uuids[position] not in ("", uuid):
            position = -1
        found[row] = position
    orphans = np.flatnonzero(found < 0)
    if len(orphans):
        called = np.where(_key(part, "name") != "", _key(part, "name"), _key(part, "vm_id"))
        first = int(next((row for row in orphans if called[row]), orphans[0]))
        example = called[first]
        such = f", such as {example!r}" if example else ""
        message = f"{counted(len(orphans), label)} of no VM in {vms.origin.sheet or 'the list'}{such}"
        where = {"sheet": part.origin.sheet, "row": part.origin.row(first)}
        journal.note("ignored", message, **where, subject=example, count=len(orphans))
    return found


def joined(vms: Part, other: Part | None, columns: Iterable[str], label: str, journal: Journal) -> Part:
    """The VMs with columns of another sheet, joined by `owners`; where a VM has a figure of its own, that stays.

    A VM that stands there several times takes its first filled cell.
    """
    if other is None:
        return vms
    owner = owners(other, vms, label, journal)
    for name in columns:
        if other.has(name):
            blank = np.nan if other.frame[name].dtype.kind == "f" else ""
            told = first_by_owner(other.frame[name], owner, len(vms.frame), blank)
            if vms.has(name):
                own = vms.frame[name]
                told = np.where((own == "") | own.isna(), told, own)
            headings = vms.origin.headings | {name: other.origin.heading(name)}
            vms = Part(frame=vms.frame.assign(**{name: told}), origin=replace(vms.origin, headings=headings))
    return vms


def first_by_owner(values: pd.Series, owner: np.ndarray, count: int, blank: object) -> np.ndarray:
    """The first filled value of the rows that each owner has, `blank` where there is none."""
    filled = (owner >= 0) & ((values != "") & values.notna()).to_numpy()
    first = pd.Series(values[filled].to_numpy(), index=owner[filled], dtype=values.dtype)
    first = first[~first.index.duplicated()].reindex(range(count))
    return first.to_numpy() if isinstance(blank, float) else first.fillna(blank).to_numpy(dtype=object)


def sum_by_owner(part: Part | None, column: str, owner: np.ndarray, count: int) -> np.ndarray:
    """Sum of a column over the rows that each owner has; NaN where there is none."""
    if part is None:
        return np.full(count, np.nan)
    mine = pd.Series(part.frame[column].to_numpy()).groupby(owner).sum(min_count=1)
    return mine.reindex(range(count)).to_numpy()


def note_blanks(part: Part, column: str, owner: np.ndarray, label: str, journal: Journal) -> None:
    """One note on rows that have an owner and no figure: its sum lacks them."""
    short = np.flatnonzero(part.frame[column].isna().to_numpy() & (owner >= 0)) if part.has(column) else ()
    if len(short):
        first = int(short[0])
        name = part.frame["name"].iloc[first] if "name" in part.frame else ""
        heading = part.origin.heading(column)
        message = f"{counted(len(short), label)} without {heading}: not counted" + (
            f"; such as {name!r}" if name else ""
        )
        where = {"sheet": part.origin.sheet, "row": part.origin.row(first), "column": heading}
        journal.note("guessed", message, **where, subject=name, count=len(short))


def _note_strange_flags(cells: list, name: str, origin: Origin, journal: Journal) -> None:
    strange = [row for row, cell in enumerate(cells) if cell is not None and _is_strange(as_text(cell))]
    if strange:
        message = (
            f"{counted(len(strange), 'cell')} such as {as_text(cells[strange[0]])!r}, neither yes nor no: read as no"
        )
        where = {"sheet": origin.sheet, "row": origin.row(strange[0]), "column": origin.heading(name)}
        journal.note("guessed", message, **where, subject=name, count=len(strange))


def _is_strange(text: str) -> bool:
    return text.casefold() not in FLAGS.keys() | _UNTOLD


def _key(part: Part, name: str) -> np.ndarray:
    blank = np.full(len(part.frame), "", dtype=object)
    return part.frame[name].to_numpy() if name in part.frame else blank


def _unique(keys: Iterable) -> dict:
    """Key to position, for keys that are filled and stand once."""
    found: dict = {}
    for position, key in enumerate(keys):
        filled = key[-1] if isinstance(key, tuple) else key
        if filled:
            found[key] = None if key in found else position
    return {key: position for key, position in found.items() if position is not None}


def _require(headings: list[str], columns: list[Column], matches: dict, origin: Origin) -> None:
    for column in columns:
        if column.required and column.name not in matches:
            spare = [text for text in headings if text and text not in origin.headings.values()]
            close = nearest(column.label, spare)
            hint = f"the nearest column found is {close!r}" if close else f"found {', '.join(spare[:12]) or 'none'}"
            message = f"column {column.label!r} is missing, it is required; {hint}"
            raise UnknownColumns(f"{origin.where()}: {message}", origin.file)


def _is_size(cell: object, most: float = MAX_VALUE) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and 0 <= cell <= most


def _number_of(cell: object, column: Column) -> str:
    """What a cell of a column of numbers may hold, for messages; with units where it has a number."""
    known = units.in_cells(column.unit) if re.match(r"\s*\d", str(cell)) and isinstance(cell, str) else ""
    return f"a number from 0 up, with a unit such as {known}, or none" if known else "a number from 0 up"


def _wrong_numbers(raw: list, cells: list, column: Column, origin: Origin) -> list[str]:
    """A finding for each filled cell that is no number, below 0, or larger than anything."""
    most = MAX_GIB if column.unit == "GiB" else MAX_VALUE
    findings = []
    for position, cell in enumerate(cells):
        if cell is not None and cell == cell and not _is_size(cell, most):
            shown = (repr(raw[position]) if isinstance(raw[position], str) else str(raw[position]))[:60]
            expected = (
                f"at most {most:.0e} {column.unit}".rstrip()
                if _is_size(cell, LARGEST)
                else _number_of(raw[position], column)
            )
            findings.append(f"{origin.where(position, column.name)}: found {shown}, expected {expected}")
    return findings
