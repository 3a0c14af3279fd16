"""What a file tells that machines use, and not what they are given: joined to the machines of other files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from planner import schema
from planner.errors import InputError
from planner.readers.machines import STATISTICS
from planner.readers.merging import Merged
from planner.readers.tables import Tables, note
from planner.units import counted

USAGE = "usage"
KEYS = ("vm_uuid", "bios_uuid", "name")


def with_usage(workloads: Merged, files: Sequence[Tables]) -> Merged:
    """The workloads of all files, with figures of use from tables that have nothing else.

    A row belongs to the workload of its UUID, else of its name, whatever its case. Figures that are known stay; shares
    of memory become GiB of what the workload is given, and a blank ``used`` becomes the peak. Rows of no workload are
    counted in a note.

    Raises
    ------
    InputError
        There is no workload to join them to, or a table does not pass the schema.
    """
    for tables in (tables for tables in files if USAGE in tables.frames):
        use = _checked(tables)
        if workloads.frame.empty:
            raise InputError(
                f"{tables.file}: found what {counted(len(use), 'machine')} use, without vCPUs and memory; expected the "
                "file that lists the machines beside it: give both"
            )
        owners = _owners(workloads.frame, use)
        filled = _filled(workloads.frame, use, owners)
        workloads = replace(workloads, frame=filled, notes=[*workloads.notes, *_notes(tables, use, owners)])
    return workloads


def _checked(tables: Tables) -> pd.DataFrame:
    """The table as its columns of the schema allow, its other columns as they are."""
    given = tables.frames[USAGE]
    # What makes it a table of workloads for the schema, and is not kept.
    sized = given.assign(vcpus=0.0, memory_gib=0.0)
    return schema.conform(sized, "workloads", tables.origins[USAGE])[list(given.columns)]


def _owners(workloads: pd.DataFrame, use: pd.DataFrame) -> np.ndarray:
    """Position of the workload of each row, -1 where there is none or several, or where their UUIDs differ."""
    found = np.full(len(use), -1)
    for key in (key for key in KEYS if key in use and key in workloads):
        known = _folded(workloads[key])
        # What was told apart as "name (2)" has the name of another.
        same = known.str.replace(r" \(\d+\)$", "", regex=True) if key == "name" else known
        alone = ~same.duplicated(keep=False) & (known != "")
        position = pd.Series(np.flatnonzero(alone), index=known[alone])
        told = _folded(use[key]).map(position).fillna(-1).astype(int).to_numpy()
        found = np.where((found < 0) & ~_other_uuid(workloads, use, told), told, found)
    return found


def _folded(values: pd.Series) -> pd.Series:
    return values.fillna("").astype(str).str.casefold()


def _other_uuid(workloads: pd.DataFrame, use: pd.DataFrame, told: np.ndarray) -> np.ndarray:
    """Rows whose UUID is not that of the workload that they would be joined to."""
    differ = np.zeros(len(use), dtype=bool)
    for key in (key for key in ("vm_uuid", "bios_uuid") if key in use and key in workloads):
        own, its = _folded(use[key]).to_numpy(), _folded(workloads[key]).to_numpy()[told]
        differ |= (told >= 0) & (own != "") & (its != "") & (own != its)
    return differ


def _filled(workloads: pd.DataFrame, use: pd.DataFrame, owners: np.ndarray) -> pd.DataFrame:
    known = owners >= 0
    frame = workloads.copy()
    for column in (column for column in use if column not in KEYS):
        told = pd.Series(use[column].to_numpy()[known], index=owners[known])
        told = told[~told.index.duplicated()].reindex(range(len(frame)))
        column, told = _in_gib(column, told, frame)
        own = frame.get(column, pd.Series(np.nan, index=frame.index))
        blank = own.isna() | (own == 0) if column in ("network_gbps", "iops") else own.isna()
        frame[column] = own.mask(blank & told.notna(), told)
    for base in ("cpu_ghz", "cpu_share", "memory_gib"):
        if f"{base}_peak" in frame:
            frame[f"{base}_used"] = frame.get(f"{base}_used", pd.Series(np.nan, index=frame.index)).fillna(
                frame[f"{base}_peak"]
            )
    return frame


def _in_gib(column: str, told: pd.Series, workloads: pd.DataFrame) -> tuple[str, pd.Series]:
    base, _, statistic = column.rpartition("_")
    if base == "memory_share" and statistic in STATISTICS:
        return f"memory_gib_{statistic}", told * workloads["memory_gib"]
    return column, told


def _notes(tables: Tables, use: pd.DataFrame, owners: np.ndarray) -> list[dict]:
    origin = tables.origins[USAGE]
    where = {"file": tables.file, "sheet": origin.sheet}
    joined = f"use of {counted(int((owners >= 0).sum()), 'machine')} joined to workloads of other files"
    said = [note("information", joined, **where)]
    strangers = np.flatnonzero(owners < 0)
    if len(strangers):
        first = int(strangers[0])
        name = use["name"].iloc[first]
        message = f"use of {counted(len(strangers), 'machine')} that no other file lists, such as {name!r}"
        said.append(note("ignored", message, **where, row=origin.row(first), subject=name, count=len(strangers)))
    return said
