"""What every peer packs: a problem as items, kinds of host and arrays, and its packing as a plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

import planner


class NotApplicable(Exception):
    """A problem that a peer cannot take, and why."""


class NoPlan(Exception):
    """A peer ended without a plan, and why."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Items:
    """A problem as a peer sees it; workloads kept together are one item, each group kept apart is a resource.

    Parameters
    ----------
    members : tuple of arrays of int
        Workload positions by item.
    demand : array of float, shape [item, resource]
        The problem's resources, then one a group kept apart: 1 for its members, capacity 1.
    pool : array of int, shape [item]
        Position in `problem.pools`.
    allowed : array of bool, shape [item, kind]
    capacity : array of float, shape [kind, resource]
        Kinds are the rows of `problem.hosts`.
    available : array of int, shape [kind]
    price : array of float, shape [kind]
        What one host adds to the objective: 1 for fewest hosts, its price for least cost (an owned host's is 0).
    resources : int
        How many of the resources are the problem's own.
    """

    members: tuple[np.ndarray, ...]
    demand: np.ndarray
    pool: np.ndarray
    allowed: np.ndarray
    capacity: np.ndarray
    available: np.ndarray
    price: np.ndarray
    resources: int

    @property
    def shares(self) -> np.ndarray:
        """Demand as shares of the largest host's capacity, shape [item, resource]; 0 where that is not limited."""
        largest, own = self.reference, self.demand[:, : self.resources]
        return np.divide(own, largest, out=np.zeros_like(own), where=largest > 0)

    @property
    def reference(self) -> np.ndarray:
        """Largest finite capacity by resource of the problem; 0 where there is none."""
        own = self.capacity[:, : self.resources]
        return np.where(np.isfinite(own), own, 0.0).max(axis=0)


def items_of(problem: planner.Problem) -> Items:
    """The problem as items.

    Raises
    ------
    NotApplicable
        A failover reserve, demand by period, or a rule or objective that the peers do not know.
    """
    laws = problem.laws
    if laws.rivals or laws.limited or any(law.domain is not None for law in laws.apart):
        raise NotApplicable("the peers know neither rules across hosts nor sides kept apart")
    if problem.policy.failover.hosts or problem.demand.shape[2] > 1:
        raise NotApplicable("the peers know neither failover reserves nor periods")
    if problem.objective not in ("hosts", "cost"):
        raise NotApplicable(f"the peers do not know the objective {problem.objective}")
    members = _members(problem)
    item_of = np.empty(len(problem.workloads), dtype=np.int64)
    for number, group in enumerate(members):
        item_of[group] = number
    own = np.zeros((len(members), len(problem.resources)))
    np.add.at(own, item_of, problem.demand[:, :, 0])
    apart = np.zeros((len(members), len(laws.apart)))
    for number, law in enumerate(laws.apart):
        np.add.at(apart[:, number], item_of[law.members], 1.0)
    first = np.array([group[0] for group in members])
    pools = problem.workloads["pool"].to_numpy()[first]
    serves = problem.hosts["pool"].to_numpy()
    allowed = (serves[None, :] == "") | (serves[None, :] == pools[:, None])
    for law in laws.allowed:
        allowed[item_of[law.members]] &= law.rows
    available = np.minimum(problem.hosts["available"].to_numpy(), len(members)).astype(np.int64)
    return Items(
        members=members,
        demand=np.hstack([own, apart]),
        pool=np.searchsorted(np.array(problem.pools), pools),
        allowed=allowed,
        capacity=np.hstack(
            [problem.capacity, np.tile([float(law.at_most) for law in laws.apart], (len(problem.hosts), 1))]
        ),
        available=available,
        price=_price(problem),
        resources=len(problem.resources),
    )


def _members(problem: planner.Problem) -> tuple[np.ndarray, ...]:
    grouped = np.zeros(len(problem.workloads), dtype=bool)
    for group in problem.laws.together:
        grouped[group] = True
    alone = np.flatnonzero(~grouped)
    return (*alone.reshape(-1, 1), *problem.laws.together)


def _price(problem: planner.Problem) -> np.ndarray:
    if problem.objective == "hosts":
        return np.ones(len(problem.hosts))
    if problem.prices != planner.Prices.none():
        raise NotApplicable("the peers know the hosts' prices, not what running them costs")
    return np.where(problem.hosts["owned"], 0.0, problem.hosts["price"].fillna(0.0)).astype(float)


def plan_of(problem: planner.Problem, items: Items, host_of: np.ndarray, kind_of: np.ndarray) -> planner.Plan:
    """A packing as a plan: host of each item, and kind of each host; hosts without items are left out."""
    rows = problem.hosts
    names = [
        rows["name"].iloc[kind] if rows["owned"].iloc[kind] else f"{rows['name'].iloc[kind]}-{number + 1}"
        for number, kind in enumerate(kind_of)
    ]
    models = ["" if rows["owned"].iloc[kind] else rows["name"].iloc[kind] for kind in kind_of]
    workload = np.concatenate(items.members)
    host = np.repeat(host_of, [len(group) for group in items.members])
    placement = pd.DataFrame(
        {
            "workload": problem.workloads["name"].to_numpy()[workload],
            "host": np.array(names, dtype=object)[host],
            "model": np.array(models, dtype=object)[host],
            "pool": problem.workloads["pool"].to_numpy()[workload],
        }
    )
    return planner.Plan.from_frames(placement)
