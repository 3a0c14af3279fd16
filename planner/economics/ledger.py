"""The objective as coefficients: what opening a host and placing a workload cost, in whole small units.

Solver, bound and report share this ledger. Money is counted in whole cents, energy in Wh a year, carbon in g CO2e.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner.economics.energy import busy, watts
from planner.errors import InputError
from planner.prices import Prices
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
    opening : array of int, shape [H]
        What running one host of each row of problem.hosts costs.
    rate : array of float, shape [H]
        What one unit of busy CPU costs on each.
    busy : array of float, shape [W]
        Busy CPU of each workload.
    tiebreak : array of int, shape [H]
        Purchase in cents: among equals the plan that buys least is taken; 0 for owned hosts and where unpriced.
    without : tuple of str
        What the objective leaves out because no figure is known.
    """

    unit: str
    scale: int
    opening: np.ndarray
    rate: np.ndarray
    busy: np.ndarray
    tiebreak: np.ndarray
    without: tuple[str, ...] = ()

    def placing(self, w: np.ndarray, h: np.ndarray) -> np.ndarray:
        """Whole small units that placing workloads `w` on hosts of rows `h` costs, pair by pair (broadcasting)."""
        return np.rint(self.busy[w] * self.rate[h]).astype("int64")


def ledger(problem: Problem) -> Ledger:
    """The coefficients of a problem's objective.

    ``hosts``: 1 a host. ``cost``: purchase of hosts that are not owned, and over the horizon maintenance, rack space
    and energy where they are priced. ``energy``: kWh a year. ``carbon``: kg CO2e over the horizon, with the embodied
    carbon of bought hosts where it is known.

    Raises
    ------
    InputError
        Objective energy or carbon with a host whose watts are unknown, or carbon without a grid intensity.
    """
    hosts, prices = problem.hosts, problem.prices
    work, offered = busy(problem)
    bought = ~hosts["owned"].to_numpy()
    purchase = np.where(bought, hosts["price"].fillna(0).to_numpy(), 0.0)
    tiebreak = np.rint(purchase * CENTS_PER_MONEY_UNIT).astype("int64")
    none = np.zeros(len(hosts))
    if problem.objective == "hosts":
        return Ledger(
            unit="hosts",
            scale=1,
            opening=np.ones(len(hosts), dtype="int64"),
            rate=none,
            busy=work,
            tiebreak=tiebreak,
        )
    idle, peak = watts(hosts, prices)
    unknown = hosts.loc[np.isnan(idle) | np.isnan(peak), "name"]
    priced = problem.objective != "cost" or prices.energy_per_kwh is not None
    if len(unknown) and priced and not (problem.objective == "cost" and len(unknown) == len(hosts)):
        raise InputError(
            f"host {unknown.iloc[0]!r}: idle_w or peak_w is blank ({len(unknown):,} of {len(hosts):,} hosts); "
            f"objective {problem.objective} needs both, or prices.host_idle_w and prices.host_peak_w for hosts without "
            "(or energy_per_kwh = None to leave energy out of the cost)"
        )
    idle_kwh = energy_kwh_per_year(np.nan_to_num(idle), prices.pue)
    load_kwh = energy_kwh_per_year(np.nan_to_num(peak - idle), prices.pue) / np.maximum(offered, 1e-9)
    if problem.objective == "energy":
        unit, scale, opening, rate = "kWh/year", 1000, idle_kwh, load_kwh
    elif problem.objective == "carbon":
        if prices.carbon_kg_per_kwh is None:
            raise InputError("prices.carbon_kg_per_kwh: found none, objective carbon needs the grid's intensity")
        per_kwh = prices.carbon_kg_per_kwh * prices.years
        embodied = np.where(bought, hosts["embodied_kgco2e"].fillna(0).to_numpy(), 0.0)
        unit, scale, opening, rate = "kg CO2e", 1000, idle_kwh * per_kwh + embodied, load_kwh * per_kwh
    else:
        years = prices.years_discounted
        per_kwh = (prices.energy_per_kwh or 0.0) * years
        yearly = (prices.maintenance_per_host_year or 0.0) + (prices.rack_unit_year or 0.0) * hosts[
            "rack_units"
        ].fillna(0)
        opening = purchase + yearly.to_numpy() * years + idle_kwh * per_kwh
        unit, scale, rate = prices.currency, CENTS_PER_MONEY_UNIT, load_kwh * per_kwh
    missing = [name for name, price in _yearly_prices(prices).items() if price is None]
    if problem.objective == "cost" and len(unknown) and "energy" not in missing:
        missing.insert(0, "energy")
    return Ledger(
        without=tuple(missing) if problem.objective == "cost" else (),
        unit=unit,
        scale=scale,
        opening=np.rint(opening * scale).astype("int64"),
        rate=rate * scale,
        busy=work,
        tiebreak=tiebreak,
    )


def _yearly_prices(prices: Prices) -> dict[str, float | None]:
    return {"energy": prices.energy_per_kwh, "maintenance": prices.maintenance_per_host_year}
