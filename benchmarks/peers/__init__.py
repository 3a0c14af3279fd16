"""Peers: what other methods make of the same problem; every plan of theirs goes through the checker."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

import planner
from benchmarks.peers import assignment, greedy, vpsolver, watcher
from benchmarks.peers.items import Items, NoPlan, NotApplicable, items_of, plan_of

NAMES = {
    "ffd": "first fit decreasing",
    "bfd": "best fit decreasing",
    "cpsat": "CP-SAT assignment model",
    "watcher": "OpenStack Watcher consolidation, from first fit in input order",
    "pabfd": "CloudSim power-aware best fit decreasing",
    "vpsolver": "VPSolver arc-flow with HiGHS",
}
USUAL = ("ffd", "bfd", "cpsat", "watcher", "pabfd")
"""Peers that are run when none is named."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a peer reached: value of its plan and its bound (None without), seconds, note, rejected by the checker."""

    value: float | None = None
    bound: float | None = None
    seconds: float | None = None
    note: str = ""
    violations: int = 0


def run(name: str, problem: planner.Problem, time_limit_s: float, workers: int = 1) -> Outcome:
    """Solves a problem by the peer of that name and has the checker judge its plan.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    problem : Problem
    time_limit_s : float
        Seconds of search, for the peers that search.
    workers : int
        Threads of CP-SAT.
    """
    try:
        if name == "vpsolver":
            vpsolver.install()
        started = time.perf_counter()
        items = items_of(problem)
        host_of, kind_of, bound, note = _packed(name, problem, items, time_limit_s, workers)
    except (NotApplicable, NoPlan) as reason:
        return Outcome(note=str(reason))
    seconds = time.perf_counter() - started
    if host_of is None:
        return Outcome(bound=bound, seconds=seconds, note=note or "no plan")
    violations = planner.check(problem, plan_of(problem, items, host_of, kind_of))
    if violations:
        note = f"the checker finds {len(violations)} violations, first {violations[0]}"
    value = float(items.price[kind_of[np.unique(host_of)]].sum())
    return Outcome(value=value, bound=bound, seconds=seconds, note=note, violations=len(violations))


def _packed(name: str, problem: planner.Problem, items: Items, time_limit_s: float, workers: int) -> tuple:
    """Host of each item, kind of each host, bound, note."""
    match name:
        case "ffd":
            return *greedy.first_fit(items), None, ""
        case "bfd":
            return *greedy.best_fit(items), None, ""
        case "watcher":
            return *watcher.consolidated(items), None, ""
        case "pabfd":
            hosts = problem.hosts
            power = greedy.host_power(items, hosts["idle_w"].to_numpy(), hosts["peak_w"].to_numpy())
            return *greedy.least_power(items, *power), None, ""
        case "cpsat":
            found = assignment.assign(items, time_limit_s, workers)
        case "vpsolver":
            found = vpsolver.arc_flow(items, time_limit_s)
        case _:
            raise ValueError(f"peer: found {name!r}, expected one of {', '.join(NAMES)}")
    return found.host_of, found.kind_of, found.bound, found.status
