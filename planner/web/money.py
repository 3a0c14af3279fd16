"""The fields of the form for prices: what is typed, what a region of the catalogue gives, and ranges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

import planner
from planner import ranges
from planner.catalogue import host_models, regions
from planner.catalogue import table as catalogue_table
from planner.prices import LIMITS, unit_of
from planner.writers.headings import heading

UNPRICED = "not priced"
NO_REGION = ""
"""Choice of a region: none."""
GERMANY = "DEU"
"""Region of the catalogue's own prices."""
ENDS = ("low", "likely", "high")


def prices() -> Callable[[], planner.Prices]:
    """Fields of the prices, filled in from the catalogue; a field that is emptied is a price that is missing."""
    base = planner.Prices()
    parts = [_energy(base), _hosts(base), _changing_over(base), _licences(), _power(base)]
    rows = _ranges(base)

    def made() -> planner.Prices:
        given = {name: value for part in parts for name, value in part().items()}
        region = given.pop("region")
        typed = {name: given.pop(name) for name in ("energy_per_kwh", "carbon_kg_per_kwh")}
        if region == NO_REGION:
            found = planner.Prices(**given, **typed)
        else:
            typed = {name: value for name, value in typed.items() if value is not None}
            found = planner.Prices.for_region(region, **given, **typed)
        return replace(found, **ranges.of_rows(rows(), found))

    return made


def _money(place, label: str, key: str, value: float | None, step: float = 50.0, help: str | None = None):
    # As a plain number, in the page's currency: a default of the catalogue would be exchanged with the currency.
    value = None if value is None else float(value)
    return place.number_input(label, 0.0, 1e9, value, step, "%g", key=key, placeholder=UNPRICED, help=help)


def _percent(place, label: str, key: str, share: float | None, step: float = 1.0, **options):
    value = None if share is None else 100 * share
    return place.number_input(f"{label} (%)", 0.0, 100.0, value, step, "%g", key=key, **options)


def _share(percent: float | None) -> float | None:
    return None if percent is None else round(percent / 100, 6)


def _energy(base: planner.Prices) -> Callable[[], dict]:
    """Region, electricity, grid carbon, currency, PUE and years."""
    told = {NO_REGION: "none: what is not typed is missing"} | {
        row.code: _region(row) for row in regions().itertuples()
    }
    a, b, c = st.columns([2, 1, 1])
    region = a.selectbox(
        "Region", list(told), index=list(told).index(GERMANY), format_func=told.get, key="region",
        help="Gives the electricity price, that of large industrial consumers without tax, and the grid carbon, the "
        "yearly average of the country. A figure typed beside it goes before. Sources stand in docs/catalogue.md.",
    )  # fmt: skip
    energy = b.number_input(
        "Electricity (per kWh)", 0.0, 100.0, None, 0.01, "%g", key="energy_per_kwh", placeholder="of the region"
    )
    carbon = c.number_input(
        "Grid carbon (kg CO2e per kWh)", 0.0, 10.0, None, 0.01, "%g", key="carbon", placeholder="of the region"
    )
    a, b, c, d = st.columns(4)
    currency = a.text_input("Currency", base.currency, max_chars=12, key="currency")
    pue = b.number_input(
        "PUE", 1.0, 10.0, base.pue, 0.05, "%g", key="pue", help="Power of the site per power of the IT."
    )
    years = c.number_input("Years added up", 0.5, 30.0, float(base.years), 1.0, "%g", key="years")
    discount = _percent(d, "Discount rate a year", "discount", base.discount_rate, 0.5)
    return lambda: {
        "region": region,
        "energy_per_kwh": energy,
        "carbon_kg_per_kwh": carbon,
        "currency": currency.strip() or base.currency,
        "pue": pue,
        "years": years,
        "discount_rate": _share(discount),
    }


def _region(row) -> str:
    """A region with what the catalogue has of it, in one line."""
    price = "no electricity price" if pd.isna(row.energy_per_kwh) else f"{row.energy_per_kwh:g} {row.energy_unit}"
    return f"{row.name} · {price} · {row.carbon_kg_per_kwh:.3f} kg CO2e/kWh"


def _hosts(base: planner.Prices) -> Callable[[], dict]:
    """What hosts cost besides their price."""
    a, b, c, d = st.columns(4)
    maintenance = _money(a, "Maintenance (per host and year)", "maintenance", base.maintenance_per_host_year)
    administration = _money(
        b, "Administration (per host and year)", "administration", base.administration_per_host_year
    )
    rack = _money(c, "Rack space (per unit and year)", "rack", base.rack_unit_year, 10.0)
    residual = _percent(
        d, "Worth left at the end", "residual", base.residual_share, placeholder="not counted",
        help="Share of its price that a bought host is still worth after the years added up.",
    )  # fmt: skip
    return lambda: {
        "maintenance_per_host_year": maintenance,
        "administration_per_host_year": administration,
        "rack_unit_year": rack,
        "residual_share": _share(residual),
    }


def _changing_over(base: planner.Prices) -> Callable[[], dict]:
    """What changing over costs, and what today is compared with where nothing is known of it."""
    a, b, c = st.columns([1, 1, 2])
    moving = _money(
        a, "Migration (per workload moved)", "migration", base.migration_per_workload, 10.0,
        "Once for every workload that comes to another host than today's, or whose host today is not known.",
    )  # fmt: skip
    disposal = _money(
        b, "Disposal (per host given up)", "disposal", base.disposal_per_host, 10.0,
        "Once for every owned host that the plan does not use. What it brings in stands in the file, as resale value.",
    )  # fmt: skip
    titles = catalogue_table("host_models").set_index("name")["title"]
    names = host_models()["name"].tolist()
    server = c.selectbox(
        "Physical server of today, where no host is known", names, index=names.index(base.physical_server),
        format_func=lambda name: f"{name}: {titles[name].partition(',')[0]}", key="physical_server",
        help="Where neither hosts nor today's placement are known, savings are against one such server a workload.",
    )  # fmt: skip
    return lambda: {
        "migration_per_workload": moving,
        "disposal_per_host": disposal,
        "physical_server": server,
    }


def _licences() -> Callable[[], dict]:
    """What has to be licensed, and what currencies of the catalogue are worth."""
    a, b, c = st.columns([2, 1, 1])
    table = catalogue_table("licences")
    products = a.multiselect(
        "Licences to count",
        table["product"].unique().tolist(),
        key="licences",
        placeholder="none",
        help="Rules and list prices of docs/costs.md; your own stand in a --prices file.",
    )
    hint = "In the currency of all other prices. The catalogue has licences in USD, electricity and host models in EUR."
    worth = {
        name: place.number_input(
            f"1 {name} is worth", 1e-6, 1e6, None, 0.01, "%g", key=key, placeholder="not needed", help=hint
        )
        for place, name, key in ((b, "USD", "exchange"), (c, "EUR", "exchange_eur"))
    }
    return lambda: {
        "licences": tuple(products),
        "exchange": {name: value for name, value in worth.items() if value is not None},
    }


def _power(base: planner.Prices) -> Callable[[], dict]:
    """Watts of hosts that have none of their own, and the load that energy is computed at."""
    hint = "For hosts whose own figures are blank; an assumption, so it is named in every report."
    a, b, c, _ = st.columns(4)
    idle, peak = (
        place.number_input(
            label, 0.0, 1e5, value, 10.0, "%g", key=key, placeholder="left out", help=hint
        )
        for place, label, key, value in (
            (a, "Watts idle, where unknown", "idle_w", base.host_idle_w),
            (b, "Watts at full load, where unknown", "peak_w", base.host_peak_w),
        )
    )  # fmt: skip
    activity = _percent(
        c, "vCPUs busy on average", "activity", base.vcpu_activity, help="Sets the load at which energy is computed."
    )
    return lambda: {"host_idle_w": idle, "host_peak_w": peak, "vcpu_activity": _share(activity)}


def _ranges(base: planner.Prices) -> Callable[[], list[dict]]:
    """A table in a box that opens, with a row for each figure that may be a range; returns what makes its rows."""
    with st.expander("Ranges, for figures that are not known exactly"):
        st.caption(
            "Type low and high, shares as 0.1 for 10 %. Likely is what is reckoned with: where it is blank, the figure "
            "above, or the middle where there is none. The report then tells how little and how much the plan saves."
        )
        blank = pd.DataFrame(
            {"field": list(LIMITS), "figure": [heading(name) for name in LIMITS]}
            | {"unit": [unit_of(base, name) for name in LIMITS]}
            | {end: pd.Series(float("nan"), index=range(len(LIMITS))) for end in ENDS}
        )
        edited = st.data_editor(
            blank,
            hide_index=True,
            column_order=["figure", *ENDS, "unit"],
            column_config={
                "figure": "Figure",
                "unit": "Unit",
                **{end: st.column_config.NumberColumn(end.capitalize(), format="%g") for end in ENDS},
            },
            disabled=["field", "figure", "unit"],
            placeholder="",
            key="ranges",
        )
    return lambda: [
        {name: None if pd.isna(cell) else cell for name, cell in row.items()} for row in edited.to_dict("records")
    ]
