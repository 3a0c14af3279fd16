"""Repacking: fewer or cheaper hosts by taking some away and finding room for their items on those that stay."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planner.solvers.failover import with_reserve
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.kernels import load as load_kernels
from planner.solvers.packing import OpenHost, Packing

MOST_PLACES = 10**8
"""Hosts times items on a host beyond which nothing is repacked: the table of it would not fit into memory."""

LOOK_AT_HOSTS = 100
"""Hosts looked at in one step at most."""

EVENING, MOST_EVENING = 60, 4_000_000
"""Moves and exchanges tried for each item, and in all at most, to even out what is in use."""

CHEAPENING, MOST_CHEAPENING = 1_000, 4_000_000
"""Moves and exchanges tried for each item, and in all at most, to have items where they cost less."""

SLICE, STEPS_PER_ITEM = 400_000, 1_000
"""Items looked at between two looks at the clock, and steps at most for each item: a few items have few placements."""


class Attempt:
    """Items on a given set of hosts, some of them still waiting for a place.

    Rules across hosts hold throughout: members that run on few hosts keep to those that have some, members that are
    spread keep to their domain.

    Parameters
    ----------
    instance : Instance
    hosts : sequence of OpenHost
        The hosts to use, with the items that they carry.
    waiting : array of int, shape [S]
        How many items of each shape wait.
    seed : int
    plain : bool
        Whether a small instance goes without compiled code.
    """

    def __init__(
        self, instance: Instance, hosts: Sequence[OpenHost], waiting: np.ndarray, seed: int, *, plain: bool = False
    ):
        self.instance, self.hosts = instance, hosts
        shapes, places = [np.repeat(np.arange(len(waiting)), waiting)], [np.full(int(waiting.sum()), -1)]
        for b, host in enumerate(hosts):
            held = np.repeat(list(host.items), list(host.items.values()))
            shapes.append(held.astype("int64"))
            places.append(np.full(len(held), b))
        self.shape, where = np.concatenate(shapes), np.concatenate(places)
        self.laws = instance.groups, instance.limit, instance.zone
        self.kernels = load_kernels("repacking", instance.items if plain else None)
        kind = np.array([host.kind for host in hosts], dtype="int64")
        pool = np.array([host.pool for host in hosts], dtype="int64")
        self.kind = kind * len(instance.pools) + pool
        self.type, self.fixed = self.kind, np.zeros(len(self.shape), dtype=bool)
        self.usable = np.repeat(instance.allowed, len(instance.pools), axis=1)
        self.usable &= np.tile(np.arange(len(instance.pools)), len(instance.available)) == instance.pool[:, None]
        if instance.coupled.any():
            usable, fixed = usable_by_host(instance, hosts)
            self.usable = np.ascontiguousarray(usable & self.usable[:, self.kind])
            self.type, self.fixed = np.arange(len(hosts)), fixed[self.shape]
        self.weight = self._weights(instance.capacity[kind])
        self.free = instance.capacity[kind]
        self.where = np.full(len(self.shape), -1)
        self.position = np.zeros(len(self.shape), dtype="int64")
        self.content = np.zeros((len(hosts), longest(instance)), dtype="int64")
        self.size = np.zeros(len(hosts), dtype="int64")
        order = np.argsort(where, kind="stable")
        placed = order[where[order] >= 0]
        begins = np.searchsorted(where[placed], np.arange(len(hosts)))
        self.where[placed] = where[placed]
        self.position[placed] = np.arange(len(placed)) - begins[where[placed]]
        self.content[where[placed], self.position[placed]] = placed
        np.add.at(self.size, where[placed], 1)
        np.subtract.at(self.free, where[placed], instance.demand[self.shape[placed]])
        self.waiting = np.zeros(len(self.shape), dtype="int64")
        self.waiters = int((where < 0).sum())
        self.waiting[: self.waiters] = np.flatnonzero(where < 0)
        self.penalty = np.ones(len(self.shape))
        self.tabu = np.zeros(len(self.shape), dtype="int64")
        self.tabu_host = np.full(len(self.shape), -1)
        self.state = np.array([seed * 7919 + 1, 0])
        self.lightest = np.inf

    def _weights(self, capacity: np.ndarray) -> np.ndarray:
        """How much it matters that an item waits: its size, resources counted by how scarce they are here."""
        offered = np.maximum(capacity.sum(axis=0), 1)
        wanted = self.instance.demand[self.shape].sum(axis=0)
        scarcity = wanted / offered
        share = self.instance.demand / np.maximum(capacity.mean(axis=0), 1)
        return share @ (scarcity / max(scarcity.max(), 1e-12)) ** 4 + 1e-6

    def run(self, clock: Clock, until: float, slices: int) -> bool:
        """Search until every item has a place, or a point on the clock or of work is reached; whether all have one."""
        instance = self.instance
        looks = min(len(self.hosts), LOOK_AT_HOSTS)
        per_step = max(looks * len(self.shape) // max(len(self.hosts), 1), 1)
        steps = max(min(SLICE // per_step, STEPS_PER_ITEM * len(self.shape)), 1)
        for _ in range(slices):
            if not self.waiters:
                break
            self.waiters, lightest = self.kernels.repack(
                self.shape, instance.demand, self.weight, *self.laws, self.usable, self.type,
                self.free, self.content, self.size, self.where, self.position, self.fixed, self.waiting, self.waiters,
                looks, steps, self.penalty, self.tabu, self.tabu_host, self.state,
            )  # fmt: skip
            self.lightest = min(self.lightest, lightest)
            if clock.over or clock.seconds >= until:
                break
        return self.waiters == 0

    def even_out(self) -> None:
        """Even out what is in use on hosts of a type, item by item; what rules across hosts concern stays."""
        fixed = self.instance.coupled[self.shape]
        pools = len(self.instance.pools)
        share = np.repeat(1.0 / np.maximum(self.instance.capacity, 1), pools, axis=0)
        tries = min(EVENING * len(self.shape), MOST_EVENING)
        self.kernels.even_out(
            self.shape, self.instance.demand, *self.laws, share, self.kind,
            self.free, self.content, self.size, self.where, self.position, fixed, self.state, tries,
        )  # fmt: skip

    def cheapen(self) -> None:
        """Move and exchange items where they cost less then; what rules across hosts concern stays."""
        instance, pools = self.instance, len(self.instance.pools)
        if not (instance.placing != instance.placing[:, :1]).any():
            return
        self.kernels.cheapen(
            self.shape, instance.demand, *self.laws, self.usable, self.type,
            np.repeat(instance.placing, pools, axis=1), self.kind,
            self.free, self.content, self.size, self.where, self.position, instance.coupled[self.shape], self.state,
            min(CHEAPENING * len(self.shape), MOST_CHEAPENING),
        )  # fmt: skip

    def seated(self) -> list[OpenHost]:
        """The hosts in their order with what they carry now."""
        found = []
        for b, host in enumerate(self.hosts):
            shapes, numbers = np.unique(self.shape[self.content[b, : self.size[b]]], return_counts=True)
            items = dict(zip(shapes.tolist(), numbers.tolist(), strict=True))
            found.append(OpenHost(kind=host.kind, pool=host.pool, items=items))
        return found

    def result(self) -> list[OpenHost]:
        """The hosts with what they carry now; those that carry nothing left out."""
        return [host for host in self.seated() if host.items]


def usable_by_host(instance: Instance, hosts: Sequence[OpenHost]) -> tuple[np.ndarray, np.ndarray]:
    """Where coupled items may go so that rules across hosts keep holding, whatever else moves.

    Members of a span keep to hosts that carry some, and to as many further ones as it allows, those with the fewest
    items. A shape of one item that is spread keeps to its domain, or goes to the emptiest if it waits.

    Returns
    -------
    (array of bool [S, B], array of bool [S])
        Hosts that each shape may use, and shapes of several items that are spread: those do not move.
    """
    kind = np.array([host.kind for host in hosts], dtype="int64")
    usable, fixed = np.ones((len(instance.count), len(hosts)), dtype=bool), np.zeros(len(instance.count), dtype=bool)
    items = np.array([sum(host.items.values()) for host in hosts])

    def members(amount: np.ndarray) -> np.ndarray:
        return np.array([sum(int(amount[s]) * n for s, n in host.items.items()) for host in hosts], dtype="int64")

    for law in instance.spans:
        inside = members(law.amount) > 0
        others = np.flatnonzero(~inside)
        inside[others[np.argsort(items[others], kind="stable")[: max(law.most - inside.sum(), 0)]]] = True
        usable[law.amount > 0] &= inside
    at = {s: host for host in hosts for s in host.items}
    for law in instance.spreads:
        used = law.used(kind, members(law.amount))
        domain = law.domain[kind]
        for s in np.flatnonzero(law.amount).tolist():
            if instance.count[s] > 1:
                usable[s], fixed[s] = False, True
                continue
            if s in at:
                home = int(law.domain[at[s].kind])
            else:
                home = int(np.argmin(np.where(np.isin(np.arange(len(used)), domain), used, np.inf)))
                used[home] += law.amount[s]
            usable[s] &= (domain == home) & (used[home] <= law.most)
    return usable, fixed


def longest(instance: Instance) -> int:
    """How many items one host of the instance can carry at most, and one more."""
    most = instance.items
    for r in range(instance.demand.shape[1]):
        order = np.argsort(instance.demand[:, r], kind="stable")
        count, size = instance.count[order], instance.demand[order, r]
        room = int(instance.capacity[:, r].max())
        whole = np.cumsum(count * size)
        shapes = int(np.searchsorted(whole, room, side="right"))
        fit = int(count[:shapes].sum())
        if shapes < len(order) and size[shapes]:
            fit += (room - (int(whole[shapes - 1]) if shapes else 0)) // int(size[shapes])
        most = min(most, fit)
    return most + 1


def even_out(incumbent: Incumbent) -> None:
    """Balance the best packing: of equal plans the one that spreads what is in use over equal hosts; idle ones stay."""
    instance, hosts = incumbent.instance, incumbent.packing.hosts
    running, idle = [h for h in hosts if h.items], [h for h in hosts if not h.items]
    if len(running) < 2 or len(running) * longest(instance) > MOST_PLACES:
        return
    attempt = Attempt(instance, running, np.zeros(len(instance.count), dtype="int64"), incumbent.seed, plain=True)
    attempt.even_out()
    complete = with_reserve(instance, Packing(hosts=(*attempt.result(), *idle)))
    if complete is not None and complete.rank(instance) <= incumbent.packing.rank(instance):
        incumbent.packing, incumbent.key = complete, complete.key(instance)
