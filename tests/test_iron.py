"""Keeping old hosts against buying new ones, host by host."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Prices
from planner.licences import Licence
from planner.writers import to_bytes
from tests.conftest import estate, examples, machines, plan_of, problem_of

PRICES = Prices(
    energy_per_kwh=0.2,
    pue=1.0,
    years=4,
    maintenance_per_host_year=100,
    migration_per_workload=10,
    disposal_per_host=30,
    vcpu_activity=0.5,
)


def problem_with(prices: Prices = PRICES, *, workloads: dict | None = None, new: dict | None = None, **others):
    """Two workloads on each of two old hosts that draw much; a quarter of a new host carries what one of them does."""
    frame = estate(*((f"w{i}", 4, 8) for i in range(4)), host=["h1", "h1", "h2", "h2"]).assign(**workloads or {})
    old = machines(("h1", 8, 32), ("h2", 8, 32), idle_w=200.0, peak_w=400.0, resale=[50.0, np.nan], sockets=1)
    models = machines(("new", 32, 128), price=4000.0, idle_w=100.0, peak_w=300.0, sockets=2).assign(**new or {})
    return problem_of(frame, old, models, prices=prices, **others)


def iron_of(problem: planner.Problem, *hosts: str):
    """The table of a plan that puts the four workloads on these hosts."""
    plan = plan_of(*((f"w{i}", host, "new" if host.startswith("new") else "") for i, host in enumerate(hosts)))
    assert planner.check(problem, plan) == []
    return planner.report(problem, plan).iron.set_index("host")


def test_keeping_and_replacing_by_hand():
    iron = iron_of(problem_with(), "h1", "h1", "new-1", "new-1")
    assert iron["decision"].to_dict() == {"h1": "keep", "h2": "give up"}
    # Half busy, an old host draws 300 W: 2,628 kWh for 525.60 a year. A quarter of a new one, as busy: 50 W, 438 kWh.
    keeping, replacing = (525.6 + 100) * 4, 1000 + (87.6 + 25) * 4 + 2 * 10 + 30
    assert iron["keeping_horizon"].tolist() == pytest.approx([keeping + 50, keeping])
    assert iron["replacing_horizon"].tolist() == pytest.approx([replacing, replacing])
    assert iron["busy_cores"].tolist() == [4, 4]
    assert iron["keeping_per_busy_core"].tolist() == pytest.approx([(keeping + 50) / 4, keeping / 4])
    assert iron["replacing_per_busy_core"].tolist() == pytest.approx([replacing / 4] * 2)
    assert (iron["new_model"].tolist(), iron["new_share"].tolist()) == (["new"] * 2, [0.25] * 2)
    assert (iron["cheaper"].tolist(), iron["note"].tolist()) == (["replace"] * 2, ["", ""])
    assert iron["electricity_break_even"]["h1"] == pytest.approx(0.2 - (keeping + 50 - replacing) / (4 * (2628 - 438)))
    assert iron["replacing_pays"]["h1"] == "above"
    assert iron["pays_after_years"].tolist() == pytest.approx([1000 / 513, 1050 / 513])


def test_the_price_of_electricity_turns_what_is_cheaper():
    turn = iron_of(problem_with(), "h1", "h1", "h2", "h2")["electricity_break_even"]["h1"]
    for price, cheaper in ((turn - 0.001, "keep"), (turn + 0.001, "replace")):
        prices = dataclasses.replace(PRICES, energy_per_kwh=price)
        assert iron_of(problem_with(prices), "h1", "h1", "h2", "h2")["cheaper"]["h1"] == cheaper


def test_later_years_and_what_is_left_at_the_end_count():
    prices = dataclasses.replace(PRICES, discount_rate=0.1, residual_share=0.2)
    iron = iron_of(problem_with(prices), "h1", "h1", "h2", "h2").loc["h1"]
    years = sum(1.1**-t for t in (1, 2, 3, 4))
    assert iron["keeping_horizon"] == pytest.approx(625.6 * years + 50)
    assert iron["replacing_horizon"] == pytest.approx(1000 * (1 - 0.2 * 1.1**-4) + 112.6 * years + 50)
    # 513 a year are worth 466.36 after one year, 423.97 after two, 385.42 after three: 1,000 to be earned.
    assert iron["pays_after_years"] == pytest.approx(2 + (1000 - 466.36 - 423.97) / 385.42, abs=1e-4)


def test_licences_are_those_of_a_new_host_filled_with_the_same():
    windows = {"product": "os", "workloads": ("os:windows*",)}
    licences = (
        Licence(edition="two", per="host", price=100, covers=2, **windows),
        Licence(edition="any", per="core", price=5, **windows),
        Licence(product="hypervisor", edition="e", per="socket", price=40, yearly=True),
    )
    prices = dataclasses.replace(PRICES, licences=licences)
    iron = iron_of(problem_with(prices, workloads={"os": "windows"}), "h1", "h1", "h2", "h2").loc["h1"]
    # Alone: any number for 8 cores, 40. Eight on a new host: any number for 32 cores, 160, of which a quarter.
    assert iron["keeping_horizon"] == pytest.approx(625.6 * 4 + 50 + 40 + 160)
    assert iron["replacing_horizon"] == pytest.approx(1500.4 + (160 + 2 * 40 * 4) / 4)


@pytest.mark.parametrize(("least", "each"), [(0, 10), (72, 45)])
def test_a_least_order_is_shared_by_the_hosts_of_the_plan_on_both_sides(least, each):
    hypervisor = Licence(product="h", edition="e", per="core", price=10, least_per_order=least)
    prices = dataclasses.replace(PRICES, licences=(hypervisor,))
    iron = iron_of(problem_with(prices), "h1", "h1", "h2", "h2").loc["h1"]
    # The plan has 16 cores: where 72 are paid for, each at 45. A quarter of a new host has 8, as many as an old one.
    assert iron["keeping_horizon"] == pytest.approx(625.6 * 4 + 50 + 8 * each)
    assert iron["replacing_horizon"] == pytest.approx(1500.4 + 8 * each)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"new": {"price": np.nan}}, "not known: price or figures of host model new"),
        ({"new": {"memory_gib": 15}}, "no host model can carry what it carries"),
        ({"prices": dataclasses.replace(PRICES, energy_per_kwh=None)}, "not known: energy"),
        ({"rules": [planner.Pin("w0", hosts="h1")]}, "no host model can carry what it carries"),
    ],
)
def test_both_sides_have_to_be_known(change, note):
    iron = iron_of(problem_with(**change), "h1", "h1", "h2", "h2").loc["h1"]
    assert iron["note"].startswith(note)
    figures = ["keeping_horizon", "replacing_horizon", "electricity_break_even", "pays_after_years"]
    assert iron[figures].isna().all()
    assert (iron["cheaper"], iron["replacing_pays"]) == ("", "")


def test_a_model_without_a_price_is_named_beside_the_cheapest_with_one():
    old = machines(("h1", 8, 32), idle_w=200.0, peak_w=400.0)
    models = machines(("new", 32, 128), ("other", 16, 64), idle_w=100.0, peak_w=300.0).assign(price=[4000.0, np.nan])
    problem = problem_of(estate(("a", 4, 8), host="h1"), old, models, prices=PRICES)
    [row] = planner.report(problem, plan_of(("a", "h1"))).iron.to_dict("records")
    assert (row["new_model"], row["note"]) == ("new", "not known: price or figures of host model other")
    assert row["replacing_horizon"] > 0


def test_a_host_that_carries_nothing_costs_what_it_draws_and_its_disposal():
    problem = problem_with(workloads={"host": "h1", "vcpus": 2})
    iron = iron_of(problem, *["h1"] * 4).loc["h2"]
    assert (iron["decision"], iron["workloads"], iron["note"]) == ("give up", 0, "carries nothing")
    assert iron["keeping_horizon"] == pytest.approx((200 * 8.76 * 0.2 + 100) * 4)
    assert (iron["replacing_horizon"], iron["cheaper"]) == (30, "replace")
    assert np.isnan(iron["keeping_per_busy_core"])


def test_the_table_is_in_every_format_and_nowhere_without_old_hosts():
    problem = problem_with()
    plan = plan_of(("w0", "h1"), ("w1", "h1"), ("w2", "h2"), ("w3", "h2"))
    assert planner.check(problem, plan) == []
    report = planner.report(problem, plan)
    sheet = openpyxl.load_workbook(io.BytesIO(to_bytes(report, "xlsx")))["Old iron"]
    assert [cell.value for cell in sheet[3]][:2] == ["Host", "Model"]
    assert b"Old iron" in to_bytes(report, "html")
    assert b'"new_share": 0.25' in to_bytes(report, "json")
    bought = problem_of(problem.workloads[["name", "vcpus", "memory_gib"]], models=machines(("new", 32, 128)))
    assert planner.report(bought, plan_of(*((f"w{i}", "new-1", "new") for i in range(4)))).iron.empty


@examples(20)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 4]), st.sampled_from([2, 8])), min_size=1, max_size=4),
    st.floats(0.01, 1),
    st.floats(0, 0.3),
)
def test_law_a_dearer_model_more_or_a_dearer_price_never_makes_replacing_cheaper(sizes, energy, rate):
    frame = estate(*((f"w{i}", *size) for i, size in enumerate(sizes)), host="h1")
    old = machines(("h1", 16, 64), idle_w=200.0, peak_w=400.0)
    prices = dataclasses.replace(PRICES, energy_per_kwh=energy, discount_rate=rate)
    plan = plan_of(*((name, "h1") for name in frame["name"]))

    def replacing(*rows: tuple) -> float:
        models = machines(*((name, 32, 128) for name, _ in rows), idle_w=100.0, peak_w=300.0)
        problem = problem_of(frame, old, models.assign(price=[price for _, price in rows]), prices=prices)
        assert planner.check(problem, plan) == []
        return float(planner.report(problem, plan).iron["replacing_horizon"].iloc[0])

    alone = replacing(("a", 4000.0))
    assert replacing(("a", 4000.0), ("b", 9000.0)) == pytest.approx(alone)
    assert replacing(("a", 4000.0), ("b", 2000.0)) < alone < replacing(("b", 9000.0))
