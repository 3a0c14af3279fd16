"""What the columns of a sheet mean: a `Mapping`, which people can read, correct and keep as TOML."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from planner import units
from planner.errors import InputError, did_you_mean
from planner.readers.columns import fold
from planner.readers.mapping.attributes import USAGE, columns_of, is_use
from planner.settings import parse_toml, read_toml

THRESHOLD = 0.6
"""Least confidence at which a column is read without anybody having confirmed it."""

_KEYS = ("table", "sheet", "row", "column", "columns", "ignore")


@dataclass(frozen=True, kw_only=True)
class MappedColumn:
    """One heading and the attribute that it means.

    Parameters
    ----------
    heading : str
        As it stands in the sheet; a second one of the same text is called ``RAM (2)``, one without text ``column 3``.
    attribute : str
    unit : str
        Unit of numbers that name none themselves; "" for the attribute's own, or where cells name theirs.
    confidence : float
        0 to 1; 1 where somebody said so. Two columns that differ in it alone are equal.
    """

    heading: str
    attribute: str
    unit: str = ""
    confidence: float = field(default=1.0, compare=False)


@dataclass(frozen=True, kw_only=True)
class MappedTable:
    """One table on a sheet: where its headings are and what they mean.

    Parameters
    ----------
    table : {"workloads", "hosts", "host_models", "usage"}
    sheet : str
        "" for a CSV file.
    row : int
        Row number of the headings, from 1.
    column : int
        Number of the table's first column, from 1.
    columns : tuple of MappedColumn
    ignore : tuple of str
        Headings that mean nothing here.

    Raises
    ------
    InputError
        No such table or attribute, an attribute or a heading given twice, or a unit of something else.
    """

    table: str
    sheet: str = ""
    row: int = 1
    column: int = 1
    columns: tuple[MappedColumn, ...] = ()
    ignore: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        known, taken = columns_of(self.table), {}
        for one in self.columns:
            where = f"column {one.heading!r}"
            if one.attribute not in known:
                raise InputError(f"{where}: found attribute {one.attribute!r}{did_you_mean(one.attribute, known)}")
            if one.attribute in taken:
                raise InputError(f"{where}: {one.attribute} is column {taken[one.attribute]!r} already, expected one")
            wanted = known[one.attribute].unit
            if one.unit and units.factor(one.unit, wanted) is None:
                raise InputError(f"{where}: found unit {one.unit!r}{did_you_mean(one.unit, units.spellings(wanted))}")
            taken[one.attribute] = one.heading
        headings = [*(one.heading for one in self.columns), *self.ignore]
        if twice := next((text for text in headings if headings.count(text) > 1), None):
            raise InputError(f"column {twice!r}: found the heading twice, expected it once")

    @property
    def attributes(self) -> dict[str, MappedColumn]:
        return {one.attribute: one for one in self.columns}

    @property
    def headings(self) -> tuple[str, ...]:
        """All headings of the table, mapped or ignored."""
        return (*(one.heading for one in self.columns), *self.ignore)

    @property
    def missing(self) -> tuple[str, ...]:
        """What a table of this kind cannot be read without and has not."""
        if self.table == USAGE and not any(is_use(name) for name in self.attributes):
            return ("name",) * ("name" not in self.attributes) + ("cpu_ghz_used",)
        known = columns_of(self.table).values()
        return tuple(one.name for one in known if one.required and one.name not in self.attributes)

    @property
    def confidence(self) -> float:
        """Least confidence of the columns that the table cannot be read without; 0 where one is missing."""
        if self.missing:
            return 0.0
        known = columns_of(self.table)
        least = min(one.confidence for one in self.columns if known[one.attribute].required)
        uses = [one.confidence for one in self.columns if is_use(one.attribute)]
        return min(least, max(uses)) if self.table == USAGE else least

    @property
    def is_sure(self) -> bool:
        """Whether it may be read without anybody having confirmed it."""
        return self.confidence >= THRESHOLD

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the folded headings, whatever their order: by this a mapping is remembered."""
        return fingerprint(self.headings)


def fingerprint(headings: Iterable[str]) -> str:
    """SHA-256 of folded headings, whatever their order."""
    return hashlib.sha256("\n".join(sorted(map(fold, headings))).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """What the columns of one or several sheets mean, one `MappedTable` each."""

    tables: tuple[MappedTable, ...] = ()

    def to_toml(self, comments: bool = False) -> str:
        """TOML text that `from_toml` reads back; with the confidence of each column as a comment where asked."""
        return "\n".join(_table_text(one, comments) for one in self.tables)

    @classmethod
    def from_toml(cls, text: str, where: str = "mapping") -> Mapping:
        """A mapping from TOML text.

        Raises
        ------
        InputError
            What is no TOML, or names a table, key, attribute or unit that there is not.
        """
        return cls.from_dict(parse_toml(text, where), where)

    @classmethod
    def read(cls, source: str | Path) -> Mapping:
        """A mapping from a TOML file."""
        return cls.from_dict(read_toml(source), Path(source).name)

    @classmethod
    def from_dict(cls, values: dict, where: str) -> Mapping:
        """A mapping from the tables of a TOML document."""
        if stranger := next((key for key in values if key != "table"), None):
            raise InputError(f"{where}: found {stranger!r}{did_you_mean(stranger, ['table'])}")
        rows = values.get("table", [])
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise InputError(f"{where}: found no [[table]], expected one for each table of the file")
        return cls(tables=tuple(_table(row, f"{where}, table {n}") for n, row in enumerate(rows, start=1)))


def _table(row: dict, where: str) -> MappedTable:
    if stranger := next((key for key in row if key not in _KEYS), None):
        raise InputError(f"{where}: found {stranger!r}{did_you_mean(stranger, _KEYS)}")
    columns, ignore = row.get("columns", {}), row.get("ignore", [])
    for key, kind, expected in (("table", str, "a name"), ("row", int, "a number"), ("column", int, "a number")):
        if key in row and (not isinstance(row[key], kind) or isinstance(row[key], bool)):
            raise InputError(f"{where}, {key}: found {row[key]!r}, expected {expected}")
    if not isinstance(columns, dict):
        raise InputError(f"{where}, columns: found {columns!r}, expected headings and what they mean")
    if not isinstance(ignore, list) or not all(isinstance(text, str) for text in ignore):
        raise InputError(f"{where}, ignore: found {ignore!r}, expected a list of headings")
    try:
        return MappedTable(
            table=row.get("table", "workloads"),
            sheet=str(row.get("sheet", "")),
            row=row.get("row", 1),
            column=row.get("column", 1),
            columns=tuple(_column(heading, told, where) for heading, told in columns.items()),
            ignore=tuple(ignore),
        )
    except InputError as error:
        raise InputError(f"{where}, {error}") from error


def _column(heading: str, told: object, where: str) -> MappedColumn:
    """``"RAM" = "memory_gib"``, or ``"RAM" = {attribute = "memory_gib", unit = "MB"}``."""
    told = {"attribute": told} if isinstance(told, str) else told
    if not isinstance(told, dict) or not all(isinstance(text, str) for text in told.values()):
        raise InputError(f"{where}, column {heading!r}: found {told!r}, expected an attribute, and perhaps a unit")
    if stranger := next((key for key in told if key not in ("attribute", "unit")), None):
        raise InputError(
            f"{where}, column {heading!r}: found {stranger!r}{did_you_mean(stranger, ['attribute', 'unit'])}"
        )
    if "attribute" not in told:
        raise InputError(f"{where}, column {heading!r}: found no attribute, expected one")
    return MappedColumn(heading=heading, attribute=told["attribute"], unit=told.get("unit", ""))


def _table_text(one: MappedTable, comments: bool) -> str:
    lines = [
        "[[table]]",
        f"table = {_quoted(one.table)}",
        f"sheet = {_quoted(one.sheet)}",
        f"row = {one.row}",
        f"column = {one.column}",
        f"ignore = [{', '.join(map(_quoted, one.ignore))}]",
        "[table.columns]",
    ]
    if comments and one.missing:
        lines.insert(1, f"# not found: {', '.join(one.missing)}")
    for column in one.columns:
        unit = f", unit = {_quoted(column.unit)}" if column.unit else ""
        comment = f"  # confidence {column.confidence:.2f}" if comments else ""
        lines.append(f"{_quoted(column.heading)} = {{attribute = {_quoted(column.attribute)}{unit}}}{comment}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML string: as JSON writes it, and DEL escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
