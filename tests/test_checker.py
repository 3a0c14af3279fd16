"""The checker is the specification: each rule with a plan that keeps it and one that breaks it."""

from __future__ import annotations

import pandas as pd
import pytest

import planner
from planner import Failover, KeepApart, KeepTogether, Pin, Plan, Policy
from tests.conftest import estate, machines, plan_of, problem_of


def kinds(problem, plan) -> list[str]:
    return [violation.kind for violation in planner.check(problem, plan)]


@pytest.fixture
def two_on_two():
    return problem_of(estate(("a", 2, 4), ("b", 2, 4)), machines(("h1", 4, 8), ("h2", 4, 8)))


def test_a_good_plan_has_no_violation(two_on_two):
    assert planner.check(two_on_two, plan_of(("a", "h1"), ("b", "h1"))) == []


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        (plan_of(("a", "h1")), "not placed"),
        (plan_of(("a", "h1"), ("b", "h1"), ("b", "h2")), "placed twice"),
        (plan_of(("a", "h1"), ("b", "h1"), ("c", "h1")), "unknown workload"),
        (plan_of(("a", "h1"), ("b", "h3")), "unknown host"),
    ],
)
def test_coverage(two_on_two, plan, kind):
    assert kinds(two_on_two, plan) == [kind]


def test_violations_name_the_near_match(two_on_two):
    (violation,) = planner.check(two_on_two, plan_of(("a", "h1"), ("b", "h11")))
    assert "did you mean 'h1'" in violation.message


@pytest.mark.parametrize("column", ["storage_gib", "network_gbps", "iops", "gpus"])
def test_every_resource_is_a_limit(column):
    workloads = estate(("a", 1, 1), ("b", 1, 1)).assign(**{column: [3, 3]})
    enough = problem_of(workloads, machines(("h", 8, 8)).assign(**{column: [6]}))
    short = problem_of(workloads, machines(("h", 8, 8)).assign(**{column: [5]}))
    blank = problem_of(workloads, machines(("h", 8, 8)).assign(**{column: [None]}))
    plan = plan_of(("a", "h"), ("b", "h"))
    assert kinds(enough, plan) == []
    assert kinds(short, plan) == ["over capacity"]
    assert kinds(blank, plan) == [], "a blank capacity is not limited"


def test_cpu_memory_and_the_number_of_workloads_are_limits():
    plan = plan_of(("a", "h"), ("b", "h"))
    assert kinds(problem_of(estate(("a", 2, 1), ("b", 3, 1)), machines(("h", 4, 8))), plan) == ["over capacity"]
    assert kinds(problem_of(estate(("a", 1, 5), ("b", 1, 5)), machines(("h", 4, 8))), plan) == ["over capacity"]
    capped = problem_of(estate(("a", 1, 1), ("b", 1, 1)), machines(("h", 4, 8), max_workloads=1))
    assert kinds(capped, plan) == ["over capacity"]


def test_a_further_column_is_a_limit_when_it_is_named():
    workloads = estate(("a", 1, 1), ("b", 1, 1), pcie_slots=2)
    hosts = machines(("h", 8, 8), pcie_slots=3)
    plan = plan_of(("a", "h"), ("b", "h"))
    assert kinds(problem_of(workloads, hosts), plan) == []
    assert kinds(problem_of(workloads, hosts, resources=["pcie_slots"]), plan) == ["over capacity"]


def test_demand_equal_to_capacity_to_the_last_unit_fits():
    workloads = estate(*((f"w{i}", 0.1, 0.7) for i in range(30)))
    problem = problem_of(workloads, machines(("h", 3, 21)))
    assert kinds(problem, plan_of(*((f"w{i}", "h") for i in range(30)))) == []


def test_host_models_are_bought_by_name_and_in_limited_number():
    workloads = estate(("a", 1, 1), ("b", 1, 1))
    problem = problem_of(workloads, models=machines(("r1", 4, 8), count=1))
    assert kinds(problem, plan_of(("a", "r1-1", "r1"), ("b", "r1-1", "r1"))) == []
    assert kinds(problem, plan_of(("a", "r1-1", "r1"), ("b", "r1-2", "r1"))) == ["too many hosts"]
    assert kinds(problem, plan_of(("a", "r1-1", "r1"), ("b", "x", "r2"))) == ["unknown host"]


def test_pools_share_nothing():
    workloads = estate(("a", 1, 1), ("b", 1, 1)).assign(pool=["north", "south"])
    hosts = machines(("n", 4, 8), ("s", 4, 8)).assign(pool=["north", "south"])
    problem = problem_of(workloads, hosts)
    assert kinds(problem, plan_of(("a", "n"), ("b", "s"))) == []
    assert kinds(problem, plan_of(("a", "s"), ("b", "n"))) == ["wrong pool", "wrong pool"]
    anywhere = problem_of(workloads, machines(("h1", 4, 8), ("h2", 4, 8)))
    assert kinds(anywhere, plan_of(("a", "h1"), ("b", "h1"))) == ["pools mixed"]
    merged = problem_of(workloads, hosts, merge_pools=True)
    assert kinds(merged, plan_of(("a", "n"), ("b", "n"))) == []


@pytest.mark.parametrize("by_column", [True, False])
def test_kept_apart_and_kept_together(by_column):
    workloads, hosts = estate(("a", 1, 1), ("b", 1, 1)), machines(("h1", 4, 8), ("h2", 4, 8))
    one, two = plan_of(("a", "h1"), ("b", "h1")), plan_of(("a", "h1"), ("b", "h2"))
    if by_column:
        apart = problem_of(workloads.assign(keep_apart="x"), hosts)
        together = problem_of(workloads.assign(keep_together="x"), hosts)
    else:
        apart = problem_of(workloads, hosts, rules=[KeepApart(["a", "b"])])
        together = problem_of(workloads, hosts, rules=[KeepTogether("*")])
    assert (kinds(apart, two), kinds(apart, one)) == ([], ["kept apart"])
    assert (kinds(together, one), kinds(together, two)) == ([], ["kept together"])


def test_pinned_workloads_stay_on_their_hosts():
    workloads, hosts = estate(("fw-1", 1, 1), ("b", 1, 1)), machines(("h1", 4, 8), ("h2", 4, 8))
    problem = problem_of(workloads, hosts, rules=[Pin("fw-*", hosts=["h2"])])
    assert kinds(problem, plan_of(("fw-1", "h2"), ("b", "h1"))) == []
    assert kinds(problem, plan_of(("fw-1", "h1"), ("b", "h1"))) == ["pinned"]


def spared(plan: Plan, *hosts: str) -> Plan:
    return Plan.from_frames(plan.placement, pd.DataFrame({"host": list(hosts)}))


def test_failover_share_counts_what_is_left_without_the_largest_host():
    workloads = estate(("a", 4, 4), ("b", 4, 4))
    hosts = machines(("h1", 8, 8), ("h2", 4, 8), ("h3", 4, 8))
    problem = problem_of(workloads, hosts, policy=Policy(failover=Failover(hosts=1, mode="share")))
    plan = plan_of(("a", "h1"), ("b", "h1"))
    assert set(kinds(problem, plan)) == {"failover"}
    assert set(kinds(problem, spared(plan, "h2"))) == {"failover"}
    assert kinds(problem, spared(plan, "h2", "h3")) == []


def test_failover_spare_needs_a_host_that_could_take_over_any_other():
    workloads = estate(("a", 4, 4), ("b", 4, 4))
    hosts = machines(("h1", 8, 8), ("h2", 4, 8), ("h3", 8, 8))
    problem = problem_of(workloads, hosts, policy=Policy(failover=Failover(hosts=1, mode="spare")))
    plan = plan_of(("a", "h1"), ("b", "h1"))
    assert kinds(problem, plan) == ["failover"]
    assert kinds(problem, spared(plan, "h2")) == ["failover"]
    assert kinds(problem, spared(plan, "h3")) == []


def test_a_plan_without_workload_column_is_refused():
    with pytest.raises(planner.InputError, match="expected 'workload' too"):
        Plan.from_frames(pd.DataFrame({"vm": ["a"], "host": ["h"]}))


def test_a_pool_that_is_stated_wrongly_is_found_and_hides_nothing():
    workloads = estate(("a", 8, 1), ("b", 8, 1)).assign(pool=["p1", "p2"])
    hosts = machines(*((f"h{i}", 8, 8) for i in range(4)))
    problem = problem_of(workloads, hosts, policy=Policy(failover=Failover(hosts=1)))
    rows = pd.DataFrame({"workload": ["a", "b"], "host": ["h0", "h1"], "pool": "zz"})
    assert set(kinds(problem, Plan.from_frames(rows))) == {"wrong pool", "failover"}


def test_hosts_too_small_for_any_workload_are_no_reserve():
    hosts = machines(("h", 10, 64), *((f"s{i}", 2, 64) for i in range(5)))
    problem = problem_of(estate(("a", 10, 1)), hosts, policy=Policy(failover=Failover(hosts=1)))
    assert set(kinds(problem, spared(plan_of(("a", "h")), *(f"s{i}" for i in range(5))))) == {"failover"}
