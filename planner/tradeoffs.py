"""Trade-offs: plans of which none is better in everything, from the fewest hosts to the least cost, energy or carbon.

The ends of the front are found by solving for each criterion alone, each with its proven bound. Between two of them lie

* least weighted sums: the weight is the slope between two neighbours, and whatever is found below their line splits it
  in two. Y. P. Aneja, K. P. K. Nair, Bicriteria transportation problem, Management Science 25 (1979),
  doi:10.1287/mnsc.25.1.73;
* plans on at most so many hosts, which also find what no weights do. Y. Y. Haimes, L. S. Lasdon, D. A. Wismer, On a
  bicriterion formulation of the problems of integrated system identification and system optimization, IEEE
  Transactions on Systems, Man, and Cybernetics 1 (1971), doi:10.1109/TSMC.1971.4308298.

Every plan on the way is a candidate; those that another one dominates are left out.
"""

from __future__ import annotations

import dataclasses
import glob
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import get_args

import numpy as np

from planner import baseline as estates
from planner.checker import check
from planner.economics.ledger import ledger
from planner.economics.valuation import valued
from planner.errors import InputError, did_you_mean
from planner.fronts import CRITERIA, Front, Point, table_of, undominated
from planner.plan import Plan, Progress, Result, Status, moves_between
from planner.problem import Objective, Problem
from planner.rules import Limit, Maintenance, Pin, Rule
from planner.settings import require
from planner.solvers import solve
from planner.weights import weighted

SOLVED = get_args(Objective)
LEAST_SECONDS = 0.5
"""What a search is given at least."""


def pareto(
    problem: Problem,
    objectives: Sequence[str] = ("hosts", "cost"),
    *,
    points: int = 12,
    time_limit: float = 60.0,
    seed: int = 0,
    workers: int = 1,
    start: Plan | None = None,
    found: Sequence[Result] = (),
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Front:
    """Plans between the best ones for each of some objectives.

    Parameters
    ----------
    problem : Problem
        Its own objective does not matter.
    objectives : sequence of str
        Two or more of hosts, cost, energy, carbon and moves.
    points : int
        Searches at most, besides those for each objective alone.
    time_limit : float
        Seconds of all searches together; each has an equal share of what is left.
    seed, workers : int
        As for `solve`.
    start : Plan, optional
        What moves are counted from; by default today's placement.
    found : sequence of Result
        Of the same problem, for one of its objectives each: their plans are candidates, their bounds hold, and what is
        proven is not looked for again.
    on_progress : callable, optional
        Called with the `Progress` of each search, in the unit of what that one looks for.
    should_stop : callable, optional
        Polled about ten times a second; once it returns True the front is of what was found until then.

    Raises
    ------
    InputError
        An objective that does not exist, fewer than two, a figure that one of them needs and that is missing, or a
        problem without a plan.
    """
    objectives = _objectives(objectives)
    require(points, "points", 0, 1000)
    require(time_limit, "time_limit", 0, 1e7)
    options = {"seed": seed, "workers": workers, "on_progress": on_progress, "should_stop": should_stop}
    search = _Search(problem, objectives, start, int(points), time_limit, options)
    search.known(found)
    search.alone()
    search.from_today()
    for first, second in combinations([name for name in objectives if name in SOLVED], 2):
        search.between(first, second)
    if len([name for name in objectives if name in SOLVED]) > 2:
        search.all_at_once()
    search.by_hosts()
    return search.front()


def _objectives(given: Sequence[str]) -> tuple[str, ...]:
    if isinstance(given, str) or not all(isinstance(name, str) for name in given):
        raise InputError(f"objectives: found {given!r}, expected names such as ('hosts', 'cost')")
    names = tuple(dict.fromkeys(given))
    if unknown := [name for name in names if name not in CRITERIA]:
        raise InputError(f"objectives: found {unknown[0]!r}{did_you_mean(unknown[0], CRITERIA)}")
    if len(names) < 2:
        raise InputError(
            f"objectives: found {', '.join(names) or 'none'}, expected two or more of {', '.join(CRITERIA)}"
        )
    return names


class _Search:
    """What was found so far, and how much time and how many searches are left."""

    def __init__(
        self,
        problem: Problem,
        objectives: tuple[str, ...],
        start: Plan | None,
        searches: int,
        time_limit: float,
        options: dict,
    ):
        self.problem, self.objectives, self.options = problem, objectives, options
        self.problems, self.books, self.missing = {}, {}, {}
        for name in SOLVED:
            self._price(name)
        self.stands = self._standing(start)
        self.solved = [name for name in objectives if name in SOLVED]
        self.searches = searches + len(self.solved)
        self.until = time.monotonic() + time_limit
        self.points: list[Point] = []
        self.bounds: dict[str, float] = {}
        self.settled: set[str] = set()

    def _price(self, name: str) -> None:
        """The problem with one objective, and its ledger; why there is none where figures are missing."""
        try:
            self.problems[name] = self.problem.replace(objective=name)
            self.books[name] = ledger(self.problems[name])
        except InputError as error:
            if name in self.objectives:
                raise InputError(f"objectives, {name}: {error}", details=error.details) from error
            self.missing[name] = str(error)

    def _standing(self, start: Plan | None) -> Plan | None:
        """What moves are counted from; None, with the reason, where no workload has a host today."""
        if start is not None:
            if not isinstance(start, Plan):
                raise InputError(f"start: found {type(start).__name__}, expected a Plan; read_plan(file).plan is one")
            return start
        today = estates.today(self.problem)
        if not today.bought and len(today.plan.placement):
            return today.plan
        reason = "no workload has a known host today, expected one in column host, or start"
        if "moves" in self.objectives:
            raise InputError(f"objectives, moves: {reason}")
        self.missing["moves"] = reason
        return None

    @property
    def over(self) -> bool:
        """Whether no further search is to begin."""
        stop = self.options["should_stop"]
        return self.searches <= 0 or time.monotonic() >= self.until or (stop is not None and stop())

    def solve(self, problem: Problem) -> Result:
        """Search with an equal share of the time that is left; from what stands where moves count."""
        seconds = max((self.until - time.monotonic()) / max(self.searches, 1), LEAST_SECONDS)
        self.searches -= 1
        start = self.stands if "moves" in self.objectives else None
        return solve(problem, time_limit=seconds, start=start, **self.options)

    def _ruled(self, name: str, rules: list[Rule]) -> Result | None:
        """Search under further rules; None where they contradict those that are there: then there is no such plan."""
        try:
            ruled = self.problems[name].replace(rules=[*self.problem.rules, *rules])
        except InputError:
            return None
        return self.solve(ruled)

    def add(self, plan: Plan | None, proof: str = "") -> Point | None:
        """Take a plan among the candidates; None where there is none, or the checker rejects it."""
        if plan is None or check(self.problem, plan):
            return None
        figures = {name: self._figure(name, plan) for name in CRITERIA}
        point = Point(plan=plan, figures=figures, proof=proof)
        self.points.append(point)
        return point

    def _figure(self, name: str, plan: Plan) -> float:
        if name == "hosts":
            return float(plan.hosts_used)
        if name in self.missing:
            return np.nan
        if name == "moves":
            return float((moves_between(self.stands, plan)["reason"] == "moved").sum())
        return valued(self.problems[name], plan, self.books[name]).value

    def alone(self) -> None:
        """Solve for each objective alone."""
        for name in self.solved:
            if self.points and self.over:
                return
            if name in self.settled:
                continue
            result = self.solve(self.problems[name])
            if result.status in (Status.INFEASIBLE, Status.UNKNOWN):
                raise InputError(f"pareto: found no plan: {result.reason}")
            self.take(result)

    def known(self, results: Sequence[Result]) -> None:
        """Take results that are there already; what they prove needs no search."""
        for result in results:
            self.take(result)
        self.searches -= len(self.settled.intersection(self.solved))

    def take(self, result: Result) -> None:
        """Take the plan of a result for one objective among the candidates, and its bound."""
        name = result.objective_name
        proven = result.status is Status.OPTIMAL
        point = self.add(result.plan, f"no plan has {_less(name)}" if proven else "")
        if result.bound is not None and name in self.objectives:
            self.bounds[name] = max(result.bound.value, self.bounds.get(name, result.bound.value))
        if proven and point is not None:
            self.settled.add(name)

    def from_today(self) -> None:
        """What stands, where it is a plan, and what comes of emptying some of its hosts."""
        if "moves" in self.objectives:
            point = self.add(self._bare(self.stands), "nothing moves")
            if point is not None:
                self.bounds["moves"] = 0.0
            else:
                point = self._mended()
            if point is not None:
                self._emptying(point.plan)

    def _loads(self, plan: Plan) -> dict[str, list[str]]:
        """The workloads on each owned host of a plan, as far as the problem knows both."""
        owned = self.problem.hosts.loc[self.problem.hosts["owned"], "name"]
        placed = plan.placement
        placed = placed[placed["host"].isin(owned) & placed["workload"].isin(self.problem.workloads["name"])]
        return placed.groupby("host", sort=False)["workload"].apply(list).to_dict()

    def _mended(self) -> Point | None:
        """What stands, with a new place only for workloads of hosts that carry too much or are not to run."""
        shut = set(self.problem.hosts.loc[self.problem.hosts["available"] == 0, "name"])
        broken = shut | {one.host for one in check(self.problem, self.stands)}
        stay = [_pinned(host, names) for host, names in self._loads(self.stands).items() if host not in broken]
        result = None if self.over else self._ruled("hosts", stay)
        return None if result is None else self.add(result.plan)

    def _emptying(self, plan: Plan) -> None:
        """Empty one host after another, those with the fewest workloads first, while all others stay as they are.

        A host whose workloads find no room stays; of many hosts several are emptied in one step. Half the searches go
        to it at most.
        """
        loads = self._loads(plan)
        order = sorted(loads, key=lambda host: len(loads[host]))
        searches = self.searches // 2
        step, gone = max(len(order) // max(searches, 1), 1), []
        for at in range(0, len(order) - 1, step):
            tried = gone + order[at : at + step]
            if self.searches <= searches or self.over:
                return
            stay = [_pinned(host, loads[host]) for host in order if host not in tried]
            result = self._ruled("hosts", [*stay, Maintenance(_exactly(tried))])
            gone = gone if result is None or self.add(result.plan) is None else tried

    def _bare(self, plan: Plan) -> Plan:
        """A plan without hosts that carry nothing, unless it is rejected without them."""
        bare = dataclasses.replace(plan, spares=plan.spares.iloc[:0])
        return plan if check(self.problem, bare) else bare

    def between(self, first: str, second: str) -> None:
        """Least weighted sums of two objectives, from the outer neighbours inwards."""
        first, second = (second, first) if second == "hosts" else (first, second)
        ends = [self._best(first, second), self._best(second, first)]
        more = ends[0].figures[second] - ends[1].figures[second]
        if first == "hosts" and more > 0 and not self.over:
            # A host weighs more than all that the other objective can differ by: the best of those with the fewest.
            self._weighed({first: 1.01 * more, second: 1.0})
            ends[0] = self._best(first, second)
        waiting = [tuple(ends)]
        while waiting and not self.over:
            one, two = waiting.pop(0)
            width = {name: abs(one.figures[name] - two.figures[name]) for name in (first, second)}
            neighbours = first == "hosts" and width[first] <= 1 and one.proof and two.proof
            if neighbours or min(width.values()) <= 0:
                continue
            weights = {first: width[second], second: width[first]}
            found = self._weighed(weights)
            if found is None:
                continue
            line, there = (sum(weights[name] * point.figures[name] for name in weights) for point in (one, found))
            if there < line - 1e-6 * abs(line):
                waiting += [(one, found), (found, two)]

    def all_at_once(self) -> None:
        """The least sum of all objectives, each counted by how far apart its best and worst plans are."""
        spans = {name: np.ptp([point.figures[name] for point in self.points]) for name in self.solved}
        if not self.over and min(spans.values()) > 0:
            self._weighed({name: 1 / span for name, span in spans.items()})

    def _best(self, name: str, then: str) -> Point:
        return min(self.points, key=lambda point: (point.figures[name], point.figures[then]))

    def _weighed(self, weights: dict[str, float]) -> Point | None:
        """The plan of the least weighted sum, as far as one is found."""
        if set(weights) == {"hosts", "cost"}:
            # In whole cents a host, so that the sum rounds as the cost does.
            weights = {"hosts": round(weights["hosts"] / weights["cost"], 2), "cost": 1.0}
        summed = weighted(self.problem, weights)
        result = self.solve(summed)
        if result.status is not Status.OPTIMAL:
            return self.add(result.plan)
        rounded = "" if self._is_exact(summed, weights) else ", but for rounding"
        return self.add(result.plan, _proof(weights, result.plan.hosts_used) + rounded)

    def _is_exact(self, summed: Problem, weights: dict[str, float]) -> bool:
        """Whether a weighted sum is that of the ledgers to the cent, so that it proves without rounding."""
        if set(weights) != {"hosts", "cost"}:
            return False
        book, cost = ledger(summed), self.books["cost"]
        each = round(weights["hosts"] * cost.scale)
        same = all(np.array_equal(getattr(book, name), getattr(cost, name)) for name in ("row", "rate", "fee"))
        return same and np.array_equal(book.opening - cost.opening, np.full(len(book.row), each))

    def by_hosts(self) -> None:
        """The best plans on at most so many hosts, for numbers between those of the front."""
        if "hosts" not in self.objectives:
            return
        for name in self.solved:
            for most in self._numbers(name) if name != "hosts" else ():
                if self.over:
                    return
                self._capped(name, most)

    def _numbers(self, name: str) -> Iterator[int]:
        """Numbers of hosts between those of neighbours on the front of hosts and another objective."""
        found = [point.figures for point in undominated(self.points, ("hosts", name))]
        steps = sorted({int(figures["hosts"]) for figures in found})
        gaps = sorted(pairwise(steps), key=lambda pair: pair[0] - pair[1])
        for fewer, more in gaps:
            yield from range(more - 1, fewer, -1)

    def _capped(self, name: str, most: int) -> None:
        result = self._ruled(name, [Limit("*", most_hosts=most)])
        if result is None or result.plan is None:
            return
        proven = result.status is Status.OPTIMAL and result.hosts_used <= most
        self.add(result.plan, f"no plan on at most {most:,} hosts has {_less(name)}" if proven else "")

    def front(self) -> Front:
        """The plans that none dominates, as a table."""
        kept = undominated(self.points, self.objectives)
        kept.sort(key=lambda point: [point.figures[name] for name in self.objectives])
        named = {f"plan {number}": point for number, point in enumerate(kept, start=1)}
        units = {CRITERIA[name]: book.unit for name, book in self.books.items()} | {"moves": "moves"}
        return Front(
            table=table_of(self.problem, named, self.objectives, self.bounds),
            plans={name: point.plan for name, point in named.items()},
            bounds=self.bounds,
            units=units,
            objectives=self.objectives,
            missing=self.missing,
            without={name: book.without for name, book in self.books.items() if book.without},
            tried=len(self.points),
        )


def _exactly(names: list[str]) -> tuple[str, ...]:
    """Patterns that match these names and no others."""
    return tuple(f"name:{glob.escape(name)}" for name in names)


def _pinned(host: str, workloads: list[str]) -> Pin:
    return Pin(_exactly(workloads), _exactly([host]))


def _less(name: str) -> str:
    return "fewer hosts" if name == "hosts" else f"less {name}"


def _proof(weights: dict[str, float], hosts: int) -> str:
    """What a least weighted sum proves of a plan on so many hosts, in a sentence."""
    others = [name for name in weights if name != "hosts"]
    if len(others) == 1 and "hosts" in weights:
        return f"no plan on at most {hosts:,} hosts has {_less(others[0])}"
    return f"no plan has {' and '.join(map(_less, weights))} at once"
