"""Tables that were found on a sheet, read as their mapping says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from planner import schema, units
from planner.errors import InputError
from planner.imports import FIGURES_OF_A_HOST, FIGURES_OF_A_WORKLOAD
from planner.readers.cells import cells_of
from planner.readers.columns import Match
from planner.readers.exports import Journal, Part, part_of
from planner.readers.machines import example, may_be_storage, workloads_of
from planner.readers.mapping.attributes import USAGE, columns_of
from planner.readers.mapping.profiles import heading_parts, measure_of, profile
from planner.readers.mapping.proposals import Found
from planner.readers.owned import hosts_of
from planner.readers.sandbox import Sheet, Workbook
from planner.readers.standing import with_resting
from planner.readers.tables import Tables, remarks_of
from planner.schema import FLAGS, STATES, Origin
from planner.schema.words import plain
from planner.units import counted

FORMAT = "table"


def tables_of(found: Found, file: str) -> Tables:
    """One table in the planner's units, with notes on what was guessed.

    Parameters
    ----------
    found : Found
    file : str
        Display name.

    Raises
    ------
    InputError
        Cells that are no numbers, flags or states where the mapping says so.
    """
    journal = Journal(file=file)
    _note_mapping(found, journal)
    part = _part(found, journal)
    journal.close()
    table = found.mapped.table
    if table == "workloads":
        _refuse_unread_storage(found, file)
        frame, origin = workloads_of(_with_states(part, journal), journal)
    elif table == "hosts":
        frame, origin = hosts_of(part, journal)
    else:
        frame, origin = _as_it_stands(part, journal)
    frame = frame if table == USAGE else _with_extras(frame, origin, found, journal)
    if table == "hosts":
        frame, said = with_resting(frame, origin)
        journal.notes.extend(said)
    about = (f"sheet {found.mapped.sheet}" if found.mapped.sheet else "", f"columns {found.origin or 'guessed'}")
    tables = journal.tables(FORMAT, dialect=", ".join(filter(None, about)))
    tables.frames[table], tables.origins[table] = frame, origin
    return replace(tables, confidence=1.0 if found.origin else round(_confidence(found), 4))


def _confidence(found: Found) -> float:
    """The least of the columns that the table cannot be read without and of those with figures that a plan needs."""
    needed = {*FIGURES_OF_A_WORKLOAD, *FIGURES_OF_A_HOST}
    figures = (one.confidence for one in found.mapped.columns if one.attribute in needed)
    return min([found.mapped.confidence, *figures])


def left_over(book: Workbook, found: Iterable[Found]) -> list[dict]:
    """Notes on what a file holds besides its tables, and on what a spreadsheet program does not show of them."""
    found, journal = list(found), Journal(file=book.file)
    for sheet in book.sheets.values():
        own = [one for one in found if one.region.sheet is sheet]
        if not own:
            journal.note("ignored", "no table of workloads or hosts", sheet=sheet.name)
            continue
        journal.notes.extend(remarks_of(sheet, book.file))
        read = {at for one in own for at in (*one.rows, one.at)}
        rest = [at for at, row in enumerate(sheet.rows) if at not in read and any(cell is not None for cell in row)]
        if rest:
            message = f"{counted(len(rest), 'row')} above, between or below the tables"
            journal.note("ignored", message, sheet=sheet.name, row=sheet.row_numbers[rest[0]], count=len(rest))
        if sheet.hidden:
            message = f"{counted(sheet.hidden, 'hidden row')} read like the others"
            journal.note("information", message, sheet=sheet.name, count=sheet.hidden)
        if not sheet.visible:
            journal.note("information", "the sheet is hidden: read like the others", sheet=sheet.name)
    return journal.notes


def _note_mapping(found: Found, journal: Journal) -> None:
    mapped, sheet = found.mapped, found.mapped.sheet
    known = columns_of(mapped.table)
    if found.origin:
        message = f"mapping {found.origin}: {counted(len(mapped.columns), 'column')} read as it says"
        journal.note("information", message, sheet=sheet, row=mapped.row)
        return
    for kind, message in found.remarks:
        journal.note(kind, message, sheet=sheet, row=mapped.row, count=len(found.rows))
    for one in mapped.columns:
        unit = f" in {one.unit}" if one.unit else ""
        journal.note(
            "guessed",
            f"read as {known[one.attribute].label}{unit}, confidence {one.confidence:.2f}",
            sheet=sheet,
            row=mapped.row,
            column=one.heading,
            subject=one.attribute,
            count=len(found.rows),
        )
        if one.unit == "share" and measure_of(heading_parts(one.heading)[1]) == "share":
            journal.note(
                "guessed",
                "all cells are from 0 to 1, as a spreadsheet keeps percent: read as fractions, 0.35 as 35 %",
                sheet=sheet,
                column=one.heading,
                subject=one.attribute,
                count=len(found.rows),
            )


def _part(found: Found, journal: Journal) -> Part:
    """The mapped columns of a table; rows that repeat its headings are dropped."""
    sheet, labels = found.region.sheet, found.region.labels(found.at)
    heads = found.region.cells(found.at)
    again = [at for at in found.rows if found.region.cells(at) == heads]
    for at in again:
        journal.note("dropped", "the headings again", sheet=sheet.name, row=sheet.row_numbers[at])
    rows = [at for at in found.rows if at not in set(again)]
    kept = _rows(sheet, [found.at, *rows])
    known = columns_of(found.mapped.table)
    matches = {
        one.attribute: Match(
            attribute=one.attribute,
            position=labels[one.heading],
            heading=one.heading,
            unit=one.unit,
            factor=units.factor(one.unit or known[one.attribute].unit, known[one.attribute].unit),
            rank=(0, False, 0),
        )
        for one in found.mapped.columns
    }
    needed = {"name", "vcpus", "memory_gib"} if found.mapped.table == "workloads" else {"name"}
    columns = [
        replace(column, type="text") if column.type == "flag" else column
        for name, column in known.items()
        if name in matches or name in needed
    ]
    return _with_flags(part_of(kept, 0, columns, matches, journal), found, journal)


def _rows(sheet: Sheet, positions: list[int]) -> Sheet:
    return replace(
        sheet, rows=[sheet.rows[at] for at in positions], row_numbers=[sheet.row_numbers[at] for at in positions]
    )


def _with_flags(part: Part, found: Found, journal: Journal) -> Part:
    """Flags in any language as booleans; what is none is a finding."""
    known = columns_of(found.mapped.table)
    for name in [name for name in part.frame if known[name].type == "flag"]:
        folded = part.frame[name].str.casefold()
        for position in np.flatnonzero(~folded.isin([*FLAGS, ""])):
            shown = part.frame[name].iloc[position]
            journal.findings.append(f"{part.origin.where(position, name)}: found {shown!r}, expected yes or no")
        part = part.plus(name, folded.map(FLAGS).eq("yes").to_numpy(), like=name)
    return part


def _with_states(part: Part, journal: Journal) -> Part:
    """States told as yes and no: of a column called off, yes is off."""
    if not part.has("state"):
        return part
    folded = part.frame["state"].str.casefold()
    as_flags = (~folded.isin(STATES) & folded.isin(FLAGS)).to_numpy()
    if not as_flags.any():
        return part
    heading = part.origin.heading("state")
    off = plain(heading) in {plain(word) for word, state in STATES.items() if state == "off"}
    meant = {"yes": "off", "no": "on"} if off else {"yes": "on", "no": "off"}
    states = part.frame["state"].mask(as_flags, folded.map(FLAGS).map(meant))
    message = f"with yes or no under {heading!r}: yes read as {meant['yes']}, no as {meant['no']}"
    example(journal, "converted", message, part, as_flags, "state")
    return part.plus("state", states, like="state")


def _as_it_stands(part: Part, journal: Journal) -> tuple[pd.DataFrame, Origin]:
    """Rows with a name; `schema.conform` judges the rest."""
    nameless = (part.frame["name"] == "").to_numpy()
    if nameless.any():
        first = part.origin.row(int(np.flatnonzero(nameless)[0]))
        where = {"sheet": part.origin.sheet, "row": first, "count": nameless.sum()}
        journal.note("dropped", f"{counted(nameless.sum(), 'row')} without a name", **where)
    part = part.keep(~nameless)
    return part.frame, part.origin


def _refuse_unread_storage(found: Found, file: str) -> None:
    """Storage in a column that a guess passes over would be read as 0."""
    if found.origin or "storage_gib" in found.mapped.attributes:
        return
    sheet, labels = found.region.sheet, found.region.labels(found.at)
    for heading in found.mapped.ignore:
        cells = cells_of([sheet.rows[at] for at in found.rows], labels[heading])
        if profile(heading, cells, sheet.delimiter).measure == "GiB" and may_be_storage(f"{heading} (GB)"):
            where = f"{file}, sheet {sheet.name}" if sheet.name else file
            raise InputError(
                f"{where}: found no column of storage that is known, but {heading!r}, for storage read as 0 would be "
                f"wrong; to say what columns mean: planner mapping {file} -o mapping.toml, then --mapping mapping.toml"
            )


def _with_extras(frame: pd.DataFrame, origin: Origin, found: Found, journal: Journal) -> pd.DataFrame:
    """The table with the columns that nothing reads kept under their own headings."""
    sheet, labels = found.region.sheet, found.region.labels(found.at)
    row_of = dict(zip(sheet.row_numbers, sheet.rows, strict=True))
    rows = [row_of[number] for number in origin.rows]
    known = schema.attributes(found.mapped.table)
    extra = {
        heading: pd.Series(cells_of(rows, labels[heading]), index=frame.index, dtype=object)
        for heading in found.mapped.ignore
        if heading not in frame and heading not in known
    }
    journal.unread[sheet.name] = list(found.mapped.ignore)
    return pd.concat([frame, pd.DataFrame(extra, index=frame.index)], axis=1) if extra else frame
