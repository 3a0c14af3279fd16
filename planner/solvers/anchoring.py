"""Anchoring: items that a rule across hosts concerns are placed first; everything else is packed around them."""

from __future__ import annotations

import numpy as np

from planner.solvers import cpsat
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, unused
from planner.solvers.repack import Attempt

MOST_COUNTS = 5_000
"""Counting variables of CP-SAT's model up to which it places them."""

EFFORT = 1.0
"""Deterministic time that it may spend."""

FEW = 0.5
"""Share of the hosts that others may run on, below which items are placed early."""

SLICES = 3
"""Slices of work of one repair."""

TRIES, NOISE = 30, 0.3
"""Orders of the items that are tried at most, and by how much all but the first stray from the usually best one."""


def anchor(incumbent: Incumbent, clock: Clock) -> None:
    """Place the coupled items of an instance; where that is proven impossible so is the whole."""
    instance = incumbent.instance
    if not instance.coupled.any():
        return
    # What may run on few hosts only is placed along with it, before those hosts are full.
    shapes = np.flatnonzero(instance.coupled | (instance.reach < FEW * instance.reach.max()))
    part = instance.part(shapes)
    alone = Incumbent(instance=part, announce=lambda method: None, seed=incumbent.seed)
    random = np.random.default_rng(incumbent.seed)
    for number in range(TRIES):
        yard = _Yard(part, random, NOISE if number else 0.0)
        if yard.placed() or _repaired(yard, clock):
            alone.offer(Packing(hosts=tuple(host for host in yard.hosts if host.items)), "anchoring")
        if number == 0:  # What is hard to place by hand may be impossible, which no further try tells.
            _searched(alone, clock)
        if alone.packing is not None or alone.infeasible or clock.over:
            break
    if not alone.exhausted:
        _searched(alone, clock)
    if alone.infeasible:
        incumbent.infeasible = True
        incumbent.reason = "the rules that reach across hosts leave their workloads no placement: proven by CP-SAT"
    elif alone.packing is not None:
        incumbent.anchors = tuple(
            OpenHost(kind=h.kind, pool=h.pool, items={int(shapes[s]): n for s, n in h.items.items()})
            for h in alone.packing.hosts
        )


def _searched(alone: Incumbent, clock: Clock) -> None:
    """Let CP-SAT place a small part, or prove that it has no placement."""
    if len(cpsat.slots_for(alone.instance, alone)) * len(alone.instance.count) <= MOST_COUNTS:
        cpsat.improve(alone, clock, max(clock.remaining, 1.0), seed=alone.seed, workers=1, effort=EFFORT)


def _repaired(yard: _Yard, clock: Clock) -> bool:
    """Whether what found no host does once other items make room, on the hosts that are open."""
    attempt = Attempt(yard.instance, yard.hosts, yard.left, seed=int(yard.random.integers(1 << 20)))
    if not attempt.run(clock, clock.limit, SLICES):
        return False
    yard.hosts = attempt.result()
    return True


class _Yard:
    """Hosts opened one after another for items of a small instance: what they have free and hold of each group.

    Parameters
    ----------
    instance : Instance
    random : numpy.random.Generator
    noise : float
        How far the order of items may stray from the usually best one.
    """

    def __init__(self, instance: Instance, random: np.random.Generator, noise: float):
        self.instance, self.random, self.noise = instance, random, noise
        self.hosts: list[OpenHost] = []
        self.left = instance.count.copy()
        self.free = np.zeros((0, instance.demand.shape[1]), dtype="int64")
        self.members = np.zeros((0, len(instance.limit)), dtype="int64")
        self.of_span = np.zeros((0, len(instance.spans)), dtype="int64")
        self.in_domain = [law.used([], np.zeros(0)) for law in instance.spreads]

    def placed(self) -> bool:
        """Put every item on a host, those that are to run on the fewest hosts first; whether all found one."""
        instance = self.instance
        size = (instance.demand / np.maximum(instance.capacity.max(axis=0), 1)).max(axis=1)
        size = size * np.exp(self.random.normal(0.0, self.noise, len(size)))
        tightness = np.min([np.where(law.amount > 0, law.most, np.inf) for law in instance.spans] or [size * 0], axis=0)
        # What may run on fewer hosts than others comes before those: the others find room elsewhere.
        for s in np.lexsort((-size, instance.reach, tightness)).tolist():
            for _ in range(int(instance.count[s])):
                at = self._host_for(s)
                if at is None:
                    break
                self._put(s, at)
        return not self.left.any()

    def _host_for(self, shape: int) -> int | None:
        """A host with room: one that carries the same spans, in the emptiest domain, the fullest; else a new one."""
        instance = self.instance
        kind = np.array([host.kind for host in self.hosts], dtype="int64")
        pool = np.array([host.pool for host in self.hosts], dtype="int64")
        able = instance.fits[shape, kind] & (pool == instance.pool[shape])
        able &= (self.free >= instance.demand[shape]).all(axis=1)
        able &= self._shareable(shape) & self._open_domain(shape, kind)
        mine = [n for n, law in enumerate(instance.spans) if law.amount[shape]]
        full = [n for n in mine if np.count_nonzero(self.of_span[:, n]) >= instance.spans[n].most]
        able &= (self.of_span[:, full] > 0).all(axis=1)
        at = np.flatnonzero(able)
        if len(at):
            fullness = (self.free[at] / np.maximum(instance.capacity.max(axis=0), 1)).sum(axis=1)
            crowd = self._crowd(shape, kind[at])
            return int(at[np.lexsort((fullness, crowd, -(self.of_span[at][:, mine] > 0).sum(axis=1)))[0]])
        return None if full else self._opened(shape, kind, mine)

    def _opened(self, shape: int, kind: np.ndarray, mine: list[int]) -> int | None:
        """A new host for an item: where most of what shares its spans may follow, in the emptiest domain, cheapest."""
        instance = self.instance
        classes = np.arange(len(instance.available))
        left = unused(instance, self.hosts)
        able = np.flatnonzero(instance.fits[shape] & (left > 0) & self._open_domain(shape, classes))
        if not len(able):
            return None
        sharing = np.zeros(len(self.left))
        for n in mine:
            sharing += self.left * instance.spans[n].amount
        follow = -(sharing @ instance.fits[:, able])
        cost = instance.tiebreak[able], instance.opening[able]
        best = int(able[np.lexsort((-left[able], *cost, self._crowd(shape, able), follow))[0]])
        self.hosts.append(OpenHost(kind=best, pool=int(instance.pool[shape])))
        self.free = np.vstack([self.free, instance.capacity[best]])
        self.members = np.vstack([self.members, np.zeros_like(instance.limit)])
        self.of_span = np.vstack([self.of_span, np.zeros(len(instance.spans), dtype="int64")])
        return len(self.hosts) - 1

    def _crowd(self, shape: int, kind: np.ndarray) -> np.ndarray:
        """How full the domains of hosts of some kinds are of what the item is spread with."""
        crowd = np.zeros(len(kind))
        for law, used in zip(self.instance.spreads, self.in_domain, strict=True):
            if law.amount[shape]:
                crowd = np.maximum(crowd, used[law.domain[kind]] / law.most)
        return crowd

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
        self.left[shape] -= 1
        self.free[at] -= instance.demand[shape]
        for g in instance.groups[shape][instance.groups[shape] >= 0].tolist():
            self.members[at, g] += 1
        for n, law in enumerate(instance.spans):
            self.of_span[at, n] += int(law.amount[shape])
        for law, used in zip(instance.spreads, self.in_domain, strict=True):
            if law.amount[shape]:
                used[law.domain[host.kind]] += int(law.amount[shape])
