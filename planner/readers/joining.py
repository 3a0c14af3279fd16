"""Tables of all files become one inventory."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from planner import schema
from planner.errors import InputError
from planner.imports import Import, import_of
from planner.inventory import Inventory, notes_frame
from planner.matching import on_hosts
from planner.proposals import distinct
from planner.readers.merging import merged_by_name, merged_workloads
from planner.readers.series_files import read_series
from planner.readers.shares import in_ghz
from planner.readers.suspicions import suspicions
from planner.readers.tables import Tables, note
from planner.readers.usage import with_usage
from planner.series import Series
from planner.units import counted


def inventory_of(
    files: Sequence[Tables], notes: Iterable[dict] = (), *, ghz_per_vcpu: float | None = None
) -> Inventory:
    """One inventory of all files; each is checked by itself, so that every finding names its own file.

    Parameters
    ----------
    files : sequence of Tables
    notes : iterable of dict
        What there is to say besides, see `note`.
    ghz_per_vcpu : float, optional
        Clock behind CPU use that is given in percent; by default that of today's host.

    Raises
    ------
    InputError
        A table that does not pass the schema, or no workload at all.
    """
    parts = [_checked(tables) for tables in files]
    labels = [tables.file for tables in files]
    sheets = [tables.origins["workloads"].sheet if "workloads" in tables.origins else "" for tables in files]
    workloads = merged_workloads([_every(part) for part in parts], labels, sheets)
    workloads = with_usage(workloads, files)
    tables = {name: merged_by_name([getattr(part, name) for part in parts], labels, name) for name in OWN_NAMES}
    planned = (workloads.frame["reason"] == "").to_numpy()
    said = [row for merged in (workloads, *tables.values()) for row in merged.notes]
    joined = Inventory(
        workloads=workloads.frame[planned].drop(columns="reason").reset_index(drop=True),
        left_out=workloads.frame[~planned].reset_index(drop=True),
        hosts=tables["hosts"].frame,
        host_models=tables["host_models"].frame,
        notes=notes_frame([*(row for part in parts for row in part.notes.to_dict("records")), *notes, *said]),
        sources=tuple(source for part in parts for source in part.sources),
        rules=tuple(dict.fromkeys(rule for part in parts for rule in part.rules)),
        shared_storage_gib=_shared(files),
        harvested=distinct(proposal for tables in files for proposal in tables.proposals),
        imports=tuple(_import(part, own) for part, own in zip(parts, files, strict=True) if own.format),
    )
    if joined.workloads.empty and joined.left_out.empty:
        found = ", ".join(joined.sources or labels)
        hint = next((f"; {_TO_PLACE.format(own.file)}" for own in files if {*own.frames} == {"hosts"}), "")
        hint = next((f"; {own.file} tells use over time alone" for own in files if own.series and not own.frames), hint)
        raise InputError(f"{found}: found no workload, expected sheet 'Workloads' or a table of workloads{hint}")
    joined = _with_series(in_ghz(on_hosts(joined).switch(), ghz_per_vcpu), files, workloads.called, ghz_per_vcpu)
    found = suspicions(joined, any_size=any(own.any_size for own in files))
    return replace(joined, notes=notes_frame([*joined.notes.to_dict("records"), *found]))


_TO_PLACE = (
    'if its rows are to be placed: planner mapping {} -o mapping.toml, there table = "workloads", then --mapping '
    "mapping.toml"
)

OWN_NAMES = ("hosts", "host_models")
"""Tables beside the workloads."""


def _every(part: Inventory) -> pd.DataFrame:
    """All workloads of a file, those that are left out with the reason."""
    return pd.concat([part.workloads.assign(reason=""), part.left_out], ignore_index=True)


def _import(part: Inventory, tables: Tables) -> Import:
    about = {name: getattr(tables, name) for name in ("file", "format", "dialect", "version")}
    return import_of(part, **about, sure=tables.confidence)


def _checked(tables: Tables) -> Inventory:
    """One file's inventory; unlike `Inventory.from_frames` it may have hosts alone."""
    notes = notes_frame([*tables.notes, *_unread(tables)])
    found = tables.format and (tables.frames or tables.series)
    sources = (f"{tables.file} ({tables.format})",) if found else ()
    if "workloads" in tables.frames:
        return Inventory.from_frames(
            **tables.frames, notes=notes, origins=tables.origins, sources=sources, rules=tuple(tables.rules)
        )
    checked = {
        name: schema.conform(tables.frames[name], name, tables.origins[name])
        if name in tables.frames
        else schema.blank(name)
        for name in schema.TABLES
    }
    nothing = checked["workloads"].assign(reason="")
    return Inventory(**checked, left_out=nothing, notes=notes, sources=sources, rules=tuple(tables.rules))


def _unread(tables: Tables) -> list[dict]:
    """A note for each sheet on its columns that nothing reads."""
    return [
        note(
            "ignored",
            f"{counted(len(headings), 'column')} that nothing reads: {', '.join(headings)}",
            file=tables.file,
            sheet=sheet,
            count=len(headings),
        )
        for sheet, headings in tables.unread.items()
        if headings
    ]


def _shared(files: Sequence[Tables]) -> dict[str, float]:
    """Storage by pool; a store that several files list counts once."""
    stores: dict[str, dict[str, float]] = {}
    for tables in files:
        for pool, own in tables.shared_stores.items():
            stores.setdefault(pool, {}).update({k: v for k, v in own.items() if k not in stores.get(pool, {})})
    return {pool: sum(own.values()) for pool, own in stores.items()}


def _with_series(
    inventory: Inventory, files: Sequence[Tables], called: list[dict[str, str]], ghz_per_vcpu: float | None
) -> Inventory:
    """The inventory with the series that came with its files, under the names that workloads have now."""
    streams, names = [], {}
    for tables, own in zip(files, called, strict=True):
        if tables.series is not None:
            streams.append(io.BytesIO(tables.series.data))
            streams[-1].name = tables.series.label
            names |= {key: own.get(name, name) for key, name in tables.series_names.items()}
    if not streams:
        return inventory
    series = read_series(streams)
    series = replace(series, names=tuple(names.get(name, name) for name in series.names))
    if "cpu_share" in series.samples and not _has_clocks(inventory, series, ghz_per_vcpu):
        message = (
            "CPU over time is in percent and the clock of the hosts is not known: not used; give ghz_per_vcpu, or "
            "hosts with their GHz"
        )
        said = [note("ignored", message, file=", ".join(series.sources), column="cpu_share")]
        inventory = replace(inventory, notes=notes_frame([*inventory.notes.to_dict("records"), *said]))
        series = replace(series, samples={name: v for name, v in series.samples.items() if name != "cpu_share"})
        if not series.samples:
            return inventory
    return inventory.with_series(series, ghz_per_vcpu=ghz_per_vcpu)


def _has_clocks(inventory: Inventory, series: Series, ghz_per_vcpu: float | None) -> bool:
    """Whether every workload with a series is on a host whose clock is known, or a clock was given."""
    if ghz_per_vcpu is not None:
        return True
    clocked = set(inventory.hosts.loc[inventory.hosts["ghz"].notna(), "name"])
    every = pd.concat([inventory.workloads, inventory.left_out])
    return bool(every.loc[every["name"].isin(series.names), "host"].isin(clocked).all())
