"""Lists of one's own whose rows or sheets are not what they seem: hypervisors, templates, sections, several VMs."""

from __future__ import annotations

import pytest

import planner
from planner import readers
from planner.readers.mapping import Mapping
from tests.test_mapping import csv_of, notes, refusal, workbook

VMS = [["VM", "vCPU", "RAM GB", "Disk GB"], ["a", 2, 4, 40], ["b", 2, 4, 40]]
SIZES = ["name", "vcpus", "memory_gib", "storage_gib"]


def rows_of(inventory: planner.Inventory) -> list[list]:
    return inventory.workloads[SIZES].to_numpy().tolist()


@pytest.mark.parametrize(
    ("heading", "kind", "headings"),
    [
        ("Type", "Host", ["CPU", "RAM (GB)", "Disk (GB)"]),
        ("Typ", "ESXi-Host", ["Kerne", "RAM (GB)", "Platte (GB)"]),
        ("Art", "Hypervisor", ["Kerne", "RAM (GB)", "Platte (GB)"]),
        ("Role", "ESXi", ["vCPU", "RAM (GB)", "Disk (GB)"]),
    ],
)
def test_a_hypervisor_among_vms_is_left_out_and_told(heading, kind, headings):
    rows = [
        ["Name", heading, *headings],
        ["esx1", kind, 32, 512, 2000],
        ["v1", "VM", 4, 16, 100],
        ["v2", "VM", 4, 16, 9],
    ]
    for source in (workbook(Inventory=rows), csv_of(rows)):
        inventory = planner.read(source)
        assert rows_of(inventory) == [["v1", 4, 16, 100], ["v2", 4, 16, 9]]
        message = notes(inventory, "suspicious")[0]
        assert f"1 row that {heading!r} calls {kind!r} among others, such as 'esx1' in row 2: left out" in message


def test_a_list_in_which_all_are_called_hosts_keeps_them():
    rows = [["Name", "Type", "CPU", "RAM (GB)", "Disk (GB)"], ["p1", "Host", 32, 512, 2000], ["p2", "Host", 4, 16, 100]]
    assert [row[0] for row in rows_of(planner.read(csv_of(rows)))] == ["p1", "p2"]


@pytest.mark.parametrize(
    ("headings", "yes", "no"),
    [
        (["VM", "Template", "vCPU", "RAM (GB)", "Disk (GB)"], "TRUE", "FALSE"),
        (["Maschine", "Vorlage", "Kerne", "RAM (GB)", "Platte (GB)"], "ja", "nein"),
    ],
)
def test_a_template_that_a_column_of_its_own_marks_is_not_planned(headings, yes, no):
    inventory = planner.read(csv_of([headings, ["t1", yes, 2, 4, 40], ["a", no, 2, 4, 40], ["b", None, 2, 4, 40]]))
    assert [row[0] for row in rows_of(inventory)] == ["a", "b"]
    assert inventory.left_out[["name", "reason"]].to_numpy().tolist() == [["t1", "template"]]
    assert f"1 row that {headings[1]!r} marks: read as a template" in notes(inventory, "converted")


def test_a_template_that_a_column_of_kinds_calls_so_is_not_planned():
    rows = [["Name", "Type", "vCPU", "RAM (GB)", "Disk (GB)"], ["t", "Template", 2, 4, 40], ["a", "VM", 2, 4, 40]]
    inventory = planner.read(csv_of(rows))
    assert (list(inventory.workloads["name"]), list(inventory.left_out["name"])) == (["a"], ["t"])


def test_the_system_of_a_hypervisor_among_others_is_suspicious():
    rows = [["Name", "OS", "CPU", "RAM (GB)", "Disk (GB)"], ["esx1", "VMware ESXi 8.0", 32, 512, 2000]]
    inventory = planner.read(csv_of([*rows, ["a", "Debian 12", 2, 4, 40]]))
    said = "1 row with 'VMware ESXi 8.0' under 'OS' among others, such as row 2: is that a host, not a workload?"
    assert said in notes(inventory, "suspicious")


def test_a_template_keeps_the_state_of_the_others():
    rows = [["VM", "Power", "Template", "vCPU", "RAM GB"], ["t", "off", "yes", 2, 4], ["a", "on", "no", 2, 4]]
    inventory = planner.read(csv_of([*rows, ["b", "off", "no", 2, 4]]))
    assert list(inventory.workloads["name"]) == ["a"]
    assert dict(zip(inventory.left_out["name"], inventory.left_out["reason"], strict=True)) == {
        "t": "template",
        "b": "powered off",
    }


@pytest.mark.parametrize("headings", [VMS[0], ["Maschine", "Kerne", "RAM GB", "Platte GB"]])
def test_names_of_sections_are_no_machines(headings):
    lone = [[text, None, None, None] for text in ("Production", "Test")]
    inventory = planner.read(csv_of([headings, lone[0], *VMS[1:], lone[1], ["c", 2, 4, 40]]))
    assert rows_of(inventory) == [["a", 2, 4, 40], ["b", 2, 4, 40], ["c", 2, 4, 40]]
    said = inventory.notes[inventory.notes["message"].str.contains("name of a section")]
    assert (list(said["kind"]), list(said["count"])) == (["dropped"], [2])
    assert "such as 'Production' in row 2" in said["message"].iloc[0]


def test_names_of_sections_stand_in_the_column_of_names_too():
    rows = [["Nr", *VMS[0]], [None, "Production", None, None, None], [1, *VMS[1]], [2, *VMS[2]]]
    assert rows_of(planner.read(csv_of(rows))) == [["a", 2, 4, 40], ["b", 2, 4, 40]]


def test_rows_without_figures_that_are_most_of_a_list_are_refused():
    rows = [VMS[0], *[[name, None, None, None] for name in "abcd"], ["e", 2, 4, 40]]
    assert "found an empty cell" in refusal(csv_of(rows))


def test_a_row_number_stays_that_of_the_file_below_a_section():
    rows = [VMS[0], ["Production", None, None, None], *VMS[1:], ["c", "many", 4, 40]]
    assert "row 5, column vCPU: found 'many'" in refusal(csv_of(rows))


def test_figures_of_one_machine_are_never_mixed_with_those_of_all():
    headings = [
        "Workload",
        "# VMs",
        "vCPU per VM",
        "RAM per VM (GB)",
        "Total vCPU",
        "Total RAM (GB)",
        "Disk per VM (GB)",
    ]
    inventory = planner.read(csv_of([headings, ["web", 10, 2, 4, 20, 40, 40], ["db", 1, 8, 64, 8, 64, 500]]))
    assert inventory.workloads[[*SIZES, "count"]].to_numpy().tolist() == [["web", 2, 4, 40, 10], ["db", 8, 64, 500, 1]]
    assert "'# VMs' read as how many machines a row stands for" in notes(inventory, "converted")


def test_a_figure_of_all_machines_of_a_row_alone_is_refused():
    headings = ["Workload", "Anzahl VMs", "vCPU je VM", "RAM je VM (GB)", "Platte gesamt (GB)"]
    said = refusal(csv_of([headings, ["web", 10, 2, 4, 400]]))
    assert "found no column of storage that is known, but 'Platte gesamt (GB)'" in said
    said = refusal(csv_of([["Workload", "Anzahl", "vCPU gesamt", "RAM gesamt (GB)"], ["web", 10, 20, 40]]))
    assert "so far 'Workload' as Name" in said and "planner mapping server.csv" in said


def test_a_number_of_vms_that_is_not_read_is_told():
    rows = [["Workload", "Number of VMs", "Total vCPU", "Total RAM (GB)", "Total disk (GB)"], ["web", 10, 20, 40, 400]]
    inventory = planner.read(csv_of(rows))
    assert any("if 'Number of VMs' says how many machines" in text for text in notes(inventory, "suspicious"))


def test_a_number_of_vms_of_hosts_is_no_number_of_hosts():
    hosts = [["Host", "# VMs", "Cores", "RAM GB"], ["h1", 20, 32, 512], ["h2", 25, 32, 512]]
    inventory = planner.read(workbook(VMs=VMS, Hosts=hosts))
    assert list(inventory.hosts["count"]) == [1, 1]
    assert not notes(inventory, "suspicious")


def test_names_twice_and_rows_without_a_name_are_told():
    inventory = planner.read(csv_of([VMS[0], ["a", 2, 4, 40], ["a", 2, 4, 80], [None, 4, 8, 40], ["b", 2, 4, 40]]))
    assert rows_of(inventory) == [["a", 2, 4, 40], ["a (2)", 2, 4, 80], ["b", 2, 4, 40]]
    assert "1 row without a name" in notes(inventory, "dropped")
    message = "1 name that stood above: each read as one more workload, such as 'a (2)' in row 3; counted twice?"
    assert message in notes(inventory, "suspicious")


def test_power_tells_the_state_where_a_status_tells_something_else():
    rows = [["VM", "Status", "Power", "vCPU", "RAM GB", "Disk GB"], ["a", "Normal", "Off", 2, 4, 40]]
    inventory = planner.read(csv_of([*rows, ["b", "Normal", "On", 2, 4, 40]]))
    assert (list(inventory.workloads["name"]), list(inventory.left_out["name"])) == (["b"], ["a"])


def test_a_status_that_alone_tells_no_state_is_refused():
    rows = [["VM", "Status", "vCPU", "RAM GB", "Disk GB"], ["a", "Normal", 2, 4, 40]]
    assert "column Status: found 'Normal', expected on, off" in refusal(csv_of(rows))


@pytest.mark.parametrize(
    ("headings", "row"),
    [
        (["Server", "CPU Model", "CPU", "Cores/CPU", "Total Cores", "RAM GB"], ["Xeon", 2, 16, 32, 512]),
        (["Server", "Cores", "RAM GB"], [32, 512]),
        (["Server", "CPU", "Kerne", "RAM GB"], [2, 32, 512]),
    ],
)
def test_servers_without_storage_beside_vms_are_hosts(headings, row):
    inventory = planner.read(workbook(VMs=VMS, Servers=[headings, ["esx1", *row], ["esx2", *row]]))
    assert rows_of(inventory) == [["a", 2, 4, 40], ["b", 2, 4, 40]]
    assert inventory.hosts[["name", "cores", "memory_gib"]].to_numpy().tolist() == [
        ["esx1", 32, 512],
        ["esx2", 32, 512],
    ]


def test_servers_that_vms_run_on_are_hosts():
    vms = [[*VMS[0], "Host"], [*VMS[1], "p1"], [*VMS[2], "p2"]]
    servers = [["Server", "CPU", "RAM GB", "Disk GB"], ["p1", 32, 512, 900], ["p2", 32, 512, 900]]
    inventory = planner.read(workbook(VMs=vms, Servers=servers))
    assert (list(inventory.workloads["name"]), list(inventory.hosts["cores"])) == (["a", "b"], [32, 32])
    assert "servers beside VMs on sheet 'VMs' that run on them: read as hosts" in notes(inventory, "guessed")


def test_servers_with_storage_beside_vms_are_placed_and_suspicious_where_they_are_as_large_as_hosts():
    servers = [["Server", "CPU", "RAM GB", "Disk GB"], ["p1", 32, 512, 900], ["p2", 32, 512, 900]]
    inventory = planner.read(workbook(VMs=VMS, Servers=servers))
    assert list(inventory.workloads["name"]) == ["a", "b", "p1", "p2"]
    assert any("are they its hosts?" in text for text in notes(inventory, "suspicious"))
    small = [servers[0], ["p1", 2, 4, 40], ["p2", 2, 2, 40]]
    assert not any("hosts?" in text for text in notes(planner.read(workbook(VMs=VMS, Servers=small)), "suspicious"))


@pytest.mark.parametrize(
    ("headings", "row"),
    [
        (["Host", "CPU", "RAM GB"], ["2 x 16 Cores", 512]),
        (["Host", "Logical processors", "RAM GB"], [64, 512]),
        (["Host", "Processors", "Cores each", "RAM GB"], [2, 16, 512]),
    ],
)
def test_a_sheet_of_hosts_that_cannot_be_read_is_refused_with_the_way_to_say_what_it_means(headings, row):
    said = refusal(workbook(VMs=VMS, Hosts=[headings, ["esx1", *row], ["esx2", *row]]))
    assert said.startswith("server.xlsx, sheet Hosts: ")
    assert "planner mapping server.xlsx" in said
    proposed = [one.mapped for one in readers.suggestions(workbook(VMs=VMS, Hosts=[headings, ["esx1", *row]]))]
    assert [one.table for one in proposed] == ["workloads", "hosts"]
    alone = Mapping(tables=tuple(proposed[:1]))
    inventory = planner.read(workbook(VMs=VMS, Hosts=[headings, ["esx1", *row]]), mapping=alone)
    assert (list(inventory.workloads["name"]), list(inventory.hosts["name"])) == (["a", "b"], [])


def test_a_sheet_called_hosts_without_any_is_passed_over():
    inventory = planner.read(workbook(VMs=VMS, Hosts=[["Note"], ["see the wiki"]]))
    assert "no table of workloads or hosts" in notes(inventory, "ignored")


@pytest.mark.parametrize(
    ("title", "headings"),
    [
        ("Physical servers", ["Server", "Sockets", "Cores per socket", "RAM GB", "Storage GB"]),
        ("Physische Server", ["Server", "CPU", "Kerne", "RAM (GB)", "Festplatte (GB)"]),
    ],
)
def test_physical_servers_on_a_sheet_called_so_are_refused_with_the_way_to_place_them(title, headings):
    said = refusal(workbook(**{title: [headings, ["p1", 2, 16, 128, 900], ["p2", 2, 16, 128, 900]]}))
    assert 'planner mapping server.xlsx -o mapping.toml, there table = "workloads"' in said


@pytest.mark.parametrize(
    ("heading", "rests", "away", "runs"),
    [
        ("Status", "Maintenance", "Disconnected", "Connected"),
        ("Zustand", "Wartungsmodus", "getrennt", "Verbunden"),
        ("Connection state", "In maintenance", "Not responding", "Connected"),
        ("State", "Maintenance Mode", "offline", "online"),
    ],
)
def test_hosts_in_maintenance_or_away_carry_nothing(heading, rests, away, runs):
    hosts = [["Host", heading, "Cores", "RAM GB"], ["h1", rests, 16, 512], ["h2", runs, 16, 512], ["h3", away, 16, 512]]
    for inventory in (
        planner.read(workbook(VMs=VMS, Hosts=hosts)),
        planner.read([csv_of(VMS), csv_of(hosts, "hosts.csv")]),
    ):
        assert dict(zip(inventory.hosts["name"], inventory.hosts["maintenance"], strict=True)) == {
            "h1": "yes",
            "h2": "no",
            "h3": "yes",
        }
        said = [text for text in notes(inventory, "guessed") if "carries nothing in the plan" in text]
        assert len(said) == 2
        assert f"1 host that {heading!r} calls {rests!r}, such as 'h1', in maintenance" in said[0]
