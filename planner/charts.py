"""Charts of a search and of a report, for the app and for notebooks alike.

Every chart has a constant height, so that a page does not jump while it is redrawn. The colours are of the palette of
Okabe and Ito, which people with the common colour vision deficiencies can tell apart; lines also differ in their dash.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from planner.colours import BLUE, GREY, ORANGE
from planner.errors import InputError, did_you_mean
from planner.plan import Progress

HEIGHT = 240
ITEM = 34
"""Height of an item with a bar for today and one for the plan."""
FRONT_COLUMNS = {
    "hosts": "hosts",
    "cost": "cost over the horizon",
    "energy_kwh": "energy, kWh a year",
    "carbon_kg": "carbon over the horizon, kg CO2e",
    "moves": "moves",
}
MOST_HOSTS = 120
"""Hosts that a heat map shows one by one; more are counted by how full they are."""


def search_progress(trace: Sequence[Progress], seconds: float, unit: str = "hosts") -> alt.Chart:
    """Best plan and proven bound over time, as steps up to now.

    Parameters
    ----------
    trace : sequence of Progress
    seconds : float
        Now, in seconds since the search began; both lines are drawn up to here.
    unit : str
        Unit of the objective.
    """
    rows = [
        (step.seconds, series, value)
        for step in trace
        for series, value in (("best plan", step.incumbent), ("proven bound", step.bound))
        if value is not None
    ]
    frame = pd.DataFrame(rows, columns=["seconds", "series", "value"])
    last = frame.groupby("series", as_index=False).last().assign(seconds=max(seconds, 0.1))
    frame = (
        pd.concat([frame, last]).sort_values("series", kind="stable")
        if rows
        else frame.astype({"seconds": float, "value": float})
    )
    names = ["best plan", "proven bound"]
    return (
        alt.Chart(frame)
        .mark_line(interpolate="step-after", strokeWidth=2.5)
        .encode(
            x=alt.X(
                "seconds:Q",
                title="seconds",
                scale=alt.Scale(domain=[0, max(seconds, 1.0)], nice=False),
                axis=alt.Axis(tickCount=8),
            ),
            y=alt.Y("value:Q", title=unit, scale=alt.Scale(zero=False, nice=True, padding=12), axis=_whole(unit)),
            color=alt.Color("series:N", title=None, scale=alt.Scale(domain=names, range=[BLUE, ORANGE]), legend=_top()),
            strokeDash=alt.StrokeDash("series:N", title=None, scale=alt.Scale(domain=names, range=[[1, 0], [6, 4]])),
            tooltip=["series", alt.Tooltip("seconds:Q", format=".1f"), alt.Tooltip("value:Q", format=",.6~g")],
        )
        .properties(height=HEIGHT)
    )


def savings_bars(savings: pd.DataFrame) -> alt.Chart:
    """What each item costs a year, today beside the plan; items without both figures are left out.

    Parameters
    ----------
    savings : DataFrame
        `Report.savings`.
    """
    known = savings.dropna(subset=["today_per_year", "plan_per_year"])
    unit = known["unit"].iloc[0] if len(known) else "money"
    long = known.melt(
        id_vars=["item"], value_vars=["today_per_year", "plan_per_year"], var_name="estate", value_name="amount"
    )
    long["estate"] = long["estate"].map({"today_per_year": "today", "plan_per_year": "plan"})
    base = alt.Chart(long).encode(
        y=alt.Y("item:N", title=None, sort=known["item"].tolist(), axis=alt.Axis(labelLimit=160, labelOverlap=False)),
        yOffset=alt.YOffset("estate:N", sort=["today", "plan"]),
        x=alt.X("amount:Q", title=f"{unit} per year", axis=alt.Axis(format=",.0f", tickCount=5, labelOverlap=True)),
        tooltip=["item", "estate", alt.Tooltip("amount:Q", format=",.0f", title=f"{unit} per year")],
    )
    colours = alt.Scale(domain=["today", "plan"], range=[GREY, BLUE])
    return (
        base.mark_bar()
        .encode(color=alt.Color("estate:N", title=None, scale=colours, legend=_top()))
        .properties(height=max(HEIGHT, ITEM * len(known)))
    )


def host_utilisation(hosts: pd.DataFrame) -> alt.Chart:
    """How full each host is, by resource: a heat map; for very many hosts, how many are how full.

    Parameters
    ----------
    hosts : DataFrame
        `Report.hosts`; utilisation is of the capacity after overhead, overcommit and headroom.
    """
    suffix = "_utilisation"
    columns = [name for name in hosts if name.endswith(suffix) and hosts[name].notna().any()]
    long = hosts.melt(id_vars=["host"], value_vars=columns, var_name="resource", value_name="share").dropna()
    long["resource"] = long["resource"].str.removesuffix(suffix)
    order = [name.removesuffix(suffix) for name in columns]
    y = alt.Y("resource:N", title=None, sort=order)
    if hosts["host"].nunique() > MOST_HOSTS:
        return _counted(long, y)
    scale = alt.Scale(scheme="viridis", domain=[0, 1], clamp=True, reverse=True)
    return (
        alt.Chart(long)
        .mark_rect(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X(
                "host:N",
                title=f"{hosts['host'].nunique():,} hosts",
                sort=hosts["host"].tolist(),
                axis=alt.Axis(labelAngle=-60, labelLimit=150, labelOverlap=True, ticks=False),
            ),
            y=y,
            color=alt.Color("share:Q", title="used", scale=scale, legend=_bar()),
            tooltip=["host", "resource", alt.Tooltip("share:Q", format=".1%", title="used")],
        )
        .properties(height=HEIGHT + 26 * len(columns))
    )


def front_chart(table: pd.DataFrame, x: str = "hosts", y: str = "cost", unit: str = "") -> alt.LayerChart:
    """Plans of a front as points by two criteria, and what is proven that no plan goes below.

    Parameters
    ----------
    table : DataFrame
        `Front.table`.
    x, y : str
        Columns of it, such as "hosts" and "cost".
    unit : str
        Of `y`, where the axis is to tell it.

    Raises
    ------
    InputError
        A column that the table does not have, or without a figure.
    """
    for name in (x, y):
        if name not in table or table[name].isna().all():
            known = [one for one in FRONT_COLUMNS if one in table and table[one].notna().any()]
            raise InputError(f"front_chart: found no figures {name!r}{did_you_mean(name, known)}")
    shown = [name for name in ("plan", *FRONT_COLUMNS, "least", "proof") if name in table and table[name].notna().any()]
    tooltip = [
        alt.Tooltip(f"{name}:Q", format=",.6~g") if name in FRONT_COLUMNS else alt.Tooltip(f"{name}:N")
        for name in shown
    ]
    at = {
        "x": alt.X(f"{x}:Q", title=_named(x), scale=alt.Scale(zero=False, padding=16), axis=_whole(x)),
        "y": alt.Y(f"{y}:Q", title=_named(y, unit), scale=alt.Scale(zero=False, padding=16), axis=_whole(y)),
    }
    base = alt.Chart(table)
    layers = [base.mark_line(color=GREY, strokeDash=[2, 3]).encode(**at)] if len(table) > 1 else []
    for name, channel in ((x, "x"), (y, "y")):
        bound = f"{name}_bound"
        if bound in table and table[bound].notna().any():
            rule = alt.Chart(table[[bound]].head(1)).mark_rule(color=ORANGE, strokeDash=[6, 4], strokeWidth=2)
            tip = alt.Tooltip(f"{bound}:Q", format=",.6~g", title=f"proven: no plan below, {_named(name)}")
            layers.append(
                rule.encode(**{channel: alt.X(f"{bound}:Q") if channel == "x" else alt.Y(f"{bound}:Q")}, tooltip=tip)
            )
    layers.append(base.mark_point(color=BLUE, filled=True, size=90, opacity=1).encode(**at, tooltip=tooltip))
    layers.append(base.mark_text(align="left", dx=8, dy=-8, fontSize=12).encode(**at, text="plan:N"))
    return alt.layer(*layers).properties(height=HEIGHT + 80)


def tornado_chart(tornado: pd.DataFrame, saving: float, currency: str = "") -> alt.LayerChart:
    """What each assumption does to the saving when it alone is at its low or its high end; the widest on top.

    Parameters
    ----------
    tornado : DataFrame
        `Sensitivity.tornado`; assumptions without an effect are left out.
    saving : float
        With every assumption as likely: the line in the middle.
    currency : str
    """
    known = tornado[tornado["width"] > 0].copy()
    known["named"] = known["assumption"].map(_named)
    low, high = (
        known.assign(end=f"{end} end", value=known[end], saving=known[f"saving_{end}"]) for end in ("low", "high")
    )
    long = pd.concat([low, high])[["named", "end", "value", "saving", "unit", "source"]].assign(likely=saving)
    title = f"saving over the horizon, {currency}" if currency else "saving over the horizon"
    bars = _moved_bars(long, known["named"].tolist(), title)
    lines = pd.DataFrame({"saving": [saving, 0.0], "line": ["likely", "nothing saved"]})
    turns = len(long) and long["saving"].min() <= 0 <= long["saving"].max()
    dash = alt.Scale(domain=lines["line"].tolist(), range=[[1, 0], [4, 3]])
    rules = (
        alt.Chart(lines if turns else lines.head(1))
        .mark_rule(strokeWidth=1.5, color=GREY)
        .encode(
            x="saving:Q",
            strokeDash=alt.StrokeDash("line:N", scale=dash, legend=None),
            tooltip=["line", alt.Tooltip("saving:Q", format=",.0f", title=title)],
        )
    )
    return alt.layer(bars, rules).properties(height=HEIGHT + 80)


def _moved_bars(long: pd.DataFrame, order: list[str], title: str) -> alt.Chart:
    """A bar from the likely saving to that at either end of each assumption."""
    ends = alt.Scale(domain=["low end", "high end"], range=[ORANGE, BLUE])
    axis = alt.Axis(format="~s", tickCount=6)
    tips = [("named:N", "assumption", ""), ("value:Q", "at", ",.4~g"), ("saving:Q", title, ",.0f")]
    return (
        alt.Chart(long)
        .mark_bar(height=18)
        .encode(
            y=alt.Y("named:N", title=None, sort=order, axis=alt.Axis(labelLimit=220)),
            x=alt.X("saving:Q", title=title, scale=alt.Scale(zero=False), axis=axis),
            x2=alt.X2("likely:Q"),
            color=alt.Color("end:N", title=None, scale=ends, legend=_top()),
            tooltip=[*(alt.Tooltip(name, title=told, format=form) for name, told, form in tips), "unit", "source"],
        )
    )


def _counted(long: pd.DataFrame, y: alt.Y) -> alt.Chart:
    step = (np.minimum(long["share"], 0.9999) * 20).astype(int) * 5
    names = [f"{start} to {start + 5} %" for start in range(0, 100, 5)]
    counts = long.assign(used=step.map(lambda start: f"{start} to {start + 5} %"))
    counts = counts.groupby(["resource", "used"], as_index=False).size().rename(columns={"size": "hosts"})
    scale = alt.Scale(scheme="viridis", reverse=True)
    return (
        alt.Chart(counts)
        .mark_rect(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("used:N", title="used", sort=names, scale=alt.Scale(domain=names), axis=alt.Axis(labelAngle=-60)),
            y=y,
            color=alt.Color("hosts:Q", title="hosts", scale=scale, legend=_bar(None)),
            tooltip=["resource", "used", "hosts"],
        )
        .properties(height=HEIGHT + 26 * counts["resource"].nunique())
    )


def _top() -> alt.Legend:
    return alt.Legend(orient="top", direction="horizontal", symbolStrokeWidth=3, labelFontSize=13)


def _bar(number_format: str | None = ".0%") -> alt.Legend:
    options = {} if number_format is None else {"format": number_format, "values": [0, 0.25, 0.5, 0.75, 1]}
    return alt.Legend(orient="top", direction="horizontal", gradientLength=220, **options)


def _named(column: str, unit: str = "") -> str:
    """A column in words, and its unit."""
    told = FRONT_COLUMNS.get(column, column.replace("_", " "))
    return f"{told}, {unit}" if unit else told


def _whole(unit: str) -> alt.Axis:
    """Hosts and moves come in whole numbers only, so a step of the axis is at least one."""
    return (
        alt.Axis(format=",d", tickMinStep=1, tickCount=5)
        if unit in ("hosts", "moves")
        else alt.Axis(format="~s", tickCount=5)
    )
