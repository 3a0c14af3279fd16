"""The reserve for failed hosts, and the disks of shared storage: hosts added to a packing until both hold."""

from __future__ import annotations

import numpy as np
from ortools.sat.python import cp_model

from planner.solvers.disks import keep_without_largest
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, load, used
from planner.solvers.storing import with_disks


def with_reserve(instance: Instance, packing: Packing) -> Packing | None:
    """The packing with as many idle hosts as failover and shared storage take; None where hosts run out.

    ``share``: hosts are added until each pool's demand fits what its hosts offer without the k largest.
    ``spare``: k hosts a pool, each able to take over the load of any other.
    Shared storage: hosts become classes with larger disks, or are added, until the pool's disks suffice.
    """
    if instance.failover_hosts == 0 and instance.disks is None:
        return packing
    hosts = list(packing.hosts)
    for pool in range(len(instance.pools)):
        if instance.disks is None:
            complete = _reserved(instance, hosts, pool)
        else:
            hosts = _stored(instance, hosts, pool)
            complete = hosts is not None
        if not complete:
            return None
    return Packing(hosts=tuple(hosts))


def _stored(instance: Instance, hosts: list[OpenHost], pool: int) -> list[OpenHost] | None:
    """The cheapest of some ways to give a pool its reserve and its disks; None where all run out of hosts."""
    found = []
    for patient in (False, True) if instance.disks.lost_hosts else (False,):
        mine = list(hosts)
        # A host with larger disks may offer less of something else, so the reserve is looked at again.
        if (
            _reserved(instance, mine, pool)
            and with_disks(instance, mine, pool, patient)
            and _reserved(instance, mine, pool)
        ):
            found.append(mine)
    return min(found, key=lambda mine: Packing(hosts=tuple(mine)).key(instance), default=None)


def _reserved(instance: Instance, hosts: list[OpenHost], pool: int) -> bool:
    if instance.failover_hosts == 0:
        return True
    left = instance.available - used(instance, hosts)
    able = instance.able(pool)
    cheap = np.lexsort((instance.tiebreak, instance.opening)).tolist()
    add = _share if instance.failover_mode == "share" else _spare
    return add(instance, hosts, pool, [c for c in cheap if able[c]], left)


def _share(instance: Instance, hosts: list[OpenHost], pool: int, able: list[int], left: np.ndarray) -> bool:
    real = instance.resources
    inside = instance.pool == pool
    demand = (instance.demand[inside] * instance.count[inside, None]).sum(axis=0)[:real]
    while True:
        # A host that runs for its disks alone and could carry no workload is no reserve.
        counted = [host.kind for host in hosts if host.pool == pool and (host.items or host.kind in able)]
        capacity = instance.capacity[counted][:, :real]
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

    Parameters
    ----------
    running : list of linear expressions
        How many hosts of each class the pool runs.
    """
    inside, k = instance.pool == pool, instance.failover_hosts
    serving = np.flatnonzero(instance.allowed[inside].any(axis=0)).tolist()
    demand = (instance.demand[inside] * instance.count[inside, None]).sum(axis=0)
    model.add(sum(running) >= 1 + k)
    for r in range(instance.resources):
        keep_without_largest(model, instance.capacity[:, r].tolist(), serving, running, int(demand[r]), k)
