"""Valuation: what a plan's objective is, host by host, each licensed in the way that is cheapest for what it carries.

A host has to be licensed for the workloads that it carries and, where the plan tells where they restart, for those that
it takes over in the worst case, unless they have licences of their own. A host that stands by to take over the load of
any other is licensed for the largest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from planner.economics.changeover import Changeover
from planner.economics.energy import busy, cpu_of, mean_w
from planner.economics.ledger import Ledger, ledger
from planner.economics.licences import Licences, by_itself, everywhere, licence_costs, needs_of, whole_cost
from planner.economics.rights import rights
from planner.plan import ANY, Plan
from planner.problem import Problem
from planner.units import CENTS_PER_MONEY_UNIT


@dataclass(frozen=True, kw_only=True, eq=False)
class Load:
    """What the hosts of a plan carry, of the workloads and hosts that both it and the problem know.

    Parameters
    ----------
    problem : Problem
    plan : Plan
    hosts : DataFrame
        `Plan.hosts`, those that the problem does not know left out.
    row : array of int, shape [N]
        Row of problem.hosts.
    w, h : array of int, shape [M]
        Workload and position in `hosts` of each placement.
    """

    problem: Problem
    plan: Plan
    hosts: pd.DataFrame
    row: np.ndarray
    w: np.ndarray
    h: np.ndarray

    @classmethod
    def of(cls, problem: Problem, plan: Plan) -> Load:
        """What a plan's hosts carry."""
        hosts = plan.hosts
        row = _rows(problem, hosts)
        hosts, row = hosts[row >= 0].reset_index(drop=True), row[row >= 0]
        w = _positions(plan.placement["workload"], problem.workloads["name"])
        h = _positions(plan.placement["host"], hosts["host"])
        known = (w >= 0) & (h >= 0)
        return cls(problem=problem, plan=plan, hosts=hosts, row=row, w=w[known], h=h[known])

    def sums(self, figures: np.ndarray) -> np.ndarray:
        """Figures of workloads [W, ...] summed up by host [N, ...]."""
        total = np.zeros((len(self.hosts), *figures.shape[1:]), dtype=figures.dtype)
        np.add.at(total, self.h, figures[self.w])
        return total

    @cached_property
    def busy(self) -> np.ndarray:
        """Busy CPU of each host in each period: [N, P]."""
        return self.sums(busy(self.problem)[0])

    def power_w(self, curves: np.ndarray) -> np.ndarray:
        """Mean power of each host, W, along the load curves of problem.hosts [H, 11]: [N]."""
        offered = np.maximum(cpu_of(self.problem, self.problem.hosts)[self.row], 1e-9)
        return np.where(self.off, 0.0, mean_w(curves[self.row], self.busy / offered[:, None]))

    @cached_property
    def off(self) -> np.ndarray:
        """Spare hosts that draw no power until they are needed: bool [N]."""
        are_off = self.problem.policy.failover.mode == "spare" and not self.problem.prices.spares_run
        return self.hosts["host"].isin(self.plan.spares["host"]).to_numpy() & are_off

    @cached_property
    def standing(self) -> np.ndarray:
        """Positions of hosts that stand by to take over the load of any other of their pool."""
        names = set(self.plan.restarts.loc[self.plan.restarts["case"] == ANY, "host"])
        names |= set(self.plan.spares["host"]) if self.problem.policy.failover.mode == "spare" else set()
        return np.flatnonzero(self.hosts["host"].isin(names))

    def worst(self, needs: np.ndarray) -> np.ndarray:
        """How many workloads of some kinds each host carries at most, in the worst case that the plan tells: [N, P].

        Parameters
        ----------
        needs : array of int, shape [W, P]
            Which workloads are of each kind.
        """
        own = self.sums(needs)
        most, some = own.copy(), self.plan.restarts[self.plan.restarts["case"] != ANY]
        w, h = (
            _positions(some[name], known)
            for name, known in (("workload", self.problem.workloads["name"]), ("host", self.hosts["host"]))
        )
        case, known = pd.factorize(some["case"])[0], (w >= 0) & (h >= 0)
        pairs, number = np.unique(np.column_stack([case, h])[known], axis=0, return_inverse=True)
        taken = np.zeros((len(pairs), needs.shape[1]), dtype=own.dtype)
        np.add.at(taken, number.ravel(), needs[w[known]])
        np.maximum.at(most, pairs[:, 1], own[pairs[:, 1]] + taken)
        pools = self.hosts["pool"].to_numpy()
        for n in self.standing.tolist():
            most[n] = np.maximum(most[n], own[pools == pools[n]].max(axis=0))
        return most

    def seats(self, who: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Each of some workloads, bool [W], with each host that carries it in some case: workloads [M], hosts [M]."""
        some = self.plan.restarts[self.plan.restarts["case"] != ANY]
        w = [self.w, _positions(some["workload"], self.problem.workloads["name"])]
        h = [self.h, _positions(some["host"], self.hosts["host"])]
        pools = self.hosts["pool"].to_numpy()
        for n in self.standing.tolist():
            lost = self.w[pools[self.h] == pools[n]]
            w.append(lost)
            h.append(np.full(len(lost), n))
        pairs = np.column_stack([np.concatenate(w), np.concatenate(h)])
        pairs = pairs[(pairs >= 0).all(axis=1)]
        return tuple(np.unique(pairs[who[pairs[:, 0]]], axis=0).T)


@dataclass(frozen=True, kw_only=True, eq=False)
class Valuation:
    """A plan's objective, one entry for each host.

    Parameters
    ----------
    book : Ledger
    load : Load
    offer : array of int, shape [N]
        Offer of the ledger: the way in which the host is licensed, and the line that is lowest at its load.
    above : array of int, shape [N]
        Whole small units by which its load curve lies above that line.
    placing : array of int, shape [N]
        Whole small units for what the host carries.
    changing : int
        Whole small units for moves and for hosts that are given up, and what is taken off the opening of those used.
    ordered : int
        Whole small units for licences of which so much is paid for at least, beyond what the hosts cost.
    covered : array of int, shape [N, P]
        Workloads in need of each product that it carries in the worst case.
    """

    book: Ledger
    load: Load
    offer: np.ndarray
    above: np.ndarray
    placing: np.ndarray
    changing: int
    ordered: int
    covered: np.ndarray

    @property
    def small(self) -> int:
        """The objective in whole small units."""
        return (
            int(self.book.opening[self.offer].sum() + self.above.sum() + self.placing.sum())
            + self.changing
            + self.ordered
        )

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
    load = Load.of(problem, plan)
    covered = load.worst(book.needs)
    whole, own = _rights(book, load, covered)
    begins = np.searchsorted(book.row, np.arange(len(problem.hosts) + 1))
    offer, least = begins[load.row], np.full(len(load.row), np.inf)
    for number in range(int(np.diff(begins).max(initial=1))):
        option = np.minimum(begins[load.row] + number, begins[load.row + 1] - 1)
        able = (book.limit[option] >= np.where(book.charged[option] > 0, 0, covered)).all(axis=1)
        able &= (book.charged[option].astype(bool) != whole).all(axis=1)
        costs = book.opening[option] + _along(book, load, option)
        better = able & (costs < least)
        offer[better], least[better] = option[better], costs[better]
    along = _along(book, load, offer)
    placing = along + load.sums(book.fee * own).sum(axis=1)
    return Valuation(
        book=book,
        load=load,
        offer=offer,
        above=_above(book, load, offer),
        placing=placing,
        changing=_changing(book, load),
        ordered=sum(round((one.least + one.rest(load.row)) * book.scale) for one in book.orders),
        covered=covered,
    )


def _rights(book: Ledger, load: Load, covered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hosts that are licensed whole for each product [N, P], and workloads that are licensed by themselves [W, P]."""
    whole, own = np.ones(covered.shape, dtype=bool), np.zeros(book.fee.shape, dtype=bool)
    for p in np.flatnonzero(book.charged.any(axis=0)).tolist():
        cost = whole_cost(load.problem, book.products[p], load.row, covered[:, p])
        whole[:, p], own[:, p] = rights(
            book.fee[:, p], np.rint(cost * book.scale), *load.seats(book.needs[:, p].astype(bool))
        )
    return whole, own


def _changing(book: Ledger, load: Load) -> int:
    """Whole small units for changing over from today's hosts: at least `book.fixed`."""
    if not book.change.counts:
        return 0
    change = Changeover.of(load.problem)
    unused = change.given_up(load.hosts["host"], load.problem.hosts["name"])
    return book.change.of_plan(unused, int(change.moved(load.problem, load.plan).sum()))


def _along(book: Ledger, load: Load, offer: np.ndarray) -> np.ndarray:
    """Whole small units for the busy CPU of each host, each along the line of an offer: [N]."""
    total = np.zeros(len(offer), dtype="int64")
    np.add.at(total, load.h, np.rint(book.busy[load.w] * book.rate[offer[load.h]]).astype("int64"))
    return total


def _above(book: Ledger, load: Load, offer: np.ndarray) -> np.ndarray:
    """Whole small units by which the power of each host lies above its offer's line: [N], below 0 where it is off."""
    if not book.per_w:
        return np.zeros(len(offer), dtype="int64")
    line = book.idle[offer] + book.rate[offer] * load.busy.mean(axis=1)
    rest = book.per_w * load.power_w(book.curves) - line
    return np.rint(np.where(load.off, rest, np.maximum(rest, 0.0))).astype("int64")


def plan_licences(problem: Problem, plan: Plan) -> Licences | None:
    """What the licences of a plan's hosts cost, whatever the objective; None where nothing has to be licensed.

    Workloads without a place in the plan are not licensed.
    """
    if not problem.prices.licences:
        return None
    load = Load.of(problem, plan)
    needs = needs_of(problem)
    counts = {
        one.product: everywhere(problem, one.product)[load.row].astype("int64") for one in problem.prices.licences
    }
    for product, who in needs.items():
        counts[product] = np.maximum(counts[product], load.worst(who[:, None].astype("int64"))[:, 0])
    whole, units = {}, {}
    for product, each in by_itself(problem).items():
        cost = whole_cost(problem, product, load.row, counts[product])
        fee, cost = (np.rint(money * CENTS_PER_MONEY_UNIT) for money in (each.fee, cost))
        whole[product], own = rights(fee.astype("int64"), cost, *load.seats(needs[product]))
        units |= {edition: load.sums(asked * own[:, None]) for edition, asked in each.units.items()}
    return licence_costs(problem.prices, problem.hosts.iloc[load.row], counts, units, whole)


def _rows(problem: Problem, hosts: pd.DataFrame) -> np.ndarray:
    """The row of problem.hosts of each host: its own where it is owned, else that of its model; -1 for neither."""
    owned = problem.hosts["owned"].to_numpy()
    names = problem.hosts["name"]
    own, model = _positions(hosts["host"], names.where(owned, "")), _positions(hosts["model"], names.where(~owned, ""))
    return np.where(own >= 0, own, model)


def _positions(names: pd.Series, known: pd.Series) -> np.ndarray:
    """Where each name stands among those that are known, -1 where it does not or is blank."""
    place = {name: n for n, name in enumerate(known) if name}
    return np.array([place.get(name, -1) for name in names], dtype="int64")
