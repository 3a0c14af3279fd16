"""Sparing: packings beside spare hosts that take over what is lost, as a start where restarts are to be verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from planner.solvers.failover import with_reserve
from planner.solvers.incumbent import Incumbent
from planner.solvers.instance import Instance


def by_spares(incumbent: Incumbent, search: Callable[[Incumbent], None]) -> None:
    """Look for a packing beside spare hosts, where the best one is not sure or might be better, and offer it.

    Where no spare can take over whatever comes, as rules do not let it, the packing is only taken in place of one that
    costs no less: what the spares may not take needs room elsewhere.

    Parameters
    ----------
    incumbent : Incumbent
    search : callable
        Searches another incumbent from its beginning.
    """
    instance = incumbent.instance
    if incumbent.packing is None or instance.failing.domain is not None:
        return
    if incumbent.packing.sure and (incumbent.good_enough or not incumbent.exhausted):
        return
    beside = beside_spares(instance)
    other = Incumbent(instance=beside, announce=lambda method: None, gap=incumbent.gap, seed=incumbent.seed)
    search(other)
    if other.packing is None:
        return
    method = f"{other.method} with spares"
    if not incumbent.offer(other.packing, method) and not incumbent.packing.sure:
        complete = with_reserve(instance, other.packing)
        if complete is not None and complete.key(instance) <= incumbent.packing.key(instance):
            incumbent.take(complete, method)


def beside_spares(instance: Instance) -> Instance:
    """The instance with spare hosts as its reserve, of the classes that may take over most of what there is.

    What is spread over domains stays out of theirs where others are enough: it has room there when a host is lost.
    """
    share = (instance.demand / np.maximum(instance.capacity.max(axis=0), 1)).max(axis=1) * instance.count
    standing, allowed = np.zeros(len(instance.available), dtype=bool), instance.allowed.copy()
    for p in range(len(instance.pools)):
        inside = instance.pool == p
        able = instance.able(p) & (instance.available >= instance.failover_hosts)
        takes = np.where(able, share[inside] @ instance.allowed[inside], -1.0)
        standing |= able & (takes >= takes.max() * (1 - 1e-9))
    for law in instance.spreads:
        homes = np.unique(law.domain[standing & (law.domain >= 0)])
        if len(homes) != 1:  # Spares in several domains: each may be crowded as well as not.
            continue
        elsewhere = (law.domain >= 0) & (law.domain != homes[0])
        members = np.flatnonzero(law.amount)
        domains = len(np.unique(law.domain[elsewhere & (instance.available > 0)]))
        fits = (instance.allowed[members] & elsewhere).any(axis=1).all()
        if fits and int(law.amount @ instance.count) <= law.most * domains:
            allowed[members] &= elsewhere
    return replace(instance, failover_mode="spare", failing=None, allowed=allowed, standing=standing)
