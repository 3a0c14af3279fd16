"""Why not one host fewer: the argument of the bound in words, from the evidence that it carries."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.explanations.estate import ROUNDING, in_pieces, rows_of
from planner.explanations.wording import called, joined, listed, lost, pools_named, valued
from planner.plan import Result
from planner.problem import Problem
from planner.units import counted

COLUMNS = ("pool", "method", "at_least", "used", "unit", "proven", "argument")


def argued(problem: Problem, result: Result, sums: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The argument for each set of pools that share hosts: a table with the columns of `COLUMNS`, and sentences.

    Parameters
    ----------
    problem : Problem
    result : Result
        With a plan.
    sums : DataFrame
        As `reckoned` has them.
    """
    if result.bound is None:
        sentence = f"No lower bound is proven, so nobody knows whether fewer than {result.hosts_used} hosts would do."
        return pd.DataFrame(columns=list(COLUMNS)), [sentence]
    hosts = rows_of(problem, result.plan)
    rows, sentences = [], []
    for group in result.bound.evidence:
        used = used_by(problem, result, hosts, group["pools"])
        proven = used is not None and used <= group["value"] * (1 + ROUNDING)
        argument = _argument(problem, group, sums)
        rows.append(
            {
                "pool": ", ".join(filter(None, group["pools"])),
                "method": group["method"],
                "at_least": group["value"],
                "used": used,
                "unit": result.objective_unit,
                "proven": "yes" if proven else "no" if used is not None else "",
                "argument": argument,
            }
        )
        sentences.append(_sentence(problem, group, used, proven, argument, result.objective_unit))
    return pd.DataFrame(rows, columns=list(COLUMNS)), sentences


def used_by(problem: Problem, result: Result, hosts: pd.DataFrame, pools: tuple[str, ...]) -> float | None:
    """What the plan's hosts of some pools come to; None where the objective does not tell pools apart."""
    if len(pools) == len(problem.pools):
        return result.objective_value
    return float(hosts["pool"].isin(pools).sum()) if problem.objective == "hosts" else None


def _sentence(problem: Problem, group: dict, used: float | None, proven: bool, argument: str, unit: str) -> str:
    where = pools_named(group["pools"])
    least = valued(problem, group["value"], unit)
    if used is None:
        return f"{where} cannot do with less than {least}: {argument}."
    if proven:
        few = "fewer" if problem.objective == "hosts" else "less"
        verb = "need" if where.startswith("Pools") else "needs"
        return f"{where} {verb} {least}, and {few} is impossible: {argument}."
    kept = valued(problem, used, unit)
    verb = "use" if where.startswith("Pools") else "uses"
    next_one = problem.objective == "hosts" and used - group["value"] == 1
    unknown = f"{group['value']:,.0f} would do" if next_one else "anything between the two is possible"
    return (
        f"{where} {verb} {kept} and at least {least} {'is' if group['value'] == 1 else 'are'} needed ({argument}): "
        f"whether {unknown} is not known."
    )


def _argument(problem: Problem, group: dict, sums: pd.DataFrame) -> str:
    if group["search"]:
        return (
            "an exhaustive search (CP-SAT) over all placements found none with less; no sum or weighting says so in "
            "fewer words"
        )
    if problem.objective != "hosts":
        return _by_price(problem, group)
    parts, total = [], 0.0
    for pool in group["pools"]:
        hosts, words = _of_pool(problem, group, pool, sums)
        named = f"in pool {pool} " if pool and len(group["pools"]) > 1 else ""
        parts.append(named + words)
        total += hosts
    if total < group["value"] * (1 - ROUNDING):
        failover = problem.policy.failover
        lost_too = f", with {lost(failover)} lost," if failover.within != "host" else ""
        parts.append(f"and no mix of the hosts that are there covers all resources at once{lost_too} with fewer")
    return "; ".join(parts)


def _by_price(problem: Problem, group: dict) -> str:
    weighed = sorted({w["method"] for w in group["weightings"]})
    k = problem.policy.failover.hosts
    reserve = f", and {'one more that may fail' if k == 1 else f'{k} more that may fail'}" if k else ""
    weights = f", and what the weights of {joined(weighed)} ask for" if weighed else ""
    return (
        f"the hosts of any plan offer all the {joined(map(called, problem.resources))} that is needed in "
        f"sum{reserve}{weights}; none that do come to less"
    )


def _of_pool(problem: Problem, group: dict, pool: str, sums: pd.DataFrame) -> tuple[float, str]:
    """How many hosts the strongest argument for a pool asks for, and that argument."""
    mine = sums[(sums["pool"] == pool) & sums["hosts_by_division"].notna()]
    hosts, words = 1.0, "there is something to carry"
    if len(mine):
        largest = mine.sort_values(["hosts_by_division", "alone"], ascending=False).iloc[0]
        hosts = largest["hosts_by_division"]
        words = _by_sum(problem, largest) + _anyway(problem, pool, hosts)
        for row in mine.itertuples() if not problem.policy.failover.hosts else ():
            piece, taken = in_pieces(problem, pool, row.resource)
            if taken > hosts:
                hosts, words = taken, _by_pieces(row, piece, taken)
    weighting = strongest(group, pool)
    if weighting is None:
        return hosts, words
    weight, worth = weighting["weight"], max(int(weighting["worth"].max()), 1)
    failover = problem.policy.failover
    on_top = failover.mode == "spare" or (failover.is_verified and not failover.relaxed)
    spare = failover.hosts if on_top else 0
    asked = float(np.ceil(weight.sum() / worth * (1 - ROUNDING))) + spare
    if asked <= hosts:
        return hosts, words
    if weighting["method"] == "groups kept apart":
        return asked, _by_group(problem, pool, weight, worth, asked)
    reserve = f" and {spare} in reserve" if spare else ""
    large = int((weight >= worth).sum())
    crowded = f" ({counted(large, 'workload')} of them fill one each)" if large else ""
    return asked, (
        f"by the weights of {_article(weighting['method'])} no host can carry more than 1, and the workloads weigh "
        f"{_hundredths(weight.sum() / worth)} together{crowded}, so {asked:,.0f}{reserve}"
    )


def _article(method: str) -> str:
    return f"a {method}" if method.endswith("function") else method


def _hundredths(number: float) -> str:
    """Rounded up, so that what is above a whole number is shown to be."""
    return f"{np.ceil(number * 100 * (1 - ROUNDING)) / 100:,.2f}"


def strongest(group: dict, pool: str) -> dict | None:
    """The weighting of a pool that asks for the most of its worthiest hosts; None where there is none."""
    mine = [w for w in group["weightings"] if w["pool"] == pool and w["worth"].max() > 0]
    return max(mine, key=lambda w: w["weight"].sum() / w["worth"].max(), default=None)


def _by_sum(problem: Problem, row: pd.Series) -> str:
    k = problem.policy.failover.hosts
    failed = "1 lost host" if k == 1 else f"{k} lost hosts"
    whole = max(np.ceil(row["alone"] * (1 - ROUNDING)), 1.0)
    if row["hosts_by_division"] <= 1 + k:
        makes = f", and the reserve for {failed} makes it {row['hosts_by_division']:,.0f}" if k else ""
        return f"it takes one host to carry anything{makes}"
    alone = f"{called(row['resource'])} alone needs {_hundredths(row['alone'])} hosts"
    if whole - row["alone"] > ROUNDING:
        alone += f", so {whole:,.0f}"
    if k and row["hosts_by_division"] == whole:
        return f"{alone}, and the reserve for {failed} asks for no more"
    return alone + (f", and with the reserve for {failed} {row['hosts_by_division']:,.0f}" if k else "")


def _by_pieces(row, piece: float, hosts: float) -> str:
    return (
        f"{called(row.resource)} alone needs {_hundredths(row.alone)} hosts, and as every workload takes a multiple of "
        f"{piece:,.6g} {row.unit}, of which a host can hold whole ones only, {hosts:,.0f}"
    )


def _by_group(problem: Problem, pool: str, weight: np.ndarray, most: int, asked: float) -> str:
    members = np.flatnonzero(problem.workloads["pool"].to_numpy() == pool)[weight > 0]
    heads = problem.laws.heads
    wanted = set(heads[members].tolist())
    sources = [law.source for law in problem.laws.apart if wanted <= set(heads[law.members].tolist())]
    by = f" by {sources[0]}" if sources else ""
    names = listed(problem.workloads["name"].iloc[members], most=3)
    return (
        f"{counted(len(members), 'workload')} ({names}) must be kept apart{by}, {most} a host at most, which takes "
        f"{counted(asked, 'host')}"
    )


def _anyway(problem: Problem, pool: str, hosts: float) -> str:
    """The group kept apart that asks for as many hosts for a reason of its own; nothing where there is none."""
    inside = problem.workloads["pool"].to_numpy() == pool
    for law in problem.laws.apart if hosts > 1 else ():
        members = law.members[inside[law.members]]
        if law.domain is None and -(-len(members) // law.at_most) >= hosts:
            names = listed(problem.workloads["name"].iloc[members], most=3)
            return f"; {names} kept apart by {law.source} need {-(-len(members) // law.at_most)} anyway"
    return ""


def bound_shares(problem: Problem, group: dict, pool: str, sums: pd.DataFrame) -> dict[str, float]:
    """How much of the bound rests on each resource, from the bound's own weights: shares that add up to at most 1.

    A weighting is told as a sum of the resources' shares of a host, ``weight[w] ~ sum over r of y[r] demand[w, r]``
    with y >= 0 of least squares; resource r then has ``y[r] sum over w of demand[w, r] / sum of weights``. The volume
    bound has no weights: it rests on the resource that asks for the most hosts.
    """
    mine = sums[(sums["pool"] == pool) & sums["hosts_by_division"].notna()]
    if group["search"] or mine.empty or problem.objective != "hosts":
        return {}
    top = mine.sort_values(["hosts_by_division", "alone"], ascending=False).iloc[0]
    weighting = strongest(group, pool)
    if (
        weighting is not None
        and np.ceil(weighting["weight"].sum() / weighting["worth"].max() - 1e-6) > (top["hosts_by_division"])
    ):
        if weighting["method"] == "groups kept apart":
            return {}
        mine = mine[mine["resource"].isin(problem.resources)]
        at = [problem.resources.index(resource) for resource in mine["resource"]]
        inside = problem.workloads["pool"].to_numpy() == pool
        per_host = mine["per_host"].to_numpy(dtype=float)
        demand = problem.demand[inside][:, at].max(axis=2) / np.where(per_host > 0, per_host, np.inf)
        weight = weighting["weight"] / weighting["worth"].max()
        each = _nonnegative(demand, weight) * demand.sum(axis=0) / max(weight.sum(), 1e-12)
        return dict(zip(mine["resource"], np.clip(each, 0, 1).tolist(), strict=True))
    return {top["resource"]: 1.0}


def _nonnegative(matrix: np.ndarray, target: np.ndarray, sweeps: int = 500) -> np.ndarray:
    """Coefficients >= 0 of least squares, by coordinate descent; a handful of columns."""
    gram, aim = matrix.T @ matrix, matrix.T @ target
    found = np.zeros(matrix.shape[1])
    for _ in range(sweeps):
        for column in np.flatnonzero(np.diag(gram) > 0).tolist():
            rest = aim[column] - gram[column] @ found + gram[column, column] * found[column]
            found[column] = max(rest / gram[column, column], 0.0)
    return found
