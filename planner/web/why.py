"""Why: what the explanation of a result says, asked for with a button and found in the background."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

import planner
from planner.jobs import Job, JobState
from planner.web import frame, progress
from planner.writers.headings import EXPLANATIONS, heading

WHY = "why"
SECONDS = 60
"""That an explanation takes at most unless another limit is chosen."""

_PERCENT = {heading(name): st.column_config.NumberColumn(format="percent") for name in ("used_share", "bound_share")}


def show(job: Job, result: planner.Result, found: planner.Explanation | None) -> None:
    """The explanation of a finished job's result: the button that asks for it, how far it is, or what it says.

    Parameters
    ----------
    job : Job
    result : Result
    found : Explanation or None
        As `explanation` had it when the page began to be drawn, so that all of the page shows the same.
    """
    if found is not None:
        _told(found)
        return
    asked = job.after.get(WHY)
    end = None if asked is None else asked.snapshot()
    if end is not None and (not end.finished or end.result is not None):
        progress.follow(asked.token, "Solving variants of the problem", key="stop_why")
        return
    if end is not None and end.state is JobState.FAILED:
        frame.show_error(end.error, end.details)
    _button(job, result)


def explanation(job: Job) -> planner.Explanation | None:
    """The explanation of a job's result, once it has been asked for and found."""
    return job.after[WHY].snapshot().result if WHY in job.after else None


def _button(job: Job, result: planner.Result) -> None:
    st.caption(
        "The problem is solved again with one thing changed at a time: what binds, why not one host fewer, which "
        "smallest change would make it possible, where adding up and dividing breaks. Only what was found or proven is "
        "said."
    )
    limit, ask = st.columns([1, 3], vertical_alignment="bottom")
    seconds = limit.number_input("Explain for at most (seconds)", 5, 7200, SECONDS, 10, key="why_seconds")
    if ask.button("Explain this result", key="explain"):
        runner = frame.runner()
        job.after[WHY] = runner.submit(
            job.problem, solve=_explaining(result), time_limit=float(seconds), workers=runner.workers
        )
        st.rerun()


def _explaining(result: planner.Result) -> Callable[..., planner.Explanation]:
    def run(problem: planner.Problem, *, on_progress: Callable, **options) -> planner.Explanation:
        return planner.explain(problem, result, **options)

    return run


def _told(found: planner.Explanation) -> None:
    for part, own in found.sentences.groupby("part", sort=False):
        st.markdown(f"**{part}**")
        st.markdown("\n".join(f"- {frame.as_text(sentence)}" for sentence in own["sentence"]))
    if not found.complete:
        st.caption("Time ran out before every question was asked.")
    with st.expander("The figures behind it"):
        for name, table in found.tables.items():
            if name != "sentences":
                st.markdown(f"**{EXPLANATIONS[name]}**")
                st.dataframe(table.rename(columns=heading), hide_index=True, column_config=_PERCENT, key=f"why_{name}")
