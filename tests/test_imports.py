"""The import report: how sure the figures are, and what is unlikely about them."""

from __future__ import annotations

import json

import pytest

import planner
from tests.exports.estate import MIB_PER_GIB

HEADINGS = "Name;vCPUs;Memory (GiB);Storage (GiB);State"


def report_of(*lines: str) -> tuple[planner.Inventory, dict]:
    found = planner.read("\r\n".join(lines).encode())
    return found, found.import_report()


def confidence_of(*lines: str) -> float:
    _, report = report_of(*lines)
    (confidence,) = report["files"]["confidence"]
    return confidence


def test_a_list_whose_headings_say_all_is_sure():
    assert confidence_of(HEADINGS, "a;2;8;100;on", "b;4;16;200;on") == 1


def test_a_column_whose_unit_is_a_guess_counts_with_all_its_cells():
    assert confidence_of("Name;vCPUs;Memory;Storage (GiB);State", "a;2;8;100;on", "b;4;16;200;on") == 0.75
    assert confidence_of("Name;vCPUs;Memory;Storage;State", "a;2;8;100;on", "b;4;16;200;on") == 0.5
    assert confidence_of("Name;vCPUs;Memory;Storage (GiB);State", "a;2;8192;100;on", "b;4;16384;200;on") == 0.75


@pytest.mark.parametrize(("cell", "read_as"), [("40.125", 40125), ("40,125", 40.125)])
def test_a_number_that_semicolons_alone_explain_is_a_guess(cell, read_as):
    found, report = report_of(HEADINGS, f"a;2;8;{cell};on", "b;4;16;200;on")
    assert found.workloads["storage_gib"].tolist() == [read_as, 200]
    assert report["files"]["confidence"].tolist() == [0.875]
    guessed = report["units"].query("kind == 'guessed'")["message"].tolist()
    assert len(guessed) == 1
    assert f"{cell!r} read with a" in guessed[0]


def test_a_guess_about_a_figure_that_a_plan_does_without_costs_no_confidence():
    assert confidence_of(f"{HEADINGS};Memory used", "a;2;8;100;on;4", "b;4;16;200;on;8") == 1


@pytest.mark.parametrize("yes", ["TRUE", "WAHR", "VRAI", "VERDADERO", "VERO", "WAAR", "PRAWDA", "ja", "oui", "sí", "1"])
def test_flags_of_an_export_are_read_in_the_language_of_the_spreadsheet(yes):
    lines = ["VM,Powerstate,Template,CPUs,Memory,Provisioned MiB", f"t,poweredOff,{yes},2,8192,1024"]
    found, _ = report_of(*lines, "web,poweredOn,FALSE,2,8192,1024")
    assert found.left_out["reason"].tolist() == ["template"]
    assert not found.notes["message"].str.contains("neither yes nor no").any()


def pod(name: str, **requests: str) -> dict:
    container = {
        "resources": {"requests": {"ephemeral-storage" if k == "storage" else k: requests[k] for k in requests}}
    }
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": {"containers": [container]}}


def read_pods(*pods: dict) -> planner.Inventory:
    return planner.read(json.dumps({"items": list(pods)}).encode())


def test_pods_without_a_request_need_what_the_scheduler_takes_them_to_need():
    whole = pod("whole", cpu="500m", memory="1Gi", storage="2Gi")
    found = read_pods(whole, pod("bare"), pod("memory", memory="300Mi"))
    assert found.workloads["vcpus"].tolist() == [0.5, 0.1, 0.1]
    assert (found.workloads["memory_gib"] * MIB_PER_GIB).tolist() == [1024, 200, 300]
    assert found.workloads["storage_gib"].tolist() == [2, 0, 0]
    guessed = found.notes.query("kind == 'guessed'")
    assert dict(zip(guessed["column"], guessed["count"], strict=True)) == {
        "requests.cpu": 2,
        "requests.memory": 1,
        "requests.ephemeral-storage": 2,
    }
    (confidence,) = found.import_report()["files"]["confidence"]
    assert confidence == pytest.approx(1 - 5 / 12)


def test_a_part_of_a_cpu_is_suspicious_unless_machines_come_in_any_size():
    _, report = report_of(HEADINGS, "a;2,5;8;100;on", "b;4;16,3;200;on")
    assert report["suspicious"]["message"].str.contains("a part of a CPU|no power of two").sum() == 2
    pods = read_pods(
        pod("a", cpu="500m", memory="333Mi", storage="1Gi"), pod("b", cpu="1", memory="1Gi", storage="1Gi")
    )
    assert pods.import_report()["suspicious"].empty


def suspicious(*lines: str, **options) -> str:
    found = planner.read("\n".join(lines).encode(), **options)
    return "; ".join(found.import_report()["suspicious"]["message"])


def test_sizes_that_a_wrong_unit_explains_are_suspicious():
    headings = "VM,vCPU,RAM (GB),Disk (GB)"
    assert "1 workload with more than 512 GiB of memory for each vCPU" in suspicious(
        headings, "a,2,4,40", "b,2,4096,40"
    )
    tiny = suspicious("VM,vCPU,RAM (MB),Disk (GB)", "a,2,4,40", "b,2,16,40")
    assert "2 workloads with less than 64 MiB of memory" in tiny
    assert "the unit right" not in suspicious(headings, "a,2,4,40", "b,48,24576,40")


@pytest.mark.parametrize(
    ("cells", "cpu", "memory"),
    [
        (["0.35,0.5", "0.9,1"], [0.35, 0.9], [2, 8]),
        (["0.35,0.5", "9,25"], [0.0035, 0.09], [0.02, 2]),
        (["0.35 %,0.5 %", "0.9 %,1 %"], [0.0035, 0.009], [0.02, 0.08]),
        (["0,1", "1,1"], [0, 0.01], [0.04, 0.08]),
    ],
)
def test_percent_is_fractions_where_all_cells_are_from_0_to_1(cells, cpu, memory):
    headings = "VM,vCPU,RAM (GB),Disk (GB),CPU usage %,Memory usage %"
    found, report = report_of(
        headings, *(f"{row},40,{use}" for row, use in zip(("a,2,4", "b,4,8"), cells, strict=True))
    )
    assert found.workloads["cpu_share_used"].tolist() == pytest.approx(cpu)
    assert found.workloads["memory_gib_used"].tolist() == pytest.approx(memory)
    guessed = (
        report["units"].query("kind == 'guessed'")["message"].str.contains("read as fractions, 0.35 as 35 %").sum()
    )
    assert guessed == (2 if cpu == [0.35, 0.9] else 0)
    told = "; ".join(report["suspicious"]["message"])
    assert ("using at most 1% of what is given, as all do" in told) == (max(cpu) <= 0.01)


def test_percent_that_is_fractions_below_the_rows_that_are_looked_at_first_stays_percent():
    rows = [f"vm{n},2,4,40,{0.35 if n != 1001 else 35}" for n in range(1200)]
    found, _ = report_of("VM,vCPU,RAM (GB),Disk (GB),CPU usage %", *rows)
    assert found.workloads["cpu_share_used"].iloc[[0, 1001]].tolist() == pytest.approx([0.0035, 0.35])


def test_use_that_no_core_is_fast_enough_for_is_suspicious_without_a_clock():
    headings = "VM,vCPU,RAM (GB),Disk (GB),CPU used (GHz)"
    assert "1 workload using more than all that is given" in suspicious(headings, "a,2,4,40,1023", "b,2,4,40,7.2")


def test_a_vm_that_is_off_uses_0_hz():
    found = planner.read(
        b"Name,State,Status,Provisioned Space,Used Space,Host CPU,Host Mem,CPUs,Memory Size\n"
        b"a,Powered On,Normal,40 GB,20 GB,1.2 GHz,2 GB,2,4 GB\n"
        b"b,Powered Off,Normal,40 GB,20 GB,0 Hz,0 B,2,4 GB\n"
    )
    assert list(found.workloads["cpu_ghz_used"]) == [1.2]
    assert list(found.left_out["name"]) == ["b"]


@pytest.mark.parametrize(("clock", "said"), [(2.4, "0.0024 GHz"), (2400, ""), (12000, "12 GHz")])
def test_a_clock_that_no_processor_has_is_suspicious(clock, said):
    told = suspicious(
        "VM,vCPU,RAM (GB),Disk (GB)", "a,2,4,40", "", "Host,Model,Cores,RAM (GB),Clock (MHz)", f"h,R740,32,512,{clock}"
    )
    assert ("1 host with a clock below 0.5 or above 10 GHz: is the unit right?; such as 'h' with" in told) == bool(said)
    assert said in told


def test_a_node_that_is_not_online_carries_nothing_and_that_is_told():
    node = {"type": "node", "maxcpu": 32, "maxmem": 2**38}
    nodes = [
        node | {"id": f"node/{name}", "node": name, "status": status}
        for name, status in (("n1", "online"), ("n2", "offline"))
    ]
    guest = {
        "type": "qemu",
        "id": "qemu/1",
        "name": "a",
        "node": "n1",
        "status": "running",
        "maxcpu": 2,
        "maxmem": 2**32,
        "maxdisk": 2**35,
    }
    found = planner.read(json.dumps([*nodes, guest]).encode())
    assert found.hosts["maintenance"].tolist() == ["no", "yes"]
    (told,) = found.notes.query("subject == 'n2' and kind == 'guessed'")["message"]
    assert told == "the node is offline: read as in maintenance"
    assert found.include("maintenance").hosts["maintenance"].tolist() == ["no", "no"]


def test_how_sure_the_meaning_of_a_column_is_counts_once_whatever_the_rows():
    for rows in (1, 4):
        hosts = "\n".join(["Host,Model,Cores,RAM (GB)", *(f"h{n},R740,32,512" for n in range(rows))])
        lists = "\n".join(["Servername,vCPU,RAM (GB),Disk total (GB)", *(f"vm{n},2,4,40" for n in range(rows))])
        found = planner.read([lists.encode(), hosts.encode()])
        sure = (
            found.notes.query("column == 'Disk total (GB)'")["message"].str.extract(r"confidence (\d\.\d+)")[0].dropna()
        )
        assert float(sure.iloc[0]) < 1
        assert found.import_report()["files"]["confidence"].tolist() == pytest.approx(
            [float(sure.iloc[0]), 1], abs=0.01
        )
