"""Estate: what each pool of a problem needs, resource by resource, and what its part of a plan offers.

The spreadsheet's reckoning: with the hosts that may serve a pool in the order of their capacity, the largest first::

    alone[p, r]             = least number of hosts, in fractions, whose capacity adds up to the pool's demand for r
    hosts_by_division[p, r] = ceil(alone) and the reserve: the k largest hosts on top of those that carry the demand

Demand is that of the period that asks for most, capacity what is left after overhead, overcommit and headroom.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from planner.plan import Plan
from planner.problem import Problem

ROUNDING = 1e-9
"""Relative error granted to a sum of floats before it is rounded up."""

GRAIN = 1e-3
"""Units in which demands are looked at for a common divisor."""


def reckoned(problem: Problem, leaving: int = 0) -> pd.DataFrame:
    """Sums and divisions of each pool, one row a resource.

    Parameters
    ----------
    problem : Problem
    leaving : int
        Workloads left out of each pool, for every resource those that ask for most of it.

    Returns
    -------
    DataFrame
        pool, resource, unit, demand, per_host (mean capacity of the hosts counted), alone, hosts_by_division (NaN
        where the hosts there are do not suffice). Resources that no host of the pool limits have no row.
    """
    rows = []
    pool_of, available = problem.workloads["pool"].to_numpy(), problem.hosts["available"].to_numpy()
    for pool in problem.pools:
        serving = np.flatnonzero(serves(problem, pool) & (available > 0))
        demand = problem.demand[pool_of == pool]
        if leaving:
            demand = np.sort(demand, axis=0)[: max(len(demand) - leaving, 0)]
        wanted = demand.sum(axis=0).max(axis=1)
        for r, resource in enumerate(problem.resources):
            capacity = problem.capacity[serving, r]
            if not np.isfinite(capacity).any():
                continue
            per_host, alone, hosts = _divided(problem, float(wanted[r]), capacity, available[serving])
            rows.append((pool, resource, problem.unit(resource), float(wanted[r]), per_host, alone, hosts))
    names = ["pool", "resource", "unit", "demand", "per_host", "alone", "hosts_by_division"]
    return pd.DataFrame(rows, columns=names)


def _divided(
    problem: Problem, demand: float, capacity: np.ndarray, available: np.ndarray
) -> tuple[float, float, float]:
    """Mean capacity of the hosts that a demand takes, how many in fractions, and how many with the reserve."""
    k, share = problem.policy.failover.hosts, problem.policy.failover.mode == "share"
    order = np.argsort(-capacity, kind="stable")
    order = order[capacity[order] > 0]
    sizes, numbers = capacity[order], available[order]
    if not len(sizes):
        return 0.0, np.inf if demand else 0.0, np.nan
    if not np.isfinite(sizes[0]):
        return np.inf, 0.0, 1.0 + k
    alone = _fill(sizes, numbers, demand, skipped=0)
    carrying = _fill(sizes, numbers, demand, skipped=k if share else 0)
    hosts = max(np.ceil(carrying * (1 - ROUNDING)), 1.0) + k
    if hosts > numbers.sum():
        hosts = np.nan
    counted = hosts if np.isfinite(hosts) else float(np.minimum(numbers, 1e9).sum())
    taken = np.clip(counted - np.concatenate([[0.0], np.cumsum(numbers)[:-1]]), 0, numbers)
    return float(taken @ sizes / max(taken.sum(), 1.0)), alone, float(hosts)


def _fill(sizes: np.ndarray, numbers: np.ndarray, demand: float, skipped: int) -> float:
    """How many hosts in fractions carry a demand, the first `skipped` ones not counted; inf where none do."""
    hosts, left, skip = 0.0, demand, float(skipped)
    for size, number in zip(sizes.tolist(), numbers.tolist(), strict=True):
        number, skip = max(number - skip, 0.0), max(skip - number, 0.0)
        if left <= size * number:
            return hosts + left / size
        hosts, left = hosts + number, left - size * number
    return float("inf")


def in_pieces(problem: Problem, pool: str, resource: str) -> tuple[float, float]:
    """The piece that all demands of a pool for a resource are multiples of, and the hosts it takes in whole pieces.

    Only without a reserve of hosts, which are summed up: what one alone cannot use counts there too.
    """
    r, available = problem.resources.index(resource), problem.hosts["available"].to_numpy()
    inside = problem.workloads["pool"].to_numpy() == pool
    serving = np.flatnonzero(serves(problem, pool) & (available > 0) & np.isfinite(problem.capacity[:, r]))
    demand = np.rint(problem.demand[inside, r] / GRAIN).astype("int64")
    piece = int(np.gcd.reduce(demand, axis=None)) * GRAIN
    if piece == 0 or np.abs(demand * GRAIN - problem.demand[inside, r]).max() > GRAIN / 100 or not len(serving):
        return 0.0, 0.0
    whole = np.floor(problem.capacity[serving, r] / piece * (1 + ROUNDING)) * piece
    wanted = float(problem.demand[inside, r].sum(axis=0).max())
    return piece, _divided(problem, wanted, whole, available[serving])[2]


def serves(problem: Problem, pool: str) -> np.ndarray:
    """Which rows of problem.hosts may serve a pool: bool [H]."""
    return problem.hosts["pool"].isin(["", pool]).to_numpy()


def rows_of(problem: Problem, plan: Plan) -> pd.DataFrame:
    """Hosts of a plan with `row`, their row in problem.hosts, and `pool` as the workloads have it."""
    hosts = plan.hosts
    owned = problem.hosts["owned"].to_numpy()
    names = problem.hosts["name"].astype(object).to_numpy()
    row_of = {name: row for row, name in enumerate(names) if owned[row]}
    model_of = {name: row for row, name in enumerate(names) if not owned[row]}
    rows = [
        row_of.get(host, model_of.get(model, -1)) for host, model in zip(hosts["host"], hosts["model"], strict=True)
    ]
    return hosts.assign(row=rows)


def offered(problem: Problem, hosts: pd.DataFrame, resource: str) -> float:
    """What hosts of one pool offer of a resource with the failover reserve taken off; inf where not limited."""
    capacity = problem.capacity[hosts["row"].to_numpy(dtype=int), problem.resources.index(resource)]
    failover = problem.policy.failover
    if failover.hosts and failover.mode == "spare":
        return float(capacity[hosts["workloads"].to_numpy() > 0].sum())
    return float(np.sort(capacity)[: max(len(capacity) - failover.hosts, 0)].sum())


def only_pools(problem: Problem, pools: Iterable[str]) -> Problem:
    """The problem of some pools alone."""
    out = problem.workloads["name"][~problem.workloads["pool"].isin(list(pools))]
    return problem.without(out) if len(out) else problem
