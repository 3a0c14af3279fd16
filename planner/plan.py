"""Plan, Bound, Result: what was found, what is proven, why the search ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import pandas as pd

from planner.errors import InputError

PLACEMENT_COLUMNS = ("workload", "host", "model", "pool")
HOST_COLUMNS = ("host", "model", "pool")
MOVE_COLUMNS = ("workload", "from_host", "to_host", "reason")
RESTART_COLUMNS = ("case", "workload", "host")
ANY = "*"
"""Case and workload of a row of restarts that names a host which takes over any other's whole load."""


class Status(StrEnum):
    """What is known about the problem."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


class Stop(StrEnum):
    """Why the search ended."""

    PROVEN = "proven"
    GAP = "gap"
    TIME = "time"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """A map from workloads to hosts.

    Parameters
    ----------
    placement : DataFrame
        One row per workload: workload, host, model, pool. On a host that is to be bought, `model` is the host model and
        `host` a name such as ``r740-3``; on an owned host `host` is its name.
    spares : DataFrame
        Hosts that are kept running without workloads, for failover: host, model, pool.
    restarts : DataFrame
        Where workloads restart when hosts are lost: case, workload, host. `case` is what is lost: the name of a host,
        of a rack, or several sorted and joined by " + ". Rows with ``*`` for case and workload name hosts that carry
        nothing and take over in every case that has no rows of its own for their pool: the i-th lost host that carries
        anything, in the order of the plan's hosts, restarts whole on the i-th of them that is left.
    """

    placement: pd.DataFrame
    spares: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(HOST_COLUMNS), dtype=str))
    restarts: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(RESTART_COLUMNS), dtype=str))

    @classmethod
    def from_frames(
        cls, placement: pd.DataFrame, spares: pd.DataFrame | None = None, restarts: pd.DataFrame | None = None
    ) -> Plan:
        """A plan from tables that may lack `model` and `pool`, as a plan by hand does.

        Raises
        ------
        InputError
            No column `workload` or `host`.
        """
        for name in ("workload", "host"):
            if name not in placement:
                raise InputError(f"plan: found columns {', '.join(map(str, placement.columns))}, expected {name!r} too")
        return cls(
            placement=_texts(placement, PLACEMENT_COLUMNS),
            spares=_texts(spares, HOST_COLUMNS),
            restarts=_texts(restarts, RESTART_COLUMNS),
        )

    @property
    def hosts(self) -> pd.DataFrame:
        """Hosts in use: host, model, pool, workloads (how many it carries; 0 for a spare); in order of appearance."""
        placed = self.placement.dropna(subset="host")
        used = placed.drop_duplicates("host")[list(HOST_COLUMNS)]
        used = used.assign(workloads=np.bincount(placed["host"].factorize()[0], minlength=len(used)))
        return pd.concat([used, self.spares.assign(workloads=0)], ignore_index=True)

    @property
    def hosts_used(self) -> int:
        """How many hosts run, those that carry nothing but stand by included."""
        return self.placement["host"].nunique() + len(self.spares)

    def __repr__(self) -> str:
        spares = f", {len(self.spares):,} of them spare" if len(self.spares) else ""
        return f"Plan({len(self.placement):,} workloads on {self.hosts_used:,} hosts{spares})"


def _texts(frame: pd.DataFrame | None, columns: tuple[str, ...]) -> pd.DataFrame:
    if frame is None:
        return pd.DataFrame(columns=list(columns), dtype=str)
    values = {name: frame[name] if name in frame else pd.Series("", index=frame.index) for name in columns}
    return pd.DataFrame({name: column.fillna("").astype(str).to_numpy() for name, column in values.items()})


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A proven lower bound on the objective, with the evidence it rests on.

    Parameters
    ----------
    value : float
        In the objective's unit.
    method : str
        How it was proven, by pool where pools differ.
    evidence : tuple of dict
        One for each set of pools that share hosts: ``pools``, ``method``, ``value``, ``weightings`` and ``search``.
        A weighting is a dict of ``method``, ``pool``, ``weight`` (array of int, one a workload of the pool, those kept
        together summed), ``worth`` (array of int, one an offer of the ledger, which is a row of problem.hosts in one
        way of licensing it: no set of items that one such host may carry weighs more) and ``placing`` (weights less
        this many times the cost of placing, where above 0).
        The resources themselves are weightings that need not be carried: the volume bound has none.
        ``search`` says that an exhaustive search found the value, which no weights prove.
    """

    value: float
    method: str
    evidence: tuple[dict, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One step of the search: where it stood, None where it had nothing yet.

    Parameters
    ----------
    seconds : float
        Since the search began.
    method : str
        By which something improved.
    incumbent : float or None
        What a plan costs that was found, in the objective's unit: the best, or one shortly before where reckoning what
        a plan costs takes long. Licences for restarts, where failover is verified, count in the last step alone. In
        the last step it is what the returned plan costs.
    bound : float or None
        The best bound.
    hosts_used : int or None
        Hosts of the best plan.
    """

    seconds: float
    method: str
    incumbent: float | None
    bound: float | None
    hosts_used: int | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What `solve` found, and what it can prove about it.

    Parameters
    ----------
    plan : Plan or None
    status : Status
    stop : Stop
    objective_name, objective_unit : str
    objective_value : float or None
    bound : Bound or None
        None where nothing could be proven.
    reason : str
        For an infeasible or unknown outcome, the smallest reason found, in one sentence.
    without : tuple of str
        Costs that the objective leaves out because no figure is known; the plan is best without them.
    moves : DataFrame or None
        After solving with `start=`: workload, from_host, to_host, reason.
    seconds : float
    trace : tuple of Progress
    seed, workers : int
    """

    plan: Plan | None
    status: Status
    stop: Stop
    objective_name: str
    objective_unit: str
    objective_value: float | None
    bound: Bound | None
    reason: str = ""
    without: tuple[str, ...] = ()
    moves: pd.DataFrame | None = None
    seconds: float
    trace: tuple[Progress, ...] = ()
    seed: int = 0
    workers: int = 1

    @property
    def hosts_used(self) -> int | None:
        """How many hosts the plan runs; None without a plan."""
        return None if self.plan is None else self.plan.hosts_used

    @property
    def gap(self) -> float | None:
        """(objective - bound) / objective; 0 where they meet, None where either is missing."""
        if self.objective_value is None or self.bound is None:
            return None
        if self.objective_value <= self.bound.value:
            return 0.0
        return (self.objective_value - self.bound.value) / abs(self.objective_value or 1.0)

    @property
    def _without(self) -> str:
        return f", without {' and '.join(self.without)}" if self.without else ""

    def __repr__(self) -> str:
        rows = [("status", f"{self.status} ({self.stop})")]
        if self.plan is not None:
            spares = f", {len(self.plan.spares):,} of them spare" if len(self.plan.spares) else ""
            rows.append(("hosts", f"{self.hosts_used:,}{spares}"))
            rows.append(("workloads", f"{len(self.plan.placement):,}"))
            if self.objective_name != "hosts":
                rows.append((self.objective_name, f"{self.objective_value:,.2f} {self.objective_unit}{self._without}"))
        if self.bound is not None:
            rows.append(("bound", f"{self.bound.value:,.6g} {self.objective_unit}, {self.bound.method}"))
        if self.gap is not None:
            rows.append(("gap", f"{self.gap:.2%}"))
        if self.moves is not None:
            rows.append(("moves", f"{len(self.moves):,}"))
        rows.append(("seconds", f"{self.seconds:.2f}"))
        if self.reason:
            rows.append(("reason", self.reason))
        return "\n".join(f"{name:<10}{text}" for name, text in rows)


def moves_between(before: Plan, after: Plan) -> pd.DataFrame:
    """What changes from one plan to another: workload, from_host, to_host, reason (moved, added, removed)."""
    old = before.placement.set_index("workload")["host"]
    new = after.placement.set_index("workload")["host"]
    rows: Iterable[tuple] = [
        *((w, old[w], h, "moved") for w, h in new.items() if w in old.index and old[w] != h),
        *((w, "", h, "added") for w, h in new.items() if w not in old.index),
        *((w, h, "", "removed") for w, h in old.items() if w not in new.index),
    ]
    return pd.DataFrame(list(rows), columns=list(MOVE_COLUMNS), dtype=str)
