"""One solve, or one peer, in a process of its own: ``python -m benchmarks.child``; what it measures goes to a file.

The file is written again after every step, so that a crash later on loses nothing that was measured before.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

import planner
from benchmarks import estates, peers, suites

WARM_UP_SECONDS = 3.0
LOADED_BY = 1
"""Seed of the small problem that a peer packs before its time counts."""


def peak_memory_mb() -> float:
    """Peak resident memory of this process, MB (10**6 bytes).

    A process starts with the peak of the one that it was forked from; the parent here is smaller than what a child
    imports.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def plan_value(problem: planner.Problem, plan: planner.Plan) -> float:
    """The objective computed from the plan alone: hosts that run, or the prices of those that are bought.

    Raises
    ------
    ValueError
        An objective that is neither, or costs that are more than the hosts' prices.
    """
    if problem.objective == "hosts":
        return float(plan.hosts_used)
    if problem.objective != "cost" or problem.prices != planner.Prices.none():
        raise ValueError(f"objective {problem.objective}: expected hosts, or cost without prices but the hosts'")
    price = dict(zip(problem.hosts["name"], problem.hosts["price"].where(~problem.hosts["owned"], 0.0), strict=True))
    hosts = plan.hosts
    return float(sum(price[model or host] for host, model in zip(hosts["host"], hosts["model"], strict=True)))


def solve(case: suites.Case, time_limit_s: float, workers: int, out: Path) -> None:
    """Builds, solves, checks and verifies; every figure goes to `out` as JSON as soon as it is known."""
    arguments = case.arguments()
    started = time.perf_counter()
    problem = planner.Problem.build(**arguments)
    built = time.perf_counter()
    shapes = len(np.unique(problem.demand.reshape(len(problem.workloads), -1), axis=0))
    measured: dict = {"workloads": len(problem.workloads), "shapes": shapes}
    _write(out, measured)
    search_started = time.perf_counter()
    result = planner.solve(problem, time_limit=time_limit_s, workers=workers)
    seconds = time.perf_counter() - search_started
    measured |= {
        "incumbent": result.objective_value,
        "bound": None if result.bound is None else result.bound.value,
        "method": "" if result.bound is None else result.bound.method,
        "gap": result.gap,
        "status": str(result.status),
        "seconds": seconds,
        "total_seconds": built - started + seconds,
        "memory_mb": peak_memory_mb(),
    }
    _write(out, measured)
    if result.plan is not None:
        measured["plan_value"] = plan_value(problem, result.plan)
        measured["violations"] = len(planner.check(problem, result.plan))
        _write(out, measured)
    verify = getattr(planner, "verify", None)
    if verify is not None and result.bound is not None:
        measured["verified"] = bool(verify(problem, result.bound))
        _write(out, measured)


def peer(case: suites.Case, name: str, time_limit_s: float, workers: int, out: Path) -> None:
    """Solves the case by a peer, its compiled code loaded before; its outcome goes to `out` as JSON."""
    if name != "vpsolver":
        peers.run(name, planner.Problem.build(**estates.small(LOADED_BY)), WARM_UP_SECONDS)
    problem = planner.Problem.build(**case.arguments())
    _write(out, asdict(peers.run(name, problem, time_limit_s, workers)))


def warm_up(workers: int) -> None:
    """Solves a few problems of every sort, and packs them by the greedy peers, so that compiled code is on disk."""
    for arguments in (
        estates.small(0),
        estates.small(1),
        estates.mixed(60),
        estates.tight(300, (64, 320, 1200)),
        estates.roomy(1000),
    ):
        problem = planner.Problem.build(**arguments)
        for name in ("ffd", "bfd", "watcher", "pabfd"):
            peers.run(name, problem, WARM_UP_SECONDS)
        planner.solve(problem, time_limit=WARM_UP_SECONDS, workers=workers)


def _write(out: Path, measured: dict) -> None:
    partial = out.with_suffix(".part")
    partial.write_text(json.dumps(measured), encoding="utf-8")
    partial.replace(out)


def main() -> None:
    """Reads what to do from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.child", description=main.__doc__)
    parser.add_argument("--suite", choices=list(suites.SUITES))
    parser.add_argument("--case")
    parser.add_argument("--peer", choices=list(peers.NAMES))
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if arguments.suite is None:
        warm_up(arguments.workers)
        return
    case = next(case for case in suites.cases(arguments.suite) if case.name == arguments.case)
    if arguments.peer is None:
        solve(case, arguments.time_limit, arguments.workers, arguments.out)
    else:
        peer(case, arguments.peer, arguments.time_limit, arguments.workers, arguments.out)


if __name__ == "__main__":
    main()
