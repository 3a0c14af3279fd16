"""Pricing with parts: what a host can be worth at most where large items stay whole and small ones may be split.

Where thousands of shapes all differ, the most valuable set of items is out of reach, and so is a proof of its worth.
With the small items in parts both are quick, and little is lost: a host takes many of them. A set with parts is a
pattern of column generation like any other; with such patterns alone the program's prices are those that can be proved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.solvers.kernels import load
from planner.solvers.pricing import Pattern, Pricer, Prices
from planner.solvers.relaxation import relaxed

LARGE = (0.2, 0.1, 0.05)
"""Shares of some resource of a host above which an item stays whole, one after the other."""

NODES = 3_000
"""Nodes of one enumeration of large items at most."""

DEEPEST = 24
"""Large items at most that one set holds whole."""

SETS, SOLVED = 64, 16
"""Sets that one enumeration keeps, and those of them whose best parts are then found."""

REMEMBERED = 48
"""Multipliers kept for each class and pool."""

ROUNDING = 1e-15
"""Relative error granted to a sum of floats for each of its terms."""


class PartPricer:
    """Prices sets with parts for each class and pool; remembers the multipliers that proved useful.

    Parameters
    ----------
    pricer : Pricer
    """

    def __init__(self, pricer: Pricer):
        self.pricer, self.kernels = pricer, load("worth")
        self.memories: dict[tuple[int, int], Memory] = {}

    def price(
        self, prices: Prices, pair: tuple[int, int], count: np.ndarray, floor: int, large: float
    ) -> tuple[int, list[Pattern]]:
        """What a host of a class and pool is worth at most (`floor` where no more), and sets worth more than `floor`.

        Parameters
        ----------
        prices : Prices
        pair : (int, int)
            Class and pool.
        count : array of int, shape [S]
        floor : int
        large : float
            Share of some resource of a host above which an item stays whole.
        """
        floor = max(floor, 0)
        items = Items.of(self.pricer, prices, pair, count, large)
        if not len(items.profit):
            return floor, []
        memory = self.memories.setdefault(pair, Memory(len(items.capacity)))
        if not len(memory.multiplier):
            memory.add(relaxed(items.profit, items.demand, items.most, items.capacity)[0][None, :])
        patterns: dict[tuple, Pattern] = {}
        upper, before = np.inf, np.inf
        while not self.pricer.clock.over:
            upper, sets = self._enumerated(items, memory, floor)
            if upper <= floor or upper >= before:
                break
            memory.add(self._sharpened(items, sets, floor, pair, patterns))
            before = upper
        worth = int(upper * (1 + 1e-12) + 1e-3) if np.isfinite(upper) else items.total
        return worth, list(patterns.values())

    def _enumerated(self, items: Items, memory: Memory, floor: int) -> tuple[float, Sets]:
        """What no set is worth more than, and the worthiest sets."""
        multiplier = memory.multiplier
        sets = Sets(
            worth=np.zeros(SETS),
            begins=np.zeros(SETS, dtype="int64"),
            room=np.zeros((SETS, len(items.capacity)), dtype="int64"),
            inside=np.zeros((SETS, DEEPEST), dtype="int64"),
            value=np.zeros(SETS),
        )
        served = np.zeros(len(multiplier) + 1, dtype="int64")
        upper, _ = self.kernels.worth_at_most(
            items.profit, items.demand, items.most, items.large, items.capacity, multiplier, items.beyond(multiplier),
            float(floor), NODES, sets.worth, sets.begins, sets.room, sets.inside, served,
        )  # fmt: skip
        memory.served += served[:-1]
        sets.value[:] = np.where(sets.inside >= 0, items.profit[sets.inside], 0).sum(axis=1)
        return upper, sets

    def _sharpened(
        self, items: Items, sets: Sets, floor: int, pair: tuple[int, int], patterns: dict[tuple, Pattern]
    ) -> np.ndarray:
        """Multipliers that sharpen the worth of some sets, one set after another until none may exceed the floor.

        Sets that do exceed it with their best parts become patterns.
        """
        worth, new = sets.worth.copy(), []
        while len(new) < SOLVED and worth.max(initial=0.0) > floor:
            at = int(worth.argmax())
            begin, inside = int(sets.begins[at]), sets.inside[at]
            multiplier, parts = items.relaxed_from(begin, sets.room[at])
            new.append(multiplier)
            worth = np.minimum(
                worth, sets.value + sets.room @ multiplier + items.beyond(multiplier[None, :])[0, sets.begins]
            )
            worth[at] = 0.0
            amounts = np.bincount(inside[inside >= 0], minlength=len(items.profit)).astype(float)
            amounts[begin:] += parts
            if amounts @ items.profit > floor:
                pattern = items.pattern(pair, amounts)
                patterns[pattern.key] = pattern
        return np.array(new).reshape(-1, len(items.capacity))


@dataclass(frozen=True, kw_only=True, eq=False)
class Items:
    """Items for one host, the largest first; the first `large` of them stay whole.

    Parameters
    ----------
    shapes, profit, most : arrays of int, shape [N]
    demand : array of int, shape [N, R]
    capacity : array of int, shape [R]
    large : int
    """

    shapes: np.ndarray
    profit: np.ndarray
    demand: np.ndarray
    most: np.ndarray
    capacity: np.ndarray
    large: int

    @classmethod
    def of(cls, pricer: Pricer, prices: Prices, pair: tuple[int, int], count: np.ndarray, large: float) -> Items:
        """The shapes worth putting on a host; above a share of it they are large."""
        shapes, profit, demand, most = pricer.candidates(prices, *pair, count)
        capacity = pricer.exactly.most[pair[0]]
        share = (demand / np.maximum(capacity, 1)).max(axis=1)
        order = np.argsort(-share, kind="stable")
        return cls(
            shapes=shapes[order],
            profit=profit[order],
            demand=demand[order],
            most=most[order],
            capacity=capacity,
            large=int((share > large).sum()),
        )

    @property
    def total(self) -> int:
        """What all of them are worth."""
        return int(self.profit @ self.most)

    def beyond(self, multiplier: np.ndarray) -> np.ndarray:
        """What items from each one on are worth beyond some multipliers, rounded up: shape [K, N + 1]."""
        reduced = np.maximum(self.profit - multiplier @ self.demand.T, 0.0) * self.most
        rest = np.zeros((len(multiplier), len(self.profit) + 1))
        rest[:, :-1] = np.cumsum(reduced[:, ::-1], axis=1)[:, ::-1] * (1 + ROUNDING * len(self.profit))
        return rest

    def relaxed_from(self, begin: int, room: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Multipliers for the items from one on in some room, and the best parts of them."""
        return relaxed(self.profit[begin:], self.demand[begin:], self.most[begin:], room)

    def pattern(self, pair: tuple[int, int], amounts: np.ndarray) -> Pattern:
        """Some of each item as a pattern."""
        held = np.flatnonzero(amounts > 1e-9)
        held = held[np.argsort(self.shapes[held])]
        return Pattern(kind=pair[0], pool=pair[1], shapes=self.shapes[held], numbers=amounts[held])


@dataclass(frozen=True, kw_only=True, eq=False)
class Sets:
    """Sets of large items, the room left for parts of others, and what they are worth.

    Parameters
    ----------
    worth : array of float, shape [L]
        At most, with the best parts of other items; 0 where there is no set.
    value : array of float, shape [L]
        Of the large items alone.
    begins, room, inside : arrays of int, shapes [L], [L, R] and [L, D]
        As in `kernels.worth.worth_at_most`.
    """

    worth: np.ndarray
    value: np.ndarray
    begins: np.ndarray
    room: np.ndarray
    inside: np.ndarray


class Memory:
    """Multipliers that proved useful, the most useful ones first, and how often each did."""

    def __init__(self, resources: int):
        self.multiplier, self.served = np.zeros((0, resources)), np.zeros(0, dtype="int64")

    def add(self, multiplier: np.ndarray) -> None:
        """Remember more multipliers in the place of those that served least."""
        kept = np.argsort(-self.served, kind="stable")[: max(REMEMBERED - len(multiplier), 0)]
        self.multiplier = np.ascontiguousarray(np.vstack([self.multiplier[kept], multiplier]))
        self.served = np.concatenate([self.served[kept] // 2, np.zeros(len(multiplier), dtype="int64")])
