"""What a unit of each resource is worth on one host: the linear relaxation of a knapsack with several constraints."""

from __future__ import annotations

import numpy as np

from planner.solvers.kernels import load

HAIR = 1e-9
"""Share of a resource that changes nothing but which of equal steps is taken."""

MOST_STEPS = 2_000
"""Steps of the simplex at most; what it has found by then serves as well."""


def multipliers(profit: np.ndarray, demand: np.ndarray, most: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """What a unit of each resource is worth, at least 0 and not all 0: the first that `relaxed` returns."""
    return relaxed(profit, demand, most, capacity)[0]


def relaxed(
    profit: np.ndarray, demand: np.ndarray, most: np.ndarray, capacity: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Solve the relaxation by the primal simplex with bounded variables.

    For any multipliers m at least 0 no set of items is worth more than
    ``sum_r m_r capacity_r + sum_i most_i max(0, profit_i - sum_r m_r demand_ir)``; those found here make this least.

    Parameters
    ----------
    profit, most : arrays of int, shape [N]
        Profits are above 0.
    demand : array of int, shape [N, R]
    capacity : array of int, shape [R]

    Returns
    -------
    (array of float, shape [R], array of float, shape [N])
        The multipliers, at least 0 and not all 0, and how much of each item the most valuable set holds.
    """
    worth, amounts = np.zeros(demand.shape[1]), np.zeros(len(profit))
    arrays = [np.ascontiguousarray(array, dtype="int64") for array in (profit, demand, most, capacity)]
    load("simplex").relax(*arrays, HAIR, MOST_STEPS, worth, amounts)
    worth = np.maximum(worth, 0.0)
    sound = worth.any() and np.isfinite(worth).all()
    return worth if sound else 1.0 / np.maximum(capacity, 1.0), amounts
