"""explain(problem, result): what binds, why not one host fewer, what conflicts, what a spreadsheet would have said.

Questions asked of `solve`: an answer that says "saves" or "confirmed" rests on a plan that was found and checked, one
that says "impossible" on a bound.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from planner.checker import check
from planner.errors import InputError
from planner.explanations.binding import limits
from planner.explanations.changes import searched
from planner.explanations.conflict import conflicting
from planner.explanations.division import compared
from planner.explanations.estate import reckoned
from planner.explanations.proof import argued
from planner.explanations.telling import told
from planner.explanations.trials import Trials
from planner.explanations.wording import opening
from planner.plan import Result, Status
from planner.problem import Problem
from planner.settings import require
from planner.solvers.incumbent import Clock

__all__ = ["Explanation", "explain"]

WIDTH = 110
MOST_TRIALS = 12
"""A trial takes at most this part of the time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """What a result means, in sentences with a table behind each part; `print` shows the sentences.

    Parameters
    ----------
    sentences : DataFrame
        part (its title), sentence; in order.
    tables : dict of str to DataFrame
        One that has nothing to say is left out.

        - ``sentences``: as above.
        - ``binding``: pool, resource, used_share (of what the plan's hosts offer, the reserve taken off), bound_share
          (how much of the bound rests on it, by the bound's own weights), binding, step, before, after, saved, unit,
          due (whether no plan saves that without the step), status (of the solve with the step).
        - ``proof``: the argument of the bound by pool.
        - ``changes``: what would make one host fewer possible, see `changes.searched`.
        - ``conflict``: kind, name, needed.
        - ``division``: sums and divisions beside the packing.
    seconds : float
    solves : int
        How many variants were solved.
    complete : bool
        Whether every question was asked in time.
    """

    sentences: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    seconds: float
    solves: int
    complete: bool

    def __repr__(self) -> str:
        lines = []
        for title, own in self.sentences.groupby("part", sort=False):
            lines += ["", title] if lines else [title]
            for sentence in own["sentence"]:
                lines += textwrap.wrap(sentence, WIDTH, initial_indent="  - ", subsequent_indent="    ")
        return "\n".join(lines)


def explain(
    problem: Problem,
    result: Result,
    *,
    time_limit: float = 60.0,
    seed: int = 0,
    workers: int = 1,
    should_stop: Callable[[], bool] | None = None,
) -> Explanation:
    """Why a result is what it is, and the smallest changes that would make it better.

    Parameters
    ----------
    problem : Problem
    result : Result
        Of solving that problem.
    time_limit : float
        Seconds for everything; what there was no time for is said to be so.
    seed, workers : int
        As for `solve`. The same seed gives the same explanation as long as every solve ends before its limit.
    should_stop : callable, optional
        Polled about ten times a second; once it returns True the questions not asked yet are left open.

    Raises
    ------
    InputError
        An argument out of range, or a result of another problem.
    """
    require(time_limit, "time_limit", 0, 1e7)
    _require_fitting(problem, result)
    clock = Clock(limit=time_limit, should_stop=should_stop)
    trials = Trials(clock, max(time_limit / MOST_TRIALS, 0.5), seed=seed, workers=workers)
    sums = reckoned(problem)
    tables: dict[str, pd.DataFrame] = {}
    parts: list[tuple[str, list[str]]] = []
    if result.plan is not None:
        trials.until = 0.35 * time_limit
        tables["binding"], binding = limits(problem, result, sums, trials)
        tables["proof"], proof = argued(problem, result, sums)
        parts += [("What binds", binding), (_why_not(problem), proof)]
    elif result.status is Status.INFEASIBLE:
        trials.until = 0.5 * time_limit
        tables["conflict"], conflict = conflicting(problem, trials)
        parts.append(("Why there is no plan", [f"{opening(result.reason)}.", *conflict]))
    else:
        parts.append(("Whether there is a plan", ["Nobody knows: none was found in time, none was proven impossible."]))
    trials.until = time_limit
    tables["changes"] = searched(problem, result, sums, trials)
    parts.append((_would_do(problem, result), told(problem, result, tables["changes"])))
    tables["division"], division = compared(problem, result, sums, trials)
    parts.append(("Spreadsheet against packing", division))
    rows = [(title, sentence) for title, sentences in parts for sentence in sentences]
    sentences = pd.DataFrame(rows, columns=["part", "sentence"])
    return Explanation(
        sentences=sentences,
        tables={"sentences": sentences} | {name: table for name, table in tables.items() if len(table)},
        seconds=clock.seconds,
        solves=trials.count,
        complete=not any((table["status"] == "not tried").any() for table in tables.values() if "status" in table),
    )


def _require_fitting(problem: Problem, result: Result) -> None:
    if not isinstance(result, Result):
        raise InputError(f"result: found {type(result).__name__}, expected the Result of planner.solve(problem)")
    if result.objective_name != problem.objective:
        raise InputError(
            f"result: found least {result.objective_name}, the problem asks for least {problem.objective}; "
            "expected the Result of solving this problem"
        )
    violations = [] if result.plan is None else check(problem, result.plan)
    if violations:
        raise InputError(
            f"result: found a plan that breaks this problem ({violations[0].message}); "
            "expected the Result of solving it"
        )


def _why_not(problem: Problem) -> str:
    return "Why not one host fewer" if problem.objective == "hosts" else f"Why not less {problem.objective}"


def _would_do(problem: Problem, result: Result) -> str:
    if result.plan is None:
        return "What would make a plan possible"
    if problem.objective == "hosts":
        return "What would make one host fewer possible"
    return f"What would make 1 % less {problem.objective} possible"
