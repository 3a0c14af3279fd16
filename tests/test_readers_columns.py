"""Headings matched to attributes, units converted once and noted once."""

from __future__ import annotations

import pytest

from planner import schema
from planner.errors import InputError
from planner.readers.columns import frame_from_sheet, match, split_unit
from planner.readers.sandbox import Sheet


def sheet(*rows: list, name: str = "Workloads") -> Sheet:
    return Sheet(name=name, rows=[list(row) for row in rows], row_numbers=list(range(1, len(rows) + 1)))


def read(*rows: list, table: str = "workloads"):
    return frame_from_sheet(sheet(*rows), table, "estate.xlsx")


@pytest.mark.parametrize(
    "heading",
    ["memory_gib", "Memory (GiB)", "MEMORY [gib]", "Memory GiB", " memory ", "RAM", "Mem (GiB)", "RAM (in GB)"],
)
def test_headings_that_mean_memory(heading):
    assert match([heading], "workloads")["memory_gib"].factor == 1.0


@pytest.mark.parametrize("table", schema.TABLES)
def test_every_name_label_heading_and_alias_of_the_schema_is_matched(table):
    for attribute in schema.attributes(table).values():
        for text in (attribute.name, attribute.heading, attribute.label, *attribute.aliases):
            assert list(match([text], table)) == [attribute.name], text


@pytest.mark.parametrize(
    ("heading", "attribute", "factor"),
    [
        ("Memory (MiB)", "memory_gib", 1 / 1024),
        ("Memory MB", "memory_gib", 1 / 1024),
        ("memory_mib_used", "memory_gib_used", 1 / 1024),
        ("RAM [TB]", "memory_gib", 1024.0),
        ("Disk space (Bytes)", "storage_gib", 1 / 1024**3),
        ("CPU used (MHz)", "cpu_ghz_used", 0.001),
        ("Network (Mbit/s)", "network_gbps", 0.001),
    ],
)
def test_units_in_headings(heading, attribute, factor):
    assert match([heading], "workloads")[attribute].factor == factor


@pytest.mark.parametrize("heading", ["Memory (GHz)", "CPU usage %", "Memory (pages)", "Free memory"])
def test_what_measures_something_else_is_not_matched(heading):
    assert match([heading], "workloads") == {}


def test_split_unit_leaves_a_lone_unit_word_alone():
    assert split_unit("GB") == ("GB", "")


@pytest.mark.parametrize(
    ("headings", "winner"),
    [
        (["RAM", "memory_gib"], "memory_gib"),
        (["RAM", "Memory"], "Memory"),
        (["Memory (MiB)", "Memory (GiB)"], "Memory (GiB)"),
        (["RAM", "Mem"], "RAM"),
    ],
)
def test_the_better_match_wins(headings, winner):
    assert match(headings, "workloads")["memory_gib"].heading == winner


def test_values_are_converted_and_noted_once_a_column():
    frame, _, notes = read(["Name", "vCPUs", "Memory (MB)"], ["a", 1, 2048], ["b", 1, "1,024"], ["c", 1, "512"])
    assert list(frame["memory_gib"]) == [2.0, 1.0, 0.5]
    assert [(n["kind"], n["message"], n["row"]) for n in notes] == [
        ("converted", "MB read as MiB, converted to GiB", None),
        ("converted", "1 number with thousands commas, such as '1,024'", 3),
    ]


def test_gb_is_read_as_gib_and_noted():
    assert [n["message"] for n in read(["Name", "vCPUs", "Memory (GB)"], ["a", 1, 2])[2]] == ["GB read as GiB"]


def test_the_unit_of_the_schema_needs_no_note():
    assert read(["Name", "vCPUs", "Memory (GiB)"], ["a", 1, 2])[2] == []


def test_a_heading_without_a_unit_is_a_guess():
    (only,) = read(["Name", "vCPUs", "RAM"], ["a", 1, 2])[2]
    assert (only["kind"], only["message"]) == ("guessed", "no unit in the heading: read as GiB")


def test_the_losing_heading_is_noted_and_kept():
    frame, _, notes = read(["Name", "VM", "vCPUs", "Memory (GiB)"], ["a", "b", 1, 2])
    assert (list(frame["name"]), list(frame["VM"])) == (["a"], ["b"])
    assert notes[0]["message"] == "name is read from column 'Name'"


def test_an_unknown_heading_is_kept_and_noted_with_the_nearest():
    frame, _, notes = read(["Name", "vCPUs", "Memory (GiB)", "Networks (Gbps)"], ["a", 1, 2, 3])
    assert list(frame["Networks (Gbps)"]) == [3]
    assert "the nearest is 'Network (Gbps)'" in notes[0]["message"]


def test_a_heading_that_stands_twice_is_read_once():
    frame, _, notes = read(["Name", "vCPUs", "Memory (GiB)", "x", "x"], ["a", 1, 2, 3, 4])
    assert (list(frame["x"]), notes[-1]["message"]) == ([3], "the heading stands twice: the first column is read")


def test_column_order_does_not_matter():
    one, _, _ = read(["Name", "vCPUs", "Memory (GiB)"], ["a", 1, 2])
    other, _, _ = read(["Memory (GiB)", "Name", "vCPUs"], [2, "a", 1])
    assert one.to_dict() == other[list(one)].to_dict()


def test_title_rows_are_skipped_and_row_numbers_kept():
    frame, origin, notes = read(["My estate"], ["as of May"], ["Name", "vCPUs", "Memory (GiB)"], ["a", 1, 2])
    assert (len(frame), origin.row(0), notes[0]["message"]) == (1, 4, "2 title rows above the headings")


def test_trailing_blank_headings_are_dropped():
    frame, _, notes = read(["Name ", "vCPUs", "Memory (GiB)", None, "  "], ["a", 1, 2])
    assert (list(frame), notes) == (["name", "vcpus", "memory_gib"], [])


def test_a_finding_names_file_sheet_row_and_the_heading_of_the_file():
    frame, origin, _ = read(["Name", "CPUs", "Memory (GiB)"], ["a", "four", 2])
    with pytest.raises(InputError, match=r"estate.xlsx, sheet Workloads, row 2, column CPUs: found 'four', expected"):
        schema.conform(frame, "workloads", origin)


def test_an_empty_sheet():
    with pytest.raises(InputError, match="found an empty sheet"):
        read()
