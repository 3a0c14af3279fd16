"""Trials: variants of a problem solved under one clock, each ended as soon as it has answered its question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from planner.errors import InputError
from planner.plan import Plan, Progress, Status
from planner.problem import Problem
from planner.solvers import solve
from planner.solvers.incumbent import Clock

WHISKER = 1e-9
"""Relative error granted to a value that is summed in floats."""

SHORTEST = 0.02
"""Seconds below which no trial begins."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What solving a variant said.

    Parameters
    ----------
    status : str
        That of the result, "not tried" where time ran out before, "bad input" where the variant cannot be built.
    reached : bool or None
        Whether a plan of at most the value that was asked for is there: True where one was found (it passed the
        checker), False where it is proven that there is none, None where that is not known.
    value : float or None
        Of the plan that was found.
    plan : Plan or None
    reason : str
        Why a variant cannot be built or solved.
    """

    status: str
    reached: bool | None = None
    value: float | None = None
    plan: Plan | None = None
    reason: str = ""


class Trials:
    """Solves variants, none of them longer than `seconds_each`, all of them until the clock says stop.

    Parameters
    ----------
    clock : Clock
    seconds_each : float
    seed, workers : int
        As for `solve`.
    """

    def __init__(self, clock: Clock, seconds_each: float, *, seed: int = 0, workers: int = 1):
        self.clock, self.seconds_each = clock, seconds_each
        self.seed, self.workers = seed, workers
        self.until = clock.limit
        self.count = 0

    @property
    def seconds(self) -> float:
        """What the next trial may take."""
        return min(self.seconds_each, self.until - self.clock.seconds)

    @property
    def over(self) -> bool:
        """Whether no further trial begins."""
        return self.seconds < SHORTEST or self.clock.over

    def solve(self, make: Callable[[], Problem], most: float | None = None) -> Trial:
        """Solve the variant that `make` builds.

        Parameters
        ----------
        make : callable
        most : float, optional
            The question is whether a plan of at most this value exists, and the search ends with the answer. By
            default it is how good a plan there is, and the search goes on until that is proven or time is over.
        """
        if self.over:
            return Trial(status="not tried")
        answered = False

        def watch(step: Progress) -> None:
            nonlocal answered
            if most is not None and (_within(step.incumbent, most) or _beyond(step.bound, most)):
                answered = True

        self.count += 1
        try:
            variant = make()
            result = solve(
                variant,
                time_limit=max(self.seconds, SHORTEST),
                seed=self.seed,
                workers=self.workers,
                on_progress=watch,
                should_stop=lambda: answered or self.clock.cancelled,
            )
        except InputError as error:
            return Trial(status="bad input", reason=str(error))
        least = None if result.bound is None else result.bound.value
        reached: bool | None = None
        if most is not None and _within(result.objective_value, most):
            reached = True
        elif result.status is Status.INFEASIBLE or (most is not None and _beyond(least, most)):
            reached = False
        return Trial(
            status=str(result.status),
            reached=reached,
            value=result.objective_value,
            plan=result.plan,
            reason=result.reason,
        )


def _within(value: float | None, most: float) -> bool:
    return value is not None and value <= most + WHISKER * abs(value)


def _beyond(bound: float | None, most: float) -> bool:
    return bound is not None and bound > most + WHISKER * abs(bound)
