"""What each VM of an RVTools export is, is given and uses: the sheets agree, fall back on each other, or are noted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.readers.exports import Journal, Part, first_by_owner, note_blanks, sum_by_owner
from planner.readers.machines import example, refuse_unread_sizes
from planner.units import counted

SIZES = ("disks_gib", "provisioned_gib", "in_use_gib")
"""Columns of vInfo that tell storage, the best first."""


def sizes(vms: Part, other: Part | None, owner: np.ndarray, column: str, journal: Journal) -> np.ndarray:
    """CPUs or memory of each VM, from vInfo; where it is blank or 0, from the sheet that tells it too.

    Parameters
    ----------
    vms : Part
    other : Part or None
        vCPU or vMemory.
    owner : array of int
        Position of the VM of each row of `other`, -1 for none.
    column : {"vcpus", "memory_gib"}
    journal : Journal
        Takes one note on VMs that fell back, and one on sheets that disagree.
    """
    given = vms.frame[column].to_numpy()
    if other is None or not other.has(column):
        return given
    told = first_by_owner(other.frame[column], owner, len(given), np.nan)
    filled = ~(given > 0) & (told > 0)
    sheet, heading = other.origin.sheet, vms.origin.heading(column)
    if filled.any():
        example(journal, "guessed", f"without {heading} in vInfo: taken from {sheet}", vms, filled, column)
    differ = (given > 0) & (told > 0) & ~np.isclose(given, told)
    if differ.any():
        first = int(np.flatnonzero(differ)[0])
        unit = " GiB" if column == "memory_gib" else ""
        message = (
            f"with another {heading} in {sheet}: vInfo is used ({given[first]:.4g}{unit}, not {told[first]:.4g}{unit})"
        )
        example(journal, "information", message, vms, differ, column)
    return np.where(filled, told, given)


def use(vms: Part, other: Part | None, owner: np.ndarray, on: np.ndarray, column: str, journal: Journal) -> np.ndarray:
    """What each running VM really uses at the moment of the export; NaN where it is off or nobody measured.

    Parameters
    ----------
    vms, other, owner
        As for `sizes`; memory falls back on vInfo's Active Memory.
    on : array of bool
        Whether the VM runs.
    column : {"cpu_ghz_used", "memory_gib_used"}
    journal : Journal
        Takes one note: a moment is not a peak.
    """
    used, source = np.full(len(vms.frame), np.nan), vms
    if vms.has(column):
        used = vms.frame[column].to_numpy()
    if other is not None and other.has(column):
        told, source = first_by_owner(other.frame[column], owner, len(used), np.nan), other
        used = np.where(np.isnan(told), used, told)
    used = np.where(on, used, np.nan)
    if not np.isnan(used).all():
        message = "a point in time, the moment of the export: neither an average nor a peak"
        heading = source.origin.heading(column)
        journal.note("information", message, sheet=source.origin.sheet, column=heading, subject=column)
    return used


def reservations(vms: Part, memory: Part | None, owner: np.ndarray, journal: Journal) -> np.ndarray:
    """Memory reserved for each VM in GiB, from vMemory; NaN where it does not say. One note counts those with any."""
    if memory is None:
        return np.full(len(vms.frame), np.nan)
    found = first_by_owner(memory.frame["memory_reservation_gib"], owner, len(vms.frame), np.nan)
    reserved = found > 0
    if reserved.any():
        message = f"with reserved memory, {found[reserved].sum():,.6g} GiB in all: kept whole, never overcommitted"
        example(journal, "information", message, vms, reserved, "name")
    return found


def places(vms: Part, column: str, others: list[tuple[Part, np.ndarray]], journal: Journal) -> pd.Series:
    """Cluster or host of each VM, from vInfo; where it is blank, from vCPU or vMemory."""
    found = vms.frame[column]
    for other, owner in others:
        told = pd.Series(first_by_owner(other.frame[column], owner, len(found), ""), index=found.index, dtype=object)
        filled = ((found == "") & (told != "")).to_numpy()
        if filled.any():
            message = f"without {vms.origin.heading(column)} in vInfo: taken from {other.origin.sheet}"
            example(journal, "guessed", message, vms, filled, column)
        found = found.where(~filled, told)
    return found


def storage(vms: Part, disk: Part | None, owner: np.ndarray, journal: Journal) -> np.ndarray:
    """Storage of each VM in GiB: the sum of its disks, else its capacity in all, else what is provisioned or in use.

    One note for each basis counts its VMs. A VM without any of these gets 0, noted as a guess.
    """
    by_basis = {
        "the sum of its disks in vDisk": sum_by_owner(disk, "storage_gib", owner, len(vms.frame)),
        vms.origin.heading("disks_gib"): vms.frame["disks_gib"].to_numpy(),
        vms.origin.heading("provisioned_gib"): vms.frame["provisioned_gib"].to_numpy(),
        vms.origin.heading("in_use_gib"): vms.frame["in_use_gib"].to_numpy(),
    }
    if not (disk is not None and disk.has("storage_gib")) and not any(map(vms.has, SIZES)):
        refuse_unread_sizes(journal, vms.origin.sheet, "vDisk")
    if disk is not None:
        note_blanks(disk, "storage_gib", owner, "disk", journal)
    found = np.full(len(vms.frame), np.nan)
    for basis, values in by_basis.items():
        chosen = np.isnan(found) & ~np.isnan(values)
        found = np.where(chosen, values, found)
        if chosen.any():
            message = f"storage of {counted(chosen.sum(), 'VM')} is {basis}"
            kind = "guessed" if basis == vms.origin.heading("in_use_gib") else "information"
            journal.note(kind, message, sheet=vms.origin.sheet, subject="storage_gib", count=chosen.sum())
    unknown = np.isnan(found)
    if unknown.any():
        example(journal, "guessed", "without storage anywhere in the export: read as 0", vms, unknown, "name")
    return np.where(unknown, 0.0, found)
