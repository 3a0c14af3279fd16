"""Solving again from a plan that stands: among packings of equal value the one that moves the fewest items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.plan import Plan
from planner.problem import Problem
from planner.solvers import cpsat
from planner.solvers.failover import with_reserve
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, kin_for, load, members_of, rivals_of, room, unused


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """The part of a plan that still stands in an instance.

    Parameters
    ----------
    hosts : tuple of OpenHost
        Named, with the items that they carry and that are still there.
    host_of : dict
        Item to the name of the host that it is on.
    """

    hosts: tuple[OpenHost, ...]
    host_of: dict[int, str]


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
    members = instance.members
    for s in range(len(instance.demand)):
        for item in members.items(s).tolist():
            name = host_of_name.get(names[members.item(item)[0]], "")
            row = row_of_name.get(name)
            if row is None or not owned[row]:
                row = row_of_name.get(model_of.get(name, ""))
            kind = kind_of_row.get(row)
            if not name or kind is None or not instance.fits[s, kind]:
                continue
            host = hosts.setdefault(name, OpenHost(kind=kind, pool=int(instance.pool[s]), name=name))
            if host.pool == instance.pool[s]:
                host.items[s] = host.items.get(s, 0) + 1
                host_of[item] = name
    for host in hosts.values():
        host.kind = kin_for(instance, host)
    over = unused(instance, list(hosts.values())) < 0
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
    """The standing plan with what no longer fits taken off, what is new put on, and hosts emptied where that works.

    None where it finds no room, or where the rules across hosts do not hold then.
    """
    yard = _Yard(instance, before.hosts)
    yard.relieve()
    missing = instance.count.copy()
    for host in yard.hosts:
        for s, number in host.items.items():
            missing[s] -= number
    size = (instance.demand / np.maximum(instance.capacity.max(axis=0), 1)).max(axis=1)
    for s in np.argsort(-size, kind="stable").tolist():
        left = yard.put(s, int(missing[s]))
        if left and yard.open_for(s, left):
            return None
    for at in np.argsort([sum(host.items.values()) for host in yard.hosts], kind="stable").tolist():
        if clock.remaining == 0 or clock.cancelled:
            break
        yard.empty(at)
    for host in yard.hosts:
        host.kind = kin_for(instance, host)
    packing = Packing(hosts=tuple(host for host in yard.hosts if host.items))
    return packing if packing.fits(instance) else None


class _Yard:
    """Hosts of a plan that stands, with what they have free."""

    def __init__(self, instance: Instance, hosts: tuple[OpenHost, ...]):
        self.instance = instance
        self.scale = np.maximum(instance.capacity.max(axis=0), 1)
        self.hosts = [OpenHost(kind=h.kind, pool=h.pool, items=dict(h.items), name=h.name) for h in hosts]
        width = instance.demand.shape[1]
        self.room = np.array([instance.capacity[own].max(axis=0) for own in instance.kin]).reshape(-1, width)
        self.free = np.array([self.room[h.kind] - load(instance, h) for h in self.hosts]).reshape(-1, width)

    def change(self, at: int, shape: int, number: int) -> None:
        """Put items on a host, or take them off where `number` is negative."""
        items = self.hosts[at].items
        items[shape] = items.get(shape, 0) + number
        if items[shape] == 0:
            del items[shape]
        self.free[at] -= number * self.instance.demand[shape]

    def relieve(self) -> None:
        """Take items off hosts that carry more than they may, those first that help most."""
        for at, host in enumerate(self.hosts):
            while (over := self.free[at] < 0).any():
                worst = max(host.items, key=lambda s: (int(self.instance.demand[s][over].sum()), s))
                self.change(at, worst, -1)
            for g in {g for s in host.items for g in self.instance.groups[s].tolist() if g >= 0}:
                while members_of(self.instance, host, g) > self.instance.limit[g]:
                    self.change(at, max(s for s in host.items if g in self.instance.groups[s]), -1)
                for s in rivals_of(self.instance, host, g):
                    self.change(at, s, -host.items[s])

    def put(self, shape: int, number: int, *, except_for: int = -1, log: list | None = None) -> int:
        """Best fit of items on hosts that run; how many found no room."""
        if number == 0 or not self.hosts:
            return number
        kind = np.array([host.kind for host in self.hosts])
        usable = np.array([bool(host.items) and host.pool == self.instance.pool[shape] for host in self.hosts])
        usable &= self.instance.allowed[shape, kind]
        if except_for >= 0:
            usable[except_for] = False
        fit = self._room(shape, number, usable)
        at = np.flatnonzero(fit > 0)
        for host in at[np.argsort((self.free[at] / self.scale).sum(axis=1), kind="stable")].tolist():
            take = min(int(fit[host]), number)
            self.change(host, shape, take)
            if log is not None:
                log.append((host, shape, take))
            number -= take
            if number == 0:
                break
        return number

    def _room(self, shape: int, number: int, usable: np.ndarray) -> np.ndarray:
        """How many items of a shape fit on each host, at most `number`; 0 where not usable."""
        instance = self.instance
        needs = instance.demand[shape] > 0
        fit = np.where(usable, number, 0)
        if needs.any():
            fit = np.minimum(fit, (self.free[:, needs] // instance.demand[shape, needs]).min(axis=1))
        for g in instance.groups[shape][instance.groups[shape] >= 0].tolist():
            for at in np.flatnonzero(fit > 0).tolist():
                fit[at] = min(fit[at], instance.limit[g] - members_of(instance, self.hosts[at], g))
                if rivals_of(instance, self.hosts[at], g):
                    fit[at] = 0
        return np.maximum(fit, 0)

    def open_for(self, shape: int, number: int) -> int:
        """New hosts for items, the cheapest class first; how many found none."""
        instance = self.instance
        left = unused(instance, self.hosts)
        for kind in np.lexsort((instance.tiebreak, instance.opening)).tolist():
            while number and instance.fits[shape, kind] and left[kind] > 0:
                self.hosts.append(OpenHost(kind=kind, pool=int(instance.pool[shape])))
                self.free = np.vstack([self.free, self.room[kind]])
                take = min(int(room(instance, shape)[kind]), number)
                self.change(len(self.hosts) - 1, shape, take)
                left[instance.kin[kind]] -= 1
                number -= take
        return number

    def empty(self, at: int) -> None:
        """Spread a host's items over the other hosts that run, if they all find room there."""
        log: list[tuple[int, int, int]] = []
        items = sorted(self.hosts[at].items.items(), reverse=True)
        if self.instance.coupled[[s for s, _ in items]].any():
            return
        if not any(self.put(shape, number, except_for=at, log=log) for shape, number in items):
            for shape, number in items:
                self.change(at, shape, -number)
            return
        for host, shape, number in log:
            self.change(host, shape, -number)


def named(instance: Instance, packing: Packing, before: Standing) -> Packing:
    """The packing with its hosts named after those of the standing plan that they share the most items with."""
    family = instance.family
    pairs = sorted(
        (
            (-sum(min(n, host.items.get(s, 0)) for s, n in old.items.items()), i, j)
            for i, host in enumerate(packing.hosts)
            for j, old in enumerate(before.hosts)
            if (family[host.kind], host.pool) == (family[old.kind], old.pool)
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
        ),
        sure=packing.sure,
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
    new, old = complete.rank(incumbent.instance), incumbent.packing.rank(incumbent.instance)
    if new < old or (new == old and stays(before, complete) > stays(before, incumbent.packing)):
        incumbent.take(complete, "fewest moves")


def fewest_moves(
    incumbent: Incumbent, before: Standing, clock: Clock, seconds: float, *, seed: int, workers: int
) -> None:
    """Among packings no worse than the incumbent look for the one that moves the fewest items."""
    instance = incumbent.instance
    incumbent.packing = named(instance, incumbent.packing, before)
    if (fixed := repaired(instance, before, clock)) is not None:
        take_if_fewer(incumbent, before, fixed)
    rest = [cpsat.Slot(kind=h.kind, pool=h.pool) for h in incumbent.packing.hosts if not h.name]
    by_name = {h.name: h for h in incumbent.packing.hosts if h.name}
    slots = [cpsat.Slot(kind=by_name.get(h.name, h).kind, pool=h.pool) for h in before.hosts] + rest
    movable = sum(sum(h.items.values()) for h in before.hosts) - stays(before, incumbent.packing)
    if len(slots) * len(instance.demand) > cpsat.MOST_VARIABLES or seconds <= 0 or not before.hosts or not movable:
        return
    model = cpsat.Model(instance, slots, ordered=False)
    value, running, purchase = incumbent.key
    model.model.add(model.objective <= value)
    model.model.add(model.running <= running)
    model.model.add(model.purchase <= purchase)
    kept = []
    for i, host in enumerate(before.hosts):
        for s, number in host.items.items():
            if (s, i) in model.number:
                stay = model.model.new_int_var(0, number, "")
                model.model.add(stay <= model.number[s, i])
                kept.append(stay)
    unnamed = [h for h in incumbent.packing.hosts if not h.name]
    model.hint([*(by_name.get(h.name) for h in before.hosts), *unnamed])
    model.model.maximize(sum(kept))
    names = [h.name for h in before.hosts] + [""] * len(rest)
    cpsat.search(model, _KeepBest(model, names, incumbent, before), clock, seconds, seed, workers)
