"""What the cells of a column show: numbers or texts, their unit, their size, and how often they repeat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from planner import units
from planner.readers.columns import split_unit
from planner.readers.numerals import are_fractions, numbers_of, style_of, unit_of
from planner.schema import FLAGS, STATES

MOST_CELLS = 500
"""Cells of a column that are looked at, spread over its length."""

_PERCENT = re.compile(
    r"[(\[{]?\s*(%|percent|pct|prozent|pourcent|por ciento|percento|procent|procenten)\s*[)\]}]?\s*$", re.IGNORECASE
)
_LAST_OCTETS = re.compile(r"\b([kmg]o)$", re.IGNORECASE)
_OS = re.compile(
    r"windows|linux|ubuntu|debian|centos|red ?hat|rhel|suse|sles|fedora|oracle|alma|rocky|bsd|solaris|aix|unix|mac ?os|"
    r"photon|esxi?\b|server 20\d\d",
    re.IGNORECASE,
)
_CODE = re.compile(r"\d{3,}")
_UUID = re.compile(r"\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?|([0-9a-f]{2}[ -]){15}[0-9a-f]{2}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A column of a sheet, looked at without knowing what it means.

    Parameters
    ----------
    heading, text, unit : str
        The heading, its words without a unit, and the unit that it names.
    filled : float
        Share of rows that hold anything.
    distinct : float
        Share of the filled cells that differ.
    numeric : float
        Share of the filled cells that are numbers, with or without unit.
    values : tuple of float
        These numbers, in GiB, GHz, Gbps or shares where their unit is known.
    cell_unit : str
        Unit that most cells with numbers name; "" where they name none.
    states, flags, systems, identities, codes : float
        Share of the filled cells that say a power state, yes or no, an operating system, a UUID, three digits or more.
    count : int
        Filled cells that were looked at.
    fractions : bool
        Whether the heading names percent and all cells, looked at or not, are bare numbers from 0 to 1, one of them no
        whole one: a spreadsheet keeps 35 % so.
    """

    heading: str
    text: str
    unit: str
    filled: float
    distinct: float
    numeric: float
    values: tuple[float, ...]
    cell_unit: str
    states: float
    flags: float
    systems: float
    identities: float
    codes: float
    count: int
    fractions: bool = False

    @property
    def measure(self) -> str:
        """What the numbers measure, as a unit of the planner: GiB, GHz, Gbps or share; "" where nothing says."""
        return measure_of(self.unit) if self.unit else _measure_in_cells(self.cell_unit)

    @property
    def is_bare(self) -> bool:
        """Whether neither the heading nor the cells name a unit."""
        return not (self.unit or self.cell_unit)

    @property
    def middle(self) -> float:
        return median(self.values) if self.values else 0.0

    @property
    def whole(self) -> float:
        """Share of the numbers that are whole."""
        return sum(value % 1 == 0 for value in self.values) / len(self.values) if self.values else 0.0

    def within(self, low: float, high: float) -> float:
        """Share of the numbers between two."""
        return sum(low <= value <= high for value in self.values) / len(self.values) if self.values else 0.0


def profile(heading: str, cells: Sequence[object], delimiter: str = "") -> Profile:
    """Look at a column.

    Parameters
    ----------
    heading : str
    cells : sequence
        All rows under the heading, None where blank.
    delimiter : str
        What separates the cells of a CSV file.

    Examples
    --------
    >>> seen = profile("RAM", ["16 GB", "512 MB", None])
    >>> seen.measure, seen.values, seen.unit, seen.cell_unit
    ('GiB', (16.0, 0.5), '', 'GB')
    """
    some = cells[:: max(1, len(cells) // MOST_CELLS)]
    told = [cell for cell in some if cell is not None]
    text, unit = heading_parts(heading)
    named = Counter(name for cell in told if isinstance(cell, str) and _measure_in_cells(name := unit_of(cell)))
    cell_unit = named.most_common(1)[0][0] if named else ""
    wanted = measure_of(unit) if unit else _measure_in_cells(cell_unit)
    how = {"wanted": wanted, "unit": unit or wanted, "stated": True, "sheet": style_of(told), "delimiter": delimiter}
    read = numbers_of(told, **how)
    values = _numbers(read.cells)
    words = [str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell).strip() for cell in told]
    folded = [word.casefold() for word in words]
    return Profile(
        heading=heading,
        text=text,
        unit=unit,
        filled=len(told) / max(1, len(some)),
        distinct=len(set(folded)) / max(1, len(told)),
        numeric=_share(len(values) + sum(cell is None for cell in read.cells), told),
        values=tuple(values),
        cell_unit=cell_unit,
        states=_share(sum(word in STATES for word in folded), told),
        flags=_share(sum(word in FLAGS for word in folded), told),
        systems=_share(sum(bool(_OS.search(word)) for word in words), told),
        identities=_share(sum(bool(_UUID.fullmatch(word)) for word in words), told),
        codes=_share(sum(bool(_CODE.fullmatch(word)) for word in words), told),
        count=len(told),
        fractions=not cell_unit
        and are_fractions(values, unit)
        and are_fractions(_numbers(numbers_of(cells, **how).cells), unit),
    )


def heading_parts(heading: str) -> tuple[str, str]:
    """A heading's words and the unit it names, percent included.

    >>> heading_parts("CPU load (%)"), heading_parts("RAM in GB"), heading_parts("Disque Go")
    (('CPU load', '%'), ('RAM in', 'GB'), ('Disque', 'Go'))
    """
    text, unit = split_unit(heading)
    for pattern, name in ((_PERCENT, "%"), (_LAST_OCTETS, "")):
        found = None if unit else pattern.search(text)
        if found and text[: found.start()].strip():
            text, unit = text[: found.start()].strip(), name or found[1]
    return text, unit


def measure_of(unit: str) -> str:
    """The planner's unit that a unit can be turned into; "" where there is none.

    >>> measure_of("Mo"), measure_of("MHz"), measure_of("%"), measure_of("parts")
    ('GiB', 'GHz', 'share', '')
    """
    return next((wanted for wanted in units.SCALES if unit and units.factor(unit, wanted) is not None), "")


def _measure_in_cells(unit: str) -> str:
    """As `measure_of`, for a unit behind a number, where one letter is enough for a size."""
    return "GiB" if units.is_letter(unit, "GiB") else measure_of(unit)


def _numbers(cells: Sequence[object]) -> list[float]:
    return [float(cell) for cell in cells if isinstance(cell, int | float) and not isinstance(cell, bool)]


def _share(number: int, cells: list) -> float:
    return number / len(cells) if cells else 0.0
