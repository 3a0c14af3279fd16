"""The linear relaxation of a knapsack with several constraints, by the primal simplex with bounded variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from planner.solvers.kernels.types import Bools, Floats, Ints, IntTable


def entering(profit: Ints, demand: IntTable, worth: Floats, full: Bools, basic: Ints):
    """The variable that improves most for its profit, a slack included, and by how much; 0 where none does."""
    items, resources = demand.shape
    enter, best = 0, 0.0
    for i in range(items + resources):
        if i < items:
            gain = float(profit[i])
            for r in range(resources):
                gain -= demand[i, r] * worth[r]
            gain /= profit[i]
        else:
            gain = -worth[i - items]
        if full[i]:
            gain = -gain
        if gain > best:
            inside = False
            for r in range(resources):
                inside = inside or basic[r] == i
            if not inside:
                enter, best = i, gain
    return enter, best


def relax(
    profit: Ints, demand: IntTable, most: Ints, capacity: Ints, hair: float, steps: int, worth: Floats, amounts: Floats
):
    """Find what a unit of each resource is worth, and how much of each item the most valuable set holds.

    Parameters
    ----------
    profit, most : arrays of int, shape [N]
    demand : array of int, shape [N, R]
    capacity : array of int, shape [R]
    hair : float
        Share of a resource added to it, each time another: where one is used up exactly, the simplex would go round in
        circles.
    steps : int
        Of the simplex at most.
    worth, amounts : arrays of float, shape [R] and [N]
        Receive the result.
    """
    items, resources = demand.shape
    inverse = np.zeros((resources, resources))
    basic = np.zeros(resources, dtype=np.int64)  # Slacks come after the items.
    value, column, row = np.zeros(resources), np.zeros(resources), np.zeros(resources)
    full = np.zeros(items + resources, dtype=np.bool_)
    for r in range(resources):
        inverse[r, r], basic[r] = 1.0, items + r
        value[r] = capacity[r] * (1 + hair * (1 + r)) + hair * (1 + r)
    for _ in range(steps):
        for r in range(resources):
            worth[r] = 0.0
            for k in range(resources):
                if basic[k] < items:
                    worth[r] += profit[basic[k]] * inverse[k, r]
        enter, gain = entering(profit, demand, worth, full, basic)
        if gain < 1e-9:
            break
        leave, room = -1, np.inf
        for k in range(resources):
            if enter < items:
                column[k] = 0.0
                for r in range(resources):
                    column[k] += inverse[k, r] * demand[enter, r]
            else:
                column[k] = inverse[k, enter - items]
            if full[enter]:
                column[k] = -column[k]
            share = np.inf
            if column[k] > 1e-11:
                share = max(value[k], 0.0) / column[k]
            elif column[k] < -1e-11 and basic[k] < items:
                share = max(most[basic[k]] - value[k], 0.0) / -column[k]
            if share < room or leave < 0:
                leave, room = k, share
        upper = float(most[enter]) if enter < items else np.inf
        if upper <= room:
            for k in range(resources):
                value[k] -= upper * column[k]
            full[enter] = not full[enter]
            continue
        sign = -1.0 if full[enter] else 1.0
        full[basic[leave]] = column[leave] < -1e-11
        for k in range(resources):
            value[k] -= room * column[k]
            row[k] = inverse[leave, k] / (sign * column[leave])
        value[leave] = upper - room if full[enter] else room
        for k in range(resources):
            for r in range(resources):
                if k != leave:
                    inverse[k, r] -= sign * column[k] * row[r]
        for r in range(resources):
            inverse[leave, r] = row[r]
        basic[leave], full[enter] = enter, False
    for i in range(items):
        amounts[i] = most[i] if full[i] else 0.0
    for k in range(resources):
        if basic[k] < items:
            amounts[basic[k]] = min(max(value[k], 0.0), float(most[basic[k]]))
