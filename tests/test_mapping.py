"""Sheets of no known tool: what their columns mean is proposed, confirmed, remembered, or refused."""

from __future__ import annotations

import csv
import io

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import schema
from planner.errors import InputError
from planner.readers.mapping import THRESHOLD, MappedColumn, MappedTable, Mapping, propose
from planner.readers.mapping.assignment import assigned
from planner.readers.mapping.attributes import TABLES, columns_of
from planner.readers.sandbox import Sheet, load
from planner.schema.words import phrases
from tests.conftest import examples

ROWS = {
    "Rechner": ["web-01", "web-02", "db-01", "mail", "dc1"],
    "Kerne": [2, 4, 16, 4, 2],
    "Arbeitsspeicher (GB)": [4, 8, 64, 16, 8],
    "Plattenplatz (GB)": [60, 60, 900, 250, 80],
    "Betriebssystem": ["Debian 12", "Debian 12", "Windows Server 2022", "Windows Server 2019", "Windows Server 2022"],
    "Standort": ["Berlin", "Berlin", "Berlin", "Lyon", "Lyon"],
    "Status": ["an", "an", "ein", "aus", "an"],
}
MEANT = dict(
    zip(ROWS, ("name", "vcpus", "memory_gib", "storage_gib", "os", "pool", "state"), strict=True),
)


def sheet(*rows: list, name: str = "", **about) -> Sheet:
    """Cells as a sheet; a row that is empty is blank there."""
    filled = [(number, list(row)) for number, row in enumerate(rows, start=1) if row]
    return Sheet(name=name, rows=[row for _, row in filled], row_numbers=[number for number, _ in filled], **about)


def columns(**table: list) -> list[list]:
    return [list(table), *map(list, zip(*table.values(), strict=True))]


def csv_of(rows: list[list], name: str = "server.csv") -> io.BytesIO:
    target = io.StringIO()
    csv.writer(target).writerows(rows)
    stream = io.BytesIO(target.getvalue().encode())
    stream.name = name
    return stream


def workbook(name: str = "server.xlsx", **sheets: list[list]) -> io.BytesIO:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        page = book.create_sheet(title)
        for row in rows:
            page.append(row)
    stream = io.BytesIO()
    book.save(stream)
    stream.name = name
    return stream


def meant(rows: list[list], **about) -> dict[str, str]:
    """What the headings of the only table are taken for."""
    (table,) = propose(sheet(*rows, **about)).tables
    return {one.heading: one.attribute for one in table.columns}


def notes(inventory: planner.Inventory, kind: str) -> list[str]:
    return list(inventory.notes.loc[inventory.notes["kind"] == kind, "message"])


def refusal(*sources, **arguments) -> str:
    with pytest.raises(InputError) as caught:
        planner.read(list(sources), **arguments)
    return str(caught.value)


def test_a_german_list_is_read_and_every_guess_is_noted():
    inventory = planner.read(csv_of(columns(**ROWS)))
    assert list(inventory.workloads["memory_gib"]) == [4, 8, 64, 8]
    assert list(inventory.left_out["name"]) == ["mail"]
    guessed = inventory.notes[inventory.notes["kind"] == "guessed"]
    assert dict(zip(guessed["column"], guessed["subject"], strict=True)) == MEANT
    assert guessed["message"].str.contains(r"confidence [01]\.\d\d$").all()


@pytest.mark.parametrize(
    ("headings", "attributes"),
    [
        (["Serveur", "Nb vCPU", "Mémoire vive (Go)"], ["name", "vcpus", "memory_gib"]),
        (["Servidor", "Núcleos", "Memoria RAM (GB)"], ["name", "vcpus", "memory_gib"]),
        (["Nome server", "Numero vCPU", "Memoria"], ["name", "vcpus", "memory_gib"]),
        (["Servernaam", "Aantal CPU", "Geheugen GB"], ["name", "vcpus", "memory_gib"]),
        (["Servidor", "Processadores virtuais", "Memória (GB)"], ["name", "vcpus", "memory_gib"]),
        (["Nazwa serwera", "Liczba rdzeni", "Pamięć RAM (GB)"], ["name", "vcpus", "memory_gib"]),
        (["Hostname", "Number of CPUs", "Memory size"], ["name", "vcpus", "memory_gib"]),
        (["Machin name", "vCPU alocated", "Memmory"], ["name", "vcpus", "memory_gib"]),
        (["Maschinenname", "Anzahl Kerne", "Speicher"], ["name", "vcpus", "memory_gib"]),
    ],
)
def test_headings_in_several_languages_and_misspelt(headings, attributes):
    rows = [headings, *zip(*[ROWS["Rechner"], ROWS["Kerne"], ROWS["Arbeitsspeicher (GB)"]], strict=True)]
    assert list(meant(rows).values()) == attributes


def test_two_kinds_of_speicher_are_told_apart_by_what_stands_beside():
    rows = columns(**{"VM": ["a", "b"], "Speicher": [100, 200], "CPU": [2, 4], "Arbeitsspeicher": [8, 16]})
    assert meant(rows) == {"VM": "name", "Speicher": "storage_gib", "CPU": "vcpus", "Arbeitsspeicher": "memory_gib"}


@pytest.mark.parametrize(
    ("heading", "cells", "expected"),
    [
        ("RAM gesamt", [4096, 8192, 65536], [4, 8, 64]),
        ("RAM gesamt (MB)", [4096, 8192, 65536], [4, 8, 64]),
        ("RAM gesamt", [4, 8, 64], [4, 8, 64]),
        ("Mémoire allouée (Mo)", [512, 8192, 65536], [0.5, 8, 64]),
        ("RAM gesamt", ["4 Go", "8 GB", "65536 MB"], [4, 8, 64]),
        ("RAM gesamt", [4 * 2**30, 8 * 2**30, 64 * 2**30], [4, 8, 64]),
    ],
)
def test_memory_in_its_unit(heading, cells, expected):
    rows = columns(**{"Servername": ["a", "b", "c"], "Kerne": [2, 4, 8], heading: cells})
    assert list(planner.read(csv_of(rows)).workloads["memory_gib"]) == expected


@pytest.mark.parametrize(
    "words", [("an", "aus"), ("en marche", "arrêté"), ("encendido", "apagado"), ("acceso", "spento")]
)
@pytest.mark.parametrize("heading", ["Zustand", "État", "Estado"])
def test_states_in_several_languages(words, heading):
    rows = columns(**{"Servername": ["a", "b"], "Kerne": [2, 4], "Arbeitsspeicher": [4, 8], heading: list(words)})
    inventory = planner.read(csv_of(rows))
    assert (list(inventory.workloads["name"]), list(inventory.left_out["name"])) == (["a"], ["b"])


@pytest.mark.parametrize(
    ("heading", "cells", "off"),
    [
        ("Eingeschaltet", ["ja", "nein", "TRUE"], ["b"]),
        ("Sous tension", ["oui", "non", "1"], ["b"]),
        ("Powered on", ["yes", "0", "True"], ["b"]),
        ("Powered off", ["no", "yes", "no"], ["b"]),
    ],
)
def test_a_state_told_as_yes_and_no(heading, cells, off):
    means = {"Servername": "name", "Kerne": "vcpus", "Arbeitsspeicher": "memory_gib", heading: "state"}
    rows = columns(**dict(zip(means, (["a", "b", "c"], [2, 4, 2], [4, 8, 4], cells), strict=True)))
    inventory = planner.read(csv_of(rows), mapping=mapping_of(means) if heading == "Powered off" else None)
    assert list(inventory.left_out["name"]) == off
    assert any("yes read as" in message for message in notes(inventory, "converted"))


def mapping_of(means: dict[str, str], **about) -> Mapping:
    table = MappedTable(
        **({"table": "workloads"} | about),
        columns=tuple(MappedColumn(heading=heading, attribute=name) for heading, name in means.items()),
    )
    return Mapping(tables=(table,))


def test_titles_blank_rows_totals_and_a_legend_below():
    rows = columns(**ROWS)
    rows = [
        ["Serverliste"],
        ["Stand 2026"],
        [],
        *rows[:3],
        [],
        *rows[3:],
        [],
        ["Summe", 28, 100, 1350],
        [],
        ["Legende"],
    ]
    inventory = planner.read(workbook(Tabelle1=rows, Notizen=[["Text"], ["x"]]))
    assert len(inventory.workloads) + len(inventory.left_out) == 5
    assert "a row of totals: the sum of rows above" in notes(inventory, "dropped")
    ignored = " ".join(notes(inventory, "ignored"))
    assert "rows above, between or below the tables" in ignored
    assert "no table of workloads or hosts" in ignored


def test_headings_repeated_on_every_page_are_dropped():
    head, *rows = columns(**ROWS)
    inventory = planner.read(csv_of([head, *rows[:2], head, *rows[2:]]))
    assert len(inventory.workloads) + len(inventory.left_out) == 5
    assert "the headings again" in notes(inventory, "dropped")


@pytest.mark.parametrize(
    ("above", "below"),
    [
        (["Server", "CPU", "Memory", "Memory", "Disk"], [None, "Cores", "Total GB", "Used GB", "GB"]),
        (["Servername", "Kerne", "Arbeitsspeicher", "RAM genutzt", "Festplatte"], [None, None, "GB", "[GB]", "GB"]),
    ],
)
def test_headings_of_two_rows(above, below):
    page = [["Servers"], above, below, ["a", 2, 4, 3, 100], ["b", 4, 8, 5, 200]]
    inventory = planner.read(workbook(List=page, Other=[["x"]]))
    workloads = inventory.workloads
    figures = workloads[["vcpus", "memory_gib", "memory_gib_used", "storage_gib"]].to_numpy().tolist()
    assert figures == [[2, 4, 3, 100], [4, 8, 5, 200]]
    assert list(inventory.notes.loc[inventory.notes["column"].str.startswith(above[1]), "row"]) == [3]


def test_hosts_alone_say_how_to_place_them():
    rows = columns(**{"Server": ["a", "b"], "Modell": ["R740", "R750"], "Kerne gesamt": [32, 32], "RAM": [512, 512]})
    assert 'planner mapping server.csv -o mapping.toml, there table = "workloads"' in refusal(csv_of(rows))


def test_tables_below_each_other_and_side_by_side():
    hosts = columns(**{"ESX Host": ["esx1", "esx2"], "Kerne": [32, 32], "Arbeitsspeicher (GB)": [512, 512]})
    vms = columns(**{"VM Name": ["a", "b", "c"], "vCPU Anzahl": [2, 4, 8], "RAM Größe (GB)": [4, 8, 16]})
    below = [*vms, [], ["Hosts"], *hosts]
    beside = [[*vm, None, *(hosts[at] if at < len(hosts) else [])] for at, vm in enumerate(vms)]
    for rows in (below, beside):
        inventory = planner.read(workbook(Liste=rows, Leer=[["x"]]))
        assert list(inventory.workloads["vcpus"]) == [2, 4, 8]
        assert list(inventory.hosts["cores"]) == [32, 32]


def test_a_blank_column_within_a_table_does_not_part_it():
    vms = columns(**{"VM Name": ["a", "b"], "vCPU Anzahl": [2, 4], "RAM Größe (GB)": [4, 8]})
    more = columns(**{"Betriebssystem": ["Debian", "Windows"], "Standort": ["B", "L"]})
    inventory = planner.read(csv_of([[*left, None, *right] for left, right in zip(vms, more, strict=True)]))
    assert list(inventory.workloads["os"]) == ["Debian", "Windows"]


def test_a_legend_beside_a_table_stays_out():
    vms = columns(**{"VM Name": list("abcdef"), "vCPU Anzahl": [2] * 6, "RAM Größe (GB)": [4] * 6})
    legend = [["Farbe", "Sinn"], ["rot", "alt"], *[[None, None]] * 5]
    inventory = planner.read(csv_of([[*left, None, *right] for left, right in zip(vms, legend, strict=True)]))
    assert len(inventory.workloads) == 6
    assert "Farbe" not in inventory.workloads


def test_sheets_of_one_workbook_are_read_together_and_hidden_ones_too():
    def page(*names: str) -> list[list]:
        return columns(**{"Servername": list(names), "Kerne": [2] * len(names), "RAM": [4] * len(names)})

    stream = workbook(Berlin=page("a", "b"), Lyon=page("c", "d"), Kontakte=[["Name", "Telefon"], ["Ada", "1"]])
    book = openpyxl.load_workbook(stream)
    book["Lyon"].sheet_state = "hidden"
    book["Berlin"].row_dimensions[2].hidden = True
    target = io.BytesIO()
    book.save(target)
    inventory = planner.read(target)
    assert sorted(inventory.workloads["name"]) == ["a", "b", "c", "d"]
    told = notes(inventory, "information")
    assert "1 hidden row read like the others" in told
    assert "the sheet is hidden: read like the others" in told


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["Servername", "Kerne", "Farbe"], ["a", 2, "rot"]], "missing 'Memory (GiB)', expected a table of workloads"),
        ([["Foo", "Bar", "Baz"], ["a", 2, 4]], "missing"),
        (
            [["Servername", "Kerne", "Arbeitspeicherung"], ["a", 2, "viel"]],
            "the nearest column found is 'Arbeitspeicherung'",
        ),
        ([["x"], ["y"]], "found columns x"),
        ([["Servername", "Cluster size", "RAM"], ["a", 2, 4]], "missing 'vCPUs'"),
    ],
)
def test_what_cannot_be_told_is_refused_with_what_to_do(rows, expected):
    message = refusal(csv_of(rows))
    assert expected in message
    assert "planner mapping server.csv -o mapping.toml, then --mapping mapping.toml" in message


def test_a_name_that_only_its_values_tell_is_read_unless_two_could_be():
    table = {"Bla": ["a", "b", "c"], "Kerne": [2, 4, 2], "Arbeitsspeicher": [4, 8, 4]}
    assert list(planner.read(csv_of(columns(**table))).workloads["name"]) == ["a", "b", "c"]
    assert "confidence 0.50" in refusal(csv_of(columns(**table, Blub=["x", "y", "z"])))


# A mapping that was given


INVENTORY = columns(name=["web", "db", "mail"], vcpus=[2, 8, 4], memory_gib=[4, 64, 8])


def test_a_file_of_use_is_joined_by_name():
    use = columns(**{"VM": ["WEB", "db", "other"], "Peak CPU (GHz)": [1.5, 9, 1], "Memory usage (%)": [50, 25, 1]})
    for sources in ([csv_of(INVENTORY), csv_of(use, "use.csv")], [csv_of(use, "use.csv"), csv_of(INVENTORY)]):
        inventory = planner.read(sources)
        workloads = inventory.workloads.set_index("name")
        assert list(workloads["cpu_ghz_peak"].fillna(-1)) == [1.5, 9, -1]
        assert list(workloads["memory_gib_used"].fillna(-1)) == [2, 16, -1]
        assert list(workloads["cpu_ghz_used"].fillna(-1)) == [1.5, 9, -1]
        assert "use of 1 machine that no other file lists, such as 'other'" in notes(inventory, "ignored")


def test_figures_of_the_inventory_stay():
    known = [[*row, use] for row, use in zip(INVENTORY, ["cpu_ghz_used", 0.5, None, None], strict=True)]
    use = columns(**{"VM": ["web", "db"], "CPU used (GHz)": [1.5, 9], "CPU load (%)": [10, 20]})
    workloads = planner.read([csv_of(known), csv_of(use, "use.csv")], ghz_per_vcpu=2.0).workloads
    assert list(workloads["cpu_ghz_used"].fillna(-1)) == [0.5, 9, -1]


def test_a_file_of_use_alone_is_refused():
    use = columns(**{"VM": ["web", "db"], "CPU usage (%)": [10, 90], "Memory usage (%)": [50, 25]})
    message = refusal(csv_of(use, "use.csv"))
    assert "use.csv: found what 2 machines use, without vCPUs and memory" in message
    assert "give both" in message


# Laws


def cells() -> st.SearchStrategy:
    return st.permutations(list(ROWS))


@given(order=cells(), rows=st.permutations(range(5)))
@examples(30)
def test_the_order_of_columns_changes_nothing(order, rows):
    def taken(names: list[str]) -> pd.DataFrame:
        (table,) = propose(sheet(names, *([ROWS[name][row] for name in names] for row in rows))).tables
        return {(one.heading, one.attribute, one.unit, one.confidence) for one in table.columns}

    assert taken(order) == taken(list(ROWS))


def test_a_file_with_shuffled_columns_is_read_the_same():
    table = columns(**ROWS)
    first = planner.read(csv_of(table)).workloads
    for shift in range(1, len(ROWS)):
        again = planner.read(csv_of([row[shift:] + row[:shift] for row in table])).workloads
        pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("heading", MEANT)
def test_a_heading_by_any_of_its_names_means_the_same(heading):
    attribute = schema.attributes("workloads")[MEANT[heading]]
    unit = heading.partition("(")[2] and " (GB)"
    words = {" ".join(phrase) for phrase in phrases(attribute.name)} | {attribute.label, *attribute.aliases}
    for word in sorted(words - {"speicher", "Speicher"}):
        renamed = {(word + unit if name == heading else name): values for name, values in ROWS.items()}
        if len(renamed) == len(ROWS):
            assert list(meant(columns(**renamed)).values()) == list(MEANT.values()), word


headings = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(lambda text: " ".join(text.split())).filter(bool)
)


@given(data=st.data(), sheet_name=headings, table=st.sampled_from(TABLES), row=st.integers(1, 10**6))
def test_a_mapping_comes_back_from_toml(data, sheet_name, table, row):
    known = columns_of(table)
    attributes = data.draw(st.lists(st.sampled_from(sorted(known)), unique=True, max_size=6))
    names = data.draw(st.lists(headings, unique=True, min_size=len(attributes), max_size=len(attributes) + 3))
    told = tuple(
        MappedColumn(heading=heading, attribute=attribute, unit=known[attribute].unit, confidence=0.5)
        for heading, attribute in zip(names, attributes, strict=False)
    )
    one = MappedTable(table=table, sheet=sheet_name, row=row, column=2, columns=told, ignore=tuple(names[len(told) :]))
    mapping = Mapping(tables=(one, one))
    for comments in (False, True):
        assert Mapping.from_toml(mapping.to_toml(comments)) == mapping


WORDS = sorted(
    {" ".join(phrase) for name in ("name", "vcpus", "memory_gib", "used", "os", "host") for phrase in phrases(name)}
)


@given(
    names=st.lists(st.one_of(st.sampled_from(WORDS), headings), min_size=1, max_size=8),
    data=st.data(),
)
@examples(60)
def test_a_proposal_maps_no_two_columns_to_one_attribute_and_reads_nothing_unsure(names, data):
    cell = st.one_of(st.none(), st.integers(0, 10**6), headings, st.sampled_from(["16 GB", "on", "50 %"]))
    rows = data.draw(st.lists(st.lists(cell, min_size=len(names), max_size=len(names)), min_size=1, max_size=5))
    for table in propose(sheet(names, *rows)).tables:
        attributes = [one.attribute for one in table.columns]
        assert len(set(attributes)) == len(attributes)
        assert len(set(table.headings)) == len(table.headings)
        required = {column.name for column in columns_of(table.table).values() if column.required}
        assert table.is_sure == (table.confidence >= THRESHOLD)
        assert not table.is_sure or required <= set(attributes)


@given(
    lost=st.sampled_from(["Rechner", "Kerne", "Arbeitsspeicher (GB)"]), name=st.sampled_from(["Foo", "Qux", "Zzz 7"])
)
@examples(9)
def test_a_file_without_a_required_column_is_refused_and_never_read_as_0(lost, name):
    table = {(name if heading == lost else heading): values for heading, values in ROWS.items()}
    table = {heading: ["?"] * 5 if heading == name else values for heading, values in table.items()}
    assert "to say what columns mean" in refusal(csv_of(columns(**table)))


@given(
    scores=st.lists(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=3, max_size=3), min_size=1, max_size=3)
)
def test_an_assignment_adds_up_to_the_most(scores):
    def best(row: int, free: frozenset[int]) -> float:
        if row == len(scores):
            return 0.0
        taken = [scores[row][column] + best(row + 1, free - {column}) for column in free]
        return max([best(row + 1, free), *taken])

    found = assigned(scores)
    given_columns = [column for column in found if column >= 0]
    assert len(set(given_columns)) == len(given_columns)
    total = sum(scores[row][column] for row, column in enumerate(found) if column >= 0)
    assert total == pytest.approx(best(0, frozenset(range(3))))


def test_all_sheets_of_an_unknown_workbook_are_loaded():
    stream = workbook(A=[["x"]], B=columns(**ROWS))
    assert set(load(stream, frozenset({"Workloads"})).sheets) == set()
    assert len(planner.read(stream).workloads) == 4
