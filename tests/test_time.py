"""Planning by the hour: periods, demand, the checker at every sample, laws, round trips."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Failover, Growth, Hypervisor, InputError, Inventory, Periods, Policy, Problem, Series, Sizing
from planner.economics.ledger import ledger
from planner.policy import PRESETS
from planner.readers.plans import read_plan
from planner.replay import _batches, _carried
from planner.solvers import instance
from planner.solvers.condensed import condensed
from tests.conftest import SHARED, estate, examples, machines, plan_of, solved

MONDAY = "2024-05-06"
USED = Policy(sizing=Sizing(cpu="used"))


def series_of(samples: dict[str, list[float]], step_minutes: float = 60.0, start: str = MONDAY, **more) -> Series:
    """CPU series in GHz that begin together; `more` is memory in GiB by the same names."""
    steps = len(next(iter(samples.values())))
    times = np.datetime64(start, "s") + np.arange(steps) * np.timedelta64(int(step_minutes * 60), "s")
    measured = {"cpu_ghz": np.array(list(samples.values()), dtype="float32")}
    measured |= {name: np.array([rows[key] for key in samples], dtype="float32") for name, rows in more.items()}
    return Series(names=tuple(samples), times=times, step_minutes=step_minutes, samples=measured)


def problem_by(series: Series, time: Periods, ghz: float = 10.0, hosts: int = 3, **policy) -> Problem:
    """Workloads of these series on hosts of one core of `ghz` GHz, CPU sized by use."""
    names = [(name, 1, 1) for name in series.names]
    machine = machines(("h", 1, 1000), ghz=ghz, count=hosts)
    inventory = Inventory.from_frames(workloads=estate(*names), hosts=machine).with_series(series)
    return Problem.build(inventory, policy=dataclasses.replace(USED, time=time, **policy))


def day(busy: range, high: float = 9.0, low: float = 1.0, days: int = 2) -> list[float]:
    return [high if hour in busy else low for hour in range(24)] * days


# Periods.


def test_hours_are_those_of_the_clock_of_the_zone_also_when_it_changes():
    berlin = Periods(by="hour_of_day", time_zone="Europe/Berlin")
    times = np.array(["2024-03-31T00:00", "2024-03-31T01:00", "2024-10-27T00:00", "2024-10-27T01:00"], "datetime64[s]")
    assert berlin.of(times).tolist() == [1, 3, 2, 2]
    week = Periods(by="hour_of_week", time_zone="Europe/Berlin")
    assert week.of(np.array(["2024-05-05T22:00", "2024-05-05T21:00"], "datetime64[s]")).tolist() == [0, 167]


def test_levels_are_the_nearest_rank_of_each_hour_worked_by_hand():
    times = np.datetime64(MONDAY, "s") + np.arange(48) * np.timedelta64(1800, "s")
    values = np.full((1, 48), np.nan)
    values[0, :4] = [1, 5, 2, np.nan]
    levels = Periods(by="hour_of_day").levels(values, times)[0]
    assert levels[:3].tolist() == [5, 2, 5], "hour 2 was not measured: the highest of the other hours"
    assert Periods(by="hour_of_day", percentile=50).levels(values, times)[0, :3].tolist() == [1, 2, 2]
    assert Periods(by="none", percentile=67).levels(values, times)[0].tolist() == [5]
    assert np.isnan(Periods(by="hour_of_day").levels(np.full((1, 48), np.nan), times)).all()


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Periods(by="hour_of_dya"), "time.by: found 'hour_of_dya'; did you mean 'hour_of_day'"),
        (lambda: Periods(time_zone="Berlin"), "time.time_zone: found 'Berlin'.*did you mean 'Europe/Berlin'"),
        (lambda: Periods(percentile=0), "time.percentile: found 0, expected a number from 1 to 100"),
        (lambda: Policy.from_toml('[time]\nbye = "none"'), "policy.time: found 'bye'; did you mean 'by'"),
    ],
)
def test_settings_out_of_range_are_named(made, message):
    with pytest.raises(InputError, match=message):
        made()


def test_the_policy_keeps_its_meaning_without_time_and_survives_toml():
    for name in PRESETS:
        assert Policy.preset(name).time == Periods()
    old = "\n".join(line for line in Policy.preset("dense").to_toml().split("[time]")[0].splitlines())
    assert Policy.from_toml(old) == Policy.preset("dense")
    timed = dataclasses.replace(USED, time=Periods(by="hour_of_week", time_zone="Europe/Berlin", percentile=99))
    assert Policy.from_toml(timed.to_toml()) == timed


# Demand.


def test_demand_of_each_hour_is_grown_and_memory_has_its_overhead():
    series = series_of({"a": day(range(8, 18))}, memory_gib={"a": day(range(2), 4, 2)})
    policy = Policy(
        sizing=Sizing(cpu="used", memory="used"),
        time=Periods(by="hour_of_day"),
        growth=Growth(per_year=0.1, years=2),
        hypervisor=Hypervisor(memory_gib_per_workload=0.5),
    )
    inventory = Inventory.from_frames(workloads=estate(("a", 4, 16), ("b", 4, 16), cpu_ghz_used=2, memory_gib_used=3))
    inventory = inventory.with_series(series)
    problem = Problem.build(inventory, machines(("h", 8, 64), ghz=2.0), policy=policy)
    assert problem.demand.shape == (2, 2, 24)
    np.testing.assert_allclose(problem.demand[0, 0, [7, 8, 17, 18]], np.array([1, 9, 9, 1]) * 1.21)
    np.testing.assert_allclose(problem.demand[0, 1, [1, 2]], np.array([4, 2]) * 1.21 + 0.5)
    np.testing.assert_allclose(problem.demand[1, 0], 2 * 1.21)
    np.testing.assert_allclose(problem.demand[1, 1], 3 * 1.21 + 0.5)
    assert not problem.demand.flags.writeable
    again = problem.replace(
        objective="cost", prices=planner.Prices.none(), host_models=machines(("h", 8, 64), ghz=2.0, price=1)
    )
    np.testing.assert_array_equal(again.demand, problem.demand)
    assert again.timeline.series is problem.timeline.series


def test_memory_sized_by_allocation_stays_flat():
    series = series_of({"a": day(range(8, 18))}, memory_gib={"a": day(range(2), 4, 2)})
    inventory = Inventory.from_frames(workloads=estate(("a", 4, 16))).with_series(series)
    problem = Problem.build(
        inventory, machines(("h", 8, 64), ghz=2.0), policy=dataclasses.replace(USED, time=Periods(by="hour_of_day"))
    )
    assert (problem.demand[0, 1] == 16).all()
    assert problem.timeline.quantities == {"cpu": "cpu_ghz"}


def test_each_of_a_count_follows_the_series():
    series = series_of({"web": day(range(8, 18))})
    inventory = Inventory.from_frames(workloads=estate(("web", 4, 16), count=3)).with_series(series)
    policy = dataclasses.replace(USED, time=Periods(by="hour_of_day"))
    problem = Problem.build(inventory, machines(("h", 8, 64), ghz=2.0), policy=policy)
    assert problem.workloads["name"].tolist() == ["web-1", "web-2", "web-3"]
    assert (problem.demand[:, 0, 9] == 9).all()


@pytest.mark.parametrize(
    ("policy", "with_series", "step", "message"),
    [
        (Policy(time=Periods(by="hour_of_day")), True, 60, "'allocated', expected one of them sized by use"),
        (dataclasses.replace(USED, time=Periods(by="hour_of_day")), False, 60, "no series of use.*--series FILE"),
        (dataclasses.replace(USED, time=Periods(by="hour_of_day")), True, 120, "steps of 120 min, expected at most 60"),
        (
            Policy(sizing=Sizing(memory="used"), time=Periods(by="hour_of_day")),
            True,
            60,
            "found series of cpu_ghz, expected memory_gib",
        ),
    ],
)
def test_planning_by_the_hour_says_what_it_lacks(policy, with_series, step, message):
    inventory = Inventory.from_frames(workloads=estate(("a", 4, 16)))
    if with_series:
        inventory = inventory.with_series(series_of({"a": [1.0] * 48}, step))
    with pytest.raises(InputError, match=message):
        Problem.build(inventory, machines(("h", 8, 64), ghz=2.0), policy=policy)


def test_loads_that_peak_at_different_hours_share_a_host():
    series = series_of({"day": day(range(8, 18)), "night": day([*range(8), *range(18, 24)])})
    assert solved(problem_by(series, Periods())).hosts_used == 2
    assert solved(problem_by(series, Periods(by="hour_of_day"))).hosts_used == 1


def test_a_weekly_job_needs_the_hours_of_the_week():
    week = [9.0 if hour == 26 else 0.5 for hour in range(168)]
    other = [9.0 if hour == 50 else 0.5 for hour in range(168)]
    series = series_of({"tuesday": week, "wednesday": other})
    assert solved(problem_by(series, Periods(by="hour_of_day"))).hosts_used == 2
    assert solved(problem_by(series, Periods(by="hour_of_week"))).hosts_used == 1


# The checker at every sample.


def test_a_plan_that_breaks_at_one_sample_is_flagged_with_its_moment():
    first, second = [1.0] * 48, [1.0] * 48
    first[30], second[30] = 6.0, 4.5
    series = series_of({"a": first, "b": second})
    problem = problem_by(series, Periods(by="hour_of_day", time_zone="Europe/Berlin"))
    found = planner.check(problem, plan_of(("a", "h-1"), ("b", "h-1")))
    assert [v.kind for v in found] == ["over capacity"] * 2
    period, sample = found
    assert "carries 10.5 GHz of cpu at 08:00, it may carry 10" in period.message
    assert "carries 10.5 GHz of cpu at Tue 2024-05-07 08:00 CEST, it may carry 10" in sample.message
    assert (sample.found, sample.limit, sample.when) == (10.5, 10, "Tue 2024-05-07 08:00 CEST")
    assert planner.check(problem, plan_of(("a", "h-1"), ("b", "h-2"))) == []


def test_the_samples_are_judged_whatever_the_periods_say():
    series = series_of({"a": day(range(8, 18)), "b": day(range(8, 18))})
    problem = problem_by(series, Periods(by="hour_of_day"))
    wrong = dataclasses.replace(problem, demand=problem.demand * 0)
    found = planner.check(wrong, plan_of(("a", "h-1"), ("b", "h-1")))
    assert [v.when for v in found] == ["Mon 2024-05-06 08:00 UTC"]
    assert "and at 19 more samples" in found[0].message


def test_samples_above_the_percentile_are_clipped_by_the_checker_too():
    spiky = [2.0] * 24 * 20
    spiky[5] = 9.5
    series = series_of({"a": spiky, "b": [2.0] * 24 * 20})
    plan = plan_of(("a", "h-1"), ("b", "h-1"))
    assert planner.check(problem_by(series, Periods(by="hour_of_day", percentile=95)), plan) == []
    assert {v.when for v in planner.check(problem_by(series, Periods(by="hour_of_day")), plan)} == {
        "05:00",
        "Mon 2024-05-06 05:00 UTC",
    }


def test_a_step_without_a_sample_counts_as_the_highest_of_its_hour():
    hole = [6.0] + [1.0] * 23 + [np.nan] + [1.0] * 23
    other = [1.0] * 24 + [5.0] + [1.0] * 23
    problem = problem_by(series_of({"a": hole, "b": other}), Periods(by="hour_of_day"))
    wrong = dataclasses.replace(problem, demand=problem.demand * 0)
    (found,) = planner.check(wrong, plan_of(("a", "h-1"), ("b", "h-1")))
    assert (found.when, found.found) == ("Tue 2024-05-07 00:00 UTC", 11)


@given(st.lists(st.integers(0, 8), max_size=40), st.integers(1, 12))
def test_batches_are_whole_hosts_in_order(hosts, most):
    hosts = np.sort(np.array(hosts, dtype=int))
    parts = [hosts[part] for part in _batches(hosts, most)]
    assert np.concatenate([*parts, hosts[:0]]).tolist() == hosts.tolist()
    assert all(len(part) <= most or len(set(part)) == 1 for part in parts)
    assert len({int(h) for part in parts for h in set(part)}) == sum(len(set(part)) for part in parts)


def test_workloads_without_a_series_are_judged_flat():
    inventory = Inventory.from_frames(
        workloads=estate(("a", 1, 1), ("b", 1, 1), cpu_ghz_used=[np.nan, 7.0]),
        hosts=machines(("h", 1, 1000), ghz=10.0, count=2),
    ).with_series(series_of({"a": day(range(8, 18), high=4.0)}))
    problem = Problem.build(inventory, policy=dataclasses.replace(USED, time=Periods(by="hour_of_day")))
    wrong = dataclasses.replace(problem, demand=np.where(problem.demand == 7.0, 7.0, 0.0))
    (found,) = [v for v in planner.check(wrong, plan_of(("a", "h-1"), ("b", "h-1"))) if ":" in v.when]
    assert (found.found, found.when) == (11, "Mon 2024-05-06 08:00 UTC")


# Laws.

random_series = st.integers(2, 6).flatmap(
    lambda count: st.tuples(
        st.lists(
            st.lists(st.one_of(st.floats(0, 5, width=32), st.just(float("nan"))), min_size=72, max_size=72),
            min_size=count,
            max_size=count,
        ),
        st.sampled_from(["hour_of_day", "hour_of_week"]),
        st.sampled_from([100.0, 95.0, 50.0]),
        st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
    )
)


@examples(25)
@given(random_series)
def test_hours_never_need_more_than_the_peak_and_plans_hold_at_every_sample(drawn):
    rows, by, percentile, zone = drawn
    rows[0][:2] = rows[1][:2] = [1.0, 1.0]
    samples = {f"w{n}": row for n, row in enumerate(rows) if not np.isnan(row).all()}
    series = series_of(samples, 30, start="2024-03-30")
    peak = problem_by(series, Periods())
    hours = problem_by(series, Periods(by=by, percentile=percentile, time_zone=zone), hosts=len(samples))
    assert (hours.demand <= peak.demand).all()
    for w, values in enumerate(series.samples["cpu_ghz"]):
        measured = ~np.isnan(values)
        level = hours.demand[w, 0, hours.policy.time.of(series.times[measured])]
        assert (percentile < 100) or (values[measured] <= level).all()
    result = planner.solve(hours, time_limit=5)
    assert planner.check(hours, result.plan) == []
    assert planner.verify(hours, result.bound)
    assert result.hosts_used <= planner.solve(peak, time_limit=5).hosts_used


@examples(40)
@given(random_series)
def test_the_checker_and_the_periods_agree_on_the_load_of_one_workload(drawn):
    rows, by, percentile, zone = drawn
    rows[0][:2] = rows[1][:2] = [1.0, 1.0]
    samples = {f"w{n}": row for n, row in enumerate(rows) if not np.isnan(row).all()}
    series = series_of(samples, 30, start="2024-10-26")
    time = Periods(by=by, percentile=percentile, time_zone=zone)
    problem = problem_by(series, time)
    period = time.of(series.times)
    for w, values in enumerate(series.samples["cpu_ghz"]):
        (load,) = _carried(problem, np.array([w]), 0, series.samples["cpu_ghz"], problem.timeline.row[[w]], period)
        assert (load <= problem.demand[w, 0, period]).all()
        gaps = np.isnan(values)
        np.testing.assert_array_equal(load[gaps], problem.demand[w, 0, period[gaps]])


def test_condensed_columns_are_never_less_than_the_whole():
    rng = np.random.default_rng(1)
    series = series_of({f"w{n}": rng.uniform(0, 3, 168).tolist() for n in range(30)})
    problem = problem_by(series, Periods(by="hour_of_week"), hosts=30)
    whole = instance.build(problem, ledger(problem), problem.pools)
    quick = condensed(whole)
    assert quick.demand.shape[1] <= 25 < whole.demand.shape[1]
    assert (quick.demand.max(axis=1) == whole.demand.max(axis=1)).all()
    for packing in planner.solvers.greedy.packings(quick, None, lambda: False):
        assert packing[1].fits(whole)
        break
    assert condensed(quick) is None


@pytest.mark.parametrize("mode", ["share", "spare"])
def test_a_reserve_for_failures_holds_by_the_hour(mode):
    series = series_of({f"w{n}": day(range(n * 4, n * 4 + 8)) for n in range(4)})
    problem = problem_by(series, Periods(by="hour_of_day"), hosts=6, failover=Failover(hosts=1, mode=mode))
    result = solved(problem)
    assert result.plan is not None


# Written and read, and the command line.


def test_restarts_after_a_failure_hold_by_the_hour():
    samples = {f"day-{i}": day(range(8, 20), 4.0, 1.0) for i in range(4)} | {
        f"night-{i}": day(range(0, 8), 4.0, 1.0) for i in range(4)
    }
    failover = Failover(hosts=1, mode="verified")
    by_hour = problem_by(series_of(samples), Periods(by="hour_of_day"), hosts=6, failover=failover)
    by_peak = problem_by(series_of(samples), Periods(by="none"), hosts=6, failover=failover)
    hourly, peaks = solved(by_hour), solved(by_peak)
    assert hourly.hosts_used < peaks.hosts_used
    cases = planner.failures(by_hour, hourly.plan)
    assert cases["survives"].all()
    assert cases["used_share"].max() == pytest.approx(20 / (10 * (hourly.hosts_used - 1)))
    # Where all peak at once the same plan has no room for what is lost.
    assert {violation.kind for violation in planner.check(by_peak, hourly.plan)} >= {"failover"}


def test_a_written_plan_brings_its_periods_and_is_checked_with_the_series_again(tmp_path):
    series = series_of({"day": day(range(8, 18)), "night": day([*range(8), *range(18, 24)])})
    problem = problem_by(series, Periods(by="hour_of_day", time_zone="Europe/Berlin", percentile=99))
    result = solved(problem)
    report = planner.report(problem, result.plan, result=result)
    for name in ("plan.xlsx", "plan.json"):
        planner.write(report, tmp_path / name)
        written = read_plan(tmp_path / name)
        assert written.settings["policy"] == problem.policy
        assert planner.check(written.problem(problem.inventory), written.plan) == []
        bare = Inventory.from_frames(workloads=estate(("day", 1, 1), ("night", 1, 1)), hosts=problem.inventory.hosts)
        with pytest.raises(InputError, match="no series of use"):
            written.problem(bare)


def test_the_report_names_the_busiest_hour_of_each_host_and_of_the_plan():
    series = series_of({"day": day(range(8, 18)), "night": day([*range(8), *range(18, 24)], high=9.5)})
    problem = problem_by(series, Periods(by="hour_of_day"))
    report = planner.report(problem, plan_of(("day", "h-1"), ("night", "h-2")))
    hosts = report.hosts.set_index("host")
    assert hosts["cpu_used"].tolist() == [9, 9.5]
    assert hosts["busiest_hour"].tolist() == ["08:00", "00:00"]
    (row,) = [row for row in report.summary.itertuples() if row.item == "busiest hour"]
    assert row.value == "00:00 (hour of day, UTC)"
    static = planner.report(problem_by(series, Periods()), plan_of(("day", "h-1"), ("night", "h-2")))
    assert "busiest_hour" not in static.hosts


def test_the_command_line_plans_and_checks_by_the_hour(tmp_path):
    from tests.test_cli import run

    (tmp_path / "estate.csv").write_text("Name,vCPUs,Memory (GiB)\nday,1,1\nnight,1,1\n")
    (tmp_path / "hosts.csv").write_text("Name,Cores,Memory (GiB),Clock (GHz),Count\nh,5,64,2,2\n")
    stamps = pd.date_range(MONDAY, periods=48, freq="h")
    busy = {"day": range(8, 18), "night": [*range(8), *range(18, 24)]}
    rows = [f"{name},{t.isoformat()},{90 if t.hour in busy[name] else 10}" for name in busy for t in stamps]
    (tmp_path / "use.csv").write_text("\n".join(["host,timestamp,cpu %", *rows]))
    (tmp_path / "how.toml").write_text('ghz_per_vcpu = 10\ntime_zone = "Europe/Berlin"\n')
    (tmp_path / "policy.toml").write_text('[sizing]\ncpu = "used"\n')
    given = ["estate.csv", "--hosts", "hosts.csv", "--series", "use.csv", "--series-settings", "how.toml"]
    raw = ["--policy", "policy.toml"]
    assert "hosts     2" in run("solve", *given, *raw, cwd=tmp_path).stdout
    out = run("solve", *given, *raw, "--time", "hour_of_day", "--out", "plan.xlsx", cwd=tmp_path).stdout
    assert "hosts     1" in out
    check = ["check", "estate.csv", "plan.xlsx", *given[1:]]
    assert "accepted" in run(*check, cwd=tmp_path).stdout
    assert "no series of use" in run(*check[:5], cwd=tmp_path, code=2).stderr
    assert "found 'hour_of_dya'" in run("solve", *given, "--time", "hour_of_dya", cwd=tmp_path, code=2).stderr
    (tmp_path / "how.toml").write_text("ghz_per_cpu = 10\n")
    assert "did you mean 'ghz_per_vcpu'" in run("inspect", *given[:1], *given[3:], cwd=tmp_path, code=2).stderr


# Real series by others, which lie beside the repository.


@pytest.mark.skipif(not (SHARED / "traces").is_dir(), reason="the traces of others lie beside the repository; absent")
def test_planetlab_needs_fewer_hosts_by_the_hour_than_by_peaks():
    from benchmarks import traces

    hosts = {}
    for sizing in ("peak", "hour of day"):
        problem = Problem.build(**traces.planetlab(traces.SIZINGS[sizing], memory_gib=64))
        hosts[sizing] = solved(problem, time_limit=10).hosts_used
    assert hosts["hour of day"] < 0.8 * hosts["peak"]
