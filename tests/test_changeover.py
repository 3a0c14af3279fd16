"""What changing over costs: moves, hosts that are given up, what they bring in."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Prices, Status
from planner.economics.ledger import ledger
from planner.economics.valuation import valued
from planner.policy import Failover, Policy
from tests.conftest import drawn_problem, estate, examples, machines, plan_of, problem_of, solved

NOTHING = {"energy_per_kwh": None, "maintenance_per_host_year": None}


def old_and_new(**prices) -> planner.Problem:
    """Four workloads on two old hosts that cost 100 a year each to administer; a new one for 250 carries all."""
    frame = estate(*((f"w{i}", 2, 4) for i in range(4)), host=["old1", "old1", "old1", "old2"])
    old = machines(("old1", 6, 32), ("old2", 6, 32), resale=[40.0, np.nan])
    new = machines(("new", 8, 32), price=[250.0])
    told = Prices(**NOTHING | {"administration_per_host_year": 100, "years": 2} | prices)
    return problem_of(frame, old, new, objective="cost", prices=told)


def test_old_hosts_are_kept_or_given_up_by_what_that_costs():
    kept = solved(old_and_new(migration_per_workload=5, disposal_per_host=30))
    assert sorted(kept.plan.hosts["host"]) == ["old1", "old2"]
    assert (kept.status, kept.objective_value) == (Status.OPTIMAL, 400)
    assert len(kept.moves) == 0
    given_up = solved(old_and_new(migration_per_workload=5, disposal_per_host=30, administration_per_host_year=250))
    assert given_up.plan.hosts["model"].tolist() == ["new"]
    assert given_up.objective_value == 250 + 500 + 4 * 5 + 2 * 30 - 40
    assert given_up.status == Status.OPTIMAL


def test_the_report_tells_what_becomes_of_each_host_and_what_that_costs():
    problem = old_and_new(migration_per_workload=5, disposal_per_host=30, administration_per_host_year=250)
    result = solved(problem)
    report = planner.report(problem, result.plan, result=result)
    costs = report.costs.set_index("host")
    assert costs["decision"].to_dict() == {"new-1": "buy", "old1": "give up", "old2": "give up"}
    assert costs["migration"].tolist() == [20, 0, 0]
    assert costs["disposal"].tolist() == [0, 30, 30]
    assert costs["resale"].tolist() == [0, -40, 0]
    assert costs["total"].sum() == pytest.approx(result.objective_value)
    savings = report.savings.set_index("item")
    assert savings.loc[["migration", "disposal", "resale"], "plan_horizon"].tolist() == [20, 60, -40]
    assert savings.loc["total", "plan_horizon"] == pytest.approx(result.objective_value)
    assert savings.loc["total", "today_horizon"] == 1000
    assert "Of 1 of them it is not known" in savings.loc["resale", "assumption"]


def test_moves_that_cost_nothing_are_told_all_the_same():
    problem = old_and_new(migration_per_workload=0, administration_per_host_year=250)
    savings = planner.report(problem, solved(problem).plan).savings.set_index("item")
    assert savings.loc["migration", "assumption"].startswith("0 EUR for every workload")
    assert savings.loc["migration", "assumption"].endswith("whose host today is not known: 4 workloads.")
    assert savings.loc["migration", "plan_horizon"] == 0


def test_workloads_whose_host_is_not_known_move_in_any_plan():
    frame = estate(("a", 2, 4), ("b", 2, 4), host=["old", "elsewhere"])
    problem = problem_of(
        frame, machines(("old", 8, 32)), objective="cost", prices=Prices(**NOTHING, migration_per_workload=7)
    )
    assert solved(problem).objective_value == 7


def test_of_equal_hosts_the_one_with_the_fewest_workloads_is_given_up():
    homes = ["a"] * 4 + ["b"] * 1 + ["c"] * 3
    frame = estate(*((f"w{i}", 1, 1) for i in range(8)), host=homes)
    old = machines(("a", 4, 32), ("b", 4, 32), ("c", 4, 32))
    prices = Prices(**NOTHING, administration_per_host_year=100, migration_per_workload=1, years=1)
    result = solved(problem_of(frame, old, objective="cost", prices=prices))
    assert sorted(result.plan.hosts["host"]) == ["a", "c"]
    assert (result.status, result.objective_value, len(result.moves)) == (Status.OPTIMAL, 201, 1)


def test_other_objectives_report_the_change_without_minding_it():
    problem = old_and_new(migration_per_workload=1e6).replace(objective="hosts")
    result = solved(problem)
    assert result.hosts_used == 1
    assert planner.report(problem, result.plan).savings.set_index("item").loc["migration", "plan_horizon"] == 4e6


@st.composite
def changing(draw) -> planner.Problem:
    size = st.sampled_from([1, 2, 3])
    count = draw(st.integers(1, 3))
    frame = estate(*((f"w{i}", draw(size), draw(size)) for i in range(count)))
    frame["host"] = [draw(st.sampled_from(["", "h0", "h1"])) for _ in range(count)]
    money = st.sampled_from([0, 3, 20, 100])
    worth = st.sampled_from([np.nan, 0.0, 5.0, 150.0])
    old = machines(("h0", draw(st.sampled_from([3, 4, 6])), 8), ("h1", 4, 8), resale=[draw(worth), draw(worth)])
    new = machines(("r", 5, 8), price=[draw(st.sampled_from([10, 60]))])
    prices = Prices(
        **NOTHING,
        administration_per_host_year=draw(st.sampled_from([None, 10, 40])),
        migration_per_workload=draw(st.sampled_from([None, 1, 15])),
        disposal_per_host=draw(st.one_of(st.none(), money)),
        years=1,
    )
    policy = Policy(failover=Failover(hosts=draw(st.sampled_from([0, 0, 1]))))
    return drawn_problem(frame, old, new, objective="cost", prices=prices, policy=policy)


def by_hand(problem: planner.Problem, plan: planner.Plan) -> float:
    prices = problem.prices
    hosts, used = problem.hosts, dict(zip(plan.hosts["host"], plan.hosts["model"], strict=True))
    price = dict(zip(hosts["name"], hosts["price"], strict=True))
    total = len(used) * (prices.administration_per_host_year or 0)
    total += sum(price[model] for model in used.values() if model)
    stood = dict(zip(problem.workloads["name"], problem.workloads["host"], strict=True))
    placed = dict(zip(plan.placement["workload"], plan.placement["host"], strict=True))
    total += sum(placed[name] != host for name, host in stood.items()) * (prices.migration_per_workload or 0)
    resale = dict(zip(hosts["name"][hosts["owned"]], hosts["resale"][hosts["owned"]].fillna(0), strict=True))
    gone = [name for name in resale if name not in used]
    return total + len(gone) * (prices.disposal_per_host or 0) - sum(resale[name] for name in gone)


@examples(30)
@given(changing())
def test_law_no_plan_is_cheaper_than_the_bound_and_each_costs_what_a_hand_calculation_says(problem):
    result = solved(problem, time_limit=0.3)
    names, book = problem.workloads["name"].tolist(), ledger(problem)
    seats = [("h0", ""), ("h1", ""), *((f"r-{i}", "r") for i in range(len(names)))]
    values = []
    for choice in itertools.product(range(len(seats)), repeat=len(names)):
        if any(at > max((*choice[:number], 1)) + 1 for number, at in enumerate(choice)):
            continue  # Of equal hosts the first comes first.
        plan = plan_of(*((name, *seats[at]) for name, at in zip(names, choice, strict=True)))
        if planner.check(problem, plan) == []:
            values.append(by_hand(problem, plan))
            assert valued(problem, plan, book).value == pytest.approx(values[-1])
    if result.plan is None:
        return
    assert result.objective_value == pytest.approx(by_hand(problem, result.plan))
    assert result.bound.value <= min(values, default=result.objective_value) + 1e-9
    report = planner.report(problem, result.plan)
    assert report.costs["total"].sum() == pytest.approx(result.objective_value)
