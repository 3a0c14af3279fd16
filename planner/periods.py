"""Periods: the hours of a day or of a week that demand is planned for, and what a series needs in each.

For workload `w`, period `p` and the samples `x[w, t]` of its series whose moment `t` falls in that hour::

    level[w, p]  = the smallest x[w, t] in hour p that `percentile` percent of the samples in hour p do not exceed
                   (percentile 100: their highest); the highest of its other hours where none was measured in hour p
    sample[w, t] = min(x[w, t], level[w, hour of t]), and level[w, hour of t] where nothing was measured
    demand[w, p] = what the policy asks for where `level[w, p]` was used

so that what it asks for where `sample[w, t]` was used is at most ``demand[w, hour of t]`` at every moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from planner import settings
from planner.errors import InputError, did_you_mean
from planner.series import rank
from planner.stamps import require_zone

By = Literal["none", "hour_of_day", "hour_of_week"]
HOURS_PER_DAY, HOURS_PER_WEEK = 24, 168
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CHUNK = 512
"""Rows of a series that are looked at together."""


@dataclass(frozen=True, kw_only=True)
class Periods:
    """Whether demand is planned per hour, of which clock, and how much of each hour's samples is covered.

    Parameters
    ----------
    by : {"none", "hour_of_day", "hour_of_week"}
        One figure for all times, or 24 or 168 of them; hour 0 of a week is Monday's first.
    time_zone : str
        Whose clock tells the hour, a name of the IANA database.
    percentile : float
        Above 0, to 100: share of an hour's samples that its demand covers.

    Examples
    --------
    >>> Periods(by="hour_of_week").count, Periods(by="hour_of_week").label(26), Periods(by="hour_of_day").label(9)
    (168, 'Tue 02:00', '09:00')
    """

    by: By = "none"
    time_zone: str = "UTC"
    percentile: float = 100.0

    def __post_init__(self):
        if self.by not in get_args(By):
            raise InputError(f"time.by: found {self.by!r}{did_you_mean(str(self.by), get_args(By))}")
        require_zone(self.time_zone, "time.time_zone")
        settings.require(self.percentile, "time.percentile", 1, 100)

    @property
    def count(self) -> int:
        """How many periods there are."""
        return {"none": 1, "hour_of_day": HOURS_PER_DAY, "hour_of_week": HOURS_PER_WEEK}[self.by]

    def of(self, times: np.ndarray) -> np.ndarray:
        """Period of each moment (datetime64 of UTC), shape [T]."""
        local = pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(self.time_zone)
        hour = np.asarray(local.hour, dtype="int64")
        if self.by == "none":
            return np.zeros(len(times), dtype="int64")
        return hour if self.by == "hour_of_day" else hour + HOURS_PER_DAY * np.asarray(local.day_of_week, dtype="int64")

    def label(self, period: int) -> str:
        """A period in words, ``Tue 02:00``; empty where there is only one."""
        if self.by == "none":
            return ""
        day, hour = divmod(int(period), HOURS_PER_DAY)
        return f"{hour:02d}:00" if self.by == "hour_of_day" else f"{DAYS[day]} {hour:02d}:00"

    def levels(self, values: np.ndarray, times: np.ndarray) -> np.ndarray:
        """What each row of a series needs in each period, shape [row, period]; NaN for a row without any sample.

        Parameters
        ----------
        values : array of float, shape [row, T]
            NaN where nothing was measured.
        times : array of datetime64, shape [T]
        """
        period = self.of(times)
        order = np.argsort(period, kind="stable")
        present, begins = np.unique(period[order], return_index=True)
        levels = np.full((len(values), self.count), np.nan)
        for at in range(0, len(values), CHUNK):
            sorted_values = values[at : at + CHUNK][:, order]
            if self.percentile == 100:
                levels[at : at + CHUNK, present] = np.fmax.reduceat(sorted_values, begins, axis=1)
                continue
            for p, block in zip(present, np.split(sorted_values, begins[1:], axis=1), strict=True):
                ranked = np.sort(block, axis=1)
                place = rank(self.percentile, (~np.isnan(block)).sum(axis=1))
                levels[at : at + CHUNK, p] = ranked[np.arange(len(ranked)), place]
        highest = np.fmax.reduce(levels, axis=1, keepdims=True)
        return np.where(np.isnan(levels), highest, levels)
