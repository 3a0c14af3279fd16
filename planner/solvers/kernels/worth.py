"""What a host can be worth at most where large items stay whole and the others may be taken in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from planner.solvers.kernels.types import Floats, FloatTable, Ints, IntTable


def bound_from(i: int, free: Ints, multiplier: FloatTable, rest: FloatTable, least: float, served: Ints):
    """What items from `i` on can be worth at most in what is free; looks no further once that is at most `least`.

    `served` counts how often each of the multipliers brought it there; behind stands the last that did, tried first.
    """
    best, last = 1e300, multiplier.shape[0]
    for n in range(-1, last):
        k = served[last] if n < 0 else n
        value = rest[k, i]
        for r in range(len(free)):
            value += multiplier[k, r] * free[r]
        if value < best:
            best = value
            if value <= least:
                served[k] += 1
                served[last] = k
                break
    return best


def keep_worthiest(
    value: float, begin: int, free: Ints, chosen: Ints, depth: int, worth: Floats, begins: Ints, room: IntTable,
    inside: IntTable,
):  # fmt: skip
    """Write a set down in the place of the least worthy one written, if it is worthier."""
    at = 0
    for n in range(1, len(worth)):
        if worth[n] < worth[at]:
            at = n
    if value > worth[at]:
        worth[at], begins[at] = value, begin
        for r in range(len(free)):
            room[at, r] = free[r]
        for d in range(inside.shape[1]):
            inside[at, d] = chosen[d] if d < depth else -1


def worth_at_most(
    profit: Ints,
    demand: IntTable,
    most: Ints,
    large: int,
    capacity: Ints,
    multiplier: FloatTable,
    rest: FloatTable,
    floor: float,
    nodes: int,
    worth: Floats,
    begins: Ints,
    room: IntTable,
    inside: IntTable,
    served: Ints,
):
    """Enumerate the sets of large items that may be worth more than a floor, the best parts of other items added.

    For any multipliers m at least 0 no items from i on are worth more in the room f than
    ``m f + sum_{j >= i} most_j max(0, profit_j - m demand_j)``.

    Parameters
    ----------
    profit, most : arrays of int, shape [N]
    demand : array of int, shape [N, R]
    large : int
        The first so many items are taken whole.
    capacity : array of int, shape [R]
    multiplier : array of float, shape [K, R]
    rest : array of float, shape [K, N + 1]
        The sum above for each multiplier and i.
    floor : float
    nodes : int
        Nodes after which the enumeration ends.
    worth, begins, room, inside : arrays, shapes [L], [L], [L, R] and [L, D]
        Receive the L worthiest of the sets that may exceed the floor: what each is worth at most, from which item on
        parts are added, the room there is for them, and the set's items, padded with -1. No set has more than D items:
        beyond, large items are taken in parts as well.
    served : array of int, shape [K + 1]
        How often each of the multipliers was of use; behind stands the last that was.

    Returns
    -------
    (float, bool)
        What no set is worth more than (`floor` where none may exceed it), and whether the enumeration came to its end.
    """
    resources, deepest = demand.shape[1], inside.shape[1]
    chosen, copies = np.zeros(deepest + 1, dtype=np.int64), np.zeros(deepest + 1, dtype=np.int64)
    free, value = np.zeros((deepest + 1, resources), dtype=np.int64), np.zeros(deepest + 1, dtype=np.int64)
    following = np.zeros(deepest + 1, dtype=np.int64)
    rest_of = np.zeros(resources, dtype=np.int64)
    for r in range(resources):
        free[0, r] = capacity[r]
    depth, visited, upper, entered = 0, 0, floor, True
    while depth >= 0:
        v = value[depth]
        if entered:
            # No further large item: parts of the small ones alone. At the greatest depth, of all that follow.
            begin = following[depth] if depth == deepest else large
            bound = v + bound_from(begin, free[depth], multiplier, rest, floor - v, served)
            if bound > floor:
                upper = max(upper, bound)
                keep_worthiest(bound, begin, free[depth], chosen, depth, worth, begins, room, inside)
            entered = False
        i = following[depth]
        if depth < deepest:
            while i < large:
                # Asked of every eighth item only: where more may follow the answer takes as long as many items do.
                if i % 8 == 0 and v + bound_from(i, free[depth], multiplier, rest, floor - v, served) <= floor:
                    i = large
                    break
                fits = True
                for r in range(resources):
                    rest_of[r] = free[depth, r] - demand[i, r]
                    if rest_of[r] < 0:
                        fits = False
                        break
                if fits:
                    number = copies[depth] + 1 if depth > 0 and chosen[depth - 1] == i else 1
                    begin = i if number < most[i] else i + 1
                    bound = bound_from(begin, rest_of, multiplier, rest, floor - v - profit[i], served)
                    if v + profit[i] + bound > floor:
                        following[depth], chosen[depth], copies[depth + 1] = i + 1, i, number
                        depth += 1
                        for r in range(resources):
                            free[depth, r] = rest_of[r]
                        value[depth], following[depth], entered = v + profit[i], begin, True
                        visited += 1
                        break
                i += 1
        if not entered:
            depth -= 1
        elif visited > nodes:
            break
    for d in range(depth + 1):  # What the end left open: all that follows in parts.
        bound = value[d] + bound_from(following[d], free[d], multiplier, rest, floor - value[d], served)
        if bound > floor:
            upper = max(upper, bound)
            keep_worthiest(bound, following[d], free[d], chosen, d, worth, begins, room, inside)
    return upper, depth < 0
