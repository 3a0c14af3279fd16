"""Storage that a pool shares: formulas by hand, every method, the bound, the checker, reports, bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import planner
from planner import Failover, Forbid, Growth, Headroom, Hypervisor, InputError, Policy, Prices, Reserve, Status, Storage
from planner.catalogue import table
from planner.economics.ledger import ledger
from planner.readers.plans import read_plan
from planner.solvers import cpsat, greedy
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import build
from tests.conftest import estate, machines, problem_of, solved


def vms(*storage_gib: float, **columns) -> pd.DataFrame:
    return estate(*((f"w{i}", 1, 4) for i in range(len(storage_gib)))).assign(storage_gib=storage_gib, **columns)


def vsan(hosts: int = 0, mode: str = "share", **storage) -> Policy:
    return Policy(storage=Storage(mode="vsan", **storage), failover=Failover(hosts=hosts, mode=mode))


def shared(**capacity_gib: float) -> Policy:
    return Policy(storage=Storage(mode="shared", capacity_gib=capacity_gib))


NODE = machines(("r", 64, 512), storage_gib=10_000)
FOUR = machines(*((f"h{i}", 64, 512) for i in range(4)), storage_gib=10_000)


def everything_on(problem: planner.Problem, *hosts: str, idle: tuple[str, ...] = (), pool: str = "") -> planner.Plan:
    """The workloads one after another on some hosts, others standing by."""
    names = problem.workloads["name"]
    placement = pd.DataFrame({"workload": names, "host": [hosts[i % len(hosts)] for i in range(len(names))]})
    return planner.Plan.from_frames(placement, pd.DataFrame({"host": idle, "pool": pool}))


# ---- formulas


@pytest.mark.parametrize(
    ("raid", "failures", "share", "minimum"),
    [
        ("raid-1", 1, 0.75 / 2, 3),
        ("raid-1", 2, 0.75 / 3, 5),
        ("raid-1", 3, 0.75 / 4, 7),
        ("raid-5", 1, 0.75 / 1.33, 4),
        ("RAID-6", 2, 0.75 / 1.5, 6),
    ],
)
def test_usable_storage_and_hosts_by_raid(raid, failures, share, minimum):
    storage = Storage(mode="vsan", raid=raid, failures_to_tolerate=failures)
    assert storage.usable_share == pytest.approx(share)
    assert storage.minimum_hosts == minimum


def test_every_row_of_the_catalogue_has_a_source_and_a_year():
    rows = table("vsan")
    assert (rows["source"] != "").all()
    assert rows["year"].notna().all()
    mirrored = rows[rows["raid"] == "raid-1"]
    assert (mirrored["minimum_hosts"] == 2 * mirrored["failures_to_tolerate"] + 1).all()


def test_four_hosts_of_ten_thousand_give_fifteen_thousand():
    problem = problem_of(vms(15_000), FOUR, policy=vsan())
    (pool,) = problem.shared_storage
    assert pool.offered_gib(np.arange(4)) == pytest.approx(15_000)
    assert planner.check(problem, everything_on(problem, "h0", idle=("h1", "h2", "h3"))) == []
    assert pool.unattainable(np.ones(4)) == ""
    assert problem_of(vms(15_001), FOUR, policy=vsan()).shared_storage[0].unattainable(np.ones(4)) == (
        "storage: the workloads need 15,001 GiB together, the 4 hosts available offer 15,000 with RAID-1 and 1 failure "
        "to tolerate"
    )


def test_overhead_growth_snapshots_and_reserves_count_and_headroom_does_not():
    policy = Policy(
        storage=Storage(mode="vsan", snapshots=0.2, slack=0.5),
        growth=Growth(per_year=0.5, years=1),
        headroom=Headroom(storage=0.9),
        hypervisor=Hypervisor(name="none", storage_gib_per_host=100),
    )
    rules = [Reserve("h0", storage_gib=900)]
    (pool,) = problem_of(vms(100, 300), FOUR, policy=policy, rules=rules).shared_storage
    assert pool.needed_gib == pytest.approx(400 * 1.5 * 1.2)
    assert pool.usable_gib.tolist() == pytest.approx([9_000 * 0.25, *[9_900 * 0.25] * 3])


def test_hosts_that_may_fail_are_not_counted_unless_asked():
    hosts = FOUR.assign(storage_gib=[10_000, 20_000, 30_000, 40_000])
    (kept,) = problem_of(vms(1), hosts, policy=vsan(1)).shared_storage
    assert kept.offered_gib(np.arange(4)) == pytest.approx(60_000 * 0.375)
    (all_of_them,) = problem_of(vms(1), hosts, policy=vsan(1, rebuild=False)).shared_storage
    assert all_of_them.offered_gib(np.arange(4)) == pytest.approx(100_000 * 0.375)


@pytest.mark.parametrize("policy", [vsan(), shared(**{"*": 500.0})])
def test_shared_storage_limits_no_host(policy):
    problem = problem_of(vms(400), machines(*((f"h{i}", 64, 512) for i in range(3)), storage_gib=1_000), policy=policy)
    assert problem.resources == ("cpu", "memory")


def test_storage_of_a_host_stays_what_it_was():
    problem = problem_of(vms(400, 700), models=machines(("r", 64, 512), storage_gib=1_000))
    assert problem.resources == ("cpu", "memory", "storage")
    assert problem.shared_storage == ()
    assert solved(problem).hosts_used == 2
    for name in ("raw", "dense", "balanced", "conservative"):
        assert Policy.preset(name).storage == Storage()


# ---- a SAN


def test_a_pool_that_the_san_holds_needs_hosts_for_the_rest_alone():
    problem = problem_of(vms(5_000, 5_000), models=machines(("r", 64, 512)), policy=shared(**{"*": 10_000}))
    assert solved(problem).hosts_used == 1


def test_a_san_too_small_is_infeasible_with_a_reason():
    frame = vms(5_000, 5_001, pool=["a", "b"])
    problem = problem_of(frame, models=machines(("r", 64, 512)), policy=shared(**{"a": 9_000, "*": 5_000}))
    result = solved(problem)
    assert result.status == Status.INFEASIBLE
    assert result.reason == (
        "storage: the workloads of pool 'b' need 5,001 GiB together, their shared storage has 5,000"
    )
    plan = planner.Plan.from_frames(
        pd.DataFrame({"workload": ["w0", "w1"], "host": ["r-1", "r-2"], "model": "r", "pool": ["a", "b"]})
    )
    (violation,) = planner.check(problem, plan)
    assert (violation.kind, violation.found, violation.limit) == ("storage pool", 5_001, 5_000)
    assert violation.message == "the shared storage of pool 'b' has 5,000 GiB, 5,001 are needed"


def test_pools_that_are_merged_bring_their_storage_together():
    frame = vms(5_000, 5_001, pool=["a", "b"])
    policy = shared(a=9_000, **{"*": 5_000})
    problem = problem_of(frame, models=machines(("r", 64, 512)), policy=policy).replace(merge_pools=True)
    assert problem.shared_storage[0].limit_gib == 14_000
    assert solved(problem).status == Status.OPTIMAL


def test_the_inventory_may_know_the_storage_of_a_pool():
    inventory = planner.Inventory.from_frames(workloads=vms(50, pool="a"), hosts=machines(("h", 8, 64), pool="a"))
    inventory = replace(inventory, shared_storage_gib={"a": 40.0})
    build_one = planner.Problem.build
    assert build_one(inventory, policy=shared()).shared_storage[0].limit_gib == 40
    assert build_one(inventory, policy=shared(a=60)).shared_storage[0].limit_gib == 60
    assert build_one(inventory, policy=shared()).replace(objective="energy").shared_storage[0].limit_gib == 40


# ---- vSAN


def test_the_minimum_number_of_hosts_is_run():
    assert solved(problem_of(vms(10), models=NODE, policy=vsan())).hosts_used == 3
    assert solved(problem_of(vms(10), models=NODE, policy=vsan(raid="raid-5"))).hosts_used == 4
    assert solved(problem_of(vms(10), models=NODE, policy=vsan(failures_to_tolerate=3))).hosts_used == 7
    few = solved(problem_of(vms(10), FOUR, policy=vsan(raid="raid-6")))
    assert few.status == Status.INFEASIBLE
    assert few.reason == "storage: the plan needs 6 hosts for RAID-6 and 2 failures to tolerate, 4 are available"


@pytest.mark.parametrize(("hosts", "mode", "expected"), [(0, "share", 6), (1, "share", 7), (2, "spare", 8)])
def test_hosts_are_run_until_their_disks_suffice(hosts, mode, expected):
    # 20,000 GiB over 3,750 a host are 5.33: six hosts, and as many more as may fail.
    result = solved(problem_of(vms(*[4_000] * 5), models=NODE, policy=vsan(hosts, mode)))
    assert result.status == Status.OPTIMAL
    assert result.hosts_used == expected
    assert result.bound.value == expected


def test_each_pool_has_its_own_disks():
    frame = vms(9_000, 1, pool=["a", "b"])
    hosts = machines(*((f"{pool}{i}", 64, 512) for pool in "ab" for i in range(3)), storage_gib=10_000)
    hosts["pool"] = list("aaabbb")
    result = solved(problem_of(frame, hosts, models=NODE, policy=vsan()))
    assert result.hosts_used == 6
    short = solved(problem_of(frame.assign(storage_gib=[12_000, 1]), hosts, policy=vsan()))
    assert short.reason.startswith("storage: the workloads of pool 'a' need 12,000 GiB together, the 3 hosts available")


def test_pools_that_share_limited_hosts_share_their_disks_out():
    frame = vms(9_000, 9_000, pool=["a", "b"])
    hosts = machines(*((f"h{i}", 64, 512) for i in range(6)), storage_gib=10_000)
    assert solved(problem_of(frame, hosts, policy=vsan())).hosts_used == 6
    assert solved(problem_of(frame, hosts.head(5), policy=vsan())).status == Status.INFEASIBLE


def test_larger_disks_are_taken_where_they_cost_no_more_hosts():
    models = machines(("small", 64, 512), ("large", 64, 512)).assign(storage_gib=[1_000, 20_000], price=[6, 100])
    problem = problem_of(vms(*[2_500] * 8), models=models, policy=vsan(), prices=Prices.none())
    assert solved(problem).hosts_used == 3
    cheapest = solved(problem.replace(objective="cost"))
    # Two large hosts bring 15,000 GiB of 20,000 and fourteen small ones 375 each, for less than a third large one.
    assert cheapest.status == Status.OPTIMAL
    assert cheapest.objective_value == 2 * 100 + 14 * 6


def test_a_host_that_no_workload_may_run_on_still_brings_its_disks():
    rules = [Forbid("w*", hosts=["h1", "h2"])]
    result = solved(problem_of(vms(10_000), FOUR.head(3), policy=vsan(), rules=rules))
    assert result.hosts_used == 3
    assert sorted(result.plan.spares["host"]) == ["h1", "h2"]


def test_a_host_that_carries_nothing_and_could_not_is_no_reserve():
    # h2 and h3 bring disks, and are too small to restart a workload on.
    hosts = machines(("h0", 64, 512), ("h1", 64, 512), ("h2", 1, 1), ("h3", 1, 1), storage_gib=10_000)
    for mode in ("share", "spare"):
        problem = problem_of(vms(*[2_000] * 5), hosts, policy=vsan(1, mode))
        result = solved(problem)
        assert result.hosts_used == 4
        assert planner.check(problem, everything_on(problem, "h0", idle=("h2", "h3")))[0].kind == "failover"


def test_each_way_to_place_completes_its_packing():
    problem = problem_of(vms(*[900] * 30), models=NODE, policy=vsan(1))
    instance = build(problem, ledger(problem), problem.pools)
    for _, packing in greedy.packings(instance, None, lambda: False):
        incumbent = Incumbent(instance=instance, announce=lambda method: None)
        assert incumbent.offer(packing, "greedy")
        assert incumbent.value == 9 * instance.opening[0]
    alone = Incumbent(instance=instance, announce=lambda method: None)
    cpsat.improve(alone, Clock(limit=20), 20, seed=0, workers=1)
    assert alone.proven
    assert alone.value == 9 * instance.opening[0]


def test_a_plan_that_stands_is_kept():
    problem = problem_of(vms(*[900] * 12), models=NODE, policy=vsan(1))
    first = solved(problem)
    again = solved(problem, start=first.plan)
    assert again.hosts_used == first.hosts_used == 4
    assert len(again.moves) == 0


def test_energy_counts_hosts_that_run_for_their_disks():
    models = NODE.assign(idle_w=100, peak_w=300)
    problem = problem_of(vms(10), models=models, policy=vsan(), objective="energy")
    assert solved(problem).hosts_used == 3


def test_a_large_estate_is_bound_by_its_disks_and_proven():
    random = np.random.default_rng(0)
    frame = estate(*((f"w{i}", int(random.integers(1, 9)), int(random.integers(2, 33))) for i in range(400)))
    frame["storage_gib"] = random.integers(50, 900, 400)
    models = machines(("a", 64, 512), ("b", 64, 768)).assign(storage_gib=[8_000, 12_000])
    result = solved(problem_of(frame, models=models, policy=vsan(1)), time_limit=20)
    fewest = int(np.ceil(frame["storage_gib"].sum() / (12_000 * 0.375))) + 1
    assert result.hosts_used == fewest
    assert result.status == Status.OPTIMAL


@pytest.mark.parametrize(("objective", "best"), [("hosts", 10), ("cost", 170_000)])
def test_disks_that_pay_once_enough_hosts_have_them_are_bought(objective, best):
    # Of two hosts that may fail the disks are not counted: the first two with large ones seem to add nothing.
    random = np.random.default_rng(0)
    frame = estate(*((f"w{i}", int(random.integers(1, 9)), int(random.integers(2, 33))) for i in range(180)))
    models = machines(("a", 256, 512), ("c", 256, 512)).assign(storage_gib=[8_000, 32_000], price=[10_000, 17_000])
    problem = problem_of(
        frame.assign(storage_gib=500), models=models, policy=vsan(2), objective=objective, prices=Prices.none()
    )
    # 90,000 GiB: eight hosts of 12,000 besides the two; or seven, two of 3,000 and the two, which cost 173,000.
    result = solved(problem)
    assert result.status == Status.OPTIMAL
    assert result.objective_value == best


@pytest.mark.slow
def test_a_large_estate_with_whole_spare_hosts():
    random = np.random.default_rng(0)
    frame = estate(*((f"w{i}", int(random.integers(1, 9)), int(random.integers(2, 33))) for i in range(3_000)))
    frame["storage_gib"] = random.integers(50, 900, 3_000)
    models = machines(("a", 256, 512), ("b", 256, 768), ("c", 128, 384)).assign(
        storage_gib=[8_000, 16_000, 30_000], price=[10_000, 16_000, 17_000]
    )
    problem = problem_of(frame, models=models, policy=vsan(2, "spare"), objective="cost", prices=Prices.none())
    assert solved(problem, time_limit=15).gap < 0.05


# ---- the checker


def test_the_checker_names_what_is_short():
    problem = problem_of(vms(6_000, 6_000), FOUR, policy=vsan(1))
    few, short = sorted(planner.check(problem, everything_on(problem, "h0", "h1")), key=lambda one: one.limit)
    assert (few.kind, few.found, few.limit) == ("storage pool", 2, 3)
    assert few.message == "the plan runs 2 hosts, at least 3 are needed for RAID-1 and 1 failure to tolerate"
    assert (short.kind, short.resource, short.found, short.limit) == ("storage pool", "storage", 12_000, 3_750)
    assert short.message == (
        "the 2 hosts of the plan offer 3,750 GiB without the 1 that add most with RAID-1 and 1 failure to tolerate, "
        "12,000 are needed"
    )


def test_an_idle_host_of_another_pool_does_not_count():
    frame = vms(10_000, 1, pool=["a", "b"])
    hosts = machines(*((f"h{i}", 64, 512) for i in range(6)), storage_gib=10_000)
    problem = problem_of(frame, hosts, policy=vsan())

    def plan(*pools: str) -> planner.Plan:
        placement = pd.DataFrame({"workload": ["w0", "w1"], "host": ["h0", "h1"]})
        return planner.Plan.from_frames(placement, pd.DataFrame({"host": ["h2", "h3", "h4", "h5"], "pool": pools}))

    assert planner.check(problem, plan("a", "a", "b", "b")) == []
    assert [v.found for v in planner.check(problem, plan("a", "b", "b", "b"))] == [10_000, 2]


# ---- settings and reports


RICH = Policy(
    storage=Storage(mode="shared", capacity_gib={"a.b c": 500.0, "*": 900.0}, snapshots=0.1), name="with a SAN"
)


@pytest.mark.parametrize("policy", [RICH, vsan(raid="raid-5", slack=0.3, rebuild=False)])
@pytest.mark.parametrize("kind", ["xlsx", "json"])
def test_a_written_plan_brings_its_storage(policy, kind, tmp_path):
    assert Policy.from_toml(policy.to_toml()) == policy
    assert hash(Policy.from_toml(policy.to_toml())) == hash(policy)
    inventory = planner.Inventory.from_frames(
        workloads=vms(100, 100, pool=["a.b c", "d"]), host_models=machines(("r", 8, 64), storage_gib=400)
    )
    problem = planner.Problem.build(inventory, policy=policy)
    result = solved(problem)
    planner.write(planner.report(problem, result.plan, result=result), tmp_path / f"plan.{kind}")
    written = read_plan(tmp_path / f"plan.{kind}")
    assert written.settings["policy"].storage == policy.storage
    assert planner.check(written.problem(inventory), written.plan) == []


def test_settings_written_before_are_read_as_a_limit_of_each_host():
    assert Policy.from_toml("[overcommit]\ncpu = 4").storage.mode == "host"


def test_the_summary_has_what_is_needed_and_usable():
    problem = problem_of(vms(6_000, 1_000, pool=["a", "b"]), models=NODE, policy=vsan(1))
    result = solved(problem)
    summary = planner.report(problem, result.plan, result=result).summary.set_index("item")
    assert summary.loc["storage needed in pool 'a'", ["value", "unit"]].tolist() == [6_000, "GiB"]
    assert summary.loc["storage usable in pool 'a'", "value"] == pytest.approx(7_500)
    assert summary.loc["storage usable in pool 'b'", "value"] == pytest.approx(7_500)
    alone = problem_of(vms(6_000), models=NODE, policy=shared(**{"*": 7_000}))
    summary = planner.report(alone, solved(alone).plan).summary.set_index("item")["value"]
    assert (summary["storage needed"], summary["storage usable"]) == (6_000, 7_000)


# ---- bad input


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mode": "vsna"}, "storage.mode: found 'vsna'; did you mean 'vsan'?"),
        ({"raid": "raid5"}, "storage.raid: found 'raid5'; did you mean 'raid-5'?"),
        (
            {"raid": "raid-5", "failures_to_tolerate": 2},
            "storage.failures_to_tolerate: found 2, RAID-5 tolerates 1; RAID-1 and RAID-6 can",
        ),
        (
            {"failures_to_tolerate": 4},
            "storage.failures_to_tolerate: found 4, RAID-1 tolerates 1 or 2 or 3",
        ),
        ({"slack": 1.0}, "storage.slack: found 1.0, expected a number from 0 to 0.95"),
        ({"snapshots": -0.1}, "storage.snapshots: found -0.1, expected a number from 0 to 5"),
        ({"rebuild": "perhaps"}, "storage.rebuild: found 'perhaps', expected true or false"),
        (
            {"mode": "vsan", "capacity_gib": {"a": 5}},
            "storage.capacity_gib: found with mode 'vsan', expected mode 'shared'",
        ),
        ({"capacity_gib": 5}, "storage.capacity_gib: found 5, expected a table of pools and GiB"),
        (
            {"mode": "shared", "capacity_gib": {"a": "5 TB"}},
            "storage.capacity_gib, pool 'a': found '5 TB', expected a number from 0 to 1.09951e+12",
        ),
        (
            {"mode": "shared", "capacity_gib": {"*": 5, "": 6}},
            "storage.capacity_gib: found '*' and '', which both stand for every other pool; keep one",
        ),
    ],
)
def test_settings_that_say_nothing_sensible_are_refused(given, message):
    with pytest.raises(InputError) as error:
        Storage(**given)
    assert str(error.value) == message


def test_a_pool_that_does_not_exist_or_of_which_nothing_is_known():
    frame = vms(1, 1, pool=["north", "south"])
    with pytest.raises(InputError, match=r"storage.capacity_gib: found pool 'nroth'; did you mean 'north'\?"):
        problem_of(frame, models=NODE, policy=shared(nroth=5, south=5))
    with pytest.raises(InputError) as error:
        problem_of(frame, models=NODE, policy=shared(north=5))
    assert str(error.value) == (
        "storage.capacity_gib: found no figure for pool 'south', expected its usable GiB, or one under '*' for every "
        "other pool"
    )


def test_a_host_that_says_nothing_of_its_disks():
    hosts = FOUR.assign(storage_gib=[10, None, 10, None])
    with pytest.raises(InputError) as error:
        problem_of(vms(1), hosts, policy=vsan())
    assert str(error.value) == (
        "host 'h1': storage_gib is blank (2 of 4 are); storage mode vsan needs it for every host, raw"
    )
    with pytest.raises(InputError, match="host model 'r': storage_gib is blank"):
        problem_of(vms(1), models=machines(("r", 8, 64)), policy=vsan())
    away = hosts.assign(maintenance=["no", "yes", "no", "yes"])
    assert problem_of(vms(1), away, policy=vsan()).shared_storage[0].usable_gib[1] == 0
