"""Rows of a list that are no machines to place: hypervisors among VMs, templates, and names of sections."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from planner.readers.cells import cells_of, headings_of
from planner.readers.columns import MAX_TITLE_ROWS, match
from planner.readers.mapping.headings import known
from planner.readers.mapping.profiles import measure_of
from planner.readers.mapping.scores import BESIDE, named
from planner.readers.sandbox import Sheet
from planner.readers.totals import total_word
from planner.schema import FLAGS, STATES
from planner.schema.words import plain, tokens
from planner.units import counted

HEADING = "State"
LEAST_COLUMNS = 3
MOST_SECTIONS = 0.5
"""Share of the rows that may be names of sections: where more hold a name alone, figures are missing."""

_KINDS = frozenset(
    {plain(word) for word in ("type", "typ", "art", "kind", "class", "klasse", "tipo", "rodzaj", "種類")}
)
_ROLES = frozenset(
    {plain(word) for word in ("role", "rolle", "category", "kategorie", "vm type", "vm typ", "device type")}
)
_TEMPLATES = frozenset(
    {plain(word) for word, state in STATES.items() if state == "template"} | {"istemplate", "templates"}
)
_SYSTEM_OF_HOSTS = re.compile(r"\besxi?\b|hyper-v server|proxmox|xenserver|xcp-ng", re.IGNORECASE)
_HYPERVISOR = re.compile(
    r"((vmware|physical|physischer|virtuali[sz]ation|virtualisierungs|hyper-?v|proxmox|hypervisor|esxi?|kvm|xen|vm)"
    r"[ -]?)?"
    r"(hosts?|hypervisor|hyperviseur|hipervisor|esxi?|hostserver|ホスト|ハイパーバイザー?)( ?(server|node|system))?",
    re.IGNORECASE,
)


def with_machines_alone(sheet: Sheet) -> Sheet:
    """The sheet without rows of hypervisors among those of VMs and rows that name a section, templates told as a state.

    A remark says what was left out. The sheet is as it is where it has neither.
    """
    return _with_templates(_doubted_by_system(_without_hypervisors(without_sections(sheet))))


def without_sections(sheet: Sheet) -> Sheet:
    """The sheet without rows that hold a text alone, first or among the names, above rows that hold figures."""
    at = _heading_row(sheet, lambda heading: bool(known([heading])), LEAST_COLUMNS)
    if at is None:
        return sheet
    headings = headings_of(sheet.rows[at])
    first = next(place for place, text in enumerate(headings) if text)
    places = {first} | {
        place for place, text in enumerate(headings) if named(text, "workloads").get("name", 0) >= BESIDE
    }
    below = range(at + 1, len(sheet.rows))
    last = next((row for row in reversed(below) if _holds_figures(sheet.rows[row])), at)
    found = [row for row in range(at + 1, last) if any(_is_lone(sheet.rows[row], place) for place in places)]
    if not found or len(found) >= MOST_SECTIONS * len(below):
        return sheet
    example = next(str(cell).strip() for cell in sheet.rows[found[0]] if cell is not None)
    message = (
        f"{counted(len(found), 'row')} without any figure above rows that have some, such as {example!r} in row "
        f"{sheet.row_numbers[found[0]]}: read as the name of a section, no machine"
    )
    return _without(sheet, found, ("dropped", "name", message))


def _without_hypervisors(sheet: Sheet) -> Sheet:
    """The sheet without rows that a column of kinds calls hosts where it calls others something else."""
    at = _heading_row(sheet, lambda heading: plain(heading) in _KINDS | _ROLES)
    if at is None:
        return sheet
    headings = headings_of(sheet.rows[at])
    rows = range(at + 1, len(sheet.rows))
    for place in (place for place, text in enumerate(headings) if plain(text) in _KINDS | _ROLES):
        kinds = {row: str(cell).strip() for row in rows if (cell := _cell(sheet.rows[row], place)) is not None}
        called = {kind for kind in set(kinds.values()) if _HYPERVISOR.fullmatch(kind)}
        found = [row for row, kind in kinds.items() if kind in called]
        if found and len(found) < len(kinds):
            name = next((cell for cell in sheet.rows[found[0]] if cell is not None), "")
            message = (
                f"{counted(len(found), 'row')} that {headings[place]!r} calls {kinds[found[0]]!r} among others, such "
                f"as {str(name)!r} in row {sheet.row_numbers[found[0]]}: left out, no workload and no host; hosts "
                "belong on a sheet of their own"
            )
            return _without(sheet, found, ("suspicious", "name", message))
    return sheet


def _doubted_by_system(sheet: Sheet) -> Sheet:
    """The sheet with a remark on rows with the system of a hypervisor among others: nested ones are workloads."""
    at = _heading_row(sheet, lambda heading: named(heading, "workloads").get("os", 0.0) >= BESIDE)
    if at is None:
        return sheet
    headings = headings_of(sheet.rows[at])
    place = next(place for place, text in enumerate(headings) if named(text, "workloads").get("os", 0.0) >= BESIDE)
    cells = cells_of(sheet.rows[at + 1 :], place)
    texts = {cell for cell in cells if isinstance(cell, str)}
    systems = {text for text in texts if _SYSTEM_OF_HOSTS.search(text)}
    found = [row for row, cell in enumerate(cells) if isinstance(cell, str) and cell in systems]
    if not found or len(found) == sum(cell is not None for cell in cells):
        return sheet
    message = (
        f"{counted(len(found), 'row')} with {cells[found[0]]!r} under {headings[place]!r} among others, such as row "
        f"{sheet.row_numbers[at + 1 + found[0]]}: is that a host, not a workload?"
    )
    return _remarked(sheet, ("suspicious", "os", message), len(found))


def _with_templates(sheet: Sheet) -> Sheet:
    """The sheet with templates told in its column of states, one more if it has none.

    A column called so marks them by yes and no, one of kinds by its word for them.
    """
    at = _heading_row(sheet, lambda heading: plain(heading) in _TEMPLATES | _KINDS)
    if at is None:
        return sheet
    headings, rows = headings_of(sheet.rows[at]), sheet.rows[at + 1 :]
    for place in (place for place, text in enumerate(headings) if plain(text) in _TEMPLATES | _KINDS):
        cells = ["" if cell is None else str(cell).strip().casefold() for cell in cells_of(rows, place)]
        if plain(headings[place]) in _TEMPLATES:
            is_told = any(cells) and all(cell in FLAGS or not cell for cell in cells)
            marked = [FLAGS.get(cell) == "yes" for cell in cells]
        else:
            marked = [STATES.get(cell) == "template" for cell in cells]
            is_told = any(marked)
        if is_told:
            return _marked(sheet, at, marked, headings[place])
    return sheet


def _marked(sheet: Sheet, at: int, marked: Sequence[bool], heading: str) -> Sheet:
    """The sheet with some rows below its headings told as templates; the column of states is there even if none is."""
    rows = sheet.rows[at + 1 :]
    states = _column_of_states(headings_of(sheet.rows[at]), rows)
    width = max(len(row) for row in sheet.rows[at:])
    heads = [*sheet.rows[at], *[None] * (width - len(sheet.rows[at]))]
    full = [[*row, *[None] * (width - len(row))] for row in rows]
    if states is None:
        states = width
        heads.append(HEADING)
        full = [[*row, "on" if any(cell is not None for cell in row) else None] for row in full]
    for row, is_template in zip(full, marked, strict=True):
        row[states] = "template" if is_template else row[states]
    sheet = replace(sheet, rows=[*sheet.rows[:at], heads, *full])
    if not any(marked):
        return sheet
    message = f"{counted(sum(marked), 'row')} that {heading!r} marks: read as a template"
    return _remarked(sheet, ("converted", "state", message), sum(marked))


def _column_of_states(headings: Sequence[str], rows: list[list]) -> int | None:
    """The column whose heading is one of states and whose cells mostly are some."""
    told = match(headings, "workloads").get("state")
    level = {place: named(text, "workloads").get("state", 0.0) for place, text in enumerate(headings)}
    places = [place for place in level if level[place] >= BESIDE or (told is not None and told.position == place)]
    for place in places:
        cells = [str(cell).strip().casefold() for cell in cells_of(rows, place) if cell is not None]
        if cells and 2 * sum(cell in STATES or cell in FLAGS for cell in cells) > len(cells):
            return place
    return None


def _heading_row(sheet: Sheet, is_one: Callable[[str], bool], least: int = 1) -> int | None:
    """Position of the first row of texts with as many such headings; None where the first rows have none."""
    for at, row in enumerate(sheet.rows[: MAX_TITLE_ROWS + 1]):
        told = [cell for cell in row if cell is not None]
        if (
            len(told) > 1
            and all(isinstance(cell, str) for cell in told)
            and sum(map(is_one, headings_of(row))) >= least
        ):
            return at
    return None


def _is_lone(row: Sequence[object], place: int) -> bool:
    """Whether a row holds a text in one place alone that is neither a heading nor called a total."""
    text = _cell(row, place)
    alone = isinstance(text, str) and row.count(None) == len(row) - 1
    return alone and bool(tokens(text)) and not _is_heading(text) and not total_word(text)


def _is_heading(text: str) -> bool:
    """Whether a text goes on with the headings above it: names an attribute, or a unit."""
    levels = (max(named(text, table).values(), default=0.0) for table in ("workloads", "hosts"))
    return bool(measure_of(text.strip("()[] "))) or any(level >= BESIDE for level in levels)


def _holds_figures(row: Sequence[object]) -> bool:
    return any(isinstance(cell, int | float) or (isinstance(cell, str) and cell[:1].isdigit()) for cell in row[1:])


def _cell(row: Sequence[object], place: int) -> object:
    return row[place] if place < len(row) else None


def _without(sheet: Sheet, rows: Sequence[int], remark: tuple[str, str, str]) -> Sheet:
    # Blank rows stay, for a gap in the numbers parts one table from another.
    kept = [[None] * len(row) if at in set(rows) else row for at, row in enumerate(sheet.rows)]
    return _remarked(replace(sheet, rows=kept), remark, len(rows))


def _remarked(sheet: Sheet, remark: tuple[str, str, str], count: int) -> Sheet:
    return replace(sheet, remarks=tuple(dict.fromkeys((*sheet.remarks, (*remark, count)))))
