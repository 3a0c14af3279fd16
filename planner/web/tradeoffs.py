"""Trade-offs: plans between the best for each criterion, asked for with a button and found in the background."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

import planner
from planner import charts, writers
from planner.fronts import CRITERIA, Front
from planner.jobs import Job, JobState
from planner.web import frame, progress, savings
from planner.writers.fronts import below, front_bytes, named

TRADING = "trade-offs"
SECONDS = 60
"""That all searches together take at most unless another limit is chosen."""
FILES = {
    "xlsx": ("All plans (.xlsx)", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "csv": ("Table (.csv)", "text/csv"),
    "json": ("All plans (.json)", "application/json"),
}


def show(job: Job, result: planner.Result) -> None:
    """The front of a finished job's problem: the button that asks for it, how far it is, or its plans."""
    asked = job.after.get(TRADING)
    end = None if asked is None else asked.snapshot()
    if end is not None and not end.finished:
        progress.follow(asked.token, "Looking for plans between the best", key="stop_trading")
        return
    if end is not None and end.state is JobState.FAILED:
        frame.show_error(end.error, end.details)
    if end is not None and end.result is not None:
        _told(job, end.result)
        with st.expander("Look again, for other objectives or longer"):
            _ask(job, result)
    else:
        _ask(job, result)


def _ask(job: Job, result: planner.Result) -> None:
    st.caption(
        "Fewest hosts and least cost are seldom one plan. This looks for the best plan for each objective and for "
        "plans between them, of which none is better than another in everything."
    )
    names, limit, press = st.columns([3, 1, 1], vertical_alignment="bottom")
    objectives = names.multiselect(
        "Objectives to trade", list(CRITERIA), default=["hosts", "cost"], key="trade_objectives"
    )
    seconds = limit.number_input("Look for at most (seconds)", 5, 7200, SECONDS, 10, key="trade_seconds")
    if press.button("Find trade-offs", key="trade", disabled=len(objectives) < 2, width="stretch"):
        runner = frame.runner()
        job.after[TRADING] = runner.submit(
            job.problem, solve=_trading(tuple(objectives), result), time_limit=float(seconds), workers=runner.workers
        )
        st.rerun()


def _trading(objectives: tuple[str, ...], result: planner.Result) -> Callable[..., Front]:
    def run(problem: planner.Problem, **options) -> Front:
        return planner.pareto(problem, objectives, found=[result], **options)

    return run


def _told(job: Job, front: Front) -> None:
    x, y = (CRITERIA[name] for name in front.objectives[:2])
    if len(front.objectives) > 2:
        across, up = st.columns(2)
        x = CRITERIA[across.selectbox("Across", front.objectives, key="trade_x")]
        y = CRITERIA[up.selectbox("Up", [name for name in front.objectives if CRITERIA[name] != x], key="trade_y")]
    st.altair_chart(charts.front_chart(front.table, x, y, front.units[y]), key="front")
    proven = [below(front, name) for name, bound in front.bounds.items() if bound > 0]
    if proven:
        st.caption(frame.as_text(f"Dashed, and proven: no plan at all has {', or '.join(proven)}."))
    if len(front.plans) == 1:
        st.caption("Of all plans found, one is the best in everything asked for.")
    for name, items in front.without.items():
        st.caption(frame.as_text(f"{name.capitalize()} is without {' and '.join(items)}: figures are missing."))
    known = [name for name in CRITERIA.values() if front.table[name].notna().any()]
    savings.rounded(named(front, front.table[["plan", *known, "least", "proof"]]), key="front_table")
    for name, why in front.missing.items():
        st.caption(frame.as_text(f"{name} is not known: {why}"))
    _take(job, front)


def _take(job: Job, front: Front) -> None:
    """One plan of the front, to be shown as the plan or taken away, and the front as files."""
    names, press = st.columns([3, 1], vertical_alignment="bottom")
    proofs = front.table.set_index("plan")["proof"]
    name = names.selectbox(
        "A plan", list(front.plans), format_func=lambda name: f"{name}{proofs[name] and ': '}{proofs[name]}",
        key="trade_plan",
    )  # fmt: skip
    if press.button("Show this plan", key="take_plan", width="stretch"):
        about = f"This is {name} of the trade-offs between {' and '.join(front.objectives)}"
        proof = f": {proofs[name]}" if proofs[name] else ""
        taken = frame.runner().adopt(job.problem, front.result_of(name, job.problem), f"{about}{proof}.")
        taken.after[TRADING] = job.after[TRADING]
        frame.show_job(taken)
    with st.container(horizontal=True):
        st.download_button(
            f"Workbook of {name} (.xlsx)",
            lambda: writers.to_bytes(
                planner.report(job.problem, front.plans[name], result=front.result_of(name, job.problem)), "xlsx"
            ),
            file_name=f"{name}.xlsx",
            mime=FILES["xlsx"][1],
            on_click="ignore",
            key="download_taken",
        )
        for suffix, (label, mime) in FILES.items():
            st.download_button(
                label,
                lambda suffix=suffix: front_bytes(front, suffix),
                file_name=f"trade-offs.{suffix}",
                mime=mime,
                on_click="ignore",
                key=f"download_front_{suffix}",
            )
