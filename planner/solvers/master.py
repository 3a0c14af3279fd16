"""Master: the linear program of column generation over the patterns known so far, solved by GLOP through MathOpt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from ortools.glop.parameters_pb2 import GlopParameters
from ortools.math_opt.python import mathopt

from planner.solvers.instance import Instance
from planner.solvers.pricing import Pattern

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
        self.limited = [own for own in instance.families if instance.available[own[0]] < instance.items]
        stock = [self.model.add_linear_constraint(ub=float(instance.available[own[0]])) for own in self.limited]
        self.stock = {c: row for own, row in zip(self.limited, stock, strict=True) for c in own}
        # One dear way to meet each row keeps the program feasible before the patterns do.
        # Costs are divided by the largest: prices in cents are far from 1, where the simplex method is at its best.
        self.unit = float(max(instance.opening.max(), instance.placing.max(), 1))
        dear = 10.0 * float(instance.opening.max()) + 10.0 * float(instance.placing.max()) + 10.0
        self.dear = [self._variable(dear, {row: 1.0}) for row in self.rows]
        if features is not None:
            self.dear += [self._variable(dear, {row: -1.0}) for row in self.rows]
        self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)

    def _asked(self, count: np.ndarray) -> list[float]:
        return (count.astype(float) if self.features is None else count @ self.features).tolist()

    def _variable(self, cost: float, column: dict) -> mathopt.Variable:
        variable = self.model.add_variable(lb=0.0)
        self.model.objective.set_linear_coefficient(variable, cost / self.unit)
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
        self._variable(pattern.cost(self.instance), column)
        return True

    def require(self, count: np.ndarray, available: np.ndarray) -> None:
        """Change how many items of each shape are to be covered, and how many hosts of each class there are."""
        for row, n in zip(self.rows, self._asked(count), strict=True):
            row.lower_bound = n
            if self.features is not None:
                row.upper_bound = n
        for c, row in self.stock.items():
            row.upper_bound = float(available[c])

    def remade(self, patterns: Iterable[Pattern]) -> Master:
        """A new program with some patterns only."""
        master = Master(self.instance, self.features)
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
        duals, fees = np.zeros(len(self.rows)), np.zeros(len(self.instance.available))
        use, missing = np.zeros(len(self.patterns)), 0.0
        for row, value in result.dual_values().items():
            if row.id < len(self.rows):
                duals[row.id] = value * self.unit
            else:
                fees[self.limited[row.id - len(self.rows)]] = max(-value * self.unit, 0.0)
        for variable, value in result.variable_values().items():
            if variable.id < len(self.dear):
                missing += value
            else:
                use[variable.id - len(self.dear)] = value
        if self.features is not None:
            duals = np.minimum(self.features @ duals, LEEWAY * self.ceiling)
        return Solution(
            value=result.objective_value() * self.unit,
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
