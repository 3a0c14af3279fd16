"""Pricing: the sets of items that are worth most on one host, at prices of the items.

Prices are whole numbers, so what exact pricing proves holds exactly: with the most that a host of each class can be
worth, the prices are a weighting that a bound may rest on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.solvers import cpsat
from planner.solvers.bounds import Weighting
from planner.solvers.incumbent import Clock
from planner.solvers.instance import Instance
from planner.solvers.kernels import load
from planner.solvers.packing import compatible
from planner.solvers.relaxation import multipliers

FINENESS = 10**8
"""Whole steps that the largest price is divided into at most."""

MOST_SCALED = 2**55
"""The largest scaled cost: what the kernels sum up stays within 64 bits."""


MOST_CELLS = 2_000_000
"""Cells that the tables of one exact pricing may have."""

MOST_CENTRES, MOST_SETS = 200, 40
"""Items that pricing builds a set around at most, all classes together, and sets that quick pricing returns at most."""

MOST_ORDERED = 200_000
"""Items in all the orders together that quick pricing fills sets by."""

EXCHANGES, LEAST_EXCHANGES = 2_400_000, 20_000
"""Exchanges that quick pricing looks at for one set of every class together, and of one class at least."""
MOST_EXCHANGES = 300_000
"""Exchanges for one set of one class at most."""

NODES_AROUND = 300
"""Search nodes for each of the items that exact pricing builds a set around."""

MOST_SCANNED = 10**8
"""Items times search nodes of one exact pricing at most: about a second."""

SURROGATE = 4095
"""Whole steps of a host's surrogate size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pattern:
    """Items that share one host of a class.

    Parameters
    ----------
    kind, pool : int
    shapes : array of int
        In rising order.
    numbers : array of int, or of float
        How many items of each shape; fractions where items may be taken in parts, for a bound.
    """

    kind: int
    pool: int
    shapes: np.ndarray
    numbers: np.ndarray

    @property
    def key(self) -> tuple:
        return self.kind, self.pool, self.shapes.tobytes(), self.numbers.tobytes()

    @property
    def whole(self) -> bool:
        """Whether no item is taken in parts."""
        return self.numbers.dtype.kind == "i"

    def cost(self, instance: Instance) -> float:
        """Objective of one such host."""
        return float(instance.opening[self.kind] + instance.placing[self.shapes, self.kind] @ self.numbers)

    def feasible(self, instance: Instance) -> bool:
        """Whether the items fit on the host, and groups and zones let them share it."""
        fits = self.numbers @ instance.demand[self.shapes] <= instance.capacity[self.kind]
        return bool(fits.all()) and compatible(instance, self.shapes, self.numbers)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prices:
    """Whole prices of the items.

    Parameters
    ----------
    price : array of int, shape [S]
    scale : int
        Steps of a price in one small unit of the objective.
    """

    price: np.ndarray
    scale: int

    @classmethod
    def of(cls, duals: np.ndarray, dearest: int) -> Prices:
        """Duals made whole.

        Parameters
        ----------
        duals : array of float, shape [S]
        dearest : int
            The largest cost that prices are compared with, in small units; scaled, it stays within 64 bits.
        """
        top = float(duals.max(initial=0.0))
        scale = max(min(int(FINENESS / top), MOST_SCALED // max(dearest, 1)), 1) if top > 0 else 1
        return cls(price=np.rint(np.maximum(duals, 0.0) * scale).astype("int64"), scale=scale)


class Pricer:
    """Prices sets of items for each class and pool of an instance."""

    def __init__(self, instance: Instance, clock: Clock, seed: int):
        self.instance, self.exactly, self.clock = instance, instance.relaxed, clock
        self.kernels = load("knapsack")
        self.random = np.random.default_rng(seed)
        self.fits = self.exactly.fits
        self.dearest = int(max(instance.opening.max(), instance.placing.max()))
        self.pairs = [
            (c, p)
            for p in range(len(instance.pools))
            for c in range(len(instance.available))
            if (self.fits[:, c] & (instance.pool == p)).any() and instance.available[c] > 0
        ]

    @property
    def exchanges(self) -> int:
        """Exchanges that quick pricing looks at for one set."""
        return min(max(EXCHANGES // max(len(self.pairs), 1), LEAST_EXCHANGES), MOST_EXCHANGES)

    def candidates(self, prices: Prices, kind: int, pool: int, count: np.ndarray) -> tuple[np.ndarray, ...]:
        """Shapes worth putting on a host, their profit, demand and how many of each at most."""
        instance = self.exactly
        profit = prices.price - prices.scale * instance.placing[:, kind]
        shapes = np.flatnonzero((profit > 0) & self.fits[:, kind] & (instance.pool == pool) & (count > 0))
        demand, capacity = instance.demand[shapes], instance.most[kind]
        most = count[shapes].copy()
        for r in range(demand.shape[1]):
            needs = demand[:, r] > 0
            most[needs] = np.minimum(most[needs], capacity[r] // demand[needs, r])
        for g in instance.groups[shapes].T:
            kept_apart = g >= 0
            most[kept_apart] = np.minimum(most[kept_apart], instance.limit[g[kept_apart]])
        return shapes, profit[shapes], demand, most

    def _counted(self, kind: int, demand: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Demand and capacity with what follows from them: no host holds two items above a half, three above a third...

        These rows take away nothing that fits; they keep fractions of large items out of the relaxation.
        """
        capacity = self.exactly.most[kind]
        rows, rooms = [demand], [capacity]
        for parts in (2, 3, 4):
            row = np.maximum(-(-parts * demand // np.maximum(capacity, 1)) - 1, 0)
            rows.append(row[:, (row > 0).any(axis=0)])
            rooms.append(np.full(rows[-1].shape[1], parts - 1))
        return np.hstack(rows), np.concatenate(rooms)

    def quick(self, prices: Prices, kind: int, pool: int, count: np.ndarray, tries: int) -> list[Pattern]:
        """Sets filled greedily: by several sizes with some noise, and around one item after another."""
        shapes, profit, demand, most = self.candidates(prices, kind, pool, count)
        if not len(shapes):
            return []
        order = np.argsort(-profit, kind="stable")
        shapes, profit, demand, most = shapes[order], profit[order], demand[order], most[order]
        counted, rooms = self._counted(kind, demand)
        sizes = np.empty((tries, counted.shape[1]))
        sizes[0] = multipliers(profit, counted, most, rooms)
        sizes[1:] = self.random.dirichlet(np.ones(counted.shape[1]), tries - 1) / np.maximum(rooms, 1)
        sizes[1 : 1 + tries // 2] = sizes[0]
        noise = np.exp(self.random.normal(0.0, 0.1, (tries, len(shapes))))
        noise[0] = 1.0
        ratio = profit / np.maximum(sizes @ counted.T, 1e-12) * noise
        centres = self._centres(len(shapes))
        around = np.repeat(ratio[:1], len(centres), axis=0)
        around[np.arange(len(centres)), centres] = np.inf
        order = np.argsort(-np.vstack([ratio, around]), axis=1, kind="stable")
        found = np.zeros(order.shape, dtype="int64")
        laws = self.instance.groups[shapes], self.instance.limit, self.instance.zone
        capacity, actual = self.instance.capacity[kind], self.instance.demand[shapes]
        self.kernels.greedy_sets(order, actual, most, *laws, capacity, found)
        self.kernels.improve_sets(profit, actual, most, *laws, capacity, self.exchanges, found)
        worth = found @ profit
        best = np.argsort(-worth, kind="stable")[:MOST_SETS]
        return [self._pattern(kind, pool, shapes, row) for row in found[best] if row.any()]

    def exact(
        self, prices: Prices, kind: int, pool: int, count: np.ndarray, floor: int, nodes: int, effort: float = 0.0
    ) -> tuple[int, list[Pattern]]:
        """The most that a host can be worth (`floor` where it is worth no more), and sets worth more than `floor`.

        Parameters
        ----------
        nodes : int
            Nodes of the depth-first search. Where it ends there unfinished, CP-SAT goes on.
        effort : float
            Deterministic time that CP-SAT may spend.
        """
        floor = max(floor, 0)
        shapes, profit, demand, most = self.candidates(prices, kind, pool, count)
        if not len(shapes):
            return floor, []
        demand, capacity = self._counted(kind, demand)
        multiplier = multipliers(profit, demand, most, capacity)
        size = demand @ multiplier
        reduced = profit - size
        bound = float(multiplier @ capacity) + float(np.maximum(reduced, 0.0) @ most)
        # An item whose loss alone brings the relaxation down to the floor is in no set above it.
        useful = bound + np.minimum(reduced, 0.0) > floor - 1
        order = np.flatnonzero(useful)
        order = order[np.argsort(-profit[order] / np.maximum(size[order], 1e-12), kind="stable")]
        if not len(order):
            return floor, []
        shapes, profit, demand, most = shapes[order], profit[order], demand[order], most[order]
        laws = self.instance.groups[shapes], self.instance.limit, self.instance.zone
        best, held = np.zeros(len(order), dtype="int64"), np.zeros(2 * len(self.instance.limit), dtype="int64")
        rows, rooms, weights = _with_surrogate(demand, capacity, multiplier)
        shift, table = self._tables(profit, rows, most, rooms)
        nodes = min(nodes, MOST_SCANNED // len(order))
        value, upper = self.kernels.most_valuable(
            profit, rows, most, *laws, held, rooms, weights, shift, table, floor, nodes, best
        )
        found = [best] if value > floor else []
        if found:
            centres = self._centres(len(order))
            sets = np.zeros((len(centres), len(order)), dtype="int64")
            self.kernels.around_each(
                centres, profit, rows, most, *laws, rooms, weights, shift, table, floor, NODES_AROUND, sets
            )
            found += list(sets[sets.any(axis=1)])
        if upper > value and effort and not self.clock.over:
            known, upper_too = cpsat.most_valuable(profit, demand, most, *laws, capacity, value, effort, self.clock)
            upper = min(upper, upper_too)
            found += known
        return int(upper), [self._pattern(kind, pool, shapes, amounts) for amounts in found]

    def _centres(self, items: int) -> np.ndarray:
        """Some items by chance, to build sets around."""
        number = min(max(MOST_CENTRES // len(self.pairs), 4), MOST_ORDERED // items)
        return self.random.permutation(items)[:number]

    def _tables(
        self, profit: np.ndarray, demand: np.ndarray, most: np.ndarray, capacity: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the kernel calls `shift` and `table`; no table where it would take long or be too coarse to help."""
        width = MOST_CELLS // (demand.size + 1)
        shift = np.zeros(len(capacity), dtype="int64")
        if width < 128:
            return shift, np.zeros((0, 0, 0), dtype="int64")
        while (capacity >> shift >= width).any():
            shift[capacity >> shift >= width] += 1
        table = np.zeros((len(capacity), len(profit) + 1, int((capacity >> shift).max()) + 1), dtype="int64")
        self.kernels.tabulate(profit, demand, most, shift, table)
        return shift, table

    def weighting(self, prices: Prices, pool: int, worth: dict[tuple[int, int], int]) -> Weighting:
        """Prices of one pool as a weighting, with the worth that exact pricing found for each class."""
        instance = self.instance
        values = np.array([worth.get((c, pool), 0) for c in range(len(instance.available))], dtype="int64")
        return Weighting(
            method="column generation",
            pool=pool,
            weight=np.where(instance.pool == pool, prices.price, 0),
            worth=values,
            placing=prices.scale if instance.placing.any() else 0,
        )

    def _pattern(self, kind: int, pool: int, shapes: np.ndarray, amounts: np.ndarray) -> Pattern:
        order = np.argsort(shapes, kind="stable")
        order = order[amounts[order] > 0]
        return Pattern(kind=kind, pool=pool, shapes=shapes[order], numbers=amounts[order])


def _with_surrogate(
    demand: np.ndarray, capacity: np.ndarray, multiplier: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The resources and their weighted sum, rounded in favour of what fits, which counts nothing by itself."""
    total = float(multiplier @ capacity)
    if total <= 0.0:
        return demand, capacity, multiplier
    size = np.floor(demand @ multiplier * (SURROGATE / total) * (1 - 1e-12)).astype("int64")
    return np.column_stack([demand, size]), np.append(capacity, SURROGATE), np.append(multiplier, 0.0)
