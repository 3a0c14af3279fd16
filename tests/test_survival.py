"""Solving for failover that is verified: rules, racks, vSAN, bounds, explanations; all restarts tried where tiny."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

import planner
from benchmarks.estates import host_model, virtual_machines
from benchmarks.ruled import ruled
from planner import (
    Cap,
    Failover,
    Forbid,
    InputError,
    KeepApart,
    KeepTogether,
    Limit,
    Pin,
    Policy,
    Status,
    Storage,
)
from planner.policy import Headroom
from planner.solvers.evacuation import evacuated
from planner.solvers.sheltering import wanted
from planner.solvers.survivors import Estate
from tests.conftest import drawn_problem, estate, examples, machines, plan_of, problem_of, solved
from tests.test_failures import CASES, HOSTS, TRIO, restarting, verified


@pytest.mark.parametrize("case", CASES)
def test_solve_survives_under_every_rule(case):
    problem = problem_of(TRIO, HOSTS, policy=verified(), rules=CASES[case][0])
    result = solved(problem)
    assert result.plan is not None
    assert planner.failures(problem, result.plan)["survives"].all()


@pytest.mark.parametrize(("hosts", "within"), [(1, "host"), (2, "host"), (1, "rack"), (2, "rack")])
def test_solve_survives_hosts_and_racks(hosts, within):
    racks = machines(*((f"h{i}", 8, 8) for i in range(12)), rack=[f"R{i % 4}" for i in range(12)])
    workloads = estate(*((f"w{i}", 1 + i % 3, 1 + i % 2) for i in range(16)))
    problem = problem_of(workloads, racks, policy=verified(hosts, within=within))
    result = solved(problem)
    assert result.plan is not None
    assert planner.failures(problem, result.plan, hosts=hosts, within=within)["survives"].all()


def test_pools_survive_one_by_one():
    workloads = estate(*((f"w{i}", 2, 2) for i in range(8)), pool=["p", "q"] * 4)
    hosts = machines(*((f"h{i}", 4, 4) for i in range(8)), pool=["p"] * 4 + ["q"] * 4)
    result = solved(problem_of(workloads, hosts, policy=verified()))
    assert (result.status, result.hosts_used) == (Status.OPTIMAL, 6)


def test_where_no_restart_is_found_the_reason_names_the_case():
    # Each pair fits on its two hosts, and the loss of either leaves no room for what it carried.
    workloads = estate(("a", 5, 1.0), ("b", 5, 1.0))
    problem = problem_of(workloads, HOSTS, policy=verified(), rules=[Pin("*", hosts="h[12]")])
    result = planner.solve(problem, time_limit=5)
    assert result.plan is None
    assert result.status in (Status.UNKNOWN, Status.INFEASIBLE)
    assert result.reason


@st.composite
def tiny_problems(draw):
    """Tiny problems on owned hosts with a rule or two, to be survived."""
    count, number = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    size = st.integers(1, 4)
    frame = estate(*((f"w{i}", draw(size), draw(size)) for i in range(count)))
    frame["tags"] = [draw(st.sampled_from(["", "gold", "dmz"])) for _ in range(count)]
    hosts = machines(*((f"h{i}", draw(st.integers(4, 9)), draw(st.integers(4, 9))) for i in range(number)))
    hosts["rack"] = [draw(st.sampled_from(["R1", "R2", "R3"])) for _ in range(number)]
    some = draw(st.lists(st.sampled_from(frame["name"].tolist()), min_size=1, max_size=3, unique=True))
    where = draw(st.lists(st.sampled_from(hosts["name"].tolist()), min_size=1, max_size=3, unique=True))
    rules = draw(
        st.lists(
            st.sampled_from(
                [
                    KeepApart(some),
                    KeepApart(some, at_most=2),
                    KeepApart(some, within="rack"),
                    KeepApart("tag:gold", others="tag:dmz"),
                    KeepTogether(some),
                    Pin(some, where),
                    Forbid(some[:1], where[:1]),
                    Limit(some, most_hosts=1),
                    Cap("h0", most_workloads=2),
                ]
            ),
            max_size=2,
        )
    )
    failover = Failover(
        hosts=draw(st.sampled_from([1, 1, 2])),
        mode="verified",
        within=draw(st.sampled_from(["host", "host", "rack"])),
        headroom_cpu=draw(st.sampled_from([None, 0.0])),
    )
    policy = Policy(headroom=Headroom(cpu=draw(st.sampled_from([0.0, 0.25]))), failover=failover)
    return drawn_problem(frame, hosts, policy=policy, rules=rules)


def placements(problem):
    """Every placement with every set of spare hosts that the checker accepts but for restarts."""
    bare = problem.replace(policy=dataclasses.replace(problem.policy, failover=Failover()))
    names, hosts = problem.workloads["name"].tolist(), problem.hosts["name"].tolist()
    for choice in itertools.product(hosts, repeat=len(names)):
        plan = plan_of(*zip(names, choice, strict=True))
        if planner.check(bare, plan):
            continue
        rest = [name for name in hosts if name not in choice]
        for number in range(len(rest) + 1):
            for spares in itertools.combinations(rest, number):
                yield restarting(plan, spares=spares)


def survivable(problem, plan) -> bool:
    """Whether a map of restarts exists for every case, by trying all of them in the checker's arithmetic."""
    failover, hosts = problem.policy.failover, [*plan.hosts["host"]]
    rack = dict(zip(problem.hosts["name"], problem.hosts["rack"], strict=True))
    unit_of = {h: h if failover.within == "host" else rack[h] for h in hosts}
    at = dict(zip(plan.placement["workload"], plan.placement["host"], strict=True))
    units = sorted(set(unit_of.values()))
    failing = problem.in_failure
    for number in range(1, failover.hosts + 1):
        for lost in itertools.combinations(units, number):
            gone = [w for w, h in at.items() if unit_of[h] in lost]
            left = [h for h in hosts if unit_of[h] not in lost]
            tried = (
                plan_of(*(at | dict(zip(gone, choice, strict=True))).items())
                for choice in itertools.product(left, repeat=len(gone))
            )
            if not any(not planner.check(failing, one) for one in tried):
                return False
    return True


@examples(10)
@given(tiny_problems())
def test_law_failures_agree_with_trying_all_restarts(problem):
    plans = list(itertools.islice(placements(problem), 3))
    if not plans:
        reject()
    failover = problem.policy.failover
    for plan in plans:
        table = planner.failures(problem, plan, hosts=failover.hosts, within=failover.within)
        assert table["proven"].all()
        assert table["survives"].all() == survivable(problem, plan)


@examples(8)
@given(tiny_problems())
def test_law_no_plan_below_the_bound_survives_and_infeasible_means_none_does(problem):
    result = solved(problem, time_limit=1)
    if result.status is Status.INFEASIBLE:
        below = placements(problem)
    else:
        below = (plan for plan in placements(problem) if plan.hosts_used < result.bound.value)
    assert not any(survivable(problem, plan) for plan in itertools.islice(below, 40))
    if result.plan is not None:
        assert survivable(problem, result.plan)


@examples(15)
@given(tiny_problems(), st.data())
def test_law_restarts_with_one_row_changed_are_accepted_only_if_they_still_survive(problem, data):
    result = planner.solve(problem, time_limit=1)
    if result.plan is None or result.plan.restarts.empty:
        reject()
    rows = result.plan.restarts.copy()
    dropped = data.draw(st.integers(0, len(rows) - 1))
    less = dataclasses.replace(result.plan, restarts=rows.drop(index=dropped).reset_index(drop=True))
    assert {v.kind for v in planner.check(problem, less)} == {"failover"}


# ---- size


def test_n_plus_one_of_800_machines_is_near_its_bound():
    arguments = {"host_models": host_model(64, 512, 16_000), "prices": planner.Prices.none()}
    inventory = planner.Inventory.from_frames(workloads=virtual_machines(800, 1, clip=(32, 256, 8_000)))
    problem = planner.Problem.build(inventory, policy=verified(), **arguments)
    result = planner.solve(problem, time_limit=15)
    assert planner.check(problem, result.plan) == []
    assert result.gap < 0.03


def test_sixty_rules_are_kept_in_every_restart():
    problem = planner.Problem.build(**ruled())
    result = planner.solve(problem, time_limit=30)
    assert planner.check(problem, result.plan) == []
    assert result.gap < 0.03
    assert len(planner.failures(problem, result.plan)) == result.hosts_used - 1, "one host stands by"


def test_room_is_made_on_the_few_hosts_that_may_take_what_is_lost():
    # Only h1 and h2 may run a, and what fills them may run anywhere.
    frame = estate(("a", 2, 2), *((f"w{i}", 3, 3) for i in range(8)))
    problem = problem_of(frame, machines(*((f"h{i}", 8, 8) for i in range(1, 7))), rules=[Pin("a", hosts="h[12]")])
    problem = problem.replace(policy=verified())
    placed = [("a", "h1"), ("w0", "h1"), ("w1", "h1"), ("w2", "h2"), ("w3", "h2")]
    placed += [(f"w{i}", f"h{3 + (i - 4) // 2}") for i in range(4, 8)]
    plan = restarting(plan_of(*placed), spares=["h5"])
    table = planner.failures(problem, plan).set_index("case")
    assert table.loc["h1", "not_restarted"] == ()
    full = frame.assign(memory_gib=[2, *[3] * 3, 5, *[3] * 4])
    tight = problem.replace(inventory=planner.Inventory.from_frames(workloads=full, hosts=problem.inventory.hosts))
    assert planner.failures(tight, plan).set_index("case").loc["h1", "not_restarted"] == ("a",)
    hosts = Estate(tight, plan)
    lost = np.flatnonzero(hosts.names == "h1")
    room = wanted(hosts, [("h1", lost, evacuated(hosts, lost, lambda: 1.0))])
    assert [name for name, more in zip(hosts.names, room.max(axis=1), strict=True) if more > 0] == ["h2"]
    assert solved(tight).plan is not None


def test_a_search_that_is_stopped_still_returns_a_plan_that_survives():
    arguments = {"host_models": host_model(64, 512, 16_000), "prices": planner.Prices.none()}
    inventory = planner.Inventory.from_frames(workloads=virtual_machines(300, 1, clip=(32, 256, 8_000)))
    # Where the reserve is a share of all hosts, no host stands by that could take over whole.
    policy = verified(overcommit_cpu=2.0, overcommit_memory=1.2)
    problem = planner.Problem.build(inventory, policy=policy, **arguments)
    steps = []
    result = planner.solve(problem, time_limit=60, on_progress=steps.append, should_stop=lambda: True)
    assert result.seconds < 30
    assert planner.check(problem, result.plan) == []
    known = [step.incumbent for step in steps if step.incumbent is not None]
    assert known == sorted(known, reverse=True)
    assert known[-1] == result.objective_value


# ---- the bound


def test_what_is_left_without_a_host_carries_every_weight():
    # Three to a host by their sizes, two by any other count: two hosts of three would do by volume.
    problem = problem_of(estate(*((f"w{i}", 3, 3) for i in range(8))), models=machines(("r", 8, 8)), policy=verified())
    result = solved(problem)
    assert (result.status, result.bound.value) == (Status.OPTIMAL, 5)


def test_weights_of_columns_prove_what_volume_cannot():
    random = np.random.default_rng(1)
    frame = estate(
        *(
            (f"w{i}", int(c), int(m))
            for i, (c, m) in enumerate(zip(random.integers(5, 12, 60), random.integers(20, 45, 60), strict=True))
        )
    )
    model = machines(("r", 16, 64))
    alone, survives = (solved(problem_of(frame, models=model, policy=policy)) for policy in ("raw", verified()))
    assert alone.status is survives.status is Status.OPTIMAL
    assert survives.bound.value == alone.bound.value + 1
    assert survives.bound.method == "column generation"


def test_relaxed_figures_ask_for_no_more_than_normal_running_and_the_reserve():
    frame, model = estate(*((f"w{i}", 3, 3) for i in range(8))), machines(("r", 8, 8))
    relaxed = verified(overcommit_cpu=2.0, overcommit_memory=2.0)
    result = solved(problem_of(frame, models=model, policy=relaxed))
    assert (result.status, result.hosts_used) == (Status.OPTIMAL, 4)


# ---- vSAN


def vsan(**options) -> Storage:
    return Storage(mode="vsan", slack=0.0, **options)


def test_hosts_that_stand_by_for_their_disks_are_kept():
    # Two hosts carry everything and a third makes it N+1; the disks of five are needed once one is lost.
    frame = estate(*((f"w{i}", 2, 2) for i in range(6)), storage_gib=[100.0] * 6)
    hosts = machines(*((f"h{i}", 8, 8) for i in range(7)), storage_gib=[300.0] * 7)
    problem = problem_of(frame, hosts, policy=dataclasses.replace(verified(), storage=vsan()))
    result = solved(problem)
    assert (result.status, result.hosts_used) == (Status.OPTIMAL, 5)
    assert planner.failures(problem, result.plan)["survives"].all()


@pytest.mark.parametrize(
    ("failover", "message"),
    [
        (verified(within="rack"), "failover.within: found 'rack' with storage.mode 'vsan'"),
        (verified(2), "failover.hosts: found 2 to be lost at once with a vSAN that tolerates 1"),
    ],
)
def test_a_vsan_that_would_lose_data_is_refused(failover, message):
    with pytest.raises(InputError) as caught:
        dataclasses.replace(failover, storage=vsan())
    assert message in str(caught.value)
    assert dataclasses.replace(verified(2), storage=vsan(failures_to_tolerate=2)).failover.hosts == 2


@examples(10)
@given(st.data())
def test_law_vsan_plans_survive_and_are_never_below_those_without(data):
    size = st.integers(1, 4)
    count = data.draw(st.integers(2, 7))
    frame = estate(*((f"w{i}", data.draw(size), data.draw(size)) for i in range(count)))
    frame["storage_gib"] = [float(data.draw(st.integers(0, 60))) for _ in range(count)]
    hosts = machines(*((f"h{i}", data.draw(st.integers(5, 9)), 9) for i in range(6)))
    hosts["storage_gib"] = [float(data.draw(st.integers(20, 200))) for _ in range(6)]
    problem = drawn_problem(frame, hosts, policy=dataclasses.replace(verified(), storage=vsan()))
    result = solved(problem, time_limit=2)
    without = solved(problem.replace(policy=verified()), time_limit=2)
    if result.plan is not None and without.bound is not None:
        assert result.objective_value >= without.bound.value
        assert planner.failures(problem, result.plan)["survives"].all()


# ---- explanations


def told(problem: planner.Problem, time_limit: float = 20) -> planner.Explanation:
    result = solved(problem)
    return planner.explain(problem, result, time_limit=time_limit)


MEMORY = estate(*((f"w{i}", 2, 14) for i in range(40)))
LARGE = machines(*((f"h{i}", 32, 128) for i in range(12)), rack=[f"R{i % 4}" for i in range(12)])


def test_what_binds_is_what_the_worst_loss_leaves_too_little_of():
    said = str(told(problem_of(MEMORY, LARGE, policy=verified())))
    flat = " ".join(said.split())
    assert "memory binds, 88% of what the 6 hosts offer with 1 of them lost is needed" in flat
    assert "with the reserve for 1 lost host 6" in flat
    assert "Memory overcommit of 1.1 instead of 1 while hosts are lost: 5 hosts instead of 6" in flat


def test_a_loss_of_racks_is_told_as_one():
    flat = " ".join(str(told(problem_of(MEMORY, LARGE, policy=verified(within="rack")), 5)).split())
    assert "hosts offer with any 1 rack lost is needed" in flat


def test_more_overcommit_in_normal_running_is_tried_where_failures_relax_it_less():
    problem = problem_of(MEMORY, LARGE, policy=verified(overcommit_memory=1.2))
    changes = told(problem).tables["changes"]
    assert "bad input" not in set(changes["status"])


def test_disks_that_bind_are_told():
    frame, hosts = MEMORY.assign(storage_gib=100.0), LARGE.assign(storage_gib=2000.0)
    problem = problem_of(frame, hosts, policy=Policy(storage=Storage(mode="vsan")))
    explanation = told(problem)
    flat = " ".join(str(explanation).split())
    assert "storage binds, 89% of what the 6 hosts offer is needed; 200 GiB more a host saves 1 host" in flat
    assert "storage alone needs 5.34 hosts, so 6" in flat
    assert "Leaving out 3 workloads" in flat


def test_workloads_left_out_need_no_shared_storage():
    frame = estate(("a", 1, 1), ("b", 1, 1), storage_gib=[100.0, 50.0])
    policy = Policy(storage=Storage(mode="shared", capacity_gib={"": 60.0}, snapshots=0.2))
    problem = problem_of(frame, LARGE, policy=policy)
    assert planner.solve(problem, time_limit=5).status is Status.INFEASIBLE
    less = problem.without(["a"])
    assert less.shared_storage[0].needed_gib == pytest.approx(60.0)
    assert solved(less).status is Status.OPTIMAL
