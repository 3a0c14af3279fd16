"""Classes: equal hosts merged, once for each way of licensing them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.economics.ledger import Ledger
from planner.losses import domains
from planner.problem import Problem
from planner.solvers.couplings import Grouping
from planner.solvers.disks import Disks
from planner.solvers.steps import Steps


@dataclass(frozen=True, kw_only=True, eq=False)
class Classes:
    """Hosts that may be used, merged where nothing tells them apart.

    Parameters
    ----------
    rows, offers : tuple of arrays of int
        Of each class the rows of problem.hosts and the offers of the ledger that it is made of.
    family : array of int, shape [C]
        Classes of one family are the same hosts, licensed in another way each.
    """

    rows: tuple[np.ndarray, ...]
    offers: tuple[np.ndarray, ...]
    family: np.ndarray

    @property
    def row(self) -> np.ndarray:
        """The first row of each class: int [C]."""
        return np.array([rows[0] for rows in self.rows], dtype="int64")

    @property
    def offer(self) -> np.ndarray:
        """The first offer of each class: int [C]."""
        return np.array([offers[0] for offers in self.offers], dtype="int64")


def classes_of(
    problem: Problem,
    ledger: Ledger,
    pools: tuple[str, ...],
    steps: list[Steps],
    permitted: np.ndarray,
    found: Grouping,
    disks: Disks | None,
) -> Classes:
    """Rows of equal hosts that may be used: the same capacity, costs and places, and the same items allowed."""
    serves, there = problem.hosts["pool"], problem.hosts["available"] > 0
    rows = np.flatnonzero((((serves == "") | serves.isin(pools)) & there).to_numpy())
    if not len(rows):
        return Classes(rows=(), offers=(), family=np.zeros(0, dtype="int64"))
    key = [part[rows] for one in steps for part in (one.capacity, one.most)]
    if problem.policy.failover.within != "host":
        key.append(pd.factorize(domains(problem.hosts, problem.policy.failover.within))[0][rows])
    begins = np.searchsorted(ledger.row, np.arange(len(problem.hosts) + 1))
    key += [_offered(ledger, begins)[rows], pd.factorize(serves)[0][rows]]
    key += [permitted[:, rows].T, *(law.domain[rows] for law in found.spreads)]
    if disks is not None:
        key += [disks.offer[:, rows].T, disks.most[:, rows].T]
    number, first = distinct(np.column_stack(key))
    same = [rows[number == n] for n in range(len(first))]
    each = [
        (f, members, begins[members] + j) for f, members in enumerate(same) for j in range(_ways(begins, members[0]))
    ]
    return Classes(
        rows=tuple(members for _, members, _ in each),
        offers=tuple(offers for *_, offers in each),
        family=np.array([f for f, *_ in each], dtype="int64"),
    )


def _ways(begins: np.ndarray, row: int) -> int:
    return int(begins[row + 1] - begins[row])


def _offered(ledger: Ledger, begins: np.ndarray) -> np.ndarray:
    """A number for each row of problem.hosts; rows that have the same offers, at the same costs, have the same: [H]."""
    every = np.arange(len(ledger.row))
    kind, _ = distinct(
        np.column_stack([ledger.opening, ledger.tiebreak, ledger.tariffs(every)[1], ledger.limit, ledger.charged])
    )
    known: dict[bytes, int] = {}
    return np.array(
        [known.setdefault(kind[a:b].tobytes(), len(known)) for a, b in zip(begins, begins[1:], strict=False)]
    )


def distinct(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A number for each distinct row, in order of appearance, and the row where each appears first."""
    frame = pd.DataFrame(key)
    number = frame.groupby(list(frame.columns), sort=False).ngroup().to_numpy()
    return number, np.unique(number, return_index=True)[1]
