"""Scenario: a named what-if as data; sweep() solves many and keeps those that fail as rows."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from planner import catalogue, readers, settings
from planner.errors import InputError, did_you_mean
from planner.policy import PRESETS, Policy
from planner.prices import Prices
from planner.problem import Problem
from planner.reports import report
from planner.rules import from_dicts
from planner.solvers import solve

COLUMNS = (
    "scenario", "status", "hosts", "bound", "gap", "objective", "unit",
    "cost_horizon", "saving_horizon", "currency", "seconds", "reason",
)  # fmt: skip
KEYS = ("policy", "prices", "objective", "merge_pools", "host_models", "rules")


@dataclass(frozen=True, kw_only=True, eq=False)
class Scenario:
    """A what-if: a name, and the arguments of `Problem.build` that it changes.

    Examples
    --------
    ``Scenario(name="dense", changes={"policy": "dense"})``
    """

    name: str
    changes: dict = field(default_factory=dict)


def read_scenarios(path: str | Path) -> tuple[Scenario, ...]:
    """Scenarios from a TOML file with one ``[scenario.NAME]`` table each.

    A table may hold policy (a preset's name or a table), prices (a table), objective, merge_pools, host_models (a
    file, or ``catalogue:PATTERN``) and rules (an array of tables with `kind`).

    Raises
    ------
    InputError
        No scenario, a key that does not exist, or a value that the problem would not take.
    """
    name = Path(path).name
    tables = settings.read_toml(path)
    unknown = [key for key in tables if key != "scenario"]
    if unknown or not isinstance(tables.get("scenario"), dict):
        raise InputError(f"{name}: found {', '.join(unknown) or 'nothing'}, expected tables [scenario.NAME]")
    return tuple(_scenario(key, values, f"{name}, scenario {key}") for key, values in tables["scenario"].items())


def _scenario(name: str, values: dict, where: str) -> Scenario:
    if not isinstance(values, dict):
        raise InputError(f"{where}: found {values!r}, expected a table")
    changes = {}
    for key, value in values.items():
        match key:
            case "policy" if isinstance(value, str) and value in PRESETS:
                changes[key] = Policy.preset(value)
            case "policy" if isinstance(value, dict):
                changes[key] = settings.from_dict(Policy, value, f"{where}, policy")
            case "policy":
                raise InputError(f"{where}, policy: found {value!r}{did_you_mean(str(value), PRESETS)}")
            case "prices":
                changes[key] = settings.from_dict(Prices, value, f"{where}, prices")
            case "rules":
                changes[key] = from_dicts(value, f"{where}, rules")
            case "host_models":
                changes[key] = host_models(value)
            case "objective" | "merge_pools":
                changes[key] = value
            case _:
                raise InputError(f"{where}: found {key!r}{did_you_mean(key, KEYS)}")
    return Scenario(name=name, changes=changes)


def host_models(source: str) -> pd.DataFrame:
    """Host models from a file, or from the catalogue by ``catalogue:PATTERN``."""
    kind, _, pattern = str(source).partition(":")
    if kind == "catalogue":
        return catalogue.host_models(pattern or "*")
    return readers.read_table(source, "host_models")


def sweep(
    problem: Problem, scenarios: Iterable[Scenario], *, executor: Executor | None = None, **options
) -> pd.DataFrame:
    """Solve a problem under each scenario.

    Parameters
    ----------
    problem : Problem
    scenarios : iterable of Scenario
    executor : concurrent.futures.Executor, optional
        Scenarios are solved side by side on it.
    **options
        Arguments of `solve`: time_limit, gap, seed, workers.

    Returns
    -------
    DataFrame
        One row per scenario in their order, with the columns of `COLUMNS`; a scenario that fails has its reason.
    """
    scenarios = list(scenarios)
    if executor is None:
        rows = [_solved(problem, scenario, options) for scenario in scenarios]
    else:
        rows = [job.result() for job in [executor.submit(_solved, problem, one, options) for one in scenarios]]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _solved(problem: Problem, scenario: Scenario, options: dict) -> dict:
    try:
        changed = problem.replace(**scenario.changes)
        result = solve(changed, **options)
    except InputError as error:
        return {"scenario": scenario.name, "status": "bad input", "reason": str(error)}
    row = {
        "scenario": scenario.name,
        "status": str(result.status),
        "hosts": result.hosts_used,
        "bound": None if result.bound is None else result.bound.value,
        "gap": result.gap,
        "objective": result.objective_value,
        "unit": result.objective_unit,
        "currency": changed.prices.currency,
        "seconds": round(result.seconds, 2),
        "reason": result.reason,
    }
    if result.plan is not None:
        found = report(changed, result.plan, result=result)
        total = found.savings.set_index("item").loc["total"]
        row |= {"cost_horizon": total["plan_horizon"], "saving_horizon": total["saving_horizon"]}
        row["reason"] = total["assumption"] if "without" in total["assumption"] else result.reason
    return row
