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


MOST_RULES = 3
"""Rules that are named one by one where they are not enough."""


def told(problem: Problem, result: Result, changes: pd.DataFrame) -> list[str]:
    """One sentence for each change that is confirmed, one for those that are impossible, one for what is open."""
    confirmed = changes[changes["status"] == "confirmed"]
    sentences = []
    for row in confirmed.itertuples():
        outcome = "a plan was found" if result.plan is None else f"{valued(problem, row.after, row.unit)}{_with(row)}"
        fewer = "less" if row.kind in ("setting", "rule") else "fewer"
        note = "" if row.smallest == "yes" else f"; whether {fewer} would do is not known"
        sentences.append(f"{opening(_said(row))}{_where(row, 'in')}: {outcome}{note}.")
    if confirmed.empty:
        sentences.append("No single change that was tried is confirmed to be enough.")
    never = changes[changes["status"] == "impossible"]
    if len(never):
        sentences.append(f"Proven not to be enough: {_furthest(never)}.")
    still_open = changes[changes["status"].isin(["not found", "not tried"])]
    if len(still_open):
        sentences.append(f"Open, since neither a plan nor a proof was found in time: {_furthest(still_open)}.")
    for row in changes[changes["status"] == "bad input"].itertuples():
        sentences.append(f"Not tried: {_phrase(row)}, since {row.reason}.")
    return sentences


def _with(row) -> str:
    return f" instead of {row.before:,.0f}" if row.unit == "hosts" else f" instead of {row.before:,.2f}"


def _where(row, preposition: str) -> str:
    pools = row.pool.split(", ") if row.pool else []
    return f" {preposition} pool{'s' if len(pools) > 1 else ''} {joined(pools)}" if pools else ""


def _said(row) -> str:
    return f"{row.change} ({listed(row.needed.split(', '), most=8)})" if row.kind == "workloads" else _phrase(row)


def _furthest(rows: pd.DataFrame) -> str:
    """Changes that are not enough, as far as they were taken; many rules as their number."""
    rules = rows["kind"] == "rule"
    many = int(rules.sum()) > MOST_RULES
    shown = rows[~rules] if many else rows
    phrases = [f"{_phrase(row)}{_where(row, 'in')}" for row in shown.itertuples()]
    return joined(phrases + ([f"without any one of {int(rules.sum()):,} other rules"] if many else []))


def _phrase(row) -> str:
    if row.kind != "setting":
        return row.change
    part, key = row.change.split(" = ")[0].split(".")
    needed, now, when = row.needed, row.now, ""
    if part == "failover" and key != "hosts":
        part, key = key.split("_", 1)
        when = " while hosts are lost"
    if part == "headroom":
        needed, now = (f"{float(figure):.0%}" for figure in (needed, now))
    if part == "failover" and float(needed) == 0:
        return "no reserve for lost hosts"
    return WORDS[part].format(resource=called(key), needed=needed, now=now) + when
