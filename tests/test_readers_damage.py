"""Damaged exports end in an inventory or in one clear error, and totals never change without a word.

What each kind of damage must do is computed here from the undamaged export. LAWS multiplies the number of cases.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.errors import InputError
from planner.inventory import Inventory
from planner.readers.exports import as_text
from tests.conftest import TIMES
from tests.damage import (
    READ,
    WHERE,
    Tab,
    books_of,
    figures,
    names_row,
    near,
    new_notes,
    outcome,
    place,
    plain,
    rng_of,
    says,
    tabs_of,
    untouched,
    workload_rows,
)
from tests.exports import EXPORTS

BLANK = (None, float("nan"), "", "  ")
JUNK = (
    *("abc", "#REF!", "=B2*2", "2026-01-15T09:00:00", "1.2.3", "1e999", "12 parsecs", "0x10", "1_000", "-5", "--7"),
    *(-1.0, 1e18, 10**300, float("inf"), True, [1, 2], {"a": 1}, "1;2", "inf", "five", "4 4"),
)
"""What is no size of a machine, however it is read."""

SIZES = [(key, what) for key in READ for what in WHERE[key] if what != "name"]
CASES = {"quiet": 3, "sizes": 22, "blanks": 1, "deleted": 1, "repeated": 1, "headings": 1, "cells": 4, "sheets": 2}
"""Readings of each law and export, or column of sizes."""

BY_NAME = ("kubernetes",)
"""Documents that programs write: fields have one spelling, and no headings."""

every_read = pytest.mark.parametrize("key", READ)


def test_a_run_has_two_thousand_cases():
    whole = sum(count for law, count in CASES.items() if law not in ("sizes", "blanks", "cells", "sheets"))
    columns = CASES["sizes"] + CASES["blanks"]
    assert len(READ) * whole + len(SIZES) * columns + len(EXPORTS) * (CASES["cells"] + CASES["sheets"]) >= 2000


def seeds(law: str) -> range:
    return range(CASES[law] * max(round(TIMES), 1))


def shuffle_columns(key: str, tabs: list[Tab], rng) -> None:
    for tab in tabs:
        width = max(map(len, tab.rows))
        order = rng.permutation(width)
        for row in range(len(tab.rows)):
            if row >= tab.header:
                tab.rows[row][:] = [tab.cell(row, position) for position in order]


def add_columns(key: str, tabs: list[Tab], rng) -> None:
    for tab in tabs:
        for number in range(rng.integers(1, 4)):
            at = int(rng.integers(tab.width + 1))
            for row in range(tab.header, len(tab.rows)):
                tab.put(row, max(at - 1, 0), tab.cell(row, max(at - 1, 0)))
                noise = rng.choice(["x", "7", "n/a", "ok", ""]) if row > tab.header else f"Remark {number}{at}"
                tab.rows[row].insert(at, str(noise) or None)


def respell(key: str, tabs: list[Tab], rng) -> None:
    """Case, blanks and underscores of headings."""
    for tab in tabs:
        for position in range(tab.width):
            heading = tab.cell(tab.header, position)
            if isinstance(heading, str):
                changed = rng.choice([heading.upper(), heading.lower(), f" {heading}  ", heading.replace(" ", "  ")])
                tab.put(tab.header, position, str(changed))


def add_titles(key: str, tabs: list[Tab], rng) -> None:
    for tab in tabs:
        for _ in range(rng.integers(1, 3)):
            tab.insert(0, ["Servers of our data centre, as of January"])


def shuffle_rows(key: str, tabs: list[Tab], rng) -> None:
    for tab in tabs:
        body = tab.rows[tab.header + 1 :]
        tab.rows[tab.header + 1 :] = [body[position] for position in rng.permutation(len(body))]


def add_totals(key: str, tabs: list[Tab], rng) -> None:
    """A row of sums below the list of workloads."""
    tab, name = place(key, tabs, "name")
    columns = [found[1] for what in WHERE[key] if what != "name" and (found := place(key, tabs, what))[0] is tab]
    sums = [None] * (tab.width + 1)
    for position in columns:
        cells = [tab.cell(row, position) for row in tab.body]
        if all(isinstance(cell, int | float | None) for cell in cells):
            sums[position] = float(sum(cell or 0.0 for cell in cells))
    if any(sums):
        sums[name] = str(rng.choice(["Total", "Summe:", "SUM"]))
        tab.insert(len(tab.rows), sums)


QUIET = (shuffle_columns, add_columns, respell, add_titles, shuffle_rows, add_totals)


@every_read
def test_what_says_nothing_new_changes_nothing(key):
    before = untouched(key)
    for seed in seeds("quiet"):
        rng = rng_of("quiet", key, seed)
        damage = QUIET[(seed + READ.index(key)) % len(QUIET)]
        books = books_of(key)
        if key in BY_NAME and damage in (respell, add_titles):
            continue
        damage(key, tabs_of(books), rng)
        after = outcome(books)
        assert isinstance(after, Inventory), (damage.__name__, seed, after)
        assert figures(after) == near(figures(before)), (damage.__name__, seed)


@pytest.mark.parametrize(("key", "what"), SIZES, ids=map(" ".join, SIZES))
def test_junk_where_a_size_belongs_is_told_with_its_row(key, what):
    for seed in seeds("sizes"):
        rng = rng_of("size", key, what, seed)
        books = books_of(key)
        tab, position, row, name = drawn_size(key, what, tabs_of(books), rng)
        junk = JUNK[(seed + len(what) + READ.index(key)) % len(JUNK)]
        tab.put(row, position, junk)
        after = outcome(books)
        about = (tab.name, tab.numbers[row], name, junk)
        if isinstance(after, InputError):
            assert names_row(says(after), tab.numbers[row]), (about, after)
        else:
            told = new_notes(untouched(key), after)
            assert any(note["row"] == tab.numbers[row] or plain(note["subject"]) == name for note in told), about


@pytest.mark.parametrize(("key", "what"), SIZES, ids=map(" ".join, SIZES))
def test_a_blank_where_a_size_belongs_is_told_or_known_elsewhere(key, what):
    for seed in seeds("blanks"):
        rng = rng_of("blank", key, what, seed)
        books = books_of(key)
        tab, position, row, name = drawn_size(key, what, tabs_of(books), rng)
        tab.put(row, position, BLANK[seed % len(BLANK)])
        after = outcome(books)
        about = (tab.name, tab.numbers[row], name)
        if isinstance(after, InputError):
            assert names_row(says(after), tab.numbers[row]), (about, after)
        elif figures(after) != near(figures(untouched(key))):
            assert new_notes(untouched(key), after), about


def drawn_size(key: str, what: str, tabs: list[Tab], rng) -> tuple[Tab, int, int, str]:
    """A cell of a size: tab, column, row, and the name in its row."""
    tab, position = place(key, tabs, what)
    named, _ = place(key, tabs, "name")
    known = workload_rows(key, tabs, untouched(key))
    if tab is named:
        row = int(rng.choice(list(known)))
        return tab, position, row, known[row]
    column = NAME_BESIDE.get(key, 0)
    rows = [row for row in tab.body if as_text(tab.cell(row, column)) in owners(key, tabs, known)]
    row = int(rng.choice(rows))
    return tab, position, row, as_text(tab.cell(row, column))


NAME_BESIDE = {"openstack-csv": 1, "openstack-json": 1}
"""Position of what the rows of other sheets are joined by."""


def owners(key: str, tabs: list[Tab], known: dict[int, str]) -> set[str]:
    """What the rows of workloads are called on the sheet that has their sizes."""
    named, position = place(key, tabs, "name")
    if key.startswith("openstack"):
        position = named.column("Flavor Name")
    elif key == "migration-center":
        position = named.column("MachineId")
    return {as_text(named.cell(row, position)) for row in known}


@every_read
def test_deleted_rows_take_their_own_figures_with_them(key):
    before = untouched(key)
    for seed in seeds("deleted"):
        rng = rng_of("deleted", key, seed)
        books = books_of(key)
        tabs = tabs_of(books)
        tab, _ = place(key, tabs, "name")
        known = workload_rows(key, tabs, before)
        gone = rng.choice(list(known), size=int(rng.integers(1, 5)), replace=False).tolist()
        for row in sorted(gone, reverse=True):
            del tab.rows[row], tab.numbers[row]
        after = outcome(books)
        assert isinstance(after, Inventory), after
        names = {known[row] for row in gone}
        left = before.workloads[~before.workloads["name"].map(plain).isin(names)]
        assert len(left) == len(before.workloads) - len(gone)
        assert len(after.workloads) == len(left)
        for column in ("vcpus", "memory_gib", "storage_gib"):
            total = (left[column] * left["count"]).sum()
            assert (after.workloads[column] * after.workloads["count"]).sum() == pytest.approx(total), column


@every_read
def test_rows_that_stand_twice_count_once_or_are_told(key):
    before = untouched(key)
    for seed in seeds("repeated"):
        rng = rng_of("repeated", key, seed)
        books = books_of(key)
        tabs = tabs_of(books)
        tab, _ = place(key, tabs, "name")
        known = workload_rows(key, tabs, before)
        row = int(rng.choice(list(known)))
        tab.insert(len(tab.rows), list(tab.rows[row]))
        after = outcome(books)
        if isinstance(after, InputError):
            assert known[row] in says(after)
            continue
        told = [note for note in new_notes(before, after) if known[row] in note["subject"]]
        assert told
        assert len(after.workloads) - len(before.workloads) == any(note["kind"] == "converted" for note in told)


@pytest.mark.parametrize("key", [key for key in READ if key not in BY_NAME])
def test_a_misspelt_heading_is_told_where_figures_change(key):
    before = untouched(key)
    for seed in seeds("headings"):
        rng = rng_of("headings", key, seed)
        books = books_of(key)
        tabs = tabs_of(books)
        tab, position = place(key, tabs, list(WHERE[key])[seed % len(WHERE[key])])
        if rng.random() < 0.5:
            tab = tabs[int(rng.integers(len(tabs)))]
            position = int(rng.integers(tab.width))
        heading = as_text(tab.cell(tab.header, position))
        at = int(rng.integers(len(heading) + 1))
        misspelt = f"{heading[:at]}{rng.choice(list('qzö'))}{heading[at + 1 :]}"
        tab.put(tab.header, position, misspelt)
        after = outcome(books)
        if isinstance(after, Inventory) and figures(after) != near(figures(before)):
            text = " ".join(note["message"] + note["column"] for note in new_notes(before, after))
            assert as_text(misspelt) in text, (tab.name, misspelt, figures(after), figures(before))


ANY = (*BLANK, *JUNK, "web", "Total", "poweredOff", "True", "x\ny", "16 GB", "1,5", "1.234,5", False)


@pytest.mark.parametrize("key", EXPORTS)
def test_any_cells_end_in_an_inventory_or_one_error(key):
    for seed in seeds("cells"):
        rng = rng_of("cells", key, seed)
        books = books_of(key)
        tabs = tabs_of(books)
        for _ in range(rng.integers(1, 8)) if tabs else ():
            tab = tabs[int(rng.integers(len(tabs)))]
            row = int(rng.integers(len(tab.rows)))
            cell = ANY[int(rng.integers(len(ANY)))]
            tab.put(row, int(rng.integers(tab.width)), cell if row > tab.header else str(cell))
        assert_accounted(key, outcome(books))


def assert_accounted(key: str, after: Inventory | InputError) -> None:
    """Figures that differ come with a note."""
    if isinstance(after, InputError):
        return
    before = untouched(key) if key in READ else None
    if before is not None and figures(after) != near(figures(before)):
        assert new_notes(before, after)


def drop_a_sheet(books, rng) -> None:
    at = int(rng.integers(len(books)))
    sheets = books[at].sheets
    if sheets:
        del sheets[list(sheets)[int(rng.integers(len(sheets)))]]


def swap_two_sheets(books, rng) -> None:
    sheets = books[int(rng.integers(len(books)))].sheets
    if len(sheets) > 1:
        one, other = rng.choice(list(sheets), size=2, replace=False).tolist()
        first, second = sheets[one], sheets[other]
        sheets[one] = replace(second, name=one)
        sheets[other] = replace(first, name=other)


def cut_rows(books, rng) -> None:
    for tab in tabs_of(books):
        keep = int(rng.integers(len(tab.rows) + 1))
        del tab.rows[keep:], tab.numbers[keep:]


def mix_exports(books, rng) -> None:
    books += books_of(READ[int(rng.integers(len(READ)))])


STRUCTURE = (drop_a_sheet, swap_two_sheets, cut_rows, mix_exports)


@pytest.mark.parametrize("key", EXPORTS)
def test_sheets_that_are_lost_swapped_cut_or_mixed_end_the_same_way(key):
    for seed in seeds("sheets"):
        books = books_of(key)
        STRUCTURE[(seed + list(EXPORTS).index(key)) % len(STRUCTURE)](books, rng_of("sheets", key, seed))
        assert isinstance(outcome(books), Inventory | InputError)
