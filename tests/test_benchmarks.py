"""The benchmarks' own parts: readers, generators, peers, judgement of rows, the table in docs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import planner
from benchmarks import child, estates, peers, readers, runner, suites, tables, targets
from benchmarks.peers import greedy, items, vpsolver, watcher
from tests.conftest import estate, machines, plan_of, problem_of

PAIRS = "2\n10 10\n3\n6 2 2\n4 8 2\n3 3 1\n"
"""Two pairs that fill a bin each, and one item more: three bins at best."""


def built(arguments: dict) -> planner.Problem:
    return planner.Problem.build(**arguments)


def packing(text: str) -> planner.Problem:
    """The problem of a .vbp text."""
    return built(readers.from_vectors(readers.parse_vbp(text)))


def loads(packed: items.Items, host_of: np.ndarray) -> list:
    """Summed demand of every host."""
    load = np.zeros((int(host_of.max()) + 1, packed.demand.shape[1]))
    np.add.at(load, host_of, packed.demand)
    return load.tolist()


@pytest.fixture
def instances() -> Path:
    """Folder of instances by others; the test is skipped where it is absent."""
    if not readers.INSTANCES.is_dir():
        pytest.skip("the instances of others lie beside the repository, not in it; absent here")
    return readers.INSTANCES


@pytest.mark.parametrize(
    "text", [PAIRS, "3\n100 50 70\n2\n1 0 7 3\n0 5 6 1\n", "1\n12\n2\n5 3\n4 1\n", "2\n5000 10\n1\n4999 7 2\n"]
)
def test_a_vbp_instance_becomes_a_problem_of_the_same_vectors(text):
    instance = readers.parse_vbp(text)
    assert readers.parse_vbp(readers.format_vbp(instance)).sizes.tolist() == instance.sizes.tolist()
    problem = built(readers.from_vectors(instance))
    dimensions = len(instance.capacity)
    own = [r for r, name in enumerate(problem.resources) if problem.demand[:, r].any()]
    assert len(own) == dimensions
    assert problem.demand[:, own, 0].tolist() == np.repeat(instance.sizes, instance.copies, axis=0).tolist()
    assert problem.capacity[:, own].tolist() == [instance.capacity.tolist()]
    assert np.isinf(problem.hosts["available"]).all()


def test_a_vbp_file_of_too_few_numbers_is_refused():
    with pytest.raises(ValueError, match="found 3 numbers of items, expected 2 times 3"):
        readers.parse_vbp("2\n10 10\n2\n6 2 2\n")


def test_equal_computers_are_merged(tmp_path):
    computer = {"cpuPower": 8, "memory": 32, "networkBandwidth": 4, "cost": 870}
    process = {"id": 0, "requiredCpuPower": 3, "requiredMemory": 5, "requiredNetworkBandwidth": 1}
    processes = [process, process | {"id": 1, "requiredMemory": 6}]
    data = {"computerList": [computer, computer, computer | {"cost": 900}], "processList": processes}
    path = tmp_path / "cloud.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    problem = built(readers.cloud_balancing(path))
    assert problem.hosts[["price", "available"]].to_numpy().tolist() == [[870, 2], [900, 1]]
    assert problem.resources == ("cpu", "memory", "network")
    assert problem.demand[:, :, 0].tolist() == [[3, 5, 1], [3, 6, 1]]
    assert problem.objective == "cost"


def test_shared_instances_are_read_as_they_are(instances):
    path = instances / "caprara_toth" / "CL_1_25_1.vbp"
    instance = readers.parse_vbp(path.read_text(encoding="utf-8"))
    problem = built(readers.vbp_file(path))
    assert problem.demand[:, :, 0].tolist() == np.repeat(instance.sizes, instance.copies, axis=0).tolist()
    assert readers.caprara_toth_optima()["CL_1_25_1"] == 6
    assert readers.caprara_toth_optima()["CL_10_201_2"] == 67
    assert built(readers.vectorpack_member("class6_20_10_0")).demand.shape == (20, 10, 1)


@pytest.mark.parametrize(("suite", "size"), [("vectorpack", 60), ("vectorpack_open", 40)])
def test_the_sample_is_spread_and_always_the_same(instances, suite, size):
    names = [case.name for case in suites.cases(suite)]
    assert names == [case.name for case in suites.cases(suite)]
    assert len(set(names)) == size
    cells = pd.Series([tuple(np.array(name.split("_"))[[0, 2]]) for name in names]).value_counts()
    assert cells.max() - cells.min() <= 1


def test_the_same_seed_makes_the_same_estate():
    pd.testing.assert_frame_equal(estates.virtual_machines(200, 7), estates.virtual_machines(200, 7))
    assert not estates.virtual_machines(200, 7).equals(estates.virtual_machines(200, 8))
    pd.testing.assert_frame_equal(estates.small(3)["inventory"].workloads, estates.small(3)["inventory"].workloads)


def test_estates_are_of_the_sizes_promised():
    machine = estates.virtual_machines(5000, 1)
    assert set(machine["vcpus"]) == set(estates.VCPUS)
    assert (machine["memory_gib"] / machine["vcpus"]).between(0.75, 16.25).all()
    assert machine["storage_gib"].median() == pytest.approx(67, rel=0.1)
    assert len(machine.drop_duplicates(["vcpus", "memory_gib", "storage_gib"])) > 0.95 * len(machine)
    clipped = estates.virtual_machines(5000, 1, clip=(8, 30, 100))
    assert clipped[["vcpus", "memory_gib", "storage_gib"]].max().tolist() == [8, 30, 100]
    shaped = estates.shaped_machines(3000, 100, 1)
    assert (len(shaped), shaped["count"].sum()) == (100, 3000)


def test_small_problems_have_rules_pools_and_prices():
    problems = [built(estates.small(seed)) for seed in range(3)]
    assert all(3 <= len(problem.workloads) <= 50 for problem in problems)
    assert [bool(problem.laws.apart and problem.laws.together) for problem in problems] == [True, False, False]
    assert [len(problem.pools) for problem in problems] == [1, 2, 1]
    assert [problem.objective for problem in problems] == ["hosts", "hosts", "cost"]


def test_peers_obey_the_checker_and_do_not_beat_the_optimum():
    problem = packing(PAIRS)
    outcomes = {name: peers.run(name, problem, 5) for name in peers.USUAL}
    assert not any(outcome.violations for outcome in outcomes.values())
    assert min(outcome.value for outcome in outcomes.values()) == 3
    assert (outcomes["cpsat"].value, outcomes["cpsat"].bound) == (3, 3)


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_peers_obey_labels_pools_and_prices(seed):
    problem = built(estates.small(seed))
    for name in peers.USUAL:
        outcome = peers.run(name, problem, 1)
        assert (outcome.value is None, outcome.violations) == (False, 0)


def test_a_peer_says_when_hosts_run_out_and_when_it_does_not_apply():
    short = problem_of(estate(("a", 4, 4), ("b", 4, 4)), machines(("h", 4, 4)))
    assert peers.run("ffd", short, 1).note == "no plan: 1 of 2 items fit on no host that is left"
    policy = planner.Policy(failover=planner.Failover(hosts=1))
    reserve = problem_of(estate(("a", 4, 4)), machines(("h", 4, 4), ("i", 4, 4)), policy=policy)
    assert "failover" in peers.run("bfd", reserve, 1).note


def test_a_peers_plan_that_is_wrong_is_called_so(monkeypatch):
    monkeypatch.setattr(peers, "_packed", lambda *_: (np.zeros(5, int), np.zeros(1, int), None, ""))
    outcome = peers.run("ffd", packing(PAIRS), 1)
    assert outcome.violations
    assert "over capacity" in outcome.note


def test_best_fit_takes_the_fullest_host_and_first_fit_the_first():
    packed = items.items_of(packing("2\n20 20\n4\n14 14 1\n12 12 1\n7 7 1\n1 1 1\n"))
    assert greedy.first_fit(packed)[0].tolist() == [0, 1, 1, 0]
    assert greedy.best_fit(packed)[0].tolist() == [0, 1, 1, 1]
    assert greedy.first_fit(packed, np.array([3, 2, 1, 0]))[0].tolist() == [1, 0, 0, 0]


def test_a_new_host_is_the_cheapest_per_unit_that_fits():
    models = machines(("dear", 10, 10), ("fair", 20, 20), ("poor", 2, 2), price=[10.0, 15.0, 1.0])
    problem = problem_of(estate(("a", 5, 5)), models=models, objective="cost", prices=planner.Prices.none())
    assert peers.run("ffd", problem, 1).value == 15


def test_least_power_prefers_the_host_whose_power_rises_least():
    models = machines(("thirsty", 10, 10), ("frugal", 10, 10), idle_w=[100.0, 50.0], peak_w=[300.0, 200.0])
    packed = items.items_of(problem_of(estate(("a", 4, 4), ("b", 4, 4)), models=models))
    host_of, kind_of = greedy.least_power(packed, np.array([100.0, 50.0]), np.array([300.0, 200.0]))
    assert host_of.tolist() == [0, 0]
    assert kind_of.tolist() == [1]


def test_watcher_offloads_what_is_overloaded_and_empties_what_is_little_used():
    packed = items.items_of(packing("2\n10 10\n4\n6 6 1\n5 5 1\n2 2 1\n1 1 1\n"))
    host_of, _ = watcher.consolidated(packed, np.array([0, 0, 1, 2]), np.zeros(3, dtype=np.int64))
    assert np.max(loads(packed, host_of)) <= 10
    assert len(np.unique(host_of)) == 2


def test_vpsolvers_solution_is_read_by_item():
    packed = items.items_of(packing(PAIRS))
    instance, members = vpsolver.vector_packing(packed)
    assert instance.copies.tolist() == [1, 2, 2]
    shown = "Objective: 3\nPYSOL=(3,[[(2,[(1, 0),(2, 0),]),(1,[(0, 0),]),],])\n"
    assert sorted(loads(packed, vpsolver._host_of(shown, members))) == [[3, 3], [10, 10], [10, 10]]


@pytest.mark.slow
def test_vpsolver_finds_and_proves_the_optimum():
    if not (vpsolver.cache_folder() / "vpsolver" / "installed").is_file():
        pytest.skip("VPSolver is not installed; a benchmark with --peers vpsolver installs it")
    outcome = peers.run("vpsolver", packing(PAIRS), 30)
    assert (outcome.value, outcome.bound, outcome.violations) == (3, 3, 0)


def row_of(**measured) -> runner.Row:
    usual = {"instance": "a", "incumbent": 10.0, "bound": 9.0, "gap": 0.1, "status": "feasible", "seconds": 2.0}
    return runner.Row(**(usual | measured))


def test_a_target_names_what_is_missed():
    target = targets.Target(proven=True, gap=0.05, seconds=3, beyond_volume=True)
    assert targets.missed(target, row_of(method="volume")) == ["not proven", "bound method volume", "gap 0.1 > 0.05"]
    assert targets.missed(target, row_of(status="optimal", gap=0.0, method="patterns")) == []
    assert targets.missed(targets.Target(), row_of(error="crashed")) == ["it failed"]
    assert targets.missed(targets.Target(optimum=True), row_of(optimum=9.0)) == ["optimum 9 not found"]


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        ({"optimum": 8.0}, "bound 9 is above the known optimum 8"),
        ({"optimum": 11.0}, "value 10 is below the known optimum 11"),
        ({"bound": 11.0}, "bound 11 is above the plan's value 10"),
        ({"plan_value": 11.0}, "the plan's own value is 11, the solver states 10"),
        ({"violations": 2}, "the checker finds 2 violations"),
        ({"verified": False}, "the bound does not verify"),
        ({"peers": {"ffd": peers.Outcome(value=8.0)}}, "the plan of ffd at 8 is below the bound 9"),
        ({"peers": {"cpsat": peers.Outcome(bound=11.0)}}, "the bound of cpsat, 11, is above the value 10"),
    ],
)
def test_a_defect_raises_an_alarm(measured, said):
    assert targets.alarms(row_of()) == []
    assert said in targets.alarms(row_of(**measured))


def test_every_target_has_its_instance(instances):
    for suite, target in targets.TARGETS.items():
        assert set(target.rows) <= {case.name for case in suites.cases(suite)}


def test_a_plans_value_is_computed_from_the_plan():
    models = machines(("new", 10, 10), ("big", 20, 20), price=[10.0, 15.0])
    workloads = estate(("a", 8, 8), ("b", 8, 8), ("c", 16, 16))
    problem = problem_of(workloads, machines(("old", 8, 8)), models, objective="cost", prices=planner.Prices.none())
    plan = plan_of(("a", "old"), ("b", "new-1", "new"), ("c", "big-1", "big"))
    assert planner.check(problem, plan) == []
    assert child.plan_value(problem, plan) == 25
    assert child.plan_value(problem.replace(objective="hosts"), plan) == 3


def test_a_child_measures_a_solve(tmp_path, monkeypatch):
    problem = packing(PAIRS)
    packed = items.items_of(problem)
    names = {"objective_name": "hosts", "objective_unit": "hosts", "status": planner.Status.OPTIMAL, "seconds": 0.1}
    plan, bound = items.plan_of(problem, packed, *greedy.first_fit(packed)), planner.Bound(value=3.0, method="volume")
    result = planner.Result(plan=plan, stop=planner.Stop.PROVEN, objective_value=3.0, bound=bound, **names)
    monkeypatch.setattr(planner, "solve", lambda *_, **__: result)
    monkeypatch.setattr(planner, "verify", lambda *_: True, raising=False)
    arguments = readers.from_vectors(readers.parse_vbp(PAIRS))
    child.solve(suites.Case(name="pairs", arguments=lambda: arguments), 1.0, 1, tmp_path / "out.json")
    row = runner.Row(instance="pairs", **json.loads((tmp_path / "out.json").read_text(encoding="utf-8")))
    assert (row.workloads, row.shapes, row.incumbent, row.bound, row.status) == (5, 3, 3, 3, "optimal")
    assert (row.plan_value, row.violations, row.verified) == (3, 0, True)


def test_a_child_that_fails_says_how():
    assert runner._run([sys.executable, "-c", ""], 5.0) == ""
    assert runner._run([sys.executable, "-c", "raise ValueError('boom')"], 5.0) == "crashed: ValueError: boom"
    assert runner._run([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], 5.0) == "crashed: SIGKILL"
    assert runner._run([sys.executable, "-c", "import time; time.sleep(60)"], 0.2) == "ended after 0.2 s"


def test_a_crashed_child_is_a_row(monkeypatch):
    monkeypatch.setattr(runner, "_run", lambda *_: "crashed: SIGSEGV")
    case = suites.Case(name="gone", arguments=dict)
    (row,) = runner.run("small", [case], peers=["ffd"])
    assert row.error == "crashed: SIGSEGV"
    assert {"crashed: SIGSEGV", "missed: it failed"} <= set(tables.cells(row, case, ["ffd"]))
    lines = tables.summary([row], [case], targets.TARGETS["small"])
    assert lines[0].startswith("0 of 1 reached")
    assert "FAILED: gone: crashed: SIGSEGV." in lines


def test_a_table_replaces_its_own_section_alone(tmp_path):
    path = tmp_path / "docs" / "performance.md"
    tables.save(path, "roomy", "first")
    tables.save(path, "tight", "other")
    tables.save(path, "roomy", "second")
    text = path.read_text(encoding="utf-8")
    assert (text.startswith("# Performance"), "first" in text) == (True, False)
    assert text.index("<!-- roomy -->\nsecond\n<!-- /roomy -->") < text.index("<!-- tight -->\nother")
    assert text.endswith("<!-- tight -->\nother\n<!-- /tight -->\n")
    path.write_text("<!-- roomy -->\nno end", encoding="utf-8")
    with pytest.raises(ValueError, match="expected one of each"):
        tables.save(path, "roomy", "third")


def test_a_section_shows_facts_and_table():
    row = row_of(workloads=1200, shapes=7, peers={"ffd": peers.Outcome(value=12.0, seconds=0.5)})
    table = [tables.headings(["ffd"]), tables.cells(row, suites.Case(name="a"), ["ffd"])]
    section = tables.markdown("roomy", table, ["a machine"], ["1 of 1"])
    assert (
        "| a | 1,200 | 7 | 10 | 9 | 10.00% | feasible | 2.00 | - | - | - | - | 12, 0.50 s, x1.200 | reached |"
        in section
    )
    assert "`ffd` is first fit decreasing" in section
