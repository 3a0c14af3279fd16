"""Filling hosts: one host at a time with the items that suit it best, and one item at a time by first or best fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from planner.solvers.kernels.types import BoolTable, Floats, FloatTable, Ints, IntTable


def barred(s: int, groups: IntTable, limit: Ints, zone: Ints, taken: Ints):
    """Whether a host that holds so many of each group, and of each zone behind them, may not take one more item."""
    for k in range(groups.shape[1]):
        g = groups[s, k]
        if g >= 0:
            if taken[g] >= limit[g]:
                return True
            if zone[g] >= 0 and taken[len(limit) + zone[g]] != taken[g]:
                return True
    return False


def take_group(s: int, groups: IntTable, zone: Ints, taken: Ints, number: int):
    """Count items of a shape into the groups and zones of a host."""
    for k in range(groups.shape[1]):
        g = groups[s, k]
        if g >= 0:
            taken[g] += number
            if zone[g] >= 0:
                taken[len(zone) + zone[g]] += number


def fill_host(
    candidates: Ints,
    demand: IntTable,
    share: FloatTable,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    remaining: Ints,
    capacity: Ints,
    free: Ints,
    taken: Ints,
    direction: Floats,
    alpha: float,
    chosen: Ints,
):
    """Fill one host: the item that goes farthest along a direction and turns the fill away from it the least.

    The score of an item is its share along `direction` minus `alpha` times what it adds to the distance of the host's
    fill from that direction.

    Parameters
    ----------
    candidates : array of int
        Shapes that may run on the host; overwritten.
    demand : array of int, shape [S, R]
    share : array of float, shape [S, R]
        Demand relative to the host's capacity.
    groups : array of int, shape [S, K]
        Groups of each shape, -1 for none.
    limit, zone : array of int, shape [G]
        How many members a host may carry; the zone within which groups exclude each other, -1 for none.
    remaining : array of int, shape [S]
        Items left to place; reduced by what is chosen.
    capacity, free, taken : arrays of int, shapes [R], [R] and [2 G]
        The host's; what is free and taken is updated.
    direction : array of float, shape [R]
        Of length 1.
    alpha : float
    chosen : array of int
        Receives the shapes chosen, item by item.

    Returns
    -------
    int
        How many items were chosen.
    """
    resources = demand.shape[1]
    fill = np.zeros(resources)
    length, along_fill, number, alive = 0.0, 0.0, 0, len(candidates)
    for r in range(resources):
        fill[r] = (capacity[r] - free[r]) / max(capacity[r], 1)
        length += fill[r] * fill[r]
        along_fill += fill[r] * direction[r]
    while number < len(chosen):
        best, best_score, kept = -1, -1e300, 0
        away = max(length - along_fill * along_fill, 0.0) ** 0.5
        for at in range(alive):
            s = candidates[at]
            if remaining[s] == 0:
                continue
            fits = True
            for r in range(resources):
                if demand[s, r] > free[r]:
                    fits = False
                    break
            if not fits or barred(s, groups, limit, zone, taken):
                continue
            candidates[kept] = s
            kept += 1
            along, squared = 0.0, 0.0
            for r in range(resources):
                x = share[s, r]
                along += x * direction[r]
                squared += x * (x + 2.0 * fill[r])
            new_along = along_fill + along
            off = length + squared - new_along * new_along
            score = along - alpha * ((off**0.5 if off > 0.0 else 0.0) - away)
            if score > best_score:
                best, best_score = s, score
        alive = kept
        if best < 0:
            break
        for r in range(resources):
            free[r] -= demand[best, r]
            fill[r] += share[best, r]
        length, along_fill = 0.0, 0.0
        for r in range(resources):
            length += fill[r] * fill[r]
            along_fill += fill[r] * direction[r]
        take_group(best, groups, zone, taken, 1)
        remaining[best] -= 1
        chosen[number] = best
        number += 1
    return number


def room_on(
    s: int,
    b: int,
    demand: IntTable,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    free: IntTable,
    begins: Ints,
    homes: Ints,
    used: Ints,
    most: int,
):
    """How many items of a shape fit on a host, at most `most`."""
    for r in range(demand.shape[1]):
        if demand[s, r] > 0:
            most = min(most, free[b, r] // demand[s, r])
    for k in range(groups.shape[1]):
        g = groups[s, k]
        if g >= 0 and most > 0:
            members = 0
            for at in range(begins[g], begins[g] + used[g]):
                if homes[at] == b:
                    members += 1
            most = min(most, limit[g] - members)
            for other in range(len(zone) if zone[g] >= 0 else 0):
                if zone[other] == zone[g] and other != g:
                    for at in range(begins[other], begins[other] + used[other]):
                        if homes[at] == b:
                            most = 0
    return max(most, 0)


def fit_all(
    order: Ints,
    demand: IntTable,
    count: Ints,
    pool: Ints,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    begins: Ints,
    homes: Ints,
    used: Ints,
    fits: BoolTable,
    capacity: IntTable,
    preference: Ints,
    left: Ints,
    purse: Ints,
    opened: int,
    kind: Ints,
    host_pool: Ints,
    free: IntTable,
    size: Floats,
    best: bool,
    at: Ints,
    shape: Ints,
    number: Ints,
):
    """First or best fit of shapes on hosts that stand in a row, opened one after another.

    Parameters
    ----------
    order : array of int
        Shapes in the order in which they are placed.
    begins, homes, used : arrays of int, shapes [G], [members of all groups], [G]
        Hosts that members of each group are on: `used[g]` of them from `begins[g]` on.
    fits : array of bool, shape [S, C]
    preference : array of int, shape [C]
        Classes in the order in which they are opened while `left` of their family, told at its `purse`, are there.
    opened : int
        How many hosts are open at the beginning: their `kind`, `host_pool` and `free` are set.
    size : array of float, shape [R]
        What a free unit of each resource counts when the fullest host is wanted.
    best : bool
        Best fit; otherwise first fit.
    at, shape, number : arrays of int
        Receive the placements: on which host, which shape, how many.

    Returns
    -------
    (int, int, int)
        How many placements were written, how many hosts are open, how many items found no host.
    """
    resources = demand.shape[1]
    placed, missing = 0, 0
    for s in order:
        todo = count[s]
        first = 0
        while todo > 0:
            host, host_score, host_room = -1, 1e300, 0
            for b in range(first, opened):
                if host_pool[b] != pool[s] or not fits[s, kind[b]]:
                    continue
                fit = room_on(s, b, demand, groups, limit, zone, free, begins, homes, used, todo)
                if fit == 0:
                    continue
                score = 0.0
                if best:
                    for r in range(resources):
                        score += free[b, r] * size[r]
                if host < 0 or score < host_score:
                    host, host_score, host_room = b, score, fit
                if not best:
                    first = b + 1
                    break
            if host < 0:
                for c in preference:
                    if left[purse[c]] > 0 and fits[s, c] and opened < len(kind):
                        kind[opened], host_pool[opened] = c, pool[s]
                        for r in range(resources):
                            free[opened, r] = capacity[c, r]
                        host_room = room_on(s, opened, demand, groups, limit, zone, free, begins, homes, used, todo)
                        if host_room > 0:
                            host = opened
                            left[purse[c]] -= 1
                            opened += 1
                            first = opened
                            break
            if host < 0:
                missing += todo
                break
            for r in range(resources):
                free[host, r] -= demand[s, r] * host_room
            for k in range(groups.shape[1]):
                g = groups[s, k]
                if g >= 0:
                    for _ in range(host_room):
                        homes[begins[g] + used[g]] = host
                        used[g] += 1
            at[placed], shape[placed], number[placed] = host, s, host_room
            placed += 1
            todo -= host_room
    return placed, opened, missing
