"""Columns found by their headings, never by their position; units in a heading are converted, and noted once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd

from planner import schema, units
from planner.errors import InputError, nearest
from planner.readers.cells import cells_of, headings_of
from planner.readers.irregular import irregular_rows
from planner.readers.numerals import Style, numbers_of, style_of
from planner.readers.sandbox import Sheet
from planner.readers.standing import with_resting
from planner.readers.tables import note
from planner.readers.totals import totals_of
from planner.schema import Attribute, Origin
from planner.units import counted

MAX_TITLE_ROWS = 5
LEAST_MIB = {"memory": (128, 1024), "storage": (1024, 10_240)}
LEAST_MIB_OF_HOST = {"memory": (16_384, 16_384), "storage": (1_048_576, 1_048_576)}
"""By what is measured: the smallest figure, and the median, from which a column without a unit is taken for MiB.

Hosts with a TiB of memory are common, workloads are not.
"""

MOST_FOLDED = 20_000
"""Headings whose folded form is remembered: every heading is compared with every column that is looked for."""

_UNITS = frozenset({*units.GIB_PER_UNIT, *units.GHZ_PER_UNIT, *units.GBPS_PER_UNIT})
_TAKEN = re.compile(r"cpu_share_(used|average|peak|p95)|storage_gib_used|reason")
"""Columns that readers of other formats add."""

_ONLY_IN_BRACKETS = frozenset({"b", "ko", "mo", "go", "to"})
"""Units that are words or letters too, so that they count in brackets alone."""

_BRACKETS = re.compile(r"[(\[{]\s*(?:in\s+)?([^()\[\]{}]*?)\s*[)\]}]", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that an export has, for files whose headings are not the schema's.

    Parameters
    ----------
    name : str
        What the reader calls it.
    label : str
        Its usual heading, without a unit.
    aliases : tuple of str
        Other headings that mean the same.
    unit : str
        Unit to convert to; empty for text and plain counts.
    bare_unit : str
        Unit of the values where the heading names none.
    type : {"text", "number", "flag"}
    required : bool
    """

    name: str
    label: str
    aliases: tuple[str, ...] = ()
    unit: str = ""
    bare_unit: str = ""
    type: str = "text"
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Match:
    """One heading read as one attribute: `factor` turns its values into the attribute's unit."""

    attribute: str
    position: int
    heading: str
    unit: str
    factor: float
    rank: tuple[int, bool, int]


@lru_cache(maxsize=MOST_FOLDED)
def fold(text: str) -> str:
    """A heading without case, blanks, underscores and punctuation; ``#`` and ``%`` carry meaning and stay.

    >>> fold(" Host_Model "), fold("Free % "), fold("# Cores")
    ('hostmodel', 'free%', '#cores')
    """
    return "".join(letter for letter in text.casefold() if letter.isalnum() or letter in "#%")


@lru_cache(maxsize=MOST_FOLDED)
def split_unit(heading: str) -> tuple[str, str]:
    """A heading's text and the unit it names: in brackets, or as one of its words.

    >>> split_unit("RAM [GB]"), split_unit("Memory MiB"), split_unit("memory_mib_used"), split_unit("Host name")
    (('RAM', 'GB'), ('Memory', 'MiB'), ('memory used', 'mib'), ('Host name', ''))
    """
    for found in _BRACKETS.finditer(heading):
        if found[1].casefold() in _UNITS:
            return (heading[: found.start()] + heading[found.end() :]).strip(" _"), found[1]
    words = re.split(r"[\s_]+", heading.strip())
    for position in range(len(words) - 1, 0, -1):
        word = words[position].casefold()
        if word in _UNITS - _ONLY_IN_BRACKETS:
            return " ".join(words[:position] + words[position + 1 :]), words[position]
    return heading.strip(), ""


def match(headings: Sequence[str], table: str) -> dict[str, Match]:
    """Which heading is which attribute of the schema.

    Parameters
    ----------
    headings : sequence of str
    table : {"workloads", "hosts", "host_models"}

    Returns
    -------
    dict
        Attribute name to its best `Match`: the exact name beats the label, which beats an alias; the schema's own unit
        beats another one; then the first heading wins.

    Examples
    --------
    >>> found = match(["VM", "CPUs", "RAM (MB)"], "workloads")
    >>> [(m.attribute, m.factor) for m in found.values()]
    [('name', 1.0), ('vcpus', 1.0), ('memory_gib', 0.0009765625)]
    """
    return match_columns(headings, schema.attributes(table).values())


def match_columns(headings: Sequence[str], columns: Iterable[Attribute | Column]) -> dict[str, Match]:
    """Which heading is which column, best match each; see `match`."""
    best: dict[str, Match] = {}
    columns = tuple(columns)
    spellings = _spellings(columns)
    for position, heading in enumerate(headings):
        found = _best_column(heading, position, spellings)
        if found is not None and (found.attribute not in best or found.rank < best[found.attribute].rank):
            best[found.attribute] = found
    order = {column.name: position for position, column in enumerate(columns)}
    return dict(sorted(best.items(), key=lambda item: order[item[0]]))


def _best_column(heading: str, position: int, spellings: _Spellings) -> Match | None:
    text, unit = split_unit(heading)
    found = []
    for column, order, level in spellings.whole.get(fold(heading), ()):
        found.append((level, 1.0, order, column))
    for column, order, level in spellings.stems.get(fold(text), ()):
        factor = units.factor(unit or getattr(column, "bare_unit", "") or column.unit, column.unit)
        if factor is not None:
            found.append((level, factor, order, column))
    if not found:
        return None
    level, factor, _, column = min(found, key=lambda one: (one[0], one[1] != 1.0, one[2]))
    rank = (level, factor != 1.0, position)
    return Match(attribute=column.name, position=position, heading=heading, unit=unit, factor=factor, rank=rank)


@dataclass(frozen=True, kw_only=True)
class _Spellings:
    """Folded headings of some columns: each with the columns that it may be, their order, and how good the match is.

    A whole heading names its unit as the schema does; a stem stands without its unit.
    """

    whole: dict[str, list[tuple[Attribute | Column, int, int]]]
    stems: dict[str, list[tuple[Attribute | Column, int, int]]]


@lru_cache(maxsize=256)
def _spellings(columns: tuple[Attribute | Column, ...]) -> _Spellings:
    whole: dict[str, list] = {}
    stems: dict[str, list] = {}
    for order, column in enumerate(columns):
        if isinstance(column, Attribute):
            whole.setdefault(fold(column.name), []).append((column, order, 0))
            whole.setdefault(fold(column.heading), []).append((column, order, 1))
        stems.setdefault(fold(column.label), []).append((column, order, 1))
        for alias in column.aliases:
            stems.setdefault(fold(alias), []).append((column, order, 2))
    return _Spellings(whole=whole, stems=stems)


def heading_row(sheet: Sheet, columns: Iterable[Attribute | Column]) -> int:
    """Position of the row of headings: the first that names every required column, after at most a few title rows."""
    columns = tuple(columns)
    required = {column.name for column in columns if column.required}
    best, most = 0, 0
    for position, row in enumerate(sheet.rows[: MAX_TITLE_ROWS + 1]):
        found = match_columns(headings_of(row), columns).keys()
        if required <= found:
            return position
        if len(found) > most:
            best, most = position, len(found)
    return best


def conversion_notes(found: Match, wanted: str, bare: str, where: dict, cells: Sequence[object]) -> list[dict]:
    """What to say about the unit of a column: nothing where the heading has the wanted one.

    Parameters
    ----------
    found : Match
    wanted : str
        Unit of the attribute.
    bare : str
        Unit that is known for headings without one; "" where that would be a guess.
    where : dict
        File and sheet, as `note` takes them.
    cells : sequence
        Those of the column.
    """
    unit = found.unit or bare
    if unit.casefold() == wanted.casefold() or wanted not in ("GiB", "GHz", "Gbps"):
        return []
    if not unit:
        message, kind = f"no unit in the heading: read as {wanted}", "guessed"
    else:
        meant = unit[0].upper() + "iB" if units.is_decimal_spelling(unit) else unit
        read_as = f"{unit} read as {meant}" if meant != unit else unit
        read_as = read_as if found.unit else f"no unit in the heading: {unit} in this format"
        message = read_as if meant == wanted else f"{read_as}, converted to {wanted}"
        kind = "converted"
    filled = sum(cell is not None for cell in cells)
    return [note(kind, message, **where, column=found.heading, subject=found.attribute, count=filled)]


def repeated_headings(headings: Sequence[str], matches: Mapping[str, Match], where: dict) -> list[dict]:
    """A note for each heading that is read and stands more than once."""
    message = "the heading stands twice: the first column is read"
    return [
        note("ignored", message, **where, column=found.heading, subject=found.attribute)
        for found in matches.values()
        if headings.count(found.heading) > 1
    ]


def frame_from_sheet(sheet: Sheet, table: str, file: str) -> tuple[pd.DataFrame, Origin, list[dict]]:
    """A sheet as a table with the schema's column names, in the schema's units, before `schema.conform`.

    Parameters
    ----------
    sheet : Sheet
    table : {"workloads", "hosts", "host_models"}
    file : str
        Display name, for messages.

    Returns
    -------
    DataFrame
        Columns that match an attribute under its name, the others under their own heading.
    Origin
        Row numbers and headings of the sheet.
    list of dict
        Rows of notes: units converted or guessed, columns that nothing reads.

    Raises
    ------
    InputError
        The sheet is empty.
    """
    where = {"file": file, "sheet": sheet.name}
    if not sheet.rows:
        raise InputError(f"{Origin(**where).where()}: found an empty sheet, expected a row of headings")
    sheet = _filled(sheet)
    schema_columns = schema.attributes(table)
    header = heading_row(sheet, schema_columns.values())
    headings = headings_of(sheet.rows[header])
    rows, numbers = sheet.rows[header + 1 :], sheet.row_numbers[header + 1 :]
    matches = match(headings, table)
    notes = []
    if header:
        notes.append(
            note("ignored", f"{counted(header, 'title row')} above the headings", **where, row=sheet.row_numbers[0])
        )
    origin = Origin(**where, rows=np.array(numbers, dtype=int), headings={k: m.heading for k, m in matches.items()})
    columns = {name: cells_of(rows, found.position) for name, found in matches.items()}
    numeric = [name for name in matches if schema_columns[name].is_number]
    style = style_of(cell for name in numeric for cell in columns[name])
    said, findings = irregular_rows(sheet, header, origin)
    notes += said
    for name in numeric:
        column = schema_columns[name]
        columns[name], said, wrong = read_numbers(
            columns[name], matches[name], column, style, sheet.delimiter, origin, of_host=table != "workloads"
        )
        notes += said
        findings += wrong
    keep, said, wrong = total_rows(columns, numeric, origin)
    schema.raise_findings(findings + wrong)
    extra, extra_notes = _extra_columns(headings, rows, matches, table, where)
    frame = pd.DataFrame(columns | extra, dtype=object, index=range(len(rows)))
    if not keep.all():
        frame, origin = frame[keep].reset_index(drop=True), replace(origin, rows=origin.rows[keep])
    if table == "hosts" and "name" in frame:
        frame, resting = with_resting(frame, origin)
        notes += resting
    return frame, origin, notes + said + extra_notes


def _filled(sheet: Sheet) -> Sheet:
    """The sheet without rows that were emptied."""
    kept = [at for at, row in enumerate(sheet.rows) if any(cell is not None for cell in row)]
    if len(kept) == len(sheet.rows):
        return sheet
    return replace(sheet, rows=[sheet.rows[at] for at in kept], row_numbers=[sheet.row_numbers[at] for at in kept])


def in_mib(attribute: str, cells: Sequence[object], *, of_host: bool = False) -> bool:
    """Whether figures that name no unit are MiB: none is small, and half of them are more than machines have in GiB.

    >>> in_mib("memory_gib", [8192, 16384]), in_mib("memory_gib", [8, 2048]), in_mib("storage_gib", [102400.0])
    (True, False, True)
    >>> in_mib("memory_gib", [1024, 2048], of_host=True)
    False
    """
    floors = LEAST_MIB_OF_HOST if of_host else LEAST_MIB
    least = next((floor for name, floor in floors.items() if attribute.startswith(name)), None)
    figures = [cell for cell in cells if isinstance(cell, int | float) and not isinstance(cell, bool) and cell > 0]
    if least is None or not figures:
        return False
    return min(figures) >= least[0] and float(np.median(figures)) >= least[1]


def read_numbers(
    cells: list,
    found: Match,
    column: Attribute | Column,
    style: Style,
    delimiter: str,
    origin: Origin,
    *,
    of_host: bool = False,
) -> tuple[list, list[dict], list[str]]:
    """One column of numbers in the column's unit, with what there is to note, and what cannot be decided.

    Parameters
    ----------
    cells : list
    found : Match
    column : Attribute or Column
    style : Style
        Of all numbers of the sheet.
    delimiter : str
        What separates the cells of a CSV file.
    origin : Origin
    of_host : bool
        Whether it is what hosts have, where figures may be larger.
    """
    bare = getattr(column, "bare_unit", "")
    unit = found.unit or bare or column.unit
    stated = bool(found.unit or bare) or column.unit not in units.SCALES
    read = numbers_of(cells, wanted=column.unit, unit=unit, stated=stated, sheet=style, delimiter=delimiter)
    where = {"file": origin.file, "sheet": origin.sheet}
    if not stated and not read.named and in_mib(found.attribute, read.cells, of_host=of_host):
        read = numbers_of(cells, wanted=column.unit, unit="MiB", stated=stated, sheet=style, delimiter=delimiter)
        message = "no unit in the heading, figures too large for GiB: read as MiB"
        filled = sum(cell is not None for cell in cells)
        about = {"column": found.heading, "subject": found.attribute, "count": filled}
        notes = [note("guessed", message, **where, **about)]
    else:
        notes = [] if read.named else conversion_notes(found, column.unit, bare, where, cells)
    for told in read.remarks:
        about = {"row": origin.row(told.position), "column": found.heading, "subject": found.attribute}
        notes.append(note(told.kind, told.message, **where, **about, count=told.count))
    findings = [f"{origin.where(position, column.name)}: {message}" for position, message in read.findings]
    return read.cells, notes, findings


def total_rows(
    columns: Mapping[str, list], numeric: Iterable[str], origin: Origin
) -> tuple[np.ndarray, list[dict], list[str]]:
    """Which rows are no sums or means of others, as a mask; notes on those that are or may be, and findings."""
    names = columns.get("name")
    keep = np.ones(len(names) if names is not None else 0, dtype=bool)
    if names is None:
        return keep, [], []
    found = totals_of(names, {name: columns[name] for name in numeric})
    keep[found.rows] = False
    where = {"file": origin.file, "sheet": origin.sheet}
    notes = [
        note(
            "dropped",
            f"a row of {'means: the mean' if row in found.means else 'totals: the sum'} of rows above",
            **where,
            row=origin.row(row),
            column=origin.heading("name"),
        )
        for row in found.rows
    ]
    notes += [
        note(
            "suspicious",
            f"a row of totals or means? {str(names[row]).strip()!r} is {what}: read as a machine",
            **where,
            row=origin.row(row),
            column=origin.heading("name"),
            subject=str(names[row]).strip(),
        )
        for row, what in found.unlikely.items()
    ]
    findings = [
        f"{origin.where(row, column)}: found {figure:.6g} in a row called {str(names[row]).strip()!r}, expected the "
        f"sum of the rows above, {total:.6g}, or a workload's name"
        for row, (column, figure, total) in found.doubtful.items()
    ]
    return keep, notes, findings


def _extra_columns(
    headings: list[str], rows: list[list], matches: dict[str, Match], table: str, where: dict
) -> tuple[dict[str, list], list[dict]]:
    """Columns that match no attribute, or lose to a better match, under their own heading, and a note for each."""
    known = schema.attributes(table)
    spellings = _spellings(tuple(known.values()))
    taken = {found.position: found for found in matches.values()}
    extra, notes = {}, []
    for position, heading in enumerate(headings):
        if position in taken:
            continue
        cells = cells_of(rows, position)
        rival = _best_column(heading, position, spellings)
        if not heading:
            if any(cell is not None for cell in cells):
                notes.append(note("ignored", f"column {position + 1} has no heading", **where))
            continue
        if _TAKEN.fullmatch(heading):
            message = "not a column of this table, left out: its name means something else here"
        elif heading in extra or heading in known:
            message = "the heading stands twice: the first column is read"
        elif rival is not None:
            extra[heading] = cells
            message = f"{rival.attribute} is read from column {matches[rival.attribute].heading!r}"
        else:
            extra[heading] = cells
            close = nearest(heading, [label for a in known.values() for label in (a.heading, a.name)])
            message = "not a column of this table, kept as it is" + (f"; the nearest is {close!r}" if close else "")
        notes.append(note("ignored", message, **where, column=heading))
    return extra, notes
