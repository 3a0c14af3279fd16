"""Lower bounds: hosts that cover what every weighting of the items asks for, at least cost, in whole hosts.

A weighting gives each item a weight and each host class a worth that no set of items on one such host exceeds. Then the
hosts of any plan are worth at least what all items weigh. A resource is a weighting (demand against capacity: the
volume bound); so is a dual feasible function of it, a group kept apart, and what column generation's duals say. The
covering problem over all weightings, in whole hosts, is solved exactly by CP-SAT: a bound for equal hosts (the ratio,
rounded up) and for mixed hosts with costs and limited numbers alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from ortools.sat.python import cp_model

from planner.solvers.disks import keep_without_largest
from planner.solvers.failover import keep_share
from planner.solvers.instance import Instance

EFFORT = 2.0
"""Deterministic time that CP-SAT may spend on one covering problem by default."""

THRESHOLDS = 12
"""Thresholds tried for each dual feasible function."""

GRANTED = 1e-8
"""Relative room above a capacity that a worth grants: who proves it again may read figures in steps of another size."""

MOST_MIXED = 12
"""Columns, the scarcest ones, that are mixed by twos: the hours of a week would give 14,000 pairs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighting:
    """Weights of the items of one pool, and what a host of each class is worth.

    Parameters
    ----------
    method : str
    pool : int
    weight : array of int, shape [S]
        0 for shapes of other pools.
    worth : array of int, shape [C]
        No set of items that one host of the class can carry weighs more.
    placing : int
        Where above 0: the worth holds for weights less `placing` times what placing the items on the class costs.
    """

    method: str
    pool: int
    weight: np.ndarray
    worth: np.ndarray
    placing: int = 0

    def total(self, instance: Instance) -> int:
        """What all items weigh."""
        return int(self.weight @ instance.count)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cover:
    """A solved covering problem.

    Parameters
    ----------
    value : int or None
        Proven lower bound in the ledger's small units; None where the hosts available cannot cover the demand.
    mix : array of int, shape [C, P]
        The hosts that cover it.
    weightings : tuple of Weighting
        What it rests on.
    """

    value: int | None
    mix: np.ndarray
    weightings: tuple[Weighting, ...]


def resources(instance: Instance) -> list[Weighting]:
    """Each resource of each pool as a weighting: the volume bound."""
    relaxed = instance.relaxed
    found = []
    for p in range(len(instance.pools)):
        inside = instance.pool == p
        serving = instance.allowed[inside].any(axis=0)
        for r in range(relaxed.demand.shape[1]):
            weight = np.where(inside, relaxed.demand[:, r], 0)
            found.append(
                Weighting(method="volume", pool=p, weight=weight, worth=np.where(serving, relaxed.most[:, r], 0))
            )
    return found


def counting(instance: Instance) -> list[Weighting]:
    """Groups kept apart, and the dual feasible functions that ask for the most hosts, of each pool."""
    found = []
    for p in range(len(instance.pools)):
        inside = instance.pool == p
        found += list(_by_group(instance, p, inside))
        serving = instance.allowed[inside].any(axis=0)
        if not serving.any():
            continue
        candidates = list(_by_function(instance.relaxed, p, inside, serving))
        candidates.sort(key=lambda w: -w.total(instance) / max(int(w.worth.max()), 1))
        found += candidates[:4]
    return found


def needing(instance: Instance) -> list[Weighting]:
    """Each resource, of those items alone that a column counts, such as workloads in need of a licence.

    A host is worth what it offers of the resource, and no more than the largest of as many as the column lets it carry:
    nothing where it lets it carry none.
    """
    relaxed, found = instance.relaxed, []
    for pool, column in product(range(len(instance.pools)), range(instance.resources, relaxed.demand.shape[1])):
        counted = np.where(instance.pool == pool, relaxed.demand[:, column], 0)
        if not counted.any() or (relaxed.most[:, column] >= counted @ instance.count).all():
            continue
        for r in range(instance.resources):
            weight = np.where(counted > 0, relaxed.demand[:, r], 0)
            # An item that counts several times weighs as several that share its weight.
            each = -(-weight // np.maximum(counted, 1))
            order = np.argsort(-each, kind="stable")
            there = np.concatenate([[0], np.cumsum((counted * instance.count)[order])])
            most = np.concatenate([[0], np.cumsum((each * counted * instance.count)[order])])
            largest = np.interp(relaxed.most[:, column], there, most)
            offered = np.ceil(relaxed.most[:, r] * (1 + GRANTED)).astype("int64")
            worth = np.minimum(offered, np.ceil(largest).astype("int64"))
            fits = relaxed.fits[counted > 0].any(axis=0)
            found.append(Weighting(method="licences", pool=pool, weight=weight, worth=np.where(fits, worth, 0)))
    return found


def _by_group(instance: Instance, pool: int, inside: np.ndarray) -> Iterator[Weighting]:
    """For each set of classes that members of a group may use, the group that needs most of them."""
    best: dict[bytes, Weighting] = {}
    for g in range(len(instance.limit)):
        member = inside & (instance.groups == g).any(axis=1)
        if instance.count[member].sum() <= instance.limit[g]:
            continue
        usable = instance.relaxed.fits[member].any(axis=0)
        weighting = Weighting(
            method="groups kept apart",
            pool=pool,
            weight=member.astype("int64"),
            worth=np.where(usable, instance.limit[g], 0),
        )
        known = best.get(usable.tobytes())
        if known is None or known.total(instance) < weighting.total(instance):
            best[usable.tobytes()] = weighting
    yield from best.values()


def _by_function(instance: Instance, pool: int, inside: np.ndarray, serving: np.ndarray) -> Iterator[Weighting]:
    """Dual feasible functions of each resource and of mixes of two resources.

    Martello and Toth: sizes above C - e count as C, sizes below e as 0. Counting: ``ceil((k + 1) x / C) - 1``, of which
    a host of capacity C holds at most k.
    """
    largest = instance.most[serving].max(axis=0)
    columns = [(instance.demand[:, r], instance.most[:, r]) for r in range(len(largest))]
    unit = 10**6
    wanted = (instance.demand * instance.count[:, None])[inside].sum(axis=0) / np.maximum(largest, 1)
    mixed = sorted(np.argsort(-wanted, kind="stable")[:MOST_MIXED].tolist())
    for place, a in enumerate(mixed):
        for b in mixed[:place]:
            for share in (1, 2, 3):
                # Sizes round down and the capacity up, so what fits in both resources fits in their mix.
                scale = np.array([share, 4 - share]) * unit
                size = sum(
                    s * instance.demand[:, r] // max(int(largest[r]), 1) for s, r in zip(scale, (a, b), strict=True)
                )
                room = sum(
                    -(-s * instance.most[:, r] // max(int(largest[r]), 1)) for s, r in zip(scale, (a, b), strict=True)
                )
                columns.append((size, room))
    for size, room in columns:
        size = np.where(inside, size, 0)
        top = int(room[serving].max())
        steps = np.unique(np.minimum(size[inside], top - size[inside]))
        steps = steps[(steps > 0) & (2 * steps <= top)]
        picked = steps[np.unique(np.linspace(0, len(steps) - 1, THRESHOLDS).astype(int))] if len(steps) else steps
        for e in picked.tolist():
            weight = np.where(size > top - e, top, np.where(size < e, 0, size))
            worth = np.where(room > top - e, top, room)
            yield Weighting(
                method="dual feasible function", pool=pool, weight=weight, worth=np.where(serving, worth, 0)
            )
        for k in (1, 2, 3, 4, 5):
            weight, worth = (np.maximum(-(-(k + 1) * x // max(top, 1)) - 1, 0) for x in (size, room))
            yield Weighting(
                method="dual feasible function", pool=pool, weight=weight, worth=np.where(serving, worth, 0)
            )


def cover(
    instance: Instance,
    weightings: list[Weighting],
    *,
    seed: int = 0,
    most_value: int | None = None,
    surplus: np.ndarray | None = None,
    effort: float = EFFORT,
) -> Cover:
    """Hosts that cover every weighting at least objective, solved in whole hosts by CP-SAT.

    Hosts keep the failover reserve and what shared storage asks for too; those that run for their disks alone count as
    any other. Where failover is verified, what is left without any k hosts covers every weighting.

    Parameters
    ----------
    instance : Instance
    weightings : list of Weighting
    seed : int
    most_value : int, optional
        Hosts whose objective exceeds this are of no interest.
    surplus : array of float, shape [len(weightings)], optional
        How much more than its total each weighting asks for, relative: a mix with room to pack into. Not a bound then.
    effort : float
        Deterministic time that CP-SAT may spend.
    """
    classes, pools, disks = len(instance.available), len(instance.pools), instance.relaxed.disks
    model = cp_model.CpModel()
    on = np.array([[model.new_int_var(0, int(n), "") for _ in range(pools)] for n in instance.available], dtype=object)
    on = on.reshape(classes, pools)
    idle = np.zeros((classes, pools), dtype=object)
    if instance.failover_mode == "spare" and instance.failover_hosts:
        idle = np.array([[model.new_int_var(0, int(n), "") for _ in range(pools)] for n in instance.available])
        for p in range(pools):
            able = instance.relaxed.able(p)
            model.add(sum(idle[able, p]) == instance.failover_hosts)
            for c in np.flatnonzero(~able):
                model.add(idle[c, p] == 0)
    for family in instance.families:
        model.add(sum(sum(on[c]) + sum(idle[c]) for c in family) <= int(instance.available[family[0]]))
    least_placing = _least_placing(instance)
    placing = [model.new_int_var(int(least), int(worst), "") for least, worst in least_placing]
    for p in range(pools):
        serving = instance.allowed[instance.pool == p].any(axis=0)
        if disks is not None:
            serving = serving | disks.serves[p]
            disks.keep(model, p, list(on[:, p] + idle[:, p]))
        for c in np.flatnonzero(~serving):
            model.add(on[c, p] == 0)
        model.add(sum(on[:, p]) >= 1)
        if instance.failover_mode != "spare" and instance.failover_hosts:
            keep_share(model, instance.relaxed, p, list(on[:, p]))
    for number, w in enumerate(weightings):
        asked = w.total(instance)
        asked = asked if surplus is None else int(asked * (1 + surplus[number]))
        running = list(on[:, w.pool])
        if instance.weighed_losses and not w.placing:  # Restarts cost nothing to place.
            worth, lost = np.minimum(w.worth, asked).tolist(), instance.weighed_losses
            keep_without_largest(model, worth, list(range(classes)), running, asked, lost)
        else:
            offered = cp_model.LinearExpr.weighted_sum(running, w.worth.tolist())
            model.add(offered + w.placing * placing[w.pool] >= asked)
    value = sum(int(instance.opening[c]) * (on[c, p] + idle[c, p]) for c in range(classes) for p in range(pools))
    value += sum(placing)
    if most_value is not None:
        model.add(value <= most_value)
    model.minimize(value)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed
    solver.parameters.max_deterministic_time = effort
    solver.parameters.catch_sigint_signal = False
    if instance.failover_hosts:  # Then its linear programs have what holds for some choice of the largest hosts too.
        solver.parameters.linearization_level = 2
    status = solver.solve(model)
    mix = np.zeros((classes, pools), dtype="int64")
    if status == cp_model.INFEASIBLE:
        return Cover(value=None, mix=mix, weightings=tuple(weightings))
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        mix = np.array([[solver.value(v) for v in row] for row in on], dtype="int64").reshape(classes, pools)
    # Every coefficient is at least 0, so 0 is proven even where the search ended before it proved more.
    proven = int(np.ceil(max(solver.best_objective_bound, 0.0) - 1e-6))
    return Cover(value=proven, mix=mix, weightings=tuple(weightings))


def _least_placing(instance: Instance) -> list[tuple[int, int]]:
    """The least and the most that placing the items of each pool can cost."""
    if not instance.placing.any():
        return [(0, 0)] * len(instance.pools)
    dear = np.iinfo("int64").max
    fits = instance.relaxed.fits
    least = np.where(fits, instance.placing, dear).min(axis=1) * instance.count
    worst = np.where(fits, instance.placing, 0).max(axis=1) * instance.count
    return [
        (int(least[instance.pool == p].sum()), int(worst[instance.pool == p].sum())) for p in range(len(instance.pools))
    ]
