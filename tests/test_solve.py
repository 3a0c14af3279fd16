"""solve(): status, bound, determinism, limits; laws on random problems; brute force on tiny ones."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Failover, KeepApart, KeepTogether, Overcommit, Pin, Policy, Prices, Status, Stop
from planner.economics.ledger import ledger
from planner.solvers.instance import build, components
from tests.conftest import drawn_problem, estate, examples, machines, problem_of, solved


def random_estate(count: int, seed: int, pools: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    vcpus = rng.choice([1, 2, 4, 8], count)
    return pd.DataFrame(
        {
            "name": [f"vm{i}" for i in range(count)],
            "vcpus": vcpus,
            "memory_gib": vcpus * rng.choice([1, 2, 4], count),
            "storage_gib": np.round(rng.lognormal(3, 1, count)),
            "pool": [f"p{i % pools}" if pools > 1 else "" for i in range(count)],
        }
    )


def test_a_resource_that_never_binds_is_left_out_on_the_way():
    workloads = random_estate(100, 1)
    workloads["storage_gib"] = 10 * workloads["vcpus"]
    problem = problem_of(workloads, models=machines(("r", 32, 64), storage_gib=100_000))
    (instance,) = [build(problem, ledger(problem), pools) for pools in components(problem)]
    assert instance.demand.shape[1] == 2
    assert solved(problem).status == "optimal"


def test_three_servers_become_one():
    problem = problem_of(estate(("a", 4, 16), ("b", 4, 32), ("c", 4, 16)), models=machines(("r", 16, 128)))
    result = solved(problem)
    assert (result.status, result.stop, result.hosts_used, result.bound.value, result.gap) == (
        "optimal",
        "proven",
        1,
        1,
        0,
    )
    assert result.plan.placement.columns.tolist() == ["workload", "host", "model", "pool"]
    assert result.plan.placement["model"].tolist() == ["r"] * 3
    assert result.trace[-1].incumbent == 1
    assert "optimal (proven)" in repr(result)


def test_cp_sat_closes_what_greedy_leaves():
    # Two hosts suffice only as (6+4) and (5+3+2); volume says 2, first-fit decreasing by size finds it or CP-SAT does.
    sizes = [6, 5, 4, 3, 2]
    problem = problem_of(estate(*((f"w{i}", 1, size) for i, size in enumerate(sizes))), models=machines(("r", 64, 10)))
    result = solved(problem)
    assert (result.status, result.hosts_used) == (Status.OPTIMAL, 2)


def test_a_bound_that_summing_up_misses_is_proven():
    # Seven items of 4 to 4.06 on hosts of 10: two a host, so 4; summing up says 3.
    problem = problem_of(estate(*((f"w{i}", 1, 4 + i / 100) for i in range(7))), models=machines(("r", 64, 10)))
    result = solved(problem)
    assert (result.status, result.hosts_used, result.bound.value) == ("optimal", 4, 4)
    assert result.bound.method != "volume"
    assert planner.verify(problem, result.bound)


def test_owned_hosts_stand_beside_models_that_are_bought():
    workloads = estate(*((f"w{i}", 1, 6) for i in range(3)))
    problem = problem_of(workloads, machines(("own", 8, 8)), machines(("buy", 8, 8), price=100))
    result = solved(problem)
    assert result.hosts_used == 3
    assert set(result.plan.placement["host"]) == {"own", "buy-1", "buy-2"}


def test_among_as_few_hosts_the_cheapest_are_bought():
    models = machines(("dear", 8, 16), ("cheap", 8, 16), ("tiny", 1, 1)).assign(price=[900, 500, 10])
    result = solved(problem_of(estate(("a", 4, 8), ("b", 4, 8)), models=models))
    assert set(result.plan.placement["model"]) == {"cheap"}


def test_the_cost_objective_prefers_two_small_hosts_where_they_are_cheaper():
    models = machines(("big", 16, 32), ("small", 8, 16)).assign(price=[5000, 1000])
    workloads = estate(("a", 8, 16), ("b", 8, 16))
    fewest = solved(problem_of(workloads, models=models, prices=Prices.none()))
    cheapest = solved(problem_of(workloads, models=models, prices=Prices.none(), objective="cost"))
    assert fewest.hosts_used == 1
    assert (cheapest.hosts_used, cheapest.objective_value, cheapest.objective_unit) == (2, 2000, "EUR")
    assert cheapest.status == Status.OPTIMAL


@pytest.mark.parametrize("objective", ["energy", "carbon"])
def test_energy_and_carbon_pick_the_frugal_host(objective):
    models = machines(("hot", 16, 32), ("cool", 16, 32)).assign(idle_w=[200, 50], peak_w=[400, 100])
    result = solved(problem_of(estate(("a", 4, 8)), models=models, objective=objective))
    assert set(result.plan.placement["model"]) == {"cool"}
    assert result.objective_unit == {"energy": "kWh/year", "carbon": "kg CO2e"}[objective]


def test_energy_needs_watts_and_cost_needs_prices():
    problem = problem_of(estate(("a", 4, 8)), models=machines(("r", 8, 16)), objective="energy")
    with pytest.raises(planner.InputError, match="host 'r': idle_w or peak_w is blank"):
        planner.solve(problem)
    with pytest.raises(planner.InputError, match="host model 'r': price is blank"):
        problem_of(estate(("a", 4, 8)), models=machines(("r", 8, 16)), objective="cost")


@pytest.mark.parametrize(
    ("rule", "law"),
    [
        (KeepApart("w*"), lambda hosts: len(set(hosts)) == 3),
        (KeepTogether("w*"), lambda hosts: len(set(hosts)) == 1),
        (Pin("w1", hosts="h3"), lambda hosts: hosts[1] == "h3"),
    ],
)
def test_rules_are_kept(rule, law):
    problem = problem_of(
        estate(("w0", 1, 2), ("w1", 1, 2), ("w2", 1, 2)),
        machines(("h1", 4, 6), ("h2", 4, 6), ("h3", 4, 6)),
        rules=[rule],
    )
    result = solved(problem)
    assert law(result.plan.placement["host"].tolist())
    assert result.status == Status.OPTIMAL


def test_a_workload_larger_than_every_host_is_infeasible_with_its_reason():
    result = solved(problem_of(estate(("a", 1, 1), ("giant", 4, 640)), machines(("h1", 64, 256), ("h2", 64, 512))))
    assert (result.status, result.stop, result.plan, result.bound) == ("infeasible", "proven", None, None)
    assert "workload 'giant' needs 640 GiB of memory" in result.reason
    assert "'h2', offers 512" in result.reason


def test_too_few_hosts_are_infeasible_with_the_resource_that_is_short():
    result = solved(problem_of(estate(*((f"w{i}", 1, 8) for i in range(5))), machines(("h1", 64, 16), ("h2", 64, 16))))
    assert result.status == Status.INFEASIBLE
    assert "memory: the workloads need 40 GiB together, the 2 hosts available offer 32" in result.reason


def test_what_only_packing_shows_to_be_infeasible_is_proven_by_cp_sat():
    result = solved(problem_of(estate(*((f"w{i}", 1, 6) for i in range(3))), machines(("h1", 64, 10), ("h2", 64, 10))))
    assert result.status == Status.INFEASIBLE
    assert result.reason


def test_a_workload_without_a_host_in_its_pool_is_infeasible():
    workloads = estate(("a", 1, 1)).assign(pool="north")
    result = solved(problem_of(workloads, machines(("h", 4, 4)).assign(pool="south")))
    assert (result.status, "pool 'north' has no host" in result.reason) == (Status.INFEASIBLE, True)


def test_pools_that_share_limited_hosts_are_planned_together():
    workloads = estate(("a", 2, 6), ("b", 2, 6), ("c", 2, 2)).assign(pool=["north", "south", "north"])
    problem = problem_of(workloads, machines(("h1", 4, 8), ("h2", 4, 8)))
    result = solved(problem)
    assert (result.status, result.hosts_used) == (Status.OPTIMAL, 2)


@pytest.mark.parametrize("mode", ["share", "spare"])
def test_one_more_host_stands_by_for_failover(mode):
    workloads = estate(*((f"w{i}", 1, 8) for i in range(8)))
    policy = Policy(failover=Failover(hosts=1, mode=mode))
    result = solved(problem_of(workloads, models=machines(("r", 64, 32)), policy=policy))
    assert (result.status, result.hosts_used, result.bound.value) == (Status.OPTIMAL, 3, 3)


def test_a_reserve_that_cannot_be_held_is_infeasible():
    policy = Policy(failover=Failover(hosts=2))
    hosts = machines(("h1", 4, 4), ("h2", 4, 4), ("h3", 4, 4))
    result = solved(problem_of(estate(("a", 3, 1), ("b", 3, 1)), hosts, policy=policy))
    assert (result.status, "keep 2 in reserve" in result.reason) == (Status.INFEASIBLE, True)


@pytest.mark.parametrize("limit", [0, 0.1])
def test_a_time_limit_of_nothing_still_gives_a_checked_plan_and_a_bound(limit):
    result = solved(problem_of(random_estate(60, 1), models=machines(("r", 32, 64), storage_gib=400)), time_limit=limit)
    assert result.plan is not None
    assert result.bound.value <= result.hosts_used


def test_stop_before_the_first_step_keeps_a_plan_or_says_unknown():
    result = solved(
        problem_of(random_estate(60, 1), models=machines(("r", 32, 64), storage_gib=400)), should_stop=lambda: True
    )
    assert result.stop in (Stop.CANCELLED, Stop.PROVEN)
    assert result.plan is not None


def test_a_gap_of_one_ends_at_once():
    result = solved(problem_of(random_estate(60, 1), models=machines(("r", 32, 64), storage_gib=400)), gap=1.0)
    assert result.stop in (Stop.GAP, Stop.PROVEN)


def test_zero_demand_and_a_million_equal_workloads():
    assert solved(problem_of(estate(("a", 0, 0)), models=machines(("r", 1, 1)))).hosts_used == 1
    many = problem_of(estate(("w", 1, 1), count=20_000), models=machines(("r", 64, 64)))
    result = solved(many)
    assert (result.status, result.hosts_used) == (Status.OPTIMAL, 313)


def test_progress_tells_the_incumbent_and_the_bound():
    steps = []
    problem = problem_of(random_estate(40, 2), models=machines(("r", 16, 32)))
    result = solved(problem, on_progress=steps.append)
    assert tuple(steps) == result.trace
    assert all(step.bound is None or step.incumbent is None or step.bound <= step.incumbent for step in steps)


def test_the_same_seed_gives_the_same_plan_and_the_order_of_rows_changes_no_number():
    frame = random_estate(50, 3, pools=2)
    models = machines(("r", 16, 32), storage_gib=300)
    first, second = (solved(problem_of(frame, models=models), seed=7) for _ in range(2))
    pd.testing.assert_frame_equal(first.plan.placement, second.plan.placement)
    shuffled = solved(problem_of(frame.sample(frac=1, random_state=1), models=models), seed=7)
    assert (shuffled.hosts_used, shuffled.status) == (first.hosts_used, first.status)


def test_pools_may_be_solved_side_by_side():
    problem = problem_of(random_estate(60, 4, pools=3), models=machines(("r", 16, 32)))
    with ThreadPoolExecutor(2) as executor:
        assert solved(problem, executor=executor).hosts_used == solved(problem).hosts_used


@pytest.mark.parametrize(("name", "value"), [("time_limit", -1), ("gap", 2), ("workers", 0)])
def test_arguments_out_of_range_are_named(name, value):
    with pytest.raises(planner.InputError, match=name):
        planner.solve(problem_of(estate(("a", 1, 1)), machines(("h", 1, 1))), **{name: value})


SIZES = st.integers(1, 6)


@st.composite
def problems(draw, most: int = 6):
    """Small random problems: two resources, two host classes, perhaps a limit, a rule, a reserve, overcommit."""
    count = draw(st.integers(1, most))
    frame = estate(*((f"w{i}", draw(SIZES), draw(SIZES)) for i in range(count)))
    frame["keep_apart"] = [draw(st.sampled_from(["", "", "x"])) for _ in range(count)]
    owned = machines(
        *((f"h{i}", draw(st.integers(4, 9)), draw(st.integers(4, 9))) for i in range(draw(st.integers(0, 2))))
    )
    models = machines(("r", draw(st.integers(6, 9)), draw(st.integers(6, 9))), price=draw(st.integers(1, 9)))
    models["count"] = draw(st.sampled_from([None, 1, 3]))
    policy = Policy(
        overcommit=Overcommit(cpu=draw(st.sampled_from([1.0, 1.5]))),
        failover=Failover(hosts=draw(st.sampled_from([0, 0, 1])), mode=draw(st.sampled_from(["share", "spare"]))),
    )
    objective = draw(st.sampled_from(["hosts", "cost"]))
    return drawn_problem(frame, owned, models, policy=policy, objective=objective, prices=Prices.none())


@examples(120)
@given(problems())
def test_law_the_plan_passes_the_checker_and_the_bound_is_no_more_than_the_objective(problem):
    result = solved(problem)
    if result.plan is not None:
        assert result.bound.value <= result.objective_value + 1e-9
        assert result.hosts_used == len(result.plan.hosts)
    else:
        assert result.reason


@examples(60)
@given(problems(most=3))
def test_law_brute_force_agrees(problem):
    if problem.policy.failover.hosts:
        problem = problem.replace(policy=Policy(overcommit=problem.policy.overcommit))
    result = solved(problem)
    best = brute_force(problem)
    if best is None:
        assert result.status == Status.INFEASIBLE
    else:
        assert result.status == Status.OPTIMAL
        assert result.objective_value == pytest.approx(best)


def brute_force(problem) -> float | None:
    """Least objective over all maps from workloads to hosts, judged by the checker alone."""
    owned = problem.hosts.loc[problem.hosts["owned"], "name"].tolist()
    names = problem.workloads["name"].tolist()
    bought = [(f"r-{i}", "r") for i in range(len(names))]
    seats = [(name, "") for name in owned] + bought
    price = dict(zip(problem.hosts["name"], problem.hosts["price"], strict=True))
    best = None
    for choice in itertools.product(range(len(seats)), repeat=len(names)):
        rows = [(name, *seats[at]) for name, at in zip(names, choice, strict=True)]
        used = {seats[at] for at in choice}
        value = len(used) if problem.objective == "hosts" else sum(price[model] for _, model in used if model)
        if best is not None and value >= best:
            continue
        plan = planner.Plan.from_frames(pd.DataFrame(rows, columns=["workload", "host", "model"]))
        if not planner.check(problem, plan):
            best = value
    return best


@examples(40)
@given(problems(), st.integers(0, 5))
def test_law_more_demand_never_needs_fewer_hosts(problem, at):
    problem = problem.replace(objective="hosts")
    more = problem.inventory.workloads.copy()
    more.loc[at % len(more), "memory_gib"] += 1
    grown = problem.replace(
        inventory=planner.Inventory.from_frames(more, problem.inventory.hosts, problem.inventory.host_models)
    )
    before, after = solved(problem), solved(grown)
    if Status.OPTIMAL == before.status == after.status:
        assert after.hosts_used >= before.hosts_used
    if before.status == Status.INFEASIBLE:
        assert after.status == Status.INFEASIBLE


@examples(40)
@given(problems())
def test_law_dropping_a_rule_never_costs_more(problem):
    free = planner.Inventory.from_frames(
        problem.inventory.workloads.assign(keep_apart=""), problem.inventory.hosts, problem.inventory.host_models
    )
    ruled, freed = solved(problem), solved(problem.replace(inventory=free))
    if Status.OPTIMAL == ruled.status == freed.status:
        assert freed.objective_value <= ruled.objective_value


def test_a_spare_takes_the_large_host_where_only_that_can_take_over():
    hosts = machines(("h0", 9, 16), ("h1", 9, 8), ("h2", 9, 8))
    policy = Policy(failover=Failover(hosts=1, mode="spare"))
    result = solved(problem_of(estate(("a", 1, 7), ("b", 1, 8)), hosts, policy=policy))
    assert (result.status, result.plan.spares["host"].tolist()) == (Status.OPTIMAL, ["h0"])


def test_more_kept_apart_than_hosts_is_refused_by_the_label():
    workloads = estate(*((f"w{i}", 1, 1) for i in range(5)), keep_apart="replicas")
    with pytest.raises(planner.InputError, match=r"'replicas'.* 5 workloads to spread.* over 4 hosts"):
        problem_of(workloads, machines(*((f"h{i}", 8, 8) for i in range(4))))


@pytest.mark.parametrize(("name", "value"), [("seed", 1.5), ("seed", 2**40), ("workers", 1.5), ("start", "plan.csv")])
def test_arguments_of_the_wrong_kind_are_named(name, value):
    with pytest.raises(planner.InputError, match=name):
        planner.solve(problem_of(estate(("a", 1, 1)), machines(("h", 1, 1))), **{name: value})


@examples(25)
@given(st.integers(0, 10_000))
def test_law_brute_force_agrees_with_a_reserve(seed):
    rng = np.random.default_rng(seed)
    frame = estate(*((f"w{i}", *rng.integers(1, 9, 2)) for i in range(rng.integers(1, 3))))
    hosts = machines(*((f"h{i}", *rng.integers(3, 13, 2)) for i in range(rng.integers(2, 5))))
    policy = Policy(failover=Failover(hosts=1, mode=["share", "spare"][seed % 2]))
    problem = problem_of(frame, hosts, policy=policy)
    result, best = solved(problem), fewest_with_reserve(problem)
    assert result.status == (Status.INFEASIBLE if best is None else Status.OPTIMAL)
    assert result.hosts_used == best


def fewest_with_reserve(problem) -> int | None:
    """Fewest hosts over all placements and all sets of hosts that stand by, judged by the checker alone."""
    owned, names = problem.hosts["name"].tolist(), problem.workloads["name"].tolist()
    best = None
    for choice in itertools.product(owned, repeat=len(names)):
        rest = [name for name in owned if name not in choice]
        for number in range(len(rest) + 1):
            for spares in itertools.combinations(rest, number):
                plan = planner.Plan.from_frames(
                    pd.DataFrame({"workload": names, "host": choice}), pd.DataFrame({"host": list(spares)})
                )
                if (best is None or plan.hosts_used < best) and not planner.check(problem, plan):
                    best = plan.hosts_used
    return best


def test_of_plans_that_cost_the_same_the_one_with_the_fewest_hosts_is_taken_then_the_one_that_moves_least():
    """Owned hosts that cost nothing more: greedy filling needs three for what fits on two."""
    sizes = [6, 4, 4, 2, 2, 2]
    homes = ["c", "b", "a", "a", "b", "a"]
    frame = estate(*((f"w{i}", size, 1) for i, size in enumerate(sizes)), host=homes)
    owned = machines(("a", 10, 64), ("b", 10, 64), ("c", 10, 64))
    problem = problem_of(frame, owned, objective="cost", prices=planner.Prices.none())
    result = solved(problem)
    assert (result.objective_value, result.hosts_used) == (0, 2)
    again = solved(problem, start=planner.baseline.today(problem).plan)
    assert again.hosts_used == 2
    assert len(again.moves) <= 3
