"""Securing: packings become a plan that states where every lost workload restarts, and shed hosts it can do without."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.losses import Losses, losses
from planner.plan import ANY, RESTART_COLUMNS, Plan
from planner.problem import Problem
from planner.solvers.evacuation import Evacuation, evacuated, worst
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, unused
from planner.solvers.repack import MOST_PLACES, Attempt, longest
from planner.solvers.sheltering import Case, Shelter, wanted
from planner.solvers.survivors import Estate

SEARCHING = 0.6
"""Share of the time limit after which the search for packings ends where restarts are to be found."""

MOST_RESTARTS = 1_000_000
"""Rows that the restarts of a plan have at most: a sheet of Excel holds few more."""

SOME = 0.1
"""Share of the time left that CP-SAT may spend on one look at all cases while room is still being made."""

MOST_STALE = 5
"""Times that room is made without fewer workloads being left without a place, before a host is added."""

TRIES = 6
"""Ways of spreading what is in use that are tried before a host that stands by is kept."""

GRACE = 5.0
"""Seconds that the restarts of a first plan may take beyond the limit, or once the search is cancelled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Restarts:
    """The restarts of a plan, or why there are none.

    Parameters
    ----------
    rows : DataFrame
        case, workload, host.
    failed : list of Case
        Cases in which not every workload found a place: name, positions of the lost hosts, what was found.
    reason : str
        Why the cases were not looked at, one sentence; empty where they were.
    """

    rows: pd.DataFrame
    failed: list[Case] = field(default_factory=list)
    reason: str = ""

    @property
    def homeless(self) -> int:
        """Workloads without a place, over all cases."""
        return sum(len(item) for _, _, found in self.failed for item in found.homeless)

    @property
    def complete(self) -> bool:
        return not self.failed and not self.reason


def restarts_of(
    estate: Estate,
    seconds: Callable[[], float],
    pools: tuple[str, ...] | None = None,
    *,
    searching: float = np.inf,
) -> Restarts:
    """Where everything restarts in every case, the spare hosts of a pool taking over whole where they can.

    Parameters
    ----------
    estate : Estate
    seconds : callable
        How many are left.
    pools : tuple of str, optional
        Look at the cases of these pools alone, the heaviest loss first, and at no further one once one has failed.
    searching : float
        Seconds that CP-SAT may spend over all cases.
    """
    failover = estate.problem.policy.failover
    spares = {} if failover.within != "host" else _takeovers(estate)
    rows = [(ANY, ANY, estate.names[h]) for hosts in spares.values() for h in hosts]
    inside = ~np.isin(estate.pool, list(spares))
    if pools is not None and failover.within == "host":
        inside &= np.isin(estate.pool, list(pools))
    try:
        cases = losses(estate.names, estate.domain(failover.within), estate.pool, estate.loaded, failover, inside)
    except InputError as error:
        return Restarts(rows=_frame([]), reason=str(error))
    carries = np.bincount(estate.at, minlength=len(estate.names))
    number = int(carries[cases.host].sum())
    if number > MOST_RESTARTS:
        reason = (
            f"{len(cases.names):,} cases of failure would take {number:,} restarts, {MOST_RESTARTS:,} at most are "
            "judged one by one, and no spare hosts can take over whole"
        )
        return Restarts(rows=_frame([]), reason=reason)
    failed = []
    for case in range(len(cases.names)) if pools is None else _heaviest_first(estate, cases):
        name = cases.names[case]
        if seconds() <= 0:
            return Restarts(rows=_frame([]), reason="time ran out before every case of failure was looked at")
        lost = cases.lost(case)
        if pools is not None and worst(estate, cases, case).used_share > 1 + 1e-9:
            return Restarts(rows=_frame([]), failed=[(name, lost, Evacuation(where=[], homeless=estate.items(lost)))])
        began = time.monotonic()
        found = evacuated(estate, lost, seconds if searching > 0 else lambda: 0.0)
        if found.searched:
            searching -= time.monotonic() - began
        rows += [(name, estate.workload_names[w], estate.names[h]) for item, h in found.where for w in item]
        if found.homeless:
            failed.append((name, lost, found))
            if pools is not None:
                break
    return Restarts(rows=_frame(rows), failed=failed)


def _heaviest_first(estate: Estate, cases: Losses) -> list[int]:
    """Cases in the order of how much of a host's capacity they lose in the fullest resource."""
    finite = np.where(np.isfinite(estate.capacity), estate.capacity, 0).max(axis=0)
    size = (estate.load / np.maximum(finite, 1e-12)).max(axis=1)
    lost = np.bincount(cases.case, weights=size[cases.host], minlength=len(cases.names))
    return np.argsort(-lost, kind="stable").tolist()


def _frame(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(RESTART_COLUMNS), dtype=str)


def _takeovers(estate: Estate) -> dict[str, np.ndarray]:
    """For each pool that has them, k idle hosts that can take over the load of any other whole."""
    laws, k = estate.problem.laws, estate.problem.policy.failover.hosts
    spread = np.zeros(len(estate.at), dtype=bool)
    for law in laws.apart:
        if law.domain is not None:
            spread[law.members] = True
    found = {}
    for pool in np.unique(estate.pool[estate.loaded].astype(str)):
        mine, workloads = estate.pool == pool, estate.pool_of == pool
        if spread[workloads].any():
            continue
        peak = estate.load[mine].max(axis=0)
        permitted = estate.permitted[np.unique(estate.combination[workloads])].all(axis=0)
        able = mine & ~estate.loaded & permitted & (estate.capacity * (1 + 1e-10) >= peak).all(axis=1)
        if able.sum() >= k:
            found[pool] = np.flatnonzero(able)[:k]
    return found


class Securing:
    """The packings of all instances on the way to a plan whose restarts are all found.

    Parameters
    ----------
    problem : Problem
    incumbents : list of Incumbent
        Each with a packing.
    assemble : callable
        The plan of some packings, one for each incumbent.
    clock : Clock
    even : bool
        Whether items may change hosts to spread what is in use.
    """

    def __init__(
        self,
        problem: Problem,
        incumbents: list[Incumbent],
        assemble: Callable[[list[Packing]], Plan],
        clock: Clock,
        *,
        even: bool,
    ):
        self.problem, self.incumbents, self.assemble, self.clock, self.even = problem, incumbents, assemble, clock, even
        self.reason = ""
        self.cancelled_at: float | None = None

    def run(self) -> Plan | None:
        """The plan with its restarts; None, and `reason`, where a case of failure is left without."""
        packings = [incumbent.packing for incumbent in self.incumbents]
        until = max(self.clock.limit, self.clock.seconds + GRACE)
        plan, found = self._repaired(packings, until)
        if not found.complete:
            return None
        self.reason = ""
        for number, incumbent in enumerate(self.incumbents):
            incumbent.take(_sure(packings[number]), "evacuation")
        for number in range(len(self.incumbents)):
            share = self.clock.remaining / (len(self.incumbents) - number)
            plan = self._shed(packings, number, self.clock.seconds + share) or plan
        return plan

    def _repaired(self, packings: list[Packing], until: float) -> tuple[Plan, Restarts]:
        """The plan with its restarts: room is made where it is lacking, and where that does not help a host added."""
        plan, found = self._secured(packings, until, searching=SOME * self.clock.remaining)
        least, stale, rounds = found.homeless, 0, 0
        while not found.complete:
            self.reason = found.reason or self._sentence(found)
            if found.reason:
                break
            estate, rounds = Estate(self.problem, plan), rounds + 1
            if stale >= MOST_STALE or not self._sheltered(packings, estate, found, rounds):
                # Room cannot be made, so it matters whether the cases that failed are hopeless.
                plan, found = self._secured(packings, until)
                if found.complete or found.homeless < least:
                    least, stale = found.homeless, 0
                    continue
                if not self._reinforce(packings, Estate(self.problem, plan), found):
                    break
                least, stale = found.homeless, 0
            plan, found = self._secured(packings, until, searching=SOME * self.clock.remaining)
            least, stale = (found.homeless, 0) if found.homeless < least else (least, stale + 1)
        return plan, found

    def _sheltered(self, packings: list[Packing], estate: Estate, found: Restarts, seed: int) -> bool:
        """Make room on the hosts of each instance for what is without a place; whether there is any for one."""
        room, made = wanted(estate, found.failed), False
        for number, incumbent in enumerate(self.incumbents):
            instance = incumbent.instance
            shelter = Shelter(instance, estate, _shape_of(instance, len(estate.at)), packings[number])
            # A host that stands by serves best as it is, unless whole domains are lost.
            for idle in (True,) if instance.failing.domain is not None else (False, True):
                packing = shelter.made(room, self.clock, incumbent.seed + seed, idle=idle)
                if packing is not None:
                    packings[number], made = packing, True
                    break
        return made

    def _secured(
        self, packings: list[Packing], until: float, pools: tuple[str, ...] | None = None, *, searching: float = np.inf
    ) -> tuple[Plan, Restarts]:
        """The plan of some packings with its restarts; of those of some pools first, and no further where they fail."""
        plan = self.assemble(packings)
        estate = Estate(self.problem, plan)

        def seconds() -> float:
            if not self.clock.cancelled:
                return until - self.clock.seconds
            if self.cancelled_at is None:
                self.cancelled_at = self.clock.seconds
            return self.cancelled_at + GRACE - self.clock.seconds if pools is None else 0.0

        if pools is not None and not (found := restarts_of(estate, seconds, pools)).complete:
            return plan, found
        found = restarts_of(estate, seconds, searching=searching)
        return Plan.from_frames(plan.placement, plan.spares, found.rows), found

    def _sentence(self, found: Restarts) -> str:
        name, _, worst = max(found.failed, key=lambda one: sum(map(len, one[2].homeless)))
        workload = self.problem.workloads["name"].iloc[worst.homeless[0][0]]
        number = sum(map(len, worst.homeless))
        more = f" and {number - 1:,} more" if number > 1 else ""
        return f"with {name!r} lost, no place was found for workload {workload!r}{more} on the hosts that are left"

    def _reinforce(self, packings: list[Packing], estate: Estate, found: Restarts) -> bool:
        """Add one host to each instance with a case that failed, for the workloads left without a place there."""
        added = False
        for number, incumbent in enumerate(self.incumbents):
            instance = incumbent.instance
            shape_of = _shape_of(instance, len(estate.at))
            mine = [one for one in found.failed if shape_of[one[2].homeless[0][0]] >= 0]
            if not mine:
                continue
            _, lost, worst = max(mine, key=lambda one: sum(map(len, one[2].homeless)))
            shapes = [int(shape_of[item[0]]) for item in worst.homeless]
            rows = estate.row[lost]
            kind = _cheapest(instance, packings[number], shapes, [int(row) for row in rows])
            if kind is not None:
                host = OpenHost(kind=kind, pool=int(instance.pool[shapes[0]]))
                packings[number] = Packing(hosts=(*packings[number].hosts, host), sure=False)
                added = True
        return added

    def _shed(self, packings: list[Packing], number: int, until: float) -> Plan | None:
        """The plan with as many idle hosts of an instance taken away as its cases can do without; None where none."""
        incumbent, best = self.incumbents[number], None
        while not self.clock.over and not incumbent.good_enough:
            smaller = self._smaller(packings, number, until)
            if smaller is None:
                return best
            packings[number], best = smaller[0], smaller[1]
            incumbent.take(packings[number], "evacuation")
        return best

    def _smaller(self, packings: list[Packing], number: int, until: float) -> tuple[Packing, Plan] | None:
        """One host fewer that stands by, the dearest first, and a plan with every restart."""
        instance, packing = self.incumbents[number].instance, packings[number]
        idle = {(host.kind, host.pool): host for host in packing.hosts if not host.items}
        for host in sorted(
            idle.values(), key=lambda h: (-int(instance.opening[h.kind]), -int(instance.tiebreak[h.kind]))
        ):
            rest = [other for other in packing.hosts if other is not host]
            if not _stored(instance, rest, host.pool):
                continue
            for attempt in range(TRIES if self.even else 1):
                if self.clock.over or self.clock.seconds > until:
                    return None
                hosts = _evened(instance, rest, self.incumbents[number].seed + attempt - 1) if attempt else rest
                tried = list(packings)
                tried[number] = Packing(hosts=tuple(hosts))
                plan, found = self._secured(tried, until, instance.pools)
                if found.complete:
                    return tried[number], plan
        return None


def _stored(instance: Instance, hosts: list[OpenHost], pool: int) -> bool:
    """Whether the hosts of a pool bring the shared storage that it needs."""
    kinds = np.array([host.kind for host in hosts if host.pool == pool], dtype="int64")
    return instance.disks is None or instance.disks.suffice(pool, kinds)


def _sure(packing: Packing) -> Packing:
    return Packing(hosts=packing.hosts)


def _shape_of(instance: Instance, workloads: int) -> np.ndarray:
    """The shape of each workload, -1 for those of other instances: [W]."""
    members, shape_of = instance.members, np.full(workloads, -1, dtype="int64")
    shape_of_item = np.empty(len(members.of_shape), dtype="int64")
    shape_of_item[members.of_shape] = np.repeat(np.arange(len(instance.count)), instance.count)
    shape_of[members.workloads] = np.repeat(shape_of_item, np.diff(members.item_start))
    return shape_of


def _cheapest(instance: Instance, packing: Packing, shapes: list[int], rows: list[int]) -> int | None:
    """The cheapest class with a host left for all of some shapes together, else for any; of no domain that is lost."""
    failing = instance.failing
    left = unused(instance, packing.hosts)
    able = left > 0
    if failing.domain is not None:
        lost = {failing.domain[c] for c, members in enumerate(instance.rows) if np.isin(rows, members).any()}
        able &= ~np.isin(failing.domain, list(lost))
    welcome = _welcome(instance, packing, shapes, rows)
    able &= welcome.any(axis=0)
    whole = able & welcome.all(axis=0) & (failing.capacity >= failing.demand[shapes].sum(axis=0)).all(axis=1)
    one = able & (failing.capacity >= failing.demand[shapes].min(axis=0)).all(axis=1)
    for kinds in (np.flatnonzero(whole), np.flatnonzero(one)):
        if len(kinds):
            return int(kinds[np.lexsort((instance.tiebreak[kinds], instance.opening[kinds]))[0]])
    return None


def _welcome(instance: Instance, packing: Packing, shapes: list[int], rows: list[int]) -> np.ndarray:
    """Which classes may take one more item of some shapes once the hosts of some rows, that carry them, are lost."""
    welcome, kinds = instance.allowed[shapes].copy(), [host.kind for host in packing.hosts]
    lost = np.flatnonzero([np.isin(rows, members).any() for members in instance.rows])
    for law in instance.spreads:
        amount = law.amount[shapes]
        if amount.any():
            used = law.used(
                kinds, np.array([sum(int(law.amount[s]) * n for s, n in h.items.items()) for h in packing.hosts])
            )
            used[np.unique(law.domain[lost][law.domain[lost] >= 0])] -= amount.sum()
            welcome &= (amount[:, None] == 0) | ((law.domain >= 0) & (used[law.domain] + amount[:, None] <= law.most))
    return welcome


def _evened(instance: Instance, hosts: list[OpenHost], seed: int) -> list[OpenHost]:
    """The hosts with what is in use spread over all of them, idle ones too; as they are where that is too much work."""
    if len(hosts) < 2 or len(hosts) * longest(instance) > MOST_PLACES:
        return hosts
    attempt = Attempt(instance, hosts, np.zeros(len(instance.count), dtype="int64"), seed, plain=True)
    attempt.even_out()
    running = attempt.result()
    idle = [
        OpenHost(kind=host.kind, pool=host.pool)
        for host, size in zip(hosts, attempt.size.tolist(), strict=True)
        if size == 0
    ]
    return [*running, *idle]
