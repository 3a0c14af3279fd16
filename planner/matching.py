"""What belongs together by its name: workloads and their hosts; series, their shares turned into GHz and GiB."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from planner import naming
from planner.errors import InputError, nearest
from planner.inventory import Inventory, notes_frame
from planner.series import SHARES, Series

MOST_NAMED = 20
"""Names on one side only that get a note each; the others are counted in one more."""
USED = {"cpu_ghz": "cpu_ghz_used", "memory_gib": "memory_gib_used"}
PLANNED_BY_TIME = frozenset(USED)


def on_hosts(inventory: Inventory) -> Inventory:
    """The inventory with workloads on the hosts whose names they mean, see `naming.meant`.

    One note counts what was joined so, another what could mean several hosts and stays as it is.
    """
    every = pd.concat([inventory.workloads, inventory.left_out])
    found, doubtful = naming.meant(every["host"].unique(), inventory.hosts["name"])
    notes = []
    for kind, names, message in (
        ("converted", found, "on a host by its name in other case, or by its short or domain name, such as {}: joined"),
        ("information", doubtful, "on a host that could be several, or one that others could be too, such as {}"),
    ):
        rows = every[every["host"].isin(list(names))]
        if len(rows):
            host = rows["host"].iloc[0]
            example = f"{host!r} for {found[host]!r}" if host in found else repr(host)
            workloads = f"{len(rows):,} workload" + "s" * (len(rows) > 1)
            about = {"file": ", ".join(inventory.sources), "column": "host", "subject": rows["name"].iloc[0]}
            notes.append(
                {"kind": kind, "message": f"{workloads} {message.format(example)}", "count": len(rows), **about}
            )
    if not notes:
        return inventory
    tables = {name: getattr(inventory, name) for name in ("workloads", "left_out")}
    return replace(
        inventory,
        **{
            name: frame.assign(host=frame["host"].map(lambda host: found.get(host, host)).astype("str"))
            for name, frame in tables.items()
        },
        notes=notes_frame([*inventory.notes.to_dict("records"), *notes]),
    )


def attached(inventory: Inventory, series: Series, ghz_per_vcpu: float | None) -> Inventory:
    """The inventory with its series; see `Inventory.with_series`."""
    every = pd.concat([inventory.workloads, inventory.left_out.drop(columns="reason")], ignore_index=True)
    row_of, notes = _matched(every["name"], series)
    named = {name: series.names[row] for name, row in row_of.items()}
    kept = np.array(sorted(set(row_of.values())), dtype=int)
    if len(kept) < len(series.names):  # Otherwise the samples, which may take a GB, are not copied.
        series = replace(
            series,
            names=tuple(series.names[row] for row in kept),
            samples={name: array[kept] for name, array in series.samples.items()},
        )
    _require_common_time(series)
    owners = every[every["name"].isin(named)].assign(series_name=lambda frame: frame["name"].map(named))
    for second in owners[owners["series_name"].duplicated()].itertuples():
        first = next(name for name, its in named.items() if its == second.series_name)
        raise InputError(
            f"series {second.series_name!r}: matches workloads {first!r} and {second.name!r}, expected one"
        )
    owners = owners.set_index("series_name").loc[list(series.names)]
    series = series.scaled(_given(owners, series, inventory.hosts, ghz_per_vcpu))
    statistics = series.table()
    notes += _notes_on_figures(every, named, series)
    if inventory.series is not None:
        before, now = (", ".join(one.sources) or "series" for one in (inventory.series, series))
        notes.append(_note("ignored", f"{before}: given up for {now}"))
    return replace(
        inventory,
        workloads=_with_figures(inventory.workloads, named, statistics),
        left_out=_with_figures(inventory.left_out, named, statistics),
        notes=notes_frame([*inventory.notes.to_dict("records"), *series.notes.to_dict("records"), *notes]),
        series=series,
    )


def _matched(names: pd.Series, series: Series) -> tuple[dict[str, int], list[dict]]:
    """Row of the series of each workload that has one, and notes on the names that stand on one side only."""
    exact = {name: row for row, name in enumerate(series.names)}
    folded: dict[str, list[int]] = {}
    for name, row in exact.items():
        folded.setdefault(name.strip().casefold(), []).append(row)
    row_of, loosely = {}, 0
    for name in names:
        rows = [exact[name]] if name in exact else folded.get(name.strip().casefold(), [])
        if len(rows) > 1:
            found = " and ".join(repr(series.names[row]) for row in rows[:2])
            raise InputError(f"series {found}: both match workload {name!r}, expected one")
        if rows:
            row_of[name] = rows[0]
            loosely += name not in exact
    taken = set(row_of.values())
    spare = [name for row, name in enumerate(series.names) if row not in taken]
    in_short, doubtful = naming.meant([name for name in names if name not in row_of], spare)
    row_of |= {name: exact[known] for name, known in in_short.items()}
    if not row_of:
        first = str(names.iloc[0]) if len(names) else ""
        close = next(((n, hit) for n in series.names[:200] if (hit := nearest(n, names.head(5000)))), None)
        hint = f"; the nearest are series {close[0]!r} and workload {close[1]!r}" if close else ""
        where = ", ".join(series.sources) or "series"
        raise InputError(
            f"{where}: found names such as {series.names[0]!r}, none of which is a workload; "
            f"expected names such as {first!r}{hint}"
        )
    notes = []
    if loosely:
        notes.append(_note("converted", f"{loosely:,} series matched by a name in other letter case"))
    if in_short:
        name, known = next(iter(in_short.items()))
        message = f"{len(in_short):,} series matched by a short or domain name, such as {known!r} for {name!r}"
        notes.append(_note("converted", message))
    notes += _named(
        "information", doubtful, "a short or domain name that several series could mean: joined to none", ()
    )
    taken = set(row_of.values())
    unused = [name for row, name in enumerate(series.names) if row not in taken]
    missing = [name for name in names if name not in row_of]
    notes += _named("ignored", unused, "a series, but no workload of this name", missing)
    notes += _named("information", missing, "no series: planned flat, with its table figure", unused)
    return row_of, notes


def _named(kind: str, names: list[str], message: str, others: Iterable[str]) -> list[dict]:
    """A note for each of the first names, with the nearest of the names left over on the other side."""
    others = list(others)[:2000]
    rows = []
    for name in names[:MOST_NAMED]:
        close = nearest(name, others)
        rows.append(_note(kind, message + (f"; did you mean {close!r}?" if close else ""), name))
    if len(names) > MOST_NAMED:
        rows.append(_note(kind, f"{len(names) - MOST_NAMED:,} more: {message}"))
    return rows


def _note(kind: str, message: str, subject: str = "") -> dict:
    return {"kind": kind, "column": "series", "subject": subject, "message": message}


def _require_common_time(series: Series) -> None:
    if len(series.names) < 2:
        return
    for quantity, values in series.samples.items():
        measured = ~np.isnan(values)
        if (measured.any(axis=1).sum() > 1) and measured.sum(axis=0).max(initial=0) < 2:
            spans = [
                f"{name!r} from {series.times[known[0]]} to {series.times[known[-1]]}"
                for name, row in zip(series.names, measured, strict=True)
                if len(known := np.flatnonzero(row))
            ]
            raise InputError(
                f"series, {quantity}: no two workloads were measured at the same time (UTC): {', '.join(spans[:2])}; "
                "expected series of the same days"
            )


def _given(owners: pd.DataFrame, series: Series, hosts: pd.DataFrame, ghz_per_vcpu: float | None) -> dict:
    """What the workload of each series was given, by share: GHz and GiB, NaN where that share is not measured."""
    if not set(SHARES) & set(series.samples):
        return {}
    clock = owners["host"].map(dict(zip(hosts["name"], hosts["ghz"], strict=True))).astype(float)
    if ghz_per_vcpu is not None:
        if not 0.01 <= ghz_per_vcpu <= 20:
            raise InputError(f"ghz_per_vcpu: found {ghz_per_vcpu!r}, expected a number from 0.01 to 20")
        clock = pd.Series(float(ghz_per_vcpu), index=owners.index)
    if "cpu_share" in series.samples:
        needed = ~np.isnan(series.samples["cpu_share"]).all(axis=1)
        if "cpu_ghz" in series.samples:
            needed &= np.isnan(series.samples["cpu_ghz"]).any(axis=1)
        unknown = owners[clock.isna().to_numpy() & needed]
        if len(unknown):
            raise InputError(
                f"series of {unknown['name'].iloc[0]!r}: CPU is given in percent and the clock of its vCPUs is "
                f"not known ({len(unknown):,} of {len(owners):,} workloads); expected ghz_per_vcpu, "
                "or today's host with its GHz"
            )
    return {
        "cpu_share": (owners["vcpus"] * clock).to_numpy(dtype=float),
        "memory_share": owners["memory_gib"].to_numpy(dtype=float),
    }


def _notes_on_figures(every: pd.DataFrame, named: dict[str, str], series: Series) -> list[dict]:
    rows = []
    having = every[every["name"].isin(named)]
    for quantity, column in USED.items():
        filled = int(having[column].isna().sum())
        if quantity in series.samples and filled:
            rows.append(_note("converted", f"{column} was blank for {filled:,} workloads: the peak of their series"))
    copies = int((having["count"] > 1).sum())
    if copies:
        rows.append(
            _note("information", f"{copies:,} rows stand for several workloads: each of them follows the series")
        )
    unplanned = sorted(set(series.samples) - PLANNED_BY_TIME)
    if unplanned:
        rows.append(_note("ignored", f"{', '.join(unplanned)}: not planned by the hour, the table's figures hold"))
    return rows


def _with_figures(frame: pd.DataFrame, named: dict[str, str], statistics: pd.DataFrame) -> pd.DataFrame:
    frame = frame.assign(series_name=frame["name"].map(named).fillna("").astype(str))
    figures = statistics.reindex(frame["series_name"]).reset_index(drop=True)
    figures.index = frame.index
    for column in figures:
        known = frame[column].astype(float) if column in frame else np.nan
        frame[column] = figures[column].fillna(known)
    for quantity, used in USED.items():
        if f"{quantity}_peak" in figures:
            frame[used] = frame[used].fillna(figures[f"{quantity}_peak"])
    return frame
