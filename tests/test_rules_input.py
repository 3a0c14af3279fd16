"""Where rules come from, and rules that cannot hold: found when the Problem is made, each named with its source."""

from __future__ import annotations

import io
import re

import openpyxl
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
    Maintenance,
    NumaFit,
    Pin,
    Policy,
    RequireTag,
    Reserve,
    rules,
)
from planner.writers.template import write_template
from tests.conftest import ROOT, estate, machines, problem_of, solved

HOSTS = machines(("esx01", 8, 8), ("esx02", 8, 8), ("esx03", 4, 4), rack=["R1", "R2", ""], tags=["linux", "linux", ""])
TRIO = estate(("sql-1", 1, 6), ("sql-2", 1, 2), ("web", 1, 1), application=["erp", "erp", "shop"])

EVERY_RULE = (
    KeepTogether(["a", "b"]),
    KeepApart("sql-*", within="rack", at_most=2),
    KeepApart("tag:dmz", others=["tag:lan", "x"]),
    Pin("fw-*", hosts=["esx01", "esx02"]),
    Forbid("*", hosts="rack:R1"),
    RequireTag("os:*windows*", "windows"),
    AvoidTag("pool:Berlin", "old"),
    NumaFit("db-*"),
    Limit("application:erp", most_hosts=2),
    Reserve("esx01", cores=2, memory_gib=16.5),
    Maintenance("esx09"),
    Cap("esx*", most_workloads=40),
)


def test_every_rule_reads_back_from_toml(tmp_path):
    assert {type(rule) for rule in EVERY_RULE} == set(rules.KINDS.values())
    path = tmp_path / "rules.toml"
    path.write_text(rules.to_toml(EVERY_RULE), encoding="utf-8")
    found = rules.read_rules(path)
    assert found == EVERY_RULE
    assert found[3].source == "rules.toml, rule 4"


def test_rules_are_shown_as_a_table():
    shown = rules.to_frame(EVERY_RULE)
    assert shown.iloc[2].tolist() == ["KeepApart", "tag:dmz", "others tag:lan, x", ""]
    assert shown["applies_to"].iloc[-1] == "esx*"


def test_a_rules_file_in_another_encoding_is_refused():
    with pytest.raises(InputError, match=r"site\.toml: expected TOML in UTF-8"):
        rules.from_toml("# Größe".encode("latin-1"), "site.toml")


def test_every_rule_has_its_row_in_the_docs():
    rows = [line for line in (ROOT / "docs" / "rules.md").read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    assert {re.match(r"\| `(\w+)\(", row)[1] for row in rows} == set(rules.KINDS)


REFUSED = {
    "nothing of that name": (KeepApart("sqk-1"), "did you mean 'sql-1'"),
    "no such application": (Limit("application:erpp", 1), "did you mean 'erp'"),
    "no tag at all": (KeepApart("tag:gold"), "no tag is given"),
    "no such host": (Pin("web", "esx1"), "did you mean 'esx01'"),
    "no such tag": (RequireTag("web", "linus"), "did you mean 'linux'"),
    "no such column": (KeepApart("sql-*", within="rak"), "did you mean 'rack'"),
    "a column without entries": (KeepApart("sql-*", within="pool"), "no host has an entry in column 'pool'"),
    "too large for its host": (Pin("sql-1", "esx03"), "'sql-1' may run on 'esx03', and is too large"),
    "more than racks": (KeepApart("*", within="rack"), "3 workloads to spread, 1 at most on each, over 2 racks"),
    "more than hosts": (KeepApart("*"), None),
    "no host left": ([Pin("web", "esx01"), Forbid("web", "esx01")], r"rule 1 \(Pin\) and rule 2 \(Forbid\): no host"),
    "together and apart": ([KeepApart("sql-*"), KeepTogether("sql-*")], "kept together and to be kept apart"),
    "together and on both sides": ([KeepTogether("sql-*"), KeepApart("sql-1", others="sql-2")], "and to be kept apart"),
    "on both sides": (KeepApart("sql-*", others="sql-1"), "'sql-1' is on both sides"),
    "few hosts and apart": ([Limit("sql-*", 1), KeepApart("sql-*")], "2 workloads on at most 1 hosts"),
    "a limit of none": (lambda: Limit("web", 0), "Limit most_hosts: found 0"),
    "half a workload": (lambda: Cap("*", 1.5), "expected a whole number"),
    "no text": (lambda: RequireTag("web", ""), "RequireTag tag: found ''"),
    "sides by racks": (lambda: KeepApart("a", others="b", within="rack"), "expected neither"),
    "not a rule": ("KeepApart", "expected a rule such as"),
    "reserve of a host that is not there": (
        [Pin("web", "esx01"), Reserve("esx9", cores=1)],
        r"rule 2 \(Reserve\): 'esx9' names nothing.*did you mean",
    ),
    "negative reserve": (lambda: Reserve("esx01", cores=-1), "Reserve cores: found -1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_rules_that_cannot_hold_are_refused_by_name(case):
    rule, words = REFUSED[case]
    if words is None:
        assert solved(problem_of(TRIO, HOSTS, rules=[rule])).hosts_used == 3
        return
    with pytest.raises(InputError, match=words):
        made = rule() if callable(rule) else rule
        problem_of(TRIO, HOSTS, rules=made if isinstance(made, list) else [made])


def test_as_many_hosts_to_fail_as_there_are_is_refused():
    with pytest.raises(InputError, match=r"failover.hosts: found 3 hosts to fail and 3"):
        problem_of(TRIO, HOSTS, policy=Policy(failover=Failover(hosts=3)))


def test_rules_of_other_pools_do_not_mix():
    workloads = estate(("a", 1, 1), ("b", 1, 1), ("c", 1, 1), pool=["p", "q", "q"])
    with pytest.raises(InputError, match="belong to 2 pools"):
        problem_of(workloads, models=machines(("r", 4, 4)), rules=[Limit("*", 1)])
    result = solved(problem_of(workloads, models=machines(("r", 4, 4)), rules=[Limit("*", 2)]))
    assert result.hosts_used == 2


def test_columns_of_the_workloads_stand_for_rules():
    columns = {"pin": ["esx02", "", ""], "avoid_tag": ["", "linux", ""], "require_tag": ["", "", "linux"]}
    problem = problem_of(TRIO.assign(**columns, forbid=["", "", "esx01"]), HOSTS)
    placed = solved(problem).plan.placement.set_index("workload")["host"]
    assert placed.to_dict() == {"sql-1": "esx02", "sql-2": "esx03", "web": "esx02"}
    with pytest.raises(InputError, match=r"workload 'sql-1', column pin: 'esx9'.*did you mean"):
        problem_of(TRIO.assign(pin=["esx9", "", ""]), HOSTS)


def test_a_host_in_maintenance_carries_nothing_unless_it_is_included():
    inventory = planner.Inventory.from_frames(workloads=TRIO, hosts=HOSTS.assign(maintenance=["yes", "no", "no"]))
    plan = solved(planner.Problem.build(inventory, policy="raw")).plan
    assert "esx01" not in set(plan.placement["host"])
    problem = planner.Problem.build(inventory.include("maintenance"), policy="raw")
    assert problem.hosts["available"].tolist() == [1, 1, 1]


def workbook(*rules_rows) -> bytes:
    """A template with one workload a row, a host and rules."""
    book = openpyxl.Workbook()
    sheets = {
        "Workloads": [("Name", "vCPUs", "Memory (GiB)"), ("a", 1, 1), ("b", 1, 1), (17, 1, 1)],
        "Hosts": [("Name", "Cores", "Memory (GiB)", "Rack"), ("h1", 8, 8, "R1"), ("h2", 8, 8, "R2")],
        "Rules": rules_rows,
    }
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


HEADINGS = ("Rule", "Workloads", "Hosts", "Within", "At most", "Most workloads", "Memory (MiB)")


def test_rules_stand_in_a_sheet_of_their_own():
    inventory = planner.read(
        workbook(
            HEADINGS,
            ("KeepApart", "a, b", None, "rack", 1),
            (None,),
            ("Pin", 17, "h2"),
            ("Reserve", None, "h*", None, None, None, 2048),
        )
    )
    assert inventory.rules == (KeepApart(["a", "b"], within="rack"), Pin("17", "h2"), Reserve("h*", memory_gib=2))
    assert [rule.source.split(", ", 1)[1] for rule in inventory.rules] == [f"sheet Rules, row {n}" for n in (2, 4, 5)]
    problem = planner.Problem.build(inventory, policy="raw", rules=[KeepApart(["a", "b"], within="rack")])
    assert len(problem.rules) == 3
    assert solved(problem).hosts_used == 2
    assert solved(problem.replace(rules=[])).hosts_used == 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("KeepApar", "a"), "sheet Rules, row 2: found kind 'KeepApar'; did you mean 'KeepApart'"),
        (("Pin", "a"), "row 2: Pin has no 'hosts'"),
        (("Pin", "a", "h1", "rack"), "row 2: found 'within'"),
        (("KeepApart", "a", None, None, "two"), "row 2, column At most: found 'two', expected a whole number"),
        (("KeepApart", "a, c", None), r"sheet Rules, row 2 \(KeepApart\): 'c' names nothing"),
    ],
)
def test_a_row_that_is_no_rule_is_named(row, words):
    with pytest.raises(InputError, match=words):
        planner.Problem.build(planner.read(workbook(HEADINGS, row)), policy="raw")


def test_the_template_has_a_sheet_for_rules(tmp_path):
    path = write_template(tmp_path / "template.xlsx")
    book = openpyxl.load_workbook(path)
    headings = [cell.value for cell in book["Rules"][1]]
    assert headings[:4] == ["Rule", "Workloads", "Others", "Hosts"]
    assert any(row[0].value == "Rules" and row[5].value == "KeepApart" for row in book["Read me"].iter_rows())
