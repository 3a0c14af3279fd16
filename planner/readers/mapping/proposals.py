"""What the columns of a sheet probably mean, found from its headings and values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner import units
from planner.readers.columns import Column
from planner.readers.mapping.assignment import assigned
from planner.readers.mapping.attributes import TABLES, USAGE, columns_of
from planner.readers.mapping.headings import header_of
from planner.readers.mapping.mappings import THRESHOLD, MappedColumn, MappedTable, Mapping
from planner.readers.mapping.multiples import is_of_all, is_of_one
from planner.readers.mapping.profiles import Profile, profile
from planner.readers.mapping.regions import Region, bands, parts, whole
from planner.readers.mapping.scores import ONLY_NAME, ONLY_VALUES, confidence, counts_threads, unit_of
from planner.readers.numerals import numbers_of, style_of
from planner.readers.sandbox import Sheet
from planner.schema.words import table_of

REQUIRED_FIRST = 0.01
"""What a required attribute is worth beside an optional one that fits as well."""

TITLED, NAMED = 3.0, 0.5
"""What a sheet or title that is called workloads or hosts is worth, in columns, and a column of names called host."""

MOST_COLUMNS = 400


CORES = frozenset({"vcpus", "cores"})
SIZES = frozenset({"vcpus", "cores", "memory_gib"})
"""What a machine is given: a table that has any of it is not one of use alone."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One table as it stands on a sheet, and what its columns mean.

    Parameters
    ----------
    region : Region
        The band of rows with the headings, and the table's columns.
    at : int
        Position of the row of headings in the sheet.
    rows : list of int
        Positions of the rows below, those behind blank rows included.
    mapped : MappedTable
    origin : str
        "" where it was guessed, else who says so: given, or remembered from a day.
    remarks : tuple of (str, str)
        Kind and message of each note on what it was taken for.
    """

    region: Region
    at: int
    rows: list[int]
    mapped: MappedTable
    origin: str = ""
    remarks: tuple[tuple[str, str], ...] = ()


def propose(sheet: Sheet) -> Mapping:
    """What the columns of each table on a sheet mean, with a confidence for each column.

    Parameters
    ----------
    sheet : Sheet

    Returns
    -------
    Mapping
        A table for each part of the sheet that looks like one; one that lacks what it needs has a confidence below
        `mappings.THRESHOLD`. No attribute stands for two columns of a table.

    Notes
    -----
    The confidence of a column is in `scores`, that of a table the least of those that it cannot be read without.
    """
    return Mapping(tables=tuple(found.mapped for found in proposed(sheet)))


def proposed(sheet: Sheet) -> list[Found]:
    """The tables of a sheet, see `propose`, with where they stand."""
    found: list[Found] = []
    for band in bands(sheet):
        again = next((at for at in range(len(found) - 1, -1, -1) if goes_on(found[at], band)), None)
        if again is None:
            found += _of_band(sheet, band)
        else:
            rows = replace(found[again].region, rows=band).below(band.start - 1)
            found[again] = replace(found[again], rows=found[again].rows + rows)
    return found


def goes_on(found: Found, band: range) -> bool:
    """Whether rows behind a blank row belong to a table above: its counts and sizes are numbers there too."""
    if not found.mapped.is_sure:
        return False
    columns, labels = columns_of(found.mapped.table), found.region.labels(found.at)
    numbers = [one for one in found.mapped.columns if columns[one.attribute].type == "number"]
    needed = [one for one in numbers if columns[one.attribute].required] or numbers
    sheet = found.region.sheet
    cells = [_cell(sheet.rows[at], labels[one.heading]) for at in band for one in needed]
    told = [cell for cell in cells if cell is not None]
    read = numbers_of(told, wanted="GiB", unit="GiB", stated=True, sheet=style_of(told), delimiter=sheet.delimiter)
    return bool(told) and all(isinstance(cell, float | int) or cell is None for cell in read.cells)


def _of_band(sheet: Sheet, band: range) -> list[Found]:
    """The tables in rows without a blank one between; what stands side by side is one table unless each part is."""
    side_by_side = parts(sheet, band)
    each = [best for one in side_by_side if (best := _best(one)) is not None]
    if len(side_by_side) < 2:
        return each
    sure = [one for one in each if one.mapped.is_sure]
    if len(sure) > 1:
        return sure
    tall = [one for one in side_by_side if not sure or _is_as_tall(one, sure[0])]
    merged = _best(whole(tall))
    if merged is not None and merged.mapped.is_sure:
        return [merged]
    return sure or ([merged] if merged is not None else each)


def _is_as_tall(region: Region, table: Found) -> bool:
    """Whether a part has headings and rows where a table beside it has."""
    headed = any(cell is not None for cell in region.cells(table.at))
    rows = region.below(table.at)
    return headed and len(rows) >= 0.5 * len(table.rows) and set(rows) <= set(table.rows)


def _best(region: Region) -> Found | None:
    """The table that a region most probably is; None where nothing stands under anything like headings."""
    at = header_of(region)
    rows = [] if at is None else region.below(at)
    if at is None or not rows:
        return None
    seen = _profiles(region, at, rows)
    title = titled(region, at)
    candidates = [_as_table(table, seen, region, at) for table in TABLES]
    sure = [one for one in candidates if one.is_sure and one.table != USAGE]
    sized = [one for one in candidates if any(c.attribute in SIZES and c.confidence >= THRESHOLD for c in one.columns)]
    usage = [one for one in candidates if one.is_sure and one.table == USAGE]
    found = max(sure or sized or usage or candidates[:-1], key=lambda one: (_plain(one), _worth(one, title)))
    return Found(region=region, at=at, rows=rows, mapped=found) if found.columns else None


def _profiles(region: Region, at: int, rows: Sequence[int]) -> list[Profile]:
    """What the columns of a region show, rows that repeat the headings left out."""
    labels = list(region.labels(at).items())[:MOST_COLUMNS]
    heads = region.cells(at)
    cells = [region.sheet.rows[row] for row in rows if region.cells(row) != heads]
    return [
        profile(heading, [_cell(row, column) for row in cells], region.sheet.delimiter) for heading, column in labels
    ]


def titled(region: Region, at: int) -> str:
    """The table that the name of the sheet tells of, else a title above the headings; "" where neither does."""
    title = " ".join(str(cell) for above in region.rows if above < at for cell in set(region.cells(above)) if cell)
    return table_of(region.sheet.name) or table_of(title)


def as_hosts_of(found: Found) -> Found:
    """A table as one of hosts, sure or not."""
    seen = _profiles(found.region, found.at, found.rows)
    return replace(found, mapped=_as_table("hosts", seen, found.region, found.at))


def as_workloads_of(found: Found) -> Found | None:
    """A table of hosts as one of workloads: cores are vCPUs; None where sheet, title or heading calls them hosts.

    Neither is one that describes the machines and tells no storage, for that would be read as 0. What a network carries
    at most is no need, so it stays unread. A table of workloads is taken as it is.
    """
    own = found.mapped.attributes
    if found.mapped.table not in ("workloads", "hosts") or "hosts" in (
        titled(found.region, found.at),
        table_of(own["name"].heading),
    ):
        return None
    if found.mapped.table == "workloads":
        return found
    needed = {"name": "name", "cores": "vcpus", "memory_gib": "memory_gib"}
    columns = {own[name].heading: replace(own[name], attribute=meant) for name, meant in needed.items()}
    seen = [one for one in _profiles(found.region, found.at, found.rows) if one.heading not in columns]
    rest = _as_table("workloads", seen, found.region, found.at).columns
    told = {one.attribute for one in rest}
    if own.keys() - needed.keys() - told and "storage_gib" not in told:
        return None
    columns |= {one.heading: one for one in rest if one.attribute not in {*needed.values(), "network_gbps"}}
    headings = found.mapped.headings
    mapped = replace(
        found.mapped,
        table="workloads",
        columns=tuple(columns[heading] for heading in headings if heading in columns),
        ignore=tuple(heading for heading in headings if heading not in columns),
    )
    return replace(found, mapped=mapped)


def _as_table(table: str, seen: Sequence[Profile], region: Region, at: int) -> MappedTable:
    """Columns of a region as a table of one kind: those assigned that are sure enough, or that it needs."""
    columns = list(columns_of(table).values())
    # Of equals it must not matter which stands first on the sheet.
    order = sorted(seen, key=lambda one: one.heading)
    scores = [[confidence(one, column, table) for one in order] for column in columns]
    _doubt_names_by_values(scores[[column.name for column in columns].index("name")])
    _doubt_threads(scores, columns, order)
    if table == "workloads":
        _rule_out_sums(scores, columns, order)
    ranked = [
        [score and score + REQUIRED_FIRST * column.required for score in row]
        for column, row in zip(columns, scores, strict=True)
    ]
    chosen = {}
    for place, given in enumerate(assigned(ranked)):
        column = columns[place]
        if given >= 0 and (column.required or scores[place][given] >= THRESHOLD):
            one = order[given]
            chosen[one.heading] = MappedColumn(
                heading=one.heading,
                attribute=column.name,
                unit=unit_of(one, column, table) if column.unit in units.SCALES else "",
                confidence=round(scores[place][given], 4),
            )
    _share_units(chosen, {one.heading for one in seen if one.is_bare})
    headings = [one.heading for one in seen]
    return MappedTable(
        table=table,
        sheet=region.sheet.name,
        row=region.row_number(at),
        column=region.columns[0] + 1,
        columns=tuple(chosen[heading] for heading in headings if heading in chosen),
        ignore=tuple(heading for heading in headings if heading not in chosen),
    )


def _share_units(chosen: dict[str, MappedColumn], bare: set[str]) -> None:
    """Use of memory that names no unit is in that of the memory which is given, where that names none either."""
    given = next((one for one in chosen.values() if one.attribute == "memory_gib" and one.heading in bare), None)
    for heading, one in chosen.items():
        if given is not None and heading in bare and one.attribute.startswith("memory_gib_"):
            chosen[heading] = replace(one, unit=given.unit)


def _doubt_names_by_values(scores: list[float]) -> None:
    """Names that only values tell do not count beside one that is called so, nor where several columns could be."""
    if max(scores, default=0) > ONLY_NAME:
        scores[:] = [score if score > ONLY_NAME else 0.0 for score in scores]
    elif sum(score > 0 for score in scores) > 1:
        scores[:] = [min(score, ONLY_VALUES) for score in scores]


def _doubt_threads(scores: list[list[float]], columns: Sequence[Column], order: Sequence[Profile]) -> None:
    """Threads are worth less than the cores beside them: a core that runs two is one core."""
    for row, column in zip(scores, columns, strict=True):
        threads = [place for place, one in enumerate(order) if column.name in CORES and counts_threads(one.text)]
        cores = [score for place, score in enumerate(row) if place not in threads]
        for place in threads if max(cores, default=0) >= THRESHOLD else ():
            row[place] = min(row[place], ONLY_VALUES)


def _rule_out_sums(scores: list[list[float]], columns: Sequence[Column], order: Sequence[Profile]) -> None:
    """Figures of all machines of a row together are never those of one where rows stand for several."""
    counts = scores[[column.name for column in columns].index("count")]
    several = any(
        level >= THRESHOLD and max(one.values, default=0) > 1 for level, one in zip(counts, order, strict=True)
    )
    if not several and not any(is_of_one(one.heading) for one in order):
        return
    for place in (place for place, one in enumerate(order) if is_of_all(one.heading)):
        for row, column in zip(scores, columns, strict=True):
            row[place] = 0.0 if column.name in SIZES or column.name == "storage_gib" else row[place]


def _plain(one: MappedTable) -> tuple[int, bool]:
    """For a table that is not sure, how much of what it needs it has, and whether it is one of workloads."""
    needed = [name for name, column in columns_of(one.table).items() if column.required and name in one.attributes]
    return (0, False) if one.is_sure else (len(needed), one.table == "workloads")


def _worth(one: MappedTable, titled: str) -> float:
    """How much of a part of the sheet one kind of table explains."""
    name = one.attributes.get("name")
    called = name is not None and table_of(name.heading) == one.table
    return sum(column.confidence for column in one.columns) + TITLED * (one.table == titled) + NAMED * called


def _cell(row: list, column: int) -> object:
    return row[column] if column < len(row) else None
