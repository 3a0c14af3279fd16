"""Packing: which items of an instance share a host, before hosts have names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from planner.solvers.instance import Instance


@dataclass(kw_only=True)
class OpenHost:
    """A host in use: its class, the pool it serves, and how many items of each shape it carries (none: a spare).

    `name` is set where the packing stands for a host of a plan that stands.
    """

    kind: int
    pool: int
    items: dict[int, int] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Packing:
    """Hosts in use that together carry every item of the instance.

    `sure` says that the failover reserve is there; where it is False, restarts are still to be found for every case.
    """

    hosts: tuple[OpenHost, ...]
    sure: bool = True

    def value(self, instance: Instance) -> int:
        """Objective in the ledger's small units."""
        opening = sum(int(instance.opening[host.kind]) for host in self.hosts)
        placing = sum(int(instance.placing[s, host.kind]) * n for host in self.hosts for s, n in host.items.items())
        return opening + placing

    def mix(self, instance: Instance) -> np.ndarray:
        """How many hosts of each class run for each pool: shape [C, P]."""
        mix = np.zeros((len(instance.available), len(instance.pools)), dtype="int64")
        for host in self.hosts:
            mix[host.kind, host.pool] += 1
        return mix

    def key(self, instance: Instance) -> tuple[int, int, int]:
        """Objective first, among equals the number of hosts, then purchase."""
        purchase = sum(int(instance.tiebreak[host.kind]) for host in self.hosts)
        return self.value(instance), len(self.hosts), purchase

    def rank(self, instance: Instance) -> tuple[bool, tuple[int, int, int]]:
        """What is least of the better packing: one that is sure goes before any other."""
        return not self.sure, self.key(instance)

    def fits(self, instance: Instance) -> bool:
        """Whether every host has room for what it carries, and every rule holds."""
        return across(instance, self.hosts) and all(
            (load(instance, host) <= instance.capacity[host.kind]).all()
            and compatible(instance, np.array([*host.items], dtype="int64"), np.array([*host.items.values()]))
            for host in self.hosts
        )


def load(instance: Instance, host: OpenHost) -> np.ndarray:
    """Summed demand of a host's items, shape [R]."""
    total = np.zeros(instance.demand.shape[1], dtype="int64")
    for s, n in host.items.items():
        total += instance.demand[s] * n
    return total


def kin_for(instance: Instance, host: OpenHost) -> int:
    """The class of a host's family that costs least with what it carries; its own where none has room."""
    own, carried = instance.kin[host.kind], load(instance, host)
    able = [c for c in own if (carried <= instance.capacity[c]).all()] or [host.kind]
    if len(able) == 1:
        return able[0]
    placing = {c: sum(int(instance.placing[s, c]) * n for s, n in host.items.items()) for c in able}
    return min(able, key=lambda c: (int(instance.opening[c]) + placing[c], c != host.kind))


def unused(instance: Instance, hosts: Sequence[OpenHost]) -> np.ndarray:
    """How many hosts of each class are left; those of a family have them in common: shape [C]."""
    taken = np.bincount(instance.family[[host.kind for host in hosts]], minlength=len(instance.available))
    return instance.available - taken[instance.family]


def room(instance: Instance, shape: int) -> np.ndarray:
    """How many items of a shape fit on an empty host of each class, at most as many as there are: shape [C]."""
    most = np.full(len(instance.available), int(instance.count[shape]))
    needs = instance.demand[shape] > 0
    if needs.any():
        most = np.minimum(most, (instance.capacity[:, needs] // instance.demand[shape, needs]).min(axis=1))
    groups = instance.groups[shape]
    return np.minimum(most, instance.limit[groups[groups >= 0]].min(initial=int(instance.count[shape])))


def members_of(instance: Instance, host: OpenHost, group: int) -> int:
    """How many members of a group a host carries."""
    return sum(n for s, n in host.items.items() if group in instance.groups[s])


def rivals_of(instance: Instance, host: OpenHost, group: int) -> list[int]:
    """Shapes on a host that belong to another group of the same zone."""
    zone = instance.zone[group]
    rivals = np.flatnonzero((instance.zone == zone) & (zone >= 0) & (np.arange(len(instance.zone)) != group))
    return [s for s in host.items if np.isin(instance.groups[s], rivals).any()]


def compatible(instance: Instance, shapes: np.ndarray, numbers: np.ndarray) -> bool:
    """Whether groups and zones let so many items of some shapes share a host."""
    groups = instance.groups[shapes]
    inside = groups >= 0
    weights = np.broadcast_to(numbers[:, None], groups.shape)[inside]
    members = np.bincount(groups[inside], weights=weights, minlength=len(instance.limit))
    zones = instance.zone[(members > 0) & (instance.zone >= 0)]
    return bool((members <= instance.limit).all()) and len(np.unique(zones)) == len(zones)


def across(instance: Instance, hosts: tuple[OpenHost, ...] | list[OpenHost]) -> bool:
    """Whether hosts keep to the rules that reach across them."""
    kinds = [host.kind for host in hosts]
    return all(
        law.holds(kinds, np.array([sum(int(law.amount[s]) * n for s, n in host.items.items()) for host in hosts]))
        for law in (*instance.spreads, *instance.spans)
    )
