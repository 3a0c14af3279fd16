"""Placement rules: small frozen dataclasses, each with its law in the docstring.

Workloads are named by glob patterns (`sql-*`), matched without regard to case. `x[w]` is the host of workload `w`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from planner import settings
from planner.errors import InputError, did_you_mean


def _patterns(value: str | Iterable[str], what: str) -> tuple[str, ...]:
    if not isinstance(value, str | list | tuple):
        raise InputError(f"{what}: found {value!r}, expected a name or pattern such as 'sql-*', or a list of them")
    patterns = (value,) if isinstance(value, str) else tuple(value)
    if not patterns or not all(isinstance(p, str) and p.strip() for p in patterns):
        raise InputError(f"{what}: found {value!r}, expected a name or pattern such as 'sql-*', or a list of them")
    return patterns


@dataclass(frozen=True)
class KeepApart:
    """No two of these workloads share a host: ``x[v] != x[w]`` for all ``v != w``.

    Parameters
    ----------
    workloads : str or sequence of str
        Names or glob patterns.
    """

    workloads: str | tuple[str, ...]

    def __post_init__(self):
        object.__setattr__(self, "workloads", _patterns(self.workloads, "KeepApart workloads"))


@dataclass(frozen=True)
class KeepTogether:
    """All of these workloads share one host: ``x[v] == x[w]``.

    Parameters
    ----------
    workloads : str or sequence of str
        Names or glob patterns.
    """

    workloads: str | tuple[str, ...]

    def __post_init__(self):
        object.__setattr__(self, "workloads", _patterns(self.workloads, "KeepTogether workloads"))


@dataclass(frozen=True)
class Pin:
    """Each of these workloads runs on one of these hosts: ``x[w] in hosts``.

    Parameters
    ----------
    workloads : str or sequence of str
        Names or glob patterns.
    hosts : str or sequence of str
        Names or glob patterns of owned hosts, or of host models (then any host bought of that model will do).
    """

    workloads: str | tuple[str, ...]
    hosts: str | tuple[str, ...]

    def __post_init__(self):
        object.__setattr__(self, "workloads", _patterns(self.workloads, "Pin workloads"))
        object.__setattr__(self, "hosts", _patterns(self.hosts, "Pin hosts"))


Rule = KeepApart | KeepTogether | Pin
KINDS = {kind.__name__: kind for kind in (KeepApart, KeepTogether, Pin)}


def matching(patterns: Sequence[str], names: Sequence[str], where: str) -> np.ndarray:
    """Positions of the names that match any of the patterns, ascending.

    Raises
    ------
    InputError
        A pattern that matches nothing, with the nearest name.
    """
    found: set[int] = set()
    folded = [name.casefold() for name in names]
    for pattern in patterns:
        accept = re.compile(fnmatch.translate(pattern.casefold())).match
        hits = [position for position, name in enumerate(folded) if accept(name)]
        if not hits:
            raise InputError(f"{where}: {pattern!r} names nothing that is there{did_you_mean(pattern, names)}")
        found.update(hits)
    return np.array(sorted(found), dtype=np.int64)


def to_dicts(rules: Iterable[Rule]) -> list[dict]:
    """Rules as plain dictionaries with their `kind`, for TOML and JSON."""
    return [{"kind": type(rule).__name__} | {key: list(value) for key, value in asdict(rule).items()} for rule in rules]


def from_dicts(rows: Iterable[dict], where: str) -> tuple[Rule, ...]:
    """Rules from dictionaries with a `kind`.

    Raises
    ------
    InputError
        An unknown kind or a key that the rule does not have.
    """
    rules = []
    for number, row in enumerate(rows, start=1):
        at = f"{where}, rule {number}"
        if not isinstance(row, dict):
            raise InputError(f"{at}: found {row!r}, expected a table with kind and workloads")
        values = dict(row)
        kind = values.pop("kind", None)
        if not isinstance(kind, str) or kind not in KINDS:
            raise InputError(f"{at}: found kind {kind!r}{did_you_mean(str(kind), KINDS)}")
        unknown = [key for key in values if key not in KINDS[kind].__dataclass_fields__]
        if unknown:
            raise InputError(f"{at}: found {unknown[0]!r}{did_you_mean(unknown[0], KINDS[kind].__dataclass_fields__)}")
        missing = [key for key in KINDS[kind].__dataclass_fields__ if key not in values]
        if missing:
            raise InputError(f"{at}: {kind} has no {missing[0]!r}, expected a name or pattern, or a list of them")
        rules.append(KINDS[kind](**values))
    return tuple(rules)


def read_rules(path: str | Path) -> tuple[Rule, ...]:
    """Rules from a TOML file with one ``[[rule]]`` table each."""
    tables = settings.read_toml(path)
    name = Path(path).name
    unknown = [key for key in tables if key != "rule"]
    if unknown:
        raise InputError(f"{name}: found {unknown[0]!r}, expected one [[rule]] table for each rule")
    found = tables.get("rule", [])
    if not isinstance(found, list):
        raise InputError(f"{name}: found rule = {found!r}, expected one [[rule]] table (two brackets) for each rule")
    return from_dicts(found, name)


def to_toml(rules: Iterable[Rule]) -> str:
    """Rules as TOML text that `read_rules` reads."""
    return settings.to_toml({"rule": to_dicts(rules)})
