"""A report as JSON: the result with its proof, the placement, and everything it takes to check it again."""

from __future__ import annotations

import json
import math
import platform
from importlib import metadata

import pandas as pd

from planner import proposals, rules, settings
from planner.problem import Problem
from planner.reports import Report, version


def json_bytes(report: Report) -> bytes:
    """The report as UTF-8 JSON; a figure that is missing is null."""
    return (json.dumps(document(report), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")


def document(report: Report) -> dict:
    """The report as plain dictionaries and lists."""
    result, problem = report.result, report.problem
    bound = None if result is None else result.bound
    return {
        "status": None if result is None else str(result.status),
        "stop": None if result is None else str(result.stop),
        "objective": {
            "name": problem.objective,
            "value": None if result is None else result.objective_value,
            "unit": None if result is None else result.objective_unit,
            "without": [] if result is None else list(result.without),
        },
        "hosts_used": report.plan.hosts_used,
        "bound": None if bound is None else {"value": bound.value, "method": bound.method},
        "gap": None if result is None else result.gap,
        "seconds": None if result is None else round(result.seconds, 3),
        "workloads": len(report.plan.placement),
        "violations": [] if report.verdict["kind"].iloc[0] == "accepted" else records(report.verdict),
        "seed": None if result is None else result.seed,
        "versions": versions(),
        "placement": records(report.plan.placement),
        "spares": records(report.plan.spares),
        "restarts": records(report.plan.restarts),
        "failures": None if report.failures is None else records(report.failures),
        "moves": None if report.moves is None else records(report.moves),
        "totals": records(report.totals),
        "savings": records(report.savings),
        "summary": records(report.summary),
        "costs": records(report.costs),
        "licences": records(report.licences),
        "iron": records(report.iron),
        "ranges": None if report.ranges is None else records(report.ranges),
        "explanations": explained(report.explanations),
        "left_out": records(report.left_out),
        "imports": {name: records(table) for name, table in report.imports.items()},
        "notes": records(report.notes),
        "settings": settings_of(problem),
        "host_models": records(problem.host_models),
    }


def infeasible_document(problem: Problem, result, explanations: dict[str, pd.DataFrame] | None = None) -> dict:
    """What there is to say where no plan was found: the status, its reason, and what was explained."""
    return {
        "status": str(result.status),
        "stop": str(result.stop),
        "reason": result.reason,
        "objective": {"name": problem.objective, "value": None, "unit": result.objective_unit},
        "hosts_used": None,
        "bound": None if result.bound is None else {"value": result.bound.value, "method": result.bound.method},
        "gap": None,
        "seconds": round(result.seconds, 3),
        "workloads": len(problem.workloads),
        "violations": [],
        "seed": result.seed,
        "versions": versions(),
        "placement": [],
        "explanations": explained(explanations or {}),
        "left_out": records(problem.inventory.left_out),
        "notes": records(problem.inventory.notes),
        "settings": settings_of(problem),
    }


def explained(tables: dict[str, pd.DataFrame]) -> dict[str, list[dict]] | None:
    """The tables of an explanation; None where it was not asked."""
    return {name: records(table) for name, table in tables.items()} or None


def settings_of(problem: Problem) -> dict:
    """What `Problem.build` was given besides the tables, as nested dictionaries."""
    return {
        "policy": settings.to_dict(problem.policy),
        "prices": settings.with_none(problem.prices),
        "objective": problem.objective,
        "merge_pools": problem.merge_pools,
        "resources": list(problem.extra_resources),
        "rules": rules.to_dicts(problem.given_rules),
        "proposals": records(proposals.to_frame(problem.inventory.proposals)),
    }


def versions() -> dict[str, str]:
    """Versions of this program and of what its answer rests on."""
    return {
        "planner": version(),
        "python": platform.python_version(),
        "ortools": metadata.version("ortools"),
        "pandas": metadata.version("pandas"),
    }


def records(frame: pd.DataFrame) -> list[dict]:
    """Rows of a table as dictionaries, missing values as None."""
    return [{str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: object) -> object:
    if value is None or value is pd.NA:
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)
