"""The restarts of a plan for N+k, judged case by case; nothing is searched here.

A case is the loss of 1 to k hosts of a pool, or of all hosts in 1 to k domains. What is not lost stays. The plan states
where each lost workload restarts, and is accepted when in every case

1. the restarts are those of exactly the workloads that are lost, each once, on a host of the plan that is left;
2. on every host, for every resource and period, demand is at most capacity, both as relaxed for a failure;
3. every rule holds, and a host takes only workloads of the pool that it serves in the plan.

Cases without rows of their own are taken over whole, see `checker.takeover`. Demand is judged by period.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from planner.checker.takeover import Takeover, takeover_violations
from planner.checker.violation import TOLERANCE, Violation
from planner.errors import InputError, did_you_mean
from planner.losses import Losses, domains, losses
from planner.plan import ANY, Plan
from planner.problem import Problem

CELLS = 4_000_000
"""Figures of demand that are summed at once: 32 MB as float64."""


def restart_violations(
    problem: Problem, plan: Plan, hosts: pd.DataFrame, placed: pd.DataFrame, pool: np.ndarray
) -> Iterator[Violation]:
    """Every way in which a plan's restarts fail to show that it survives; `hosts` and `placed` as in `failover`.

    Parameters
    ----------
    pool : array of str, shape [host]
        Pool that each host of the plan serves in it.
    """
    known = np.flatnonzero(hosts["row"].to_numpy() >= 0)
    place = np.full(len(hosts), -1)
    place[known] = np.arange(len(known))
    at = np.full(len(problem.workloads), -1, dtype="int64")
    at[placed["w"].to_numpy()] = place[placed["h"].to_numpy()]
    rows = hosts["row"].to_numpy("int64")[known]
    site = Site(problem=problem, names=hosts["host"].to_numpy(dtype=object)[known], row=rows, pool=pool[known], at=at)
    compact = (plan.restarts["case"] == ANY) & (plan.restarts["workload"] == ANY)
    takeover = Takeover.of(site, plan.restarts.loc[compact, "host"].tolist())
    yield from takeover_violations(site, takeover)
    stated = plan.restarts[~compact]
    by_case = site.by_case(takeover, stated["workload"])
    if stated.empty and not by_case.any():
        return
    try:
        cases = losses(site.names, site.domain, site.pool, site.loaded, problem.policy.failover, by_case)
    except InputError as error:
        yield Violation(kind="failover", message=f"{error}, or spare hosts that take over whole")
        return
    restarts = _Restarts(site, cases)
    yield from restarts.read(stated)
    yield from restarts.covered(takeover)
    yield from restarts.carried()
    yield from restarts.ruled()


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """Hosts of a plan that the problem knows, and what each carries.

    Parameters
    ----------
    names, row, pool : arrays, shape [host]
        Name, row in problem.hosts and pool.
    at : array of int, shape [W]
        Host of each workload, -1 where it is on none.
    """

    problem: Problem
    names: np.ndarray
    row: np.ndarray
    pool: np.ndarray
    at: np.ndarray

    @cached_property
    def demand(self) -> np.ndarray:
        """While hosts are lost, shape [W, R x P]."""
        return self.problem.in_failure.demand.reshape(len(self.at), -1)

    @cached_property
    def capacity(self) -> np.ndarray:
        """While hosts are lost, shape [host, R x P]."""
        return np.repeat(self.problem.in_failure.capacity[self.row], self.problem.demand.shape[2], axis=1)

    @cached_property
    def load(self) -> np.ndarray:
        """What each host carries before anything is lost, shape [host, R x P]."""
        load = np.zeros((len(self.names), self.demand.shape[1]))
        on = np.flatnonzero(self.at >= 0)
        np.add.at(load, self.at[on], self.demand[on])
        return load

    @cached_property
    def loaded(self) -> np.ndarray:
        return np.bincount(self.at[self.at >= 0], minlength=len(self.names)) > 0

    @cached_property
    def domain(self) -> np.ndarray:
        """What each host fails together with."""
        within = self.problem.policy.failover.within
        return self.names if within == "host" else domains(self.problem.hosts, within)[self.row]

    @cached_property
    def pool_of(self) -> np.ndarray:
        """Pool of each workload."""
        return self.problem.workloads["pool"].to_numpy(dtype=object)

    def by_case(self, takeover: Takeover, stated: pd.Series) -> np.ndarray:
        """Hosts whose loss is judged by restarts of its own: bool [host].

        Hosts of pools that are taken over whole are not, unless restarts are stated for their workloads; where domains
        fail all hosts are as soon as any is.
        """
        named = set(self.pool_of[self.problem.workloads["name"].isin(stated).to_numpy()])
        by_case = self.loaded & (~np.isin(self.pool, takeover.pools) | np.isin(self.pool, list(named)))
        if self.problem.policy.failover.within != "host":
            return np.full(len(self.pool), by_case.any())
        return np.isin(self.pool, self.pool[by_case])

    def count(self, members: np.ndarray) -> np.ndarray:
        """How many of some workloads each host carries: [host]."""
        on = self.at[members]
        return np.bincount(on[on >= 0], minlength=len(self.names))

    def unit(self, column: int) -> tuple[str, str, str]:
        """Resource, its unit and the moment that a column of demand stands for."""
        resource, period = divmod(column, self.problem.demand.shape[2])
        name = self.problem.resources[resource]
        return name, self.problem.unit(name), self.problem.policy.time.label(period)


class _Restarts:
    """Rows of restarts as numbers: case `c`, workload `w`, host `h`, in the order of their cases."""

    def __init__(self, site: Site, cases: Losses):
        self.site, self.cases = site, cases
        self.workload_names = site.problem.workloads["name"].to_numpy(dtype=object)
        self.c = self.w = self.h = np.zeros(0, dtype="int64")
        on = np.flatnonzero(site.at >= 0)
        order = on[np.argsort(site.at[on], kind="stable")]
        begins = np.searchsorted(site.at[order], np.arange(len(site.names) + 1))
        number = np.diff(begins)[cases.host]
        ahead = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
        self.lost_w = order[np.repeat(begins[cases.host], number) + ahead]
        self.lost_c = np.repeat(cases.case, number)

    def _found(self, bad: np.ndarray, what: str) -> Iterator[Violation]:
        """One violation for some rows, naming the first; `what` may name its workload, host and case."""
        if len(bad):
            c, w, h = self.c[bad[0]], self.w[bad[0]], self.h[bad[0]]
            case, workload, host = self.cases.names[c], self.workload_names[w], self.site.names[h]
            more = self._more(len(np.unique(self.c[bad])))
            text = what.format(workload=repr(workload), host=repr(host), case=repr(case))
            message = f"with {case!r} lost, {text}{more}"
            yield Violation(kind="failover", message=message, workload=workload, host=host)

    @staticmethod
    def _more(cases: int) -> str:
        return f" (and so in {cases - 1:,} more cases)" if cases > 1 else ""

    def read(self, stated: pd.DataFrame) -> Iterator[Violation]:
        """Take the rows that name a case, a workload and a host of the plan; say what the others name."""
        columns = []
        names = {"case": self.cases.names, "workload": self.workload_names, "host": self.site.names}
        for column, known in names.items():
            number = stated[column].map({name: n for n, name in enumerate(known)}).fillna(-1).to_numpy("int64")
            for text in stated.loc[number < 0, column].unique()[:3]:
                hint = did_you_mean(text, known[:1000])
                message = f"restarts name {column} {text!r}, which this plan does not have{hint}"
                yield Violation(kind="failover", message=message)
            columns.append(number)
        rows = np.column_stack(columns)
        rows = rows[(rows >= 0).all(axis=1)]
        self.c, self.w, self.h = rows[np.argsort(rows[:, 0], kind="stable")].T

    def covered(self, takeover: Takeover) -> Iterator[Violation]:
        """That rows are those of exactly the lost workloads, on hosts that are left and of their pool."""
        site, width = self.site, max(len(self.workload_names), 1)
        key, lost = self.c * width + self.w, self.lost_c * width + self.lost_w
        pools, pool = np.unique(site.pool_of, return_inverse=True)
        own = np.isin(self.lost_c * len(pools) + pool[self.lost_w], self.c * len(pools) + pool[self.w])
        whole = ~own & np.isin(site.pool_of[self.lost_w], takeover.pools)
        missing = np.flatnonzero(~whole & ~np.isin(lost, key))
        if len(missing):
            case, w = self.cases.names[self.lost_c[missing[0]]], self.workload_names[self.lost_w[missing[0]]]
            number = int((self.lost_c[missing] == self.lost_c[missing[0]]).sum())
            cases = self._more(len(np.unique(self.lost_c[missing])))
            message = f"with {case!r} lost, {number:,} workloads restart nowhere, {w!r} among them{cases}"
            yield Violation(kind="failover", message=message, workload=w, found=float(number), limit=0.0)
        yield from self._found(
            np.flatnonzero(~np.isin(key, lost)), "workload {workload} is not, and restarts all the same"
        )
        repeated = np.setdiff1d(np.arange(len(key)), np.unique(key, return_index=True)[1])
        yield from self._found(repeated, "workload {workload} restarts twice")
        hosts = len(site.names)
        gone = np.isin(self.c * hosts + self.h, self.cases.case * hosts + self.cases.host)
        yield from self._found(np.flatnonzero(gone), "workload {workload} restarts on {host}, which is lost too")
        other = np.flatnonzero(site.pool[self.h] != site.pool_of[self.w])
        yield from self._found(other, "workload {workload} restarts on {host}, which is of another pool")

    def carried(self) -> Iterator[Violation]:
        """That every host has room for what restarts on it."""
        site, hosts = self.site, len(self.site.names)
        order = np.lexsort((self.h, self.c))
        key = (self.c * hosts + self.h)[order]
        touched, begins = np.unique(key, return_index=True)
        worst = (0.0, -1, -1, 0.0)
        over: list[np.ndarray] = []
        step = max(CELLS // max(site.demand.shape[1], 1), 1)
        ends = np.append(begins[1:], len(order))
        at = 0
        while at < len(touched):
            to = max(int(np.searchsorted(ends, begins[at] + step, side="right")), at + 1)
            part = site.demand[self.w[order[begins[at] : ends[to - 1]]]]
            h = touched[at:to] % hosts
            load = site.load[h] + np.add.reduceat(part, begins[at:to] - begins[at], axis=0)
            room = site.capacity[h]
            excess = load - room - TOLERANCE * np.maximum(room, 1)
            bad = np.flatnonzero((excess > 0).any(axis=1))
            over.append(touched[at:to][bad] // hosts)
            if len(bad):
                share = np.where(excess[bad] > 0, load[bad] / np.maximum(room[bad], 1e-12), 0)
                n, column = np.unravel_index(int(share.argmax()), share.shape)
                if share[n, column] > worst[0]:
                    worst = (
                        float(share[n, column]),
                        int(touched[at + bad[n]]),
                        int(column),
                        float(load[bad[n], column]),
                    )
            at = to
        if worst[1] >= 0:
            yield self._too_full(worst[1], worst[2], worst[3], len(np.unique(np.concatenate(over))))

    def _too_full(self, touched: int, column: int, found: float, cases: int) -> Violation:
        site = self.site
        c, h = divmod(touched, len(site.names))
        resource, unit, when = site.unit(column)
        mine = self.w[(self.c == c) & (self.h == h)]
        w = self.workload_names[mine[int(site.demand[mine, column].argmax())]]
        limit = float(site.capacity[h, column])
        at = f" at {when}" if when else ""
        message = (
            f"with {self.cases.names[c]!r} lost, host {site.names[h]!r} carries {found:,.6g} {unit} of {resource}{at} "
            f"once {w!r} and others restart on it, it may carry {limit:,.6g}{self._more(cases)}"
        )
        return Violation(
            kind="failover", message=message, host=site.names[h], workload=w, resource=resource, found=found,
            limit=limit, when=when,
        )  # fmt: skip

    def ruled(self) -> Iterator[Violation]:
        """That every rule holds with the lost hosts gone."""
        laws, site = self.site.problem.laws, self.site
        for law in laws.allowed:
            bad = np.isin(self.w, law.members) & ~law.rows[site.row[self.h]]
            yield from self._found(
                np.flatnonzero(bad), f"workload {{workload}} restarts on {{host}}, where it may not run by {law.source}"
            )
        for group in laws.together:
            rows = np.flatnonzero(np.isin(self.w, group))
            apart = rows[1:][(self.c[rows[1:]] == self.c[rows[:-1]]) & (self.h[rows[1:]] != self.h[rows[:-1]])]
            yield from self._found(
                apart, "workload {workload} restarts on {host}, apart from those kept together with it"
            )
        for law in laws.apart:
            yield from self._apart(law)
        for law in laws.rivals:
            yield from self._rivals(law)
        for law in laws.limited:
            yield from self._limited(law)

    def _apart(self, law) -> Iterator[Violation]:
        site = self.site
        rows = np.flatnonzero(np.isin(self.w, law.members))
        domain = np.arange(len(site.names)) if law.domain is None else law.domain[site.row]
        rows = rows[domain[self.h[rows]] >= 0]  # Where nobody knows the domain is a matter of where it may run.
        if not len(rows):
            return
        size = int(domain.max()) + 1
        lost = np.flatnonzero(np.isin(self.lost_w, law.members))
        at = domain[site.at[self.lost_w[lost]]]
        lost, at = lost[at >= 0], at[at >= 0]
        standing = np.bincount(domain[domain >= 0], weights=site.count(law.members)[domain >= 0], minlength=size)
        touched, number = np.unique(self.c[rows] * size + domain[self.h[rows]], return_counts=True)
        gone, away = np.unique(self.lost_c[lost] * size + at, return_counts=True)
        left = np.zeros(len(touched))
        if len(gone):
            position = np.minimum(np.searchsorted(gone, touched), len(gone) - 1)
            left = np.where(gone[position] == touched, away[position], 0)
        crowded = touched[standing[touched % size] - left + number > law.at_most]
        bad = rows[np.isin(self.c[rows] * size + domain[self.h[rows]], crowded)]
        place = "{host}" if law.domain is None else f"{{host}} in its {law.within}"
        yield from self._found(
            bad,
            f"workload {{workload}} restarts on {place} with more than {law.at_most} to be kept apart by {law.source}",
        )

    def _rivals(self, law) -> Iterator[Violation]:
        hosts, key = len(self.site.names), self.c * len(self.site.names) + self.h
        present = []
        for side in law.sides:
            stands = self.site.count(side) > 0
            arrives = np.unique(key[np.isin(self.w, side)])
            present.append(stands[key % hosts] | np.isin(key, arrives))
        members = np.isin(self.w, np.concatenate(law.sides))
        yield from self._found(
            np.flatnonzero(present[0] & present[1] & members),
            f"workload {{workload}} restarts on {{host}} beside one that it never shares a host with by {law.source}",
        )

    def _limited(self, law) -> Iterator[Violation]:
        hosts, stands = len(self.site.names), self.site.count(law.members) > 0
        rows = np.flatnonzero(np.isin(self.w, law.members))
        new = np.unique(self.c[rows] * hosts + self.h[rows])
        new = new[~stands[new % hosts]]
        number = np.full(len(self.cases.names), int(stands.sum()))
        number -= np.bincount(self.cases.case[stands[self.cases.host]], minlength=len(number))
        number += np.bincount(new // hosts, minlength=len(number))
        bad = rows[number[self.c[rows]] > law.most_hosts]
        yield from self._found(
            bad, f"workload {{workload}} restarts on {{host}}, and more than {law.most_hosts} hosts by {law.source}"
        )
