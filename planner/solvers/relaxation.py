"""What a unit of each resource is worth on one host: the linear relaxation of a knapsack with several constraints."""

from __future__ import annotations

import numpy as np

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
    items, resources = demand.shape
    columns = np.vstack([demand, np.eye(resources)])  # Slacks come after the items.
    gain = np.concatenate([profit, np.zeros(resources)])
    upper = np.concatenate([most, np.full(resources, np.inf)])
    inverse, basic = np.eye(resources), np.arange(items, items + resources)
    # A hair more of each resource, each another: where one is used up exactly, the simplex would go round in circles.
    value = capacity * (1 + HAIR * (1 + np.arange(resources))) + HAIR * (1 + np.arange(resources))
    full = np.zeros(items + resources, dtype=bool)
    worth = np.zeros(resources)
    for _ in range(MOST_STEPS):
        worth = gain[basic] @ inverse
        improvement = gain - columns @ worth
        improvement[:items] /= profit
        np.negative(improvement, out=improvement, where=full)
        improvement[basic] = 0.0
        enter = int(improvement.argmax())
        if improvement[enter] < 1e-9:
            break
        column = inverse @ columns[enter]
        if full[enter]:
            column = -column
        room = np.full(resources, np.inf)
        falls, rises = column > 1e-11, column < -1e-11
        room[falls] = np.maximum(value[falls], 0.0) / column[falls]
        room[rises] = np.maximum(upper[basic[rises]] - value[rises], 0.0) / -column[rises]
        leave = int(room.argmin())
        if upper[enter] <= room[leave]:
            value -= upper[enter] * column
            full[enter] = not full[enter]
            continue
        step = room[leave]
        value -= step * column
        value[leave] = upper[enter] - step if full[enter] else step
        full[basic[leave]], column = rises[leave], -column if full[enter] else column
        row = inverse[leave] / column[leave]
        inverse -= np.outer(column, row)
        inverse[leave], basic[leave], full[enter] = row, enter, False
    amounts = np.where(full[:items], upper[:items], 0.0)
    amounts[basic[basic < items]] = np.clip(value[basic < items], 0.0, upper[basic[basic < items]])
    worth = np.maximum(worth, 0.0)
    sound = worth.any() and np.isfinite(worth).all()
    return worth if sound else 1.0 / np.maximum(capacity, 1.0), amounts
