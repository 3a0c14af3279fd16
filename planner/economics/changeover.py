"""Changing over from today's estate: what moving workloads costs, and hosts that are given up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan import Plan
from planner.problem import Problem
from planner.units import CENTS_PER_MONEY_UNIT

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Change:
    """What changing over costs, in whole cents, as an objective counts it: nothing of it depends on who is where.

    Parameters
    ----------
    base : array of int, shape [H]
        What each owned host costs at least, used or given up; 0 for models.
    gone : array of int, shape [H]
        What an owned host costs that is given up, but for moving what it carries.
    moving : int
        What moving a workload costs.
    least : int
        What no plan can do without.
    counts : bool
        Whether any of this is priced.
    """

    base: np.ndarray
    gone: np.ndarray
    moving: int
    least: int
    counts: bool

    @classmethod
    def none(cls, hosts: int) -> Change:
        """Nothing is priced, or money does not count."""
        nothing = np.zeros(hosts, dtype="int64")
        return cls(base=nothing, gone=nothing, moving=0, least=0, counts=False)

    def of_plan(self, unused: np.ndarray, moves: int) -> int:
        """What a plan costs that gives up hosts of some rows and moves so many workloads: at least `least`."""
        return int(self.base.sum() + (self.gone - self.base)[unused].sum()) + self.moving * moves


def changing(problem: Problem, row: np.ndarray, opening: np.ndarray) -> Change:
    """What changing over costs at least, host by host.

    A host that is given up costs `gone` and the moves of all that it carries, one that is used its opening: the lesser
    of the two is spent whatever a plan does. So that equal hosts stay equal, each of them is taken to carry as many
    workloads as the first that would stay if as many were given up as the load suggests, and what those with fewer
    carry less is granted in advance.

    Parameters
    ----------
    problem : Problem
    row : array of int, shape [V]
        Row of problem.hosts of each offer.
    opening : array of int, shape [V]
        What each offer costs, in cents.
    """
    change = Changeover.of(problem)
    if not change.items:
        return Change.none(len(problem.hosts))
    gone = np.rint(change.gone * CENTS_PER_MONEY_UNIT).astype("int64")
    moving = round(change.per_move * CENTS_PER_MONEY_UNIT)
    cheapest = np.full(len(gone), np.iinfo("int64").max)
    np.minimum.at(cheapest, row, opening)
    carried = change.carried
    alike = _alike(problem, change, np.column_stack([gone, cheapest]), carried) if moving else carried
    base = np.where(change.is_open, np.minimum(gone + moving * alike, cheapest), 0)
    granted = moving * int(np.minimum(carried - alike, 0)[change.is_open].sum())
    least = int(base.sum()) + granted + moving * int((change.at < 0).sum())
    return Change(base=base, gone=gone, moving=moving, least=least, counts=True)


def _alike(problem: Problem, change: Changeover, costs: np.ndarray, carried: np.ndarray) -> np.ndarray:
    """How many workloads each owned host is taken to carry, the same number for equal hosts: [H]."""
    hosts, alike = problem.hosts, carried.copy()
    pools = hosts["pool"].to_numpy()
    key = np.column_stack([pd.factorize(pools)[0], costs, problem.capacity])
    _, number = np.unique(key[change.is_open], axis=0, return_inverse=True)
    rows, placed = np.flatnonzero(change.is_open), problem.workloads["pool"].to_numpy()
    for group in range(int(number.max(initial=-1)) + 1):
        equal = rows[number.ravel() == group]
        mine = (placed == pools[equal[0]]) | (pools[equal[0]] == "")
        there = change.is_open & ((pools == pools[equal[0]]) | (pools == ""))
        asked = problem.demand[mine].sum(axis=0).max(axis=1)
        stay = float((asked / np.maximum(problem.capacity[there].sum(axis=0), 1e-9)).max())
        given_up = min(int(len(equal) * max(1 - stay, 0.0)), len(equal) - 1)
        alike[equal] = np.sort(carried[equal])[given_up]
    return alike
