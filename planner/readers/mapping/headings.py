"""Which row of a table holds its headings, and headings that fill two rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from planner.readers.mapping.attributes import TABLES
from planner.readers.mapping.profiles import heading_parts, measure_of
from planner.readers.mapping.regions import Region, bands, is_title, whole_band
from planner.readers.mapping.scores import named
from planner.readers.sandbox import Sheet
from planner.schema.words import FILLER, STATISTICS, phrases, tokens

LIKE_ONE = 0.7
"""How well a text must name an attribute to look like a heading."""


def header_of(region: Region) -> int | None:
    """Position of the row of headings: of the first rows, mostly texts, the one with most headings that are known."""
    rows = [at for at in region.starts() if _is_mostly_text(region.cells(at))]
    return max(rows, key=lambda at: (known(region.cells(at)), -at), default=None)


def known(cells: Sequence[object]) -> int:
    """How many cells name an attribute."""
    return sum(isinstance(cell, str) and _names(cell) for cell in cells)


def with_single_headings(sheet: Sheet) -> Sheet:
    """The sheet with headings of two rows joined: ``Memory`` above ``GB`` or ``Used``, often merged, becomes one.

    The second row says units or figures alone, or less than the first one does.
    """
    rows, numbers = list(sheet.rows), list(sheet.row_numbers)
    for band in reversed(bands(sheet)):
        at = header_of(whole_band(sheet, band))
        if at is not None and at + 1 in band and _goes_below(rows[at], rows[at + 1]):
            rows[at : at + 2] = [_joined(rows[at], rows[at + 1])]
            del numbers[at + 1]
    return replace(sheet, rows=rows, row_numbers=_closed_up(numbers, sheet.row_numbers))


def _closed_up(numbers: list[int], before: list[int]) -> list[int]:
    """Row numbers in which the rows that headings took leave no gap: the heading is where its second row was."""
    gone = set(before) - set(numbers)
    return [number + 1 if number + 1 in gone else number for number in numbers]


def _goes_below(above: list, below: list) -> bool:
    told = [cell for cell in below if cell is not None]
    if is_title(above) or not told or not all(isinstance(cell, str) and _is_part(cell) for cell in told):
        return False
    return known(above) > known(below) and len(told) <= len(above)


def _is_part(text: str) -> bool:
    """Whether a text is a unit, a figure of use, or words that a heading may go on with."""
    if measure_of(text.strip("()[] ")) or _names(text):
        return True
    parts = {phrase[0] for kind in (FILLER, *STATISTICS) for phrase in phrases(kind) if len(phrase) == 1}
    words = tokens(heading_parts(text)[0])
    return bool(words) and all(word in parts for word in words)


def _joined(above: list, below: list) -> list:
    width = max(len(above), len(below))
    pairs = zip([*above, *[None] * (width - len(above))], [*below, *[None] * (width - len(below))], strict=True)
    return [_one(first, second) for first, second in pairs]


def _one(above: object, below: object) -> object:
    if above is None or below is None or above == below:
        return below if above is None else above
    unit = str(below).strip("()[] ")
    return f"{above} ({unit})" if measure_of(unit) else f"{above} {below}"


@lru_cache(maxsize=10_000)
def _names(text: str) -> bool:
    words = heading_parts(text)[0]
    return any(max(named(words, table).values(), default=0) > LIKE_ONE for table in TABLES)


def _is_mostly_text(cells: Sequence[object]) -> bool:
    told = [cell for cell in cells if cell is not None]
    return 2 * sum(isinstance(cell, str) for cell in told) > len(told)
