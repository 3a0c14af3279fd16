"""Corners: what today's estate and a plan cost when figures of the prices lie elsewhere in their ranges.

In each figure alone the sum of costs is a straight line, so it is least and most at corners of the ranges: every figure
at one of its ends. It bends in the years, the discount rate and the activity of vCPUs, which are tried at their likely
figure too. There are too many corners to try them all, and no need to, as the sum over the horizon is::

    years_discounted(years, discount_rate) * (energy_per_kwh * pue * kWh + what figures of `ALONE` cost every year)
    + licences(years, discount_rate) + what figures of `ALONE` cost once

where kWh depends on `DRAWN` alone. What stands before a figure never changes its sign, so whether its low or its high
end makes today's costs, the plan's or the saving more is seen with all others as likely: of each of `ALONE`, and of all
that energy depends on together. Years and discount rate are then tried with what was found.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import pandas as pd

from planner.baseline import Baseline
from planner.economics.costs import ENERGY
from planner.economics.energy import watts
from planner.economics.valuation import Load
from planner.plan import Plan
from planner.prices import Prices
from planner.problem import Problem
from planner.ranges import Range
from planner.savings import money_of

ESTATES = ("today", "plan", "saving")
NO_MONEY = ("carbon_kg_per_kwh",)
"""Figures that costs do not depend on."""
ALONE = (
    *("maintenance_per_host_year", "rack_unit_year", "administration_per_host_year"),
    *("migration_per_workload", "disposal_per_host", "residual_share"),
)
"""Figures that cost something by themselves, or save it, whatever the others are."""
PER_KWH, DRAWN = ("energy_per_kwh", "pue"), ("vcpu_activity", "host_idle_w", "host_peak_w")
"""What energy at the machine is multiplied with, never below 0, and what it depends on."""
TIMES = ("years", "discount_rate")
BENDING = (*TIMES, "vcpu_activity")


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
        corner found there, in words, of figures that the item depends on. None where no range is given.
    """
    prices = problem.prices
    if not prices.ranges:
        return None
    compared = Comparison(problem=problem, plan=plan, baseline=baseline)
    corners = _corners(compared)
    figures = np.stack([compared.horizon(**one).to_numpy() for one in corners])
    depends = _depending(compared, sorted({name for corner in corners for name in corner}))
    rows = []
    for i, item in enumerate(compared.likely.index):
        row = {"item": item, "unit": prices.currency}
        for e, estate in enumerate(ESTATES):
            found = figures[:, i, e]
            likely = compared.likely[estate].iloc[i]
            row |= {f"{estate}_low": found.min(), f"{estate}_likely": likely, f"{estate}_high": found.max()}
        found = figures[:, i, ESTATES.index("saving")]
        same = np.isnan(found).any() or np.ptp(found) == 0
        for end, at in (("low", found.argmin()), ("high", found.argmax())):
            corner = {name: figure for name, figure in corners[int(at)].items() if item in depends[name]}
            row[f"saving_{end}_at"] = "" if same else told(prices, corner)
        rows.append(row)
    return pd.DataFrame(rows)


def _depending(compared: Comparison, names: list[str]) -> dict[str, set[str]]:
    """For some figures the items that change with each of them, the others at their low or at their high ends."""
    ranges = compared.problem.prices.ranges
    ends = [{name: ranges[name].ends[end] for name in names} for end in (0, -1)]
    found: dict[str, set[str]] = {name: set() for name in names}
    for here, there in (ends, ends[::-1]):
        before = compared.horizon(**here).fillna(0.0)
        for name in names:
            differs = ~np.isclose(compared.horizon(**here | {name: there[name]}).fillna(0.0), before, rtol=1e-12)
            found[name] |= set(before.index[differs.any(axis=1)])
    return found


def _corners(compared: Comparison) -> list[dict[str, float]]:
    """The corners at which today's costs, the plan's and the saving, and each item of them, are least and most."""
    spans = {name: span for name, span in compared.problem.prices.ranges.items() if name not in NO_MONEY}
    levels = {
        name: (span.low, span.likely, span.high) if name in BENDING else span.ends for name, span in spans.items()
    }
    times, ends = _every(levels, TIMES), _ends_of_each(compared, spans)
    found = [
        corner | drawn | at for corner, drawn in zip(ends, _of_energy(compared, levels), strict=True) for at in times
    ]
    return [corner for at, corner in enumerate(found) if corner not in found[:at]]


def _ends_of_each(compared: Comparison, spans: dict[str, Range]) -> list[dict[str, float]]:
    """The ends of figures that cost something by themselves: for the least and the most of each estate."""
    found: list[dict[str, float]] = [{} for _ in range(2 * len(ESTATES))]
    for name in (name for name in spans if name in ALONE):
        low, high = spans[name].ends
        more = (compared.horizon(**{name: high}) - compared.horizon(**{name: low})).drop("total").sum()
        for at, estate in enumerate(ESTATES):
            found[2 * at][name], found[2 * at + 1][name] = (high, low) if more[estate] < 0 else (low, high)
    return found


def _of_energy(compared: Comparison, levels: dict[str, tuple[float, ...]]) -> list[dict[str, float]]:
    """The figures that energy depends on: for its least and its most in each estate; any where it is not known."""
    prices = [{name: levels[name][end] for name in PER_KWH if name in levels} for end in (0, -1)]
    tried = [drawn | price for drawn in _every(levels, DRAWN) for price in prices]
    energy = pd.DataFrame([compared.horizon(**one).loc[ENERGY] for one in tried]).fillna(0.0)
    return [tried[at] for estate in ESTATES for at in (energy[estate].argmin(), energy[estate].argmax())]


def _every(levels: dict[str, tuple[float, ...]], names: tuple[str, ...]) -> list[dict[str, float]]:
    """Some figures at all their levels, each with every other."""
    names = [name for name in names if name in levels]
    return [dict(zip(names, one, strict=True)) for one in product(*(levels[name] for name in names))]


def told(prices: Prices, corner: dict[str, float]) -> str:
    """A corner in words: every figure with a range, in the order of the prices.

    >>> told(Prices(), {"pue": 1.2, "energy_per_kwh": 0.3})
    'energy_per_kwh 0.3, pue 1.2'
    """
    order = [one.name for one in dataclasses.fields(prices)]
    return ", ".join(f"{name} {corner[name]:g}" for name in sorted(corner, key=order.index))
