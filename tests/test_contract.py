"""Names that notebooks, scripts and acceptance checks rely on."""

from __future__ import annotations

import dataclasses
import inspect

import pandas as pd
import pytest

import planner
from planner.cli import app
from tests.conftest import estate, machines, problem_of, solved

NAMES = (
    "read Inventory Problem Policy Prices KeepApart Pin solve check report write catalogue Plan Bound Result Status "
    "Stop Progress Sizing Overcommit Headroom Hypervisor Failover Growth anonymise"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_public_name(name):
    assert hasattr(planner, name)
    assert name in planner.__all__


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (planner.solve, "problem time_limit seed workers start on_progress should_stop executor"),
        (planner.check, "problem plan"),
        (planner.report, "problem plan baseline"),
        (planner.write, "report path"),
        (planner.Problem.build, "inventory host_models policy rules prices objective resources"),
        (planner.Inventory.from_frames, "workloads hosts"),
        (planner.read, "source"),
        (planner.anonymise, "source out key"),
        (planner.pareto, "problem objectives points time_limit seed workers start found on_progress should_stop"),
        (planner.sensitivity, "problem plan baseline ranges resolve"),
        (planner.break_even, "problem plan other field"),
    ],
)
def test_parameters(function, parameters):
    assert set(parameters.split()) <= set(inspect.signature(function).parameters)


def test_verbs():
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert verbs == {
        "template",
        "inspect",
        "solve",
        "check",
        "compare",
        "pareto",
        "sensitivity",
        "mapping",
        "anonymise",
        "app",
        "demo",
    }


def test_judgements_are_frozen():
    for kind in (planner.Policy, planner.Prices, planner.Plan, planner.Bound, planner.Result, planner.Problem):
        assert dataclasses.is_dataclass(kind)
        assert kind.__dataclass_params__.frozen


def test_arrays_are_read_only():
    problem = problem_of(estate(("a", 1, 1)), machines(("h", 1, 1)))
    for array in (problem.demand, problem.capacity):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_notebook_of_the_design(tmp_path):
    hosts = machines(("esx01", 32, 256), ("esx02", 32, 256))
    frame = estate(("sql-1", 4, 16), ("sql-2", 4, 16), ("fw-1", 2, 4), ("web", 2, 8))
    inventory = planner.Inventory.from_frames(workloads=frame, hosts=hosts)
    problem = planner.Problem.build(
        inventory,
        host_models=planner.catalogue.host_models("r7*"),
        policy=planner.Policy.preset("balanced"),
        rules=[planner.KeepApart("sql-*"), planner.Pin("fw-*", hosts=["esx01", "esx02"])],
        prices=planner.Prices(energy_per_kwh=0.22, pue=1.5, years=5),
        objective="hosts",
    )
    result = planner.solve(problem, time_limit=60, seed=0)
    assert str(result.status) in ("optimal", "feasible", "infeasible", "unknown")
    assert str(result.stop) in ("proven", "gap", "time", "cancelled")
    assert (result.hosts_used, result.bound.value, result.gap) == (2, 2, 0)
    assert result.seconds > 0
    assert planner.check(problem, result.plan) == []
    assert result.plan.placement.columns.tolist() == ["workload", "host", "model", "pool"]
    report = planner.report(problem, result.plan)
    assert report.totals.columns.tolist() == ["metric", "unit", "today", "plan", "saving"]
    for suffix in ("xlsx", "csv", "json", "html"):
        assert planner.write(report, tmp_path / f"plan.{suffix}").stat().st_size > 0


def test_a_what_if_is_replace_and_then_solve_again():
    problem = problem_of(estate(("a", 4, 4), ("b", 4, 4)), models=machines(("r", 4, 16)))
    assert solved(problem).hosts_used == 2
    assert solved(problem.replace(policy=planner.Policy(overcommit=planner.Overcommit(cpu=2)))).hosts_used == 1
    with pytest.raises(planner.InputError, match="did you mean 'policy'"):
        problem.replace(polcy="raw")


def test_counts_stand_for_as_many_rows():
    problem = problem_of(estate(("web", 1, 1)).assign(count=3), machines(("h", 2, 2)).assign(count=2))
    assert problem.workloads["name"].tolist() == ["web-1", "web-2", "web-3"]
    assert problem.hosts["name"].tolist() == ["h-1", "h-2"]
    pd.testing.assert_series_equal(problem.hosts["available"], pd.Series([1.0, 1.0]), check_names=False)
