"""Samples over time among the files that are read."""

from __future__ import annotations

import io

import numpy as np
import openpyxl
import pytest

import planner
from planner.errors import InputError
from tests.test_joining import file, names, said

pytestmark = pytest.mark.usefixtures("parsed_here")

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


def measured(heading: str, *cells: str, mark: str = ";", name: str = "perf.csv") -> tuple[list[float], str]:
    """Samples of two machines, hour by hour, as they are read; and what is noted of their column."""
    rows = (f"{vm}{mark}2026-02-01 0{hour}:00{mark}{cell}" for vm in ("web", "db") for hour, cell in enumerate(cells))
    inventory = planner.read([file("w.csv", *LISTED), file(name, mark.join(("VM", "Time", heading)), *rows)])
    (samples,) = inventory.series.samples.values()
    notes = inventory.notes.query("column == @heading and kind != 'ignored'")
    return samples[0].tolist(), "; ".join(notes["kind"] + ": " + notes["message"])


@pytest.mark.parametrize(
    ("heading", "cells", "mark", "read"),
    [
        ("CPU (MHz)", ["950", "1.234"], ";", [0.95, 1.234]),
        ("CPU (MHz)", ["950", "1.234"], ",", [0.95, 1.234]),
        ("CPU (MHz)", ["950.5", "1.250"], ",", [0.9505, 0.00125]),
        ("CPU (MHz)", ["12.25", "1.250"], ";", [0.01225, 0.00125]),
        ("CPU (MHz)", ["950", "1,5"], ";", [0.95, 0.0015]),
        ("Memory (MB)", ["2.048", "4.096"], ";", [2, 4]),
        ("CPU (GHz)", ["1,023", "2"], ";", [1.023, 2]),
        ("CPU (GHz)", ["1.023", "2.5"], ";", [1.023, 2.5]),
        ("CPU (GHz)", ["1.023", "2.046"], "\t", [1.023, 2.046]),
        ("Memory (GB)", ["1,024", "2"], ";", [1.024, 2]),
        ("Memory (GB)", ["1.024", "2,5"], ";", [1024, 2.5]),
        ("Memory (GB)", ["1.0", "2.0"], ";", [1, 2]),
        ("CPU (GHz)", ["950 MHz", "1,5 GHz"], ";", [0.95, 1.5]),
    ],
)
def test_samples_are_read_as_the_numbers_of_a_list_are(heading, cells, mark, read):
    samples, said = measured(heading, *cells, mark=mark)
    assert samples == pytest.approx(read)
    assert ("guessed" in said) == (heading == "Memory (GB)" and cells[0] == "1,024")


def test_samples_that_the_separator_alone_explains_are_guessed():
    samples, said = measured("Memory (GB)", "1.024", "2.048")
    assert samples == [1024, 2048]
    assert "guessed: '1.024' read with a thousands point, as semicolons part the cells" in said
    samples, said = measured("Memory (GB)", "1.024", "2.048", mark="\t")
    assert samples == pytest.approx([1.024, 2.048])
    assert "guessed: '1.024' read with a decimal point, as nothing tells the decimal mark" in said


def test_what_one_column_of_samples_shows_the_others_are_read_by():
    head, rows = "VM;Time;Memory (GB);IOPS", ["web;2026-02-01 00:00;1.024;{}", "web;2026-02-01 01:00;2.048;7"]
    for shown, expected in (("0.5", 1.024), ("0,5", 1024)):
        lines = [row.format(shown) for row in rows]
        found = planner.read_series(file("perf.csv", head, *lines))
        assert found.samples["memory_gib"][0, 0] == pytest.approx(expected)


def test_samples_of_one_file_each_are_read_in_one_way(tmp_path):
    (tmp_path / "web.csv").write_text("Time;CPU (MHz);Memory (GB)\n2026-02-01 00:00;950;1.024\n")
    (tmp_path / "db.csv").write_text("Time;CPU (MHz);Memory (GB)\n2026-02-01 00:00;1.234;1,5\n")
    found = planner.read_series(tmp_path)
    assert found.samples["cpu_ghz"][:, 0].tolist() == pytest.approx([1.234, 0.95])
    assert found.samples["memory_gib"][:, 0].tolist() == pytest.approx([1.5, 1024])


def test_moments_and_durations_that_are_numbers_stay_so_beside_samples_in_doubt():
    rows = [f"web;{1.7e9 + 3600 * hour:.0f};3600.0;1.234" for hour in range(3)]
    found = planner.read_series(file("perf.csv", "VM;Time;Duration (s);CPU (MHz)", *rows))
    assert np.nanmax(found.samples["cpu_ghz"]) == pytest.approx(0.001234)
    rows = [row.replace("3600.0", "300.000") for row in rows]
    found = planner.read_series(file("perf.csv", "VM;Time;Duration (s);CPU (MHz)", *rows))
    assert np.nanmax(found.samples["cpu_ghz"]) == pytest.approx(1.234)


def test_samples_of_percent_that_are_all_at_most_one_are_suspicious():
    for cells, expected in ((["0.35", "0.9"], True), (["0.35", "9"], False), (["0", "1"], False)):
        _, said = measured("Memory usage %", *cells, mark=",")
        assert ("are these fractions, not percent" in said) is expected


def test_series_are_joined_by_short_or_domain_name_where_no_other_is_meant():
    listed = file("w.csv", "name,vcpus,memory_gib,host", "web,2,8,", "db.a.de,2,8,", "app,2,8,")
    rows = [
        f"{name},2026-01-05T0{hour}:00Z,{hour + 1}"
        for name in ("web.a.de", "DB", "app.a.de", "app.b.de")
        for hour in (0, 1)
    ]
    inventory = planner.read([listed, file("perf.csv", "VM,Time,CPU (GHz)", *rows)])
    used = dict(zip(inventory.workloads["name"], inventory.workloads["cpu_ghz_used"].fillna(0), strict=True))
    assert used == {"web": 2, "db.a.de": 2, "app": 0}
    assert "2 series matched by a short or domain name, such as 'web.a.de' for 'web'" in said(inventory)
    assert "a short or domain name that several series could mean: joined to none" in said(inventory)
