"""Steps of a search: what the best plan so far costs, and when that is good enough."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given

import planner
from planner import Prices
from planner.economics.ledger import ledger
from planner.solvers import _whole
from planner.solvers.incumbent import Incumbent
from planner.solvers.instance import build, components
from planner.solvers.packing import OpenHost, Packing
from tests.conftest import ROOT, estate, examples, machines, problem_of, solved
from tests.test_changeover import NOTHING, changing, old_and_new
from tests.test_licences import WINDOWS, Licence
from tests.test_power import NO_MONEY_BUT_ENERGY, STEEP
from tests.test_rights import EACH, WHOLE, guarded


def told_at_last(problem: planner.Problem, **options) -> None:
    """The last step is of the plan that is returned, and no step costs less than any plan can."""
    steps: list[planner.Progress] = []
    result = solved(problem, on_progress=steps.append, **options)
    assert tuple(steps) == result.trace
    if result.plan is None:
        assert all(step.incumbent is None for step in steps)
        return
    assert (steps[-1].incumbent, steps[-1].hosts_used) == (result.objective_value, result.hosts_used)
    assert steps[-1].bound == result.bound.value
    known = [step.incumbent for step in steps if step.incumbent is not None]
    assert min(known) >= result.bound.value - 1e-9


def test_the_last_step_tells_what_the_plan_costs_where_moves_are_priced():
    inventory = planner.read(ROOT / "data" / "medium_estate.xlsx")
    prices = Prices(migration_per_workload=40)
    told_at_last(planner.Problem.build(inventory, prices=prices, objective="cost"), time_limit=3)


def test_the_last_step_tells_what_the_plan_costs_along_its_load_curves():
    hosts = machines(*((f"h{i}", 10, 64) for i in range(4))).assign(power_curve=STEEP)
    frame = estate(*((f"w{i}", 3, 8) for i in range(9)))
    told_at_last(problem_of(frame, hosts, prices=NO_MONEY_BUT_ENERGY, objective="energy"), time_limit=3)


@pytest.mark.parametrize("mode", ["verified", "spare"])
def test_the_last_step_tells_what_the_plan_costs_with_licences_for_failures(mode):
    told_at_last(guarded(5, mode, EACH, WHOLE))


def test_the_last_step_tells_what_the_plan_costs_where_an_order_is_not_reached():
    hypervisor = Licence(product="h", edition="e", per="core", price=2, least_per_order=72)
    frame = estate(*((f"w{i}", 2, 2) for i in range(9)), os=WINDOWS[0].removeprefix("os:"))
    models = machines(("r", 8, 8), price=[100.0])
    prices = Prices(**NOTHING, licences=(hypervisor,))
    told_at_last(problem_of(frame, models=models, objective="cost", prices=prices))


@examples(30)
@given(changing())
def test_law_no_step_costs_less_than_the_bound_and_the_last_is_the_plan(problem):
    told_at_last(problem, time_limit=0.3)


@pytest.mark.parametrize(("resale", "good"), [(0, True), (80, True), (110, False), (170, False), (320, True)])
def test_a_gap_is_measured_on_the_whole_objective(resale, good):
    """A bound of 190 is within 10 % of 200, and not of what is left of it where resale brings in as much."""
    problem = problem_of(estate(("a", 2, 2), ("b", 2, 2)), models=machines(("r", 2, 8), price=[1.0]), objective="cost")
    problem = problem.replace(prices=Prices(**NOTHING))
    book = ledger(problem)
    change = dataclasses.replace(book.change, least=-resale)
    book = dataclasses.replace(book, change=change)
    (instance,) = [build(problem, book, pools) for pools in components(problem)]
    incumbents: list[Incumbent] = []
    one = Incumbent(instance=instance, announce=str, gap=0.1, whole=lambda: _whole(book, incumbents))
    incumbents.append(one)
    assert _whole(book, incumbents) == 0.0
    shapes = range(len(instance.count))
    hosts = [OpenHost(kind=0, pool=0, items={s: 1}) for s in shapes for _ in range(int(instance.count[s]))]
    one.take(Packing(hosts=tuple(hosts)), "by hand")
    assert one.value == 200
    one.raise_bound(190, "by hand")
    assert one.good_enough == good


def test_what_is_moved_is_told_while_the_search_goes_on():
    problem = old_and_new(migration_per_workload=5, disposal_per_host=30, administration_per_host_year=250)
    result = solved(problem)
    assert [step.incumbent for step in result.trace if step.incumbent is not None] == [result.objective_value]
