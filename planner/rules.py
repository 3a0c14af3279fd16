"""Placement rules: small frozen dataclasses, each with its law in the docstring.

``x[w]`` is the host of workload `w`. Workloads and hosts are selected by patterns, matched without regard to case: a
name (`sql-*`), or one of the columns in `WORKLOAD_KEYS` and `HOST_KEYS` before a colon (`application:erp`, `tag:gold`,
`rack:R1`).
"""

from __future__ import annotations

import fnmatch
import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path

import numpy as np
import pandas as pd

from planner import settings
from planner.errors import InputError, did_you_mean

WORKLOAD_KEYS = {
    "name": "name",
    "application": "application",
    "pool": "pool",
    "tag": "tags",
    "os": "os",
    "host": "host",
}
HOST_KEYS = {"name": "name", "model": "model", "pool": "pool", "tag": "tags", "rack": "rack"}
"""What may stand before the colon of a pattern, and the column that it is matched against."""

AMOUNTS = ("cores", "memory_gib", "storage_gib", "network_gbps")
"""What `Reserve` can keep free: columns of hosts that it is taken off."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A law that every plan keeps.

    Parameters
    ----------
    source : str
        Where the rule stands, for messages; rules that differ in nothing else are equal.
    """

    source: str = field(default="", compare=False, repr=False)

    def __post_init__(self):
        kind = type(self).__name__
        for name, hint in type(self).__annotations__.items():
            value = getattr(self, name)
            if "tuple" in hint:
                blank = () if value in ((), "") and name == "others" else None
                object.__setattr__(self, name, _patterns(value, f"{kind} {name}") if blank is None else blank)
            elif hint == "int":
                settings.require(value, f"{kind} {name}", 1, 1_000_000)
                if value != int(value):
                    raise InputError(f"{kind} {name}: found {value!r}, expected a whole number")
                object.__setattr__(self, name, int(value))
            elif hint == "str" and not (isinstance(value, str) and value.strip()):
                raise InputError(f"{kind} {name}: found {value!r}, expected text")
            elif hint == "float":
                settings.require(value, f"{kind} {name}", 0, 1e9)


@dataclass(frozen=True)
class KeepApart(Rule):
    """At most so many of these workloads share a host, or a rack: ``|{w : x[w] in d}| <= at_most`` for each domain d.

    With `others` no workload of the one set shares a host with one of the other, as for zones that must stay apart:
    ``x[v] != x[w]`` for all v in `workloads` and w in `others`; `within` and `at_most` then stay as they are.

    Parameters
    ----------
    workloads : str or sequence of str
    others : str or sequence of str
    within : str
        "host", or the column of hosts that names what fails together: "rack", or any other such as "fault_domain". A
        host without an entry there carries none of these workloads, since nobody knows where it stands.
    at_most : int
    """

    workloads: str | tuple[str, ...]
    others: str | tuple[str, ...] = ()
    within: str = "host"
    at_most: int = 1

    def __post_init__(self):
        super().__post_init__()
        if self.others and (self.within != "host" or self.at_most != 1):
            raise InputError(
                f"KeepApart others: found within {self.within!r} and at_most {self.at_most}, expected neither: "
                "two sets are kept apart on every host"
            )


@dataclass(frozen=True)
class KeepTogether(Rule):
    """All of these workloads share one host: ``x[v] == x[w]``.

    Parameters
    ----------
    workloads : str or sequence of str
    """

    workloads: str | tuple[str, ...]


@dataclass(frozen=True)
class Pin(Rule):
    """Each of these workloads runs on one of these hosts: ``x[w] in hosts``.

    Parameters
    ----------
    workloads, hosts : str or sequence of str
        A host model stands for every host bought of it.
    """

    workloads: str | tuple[str, ...]
    hosts: str | tuple[str, ...]


@dataclass(frozen=True)
class Forbid(Rule):
    """None of these workloads runs on any of these hosts: ``x[w] not in hosts``.

    Parameters
    ----------
    workloads, hosts : str or sequence of str
    """

    workloads: str | tuple[str, ...]
    hosts: str | tuple[str, ...]


@dataclass(frozen=True)
class RequireTag(Rule):
    """Each of these workloads runs on a host with this tag: ``tag in tags[x[w]]``.

    Parameters
    ----------
    workloads : str or sequence of str
    tag : str
        An operating system, a CPU vendor, a licence group, a security zone: a word among the hosts' tags.
    """

    workloads: str | tuple[str, ...]
    tag: str


@dataclass(frozen=True)
class AvoidTag(Rule):
    """None of these workloads runs on a host with this tag: ``tag not in tags[x[w]]``.

    Parameters
    ----------
    workloads : str or sequence of str
    tag : str
    """

    workloads: str | tuple[str, ...]
    tag: str


@dataclass(frozen=True)
class NumaFit(Rule):
    """Each of these workloads fits in one NUMA node of its host: ``vcpus <= cores / sockets``, and memory likewise.

    A host whose sockets are not known is taken to fit.

    Parameters
    ----------
    workloads : str or sequence of str
    """

    workloads: str | tuple[str, ...]


@dataclass(frozen=True)
class Limit(Rule):
    """These workloads run on few hosts, as a licence by host asks for: ``|{x[w]}| <= most_hosts``.

    Parameters
    ----------
    workloads : str or sequence of str
    most_hosts : int
    """

    workloads: str | tuple[str, ...]
    most_hosts: int


@dataclass(frozen=True)
class Reserve(Rule):
    """So much of each of these hosts stays free, taken off what the hypervisor leaves before any overcommit.

    Parameters
    ----------
    hosts : str or sequence of str
    cores, memory_gib, storage_gib, network_gbps : float
    """

    hosts: str | tuple[str, ...]
    cores: float = 0.0
    memory_gib: float = 0.0
    storage_gib: float = 0.0
    network_gbps: float = 0.0


@dataclass(frozen=True)
class Maintenance(Rule):
    """Nothing runs on these hosts: ``x[w] not in hosts`` for every w, and none of them stands by.

    Parameters
    ----------
    hosts : str or sequence of str
    """

    hosts: str | tuple[str, ...]


@dataclass(frozen=True)
class Cap(Rule):
    """Each of these hosts carries at most so many workloads: ``|{w : x[w] == h}| <= most_workloads``.

    Parameters
    ----------
    hosts : str or sequence of str
    most_workloads : int
    """

    hosts: str | tuple[str, ...]
    most_workloads: int


KINDS = {
    kind.__name__: kind
    for kind in (
        KeepTogether, KeepApart, Pin, Forbid, RequireTag, AvoidTag, NumaFit, Limit, Reserve, Maintenance, Cap,
    )
}  # fmt: skip


def _patterns(value: str | Iterable[str], what: str) -> tuple[str, ...]:
    if not isinstance(value, str | list | tuple):
        raise InputError(f"{what}: found {value!r}, expected a name or pattern such as 'sql-*', or a list of them")
    patterns = (value,) if isinstance(value, str) else tuple(value)
    if not patterns or not all(isinstance(p, str) and p.strip() for p in patterns):
        raise InputError(f"{what}: found {value!r}, expected a name or pattern such as 'sql-*', or a list of them")
    return patterns


def words(cell: str) -> list[str]:
    """The words of a cell that lists some, separated by commas or semicolons.

    >>> words("gold, dmz;linux")
    ['gold', 'dmz', 'linux']
    """
    return [word.strip() for word in re.split("[,;]", cell) if word.strip()]


class Selector:
    """Finds the rows of a table that patterns select; looks through every column once.

    Parameters
    ----------
    frame : DataFrame
        Workloads or hosts.
    keys : dict
        `WORKLOAD_KEYS` or `HOST_KEYS`.
    """

    def __init__(self, frame: pd.DataFrame, keys: dict[str, str]):
        self.frame, self.keys = frame, keys
        self.known: dict[str, tuple[list[str], dict[str, list[int]]]] = {}

    def rows(self, patterns: Iterable[str], where: str) -> np.ndarray:
        """Positions of the rows that any of the patterns selects, ascending.

        Raises
        ------
        InputError
            A pattern that selects nothing, with the nearest name; `where` is named.
        """
        found = np.zeros(len(self.frame), dtype=bool)
        for pattern in patterns:
            key, text = self._key(pattern)
            hits = self._hits(key, text.casefold())
            if not hits:
                known = sorted({part for cell in self.frame[self.keys[key]].unique() for part in _parts(cell, key)})
                nothing = did_you_mean(text, known) if known else f"; no {key} is given"
                raise InputError(f"{where}: {pattern!r} names nothing that is there{nothing}")
            found[hits] = True
        return np.flatnonzero(found)

    def matching(self, patterns: Iterable[str]) -> np.ndarray:
        """Whether any of the patterns selects each row, which none may do: bool [rows]."""
        found = np.zeros(len(self.frame), dtype=bool)
        for pattern in patterns:
            key, text = self._key(pattern)
            found[self._hits(key, text.casefold())] = True
        return found

    def _key(self, pattern: str) -> tuple[str, str]:
        """The key before a pattern's colon and what stands behind it; a colon that follows no key belongs to a name."""
        head, colon, tail = pattern.partition(":")
        head = head.strip().casefold()
        return (head, tail.strip()) if colon and head in self.keys else ("name", pattern.strip())

    def _hits(self, key: str, text: str) -> list[int]:
        """Positions that one pattern selects: of what begins as it does, all that match."""
        words, rows = self._index(key)
        prefix = re.split(r"[*?\[]", text, maxsplit=1)[0]
        if prefix == text:
            return rows.get(text, [])
        accept = re.compile(fnmatch.translate(text)).match
        begin, end = bisect_left(words, prefix), bisect_right(words, prefix + chr(sys.maxunicode))
        return [row for word in words[begin:end] if accept(word) for row in rows[word]]

    def _index(self, key: str) -> tuple[list[str], dict[str, list[int]]]:
        """The words of a column, sorted and without case, and the rows that each stands in."""
        if key not in self.known:
            rows: dict[str, list[int]] = {}
            for position, cell in enumerate(self.frame[self.keys[key]].tolist()):
                for part in _parts(cell, key):
                    rows.setdefault(part.casefold(), []).append(position)
            self.known[key] = sorted(rows), rows
        return self.known[key]


def _parts(cell: str, key: str) -> list[str]:
    return words(cell) if key == "tag" else [cell] if cell else []


def to_dicts(rules: Iterable[Rule]) -> list[dict]:
    """Rules as plain dictionaries with their `kind`, for TOML and JSON; what is as by default is left out."""
    rows = []
    for rule in rules:
        row: dict = {"kind": type(rule).__name__}
        for f in _own_fields(type(rule)):
            value = getattr(rule, f.name)
            if f.default is MISSING or value != f.default:
                row[f.name] = list(value) if isinstance(value, tuple) else value
        rows.append(row)
    return rows


def _own_fields(kind: type[Rule]) -> list:
    return [f for f in fields(kind) if f.name != "source"]


def from_dicts(rows: Iterable[dict], where: str) -> tuple[Rule, ...]:
    """Rules from dictionaries with a `kind`.

    Raises
    ------
    InputError
        An unknown kind or a key that the rule does not have.
    """
    return tuple(from_dict(row, f"{where}, rule {number}") for number, row in enumerate(rows, start=1))


def from_dict(row: dict, at: str) -> Rule:
    """One rule from a dictionary with its `kind`; `at` is its source and what messages name."""
    if not isinstance(row, dict):
        raise InputError(f"{at}: found {row!r}, expected a table with kind and workloads")
    values = dict(row)
    kind = values.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"{at}: found kind {kind!r}{did_you_mean(str(kind), KINDS)}")
    known = {f.name: f for f in _own_fields(KINDS[kind])}
    unknown = [key for key in values if key not in known]
    if unknown:
        raise InputError(f"{at}: found {unknown[0]!r}{did_you_mean(unknown[0], known)}")
    missing = [name for name, f in known.items() if f.default is MISSING and name not in values]
    if missing:
        expected = "a number" if known[missing[0]].type == "int" else "a name or pattern, or a list of them"
        raise InputError(f"{at}: {kind} has no {missing[0]!r}, expected {expected}")
    try:
        return KINDS[kind](**values, source=at)
    except InputError as error:
        raise InputError(f"{at}: {error}") from error


def read_rules(path: str | Path) -> tuple[Rule, ...]:
    """Rules from a TOML file with one ``[[rule]]`` table each."""
    return _from_tables(settings.read_toml(path), Path(path).name)


def from_toml(text: str | bytes, where: str) -> tuple[Rule, ...]:
    """Rules from TOML text; `where` is named in messages and in the rules' sources."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InputError(f"{where}: expected TOML in UTF-8; {error}") from error
    return _from_tables(settings.parse_toml(text, where), where)


def _from_tables(tables: dict, where: str) -> tuple[Rule, ...]:
    unknown = [key for key in tables if key != "rule"]
    if unknown:
        raise InputError(f"{where}: found {unknown[0]!r}, expected one [[rule]] table for each rule")
    found = tables.get("rule", [])
    if not isinstance(found, list):
        raise InputError(f"{where}: found rule = {found!r}, expected one [[rule]] table (two brackets) for each rule")
    return from_dicts(found, where)


def to_toml(rules: Iterable[Rule]) -> str:
    """Rules as TOML text that `read_rules` reads."""
    return settings.to_toml({"rule": to_dicts(rules)})


def to_frame(rules: Iterable[Rule]) -> pd.DataFrame:
    """Rules as people read them: rule, applies_to, settings, source."""
    rows = []
    for rule, given in zip(rules, to_dicts(rules), strict=True):
        kind, subject = given.pop("kind"), given.pop("workloads", None) or given.pop("hosts")
        rest = (f"{name} {', '.join(value) if isinstance(value, list) else value}" for name, value in given.items())
        rows.append((kind, ", ".join(subject), "; ".join(rest), rule.source))
    return pd.DataFrame(rows, columns=["rule", "applies_to", "settings", "source"])
