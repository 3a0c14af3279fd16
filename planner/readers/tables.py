"""What a reader hands over: tables with the schema's columns, where they came from, and what reading them did.

Several files become one inventory here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pandas as pd

from planner import schema
from planner.errors import InputError
from planner.inventory import Inventory, notes_frame
from planner.rules import Rule
from planner.schema import Origin
from planner.series import Series


def note(
    kind: str, message: str, *, file: str, sheet: str = "", row: int | None = None, column: str = "", subject: str = ""
) -> dict:
    """One row of `Inventory.notes`."""
    return {
        "kind": kind,
        "file": file,
        "sheet": sheet,
        "row": row,
        "column": column,
        "subject": subject,
        "message": message,
    }


def counted(number: int, what: str) -> str:
    """How many, in words.

    >>> counted(1, "VM"), counted(1200, "row")
    ('1 VM', '1,200 rows')
    """
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Tables of one file, not yet checked against the schema.

    Parameters
    ----------
    file : str
        Display name of the file.
    format : str
        What kind of file it is, for people: ``RVTools``.
    dialect, version : str
        Which kind of it, and what the file says of the program that wrote it; "" where there is nothing to tell.
    frames : dict
        Table name (workloads, hosts, host_models) to DataFrame; tables that the file does not have are absent.
    origins : dict
        Table name to `Origin`.
    notes : list of dict
        Rows of `Inventory.notes`, see `note`.
    rules : list of Rule
    shared_storage_gib : dict
        Storage that hosts of a pool share, by pool.
    series : Series, optional
        What the file's workloads were measured to use over time, under their names.
    """

    file: str
    format: str
    dialect: str = ""
    version: str = ""
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    notes: list[dict] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    shared_storage_gib: dict[str, float] = field(default_factory=dict)
    series: Series | None = None


def inventory_of(files: list[Tables], notes: Iterable[dict] = ()) -> Inventory:
    """One inventory of all files; each is checked by itself, so that every finding names its own file.

    Parameters
    ----------
    files : list of Tables
    notes : iterable of dict
        What there is to say besides, see `note`.

    Raises
    ------
    InputError
        A table that does not pass the schema, a name in two files, or no workload at all.
    """
    parts = [_checked(tables) for tables in files]
    sources = tuple(source for part in parts for source in part.sources)
    for names in ("workloads", "left_out"), ("hosts",), ("host_models",):
        _refuse_names_in_two_files(
            sources, [[n for name in names for n in getattr(part, name)["name"]] for part in parts]
        )
    joined = Inventory(
        **{
            name: _stacked([getattr(part, name) for part in parts])
            for name in ("workloads", "hosts", "host_models", "left_out", "notes")
        },
        sources=sources,
        rules=tuple(rule for part in parts for rule in part.rules),
        shared_storage_gib=_summed([part.shared_storage_gib for part in parts]),
    )
    if notes:
        joined = replace(joined, notes=notes_frame([*joined.notes.to_dict("records"), *notes]))
    if joined.workloads.empty and joined.left_out.empty:
        raise InputError(f"{', '.join(sources)}: found no workload, expected sheet 'Workloads' or a table of workloads")
    return joined


def _checked(tables: Tables) -> Inventory:
    """One file's inventory; unlike `Inventory.from_frames` it may have hosts alone."""
    notes = notes_frame(tables.notes)
    sources = (f"{tables.file} ({tables.format})",) if tables.format else ()
    if "workloads" in tables.frames:
        inventory = Inventory.from_frames(
            **tables.frames, notes=notes, origins=tables.origins, sources=sources, rules=tuple(tables.rules)
        )
        return replace(inventory, shared_storage_gib=tables.shared_storage_gib)
    checked = {
        name: schema.conform(tables.frames[name], name, tables.origins[name])
        if name in tables.frames
        else schema.blank(name)
        for name in schema.TABLES
    }
    nothing = checked["workloads"].assign(reason="")
    return Inventory(**checked, left_out=nothing, notes=notes, sources=sources, rules=tuple(tables.rules))


def _summed(parts: list[dict[str, float]]) -> dict[str, float]:
    """Storage by pool over all files: a cluster of the same name in two exports has both."""
    total: dict[str, float] = {}
    for part in parts:
        for pool, gib in part.items():
            total[pool] = total.get(pool, 0.0) + gib
    return total


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all frames; empty ones would only spoil the types."""
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    return filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)


def _refuse_names_in_two_files(sources: tuple[str, ...], names: list[list[str]]) -> None:
    first: dict[str, str] = {}
    for source, own in zip(sources, names, strict=True):
        for name in own:
            if name in first:
                raise InputError(f"found {name!r} in {first[name]} and in {source}, expected every name in one file")
        first |= dict.fromkeys(own, source)
