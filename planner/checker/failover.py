"""The reserve for hosts that fail, judged on a plan's own hosts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from planner.checker.restarts import restart_violations
from planner.checker.violation import TOLERANCE, Violation
from planner.plan import Plan
from planner.problem import Problem


def failover_violations(
    problem: Problem, plan: Plan, hosts: pd.DataFrame, placed: pd.DataFrame, of_pool: np.ndarray, load: np.ndarray
) -> Iterator[Violation]:
    """Every way in which a plan lacks the reserve for hosts that fail.

    Parameters
    ----------
    problem : Problem
    plan : Plan
    hosts : DataFrame
        Hosts of the plan: host, model, pool, `row` in problem.hosts or -1, and whether each is `spare`.
    placed : DataFrame
        `w`, position in problem.workloads, and `h`, position in `hosts`.
    of_pool : array of str, shape [host]
        The pool that each host runs for.
    load : array of float, shape [host, R, P]
    """
    failover = problem.policy.failover
    if failover.hosts == 0:
        return
    if failover.is_verified:
        yield from restart_violations(problem, plan, hosts, placed, of_pool)
        return
    row, spare = hosts["row"].to_numpy(), hosts["spare"].to_numpy()
    for pool in problem.pools:
        mine = problem.workloads["pool"].to_numpy() == pool
        # A host that stands by where rules let no workload of the pool run is no reserve.
        inside = np.flatnonzero((of_pool == pool) & (row >= 0) & (~spare | problem.laws.open_to(mine)[row]))
        capacity, demand = problem.capacity[row[inside]], load[inside]
        if failover.mode == "share":
            # A host that carries nothing counts only if any one workload of the pool could restart on it.
            largest = problem.demand[mine].max(axis=(0, 2))
            counts = ~spare[inside] | (capacity >= largest - TOLERANCE * largest).all(axis=1)
            inside, capacity, demand = inside[counts], capacity[counts], demand[counts]
        yield from (_share if failover.mode == "share" else _spare)(problem, pool, hosts.iloc[inside], capacity, demand)


def _share(
    problem: Problem, pool: str, hosts: pd.DataFrame, capacity: np.ndarray, load: np.ndarray
) -> Iterator[Violation]:
    k = problem.policy.failover.hosts
    left = np.sort(capacity, axis=0)[: max(len(hosts) - k, 0)].sum(axis=0)
    demand = load.sum(axis=0).max(axis=1)
    for r in np.flatnonzero(demand > left + TOLERANCE * np.maximum(left, 1)):
        resource, unit = problem.resources[r], problem.unit(problem.resources[r])
        named = f"pool {pool!r}" if pool else "the plan"
        message = (
            f"with its {k} largest hosts lost, {named} offers {left[r]:,.6g} {unit} of {resource}, "
            f"{demand[r]:,.6g} are needed"
        )
        yield Violation(
            kind="failover", message=message, resource=resource, found=float(demand[r]), limit=float(left[r])
        )


def _spare(
    problem: Problem, pool: str, hosts: pd.DataFrame, capacity: np.ndarray, load: np.ndarray
) -> Iterator[Violation]:
    k = problem.policy.failover.hosts
    spare = hosts["spare"].to_numpy()
    peak = load[~spare].max(axis=(0, 2), initial=0.0)
    able = (capacity[spare] >= peak - TOLERANCE * np.maximum(peak, 1)).all(axis=1).sum()
    if able < k:
        named = f"pool {pool!r}" if pool else "the plan"
        message = f"{named} has {able} spare hosts that could take over any other host's load, {k} are to stand by"
        yield Violation(kind="failover", message=message, found=float(able), limit=float(k))
