"""Attribute tables: what a workload, a host and a host model are made of.

The three CSV files beside this module are the single source of column names, types, units, defaults and limits. The
validation here, the blank template, the reference in the docs and the matching of headings all read them.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from planner import units
from planner.errors import InputError, UnknownColumns, nearest

TABLES = ("workloads", "hosts", "host_models")


def rows_of(name: str) -> list[dict[str, str]]:
    """Rows of a CSV file beside this module, by heading."""
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


STATES = {word: row["state"] for row in rows_of("states.csv") for word in row["words"].split("|")}
"""Spellings of a power state in several languages, folded to lower case, and what each means."""

FLAGS = {
    **dict.fromkeys(("yes", "y", "true", "1", "on", "x", "active", "ja", "wahr", "oui", "vrai"), "yes"),
    **dict.fromkeys(("sí", "si", "sì", "vero", "verdadero", "sim", "verdadeiro", "waar", "tak", "prawda"), "yes"),
    **dict.fromkeys(("ano", "pravda", "sant", "sand", "tosi", "igaz", "doğru", "истина", "да", "はい", "是"), "yes"),
    **dict.fromkeys(("no", "n", "false", "0", "off", "-", "inactive", "nein", "falsch", "non", "faux"), "no"),
    **dict.fromkeys(("falso", "não", "nao", "nee", "onwaar", "nie", "fałsz"), "no"),
    **dict.fromkeys(
        ("ne", "nepravda", "falskt", "falsk", "epätosi", "hamis", "yanlış", "ложь", "нет", "いいえ", "否"), "no"
    ),
}
"""Spellings of a flag, folded to lower case, and what each means; a table holds "yes" or "no"."""


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One column of a table: a row of the attribute CSV."""

    name: str
    type: str
    unit: str
    default: str
    required: bool
    minimum: float | None
    maximum: float | None
    label: str
    aliases: tuple[str, ...]
    description: str

    @property
    def heading(self) -> str:
        """The heading that people read, with its unit: ``Memory (GiB)``."""
        return f"{self.label} ({self.unit})" if self.unit in ("GiB", "GHz", "Gbps", "W", "U", "kgCO2e") else self.label

    @property
    def is_number(self) -> bool:
        return self.type in ("number", "integer")

    @property
    def expected(self) -> str:
        """What a cell of this column may hold, in words."""
        if self.type == "state":
            return "on, off, suspended, template or placeholder"
        if self.type == "flag":
            return "yes or no"
        if not self.is_number:
            return "text"
        kind = "a whole number" if self.type == "integer" else "a number"
        unit = f" of {self.unit}" if self.unit else ""
        return f"{kind}{unit} from {_figure(self.minimum)} to {_figure(self.maximum)}"


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a table came from, so that a finding can name its file, sheet, row and column.

    Parameters
    ----------
    file, sheet : str
        Empty where there is none, as for a DataFrame.
    rows : array of int, optional
        Row number in the sheet of each row of the table, counted from 1 as spreadsheets do.
    headings : dict
        Attribute name to the heading that stands in the file.
    """

    file: str = ""
    sheet: str = ""
    rows: np.ndarray | None = None
    headings: dict[str, str] = field(default_factory=dict)

    def row(self, position: int) -> int:
        return int(self.rows[position]) if self.rows is not None else position + 1

    def heading(self, attribute: str) -> str:
        return self.headings.get(attribute, attribute)

    def where(self, position: int | None = None, attribute: str | None = None) -> str:
        """``estate.xlsx, sheet Workloads, row 7, column vCPUs``."""
        parts = [self.file or "table"]
        if self.sheet:
            parts.append(f"sheet {self.sheet}")
        if position is not None:
            parts.append(f"row {self.row(position)}")
        if attribute is not None:
            parts.append(f"column {self.heading(attribute)}")
        return ", ".join(parts)


@cache
def attributes(table: str) -> dict[str, Attribute]:
    """The attributes of a table, by name, in column order.

    Parameters
    ----------
    table : {"workloads", "hosts", "host_models"}

    Examples
    --------
    >>> attributes("hosts")["memory_gib"].heading
    'Memory (GiB)'
    """
    found = {}
    for row in rows_of(f"{table}.csv"):
        found[row["attribute"]] = Attribute(
            name=row["attribute"],
            type=row["type"],
            unit=row["unit"],
            default=row["default"],
            required=row["required"] == "yes",
            minimum=float(row["minimum"]) if row["minimum"] else None,
            maximum=float(row["maximum"]) if row["maximum"] else None,
            label=row["label"],
            aliases=tuple(alias for alias in row["aliases"].split("|") if alias),
            description=row["description"],
        )
    return found


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def blank(table: str) -> pd.DataFrame:
    """A table without rows, every column of the schema with its type."""
    return _blank(table).copy()


@cache
def _blank(table: str) -> pd.DataFrame:
    return conform(pd.DataFrame(columns=[a.name for a in attributes(table).values() if a.required]), table)


def conform(frame: pd.DataFrame, table: str, origin: Origin | None = None) -> pd.DataFrame:
    """The table with every column of the schema, typed, defaulted and within its limits.

    Parameters
    ----------
    frame : DataFrame
        Columns named as in the schema; other columns are kept behind them as they are.
    table : {"workloads", "hosts", "host_models"}
    origin : Origin, optional
        Where the rows came from, for messages.

    Returns
    -------
    DataFrame
        Numbers are float64 with NaN for blank; texts are str, "" for blank; flags are "yes" or "no"; row order kept,
        index 0..n-1.

    Raises
    ------
    InputError
        A missing column, a blank required cell, text where a number belongs, a value outside its limits, a name that
        stands twice. All findings are collected; the message names the first.
    """
    origin = origin or Origin(file=f"{table.replace('_', ' ')} table")
    schema = attributes(table)
    frame = frame.reset_index(drop=True)
    _require_columns(frame, schema, origin)
    findings: list[str] = []
    columns = {}
    for attribute in schema.values():
        if attribute.name in frame:
            columns[attribute.name] = _typed(frame[attribute.name], attribute, origin, findings)
        else:
            columns[attribute.name] = _defaulted(attribute, len(frame))
    for name in frame.columns:
        if name not in schema:
            columns[str(name)] = frame[name]
    result = pd.DataFrame(columns, index=range(len(frame)))
    repeated = result["name"].duplicated() & (result["name"] != "")
    for position in np.flatnonzero(repeated):
        name = result["name"].iloc[position]
        first = int(np.flatnonzero(result["name"] == name)[0])
        findings.append(
            f"{origin.where(position, 'name')}: found {name!r} a second time (first in row {origin.row(first)}), "
            "expected every name once"
        )
    raise_findings(findings)
    return result


def raise_findings(findings: list[str]) -> None:
    """Raise one InputError that names the first finding and counts the rest; do nothing where there is none."""
    if findings:
        more = f" (and {len(findings) - 1:,} more like it)" if len(findings) > 1 else ""
        raise InputError(findings[0] + more, details=findings)


def _require_columns(frame: pd.DataFrame, schema: dict[str, Attribute], origin: Origin) -> None:
    present = [str(name) for name in frame.columns]
    doubled = [name for name in schema if present.count(name) > 1]
    if doubled:
        raise InputError(f"{origin.where()}: two columns are read as {doubled[0]!r}, expected one")
    for attribute in schema.values():
        if attribute.required and attribute.name not in present:
            spare = [name for name in present if name not in schema]
            close = nearest(attribute.name, spare) or nearest(attribute.label, spare)
            hint = f"; the nearest column found is {close!r}" if close else f"; found columns {', '.join(present[:12])}"
            message = f"column {attribute.heading!r} ({attribute.name}) is missing, it is required{hint}"
            raise UnknownColumns(f"{origin.where()}: {message}", origin.file)


def is_blank(values: pd.Series) -> pd.Series:
    """Which cells hold nothing: None, NaN, or only white space."""
    if values.dtype.kind in "fiub":
        return values.isna()
    texts = values if isinstance(values.dtype, pd.StringDtype) else values.astype(str)
    return values.isna() | (texts.str.strip() == "")


def _typed(raw: pd.Series, attribute: Attribute, origin: Origin, findings: list[str]) -> pd.Series | np.ndarray:
    empty = is_blank(raw)
    if attribute.required:
        hint = " (or a formula that was never calculated)" if origin.sheet else ""
        for position in np.flatnonzero(empty):
            findings.append(
                f"{origin.where(position, attribute.name)}: found an empty cell{hint}, expected {attribute.expected}"
            )
    if attribute.is_number:
        return _numbers(raw, empty, attribute, origin, findings)
    text = texts(raw).where(~empty, attribute.default).astype(str)
    if attribute.type in _SPELLINGS:
        return _spelled(text, attribute, origin, findings)
    return text


def _defaulted(attribute: Attribute, rows: int) -> np.ndarray | pd.api.extensions.ExtensionArray:
    """A column that is not there."""
    if attribute.is_number:
        return np.full(rows, float(attribute.default) if attribute.default else np.nan)
    return pd.array([attribute.default], dtype="str").take(np.zeros(rows, dtype="int64"))


def texts(values: pd.Series) -> pd.Series:
    """Cells as text: whole numbers without a point, blanks at the ends off."""
    return values.map(_as_text)


def _as_text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _numbers(raw: pd.Series, blank: pd.Series, attribute: Attribute, origin: Origin, findings: list[str]) -> np.ndarray:
    empty = blank.to_numpy()
    if raw.dtype.kind in "fiu":
        values = raw.to_numpy("float64", na_value=np.nan)
        wrong = np.isinf(values)
    else:
        values = pd.to_numeric(raw.where(~blank), errors="coerce").to_numpy("float64", na_value=np.nan)
        wrong = np.isinf(values) | (np.isnan(values) & ~empty)
        wrong |= np.array([isinstance(value, bool | np.bool_) for value in raw], dtype=bool)
    if attribute.minimum is not None:
        wrong = wrong | (values < attribute.minimum)
    if attribute.maximum is not None:
        wrong = wrong | (values > attribute.maximum)
    if attribute.type == "integer":
        wrong = wrong | ((values % 1 != 0) & ~empty)
    for position in np.flatnonzero(wrong):
        found = raw.iloc[position]
        shown = repr(str(found)) if isinstance(found, str) else found
        known = units.in_cells(attribute.unit) if isinstance(found, str) and re.match(r"\s*\d", found) else ""
        behind = f", with a unit such as {known}, or none" if known else ""
        findings.append(
            f"{origin.where(position, attribute.name)}: found {shown}, expected {attribute.expected}{behind}"
        )
    return np.where(empty, float(attribute.default) if attribute.default else np.nan, values)


_SPELLINGS = {"state": STATES, "flag": FLAGS}


def _spelled(text: pd.Series, attribute: Attribute, origin: Origin, findings: list[str]) -> pd.Series:
    spellings = _SPELLINGS[attribute.type]
    meant = text.str.strip().str.casefold().map(spellings)
    for position in np.flatnonzero(meant.isna()):
        found = text.iloc[position]
        close = nearest(found, spellings)
        near = f"; did you mean {close!r}?" if close else ""
        findings.append(
            f"{origin.where(position, attribute.name)}: found {found!r}, expected {attribute.expected}{near}"
        )
    return meant.fillna(attribute.default).astype(str)
