"""Savings in a written workbook are formulas: LibreOffice works them out to the figures of a report."""

from __future__ import annotations

import io
import math
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils import get_column_letter

import planner
from planner import Prices
from planner.colours import BLUE
from planner.licences import Licence
from planner.reports import DISCOUNTED, NPV, PAYBACK
from planner.writers import host_costs, to_bytes
from planner.writers.formulas import MISSING
from planner.writers.headings import heading
from planner.writers.live import Live
from planner.writers.utilisation import utilisation
from tests.conftest import estate, machines, problem_of, solved

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
WINDOWS = ["Microsoft Windows Server 2022"] * 5 + ["Debian"] * 7
RUN = {"idle_w": 100, "peak_w": 300, "rack_units": 2, "embodied_kgco2e": 1200.0, "price": 9000.0, "sockets": 2}


def loads(**columns):
    return estate(*((f"w{i}", 2, 8) for i in range(12)), **columns)


def owned(prices: Prices) -> planner.Problem:
    frame = loads(host=[f"h{i % 4}" for i in range(12)])
    return problem_of(frame, machines(*((f"h{i}", 16, 64) for i in range(4)), **RUN), prices=prices)


def sold(prices: Prices) -> planner.Problem:
    """Two of four owned hosts are given up, and bring in something."""
    frame = loads(host=[f"h{i % 4}" for i in range(12)])
    return problem_of(frame, machines(*((f"h{i}", 16, 64) for i in range(4)), **RUN, resale=50.0), prices=prices)


def bought(prices: Prices) -> planner.Problem:
    return problem_of(loads(), models=machines(("r", 16, 64), **RUN), prices=prices)


def licensed(prices: Prices) -> planner.Problem:
    return problem_of(loads(os=WINDOWS), models=machines(("r", 32, 64), **RUN), prices=prices)


def newer(prices: Prices) -> planner.Problem:
    """Four old hosts that draw much are given up for two that are bought."""
    old = machines(*((f"h{i}", 16, 64) for i in range(4)), **RUN | {"idle_w": 900, "peak_w": 999}).assign(
        maintenance="yes"
    )
    new = machines(("r", 16, 64), **RUN)
    return problem_of(loads(host=[f"h{i % 4}" for i in range(12)]), old, new, prices=prices)


def unknown(prices: Prices) -> planner.Problem:
    """What is bought has neither a price nor watts."""
    return problem_of(loads(), models=machines(("r", 16, 64), rack_units=2), prices=prices)


def half_known(prices: Prices) -> planner.Problem:
    """One of two hosts has neither watts nor rack units, and RHEL has no price."""
    frame = loads(host=["h0"] * 6 + ["h1"] * 6, os="Red Hat Enterprise Linux 9")
    hosts = machines(("h0", 14, 56), ("h1", 14, 56)).assign(
        idle_w=[100, None], peak_w=[300, None], rack_units=[2, None]
    )
    return problem_of(frame, hosts, prices=prices)


MANY = {"residual_share": 0.1, "discount_rate": 0.04, "years": 4.5, "rack_unit_year": 300.0}
LICENSED = {"licences": ("windows-server", "vmware-vvf"), "exchange": {"USD": 0.9}, "discount_rate": 0.05}
ESTATES = {
    "owned": (owned, Prices(), {"energy_per_kwh": 0.31, "administration_per_host_year": 250.0}),
    "bought": (bought, Prices(**MANY), {"pue": 1.2, "years": 7.25, "discount_rate": 0.0, "residual_share": 0.3}),
    "licensed": (licensed, Prices(**LICENSED), {"discount_rate": 0.1, "years": 3.0, "carbon_kg_per_kwh": 0.05}),
    "missing prices": (owned, Prices.none(), {"energy_per_kwh": 0.2, "maintenance_per_host_year": 0.0}),
    "prices taken away": (bought, Prices(**MANY), {"energy_per_kwh": None, "rack_unit_year": None}),
    "nothing known": (unknown, Prices.none(), {"maintenance_per_host_year": 70.0, "rack_unit_year": 9.0}),
    "discounted": (
        newer,
        Prices(discount_rate=0.08, residual_share=0.2, years=3.5),
        {"discount_rate": 0.2, "years": 6},
    ),
    "given up": (sold, Prices(disposal_per_host=120.0, migration_per_workload=5.0), {"years": 3.0, "pue": 1.2}),
    "half known": (half_known, Prices(licences=("rhel",)), {"rack_unit_year": 200.0, "maintenance_per_host_year": 100}),
}


AS_WRITTEN = ("licensed", "half known", "nothing known")
"""Estates that are worked out without a change too."""


@pytest.fixture(scope="module")
def reports() -> dict[str, tuple[planner.Report, planner.Report]]:
    """The report of each estate, and of the same plan with other prices."""
    found = {}
    for name, (problem_with, prices, change) in ESTATES.items():
        problem = problem_with(prices)
        result = solved(problem)
        other = problem_with(replace(prices, **change))
        assert planner.check(other, result.plan) == []
        found[name] = planner.report(problem, result.plan, result=result), planner.report(other, result.plan)
    return found


def test_the_savings_fit_one_page_wide_and_are_wide_enough(reports):
    book = openpyxl.load_workbook(io.BytesIO(to_bytes(reports["licensed"][0], "xlsx")), data_only=True)
    page = book["Savings"]
    setup = page.page_setup
    assert (setup.orientation, setup.paperSize, setup.fitToHeight) == ("landscape", 9, 0)
    assert page.sheet_properties.pageSetUpPr.fitToPage
    widths = {one: page.column_dimensions[get_column_letter(one)].width for one in range(1, 14)}
    assert sum(widths.values()) < 280
    (table,) = page.tables.values()
    for row in page[table.ref]:
        for cell in row[2:12]:
            if isinstance(cell.value, int | float):
                assert len(f"{cell.value:,.2f}") < widths[cell.column]


def test_a_total_that_leaves_out_nothing_says_so(reports):
    told = {}
    for name in ("owned", "missing prices"):
        book = openpyxl.load_workbook(io.BytesIO(to_bytes(reports[name][0], "xlsx")), data_only=True)
        rows = {row[0]: row[2] for row in book["Savings"].iter_rows(values_only=True)}
        told[name] = rows["Left out of the total, for want of figures"]
    assert told == {"owned": "nothing", "missing prices": "energy, maintenance"}


@pytest.fixture(scope="module")
def recalculated(reports, tmp_path_factory) -> dict[tuple[str, str], Path]:
    """Each workbook as LibreOffice works it out, as written and with prices typed into its cells."""
    if SOFFICE is None:
        pytest.skip("LibreOffice is not installed: nothing here works out formulas")
    folder = tmp_path_factory.mktemp("typed")
    for name, (report, _) in reports.items():
        changes = {"as written": {}} if name in AS_WRITTEN else {}
        for kind, change in (changes | {"changed": ESTATES[name][2]}).items():
            book = openpyxl.load_workbook(io.BytesIO(to_bytes(report, "xlsx")))
            for field, value in change.items():
                sheet, address = next(book.defined_names[field].destinations)
                book[sheet][address] = value
            book.save(folder / f"{name}, {kind}.xlsx")
            # What openpyxl saves has formulas without values: whatever stands there later was worked out.
            assert openpyxl.load_workbook(folder / f"{name}, {kind}.xlsx", data_only=True)["Totals"]["C5"].value is None
    out = tmp_path_factory.mktemp("recalculated")
    profile = f"-env:UserInstallation={tmp_path_factory.mktemp('profile').as_uri()}"
    command = [SOFFICE, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out), *sorted(folder.iterdir())]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return {tuple(path.stem.split(", ")): path for path in sorted(out.iterdir())}


def rows_of(book: openpyxl.Workbook, sheet: str, first: str) -> dict[str, dict[str, object]]:
    """The table of a sheet by its first column; what stands above its headings is left out."""
    rows = list(book[sheet].iter_rows(values_only=True))
    top = next(at for at, row in enumerate(rows) if row[0] == first)
    return {row[0]: dict(zip(rows[top], row, strict=True)) for row in rows[top + 1 :] if row[0] is not None}


def same(found: object, expected: float) -> bool:
    """A figure of a cell is a figure of a report; one that is missing is said to be, and never 0."""
    if expected is None or math.isnan(expected):
        return found == MISSING
    return isinstance(found, int | float) and math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-6)


def assert_is(book: openpyxl.Workbook, report: planner.Report) -> None:
    assert_savings_are(book, report)
    assert_hosts_are(book, report)
    assert_appraisal_is(book, report)


def assert_savings_are(book: openpyxl.Workbook, report: planner.Report) -> None:
    savings, totals = rows_of(book, "Savings", "Item"), rows_of(book, "Totals", "Figure")
    for row in report.savings.to_dict("records"):
        for span in ("per year", "over the horizon"):
            for estate_name in ("today", "plan", "saving"):
                name = f"{estate_name}_{span.replace('over the ', '').replace(' ', '_')}"
                found = savings[row["item"]][f"{estate_name.capitalize()} {span}"]
                assert same(found, row[name]), (row["item"], name, found, row[name])
    for row in report.totals.to_dict("records"):
        for name in ("today", "plan", "saving"):
            found = totals[row["metric"]][name.capitalize()]
            assert same(found, row[name]), (row["metric"], name, found, row[name])


def assert_hosts_are(book: openpyxl.Workbook, report: planner.Report) -> None:
    hosts = rows_of(book, "Costs by host", "Host")
    for row in report.costs.to_dict("records"):
        for item in (*report.money.after.once, "total"):
            found = hosts[row["host"]][heading(item)]
            assert same(found, row[item]), (row["host"], item, found, row[item])
    today = rows_of(book, "Hosts today", "Host")
    for item, figures in report.money.before.horizon(report.problem.prices).items():
        for host, figure in zip(report.baseline.hosts["name"], figures, strict=True):
            assert same(today[host][heading(item)], figure), (host, item)


def assert_appraisal_is(book: openpyxl.Workbook, report: planner.Report) -> None:
    summary, told = report.summary.set_index("item"), rows_of(book, "Summary", "Item")
    for item in (PAYBACK, DISCOUNTED, NPV):
        found, expected = told[item]["Value"], summary.loc[item, "value"]
        assert found == expected or same(found, expected), (item, found, expected)
        assert (told[item]["Unit"] or "") == summary.loc[item, "unit"]


@pytest.mark.parametrize("name", ESTATES)
def test_every_formula_is_written_with_the_reports_figure(name, reports):
    report, _ = reports[name]
    assert_is(openpyxl.load_workbook(io.BytesIO(to_bytes(report, "xlsx")), data_only=True), report)


@pytest.mark.slow
@pytest.mark.parametrize("name", AS_WRITTEN)
def test_libreoffice_works_out_the_reports_figures(name, reports, recalculated):
    assert_is(openpyxl.load_workbook(recalculated[name, "as written"], data_only=True), reports[name][0])


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTATES)
def test_other_prices_in_the_cells_give_the_report_with_those_prices(name, reports, recalculated):
    report = reports[name][1]
    assert_is(openpyxl.load_workbook(recalculated[name, "changed"], data_only=True), report)
    plan = planner.read_plan(recalculated[name, "changed"]).plan
    assert planner.check(report.problem, plan) == []


def test_items_and_hosts_that_no_price_drives_are_added_up():
    """A host that is given up does not run, and costs what stands on its own, such as its disposal."""
    problem = sold(Prices(years=4, disposal_per_host=120.0))
    report = planner.report(problem, solved(problem).plan)
    live = Live(report)
    plan, running = live.estates["plan"], report.plan.hosts_used
    assert (running, len(report.costs)) == (2, 4)
    assert plan.quantities[host_costs.RUNNING].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert plan.hosts.columns.tolist() == ["host", "model", "pool", "decision"]
    assert live.figures.loc["disposal", "plan_once"] == 2 * 120
    assert live.figures.loc["resale", "plan_once"] == -2 * 50
    assert live.figures.loc["maintenance", "plan_yearly"] == 2 * 400
    assert plan.total("disposal", "once").text.startswith("=IF(COUNT('Costs by host'!$")
    assert plan.total("disposal", "yearly") == 0


def test_products_that_differ_in_case_alone_have_columns_of_their_own():
    licences = tuple(Licence(product=name, edition="e", per="host", price=7) for name in ("Agent", "agent"))
    problem = owned(Prices(licences=licences))
    report = planner.report(problem, solved(problem).plan)
    live = Live(report)
    assert [live.figures.loc[name, "plan_once"] for name in ("Agent", "agent")] == [7 * report.plan.hosts_used] * 2
    headings = rows_of(openpyxl.load_workbook(io.BytesIO(to_bytes(report, "xlsx"))), "Costs by host", "Host")["h0"]
    assert {"Agent", "Agent (2)", "Agent, once", "agent, once (2)"} <= set(headings)


def test_prices_are_cells_with_names_and_what_may_be_typed_there(reports):
    report, _ = reports["owned"]
    book = openpyxl.load_workbook(io.BytesIO(to_bytes(report, "xlsx")))
    prices = report.problem.prices
    for field in (*MANY, "energy_per_kwh", "pue", "carbon_kg_per_kwh", "administration_per_host_year"):
        [(sheet, address)] = book.defined_names[field].destinations
        assert book[sheet][address].value == getattr(prices, field), field
        assert any(address.replace("$", "") in rule.sqref for rule in book[sheet].data_validations.dataValidation)


def test_of_very_many_hosts_only_the_sums_are_formulas(reports, monkeypatch):
    report, _ = reports["bought"]
    monkeypatch.setattr(host_costs, "MOST_LIVE", 1)
    data = to_bytes(report, "xlsx")
    assert_savings_are(openpyxl.load_workbook(io.BytesIO(data), data_only=True), report)
    page = openpyxl.load_workbook(io.BytesIO(data))["Costs by host"]
    assert "only sums follow" in page["A1"].value
    assert not [cell for row in page.iter_rows(min_row=5) for cell in row if cell.data_type == "f"]
    assert [cell for cell in page[3] if cell.data_type == "f"]


def test_charts_are_of_cells_and_say_what_is_missing(reports):
    report, _ = reports["half known"]
    data = to_bytes(report, "xlsx")
    with zipfile.ZipFile(io.BytesIO(data)) as files:
        charts = [files.read(name).decode() for name in files.namelist() if name.startswith("xl/charts/chart")]
    assert len(charts) == 4
    for chart in charts:
        assert set(re.findall(r"<c:f>(\w+)!", chart)) == {"Charts"}
        assert BLUE.removeprefix("#") in chart
    page = openpyxl.load_workbook(io.BytesIO(data), data_only=True)["Charts"]
    labels = {cell.value for row in page.iter_rows(min_col=17, max_col=17) for cell in row}
    assert {"hardware", "energy (missing)", "maintenance", "today (missing)", "h0", "h1"} <= labels


def test_of_many_hosts_a_chart_counts_how_many_are_how_full():
    shares = [0.0, 0.05, 0.1, 0.7, 0.75, 0.999, 1.0]
    hosts = pd.DataFrame(
        {"host": [f"h{i}" for i in range(70)], "cpu_utilisation": shares * 10, "gpus_utilisation": None}
    )
    used = utilisation(hosts)
    assert used.counted
    assert used.frame["CPU"].tolist() == [20, 10, 0, 0, 0, 0, 0, 20, 0, 20]
    assert used.frame.columns.tolist() == ["CPU"]
    few = utilisation(hosts.head(7))
    assert few.frame["CPU"].tolist() == sorted(shares, reverse=True)


def test_a_payback_of_nothing_says_so_and_stays_a_number():
    frame = estate(("a", 1, 1), ("b", 1, 1)).assign(host=["h1", "h2"])
    problem = problem_of(frame, machines(("h1", 4, 8), ("h2", 4, 8), idle_w=100, peak_w=200))
    report = planner.report(problem, solved(problem).plan)
    assert planner.check(problem, report.plan) == []
    book = openpyxl.load_workbook(io.BytesIO(to_bytes(report, "xlsx")))
    for sheet in ("Summary", "Savings"):
        [cell] = [
            row[1 if sheet == "Summary" else 2]
            for row in book[sheet].iter_rows()
            if str(row[0].value).casefold() == PAYBACK
        ]
        assert cell.number_format.startswith('[=0]"0, at once";')
