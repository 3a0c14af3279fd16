"""failures(problem, plan): what becomes of a plan when hosts are lost, case by case."""

from __future__ import annotations

import time

import pandas as pd

from planner.errors import InputError
from planner.losses import losses
from planner.plan import Plan
from planner.policy import Failover
from planner.problem import Problem
from planner.settings import require
from planner.solvers.evacuation import evacuated, worst
from planner.solvers.survivors import Estate

FAILURE_COLUMNS = (
    "case", "survives", "proven", "workloads_lost", "worst_resource", "used_share", "not_restarted",
)  # fmt: skip


def failures(
    problem: Problem, plan: Plan, hosts: int = 1, within: str = "host", *, time_limit: float = 60.0
) -> pd.DataFrame:
    """What becomes of a plan when hosts are lost: restarts are searched for in every case, whatever the policy.

    What is not lost stays; the lost workloads restart on the plan's other hosts, under every rule, in the capacity that
    the policy's failover relaxes where it does.

    Parameters
    ----------
    problem : Problem
    plan : Plan
        Ours or anybody's, every workload on a host that the problem knows.
    hosts : int
        How many are lost at once: every set of 1 to so many hosts of a pool, or domains.
    within : str
        What is lost as one: "host", or a column of the hosts such as "rack".
    time_limit : float
        Seconds after which the cases that are left are looked at by best fit alone.

    Returns
    -------
    DataFrame
        One row per case, the fullest first: case; survives; proven, whether that is certain (a False in both means that
        no restart was found); workloads_lost; worst_resource and used_share, the share of what is left that all
        workloads of the pool need of the scarcest resource; not_restarted, a tuple of workloads.

    Raises
    ------
    InputError
        No Plan, a number out of range, a column that is not there, a host without a domain, too many cases, or a plan
        that does not place every workload.
    """
    if not isinstance(plan, Plan):
        raise InputError(f"plan: found {type(plan).__name__}, expected a Plan; read_plan(file).plan is one")
    require(hosts, "failures hosts", 1, 64)
    require(time_limit, "failures time_limit", 0, 1e7)
    failover = Failover(hosts=hosts, mode="verified", within=within)
    estate, until = Estate(problem, plan), time.monotonic() + time_limit
    domain = estate.domain(within)
    if (domain == "").any():
        name = estate.names[domain == ""][0]
        raise InputError(f"host {name!r}: {within} is blank; failures within {within!r} need it for every host in use")
    cases = losses(estate.names, domain, estate.pool, estate.loaded, failover)
    rows = []
    for number, name in enumerate(cases.names):
        lost = cases.lost(number)
        found = evacuated(estate, lost, lambda: until - time.monotonic())
        full = worst(estate, cases, number)
        left = sorted(str(estate.workload_names[w]) for item in found.homeless for w in item)
        rows.append(
            (
                name, not left, found.proven, len(estate.carried(lost)), full.resource, full.used_share, tuple(left),
            )
        )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(FAILURE_COLUMNS))
    return table.sort_values(["survives", "used_share"], ascending=[True, False], kind="stable", ignore_index=True)
