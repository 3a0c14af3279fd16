"""Instance: a problem in integers. Demand rounds up and capacity down, so what fits here fits in fact.

Workloads kept together are one item, equal items are merged into shapes with counts, equal hosts into classes with a
number available; what the rules ask for is in `couplings`. Where figures do not come out even, the demand rounded down
and the capacity rounded up are kept beside them: a bound rests on those.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from planner.economics.ledger import Ledger
from planner.losses import domains
from planner.problem import Problem
from planner.solvers.classes import classes_of, distinct
from planner.solvers.couplings import Span, Spread, grouping
from planner.solvers.disks import Disks, disks_of
from planner.solvers.steps import Steps, steps_of

COLUMNS = ("demand", "least", "capacity", "most", "restart")
"""Fields of an instance that have a column for each resource in a period."""

SAMPLE = 256
"""Items by which pairs of columns are compared before all of them are."""


PER_SHAPE = ("demand", "least", "count", "pool", "groups", "placing", "allowed")
"""Fields of an instance with a row for each shape."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Instance:
    """Pools that share limited hosts, ready for the solvers.

    Parameters
    ----------
    pools : tuple of str
    demand, least : array of int, shape [S, R]
        One item of each shape, rounded up and rounded down; a column is a resource in a period.
    count : array of int, shape [S]
    pool : array of int, shape [S]
        Position in `pools`.
    groups : array of int, shape [S, K]
        Groups that one item of each shape belongs to, -1 for none.
    limit, zone : array of int, shape [G]
        How many members of a group one host may carry; the zone within which groups exclude each other, -1 for none.
    spreads, spans : tuples of Spread and Span
        Rules that reach across hosts.
    resources : int
        The first so many columns are resources; in those behind, items count members of a group, or workloads in need
        of a licence.
    capacity, most : array of int, shape [C, R]
        Rounded down and rounded up.
    available : array of int, shape [C]
        At most the number of items; classes of one family have them in common.
    family : array of int, shape [C]
        Classes of one family are the same hosts, licensed in another way each.
    opening, tiebreak : array of int, shape [C]
    placing : array of int, shape [S, C]
    allowed : array of bool, shape [S, C]
    rows : tuple of arrays of int
        Rows of problem.hosts that each class is made of.
    offers : tuple of arrays of int
        Offers of the ledger that each class is made of.
    restart : array of int, shape [P, R]
        The largest demand of a single workload of each pool, column by column.
    failover_hosts, failover_mode
        From the policy.
    members : Members
        Which workloads the shapes are made of.
    disks : Disks or None
        What pools need of the disks of their hosts, where hosts bring shared storage.
    failing : Failing, optional
        Where the failover is to be verified: what holds while hosts are lost.
    standing : array of bool, shape [C], optional
        The only classes that may stand by, all by default.
    """

    pools: tuple[str, ...]
    demand: np.ndarray
    least: np.ndarray
    count: np.ndarray
    pool: np.ndarray
    groups: np.ndarray
    limit: np.ndarray
    zone: np.ndarray
    spreads: tuple[Spread, ...]
    spans: tuple[Span, ...]
    resources: int
    capacity: np.ndarray
    most: np.ndarray
    available: np.ndarray
    family: np.ndarray
    opening: np.ndarray
    tiebreak: np.ndarray
    placing: np.ndarray
    allowed: np.ndarray
    rows: tuple[np.ndarray, ...]
    offers: tuple[np.ndarray, ...]
    restart: np.ndarray
    failover_hosts: int
    failover_mode: str
    members: Members
    disks: Disks | None = None
    failing: Failing | None = None
    standing: np.ndarray | None = None

    def able(self, pool: int) -> np.ndarray:
        """Which classes count when they stand by for a pool: bool [C].

        Those that could carry any one workload of it; where the failover is verified, any that may carry some.
        """
        able = self.allowed[self.pool == pool].any(axis=0)
        if self.failing is None:
            able &= (self.capacity >= self.restart[pool]).all(axis=1)
        return able if self.standing is None else able & self.standing

    @property
    def weighed_losses(self) -> int:
        """How many hosts, the worthiest, whatever weighs items has to do without: what is left carries all of them."""
        return self.failover_hosts if self.failing is not None and not self.failing.relaxed else 0

    @cached_property
    def fits(self) -> np.ndarray:
        """Which shapes fit alone on an empty host of which class: bool [S, C]."""
        fits = self.allowed.copy()
        for c, capacity in enumerate(self.capacity):
            fits[:, c] &= (self.demand <= capacity).all(axis=1)
        return fits

    @cached_property
    def coupled(self) -> np.ndarray:
        """Shapes that rules across hosts concern: bool [S]."""
        return np.any([law.amount > 0 for law in (*self.spreads, *self.spans)] or [self.count < 0], axis=0)

    @cached_property
    def reach(self) -> np.ndarray:
        """How many hosts the rules let an item of each shape run on: int [S]."""
        return self.allowed @ self.stock

    @cached_property
    def families(self) -> list[list[int]]:
        """The classes of each family."""
        return [np.flatnonzero(self.family == f).tolist() for f in np.unique(self.family)]

    @cached_property
    def kin(self) -> list[list[int]]:
        """For each class the classes of its family, itself among them."""
        own = dict(zip(np.unique(self.family).tolist(), self.families, strict=True))
        return [own[f] for f in self.family.tolist()]

    @cached_property
    def stock(self) -> np.ndarray:
        """How many hosts there are, told with the first class of each family, 0 with the others: int [C]."""
        return np.where(self.purse == np.arange(len(self.family)), self.available, 0)

    @cached_property
    def purse(self) -> np.ndarray:
        """The first class of each class's family: int [C]."""
        return np.array([own[0] for own in self.kin], dtype="int64")

    @cached_property
    def items(self) -> int:
        """How many items there are."""
        return int(self.count.sum())

    def part(self, shapes: np.ndarray) -> Instance:
        """The instance of some of its shapes, without a failover reserve and shared storage."""
        cut = {name: getattr(self, name)[shapes] for name in PER_SHAPE}
        spreads = tuple(replace(law, amount=law.amount[shapes]) for law in self.spreads)
        spans = tuple(replace(law, amount=law.amount[shapes]) for law in self.spans)
        return replace(self, **cut, spreads=spreads, spans=spans, failover_hosts=0, failing=None, disks=None)

    @cached_property
    def relaxed(self) -> Instance:
        """The instance that bounds rest on: demand rounded down, capacity rounded up."""
        disks = self.disks
        if (self.demand == self.least).all() and (self.capacity == self.most).all() and (disks is None or disks.even):
            return self
        # One step less at restart: whatever host could carry a workload in fact counts as able.
        restart = np.maximum(self.restart - 1, 0)
        disks = None if disks is None else disks.relaxed
        return replace(self, demand=self.least, capacity=self.most, restart=restart, disks=disks)


@dataclass(frozen=True, kw_only=True, eq=False)
class Failing:
    """What holds while hosts are lost, Q columns: overcommit and headroom may be relaxed then.

    Parameters
    ----------
    demand : array of int, shape [S, Q]
        One item of each shape, rounded up.
    capacity, offered : array of int, shape [C, Q]
        Rounded down and rounded up.
    total : array of int, shape [P, Q]
        All of each pool, rounded down.
    domain : array of int, shape [C], optional
        What each class fails together with; None where hosts fail one by one.
    relaxed : bool
        Whether any figure differs from normal running.
    """

    relaxed: bool
    demand: np.ndarray
    capacity: np.ndarray
    offered: np.ndarray
    total: np.ndarray
    domain: np.ndarray | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Members:
    """Which workloads the shapes of an instance are made of.

    Parameters
    ----------
    of_shape : array of int, shape [I]
        Items in the order of their shapes; `shape_start` [S + 1] says where each shape's begin.
    workloads : array of int, shape [W]
        Workload positions in the order of their items; `item_start` [I + 1] says where each item's begin.
    """

    of_shape: np.ndarray
    shape_start: np.ndarray
    workloads: np.ndarray
    item_start: np.ndarray

    def items(self, shape: int) -> np.ndarray:
        """The items of a shape."""
        return self.of_shape[self.shape_start[shape] : self.shape_start[shape + 1]]

    def item(self, item: int) -> np.ndarray:
        """The workload positions that an item is made of."""
        return self.workloads[self.item_start[item] : self.item_start[item + 1]]

    def first(self, shape: int) -> np.ndarray:
        """The workload positions of the first item of a shape."""
        return self.item(int(self.items(shape)[0]))


def components(problem: Problem) -> list[tuple[str, ...]]:
    """Pools that compete for hosts in limited number, or that a rule couples, together; every other pool on its own."""
    hosts, pool = problem.hosts, problem.workloads["pool"].to_numpy()
    shared = (hosts["pool"] == "") & np.isfinite(hosts["available"])
    across = [law for law in problem.laws.apart if law.domain is not None] + [*problem.laws.limited]
    coupled = any(len(np.unique(pool[law.members])) > 1 for law in across)
    return [problem.pools] if shared.any() or coupled else [(pool,) for pool in problem.pools]


def build(problem: Problem, ledger: Ledger, pools: tuple[str, ...]) -> Instance:
    """The integer instance of some pools of a problem."""
    pool_of = problem.workloads["pool"].map({pool: p for p, pool in enumerate(pools)}).fillna(-1).to_numpy("int64")
    workloads, item_start = _items(problem, np.flatnonzero(pool_of >= 0))
    heads = workloads[item_start[:-1]]
    found = grouping(problem.laws, workloads, item_start)
    steps = steps_of(problem, workloads, item_start)
    combination, permitted = problem.laws.permitted
    failing = None
    if problem.policy.failover.is_verified:
        failing = steps_of(problem.in_failure, workloads, item_start, undivided=True)
    disks = disks_of(problem, pools)
    classes = classes_of(problem, ledger, pools, [steps, failing] if failing else [steps], permitted, found, disks)
    rows, offers = classes.row, classes.offer
    tariff, tariff_of = ledger.tariffs(offers)
    placing = np.add.reduceat(ledger.placing(workloads[:, None], tariff[None, :]), item_start[:-1], axis=0)
    needs = np.add.reduceat(ledger.needs[workloads], item_start[:-1], axis=0)
    key = np.column_stack([pool_of[heads], steps.demand, steps.least, found.columns, needs, found.key])
    key = np.column_stack([key, combination[heads], placing])
    if failing is not None and problem.policy.failover.relaxed:
        key = np.column_stack([key, failing.demand, failing.least])
    shape_of, first = distinct(key)
    counted = np.hstack([found.columns, needs])[first]
    room = np.hstack([np.tile(found.room, (len(rows), 1)), ledger.limit[offers]])
    order = np.argsort(shape_of, kind="stable")
    shape_start = np.concatenate([[0], np.cumsum(np.bincount(shape_of))])
    serving = np.array([[_serves(problem, row, pool) for row in rows] for pool in pools], dtype=bool)
    serving = serving.reshape(len(pools), len(rows))
    allowed = serving[pool_of[heads[first]]] & permitted[:, rows][combination[heads[first]]]
    available = np.array([problem.hosts["available"].to_numpy()[members].sum() for members in classes.rows])
    # A reserve never takes more hosts than there are workloads to restart, and the hosts that may fail.
    failover = problem.policy.failover
    limit_hosts = len(heads) + (len(workloads) + len(pools) * failover.hosts if failover.hosts else 0)
    if disks is not None:
        disks = disks.at(rows)
        limit_hosts = limit_hosts + sum(disks.reach(p) for p in range(len(pools)))
    instance = Instance(
        pools=pools,
        demand=np.hstack([steps.demand[first], counted]),
        least=np.hstack([steps.least[first], counted]),
        count=np.bincount(shape_of).astype("int64"),
        pool=pool_of[heads[first]],
        **found.of(first, rows),
        resources=steps.demand.shape[1],
        capacity=np.hstack([steps.capacity[rows], room]),
        most=np.hstack([steps.most[rows], room]),
        available=np.minimum(available, limit_hosts).astype("int64"),
        family=classes.family,
        opening=ledger.opening[offers],
        tiebreak=ledger.tiebreak[offers],
        placing=placing[np.ix_(first, tariff_of)],
        allowed=allowed,
        rows=classes.rows,
        offers=classes.offers,
        restart=_restart(steps, pool_of[workloads], len(pools), counted.shape[1]),
        failover_hosts=failover.hosts,
        failover_mode=failover.mode,
        failing=None
        if failing is None
        else _failing(problem, failing, pool_of[heads], len(pools), first, rows, needs, ledger.limit[offers]),
        members=Members(of_shape=order, shape_start=shape_start, workloads=workloads, item_start=item_start),
        disks=disks,
    )
    return _without_repeated(instance) if failover.hosts else _without_dominated(instance)


def _items(problem: Problem, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Workload positions in the order of their items, and where each item begins; kept together is one item."""
    label = problem.laws.heads
    order = inside[np.argsort(label[inside], kind="stable")]
    begins = np.flatnonzero(np.diff(label[order], prepend=-1))
    return order, np.append(begins, len(order))


def _restart(steps: Steps, pool: np.ndarray, pools: int, counted: int) -> np.ndarray:
    """The largest demand of a single workload of each pool; 0 in the columns that count items: [P, R]."""
    largest = np.array([steps.single[pool == p].max(axis=0) for p in range(pools)])
    return np.hstack([largest, np.zeros((pools, counted), dtype="int64")])


def _failing(
    problem: Problem,
    steps: Steps,
    pool: np.ndarray,
    pools: int,
    first: np.ndarray,
    rows: np.ndarray,
    needs: np.ndarray,
    limit: np.ndarray,
) -> Failing:
    """What holds while hosts are lost, of the shapes and classes that begin at some items and rows.

    Licences hold then as before: an offer covers so many workloads in need of a product, restarted ones among them.
    """
    demand, least = np.hstack([steps.demand, needs]), np.hstack([steps.least, needs])
    within = problem.policy.failover.within
    where = None if within == "host" else pd.factorize(domains(problem.hosts, within))[0][rows]
    return Failing(
        relaxed=bool(problem.policy.failover.relaxed),
        demand=demand[first],
        capacity=np.hstack([steps.capacity[rows], limit]),
        total=np.array([least[pool == p].sum(axis=0) for p in range(pools)]),
        offered=np.hstack([steps.most[rows], limit]),
        domain=where,
    )


def _serves(problem: Problem, row: int, pool: str) -> bool:
    return problem.hosts["pool"].iloc[row] in ("", pool)


def _without_repeated(instance: Instance) -> Instance:
    """Columns dropped that equal an earlier one in every figure, as a resource does that is alike in all periods."""
    first: dict[tuple, int] = {}
    for column in range(instance.demand.shape[1]):
        first.setdefault(tuple(getattr(instance, name)[:, column].tobytes() for name in COLUMNS), column)
    return _with_columns(instance, list(first.values()))


def _without_dominated(instance: Instance) -> Instance:
    """Columns dropped that hold wherever another one holds: no item takes a larger share of it, on any class."""
    instance = _without_repeated(instance)
    keep = list(range(instance.demand.shape[1]))
    # A few items in floats rule out nearly every pair, of which hours of a week make very many.
    few = instance.demand[:SAMPLE, None, :] / np.maximum(instance.capacity, 1)
    for a in list(keep):
        others = [b for b in keep if b != a and (few[:, :, a] <= few[:, :, b] * (1 + 1e-9)).all()]
        if any(_dominates(instance.demand, instance.capacity, b, a) for b in others):
            keep.remove(a)
    return _with_columns(instance, keep)


def _with_columns(instance: Instance, keep: list[int]) -> Instance:
    if len(keep) == instance.demand.shape[1]:
        return instance
    resources = sum(column < instance.resources for column in keep)
    columns = {name: np.ascontiguousarray(getattr(instance, name)[:, keep]) for name in COLUMNS}
    return replace(instance, resources=resources, **columns)


def _dominates(demand: np.ndarray, capacity: np.ndarray, b: int, a: int) -> bool:
    """Whether every item takes at least the share of `b` that it takes of `a`, on every class."""
    if not demand[:, a].any():
        return True
    return all(
        row[b] > 0 and (demand[:, a].astype(object) * int(row[b]) <= demand[:, b].astype(object) * int(row[a])).all()
        for row in capacity
    )
