"""The most valuable set of items for one host: exact branch and bound with a surrogate bound, and quick greedies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from planner.solvers.kernels.types import Floats, Ints, IntTable


def rest_bound(i: int, budget: float, heaped: Floats, worth: Floats):
    """What items from `i` on can be worth at most within a surrogate budget: the fractional knapsack."""
    low, high = i, len(heaped) - 1
    target = heaped[i] + budget
    while low < high:
        middle = (low + high + 1) // 2
        if heaped[middle] <= target:
            low = middle
        else:
            high = middle - 1
    value = worth[low] - worth[i]
    if low < len(heaped) - 1:
        value += (target - heaped[low]) * (worth[low + 1] - worth[low]) / (heaped[low + 1] - heaped[low])
    return value


def most_valuable(
    profit: Ints,
    demand: IntTable,
    most: Ints,
    groups: IntTable,
    limit: Ints,
    capacity: Ints,
    multiplier: Floats,
    floor: int,
    nodes: int,
    best: Ints,
):
    """The most valuable items for one host, found by depth-first search.

    Items must stand in falling order of profit by surrogate size, ``profit_i / sum_r multiplier_r demand_ir``.

    Parameters
    ----------
    profit, most : arrays of int, shape [N]
        Profits are above 0.
    demand : array of int, shape [N, R]
    groups, limit : arrays of int, shapes [N, K] and [G]
    capacity : array of int, shape [R]
    multiplier : array of float, shape [R]
        Not all 0.
    floor : int
        Only sets worth more than this are wanted.
    nodes : int
        Nodes after which the search ends.
    best : array of int, shape [N]
        Receives how many of each item the best set holds, where one above `floor` was found.

    Returns
    -------
    (int, int)
        Value of the best set found (`floor` where there is none above it), and a value that no set exceeds: the same
        number where the search is complete.
    """
    items, resources = demand.shape
    size = np.zeros(items)
    heaped, worth = np.zeros(items + 1), np.zeros(items + 1)
    for i in range(items):
        for r in range(resources):
            size[i] += multiplier[r] * demand[i, r]
        size[i] = max(size[i], 1e-12)
        heaped[i + 1] = heaped[i] + size[i] * most[i]
        worth[i + 1] = worth[i] + profit[i] * most[i]
    # The smallest demand of any item from i on: where it does not fit, none does.
    smallest = np.empty((items + 1, resources), dtype=np.int64)
    for r in range(resources):
        smallest[items, r] = capacity[r] + 1
        for i in range(items - 1, -1, -1):
            smallest[i, r] = min(smallest[i + 1, r], demand[i, r])
    free, taken = capacity.copy(), np.zeros(len(limit), dtype=np.int64)
    budget = 0.0
    for r in range(resources):
        budget += multiplier[r] * free[r]
    stack, amount = np.zeros(items + 1, dtype=np.int64), np.zeros(items, dtype=np.int64)
    depth, value, incumbent, i, visited = 0, 0, floor, 0, 0
    while True:
        while i < items:
            if (
                value + np.floor(rest_bound(i, budget * (1.0 + 1e-12), heaped, worth) * (1.0 + 1e-12) + 1e-3)
                <= incumbent
            ):
                break
            full = False
            for r in range(resources):
                if free[r] < smallest[i, r]:
                    full = True
                    break
            if full:
                break
            take = most[i]
            for r in range(resources):
                if demand[i, r] > free[r]:
                    take = 0
                    break
            if take > 1:
                for r in range(resources):
                    if demand[i, r] > 0:
                        take = min(take, free[r] // demand[i, r])
            for k in range(groups.shape[1]):
                g = groups[i, k]
                if g >= 0:
                    take = min(take, limit[g] - taken[g])
            if take > 0:
                visited += 1
                for r in range(resources):
                    free[r] -= take * demand[i, r]
                budget -= take * size[i]
                for k in range(groups.shape[1]):
                    if groups[i, k] >= 0:
                        taken[groups[i, k]] += take
                value += take * profit[i]
                stack[depth], amount[i] = i, take
                depth += 1
                if value > incumbent:
                    incumbent = value
                    for j in range(items):
                        best[j] = amount[j]
            i += 1
        if depth == 0:
            return incumbent, incumbent
        if visited > nodes:
            break
        i = stack[depth - 1]
        for r in range(resources):
            free[r] += demand[i, r]
        budget += size[i]
        for k in range(groups.shape[1]):
            if groups[i, k] >= 0:
                taken[groups[i, k]] -= 1
        value -= profit[i]
        amount[i] -= 1
        if amount[i] == 0:
            depth -= 1
        i += 1
    upper = incumbent
    while depth > 0:
        i = stack[depth - 1]
        while amount[i] > 0:
            budget += size[i]
            value -= profit[i]
            amount[i] -= 1
            open_bound = value + np.floor(
                rest_bound(i + 1, budget * (1.0 + 1e-12), heaped, worth) * (1.0 + 1e-12) + 1e-3
            )
            upper = max(upper, int(open_bound))
        depth -= 1
    return incumbent, upper


def greedy_sets(
    order: IntTable, demand: IntTable, most: Ints, groups: IntTable, limit: Ints, capacity: Ints, found: IntTable
):
    """Sets filled with as many of each item as fit, the items taken in given orders.

    Parameters
    ----------
    order : array of int, shape [T, N]
    demand, most, groups, limit, capacity
        As in `most_valuable`.
    found : array of int, shape [T, N]
        Receives how many of each item each set holds.
    """
    for t in range(order.shape[0]):
        free, taken = capacity.copy(), np.zeros(len(limit), dtype=np.int64)
        for at in range(order.shape[1]):
            i = order[t, at]
            take = most[i]
            for r in range(demand.shape[1]):
                if demand[i, r] > 0:
                    take = min(take, free[r] // demand[i, r])
            for k in range(groups.shape[1]):
                if groups[i, k] >= 0:
                    take = min(take, limit[groups[i, k]] - taken[groups[i, k]])
            found[t, i] = max(take, 0)
            if take > 0:
                for r in range(demand.shape[1]):
                    free[r] -= take * demand[i, r]
                for k in range(groups.shape[1]):
                    if groups[i, k] >= 0:
                        taken[groups[i, k]] += take
