"""The page for those who sign: what it says of proof, check, failures and gaps; nothing in it becomes code."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Failover, Policy, Prices
from planner.licences import Licence
from planner.plan import Bound, Status
from planner.writers import svg, to_bytes
from planner.writers.decision import UNKNOWN, figures, headline, number, statements
from tests.conftest import estate, examples, machines, plan_of, problem_of, solved

HOSTILE = '"><script>alert(1)</script>&'


def two_hosts(**arguments) -> planner.Problem:
    frame = estate(("a", 1, 1), ("b", 1, 1)).assign(host=["h1", "h2"])
    return problem_of(frame, machines(("h1", 4, 8), ("h2", 4, 8), ("h3", 4, 8), idle_w=100, peak_w=200), **arguments)


def report_of(problem: planner.Problem) -> planner.Report:
    result = solved(problem)
    return planner.report(problem, result.plan, result=result)


def told(report: planner.Report) -> dict[str, str]:
    return {one.about: one.text for one in statements(report)}


def test_the_figures_stand_beside_todays():
    prices = Prices(energy_per_kwh=0.2, pue=1.0, maintenance_per_host_year=400, years=4)
    report = report_of(two_hosts(prices=prices))
    shown = {one.label: one for one in figures(report)}
    assert headline(report) == "1 host for 2 workloads, where 3 hosts run today"
    assert (shown["Hosts"].value, shown["Hosts"].note) == ("3 → 1", "2 fewer than today")
    saved = report.savings.set_index("item").loc["total", "saving_horizon"]
    assert shown["Costs over 4 years"].value == f"{number(saved)} EUR less"
    assert shown["Paid back"].value == "at once"
    assert shown["Energy per year"].value.endswith(" kWh less")


def test_less_at_the_start_and_more_every_year_is_nothing_to_be_paid_back():
    support = Licence(product="support", edition="host", per="host", price=300, yearly=True)
    models = machines(("r", 8, 8), price=100.0)
    problem = problem_of(estate(("a", 1, 1)), models=models, prices=Prices(energy_per_kwh=None, licences=(support,)))
    [figure] = [one for one in figures(report_of(problem)) if one.label == "Paid back"]
    assert figure.value == "does not apply"
    assert figure.note == "less at the start, more every year; net present value 900 EUR, without energy"


def test_what_is_missing_is_not_known_and_named():
    frame = estate(("a", 1, 1)).assign(host="h")
    report = report_of(problem_of(frame, machines(("h", 4, 8)), prices=Prices(carbon_kg_per_kwh=None)))
    shown = {one.label: one for one in figures(report)}
    assert shown["Energy per year"].value == shown["Carbon over 5 years"].value == UNKNOWN
    assert shown["Costs per year"].note.endswith("without energy")
    out = told(report)["Left out"]
    assert "No figures for energy: in no total. The table Savings says what to give." in out
    assert "No price is given for administration and rack" in out
    assert out.endswith("carbon over 5 years; give prices.carbon_kg_per_kwh.")
    page = to_bytes(report, "html").decode()
    assert '<td>energy</td><td>EUR</td><td class="n">missing</td>' in page
    assert "electricity 0.1427 EUR/kWh; maintenance 400 EUR/host/year" in told(report)["Estimates"]


def test_carbon_that_is_not_known_of_what_is_bought_names_the_model():
    models = machines(("new", 4, 8), price=100.0, idle_w=10, peak_w=20)
    report = report_of(problem_of(estate(("a", 1, 1)), models=models))
    assert told(report)["Left out"].endswith("carbon over 5 years; give embodied_kgco2e of new.")


def test_given_prices_are_no_estimates():
    prices = Prices(energy_per_kwh=0.2, maintenance_per_host_year=300, years=4, vcpu_activity=0.3)
    assert told(report_of(two_hosts(prices=prices)))["Estimates"] == "No figure is marked as an estimate."


@pytest.mark.parametrize(
    ("failover", "words"),
    [
        (Failover(hosts=0), "No reserve is kept"),
        (Failover(hosts=1), "A reserve for the loss of one host in each pool is kept as a share"),
        (Failover(hosts=1, mode="spare"), "hosts stand by that could each take over"),
        (Failover(hosts=1, mode="verified"), "where every lost workload restarts; each case was checked"),
    ],
)
def test_what_a_loss_of_hosts_means_is_told(failover, words):
    report = report_of(two_hosts(policy=dataclasses.replace(Policy.preset("raw"), failover=failover)))
    assert words in told(report)["When hosts fail"]


def test_proof_gap_and_none_of_it_are_told_apart():
    problem = two_hosts()
    result = solved(problem)
    best = planner.report(problem, result.plan, result=result)
    assert "Proven to be the best: no plan under the same rules needs fewer hosts." in told(best)["How good it is"]
    open_gap = dataclasses.replace(
        result, status=Status.FEASIBLE, objective_value=4.0, bound=Bound(value=3.0, method="volume")
    )
    words = told(planner.report(problem, result.plan, result=open_gap))["How good it is"]
    assert "less than 3 hosts (method: volume). This one needs 4 hosts, so at most 25.0% could still be saved" in words
    unproven = dataclasses.replace(open_gap, bound=None)
    assert "Nothing is proven" in told(planner.report(problem, result.plan, result=unproven))["How good it is"]
    assert "Not told" in told(planner.report(problem, result.plan))["How good it is"]


def test_a_rejected_plan_is_not_to_be_signed():
    problem = problem_of(estate(("a", 9, 1)), machines(("h", 4, 8)))
    report = planner.report(problem, plan_of(("a", "h")))
    assert "Rejected, do not sign: over capacity (1)" in told(report)["Check"]
    assert '<dd class="alarm">Rejected' in to_bytes(report, "html").decode()


class Tags(HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self, page: str):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_no_text_from_outside_reaches_the_page_as_code():
    licence = Licence(product=HOSTILE, edition=HOSTILE, per="host", price=5, estimate=True)
    frame = estate((HOSTILE, 1, 1)).assign(host=f"h{HOSTILE}", os=HOSTILE)
    hosts = machines((f"h{HOSTILE}", 4, 8), idle_w=1, peak_w=2)
    report = report_of(problem_of(frame, hosts, prices=Prices(currency=HOSTILE, licences=(licence,))))
    page = to_bytes(report, "html").decode()
    tags = Tags(page).found
    assert "script" not in {tag for tag, _ in tags}
    assert not [name for _, attributes in tags for name in attributes if name in ("src", "href") or name[:2] == "on"]
    assert "http" not in page
    assert "&lt;script&gt;" in page


def test_the_page_has_charts_with_labels_tables_folded_and_a_place_to_sign():
    page = to_bytes(report_of(two_hosts()), "html").decode()
    charts = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert [ElementTree.fromstring(chart).get("role") for chart in charts] == ["img", "img"]
    assert all(ElementTree.fromstring(chart).get("aria-label") for chart in charts)
    assert page.index("Approved by") < page.index("<details>")
    assert page.count("<details>") >= 8
    assert page.count("<details open") == 0


amounts = st.one_of(st.just(float("nan")), st.floats(-1e9, 1e9))


@given(st.lists(st.tuples(st.text(max_size=40), amounts, amounts), max_size=8))
@examples(30)
def test_bars_lie_inside_their_chart_and_none_stands_for_what_is_missing(rows):
    labels, today, plan = ([row[at] for row in rows] for at in range(3))
    labels = [re.sub(r"[^\x20-\ud7ff]", "", label) for label in labels]
    chart = ElementTree.fromstring(svg.bars("t", labels, {"today": today, "plan": plan}, ("grey", "blue"), number))
    width = float(chart.get("viewBox").split()[2])
    boxes = [box for box in chart.iter("rect") if float(box.get("height")) == 12]
    assert len(boxes) == 2 * len(rows)
    for box, value in zip(boxes, [*today, *plan], strict=True):
        x, wide = float(box.get("x")), float(box.get("width"))
        assert x >= 0 and x + wide <= width
        assert wide == 0 or value == value
    said = [text.text for text in chart.iter("text")]
    assert said.count(UNKNOWN) >= sum(value != value for value in [*today, *plan])


def test_paid_back_at_once_says_why_and_later_years_how_they_count():
    prices = Prices(energy_per_kwh=0.2, discount_rate=0.04)
    shown = {one.label: one for one in figures(report_of(two_hosts(prices=prices)))}
    assert shown["Paid back"].note.startswith("no more is paid at the start than for today's hosts; net present value")
    assert shown["Costs over 5 years"].note.endswith("; later years count less, by 4 % a year")


def test_licences_that_may_be_owned_already_are_set_apart():
    support = Licence(product="support", edition="host", per="host", price=300)
    report = report_of(two_hosts(prices=Prices(licences=(support,))))
    assert "support (600 EUR). Where you own them already that is no money saved" in told(report)["Owned licences"]
    yearly = Licence(product="support", edition="host", per="host", price=300, yearly=True)
    assert "Owned licences" not in told(report_of(two_hosts(prices=Prices(licences=(yearly,)))))


def test_an_estimate_keeps_the_spelling_of_its_unit():
    assert "busy share of each vCPU 0.15" in told(report_of(two_hosts()))["Estimates"]


def test_a_table_tells_a_payback_of_nothing_in_words():
    report = report_of(two_hosts())
    assert report.summary.set_index("item").loc["payback against today", "value"] == 0
    assert "<td>payback against today</td><td>0, at once</td><td>years</td>" in to_bytes(report, "html").decode()


def test_ranges_of_prices_are_told_as_a_range_of_the_saving():
    prices = Prices(energy_per_kwh=planner.Range(0.1, 0.3, likely=0.2), pue=1.0)
    report = report_of(two_hosts(prices=prices))
    total = report.ranges.set_index("item").loc["total"]
    low, high = number(total["saving_low"]), number(total["saving_high"])
    assert f"lies between {low} and {high} EUR" in told(report)["Ranges"]
    assert told(report)["Ranges"].endswith("least at energy_per_kwh 0.1, most at energy_per_kwh 0.3.")
    assert "Ranges" not in told(report_of(two_hosts()))
