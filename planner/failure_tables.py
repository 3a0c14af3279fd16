"""Failure tables: the cases of failure of a plan that states its restarts, as people read them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.checker.violation import Violation
from planner.losses import MOST_CASES, case_count, losses
from planner.plan import ANY, Plan
from planner.policy import Failover
from planner.problem import Problem
from planner.solvers.evacuation import worst
from planner.solvers.survivors import Estate

MOST_ROWS = 1_000
"""Cases that a table shows at most."""

COLUMNS = ("case", "workloads_lost", "worst_resource", "used_share", "restart_on", "verdict")


def failure_table(problem: Problem, plan: Plan, violations: list[Violation]) -> pd.DataFrame | None:
    """The cases of failure, the worst first; None where the policy does not verify failover.

    Where the cases of `failover.hosts` lost at once are too many to list, those of fewer are. A plan that leaves a
    workload out or names an unknown host has no cases: its verdict says what is wrong.

    Returns
    -------
    DataFrame or None
        case, workloads_lost, worst_resource, used_share (see `evacuation.worst`), restart_on (how many hosts, or "spare
        hosts" that take over whole), verdict.
    """
    failover = problem.policy.failover
    if not failover.is_verified:
        return None
    if any(violation.kind in ("not placed", "unknown host") for violation in violations):
        return pd.DataFrame(columns=list(COLUMNS))
    estate = Estate(problem, plan)
    domain = estate.domain(failover.within)
    cases = losses(estate.names, domain, estate.pool, estate.loaded, _listable(failover, domain, estate.pool))
    stated = plan.restarts[plan.restarts["case"] != ANY].groupby("case")["host"].nunique()
    verdict = "see verdict" if any(violation.kind == "failover" for violation in violations) else "survives"
    rows = []
    for number, name in enumerate(cases.names):
        full = worst(estate, cases, number)
        on = f"{stated[name]:,}" if name in stated.index else "spare hosts"
        lost = len(estate.carried(cases.lost(number)))
        rows.append((name, lost, full.resource, full.used_share, on, verdict))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values("used_share", ascending=False, kind="stable", ignore_index=True).head(MOST_ROWS)


def _listable(failover: Failover, domain: np.ndarray, pool: np.ndarray) -> Failover:
    """The failover with as many hosts lost at once as makes no more cases than can be listed."""
    by_host = failover.within == "host"
    groups = pd.Series(pool).value_counts().tolist() if by_host else [len(set(domain))]
    k = max(k for k in range(1, failover.hosts + 1) if k == 1 or case_count(groups, k) <= MOST_CASES // 10)
    return Failover(hosts=k, mode="verified", within=failover.within)
