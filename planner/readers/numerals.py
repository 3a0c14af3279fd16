"""Texts that are numbers: decimal commas, thousands marks and units in cells, decided by what the sheet itself shows.

A cell such as ``1,234`` alone says nothing: it is read as the other numbers of its column are written, else as those of
its sheet, else by what separates the cells. A column that contradicts itself is refused, never averaged out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from planner import units
from planner.units import counted

POINT, COMMA = ".", ","
SMALL_UNIT = 1 / 999
"""A unit this small, in GiB or GHz, is one that figures are whole numbers of."""

PERCENT = units.SHARE_PER_UNIT["%"]

BLANKS = " \u00a0\u2007\u2009\u202f"
APOSTROPHES = "'’"
_NAMES = {".": "points", ",": "commas"} | dict.fromkeys(BLANKS, "blanks") | dict.fromkeys(APOSTROPHES, "apostrophes")

_CELL = re.compile(
    rf"([+-]?(?:\d[\d.,{BLANKS}{APOSTROPHES}]*|[.,]\d+))(e[+-]?\d+)?[{BLANKS}]*(%|[a-z][a-z]*(?:/s)?)?", re.IGNORECASE
)
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_APART = BLANKS + APOSTROPHES


def _grouped(mark: str, group: str) -> re.Pattern[str]:
    """Numbers with thousands marks all the same, and perhaps a decimal mark."""
    return re.compile(rf"[+-]?\d{{1,3}}(?:([{group}{_APART}])\d{{3}})(?:\1\d{{3}})*(?:[{mark}]\d+)?")


_GROUPED = {POINT: _grouped(POINT, COMMA), COMMA: _grouped(COMMA, POINT)}
_UNGROUPED = {mark: re.compile(rf"[+-]?(?:\d+[{mark}]?\d*|[{mark}]\d+)") for mark in (POINT, COMMA)}
_MISSING = frozenset({"-", "--", "–", "—", "n/a", "#n/a", "null", "none"})
_EITHER_WAY = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")
_UNSURE = {";": "as semicolons part the cells", "\t": "as nothing tells the decimal mark"}
NEVER_THOUSANDS = frozenset({"share", "GHz", "Gbps"})
"""Units of which no machine has a thousand."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How numbers of a column or sheet are written.

    `shows` holds the first text that can be read with this decimal mark alone, by decimal mark; `ambiguous` the first
    that can be read with either, and `unit` the unit that stands behind it.
    """

    shows: dict[str, str] = field(default_factory=dict)
    ambiguous: str = ""
    unit: str = ""

    @property
    def mark(self) -> str | None:
        """The decimal mark that the numbers agree on; None where they say nothing or contradict each other."""
        return next(iter(self.shows)) if len(self.shows) == 1 else None


class Remark(NamedTuple):
    """What reading some cells took: a kind of note, its message, the position of an example, and how many they are."""

    kind: str
    message: str
    position: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Cells of a column in the wanted unit.

    Parameters
    ----------
    cells : list
        A float where the cell is a number, None where it says that there is none (``N/A``), else the cell as it stands.
    remarks : list of Remark
        What reading the texts took.
    findings : list of (int, str)
        Position and message of what cannot be decided.
    named : bool
        Whether all numbers name their unit.
    """

    cells: list
    remarks: list[Remark]
    findings: list[tuple[int, str]]
    named: bool


def style_of(cells: Iterable[object]) -> Style:
    """What the texts among some cells show of the decimal mark.

    >>> style_of(["1,5", "1,234", 7]).mark, style_of(["1,234"]).mark, style_of(["1,5", "2.5"]).mark
    (',', None, None)
    """
    shows: dict[str, str] = {}
    ambiguous = unit = ""
    for cell in cells:
        if not isinstance(cell, str) or not (POINT in cell or COMMA in cell):
            continue
        found = _CELL.fullmatch(cell.strip())
        if found is None:
            continue
        body = found[1].rstrip(BLANKS)
        if _EITHER_WAY.fullmatch(body):
            if not ambiguous:
                ambiguous, unit = body, found[3] or ""
            continue
        fits = [mark for mark in (POINT, COMMA) if _fits(body, mark)]
        if len(fits) == 1:
            shows.setdefault(fits[0], cell.strip())
    return Style(shows=shows, ambiguous=ambiguous, unit=unit)


def unit_of(text: str) -> str:
    """The unit that a text names behind its number; "" where there is none or no number.

    >>> unit_of("1,5 GB"), unit_of("31.7 %"), unit_of("esx01")
    ('GB', '%', '')
    """
    found = _CELL.fullmatch(text.strip())
    return (found[3] or "") if found else ""


def numbers_of(
    cells: Sequence[object], *, wanted: str, unit: str, stated: bool, sheet: Style, delimiter: str = ""
) -> Numbers:
    """Numbers, and texts that are numbers, in the wanted unit.

    Parameters
    ----------
    cells : sequence
    wanted : str
        Unit to convert to; "" for counts.
    unit : str
        Unit of a cell that names none.
    stated : bool
        Whether the heading or the format says so; else a column in which only some cells name a unit is refused.
    sheet : Style
        Of all numbers of the sheet.
    delimiter : str
        What separates the cells of a CSV file.

    Examples
    --------
    >>> read = numbers_of(["16 GB", "512 MB", None], wanted="GiB", unit="GiB", stated=False, sheet=Style())
    >>> read.cells, read.remarks[0].message
    ([16.0, 0.5, None], "2 cells with a unit, such as '16 GB': GB read as GiB, MB read as MiB")
    """
    own = style_of(cells)
    factor = units.factor(unit, wanted)
    likely = _likely_mark(own.ambiguous, wanted, units.factor_in_cell(own.unit or unit, wanted))
    shown = own.mark or sheet.mark or likely
    mark = shown or (COMMA if own.ambiguous and delimiter == ";" else POINT)
    tally = _Tally()
    values = [_value(cell, position, mark, wanted, factor, tally) for position, cell in enumerate(cells)]
    findings = []
    if len(own.shows) > 1 or (own.ambiguous and own.mark is None and len(sheet.shows) > 1):
        both = own.shows if len(own.shows) > 1 else sheet.shows
        at = next(i for i, cell in enumerate(cells) if isinstance(cell, str) and (POINT in cell or COMMA in cell))
        message = f"found {both[POINT]!r} and {both[COMMA]!r}: expected one decimal mark, a point or a comma"
        findings.append((at, message))
    if tally.with_unit and not stated and tally.bare is not None:
        example = _shown(cells[tally.with_unit[0]])
        message = f"found {cells[tally.bare]!r} without a unit among cells that name one, such as {example}"
        findings.append((tally.bare, f"{message}; expected a unit in every cell, or in the heading"))
    remarks = tally.remarks(cells)
    if shown is None:
        remarks += _guess_told(cells, delimiter)
    named = bool(tally.with_unit) and tally.bare is None
    return Numbers(cells=values, remarks=remarks, findings=findings, named=named)


def are_fractions(shares: Sequence[float], unit: str) -> bool:
    """Whether shares told in percent are fractions under a wrong heading: none above 1 %, and some between 0 and that.

    >>> are_fractions([0.0035, 0.01, 0.0], "%"), are_fractions([0.0035, 0.35], "%"), are_fractions([0.01, 0.0], "%")
    (True, False, False)
    """
    if units.factor(unit, "share") != PERCENT or not len(shares):
        return False
    return min(shares) >= 0 and max(shares) <= PERCENT and any(0 < share < PERCENT for share in shares)


def _likely_mark(ambiguous: str, wanted: str, factor: float | None) -> str | None:
    """The decimal mark of a number that can be read either way, where its unit decides.

    MiB, MHz and bytes come whole; no machine has a thousand GHz, Gbps or times what it is given.
    """
    if not ambiguous or wanted not in units.SCALES or factor is None:
        return None
    mark, other = (POINT, COMMA) if POINT in ambiguous else (COMMA, POINT)
    if factor < SMALL_UNIT:
        return other
    return mark if wanted in NEVER_THOUSANDS else None


def _guess_told(cells: Sequence[object], delimiter: str) -> list[Remark]:
    """That numbers which can be read either way were read as they are for no better reason than what parts the cells.

    Commas between cells leave a decimal point alone; semicolons hint at decimal commas; tabs say nothing.
    """
    either = [i for i, cell in enumerate(cells) if isinstance(cell, str) and _EITHER_WAY.match(cell.strip())]
    if not either or delimiter not in _UNSURE:
        return []
    example = str(cells[either[0]]).strip()
    mark = COMMA if delimiter == ";" else POINT
    kind = "decimal" if mark in example else "thousands"
    name = "comma" if COMMA in example else "point"
    message = f"{example!r} read with a {kind} {name}, {_UNSURE[delimiter]}"
    return [Remark("guessed", message, either[0], len(either))]


class _Tally:
    """What was met on the way, by position."""

    def __init__(self) -> None:
        self.grouped: dict[str, list[int]] = {}
        self.decimal_commas: list[int] = []
        self.with_unit: list[int] = []
        self.units: Counter[str] = Counter()
        self.bare: int | None = None
        self.missing: list[int] = []

    def remarks(self, cells: Sequence[object]) -> list[Remark]:
        found = []
        for positions, what in (
            *((positions, f"with thousands {name}") for name, positions in self.grouped.items()),
            (self.decimal_commas, "with a decimal comma"),
        ):
            if positions:
                message = f"{counted(len(positions), 'number')} {what}, such as {_shown(cells[positions[0]])}"
                found.append(Remark("converted", message, positions[0], len(positions)))
        if self.missing:
            first = self.missing[0]
            message = f"{counted(len(self.missing), 'cell')} such as {_shown(cells[first])} read as blank"
            found.append(Remark("converted", message, first, len(self.missing)))
        if self.with_unit:
            short = [name for name in self.units if len(name) == 1 and units.is_letter(name, "GiB")]
            decimal = [name for name in self.units if units.is_decimal_spelling(name) or name in short]
            meant = ", ".join(f"{name} read as {name[0].upper()}iB" for name in decimal)
            first = self.with_unit[0]
            message = f"{counted(len(self.with_unit), 'cell')} with a unit, such as {_shown(cells[first])}"
            message += f": {meant}" if meant else ""
            found.append(Remark("converted", message, first, len(self.with_unit)))
        return found


def _shown(cell: object) -> str:
    return repr(str(cell).strip())


def _value(cell: object, position: int, mark: str, wanted: str, factor: float | None, tally: _Tally) -> object:
    if isinstance(cell, bool) or cell is None:
        return cell
    if isinstance(cell, int | float):
        if tally.bare is None and cell:
            tally.bare = position
        return cell * factor
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if mark == POINT and _PLAIN.fullmatch(text):
        if tally.bare is None and float(text):
            tally.bare = position
        return float(text) * factor
    if text.casefold() in _MISSING:
        tally.missing.append(position)
        return None
    found = _CELL.fullmatch(text)
    if found is None:
        return cell
    body, unit = found[1].rstrip(BLANKS), found[3] or ""
    own_factor = units.factor_in_cell(unit, wanted) if unit else factor
    number = _number(body + (found[2] or ""), body, mark)
    if number is None or own_factor is None:
        return cell
    grouped = _GROUPED[mark].fullmatch(body)
    if grouped:
        tally.grouped.setdefault(_NAMES[grouped[1]], []).append(position)
    if mark == COMMA and COMMA in body:
        tally.decimal_commas.append(position)
    if unit:
        tally.with_unit.append(position)
        tally.units[unit] += 1
    elif tally.bare is None and number:
        tally.bare = position
    return number * own_factor


def _fits(body: str, mark: str) -> bool:
    return bool(_UNGROUPED[mark].fullmatch(body) or _GROUPED[mark].fullmatch(body))


def _number(text: str, body: str, mark: str) -> float | None:
    """A number written with this decimal mark; None where it is not."""
    if not _fits(body, mark):
        return None
    kept = "".join(letter for letter in text if letter.isalnum() or letter in f"+-{mark}")
    return float(kept.replace(COMMA, POINT))
