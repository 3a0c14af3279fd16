"""Changes: the smallest ones that would make a better plan possible, each confirmed by a plan that was found.

Better means one host fewer; where the objective is not hosts, `CHEAPER` less of it; where there is no plan, any plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd

from planner.explanations.estate import only_pools, reckoned, rows_of
from planner.explanations.proof import strongest, used_by
from planner.explanations.trials import WHISKER, Trial, Trials
from planner.explanations.variants import Law, Setting, laws_of, more_hosts, relaxable, without_laws
from planner.plan import Result
from planner.problem import Problem

COLUMNS = ("kind", "change", "pool", "now", "needed", "before", "after", "unit", "status", "smallest", "reason")
CHEAPER = 0.01
"""Share of an objective other than hosts that counts as better."""

MOST_LEFT_OUT = 64
"""Workloads that are left out at most."""

MOST_PRUNED = 12
"""Workloads left out of which each one is put back to see whether it has to be."""

MOST_PAIRED = 6
"""Rules of which pairs are tried where no single one is enough."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What counts as better: a plan of at most `most`; `before` is the plan's own value, None where there is none."""

    before: float | None
    most: float
    unit: str

    @classmethod
    def of(cls, problem: Problem, before: float | None, unit: str) -> Goal:
        if before is None:
            return cls(before=None, most=math.inf, unit=unit)
        most = before - 1 if problem.objective == "hosts" else before * (1 - CHEAPER)
        return cls(before=before, most=most, unit=unit)


def searched(problem: Problem, result: Result, sums: pd.DataFrame, trials: Trials) -> pd.DataFrame:
    """Candidate changes, one row each, with the columns of `COLUMNS`.

    `status` is "confirmed" where a plan was found and passed the checker, "impossible" where it is proven that even the
    largest change looked at is not enough, "not found" where neither was seen in time, "not tried" where no time was
    left, "bad input" with the reason where it cannot be built. `smallest` is "yes" where the next smaller change on the
    grid is proven not to be enough.
    """
    goal = Goal.of(problem, result.objective_value, result.objective_unit)
    began, until = trials.clock.seconds, trials.until
    settings = [*([] if result.plan is not None else more_hosts(problem)), *relaxable(problem)]
    rows = []
    for number, setting in enumerate(settings):
        # Half of the time is for the settings, the rest for rules and workloads.
        trials.until = began + (until - began) * 0.5 * (number + 1) / len(settings)
        rows.append(_setting_row(problem, result, goal, setting, trials))
    trials.until = began + (until - began) * 0.7
    rows += _law_rows(problem, result, goal, trials)
    trials.until = until
    rows += _leaving_out(problem, result, sums, goal, trials)
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)


def _row(goal: Goal, kind: str, change: str, trial: Trial, **given) -> dict:
    status = "confirmed" if trial.reached else "impossible" if trial.reached is False else "not found"
    status = trial.status if trial.status in ("not tried", "bad input") else status
    found = {"kind": kind, "change": change, "pool": "", "now": "", "needed": "", "smallest": ""}
    return found | {
        "before": goal.before,
        "after": trial.value if trial.reached else None,
        "unit": goal.unit,
        "status": status,
        "reason": trial.reason if status == "bad input" else "",
        **given,
    }


def _setting_row(problem: Problem, result: Result, goal: Goal, setting: Setting, trials: Trials) -> dict:
    def trial_of(at: int) -> Trial:
        value = setting.steps[at]
        return trials.solve(lambda: setting.apply(problem, value), goal.most)

    at, trial, smallest = least(len(setting.steps), trial_of, refuted=_refuted(result, goal))
    needed = setting.steps[at]
    kind = "hosts" if setting.host else "setting"
    figures = {
        "pool": setting.pool or _fallen(problem, result, trial),
        "now": f"{setting.now:g}",
        "needed": f"{needed:g}",
    }
    known = ("yes" if smallest else "not known") if trial.reached else ""
    return _row(goal, kind, _named(setting, needed), trial, **figures, smallest=known)


def _named(setting: Setting, needed: float) -> str:
    if setting.host:
        return f"{needed:g} more host{'' if needed == 1 else 's'} like {setting.host}"
    return f"{setting.name} = {needed:g}"


def least(count: int, trial_of: Callable[[int], Trial], *, refuted: bool) -> tuple[int, Trial, bool]:
    """The first of so many ever larger changes that is enough: the largest is tried first, then the smallest ones.

    Parameters
    ----------
    count : int
    trial_of : callable
        Tries the change at a position.
    refuted : bool
        Whether it is proven that no change at all is not enough.

    Returns
    -------
    (int, Trial, bool)
        The position and its trial, the largest change where none is enough; whether the one before is proven not to be.
    """
    best = trial_of(count - 1)
    if not best.reached:
        return count - 1, best, False
    low, high, probe = -1, count - 1, 0
    while high - low > 1:
        trial = trial_of(probe)
        if trial.reached:
            high, best = probe, trial
        else:
            low, refuted = probe, trial.reached is False
        # Ever longer strides while nothing is enough, halves once something was.
        probe = min(2 * probe + 1, high - 1) if high == count - 1 else (low + high) // 2
    return high, best, refuted


def _fallen(problem: Problem, result: Result, trial: Trial) -> str:
    """The pools that run fewer hosts in the plan of a trial; blank where there is but one pool."""
    if not trial.reached or result.plan is None or len(problem.pools) == 1:
        return ""
    before, after = (plan.hosts["pool"].value_counts() for plan in (result.plan, trial.plan))
    return ", ".join(pool for pool in problem.pools if after.get(pool, 0) < before.get(pool, 0))


def _refuted(result: Result, goal: Goal) -> bool:
    """Whether the problem as it is has no plan that reaches the goal."""
    return result.plan is None or (result.bound is not None and result.bound.value > goal.most + WHISKER)


def _law_rows(problem: Problem, result: Result, goal: Goal, trials: Trials) -> list[dict]:
    laws = laws_of(problem)
    if not laws:
        return []
    refuted = "yes" if _refuted(result, goal) else "not known"

    def row(dropped: Sequence[Law], trial: Trial, change: str = "") -> dict:
        change = change or f"without {' and '.join(law.source for law in dropped)}"
        pool, known = _fallen(problem, result, trial), refuted if trial.reached else ""
        return _row(goal, "rule", change, trial, pool=pool, now="kept", needed="dropped", smallest=known)

    everything = trials.solve(partial(without_laws, problem, laws), goal.most)
    if len(laws) == 1:
        return [row(laws, everything)]
    whole = row(laws, everything, f"without all {len(laws):,} rules")
    if not everything.reached:
        return [whole]
    rows = [row([law], trials.solve(partial(without_laws, problem, [law]), goal.most)) for law in laws]
    if any(one["status"] == "confirmed" for one in rows):
        return rows
    if len(laws) <= MOST_PAIRED:
        pairs = [
            (pair, trials.solve(partial(without_laws, problem, pair), goal.most)) for pair in combinations(laws, 2)
        ]
        rows += [row(pair, trial) for pair, trial in pairs if trial.reached]
    return [*rows, *([whole] if not any(one["status"] == "confirmed" for one in rows) else [])]


def _leaving_out(problem: Problem, result: Result, sums: pd.DataFrame, goal: Goal, trials: Trials) -> list[dict]:
    """For each set of pools that share hosts the fewest workloads found whose absence is enough."""
    groups = () if result.bound is None or result.plan is None else result.bound.evidence
    hosts = None if result.plan is None else rows_of(problem, result.plan)
    begin, until, rows = trials.clock.seconds, trials.until, []
    targets = []
    for group in groups:
        before = used_by(problem, result, hosts, group["pools"])
        if before is not None and before > len(group["pools"]) * (1 + problem.policy.failover.hosts):
            own = Goal.of(problem, before, goal.unit)
            targets.append((group, group["pools"], own, group["value"] > own.most + WHISKER))
    if not groups or problem.objective != "hosts":
        targets = [(None, problem.pools, goal, _refuted(result, goal))]
    for number, (group, pools, own, refuted) in enumerate(targets):
        trials.until = begin + (until - begin) * (number + 1) / len(targets)
        part = only_pools(problem, pools)
        if len(part.workloads) > 1:
            row = _left_out(part, group, sums, own, refuted, trials)
            rows.append(row | {"pool": ", ".join(filter(None, pools))})
    return rows


def _left_out(part: Problem, group: dict | None, sums: pd.DataFrame, goal: Goal, refuted: bool, trials: Trials) -> dict:
    def trial_of(out: Sequence[str]) -> Trial:
        return trials.solve(lambda: part.without(out), goal.most)

    best: tuple[list[str], Trial] | None = None
    last = Trial(status="not tried")
    for order in _orders(part, group, sums):
        names = order[: len(best[0]) if best else min(MOST_LEFT_OUT, len(order) - 1)]
        found, last = _prefix(names, trial_of)
        if last.reached and (best is None or len(found) < len(best[0])):
            best = found, last
    if best is None:
        most = min(MOST_LEFT_OUT, len(part.workloads) - 1)
        # That these are not enough is no proof for others.
        unknown = replace(last, reached=None)
        return _row(goal, "workloads", f"leaving out up to {most:,} workloads, the largest first", unknown)
    out, trial = _pruned(*best, trial_of)
    change = f"leaving out {len(out):,} workload{'s' if len(out) > 1 else ''}"
    return _row(
        goal, "workloads", change, trial, now="placed", needed=", ".join(out),
        smallest="yes" if _fewest(part, len(out), goal, refuted) else "not known",
    )  # fmt: skip


def _fewest(part: Problem, count: int, goal: Goal, refuted: bool) -> bool:
    """Whether leaving out fewer is proven not to be enough: not even the largest of each resource together are."""
    if count == 1 or part.objective != "hosts":
        return count == 1 and refuted
    hosts = reckoned(part, leaving=count - 1).fillna({"hosts_by_division": np.inf})
    least = hosts.groupby("pool")["hosts_by_division"].max().sum()
    return bool(least > goal.most or np.isinf(least))


def _prefix(names: list[str], trial_of: Callable[[Sequence[str]], Trial]) -> tuple[list[str], Trial]:
    """The shortest beginning of a list that is enough to leave out, sought with ever longer ones and then between."""
    size, trial = 1, trial_of(names[:1])
    while not trial.reached and size < len(names) and trial.status != "not tried":
        size = min(2 * size, len(names))
        trial = trial_of(names[:size])
    if not trial.reached:
        return names, trial
    low, best = size // 2, trial
    while size - low > 1:
        middle = (low + size) // 2
        trial = trial_of(names[:middle])
        size, low, best = (middle, low, trial) if trial.reached else (size, middle, best)
    return names[:size], best


def _pruned(out: list[str], trial: Trial, trial_of: Callable[[Sequence[str]], Trial]) -> tuple[list[str], Trial]:
    """The list without those that can be put back."""
    for name in list(out) if 1 < len(out) <= MOST_PRUNED else ():
        fewer = [one for one in out if one != name]
        tried = trial_of(fewer) if fewer else Trial(status="not tried")
        if tried.reached:
            out, trial = fewer, tried
    return out, trial


def _orders(part: Problem, group: dict | None, sums: pd.DataFrame) -> list[list[str]]:
    """Workloads in the order of the bound's weights, and of the share of a host that each takes, largest first."""
    per_host = sums.groupby("resource")["per_host"].mean()
    at = [r for r, resource in enumerate(part.resources) if np.isfinite(per_host.get(resource, np.nan))]
    room = np.array([max(per_host[part.resources[r]], 1e-12) for r in at])
    share = part.demand[:, at].max(axis=2) / room
    names = part.workloads["name"].astype(object).to_numpy()
    keys = []
    weight = np.zeros(len(names))
    pool_of = part.workloads["pool"].to_numpy()
    for pool in part.pools if group is not None else ():
        weighting = strongest(group, pool)
        if weighting is not None:
            weight[pool_of == pool] = weighting["weight"] / weighting["worth"].max()
    if weight.any():
        keys.append(weight + 1e-6 * share.max(axis=1))
    keys.append(share[:, int(share.sum(axis=0).argmax())] + 1e-6 * share.sum(axis=1))
    keys.append(share.max(axis=1))
    orders = [names[np.argsort(-key, kind="stable")].tolist() for key in keys]
    return [order for number, order in enumerate(orders) if order not in orders[:number]]
