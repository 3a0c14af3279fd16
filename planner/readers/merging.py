"""Tables of several files as one: the same machine is kept once, and what one file does not tell another may.

A workload of a later file is one that is known already where its UUID is, else its BIOS UUID, else its ID in the same
vCenter, else its name, else its short name on the same host with the same size, unless identifiers of the two say
otherwise. The first file's figures stay; blanks are filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from planner import schema
from planner.readers.doubles import note_doubles, note_repeats
from planner.readers.tables import note
from planner.units import counted

KEYS = {
    "vm_uuid": "UUID",
    "bios_uuid": "BIOS UUID",
    "vm_id": "ID",
    "name": "name",
    "folded": "name in other case",
}
"""Identifiers in the order in which they count, and what they are called."""

_ACROSS_FILES = ("name", "folded")
"""Those that tell nothing within one file."""

SIZES = {"vcpus": "vCPUs", "cores": "cores", "memory_gib": "GiB of memory", "count": "copies"}
MERGED_BY_NAME = {"hosts": "host", "host_models": "host model"}
_SAME_SIZE = {"workloads": ("vcpus", "memory_gib"), "hosts": ("cores", "memory_gib")}
"""By table, what two rows share that are one machine."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """One table of several, and what joining them did.

    Parameters
    ----------
    frame : DataFrame
    notes : list of dict
        Rows of `Inventory.notes`.
    called : list of dict
        For each file, the name of its rows here by their name there.
    """

    frame: pd.DataFrame
    notes: list[dict] = field(default_factory=list)
    called: list[dict[str, str]] = field(default_factory=list)


def merged_workloads(
    frames: Sequence[pd.DataFrame], sources: Sequence[str], sheets: Sequence[str] | None = None
) -> Merged:
    """Workloads of several files, with those that are left out; each frame has passed the schema.

    Parameters
    ----------
    frames : sequence of DataFrame
        Columns of the schema, perhaps those of `KEYS` and `vcenter`.
    sources : sequence of str
        What each is called in notes.
    sheets : sequence of str, optional
        The sheet of each, "" where there is none.
    """
    filled = [(frame, source) for frame, source in zip(frames, sources, strict=True) if len(frame)]
    if len(filled) < 2:
        called = [dict(zip(frame["name"], frame["name"], strict=True)) for frame in frames]
        return Merged(frame=_stacked(frames), called=called)
    known = _Known()
    parts, own, notes, called = [], [], [], []
    for frame, source in zip(frames, sources, strict=True):
        rows = _rows(frame)
        targets, reasons = known.matched(rows, source)
        new = targets < 0
        names = known.add(rows, new, source, notes)
        called.append(dict(zip(frame["name"], np.where(new, names, known.names_of(targets)), strict=True)))
        notes += _again(frame, targets, reasons, known, source)
        parts.append((frame.assign(name=names), targets))
        own.append(frame[new])
    table = _stacked([frame[targets < 0] for frame, targets in parts])
    for (frame, targets), source in zip(parts, sources, strict=True):
        again = targets >= 0
        if again.any():
            table, said = _filled(table, frame[again], targets[again], source)
            notes += said
    notes += note_repeats(own, sources, sheets or [""] * len(sources))
    named = table.assign(name=[row.name for row in known.rows])
    notes += note_doubles(named, known.sources, _SAME_SIZE["workloads"], "workload", known.are_two)
    return Merged(frame=table, notes=notes, called=called)


def merged_by_name(frames: Sequence[pd.DataFrame], sources: Sequence[str], table: str) -> Merged:
    """Hosts or host models of several files: each name is kept once, as the first file has it, blanks filled."""
    whole = _stacked(frames)
    folded = whole["name"].str.casefold()
    again = folded.duplicated().to_numpy()
    files = np.repeat(np.array(sources, dtype=object), [len(frame) for frame in frames])[~again].tolist()
    sizes = _SAME_SIZE.get(table)
    twice = note_doubles(whole[~again], files, sizes, MERGED_BY_NAME[table]) if sizes else []
    if not again.any():
        return Merged(frame=whole, notes=twice)
    position = pd.Series(np.arange(len(whole))[~again], index=folded[~again])
    renumbered = np.cumsum(~again) - 1
    targets = renumbered[position[folded[again]].to_numpy()]
    first = whole["name"][again].iloc[0]
    source = " and ".join(sources)
    message = f"{counted(int(again.sum()), MERGED_BY_NAME[table])} in more than one file, such as {first!r}: kept once"
    kept, said = _filled(whole[~again].reset_index(drop=True), whole[again], targets, source)
    return Merged(frame=kept, notes=[note("information", message, file=source, subject=first), *said, *twice])


class _Row(NamedTuple):
    """What a workload is known by; "" for what nobody tells."""

    uuid: str
    bios: str
    vm_id: str
    vcenter: str
    name: str


class _Known:
    """Workloads so far, by each of their identifiers."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.rows: list[_Row] = []
        self.sources: list[str] = []
        self.again: dict[str, int] = {}
        self.by: dict[str, dict[object, int | None]] = {key: {} for key in KEYS}
        self.taken: set[str] = set()

    def matched(self, rows: list[_Row], source: str) -> tuple[np.ndarray, list[str]]:
        """Position of the workload that each row is, -1 for none, and the identifier by which it is known.

        A workload is one row of a table at most: the one that has the better identifier. Two sheets of one file may use
        a name twice, so there it tells nothing.
        """
        targets, reasons = np.full(len(rows), -1), [""] * len(rows)
        taken: set[int] = set()
        for reason in KEYS:
            for position, row in enumerate(rows):
                target = self._match(row, reason) if targets[position] < 0 else None
                if target is not None and reason in _ACROSS_FILES and self.sources[target] == source:
                    target = None
                if target is not None and target not in taken:
                    targets[position], reasons[position] = target, reason
                    taken.add(target)
        for position in np.flatnonzero(targets >= 0):
            self._learn(rows[position], int(targets[position]))
        return targets, reasons

    def add(self, rows: list[_Row], new: np.ndarray, source: str, notes: list[dict]) -> list[str]:
        """Take rows in that are new; their names, told apart from those that are taken."""
        names = []
        for row, is_new in zip(rows, new, strict=True):
            name = row.name
            if is_new:
                name = self._unique(row.name)
                if name != row.name:
                    message = f"another workload of this name is in an earlier file or sheet: read as {name!r}"
                    notes.append(note("converted", message, file=source, subject=name))
                self._index(row, len(self.names))
                self.names.append(name)
                self.rows.append(row)
                self.sources.append(source)
                self.taken.add(name)
            names.append(name)
        return names

    def names_of(self, targets: np.ndarray) -> np.ndarray:
        return np.array([self.names[target] if target >= 0 else "" for target in targets], dtype=object)

    def are_two(self, one: int, other: int) -> bool:
        """Whether identifiers say that two workloads, by position, are not the same."""
        return self._differ(self.rows[one], self.rows[other])

    def _match(self, row: _Row, reason: str) -> int | None:
        target = self.by[reason].get(self._keys(row)[reason])
        if target is None or (reason != "vm_uuid" and self._differ(self.rows[target], row)):
            return None
        return target

    @staticmethod
    def _keys(row: _Row) -> dict[str, object]:
        """What a row is looked up by; "" where it does not say. An ID counts with its vCenter only."""
        key = (row.vcenter, row.vm_id) if row.vcenter and row.vm_id else ""
        named = {"name": row.name, "folded": row.name.casefold()}
        return {"vm_uuid": row.uuid, "bios_uuid": row.bios, "vm_id": key, **named}

    def _learn(self, row: _Row, target: int) -> None:
        """Take over identifiers that the known workload did not have yet."""
        known = self.rows[target]
        learned = _Row(*(own or told for own, told in zip(known, row, strict=True)))
        before, after = self._keys(known), self._keys(learned)
        for index, value in after.items():
            if value and not before[index]:
                self.by[index].setdefault(value, target)
        self.rows[target] = learned

    def _differ(self, one: _Row, other: _Row) -> bool:
        """Whether two workloads of one name have identifiers that say they are two."""
        if one.uuid and other.uuid:
            return one.uuid != other.uuid
        if one.bios and other.bios:
            return one.bios != other.bios
        same_vcenter = one.vcenter == other.vcenter or not (one.vcenter and other.vcenter)
        return bool(one.vm_id and other.vm_id and one.vm_id != other.vm_id and same_vcenter)

    def _index(self, row: _Row, position: int) -> None:
        for index, value in self._keys(row).items():
            if value:
                # An identifier that two known workloads share tells nothing.
                self.by[index][value] = None if value in self.by[index] else position

    def _unique(self, name: str) -> str:
        unique = name
        while unique in self.taken:
            self.again[name] = self.again.get(name, 1) + 1
            unique = f"{name} ({self.again[name]})"
        return unique


def _rows(frame: pd.DataFrame) -> list[_Row]:
    """What each row is known by, identifiers in lower case."""
    blank = pd.Series("", index=frame.index)
    told = [frame.get(key, blank).fillna("").astype(str).str.casefold() for key in ("vm_uuid", "bios_uuid", "vm_id")]
    vcenter = frame.get("vcenter", blank).fillna("").astype(str).str.casefold()
    return [_Row(*row) for row in zip(*told, vcenter, frame["name"], strict=True)]


def _again(frame: pd.DataFrame, targets: np.ndarray, reasons: list[str], known: _Known, source: str) -> list[dict]:
    """A note for each identifier by which rows of a file are known already."""
    notes = []
    for key, label in KEYS.items():
        rows = np.flatnonzero(np.array([reason == key for reason in reasons]))
        if len(rows):
            example = frame["name"].iloc[rows[0]]
            what = f"{counted(len(rows), 'workload')} in an earlier file already, by {label}"
            message = f"{what}: kept once; such as {example!r}"
            notes.append(note("information", message, file=source, subject=example))
    return notes


def _filled(
    table: pd.DataFrame, again: pd.DataFrame, targets: np.ndarray, source: str
) -> tuple[pd.DataFrame, list[dict]]:
    """The table with blanks filled from second rows of the same, and notes on sizes that differ."""
    notes = []
    table = table.copy()
    for column, label in SIZES.items():
        if column in table and column in again:
            first, second = table[column].to_numpy()[targets], again[column].to_numpy()
            differ = np.flatnonzero(~np.isclose(first, second, equal_nan=True))
            if len(differ):
                at = differ[0]
                name = again["name"].iloc[at]
                message = (
                    f"{counted(len(differ), 'machine')} with other {label} than in an earlier file, which is used; "
                    f"such as {name!r}: {first[at]:.6g}, not {second[at]:.6g}"
                )
                where = {"file": source, "subject": name, "column": column}
                notes.append(note("suspicious", f"{message}; are they the same?", **where, count=len(differ)))
    for column in again.columns:
        if column in ("name", "reason"):
            continue
        if column not in table:
            table[column] = np.nan if again[column].dtype.kind in "fiu" else ""
        known, told = table[column].copy(), again[column]
        fill = _is_open(known.iloc[targets], column).to_numpy() & ~_is_open(told, column).to_numpy()
        if fill.any():
            values = known.to_numpy(dtype=object, copy=True)
            values[targets[fill][::-1]] = told.to_numpy(dtype=object)[fill][::-1]
            whole = pd.Series(values, index=table.index, dtype=object)
            # Whole numbers and flags have no blank of their own: where one is left, the column is no longer of them.
            table[column] = whole.infer_objects() if told.dtype.kind in "iub" else whole.astype(told.dtype)
    return table, notes


def _is_open(values: pd.Series, column: str) -> pd.Series:
    """Which cells tell nothing: blank, or a number that a table has where nobody told one."""
    if values.dtype.kind != "f":
        return values.isna() | (values.astype(str) == "")
    return values.isna() | (values == 0) if column in _ZERO_WHERE_BLANK else values.isna()


_ZERO_WHERE_BLANK = frozenset(
    attribute.name for attribute in schema.attributes("workloads").values() if attribute.default == "0"
)


def _stacked(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all frames; empty ones would only spoil the types."""
    frames = list(frames)
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    whole = filled[0].reset_index(drop=True) if len(filled) == 1 else pd.concat(filled, ignore_index=True)
    texts = [name for name in whole if whole[name].dtype.kind not in "fiub"]
    return whole.assign(**{name: whole[name].fillna("") for name in texts})
