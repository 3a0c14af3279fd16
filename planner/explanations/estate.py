"""Estate: what each pool of a problem needs, resource by resource, and what its part of a plan offers.

The spreadsheet's reckoning: with the hosts that may serve a pool in the order of their capacity, the largest first::

    alone[p, r]             = least number of hosts, in fractions, whose capacity adds up to the pool's demand for r
    hosts_by_division[p, r] = ceil(alone) and the reserve: the k largest hosts on top of those that carry the demand

Where failover is verified, those that carry the demand as it is while hosts are lost; and at least ceil(alone).
Demand is that of the period that asks for most, capacity what is left after overhead, overcommit and headroom. Storage
that hosts share is divided likewise: what one adds, those that may fail on top, and at least as many as its RAID takes.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from planner.losses import domains
from planner.plan import Plan
from planner.policy import Failover
from planner.problem import Problem
from planner.storage import PoolStorage, storage_demand_gib

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
    rows, failover = [], problem.policy.failover
    pool_of, available = problem.workloads["pool"].to_numpy(), problem.hosts["available"].to_numpy()
    for pool in problem.pools:
        serving = np.flatnonzero(serves(problem, pool) & (available > 0))
        for r, resource in enumerate(problem.resources):
            wanted = _sum(problem.demand[pool_of == pool][:, r], leaving)
            capacity = problem.capacity[serving, r]
            if not np.isfinite(capacity).any():
                continue
            per_host, alone, hosts = _divided(failover, wanted, capacity, available[serving])
            if failover.is_verified:
                lost = problem.in_failure
                failing = _sum(lost.demand[pool_of == pool][:, r], leaving), lost.capacity[serving, r]
                hosts = np.maximum(hosts, _divided(failover, *failing, available[serving], lost=True)[2])
            rows.append((pool, resource, problem.unit(resource), wanted, per_host, alone, hosts))
        rows += [_shared(problem, storage, leaving) for storage in problem.shared_storage if _of_hosts(storage, pool)]
    names = ["pool", "resource", "unit", "demand", "per_host", "alone", "hosts_by_division"]
    return pd.DataFrame(rows, columns=names)


def _of_hosts(storage: PoolStorage, pool: str) -> bool:
    return storage.pool == pool and storage.by_hosts


def _shared(problem: Problem, storage: PoolStorage, leaving: int) -> tuple:
    """The row of storage that the hosts of a pool share."""
    inside = problem.workloads["pool"].to_numpy() == storage.pool
    demand = storage_demand_gib(problem.policy, problem.workloads)[inside]
    serving = np.flatnonzero(storage.serves & (problem.hosts["available"].to_numpy() > 0))
    numbers, reserve = problem.hosts["available"].to_numpy()[serving], Failover(hosts=storage.lost_hosts)
    wanted = _sum(demand[:, None], leaving)
    per_host, alone, hosts = _divided(reserve, wanted, storage.usable_gib[serving], numbers)
    hosts = np.maximum(hosts, storage.minimum_hosts if storage.minimum_hosts <= numbers.sum() else np.nan)
    return storage.pool, "storage", "GiB", wanted, per_host, alone, float(hosts)


def _sum(demand: np.ndarray, leaving: int) -> float:
    """Demand [W, P] of the period that asks for most, the largest left out."""
    kept = np.sort(demand, axis=0)[: max(len(demand) - leaving, 0)] if leaving else demand
    return float(kept.sum(axis=0).max())


def _divided(
    failover: Failover, demand: float, capacity: np.ndarray, available: np.ndarray, lost: bool = False
) -> tuple[float, float, float]:
    """Mean capacity of the hosts that a demand takes, how many in fractions, and how many with the reserve.

    Where failover is verified the reserve is that of the figures while hosts are `lost`.
    """
    k, share = failover.hosts, failover.mode == "share" or lost
    if failover.is_verified and not lost:
        k = 0
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
    if resource not in problem.resources:
        return 0.0, 0.0
    r, available = problem.resources.index(resource), problem.hosts["available"].to_numpy()
    inside = problem.workloads["pool"].to_numpy() == pool
    serving = np.flatnonzero(serves(problem, pool) & (available > 0) & np.isfinite(problem.capacity[:, r]))
    demand = np.rint(problem.demand[inside, r] / GRAIN).astype("int64")
    piece = int(np.gcd.reduce(demand, axis=None)) * GRAIN
    if piece == 0 or np.abs(demand * GRAIN - problem.demand[inside, r]).max() > GRAIN / 100 or not len(serving):
        return 0.0, 0.0
    whole = np.floor(problem.capacity[serving, r] / piece * (1 + ROUNDING)) * piece
    wanted = float(problem.demand[inside, r].sum(axis=0).max())
    return piece, _divided(Failover(), wanted, whole, available[serving])[2]


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


def used_share(problem: Problem, pool: str, hosts: pd.DataFrame, resource: str) -> float:
    """Share that a pool's workloads need of what its hosts offer of a resource with the failover reserve taken off.

    Where failover is verified, of all hosts or of those that the worst loss leaves, whichever is more.
    """
    rows = hosts["row"].to_numpy(dtype=int)
    for storage in problem.shared_storage if resource not in problem.resources else ():
        if _of_hosts(storage, pool):
            return storage.needed_gib / max(storage.offered_gib(rows), 1e-12)
    r = problem.resources.index(resource)
    inside, failover = problem.workloads["pool"].to_numpy() == pool, problem.policy.failover

    def share(figures: Problem, room: float) -> float:
        return _sum(figures.demand[inside, r], leaving=0) / room if room > 0 else np.nan

    capacity = problem.capacity[rows, r]
    if not failover.hosts:
        return share(problem, float(capacity.sum()))
    if failover.mode == "spare":
        return share(problem, float(capacity[hosts["workloads"].to_numpy() > 0].sum()))
    figures = problem.in_failure if failover.is_verified else problem
    units = pd.Series(figures.capacity[rows, r])
    if failover.within != "host":
        units = units.groupby(domains(problem.hosts, failover.within)[rows]).sum()
    left = share(figures, float(np.sort(units)[: max(len(units) - failover.hosts, 0)].sum()))
    return max(left, share(problem, float(capacity.sum()))) if failover.is_verified else left


def only_pools(problem: Problem, pools: Iterable[str]) -> Problem:
    """The problem of some pools alone."""
    out = problem.workloads["name"][~problem.workloads["pool"].isin(list(pools))]
    return problem.without(out) if len(out) else problem
