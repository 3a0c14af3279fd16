"""Column generation: the cheapest mix of patterns that covers every item, fractions allowed, and its bound.

The master problem is solved by GLOP through MathOpt's incremental solver. Patterns come from quick greedies first and
from exact pricing where those find none. Duals are smoothed towards those of the best bound (Wentges); every complete
exact pricing gives a weighting, and with it a bound through the covering problem.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.math_opt.python import mathopt

from planner.solvers import bounds
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.kernels import load as load_kernels
from planner.solvers.packing import OpenHost, Packing
from planner.solvers.pricing import Pattern, Pricer, Prices

SMOOTHING = 0.7
SHORT, LONG = 20_000, 400_000
"""Search nodes of one exact pricing that looks for patterns, and of one that proves there are none."""

FEW = 10
"""New patterns from quick pricing up to which exact pricing is asked as well."""

CROWDED, LEAN = 4, 2
"""Patterns for each row at which a master is made anew, and those that it keeps then."""

SAMPLE = 1000
"""Shapes that are priced first where there are very many."""

LEEWAY = 1.1
"""Share of its ceiling that a price may reach: at the ceiling itself no missing pattern would seem worth adding."""

EFFORT = 3.0
"""Deterministic time of CP-SAT where the nodes do not suffice."""

PARAMETERS = mathopt.SolveParameters(
    lp_algorithm=mathopt.LPAlgorithm.PRIMAL_SIMPLEX, presolve=mathopt.Emphasis.OFF, scaling=mathopt.Emphasis.OFF
)
"""New columns leave the last basis feasible: primal simplex goes on from there, and presolve would throw it away."""

WANTED = mathopt.ModelSolveParameters(
    variable_values_filter=mathopt.VariableFilter(skip_zero_values=True),
    dual_values_filter=mathopt.LinearConstraintFilter(skip_zero_values=True),
    reduced_costs_filter=mathopt.VariableFilter(filtered_items=()),
)


class Master:
    """The linear program over the patterns known so far.

    Parameters
    ----------
    instance : Instance
    features : array of float, shape [S, B], optional
        Coarse rows: what each shape counts in each of them. One row a shape where not given.
    """

    def __init__(self, instance: Instance, features: np.ndarray | None = None):
        self.instance, self.features = instance, features
        if features is not None:
            self.ceiling = _ceiling(instance)
        self.model = mathopt.Model()
        self.patterns: list[Pattern] = []
        self.known: set[tuple] = set()
        asked = self._asked(instance.count)
        self.rows = [self.model.add_linear_constraint(lb=n, ub=n if features is not None else np.inf) for n in asked]
        self.limited = np.flatnonzero(instance.available < instance.items)
        self.stock = {int(c): self.model.add_linear_constraint(ub=float(instance.available[c])) for c in self.limited}
        # One dear way to meet each row keeps the program feasible before the patterns do.
        dear = 10.0 * float(instance.opening.max()) + 10.0 * float(instance.placing.max()) + 10.0
        self.dear = [self._variable(dear, {row: 1.0}) for row in self.rows]
        if features is not None:
            self.dear += [self._variable(dear, {row: -1.0}) for row in self.rows]
        self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)

    def _asked(self, count: np.ndarray) -> list[float]:
        return (count.astype(float) if self.features is None else count @ self.features).tolist()

    def _variable(self, cost: float, column: dict) -> mathopt.Variable:
        variable = self.model.add_variable(lb=0.0)
        self.model.objective.set_linear_coefficient(variable, cost)
        for row, value in column.items():
            row.set_coefficient(variable, value)
        return variable

    def add(self, pattern: Pattern) -> bool:
        """Take a pattern that is new; say whether it was."""
        if pattern.key in self.known:
            return False
        self.known.add(pattern.key)
        if self.features is None:
            entries = zip(pattern.shapes.tolist(), pattern.numbers.tolist(), strict=True)
        else:
            values = pattern.numbers @ self.features[pattern.shapes]
            entries = ((b, values[b]) for b in np.flatnonzero(values).tolist())
        column = {self.rows[row]: float(value) for row, value in entries}
        if pattern.kind in self.stock:
            column[self.stock[pattern.kind]] = 1.0
        self.patterns.append(pattern)
        self._variable(float(pattern.cost(self.instance)), column)
        return True

    def require(self, count: np.ndarray, available: np.ndarray) -> None:
        """Change how many items of each shape are to be covered, and how many hosts of each class there are."""
        for row, n in zip(self.rows, self._asked(count), strict=True):
            row.lower_bound = n
            if self.features is not None:
                row.upper_bound = n
        for c, row in self.stock.items():
            row.upper_bound = float(available[c])

    def solve(self) -> Solution:
        """Solve the program."""
        result = self.solver.solve(params=PARAMETERS, model_params=WANTED)
        if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            raise ArithmeticError(f"the linear program of column generation ended with {result.termination}")
        duals, fees = np.zeros(len(self.rows)), np.zeros(len(self.instance.available))
        use, missing = np.zeros(len(self.patterns)), 0.0
        for row, value in result.dual_values().items():
            if row.id < len(self.rows):
                duals[row.id] = value
            else:
                fees[self.limited[row.id - len(self.rows)]] = max(-value, 0.0)
        for variable, value in result.variable_values().items():
            if variable.id < len(self.dear):
                missing += value
            else:
                use[variable.id - len(self.dear)] = value
        if self.features is not None:
            duals = np.minimum(self.features @ duals, LEEWAY * self.ceiling)
        return Solution(
            value=result.objective_value(),
            duals=np.maximum(duals, 0.0),
            fees=fees,
            patterns=tuple(self.patterns),
            use=use,
            missing=missing,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """A solved master.

    Parameters
    ----------
    value : float
    duals : array of float, shape [S]
        Of the items.
    fees : array of float, shape [C]
        Of the classes in limited number.
    patterns : tuple of Pattern
    use : array of float
        How often each pattern is used.
    missing : float
        What is covered by no pattern.
    """

    value: float
    duals: np.ndarray
    fees: np.ndarray
    patterns: tuple[Pattern, ...]
    use: np.ndarray
    missing: float


class Generation:
    """Column generation on one instance: keeps its patterns and multipliers for the dives that follow."""

    def __init__(self, incumbent: Incumbent, clock: Clock, seed: int, features: np.ndarray | None = None):
        self.incumbent, self.clock = incumbent, clock
        self.instance = incumbent.instance
        self.pricer = Pricer(self.instance, clock, seed)
        self.filling = load_kernels("filling")
        self.master = Master(self.instance, features)
        self.centre = (np.zeros(0), np.zeros(0), -np.inf)

    def seed_patterns(self, packing: Packing) -> None:
        """The hosts of a packing as patterns."""
        for host in packing.hosts:
            if host.items:
                self.master.add(pattern_of(host))

    def reduced(self, pattern: Pattern, solution: Solution) -> float:
        """Reduced cost of a pattern."""
        worth = float(solution.duals[pattern.shapes] @ pattern.numbers)
        return pattern.cost(self.instance) + solution.fees[pattern.kind] - worth

    def quick_round(self, solution: Solution, duals: np.ndarray, count: np.ndarray, tries: int = 12) -> int:
        """Add patterns found greedily; how many."""
        prices, added = Prices.of(duals, self.pricer.dearest), 0
        for kind, pool in self.pricer.pairs:
            if self.clock.over:
                break
            for pattern in self.pricer.quick(prices, kind, pool, count, tries):
                if self.reduced(pattern, solution) < -1e-6 * max(1.0, solution.value / self.instance.items):
                    added += self.master.add(pattern)
        return added

    def exact_round(
        self, solution: Solution, duals: np.ndarray, fees: np.ndarray, count: np.ndarray
    ) -> tuple[int, list[bounds.Weighting]]:
        """Price every class exactly; how many patterns were added, and the weightings proven, none where time ran out.

        A short search looks for patterns first. Where it finds none, the long one only asks for patterns that keep the
        bound from rising to one more whole host.
        """
        prices = Prices.of(duals, self.pricer.dearest)
        added, worth = self.short_round(solution, prices, fees, count)
        if len(worth) < len(self.pricer.pairs):
            return added, []
        reach = self._reach(duals, fees)
        for pair in self.pricer.pairs if not added else ():
            floor = int(self._fee(prices, fees, pair) * reach)
            if worth[pair] > floor and not self.clock.over:
                most, found = self.pricer.exact(prices, *pair, count, floor, LONG, EFFORT)
                worth[pair] = min(worth[pair], most)
                added += self._take(found, solution)
        return added, [self.pricer.weighting(prices, p, worth) for p in range(len(self.instance.pools))]

    def short_round(
        self, solution: Solution, prices: Prices, fees: np.ndarray, count: np.ndarray
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
            floor = int(self._fee(prices, fees, pair) * (1 + 1e-9))
            worth[pair], found = self.pricer.exact(prices, *pair, count, floor, SHORT)
            added += self._take(found, solution)
        return added, worth

    def _fee(self, prices: Prices, fees: np.ndarray, pair: tuple[int, int]) -> float:
        """What one host costs at the prices' scale, the fee of a class in limited number included."""
        return prices.scale * (float(self.instance.opening[pair[0]]) + fees[pair[0]])

    def _take(self, patterns: list[Pattern], solution: Solution) -> int:
        """Add those patterns that fit to the last unit and improve the program; how many."""
        useful = [p for p in patterns if p.feasible(self.instance) and self.reduced(p, solution) < -1e-9]
        return sum(self.master.add(pattern) for pattern in useful)

    def _reach(self, duals: np.ndarray, fees: np.ndarray) -> float:
        """Worth relative to its cost up to which patterns leave room for the bound to rise."""
        instance = self.instance
        if len(instance.available) > 1 or len(instance.pools) > 1 or not self.incumbent.bound or fees.any():
            return 1 + 1e-9
        return max(1 + 1e-9, float(duals @ instance.count) / self.incumbent.bound * (1 - 1e-9))

    def run(self, seconds: float) -> None:
        """Generate columns until the bound can rise no more, the incumbent is proven, or time is up.

        With very many shapes a sample of them is priced until that gives nothing new, and then all of them.
        """
        until = self.clock.seconds + seconds
        self.centre = self._volume_duals()
        if len(self.instance.count) > 2 * SAMPLE:
            self._stage(self._sampled(), self.clock.seconds + seconds / 3, quick=True)
            self._stage(self.instance.count, self.clock.seconds + seconds / 2, quick=True)
        self._stage(self.instance.count, until)

    def _sampled(self) -> np.ndarray:
        """Counts of a sample of shapes, 0 for all others."""
        weight = (self.instance.demand / np.maximum(self.instance.capacity.max(axis=0), 1)).sum(axis=1)
        by_size = np.argsort(-weight, kind="stable")
        picked = by_size[np.linspace(0, len(by_size) - 1, SAMPLE).astype(int)]
        count = np.zeros_like(self.instance.count)
        count[picked] = self.instance.count[picked]
        return count

    def _stage(self, count: np.ndarray, until: float, *, quick: bool = False) -> None:
        """Generate columns of some shapes until none improves the program or time is up; greedily alone if `quick`."""
        alpha = SMOOTHING
        while self.clock.seconds < until and not self.clock.over and not self.incumbent.good_enough:
            solution = self.master.solve()
            self.trim(solution)
            if not quick and self._cannot_rise(solution):
                return
            best_duals, best_fees, best_value = self.centre
            duals = alpha * best_duals + (1 - alpha) * solution.duals
            fees = alpha * best_fees + (1 - alpha) * solution.fees
            added = self.quick_round(solution, duals, count)
            if added > FEW:
                continue
            if quick:
                if alpha == 0.0:
                    return
                alpha = max(alpha - 0.25, 0.0)
                continue
            more, weightings = self.exact_round(solution, duals, fees, count)
            added += more
            value = self._value(weightings, fees)
            before = self.incumbent.bound
            if weightings and value > best_value:
                self.centre = duals, fees, value
                self._prove(weightings, value)
            if added:
                alpha = SMOOTHING
            elif self.incumbent.bound != before:
                continue
            elif alpha == 0.0 or np.allclose(duals, solution.duals, rtol=1e-9, atol=1e-12):
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
        self.master = Master(self.instance, self.master.features)
        for at in kept.tolist():
            self.master.add(patterns[at])

    def _volume_duals(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Duals that the scarcest resource of each pool stands for: where the smoothing begins."""
        instance = self.instance
        duals, fees, total = np.zeros(len(instance.count)), np.zeros(len(instance.available)), 0.0
        for w in bounds.resources(instance):
            rate = (w.worth / np.maximum(instance.opening, 1)).max()
            value = w.total(instance) / rate if rate > 0 else 0.0
            inside = instance.pool == w.pool
            if value > duals[inside] @ instance.count[inside]:
                total += value - float(duals[inside] @ instance.count[inside])
                duals[inside] = w.weight[inside] / rate
        return duals, fees, total

    def _cannot_rise(self, solution: Solution) -> bool:
        """Whether the bound has reached what the program can still prove."""
        if solution.missing > 1e-6 or self.incumbent.bound is None:
            return False
        return self.incumbent.bound >= np.ceil(solution.value - 1e-6 * max(1.0, abs(solution.value)))

    def _value(self, weightings: list[bounds.Weighting], fees: np.ndarray) -> float:
        """The bound of some weightings, before host numbers are made whole."""
        total = 0.0
        for w in weightings:
            asked = w.total(self.instance)
            # Ratio of what is asked to what the dearest use of a unit of money buys, limited classes at their fee.
            cost = self.instance.opening + fees
            worth = w.worth > 0
            rate = float((w.worth[worth] / np.maximum(cost[worth], 1e-9)).max()) if worth.any() else np.inf
            total += asked / max(rate, 1e-12)
        return total - float(fees @ self.instance.available)

    def _prove(self, weightings: list[bounds.Weighting], value: float) -> None:
        """The bound of the weightings through the covering problem, where it may rise."""
        if self.incumbent.bound is not None and len(self.instance.available) == 1 and value <= self.incumbent.bound:
            return
        self.incumbent.prove(weightings)


def _ceiling(instance: Instance) -> np.ndarray:
    """What an item may be worth at most where there are others like it: a host's cost shared by all that fit.

    Only hosts in unlimited number count: the others carry a fee that nobody knows beforehand.
    """
    ceiling = np.full(len(instance.count), np.inf)
    for c in np.flatnonzero(instance.available >= instance.items).tolist():
        copies = np.full(len(instance.count), np.inf)
        for r in range(instance.demand.shape[1]):
            needs = instance.demand[:, r] > 0
            copies[needs] = np.minimum(copies[needs], instance.capacity[c, r] // instance.demand[needs, r])
        fits = instance.fits[:, c]
        ceiling[fits] = np.minimum(
            ceiling[fits], instance.opening[c] / np.maximum(copies[fits], 1) + instance.placing[fits, c]
        )
    return ceiling


def pattern_of(host: OpenHost) -> Pattern:
    """The pattern of a host."""
    shapes = np.array(sorted(host.items), dtype="int64")
    numbers = np.array([host.items[s] for s in shapes.tolist()], dtype="int64")
    return Pattern(kind=host.kind, pool=host.pool, shapes=shapes, numbers=numbers)
