"""Bad input by name, for every format: one sentence that says where and what, or a note; storage is never lost."""

from __future__ import annotations

import io
import socket
import zipfile

import openpyxl
import pytest
import xlsxwriter

import planner
from planner.errors import InputError
from planner.inventory import Inventory
from planner.readers import sheet_worker
from planner.readers.exports import as_text
from planner.readers.files import File
from planner.readers.sandbox import load
from tests.damage import (
    READ,
    VMS,
    WHERE,
    books_of,
    figures,
    near,
    new_notes,
    outcome,
    place,
    says,
    tabs_of,
    untouched,
    workload_rows,
)
from tests.exports import EXPORTS

every_read = pytest.mark.parametrize("key", READ)
SIZED = [(key, what) for key in READ for what in ("vcpus", "memory_gib") if what in WHERE[key]]
STORED = [key for key in READ if "storage_gib" in WHERE[key]]


def workbook(**sheets: list[list]) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return stream.getvalue()


def named(name: str, data: bytes) -> io.BytesIO:
    stream = io.BytesIO(data)
    stream.name = name
    return stream


def refusal(name: str, data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        planner.read(named(name, data))
    return str(caught.value)


@every_read
def test_headings_alone_are_no_inventory(key):
    books = books_of(key)
    for tab in tabs_of(books):
        del tab.rows[tab.header + 1 :], tab.numbers[tab.header + 1 :]
    after = outcome(books)
    assert isinstance(after, InputError)
    assert "expected" in str(after)


@pytest.mark.parametrize(("key", "what"), SIZED, ids=map(" ".join, SIZED))
def test_a_missing_column_is_refused_or_known_elsewhere(key, what):
    books = books_of(key)
    tab, position = place(key, tabs_of(books), what)
    heading = as_text(tab.rows[tab.header][position])
    for row in range(tab.header, len(tab.rows)):
        tab.put(row, position, None)
    after = outcome(books)
    if isinstance(after, InputError):
        assert "missing" in str(after) or "found no column" in str(after) or "expected" in str(after)
    else:
        told = new_notes(untouched(key), after)
        assert figures(after) == near(figures(untouched(key))) or told, heading


@every_read
def test_a_row_without_a_name_is_dropped_and_told(key):
    books = books_of(key)
    tabs = tabs_of(books)
    tab, position = place(key, tabs, "name")
    row, name = next(iter(workload_rows(key, tabs, untouched(key)).items()))
    tab.put(row, position, None)
    after = outcome(books)
    if isinstance(after, InputError):
        assert f"row {tab.numbers[row]}" in says(after)
    elif len(after.workloads) < len(untouched(key).workloads):
        assert any(note["kind"] == "dropped" for note in new_notes(untouched(key), after))
    else:
        assert name not in set(after.workloads["name"])  # It is called by its identifier.


OTHER_LANGUAGES = (
    "Speicherplatz",
    "Festplatte",
    "Belegter Platz",
    "Espace disque",
    "Capacidad",
    "Opslag",
    "Kapazität (MB)",
)


@pytest.mark.parametrize("heading", OTHER_LANGUAGES)
@pytest.mark.parametrize("key", STORED)
def test_storage_under_a_heading_that_nobody_knows_is_never_read_as_0(key, heading):
    books = books_of(key)
    unread = {"Virtual Disk Size", "Total disk capacity", "Provisioned", "In Use", "Capacity", "Storage", "Disk"}
    for tab in tabs_of(books):
        for position, cell in enumerate(tab.rows[tab.header]):
            if any(as_text(cell).casefold().startswith(word.casefold()) for word in unread):
                tab.put(tab.header, position, f"{heading} {position}")
    tab, position = place_or_none(key, books)
    if tab is not None:
        tab.put(tab.header, position, heading)
    after = outcome(books)
    if isinstance(after, Inventory):
        assert after.workloads["storage_gib"].sum() > 0, key


def place_or_none(key, books):
    try:
        return place(key, tabs_of(books), "storage_gib")
    except StopIteration:
        return None, 0


GERMAN = ["VM", "Betriebszustand", "CPUs", "Arbeitsspeicher", "Bereitgestellt MiB"]


@pytest.mark.parametrize(
    ("sheets", "expected"),
    [
        (
            {"vInfo": [GERMAN, ["a", "Eingeschaltet", 2, 4096, 99]], "vHost": [["Host"]]},
            "sheet vInfo: column 'Powerstate'",
        ),
        ({"vInfo": [["Machine", "RAM"], ["a", 4]], "x": [[1]]}, "sheet vInfo: column 'VM' is missing"),
        ({"vInfo": [["VM", "Cost centre"], ["a", 7]], "vCPU": [["VM"]]}, "sheet vInfo: column 'Powerstate' is missing"),
        ({"VMs": [["Title"], ["x"]], "ESX Hosts": [["Host Name"]]}, "sheet VMs: column 'VM Name' is missing"),
        ({"vmList": [["Name"], ["x"]], "vHosts": [["Host Name"]]}, "sheet vmList: column 'VM Name' is missing"),
    ],
)
def test_a_workbook_of_another_tool_or_language_names_the_column(sheets, expected):
    assert expected in refusal("other.xlsx", workbook(**sheets))


def test_hugely_wrong_memory_is_told():
    books = books_of("rvtools-mib")
    tab, position = place("rvtools-mib", tabs_of(books), "memory_gib")
    for row in tab.body:
        if isinstance(tab.cell(row, position), float):
            tab.put(row, position, tab.cell(row, position) * 16)
    after = outcome(books)
    assert isinstance(after, Inventory)
    assert after.notes["message"].str.contains("larger than any host of its pool").any()


@pytest.mark.parametrize("key", ["prism", "vsphere-client"])
def test_a_bare_number_among_cells_with_units_is_refused(key):
    books = books_of(key)
    tab, position = place(key, tabs_of(books), "memory_gib")
    tab.put(tab.body[3], position, "16384")
    after = outcome(books)
    assert isinstance(after, InputError)
    assert f"row {tab.numbers[tab.body[3]]}" in says(after)
    assert "without a unit among cells that name one" in says(after)


@pytest.mark.parametrize("key", ["rvtools-mib", "azure-migrate", "template", "liveoptics-vmware", "migration-center"])
def test_a_cell_that_names_another_unit_than_its_heading_is_converted_and_told(key):
    books = books_of(key)
    tabs = tabs_of(books)
    tab, position = place(key, tabs, "memory_gib")
    row, name = next(iter(workload_rows(key, tabs, untouched(key)).items()))
    tab.put(row, position, "3 TB")
    after = outcome(books)
    assert isinstance(after, Inventory)
    assert after.workloads.set_index("name")["memory_gib"][name] == 3072
    assert any("TB read as TiB" in note["message"] for note in new_notes(untouched(key), after))


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv", "a.json", "a.zip", "a.xls"])
def test_an_empty_file_of_any_name(name):
    assert "found an empty file" in refusal(name, b"")


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("report.xls", b"<html><table><tr><td>VM</td></tr></table></html>", "found a web page or XML"),
        ("report.xls", "<html><table>".encode("utf-16"), "found a web page or XML"),
        (
            "old.xls",
            b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook/>',
            "found a web page or XML",
        ),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "save it as .xlsx without password"),
        ("~$RVTools.xlsx", b"\x05admin", "choose RVTools.xlsx"),
        ("servers.xlsx", b"name,vcpus,memory_gib\r\na,1,2\r\n", "name it .csv"),
        ("x.ods", b"PK\x05\x06" + bytes(18), "found a zip archive"),
        ("big.json", b'[{"name": "a", "vcpus": 1, "vcpus": 2, "memory_gib": 3}]', "found 'vcpus' twice in one record"),
        ("big.json", b'[{"name": "a", "vcpus": ' + b"9" * 400 + b', "memory_gib": 3}]', "a number of 400 digits"),
        ("half.json", b'[{"name": "\\ud800", "vcpus": 1, "memory_gib": 3}]', "half of a character"),
        ("nan.json", b'[{"name": "a", "vcpus": NaN, "memory_gib": 3}]', "row 1, column vcpus: found an empty cell"),
        ("neg.json", b'[{"name": "a", "vcpus": -1, "memory_gib": 3}]', "row 1, column vcpus: found -1"),
        ("list.json", b'[{"name": "a", "vcpus": [1], "memory_gib": 3}]', "row 1, column vcpus: found [1]"),
    ],
)
def test_what_is_no_export(name, data, expected):
    assert expected in refusal(name, data)


def test_a_workbook_called_csv_is_read_by_its_content():
    (data,) = EXPORTS["template"](0, VMS).files.values()
    assert figures(planner.read(named("mine.csv", data))) == near(figures(untouched("template")))


@pytest.mark.parametrize("mark", [",", ";"])
def test_a_row_wider_than_its_headings_is_refused(mark):
    data = mark.join(["name", "vcpus", "memory_gib"]) + f"\r\na{mark}1{mark}5{mark}16\r\nb{mark}2{mark}8\r\n"
    message = refusal("vms.csv", data.encode())
    assert message.startswith("vms.csv, row 2: found 4 cells, expected 3 as there are headings")
    assert message.endswith(f"a text with {mark!r} in it belongs in quotes")


def test_blank_cells_beyond_the_headings_are_no_cells():
    assert len(planner.read(b"name,vcpus,memory_gib\r\na,1,2,,,\r\n").workloads) == 1


def test_rows_that_a_lost_quote_swallowed_are_told():
    found = planner.read(b'name,vcpus,memory_gib\r\n"a,1,2\r\nb,1,2\r\nc",1,2\r\nd,1,2\r\n')
    (said,) = found.notes[found.notes["kind"] == "suspicious"].to_dict("records")
    assert said["row"] == 2
    assert "2 lines that could be rows: is a quote missing?" in said["message"]


def test_a_last_row_without_its_end_is_told():
    found = planner.read(b"name,vcpus,memory_gib,storage_gib\r\na,1,2,3\r\nb,1,2")
    messages = found.notes.loc[found.notes["kind"] == "suspicious", "message"]
    assert messages.str.contains("may be cut off").sum() == 1
    whole = planner.read(b"name,vcpus,memory_gib,storage_gib\r\na,1,2,3\r\nb,1,2,4")
    assert not whole.notes["message"].str.contains("may be cut off").any()


def test_a_column_of_ones_own_may_be_called_anything():
    found = planner.read(b"name,vcpus,memory_gib,cpu_share_note,reason,vm_uuid\r\na,1,2,much,old,7\r\n")
    assert found.workloads["cpu_share_note"].tolist() == ["much"]


def test_a_sheet_that_declares_a_million_empty_rows_is_read():
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet = book.add_worksheet("Workloads")
        sheet.write_row(0, 0, ["Name", "vCPUs", "Memory (GiB)"])
        sheet.write_row(1, 0, ["a", 2, 4])
        sheet.write_blank(1048575, 16383, None, book.add_format({"bold": True}))
    assert planner.read(stream.getvalue()).workloads["name"].tolist() == ["a"]


def test_cells_of_a_sheet_are_limited(monkeypatch):
    monkeypatch.setattr(sheet_worker, "MOST_CELLS", 10)
    rows = ([None] * 4 + ["x"] for _ in range(3))
    with pytest.raises(ValueError, match="found more than 10 cells in one sheet"):
        list(sheet_worker.filled_rows(rows, 1))


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPE = (
    '<!DOCTYPE x [<!ENTITY l0 "lol">{}<!ENTITY file SYSTEM "file://{}"><!ENTITY web SYSTEM "http://127.0.0.1:{}/">]>'
)


@pytest.fixture
def listener():
    """A socket that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        found.setblocking(False)
        yield found
        with pytest.raises(BlockingIOError):
            found.accept()


@pytest.mark.parametrize("entity", ["l9", "file", "web"])
@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"])
def test_entities_are_neither_expanded_nor_fetched(entity, part, tmp_path, listener):
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP SECRET")
    doctype = DOCTYPE.format(LAUGHS, secret, listener.getsockname()[1])
    parts = parts_of(workbook(Workloads=[["Name", "vCPUs", "Memory (GiB)"], ["web", 2, 4]]))
    head, end, rest = parts[part].decode().partition("?>")
    named_now = rest.replace("web", f"&{entity};").replace('name="Workloads"', f'name="&{entity};"')
    parts[part] = (head + end + doctype + named_now).encode()
    try:
        found = str(load(File(name="a.xlsx", data=zipped(parts))).sheets)
    except InputError as error:
        found = str(error)
    assert "TOP SECRET" not in found
    assert "lollol" not in found
    assert len(found) < 2000


def test_formulas_and_links_to_elsewhere_are_never_followed(tmp_path, listener):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Workloads"
    port = listener.getsockname()[1]
    sheet.append(["Name", "vCPUs", "Memory (GiB)", "Link", "Web"])
    sheet.append(["a", 2, 4, f"='http://127.0.0.1:{port}/[x.xlsx]S'!A1", f'=WEBSERVICE("http://127.0.0.1:{port}/")'])
    sheet["A2"].hyperlink = f"http://127.0.0.1:{port}/"
    book.save(tmp_path / "links.xlsx")
    assert planner.read(tmp_path / "links.xlsx").workloads["name"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("number", "sizes", "storage", "kind", "said"),
    [
        ("2", "100,60,", 160, None, ""),
        ("3", "100,60,", 160, "guessed", "counted as 0: storage may be missing (2 sizes, 3 disks); such as 'web'"),
        ("2", "100,,60", 160, "guessed", "counted as 0: storage may be missing (2 sizes, 3 disks); such as 'web'"),
        ("1", "100,60,", 160, "suspicious", "all of them counted (2 sizes, 1 disk); such as 'web'"),
        ("", "100,60,", 160, None, ""),
    ],
)
def test_the_number_of_disks_is_compared_with_their_sizes(number, sizes, storage, kind, said):
    headings = "*Server name,*Cores,*Memory (In MB),Number of disks," + ",".join(
        f"Disk {n} size (In GB)" for n in (1, 2, 3)
    )
    inventory = planner.read(named("azure.csv", f"{headings}\nweb,2,8192,{number},{sizes}\n".encode()))
    assert inventory.workloads["storage_gib"].tolist() == [storage]
    rows = inventory.notes[inventory.notes["kind"].isin(["guessed", "suspicious"])].itertuples()
    about = [(row.kind, row.message) for row in rows if "disk" in row.message]
    assert [one for one, _ in about] == [kind] * (kind is not None)
    assert all(message.endswith(said) for _, message in about)


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()
