"""What the columns of an own spreadsheet mean: shown, corrected, and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

import planner
from planner import readers, units
from planner.readers.mapping import MappedColumn, MappedTable, Mapping, Suggestion
from planner.readers.mapping.attributes import TABLES, columns_of
from planner.web import frame

NOTHING = ""
AS_IT_STANDS = ""
MOST_COLUMNS = 60
"""Columns of one table that can be corrected here; more are for a .toml file."""

TABLE_WORDS = {
    "workloads": "workloads",
    "hosts": "hosts that are owned",
    "host_models": "host models to buy",
    "usage": "what machines of another file use",
}


def show(key: str, sources: list, found: planner.Inventory | planner.InputError) -> Mapping | None:
    """A box to correct what columns mean, where somebody had to guess; the mapping where it was corrected.

    Parameters
    ----------
    key : str
        Changes whenever the files do.
    sources : list
        Files that were read.
    found : Inventory or InputError
        What reading them without a correction gave.
    """
    suggestions = _suggestions(key, sources, found)
    if not suggestions:
        return None
    sure = all(one.mapped.is_sure for one in suggestions)
    with st.expander("What the columns mean", expanded=not sure):
        st.caption("The file is of no known tool. Correct what was guessed: the file is read again at once.")
        try:
            tables = tuple(_table(f"{key}_{number}_{one.origin}", one) for number, one in enumerate(suggestions))
            mapping = Mapping(tables=tables)
        except planner.InputError as error:
            frame.show_error(str(error))
            return None
        _memory(sources, mapping, suggestions)
    return None if mapping == Mapping(tables=tuple(one.mapped for one in suggestions)) else mapping


def _suggestions(key: str, sources: list, found: planner.Inventory | planner.InputError) -> list[Suggestion]:
    """What was guessed or is remembered, once a session; nothing where the files are in a known format."""
    if st.session_state.get("suggestions_key") != key:
        told: list[Suggestion] = []
        if isinstance(found, planner.InputError) or any("columns " in one.dialect for one in found.imports):
            try:
                told = readers.suggestions(sources)
            except planner.InputError:
                told = []  # The page says already why the file cannot be opened.
        st.session_state["suggestions"], st.session_state["suggestions_key"] = told, key
    return st.session_state["suggestions"]


def _table(key: str, one: Suggestion) -> MappedTable:
    """The controls of one table, and what they say."""
    mapped = one.mapped
    place = f"{one.file}, sheet {mapped.sheet}" if mapped.sheet else one.file
    left, right = st.columns([3, 2])
    left.markdown(f"**{frame.as_text(place)}**, headings in row {mapped.row}")
    kind = right.selectbox(
        "a table of", TABLES, index=TABLES.index(mapped.table), format_func=TABLE_WORDS.get, key=f"table_{key}"
    )
    known = {column.heading: column for column in mapped.columns if column.attribute in columns_of(kind)}
    shown = list(one.samples)[:MOST_COLUMNS]
    chosen = [_column(f"{kind}_{key}", number, heading, one, kind, known) for number, heading in enumerate(shown)]
    columns = [column for column in chosen if column is not None]
    columns += [column for heading, column in known.items() if heading not in shown]
    taken = {column.heading for column in columns}
    ignore = tuple(heading for heading in one.samples if heading not in taken)
    return replace(mapped, table=kind, columns=tuple(columns), ignore=ignore)


def _column(
    key: str, number: int, heading: str, one: Suggestion, kind: str, known: dict[str, MappedColumn]
) -> MappedColumn | None:
    """The controls of one column: what it means, and its unit where it has one."""
    guess, attributes = known.get(heading), columns_of(kind)
    options = [NOTHING, *attributes]
    texts, meaning, unit = st.columns([3, 2, 1])
    sure = f", confidence {guess.confidence:.2f}" if guess is not None and not one.origin else ""
    texts.markdown(f"**{frame.as_text(heading)}**{sure}")
    texts.caption(frame.as_text(", ".join(one.samples[heading]) or "blank"))
    attribute = meaning.selectbox(
        f"meaning of {heading}",
        options,
        index=options.index(guess.attribute) if guess is not None else 0,
        format_func=lambda name: attributes[name].label if name else "not read",
        key=f"meaning_{key}_{number}",
        label_visibility="collapsed",
    )
    if attribute == NOTHING:
        return None
    spelled = guess.unit if guess is not None and guess.attribute == attribute else AS_IT_STANDS
    wanted = attributes[attribute].unit
    if wanted in units.SCALES:
        choices = list(dict.fromkeys([AS_IT_STANDS, spelled, *units.spellings(wanted)]))
        spelled = unit.selectbox(
            f"unit of {heading}",
            choices,
            index=choices.index(spelled),
            format_func=lambda name: name or f"cells say, or {wanted}",
            key=f"unit_{key}_{number}_{attribute}",
            label_visibility="collapsed",
        )
    else:
        spelled = AS_IT_STANDS
    return MappedColumn(
        heading=heading, attribute=attribute, unit=spelled, confidence=guess.confidence if guess else 1.0
    )


def _memory(sources: list, mapping: Mapping, suggestions: Sequence[Suggestion]) -> None:
    """Buttons to remember the mapping for the same headings, and to forget it."""
    left, right = st.columns(2)
    if left.button("Remember this mapping", key="remember_mapping", help="For files with the same headings."):
        try:
            number = readers.remember(sources, mapping)
            st.success(f"Remembered for files with the same headings: {number} table{'s' if number != 1 else ''}.")
        except planner.InputError as error:
            frame.show_error(str(error))
    remembered = any(one.origin.startswith("remembered") for one in suggestions)
    if remembered and right.button("Forget it", key="forget_mapping"):
        readers.forget(sources)
        for name in ("read_key", "suggestions_key"):
            st.session_state.pop(name, None)
        st.rerun()
