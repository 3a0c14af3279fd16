"""Corners: what today's estate and a plan cost when figures of the prices lie elsewhere in their ranges.

In each figure alone the sum of costs is a straight line, so it is least and most at corners of the ranges: every figure
at one of its ends. It bends in the years, the discount rate and the activity of vCPUs, which are tried at their likely
figure too. Maintenance, administration, space, moves and disposal add to the saving, or take from it, whatever the
other figures are: which of their ends is better is known without trying each with every other.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd

from planner.baseline import Baseline
from planner.economics.energy import watts
from planner.economics.valuation import Load
from planner.plan import Plan
from planner.prices import Prices
from planner.problem import Problem
from planner.savings import money_of

ESTATES = ("today", "plan", "saving")
NO_MONEY = ("carbon_kg_per_kwh",)
"""Figures that costs do not depend on."""
ADDING = (
    *("maintenance_per_host_year", "rack_unit_year", "administration_per_host_year"),
    *("migration_per_workload", "disposal_per_host"),
)
BENDING = ("years", "discount_rate", "vcpu_activity")


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Today's estate beside a plan, to be costed at one set of prices after another.

    Parameters
    ----------
    problem : Problem
    plan : Plan
        One that `check` accepts.
    baseline : Baseline
    """

    problem: Problem
    plan: Plan
    baseline: Baseline

    @cached_property
    def _load(self) -> Load:
        return Load.of(self.problem, self.plan)

    @cached_property
    def likely(self) -> pd.DataFrame:
        """The horizon at the prices as they are."""
        return self.horizon()

    def horizon(self, **figures: float) -> pd.DataFrame:
        """What each item costs over the horizon with some figures of the prices changed.

        Returns
        -------
        DataFrame
            Index item; columns today, plan, saving. NaN where a figure is missing; row `total` sums up the others.
        """
        problem = priced(self.problem, **figures)
        load = dataclasses.replace(self._load, problem=problem)
        drawn = load.power_w(watts(problem.hosts, problem.prices))
        hosts = load.hosts[["host", "model", "pool"]].assign(row=load.row, watts=drawn)
        money = money_of(problem, self.plan, self.baseline, hosts)
        today, plan = (costs.horizon(problem.prices).sum(skipna=False) for costs in (money.before, money.after))
        frame = pd.DataFrame({"today": today, "plan": plan}).rename_axis("item")
        frame.loc["total"] = frame[frame.notna().all(axis=1)].sum(min_count=1)
        return frame.assign(saving=frame["today"] - frame["plan"])

    def saving(self, **figures: float) -> float:
        """What the plan saves over the horizon with some figures of the prices changed."""
        return float(self.horizon(**figures).loc["total", "saving"])


def priced(problem: Problem, **figures: float) -> Problem:
    """The problem with some figures of its prices changed; nothing else of it depends on them."""
    return dataclasses.replace(problem, prices=dataclasses.replace(problem.prices, **figures))


def ranges_table(problem: Problem, plan: Plan, baseline: Baseline) -> pd.DataFrame | None:
    """Each item over the horizon, and the total, at the corners of the ranges: the least, the likely and the most.

    Returns
    -------
    DataFrame or None
        item, unit; today, plan and saving each _low, _likely and _high; saving_low_at and saving_high_at: the first
        corner found there, in words. None where no range is given.
    """
    prices = problem.prices
    if not prices.ranges:
        return None
    compared = Comparison(problem=problem, plan=plan, baseline=baseline)
    corners = _corners(compared)
    figures = np.stack([compared.horizon(**one).to_numpy() for one in corners])
    rows = []
    for i, item in enumerate(compared.likely.index):
        row = {"item": item, "unit": prices.currency}
        for e, estate in enumerate(ESTATES):
            found = figures[:, i, e]
            likely = compared.likely[estate].iloc[i]
            row |= {f"{estate}_low": found.min(), f"{estate}_likely": likely, f"{estate}_high": found.max()}
        found = figures[:, i, ESTATES.index("saving")]
        same = np.isnan(found).any() or np.ptp(found) == 0
        row["saving_low_at"] = "" if same else told(prices, corners[int(found.argmin())])
        row["saving_high_at"] = "" if same else told(prices, corners[int(found.argmax())])
        rows.append(row)
    return pd.DataFrame(rows)


def _corners(compared: Comparison) -> list[dict[str, float]]:
    """The corners at which today's costs, the plan's and the saving are least and most."""
    spans = {name: span for name, span in compared.problem.prices.ranges.items() if name not in NO_MONEY}
    levels = {
        name: (span.low, span.likely, span.high) if name in BENDING else span.ends
        for name, span in spans.items()
        if name not in ADDING
    }
    adding = {name: span.ends for name, span in spans.items() if name in ADDING}
    worse_first = {
        name: (low, high) if compared.saving(**{name: low}) <= compared.saving(**{name: high}) else (high, low)
        for name, (low, high) in adding.items()
    }
    ends = [{name: pair[i] for name, pair in pairs.items()} for pairs in (adding, worse_first) for i in (0, 1)]
    ends = [end for at, end in enumerate(ends) if end not in ends[:at]]
    return [dict(zip(levels, one, strict=True)) | end for one in product(*levels.values()) for end in ends]


def told(prices: Prices, corner: dict[str, float]) -> str:
    """A corner in words: every figure with a range, in the order of the prices.

    >>> told(Prices(), {"pue": 1.2, "energy_per_kwh": 0.3})
    'energy_per_kwh 0.3, pue 1.2'
    """
    order = [one.name for one in dataclasses.fields(prices)]
    return ", ".join(f"{name} {corner[name]:g}" for name in sorted(corner, key=order.index))
