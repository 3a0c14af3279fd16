"""Lists that people keep by hand: their abbreviations, their units, their sheets called as those of a tool."""

from __future__ import annotations

import pytest

import planner
from tests.test_mapping import csv_of, notes, refusal


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
