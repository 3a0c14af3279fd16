"""Load curves: what hosts draw at their load, and the straight lines that bounds rest on."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import planner
from planner import InputError, Prices, Series, Status, catalogue
from planner.economics.energy import _lines_of, mean_w, power_w
from planner.economics.valuation import valued
from planner.policy import Policy
from planner.power import curve_of
from tests.conftest import estate, examples, machines, plan_of, problem_of, solved

STEEP = "50|120|140|160|180|200|220|250|280|340|440"
"""Much at the first tenth, then ever more."""
NO_MONEY_BUT_ENERGY = Prices(energy_per_kwh=0.2, pue=1.5, vcpu_activity=1.0, maintenance_per_host_year=None, years=1)


def at_loads(curve: str, *percent: float, **arguments) -> planner.Problem:
    """As many workloads as hosts of 100 cores, each keeping so many cores busy."""
    hosts = machines(*((f"h{at}", 100, 64) for at in percent)).assign(power_curve=curve)
    frame = estate(*((f"w{at}", at, 1) for at in percent))
    return problem_of(frame, hosts, prices=NO_MONEY_BUT_ENERGY, objective="energy", **arguments)


@pytest.mark.parametrize("name", catalogue.power_curves()["name"])
def test_energy_at_every_point_of_a_published_curve_is_that_of_a_hand_calculation(name):
    points = catalogue.power_curves(name).iloc[0][[f"w{at}" for at in range(0, 101, 10)]].to_numpy(dtype=float)
    loads = (1, *range(5, 101, 5))
    problem = at_loads(name, *loads)
    plan = plan_of(*((f"w{at}", f"h{at}") for at in loads))
    assert planner.check(problem, plan) == []
    by_hand = []
    for percent in loads:
        left, share = divmod(percent, 10)
        by_hand.append((points[left] * (10 - share) + points[min(left + 1, 10)] * share) / 10)
    report = planner.report(problem, plan)
    assert report.hosts["watts"].tolist() == pytest.approx(by_hand, rel=1e-9)
    kwh = sum(by_hand) * 8.760 * 1.5
    assert report.totals.set_index("metric").loc["energy per year", "plan"] == pytest.approx(kwh, rel=1e-9)
    assert valued(problem, plan).value == pytest.approx(kwh, abs=0.05)


def test_a_curve_is_followed_hour_by_hour():
    """What is busy for half of the day and at rest for the other draws another power than what is half busy all day."""
    moments = np.datetime64("2024-05-06", "s") + np.arange(48) * np.timedelta64(3600, "s")
    ghz = np.array([[1.0] * 12 + [9.0] * 12] * 2, dtype="float32").reshape(1, 48)
    series = Series(names=("w",), times=moments, step_minutes=60.0, samples={"cpu_ghz": ghz})
    host = machines(("h", 1, 64), ghz=10.0).assign(power_curve=STEEP)
    inventory = planner.Inventory.from_frames(workloads=estate(("w", 1, 1)), hosts=host).with_series(series)
    policy = Policy(sizing=planner.Sizing(cpu="used"), time=planner.Periods(by="hour_of_day"))
    problem = planner.Problem.build(inventory, policy=policy, objective="energy", prices=NO_MONEY_BUT_ENERGY)
    result = solved(problem)
    assert planner.report(problem, result.plan).hosts["watts"].item() == pytest.approx((120 + 340) / 2)
    assert result.objective_value == pytest.approx(230 * 8.76 * 1.5, abs=0.002)
    assert result.bound.value <= result.objective_value


@pytest.mark.parametrize(
    ("curve", "message"),
    [
        ("50|120|110|160|180|200|220|250|280|340|440", "host 'h1', power_curve: found 120 W at 10% and 110 W at 20%"),
        ("50|120|140", "expected 11 watts from 0 to 100,000"),
        ("50|x|140|160|180|200|220|250|280|340|440", "expected 11 watts from 0 to 100,000"),
        ("-50|120|140|160|180|200|220|250|280|340|440", "expected 11 watts from 0 to 100,000"),
        ("r640-8181", "did you mean 'r640-8180'"),
    ],
)
def test_a_curve_that_is_none_is_refused(curve, message):
    with pytest.raises(InputError) as refused:
        at_loads(curve, 1)
    assert message in str(refused.value)


def test_a_peak_below_idle_is_refused():
    with pytest.raises(InputError, match="host 'h': found peak_w 100, expected at least idle_w \\(200\\)"):
        problem_of(estate(("w", 1, 1)), machines(("h", 8, 8), idle_w=200, peak_w=100))


def test_the_solver_knows_that_the_first_tenth_is_dear():
    """Of two hosts with room for all, the one whose line from idle to peak is higher draws less at that load."""
    models = machines(("straight", 100, 64), ("steep", 100, 64)).assign(
        power_curve=["80|100|120|140|160|180|200|220|240|260|280", STEEP]
    )
    frame = estate(*((f"w{i}", 5, 1) for i in range(3)))
    result = solved(problem_of(frame, models=models, objective="energy", prices=NO_MONEY_BUT_ENERGY))
    assert result.plan.hosts["model"].tolist() == ["straight"]
    assert result.objective_value == pytest.approx(110 * 8.76 * 1.5)
    assert result.status == Status.OPTIMAL


CURVES = st.lists(st.integers(0, 100), min_size=11, max_size=11).map(lambda steps: np.cumsum(steps).astype(float))


@examples(200)
@given(CURVES, st.floats(0.01, 3), st.floats(0.0, 3), st.floats(0.05, 1), st.floats(1, 4), st.data())
def test_law_the_lower_line_is_never_above_what_a_host_draws(curve, top, full, least, most, data):
    lines = _lines_of(curve, top, min(full, top), least, most)
    assert all(idle >= 0 and slope >= 0 for idle, slope in lines)
    share = data.draw(st.lists(st.floats(0, 1), min_size=1, max_size=6))
    load = np.array(share) * top
    assume((load >= least * load.mean() - 1e-9).all() and (load <= most * load.mean() + 1e-9).all())
    drawn = mean_w(curve[None, :], load[None, :])[0]
    lowest = min(idle + slope * load.mean() for idle, slope in lines)
    assert lowest <= drawn + 1e-6 * max(drawn, 1)


def test_two_lines_lie_close_to_a_steep_curve():
    curve = curve_of(STEEP)
    lines = _lines_of(curve, 0.7, 0.6, 1.0, 1.0)
    load = np.linspace(0, 0.6, 61)
    lowest = np.min([idle + slope * load for idle, slope in lines], axis=0)
    assert len(lines) == 2
    assert (lowest / power_w(curve, load)).min() > 0.97
    straight = _lines_of(np.linspace(50, 250, 11), 1.0, 0.5, 1.0, 1.0)
    assert straight == [(pytest.approx(50), pytest.approx(200))]


@st.composite
def curved(draw) -> planner.Problem:
    """Up to three workloads, an owned host and a model, each with a curve."""
    size = st.sampled_from([1, 2, 3, 5])
    frame = estate(*((f"w{i}", draw(size), draw(size)) for i in range(draw(st.integers(1, 3)))))
    cell = CURVES.map(lambda watts: "|".join(f"{one:g}" for one in watts))
    owned = machines(("h", draw(st.sampled_from([4, 6, 30])), 8)).assign(power_curve=draw(cell))
    models = machines(("r", draw(st.sampled_from([5, 8, 60])), 8)).assign(power_curve=draw(cell), price=draw(size))
    prices = Prices(
        energy_per_kwh=0.01, vcpu_activity=draw(st.sampled_from([0.1, 0.5, 1.0])), maintenance_per_host_year=None
    )
    policy = Policy(overcommit=planner.Overcommit(cpu=draw(st.sampled_from([1, 3]))))
    objective = draw(st.sampled_from(["cost", "energy", "carbon"]))
    return problem_of(frame, owned, models, objective=objective, prices=prices, policy=policy)


@examples(40)
@given(curved())
def test_law_no_plan_is_cheaper_than_the_bound(problem):
    result = solved(problem, time_limit=0.3)
    names = problem.workloads["name"].tolist()
    seats = [("h", ""), *((f"r-{i}", "r") for i in range(len(names)))]
    values = []
    for choice in itertools.product(range(len(seats)), repeat=len(names)):
        if any(at > max(choice[:number], default=0) + 1 for number, at in enumerate(choice)):
            continue  # Of equal hosts the first comes first.
        plan = plan_of(*((name, *seats[at]) for name, at in zip(names, choice, strict=True)))
        if planner.check(problem, plan) == []:
            values.append(valued(problem, plan).value)
    if not values:
        assert result.status == Status.INFEASIBLE
        return
    assert result.bound.value <= min(values) + 1e-9
    assert result.objective_value >= min(values) - 1e-9
    if result.status == Status.OPTIMAL:
        assert result.objective_value == pytest.approx(min(values))


@examples(20)
@given(curved())
def test_law_the_hosts_add_up_to_the_total_and_the_objective(problem):
    result = solved(problem, time_limit=0.3)
    if result.plan is None:
        return
    report = planner.report(problem, result.plan, result=result)
    totals = report.totals.set_index("metric")["plan"]
    cents = 0.01 * (len(problem.workloads) + len(report.hosts) + 1)
    if problem.objective == "cost":
        assert report.costs["total"].sum() == pytest.approx(result.objective_value, abs=cents)
    elif problem.objective == "energy":
        assert totals["energy per year"] == pytest.approx(result.objective_value, abs=cents)
    watts = report.hosts["watts"].to_numpy()
    assert totals["energy per year"] == pytest.approx(watts.sum() * 8.76 * problem.prices.pue)


@pytest.mark.parametrize("objective", ["energy", "cost", "carbon"])
def test_spare_hosts_draw_idle_power_or_none(objective):
    policy = Policy(failover=planner.Failover(hosts=1, mode="spare"))
    models = machines(("r", 10, 64)).assign(power_curve=STEEP, price=0.0)
    frame = estate(*((f"w{i}", 4, 1) for i in range(4)))
    per_kwh = {"energy": 1.0, "cost": 0.2, "carbon": NO_MONEY_BUT_ENERGY.carbon_kg_per_kwh}[objective]
    found = []
    for prices in (NO_MONEY_BUT_ENERGY, dataclasses.replace(NO_MONEY_BUT_ENERGY, spares_run=False)):
        problem = problem_of(frame, models=models, policy=policy, prices=prices, objective=objective)
        result = solved(problem)
        assert len(result.plan.spares) == 1
        assert result.bound.value <= result.objective_value + 1e-9
        watts = planner.report(problem, result.plan).hosts["watts"]
        assert watts.sum() * 8.76 * 1.5 * per_kwh == pytest.approx(result.objective_value, abs=0.02)
        found.append(result.objective_value)
    assert found[0] - found[1] == pytest.approx(50 * 8.76 * 1.5 * per_kwh, abs=0.02)


def test_whether_spares_run_is_yes_or_no():
    assert Prices.from_toml("spares_run = false").spares_run is False
    assert Prices.from_toml(Prices(spares_run=False).to_toml()).spares_run is False
    with pytest.raises(InputError, match=r"prices\.spares_run: found 'no', expected true or false"):
        Prices(spares_run="no")
