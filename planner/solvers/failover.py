"""The reserve for failed hosts, and the disks of shared storage: hosts added to a packing until both hold."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from ortools.sat.python import cp_model

from planner.solvers.disks import keep_without_largest
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, load, unused
from planner.solvers.storing import with_disks

MOST_SETS = 2_000
"""Sets of domains lost at once up to which each one is a constraint of its own."""


def with_reserve(instance: Instance, packing: Packing) -> Packing | None:
    """The packing with as many idle hosts as failover and shared storage take; None where hosts run out.

    ``share``: hosts are added until each pool's demand fits what its hosts offer without the k largest.
    ``spare``: k hosts a pool, each able to take over the load of any other.
    ``verified``: k hosts a pool that can take over the load of any other whole, under every rule; where there are none,
    as for ``share`` in the figures that hold while hosts are lost, and the packing is not sure.
    Shared storage: hosts become classes with larger disks, or are added, until the pool's disks suffice.
    """
    if instance.failover_hosts == 0 and instance.disks is None:
        return packing
    hosts, sure = list(packing.hosts), True
    for pool in range(len(instance.pools)):
        if instance.disks is None:
            secured = _reserved(instance, hosts, pool)
        else:
            hosts, secured = _stored(instance, hosts, pool)
        if secured is None:
            return None
        sure = sure and secured
    return Packing(hosts=tuple(hosts), sure=sure)


def standing_by(instance: Instance) -> int:
    """What hosts that stand by add at least to the objective of a packing that is as dense as can be."""
    if instance.failover_mode != "spare" and not instance.weighed_losses:
        return 0
    able = [instance.opening[instance.able(p)] for p in range(len(instance.pools))]
    return sum(instance.failover_hosts * int(opening.min()) for opening in able if len(opening))


def _stored(instance: Instance, hosts: list[OpenHost], pool: int) -> tuple[list[OpenHost], bool | None]:
    """The cheapest of some ways to give a pool its reserve and its disks, and whether it is sure, see `_reserved`."""
    found = []
    for patient in (False, True) if instance.disks.lost_hosts else (False,):
        mine = list(hosts)
        if _reserved(instance, mine, pool) is None or not with_disks(instance, mine, pool, patient):
            continue
        # A host with larger disks may offer less of something else, so the reserve is looked at again.
        secured = _reserved(instance, mine, pool)
        if secured is not None:
            found.append((mine, secured))
    return min(found, key=lambda one: Packing(hosts=tuple(one[0])).key(instance), default=(hosts, None))


def _reserved(instance: Instance, hosts: list[OpenHost], pool: int) -> bool | None:
    """Add a pool's reserve: whether every loss is sure to be survived; None where hosts run out."""
    if instance.failover_hosts == 0:
        return True
    left = unused(instance, hosts)
    able = instance.able(pool)
    cheap = [c for c in np.lexsort((instance.tiebreak, instance.opening)).tolist() if able[c]]
    if instance.failover_mode == "verified" and _takeover(instance, hosts, pool, cheap, left):
        return True
    add = _spare if instance.failover_mode == "spare" else _share
    if not add(instance, hosts, pool, cheap, left):
        return None
    return instance.failover_mode != "verified"


def _share(instance: Instance, hosts: list[OpenHost], pool: int, able: list[int], left: np.ndarray) -> bool:
    real, inside, failing = instance.resources, instance.pool == pool, instance.failing
    if failing is None:
        each, offered = instance.demand[:, :real], instance.capacity[:, :real]
    else:
        each, offered = failing.demand, failing.capacity
    demand = (each[inside] * instance.count[inside, None]).sum(axis=0)
    while True:
        # A host that runs for its disks alone and could carry no workload is no reserve.
        counted = [host.kind for host in hosts if host.pool == pool and (host.items or host.kind in able)]
        kinds = np.array(counted, dtype="int64")
        units = _by_domain(instance, kinds, offered)
        kept = np.sort(units, axis=0)[: max(len(units) - instance.failover_hosts, 0)].sum(axis=0)
        short = demand > kept
        if not short.any():
            return True
        free = [c for c in able if left[c] > 0]
        if not free:
            return False
        # The class that adds most of what is short for its cost; every class adds something, so this ends.
        gain = offered[free][:, short] / np.maximum((demand - kept)[short], 1)
        if failing is not None and failing.domain is not None:  # A domain that has little already adds most.
            crowd = np.bincount(failing.domain[kinds], minlength=int(failing.domain.max()) + 1)
            gain = gain / (1 + crowd[failing.domain[free]])[:, None]
        cost = np.maximum(instance.opening[free], 1)
        best = free[int(np.argmax(np.minimum(gain, 1).min(axis=1) / cost))]
        hosts.append(OpenHost(kind=best, pool=pool))
        left[instance.kin[best]] -= 1


def _by_domain(instance: Instance, kinds: np.ndarray, offered: np.ndarray) -> np.ndarray:
    """What hosts offer, by what is lost as one."""
    if instance.failing is None or instance.failing.domain is None:
        return offered[kinds]
    units = np.zeros((int(instance.failing.domain.max()) + 1, offered.shape[1]), dtype="int64")
    np.add.at(units, instance.failing.domain[kinds], offered[kinds])
    return units


def _spare(instance: Instance, hosts: list[OpenHost], pool: int, able: list[int], left: np.ndarray) -> bool:
    mine = [host for host in hosts if host.pool == pool]
    peak = np.max([load(instance, host) for host in mine], axis=0)
    can = (instance.capacity >= peak).all(axis=1)
    return _stand_by(instance, hosts, pool, [c for c in able if can[c]], left)


def _takeover(instance: Instance, hosts: list[OpenHost], pool: int, able: list[int], left: np.ndarray) -> bool:
    """Add hosts that can take over any other's load whole, if that keeps every rule; whether they are there."""
    failing, inside = instance.failing, instance.pool == pool
    if failing.domain is not None or any(law.amount[inside].any() for law in instance.spreads):
        return False
    loads = [
        sum((failing.demand[s] * n for s, n in host.items.items()), np.zeros(failing.demand.shape[1], dtype="int64"))
        for host in hosts
        if host.pool == pool
    ]
    can = (failing.capacity >= np.max(loads, axis=0)).all(axis=1) & instance.allowed[inside].all(axis=0)
    return _stand_by(instance, hosts, pool, [c for c in able if can[c]], left)


def _stand_by(instance: Instance, hosts: list[OpenHost], pool: int, kinds: list[int], left: np.ndarray) -> bool:
    """Have k hosts of some kinds stand by for a pool; False, and none added, where there are too few."""
    standing = sum(1 for host in hosts if host.pool == pool and not host.items and host.kind in kinds)
    missing, new, free = max(instance.failover_hosts - standing, 0), [], left.copy()
    for c in kinds:
        taken = min(int(free[c]), missing - len(new))
        new += [OpenHost(kind=c, pool=pool) for _ in range(taken)]
        free[instance.kin[c]] -= taken
    if len(new) < missing:
        return False
    hosts += new
    left[:] = free
    return True


def keep_share(model: cp_model.CpModel, instance: Instance, pool: int, running: list) -> None:
    """Constrain hosts so that a pool's demand fits what they offer without the k largest, resource by resource.

    A plan whose failover is verified keeps this too, in the figures that hold while hosts are lost: in the case that
    loses the k largest, or more with their domains, all the pool's workloads are on what is left.

    Parameters
    ----------
    running : list of linear expressions
        How many hosts of each class the pool runs.
    """
    inside, k, failing = instance.pool == pool, instance.failover_hosts, instance.failing
    serving = np.flatnonzero(instance.allowed[inside].any(axis=0)).tolist()
    if failing is None:
        demand = (instance.demand[inside] * instance.count[inside, None]).sum(axis=0)[: instance.resources]
        offered = instance.capacity
    else:
        demand, offered = failing.total[pool], failing.offered
    model.add(sum(running) >= 1 + k)
    for r in range(len(demand)):
        keep_without_largest(model, offered[:, r].tolist(), serving, running, int(demand[r]), k)
    if failing is not None and failing.domain is not None:
        _keep_domains(model, demand, offered, failing.domain, k, serving, running)


def _keep_domains(
    model: cp_model.CpModel,
    demand: np.ndarray,
    offered: np.ndarray,
    domain: np.ndarray,
    k: int,
    serving: list,
    running: list,
) -> None:
    """Constrain hosts so that demand fits what is left of them without any k domains."""
    known = np.unique(domain[serving]).tolist()
    for lost in combinations(known, min(k, len(known))) if comb(len(known), min(k, len(known))) <= MOST_SETS else ():
        left = [c for c in serving if domain[c] not in lost]
        for r in range(len(demand)):
            model.add(sum(int(offered[c, r]) * running[c] for c in left) >= int(demand[r]))
