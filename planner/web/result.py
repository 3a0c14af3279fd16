"""A plan: its verdict and figures, a tab for each thing to know about it, and the files to take away."""

from __future__ import annotations

import pandas as pd
import streamlit as st

import planner
from planner import charts, writers
from planner.jobs import Job, JobState
from planner.units import counted
from planner.web import frame, savings, sensitivity, tradeoffs, why
from planner.web.progress import figure
from planner.writers.headings import heading

FILES = {
    "xlsx": ("Workbook (.xlsx)", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "html": ("Page to print (.html)", "text/html"),
    "csv": ("Placement (.csv)", "text/csv"),
    "json": ("Result (.json)", "application/json"),
}

LEAST = {
    "hosts": "no plan needs fewer hosts",
    "cost": "no plan costs less",
    "energy": "no plan uses less energy",
    "carbon": "no plan emits less carbon",
}


def show(job: Job) -> None:
    """What a finished job found: a plan with its tables and files, or one sentence why there is none."""
    st.subheader("3. Plan")
    end = job.snapshot()
    if end.state is JobState.FAILED:
        frame.show_error(end.error, end.details)
    elif end.state is JobState.CANCELLED:
        st.info("Stopped before the search began, so there is no plan.")
    elif end.result.plan is None:
        _none(end.result)
        why.show(job, end.result, why.explanation(job))
    else:
        _plan(job, end.result)
        return
    _earlier(job)


def _none(result: planner.Result) -> None:
    sentence = frame.as_text(result.reason)
    if result.status is planner.Status.INFEASIBLE:
        st.error(f"**No plan exists under these assumptions.** {sentence}")
        st.caption("Let more hosts be bought, leave less room free, promise more vCPUs a core, or merge pools.")
    else:
        st.warning(f"**No plan yet.** {sentence}. A longer time limit may find one.")


def _earlier(job: Job) -> None:
    token = st.session_state.get("earlier_job")
    if token and token != job.token and frame.runner().get(token) is not None:
        st.button("Back to the earlier plan", key="earlier", on_click=_go, args=(token,))


def _go(token: str) -> None:
    st.query_params["job"] = token


def _plan(job: Job, result: planner.Result) -> None:
    if job.about:
        st.info(frame.as_text(job.about))
        _earlier(job)
    explained = why.explanation(job)
    report = _report(job, result, explained)
    _verdict(report, result)
    _figures(report)
    _files(report)
    names = [
        *("Money", "Trade-offs", "Sensitivity", "Hosts", "Placement", "Moves", "Why", "Assumptions", "Search"),
        *(["Failures"] if report.failures is not None else []),
    ]
    # What takes seconds is worked out for the tab that is open.
    opened = st.tabs(names, key="result_tabs", on_change="rerun")
    money, trading, sensing, hosts, placement, moves, reasons, assumptions, search, *failures = opened
    with money:
        savings.show(report)
    with trading:
        tradeoffs.show(job, result)
    with sensing:
        if sensing.open:
            sensitivity.show(job, report)
    with hosts:
        st.altair_chart(charts.host_utilisation(report.hosts), key="utilisation")
        st.caption("Used share of what a host offers after overhead, overcommit and headroom.")
        st.dataframe(
            _readable(report.hosts),
            hide_index=True,
            placeholder="not known",
            column_config=_host_columns(report),
            key="hosts",
        )
    with placement:
        st.dataframe(_readable(report.placement), hide_index=True, key="placement")
    with moves:
        if report.moves is None:
            st.caption(
                f"On another host than today, or on none known today: {counted(report.money.moves, 'workload')}; "
                "*Placement* has both hosts. Solve again from a plan that stands, or with a price for migration, and "
                "what moves is listed here."
            )
        else:
            st.caption(f"On another host than before: {counted(len(report.moves), 'workload')}.")
            st.dataframe(_readable(report.moves), hide_index=True, key="moves")
    with reasons:
        why.show(job, result, explained)
    with assumptions:
        used = report.assumptions.assign(value=report.assumptions["value"].map(_plain))
        st.dataframe(_readable(used), hide_index=True, key="assumptions_used")
    with search:
        if result.trace:
            st.altair_chart(charts.search_progress(result.trace, result.seconds, result.objective_unit), key="searched")
        summary = report.summary_told.assign(value=report.summary_told["value"].map(_plain))
        st.dataframe(_readable(summary), hide_index=True, key="summary")

    for tab in failures:
        with tab:
            st.caption("What is left when hosts are lost, the worst case first; every lost workload has a restart.")
            share = {heading("used_share"): st.column_config.NumberColumn(format="percent")}
            st.dataframe(_readable(report.failures), hide_index=True, column_config=share, key="failures")


def _figures(report: planner.Report) -> None:
    """Hosts, energy and cost of the plan beside today's; a total that lacks an item says so."""
    totals, savings = report.totals.set_index("metric"), report.savings.set_index("item")
    hosts, energy, cost = totals.loc["hosts"], totals.loc["energy per year"], savings.loc["total"]
    lacking = savings.index[savings["plan_per_year"].isna() | savings["today_per_year"].isna()].tolist()
    without = f" without {', '.join(lacking)}" if lacking else ""
    horizon = f"Cost over {report.problem.prices.years:g} years"
    shown = [
        ("Hosts", "", hosts["today"], hosts["plan"]),
        ("Energy a year", f" {energy['unit']}", energy["today"], energy["plan"]),
        (f"Cost a year{without}", f" {cost['unit']}", cost["today_per_year"], cost["plan_per_year"]),
        (f"{horizon}{without}", f" {cost['unit']}", cost["today_horizon"], cost["plan_horizon"]),
    ]
    with st.container(horizontal=True):
        for label, unit, today, plan in shown:
            known = not (pd.isna(today) or pd.isna(plan))
            change = f"{plan - today:+,.0f} from {today:,.0f} today" if known else None
            value = "not known" if pd.isna(plan) else f"{plan:,.0f}{unit}"
            st.metric(frame.as_text(label), value, change, delta_color="inverse", width=255)
    failover = report.problem.policy.failover
    if failover.hosts:
        st.caption(
            f"These hosts keep a reserve for the loss of {failover.hosts} in each pool"
            f"{', every case verified' if failover.is_verified else ''}. Without it the plan may need fewer: set it "
            "under *Sizing, reserve, growth*."
        )
    if pd.isna(energy["plan"]) or pd.isna(energy["today"]):
        st.caption(
            "Energy is not known because hosts have no watts: put some in under *Energy and prices* and solve again."
        )


def _report(job: Job, result: planner.Result, explained: planner.Explanation | None) -> planner.Report:
    """The report of this job, made once a session, and once more when it has been explained."""
    made_of = job.token, explained is not None
    if st.session_state.get("report_of") != made_of:
        with st.spinner("Writing the report ..."):
            tables = None if explained is None else explained.tables
            st.session_state["report"] = planner.report(job.problem, result.plan, result=result, explanations=tables)
        st.session_state["report_of"] = made_of
    return st.session_state["report"]


def _verdict(report: planner.Report, result: planner.Result) -> None:
    kinds = {"accepted"} | set(report.verdict["kind"])
    checked = "The checker accepts the plan." if kinds == {"accepted"} else "The checker rejects the plan, see below."
    carry = "carries" if report.plan.hosts_used == 1 else "carry"
    workloads = counted(len(report.plan.placement), "workload")
    hosts = f"{counted(report.plan.hosts_used, 'host')} {carry} {workloads}"
    unit = frame.as_text(result.objective_unit)
    without = f" ({' and '.join(result.without)} left out, figures are missing)" if result.without else ""
    if result.status is planner.Status.OPTIMAL:
        st.success(f"**{hosts}, and {LEAST[result.objective_name]}{without}: proven.** {checked}")
    elif result.bound is not None:
        st.info(
            f"**{hosts}.** Proven: no plan can do with less than {figure(result.bound.value)} {unit}; this one needs "
            f"{figure(result.objective_value)} {unit}, a gap of {result.gap:.2%}. {checked}"
        )
    else:
        st.info(f"**{hosts}.** {checked}")
    if kinds != {"accepted"}:
        st.dataframe(_readable(report.verdict), hide_index=True, key="verdict")


def _files(report: planner.Report) -> None:
    with st.container(horizontal=True):
        for suffix, (label, mime) in FILES.items():
            st.download_button(
                label,
                lambda suffix=suffix: writers.to_bytes(report, suffix),
                file_name=f"plan.{suffix}",
                mime=mime,
                on_click="ignore",
                key=f"download_{suffix}",
            )


def _host_columns(report: planner.Report) -> dict:
    numbers = [name for name in report.hosts.columns if report.hosts[name].dtype.kind == "f"]
    return {
        heading(name): st.column_config.NumberColumn(
            format="percent" if name.endswith(("_utilisation", "_busy")) else "%.1f"
        )
        for name in numbers
    }


def _readable(table: pd.DataFrame) -> pd.DataFrame:
    return table.rename(columns=heading)


def _plain(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
