"""The samples: the script makes the same files again, and truth.json is what the workbooks hold."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from planner import schema

DATA = Path(__file__).resolve().parents[1] / "data"
WORKBOOKS = ("small_company.xlsx", "medium_estate.xlsx", "rvtools_800.xlsx")
TEMPLATE_SHEETS = {"Workloads": "workloads", "Hosts": "hosts", "Host models": "host_models"}
RVTOOLS_SHEETS = (
    *("vInfo", "vCPU", "vMemory", "vDisk", "vPartition", "vNetwork"),
    *("vTools", "vCluster", "vHost", "vDatastore", "vMetaData"),
)


def made_in(folder: Path) -> Path:
    subprocess.run([sys.executable, DATA / "make_samples.py", folder], check=True, capture_output=True)
    return folder


def read(path: Path, sheet: str) -> pd.DataFrame:
    headings, *rows = CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()
    return pd.DataFrame(rows, columns=headings, dtype=object)


def members(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Path:
    return made_in(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def truth() -> dict:
    return json.loads((DATA / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def template_tables() -> dict[str, dict[str, pd.DataFrame]]:
    def tables(name: str) -> dict[str, pd.DataFrame]:
        found = {}
        for sheet, table in TEMPLATE_SHEETS.items():
            names = {attribute.heading: attribute.name for attribute in schema.attributes(table).values()}
            found[table] = schema.conform(read(DATA / f"{name}.xlsx", sheet).rename(columns=names), table)
        return found

    return {name: tables(name) for name in ("small_company", "medium_estate")}


@pytest.fixture(scope="module")
def export() -> dict[str, pd.DataFrame]:
    return {sheet: read(DATA / "rvtools_800.xlsx", sheet) for sheet in RVTOOLS_SHEETS}


@pytest.fixture(scope="module")
def machines(export) -> pd.DataFrame:
    """Machines by UUID: state, CPUs and memory of vInfo and, where it is blank, of vCPU and vMemory."""
    named = export["vInfo"][export["vInfo"]["VM"] != ""].set_index("VM UUID")
    vcpu = export["vCPU"].set_index("VM UUID")["CPUs"]
    vmemory = export["vMemory"].set_index("VM UUID")["Size MiB"]
    spelled = {"poweredOn": "on", "poweredOff": "off", "suspended": "suspended"}
    state = named["Powerstate"].map(spelled).mask(named["SRM Placeholder"] == "True", "placeholder")
    state = state.mask(named["Template"] == "True", "template")
    return pd.DataFrame(
        {
            "state": state,
            "cluster": named["Cluster"],
            "vcpus": named["CPUs"].where(named["CPUs"] != "", vcpu).astype(float),
            "memory_mib": named["Memory"].where(named["Memory"] != "", vmemory).astype(float),
            "disk_mib": named["Total disk capacity MiB"].astype(float),
            "is_agent": named["VM"].map(lambda name: str(name).startswith("vCLS")),
        }
    )


def sums(machines: pd.DataFrame) -> dict:
    return {"machines": len(machines)} | {n: machines[n].sum() for n in ("vcpus", "memory_mib", "disk_mib")}


def test_two_runs_write_the_same_bytes(fresh, tmp_path):
    again = made_in(tmp_path)
    for name in (*WORKBOOKS, "truth.json"):
        assert (again / name).read_bytes() == (fresh / name).read_bytes(), name


def test_samples_in_the_repository_are_those_that_the_script_makes(fresh, truth):
    assert json.loads((fresh / "truth.json").read_text(encoding="utf-8")) == truth
    for name in WORKBOOKS:
        # Not the archives themselves: how they compress depends on the zlib that Python was built with.
        assert members(fresh / name) == members(DATA / name), name


def test_samples_are_small_enough_to_send():
    assert all((DATA / name).stat().st_size < 1_500_000 for name in WORKBOOKS)


@pytest.mark.parametrize("name", ["small_company", "medium_estate"])
def test_template_samples_hold_what_truth_says(name, template_tables, truth):
    workloads, expected = template_tables[name]["workloads"], truth[name]
    on = workloads[workloads["state"] == "on"]
    assert len(workloads) == expected["workload_rows"]
    assert workloads.groupby("state")["count"].sum().to_dict() == expected["workloads"]
    for column, total in expected["powered_on"].items():
        assert (on[column] * on["count"]).sum() == pytest.approx(total, abs=1e-9)
    assert template_tables[name]["hosts"]["count"].sum() == expected["hosts"]
    assert len(template_tables[name]["host_models"]) == expected["host_models"]


@pytest.mark.parametrize("name", ["small_company", "medium_estate"])
def test_template_samples_are_excel_tables_with_frozen_headings(name):
    book = openpyxl.load_workbook(DATA / f"{name}.xlsx")
    assert book.sheetnames == list(TEMPLATE_SHEETS)
    for sheet, table in TEMPLATE_SHEETS.items():
        assert book[sheet].freeze_panes == "B2"
        (excel_table,) = book[sheet].tables.values()
        assert excel_table.column_names == [a.heading for a in schema.attributes(table).values()]


def test_small_company_is_three_applications_on_three_systems(template_tables):
    workloads = template_tables["small_company"]["workloads"]
    assert workloads["name"].tolist() == ["web shop", "accounting", "mail and files"]
    assert workloads["os"].nunique() == 3


def test_medium_estate_placement_of_today_is_valid(template_tables):
    tables = template_tables["medium_estate"]
    hosts = tables["hosts"].set_index("name")
    workloads = tables["workloads"]
    assert workloads["host"].isin(hosts.index).all()
    assert (workloads["pool"] == workloads["host"].map(hosts["pool"])).all()
    on = workloads[workloads["state"] == "on"]
    memory = (on["memory_gib"] * on["count"]).groupby(on["host"]).sum()
    assert (memory <= hosts["memory_gib"].reindex(memory.index) * 0.9).all()
    apart = workloads[workloads["keep_apart"] != ""]
    assert not apart.duplicated(["keep_apart", "host"]).any()
    together = workloads[workloads["keep_together"] != ""]
    assert together.groupby("keep_together").size().min() > 1
    assert len(together[["keep_together", "host"]].drop_duplicates()) == together["keep_together"].nunique()


def test_medium_estate_uses_what_the_template_offers(template_tables):
    tables = template_tables["medium_estate"]
    workloads = tables["workloads"]
    assert workloads["application"].nunique() > 20
    assert set(workloads["state"]) == {"on", "off", "template"}
    assert (workloads["count"] > 1).any()
    assert workloads["keep_apart"].nunique() > 5
    assert tables["hosts"].groupby("pool").size().to_dict() == {"north": 8, "south": 8}
    assert tables["host_models"][["price", "idle_w", "peak_w"]].notna().all(axis=None)


def test_export_holds_what_truth_says(machines, truth):
    expected = truth["rvtools_800"]
    on = machines[machines["state"] == "on"]
    assert len(machines) == expected["machines"]
    assert machines["state"].value_counts().to_dict() == expected["by_state"]
    assert sums(on) == expected["powered_on"]
    assert sums(on[on["is_agent"]]) == expected["of_which_agents"]
    for cluster, figures in expected["clusters"].items():
        inside = machines[machines["cluster"] == cluster]
        assert inside["state"].value_counts().to_dict() == figures["by_state"]
        assert sums(inside[inside["state"] == "on"]) == figures["powered_on"]


def test_export_hosts_hold_what_truth_says(export, truth):
    expected, hosts = truth["rvtools_800"], export["vHost"]
    assert len(hosts) == expected["hosts"]
    assert hosts["# Cores"].sum() == expected["cores"]
    assert (hosts["# CPU"] * hosts["Cores per CPU"] == hosts["# Cores"]).all()
    assert hosts["# Memory"].sum() == expected["host_memory_mib"]
    assert hosts.loc[hosts["in Maintenance Mode"] == "True", "Host"].tolist() == expected["in_maintenance"]
    counted = {name: figures["hosts"] for name, figures in expected["clusters"].items()}
    assert hosts["Cluster"].value_counts().to_dict() == counted
    assert export["vCluster"].set_index("Name")["NumHosts"].to_dict() == counted


def test_export_sheets_agree(export, machines):
    disk_mib = export["vDisk"].groupby("VM UUID")["Capacity MiB"].sum()
    assert disk_mib.to_dict() == machines["disk_mib"].to_dict()
    assert set(export["vCPU"]["VM UUID"]) == set(machines.index)
    assert export["vCPU"]["VM ID"].is_unique
    assert (export["vPartition"]["Consumed MiB"] <= export["vPartition"]["Capacity MiB"]).all()
    assert export["vHost"]["# VMs"].sum() == (machines["state"] == "on").sum()
    assert export["vHost"]["vRAM"].sum() == machines.loc[machines["state"] == "on", "memory_mib"].sum()


def test_export_can_be_consolidated_but_not_trivially(export, machines, truth):
    clusters = truth["rvtools_800"]["clusters"]
    binding = Counter()
    for figures in clusters.values():
        needed = figures["hosts_at_least"]
        binding[max(needed, key=needed.get)] += 1
        assert 0.6 <= max(needed.values()) / figures["hosts"] <= 0.75
    assert binding == {"memory": 2, "cpu": 1}
    smallest = export["vHost"].groupby("Cluster")[["# Cores", "# Memory"]].min()
    assert (machines["vcpus"] <= machines["cluster"].map(smallest["# Cores"])).all()
    assert (machines["memory_mib"] <= 0.9 * (machines["cluster"].map(smallest["# Memory"]) - 16 * 1024)).all()


def test_export_has_the_headings_of_real_exports(export):
    headings = export["vInfo"].columns.tolist()
    assert len(headings) >= 50
    assert headings[:3] == ["VM", "Migration wave", "Powerstate"]
    custom = headings[headings.index("Annotation") + 1 : headings.index("Datacenter")]
    assert custom == ["Backup status", "Cost centre"]
    assert len(export["vHost"].columns) >= 40
    assert "Free % " in export["vPartition"].columns
    sheet = openpyxl.load_workbook(DATA / "rvtools_800.xlsx", read_only=True)["vInfo"]
    assert sheet.max_column == len(headings) + 11


def test_export_has_the_values_of_real_exports(export):
    vinfo = export["vInfo"]
    assert set(vinfo["Template"]) == {"True", "False"}
    assert "TRUE" in set(vinfo["CBT"])
    assert "0%" in set(vinfo["Overall Cpu Readiness"])
    assert (export["vHost"]["CPU Model"].str.contains("  ")).all()
    assert (export["vHost"]["# Memory"] % 1024 != 0).all()
    assert ((vinfo["VM"] == "") & (vinfo["CPUs"] == 0) & (vinfo["Memory"] == 0)).sum() == 1


def test_export_has_the_odd_machines_that_truth_names(export, truth):
    quirks = truth["rvtools_800"]["quirks"]
    vinfo = export["vInfo"][export["vInfo"]["VM"] != ""].set_index("VM UUID")
    vcpu = export["vCPU"].set_index("VM UUID")["CPUs"].reindex(vinfo.index)
    assert quirks["numeric_name"] in set(vinfo["VM"])
    assert set(quirks["names_with_blanks"]) <= set(vinfo["VM"])
    twins = vinfo["VM"] == quirks["name_in_two_clusters"]
    assert vinfo.loc[twins, "Cluster"].tolist() == ["PROD-A", "PROD-B"]
    assert vinfo.loc[vinfo["CPUs"] == "", "VM"].tolist() == [quirks["blank_in_vinfo"]["name"]]
    differs = (vinfo["CPUs"] != "") & (vinfo["CPUs"] != vcpu)
    assert sorted(vinfo.loc[differs, "VM"]) == quirks["other_cpus_in_vcpu"]
    unlisted = ~vinfo["Host"].isin(export["vHost"]["Host"])
    assert sorted(vinfo.loc[unlisted, "VM"]) == quirks["short_host_name"]
    ancient = vinfo["Creation date"].map(lambda created: created < datetime(1970, 1, 1))
    assert sorted(vinfo.loc[ancient, "VM"]) == quirks["created_at_epoch"]
    assert len(set(export["vPartition"]["VM"]) - set(vinfo["VM"])) == 3
