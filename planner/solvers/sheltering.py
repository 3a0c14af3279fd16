"""Sheltering: room kept free on hosts for what would find no place once others are lost.

Where a case of failure leaves workloads without a place, there are hosts as a rule that may take them and are only too
full. What such a host carries and others may carry too is moved away, by the same exchanges that repacking uses.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from planner.solvers.evacuation import Evacuation
from planner.solvers.incumbent import Clock
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing
from planner.solvers.repack import MOST_PLACES, Attempt, longest
from planner.solvers.survivors import Estate, Survivors

SLICES = 4
"""Slices of work that finding other places may take."""

FEW = 0.5
"""Share of the hosts that others may run on, below which items go last."""

Case = tuple[str, np.ndarray, Evacuation]
"""Name, positions of the lost hosts, and what was found."""


def wanted(estate: Estate, failed: list[Case]) -> np.ndarray:
    """How much more room hosts need for what is without a place, [host, Q]; what no host may take is left out.

    In each case whatever has no place goes where least is lacking; a host then needs the most that a case asks of it.
    """
    scale = np.maximum(np.where(np.isfinite(estate.capacity), estate.capacity, 0).max(axis=0), 1e-12)
    room = np.zeros_like(estate.load)
    for _, lost, found in failed:
        survivors = Survivors(estate, lost)
        for item, h in found.where:
            survivors.put(item, h)
        for item in found.homeless:
            at = np.flatnonzero(survivors.welcome(item))
            if len(at):
                demand = estate.demand[item].sum(axis=0)
                lacking = np.maximum(demand - np.maximum(survivors.free[at], 0) - room[at], 0) / scale
                survivors.put(item, int(at[int(lacking.max(axis=1).argmin())]))
        room = np.maximum(room, np.where(survivors.alive[:, None], -survivors.free, 0.0))
    return room


class Shelter:
    """One instance's packing while room is made on it.

    Parameters
    ----------
    instance : Instance
    estate : Estate
        Of the plan of all packings.
    shape_of : array of int
        Shape of each workload, -1 for those of other instances.
    packing : Packing
    """

    def __init__(self, instance: Instance, estate: Estate, shape_of: np.ndarray, packing: Packing):
        self.instance, self.estate, self.shape_of, self.hosts = instance, estate, shape_of, packing.hosts
        self.seat = self._seats()

    def _seats(self) -> dict[int, int]:
        """Where each loaded host of the estate stands in the packing; among equal hosts any."""
        family_of = {
            int(row): int(self.instance.family[c]) for c, rows in enumerate(self.instance.rows) for row in rows
        }
        free: dict[tuple, list[int]] = {}
        for at, host in enumerate(self.hosts):
            free.setdefault((int(self.instance.family[host.kind]), frozenset(host.items.items())), []).append(at)
        seats = {}
        for h in np.flatnonzero(self.estate.loaded).tolist():
            shapes = [int(self.shape_of[item[0]]) for item in self.estate.items([h])]
            if shapes[0] >= 0:
                family = family_of[int(self.estate.row[h])]
                seats[h] = free[family, frozenset(Counter(shapes).items())].pop()
        return seats

    def made(self, room: np.ndarray, clock: Clock, seed: int, *, idle: bool) -> Packing | None:
        """The packing with room on hosts, others taking what had to go; None where they cannot.

        Parameters
        ----------
        room : array of float, shape [host, Q]
            As `wanted` has it.
        clock : Clock
        seed : int
        idle : bool
            Whether hosts that carry nothing may take what goes.
        """
        instance = self.instance
        hosts = [OpenHost(kind=h.kind, pool=h.pool, items=dict(h.items), name=h.name) for h in self.hosts]
        waiting, kept = np.zeros(len(instance.count), dtype="int64"), []
        for h, at in self.seat.items():
            if (room[h] > 0).any():
                kept.append(at)
                for shape in self._leaving(h, room[h]):
                    waiting[shape] += 1
                    hosts[at].items[shape] -= 1
                hosts[at].items = {s: n for s, n in hosts[at].items.items() if n}
        taking = [at for at, host in enumerate(hosts) if host.items or idle]
        if not waiting.any() or len(taking) * longest(instance) > MOST_PLACES:
            return None
        attempt = Attempt(instance, [hosts[at] for at in taking], waiting, seed, plain=True)
        attempt.free[np.isin(taking, kept)] = 0
        if not attempt.run(clock, clock.limit, SLICES):
            return None
        for at, now in zip(taking, attempt.seated(), strict=True):
            hosts[at].items = now.items
        return Packing(hosts=tuple(hosts), sure=False)

    def _leaving(self, h: int, room: np.ndarray) -> list[int]:
        """Shapes of the items that leave a host so that it has so much room: what can go elsewhere, few and small."""
        instance, left = self.instance, room.copy()
        items = self.estate.items([h])
        shapes = np.array([int(self.shape_of[item[0]]) for item in items])
        demand = np.array([self.estate.demand[item].sum(axis=0) for item in items])
        # What rules across hosts hold in place, or few other hosts may carry, goes last.
        bound = 2 * instance.coupled[shapes] + (instance.reach[shapes] < FEW * instance.reach.max())
        stays, gone = np.ones(len(items), dtype=bool), []
        while (left > 0).any() and stays.any():
            short = left > 0
            helps = np.minimum(demand[:, short] / left[short], 1).min(axis=1)
            # Of those that are enough the smallest, else the one that helps most.
            pick = int(np.lexsort((demand[:, short].sum(axis=1), -helps, bound, ~stays))[0])
            stays[pick] = False
            left -= demand[pick]
            gone.append(int(shapes[pick]))
        return gone
