"""The objective as coefficients: what opening a host and placing a workload cost, in whole small units.

Solver, bound and report share this ledger. Money is counted in whole cents, energy in Wh a year, carbon in g CO2e.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.economics.energy import busy, watts
from planner.economics.licences import Way, licensing, offers
from planner.errors import InputError
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
        The row of problem.hosts of each offer: a host in one way of licensing it, once for each way that may pay.
    opening : array of int, shape [V]
        What running one host as offered costs.
    rate : array of float, shape [V]
        What one unit of busy CPU costs on each.
    busy : array of float, shape [W]
        Busy CPU of each workload.
    tiebreak : array of int, shape [V]
        Purchase in cents: among equals the plan that buys least is taken; 0 for owned hosts and where unpriced.
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
    rate: np.ndarray
    busy: np.ndarray
    tiebreak: np.ndarray
    needs: np.ndarray
    fee: np.ndarray
    limit: np.ndarray
    charged: np.ndarray
    ways: tuple[tuple[Way, ...], ...]
    products: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

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
    """What running a host of each row of problem.hosts costs, and one unit of busy CPU on it, in `unit`."""

    unit: str
    scale: int
    opening: np.ndarray
    rate: np.ndarray
    without: tuple[str, ...] = ()


def ledger(problem: Problem) -> Ledger:
    """The coefficients of a problem's objective.

    ``hosts``: 1 a host. ``cost``: purchase of hosts that are not owned, and over the horizon licences, maintenance,
    administration, rack space and energy where they are priced. ``energy``: kWh a year. ``carbon``: kg CO2e over the
    horizon, with the embodied carbon of bought hosts where it is known.

    Raises
    ------
    InputError
        Objective energy or carbon with a host whose watts are unknown, or carbon without a grid intensity.
    """
    work, offered = busy(problem)
    terms = {"hosts": _hosts, "energy": _energy, "carbon": _carbon, "cost": _cost}[problem.objective](problem, offered)
    tiebreak = np.rint(_purchase(problem) * CENTS_PER_MONEY_UNIT).astype("int64")
    opening = np.rint(terms.opening * terms.scale).astype("int64")
    found = licensing(problem) if problem.objective == "cost" and problem.prices.licences else None
    row, ways = (np.arange(len(opening)), [()] * len(opening)) if found is None else offers(found)
    shape = (len(work), 0 if found is None else len(found.products))
    needs, fee = (np.zeros(shape, "int64") if found is None else getattr(found, name) for name in ("needs", "fee"))
    counts = needs.sum(axis=0)
    limit = np.array([[min(way.limit, n) for way, n in zip(own, counts, strict=True)] for own in ways])
    charged = np.array([[way.is_each for way in own] for own in ways], dtype="int64")
    licences = np.zeros(len(row)) if found is None else _licences(found.always[row], ways)
    return Ledger(
        unit=terms.unit,
        scale=terms.scale,
        row=row,
        opening=opening[row] + np.rint(licences * terms.scale).astype("int64"),
        rate=terms.rate[row] * terms.scale,
        busy=work,
        tiebreak=tiebreak[row],
        needs=needs.astype("int64"),
        fee=np.rint(np.nan_to_num(fee) * needs * terms.scale).astype("int64"),
        limit=limit.reshape(len(row), shape[1]).astype("int64"),
        charged=charged.reshape(len(row), shape[1]),
        ways=tuple(ways),
        products=() if found is None else found.products,
        without=terms.without + (() if found is None else found.missing),
    )


def _licences(always: np.ndarray, ways: list[tuple[Way, ...]]) -> np.ndarray:
    """Money over the horizon for the licences of each offer."""
    return always + np.array([sum(way.cost for way in own) for own in ways])


def _purchase(problem: Problem) -> np.ndarray:
    """What buying a host of each row costs; 0 for owned hosts and where unpriced."""
    hosts = problem.hosts
    return np.where(hosts["owned"].to_numpy(), 0.0, hosts["price"].fillna(0).to_numpy())


def _hosts(problem: Problem, offered: np.ndarray) -> _Terms:
    return _Terms(unit="hosts", scale=1, opening=np.ones(len(offered)), rate=np.zeros(len(offered)))


def _energy(problem: Problem, offered: np.ndarray) -> _Terms:
    idle_kwh, load_kwh = _kwh(problem, offered)
    return _Terms(unit="kWh/year", scale=1000, opening=idle_kwh, rate=load_kwh)


def _carbon(problem: Problem, offered: np.ndarray) -> _Terms:
    hosts, prices = problem.hosts, problem.prices
    idle_kwh, load_kwh = _kwh(problem, offered)
    if prices.carbon_kg_per_kwh is None:
        raise InputError("prices.carbon_kg_per_kwh: found none, objective carbon needs the grid's intensity")
    per_kwh = prices.carbon_kg_per_kwh * prices.years
    embodied = np.where(hosts["owned"].to_numpy(), 0.0, hosts["embodied_kgco2e"].fillna(0).to_numpy())
    return _Terms(unit="kg CO2e", scale=1000, opening=idle_kwh * per_kwh + embodied, rate=load_kwh * per_kwh)


def _cost(problem: Problem, offered: np.ndarray) -> _Terms:
    hosts, prices = problem.hosts, problem.prices
    without = []
    if prices.energy_per_kwh is None:
        idle_kwh = load_kwh = np.zeros(len(hosts))
        without.append("energy")
    else:
        idle_kwh, load_kwh = _kwh(problem, offered)
        without += ["energy"] if _unknown(problem).all() else []
    without += ["maintenance"] if prices.maintenance_per_host_year is None else []
    yearly = (prices.maintenance_per_host_year or 0.0) + (prices.administration_per_host_year or 0.0)
    yearly = yearly + (prices.rack_unit_year or 0.0) * hosts["rack_units"].fillna(0).to_numpy()
    years = prices.years_discounted
    per_kwh = (prices.energy_per_kwh or 0.0) * years
    return _Terms(
        unit=prices.currency,
        scale=CENTS_PER_MONEY_UNIT,
        opening=_purchase(problem) * (1 - prices.residual) + yearly * years + idle_kwh * per_kwh,
        rate=load_kwh * per_kwh,
        without=tuple(without),
    )


def _unknown(problem: Problem) -> np.ndarray:
    """Rows of problem.hosts whose watts nobody knows: bool [H]."""
    return np.isnan(watts(problem.hosts, problem.prices)).any(axis=0)


def _kwh(problem: Problem, offered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """kWh a year of each row when idle, and for one unit of busy CPU; 0 where the watts of every host are unknown."""
    unknown = _unknown(problem)
    if unknown.any() and not (problem.objective == "cost" and unknown.all()):
        first = problem.hosts["name"].to_numpy()[unknown][0]
        raise InputError(
            f"host {first!r}: idle_w or peak_w is blank ({unknown.sum():,} of {len(unknown):,} hosts); objective "
            f"{problem.objective} needs both, or prices.host_idle_w and prices.host_peak_w for hosts without (or "
            "energy_per_kwh = None to leave energy out of the cost)"
        )
    idle, peak = watts(problem.hosts, problem.prices)
    pue = problem.prices.pue
    load_kwh = energy_kwh_per_year(np.nan_to_num(peak - idle), pue) / np.maximum(offered, 1e-9)
    return energy_kwh_per_year(np.nan_to_num(idle), pue), load_kwh
