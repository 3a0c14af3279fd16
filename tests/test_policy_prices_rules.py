"""Policy, prices and rules: presets, formulas, ranges, TOML."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from planner import (
    Failover,
    Growth,
    Headroom,
    Hypervisor,
    InputError,
    KeepApart,
    KeepTogether,
    Overcommit,
    Pin,
    Policy,
    Prices,
    Sizing,
    catalogue,
    rules,
)
from planner.policy import PRESETS
from tests.conftest import estate, machines, problem_of


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_reads_and_survives_toml(name):
    policy = Policy.preset(name)
    assert policy.name == name
    assert Policy.from_toml(policy.to_toml()) == policy


def test_raw_means_the_numbers_in_the_table_are_the_problem():
    problem = problem_of(estate(("a", 3, 5), storage_gib=7), machines(("h", 8, 16), storage_gib=100))
    assert problem.resources == ("cpu", "memory", "storage")
    np.testing.assert_array_equal(problem.demand[:, :, 0], [[3, 5, 7]])
    np.testing.assert_array_equal(problem.capacity, [[8, 16, 100]])
    assert problem.policy.failover.hosts == 0


def test_presets_grow_more_careful_from_dense_to_conservative():
    dense, balanced, conservative = (Policy.preset(name) for name in PRESETS[1:])
    assert dense.overcommit.cpu > balanced.overcommit.cpu > conservative.overcommit.cpu
    assert dense.headroom.memory < balanced.headroom.memory < conservative.headroom.memory
    assert dense.failover.hosts < balanced.failover.hosts < conservative.failover.hosts


def test_demand_and_capacity_follow_the_formulas():
    policy = Policy(
        overcommit=Overcommit(cpu=4, memory=1.5),
        headroom=Headroom(cpu=0.2, memory=0.1, storage=0.25, network=0.5, iops=0.1),
        hypervisor=Hypervisor(
            cores_per_host=2, memory_gib_per_host=16, storage_gib_per_host=100, memory_gib_per_workload=0.5
        ),
        growth=Growth(per_year=0.1, years=2),
    )
    problem = problem_of(
        estate(("a", 4, 8), storage_gib=100, network_gbps=1, iops=1000, gpus=1),
        machines(("h", 34, 256), perf=1.1, storage_gib=1000, network_gbps=10, iops=50000, gpus=2, max_workloads=7),
        policy=policy,
    )
    assert problem.resources == ("cpu", "memory", "storage", "network", "iops", "gpus", "workloads")
    np.testing.assert_allclose(problem.demand[0, :, 0], [4.84, 9.68 + 0.5, 121, 1.21, 1210, 1, 1])
    np.testing.assert_allclose(problem.capacity[0], [32 * 1.1 * 4 * 0.8, 240 * 1.5 * 0.9, 900 * 0.75, 5, 45000, 2, 7])


def test_sizing_by_use_takes_the_measurement_and_refuses_to_guess():
    frame = estate(("a", 8, 64), cpu_ghz_used=3.0, memory_gib_used=20.0)
    policy = Policy(sizing=Sizing(cpu="used", memory="used"), overcommit=Overcommit(cpu=4))
    problem = problem_of(frame, machines(("h", 16, 128), ghz=2.5), policy=policy)
    np.testing.assert_allclose(problem.demand[0, :, 0], [3, 20])
    np.testing.assert_allclose(problem.capacity[0], [40, 128])
    assert problem.unit("cpu") == "GHz"
    with pytest.raises(InputError, match="'a': cpu_ghz_used is blank"):
        problem_of(estate(("a", 8, 64)), machines(("h", 16, 128), ghz=2.5), policy=policy)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Overcommit(cpu=0), "overcommit.cpu: found 0"),
        (lambda: Headroom(memory=1), "headroom.memory: found 1"),
        (lambda: Failover(hosts=-1), "failover.hosts: found -1"),
        (lambda: Failover(hosts=1, mode="shared"), "did you mean 'share'"),
        (lambda: Growth(per_year=float("nan")), "growth.per_year"),
        (lambda: Policy.preset("balnced"), "did you mean 'balanced'"),
        (lambda: Policy.from_toml("[headrom]\ncpu = 1"), "did you mean 'headroom'"),
        (lambda: Policy.from_toml("[headroom"), "expected TOML"),
        (lambda: Hypervisor.known("esx"), "hypervisor: found 'esx'; did you mean 'esxi'?"),
        (
            lambda: Policy.from_toml('[hypervisor]\nname = "exsi"'),
            "hypervisor.name: found 'exsi'; did you mean 'esxi'?",
        ),
        (lambda: Hypervisor(name="exsi", cores_per_host=2), "hypervisor.name: found 'exsi'; did you mean 'esxi'?"),
        (lambda: Hypervisor(name="ours"), "hypervisor.name: found 'ours'; expected one of none, generic, esxi"),
        (lambda: Hypervisor(name="esxi", memory_gib_per_host=-1), "hypervisor.memory_gib_per_host: found -1"),
        (lambda: Prices(pue=0.5), "prices.pue: found 0.5"),
        (lambda: Prices(energy_per_kwh=-1), "prices.energy_per_kwh"),
        (lambda: Prices(host_idle_w=200, host_peak_w=100), "expected at least host_idle_w"),
        (lambda: KeepApart(""), "KeepApart workloads"),
    ],
)
def test_a_figure_out_of_range_is_named(make, words):
    with pytest.raises(InputError) as error:
        make()
    assert words in str(error.value)


def test_a_hypervisor_by_name_takes_the_figures_of_the_catalogue():
    esxi = Policy.from_toml('[hypervisor]\nname = "esxi"').hypervisor
    assert esxi == Hypervisor.known("esxi") == Hypervisor(name="esxi")
    assert (esxi.cores_per_host, esxi.memory_gib_per_host, esxi.memory_gib_per_workload) == (1, 8, 0.15)
    raised = Policy.from_toml('[hypervisor]\nname = "nutanix-ahv"\ncores_per_host = 12').hypervisor
    assert raised == dataclasses.replace(Hypervisor.known("nutanix-ahv"), cores_per_host=12)
    assert Hypervisor() == Hypervisor.known("none")


def test_a_hypervisor_of_ones_own_takes_nothing_but_what_it_says():
    ours = Hypervisor(name="ours", memory_gib_per_host=6)
    assert (ours.memory_gib_per_host, ours.cores_per_host, ours.memory_gib_per_workload) == (6, 0, 0)
    policy = Policy(hypervisor=ours)
    assert Policy.from_toml(policy.to_toml()) == policy


def test_prices_none_means_purchase_alone_and_prices_survive_toml():
    none = Prices.none()
    assert (none.energy_per_kwh, none.carbon_kg_per_kwh, none.maintenance_per_host_year) == (None, None, None)
    for prices in (none, Prices(energy_per_kwh=0.3, years=4)):
        assert Prices.from_toml(prices.to_toml()) == prices, "a missing price stays missing"


def test_every_figure_of_the_catalogue_has_a_source():
    for name in ("presets", "prices", "hypervisors"):
        table = catalogue.table(name)
        assert (table["source"].astype(str).str.len() > 3).all()
        assert set(table["estimate"]) <= {"yes", "no"}


def test_rules_read_back_from_toml(tmp_path):
    given = (KeepApart("sql-*"), KeepTogether(["a", "b"]), Pin("fw-*", hosts=["esx01", "esx02"]))
    path = tmp_path / "rules.toml"
    path.write_text(rules.to_toml(given), encoding="utf-8")
    assert rules.read_rules(path) == given


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (KeepApart("sqk-1"), "did you mean 'sql-1'"),
        (Pin("sql-1", hosts="esx1"), "did you mean 'esx01'"),
    ],
)
def test_a_rule_that_names_nothing_names_the_nearest(rule, words):
    with pytest.raises(InputError) as error:
        problem_of(estate(("sql-1", 1, 1), ("web", 1, 1)), machines(("esx01", 4, 4)), rules=[rule])
    assert words in str(error.value)


def test_rules_that_contradict_each_other_are_refused():
    with pytest.raises(InputError, match="'a' and 'b' are to be kept together and to be kept apart"):
        problem_of(
            estate(("a", 1, 1), ("b", 1, 1)),
            machines(("h", 4, 4)),
            rules=[KeepApart(["a", "b"]), KeepTogether(["a", "b"])],
        )


def test_policies_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Policy.preset("raw").name = "x"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[rule]\nkind = "KeepApart"', "two brackets"),
        ("rule = 3", "found rule = 3"),
        ("rule = [1]", "expected a table with kind"),
        ('[[rule]]\nkind = ["x"]', "found kind ['x']"),
        ('[[rule]]\nkind = "KeepApart"\nworkloads = 5', "found 5"),
        ('[[rule]]\nkind = "Pin"\nworkloads = "a"', "Pin has no 'hosts'"),
        ('[[rule]]\nkind = "KeepApart"\nworklods = "a"', "did you mean 'workloads'"),
        ("rules = []", "expected one [[rule]] table"),
    ],
)
def test_a_broken_rules_file_gets_one_sentence(tmp_path, text, words):
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        rules.read_rules(path)
    assert words in str(error.value)


def test_a_region_gives_its_electricity_price_and_its_grid_carbon():
    told = Prices.from_toml('region = "FRA"\nyears = 4\n')
    assert (told.energy_per_kwh, told.carbon_kg_per_kwh, told.years) == (0.0942, 0.04418, 4)
    assert Prices.from_toml('region = "FRA"\nenergy_per_kwh = 0.3\n').energy_per_kwh == 0.3
    assert Prices.from_toml('region = "FRA"\nenergy_per_kwh = "none"\n').energy_per_kwh is None
    assert Prices.for_region("ARG").energy_per_kwh is None
    worth = Prices.for_region("FRA", currency="USD", exchange={"EUR": 1.1})
    assert worth.energy_per_kwh == pytest.approx(0.0942 * 1.1)
    assert worth.maintenance_per_host_year == pytest.approx(400 * 1.1)


def test_figures_of_the_catalogue_are_not_taken_for_another_currency():
    unknown = Prices(currency="USD", years=4)
    assert (unknown.energy_per_kwh, unknown.maintenance_per_host_year) == (None, None)
    assert (unknown.pue, unknown.carbon_kg_per_kwh) == (Prices().pue, Prices().carbon_kg_per_kwh)
    given = Prices(currency="USD", energy_per_kwh=0.1427, maintenance_per_host_year=380)
    assert (given.energy_per_kwh, given.maintenance_per_host_year) == (0.1427, 380)
    assert dataclasses.replace(Prices(years=4), currency="USD") == unknown
    assert dataclasses.replace(Prices(energy_per_kwh=0.2), currency="USD").energy_per_kwh == 0.2
    worth = Prices(currency="USD", exchange={"EUR": 1.1})
    assert worth.energy_per_kwh == pytest.approx(0.1427 * 1.1)
    assert Prices.from_toml(worth.to_toml()) == worth
    assert dataclasses.replace(Prices(), currency="USD", exchange={"EUR": 1.1}) == worth
    assert Prices.from_toml(unknown.to_toml()) == unknown


@pytest.mark.parametrize(
    ("region", "others", "message"),
    [
        ("FRX", {}, "did you mean 'FRA'"),
        ("DEUTSCHLND", {}, "did you mean 'Deutschland'"),
        ("A*", {}, "found [0-9]+ regions for 'A\\*', expected one"),
        ("FRA", {"currency": "USD"}, "electricity of France is priced in EUR, found prices in USD; expected exchange"),
    ],
)
def test_a_region_that_cannot_be_priced_is_refused(region, others, message):
    with pytest.raises(InputError, match=message):
        Prices.for_region(region, **others)
