"""Fronts: plans of which none is better than another in everything, and what is proven about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planner.checker import check
from planner.errors import InputError, did_you_mean
from planner.plan import Plan, Result, Status, Stop
from planner.problem import Problem

CRITERIA = {"hosts": "hosts", "cost": "cost", "energy": "energy_kwh", "carbon": "carbon_kg", "moves": "moves"}
"""What can be traded, and the column of the table that has it."""
TIE = 1e-9
"""Share by which figures may differ and yet be equal."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Front:
    """Plans that `check` accepts and of which none is better than another in everything asked for.

    Parameters
    ----------
    table : DataFrame
        A row for each plan, by the first objective: plan (its name), hosts, cost (over the horizon, in the currency of
        the prices), energy_kwh (a year), carbon_kg (over the horizon), moves (from what stands today), least (which of
        the objectives no plan here has less of), proof (what is proven about it), violations, and for every objective
        its proven bound: hosts_bound, cost_bound, energy_kwh_bound, carbon_kg_bound, moves_bound, NaN where none is.
    plans : dict of str to Plan
        By name.
    bounds : dict of str to float
        By objective, where one is proven: the ideal point, which no plan has less of.
    units : dict of str to str
        Of the columns.
    missing : dict of str to str
        Criteria that the table does not know, and why.
    without : dict of str to tuple of str
        By criterion, what it leaves out for want of figures; nothing for those that leave nothing out.
    objectives : tuple of str
    tried : int
        How many plans were found on the way.
    """

    table: pd.DataFrame
    plans: dict[str, Plan]
    bounds: dict[str, float]
    units: dict[str, str]
    objectives: tuple[str, ...]
    missing: dict[str, str] = field(default_factory=dict)
    without: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tried: int = 0

    def __repr__(self) -> str:
        shown = [name for name in self.table if not name.endswith("_bound") and self.table[name].notna().any()]
        bounds = ", ".join(f"{name} {value:,.6g}" for name, value in self.bounds.items())
        return f"{self.table[shown].to_string(index=False)}\nproven bounds: {bounds or 'none'}"

    def result_of(self, name: str, problem: Problem) -> Result:
        """A plan of the front as a result of the problem that the front is of, with its value and without a bound.

        Raises
        ------
        InputError
            A plan that the front does not have.
        """
        if name not in self.plans:
            raise InputError(f"front: found {name!r}{did_you_mean(name, self.plans)}")
        column, row = CRITERIA[problem.objective], self.table.set_index("plan").loc[name]
        return Result(
            plan=self.plans[name],
            status=Status.FEASIBLE,
            stop=Stop.TIME,
            objective_name=problem.objective,
            objective_unit=self.units[column],
            objective_value=float(row[column]),
            bound=None,
            without=self.without.get(problem.objective, ()),
            seconds=0.0,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """A plan that `check` accepts, its figures by criterion (NaN where not known), and what is proven about it."""

    plan: Plan
    figures: dict[str, float]
    proof: str = ""


def undominated(points: list[Point], objectives: Sequence[str]) -> list[Point]:
    """Points that none dominates, equal ones once; that with a proof stays."""
    figures = np.array([[point.figures[name] for name in objectives] for point in points])
    close = TIE * np.maximum(np.abs(figures), 1.0)
    kept: list[int] = []
    for i, row in enumerate(figures):
        no_worse = (figures <= row + close[i]).all(axis=1)
        better = no_worse & (figures < row - close[i]).any(axis=1)
        equal = no_worse & ~better
        proven = [j for j in np.flatnonzero(equal) if points[j].proof]
        if not better.any() and i == min(proven or np.flatnonzero(equal).tolist()):
            kept.append(i)
    return [points[i] for i in kept]


def table_of(
    problem: Problem, kept: dict[str, Point], objectives: Sequence[str], bounds: dict[str, float]
) -> pd.DataFrame:
    """The table of a front, see `Front`.

    Parameters
    ----------
    problem : Problem
    kept : dict of str to Point
        By name.
    objectives : sequence of str
    bounds : dict of str to float
        By objective, where one is proven.
    """
    least = {name: min(point.figures[name] for point in kept.values()) for name in objectives}
    rows = []
    for name, point in kept.items():
        best = [one for one in objectives if point.figures[one] <= least[one] + TIE * abs(least[one])]
        row = {"plan": name} | {column: point.figures[one] for one, column in CRITERIA.items()}
        row |= {"least": ", ".join(best), "proof": point.proof, "violations": len(check(problem, point.plan))}
        rows.append(row | {f"{CRITERIA[one]}_bound": bounds.get(one, np.nan) for one in objectives})
    return pd.DataFrame(rows)
