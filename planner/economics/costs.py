"""What hosts cost, item by item and host by host: once and per year; NaN wherever a figure is missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.economics.licences import Licences
from planner.prices import Prices
from planner.units import energy_kwh_per_year

HARDWARE, ENERGY, MAINTENANCE = "hardware", "energy", "maintenance"
OPTIONAL = {"administration": "administration_per_host_year", "rack space": "rack_unit_year"}
"""Items that are left out where nobody gave their price, and the field of the prices that each needs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Costs:
    """Costs of running hosts, one row a host. Money in the prices' currency; a figure that is missing is NaN.

    Parameters
    ----------
    once : DataFrame
        A column an item: paid at the start, less what is left of it at the end of the horizon.
    yearly : DataFrame
        The same columns: paid every year.
    energy_kwh, carbon_kg : array of float, shape [N]
        Per year, from use.
    embodied_kg : array of float, shape [N]
        Of hosts that are bought.
    left : array of float, shape [N]
        Money that hosts which are bought are still worth at the end, at today's worth: taken off `once` already.
    """

    once: pd.DataFrame
    yearly: pd.DataFrame
    energy_kwh: np.ndarray
    carbon_kg: np.ndarray
    embodied_kg: np.ndarray
    left: np.ndarray

    def with_items(self, once: pd.DataFrame) -> Costs:
        """The same hosts, and rows for as many more as `once` has that do not run: further items, paid at the start."""
        more = len(once) - len(self.once)
        none = pd.DataFrame(0.0, index=range(more), columns=self.once.columns)
        zero = np.zeros(more)
        return Costs(
            once=pd.concat([self.once, none], ignore_index=True).join(once),
            yearly=pd.concat([self.yearly, none], ignore_index=True).join(once * 0.0),
            energy_kwh=np.concatenate([self.energy_kwh, zero]),
            carbon_kg=np.concatenate([self.carbon_kg, zero]),
            embodied_kg=np.concatenate([self.embodied_kg, zero]),
            left=np.concatenate([self.left, zero]),
        )

    def horizon(self, prices: Prices) -> pd.DataFrame:
        """What each host costs over the horizon, item by item.

        ``once + yearly * sum over t = 1..years of 1 / (1 + discount_rate)**t``
        """
        return self.once + self.yearly * prices.years_discounted

    def per_year(self, prices: Prices) -> pd.DataFrame:
        """What each host costs a year, what is paid once spread over the horizon."""
        return self.once / prices.years + self.yearly


def costs(
    hosts: pd.DataFrame, mean_w: np.ndarray, bought: np.ndarray, prices: Prices, licences: Licences | None = None
) -> Costs:
    """Costs of hosts at a mean power each.

    ``energy_kwh = mean_w * 8760 / 1000 * PUE``

    Parameters
    ----------
    hosts : DataFrame
        One row per running host: price, rack_units, embodied_kgco2e.
    mean_w : array of float, shape [host]
        Power that each draws on average, W; NaN where it is not known.
    bought : array of bool, shape [host]
        Hosts that are to be paid for; owned ones are paid already.
    prices : Prices
    licences : Licences, optional
        Of each host, once and per year.

    Examples
    --------
    >>> one = pd.DataFrame({"price": [6500.0], "rack_units": [2.0], "embodied_kgco2e": [900.0]})
    >>> found = costs(one, np.array([79.0]), np.array([True]), Prices(energy_per_kwh=0.25, pue=1.0))
    >>> found.yearly["energy"].round(2).tolist(), found.once["hardware"].tolist()
    ([173.01], [6500.0])
    """
    kwh = energy_kwh_per_year(mean_w, prices.pue)
    each, none = np.ones(len(hosts)), np.zeros(len(hosts))
    price, embodied = (hosts[name].to_numpy(dtype=float) for name in ("price", "embodied_kgco2e"))
    once = {HARDWARE: np.where(bought, price * (1 - prices.residual), 0.0), ENERGY: none, MAINTENANCE: none}
    yearly = {HARDWARE: none, ENERGY: kwh * _price(prices.energy_per_kwh)}
    yearly[MAINTENANCE] = each * _price(prices.maintenance_per_host_year)
    for item, field in OPTIONAL.items():
        if getattr(prices, field) is not None:
            units = hosts["rack_units"].to_numpy(dtype=float) if field == "rack_unit_year" else each
            once[item], yearly[item] = none, units * getattr(prices, field)
    once, yearly = pd.DataFrame(once), pd.DataFrame(yearly)
    if licences is not None:
        once, yearly = once.join(licences.once), yearly.join(licences.yearly)
    return Costs(
        once=once,
        yearly=yearly,
        energy_kwh=kwh,
        carbon_kg=kwh * _price(prices.carbon_kg_per_kwh),
        embodied_kg=np.where(bought, embodied, 0.0),
        left=np.where(bought, price * prices.residual, 0.0),
    )


def _price(price: float | None) -> float:
    return np.nan if price is None else price
