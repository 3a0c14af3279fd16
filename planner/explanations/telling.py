"""Telling: the changes that were searched for, in sentences."""

from __future__ import annotations

import pandas as pd

from planner.explanations.wording import called, joined, listed, opening, valued
from planner.plan import Result
from planner.problem import Problem

WORDS = {
    "overcommit": "{resource} overcommit of {needed} instead of {now}",
    "headroom": "{resource} headroom of {needed} instead of {now}",
    "failover": "a reserve for {needed} lost hosts instead of {now}",
}


def told(problem: Problem, result: Result, changes: pd.DataFrame) -> list[str]:
    """One sentence for each change that is confirmed, one for those that are impossible, one for what is open."""
    confirmed = changes[changes["status"] == "confirmed"]
    sentences = []
    for row in confirmed.itertuples():
        where = f" in pool {row.pool}" if row.pool else ""
        outcome = "a plan was found" if result.plan is None else f"{valued(problem, row.after, row.unit)}{_with(row)}"
        note = "" if row.smallest == "yes" else "; whether less would do is not known"
        sentences.append(f"{opening(_said(row))}{where}: {outcome}{note}.")
    if confirmed.empty:
        sentences.append("No single change that was tried is confirmed to be enough.")
    never = changes[changes["status"] == "impossible"]
    if len(never):
        sentences.append(f"Proven not to be enough: {joined(_furthest(row) for row in never.itertuples())}.")
    still_open = changes[changes["status"].isin(["not found", "not tried"])]
    if len(still_open):
        sentences.append(f"Open, for lack of time: {joined(_furthest(row) for row in still_open.itertuples())}.")
    for row in changes[changes["status"] == "bad input"].itertuples():
        sentences.append(f"Not tried: {_furthest(row)}, since {row.reason}.")
    return sentences


def _with(row) -> str:
    return f" instead of {row.before:,.0f}" if row.unit == "hosts" else f" instead of {row.before:,.2f}"


def _said(row) -> str:
    if row.kind == "workloads":
        return f"{row.change} ({listed(row.needed.split(', '), most=8)})"
    return _setting(row) if row.kind == "setting" else row.change


def _furthest(row) -> str:
    """A change that is not enough, as far as it was taken."""
    where = f" of pool {row.pool}" if row.pool else ""
    return f"{_setting(row) if row.kind == 'setting' else row.change}{where}"


def _setting(row) -> str:
    setting = row.change.split(" = ")[0]
    part, key = setting.split(".")
    needed, now = row.needed, row.now
    if part == "headroom":
        needed, now = (f"{float(figure):.0%}" for figure in (needed, now))
    return WORDS[part].format(resource=called(key), needed=needed, now=now)
