"""The assumptions, as one form, and the button that starts a search with them."""

from __future__ import annotations

from typing import get_args

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

import planner
from planner import rules
from planner.inventory import LEFT_OUT_STATES, MAINTENANCE
from planner.jobs import Job
from planner.policy import PRESETS
from planner.problem import Objective
from planner.readers.plans import read_plan
from planner.web import fields, frame, money
from planner.web.source import Chosen

OBJECTIVE_LABELS = {
    "hosts": "fewest hosts",
    "cost": "least cost",
    "energy": "least energy",
    "carbon": "least carbon",
}


def show(chosen: Chosen, job: Job | None, *, busy: bool) -> None:
    """The form; pressing Solve starts a job and draws the page again, input that cannot be planned with is named."""
    heading, choice, taken = st.columns([2, 1, 1], vertical_alignment="bottom")
    heading.subheader("2. Assumptions")
    preset = choice.selectbox(
        "Preset that fills in the figures",
        PRESETS,
        index=PRESETS.index("balanced"),
        key="preset",
        help=fields.presets_in_words(),
    )
    hypervisor = fields.hypervisor(taken, preset)
    names = [
        "Goal",
        "Sizing, reserve, growth",
        "Energy and prices",
        "Host models to buy",
        "Placement rules",
        "Plan to start from",
    ]
    with st.form("assumptions"):
        goal, sizing, costs, buying, ruling, standing = st.tabs(names, key="assumption_tabs")
        with goal:
            objective, seconds, included, merge_pools = _goal_fields()
        with sizing:
            policy = fields.policy(preset, hypervisor, chosen.inventory)
        with costs:
            prices = money.prices()
        with buying:
            models = fields.host_models(chosen)
        with ruling:
            rules_file, states = _rules_field(chosen), fields.proposals(chosen)
        with standing:
            upload, keep = _start_fields(job)
        pressed = st.form_submit_button("Solve", type="primary", key="solve", disabled=busy)
    if not pressed:
        return
    try:
        problem = planner.Problem.build(
            chosen.inventory.switch_as(states).include(*included),
            host_models=fields.bought(models),
            policy=policy(),
            rules=() if rules_file is None else rules.from_toml(rules_file.getvalue(), rules_file.name),
            prices=prices(),
            objective=objective,
            merge_pools=merge_pools,
        )
        start = read_plan(upload).plan if upload is not None else job.snapshot().result.plan if keep else None
    except planner.InputError as error:
        frame.show_error(str(error), error.details)
        return
    runner = frame.runner()
    frame.show_job(runner.submit(problem, time_limit=seconds, workers=runner.workers, start=start))


def _goal_fields() -> tuple[Objective, float, list[str], bool]:
    goal, limit, reasons, merge = st.columns([2, 2, 3, 3], vertical_alignment="bottom")
    objective = goal.selectbox("Looking for", get_args(Objective), format_func=OBJECTIVE_LABELS.get, key="objective")
    seconds = limit.number_input("Time limit (seconds)", 1, 7200, 60, 10, key="time_limit")
    included = reasons.multiselect(
        "Plan for these too",
        [*LEFT_OUT_STATES.values(), MAINTENANCE],
        key="include",
        placeholder="left out unless chosen",
        help="Workloads in these states, and hosts in maintenance, are left out unless they are chosen here.",
    )
    merge_pools = merge.checkbox(
        "Merge pools (clusters) into one", key="merge_pools", help="Plan all pools on shared hosts."
    )
    return objective, float(seconds), included, merge_pools


def _rules_field(chosen: Chosen) -> UploadedFile | None:
    own = len(chosen.inventory.rules)
    st.caption(
        f"{own:,} rules stand in the file that was read. " * bool(own)
        + "Further ones may stand in a file, a [[rule]] table each; every kind is in docs/rules.md."
    )
    return st.file_uploader("Rules (.toml)", type=["toml"], key="rules")


def _start_fields(job: Job | None) -> tuple[object | None, bool]:
    st.caption("Among plans that are equally good, the one that moves the fewest workloads from this plan is chosen.")
    upload = st.file_uploader("Plan (.xlsx or .json, as downloaded here)", type=["xlsx", "json"], key="start_plan")
    result = None if job is None else job.snapshot().result
    stands = result is not None and result.plan is not None
    keep = st.checkbox("Start from the plan shown below", key="start_shown", disabled=not stands)
    return upload, keep and stands
