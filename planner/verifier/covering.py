"""Covering: that no hosts below an objective cover what every weighting asks for; and a search where none does."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import comb

import numpy as np
from ortools.sat.python import cp_model

from planner.verifier.figures import Part
from planner.verifier.knapsacks import infeasible, members_apart

SEARCH_SIZE = 200_000
"""Shapes times hosts above which no search is tried."""

SEARCH_WORKERS = 8

MOST_SETS = 2_000
"""Sets of domains lost at once up to which each one is a constraint of its own."""

BITS = 60
"""Binary digits that a sum of whole numbers may have in CP-SAT."""


def most_value(part: Part) -> float:
    """No plan that needs all its hosts has a larger objective."""
    hosts = float(part.opening.astype(float) @ running_at_most(part).sum(axis=0))
    return hosts + float(part.count.astype(float) @ part.cost.max(axis=1, initial=0))


def running_at_most(part: Part) -> np.ndarray:
    """How many hosts of each class run for each pool at most, whatever for: [P, C]."""
    return part.used + part.idle + disks_alone(part)


def disks_alone(part: Part) -> np.ndarray:
    """How many hosts of each class may run for each pool for their disks alone: [P, C]."""
    return np.zeros_like(part.used) if part.disks is None else part.disks.alone


def covered(part: Part, weightings: list[tuple[int, int, int]], limit: int, deadline: float) -> bool:
    """Whether whole hosts whose worths cover every weighting, within all laws, cost more than a limit.

    Parameters
    ----------
    part : Part
    weightings : list of (int, int, int)
        Column of part.weight, pool, placing; each proved by its knapsacks.
    limit : int
        In whole small units.
    deadline : float
        Of `time.monotonic()`.
    """
    model = cp_model.CpModel()
    used = [[model.new_int_var(0, int(n), "") for n in row] for row in part.used]
    idle = [[model.new_int_var(0, int(n), "") for n in row] for row in part.idle]
    disks = [[model.new_int_var(0, int(n), "") for n in row] for row in disks_alone(part)]
    dear = np.iinfo("int64").max
    cheapest = np.where(part.fits, part.cost, dear).min(axis=1)
    least = [int(part.count[part.pool == p] @ cheapest[part.pool == p]) for p in range(len(used))]
    if sum(least) > limit:
        return True
    placing = [model.new_int_var(value, limit, "") for value in least]
    host_laws(model, part, used, idle, disks)
    for v, p, each in weightings:
        # A limit beyond what the weights add up to asks for nothing more.
        total = int(part.weight[:, v] @ part.count)
        terms = [*zip(part.worth[:, v].tolist(), used[p], part.used[p].tolist(), strict=True)]
        keep_cover(model, [*terms, (each, placing[p], limit)], total)
        if part.weighed_losses and not each:
            running = [sum(hosts) for hosts in zip(used[p], idle[p], disks[p], strict=True)]
            _keep_weighed(model, part, p, part.worth[:, v], running, total)
    opening = part.opening.tolist()
    hosts = sum(cp_model.LinearExpr.weighted_sum(row, opening) for row in (*used, *idle, *disks))
    model.add(hosts + sum(placing) <= limit)
    return infeasible(model, deadline, linearization=2 if part.failover_hosts else 1)


def keep_cover(model: cp_model.CpModel, terms: list[tuple], total: int) -> None:
    """Constrain ``sum coefficient * variable >= total``, rounded in its favour where the numbers are too large.

    Parameters
    ----------
    terms : list of (coefficient, variable, most)
        A variable is from 0 to its most.
    """
    large = sum(min(coefficient, total) * most for coefficient, _, most in terms) + total
    shift = max(large.bit_length() - BITS, 0)
    offered = [(-(-min(coefficient, total) >> shift), variable) for coefficient, variable, _ in terms]
    model.add(sum(coefficient * variable for coefficient, variable in offered) >= total >> shift)


def host_laws(model: cp_model.CpModel, part: Part, used: list[list], idle: list[list], disks: list[list]) -> None:
    """Constrain hosts by class and pool to what every plan keeps: number, volume, failover reserve, shared storage.

    Parameters
    ----------
    used, idle, disks : list of lists of linear expressions, [P][C]
        How many hosts of each class carry a pool's items, stand by for it, and run for their disks alone.
    """
    for family in np.unique(part.family).tolist():
        own = np.flatnonzero(part.family == family).tolist()
        model.add(sum(row[c] for row in (*used, *idle, *disks) for c in own) <= int(part.available[own[0]]))
    demand = [part.count[part.pool == p] @ part.demand[part.pool == p] for p in range(len(used))]
    for p, totals in enumerate(demand):
        model.add(sum(used[p]) >= 1)
        for q, total in enumerate(totals.tolist()):
            keep_cover(model, [*zip(part.room[:, q].tolist(), used[p], part.used[p].tolist(), strict=True)], total)
        if part.failover_hosts and part.failover_mode == "spare":
            model.add(sum(idle[p]) >= part.failover_hosts)
        elif part.failover_hosts:
            running = [one + other for one, other in zip(used[p], idle[p], strict=True)]
            _keep_share(model, part, running, part.used[p] + part.idle[p], p)
        running = [sum(each) for each in zip(used[p], idle[p], disks[p], strict=True)]
        for q, total in enumerate(totals.tolist() if part.weighed_losses else ()):
            _keep_weighed(model, part, p, part.room[:, q], running, total)
        if part.disks is not None:
            _keep_disks(model, part, p, running)


def _keep_weighed(model: cp_model.CpModel, part: Part, pool: int, worth: np.ndarray, running: list, total: int) -> None:
    """Constrain the hosts that run for a pool, whatever for, to be worth a total without those that may fail."""
    offer = np.where(part.used[pool] > 0, np.minimum(worth, total), 0)
    _keep_rest(model, offer, running, running_at_most(part)[pool], total, part.weighed_losses)


def _keep_disks(model: cp_model.CpModel, part: Part, pool: int, running: list) -> None:
    """Constrain the hosts that run for a pool, whatever for, to bring its shared storage."""
    disks = part.disks
    most = running_at_most(part)[pool]
    model.add(sum(running) >= disks.fewest_hosts)
    if disks.need[pool]:
        _keep_rest(model, disks.offer[pool], running, most, int(disks.need[pool]), disks.lost_hosts)


def _keep_share(model: cp_model.CpModel, part: Part, running: list, most: np.ndarray, pool: int) -> None:
    """Constrain hosts to offer a pool's demand without the k largest, and without any k domains, column by column."""
    for q, total in enumerate((part.total[pool] * part.fine).tolist()):
        if total:
            offer = np.minimum(part.roof[:, q], total)
            _keep_rest(model, offer, running, most, total, part.failover_hosts)
            if part.domain is not None:
                _keep_domains(model, part, offer, running, most, total)


def _keep_domains(
    model: cp_model.CpModel, part: Part, offer: np.ndarray, running: list, most: np.ndarray, total: int
) -> None:
    """Constrain hosts to offer a total without any k domains; where those are very many nothing more is asked."""
    serving = np.flatnonzero(most).tolist()
    known = np.unique(part.domain[serving]).tolist()
    k = min(part.failover_hosts, len(known))
    for lost in combinations(known, k) if comb(len(known), k) <= MOST_SETS else ():
        left = [c for c in serving if part.domain[c] not in lost]
        keep_cover(model, [(int(offer[c]), running[c], int(most[c])) for c in left], total)


def _keep_rest(
    model: cp_model.CpModel, offer: np.ndarray, running: list, most: np.ndarray, total: int, lost: int
) -> None:
    """Constrain hosts to offer a total without the `lost` largest, rounded in its favour where numbers are too large.

    Where the `lost`-th largest host offers v, hosts offer ``sum_c min(offer[c], v) running[c] - lost v`` without the
    largest ones, ``lost v`` less than all of them at least; fewer than `lost` offer more than v.
    """
    serving = np.flatnonzero(most)
    roof = offer[serving].tolist()
    large = sum(room * int(n) for room, n in zip(roof, most[serving], strict=True)) + total * (lost + 1)
    shift = max(large.bit_length() - BITS, 0)
    roof = [-(-room >> shift) for room in roof]
    tops = sorted(set(roof))
    chosen = [model.new_bool_var("") for _ in tops]
    for v, pick in zip(tops, chosen, strict=True):
        kept = sum(min(room, v) * running[c] for room, c in zip(roof, serving, strict=True))
        model.add(kept >= (total >> shift) + lost * v).only_enforce_if(pick)
        model.add(sum(running[c] for room, c in zip(roof, serving, strict=True) if room > v) < lost).only_enforce_if(
            pick
        )
    model.add_exactly_one(chosen)
    top = cp_model.LinearExpr.weighted_sum(chosen, tops)
    model.add(sum(room * running[c] for room, c in zip(roof, serving, strict=True)) >= (total >> shift) + lost * top)


def searched(part: Part, limit: int, deadline: float) -> bool:
    """Whether no plan costs at most a limit, by a search of CP-SAT over items on hosts; equal hosts are ordered."""
    hosts = np.minimum(part.available, running_at_most(part).sum(axis=0))
    hosts = np.where(part.opening > 0, np.minimum(hosts, limit // np.maximum(part.opening, 1)), hosts)
    of_class = np.repeat(np.arange(len(hosts)), hosts)
    if len(of_class) * len(part.count) > SEARCH_SIZE:
        return False
    model, pools = cp_model.CpModel(), range(len(part.used))
    slots = [_Slot(model, part, c) for c in of_class.tolist()]
    for s, count in enumerate(part.count.tolist()):
        model.add(sum(slot.take[s] for slot in slots if s in slot.take) == count)
    for before, after in pairwise(slots):
        if before.c == after.c:
            model.add(sum(before.running) >= sum(after.running))
            if before.load:
                model.add(before.load[0] >= after.load[0])
    by_class = [[slot for slot in slots if slot.c == c] for c in range(len(hosts))]
    used = [[sum(slot.used[p] for slot in same) for same in by_class] for p in pools]
    idle = [[sum(slot.idle[p] for slot in same) for same in by_class] for p in pools]
    disks = [[sum(slot.disks[p] for slot in same) for same in by_class] for p in pools]
    host_laws(model, part, used, idle, disks)
    if part.failover_hosts and part.failover_mode == "spare":
        _keep_takeover(model, part, slots)
    _keep_across(model, part, slots)
    opening = sum(int(part.opening[slot.c]) * sum(slot.running) for slot in slots)
    placing = sum(int(part.cost[s, slot.c]) * take for slot in slots for s, take in slot.take.items())
    model.add(opening + placing <= limit)
    return infeasible(model, deadline, SEARCH_WORKERS)


class _Slot:
    """One host of a class in the search: what it takes, its load by column, and which pool it runs for and why."""

    def __init__(self, model: cp_model.CpModel, part: Part, c: int):
        self.c = c
        self.used = [model.new_bool_var("") if n else 0 for n in part.used[:, c]]
        self.idle = [model.new_bool_var("") if n else 0 for n in part.idle[:, c]]
        self.disks = [model.new_bool_var("") if n else 0 for n in disks_alone(part)[:, c]]
        self.running = [*self.used, *self.idle, *self.disks]
        model.add(sum(self.running) <= 1)
        room = part.room[c]
        self.take = {}
        for s in np.flatnonzero(part.fits[:, c]).tolist():
            demand = part.demand[s]
            alone = (room // np.maximum(demand, 1))[demand > 0].min(initial=part.count[s])
            self.take[s] = model.new_int_var(0, int(min(alone, part.count[s])), "")
            model.add(self.take[s] <= int(alone) * self.used[part.pool[s]])
        for p, on in enumerate(self.used):
            model.add(sum(take for s, take in self.take.items() if part.pool[s] == p) >= on)
        self.load = [sum(int(part.demand[s, q]) * take for s, take in self.take.items()) for q in range(len(room))]
        for load, most in zip(self.load, room.tolist(), strict=True):
            model.add(load <= most * sum(self.used))
        inside = [*self.take]
        for members in members_apart(part.apart[inside]):
            model.add(sum(self.take[inside[i]] for i in members) <= 1)
        for sides in part.sides.T:
            one, other = (self.any_of(model, [s for s in inside if sides[s] == side]) for side in (1, 2))
            model.add(one + other <= 1)

    def any_of(self, model: cp_model.CpModel, shapes: list[int]) -> cp_model.LinearExprT:
        """1 where the host takes any item of some shapes, or may be."""
        taken = [self.take[s] for s in shapes if s in self.take]
        if not taken:
            return 0
        some = model.new_bool_var("")
        for take in taken:
            model.add(take == 0).only_enforce_if(~some)
        return some


def _keep_across(model: cp_model.CpModel, part: Part, slots: list[_Slot]) -> None:
    """Constrain slots to the laws that reach across hosts."""
    for amount, domain, most in part.spreads:
        for d in np.unique(domain[domain >= 0]).tolist():
            inside = [slot for slot in slots if domain[slot.c] == d]
            model.add(sum(int(amount[s]) * take for slot in inside for s, take in slot.take.items()) <= most)
    for amount, most in part.spans:
        members = np.flatnonzero(amount).tolist()
        model.add(sum(slot.any_of(model, members) for slot in slots) <= most)


def _keep_takeover(model: cp_model.CpModel, part: Part, slots: list[_Slot]) -> None:
    """Constrain every host that stands by for a pool to have room for the load of any host that the pool uses."""
    for spare in slots:
        for p, stands in enumerate(spare.idle):
            for slot in slots if not isinstance(stands, int) else ():
                if (part.room[slot.c] <= part.room[spare.c]).all() or isinstance(slot.used[p], int):
                    continue
                for load, room in zip(slot.load, part.room[spare.c].tolist(), strict=True):
                    model.add(load <= room).only_enforce_if(stands, slot.used[p])
