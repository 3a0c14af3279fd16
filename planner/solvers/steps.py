"""Steps: demand and capacity in whole numbers, demand rounded up and capacity down, and the other way for bounds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.problem import Problem

STEPS = 10**9
"""Integer steps that the largest capacity of a resource is divided into at most."""

EVEN = 1e-7
"""Steps by which a figure may miss a whole number and still be read as one: floating-point error."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """Figures in whole steps; a column is a resource in a period.

    Parameters
    ----------
    demand, least : array of int, shape [I, R]
        Of each item, rounded up and rounded down.
    capacity, most : array of int, shape [H, R]
        Of each row of problem.hosts, rounded down and rounded up.
    single : array of int, shape [W, R]
        Demand of each workload, rounded up.
    """

    demand: np.ndarray
    least: np.ndarray
    capacity: np.ndarray
    most: np.ndarray
    single: np.ndarray


def steps_of(problem: Problem, workloads: np.ndarray, item_start: np.ndarray, *, undivided: bool = False) -> Steps:
    """Whole steps with common divisors taken out.

    Parameters
    ----------
    problem : Problem
    workloads, item_start : array of int
        Workload positions in the order of their items, and where each item begins.
    undivided : bool
        Leaves the divisors in: where hosts are summed up what one alone cannot use counts too.
    """
    periods = problem.demand.shape[2]
    each = problem.demand[workloads].reshape(len(workloads), -1)
    summed = np.add.reduceat(each, item_start[:-1], axis=0)
    offered = np.repeat(problem.capacity, periods, axis=1)
    finite = np.where(np.isfinite(offered), offered, 0.0)
    step = np.maximum(1e-6, np.maximum(finite.max(axis=0), summed.max(axis=0)) / STEPS)
    demand, least = np.ceil(summed / step - EVEN).astype("int64"), np.floor(summed / step + EVEN).astype("int64")
    limitless = demand.sum(axis=0) + 1
    down, up = np.floor(finite / step + EVEN), np.ceil(finite / step - EVEN)
    capacity, most = (
        np.where(np.isfinite(offered), np.minimum(x, limitless), limitless).astype("int64") for x in (down, up)
    )
    single = np.ceil(each / step - EVEN).astype("int64")
    divisor = np.maximum(np.gcd.reduce(np.vstack([demand, least]), axis=0), 1)
    failover = problem.policy.failover
    if undivided or (failover.hosts and failover.mode == "share"):
        divisor[:] = 1
    return Steps(
        demand=demand // divisor,
        least=least // divisor,
        capacity=capacity // divisor,
        most=most // divisor,
        single=-(-single // divisor),
    )
