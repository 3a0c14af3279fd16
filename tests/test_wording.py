"""What the money of a plan says of itself: numbers and their words, and how its figures come from each other."""

from __future__ import annotations

import pytest

import planner
from tests.conftest import estate, machines, problem_of


def report_of(problem: planner.Problem) -> planner.Report:
    result = planner.solve(problem, time_limit=5)
    assert planner.check(problem, result.plan) == []
    return planner.report(problem, result.plan, result=result)


@pytest.fixture(scope="module")
def one_of_each() -> planner.Report:
    """One workload is left on the one host that stays, and one host is given up."""
    frame = estate(("a", 1, 1), ("b", 1, 1)).assign(host=["h1", "h2"])
    hosts = machines(("h1", 8, 8), ("h2", 8, 8), idle_w=100.0, peak_w=200.0)
    prices = planner.Prices(migration_per_workload=10, disposal_per_host=20, residual_share=0.1, discount_rate=0.04)
    return report_of(problem_of(frame, hosts, prices=prices, objective="cost"))


def test_one_is_told_as_one(one_of_each):
    why = one_of_each.savings.set_index("item")["assumption"]
    assert why["disposal"].endswith("per host that is given up: 1 owned host.")
    assert why["migration"].endswith("whose host today is not known: 1 workload.")
    assert why["maintenance"].endswith("2 hosts today, 1 in the plan.")
    assert repr(one_of_each.problem).startswith("Problem(2 workloads on 2 owned hosts and 0 host models in 1 pool;")


def test_the_total_says_how_per_year_and_the_horizon_come_from_each_other(one_of_each):
    total = one_of_each.savings.set_index("item").loc["total"]
    assert "Per year, what is paid once is spread over 5 years." in total["assumption"]
    assert "later years count less by 4 % a year: 5 count as 4.45." in total["assumption"]
    yearly = total["plan_per_year"] - (10 + 20) / 5
    assert total["plan_horizon"] == pytest.approx(30 + yearly * one_of_each.problem.prices.years_discounted)


def test_a_total_without_discount_and_payments_at_the_start_says_nothing_of_them():
    frame = estate(("a", 1, 1)).assign(host=["h1"])
    hosts = machines(("h1", 8, 8), idle_w=100.0, peak_w=200.0)
    problem = problem_of(frame, hosts)
    told = report_of(problem).savings.set_index("item").loc["total", "assumption"]
    assert "spread" not in told and "later years" not in told
    assert "Today the one owned host runs; it is paid for already." in planner.today(problem).assumption


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('product = "x"\nper = "core"', "licences, entry 1: found no 'edition', expected product and edition and per"),
        ('edition = "e"\nper = "core"', "found no 'product', expected"),
    ],
)
def test_a_licence_that_lacks_a_field_is_named_without_words_of_python(given, expected):
    with pytest.raises(planner.InputError, match=expected):
        planner.Prices.from_toml(f"[[licences]]\n{given}\nprice = 5")


def test_hosts_without_watts_are_asked_for_what_the_objective_needs():
    frame = estate(("a", 1, 1)).assign(host=["h1"])
    hosts = machines(("h1", 8, 8), ("h2", 8, 8)).assign(idle_w=[100, None], peak_w=[200, None])
    asked = {}
    for objective in ("cost", "energy"):
        with pytest.raises(planner.InputError) as found:
            planner.solve(problem_of(frame, hosts, objective=objective), time_limit=1)
        asked[objective] = str(found.value)
    assert asked["cost"].endswith("for hosts without, or no energy_per_kwh, which leaves energy out of the cost")
    assert asked["energy"].endswith("prices.host_idle_w and prices.host_peak_w for hosts without")
