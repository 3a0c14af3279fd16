"""The engine: solve() chooses methods, shares one clock, and lets the checker judge the plan."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

import numpy as np

from planner.baseline import today
from planner.checker import check
from planner.economics.ledger import Ledger, ledger
from planner.economics.valuation import valued
from planner.errors import InputError
from planner.plan import Bound, Plan, Progress, Result, Status, Stop, moves_between
from planner.problem import Problem
from planner.settings import require
from planner.solvers import bounds, cpsat, gathering, greedy
from planner.solvers import standing as standing_plan
from planner.solvers.anchoring import anchor
from planner.solvers.assembly import assembled, evidence_of
from planner.solvers.condensed import condensed
from planner.solvers.failover import with_reserve
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance, build, components
from planner.solvers.packing import across
from planner.solvers.repack import even_out
from planner.solvers.search import Search
from planner.solvers.securing import SEARCHING, Securing
from planner.solvers.sparing import by_spares
from planner.solvers.tracing import Trace

__all__ = ["solve"]

WRITING = 5e-5
"""Seconds that naming and checking one item of a plan takes."""
STAYING = 1.0
"""Seconds at least for a plan that leaves workloads where they are, where moves are priced."""


def solve(
    problem: Problem,
    *,
    time_limit: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
    workers: int = 1,
    start: Plan | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    executor: Executor | None = None,
) -> Result:
    """Place a problem's workloads at the least objective that can be found, with a proven lower bound beside it.

    Parameters
    ----------
    problem : Problem
    time_limit : float
        Seconds of search, the writing and checking of the plan included; a fifth of them at most is kept for that. The
        first plan comes on top where it takes longer.
    gap : float
        Relative gap to the bound at which the search may end, 0 to 1.
    seed : int
    workers : int
        Search threads of CP-SAT. With 1 the same seed gives the same plan, as long as the search ends before its limit.
    start : Plan, optional
        A plan that stands: among equal plans the one that moves the fewest of its workloads is returned. Where moves
        are priced in the objective, today's by default.
    on_progress : callable, optional
        Called with a `Progress` whenever the best plan or the bound improves; may be called from another thread.
    should_stop : callable, optional
        Polled about ten times a second; once it returns True the search ends with the best plan so far.
    executor : concurrent.futures.Executor, optional
        Threads that independent pools are searched on side by side.

    Returns
    -------
    Result
        Its plan, where there is one, has passed `check`.

    Raises
    ------
    InputError
        An argument out of range, or an objective that lacks a figure.
    """
    require(time_limit, "time_limit", 0, 1e7)
    require(gap, "gap", 0, 1)
    require(workers, "workers", 1, 256)
    require(seed, "seed", 0, 2**31 - 1)
    for name, value in (("seed", seed), ("workers", workers)):
        if value != int(value):
            raise InputError(f"{name}: found {value!r}, expected a whole number")
    if start is not None and not isinstance(start, Plan):
        raise InputError(f"start: found {type(start).__name__}, expected a Plan; read_plan(file).plan is one")
    seed, workers = int(seed), int(workers)
    began = time.monotonic()
    book = ledger(problem)
    if start is None and book.change.moving:
        start = today(problem).plan
    incumbents: list[Incumbent] = []
    parts = [build(problem, book, pools) for pools in components(problem)]
    writing = min(WRITING * sum(part.items for part in parts), 0.2 * time_limit)
    clock = Clock(limit=time_limit - writing, should_stop=should_stop, began=began)
    trace = Trace(problem, book, clock, start, on_progress)
    whole = partial(_whole, book, incumbents)
    for part in parts:
        incumbents.append(Incumbent(instance=part, announce=trace.announce, gap=gap, whole=whole, seed=seed))
    trace.incumbents = incumbents
    for incumbent in incumbents:
        _first(problem, incumbent, clock, seed)
    verified = problem.policy.failover.is_verified
    _search(incumbents, clock, SEARCHING if verified else 1.0, seed, workers, executor)
    for incumbent in incumbents if verified else ():

        def from_the_start(other: Incumbent) -> None:
            _first(problem, other, clock, seed)
            _search([other], clock, SEARCHING, seed, workers, None)

        by_spares(incumbent, from_the_start)
    before = _settle(problem, incumbents, start, clock, seed, workers)
    plan, reason = _planned(problem, incumbents, before, start, clock)
    if book.change.moving and plan is not None and not verified:
        plan = _with_fewer_moves(problem, book, incumbents, before, start, plan, clock)
    return _result(problem, book, incumbents, plan, reason, start, clock, gap, trace, seed, workers)


def _whole(book: Ledger, incumbents: list[Incumbent]) -> float:
    """How many times what all packings cost the whole objective is; 0, which no gap is within, until all have one."""
    values = [incumbent.value for incumbent in incumbents]
    if None in values:
        return 0.0
    return abs(book.fixed + sum(values)) / sum(values) if any(values) else 1.0


def _first(problem: Problem, incumbent: Incumbent, clock: Clock, seed: int) -> None:
    """What takes milliseconds: reasons why nothing can fit, the volume bound, greedy packings."""
    instance = incumbent.instance
    incumbent.reason = _too_little_storage(problem, instance)
    if incumbent.reason:
        incumbent.infeasible = True
        return
    homeless = np.flatnonzero(~instance.relaxed.fits.any(axis=1))
    if len(homeless):
        incumbent.infeasible = True
        incumbent.reason = _too_large(problem, instance, int(homeless[0]), len(homeless))
        return
    incumbent.prove(bounds.resources(instance))
    if incumbent.infeasible:
        incumbent.reason = _too_much(problem, instance)
        return
    incumbent.prove(bounds.counting(instance))
    if incumbent.infeasible:
        incumbent.reason = _too_apart(problem, instance) or _too_much(problem, instance)
        return

    incumbent.prove(bounds.needing(instance))
    anchor(incumbent, clock)
    if incumbent.infeasible or (instance.coupled.any() and not incumbent.anchors):
        return

    def over() -> bool:  # A first plan, found in a second or two, comes on top of the limit.
        return incumbent.packing is not None and clock.over

    for method, packing in gathering.packings(instance, over):
        incumbent.offer(packing, method)
    for quick in filter(None, (condensed(instance), instance)):
        for method, packing in greedy.packings(quick, incumbent.cover.mix, over, incumbent.anchors):
            incumbent.offer(packing, method)
            if incumbent.good_enough or over():
                return


def _search(
    incumbents: list[Incumbent], clock: Clock, share: float, seed: int, workers: int, executor: Executor | None
) -> None:
    """Search every instance that is still open, a share of the time that is left divided among them.

    One after the other, the largest has what the smaller ones leave.
    """
    if any(incumbent.infeasible for incumbent in incumbents):
        return
    waiting = [incumbent for incumbent in incumbents if not incumbent.good_enough]
    waiting.sort(key=lambda incumbent: len(incumbent.instance.count) * len(incumbent.instance.available))
    if executor is not None:
        end = clock.seconds + share * clock.remaining
        jobs = [executor.submit(Search(incumbent, clock, end, seed, workers).run) for incumbent in waiting]
        for job in jobs:
            job.result()
    else:
        end = clock.seconds + share * clock.remaining
        for number, incumbent in enumerate(waiting):
            until = clock.seconds + max(end - clock.seconds, 0.0) / (len(waiting) - number)
            Search(incumbent, clock, until, seed, workers).run()
    for incumbent in incumbents:
        if incumbent.packing is not None and not clock.over:
            cpsat.break_ties(incumbent, clock, min(share * clock.remaining, 5.0), seed=seed, workers=workers)


def _settle(
    problem: Problem, incumbents: list[Incumbent], start: Plan | None, clock: Clock, seed: int, workers: int
) -> list[standing_plan.Standing | None]:
    """Among equal plans the best balanced one; solving from a plan that stands, the one with the fewest moves."""
    if start is None or any(incumbent.packing is None for incumbent in incumbents):
        for incumbent in incumbents:
            if incumbent.packing is not None and not clock.cancelled:
                even_out(incumbent)
        return [None] * len(incumbents)
    before = [standing_plan.standing(problem, incumbent.instance, start) for incumbent in incumbents]
    for incumbent, stood in zip(incumbents, before, strict=True):
        seconds = 0.0 if clock.cancelled else max(clock.remaining, 1.0) / len(incumbents)
        standing_plan.fewest_moves(incumbent, stood, clock, seconds, seed=seed, workers=workers)
    return before


def _planned(
    problem: Problem, incumbents: list[Incumbent], before: list, start: Plan | None, clock: Clock
) -> tuple[Plan | None, str]:
    """The plan of all packings, with its restarts where failover is to be verified; else why there is none."""
    if any(incumbent.infeasible or incumbent.packing is None for incumbent in incumbents):
        return None, "no plan was found, and none was proven impossible"

    def assemble(packings: list) -> Plan:
        pairs = zip(incumbents, packings, strict=True)
        return assembled(problem, [(incumbent.instance, packing) for incumbent, packing in pairs], before, start)

    if not problem.policy.failover.is_verified:
        return assemble([incumbent.packing for incumbent in incumbents]), ""
    securing = Securing(problem, incumbents, assemble, clock, even=start is None)
    return securing.run(), securing.reason


def _with_fewer_moves(
    problem: Problem, book: Ledger, incumbents: list[Incumbent], before: list, start: Plan, plan: Plan, clock: Clock
) -> Plan:
    """The plan, or one that leaves more where it is if that costs less: no packing knows what moves cost."""
    least = valued(problem, plan, book).small
    clock = Clock(limit=max(clock.remaining, STAYING), should_stop=clock.should_stop)
    for incumbent, stood in zip(incumbents, before, strict=True):
        found = standing_plan.repaired(incumbent.instance, stood, clock)
        staying = None if found is None else with_reserve(incumbent.instance, found)
        if staying is None or not across(incumbent.instance, staying.hosts):
            continue
        kept = incumbent.packing
        incumbent.packing = staying
        other, _ = _planned(problem, incumbents, before, start, clock)
        costs = least if other is None or check(problem, other) else valued(problem, other, book).small
        if costs < least:
            plan, least = other, costs
        else:
            incumbent.packing = kept
    return plan


def _result(
    problem: Problem,
    book: Ledger,
    incumbents: list[Incumbent],
    plan: Plan | None,
    reason: str,
    start: Plan | None,
    clock: Clock,
    gap: float,
    trace: Trace,
    seed: int,
    workers: int,
) -> Result:
    infeasible = [incumbent for incumbent in incumbents if incumbent.infeasible]
    complete = plan is not None
    if plan is not None and (violations := check(problem, plan)):
        raise AssertionError(
            f"the checker rejects the solver's plan, which is a defect of this program: {violations[0]}"
        )
    known = not infeasible and all(incumbent.bound is not None for incumbent in incumbents)
    value = valued(problem, plan, book).small if complete else None
    rest = value - book.fixed - sum(incumbent.bound for incumbent in incumbents) if complete and known else np.inf
    proven = bool(infeasible) or rest <= 0
    reached = complete and rest <= gap * abs(value)
    if infeasible:
        status, reason = Status.INFEASIBLE, infeasible[0].reason
    elif plan is None:
        status = Status.UNKNOWN
    else:
        status, reason = (Status.OPTIMAL if proven else Status.FEASIBLE), ""
    trace.finish(plan, value)
    stop = Stop.PROVEN if proven else Stop.GAP if reached else Stop.CANCELLED if clock.cancelled else Stop.TIME
    return Result(
        plan=plan,
        status=status,
        stop=stop,
        objective_name=problem.objective,
        objective_unit=book.unit,
        objective_value=value / book.scale if complete else None,
        bound=_bound(problem, incumbents, book) if known else None,
        reason=reason,
        without=book.without,
        moves=None if start is None or plan is None else moves_between(start, plan),
        seconds=clock.seconds,
        trace=tuple(trace.steps),
        seed=seed,
        workers=workers,
    )


def _bound(problem: Problem, incumbents: list[Incumbent], book: Ledger) -> Bound:
    methods = sorted({incumbent.bound_method for incumbent in incumbents})
    evidence = tuple(
        {
            "pools": incumbent.instance.pools,
            "method": incumbent.bound_method,
            "value": incumbent.bound / book.scale,
            "weightings": tuple(
                evidence_of(problem, incumbent.instance, w, len(book.row))
                for w in incumbent.weightings
                if w.method != "volume"
            ),
            "search": incumbent.searched,
        }
        for incumbent in incumbents
    )
    value = (book.fixed + sum(incumbent.bound for incumbent in incumbents)) / book.scale
    return Bound(value=value, method=" and ".join(methods), evidence=evidence)


def _too_large(problem: Problem, instance: Instance, shape: int, shapes: int) -> str:
    """Why a shape fits on no host: what is short, in the problem's units, on the host that comes closest."""
    item = instance.members.first(shape)
    name = problem.workloads["name"].iloc[item[0]]
    named = (
        f"workload {name!r}" if len(item) == 1 else f"workload {name!r} with the {len(item) - 1} kept together with it"
    )
    more = f" (and {shapes - 1:,} more like it)" if shapes > 1 else ""
    kinds = np.flatnonzero(instance.allowed[shape])
    if not len(kinds):
        pool = problem.workloads["pool"].iloc[item[0]]
        where = f" of pool {pool!r}" if pool else ""
        return f"{named}{where} has no host that it may run on{more}"
    demand = problem.demand[item].sum(axis=0).max(axis=1)
    rows = np.array([instance.rows[c][0] for c in kinds])
    excess = demand / np.maximum(problem.capacity[rows], 1e-12)
    closest = rows[int(np.argmin(excess.max(axis=1)))]
    worst = int(np.argmax(demand / np.maximum(problem.capacity[closest], 1e-12)))
    resource = problem.resources[worst]
    return (
        f"{named} needs {demand[worst]:,.6g} {problem.unit(resource)} of {resource}; the host that comes closest, "
        f"{problem.hosts['name'].iloc[closest]!r}, offers {problem.capacity[closest, worst]:,.6g} after overhead, "
        f"overcommit and headroom{more}"
    )


def _too_much(problem: Problem, instance: Instance) -> str:
    """Which resource the hosts available cannot cover together."""
    pools = " and ".join(repr(pool) for pool in instance.pools if pool)
    where = f" in pool {pools}" if pools else ""
    inside = problem.workloads["pool"].isin(instance.pools).to_numpy()
    rows = np.unique(np.concatenate(instance.rows))
    available = problem.hosts["available"].to_numpy()[rows]
    offers = np.where(available > 0, problem.capacity[rows].T * available, 0.0).sum(axis=1)
    needs = problem.demand[inside].sum(axis=0).max(axis=1)
    for resource, needed, offered in zip(problem.resources, needs, offers, strict=True):
        if needed > offered * (1 + 1e-12):
            return (
                f"{resource}: the workloads{where} need {needed:,.6g} {problem.unit(resource)} together, the "
                f"{len(rows):,} hosts available offer {offered:,.6g} after overhead, overcommit and headroom"
            )
    if (reason := _too_apart(problem, instance)) is not None:
        return reason
    reserve = f" and keep {problem.policy.failover.hosts} in reserve" if problem.policy.failover.hosts else ""
    reserve += " and hold their shared storage" if instance.disks is not None else ""
    rules = ", under the rules that limit where they run" if problem.laws else ""
    return f"the hosts available are too few to carry the workloads{where}{reserve}{rules}: proven by the volume bound"


def _too_little_storage(problem: Problem, instance: Instance) -> str:
    """The first pool whose shared storage cannot suffice whatever hosts run; "" where there is none."""
    available = problem.hosts["available"].to_numpy()
    reasons = (one.unattainable(available) for one in problem.shared_storage if one.pool in instance.pools)
    return next(filter(None, reasons), "")


def _too_apart(problem: Problem, instance: Instance) -> str | None:
    """A group kept apart with more members than there are hosts that they may run on."""
    for group in range(len(instance.limit)):
        shapes = np.flatnonzero((instance.groups == group).any(axis=1))
        usable = instance.allowed[shapes].any(axis=0)
        hosts, members = int(instance.stock[usable].sum()), int(instance.count[shapes].sum())
        if members > hosts * instance.limit[group]:
            first = problem.workloads["name"].iloc[instance.members.first(int(shapes[0]))[0]]
            return (
                f"{members:,} workloads are to be kept apart ({first!r} among them), "
                f"{hosts:,} hosts are there that they may run on"
            )
    return None
