"""Licences inside the objective: every plan pays for what its hosts carry, and the bound holds for that."""

from __future__ import annotations

import dataclasses
import itertools
import re
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Failover, InputError, Policy, Prices, Status
from planner.economics.licences import licensing
from planner.economics.valuation import valued
from planner.licences import TAKEN, Licence, from_catalogue, licences_of
from tests.conftest import ROOT, drawn_problem, estate, examples, machines, plan_of, problem_of, solved

WINDOWS = ("os:win*",)
STANDARD = Licence(
    product="win", edition="standard", per="core", price=10, units=8, pack=2, covers=2, workloads=WINDOWS
)
DATACENTER = Licence(product="win", edition="datacenter", per="core", price=45, units=8, pack=2, workloads=WINDOWS)


def prices(*licences: Licence, **others) -> Prices:
    """Purchase and these licences alone."""
    nothing = {"energy_per_kwh": None, "maintenance_per_host_year": None}
    return Prices(**nothing | others, licences=licences)


def shop(windows: int, others: int, *licences: Licence, **arguments) -> planner.Problem:
    frame = estate(*((f"w{i}", 1, 1) for i in range(windows + others)), os=["win"] * windows + [""] * others)
    models = machines(("r", 8, 8), price=[100.0], sockets=[1])
    return problem_of(frame, models=models, objective="cost", prices=prices(*licences), **arguments)


@pytest.mark.parametrize(("windows", "licensed"), [(0, 0), (1, 10), (2, 10), (3, 20), (8, 40)])
def test_a_host_is_licensed_once_for_every_two_workloads(windows, licensed):
    result = solved(shop(windows, 8 - windows, STANDARD, DATACENTER))
    assert (result.status, result.objective_value) == (Status.OPTIMAL, 100 + licensed)


def test_windows_workloads_gather_where_one_licence_covers_any_number():
    problem = shop(8, 8, STANDARD, Licence(**vars(DATACENTER) | {"price": 35}))
    result = solved(problem)
    assert (result.status, result.objective_value) == (Status.OPTIMAL, 235)
    hosts = result.plan.placement.merge(problem.workloads[["name", "os"]], left_on="workload", right_on="name")
    assert sorted(hosts.groupby("host")["os"].nunique()) == [1, 1]


def test_the_cheapest_plan_is_not_the_one_with_the_fewest_hosts():
    frame = estate(*((f"w{i}", 1, 4) for i in range(6)), os="win")
    models = machines(("small", 2, 12), ("large", 32, 32), price=[50.0, 60.0], sockets=1)
    everywhere = Licence(product="hypervisor", edition="one", per="core", price=2)
    result = solved(problem_of(frame, models=models, objective="cost", prices=prices(everywhere), policy="raw"))
    assert result.plan.hosts["model"].tolist() == ["large"]
    assert result.objective_value == 60 + 64
    dear = solved(
        problem_of(frame, models=models, objective="cost", prices=prices(Licence(**vars(everywhere) | {"price": 5})))
    )
    assert set(dear.plan.hosts["model"]) == {"small"}
    assert dear.objective_value == 3 * (50 + 10)


def test_each_workload_or_the_whole_host():
    each = Licence(product="sql", edition="each", per="vcpu", price=5, least_per_workload=4, workloads=("os:win",))
    whole = Licence(product="sql", edition="whole", per="core", price=5, workloads=("os:win",))
    assert solved(shop(1, 0, each, whole)).objective_value == 100 + 20
    assert solved(shop(8, 0, each, whole)).objective_value == 100 + 40


def test_what_may_reach_a_host_is_paid_for_there():
    reach = Licence(product="db", edition="all", per="host", price=30, workloads=("w0",), reach=True)
    frame = estate(*((f"w{i}", 8, 8) for i in range(3)))
    models = machines(("r", 8, 8), price=[100.0])
    assert solved(problem_of(frame, models=models, objective="cost", prices=prices(reach))).objective_value == 390
    owned = machines(("a", 8, 8), ("b", 8, 8), ("c", 8, 8))
    pinned = [planner.Pin("w0", hosts="a")]
    result = solved(problem_of(frame, owned, objective="cost", prices=prices(reach), rules=pinned))
    assert result.objective_value == 30


def test_an_owned_host_is_licensed_in_one_way_and_used_once():
    frame = estate(*((f"w{i}", 1, 1) for i in range(12)), os="win")
    owned = machines(("a", 8, 8), ("b", 8, 8))
    result = solved(problem_of(frame, owned, objective="cost", prices=prices(STANDARD, DATACENTER)))
    assert result.hosts_used == 2
    assert result.objective_value == 60


def test_rights_are_bought_for_the_worst_case_that_the_plan_is_made_for():
    policy = Policy(failover=Failover(hosts=1, mode="verified"))
    problem = shop(4, 4, STANDARD, policy=policy)
    result = solved(problem)
    assert len(result.plan.hosts) == 2
    found = valued(problem, result.plan)
    assert found.covered[:, 0].tolist() == [4, 4]
    assert result.objective_value == 2 * (100 + 20)


def test_a_spare_is_licensed_for_the_largest_host():
    result = solved(shop(4, 4, STANDARD, policy=Policy(failover=Failover(hosts=1, mode="spare"))))
    assert result.objective_value == 2 * (100 + 20)


def test_a_missing_price_is_named_and_left_out():
    result = solved(shop(4, 4, Licence(**vars(STANDARD) | {"price": None})))
    assert result.objective_value == 100
    assert "win standard" in result.without


def test_subscriptions_are_paid_every_year_and_in_their_currency():
    yearly = Licence(product="os", edition="yearly", per="host", price=10, yearly=True, currency="USD")
    frame, models = estate(("w", 1, 1)), machines(("r", 8, 8), price=[100.0])
    told = prices(yearly, years=2, discount_rate=0.1, exchange={"USD": 0.5})
    result = solved(problem_of(frame, models=models, objective="cost", prices=told))
    assert result.objective_value == pytest.approx(100 + 0.5 * 10 * (1 / 1.1 + 1 / 1.21), abs=0.01)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"per": "cores"}, "per: found 'cores'; did you mean 'core'"),
        ({"price": -1}, "price: found -1, expected a number from 0"),
        ({"covers": 0}, "covers: found 0, expected a number from 1"),
        ({"covers": 1.5}, "covers: found 1.5, expected a whole number"),
        ({"workloads": ()}, "found no workloads, expected patterns"),
        ({"reach": True}, "found reach with covers, expected one of them"),
        ({"yearly": "no"}, "yearly: found 'no', expected true or false"),
        ({"per": "vcpu"}, "found per 'vcpu' with covers or reach, expected neither"),
    ],
)
def test_what_makes_no_sense_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        Licence(**vars(STANDARD) | given)


def test_editions_of_a_product_are_for_the_same_workloads():
    with pytest.raises(InputError, match="the editions of a product stand in for each other"):
        licences_of([STANDARD, Licence(**vars(DATACENTER) | {"workloads": ("os:*",)})])
    with pytest.raises(InputError, match="found 'win standard' twice"):
        licences_of([STANDARD, STANDARD])


def test_a_currency_mix_is_refused_until_it_is_told_what_the_other_is_worth():
    with pytest.raises(InputError, match="is priced in USD, found prices in EUR; expected exchange"):
        Prices(licences="windows-server")
    assert Prices(licences="windows-server", exchange={"USD": 0.9}).worth_of("USD") == 0.9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('currency = " "', "prices.currency: found ' ', expected a name such as 'EUR'"),
        ("currency = 5", "prices.currency: found 5, expected a name such as 'EUR'"),
        ("exchange = 3", "prices.exchange: found 3, expected a table"),
        ("region = 5", "prices.region: found 5, expected a code or name"),
        ("licences = [5]", "licences, entry 1: found 5, expected a product's name or a table"),
    ],
)
def test_prices_of_the_wrong_kind_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        Prices.from_toml(text)


def test_products_of_the_catalogue_have_a_source_and_survive_toml():
    for product in planner.catalogue.table("licences")["product"].unique():
        editions = from_catalogue(product)
        assert all(len(licence.source) > 10 for licence in editions)
        told = Prices(licences=editions, exchange={"USD": 0.9})
        assert Prices.from_toml(told.to_toml()) == told
    with pytest.raises(InputError, match="did you mean 'windows-server'"):
        from_catalogue("windows-servr")


SIZES = st.integers(1, 4)


@st.composite
def licensed(draw, most: int = 5):
    """Small problems with one or two products in several editions, on owned hosts and models to buy."""
    count = draw(st.integers(1, most))
    frame = estate(*((f"w{i}", draw(SIZES), draw(SIZES)) for i in range(count)))
    frame["os"] = [draw(st.sampled_from(["win", "win", ""])) for _ in range(count)]
    frame["tags"] = [draw(st.sampled_from(["sql", ""])) for _ in range(count)]
    owned = machines(*((f"h{i}", draw(st.integers(4, 9)), 8) for i in range(draw(st.integers(0, 2)))))
    models = machines(("r", draw(st.integers(4, 9)), 8), price=[float(draw(st.integers(1, 60)))])
    models["count"] = draw(st.sampled_from([None, 1, 3]))
    editions = [
        Licence(**vars(STANDARD) | {"covers": draw(st.integers(1, 2)), "price": draw(st.integers(1, 20))}),
        Licence(**vars(DATACENTER) | {"price": draw(st.integers(10, 60))}),
        Licence(product="sql", edition="each", per="vcpu", price=draw(st.integers(1, 9)), workloads=("tag:sql",)),
        Licence(product="sql", edition="whole", per="host", price=draw(st.integers(5, 30)), workloads=("tag:sql",)),
        Licence(
            product="all", edition="all", per="core", price=2, least_per_order=draw(st.sampled_from([0, 5, 12, 30]))
        ),
    ]
    kept = draw(st.lists(st.sampled_from(editions), min_size=1, unique_by=lambda one: one.edition))
    policy = Policy(
        failover=Failover(
            hosts=draw(st.sampled_from([0, 0, 1])), mode=draw(st.sampled_from(["share", "spare", "verified"]))
        )
    )
    return drawn_problem(frame, owned, models, policy=policy, objective="cost", prices=prices(*kept))


def by_hand(problem: planner.Problem, plan: planner.Plan) -> float:
    """What a plan without failover costs, reckoned from the licences' own rules alone."""
    hosts = problem.hosts.set_index("name")
    needs = problem.workloads.set_index("name")
    total, cores = 0.0, 0.0
    for (name, model), group in plan.placement.groupby(["host", "model"], sort=False):
        row = hosts.loc[name if name in hosts.index and hosts.loc[name, "owned"] else model]
        total += 0 if row["owned"] else row["price"]
        inside, cores = needs.loc[group["workload"]], cores + row["cores"]
        for product in {licence.product for licence in problem.prices.licences} - {"all"}:
            mine = inside[inside["os"] == "win"] if product == "win" else inside[inside["tags"] == "sql"]
            if mine.empty:
                continue
            total += min(
                mine["vcpus"].sum() * one.price
                if one.per == "vcpu"
                else one.price
                if one.per == "host"
                else ceil(row["cores"] / 2)
                * 2
                * one.price
                / 8
                * (1 if one.covers is None else ceil(len(mine) / one.covers))
                for one in problem.prices.licences
                if one.product == product
            )
    everywhere = [one for one in problem.prices.licences if one.product == "all"]
    return total + sum(max(cores, one.least_per_order) * one.price for one in everywhere)


@examples(100)
@given(licensed())
def test_law_a_plan_is_worth_what_its_licences_cost_and_the_bound_holds(problem):
    result = solved(problem)
    if result.plan is None:
        return
    assert result.bound.value <= result.objective_value + 1e-9
    assert result.objective_value == valued(problem, result.plan).value
    if not problem.policy.failover.hosts:
        assert result.objective_value == pytest.approx(by_hand(problem, result.plan), abs=0.05)


@examples(20)
@given(licensed(most=3))
def test_law_brute_force_finds_no_cheaper_plan(problem):
    problem = problem.replace(policy=Policy())
    result = solved(problem)
    owned = problem.hosts.loc[problem.hosts["owned"], "name"].tolist()
    names = problem.workloads["name"].tolist()
    seats = [(name, "") for name in owned] + [(f"r-{i}", "r") for i in range(len(names))]
    plans = (
        plan_of(*((name, *seats[at]) for name, at in zip(names, choice, strict=True)))
        for choice in itertools.product(range(len(seats)), repeat=len(names))
    )
    costs = [by_hand(problem, plan) for plan in plans if planner.check(problem, plan) == []]
    if not costs:
        assert result.status == Status.INFEASIBLE
    elif any(one.least_per_order for one in problem.prices.licences):
        assert result.bound.value - 0.05 <= min(costs) <= result.objective_value + 0.05
    else:
        assert result.status == Status.OPTIMAL
        assert result.objective_value == pytest.approx(min(costs), abs=0.05)


def test_ways_of_licensing_that_another_covers_for_less_are_dropped():
    (ways,) = [own[0] for own in licensing(shop(20, 0, STANDARD, DATACENTER)).ways]
    costs = [(way.cost, way.limit, way.times) for way in ways]
    assert costs == [(0, 0, 0), (10, 2, 1), (20, 4, 2), (30, 6, 3), (40, 8, 4), (45, np.inf, 1)]


def test_the_prices_of_the_docs_are_some():
    text = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
    whole, own = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    assert Prices.from_toml(whole).worth_of("USD") == 0.9
    assert [licence.product for licence in Prices.from_toml(own).licences] == ["windows-server", "backup"]
    for product in planner.catalogue.table("licences")["product"].unique():
        assert f"`{product}`" in text


def test_a_host_is_offered_for_no_more_workloads_than_it_has_room_for():
    rhel = Licence(product="rhel", edition="server", per="host", price=1, covers=2, workloads=WINDOWS)
    problem = shop(200, 0, rhel)
    (ways,) = licensing(problem).ways[0]
    assert len(ways) == 6
    assert ways[-1].limit >= 8
    assert solved(problem, time_limit=2).objective_value == 25 * 104


def test_workloads_that_peak_at_different_hours_share_a_host():
    problem = shop(4, 0, STANDARD)
    demand = np.zeros((4, len(problem.resources), 2))
    demand[:2, 0, 0] = demand[2:, 0, 1] = 8.0
    by_hour = dataclasses.replace(problem, demand=demand)
    assert [way.limit for way in licensing(by_hour).ways[0][0]] == [0, 2, 4]
    demand[:, 0, :] = 8.0
    assert [way.limit for way in licensing(dataclasses.replace(problem, demand=demand)).ways[0][0]] == [0, 2]


@pytest.mark.parametrize(
    ("least", "workloads", "paid"), [(0, 8, 16), (72, 8, 72), (72, 40, 80), (80, 40, 80), (81, 40, 81), (72, 0, 0)]
)
def test_so_many_units_are_paid_for_at_least(least, workloads, paid):
    hypervisor = Licence(product="h", edition="e", per="core", price=2, least_per_host=16, least_per_order=least)
    problem = shop(0, workloads or 1, hypervisor)
    problem = problem if workloads else problem.replace(prices=prices())
    result = solved(problem)
    hosts = max(workloads, 1) // 8 + (workloads == 0)
    assert (result.status, result.objective_value) == (Status.OPTIMAL, hosts * 100 + 2 * paid)
    costs = planner.report(problem, result.plan).costs
    assert costs["total"].sum() == pytest.approx(result.objective_value)
    if workloads:
        assert costs["h"].tolist() == pytest.approx([2 * paid / hosts] * hosts)


def test_no_product_is_called_as_an_item_or_a_column_of_the_costs():
    bare = Licence(product="support contract", edition="e", per="host", price=1)
    every = prices(
        bare, administration_per_host_year=1, rack_unit_year=1, migration_per_workload=1, disposal_per_host=1
    )
    owned = machines(("a", 8, 8), rack_units=1.0, resale=5.0)
    problem = problem_of(estate(("w", 1, 1), host="a"), owned, prices=every)
    report = planner.report(problem, plan_of(("w", "a")))
    assert {*report.costs, *report.savings["item"]} == {*TAKEN, "support contract"}
    for name in TAKEN:
        with pytest.raises(InputError, match="costs have already, expected another name"):
            Licence(product=name, edition="e", per="host", price=1)


def test_nothing_is_ordered_where_no_workload_needs_it():
    database = {"product": "db", "edition": "e", "per": "core", "price": 2, "workloads": ("none of them",)}
    result = solved(shop(0, 8, Licence(**database, reach=True, least_per_order=72)))
    assert (result.status, result.objective_value, result.bound.value) == (Status.OPTIMAL, 100, 100)


def test_an_order_is_of_one_edition_that_hosts_need_whatever_they_carry():
    rule = {"product": "h", "per": "core", "price": 1, "least_per_order": 72}
    with pytest.raises(InputError, match="expected a product that every host in use needs"):
        Licence(**rule, edition="e", workloads=WINDOWS)
    with pytest.raises(InputError, match="beside other editions of the product, expected one edition"):
        licences_of([rule | {"edition": "a"}, rule | {"edition": "b", "least_per_order": 0}])


def test_a_product_of_the_catalogue_is_changed_by_its_name():
    (vvf,) = licences_of({"product": "vmware-vvf", "price": 190, "least_per_order": 72})
    assert (vvf.price, vvf.least_per_socket, vvf.least_per_order, vvf.source, vvf.estimate) == (
        190,
        16,
        72,
        "given",
        False,
    )
    (rhel,) = licences_of({"product": "rhel", "edition": "server", "price": 350})
    assert (rhel.price, rhel.covers) == (350, from_catalogue("rhel")[0].covers)
    with pytest.raises(InputError, match="did you mean 'server'"):
        licences_of({"product": "rhel", "edition": "serve", "price": 350})
    text = Prices(licences=({"product": "vmware-vvf", "least_per_order": 72},), exchange={"USD": 1.0}).to_toml()
    assert Prices.from_toml(text).licences[0].least_per_order == 72
