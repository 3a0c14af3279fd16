"""Sizing: bases, overrides, tiers, reservations, threads, and one unit of CPU for all of them."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Growth, Headroom, Hypervisor, InputError, Overcommit, Policy, Sizing
from planner.economics.energy import busy
from planner.readers.formats.template import parse
from planner.readers.sandbox import load
from planner.sizing import column_of
from tests.conftest import estate, machines, plan_of, problem_of, solved

HOSTS = machines(("h", 16, 128), ghz=2.5)


def demand(problem: planner.Problem, resource: str) -> list[float]:
    return problem.demand[:, problem.resources.index(resource), 0].tolist()


def capacity(problem: planner.Problem, resource: str) -> list[float]:
    return problem.capacity[:, problem.resources.index(resource)].tolist()


def refusal(*args, **arguments) -> str:
    with pytest.raises(InputError) as error:
        problem_of(*args, **arguments)
    return str(error.value)


# Bases


@pytest.mark.parametrize("basis", ["used", "average", "peak", "p95", "p50", "p99.9"])
def test_each_basis_takes_its_own_column(basis):
    frame = estate(("a", 8, 64)).assign(**{column_of("cpu", basis): 3.0, column_of("memory", basis): "20"})
    problem = problem_of(frame, HOSTS, policy=Policy(sizing=Sizing(cpu=basis, memory=basis)))
    assert (demand(problem, "cpu"), demand(problem, "memory")) == ([3.0], [20.0])
    assert (capacity(problem, "cpu"), problem.unit("cpu")) == ([40.0], "GHz")


def test_a_missing_figure_names_the_workload_counts_and_tells_what_there_is():
    frame = estate(("a", 8, 64), ("b", 8, 64), ("c", 8, 64)).assign(
        cpu_ghz_peak=[3.0, None, None], cpu_ghz_average=[1.0, 1.0, None]
    )
    message = refusal(frame, HOSTS, policy=Policy(sizing=Sizing(cpu="peak")))
    assert "workload 'b': cpu_ghz_peak is blank (2 of 3 sized by it lack it)" in message
    assert "the table has allocated, average for this workload" in message


def test_a_percentile_without_a_column_is_named():
    message = refusal(estate(("a", 8, 64), memory_gib_p95=7), HOSTS, policy=Policy(sizing=Sizing(memory="p99")))
    assert "workload 'a': memory_gib_p99 is not in the table" in message
    assert "the table has allocated, p95" in message


def test_a_further_percentile_that_is_no_number_is_named():
    frame = estate(("a", 8, 64), ("b", 8, 64)).assign(cpu_ghz_p99=["2.5", "lots"])
    message = refusal(frame, HOSTS, policy=Policy(sizing=Sizing(cpu="p99")))
    assert message == "workload 'b', column cpu_ghz_p99: found 'lots', expected a number from 0"


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("averge", "did you mean 'average'"),
        ("p0", "sizing.cpu: found 'p0'"),
        ("p100", "found 'p100'"),
        ("max", "expected one of allocated, used, average, peak, p95 or a percentile from p1 to p99.999"),
        (3, "sizing.cpu: found 3"),
    ],
)
def test_a_word_that_is_no_basis_is_refused(word, words):
    with pytest.raises(InputError) as error:
        Sizing(cpu=word)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"hyper_threading_weight": 0.9}, "sizing.hyper_threading_weight: found 0.9, expected a number from 1 to 2"),
        ({"reference_ghz": 0}, "sizing.reference_ghz: found 0, expected a number from 0.1 to 20"),
    ],
)
def test_sizing_out_of_range_is_named(arguments, words):
    with pytest.raises(InputError) as error:
        Sizing(**arguments)
    assert words in str(error.value)


# A workload's own basis


def test_a_workload_may_have_its_own_basis_for_both_resources_or_for_each():
    frame = estate(("a", 8, 64), ("b", 8, 64), ("c", 8, 64)).assign(
        sizing=["", "peak", "cpu=p95; Memory = average"],
        cpu_ghz_used=1.0, cpu_ghz_peak=4.0, cpu_ghz_p95=3.0,
        memory_gib_used=10.0, memory_gib_peak=40.0, memory_gib_average=20.0,
    )  # fmt: skip
    problem = problem_of(frame, HOSTS, policy=Policy(sizing=Sizing(cpu="used", memory="used")))
    assert (demand(problem, "cpu"), problem.unit("cpu")) == ([1, 4, 3], "GHz")
    assert demand(problem, "memory") == [10, 40, 20]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("pek", "workload 'b', column sizing: found 'pek'; did you mean 'peak'?"),
        ("cpu=pek", "workload 'b', column sizing: found 'pek'"),
        ("disk=peak", "workload 'b', column sizing: found 'disk=peak', expected a basis, or one each such as cpu=p95"),
        ("cpu=p95, cpu=p90", "column sizing: found 'cpu=p95, cpu=p90'"),
        ("cpu=p95, peak", "column sizing: found 'cpu=p95, peak'"),
    ],
)
def test_a_basis_of_its_own_that_is_none_names_the_workload(cell, words):
    assert words in refusal(estate(("a", 8, 64), ("b", 8, 64)).assign(sizing=["", cell]), HOSTS)


# Allocated and measured side by side


def mixed(policy: Policy, hosts=HOSTS, **columns) -> planner.Problem:
    frame = estate(("given", 8, 32), ("measured", 8, 32)).assign(
        sizing=["", "p95"], cpu_ghz_p95=[None, 5.0], memory_gib_p95=[None, 12.0], **columns
    )
    return problem_of(frame, hosts, policy=policy)


def test_measured_cpu_beside_allocated_is_told_in_vcpu_and_never_overcommitted():
    problem = mixed(Policy(sizing=Sizing(reference_ghz=2.5), overcommit=Overcommit(cpu=4, memory=1.5)))
    assert problem.unit("cpu") == "vCPU"
    assert capacity(problem, "cpu") == [16 * 4]
    assert demand(problem, "cpu") == [8, 5 / 2.5 * 4]  # 2 of 16 cores each, of 64 vCPU promised
    assert capacity(problem, "memory") == [192]
    assert demand(problem, "memory") == [32, 12 * 1.5]  # 12 of 128 GiB


def test_measured_memory_is_not_overcommitted_where_every_workload_is_measured():
    policy = Policy(sizing=Sizing(memory="used"), overcommit=Overcommit(memory=2))
    problem = problem_of(estate(("a", 1, 64), memory_gib_used=20), HOSTS, policy=policy)
    assert (demand(problem, "memory"), capacity(problem, "memory")) == ([40], [256])


def test_two_units_without_a_reference_clock_are_explained():
    with pytest.raises(InputError) as error:
        mixed(Policy())
    message = str(error.value)
    assert "sizing.reference_ghz: found none, expected the clock in GHz" in message
    assert "workload 'given' is sized by its vCPUs and that of 'measured' by GHz (p95)" in message


def test_a_reference_above_the_slowest_host_is_refused():
    hosts = machines(("fast", 16, 128), ("slow", 16, 128), ("unknown", 16, 128)).assign(ghz=[3.0, 2.0, None])
    with pytest.raises(InputError) as error:
        mixed(Policy(sizing=Sizing(reference_ghz=2.5)), hosts)
    message = str(error.value)
    assert "found 2.5, above the 2 GHz of host 'slow' (1 of 3 are slower)" in message
    assert "expected at most 2, the clock of the slowest host" in message


def test_a_reference_clock_changes_nothing_where_units_do_not_mix():
    frame = estate(("a", 8, 64), cpu_ghz_used=3.0)
    hosts = machines(("h", 16, 128), ghz=2.0)
    for basis in ("allocated", "used"):
        with_clock, without = (
            problem_of(frame, hosts, policy=Policy(sizing=Sizing(cpu=basis, reference_ghz=clock)))
            for clock in (2.5, None)
        )
        np.testing.assert_array_equal(with_clock.demand, without.demand)
        np.testing.assert_array_equal(with_clock.capacity, without.capacity)


def test_the_last_workload_that_is_measured_does_not_change_a_hosts_share():
    """On hosts of the reference clock, GHz alone and GHz beside vCPU are the same share of a host."""
    policy = Policy(
        sizing=Sizing(cpu="p95", memory="p95", reference_ghz=2.5),
        overcommit=Overcommit(cpu=4),
        headroom=Headroom(cpu=0.2),
    )
    frame = estate(("a", 8, 32), ("b", 0, 0)).assign(cpu_ghz_p95=[5.0, 0.0], memory_gib_p95=[12.0, 0.0])
    alone = problem_of(frame, HOSTS, policy=policy)
    beside = problem_of(frame.assign(sizing=["", "allocated"]), HOSTS, policy=policy)
    assert (alone.unit("cpu"), beside.unit("cpu")) == ("GHz", "vCPU")
    np.testing.assert_allclose(alone.demand[0, 0] / alone.capacity[0, 0], beside.demand[0, 0] / beside.capacity[0, 0])


# Tiers


def test_each_tier_takes_its_own_share_of_a_core():
    frame = estate(("g", 8, 8), ("s", 8, 8), ("none", 8, 8)).assign(tier=["gold", "silver", ""])
    policy = Policy(overcommit=Overcommit(cpu=4, memory=1.5, cpu_by_tier={"gold": 2.0}, memory_by_tier={"gold": 1.0}))
    problem = problem_of(frame, HOSTS, policy=policy)
    assert demand(problem, "cpu") == [16, 8, 8]  # gold: 8 vCPU at 2 a core are 4 cores, of 64 vCPU promised by 16 cores
    assert demand(problem, "memory") == [12, 8, 8]
    result = solved(problem_of(frame.assign(vcpus=[16, 16, 16]), HOSTS, policy=policy))
    assert result.hosts_used == 1  # 8 + 4 + 4 cores fill the host exactly
    too_much = problem_of(frame.assign(vcpus=[16, 16, 17]), HOSTS, policy=policy)
    assert [found.resource for found in planner.check(too_much, plan_of(*((n, "h") for n in frame["name"])))] == ["cpu"]


def test_a_tier_does_not_apply_to_what_is_measured():
    policy = Policy(
        sizing=Sizing(reference_ghz=2.5),
        overcommit=Overcommit(cpu=4, cpu_by_tier={"gold": 2}, memory_by_tier={"gold": 2}),
    )
    problem = mixed(policy, tier="gold")
    assert demand(problem, "cpu") == [16, 8]
    assert demand(problem, "memory") == [16, 12]


@pytest.mark.parametrize(
    ("tiers", "words"),
    [
        (["gold", "silver"], "overcommit.cpu_by_tier: found tier 'gld', which no workload has; did you mean 'gold'?"),
        (["", ""], "found tier 'gld', which no workload has; the column tier is blank for every workload"),
    ],
)
def test_a_tier_that_no_workload_has_names_the_nearest(tiers, words):
    policy = Policy(overcommit=Overcommit(cpu_by_tier={"gld": 2}))
    assert words in refusal(estate(("a", 1, 1), ("b", 1, 1)).assign(tier=tiers), HOSTS, policy=policy)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"cpu_by_tier": {"gold": 0}}, "overcommit.cpu_by_tier.gold: found 0, expected a number from 0.1 to 64"),
        ({"memory_by_tier": {"gold": 11}}, "memory_by_tier.gold: found 11, expected a number from 0.1 to 10"),
        ({"cpu_by_tier": {" gold": 2}}, "found tier ' gold'"),
        ({"cpu_by_tier": 3}, "overcommit.cpu_by_tier: found 3, expected a table of tiers, such as gold = 2.0"),
    ],
)
def test_a_bad_ratio_of_a_tier_is_named(arguments, words):
    with pytest.raises(InputError) as error:
        Overcommit(**arguments)
    assert words in str(error.value)


# Reservations


def test_reserved_memory_is_whole_and_a_floor():
    frame = estate(("part", 1, 10), ("more", 1, 10), ("gold", 1, 10), ("less", 1, 10)).assign(
        memory_reservation_gib=[4, 16, 4, None], tier=["", "", "gold", ""]
    )
    policy = Policy(overcommit=Overcommit(memory=2, memory_by_tier={"gold": 1.25}))
    problem = problem_of(frame, HOSTS, policy=policy)
    # reserved * 2 + (sized - reserved) * 2 / ratio; a ratio of 2 takes half a GiB for each further GiB
    np.testing.assert_allclose(demand(problem, "memory"), [4 * 2 + 6, 16 * 2, 4 * 2 + 6 * 2 / 1.25, 10])


def test_a_reservation_is_a_floor_for_measured_memory_and_does_not_grow():
    policy = Policy(
        sizing=Sizing(memory="used"), overcommit=Overcommit(memory=2), growth=Growth(per_year=0.5, years=2),
        hypervisor=Hypervisor(memory_gib_per_workload=0.5),
    )  # fmt: skip
    frame = estate(("a", 1, 32), ("b", 1, 32)).assign(memory_gib_used=[4.0, 8.0], memory_reservation_gib=10)
    problem = problem_of(frame, HOSTS, policy=policy)
    assert demand(problem, "memory") == [10 * 2 + 0.5, 8 * 2.25 * 2 + 0.5]


# Growth, overhead, threads


def test_growth_and_overhead_combine_with_every_basis():
    policy = Policy(
        sizing=Sizing(reference_ghz=2.0, hyper_threading_weight=1.25),
        overcommit=Overcommit(cpu=4, memory=1.5, cpu_by_tier={"gold": 2.0}),
        headroom=Headroom(cpu=0.2, memory=0.1),
        hypervisor=Hypervisor(cores_per_host=2, memory_gib_per_host=28, memory_gib_per_workload=0.25),
        growth=Growth(per_year=0.1, years=2),
    )
    hosts = machines(("h", 18, 128), ghz=2.5, perf=1.1, hyper_threading="yes")
    problem = mixed(policy, hosts, tier=["gold", ""])
    np.testing.assert_allclose(demand(problem, "cpu"), [8 * 1.21 * 2, 5 * 1.21 / 2.0 * 4])
    np.testing.assert_allclose(demand(problem, "memory"), [32 * 1.21 + 0.25, 12 * 1.21 * 1.5 + 0.25])
    np.testing.assert_allclose(capacity(problem, "cpu"), [(18 - 2) * 1.1 * 1.25 * 4 * 0.8])
    np.testing.assert_allclose(capacity(problem, "memory"), [100 * 1.5 * 0.9])


@pytest.mark.parametrize(("basis", "by_core"), [("allocated", 1), ("used", 2)])
def test_only_hosts_with_hyper_threading_count_more(basis, by_core):
    hosts = machines(("a", 16, 64), ("b", 16, 64), ("c", 16, 64), ghz=2.0).assign(hyper_threading=[True, "no", None])
    policy = Policy(sizing=Sizing(cpu=basis, hyper_threading_weight=1.25))
    problem = problem_of(estate(("w", 1, 1), cpu_ghz_used=1), hosts, policy=policy)
    assert capacity(problem, "cpu") == [20 * by_core, 16 * by_core, 16 * by_core]


def test_busy_cpu_knows_tiers_and_what_is_measured():
    policy = Policy(sizing=Sizing(reference_ghz=2.5), overcommit=Overcommit(cpu=4, cpu_by_tier={"gold": 2.0}))
    work, offered = busy(mixed(policy, tier="gold"))
    activity = planner.Prices().vcpu_activity
    np.testing.assert_allclose(work, [[8 * activity], [5 / 2.5]])
    np.testing.assert_allclose(offered, [16])


# Laws

FIGURE = st.floats(0, 50, allow_nan=False)


@given(st.lists(FIGURE, min_size=1, max_size=6), st.floats(0.1, 64), st.floats(0.1, 10))
def test_without_tiers_and_reservations_the_table_is_the_demand_to_the_last_bit(figures, cpu, memory):
    frame = estate(*((f"w{i}", figure, figure) for i, figure in enumerate(figures)))
    problem = problem_of(frame, HOSTS, policy=Policy(overcommit=Overcommit(cpu=cpu, memory=memory)))
    assert demand(problem, "cpu") == demand(problem, "memory") == figures


WORKLOAD = st.tuples(FIGURE, FIGURE, st.sampled_from(["allocated", "p95", "peak"]), st.sampled_from(["", "gold"]))


@given(
    st.lists(WORKLOAD, min_size=2, max_size=8),
    st.floats(1, 8),
    st.floats(0.5, 8),
    st.floats(1.0, 2.5),
    st.floats(0.5, 2.0),
)
def test_what_a_host_carries_is_never_more_than_it_physically_has(rows, ratio, gold, reference, perf):
    """The demand of a load, over the capacity of a host, is at least its share of the host's real cores and GHz."""
    frame = estate(*((f"w{i}", vcpus, ghz) for i, (vcpus, ghz, _, _) in enumerate(rows))).assign(
        cpu_ghz_p95=[row[1] for row in rows], cpu_ghz_peak=[row[1] for row in rows],
        sizing=[f"cpu={row[2]}" for row in rows], tier=[row[3] for row in rows],
    )  # fmt: skip
    by_tier = {"gold": gold} if any(row[3] for row in rows) else {}
    policy = Policy(sizing=Sizing(reference_ghz=reference), overcommit=Overcommit(cpu=ratio, cpu_by_tier=by_tier))
    problem = problem_of(frame, HOSTS.assign(perf=perf), policy=policy)
    share = sum(demand(problem, "cpu")) / capacity(problem, "cpu")[0]
    promised = sum(row[0] / (gold if row[3] else ratio) for row in rows if row[2] == "allocated")
    used = sum(row[1] for row in rows if row[2] != "allocated")
    assert share * (1 + 1e-9) >= promised / (16 * perf)
    assert share * (1 + 1e-9) >= used / (16 * 2.5 * perf)


@given(st.permutations(range(4)))
def test_the_order_of_rows_changes_nothing(order):
    frame = estate(("a", 1, 2), ("b", 3, 4), ("c", 5, 6), ("d", 7, 8)).assign(
        sizing=["", "p95", "cpu=peak", "memory=p95"], tier=["gold", "", "gold", "tin"],
        cpu_ghz_p95=1.5, cpu_ghz_peak=2.5, memory_gib_p95=1.0, memory_reservation_gib=[0, 1, 2, 3],
    )  # fmt: skip
    policy = Policy(sizing=Sizing(reference_ghz=2), overcommit=Overcommit(cpu=4, memory=2, cpu_by_tier={"gold": 3}))
    straight, shuffled = (problem_of(f, HOSTS, policy=policy) for f in (frame, frame.iloc[list(order)]))
    np.testing.assert_array_equal(straight.demand[list(order)], shuffled.demand)


@given(st.floats(0, 40), st.floats(0, 40), st.floats(0.5, 4))
def test_a_larger_reservation_never_needs_less(first, second, ratio):
    less, more = sorted((first, second))
    frame = estate(("less", 1, 16), ("more", 1, 16)).assign(memory_reservation_gib=[less, more], tier="t")
    policy = Policy(overcommit=Overcommit(memory=4, memory_by_tier={"t": max(ratio, 1)}))
    small, large = demand(problem_of(frame, HOSTS, policy=policy), "memory")
    assert small <= large + 1e-9


# Reading and writing

RICH = Policy(
    name="ours",
    sizing=Sizing(cpu="p95", memory="p99.9", reference_ghz=2.4, hyper_threading_weight=1.25),
    overcommit=Overcommit(cpu=4, memory=1.5, cpu_by_tier={"gold": 2.0, "a.b c": 1.0}, memory_by_tier={"59": 1.2}),
    hypervisor=Hypervisor(name="esxi", cores_per_host=3),
)


def test_a_policy_with_tiers_survives_toml():
    assert Policy.from_toml(RICH.to_toml()) == RICH
    assert Policy.from_toml("[overcommit]\ncpu = 4\n[overcommit.cpu_by_tier]\ngold = 2").overcommit == Overcommit(
        cpu=4, cpu_by_tier={"gold": 2}
    )
    assert hash(RICH) == hash(Policy.from_toml(RICH.to_toml()))


@pytest.mark.parametrize("kind", ["xlsx", "json"])
def test_a_written_plan_brings_sizing_tiers_and_hypervisor(kind, tmp_path):
    frame = estate(("a", 2, 8), ("b", 2, 8), ("c", 2, 8)).assign(
        tier=["gold", "a.b c", "59"], cpu_ghz_p95=1.0, **{"memory_gib_p99.9": 4.0}
    )
    models = machines(("m", 16, 128), ghz=2.5, price=1000, hyper_threading="yes")
    problem = problem_of(frame, HOSTS, models, policy=RICH)
    path = planner.write(planner.report(problem, solved(problem).plan), tmp_path / f"plan.{kind}")
    written = planner.read_plan(path)
    again = written.problem(problem.inventory)
    assert again.policy == RICH
    pd.testing.assert_frame_equal(again.host_models, problem.host_models)
    assert planner.check(again, written.plan) == []


def test_a_policy_written_before_reads_as_it_did():
    text = """
name = "balanced"
[sizing]
cpu = "allocated"
memory = "used"
[overcommit]
cpu = 4.0
memory = 1.0
[hypervisor]
name = "generic"
cores_per_host = 1.0
memory_gib_per_host = 8.0
storage_gib_per_host = 64.0
memory_gib_per_workload = 0.15
"""
    policy = Policy.from_toml(text)
    assert (policy.sizing, policy.overcommit) == (Sizing(memory="used"), Overcommit(cpu=4))
    assert policy.hypervisor == Hypervisor.known("generic")


@pytest.mark.parametrize(
    ("heading", "column", "value"),
    [
        ("CPU average (GHz)", "cpu_ghz_average", 2.0),
        ("Peak CPU (MHz)", "cpu_ghz_peak", 0.002),
        ("95th Percentile CPU (GHz)", "cpu_ghz_p95", 2.0),
        ("Average Memory (MiB)", "memory_gib_average", 2 / 1024),
        ("Peak Memory (MiB)", "memory_gib_peak", 2 / 1024),
        ("memory_mib_p95", "memory_gib_p95", 2 / 1024),
        ("Memory reservation (MB)", "memory_reservation_gib", 2 / 1024),
        ("Service level", "tier", "2"),
        ("Sizing basis", "sizing", "2"),
    ],
)
def test_headings_that_planners_use_are_read(heading, column, value):
    text = f"Name,vCPUs,Memory (GiB),{heading}\na,1,1,2\n"
    frame = parse(load(text.encode(), None)).frames["workloads"]
    assert planner.Inventory.from_frames(workloads=frame).workloads[column].tolist() == [value]


def test_percentages_are_not_taken_for_ghz():
    text = "Name,vCPUs,Memory (GiB),Average CPU %,Peak Memory %\na,1,1,50,50\n"
    inventory = planner.read(io.BytesIO(text.encode()))
    row = inventory.workloads.iloc[0]
    assert np.isnan(row["cpu_ghz_average"]), "without a clock"
    assert row["memory_gib_peak"] == 0.5
