"""Money: what the plan saves item by item, its range, what becomes of each host, and what it all rests on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import planner
from planner import charts
from planner.web import frame
from planner.writers.headings import heading

NOT_KNOWN = "not known"
BLANK = "–"
DECISIONS = {"keep": "kept", "buy": "bought", "give up": "given up"}


def show(report: planner.Report) -> None:
    """The tables of a report that are about money."""
    st.altair_chart(charts.savings_bars(report.savings), key="savings_chart")
    rounded(report.savings.drop(columns="assumption"), key="savings")
    if report.ranges is not None:
        st.markdown(f"**From the least to the most, over {report.years:g} years**")
        st.caption("Every figure with a range at either end, all of them together: the corners of the ranges.")
        rounded(report.ranges, key="ranges_table")
    counts = report.costs["decision"].value_counts()
    told = ", ".join(f"{counts[name]:,} {words}" for name, words in DECISIONS.items() if name in counts)
    st.markdown(f"**Hosts: {told}**")
    st.caption(f"What each costs over {report.years:g} years, in {frame.as_text(report.problem.prices.currency)}.")
    rounded(report.costs, key="costs")
    st.markdown("**All figures**")
    rounded(report.totals, key="totals")
    with st.expander("What the savings rest on"):
        for row in report.savings.itertuples():
            st.markdown(f"- **{frame.as_text(row.item)}**: {frame.as_text(row.assumption)}")


def rounded(table: pd.DataFrame, *, key: str) -> None:
    """A table of amounts in whole units; what is missing is not known."""
    amounts = table.select_dtypes("number").columns
    columns = {heading(name): st.column_config.NumberColumn(format="localized") for name in amounts}
    shown = table.round(dict.fromkeys(amounts, 0)).rename(columns=heading)
    order = [name for name in shown if name != "Unit"] + ["Unit"] * ("Unit" in shown)
    st.dataframe(shown, hide_index=True, column_config=columns, column_order=order, placeholder=NOT_KNOWN, key=key)
