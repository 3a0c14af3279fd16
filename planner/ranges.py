"""Range: a figure that is not known exactly, from low to high, with the one that is reckoned with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from planner.errors import InputError, did_you_mean
from planner.settings import require

KEYS = ("low", "high", "likely")


@dataclass(frozen=True)
class Range:
    """A figure between two ends, in the unit of the field that it is given for.

    Parameters
    ----------
    low, high : float
    likely : float, optional
        What is reckoned with; the middle unless given.

    Raises
    ------
    InputError
        An end that is no number, low above high, or likely outside.

    Examples
    --------
    >>> Range(0.15, 0.35).likely
    0.25
    >>> Range(1.2, 1.8, likely=1.4).ends
    (1.2, 1.8)
    """

    low: float
    high: float
    likely: float | None = None

    def __post_init__(self):
        for name in ("low", "high"):
            require(getattr(self, name), f"range, {name}", -1e12, 1e12)
        if self.low > self.high:
            raise InputError(f"range: found low {self.low:,g} above high {self.high:,g}, expected low at most high")
        if self.likely is None:
            object.__setattr__(self, "likely", (self.low + self.high) / 2)
        require(self.likely, "range, likely", self.low, self.high)

    @property
    def ends(self) -> tuple[float, float]:
        """Low and high."""
        return self.low, self.high

    @classmethod
    def of(cls, value: Range | dict, where: str) -> Range:
        """A range from itself, or from a table with low, high and likely.

        Raises
        ------
        InputError
            Anything else, named with `where`.
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, dict):
            raise InputError(f"{where}: found {value!r}, expected a range such as {{ low = 0.15, high = 0.35 }}")
        if unknown := [key for key in value if key not in KEYS]:
            raise InputError(f"{where}: found {unknown[0]!r}{did_you_mean(str(unknown[0]), KEYS)}")
        if absent := [key for key in ("low", "high") if key not in value]:
            raise InputError(f"{where}: found no {absent[0]!r}, expected a range such as {{ low = 0.15, high = 0.35 }}")
        try:
            return cls(**value)
        except InputError as error:
            raise InputError(f"{where}, {error}") from error


def of_rows(rows: Iterable[dict], settings: Any) -> dict[str, Range]:
    """Ranges by field, from rows with field, low, high and likely, None where a cell is blank; blank rows are left out.

    Parameters
    ----------
    rows : iterable of dict
    settings : dataclass
        Whose figure is the likely one where none stands in the row; the middle where that is missing too.

    Raises
    ------
    InputError
        A row with one end alone, or a likely figure outside of its ends.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> of_rows([{"field": "wide", "low": 1.0, "high": 3.0}], SimpleNamespace(wide=1.5))
    {'wide': Range(low=1.0, high=3.0, likely=1.5)}
    """
    found = {}
    for row in rows:
        name, span = row["field"], {key: row[key] for key in KEYS if row.get(key) is not None}
        if span:
            usual = getattr(settings, name)
            known = {} if usual is None else {"likely": usual}
            found[name] = Range.of(known | span, f"{type(settings).__name__.lower()}.{name}")
    return found


def settle(settings: Any, names: Iterable[str]) -> None:
    """Put the likely figure into each field of a frozen dataclass that is given as a range, and the range in `ranges`.

    A range of before stands as long as its field holds its likely figure: a number given anew goes before it.
    """
    where = type(settings).__name__.lower()
    if not isinstance(settings.ranges, dict):
        raise InputError(f"{where}.ranges: found {settings.ranges!r}, expected a table")
    names = tuple(names)
    if unknown := [name for name in settings.ranges if name not in names]:
        raise InputError(f"{where}.ranges: found {unknown[0]!r}{did_you_mean(str(unknown[0]), names)}")
    kept = {}
    for name in names:
        value, before = getattr(settings, name), settings.ranges.get(name)
        if isinstance(value, Range | dict):
            kept[name] = Range.of(value, f"{where}.{name}")
            object.__setattr__(settings, name, kept[name].likely)
        elif before is not None and Range.of(before, f"{where}.ranges.{name}").likely == value:
            kept[name] = Range.of(before, f"{where}.ranges.{name}")
    object.__setattr__(settings, "ranges", kept)


def require_ends(settings: Any) -> None:
    """Refuse a range whose ends the field of a dataclass does not take, one field at a time."""
    for name, span in settings.ranges.items():
        for end in span.ends:
            if end != span.likely:
                replace(settings, **{name: end}, ranges={})


def in_place(values: dict, ranges: dict[str, Range]) -> dict:
    """Fields as a dictionary, ranges where they were given: what `settle` takes apart again."""
    spans = {name: asdict(span) for name, span in ranges.items()}
    return {name: spans.get(name, value) for name, value in values.items() if name != "ranges"}
