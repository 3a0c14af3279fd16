"""Storage: whether it is a limit of each host, or of the pool that shares it.

``host``: every host carries what its own disks hold, like any other resource.

``shared``: a SAN or NAS. The pool's storage is a limit of the pool alone, whatever hosts there are::

    needed[p] = (1 + snapshots) * sum of demand[w, storage] over the pool's workloads
    needed[p] <= capacity_gib[p]

``vsan``: the disks of the hosts that run for the pool, those that carry nothing included, make up its storage::

    usable[h] = (table[h, storage] - hypervisor.storage_gib_per_host) * (1 - slack) / raw_gib_per_usable_gib
    needed[p] <= sum of usable[h] over the pool's hosts without the `failover.hosts` that add most
    minimum_hosts <= number of the pool's hosts

`raw_gib_per_usable_gib` and `minimum_hosts` follow from `raid` and `failures_to_tolerate` by the catalogue's table
vsan. Hosts that may fail are not counted because what they held is rebuilt on the others; ``rebuild = false`` counts
them. Growth applies as everywhere; `headroom.storage` is of a host's own disks and does not apply to what is shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from planner import catalogue, settings
from planner.errors import InputError, did_you_mean, nearest

if TYPE_CHECKING:
    from planner.policy import Policy

StorageMode = Literal["host", "shared", "vsan"]
ANY_POOL = ("*", "")
"""Names that stand for every pool of which `capacity_gib` says nothing."""

MOST_GIB = 2.0**40
ROUNDING = 1e-9
"""Relative error granted to a sum of floats, as the checker grants it."""

SAID = {"yes": True, "no": False}
"""How a workbook tells true and false."""


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Whose limit storage is, and how much of it can be used; see the module for the formulas.

    Parameters
    ----------
    mode : {"host", "shared", "vsan"}
    capacity_gib : dict
        Mode shared: pool to its usable GiB; ``"*"`` or ``""`` for every other pool. A pool of which nothing is said
        has what the inventory knows of it. Pools that are merged bring theirs together.
    snapshots : float
        Modes shared and vsan: share of the workloads' storage that is needed on top of it, such as for snapshots.
    raid : {"raid-1", "raid-5", "raid-6"}
    failures_to_tolerate : int
        Mode vsan; by default the fewest that the RAID level has in the catalogue.
    slack : float
        Mode vsan: share of raw storage that is left free; the catalogue's by default.
    rebuild : bool
        Mode vsan: whether hosts that may fail (`failover.hosts`) must leave the others room for what they held.

    Examples
    --------
    >>> Storage(mode="vsan", raid="raid-6").failures_to_tolerate
    2
    >>> round(Storage(mode="vsan").usable_share, 3)  # RAID-1, one failure to tolerate, a quarter of slack
    0.375
    """

    mode: StorageMode = "host"
    capacity_gib: dict[str, float] = field(default_factory=dict, hash=False)
    snapshots: float = 0.0
    raid: str = "raid-1"
    failures_to_tolerate: int | None = None
    slack: float | None = None
    rebuild: bool = True

    def __post_init__(self):
        if self.mode not in get_args(StorageMode):
            raise InputError(f"storage.mode: found {self.mode!r}{did_you_mean(str(self.mode), get_args(StorageMode))}")
        self._require_capacity()
        settings.require(self.snapshots, "storage.snapshots", 0, 5)
        object.__setattr__(self, "raid", str(self.raid).strip().casefold())
        object.__setattr__(self, "failures_to_tolerate", self._failures())
        if self.slack is None:
            object.__setattr__(self, "slack", float(self._fact("slack_share")))
        settings.require(self.slack, "storage.slack", 0, 0.95)
        rebuild = SAID.get(str(self.rebuild), self.rebuild)
        if not isinstance(rebuild, bool):
            raise InputError(f"storage.rebuild: found {self.rebuild!r}, expected true or false")
        object.__setattr__(self, "rebuild", rebuild)

    def _require_capacity(self) -> None:
        if not isinstance(self.capacity_gib, dict):
            raise InputError(f"storage.capacity_gib: found {self.capacity_gib!r}, expected a table of pools and GiB")
        for pool, gib in self.capacity_gib.items():
            settings.require(gib, f"storage.capacity_gib, pool {pool!r}", 0, MOST_GIB)
        if self.capacity_gib and self.mode != "shared":
            raise InputError(f"storage.capacity_gib: found with mode {self.mode!r}, expected mode 'shared'")
        if len([name for name in ANY_POOL if name in self.capacity_gib]) > 1:
            raise InputError("storage.capacity_gib: found '*' and '', which both stand for every other pool; keep one")
        object.__setattr__(self, "capacity_gib", dict(self.capacity_gib))

    def _failures(self) -> int:
        rows = catalogue.table("vsan")
        levels = rows["raid"].unique().tolist()
        if self.raid not in levels:
            raise InputError(f"storage.raid: found {self.raid!r}{did_you_mean(self.raid, levels)}")
        known = rows.loc[rows["raid"] == self.raid, "failures_to_tolerate"].tolist()
        found = known[0] if self.failures_to_tolerate is None else self.failures_to_tolerate
        if isinstance(found, bool) or found not in known:
            able = rows.loc[rows["failures_to_tolerate"].astype(float).eq(found), "raid"].str.upper()
            hint = f"; {' and '.join(able)} can" if len(able) else ""
            raise InputError(
                f"storage.failures_to_tolerate: found {found!r}, {self.raid.upper()} tolerates "
                f"{' or '.join(map(str, known))}{hint}"
            )
        return int(found)

    def _fact(self, name: str) -> float:
        rows = catalogue.table("vsan")
        mine = (rows["raid"] == self.raid) & (rows["failures_to_tolerate"] == self.failures_to_tolerate)
        return rows.loc[mine, name].iloc[0]

    @property
    def usable_share(self) -> float:
        """Mode vsan: how much of a raw GiB can be used: ``(1 - slack) / raw_gib_per_usable_gib``."""
        return (1 - self.slack) / float(self._fact("raw_gib_per_usable_gib"))

    @property
    def minimum_hosts(self) -> int:
        """Mode vsan: hosts that a pool has at least."""
        return int(self._fact("minimum_hosts"))


@dataclass(frozen=True, kw_only=True, eq=False)
class PoolStorage:
    """The storage of one pool: what its workloads need, and what its hosts must offer together.

    Parameters
    ----------
    pool : str
    needed_gib : float
        Of all its workloads, grown, snapshots included.
    limit_gib : float
        Usable storage whatever hosts there are; NaN where hosts bring it.
    usable_gib : array of float, shape [H]
        What one host of each row of problem.hosts adds; 0 where it does not serve the pool or storage is shared.
    serves : array of bool, shape [H]
        Whether hosts of a row may run for the pool.
    minimum_hosts : int
        Hosts that must run for the pool.
    lost_hosts : int
        Hosts that add most and are not counted.
    scheme : str
        In words.
    """

    pool: str
    needed_gib: float
    limit_gib: float
    usable_gib: np.ndarray
    serves: np.ndarray
    minimum_hosts: int
    lost_hosts: int
    scheme: str

    @property
    def by_hosts(self) -> bool:
        """Whether hosts bring the storage, so that a plan must run enough of them."""
        return bool(np.isnan(self.limit_gib))

    def offered_gib(self, rows: np.ndarray) -> float:
        """Usable storage where hosts of these rows of problem.hosts run for the pool, one entry a host.

        Without the `lost_hosts` that add most.
        """
        if not self.by_hosts:
            return self.limit_gib
        return float(np.sort(self.usable_gib[rows])[: max(len(rows) - self.lost_hosts, 0)].sum())

    def unattainable(self, available: np.ndarray) -> str:
        """Why no plan can have the storage, in one sentence; "" where one may.

        Parameters
        ----------
        available : array of float, shape [H]
            How many hosts of each row there are, inf for as many as needed.
        """
        named = f" of pool {self.pool!r}" if self.pool else ""
        needs = f"storage: the workloads{named} need {self.needed_gib:,.6g} GiB together"
        if not self.by_hosts:
            return f"{needs}, their shared storage has {self.limit_gib:,.6g}" if self._beyond(self.limit_gib) else ""
        there = np.where(self.serves, available, 0.0)
        if there.sum() < self.minimum_hosts:
            pool = f"pool {self.pool!r}" if self.pool else "the plan"
            return (
                f"storage: {pool} needs {self.minimum_hosts} hosts for {self.scheme}, {there.sum():,.0f} are available"
            )
        if np.isinf(there[self.usable_gib > 0]).any():
            return ""
        rows = np.repeat(np.arange(len(there)), np.where(np.isinf(there), 0, there).astype("int64"))
        offered = self.offered_gib(rows)
        lost = f" without the {self.lost_hosts} that may fail" if self.lost_hosts else ""
        offer = f"the {len(rows):,} hosts available offer {offered:,.6g}{lost} with {self.scheme}"
        return f"{needs}, {offer}" if self._beyond(offered) else ""

    def _beyond(self, offered_gib: float) -> bool:
        return self.needed_gib > offered_gib + ROUNDING * max(offered_gib, 1)


def pool_storage(
    policy: Policy, workloads: pd.DataFrame, hosts: pd.DataFrame, pools: Iterable[str], known_gib: Mapping[str, float]
) -> tuple[PoolStorage, ...]:
    """The storage of each pool of some workloads; none where it is a limit of each host.

    Parameters
    ----------
    policy : Policy
    workloads, hosts : DataFrame
        As the problem has them; `hosts` with what rules leave of them.
    pools : iterable of str
        Pools before any were merged, as `capacity_gib` may name them.
    known_gib : mapping
        Usable shared storage by pool that the inventory brings.

    Raises
    ------
    InputError
        A pool in `capacity_gib` that does not exist, a pool of which no capacity is known, or mode vsan and a host
        whose storage is blank.
    """
    storage = policy.storage
    if storage.mode == "host":
        return ()
    needed = _needed_gib(policy, workloads)
    if storage.mode == "shared":
        capacity, usable, minimum, lost = _capacity_gib(storage, sorted(set(pools)), known_gib), 0.0, 0, 0
    else:
        _require_disks(workloads, hosts)
        raw = hosts["storage_gib"].fillna(0.0).to_numpy() - policy.hypervisor.storage_gib_per_host
        capacity, usable = {}, np.maximum(raw, 0.0) * storage.usable_share
        minimum, lost = storage.minimum_hosts, policy.failover.hosts if storage.rebuild else 0
    plural = "s" if storage.failures_to_tolerate > 1 else ""
    merged = set(workloads["pool"]) != set(pools)
    found = []
    for pool in needed:
        limit = sum(capacity.values()) if merged else capacity.get(pool, np.nan)
        serves = hosts["pool"].isin(["", pool]).to_numpy()
        found.append(
            PoolStorage(
                pool=pool,
                needed_gib=needed[pool],
                limit_gib=float(limit) if capacity else np.nan,
                usable_gib=np.where(serves, usable, 0.0),
                serves=serves,
                minimum_hosts=minimum,
                lost_hosts=lost,
                scheme=f"{storage.raid.upper()} and {storage.failures_to_tolerate} failure{plural} to tolerate",
            )
        )
    return tuple(found)


def storage_among(shared: tuple[PoolStorage, ...], policy: Policy, workloads: pd.DataFrame) -> tuple[PoolStorage, ...]:
    """The shared storage of pools of which only some workloads are left."""
    if not shared:
        return ()
    needed = _needed_gib(policy, workloads)
    return tuple(replace(one, needed_gib=needed[one.pool]) for one in shared if one.pool in needed)


def storage_demand_gib(policy: Policy, workloads: pd.DataFrame) -> np.ndarray:
    """What each workload needs of shared storage, grown, snapshots included: [W]."""
    return np.asarray(policy.demand_table(workloads)["storage"], dtype=float) * (1 + policy.storage.snapshots)


def _needed_gib(policy: Policy, workloads: pd.DataFrame) -> dict[str, float]:
    """Storage that the workloads of each pool need together, snapshots included."""
    demand, pools = storage_demand_gib(policy, workloads), workloads["pool"].to_numpy()
    return {pool: float(demand[pools == pool].sum()) for pool in sorted(set(pools))}


def _capacity_gib(storage: Storage, pools: list[str], known_gib: Mapping[str, float]) -> dict[str, float]:
    """Usable GiB of each pool: the policy's, else its figure for every other pool, else the inventory's."""
    given = storage.capacity_gib
    for name in given:
        if name not in (*pools, *ANY_POOL):
            raise InputError(f"storage.capacity_gib: found pool {name!r}{did_you_mean(name, filter(None, pools))}")
    every = next((given[name] for name in ANY_POOL if name in given), None)
    found = {pool: given.get(pool, known_gib.get(pool) if every is None else every) for pool in pools}
    blank = [pool for pool, gib in found.items() if gib is None]
    if blank:
        close = nearest(blank[0], known_gib)
        hint = f"; storage is known of {close!r}" if close else ""
        named = f"pool {blank[0]!r}" if blank[0] else "the pool"
        raise InputError(
            f"storage.capacity_gib: found no figure for {named}{hint}, expected its usable GiB, or one under '*' for "
            "every other pool"
        )
    return found


def _require_disks(workloads: pd.DataFrame, hosts: pd.DataFrame) -> None:
    """Raise an InputError where a host that may run for a pool says nothing of its disks."""
    serving = hosts["pool"].isin(["", *workloads["pool"]]) & (hosts["available"] > 0)
    blank = serving & hosts["storage_gib"].isna()
    if blank.any():
        row = hosts[blank].iloc[0]
        what = "host" if row["owned"] else "host model"
        raise InputError(
            f"{what} {row['name']!r}: storage_gib is blank ({blank.sum():,} of {serving.sum():,} are); storage mode "
            "vsan needs it for every host, raw"
        )
