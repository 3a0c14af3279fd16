"""Several files in one plan: tabs of one export, the same machine twice, figures that one file lacks."""

from __future__ import annotations

import io
import json
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner.errors import InputError
from planner.readers.merging import merged_workloads
from planner.schema import conform
from tests.conftest import examples


def file(name: str, *rows: str) -> io.BytesIO:
    stream = io.BytesIO("\n".join(rows).encode())
    stream.name = name
    return stream


def info(name: str, *rows: str) -> io.BytesIO:
    return file(name, "VM,Powerstate,CPUs,Memory,Provisioned MiB,VM UUID,SMBIOS UUID,VM ID,VI SDK UUID,Cluster", *rows)


def names(inventory: planner.Inventory) -> list[str]:
    return inventory.workloads["name"].tolist()


def said(inventory: planner.Inventory) -> str:
    return "\n".join(inventory.notes["message"])


WEB = "web,poweredOn,2,8192,1024,u1,s1,vm-1,vc1,c1"


@pytest.mark.parametrize(
    ("again", "by"),
    [
        ("web2,poweredOn,2,8192,1024,U1,,,,c1", "by UUID"),
        ("web2,poweredOn,2,8192,1024,,s1,,,c1", "by BIOS UUID"),
        ("web2,poweredOn,2,8192,1024,,,vm-1,vc1,c1", "by ID"),
        ("WEB,poweredOn,2,8192,1024,,,,,c1", "by name"),
    ],
)
def test_the_same_machine_in_two_files_is_one(again, by):
    inventory = planner.read([info("a.csv", WEB), info_beside("b", again)])
    assert names(inventory) == ["web"]
    assert by in said(inventory)


def info_beside(folder: str, *rows: str) -> io.BytesIO:
    """A second export, in an archive of its own."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as book:
        book.writestr("RVTools_tabvInfo.csv", info("x", *rows).getvalue())
    archive.seek(0)
    archive.name = f"{folder}.zip"
    return archive


def test_two_machines_of_one_name_are_two():
    inventory = planner.read([info("a.csv", WEB), info_beside("b", WEB.replace("u1,s1,vm-1,vc1", "u2,s2,vm-1,vc2"))])
    assert names(inventory) == ["web", "web (2)"]
    assert "another workload of this name is in an earlier file or sheet: read as 'web (2)'" in said(inventory)


def test_ids_of_two_vcenters_do_not_make_one_machine():
    inventory = planner.read([info("a.csv", WEB), info_beside("b", "db,poweredOn,4,4096,512,,,vm-1,vc2,c1")])
    assert names(inventory) == ["web", "db"]


def test_the_first_file_wins_and_blanks_are_filled():
    first = file("a.csv", "name,vcpus,memory_gib,os,iops", "web,2,8,,")
    second = file("b.csv", "name,vcpus,memory_gib,os,iops,storage_gib,rack space", "web,4,8,Debian,300,100,2")
    row = planner.read([first, second]).workloads.iloc[0]
    assert (row["vcpus"], row["os"], row["iops"], row["storage_gib"], row["rack space"]) == (2, "Debian", 300, 100, "2")


def test_figures_that_differ_are_told():
    first, second = (file(f"{n}.csv", "name,vcpus,memory_gib", f"web,{n},8") for n in (2, 4))
    assert "other vCPUs than in an earlier file, which is used; such as 'web': 2, not 4" in said(
        planner.read([first, second])
    )


@pytest.mark.parametrize(
    ("values", "filled"),
    [([3, 4], [3, 4]), ([3], [3, float("nan")]), ([True, False], [True, False]), ([True], [True, ""])],
)
def test_a_column_that_only_the_second_file_has_is_filled_in(values, filled):
    first = conform(pd.DataFrame({"name": ["a", "b"], "vcpus": 1, "memory_gib": 1.0}), "workloads").assign(reason="")
    second = first.head(len(values)).assign(slots=values)
    merged = merged_workloads([first, second], ["one", "two"]).frame["slots"]
    pd.testing.assert_series_equal(merged, pd.Series(filled, name="slots"))


def test_servers_alone_are_what_is_to_be_placed():
    servers = file("own.csv", "Server,Cores,RAM GB,Disk space GB,Owner", "web,2,8,100,ann", "db,8,64,900,bob")
    alone = planner.read(servers)
    assert (names(alone), len(alone.hosts)) == (["web", "db"], 0)
    assert "could be hosts too: read as workloads to place" in said(alone)
    beside = planner.read([servers, file("w.csv", "name,vcpus,memory_gib", "a,1,1")])
    assert (names(beside), beside.hosts["name"].tolist()) == (["a"], ["web", "db"])


def test_what_is_off_in_a_later_file_alone_is_planned_for():
    first, second = (
        file(f"{n}.csv", "name,vcpus,memory_gib,state", f"web,2,8,{state}") for n, state in enumerate(("on", "off"))
    )
    assert names(planner.read([first, second])) == ["web"]
    assert planner.read([second, first]).left_out["reason"].tolist() == ["powered off"]


def test_a_file_twice_is_once_where_names_differ_in_case_alone():
    files = [file(f"{n}.csv", "name,vcpus,memory_gib", "WEB,2,8", "web,4,16") for n in (1, 2)]
    assert names(planner.read(files)) == ["WEB", "web"]


def test_a_name_on_two_sheets_of_a_file_is_two_machines():
    frames = [
        conform(pd.DataFrame({"name": ["dc01"], "vcpus": [n], "memory_gib": [4.0]}), "workloads") for n in (2, 16)
    ]
    merged = merged_workloads([frame.assign(reason="") for frame in frames], ["sites.xlsx", "sites.xlsx"])
    assert merged.frame["vcpus"].tolist() == [2, 16]
    assert merged.frame["name"].tolist() == ["dc01", "dc01 (2)"]


def test_sizes_that_differ_are_suspicious():
    hosts = [file(f"{n}.csv", "host,cores,memory_gib", f"esx01,{n},512") for n in (16, 64)]
    inventory = planner.read([file("w.csv", "name,vcpus,memory_gib", "web,1,1"), *hosts])
    (message,) = inventory.import_report()["suspicious"]["message"]
    assert "other cores than in an earlier file, which is used; such as 'esx01': 16, not 64" in message


def test_use_of_a_name_that_two_machines_have_is_joined_to_none():
    twice = [info("a.csv", WEB), info_beside("b", WEB.replace("u1,s1,vm-1,vc1", "u2,s2,vm-1,vc2"))]
    use = file("use.csv", "VM,CPU usage (GHz),Memory usage (GB)", "web,1.5,4", "other,1,1")
    inventory = planner.read([*twice, use])
    assert inventory.workloads["cpu_ghz_used"].isna().all()
    assert "that no other file lists" in said(inventory)


def test_use_under_another_uuid_is_joined_to_none():
    use = file(
        "use.csv", "VM,VM UUID,CPU usage (GHz),Memory usage (GB)", "web,00000000-0000-4000-8000-000000000099,1.5,4"
    )
    assert planner.read([info("a.csv", WEB), use]).workloads["cpu_ghz_used"].isna().all()


def test_many_machines_of_one_name_are_told_apart_in_no_time():
    rows = [f"web,2,8,{n}" for n in range(5000)]
    text = "VM,Powerstate,CPUs,Memory,VM UUID"
    found = planner.read(file("a.csv", text, *(f"web,poweredOn,2,8192,u{n}" for n in range(len(rows)))))
    assert names(found)[-1] == "web (5000)"


def test_a_sheet_hosts_in_a_workbook_of_ones_own_is_no_template():
    book = openpyxl.Workbook()
    for name, rows in (
        ("VM-Liste", [["VM", "vCPU", "RAM (GB)", "Disk (GB)"], ["web", 2, 8, 100], ["db", 8, 64, 900]]),
        ("Hosts", [["Host", "Cores", "RAM (GB)"], ["esx01", 32, 512]]),
    ):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.remove(book["Sheet"])
    stream = io.BytesIO()
    book.save(stream)
    inventory = planner.read(stream.getvalue())
    assert (names(inventory), inventory.hosts["cores"].tolist()) == (["web", "db"], [32])


def pod(*containers: tuple[str, str], first: tuple[dict, ...] = ()) -> dict:
    """A pod of containers by name and CPU."""
    made = [{"name": name, "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}} for name, cpu in containers]
    spec = {"containers": made, "initContainers": list(first)}
    return {"kind": "Pod", "metadata": {"name": "p", "namespace": "n"}, "spec": spec, "status": {"phase": "Running"}}


def test_what_starts_before_a_pod_runs_beside_its_sidecars():
    ask = {"requests": {"cpu": "1", "memory": "1Gi"}}
    sidecar = {"name": "s", "restartPolicy": "Always", "resources": ask}
    before = {"name": "i", "resources": {"requests": {"cpu": "3", "memory": "1Gi"}}}
    for first, cpus in (((sidecar, before), 4), ((before, sidecar), 3), ((sidecar,), 2)):
        text = json.dumps({"kind": "List", "items": [pod(("main", "1"), first=first)]}).encode()
        assert planner.read(text).workloads["vcpus"].tolist() == [cpus]


def test_columns_that_only_the_mapping_reader_knows_are_read_beside_those_of_the_template():
    listed = file("x.csv", "Server,vCPU,RAM (GB),Festplatte,ESX Host,CPU peak %", "a,2,8,100,e1,50", "b,4,16,200,e2,40")
    rows = planner.read(listed, ghz_per_vcpu=2.0).workloads
    assert rows[["storage_gib", "host", "cpu_ghz_peak"]].to_numpy().tolist() == [[100, "e1", 2], [200, "e2", 3.2]]


@pytest.mark.parametrize(
    ("headings", "cells", "storage"),
    [
        ("Server,vCPU,RAM (GB),Disk 1 (GB),Disk 2 (GB)", "a,2,8,100,60", 160),
        ("Server,vCPU,RAM (GB),C: (GB),D: (GB),E: (GB)", "a,2,8,100,60,", 160),
        ("Server,Kerne,Arbeitsspeicher (GB),Platte C,Platte D", "a,2,8,100,60", 160),
        ("Server,vCPU,RAM (GB),System disk (GB),Data disk (TB)", "a,2,8,100,1", 1124),
        ("Server,vCPU,RAM (GB),HDD1,HDD2", "a,2,8,102400,51200", 150),
        ("Server,vCPU,RAM (GB),Storage (GB),Disk 1 (GB),Disk 2 (GB)", "a,2,8,500,100,60", 500),
    ],
)
def test_disks_in_a_column_each_are_added_up(headings, cells, storage):
    inventory = planner.read(file("x.csv", headings, cells, "b,2,8"))
    assert inventory.workloads["storage_gib"].tolist() == [storage, 0]
    assert ("storage is the sum of" in said(inventory)) == (storage != 500)


def test_a_table_of_hosts_below_is_one():
    inventory = planner.read(
        file("x.csv", "VM,vCPUs,RAM GB,Disk GB,Host", "a,2,8,100,e1", "", "Host,Cores,RAM GB", "e1,32,512")
    )
    assert (names(inventory), inventory.hosts["name"].tolist()) == (["a"], ["e1"])


def test_what_a_plan_may_need_stays_where_nothing_more_can_be_told():
    row = planner.read(file("x.csv", "name,vcpus,memory_gib,storage_gib,pcie_slots", "a,2,8,1,3")).workloads.iloc[0]
    assert row["pcie_slots"] == "3"


@pytest.mark.parametrize("headings", ["Host,Cores,RAM", "Serveur,Coeurs physiques,Mémoire"])
@pytest.mark.parametrize(("cell", "gib"), [(1024, 1024), (2048, 2048), (1048576, 1024)])
def test_hosts_with_a_tib_of_memory_and_no_unit_have_it(headings, cell, gib):
    workloads = file("w.csv", "name,vcpus,memory_gib", "a,1,1")
    inventory = planner.read([workloads, file("h.csv", headings, f"e1,64,{cell}", f"e2,64,{cell}")])
    assert inventory.hosts["memory_gib"].tolist() == [gib, gib]


def test_hosts_in_two_files_are_counted_once():
    hosts = [file(f"{n}.csv", "host,cores,memory_gib,sockets", f"esx01,32,512,{n}", f"esx{n}2,32,512,") for n in (1, 2)]
    inventory = planner.read([file("w.csv", "name,vcpus,memory_gib", "web,1,1"), *hosts])
    assert inventory.hosts["name"].tolist() == ["esx01", "esx12", "esx22"]
    assert inventory.hosts["sockets"].iloc[0] == 1
    assert "1 host in more than one file, such as 'esx01': kept once" in said(inventory)


def test_a_datastore_that_two_exports_list_counts_once():
    host = "Host,# CPU,Cores per CPU,# Cores,# Memory,Cluster"
    tabs = {
        "RVTools_tabvInfo.csv": info("x", WEB).getvalue(),
        "RVTools_tabvHost.csv": f"{host}\nesx1,2,8,16,65536,c1\nesx2,2,8,16,65536,c1\n".encode(),
        "RVTools_tabvDatastore.csv": b'Name,Capacity MiB,Hosts,Type,Accessible\nds1,1048576,"esx1, esx2",VMFS,True\n',
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as book:
        for day in ("monday", "tuesday"):
            for name, data in tabs.items():
                book.writestr(f"{day}/{name}", data)
    archive.seek(0)
    inventory = planner.read(archive)
    assert len(inventory.imports) == 2
    assert inventory.shared_storage_gib == {"c1": 1024.0}
    assert len(inventory.hosts) == 2


def test_two_files_of_one_tab_beside_each_other_are_refused():
    with pytest.raises(
        InputError, match=r"b\.csv: found a second file of vInfo beside a\.csv, expected one for each RV"
    ):
        planner.read([info("a.csv", WEB), info("b.csv", WEB)])


def test_tabs_of_two_exports_in_one_folder_are_told_apart_by_their_names(tmp_path):
    for site in ("berlin", "paris"):
        text = info("x", WEB.replace("web", site).replace("u1,s1", f"{site},{site}")).getvalue()
        (tmp_path / f"{site}_RVTools_tabvInfo.csv").write_bytes(text)
    assert names(planner.read(tmp_path)) == ["berlin", "paris"]


def test_what_nobody_knows_in_a_folder_is_passed_over_and_told(tmp_path):
    (tmp_path / "RVTools_tabvInfo.csv").write_bytes(info("x", WEB).getvalue())
    (tmp_path / "phone_list.csv").write_text("who,number\nme,1\n")
    (tmp_path / "readme.txt").write_text("hello")
    inventory = planner.read(tmp_path)
    ignored = inventory.notes.loc[inventory.notes["kind"] == "ignored", ["file", "message"]]
    assert {"in no format that is known, beside files that are", "not a file that is read"} <= set(ignored["message"])


def test_an_archive_without_anything_known_is_refused(tmp_path):
    (tmp_path / "phone_list.csv").write_text("who,number\nme,1\n")
    with pytest.raises(InputError, match="phone_list"):
        planner.read(tmp_path)


def test_cpu_in_percent_needs_a_clock():
    listed = file(
        "prism.csv",
        "VM Name,Host,Cores,Memory Capacity,Storage,CPU Usage,Memory Usage,Power State,Cluster,Categories",
        "web,n1,4,16 GiB,10 GiB / 100 GiB,25%,50%,On,c1,",
    )
    without = planner.read(listed)
    assert without.workloads["cpu_ghz_used"].isna().all()
    assert "CPU use of 1 workload is in percent and the clock of their hosts is not known" in said(without)
    assert planner.read(listed, ghz_per_vcpu=2.5).workloads["cpu_ghz_used"].tolist() == [2.5]
    hosts = file("hosts.csv", "host,cores,memory_gib,ghz", "n1,16,256,3")
    assert planner.read([listed, hosts]).workloads["cpu_ghz_used"].tolist() == [3.0]
    with pytest.raises(InputError, match="ghz_per_vcpu: found 2600"):
        planner.read(listed, ghz_per_vcpu=2600)


machine = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b", "c", "d"]),
        "vm_uuid": st.sampled_from(["", "u1", "u2", "u3", "u4"]),
        "vcpus": st.integers(1, 8),
    }
)


@given(st.lists(st.lists(machine, min_size=1, max_size=4, unique_by=lambda row: row["name"]), min_size=1, max_size=3))
@examples(100)
def test_merging_loses_and_doubles_nothing(files):
    frames = [conform(pd.DataFrame(rows).assign(memory_gib=1.0), "workloads").assign(reason="") for rows in files]
    merged = merged_workloads(frames, [f"file {n}" for n in range(len(frames))])
    table = merged.frame
    assert table["name"].is_unique
    assert set(table["name"]) == {name for own in merged.called for name in own.values()}
    for own, rows in zip(merged.called, files, strict=True):
        assert len(set(own.values())) == len(rows), "two machines of one file became one"
    assert set(table["vm_uuid"]) - {""} <= {row["vm_uuid"] for rows in files for row in rows}


@given(st.lists(machine, min_size=1, max_size=4, unique_by=(lambda row: row["name"], lambda row: row["vm_uuid"])))
@examples(50)
def test_a_file_twice_is_the_file(rows):
    frame = conform(pd.DataFrame(rows).assign(memory_gib=1.0), "workloads").assign(reason="")
    twice = merged_workloads([frame, frame], ["one", "again"]).frame
    pd.testing.assert_frame_equal(twice, frame, check_dtype=False)
