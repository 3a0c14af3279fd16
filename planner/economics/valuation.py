"""Valuation: what a plan's objective is, host by host, each licensed in the way that is cheapest for what it carries.

A host has to be licensed for the workloads that it carries and, where the plan tells where they restart, for those that
it takes over in the worst case. A host that stands by to take over the load of any other is licensed for the largest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.economics.ledger import Ledger, ledger
from planner.plan import ANY, Plan
from planner.problem import Problem


@dataclass(frozen=True, kw_only=True, eq=False)
class Valuation:
    """A plan's objective, one entry for each host of `Plan.hosts`.

    Parameters
    ----------
    book : Ledger
    row : array of int, shape [N]
        Row of problem.hosts.
    offer : array of int, shape [N]
        Offer of the ledger: the way in which the host is licensed.
    placing : array of int, shape [N]
        Whole small units for what the host carries.
    covered : array of int, shape [N, P]
        Workloads in need of each product that it has to be licensed for.
    """

    book: Ledger
    row: np.ndarray
    offer: np.ndarray
    placing: np.ndarray
    covered: np.ndarray

    @property
    def small(self) -> int:
        """The objective in whole small units."""
        return int(self.book.opening[self.offer].sum() + self.placing.sum())

    @property
    def value(self) -> float:
        """The objective in its unit."""
        return self.small / self.book.scale


def valued(problem: Problem, plan: Plan, book: Ledger | None = None) -> Valuation:
    """What a plan's objective is.

    Parameters
    ----------
    problem : Problem
    plan : Plan
        One that `check` accepts.
    book : Ledger, optional
        The problem's ledger, where it is known already.
    """
    book = ledger(problem) if book is None else book
    hosts = plan.hosts
    row = rows_of(problem, hosts)
    at = pd.Series(np.arange(len(hosts)), index=hosts["host"])
    place = pd.Series(np.arange(len(problem.workloads)), index=problem.workloads["name"])
    w = place.reindex(plan.placement["workload"]).to_numpy(dtype="int64")
    h = at.reindex(plan.placement["host"]).to_numpy(dtype="int64")
    begins = np.searchsorted(book.row, np.arange(len(problem.hosts) + 1))
    own = _sums(book.needs[w], h, len(hosts))
    covered = np.maximum(own, _taken_over(problem, book, plan, own, at, place))
    energy = _sums(np.rint(book.busy[w] * book.rate[begins[row[h]]]).astype("int64")[:, None], h, len(hosts))[:, 0]
    fees = _sums(book.fee[w], h, len(hosts))
    offer = begins[row]
    for n in range(len(hosts)) if book.products else ():
        options = np.arange(begins[row[n]], begins[row[n] + 1])
        options = options[(book.limit[options] >= np.where(book.charged[options] > 0, 0, covered[n])).all(axis=1)]
        offer[n] = options[np.argmin(book.opening[options] + book.charged[options] @ fees[n])]
    placing = energy + (book.charged[offer] * fees).sum(axis=1)
    return Valuation(book=book, row=row, offer=offer, placing=placing, covered=covered)


def rows_of(problem: Problem, hosts: pd.DataFrame) -> np.ndarray:
    """The row of problem.hosts of each host of a plan: its own where it is owned, else that of its model."""
    known = pd.Series(np.arange(len(problem.hosts)), index=problem.hosts["name"])
    owned = known[problem.hosts["owned"].to_numpy()]
    row = owned.reindex(hosts["host"]).to_numpy()
    return np.where(np.isnan(row), known.reindex(hosts["model"]).to_numpy(), row).astype("int64")


def _sums(figures: np.ndarray, h: np.ndarray, hosts: int) -> np.ndarray:
    """Figures of workloads summed up by host: [N, ...]."""
    total = np.zeros((hosts, figures.shape[1]), dtype="int64")
    np.add.at(total, h, figures)
    return total


def _taken_over(
    problem: Problem, book: Ledger, plan: Plan, own: np.ndarray, at: pd.Series, place: pd.Series
) -> np.ndarray:
    """How many workloads in need of each product a host carries in the worst case that the plan tells: [N, P]."""
    most = np.zeros_like(own)
    if not book.products:
        return most
    whole = plan.restarts["case"] == ANY
    some = plan.restarts[~whole]
    w, h = (index.reindex(some[name]).to_numpy(dtype="int64") for index, name in ((place, "workload"), (at, "host")))
    case = pd.factorize(some["case"])[0]
    pairs, number = np.unique(np.column_stack([case, h]), axis=0, return_inverse=True)
    np.maximum.at(most, pairs[:, 1], own[pairs[:, 1]] + _sums(book.needs[w], number.ravel(), len(pairs)))
    standing = set(plan.restarts.loc[whole, "host"])
    standing |= set(plan.spares["host"]) if problem.policy.failover.mode == "spare" else set()
    pools = plan.hosts["pool"].to_numpy()
    for n in at.reindex(sorted(standing)).astype("int64").tolist():
        most[n] = np.maximum(most[n], own[pools == pools[n]].max(axis=0))
    return most
