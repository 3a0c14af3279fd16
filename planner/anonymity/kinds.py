"""What kind of thing a column holds, from its heading and the sheet that it stands in."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module

from planner import schema
from planner.anonymity.vocabulary import headings, lines_of, numbering
from planner.readers import formats
from planner.readers.cells import headings_of
from planner.readers.columns import MAX_TITLE_ROWS, Column, fold, match_columns, split_unit
from planner.readers.series_columns import ALIASES

KEPT = ("value", "os", "version", "hardware", "count")
"""Kinds whose numbers stay, and whose texts stay where they are harmless."""

_TABLES = ("workloads", "hosts", "host_models", "rules")
_BY_ATTRIBUTE = {
    "name": "vm", "host": "host", "pool": "cluster", "os": "os", "application": "application", "model": "hardware",
    "vendor": "hardware", "keep_together": "group", "keep_apart": "group", "pin": "hosts", "forbid": "hosts",
    "require_tag": "tag", "avoid_tag": "tag", "tags": "tag", "rack": "rack", "uuid": "uuid", "id": "id",
    "vcenter": "uuid", "hosts": "hosts", "state": "value", "sizing": "value", "tier": "value", "type": "value",
    "kind": "value", "accessible": "value",
}  # fmt: skip
_KNOWN_SHEETS = {fold(name): name for name in lines_of("sheets.txt")}
_OURS = frozenset(map(fold, ("", "Workloads", "Hosts", "Host models", "Rules", "Read me")))
_DIGITS = re.compile(r"\d+")
_UNIT_BEHIND = re.compile(r"(?<=[a-z])(?:[KMGT]i?B|MHz)$")
_TAB = re.compile(r"RVTools_tab([A-Za-z_]+)", re.IGNORECASE)


def known_sheet(name: str) -> bool:
    """Whether a sheet of this name belongs to a tool."""
    return fold(name) in _KNOWN_SHEETS


def tab_of(stem: str) -> str:
    """The tab that a file of an export holds, from its name; "" where it tells none.

    >>> tab_of("RVTools_tabvInfo"), tab_of("acme RVTools_tabvHost 2024"), tab_of("servers")
    ('vInfo', 'vHost', '')
    """
    found = _TAB.search(stem)
    return _KNOWN_SHEETS.get(fold(found[1]), "") if found else ""


def kind_of(heading: str, sheet: str = "") -> str | None:
    """Kind of a column; None where no tool has such a heading.

    >>> kind_of("VM"), kind_of("Name", "vDatastore"), kind_of("Provisioned MiB", "vInfo"), kind_of("Cost centre")
    ('vm', 'datastore', 'value', None)
    """
    text, unit = split_unit(heading)
    spellings, listed, where = _spellings(heading), _listed(), fold(sheet)
    if where and (kind := _first(listed, where, spellings)):
        return kind
    if unit and (kind_of(text, sheet) or _of_readers(heading)):
        return "value"
    if where in _OURS and (kind := _of_schema(heading)) in ("value", "count"):
        return kind
    return (
        _first(listed, "", spellings)
        or _of_schema(heading)
        or _of_readers(heading)
        or _of_series(text)
        or _of_database(heading)
    )


def kind_within(name: str, places: Iterable[str]) -> str | None:
    """Kind of a value of a document, from its name and the kinds and names of the records that hold it, inmost first.

    >>> kind_within("name", ["metadata", "Node"]), kind_within("name", ["env"]), kind_within("name", [])
    ('host', 'numbering', 'vm')
    """
    spellings = _spellings(name)
    found = (_first(_listed(), fold(place), spellings) for place in places if place)
    return next(filter(None, found), None) or kind_of(name)


def is_numbering(heading: str) -> bool:
    """Whether numbers below a heading that no tool has are likely to be identifiers.

    >>> is_numbering("Asset no."), is_numbering("Weight")
    (True, False)
    """
    return any(word in numbering() for word in re.findall(r"[a-z]+", heading.casefold()))


def is_series(headings: list[str]) -> bool:
    """Whether a table has a moment a row and a machine a column, so that strange headings are machines.

    >>> is_series(["Time", "web-1", "web-2"]), is_series(["Time", "VM", "CPU %"])
    (True, False)
    """
    strange = sum(kind_of(text) is None for text in headings[1:])
    return bool(headings) and fold(headings[0]) in ALIASES["timestamp"] and strange > len(headings[1:]) / 2


def heading_row(rows: list[list], sheet: str) -> int:
    """Position of the row of headings: the one of the first few in which most cells are headings of tools."""
    found = [
        sum(kind_of(text, sheet) is not None for text in headings_of(row) if text) for row in rows[: MAX_TITLE_ROWS + 1]
    ]
    return max(range(len(found)), key=lambda position: found[position], default=0)


def _spellings(heading: str) -> list[str]:
    text, _ = split_unit(heading)
    return [fold(heading), fold(text), _DIGITS.sub("1", fold(heading)), _DIGITS.sub("1", fold(text))]


def _first(listed: dict, where: str, spellings: list[str]) -> str | None:
    return next((listed[where, text] for text in spellings if (where, text) in listed), None)


@cache
def _listed() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for (sheet, heading), kind in headings().items():
        found.setdefault((fold(sheet), fold(heading)), kind)
    return found


@cache
def _of_schema(heading: str) -> str | None:
    for table in _TABLES:
        attributes = schema.attributes(table)
        for name in match_columns([heading], attributes.values()):
            given = attributes[name]
            if given.is_number or given.type in ("flag", "state"):
                return "count" if name == "count" else "value"
            return _BY_ATTRIBUTE.get(name, "text")
    return None


@cache
def _of_readers(heading: str) -> str | None:
    for columns in _columns_of_readers():
        for name in match_columns([heading], columns):
            column = next(column for column in columns if column.name == name)
            return "value" if column.type != "text" else _BY_ATTRIBUTE.get(name.partition("_")[0], "text")
    return None


@cache
def _columns_of_readers() -> tuple[tuple[Column, ...], ...]:
    """Every table of columns that a reader of some format declares."""
    return tuple(dict.fromkeys(_tables_of_columns()))


def _tables_of_columns() -> Iterator[tuple[Column, ...]]:
    for module in pkgutil.walk_packages(formats.__path__, formats.__name__ + "."):
        for value in vars(import_module(module.name)).values():
            if isinstance(value, tuple) and value and all(isinstance(one, Column) for one in value):
                yield value


def _of_series(text: str) -> str | None:
    part = next((part for part, known in ALIASES.items() if fold(text) in known), None)
    return None if part is None else "vm" if part == "workload" else "value"


def _of_database(heading: str) -> str | None:
    """Kind of a heading that begins with the name of its sheet, as RVTools writes them into a database."""
    for sheet in _KNOWN_SHEETS.values():
        if heading.startswith(sheet) and len(heading) > len(sheet):
            column = _UNIT_BEHIND.sub("", heading[len(sheet) :])
            return _first(_listed(), fold(sheet), [fold(column)]) or _first(_listed(), "", [fold(column)])
    return None
