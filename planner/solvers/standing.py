"""Solving again from a plan that stands: among packings of equal value the one that moves the fewest items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.plan import Plan
from planner.problem import Problem
from planner.solvers import cpsat
from planner.solvers.failover import with_reserve
from planner.solvers.greedy import room
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, load, used


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """The part of a plan that still stands in an instance.

    Parameters
    ----------
    hosts : tuple of OpenHost
        Named, with the items that they carry and that are still there.
    host_of : dict
        (shape, number among its members) to the name of the host that the item is on.
    """

    hosts: tuple[OpenHost, ...]
    host_of: dict[tuple[int, int], str]


def standing(problem: Problem, instance: Instance, start: Plan) -> Standing:
    """What of `start` still stands: hosts that still exist, workloads that are still there."""
    host_of_name = dict(zip(start.placement["workload"], start.placement["host"], strict=True))
    model_of = dict(zip(start.hosts["host"], start.hosts["model"], strict=True))
    kind_of_row = {int(row): c for c, rows in enumerate(instance.rows) for row in rows}
    row_of_name = dict(zip(problem.hosts["name"], problem.hosts.index, strict=True))
    owned = problem.hosts["owned"].to_numpy()
    names = problem.workloads["name"].to_numpy()
    hosts: dict[str, OpenHost] = {}
    host_of = {}
    for s, items in enumerate(instance.members):
        for number, item in enumerate(items):
            name = host_of_name.get(names[item[0]], "")
            row = row_of_name.get(name)
            if row is None or not owned[row]:
                row = row_of_name.get(model_of.get(name, ""))
            kind = kind_of_row.get(row)
            if not name or kind is None or not instance.fits[s, kind]:
                continue
            host = hosts.setdefault(name, OpenHost(kind=kind, pool=int(instance.pool[s]), name=name))
            if host.pool == instance.pool[s]:
                host.items[s] = host.items.get(s, 0) + 1
                host_of[s, number] = name
    over = used(instance, list(hosts.values())) > instance.available
    kept = tuple(host for host in hosts.values() if not over[host.kind])
    return Standing(hosts=kept, host_of=host_of)


def stays(before: Standing, packing: Packing) -> int:
    """How many items stay where they are."""
    old = {host.name: host.items for host in before.hosts}
    return sum(
        min(number, old.get(host.name, {}).get(s, 0))
        for host in packing.hosts
        if host.name
        for s, number in host.items.items()
    )


def repaired(instance: Instance, before: Standing, clock: Clock) -> Packing | None:
    """The standing plan with what no longer fits taken off, what is new put on, and hosts emptied where that works."""
    hosts = [OpenHost(kind=h.kind, pool=h.pool, items=dict(h.items), name=h.name) for h in before.hosts]
    for host in hosts:
        while (load(instance, host) > instance.capacity[host.kind]).any():
            over = np.maximum(load(instance, host) - instance.capacity[host.kind], 0)
            worst = max(host.items, key=lambda s: (int((instance.demand[s] * (over > 0)).sum()), s))
            _take(host, worst, 1)
    left = instance.count.copy()
    for host in hosts:
        for s, number in host.items.items():
            left[s] -= number
    order = np.argsort(-(instance.demand / np.maximum(instance.capacity.max(axis=0), 1)).max(axis=1), kind="stable")
    for s in order.tolist():
        if left[s] and not _put(instance, hosts, s, int(left[s]), open_new=True):
            return None
    for host in sorted(hosts, key=lambda h: int(sum(h.items.values()))):
        if clock.remaining == 0 or clock.cancelled:
            break
        _empty(instance, hosts, host)
    return Packing(hosts=tuple(host for host in hosts if host.items))


def _take(host: OpenHost, shape: int, number: int) -> None:
    host.items[shape] -= number
    if host.items[shape] == 0:
        del host.items[shape]


def _put(instance: Instance, hosts: list[OpenHost], shape: int, number: int, *, open_new: bool) -> bool:
    """Best fit of items on open hosts, then on new ones; whether all found room. Changes hosts as far as it went."""
    scale = np.maximum(instance.capacity.max(axis=0), 1)
    free = {id(h): instance.capacity[h.kind] - load(instance, h) for h in hosts}
    for host in sorted(hosts, key=lambda h: float((free[id(h)] / scale).sum())):
        if host.pool != instance.pool[shape] or not instance.allowed[shape, host.kind]:
            continue
        take = int(room(free[id(host)][None, :], instance.demand[shape], number)[0])
        if take > 0:
            host.items[shape] = host.items.get(shape, 0) + take
            number -= take
        if number == 0:
            return True
    for kind in np.lexsort((instance.tiebreak, instance.opening)).tolist() if open_new else ():
        while number and instance.fits[shape, kind] and used(instance, hosts)[kind] < instance.available[kind]:
            take = int(room(instance.capacity[kind : kind + 1], instance.demand[shape], number)[0])
            hosts.append(OpenHost(kind=kind, pool=int(instance.pool[shape]), items={shape: take}))
            number -= take
    return number == 0


def _empty(instance: Instance, hosts: list[OpenHost], host: OpenHost) -> None:
    """Spread a host's items over the other hosts in use if they all find room there."""
    others = [other for other in hosts if other is not host and other.items]
    saved = [dict(other.items) for other in others]
    if all(_put(instance, others, s, n, open_new=False) for s, n in sorted(host.items.items(), reverse=True)):
        host.items = {}
        return
    for other, items in zip(others, saved, strict=True):
        other.items = items


def named(packing: Packing, before: Standing) -> Packing:
    """The packing with its hosts named after those of the standing plan that they share the most items with."""
    pairs = sorted(
        (
            (-sum(min(n, host.items.get(s, 0)) for s, n in old.items.items()), i, j)
            for i, host in enumerate(packing.hosts)
            for j, old in enumerate(before.hosts)
            if (host.kind, host.pool) == (old.kind, old.pool)
        )
    )
    name_of: dict[int, str] = {}
    taken: set[int] = set()
    for overlap, i, j in pairs:
        if overlap < 0 and i not in name_of and j not in taken:
            name_of[i] = before.hosts[j].name
            taken.add(j)
    return Packing(
        hosts=tuple(
            OpenHost(kind=h.kind, pool=h.pool, items=h.items, name=name_of.get(i, ""))
            for i, h in enumerate(packing.hosts)
        )
    )


class _KeepBest(cpsat.cp_model.CpSolverSolutionCallback):
    """Keeps the packing that moves the fewest among those no worse than the incumbent."""

    def __init__(self, model: cpsat.Model, names: list[str], incumbent: Incumbent, before: Standing):
        super().__init__()
        self.model, self.names, self.incumbent, self.before = model, names, incumbent, before

    def on_solution_callback(self) -> None:
        packing = self.model.packing(self.value, self.names)
        take_if_fewer(self.incumbent, self.before, packing)


def take_if_fewer(incumbent: Incumbent, before: Standing, packing: Packing) -> None:
    """Make a packing the incumbent if it is better, or as good and moves fewer."""
    complete = with_reserve(incumbent.instance, packing)
    if complete is None:
        return
    new, old = complete.key(incumbent.instance), incumbent.packing.key(incumbent.instance)
    if new < old or (new == old and stays(before, complete) > stays(before, incumbent.packing)):
        incumbent.packing, incumbent.method = complete, "fewest moves"
        incumbent.announce("fewest moves")


def fewest_moves(
    incumbent: Incumbent, before: Standing, clock: Clock, seconds: float, *, seed: int, workers: int
) -> None:
    """Among packings no worse than the incumbent look for the one that moves the fewest items."""
    instance = incumbent.instance
    incumbent.packing = named(incumbent.packing, before)
    if (fixed := repaired(instance, before, clock)) is not None:
        take_if_fewer(incumbent, before, fixed)
    rest = [cpsat.Slot(kind=h.kind, pool=h.pool) for h in incumbent.packing.hosts if not h.name]
    slots = [cpsat.Slot(kind=h.kind, pool=h.pool) for h in before.hosts] + rest
    movable = sum(sum(h.items.values()) for h in before.hosts) - stays(before, incumbent.packing)
    if len(slots) * len(instance.demand) > cpsat.MOST_VARIABLES or seconds <= 0 or not before.hosts or not movable:
        return
    model = cpsat.Model(instance, slots, ordered=False)
    value, purchase = incumbent.packing.key(instance)
    model.model.add(model.objective <= value - cpsat.reserve_cost(instance))
    model.model.add(model.purchase <= purchase)
    kept = []
    for i, host in enumerate(before.hosts):
        for s, number in host.items.items():
            if (s, i) in model.number:
                stay = model.model.new_int_var(0, number, "")
                model.model.add(stay <= model.number[s, i])
                kept.append(stay)
    by_name = {h.name: h for h in incumbent.packing.hosts if h.name}
    unnamed = [h for h in incumbent.packing.hosts if not h.name]
    model.hint([*(by_name.get(h.name) for h in before.hosts), *unnamed])
    model.model.maximize(sum(kept))
    names = [h.name for h in before.hosts] + [""] * len(rest)
    cpsat.search(model, _KeepBest(model, names, incumbent, before), clock, seconds, seed, workers)
