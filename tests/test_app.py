"""The page, run in process: what is shown, and what is kept when something goes wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import planner
from planner.readers import read
from planner.web import frame
from tests.conftest import hard_estate

ROOT = Path(__file__).resolve().parents[1]
APP = str(ROOT / "app.py")
SMALL = ROOT / "data" / "small_company.xlsx"
MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def page(job: str | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    if job is not None:
        app.query_params["job"] = job
    return app.run()


def sampled(sample: str = "small_company.xlsx") -> AppTest:
    return page().selectbox(key="sample").select(sample).run()


def until(app: AppTest, condition: Callable[[AppTest], bool], seconds: float = 60) -> AppTest:
    """Run the page again and again, as its timer does in a browser."""
    end, pause = time.monotonic() + seconds, 0.1
    while not condition(app):
        assert time.monotonic() < end, f"waited in vain; errors shown: {errors(app)}"
        time.sleep(pause)
        pause = min(2 * pause, 1.0)
        app.run()
    return app


def solved(app: AppTest) -> AppTest:
    app.button(key="solve").click().run()
    return until(app, has_plan)


def errors(app: AppTest) -> list[str]:
    return [error.value for error in app.error]


def has_plan(app: AppTest) -> bool:
    return any(tab.label == "Money" for tab in app.tabs)


def token_of(app: AppTest) -> str:
    token = app.query_params["job"]
    return token if isinstance(token, str) else token[0]


def plan_of(app: AppTest) -> planner.Plan:
    return frame.runner().get(token_of(app)).snapshot().result.plan


def test_the_first_page_asks_for_a_file():
    app = page()
    assert not app.exception
    assert "Upload a file or choose a sample" in app.info[0].value
    assert not any(button.key == "solve" for button in app.button)


@pytest.mark.parametrize("sample", ["small_company.xlsx", "medium_estate.xlsx", "rvtools_800.xlsx"])
def test_every_sample_is_read(sample):
    app = sampled(sample)
    assert not app.exception
    assert not errors(app)
    assert re.match(r"Read: \*\*[\d,]+\*\* workloads", app.expander[0].label)


def test_a_sample_is_solved_and_the_plan_passes_the_checker():
    app = solved(sampled())
    assert not app.exception
    assert "workloads" in (app.success or app.info)[0].value
    job = frame.runner().get(token_of(app))
    assert planner.check(job.problem, plan_of(app)) == []
    assert not app.button(key="solve").disabled
    assert job.problem.policy == planner.Policy.preset("balanced")
    assert job.problem.prices == planner.Prices()


def test_a_preset_fills_in_the_fields_and_a_changed_figure_reaches_the_problem():
    app = sampled()
    app.selectbox(key="preset").select("dense").run()
    assert app.number_input(key="overcommit_cpu_dense").value == planner.Policy.preset("dense").overcommit.cpu
    app.number_input(key="overcommit_cpu_dense").set_value(3.0)
    app.number_input(key="energy_per_kwh").set_value(0.5)
    app = solved(app)
    problem = frame.runner().get(token_of(app)).problem
    assert problem.policy.name == "dense, adjusted"
    assert problem.policy.overcommit.cpu == 3
    assert problem.prices.energy_per_kwh == 0.5


def test_a_hypervisor_fills_in_its_overhead_and_a_basis_reaches_the_problem():
    app = page()
    table = "name,vcpus,memory_gib,cpu_ghz_p95,cpu_ghz_peak\na,4,8,1.5,\nb,4,8,1.0,2.0\n"
    app.file_uploader(key="upload").upload("measured.csv", table.encode(), "text/csv").run()
    assert [*app.selectbox(key="sizing_cpu").options] == ["what is allocated", "95th percentile of use"]
    assert app.selectbox(key="sizing_memory").disabled
    app.selectbox(key="hypervisor_balanced").select("nutanix-ahv").run()
    assert app.number_input(key="hypervisor_cores_balanced_nutanix-ahv").value == 8
    app.selectbox(key="sizing_cpu").select("p95")
    app.number_input(key="threads_balanced").set_value(1.25)
    policy = frame.runner().get(token_of(solved(app))).problem.policy
    assert policy.hypervisor == planner.Hypervisor.known("nutanix-ahv")
    assert policy.sizing == planner.Sizing(cpu="p95", hyper_threading_weight=1.25)
    assert policy.name == "balanced, adjusted"


def test_a_bad_file_is_one_sentence_and_the_earlier_plan_stays():
    app = solved(sampled())
    token = app.query_params["job"]
    app.file_uploader(key="upload").upload("broken.xlsx", b"this is no workbook", MIME).run()
    assert not app.exception
    assert len(errors(app)) == 1
    assert "broken" in errors(app)[0]
    assert app.query_params["job"] == token
    assert has_plan(app)


def test_figures_that_do_not_fit_together_are_named_and_the_earlier_plan_stays():
    app = solved(sampled())
    app.number_input(key="idle_w").set_value(400.0)
    app.number_input(key="peak_w").set_value(100.0)
    app.button(key="solve").click().run()
    assert "host\\_peak\\_w" in errors(app)[0]
    assert has_plan(app)


def test_an_upload_is_read():
    app = page()
    app.file_uploader(key="upload").upload("small_company.xlsx", SMALL.read_bytes(), MIME).run()
    expected = read(SMALL)
    assert app.expander[0].label.startswith(f"Read: **{len(expected.workloads):,}** workloads")


def test_another_session_with_the_address_sees_the_same_job_and_others_see_none():
    app = solved(sampled())
    other = page(token_of(app))
    assert has_plan(other)
    assert not has_plan(page())


def test_an_address_that_is_no_longer_known_says_so():
    app = page("forgotten")
    assert "no longer kept" in app.info[0].value


def test_stop_keeps_the_best_plan():
    app = page()
    app.file_uploader(key="upload").upload("hard.csv", hard_estate().to_csv(index=False).encode(), "text/csv").run()
    assert not errors(app)
    app.number_input(key="time_limit").set_value(600)
    app.button(key="solve").click().run()
    until(app, lambda page: any(m.label == "Hosts in the best plan" and m.value != "–" for m in page.metric))
    app.button(key="stop").click().run()
    until(app, has_plan, seconds=20)
    assert len(plan_of(app).placement) == 600


def test_solving_from_the_plan_shown_lists_moves():
    app = solved(sampled())
    app.checkbox(key="start_shown").check()
    before = app.query_params["job"]
    app.button(key="solve").click().run()
    until(app, lambda page: page.query_params["job"] != before and has_plan(page))
    result = frame.runner().get(token_of(app)).snapshot().result
    assert result.moves is not None
    assert len(result.moves) == 0


def test_no_plan_has_its_reason_and_a_way_back():
    app = solved(sampled())
    before = app.query_params["job"]
    app.number_input(key="growth_balanced").set_value(500.0)
    app.number_input(key="growth_years_balanced").set_value(10.0)
    app.button(key="solve").click().run()
    until(app, lambda page: any(button.key == "earlier" for button in page.button))
    assert "No plan exists" in errors(app)[0]
    explained(app)
    assert any("Why there is no plan" in text.value for text in app.markdown)
    app.button(key="earlier").click().run()
    assert app.query_params["job"] == before
    assert has_plan(app)


def test_solving_from_an_uploaded_plan_lists_moves():
    app = solved(sampled())
    job = frame.runner().get(token_of(app))
    written = planner.to_bytes(planner.report(job.problem, plan_of(app)), "xlsx")
    app.file_uploader(key="start_plan").upload("plan.xlsx", written, MIME)
    app.button(key="solve").click().run()
    until(app, lambda page: token_of(page) != job.token and has_plan(page))
    assert frame.runner().get(token_of(app)).options["start"].hosts_used == plan_of(app).hosts_used
    assert len(frame.runner().get(token_of(app)).snapshot().result.moves) == 0


def test_a_host_model_changed_in_the_table_is_what_is_bought():
    app = sampled()
    app.session_state["models_small_company.xlsx"] = {
        "edited_rows": {0: {"cores": 48}},
        "added_rows": [{"buy": True, "name": "mine", "cores": 4, "memory_gib": 16}, {"buy": True}],
        "deleted_rows": [],
    }
    app = solved(app.run())
    models = frame.runner().get(token_of(app)).problem.host_models
    offered = read(SMALL).host_models["name"].tolist()
    assert models["name"].tolist() == [*offered, "mine"]
    assert models["cores"].iloc[0] == 48


def test_an_estate_without_watts_is_solved_and_its_cost_says_what_it_lacks():
    app = solved(sampled("rvtools_800.xlsx"))
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Energy a year"] == "not known"
    assert "Cost a year without energy" in shown


def explained(app: AppTest, seconds: int = 10) -> AppTest:
    app.number_input(key="why_seconds").set_value(seconds)
    app.button(key="explain").click().run()
    return until(app, lambda app: any("Spreadsheet against packing" in text.value for text in app.markdown))


def test_a_plan_is_explained_where_somebody_asks_and_its_files_say_so_too():
    app = explained(solved(sampled()))
    said = "\n".join(text.value for text in app.markdown)
    assert "What binds" in said and "Why not one host fewer" in said
    report = app.session_state["report"]
    assert set(report.explanations) >= {"sentences", "binding", "division"}
    again = page(token_of(app))
    assert any("Spreadsheet against packing" in text.value for text in again.markdown), "kept over reloading the page"


def test_a_reserve_is_verified_by_rack_and_relaxed_while_hosts_are_lost():
    app = sampled("medium_estate.xlsx")
    app.selectbox(key="failover_mode_balanced").select("verified")
    app.number_input(key="failover_overcommit_cpu").set_value(8.0)
    app = solved(app)
    failover = app.session_state["report"].problem.policy.failover
    assert (failover.is_verified, failover.relaxed) == (True, {"overcommit_cpu": 8.0})
    assert any(tab.label == "Failures" for tab in app.tabs)


def test_a_proposed_rule_is_switched_off_in_its_list():
    rows = "VM,Powerstate,CPUs,Memory,VM UUID,Host,Cluster rule name(s)\n"
    rows += "a,poweredOn,2,8192,u1,esx01,apart\nb,poweredOn,2,8192,u2,esx01,apart\n"
    app = page()
    app.file_uploader(key="upload").upload("vInfo.csv", rows.encode(), "text/csv").run()
    assert any("Proposed rules" in text.value for text in app.markdown), errors(app)
    kept = frame.runner().get(token_of(solved(app))).problem
    assert kept.rules == (planner.KeepApart(["a", "b"]),)
    key = f"proposals_{app.session_state['read_key']}"
    app.session_state[key] = {"edited_rows": {0: {"on": False}}, "added_rows": [], "deleted_rows": []}
    app.run().button(key="solve").click().run()
    until(app, lambda page: frame.runner().get(token_of(page)).problem.rules == () and has_plan(page))


def test_licences_are_counted_and_a_currency_without_its_worth_is_asked_for():
    app = sampled()
    app.multiselect(key="licences").select("windows-server")
    app.number_input(key="residual").set_value(10.0)
    app.button(key="solve").click().run()
    assert "expected exchange with what 1 USD is worth" in errors(app)[0]
    app.number_input(key="exchange").set_value(0.9)
    solved(app)
    prices = frame.runner().get(token_of(app)).problem.prices
    assert {licence.product for licence in prices.licences} == {"windows-server"}
    assert (prices.exchange, prices.residual_share) == ({"USD": 0.9}, 0.1)
