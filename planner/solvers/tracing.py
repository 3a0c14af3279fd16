"""Trace: where a search stands whenever it improves, in what plans cost."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from planner.economics.ledger import Ledger
from planner.economics.valuation import valued
from planner.plan import Plan, Progress
from planner.problem import Problem
from planner.solvers.assembly import assembled
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.packing import Packing
from planner.solvers.standing import Standing, named, standing

SPARING = 20
"""Seconds between two plans whose value is reckoned, for each second that reckoning one takes."""
MOST_PAIRS = 200_000
"""Pairs of a host and one of the plan that stands that are compared for a name at most; beyond, more seems to move."""


class Trace:
    """The steps of a search.

    What a packing costs in the ledger is no more than what its plan does: moves, power above the lines of load curves,
    least orders and licences for restarts depend on which workload is where. So plans are made of some packings.

    Parameters
    ----------
    problem : Problem
    book : Ledger
    clock : Clock
    start : Plan or None
        The plan that stands.
    on_progress : callable, optional
        Told every step.
    """

    def __init__(
        self,
        problem: Problem,
        book: Ledger,
        clock: Clock,
        start: Plan | None,
        on_progress: Callable[[Progress], None] | None,
    ):
        self.problem, self.book, self.clock, self.start, self.on_progress = problem, book, clock, start, on_progress
        self.steps: list[Progress] = []
        self.incumbents: list[Incumbent] = []
        self._exact = _is_exact(problem, book)
        self._before: list[Standing | None] | None = None
        self._valued: tuple[list[Packing], int] | None = None
        self._waiting = 0.0

    def announce(self, method: str) -> None:
        """Tell where the whole search stands: sums over its instances, None where one of them has nothing yet.

        Where failover is to be verified a packing counts once it is sure that there are restarts for every case.
        """
        if not self.incumbents:
            return
        packings = [one.packing for one in self.incumbents]
        packed = all(packing is not None and packing.sure for packing in packings)
        hosts = sum(len(packing.hosts) for packing in packings) if packed else None
        self._tell(method, self._value(packings) if packed else None, hosts)

    def finish(self, plan: Plan | None, value: int | None) -> None:
        """Tell what the plan that is returned costs, in whole small units, where the last step told another.

        None for both where no plan is.
        """
        last = self.steps[-1] if self.steps else None
        hosts = None if plan is None else plan.hosts_used
        told = None if value is None else value / self.book.scale
        if last is not None and (last.incumbent, last.hosts_used) != (told, hosts):
            self._tell(last.method, value, hosts)

    def _tell(self, method: str, value: int | None, hosts: int | None) -> None:
        bounds, scale = [incumbent.bound for incumbent in self.incumbents], self.book.scale
        step = Progress(
            seconds=self.clock.seconds,
            method=method,
            incumbent=None if value is None else value / scale,
            bound=None if None in bounds else (self.book.fixed + sum(bounds)) / scale,
            hosts_used=hosts,
        )
        self.steps.append(step)
        if self.on_progress is not None:
            self.on_progress(step)

    def _value(self, packings: list[Packing]) -> int:
        """Whole small units of a plan of some packings, or of the last one that was reckoned if that was just now."""
        if self._exact:
            return self.book.fixed + sum(incumbent.value for incumbent in self.incumbents)
        if self._valued is not None:
            known, value = self._valued
            same = all(one is other for one, other in zip(packings, known, strict=True))
            if same or self.clock.seconds < self._waiting:
                return value
        began = self.clock.seconds
        value = valued(self.problem, self._plan(packings), self.book).small
        self._valued = packings, value
        self._waiting = self.clock.seconds + SPARING * (self.clock.seconds - began)
        return value

    def _plan(self, packings: list[Packing]) -> Plan:
        """The plan of some packings, hosts called after those of the plan that stands."""
        instances = [incumbent.instance for incumbent in self.incumbents]
        if self.start is None:
            return assembled(self.problem, list(zip(instances, packings, strict=True)), [None] * len(instances), None)
        if self._before is None:
            self._before = [standing(self.problem, instance, self.start) for instance in instances]
        called = [
            (instance, _named(instance, packing, stood))
            for instance, packing, stood in zip(instances, packings, self._before, strict=True)
        ]
        return assembled(self.problem, called, self._before, self.start)


def _named(instance: Instance, packing: Packing, stood: Standing) -> Packing:
    is_named = any(host.name for host in packing.hosts)
    few = len(packing.hosts) * len(stood.hosts) <= MOST_PAIRS
    return named(instance, packing, stood) if few and not is_named else packing


def _is_exact(problem: Problem, book: Ledger) -> bool:
    """Whether a packing costs in the ledger what its plan does."""
    straight = not book.per_w or np.allclose(np.diff(book.curves, n=2, axis=1), 0.0)
    moved_on = bool(problem.policy.failover.hosts and book.charged.any())
    return straight and not (book.off or book.change.counts or book.orders or moved_on)
