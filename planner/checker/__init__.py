"""check(problem, plan): the specification. It trusts no solver and shares no code with any.

A plan is accepted when

1. every workload of the problem is placed exactly once, and nothing else is placed;
2. every host is an owned host, or one of as many of a host model as can be bought;
3. a host carries workloads of one pool, and only of a pool that it serves;
4. on every host, for every resource and period, the sum of demands is at most the capacity; and where the problem is
   planned by the hour, so is at every sample of the full series the sum of what the workloads were measured to use,
   clipped to the policy's percentile of each hour, grown, and with overhead;
5. every placement rule holds;
6. in every pool the policy's failover reserve is there; and where it is to be verified, the plan's own restarts show
    for every case of failure that each lost workload has a place: `checker.restarts` says how they are judged;
7. where pools share their storage, every pool has what its workloads need of it, and the hosts that it takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from planner.checker.failover import failover_violations
from planner.checker.rules import rule_violations
from planner.checker.storage import storage_violations
from planner.checker.violation import TOLERANCE, Violation
from planner.errors import did_you_mean
from planner.plan import Plan
from planner.problem import Problem
from planner.replay import excesses


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Every way in which a plan breaks the problem, judged on the original numbers.

    Parameters
    ----------
    problem : Problem
    plan : Plan
        Ours or anybody's.

    Returns
    -------
    list of Violation
        Empty for a valid plan.
    """
    violations = list(_coverage(problem, plan))
    hosts, found = _hosts(problem, plan)
    violations += found
    placed = _placed(problem, plan, hosts)
    load = _load(problem, placed, len(hosts))
    violations += _capacity(problem, hosts, load)
    violations += _at_samples(problem, hosts, placed)
    violations += _pools(problem, plan, placed, hosts)
    violations += rule_violations(problem, _at(problem, placed), hosts)
    of_pool = _pool_of_hosts(problem, hosts, placed)
    violations += failover_violations(problem, plan, hosts, placed, of_pool, load)
    violations += storage_violations(problem, hosts["row"].to_numpy("int64"), of_pool)
    return violations


def _among(values: pd.Series, known: Iterable[str]) -> pd.Series:
    """Which values are known; as objects, since text columns of pandas take a second for a hundred thousand."""
    return values.astype(object).isin(list(known))


def _coverage(problem: Problem, plan: Plan) -> Iterator[Violation]:
    wanted, given = problem.workloads["name"], plan.placement["workload"]
    for name in wanted[~_among(wanted, given)]:
        yield Violation(kind="not placed", message=f"workload {name!r} is on no host", workload=name)
    for name in given[given.duplicated()].unique():
        yield Violation(kind="placed twice", message=f"workload {name!r} stands more than once", workload=name)
    left_out = set(problem.inventory.left_out["name"])
    for name in given[~_among(given, wanted)].unique():
        why = " (it was left out)" if name in left_out else did_you_mean(name, wanted.head(1000))
        yield Violation(
            kind="unknown workload", message=f"workload {name!r} is not in the inventory{why}", workload=name
        )


def _hosts(problem: Problem, plan: Plan) -> tuple[pd.DataFrame, list[Violation]]:
    """Hosts of the plan with `row`, their row in problem.hosts (-1 where there is none), and what is wrong."""
    every = pd.concat([plan.placement[["host", "model", "pool"]], plan.spares], ignore_index=True)
    hosts = every.drop_duplicates("host").reset_index(drop=True)
    names, is_owned = problem.hosts["name"], problem.hosts["owned"]
    owned_rows, model_rows = (dict(zip(names[mine], names.index[mine], strict=True)) for mine in (is_owned, ~is_owned))
    hosts["row"] = [
        owned_rows.get(host, model_rows.get(model, -1))
        for host, model in zip(hosts["host"], hosts["model"], strict=True)
    ]
    hosts["spare"] = ~_among(hosts["host"], plan.placement["host"])
    found = []
    unknown = hosts[hosts["row"] < 0]
    for host, model in zip(unknown["host"], unknown["model"], strict=True):
        named = f" of model {model!r}" if model else ""
        hint = did_you_mean(model or host, [*model_rows, *list(owned_rows)[:1000]])
        message = f"host {host!r}{named} is neither owned nor of a host model that can be bought{hint}"
        found.append(Violation(kind="unknown host", message=message, host=host))
    mixed = every.drop_duplicates(["host", "model"])
    for host in mixed.loc[mixed["host"].duplicated() & ~mixed["host"].isin(owned_rows), "host"].unique():
        found.append(Violation(kind="two models", message=f"host {host!r} stands with two models", host=host))
    for host in plan.spares.loc[
        plan.spares["host"].duplicated() | plan.spares["host"].isin(plan.placement["host"]), "host"
    ]:
        found.append(
            Violation(kind="spare twice", message=f"spare host {host!r} is listed or used elsewhere", host=host)
        )
    for row, count in hosts.loc[hosts["row"] >= 0, "row"].value_counts().items():
        limit = problem.hosts.at[row, "available"]
        if count > limit:
            name = problem.hosts.at[row, "name"]
            message = f"{count:,} hosts of {name!r} are used, {limit:,.0f} are available"
            found.append(Violation(kind="too many hosts", message=message, found=float(count), limit=float(limit)))
    return hosts, found


def _placed(problem: Problem, plan: Plan, hosts: pd.DataFrame) -> pd.DataFrame:
    """Placements of known workloads: `w`, position in problem.workloads, and `h`, position in `hosts`."""
    names = problem.workloads["name"]
    position = pd.Series(np.arange(len(names)), index=names.to_numpy())
    at = pd.Series(np.arange(len(hosts)), index=hosts["host"].to_numpy())
    known = plan.placement[_among(plan.placement["workload"], names)]
    return pd.DataFrame(
        {"w": position.loc[known["workload"]].to_numpy(), "h": at.loc[known["host"]].to_numpy()}, dtype="int64"
    )


def _load(problem: Problem, placed: pd.DataFrame, hosts: int) -> np.ndarray:
    """Summed demand, shape [host, resource, period]."""
    load = np.zeros((hosts, *problem.demand.shape[1:]))
    np.add.at(load, placed["h"].to_numpy(), problem.demand[placed["w"].to_numpy()])
    return load


def _capacity(problem: Problem, hosts: pd.DataFrame, load: np.ndarray) -> Iterator[Violation]:
    known = np.flatnonzero(hosts["row"] >= 0)
    capacity = problem.capacity[hosts["row"].to_numpy()[known]]
    peak = load[known].max(axis=2)
    for h, r in zip(*np.nonzero(peak > capacity + TOLERANCE * np.maximum(capacity, 1)), strict=True):
        host, resource, unit = hosts["host"].iloc[known[h]], problem.resources[r], problem.unit(problem.resources[r])
        when = problem.policy.time.label(int(load[known[h], r].argmax()))
        at = f" at {when}" if when else ""
        carries = f"host {host!r} carries {peak[h, r]:,.6g} {unit} of {resource}{at}"
        yield Violation(
            kind="over capacity",
            message=f"{carries}, it may carry {capacity[h, r]:,.6g}",
            host=host,
            resource=resource,
            found=float(peak[h, r]),
            limit=float(capacity[h, r]),
            when=when,
        )


def _at_samples(problem: Problem, hosts: pd.DataFrame, placed: pd.DataFrame) -> Iterator[Violation]:
    """What is over capacity at a sample of the full series, where the problem is planned by the hour."""
    if problem.timeline is None:
        return
    rows = hosts["row"].to_numpy()
    capacity = np.where((rows >= 0)[:, None], problem.capacity[rows], np.nan)
    for excess in excesses(problem, capacity, placed, TOLERANCE):
        host, resource = hosts["host"].iloc[excess.host], problem.resources[excess.resource]
        more = f" (and at {excess.samples - 1:,} more samples)" if excess.samples > 1 else ""
        yield Violation(
            kind="over capacity",
            message=(
                f"host {host!r} carries {excess.found:,.6g} {problem.unit(resource)} of {resource} at {excess.when}, "
                f"it may carry {excess.limit:,.6g}{more}"
            ),
            host=host,
            resource=resource,
            found=excess.found,
            limit=excess.limit,
            when=excess.when,
        )


def _pools(problem: Problem, plan: Plan, placed: pd.DataFrame, hosts: pd.DataFrame) -> Iterator[Violation]:
    real = dict(zip(problem.workloads["name"], problem.workloads["pool"], strict=True))
    stated = plan.placement[(plan.placement["pool"] != "") & _among(plan.placement["workload"], real)]
    wrong = stated[stated["pool"] != stated["workload"].map(real)]
    for workload, pool, host in zip(wrong["workload"], wrong["pool"], wrong["host"], strict=True):
        message = f"workload {workload!r} is stated in pool {pool!r}, it belongs to {real[workload]!r}"
        yield Violation(kind="wrong pool", message=message, host=host, workload=workload)
    names, carried = hosts["host"].to_numpy(), problem.workloads["pool"].to_numpy()[placed["w"].to_numpy()]
    pairs = list(dict.fromkeys(zip(placed["h"].tolist(), carried.tolist(), strict=True)))
    of_host: dict[int, list[str]] = {}
    for h, pool in pairs:
        of_host.setdefault(h, []).append(pool)
    for h, pools in sorted(of_host.items()):
        if len(pools) > 1:
            message = f"host {names[h]!r} carries workloads of pools {', '.join(sorted(map(repr, pools)))}"
            yield Violation(kind="pools mixed", message=message, host=names[h])
    serves, rows, spare = problem.hosts["pool"].to_numpy(), hosts["row"].to_numpy(), np.flatnonzero(hosts["spare"])
    for h, pool in [*pairs, *zip(spare.tolist(), hosts["pool"].to_numpy()[spare], strict=True)]:
        known = rows[h]
        if known >= 0 and serves[known] not in ("", pool):
            message = f"host {names[h]!r} serves pool {serves[known]!r} and is used for pool {pool!r}"
            yield Violation(kind="wrong pool", message=message, host=names[h])


def _at(problem: Problem, placed: pd.DataFrame) -> np.ndarray:
    """Position in the plan's hosts of the host of each workload, -1 where it is on none."""
    at = np.full(len(problem.workloads), -1, dtype="int64")
    at[placed["w"].to_numpy()] = placed["h"].to_numpy()
    return at


def _pool_of_hosts(problem: Problem, hosts: pd.DataFrame, placed: pd.DataFrame) -> np.ndarray:
    """Pool of each host: its workloads', else the one that the plan states, else the one that the host serves."""
    serves = np.array([problem.hosts["pool"].iloc[row] if row >= 0 else "" for row in hosts["row"]], dtype=object)
    stated = hosts["pool"].to_numpy(dtype=object)
    pools = np.where(stated != "", stated, serves)
    if len(problem.pools) == 1:
        pools = np.where(pools == "", problem.pools[0], pools)
    pools[placed["h"].to_numpy()] = problem.workloads["pool"].to_numpy()[placed["w"].to_numpy()]
    return pools
