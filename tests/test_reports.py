"""Savings by hand, and what a report says where figures are missing."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Failover, Policy, Prices
from planner.economics.appraisal import payback
from planner.licences import Licence
from planner.samples import sample
from tests.conftest import estate, machines, plan_of, problem_of, solved


@pytest.fixture(scope="module")
def small_company():
    policy = dataclasses.replace(Policy.preset("balanced"), failover=Failover(hosts=0))
    problem = planner.Problem.build(planner.read(sample("small_company")), policy=policy)
    result = solved(problem)
    return planner.report(problem, result.plan, result=result)


def test_the_small_companys_savings_by_hand(small_company):
    # Today: three tower-1s at 2,500 EUR, 21.2 W idle, 84.1 W peak, 8 cores. The plan: one server at 4,500 EUR, 45 W
    # idle, 190 W peak, 16 cores. Twelve vCPUs, 15 % of each busy: 1.8 cores.
    today_w = 3 * (21.2 + 1.8 / 24 * (84.1 - 21.2))
    plan_w = 45 + 1.8 / 16 * (190 - 45)
    assert (today_w, plan_w) == (pytest.approx(77.7525), pytest.approx(61.3125))
    today_kwh, plan_kwh = (watts * 8.76 * 1.54 for watts in (today_w, plan_w))
    totals = small_company.totals.set_index("metric")
    assert totals.loc["hosts", ["today", "plan", "saving"]].tolist() == [3, 1, 2]
    assert totals.loc["energy per year", ["today", "plan"]].tolist() == pytest.approx([today_kwh, plan_kwh])
    expected = {
        "hardware": (7500, 4500),
        "energy": (5 * 0.1427 * today_kwh, 5 * 0.1427 * plan_kwh),
        "maintenance": (3 * 400 * 5, 400 * 5),
    }
    savings = small_company.savings.set_index("item")
    for item, (today, plan) in expected.items():
        row = savings.loc[item]
        assert row[["today_horizon", "plan_horizon", "saving_horizon"]].tolist() == pytest.approx(
            [today, plan, today - plan]
        )
        assert row["today_per_year"] == pytest.approx(today / 5)
        assert row["assumption"]
    assert savings.loc["total", "saving_horizon"] == pytest.approx(sum(t - p for t, p in expected.values()))
    assert savings.loc["total", "saving_horizon"] == pytest.approx(7158.24, abs=0.01)


def test_a_workloads_month_and_the_payback_by_hand(small_company):
    month = small_company.totals.set_index("metric").loc["total per workload and month"]
    total = small_company.savings.set_index("item").loc["total"]
    assert month["today"] == pytest.approx(total["today_horizon"] / (3 * 5 * 12))
    # One server costs 4,500 where three of today cost 7,500: nothing is to be paid back.
    assert payback_of(small_company) == 0


def test_estimated_figures_of_a_host_model_are_named_among_the_assumptions(small_company):
    told = small_company.assumptions.set_index("setting")
    assert told.loc["host_models.one server for all", ["value", "source"]].tolist() == [
        "price, idle_w, peak_w, embodied_kgco2e",
        "estimate",
    ]
    assert "price" in told.loc["host_models.tower-1s", "value"]
    embodied = small_company.totals.set_index("metric").loc["carbon embodied in what is bought"]
    assert embodied[["today", "plan"]].tolist() == [3 * 644, 883]
    mine = machines(("quoted", 8, 16), price=100.0)
    told = planner.report(problem := problem_of(estate(("a", 1, 1)), models=mine), solved(problem).plan).assumptions
    assert "host_models.quoted" not in told["setting"].tolist()


def payback_of(report: planner.Report) -> object:
    return report.summary.set_index("item").loc["payback against today", "value"]


@pytest.mark.parametrize(("price", "expected"), [(3000, 5), (6000, 10), (0, 0)])
def test_what_is_bought_pays_for_itself_by_what_is_cheaper_every_year(price, expected):
    prices = Prices(energy_per_kwh=None, maintenance_per_host_year=300)
    models = machines(("new", 32, 64), price=float(price))
    frame = estate(("a", 8, 8), ("b", 8, 8), ("c", 8, 8)).assign(host=["h1", "h2", "h3"])
    owned = machines(("h1", 8, 8), ("h2", 8, 8), ("h3", 8, 8))
    problem = problem_of(frame, owned, models, prices=prices)
    plan = planner.Plan.from_frames(
        problem.workloads[["name"]].rename(columns={"name": "workload"}).assign(host="new-1", model="new")
    )
    assert planner.check(problem, plan) == []
    assert payback_of(planner.report(problem, plan)) == expected


def test_an_investment_by_hand():
    """One host for 6,000, worth 600 in three years, takes the place of three whose maintenance is 1,500 a year each."""
    prices = Prices(energy_per_kwh=None, maintenance_per_host_year=1500, years=3, discount_rate=0.1, residual_share=0.1)
    frame = estate(("a", 8, 8), ("b", 8, 8), ("c", 8, 8)).assign(host=["h1", "h2", "h3"])
    owned = machines(("h1", 8, 8), ("h2", 8, 8), ("h3", 8, 8))
    problem = problem_of(frame, owned, machines(("new", 24, 24), price=6000.0), prices=prices)
    plan = plan_of(*((name, "new-1", "new") for name in "abc"))
    assert planner.check(problem, plan) == []
    report = planner.report(problem, plan)
    summary = report.summary.set_index("item")
    assert summary.loc["payback against today", "value"] == pytest.approx(2)
    # 3,000 a year is worth 2,727.27 after one year, 2,479.34 after two, 2,253.94 after three.
    assert summary.loc["discounted payback against today", "value"] == pytest.approx(2 + 793.39 / 2253.94, abs=1e-5)
    worth = 2727.27 + 2479.34 + 2253.94 - 6000 + 600 / 1.1**3
    assert summary.loc["net present value against today", ["value", "unit"]].tolist() == [
        pytest.approx(worth, abs=0.01),
        "EUR",
    ]
    assert report.savings.set_index("item").loc["total", "saving_horizon"] == pytest.approx(worth, abs=0.01)


def test_less_at_the_start_and_more_every_year_is_no_payback():
    prices = Prices(energy_per_kwh=None, maintenance_per_host_year=100, administration_per_host_year=900, years=2)
    frame = estate(("a", 1, 1), ("b", 1, 1))
    problem = problem_of(frame, models=machines(("mini", 1, 1), price=10.0), prices=prices)
    today = planner.today(problem)
    cheaper = dataclasses.replace(today, hosts=today.hosts.iloc[:1])
    plan = plan_of(("a", "mini-1", "mini"), ("b", "mini-2", "mini"))
    assert planner.check(problem, plan) == []
    report = planner.report(problem, plan, cheaper)
    assert payback_of(report) == "does not apply"
    # One tower of 2,500 today, two minis of 10 in the plan, each 1,000 a year.
    assert report.summary.set_index("item").loc["net present value against today", "value"] == 2480 - 2000


@given(
    outlay=st.floats(1, 1e6),
    yearly=st.floats(1, 1e6),
    rate=st.floats(0, 1) | st.just(0.0),
)
def test_law_savings_up_to_the_payback_add_up_to_what_is_paid(outlay, yearly, rate):
    years = payback(outlay, yearly, rate)
    if years == "never":
        assert yearly / rate <= outlay * (1 + 1e-9)
        return
    whole = int(years)
    times = sum((1 + rate) ** -t for t in range(1, min(whole, 20_000) + 1))
    if whole <= 20_000:
        assert yearly * (times + (years - whole) * (1 + rate) ** -(whole + 1)) == pytest.approx(outlay, rel=1e-5)
    assert years >= payback(outlay, yearly) - 1e-9


def test_what_saves_nothing_never_pays_for_itself():
    prices = Prices(energy_per_kwh=None, maintenance_per_host_year=300)
    problem = problem_of(
        estate(("a", 8, 8)).assign(host="h1"),
        machines(("h1", 8, 8)),
        machines(("new", 8, 8), price=10.0),
        prices=prices,
    )
    plan = planner.Plan.from_frames(
        problem.workloads[["name"]].rename(columns={"name": "workload"}).assign(host="new-1", model="new")
    )
    assert payback_of(planner.report(problem, plan)) == "never"


def test_totals_have_the_contracts_columns(small_company):
    assert small_company.totals.columns.tolist() == ["metric", "unit", "today", "plan", "saving"]


def test_a_missing_figure_is_missing_and_named_and_never_zero():
    problem = problem_of(estate(("a", 1, 1)), machines(("h1", 4, 8), ("h2", 4, 8)))
    report = planner.report(problem, solved(problem).plan)
    savings = report.savings.set_index("item")
    assert savings.loc["energy"].isna().sum() == 6
    assert "without energy, for which figures are missing" in savings.loc["total", "assumption"]
    assert "total without energy per year" in report.totals["metric"].tolist()
    assert savings.loc["total", "saving_per_year"] == 400


def test_what_is_missing_tells_whose_figures_to_give():
    frame = estate(("a", 4, 4), ("b", 4, 4), os="Windows Server 2022").assign(host=["h1", "elsewhere"])
    hosts = machines(("h1", 4, 8), ("h2", 4, 8), ("h3", 4, 8)).assign(
        idle_w=[100, None, 100], peak_w=[200, None, 200], rack_units=[1, None, None]
    )
    prices = Prices(rack_unit_year=100, licences="windows-server", exchange={"USD": 0.9})
    problem = problem_of(
        frame, hosts, prices=prices, rules=[planner.Pin("a", hosts="h1"), planner.Pin("b", hosts="h3")]
    )
    told = planner.report(problem, solved(problem).plan).savings.set_index("item")["assumption"]
    assert told["energy"].endswith(
        "Not known of h2: give idle_w and peak_w, or prices.host_idle_w and prices.host_peak_w for all that have none."
    )
    assert told["rack space"].endswith("Not known of h2 and 1 more host: give their rack_units.")
    assert told["windows-server"].endswith(
        "Today's are missing: today's host of 1 workload in need of it is not known."
    )
    assert "energy, windows-server: missing today alone, so the costs by host count it." in told["total"]
    assert "Not known of" not in told["hardware"] + told["maintenance"]


def test_a_mix_of_currencies_is_told():
    """Models of the catalogue are priced in EUR; nothing says what that is in francs."""
    models = planner.catalogue.host_models("r740")
    inventory = planner.Inventory.from_frames(workloads=estate(("a", 2, 2)))
    report, francs = {}, {"currency": "CHF", "rack_unit_year": 9, "energy_per_kwh": 0.2}
    every = {"CHF": Prices(**francs), "exchanged": Prices(**francs, exchange={"EUR": 0.5}), "EUR": Prices()}
    for name, prices in every.items():
        problem = planner.Problem.build(inventory, host_models=models, prices=prices, policy="raw")
        report[name] = planner.report(problem, solved(problem).plan)
    told = {name: one.savings.set_index("item")["assumption"] for name, one in report.items()}
    hardware = {name: one.savings.set_index("item").loc["hardware"] for name, one in report.items()}
    ending = " Prices of tower-1s, r740 are the catalogue's, in EUR: "
    assert f"{ending}give yours, or prices.exchange with what 1 EUR is worth. Not known of" in told["CHF"]["hardware"]
    assert told["exchanged"]["hardware"].endswith(f"{ending}1 EUR counts as 0.5 CHF.")
    assert "CHF" not in told["EUR"]["hardware"]
    assert hardware["CHF"][["today_horizon", "plan_horizon"]].isna().all()
    for figure in ("today_horizon", "plan_horizon"):
        assert hardware["exchanged"][figure] == hardware["EUR"][figure] / 2
    assert "hardware, maintenance, for which figures are missing" in told["CHF"]["total"]
    units = report["CHF"].assumptions.set_index("setting")["unit"]
    assert units[["prices.energy_per_kwh", "prices.rack_unit_year"]].tolist() == ["CHF/kWh", "CHF/rack unit/year"]


def test_the_least_cost_counts_host_models_of_the_catalogue_in_its_currency():
    models = planner.catalogue.host_models("r740")
    dollars = {"currency": "USD", "energy_per_kwh": None, "maintenance_per_host_year": None}
    arguments = {"models": models, "objective": "cost"}
    problem = problem_of(estate(("a", 2, 2)), **arguments, prices=Prices(**dollars, exchange={"EUR": 2.0}))
    price = float(models["price"].iloc[0])
    assert solved(problem).objective_value == 2 * price
    assert problem.replace(prices=Prices(**dollars, exchange={"EUR": 3.0})).hosts["price"].tolist() == [3 * price]
    own = problem.replace(host_models=models.assign(price=price + 1), prices=Prices(**dollars))
    assert solved(own).objective_value == price + 1
    with pytest.raises(planner.InputError, match="its price is the catalogue's, in EUR, found prices in USD; expected"):
        problem.replace(prices=Prices(**dollars))


def test_a_total_of_nothing_known_is_missing_and_not_zero():
    problem = problem_of(estate(("a", 1, 1)), models=machines(("new", 4, 8)), prices=Prices.none())
    report = planner.report(problem, solved(problem).plan)
    total = report.savings.set_index("item").loc["total"]
    assert total.drop(["unit", "assumption"]).isna().all()
    assert total["assumption"].startswith("Not known; without hardware, energy, maintenance, for which figures")
    assert report.costs["total"].isna().all()
    assert report.totals.set_index("metric").filter(like="total", axis=0)[["today", "plan"]].isna().all(axis=None)
    assert payback_of(report) == "missing"


def test_watts_for_hosts_without_figures_are_an_assumption_that_can_be_given():
    prices = Prices(host_idle_w=100, host_peak_w=300, vcpu_activity=0.5, energy_per_kwh=0.2, pue=1.0)
    problem = problem_of(estate(("a", 4, 1)), machines(("h1", 4, 8), ("h2", 4, 8)), prices=prices)
    totals = planner.report(problem, solved(problem).plan).totals.set_index("metric")
    # Today both hosts run, 2 of 8 cores busy: 2 x (100 + 0.25 x 200) W; in the plan one, 2 of 4 cores busy.
    assert totals.loc["energy per year", "today"] == pytest.approx(300 * 8.76)
    assert totals.loc["energy per year", "plan"] == pytest.approx(200 * 8.76)


def test_hosts_that_workloads_name_are_today_where_the_file_has_none():
    frame = estate(("a", 1, 1), ("b", 1, 1), ("c", 1, 1)).assign(host=["s1", "s1", "s2"])
    baseline = planner.today(problem_of(frame, models=machines(("r", 8, 16))))
    assert len(baseline.hosts) == 2
    assert "the hosts that the workloads name" in baseline.assumption


def test_owned_hosts_all_run_today_and_are_paid_for():
    frame = estate(("a", 1, 1)).assign(host=["h1"])
    baseline = planner.today(problem_of(frame, machines(("h1", 4, 8), ("h2", 4, 8), price=9000)))
    assert (len(baseline.hosts), baseline.bought) == (2, False)
    assert baseline.plan.placement["host"].tolist() == ["h1"]
    assert baseline.plan.spares["host"].tolist() == ["h2"]


def test_hosts_in_maintenance_that_carry_nothing_save_nothing():
    frame = estate(("a", 4, 4), ("b", 4, 4)).assign(host=["h1", "h2"])
    watts = {"idle_w": 100.0, "peak_w": 300.0}
    hosts = machines(("h1", 4, 4), ("h2", 4, 4), ("h3", 4, 4), **watts).assign(maintenance=["no", "no", "yes"])
    problem = problem_of(frame, hosts, objective="cost")
    result = solved(problem)
    report = planner.report(problem, result.plan, result=result)
    total = report.savings.set_index("item").loc["total"]
    assert total["saving_horizon"] == pytest.approx(0)
    assert total["today_horizon"] == pytest.approx(result.objective_value, abs=0.02)
    assert report.totals.set_index("metric").loc["hosts", ["today", "plan"]].tolist() == [2, 2]
    assert "1 more in maintenance carries nothing: counted neither" in report.baseline.assumption


def test_a_host_to_be_in_maintenance_runs_today_and_that_is_told():
    frame = estate(("a", 2, 2), ("b", 2, 2)).assign(host=["h1", "h2"])
    problem = problem_of(frame, machines(("h1", 4, 4), ("h2", 4, 4)), rules=[planner.Maintenance("h2")])
    report = planner.report(problem, solved(problem).plan)
    assert report.baseline.hosts["name"].tolist() == ["h1", "h2"]
    assert "so counted today and not in the plan: h2." in report.baseline.assumption
    assert report.costs["host"].tolist() == ["h1"]


def test_the_cost_objective_is_the_reports_total():
    models = machines(("r", 16, 64), price=5000, idle_w=100, peak_w=300)
    problem = problem_of(estate(("a", 4, 8), ("b", 4, 8)), models=models, objective="cost")
    result = solved(problem)
    report = planner.report(problem, result.plan, result=result)
    assert report.savings.set_index("item").loc["total", "plan_horizon"] == pytest.approx(
        result.objective_value, abs=0.01
    )


@pytest.mark.parametrize(
    ("objective", "owned", "prices", "named"),
    [
        ("cost", {"rack_units": [2.0, None, None]}, Prices(rack_unit_year=10.0), "rack space of h2 and 1 more"),
        ("cost", {"rack_units": [2.0, None, 1.0]}, Prices(), None),
        ("carbon", {"embodied_kgco2e": None}, Prices(), "embodied carbon of new"),
    ],
)
def test_figures_that_an_objective_lacks_of_some_hosts_are_named(objective, owned, prices, named):
    watts = {"idle_w": 100.0, "peak_w": 300.0}
    hosts = machines(("h1", 8, 8), ("h2", 8, 8), ("h3", 8, 8), **watts).assign(**owned)
    models = machines(("new", 8, 8), price=9000.0, rack_units=1, **watts)
    problem = problem_of(estate(("a", 8, 8), ("b", 8, 8)), hosts, models, prices=prices, objective=objective)
    result = solved(problem)
    assert result.without == (() if named is None else (named,))
    summary = planner.report(problem, result.plan, result=result).summary.set_index("item")["value"]
    assert summary.get("left out of the objective") == named


def test_hosts_show_use_capacity_and_utilisation():
    problem = problem_of(estate(("a", 2, 4), ("b", 1, 2)), machines(("h", 4, 8)))
    row = planner.report(problem, solved(problem).plan).hosts.iloc[0]
    assert (row["cpu_used"], row["cpu_capacity"], row["cpu_utilisation"]) == (3, 4, 0.75)
    assert (row["memory_used"], row["workloads"]) == (6, 2)


def test_a_bad_plan_is_reported_with_its_verdict():
    problem = problem_of(estate(("a", 2, 4), ("b", 9, 2)), machines(("h", 4, 8)))
    plan = planner.Plan.from_frames(problem.workloads[["name"]].rename(columns={"name": "workload"}).assign(host="h"))
    assert planner.report(problem, plan).verdict["kind"].tolist() == ["over capacity"]


LICENSED = Prices(
    administration_per_host_year=200,
    residual_share=0.1,
    discount_rate=0.05,
    licences=["windows-server", "vmware-vvf", "rhel"],
    exchange={"USD": 0.9},
)


def licensed_report(objective: str = "cost", **arguments) -> planner.Report:
    frame = estate(*((f"w{i}", 2, 8) for i in range(24)), os=["Microsoft Windows Server 2022"] * 9 + ["Debian"] * 15)
    models = machines(("r", 32, 128), price=9000.0, idle_w=100, peak_w=300, sockets=2, rack_units=1)
    problem = problem_of(frame, models=models, objective=objective, prices=LICENSED, **arguments)
    result = solved(problem, time_limit=2)
    return planner.report(problem, result.plan, result=result)


def test_the_sum_over_hosts_is_the_item_and_the_total_and_the_objective():
    report = licensed_report()
    savings = report.savings.set_index("item")
    for item in savings.index:
        assert report.costs[item].sum() == pytest.approx(savings.loc[item, "plan_horizon"]), item
    # The ledger counts whole cents: half a cent a workload and a host at most.
    assert savings.loc["total", "plan_horizon"] == pytest.approx(report.result.objective_value, abs=0.005 * (24 + 4))
    assert {"windows-server", "vmware-vvf", "administration"} <= set(savings.index)


def test_licences_by_hand():
    report = licensed_report("hosts")
    savings = report.savings.set_index("item")
    years = sum(1.05**-t for t in range(1, 6))
    # Two hosts of 2 x 16 cores; nine Windows workloads: five stacks of Standard, or Datacenter where six would be.
    assert savings.loc["vmware-vvf", "plan_horizon"] == pytest.approx(2 * 32 * 135 * 0.9 * years)
    placed = report.placement.groupby("host")["os"].apply(lambda os: os.str.contains("Windows").sum())
    stacks = sum(min(-(-n // 2) * 2 * 1070, 2 * 6200) for n in placed)
    assert savings.loc["windows-server", "plan_horizon"] == pytest.approx(stacks * 0.9)
    assert savings.loc["hardware", "plan_horizon"] == pytest.approx(2 * 9000 * (1 - 0.1 * 1.05**-5))
    assert report.licences.groupby("product")["workloads"].sum()["windows-server"] == 9
    of_hosts = report.licences[report.licences["product"] == "vmware-vvf"]
    assert len(of_hosts) == report.plan.hosts_used
    assert of_hosts["workloads"].isna().all(), "a host is licensed whatever it carries"
    bought = "What is paid once counts as bought at the start, today too."
    assert [bought in savings.loc[item, "assumption"] for item in ("windows-server", "vmware-vvf")] == [True, False]


def test_an_edition_without_a_price_is_named_and_costs_nothing_where_nobody_needs_it():
    report = licensed_report()
    row = report.savings.set_index("item").loc["rhel"]
    assert row["plan_horizon"] == 0
    assert "server: no price given" in row["assumption"]
    assert "Sockets of" not in row["assumption"]
    frame = estate(("w", 2, 8), os="Red Hat Enterprise Linux 9")
    problem = problem_of(frame, models=machines(("r", 32, 128), price=9000.0), prices=Prices(licences=["rhel"]))
    savings = planner.report(problem, solved(problem).plan).savings.set_index("item")
    assert "Sockets of 1 host are not known and count as one" in savings.loc["rhel", "assumption"]
    assert savings.loc["rhel", "plan_horizon"] != savings.loc["rhel", "plan_horizon"]
    assert "without energy, rhel, for which figures are missing" in savings.loc["total", "assumption"]


def todays_licences(licence: Licence, *arguments, **columns) -> tuple[float, float]:
    """What a licence costs today and in a plan that leaves four workloads on hosts a and b."""
    frame = estate(*((f"w{i}", 4, 4) for i in range(4)), **columns)
    problem = problem_of(frame, *arguments, prices=Prices(licences=[licence]))
    kept = [(f"w{i}", ("a", "a", "b", "b")[i]) for i in range(4)]
    plan = plan_of(*kept) if problem.hosts["owned"].any() else solved(problem).plan
    assert planner.check(problem, plan) == []
    row = planner.report(problem, plan).savings.set_index("item").loc[licence.product]
    return row["today_horizon"], row["plan_horizon"]


def test_what_may_reach_a_host_is_paid_for_there_today_too():
    database = Licence(product="db", edition="e", per="host", price=30, workloads=("w0",), reach=True)
    hosts, models = machines(("a", 8, 8), ("b", 8, 8)), machines(("r", 8, 8), ("s", 8, 8), price=100.0)
    assert todays_licences(database, hosts, models, host=["a", "a", "b", "b"]) == (60, 60)


def test_hosts_that_workloads_name_have_a_hypervisor_and_physical_servers_have_none():
    hypervisor = Licence(product="h", edition="e", per="host", price=30)
    new = machines(("new", 16, 16), price=100.0)
    assert todays_licences(hypervisor, None, new, host=["a", "a", "b", "b"]) == (60, 30)
    assert todays_licences(hypervisor, None, new, host=["a", "a", "", ""]) == (30, 30)
    assert todays_licences(hypervisor, None, new) == (0, 30)


def test_prices_with_licences_come_back_from_every_format(tmp_path):
    report = licensed_report()
    for suffix in ("xlsx", "json"):
        path = planner.write(report, tmp_path / f"plan.{suffix}")
        assert planner.read_plan(path).settings["prices"] == LICENSED
