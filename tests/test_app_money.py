"""The money on the page, run in process: regions, prices, ranges, host models, trade-offs and sensitivity."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

import planner
from planner import Prices, Range, catalogue
from planner.jobs import Job
from planner.prices import LIMITS
from planner.shortlist import shortlist
from planner.web import frame
from tests.conftest import estate
from tests.test_app import errors, page, sampled, solved, token_of, until


def job_of(app: AppTest) -> Job:
    return frame.runner().get(token_of(app))


def edited(**cells: dict) -> dict:
    """What the table of ranges holds once cells were typed, by field."""
    rows = {list(LIMITS).index(name): ends for name, ends in cells.items()}
    return {"edited_rows": rows, "added_rows": [], "deleted_rows": []}


def test_a_region_gives_electricity_and_carbon_and_what_is_typed_goes_before():
    app = sampled()
    app.selectbox(key="region").select("FRA")
    assert job_of(solved(app)).problem.prices == Prices.for_region("FRA")
    app.number_input(key="energy_per_kwh").set_value(0.31)
    before = token_of(app)
    app.button(key="solve").click().run()
    assert token_of(app) != before
    assert job_of(app).problem.prices == Prices.for_region("FRA", energy_per_kwh=0.31)


def test_a_region_without_a_price_leaves_energy_out_and_says_so():
    app = sampled()
    told = app.selectbox(key="region").options
    assert "Argentina · no electricity price · 0.345 kg CO2e/kWh" in told
    app.selectbox(key="region").select("ARG")
    app = solved(app)
    prices = job_of(app).problem.prices
    assert (prices.energy_per_kwh, prices.carbon_kg_per_kwh) == (None, 0.34483)
    shown = {metric.label: metric.value for metric in app.metric}
    assert "Cost a year without energy" in shown and shown["Energy a year"] != "not known"


def test_prices_in_another_currency_than_the_regions_ask_for_its_worth():
    app = sampled()
    app.text_input(key="currency").set_value("USD")
    app.button(key="solve").click().run()
    assert "electricity of Germany is priced in EUR, found prices in USD" in errors(app)[0]
    app.number_input(key="exchange_eur").set_value(1.1)
    shown = {"currency": "USD", "maintenance_per_host_year": 400.0}  # What stands in a field is in the page's currency.
    assert job_of(solved(app)).problem.prices == Prices.for_region("DEU", exchange={"EUR": 1.1}, **shown)


def test_what_changing_over_costs_and_no_region_reach_the_problem():
    app = sampled()
    app.selectbox(key="region").select("")
    app.selectbox(key="physical_server").select("ml30-gen11")
    for key, value in {"migration": 120.0, "disposal": 80.0, "administration": 250.0, "discount": 4.0}.items():
        app.number_input(key=key).set_value(value)
    assert job_of(solved(app)).problem.prices == Prices(
        energy_per_kwh=None,
        carbon_kg_per_kwh=None,
        migration_per_workload=120,
        disposal_per_host=80,
        administration_per_host_year=250,
        discount_rate=0.04,
        physical_server="ml30-gen11",
    )


def test_ranges_reach_the_problem_and_a_row_with_one_end_alone_is_named():
    app = sampled()
    app.session_state["ranges"] = edited(pue={"low": 1.2})
    app.run().button(key="solve").click().run()
    assert "prices.pue: found no 'high'" in errors(app)[0].replace("\\", "")
    app.session_state["ranges"] = edited(pue={"low": 1.2, "high": 1.8}, rack_unit_year={"low": 100, "high": 300})
    app = solved(app.run())
    assert any("From the least to the most, over 5 years" in text.value for text in app.markdown)
    prices = job_of(app).problem.prices
    assert prices.ranges == {"pue": Range(1.2, 1.8, likely=1.54), "rack_unit_year": Range(100, 300)}
    assert prices.rack_unit_year == 200


def test_where_a_file_offers_no_hosts_the_shortlist_is_ticked():
    app = page()
    rows = estate(*((f"w{i}", 4, 16) for i in range(40)))
    app.file_uploader(key="upload").upload("plain.csv", rows.to_csv(index=False).encode(), "text/csv").run()
    problem = job_of(solved(app)).problem
    assert sorted(problem.host_models["name"]) == sorted(shortlist(catalogue.host_models(), problem.workloads))
    assert planner.check(problem, app.session_state["report"].plan) == []


def test_an_own_host_model_with_a_load_curve_and_estimates_is_named_in_the_report():
    app = sampled()
    own = {"buy": True, "name": "mine", "cores": 32, "memory_gib": 256, "storage_gib": 9000, "network_gbps": 25}
    own |= {"price": 900.0, "power_curve": "r640-8180", "estimate": "price"}
    app.session_state["models_small_company.xlsx"] = {
        "edited_rows": {0: {"buy": False}},
        "added_rows": [own],
        "deleted_rows": [],
    }
    app.selectbox(key="objective").select("cost")
    app = solved(app.run())
    report = app.session_state["report"]
    assert set(report.plan.hosts["model"]) == {"mine"}
    assert "Load curve of eleven points" in report.savings.set_index("item").loc["energy", "assumption"]
    told = report.assumptions.set_index("setting").loc["host_models.mine"]
    assert (told["value"], told["source"]) == ("price", "estimate")


@pytest.mark.parametrize("word", ["r640-818O", "1|2|3"])
def test_a_load_curve_that_is_none_is_named(word):
    app = sampled()
    row = {"buy": True, "name": "mine", "cores": 32, "memory_gib": 256, "power_curve": word}
    app.session_state["models_small_company.xlsx"] = {"edited_rows": {}, "added_rows": [row], "deleted_rows": []}
    app.run().button(key="solve").click().run()
    assert "mine" in errors(app)[0] and word.replace("|", "\\|") in errors(app)[0]


def test_trade_offs_are_found_in_the_background_and_a_plan_of_them_is_shown():
    app = solved(sampled("medium_estate.xlsx"))
    before = token_of(app)
    app.number_input(key="trade_seconds").set_value(5)
    app.button(key="trade").click().run()
    until(app, lambda app: any(box.key == "trade_plan" for box in app.selectbox))
    front = job_of(app).after["trade-offs"].snapshot().result
    assert len(front.plans) > 1
    name = list(front.plans)[-1]
    app.selectbox(key="trade_plan").select(name).run()
    app.button(key="take_plan").click().run()
    assert token_of(app) != before and not app.exception
    assert any(f"This is {name} of the trade-offs" in info.value for info in app.info)
    report = app.session_state["report"]
    assert report.plan is front.plans[name]
    assert planner.check(report.problem, report.plan) == []
    assert any(box.key == "trade_plan" for box in app.selectbox), "the front stays at hand"
    app.button(key="earlier").click().run()
    assert token_of(app) == before


def test_a_criterion_that_lacks_a_figure_is_named_and_may_be_asked_for_anew():
    app = solved(sampled("rvtools_800.xlsx"))
    app.multiselect(key="trade_objectives").set_value(["hosts", "energy"])
    app.button(key="trade").click().run()
    until(app, errors)
    assert "objectives, energy" in errors(app)[0]
    assert any(button.key == "trade" for button in app.button)


def test_sensitivity_is_worked_out_when_its_tab_is_opened():
    app = solved(sampled())
    assert not any("With every assumption" in text.value for text in app.markdown)
    app.session_state["result_tabs"] = "Sensitivity"
    app.run()
    assert not app.exception
    [told] = [text.value for text in app.markdown if "With every assumption" in text.value]
    report = app.session_state["report"]
    saving = report.savings.set_index("item").loc["total", "saving_horizon"]
    assert f"{abs(saving):,.0f}" in told


def test_the_money_tab_tells_what_becomes_of_each_host():
    app = solved(sampled("medium_estate.xlsx"))
    report = app.session_state["report"]
    counts = report.costs["decision"].value_counts()
    [told] = [text.value for text in app.markdown if text.value.startswith("**Hosts: ")]
    assert told == f"**Hosts: {counts['buy']:,} bought, {counts['give up']:,} given up**"


def test_the_money_tab_appraises_the_plan_and_weighs_old_hosts():
    app = sampled("medium_estate.xlsx")
    app.selectbox(key="objective").select("cost")
    app = solved(app)
    report = app.session_state["report"]
    [told] = [text.value for text in app.markdown if text.value.startswith("**Against today")]
    worth = report.summary.set_index("item").loc["net present value against today", "value"]
    assert "paid back at once, as no more is paid at the start, net present value" in told
    assert f"{worth:,.0f} EUR" in told
    [iron] = [table.value for table in app.dataframe if "Share of a new host" in table.value]
    assert iron["Host"].tolist() == report.iron["host"].tolist()
    assert iron["Share of a new host"].tolist() == report.iron["new_share"].tolist()


def test_small_amounts_have_cents_so_that_a_difference_can_be_followed():
    app = solved(sampled("medium_estate.xlsx"))
    [shown] = [table.value for table in app.dataframe if "Figure" in table.value and "Saving" in table.value]
    month = shown.set_index("Figure").loc["total per workload and month"]
    assert month["Saving"] == pytest.approx(month["Today"] - month["Plan"], abs=0.0151)
    assert month["Today"] % 1 > 0


def test_machines_of_rows_that_stand_for_several_are_counted_as_the_plan_does():
    app = solved(sampled("medium_estate.xlsx"))
    workloads = len(app.session_state["report"].plan.placement)
    assert app.expander[0].label.startswith(f"Read: **{workloads:,}** workloads · **16** hosts")
    app = sampled("small_company.xlsx")
    assert "**1** host model" in app.expander[0].label
    assert "**1** host models" not in app.expander[0].label
