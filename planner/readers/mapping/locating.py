"""Where the tables of a mapping stand on a sheet, and which sheets have headings that are remembered."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from planner.errors import InputError, nearest
from planner.readers.mapping import memory
from planner.readers.mapping.mappings import MappedTable, Mapping, fingerprint
from planner.readers.mapping.proposals import Found, goes_on
from planner.readers.mapping.regions import Region, bands, parts, whole
from planner.readers.sandbox import Sheet, Workbook

GIVEN = "given"


def located(book: Workbook, mapping: Mapping) -> list[Found]:
    """The tables of a mapping that stand in a file: with all its headings, where it says, else somewhere else.

    Parameters
    ----------
    book : Workbook
    mapping : Mapping
    """
    found = []
    for mapped in mapping.tables:
        sheets = [sheet for sheet in book.sheets.values() if sheet.name == mapped.sheet] or list(book.sheets.values())
        places = [place for sheet in sheets for place in _places(sheet, mapped)]
        if places:
            region, at = max(places, key=lambda place: _nearness(place, mapped))
            found.append(_found(region, at, mapped, GIVEN))
    return found


def recalled(book: Workbook) -> list[Found]:
    """The tables of a file whose headings are remembered."""
    known = memory.known()
    found: list[Found] = []
    for sheet in book.sheets.values() if known else ():
        for region, at in _candidates(sheet):
            key = fingerprint(region.labels(at))
            if key in known and not any(one.region.sheet is sheet and _overlap(one.region, region) for one in found):
                kept = memory.recall(key)
                found.append(_found(region, at, kept.mapped, f"remembered from {kept.day}"))
    return found


def fingerprints(book: Workbook) -> set[str]:
    """Fingerprints of all rows of a file that may be headings."""
    return {fingerprint(region.labels(at)) for sheet in book.sheets.values() for region, at in _candidates(sheet)}


def refuse(book: Workbook, mapping: Mapping) -> InputError:
    """Why none of a mapping's tables stands in a file: the heading that is missing, and the nearest there is."""
    mapped = mapping.tables[0]
    there = [
        label for sheet in book.sheets.values() for region, at in _candidates(sheet) for label in region.labels(at)
    ]
    missing = next((one.heading for one in mapped.columns if one.heading not in there), None)
    if missing is None:
        return InputError(f"{book.file}: found the mapping's headings in no single row, expected them side by side")
    close = nearest(missing, there)
    hint = f"the nearest heading is {close!r}" if close else f"found headings {', '.join(there[:12]) or 'none'}"
    return InputError(f"{book.file}: found no heading {missing!r}, which the mapping names; {hint}")


def _places(sheet: Sheet, mapped: MappedTable) -> Iterator[tuple[Region, int]]:
    for region, at in _candidates(sheet, mapped.row):
        labels = region.labels(at)
        wanted = {one.heading for one in _as_called(mapped, sheet, labels).columns}
        if wanted and wanted <= labels.keys():
            yield region, at


def _as_called(mapped: MappedTable, sheet: Sheet, labels: Container[str]) -> MappedTable:
    """The mapping with the headings of the file as they are called since, where they are no more there."""
    now = {before: after for before, after in sheet.renamed if before not in labels}
    columns = tuple(replace(one, heading=now.get(one.heading, one.heading)) for one in mapped.columns)
    return replace(mapped, columns=columns)


def _candidates(sheet: Sheet, row: int | None = None) -> Iterator[tuple[Region, int]]:
    """Parts of a sheet with each row that may be their headings, and the row of that number."""
    for band in bands(sheet):
        side_by_side = parts(sheet, band)
        for region in [*side_by_side, *([whole(side_by_side)] if len(side_by_side) > 1 else [])]:
            more = [at for at in band if sheet.row_numbers[at] == row]
            for at in dict.fromkeys([*region.starts(), *more]):
                yield region, at


def _nearness(place: tuple[Region, int], mapped: MappedTable) -> tuple[bool, bool, int]:
    region, at = place
    same_row, same_column = region.row_number(at) == mapped.row, region.columns[0] + 1 == mapped.column
    return same_row, same_column, -len(region.columns)


def _found(region: Region, at: int, mapped: MappedTable, origin: str) -> Found:
    """The mapping as it stands there: headings that it does not name are ignored, rows behind blank ones belong too."""
    mapped = _as_called(mapped, region.sheet, region.labels(at))
    taken = {one.heading for one in mapped.columns}
    here = replace(
        mapped,
        sheet=region.sheet.name,
        row=region.row_number(at),
        column=region.columns[0] + 1,
        ignore=tuple(label for label in region.labels(at) if label not in taken),
    )
    found = Found(region=region, at=at, rows=region.below(at), mapped=here, origin=origin)
    for band in bands(region.sheet):
        if band.start > at and band != region.rows and goes_on(found, band):
            rows = replace(region, rows=band).below(band.start - 1)
            found = replace(found, rows=found.rows + rows)
    return found


def _overlap(one: Region, other: Region) -> bool:
    return one.rows == other.rows and bool(set(one.columns) & set(other.columns))
