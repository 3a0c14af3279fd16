"""Constraints of an RVTools export as proposals: DRS rules, EVC modes, datastores and networks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Forbid, InputError, KeepApart, KeepTogether, Pin, catalogue
from planner.inventory import Inventory
from planner.proposals import Proposal
from planner.readers.formats.rvtools.evc import included
from tests.conftest import examples, machines, solved
from tests.test_readers_rvtools import HOST, messages, read, vm

RULES, NAMES = "Cluster rule(s)", "Cluster rule name(s)"
EVC = "min Required EVC Mode Key"


def host(name: str, **cells) -> dict:
    return HOST | {"Host": name} | cells


def three(**cells) -> list[dict]:
    return [host(f"esx0{number}", **cells) for number in (1, 2, 3)]


def proposal(inventory: Inventory, key: str) -> Proposal:
    return {one.key: one for one in inventory.proposals}[key]


def keys(inventory: Inventory, on: bool | None = None) -> list[str]:
    return [one.key for one in inventory.proposals if on is None or one.on == on]


def problem(inventory: Inventory, **arguments) -> planner.Problem:
    return planner.Problem.build(inventory, **({"policy": "raw"} | arguments))


def disk(name: str, path: str = "", **cells) -> dict:
    return {"VM": name, "VM UUID": f"uuid of {name}", "Capacity MiB": 1024.0, "Path": path} | cells


def ruled(name: str, rule: str, kind: str | None = None, **cells) -> dict:
    return vm(name, **({NAMES: rule, RULES: kind} | cells))


# DRS rules


@pytest.mark.parametrize(
    ("kind", "name", "rule"),
    [
        ("Anti-Affinity", "sql", KeepApart),
        ("ClusterAntiAffinityRuleSpec", "sql", KeepApart),
        ("Separate Virtual Machines", "sql", KeepApart),
        (None, "sql anti-affinity", KeepApart),
        (None, "SQL apart", KeepApart),
        (None, "sql never together", KeepApart),
        ("Affinity", "sql", KeepTogether),
        ("Keep Virtual Machines Together", "apart", KeepTogether),
        (None, "keep together", KeepTogether),
    ],
)
def test_a_drs_rule_is_proposed_with_its_row(kind, name, rule):
    inventory = read(vm("x"), ruled("a", name, kind), ruled("b", name, kind), vHost=three())
    (one,) = inventory.proposals
    assert one.rules == (rule(["a", "b"]),)
    assert (one.on, one.workloads, one.row, one.column) == (True, 2, 3, NAMES)
    assert one.source == f"rv.xlsx, sheet vInfo, row 3, column {NAMES}"
    assert problem(inventory).rules == one.rules


@pytest.mark.parametrize("name", ["rule 7", "anti-virus"])
def test_a_drs_rule_of_unknown_type_is_off_and_says_so(name):
    inventory = read(ruled("a", name), ruled("b", name), vHost=three())
    assert [type(one.rules[0]) for one in inventory.proposals] == [KeepApart, KeepTogether]
    assert not any(one.on for one in inventory.proposals)
    assert all("does not say" in one.why for one in inventory.proposals)
    assert problem(inventory).rules == ()
    apart = inventory.switch(on=["drs/*/apart"])
    assert problem(apart).rules == (KeepApart(["a", "b"]),)


def test_a_drs_rule_on_hosts_is_off_and_would_pin_to_todays():
    cells = {"kind": "VM-Host Affinity"}
    (one,) = read(ruled("a", "oracle", **cells, Host="esx02"), vHost=three()).proposals
    assert (one.rules, one.on) == ((Pin(["a"], ["esx02"]),), False)


def test_a_vm_may_have_several_rules_with_a_type_each():
    kinds, names = "Anti-Affinity, Affinity", "one, two"
    inventory = read(ruled("a", names, kinds), ruled("b", "one", "Anti-Affinity"), ruled("c", "two"), vHost=three())
    assert proposal(inventory, "drs/one").rules == (KeepApart(["a", "b"]),)
    assert proposal(inventory, "drs/two").rules == (KeepTogether(["a", "c"]),)


def test_rules_of_one_name_in_two_clusters_are_two():
    rows = [ruled(f"{c}{n}", "apart", Cluster=c) for c in "pq" for n in (1, 2)]
    inventory = read(*rows, vHost=[host(f"esx{c}{n}", Cluster=c) for c in "pq" for n in (1, 2)])
    assert keys(inventory) == ["drs/apart", "drs/apart-2"]
    assert [one.members for one in inventory.proposals] == [("p1", "p2"), ("q1", "q2")]


def test_rules_on_vms_alone_need_no_hosts_in_the_export():
    inventory = read(ruled("a", "apart", **{EVC: "intel-icelake", "Path": "[ds] x"}), ruled("b", "apart"))
    assert keys(inventory) == ["drs/apart"]
    assert problem(inventory.with_hosts(machines(("x", 8, 64), ("y", 8, 64)))).rules == (KeepApart(["a", "b"]),)


def test_only_vms_that_are_planned_count():
    off = {"Powerstate": "poweredOff"}
    inventory = read(ruled("a", "apart"), ruled("b", "apart", **off), vHost=three())
    assert inventory.proposals == ()
    assert problem(inventory).rules == ()
    assert problem(inventory.include("powered off")).rules == (KeepApart(["a", "b"]),)


def test_a_rule_of_one_vm_is_noted():
    inventory = read(ruled("a", "apart"), vm("b"), vHost=three())
    assert inventory.proposals == ()
    assert "1 DRS rule of a single VM: forbids nothing; apart" in messages(inventory, "ignored")


def test_a_rule_that_its_cluster_is_too_small_for_is_off():
    inventory = read(*(ruled(name, "apart") for name in "abcd"), vHost=three())
    (one,) = inventory.proposals
    assert (one.on, one.why) == (False, "4 VMs, and their cluster has 3 hosts: nobody can keep it")
    assert len(solved(problem(inventory)).plan.placement) == 4


def test_hosts_in_maintenance_are_no_room_for_a_rule():
    hosts = [host("esx01"), host("esx02", **{"in Maintenance Mode": "True"})]
    stores = [store("one", "esx02")]
    rows = [ruled("a", "apart"), ruled("b", "apart"), vm("c", Host="esx02", Path="[one] c")]
    inventory = read(*rows, vHost=hosts, vDatastore=stores)
    assert keys(inventory, on=True) == []
    assert len(inventory.proposals) == 2
    assert len(solved(problem(inventory)).plan.placement) == 3


def test_rules_that_contradict_each_other_are_not_both_on():
    inventory = read(ruled("a", "apart, together"), ruled("b", "apart, together"), vHost=three())
    assert keys(inventory, on=True) == ["drs/together"]
    assert proposal(inventory, "drs/apart").why == (
        "contradicts 'drs/together', which keeps some of these VMs together"
    )
    with pytest.raises(InputError, match="proposal 'drs/apart'"):
        problem(inventory.switch(on=["drs/apart"]))


def test_names_with_wildcards_select_themselves_alone():
    rows = [ruled("web[1]", "apart"), ruled("host:*", "apart"), vm("web1"), vm("host:x")]
    inventory = read(*rows, vHost=three())
    (law,) = problem(inventory).laws.apart
    assert inventory.workloads["name"].iloc[law.members].tolist() == ["web[1]", "host:*"]


# EVC


def test_a_vm_keeps_off_hosts_below_its_evc_mode():
    hosts = [
        host("esx01", **{"Current EVC": "intel-icelake"}),
        host("esx02", **{"Max EVC": "intel-sapphirerapids"}),
        host("esx03", **{"Current EVC": "intel-skylake", "Max EVC": "intel-icelake"}),
        host("esx04", **{"Max EVC": "amd-zen4"}),
    ]
    inventory = read(vm("new", **{EVC: "intel-icelake"}), vm("old", **{EVC: "intel-nehalem"}), vHost=hosts)
    made = {one.members: one.rules for one in inventory.proposals}
    assert made == {("new",): (Forbid(["new"], ["esx03", "esx04"]),), ("old",): (Forbid(["old"], ["esx04"]),)}
    assert all(one.on and one.key.startswith("evc/") for one in inventory.proposals)


def test_hosts_of_one_baseline_make_no_proposal_but_a_note():
    inventory = read(vm("a", **{EVC: "intel-skylake"}), vHost=three(**{"Current EVC": "intel-skylake"}))
    assert inventory.proposals == ()
    assert [m for m in messages(inventory, "information") if "EVC" in m] == [
        "every owned host of its pool has the EVC mode that a VM needs: no rule is proposed"
    ]


def test_an_unknown_evc_mode_is_noted_and_forbids_nothing():
    inventory = read(vm("a", **{EVC: "intel-skylakes"}), vHost=three(**{"Max EVC": "intel-merom"}))
    assert inventory.proposals == ()
    found = [message for message in messages(inventory, "ignored") if "EVC" in message]
    assert found == [
        "EVC mode 'intel-skylakes' is not in the catalogue: forbids nothing; the nearest is 'intel-skylake'"
    ]


def test_modes_whose_order_is_an_estimate_are_told():
    newest = read(vm("a", **{EVC: "intel-skylake"}), vHost=three(**{"Max EVC": "intel-icelake"}))
    assert any("what intel-icelake has is an estimate of the catalogue" in told for told in messages(newest, "guessed"))
    older = read(vm("a", **{EVC: "intel-merom"}), vHost=three(**{"Max EVC": "intel-skylake"}))
    assert not any("estimate of the catalogue" in message for message in messages(older, "guessed"))


def test_where_no_host_is_left_the_proposal_is_off():
    inventory = read(vm("a", Host="gone", **{EVC: "intel-icelake"}), vHost=three(**{"Max EVC": "intel-merom"}))
    (one,) = inventory.proposals
    assert (one.on, one.why) == (False, "no owned host would be left for them that is not in maintenance")


def test_the_catalogue_orders_baselines_and_has_a_source_for_each():
    table = catalogue.table("evc")
    assert table["key"].is_unique
    assert (table["source"] != "").all() and table["year"].between(2005, 2026).all()
    guessed = table["estimate"].str.split("|").map(set)
    assert set.union(*guessed) <= set(table.columns)
    assert {"amd-zen4", "intel-sapphirerapids"} <= set(table.loc[guessed.map({"key", "includes"}.issubset), "key"])
    assert {key for cell in table["includes"] for key in cell.split("|") if key} <= set(table["key"])
    order = included()
    assert "intel-merom" in order["intel-sapphirerapids"] and "intel-icelake" not in order["intel-skylake"]
    assert "amd-zen" in order["amd-zen4"] and "amd-rev-f" not in order["amd-zen4"]
    assert not any(key.startswith("amd") for key in order["intel-icelake"])


# Datastores and networks


def store(name: str, hosts: str, **cells) -> dict:
    return {"Name": name, "Hosts": hosts, "# Hosts": len(hosts.split(",")), "Capacity MiB": 1024.0} | cells


def test_a_vm_keeps_off_hosts_that_do_not_see_its_datastores():
    stores = [store("all", "esx01, esx02, esx03"), store("two", "esx01, esx02"), store("again", "esx02,esx01")]
    disks = [
        disk("a", "[all] a/a.vmdk"),
        disk("a", "[two] a/b.vmdk"),
        disk("b", "[again] b/b.vmdk"),
        disk("c", "[all] c"),
    ]
    inventory = read(vm("a"), vm("b"), vm("c"), vHost=three(), vDatastore=stores, vDisk=disks)
    (one,) = inventory.proposals
    assert one.rules == (Forbid(["a", "b"], ["esx03"]),), "one for all VMs with the same hosts"
    assert (one.kind, one.sheet, one.row, one.workloads) == ("datastore", "vDatastore", 3, 2)


def test_the_configuration_of_a_vm_lies_on_a_datastore_too_and_hosts_go_by_short_names():
    stores = [store("two", "esx01, esx02")]
    hosts = [host(f"esx0{number}.corp.example") for number in (1, 2, 3)]
    cells = {"Path": "[two] a/a.vmx", "Host": "esx01.corp.example"}
    (one,) = read(vm("a", **cells), vHost=hosts, vDatastore=stores).proposals
    assert one.rules == (Forbid(["a"], ["esx03.corp.example"]),)


def test_hosts_that_all_see_everything_make_no_proposal_but_a_note():
    stores = [store("all", "esx01, esx02, esx03")]
    inventory = read(vm("a"), vHost=three(), vDatastore=stores, vDisk=[disk("a", "[all] a/a.vmdk")])
    assert inventory.proposals == ()
    message = "every owned host of its pool has the datastore that a VM needs: no rule is proposed"
    assert message in messages(inventory, "information")


@pytest.mark.parametrize("cells", [{"Hosts": "other"}, {"# Hosts": 3}, {"Hosts": None, "# Hosts": 0}])
def test_a_datastore_whose_hosts_are_not_told_forbids_nothing(cells):
    stores = [store("two", "esx01, esx02", **cells)]
    inventory = read(vm("a"), vHost=three(), vDatastore=stores, vDisk=[disk("a", "[two] a/a.vmdk")])
    assert inventory.proposals == ()
    assert any(message.startswith("1 datastore of which no owned host") for message in messages(inventory, "ignored"))


def test_a_vm_proves_that_its_host_sees_its_datastores():
    stores = [store("one", "esx01")]
    disks = [disk("a", "[one] a/a.vmdk"), disk("b", "[one] b/b.vmdk")]
    inventory = read(vm("a", Host="esx02"), vm("b"), vHost=three(), vDatastore=stores, vDisk=disks)
    (one,) = inventory.proposals
    assert one.rules == (Forbid(["a", "b"], ["esx03"]),)
    assert any("1 VM on a host that is not listed" in message for message in messages(inventory, "guessed"))


def test_a_vm_below_its_evc_mode_may_stay_but_proves_nothing():
    hosts = [host("esx01", **{"Max EVC": "intel-merom"}), host("esx02", **{"Max EVC": "intel-icelake"})]
    rows = [vm(name, Host=today, **{EVC: "intel-skylake"}) for name, today in (("a", "esx01"), ("b", "esx02"))]
    inventory = read(*rows, vHost=hosts)
    assert [one.rules for one in inventory.proposals] == [(Forbid(["b"], ["esx01"]),)]
    assert any("they may stay there; such as 'a'" in message for message in messages(inventory, "guessed"))


def test_new_hosts_can_be_connected_to_anything():
    stores, disks = [store("one", "esx01")], [disk("a", "[one] a/a.vmdk")]
    inventory = read(vm("a", Memory=1024.0 * 600), vHost=three(), vDatastore=stores, vDisk=disks)
    models = machines(("big", 64, 1024))
    result = solved(problem(inventory, host_models=models))
    assert result.plan.placement["model"].tolist() == ["big"]


def test_what_other_pools_do_not_reach_is_one_proposal_that_is_off():
    rows = [vm(f"vm-{c}", Cluster=c, Host=f"esx{c}", Path=f"[ds{c}] x") for c in "pq"]
    hosts, stores = [host(f"esx{c}", Cluster=c) for c in "pq"], [store(f"ds{c}", f"esx{c}") for c in "pq"]
    inventory = read(*rows, vHost=hosts, vDatastore=stores)
    (one,) = inventory.proposals
    assert (one.key, one.on, one.why) == (
        "local-datastore/other-pools", False, "matters only where pools are merged",
    )  # fmt: skip
    merged = solved(problem(inventory, merge_pools=True))
    kept = solved(problem(inventory.switch(on=["local-datastore/*"]), merge_pools=True))
    assert (merged.hosts_used, kept.hosts_used) == (1, 2)


STANDARD = {"vPort": [{"Host": name, "Port Group": "lan", "Switch": "vSwitch0"} for name in ("esx01", "esx02")]}
DISTRIBUTED = {
    "dvPort": [{"Port": "lan", "Switch": "dvs"}],
    "dvSwitch": [{"Switch": "dvs", "Host members": "esx01, esx02"}],
}
CARDS = {"vNetwork": [{"VM": "a", "VM UUID": "uuid of a", "Network": "lan"}]}


@pytest.mark.parametrize("sheets", [STANDARD, DISTRIBUTED, STANDARD | DISTRIBUTED])
@pytest.mark.parametrize(("cells", "cards"), [({"Network #1": "lan"}, {}), ({"Network #3": "lan"}, {}), ({}, CARDS)])
def test_a_vm_keeps_off_hosts_without_its_port_groups(sheets, cells, cards):
    inventory = read(vm("a", **cells), vm("b"), vHost=three(), **sheets, **cards)
    (one,) = inventory.proposals
    assert (one.kind, one.rules) == ("network", (Forbid(["a"], ["esx03"]),))


def test_sheets_of_ports_that_name_no_host_propose_nothing():
    ports = [{"VM": "a", "Network": "lan", "Port Group": "lan"}]
    assert read(vm("a", **{"Network #1": "lan"}), vHost=three(), vPort=ports, dvPort=ports).proposals == ()


def test_vcenters_have_their_own_datastores():
    stores = [store("ds", "esx01", **{"VI SDK UUID": "v1"}), store("ds", "esx02, esx03", **{"VI SDK UUID": "v2"})]
    rows = [vm(v, Path="[ds] x", Host="", **{"VI SDK UUID": v}) for v in ("v1", "v2")]
    inventory = read(*rows, vHost=three(), vDatastore=stores)
    assert [one.rules[0].hosts for one in inventory.proposals] == [("esx01",), ("esx02", "esx03")]


def test_disks_on_a_datastore_of_one_host_move_with_their_vm_unless_asked_otherwise():
    stores = [store(f"local-{n}", f"esx0{n}") for n in (1, 2, 3)]
    rows = [vm(f"vm{n}", Host=f"esx0{n}", Path=f"[local-{n}] x") for n in (1, 2, 3)]
    inventory = read(*rows, vHost=three(), vDatastore=stores)
    assert {(one.kind, one.on) for one in inventory.proposals} == {("local-datastore", False)}
    kept = inventory.switch(on=["local-datastore/*"])
    assert [solved(problem(one)).hosts_used for one in (inventory, kept)] == [1, 3]


@examples(40)
@given(st.data())
def test_forbidden_is_exactly_what_is_out_of_reach(data):
    names = [f"esx0{number}" for number in range(1, 6)]
    subsets = st.lists(st.sampled_from(names), min_size=1, unique=True)
    seen = {f"ds{number}": data.draw(subsets) for number in range(4)}
    rows, disks, needed = [], [], {}
    proven = {name: set(hosts) for name, hosts in seen.items()}
    for number in range(6):
        needs = data.draw(st.lists(st.sampled_from(sorted(seen)), min_size=1, unique=True))
        today = data.draw(st.sampled_from(names))
        rows.append(vm(f"vm{number}", Host=today))
        disks += [disk(f"vm{number}", f"[{name}] x") for name in needs]
        needed[f"vm{number}"] = needs
        for name in needs:
            proven[name].add(today)
    stores = [store(name, ", ".join(hosts)) for name, hosts in seen.items()]
    inventory = read(*rows, vHost=[host(name) for name in names], vDatastore=stores, vDisk=disks)
    built = problem(inventory.switch(on=[one.key for one in inventory.proposals]))
    number, permitted = built.laws.permitted
    for at, name in enumerate(built.workloads["name"]):
        assert set(built.hosts["name"][permitted[number[at]]]) == set(names).intersection(
            *(proven[thing] for thing in needed[name])
        )
    assert len({(one.kind, one.rules[0].hosts) for one in inventory.proposals}) == len(inventory.proposals)
