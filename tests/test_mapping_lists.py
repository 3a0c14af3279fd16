"""Lists that people keep by hand: their abbreviations, their units, their sheets called as those of a tool."""

from __future__ import annotations

import pytest

import planner
from planner import readers
from planner.readers.mapping import Mapping
from tests.test_mapping import csv_of, notes, refusal, workbook

OWN = [["Servername", "Anzahl Kerne", "RAM (GB)", "Platte (GB)"], ["web", 2, 4, 50], ["db", 8, 64, 500]]
HOSTS = [["Host", "Model", "Cores", "RAM (GB)"], ["h1", "R740", 32, 512], ["h2", "R740", 32, 512]]


@pytest.mark.parametrize(
    "headings",
    [
        ["Name", "Anz. vCPU", "Arbeitsspeicher", "Festplatte"],
        ["VM", "Anz. CPUs", "Hauptsp.", "HDD (GB)"],
        ["Servername", "Anzahl vCPUs", "Arbeitssp. (GB)", "Festpl. (GB)"],
        ["Nom", "Nb. CPU", "RAM (Go)", "Stock. (Go)"],
        ["Nom VM", "Nbre vCPU", "Mém. (Go)", "Disque (Go)"],
        ["Nombre VM", "Núm. vCPU", "Memoria", "Almac. (GB)"],
        ["Nombre", "Cant. CPU", "Mem. (GB)", "Disco (GB)"],
        ["サーバー名", "vCPU数", "メモリ(GB)", "ディスク(GB)"],
        ["仮想マシン名", "CPUコア数", "メモリ容量 (GB)", "ディスク容量 (GB)"],
    ],
)
def test_common_abbreviations_are_read_without_a_mapping(headings):
    inventory = planner.read(csv_of([headings, ["a", 2, 4, 50], ["b", 4, 16, 500], ["c", 2, 8, 50]]))
    frame = inventory.workloads[["name", "vcpus", "memory_gib", "storage_gib"]]
    assert frame.to_numpy().tolist() == [["a", 2, 4, 50], ["b", 4, 16, 500], ["c", 2, 8, 50]]


def test_states_in_japanese():
    rows = [["サーバー名", "CPU数", "メモリ(GB)", "電源状態"], ["a", 2, 4, "オン"], ["b", 2, 4, "停止"]]
    inventory = planner.read(csv_of(rows))
    assert (list(inventory.workloads["name"]), list(inventory.left_out["name"])) == (["a"], ["b"])


@pytest.mark.parametrize("headings", [["VM", "vCPUs", "Memory", "Storage"], ["Servername", "Kerne", "RAM", "Platte"]])
def test_one_letter_behind_a_number_is_a_binary_unit_and_noted(headings):
    inventory = planner.read(csv_of([headings, ["a", 2, "16 G", "1T"], ["b", 2, "512M", "500 g"]]))
    assert list(inventory.workloads["memory_gib"]) == [16, 0.5]
    assert list(inventory.workloads["storage_gib"]) == [1024, 500]
    assert "2 cells with a unit, such as '16 G': G read as GiB, M read as MiB" in notes(inventory, "converted")


def test_a_letter_among_cells_without_a_unit_is_refused():
    said = refusal(csv_of([["VM", "vCPUs", "Memory"], ["a", 2, "16G"], ["b", 2, 8]]))
    assert "found '8' without a unit among cells that name one, such as '16G'" in said


def test_a_unit_that_is_none_is_refused_with_those_that_may_stand_there():
    said = refusal(csv_of([["VM", "vCPUs", "Memory"], ["a", 2, "16 X"], ["b", 2, "8 GB"]]))
    assert (
        "row 2, column Memory: found '16 X', expected a number of GiB from 0 to 65,536, with a unit such as KiB" in said
    )


@pytest.mark.parametrize(
    ("sheets", "tool"),
    [
        ({"VMs": OWN, "Hypervisors": HOSTS}, "Live Optics"),
        ({"VMs": OWN, "ESX Hosts": HOSTS}, "Live Optics"),
        ({"Servers": OWN, "Server Disks": [["Note"], ["none"]]}, "Live Optics"),
        ({"vInfo": OWN, "vHost": HOSTS}, "RVTools"),
        ({"vmList": OWN, "vHosts": HOSTS}, "Nutanix Collector"),
        ({"vmInfo": OWN, "Hosts": HOSTS}, "Google Migration Center"),
        ({"Workloads": [["Maschine", *OWN[0][1:]], *OWN[1:]], "Hosts": HOSTS}, "the planner's template"),
    ],
)
def test_a_list_whose_sheets_are_called_as_those_of_a_tool_is_read_and_noted(sheets, tool):
    inventory = planner.read(workbook(**sheets))
    frame = inventory.workloads[["name", "vcpus", "memory_gib", "storage_gib"]]
    assert frame.to_numpy().tolist() == [["web", 2, 4, 50], ["db", 8, 64, 500]]
    assert list(inventory.hosts["cores"]) == ([32, 32] if HOSTS in sheets.values() else [])
    message = f"its sheets are called as those of {tool}, whose headings they do not have: read as a list of one's own"
    assert notes(inventory, "guessed").count(message) == 1


@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        (
            {"vInfo": [["VM", "Powerstate", "vCPU number", "Memory"], ["a", "poweredOn", 2, 4]]},
            "column 'CPUs' is missing",
        ),
        ({"VMs": [["VM Name", "vCPU", "Provisioned Memory"], ["a", 2, 4]], "ESX Hosts": HOSTS}, "column 'Virtual CPU'"),
        ({"vmList": [["VM Name", "vCPUs", "RAM"], ["a", 2, 4]], "Metadata": [["x"]]}, "column 'Memory' is missing"),
        (
            {"Workloads": [["Name", "Cpu n", "Memory"], ["a", 2, 4]], "Hosts": HOSTS},
            "column 'vCPUs' (vcpus) is missing",
        ),
        ({"vInfo": [["Rechner", "Kerne", "Preis"], ["a", 2, 4]], "Notes": [["x"]]}, "column 'VM' is missing"),
    ],
)
def test_an_export_that_lacks_a_column_is_refused_and_mapping_is_named(sheets, expected):
    said = refusal(workbook(**sheets))
    assert expected in said
    assert said.endswith("planner mapping server.xlsx -o mapping.toml, then --mapping mapping.toml")
    assert readers.suggestions(workbook(**sheets))


def test_an_export_that_has_its_columns_needs_no_mapping():
    rows = [["VM", "Powerstate", "CPUs", "Memory", "Provisioned MiB"], ["a", "poweredOn", 2, 4096, 40960]]
    assert readers.suggestions(workbook(vInfo=rows)) == []


@pytest.mark.parametrize(
    "sheets",
    [
        {
            "VMs": [["VM Name", "Virtual CPU", "Provisioned Memory (MiB)"], ["a", 2, 4096]],
            "ESX Hosts": [["Host Name"], ["h"]],
            "VM Disks": [["VM Name", "Capacity (MiB)"], ["a", 40960]],
        },
        {
            "Servers": [["Server Name", "CPU Cores", "Memory (KiB)"], ["a", 2, 2**22]],
            "Server Disks": [["Server Name", "Capacity (GiB)"], ["a", 40]],
        },
        {
            "vInfo": [["VM", "Powerstate", "CPUs", "Memory"], ["a", "poweredOn", 2, 4096]],
            "vPartition": [["VM", "Capacity MiB"], ["a", 40960]],
        },
        {
            "vInfo": [["Servername", "Kerne", "RAM (GB)"], ["a", 2, 4]],
            "vDisk": [["Servername", "Capacity (GB)"], ["a", 40]],
        },
    ],
)
def test_storage_on_a_sheet_that_nothing_reads_is_never_read_as_zero(sheets):
    said = refusal(workbook(**sheets))
    assert "found no storage of workloads that is known, but 'Capacity" in said
    assert "planner mapping server.xlsx" in said


@pytest.mark.parametrize(
    "rows",
    [
        [["Servername", "Kerne", "RAM (GB)", "Disk used (GB)"], ["a", 2, 4, 50]],
        [
            ["MachineId", "MachineName", "AllocatedProcessorCoreCount", "MemoryGiB", "TotalDiskUsedGiB"],
            [7, "a", 2, 4, 50],
        ],
    ],
)
def test_storage_in_use_alone_is_read_as_given_and_noted(rows):
    inventory = planner.read(csv_of(rows))
    assert list(inventory.workloads["storage_gib"]) == [50]
    assert "storage in use alone is told: read as what is given" in notes(inventory, "guessed")


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (["a", "b"], "2 of 2 names of sheet Februar stand in sheet Januar too, such as 'a': counted twice"),
        (["A", "c", "d"], "1 of 3 names of sheet Februar stands in sheet Januar too, such as 'A': counted twice"),
        (["c", "d"], ""),
    ],
)
def test_names_of_one_sheet_that_stand_on_another_are_suspicious(second, said):
    head = ["VM", "vCPU", "RAM GB", "Disk GB"]
    sheets = {
        title: [head, *([name, 2, 4, 40] for name in names)] for title, names in (("Januar", "ab"), ("Februar", second))
    }
    inventory = planner.read(workbook(**sheets))
    assert len(inventory.workloads) == 2 + len(second)
    found = notes(inventory, "suspicious")
    assert [one.split(";")[0] for one in found] == [said] * bool(said)


def test_machines_of_one_name_with_identifiers_of_their_own_are_two():
    head, uuid = ["VM", "vCPU", "RAM GB", "Disk GB", "UUID"], "4211{:04d}-0000-4000-8000-000000000000"
    sheets = {
        title: [head, ["a", 2, 4, 40, uuid.format(n)], ["b", 2, 4, 40, uuid.format(n + 5)]]
        for n, title in enumerate(("Nord", "West"))
    }
    assert notes(planner.read(workbook(**sheets)), "suspicious") == []


VMS = [["Name", "vCPUs", "Memory (GiB)"], ["v", 2, 4]]


@pytest.mark.parametrize(
    "headings",
    [
        ["Host", "Sockets", "Cores per socket", "RAM (GB)"],
        ["Host", "CPUs", "Cores per CPU", "RAM (GB)"],
        ["ESXi host", "# CPU", "Cores/CPU", "RAM (GB)"],
        ["Host", "CPU", "Kerne/CPU", "RAM (GB)"],
        ["Host", "# CPUs", "# Cores/CPU", "RAM (GB)"],
        ["Host", "Sockel", "Kerne pro Sockel", "Arbeitsspeicher (GB)"],
        ["Hôte", "Nombre de sockets", "Cœurs par socket", "Mémoire (Go)"],
    ],
)
def test_sockets_and_cores_per_socket_of_hosts_are_multiplied_and_noted(headings):
    hosts = [headings, ["h1", 2, 16, 512], ["h2", 2, 24, 512]]
    inventory = planner.read([csv_of(VMS, "vms.csv"), csv_of(hosts, "hosts.csv")])
    assert list(inventory.hosts["cores"]) == [32, 48]
    assert list(inventory.hosts["sockets"]) == [2, 2]
    assert f"cores are {headings[1]!r} x {headings[2]!r}" in notes(inventory, "converted")


def test_totals_below_sockets_and_cores_per_socket_are_dropped_and_not_multiplied():
    hosts = [["Host", "Sockets", "Cores per socket", "RAM (GB)"], ["h1", 2, 16, 512], ["h2", 2, 16, 512]]
    inventory = planner.read([csv_of(VMS, "vms.csv"), csv_of([*hosts, ["Total", 4, 32, 1024]], "hosts.csv")])
    assert list(inventory.hosts["cores"]) == [32, 32]
    assert "a row of totals: the sum of rows above" in notes(inventory, "dropped")


def test_sockets_are_multiplied_in_a_table_of_hosts_read_alone():
    frame = readers.read_table(
        csv_of([["Host", "Sockets", "Cores per socket", "RAM (GB)"], ["h", 2, 16, 512]]), "hosts"
    )
    assert list(frame["cores"]) == [32]
    assert "cores are 'Sockets' x 'Cores per socket'" in [one["message"] for one in frame.attrs["notes"]]


@pytest.mark.parametrize(("total", "said"), [(32, []), (16, [1]), (64, [1])])
def test_all_cores_are_read_where_they_stand_and_factors_that_disagree_are_suspicious(total, said):
    hosts = [["Host", "Sockets", "Cores per socket", "Cores", "RAM (GB)"], ["h", 2, 16, total, 512]]
    inventory = planner.read([csv_of(VMS, "vms.csv"), csv_of(hosts, "hosts.csv")])
    assert list(inventory.hosts["cores"]) == [total]
    message = (
        f"1 row whose 'Cores' differ from 'Sockets' x 'Cores per socket', such as {total} and 32 in row 2: 'Cores' read"
    )
    assert notes(inventory, "suspicious").count(message) == len(said)


def test_the_cpus_of_vms_are_not_multiplied_by_cores_per_socket():
    rows = [["VM", "CPUs", "Cores per socket", "RAM (GB)"], ["a", 8, 4, 16]]
    inventory = planner.read(csv_of(rows))
    assert list(inventory.workloads["vcpus"]) == [8]
    assert notes(inventory, "suspicious") == []


@pytest.mark.parametrize("name", ["VM", "Server"])
def test_a_column_of_hosts_beside_the_names_makes_no_list_of_hosts(name):
    rows = [[name, "Host", "CPUs", "Cores per CPU", "RAM (GB)"], ["a", "h1", 4, 2, 16]]
    inventory = planner.read(csv_of(rows))
    assert list(inventory.workloads["vcpus"]) == [4]
    assert "'CPUs' beside 'Cores per CPU' read as all CPUs, not multiplied" in notes(inventory, "suspicious")


def test_cpus_beside_cores_per_cpu_of_machines_that_may_be_vms_are_suspicious():
    inventory = planner.read(csv_of([["Server", "CPUs", "Cores per CPU", "RAM (GB)"], ["a", 2, 8, 16]]))
    assert list(inventory.workloads["vcpus"]) == [2]
    assert "'CPUs' beside 'Cores per CPU' read as all CPUs, not multiplied" in notes(inventory, "suspicious")


def test_more_processors_than_a_host_has_are_not_multiplied():
    hosts = [["Host", "CPUs", "Cores per CPU", "RAM (GB)"], ["h", 64, 16, 512]]
    assert "expected" in refusal(csv_of(VMS, "vms.csv"), csv_of(hosts, "hosts.csv"))


@pytest.mark.parametrize(
    ("headings", "spare"),
    [
        (["Server", "CPUs", "Cores", "RAM (GB)", "Storage (GB)"], []),
        (["Server", "CPU", "Kerne", "RAM (GB)", "Platte (GB)"], []),
        (["Server", "# CPU", "Total Cores", "RAM (GB)", "Disk (GB)"], []),
        (["Server", "CPU", "Kerne", "RAM GB", "Disk GB", "Threads", "Typ"], [32, "R740"]),
        (["Server", "Processors", "Cores", "RAM GB", "Disk GB", "Logical processors"], [32]),
    ],
)
def test_processors_beside_physical_cores_are_sockets_and_told(headings, spare):
    rows = [headings, ["p1", 2, 16, 128, 900, *spare], ["p2", 2, 32, 256, 900, *spare]]
    for inventory in (planner.read(csv_of(rows)), planner.read(workbook(Inventory=rows))):
        assert list(inventory.workloads["vcpus"]) == [16, 32]
        told = inventory.notes[inventory.notes["message"].str.contains("read as sockets")]
        assert told["kind"].isin(["suspicious", "guessed"]).all() and len(told) == 1
        assert f"{headings[1]!r} beside {headings[2]!r} read as sockets" in told["message"].iloc[0]
    beside = planner.read([csv_of([["Host", *headings[1:]], *rows[1:]], "hosts.csv"), csv_of(VMS, "vms.csv")])
    assert list(beside.hosts["cores"]) == [16, 32]


def test_cpus_beside_as_many_cores_are_all_cpus():
    rows = [["VM", "CPUs", "Cores", "RAM (GB)", "Disk (GB)"], ["a", 2, 2, 8, 90], ["b", 4, 4, 16, 90]]
    inventory = planner.read(csv_of(rows))
    assert list(inventory.workloads["vcpus"]) == [2, 4]
    assert not notes(inventory, "suspicious")
    inventory = planner.read(csv_of([*rows, ["c", 8, 4, 16, 90]]))
    assert list(inventory.workloads["vcpus"]) == [2, 4, 8]
    message = "1 row whose 'CPUs' differ from 'Cores': 'CPUs' read where it counts CPUs"
    assert message in notes(inventory, "suspicious")


def test_fewer_cpus_than_cores_per_socket_are_suspicious():
    rows = [["Server", "CPUs", "Cores per socket", "RAM (GB)", "Disk (GB)"], ["a", 2, 16, 8, 90]]
    assert any("not multiplied" in text for text in notes(planner.read(csv_of(rows)), "suspicious"))


def test_all_cores_that_are_the_product_tell_that_cpus_are_sockets():
    rows = [["Server", "CPU", "Cores/CPU", "Total Cores", "RAM GB", "Disk GB"], ["a", 2, 16, 32, 512, 900]]
    inventory = planner.read(csv_of(rows))
    assert list(inventory.workloads["vcpus"]) == [32]
    assert not notes(inventory, "suspicious")


@pytest.mark.parametrize(
    "headings",
    [
        ["Name", "Physical cores", "RAM (GB)", "Disk (GB)", "Model"],
        ["Server", "Physical cores", "RAM (GB)", "Disk (GB)", "Model"],
        ["Hostname", "Cores", "RAM (GB)", "Disk (GB)", "Model"],
        ["Servername", "Physische Kerne", "RAM (GB)", "Platte (GB)", "Modell"],
        ["サーバー名", "物理コア数", "メモリ(GB)", "ディスク(GB)", "型番"],
    ],
)
def test_physical_servers_alone_are_workloads_as_large_as_they_are(headings):
    rows = [headings, ["a", 16, 128, 900, "R740"], ["b", 20, 256, 800, "R640"]]
    inventory = planner.read(csv_of(rows))
    frame = inventory.workloads[["name", "vcpus", "memory_gib", "storage_gib"]]
    assert frame.to_numpy().tolist() == [["a", 16, 128, 900], ["b", 20, 256, 800]]
    assert inventory.hosts.empty
    message = "a table that could be hosts too: read as workloads to place, cores as vCPUs, as nothing else lists any"
    assert message in notes(inventory, "guessed")
    beside = planner.read([csv_of(rows), csv_of(VMS, "vms.csv")])
    assert (list(beside.workloads["name"]), list(beside.hosts["name"])) == (["v"], ["a", "b"])


def test_physical_servers_keep_their_systems_and_what_they_use():
    headings = ["Hostname", "Model", "Sockets", "Cores per socket", "RAM (GB)", "Disk (GB)", "OS", "Peak CPU %"]
    inventory = planner.read(csv_of([headings, ["a", "R740", 2, 8, 128, 900, "Windows Server 2019", 50]]))
    row = inventory.workloads.iloc[0]
    assert (row["vcpus"], row["os"]) == (16, "Windows Server 2019")
    assert row["cpu_share_peak"] == 0.5


@pytest.mark.parametrize(
    ("heading", "name"), [("Host", "server.csv"), ("ESXi host", "server.csv"), ("Name", "hosts.csv")]
)
def test_what_is_called_hosts_is_not_placed_and_the_way_to_place_it_is_told(heading, name):
    said = refusal(csv_of([[heading, "Physical cores", "RAM (GB)", "Model"], ["a", 16, 128, "R740"]], name))
    assert "found no workload, expected sheet 'Workloads' or a table of workloads; if its rows are to be placed" in said
    assert f'planner mapping {name} -o mapping.toml, there table = "workloads"' in said


def test_servers_whose_storage_nothing_reads_are_refused():
    rows = [["Server", "Physical cores", "RAM (GB)", "Raid-Platte netto"], ["a", 16, 128, "900 GB"]]
    assert "found no column of storage that is known, but 'Raid-Platte netto'" in refusal(csv_of(rows))


@pytest.mark.parametrize("heading", ["VM Name", "Servername", "VM", "Rechner", "サーバー名"])
def test_numbers_under_a_heading_of_names_are_names_as_text(heading):
    rows = [[heading, "Anzahl Kerne", "RAM (GB)", "Platte (GB)"], [1001, 2, 4, 50], [1002, 2, 8, 60], [10417, 2, 4, 60]]
    for source in (workbook(Liste=rows), csv_of(rows)):
        inventory = planner.read(source)
        assert list(inventory.workloads["name"]) == ["1001", "1002", "10417"]
        assert list(inventory.workloads["memory_gib"]) == [4, 8, 4]


def test_numbers_with_leading_zeros_stay_as_they_are_written():
    rows = [["Rechner", "Kerne", "RAM (GB)"], ["0017", 2, 4], ["0230", 2, 8], ["1002", 2, 8]]
    assert list(planner.read(csv_of(rows)).workloads["name"]) == ["0017", "0230", "1002"]


@pytest.mark.parametrize("counts", [[3, 1, 2], [100, 200, 100], [100.5, 200.5, 300]])
def test_numbers_that_may_be_counts_are_no_names(counts):
    rows = [["Server", "Anzahl Kerne", "RAM (GB)"], *([count, 2, 4] for count in counts)]
    assert "'Server' read as Name is a guess" in refusal(csv_of(rows))


def test_a_heading_that_is_none_of_names_makes_no_names_of_numbers():
    said = refusal(csv_of([["Kostenstelle", "Anzahl Kerne", "RAM (GB)"], [1001, 2, 4], [1002, 2, 8]]))
    assert "missing 'Name'" in said


def test_a_file_passed_over_beside_exports_is_told_and_how_it_could_be_read(tmp_path):
    rows = [["VM", "Powerstate", "CPUs", "Memory", "Provisioned MiB"], ["a", "poweredOn", 2, 4096, 40960]]
    for name, source in {
        "export.xlsx": workbook(vInfo=rows),
        "own.csv": csv_of(OWN),
        "hosts.csv": csv_of([["Rechner", "Modell", "Kerne gesamt", "RAM (GB)"], ["h", "R740", 32, 512]]),
        "costs.csv": csv_of([["Kosten", "Euro"], ["a", 2]]),
    }.items():
        (tmp_path / name).write_bytes(source.getvalue())
    inventory = planner.read(tmp_path)
    assert list(inventory.workloads["name"]) == ["a"]
    told = inventory.notes[inventory.notes["kind"] == "ignored"].set_index("file")["message"]
    passed = {name.split("/")[-1]: message for name, message in told.items() if "in no format" in message}
    plain = "in no format that is known, beside files that are"
    how = f"planner mapping {tmp_path.name} -o mapping.toml, then --mapping mapping.toml"
    assert passed["costs.csv"] == plain
    assert passed["own.csv"].startswith(f"{plain}, though it holds a table that looks like workloads; ")
    assert passed["hosts.csv"].startswith(f"{plain}, though it holds a table that looks like hosts; ")
    assert passed["own.csv"].endswith(how)
    found = readers.suggestions(tmp_path)
    assert {"own.csv", "hosts.csv"} <= {one.file.split("/")[-1] for one in found}


def test_an_export_that_lacks_a_column_is_read_by_the_mapping_that_its_refusal_names():
    rows = [["VM", "Powerstate", "vCPU number", "Memory", "Provisioned MiB"], ["a", "poweredOn", 2, 4096, 40960]]
    source = workbook(vInfo=rows, vNetwork=[["VM"], ["a"]])
    (found,) = readers.suggestions(source)
    assert {one.heading: one.attribute for one in found.mapped.columns}["Provisioned MiB"] == "storage_gib"
    told = {"VM": "name", "Powerstate": "state", "vCPU number": "vcpus", "Provisioned MiB": "storage_gib"}
    row = {"sheet": "vInfo", "columns": {**told, "Memory": {"attribute": "memory_gib", "unit": "MiB"}}}
    inventory = planner.read(source, mapping=Mapping.from_dict({"table": [row]}, "mapping"))
    assert inventory.workloads[["vcpus", "memory_gib", "storage_gib"]].to_numpy().tolist() == [[2, 4, 40]]
