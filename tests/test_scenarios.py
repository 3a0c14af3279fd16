"""Scenarios as data, and the sweep that keeps failures as rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest

import planner
from planner import Scenario
from planner.samples import sample
from planner.scenarios import COLUMNS, read_scenarios
from tests.conftest import estate, machines, problem_of
from tests.test_cli import run

# Three kept apart take three hosts, which leave enough when one is lost.
TOML = """
[scenario.dense]
policy = "dense"
[scenario.apart]
host_models = "catalogue:r740"
objective = "cost"
[[scenario.apart.rules]]
kind = "KeepApart"
workloads = "*"
[scenario.cheap-power.prices]
energy_per_kwh = 0.05
"""


def test_one_row_per_scenario_and_failures_are_kept():
    problem = problem_of(estate(("a", 4, 8), ("b", 4, 8)), machines(("h1", 8, 16), ("h2", 4, 8)))
    table = planner.sweep(
        problem,
        [
            Scenario(name="as is"),
            Scenario(name="n+1", changes={"policy": planner.Policy(failover=planner.Failover(hosts=1))}),
            Scenario(name="bad", changes={"objective": "hots"}),
        ],
        time_limit=5,
    )
    assert table.columns.tolist() == list(COLUMNS)
    assert table["status"].tolist() == ["optimal", "infeasible", "bad input"]
    assert table["hosts"].tolist()[0] == 1
    assert "did you mean 'hosts'" in table["reason"].iloc[2]


def test_side_by_side_gives_the_same_rows():
    problem = problem_of(estate(("a", 4, 8), ("b", 4, 8)), models=machines(("r", 8, 16), price=100))
    scenarios = [Scenario(name=name, changes={"policy": name}) for name in ("raw", "balanced")]
    with ThreadPoolExecutor(2) as executor:
        threaded = planner.sweep(problem, scenarios, executor=executor)
    plain = planner.sweep(problem, scenarios)
    pd.testing.assert_frame_equal(threaded.drop(columns="seconds"), plain.drop(columns="seconds"))


def test_the_verb_compares_scenarios_of_a_file(tmp_path):
    path, out = tmp_path / "s.toml", tmp_path / "s.csv"
    path.write_text(TOML)
    run("compare", sample("small_company"), "--scenarios", path, "--out", out)
    assert pd.read_csv(out)["hosts"].tolist() == [1, 3, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected tables [scenario.NAME]"),
        ("[scenarios.a]", "found scenarios"),
        ("[scenario.a]\npolcy = 'dense'", "did you mean 'policy'"),
        ("[scenario.a]\npolicy = 'dens'", "did you mean 'dense'"),
        ("[scenario]\na = 1", "expected a table"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, words):
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(planner.InputError) as error:
        read_scenarios(path)
    assert words in str(error.value)
