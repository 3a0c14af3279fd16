"""The plain assignment model on CP-SAT: one boolean a workload and host, hosts of a kind in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from benchmarks.peers.greedy import first_fit
from benchmarks.peers.items import Items, NoPlan, NotApplicable

BOOLEANS_AT_MOST = 300_000
SCALES = (1, 2, 4, 5, 10, 20, 100, 1000)
"""Factors that are tried to make a resource's figures whole."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Assigned:
    """What CP-SAT found: host of each item and kind of each host (None without a plan), and its bound."""

    host_of: np.ndarray | None
    kind_of: np.ndarray
    bound: float
    status: str


def assign(items: Items, time_limit_s: float, workers: int) -> Assigned:
    """Each item on one host, the hosts used at the least price in sum.

    ``minimise sum price_h y_h; sum_h x_ih = 1; sum_i demand_ir x_ih <= capacity_hr y_h; y_h >= y_h+1 within a kind``.
    As many hosts of a kind stand ready as a plan no worse than first fit decreasing can use; that plan is the hint.

    Raises
    ------
    NotApplicable
        More than `BOOLEANS_AT_MOST` booleans, or figures that no factor makes whole.
    """
    try:
        start = first_fit(items)
    except NoPlan:
        start = None
    kind_of = _ready(items, start)
    pools = int(items.pool.max()) + 1
    usable = items.allowed[:, kind_of]
    if (count := int(usable.sum()) + len(kind_of) * pools) > BOOLEANS_AT_MOST:
        raise NotApplicable(f"{count:,} booleans")
    demand, capacity = whole(items)
    model = cp_model.CpModel()
    runs = [[model.new_bool_var("") for _ in kind_of] for _ in range(pools)]  # host h runs for pool p
    x = [{int(h): model.new_bool_var("") for h in np.flatnonzero(row)} for row in usable]
    for variables in x:
        model.add_exactly_one(variables.values())
    for h, kind in enumerate(kind_of):
        model.add_at_most_one(runs[p][h] for p in range(pools))
        for p in range(pools):
            inside = [i for i in np.flatnonzero(usable[:, h]) if items.pool[i] == p]
            for r in np.flatnonzero(np.isfinite(capacity[kind])):
                load = sum(int(demand[i, r]) * x[i][h] for i in inside if demand[i, r])
                model.add(load <= int(capacity[kind, r]) * runs[p][h])
            for i in inside:
                model.add_implication(x[i][h], runs[p][h])
    _in_order(model, runs, kind_of)
    model.minimize(sum(float(items.price[k]) * runs[p][h] for p in range(pools) for h, k in enumerate(kind_of)))
    if start is not None:
        _hint(model, x, runs, items.pool, *start, kind_of)
    return _solved(model, x, kind_of, time_limit_s, workers, whole_prices=bool((items.price % 1 == 0).all()))


def _solved(
    model: cp_model.CpModel, x: list[dict], kind_of: np.ndarray, time_limit_s: float, workers: int, whole_prices: bool
) -> Assigned:
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = time_limit_s
    solver.parameters.num_workers = workers
    status = solver.solve(model)
    host_of = None
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        host_of = np.array([next(h for h, variable in row.items() if solver.value(variable)) for row in x])
    bound = solver.best_objective_bound
    return Assigned(
        host_of=host_of,
        kind_of=kind_of,
        bound=float(np.ceil(bound - 1e-6)) + 0.0 if whole_prices else bound,
        status=solver.status_name(status).lower(),
    )


def _ready(items: Items, start: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """Kinds of the hosts that stand ready: no more of one than the greedy plan's price pays for, if there is a plan."""
    counts = np.minimum(items.available, items.allowed.sum(axis=0)).astype(float)
    if start is not None:
        paid_for = np.full(len(items.price), np.inf)
        np.divide(items.price[start[1]].sum(), items.price, out=paid_for, where=items.price > 0)
        counts = np.minimum(counts, np.floor(paid_for + 1e-9))
    return np.repeat(np.arange(len(counts)), counts.astype(np.int64))


def whole(items: Items) -> tuple[np.ndarray, np.ndarray]:
    """Demand and capacity in whole units, each resource by its own factor; capacity rounded down.

    Raises
    ------
    NotApplicable
        Demand that none of `SCALES` makes whole.
    """
    factors = []
    for r in range(items.demand.shape[1]):
        scaled = [np.abs(f * items.demand[:, r] - np.round(f * items.demand[:, r])).max() for f in SCALES]
        if min(scaled) > 1e-6:
            raise NotApplicable(f"resource {r} has figures that no factor makes whole")
        factors.append(next(f for f, error in zip(SCALES, scaled, strict=True) if error <= 1e-6))
    return np.round(items.demand * factors), np.floor(items.capacity * factors + 1e-6)


def _in_order(model: cp_model.CpModel, runs: list[list], kind_of: np.ndarray) -> None:
    for h in range(len(kind_of) - 1):
        if kind_of[h] == kind_of[h + 1]:
            model.add(sum(row[h] for row in runs) >= sum(row[h + 1] for row in runs))


def _hint(
    model: cp_model.CpModel,
    x: list[dict],
    runs: list[list],
    pool: np.ndarray,
    host_of: np.ndarray,
    greedy_kind_of: np.ndarray,
    kind_of: np.ndarray,
) -> None:
    """The greedy plan as the hint, its hosts in the order of the hosts that stand ready."""
    first = np.searchsorted(kind_of, np.arange(kind_of.max() + 1))
    position = np.empty(len(greedy_kind_of), dtype=np.int64)
    for kind in np.unique(greedy_kind_of):
        same = np.flatnonzero(greedy_kind_of == kind)
        position[same] = first[kind] + np.arange(len(same))
    used = {(int(p), int(h)) for p, h in zip(pool, position[host_of], strict=True)}
    for p, row in enumerate(runs):
        for h, variable in enumerate(row):
            model.add_hint(variable, (p, h) in used)
    for row, h in zip(x, position[host_of], strict=True):
        for candidate, variable in row.items():
            model.add_hint(variable, candidate == h)
