"""Files from outside: what is no spreadsheet is refused in one sentence, and a hostile file kills only the child."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile

import openpyxl
import pytest
import xlsxwriter

from planner.errors import InputError
from planner.readers import files, sandbox, sheet_worker
from planner.readers.sandbox import load


def workbook(**sheets: list[list]) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return stream.getvalue()


def archive(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in entries.items():
            out.writestr(name, content)
    return stream.getvalue()


def refusal(source, **options) -> str:
    with pytest.raises(InputError) as caught:
        load(source, **options)
    return str(caught.value)


SMALL = workbook(Workloads=[["Name", "vCPUs"], ["a", 2]], Notes=[["x"]])
PARTS = {"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}


def test_cells_keep_their_types():
    data = workbook(S=[["text", 2, 2.5, True, None, "end"]])
    assert load(data).sheets["S"].rows == [["text", 2.0, 2.5, True, None, "end"]]


def test_dates_become_iso_text(tmp_path):
    import datetime

    book = openpyxl.Workbook()
    book.active["A1"] = datetime.datetime(2025, 2, 26, 12, 53)
    book.save(tmp_path / "dates.xlsx")
    assert load(tmp_path / "dates.xlsx").sheets["Sheet"].rows == [["2025-02-26T12:53:00"]]


def test_blank_rows_are_left_out_and_row_numbers_kept():
    sheet = load(workbook(S=[[], ["a"], [], [" "], ["b"]])).sheets["S"]
    assert (sheet.rows, sheet.row_numbers) == ([["a"], ["b"]], [2, 5])


def test_only_wanted_sheets_are_read_and_all_are_named():
    found = load(SMALL, frozenset({"work_loads"}))
    assert found.sheet_names == ("Workloads", "Notes")
    assert list(found.sheets) == ["Workloads"]


def test_the_only_sheet_is_read_whatever_its_name():
    assert list(load(workbook(Tabelle1=[["a"]]), frozenset({"Workloads"})).sheets) == ["Tabelle1"]


def test_sheet_names_are_trimmed():
    assert load(workbook(**{" vInfo ": [["a"]], "b": [["c"]]}), frozenset({"vInfo"})).find("VINFO").name == "vInfo"


def test_a_chart_sheet_is_no_sheet():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        book.add_worksheet("S").write(0, 0, 1)
        chart = book.add_chart({"type": "line"})
        chart.add_series({"values": "=S!$A$1:$A$2"})
        book.add_chartsheet("C").set_chart(chart)
    assert load(stream.getvalue()).sheet_names == ("S",)


def test_a_formula_without_stored_value_is_blank(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["a", "=1+1", "z"])
    book.save(tmp_path / "formula.xlsx")
    assert load(tmp_path / "formula.xlsx").sheets["Sheet"].rows == [["a", None, "z"]]


def test_a_file_object_is_read_from_its_beginning_and_named():
    stream = io.BytesIO(SMALL)
    stream.name = "estate.xlsx"
    stream.read()
    assert load(stream).file == "estate.xlsx"


def test_bytes_are_called_upload():
    assert load(SMALL).file == "upload"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv_delimiter_is_found_from_the_headings(mark):
    assert load(f"name{mark}vcpus\na{mark}2\n".encode()).sheets[""].rows == [["name", "vcpus"], ["a", "2"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_encoding_is_found(encoding):
    assert load("name;ort\nä;Köln\n".encode(encoding)).sheets[""].rows[1] == ["ä", "Köln"]


def test_csv_cells_may_hold_line_breaks_and_quotes():
    assert load(b'a,b\n"x\ny","he said ""no"""\n').sheets[""].rows[1] == ["x\ny", 'he said "no"']


def test_csv_field_size_is_limited():
    assert "field larger than field limit" in refusal(b"a,b\n" + b"x" * (sheet_worker.MAX_CSV_FIELD + 1))


def test_csv_with_an_open_quote_is_refused():
    assert "not valid CSV near line" in refusal(b'name,vcpus\n"a,2\nb,3\n')


def test_missing_file_names_the_nearest(tmp_path):
    (tmp_path / "estate.xlsx").write_bytes(SMALL)
    assert "did you mean 'estate.xlsx'?" in refusal(tmp_path / "estat.xlsx")


def test_folder(tmp_path):
    assert "found a folder" in refusal(tmp_path)


def test_text_file_object():
    assert "opened as text" in refusal(io.StringIO("name"))


def test_lock_file(tmp_path):
    message = refusal(tmp_path / "~$estate.xlsx")
    assert "lock file" in message
    assert "choose estate.xlsx" in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty file"),
        (b" \n ", "empty file"),
        (b"\xd0\xcf\x11\xe0rest", "encrypted or old .xls workbook; save it as .xlsx without password"),
        (b"%PDF-1.7", "a PDF document"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"name\x00\x01\x02", "binary content"),
        (SMALL[: len(SMALL) // 2], "truncated or damaged"),
        (archive({"a.txt": b"x"}), "not an .xlsx workbook"),
        (archive({"in/vms.xlsx": SMALL}), "unpack it and choose in/vms.xlsx"),
        (archive(PARTS | {"xl/vbaProject.bin": b"x"}), "found macros (vbaProject.bin)"),
        (archive(PARTS), "not a valid workbook"),
        (archive(PARTS | {f"xl/{n}": b"" for n in range(2000)}), "found 2,002 parts"),
    ],
)
def test_no_spreadsheet(content, expected):
    assert expected in refusal(content)


def test_text_called_xlsx(tmp_path):
    (tmp_path / "a.xlsx").write_text("name,vcpus")
    assert "found text, which is not a workbook" in refusal(tmp_path / "a.xlsx")


def test_file_size_is_limited(monkeypatch):
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1000)
    assert "expected a smaller file" in refusal(SMALL)


def test_unpacked_size_is_limited_before_anything_is_unpacked():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for name, content in PARTS.items():
            out.writestr(name, content)
        with out.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            for _ in range(1025):
                sheet.write(bytes(1024**2))
    assert "1.0 GiB when unpacked, expected at most 1 GiB" in refusal(stream.getvalue())


def test_two_cells_at_the_far_ends_of_a_sheet_hit_the_memory_limit():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet = book.add_worksheet("Workloads")
        sheet.write(0, 0, 1)
        sheet.write(1048575, 16383, 1)
    assert "the limit of 3 GiB of memory" in refusal(stream.getvalue())


def test_time_is_limited(monkeypatch):
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 0.001)
    assert "took more than the limit of 0.001 s" in refusal(SMALL)


@pytest.mark.parametrize(("signal", "expected"), [(24, "processor time"), (11, "made the parser stop")])
def test_a_child_that_dies_is_one_sentence(monkeypatch, tmp_path, signal, expected):
    worker = tmp_path / "sheet_worker.py"
    dying = f"print('[1', end='', flush=True)\nos.kill(os.getpid(), {signal})\n"
    worker.write_text("import os, sys\nsys.stdin.buffer.read()\n" + dying)
    monkeypatch.setattr(sandbox, "WORKER", worker)
    assert expected in refusal(SMALL)


def test_rows_are_told_as_they_are_read(monkeypatch):
    monkeypatch.setattr(sandbox, "ROWS_A_REPORT", 2)
    seen = []
    load(b"name\n" + b"a\n" * 4, on_rows=lambda *told: seen.append(told))
    assert seen == [("upload", "", 0), ("upload", "", 2), ("upload", "", 4), ("upload", "", 5)]


def test_json_records_are_rows_below_their_names():
    table = load(b'{"data": [{"a": {"b": 1, "c": [2]}, "d": "x"}, {}, {"d": null, "e": true}]}').table
    assert table.rows == [["a.b", "a.c", "d", "e"], [1, [2], "x"], [None, None, None, True]]
    assert table.row_numbers == [0, 1, 3]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[" * 100_000, "nests too deeply"),
        (b'{"a": ', "cannot be read"),
        (b"[1, 2]", "no list of records"),
        (b"[" + b",".join(b'{"k%d": 1}' % n for n in range(6000)) + b"]", "found 6,000 different names"),
    ],
)
def test_json_that_is_no_table(content, expected):
    assert expected in refusal(content)


def test_merged_cells_all_have_the_value():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["Cluster", "VM"])
        sheet.merge_range(1, 0, 2, 0, "Berlin")
        sheet.write_column(1, 1, ["a", "b"])
    assert load(stream.getvalue()).sheets["S"].rows == [["Cluster", "VM"], ["Berlin", "a"], ["Berlin", "b"]]


def test_hidden_rows_are_read_and_counted():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        for name in ("A & B", "S"):
            sheet = book.add_worksheet(name)
            sheet.write_column(0, 0, ["x", "y", "z"])
            sheet.set_row(1, None, None, {"hidden": True})
            sheet.set_row(7, None, None, {"hidden": True})
    found = load(stream.getvalue()).sheets
    assert [(sheet.hidden, len(sheet.rows)) for sheet in found.values()] == [(1, 3), (1, 3)]


def test_a_csv_file_may_declare_its_delimiter():
    table = load(b"sep=;\r\nname;a,b\r\nx;1,5\r\n").table
    assert (table.rows, table.row_numbers, table.delimiter) == ([["name", "a,b"], ["x", "1,5"]], [2, 3], ";")


def test_a_folder_or_archive_gives_its_files(tmp_path):
    for name, content in {
        "b.csv": SMALL,
        "a.csv": b"x",
        "empty.csv": b" ",
        "notes.txt": b"x",
        "~$b.xlsx": b"x",
    }.items():
        (tmp_path / name).write_bytes(content)
    found, others = files.opened(tmp_path)
    assert [(file.name, file.data, file.parent) for file in found] == [
        ("a.csv", b"x", tmp_path.name),
        ("b.csv", SMALL, tmp_path.name),
    ]
    assert sorted(others) == ["empty.csv", "notes.txt", "~$b.xlsx"]
    zipped, _ = files.opened(archive({path.name: path.read_bytes() for path in tmp_path.iterdir()}))
    assert [(file.name, file.data, file.parent) for file in zipped] == [
        ("a.csv", b"x", "upload"),
        ("b.csv", SMALL, "upload"),
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (archive({"a.txt": b"x"}), "found a zip archive with a.txt"),
        (archive({"a.csv": b""}), "found empty files only"),
        (archive({f"{n}.csv": b"x" for n in range(201)}), "found 201 files to read, expected at most 200"),
    ],
)
def test_an_archive_without_anything_to_read(source, expected):
    with pytest.raises(InputError, match=expected):
        files.opened(source)


def test_the_child_imports_neither_pandas_nor_the_solver():
    code = "import runpy, sys; runpy.run_path(sys.argv[1]); print({'pandas', 'ortools', 'planner'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code, sheet_worker.__file__], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
