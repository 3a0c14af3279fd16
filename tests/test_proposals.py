"""Rules that an RVTools export proposes: what is harvested, what a switch changes, and what a written plan keeps."""

from __future__ import annotations

import openpyxl
import pandas as pd
import pytest

import planner
from planner import Forbid, InputError, KeepApart, KeepTogether, Pin, Policy
from planner.inventory import Inventory
from planner.proposals import CPU_RESERVATION, to_frame
from planner.readers.formats import rvtools
from planner.readers.joining import inventory_of
from tests.conftest import machines, plan_of, solved
from tests.test_cli import run
from tests.test_readers_constraints import disk, host, keys, problem, proposal, ruled, store, three
from tests.test_readers_rvtools import export, messages, read, vm

# Disks


@pytest.mark.parametrize(
    ("cells", "rule", "on"),
    [
        ({"Shared Bus": "physicalSharing"}, KeepApart, True),
        ({"Shared Bus": "virtualSharing"}, KeepTogether, True),
        ({"Shared Bus": "noSharing", "Sharing mode": "sharingMultiWriter"}, KeepApart, False),
    ],
)
def test_vms_that_share_a_disk(cells, rule, on):
    disks = [disk(name, "[ds] a/quorum.vmdk", **cells) for name in "ab"] + [disk("c", "[ds] c/c.vmdk", **cells)]
    (one,) = read(vm("a"), vm("b"), vm("c"), vHost=three(), vDisk=disks).proposals
    assert (one.rules, one.on, one.sheet, one.row) == ((rule(["a", "b"]),), on, "vDisk", 2)


def test_a_path_that_stands_twice_without_sharing_says_nothing():
    disks = [disk(name, "[ds] a/a.vmdk", **{"Shared Bus": "noSharing", "Sharing mode": "sharingNone"}) for name in "ab"]
    assert read(vm("a"), vm("b"), vHost=three(), vDisk=disks).proposals == ()


def test_raw_disks_in_physical_mode_are_off_and_would_pin():
    raw = {"Raw": "True", "Raw Comp. Mode": "physicalMode"}
    rows = [vm("a", Host="esx01"), vm("b", Host="esx02"), vm("c", Host="esx01")]
    disks = [disk("a", **raw), disk("b", **raw), disk("c", **(raw | {"Raw Comp. Mode": "virtualMode"}))]
    inventory = read(*rows, vHost=three(), vDisk=disks)
    (one,) = inventory.proposals
    assert one.rules == (Pin(["a"], ["esx01"]), Pin(["b"], ["esx02"]))
    assert not one.on and "which hosts see the LUN" in one.why
    assert any(message.startswith("1 VM with raw disks") for message in messages(inventory, "information"))


# Reservations, limits, latency


def memory(name: str, **cells) -> dict:
    return {"VM": name, "VM UUID": f"uuid of {name}", "Size MiB": 8192.0} | cells


def test_reserved_memory_can_be_switched_off():
    inventory = read(vm("a"), vm("b"), vHost=three(), vMemory=[memory("a", Reservation=4096.0), memory("b")])
    one = proposal(inventory, "reservation/memory")
    assert (one.on, one.workloads, one.sheet, one.row) == (True, 1, "vMemory", 2)
    assert inventory.workloads["memory_reservation_gib"].tolist() == [4, 0]
    off = inventory.switch(off=["reservation/memory"])
    assert off.workloads["memory_reservation_gib"].tolist() == [0, 0]
    assert off.switch(on=["reservation/*"]).workloads["memory_reservation_gib"].tolist() == [4, 0]


def test_reserved_cpu_is_a_limit_of_hosts_and_can_be_switched_off():
    cpus = [{"VM": name, "VM UUID": f"uuid of {name}", "CPUs": 2, "Reservation": 50000.0} for name in "ab"]
    inventory = read(vm("a"), vm("b"), vHost=three(), vCPU=cpus)
    built = problem(inventory)
    assert built.extra_resources == (CPU_RESERVATION,)
    assert built.hosts[CPU_RESERVATION].tolist() == pytest.approx([32 * 2.4] * 3)
    assert solved(built).hosts_used == 2, "50 GHz twice do not fit into 76.8"
    assert solved(problem(inventory.switch(off=["reservation/cpu"]))).hosts_used == 1
    assert any(v.resource == CPU_RESERVATION for v in planner.check(built, plan_of(("a", "esx01"), ("b", "esx01"))))


def test_a_limit_on_memory_is_off_until_somebody_switches_it_on():
    inventory = read(vm("a"), vm("b"), vHost=three(), vMemory=[memory("a", Limit=2048.0), memory("b", Limit=-1)])
    assert (proposal(inventory, "limit/memory").on, inventory.workloads["memory_gib"].tolist()) == (False, [8, 8])
    assert inventory.switch(on=["limit/*"]).workloads["memory_gib"].tolist() == [2, 8]


def test_limited_cpu_is_noted():
    cpus = [{"VM": "a", "VM UUID": "uuid of a", "CPUs": 2, "Limit": 1000}]
    inventory = read(vm("a"), vHost=three(), vCPU=cpus)
    assert inventory.proposals == ()
    assert any(message.startswith("1 VM with limited CPU: no rule") for message in messages(inventory, "information"))


def test_high_latency_sensitivity_keeps_all_memory():
    rows = [vm("a", **{"Latency Sensitivity": "high"}), vm("b", **{"Latency Sensitivity": "normal"})]
    sheet = [memory("a", Reservation=1024.0), memory("b")]
    inventory = read(*rows, vHost=three(), vMemory=sheet)
    assert inventory.workloads["memory_reservation_gib"].tolist() == [8, 0]
    assert inventory.switch(off=["latency/*"]).workloads["memory_reservation_gib"].tolist() == [1, 0]
    assert inventory.switch(off=["*"]).workloads["memory_reservation_gib"].tolist() == [0, 0]


def test_figures_follow_vms_that_are_included_later():
    rows = [vm("a"), vm("b", Powerstate="poweredOff")]
    sheet = [memory("a", Reservation=1024.0), memory("b", Reservation=2048.0)]
    inventory = read(*rows, vHost=three(), vMemory=sheet).switch(off=["reservation/memory"]).include("powered off")
    assert inventory.workloads["memory_reservation_gib"].tolist() == [0, 0]
    assert inventory.switch(on=["*"]).workloads["memory_reservation_gib"].tolist() == [1, 2]


def test_a_broken_cell_of_a_constraint_is_noted_and_never_refuses_the_file():
    inventory = read(vm("a"), vHost=three(), vMemory=[memory("a", Limit="plenty")])
    assert any("1 cell without a number, such as 'plenty'" in message for message in messages(inventory, "ignored"))


# Clusters


def test_fault_domains_are_a_column_of_hosts_and_a_proposal_that_is_off():
    hosts = [host(f"esx0{n}", **{"vSAN Fault Domain Name": domain}) for n, domain in enumerate("AABB", start=1)]
    inventory = read(ruled("a", "apart"), ruled("b", "apart"), vHost=hosts)
    assert inventory.hosts["fault_domain"].tolist() == list("AABB")
    one = proposal(inventory, "vsan/fault-domains")
    assert (one.rules, one.on) == ((KeepApart(["a", "b"], within="fault_domain"),), False)
    together = plan_of(("a", "esx01"), ("b", "esx02"))
    assert planner.check(problem(inventory), together) == []
    assert planner.check(problem(inventory.switch(on=["vsan/*"])), together) != []


def test_ha_settings_are_a_proposal_on_the_policy():
    row = {"Name": "c", "HA enabled": "True", "Failover Level": 2, "AdmissionControlEnabled": "True"}
    inventory = read(vm("a", Cluster="c"), vHost=three(Cluster="c"), vCluster=[row])
    assert not proposal(inventory, "ha/failover").on
    assert problem(inventory).policy.failover.hosts == 0
    on = problem(inventory.switch(on=["ha/failover"]))
    assert (on.policy.failover.hosts, on.policy.name) == (2, "raw, adjusted")
    assert solved(on).hosts_used == 3
    assert problem(inventory.switch(on=["ha/*"]), policy=Policy.preset("conservative")).policy.failover.hosts == 2
    fewer = on.replace(policy="balanced")
    assert fewer.policy.failover.hosts == 1, "a change of the policy goes before the proposal"
    assert not proposal(fewer.inventory, "ha/failover").on


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"HA enabled": "False"}, "1 cluster without HA: nothing restarts there today; c"),
        ({"AdmissionControlEnabled": "False"}, "1 cluster with HA and no admission control: no host is kept; c"),
        ({"Failover Level": None}, "1 cluster whose HA counts no hosts; c"),
    ],
)
def test_ha_that_cannot_be_a_rule_is_noted(cells, said):
    row = {"Name": "c", "HA enabled": "True", "Failover Level": 1, "AdmissionControlEnabled": "True"} | cells
    inventory = read(vm("a", Cluster="c"), vHost=three(Cluster="c"), vCluster=[row])
    assert inventory.proposals == ()
    assert said in messages(inventory, "information")


# Switches


def pair(**sheets) -> Inventory:
    return read(
        ruled("a", "apart"), ruled("b", "apart"), ruled("c", "rule 7"), ruled("d", "rule 7"), vHost=three(), **sheets
    )


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(InputError, match="switch off: found 'drs/apar'; did you mean 'drs/apart'"):
        pair().switch(off=["drs/apar"])
    with pytest.raises(InputError, match="found 'x', expected none"):
        read(vm("a")).switch(on=["x"])


def test_off_goes_before_on():
    assert keys(pair().switch(off=["*"], on=["drs/rule-7/apart"]), on=True) == ["drs/rule-7/apart"]


def test_keys_are_the_same_at_every_read_and_stand_once_over_files():
    first = rvtools.parse(export(ruled("a", "apart"), ruled("b", "apart"), vHost=[host("h1"), host("h2")]))
    second = rvtools.parse(export(ruled("p", "apart"), ruled("q", "apart"), vHost=[host("h3"), host("h4")]))
    assert keys(pair()) == keys(pair())
    joined = inventory_of([first, second])
    assert keys(joined) == ["drs/apart", "drs/apart-2"]
    assert len(problem(joined).rules) == 2


def test_a_plan_keeps_a_rule_while_it_is_on_and_breaks_it_only_then():
    inventory = pair()
    plan = solved(problem(inventory)).plan
    assert plan.placement.set_index("workload")["host"][["a", "b"]].nunique() == 2
    crowded = plan_of(*((name, "esx01") for name in "abcd"))
    found = planner.check(problem(inventory), crowded)
    assert [violation.kind for violation in found] == ["kept apart"]
    assert planner.check(problem(inventory.switch(off=["drs/apart"])), crowded) == []
    assert solved(problem(inventory.switch(off=["drs/*"]))).hosts_used == 1


def test_a_change_of_rules_switches_off_what_it_leaves_out():
    built = problem(pair(), rules=[KeepApart(["c", "d"])])
    assert (built.given_rules, built.rules) == (
        (KeepApart(["c", "d"]),),
        (KeepApart(["c", "d"]), KeepApart(["a", "b"])),
    )
    again = built.replace(objective="hosts")
    assert (again.rules, again.given_rules) == (built.rules, built.given_rules)
    dropped = built.replace(rules=built.given_rules)
    assert dropped.rules == built.given_rules
    assert not proposal(dropped.inventory, "drs/apart").on
    switched = built.replace(inventory=built.inventory.switch(off=["drs/apart"]))
    assert switched.rules == built.given_rules


def test_explaining_takes_proposed_rules_for_rules():
    inventory = read(*(ruled(name, "apart") for name in "abc"), vHost=three())
    built = problem(inventory)
    changes = planner.explain(built, solved(built), time_limit=10).tables["changes"]
    assert "confirmed" in changes[changes["kind"] == "rule"]["status"].tolist()


def test_other_hosts_leave_proposals_that_name_some_of_them():
    stores, disks = [store("two", "esx01, esx02")], [disk("a", "[two] a/a.vmdk")]
    inventory = read(vm("a"), vHost=three(), vDatastore=stores, vDisk=disks)
    kept = inventory.with_hosts(machines(("esx01", 32, 512), ("esx03", 32, 512)))
    assert problem(kept).rules == (Forbid(["a"], ["esx03"]),)
    assert problem(inventory.with_hosts(machines(("new", 32, 512)))).rules == ()


# Written plans


@pytest.mark.parametrize("kind", ["xlsx", "json"])
def test_a_written_plan_keeps_the_switches_and_lists_the_proposals(kind, tmp_path):
    inventory = pair()
    built = problem(inventory.switch(off=["drs/apart"], on=["drs/rule-7/apart"]), rules=[KeepApart(["a", "c"])])
    report = planner.report(built, solved(built).plan)
    pd.testing.assert_frame_equal(report.proposals, to_frame(built.inventory.proposals))
    written = planner.read_plan(planner.write(report, tmp_path / f"plan.{kind}"))
    assert written.switches == {"drs/apart": False, "drs/rule-7/apart": True, "drs/rule-7/together": False}
    assert written.settings["rules"] == (KeepApart(["a", "c"]),), "proposed rules are not retyped"
    again = written.problem(inventory)
    assert again.rules == built.rules
    assert planner.check(again, written.plan) == []


def test_many_workloads_in_a_proposal_do_not_overflow_a_cell(tmp_path):
    stores, count = [store("one", "esx01")], 3000
    rows = [vm(f"virtual-machine-{n:05d}", Memory=64.0, CPUs=0.005, Path="[one] x") for n in range(count)]
    inventory = read(*rows, vHost=three(), vDatastore=stores)
    built = problem(inventory)
    plan = plan_of(*((name, "esx01") for name in inventory.workloads["name"]))
    written = planner.read_plan(planner.write(planner.report(built, plan), tmp_path / "plan.xlsx"))
    assert written.problem(inventory).rules == built.rules


def test_what_a_plan_kept_and_the_export_no_longer_shows_is_noted():
    inventory = read(vm("a"), vHost=three()).switch_as({"drs/gone": True, "drs/off": False})
    notes = inventory.notes[inventory.notes["column"] == "proposed rules"]
    assert notes["subject"].tolist() == ["drs/gone"]


# Command line


@pytest.fixture
def workbook(tmp_path):
    """An export as a file: a and b apart, c and d by a rule of unknown type."""
    book = openpyxl.Workbook()
    for name, found in export(
        ruled("a", "apart"), ruled("b", "apart"), ruled("c", "rule 7"), ruled("d", "rule 7"), vHost=three()
    ).sheets.items():
        sheet = book.create_sheet(name)
        for row in found.rows:
            sheet.append(row)
    del book["Sheet"]
    book.save(tmp_path / "rv.xlsx")
    return tmp_path / "rv.xlsx"


def test_the_command_line_lists_switches_and_checks_with_the_switches_of_a_plan(workbook, tmp_path):
    plan = tmp_path / "plan.xlsx"
    listed = run("inspect", workbook, "--switch-off", "drs/apart", "--switch-on", "drs/*/together").stdout
    states = [line.split("│")[1:3] for line in listed.splitlines() if "drs/" in line.split("│")[1:2].__str__()]
    assert [(key.strip(), on.strip()) for key, on in states] == [
        ("drs/apart", "off"), ("drs/rule-7/apart", "off"), ("drs/rule-7/together", "on"),
    ]  # fmt: skip
    out = run("solve", workbook, "--policy", "raw", "--switch-off", "drs/apart", "--out", plan).stdout
    assert "proposed rules: 0 on, 3 off" in out
    assert "Proposed rules" in openpyxl.load_workbook(plan).sheetnames
    assert "accepted" in run("check", workbook, plan).stdout, "the plan brings its switches"
    assert "kept apart" in run("check", workbook, plan, "--switch-on", "drs/apart", code=1).stdout
    assert "did you mean 'drs/apart'" in run("solve", workbook, "--switch-off", "drs/apar", code=2).stderr


def test_a_plan_that_keeps_what_the_export_does_not_show_says_so(workbook, tmp_path):
    plan, other = tmp_path / "plan.json", tmp_path / "other.xlsx"
    run("solve", workbook, "--policy", "raw", "--json", plan)
    book = openpyxl.load_workbook(workbook)
    for cells in book["vInfo"].iter_rows(min_row=2):
        for cell in cells:
            cell.value = None if cell.value == "apart" else cell.value
    book.save(other)
    assert "drs/apart: a proposed rule that the plan keeps" in run("check", other, plan).stdout
