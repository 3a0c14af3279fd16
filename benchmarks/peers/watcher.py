"""OpenStack Watcher's strategy vm_workload_consolidation, restated from its description.

From a standing placement: 1. offload: hosts that carry more than they may give workloads away, least CPU first, each to
the fullest host that it fits on; 2. consolidation: from the host least used in CPU on, each gives its workloads away,
most CPU first, each to the fullest of the hosts that are fuller than it; 3. hosts left empty are switched off.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from benchmarks.peers.greedy import ROUNDING, first_fit
from benchmarks.peers.items import Items


def consolidated(
    items: Items, host_of: np.ndarray | None = None, kind_of: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Host of each item and kind of each host after the strategy; hosts without items are off.

    Parameters
    ----------
    items : Items
    host_of, kind_of : arrays of int, optional
        The standing placement; by default first fit in the order of the input.
    """
    if host_of is None or kind_of is None:
        host_of, kind_of = first_fit(items, np.arange(len(items.demand)))
    host_of = host_of.copy()
    capacity = items.capacity[kind_of]
    pool_of = np.full(len(kind_of), -1, dtype=np.int64)
    pool_of[host_of] = items.pool
    load = np.zeros_like(capacity)
    np.add.at(load, host_of, items.demand)
    limit = np.where(np.isfinite(capacity), capacity * (1 + ROUNDING), np.inf)
    use = load[:, 0] / np.maximum(capacity[:, 0], 1e-12)
    fullest = np.argsort(-use, kind="stable")
    by_cpu = np.argsort(items.demand[:, 0], kind="stable")
    site = (items.pool, items.allowed, kind_of, pool_of)
    _offload(by_cpu, host_of, items.demand, load, limit, fullest, *site)
    use = load[:, 0] / np.maximum(capacity[:, 0], 1e-12)
    fullest = np.argsort(-use, kind="stable")
    largest_first = by_cpu[::-1]
    by_host = largest_first[np.argsort(host_of[largest_first], kind="stable")]
    start = np.searchsorted(host_of[by_host], np.arange(len(kind_of) + 1))
    _consolidate(by_host, start, host_of, items.demand, load, limit, fullest, *site)
    return host_of, kind_of


@njit(cache=True)
def _move(i, end, host_of, demand, load, limit, fullest, pool, allowed, kind_of, pool_of):
    """Moves an item to the first of the `end` fullest hosts that it fits on; whether it moved."""
    source = host_of[i]
    for position in range(end):
        h = fullest[position]
        if h == source or pool_of[h] != pool[i] or not allowed[i, kind_of[h]]:
            continue
        fits = True
        for r in range(demand.shape[1]):
            if load[h, r] + demand[i, r] > limit[h, r]:
                fits = False
                break
        if fits:
            host_of[i] = h
            load[source] -= demand[i]
            load[h] += demand[i]
            return True
    return False


@njit(cache=True)
def _offload(by_cpu, host_of, demand, load, limit, fullest, pool, allowed, kind_of, pool_of):
    for i in by_cpu:
        if (load[host_of[i]] > limit[host_of[i]]).any():
            _move(i, len(fullest), host_of, demand, load, limit, fullest, pool, allowed, kind_of, pool_of)


@njit(cache=True)
def _consolidate(by_host, start, host_of, demand, load, limit, fullest, pool, allowed, kind_of, pool_of):
    for position in range(len(fullest) - 1, 0, -1):
        h = fullest[position]
        for i in by_host[start[h] : start[h + 1]]:
            _move(i, position, host_of, demand, load, limit, fullest, pool, allowed, kind_of, pool_of)
