"""Coarse rows: many distinct shapes priced by a few features, so that column generation stays small.

With one row a shape, the master of column generation grows with the number of shapes. Here prices are a function of
size instead: shapes are grouped by size, and inside a group the price is linear in the shares of the resources. Any
prices at all give a valid bound once exact pricing has found what a host can be worth at them, so nothing is rounded.
"""

from __future__ import annotations

import heapq

import numpy as np

from planner.solvers.instance import Instance
from planner.solvers.packing import Packing

PARTS = (1 / 2, 1 / 3, 1 / 4)
"""Shares of a host at which what an item keeps out changes: groups never reach across them."""

CROWD = 15
"""Items a host from which on hosts are crowded."""

ROWS, FEWEST, SHAPES_A_ROW = 400, 100, 16
"""Coarse rows at most; at least; and shapes that bring one row more. With more rows for few shapes the prices of single
items swing as they do with a row for each."""


def crowded(instance: Instance, packing: Packing) -> bool:
    """Whether hosts of unlike costs carry so many items that a row for each leaves a program where it begins."""
    hosts, opening = sum(1 for host in packing.hosts if host.items), instance.opening
    return instance.items >= CROWD * hosts and bool((opening != opening[0]).any())


def features(instance: Instance) -> np.ndarray:
    """What each shape counts in each coarse row: array of float, shape [S, B].

    A group of shapes has one row for its number of items, and one a resource for their size relative to its mean.
    """
    share = instance.demand / np.maximum(instance.capacity.max(axis=0), 1)
    rows = min(ROWS, FEWEST + len(share) // SHAPES_A_ROW)
    blocks = []
    for shapes in leaves(instance, share, max(rows // (share.shape[1] + 1), 1)):
        weight = instance.count[shapes]
        centred = share[shapes] - np.average(share[shapes], axis=0, weights=weight)
        spread = np.abs(centred).max(axis=0)
        block = np.column_stack(
            [np.ones(len(shapes)), *(centred[:, r] / spread[r] for r in np.flatnonzero(spread > 1e-9))]
        )
        blocks.append((shapes, block))
    matrix = np.zeros((len(share), sum(block.shape[1] for _, block in blocks)))
    at = 0
    for shapes, block in blocks:
        matrix[shapes, at : at + block.shape[1]] = block
        at += block.shape[1]
    return matrix


def leaves(instance: Instance, share: np.ndarray, number: int) -> list[np.ndarray]:
    """Shapes in groups of one pool and of like size that may use the same hosts.

    The group that varies most is split at its mean until there are enough.
    """
    cell = (share[:, :, None] > np.array(PARTS)).sum(axis=2)
    kind = np.unique(np.column_stack([instance.pool, instance.allowed, cell]), axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(kind, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(kind))[:-1])
    waiting = [(-_spread(instance, share, group).sum(), at) for at, group in enumerate(groups)]
    heapq.heapify(waiting)
    while len(groups) < number and waiting[0][0] < -1e-12:
        at = heapq.heappop(waiting)[1]
        group = groups[at]
        r = int(np.argmax(_spread(instance, share, group)))
        cut = share[group, r] > np.average(share[group, r], weights=instance.count[group])
        groups[at] = group[~cut]
        groups.append(group[cut])
        for part in (at, len(groups) - 1):
            heapq.heappush(waiting, (-_spread(instance, share, groups[part]).sum(), part))
    return groups


def _spread(instance: Instance, share: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """How much the sizes of a group vary in each resource, shape [R]."""
    weight = instance.count[shapes]
    centred = share[shapes] - np.average(share[shapes], axis=0, weights=weight)
    return (weight[:, None] * centred**2).sum(axis=0)
