"""Storage that a pool shares, judged on what the plan runs for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planner.checker.violation import TOLERANCE, Violation
from planner.problem import Problem


def storage_violations(problem: Problem, rows: np.ndarray, of_pool: np.ndarray) -> Iterator[Violation]:
    """Every pool whose shared storage does not suffice, or that runs too few hosts for it.

    Parameters
    ----------
    problem : Problem
    rows : array of int
        Row in problem.hosts of each host of the plan, -1 where there is none.
    of_pool : array of str
        The pool that each of them runs for.
    """
    for storage in problem.shared_storage:
        named = f"pool {storage.pool!r}" if storage.pool else "the plan"
        running = rows[(of_pool == storage.pool) & (rows >= 0)]
        if storage.by_hosts:
            smallest_first = np.sort(storage.usable_gib[running])
            limit = float(smallest_first[: max(len(running) - storage.lost_hosts, 0)].sum())
            lost = f" without the {storage.lost_hosts} that add most" if storage.lost_hosts else ""
            offers = f"the {len(running):,} hosts of {named} offer {limit:,.6g} GiB{lost} with {storage.scheme}"
        else:
            limit = storage.limit_gib
            offers = f"the shared storage of {named} has {limit:,.6g} GiB"
        found = {"kind": "storage pool", "resource": "storage"}
        if storage.needed_gib > limit + TOLERANCE * max(limit, 1):
            message = f"{offers}, {storage.needed_gib:,.6g} are needed"
            yield Violation(**found, message=message, found=storage.needed_gib, limit=limit)
        if len(running) < storage.minimum_hosts:
            message = (
                f"{named} runs {len(running):,} hosts, at least {storage.minimum_hosts} are needed for {storage.scheme}"
            )
            yield Violation(**found, message=message, found=float(len(running)), limit=float(storage.minimum_hosts))
