"""Storing: hosts of a packing made classes with larger disks, or added, until a pool's shared storage suffices."""

from __future__ import annotations

import numpy as np

from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, load, unused


def with_disks(instance: Instance, hosts: list[OpenHost], pool: int, patient: bool) -> bool:
    """Change and add hosts of a pool until its disks suffice, what adds most for its cost first; whether they do.

    Parameters
    ----------
    instance : Instance
    hosts : list of OpenHost
        Of all pools; hosts that change are replaced, and idle ones appended.
    pool : int
    patient : bool
        Whether to count what a host adds even while it is among those that may fail: it pays once enough others have
        as much.
    """
    left = unused(instance, hosts)
    disks, need = instance.disks, int(instance.disks.need[pool])
    yard: _Yard | None = None
    while True:
        kinds = np.array([host.kind for host in hosts if host.pool == pool], dtype="int64")
        kept, limit = disks.kept(pool, kinds)
        short, few = max(need - kept, 0), len(kinds) < disks.fewest_hosts
        if not short and not few:
            return True
        yard = yard or _Yard(instance, hosts, pool)
        top = np.inf if patient or len(kinds) < disks.lost_hosts else limit
        row, kind, gain = yard.best(short, top, left)
        if kind < 0:
            return False
        # As long as none of them is among the hosts that may fail, the next one is worth as much.
        alike = gain > 0 and (not disks.lost_hosts or disks.offer[pool, kind] <= limit)
        number = max(int(min(short // gain, left[kind])), 1) if alike and row == len(yard.at) else 1
        yard.take(row, kind, number, left)


class _Yard:
    """The hosts of a pool: which classes each may become, and what that costs more. The last row is a host more."""

    def __init__(self, instance: Instance, hosts: list[OpenHost], pool: int):
        self.instance, self.hosts, self.pool = instance, hosts, pool
        self.offer, self.serves = instance.disks.offer[pool], instance.disks.serves[pool]
        self.at = [at for at, host in enumerate(hosts) if host.pool == pool]
        self.spread = np.any([law.amount > 0 for law in instance.spreads] or [instance.count < 0], axis=0)
        rows = [self._changes(hosts[at]) for at in self.at]
        self.able = np.array([*(able for able, _ in rows), self.serves])
        self.cost = np.array([*(cost for _, cost in rows), instance.opening])

    def _changes(self, host: OpenHost) -> tuple[np.ndarray, np.ndarray]:
        """Which classes a host may become with what it carries, and its cost as each."""
        instance, shapes = self.instance, [*host.items]
        # It stays what it is where it stands in a plan, or in a rack that a rule looks at.
        free = not host.name and not self.spread[shapes].any()
        able = self.serves & instance.allowed[shapes].all(axis=0) & free
        able &= (instance.capacity >= load(instance, host)).all(axis=1)
        return able, instance.opening + np.array([*host.items.values()], dtype="int64") @ instance.placing[shapes]

    def best(self, short: int, top: float, left: np.ndarray) -> tuple[int, int, int]:
        """Row and class of the step that costs least for what it adds, and what it adds; class -1 where none helps."""
        kinds = np.array([self.hosts[at].kind for at in self.at], dtype="int64")
        counted = np.minimum(self.offer, top)
        gain = np.tile(counted, (len(kinds) + 1, 1))
        gain[:-1] -= counted[kinds][:, None]
        usable = self.able & (left > 0)
        if short:
            usable &= gain > 0
        else:  # Only the number of hosts is missing.
            usable[:-1] = False
        if not usable.any():
            return -1, -1, 0
        cost, purchase = self.cost.astype(float), np.tile(self.instance.tiebreak, (len(kinds) + 1, 1)).astype(float)
        cost[:-1] -= self.cost[np.arange(len(kinds)), kinds][:, None]
        purchase[:-1] -= self.instance.tiebreak[kinds][:, None]
        useful = np.maximum(np.minimum(gain, short), 1)
        order = np.lexsort(
            ((-gain).ravel(), (purchase / useful).ravel(), (np.maximum(cost, 0) / useful).ravel(), ~usable.ravel())
        )
        row, kind = np.unravel_index(int(order[0]), usable.shape)
        return int(row), int(kind), int(gain[row, kind])

    def take(self, row: int, kind: int, number: int, left: np.ndarray) -> None:
        """Make the host of a row one of a class, or add so many of it."""
        if row == len(self.at):
            for _ in range(number):
                self.at.append(len(self.hosts))
                self.hosts.append(OpenHost(kind=kind, pool=self.pool))
            idle, cost = self._changes(self.hosts[-1])
            self.able = np.vstack([self.able[:-1], np.tile(idle, (number, 1)), self.able[-1:]])
            self.cost = np.vstack([self.cost[:-1], np.tile(cost, (number, 1)), self.cost[-1:]])
        else:
            old = self.hosts[self.at[row]]
            self.hosts[self.at[row]] = OpenHost(kind=kind, pool=old.pool, items=old.items)
            left[self.instance.kin[old.kind]] += 1
        left[self.instance.kin[kind]] -= number
