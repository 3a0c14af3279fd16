"""Variants: a problem with one assumption changed, or with rules and labels taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.laws import label_source, rule_source
from planner.policy import Policy
from planner.problem import Problem

LABELS = ("keep_apart", "keep_together", "pin", "forbid", "require_tag", "avoid_tag")
"""Columns of workloads whose entries are rules."""

TIMES = {"cpu": 2.0, "memory": 1.5}
"""Times the overcommit of now up to which a larger one is looked at."""

MOST_OVERCOMMIT = {"cpu": 64.0, "memory": 10.0}
"""What a policy takes at most."""

OVERCOMMIT_STEP = {"cpu": 0.1, "memory": 0.05}
HEADROOM_STEP = 0.01
MOST_ADDED = 64
"""Hosts that are added at most."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A figure that may give way.

    Parameters
    ----------
    name : str
        As in a policy's TOML, "overcommit.cpu"; or "hosts", how many more there are like `host`.
    now : float
    steps : tuple of float
        What it may become, the smallest change first; each asks for less than the one before.
    apply : callable
        ``apply(problem, value)`` is the problem built again with that value.
    pool, host : str
        Where hosts are added, and which one is copied.
    """

    name: str
    now: float
    steps: tuple[float, ...]
    apply: Callable[[Problem, float], Problem]
    pool: str = ""
    host: str = ""


def relaxable(problem: Problem) -> list[Setting]:
    """The figures of the policy that could give way, with a sensible grid for each."""
    policy, found = problem.policy, []
    allocated = {r: bool((policy.sizing.bases(problem.workloads, r) == "allocated").any()) for r in ("cpu", "memory")}
    for resource, step in OVERCOMMIT_STEP.items():
        now = getattr(policy.overcommit, resource)
        most = min(now * TIMES[resource], MOST_OVERCOMMIT[resource])
        values = tuple(round(v, 2) for v in np.arange(np.floor(now / step + 1 + 1e-9), most / step + 1e-9) * step)
        if allocated[resource] and values:
            found.append(_setting(f"overcommit.{resource}", now, values))
    for resource in ("cpu", "memory", "storage", "network", "iops"):
        now = getattr(policy.headroom, resource)
        steps = np.arange(np.ceil(now / HEADROOM_STEP - 1 - 1e-9), -0.5, -1)
        values = tuple(round(v * HEADROOM_STEP, 2) for v in steps.tolist())
        if resource in problem.resources and now > 0:
            found.append(_setting(f"headroom.{resource}", now, values))
    hosts = policy.failover.hosts
    if hosts:
        found.append(_setting("failover.hosts", hosts, tuple(range(hosts - 1, -1, -1))))
    if policy.failover.is_verified:
        # What may be used more in normal running may be while hosts are lost; here it is asked for then alone.
        found += [_setting(f"failover.{one.name.replace('.', '_')}", *_beyond(policy, one)) for one in found[:-1]]
    return found


def _beyond(policy: Policy, setting: Setting) -> tuple[float, tuple[float, ...]]:
    """The figure of a setting while hosts are lost, and the steps that ask for less than it."""
    now = policy.failover.relaxed.get(setting.name.replace(".", "_"), setting.now)
    larger = setting.name.startswith("overcommit")
    return now, tuple(step for step in setting.steps if (step > now if larger else step < now))


def _setting(name: str, now: float, values: tuple[float, ...]) -> Setting:
    part, key = name.split(".")

    def apply(problem: Problem, value: float) -> Problem:
        changes = {part: replace(getattr(problem.policy, part), **{key: value})}
        failover, relaxed = problem.policy.failover, f"{part}_{key}"
        if relaxed in failover.relaxed:  # While hosts are lost it is never stricter.
            loosest = max if part == "overcommit" else min
            changes["failover"] = replace(failover, **{relaxed: loosest(value, failover.relaxed[relaxed])})
        return problem.replace(policy=replace(problem.policy, **changes))

    return Setting(name=name, now=now, steps=values, apply=apply)


def more_hosts(problem: Problem) -> list[Setting]:
    """For each pool more hosts like the largest that is owned there; of models as many as wanted can be bought."""
    found, owned = [], problem.hosts["owned"].to_numpy()
    scale = np.where(np.isfinite(problem.capacity), problem.capacity, 0.0).max(axis=0)
    size = (np.minimum(problem.capacity, scale) / np.maximum(scale, 1e-12)).sum(axis=1)
    for pool in problem.pools:
        mine = np.flatnonzero(owned & problem.hosts["pool"].isin(["", pool]).to_numpy())
        if len(mine):
            row = problem.hosts.loc[[mine[size[mine].argmax()]]]
            name = str(row["name"].iloc[0])
            added = row[[column for column in problem.inventory.hosts if column in row]]
            added = added.assign(maintenance="no", name=f"more like {name}")
            found.append(
                Setting(
                    name="hosts",
                    now=0,
                    steps=tuple(range(1, MOST_ADDED + 1)),
                    apply=_adding(added),
                    pool=pool,
                    host=name,
                )
            )
    return found


def _adding(added: pd.DataFrame) -> Callable[[Problem, float], Problem]:
    def apply(problem: Problem, value: float) -> Problem:
        hosts = pd.concat([problem.inventory.hosts, added.assign(count=float(value))], ignore_index=True)
        return problem.replace(inventory=problem.inventory.with_hosts(hosts))

    return apply


@dataclass(frozen=True)
class Law:
    """A rule by its number in problem.rules, or an entry of a column that stands for one, named as in messages."""

    source: str
    number: int = -1
    column: str = ""
    label: str = ""


def laws_of(problem: Problem) -> list[Law]:
    """Every rule, and every entry of a column that stands for a rule, in that order."""
    found = [Law(rule_source(rule, number + 1), number) for number, rule in enumerate(problem.rules)]
    for column in LABELS:
        labels = problem.workloads[column]
        counts = labels[labels != ""].value_counts().items()
        for label, count in sorted(counts, key=lambda pair: (-pair[1], pair[0])):  # Large groups ask for most.
            # A label that one workload has keeps it neither apart nor together.
            if count > 1 or column not in LABELS[:2]:
                found.append(Law(label_source(column, str(label)), -1, column, str(label)))
    return found


def without_laws(problem: Problem, laws: Iterable[Law]) -> Problem:
    """The problem built again without some rules and entries."""
    laws = list(laws)
    gone = {law.number for law in laws}
    rules = tuple(rule for number, rule in enumerate(problem.rules) if number not in gone)
    workloads = problem.inventory.workloads
    for law in laws:
        if law.column:
            cells = workloads[law.column]
            workloads = workloads.assign(**{law.column: cells.where(cells != law.label, "")})
    inventory = replace(problem.inventory, workloads=workloads, rules=(), harvested=())
    return problem.replace(inventory=inventory, rules=rules)


def left_with(problem: Problem, laws: Iterable[Law], names: Iterable[str] | None = None) -> Problem:
    """The problem with these laws and these workloads alone; all workloads where no names are given.

    Raises
    ------
    InputError
        No name is given.
    """
    kept = set(laws)
    dropped = [law for law in laws_of(problem) if law not in kept]
    part = without_laws(problem, dropped) if dropped else problem
    if names is None:
        return part
    stay = set(names)
    if not stay:
        raise InputError("workloads: found none, expected at least one to place")
    return part.without(name for name in problem.workloads["name"] if name not in stay)
