"""Sheets of no known tool: what their columns mean is proposed, corrected by people, and remembered by the headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from planner.errors import InputError, nearest
from planner.readers.columns import Column
from planner.readers.disks import with_disks_added_up
from planner.readers.mapping import locating
from planner.readers.mapping.attributes import columns_of
from planner.readers.mapping.headings import with_single_headings
from planner.readers.mapping.kinds import with_machines_alone, without_sections
from planner.readers.mapping.mappings import THRESHOLD, MappedColumn, MappedTable, Mapping
from planner.readers.mapping.multiples import with_counts
from planner.readers.mapping.neighbours import NEEDED_FOR_DOUBT, told_apart, unread_hosts
from planner.readers.mapping.profiles import heading_parts
from planner.readers.mapping.proposals import Found, as_workloads_of, propose, proposed
from planner.readers.mapping.reading import left_over, tables_of
from planner.readers.mapping.scores import named
from planner.readers.mapping.sockets import with_cores_multiplied
from planner.readers.sandbox import Sheet, Workbook, load
from planner.readers.tables import Tables, note
from planner.schema.words import table_of

__all__ = [
    "THRESHOLD",
    "MappedColumn",
    "MappedTable",
    "Mapping",
    "Suggestion",
    "how",
    "parse",
    "propose",
    "suggestions_of",
]

SAMPLES = 5
FULLER = 0.8
"""Confidence of a guessed column from which it is worth more than a plain reading without it."""


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A table that was found in a file, for people to judge.

    Parameters
    ----------
    file : str
    mapped : MappedTable
    origin : str
        "" where it was guessed; given, or remembered from a day.
    samples : dict
        Some values of each heading, as text.
    """

    file: str
    mapped: MappedTable
    origin: str
    samples: dict[str, tuple[str, ...]]


def parse(book: Workbook) -> list[Tables]:
    """The tables of a file in no known format, loaded `whole`, each guessed.

    Raises
    ------
    InputError
        No table of workloads or hosts is sure enough; the message has the proposal so far and how to correct it.
    """
    every = _every(book)
    sure = [found for found in every if found.mapped.is_sure]
    lost = unread_hosts(every)
    if lost is not None:
        raise _refusal(book, [lost])
    if not any(found.mapped.table == "workloads" for found in sure):
        doubtful = [found for found in every if not found.mapped.is_sure and _resembles(found)]
        if doubtful or not sure:
            raise _refusal(book, doubtful or every)
    return read(book, sure)


def sure_of(book: Workbook) -> list[MappedTable]:
    """What `parse` would read of a file, loaded `whole`; nothing where it would refuse it."""
    return [found.mapped for found in _every(book) if found.mapped.is_sure]


def as_workloads(book: Workbook) -> list[Tables]:
    """The tables of a file of hosts alone as workloads to place; nothing where any is called hosts or something else.

    Servers of which nobody says what runs on them are what is to be placed, where no other file has any workload.
    """
    sure = [found for sheet in book.sheets.values() for found in proposed(sheet) if found.mapped.is_sure]
    again = [as_workloads_of(found) for found in sure]
    if not again or None in again or table_of(PurePath(book.file).stem) == "hosts":
        return []
    tables = read(book, again)
    message = "a table that could be hosts too: read as workloads to place, cores as vCPUs, as nothing else lists any"
    tables[0].notes.append(note("guessed", message, file=book.file, sheet=again[0].mapped.sheet))
    return tables


def fuller(book: Workbook, headings: dict[str, dict[str, str]]) -> list[Tables]:
    """The tables of a file, each guessed, where that tells more than a plain reading of its only table; else none.

    Parameters
    ----------
    book : Workbook
    headings : dict of str to dict
        What a plain reading takes: by table, the heading of each attribute. All of it has to be found here as well.
    """
    book = whole(book)
    sure = [found for found in _every(book) if found.mapped.is_sure]
    told = {found.mapped.table: found.mapped for found in sure if found.mapped.table in ("workloads", "hosts")}
    if "workloads" not in told or len(told) < len(sure):
        return []
    more = len(told) > len(headings)
    for table, own in headings.items():
        columns = {one.attribute: one for one in told[table].columns} if table in told else {}
        if any(name not in columns or columns[name].heading != heading for name, heading in own.items()):
            return []
        more |= any(one.confidence >= FULLER for name, one in columns.items() if name not in own)
    return read(book, sure) if more else []


def given(book: Workbook, mapping: Mapping) -> list[Tables]:
    """The tables of a file that a mapping tells of; none where its headings are not there."""
    return read(book, locating.located(book, mapping))


def recalled(book: Workbook) -> list[Tables]:
    """The tables of a file whose headings are remembered; none where no heading is."""
    return read(book, locating.recalled(book))


def read(book: Workbook, found: Sequence[Found]) -> list[Tables]:
    """Tables that were found in a file, with notes on the rest of it; none where nothing was."""
    for one in found:
        require_complete(book, one)
    tables = [tables_of(one, book.file) for one in found]
    if tables:
        tables[0].notes.extend(left_over(book, found))
    return tables


def whole(book: Workbook) -> Workbook:
    """The workbook with all its sheets, headings of two rows as one."""
    if len(book.sheets) < len(book.sheet_names) and book.source is not None:
        book = load(book.source, None)
    sheets = {name: with_single_headings(without_sections(one)) for name, one in book.sheets.items()}
    return reckoned(replace(book, sheets=sheets))


def reckoned(book: Workbook) -> Workbook:
    """The workbook with machines alone, one column of storage for disks in a column each, and one of all cores."""
    sheets = {
        name: with_cores_multiplied(with_disks_added_up(with_counts(with_machines_alone(sheet))))
        for name, sheet in book.sheets.items()
    }
    return replace(book, sheets=sheets)


def suggestions_of(
    books: Sequence[Workbook], mapping: Mapping | None = None, *, remembered: bool = True
) -> list[Suggestion]:
    """What the columns of files mean: as a mapping says, else as it is remembered, else as it is guessed.

    Parameters
    ----------
    books : sequence of Workbook
    mapping : Mapping, optional
    remembered : bool
        Whether what is remembered counts.
    """
    told = []
    for book in map(whole, books):
        found = locating.located(book, mapping) if mapping is not None else []
        found = found or (locating.recalled(book) if remembered else [])
        if not found:
            every = _every(book)
            found = [one for one in every if one.mapped.is_sure] or sorted(every, key=_has, reverse=True)[:1]
            lost = unread_hosts(every)
            found += [lost] if lost is not None and all(one.region is not lost.region for one in found) else []
        told += [_suggestion(book, one) for one in found]
    return told


def _every(book: Workbook) -> list[Found]:
    """The tables of a workbook, sure or not, each judged by those beside it too."""
    return told_apart([found for sheet in book.sheets.values() for found in proposed(sheet)])


def _suggestion(book: Workbook, found: Found) -> Suggestion:
    labels = found.region.labels(found.at)
    samples = {heading: _samples(found.region.sheet, found.rows, column) for heading, column in labels.items()}
    return Suggestion(file=book.file, mapped=found.mapped, origin=found.origin, samples=samples)


def _samples(sheet: Sheet, rows: list[int], column: int) -> tuple[str, ...]:
    cells = (sheet.rows[at][column] for at in rows if column < len(sheet.rows[at]))
    texts = dict.fromkeys(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in cells if cell is not None)
    return tuple(list(texts)[:SAMPLES])


def _has(found: Found) -> tuple[int, float]:
    """How much of what its table needs was found, and how sure."""
    known = columns_of(found.mapped.table)
    needed = [one for one in found.mapped.columns if known[one.attribute].required]
    return len(needed), sum(one.confidence for one in found.mapped.columns)


def _resembles(found: Found) -> bool:
    return _has(found)[0] >= NEEDED_FOR_DOUBT


def require_complete(book: Workbook, found: Found) -> None:
    """Raise an InputError where a mapping lacks what its table cannot be read without."""
    if found.mapped.missing:
        known = columns_of(found.mapped.table)
        missing = " and ".join(repr(known[name].label) for name in found.mapped.missing)
        where = f"{book.file}, sheet {found.mapped.sheet}" if found.mapped.sheet else book.file
        raise InputError(f"{where}: the mapping names no column for {missing}, expected one; {how(book.file)}")


def _refusal(book: Workbook, every: Sequence[Found]) -> InputError:
    """What was found so far, what is missing, the nearest headings, and how to say what they mean."""
    if not every or not _has(max(every, key=_has))[0]:
        return _nothing(book, every)
    best = max(every, key=_has)
    mapped, known = best.mapped, columns_of(best.mapped.table)
    where = f"{book.file}, sheet {mapped.sheet}" if mapped.sheet else book.file
    missing = [known[name] for name in mapped.missing]
    doubtful = [one for one in mapped.columns if known[one.attribute].required and one.confidence < THRESHOLD]
    close = next((hit for one in missing if (hit := _nearest(one, mapped))), None)
    spare = f"the nearest column found is {close!r}" if close else f"found columns {', '.join(mapped.ignore[:12])}"
    parts = []
    if missing:
        hint = f"; {spare}" if mapped.ignore else ""
        labels = " and ".join(repr(one.label) for one in missing)
        parts.append(f"missing {labels}, expected a table of {mapped.table.replace('_', ' ')}{hint}")
    parts += [
        f"{one.heading!r} read as {known[one.attribute].label} is a guess of confidence {one.confidence:.2f}, "
        f"expected {THRESHOLD:.2f}"
        for one in doubtful
    ]
    so_far = ", ".join(f"{one.heading!r} as {known[one.attribute].label}" for one in mapped.columns)
    return InputError(f"{where}: {'; '.join(parts)}; so far {so_far}; {how(book.file)}")


def _nothing(book: Workbook, every: Sequence[Found]) -> InputError:
    """A file in which nothing looks like a table of workloads."""
    if len(book.sheet_names) == 1:
        headings = [text for found in every for text in found.mapped.headings]
        if not headings and book.only is not None:
            headings = [str(cell) for cell in book.only.rows[0] if cell is not None]
        shown = ", ".join(headings[:12]) or "none"
        return InputError(
            f"{book.file}: missing 'Name', 'vCPUs' and 'Memory (GiB)', expected a table of workloads; found columns "
            f"{shown}; {how(book.file)}"
        )
    shown = ", ".join(book.sheet_names[:12]) or "none"
    close = next((hit for name in book.sheet_names if (hit := nearest(name, ("Workloads", "vInfo")))), None)
    hint = f"; did you mean {close!r}?" if close else f"; {how(book.file)}"
    return InputError(
        f"{book.file}: found sheets {shown}, expected sheet 'Workloads' (the planner's template) or 'vInfo' (RVTools), "
        f"or one with names, vCPUs and memory{hint}"
    )


def _nearest(one: Column, mapped: MappedTable) -> str | None:
    """The heading that comes nearest to a missing column: by its words in any language, else by its spelling."""
    levels = {text: named(heading_parts(text)[0], mapped.table).get(one.name, 0.0) for text in mapped.ignore}
    best = max(levels, key=levels.get, default=None)
    if best is not None and levels[best] > 0:
        return best
    return nearest(one.label, mapped.ignore) or nearest(one.name, mapped.ignore)


def how(file: str) -> str:
    """How to say what the columns of a file mean, for messages."""
    return f"to say what columns mean: planner mapping {file} -o mapping.toml, then --mapping mapping.toml"
