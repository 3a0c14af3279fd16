"""Licences of a problem: the ways in which each host can be licensed, and what each way costs.

A product is licensed on a host by one of its editions: for every workload there that needs it one by one, or by
licensing the host, once for so many workloads or for any number. What a host costs to license then depends on how many
such workloads it carries, so a host is offered once for each way that may pay; in each offer a product covers at most
`limit` of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as combinations
from math import ceil

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.licences import Licence
from planner.prices import Prices
from planner.problem import Problem
from planner.rules import WORKLOAD_KEYS, Selector

SLACK = 1e-6
"""Share and amount by which a host may be filled beyond its capacity: more than the checker grants."""

MOST_OFFERS = 512
"""Ways of licensing one host that are weighed at most."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to license a product on a host.

    Parameters
    ----------
    licence : Licence or None
        None where nothing is licensed.
    times : int
        How often the host is licensed; 0 where each workload is, or nothing.
    cost : float
        Money for the host over the horizon.
    limit : float
        Workloads in need of the product that it may carry then.
    """

    licence: Licence | None
    times: int
    cost: float
    limit: float

    @property
    def is_each(self) -> bool:
        """Whether each workload is licensed by itself."""
        return self.licence is not None and self.licence.is_of_workload


NOTHING = Way(licence=None, times=0, cost=0.0, limit=0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Licensing:
    """What products ask of hosts and workloads.

    Parameters
    ----------
    products : tuple of str
        Products whose cost depends on what a host carries.
    needs : array of bool, shape [W, P]
    fee : array of float, shape [W, P]
        Money over the horizon for licensing a workload by itself; NaN where no edition does that.
    ways : tuple of tuple of tuple of Way
        For each row of problem.hosts and each product the ways that may pay, those for fewer workloads first.
    always : array of float, shape [H]
        Money over the horizon for what a host needs whatever it carries; but for orders that are `whole`.
    orders : tuple of Order
        What is paid for at least in all.
    missing : tuple of str
        Editions without a price, which are left out.
    """

    products: tuple[str, ...]
    needs: np.ndarray
    fee: np.ndarray
    ways: tuple[tuple[tuple[Way, ...], ...], ...]
    always: np.ndarray
    orders: tuple[Order, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Order:
    """A licence of which so many units are paid for at least.

    Parameters
    ----------
    licence : Licence
    units : array of float, shape [H]
        Units that a host of each row needs.
    price : float
        Money over the horizon for one unit.
    whole : bool
        Whether the least is counted as spent whatever a plan does, and no host as costing anything of it; else each
        host costs its units. Either way what a plan pays is no less than that.
    """

    licence: Licence
    units: np.ndarray
    price: float
    whole: bool

    @property
    def least(self) -> float:
        """Money that is spent in any case, as far as hosts do not count."""
        return self.licence.least_per_order * self.price if self.whole else 0.0

    def rest(self, rows: np.ndarray) -> float:
        """Money that hosts of some rows cost beyond what is counted for each of them and in any case."""
        units = float(self.units[rows].sum())
        paid = max(units, self.licence.least_per_order) if units else 0.0
        return (paid - (self.licence.least_per_order if self.whole else units)) * self.price


def licensing(problem: Problem) -> Licensing:
    """What the licences of a problem's prices ask of its hosts and workloads.

    Raises
    ------
    InputError
        A host that can be licensed in too many ways.
    """
    prices, hosts = problem.prices, problem.hosts
    priced = [licence for licence in prices.licences if licence.price is not None]
    missing = tuple(f"{one.product} {one.edition}" for one in prices.licences if one.price is None)
    by_product: dict[str, list[Licence]] = {}
    for licence in priced:
        by_product.setdefault(licence.product, []).append(licence)
    chosen = Selector(problem.workloads, WORKLOAD_KEYS)
    needing = {name: chosen.matching(own[0].workloads) for name, own in by_product.items() if own[0].workloads}
    needed = [name for name in by_product if name not in needing or needing[name].any()]
    whole = [name for name in needed if name not in needing or by_product[name][0].reach]
    products = tuple(name for name in needed if name not in whole)
    always, orders = np.zeros(len(hosts)), []
    for name in whole:
        where = _reachable(problem, needing[name]) if name in needing else np.ones(len(hosts), dtype=bool)
        costs = np.where(where, np.min([_of_hosts(problem, one) for one in by_product[name]], axis=0), 0.0)
        if by_product[name][0].least_per_order:
            orders.append(_order(problem, by_product[name][0], where))
        always += 0.0 if by_product[name][0].least_per_order and orders[-1].whole else costs
    needs = np.array([needing[name] for name in products], dtype=bool).reshape(len(products), len(problem.workloads)).T
    fee = np.full((len(problem.workloads), len(products)), np.nan)
    for product, own in by_itself(problem).items():
        if product in products:
            fee[:, products.index(product)] = own.fee
    ways = _ways(problem, [by_product[name] for name in products], needs)
    return Licensing(
        products=products,
        needs=needs,
        fee=fee,
        ways=ways,
        always=always,
        orders=tuple(orders),
        missing=missing,
    )


def _order(problem: Problem, licence: Licence, where: np.ndarray) -> Order:
    """The order of a licence, taken whole where about as many hosts as the load needs do not ask for more."""
    hosts, (demand, capacity) = problem.hosts, (problem.demand, problem.capacity)
    sockets = hosts["sockets"].fillna(1).to_numpy(dtype=float)
    units = np.where(where, licence.units_of_host(hosts["cores"].to_numpy(dtype=float), sockets), 0.0)
    filled = (demand.sum(axis=0).max(axis=1) / np.maximum(capacity, 1e-9)).max(axis=1)
    least = float((units * (filled + problem.policy.failover.hosts)).min())
    return Order(
        licence=licence,
        units=units,
        price=licence.unit_price * over_the_horizon(problem.prices, licence),
        whole=least <= licence.least_per_order,
    )


def over_the_horizon(prices: Prices, licence: Licence) -> float:
    """What one money unit of a licence's price amounts to over the horizon, in the prices' currency."""
    return prices.worth_of(licence.currency) * (prices.years_discounted if licence.yearly else 1.0)


def _of_hosts(problem: Problem, licence: Licence) -> np.ndarray:
    """Money over the horizon for licensing each row of problem.hosts once; sockets that nobody knows count as one."""
    hosts = problem.hosts
    once = licence.of_host(hosts["cores"].to_numpy(dtype=float), hosts["sockets"].fillna(1).to_numpy(dtype=float))
    return once * over_the_horizon(problem.prices, licence)


@dataclass(frozen=True, kw_only=True, eq=False)
class ByItself:
    """What licensing each workload by itself takes, in the cheapest edition that does that.

    Parameters
    ----------
    fee : array of float, shape [W]
        Money over the horizon, whether the workload needs the product or not.
    units : dict of str to array of float, shape [W, 2]
        For each edition, as ``product edition``, the units of workloads that need the product and take it, and 1 for
        each of them; 0 for all others.
    """

    fee: np.ndarray
    units: dict[str, np.ndarray]


def by_itself(problem: Problem) -> dict[str, ByItself]:
    """For each product of which an edition with a price licenses workloads, what that takes."""
    vcpus, needs, found = problem.workloads["vcpus"].to_numpy(dtype=float), needs_of(problem), {}
    for product in needs:
        own = [one for one in problem.prices.licences if one.product == product and one.is_of_workload]
        own = [one for one in own if one.price is not None]
        if own:
            fees = np.array([one.of_workload(vcpus) * over_the_horizon(problem.prices, one) for one in own])
            taken = [needs[product] & (fees.argmin(axis=0) == n) for n in range(len(own))]
            units = {
                _key(one): np.column_stack([one.units_of_workload(vcpus), np.ones(len(vcpus))]) * chosen[:, None]
                for one, chosen in zip(own, taken, strict=True)
            }
            found[product] = ByItself(fee=fees.min(axis=0), units=units)
    return found


def whole_cost(problem: Problem, product: str, rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Money over the horizon for licensing hosts whole, each for so many workloads; infinite where no edition does.

    Parameters
    ----------
    rows, counts : array of int, shape [N]
        Row of problem.hosts, and workloads in need of the product, of each host.
    """
    least = np.full(len(rows), np.inf)
    for one in problem.prices.licences:
        if one.product == product and one.price is not None and not one.is_of_workload:
            least = np.minimum(least, _of_hosts(problem, one)[rows] * _times(one, counts))
    return least


def _reachable(problem: Problem, members: np.ndarray) -> np.ndarray:
    """Rows of problem.hosts on which any of some workloads may run: bool [H]."""
    combination, permitted = problem.laws.permitted
    serves, found = problem.hosts["pool"].to_numpy(), np.zeros(len(problem.hosts), dtype=bool)
    pools = problem.workloads["pool"].to_numpy()
    for pool in np.unique(pools[members]):
        inside = members & (pools == pool)
        found |= np.isin(serves, ("", pool)) & permitted[np.unique(combination[inside])].any(axis=0)
    return found


def _ways(problem: Problem, by_product: list[list[Licence]], needs: np.ndarray) -> tuple:
    """For each row of problem.hosts and each product the ways of licensing it that may pay."""
    pools, serves = problem.workloads["pool"].to_numpy(), problem.hosts["pool"].to_numpy()
    fitting = _fitting(problem, needs)
    most = {pool: needs[pools == pool].sum(axis=0) for pool in np.unique(pools)}
    every = sum(most.values(), np.zeros(len(by_product), dtype="int64"))
    costs = [
        [(licence, _of_hosts(problem, licence)) for licence in own if not licence.is_of_workload] for own in by_product
    ]
    each = [next((licence for licence in own if licence.is_of_workload), None) for own in by_product]
    found = []
    for row, pool in enumerate(serves):
        counts = every if pool == "" else most.get(pool, np.zeros(len(by_product), dtype="int64"))
        counts = np.minimum(counts, fitting[row])
        found.append(
            tuple(
                _worth_it([(licence, float(cost[row])) for licence, cost in costs[p]], each[p], int(counts[p]))
                for p in range(len(by_product))
            )
        )
        if np.prod([len(own) for own in found[-1]]) > MOST_OFFERS:
            raise InputError(
                f"host {problem.hosts['name'].iloc[row]!r}: found more than {MOST_OFFERS:,} ways to license it, "
                "expected fewer: name fewer licences, or an edition that covers any number of workloads"
            )
    return tuple(found)


def _fitting(problem: Problem, needs: np.ndarray) -> np.ndarray:
    """More workloads in need of each product than any host of each row has room for there are never on it: [H, P]."""
    verified = problem.policy.failover.is_verified
    demands, capacity = [problem.demand], problem.capacity
    if verified:
        demands.append(problem.in_failure.demand)
        capacity = np.maximum(capacity, problem.in_failure.capacity)
    least = np.min(demands, axis=0)
    found = np.full((len(capacity), needs.shape[1]), np.iinfo("int64").max)
    for p in range(needs.shape[1]):
        # In every period each of them takes the smallest demand there is then, or more.
        smallest = least[needs[:, p]].min(axis=0).max(axis=1)
        asked = smallest > 0
        if asked.any():
            room = (capacity[:, asked] * (1 + SLACK) + SLACK) / smallest[asked]
            fits = np.floor(room.min(axis=1)) + 1
            found[:, p] = np.where(np.isfinite(fits), fits, float(len(needs))).astype("int64")
    return found


def _worth_it(editions: list[tuple[Licence, float]], each: Licence | None, most: int) -> tuple[Way, ...]:
    """Ways of licensing one product on one host, those left out for which another covers as many at no more cost."""
    ways = [NOTHING] if each is None else [Way(licence=each, times=0, cost=0.0, limit=np.inf)]
    for licence, once in editions:
        if licence.covers is None:
            ways += [Way(licence=licence, times=1, cost=once, limit=np.inf)] if most else []
        else:
            times = range(1, licence.times(most) + 1)
            ways += [Way(licence=licence, times=n, cost=n * once, limit=float(n * licence.covers)) for n in times]
    ways.sort(key=lambda way: (way.cost, -way.limit))
    kept: list[Way] = []
    for way in ways:
        if all(way.limit > other.limit or other.is_each for other in kept):
            kept.append(way)
    return tuple(kept)


def offers(found: Licensing) -> tuple[np.ndarray, list[tuple[Way, ...]]]:
    """Every host in every way of licensing all products on it.

    Returns
    -------
    (array of int [V], list of tuple of Way)
        The row of problem.hosts of each offer, and its way for each product.
    """
    rows, ways = [], []
    for row, own in enumerate(found.ways):
        for combined in combinations(*own):
            rows.append(row)
            ways.append(combined)
    return np.array(rows, dtype="int64"), ways


@dataclass(frozen=True, kw_only=True, eq=False)
class Licences:
    """What the licences of some hosts cost: a column a product, one row a host.

    Parameters
    ----------
    once, yearly : DataFrame
        Money, paid at the start and every year; NaN where no edition of a product that is needed has a price.
    bought : DataFrame
        One row for each host and product: position, product, edition, workloads (in need of it), licences (how many
        units, before the core factor).
    """

    once: pd.DataFrame
    yearly: pd.DataFrame
    bought: pd.DataFrame


def licence_costs(
    prices: Prices,
    hosts: pd.DataFrame,
    counts: dict[str, np.ndarray],
    units: dict[str, np.ndarray],
    whole: dict[str, np.ndarray] | None = None,
) -> Licences:
    """The cheapest edition of each product on each host.

    Parameters
    ----------
    prices : Prices
    hosts : DataFrame
        One row a host: cores, sockets.
    counts : dict of str to array of int, shape [N]
        For each product how many workloads in need of it each host has to be licensed for; where it is needed whatever
        a host carries, 1 on every host that needs it.
    units : dict of str to array of float, shape [N, 2]
        For each edition by workload, as ``product edition``, the units of workloads on each host that are licensed by
        it where the host is not licensed whole, and how many workloads these are.
    whole : dict of str to array of bool, shape [N], optional
        For products with such editions which hosts are licensed whole, `units` being those to pay whether they are or
        not; by default what is cheaper on each host by itself.
    """
    once, yearly, bought = {}, {}, []
    cores, sockets = (hosts[name].fillna(1).to_numpy(dtype=float) for name in ("cores", "sockets"))
    for product in dict.fromkeys(licence.product for licence in prices.licences):
        editions = [licence for licence in prices.licences if licence.product == product and licence.price is not None]
        count = counts[product]
        if not editions:
            once[product] = yearly[product] = np.where(count > 0, np.nan, 0.0)
            continue
        asked = [
            units[_key(one)]
            if one.is_of_workload
            else np.column_stack([one.units_of_host(cores, sockets) * _times(one, count), count])
            for one in editions
        ]
        needed = _taken(prices, editions, np.array(asked), None if whole is None else whole.get(product))
        price = np.array([one.unit_price * prices.worth_of(one.currency) for one in editions])
        money = needed[:, :, 0] * price[:, None]
        money *= max(editions[0].least_per_order / max(needed[0, :, 0].sum(), 1e-9), 1.0)
        is_yearly = np.array([one.yearly for one in editions])
        once[product], yearly[product] = money[~is_yearly].sum(axis=0), money[is_yearly].sum(axis=0)
        for n, edition in np.argwhere((needed[:, :, 1] > 0).T).tolist():
            licences, workloads = needed[edition, n].tolist()
            bought.append((n, product, editions[edition].edition, ceil(workloads), licences))
    columns = ["position", "product", "edition", "workloads", "licences"]
    return Licences(
        once=pd.DataFrame(once, index=range(len(hosts))),
        yearly=pd.DataFrame(yearly, index=range(len(hosts))),
        bought=pd.DataFrame(bought, columns=columns),
    )


def _taken(prices: Prices, editions: list[Licence], asked: np.ndarray, whole: np.ndarray | None) -> np.ndarray:
    """What is asked of each edition by each host, 0 where another is taken: units and workloads [E, N, 2]."""
    horizon = np.array([one.unit_price * over_the_horizon(prices, one) for one in editions])
    each = np.array([one.is_of_workload for one in editions])
    costs = asked[:, :, 0] * horizon[:, None]
    of_hosts = np.where(each[:, None], np.inf, costs)
    if whole is None:
        whole = of_hosts.min(axis=0) < (costs[each].sum(axis=0) if each.any() else np.inf)
        asked = np.where(each[:, None, None] & whole[:, None], 0.0, asked)
    best = whole & (of_hosts.argmin(axis=0) == np.arange(len(editions))[:, None])
    return np.where((each[:, None] | best)[:, :, None], asked, 0.0)


def _key(licence: Licence) -> str:
    return f"{licence.product} {licence.edition}"


def _times(licence: Licence, count: np.ndarray) -> np.ndarray:
    """How often each host is licensed, as `Licence.times`."""
    return -(-count // licence.covers) if licence.covers is not None else np.minimum(count, 1)


def needs_of(problem: Problem) -> dict[str, np.ndarray]:
    """For each product that some workloads need, and not every host, which workloads do: bool [W]."""
    chosen = Selector(problem.workloads, WORKLOAD_KEYS)
    return {one.product: chosen.matching(one.workloads) for one in problem.prices.licences if one.workloads}


def everywhere(problem: Problem, product: str) -> np.ndarray:
    """Rows of problem.hosts that need a product whatever they carry: bool [H]."""
    first = next(one for one in problem.prices.licences if one.product == product)
    if not first.workloads:
        return np.ones(len(problem.hosts), dtype=bool)
    return _reachable(problem, needs_of(problem)[product]) if first.reach else np.zeros(len(problem.hosts), dtype=bool)
