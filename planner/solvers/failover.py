"""The reserve for failed hosts: hosts added to a packing until the policy's failover holds."""

from __future__ import annotations

import numpy as np
from ortools.sat.python import cp_model

from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, load, used


def with_reserve(instance: Instance, packing: Packing) -> Packing | None:
    """The packing with as many idle hosts as the failover reserve takes; None where hosts run out.

    ``share``: hosts are added until each pool's demand fits what its hosts offer without the k largest.
    ``spare``: k hosts a pool, each able to take over the load of any other.
    """
    if instance.failover_hosts == 0:
        return packing
    hosts = list(packing.hosts)
    left = instance.available - used(instance, hosts)
    cheap = np.lexsort((instance.tiebreak, instance.opening)).tolist()
    for pool in range(len(instance.pools)):
        able = instance.able(pool)
        add = _share if instance.failover_mode == "share" else _spare
        if not add(instance, hosts, pool, [c for c in cheap if able[c]], left):
            return None
    return Packing(hosts=tuple(hosts))


def _share(instance: Instance, hosts: list[OpenHost], pool: int, able: list[int], left: np.ndarray) -> bool:
    real = instance.resources
    inside = instance.pool == pool
    demand = (instance.demand[inside] * instance.count[inside, None]).sum(axis=0)[:real]
    while True:
        capacity = np.array([instance.capacity[host.kind] for host in hosts if host.pool == pool])[:, :real]
        kept = np.sort(capacity, axis=0)[: max(len(capacity) - instance.failover_hosts, 0)].sum(axis=0)
        short = demand > kept
        if not short.any():
            return True
        free = [c for c in able if left[c] > 0]
        if not free:
            return False
        # The class that adds most of what is short for its cost; every class adds something, so this ends.
        gain = instance.capacity[free][:, :real][:, short] / np.maximum((demand - kept)[short], 1)
        cost = np.maximum(instance.opening[free], 1)
        best = free[int(np.argmax(np.minimum(gain, 1).min(axis=1) / cost))]
        hosts.append(OpenHost(kind=best, pool=pool))
        left[best] -= 1


def _spare(instance: Instance, hosts: list[OpenHost], pool: int, able: list[int], left: np.ndarray) -> bool:
    mine = [host for host in hosts if host.pool == pool]
    peak = np.max([load(instance, host) for host in mine], axis=0)
    can = (instance.capacity >= peak).all(axis=1)
    standing = sum(1 for host in mine if not host.items and can[host.kind])
    for _ in range(instance.failover_hosts - standing):
        free = [c for c in able if can[c] and left[c] > 0]
        if not free:
            return False
        hosts.append(OpenHost(kind=free[0], pool=pool))
        left[free[0]] -= 1
    return True


def keep_share(model: cp_model.CpModel, instance: Instance, pool: int, running: list) -> None:
    """Constrain hosts so that a pool's demand fits what they offer without the k largest, resource by resource.

    The k largest of the running hosts offer together the least, over thresholds v, of
    ``k v + sum_c max(0, capacity[c] - v) running[c]``; it is attained where v is the capacity of a class.

    Parameters
    ----------
    running : list of linear expressions
        How many hosts of each class the pool runs.
    """
    inside, k = instance.pool == pool, instance.failover_hosts
    serving = np.flatnonzero(instance.allowed[inside].any(axis=0))
    demand = (instance.demand[inside] * instance.count[inside, None]).sum(axis=0)
    model.add(sum(running) >= 1 + k)
    for r in range(instance.resources):
        capacity = instance.capacity[:, r].tolist()
        chosen = []
        for v in sorted({capacity[c] for c in serving}):
            pick = model.new_bool_var("")
            kept = sum(min(capacity[c], v) * running[c] for c in serving.tolist())
            model.add(kept >= int(demand[r]) + k * v).only_enforce_if(pick)
            chosen.append(pick)
        model.add_at_least_one(chosen)
