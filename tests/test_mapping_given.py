"""Mappings that are given in a file, and those that were confirmed and are remembered."""

from __future__ import annotations

import datetime
import re

import pytest

import planner
from planner import readers
from planner.errors import InputError
from planner.readers.mapping import MappedTable, Mapping, memory
from tests.conftest import ROOT
from tests.test_mapping import ROWS, columns, csv_of, mapping_of, notes, refusal


def test_a_given_mapping_is_read_whatever_the_headings_say(tmp_path):
    rows = columns(Foo=["a", "b"], Bar=[2, 4], Baz=[4096, 8192], RAM=["x", "y"])
    path = tmp_path / "mapping.toml"
    path.write_text(
        '[[table]]\nrow = 1\n[table.columns]\n"Foo" = "name"\n"Bar" = "vcpus"\n'
        '"Baz" = {attribute = "memory_gib", unit = "MB"}\n'
    )
    inventory = planner.read(csv_of(rows), mapping=path)
    assert list(inventory.workloads["memory_gib"]) == [4, 8]
    assert list(inventory.workloads["RAM"]) == ["x", "y"]
    assert "mapping given: 3 columns read as it says" in notes(inventory, "information")


def test_a_given_mapping_goes_before_a_format_that_is_known():
    rows = columns(name=["a", "b"], vcpus=[2, 4], memory_gib=[4, 8], backup=[40, 80])
    means = {"name": "name", "vcpus": "vcpus", "backup": "memory_gib"}
    assert list(planner.read(csv_of(rows), mapping=mapping_of(means)).workloads["memory_gib"]) == [40, 80]


def test_a_mapping_finds_its_headings_where_they_are_now():
    head, *rows = columns(Foo=["a", "b"], Bar=[2, 4], Baz=[4, 8])
    mapping = mapping_of({"Foo": "name", "Bar": "vcpus", "Baz": "memory_gib"}, row=1)
    moved = csv_of([["Title", None, None], [], head, *rows])
    assert list(planner.read(moved, mapping=mapping).workloads["name"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[[table]]\n[table.columns]\nRAM = "memory_gb"',
            "column 'RAM': found attribute 'memory_gb'; did you mean 'memory_gib'",
        ),
        ('[[table]]\n[table.columns]\nRAM = {attribut = "x"}', "found 'attribut'; did you mean 'attribute'"),
        ('[[table]]\n[table.columns]\nRAM = {attribute = "memory_gib", unit = "GHz"}', "found unit 'GHz'"),
        ('[[table]]\n[table.columns]\na = "name"\nb = "name"', "name is column 'a' already"),
        ('[[table]]\ntable = "workload"', "found 'workload'; did you mean 'workloads'"),
        ("[[table]]\nrows = 3", "found 'rows'; did you mean 'row'"),
        ('[[table]]\nrow = "x"', "row: found 'x', expected a number"),
        ("[[tabel]]", "found 'tabel'; did you mean 'table'"),
        ("", "found no [[table]]"),
        ("[[table", "expected TOML"),
        ('[[table]]\nignore = ["a"]\n[table.columns]\na = "name"', "found the heading twice"),
        ("[[table]]\nignore = 1", "expected a list of headings"),
        ("[[table]]\n[table.columns]\na = 1", "found 1, expected an attribute"),
    ],
)
def test_a_mapping_that_is_wrong_is_told_where(text, expected):
    with pytest.raises(InputError) as caught:
        Mapping.from_toml(text)
    assert expected in str(caught.value)


def test_the_mapping_of_the_docs_is_one():
    (block,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8"), flags=re.S)
    (table,) = Mapping.from_toml(block).tables
    assert (table.missing, table.attributes["memory_gib"].unit) == ((), "MB")


def test_a_mapping_of_another_file_is_refused_with_the_nearest_heading():
    message = refusal(csv_of(columns(**ROWS)), mapping=mapping_of({"Rechnr": "name"}))
    assert "found no heading 'Rechnr', which the mapping names; the nearest heading is 'Rechner'" in message


def test_a_mapping_without_what_is_needed_is_refused():
    message = refusal(csv_of(columns(**ROWS)), mapping=mapping_of({"Rechner": "name", "Kerne": "vcpus"}))
    assert "the mapping names no column for 'Memory (GiB)'" in message


# What is remembered


def test_a_mapping_that_was_confirmed_is_remembered_whatever_the_order_of_columns(config_folder):
    rows = columns(Foo=["a", "b"], Bar=[2, 4], Baz=[4, 8])
    mapping = mapping_of({"Foo": "name", "Bar": "vcpus", "Baz": "memory_gib"})
    assert readers.remember(csv_of(rows), mapping) == 1
    (path,) = (config_folder / "mappings").iterdir()
    day = datetime.date.today().isoformat()
    inventory = planner.read(csv_of([row[::-1] for row in rows]))
    assert list(inventory.workloads["vcpus"]) == [2, 4]
    assert f"mapping remembered from {day}: 3 columns read as it says" in notes(inventory, "information")
    assert f"remembered from {day}" in inventory.imports[0].dialect
    assert "missing" in refusal(csv_of(rows), remembered=False)
    assert readers.forget(csv_of(rows)) == 1
    assert not path.exists()
    assert "missing" in refusal(csv_of(rows))


def test_what_is_remembered_goes_before_the_template_and_is_replaced_whole(config_folder):
    rows = columns(name=["a"], vcpus=[2], memory_gib=[4], backup=[40])
    for column in ("backup", "memory_gib"):
        readers.remember(csv_of(rows), mapping_of({"name": "name", "vcpus": "vcpus", column: "memory_gib"}))
        assert list(planner.read(csv_of(rows)).workloads["memory_gib"]) == [40 if column == "backup" else 4]
    assert len(list((config_folder / "mappings").iterdir())) == 1


def test_a_damaged_memory_says_how_to_forget_it(config_folder):
    rows = columns(Foo=["a"], Bar=[2], Baz=[4])
    readers.remember(csv_of(rows), mapping_of({"Foo": "name", "Bar": "vcpus", "Baz": "memory_gib"}))
    (path,) = (config_folder / "mappings").iterdir()
    path.write_text("[[table")
    assert "--forget-mapping" in refusal(csv_of(rows))
    assert readers.forget(csv_of(rows)) == 1


@pytest.mark.parametrize(
    ("means", "expected"),
    [({"Foo": "name", "Bar": "vcpus"}, "names no column for 'Memory"), ({"Fooo": "name"}, "nearest heading is 'Foo'")],
)
def test_what_could_not_be_read_is_not_kept(means, expected, config_folder):
    with pytest.raises(InputError, match=expected):
        readers.remember(csv_of(columns(Foo=["a"], Bar=[2], Baz=[4])), mapping_of(means))
    assert list(config_folder.iterdir()) == []


def test_reading_alone_leaves_no_trace(config_folder):
    planner.read(csv_of(columns(**ROWS)))
    assert list(config_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"PLANNER_CONFIG_DIR": "/x", "HOME": "/h"}, "linux", "/x"),
        ({"HOME": "/h"}, "linux", "/h/.config/capacity-planner"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}, "linux", "/c/capacity-planner"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/c"}, "darwin", "/h/Library/Application Support/capacity-planner"),
        ({"APPDATA": "/r"}, "win32", "/r/capacity-planner"),
        ({"USERPROFILE": "/u"}, "win32", "/u/AppData/Roaming/capacity-planner"),
    ],
)
def test_where_mappings_are_kept(environment, platform, expected):
    assert memory.config_folder(environment, platform).as_posix() == expected


def test_without_a_home_nothing_is_remembered_and_keeping_is_refused(monkeypatch):
    for name in ("PLANNER_CONFIG_DIR", "HOME", "XDG_CONFIG_HOME", "APPDATA", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)
    assert memory.known() == frozenset()
    with pytest.raises(InputError, match="set PLANNER_CONFIG_DIR"):
        memory.remember([MappedTable(table="workloads")])


# What machines use, told by another file


def test_a_mapping_names_headings_as_they_stand_in_the_file():
    rows = [["Server", "CPUs", "Cores", "RAM (GB)"], ["p1", 2, 16, 128], ["p2", 4, 32, 256]]
    told = {"Server": "name", "CPUs": "vcpus", "RAM (GB)": {"attribute": "memory_gib", "unit": "GiB"}}
    mapping = Mapping.from_dict({"table": [{"columns": told}]}, "mapping")
    assert list(planner.read(csv_of(rows), mapping=mapping).workloads["vcpus"]) == [2, 4]
    told = {"Server": "name", "Sockets": "sockets", "Cores": "cores", "RAM (GB)": "memory_gib"}
    mapping = Mapping.from_dict({"table": [{"table": "hosts", "columns": told}]}, "mapping")
    vms = csv_of([["VM", "vCPU", "RAM GB"], ["a", 2, 4]], "vms.csv")
    assert list(planner.read([vms, csv_of(rows)], mapping=mapping).hosts["sockets"]) == [2, 4]
