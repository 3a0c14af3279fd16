"""Column generation: the cheapest mix of patterns that covers every item, fractions allowed, and its bound.

The master problem is solved by GLOP through MathOpt's incremental solver. Patterns come from quick greedies first and
from exact pricing where those find none. Duals are smoothed towards those of the best bound (Wentges); every complete
exact pricing gives a weighting, and with it a bound through the covering problem.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.solvers import bounds
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.kernels import load as load_kernels
from planner.solvers.master import Duals, Master, Solution
from planner.solvers.packing import OpenHost, Packing
from planner.solvers.parts import LARGE, PartPricer
from planner.solvers.pricing import Pattern, Pricer, Prices
from planner.solvers.reserve import Reserve

SMOOTHING = 0.7
SHORT, LONG = 20_000, 400_000
"""Search nodes of one exact pricing that looks for patterns, and of one that proves there are none."""

FEW = 10
"""New patterns from quick pricing up to which exact pricing is asked as well."""

CROWDED, LEAN = 4, 2
"""Patterns for each row at which a master is made anew, and those that it keeps then."""

SAMPLE = 1000
"""Shapes that are priced first where there are very many."""

COARSEST, FINEST = 0.02, 0.2
"""Share of its cost by which a host with parts must be worth more at first, and hosts that this may cost the bound."""

FEW_PAIRS = 8
"""Classes and pools up to which patterns with parts are priced."""

MOST_EXACT = 10_000
"""Coarse shapes up to which exact pricing follows."""

AT_A_TIME = 16
"""Classes that quick pricing looks at before the linear program is solved again."""

EFFORT = 3.0
"""Deterministic time of CP-SAT where the nodes do not suffice."""


class Generation:
    """Column generation on one instance: keeps its patterns and multipliers for the dives that follow."""

    def __init__(
        self,
        incumbent: Incumbent,
        clock: Clock,
        seed: int,
        features: np.ndarray | None = None,
        prices: np.ndarray | None = None,
    ):
        self.incumbent, self.clock, self.prices = incumbent, clock, prices
        self.instance = incumbent.instance
        self.pricer = Pricer(self.instance, clock, seed)
        self.filling = load_kernels("filling")
        self.tops: set[bytes] = set()
        self.turn = 0
        self.master = Master(self.instance, features, self._rows_for(self._mix()))
        self.parts = PartPricer(self.pricer)
        self.centre = Duals.none(self.instance), -np.inf
        # Hosts that stand by come on top of those that the program asks for, in the bound and in plans.
        idle = self.instance.failover_hosts if self.master.reserve is None else 0
        self.reserve = idle * len(self.instance.pools) * int(self.instance.opening.max())

    def seed_patterns(self, packing: Packing) -> None:
        """The hosts of a packing as patterns."""
        for host in packing.hosts:
            if host.items:
                self.master.add(pattern_of(host))

    def reduced(self, pattern: Pattern, solution: Solution) -> float:
        """Reduced cost of a pattern."""
        worth = float(solution.duals.items[pattern.shapes] @ pattern.numbers)
        return pattern.cost(self.instance) + solution.duals.charge(pattern.kind, pattern.pool) - worth

    def quick_round(self, solution: Solution, duals: Duals, count: np.ndarray, tries: int = 12) -> int:
        """Add patterns found greedily; how many.

        Of many classes only some have their turn in a round, as long as these give patterns enough.
        """
        prices, added = Prices.of(duals.items, self.pricer.dearest), 0
        pairs = self.pricer.pairs
        for tried in range(len(pairs)):
            if self.clock.over or (tried >= AT_A_TIME and added > FEW):
                break
            kind, pool = pairs[self.turn]
            self.turn = (self.turn + 1) % len(pairs)
            for pattern in self.pricer.quick(prices, kind, pool, count, tries):
                if self.reduced(pattern, solution) < -1e-6 * max(1.0, solution.value / self.instance.items):
                    added += self.master.add(pattern)
        return added

    def exact_round(
        self, solution: Solution, prices: Prices, duals: Duals, count: np.ndarray, *, long: bool = True
    ) -> tuple[int, list[bounds.Weighting]]:
        """Price every class exactly; how many patterns were added, and the weightings proven, none where time ran out.

        A short search looks for patterns first. Where it finds none, the long one, if wanted, only asks for patterns
        that keep the bound from rising to one more whole host.
        """
        added, worth = self.short_round(solution, prices, duals, count)
        if len(worth) < len(self.pricer.pairs):
            return added, []
        reach = self._reach(duals)
        for pair in self.pricer.pairs if long and not added else ():
            floor = int(self._fee(prices, duals, pair) * reach)
            if worth[pair] > floor and not self.clock.over:
                most, found = self.pricer.exact(prices, *pair, count, floor, LONG, EFFORT)
                worth[pair] = min(worth[pair], most)
                added += self._take(found, solution)
        return added, [self.pricer.weighting(prices, p, worth) for p in range(len(self.instance.pools))]

    def short_round(
        self, solution: Solution, prices: Prices, duals: Duals, count: np.ndarray
    ) -> tuple[int, dict[tuple[int, int], int]]:
        """Search a few nodes for each class while time is left.

        Returns
        -------
        (int, dict)
            How many patterns were added, and what a host of each class and pool is worth at most.
        """
        added, worth = 0, {}
        for pair in self.pricer.pairs:
            if self.clock.over:
                break
            floor = int(self._fee(prices, duals, pair) * (1 + 1e-9))
            worth[pair], found = self.pricer.exact(prices, *pair, count, floor, SHORT)
            added += self._take(found, solution)
        return added, worth

    def _fee(self, prices: Prices, duals: Duals, pair: tuple[int, int]) -> float:
        """What one host costs at the prices' scale, with its fee and less its rebate."""
        return prices.scale * (float(self.instance.opening[pair[0]]) + duals.charge(*pair))

    def _take(self, patterns: list[Pattern], solution: Solution) -> int:
        """Add those patterns that fit to the last unit and improve the program; how many."""
        useful = [p for p in patterns if p.feasible(self.instance) and self.reduced(p, solution) < -1e-9]
        return sum(self.master.add(pattern) for pattern in useful)

    def _reach(self, duals: Duals) -> float:
        """Worth relative to its cost up to which patterns leave room for the bound to rise."""
        instance = self.instance
        if len(instance.available) > 1 or len(instance.pools) > 1 or duals.fees.any() or duals.rebates.any():
            return 1 + 1e-9
        if (self.incumbent.bound or 0) <= self.reserve:
            return 1 + 1e-9
        return max(1 + 1e-9, float(duals.items @ instance.count) / (self.incumbent.bound - self.reserve) * (1 - 1e-9))

    def run(self, seconds: float) -> None:
        """Generate columns until the bound can rise no more, the incumbent is proven, or time is up.

        Coarse rows are priced greedily first, a sample of very many shapes before all of them, then with items in
        parts where shapes are very many, and then exactly unless that would take too long.
        """
        until = self.clock.seconds + seconds
        shapes = len(self.instance.count)
        self.centre = self._first_duals()
        if self.master.features is not None:
            if shapes > 2 * SAMPLE:
                self._stage(self._sampled(), self.clock.seconds + seconds / 3, quick=True)
            self._stage(self.instance.count, self.clock.seconds + seconds / 3, quick=True)
            solution = self.master.solve()
            self.centre = solution.duals, -np.inf
            if shapes > 2 * SAMPLE and len(self.pricer.pairs) <= FEW_PAIRS:
                for large in LARGE:
                    self._in_parts(large, until)
        if shapes <= MOST_EXACT:
            self._stage(self.instance.count, until)
            while self.clock.seconds < until and self._turned():
                self._stage(self.instance.count, until)

    def _rows_for(self, mix: np.ndarray | None) -> Reserve | None:
        """The reserve where the largest hosts are those of a mix; None where there is none."""
        reserve = None if mix is None else Reserve.of(self.instance, mix)
        if reserve is not None:
            self.tops.add(reserve.top.tobytes())
        return reserve

    def _mix(self) -> np.ndarray | None:
        """The hosts of the best packing, else those that cover what is known."""
        cover, packing = self.incumbent.cover, self.incumbent.packing
        if packing is None:
            return None if cover is None else cover.mix
        return packing.mix(self.instance)

    def _turned(self) -> bool:
        """Whether hosts of other sizes cover what is known by now: then the program keeps their reserve."""
        known = len(self.tops)
        reserve = self._rows_for(self.incumbent.cover.mix)
        if len(self.tops) == known or self.incumbent.good_enough or self.clock.over:
            return False
        self.master = self.master.remade(self.master.patterns, reserve)
        self.centre = self.master.solve().duals, -np.inf
        return True

    def _in_parts(self, large: float, until: float) -> None:
        """Raise the bound by patterns in which items that are not large may be taken in parts, ever more exactly."""
        tolerance = COARSEST
        while self.clock.seconds < until and not self.clock.over and not self.incumbent.good_enough:
            solution = self.master.solve()
            self.trim(solution)
            if self._cannot_rise(solution):
                break
            prices = Prices.of(solution.duals.items, self.pricer.dearest)
            added, worth = 0, {}
            for pair in self.pricer.pairs:
                floor = int(self._fee(prices, solution.duals, pair) * (1 + tolerance))
                worth[pair], found = self.parts.price(prices, pair, self.instance.count, floor, large)
                added += sum(self.master.add(p) for p in found if self.reduced(p, solution) < -1e-9)
            weightings = [self.pricer.weighting(prices, p, worth) for p in range(len(self.instance.pools))]
            value = self._value(weightings, solution.duals, prices.scale)
            if value > self.centre[1]:
                self.centre = solution.duals, value
                self._prove(weightings, value)
            if not added:
                if tolerance * self.incumbent.bound < FINEST * self.instance.opening.max():
                    break
                tolerance /= 2
        if not self.clock.over:
            self.master = self.master.remade(p for p in self.master.patterns if p.whole)

    def _sampled(self) -> np.ndarray:
        """Counts of a sample of shapes, 0 for all others."""
        weight = (self.instance.demand / np.maximum(self.instance.capacity.max(axis=0), 1)).sum(axis=1)
        by_size = np.argsort(-weight, kind="stable")
        picked = by_size[np.linspace(0, len(by_size) - 1, SAMPLE).astype(int)]
        count = np.zeros_like(self.instance.count)
        count[picked] = self.instance.count[picked]
        return count

    def _stage(self, count: np.ndarray, until: float, *, quick: bool = False) -> None:
        """Generate columns of some shapes until none improves the program or time is up.

        Greedily alone if `quick`.
        """
        alpha = SMOOTHING
        while self.clock.seconds < until and not self.clock.over and not self.incumbent.good_enough:
            solution = self.master.solve()
            self.trim(solution)
            if not quick and self._cannot_rise(solution):
                return
            centre, best_value = self.centre
            duals = solution.duals.toward(centre, alpha)
            added = self.quick_round(solution, duals, count)
            if added > FEW:
                continue
            if quick:
                if alpha == 0.0:
                    return
                alpha = max(alpha - 0.25, 0.0)
                continue
            prices = Prices.of(duals.items, self.pricer.dearest)
            more, weightings = self.exact_round(solution, prices, duals, count)
            added += more
            value = self._value(weightings, duals, prices.scale)
            before = self.incumbent.bound
            if weightings and value > best_value:
                self.centre = duals, value
                self._prove(weightings, value)
            if added:
                alpha = SMOOTHING
            elif self.incumbent.bound != before:
                continue
            elif alpha == 0.0 or duals.close_to(solution.duals):
                return
            else:
                alpha = max(alpha - 0.25, 0.0)

    def trim(self, solution: Solution) -> None:
        """Make the master anew from its best patterns where there are many: large programs are slow to solve."""
        patterns, rows = self.master.patterns, max(len(self.master.rows), 100)
        if len(patterns) <= CROWDED * rows:
            return
        rank = np.array([self.reduced(pattern, solution) for pattern in patterns])
        rank[solution.use > 0] = -np.inf
        kept = np.sort(np.argsort(rank, kind="stable")[: LEAN * rows])
        self.master = self.master.remade(patterns[at] for at in kept.tolist())

    def _first_duals(self) -> tuple[Duals, float]:
        """Duals where the smoothing begins: those known, else what the scarcest resource of each pool stands for."""
        instance, duals, total = self.instance, Duals.none(self.instance), 0.0
        if self.prices is not None:
            return replace(duals, items=self.prices), -np.inf
        for w in bounds.resources(instance):
            rate = (w.worth / np.maximum(instance.opening, 1)).max()
            value = w.total(instance) / rate if rate > 0 else 0.0
            inside = instance.pool == w.pool
            known = float(duals.items[inside] @ instance.count[inside])
            if value > known:
                total += value - known
                duals.items[inside] = w.weight[inside] / rate
        return duals, total

    def _cannot_rise(self, solution: Solution) -> bool:
        """Whether the bound has reached what the program can still prove."""
        if solution.missing > 1e-6 or self.incumbent.bound is None:
            return False
        value = solution.value
        if self.master.features is not None:  # Prices below 0 count as 0, so coarse ones may prove more.
            value = max(value, solution.duals.total(self.instance))
        return self.incumbent.bound >= np.ceil(value - 1e-6 * max(1.0, abs(value))) + self.reserve

    def _value(self, weightings: list[bounds.Weighting], duals: Duals, scale: int) -> float:
        """The bound of some weightings at so many steps for a small unit, before host numbers are made whole."""
        total = 0.0
        for w in weightings:
            asked = w.total(self.instance) + scale * float(duals.kept[w.pool])
            # Ratio of what is asked to what the dearest use of a unit of money buys, limited classes at their fee.
            cost = self.instance.opening + duals.fees
            worth = w.worth + scale * duals.rebates[:, w.pool]
            rate = float((worth / np.maximum(cost, 1e-9))[worth > 0].max(initial=0.0)) or np.inf
            total += asked / max(rate, 1e-12)
        return total - float(duals.fees @ self.instance.stock)

    def _prove(self, weightings: list[bounds.Weighting], value: float) -> None:
        """The bound of the weightings through the covering problem, where it may rise."""
        known = self.incumbent.bound
        if known is not None and len(self.instance.available) == 1 and value + self.reserve <= known:
            return
        self.incumbent.prove(weightings)


def pattern_of(host: OpenHost) -> Pattern:
    """The pattern of a host."""
    shapes = np.array(sorted(host.items), dtype="int64")
    numbers = np.array([host.items[s] for s in shapes.tolist()], dtype="int64")
    return Pattern(kind=host.kind, pool=host.pool, shapes=shapes, numbers=numbers)
