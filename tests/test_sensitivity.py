"""Prices as ranges, and which of them would change the decision: corners, tornado, break-even."""

from __future__ import annotations

import dataclasses
from itertools import product

import hypothesis.strategies as st
import pytest
from hypothesis import given

import planner
from planner import Prices, Range
from planner.corners import horizon
from planner.prices import LIMITS
from planner.readers.plans import read_plan
from tests.conftest import estate, examples, machines, plan_of, problem_of

BARE = {"maintenance_per_host_year": None, "carbon_kg_per_kwh": None}
RANGES = {
    "energy_per_kwh": Range(0.1, 0.5),
    "pue": Range(1.1, 1.9, likely=1.2),
    "maintenance_per_host_year": Range(0, 900),
    "administration_per_host_year": Range(100, 300),
    "residual_share": Range(0, 0.3),
    "years": Range(2, 8),
    "discount_rate": Range(0, 0.2),
    "vcpu_activity": Range(0.05, 0.9),
}


def renewal(prices: Prices, price: float = 3000.0) -> planner.Problem:
    """Three old hosts of 300 W that carry a workload each, and a new one of 100 W that carries all."""
    workloads = estate(("a", 8, 8), ("b", 8, 8), ("c", 8, 8), host=["h1", "h2", "h3"])
    owned = machines(("h1", 8, 8), ("h2", 8, 8), ("h3", 8, 8), idle_w=300.0, peak_w=300.0)
    models = machines(("new", 32, 64), price=price, idle_w=100.0, peak_w=100.0)
    return problem_of(workloads, owned, models, prices=prices)


NEW = plan_of(*((name, "new-1", "new") for name in "abc"))
OLD = plan_of(("a", "h1"), ("b", "h2"), ("c", "h3"))


def test_the_likely_figure_stands_in_the_field_and_the_range_beside_it():
    prices = Prices(energy_per_kwh=Range(0.15, 0.35), pue=Range(1.2, 1.8, likely=1.3))
    assert (prices.energy_per_kwh, prices.pue) == (0.25, 1.3)
    assert set(prices.ranges) == {"energy_per_kwh", "pue"}


def test_a_number_given_anew_goes_before_a_range():
    prices = dataclasses.replace(Prices(energy_per_kwh=Range(0.15, 0.35), pue=Range(1.2, 1.8)), energy_per_kwh=0.3)
    assert prices.energy_per_kwh == 0.3
    assert set(prices.ranges) == {"pue"}


def test_ranges_survive_toml():
    prices = Prices(**RANGES)
    assert Prices.from_toml(prices.to_toml()) == prices
    written = Prices.from_toml("region = 'DEU'\nenergy_per_kwh = { low = 0.15, high = 0.35, likely = 0.22 }")
    assert written.energy_per_kwh == 0.22
    assert written.ranges == {"energy_per_kwh": Range(0.15, 0.35, 0.22)}


@pytest.mark.parametrize("suffix", [".xlsx", ".json"])
def test_ranges_survive_a_written_plan(tmp_path, suffix):
    few = ("energy_per_kwh", "pue", "years")
    problem = renewal(Prices(**{name: RANGES[name] for name in few}))
    assert planner.check(problem, NEW) == []
    report = planner.report(problem, NEW)
    planner.write(report, tmp_path / f"plan{suffix}")
    assert read_plan(tmp_path / f"plan{suffix}").settings["prices"] == problem.prices


def test_html_shows_ranges_where_some_are_given():
    with_ranges, without = (
        planner.to_bytes(planner.report(renewal(prices), NEW), "html").decode()
        for prices in (Prices(pue=Range(1.2, 1.8)), Prices())
    )
    assert "Ranges over the horizon" in with_ranges
    assert "Ranges over the horizon" not in without


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pue = { low = 1.8, high = 1.2 }", "prices.pue, range: found low 1.8 above high 1.2"),
        ("pue = { low = 1.2, high = 1.8, likely = 2 }", "prices.pue, range, likely: found 2, expected a number from 1.2"),
        ("pue = { low = 0.5, high = 1.8 }", "prices.pue: found 0.5, expected a number from 1 to 10"),
        ("pue = { low = 1.2, hihg = 1.8 }", "prices.pue: found 'hihg'; did you mean 'high'?"),
        ("pue = { low = 1.2 }", "prices.pue: found no 'high'"),
        ("pue = { low = 'a', high = 2 }", "prices.pue, range, low: found 'a'"),
        ("[ranges]\npeu = { low = 1, high = 2 }", "prices.ranges: found 'peu'; did you mean 'pue'?"),
        ("host_idle_w = { low = 50, high = 400 }\nhost_peak_w = 300", "expected at least host_idle_w (400)"),
    ],
)
def test_a_bad_range_is_refused_in_a_sentence(text, words):
    with pytest.raises(planner.InputError) as error:
        Prices.from_toml(text)
    assert words in str(error.value)


def test_without_ranges_there_is_no_table_of_them():
    assert planner.report(renewal(Prices()), NEW).ranges is None


@examples(12)
@given(st.sets(st.sampled_from(sorted(RANGES)), min_size=1, max_size=3), st.data())
def test_no_figures_within_the_ranges_lie_outside_what_is_told(names, data):
    problem = renewal(Prices(**{"residual_share": 0.1} | {name: RANGES[name] for name in names}))
    table = planner.report(problem, NEW).ranges.set_index("item")
    drawn = {name: data.draw(st.floats(*RANGES[name].ends)) for name in names if name not in ("discount_rate", "years")}
    inside = dataclasses.replace(problem, prices=dataclasses.replace(problem.prices, **drawn))
    found = horizon(inside, NEW, planner.today(problem))
    for estate_ in ("today", "plan", "saving"):
        assert (found[estate_] >= table[f"{estate_}_low"] - 1e-6).all()
        assert (found[estate_] <= table[f"{estate_}_high"] + 1e-6).all()


def test_the_ends_are_those_of_all_corners():
    names = ("energy_per_kwh", "pue", "maintenance_per_host_year", "administration_per_host_year")
    problem = renewal(Prices(**{name: RANGES[name] for name in names}))
    total = planner.report(problem, NEW).ranges.set_index("item").loc["total"]
    every = []
    for corner in product(*(RANGES[name].ends for name in names)):
        prices = dataclasses.replace(problem.prices, **dict(zip(names, corner, strict=True)))
        report = planner.report(dataclasses.replace(problem, prices=prices), NEW)
        every.append(report.savings.set_index("item").loc["total", "saving_horizon"])
    assert total["saving_low"] == pytest.approx(min(every))
    assert total["saving_high"] == pytest.approx(max(every))
    assert total["saving_low_at"] == (
        "energy_per_kwh 0.1, pue 1.1, maintenance_per_host_year 0, administration_per_host_year 100"
    )
    assert set(names) < set(LIMITS)
