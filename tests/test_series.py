"""Series: reading, units, clocks, gaps, matching with an inventory, statistics."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import InputError, Inventory, Series
from planner.readers.series_columns import parts_of
from planner.stamps import moment, to_utc
from tests.conftest import SHARED, estate, machines

parsed_here = pytest.mark.usefixtures("parsed_here")


def csv(text: str) -> bytes:
    return text.replace(" ", "").replace("_", " ").encode()


def said(series_or_inventory, kind: str = "") -> str:
    """All messages of a kind in one text."""
    notes = series_or_inventory.notes
    return "\n".join(notes.loc[notes["kind"].isin([kind]) | (not kind), "message"])


def hourly(name: str, values, day: str = "2024-05-06") -> str:
    stamps = pd.date_range(day, periods=len(values), freq="h")
    return "".join(f"{name},{stamp.isoformat()}Z,{value}\n" for stamp, value in zip(stamps, values, strict=True))


def series_of(*rows: tuple[str, list[float]], step_minutes: float = 60.0, start: str = "2024-05-06") -> Series:
    """CPU series in GHz that begin together."""
    times = np.datetime64(start, "s") + np.arange(len(rows[0][1])) * np.timedelta64(int(step_minutes * 60), "s")
    values = np.array([values for _, values in rows], dtype="float32")
    names = tuple(name for name, _ in rows)
    return Series(names=names, times=times, step_minutes=step_minutes, samples={"cpu_ghz": values})


@parsed_here
@pytest.mark.parametrize(
    ("heading", "cell", "quantity", "value"),
    [
        ("cpu %", 50, "cpu_share", 0.5),
        ("CpuUtilizationPercentage", 50, "cpu_share", 0.5),
        ("cpu fraction", 0.5, "cpu_share", 0.5),
        ("CPU usage [MHZ]", 2600, "cpu_ghz", 2.6),
        ("cpu_ghz", 2.6, "cpu_ghz", 2.6),
        ("mem_gib", 3, "memory_gib", 3),
        ("Memory usage [KB]", 3 * 1024**2, "memory_gib", 3),
        ("memory (MB)", 3072, "memory_gib", 3),
        ("mem KiB", 1024**2, "memory_gib", 1),
        ("UtilizedMemoryBytes", 1024**3, "memory_gib", 1),
        ("MemoryUtilizationPercentage", 25, "memory_share", 0.25),
        ("iops", 120, "iops", 120),
        ("network (Mbps)", 500, "network_gbps", 0.5),
        ("NetworkBytesPerSecSent", 1.25e8, "network_gbps", 1),
    ],
)
def test_units_are_told_by_the_heading(heading, cell, quantity, value):
    found = planner.read_series(f"host,timestamp,{heading}\na,2024-05-06T00:00Z,{cell}\n".encode())
    assert list(found.samples) == [quantity]
    assert found.samples[quantity][0, 0] == pytest.approx(value)


@parsed_here
def test_a_unit_that_nothing_tells_is_asked_for_and_can_be_given():
    data = b"id,timestamp,cpu_usage,mem\na,2024-05-06T00:00Z,1300,2048\n"
    with pytest.raises(InputError, match="column cpu_usage: found no unit in the heading, expected one of mhz, ghz"):
        planner.read_series(data)
    found = planner.read_series(data, unit={"cpu": "MHz", "memory": "MiB"})
    assert found.samples["cpu_ghz"][0, 0] == pytest.approx(1.3)
    assert found.samples["memory_gib"][0, 0] == 2
    with pytest.raises(InputError, match=r"column cpu_usage: found unit 'gib'"):
        planner.read_series(data, unit="gib")
    with pytest.raises(InputError, match="unit: found 'cup'; did you mean 'cpu'"):
        planner.read_series(data, unit={"cup": "MHz"})


@parsed_here
def test_gcp_performance_tables_are_read_with_reads_and_writes_added_up():
    head = (
        "MachineId,TimeStamp,CpuUtilizationPercentage,MemoryUtilizationPercentage,UtilizedMemoryBytes,"
        "DiskReadOperationsPerSec,DiskWriteOperationsPerSec,NetworkBytesPerSecSent,NetworkBytesPerSecReceived\n"
    )
    rows = "m1,2024-05-06 00:00:00 +0000,25,50,2147483648,10,30,125000000,125000000\n"
    found = planner.read_series((head + rows.replace(" +0000", "+00:00")).encode())
    figures = {name: float(array[0, 0]) for name, array in found.samples.items()}
    assert figures == pytest.approx({"cpu_share": 0.25, "memory_gib": 2, "iops": 40, "network_gbps": 2})


def test_of_percent_and_megahertz_the_megahertz_are_read():
    parts = parts_of(["CPU usage [%]", "CPU usage [MHZ]", "CPU capacity provisioned [MHZ]"], {}, "f")
    assert [(part.position, part.quantity) for part in parts] == [(1, "cpu_ghz")]


def test_parquet_is_read_like_csv(tmp_path):
    frame = pd.DataFrame(
        {
            "id": ["007", "007", "b"],
            "timestamp": pd.to_datetime(["2024-05-06 00:00", "2024-05-06 00:05", "2024-05-06 00:05"], utc=True),
            "cpu_mhz": [1000.0, 2000.0, 500.0],
        }
    )
    frame.to_parquet(tmp_path / "use.parquet")
    frame.assign(timestamp=frame["timestamp"].astype(str)).to_csv(tmp_path / "use.csv", index=False)
    for name in ("use.parquet", "use.csv"):
        found = planner.read_series(tmp_path / name)
        assert found.names == ("007", "b")
        assert found.step_minutes == 5
        np.testing.assert_allclose(found.samples["cpu_ghz"], [[1, 2], [np.nan, 0.5]])


@pytest.mark.parametrize("kind", ["folder", "pattern", "tar", "zip"])
def test_one_file_a_workload_is_read_from_folders_and_archives(tmp_path, kind):
    folder = tmp_path / "traces"
    folder.mkdir()
    for name, text in (("web 1.txt", "10\n20\n30\n"), ("host.example.com", "40\n50\n")):
        (folder / name).write_text(text)
    source = {"folder": folder, "pattern": str(folder / "*")}.get(kind)
    if kind == "tar":
        source = tmp_path / "traces.tar.gz"
        with tarfile.open(source, "w:gz") as archive:
            archive.add(folder, arcname="../../outside")
    if kind == "zip":
        source = tmp_path / "traces.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for path in folder.iterdir():
                archive.write(path, f"/etc/{path.name}")
    with pytest.raises(InputError, match="bare values, expected start and step_minutes"):
        planner.read_series(source)
    with pytest.raises(InputError, match="bare values, expected their unit"):
        planner.read_series(source, start="2011-03-03", step_minutes=5)
    found = planner.read_series(source, unit="percent", start="2011-03-03", step_minutes=5)
    assert found.names == ("host.example.com", "web 1")
    assert str(found.times[0]) == "2011-03-03T00:00:00"
    np.testing.assert_allclose(found.samples["cpu_share"], [[0.4, 0.5, np.nan], [0.1, 0.2, 0.3]], rtol=1e-6)
    assert [
        path.name for path in tmp_path.iterdir() if path.name not in ("traces", "traces.tar.gz", "traces.zip")
    ] == []


@parsed_here
def test_a_file_a_workload_may_be_a_table():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "vm7.csv", "Timestamp [ms];\tCPU usage [MHZ];\tMemory usage [KB]\n1376314846;\t2000;\t1048576\n"
        )
    found = planner.read_series(buffer.getvalue())
    assert found.names == ("vm7",)
    assert {name: float(array[0, 0]) for name, array in found.samples.items()} == {"cpu_ghz": 2.0, "memory_gib": 1.0}
    assert str(found.times[0]) == "2013-08-12T13:00:00"
    assert "numbers read as seconds of UTC" in said(found)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"host,cpu %\na,1\n", "none is read as a moment"),
        (b"timestamp,cpu %\n2024-05-06,1\n", "none is read as a workload's name"),
        (b"host,timestamp,weight\na,2024-05-06,1\n", "none is read as CPU, memory or other use"),
        (b"host,timestamp,cpu %\na,2024-05-06,1\na,yesterday,1\n", "column timestamp, row 3: found 'yesterday'"),
        (b"host,timestamp,cpu %\na,2024-05-06,1\na,2024-05-07,much\n", "column cpu %, row 3: found 'much'"),
        (b"host,timestamp,cpu %\na,2024-05-06,1\n,2024-05-07,2\n", "row 3, column host: found a blank cell"),
        (b"host,timestamp,cpu %\na,2024-05-06,1,9\n", "more cells than there are headings"),
        (b"host,timestamp,cpu %\n", "found no sample"),
        (b"  \n", "found an empty file"),
        (b"PAR1 is not enough", "cannot be read"),
        (b"\x1f\x8b broken", "cannot be read"),
        (b"\x00\x01\x02", "found binary content"),
    ],
)
def test_bad_files_are_named_in_one_sentence(data, message):
    with pytest.raises(InputError, match=message):
        planner.read_series(data)


def test_a_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "perf.csv").write_text("x")
    with pytest.raises(InputError, match=r"no such file; did you mean 'perf.csv'"):
        planner.read_series(tmp_path / "pref.csv")


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch):
    from planner.readers import series_worker

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"1\n" * 50_000)
    monkeypatch.setattr(series_worker, "MAX_UNPACKED_BYTES", 1 << 16)
    with pytest.raises(ValueError, match="when unpacked"):
        list(series_worker._members("zip", buffer.getvalue()))


# Clocks: Berlin went from 02:00 to 03:00 on 2024-03-31, and from 03:00 back to 02:00 on 2024-10-27.


@parsed_here
def test_the_hour_that_autumn_has_twice_is_told_by_order():
    stamps = ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    rows = "".join(f"a,2024-10-27 {stamp},{number}\n" for number, stamp in enumerate(stamps))
    found = planner.read_series(f"host,timestamp,cpu_ghz\n{rows}".encode(), time_zone="Europe/Berlin")
    assert str(found.times[0]) == "2024-10-26T23:00:00"
    assert found.samples["cpu_ghz"][0].tolist() == list(range(7))
    assert "4 stamps in the hour that the clock of Europe/Berlin shows twice" in said(found, "guessed")


@parsed_here
def test_the_hour_that_spring_skips_is_read_one_hour_later():
    stamps = ["01:30", "02:15", "03:30"]
    rows = "".join(f"a,2024-03-31 {stamp},{number}\n" for number, stamp in enumerate(stamps))
    found = planner.read_series(f"host,timestamp,cpu_ghz\n{rows}".encode(), time_zone="Europe/Berlin", step_minutes=15)
    at = {str(t)[11:16]: v for t, v in zip(found.times, found.samples["cpu_ghz"][0], strict=True) if v == v}
    assert at["00:30"] == 0
    assert at["01:15"] == 1
    assert at["01:30"] == 2
    assert "skips, the first 2024-03-31 02:15:00: read one hour later" in said(found, "guessed")


def test_stamps_with_an_offset_keep_it_and_naive_ones_are_utc_and_noted():
    owner = np.zeros(2, dtype=int)
    aware, notes = to_utc(np.array(["2024-05-06T02:00+02:00", "2024-05-06T00:00Z"], dtype=object), owner, None, "f")
    assert aware.tolist() == [1714953600, 1714953600]
    assert notes == []
    naive, notes = to_utc(np.array(["2024/05/06 00:00", "06.05.2024 00:00"], dtype=object), owner, None, "f")
    assert naive.tolist() == [1714953600, 1714953600]
    assert notes[0][0] == "guessed"
    assert "read as UTC" in notes[0][1]


@pytest.mark.parametrize("factor", [1, 1000, 1_000_000, 1_000_000_000])
def test_epochs_are_told_by_their_size(factor):
    seconds, _ = to_utc(np.array([1714953600 * factor]), np.zeros(1, dtype=int), None, "f")
    assert seconds.tolist() == [1714953600]


def test_a_zone_or_start_that_is_none_is_refused():
    with pytest.raises(InputError, match=r"time_zone: found 'Europe/Berlni'.*did you mean 'Europe/Berlin'"):
        planner.read_series(b"x", time_zone="Europe/Berlni")
    with pytest.raises(InputError, match="start: found 'soon', expected a time"):
        moment("soon", None, "start")


@given(st.lists(st.integers(0, 365 * 24 * 4 - 1), min_size=1, max_size=60, unique=True))
def test_a_year_of_local_stamps_reads_back_as_the_moments_they_were(quarters):
    quarters = np.sort(np.array(quarters))
    moments = pd.to_datetime(1704067200 + quarters * 900, unit="s", utc=True)
    local = moments.tz_convert("Europe/Berlin").tz_localize(None)
    seconds, _ = to_utc(local.to_numpy(), np.zeros(len(local), dtype=int), "Europe/Berlin", "f")
    wrong = seconds != 1704067200 + quarters * 900
    # Only a stamp of the hour that is there twice can be told wrongly: where the file has its second turn alone.
    assert (np.abs(seconds[wrong] - (1704067200 + quarters * 900)[wrong]) == 3600).all()
    assert set(pd.DatetimeIndex(local)[wrong].strftime("%m-%d %H")) <= {"10-27 02"}


# The grid.


@parsed_here
def test_unequal_lengths_gaps_and_duplicates_lie_on_one_grid():
    rows = hourly("a", [1, 2, 3, 4]) + hourly("b", [5], "2024-05-06T02") + "a,2024-05-06T01:00:00Z,9\n"
    found = planner.read_series(f"host,timestamp,cpu_ghz\n{rows}".encode())
    np.testing.assert_array_equal(found.samples["cpu_ghz"], [[1, 9, 3, 4], [np.nan, np.nan, 5, np.nan]])
    assert "1 samples repeat the moment of another" in said(found, "dropped")
    assert "cpu_ghz measured in 25% of 4 steps" in said(found, "information")
    assert found.coverage("cpu_ghz").tolist() == [1, 0.25]


@parsed_here
def test_irregular_and_slower_samples_hold_for_their_own_step_and_are_noted():
    fast = "".join(f"fast,2024-05-06T00:{minute:02d}:07Z,{minute}\n" for minute in range(0, 60, 5))
    slow = "".join(f"slow,2024-05-06T00:{minute:02d}:00Z,{minute}\n" for minute in range(0, 60, 15))
    found = planner.read_series(f"host,timestamp,cpu_ghz\n{fast}{slow}".encode(), step_minutes=5)
    assert found.samples["cpu_ghz"][0].tolist() == list(range(0, 60, 5))
    assert found.samples["cpu_ghz"][1].tolist() == [0, 0, 0, 15, 15, 15, 30, 30, 30, 45, 45, 45]
    assert "samples lie off the grid of 5 min" in said(found)
    assert "usually sampled every 15 min" in said(found)


@parsed_here
def test_a_duration_fills_every_step_that_the_sample_touches():
    data = b"id,timestamp,duration_ms,cpu_ghz\na,2024-05-06T00:10:00Z,600000,1\na,2024-05-06T00:17:00Z,300000,2\n"
    found = planner.read_series(data, step_minutes=5)
    assert found.samples["cpu_ghz"][0].tolist() == [1, 1, 2, 2]
    assert str(found.times[0]) == "2024-05-06T00:00:00"


@parsed_here
def test_negative_samples_are_not_measured():
    found = planner.read_series(f"host,timestamp,cpu_ghz\n{hourly('a', [1, -1, 2])}".encode())
    np.testing.assert_array_equal(found.samples["cpu_ghz"], [[1, np.nan, 2]])
    assert "1 negative values" in said(found, "dropped")


@parsed_here
def test_a_stray_stamp_that_would_need_an_endless_grid_is_named():
    rows = "".join(f"w{number},2024-05-06T00:0{number % 10}:00Z,1\n" for number in range(60))
    with pytest.raises(InputError, match=r"'w0' has a sample at 1970-01-01 .*is that right\?"):
        planner.read_series(f"host,timestamp,cpu_ghz\n{rows}w0,1970-01-01T00:00Z,1\n".encode(), step_minutes=1)


@parsed_here
def test_several_files_are_one_series():
    first = f"host,timestamp,cpu_ghz\n{hourly('a', [1, 2])}".encode()
    second = f"host,timestamp,cpu_mhz\n{hourly('b', [3000, 4000])}".encode()
    found = planner.read_series([first, second])
    assert found.names == ("a", "b")
    assert found.samples["cpu_ghz"].tolist() == [[1, 2], [3, 4]]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.floats(0, 100, width=32)), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_the_order_of_samples_changes_nothing_and_no_sample_is_lost(samples, random):
    def aligned(rows):
        owner, place, value = (np.array(column) for column in zip(*rows, strict=True))
        return Series.from_samples("abcd", owner, place * 300.0, {"cpu_ghz": value.astype(float)}, step_minutes=5)

    found = aligned(samples)
    random.shuffle(samples)
    np.testing.assert_array_equal(found.samples["cpu_ghz"], aligned(samples).samples["cpu_ghz"])
    first = int(found.times[0].astype("int64")) // 300
    for owner, place, value in samples:
        assert found.samples["cpu_ghz"][owner, place - first] >= np.float32(value)


# Statistics, worked by hand.


def test_statistics_are_average_peak_and_nearest_rank():
    series = series_of(("a", [*range(1, 21)]), ("b", [2, 4, *[np.nan] * 18]))
    table = series.table(percentiles=(95, 50))
    assert table.columns.tolist() == ["cpu_ghz_average", "cpu_ghz_peak", "cpu_ghz_p95", "cpu_ghz_p50"]
    assert table.loc["a"].tolist() == [10.5, 20, 19, 10]
    assert table.loc["b"].tolist() == [3, 4, 4, 2]
    assert series.table(["b"]).index.tolist() == ["b"]


# Beside an inventory.


def inventory_of(*names: str, **columns) -> Inventory:
    return Inventory.from_frames(workloads=estate(*((name, 4, 16) for name in names), **columns))


def test_the_table_gains_statistics_and_blank_use_becomes_the_peak():
    frame = estate(("a", 4, 16), ("b", 4, 16), cpu_ghz_used=[np.nan, 1.5])
    inventory = Inventory.from_frames(workloads=frame).with_series(series_of(("A", [1, 3]), ("b", [2, 2])))
    workloads = inventory.workloads.set_index("name")
    assert workloads.loc["a", ["cpu_ghz_average", "cpu_ghz_peak", "cpu_ghz_p95", "cpu_ghz_used"]].tolist() == [
        2,
        3,
        3,
        3,
    ]
    assert workloads.loc["b", "cpu_ghz_used"] == 1.5
    assert inventory.series.names == ("A", "b")
    assert "1 series matched by a name in other letter case" in said(inventory)
    assert "cpu_ghz_used was blank for 1 workloads" in said(inventory)


def test_series_stay_when_hosts_change_and_workloads_come_back():
    frame = estate(("a", 4, 16), ("b", 4, 16), state=["on", "off"])
    inventory = Inventory.from_frames(workloads=frame).with_series(series_of(("a", [1, 3]), ("b", [2, 2])))
    back = inventory.include("powered off").with_hosts(machines(("h", 8, 64)))
    assert back.series is inventory.series
    assert back.workloads["cpu_ghz_peak"].tolist() == [3, 2]
    assert back.workloads["series_name"].tolist() == ["a", "b"]


def test_names_on_one_side_only_are_noted_with_the_nearest():
    inventory = inventory_of("web-01", "db-01").with_series(series_of(("web-01", [1]), ("bd-01", [1])))
    notes = inventory.notes.set_index("subject")["message"]
    assert "no workload of this name; did you mean 'db-01'" in notes["bd-01"]
    assert "no series: planned flat, with its table figure" in notes["db-01"]


def test_no_name_in_common_is_an_error_with_the_nearest():
    with pytest.raises(
        InputError, match=r"none of which is a workload.*nearest are series 'web01' and workload 'web-01'"
    ):
        inventory_of("web-01", "db").with_series(series_of(("web01", [1])))


def test_two_series_for_one_workload_are_an_error():
    with pytest.raises(InputError, match="series 'WEB' and 'Web': both match workload 'web'"):
        inventory_of("web").with_series(series_of(("WEB", [1]), ("Web", [1])))


def test_one_series_for_two_workloads_is_an_error():
    with pytest.raises(InputError, match="series 'web': matches workloads 'web' and 'Web', expected one"):
        inventory_of("web", "Web").with_series(series_of(("web", [1])))


def test_no_time_in_common_is_an_error():
    apart = series_of(("a", [1, np.nan]), ("b", [np.nan, 1]))
    with pytest.raises(InputError, match="no two workloads were measured at the same time"):
        inventory_of("a", "b").with_series(apart)


def test_percent_of_vcpus_needs_a_clock_given_or_of_todays_host():
    share = Series(
        names=("a",),
        times=np.array(["2024-05-06"], dtype="datetime64[s]"),
        step_minutes=60.0,
        samples={"cpu_share": np.array([[0.5]], dtype="float32"), "memory_share": np.array([[0.25]], dtype="float32")},
    )
    with pytest.raises(InputError, match="'a': CPU is given in percent and the clock of its vCPUs is not known"):
        inventory_of("a").with_series(share)
    given = inventory_of("a").with_series(share, ghz_per_vcpu=2.5)
    assert given.series.samples["cpu_ghz"].tolist() == [[5.0]]
    assert given.series.samples["memory_gib"].tolist() == [[4.0]]
    hosts = machines(("esx", 8, 64), ghz=3.0)
    today = Inventory.from_frames(workloads=estate(("a", 4, 16), host="esx"), hosts=hosts).with_series(share)
    assert today.series.samples["cpu_ghz"].tolist() == [[6.0]]
    with pytest.raises(InputError, match=r"ghz_per_vcpu: found 2600, expected a number from 0\.01 to 20"):
        inventory_of("a").with_series(share, ghz_per_vcpu=2600)


# Real series by others, which lie beside the repository.


@pytest.fixture
def traces():
    if not (SHARED / "traces").is_dir():
        pytest.skip("the traces of others lie beside the repository, not in it; absent here")
    return SHARED / "traces"


def test_bitbrains_is_read_whole(traces):
    found = planner.read_series(traces / "bitbrains" / "trace.parquet", unit={"cpu": "MHz"})
    raw = pd.read_parquet(traces / "bitbrains" / "trace.parquet")
    assert len(found.names) == 50
    assert found.step_minutes == 5
    peak = found.table()["cpu_ghz_peak"]
    np.testing.assert_allclose(peak, raw.groupby("id")["cpu_usage"].max()[peak.index] / 1000, rtol=1e-6)
    assert found.coverage("cpu_ghz").min() > 0.2
    assert "cpu_ghz measured in 22%" in said(found)


def test_planetlab_is_read_whole(traces):
    found = planner.read_series(
        traces / "planetlab" / "20110303.tar.gz", unit="percent", start="2011-03-03", step_minutes=5
    )
    assert found.samples["cpu_share"].shape == (1052, 288)
    assert not np.isnan(found.samples["cpu_share"]).any()
    assert json.dumps(found.names[:1]) == '["146-179_surfsnel_dsl_internl_net_colostate_557"]'
