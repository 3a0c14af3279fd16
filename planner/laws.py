"""Laws: placement rules resolved on a problem's rows, and refused where they contradict each other or what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from planner.errors import InputError, did_you_mean
from planner.numa import numa_fit
from planner.rules import (
    AMOUNTS,
    HOST_KEYS,
    WORKLOAD_KEYS,
    AvoidTag,
    Cap,
    Forbid,
    KeepApart,
    KeepTogether,
    Limit,
    Maintenance,
    NumaFit,
    Pin,
    RequireTag,
    Reserve,
    Rule,
    Selector,
    words,
)

NOWHERE = -1
"""Domain of a host of which nobody says where it stands."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Apart:
    """At most `at_most` of `members` (workload positions) in a domain; `domain` [H] is None where each host is one."""

    members: np.ndarray
    at_most: int
    within: str
    domain: np.ndarray | None
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Rivals:
    """No host carries workloads of both sides (workload positions each)."""

    sides: tuple[np.ndarray, np.ndarray]
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Allowed:
    """`members` (workload positions) run on hosts of the rows in `rows` (bool [H]) alone."""

    members: np.ndarray
    rows: np.ndarray
    kind: str
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Limited:
    """`members` (workload positions) run on at most `most_hosts` hosts."""

    members: np.ndarray
    most_hosts: int
    source: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Laws:
    """What the rules, and the columns that stand for rules, ask of a placement.

    Parameters
    ----------
    together : tuple of arrays of int
        Workload positions that share a host; no workload stands in two of them.
    apart, rivals, allowed, limited
        See the classes.
    """

    together: tuple[np.ndarray, ...] = ()
    apart: tuple[Apart, ...] = ()
    rivals: tuple[Rivals, ...] = ()
    allowed: tuple[Allowed, ...] = ()
    limited: tuple[Limited, ...] = ()
    workloads: int = 0
    hosts: int = 0

    def __bool__(self) -> bool:
        return any((self.together, self.apart, self.rivals, self.allowed, self.limited))

    @cached_property
    def heads(self) -> np.ndarray:
        """For each workload the first of those that it is kept together with, itself where there are none: int [W]."""
        heads = np.arange(self.workloads)
        for group in self.together:
            heads[group] = group.min()
        return heads

    def open_to(self, inside: np.ndarray) -> np.ndarray:
        """Rows of hosts on which any of some workloads (bool [W]) may run: bool [H]."""
        number, permitted = self.permitted
        return permitted[np.unique(number[inside])].any(axis=0)

    @cached_property
    def permitted(self) -> tuple[np.ndarray, np.ndarray]:
        """Which hosts each workload may run on, those that it is kept together with included.

        Returns
        -------
        (array of int [W], array of bool [N, H])
            The number of each workload's combination of laws, and the rows that each combination permits.
        """
        combination = np.zeros(self.workloads, dtype="int64")
        permitted = [np.ones(self.hosts, dtype=bool)]
        for law in self.allowed:
            touched = np.unique(self.heads[law.members])
            before = combination[touched]
            for known in np.unique(before).tolist():
                combination[touched[before == known]] = len(permitted)
                permitted.append(permitted[known] & law.rows)
        kept, number = np.unique(combination[self.heads], return_inverse=True)
        return number, np.array(permitted)[kept]

    def among(self, kept: np.ndarray) -> Laws:
        """The laws on some of the workloads alone, whose positions are then 0, 1, ... in the order of `kept`."""
        place = np.full(self.workloads, -1)
        place[kept] = np.arange(len(kept))

        def inside(members: np.ndarray) -> np.ndarray:
            at = place[members]
            return at[at >= 0]

        apart = [replace(law, members=inside(law.members)) for law in self.apart]
        rivals = [replace(law, sides=tuple(map(inside, law.sides))) for law in self.rivals]
        allowed = [replace(law, members=inside(law.members)) for law in self.allowed]
        limited = [replace(law, members=inside(law.members)) for law in self.limited]
        return Laws(
            together=tuple(group for group in map(inside, self.together) if len(group) > 1),
            apart=tuple(law for law in apart if len(law.members) > law.at_most),
            rivals=tuple(law for law in rivals if all(map(len, law.sides))),
            allowed=tuple(law for law in allowed if len(law.members)),
            limited=tuple(law for law in limited if len(law.members) > law.most_hosts),
            workloads=len(kept),
            hosts=self.hosts,
        )


def rule_source(rule: Rule, number: int) -> str:
    """How messages name a rule: where it stands, or its number, and its kind.

    >>> rule_source(Maintenance("esx01"), 2)
    'rule 2 (Maintenance)'
    """
    return f"{rule.source or f'rule {number}'} ({type(rule).__name__})"


def label_source(column: str, label: str) -> str:
    """How messages name the workloads that share an entry of a column that stands for a rule.

    >>> label_source("keep_apart", "sql")
    "column keep_apart, 'sql'"
    """
    return f"column {column}, {label!r}"


def resolve(rules: tuple[Rule, ...], workloads: pd.DataFrame, hosts: pd.DataFrame) -> Laws:
    """The laws that rules and label columns stand for.

    Raises
    ------
    InputError
        A rule that names nothing, or that contradicts another or the hosts there are; named with its source.
    """
    apart = [
        Apart(members=members, at_most=1, within="host", domain=None, source=label_source("keep_apart", label))
        for label, members in _labelled(workloads, "keep_apart")
    ]
    together = [members for _, members in _labelled(workloads, "keep_together")]
    names, machines = Selector(workloads, WORKLOAD_KEYS), Selector(hosts, HOST_KEYS)
    rivals, allowed, limited = [], list(_by_columns(workloads, machines)), []
    for number, rule in enumerate(rules, start=1):
        if isinstance(rule, Reserve | Maintenance | Cap):  # They change what hosts offer, see `offered`.
            continue
        where = rule_source(rule, number)
        members = names.rows(rule.workloads, where)
        match rule:
            case KeepApart(others=()):
                domain = _domain(rule, hosts, where)
                law = Apart(members=members, at_most=rule.at_most, within=rule.within, domain=domain, source=where)
                apart.append(law)
                if domain is not None:
                    allowed.append(
                        Allowed(members=members, rows=domain != NOWHERE, kind="of known place", source=where)
                    )
            case KeepApart():
                others = names.rows(rule.others, where)
                rivals.append(Rivals(sides=(members, others), source=where))
            case KeepTogether():
                together.append(members)
            case NumaFit():
                allowed += _in_a_node(members, workloads, hosts, where)
            case Limit():
                limited.append(Limited(members=members, most_hosts=rule.most_hosts, source=where))
            case _:
                allowed.append(_allowed(rule, members, machines, where))
    laws = Laws(
        together=_joined(together, len(workloads)),
        apart=tuple(law for law in apart if len(law.members) > law.at_most),
        rivals=tuple(rivals),
        allowed=tuple(allowed),
        limited=tuple(law for law in limited if len(law.members) > law.most_hosts),
        workloads=len(workloads),
        hosts=len(hosts),
    )
    _require_consistent(laws, workloads)
    _require_hosts(laws, workloads, hosts)
    return laws


def offered(rules: tuple[Rule, ...], hosts: pd.DataFrame) -> pd.DataFrame:
    """The hosts with what reserves, maintenance and caps leave of them."""
    hosts, machines = hosts.copy(), Selector(hosts, HOST_KEYS)
    hosts.loc[hosts["maintenance"] == "yes", "available"] = 0.0
    for number, rule in enumerate(rules, start=1):
        if not isinstance(rule, Reserve | Maintenance | Cap):
            continue
        rows = machines.rows(rule.hosts, rule_source(rule, number))
        match rule:
            case Maintenance():
                hosts.loc[rows, "available"] = 0.0
            case Cap():
                hosts.loc[rows, "max_workloads"] = np.fmin(hosts["max_workloads"].to_numpy()[rows], rule.most_workloads)
            case Reserve():
                for column in AMOUNTS:
                    hosts.loc[rows, column] = np.maximum(hosts[column].to_numpy()[rows] - getattr(rule, column), 0.0)
    return hosts


def require_room(
    laws: Laws,
    workloads: pd.DataFrame,
    hosts: pd.DataFrame,
    fits: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> None:
    """Raise an InputError where rules leave a workload only hosts that cannot carry it, though others could.

    Parameters
    ----------
    fits : callable
        ``fits(members, rows)``: which of some workloads fit alone on any of some hosts, bool [len(members)].
    """
    combination, permitted = laws.permitted
    serves, pool = hosts["pool"].to_numpy(), workloads["pool"].to_numpy()
    for number, rows in enumerate(permitted):
        for name in np.unique(pool[combination == number]) if not rows.all() else ():
            members = np.flatnonzero((combination == number) & (pool == name))
            serving = np.isin(serves, ("", name))
            lost = members[~fits(members, np.flatnonzero(rows & serving)) & fits(members, np.flatnonzero(serving))]
            if len(lost):
                where = sources(laws, int(lost[0]))
                shown = ", ".join(map(repr, hosts["name"][rows & serving].head(5)))
                raise InputError(
                    f"{where}: workload {workloads['name'].iloc[lost[0]]!r} may run on {shown}, and is too large for "
                    "any of them"
                )


def _labelled(workloads: pd.DataFrame, column: str) -> list[tuple[str, np.ndarray]]:
    labels = workloads[column][workloads[column] != ""]
    return [(label, group.to_numpy()) for label, group in labels.index.to_series().groupby(labels.to_numpy())]


def _by_columns(workloads: pd.DataFrame, machines: Selector) -> Iterator[Allowed]:
    """Laws from the columns pin, forbid, require_tag and avoid_tag of the workloads."""
    kinds = {
        "pin": lambda cell: Pin("*", words(cell)),
        "forbid": lambda cell: Forbid("*", words(cell)),
        "require_tag": lambda cell: [RequireTag("*", word) for word in words(cell)],
        "avoid_tag": lambda cell: [AvoidTag("*", word) for word in words(cell)],
    }
    for column, made in kinds.items():
        for label, members in _labelled(workloads, column):
            rules = made(label)
            for rule in rules if isinstance(rules, list) else [rules]:
                where = f"workload {workloads['name'].iloc[members[0]]!r}, column {column}"
                yield _allowed(rule, members, machines, where)


def _allowed(rule: Rule, members: np.ndarray, machines: Selector, where: str) -> Allowed:
    patterns = [f"tag:{rule.tag}"] if isinstance(rule, RequireTag | AvoidTag) else rule.hosts
    rows = np.zeros(len(machines.frame), dtype=bool)
    rows[machines.rows(patterns, where)] = True
    kind = {Pin: "pinned", Forbid: "forbidden", RequireTag: "tag required", AvoidTag: "tag avoided"}[type(rule)]
    return Allowed(
        members=members, rows=~rows if isinstance(rule, Forbid | AvoidTag) else rows, kind=kind, source=where
    )


def _in_a_node(members: np.ndarray, workloads: pd.DataFrame, hosts: pd.DataFrame, where: str) -> list[Allowed]:
    """The hosts in a NUMA node of which each workload fits, a law for each set of hosts."""
    fits = numa_fit(workloads.iloc[members], hosts)
    sets, number = np.unique(fits, axis=0, return_inverse=True)
    return [
        Allowed(members=members[number == n], rows=rows, kind="NUMA node", source=where)
        for n, rows in enumerate(sets)
        if not rows.all()
    ]


def _domain(rule: KeepApart, hosts: pd.DataFrame, where: str) -> np.ndarray | None:
    """A number for the rack, or whatever the rule spreads over, of each host; None for the host itself."""
    if rule.within == "host":
        return None
    texts = [name for name in hosts.columns if name not in ("name", "owned", "available")]
    if rule.within not in texts:
        raise InputError(f"{where}: found within {rule.within!r}{did_you_mean(rule.within, ['host', *texts])}")
    cells = hosts[rule.within].astype(object).where(hosts[rule.within].notna(), "").astype(str).str.strip()
    if (cells == "").all():
        raise InputError(f"{where}: no host has an entry in column {rule.within!r}, expected one to spread over")
    return pd.factorize(cells.where(cells != "", None))[0]


def _joined(groups: list[np.ndarray], count: int) -> tuple[np.ndarray, ...]:
    """Groups that share a member made one."""
    parent = np.arange(count)

    def root(w: int) -> int:
        while parent[w] != w:
            parent[w] = parent[parent[w]]
            w = parent[w]
        return w

    for group in groups:
        for member in group[1:]:
            parent[root(int(member))] = root(int(group[0]))
    members: dict[int, list[int]] = {}
    for w in sorted({int(w) for group in groups for w in group}):
        members.setdefault(root(w), []).append(w)
    return tuple(np.array(group) for group in members.values() if len(group) > 1)


def _require_consistent(laws: Laws, workloads: pd.DataFrame) -> None:
    """Raise an InputError where laws contradict each other whatever hosts there are."""
    names, pools, heads = workloads["name"].to_numpy(), workloads["pool"].to_numpy(), laws.heads
    for law in laws.apart:
        found, count = np.unique(heads[law.members], return_counts=True)
        crowded = np.flatnonzero(count > law.at_most)
        if len(crowded):
            same = law.members[heads[law.members] == found[crowded[0]]]
            a, b = names[same[0]], names[same[1]]
            raise InputError(f"{law.source}: workloads {a!r} and {b!r} are to be kept together and to be kept apart")
    for law in laws.rivals:
        both = np.intersect1d(*law.sides)
        if len(both):
            raise InputError(f"{law.source}: workload {names[both[0]]!r} is on both sides, expected it on one")
        clash = np.intersect1d(heads[law.sides[0]], heads[law.sides[1]])
        if len(clash):
            a, b = (names[side[heads[side] == clash[0]][0]] for side in law.sides)
            raise InputError(f"{law.source}: workloads {a!r} and {b!r} are to be kept together and to be kept apart")
    for group in laws.together:
        other = group[pools[group] != pools[group[0]]]
        if len(other):
            a, b = names[group[0]], names[other[0]]
            raise InputError(f"workloads {a!r} and {b!r} are to be kept together but belong to different pools")
    for law in laws.limited:
        several = np.unique(pools[law.members])
        if len(several) > law.most_hosts:
            raise InputError(
                f"{law.source}: the workloads belong to {len(several)} pools, which share no host, and may run on "
                f"{law.most_hosts} hosts at most"
            )
        for other in laws.apart:
            shared = len(np.intersect1d(law.members, other.members))
            if other.domain is None and shared > law.most_hosts * other.at_most:
                raise InputError(
                    f"{law.source}: found {shared} workloads on at most {law.most_hosts} hosts, and {other.source} "
                    f"keeps them to {other.at_most} a host"
                )


def _require_hosts(laws: Laws, workloads: pd.DataFrame, hosts: pd.DataFrame) -> None:
    """Raise an InputError where laws ask for hosts that are not there."""
    names, pools = workloads["name"].to_numpy(), workloads["pool"].to_numpy()
    serves, available = hosts["pool"].to_numpy(), hosts["available"].to_numpy()
    combination, permitted = laws.permitted
    for pool in np.unique(pools):
        serving = np.isin(serves, ("", pool)) & (available > 0)
        inside = pools == pool
        for number in np.unique(combination[inside]).tolist():
            if serving.any() and not (permitted[number] & serving).any():
                w = int(np.flatnonzero(inside & (combination == number))[0])
                named = f" of pool {pool!r}" if pool else ""
                raise InputError(f"{sources(laws, w)}: no host{named} is left that workload {names[w]!r} may run on")
        for law in laws.apart:
            members = law.members[inside[law.members]]
            if not len(members):
                continue
            usable = permitted[np.unique(combination[members])].any(axis=0) & serving
            domains = available[usable].sum() if law.domain is None else len(np.unique(law.domain[usable]))
            if len(members) > law.at_most * domains:
                unit = {"host": "hosts", "rack": "racks"}.get(law.within, f"entries of {law.within}")
                raise InputError(
                    f"{law.source}: found {len(members)} workloads to spread, {law.at_most} at most on each, over "
                    f"{domains:,.0f} {unit} that they may use, expected at least {-(-len(members) // law.at_most)}"
                )


def sources(laws: Laws, w: int) -> str:
    """The laws that say where a workload may run, by their sources."""
    head = laws.heads[w]
    binding = [law.source for law in laws.allowed if (laws.heads[law.members] == head).any()]
    return " and ".join(dict.fromkeys(binding))
