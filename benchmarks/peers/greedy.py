"""Greedy peers: first fit, best fit and least power, by decreasing size, on hosts opened as they are needed."""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.peers.items import Items, NoPlan

FIRST_FIT, BEST_FIT, LEAST_POWER = 0, 1, 2
ROUNDING = 1e-10
"""Relative rounding error granted to a sum of floats, below the checker's."""

PEAK_WATTS, IDLE_SHARE = 250.0, 0.7
"""Power of a host whose own figures are blank, as in Beloglazov and Buyya (2012), doi 10.1002/cpe.1867."""


def first_fit(items: Items, order: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Host of each item and kind of each host: each item on the first open host that it fits on; else a new one.

    The new host is of the kind with the least price per unit of capacity among those that the item fits on.

    Parameters
    ----------
    items : Items
    order : array of int, optional
        Items in the order in which they are placed; by default by decreasing sum of shares of the largest host.
    """
    return _packed(items, decreasing(items) if order is None else order, FIRST_FIT)


def best_fit(items: Items) -> tuple[np.ndarray, np.ndarray]:
    """As `first_fit`, each item on the open host that has least room left, as a sum of shares."""
    return _packed(items, decreasing(items), BEST_FIT)


def least_power(items: Items, idle_w: np.ndarray, peak_w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Power-aware best fit decreasing: by decreasing CPU, each item where power rises least.

    Power of a host that runs is ``idle + (peak - idle) * CPU used / CPU capacity``, of one that does not 0. Restated
    from Beloglazov and Buyya (2012), doi 10.1002/cpe.1867, and CloudSim's PABFD.
    """
    order = np.argsort(-items.demand[:, 0], kind="stable")
    slope = (peak_w - idle_w) / np.maximum(items.capacity[:, 0], 1e-12)
    return _packed(items, order, LEAST_POWER, idle_w, slope)


def host_power(items: Items, idle_w: np.ndarray, peak_w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Idle and peak power with blanks filled: `PEAK_WATTS` at the largest host's CPU, in proportion for others."""
    cpu = items.capacity[:, 0]
    assumed = PEAK_WATTS * cpu / max(cpu.max(), 1e-12)
    peak_w = np.where(np.isnan(peak_w), assumed, peak_w)
    return np.where(np.isnan(idle_w), IDLE_SHARE * peak_w, idle_w), peak_w


def decreasing(items: Items) -> np.ndarray:
    """Items by decreasing sum of shares, ties in input order."""
    return np.argsort(-items.shares.sum(axis=1), kind="stable")


def _packed(
    items: Items, order: np.ndarray, rule: int, idle_w: np.ndarray | None = None, slope: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    kinds = len(items.capacity)
    reference = items.reference
    weight = np.zeros(items.demand.shape[1])
    weight[: items.resources] = np.divide(1.0, reference, out=np.zeros_like(reference), where=reference > 0)
    finite = np.where(np.isfinite(items.capacity), items.capacity, 0.0)
    worth = items.price / np.maximum((finite * weight).sum(axis=1), 1e-12)
    zero = np.zeros(kinds)
    host_of, kind_of, used = _place(
        order,
        items.demand,
        items.pool,
        items.allowed,
        np.where(np.isfinite(items.capacity), items.capacity * (1 + ROUNDING), np.inf),
        items.available.copy(),
        weight,
        np.argsort(worth, kind="stable"),
        zero if idle_w is None else idle_w,
        zero if slope is None else slope,
        rule,
    )
    if (host_of < 0).any():
        raise NoPlan(f"no plan: {int((host_of < 0).sum()):,} of {len(host_of):,} items fit on no host that is left")
    return host_of, kind_of[:used]


@njit(cache=True)
def _fits(room, item):
    for r in range(len(item)):  # noqa: SIM110, Numba compiles no generator
        if item[r] > room[r]:
            return False
    return True


@njit(cache=True)
def _chosen(item, pool, allowed, room, kind_of, pool_of, used, weight, slope, rule):
    """The open host for an item and its score; -1 where none has room."""
    best, best_score = -1, np.inf
    for h in range(used):
        kind = kind_of[h]
        if pool_of[h] != pool or not allowed[kind] or not _fits(room[h], item):
            continue
        if rule == FIRST_FIT:
            return h, 0.0
        score = slope[kind] * item[0]
        if rule == BEST_FIT:
            score = 0.0
            for r in range(len(item)):
                if weight[r] > 0.0 and room[h, r] < np.inf:
                    score += weight[r] * (room[h, r] - item[r])
        if score < best_score - 1e-12:
            best, best_score = h, score
    return best, best_score


@njit(cache=True)
def _opened(item, allowed, capacity, available, by_worth, idle_w, slope, rule):
    """The kind of host to open for an item and the power that it adds; -1 where none is left."""
    best, best_score = -1, np.inf
    for kind in by_worth:
        if available[kind] > 0 and allowed[kind] and _fits(capacity[kind], item):
            score = idle_w[kind] + slope[kind] * item[0]
            if rule != LEAST_POWER:
                return kind, score
            if score < best_score - 1e-12:
                best, best_score = kind, score
    return best, best_score


@njit(cache=True)
def _place(order, demand, pool, allowed, capacity, available, weight, by_worth, idle_w, slope, rule):
    items = len(demand)
    host_of = np.full(items, -1, np.int64)
    kind_of, pool_of = np.empty(items, np.int64), np.empty(items, np.int64)
    room = np.empty((256, demand.shape[1]))
    used = 0
    for i in order:
        h, score = _chosen(demand[i], pool[i], allowed[i], room, kind_of, pool_of, used, weight, slope, rule)
        if h < 0 or rule == LEAST_POWER:
            kind, power = _opened(demand[i], allowed[i], capacity, available, by_worth, idle_w, slope, rule)
            if h < 0 and kind < 0:
                continue
            if h < 0 or (kind >= 0 and power < score - 1e-12):
                if used == len(room):
                    larger = np.empty((2 * used, demand.shape[1]))
                    larger[:used] = room
                    room = larger
                h, used = used, used + 1
                kind_of[h], pool_of[h], room[h] = kind, pool[i], capacity[kind]
                available[kind] -= 1
        host_of[i] = h
        room[h] -= demand[i]
    return host_of, kind_of, used
