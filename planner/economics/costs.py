"""What a set of hosts costs: purchase, energy, maintenance, rack space; NaN wherever a figure is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.economics.energy import power_w, watts
from planner.prices import Prices
from planner.units import energy_kwh_per_year


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Costs of running hosts. Money in the prices' currency; a figure that is missing is NaN.

    Parameters
    ----------
    purchase : float
        Paid once, at the start.
    energy_kwh, energy, maintenance, rack : float
        Per year.
    carbon_kg : float
        From use, per year.
    """

    purchase: float
    energy_kwh: float
    energy: float
    maintenance: float
    rack: float
    carbon_kg: float


def costs(hosts: pd.DataFrame, utilisation: np.ndarray, bought: np.ndarray, prices: Prices) -> Costs:
    """Costs of hosts at a CPU utilisation each.

    ``energy_kwh = sum_h (idle + u_h (peak - idle)) * 8760 / 1000 * PUE``

    Parameters
    ----------
    hosts : DataFrame
        One row per running host: price, idle_w, peak_w, rack_units.
    utilisation : array of float, shape [host]
        Share of its CPU that a host is busy.
    bought : array of bool, shape [host]
        Hosts that are to be paid for; owned ones are paid already.
    prices : Prices

    Examples
    --------
    >>> one = pd.DataFrame({"price": [6500.0], "idle_w": [60.0], "peak_w": [250.0], "rack_units": [2.0]})
    >>> round(costs(one, np.array([0.1]), np.array([True]), Prices(energy_per_kwh=0.25, pue=1.0)).energy, 2)
    173.01
    """
    idle, peak = watts(hosts, prices)
    kwh = energy_kwh_per_year(float(np.sum(power_w(idle, peak, utilisation))), prices.pue)
    return Costs(
        purchase=float(np.sum(hosts["price"].to_numpy(dtype=float)[bought])),
        energy_kwh=kwh,
        energy=kwh * _price(prices.energy_per_kwh),
        maintenance=len(hosts) * _price(prices.maintenance_per_host_year),
        rack=float(np.sum(hosts["rack_units"].to_numpy(dtype=float))) * _price(prices.rack_unit_year),
        carbon_kg=kwh * _price(prices.carbon_kg_per_kwh),
    )


def _price(price: float | None) -> float:
    return np.nan if price is None else price
