"""Samples over time among the files that are read."""

from __future__ import annotations

import io

import openpyxl
import pytest

import planner
from planner.errors import InputError
from tests.test_joining import file, names, said

SAMPLES = [f"{name},2026-01-05T0{hour}:00Z,{hour + 1}" for name in ("web", "db") for hour in range(4)]
LISTED = ("name,vcpus,memory_gib,host", "WEB,2,8,", "db,2,8,")


def test_samples_over_time_among_the_files_are_joined_as_a_series():
    samples = file("perf.csv", "VM,Time,CPU (GHz)", *SAMPLES)
    for files in ([file("w.csv", *LISTED), samples], [samples, file("w.csv", *LISTED)]):
        inventory = planner.read(files)
        assert names(inventory) == ["WEB", "db"]
        assert inventory.series.names == ("db", "web") and inventory.series.samples["cpu_ghz"].shape == (2, 4)
        assert inventory.workloads["cpu_ghz_used"].tolist() == [4, 4]
        assert "perf.csv (use over time)" in inventory.sources
        assert planner.readers.suggestions(samples) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            ["VM,Time,CPU", *SAMPLES],
            r"perf\.csv, column CPU: found no unit .* with --series FILE, and what its headings",
        ),
        (
            ["VM,Time,CPU (GHz)", *(row.replace("web", "a").replace("db", "b") for row in SAMPLES)],
            r"perf\.csv \(series\): found names such as 'a', none of which",
        ),
    ],
)
def test_samples_that_cannot_be_joined_are_refused_with_the_way_to_give_them(rows, said):
    with pytest.raises(InputError, match=said):
        planner.read([file("w.csv", *LISTED), file("perf.csv", *rows)])


def test_samples_alone_or_in_another_kind_of_file_are_refused():
    with pytest.raises(InputError, match=r"found no workload, .*; perf\.csv tells use over time alone"):
        planner.read(file("perf.csv", "VM,Time,CPU (GHz)", *SAMPLES))
    with pytest.raises(InputError, match="a Parquet file, which is read with --series FILE alone"):
        planner.read([file("w.csv", *LISTED), file("perf.parquet", "PAR1...")])
    book = openpyxl.Workbook()
    for row in ["VM,Time,CPU (GHz)", *SAMPLES]:
        book.active.append(row.split(","))
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(
        InputError, match=r"found samples over time, expected them as \.csv; save it so, or give it with"
    ):
        planner.read([file("w.csv", *LISTED), stream])


def test_a_list_of_machines_with_a_date_is_no_series():
    inventory = planner.read(
        file("w.csv", "VM,Date,vCPU,Memory (GB),Disk (GB)", "a,2026-01-05,2,8,1", "b,2026-01-05,2,8,1")
    )
    assert names(inventory) == ["a", "b"] and inventory.series is None


def test_a_series_that_gives_way_to_another_is_told():
    inventory = planner.read([file("w.csv", *LISTED), file("perf.csv", "VM,Time,CPU (GHz)", *SAMPLES)])
    other = planner.read_series(file("new.csv", "VM,Time,CPU (GHz)", *SAMPLES))
    assert "perf.csv (series): given up for new.csv (series)" in said(inventory.with_series(other))
