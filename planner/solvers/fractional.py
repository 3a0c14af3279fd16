"""Fractional: every item in parts over hosts of all classes, a linear program whose prices weigh the items.

Where hosts carry many items, little is lost by taking them in parts, and much by taking hosts in parts. So the hosts
that cover what is known are tried in whole numbers: the prices of the items on just those hosts are one more weighting,
a cut, and other hosts cover it. That ends with hosts that carry everything in parts at the cost that is proven.

Benders: Partitioning procedures for solving mixed-variables programming problems. Numerische Mathematik 4 (1962).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from ortools.math_opt.model_pb2 import LinearConstraintsProto, ModelProto, ObjectiveProto, VariablesProto
from ortools.math_opt.python import mathopt
from ortools.math_opt.sparse_containers_pb2 import SparseDoubleMatrixProto, SparseDoubleVectorProto

from planner.solvers.bounds import GRANTED, Weighting
from planner.solvers.coarse import leaves
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.master import Stalled
from planner.solvers.pricing import Prices
from planner.solvers.relaxation import multipliers

METHOD = "fractional assignment"

MOST_PARTS = 30_000
"""Parts (groups of shapes times classes) of the linear program at most."""

DEAR = 10.0
"""What an item without a host costs, in hosts of the dearest class."""

CENTRAL = 0.5
"""Share of the hosts that all in parts would take in the hosts that a cut is made for: cuts at whole hosts alone say
little about any others."""

MOST_MIXES = 60
"""Mixes of hosts that get cuts at most."""

PARAMETERS = mathopt.SolveParameters(time_limit=timedelta(seconds=10))


@dataclass(frozen=True, kw_only=True, eq=False)
class Fractions:
    """A solved program.

    Parameters
    ----------
    price : array of float, shape [S]
        What one item of each shape adds to the objective.
    excess : array of float, shape [S, C]
        How much more it would add on a host of each class; infinite where it does not fit.
    hosts : array of float, shape [C, P]
    whole : array of int, shape [S, C]
        Items of each shape on hosts of each class, the parts made whole; items that no host took are left out.
    """

    price: np.ndarray
    excess: np.ndarray
    hosts: np.ndarray
    whole: np.ndarray


class Fractional:
    """The linear program of an instance; shapes of like size are taken together where there are very many.

    Its columns are the hosts of each class that run for each pool, what is left of each group of shapes without a host,
    and the parts: what each group has on each class. Its rows are the groups, the room of each class in each pool and
    resource, and the hosts in limited number.

    Parameters
    ----------
    instance : Instance

    Attributes
    ----------
    first : Fractions
        What takes hosts in parts too.
    exhausted : bool
        Whether cuts raise the bound no more.
    """

    def __init__(self, instance: Instance):
        self.instance, self.relaxed = instance, instance.relaxed
        share = instance.demand / np.maximum(instance.capacity.max(axis=0), 1)
        self.unit = float(max(instance.opening.max(), instance.placing.max(), 1))
        most = max(MOST_PARTS // len(instance.available), 1)
        groups = None if len(share) <= most else leaves(instance, share, most)
        self.group = np.arange(len(share))
        for number, shapes in enumerate(groups or ()):
            self.group[shapes] = number
        self.parts = np.argwhere(self.relaxed.fits[np.unique(self.group, return_index=True)[1]])
        running = len(instance.available) * len(instance.pools)
        self.begin = running + int(self.group.max()) + 1
        model = mathopt.Model.from_model_proto(self._model())
        self.hosts = [model.get_variable(at) for at in range(running)]
        rooms = running * instance.demand.shape[1]
        self.room = [model.get_linear_constraint(self.begin - running + at) for at in range(rooms)]
        self.wanted = mathopt.ModelSolveParameters(
            variable_values_filter=mathopt.VariableFilter(skip_zero_values=True),
            dual_values_filter=mathopt.LinearConstraintFilter(filtered_items=self.room),
            reduced_costs_filter=mathopt.VariableFilter(filtered_items=()),
        )
        self.solver = mathopt.IncrementalSolver(model, mathopt.SolverType.GLOP)
        self.first = self.solve()
        self.cuts, self.tried, self.exhausted = self.cut(self.first), set[bytes](), False

    def _model(self) -> ModelProto:
        """The program, its costs in its unit and its room in hosts."""
        relaxed, group = self.relaxed, self.group
        classes, pools, resources = len(relaxed.available), len(relaxed.pools), relaxed.demand.shape[1]
        number = np.bincount(group, weights=relaxed.count)
        weight = relaxed.count / number[group]
        first = np.unique(group, return_index=True)[1]
        of_group, kind = self.parts.T
        cost, taken = np.zeros((len(number), classes)), np.zeros((len(number), classes, resources))
        np.add.at(cost, group, weight[:, None] * relaxed.placing)
        for c in range(classes):
            np.add.at(taken[:, c], group, weight[:, None] * relaxed.demand / np.maximum(relaxed.most[c], 1))
        limited = [own for own in relaxed.families if relaxed.available[own[0]] < relaxed.items]
        running, rooms = np.arange(classes * pools), np.arange(classes * pools * resources)
        parts = self.begin + np.arange(len(kind))
        room = ((kind * pools + relaxed.pool[first][of_group]) * resources)[:, None] + np.arange(resources)
        owned = np.concatenate([np.repeat(np.array(own) * pools, pools) for own in limited] or [running[:0]])
        entries = [
            (of_group, parts, np.ones(len(parts))),
            (np.arange(len(number)), classes * pools + np.arange(len(number)), np.ones(len(number))),
            (len(number) + room.ravel(), np.repeat(parts, resources), taken[of_group, kind].ravel()),
            (len(number) + rooms, np.repeat(running, resources), -np.ones(len(rooms))),
            (
                len(number) + len(rooms) + np.repeat(np.arange(len(limited)), [len(own) * pools for own in limited]),
                owned + np.tile(np.arange(pools), len(owned) // pools),
                np.ones(len(owned)),
            ),
        ]
        costs = np.concatenate([
            np.repeat(relaxed.opening, pools) / self.unit, np.full(len(number), DEAR), cost[of_group, kind] / self.unit
        ])  # fmt: skip
        most = np.concatenate(
            [np.full(len(number), np.inf), np.zeros(len(rooms)), [relaxed.available[own[0]] for own in limited]]
        )
        least = np.concatenate([number, np.full(len(rooms) + len(limited), -np.inf)])
        return _program(costs, least, most, *(np.concatenate(part) for part in zip(*entries, strict=True)))

    def solve(self, mix: np.ndarray | None = None) -> Fractions:
        """Solve the program, on given hosts where there is a mix: array of float, shape [C, P]."""
        for at, host in enumerate(self.hosts):
            host.lower_bound = 0.0 if mix is None else float(mix.flat[at])
            host.upper_bound = np.inf if mix is None else float(mix.flat[at])
        result = self.solver.solve(params=PARAMETERS, model_params=self.wanted)
        if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            raise Stalled(f"the linear program of items in parts ended with {result.termination}")
        values, duals = result.variable_values(), result.dual_values()
        value = np.zeros(self.begin + len(self.parts))
        value[[variable.id for variable in values]] = list(values.values())
        shape = len(self.relaxed.available), len(self.relaxed.pools)
        worth = -np.array([duals[row] for row in self.room]).reshape(*shape, -1)
        cost = self._costs(np.maximum(worth, 0.0) * self.unit)
        price = np.minimum(cost.min(axis=1), DEAR * self.unit)
        return Fractions(
            price=price,
            excess=cost - price[:, None],
            hosts=value[: len(self.hosts)].reshape(shape),
            whole=self._whole(value[self.begin :]),
        )

    def _whole(self, amount: np.ndarray) -> np.ndarray:
        """So many items of each group in each part made whole: the items of a group stand in line for its parts."""
        whole = np.zeros(self.relaxed.fits.shape, dtype="int64")
        used = np.flatnonzero(amount > 0)
        begins = np.searchsorted(self.parts[used, 0], np.arange(self.group.max() + 2))
        order = np.argsort(self.group, kind="stable")
        shapes = np.split(order, np.cumsum(np.bincount(self.group))[:-1])
        for number, mine in enumerate(shapes):
            own = used[begins[number] : begins[number + 1]]
            items = np.repeat(mine, self.relaxed.count[mine])
            at = np.searchsorted(np.cumsum(amount[own]), np.arange(len(items)) + 0.5)
            taken = at < len(own)
            np.add.at(whole, (items[taken], self.parts[own[at[taken]], 1]), 1)
        return whole

    def _costs(self, worth: np.ndarray) -> np.ndarray:
        """What an item costs on each class, if all the room of one of its hosts is worth so much: [S, C]."""
        relaxed, cost = self.relaxed, np.full(self.relaxed.fits.shape, np.inf)
        for c in range(len(relaxed.available)):
            taken = relaxed.demand / np.maximum(relaxed.most[c], 1)
            fits = relaxed.fits[:, c]
            cost[fits, c] = (relaxed.placing[:, c] + (taken * worth[c, relaxed.pool]).sum(axis=1))[fits]
        return cost

    def cut(self, fractions: Fractions) -> list[Weighting]:
        """The prices as weightings, one a pool."""
        relaxed = self.relaxed
        prices = Prices.of(fractions.price, int(max(relaxed.opening.max(), relaxed.placing.max())))
        found = []
        for p in range(len(relaxed.pools)):
            inside = relaxed.pool == p
            worth = [self._worth(prices, c, inside) for c in range(len(relaxed.available))]
            found.append(
                Weighting(
                    method=METHOD,
                    pool=p,
                    weight=np.where(inside, prices.price, 0),
                    worth=np.array(worth, dtype="int64"),
                    placing=prices.scale if relaxed.placing.any() else 0,
                )
            )
        return found

    def _worth(self, prices: Prices, kind: int, inside: np.ndarray) -> int:
        """What a host of a class can be worth at most."""
        relaxed, capacity = self.relaxed, self.relaxed.most[kind]
        profit = prices.price - prices.scale * relaxed.placing[:, kind]
        shapes = np.flatnonzero(inside & relaxed.fits[:, kind] & (profit > 0))
        if not len(shapes):
            return 0
        profit, demand = profit[shapes], relaxed.demand[shapes]
        alone = np.where(demand > 0, capacity // np.maximum(demand, 1), relaxed.items).min(axis=1)
        most = np.minimum(relaxed.count[shapes], alone)
        at = multipliers(profit, demand, most, capacity)
        value = at @ capacity + np.maximum(profit - demand @ at, 0.0) @ most
        return min(int(np.ceil(value * (1 + GRANTED))), int(profit @ most))

    def prove(self, incumbent: Incumbent, clock: Clock, until: float) -> None:
        """Raise the bound of an incumbent by cuts, on from the last, until none is left or a second on the clock."""
        while not self.exhausted and incumbent.cut(self.cuts) and not incumbent.good_enough:
            self.cuts, mix = [], incumbent.cover.mix
            self.exhausted = mix.tobytes() in self.tried or len(self.tried) >= MOST_MIXES
            if self.exhausted or clock.over:
                break
            self.tried.add(mix.tobytes())
            between = CENTRAL * self.first.hosts + (1 - CENTRAL) * mix
            self.cuts = [cut for hosts in (between, mix) for cut in self.cut(self.solve(hosts))]
            if clock.seconds >= until:
                break
        if self.exhausted and incumbent.bound_method != METHOD:  # They prove no more than what is known.
            incumbent.weightings = [w for w in incumbent.weightings if w.method != METHOD]


def _program(costs, least, most, row, column, value) -> ModelProto:
    """A linear program of variables from 0 upwards, from its matrix by entries."""
    order = np.lexsort((column, row))
    order = order[value[order] != 0]
    columns, rows = len(costs), len(least)
    return ModelProto(
        variables=VariablesProto(
            ids=range(columns), lower_bounds=np.zeros(columns), upper_bounds=np.full(columns, np.inf),
            integers=[False] * columns,
        ),
        objective=ObjectiveProto(linear_coefficients=SparseDoubleVectorProto(ids=range(columns), values=costs)),
        linear_constraints=LinearConstraintsProto(ids=range(rows), lower_bounds=least, upper_bounds=most),
        linear_constraint_matrix=SparseDoubleMatrixProto(
            row_ids=row[order], column_ids=column[order], coefficients=value[order]
        ),
    )  # fmt: skip
