"""Our template and plain tables: written blank, filled in, read, joined, and refused with one clear sentence."""

from __future__ import annotations

import io

import openpyxl
import pytest
import xlsxwriter

from planner import readers, schema
from planner.errors import InputError
from planner.readers.formats.template import SHEET_OF
from planner.writers.template import EXAMPLES, write_template

HEAD = ["Name", "vCPUs", "Memory (GiB)"]
HOSTS = [["Name", "Cores", "Memory (GiB)"], ["esx01", 32, 512]]


def workbook(sheets: dict[str, list[list]]) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"nan_inf_to_errors": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return stream.getvalue()


def named(name: str, data: bytes) -> io.BytesIO:
    stream = io.BytesIO(data)
    stream.name = name
    return stream


def refusal(source) -> InputError:
    with pytest.raises(InputError) as caught:
        readers.read(source)
    return caught.value


def test_three_sheets_are_read_whatever_their_spelling():
    sheets = {"WORKLOADS": [HEAD, ["a", 2, 8]], "hosts": HOSTS, "Host_Models": [*HOSTS[:1], ["r7", 64, 1024]]}
    inventory = readers.read(workbook(sheets))
    assert [list(t["name"]) for t in (inventory.workloads, inventory.hosts, inventory.host_models)] == [
        ["a"],
        ["esx01"],
        ["r7"],
    ]
    assert inventory.sources == ("upload (template)",)


def test_other_sheets_are_ignored_with_a_note():
    rows = [[*HEAD, "Storage (GiB)"], ["a", 2, 8, 1]]
    inventory = readers.read(workbook({"Read me": [["x"]], "Workloads": rows, "Scratch": [["y"]]}))
    notes = inventory.notes.set_index("sheet")["message"]
    assert notes.to_dict() == {"Read me": "it explains the template", "Scratch": "not a sheet of the template"}


def test_the_blank_template_has_no_workload(tmp_path):
    message = str(refusal(write_template(tmp_path / "plan.xlsx")))
    assert message == ("plan.xlsx, sheet Workloads: found no workload, expected at least one row below the headings")


def test_a_filled_template_reads_back(tmp_path):
    book = openpyxl.load_workbook(write_template(tmp_path / "plan.xlsx"))
    for table, name in SHEET_OF.items():
        for position, attribute in enumerate(schema.attributes(table), 1):
            book[name].cell(2, position, EXAMPLES[table].get(attribute))
    book.save(tmp_path / "filled.xlsx")
    inventory = readers.read(tmp_path / "filled.xlsx")
    for table in SHEET_OF:
        row = getattr(inventory, table).iloc[0]
        assert {key: row[key] for key in EXAMPLES[table]} == EXAMPLES[table]
    assert set(inventory.notes["sheet"]) == {"Read me"}


def test_the_template_explains_every_column(tmp_path):
    book = openpyxl.load_workbook(write_template(tmp_path / "plan.xlsx"))
    explained = {(row[0], row[1]) for row in book["Read me"].values}
    for table, name in SHEET_OF.items():
        headings = [attribute.heading for attribute in schema.attributes(table).values()]
        assert [cell.value for cell in book[name][1]] == headings
        assert all(cell.comment for cell in book[name][1])
        assert {(name, heading) for heading in headings} <= explained
        assert book[name].freeze_panes == "B2"


def test_a_flag_and_a_state_are_chosen_from_a_list(tmp_path):
    book = openpyxl.load_workbook(write_template(tmp_path / "plan.xlsx"))
    for sheet, heading, choices in (
        ("Hosts", "Hyper-threading", "yes,no"),
        ("Host models", "Hyper-threading", "yes,no"),
        ("Workloads", "State", "on,off,suspended,template,placeholder"),
    ):
        cell = next(cell for cell in book[sheet][1] if cell.value == heading)
        rules = [rule for rule in book[sheet].data_validations.dataValidation if f"{cell.column_letter}2" in rule]
        assert [rule.formula1 for rule in rules] == [f'"{choices}"'], (sheet, heading)


def test_the_csv_template_reads_back(tmp_path):
    path = write_template(tmp_path / "plan.csv")
    assert "found no workload" in str(refusal(path))
    with path.open("a", encoding="utf-8") as stream:
        stream.write("a,2,8\n")
    assert list(readers.read(path).workloads["memory_gib"]) == [8.0]


def test_a_template_is_not_overwritten_unasked(tmp_path):
    path = write_template(tmp_path / "plan.csv")
    with pytest.raises(InputError, match="found a file of that name"):
        write_template(path)
    assert write_template(path, overwrite=True) == path


def test_a_template_has_two_suffixes(tmp_path):
    with pytest.raises(InputError, match=r"found suffix '.pdf'; expected one of .xlsx, .csv"):
        write_template(tmp_path / "plan.pdf")


def test_a_csv_of_workloads():
    assert list(readers.read(b"VM;RAM (MB);vCPUs\na;2048;2\n").workloads["memory_gib"]) == [2.0]


def test_a_csv_of_hosts_beside_one_of_workloads():
    inventory = readers.read([b"name,vcpus,memory_gib\na,2,8\n", b"Host,Cores,Memory (GiB)\nesx01,32,512\n"])
    assert (list(inventory.workloads["name"]), list(inventory.hosts["name"])) == (["a"], ["esx01"])


def test_hosts_alone_are_no_inventory():
    assert "found no workload" in str(refusal(b"Host,Cores,Memory (GiB)\nesx01,32,512\n"))


def test_several_files_are_joined_and_each_note_names_its_own_file():
    files = [
        named(f"{n}.csv", f"name,vcpus,memory_gib,storage_gib,state\n{n},1,2,3,on\n{n}-old,1,2,3,off\n".encode())
        for n in "ab"
    ]
    inventory = readers.read(files)
    assert list(inventory.workloads["name"]) == ["a", "b"]
    assert list(inventory.left_out["name"]) == ["a-old", "b-old"]
    assert list(zip(inventory.notes["file"], inventory.notes["row"], strict=True)) == [("a.csv", 3), ("b.csv", 3)]
    assert inventory.sources == ("a.csv (table)", "b.csv (table)")


def test_a_name_in_two_files():
    files = [named(name, b"name,vcpus,memory_gib\nweb,1,2\n") for name in ("a.csv", "b.csv")]
    inventory = readers.read(files)
    assert inventory.workloads["name"].tolist() == ["web"]
    message = "1 workload in an earlier file already, by name: kept once; such as 'web'"
    assert message in inventory.notes.loc[inventory.notes["file"] == "b.csv", "message"].tolist()


def test_no_files():
    assert "found no file" in str(refusal([]))


def test_include_plans_for_what_is_left_out():
    data = b"name,vcpus,memory_gib,state\na,1,2,on\nb,1,2,template\n"
    assert list(readers.read(data, include=["template"]).workloads["name"]) == ["a", "b"]


def test_extra_columns_stay_for_further_resources():
    assert list(readers.read(b"name,vcpus,memory_gib,pcie_slots\na,1,2,3\n").workloads["pcie_slots"]) == ["3"]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (["a", "four", 8], "sheet Workloads, row 3, column vCPUs: found 'four', expected a number of vCPU"),
        (["a", -2, 8], "row 3, column vCPUs: found -2.0, expected a number"),
        (
            ["a", 2, 1e12],
            "row 3, column Memory (GiB): found 1000000000000.0, expected a number of GiB from 0 to 65,536",
        ),
        (["a", 2, "inf"], "column Memory (GiB): found 'inf'"),
        (["a", 2, "nan"], "column Memory (GiB): found 'nan'"),
        (["a", float("nan"), 8], "column vCPUs: found an empty cell"),
        (["a", None, 8], "column vCPUs: found an empty cell (or a formula that was never calculated)"),
        ([None, 2, 8], "column Name: found an empty cell"),
        (["ok", 2, 8], "found 'ok' a second time (first in row 2), expected every name once"),
        (["a", True, 8], "column vCPUs: found True"),
    ],
)
def test_bad_cells(row, expected):
    assert expected in str(refusal(workbook({"Workloads": [HEAD, ["ok", 1, 1], row]})))


def test_all_findings_are_told():
    error = refusal(workbook({"Workloads": [HEAD, ["a", "x", 1], ["b", "y", 1]]}))
    assert len(error.details) == 2
    assert "(and 1 more like it)" in str(error)


def test_a_formula_without_stored_value(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Workloads"
    for row in (HEAD, ["a", "=1+1", 8]):
        book.active.append(row)
    book.save(tmp_path / "plan.xlsx")
    assert "row 2, column vCPUs: found an empty cell (or a formula that was never" in str(
        refusal(tmp_path / "plan.xlsx")
    )


@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        ({"Workload": [HEAD], "Hosts": HOSTS}, "sheet 'Workloads' is missing; did you mean 'Workload'?"),
        ({"Workload": [HEAD], "x": [[1]]}, "expected sheet 'Workloads' (the planner's template) or 'vInfo' (RVTools)"),
        ({"vInfos": [[1]], "x": [[1]]}, "did you mean 'vInfo'?"),
        ({"a": [[1]], "b": [[1]]}, "found sheets a, b, expected"),
        ({"Workloads": [["Name", "vCPUs", "Memori"], ["a", 1, 2]]}, "the nearest column found is 'Memori'"),
        ({"Workloads": [], "Hosts": HOSTS}, "sheet Workloads: found an empty sheet"),
        (
            {"Sheet1": [["Name", "vCPUs", "Memento"], ["a", 1, 2]]},
            "sheet Sheet1: 'Memento' read as Memory (GiB) is a guess of confidence 0.50, expected 0.60",
        ),
        (
            {"Sheet1": [["Name", "vCPUs", "Memorial"], ["a", 1, "x"]]},
            "missing 'Memory (GiB)', expected a table of workloads; the nearest column found is 'Memorial'",
        ),
    ],
)
def test_missing_sheets_and_columns(sheets, expected):
    assert expected in str(refusal(workbook(sheets)))


def test_read_table_takes_the_sheet_of_that_name_or_the_only_one():
    both = workbook({"Workloads": [HEAD, ["a", 1, 2]], "Hosts": HOSTS})
    alone = workbook({"Sheet1": HOSTS})
    for source in (both, alone, b"Host,Cores,Memory (GiB)\nesx01,32,512\n"):
        assert list(readers.read_table(source, "hosts")["name"]) == ["esx01"]


@pytest.mark.parametrize(
    ("source", "table", "expected"),
    [
        (workbook({"Host": HOSTS, "x": [[1]]}), "hosts", "sheet 'Hosts' is missing; did you mean 'Host'?"),
        (b"Host,Cores,Memory (GiB)\n", "hosts", "found no row below the headings"),
        (b"Host,Memory (GiB)\na,1\n", "hosts", "column 'Cores' (cores) is missing"),
        (b"x\n", "host", "did you mean 'hosts'?"),
    ],
)
def test_read_table_refuses(source, table, expected):
    with pytest.raises(InputError) as caught:
        readers.read_table(source, table)
    assert expected in str(caught.value)
