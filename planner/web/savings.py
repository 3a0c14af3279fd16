"""Money: what the plan saves item by item, its range, what becomes of each host, and what it all rests on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import planner
from planner import charts
from planner.reports import DISCOUNTED, NPV, PAYBACK, payback_told
from planner.units import decimals
from planner.web import frame
from planner.writers.headings import heading

NOT_KNOWN = "not known"
BLANK = "–"
DECISIONS = {"keep": "kept", "buy": "bought", "give up": "given up"}


def show(report: planner.Report) -> None:
    """The tables of a report that are about money."""
    st.altair_chart(charts.savings_bars(report.savings), key="savings_chart")
    rounded(report.savings.drop(columns="assumption"), key="savings")
    st.markdown(f"**Against today as an investment**: {frame.as_text(_appraised(report))}.")
    if report.ranges is not None:
        st.markdown(f"**From the least to the most, over {report.years:g} years**")
        st.caption("Every figure with a range at either end, all of them together: the corners of the ranges.")
        rounded(report.ranges, key="ranges_table")
    counts = report.costs["decision"].value_counts()
    told = ", ".join(f"{counts[name]:,} {words}" for name, words in DECISIONS.items() if name in counts)
    st.markdown(f"**Hosts: {told}**")
    st.caption(f"What each costs over {report.years:g} years, in {frame.as_text(report.problem.prices.currency)}.")
    rounded(report.costs, key="costs")
    if len(report.licences):
        with st.expander("Which edition licenses which host"):
            st.caption("Units are what a licence counts, such as cores; workloads are blank where every host needs it.")
            shown = report.licences.rename(columns=heading)
            st.dataframe(shown, hide_index=True, placeholder=BLANK, key="licences_of_hosts")
    if len(report.iron):
        with st.expander("Old iron: each owned host against a share of a new one"):
            _iron(report)
    st.markdown("**All figures**")
    rounded(report.totals, key="totals")
    with st.expander("What the savings rest on"):
        for row in report.savings.itertuples():
            st.markdown(f"- **{frame.as_text(row.item)}**: {frame.as_text(row.assumption)}")


def _appraised(report: planner.Report) -> str:
    """Payback and net present value, in one sentence."""
    summary = report.summary.set_index("item")["value"]
    paid = payback_told(summary[PAYBACK])
    later = payback_told(summary[DISCOUNTED])
    discounted = f" (later years counting less: {later})" if later != paid else ""
    worth, currency = summary[NPV], report.problem.prices.currency
    told = worth if isinstance(worth, str) else f"{worth:,.0f} {currency}"
    without = f", all without {', '.join(report.lacking)}" if report.lacking else ""
    return f"paid back {paid}{discounted}, net present value {told}{without}"


def _iron(report: planner.Report) -> None:
    """What keeping each owned host costs, beside what replacing it would."""
    st.caption(
        "What keeping each owned host costs over the horizon with what it carries, and the share of the cheapest new "
        "host that could carry the same. A look at single hosts: new ones are whole, and the others must be filled. "
        "What to keep, give up and buy together is what a search for the least cost decides."
    )
    money = ("keeping_horizon", "keeping_per_busy_core", "replacing_horizon", "replacing_per_busy_core")
    formats = dict.fromkeys(money, "localized") | {"new_share": "percent", "electricity_break_even": "%.3f"}
    formats |= {"busy_cores": "%.1f", "pays_after_years": "%.1f"}
    columns = {heading(name): st.column_config.NumberColumn(format=form) for name, form in formats.items()}
    shown = report.iron.round(dict.fromkeys(money, 0)).rename(columns=heading)
    st.dataframe(shown, hide_index=True, column_config=columns, placeholder=BLANK, key="iron")


def rounded(table: pd.DataFrame, *, key: str) -> None:
    """A table of amounts in whole units, small ones with cents; what is missing is not known."""
    amounts = table.select_dtypes("number").columns
    columns = {heading(name): st.column_config.NumberColumn(format="localized") for name in amounts}
    figures = [[round(value, decimals(row)) for value in row] for row in table[amounts].to_numpy(dtype=float)]
    shown = table.assign(**pd.DataFrame(figures, columns=amounts, index=table.index)).rename(columns=heading)
    order = [name for name in shown if name != "Unit"] + ["Unit"] * ("Unit" in shown)
    st.dataframe(shown, hide_index=True, column_config=columns, column_order=order, placeholder=NOT_KNOWN, key=key)
