"""Knapsacks: that no set of items on one host weighs more than a weighting says the host is worth."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass, replace

import numpy as np
from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model

from planner.verifier.claims import LARGEST
from planner.verifier.figures import Part, distinct
from planner.verifier.labels import none_weighs

MOST_MILLISECONDS = 2_000
"""Of one linear program, which takes one as a rule: it has been seen to go round in circles."""

MOST_SIDES = 6
"""Pairs of sides of which every choice is tried; those that weigh most come first, further ones are let be."""

FLOAT_ERROR = 1e-13
"""Relative error granted to a Lagrangian bound that is summed in floats, of the sum of absolute terms."""


def infeasible(model: cp_model.CpModel, deadline: float, workers: int = 1, linearization: int = 1) -> bool:
    """Whether CP-SAT proves in time that a model has no solution.

    With 2 as `linearization` its linear programs have constraints that hold for some choice only too.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        return False
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.linearization_level = linearization
    solver.parameters.max_time_in_seconds = left
    solver.parameters.catch_sigint_signal = False
    return solver.solve(model) == cp_model.INFEASIBLE


def worths_hold(part: Part, v: int, p: int, placing: int, deadline: float) -> bool:
    """Whether no set of items on one host weighs more than a weighting says its class is worth."""
    if placing * float(part.cost.max(initial=0)) > LARGEST:
        return False
    proved = set()
    for c in np.flatnonzero(part.used[p]):
        items = np.flatnonzero((part.pool == p) & part.fits[:, c])
        net = part.weight[items, v] - placing * part.cost[items, c]
        items, net = items[net > 0], net[net > 0]
        room, worth = part.room[c], int(part.worth[c, v])
        key = (room.tobytes(), items.tobytes(), net.tobytes(), worth)
        if key not in proved and not Knapsack.of(part, items, net, room).holds(worth, deadline):
            return False
        proved.add(key)
    return True


@dataclass(frozen=True, kw_only=True, eq=False)
class Knapsack:
    """Items for one host: net [N], demand [N, Q], count [N], apart [N, K], sides [N, Z] and room [Q]."""

    net: np.ndarray
    demand: np.ndarray
    count: np.ndarray
    apart: np.ndarray
    sides: np.ndarray
    room: np.ndarray

    @classmethod
    def of(cls, part: Part, items: np.ndarray, net: np.ndarray, room: np.ndarray) -> Knapsack:
        """The knapsack of some shapes; those that are equal here are merged."""
        demand, apart, sides = part.demand[items], part.apart[items], part.sides[items]
        first, number, _ = distinct(np.column_stack([net, demand, apart, sides]))
        count = np.zeros(len(first), dtype="int64")
        np.add.at(count, number, part.count[items])
        demand, apart, sides = demand[first], apart[first], sides[first]
        alone = room // np.maximum(demand, 1)
        count = np.minimum(count, np.where(demand > 0, alone, count[:, None]).min(axis=1, initial=LARGEST))
        if apart.shape[1]:
            count = np.where(apart[:, 0] >= 0, np.minimum(count, 1), count)
        # A column that cannot run out limits nothing.
        binding = (demand * count[:, None]).sum(axis=0) > room
        return cls(net=net[first], demand=demand[:, binding], count=count, apart=apart, sides=sides, room=room[binding])

    def holds(self, worth: int, deadline: float) -> bool:
        """Whether no set weighs more: as it stands, or whichever of two sides that share no host are left out."""
        two = np.flatnonzero([{1, 2} <= set(side) for side in self.sides.T.tolist()])
        if not len(two):
            return self._holds(worth, deadline)
        by_weight = two[np.argsort([-int((self.net * self.count)[self.sides[:, z] > 0].sum()) for z in two])]
        if len(two) > MOST_SIDES and self._holds(worth, deadline):
            return True
        choices = itertools.product((1, 2), repeat=min(len(two), MOST_SIDES))
        return all(self._without(by_weight, choice)._holds(worth, deadline) for choice in choices)

    def _without(self, pairs: np.ndarray, choice: tuple[int, ...]) -> Knapsack:
        """The knapsack without the items on one side of each pair; further pairs are let be."""
        out = (self.sides[:, pairs[: len(choice)]] == np.array(choice)).any(axis=1)
        kept = ~out
        return replace(
            self, net=self.net[kept], demand=self.demand[kept], count=self.count[kept], apart=self.apart[kept],
            sides=self.sides[kept],
        )  # fmt: skip

    def _holds(self, worth: int, deadline: float) -> bool:
        """Whether no set weighs more: by a Lagrangian bound, else by labels or CP-SAT on what it leaves open."""
        if worth < 0 or int(self.net @ self.count) <= worth:
            return worth >= 0
        bound, reduced, _ = self._relaxed(worth, deadline)
        if bound < worth + 1:
            return True
        low, high = self._open(reduced, bound - worth - 1)
        if self._no_label(low, high, worth, deadline):
            return True
        model = cp_model.CpModel()
        kept = np.flatnonzero(high)
        take = [model.new_int_var(int(low[i]), int(high[i]), "") for i in kept]
        for q, room in enumerate(self.room.tolist()):
            model.add(cp_model.LinearExpr.weighted_sum(take, self.demand[kept, q].tolist()) <= room)
        for members in members_apart(self.apart[kept]):
            model.add(sum(take[i] for i in members) <= 1)
        total = cp_model.LinearExpr.weighted_sum(take, self.net[kept].tolist())
        model.add(total >= worth + 1)
        return infeasible(model, deadline)

    def _no_label(self, low: np.ndarray, high: np.ndarray, worth: int, deadline: float) -> bool:
        """Whether labels prove it, items kept apart or not, in half of the time at most."""
        kept = np.flatnonzero(high > low)
        size = (self.demand[kept] / np.maximum(self.room, 1)).max(axis=1, initial=0.0)
        kept = kept[np.argsort(-size, kind="stable")]
        net, demand, count = self.net[kept], self.demand[kept], (high - low)[kept]
        room, least = self.room - low @ self.demand, worth + 1 - int(low @ self.net)
        if (room < 0).any():
            return True
        none = np.full((len(kept), 0), -1)

        def multipliers(n: int, free: np.ndarray) -> np.ndarray:
            # Any multipliers will do; figures far beyond the room would only make the linear program ill-conditioned.
            needs = np.minimum(demand[n:], 4 * np.maximum(free, 1))
            rest = Knapsack(net=net[n:], demand=needs, count=count[n:], apart=none[n:], sides=none[n:], room=free)
            return rest._relaxed(0, deadline)[2] / np.maximum(free, 1)

        now = time.monotonic()
        return none_weighs(net, demand, count, room, least, multipliers, now + (deadline - now) / 2)

    def _open(self, reduced: np.ndarray, slack: float) -> tuple[np.ndarray, np.ndarray]:
        """How few and how many of each item a set may hold that the Lagrangian bound does not rule out."""
        steps = np.floor(np.minimum((slack + 1e-9) / np.maximum(np.abs(reduced), 1e-300) * (1 + 1e-9), LARGEST))
        steps = np.minimum(steps.astype("int64"), self.count)
        low, high = np.where(reduced > 0, self.count - steps, 0), np.where(reduced < 0, steps, self.count)
        if self.apart.shape[1]:
            group, grouped = self.apart[:, 0], self.apart[:, 0] >= 0
            best = np.zeros(group.max() + 2)
            np.maximum.at(best, group, reduced)
            low = np.where(grouped, 0, low)
            high = np.where(
                grouped & (best[group] - reduced > (slack + 1e-9) * (1 + 1e-9)), 0, np.where(grouped, 1, high)
            )
        return low, high

    def _relaxed(self, worth: int, deadline: float) -> tuple[float, np.ndarray, np.ndarray]:
        """A proven bound on what a set weighs, the reduced weights and the multipliers, found by cutting planes.

        ``L(m) = m room + sum_i count[i] max(0, net[i] - m demand[i])``, and the best member alone of each group.
        Multipliers count for the whole room.
        """
        share = self.demand / np.maximum(self.room, 1)
        # The linear program counts in the largest weight.
        unit = float(self.net.max())
        top = float(self.net @ self.count) / unit
        solver = pywraplp.Solver.CreateSolver("GLOP")
        solver.SetTimeLimit(MOST_MILLISECONDS)
        price = [solver.NumVar(0, top, "") for _ in self.room]
        least = solver.NumVar(0, top, "")
        solver.Minimize(least)
        at = np.zeros(len(self.room))
        best, best_reduced, best_at = math.inf, self.net.astype(float), at
        for _ in range(40 + 20 * len(at)):
            value, slope, reduced = self._lagrangian(share, at)
            absolute = at.sum() + float((self.net + share @ at) @ self.count)
            if value + FLOAT_ERROR * absolute < best:
                best, best_reduced, best_at = value + FLOAT_ERROR * absolute, reduced, at
            cut = solver.Constraint((value - float(slope @ at)) / unit, solver.infinity())
            cut.SetCoefficient(least, 1)
            for variable, coefficient in zip(price, slope.tolist(), strict=True):
                cut.SetCoefficient(variable, -coefficient)
            if best < worth + 1 or time.monotonic() > deadline or solver.Solve() != pywraplp.Solver.OPTIMAL:
                break
            if best - least.solution_value() * unit <= 1e-9 * best:
                break
            at = np.maximum([variable.solution_value() * unit for variable in price], 0.0)
        return best, best_reduced, best_at

    def _lagrangian(self, share: np.ndarray, at: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """The bound at some multipliers, its slope and the reduced weights."""
        reduced = self.net - share @ at
        taken = np.where(reduced > 0, self.count, 0)
        if self.apart.shape[1]:
            group = self.apart[:, 0]
            order = np.lexsort((-reduced, group))
            second = np.append(False, (np.diff(group[order]) == 0) & (group[order][1:] >= 0))
            taken[order[second]] = 0
        return float(at.sum() + taken @ reduced), 1 - taken @ share, reduced


def members_apart(apart: np.ndarray) -> list[np.ndarray]:
    """Of each group kept apart: where its members stand."""
    return [np.flatnonzero((apart == g).any(axis=1)) for g in np.unique(apart[apart >= 0])]
