"""Rows that stand for several machines: how many, and which figures are those of one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from planner.readers.cells import cells_of, headings_of
from planner.readers.columns import MAX_TITLE_ROWS
from planner.readers.mapping.sockets import is_of_hosts
from planner.readers.numerals import numbers_of, style_of
from planner.readers.sandbox import Sheet
from planner.schema.words import table_of, tokens

HEADING = "Count"
_MACHINES = (
    r"(vms?|virtual machines?|virtuelle[rn]? maschinen|instances?|instanzen|servers?|machines?|maschinen|workloads?|"
    r"serveurs|servidores|maquinas)"
)
_NUMBER_OF = re.compile(
    rf"(#|no|no of|nr|number of|count of|quantity of|qty|anzahl|anz|nombre de|nb|numero de|numero di|aantal|liczba) "
    rf"{_MACHINES}|(vm|server|instance|instanz|machine) (count|qty|quantity|anzahl)"
)
_OF_ONE = re.compile(rf"\b(per|je|pro|par|por|each) {_MACHINES}\b")
_OF_ALL = frozenset(
    {
        "total",
        "totals",
        "gesamt",
        "ges",
        "insgesamt",
        "sum",
        "summe",
        "totale",
        "totaal",
        "somme",
        "suma",
        "合計",
        "総数",
    }
)


def with_counts(sheet: Sheet) -> Sheet:
    """The sheet with its number of machines under a heading that says so, where another tells figures of one of them.

    Without one, a remark says that it is not read; on a list of hosts it is how many they carry.
    """
    for at, row in enumerate(sheet.rows[: MAX_TITLE_ROWS + 1]):
        headings = headings_of(row)
        places = [place for place, text in enumerate(headings) if _NUMBER_OF.fullmatch(" ".join(tokens(text)))]
        if len(places) == 1 and len(headings) > 1:
            return _counted(sheet, at, headings, places[0])
    return sheet


def is_of_one(heading: str) -> bool:
    """Whether a heading says that its figures are those of one machine.

    >>> is_of_one("RAM per VM (GB)"), is_of_one("Total RAM (GB)")
    (True, False)
    """
    return bool(_OF_ONE.search(" ".join(tokens(heading))))


def is_of_all(heading: str) -> bool:
    """Whether a heading may say that its figures are those of all machines of a row together.

    >>> is_of_all("Total vCPU"), is_of_all("Total vCPU per VM")
    (True, False)
    """
    return not _OF_ALL.isdisjoint(tokens(heading)) and not is_of_one(heading)


def _counted(sheet: Sheet, at: int, headings: Sequence[str], place: int) -> Sheet:
    cells = cells_of(sheet.rows[at + 1 :], place)
    read = numbers_of(cells, wanted="", unit="", stated=True, sheet=style_of(cells), delimiter=sheet.delimiter)
    several = sum(isinstance(cell, int | float) and cell > 1 for cell in read.cells)
    if not several:
        return sheet
    if any(is_of_one(text) for text in headings):
        sheet = sheet.with_heading(at, place, HEADING)
        remark = ("converted", "count", f"{headings[place]!r} read as how many machines a row stands for", several)
    elif table_of(sheet.name) == "hosts" or is_of_hosts([text for text in headings if text != headings[place]]):
        return sheet
    else:
        message = f"if {headings[place]!r} says how many machines a row stands for, there are more than rows"
        remark = ("suspicious", "count", message, several)
    return replace(sheet, remarks=tuple(dict.fromkeys((*sheet.remarks, remark))))
