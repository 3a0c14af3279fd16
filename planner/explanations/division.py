"""Division: what adding up and dividing says, and where it breaks when the workloads are packed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.explanations.estate import rows_of, serves
from planner.explanations.trials import Trials
from planner.explanations.wording import called, listed, pools_named
from planner.plan import Result
from planner.problem import Problem
from planner.units import counted

COLUMNS = (
    "pool", "resource", "unit", "demand", "per_host", "hosts_by_division", "hosts_by_packing", "difference",
    "homeless", "proof",
)  # fmt: skip


def compared(problem: Problem, result: Result, sums: pd.DataFrame, trials: Trials) -> tuple[pd.DataFrame, list[str]]:
    """Division against packing, one row a pool and resource, with the columns of `COLUMNS`; and a sentence a pool.

    `homeless` names the workloads without a host when the pool is packed onto as many hosts as the division of its
    scarcest resource says, largest workload first, each on the first host with room; `proof` says what is known of
    that number of hosts: "impossible" where the bound is higher, "not known" elsewhere.
    """
    table = sums.drop(columns="alone").assign(hosts_by_packing=np.nan, difference=np.nan, homeless="", proof="")
    if result.plan is None:
        return table[list(COLUMNS)], [_divided_only(problem, pool, sums) for pool in problem.pools]
    hosts, sentences = rows_of(problem, result.plan), []
    for pool in problem.pools:
        used = int((hosts["pool"] == pool).sum())
        mine = table["pool"] == pool
        table.loc[mine, "hosts_by_packing"] = used
        table.loc[mine, "difference"] = used - table.loc[mine, "hosts_by_division"]
        divided = table.loc[mine, "hosts_by_division"].max()
        scarcest = mine & (table["hosts_by_division"] == divided)
        out, proof = [], ""
        if divided < used:
            out = without_host(problem, pool, int(divided), trials)
            proof = "impossible" if _least(problem, result, pool) > divided else "not known"
            table.loc[scarcest, "homeless"], table.loc[scarcest, "proof"] = ", ".join(out), proof
        resource = sums.loc[scarcest].sort_values("alone")["resource"].iloc[-1] if scarcest.any() else ""
        sentences.append(_sentence(problem, pool, resource, divided, used, out, proof))
    return table[list(COLUMNS)], sentences


def _least(problem: Problem, result: Result, pool: str) -> float:
    """Hosts that a pool is proven to need; 0 where the bound does not tell it from others."""
    if problem.objective != "hosts" or result.bound is None:
        return 0.0
    return max((g["value"] for g in result.bound.evidence if tuple(g["pools"]) == (pool,)), default=0.0)


def without_host(problem: Problem, pool: str, count: int, trials: Trials) -> list[str]:
    """Workloads that find no host when a pool is packed onto so many of its largest hosts, largest workload first.

    Resources alone are looked at, no rule; the reserve for lost hosts is kept free.
    """
    available, lost = problem.hosts["available"].to_numpy(), problem.policy.failover
    rows = np.flatnonzero(serves(problem, pool) & (available > 0))
    inside = np.flatnonzero(problem.workloads["pool"].to_numpy() == pool)
    problem = problem.in_failure if lost.is_verified else problem
    demand, capacity = problem.demand[inside], problem.capacity[rows]
    scale = np.where(np.isfinite(capacity), capacity, 0.0).max(axis=0)
    share = (demand.max(axis=2) / np.maximum(scale, 1e-12)).max(axis=1)
    size = (np.minimum(capacity, scale) / np.maximum(scale, 1e-12)).min(axis=1)
    each = np.repeat(rows, np.minimum(available[rows], count).astype(int))
    each = each[np.argsort(-np.repeat(size, np.minimum(available[rows], count).astype(int)), kind="stable")][:count]
    each = each[lost.hosts :]
    left = np.repeat(problem.capacity[each][:, :, None], demand.shape[2], axis=2)
    slack = 1e-9 * np.where(np.isfinite(left), left, 1.0)
    out = []
    for w in np.argsort(-share, kind="stable").tolist():
        if trials.clock.cancelled:
            break
        fits = np.flatnonzero((demand[w] <= left + slack).all(axis=(1, 2)))
        if len(fits):
            left[fits[0]] -= demand[w]
        else:
            out.append(str(problem.workloads["name"].iloc[inside[w]]))
    return out


def _sentence(problem: Problem, pool: str, resource: str, divided: float, used: int, out: list[str], proof: str) -> str:
    where = pools_named([pool])
    if not resource or np.isnan(divided):
        return f"{where}: no resource limits the hosts, so there is nothing to divide."
    reserve = ", reserve included" if problem.policy.failover.hosts else ""
    says = f"{where}: adding up and dividing {called(resource)} says {counted(divided, 'host')}{reserve}"
    if divided == used:
        return f"{says}, and here packing needs no more."
    if problem.objective != "hosts":
        return f"{says}; the plan runs {used:,}, since least {problem.objective} is asked for, not fewest hosts."
    if divided > used:
        return f"{says}, and packing needs {used:,}."
    proven = proof == "impossible"
    if out:
        known = "and it is proven that no packing does better" if proven else "though a better packing might exist"
        verb = "finds" if len(out) == 1 else "find"
        breaks = f"packed onto {divided:,.0f}, largest first, {listed(out, most=3)} {verb} no host, {known}"
    else:
        known = "fewer is proven impossible" if proven else "whether fewer would do is not known"
        more = _asking(problem)
        breaks = f"by their sizes alone all would fit on {divided:,.0f}, it is {more} that ask for more; {known}"
    return f"{says}; packing needs {used:,}: {breaks}."


def _asking(problem: Problem) -> str:
    """What may ask for more hosts than sizes do."""
    failover = problem.policy.failover
    if failover.within == "host":
        return "restarts, workload by workload," if failover.is_verified and not problem.laws else "the rules"
    what = f"losses of a whole {failover.within.replace('_', ' ')}"
    return f"the rules and {what}" if problem.laws else what


def _divided_only(problem: Problem, pool: str, sums: pd.DataFrame) -> str:
    mine = sums[sums["pool"] == pool]
    short = mine[mine["hosts_by_division"].isna()]
    if len(short):
        row = short.iloc[0]
        return (
            f"{pools_named([pool])}: adding up {called(row['resource'])} is enough to see that the hosts do not "
            f"suffice: {row['demand']:,.6g} {row['unit']} are needed, reserve not counted."
        )
    if mine.empty:
        return f"{pools_named([pool])}: no resource limits the hosts, so there is nothing to divide."
    row = mine.sort_values(["hosts_by_division", "alone"], ascending=False).iloc[0]
    return (
        f"{pools_named([pool])}: adding up and dividing {called(row['resource'])} says "
        f"{counted(row['hosts_by_division'], 'host')}; packing knows no plan at all."
    )
