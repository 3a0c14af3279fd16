"""Disks: storage that the hosts of a pool bring together, in whole steps: needs up, offers down; opposite for bounds.

Such a limit is no resource of a host: it asks for hosts whose offers add up, the largest that may fail left out, and
for a number of them. Packings are completed in `failover`, models and bounds take `Disks.keep`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from ortools.sat.python import cp_model

from planner.problem import Problem

STEPS = 10**9
"""Whole steps that the largest figure is divided into."""

EVEN = 1e-7
"""Steps by which a figure may miss a whole number and still be read as one: floating-point error."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Disks:
    """What pools need of the disks of their hosts.

    Parameters
    ----------
    need, least : array of int, shape [P]
        Storage that each pool needs, rounded up and rounded down.
    offer, most : array of int, shape [P, C]
        What one host of each class adds to each pool, rounded down and rounded up.
    serves : array of bool, shape [P, C]
        Which classes may run for which pool.
    fewest_hosts, lost_hosts : int
        Hosts that must run for a pool, and those that add most and are not counted.
    """

    need: np.ndarray
    least: np.ndarray
    offer: np.ndarray
    most: np.ndarray
    serves: np.ndarray
    fewest_hosts: int
    lost_hosts: int

    def at(self, rows: np.ndarray) -> Disks:
        """The same with classes that begin at these, of rows of problem.hosts."""
        return replace(self, offer=self.offer[:, rows], most=self.most[:, rows], serves=self.serves[:, rows])

    @property
    def relaxed(self) -> Disks:
        """What bounds rest on."""
        return replace(self, need=self.least, offer=self.most)

    @property
    def even(self) -> bool:
        """Whether nothing was rounded."""
        return bool((self.need == self.least).all() and (self.offer == self.most).all())

    def reach(self, pool: int) -> np.ndarray:
        """How many hosts of each class that carry nothing a plan may need for their disks at most: [C]."""
        enough = -(-self.need[pool] // np.maximum(self.offer[pool], 1))
        useful = np.where(self.offer[pool] > 0, enough + self.lost_hosts, 0)
        return np.where(self.serves[pool], useful + self.fewest_hosts, 0)

    def kept(self, pool: int, kinds: np.ndarray) -> tuple[int, float]:
        """What hosts of some classes offer without the largest, and the least that is left out of it (inf for none)."""
        offers = np.sort(self.offer[pool, kinds])
        counted = max(len(offers) - self.lost_hosts, 0)
        return int(offers[:counted].sum()), float(offers[counted]) if counted < len(offers) else np.inf

    def suffice(self, pool: int, kinds: np.ndarray) -> bool:
        """Whether hosts of some classes bring what a pool needs."""
        return self.kept(pool, kinds)[0] >= self.need[pool] and len(kinds) >= self.fewest_hosts

    def keep(self, model: cp_model.CpModel, pool: int, running: list) -> None:
        """Constrain how many hosts of each class run for a pool so that their disks suffice."""
        classes = np.flatnonzero(self.serves[pool]).tolist()
        model.add(sum(running[c] for c in classes) >= self.fewest_hosts)
        if self.need[pool]:
            keep_without_largest(
                model, self.offer[pool].tolist(), classes, running, int(self.need[pool]), self.lost_hosts
            )


def disks_of(problem: Problem, pools: tuple[str, ...]) -> Disks | None:
    """The disks that pools need, by row of problem.hosts; None where hosts bring no shared storage."""
    storage = [storage for storage in problem.shared_storage if storage.by_hosts and storage.pool in pools]
    if not storage:
        return None
    storage.sort(key=lambda one: pools.index(one.pool))
    need, usable = np.array([one.needed_gib for one in storage]), np.array([one.usable_gib for one in storage])
    step = max(1e-6, max(need.max(), usable.max()) / STEPS)
    return Disks(
        need=np.ceil(need / step - EVEN).astype("int64"),
        least=np.floor(need / step + EVEN).astype("int64"),
        offer=np.floor(usable / step + EVEN).astype("int64"),
        most=np.ceil(usable / step - EVEN).astype("int64"),
        serves=np.array([one.serves for one in storage]),
        fewest_hosts=storage[0].minimum_hosts,
        lost_hosts=storage[0].lost_hosts,
    )


def keep_without_largest(
    model: cp_model.CpModel, offer: list[int], classes: list[int], running: list, need: int, lost: int
) -> None:
    """Constrain hosts so that what they offer without the `lost` largest is at least a need.

    Where the `lost`-th largest of the running hosts offers v, the others offer
    ``sum_c min(offer[c], v) running[c] - lost v``, and fewer than `lost` hosts offer more than v. All hosts together
    then offer at least ``need + lost v``: that holds in fractions too, and makes the linear program tight.

    Parameters
    ----------
    offer : list of int
        What one host of each class offers.
    classes : list of int
        Those that count.
    running : list of linear expressions
        How many hosts of each class run.
    """
    if not lost:
        model.add(sum(offer[c] * running[c] for c in classes) >= need)
        return
    tops = sorted({offer[c] for c in classes})
    chosen = [model.new_bool_var("") for _ in tops]
    for v, pick in zip(tops, chosen, strict=True):
        kept = sum(min(offer[c], v) * running[c] for c in classes)
        model.add(kept >= need + lost * v).only_enforce_if(pick)
        model.add(sum(running[c] for c in classes if offer[c] > v) < lost).only_enforce_if(pick)
    model.add_exactly_one(chosen)
    top = cp_model.LinearExpr.weighted_sum(chosen, tops)
    model.add(sum(offer[c] * running[c] for c in classes) >= need + lost * top)
