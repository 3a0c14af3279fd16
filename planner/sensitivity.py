"""Sensitivity: which assumptions would change a decision, and where it turns.

One figure of the prices at a time moves between its ends while the plan stays as it is: the tornado of the saving.
Where the saving becomes 0 within what a figure may be, the decision turns there: its break-even.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from planner import baseline as estates
from planner.baseline import Baseline
from planner.checker import check
from planner.corners import BENDING, NO_MONEY, Comparison, priced, ranges_table
from planner.economics.costs import ENERGY, HARDWARE, MAINTENANCE
from planner.economics.valuation import valued
from planner.errors import InputError, did_you_mean
from planner.plan import Plan
from planner.prices import LIMITS, Prices, unit_of
from planner.problem import Problem
from planner.ranges import Range
from planner.solvers import solve

USUAL = 0.2
"""Share of its figure by which one without a range is moved, down and up."""
STEPS = 20
"""Parts of what a figure may be that are looked through where costs bend in it."""
CLOSE = 1e-12
"""Relative width at which a root is narrow enough."""
STILL = 1e-9
"""Share of itself by which a sum that does not depend on a figure may differ, by rounding."""
WATTS = ("host_idle_w", "host_peak_w")
OF_ENERGY = ("energy_per_kwh", "pue", "vcpu_activity", *WATTS)
EXPECTED = {
    HARDWARE: "the price of every host that is bought",
    ENERGY: "energy_per_kwh and the watts of every host",
    "rack space": "the rack_units of every host",
}
"""What has to be known of an item before two plans are compared."""
RESOLVED = ("status", "hosts", "objective", "gain")


@dataclass(frozen=True, kw_only=True, eq=False)
class Sensitivity:
    """What moving each assumption does to what a plan saves against today.

    Parameters
    ----------
    tornado : DataFrame
        A row for each figure of the prices, that with the most effect first, those that are missing last: assumption,
        unit, low, likely, high, source (where the ends come from), saving_low and saving_high (over the horizon, with
        the assumption at that end), width, break_even (where the saving is 0, the nearest to likely; NaN where it never
        is), note. After solving again, at either end: status_, hosts_, objective_ and gain_ (by how much the plan found
        there is better than this one), with low and high.
    saving : float
        With every assumption as likely, over the horizon.
    ranges : DataFrame or None
        `Report.ranges`, where ranges are given.
    currency, objective_unit : str
    without : tuple of str
        Items that no saving counts, for want of figures.
    """

    tornado: pd.DataFrame
    saving: float
    ranges: pd.DataFrame | None
    currency: str
    objective_unit: str = ""
    without: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """What the plan saves, to follow "the plan" in a sentence."""
        if np.isnan(self.saving):
            return "saves what is not known"
        amount = f"{abs(self.saving):,.0f} {self.currency}"
        return f"saves {amount}" if self.saving >= 0 else f"costs {amount} more than today"

    @property
    def told_without(self) -> str:
        """What the saving leaves out, to follow it in a sentence; "" where nothing is."""
        return f", without {', '.join(self.without)}" if self.without else ""

    def __repr__(self) -> str:
        shown = ["assumption", "low", "likely", "high", "saving_low", "saving_high", "break_even"]
        told = f"saving {self.saving:,.0f} {self.currency}{self.told_without}"
        return f"{told}\n{self.tornado[shown].to_string(index=False)}"


def sensitivity(
    problem: Problem,
    plan: Plan,
    baseline: Baseline | None = None,
    *,
    ranges: dict[str, Range] | None = None,
    resolve: bool = False,
    time_limit: float = 10.0,
    seed: int = 0,
    workers: int = 1,
) -> Sensitivity:
    """Move each figure of the prices between its ends, one at a time, and look where the decision turns.

    Parameters
    ----------
    problem : Problem
    plan : Plan
        One that `check` accepts.
    baseline : Baseline, optional
        By default `planner.today(problem)`.
    ranges : dict of str to Range, optional
        Ends by field of the prices; before those of the prices themselves. Other figures move by 20 % down and up, as
        far as their limits allow. Likely figures given here are reckoned with.
    resolve : bool
        Solve again at either end of each assumption, with the objective of the problem.
    time_limit : float
        Seconds of each such search.
    seed, workers : int

    Raises
    ------
    InputError
        A field that prices do not have, a range that it does not take, a plan that the checker rejects, or solving
        again for the fewest hosts, which no price changes.
    """
    if resolve and problem.objective == "hosts":
        raise InputError("resolve: found objective 'hosts', which no price changes; expected cost, energy or carbon")
    for name in ranges or {}:
        _require_field(name)
    problem = priced(problem, **{name: Range.of(span, f"ranges.{name}") for name, span in (ranges or {}).items()})
    _require_accepted(problem, plan, "plan")
    baseline = estates.today(problem) if baseline is None else baseline
    compared = Comparison(problem=problem, plan=plan, baseline=baseline)
    rows = [_moved(compared, name) for name in LIMITS]
    if resolve:
        options = {"time_limit": time_limit, "seed": seed, "workers": workers}
        rows = [row | _solved_again(problem, plan, row, options) for row in rows]
    frame = pd.DataFrame(rows).sort_values("width", ascending=False, kind="stable", ignore_index=True)
    return Sensitivity(
        tornado=frame,
        saving=float(compared.likely.loc["total", "saving"]),
        ranges=ranges_table(problem, plan, baseline),
        currency=problem.prices.currency,
        objective_unit=valued(problem, plan).book.unit if resolve else "",
        without=tuple(compared.likely.index[compared.likely["saving"].isna()].drop("total", errors="ignore")),
    )


def _moved(compared: Comparison, name: str) -> dict:
    """One row of the tornado."""
    prices = compared.problem.prices
    likely, (least, most) = getattr(prices, name), limits(prices, name)
    row = {"assumption": name, "unit": unit_of(prices, name)}
    if likely is None:
        blank = dict.fromkeys(("low", "likely", "high"), np.nan) | {"source": ""}
        ends = dict.fromkeys(("saving_low", "saving_high", "width", "break_even"), np.nan)
        only = "; it counts for hosts without watts of their own" if name in WATTS else ""
        return row | blank | ends | {"note": f"not given: its effect is not known{only}"}
    span = prices.ranges.get(name)
    source = "given" if span is not None else f"±{100 * USUAL:g} %, no range is given"
    low, high = span.ends if span is not None else (max(likely * (1 - USUAL), least), min(likely * (1 + USUAL), most))

    def saving(value: float) -> float:
        return compared.saving(**{name: value})

    ends = [saving(value) for value in (low, high)]
    turns = None if name in NO_MONEY else root(saving, name, likely, least, most)
    return row | {
        "low": low,
        "likely": likely,
        "high": high,
        "source": source,
        "saving_low": ends[0],
        "saving_high": ends[1],
        "width": abs(ends[1] - ends[0]),
        "break_even": np.nan if turns is None else turns,
        "note": _note(name, likely, compared.likely, span),
    }


def _note(name: str, likely: float, known: pd.DataFrame, span: Range | None) -> str:
    """Why an assumption shows no effect on the money, where that is so by itself."""
    if name in NO_MONEY:
        return "has no effect on money"
    if name in OF_ENERGY and known.loc[ENERGY].isna().any():
        return "energy is left out of the total: a price or watts are missing"
    return f"{100 * USUAL:g} % of 0 is 0: give a range" if likely == 0 and span is None else ""


def _solved_again(problem: Problem, plan: Plan, row: dict, options: dict) -> dict:
    """The best plan with one assumption at either end, and by how much it is better there than the plan."""
    found = {}
    for end in ("low", "high"):
        best = {"status": "", "hosts": np.nan, "objective": np.nan, "gain": np.nan}
        if row["low"] < row["high"]:
            there = priced(problem, **{row["assumption"]: row[end]})
            result, here = solve(there, start=plan, **options), valued(there, plan).value
            best |= {"status": str(result.status), "hosts": plan.hosts_used, "objective": here, "gain": 0.0}
            if result.plan is not None and result.objective_value < here:
                best |= {"hosts": result.hosts_used, "objective": result.objective_value}
                best["gain"] = here - result.objective_value
        found |= {f"{figure}_{end}": best[figure] for figure in RESOLVED}
    return found


def break_even(problem: Problem, plan: Plan, other: Plan, field: str) -> float | None:
    """The figure at which two plans of a problem cost the same over the horizon: beyond it the other one pays.

    Parameters
    ----------
    problem : Problem
    plan, other : Plan
        Plans that `check` accepts, such as one that keeps the owned hosts and one that buys.
    field : str
        A figure of the prices, such as "energy_per_kwh"; it may be missing there.

    Returns
    -------
    float or None
        In the field's unit, the nearest to that of now; None where they cost the same nowhere within its limits.

    Raises
    ------
    InputError
        A field that prices do not have or that costs do not depend on, a plan that the checker rejects, or an item with
        a price of which a host lacks figures; items without a price are left out.
    """
    _require_field(field)
    if field in NO_MONEY:
        raise InputError(f"break_even: found {field!r}, on which costs do not depend, expected a price")
    for what, one in (("plan", plan), ("other", other)):
        _require_accepted(problem, one, what)
    now, (least, most) = getattr(problem.prices, field), limits(problem.prices, field)
    baseline = estates.today(problem)
    compared = [Comparison(problem=problem, plan=each, baseline=baseline) for each in (plan, other)]

    def more(value: float) -> float:
        one, two = (each.horizon(**{field: value})["plan"].drop("total") for each in compared)
        _require_known(priced(problem, **{field: value}).prices, field, one.index[(one + two).isna()])
        return float((one - two).sum())

    return root(more, field, least if now is None else now, least, most)


def _require_known(prices: Prices, field: str, unknown: pd.Index) -> None:
    """Refuse items that have a price, and of which a host lacks figures."""
    unpriced = {ENERGY: prices.energy_per_kwh is None, MAINTENANCE: prices.maintenance_per_host_year is None}
    unpriced |= {
        one.product: all(other.price is None for other in prices.licences if other.product == one.product)
        for one in prices.licences
    }
    if field in OF_ENERGY:
        unpriced[ENERGY] = False
    for item in unknown:
        if not unpriced.get(item, False):
            raise InputError(f"break_even, {field}: {item} is missing, expected {EXPECTED.get(item, 'its figures')}")


def root(function: Callable[[float], float], name: str, now: float, least: float, most: float) -> float | None:
    """Where a function of a field is 0 between its limits, the nearest to `now`; None where it nowhere is.

    It is a straight line in the field, unless that is one of `BENDING`: then each of `STEPS` parts is looked through.
    """
    grid = np.linspace(least, most, STEPS + 1).tolist() if name in BENDING else [least, most]
    points = sorted({*grid, now})
    values = [function(point) for point in points]
    if max(values) - min(values) <= STILL * max(1.0, *map(abs, values)):
        return None
    found = [point for point, value in zip(points, values, strict=True) if value == 0]
    for i, (a, b) in enumerate(pairwise(values)):
        if a * b < 0:
            found.append(_between(function, points[i], points[i + 1], a, b))
    return min(found, key=lambda point: abs(point - now), default=None)


def _between(function: Callable[[float], float], low: float, high: float, a: float, b: float) -> float:
    """The root between two points of opposite sign, by the Illinois method: secants that keep it bracketed.

    M. Dowell and P. Jarratt, A modified regula falsi method, BIT 11 (1971), doi:10.1007/BF01934364.
    """
    side = 0
    for _ in range(200):
        at = (low * b - high * a) / (b - a)
        value = function(at)
        if value == 0 or abs(high - low) <= CLOSE * max(abs(low), abs(high)):
            return at
        if (value < 0) == (a < 0):
            low, a, b, side = at, value, b / 2 if side == -1 else b, -1
        else:
            high, b, a, side = at, value, a / 2 if side == 1 else a, 1
    return at


def limits(prices: Prices, name: str) -> tuple[float, float]:
    """From where to where a field of the prices may lie while the others stay."""
    least, most = LIMITS[name]
    if name == "host_idle_w" and prices.host_peak_w is not None:
        most = prices.host_peak_w
    if name == "host_peak_w" and prices.host_idle_w is not None:
        least = prices.host_idle_w
    return least, most


def _require_field(name: str) -> None:
    if name not in LIMITS:
        raise InputError(f"prices: found {name!r}{did_you_mean(str(name), LIMITS)}")


def _require_accepted(problem: Problem, plan: Plan, what: str) -> None:
    if violations := check(problem, plan):
        raise InputError(f"{what}: found {len(violations):,} violations, expected none: {violations[0]}")
