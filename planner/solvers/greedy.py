"""First- and best-fit decreasing for vectors, by shape and count, over host classes with costs and limited numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, load, used

RULES = ("best", "first")


def packings(instance: Instance, mix: np.ndarray | None) -> Iterator[tuple[str, Packing]]:
    """Packings by several orders and rules, the usually best first; none where a rule runs out of hosts.

    Parameters
    ----------
    instance : Instance
    mix : array of int, shape [C, P], optional
        How many hosts of each class to open first in each pool, from the covering bound.

    Yields
    ------
    (str, Packing)
        The name of the rule and what it gave.
    """
    keys = _keys(instance)
    mixes = [None] if mix is None or len(instance.available) == 1 else [mix, None]
    for rule in RULES:
        for name, key in keys.items():
            for wanted in mixes:
                packing = _pack(instance, np.argsort(-key, kind="stable"), rule, wanted)
                if packing is not None:
                    yield f"{rule}-fit decreasing by {name}", packing


def _keys(instance: Instance) -> dict[str, np.ndarray]:
    """Sizes of shapes to sort by, each of shape [S]: relative to the largest capacity and to what is scarce."""
    relative = instance.demand / np.maximum(instance.capacity.max(axis=0), 1)
    scarcity = (relative * instance.count[:, None]).sum(axis=0)
    weighted = relative * (scarcity / max(scarcity.max(), 1e-12))
    return {
        "weighted sum": weighted.sum(axis=1),
        "largest share": relative.max(axis=1),
        "sum": relative.sum(axis=1),
        "scarcest resource": relative[:, int(np.argmax(scarcity))] + 1e-3 * weighted.sum(axis=1),
    }


class _Yard:
    """Open hosts of one pool: free capacity by row, grown by doubling."""

    def __init__(self, instance: Instance):
        self.free = np.zeros((16, instance.demand.shape[1]), dtype="int64")
        self.kind = np.zeros(16, dtype="int64")
        self.items: list[dict[int, int]] = []

    def open(self, kind: int, capacity: np.ndarray, number: int) -> np.ndarray:
        start, end = len(self.items), len(self.items) + number
        while end > len(self.kind):
            self.free = np.vstack([self.free, np.zeros_like(self.free)])
            self.kind = np.concatenate([self.kind, np.zeros_like(self.kind)])
        self.free[start:end], self.kind[start:end] = capacity, kind
        self.items += [{} for _ in range(number)]
        return np.arange(start, end)

    def put(self, at: np.ndarray, shape: int, take: np.ndarray, demand: np.ndarray) -> None:
        self.free[at] -= take[:, None] * demand
        for host, number in zip(at.tolist(), take.tolist(), strict=True):
            self.items[host][shape] = self.items[host].get(shape, 0) + number


def room(free: np.ndarray, demand: np.ndarray, most: int) -> np.ndarray:
    """How many items of a demand fit into each row of free capacity, at most `most`."""
    needs = demand > 0
    if not needs.any():
        return np.full(len(free), most, dtype="int64")
    return np.minimum((free[:, needs] // demand[needs]).min(axis=1), most)


def _pack(instance: Instance, order: np.ndarray, rule: str, mix: np.ndarray | None) -> Packing | None:
    left = instance.available.copy()
    yards = [_Yard(instance) for _ in instance.pools]
    if mix is not None:
        for kind, pool in zip(*np.nonzero(mix), strict=True):
            number = int(min(mix[kind, pool], left[kind]))
            yards[pool].open(int(kind), instance.capacity[kind], number)
            left[kind] -= number
    scale = np.maximum(instance.capacity.max(axis=0), 1)
    preference = _preference(instance)
    for shape in order.tolist():
        yard, demand = yards[instance.pool[shape]], instance.demand[shape]
        number = _fill(instance, yard, shape, demand, int(instance.count[shape]), rule, scale)
        for kind in preference:
            if number == 0:
                break
            fit = int(room(instance.capacity[kind : kind + 1], demand, number)[0])
            if fit == 0 or left[kind] == 0 or not instance.allowed[shape, kind]:
                continue
            at = yard.open(kind, instance.capacity[kind], int(min(-(-number // fit), left[kind])))
            take = np.minimum(fit, number - fit * np.arange(len(at)))
            yard.put(at, shape, take, demand)
            left[kind] -= len(at)
            number -= int(take.sum())
        if number > 0:
            return None
    hosts = [
        OpenHost(kind=int(yard.kind[at]), pool=pool, items=items)
        for pool, yard in enumerate(yards)
        for at, items in enumerate(yard.items)
        if items
    ]
    return Packing(hosts=tuple(_cheapened(instance, hosts)))


def _fill(
    instance: Instance, yard: _Yard, shape: int, demand: np.ndarray, number: int, rule: str, scale: np.ndarray
) -> int:
    """Put up to `number` items on hosts that are open; how many are left over."""
    count = len(yard.items)
    fit = room(yard.free[:count], demand, number) * instance.allowed[shape, yard.kind[:count]]
    at = np.flatnonzero(fit)
    if not len(at):
        return number
    if rule == "best":
        at = at[np.argsort((yard.free[at] / scale).sum(axis=1), kind="stable")]
    before = np.cumsum(fit[at]) - fit[at]
    take = np.minimum(fit[at], np.maximum(number - before, 0))
    at, take = at[take > 0], take[take > 0]
    yard.put(at, shape, take, demand)
    return number - int(take.sum())


def _preference(instance: Instance) -> list[int]:
    """Host classes in the order in which to open them: least cost for the average mix of demand that fits."""
    average = (instance.demand * instance.count[:, None]).sum(axis=0) / instance.count.sum()
    needed = average > 0
    average_items = (instance.capacity[:, needed] / average[needed]).min(axis=1) if needed.any() else instance.available
    fit = np.maximum(average_items, 1e-9)
    cost, purchase = instance.opening / fit, instance.tiebreak / fit
    return np.lexsort((-fit, purchase, np.round(cost, 9))).tolist()


def _cheapened(instance: Instance, hosts: list[OpenHost]) -> list[OpenHost]:
    """Each host made the cheapest class that still carries what it has and that is available."""
    if len(instance.available) == 1:
        return hosts
    left = instance.available - used(instance, hosts)
    loads = [load(instance, host) for host in hosts]
    for host, carried in sorted(zip(hosts, loads, strict=True), key=lambda pair: tuple(pair[1])):
        shapes = list(host.items)
        numbers = np.array([host.items[s] for s in shapes])
        able = (instance.capacity >= carried).all(axis=1) & instance.allowed[shapes].all(axis=0) & (left > 0)
        able[host.kind] = True
        cost = instance.opening + numbers @ instance.placing[shapes]
        best = min(np.flatnonzero(able).tolist(), key=lambda c: (cost[c], instance.tiebreak[c], c != host.kind))
        left[host.kind] += 1
        left[best] -= 1
        host.kind = best
    return hosts
