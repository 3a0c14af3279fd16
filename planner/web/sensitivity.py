"""Sensitivity: which assumption changes what the plan saves, and where the decision turns."""

from __future__ import annotations

import streamlit as st

import planner
from planner import charts
from planner.jobs import Job
from planner.web import frame, savings
from planner.writers.headings import heading

COLUMNS = (
    *("assumption", "low", "likely", "high", "saving_low", "saving_high", "break_even"),
    *("unit", "source", "note"),
)
AT_ONCE = 2_000
"""Workloads up to which it is worked out as soon as somebody looks."""


def show(job: Job, report: planner.Report) -> None:
    """The tornado and the break-evens of a plan, worked out at once for small estates and else when asked for."""
    if st.session_state.get("sensitivity_of") != job.token:
        small = len(report.problem.workloads) <= AT_ONCE
        if not small and not st.button("Work out which assumptions matter", key="sense"):
            return
        with st.spinner("Moving one assumption after another ..."):
            st.session_state["sensitivity"] = planner.sensitivity(report.problem, report.plan, report.baseline)
        st.session_state["sensitivity_of"] = job.token
    _told(report, st.session_state["sensitivity"])


def _told(report: planner.Report, found: planner.Sensitivity) -> None:
    saves, without = frame.as_text(found.told), frame.as_text(found.told_without)
    st.markdown(f"With every assumption as likely the plan **{saves}** over {report.years:g} years{without}.")
    named = found.tornado.assign(assumption=found.tornado["assumption"].map(heading))
    st.altair_chart(charts.tornado_chart(named, found.saving, found.currency), key="tornado")
    st.caption(
        "One assumption at a time, by its range, else by 20 % down and up, while the plan stays. Break-even is where "
        "the plan saves nothing; it is blank where that is nowhere within what the figure may be."
    )
    money = {heading(name): st.column_config.NumberColumn(format="localized") for name in ("saving_low", "saving_high")}
    figures = {
        heading(name): st.column_config.NumberColumn(format="%.4g") for name in ("low", "likely", "high", "break_even")
    }
    shown = named[list(COLUMNS)].round({"saving_low": 0, "saving_high": 0}).rename(columns=heading)
    st.dataframe(shown, hide_index=True, column_config=money | figures, placeholder=savings.BLANK, key="tornado_table")
