"""A search under way: best plan, bound and gap as they change, and the button that stops it."""

from __future__ import annotations

import streamlit as st

from planner import charts
from planner.jobs import Job, JobState
from planner.web import frame

STATES = {
    JobState.QUEUED: "Waiting in line",
    JobState.RUNNING: "Searching",
    JobState.STOPPING: "Stopping; the best plan is kept",
}


def show(job: Job) -> None:
    """The part of the page that redraws itself twice a second until the job has finished."""
    st.subheader("3. Searching")
    _live(job.token)


@st.fragment(run_every=0.5)
def _live(token: str) -> None:
    job = frame.runner().get(token)
    if job is None or job.finished:
        st.rerun()
    now = job.snapshot()
    words = STATES.get(now.state, "Done")
    if now.state is JobState.RUNNING and now.gap == 0:
        words = "Proven; choosing among equally good plans"
    bar(job, words, "Stop and keep the plan", key="stop")
    unit = job.problem.objective
    figures = [("Hosts in the best plan", figure(now.hosts_used))]
    if unit != "hosts":
        figures.append((f"Best plan ({unit})", figure(now.incumbent)))
    figures.append((f"Proven: no less than ({unit})", figure(now.bound)))
    figures.append(("Gap", "–" if now.gap is None else f"{now.gap:.2%}"))
    with st.container(horizontal=True):
        for label, value in figures:
            st.metric(label, value, width=220)
    st.altair_chart(charts.search_progress(now.trace, now.seconds, unit), key="search")


@st.fragment(run_every=0.5)
def follow(token: str, words: str, *, key: str) -> None:
    """How far a job is that goes on from a result, until it has finished; `key` names the button that stops it."""
    job = frame.runner().get(token)
    if job is None or job.finished:
        st.rerun()
    queued = job.snapshot().state is JobState.QUEUED
    bar(job, STATES[JobState.QUEUED] if queued else words, "Stop and keep what was found", key=key)


def bar(job: Job, words: str, stop: str, *, key: str) -> None:
    """How much of its time a job has used, and the button, named by `key`, that stops it."""
    now = job.snapshot()
    left, right = st.columns([4, 1], vertical_alignment="center")
    share = min(now.seconds / job.time_limit, 1.0)
    left.progress(share, f"{words} · {now.seconds:.0f} of at most {job.time_limit:,.0f} s")
    right.button(stop, key=key, on_click=job.cancel, disabled=now.state is JobState.STOPPING, width="stretch")


def figure(value: float | None) -> str:
    """A number as people write it: thousands apart, decimals only where they tell something; a dash where none."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.2f}"
