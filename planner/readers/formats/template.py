"""Our own template: a workbook with sheets Workloads, Hosts, Host models and Rules, or one table as CSV."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from planner import schema
from planner.errors import InputError, UnknownColumns, nearest
from planner.readers.cells import cells_of, headings_of
from planner.readers.columns import Match, fold, frame_from_sheet, heading_row, match
from planner.readers.machines import may_be_storage, told_apart
from planner.readers.rules import SHEET as RULES
from planner.readers.rules import rules_of
from planner.readers.sandbox import Sheet, Workbook
from planner.readers.tables import Tables, note, remarks_of
from planner.schema import FLAGS, STATES, Origin
from planner.units import counted

FORMAT = "template"
SHEET_OF = {"workloads": "Workloads", "hosts": "Hosts", "host_models": "Host models"}
"""Sheet of each table."""

SHEETS = (*SHEET_OF.values(), RULES)

_READ_ME = fold("Read me")


def recognises(workbook: Workbook) -> bool:
    """Whether the workbook has sheets of the template, or is one table whose headings fit."""
    if workbook.find(SHEET_OF["workloads"]) and not _has_headings(workbook):
        return False
    if any(workbook.find(name) for name in SHEET_OF.values()):
        ours = {*map(fold, SHEETS), _READ_ME}
        others = [name for name in workbook.sheet_names if fold(name) not in ours]
        # Somebody's own workbook may have a sheet Hosts beside a list of machines.
        return bool(workbook.find(SHEET_OF["workloads"]) or not others or nearest(SHEET_OF["workloads"], others))
    only = workbook.only
    return only is not None and _table_of(only) is not None


def resembles(workbook: Workbook) -> bool:
    """Whether there is a sheet of workloads."""
    return workbook.find(SHEET_OF["workloads"]) is not None


def parse(workbook: Workbook) -> Tables:
    """The tables of a template.

    Parameters
    ----------
    workbook : Workbook

    Returns
    -------
    Tables

    Raises
    ------
    InputError
        A sheet that is almost called ``Workloads``, or an empty sheet ``Workloads``.
    """
    named = {table: workbook.find(name) for table, name in SHEET_OF.items()}
    sheets = {table: sheet for table, sheet in named.items() if sheet is not None}
    ruled = workbook.find(RULES)
    taken = {sheet.name for sheet in (*sheets.values(), ruled) if sheet is not None}
    others = [name for name in workbook.sheet_names if name not in taken]
    if not sheets:
        only = workbook.only
        sheets, others = {_table_of(only) or "workloads": only}, []
    elif "workloads" not in sheets and (close := nearest(SHEET_OF["workloads"], others)):
        raise InputError(f"{workbook.file}: sheet 'Workloads' is missing; did you mean {close!r}?")
    tables = Tables(file=workbook.file, format=FORMAT if workbook.table is None else "table")
    for table, sheet in sheets.items():
        if not sheet.rows and table != "workloads":
            tables.notes.append(note("ignored", "the sheet is empty", file=workbook.file, sheet=sheet.name))
            continue
        tables.frames[table], tables.origins[table], notes = frame_from_sheet(sheet, table, workbook.file)
        tables.notes.extend(notes)
        tables.notes.extend(remarks_of(sheet, workbook.file))
        if not any(named.values()):
            frame, origin, notes = _each_named_once(tables.frames[table], tables.origins[table], table)
            tables.put(table, frame, origin)
            tables.notes.extend(notes)
        if table == "workloads" and "storage_gib" not in tables.frames[table]:
            _refuse_unread_storage(tables.frames[table], tables.origins[table])
            where = {"file": workbook.file, "sheet": sheet.name, "subject": "storage_gib"}
            tables.notes.append(note("information", "no column of storage: read as 0", **where))
    if ruled is not None and len(ruled.rows) > 1:
        frame, origin, notes = frame_from_sheet(ruled, "rules", workbook.file)
        tables.rules.extend(rules_of(frame, origin))
        tables.notes.extend(notes)
    for name in others:
        known = "it explains the template" if fold(name) == _READ_ME else "not a sheet of the template"
        tables.notes.append(note("ignored", known, file=workbook.file, sheet=name))
    return tables


def plain_headings(workbook: Workbook) -> dict[str, dict[str, str]]:
    """Of a file with one table alone: by table, the heading of each attribute.

    Nothing where that is all that the file can hold: no heading is left, and no blank row parts it.
    """
    only = workbook.only
    table = None if only is None or any(map(workbook.find, SHEET_OF.values())) else _table_of(only)
    if table is None:
        return {}
    columns = schema.attributes(table).values()
    header = heading_row(only, columns)
    headings = headings_of(only.rows[header])
    told = {name: found.heading for name, found in match(headings, table).items()}
    if "state" in told and not _tells_states(only.rows[header + 1 :], headings.index(told["state"])):
        del told["state"]
    numbers = only.row_numbers[header:]
    is_parted = numbers[-1] - numbers[0] >= len(numbers)
    return {table: told} if is_parted or {*filter(None, headings)} - {*told.values()} else {}


def _each_named_once(frame: pd.DataFrame, origin: Origin, table: str) -> tuple[pd.DataFrame, Origin, list[dict]]:
    """A list of one's own without rows that name nothing, workloads of one name told apart; a note on either."""
    if "name" not in frame:
        return frame, origin, []
    notes, where = [], {"file": origin.file, "sheet": origin.sheet, "column": origin.heading("name")}
    nameless = schema.is_blank(frame["name"]).to_numpy()
    if nameless.any() and not nameless.all():
        first = origin.row(int(nameless.argmax()))
        message = f"{counted(int(nameless.sum()), 'row')} without a name"
        notes.append(note("dropped", message, **where, row=first, count=nameless.sum()))
        frame = frame[~nameless].reset_index(drop=True)
        origin = replace(origin, rows=origin.rows[~nameless])
    if table != "workloads":
        return frame, origin, notes
    given = schema.texts(frame["name"])
    names = told_apart(given)
    again = [at for at, (name, before) in enumerate(zip(names, given, strict=True)) if name != before]
    if not again:
        return frame, origin, notes
    example = f"such as {names[again[0]]!r} in row {origin.row(again[0])}"
    message = (
        f"{counted(len(again), 'name')} that stood above: each read as one more workload, {example}; counted twice?"
    )
    notes.append(note("suspicious", message, **where, row=origin.row(again[0]), count=len(again)))
    frame = frame.assign(name=pd.Series(names, index=frame.index, dtype=object))
    return frame, origin, notes


def _tells_states(rows: list[list], place: int) -> bool:
    """Whether any cell of a column is a power state, so that another column may not tell it better."""
    return any(str(cell).strip().casefold() in {*STATES, *FLAGS} for cell in cells_of(rows, place))


def _refuse_unread_storage(frame: pd.DataFrame, origin: Origin) -> None:
    """Storage in a column that nothing reads would be read as 0."""
    for heading in frame.columns.difference(list(schema.attributes("workloads")), sort=False):
        filled = any(re.match(r"\s*\d", str(cell)) for cell in frame[heading])
        if filled and may_be_storage(heading):
            expected = "expected a heading such as 'Storage (GiB)', for storage read as 0 would be wrong"
            message = f"found no column of storage that is known, but {heading!r}; {expected}"
            raise UnknownColumns(f"{origin.where()}: {message}", origin.file)


def sheet_of(workbook: Workbook, table: str) -> Sheet:
    """The sheet that holds one table: the one of that name, or the only one.

    Parameters
    ----------
    workbook : Workbook
    table : {"workloads", "hosts", "host_models"}

    Raises
    ------
    InputError
        There are several sheets and none has the name.
    """
    sheet = workbook.find(SHEET_OF[table]) or workbook.only
    if sheet is None:
        close = nearest(SHEET_OF[table], workbook.sheet_names)
        hint = f"did you mean {close!r}?" if close else f"found sheets {', '.join(workbook.sheet_names)}"
        raise InputError(f"{workbook.file}: sheet {SHEET_OF[table]!r} is missing; {hint}")
    return sheet


def _has_headings(workbook: Workbook) -> bool:
    """Whether the sheet of workloads has some of the headings that it cannot do without; rules are of a template."""
    sheet, ruled = workbook.find(SHEET_OF["workloads"]), workbook.find(RULES)
    if not sheet.rows or (ruled is not None and ruled.rows):
        return True
    columns = schema.attributes("workloads").values()
    found = match(headings_of(sheet.rows[heading_row(sheet, columns)]), "workloads")
    required = [column.name in found for column in columns if column.required]
    return 2 * sum(required) > len(required)


def _table_of(sheet: Sheet) -> str | None:
    """The table that the headings fit: hosts where the same column would be cores or vCPUs and hosts fit no worse."""
    found = _fits(sheet)
    if len(found) < 2:
        return next(iter(found), None)
    workloads, hosts = found["workloads"], found["hosts"]
    same_column = workloads["vcpus"].position == hosts["cores"].position
    return "hosts" if same_column and len(hosts) >= len(workloads) else "workloads"


def _fits(sheet: Sheet) -> dict[str, dict[str, Match]]:
    """By table whose required columns the headings have, which heading is which of its columns."""
    found = {}
    for table in ("workloads", "hosts"):
        columns = schema.attributes(table).values()
        headings = headings_of(sheet.rows[heading_row(sheet, columns)]) if sheet.rows else []
        matches = match(headings, table)
        if all(column.name in matches for column in columns if column.required):
            found[table] = matches
    return found
