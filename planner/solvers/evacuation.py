"""Evacuation: where the workloads of lost hosts restart on the hosts of a plan that are left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from planner.losses import Losses
from planner.solvers.survivors import SHARE, Estate, Survivors

EFFORT = 2.0
"""Deterministic time that CP-SAT may spend on one case."""

FEW = 0.5
"""Share of the hosts that others may restart on, below which items restart first."""

MOST_TAKES = 60_000
"""Items times hosts of one case beyond which no model is built."""

STEPS = 10**9
"""Integer steps that the largest capacity of a resource is divided into at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Evacuation:
    """What happens in one case.

    Parameters
    ----------
    where : list of (array of int, int)
        Workloads that restart together, and the position of their host.
    homeless : list of array of int
        Workloads that found no place, by those that restart together.
    proven : bool
        Whether it is certain that a case with homeless workloads cannot be survived on these hosts.
    searched : bool
        Whether CP-SAT was asked.
    """

    where: list[tuple[np.ndarray, int]]
    homeless: list[np.ndarray]
    proven: bool = True
    searched: bool = False


def evacuated(estate: Estate, lost: np.ndarray, seconds: Callable[[], float]) -> Evacuation:
    """Where everything on some hosts restarts, what stays where it is staying; the most of it where not all can.

    Best fit of what few hosts may take and of the largest first; where that leaves any without a place CP-SAT looks at
    all items at once, as long as `seconds()` are left.
    """
    survivors = Survivors(estate, lost)
    found = _best_fit(survivors)
    if not found.homeless:
        return found
    if any(not survivors.able(item).any() for item in found.homeless):
        return found
    fresh = Survivors(estate, lost)
    if seconds() <= 0 or len(fresh.items) * int(fresh.alive.sum()) > MOST_TAKES:
        return Evacuation(where=found.where, homeless=found.homeless, proven=False)
    return _searched(fresh, found, seconds())


def _best_fit(survivors: Survivors) -> Evacuation:
    where, homeless = [], []
    able = np.array([np.count_nonzero(survivors.able(item)) for item in survivors.items])
    few = able < FEW * able.max(initial=0)
    for n in np.argsort(~few, kind="stable").tolist():
        item = survivors.items[n]
        at = np.flatnonzero(survivors.open_to(item))
        if not len(at):
            homeless.append(item)
            continue
        h = int(at[int(survivors.fullness(at).argmin())])
        survivors.put(item, h)
        where.append((item, h))
    return Evacuation(where=where, homeless=homeless)


def _searched(survivors: Survivors, known: Evacuation, seconds: float) -> Evacuation:
    """All items of a case at once: as many workloads as can restart, the placement known as the start."""
    model = cp_model.CpModel()
    takes = [{int(h): model.new_bool_var("") for h in np.flatnonzero(survivors.open_to(i))} for i in survivors.items]
    known_at = {int(item[0]): h for item, h in known.where}
    for item, take in zip(survivors.items, takes, strict=True):
        model.add_at_most_one(take.values())
        for h, variable in take.items():
            model.add_hint(variable, known_at.get(int(item[0])) == h)
    _keep_room(model, survivors, takes)
    for law in survivors.laws:
        law.constrain(model, takes, np.array([law.amount(item) for item in survivors.items]))
    model.maximize(sum(len(item) * v for item, take in zip(survivors.items, takes, strict=True) for v in take.values()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = EFFORT
    solver.parameters.max_time_in_seconds = max(seconds, 0.0)
    solver.parameters.catch_sigint_signal = False
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Evacuation(where=known.where, homeless=known.homeless, proven=False, searched=True)
    where, homeless = [], []
    for item, take in zip(survivors.items, takes, strict=True):
        at = next((h for h, variable in take.items() if solver.value(variable)), None)
        if at is None:
            homeless.append(item)
        else:
            where.append((item, at))
    return Evacuation(where=where, homeless=homeless, proven=status == cp_model.OPTIMAL, searched=True)


def _keep_room(model: cp_model.CpModel, survivors: Survivors, takes: list[dict]) -> None:
    """Demand rounded up in what is free rounded down, column by column."""
    estate = survivors.estate
    finite = np.where(np.isfinite(estate.capacity), estate.capacity, 0)
    each = np.array([estate.demand[item].sum(axis=0) for item in survivors.items])
    step = np.maximum(1e-6, np.maximum(finite.max(axis=0), each.max(axis=0)) / STEPS)
    whole = np.ceil(each / step * (1 - SHARE)).astype("int64")
    free = np.floor(np.where(np.isfinite(survivors.free), survivors.free, 0) / step).astype("int64")
    by_host: dict[int, list[int]] = {}
    for i, take in enumerate(takes):
        for h in take:
            by_host.setdefault(h, []).append(i)
    for h, inside in by_host.items():
        for q in np.flatnonzero(np.isfinite(survivors.free[h]) & (whole[inside].sum(axis=0) > free[h])).tolist():
            model.add(sum(int(whole[i, q]) * takes[i][h] for i in inside if whole[i, q]) <= int(free[h, q]))


@dataclass(frozen=True, kw_only=True)
class Worst:
    """How full what is left is: the resource that is scarcest, and the share of it that all workloads take."""

    resource: str
    used_share: float


def worst(estate: Estate, cases: Losses, case: int) -> Worst:
    """The scarcest resource of a case.

    ``used_share = max over r and periods of (demand of all workloads of the pools hit) / (capacity that is left in
    them)``, in the figures that hold while hosts are lost; above 1 no restart can succeed.
    """
    lost = cases.lost(case)
    share, at = 0.0, 0
    for pool in set(estate.pool[lost]):
        mine = estate.pool == pool
        left = mine.copy()
        left[lost] = False
        used, offered = estate.load[mine].sum(axis=0), estate.capacity[left].sum(axis=0)
        shares = np.where(used > 0, used / np.maximum(offered, 1e-12), 0.0)
        shares[np.isinf(offered)] = 0.0
        if shares.max() > share:
            share, at = float(shares.max()), int(shares.argmax())
    resource = estate.problem.resources[at // estate.problem.demand.shape[2]]
    return Worst(resource=resource, used_share=share if share < 1e9 else float("inf"))
