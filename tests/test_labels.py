"""Labels of the verifier: that no set of items weighs so much; brute force on tiny cases."""

from __future__ import annotations

import itertools
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from planner.verifier import labels
from planner.verifier.knapsacks import Knapsack
from planner.verifier.labels import none_weighs
from tests.conftest import examples
from tests.test_engine import best_set, knapsacks


def even_prices(net, demand):
    """Multipliers that count every resource alike: good enough for tiny cases."""

    def multipliers(n: int, room: np.ndarray) -> np.ndarray:
        share = (demand[n:] / np.maximum(room, 1)).sum(axis=1)
        best = float((net[n:] / np.maximum(share, 1e-9)).max())
        return min(best, 1e6) / np.maximum(room, 1)

    return multipliers


@examples(150)
@given(knapsacks(), st.integers(-3, 3))
def test_law_labels_prove_what_is_so_and_nothing_else(case, more):
    net, demand, count, room = case
    least = best_set(*case) + more
    proved = none_weighs(net, demand, count, room, least, even_prices(net, demand), time.monotonic() + 60)
    assert proved == (least > best_set(*case) and least > 0)


@examples(100)
@given(knapsacks(), st.integers(-2, 2))
def test_law_a_knapsack_holds_at_its_optimum_and_not_below(case, more):
    net, demand, count, room = case
    none = np.full((len(net), 0), -1)
    knapsack = Knapsack(net=net, demand=demand, count=count, apart=none, sides=none, room=room)
    best = best_set(*case)
    assert knapsack.holds(best + more, time.monotonic() + 60) == (more >= 0)


def test_no_time_and_too_many_labels_prove_nothing(monkeypatch):
    net, demand, count, room = np.arange(1, 9), np.arange(1, 9)[:, None], np.full(8, 3), np.array([20])
    prices = even_prices(net, demand)
    assert none_weighs(net, demand, count, room, 21, prices, time.monotonic() + 60)
    assert not none_weighs(net, demand, count, room, 21, prices, time.monotonic() - 1)
    monkeypatch.setattr(labels, "MOST_LABELS", 0)
    assert not none_weighs(net, demand, count, room, 21, prices, time.monotonic() + 60)


def test_items_kept_apart_are_left_to_the_search_that_knows_of_them():
    # Both fit, but not on one host: labels ignore that and prove nothing, CP-SAT does.
    apart = np.zeros((2, 1), dtype="int64")
    knapsack = Knapsack(
        net=np.array([3, 4]),
        demand=np.array([[1], [2]]),
        count=np.array([1, 1]),
        apart=apart,
        sides=apart[:, :0],
        room=np.array([5]),
    )
    assert knapsack.holds(4, time.monotonic() + 60)
    assert not knapsack.holds(3, time.monotonic() + 60)


@examples(100)
@given(knapsacks(), st.integers(-2, 2), st.randoms(use_true_random=False))
def test_law_two_sides_weigh_what_the_heavier_choice_does(case, more, random):
    net, demand, count, room = case
    none = np.full((len(net), 0), -1)
    sides = np.array([[random.randrange(3), random.randrange(3)] for _ in net])
    knapsack = Knapsack(net=net, demand=demand, count=count, apart=none, sides=sides, room=room)
    best = max(
        best_set(net[kept], demand[kept], count[kept], room) if kept.any() else 0
        for choice in itertools.product((1, 2), repeat=2)
        for kept in [~(sides == np.array(choice)).any(axis=1)]
    )
    assert knapsack.holds(best + more, time.monotonic() + 60) == (more >= 0)
