"""Replay: what each host carries at every sample of the full series, for the checker.

It shares no code with `planner.periods`, which reduces the samples to what the solvers plan with: hours, percentiles
and what stands in for a step without a sample are worked out again from the series and the policy's numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from planner.policy import Policy
from planner.problem import Problem

CELLS = 4_000_000
"""Samples that are looked at together: 32 MB as float64."""


@dataclass(frozen=True, kw_only=True)
class Excess:
    """A host whose load exceeds its capacity: where and when it is worst, and at how many samples it does."""

    host: int
    resource: int
    when: str
    found: float
    limit: float
    samples: int


def excesses(problem: Problem, capacity: np.ndarray, placed: pd.DataFrame, tolerance: float) -> Iterator[Excess]:
    """Hosts that carry more than their capacity at some sample, one finding a host and resource.

    Parameters
    ----------
    problem : Problem
        With a timeline.
    capacity : array of float, shape [host, R]
        NaN for a host that is not known.
    placed : DataFrame
        `w`, position in problem.workloads, and `h`, position of its host.
    tolerance : float
        Relative rounding error granted to a sum.
    """
    timeline, policy = problem.timeline, problem.policy
    local = pd.DatetimeIndex(timeline.series.times).tz_localize("UTC").tz_convert(ZoneInfo(policy.time.time_zone))
    hour = np.array(local.hour + (24 * local.day_of_week if policy.time.by == "hour_of_week" else 0))
    steps = len(hour)
    ordered = placed.sort_values("h", kind="stable")
    w, h = ordered["w"].to_numpy(), ordered["h"].to_numpy()
    hosts, begins = np.unique(h, return_index=True)
    members = np.split(w, begins[1:])
    for resource, quantity in timeline.quantities.items():
        r = problem.resources.index(resource)
        for host, inside in zip(hosts, members, strict=True):
            limit = capacity[host, r]
            if not np.isfinite(limit):
                continue
            load = np.zeros(steps)
            for at in range(0, len(inside), max(CELLS // steps, 1)):
                part = inside[at : at + max(CELLS // steps, 1)]
                load += _carried(problem, part, r, timeline.series.samples[quantity], timeline.row[part], hour)
            over = load > limit + tolerance * max(limit, 1)
            if over.any():
                worst = int(load.argmax())
                yield Excess(
                    host=int(host),
                    resource=r,
                    when=local[worst].strftime("%a %Y-%m-%d %H:%M %Z"),
                    found=float(load[worst]),
                    limit=float(limit),
                    samples=int(over.sum()),
                )


def _carried(
    problem: Problem, workloads: np.ndarray, r: int, samples: np.ndarray, row: np.ndarray, hour: np.ndarray
) -> np.ndarray:
    """Demand of some workloads together at every sample, shape [T]; one without samples counts at its table figure."""
    measured = row >= 0
    measured[measured] = ~np.isnan(samples[row[measured]]).all(axis=1)
    flat = problem.demand[workloads[~measured], r].max(axis=1, initial=0.0).sum()
    if not measured.any():
        return np.full(len(hour), flat)
    used = _clipped(samples[row[measured]].astype(float), hour, problem.policy.time.percentile)
    return flat + _demanded(used, problem.resources[r], problem.policy).sum(axis=0)


def _demanded(used: np.ndarray, resource: str, policy: Policy) -> np.ndarray:
    grown = used * (1 + policy.growth.per_year) ** policy.growth.years
    return grown + policy.hypervisor.memory_gib_per_workload if resource == "memory" else grown


def _clipped(used: np.ndarray, hour: np.ndarray, percentile: float) -> np.ndarray:
    """Samples of each row clipped to the hour's percentile; where nothing was measured, that percentile itself."""
    most = np.full_like(used, np.nan)
    for number in np.unique(hour):
        columns = np.flatnonzero(hour == number)
        inside = np.sort(used[:, columns], axis=1)
        for i, count in enumerate(np.count_nonzero(~np.isnan(inside), axis=1)):
            if count:
                most[i, columns] = inside[i, max(math.ceil(round(percentile * int(count) / 100, 9)), 1) - 1]
    elsewhere = np.nanmax(most, axis=1, keepdims=True)
    most = np.where(np.isnan(most), elsewhere, most)
    return np.fmin(used, most)
