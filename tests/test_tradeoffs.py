"""The front of plans between fewest hosts, least cost, energy and carbon, and fewest moves."""

from __future__ import annotations

import json
import re
from itertools import product

import hypothesis.strategies as st
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given

import planner
from planner import Prices, charts
from planner.economics.valuation import valued
from planner.fronts import CRITERIA
from planner.samples import sample
from planner.weights import weighted
from planner.writers.fronts import front_bytes
from tests.conftest import ROOT, estate, examples, machines, plan_of, problem_of
from tests.test_cli import run

PRICES = Prices(energy_per_kwh=0.2, pue=1.0, years=5, maintenance_per_host_year=100, vcpu_activity=0.5)
KWH = 8760 / 1000
CENTS = 0.1
"""How far sums of rounded cents, Wh and g may be off on a handful of hosts."""


def small(hosts: int = 3, sizes: tuple[int, ...] = (2, 3, 4), **options) -> planner.Problem:
    """Workloads on small thirsty hosts that are owned, and on a large thrifty model that is dear."""
    workloads = estate(*((f"w{i}", size, size) for i, size in enumerate(sizes)))
    owned = machines(*((f"h{i}", 4, 4) for i in range(hosts)), idle_w=150.0, peak_w=200.0)
    models = machines(("large", 9, 9), price=4000.0, idle_w=60.0, peak_w=90.0, embodied_kgco2e=800.0, count=2)
    return problem_of(workloads, owned, models, prices=PRICES, **options)


def enumerated(problem: planner.Problem) -> dict[str, np.ndarray]:
    """Hosts, cost and energy of every placement that fits, by plain arithmetic."""
    hosts = problem.hosts.loc[problem.hosts.index.repeat(problem.hosts["available"].astype(int))]
    sizes, room = problem.workloads["vcpus"].to_numpy(), hosts["cores"].to_numpy()
    idle, peak = hosts["idle_w"].to_numpy(), hosts["peak_w"].to_numpy()
    bought = np.where(hosts["owned"], 0.0, hosts["price"].fillna(0))
    rows = []
    for at in product(range(len(hosts)), repeat=len(sizes)):
        load = np.bincount(at, weights=sizes, minlength=len(hosts))
        if (load <= room).all():
            used = load > 0
            watts = (idle + load * PRICES.vcpu_activity / room * (peak - idle))[used].sum()
            money = bought[used].sum() + used.sum() * 100 * 5 + watts * KWH * 5 * 0.2
            rows.append((used.sum(), money, watts * KWH))
    return dict(zip(("hosts", "cost", "energy"), np.array(rows, dtype=float).T, strict=True))


def front_of(figures: np.ndarray) -> np.ndarray:
    """The rows that no other row is better than, each once."""
    rows = np.unique(figures.round(2), axis=0)
    dominated = [((rows <= row).all(axis=1) & (rows < row).any(axis=1)).any() for row in rows]
    return rows[~np.array(dominated)]


def drawn(sizes: list[int], hosts: int) -> planner.Problem:
    return small(hosts, tuple(sizes))


SIZES = st.lists(st.integers(1, 4), min_size=2, max_size=4)


@examples(10)
@given(SIZES, st.integers(0, 3))
def test_the_front_of_hosts_and_cost_is_that_of_all_placements(sizes, hosts):
    problem = drawn(sizes, hosts)
    every = enumerated(problem)
    expected = front_of(np.column_stack([every["hosts"], every["cost"]]))
    front = planner.pareto(problem, time_limit=20, points=20)
    found = front.table[["hosts", "cost"]].to_numpy()
    np.testing.assert_allclose(found, expected, atol=CENTS)
    assert front.bounds["hosts"] == every["hosts"].min()
    assert front.bounds["cost"] == pytest.approx(every["cost"].min(), abs=CENTS)


@examples(5)
@given(SIZES, st.integers(1, 3))
def test_the_ends_of_cost_and_energy_are_the_least_and_no_placement_is_better_in_both(sizes, hosts):
    problem = drawn(sizes, hosts)
    every = enumerated(problem)
    front = planner.pareto(problem, ("cost", "energy"), time_limit=20, points=20)
    found = front.table[["cost", "energy_kwh"]].to_numpy()
    np.testing.assert_allclose(found.min(axis=0), [every["cost"].min(), every["energy"].min()], atol=CENTS)
    expected = front_of(np.column_stack([every["cost"], every["energy"]]))
    for point in found:
        assert np.abs(expected - point).max(axis=1).min() <= CENTS


@pytest.fixture(scope="module")
def company() -> planner.Front:
    """A front of the sample estate of two pools."""
    problem = planner.Problem.build(
        planner.read(sample("medium_estate")), host_models=planner.catalogue.host_models("r7*"), policy="dense"
    )
    front = planner.pareto(problem, ("hosts", "cost", "moves"), time_limit=10, points=6)
    for plan in front.plans.values():
        assert planner.check(problem, plan) == []
    return front


def test_plans_of_a_front_are_accepted_and_none_is_better_than_another(company):
    table = company.table
    assert (table["violations"] == 0).all()
    assert list(company.plans) == table["plan"].tolist()
    figures = table[["hosts", "cost", "moves"]].to_numpy()
    for row in figures:
        assert not ((figures <= row).all(axis=1) & (figures < row).any(axis=1)).any()
    assert len(np.unique(figures, axis=0)) == len(figures) > 3


def test_every_bound_lies_below_every_plan_and_the_best_plans_are_named(company):
    for name, bound in company.bounds.items():
        column = CRITERIA[name]
        assert (company.table[column] >= bound - 1e-6).all()
        assert (company.table[f"{column}_bound"] == bound).all()
    least = company.table.set_index("plan")["least"]
    for name in company.objectives:
        best = company.table.set_index("plan")[CRITERIA[name]].idxmin()
        assert name in least[best]


def test_what_stands_moves_nothing(company):
    still = company.table[company.table["moves"] == 0]
    assert still["proof"].tolist() == ["nothing moves"]
    assert company.bounds["moves"] == 0


def test_figures_are_those_of_a_report():
    problem = small()
    front = planner.pareto(problem, ("hosts", "energy", "carbon"), time_limit=10)
    for row in front.table.itertuples():
        plan = front.plans[row.plan]
        assert planner.check(problem, plan) == []
        report = planner.report(problem, plan)
        totals = report.totals.set_index("metric")["plan"]
        assert row.cost == pytest.approx(report.savings.set_index("item").loc["total", "plan_horizon"], abs=CENTS)
        assert row.energy_kwh == pytest.approx(totals["energy per year"], abs=CENTS)
        assert row.carbon_kg == pytest.approx(totals["carbon over 5 years"], abs=CENTS)
        assert row.hosts == plan.hosts_used


@examples(10)
@given(*[st.floats(0.01, 50)] * 3, st.sampled_from([("hosts", "energy", "carbon"), ("cost", "energy", "carbon")]))
def test_a_weighted_sum_is_what_it_says(first, second, third, names):
    problem = small()
    weights = dict(zip(names, (first, second, third), strict=True))
    summed = weighted(problem, weights)
    plans = [
        plan_of(("w0", "h0"), ("w1", "h1"), ("w2", "h2")),
        plan_of(*((f"w{i}", "large-1", "large") for i in range(3))),
        plan_of(("w0", "h0"), ("w1", "large-1", "large"), ("w2", "large-1", "large")),
    ]
    assert [planner.check(problem, plan) for plan in plans] == [[], [], []]
    sums = np.array(
        [
            sum(weight * valued(problem.replace(objective=name), plan).value for name, weight in weights.items())
            for plan in plans
        ]
    )
    found = np.array([valued(summed, plan).value for plan in plans])
    np.testing.assert_allclose(found / found[0], sums / sums[0], rtol=2e-3)


def test_licences_are_weighed_with_the_rest_of_the_money():
    problem = small().replace(prices=Prices(licences=("windows-server",), exchange={"USD": 0.9}))
    summed = weighted(problem, {"cost": 1e-6, "energy": 1000.0})
    assert summed.prices.energy_per_kwh <= 100
    assert summed.prices.licences[0].price < problem.prices.licences[0].price


def test_the_least_cost_is_named_where_giving_up_hosts_brings_in_more_than_the_rest_costs():
    workloads = estate(("a", 2, 2), ("b", 2, 2), ("c", 1, 1), host=["h0", "h1", "h2"])
    owned = machines(("h0", 4, 4), ("h1", 4, 4), ("h2", 4, 4), ("h3", 8, 8), resale=[500.0, 400.0, 300.0, 900.0])
    bare = Prices(energy_per_kwh=None, maintenance_per_host_year=None, administration_per_host_year=10)
    problem = problem_of(workloads, owned, prices=bare)
    front = planner.pareto(problem, ("hosts", "cost"), time_limit=5)
    assert front.table[["hosts", "cost", "least"]].to_numpy().tolist() == [[1, -1150, "hosts"], [2, -1300, "cost"]]
    assert [planner.check(problem, plan) for plan in front.plans.values()] == [[], []]


def test_moves_count_from_the_plan_that_is_given():
    problem = small(sizes=(2, 2))
    start = plan_of(("w0", "h0"), ("w1", "h1"))
    front = planner.pareto(problem, ("hosts", "moves"), time_limit=5, start=start)
    assert front.table[["hosts", "moves"]].to_numpy().tolist() == [[1, 1], [2, 0]]


def test_rules_hold_for_every_plan_and_a_host_that_one_needs_is_not_emptied():
    workloads = estate(("a", 2, 2), ("b", 1, 1), ("c", 1, 1), host=["h0", "h1", "h2"])
    owned = machines(("h0", 4, 4), ("h1", 4, 4), ("h2", 4, 4))
    problem = problem_of(workloads, owned, rules=[planner.Pin("b", hosts=["h1"])])
    front = planner.pareto(problem, ("hosts", "moves"), time_limit=5)
    assert front.table[["hosts", "moves"]].to_numpy().tolist() == [[1, 2], [2, 1], [3, 0]]
    for plan in front.plans.values():
        assert planner.check(problem, plan) == []
        assert plan.placement.set_index("workload").loc["b", "host"] == "h1"


def test_where_what_stands_is_no_plan_the_rest_of_it_stays():
    workloads = estate(("a", 3, 3), ("b", 3, 3), ("c", 1, 1), ("d", 2, 2), host=["h0", "h0", "h1", "h2"])
    owned = machines(("h0", 4, 4), ("h1", 4, 4), ("h2", 4, 4), ("h3", 4, 4))
    problem = problem_of(workloads, owned)
    assert [one.kind for one in planner.check(problem, planner.today(problem).plan)] == ["over capacity"] * 2
    front = planner.pareto(problem, ("hosts", "moves"), time_limit=5)
    assert front.table[["hosts", "moves"]].to_numpy().tolist() == [[3, 1]]
    assert "moves" not in front.bounds


def test_plans_of_a_front_survive_what_the_policy_asks():
    policy = planner.Policy(failover=planner.Failover(hosts=1, mode="verified"))
    problem = small(sizes=(2, 2, 2)).replace(policy=policy)
    front = planner.pareto(problem, ("hosts", "cost"), time_limit=5, points=4)
    assert len(front.table) > 1
    for plan in front.plans.values():
        assert planner.check(problem, plan) == []
        assert planner.failures(problem, plan)["survives"].all()


def test_a_search_that_is_stopped_tells_what_it_found():
    front = planner.pareto(small(), time_limit=5, should_stop=lambda: True)
    assert len(front.table) >= 1
    assert (front.table["violations"] == 0).all()


def test_a_criterion_that_is_not_asked_for_may_be_missing_and_is_named():
    problem = problem_of(estate(("a", 2, 2)), models=machines(("m", 4, 4), price=100.0))
    front = planner.pareto(problem.replace(prices=Prices.none()), ("hosts", "cost"), time_limit=5)
    assert front.table["energy_kwh"].isna().all()
    assert "idle_w or peak_w is blank" in front.missing["energy"]
    assert "no workload has a known host today" in front.missing["moves"]
    assert front.without == {"cost": ("energy", "maintenance")}


def test_what_a_criterion_leaves_out_is_named():
    models = machines(("m", 4, 4), ("n", 8, 8), price=100.0, idle_w=50.0, peak_w=90.0, embodied_kgco2e=[100.0, None])
    problem = problem_of(estate(("a", 2, 2)), models=models, prices=PRICES)
    front = planner.pareto(problem, ("hosts", "carbon"), time_limit=5)
    assert front.without == {"carbon": ("embodied carbon of n",)}
    assert [planner.check(problem, plan) for plan in front.plans.values()] == [[]]
    told = json.loads(front_bytes(front, "json"))["without"]
    assert told == {"carbon": ["embodied carbon of n"]}


@pytest.mark.parametrize(
    ("objectives", "words"),
    [
        (("hosts", "csot"), "found 'csot'; did you mean 'cost'?"),
        (("hosts",), "objectives: found hosts, expected two or more"),
        ("hosts", "objectives: found 'hosts', expected names"),
        (("hosts", "energy"), "objectives, energy: host 'm': idle_w or peak_w is blank"),
        (("hosts", "moves"), "objectives, moves: no workload has a known host"),
        (("hosts", "cost"), "found no plan"),
    ],
)
def test_what_cannot_be_traded_is_refused_in_a_sentence(objectives, words):
    problem = problem_of(
        estate(("a", 8, 8) if words == "found no plan" else ("a", 2, 2)),
        models=machines(("m", 4, 4), price=100.0),
        prices=Prices.none(),
    )
    with pytest.raises(planner.InputError) as error:
        planner.pareto(problem, objectives, time_limit=5)
    assert words in str(error.value)


def test_a_chart_shows_every_plan_and_what_is_proven(company):
    shown = charts.front_chart(company.table, "hosts", "cost", "EUR").to_dict()
    marks = [layer["mark"]["type"] for layer in shown["layer"]]
    assert marks == ["line", "rule", "rule", "point", "text"]
    named = [layer["data"]["name"] for layer in shown["layer"] if layer["mark"]["type"] == "point"]
    assert len(shown["datasets"][named[0]]) == len(company.table)
    with pytest.raises(planner.InputError) as error:
        charts.front_chart(company.table, "host", "cost")
    assert "did you mean 'hosts'" in str(error.value)


@pytest.mark.parametrize("suffix", ["csv", "json", "xlsx"])
def test_the_verb_writes_the_front(tmp_path, suffix):
    out = tmp_path / f"front.{suffix}"
    shown = run("pareto", sample("small_company"), "--objectives", "hosts,energy", "--time-limit", 5, "--out", out)
    assert "no plan has fewer hosts" in shown.stdout
    if suffix == "csv":
        assert pd.read_csv(out)["hosts"].tolist() == [2]
    elif suffix == "json":
        document = json.loads(out.read_text())
        assert document["front"][0]["violations"] == 0
        assert len(document["placements"]["plan 1"]) == 3
        assert document["bounds"]["hosts"] == 2
    else:
        book = openpyxl.load_workbook(out)
        assert book.sheetnames == ["Front", "Plan 1"]
        assert book["Plan 1"].max_row == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--objectives", "hosts,cots"), "did you mean 'cost'?"),
        (("--out", "front.xlxs"), "did you mean 'xlsx'?"),
        (("--out", "nowhere/front.csv"), "the folder 'nowhere' does not exist"),
    ],
)
def test_the_verb_refuses_in_a_sentence(options, words):
    assert words in run("pareto", sample("small_company"), *options, code=2).stderr


def test_the_blocks_of_the_page_run(monkeypatch):
    text = (ROOT / "docs" / "tradeoffs.md").read_text(encoding="utf-8")
    monkeypatch.chdir(ROOT)
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", text, flags=re.S):
        exec(compile(block, "docs/tradeoffs.md", "exec"), names)
    assert names["front"].table["hosts"].tolist() == [4, 5, 6, 7, 8]
    assert names["found"].ranges is not None
    (written,) = re.findall(r"```toml\n(.*?)```", text, flags=re.S)
    assert set(Prices.from_toml(written).ranges) == {"energy_per_kwh", "pue", "maintenance_per_host_year"}


def test_a_plan_of_a_front_is_a_result_of_its_problem():
    problem = small(objective="cost")
    front = planner.pareto(problem, ("hosts", "cost"), time_limit=5)
    for name, plan in front.plans.items():
        result = front.result_of(name, problem)
        assert planner.check(problem, result.plan) == []
        assert result.plan is plan and result.bound is None
        assert result.objective_value == pytest.approx(valued(problem, plan).value)
        summary = planner.report(problem, plan, result=result).summary.set_index("item")["value"]
        assert summary["objective value"] == result.objective_value
    with pytest.raises(planner.InputError, match="did you mean 'plan 1'"):
        front.result_of("plan 11", problem)


def test_a_result_that_is_there_is_a_candidate_and_what_it_proves_is_not_looked_for_again():
    problem, steps = small(), []
    results = [planner.solve(problem.replace(objective=name), time_limit=5) for name in ("hosts", "cost")]
    assert {result.status for result in results} == {planner.Status.OPTIMAL}
    options = {"points": 0, "time_limit": 5, "on_progress": steps.append}
    front = planner.pareto(problem, ("hosts", "cost"), found=results, **options)
    assert steps == []
    assert front.bounds == {result.objective_name: result.bound.value for result in results}
    assert (front.table["hosts"].min(), front.table["violations"].max()) == (results[0].hosts_used, 0)
    planner.pareto(problem, ("hosts", "cost"), found=results[:1], **options)
    assert steps
    alone = planner.pareto(problem, ("hosts", "cost"), time_limit=0, found=results[:1])
    assert [plan.placement.equals(results[0].plan.placement) for plan in alone.plans.values()] == [True]
