"""The most valuable set of items for one host: exact branch and bound with a surrogate bound, and quick greedies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from planner.solvers.kernels.types import Floats, IntCube, Ints, IntTable


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


def tabulate(profit: Ints, demand: IntTable, most: Ints, shift: Ints, table: IntCube):
    """What the items from each one on can be worth at most, for each amount free of one resource.

    Parameters
    ----------
    shift : array of int, shape [R]
        Resources are counted in steps of 2 to the power of this; demand is rounded down to whole steps.
    table : array of int, shape [R, N + 1, W]
        Receives the worth, at 0 to W - 1 free steps.
    """
    items, width = len(profit), table.shape[2]
    for r in range(table.shape[0]):
        for w in range(width):
            table[r, items, w] = 0
        for i in range(items - 1, -1, -1):
            for w in range(width):
                table[r, i, w] = table[r, i + 1, w]
            left, part = most[i], 1
            while left > 0:
                part = min(part, left)
                left -= part
                size, value = part * (demand[i, r] >> shift[r]), part * profit[i]
                for w in range(width - 1, size - 1, -1):
                    worth = table[r, i, w - size] + value
                    if worth > table[r, i, w]:
                        table[r, i, w] = worth
                part *= 2


def tabled_bound(i: int, free: Ints, shift: Ints, table: IntCube, least: int):
    """What items from `i` on can be worth at most by the tables; looks no further once that is at most `least`."""
    value = table[0, i, free[0] >> shift[0]]
    for r in range(1, table.shape[0]):
        if value <= least:
            break
        value = min(value, table[r, i, free[r] >> shift[r]])
    return value


def takeable(i: int, take: int, groups: IntTable, limit: Ints, zone: Ints, taken: Ints):
    """How many more of an item, at most `take`, a set may hold that has so many of each group and zone."""
    for k in range(groups.shape[1]):
        g = groups[i, k]
        if g >= 0:
            take = min(take, limit[g] - taken[g])
            if zone[g] >= 0 and taken[len(limit) + zone[g]] != taken[g]:
                return 0
    return take


def count_groups(i: int, number: int, groups: IntTable, zone: Ints, taken: Ints):
    """Count items into the groups and zones of a set, or out of them where `number` is negative."""
    for k in range(groups.shape[1]):
        g = groups[i, k]
        if g >= 0:
            taken[g] += number
            if zone[g] >= 0:
                taken[len(zone) + zone[g]] += number


def most_valuable(
    profit: Ints,
    demand: IntTable,
    most: Ints,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    held: Ints,
    capacity: Ints,
    multiplier: Floats,
    shift: Ints,
    table: IntCube,
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
    groups, limit, zone : arrays of int, shapes [N, K], [G] and [G]
    held : array of int, shape [2 G]
        Items of each group, and behind them of each zone, that the host carries already.
    capacity : array of int, shape [R]
    multiplier : array of float, shape [R]
        Not all 0.
    shift, table : arrays of int, shapes [R] and [R, N + 1, W]
        From `tabulate`; a table of no resources is left out.
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
    slack = 1e-15 * heaped[items]
    # The smallest demand of any item from i on: where it does not fit, none does.
    smallest = np.empty((items + 1, resources), dtype=np.int64)
    for r in range(resources):
        smallest[items, r] = capacity[r] + 1
        for i in range(items - 1, -1, -1):
            smallest[i, r] = min(smallest[i + 1, r], demand[i, r])
    free, taken = capacity.copy(), held.copy()
    budget = 0.0
    for r in range(resources):
        budget += multiplier[r] * free[r]
    stack, amount = np.zeros(items + 1, dtype=np.int64), np.zeros(items, dtype=np.int64)
    depth, value, incumbent, i, visited = 0, 0, floor, 0, 0
    tabled = table.shape[0] > 0
    while True:
        while i < items:
            take = most[i]
            for r in range(resources):
                if demand[i, r] > free[r]:
                    take = 0
                    break
            if take > 1:
                for r in range(resources):
                    if demand[i, r] > 0:
                        take = min(take, free[r] // demand[i, r])
            take = takeable(i, take, groups, limit, zone, taken)
            if take <= 0:
                i += 1
                continue
            if tabled and value + tabled_bound(i, free, shift, table, incumbent - value) <= incumbent:
                break
            rest = rest_bound(i, budget * (1.0 + 1e-12) + slack, heaped, worth) * (1.0 + 1e-12) + 1e-3
            if value + np.floor(rest) <= incumbent:
                break
            visited += 1
            for r in range(resources):
                free[r] -= take * demand[i, r]
            budget -= take * size[i]
            count_groups(i, take, groups, zone, taken)
            value += take * profit[i]
            stack[depth], amount[i] = i, take
            depth += 1
            if value > incumbent:
                incumbent = value
                for j in range(items):
                    best[j] = amount[j]
            i += 1
            full = False
            for r in range(resources):
                if free[r] < smallest[i, r]:
                    full = True
                    break
            if full:
                break
        if depth == 0:
            return incumbent, incumbent
        if visited > nodes:
            break
        visited += 1
        i = stack[depth - 1]
        budget = 0.0  # Summed anew: what is added and taken away again leaves rounding behind.
        for r in range(resources):
            free[r] += demand[i, r]
            budget += multiplier[r] * free[r]
        count_groups(i, -1, groups, zone, taken)
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
            for r in range(resources):
                free[r] += demand[i, r]
            value -= profit[i]
            amount[i] -= 1
            rest = int(rest_bound(i + 1, budget * (1.0 + 1e-12) + slack, heaped, worth) * (1.0 + 1e-12) + 1e-3)
            if tabled:
                rest = min(rest, tabled_bound(i + 1, free, shift, table, 0))
            upper = max(upper, value + rest)
        depth -= 1
    return incumbent, upper


def greedy_sets(
    order: IntTable,
    demand: IntTable,
    most: Ints,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    capacity: Ints,
    found: IntTable,
):
    """Sets filled with as many of each item as fit, the items taken in given orders.

    Parameters
    ----------
    order : array of int, shape [T, N]
    demand, most, groups, limit, zone, capacity
        As in `most_valuable`.
    found : array of int, shape [T, N]
        Receives how many of each item each set holds.
    """
    for t in range(order.shape[0]):
        free, taken = capacity.copy(), np.zeros(2 * len(limit), dtype=np.int64)
        for at in range(order.shape[1]):
            i = order[t, at]
            take = most[i]
            for r in range(demand.shape[1]):
                if demand[i, r] > 0:
                    take = min(take, free[r] // demand[i, r])
            take = max(takeable(i, take, groups, limit, zone, taken), 0)
            found[t, i] = take
            if take > 0:
                for r in range(demand.shape[1]):
                    free[r] -= take * demand[i, r]
                count_groups(i, take, groups, zone, taken)


def around_each(
    centres: Ints,
    profit: Ints,
    demand: IntTable,
    most: Ints,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    capacity: Ints,
    multiplier: Floats,
    shift: Ints,
    table: IntCube,
    floor: int,
    nodes: int,
    found: IntTable,
):
    """The most valuable items together with each of some items, as `most_valuable` finds them in a few nodes.

    Parameters
    ----------
    centres : array of int, shape [T]
    found : array of int, shape [T, N]
        Receives the sets worth more than `floor`; rows of zeros where there is none.
    """
    held = np.zeros(2 * len(limit), dtype=np.int64)
    for t in range(len(centres)):
        i = centres[t]
        rest, allowed = capacity - demand[i], most.copy()
        allowed[i] -= 1
        held[:] = 0
        count_groups(i, 1, groups, zone, held)
        least = floor - profit[i]
        value, _ = most_valuable(
            profit, demand, allowed, groups, limit, zone, held,
            rest, multiplier, shift, table, max(least, 0), nodes, found[t],
        )  # fmt: skip
        if value > max(least, 0) or least < 0:
            found[t, i] += 1


def fits_instead(
    i: int, out1: int, out2: int, demand: IntTable, groups: IntTable, limit: Ints, zone: Ints, free: Ints, taken: Ints
):
    """Whether one more of item `i` fits once one of `out1` and one of `out2` (-1 for none) have left."""
    for r in range(demand.shape[1]):
        room = free[r]
        if out1 >= 0:
            room += demand[out1, r]
        if out2 >= 0:
            room += demand[out2, r]
        if demand[i, r] > room:
            return False
    for k in range(groups.shape[1]):
        g = groups[i, k]
        if g < 0:
            continue
        members, rivals = taken[g], 0
        if zone[g] >= 0:
            rivals = taken[len(limit) + zone[g]] - taken[g]
        for out in (out1, out2):
            for k2 in range(groups.shape[1]):
                g2 = groups[out, k2] if out >= 0 else -1
                if g2 == g:
                    members -= 1
                elif g2 >= 0 and zone[g] >= 0 and zone[g2] == zone[g]:
                    rivals -= 1
        if members >= limit[g] or rivals > 0:
            return False
    return True


def count_in(
    i: int, number: int, demand: IntTable, groups: IntTable, zone: Ints, free: Ints, taken: Ints, amounts: Ints
):
    """Put `number` of item `i` into a set, or take them out where it is negative."""
    amounts[i] += number
    for r in range(demand.shape[1]):
        free[r] -= number * demand[i, r]
    count_groups(i, number, groups, zone, taken)


def improve_sets(
    profit: Ints,
    demand: IntTable,
    most: Ints,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    capacity: Ints,
    work: int,
    found: IntTable,
):
    """Make sets more valuable by putting one item in the place of one or two, as long as that helps.

    Items must stand in falling order of profit.

    Parameters
    ----------
    profit, demand, most, groups, limit, zone, capacity
        As in `most_valuable`.
    work : int
        Exchanges looked at for one set before it is left as it is.
    found : array of int, shape [T, N]
        Sets that fit; changed in place.
    """
    items = len(profit)
    held = np.empty(items, dtype=np.int64)
    for t in range(found.shape[0]):
        free, taken = capacity.copy(), np.zeros(2 * len(limit), dtype=np.int64)
        amounts = found[t]
        for i in range(items):
            if amounts[i] > 0:
                number = amounts[i]
                amounts[i] = 0
                count_in(i, number, demand, groups, zone, free, taken, amounts)
        looked = 0
        while looked < work:
            number = 0
            for i in range(items):
                while amounts[i] < most[i] and fits_instead(i, -1, -1, demand, groups, limit, zone, free, taken):
                    count_in(i, 1, demand, groups, zone, free, taken, amounts)
                if amounts[i] > 0:
                    held[number] = i
                    number += 1
            gain, into, out1, out2 = 0, -1, -1, -1
            for a in range(number):
                if looked >= work:
                    break
                j = held[a]
                for b in range(a, number):
                    # The item alone first, then it together with one that is worth no more.
                    j2 = -1 if b == a else held[b]
                    least = profit[j] + (profit[j2] if j2 >= 0 else 0) + gain
                    for i in range(items):
                        looked += 1
                        if profit[i] <= least:
                            break
                        if amounts[i] < most[i] and fits_instead(i, j, j2, demand, groups, limit, zone, free, taken):
                            gain, into, out1, out2 = profit[i] - least + gain, i, j, j2
                            break
            if into < 0:
                break
            count_in(out1, -1, demand, groups, zone, free, taken, amounts)
            if out2 >= 0:
                count_in(out2, -1, demand, groups, zone, free, taken, amounts)
            count_in(into, 1, demand, groups, zone, free, taken, amounts)
