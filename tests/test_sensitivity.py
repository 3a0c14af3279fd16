"""Prices as ranges, and which of them would change the decision: corners, tornado, break-even."""

from __future__ import annotations

import dataclasses
import io
import re
from itertools import product

import hypothesis.strategies as st
import openpyxl
import pandas as pd
import pytest
from hypothesis import given

import planner
from planner import Prices, Range, charts
from planner.corners import Comparison, ranges_table
from planner.licences import Licence
from planner.prices import LIMITS
from planner.ranges import of_rows
from planner.readers.plans import read_plan
from tests.conftest import estate, examples, machines, plan_of, problem_of
from tests.test_cli import run

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


def test_the_workbook_has_a_sheet_of_ranges_where_some_are_given():
    book = planner.to_bytes(planner.report(renewal(Prices(pue=Range(1.2, 1.8))), NEW), "xlsx")
    rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(io.BytesIO(book))["Ranges"].iter_rows()]
    assert rows[-1][0] == "total"
    assert rows[-1][-1] == "pue 1.8"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pue = { low = 1.8, high = 1.2 }", "prices.pue, range: found low 1.8 above high 1.2"),
        (
            "pue = { low = 1.2, high = 1.8, likely = 2 }",
            "prices.pue, range, likely: found 2, expected a number from 1.2",
        ),
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


def test_rows_of_a_table_become_ranges_and_blank_ones_are_left_out():
    prices = Prices(energy_per_kwh=None)
    rows = [
        {"field": "pue", "low": 1.2, "high": 1.8, "likely": None},
        {"field": "years", "low": 4.0, "high": 8.0, "likely": 6.0},
        {"field": "energy_per_kwh", "low": 0.1, "high": 0.3, "likely": None},
        {"field": "residual_share", "low": None, "high": None, "likely": None},
    ]
    found = of_rows(rows, prices)
    assert found == {"pue": Range(1.2, 1.8, 1.54), "years": Range(4, 8, 6), "energy_per_kwh": Range(0.1, 0.3, 0.2)}
    with pytest.raises(planner.InputError, match=r"likely: found 1\.54, expected"):
        of_rows([{"field": "pue", "low": 1.6, "high": 1.8}], prices)


def test_without_ranges_there_is_no_table_of_them():
    assert planner.report(renewal(Prices()), NEW).ranges is None


@examples(12)
@given(st.sets(st.sampled_from(sorted(RANGES)), min_size=1, max_size=3), st.data())
def test_no_figures_within_the_ranges_lie_outside_what_is_told(names, data):
    problem = renewal(Prices(**{"residual_share": 0.1} | {name: RANGES[name] for name in names}))
    table = planner.report(problem, NEW).ranges.set_index("item")
    drawn = {name: data.draw(st.floats(*RANGES[name].ends)) for name in names if name not in ("discount_rate", "years")}
    inside = dataclasses.replace(problem, prices=dataclasses.replace(problem.prices, **drawn))
    found = Comparison(problem=inside, plan=NEW, baseline=planner.today(problem)).likely
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


def test_an_item_names_the_figures_alone_that_it_depends_on():
    names = ("energy_per_kwh", "pue", "maintenance_per_host_year", "administration_per_host_year")
    table = planner.report(renewal(Prices(**{name: RANGES[name] for name in names})), NEW).ranges.set_index("item")
    assert table.loc["energy", ["saving_low_at", "saving_high_at"]].tolist() == [
        "energy_per_kwh 0.1, pue 1.1",
        "energy_per_kwh 0.5, pue 1.9",
    ]
    assert re.fullmatch("maintenance_per_host_year [0-9]+", table.loc["maintenance", "saving_high_at"])
    assert table.loc["hardware", "saving_high_at"] == ""


EVERY = RANGES | {
    "rack_unit_year": Range(0, 200),
    "migration_per_workload": Range(0, 500),
    "disposal_per_host": Range(10, 900),
    "host_idle_w": Range(20, 150),
    "host_peak_w": Range(160, 600, likely=200),
}
YEARLY = Licence(product="os", edition="yearly", per="host", price=60, yearly=True, workloads=("a", "b"))
ONCE = Licence(product="os", edition="once", per="workload", price=130, workloads=("a", "b"))


@st.composite
def compared(draw) -> Comparison:
    """A plan beside today, some figures with ranges: hosts with and without watts, licences once or every year."""
    names = draw(st.sets(st.sampled_from(sorted(EVERY)), min_size=1, max_size=3))
    ranges = {name: EVERY[name] for name in names} | {name: EVERY[name] for name in ("host_idle_w", "host_peak_w")}
    prices = Prices(**{"residual_share": 0.1} | ranges, licences=draw(st.sampled_from([(), (YEARLY, ONCE)])))
    units = st.sampled_from([1.0, 4.0, float("nan")])
    workloads = estate(("a", 8, 8), ("b", 4, 8), ("c", 2, 8), host=draw(st.sampled_from([["h1", "h2", "h2"], ""])))
    watts = draw(st.sampled_from([{}, {"idle_w": 250.0, "peak_w": 260.0}, {"idle_w": [10.0, None], "peak_w": 900.0}]))
    owned = machines(("h1", 8, 16), ("h2", 8, 16), rack_units=[draw(units), 2.0], **watts)
    models = machines(("new", 16, 64), price=draw(st.sampled_from([100.0, 3000.0])), rack_units=draw(units))
    owned = draw(st.sampled_from([owned, None]))
    problem = problem_of(workloads, owned, models, prices=prices)
    mixed = plan_of(("a", "h1"), ("b", "new-1", "new"), ("c", "new-1", "new"))
    plan = NEW if owned is None else draw(st.sampled_from([NEW, mixed]))
    assert planner.check(problem, plan) == []
    return Comparison(problem=problem, plan=plan, baseline=planner.today(problem))


@examples(16)
@given(compared())
def test_law_few_corners_tell_the_ends_of_them_all(one):
    spans = one.problem.prices.ranges
    bending = ("years", "discount_rate", "vcpu_activity")
    levels = [(span.low, span.likely, span.high) if name in bending else span.ends for name, span in spans.items()]
    every = [one.horizon(**dict(zip(spans, corner, strict=True))) for corner in product(*levels)]
    told = ranges_table(one.problem, one.plan, one.baseline).set_index("item")
    for estate_ in ("today", "plan", "saving"):
        figures = pd.concat([each[estate_] for each in every], axis=1)
        for end, found in (("low", figures.min(axis=1)), ("high", figures.max(axis=1))):
            assert told[f"{estate_}_{end}"].to_numpy() == pytest.approx(found.to_numpy(), abs=1e-6, nan_ok=True)


HOURS = 8760
POWER = Prices(energy_per_kwh=0.2, pue=1.0, years=5, **BARE)


def total_of(report: planner.Report) -> float:
    """What the plan saves over the horizon."""
    return report.savings.set_index("item").loc["total", "saving_horizon"]


@pytest.mark.parametrize(
    ("prices", "field", "expected"),
    [
        # 800 W less, five years: 3,000 are back at this price of a kWh.
        (POWER, "energy_per_kwh", 3000 / (0.8 * HOURS * 5)),
        (dataclasses.replace(POWER, energy_per_kwh=None), "energy_per_kwh", 3000 / (0.8 * HOURS * 5)),
        (dataclasses.replace(POWER, energy_per_kwh=0.05), "pue", 3000 / (0.8 * HOURS * 5 * 0.05)),
        # 1,401.60 a year: 2.14 years, the third one counting in part.
        (POWER, "years", 3000 / (0.8 * HOURS * 0.2)),
        # Two years at 1,752 a year are 3,504 undiscounted: 1 / q + 1 / q^2 = 3000 / 1752.
        (
            dataclasses.replace(POWER, energy_per_kwh=0.25, years=2),
            "discount_rate",
            2 / ((1 + 4 * 3000 / 1752) ** 0.5 - 1) - 1,
        ),
        # 100 a host and year, two hosts fewer: 1,000 in five years, so 2,000 would have to be left of 3,000.
        (Prices(energy_per_kwh=None, maintenance_per_host_year=100, years=5), "residual_share", 2 / 3),
        (Prices(energy_per_kwh=None, maintenance_per_host_year=100, years=5), "maintenance_per_host_year", 300),
        # What is saved already by energy cannot be turned by what also saves.
        (POWER, "administration_per_host_year", None),
        (dataclasses.replace(POWER, energy_per_kwh=0.05), "administration_per_host_year", (3000 - 1752) / 10),
        (POWER, "host_idle_w", None),
    ],
)
def test_break_even_is_what_it_is_by_hand(prices, field, expected):
    problem = renewal(prices)
    found = planner.break_even(problem, OLD, NEW, field)
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-9))
    assert planner.break_even(problem, NEW, OLD, field) == (None if found is None else pytest.approx(found))


def test_the_watts_of_hosts_without_their_own_turn_too():
    problem = problem_of(
        estate(("a", 8, 8), ("b", 8, 8), host=["h1", "h2"]),
        machines(("h1", 8, 8), ("h2", 8, 8)),
        machines(("new", 32, 64), price=1752.0, idle_w=100.0, peak_w=100.0),
        prices=Prices(energy_per_kwh=0.2, pue=1.0, years=1, host_idle_w=300, host_peak_w=1000, vcpu_activity=0, **BARE),
    )
    old, new = plan_of(("a", "h1"), ("b", "h2")), plan_of(("a", "new-1", "new"), ("b", "new-1", "new"))
    # 1,752 are 1,000 W of a year: two hosts with 550 W each pay for it and the 100 W of the new one.
    assert planner.break_even(problem, old, new, "host_idle_w") == pytest.approx(550)


@examples(15)
@given(
    st.sampled_from(["energy_per_kwh", "pue", "years", "discount_rate", "maintenance_per_host_year", "residual_share"]),
    st.floats(0, 1),
    st.floats(1, 3),
    st.floats(1, 9),
    st.floats(0, 0.3),
    st.floats(0, 400),
    st.integers(100, 20000),
)
def test_at_the_break_even_the_report_saves_nothing(field, energy, pue, years, rate, maintenance, price):
    prices = Prices(
        energy_per_kwh=energy,
        pue=pue,
        years=years,
        discount_rate=rate,
        maintenance_per_host_year=maintenance,
        residual_share=0.1,
    )
    problem = renewal(prices, float(price))
    turns = planner.break_even(problem, OLD, NEW, field)
    if turns is not None:
        there = dataclasses.replace(prices, **{field: turns})
        assert total_of(planner.report(renewal(there, float(price)), NEW)) == pytest.approx(0, abs=1e-4)
    else:
        ends = [
            total_of(planner.report(renewal(dataclasses.replace(prices, **{field: end}), float(price)), NEW))
            for end in LIMITS[field]
        ]
        assert ends[0] * ends[1] > 0 or ends[0] == ends[1]


def test_the_tornado_moves_one_assumption_at_a_time_and_is_sorted_by_what_it_does():
    problem = renewal(dataclasses.replace(POWER, pue=Range(1.0, 2.0, likely=1.2)))
    found = planner.sensitivity(problem, NEW)
    table = found.tornado.set_index("assumption")
    assert found.saving == pytest.approx(0.8 * HOURS * 0.2 * 5 * 1.2 - 3000)
    assert table.loc["pue", ["low", "likely", "high", "source"]].tolist() == [1.0, 1.2, 2.0, "given"]
    assert table.loc["pue", "saving_high"] == pytest.approx(0.8 * HOURS * 0.2 * 5 * 2 - 3000)
    assert table.loc["energy_per_kwh", "low"] == pytest.approx(0.16)
    assert table.loc["energy_per_kwh", "source"] == "±20 %, no range is given"
    assert table.loc["energy_per_kwh", "saving_low"] == pytest.approx(0.8 * HOURS * 0.16 * 5 * 1.2 - 3000)
    for name in ("energy_per_kwh", "years"):
        assert table.loc[name, "break_even"] == pytest.approx(planner.break_even(problem, OLD, NEW, name))
    widths = table["width"].dropna()
    assert widths.is_monotonic_decreasing
    assert table.index[0] == "pue"


def test_a_usual_range_keeps_to_the_limits_of_its_field():
    table = planner.sensitivity(renewal(dataclasses.replace(POWER, pue=1.1)), NEW).tornado.set_index("assumption")
    assert table.loc["pue", "low"] == 1.0


def test_a_price_that_is_missing_is_absent_and_named():
    table = planner.sensitivity(renewal(POWER), NEW).tornado.set_index("assumption")
    for name in ("maintenance_per_host_year", "rack_unit_year", "residual_share"):
        assert table.loc[name, ["low", "saving_low", "saving_high", "width", "break_even"]].isna().all()
        assert table.loc[name, "note"].startswith("not given")
    given_after_all = planner.sensitivity(renewal(POWER), NEW, ranges={"maintenance_per_host_year": Range(0, 100)})
    row = given_after_all.tornado.set_index("assumption").loc["maintenance_per_host_year"]
    # Two hosts fewer, five years.
    assert row["width"] == pytest.approx(2 * 5 * 100)


def test_energy_without_watts_is_told():
    workloads = estate(("a", 8, 8), host=["h1"])
    problem = problem_of(workloads, machines(("h1", 8, 8)), machines(("new", 8, 8), price=100.0))
    table = planner.sensitivity(problem, plan_of(("a", "new-1", "new"))).tornado.set_index("assumption")
    assert "watts are missing" in table.loc["energy_per_kwh", "note"]
    with pytest.raises(planner.InputError) as error:
        planner.break_even(problem, plan_of(("a", "h1")), plan_of(("a", "new-1", "new")), "energy_per_kwh")
    assert "energy is missing" in str(error.value)


def test_solving_again_tells_where_the_optimum_changes():
    problem = renewal(POWER, price=7000.0).replace(objective="cost")
    ranges = {"energy_per_kwh": Range(0.1, 0.3, 0.2)}
    assert planner.solve(problem, time_limit=5).hosts_used == 1
    row = planner.sensitivity(problem, NEW, ranges=ranges, resolve=True, time_limit=5).tornado.iloc[0]
    assert row["assumption"] == "energy_per_kwh"
    # 800 W less for five years cost 3,504 at 0.1, and 10,512 at 0.3: 7,000 pay only there.
    assert (row["hosts_low"], row["status_low"]) == (3, "optimal")
    assert row["gain_low"] == pytest.approx(7000 - 3504)
    assert (row["hosts_high"], row["gain_high"]) == (1, 0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda p: planner.break_even(p, OLD, NEW, "energy_per_kw"), "did you mean 'energy_per_kwh'?"),
        (lambda p: planner.break_even(p, OLD, NEW, "carbon_kg_per_kwh"), "on which costs do not depend"),
        (lambda p: planner.break_even(p, OLD, plan_of(("a", "h1")), "pue"), "other: found 2 violations"),
        (lambda p: planner.sensitivity(p, plan_of(("a", "h1"))), "plan: found 2 violations"),
        (lambda p: planner.sensitivity(p, NEW, ranges={"peu": Range(1, 2)}), "did you mean 'pue'?"),
        (lambda p: planner.sensitivity(p, NEW, ranges={"pue": 3}), "ranges.pue: found 3, expected a range"),
        (lambda p: planner.sensitivity(p, NEW, ranges={"pue": Range(1, 20, 5)}), "prices.pue: found 20"),
        (lambda p: planner.sensitivity(p, NEW, resolve=True), "found objective 'hosts'"),
    ],
)
def test_bad_questions_are_answered_in_a_sentence(call, words):
    with pytest.raises(planner.InputError) as error:
        call(renewal(POWER))
    assert words in str(error.value)


def test_what_the_saving_leaves_out_is_named():
    found = planner.sensitivity(renewal(Prices(energy_per_kwh=0.2, maintenance_per_host_year=None)), NEW)
    assert found.without == ("maintenance",)
    assert " EUR, without maintenance\n" in repr(found)
    assert planner.sensitivity(renewal(Prices()), NEW).without == ()
    nothing = planner.sensitivity(renewal(Prices.none(), price=float("nan")), NEW)
    assert (nothing.told, nothing.without) == ("saves what is not known", ("hardware", "energy", "maintenance"))


def test_a_host_without_a_price_turns_nothing():
    problem = renewal(POWER, price=float("nan"))
    assert planner.sensitivity(problem, NEW).without == ("hardware", "maintenance")
    with pytest.raises(
        planner.InputError, match="hardware is missing, expected the price of every host that is bought"
    ):
        planner.break_even(problem, OLD, NEW, "energy_per_kwh")


def test_the_tornado_is_drawn_with_the_widest_on_top():
    found = planner.sensitivity(renewal(POWER), NEW)
    shown = charts.tornado_chart(found.tornado, found.saving, found.currency).to_dict()
    bars = shown["layer"][0]
    order = bars["encoding"]["y"]["sort"]
    # 20 % more of a price, of the PUE or of the years are the same to the money here.
    assert sorted(order) == ["energy per kwh", "pue", "years"]
    assert len(shown["datasets"][bars["data"]["name"]]) == 2 * len(order)
    nothing = charts.tornado_chart(found.tornado.assign(width=0.0), found.saving).to_dict()
    assert nothing["layer"][0]["encoding"]["y"]["sort"] == []


def test_the_command_line_shows_the_tornado_of_a_written_plan(tmp_path):
    problem = renewal(POWER)
    files = []
    for table, rows in (("workloads", problem.workloads), ("hosts", problem.inventory.hosts)):
        files.append(tmp_path / f"{table}.csv")
        rows.drop(columns="count", errors="ignore").to_csv(files[-1], index=False)
    plan, out = tmp_path / "plan.xlsx", tmp_path / "tornado.csv"
    planner.write(planner.report(problem, NEW), plan)
    shown = run("sensitivity", *files, plan, "--out", out).stdout
    found = planner.sensitivity(problem, NEW)
    assert f"{abs(found.saving):,.0f}" in shown
    assert pd.read_csv(out)["assumption"].tolist() == found.tornado["assumption"].tolist()
    assert "expected the inventory's files and then the plan" in run("sensitivity", files[0], code=2).stderr
