"""Energy: power of a host at a load, and a year of it at the meter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.prices import Prices
from planner.problem import Problem


def power_w(
    idle_w: float | np.ndarray, peak_w: float | np.ndarray, utilisation: float | np.ndarray
) -> float | np.ndarray:
    """Power on the straight line from idle to peak, utilisation taken as at most 1.

    ``W = idle + u (peak - idle)``, the model of Cloud Carbon Footprint's ComputeEstimator.

    Examples
    --------
    >>> float(power_w(60, 250, 0.5))
    155.0
    >>> float(power_w(60, 250, 1.7))
    250.0
    """
    return idle_w + np.minimum(utilisation, 1.0) * (peak_w - idle_w)


def watts(hosts: pd.DataFrame, prices: Prices) -> tuple[np.ndarray, np.ndarray]:
    """Idle and peak power of each host, W, with the prices' figures where a host's own are blank; NaN where neither.

    Returns
    -------
    tuple of array of float, shape [host]
    """
    idle = hosts["idle_w"].fillna(np.nan if prices.host_idle_w is None else prices.host_idle_w)
    peak = hosts["peak_w"].fillna(np.nan if prices.host_peak_w is None else prices.host_peak_w)
    return idle.to_numpy(dtype=float), peak.to_numpy(dtype=float)


def busy(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """How much CPU each workload keeps busy, and how much each host offers, in the same unit.

    Sized by allocation: busy cores = vCPUs x growth x activity, against cores x perf. Sized by measurement: GHz against
    cores x GHz x perf, or beside allocated workloads GHz / reference GHz against cores x perf.

    Returns
    -------
    tuple of array of float, shape [workload] and [host]
    """
    hosts = problem.hosts
    demand = problem.demand[:, 0, :].mean(axis=1)
    offered = (hosts["cores"] * hosts["perf"]).to_numpy(dtype=float)
    if problem.cpu_unit == "GHz":
        offered = offered * hosts["ghz"].to_numpy(dtype=float)
    return demand * problem.policy.busy_per_demand(problem.workloads, problem.prices.vcpu_activity), offered
