"""The prices that a person may change in a written workbook: cells with names, at the top of the sheet Savings."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from planner.prices import Prices
from planner.writers.formulas import Formula, cell, known
from planner.writers.sheets import Sheets

SHEET = "Savings"
_HINT = (
    "Change a yellow cell, and the savings, the costs by host, the totals and the charts follow. An empty cell is a "
    "price that is missing: what needs it is missing too."
)
_FIRST = 4
"""Row of the first price, counted from 0."""
_VALUE = 2
"""Column of the prices."""


@dataclass(frozen=True, kw_only=True)
class _Input:
    """A price: its field of `Prices`, which is the cell's name too, its label and unit, and what may be typed."""

    field: str
    label: str
    unit: str
    least: float = 0.0
    most: float = 1e9


INPUTS = (
    _Input(field="energy_per_kwh", label="Electricity", unit="{currency}/kWh", most=100),
    _Input(field="pue", label="PUE, energy of the site per energy of its machines", unit="ratio", least=1, most=10),
    _Input(field="carbon_kg_per_kwh", label="Carbon of the grid", unit="kg CO2e/kWh", most=10),
    _Input(field="maintenance_per_host_year", label="Maintenance", unit="{currency}/host/year"),
    _Input(field="administration_per_host_year", label="Administration", unit="{currency}/host/year"),
    _Input(field="rack_unit_year", label="Rack space", unit="{currency}/rack unit/year"),
    _Input(field="residual_share", label="What a bought host is worth at the end", unit="share of price", most=1),
    _Input(field="years", label="Horizon", unit="years", least=0.5, most=30),
    _Input(field="discount_rate", label="Discount rate", unit="share per year", most=1),
)
END = _FIRST + len(INPUTS) + 3
"""The row below the prices and what is made of them, counted from 0."""

_YEARS = (
    "IF(discount_rate<1E-9,years,(1-(1+discount_rate)^(-INT(years)))/discount_rate"
    "+(years-INT(years))*(1+discount_rate)^(-INT(years)-1))"
)
_BOUGHT = "1-N(residual_share)*(1+discount_rate)^(-years)"


def write_inputs(sheets: Sheets, page, prices: Prices, assumptions: pd.DataFrame, workloads: int) -> None:
    """Write the prices as cells that may be changed, and name them.

    Parameters
    ----------
    sheets : Sheets
    page : worksheet
        The sheet Savings.
    prices : Prices
    assumptions : DataFrame
        `Report.assumptions`, for the sources.
    workloads : int
        Workloads that are planned for.
    """
    look, source = sheets.formats, assumptions.set_index("setting")["source"]
    page.write_string(1, 0, _HINT, look["quiet"])
    for at, text in enumerate(("Price", "Unit", "Value", "As planned", "Source")):
        page.write_string(_FIRST - 1, at, text, look["head"])
    for row, one in enumerate(INPUTS, start=_FIRST):
        value = getattr(prices, one.field)
        sheets.cell(page, row, 0, one.label, look["general"])
        sheets.cell(page, row, 1, one.unit.format(currency=prices.currency), look["general"])
        sheets.cell(page, row, _VALUE, value, look["input"])
        sheets.cell(page, row, _VALUE + 1, value, look["plain"])
        told = "no price given" if value is None else str(source.get(f"prices.{one.field}", "given"))
        sheets.cell(page, row, _VALUE + 2, told, look["told"])
        message = f"A number from {one.least:g} to {one.most:,.10g}, or nothing where it is not known."
        rule = {"validate": "decimal", "criteria": "between", "minimum": one.least, "maximum": one.most}
        page.data_validation(row, _VALUE, row, _VALUE, rule | {"error_title": one.label[:32], "error_message": message})
        sheets.book.define_name(one.field, f"={cell(row, _VALUE, SHEET)}")
    made = {
        "years_discounted": ("Years, later ones discounted", "years", known(_YEARS, _TIME, prices.years_discounted)),
        "bought_share": ("What a bought host costs of its price", "share", known(_BOUGHT, _TIME, 1 - prices.residual)),
        "workloads_planned": ("Workloads planned for", "workloads", workloads),
    }
    for row, (name, (label, unit, value)) in enumerate(made.items(), start=_FIRST + len(INPUTS)):
        sheets.cell(page, row, 0, label, look["quiet"])
        sheets.cell(page, row, 1, unit, look["quiet"])
        sheets.cell(page, row, _VALUE, value, look["plain"])
        sheets.book.define_name(name, f"={cell(row, _VALUE, SHEET)}")


_TIME = ("years", "discount_rate")


def sentence(*parts: str, value: str) -> Formula:
    """A text that formulas put together.

    >>> sentence('"over "', "years", value="over 5").text
    '="over "&years'
    """
    return Formula("=" + "&".join(parts), value)
