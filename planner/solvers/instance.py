"""Instance: a problem in integers. Demand rounds up and capacity down, so what fits here fits in fact.

Workloads kept together are one item; a group kept apart is one more resource of which every host has one unit; equal
items are merged into shapes with counts, equal hosts into classes with a number available.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from planner.economics.ledger import Ledger
from planner.problem import Problem

STEPS = 10**9
"""Integer steps that the largest capacity of a resource is divided into at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Instance:
    """Pools that share limited hosts, ready for the solvers.

    Parameters
    ----------
    pools : tuple of str
    resources : tuple of str
        Of the problem; columns of `demand` behind them are groups kept apart.
    demand : array of int, shape [S, R]
        One item of each shape.
    count : array of int, shape [S]
    pool : array of int, shape [S]
        Position in `pools`.
    members : tuple of tuple of arrays
        For each shape its items, each the workload positions that it is made of.
    capacity : array of int, shape [C, R]
    available : array of int, shape [C]
        At most the number of items.
    opening, tiebreak : array of int, shape [C]
    placing : array of int, shape [S, C]
    allowed : array of bool, shape [S, C]
    rows : tuple of arrays of int
        Rows of problem.hosts that each class is made of.
    restart : array of int, shape [P, R]
        The largest demand of a single workload of each pool, resource by resource.
    failover_hosts, failover_mode
        From the policy.
    """

    pools: tuple[str, ...]
    resources: tuple[str, ...]
    demand: np.ndarray
    count: np.ndarray
    pool: np.ndarray
    members: tuple[tuple[np.ndarray, ...], ...]
    capacity: np.ndarray
    available: np.ndarray
    opening: np.ndarray
    tiebreak: np.ndarray
    placing: np.ndarray
    allowed: np.ndarray
    rows: tuple[np.ndarray, ...]
    restart: np.ndarray
    failover_hosts: int
    failover_mode: str

    def able(self, pool: int) -> np.ndarray:
        """Which classes could carry any one workload of a pool, and so count when they stand by: bool [C]."""
        largest = self.restart[pool]
        return (self.capacity[:, : len(largest)] >= largest).all(axis=1) & self.allowed[self.pool == pool].any(axis=0)

    @cached_property
    def fits(self) -> np.ndarray:
        """Which shapes fit alone on an empty host of which class: bool [S, C]."""
        return self.allowed & (self.demand[:, None, :] <= self.capacity[None, :, :]).all(axis=2)


def components(problem: Problem) -> list[tuple[str, ...]]:
    """Pools that compete for hosts in limited number, together; every other pool on its own."""
    hosts = problem.hosts
    shared = (hosts["pool"] == "") & np.isfinite(hosts["available"])
    return [problem.pools] if shared.any() else [(pool,) for pool in problem.pools]


def build(problem: Problem, ledger: Ledger, pools: tuple[str, ...]) -> Instance:
    """The integer instance of some pools of a problem.

    Raises
    ------
    InputError
        From the ledger only; the problem itself has been validated.
    """
    inside = np.flatnonzero(problem.workloads["pool"].isin(pools).to_numpy())
    items = _items(problem, inside)
    demand, capacity, single = _integers(problem, items)
    apart = _apart(problem, items)
    demand = np.hstack([demand, apart])
    capacity = np.hstack([capacity, np.ones((len(capacity), apart.shape[1]), dtype="int64")])
    pool_of = problem.workloads["pool"].map({pool: p for p, pool in enumerate(pools)}).to_numpy()
    item_pool = np.array([pool_of[item[0]] for item in items], dtype="int64")
    allowed = _allowed(problem, items, pools, item_pool)
    rows = np.arange(len(problem.hosts))
    placing = np.array([[0]] * len(items)) if not ledger.rate.any() else _placing(ledger, items, rows)
    # Equal hosts: the same capacity, costs, and the same items allowed.
    signature = np.column_stack([capacity, ledger.opening, ledger.tiebreak, ledger.rate.astype("float64")])
    signature = np.column_stack([signature, np.unique(allowed.T, axis=0, return_inverse=True)[1].ravel()])
    _, first, label = np.unique(signature, axis=0, return_index=True, return_inverse=True)
    label = label.ravel()
    classes = [rows[label == label[at]] for at in sorted(first)]
    classes = [rows for rows in classes if allowed[:, rows[0]].any()]
    heads = np.array([rows[0] for rows in classes], dtype="int64")
    placing = np.broadcast_to(placing, (len(items), len(problem.hosts))) if placing.shape[1] == 1 else placing
    key = np.column_stack([item_pool, demand, allowed[:, heads], placing[:, heads]])
    _, first, label = np.unique(key, axis=0, return_index=True, return_inverse=True)
    label = label.ravel()
    order = np.argsort(label, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(items) else []
    available = np.array([problem.hosts["available"].iloc[rows].sum() for rows in classes])
    # A reserve never takes more hosts than there are workloads to restart, and the hosts that may fail.
    reserve = len(inside) + len(pools) * problem.policy.failover.hosts if problem.policy.failover.hosts else 0
    limit = len(items) + reserve
    return Instance(
        pools=pools,
        resources=problem.resources,
        demand=demand[first],
        count=np.array([len(group) for group in groups], dtype="int64"),
        pool=item_pool[first],
        members=tuple(tuple(items[i] for i in group) for group in groups),
        capacity=capacity[heads],
        available=np.minimum(available, limit).astype("int64"),
        opening=ledger.opening[heads],
        tiebreak=ledger.tiebreak[heads],
        placing=placing[np.ix_(first, heads)],
        allowed=allowed[np.ix_(first, heads)],
        rows=tuple(classes),
        restart=np.array([single[pool_of[inside] == p].max(axis=0) for p in range(len(pools))]),
        failover_hosts=problem.policy.failover.hosts,
        failover_mode=problem.policy.failover.mode,
    )


def _items(problem: Problem, inside: np.ndarray) -> list[np.ndarray]:
    """Workloads of the pools, those kept together as one item, in order of the first."""
    chosen = set(inside.tolist())
    grouped = {int(w): group for group in problem.together if int(group[0]) in chosen for w in group}
    singles = [np.array([w]) for w in inside if int(w) not in grouped]
    groups = {int(group[0]): group for group in grouped.values()}
    return sorted([*singles, *groups.values()], key=lambda item: int(item[0]))


def _integers(problem: Problem, items: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Demand by item, capacity by host, and demand by workload (in the order of the items' members, sorted)."""
    peak = problem.demand[:, :, 0]
    starts = np.cumsum([0, *[len(item) for item in items[:-1]]])
    summed = np.add.reduceat(peak[np.concatenate(items)], starts, axis=0)
    finite = np.where(np.isfinite(problem.capacity), problem.capacity, 0.0)
    largest = np.maximum(finite.max(axis=0), 1e-9)
    step = _step(summed, largest)
    demand = np.ceil(summed / step - 1e-7).astype("int64")
    total = demand.sum(axis=0) + 1
    capacity = np.floor(finite / step + 1e-7)
    capacity = np.where(np.isfinite(problem.capacity), np.minimum(capacity, total), total).astype("int64")
    single = np.ceil(peak[np.sort(np.concatenate(items))] / step - 1e-7).astype("int64")
    return demand, capacity, single


def _step(summed: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """Size of one integer step by resource: 1e-6 of the unit, coarser where capacities are huge.

    Figures with at most six decimals stay exact; the 1e-7 granted before rounding only undoes floating-point error.
    """
    return np.maximum(1e-6, np.maximum(largest, summed.max(axis=0)) / STEPS)


def _apart(problem: Problem, items: list[np.ndarray]) -> np.ndarray:
    """One column a group kept apart: how many of its members each item has."""
    item_of = {int(w): number for number, item in enumerate(items) for w in item}
    columns = []
    for group in problem.apart:
        column = np.zeros(len(items), dtype="int64")
        for w in group:
            if int(w) in item_of:
                column[item_of[int(w)]] += 1
        if column.sum() > 1:
            columns.append(column)
    return np.stack(columns, axis=1) if columns else np.zeros((len(items), 0), dtype="int64")


def _allowed(problem: Problem, items: list[np.ndarray], pools: tuple[str, ...], item_pool: np.ndarray) -> np.ndarray:
    serves = problem.hosts["pool"].to_numpy()
    by_pool = np.array([(serves == "") | (serves == pool) for pool in pools])
    allowed = by_pool[item_pool]
    item_of = {int(w): number for number, item in enumerate(items) for w in item} if problem.pins else {}
    for members, rows in problem.pins:
        permitted = np.isin(np.arange(len(problem.hosts)), rows)
        for w in members:
            if int(w) in item_of:
                allowed[item_of[int(w)]] &= permitted
    return allowed


def _placing(ledger: Ledger, items: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
    return np.array([ledger.placing(item[:, None], rows[None, :]).sum(axis=0) for item in items])
