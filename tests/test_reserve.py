"""A share in reserve: what hosts offer without the largest."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from ortools.sat.python import cp_model

from planner.solvers.disks import keep_without_largest
from tests.conftest import examples


@examples(100)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=4),
    st.integers(1, 40),
    st.integers(1, 3),
)
def test_law_a_model_asks_for_what_is_left_without_the_largest(hosts, need, lost):
    model = cp_model.CpModel()
    running = [model.new_int_var(n, n, "") for _, n in hosts]
    keep_without_largest(model, [offer for offer, _ in hosts], [*range(len(hosts))], running, need, lost)
    offers = np.sort(np.repeat(*np.array(hosts).T))
    expected = offers[: max(len(offers) - lost, 0)].sum() >= need
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert (solver.solve(model) == cp_model.OPTIMAL) == expected
