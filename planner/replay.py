"""Replay: what each host carries at every sample of the full series, for the checker.

It shares no code with `planner.periods`, which reduces the samples to what the solvers plan with: hours, percentiles
and what stands in for a step without a sample are worked out again from the series and the policy's numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

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
    ordered = placed.sort_values("h", kind="stable")
    w, hosts = ordered["w"].to_numpy(), ordered["h"].to_numpy()
    for resource, quantity in timeline.quantities.items():
        r = problem.resources.index(resource)
        for part in _batches(hosts, max(CELLS // len(hour), 1)):
            carried, begins = np.unique(hosts[part], return_index=True)
            samples, row = timeline.series.samples[quantity], timeline.row[w[part]]
            load = np.add.reduceat(_carried(problem, w[part], r, samples, row, hour), begins, axis=0)
            limit = capacity[carried, r]
            over = load > (limit + tolerance * np.maximum(limit, 1))[:, None]
            for h in np.flatnonzero(over.any(axis=1)):
                worst = int(load[h].argmax())
                yield Excess(
                    host=int(carried[h]),
                    resource=r,
                    when=local[worst].strftime("%a %Y-%m-%d %H:%M %Z"),
                    found=float(load[h, worst]),
                    limit=float(limit[h]),
                    samples=int(over[h].sum()),
                )


def _batches(hosts: np.ndarray, most: int) -> Iterator[slice]:
    """Slices of placements in the order of their hosts: whole hosts, together at most `most` rows or one host."""
    ends = [*np.flatnonzero(np.diff(hosts)) + 1, len(hosts)]
    begin = 0
    for end, following in pairwise([*ends, None]):
        if end > begin and (following is None or following - begin > most):
            yield slice(begin, end)
            begin = end


def _carried(
    problem: Problem, workloads: np.ndarray, r: int, samples: np.ndarray, row: np.ndarray, hour: np.ndarray
) -> np.ndarray:
    """Demand of each workload at every sample, shape [workload, T]; one without samples has its table figure."""
    resource, policy = problem.resources[r], problem.policy
    measured = (row >= 0) & (policy.sizing.bases(problem.workloads, resource)[workloads] != "allocated")
    measured[measured] = ~np.isnan(samples[row[measured]]).all(axis=1)
    demand = np.repeat(problem.demand[workloads, r].max(axis=1)[:, None], len(hour), axis=1)
    if measured.any():
        used = _clipped(samples[row[measured]].astype(float), hour, policy.time.percentile)
        grown = used * (1 + policy.growth.per_year) ** policy.growth.years
        demand[measured] = _demanded(problem, grown, workloads[measured], resource)
    return demand


def _demanded(problem: Problem, grown: np.ndarray, workloads: np.ndarray, resource: str) -> np.ndarray:
    """What measured use takes of what hosts offer: it is never overcommitted, and reserved memory is kept whole."""
    policy = problem.policy
    if resource == "cpu":
        return grown if problem.cpu_unit == "GHz" else grown / policy.sizing.reference_ghz * policy.overcommit.cpu
    reserved = problem.workloads["memory_reservation_gib"].to_numpy()[workloads][:, None]
    return np.maximum(grown, reserved) * policy.overcommit.memory + policy.hypervisor.memory_gib_per_workload


def _clipped(used: np.ndarray, hour: np.ndarray, percentile: float) -> np.ndarray:
    """Samples of each row clipped to the hour's percentile; where nothing was measured, that percentile itself."""
    most = np.full_like(used, np.nan)
    for number in np.unique(hour):
        columns = np.flatnonzero(hour == number)
        inside = np.sort(used[:, columns], axis=1)
        covered = np.ceil(np.round(percentile * np.count_nonzero(~np.isnan(inside), axis=1) / 100, 9)).astype("int64")
        most[:, columns] = np.take_along_axis(inside, np.maximum(covered, 1)[:, None] - 1, axis=1)
    elsewhere = np.nanmax(most, axis=1, keepdims=True)
    most = np.where(np.isnan(most), elsewhere, most)
    return np.fmin(used, most)
