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

MOST_GROUPS = 1_500
"""Groups of shapes in the linear program at most."""

JOINING, ROUNDS = 8, 30
"""Classes that join the program at once, those that pay most, and how often some may."""

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
    fees : array of float, shape [C]
        What one more host of each class in limited number would save.
    whole : array of int, shape [S, C]
        Items of each shape on hosts of each class, the parts made whole; items that no host took are left out.
    """

    price: np.ndarray
    excess: np.ndarray
    hosts: np.ndarray
    fees: np.ndarray
    whole: np.ndarray


class Fractional:
    """The linear program of an instance; shapes of like size are taken together where there are very many.

    Its columns are the hosts of some classes that run for each pool, what is left of each group of shapes without a
    host, and the parts: what each group has on each class. Its rows are the groups, the room of each class in each pool
    and resource, and the hosts in limited number.

    Parameters
    ----------
    instance : Instance
    start : array of int, shape [C, P]
        Hosts of a packing: further classes join theirs as long as any would pay.

    Attributes
    ----------
    first : Fractions
        What takes hosts in parts too.
    exhausted : bool
        Whether cuts raise the bound no more.
    """

    def __init__(self, instance: Instance, start: np.ndarray):
        self.relaxed = relaxed = instance.relaxed
        share = instance.demand / np.maximum(instance.capacity.max(axis=0), 1)
        self.unit = float(max(instance.opening.max(), instance.placing.max(), 1))
        groups = None if len(share) <= MOST_GROUPS else leaves(instance, share, MOST_GROUPS)
        self.group = np.arange(len(share))
        for number, shapes in enumerate(groups or ()):
            self.group[shapes] = number
        self.leader = np.unique(self.group, return_index=True)[1]
        self.number = np.bincount(self.group, weights=relaxed.count)
        self.weight = relaxed.count / self.number[self.group]
        self.first = self._first(np.flatnonzero(start.any(axis=1)))
        self.cuts, self.tried, self.exhausted = self.cut(self.first), set[bytes](), False

    def _first(self, kinds: np.ndarray) -> Fractions:
        """Solve the program of all classes: that of some, which others join as long as any would pay."""
        relaxed = self.relaxed
        for _ in range(ROUNDS):
            found = self._solve(kinds, None)
            prices, worth = self._prices(found)
            gain = worth.max(axis=0) / prices.scale / np.maximum(relaxed.opening + found.fees, 1e-9)
            gain[kinds] = 0.0
            gain[relaxed.available == 0] = 0.0
            paying = np.argsort(-gain, kind="stable")[:JOINING]
            paying = paying[gain[paying] > 1 + 1e-6]
            if not len(paying):
                break
            kinds = np.union1d(kinds, paying)
        return found

    def solve(self, mix: np.ndarray) -> Fractions:
        """Solve the program on given hosts: array of float, shape [C, P]."""
        return self._solve(np.flatnonzero(mix.any(axis=1)), mix)

    def _solve(self, kinds: np.ndarray, mix: np.ndarray | None) -> Fractions:
        """Solve the program of some classes, on given hosts where there is a mix."""
        relaxed, pools = self.relaxed, len(self.relaxed.pools)
        running, rooms = len(kinds) * pools, len(kinds) * pools * relaxed.demand.shape[1]
        of_group, place = np.nonzero(relaxed.fits[self.leader][:, kinds])
        begin = running + len(self.number)
        limited = [] if mix is not None else self._limited(kinds)
        model = mathopt.Model.from_model_proto(self._model(kinds, mix, of_group, place, limited))
        duals = [model.get_linear_constraint(len(self.number) + at) for at in range(rooms + len(limited))]
        wanted = mathopt.ModelSolveParameters(
            variable_values_filter=mathopt.VariableFilter(skip_zero_values=True),
            dual_values_filter=mathopt.LinearConstraintFilter(filtered_items=duals),
            reduced_costs_filter=mathopt.VariableFilter(filtered_items=()),
        )
        result = mathopt.solve(model, mathopt.SolverType.GLOP, params=PARAMETERS, model_params=wanted)
        if result.termination.reason != mathopt.TerminationReason.OPTIMAL:
            raise Stalled(f"the linear program of items in parts ended with {result.termination}")
        value = np.zeros(begin + len(place))
        for variable, amount in result.variable_values().items():
            value[variable.id] = amount
        dual = np.maximum([-found * self.unit for found in result.dual_values(duals)], 0.0)
        fees = np.zeros(len(relaxed.available))
        for own, fee in zip(limited, dual[rooms:], strict=True):
            fees[own] = fee
        hosts = np.zeros((len(fees), pools))
        hosts[kinds] = value[:running].reshape(len(kinds), pools)
        cost = self._costs(kinds, dual[:rooms].reshape(len(kinds), pools, relaxed.demand.shape[1]))
        price = np.minimum(cost.min(axis=1), DEAR * self.unit)
        whole = self._whole(of_group, kinds[place], value[begin:])
        return Fractions(price=price, excess=cost - price[:, None], hosts=hosts, fees=fees, whole=whole)

    def _limited(self, kinds: np.ndarray) -> list[list[int]]:
        """Families of hosts in limited number with some of their classes among those of the program."""
        relaxed = self.relaxed
        families = [own for own in relaxed.families if relaxed.available[own[0]] < relaxed.items]
        return [own for own in families if np.isin(own, kinds).any()]

    def _model(self, kinds, mix, of_group, place, limited) -> ModelProto:
        """The program of parts of groups on some classes, its costs in its unit and its room in hosts."""
        relaxed, pools, groups = self.relaxed, len(self.relaxed.pools), len(self.number)
        resources, running = relaxed.demand.shape[1], np.arange(len(kinds) * len(self.relaxed.pools))
        taken, cost = np.zeros((len(kinds), groups, resources)), np.zeros((len(kinds), groups))
        for at, kind in enumerate(kinds.tolist()):
            share = relaxed.demand / np.maximum(relaxed.most[kind], 1)
            np.add.at(taken[at], self.group, self.weight[:, None] * share)
            np.add.at(cost[at], self.group, self.weight * relaxed.placing[:, kind])
        parts = len(running) + groups + np.arange(len(place))
        room = (
            groups + (place * pools + relaxed.pool[self.leader][of_group])[:, None] * resources + np.arange(resources)
        )
        ends = groups + len(running) * resources
        entries = [
            (of_group, parts, np.ones(len(parts))),
            (np.arange(groups), len(running) + np.arange(groups), np.ones(groups)),
            (room.ravel(), np.repeat(parts, resources), taken[place, of_group].ravel()),
            (np.arange(groups, ends), np.repeat(running, resources), -np.ones(len(running) * resources)),
        ]
        for number, own in enumerate(limited):
            mine = running[np.repeat(np.isin(kinds, own), pools)]
            entries.append((np.full(len(mine), ends + number), mine, np.ones(len(mine))))
        opening = np.repeat(relaxed.opening[kinds], pools) / self.unit
        fixed = np.full(len(running), np.nan) if mix is None else mix[kinds].ravel()
        rest = np.zeros(groups + len(parts))
        return _program(
            costs=np.concatenate([opening, np.full(groups, DEAR), cost[place, of_group] / self.unit]),
            low=np.concatenate([np.nan_to_num(fixed, nan=0.0), rest]),
            high=np.concatenate([np.nan_to_num(fixed, nan=np.inf, posinf=np.inf), rest + np.inf]),
            least=np.concatenate([self.number, np.full(ends - groups + len(limited), -np.inf)]),
            most=np.concatenate([
                np.full(groups, np.inf), np.zeros(ends - groups), [relaxed.available[own[0]] for own in limited]
            ]),
            entries=[np.concatenate(part) for part in zip(*entries, strict=True)],
        )  # fmt: skip

    def _whole(self, of_group: np.ndarray, kind: np.ndarray, amount: np.ndarray) -> np.ndarray:
        """So many items of each group on each class made whole: the items of a group stand in line for its parts."""
        whole = np.zeros(self.relaxed.fits.shape, dtype="int64")
        used = np.flatnonzero(amount > 0)
        begins = np.searchsorted(of_group[used], np.arange(len(self.number) + 1))
        order = np.argsort(self.group, kind="stable")
        shapes = np.split(order, np.cumsum(np.bincount(self.group))[:-1])
        for number, mine in enumerate(shapes):
            own = used[begins[number] : begins[number + 1]]
            items = np.repeat(mine, self.relaxed.count[mine])
            at = np.searchsorted(np.cumsum(amount[own]), np.arange(len(items)) + 0.5)
            taken = at < len(own)
            np.add.at(whole, (items[taken], kind[own[at[taken]]]), 1)
        return whole

    def _costs(self, kinds: np.ndarray, worth: np.ndarray) -> np.ndarray:
        """What an item costs on each class, if all the room of one of its hosts is worth so much: [S, C].

        Infinite on classes that the program does not have, and where an item does not fit.
        """
        relaxed, cost = self.relaxed, np.full(self.relaxed.fits.shape, np.inf)
        for kind, by_pool in zip(kinds.tolist(), worth, strict=True):
            taken = relaxed.demand / np.maximum(relaxed.most[kind], 1)
            fits = relaxed.fits[:, kind]
            cost[fits, kind] = (relaxed.placing[:, kind] + (taken * by_pool[relaxed.pool]).sum(axis=1))[fits]
        return cost

    def _prices(self, fractions: Fractions) -> tuple[Prices, np.ndarray]:
        """Whole prices, and what a host of each class is worth at most in each pool at these: int [P, C]."""
        relaxed = self.relaxed
        prices = Prices.of(fractions.price, int(max(relaxed.opening.max(), relaxed.placing.max())))
        pools, classes = range(len(relaxed.pools)), range(len(relaxed.available))
        return prices, np.array([[self._worth(prices, c, relaxed.pool == p) for c in classes] for p in pools])

    def cut(self, fractions: Fractions) -> list[Weighting]:
        """The prices as weightings, one a pool."""
        prices, worth = self._prices(fractions)
        placing = prices.scale if self.relaxed.placing.any() else 0
        return [
            Weighting(
                method=METHOD,
                pool=p,
                weight=np.where(self.relaxed.pool == p, prices.price, 0),
                worth=worth[p],
                placing=placing,
            )
            for p in range(len(self.relaxed.pools))
        ]

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
            self.exhausted = mix.tobytes() in self.tried or len(self.tried) >= MOST_MIXES or not mix.any()
            if self.exhausted or clock.over:
                break
            self.tried.add(mix.tobytes())
            between = CENTRAL * self.first.hosts + (1 - CENTRAL) * mix
            self.cuts = [cut for hosts in (between, mix) for cut in self.cut(self.solve(hosts))]
            if clock.seconds >= until:
                break
        if self.exhausted and incumbent.bound_method != METHOD:  # They prove no more than what is known.
            incumbent.weightings = [w for w in incumbent.weightings if w.method != METHOD]


def _program(
    *, costs: np.ndarray, low: np.ndarray, high: np.ndarray, least: np.ndarray, most: np.ndarray, entries: list
) -> ModelProto:
    """A linear program from the costs and limits of its columns, the limits of its rows and its entries.

    Parameters
    ----------
    costs, low, high : array of float, shape [N]
    least, most : array of float, shape [M]
    entries : list of three arrays
        Row, column and value of each entry.
    """
    row, column, value = entries
    order = np.lexsort((column, row))
    order = order[value[order] != 0]
    columns, rows = range(len(costs)), range(len(least))
    return ModelProto(
        variables=VariablesProto(ids=columns, lower_bounds=low, upper_bounds=high, integers=[False] * len(columns)),
        objective=ObjectiveProto(linear_coefficients=SparseDoubleVectorProto(ids=columns, values=costs)),
        linear_constraints=LinearConstraintsProto(ids=rows, lower_bounds=least, upper_bounds=most),
        linear_constraint_matrix=SparseDoubleMatrixProto(
            row_ids=row[order], column_ids=column[order], coefficients=value[order]
        ),
    )
