"""Reserve: the share that is kept for failed hosts as rows of a linear program over hosts.

Where the k-th largest host in use offers v or more, all of them offer at least the demand and ``k v``: one row for each
resource. Which v the hosts of a plan have is not known, so the rows prove nothing; their duals say what hosts are worth
beside the items that they carry, and the covering problem, which knows every v, proves what follows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost


@dataclass(frozen=True, kw_only=True, eq=False)
class Reserve:
    """What the hosts of each pool offer without the k largest, as rows ``gain @ hosts >= asked``.

    Parameters
    ----------
    top : array of int, shape [P, Q]
        What the k-th largest host offers: the resources, and 1 in a row that counts hosts.
    gain : array of float, shape [P, Q, C]
        What a host of each class offers, in parts of `top`.
    asked : array of float, shape [P, Q]
    able : array of bool, shape [P, C]
        Which classes count when they carry nothing.
    """

    top: np.ndarray
    gain: np.ndarray
    asked: np.ndarray
    able: np.ndarray

    @classmethod
    def of(cls, instance: Instance, mix: np.ndarray) -> Reserve | None:
        """The rows where the largest hosts are those of a mix [C, P]; None where no share is kept."""
        k = instance.failover_hosts
        if not k or instance.failover_mode != "share":
            return None
        offer = np.column_stack([instance.capacity[:, : instance.resources], np.ones(len(mix), dtype="int64")])
        pools = range(len(instance.pools))
        serving = np.array([instance.allowed[instance.pool == p].any(axis=0) for p in pools])
        top = np.array([_largest(np.where(serving[p, :, None], offer, 0), mix[:, p], k) for p in pools])
        demand = np.ones((len(pools), offer.shape[1]), dtype="int64")
        for p in pools:
            inside = instance.pool == p
            demand[p, :-1] = (instance.count[inside] @ instance.demand[inside])[: instance.resources]
        rows = (demand > 0) & (top > 0)
        divisor = np.where(rows, top, 1)
        gain = offer.T[None] * serving[:, None, :] / divisor[:, :, None]
        return cls(
            top=top,
            gain=gain * rows[:, :, None],
            asked=np.where(rows, demand / divisor + k, 0.0),
            able=np.array([instance.able(p) for p in pools]),
        )

    def lacking(self, hosts: Iterable[OpenHost]) -> np.ndarray:
        """What some hosts leave to ask for: [P, Q]."""
        asked = self.asked.copy()
        for host in hosts:
            asked[host.pool] -= self.gain[host.pool, :, host.kind]
        return asked


def _largest(offer: np.ndarray, hosts: np.ndarray, k: int) -> np.ndarray:
    """The k-th largest offer among some hosts of each class, of all classes where there are fewer: [Q]."""
    own = np.repeat(offer, np.minimum(hosts, k), axis=0)
    return np.sort(own, axis=0)[-k] if len(own) >= k else offer.max(axis=0)
