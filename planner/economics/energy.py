"""Energy: what hosts draw at the loads that a plan gives them, and straight lines that a solver can add up.

Power follows a curve of eleven points, straight between them, see `planner.power`. A solver needs a cost of running a
host and one of each unit of busy CPU, so a curve stands there as one or two straight lines, of which the lower is never
above it: whatever is proven on them holds for the curve. What a plan draws in fact is taken from the curve itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.power import LEVELS, load_curves
from planner.prices import Prices
from planner.problem import Problem

FIRST = LEVELS[1]
"""Many machines draw steeply more up to here, and along a gentler curve that bends upwards from here on."""

CLOSE = 0.01
"""Share of the power that one straight line may lie below the curve, where a host is full or half full; else two do."""


def power_w(curve: np.ndarray, utilisation: float | np.ndarray) -> np.ndarray:
    """Power at a utilisation, taken as at most 1, on a curve of eleven points.

    Parameters
    ----------
    curve : array of float, shape [..., 11]
        W at 0, 10 %, ... 100 %.
    utilisation : float or array of float, shape [...]

    Examples
    --------
    >>> line = np.linspace(60, 250, 11)
    >>> float(power_w(line, 0.5)), float(power_w(line, 1.7)), float(power_w(line, 0.13).round(4))
    (155.0, 250.0, 84.7)
    """
    place = np.clip(np.asarray(utilisation, dtype=float), 0.0, 1.0) * (len(LEVELS) - 1)
    left = np.minimum(place.astype("int64"), len(LEVELS) - 2)
    curve = np.broadcast_to(curve, (*left.shape, len(LEVELS)))
    below, above = (np.take_along_axis(curve, at[..., None], axis=-1)[..., 0] for at in (left, left + 1))
    return below + (place - left) * (above - below)


def watts(hosts: pd.DataFrame, prices: Prices) -> np.ndarray:
    """The load curve of each host, with the prices' figures where its own are blank; NaN where neither: [H, 11]."""
    return load_curves(hosts, prices.host_idle_w, prices.host_peak_w)


def mean_w(curves: np.ndarray, utilisation: np.ndarray) -> np.ndarray:
    """Mean power over periods that last equally long.

    Parameters
    ----------
    curves : array of float, shape [N, 11]
    utilisation : array of float, shape [N, P]
    """
    return power_w(curves[:, None, :], utilisation).mean(axis=1)


def busy(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """How much CPU each workload keeps busy in each period, and how much each host offers, in the same unit.

    Sized by allocation: busy cores = vCPUs x growth x activity, against cores x perf. Sized by measurement: GHz against
    cores x GHz x perf, or beside allocated workloads GHz / reference GHz against cores x perf.

    Returns
    -------
    tuple of array of float, shape [workload, period] and [host]
    """
    each = problem.policy.busy_per_demand(problem.workloads, problem.prices.vcpu_activity)
    return problem.demand[:, 0, :] * each[:, None], cpu_of(problem, problem.hosts)


def cpu_of(problem: Problem, hosts: pd.DataFrame) -> np.ndarray:
    """CPU of hosts, in the unit of `busy`."""
    offered = (hosts["cores"] * hosts["perf"]).to_numpy(dtype=float)
    return offered * hosts["ghz"].to_numpy(dtype=float) if problem.cpu_unit == "GHz" else offered


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """Straight lines that stand for the curves of hosts: of the lines of a host the lowest is never above its curve.

    Parameters
    ----------
    row : array of int, shape [L]
        The host of each line; those of a host stand together.
    idle_w : array of float, shape [L]
        At no load.
    busy_w : array of float, shape [L]
        For one unit of busy CPU.
    """

    row: np.ndarray
    idle_w: np.ndarray
    busy_w: np.ndarray


def lines(problem: Problem, curves: np.ndarray) -> Lines:
    """The lines that stand for the load curves of a problem's hosts, whatever they carry.

    Where demand has periods, the utilisation ``u[p]`` of a host swings about its mean ``u`` within
    ``least u <= u[p] <= most u``, the extremes of any workload, and the lines hold for the mean.

    Parameters
    ----------
    problem : Problem
    curves : array of float, shape [H, 11]
        Without NaN.
    """
    work, offered = busy(problem)
    mean = work.mean(axis=1)
    swing = work[mean > 0] / mean[mean > 0, None]
    least, most = (float(swing.min()), float(swing.max())) if swing.size else (1.0, 1.0)
    each = problem.policy.busy_per_demand(problem.workloads, problem.prices.vcpu_activity)
    offered = np.maximum(offered, 1e-9)
    top = np.minimum(problem.capacity[:, 0] * each.max(initial=0.0), work.sum(axis=0).max()) / offered
    needs = np.maximum(problem.demand.max(axis=2).mean(axis=0), 1e-12)
    full = np.minimum((problem.capacity / needs).min(axis=1) * mean.mean() / offered, top)
    kinds, kind = np.unique(np.column_stack([curves, top, full]), axis=0, return_inverse=True)
    found = [_lines_of(row[: len(LEVELS)], row[-2], row[-1], least, most) for row in kinds]
    number = np.array([len(found[k]) for k in kind.ravel()], dtype="int64")
    pairs = np.array([line for k in kind.ravel() for line in found[k]]).reshape(-1, 2)
    row = np.repeat(np.arange(len(curves)), number)
    return Lines(row=row, idle_w=pairs[:, 0], busy_w=pairs[:, 1] / offered[row])


def _lines_of(curve: np.ndarray, top: float, full: float, least: float, most: float) -> list[tuple[float, float]]:
    """One line or two as (W at no load, W per utilisation) that hold for utilisations up to `top`.

    A line below the curve's lower hull holds for the mean of whatever swings about it. Where the hull from idle on is
    too far below the curve, one line starts at idle and is right for hosts that hardly carry anything, the other lies
    below the hull from `FIRST` on. A host whose mean is at least ``FIRST / least`` never gets below `FIRST`; one with
    a lower mean never above ``FIRST most / least``, up to where the first line lies below the curve.
    """
    at = np.unique(np.concatenate([LEVELS[top > LEVELS], [min(top, 1.0), max(top, FIRST)]]))
    points = np.column_stack([at, power_w(curve, at)])
    whole = _support(points, full)
    turn = FIRST * most / max(least, 1e-12)
    if turn >= at[-1] or _below(points, whole, full) <= CLOSE:
        return [whole]
    upper = _support(points[points[:, 0] >= FIRST - 1e-12], full)
    inside = np.append(at[(at > 0) & (at <= turn)], turn)
    steep = float(((power_w(curve, inside) - curve[0]) / inside).min())
    return [(float(curve[0]), steep), upper]


def _support(points: np.ndarray, full: float) -> tuple[float, float]:
    """The line along the lower hull of some points where a host is full, or before where it would begin below 0 W."""
    hull: list[np.ndarray] = []
    for point in points:
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) >= _slope(hull[-1], point):
            hull.pop()
        hull.append(point)
    best = (float(hull[0][1]), 0.0)
    for left, right in zip(hull, hull[1:], strict=False):
        slope = _slope(left, right)
        idle = float(left[1] - slope * left[0])
        if idle < 0:
            break
        best = (idle, slope)
        if right[0] >= full:
            break
    return best


def _slope(left: np.ndarray, right: np.ndarray) -> float:
    return float((right[1] - left[1]) / (right[0] - left[0]))


def _below(points: np.ndarray, line: tuple[float, float], full: float) -> float:
    """The share of the power by which a line lies below a curve, where a host is full or half full."""
    load = np.array([full / 2, full])
    power = np.interp(load, points[:, 0], points[:, 1])
    return float(((power - line[0] - line[1] * load) / np.maximum(power, 1e-12)).max())
