"""Exports of every format: each holds what its truth says, and the planner reads it to the unit."""

from __future__ import annotations

import io
import re
from collections import Counter
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest

import planner
from tests.exports import EXPORTS, Export, rvtools_full
from tests.exports.export import REASONS, Truth
from tests.exports.reread_other import REREAD, SHARED
from tests.exports.rvtools_columns import SHEETS

VMS = 40
CLOCK = 1.0
"""GHz of a vCPU where an export tells shares: then GHz are shares of vCPUs."""

DROPPING = ("rvtools-mib", "kubernetes", "mapped-de", "mapped-messy", "mapped-fr")
"""Exports with rows that are no workload."""

every_export = pytest.mark.parametrize("key", EXPORTS)
every_seed = pytest.mark.parametrize("seed", [0, 1])


@cache
def made(key: str, seed: int) -> Export:
    return EXPORTS[key](seed, VMS)


def near(value: float) -> object:
    return pytest.approx(value, rel=1e-6, abs=1e-6)


@every_seed
@pytest.mark.parametrize("key", REREAD)
def test_the_truth_is_what_the_files_hold(key, seed):
    export = made(key, seed)
    told, hosts = REREAD[key](export)
    truth = export.truth
    planned = [one for one in told if one.state not in REASONS]
    assert Counter(one.name for one in planned) == Counter(truth.names)
    assert Counter(REASONS[one.state] for one in told if one.state in REASONS) == truth.left_out
    for column in ("vcpus", "memory_gib", "storage_gib"):
        assert sum(getattr(one, column) for one in planned) == near(getattr(truth, column)), column
    assert {column for one in planned for column in one.use} == set(truth.use)
    for column, total in truth.use.items():
        assert sum(one.use.get(column, 0.0) for one in planned) == near(total), column
    assert len(hosts) == truth.hosts
    assert sum(host.cores for host in hosts) == near(truth.host_cores)
    assert sum(host.memory_gib for host in hosts) == near(truth.host_memory_gib)


@pytest.mark.parametrize("key", SHARED)
def test_the_truth_counts_each_shared_datastore_once(key):
    export = made(key, 0)
    assert sum(SHARED[key](export).values()) == near(export.truth.shared_storage_gib)


def test_every_truth_that_tells_shared_storage_is_read_back():
    assert set(SHARED) == {key for key in EXPORTS if made(key, 0).truth.shared_storage_gib is not None}


def test_exports_with_rows_to_drop_are_known():
    assert set(DROPPING) == {key for key in EXPORTS if made(key, 0).truth.dropped}


@pytest.mark.parametrize("key", DROPPING)
def test_what_must_be_dropped_stands_in_the_file_and_is_no_workload(key):
    export = made(key, 0)
    content = " ".join(text_of(name, data) for name, data in export.files.items())
    assert all(name in content for name in export.truth.dropped)
    assert not set(export.truth.dropped) & set(export.truth.names)


def text_of(name: str, data: bytes) -> str:
    """All that a file says, as text."""
    if not name.endswith(".xlsx"):
        return data.decode("cp1252" if b"\xfc" in data and b"\xc3" not in data else "utf-8")
    cells = (cell for sheet in openpyxl.load_workbook(io.BytesIO(data)) for row in sheet.values for cell in row)
    return " ".join(str(cell) for cell in cells if cell is not None)


def test_all_but_those_to_refuse_are_read_back():
    refused = {key for key in EXPORTS if made(key, 0).truth.refused}
    assert refused == {"vsphere-client-default"}
    assert set(REREAD) == set(EXPORTS) - refused


@every_export
def test_the_same_seed_makes_the_same_bytes(key):
    first, second, other = made(key, 0), EXPORTS[key](0, VMS), made(key, 1)
    assert first.name == key
    assert first.as_zip() == second.as_zip()
    assert first.truth == second.truth
    assert first.files != other.files


@every_export
def test_an_archive_holds_the_files(key):
    export = made(key, 0)
    with ZipFile(io.BytesIO(export.as_zip())) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == dict(export.files)


@pytest.mark.parametrize("key", [key for key in EXPORTS if key.startswith("rvtools")])
def test_rvtools_exports_hold_every_state_and_odd_names(key):
    truth = made(key, 0).truth
    assert set(truth.left_out) == {"powered off", "template", "placeholder"}
    assert {"59", "büro-01", "sql main 01"} <= set(truth.names)
    twice = [name for name, count in Counter(truth.names).items() if count > 1]
    assert twice == ([] if key == "rvtools-db" else ["sql main 01"])


def test_a_recent_rvtools_export_has_the_oddities_of_real_ones():
    export = made("rvtools-mib", 0)
    (data,) = export.files.values()
    sheet = openpyxl.load_workbook(io.BytesIO(data))["vInfo"]
    headings, *rows = sheet.iter_rows(values_only=True)
    assert headings[:3] == ("VM", "Owner", "Powerstate")
    assert headings[94:] == (None,) * (sheet.max_column - 94)
    assert sheet.max_row > 10 * VMS
    filled = [dict(zip(headings, row, strict=True)) for row in rows if any(cell is not None for cell in row)]
    assert len(filled) == VMS + len(export.truth.dropped)
    assert {type(row["Template"]) for row in filled} == {str, bool}
    on = [row for row in filled if row["VM"] is not None and str(row["Powerstate"]).casefold() == "poweredon"]
    assert sum(row["CPUs"] is None for row in on) == 2
    assert sum(row["Powerstate"] is None for row in filled) == 1
    assert 59 in [row["VM"] for row in filled]


@every_seed
@every_export
def test_the_planner_reads_what_is_true(key, seed, tmp_path):
    export = made(key, seed)
    for source in sources(export, tmp_path):
        if export.truth.refused:
            with pytest.raises(planner.InputError, match=r"(?i)v?cpu"):
                planner.read(source)
        else:
            assert_true(planner.read(source, ghz_per_vcpu=CLOCK if in_shares(export.truth) else None), export.truth)


def in_shares(truth: Truth) -> bool:
    """Whether the file tells CPU as shares and no clock."""
    return any(column.startswith("cpu_vcpus_") for column in truth.use)


def sources(export: Export, folder: Path) -> list[Path]:
    """What a person would choose: the file, or where there are several the archive and the folder."""
    paths = export.write(folder / "export")
    if len(paths) == 1:
        return paths
    archive = folder / "export.zip"
    archive.write_bytes(export.as_zip())
    return [archive, folder / "export"]


def assert_true(inventory: planner.Inventory, truth: Truth) -> None:
    """Every count and total of the truth stands in the inventory; a row counts as often as its column count says."""
    workloads, hosts, left_out = inventory.workloads, inventory.hosts, inventory.left_out
    assert truth.format.casefold() in inventory.sources[0].casefold()
    assert len(workloads) == truth.workloads
    assert left_out["reason"].value_counts().to_dict() == truth.left_out
    assert Counter(workloads["name"].map(plain_name)) == Counter(truth.names)
    for column in ("vcpus", "memory_gib", "storage_gib"):
        assert (workloads[column] * workloads["count"]).sum() == near(getattr(truth, column)), column
    for column, total in truth.use.items():
        own = workloads[column.replace("cpu_vcpus_", "cpu_ghz_")]
        assert (own * workloads["count"]).sum() == near(total), column
    assert len(hosts) == truth.hosts
    assert (hosts["cores"] * hosts["count"]).sum() == near(truth.host_cores)
    assert (hosts["memory_gib"] * hosts["count"]).sum() == near(truth.host_memory_gib)
    assert not {name for name in truth.dropped if name} & set(workloads["name"].map(plain_name))
    if truth.dropped:
        assert inventory.notes["kind"].isin(["dropped", "ignored"]).any()
    if truth.shared_storage_gib is not None:
        assert sum(inventory.shared_storage_gib.values()) == near(truth.shared_storage_gib)


def plain_name(name: str) -> str:
    """A name as it stands in the file: without what tells a repeated one apart, or the namespace of a pod."""
    return re.sub(r" \(\d+\)$", "", name).rpartition("/")[2]


def test_a_full_workbook_has_all_sheets_in_order_and_their_columns():
    book = openpyxl.load_workbook(io.BytesIO(rvtools_full(vms=40)), read_only=True)
    assert book.sheetnames == list(SHEETS)
    assert len(book.sheetnames) == 27
    found = {name: len(next(book[name].iter_rows(values_only=True))) for name in ("vInfo", "vCPU", "vDisk", "vHost")}
    assert found == {"vInfo": 93, "vCPU": 32, "vDisk": 43, "vHost": 74}
    assert sum(1 for _ in book["vInfo"].iter_rows()) == 41
