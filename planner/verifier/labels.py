"""Labels: that no set of items weighs so much, by looking at all that might, item by item, the largest first.

A label is a set of the items looked at so far: its weight and the room it leaves. It is dropped as soon as a Lagrangian
bound on what may follow shows that it leads nowhere; where all are dropped, the proof is complete.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

MOST_LABELS = 1_500_000
"""Labels beyond which the proof is given up."""

MULTIPLIERS = 24
"""Multipliers that bounds are taken from at most."""

GROWTH = 1.5
"""Growth of the number of labels after which new multipliers are sought."""

CHUNK, SAMPLED = 4_096, 8
"""Labels whose bounds are reckoned at a time, and of how many one tells which multipliers served."""

FLOAT_ERROR = 1e-12
"""Relative error granted to a bound that is summed in floats, of the sum of all terms."""


def none_weighs(
    net: np.ndarray,
    demand: np.ndarray,
    count: np.ndarray,
    room: np.ndarray,
    least: int,
    multipliers: Callable[[int, np.ndarray], np.ndarray],
    deadline: float,
) -> bool:
    """Whether it is proved that no set of items that fits weighs `least` or more.

    Parameters
    ----------
    net, count : arrays of int, shape [N]
        Weights above 0; how many there are of each item.
    demand : array of int, shape [N, Q]
    room : array of int, shape [Q]
    least : int
    multipliers : callable
        ``multipliers(n, room)`` gives good ones, shape [Q], for the items from `n` on in some room.
    deadline : float
        Of `time.monotonic()`.

    Returns
    -------
    bool
        False where a set weighs as much, and where labels became too many or time ran out.
    """
    if least <= 0:
        return False
    search = _Search(net, demand, count, least, multipliers)
    search.sharpen(0, room)
    weight, free = np.zeros(1, dtype="int64"), room[None, :].astype("int64")
    known = 1
    for n in range(len(net)):
        if not len(weight):
            return True
        if len(weight) > MOST_LABELS or time.monotonic() > deadline:
            return False
        weight, free, bound = search.extended(n, weight, free)
        while len(weight) > GROWTH * known and n + 1 < len(net) and time.monotonic() < deadline:
            before = len(weight)
            search.sharpen(n + 1, free[int(bound.argmax())])
            weight, free, bound = search.hopeful(n + 1, weight, free)
            if len(weight) > 0.9 * before:
                known = len(weight)
    return not len(weight)


class _Search:
    """Items and the multipliers found so far, with what the items from each on weigh beyond them."""

    def __init__(self, net, demand, count, least, multipliers):
        self.net, self.demand, self.count, self.least, self.multipliers = net, demand, count, least, multipliers
        self.price = np.zeros((0, demand.shape[1]))
        self.rest = np.zeros((0, len(net) + 1))
        self.served = np.zeros(0)
        self.error = FLOAT_ERROR * float(net @ count)

    def sharpen(self, n: int, room: np.ndarray) -> None:
        """Find multipliers for the items from `n` on in some room, in the place of those that served least."""
        if n >= len(self.net):
            return
        price = self.multipliers(n, room)
        reduced = np.maximum(self.net - self.demand @ price, 0.0) * self.count
        rest = np.append(np.cumsum(reduced[::-1])[::-1], 0.0)
        kept = np.argsort(-self.served, kind="stable")[: MULTIPLIERS - 1]
        self.price, self.rest = np.vstack([self.price[kept], price]), np.vstack([self.rest[kept], rest])
        self.served = np.append(self.served[kept] / 2, self.served.max(initial=0.0))

    def bound(self, n: int, weight: np.ndarray, free: np.ndarray) -> np.ndarray:
        """What sets weigh at most with items from `n` on, rounding errors granted."""
        if n == len(self.net) or not len(weight):
            return weight.astype(float)
        best = np.empty(len(weight))
        for begin in range(0, len(weight), CHUNK):
            rooms = np.ascontiguousarray(free[begin : begin + CHUNK].T, dtype=float)
            value = np.einsum("kq,qn->kn", self.price, rooms) + self.rest[:, n, None]  # No threads that get in the way.
            value.min(axis=0, out=best[begin : begin + CHUNK])
            lowest = value[:, ::SAMPLED].argmin(axis=0)
            self.served += np.bincount(lowest, minlength=len(self.price)) * (SAMPLED / len(weight))
        return weight + best * (1 + FLOAT_ERROR) + self.error

    def hopeful(self, n: int, weight: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The labels that may still weigh enough, and their bounds."""
        bound = self.bound(n, weight, free)
        kept = bound >= self.least
        return weight[kept], free[kept], bound[kept]

    def extended(self, n: int, weight: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The hopeful labels with none, one, ... of item `n`, and their bounds."""
        weights, rooms = [weight], [free]
        for _ in range(int(self.count[n])):
            left = rooms[-1] - self.demand[n]
            fits = (left >= 0).all(axis=1)
            if not fits.any():
                break
            weights.append(weights[-1][fits] + self.net[n])
            rooms.append(left[fits])
        return self.hopeful(n + 1, np.concatenate(weights), np.concatenate(rooms))
