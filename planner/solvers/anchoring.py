"""Anchoring: items that a rule across hosts concerns are placed first, alone; everything else is packed around them."""

from __future__ import annotations

import numpy as np

from planner.solvers import cpsat
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing

MOST_COUNTS = 5_000
"""Counting variables of CP-SAT's model up to which it places them."""

EFFORT = 1.0
"""Deterministic time that it may spend."""


def anchor(incumbent: Incumbent, clock: Clock) -> None:
    """Place the coupled items of an instance; where that is proven impossible so is the whole."""
    instance = incumbent.instance
    shapes = np.flatnonzero(instance.coupled)
    if not len(shapes):
        return
    part = instance.part(shapes)
    alone = Incumbent(instance=part, announce=lambda method: None, seed=incumbent.seed)
    hosts = _Yard(part).placed()
    if hosts is not None:
        alone.offer(Packing(hosts=tuple(hosts)), "anchoring")
    if len(cpsat.slots_for(part, alone)) * len(shapes) <= MOST_COUNTS:
        cpsat.improve(alone, clock, max(clock.remaining, 1.0), seed=incumbent.seed, workers=1, effort=EFFORT)
    if alone.infeasible:
        incumbent.infeasible = True
        incumbent.reason = "the rules that reach across hosts leave their workloads no placement: proven by CP-SAT"
    elif alone.packing is not None:
        incumbent.anchors = tuple(
            OpenHost(kind=h.kind, pool=h.pool, items={int(shapes[s]): n for s, n in h.items.items()})
            for h in alone.packing.hosts
        )


class _Yard:
    """Hosts opened one after another for items of a small instance: what they have free and hold of each group."""

    def __init__(self, instance: Instance):
        self.instance = instance
        self.hosts: list[OpenHost] = []
        self.free = np.zeros((0, instance.demand.shape[1]), dtype="int64")
        self.members = np.zeros((0, len(instance.limit)), dtype="int64")
        self.of_span = np.zeros((0, len(instance.spans)), dtype="int64")
        self.in_domain = [law.used([], np.zeros(0)) for law in instance.spreads]

    def placed(self) -> list[OpenHost] | None:
        """Every item on a host, those that are to run on the fewest hosts first; None where one finds none."""
        instance = self.instance
        size = (instance.demand / np.maximum(instance.capacity.max(axis=0), 1)).max(axis=1)
        tightness = np.min([np.where(law.amount > 0, law.most, np.inf) for law in instance.spans] or [size * 0], axis=0)
        for s in np.lexsort((-size, tightness)).tolist():
            for _ in range(int(instance.count[s])):
                at = self._host_for(s)
                if at is None:
                    return None
                self._put(s, at)
        return self.hosts

    def _host_for(self, shape: int) -> int | None:
        """The fullest host with room, of those that carry a span's items if any does; else a new one."""
        instance = self.instance
        kind = np.array([host.kind for host in self.hosts], dtype="int64")
        pool = np.array([host.pool for host in self.hosts], dtype="int64")
        able = instance.fits[shape, kind] & (pool == instance.pool[shape])
        able &= (self.free >= instance.demand[shape]).all(axis=1)
        able &= self._shareable(shape) & self._open_domain(shape, kind)
        mine = [n for n, law in enumerate(instance.spans) if law.amount[shape]]
        for n in mine:
            if np.count_nonzero(self.of_span[:, n]) >= instance.spans[n].most:
                able &= self.of_span[:, n] > 0
        at = np.flatnonzero(able)
        if len(at):
            fullness = (self.free[at] / np.maximum(instance.capacity.max(axis=0), 1)).sum(axis=1)
            return int(at[np.lexsort((fullness, -(self.of_span[at][:, mine] > 0).sum(axis=1)))[0]])
        if any(np.count_nonzero(self.of_span[:, n]) >= instance.spans[n].most for n in mine):
            return None
        return self._opened(shape, kind)

    def _opened(self, shape: int, kind: np.ndarray) -> int | None:
        """A new host for an item: the cheapest class, of equal ones that in the emptiest domain."""
        instance = self.instance
        classes = np.arange(len(instance.available))
        left = instance.available - np.bincount(kind, minlength=len(classes))
        able = np.flatnonzero(instance.fits[shape] & (left > 0) & self._open_domain(shape, classes))
        if not len(able):
            return None
        crowd = np.zeros(len(classes))
        for law, used in zip(instance.spreads, self.in_domain, strict=True):
            if law.amount[shape]:
                crowd += np.where(law.domain >= 0, used[law.domain], 0)
        best = int(able[np.lexsort((crowd[able], instance.tiebreak[able], instance.opening[able]))[0]])
        self.hosts.append(OpenHost(kind=best, pool=int(instance.pool[shape])))
        self.free = np.vstack([self.free, instance.capacity[best]])
        self.members = np.vstack([self.members, np.zeros_like(instance.limit)])
        self.of_span = np.vstack([self.of_span, np.zeros(len(instance.spans), dtype="int64")])
        return len(self.hosts) - 1

    def _shareable(self, shape: int) -> np.ndarray:
        """Which hosts may take one more item by groups and zones: bool [B]."""
        instance = self.instance
        able = np.ones(len(self.hosts), dtype=bool)
        for g in instance.groups[shape][instance.groups[shape] >= 0].tolist():
            able &= self.members[:, g] < instance.limit[g]
            if instance.zone[g] >= 0:
                rivals = np.flatnonzero((instance.zone == instance.zone[g]) & (np.arange(len(instance.zone)) != g))
                able &= (self.members[:, rivals] == 0).all(axis=1)
        return able

    def _open_domain(self, shape: int, kind: np.ndarray) -> np.ndarray:
        """Which hosts of some kinds stand in domains that may take one more item: bool [len(kind)]."""
        able = np.ones(len(kind), dtype=bool)
        for law, used in zip(self.instance.spreads, self.in_domain, strict=True):
            if law.amount[shape]:
                domain = law.domain[kind]
                able &= (domain >= 0) & (used[domain] + law.amount[shape] <= law.most)
        return able

    def _put(self, shape: int, at: int) -> None:
        instance, host = self.instance, self.hosts[at]
        host.items[shape] = host.items.get(shape, 0) + 1
        self.free[at] -= instance.demand[shape]
        for g in instance.groups[shape][instance.groups[shape] >= 0].tolist():
            self.members[at, g] += 1
        for n, law in enumerate(instance.spans):
            self.of_span[at, n] += int(law.amount[shape])
        for law, used in zip(instance.spreads, self.in_domain, strict=True):
            if law.amount[shape]:
                used[law.domain[host.kind]] += int(law.amount[shape])
