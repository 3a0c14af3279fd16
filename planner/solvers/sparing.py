"""Sparing: packings beside spare hosts that take over what is lost, as a start where restarts are to be verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from planner.solvers.couplings import Span
from planner.solvers.failover import with_reserve
from planner.solvers.incumbent import Incumbent
from planner.solvers.instance import Instance

ROOMY = 0.95
"""Share of the hosts that members of a rule may run on which they fill at most for one host fewer to be enough."""


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
    thrift = ((True, True), (True, False), (False, False)) if instance.coupled.any() else ((False, False),)
    for domains, hosts in thrift:
        beside = beside_spares(instance, domains=domains, hosts=hosts)
        gap, whole = incumbent.gap, incumbent.whole
        other = Incumbent(instance=beside, announce=lambda method: None, gap=gap, whole=whole, seed=incumbent.seed)
        search(other)
        if other.packing is not None:
            break
    else:
        return
    method = f"{other.method} with spares"
    if not incumbent.offer(other.packing, method) and not incumbent.packing.sure:
        complete = with_reserve(instance, other.packing)
        if complete is not None and complete.key(instance) <= incumbent.packing.key(instance):
            incumbent.take(complete, method)


def beside_spares(instance: Instance, *, domains: bool, hosts: bool) -> Instance:
    """The instance with spare hosts as its reserve, of the classes that may take over most of what there is.

    So that losses find some of what rules allow left, what is spread over `domains` stays out of those of the spares
    where others are enough, and what runs on few `hosts` runs on fewer where it has room there.
    """
    share = (instance.demand / np.maximum(instance.capacity.max(axis=0), 1)).max(axis=1) * instance.count
    standing, allowed = np.zeros(len(instance.available), dtype=bool), instance.allowed.copy()
    for p in range(len(instance.pools)):
        inside = instance.pool == p
        able = instance.able(p) & (instance.available >= instance.failover_hosts)
        takes = np.where(able, share[inside] @ instance.allowed[inside], -1.0)
        standing |= able & (takes >= takes.max() * (1 - 1e-9))
    for law in instance.spreads if domains else ():
        homes = np.unique(law.domain[standing & (law.domain >= 0)])
        if len(homes) != 1:  # Spares in several domains: each may be crowded as well as not.
            continue
        elsewhere = (law.domain >= 0) & (law.domain != homes[0])
        members = np.flatnonzero(law.amount)
        others = len(np.unique(law.domain[elsewhere & (instance.available > 0)]))
        fits = (instance.allowed[members] & elsewhere).any(axis=1).all()
        if fits and int(law.amount @ instance.count) <= law.most * others:
            allowed[members] &= elsewhere
    spans = tuple(_tightened(instance, law) for law in instance.spans) if hosts else instance.spans
    return replace(instance, failover_mode="spare", failing=None, allowed=allowed, standing=standing, spans=spans)


def _tightened(instance: Instance, law: Span) -> Span:
    """The rule with as many hosts fewer as may fail, where its members have room on those."""
    most = law.most - instance.failover_hosts
    wanted = (instance.demand * (instance.count * (law.amount > 0))[:, None]).sum(axis=0)
    there = np.median(instance.capacity[instance.available > 0], axis=0)
    return replace(law, most=most) if most >= 1 and (wanted <= ROOMY * most * there).all() else law
