"""Numbers as people write them: every style is read, and what can be read two ways is said or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import InputError
from planner.readers.columns import frame_from_sheet
from planner.readers.numerals import Style, numbers_of, style_of
from planner.readers.sandbox import Sheet
from tests.conftest import examples

HEADINGS = ["Name", "vCPUs", "Memory (GiB)"]


def numbers(*cells, wanted="", unit="", stated=True, delimiter=""):
    return numbers_of(cells, wanted=wanted, unit=unit, stated=stated, sheet=style_of(cells), delimiter=delimiter)


def read(*rows, delimiter=""):
    sheet = Sheet(
        name="W", rows=[list(row) for row in rows], row_numbers=[*range(1, len(rows) + 1)], delimiter=delimiter
    )
    return frame_from_sheet(sheet, "workloads", "estate.csv")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("1,5", "1.024,25", "2.048"), (1.5, 1024.25, 2048)),
        (("1.5", "1,024.25", "2,048"), (1.5, 1024.25, 2048)),
        (("1 024,5", "1\u00a0024,5", "1\u202f024"), (1024.5, 1024.5, 1024)),
        (("1'024.5", "1’024"), (1024.5, 1024)),
        (("1,234,567", "1,5e3"), (1234567, "1,5e3")),
        (("1.234.567", "1,5e3"), (1234567, 1500)),
        (("206,057",), (206057,)),
        (("1.024",), (1.024,)),
        ((" 7 ", "-3", ".5", "1e3"), (7, -3, 0.5, 1000)),
        (("12,34,567", "1_000", "nan", "", "0x10"), ("12,34,567", "1_000", "nan", "", "0x10")),
        (("-", "N/A", None), (None, None, None)),
        ((True, 3, 2.5), (True, 3, 2.5)),
    ],
)
def test_numbers_are_read_as_their_column_shows(cells, expected):
    assert tuple(numbers(*cells).cells) == expected


@pytest.mark.parametrize(
    ("cells", "wanted", "expected"),
    [
        (("16 GiB", "512 MiB", "1.5 TB"), "GiB", [16, 0.5, 1536]),
        (("2400 MHz", "2.4 GHz"), "GHz", [2.4, 2.4]),
        (("12.5%", "7 %"), "share", [0.125, 0.07]),
        (("8 vCPUs", "1 vCPU"), "vCPU", [8, 1]),
        (("16 GHz", "16 apples"), "GiB", ["16 GHz", "16 apples"]),
    ],
)
def test_a_unit_in_the_cell_counts(cells, wanted, expected):
    read = numbers(*cells, wanted=wanted, unit=wanted)
    assert [pytest.approx(cell) if isinstance(cell, float) else cell for cell in read.cells] == expected


def test_a_column_that_contradicts_itself_is_refused():
    ((position, message),) = numbers("7", "1,5", "2.5").findings
    assert (position, message) == (1, "found '2.5' and '1,5': expected one decimal mark, a point or a comma")


def test_cells_with_and_without_a_unit_are_refused_unless_the_heading_has_it():
    ((position, message),) = numbers("16 GB", 16384, wanted="GiB", unit="GiB", stated=False).findings
    assert (position, message.split(";")[0]) == (
        1,
        "found 16384 without a unit among cells that name one, such as '16 GB'",
    )
    assert numbers("16 GB", 16384, wanted="GiB", unit="MiB").cells == [16.0, 16.0]
    assert numbers("16 GB", 0, wanted="GiB", unit="GiB", stated=False).findings == []


def test_what_a_column_does_not_show_its_sheet_tells():
    frame, _, notes = read(HEADINGS, ["a", "2", "1.024"], ["b", "2,0", "512"])
    assert (list(frame["memory_gib"]), list(frame["vcpus"])) == ([1024, 512], [2, 2])
    assert "1 number with thousands points, such as '1.024'" in [row["message"] for row in notes]


def test_columns_that_contradict_each_other_refuse_what_is_ambiguous():
    with pytest.raises(InputError, match=r"row 2, column Memory \(GiB\): found '0.5' and '2,0': expected one decimal"):
        read([*HEADINGS, "Storage (GiB)"], ["a", "2,0", "1.024", "0.5"])


def test_semicolons_hint_at_decimal_commas_and_say_so():
    frame, _, notes = read(HEADINGS, ["a", "2", "1,024"], delimiter=";")
    assert list(frame["memory_gib"]) == [1.024]
    assert [row["message"] for row in notes if row["kind"] == "guessed"] == [
        "'1,024' read with a decimal comma, as semicolons part the cells"
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", ""])
@pytest.mark.parametrize(("wanted", "unit"), [("GHz", "GHz"), ("share", "%"), ("Gbps", "Gbps")])
def test_a_unit_of_which_nothing_has_a_thousand_has_decimals(wanted, unit, delimiter):
    for cell in ("12,345", "12.345"):
        found = numbers(cell, wanted=wanted, unit=unit, delimiter=delimiter)
        assert found.cells == [pytest.approx(12.345 * (0.01 if unit == "%" else 1))]


def test_tabs_between_cells_tell_no_decimal_mark_and_that_is_a_guess():
    frame, _, notes = read(HEADINGS, ["a", "2", "107,374"], delimiter="\t")
    assert list(frame["memory_gib"]) == [107374]
    assert [row["message"] for row in notes if row["kind"] == "guessed"] == [
        "'107,374' read with a thousands comma, as nothing tells the decimal mark"
    ]


@pytest.mark.parametrize("cell", ["206,057", "206.057"])
@pytest.mark.parametrize("delimiter", [",", ";", ""])
def test_a_small_unit_comes_whole(cell, delimiter):
    found = numbers(cell, "512", wanted="GiB", unit="MiB", delimiter=delimiter)
    assert found.cells == [206057 / 1024, 0.5]
    assert [kind for kind, *_ in found.remarks] == ["converted"]


@pytest.mark.parametrize("label", ["Total", "SUMME:", "Grand total (2 VMs)", "Somme", "Gesamtsumme", "Σ", None])
def test_a_row_of_totals_is_no_workload(label):
    frame, origin, notes = read(HEADINGS, ["a", 2, 4], ["b", 4, 8], [label, 6, 12], ["c", 1, 1])
    assert (list(frame["name"]), origin.row(2)) == (["a", "b", "c"], 5)
    assert [(row["kind"], row["row"]) for row in notes] == [("dropped", 4)]


@pytest.mark.parametrize(
    "label",
    [
        "Alle Server",
        "All hosts",
        "Tous",
        "合計",
        "Gesamtergebnis",
        "Total general",
        "Total général",
        "Totale complessivo",
        "Eindtotaal",
        "Total VMs",
        "12 VMs",
    ],
)
def test_a_row_of_totals_of_any_wording_is_known_by_its_figures(label):
    frame, _, _ = read(HEADINGS, ["a", 2, 4], ["b", 4, 8], ["c", 1, 2], [label, 7, 14])
    assert list(frame["name"]) == ["a", "b", "c"]
    kept, _, _ = read(HEADINGS, ["a", 2, 4], ["b", 4, 8], ["c", 1, 2], [label, 8, 14])
    assert list(kept["name"]) == ["a", "b", "c", label]


def test_the_total_of_a_single_row():
    frame, _, _ = read(HEADINGS, ["a", 2, 4], ["Total", 2, 4])
    assert list(frame["name"]) == ["a"]


@pytest.mark.parametrize("label", ["Average", "Mittelwert:", "Durchschnitt", "Moyenne", "Ø", "平均"])
def test_a_row_of_means_is_no_workload(label):
    rows = [["a", 2, 4], ["b", 4, 9], ["c", 1, 2]]
    for means in ([7 / 3, 5], [2.33, 5], [2, 5]):
        frame, _, notes = read(HEADINGS, *rows, ["Total", 7, 15], [label, *means])
        assert list(frame["name"]) == ["a", "b", "c"]
        assert [row["message"] for row in notes if row["row"] == 6] == ["a row of means: the mean of rows above"]
    frame, _, notes = read(HEADINGS, *rows, [label, 40, 500])
    assert list(frame["name"])[3] == label
    assert "called a mean, though it is none" in next(row["message"] for row in notes if row["kind"] == "suspicious")


def test_a_last_row_of_any_name_that_adds_up_all_others_is_suspicious():
    rows = [["a", 2, 4], ["b", 4, 8], ["c", 1, 2]]
    for last, expected in ((["Rechenzentrum", 7, 14], 1), (["Rechenzentrum", 7, 16], 0)):
        frame, _, notes = read(HEADINGS, *rows, last)
        assert len(frame) == 4
        assert sum("is the sum of all rows above" in row["message"] for row in notes) == expected
    _, _, notes = read(HEADINGS, *rows[:2], ["c", 6, 12])
    assert not [row for row in notes if row["kind"] == "suspicious"]


def test_totals_count_copies_where_there_is_a_count():
    frame, _, _ = read([*HEADINGS, "Count"], ["a", 2, 4, 10], ["b", 4, 8, 3], ["TOTAL", 32, 64, 13])
    assert list(frame["name"]) == ["a", "b"]


def test_many_rows_without_a_name_are_no_totals_and_take_no_time():
    frame, _, _ = read(HEADINGS, *([None, n, n] for n in range(1, 3001)))
    assert len(frame) == 3000


@pytest.mark.parametrize(("headings", "column"), [(["RAM"], "memory_gib"), (["Memory (GiB)", "Disk"], "storage_gib")])
def test_figures_without_a_unit_that_are_too_large_are_mib(headings, column):
    rows = [[f"vm{n}", 2, *[8] * (len(headings) - 1), 16384 * n] for n in (1, 2)]
    frame, _, notes = read(["Name", "vCPUs", *headings], *rows)
    assert list(frame[column]) == [16, 32]
    assert "no unit in the heading, figures too large for GiB: read as MiB" in [row["message"] for row in notes]


def test_a_small_unit_in_the_cell_comes_whole_too():
    assert numbers("16.384 MB", "8.192 MB", wanted="GiB", unit="GiB").cells == [16, 8]


def test_subtotals_and_their_total():
    frame, _, _ = read(HEADINGS, ["a", 2, 4], ["b", 4, 8], ["Subtotal", 6, 12], ["c", 1, 2], ["d", 1, 2],
                       ["Subtotal", 2, 4], ["Total", 8, 16])  # fmt: skip
    assert list(frame["name"]) == ["a", "b", "c", "d"]


def test_a_total_that_is_none_is_refused_and_a_workload_of_that_name_is_kept():
    with pytest.raises(InputError, match="row 4, column vCPUs: found 9 in a row called 'Total', expected the sum"):
        read(HEADINGS, ["a", 2, 4], ["b", 4, 8], ["Total", 9, 12])
    frame, _, _ = read(HEADINGS, ["a", 2, 4], ["b", 4, 8], ["Total", 2, 8])
    assert list(frame["name"]) == ["a", "b", "Total"]


def written(value: float, decimal: str, group: str) -> str:
    """A number with marks of a locale, and at least one decimal so that its mark shows."""
    whole, _, part = f"{value:,.2f}".partition(".")
    return whole.replace(",", group) + decimal + part


@given(
    st.lists(st.integers(0, 10**12).map(lambda cents: cents / 100), min_size=1, max_size=20),
    st.sampled_from([(".", ","), (",", "."), (",", " "), (",", "\u202f"), (".", "'"), (".", ""), (",", "")]),
)
@examples(200)
def test_any_locale_reads_back(values, marks):
    found = numbers_of([written(v, *marks) for v in values], wanted="", unit="", stated=True, sheet=Style())
    assert found.cells == values


@given(st.lists(st.text("0123456789.,'% GiBM-", max_size=12), max_size=6))
@examples(300)
def test_no_text_is_lost(cells):
    found = numbers(*cells, wanted="GiB", unit="GiB")
    assert all(b == a or b is None or isinstance(b, float) for a, b in zip(cells, found.cells, strict=True))
