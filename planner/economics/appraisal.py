"""Appraisal: a plan against today as an investment, by what it is worth today and when it has paid for itself."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.economics.costs import HARDWARE, Costs
from planner.prices import Prices

NEVER, DOES_NOT_APPLY, MISSING = "never", "does not apply", "missing"
"""Said in place of years: it saves nothing to pay with; it costs less at the start and more every year; not known."""


@dataclass(frozen=True, kw_only=True)
class Appraisal:
    """What a plan costs at the start, saves every year, and has left at the end, each beyond today's estate.

    Parameters
    ----------
    outlay : float
        Paid at the start, hosts at their full price; below 0 where today's estate costs more; NaN if nothing is known.
    yearly : float
        Saved every year; below 0 where the plan costs more.
    left : float
        What bought hosts are still worth at the end of the horizon, at today's worth.
    discount_rate : float
        Share a year.
    years_discounted : float
        As `Prices.years_discounted`.
    """

    outlay: float
    yearly: float
    left: float
    discount_rate: float
    years_discounted: float

    @classmethod
    def of(cls, before: Costs, after: Costs, prices: Prices) -> Appraisal:
        """Of the items whose figures are known of all hosts, today's and the plan's."""
        items = [item for item in after.once if _is_known(before, item) and _is_known(after, item)]
        once, yearly = (
            [float(getattr(costs, kind)[items].to_numpy().sum()) for costs in (before, after)]
            for kind in ("once", "yearly")
        )
        left = float(after.left.sum() - before.left.sum()) if HARDWARE in items else 0.0
        return cls(
            outlay=once[1] - once[0] + left if items else math.nan,
            yearly=yearly[0] - yearly[1],
            left=left,
            discount_rate=prices.discount_rate,
            years_discounted=prices.years_discounted,
        )

    @property
    def net_present_value(self) -> float:
        """The saving over the horizon: ``- outlay + yearly * years_discounted + left``.

        Examples
        --------
        >>> years = 1.1**-1 + 1.1**-2
        >>> one = Appraisal(outlay=1000.0, yearly=600.0, left=0.0, discount_rate=0.1, years_discounted=years)
        >>> round(one.net_present_value, 2)
        41.32
        """
        return -self.outlay + self.yearly * self.years_discounted + self.left

    @property
    def payback(self) -> float | str:
        """Years until the savings add up to the outlay, undiscounted, or a word in place of them."""
        return payback(self.outlay, self.yearly)

    @property
    def discounted_payback(self) -> float | str:
        """Years until the savings, later ones discounted, add up to the outlay, or a word in place of them."""
        return payback(self.outlay, self.yearly, self.discount_rate)


def payback(outlay: float, yearly: float, discount_rate: float = 0.0) -> float | str:
    """Years until what is paid at the start is earned by what is saved every year.

    The ``y`` with ``yearly * sum over t = 1..y of 1 / (1 + discount_rate)**t = outlay``, a part of a year counting in
    proportion. What is left at the end does not count: it comes later.

    Parameters
    ----------
    outlay, yearly : float
        Money; below 0 where it comes in at the start, or is spent every year.
    discount_rate : float
        Share a year; 0 counts all years alike.

    Returns
    -------
    float or str
        0 where nothing is paid and nothing lost; `NEVER`; `DOES_NOT_APPLY` where it costs less at the start and more
        every year; `MISSING` where a figure is.

    Examples
    --------
    >>> payback(1000, 250), payback(0, 10), payback(1000, 0), payback(-500, -10), payback(math.nan, 1)
    (4.0, 0.0, 'never', 'does not apply', 'missing')
    >>> round(payback(1000, 250, 0.1), 3), payback(1000, 250, 0.25)
    (5.371, 'never')
    """
    if math.isnan(outlay) or math.isnan(yearly):
        return MISSING
    if outlay <= 0:
        return 0.0 if yearly >= 0 else DOES_NOT_APPLY
    if yearly <= 0:
        return NEVER
    times = outlay / yearly
    if discount_rate < 1e-9:
        return times
    if times * discount_rate >= 1:
        return NEVER
    growth = 1 + discount_rate
    whole = math.floor(-math.log(1 - times * discount_rate) / math.log(growth))
    return whole + (times - (1 - growth**-whole) / discount_rate) * growth ** (whole + 1)


def _is_known(costs: Costs, item: str) -> bool:
    return bool(costs.once[item].notna().all() and costs.yearly[item].notna().all())
