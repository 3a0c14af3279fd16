"""Bounds of large estates: sets with items in parts, the relaxation under them, coarse rows; laws on tiny cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.economics.ledger import ledger
from planner.solvers import bounds, kernels
from planner.solvers.coarse import FEWEST, ROWS, SHAPES_A_ROW, features
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import build, components
from planner.solvers.parts import LARGE, PartPricer
from planner.solvers.pricing import Pricer, Prices
from planner.solvers.relaxation import HAIR, relaxed
from tests.conftest import estate, examples, hard_estate, machines, problem_of, solved
from tests.test_engine import best_set, instances, knapsacks, sets_on


def enumerated(module, profit, demand, most, capacity, large, floor, nodes):
    """What `worth_at_most` returns and writes, items ordered by size, at one relaxation's multipliers."""
    order = np.argsort(-(demand / np.maximum(capacity, 1)).max(axis=1), kind="stable")
    profit, demand, most = profit[order], demand[order], most[order]
    multiplier = relaxed(profit, demand, most, capacity)[0][None, :]
    reduced = np.maximum(profit - multiplier @ demand.T, 0.0) * most
    rest = np.ascontiguousarray(np.column_stack([np.cumsum(reduced[:, ::-1], axis=1)[:, ::-1], np.zeros(1)]))
    worth, begins = np.zeros(8), np.zeros(8, dtype="int64")
    room, inside = np.zeros((8, len(capacity)), dtype="int64"), np.zeros((8, 3), dtype="int64")
    served = np.zeros(2, dtype="int64")
    upper, complete = module.worth_at_most(
        profit,
        demand,
        most,
        large,
        capacity,
        multiplier,
        rest,
        float(floor),
        nodes,
        worth,
        begins,
        room,
        inside,
        served,
    )
    return upper, complete, worth, begins, room, inside


@examples(80)
@given(knapsacks(), st.integers(0, 5), st.integers(0, 40), st.sampled_from([0, 2, 10**6]))
def test_law_no_set_is_worth_more_than_enumeration_says_and_compiled_agrees_with_plain(case, large, floor, nodes):
    large = min(large, len(case[0]))
    plain = enumerated(kernels._plain("worth"), *case, large, floor, nodes)
    compiled = enumerated(kernels._compiled("worth"), *case, large, floor, nodes)
    assert all(np.allclose(a, b) for a, b in zip(plain, compiled, strict=True))
    upper, complete, worth, _, room, inside = plain
    best = best_set(*case)
    assert upper >= best - 1e-6 or best <= floor
    assert upper == floor or np.isclose(upper, worth.max())
    assert complete or nodes < 10**6
    assert (room >= 0).all()
    assert (inside[worth > 0] < large).all()


@examples(60)
@given(knapsacks())
def test_law_the_relaxation_bounds_and_its_parts_attain_it(case):
    profit, demand, most, capacity = case
    multiplier, amounts = relaxed(*case)
    plain = np.zeros(len(capacity)), np.zeros(len(profit))
    kernels._plain("simplex").relax(profit, demand, most, capacity, HAIR, 1000, *plain)
    assert np.allclose(plain[1], amounts)
    bound = multiplier @ capacity + np.maximum(profit - demand @ multiplier, 0.0) @ most
    assert bound >= best_set(*case) - 1e-6
    assert (amounts >= 0).all() and (amounts <= most).all()
    assert (amounts @ demand <= capacity + 1e-6).all()
    if (most @ demand <= capacity).all():
        assert (amounts == most).all()
    else:
        assert np.isclose(amounts @ profit, bound, rtol=1e-6, atol=1e-6)


def test_the_relaxation_ends_where_a_resource_is_used_up_exactly():
    # Every item takes the last of the first resource: without its hair the simplex meets the same corner for ever.
    profit, most = np.arange(1, 41), np.full(40, 3)
    demand = np.column_stack([np.full(40, 4), np.arange(40) % 5, 7 - np.arange(40) % 7])
    multiplier, amounts = relaxed(profit, demand, most, np.array([0, 10, 10]))
    assert np.isfinite(multiplier).all()
    assert amounts.sum() <= 1e-6


@examples(25)
@given(instances(), st.integers(0, 1000), st.sampled_from([*LARGE, 0.5, 0.0]), st.integers(0, 10**8))
def test_law_pricing_with_parts_is_never_below_what_trying_all_finds(instance, seed, large, floor):
    prices = Prices.of(np.random.default_rng(seed).random(len(instance.count)), dearest=1)
    pricer = Pricer(instance, Clock(limit=60.0), 0)
    for pair in pricer.pairs:
        worth, patterns = PartPricer(pricer).price(prices, pair, instance.count, floor, large)
        assert worth >= max(floor, *(int(prices.price @ x) for x in sets_on(instance, pair[0])))
        for pattern in patterns:
            assert prices.price[pattern.shapes] @ pattern.numbers > floor
            load = pattern.numbers @ instance.relaxed.demand[pattern.shapes]
            assert (load <= instance.relaxed.most[pair[0]] * (1 + 1e-6) + 1e-6).all()


def test_coarse_rows_are_few_and_say_how_many_items_there_are():
    problem = problem_of(hard_estate(), models=machines(("h", 512, 2048), storage_gib=24_000))
    instance = build(problem, ledger(problem), components(problem)[0])
    matrix = features(instance)
    assert matrix.shape[0] == len(instance.count)
    assert matrix.shape[1] <= min(ROWS, FEWEST + len(instance.count) // SHAPES_A_ROW)
    # The rows that count items are 1 for each of them, in one group alone.
    counting = matrix[:, [set(np.unique(column)) <= {0.0, 1.0} for column in matrix.T]]
    assert (counting.sum(axis=1) >= 1).all()


@pytest.mark.slow
def test_a_large_estate_gets_a_bound_beyond_volume_that_verifies_and_rests_on_one_weighting():
    # A tenth of the machines need most of a host's memory or disk: volume sees the sum, not that none can share.
    random = np.random.default_rng(1)
    frame = estate(*((f"w{i}", 1, 1.0) for i in range(2500)))
    frame["vcpus"] = random.choice([1, 2, 4, 8, 16, 32], 2500)
    frame["memory_gib"] = np.where(random.random(2500) < 0.1, random.integers(200, 300, 2500), frame["vcpus"] * 3)
    frame["storage_gib"] = np.round(67 * random.lognormal(0.0, 1.0, 2500), 1).clip(0.1, 1200)
    problem = problem_of(frame, models=machines(("h", 64, 320), storage_gib=1200))
    result = solved(problem, time_limit=15)
    volume = int(np.ceil(problem.demand.sum(axis=(0, 2)) / problem.capacity[0]).max())
    assert result.bound.value > volume
    (evidence,) = result.bound.evidence
    assert sum(w["method"] == "column generation" for w in evidence["weightings"]) <= 1


def test_weightings_that_a_later_one_makes_superfluous_are_dropped():
    # Ten items, none of which shares a host; by volume seven hosts would do.
    problem = problem_of(estate(*((f"w{i}", 1, 6 + i % 2) for i in range(10))), models=machines(("h", 64, 10)))
    instance = build(problem, ledger(problem), components(problem)[0])
    incumbent = Incumbent(instance=instance, announce=lambda method: None)
    incumbent.prove(bounds.resources(instance))
    loose, exact = (
        bounds.Weighting(method="column generation", pool=0, weight=np.array([each, each]), worth=np.array([worth]))
        for each, worth in ((4, 5), (1, 1))
    )
    for weighting, value in ((loose, 8), (exact, 10)):
        assert incumbent.prove([weighting])
        assert incumbent.bound == value
        assert [w for w in incumbent.weightings if w.method != "volume"] == [weighting]
    assert not incumbent.prove([loose])
    assert not incumbent.prove([])
