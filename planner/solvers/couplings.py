"""Couplings: rules that reach across hosts, and the groups within one, of an instance's items.

Within a host a group is a limit on how many of its members the host carries, and groups of one zone exclude each other:
every method keeps these as it fills a host. Rules that reach across hosts, members spread over racks or held on few
hosts, are kept by placing their members first, see `anchoring`; the other methods leave those where they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planner.laws import NOWHERE, Laws

UNLIMITED = 2**40
"""Limit of a group that only its zone limits."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """At most `most` members in one domain: ``sum over hosts in d of amount * number <= most`` for each d.

    Parameters
    ----------
    amount : array of int, shape [S]
        Members that one item of each shape is.
    most : int
    domain : array of int, shape [C]
        Domain of each host class; `NOWHERE` where no member may run.
    """

    amount: np.ndarray
    most: int
    domain: np.ndarray

    def used(self, kind: Iterable[int], members: np.ndarray) -> np.ndarray:
        """Members in each domain, of hosts of some kinds with so many members each."""
        domain = self.domain[np.asarray(kind, dtype="int64")]
        placed = domain != NOWHERE
        return np.bincount(domain[placed], weights=members[placed], minlength=int(self.domain.max(initial=0)) + 1)

    def holds(self, kind: Iterable[int], members: np.ndarray) -> bool:
        return bool((self.used(kind, members) <= self.most).all())


@dataclass(frozen=True, kw_only=True, eq=False)
class Span:
    """Members on few hosts: ``|{h : sum of amount * number on h > 0}| <= most``."""

    amount: np.ndarray
    most: int

    def holds(self, kind: Iterable[int], members: np.ndarray) -> bool:
        return int(np.count_nonzero(members)) <= self.most


@dataclass(frozen=True, kw_only=True, eq=False)
class Grouping:
    """What the laws make of items: rows are items here, and shapes once `of` has picked them.

    Parameters
    ----------
    groups : array of int, shape [I, K]
        Groups that each item belongs to, -1 for none.
    limit, zone : array of int, shape [G]
        How many members a host may carry; the zone within which groups exclude each other, -1 for none.
    columns, room : array of int, shape [I, X] and [X]
        Groups of which one item may hold several members count like a resource: demand, and capacity of every host.
    spreads, spans : tuples of Spread and Span
        `amount` by item, `domain` by row of problem.hosts.
    """

    groups: np.ndarray
    limit: np.ndarray
    zone: np.ndarray
    columns: np.ndarray
    room: np.ndarray
    spreads: tuple[Spread, ...]
    spans: tuple[Span, ...]

    @property
    def key(self) -> np.ndarray:
        """What items must agree in to be of one shape, [I, ...]; columns are demand and not repeated."""
        coupled = [law.amount for law in (*self.spreads, *self.spans)]
        return np.column_stack([self.groups, *coupled])

    def of(self, first: np.ndarray, rows: np.ndarray) -> dict:
        """Fields of an instance whose shapes and classes begin at these items and rows."""
        return {
            "groups": self.groups[first],
            "limit": self.limit,
            "zone": self.zone,
            "spreads": tuple(replace(s, amount=s.amount[first], domain=s.domain[rows]) for s in self.spreads),
            "spans": tuple(replace(s, amount=s.amount[first]) for s in self.spans),
        }


def grouping(laws: Laws, workloads: np.ndarray, item_start: np.ndarray) -> Grouping:
    """The laws on the items of some pools.

    Parameters
    ----------
    laws : Laws
    workloads : array of int
        Workload positions in the order of their items; `item_start` says where each item's begin.
    """
    items = len(item_start) - 1
    item_of = np.full(laws.workloads, -1)
    item_of[workloads] = np.repeat(np.arange(items), np.diff(item_start))

    def members(of: np.ndarray) -> np.ndarray:
        inside = item_of[of]
        return np.bincount(inside[inside >= 0], minlength=items)

    kept: list[tuple[np.ndarray, int, int]] = []
    columns, room, spreads, spans = [], [], [], []
    for law in laws.apart:
        amount = members(law.members)
        if amount.sum() <= law.at_most:
            continue
        if amount.max() > 1:
            columns.append(amount)
            room.append(law.at_most)
        else:
            kept.append((np.flatnonzero(amount), law.at_most, -1))
        if law.domain is not None:
            spreads.append(Spread(amount=amount, most=law.at_most, domain=law.domain))
    zones = 0
    for law in laws.rivals:
        sides = [np.flatnonzero(members(side)) for side in law.sides]
        if all(len(side) for side in sides):
            kept += [(side, UNLIMITED, zones) for side in sides]
            zones += 1
    for law in laws.limited:
        amount = np.minimum(members(law.members), 1)
        if amount.sum() > law.most_hosts:
            spans.append(Span(amount=amount, most=law.most_hosts))
    return Grouping(
        groups=_table(items, [inside for inside, _, _ in kept]),
        limit=np.array([limit for _, limit, _ in kept], dtype="int64"),
        zone=np.array([zone for _, _, zone in kept], dtype="int64"),
        columns=np.column_stack(columns) if columns else np.zeros((items, 0), dtype="int64"),
        room=np.array(room, dtype="int64"),
        spreads=tuple(spreads),
        spans=tuple(spans),
    )


def _table(items: int, kept: list[np.ndarray]) -> np.ndarray:
    """Groups that each item belongs to, padded with -1: [I, K]."""
    pairs = pd.DataFrame(
        {
            "item": np.concatenate([*kept, np.zeros(0, dtype="int64")]),
            "group": np.repeat(np.arange(len(kept)), [len(inside) for inside in kept]),
        }
    )
    place = pairs.groupby("item").cumcount().to_numpy()
    groups = np.full((items, int(place.max()) + 1 if len(place) else 0), -1, dtype="int64")
    groups[pairs["item"].to_numpy(), place] = pairs["group"].to_numpy()
    return groups
