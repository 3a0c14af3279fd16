"""Neighbourhoods: what a few hosts of the best packing carry, divided among them anew by CP-SAT at the least cost.

Shaw: Using constraint programming and local search methods to solve vehicle routing problems. CP 1998.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.solvers import cpsat
from planner.solvers.coarse import crowded
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.packing import OpenHost, Packing

FEW = 3
"""Hosts of a neighbourhood."""

SECONDS, EFFORT = 3.0, 0.5
"""Seconds and deterministic time for one of them at most."""


class Neighbourhoods:
    """Improves the packing of an incumbent a few hosts at a time."""

    def __init__(self, incumbent: Incumbent, clock: Clock, seed: int, workers: int):
        self.incumbent, self.instance, self.clock = incumbent, incumbent.instance, clock
        self.seed, self.workers = seed, workers
        self.random = np.random.default_rng(seed)

    @property
    def applies(self) -> bool:
        """Whether hosts carry many items, at unlike costs, and no rule reaches across them."""
        plain = not self.instance.coupled.any() and self.instance.failing is None
        return plain and crowded(self.instance, self.incumbent.packing)

    def run(self, until: float) -> bool:
        """Try neighbourhoods until a second on the clock, or every one of a round was in vain; whether any helped."""
        vain, before = 0, self.incumbent.key
        while self.clock.seconds < until and not self.clock.over and not self.incumbent.good_enough:
            hosts = list(self.incumbent.packing.hosts)
            chosen = self._chosen(hosts)
            if len(chosen) < 2 or vain > 4 * len(hosts):
                break
            vain = 0 if self._improved(hosts, chosen, until) else vain + 1
        return self.incumbent.key < before

    def _chosen(self, hosts: list[OpenHost]) -> list[int]:
        """Some hosts of one pool by chance: positions."""
        running = [at for at, host in enumerate(hosts) if host.items]
        if len(running) < 2:
            return []
        first = int(self.random.choice(running))
        others = [at for at in running if at != first and hosts[at].pool == hosts[first].pool]
        return [first, *self.random.permutation(others)[: FEW - 1].astype(int).tolist()]

    def _improved(self, hosts: list[OpenHost], chosen: list[int], until: float) -> bool:
        """Whether what these hosts carry can be divided among them so that the packing is better."""
        mine = [hosts[at] for at in chosen]
        shapes = np.array(sorted({s for host in mine for s in host.items}))
        count = np.array([sum(host.items.get(int(s), 0) for host in mine) for s in shapes], dtype="int64")
        families = self.instance.family
        there = np.bincount(families[[host.kind for host in mine]], minlength=int(families.max()) + 1)
        part = replace(self.instance.part(shapes), count=count, available=there[families].astype("int64"))
        place = {int(s): at for at, s in enumerate(shapes)}
        few = Incumbent(instance=part, announce=lambda method: None, seed=self.seed)
        few.offer(Packing(hosts=tuple(_renamed(host, place) for host in mine)), "as it is")
        if few.packing is None:
            return False
        before = few.key
        seconds = min(SECONDS, until - self.clock.seconds)
        cpsat.improve(few, self.clock, seconds, seed=self.seed, workers=self.workers, effort=EFFORT)
        if few.key >= before:
            return False
        back = dict(enumerate(shapes.tolist()))
        rest = [host for at, host in enumerate(hosts) if at not in chosen and host.items]
        new = tuple(_renamed(host, back) for host in few.packing.hosts)
        return self.incumbent.offer(Packing(hosts=(*rest, *new)), "neighbourhoods")


def _renamed(host: OpenHost, place: dict[int, int]) -> OpenHost:
    return OpenHost(kind=host.kind, pool=host.pool, items={place[int(s)]: n for s, n in host.items.items()})
