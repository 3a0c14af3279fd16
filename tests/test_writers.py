"""What is written reads back and passes the checker; nothing becomes a formula."""

from __future__ import annotations

import io
import json

import openpyxl
import pandas as pd
import pytest

import planner
from planner import InputError, KeepApart, Policy
from planner.licences import Licence
from planner.writers import FORMATS, to_bytes
from tests.conftest import estate, machines, plan_of, problem_of, solved

HOSTILE = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "'=quoted", "plain", "line\nbreak", "59")
LIVE = ("Summary", "Savings", "Totals", "Costs by host", "Hosts today", "Charts")
"""Sheets that have formulas."""

LICENCE = Licence(product="=product", edition="=edition", per="host", price=10)


@pytest.fixture(scope="module")
def written():
    workloads = estate(*((name, 2, 8) for name in HOSTILE), os='=HYPERLINK("http://x")', storage_gib=10)
    problem = problem_of(
        workloads,
        machines(("=own", 8, 64), storage_gib=500),
        machines(("@model", 8, 64), price=1000, storage_gib=500),
        policy=Policy.preset("balanced"),
        rules=[KeepApart(["59", "plain"])],
        prices=planner.Prices(energy_per_kwh=None, years=4, currency="=money", licences=(LICENCE,)),
        objective="cost",
    )
    result = solved(problem)
    return problem, planner.report(problem, result.plan, result=result)


@pytest.mark.parametrize("kind", ["xlsx", "json", "csv"])
def test_a_written_plan_reads_back_and_passes_the_checker(written, kind, tmp_path):
    problem, report = written
    path = planner.write(report, tmp_path / f"plan.{kind}")
    plan = planner.read_plan(path)
    pd.testing.assert_frame_equal(plan.plan.placement, report.plan.placement)
    assert sorted(plan.plan.spares["host"]) == sorted(report.plan.spares["host"])
    assert planner.check(problem, plan.plan) == []


@pytest.mark.parametrize("kind", ["xlsx", "json"])
def test_a_plan_of_ours_brings_its_own_settings(written, kind, tmp_path):
    problem, report = written
    read = planner.read_plan(planner.write(report, tmp_path / f"plan.{kind}"))
    again = read.problem(problem.inventory)
    assert (again.policy, again.prices, again.rules, again.objective) == (
        problem.policy,
        problem.prices,
        problem.rules,
        problem.objective,
    )
    pd.testing.assert_frame_equal(again.host_models, problem.host_models)
    assert planner.check(again, read.plan) == []


def test_no_text_from_outside_becomes_a_formula_or_a_link(written):
    book = openpyxl.load_workbook(io.BytesIO(to_bytes(written[1], "xlsx")))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.hyperlink]
    assert {str(cell.value) for cell in cells if cell.data_type == "s"} >= {*HOSTILE, "=product", "=money"}
    formulas = [cell for cell in cells if cell.data_type == "f"]
    assert {cell.parent.title for cell in formulas} <= {*LIVE}
    outside = (*HOSTILE[:5], "own", "@model", "HYPERLINK", "product", "money")
    assert not [cell.value for cell in formulas if any(text.lstrip("='") in cell.value for text in outside)]


def test_the_workbook_has_real_tables_formats_and_frozen_headers(written):
    book = openpyxl.load_workbook(io.BytesIO(to_bytes(written[1], "xlsx")))
    assert book.sheetnames[0] == "Summary"
    assert {"Placement", "Hosts", "Savings", "Left out", "Assumptions", "Verdict"} <= set(book.sheetnames)
    for sheet in book:
        assert len(sheet.tables) == (sheet.title != "Charts"), sheet.title
        assert sheet.freeze_panes, sheet.title
    hosts = book["Hosts"]
    heading = {cell.value: cell.column for cell in hosts[1]}
    assert hosts.cell(2, heading["Memory utilisation"]).number_format == "0.0%"


def test_csv_cells_cannot_become_formulas(written):
    text = to_bytes(written[1], "csv").decode("utf-8-sig")
    cells = [cell.strip('"') for line in text.splitlines() for cell in line.split(",")]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_json_holds_the_contract(written):
    document = json.loads(to_bytes(written[1], "json"))
    keys = "status stop objective hosts_used bound gap seconds workloads violations seed versions placement"
    assert set(keys.split()) <= set(document)
    assert set(document["objective"]) >= {"name", "value", "unit"}
    assert set(document["bound"]) == {"value", "method"}
    assert set(document["placement"][0]) == {"workload", "host", "model", "pool"}
    assert document["violations"] == []


def test_html_is_one_file_without_outside_links_and_everything_escaped():
    problem = problem_of(estate(("<script>alert(1)</script>", 1, 1)), machines(("h", 4, 8)))
    page = to_bytes(planner.report(problem, solved(problem).plan), "html").decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page


def test_an_unknown_suffix_and_a_folder_that_is_not_there_are_named(written, tmp_path):
    with pytest.raises(InputError, match="did you mean 'xlsx'"):
        planner.write(written[1], tmp_path / "plan.xls")
    with pytest.raises(InputError, match="cannot be written"):
        planner.write(written[1], tmp_path / "nowhere" / "plan.xlsx")


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_plan_on_hosts_that_nobody_knows_is_written_with_its_verdict(kind):
    problem = problem_of(estate(("a", 1, 1)), machines(("h", 4, 8)))
    data = to_bytes(planner.report(problem, plan_of(("a", "nowhere"))), kind)
    if kind == "xlsx":
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
        assert book["Verdict"]["A2"].value == "unknown host"
        assert [book["Costs by host"].cell(3, column).value for column in (1, 10)] == ["All hosts", 0]
    if kind == "html":
        assert "Rejected, do not sign: unknown host (1)" in data.decode()
    assert len(data) > 20


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_moves_are_in_every_format_that_shows_them(kind):
    problem = problem_of(estate(("a", 1, 1), ("b", 1, 1)), machines(("h1", 4, 8), ("h2", 4, 8)))
    start = planner.Plan.from_frames(pd.DataFrame({"workload": ["a", "b"], "host": ["h1", "h2"]}))
    result = solved(problem, start=start)
    data = to_bytes(planner.report(problem, result.plan, result=result), kind)
    assert len(data) > 40
    if kind == "xlsx":
        assert "Moves" in openpyxl.load_workbook(io.BytesIO(data)).sheetnames
    if kind == "json":
        assert len(json.loads(data)["moves"]) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{not json", "expected a plan in JSON"),
        (b'{"a": 1}', "without a list 'placement'"),
        (b"vm,rack\na,b\n", "expected a plan with columns Workload and Host"),
        (b"", "empty"),
    ],
)
def test_what_is_not_a_plan_is_refused_in_one_sentence(data, words):
    with pytest.raises(InputError) as error:
        planner.read_plan(data)
    assert words in str(error.value)


@pytest.mark.parametrize("headings", ["VM,Host", "VM Name;ESX", "workload\thost", "Name,Target host"])
def test_a_plan_of_another_tool_is_read_by_its_headings(headings):
    separator = next(mark for mark in ",;\t" if mark in headings)
    plan = planner.read_plan(f"{headings}\nweb{separator}h1\n".encode()).plan
    assert plan.placement[["workload", "host"]].to_numpy().tolist() == [["web", "h1"]]
