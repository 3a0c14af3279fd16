"""Condensed columns: hours of like demand taken as one, so that first packings over 168 hours take a moment.

A group of columns of equal capacity becomes one whose demand is the highest of the group, item by item. What fits in
the condensed instance fits in the whole one; the bound is never taken from it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from planner.solvers.instance import COLUMNS, SAMPLE, Instance

MOST_COLUMNS = 24
"""Columns that greedy packings are quick with."""


def condensed(instance: Instance) -> Instance | None:
    """The instance with at most about `MOST_COLUMNS` columns; None where it has no more than those.

    Groups are made around columns that lie far apart: each next one is the farthest from those chosen, and every
    column joins the nearest of equal capacity (farthest-first traversal, Gonzalez 1985,
    https://doi.org/10.1016/0304-3975(85)90224-5).
    """
    columns = instance.demand.shape[1]
    if columns <= MOST_COLUMNS:
        return None
    share = instance.demand / np.maximum(instance.capacity.max(axis=0), 1)
    points = share[np.linspace(0, len(share) - 1, min(SAMPLE, len(share))).astype(int)].T
    kind = np.unique(np.vstack([instance.capacity, instance.most]), axis=1, return_inverse=True)[1].ravel()
    distance = np.full(columns, np.inf)
    nearest = np.zeros(columns, dtype=int)
    for number in range(columns):
        if number >= MOST_COLUMNS and np.isfinite(distance).all():
            break
        centre = int(distance.argmax())
        away = np.where(kind == kind[centre], np.abs(points - points[centre]).sum(axis=1), np.inf)
        nearest[away < distance] = centre
        distance = np.minimum(distance, away)
    groups = [np.flatnonzero(nearest == centre) for centre in np.unique(nearest)]
    if len(groups) == columns:
        return None
    merged = {
        name: np.column_stack([getattr(instance, name)[:, group].max(axis=1) for group in groups]) for name in COLUMNS
    }
    return replace(instance, **merged)
