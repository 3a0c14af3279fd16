"""The objective as coefficients: what opening a host and placing a workload cost, in whole small units.

Solver, bound and report share this ledger. Money is counted in whole cents, energy in Wh a year, carbon in g CO2e.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.economics.changeover import Change, changing
from planner.economics.energy import busy, lines, watts
from planner.economics.licences import Licensing, Order, Way, licensing, offers
from planner.errors import InputError
from planner.power import LEVELS
from planner.problem import Problem
from planner.units import CENTS_PER_MONEY_UNIT, energy_kwh_per_year


@dataclass(frozen=True, kw_only=True, eq=False)
class Ledger:
    """Coefficients of an objective.

    Parameters
    ----------
    unit : str
        Unit of a value after division by `scale`.
    scale : int
        Small units in one unit.
    row : array of int, shape [V]
        The row of problem.hosts of each offer: a host in one way of licensing it and along one line of its load curve.
    opening : array of int, shape [V]
        What running one host as offered costs.
    idle, rate : array of float, shape [V]
        What of `opening` is power at no load, and what one unit of busy CPU costs on each: a straight line. Where a
        host is offered along several, the lowest is never above what its load curve costs.
    busy : array of float, shape [W]
        Busy CPU of each workload, on average.
    per_w : float
        Small units of one W drawn all year.
    curves : array of float, shape [H, 11]
        Load curve of each row of problem.hosts, W; 0 where energy does not count.
    tiebreak : array of int, shape [V]
        Purchase in cents: among equals the plan that buys least is taken; 0 for owned hosts and where unpriced.
    change : Change
        What changing over from today's hosts costs; what of it is spent on a host in any case is no part of `opening`.
    orders : tuple of Order
        Licences of which so much is paid for at least.
    off : int
        What spare hosts that are off can save at most.
    needs, fee : array of int, shape [W, P]
        Whether a workload needs each product whose cost depends on what a host carries, and what licensing it by itself
        costs.
    limit : array of int, shape [V, P]
        How many workloads in need of a product an offer covers: at most all there are.
    charged : array of int, shape [V, P]
        Whether workloads pay their fee on an offer.
    ways : tuple of tuple of Way
        For each offer its way of licensing each product.
    products : tuple of str
    without : tuple of str
        What the objective leaves out because no figure is known.
    """

    unit: str
    scale: int
    row: np.ndarray
    opening: np.ndarray
    idle: np.ndarray
    rate: np.ndarray
    busy: np.ndarray
    per_w: float
    curves: np.ndarray
    tiebreak: np.ndarray
    change: Change
    orders: tuple[Order, ...]
    off: int
    needs: np.ndarray
    fee: np.ndarray
    limit: np.ndarray
    charged: np.ndarray
    ways: tuple[tuple[Way, ...], ...]
    products: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def fixed(self) -> int:
        """Whole small units that no plan can do without, beside what is offered; below 0 where plans may save some."""
        ordered = sum(int(one.least * self.scale) for one in self.orders)
        return self.change.least + ordered - self.off

    def placing(self, w: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Whole small units that placing workloads `w` on offers `v` costs, pair by pair (broadcasting)."""
        energy = np.rint(self.busy[w] * self.rate[v]).astype("int64")
        return energy + (self.fee[w] * self.charged[v]).sum(axis=-1)

    def tariffs(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of some offers one for each way in which placing is paid for, and for every offer which of these it has."""
        key = np.column_stack([self.rate[v].view("int64"), self.charged[v]])
        _, first, number = np.unique(key, axis=0, return_index=True, return_inverse=True)
        return v[first], number.ravel()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Terms:
    """What running a host of each row of problem.hosts costs but for its power, and one W all year, in `unit`."""

    unit: str
    scale: int
    opening: np.ndarray
    per_w: float = 0.0
    without: tuple[str, ...] = ()


def ledger(problem: Problem) -> Ledger:
    """The coefficients of a problem's objective.

    ``hosts``: 1 a host. ``cost``: purchase of hosts that are not owned, over the horizon licences, maintenance,
    administration, rack space and energy, and once moves, disposal and resale, where they are priced. ``energy``: kWh a
    year. ``carbon``: kg CO2e over the horizon, with the embodied carbon of bought hosts where it is known.

    Raises
    ------
    InputError
        Objective energy or carbon with a host whose watts are unknown, or carbon without a grid intensity.
    """
    work = busy(problem)[0].mean(axis=1)
    terms = {"hosts": _hosts, "energy": _energy, "carbon": _carbon, "cost": _cost}[problem.objective](problem)
    per_w = terms.per_w * terms.scale
    curves = _curves(problem) if per_w else np.zeros((len(problem.hosts), len(LEVELS)))
    found = licensing(problem) if problem.objective == "cost" and problem.prices.licences else None
    row, ways, idle_w, busy_w = _offers(problem, found, curves)
    shape = (len(work), 0 if found is None else len(found.products))
    needs, fee = (np.zeros(shape, "int64") if found is None else getattr(found, name) for name in ("needs", "fee"))
    counts = needs.sum(axis=0)
    limit = np.array([[min(way.limit, n) for way, n in zip(own, counts, strict=True)] for own in ways])
    charged = np.array([[way.is_each for way in own] for own in ways], dtype="int64")
    opening = np.rint(terms.opening[row] * terms.scale + idle_w * per_w).astype("int64")
    licences = np.zeros(len(row)) if found is None else _licences(found.always[row], ways)
    opening = opening + np.rint(licences * terms.scale).astype("int64")
    change = changing(problem, row, opening) if problem.objective == "cost" else Change.none(len(problem.hosts))
    return Ledger(
        unit=terms.unit,
        scale=terms.scale,
        row=row,
        opening=opening - change.base[row],
        idle=idle_w * per_w,
        rate=busy_w * per_w,
        busy=work,
        per_w=per_w,
        curves=curves,
        tiebreak=np.rint(_purchase(problem)[row] * CENTS_PER_MONEY_UNIT).astype("int64"),
        change=change,
        orders=() if found is None else found.orders,
        off=_off(problem, per_w, curves),
        needs=needs.astype("int64"),
        fee=np.rint(np.nan_to_num(fee) * needs * terms.scale).astype("int64"),
        limit=limit.reshape(len(row), shape[1]).astype("int64"),
        charged=charged.reshape(len(row), shape[1]),
        ways=tuple(ways),
        products=() if found is None else found.products,
        without=terms.without + (() if found is None else found.missing),
    )


def _off(problem: Problem, per_w: float, curves: np.ndarray) -> int:
    """Whole small units that the idle power of spare hosts comes to at most, where they are off."""
    failover = problem.policy.failover
    if not failover.hosts or failover.mode != "spare" or problem.prices.spares_run:
        return 0
    serves, idle = problem.hosts["pool"], np.ceil(per_w * curves[:, 0])
    most = sum(idle[((serves == "") | (serves == pool)).to_numpy()].max(initial=0.0) for pool in problem.pools)
    return failover.hosts * int(most)


def _offers(
    problem: Problem, found: Licensing | None, curves: np.ndarray
) -> tuple[np.ndarray, list[tuple[Way, ...]], np.ndarray, np.ndarray]:
    """Row and ways of each offer, and its line: W at no load and W of a unit of busy CPU; offers of a row together."""
    row, ways = (np.arange(len(curves)), [()] * len(curves)) if found is None else offers(found)
    along = lines(problem, curves)
    begins = np.searchsorted(along.row, np.arange(len(curves) + 1))
    number = np.diff(begins)[row]
    offer = np.repeat(np.arange(len(row)), number)
    line = begins[row][offer] + np.arange(len(offer)) - np.repeat(np.cumsum(number) - number, number)
    return row[offer], [ways[n] for n in offer.tolist()], along.idle_w[line], along.busy_w[line]


def _licences(always: np.ndarray, ways: list[tuple[Way, ...]]) -> np.ndarray:
    """Money over the horizon for the licences of each offer."""
    return always + np.array([sum(way.cost for way in own) for own in ways])


def _purchase(problem: Problem) -> np.ndarray:
    """What buying a host of each row costs; 0 for owned hosts and where unpriced."""
    hosts = problem.hosts
    return np.where(hosts["owned"].to_numpy(), 0.0, hosts["price"].fillna(0).to_numpy())


def _hosts(problem: Problem) -> _Terms:
    return _Terms(unit="hosts", scale=1, opening=np.ones(len(problem.hosts)))


def _energy(problem: Problem) -> _Terms:
    nothing = np.zeros(len(problem.hosts))
    return _Terms(unit="kWh/year", scale=1000, opening=nothing, per_w=energy_kwh_per_year(1.0, problem.prices.pue))


def _carbon(problem: Problem) -> _Terms:
    hosts, prices = problem.hosts, problem.prices
    if prices.carbon_kg_per_kwh is None:
        raise InputError("prices.carbon_kg_per_kwh: found none, objective carbon needs the grid's intensity")
    per_w = energy_kwh_per_year(1.0, prices.pue) * prices.carbon_kg_per_kwh * prices.years
    embodied = np.where(hosts["owned"].to_numpy(), 0.0, hosts["embodied_kgco2e"].fillna(0).to_numpy())
    unknown = (~hosts["owned"] & hosts["embodied_kgco2e"].isna()).to_numpy(dtype=bool)
    without = _lacking("embodied carbon", problem, unknown)
    return _Terms(unit="kg CO2e", scale=1000, opening=embodied, per_w=per_w, without=without)


def _cost(problem: Problem) -> _Terms:
    hosts, prices = problem.hosts, problem.prices
    priced = prices.energy_per_kwh is not None
    without = [] if priced and not _unknown(problem).all() else ["energy"]
    without += ["maintenance"] if prices.maintenance_per_host_year is None else []
    yearly = (prices.maintenance_per_host_year or 0.0) + (prices.administration_per_host_year or 0.0)
    if prices.rack_unit_year is not None and (unknown := hosts["rack_units"].isna().to_numpy()).any():
        without += _lacking("rack space", problem, unknown)
    elif prices.rack_unit_year is not None:
        yearly = yearly + prices.rack_unit_year * hosts["rack_units"].to_numpy(dtype=float)
    years = prices.years_discounted
    return _Terms(
        unit=prices.currency,
        scale=CENTS_PER_MONEY_UNIT,
        opening=_purchase(problem) * (1 - prices.residual) + yearly * years,
        per_w=energy_kwh_per_year(1.0, prices.pue) * prices.energy_per_kwh * years if priced else 0.0,
        without=tuple(without),
    )


def _lacking(what: str, problem: Problem, unknown: np.ndarray) -> tuple[str, ...]:
    """What an objective leaves out of some hosts, as it is told; nothing where it is known of all."""
    names = problem.hosts["name"].to_numpy()[unknown].tolist()
    if not names:
        return ()
    more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
    return (f"{what} of {names[0]}{more}",)


def _unknown(problem: Problem) -> np.ndarray:
    """Rows of problem.hosts whose watts nobody knows: bool [H]."""
    return np.isnan(watts(problem.hosts, problem.prices)).any(axis=1)


def _curves(problem: Problem) -> np.ndarray:
    """The load curve of each row; 0 where the watts of every host are unknown."""
    unknown = _unknown(problem)
    if unknown.any() and not (problem.objective == "cost" and unknown.all()):
        first = problem.hosts["name"].to_numpy()[unknown][0]
        or_without = ", or no energy_per_kwh, which leaves energy out of the cost" * (problem.objective == "cost")
        raise InputError(
            f"host {first!r}: idle_w or peak_w is blank, without a power_curve ({unknown.sum():,} of {len(unknown):,} "
            f"hosts); objective {problem.objective} needs them, or prices.host_idle_w and prices.host_peak_w for hosts "
            f"without{or_without}"
        )
    return np.nan_to_num(watts(problem.hosts, problem.prices))
