"""Changing over from today's estate: what moving workloads costs, and hosts that are given up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan import Plan
from planner.problem import Problem

MIGRATION, DISPOSAL, RESALE = "migration", "disposal", "resale"


@dataclass(frozen=True, kw_only=True, eq=False)
class Changeover:
    """What changing over costs, in the prices' currency, paid at the start.

    Parameters
    ----------
    at : array of int, shape [W]
        Row of problem.hosts of the owned host that each workload is on today, -1 where that is not known.
    per_move : float
        For each workload that is on another host in the plan, or whose host today is not known; 0 where not priced.
    is_open : array of bool, shape [H]
        Owned hosts that a plan may use or give up.
    disposal, resale : array of float, shape [H]
        Spent and brought in where such a host is given up; 0 where not known.
    items : tuple of str
        What is priced.
    """

    at: np.ndarray
    per_move: float
    is_open: np.ndarray
    disposal: np.ndarray
    resale: np.ndarray
    items: tuple[str, ...]

    @classmethod
    def of(cls, problem: Problem) -> Changeover:
        """What changing over from a problem's owned hosts costs."""
        hosts, prices = problem.hosts, problem.prices
        owned = hosts["owned"].to_numpy(dtype=bool)
        is_open = owned & (hosts["available"].to_numpy() > 0)
        at = pd.Index(hosts["name"]).get_indexer(problem.workloads["host"])
        at = np.where((at >= 0) & owned[at], at, -1)
        worth = hosts["resale"].to_numpy(dtype=float)
        priced = {
            MIGRATION: prices.migration_per_workload is not None,
            DISPOSAL: prices.disposal_per_host is not None and is_open.any(),
            RESALE: bool(np.isfinite(worth[is_open]).any()),
        }
        return cls(
            at=at,
            per_move=prices.migration_per_workload or 0.0,
            is_open=is_open,
            disposal=np.where(is_open, prices.disposal_per_host or 0.0, 0.0),
            resale=np.where(is_open, np.nan_to_num(worth), 0.0),
            items=tuple(item for item, known in priced.items() if known),
        )

    @property
    def gone(self) -> np.ndarray:
        """What giving up each host costs beside the moves: [H], below 0 where it brings in more."""
        return self.disposal - self.resale

    @property
    def carried(self) -> np.ndarray:
        """How many workloads are on each host today: [H]."""
        return np.bincount(self.at[self.at >= 0], minlength=len(self.is_open))

    def given_up(self, hosts: pd.Series, names: pd.Series) -> np.ndarray:
        """Rows of owned hosts that are not among the hosts of a plan.

        Parameters
        ----------
        hosts : Series of str
            Names of the plan's hosts.
        names : Series of str
            Names of problem.hosts.
        """
        return np.flatnonzero(self.is_open & ~names.isin(hosts).to_numpy())

    def moved(self, problem: Problem, plan: Plan) -> np.ndarray:
        """Which placements of a plan put a workload on another host than today's: bool [rows of the placement]."""
        known = pd.Index(problem.workloads["name"]).get_indexer(plan.placement["workload"])
        names = np.append(problem.hosts["name"].to_numpy(dtype=object), "")
        return (known >= 0) & (names[self.at[known]] != plan.placement["host"].to_numpy(dtype=object))
