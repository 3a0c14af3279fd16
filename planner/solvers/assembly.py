"""From packings to a plan: hosts get their names, items become workloads again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.plan import Plan
from planner.problem import Problem
from planner.solvers.bounds import Weighting
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing
from planner.solvers.standing import Standing


def assembled(
    problem: Problem,
    packings: Sequence[tuple[Instance, Packing]],
    before: Sequence[Standing | None],
    start: Plan | None,
) -> Plan:
    """One plan of the packings of all instances, rows in the order of the problem's workloads."""
    names = _Names(problem, start)
    for _, packing in packings:
        for host in packing.hosts:
            if host.name:
                names.take(host.name)
    host_of = [("", "", "")] * len(problem.workloads)
    spares = []
    for (instance, packing), stood in zip(packings, before, strict=True):
        called = [names.of(instance, host) for host in packing.hosts]
        for host, (name, model) in zip(packing.hosts, called, strict=True):
            if not host.items:
                spares.append((name, model, instance.pools[host.pool]))
        for shape, placements in _by_shape(packing).items():
            for number, at in _seats(shape, placements, packing.hosts, stood, instance):
                name, model = called[at]
                for w in instance.members.item(number).tolist():
                    host_of[w] = (name, model, instance.pools[packing.hosts[at].pool])
    placement = pd.DataFrame(host_of, columns=["host", "model", "pool"], dtype=str)
    placement.insert(0, "workload", problem.workloads["name"])
    return Plan.from_frames(placement, pd.DataFrame(spares, columns=["host", "model", "pool"], dtype=str))


def evidence_of(problem: Problem, instance: Instance, weighting: Weighting, offers: int) -> dict:
    """A weighting in terms of the problem: one weight a workload of the pool, one worth for each of so many offers.

    The first of the workloads kept together carries the weight of all.
    """
    pool = instance.pools[weighting.pool]
    weight = np.zeros(len(problem.workloads), dtype="int64")
    members = instance.members
    shape_of = np.repeat(np.arange(len(instance.count)), instance.count)
    weight[members.workloads[members.item_start[members.of_shape]]] = weighting.weight[shape_of]
    worth = np.zeros(offers, dtype="int64")
    for kind, own in enumerate(instance.offers):
        worth[own] = weighting.worth[kind]
    return {
        "method": weighting.method,
        "pool": pool,
        "weight": weight[np.flatnonzero(problem.workloads["pool"] == pool)],
        "worth": worth,
        "placing": weighting.placing,
    }


class _Names:
    """Hands out the names of owned hosts, and new names for hosts that are bought."""

    def __init__(self, problem: Problem, start: Plan | None):
        hosts = problem.hosts
        self.name, self.model = (hosts[column].astype(object).to_numpy() for column in ("name", "model"))
        self.available, self.is_owned = hosts["available"].to_numpy(), hosts["owned"].to_numpy()
        self.row_of = {name: row for row, name in enumerate(self.name) if self.is_owned[row]}
        self.model_of = {} if start is None else dict(zip(start.hosts["host"], start.hosts["model"], strict=True))
        self.taken: set[str] = set()
        self.numbers: Counter[str] = Counter()
        self.bought: Counter[str] = Counter()

    def take(self, name: str) -> None:
        """Keep a name that a host has already."""
        if name not in self.taken and name not in self.row_of:
            self.bought[self.model_of[name]] += 1
        self.taken.add(name)

    def of(self, instance: Instance, host: OpenHost) -> tuple[str, str]:
        """Name and model of a host; the first free one of its class where it has none."""
        if host.name:
            row = self.row_of.get(host.name)
            return host.name, self.model_of[host.name] if row is None else str(self.model[row])
        for row in instance.rows[host.kind].tolist():
            name, model = str(self.name[row]), str(self.model[row])
            if not self.is_owned[row]:
                if self.bought[name] < self.available[row]:
                    return self.new(name), model
            elif name not in self.taken:
                self.taken.add(name)
                return name, model
        raise AssertionError("a packing uses more hosts of a class than there are, which is a defect of this program")

    def new(self, model: str) -> str:
        """A name for one more host of a model."""
        while True:
            self.numbers[model] += 1
            name = f"{model}-{self.numbers[model]}"
            if name not in self.taken and name not in self.row_of:
                self.bought[model] += 1
                return name


def _by_shape(packing: Packing) -> dict[int, list[tuple[int, int]]]:
    """For each shape the hosts that carry it, as (position, how many)."""
    found: dict[int, list[tuple[int, int]]] = {}
    for at, host in enumerate(packing.hosts):
        for shape, number in host.items.items():
            found.setdefault(shape, []).append((at, number))
    return found


def _seats(
    shape: int,
    placements: list[tuple[int, int]],
    hosts: tuple[OpenHost, ...],
    stood: Standing | None,
    instance: Instance,
) -> list[tuple[int, int]]:
    """Which item of a shape goes to which host, as (item, host): those that can stay do."""
    waiting = instance.members.items(shape).tolist()
    if stood is None:
        at_each = [at for at, number in placements for _ in range(number)]
        return list(zip(waiting, at_each, strict=True))
    pairs, open_seats = [], []
    for at, number in placements:
        staying = [item for item in waiting if hosts[at].name and stood.host_of.get(item) == hosts[at].name]
        pairs += [(item, at) for item in staying[:number]]
        placed = set(staying[:number])
        waiting = [item for item in waiting if item not in placed]
        open_seats += [at] * (number - len(staying[:number]))
    return pairs + list(zip(waiting, open_seats, strict=True))
