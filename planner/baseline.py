"""Today's estate: a Plan of the same type, and the hosts it runs on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner import catalogue
from planner.plan import Plan
from planner.prices import Prices, exchanged
from planner.problem import Problem
from planner.units import counted


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """What runs today.

    Parameters
    ----------
    plan : Plan
        Workloads on the hosts that the export names for them; hosts that carry nothing are its spares.
    hosts : DataFrame
        One row per running host, columns of the host table.
    bought : bool
        Whether these hosts have to be paid for; owned ones are paid already.
    assumption : str
        What the comparison rests on, in one sentence.
    """

    plan: Plan
    hosts: pd.DataFrame
    bought: bool
    assumption: str


def today(problem: Problem) -> Baseline:
    """The estate that a plan is compared with.

    Owned hosts, all of them running, where the inventory has any; the hosts that workloads name where it has not; and
    one physical server per workload where nothing is known, of the model `prices.physical_server` of the catalogue.
    Owned hosts in maintenance that carry nothing do not count: a plan neither runs them nor gives them up.
    """
    owned, workloads = problem.hosts[problem.hosts["owned"]], problem.workloads
    if len(owned):
        return _of_owned(owned, workloads)
    if (workloads["host"] != "").any():
        named = workloads["host"].where(workloads["host"] != "", "server of " + workloads["name"])
        why = "the hosts that the workloads name"
    else:
        named = "server of " + workloads["name"]
        why = "one physical server per workload"
    needs = workloads.groupby(named.to_numpy(), sort=False)[["vcpus", "memory_gib"]].max()
    hosts = _physical_servers(needs, problem.prices)
    model = dict(zip(hosts["name"], hosts["model"], strict=True))
    placement = pd.DataFrame(
        {"workload": workloads["name"], "host": named, "model": named.map(model), "pool": workloads["pool"]}
    )
    kinds = ", ".join(f"{count:,} of {name}" for name, count in hosts["model"].value_counts().items())
    return Baseline(
        plan=Plan.from_frames(placement),
        hosts=hosts,
        bought=True,
        assumption=(
            f"No hosts are given, so today means {why}: {kinds}, models of the catalogue "
            f"({problem.prices.physical_server}, or the cheapest with enough cores and memory), "
            "each bought once in the horizon like the plan's hosts."
        ),
    )


def _of_owned(owned: pd.DataFrame, workloads: pd.DataFrame) -> Baseline:
    """Owned hosts with what they carry."""
    shut = owned["available"] == 0
    aside = shut & ~owned["name"].isin(workloads["host"])
    told = _in_maintenance(int(aside.sum()), owned.loc[shut & ~aside, "name"].tolist())
    owned = owned[~aside].reset_index(drop=True)
    known = workloads["host"].isin(owned["name"])
    placed = workloads[known]
    placement = pd.DataFrame(
        {
            "workload": placed["name"],
            "host": placed["host"],
            "model": placed["host"].map(dict(zip(owned["name"], owned["model"], strict=True))),
            "pool": placed["pool"],
        }
    )
    idle = owned[~owned["name"].isin(placed["host"])]
    unknown = int((~known).sum())
    where = f"; today's host of {counted(unknown, 'workload')} is not known" if unknown else ""
    return Baseline(
        plan=Plan.from_frames(placement, idle.rename(columns={"name": "host"})[["host", "model", "pool"]]),
        hosts=owned,
        bought=False,
        assumption=f"{_running(len(owned))}{where}{told}.",
    )


def _running(hosts: int) -> str:
    if hosts == 1:
        return "Today the one owned host runs; it is paid for already"
    return f"Today all {hosts:,} owned hosts run; they are paid for already"


def _in_maintenance(idle: int, loaded: list[str]) -> str:
    """What is told of hosts that a plan may neither use nor give up."""
    carry = "carries" if idle == 1 else "carry"
    told = f"; {idle:,} more in maintenance {carry} nothing: counted neither today nor in the plan" if idle else ""
    if loaded:
        more = f" and {len(loaded) - 1:,} more" if len(loaded) > 1 else ""
        told += f"; in maintenance with workloads on it, so counted today and not in the plan: {loaded[0]}{more}"
    return told


def _physical_servers(needs: pd.DataFrame, prices: Prices) -> pd.DataFrame:
    """A server of the catalogue for each row of needs: the usual one, or the cheapest that has the cores and memory.

    Parameters
    ----------
    needs : DataFrame
        vcpus and memory_gib of the largest workload on each server, index the server's name.
    prices : Prices
        With the host model to take where it is large enough.
    """
    usual = catalogue.host_models(prices.physical_server).head(1)
    models = exchanged(pd.concat([usual, catalogue.host_models().sort_values("price")]), prices)
    cores, memory = models["cores"].to_numpy(), models["memory_gib"].to_numpy()
    fits = (cores >= needs["vcpus"].to_numpy()[:, None]) & (memory >= needs["memory_gib"].to_numpy()[:, None])
    largest = int(np.lexsort((cores, memory))[-1])
    chosen = np.where(fits.any(axis=1), fits.argmax(axis=1), largest)
    return models.iloc[chosen].reset_index(drop=True).assign(model=lambda f: f["name"], name=needs.index.to_numpy())


def loads(problem: Problem, baseline: Baseline, busy: np.ndarray, cpu: np.ndarray) -> np.ndarray:
    """Busy CPU of today's hosts; workloads whose host is not known are spread over all hosts by their CPU.

    Parameters
    ----------
    problem : Problem
    baseline : Baseline
    busy : array of float, shape [workload, period]
        Busy CPU of each workload.
    cpu : array of float, shape [host]
        CPU of each host, in the same unit.

    Returns
    -------
    array of float, shape [host, period]
    """
    host = baseline.plan.placement.set_index("workload")["host"].reindex(problem.workloads["name"])
    h = pd.Index(baseline.hosts["name"]).get_indexer(host)
    placed = np.zeros((len(cpu), busy.shape[1]))
    np.add.at(placed, h[h >= 0], busy[h >= 0])
    return placed + busy[h < 0].sum(axis=0) * (cpu / cpu.sum())[:, None]
