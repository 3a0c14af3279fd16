"""Proposals: what an export shows that a plan should keep, each of which a person can switch off or on."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from planner.errors import InputError, did_you_mean
from planner.rules import Forbid, KeepApart, KeepTogether, Pin, Rule

CPU_RESERVATION = "cpu_reservation_ghz"
"""Column of workloads and limit of hosts: CPU that is kept for a workload whole, against cores x GHz of its host."""

NOTED = "proposed rules"
"""Column that notes on proposals name."""

FRAME_COLUMNS = ("key", "on", "kind", "what", "workloads", "rules", "why_off", "source")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A column of the workloads that a proposal bounds while it is on.

    Parameters
    ----------
    column : str
    bound : {"least", "most"}
        Whether the column is at least, or at most, the value.
    values : dict
        Value by workload, in the column's unit.
    before : dict
        What the column holds, by workload, while no proposal bounds it.
    """

    column: str
    bound: Literal["least", "most"]
    values: dict[str, float]
    before: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Something that an export shows, and what it makes of a plan while it is on.

    Parameters
    ----------
    key : str
        The same at every read of the same file: ``drs/sql-nodes``.
    kind : str
        What it was harvested from: "drs", "evc", "datastore", ...
    title : str
        In words.
    members : tuple of str
        Workloads that it concerns.
    rules : tuple of Rule
        In what a file shows they have plain names; in `Inventory.proposals` patterns that select those names.
    figures : tuple of Figure
    failover_hosts : int
        Hosts that may fail at least, in the policy.
    resource : str
        A further limit that its figures are held against.
    on : bool
    why : str
        Why it is off.
    file, sheet, column : str
    row : int or None
        Where it stands; for several rows the first.
    """

    key: str
    kind: str
    title: str
    members: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    figures: tuple[Figure, ...] = ()
    failover_hosts: int = 0
    resource: str = ""
    on: bool = True
    why: str = ""
    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""

    @property
    def workloads(self) -> int:
        """How many workloads it concerns."""
        return len(self.members)

    @cached_property
    def source(self) -> str:
        """``rv.xlsx, sheet vInfo, row 7, column Cluster rule name(s)``."""
        sheet = f"sheet {self.sheet}" if self.sheet else ""
        row = f"row {self.row}" if self.row is not None else ""
        column = f"column {self.column}" if self.column else ""
        return ", ".join(filter(None, (self.file, sheet, row, column)))

    def switched(self, on: bool) -> Proposal:
        """The proposal switched on or off."""
        return self if on == self.on else replace(self, on=on, why="" if on else self.why or "switched off")


def slug(text: str) -> str:
    """A text as part of a key: lower case, anything but letters and digits as one hyphen.

    >>> slug("SQL nodes: apart!"), slug("***")
    ('sql-nodes-apart', 'unnamed')
    """
    words = "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
    return "-".join(words) or "unnamed"


def exact(name: str) -> str:
    """The pattern that selects one name and nothing else, whatever wildcards and colons stand in it.

    >>> exact("web-1"), exact("web[1]"), exact("host:a*")
    ('web-1', 'web[[]1]', 'name:host:a[*]')
    """
    escaped = glob.escape(name)
    return f"name:{escaped}" if ":" in escaped else escaped


def distinct(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """The proposals with each key once: a key that stands again, as in a second file, gets a number."""
    taken: set[str] = set()
    found = []
    for proposal in proposals:
        key, again = proposal.key, 2
        while key in taken:
            key, again = f"{proposal.key}-{again}", again + 1
        taken.add(key)
        found.append(proposal if key == proposal.key else replace(proposal, key=key))
    return tuple(found)


def among(proposals: Iterable[Proposal], workloads: Iterable[str], hosts: pd.DataFrame) -> tuple[Proposal, ...]:
    """The proposals that ask something of these workloads and hosts, their rules naming these alone.

    Parameters
    ----------
    proposals : iterable of Proposal
        As a reader harvested them.
    workloads : iterable of str
        Names of those that are planned for.
    hosts : DataFrame
        Owned hosts.
    """
    planned, owned, columns = set(workloads), set(hosts["name"]), set(hosts.columns)
    found = (_among(proposal, planned, owned, columns) for proposal in proposals)
    return tuple(proposal for proposal in found if proposal is not None)


def _among(proposal: Proposal, planned: set[str], owned: set[str], columns: set[str]) -> Proposal | None:
    source = f"{proposal.source}, proposal {proposal.key!r}"
    narrowed = (_narrowed(rule, planned, owned, columns, source) for rule in proposal.rules)
    rules = tuple(rule for rule in narrowed if rule is not None)
    figures = tuple(figure for figure in proposal.figures if not planned.isdisjoint(figure.values))
    members = tuple(name for name in proposal.members if name in planned)
    if not members or not (rules or figures or proposal.failover_hosts):
        return None
    return replace(proposal, members=members, rules=rules, figures=figures)


def _narrowed(rule: Rule, planned: set[str], owned: set[str], columns: set[str], source: str) -> Rule | None:
    """The rule on these workloads and hosts, as patterns; None where it asks nothing of them."""
    workloads = [exact(name) for name in rule.workloads if name in planned]
    if isinstance(rule, Pin | Forbid):
        hosts = [exact(name) for name in rule.hosts if name in owned]
        return type(rule)(workloads, hosts, source=source) if workloads and hosts else None
    if len(workloads) < 2:
        return None
    if isinstance(rule, KeepTogether):
        return KeepTogether(workloads, source=source)
    within = rule.within
    return KeepApart(workloads, within=within, source=source) if within == "host" or within in columns else None


def switched(proposals: tuple[Proposal, ...], off: Iterable[str], on: Iterable[str]) -> tuple[Proposal, ...]:
    """The proposals with those off, and then those on, whose key is given or matches a pattern.

    Raises
    ------
    InputError
        A key or pattern that matches none, with the nearest.
    """
    states = {}
    for given, state in ((off, False), (on, True)):
        for pattern in given:
            hits = [one.key for one in proposals if one.key == pattern or _matches(one.key, pattern)]
            if not hits:
                keys = [one.key for one in proposals]
                nearest = did_you_mean(pattern, keys) or ", expected none: what was read proposes no rule"
                raise InputError(f"switch {'on' if state else 'off'}: found {pattern!r}{nearest}")
            states |= dict.fromkeys(hits, state)
    return tuple(one.switched(states.get(one.key, one.on)) for one in proposals)


def _matches(key: str, pattern: str) -> bool:
    return fnmatchcase(key, pattern.strip().casefold())


def bounded(frame: pd.DataFrame, proposals: Iterable[Proposal]) -> pd.DataFrame:
    """The workloads with their columns as the proposals bound them: those that are on do, those that are off do not."""
    figures = [(figure, proposal.on) for proposal in proposals for figure in proposal.figures]
    row_of = {name: row for row, name in enumerate(frame["name"])} if figures else {}
    changed = {}
    for column in dict.fromkeys(figure.column for figure, _ in figures):
        values = frame[column].to_numpy("float64").copy() if column in frame else np.zeros(len(frame))
        mine = [(figure, on) for figure, on in figures if figure.column == column]
        for figure, _ in mine:
            rows, before = _placed(figure.before, row_of)
            values[rows] = before
        for figure in (figure for figure, on in mine if on):
            rows, bounds = _placed(figure.values, row_of)
            values[rows] = (np.fmax if figure.bound == "least" else np.fmin)(values[rows], bounds)
        changed[column] = values
    return frame.assign(**changed) if changed else frame


def _placed(values: dict[str, float], row_of: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    there = [(row_of[name], value) for name, value in values.items() if name in row_of]
    rows, found = zip(*there, strict=True) if there else ((), ())
    return np.array(rows, dtype="int64"), np.array(found, dtype="float64")


def to_frame(proposals: Iterable[Proposal]) -> pd.DataFrame:
    """Proposals as people read them, with the columns of `FRAME_COLUMNS`."""
    rows = []
    for one in proposals:
        kinds = [type(rule).__name__ for rule in one.rules] + [f"{figure.column}" for figure in one.figures]
        counted = {kind: kinds.count(kind) for kind in kinds}
        made = [kind if number == 1 else f"{number} {kind}" for kind, number in counted.items()]
        made += [f"failover.hosts {one.failover_hosts}"] if one.failover_hosts else []
        rows.append(
            (
                one.key,
                one.on,
                one.kind,
                one.title,
                one.workloads,
                ", ".join(made),
                "" if one.on else one.why,
                one.source,
            )
        )
    return pd.DataFrame(rows, columns=list(FRAME_COLUMNS)).astype({"on": bool, "workloads": "int64"})
