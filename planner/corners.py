"""Corners: what today's estate and a plan cost when figures of the prices lie elsewhere in their ranges.

In each figure alone the sum of costs is a straight line, so it is least and most at corners of the ranges: every figure
at one of its ends. It bends in the years, the discount rate and the activity of vCPUs, which are tried at their likely
figure too. Maintenance, administration and space add to the saving, or take from it, whatever the other figures are:
which of their ends is better is known without trying each with every other.
"""

from __future__ import annotations

import dataclasses
from itertools import product

import numpy as np
import pandas as pd

from planner.baseline import Baseline
from planner.economics.energy import busy
from planner.economics.valuation import Load
from planner.plan import Plan
from planner.prices import Prices
from planner.problem import Problem
from planner.savings import money_of

ESTATES = ("today", "plan", "saving")
NO_MONEY = ("carbon_kg_per_kwh",)
"""Figures that costs do not depend on."""
ADDING = ("maintenance_per_host_year", "rack_unit_year", "administration_per_host_year")
BENDING = ("years", "discount_rate", "vcpu_activity")


def hosts_of(problem: Problem, plan: Plan) -> pd.DataFrame:
    """The hosts of a plan: host, model, pool, row (of problem.hosts), cpu_busy."""
    load = Load.of(problem, plan)
    work, offered = busy(problem)
    carried = np.bincount(load.h, weights=work[load.w], minlength=len(load.hosts))
    shares = carried / np.maximum(offered[load.row], 1e-9)
    return load.hosts[["host", "model", "pool"]].assign(row=load.row, cpu_busy=shares)


def horizon(problem: Problem, plan: Plan, baseline: Baseline) -> pd.DataFrame:
    """What each item costs over the horizon, NaN where a figure is missing, and in row `total` the sum of the others.

    Returns
    -------
    DataFrame
        Index item; columns today, plan, saving.
    """
    money = money_of(problem, plan, baseline, hosts_of(problem, plan))
    frame = pd.DataFrame(
        {
            estate: costs.horizon(problem.prices).sum(skipna=False)
            for estate, costs in (("today", money.before), ("plan", money.after))
        }
    ).rename_axis("item")
    frame.loc["total"] = frame[frame.notna().all(axis=1)].sum()
    return frame.assign(saving=frame["today"] - frame["plan"])


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
    likely = horizon(problem, plan, baseline)
    corners = _corners(problem, plan, baseline)
    figures = np.stack([horizon(priced(problem, **one), plan, baseline).to_numpy() for one in corners])
    rows = []
    for i, item in enumerate(likely.index):
        row = {"item": item, "unit": prices.currency}
        for e, estate in enumerate(ESTATES):
            found = figures[:, i, e]
            row |= {
                f"{estate}_low": found.min(),
                f"{estate}_likely": likely[estate].iloc[i],
                f"{estate}_high": found.max(),
            }
        for end, at in (("low", np.argmin), ("high", np.argmax)):
            found = figures[:, i, ESTATES.index("saving")]
            same = np.isnan(found).any() or np.ptp(found) == 0
            row[f"saving_{end}_at"] = "" if same else told(prices, corners[int(at(found))])
        rows.append(row)
    return pd.DataFrame(rows)


def _corners(problem: Problem, plan: Plan, baseline: Baseline) -> list[dict[str, float]]:
    """The corners at which today's costs, the plan's and the saving are least and most."""

    def saving(**figures: float) -> float:
        return horizon(priced(problem, **figures), plan, baseline).loc["total", "saving"]

    spans = {name: span for name, span in problem.prices.ranges.items() if name not in NO_MONEY}
    levels = {
        name: (span.low, span.likely, span.high) if name in BENDING else span.ends
        for name, span in spans.items()
        if name not in ADDING
    }
    adding = {name: span.ends for name, span in spans.items() if name in ADDING}
    worse_first = {
        name: (low, high) if saving(**{name: low}) <= saving(**{name: high}) else (high, low)
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
