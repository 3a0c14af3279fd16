"""Conflict: a smallest set of rules and workloads that no plan can keep, found by leaving out one after another.

A set is in conflict where solving with these rules and workloads alone, on all hosts, proves that there is no plan.
QuickXplain (Junker, 2004, https://www.aaai.org/Papers/AAAI/2004/AAAI04-027.pdf) halves the set as long as a half will
do; then each member is left out once more: where a plan is found without it, it is shown to be needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from planner.explanations.trials import Trials
from planner.explanations.variants import Law, laws_of, left_with
from planner.explanations.wording import joined, listed
from planner.problem import Problem

COLUMNS = ("kind", "name", "needed")
MOST_WORKLOADS = 24
"""Workloads beyond which a conflict is one of their sum, and no list of names explains it."""


class _Endless(Exception):
    """The conflict has more members than a list of names can explain."""


def conflicting(problem: Problem, trials: Trials) -> tuple[pd.DataFrame, list[str]]:
    """A set of rules and workloads in conflict, with the columns of `COLUMNS`, and what it says.

    `needed` is "yes" where a plan was found without this member and with all others, "not shown" where time did not
    allow to see.

    Parameters
    ----------
    problem : Problem
        Proven infeasible.
    trials : Trials
    """
    laws = laws_of(problem)
    names = problem.workloads["name"].astype(object).tolist()

    def impossible(kept: Sequence[Law], among: Sequence[str]) -> bool | None:
        """Whether these laws and workloads have no plan; None where that was not seen."""
        if not among:
            return False
        reached = trials.solve(partial(left_with, problem, kept, among), math.inf).reached
        return None if reached is None else not reached

    if laws and impossible([], names):
        laws = []
    laws = _reduced(laws, lambda kept: impossible(kept, names) is True)
    order = _order(problem, names)
    try:
        few = _reduced(order, lambda kept: impossible(laws, kept) is True, MOST_WORKLOADS)
    except _Endless:
        few = None
    rules_needed, laws = _shown(laws, lambda kept: impossible(kept, names if few is None else few))
    rows = [("rule", law.source, rules_needed[law]) for law in laws]
    if few is None:
        return pd.DataFrame(rows, columns=list(COLUMNS)), [_of_the_sum(rows, len(names))]
    needed, few = _shown(few, lambda kept: impossible(laws, kept))
    few.sort(key=names.index)
    rows += [("workload", name, needed[name]) for name in few]
    return pd.DataFrame(rows, columns=list(COLUMNS)), [_sentence(rows, trials)]


def _order(problem: Problem, names: list[str]) -> list[str]:
    """Small workloads last: QuickXplain leaves out what stands last first."""
    capacity = np.where(np.isfinite(problem.capacity), problem.capacity, 0.0).max(axis=0)
    share = (problem.demand.max(axis=2) / np.maximum(capacity, 1e-12)).max(axis=1)
    return [names[w] for w in np.argsort(-share, kind="stable").tolist()]


def _reduced(items: list, impossible: Callable[[list], bool], most: float = math.inf) -> list:
    """Items that are in conflict and of which no half can go, by QuickXplain; all of them where nothing is known.

    Raises
    ------
    _Endless
        More than `most` items belong to it.
    """
    found = 0

    def explained(background: list, fresh: bool, rest: list) -> list:
        nonlocal found
        if fresh and background and impossible(background):
            return []
        if len(rest) == 1:
            found += 1
            if found > most:
                raise _Endless
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        of_second = explained([*background, *first], bool(first), second)
        of_first = explained([*background, *of_second], bool(of_second), first)
        return [*of_first, *of_second]

    return explained([], False, items) if len(items) > 1 else list(items)


def _shown(items: list, impossible: Callable[[list], bool | None]) -> tuple[dict, list]:
    """For each item that stays whether it was shown to be needed; one that turns out not to be does not stay."""
    needed, kept = {}, list(items)
    for item in items:
        rest = [one for one in kept if one != item]
        answer = impossible(rest)
        if answer:
            kept = rest
        else:
            needed[item] = "not shown" if answer is None else "yes"
    return needed, kept


def _sentence(rows: list[tuple[str, str, str]], trials: Trials) -> str:
    rules = [name for kind, name, _ in rows if kind == "rule"]
    workloads = [name for kind, name, _ in rows if kind == "workload"]
    what = f"{joined(rules)} with " if rules else ""
    who = f"workload{'s' if len(workloads) > 1 else ''} {listed(workloads, most=6)}"
    unshown = [name for _, name, needed in rows if needed != "yes"]
    if len(rows) == 1:
        return f"There is no plan, because of {who} alone: it fits on no host there is."
    if not unshown:
        return (
            f"There is no plan, because of {what}{who}: together they cannot be placed, and each of these "
            f"{len(rows)} is needed for that, since without any one of them the others can be."
        )
    return (
        f"There is no plan, because of {what}{who}: together they cannot be placed; that each is needed for that was "
        f"not shown in time for {listed(unshown)}."
    )


def _of_the_sum(rows: list[tuple[str, str, str]], count: int) -> str:
    rules = [name for _, name, _ in rows]
    kept = f" Of the rules it takes {joined(rules)}." if rules else ""
    return (
        f"No short list of workloads is to blame: of the {count:,} more than {MOST_WORKLOADS} belong to the smallest "
        f"set found that cannot be placed.{kept}"
    )
