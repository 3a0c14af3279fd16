"""Explanations: hand-made problems whose answers are known, and the law that what is confirmed really holds."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

import planner
from planner import Failover, InputError, KeepApart, KeepTogether, Limit, Pin, Policy, Status
from planner.explanations.division import without_host
from planner.explanations.estate import reckoned
from planner.explanations.trials import Trials
from planner.explanations.variants import laws_of, left_with, without_laws
from planner.samples import sample
from planner.solvers.incumbent import Clock
from tests.conftest import drawn_problem, estate, examples, hard_estate, machines, problem_of, solved
from tests.test_cli import run


def alike(count: int, vcpus: float, memory_gib: float, prefix: str = "w") -> list[tuple]:
    return [(f"{prefix}{number}", vcpus, memory_gib) for number in range(count)]


def hosts_alike(count: int, cores: float, memory_gib: float, **columns) -> pd.DataFrame:
    return machines(*[(f"h{number}", cores, memory_gib) for number in range(count)], **columns)


def explained(problem: planner.Problem, **options) -> planner.Explanation:
    return planner.explain(problem, solved(problem), **({"time_limit": 30.0} | options))


def confirmed(explanation: planner.Explanation, kind: str) -> pd.DataFrame:
    changes = explanation.tables["changes"]
    return changes[(changes["status"] == "confirmed") & (changes["kind"] == kind)]


MEMORY_BOUND = (estate(*alike(12, 1, 16)), hosts_alike(6, 32, 48))  # 3 a host make 4 hosts; 4 a host make 3.


def test_sixteen_gib_more_on_every_host_save_exactly_one():
    table = explained(problem_of(*MEMORY_BOUND)).tables["binding"].set_index("resource")
    memory = table.loc["memory"]
    assert (memory["binding"], memory["step"]) == ("yes", "16 GiB more a host")
    assert (memory["before"], memory["after"], memory["saved"], memory["status"]) == (4, 3, 1, "optimal")
    assert (memory["used_share"], memory["bound_share"]) == (1.0, 1.0)
    assert (table.loc["cpu", "binding"], table.loc["cpu", "saved"]) == ("no", 0)


def test_what_binds_is_told_by_pool_and_each_pool_saves_its_own():
    workloads = estate(*alike(12, 1, 16), *alike(6, 16, 1, "c"), pool=["a"] * 12 + ["b"] * 6)
    hosts = hosts_alike(12, 32, 48, pool=["a"] * 6 + ["b"] * 6)
    explanation = explained(problem_of(workloads, hosts))
    binding = explanation.tables["binding"]
    assert binding[binding["binding"] == "yes"][["pool", "resource"]].to_numpy().tolist() == [
        ["a", "memory"],
        ["b", "cpu"],
    ]
    saved = binding.set_index(["pool", "resource"])["saved"]
    assert saved["a", "memory"] == 1  # 4 hosts to 3
    assert saved["b", "cpu"] == 1  # 3 hosts to 2 once 48 cores carry three of 16
    assert "Pool a: memory binds" in str(explanation)


def test_one_host_and_its_reserve_are_the_fewest_there_can_be():
    problem = problem_of(estate(("a", 1, 1)), hosts_alike(3, 8, 8), policy=Policy(failover=Failover(hosts=1)))
    explanation = explained(problem)
    assert set(explanation.tables["binding"]["binding"]) == {"no"}
    assert "no resource binds; one host and 1 in reserve is the fewest" in str(explanation)
    assert "the reserve for 1 lost host makes it 2" in str(explanation).replace("\n    ", " ")
    row = confirmed(explanation, "setting").iloc[0]
    assert (row["change"], row["after"]) == ("failover.hosts = 0", 1)


def test_the_least_overcommit_that_saves_a_host_is_four_point_two():
    # 42 workloads of 2 vCPU on 10 cores: 40 vCPU a host at 4.0 and 41 at 4.1 carry 20, 42 at 4.2 carry 21.
    problem = problem_of(
        estate(*alike(42, 2, 1)),
        models=machines(("m", 10, 512)),
        policy=Policy(overcommit=planner.Overcommit(cpu=4.0)),
    )
    row = confirmed(explained(problem), "setting").iloc[0]
    assert (row["change"], row["now"], row["needed"]) == ("overcommit.cpu = 4.2", "4", "4.2")
    assert (row["before"], row["after"], row["smallest"]) == (3, 2, "yes")


def test_the_least_lowering_of_headroom_goes_by_whole_percents():
    # 100 GiB less 10 % are 90; two workloads of 47 GiB fit from 94, at 6 %.
    policy = Policy(headroom=planner.Headroom(memory=0.10))
    explanation = explained(problem_of(estate(*alike(4, 1, 47)), hosts_alike(4, 32, 100), policy=policy))
    row = confirmed(explanation, "setting").set_index("change").loc["headroom.memory = 0.06"]
    assert (row["before"], row["after"], row["smallest"]) == (4, 2, "yes")
    assert "Memory headroom of 6% instead of 10%: 2 hosts instead of 4." in str(explanation)


def test_a_rule_whose_absence_saves_a_host_is_named_and_another_is_not():
    problem = problem_of(estate(*alike(3, 1, 1)), hosts_alike(4, 32, 48), rules=[Limit("w0", 1), KeepApart("*")])
    explanation = explained(problem)
    changes = explanation.tables["changes"].set_index("change")
    assert changes.loc["without rule 2 (KeepApart)", ["status", "after", "smallest"]].tolist() == [
        "confirmed",
        1,
        "yes",
    ]
    assert changes.loc["without rule 1 (Limit)", "status"] == "impossible"
    assert "must be kept apart by rule 2 (KeepApart)" in str(explanation).replace("\n    ", " ")


def test_two_rules_are_dropped_where_neither_alone_is_enough():
    workloads = estate(*alike(6, 1, 1), keep_apart=["x", "x", "x", "y", "y", "y"])
    row = confirmed(explained(problem_of(workloads, hosts_alike(4, 32, 48))), "rule").iloc[0]
    assert row["change"] == "without column keep_apart, 'x' and column keep_apart, 'y'"
    assert (row["before"], row["after"]) == (3, 1)


def test_the_two_workloads_to_leave_out_are_the_large_ones():
    problem = problem_of(estate(*alike(8, 1, 8), ("big1", 1, 20), ("big2", 1, 20)), models=machines(("m", 32, 64)))
    row = confirmed(explained(problem), "workloads").iloc[0]
    assert (row["needed"], row["before"], row["after"], row["smallest"]) == ("big1, big2", 2, 1, "yes")


def test_division_says_two_and_packing_needs_three():
    explanation = explained(problem_of(estate(*alike(3, 1, 6)), hosts_alike(3, 32, 10)))
    row = explanation.tables["division"].set_index("resource").loc["memory"]
    assert (row["demand"], row["per_host"]) == (18, 10)
    assert (row["hosts_by_division"], row["hosts_by_packing"], row["difference"]) == (2, 3, 1)
    assert (row["homeless"], row["proof"]) == ("w2", "impossible")
    text = str(explanation).replace("\n    ", " ")
    assert "packed onto 2, largest first, 'w2' finds no host, and it is proven that no packing does better" in text
    assert "every workload takes a multiple of 6 GiB" in text


def test_weights_are_told_where_no_sum_is_the_argument():
    # Five of 6 GiB and five of 4.5 on 10: no host carries two of 6, so 5 hosts, and 5.25 by the sum.
    rows = [*alike(5, 1, 6.001), *alike(2, 1, 4.999, "s")]
    explanation = explained(problem_of(estate(*rows), hosts_alike(7, 32, 10)))
    proof = explanation.tables["proof"].iloc[0]
    assert (proof["at_least"], proof["used"], proof["proven"]) == (6, 6, "yes")
    assert "no host can carry more than 1" in proof["argument"]
    memory = explanation.tables["binding"].set_index("resource").loc["memory"]
    assert memory["binding"] == "yes"
    assert memory["bound_share"] > 0.5


CLASH = [KeepApart(["w0", "w1", "w2", "w3"]), Pin("w5", hosts="h1"), Pin(["w0", "w1", "w2"], hosts=["h0", "h1"])]


def test_of_three_rules_the_two_in_conflict_are_named_with_their_workloads():
    problem = problem_of(estate(*alike(12, 1, 1)), hosts_alike(6, 32, 10), rules=CLASH)
    result = solved(problem)
    assert result.status is Status.INFEASIBLE
    explanation = planner.explain(problem, result, time_limit=30)
    conflict = explanation.tables["conflict"]
    assert conflict["name"].tolist() == ["rule 1 (KeepApart)", "rule 3 (Pin)", "w0", "w1", "w2"]
    assert set(conflict["needed"]) == {"yes"}
    assert "each of these 5 is needed" in str(explanation).replace("\n    ", " ")
    assert set(confirmed(explanation, "rule")["change"]) == {"without rule 1 (KeepApart)", "without rule 3 (Pin)"}


def test_each_member_of_a_conflict_is_needed_and_all_together_have_no_plan():
    problem = problem_of(estate(*alike(12, 1, 1)), hosts_alike(6, 32, 10), rules=CLASH)
    conflict = planner.explain(problem, solved(problem), time_limit=30).tables["conflict"]
    laws = {law.source: law for law in laws_of(problem)}

    def status(members: pd.DataFrame) -> Status:
        rules = [laws[name] for name in members.loc[members["kind"] == "rule", "name"]]
        names = members.loc[members["kind"] == "workload", "name"]
        return solved(left_with(problem, rules, names)).status

    assert status(conflict) is Status.INFEASIBLE
    for position in range(len(conflict)):
        assert status(conflict.drop(index=position)) is Status.OPTIMAL


def test_where_the_sum_is_too_much_it_says_how_many_more_hosts_would_do():
    problem = problem_of(estate(*alike(40, 1, 6)), hosts_alike(3, 32, 60))  # 40 at 10 a host take 4.
    explanation = planner.explain(problem, solved(problem), time_limit=30)
    row = confirmed(explanation, "hosts").iloc[0]
    assert (row["change"], row["needed"], row["smallest"]) == ("1 more host like h0", "1", "yes")
    assert confirmed(explanation, "workloads").iloc[0]["change"] == "leaving out 10 workloads"
    text = str(explanation).replace("\n    ", " ")
    assert "No short list of workloads is to blame" in text
    assert "adding up memory is enough to see that the hosts do not suffice" in text


def test_what_is_not_proven_is_said_to_be_open():
    problem = problem_of(*MEMORY_BOUND)
    result = solved(problem)
    weaker = dataclasses.replace(
        result.bound, value=3.0, evidence=tuple(group | {"value": 3.0} for group in result.bound.evidence)
    )
    doubtful = dataclasses.replace(result, status=Status.FEASIBLE, bound=weaker)
    text = str(planner.explain(problem, doubtful, time_limit=3)).replace("\n    ", " ")
    assert "uses 4 hosts and at least 3 hosts are needed" in text
    assert "whether 3 would do is not known" in text
    unbounded = planner.explain(problem, dataclasses.replace(result, bound=None), time_limit=3)
    assert "No lower bound is proven, so nobody knows" in str(unbounded)
    neither = dataclasses.replace(result, status=Status.UNKNOWN, plan=None, bound=None)
    assert "Nobody knows: none was found in time" in str(planner.explain(problem, neither, time_limit=3))


def test_a_saving_that_might_be_had_without_the_step_is_not_put_down_to_it():
    problem = problem_of(*MEMORY_BOUND)
    result = solved(problem)
    groups = tuple(group | {"value": 2.0} for group in result.bound.evidence)
    weaker = dataclasses.replace(result, bound=dataclasses.replace(result.bound, value=2.0, evidence=groups))
    row = planner.explain(problem, weaker, time_limit=20).tables["binding"].iloc[0]
    assert (row["resource"], row["step"], row["after"], row["due"]) == ("memory", "16 GiB more a host", 3, "not known")


def test_cost_is_explained_in_money():
    models = machines(("a", 32, 60), ("b", 64, 120), price=[1000, 1900])
    explanation = explained(problem_of(estate(*alike(40, 1, 6)), models=models, objective="cost"))
    memory = explanation.tables["binding"].set_index("resource").loc["memory"]
    assert memory["binding"] == "yes"
    assert memory["saved"] == memory["before"] - memory["after"] > 0
    assert (memory["unit"], memory["due"]) == ("EUR", "yes")
    assert "The estate needs 7,800.00 EUR, and less is impossible: the hosts of any plan offer" in str(explanation)
    changes = explanation.tables["changes"]
    better = changes[changes["status"] == "confirmed"]
    assert (better["after"] <= better["before"] * 0.99).all() and len(better)


@pytest.mark.parametrize(
    ("mode", "hosts", "expected"),
    [("share", 0, 2.0), ("share", 1, 4.0), ("spare", 1, 3.0)],
)
def test_division_counts_the_largest_hosts_first_and_the_reserve(mode, hosts, expected):
    # 70 GiB on hosts of 50, 40, 20, 20: 50 + 20 of 40 are 1.5 hosts; without the 50, 40 + 20 + 10 of 20 are 2.5.
    problem = problem_of(
        estate(*alike(7, 1, 10)),
        machines(("h0", 32, 50), ("h1", 32, 40), ("h2", 32, 20), ("h3", 32, 20)),
        policy=Policy(failover=Failover(hosts=hosts, mode=mode)),
    )
    memory = reckoned(problem).set_index("resource").loc["memory"]
    assert memory["alone"] == 1.5
    assert memory["hosts_by_division"] == expected


def test_division_says_where_the_hosts_do_not_suffice():
    memory = reckoned(problem_of(estate(*alike(7, 1, 10)), hosts_alike(1, 32, 50))).set_index("resource").loc["memory"]
    assert np.isinf(memory["alone"]) and np.isnan(memory["hosts_by_division"])


def test_first_fit_leaves_out_what_finds_no_room():
    problem = problem_of(estate(("a", 1, 6), ("b", 1, 5), ("c", 1, 4), ("d", 1, 3)), hosts_alike(4, 32, 10))
    trials = Trials(Clock(limit=10), 1)
    assert without_host(problem, "", 1, trials) == ["b", "d"]
    assert without_host(problem, "", 2, trials) == []


@st.composite
def problems(draw):
    count = draw(st.integers(3, 9))
    sizes = draw(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 9)), min_size=count, max_size=count))
    labels = draw(st.lists(st.sampled_from(["", "", "x"]), min_size=count, max_size=count))
    workloads = estate(*[(f"w{i}", cpu, memory) for i, (cpu, memory) in enumerate(sizes)], keep_apart=labels)
    policy = Policy(
        overcommit=planner.Overcommit(cpu=draw(st.sampled_from([1.0, 1.5]))),
        headroom=planner.Headroom(memory=draw(st.sampled_from([0.0, 0.1]))),
        failover=Failover(hosts=draw(st.integers(0, 1))),
    )
    rules = [KeepTogether(["w0", "w1"])] if draw(st.booleans()) else []
    return drawn_problem(workloads, hosts_alike(draw(st.integers(2, 8)), 8, 16), policy=policy, rules=rules)


def applied(problem: planner.Problem, row) -> planner.Problem:
    """The problem with a change as its row tells it, by the public `replace` alone."""
    match row.kind:
        case "setting":
            part, key = row.change.split(" = ")[0].split(".")
            changed = dataclasses.replace(getattr(problem.policy, part), **{key: float(row.needed)})
            return problem.replace(policy=dataclasses.replace(problem.policy, **{part: changed}))
        case "hosts":
            added = hosts_alike(int(row.needed), 8, 16).assign(name=lambda f: "more-" + f["name"])
            return problem.replace(
                inventory=problem.inventory.with_hosts(pd.concat([problem.inventory.hosts, added], ignore_index=True))
            )
        case "workloads":
            return problem.without(row.needed.split(", "))
    dropped = [law for law in laws_of(problem) if law.source in row.change or "all" in row.change]
    return without_laws(problem, dropped)


@examples(8, suppress_health_check=list(HealthCheck))
@given(problems())
def test_whatever_is_confirmed_really_holds_and_whatever_is_impossible_does_not(problem):
    result = solved(problem)
    changes = planner.explain(problem, result, time_limit=20).tables["changes"]
    for row in changes.itertuples():
        assert row.status in ("confirmed", "not found" if row.kind == "workloads" else "impossible")
        if row.needed:  # Blank where no list of workloads was found to be enough.
            again = solved(applied(problem, row))
            better = again.plan is not None and (result.plan is None or again.hosts_used < result.hosts_used)
            assert better == (row.status == "confirmed"), row


@examples(15, suppress_health_check=list(HealthCheck))
@given(problems(), st.data())
def test_leaving_workloads_out_is_building_without_them(problem, data):
    names = problem.workloads["name"].tolist()
    out = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=len(names) - 1))
    part = problem.without(out)
    kept = problem.inventory.workloads[~problem.inventory.workloads["name"].isin(out)].reset_index(drop=True)
    together = [rule for rule in problem.rules if not {"w0", "w1"} & set(out)]
    built = problem.replace(inventory=dataclasses.replace(problem.inventory, workloads=kept, rules=()), rules=together)
    np.testing.assert_array_equal(part.demand, built.demand)
    assert part.workloads["name"].tolist() == built.workloads["name"].tolist()
    np.testing.assert_array_equal(part.laws.heads, built.laws.heads)
    assert [law.members.tolist() for law in part.laws.apart] == [law.members.tolist() for law in built.laws.apart]
    with pytest.raises(ValueError, match="read-only"):
        part.demand[0] = 0


def test_the_same_seed_explains_the_same():
    problem = problem_of(*MEMORY_BOUND, rules=[KeepApart(["w0", "w1"])])
    first, second = explained(problem, seed=3), explained(problem, seed=3)
    assert first.tables.keys() == second.tables.keys()
    for name, table in first.tables.items():
        pd.testing.assert_frame_equal(table, second.tables[name])


def test_stop_leaves_open_what_was_not_asked():
    problem = problem_of(*MEMORY_BOUND)
    explanation = planner.explain(problem, solved(problem), should_stop=lambda: True)
    assert (explanation.solves, explanation.complete) == (0, False)
    assert set(explanation.tables["changes"]["status"]) == {"not tried"}
    assert "Open, since neither a plan nor a proof was found in time" in str(explanation)


def test_the_time_limit_is_kept():
    problem = problem_of(hard_estate(120), models=machines(("m", 550, 1834), storage_gib=21450))
    explanation = planner.explain(problem, planner.solve(problem, time_limit=3), time_limit=2)
    assert explanation.seconds < 6
    assert not explanation.complete


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"result": "plan"}, "result: found str, expected the Result of planner.solve"),
        ({"time_limit": -1}, "time_limit: found -1"),
        ({"objective": "cost"}, "result: found least hosts, the problem asks for least cost"),
        ({"more": True}, "result: found a plan that breaks this problem (workload 'w12' is on no host)"),
    ],
)
def test_bad_input_is_named(change, message):
    problem = problem_of(*MEMORY_BOUND)
    result = change.get("result", solved(problem))
    if "objective" in change:
        problem = problem.replace(objective="cost")
    if "more" in change:
        problem = problem_of(estate(*alike(13, 1, 16)), MEMORY_BOUND[1])
    with pytest.raises(InputError) as error:
        planner.explain(problem, result, time_limit=change.get("time_limit", 1))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["w99"], "without: found workload 'w99'; did you mean 'w9'?"),
        ([f"w{number}" for number in range(12)], "without: found all 12 workloads, expected at least one to stay"),
    ],
)
def test_leaving_out_what_is_not_there_or_everything_is_an_error(names, message):
    with pytest.raises(InputError) as error:
        problem_of(*MEMORY_BOUND).without(names)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["small_company", "medium_estate", "rvtools_800"])
def test_the_samples_are_explained_completely(name):
    explanation = explained(planner.Problem.build(planner.read(sample(name))), time_limit=60)
    assert explanation.complete
    titles = explanation.sentences["part"].unique().tolist()
    assert titles == [
        "What binds",
        "Why not one host fewer",
        "What would make one host fewer possible",
        "Spreadsheet against packing",
    ]
    assert set(explanation.tables["proof"]["proven"]) == {"yes"}
    assert set(explanation.tables["changes"]["status"]) <= {"confirmed", "impossible"}


def test_the_workbook_and_the_document_hold_the_explanations(tmp_path):
    plan, document = tmp_path / "plan.xlsx", tmp_path / "plan.json"
    out = run("solve", sample("small_company"), "--explain", "--out", plan, "--json", document).stdout
    assert "Why not one host fewer" in out
    book = openpyxl.load_workbook(plan)
    assert {"Explanations", "What binds", "Why not fewer", "What would save", "Adding up"} <= set(book.sheetnames)
    assert book["Explanations"]["A2"].value == "What binds"
    found = json.loads(document.read_text())["explanations"]
    assert set(found) == {"sentences", "binding", "proof", "changes", "division"}
    assert "accepted" in run("check", sample("small_company"), plan).stdout
    assert "accepted" in run("check", sample("small_company"), document).stdout


def test_a_plan_that_is_not_explained_is_written_as_before(tmp_path):
    problem = problem_of(*MEMORY_BOUND)
    result = solved(problem)
    path = planner.write(planner.report(problem, result.plan, result=result), tmp_path / "plan.xlsx")
    assert "Explanations" not in openpyxl.load_workbook(path).sheetnames


def test_the_command_line_explains_why_there_is_no_plan(tmp_path):
    vms, hosts, document = tmp_path / "vms.csv", tmp_path / "hosts.csv", tmp_path / "out.json"
    estate(*alike(4, 1, 6)).to_csv(vms, index=False)
    hosts_alike(3, 32, 10).to_csv(hosts, index=False)
    done = run("solve", vms, "--hosts", hosts, "--policy", "raw", "--explain", "--json", document, code=1)
    assert "1 more host like h0: a plan was found." in done.stdout
    names = [row["name"] for row in json.loads(document.read_text())["explanations"]["conflict"]]
    assert names == ["w0", "w1", "w2", "w3"]
