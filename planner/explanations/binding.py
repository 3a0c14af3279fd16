"""What binds: which resource limits each pool, and what one more unit of it on every host would save."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from planner.explanations.estate import ROUNDING, only_pools, rows_of, used_share
from planner.explanations.proof import bound_shares, used_by
from planner.explanations.trials import Trial, Trials
from planner.explanations.wording import called, joined, lost, opening, pools_named, valued
from planner.plan import Result
from planner.problem import Problem

COLUMNS = (
    "pool",
    "resource",
    "used_share",
    "bound_share",
    "binding",
    "step",
    "before",
    "after",
    "saved",
    "unit",
    "due",
    "status",
)
FIGURES = {
    "cpu": "cores",
    "memory": "memory_gib",
    "storage": "storage_gib",
    "network": "network_gbps",
    "iops": "iops",
    "gpus": "gpus",
    "workloads": "max_workloads",
}
"""Column of hosts that each resource is taken from; any other resource has a column of its own name."""

STEPS = {"cpu": (4, "cores"), "memory": (16, "GiB"), "storage": (100, "GiB"), "gpus": (1, "GPU")}
"""One more unit of a resource; of any other it is a tenth of what hosts have."""

MULTIPLES = (1, 2, 4, 8)
"""Steps tried on a resource that binds, until one saves something."""

CLOSE = 0.93
"""Share of the scarcest resource's use from which another is nearly as scarce."""

SCARCE = 0.9
"""Share of what the plan's hosts offer from which more of a resource is tried though no bound points at it."""

WEIGHTY = 0.2
"""Share of the bound from which a resource binds."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Pools that share hosts, as a problem of their own: what their part of the plan comes to, and its lower bound."""

    pools: tuple[str, ...]
    alone: bool
    before: float
    least: float


def limits(problem: Problem, result: Result, sums: pd.DataFrame, trials: Trials) -> tuple[pd.DataFrame, list[str]]:
    """A row for each pool and resource, with the columns of `COLUMNS`, and a sentence for each pool."""
    hosts = rows_of(problem, result.plan)
    groups = () if result.bound is None else result.bound.evidence
    group_of = {pool: group for group in groups for pool in group["pools"]}
    rows, sentences = [], []
    for pool in problem.pools:
        part = _part(problem, result, hosts, group_of.get(pool))
        shares = bound_shares(problem, group_of[pool], pool, sums) if pool in group_of else {}
        own = []
        for row in sums[sums["pool"] == pool].sort_values("alone", ascending=False).itertuples():
            mine = hosts[hosts["pool"] == pool]
            used = used_share(problem, pool, mine, row.resource)
            leans = shares.get(row.resource, 0.0)
            forced = problem.objective == "hosts" and row.hosts_by_division == len(mine)
            # One host and its reserve are the fewest there can be: then no resource binds, whatever the bound rests on.
            suspected = bool(forced or leans >= WEIGHTY) and len(mine) > 1 + problem.policy.failover.hosts
            # What a bound on money rests on is no single resource: there the use says which ones may bind.
            scarce = problem.objective != "hosts" and used >= SCARCE
            step, trial = _saving(problem, part, pool, row.resource, scarce or suspected, trials)
            saved = None if trial.value is None else max(part.before - trial.value, 0.0)
            due = trial.value is not None and _due(part, trial.value)
            own.append(
                {
                    "pool": pool,
                    "resource": row.resource,
                    "used_share": used,
                    "bound_share": leans if pool in group_of else np.nan,
                    "binding": "yes" if suspected or due else "no",
                    "step": step,
                    "before": part.before,
                    "after": None if trial.value is None else min(trial.value, part.before),
                    "saved": saved,
                    "unit": result.objective_unit,
                    "due": "yes" if due else "" if not saved else "not known",
                    "status": trial.status,
                }
            )
        rows += own
        count, best = int((hosts["pool"] == pool).sum()), part.before <= part.least * (1 + ROUNDING)
        sentences.append(_sentence(problem, pool, own, count, best))
    return pd.DataFrame(rows, columns=list(COLUMNS)), sentences


def _part(problem: Problem, result: Result, hosts: pd.DataFrame, group: dict | None) -> Part:
    before = None if group is None else used_by(problem, result, hosts, group["pools"])
    if before is None or len(group["pools"]) == len(problem.pools):
        least = 0.0 if result.bound is None else result.bound.value
        return Part(pools=problem.pools, alone=False, before=result.objective_value, least=least)
    return Part(pools=group["pools"], alone=True, before=before, least=group["value"])


def _due(part: Part, value: float) -> bool:
    """Whether a better value is due to the change: below its bound, the problem as it is has no plan."""
    return value < part.least * (1 - ROUNDING)


def _saving(
    problem: Problem, part: Part, pool: str, resource: str, suspected: bool, trials: Trials
) -> tuple[str, Trial]:
    """The least of a few steps that saves something, and the trial of it; the largest step tried where none does."""
    kept: tuple[str, Trial] | None = None
    last = "", Trial(status="not tried")
    for multiple in MULTIPLES if suspected else MULTIPLES[:1]:
        added = _step(problem, pool, resource, multiple)
        if added is None:
            break
        tried = trials.solve(partial(_raised, problem, part, pool, resource, added[0]))
        if tried.status == "not tried" and last[0]:
            break
        last = added[1], tried
        if tried.value is None or _due(part, tried.value):
            return last
        if kept is None and tried.value < part.before * (1 - ROUNDING):
            kept = last
    return kept or last


def _step(
    problem: Problem, pool: str, resource: str, multiple: int
) -> tuple[Callable[[pd.Series], pd.Series], str] | None:
    """How a figure of hosts grows by so many steps, and how that is said; None where no host has the figure."""
    column = FIGURES.get(resource, resource)
    tables = [problem.inventory.hosts, problem.host_models]
    if not any(column in table and table[column].notna().any() for table in tables):
        return None
    if resource in STEPS:
        size, unit = STEPS[resource]
        return (lambda figures: figures + size * multiple), f"{size * multiple:,} {unit} more a host"
    return (lambda figures: figures * (1 + 0.1 * multiple)), f"{10 * multiple} % more a host"


def _raised(problem: Problem, part: Part, pool: str, resource: str, grow: Callable[[pd.Series], pd.Series]) -> Problem:
    """The part's problem with more of a resource on every host that may serve a pool."""
    column = FIGURES.get(resource, resource)

    def raised(table: pd.DataFrame) -> pd.DataFrame:
        if column not in table:
            return table
        here = np.ones(len(table), dtype=bool) if problem.merge_pools else table["pool"].isin(["", pool]).to_numpy()
        return table.assign(**{column: grow(table[column]).where(here, table[column])})

    inventory = replace(problem.inventory, hosts=raised(problem.inventory.hosts))
    changed = problem.replace(inventory=inventory, host_models=raised(problem.host_models))
    return only_pools(changed, part.pools) if part.alone else changed


def _sentence(problem: Problem, pool: str, rows: list[dict], count: int, best: bool) -> str:
    where, k = pools_named([pool]), problem.policy.failover.hosts
    binding = [row for row in rows if row["binding"] == "yes"]
    most = max((row["used_share"] for row in binding), default=np.inf)
    close = [row for row in rows if row["binding"] == "no" and row["used_share"] >= CLOSE * most]
    slack = [row for row in rows if row["binding"] == "no" and row not in close]
    kept, running = f" with {lost(problem.policy.failover)} lost" if k else "", count
    if k and problem.policy.failover.mode == "spare":
        kept, running = f" beside the {k} spare", count - k
    found = [
        f"{called(row['resource'])} binds, {_percent(row['used_share'])} of what the {running:,} hosts "
        f"offer{kept} is needed; {_saved(problem, row)}."
        for row in binding
    ]
    found = [f"{where}: {found[0]}", *map(opening, found[1:])] if found else []
    if not binding and not best and count > 1 + k:
        needed = joined(f"{called(row['resource'])} ({_percent(row['used_share'])})" for row in slack)
        return (
            f"{where}: which resource binds is not known, since no plan is proven to be the best; of what the "
            f"{running:,} hosts offer{kept} are needed: {needed}."
        )
    if not binding:
        found.append(f"{where}: {_otherwise(problem, count)}.")
    if close:
        near = joined(f"{called(row['resource'])} ({_percent(row['used_share'])} needed)" for row in close)
        found.append(f"{opening(near)} {'are' if len(close) > 1 else 'is'} nearly as scarce.")
    if slack:
        used = joined(f"{called(row['resource'])} ({_percent(row['used_share'])} needed)" for row in slack)
        tried = all(row["status"] == "optimal" for row in slack)
        saves = ", and more of it saves nothing" if tried and len(slack) == 1 else ""
        saves = ", and more of any one of them saves nothing" if tried and len(slack) > 1 else saves
        found.append(f"{opening(used)} {'do' if len(slack) > 1 else 'does'} not bind{saves}.")
    return " ".join(found)


def _percent(share: float) -> str:
    """A share as percent; 99.7 % does not become 100 %."""
    return f"{share:.1%}" if 0.985 < share < 1 else f"{share:.0%}"


def _saved(problem: Problem, row: dict) -> str:
    if row["saved"] is None:
        return "what more of it would save was not found in time"
    if not row["saved"]:
        known = "" if row["status"] == "optimal" else ", as far as the time allowed to see"
        return f"even {row['step']} saves nothing by itself{known}"
    least = "" if row["status"] == "optimal" else "at least "
    after = (
        f"{row['after']:,.0f} instead of {row['before']:,.0f}" if problem.objective == "hosts" else "before its price"
    )
    amount = valued(problem, row["saved"], row["unit"])
    if row["due"] != "yes":
        return f"with {row['step']} a plan of {amount} less was found, though one might exist without"
    return f"{row['step']} saves {least}{amount} ({after})"


def _otherwise(problem: Problem, hosts: int) -> str:
    k = problem.policy.failover.hosts
    if hosts <= 1 + k:
        return f"no resource binds; one host{f' and {k} in reserve' if k else ''} is the fewest there can be"
    rules = ", and the rules that they keep to" if problem.laws else ""
    return f"no single resource binds; what decides is how the workloads fit together on whole hosts{rules}"
