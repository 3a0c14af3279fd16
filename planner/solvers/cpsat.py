"""The bin-packing CP-SAT model: how many items of each shape lie on each host.

Equal items are merged, so a variable counts; equal hosts of a class are ordered, used ones first; the best packing
known is the hint. Hosts stand for slots: (class, pool, number). There are as many slots as any plan no worse than the
incumbent can use, so the bound that the search proves holds for the problem itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from planner.solvers.failover import keep_share
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, room

MOST_VARIABLES = 150_000
"""Counting variables beyond which the model is not built: it would not be searched in useful time."""

MOST_TIEBREAK = 20_000
"""Counting variables beyond which no cheaper purchase is searched for among plans of the same objective."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A host that a plan may use."""

    kind: int
    pool: int


class Model:
    """Variables, constraints and objective of one instance.

    Parameters
    ----------
    instance : Instance
    slots : list of Slot
        Slots of the same class and pool stand together.
    ordered : bool
        Whether equal slots are used from the first; not where slots stand for hosts of a plan that stands.
    """

    def __init__(self, instance: Instance, slots: list[Slot], *, ordered: bool = True):
        self.instance, self.slots = instance, slots
        self.model = cp_model.CpModel()
        self.on = [self.model.new_bool_var("") for _ in slots]
        self.number: dict[tuple[int, int], cp_model.IntVar] = {}
        self._count_variables()
        self._place_all()
        self.loads: dict[tuple[int, int], cp_model.LinearExprT] = {}
        self._respect_capacity()
        self._respect_couplings()
        self.idle: list = [0] * len(slots)
        self._keep_reserve()
        self._keep_disks()
        self._respect_availability()
        if ordered:
            self._order_equal_slots()

    def _count_variables(self) -> None:
        fits, demand = self.instance.fits, self.instance.demand
        for s in range(len(demand)):
            most = room(self.instance, s)
            for i, slot in enumerate(self.slots):
                if slot.pool == self.instance.pool[s] and fits[s, slot.kind]:
                    self.number[s, i] = self.model.new_int_var(0, int(most[slot.kind]), "")

    def _place_all(self) -> None:
        for s, count in enumerate(self.instance.count.tolist()):
            self.model.add(sum(self.number[s, i] for i in range(len(self.slots)) if (s, i) in self.number) == count)

    def _respect_capacity(self) -> None:
        by_slot: list[list[int]] = [[] for _ in self.slots]
        for s, i in self.number:
            by_slot[i].append(s)
        demand, capacity = self.instance.demand, self.instance.capacity
        for i, slot in enumerate(self.slots):
            for r in range(demand.shape[1]):
                terms = [(int(demand[s, r]), self.number[s, i]) for s in by_slot[i] if demand[s, r]]
                self.loads[i, r] = 0
                if terms:
                    self.loads[i, r] = load = cp_model.LinearExpr.weighted_sum(
                        [v for _, v in terms], [d for d, _ in terms]
                    )
                    self.model.add(load <= int(capacity[slot.kind, r]) * self.on[i])
            for s in by_slot[i]:
                if not demand[s].any():
                    self.model.add(self.number[s, i] <= int(self.instance.count[s]) * self.on[i])
            self._keep_apart(i, by_slot[i])

    def _keep_apart(self, slot: int, shapes: list[int]) -> None:
        """At most as many members of a group as one host may carry, and one group of each zone."""
        members: dict[int, list] = {}
        for s in shapes:
            for g in self.instance.groups[s].tolist():
                if g >= 0:
                    members.setdefault(g, []).append(self.number[s, slot])
        rivals: dict[int, list] = {}
        for g, variables in members.items():
            if self.instance.zone[g] < 0:
                self.model.add(sum(variables) <= int(self.instance.limit[g]) * self.on[slot])
            else:
                rivals.setdefault(int(self.instance.zone[g]), []).append(self._any(variables))
        for present in rivals.values():
            self.model.add_at_most_one(present)

    def _any(self, variables: list) -> cp_model.IntVar:
        """A Boolean that is true where any of some numbers is above 0."""
        present = self.model.new_bool_var("")
        for variable in variables:
            self.model.add(variable == 0).only_enforce_if(~present)
        return present

    def _respect_couplings(self) -> None:
        """Members spread over domains, and held on few hosts."""
        for law in self.instance.spreads:
            for d in np.unique(law.domain[law.domain >= 0]).tolist():
                inside = {i for i, slot in enumerate(self.slots) if law.domain[slot.kind] == d}
                terms = [int(law.amount[s]) * v for (s, i), v in self.number.items() if i in inside and law.amount[s]]
                self.model.add(sum(terms) <= law.most)
        for law in self.instance.spans:
            by_slot: dict[int, list] = {}
            for (s, i), variable in self.number.items():
                if law.amount[s]:
                    by_slot.setdefault(i, []).append(variable)
            self.model.add(sum(self._any(variables) for variables in by_slot.values()) <= law.most)

    def _respect_availability(self) -> None:
        for family in self.instance.families:
            running = [self.on[i] + self.idle[i] for i, slot in enumerate(self.slots) if slot.kind in family]
            self.model.add(sum(running) <= int(self.instance.available[family[0]]))

    def _keep_reserve(self) -> None:
        if self.instance.failover_hosts:
            keep = self._keep_spares if self.instance.failover_mode == "spare" else self._keep_share
            for p in range(len(self.instance.pools)):
                keep(p)

    def _keep_share(self, pool: int) -> None:
        able = self.instance.able(pool)
        mine = [(i, slot.kind) for i, slot in enumerate(self.slots) if slot.pool == pool]
        counts = dict(enumerate(self.on))
        for i, kind in mine:
            if not able[kind]:  # It counts only where it carries something.
                if self.instance.disks is not None:
                    counts[i] = self.model.new_bool_var("")
                    self.model.add_implication(counts[i], self.on[i])
                self.model.add(counts[i] <= sum(v for (_, at), v in self.number.items() if at == i))
        running = [sum(counts[i] for i, kind in mine if kind == c) for c in range(len(self.instance.available))]
        keep_share(self.model, self.instance, pool, running)

    def _keep_disks(self) -> None:
        """Hosts that run, carrying something or not, bring the shared storage of their pool."""
        for p in range(len(self.instance.pools)) if self.instance.disks is not None else ():
            running: list = [0] * len(self.instance.available)
            for i, slot in enumerate(self.slots):
                if slot.pool == p:
                    running[slot.kind] += self.on[i] + self.idle[i]
            self.instance.disks.keep(self.model, p, running)

    def _keep_spares(self, pool: int) -> None:
        """k idle hosts, each with room for the largest load of any other, resource by resource."""
        instance = self.instance
        mine = [(i, slot.kind) for i, slot in enumerate(self.slots) if slot.pool == pool]
        for i, _ in mine:
            self.idle[i] = self.model.new_bool_var("")
            self.model.add_at_most_one(self.on[i], self.idle[i])
        self.model.add(sum(self.idle[i] for i, _ in mine) == instance.failover_hosts)
        for r in range(instance.demand.shape[1]):
            capacity = instance.capacity[:, r].tolist()
            kinds = {kind for _, kind in mine}
            largest = max(capacity[kind] for kind in kinds)
            if min(capacity[kind] for kind in kinds) == largest:
                continue
            peak = self.model.new_int_var(0, largest, "")
            for i, kind in mine:
                self.model.add(self.loads[i, r] <= peak)
                self.model.add(peak <= capacity[kind]).only_enforce_if(self.idle[i])

    def _order_equal_slots(self) -> None:
        for i in range(1, len(self.slots)):
            if self.slots[i] == self.slots[i - 1]:
                self.model.add_implication(self.on[i], self.on[i - 1])

    @property
    def objective(self):
        """The ledger's objective as a linear expression."""
        opening, placing = self.instance.opening, self.instance.placing
        terms = [int(opening[slot.kind]) * (self.on[i] + self.idle[i]) for i, slot in enumerate(self.slots)]
        if placing.any():
            terms += [int(placing[s, self.slots[i].kind]) * v for (s, i), v in self.number.items()]
        return sum(terms)

    @property
    def running(self):
        """The number of hosts as a linear expression."""
        return sum(self.on) + sum(self.idle)

    @property
    def purchase(self):
        return sum(
            int(self.instance.tiebreak[slot.kind]) * (self.on[i] + self.idle[i]) for i, slot in enumerate(self.slots)
        )

    def hint(self, hosts: list[OpenHost | None]) -> None:
        """Start the search from hosts, one a slot; None for a slot that is not used."""
        spare = self.instance.failover_hosts > 0 and self.instance.failover_mode == "spare"
        standing = [0] * len(self.instance.pools)
        for i, host in enumerate(hosts):
            waits = spare and host is not None and not host.items
            if waits:  # Any more of them run for their disks.
                standing[host.pool] += 1
                waits = standing[host.pool] <= self.instance.failover_hosts
            self.model.add_hint(self.on[i], host is not None and not waits)
            if spare:
                self.model.add_hint(self.idle[i], waits)
        for (s, i), variable in self.number.items():
            self.model.add_hint(variable, hosts[i].items.get(s, 0) if hosts[i] is not None else 0)

    def packing(self, value: Callable[[cp_model.IntVar], int], names: Sequence[str] = ()) -> Packing:
        """The packing that `value(variable)` stands for, its hosts named by slot where `names` are given."""
        reserve = self.instance.failover_hosts > 0 and self.instance.failover_mode != "spare"
        empty = reserve or self.instance.disks is not None  # Hosts that carry nothing may be on for a reason.
        waits = [value(self.on[i] if empty else 0) or value(self.idle[i]) for i in range(len(self.slots))]
        items: list[dict[int, int]] = [{} for _ in self.slots]
        for (s, i), variable in self.number.items():
            if number := value(variable):
                items[i][s] = number
        return Packing(
            hosts=tuple(
                OpenHost(kind=slot.kind, pool=slot.pool, items=items[i], name=names[i] if names else "")
                for i, slot in enumerate(self.slots)
                if items[i] or waits[i]
            )
        )


def slots_for(instance: Instance, incumbent: Incumbent) -> list[Slot]:
    """Every slot that a plan no worse than the incumbent can use."""
    per_pool = [int(instance.count[instance.pool == p].sum()) for p in range(len(instance.pools))]
    slots = []
    for c in range(len(instance.available)):
        for p, items in enumerate(per_pool):
            fits, reach = instance.fits[instance.pool == p, c].any(), 0
            if instance.failover_hosts:  # It may stand by where nothing of the pool runs on it, or is licensed to.
                fits = fits or instance.able(p)[c]
            if instance.disks is not None:
                reach = int(instance.disks.reach(p)[c])
            if not fits and not reach:
                continue
            most = int(instance.available[c])
            if not fits:
                most = min(most, reach)
            elif instance.failover_hosts == 0 or instance.failover_mode == "spare":
                most = min(most, items + instance.failover_hosts + reach)
            if incumbent.value is not None and instance.opening[c] > 0:
                most = min(most, incumbent.value // int(instance.opening[c]))
            slots += [Slot(kind=c, pool=p)] * most
    return slots


def improve(
    incumbent: Incumbent, clock: Clock, seconds: float, *, seed: int, workers: int, effort: float = np.inf
) -> None:
    """Search for better packings and a better bound; prove infeasibility where there is none.

    Parameters
    ----------
    incumbent : Incumbent
    clock : Clock
    seconds : float
    seed, workers : int
    effort : float
        Deterministic time that CP-SAT may spend.
    """
    instance = incumbent.instance
    slots = slots_for(instance, incumbent)
    if len(slots) * len(instance.demand) > MOST_VARIABLES or seconds <= 0 or clock.cancelled:
        return
    # What holds with demand rounded down and capacity rounded up is a bound; what it finds is taken where it fits.
    model = Model(instance.relaxed, slots)
    if incumbent.packing is not None:
        model.hint(seated(slots, incumbent.packing))
    model.model.minimize(model.objective)
    status, best_bound = search(model, _Offer(model, incumbent, True), clock, seconds, seed, workers, effort)
    incumbent.exhausted = status == cp_model.OPTIMAL
    if status == cp_model.INFEASIBLE and incumbent.packing is None:
        incumbent.infeasible = True
        incumbent.reason = (
            "the workloads do not fit on the hosts available, though each fits alone and their sum does: "
            "proven by CP-SAT"
        )
    elif np.isfinite(best_bound):
        incumbent.raise_bound(int(np.ceil(best_bound - 1e-6)), "CP-SAT", searched=True)


def break_ties(incumbent: Incumbent, clock: Clock, seconds: float, *, seed: int, workers: int) -> None:
    """Among packings as good as the incumbent look for one with fewer hosts, and of these for one that buys less."""
    instance = incumbent.instance
    slots = slots_for(instance, incumbent)
    fewer = instance.opening.min(initial=1) == 0 and len(incumbent.packing.hosts) > 1
    cheaper = len(np.unique(instance.tiebreak)) > 1 and incumbent.purchase > 0
    if not (fewer or cheaper) or len(slots) * len(instance.demand) > MOST_TIEBREAK or seconds <= 0:
        return
    model = Model(instance, slots)
    model.hint(seated(slots, incumbent.packing))
    model.model.add(model.objective <= incumbent.value)
    dearer = int(instance.tiebreak.max()) * len(slots) + 1
    model.model.minimize(dearer * model.running + model.purchase)
    search(model, _Offer(model, incumbent, False), clock, seconds, seed, workers)


def seated(slots: list[Slot], packing: Packing) -> list[OpenHost | None]:
    """The hosts of a packing on slots of their class and pool, the first ones first."""
    waiting: dict[tuple[int, int], list[OpenHost]] = {}
    for host in packing.hosts:
        waiting.setdefault((host.kind, host.pool), []).append(host)
    for queue in waiting.values():
        queue.sort(key=lambda host: -sum(host.items.values()))
    queues = {key: iter(queue) for key, queue in waiting.items()}
    return [next(queues.get((slot.kind, slot.pool), iter(())), None) for slot in slots]


class _Offer(cp_model.CpSolverSolutionCallback):
    def __init__(self, model: Model, incumbent: Incumbent, stop_when_proven: bool):
        super().__init__()
        self.model, self.incumbent, self.stop_when_proven = model, incumbent, stop_when_proven

    def on_solution_callback(self) -> None:
        packing = self.model.packing(self.value)
        if packing.fits(self.incumbent.instance):
            self.incumbent.offer(packing, "CP-SAT")
        if self.stop_when_proven and self.incumbent.good_enough:
            self.stop_search()


def search(
    model: Model,
    callback: cp_model.CpSolverSolutionCallback,
    clock: Clock,
    seconds: float,
    seed: int,
    workers: int,
    effort: float = np.inf,
) -> tuple[int, float]:
    """Run CP-SAT with a solution callback; its status and best bound (-inf where it has none)."""
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.max_time_in_seconds = seconds
    parameters.max_deterministic_time = effort
    parameters.num_workers = workers
    parameters.random_seed = seed
    parameters.catch_sigint_signal = False
    status = watched(solver, model.model, callback, clock)
    return status, solver.best_objective_bound if status != cp_model.INFEASIBLE else float("-inf")


def watched(
    solver: cp_model.CpSolver, model: cp_model.CpModel, callback: cp_model.CpSolverSolutionCallback, clock: Clock
) -> int:
    """Run CP-SAT so that Stop ends it; its status.

    `stop_search` before the search is under way does nothing, so the watcher repeats it until the search has ended.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            if clock.cancelled:
                solver.stop_search()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        return solver.solve(model, callback)
    finally:
        done.set()
        watcher.join()


class _Sets(cp_model.CpSolverSolutionCallback):
    """Keeps every set of items that the search comes across."""

    def __init__(self, numbers: list):
        super().__init__()
        self.numbers, self.found = numbers, []

    def on_solution_callback(self) -> None:
        self.found.append(np.array([self.value(v) for v in self.numbers], dtype="int64"))


def most_valuable(
    profit: np.ndarray,
    demand: np.ndarray,
    most: np.ndarray,
    groups: np.ndarray,
    limit: np.ndarray,
    zone: np.ndarray,
    capacity: np.ndarray,
    floor: int,
    effort: float,
    clock: Clock,
) -> tuple[list[np.ndarray], int]:
    """The most valuable sets of items for one host, as `kernels.knapsack.most_valuable` finds them.

    Parameters
    ----------
    profit, most : arrays of int, shape [N]
    demand : array of int, shape [N, R]
    groups, limit, zone : arrays of int, shapes [N, K], [G] and [G]
    capacity : array of int, shape [R]
    floor : int
        Only sets worth more than this are wanted.
    effort : float
        Deterministic time to spend.
    clock : Clock

    Returns
    -------
    (list of arrays of int, shape [N], int)
        Sets worth more than `floor`, each better than the one before, and a value that no set exceeds.
    """
    model = cp_model.CpModel()
    numbers = [model.new_int_var(0, int(n), "") for n in most]
    for r in range(demand.shape[1]):
        model.add(cp_model.LinearExpr.weighted_sum(numbers, demand[:, r].tolist()) <= int(capacity[r]))
    for g in np.unique(groups[groups >= 0]).tolist():
        members = np.flatnonzero((groups == g).any(axis=1)).tolist()
        model.add(sum(numbers[i] for i in members) <= int(limit[g]))
    for z in np.unique(zone[zone >= 0]).tolist():
        present = []
        for g in np.flatnonzero(zone == z).tolist():
            present.append(model.new_bool_var(""))
            for i in np.flatnonzero((groups == g).any(axis=1)).tolist():
                model.add(numbers[i] == 0).only_enforce_if(~present[-1])
        model.add_at_most_one(present)
    value = cp_model.LinearExpr.weighted_sum(numbers, profit.tolist())
    model.add(value >= floor + 1)
    model.maximize(value)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = effort
    solver.parameters.max_time_in_seconds = clock.remaining
    solver.parameters.catch_sigint_signal = False
    sets = _Sets(numbers)
    status = watched(solver, model, sets, clock)
    if status == cp_model.INFEASIBLE:
        return [], floor
    # A search that ended early without a set states a bound of 0, which proves nothing; the sum of all profits does.
    known = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return sets.found, int(np.floor(solver.best_objective_bound + 1e-6)) if known else int(profit @ most)
