"""Failover that is verified: restarts for every case, in the policy, the checker, failures(), files and reports."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

import planner
from planner import (
    AvoidTag,
    Cap,
    Failover,
    Forbid,
    InputError,
    KeepApart,
    KeepTogether,
    Limit,
    Overcommit,
    Pin,
    Plan,
    Policy,
    RequireTag,
)
from planner.losses import case_count
from planner.plan import ANY
from planner.policy import Headroom
from tests.conftest import estate, machines, plan_of, problem_of, solved

HOSTS = machines(
    ("h1", 8, 8),
    ("h2", 8, 8),
    ("h3", 8, 8),
    ("h4", 8, 8),
    rack=["R1", "R1", "R2", "R3"],
    tags=["linux", "linux", "linux", "windows"],
)
TRIO = estate(("a", 1, 1.0), ("b", 2, 2.0), ("c", 3, 3.0), tags=["dmz", "", "lan"])


def verified(hosts: int = 1, **options) -> Policy:
    return Policy(failover=Failover(hosts=hosts, mode="verified", **options))


def restarting(plan: Plan, *rows: tuple, spares: tuple = ()) -> Plan:
    """The plan with restarts from (case, workload, host), and spare hosts by name."""
    return Plan.from_frames(
        plan.placement,
        pd.DataFrame({"host": list(spares)}),
        pd.DataFrame(list(rows), columns=["case", "workload", "host"]),
    )


def found(problem, plan) -> list[str]:
    return [violation.message for violation in planner.check(problem, plan)]


# ---- the policy


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Failover(mode="verifed"), "failover.mode: found 'verifed'; did you mean 'verified'"),
        (
            lambda: Failover(hosts=1, within="rack"),
            "failover.within: found 'rack' with mode 'share', expected mode 'ver",
        ),
        (lambda: Failover(hosts=1, overcommit_cpu=4), "failover.overcommit_cpu: found 4 with mode 'share'"),
        (lambda: Failover(mode="verified", headroom_cpu=2), "failover.headroom_cpu: found 2, expected a number from 0"),
        (lambda: Failover(mode="verified", within=" "), "failover.within: found ' ', expected 'host' or a column"),
        (
            lambda: Policy(overcommit=Overcommit(cpu=4), failover=Failover(mode="verified", overcommit_cpu=3)),
            "failover.overcommit_cpu: found 3, stricter than overcommit.cpu in normal running, expected at least 4",
        ),
        (
            lambda: Policy(failover=Failover(mode="verified", headroom_memory=0.1)),
            "failover.headroom_memory: found 0.1, stricter than headroom.memory in normal running, expected at most 0",
        ),
    ],
)
def test_a_failover_that_makes_no_sense_is_refused(made, message):
    with pytest.raises(InputError) as error:
        made()
    assert message in str(error.value)


def test_a_policy_with_relaxed_figures_reads_back_and_older_ones_still_do():
    policy = Policy(
        overcommit=Overcommit(cpu=4),
        headroom=Headroom(memory=0.2),
        failover=Failover(hosts=2, mode="verified", within="rack", overcommit_cpu=6, headroom_memory=0.0),
    )
    assert Policy.from_toml(policy.to_toml()) == policy
    assert Policy.from_toml('[failover]\nhosts = 1\nmode = "spare"').failover == Failover(hosts=1, mode="spare")
    relaxed = policy.in_failure
    assert (relaxed.overcommit.cpu, relaxed.headroom.memory, relaxed.failover.hosts) == (6, 0, 0)


@pytest.mark.parametrize(
    ("policy", "rules", "message"),
    [
        (verified(4), [], "failover.hosts: found 4 hosts to fail and 4 that the workloads may use, expected fewer"),
        (verified(3, within="rack"), [], "found 3 domains of rack to fail and 3 that the workloads may use"),
        (verified(1, within="rak"), [], "failover.within: found 'rak'; did you mean 'rack'"),
        (verified(), [Pin("a", "h2")], "rule 1 (Pin): workload 'a' may run on 'h2' alone, which is lost with 1 host"),
        (verified(2), [Pin("a", "h[12]")], "workload 'a' may run on 'h1', 'h2' alone, which is lost with 2 hosts"),
        (verified(1, within="rack"), [Pin("a", "h[12]")], "may run on 'h1', 'h2' alone, which is lost with 1 rack"),
        (verified(2), [KeepApart("*")], "rule 1 (KeepApart): workload 'a' and 2 more are kept to 1 a host, and 2 that"),
        (verified(1, within="rack"), [KeepApart("*", within="rack")], "kept to 1 a rack, and 2 that they may use are"),
    ],
)
def test_what_no_plan_can_survive_is_refused_when_the_problem_is_built(policy, rules, message):
    with pytest.raises(InputError) as error:
        problem_of(TRIO, HOSTS, policy=policy, rules=rules)
    assert message in str(error.value)


def test_a_host_without_its_domain_is_refused():
    with pytest.raises(InputError) as error:
        problem_of(TRIO, HOSTS.assign(rack=["R1", "", "R2", "R3"]), policy=verified(within="rack"))
    assert "host 'h2': rack is blank (1 of 4 are)" in str(error.value)


# ---- the checker, case by case

NORMAL = plan_of(("a", "h1"), ("b", "h2"), ("c", "h3"))
GOOD = (("h1", "a", "h2"), ("h2", "b", "h3"), ("h3", "c", "h1"))

CASES = {
    # rule: rules, restarts that keep it, restarts that break it, what is said of them
    "keep apart": ([KeepApart(["a", "b"])], ("h3", "h3", "h1"), ("h2", "h3", "h1"), "on 'h2' with more than 1"),
    "two a rack": (
        [KeepApart("*", within="rack", at_most=2)], ("h2", "h1", "h4"), ("h2", "h1", "h2"), "its rack with more than 2",
    ),
    "sides": ([KeepApart("tag:dmz", others="tag:lan")], ("h2", "h1", "h2"), ("h2", "h1", "h1"), "beside one that it"),
    "pin": ([Pin("a", hosts="h[12]")], ("h2", "h1", "h1"), ("h3", "h1", "h1"), "where it may not run by rule 1 (Pin)"),
    "forbid": ([Forbid("b", hosts="h3")], ("h2", "h1", "h1"), ("h2", "h3", "h1"), "where it may not run by rule 1"),
    "require": ([RequireTag("c", "linux")], ("h2", "h1", "h1"), ("h2", "h1", "h4"), "where it may not run by rule 1"),
    "avoid": ([AvoidTag("c", "windows")], ("h2", "h1", "h1"), ("h2", "h1", "h4"), "where it may not run by rule 1"),
    "limit": ([Limit("*", most_hosts=3)], ("h2", "h1", "h1"), None, ""),
    "cap": ([Cap("h2", most_workloads=1)], ("h3", "h1", "h1"), ("h2", "h1", "h1"), "carries 2 workloads of workloads"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_restarts_keep_every_rule(case):
    rules, keeps, breaks, said = CASES[case]
    problem = problem_of(TRIO, HOSTS, policy=verified(), rules=rules)
    lost = (("h1", "a"), ("h2", "b"), ("h3", "c"))

    def stated(hosts):
        return restarting(NORMAL, *((*one, h) for one, h in zip(lost, hosts, strict=True)), spares=("h4",))

    assert found(problem, stated(keeps)) == []
    if breaks is not None:
        assert any(said in message for message in found(problem, stated(breaks)))


def test_a_limit_counts_the_hosts_that_are_left():
    problem = problem_of(TRIO, HOSTS, policy=verified(), rules=[Limit(["a", "b"], most_hosts=1)])
    plan = plan_of(("a", "h1"), ("b", "h1"), ("c", "h2"))
    both = (("h1", "a", "h3"), ("h1", "b", "h3"), ("h2", "c", "h1"))
    assert found(problem, restarting(plan, *both, spares=("h3",))) == []
    split = (("h1", "a", "h3"), ("h1", "b", "h2"), ("h2", "c", "h1"))
    assert "and more than 1 hosts by rule 1 (Limit)" in found(problem, restarting(plan, *split, spares=("h3",)))[0]


def test_workloads_kept_together_restart_together():
    problem = problem_of(TRIO, HOSTS, policy=verified(), rules=[KeepTogether(["a", "b"])])
    plan = plan_of(("a", "h1"), ("b", "h1"), ("c", "h2"))
    assert found(problem, restarting(plan, ("h1", "a", "h2"), ("h1", "b", "h2"), ("h2", "c", "h1"))) == []
    split = restarting(plan, ("h1", "a", "h2"), ("h1", "b", "h3"), ("h2", "c", "h1"), spares=("h3",))
    assert "apart from those kept together with it" in found(problem, split)[0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (GOOD[:2], "with 'h3' lost, 1 workloads restart nowhere, 'c' among them"),
        ((), "with 'h1' lost, 1 workloads restart nowhere, 'a' among them (and so in 2 more cases)"),
        ((*GOOD, ("h1", "b", "h3")), "with 'h1' lost, workload 'b' is not, and restarts all the same"),
        ((*GOOD, ("h1", "a", "h3")), "with 'h1' lost, workload 'a' restarts twice"),
        ((("h1", "a", "h1"), *GOOD[1:]), "with 'h1' lost, workload 'a' restarts on 'h1', which is lost too"),
        ((*GOOD, ("h9", "a", "h3")), "restarts name case 'h9', which this plan does not have"),
        ((*GOOD, ("h1", "aa", "h3")), "restarts name workload 'aa', which this plan does not have"),
        ((("h1", "a", "h4"), *GOOD[1:]), "restarts name host 'h4', which this plan does not have"),
        ((*GOOD, (ANY, ANY, "h9")), "restarts name host 'h9' to take over, which this plan does not have"),
        ((*GOOD, (ANY, ANY, "h3")), "host 'h3' is to take over and carries workloads itself"),
    ],
)
def test_restarts_that_were_tampered_with_are_flagged(rows, said):
    problem = problem_of(TRIO, HOSTS, policy=verified())
    assert found(problem, restarting(NORMAL, *GOOD)) == []
    assert any(said in message for message in found(problem, restarting(NORMAL, *rows)))
    assert {v.kind for v in planner.check(problem, restarting(NORMAL, *rows))} == {"failover"}


def test_a_restart_that_does_not_fit_names_the_case_the_host_and_the_resource():
    problem = problem_of(estate(("a", 5, 5.0), ("b", 5, 5.0)), HOSTS, policy=verified())
    plan = plan_of(("a", "h1"), ("b", "h2"))
    (violation,) = planner.check(problem, restarting(plan, ("h1", "a", "h2"), ("h2", "b", "h1")))
    assert (violation.kind, violation.host, violation.found, violation.limit) == ("failover", "h2", 10, 8)
    assert str(violation) == (
        "failover: with 'h1' lost, host 'h2' carries 10 vCPU of cpu once 'a' and others restart on it, it may carry 8 "
        "(and so in 1 more cases)"
    )


def test_relaxed_figures_let_a_tighter_plan_pass():
    workloads = estate(("a", 5, 1.0), ("b", 5, 1.0))
    plan = restarting(plan_of(("a", "h1"), ("b", "h2")), ("h1", "a", "h2"), ("h2", "b", "h1"))
    tight, relaxed = (
        problem_of(workloads, HOSTS, policy=Policy(headroom=Headroom(cpu=0.2), failover=failover))
        for failover in (
            Failover(hosts=1, mode="verified"),
            Failover(hosts=1, mode="verified", headroom_cpu=0, overcommit_cpu=1.25),
        )
    )
    assert {v.kind for v in planner.check(tight, plan)} == {"failover"}
    assert planner.check(relaxed, plan) == []
    assert solved(relaxed).hosts_used == 2
    assert solved(tight).hosts_used == 3


def test_what_is_measured_is_not_overcommitted_in_a_failure_either():
    frame = estate(("a", 4, 1.0), ("b", 4, 1.0), cpu_ghz_used=[8.0, 8.0], sizing=["cpu = used", ""])
    hosts = HOSTS.assign(ghz=2.0)
    policy = Policy(
        sizing=planner.Sizing(reference_ghz=2.0), failover=Failover(hosts=1, mode="verified", overcommit_cpu=2)
    )
    problem = problem_of(frame, hosts, policy=policy)
    assert problem.demand[:, 0, 0].tolist() == [4, 4]
    assert problem.in_failure.demand[:, 0, 0].tolist() == [8, 4]
    assert problem.in_failure.capacity[0, 0] == 16


# ---- spare hosts that take over whole


def test_spare_hosts_take_over_whole_without_a_row_for_each_case():
    problem = problem_of(TRIO, HOSTS, policy=verified(2))
    plan = plan_of(("a", "h1"), ("b", "h1"), ("c", "h2"))
    assert found(problem, restarting(plan, (ANY, ANY, "h3"), (ANY, ANY, "h4"), spares=("h3", "h4"))) == []
    one = found(problem, restarting(plan, (ANY, ANY, "h3"), spares=("h3", "h4")))
    assert one == ["the plan has 1 hosts to take over, and 2 may be lost that carry or take over"]


def test_a_spare_host_that_is_too_small_or_not_permitted_does_not_take_over():
    small = machines(("h1", 8, 8), ("h2", 8, 8), ("h3", 4, 4))
    plan = plan_of(("a", "h1"), ("b", "h1"), ("c", "h1"))
    problem = problem_of(TRIO, small, policy=verified())
    message = found(problem, restarting(plan, (ANY, ANY, "h3"), spares=("h3",)))[0]
    assert message == "with 'h1' lost, host 'h3' takes over 6 vCPU of cpu, it may carry 4"
    ruled = problem_of(TRIO, small, policy=verified(), rules=[Forbid("b", hosts="h2")])
    message = found(ruled, restarting(plan, (ANY, ANY, "h2"), spares=("h2",)))[0]
    assert message == "host 'h2' is to take over workload 'b', which may not run on it by rule 1 (Forbid)"


def test_a_takeover_that_could_crowd_a_rack_is_refused():
    problem = problem_of(TRIO, HOSTS, policy=verified(), rules=[KeepApart(["a", "c"], within="rack")])
    plan = plan_of(("a", "h1"), ("b", "h1"), ("c", "h3"))
    message = found(problem, restarting(plan, (ANY, ANY, "h2"), spares=("h2",)))[0]
    assert message == "2 workloads could share rack 'R1', by rule 1 (KeepApart) 1 at most may"
    assert found(problem, restarting(plan, (ANY, ANY, "h4"), spares=("h4",))) == []


# ---- failures() of any plan


def test_failures_of_a_plan_without_any_reserve():
    problem = problem_of(estate(("a", 5, 1.0), ("b", 5, 1.0), ("c", 1, 1.0)), HOSTS)
    table = planner.failures(problem, plan_of(("a", "h1"), ("b", "h2"), ("c", "h3")))
    rows = table.set_index("case")
    assert table["case"].tolist() == ["h1", "h2", "h3"]
    assert rows["survives"].tolist() == [True, True, True]
    assert rows["used_share"].tolist() == pytest.approx([11 / 16] * 3)
    assert rows["worst_resource"].tolist() == ["cpu"] * 3
    tight = planner.failures(problem, plan_of(("a", "h1"), ("b", "h2"), ("c", "h2"))).set_index("case")
    assert tight.loc["h1", "not_restarted"] == ("a",)
    assert (tight.loc["h1", "survives"], tight.loc["h1", "proven"]) == (False, True)
    assert tight.loc["h2", "workloads_lost"] == 2
    assert tight.loc["h1", "used_share"] == pytest.approx(11 / 8)


def test_failures_of_racks_and_of_two_hosts_at_once():
    problem = problem_of(TRIO, HOSTS)
    racks = planner.failures(problem, plan_of(("a", "h1"), ("b", "h2"), ("c", "h3")), within="rack").set_index("case")
    assert racks.index.tolist() == ["R1", "R2"]
    assert racks["workloads_lost"].to_dict() == {"R1": 2, "R2": 1}
    pairs = planner.failures(problem, plan_of(("a", "h1"), ("b", "h2"), ("c", "h3")), hosts=2)
    assert set(pairs["case"]) == {"h1", "h2", "h3", "h1 + h2", "h1 + h3", "h2 + h3"}
    assert case_count([3], 2) == len(pairs)
    assert pairs["survives"].all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hosts": 0}, "failures hosts: found 0, expected a number from 1 to 64"),
        ({"within": "rak"}, "failover.within: found 'rak'; did you mean 'rack'"),
        ({"within": "pool"}, "host 'h1': pool is blank"),
    ],
)
def test_failures_says_what_is_wrong_with_its_arguments(options, message):
    with pytest.raises(InputError) as error:
        planner.failures(problem_of(TRIO, HOSTS), NORMAL, **options)
    assert message in str(error.value)


def test_failures_needs_a_plan():
    with pytest.raises(InputError, match="plan: found NoneType, expected a Plan"):
        planner.failures(problem_of(TRIO, HOSTS), None)


def test_failures_needs_a_plan_of_every_workload():
    with pytest.raises(InputError) as error:
        planner.failures(problem_of(TRIO, HOSTS), plan_of(("a", "h1"), ("b", "h2")))
    assert "plan: workload 'c' is on no host" in str(error.value)


# ---- files and reports


def both_forms() -> list[tuple]:
    """Problems whose plans state restarts case by case, and by spare hosts."""
    by_case = problem_of(TRIO, HOSTS, policy=verified(), rules=[Pin("a", "h[12]")])
    whole = problem_of(estate(*((f"w{i}", 3, 3) for i in range(8))), models=machines(("r", 8, 8)), policy=verified())
    return [(problem, solved(problem)) for problem in (by_case, whole)]


@pytest.mark.parametrize("suffix", ["xlsx", "json", "csv"])
def test_a_written_plan_reads_back_with_its_restarts(tmp_path, suffix):
    for problem, result in both_forms():
        assert len(result.plan.restarts)
        path = planner.write(planner.report(problem, result.plan, result=result), tmp_path / f"plan.{suffix}")
        written = planner.read_plan(path)
        pd.testing.assert_frame_equal(written.plan.restarts, result.plan.restarts)
        assert planner.check(problem, written.plan) == []
        if suffix != "csv":
            assert written.settings["policy"] == problem.policy


def test_the_report_lists_the_cases_the_worst_first():
    for problem, result in both_forms():
        table = planner.report(problem, result.plan, result=result).failures
        assert set(table["verdict"]) == {"survives"}
        assert table["used_share"].is_monotonic_decreasing
        assert table["workloads_lost"].sum() == len(problem.workloads)
    assert planner.report(problem.replace(policy="raw"), result.plan).failures is None


def test_the_checker_judges_every_pair_of_30_hosts():
    random = np.random.default_rng(0)
    names = [f"w{i}" for i in range(300)]
    workloads = estate(*((name, 1, 1) for name in names))
    hosts = machines(*((f"h{i}", 16, 16) for i in range(30)))
    problem = problem_of(workloads, hosts, policy=verified(2))
    at = dict(zip(names, (f"h{i % 30}" for i in range(300)), strict=True))
    rows = []
    for lost in [*itertools.combinations(range(30), 1), *itertools.combinations(range(30), 2)]:
        left = [f"h{i}" for i in range(30) if i not in lost]
        gone = [w for w in names if int(at[w][1:]) in lost]
        case = " + ".join(sorted(f"h{i}" for i in lost))
        rows += [(case, w, left[n % len(left)]) for n, w in enumerate(random.permutation(gone))]
    plan = restarting(plan_of(*at.items()), *rows)
    assert planner.check(problem, plan) == []
    moved = plan.restarts.copy()
    moved.loc[moved["case"] == "h1 + h2", "host"] = "h0"
    broken = dataclasses.replace(plan, restarts=moved)
    assert "with 'h1 + h2' lost, host 'h0' carries" in found(problem, broken)[0]
