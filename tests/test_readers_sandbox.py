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
from planner.readers import sandbox, sheet_worker
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
    monkeypatch.setattr(sandbox, "MAX_FILE_BYTES", 1000)
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


@pytest.mark.parametrize(("code", "expected"), [(-24, "processor time"), (-11, "made the parser stop")])
def test_a_child_that_dies_is_one_sentence(monkeypatch, code, expected):
    dead = subprocess.CompletedProcess([], code, b"", b"")
    monkeypatch.setattr(sandbox.subprocess, "run", lambda *_, **__: dead)
    assert expected in refusal(SMALL)


def test_the_child_imports_neither_pandas_nor_the_solver():
    code = "import runpy, sys; runpy.run_path(sys.argv[1]); print({'pandas', 'ortools', 'planner'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-I", "-c", code, sheet_worker.__file__], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"
