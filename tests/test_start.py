"""Solving again from a plan that stands."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import estate, examples, machines, plan_of, problem_of, solved


def test_nothing_moves_where_the_plan_that_stands_is_as_good():
    problem = problem_of(
        estate(("a", 1, 4), ("b", 1, 4), ("c", 1, 8)), machines(("h1", 8, 8), ("h2", 8, 8), ("h3", 8, 8))
    )
    start = plan_of(("a", "h3"), ("b", "h3"), ("c", "h2"))
    result = solved(problem, start=start)
    assert result.moves.empty
    assert result.plan.placement["host"].tolist() == ["h3", "h3", "h2"]


def test_a_workload_added_and_one_removed_move_no_other():
    start = plan_of(("a", "h2"), ("b", "h2"), ("gone", "h1"), ("c", "h1"))
    problem = problem_of(
        estate(("a", 1, 4), ("b", 1, 4), ("c", 1, 3), ("new", 1, 5)), machines(("h1", 8, 8), ("h2", 8, 8))
    )
    moves = solved(problem, start=start).moves.set_index("workload")["reason"].to_dict()
    assert moves == {"new": "added", "gone": "removed"}


def test_one_host_fewer_is_worth_its_moves_and_only_those():
    # The owner's six VMs lie on three hosts; two suffice, and emptying any one host takes two moves.
    workloads = estate(*((f"w{i}", 1, 2) for i in range(6)))
    hosts = machines(("h1", 8, 6), ("h2", 8, 6), ("h3", 8, 6))
    start = plan_of(("w0", "h1"), ("w1", "h1"), ("w2", "h2"), ("w3", "h2"), ("w4", "h3"), ("w5", "h3"))
    result = solved(problem_of(workloads, hosts), start=start)
    assert result.hosts_used == 2
    assert len(result.moves) == 2


def test_bought_hosts_keep_their_names():
    problem = problem_of(estate(("a", 1, 8), ("b", 1, 8), ("new", 1, 8)), models=machines(("r", 8, 8)))
    start = plan_of(("a", "r-7", "r"), ("b", "r-9", "r"))
    placement = solved(problem, start=start).plan.placement.set_index("workload")["host"]
    assert (placement["a"], placement["b"], placement["new"]) == ("r-7", "r-9", "r-1")


def test_a_start_with_hosts_that_are_gone_or_overfull_is_repaired():
    problem = problem_of(estate(("a", 1, 6), ("b", 1, 6), ("c", 1, 2)), machines(("h1", 8, 8), ("h2", 8, 8)))
    start = plan_of(("a", "h1"), ("b", "h1"), ("c", "lost"))
    result = solved(problem, start=start)
    moved = result.moves[result.moves["reason"] == "moved"]
    assert set(moved["workload"]) <= {"a", "b", "c"}
    assert len(moved) == 2, "one of a and b, and c whose host is gone"


@examples(40)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=7), st.data())
def test_law_solving_again_from_an_optimal_plan_moves_nothing(sizes, data):
    workloads = estate(*((f"w{i}", 1, size) for i, size in enumerate(sizes)))
    problem = problem_of(workloads, models=machines(("r", 64, 8)))
    first = solved(problem, seed=data.draw(st.integers(0, 3)))
    again = solved(problem, start=first.plan, seed=5)
    assert again.moves.empty
    assert again.hosts_used == first.hosts_used


@pytest.mark.parametrize("seed", range(3))
def test_moves_are_listed_from_host_to_host(seed):
    problem = problem_of(estate(("a", 1, 4), ("b", 1, 4)), machines(("h1", 8, 8), ("h2", 8, 8)))
    result = solved(problem, start=plan_of(("a", "h1"), ("b", "h2")), seed=seed)
    assert result.moves.columns.tolist() == ["workload", "from_host", "to_host", "reason"]
    assert len(result.moves) == 1
    pd.testing.assert_series_equal(
        result.moves.iloc[0].drop(["workload", "from_host", "to_host"]),
        pd.Series({"reason": "moved"}),
        check_names=False,
    )
