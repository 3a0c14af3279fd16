"""Survivors: the hosts of a plan once some are lost, and what the rules still let each of them take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ortools.sat.python import cp_model

from planner.errors import InputError, did_you_mean
from planner.laws import Apart, Limited, Rivals
from planner.losses import domains
from planner.plan import Plan
from planner.problem import Problem

SHARE = 5e-10
"""Relative rounding error granted to a sum of floats, half of what the checker grants."""


class Estate:
    """A plan's hosts and loads in the figures that hold while hosts are lost.

    Parameters
    ----------
    problem : Problem
    plan : Plan
        Every workload on a host that the problem knows.

    Raises
    ------
    InputError
        A workload or a host that the problem does not know, or a workload that is on no host.
    """

    def __init__(self, problem: Problem, plan: Plan):
        self.problem, failing = problem, problem.in_failure
        hosts = plan.hosts.drop_duplicates("host")
        self.names = hosts["host"].to_numpy(dtype=object)
        self.row = _rows(problem, hosts["host"].tolist(), hosts["model"].tolist())
        self.at = _seats(problem, plan, self.names)
        self.pool_of = problem.workloads["pool"].to_numpy(dtype=object)
        self.workload_names = problem.workloads["name"].to_numpy(dtype=object)
        stated, serves = hosts["pool"].to_numpy(dtype=object), problem.hosts["pool"].to_numpy(dtype=object)[self.row]
        self.pool = np.where(stated != "", stated, serves)
        if len(problem.pools) == 1:
            self.pool[self.pool == ""] = problem.pools[0]
        self.pool[self.at] = self.pool_of
        self.demand = failing.demand.reshape(len(self.at), -1)
        self.capacity = np.repeat(failing.capacity[self.row], problem.demand.shape[2], axis=1)
        self.load = np.zeros((len(self.names), self.demand.shape[1]))
        np.add.at(self.load, self.at, self.demand)
        self.loaded = np.bincount(self.at, minlength=len(self.names)) > 0
        combination, permitted = problem.laws.permitted
        self.combination, self.permitted = combination, permitted[:, self.row]
        order = np.lexsort((problem.laws.heads, self.at))
        self._order, self._begins = order, np.searchsorted(self.at[order], np.arange(len(self.names) + 1))
        laws = problem.laws
        self.laws = [
            *(_Apart(self, law) for law in laws.apart),
            *(_Rivals(self, law) for law in laws.rivals),
            *(_Limited(self, law) for law in laws.limited),
        ]
        self.laws_of: list[list[int]] = [[] for _ in self.at]
        for number, law in enumerate(self.laws):
            for w in np.flatnonzero(law.member.any(axis=0)).tolist():
                self.laws_of[w].append(number)

    def domain(self, within: str) -> np.ndarray:
        """What each host fails together with: [host]."""
        return self.names if within == "host" else domains(self.problem.hosts, within)[self.row]

    def carried(self, lost: Sequence[int]) -> np.ndarray:
        """Workloads on some hosts, those kept together beside each other."""
        return np.concatenate([self._order[self._begins[h] : self._begins[h + 1]] for h in lost])

    def items(self, lost: Sequence[int]) -> list[np.ndarray]:
        """Workloads that restart together, the largest first."""
        workloads = self.carried(lost)
        heads = self.problem.laws.heads[workloads]
        groups = np.split(workloads, np.flatnonzero(np.diff(heads)) + 1) if len(workloads) else []
        largest = np.where(np.isfinite(self.capacity), self.capacity, 0).max(axis=0)
        return sorted(groups, key=lambda g: -float((self.demand[g].sum(axis=0) / np.maximum(largest, 1e-12)).max()))


def _rows(problem: Problem, names: list[str], models: list[str]) -> np.ndarray:
    """Row in problem.hosts of each host of a plan."""
    owned = problem.hosts["owned"].to_numpy(dtype=bool)
    row_of = {name: row for row, name in enumerate(problem.hosts["name"])}
    rows = []
    for name, model in zip(names, models, strict=True):
        row = row_of.get(name)
        row = row if row is not None and owned[row] else row_of.get(model)
        if row is None:
            raise InputError(
                f"plan: host {name!r} is neither owned nor of a known host model{did_you_mean(name, row_of)}"
            )
        rows.append(row)
    return np.array(rows, dtype="int64")


def _seats(problem: Problem, plan: Plan, hosts: np.ndarray) -> np.ndarray:
    """Position in `hosts` of the host of each workload."""
    at = dict(zip(plan.placement["workload"], plan.placement["host"], strict=True))
    place = {name: h for h, name in enumerate(hosts)}
    missing = [name for name in problem.workloads["name"] if name not in at]
    if missing:
        raise InputError(f"plan: workload {missing[0]!r} is on no host{did_you_mean(missing[0], list(at)[:1000])}")
    return np.array([place[at[name]] for name in problem.workloads["name"]], dtype="int64")


class Survivors:
    """What is left of an estate in one case, taking workloads one after another.

    Parameters
    ----------
    estate : Estate
    lost : array of int
        Positions of the hosts that are lost.
    """

    def __init__(self, estate: Estate, lost: np.ndarray):
        self.estate = estate
        self.free = estate.capacity * (1 + SHARE) - estate.load
        self.alive = np.ones(len(estate.names), dtype=bool)
        self.alive[lost] = False
        self.items = estate.items(lost)
        concerned = {number for w in estate.carried(lost).tolist() for number in estate.laws_of[w]}
        self._laws = {number: estate.laws[number].without(lost) for number in sorted(concerned)}
        self._able: dict[tuple[str, int], np.ndarray] = {}

    @property
    def laws(self) -> list[_Law]:
        """The rules that couple what is lost to anything."""
        return [*self._laws.values()]

    def _of(self, item: np.ndarray) -> list[_Law]:
        return [self._laws[n] for n in sorted({n for w in item.tolist() for n in self.estate.laws_of[w]})]

    def able(self, item: np.ndarray) -> np.ndarray:
        """Hosts that are left, of the item's pool, and permitted to it: bool [host]."""
        estate, w = self.estate, int(item[0])
        key = estate.pool_of[w], int(estate.combination[w])
        if key not in self._able:
            self._able[key] = self.alive & (estate.pool == key[0]) & estate.permitted[key[1]]
        return self._able[key]

    def welcome(self, item: np.ndarray) -> np.ndarray:
        """Hosts whose rules let them take an item as things stand, whatever room they have: bool [host]."""
        able = self.able(item)
        for law in self._of(item):
            able = able & law.open_to(law.amount(item))
        return able

    def open_to(self, item: np.ndarray) -> np.ndarray:
        """Hosts that may take an item as things stand: bool [host]."""
        return self.welcome(item) & (self.estate.demand[item].sum(axis=0) <= self.free).all(axis=1)

    def put(self, item: np.ndarray, h: int) -> None:
        """Place an item."""
        self.free[h] -= self.estate.demand[item].sum(axis=0)
        for law in self._of(item):
            law.put(law.amount(item), h)

    def fullness(self, at: np.ndarray) -> np.ndarray:
        """How much some hosts have free, in shares of the largest."""
        finite = np.where(np.isfinite(self.free[at]), self.free[at], 0)
        return (
            finite / np.maximum(np.where(np.isfinite(self.estate.capacity), self.estate.capacity, 0).max(0), 1e-12)
        ).sum(1)


class _Law:
    """A rule that couples workloads: members by side, how many stand where, and what may come."""

    def __init__(self, estate: Estate, sides: Sequence[np.ndarray]):
        self.estate, hosts = estate, len(estate.names)
        self.member = np.zeros((len(sides), len(estate.at)), dtype="int64")
        for number, side in enumerate(sides):
            self.member[number, side] = 1
        self.standing = np.array([np.bincount(estate.at[side], minlength=hosts) for side in sides])

    def amount(self, item: np.ndarray) -> np.ndarray:
        """Members of each side among an item."""
        return self.member[:, item].sum(axis=1)

    def without(self, lost: np.ndarray) -> _Law:
        """The rule with some hosts lost."""
        left = object.__new__(type(self))
        left.__dict__.update(self.__dict__)
        left.standing = self.standing.copy()
        left.standing[:, lost] = 0
        return left

    def put(self, amount: np.ndarray, h: int) -> None:
        self.standing[:, h] += amount


class _Apart(_Law):
    def __init__(self, estate: Estate, law: Apart):
        super().__init__(estate, [law.members])
        self.most = law.at_most
        self.domain = np.arange(len(estate.names)) if law.domain is None else law.domain[estate.row]

    def _in_domain(self) -> np.ndarray:
        known = self.domain >= 0
        return np.bincount(self.domain[known], weights=self.standing[0, known], minlength=int(self.domain.max()) + 1)

    def open_to(self, amount: np.ndarray) -> np.ndarray:
        return (self.domain >= 0) & (self._in_domain()[self.domain] + amount[0] <= self.most)

    def constrain(self, model: cp_model.CpModel, takes: list[dict], amounts: np.ndarray) -> None:
        """``sum of members in a domain <= at_most``; `takes` has for each item its variable by host."""
        crowd = self._in_domain()
        terms: dict[int, list] = {}
        for take, amount in zip(takes, amounts[:, 0].tolist(), strict=True):
            for h, variable in take.items() if amount else ():
                terms.setdefault(int(self.domain[h]), []).append(amount * variable)
        for d, coming in terms.items():
            model.add(sum(coming) <= (self.most - int(crowd[d]) if d >= 0 else 0))


class _Rivals(_Law):
    def __init__(self, estate: Estate, law: Rivals):
        super().__init__(estate, law.sides)

    def open_to(self, amount: np.ndarray) -> np.ndarray:
        return ((self.standing == 0) | (amount[::-1, None] == 0)).all(axis=0)

    def constrain(self, model: cp_model.CpModel, takes: list[dict], amounts: np.ndarray) -> None:
        """No host takes members of both sides, nor one of a side that the other stands on."""
        present: dict[tuple[int, int], list] = {}
        for take, amount in zip(takes, amounts, strict=True):
            for side in np.flatnonzero(amount).tolist():
                for h, variable in take.items():
                    present.setdefault((side, h), []).append(variable)
                    if self.standing[1 - side, h]:
                        model.add(variable == 0)
        for h in {h for _, h in present}:
            for one in present.get((0, h), ()):
                for other in present.get((1, h), ()):
                    model.add(one + other <= 1)


class _Limited(_Law):
    def __init__(self, estate: Estate, law: Limited):
        super().__init__(estate, [law.members])
        self.most = law.most_hosts

    def open_to(self, amount: np.ndarray) -> np.ndarray:
        used = self.standing[0] > 0
        return used if used.sum() >= self.most else np.ones(len(used), dtype=bool)

    def constrain(self, model: cp_model.CpModel, takes: list[dict], amounts: np.ndarray) -> None:
        """``hosts with members <= most_hosts``, those that carry some already among them."""
        used, new = self.standing[0] > 0, {}
        for take, amount in zip(takes, amounts[:, 0].tolist(), strict=True):
            for h, variable in take.items() if amount else ():
                if not used[h]:
                    new.setdefault(h, model.new_bool_var(""))
                    model.add_implication(variable, new[h])
        model.add(sum(new.values()) <= self.most - int(used.sum()))
