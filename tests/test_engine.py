"""Parts of the engine: kernels plain and compiled, exact pricing, weightings; brute force on tiny cases."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ortools.math_opt.python import mathopt

from planner import Failover, KeepApart, Policy
from planner.economics.ledger import ledger
from planner.solvers import bounds, cpsat, kernels
from planner.solvers.colgen import pattern_of
from planner.solvers.incumbent import Clock
from planner.solvers.instance import build
from planner.solvers.master import Master, Stalled
from planner.solvers.packing import OpenHost
from planner.solvers.pricing import Pricer, Prices
from planner.solvers.relaxation import multipliers
from tests.conftest import estate, examples, machines, problem_of, solved

NO_GROUPS = np.zeros(0, dtype="int64")


def best_set(profit, demand, most, capacity) -> int:
    """The most that a set of items on one host can be worth, by trying all of them."""
    sets = itertools.product(*(range(n + 1) for n in most))
    return max(int(np.dot(x, profit)) for x in sets if (np.array(x) @ demand <= capacity).all())


@st.composite
def knapsacks(draw):
    items, resources = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    numbers = st.lists(st.integers(0, 9), min_size=resources, max_size=resources)
    demand = np.array(draw(st.lists(numbers, min_size=items, max_size=items)), dtype="int64")
    profit = np.array(draw(st.lists(st.integers(1, 50), min_size=items, max_size=items)), dtype="int64")
    most = np.array(draw(st.lists(st.integers(1, 3), min_size=items, max_size=items)), dtype="int64")
    capacity = np.array(draw(st.lists(st.integers(1, 20), min_size=resources, max_size=resources)), dtype="int64")
    return profit, demand, most, capacity


def searched(module, profit, demand, most, capacity, nodes, shift, tabled):
    """Value, upper bound and set of the depth-first search, items in the order that it asks for."""
    multiplier = multipliers(profit, demand, most, capacity)
    order = np.argsort(-profit / np.maximum(demand @ multiplier, 1e-12), kind="stable")
    best = np.zeros(len(order), dtype="int64")
    groups = np.zeros((len(order), 0), dtype="int64")
    figures = profit[order], demand[order], most[order]
    shifts = np.full(len(capacity), shift)
    table = np.zeros((len(capacity) if tabled else 0, len(order) + 1, int(capacity.max()) + 1), dtype="int64")
    module.tabulate(*figures, shifts, table)
    value, upper = module.most_valuable(
        *figures, groups, NO_GROUPS, NO_GROUPS, NO_GROUPS, capacity, multiplier, shifts, table, 0, nodes, best
    )
    return int(value), int(upper), best


@examples(60)
@given(knapsacks(), st.sampled_from([0, 1, 10**6]), st.integers(0, 2), st.booleans())
def test_law_the_knapsack_search_agrees_with_trying_all_and_compiled_with_plain(case, nodes, shift, tabled):
    plain = searched(kernels._plain("knapsack"), *case, nodes, shift, tabled)
    compiled = searched(kernels._compiled("knapsack"), *case, nodes, shift, tabled)
    assert plain[:2] == compiled[:2]
    assert (plain[2] == compiled[2]).all()
    best = best_set(*case)
    assert plain[0] <= best <= plain[1]
    if nodes == 10**6:
        assert plain[0] == plain[1] == best


@examples(60)
@given(knapsacks(), st.integers(0, 10**6))
def test_law_exchanges_keep_sets_within_the_host_and_never_make_them_worth_less(case, seed):
    profit, demand, most, capacity = case
    order = np.argsort(-profit, kind="stable")
    profit, demand, most = profit[order], demand[order], most[order]
    # Three groups, of which the last two exclude each other: at most two, any number, any number.
    groups = np.arange(len(profit))[:, None] % 3
    limit, zone = np.array([2, 99, 99]), np.array([-1, 0, 0])
    orders = np.vstack([np.random.default_rng(seed + t).permutation(len(profit)) for t in range(3)])
    outcomes = []
    for module in (kernels._plain("knapsack"), kernels._compiled("knapsack")):
        found = np.zeros(orders.shape, dtype="int64")
        module.greedy_sets(orders, demand, most, groups, limit, zone, capacity, found)
        before = found @ profit
        module.improve_sets(profit, demand, most, groups, limit, zone, capacity, 10**6, found)
        assert (found @ profit >= before).all()
        assert (found @ demand <= capacity).all()
        assert (found <= most).all()
        in_group = np.array([found[:, groups[:, 0] == g].sum(axis=1) for g in range(3)])
        assert (in_group[0] <= 2).all()
        assert not (in_group[1] * in_group[2]).any()
        outcomes.append(found)
    assert (outcomes[0] == outcomes[1]).all()


@examples(40)
@given(knapsacks())
def test_law_cp_sat_prices_the_same(case):
    profit, demand, most, capacity = case
    groups = np.zeros((len(profit), 0), dtype="int64")
    sets, upper = cpsat.most_valuable(
        profit, demand, most, groups, NO_GROUPS, NO_GROUPS, capacity, 0, 10.0, Clock(limit=10.0)
    )
    best = best_set(*case)
    assert upper == best
    assert (int(sets[-1] @ profit) if sets else 0) == best


def test_pricing_that_has_no_time_proves_nothing_false():
    profit, demand, most = np.array([5, 4]), np.array([[3], [2]]), np.array([2, 2])
    groups = np.zeros((2, 0), dtype="int64")
    _, upper = cpsat.most_valuable(
        profit, demand, most, groups, NO_GROUPS, NO_GROUPS, np.array([7]), 0, 1.0, Clock(limit=0.0)
    )
    assert upper >= best_set(profit, demand, most, np.array([7]))


@st.composite
def instances(draw):
    """Up to five workloads on one or two host models, some kept apart, sides that share no host among them."""
    count = draw(st.integers(1, 5))
    rows = [(f"w{i}", draw(st.integers(1, 8)), draw(st.integers(1, 12)) / 2) for i in range(count)]
    frame = estate(*rows).assign(keep_apart=[draw(st.sampled_from(["", "a"])) for _ in range(count)])
    models = [
        (f"m{i}", draw(st.integers(8, 12)), draw(st.integers(12, 25)) / 2) for i in range(draw(st.integers(1, 2)))
    ]
    rules = [KeepApart(["w0", "w2"], others=["w1", "w3"])] if count > 3 and draw(st.booleans()) else []
    problem = problem_of(frame, models=machines(*models), rules=rules)
    return build(problem, ledger(problem), ("",))


def sets_on(instance, kind):
    """Every set of items that fits on one host of a class, as counts by shape."""
    relaxed = instance.relaxed
    kept_apart = [(instance.groups == g).any(axis=1) for g in range(len(instance.limit))]
    for x in itertools.product(*(range(n + 1) for n in instance.count)):
        x = np.array(x)
        fits = (x @ relaxed.demand <= relaxed.most[kind]).all()
        members = np.array([x[group].sum() for group in kept_apart])
        fits &= (members <= instance.limit).all()
        fits &= not any((members[instance.zone == z] > 0).sum() > 1 for z in set(instance.zone.tolist()) - {-1})
        if fits and instance.allowed[x > 0, kind].all():
            yield x


@examples(25)
@given(instances())
def test_law_no_host_is_worth_more_than_a_weighting_says(instance):
    weightings = bounds.resources(instance) + bounds.counting(instance)
    for kind in range(len(instance.available)):
        sets = np.array(list(sets_on(instance, kind)))
        for weighting in weightings:
            assert (sets @ weighting.weight).max() <= weighting.worth[kind]


@examples(25)
@given(instances(), st.integers(0, 1000))
def test_law_exact_pricing_finds_what_trying_all_finds(instance, seed):
    duals = np.random.default_rng(seed).random(len(instance.count))
    prices = Prices.of(duals, dearest=1)
    pricer = Pricer(instance, Clock(limit=60.0), 0)
    for kind, pool in pricer.pairs:
        worth, patterns = pricer.exact(prices, kind, pool, instance.count, 0, 10**6, 1.0)
        assert worth == max(int(prices.price @ x) for x in sets_on(instance, kind))
        for pattern in patterns:
            assert pattern.feasible(instance)


def test_a_reserve_counts_capacity_that_no_single_host_can_use():
    # Two hosts of 10.5 carry 21 GiB of 1 GiB each only as a sum; with one more to fail that is what N+1 asks for.
    rows = [(f"w{i}", 1, 1.0) for i in range(21)]
    policy = Policy(failover=Failover(hosts=1, mode="share"))
    problem = problem_of(estate(*rows), models=machines(("h", 64, 10.5)), policy=policy)
    result = solved(problem)
    assert (result.status, result.hosts_used) == ("optimal", 3)


def test_prices_stay_within_whole_numbers_however_dear_the_hosts():
    prices = Prices.of(np.array([1e-9, 0.0]), dearest=10**12)
    assert prices.scale * 10**12 < 2**62
    assert prices.price.tolist() == [0, 0]


@pytest.mark.parametrize("objective", ["hosts", "cost"])
def test_figures_that_do_not_come_out_even_give_no_false_bound(objective):
    # Three thirds of ten fill a host to the last bit, but not in whole steps rounded up.
    rows = [(f"w{i}", 1, 10 / 3) for i in range(6)]
    problem = problem_of(estate(*rows), models=machines(("h", 64, 10), price=100), objective=objective)
    result = solved(problem, time_limit=1)
    assert result.bound.value <= (2 if objective == "hosts" else result.objective_value)


def master_of_two_hosts() -> Master:
    problem = problem_of(estate(("a", 3, 1), ("b", 2, 1), ("c", 2, 1)), models=machines(("r", 4, 8), price=[7.0]))
    instance = build(problem, ledger(problem), ("",))
    master = Master(instance)
    for shapes, numbers in (([0], [1]), ([1], [2])):
        host = OpenHost(kind=0, pool=0, items=dict(zip(shapes, numbers, strict=True)))
        assert master.add(pattern_of(host))
    return master


def test_a_linear_program_that_stalls_is_begun_afresh(monkeypatch):
    master = master_of_two_hosts()
    expected = master.solve()
    assert (expected.value, expected.missing) == (pytest.approx(2), 0)
    stalled = SimpleNamespace(termination=SimpleNamespace(reason=mathopt.TerminationReason.NO_SOLUTION_FOUND))
    monkeypatch.setattr(master, "solver", SimpleNamespace(solve=lambda **_: stalled))
    assert master.solve().value == pytest.approx(expected.value)
    monkeypatch.setattr(master, "solver", SimpleNamespace(solve=lambda **_: stalled))
    monkeypatch.setattr(mathopt, "solve", lambda *_, **__: stalled)
    with pytest.raises(Stalled, match="ended with"):
        master.solve()


def test_the_search_goes_on_without_column_generation(monkeypatch):
    def stall(*_: object) -> None:
        raise Stalled("round in circles")

    monkeypatch.setattr(Master, "solve", stall)
    frame = estate(*((f"w{i}", 1 + i % 5, 2 + i % 7) for i in range(60)))
    result = solved(problem_of(frame, models=machines(("r", 8, 13))), time_limit=2)
    assert result.plan is not None
