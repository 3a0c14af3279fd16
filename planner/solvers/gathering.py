"""Gathering: items that need a licence come first, on the hosts that carry most of them for what that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from planner.solvers import greedy
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing


def licensed_columns(instance: Instance) -> np.ndarray:
    """Columns that the ways of licensing a host differ in: bool [R]."""
    room = instance.capacity
    differs = [np.ptp(room[own], axis=0) > 0 for own in instance.families if len(own) > 1]
    return np.any(differs or [np.zeros(room.shape[1], dtype=bool)], axis=0)


def packings(instance: Instance, over: Callable[[], bool]) -> Iterator[tuple[str, Packing]]:
    """Packings that fill hosts with items in need of a licence before the rest is filled in around them.

    None where no licence depends on what a host carries, or where rules across hosts place items first.
    """
    columns = licensed_columns(instance)
    shapes = np.flatnonzero(instance.demand[:, columns].any(axis=1))
    if not len(shapes) or len(shapes) == len(instance.demand) or instance.coupled.any():
        return
    part = _roomiest(instance.part(shapes), columns)
    for alpha in greedy.ALPHAS:
        if over():
            return
        first = greedy.filled(part, alpha, over)
        if first is None:
            return
        hosts = tuple(
            OpenHost(kind=h.kind, pool=h.pool, items={int(shapes[s]): n for s, n in h.items.items()})
            for h in first.hosts
        )
        packing = greedy.filled(instance, alpha, over, anchors=hosts)
        if packing is not None:
            yield "gathering", packing


def _roomiest(part: Instance, columns: np.ndarray) -> Instance:
    """The instance with each host in that way of licensing alone that lets it carry the most."""
    best = [max(own, key=lambda c: (part.capacity[c, columns].sum(), -part.opening[c])) for own in part.families]
    kept = np.zeros(len(part.available), dtype=bool)
    kept[best] = True
    return replace(part, allowed=part.allowed & kept)
