"""What every part of the page shares: its frame, the process's jobs, this page's job, and how errors look."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from planner.jobs import Job, JobRunner
from planner.solvers import kernels


def begin() -> None:
    """Title and page settings."""
    st.set_page_config(page_title="Capacity planner", page_icon="🗄️", layout="wide")
    st.title("Capacity planner")
    st.caption(
        "How many servers do we really need? Every workload placed, the plan checked, and a proven lower bound beside "
        "it. Your file stays on the machine that runs this page."
    )


@st.cache_resource
def runner() -> JobRunner:
    """The one runner of this process; while the first visitor looks for a file, the inner loops are compiled."""
    kernels.prepare()
    return JobRunner()


def current_job() -> Job | None:
    """The job named in the page's address, which survives reloading the page; None where there is none (any more)."""
    token = st.query_params.get("job")
    job = runner().get(token)
    if token and job is None:
        st.info("The plan that this address belongs to is no longer kept. Solve again to get a new one.")
    return job


def show_job(job: Job) -> None:
    """Put a job into the page's address and draw the page again; a plan that stood before can be come back to."""
    before = st.query_params.get("job")
    if before and before != job.token:
        earlier = runner().get(before)
        if earlier is not None and earlier.snapshot().result is not None:
            st.session_state["earlier_job"] = before
    st.query_params["job"] = job.token
    st.rerun()


def show_error(message: str, details: Iterable[str] = ()) -> None:
    """One sentence in red, and what else was found in a box that opens. Text of files is shown as it is."""
    st.error(as_text(message))
    details = list(details)
    if details:
        with st.expander(f"{len(details):,} more findings"):
            st.text("\n".join(details[:200]))


def as_text(words: str) -> str:
    """Words with the signs that Streamlit would read as Markdown escaped, so that names in files look as they are."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()<>#$~:|" else sign for sign in words)
