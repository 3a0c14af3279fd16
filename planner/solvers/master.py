"""Master: the linear program of column generation over the patterns known so far, solved by GLOP through MathOpt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from ortools.glop.parameters_pb2 import GlopParameters
from ortools.math_opt.python import mathopt

from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost
from planner.solvers.pricing import Pattern
from planner.solvers.reserve import Reserve

LEEWAY = 1.1
"""Share of its ceiling that a price may reach: at the ceiling itself no missing pattern would seem worth adding."""

STALLED_SECONDS = 10.0
"""A linear program that takes longer goes round in circles: the next takes a tenth of a second as a rule."""

PARAMETERS = mathopt.SolveParameters(
    time_limit=timedelta(seconds=STALLED_SECONDS),
    lp_algorithm=mathopt.LPAlgorithm.PRIMAL_SIMPLEX,
    presolve=mathopt.Emphasis.OFF,
    scaling=mathopt.Emphasis.OFF,
    glop=GlopParameters(change_status_to_imprecise=False),
)
"""New columns leave the last basis feasible: primal simplex goes on from there, and presolve would throw it away.

Prices that are a little imprecise are prices all the same: what they prove is proven again in whole numbers.
"""

AFRESH = mathopt.SolveParameters(time_limit=timedelta(seconds=STALLED_SECONDS))
"""From the beginning, presolved and scaled: what is left where the other way did not come to an end."""

WANTED = mathopt.ModelSolveParameters(
    variable_values_filter=mathopt.VariableFilter(skip_zero_values=True),
    dual_values_filter=mathopt.LinearConstraintFilter(skip_zero_values=True),
    reduced_costs_filter=mathopt.VariableFilter(filtered_items=()),
)


class Stalled(ArithmeticError):
    """A linear program that came to no end."""


class Master:
    """The linear program over the patterns known so far.

    Parameters
    ----------
    instance : Instance
    features : array of float, shape [S, B], optional
        Coarse rows: what each shape counts in each of them. One row a shape where not given.
    reserve : Reserve, optional
        Further rows: what hosts, also those that carry nothing, offer together.
    """

    def __init__(self, instance: Instance, features: np.ndarray | None = None, reserve: Reserve | None = None):
        self.instance, self.features, self.reserve = instance, features, reserve
        if features is not None:
            self.ceiling = _ceiling(instance)
        self.model = mathopt.Model()
        self.patterns: list[Pattern] = []
        self.known: set[tuple] = set()
        asked = self._asked(instance.count)
        self.rows = [self.model.add_linear_constraint(lb=n, ub=n if features is not None else np.inf) for n in asked]
        self.limited = [own for own in instance.families if instance.available[own[0]] < instance.items]
        stock = [self.model.add_linear_constraint(ub=float(instance.available[own[0]])) for own in self.limited]
        self.stock = {c: row for own, row in zip(self.limited, stock, strict=True) for c in own}
        asked = np.zeros((0, 0)) if reserve is None else reserve.asked
        self.kept = [[self.model.add_linear_constraint(lb=n) for n in row] for row in asked.tolist()]
        # One dear way to meet each row keeps the program feasible before the patterns do.
        # Costs are divided by the largest: prices in cents are far from 1, where the simplex method is at its best.
        self.unit = float(max(instance.opening.max(), instance.placing.max(), 1))
        dear = 10.0 * float(instance.opening.max()) + 10.0 * float(instance.placing.max()) + 10.0
        self.dear = [self._variable(dear, {row: 1.0}) for row in self.rows]
        if features is not None:
            self.dear += [self._variable(dear, {row: -1.0}) for row in self.rows]
        self.dear += [self._variable(dear, {row: 1.0}) for rows in self.kept for row in rows]
        self.idle = [] if reserve is None else np.argwhere(reserve.able).tolist()
        for p, c in self.idle:
            self._variable(float(instance.opening[c]), self._opened(c, p))
        self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)

    def _asked(self, count: np.ndarray) -> list[float]:
        return (count.astype(float) if self.features is None else count @ self.features).tolist()

    def _variable(self, cost: float, column: dict) -> mathopt.Variable:
        variable = self.model.add_variable(lb=0.0)
        self.model.objective.set_linear_coefficient(variable, cost / self.unit)
        for row, value in column.items():
            row.set_coefficient(variable, value)
        return variable

    def _opened(self, kind: int, pool: int) -> dict:
        """The column of a host of a class that runs for a pool, whatever it carries."""
        column = {self.stock[kind]: 1.0} if kind in self.stock else {}
        if self.reserve is not None:
            gain = self.reserve.gain[pool, :, kind].tolist()
            column |= {row: value for row, value in zip(self.kept[pool], gain, strict=True) if value}
        return column

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
        column = {self.rows[row]: float(value) for row, value in entries} | self._opened(pattern.kind, pattern.pool)
        self.patterns.append(pattern)
        self._variable(pattern.cost(self.instance), column)
        return True

    def require(self, count: np.ndarray, available: np.ndarray, hosts: Sequence[OpenHost] = ()) -> None:
        """Change how many items of each shape are to be covered, and how many hosts of each class there are.

        The reserve is what `hosts`, which are taken already, leave to ask for.
        """
        for row, n in zip(self.rows, self._asked(count), strict=True):
            row.lower_bound = n
            if self.features is not None:
                row.upper_bound = n
        for c, row in self.stock.items():
            row.upper_bound = float(available[c])
        lacking = self.kept if self.reserve is None else self.reserve.lacking(hosts).tolist()
        for rows, asked in zip(self.kept, lacking, strict=True):
            for row, n in zip(rows, asked, strict=True):
                row.lower_bound = max(n, 0.0)

    def remade(self, patterns: Iterable[Pattern], reserve: Reserve | None = None) -> Master:
        """A new program with some patterns only, and with another reserve where one is given."""
        master = Master(self.instance, self.features, reserve or self.reserve)
        for pattern in patterns:
            master.add(pattern)
        return master

    def solve(self) -> Solution:
        """Solve the program."""
        result = self.solver.solve(params=PARAMETERS, model_params=WANTED)
        if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            result = mathopt.solve(self.model, mathopt.SolverType.GLOP, params=AFRESH, model_params=WANTED)
            self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)
        if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            raise Stalled(f"the linear program of column generation ended with {result.termination}")
        use, missing = np.zeros(len(self.patterns)), 0.0
        for variable, value in result.variable_values().items():
            if variable.id < len(self.dear):
                missing += value
            elif variable.id >= len(self.dear) + len(self.idle):
                use[variable.id - len(self.dear) - len(self.idle)] = value
        return Solution(
            value=result.objective_value() * self.unit,
            duals=self._duals(result.dual_values()),
            patterns=tuple(self.patterns),
            use=use,
            missing=missing,
        )

    def _duals(self, values: dict[mathopt.LinearConstraint, float]) -> Duals:
        """Duals of the rows, in small units."""
        dual = np.zeros(len(self.rows) + len(self.limited) + sum(len(rows) for rows in self.kept))
        for row, value in values.items():
            dual[row.id] = value * self.unit
        items, stock, kept = np.split(dual, [len(self.rows), len(self.rows) + len(self.limited)])
        if self.features is not None:
            items = np.minimum(self.features @ items, LEEWAY * self.ceiling)
        duals = Duals.none(self.instance)
        for own, value in zip(self.limited, stock.tolist(), strict=True):
            duals.fees[own] = max(-value, 0.0)
        if self.reserve is not None:
            kept = np.maximum(kept, 0.0).reshape(self.reserve.asked.shape)
            duals.kept[:] = (kept * self.reserve.asked).sum(axis=1)
            duals.rebates[:] = np.einsum("pq,pqc->cp", kept, self.reserve.gain)
        return replace(duals, items=np.maximum(items, 0.0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Duals:
    """Duals of the linear program, in small units of the objective.

    Parameters
    ----------
    items : array of float, shape [S]
    fees : array of float, shape [C]
        What a host of each class costs on top: there are few of them.
    rebates : array of float, shape [C, P]
        What a host of each class that runs for each pool adds to the reserve, whatever it carries.
    kept : array of float, shape [P]
        What the reserve of each pool is worth.
    """

    items: np.ndarray
    fees: np.ndarray
    rebates: np.ndarray
    kept: np.ndarray

    @classmethod
    def none(cls, instance: Instance) -> Duals:
        """All of them 0."""
        shapes, classes, pools = len(instance.count), len(instance.available), len(instance.pools)
        rebates = np.zeros((classes, pools))
        return cls(items=np.zeros(shapes), fees=np.zeros(classes), rebates=rebates, kept=np.zeros(pools))

    def toward(self, other: Duals, share: float) -> Duals:
        """These, and so large a share of others."""
        mixed = {name: (1 - share) * mine + share * vars(other)[name] for name, mine in vars(self).items()}
        return Duals(**mixed)

    def close_to(self, other: Duals) -> bool:
        """Whether they are the same as others but for rounding errors."""
        return all(np.allclose(mine, vars(other)[name], rtol=1e-9, atol=1e-12) for name, mine in vars(self).items())

    def charge(self, kind: int, pool: int) -> float:
        """What a host costs beside what opening it does; below 0 where it is worth more."""
        return float(self.fees[kind] - self.rebates[kind, pool])

    def total(self, instance: Instance) -> float:
        """What the program is worth by them."""
        return float(self.items @ instance.count + self.kept.sum() - self.fees @ instance.stock)


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """A solved master.

    Parameters
    ----------
    value : float
    duals : Duals
    patterns : tuple of Pattern
    use : array of float
        How often each pattern is used.
    missing : float
        What is covered by no pattern, and by no host in reserve.
    """

    value: float
    duals: Duals
    patterns: tuple[Pattern, ...]
    use: np.ndarray
    missing: float


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
