"""Estates whose hosts carry many workloads, some in need of a licence: starts, bounds and improvements of their own."""

from __future__ import annotations

import numpy as np
import pytest

import planner
from planner.economics.ledger import ledger
from planner.licences import Licence
from planner.solvers import bounds, gathering, greedy
from planner.solvers.coarse import crowded
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance, build
from planner.solvers.neighbourhoods import Neighbourhoods
from tests.conftest import estate, machines, problem_of, solved

COVERS_ALL = Licence(product="win", edition="all", per="host", price=300, workloads=("os:win",))
COVERS_TWO = Licence(product="win", edition="two", per="host", price=40, covers=2, workloads=("os:win",))


@pytest.fixture(scope="module")
def problem() -> planner.Problem:
    return crowded_problem()


def crowded_problem() -> planner.Problem:
    """120 workloads, 48 of them to be licensed, on hosts with room for about 24."""
    random = np.random.default_rng(3)
    frame = estate(*((f"w{i}", int(random.integers(1, 4)), int(random.integers(4, 60))) for i in range(120)))
    frame["os"] = np.where(random.random(120) < 0.4, "win", "")
    owned = machines(*((f"h{i}", 64, 700) for i in range(10)))
    nothing = {"energy_per_kwh": None, "maintenance_per_host_year": 100, "years": 1}
    prices = planner.Prices(**nothing, licences=(COVERS_ALL, COVERS_TWO))
    return problem_of(frame, owned, objective="cost", prices=prices)


@pytest.fixture
def instance(problem) -> Instance:
    return build(problem, ledger(problem), problem.pools)


def begun(instance: Instance) -> Incumbent:
    incumbent = Incumbent(instance=instance, announce=lambda method: None)
    for method, packing in greedy.packings(instance, None, lambda: False):
        incumbent.offer(packing, method)
    return incumbent


def test_gathering_puts_what_needs_a_licence_on_fewer_hosts(instance):
    columns = gathering.licensed_columns(instance)
    assert columns.tolist() == [False] * instance.resources + [True]
    needing = instance.demand[:, columns].any(axis=1)

    def licensed(packing) -> int:
        return sum(any(needing[s] for s in host.items) for host in packing.hosts)

    found = [packing for _, packing in gathering.packings(instance, lambda: False)]
    assert found
    assert all(packing.fits(instance) for packing in found)
    assert min(map(licensed, found)) <= 3 < licensed(begun(instance).packing)


def test_the_bound_knows_that_what_needs_a_licence_fills_hosts_that_have_one(instance):
    incumbent = Incumbent(instance=instance, announce=lambda method: None)
    incumbent.prove(bounds.resources(instance))
    volume = incumbent.bound
    incumbent.prove(bounds.needing(instance))
    assert incumbent.bound_method == "licences"
    assert incumbent.bound > volume


def test_a_few_hosts_at_a_time_are_improved_and_never_made_worse(instance):
    incumbent = begun(instance)
    before = incumbent.value
    near = Neighbourhoods(incumbent, Clock(limit=60.0), seed=1, workers=1)
    assert near.applies
    near.run(4.0)
    assert incumbent.packing.fits(instance)
    assert incumbent.value < before


def test_hosts_are_crowded_where_they_carry_many_at_unlike_costs(instance):
    assert crowded(instance, begun(instance).packing)


def test_the_plan_of_such_an_estate_is_proven_nearly_the_cheapest(problem):
    result = solved(problem, time_limit=8, workers=2)
    assert result.gap < 0.02
    assert planner.verify(problem, result.bound)
