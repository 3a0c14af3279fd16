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
from planner.readers.tables import counted
from planner.readers.totals import total_word
from planner.schema import FLAGS, STATES
from planner.schema.words import plain, tokens

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
    return _with_templates(_without_hypervisors(without_sections(sheet)))


def without_sections(sheet: Sheet) -> Sheet:
    """The sheet without rows that hold a text in the first column alone, above rows that hold figures."""
    at = _heading_row(sheet, lambda heading: bool(known([heading])), LEAST_COLUMNS)
    if at is None:
        return sheet
    first = next(place for place, text in enumerate(headings_of(sheet.rows[at])) if text)
    below = range(at + 1, len(sheet.rows))
    last = max((row for row in below if _holds_figures(sheet.rows[row])), default=at)
    found = [row for row in below if row < last and _is_lone(sheet.rows[row], first)]
    if not found or len(found) >= MOST_SECTIONS * len(below):
        return sheet
    example = str(sheet.rows[found[0]][first]).strip()
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
        found = [row for row, kind in kinds.items() if _HYPERVISOR.fullmatch(kind)]
        if found and len(found) < len(kinds):
            name = next((cell for cell in sheet.rows[found[0]] if cell is not None), "")
            message = (
                f"{counted(len(found), 'row')} that {headings[place]!r} calls {kinds[found[0]]!r} among others, such "
                f"as {str(name)!r} in row {sheet.row_numbers[found[0]]}: left out, no workload and no host; hosts "
                "belong on a sheet of their own"
            )
            return _without(sheet, found, ("suspicious", "name", message))
    return sheet


def _with_templates(sheet: Sheet) -> Sheet:
    """The sheet with templates told in its column of states, one more if it has none."""
    words = {plain(word) for word, state in STATES.items() if state == "template"} | {"istemplate", "templates"}
    at = _heading_row(sheet, lambda heading: plain(heading) in words)
    if at is None:
        return sheet
    headings, rows = headings_of(sheet.rows[at]), sheet.rows[at + 1 :]
    place = next(place for place, text in enumerate(headings) if plain(text) in words)
    cells = ["" if cell is None else str(cell).strip().casefold() for cell in cells_of(rows, place)]
    if not all(cell in FLAGS or not cell for cell in cells) or not any(cells):
        return sheet
    marked = [FLAGS.get(cell) == "yes" for cell in cells]
    states = _column_of_states(headings, rows)
    width = max(len(row) for row in sheet.rows[at:])
    heads = [*sheet.rows[at], *[None] * (width - len(sheet.rows[at]))]
    full = [[*row, *[None] * (width - len(row))] for row in rows]
    if states is None:
        states = width
        heads.append(HEADING)
        full = [[*row, "on"] for row in full]
    for row, is_template in zip(full, marked, strict=True):
        row[states] = "template" if is_template else row[states]
    sheet = replace(sheet, rows=[*sheet.rows[:at], heads, *full])
    if not any(marked):
        return sheet
    message = f"{counted(sum(marked), 'row')} that {headings[place]!r} marks: read as a template"
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
    alone = isinstance(text, str) and sum(cell is not None for cell in row) == 1
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
