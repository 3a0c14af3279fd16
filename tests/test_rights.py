"""Licences in failures: whoever takes over a workload has the right to run it, the cheapest way of all."""

from __future__ import annotations

import itertools
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Failover, Policy
from planner.economics.rights import rights
from planner.economics.valuation import valued
from planner.licences import Licence
from planner.plan import ANY
from tests.conftest import drawn_problem, estate, examples, machines, problem_of, solved
from tests.test_licences import prices

WHO = ("os:win",)
EACH = Licence(product="sql", edition="each", per="workload", price=10, workloads=WHO)
WHOLE = Licence(product="sql", edition="whole", per="host", price=35, workloads=WHO)


def guarded(count: int, mode: str, *licences: Licence) -> planner.Problem:
    """So many workloads in need of a licence on one host, another to take over."""
    frame = estate(*((f"w{i}", 1, 1) for i in range(count)), os="win")
    policy = Policy(failover=Failover(hosts=1, mode=mode))
    models = machines(("r", 8, 8), price=[1000.0])
    return problem_of(frame, models=models, policy=policy, objective="cost", prices=prices(*licences))


@pytest.mark.parametrize("mode", ["verified", "spare"])
@pytest.mark.parametrize(
    ("count", "paid", "editions"),
    [(3, 30, ["each"]), (5, 50, ["each"]), (7, 70, ["each"]), (8, 70, ["whole", "whole"])],
)
def test_whoever_takes_over_is_licensed_too(mode, count, paid, editions):
    problem = guarded(count, mode, EACH, WHOLE)
    result = solved(problem)
    assert result.hosts_used == 2
    assert result.objective_value == 2000 + paid
    report = planner.report(problem, result.plan)
    assert report.costs["total"].sum() == 2000 + paid
    assert report.licences["edition"].tolist() == editions
    assert (report.licences["workloads"] == count).all()


def test_a_host_licensed_whole_carries_workloads_with_a_licence_of_their_own():
    cheap, dear = [1] * 3, [50] * 3
    w, h = np.array([0, 1, 2, 3, 4, 5, 0, 1, 2, 3]), np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    whole, own = rights(np.array(cheap + dear), np.array([60.0, 20.0, 10.0]), w, h)
    assert whole.tolist() == [True, False, True]
    assert own.tolist() == [True] * 3 + [False] * 3


@st.composite
def seated(draw):
    workloads, hosts = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    fee = np.array(draw(st.lists(st.integers(0, 30), min_size=workloads, max_size=workloads)))
    cost = np.array(draw(st.lists(st.sampled_from([0, 5, 17, 30, 60, np.inf]), min_size=hosts, max_size=hosts)))
    seats = [(w, h) for w in range(workloads) for h in draw(st.sets(st.integers(0, hosts - 1), min_size=1))]
    return fee, cost.astype(float), *(np.array(one) for one in zip(*seats, strict=True))


@examples(200)
@given(seated())
def test_law_no_other_choice_of_whole_hosts_costs_less(drawn):
    fee, cost, w, h = drawn

    def price(whole: np.ndarray) -> float:
        return cost[whole].sum() + fee[np.unique(w[~whole[h]])].sum()

    whole, own = rights(*drawn)
    assert np.flatnonzero(own).tolist() == np.unique(w[~whole[h]]).tolist()
    every = [np.array(one) for one in itertools.product([False, True], repeat=len(cost))]
    assert price(whole) == min(price(one) for one in every)
    assert whole.sum() == min(one.sum() for one in every if price(one) == price(whole))


@st.composite
def failing(draw):
    """Small problems whose failures are verified or taken over by spare hosts, a product in up to three editions."""
    count = draw(st.integers(1, 5))
    frame = estate(*((f"w{i}", draw(st.integers(1, 4)), 1) for i in range(count)))
    frame["os"] = [draw(st.sampled_from(["win", "win", ""])) for _ in range(count)]
    models = machines(("r", 6, 8), price=[float(draw(st.integers(1, 60)))])
    per = draw(st.sampled_from(["vcpu", "workload"]))
    editions = [
        Licence(product="sql", edition="each", per=per, price=draw(st.integers(1, 20)), workloads=WHO),
        Licence(product="sql", edition="whole", per="host", price=draw(st.integers(5, 60)), workloads=WHO),
        Licence(product="sql", edition="two", per="host", price=draw(st.integers(1, 40)), covers=2, workloads=WHO),
        Licence(product="sql", edition="some", per="vcpu", price=7, least_per_workload=2, workloads=WHO),
    ]
    kept = draw(st.lists(st.sampled_from(editions), min_size=1, unique_by=lambda one: one.edition))
    policy = Policy(failover=Failover(hosts=1, mode=draw(st.sampled_from(["spare", "verified"]))))
    return drawn_problem(frame, None, models, policy=policy, objective="cost", prices=prices(*kept))


def by_hand(problem: planner.Problem, plan: planner.Plan) -> float:
    """What a plan costs: of all ways to license each host whole, or all that it carries in any case by itself."""
    needs = problem.workloads[problem.workloads["os"] == "win"].set_index("name")
    hosts, home = plan.hosts["host"].tolist(), plan.placement.set_index("workload")["host"]
    loads = {(host, ""): set(home.index[home == host]) & set(needs.index) for host in hosts}
    for case, workload, host in plan.restarts.loc[
        plan.restarts["case"] != ANY, ["case", "workload", "host"]
    ].to_numpy():
        if workload in needs.index:
            loads.setdefault((host, case), set(loads[host, ""])).add(workload)
    standing = set(plan.spares["host"]) if problem.policy.failover.mode == "spare" else set()
    for host in standing | set(plan.restarts.loc[plan.restarts["case"] == ANY, "host"]):
        loads |= {(host, lost): loads[lost, ""] for lost in hosts if lost != host}
    carried = {host: set().union(*(load for (at, _), load in loads.items() if at == host)) for host in hosts}
    most = {host: max(len(load) for (at, _), load in loads.items() if at == host) for host in hosts}
    of_hosts = [one for one in problem.prices.licences if not one.is_of_workload]
    each = [one for one in problem.prices.licences if one.is_of_workload]
    bought, least = len(hosts) * problem.hosts["price"].iloc[0], np.inf
    for choice in itertools.product([*of_hosts, *([None] if each else [])], repeat=len(hosts)):
        cost, own = bought, set()
        for host, one in zip(hosts, choice, strict=True):
            own |= carried[host] if one is None else set()
            cost += 0 if one is None or not most[host] else one.price * ceil(most[host] / (one.covers or most[host]))
        vcpus = needs.loc[sorted(own), "vcpus"]
        units = (
            (one.price, vcpus.clip(lower=one.least_per_workload) if one.per == "vcpu" else 0 * vcpus + 1)
            for one in each
        )
        least = min(least, cost + (np.min([price * count for price, count in units], axis=0).sum() if each else 0))
    return least


@examples(50)
@given(failing())
def test_law_objective_and_report_have_the_cheapest_of_all_ways_and_the_bound_holds(problem):
    result = solved(problem)
    if result.plan is None:
        return
    assert result.objective_value == valued(problem, result.plan).value == by_hand(problem, result.plan)
    assert planner.report(problem, result.plan).costs["total"].sum() == result.objective_value
    assert result.bound.value <= result.objective_value
