"""Items in parts on whole hosts: bounds that verify and that no plan undercuts, and starts near the parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner.economics.ledger import ledger
from planner.solvers import bounds, fractional, greedy
from planner.solvers.fractional import Fractional
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance, build
from planner.solvers.packing import Packing, load
from planner.verifier import verify
from tests.conftest import estate, examples, machines, problem_of, solved
from tests.test_changeover import changing
from tests.test_gathering import crowded_problem
from tests.test_licences import licensed
from tests.test_reserve import PURCHASE, generated
from tests.test_verifier import problems


def start(instance: Instance) -> np.ndarray:
    """One host of the first class: the others have to join by themselves."""
    mix = np.zeros((len(instance.available), len(instance.pools)), dtype="int64")
    mix[0, 0] = 1
    return mix


def cuts(known: Incumbent) -> None:
    """What cuts prove of one instance."""
    Fractional(known.instance, start(known.instance)).prove(known, Clock(limit=60.0), 10.0)


@pytest.fixture(scope="module")
def problem() -> planner.Problem:
    return crowded_problem()


@pytest.fixture
def instance(problem) -> Instance:
    return build(problem, ledger(problem), problem.pools)


@examples(30)
@given(st.one_of(problems(), licensed(), changing()))
def test_law_the_bound_of_cuts_verifies_and_no_plan_is_below_it(problem):
    bound, result = generated(problem, cuts), solved(problem)
    if bound is None:
        assert result.plan is None
    else:
        assert verify(problem, bound)
        assert result.plan is None or bound.value <= result.objective_value + 1e-9


def test_what_one_host_has_too_much_of_helps_no_other():
    """100 workloads of 1 vCPU and 1 GiB: a host for ten of them at 100, in two kinds, or one for all at 400."""
    frame = estate(*((f"w{i}", 1, 1) for i in range(100)))
    models = machines(("processors", 100, 10), ("memory", 10, 100), ("both", 100, 100), price=[100.0, 100.0, 400.0])
    problem = problem_of(frame, models=models, objective="cost", prices=PURCHASE)
    assert generated(problem, lambda known: None).value == pytest.approx(200.0)
    bound = generated(problem, cuts)
    assert bound.value == pytest.approx(400.0)
    assert verify(problem, bound)
    assert solved(problem).objective_value == pytest.approx(400.0)


def test_cuts_prove_more_than_volume_and_what_needs_a_licence(instance):
    known = Incumbent(instance=instance, announce=lambda method: None)
    known.prove([*bounds.resources(instance), *bounds.counting(instance)])
    known.prove(bounds.needing(instance))
    before = known.bound
    program = Fractional(instance, start(instance))
    program.prove(known, Clock(limit=60.0), 20.0)
    assert program.exhausted
    assert known.bound > 1.02 * before
    assert known.bound_method == fractional.METHOD


def test_a_search_that_was_interrupted_goes_on_where_it_was(instance):
    at_once, in_steps = (Incumbent(instance=instance, announce=lambda method: None) for _ in range(2))
    cuts(at_once)
    program = Fractional(instance, start(instance))
    steps = 0
    while not program.exhausted and steps < 100:
        program.prove(in_steps, Clock(limit=60.0), 1e-3)
        steps += 1
    assert steps > 1
    assert in_steps.bound == at_once.bound


def test_the_parts_made_whole_fill_the_hosts_of_each_class(instance):
    program = Fractional(instance, start(instance))
    known = Incumbent(instance=instance, announce=lambda method: None)
    program.prove(known, Clock(limit=60.0), 20.0)
    found = program.solve(known.cover.mix)
    assert (found.whole >= 0).all()
    assert (found.whole.sum(axis=1) == instance.count).all()
    assert (found.excess >= -1e-6).all()
    hosts, waiting = greedy.filled_kinds(instance, known.cover.mix, found.whole, lambda: False)
    assert waiting.sum() <= len(hosts)
    assert all((load(instance, host) <= instance.capacity[host.kind]).all() for host in hosts)
    carried = np.zeros_like(instance.count)
    for host in hosts:
        for shape, number in host.items.items():
            carried[shape] += number
    assert (carried + waiting == instance.count).all()
    assert Packing(hosts=tuple(hosts)).mix(instance).tolist() == known.cover.mix.tolist()


def test_very_many_shapes_are_taken_together(instance, monkeypatch):
    whole = Incumbent(instance=instance, announce=lambda method: None)
    cuts(whole)
    monkeypatch.setattr(fractional, "MOST_GROUPS", 20)
    program = Fractional(instance, start(instance))
    assert program.group.max() < 30 < len(instance.count)
    together = Incumbent(instance=instance, announce=lambda method: None)
    program.prove(together, Clock(limit=60.0), 20.0)
    assert 0.95 * whole.bound <= together.bound <= whole.bound * (1 + 1e-9)
    assert (program.first.whole.sum(axis=1) <= instance.count).all()
