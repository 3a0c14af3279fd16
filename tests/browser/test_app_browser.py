"""What a customer does with the page, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import planner
from planner.readers import read
from planner.readers.plans import read_plan
from tests.conftest import hard_estate

pytestmark = pytest.mark.browser

SMALL = Path(__file__).resolve().parents[2] / "data" / "small_company.xlsx"
MEDIUM = SMALL.with_name("medium_estate.xlsx")
LONG = 60_000


@pytest.fixture
def hard(tmp_path: Path) -> Path:
    path = tmp_path / "hard.csv"
    hard_estate().to_csv(path, index=False)
    return path


def upload(page: Page, *paths: Path) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").first.set_input_files(list(paths))


def choose_sample(page: Page, label: str) -> None:
    page.get_by_role("combobox", name="or a sample").click()
    page.get_by_role("option", name=re.compile(label)).click()


def solve(page: Page) -> None:
    page.get_by_role("button", name="Solve", exact=True).click()


def expect_read(page: Page) -> None:
    expect(page.get_by_text(re.compile(r"Read: [\d,]+ workloads"))).to_be_visible()


def expect_plan(page: Page) -> None:
    expect(page.get_by_text(re.compile(r"hosts carry [\d,]+ workloads"))).to_be_visible(timeout=LONG)


def test_a_sample_becomes_a_plan_that_reads_back_and_passes_the_checker(app: Page, tmp_path: Path):
    choose_sample(app, "Small company")
    solve(app)
    expect_plan(app)
    expect(app.get_by_role("button", name="Solve", exact=True)).to_be_enabled()
    with app.expect_download() as download:
        app.get_by_role("button", name="Workbook (.xlsx)").click()
    path = tmp_path / "plan.xlsx"
    download.value.save_as(path)
    problem = planner.Problem.build(read(SMALL), host_models=None, policy="balanced")
    assert planner.check(problem, read_plan(path).plan) == []


def test_an_upload_is_solved(app: Page):
    upload(app, SMALL)
    expect_read(app)
    solve(app)
    expect_plan(app)


def test_a_broken_file_is_one_sentence_and_the_earlier_plan_stays(app: Page, tmp_path: Path):
    choose_sample(app, "Small company")
    solve(app)
    expect_plan(app)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"this is no workbook")
    upload(app, broken)
    alert = app.get_by_test_id("stAlertContentError")
    expect(alert).to_contain_text("broken.xlsx")
    expect(app.get_by_text("Traceback")).to_have_count(0)
    expect(app.get_by_test_id("stException")).to_have_count(0)
    expect_plan(app)


def test_stop_keeps_the_best_plan(app: Page, hard: Path):
    upload(app, hard)
    expect_read(app)
    solve(app)
    stop = app.get_by_role("button", name="Stop and keep the plan", exact=True)
    expect(app.get_by_text("Hosts in the best plan")).to_be_visible()
    stop.click()
    expect_plan(app)
    expect(app.get_by_text("hosts carry 600 workloads")).to_be_visible()


def test_reloading_the_page_keeps_the_job(app: Page, hard: Path):
    upload(app, hard)
    expect_read(app)
    solve(app)
    expect(app.get_by_text(re.compile("Searching"))).not_to_have_count(0)
    address = app.url
    assert "job=" in address
    app.reload()
    stop = app.get_by_role("button", name="Stop and keep the plan", exact=True)
    expect(stop).to_be_visible(timeout=LONG)
    assert app.url == address
    stop.click()
    expect_plan(app)


def test_rules_of_a_file_are_kept_and_a_misspelt_name_is_named(app: Page, tmp_path: Path):
    choose_sample(app, "Small company")
    app.get_by_role("tab", name="Placement rules").click()
    field = app.locator('[data-testid="stFileUploaderDropzoneInput"][accept*="toml"]')
    wrong, right = tmp_path / "wrong.toml", tmp_path / "right.toml"
    wrong.write_text('[[rule]]\nkind = "KeepApart"\nworkloads = ["web shop", "acounting"]\n', encoding="utf-8")
    right.write_text('[[rule]]\nkind = "KeepApart"\nworkloads = "*"\n', encoding="utf-8")
    uploaded = app.get_by_test_id("stFileChipName")
    field.set_input_files(wrong)
    expect(uploaded).to_have_text("wrong.toml")
    solve(app)
    alert = app.get_by_test_id("stAlertContentError")
    expect(alert).to_contain_text("wrong.toml, rule 1 (KeepApart): 'acounting' names nothing", timeout=LONG)
    field.set_input_files(right)
    expect(uploaded).to_have_text("right.toml")
    solve(app)
    expect(app.get_by_text(re.compile("3 hosts carry 3 workloads"))).to_be_visible(timeout=LONG)


def test_a_plan_is_explained(app: Page):
    choose_sample(app, "Small company")
    solve(app)
    expect_plan(app)
    app.get_by_role("tab", name="Why", exact=True).click()
    app.get_by_role("button", name="Explain this result").click()
    expect(app.get_by_text("Spreadsheet against packing")).to_be_visible(timeout=LONG)
    expect(app.get_by_test_id("stException")).to_have_count(0)


def test_a_region_is_chosen_and_its_prices_are_in_the_plan(app: Page):
    choose_sample(app, "Small company")
    app.get_by_role("tab", name="Energy and prices").click()
    region = app.get_by_role("combobox", name="Region")
    region.click()
    region.fill("Argent")
    app.get_by_role("option", name=re.compile("Argentina · no electricity price")).click()
    solve(app)
    expect_plan(app)
    expect(app.get_by_text("Cost a year without energy")).to_be_visible()
    app.get_by_text("What the savings rest on").click()
    expect(app.get_by_text(re.compile("no price given in EUR/kWh"))).to_be_visible()
    expect(app.get_by_test_id("stException")).to_have_count(0)


def test_trade_offs_are_stopped_and_one_of_their_plans_is_shown_and_taken_away(app: Page, tmp_path: Path):
    choose_sample(app, "Medium estate")
    solve(app)
    expect_plan(app)
    app.get_by_role("tab", name="Trade-offs").click()
    app.get_by_role("button", name="Find trade-offs").click()
    app.get_by_role("button", name="Stop and keep what was found").click()
    take = app.get_by_role("button", name="Show this plan")
    expect(take).to_be_visible(timeout=LONG)
    with app.expect_download() as download:
        app.get_by_role("button", name="Workbook of plan 1 (.xlsx)").click()
    path = tmp_path / "plan.xlsx"
    download.value.save_as(path)
    problem = planner.Problem.build(read(MEDIUM), policy="balanced")
    assert planner.check(problem, read_plan(path).plan) == []
    take.click()
    expect(app.get_by_text(re.compile("This is plan 1 of the trade-offs between hosts and cost"))).to_be_visible()
    app.get_by_role("tab", name="Sensitivity").click()
    expect(app.get_by_text("With every assumption as likely")).to_be_visible(timeout=LONG)
    expect(app.get_by_test_id("stVegaLiteChart").locator("visible=true")).to_have_count(1)
    expect(app.get_by_test_id("stException")).to_have_count(0)
