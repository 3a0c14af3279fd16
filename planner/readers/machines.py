"""Rows of an export as workloads: real rows, unique names, states, and nothing of unknown size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from planner import schema
from planner.errors import UnknownColumns
from planner.inventory import LEFT_OUT_STATES
from planner.readers.columns import Column, split_unit
from planner.readers.exports import Journal, Part
from planner.schema import STATES, Origin
from planner.units import GIB_PER_UNIT, counted


def number(name: str, label: str, *aliases: str, unit: str = "", bare: str = "", required: bool = False) -> Column:
    """A column of numbers; `bare` is their unit where the heading names none."""
    return Column(name=name, label=label, aliases=aliases, unit=unit, bare_unit=bare, type="number", required=required)


def text(name: str, label: str, *aliases: str, required: bool = False) -> Column:
    """A column of texts."""
    return Column(name=name, label=label, aliases=aliases, required=required)


def flag(name: str, label: str, *aliases: str) -> Column:
    """A column of yes and no."""
    return Column(name=name, label=label, aliases=aliases, type="flag")


STATISTICS = ("used", "average", "peak", "p95")
_STORAGE = re.compile(
    r"provision|capacit|storage|disk size|size on disk|used space|in use|festplatte|plattenplatz|speicherplatz|kapazit|"
    r"bereitgestellt|belegt|disque|stockage|capacidad|disco|almacenamiento|archiviazione|opslag|schijf",
    re.IGNORECASE,
)
_OTHER_SIZES = re.compile(
    r"mem|ram|video|iops|\bops\b|throughput|latency|read|write|swap|balloon|network|cpu|policy|thin|controller|container|"
    r"backup|sicherung|sauvegarde|snapshot|archiv",
    re.IGNORECASE,
)
"""Words of headings with the unit of a size, or about disks, that tell no storage."""

IDENTITIES = ("vm_uuid", "bios_uuid", "vm_id", "vcenter")
"""Columns by which the same machine is known in several files; they stay beside the schema's columns."""

EXTRAS = (*IDENTITIES, *(f"cpu_share_{name}" for name in STATISTICS), "storage_gib_used")


def use_columns(**labels: str | tuple[str, ...]) -> tuple[Column, ...]:
    """Columns of use in percent, by the name of the figure: ``cpu_share_peak="Peak CPU %"``."""
    found = []
    for name, label in labels.items():
        first, *others = (label,) if isinstance(label, str) else label
        found.append(number(name, first, *others, unit="share", bare="%"))
    return tuple(found)


def workloads_of(vms: Part, journal: Journal) -> tuple[pd.DataFrame, Origin]:
    """Workloads of a sheet whose columns are named as the schema's, with the extra ones of `EXTRAS` where it has them.

    Rows without a name, second rows of a UUID, and VMs to plan for whose vCPUs or memory are unknown are dropped and
    noted; a name that stands twice is told apart. Shares of memory become GiB; a blank ``used`` becomes the peak.
    """
    vms = real_rows(vms, journal)
    given = vms.frame
    frame = pd.DataFrame({"name": unique_names(vms, journal), "state": states(vms, journal, lenient=True)})
    for name in (*schema.attributes("workloads"), *EXTRAS):
        if name in given and name not in frame and vms.has(name):
            frame[name] = given[name].to_numpy()
    for name in ("vcpus", "memory_gib"):
        if name not in frame:
            frame[name] = np.nan
    for name in STATISTICS:
        if f"memory_share_{name}" in given and vms.has(f"memory_share_{name}"):
            share = given[f"memory_share_{name}"].to_numpy() * given["memory_gib"].to_numpy()
            known = frame.get(f"memory_gib_{name}", np.nan)
            frame[f"memory_gib_{name}"] = np.where(np.isnan(known), share, known)
    note_unknown_storage(frame, vms, journal)
    on = frame["state"].map(is_running).to_numpy(dtype=bool)
    for name in frame.columns[frame.columns.str.startswith(("cpu_share_", "cpu_ghz_", "memory_gib_"))]:
        if name != "memory_reservation_gib":
            frame[name] = frame[name].where(on)
    for name in ("cpu_ghz", "memory_gib", "cpu_share"):
        if f"{name}_peak" in frame:
            frame[f"{name}_used"] = frame.get(f"{name}_used", pd.Series(np.nan, frame.index)).fillna(
                frame[f"{name}_peak"]
            )
    return without_unknown_size(frame, vms.origin, journal)


def note_unknown_storage(frame: pd.DataFrame, vms: Part, journal: Journal) -> None:
    """Storage that the export does not tell is what is in use, else 0, and said to be a guess.

    Raises
    ------
    InputError
        The sheet has a column that looks like storage and is none that is known.
    """
    if "storage_gib" not in frame:
        refuse_unread_sizes(journal, vms.origin.sheet)
        used = frame.get("storage_gib_used", pd.Series(np.nan, frame.index)).fillna(0.0)
        about = {"sheet": vms.origin.sheet, "subject": "storage_gib", "count": len(frame)}
        if used.gt(0).any():
            about["column"] = vms.origin.heading("storage_gib_used")
            journal.note("guessed", "storage in use alone is told: read as what is given", **about)
            frame["storage_gib"] = used
        else:
            journal.note("guessed", "the export tells no storage: read as 0", **about)
    elif frame["storage_gib"].isna().any():
        example(journal, "guessed", "without storage: read as 0", vms, frame["storage_gib"].isna().to_numpy(), "name")
        frame["storage_gib"] = frame["storage_gib"].fillna(0.0)


def refuse_unread_sizes(journal: Journal, *sheets: str) -> None:
    """Refuse a dialect whose storage nobody can read, which reading as 0 would hide.

    Raises
    ------
    UnknownColumns
        One of the sheets has a column that nothing reads and whose heading is about storage, or has a unit of it.
    """
    for sheet in sheets:
        for heading in journal.unread.get(sheet, ()):
            if may_be_storage(heading):
                where = f"{journal.file}, sheet {sheet}" if sheet else journal.file
                raise UnknownColumns(
                    f"{where}: found no column of storage that is known, but {heading!r}; expected one such as "
                    "'Provisioned MiB' or 'Capacity MiB', for storage read as 0 would be wrong",
                    journal.file,
                )


def may_be_storage(heading: str) -> bool:
    """Whether a heading that nothing reads is about storage, or names a unit of it and nothing else.

    >>> may_be_storage("Festplatte"), may_be_storage("Size (GB)"), may_be_storage("Storage policy")
    (True, True, False)
    """
    plain, unit = split_unit(heading)
    sized = bool(_STORAGE.search(plain)) or unit.casefold() in GIB_PER_UNIT
    return sized and not _OTHER_SIZES.search(plain)


def states(vms: Part, journal: Journal, *, lenient: bool = False) -> pd.Series:
    """State of each VM: template beats placeholder, which beats the power state; a blank one is read as on.

    `lenient` reads a state that the schema does not know as on too, with a note; else it stays, to be refused there.
    """
    frame = vms.frame
    none = pd.Series(np.zeros(len(frame), dtype=bool))
    template, placeholder = (frame.get(name, none).astype(bool) for name in ("template", "placeholder"))
    if "state" not in frame or not vms.has("state"):
        found = pd.Series(["on"] * len(frame), dtype=object)
        if "state" in frame and len(frame):
            message = "the export tells no power state: every VM read as on"
            journal.note("guessed", message, sheet=vms.origin.sheet, subject="state", count=len(frame))
    else:
        blank = (frame["state"] == "") & ~template & ~placeholder
        if blank.any():
            example(journal, "guessed", "without a power state: read as on", vms, blank.to_numpy(), "state")
        strange = ~frame["state"].str.casefold().isin([*STATES, ""]) & lenient
        for state in frame["state"][strange].unique():
            rows = (frame["state"] == state).to_numpy()
            example(journal, "guessed", f"with the power state {state!r}: read as on", vms, rows, "state")
        found = frame["state"].where((frame["state"] != "") & ~strange, "on")
    return found.mask(placeholder, "placeholder").mask(template, "template")


def is_planned(state: str) -> bool:
    """Whether VMs of this state are planned for unless somebody asks otherwise."""
    return STATES.get(state.casefold(), "on") not in LEFT_OUT_STATES


def is_running(state: str) -> bool:
    """Whether a VM of this state runs, so that its use says something."""
    return STATES.get(state.casefold()) == "on"


def without_unknown_size(frame: pd.DataFrame, origin: Origin, journal: Journal) -> tuple[pd.DataFrame, Origin]:
    """Without VMs to plan for whose CPUs or memory nobody knows; VMs that are left out anyway stay, with 0."""
    frame = frame.fillna({"vcpus": 0.0, "memory_gib": 0.0})
    unknown = (frame["vcpus"] <= 0) | (frame["memory_gib"] <= 0)
    lost = (unknown & frame["state"].map(is_planned).astype(bool)).to_numpy()
    for position in np.flatnonzero(lost):
        column = "vcpus" if frame["vcpus"].iloc[position] <= 0 else "memory_gib"
        journal.note(
            "dropped",
            f"{origin.heading(column)} unknown in every sheet: cannot be planned for",
            sheet=origin.sheet,
            row=origin.row(position),
            column=origin.heading(column),
            subject=frame["name"].iloc[position],
        )
    return frame[~lost].reset_index(drop=True), replace(origin, rows=origin.rows[~lost])


def real_rows(vms: Part, journal: Journal) -> Part:
    """Without rows that name no VM, and without a second row of the same VM.

    That is one of the same UUID; where there are none, of the same ID in a vCenter, or of the same ID and name.
    """
    sheet, frame = vms.origin.sheet, vms.frame
    nameless = (frame["name"] == "").to_numpy()
    empty = nameless & (frame["vcpus"].fillna(0) == 0).to_numpy() & (frame["memory_gib"].fillna(0) == 0).to_numpy()
    for rows, what in ((empty, "without a VM name, CPUs and memory"), (nameless & ~empty, "without a VM name")):
        if rows.any():
            first = vms.origin.row(int(np.flatnonzero(rows)[0]))
            journal.note(
                "dropped",
                f"{counted(rows.sum(), 'row')} {what}",
                sheet=sheet,
                row=first,
                column=vms.origin.heading("name"),
                count=rows.sum(),
            )
    key = "vm_uuid" if "vm_uuid" in frame and vms.has("vm_uuid") else "vm_id" if vms.has("vm_id") else ""
    if not key:
        return vms.keep(~nameless)
    known = frame[key] != ""
    beside = {"vm_uuid": "", "vm_id": frame["vcenter" if vms.has("vcenter") else "name"] + "/"}[key]
    same = beside + frame[key]
    first_of = same.map(pd.Series(range(len(same)), index=same)[~nameless & known.to_numpy()].groupby(level=0).first())
    again = ~nameless & known.to_numpy() & (first_of != np.arange(len(frame))).to_numpy()
    for position in np.flatnonzero(again):
        first = int(first_of.iloc[position])
        journal.note(
            "dropped",
            f"its {vms.origin.heading(key)} stands in row {vms.origin.row(first)} already, "
            f"for {frame['name'].iloc[first]!r}",
            sheet=sheet,
            row=vms.origin.row(position),
            column=vms.origin.heading(key),
            subject=frame["name"].iloc[position],
        )
    return vms.keep(~nameless & ~again)


def unique_names(vms: Part, journal: Journal) -> list[str]:
    """Names told apart, with a note on each that is: names repeat across vCenters and folders."""
    names = told_apart(vms.frame["name"])
    for position, (unique, name) in enumerate(zip(names, vms.frame["name"], strict=True)):
        if unique != name:
            journal.note(
                "converted",
                f"the name stands twice: read as {unique!r}",
                sheet=vms.origin.sheet,
                row=vms.origin.row(position),
                column=vms.origin.heading("name"),
                subject=unique,
            )
    return names


def told_apart(given: Sequence[str]) -> list[str]:
    """Names, a repeated one as ``name (2)``, or the next number that is free.

    >>> told_apart(["a", "b", "a", "a (2)"])
    ['a', 'b', 'a (3)', 'a (2)']
    """
    known, taken, names = set(given), set(), []
    last: dict[str, int] = {}
    for name in given:
        unique = name
        while unique in taken or (unique != name and unique in known):
            last[name] = last.get(name, 1) + 1
            unique = f"{name} ({last[name]})"
        taken.add(unique)
        names.append(unique)
    return names


def example(journal: Journal, kind: str, message: str, vms: Part, rows: np.ndarray, column: str) -> None:
    """One note that counts VMs and names the first of them."""
    first = int(np.flatnonzero(rows)[0])
    name = vms.frame["name"].iloc[first]
    journal.note(
        kind,
        f"{counted(rows.sum(), 'VM')} {message}; such as {name!r}",
        sheet=vms.origin.sheet,
        row=vms.origin.row(first),
        column=vms.origin.heading(column),
        subject=name,
        count=rows.sum(),
    )
