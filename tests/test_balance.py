"""Ties: of plans of the same objective the one with fewest hosts, then the one that spreads what is in use best."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from planner import KeepApart, Prices
from planner.economics.ledger import ledger
from planner.solvers import greedy, kernels
from planner.solvers.incumbent import Incumbent
from planner.solvers.instance import build
from planner.solvers.packing import OpenHost, Packing, load
from planner.solvers.repack import Attempt, even_out
from tests.conftest import estate, examples, machines, problem_of, solved
from tests.test_engine import instances


def unevenness(instance, packing) -> float:
    return sum(
        float(((load(instance, h) / np.maximum(instance.capacity[h.kind], 1)) ** 2).sum()) for h in packing.hosts
    )


@examples(60)
@given(instances(), st.integers(0, 5))
def test_law_evening_out_keeps_every_limit_and_objective_and_never_makes_loads_less_even(instance, seed):
    packing = greedy.fitted(instance, np.arange(len(instance.count)), False, None)
    if packing is None:
        return
    incumbent = Incumbent(instance=instance, announce=lambda method: None, seed=seed)
    incumbent.offer(packing, "first fit")
    before, key = incumbent.packing, incumbent.key
    even_out(incumbent)
    after = incumbent.packing
    assert after.fits(instance) and incumbent.key <= key
    assert unevenness(instance, after) <= unevenness(instance, before) + 1e-9
    placed = np.zeros(len(instance.count), dtype="int64")
    for host in after.hosts:
        rows = np.repeat(list(host.items), list(host.items.values()))
        members = (instance.groups[rows][:, :, None] == np.arange(len(instance.limit))).sum(axis=(0, 1))
        assert (members <= instance.limit).all()
        for z in set(instance.zone.tolist()) - {-1}:
            assert (members[instance.zone == z] > 0).sum() <= 1
        for s, n in host.items.items():
            placed[s] += n
    assert (placed == instance.count).all()


@examples(20)
@given(instances(), st.integers(0, 5))
def test_law_plain_and_compiled_even_out_alike(instance, seed):
    packing = greedy.fitted(instance, np.arange(len(instance.count)), False, None)
    if packing is None or len(packing.hosts) < 2:
        return
    outcomes = []
    for plain in (True, False):
        attempt = Attempt(instance, packing.hosts, np.zeros_like(instance.count), seed, plain=plain)
        assert attempt.kernels is (kernels._plain if plain else kernels._compiled)("repacking")
        attempt.even_out()
        outcomes.append([host.items for host in attempt.result()])
    assert outcomes[0] == outcomes[1]


@examples(40)
@given(instances(), st.integers(0, 5), st.data())
def test_law_items_go_where_they_cost_less_and_keep_every_limit(instance, seed, data):
    costs = st.lists(st.integers(0, 9), min_size=instance.placing.size, max_size=instance.placing.size)
    placing = np.array(data.draw(costs), dtype="int64").reshape(instance.placing.shape)
    instance = dataclasses.replace(instance, placing=placing)
    packing = greedy.fitted(instance, np.arange(len(instance.count)), False, None)
    if packing is None:
        return
    outcomes = []
    for plain in (True, False):
        attempt = Attempt(instance, packing.hosts, np.zeros_like(instance.count), seed, plain=plain)
        attempt.cheapen()
        after = Packing(hosts=tuple(attempt.seated()))
        assert after.fits(instance)
        assert after.value(instance) <= packing.value(instance)
        assert sum(sum(host.items.values()) for host in after.hosts) == instance.items
        outcomes.append([host.items for host in after.hosts])
    assert outcomes[0] == outcomes[1]


def test_items_that_cost_more_where_they_are_change_places():
    models = machines(("a", 4, 4), ("b", 8, 4))
    problem = problem_of(estate(("v", 4, 1), ("w", 1, 4)), models=models, objective="hosts")
    instance = build(problem, ledger(problem), ("",))
    v = int(instance.demand[:, 0].argmax())
    placing = np.where(np.arange(2)[:, None] == v, [[9, 1]], [[1, 9]]).astype("int64")
    instance = dataclasses.replace(instance, placing=placing)
    hosts = [OpenHost(kind=c, pool=0, items={s: 1}) for c, s in ((0, v), (1, 1 - v))]
    attempt = Attempt(instance, hosts, np.zeros_like(instance.count), 0)
    attempt.cheapen()
    assert [host.items for host in attempt.seated()] == [{1 - v: 1}, {v: 1}]


def test_equal_workloads_are_spread_evenly_over_the_fewest_hosts():
    problem = problem_of(estate(*((f"w{i:02}", 4, 8.0) for i in range(21))), models=machines(("h", 64, 64)))
    result = solved(problem)
    assert result.plan.placement["host"].value_counts().tolist() == [7, 7, 7]


def test_balance_respects_rules():
    problem = problem_of(
        estate(*((f"w{i:02}", 4, 8.0) for i in range(16))), models=machines(("h", 64, 64)), rules=[KeepApart("w0[0-2]")]
    )
    result = solved(problem)
    assert sorted(result.plan.placement["host"].value_counts().tolist()) == [5, 5, 6]


def test_equal_cost_means_fewest_hosts():
    # One large host for 200 or two small ones for 100 each.
    models = machines(("small", 8, 32), ("large", 16, 64)).assign(price=[100, 200])
    problem = problem_of(estate(("a", 8, 16.0), ("b", 8, 16.0)), models=models, objective="cost", prices=Prices.none())
    result = solved(problem)
    assert result.objective_value == 200
    assert result.hosts_used == 1


def test_balance_costs_no_proof():
    problem = problem_of(estate(*((f"w{i}", 5, 3.0) for i in range(9))), models=machines(("h", 10, 64)))
    assert build(problem, ledger(problem), ("",)).items == 9
    result = solved(problem)
    assert (result.status, result.hosts_used) == ("optimal", 5)
