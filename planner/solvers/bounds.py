"""The volume bound: hosts that cover the summed demand at least cost, in whole hosts.

Items may be cut at will, hosts not: the least cost of y hosts of each class such that their capacity covers each pool's
demand in every resource. With equal hosts that is the summed demand divided by the capacity, rounded up. Items larger
than half of the largest host share none with each other, so there are at least as many hosts as such items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from planner.solvers.failover import keep_share
from planner.solvers.instance import Instance

SECONDS = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Cover:
    """A volume bound.

    Parameters
    ----------
    value : int or None
        Proven lower bound in the ledger's small units; None where the hosts available cannot cover the demand.
    mix : array of int, shape [C, P]
        The hosts that cover it.
    demand : array of int, shape [P, R]
        Summed demand by pool: with the hosts' capacities the evidence that the bound can be recomputed from.
    """

    value: int | None
    mix: np.ndarray
    demand: np.ndarray


def volume(instance: Instance, seed: int) -> Cover:
    """The volume bound of an instance, solved in exact integers by CP-SAT."""
    classes, pools = len(instance.available), len(instance.pools)
    model = cp_model.CpModel()
    on = np.array(
        [[model.new_int_var(0, int(n), "") for _ in range(pools)] for n in instance.available], dtype=object
    ).reshape(classes, pools)
    idle = np.full((classes, pools), 0, dtype=object)
    if instance.failover_mode == "spare" and instance.failover_hosts:
        idle = np.array([[model.new_int_var(0, int(n), "") for _ in range(pools)] for n in instance.available])
        for p in range(pools):
            model.add(sum(idle[:, p]) == instance.failover_hosts)
    for c in range(classes):
        model.add(sum(on[c]) + sum(idle[c]) <= int(instance.available[c]))
    demand = np.zeros((pools, instance.demand.shape[1]), dtype="int64")
    for p in range(pools):
        inside = instance.pool == p
        serving = instance.allowed[inside].any(axis=0)
        for c in np.flatnonzero(~serving):
            model.add(on[c, p] == 0)
        demand[p] = (instance.demand[inside] * instance.count[inside, None]).sum(axis=0)
        _cover_pool(model, instance, on[:, p], inside, serving, demand[p])
        if instance.failover_mode == "share" and instance.failover_hosts:
            keep_share(model, instance, p, list(on[:, p]))
    model.minimize(
        sum(int(instance.opening[c]) * (on[c, p] + idle[c, p]) for c in range(classes) for p in range(pools))
    )
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_time_in_seconds = SECONDS
    solver.parameters.catch_sigint_signal = False
    status = solver.solve(model)
    mix = np.zeros((classes, pools), dtype="int64")
    if status == cp_model.INFEASIBLE:
        return Cover(value=None, mix=mix, demand=demand)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        mix = np.array([[solver.value(v) for v in row] for row in on], dtype="int64").reshape(classes, pools)
    forbidden = np.where(instance.fits, instance.placing, np.iinfo("int64").max)
    least_placing = int((forbidden.min(axis=1) * instance.count).sum()) if instance.placing.any() else 0
    # Every coefficient is at least 0, so 0 is proven even where the search ended before it proved more.
    proven = int(np.ceil(max(solver.best_objective_bound, 0.0) - 1e-6))
    return Cover(value=proven + least_placing, mix=mix, demand=demand)


def _cover_pool(
    model: cp_model.CpModel,
    instance: Instance,
    on: np.ndarray,
    inside: np.ndarray,
    serving: np.ndarray,
    demand: np.ndarray,
) -> None:
    capacity = instance.capacity
    model.add(sum(on) >= 1)
    for r in range(capacity.shape[1]):
        model.add(sum(int(capacity[c, r]) * on[c] for c in range(len(on))) >= int(demand[r]))
        largest = int(capacity[serving, r].max()) if serving.any() else 0
        big = int(instance.count[inside][2 * instance.demand[inside, r] > largest].sum())
        if big:
            model.add(sum(on) >= big)
