"""Hosts of today or of the plan as a sheet: the quantities that cost something, and what each host costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from planner.economics.costs import ENERGY, HARDWARE, MAINTENANCE, OPTIONAL, Costs
from planner.prices import Prices
from planner.reports import Report
from planner.writers.formulas import MISSING, Formula, Term, cell, column_range, known, shown
from planner.writers.headings import heading
from planner.writers.inputs import sentence
from planner.writers.sheets import Sheets, first_row

TODAY, PLAN = "Hosts today", "Costs by host"
"""The two sheets."""
MOST_LIVE = 2000
"""Hosts whose costs are formulas; of more, only the sums are."""
_FIRST = first_row(True, True)

RUNNING, KWH, PRICE, RACK_UNITS, EMBODIED = (
    "Hosts in use",
    "Energy at the machine (kWh/year)",
    "Price if bought",
    "Rack units in use",
    "Embodied carbon if bought (kg CO2e)",
)


@dataclass(frozen=True, kw_only=True)
class _Driver:
    """What an item's costs are: a quantity of each host times cells, once or every year."""

    quantity: str
    times: tuple[str, ...]
    once: bool = False


DRIVERS = {
    HARDWARE: _Driver(quantity=PRICE, times=("bought_share",), once=True),
    ENERGY: _Driver(quantity=KWH, times=("pue", "energy_per_kwh")),
    MAINTENANCE: _Driver(quantity=RUNNING, times=("maintenance_per_host_year",)),
    "administration": _Driver(quantity=RUNNING, times=("administration_per_host_year",)),
    "rack space": _Driver(quantity=RACK_UNITS, times=("rack_unit_year",)),
}
"""Items that prices drive; any other is the sum of what each host costs once and every year."""


def items_of(costs: Costs) -> list[str]:
    """The items of a workbook: all that have costs, and those whose price is missing."""
    return [*DRIVERS, *(item for item in costs.once if item not in DRIVERS)]


@dataclass(frozen=True, kw_only=True, eq=False)
class HostCosts:
    """The hosts of an estate, what they cost, and the cells where that stands.

    Parameters
    ----------
    sheet : str
    hosts : DataFrame
        What is told of each host: host, model, pool.
    costs : Costs
        A row for each of them.
    quantities : DataFrame
        A row for each: what prices are multiplied with, and once and every year for items of their own.
    prices : Prices
    """

    sheet: str
    hosts: pd.DataFrame
    costs: Costs
    quantities: pd.DataFrame
    prices: Prices

    @cached_property
    def items(self) -> list[str]:
        """Items in the order of their columns; of very many hosts those that have costs, and of today's none."""
        if self.is_live:
            return items_of(self.costs)
        return [] if self.sheet == TODAY else list(self.costs.once)

    @cached_property
    def _column_of(self) -> dict[str, int]:
        """The column of each quantity."""
        start = self.hosts.shape[1] + len(self.items) + bool(self.items)
        return {name: at for at, name in enumerate(self.quantities, start=start)}

    @property
    def is_live(self) -> bool:
        """Whether the costs of each host are formulas."""
        return len(self.hosts) <= MOST_LIVE

    def amount(self, item: str, kind: str) -> float:
        """What all hosts cost of an item, ``once`` or ``yearly``; NaN where a figure is missing."""
        frame = getattr(self.costs, kind)
        return float(frame[item].sum(skipna=False)) if item in frame else np.nan

    def total(self, item: str, kind: str) -> Formula | float:
        """The amount as a formula, from the sums of the quantities."""
        term = self._term(item, kind, self.sum_of)
        return 0.0 if term is None else known(term.text, term.needs, self.amount(item, kind))

    def sum_of(self, quantity: str) -> str:
        """The cell with the sum of a quantity over all hosts."""
        return cell(_FIRST - 2, self._column_of[quantity], self.sheet)

    def _term(self, item: str, kind: str, at: Callable[[str], str]) -> Term | None:
        """What an item costs once or every year, by the cells of its quantities; None where that is nothing."""
        driver = DRIVERS.get(item)
        if driver is None:
            quantity = own_quantity(item, kind)
            return Term(at(quantity), (at(quantity),)) if quantity in self.quantities else None
        if driver.once != (kind == "once"):
            return None
        return Term(at(driver.quantity), (at(driver.quantity),)).times(*driver.times)

    @cached_property
    def horizon(self) -> pd.DataFrame:
        """What each host costs over the horizon; NaN where a figure is missing."""
        return self.costs.horizon(self.prices).reindex(columns=self.items)

    def write(self, sheets: Sheets, title: str) -> None:
        """Write the sheet: sums, headings, and a row for each host.

        Parameters
        ----------
        sheets : Sheets
        title : str
            Before "over ... years".
        """
        known_items = self.horizon.columns[self.horizon.notna().all()]
        figures = (
            self.horizon.assign(total=self.horizon[known_items].sum(axis=1, min_count=1))
            if self.items
            else self.horizon
        )
        if self.is_live:
            figures = self._live(figures)
            told = sentence(f'"{title} over "', "years", '" years"', value=f"{title} over {self.prices.years:g} years")
        else:
            told = f"{title} over {self.prices.years:g} years, as planned; above {MOST_LIVE:,} hosts only sums follow"
        frame = pd.concat([self.hosts, figures, self.quantities], axis=1)
        frame.columns = [*map(heading, self.hosts), *map(heading, figures), *self.quantities]
        sheets.sheet(self.sheet, frame, title=told, sums=self._sums(), headed=True)

    def _live(self, figures: pd.DataFrame) -> pd.DataFrame:
        start, found = self.hosts.shape[1], {}
        for item in self.items:
            values = figures[item].tolist()
            found[item] = [self._of_host(item, row, value) for row, value in enumerate(values, start=_FIRST)]
        end = start + len(self.items) - 1
        sums = f"{cell(_FIRST - 2, start)}:{cell(_FIRST - 2, end)}"
        found["total"] = [
            Formula(
                f'=IF(COUNT({sums})=0,"{MISSING}",SUMIF({sums},"<>{MISSING}",{self._row_range(row, start, end)}))',
                shown(value),
            )
            for row, value in enumerate(figures["total"].tolist(), start=_FIRST)
        ]
        return pd.DataFrame(found, dtype=object)

    @staticmethod
    def _row_range(row: int, first: int, last: int) -> str:
        return f"{cell(row, first, fixed=False)}:{cell(row, last, fixed=False)}"

    def _of_host(self, item: str, row: int, value: float) -> Formula | float:
        """What a host costs of an item over the horizon."""

        def at(quantity: str) -> str:
            return cell(row, self._column_of[quantity], fixed=False)

        once, yearly = (self._term(item, kind, at) for kind in ("once", "yearly"))
        terms = [term for term in (once, None if yearly is None else yearly.times("years_discounted")) if term]
        if not terms:
            return 0.0
        return known("+".join(term.text for term in terms), [name for term in terms for name in term.needs], value)

    def _sums(self) -> list[object]:
        """The row of sums: of the items and their total where hosts are formulas, and of every quantity."""
        told = ["All hosts", *[None] * (self.hosts.shape[1] - 1)]
        start, last = self.hosts.shape[1], _FIRST + len(self.hosts) - 1
        items: list[object] = [None] * (len(self.items) + bool(self.items))
        if self.is_live and len(self.hosts):
            values = self.horizon.sum(skipna=False)
            items = [_sum(column_range(_FIRST, last, start + at), values[item]) for at, item in enumerate(self.items)]
            total = column_range(_FIRST, last, start + len(self.items))
            items.append(_sum(total, values.sum(min_count=1)))
        quantities: list[object] = [0.0] * self.quantities.shape[1]
        if len(self.hosts):
            values = self.quantities.sum(skipna=False)
            quantities = [
                _sum(column_range(_FIRST, last, self._column_of[name]), values[name]) for name in self.quantities
            ]
        return [*told, *items, *quantities]


def _sum(cells: str, value: float) -> Formula:
    """The sum of cells, missing where one of them is no number."""
    return Formula(f'=IF(COUNT({cells})=ROWS({cells}),SUM({cells}),"{MISSING}")', shown(value))


def own_quantity(item: str, kind: str) -> str:
    """The column of what each host costs of an item that no price of the sheet drives."""
    return f"{item}, {'once' if kind == 'once' else 'every year'}"


def _with_own(quantities: dict[str, np.ndarray], costs: Costs) -> pd.DataFrame:
    frame = pd.DataFrame(quantities)
    for item in (name for name in costs.once if name not in DRIVERS):
        for kind in ("once", "yearly"):
            amounts = getattr(costs, kind)[item].to_numpy(dtype=float)
            if (amounts != 0).any():
                frame[own_quantity(item, kind)] = amounts
    return frame


def hosts_today(report: Report) -> HostCosts:
    """Today's hosts, all of them running."""
    hosts, prices, costs = report.baseline.hosts, report.problem.prices, report.money.before
    bought = report.baseline.bought
    quantities = {
        RUNNING: np.ones(len(hosts)),
        KWH: costs.energy_kwh / prices.pue,
        PRICE: hosts["price"].to_numpy(dtype=float) if bought else np.zeros(len(hosts)),
        RACK_UNITS: hosts["rack_units"].to_numpy(dtype=float),
        EMBODIED: costs.embodied_kg,
    }
    told = hosts.rename(columns={"name": "host"}).reindex(columns=["host", "model", "pool"])
    frame = _with_own(quantities, costs)
    return HostCosts(sheet=TODAY, hosts=told.reset_index(drop=True), costs=costs, quantities=frame, prices=prices)


def hosts_planned(report: Report) -> HostCosts:
    """The plan's hosts; one that is told of but not in use is not running."""
    prices, costs, all_hosts = report.problem.prices, report.money.after, report.problem.hosts
    told = report.costs.drop(columns=[*costs.once, "total"]).reset_index(drop=True)
    used = told["host"].map(dict(zip(report.money.hosts["host"], report.money.hosts["row"], strict=True)))
    running = used.notna().to_numpy()
    rows = all_hosts.iloc[used.fillna(0).astype("int64")]
    bought = running & ~rows["owned"].to_numpy(dtype=bool)
    quantities = {
        RUNNING: running.astype(float),
        KWH: costs.energy_kwh / prices.pue,
        PRICE: np.where(bought, rows["price"].to_numpy(dtype=float), 0.0),
        RACK_UNITS: np.where(running, rows["rack_units"].to_numpy(dtype=float), 0.0),
        EMBODIED: costs.embodied_kg,
    }
    frame = _with_own(quantities, costs)
    return HostCosts(sheet=PLAN, hosts=told, costs=costs, quantities=frame, prices=prices)


def is_priced(prices: Prices, item: str) -> bool:
    """Whether an item counts: not where it is optional and nobody gave its price."""
    return item not in OPTIONAL or getattr(prices, OPTIONAL[item]) is not None
