"""Figures: some pools of a problem in whole numbers, such that no plan that the checker accepts is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from planner.economics.ledger import Ledger
from planner.losses import domains
from planner.problem import Problem
from planner.storage import PoolStorage
from planner.verifier.claims import Claim

SLACK = 3e-9
"""Relative room above a capacity that whole numbers grant: the checker's tolerance and what its sums of floats lose."""

STEPS = (1.0, 2.0**-10, 1e-3, 2.0**-20, 1e-6)
"""Steps tried for demand to come out even, before it is rounded down to a billionth of the largest figure."""

EVEN = 1e-12
"""Relative error by which a figure may miss a whole number of steps; far within `SLACK`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Some pools of a problem in whole numbers: S shapes of equal items, C classes of equal hosts, Q columns.

    Parameters
    ----------
    pool, count : array of int, shape [S]
    demand : array of int, shape [S, Q]
        Rounded down; a column is a resource in a period.
    apart : array of int, shape [S, K]
        Groups of which a host carries one member at most that one item of each shape belongs to, padded with -1 at the
        end. Groups of which it carries more are columns of demand.
    sides : array of int, shape [S, Z]
        For each pair of sides that share no host, the side (1 or 2) of one item of each shape, 0 for neither.
    spreads : tuple of (array of int [S], array of int [C], int)
        Members that an item is, domain of each class, and how many members one domain carries at most.
    spans : tuple of (array of int [S], int)
        Whether an item is a member, and on how many hosts members run at most.
    cost : array of int, shape [S, C]
        What placing one item costs.
    weight, worth : array of int, shape [S, V] and [C, V]
        As claimed, by weighting.
    fits : array of bool, shape [S, C]
        Whether one item may run on an empty host.
    room : array of int, shape [C, Q]
        Capacity for sums of whole demand, at most the total.
    total, roof, fine : array of int, shape [P, Q'], [C, Q'] and [Q']
        Demand of each pool that must fit what hosts offer once some are lost, and capacity rounded up for sums of it,
        at most all demand, in steps of which a whole one has `fine`; as relaxed for a failure where it is verified.
    domain : array of int, shape [C], optional
        What each class fails together with; None where hosts fail one by one.
    opening, available : array of int, shape [C]
    family : array of int, shape [C]
        Classes of one family are the same hosts, licensed in another way each: `available` holds for all of them
        together.
    used, idle : array of int, shape [P, C]
        At most so many hosts carry a pool's items, and stand by for it.
    failover_hosts, failover_mode
        From the policy.
    weighed_losses : int
        How many hosts, the worthiest, may be lost while what is left covers every weighting that placing costs nothing:
        where failover is verified by the figures of normal running.
    disks : Disks or None
        Where hosts bring shared storage.
    """

    pool: np.ndarray
    count: np.ndarray
    demand: np.ndarray
    apart: np.ndarray
    sides: np.ndarray
    spreads: tuple[tuple[np.ndarray, np.ndarray, int], ...]
    spans: tuple[tuple[np.ndarray, int], ...]
    cost: np.ndarray
    weight: np.ndarray
    worth: np.ndarray
    fits: np.ndarray
    room: np.ndarray
    total: np.ndarray
    roof: np.ndarray
    fine: np.ndarray
    domain: np.ndarray | None
    opening: np.ndarray
    available: np.ndarray
    family: np.ndarray
    used: np.ndarray
    idle: np.ndarray
    failover_hosts: int
    failover_mode: str
    weighed_losses: int
    disks: Disks | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Disks:
    """Shared storage that hosts bring, in whole numbers that lose no plan.

    Parameters
    ----------
    need : array of int, shape [P]
        Rounded down.
    offer : array of int, shape [P, C]
        What one host adds, rounded up, at most the need.
    alone : array of int, shape [P, C]
        At most so many hosts of a class run for a pool for their disks alone.
    fewest_hosts, lost_hosts : int
        Hosts that a pool runs at least, and those that add most and are not counted.
    """

    need: np.ndarray
    offer: np.ndarray
    alone: np.ndarray
    fewest_hosts: int
    lost_hosts: int


def build(problem: Problem, book: Ledger, claim: Claim) -> Part:
    """The pools of a claim in whole numbers."""
    place = {pool: p for p, pool in enumerate(claim.pools)}
    pool_of = problem.workloads["pool"].map(place).fillna(-1).to_numpy("int64")
    inside = np.flatnonzero(pool_of >= 0)
    label = np.arange(len(pool_of))
    for group in problem.laws.together:
        label[group] = group.min()
    heads, number = np.unique(label[inside], return_inverse=True)
    item_of = np.full(len(pool_of), -1)
    item_of[inside] = number

    serves = problem.hosts["pool"].to_numpy()
    serving = np.array([np.isin(serves, ("", pool)) for pool in claim.pools])
    offers = np.flatnonzero(serving.any(axis=0)[book.row])
    rows = book.row[offers]
    licensed = _amounts(number, book.needs[inside])
    demand, room, *offered = _whole(problem, inside, number, rows)
    needed, domain, places, k = demand, None, [], problem.policy.failover.hosts
    if problem.policy.failover.is_verified:
        needed, _, *offered = _whole(problem.in_failure, inside, number, rows)
        needed, offered = np.column_stack([needed, licensed]), _licensed(offered, book.limit[offers])
        places.append(np.ascontiguousarray(problem.in_failure.capacity[rows]).view("int64"))
        if problem.policy.failover.within != "host":
            names = domains(problem.hosts, problem.policy.failover.within)[rows]
            places.append(domain := np.unique(names.astype(str), return_inverse=True)[1])
    roof, fine = offered
    total = np.array([needed[pool_of[heads] == p].sum(axis=0) for p in range(len(place))])
    apart, crowds = _apart(problem, item_of, len(heads))
    demand = np.column_stack([demand, *(amount for amount, _ in crowds), licensed])
    room = np.column_stack([room, *(np.full(len(rows), most) for _, most in crowds), book.limit[offers]])
    pinned, permitted = _pinned(problem, item_of, len(heads), rows)
    tariff, tariff_of = book.tariffs(offers)
    cost = _amounts(number, book.placing(inside[:, None], tariff[None, :]))
    weight = np.zeros((len(heads), len(claim.weightings)), dtype="int64")
    for v, weighting in enumerate(claim.weightings):
        np.add.at(weight[:, v], item_of[pool_of == place[weighting.pool]], weighting.weight)
    worth = np.array([weighting.worth for weighting in claim.weightings], dtype="int64").reshape(-1, len(book.row))
    sides = _sides(problem, item_of, len(heads))
    spreads, spans = _across(problem, item_of, len(heads))
    coupled = [amount for amount, *_ in (*spreads, *spans)]

    first, _, count = distinct(np.column_stack([pool_of[heads], demand, apart, sides, *coupled, pinned, cost, weight]))
    patterns = distinct(np.column_stack([serving[:, rows].T, permitted.T]).astype("int64"))[1]
    figures = np.ascontiguousarray(problem.capacity[rows]).view("int64")
    places += [where[rows] for _, where, _ in spreads]
    storage = [one for name in claim.pools for one in problem.shared_storage if one.pool == name and one.by_hosts]
    places += [one.usable_gib[rows].view("int64") for one in storage]
    key = [figures, book.opening[offers], tariff_of, book.limit[offers], patterns, worth[:, offers].T, *places]
    family_of, way = _families(rows, distinct(np.column_stack(key))[1])
    lead, class_of, _ = distinct(np.column_stack([family_of, way]))
    pool, demand, room, roof = pool_of[heads[first]], demand[first], room[lead], roof[lead]
    fits = serving[:, rows[lead]][pool] & permitted[:, lead][pinned[first]]
    for c, capacity in enumerate(room):
        fits[:, c] &= (demand <= capacity).all(axis=1)
    available = np.zeros(len(lead))
    np.add.at(available, class_of, problem.hosts["available"].to_numpy()[rows])
    disks = _disks(storage, rows[lead])
    enough = 2 * len(inside) + len(place) * (problem.policy.failover.hosts + 2)
    if disks is not None:
        enough = enough + disks.alone.sum(axis=0)
        disks = replace(disks, alone=np.minimum(disks.alone, available).astype("int64"))
    available = np.minimum(available, enough).astype("int64")
    most = np.array([count[pool == p] @ fits[pool == p] for p in range(len(place))])
    return Part(
        pool=pool,
        count=count,
        demand=demand,
        apart=apart[first],
        sides=sides[first],
        spreads=tuple((amount[first], where[rows[lead]], most) for amount, where, most in spreads),
        spans=tuple((amount[first], most) for amount, most in spans),
        cost=cost[np.ix_(first, tariff_of[lead])],
        weight=weight[first],
        worth=worth[:, offers[lead]].T,
        fits=fits,
        room=room,
        total=total,
        roof=roof,
        fine=fine,
        domain=None if domain is None else domain[lead],
        opening=book.opening[offers[lead]],
        available=available,
        family=family_of[lead],
        used=np.minimum(most, available),
        idle=np.minimum(_idle(problem, claim.pools, pool, demand, room, serving[:, rows[lead]], rows[lead]), available),
        failover_hosts=problem.policy.failover.hosts,
        failover_mode=problem.policy.failover.mode,
        weighed_losses=0 if not problem.policy.failover.is_verified or problem.policy.failover.relaxed else k,
        disks=disks,
    )


def _amounts(number: np.ndarray, figures: np.ndarray) -> np.ndarray:
    """Figures of workloads summed up by the number of their item: [I, ...]."""
    total = np.zeros((int(number.max()) + 1, figures.shape[1]), dtype="int64")
    np.add.at(total, number, figures)
    return total


def _licensed(offered: list[np.ndarray], limit: np.ndarray) -> list[np.ndarray]:
    """Roof and fine with columns for what licences cover."""
    roof, fine = offered
    return [np.column_stack([roof, limit]), np.append(fine, np.ones(limit.shape[1], dtype="int64"))]


def _families(rows: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each offer the number of its host's family, and which of the host's offers it is.

    Hosts are of one family where their offers are of the same kinds. Offers stand in the order of their rows.
    """
    begins = np.flatnonzero(np.diff(rows, prepend=-1))
    lengths = np.diff(np.append(begins, len(rows)))
    known: dict[bytes, int] = {}
    family = [known.setdefault(kind[a : a + n].tobytes(), len(known)) for a, n in zip(begins, lengths, strict=True)]
    return np.repeat(np.array(family), lengths), np.arange(len(rows)) - np.repeat(begins, lengths)


def distinct(key: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of equal rows of whole numbers: where each first stands, the number of every row, how many there are."""
    if not key.shape[1]:
        key = np.zeros((len(key), 1), dtype="int64")
    rows = np.ascontiguousarray(key).view(np.dtype((np.void, key.itemsize * key.shape[1]))).ravel()
    _, first, number, count = np.unique(rows, return_index=True, return_inverse=True, return_counts=True)
    return first, number, count


def _whole(
    problem: Problem, inside: np.ndarray, number: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Demand by item [I, Q], room and roof by host [H, Q], fine [Q], such that no plan that is accepted is lost.

    Any sum of whole demand is a whole number, so the room may round down what it grants above the capacity.
    """
    periods = problem.demand.shape[2]
    each = problem.demand[inside].reshape(len(inside), -1)
    offered = np.repeat(problem.capacity[rows], periods, axis=1)
    granted = offered + SLACK * np.maximum(offered, 1)
    whole = [np.bincount(number, weights=column) for column in each.T]
    demand, room, roof = (np.zeros((n, len(whole)), dtype="int64") for n in (len(whole[0]), len(rows), len(rows)))
    fine = np.ones(len(whole), dtype="int64")
    for q, column in enumerate(whole):
        finite = offered[np.isfinite(offered[:, q]), q]
        largest = max(column.max(), finite.max(initial=0.0))
        total = column.sum()
        tried = [step for step in STEPS if largest / step < 2**40 and total / step < 2**50]
        even = (step for step in tried if np.allclose(column / step, np.rint(column / step), EVEN, 0))
        step = next(even, max(STEPS[-1], largest / 1e9, total / 2**50))
        steps = np.floor(column / step * (1 + EVEN)).astype("int64")
        divisor = max(int(np.gcd.reduce(steps)), 1)
        demand[:, q] = steps // divisor
        hosts = granted[:, q] / (step * divisor)
        room[:, q] = np.minimum(np.floor(hosts), demand[:, q].sum())
        fine[q] = 2 ** min(max(44 - int(demand[:, q].sum()).bit_length(), 0), 30)
        roof[:, q] = np.ceil(np.minimum(hosts, demand[:, q].sum()) * fine[q])
    return demand, room, roof, fine


def _pinned(problem: Problem, item_of: np.ndarray, items: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each item which combination of laws binds it, and for each combination the rows that it permits [N, rows]."""
    combination = np.zeros(items, dtype="int64")
    permitted = [np.ones(len(rows), dtype=bool)]
    for law in problem.laws.allowed:
        touched = np.unique(item_of[law.members][item_of[law.members] >= 0])
        before = combination[touched]
        for known in np.unique(before):
            combination[touched[before == known]] = len(permitted)
            permitted.append(permitted[known] & law.rows[rows])
    return combination, np.array(permitted)


def _apart(problem: Problem, item_of: np.ndarray, items: int) -> tuple[np.ndarray, list[tuple[np.ndarray, int]]]:
    """Groups kept apart that each item belongs to [I, K], padded with -1 at the end.

    Groups of which a host carries several members come as (members by item [I], how many).
    """
    single, crowds = [], []
    for law in problem.laws.apart:
        amount = _amount(item_of, law.members, items)
        if amount.sum() <= law.at_most:
            continue
        if law.at_most == 1:
            single.append(np.flatnonzero(amount))
        else:
            crowds.append((amount, law.at_most))
    depth = np.bincount(np.concatenate([*single, np.zeros(0, dtype="int64")]), minlength=items)
    groups = np.full((items, int(depth.max())), -1, dtype="int64")
    filled = np.zeros(items, dtype="int64")
    for g, members in enumerate(single):
        groups[members, filled[members]] = g
        filled[members] += 1
    return groups, crowds


def _amount(item_of: np.ndarray, members: np.ndarray, items: int) -> np.ndarray:
    """How many of some workloads each item is: [I]."""
    return np.bincount(item_of[members][item_of[members] >= 0], minlength=items)


def _sides(problem: Problem, item_of: np.ndarray, items: int) -> np.ndarray:
    """For each law that keeps two sides apart the side of each item, 0 for neither: [I, Z]."""
    sides = np.zeros((items, len(problem.laws.rivals)), dtype="int64")
    for z, law in enumerate(problem.laws.rivals):
        for number, side in enumerate(law.sides, start=1):
            sides[_amount(item_of, side, items) > 0, z] = number
    return sides


def _across(problem: Problem, item_of: np.ndarray, items: int) -> tuple[list, list]:
    """Laws that reach across hosts: (members by item, domain by row of hosts, most), and (members by item, most)."""
    spreads = [
        (_amount(item_of, law.members, items), law.domain, law.at_most)
        for law in problem.laws.apart
        if law.domain is not None
    ]
    spans = [(np.minimum(_amount(item_of, law.members, items), 1), law.most_hosts) for law in problem.laws.limited]
    return spreads, spans


def _disks(storage: list[PoolStorage], rows: np.ndarray) -> Disks | None:
    """The shared storage of some pools by class, None where no host brings any.

    One host more of a class than offers all that is needed, than may fail and than must run is of no use.
    """
    if not storage:
        return None
    needed, usable = np.array([s.needed_gib for s in storage]), np.array([s.usable_gib[rows] for s in storage])
    step = max(needed.max(), usable.max(), 1.0) / 2.0**40
    need = np.maximum(np.floor((needed * (1 - SLACK) - SLACK) / step), 0).astype("int64")
    offer = np.minimum(np.ceil(usable * (1 + SLACK) / step), need[:, None]).astype("int64")
    fewest, lost = storage[0].minimum_hosts, storage[0].lost_hosts
    useful = np.where(offer > 0, -(-need[:, None] // np.maximum(offer, 1)) + lost, 0)
    alone = np.where(np.array([s.serves[rows] for s in storage]), useful + fewest + 1, 0)
    return Disks(need=need, offer=offer, alone=alone, fewest_hosts=fewest, lost_hosts=lost)


def _idle(
    problem: Problem,
    pools: tuple[str, ...],
    pool: np.ndarray,
    demand: np.ndarray,
    room: np.ndarray,
    serving: np.ndarray,
    rows: np.ndarray,
) -> np.ndarray:
    """How many hosts of each class may stand by for each pool and count [P, C]; more serve for nothing."""
    k, idle = problem.policy.failover.hosts, np.zeros(serving.shape, dtype="int64")
    for p, name in enumerate(pools if k else ()):
        mine = (problem.workloads["pool"] == name).to_numpy()
        if problem.policy.failover.mode == "verified":
            # Of equal hosts that stand by, no case restarts anything on more than there are workloads.
            able, most = serving[p], int(mine.sum()) + k
        elif problem.policy.failover.mode == "share":
            # Each takes any one workload, so as many as there are workloads and may fail are enough.
            largest, capacity = problem.demand[mine].max(axis=(0, 2)), problem.capacity[rows]
            able, most = (capacity + SLACK * np.maximum(capacity, 1) >= largest).all(axis=1), int(mine.sum()) + k + 2
        else:
            able, most = (room >= demand[pool == p].max(axis=0)).all(axis=1), k
        idle[p] = np.where(serving[p] & able & problem.laws.open_to(mine)[rows], most, 0)
    return idle
