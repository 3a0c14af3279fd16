"""Prices: what hosts, licences, energy, space and work cost, over how many years. None is missing, never 0."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from planner import catalogue, ranges, settings
from planner.errors import InputError
from planner.licences import Licence, licences_of, to_dicts
from planner.ranges import Range

LIMITS = {
    "energy_per_kwh": (0, 100),
    "pue": (1, 10),
    "carbon_kg_per_kwh": (0, 10),
    "maintenance_per_host_year": (0, 1e9),
    "rack_unit_year": (0, 1e9),
    "administration_per_host_year": (0, 1e9),
    "migration_per_workload": (0, 1e9),
    "disposal_per_host": (0, 1e9),
    "residual_share": (0, 1),
    "years": (0.5, 30),
    "discount_rate": (0, 1),
    "vcpu_activity": (0, 1),
    "host_idle_w": (0, 100_000),
    "host_peak_w": (0, 100_000),
}
"""Figures of the prices, from where to where each may lie, ends included."""
UNITS = {
    "rack_unit_year": "{currency}/rack unit/year",
    "administration_per_host_year": "{currency}/host/year",
    "migration_per_workload": "{currency}/workload",
    "disposal_per_host": "{currency}/host",
    "residual_share": "share",
    "host_idle_w": "W",
    "host_peak_w": "W",
}
"""Units of figures of which the catalogue has none."""
NEVER_MISSING = ("pue", "years", "discount_rate", "vcpu_activity")


class _InEuro(float):
    """A figure of the catalogue in its own currency, which nobody has given: not to be taken for another currency."""


@cache
def _facts() -> dict[str, tuple[float, str]]:
    """Value and unit of each figure of the catalogue."""
    rows = catalogue.table("prices")
    return dict(zip(rows["field"], zip(rows["value"].astype(float), rows["unit"], strict=True), strict=True))


def _default(name: str):
    """A field whose default is the catalogue's figure."""

    def figure() -> float:
        value, unit = _facts()[name]
        return _InEuro(value) if unit.startswith(f"{Prices.currency}/") else value

    return field(default_factory=figure)


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What running hosts costs; defaults, their units and sources are in catalogue/prices.csv.

    Every figure of `LIMITS` may be given as a `Range` too: its likely figure is reckoned with, and the report tells
    what the ends would change.

    Parameters
    ----------
    currency : str
        Name of the money unit of every price, the hosts' included. In another currency than the catalogue's EUR, its
        electricity price, maintenance and prices of host models are exchanged, or missing where `exchange` does not say
        what 1 EUR is worth.
    energy_per_kwh : float or None
        Electricity price, money per kWh; None leaves energy cost out and says so.
    pue : float
        Power usage effectiveness: energy of the facility per energy of the IT equipment, at least 1.
    carbon_kg_per_kwh : float or None
        Grid carbon intensity, kg CO2e per kWh.
    maintenance_per_host_year : float or None
        Maintenance and support, money per host in use and year.
    rack_unit_year : float or None
        Rack space, money per rack unit and year.
    administration_per_host_year : float or None
        Work that a host in use makes, money per host and year.
    migration_per_workload : float or None
        Work to move a workload to another host, money once.
    disposal_per_host : float or None
        Work and fees to take an owned host out of use, money once.
    residual_share : float or None
        Share of its price that a host which is bought is still worth at the end of the horizon, from 0 to 1.
    licences : tuple of Licence
        What hosts and workloads have to be licensed for; a product's name stands for its editions in the catalogue.
    exchange : dict
        What one unit of another currency is worth in `currency`, by its name; for licences and the catalogue's figures.
    years : float
        Horizon over which costs are added up; hardware is bought at its start.
    discount_rate : float
        Rate per year at which later years count less; 0 adds up undiscounted.
    vcpu_activity : float
        Share of its vCPUs that a workload keeps busy on average; sets the load that energy is computed at.
    host_idle_w, host_peak_w : float or None
        Power of a host whose own figures are blank, W; None leaves its energy out and says so.
    spares_run : bool
        Whether spare hosts of a failover of mode "spare" draw idle power; else they are off until they are needed.
    physical_server : str
        Host model of the catalogue that stands for "one physical server per workload".
    ranges : dict of str to Range
        Of the figures given as ranges, by field.

    Examples
    --------
    >>> Prices(energy_per_kwh=0.22, pue=1.5, years=5).years
    5
    >>> Prices.none().energy_per_kwh is None
    True
    >>> Prices(pue=Range(1.2, 1.8)).pue
    1.5
    """

    currency: str = "EUR"
    energy_per_kwh: float | None = _default("energy_per_kwh")
    pue: float = _default("pue")
    carbon_kg_per_kwh: float | None = _default("carbon_kg_per_kwh")
    maintenance_per_host_year: float | None = _default("maintenance_per_host_year")
    rack_unit_year: float | None = None
    administration_per_host_year: float | None = None
    migration_per_workload: float | None = None
    disposal_per_host: float | None = None
    residual_share: float | None = None
    licences: tuple[Licence, ...] = ()
    exchange: dict[str, float] = field(default_factory=dict)
    years: float = _default("years")
    discount_rate: float = _default("discount_rate")
    vcpu_activity: float = _default("vcpu_activity")
    host_idle_w: float | None = None
    host_peak_w: float | None = None
    spares_run: bool = True
    physical_server: str = "tower-1s"
    ranges: dict[str, Range] = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "licences", licences_of(self.licences))
        self._require_one_currency()
        self._exchange_defaults()
        ranges.settle(self, LIMITS)
        for name, (least, most) in LIMITS.items():
            settings.require(getattr(self, name), f"prices.{name}", least, most, blank=name not in NEVER_MISSING)
        if not isinstance(self.spares_run, bool):
            raise InputError(f"prices.spares_run: found {self.spares_run!r}, expected true or false")
        self._require_watts()
        ranges.require_ends(self)

    def _exchange_defaults(self) -> None:
        """Figures of the catalogue in the currency of all prices, None where its worth is not given.

        In the catalogue's own currency they stay what they are, so that `replace` with another one exchanges them too.
        """
        for name in LIMITS if self.currency != Prices.currency else ():
            value = getattr(self, name)
            if isinstance(value, _InEuro):
                known = Prices.currency in self.exchange
                object.__setattr__(self, name, value * self.worth_of(Prices.currency) if known else None)

    def _require_watts(self) -> None:
        if None in (self.host_idle_w, self.host_peak_w):
            return
        ends = (self.ranges.get(name) for name in ("host_idle_w", "host_peak_w"))
        idle, peak = (
            span or Range(own, own) for span, own in zip(ends, (self.host_idle_w, self.host_peak_w), strict=True)
        )
        if peak.low < idle.high:
            raise InputError(f"prices.host_peak_w: found {peak.low:,g}, expected at least host_idle_w ({idle.high:,g})")

    def _require_one_currency(self) -> None:
        if not (isinstance(self.currency, str) and self.currency.strip()):
            raise InputError(f"prices.currency: found {self.currency!r}, expected a name such as 'EUR'")
        if not isinstance(self.exchange, dict):
            raise InputError(f"prices.exchange: found {self.exchange!r}, expected a table such as {{ USD = 0.9 }}")
        for currency, rate in self.exchange.items():
            settings.require(rate, f"prices.exchange.{currency}", 1e-6, 1e6)
        for licence in self.licences:
            if licence.currency not in ("", self.currency, *self.exchange):
                raise InputError(
                    f"prices.licences: {licence.product!r} {licence.edition!r} is priced in {licence.currency}, found "
                    f"prices in {self.currency}; expected exchange with what 1 {licence.currency} is worth, such as "
                    f"exchange = {{ {licence.currency} = 0.9 }}"
                )

    def worth_of(self, currency: str) -> float:
        """What one unit of a currency is worth in that of all prices; "" is that currency."""
        return 1.0 if currency in ("", self.currency) else self.exchange[currency]

    @classmethod
    def none(cls) -> Prices:
        """Purchase prices alone: energy, carbon and maintenance are not priced."""
        return cls(energy_per_kwh=None, carbon_kg_per_kwh=None, maintenance_per_host_year=None)

    @classmethod
    def for_region(cls, region: str, **others: object) -> Prices:
        """Prices with the electricity price and the grid carbon of a region; what is given besides goes before.

        Parameters
        ----------
        region : str
            Code or name, as for `planner.catalogue.regions`. Where it has no electricity price, that is missing.
        **others
            Further fields; with another currency than the catalogue's, `exchange` says what that is worth.

        Raises
        ------
        InputError
            A region that the catalogue does not have, or several, or a currency whose worth is not given.

        Examples
        --------
        >>> france = Prices.for_region("FRA", years=4)
        >>> france.energy_per_kwh, france.carbon_kg_per_kwh, france.years
        (0.0942, 0.04418, 4)
        """
        if not isinstance(region, str):
            raise InputError(f"prices.region: found {region!r}, expected a code or name such as 'DEU'")
        found = catalogue.regions(region)
        if len(found) > 1:
            raise InputError(f"prices.region: found {len(found):,} regions for {region!r}, expected one code or name")
        row = found.iloc[0]
        energy = None if np.isnan(row["energy_per_kwh"]) else float(row["energy_per_kwh"])
        given = {"energy_per_kwh": energy, "carbon_kg_per_kwh": float(row["carbon_kg_per_kwh"])} | others
        if energy is None or "energy_per_kwh" in others:
            return cls(**given)
        own, exchange = others.get("currency", cls.currency), others.get("exchange", {})
        priced_in = row["energy_unit"].partition("/")[0]
        if priced_in not in (own, *exchange):
            raise InputError(
                f"prices.region: electricity of {row['name']} is priced in {priced_in}, found prices in {own}; "
                f"expected exchange with what 1 {priced_in} is worth, or energy_per_kwh"
            )
        return cls(**given | {"energy_per_kwh": energy * (1.0 if priced_in == own else exchange[priced_in])})

    @classmethod
    def from_toml(cls, text: str, where: str = "prices") -> Prices:
        """The prices written in TOML text; absent keys have the catalogue's defaults, ``"none"`` leaves one out.

        A key ``region`` gives the electricity price and the grid carbon of a region, unless they are written too.
        """
        return cls._from_dict(settings.parse_toml(text, where), where)

    @classmethod
    def read(cls, path: str | Path) -> Prices:
        """Prices from a TOML file, see `from_toml`."""
        return cls._from_dict(settings.read_toml(path), Path(path).name)

    @classmethod
    def _from_dict(cls, values: dict, where: str) -> Prices:
        region = values.pop("region", None)
        given = settings.from_dict(cls, values, where)
        if region is None:
            return given
        return cls.for_region(region, **{name: given.ranges.get(name, getattr(given, name)) for name in values})

    def to_toml(self) -> str:
        """The prices as TOML text, every figure in it; one that is missing is written ``"none"``."""
        values = ranges.in_place(settings.with_none(self), self.ranges) | {"licences": to_dicts(self.licences)}
        return settings.to_toml({key: settings.MISSING if value is None else value for key, value in values.items()})

    @property
    def residual(self) -> float:
        """What is left at the end of the horizon of one money unit paid for a host, at today's worth.

        Examples
        --------
        >>> round(Prices(years=2, discount_rate=0.10, residual_share=0.2).residual, 4)
        0.1653
        """
        return (self.residual_share or 0.0) * (1 + self.discount_rate) ** -self.years

    @property
    def years_discounted(self) -> float:
        """Years of the horizon weighed by the discount rate: what one money unit a year adds up to.

        ``sum over t = 1..years of 1 / (1 + discount_rate)**t``, a part of a year counting in proportion.

        Examples
        --------
        >>> Prices(years=5, discount_rate=0.0).years_discounted
        5.0
        >>> round(Prices(years=2, discount_rate=0.10).years_discounted, 4)
        1.7355
        """
        whole = int(self.years)
        full = sum((1 + self.discount_rate) ** -t for t in range(1, whole + 1))
        return full + (self.years - whole) * (1 + self.discount_rate) ** -(whole + 1)


def unit_of(prices: Prices, name: str) -> str:
    """The unit of a field, with the prices' own currency.

    >>> unit_of(Prices(currency="USD"), "energy_per_kwh"), unit_of(Prices(), "pue")
    ('USD/kWh', 'ratio')
    """
    if name in UNITS:
        return UNITS[name].format(currency=prices.currency)
    known = catalogue.table("prices").set_index("field")["unit"]
    return known[name].replace(Prices.currency, prices.currency)


def exchanged(models: pd.DataFrame, prices: Prices) -> pd.DataFrame:
    """Host models with those prices that are the catalogue's in the currency of all prices.

    They are NaN where the worth of the catalogue's currency is not given. A price that differs from the catalogue's is
    taken for the user's own, in the currency of all prices.

    Parameters
    ----------
    models : DataFrame
        name, price (money, once).
    prices : Prices

    Examples
    --------
    >>> models = pd.DataFrame({"name": ["tower-1s", "tower-1s", "mine"], "price": [2500.0, 2600.0, 900.0]})
    >>> exchanged(models, Prices(currency="USD", exchange={"EUR": 1.2}))["price"].tolist()
    [3000.0, 2600.0, 900.0]
    """
    if prices.currency == Prices.currency:
        return models
    known = Prices.currency in prices.exchange
    worth = prices.worth_of(Prices.currency) if known else np.nan
    return models.assign(price=models["price"].mask(of_the_catalogue(models), models["price"] * worth))


def of_the_catalogue(models: pd.DataFrame) -> pd.Series:
    """Which host models have the price that the catalogue has for a model of their name: bool."""
    usual = catalogue.table("host_models").set_index("name")["price"]
    return models["price"] == models["name"].map(usual)
