"""vSAN in RVTools: what VMs have provisioned and in use there counts every copy, so it is divided by the copies."""

from __future__ import annotations

import re

import numpy as np

from planner.catalogue import table
from planner.readers.exports import Journal, Part, read_part, sum_by_owner
from planner.readers.machines import example, text
from planner.readers.sandbox import Workbook

TYPE_COLUMNS = (text("name", "Name", "vDatastoreName"), text("type", "Type", "vDatastoreType"))
USUAL_RAID = "raid-1"
INFLATED = ("provisioned_gib", "in_use_gib")
_DATASTORE = re.compile(r"\[([^\[\]]+)\]")


def deflated(vms: Part, disks: tuple[Part | None, np.ndarray], workbook: Workbook, journal: Journal) -> Part:
    """The VMs with what is provisioned and in use on vSAN as it would be without copies.

    RVTools shows what a VM takes on its datastore; on vSAN that is 1.3 to 4 times its disks, by the RAID level of its
    storage policy, which no sheet tells. The factor is the catalogue's nearest to what VMs show whose disks are known
    too, else that of RAID-1 with one failure to tolerate.

    Parameters
    ----------
    vms : Part
        With columns `path`, `memory_gib` and those of `INFLATED`.
    disks : tuple of Part or None, array of int
        vDisk, and the VM of each of its rows.
    workbook : Workbook
    journal : Journal
        Takes a note on how many VMs were divided by what; only VMs without disks of their own take these figures.
    """
    on_vsan = _on_vsan(vms, workbook, journal)
    shown = vms.frame["provisioned_gib"].to_numpy()
    given = sum_by_owner(*disks[:1], "storage_gib", disks[1], len(shown))
    given = np.where(np.isnan(given), vms.frame["disks_gib"].to_numpy(), given)
    needed = on_vsan & np.isnan(given)
    if not needed.any() or not any(map(vms.has, INFLATED)):
        return vms
    # What is provisioned holds the swap file too, as large as the memory.
    ratios = (shown - vms.frame["memory_gib"].to_numpy())[on_vsan] / given[on_vsan]
    known = ratios[np.isfinite(ratios) & (ratios > 0)]
    factors = table("vsan")["raw_gib_per_usable_gib"].astype(float).to_numpy()
    usual = float(table("vsan").set_index("raid").loc[USUAL_RAID, "raw_gib_per_usable_gib"].iloc[0])
    factor = float(factors[np.abs(factors - np.median(known)).argmin()]) if len(known) else usual
    why = f"as {len(known):,} VMs with known disks show" if len(known) else "for RAID-1 with one failure to tolerate"
    message = f"on vSAN, where what is provisioned or in use counts every copy: divided by {factor:.3g}, {why}"
    example(journal, "guessed", message, vms, needed, "provisioned_gib" if vms.has("provisioned_gib") else "in_use_gib")
    for column in filter(vms.has, INFLATED):
        own = vms.frame[column]
        vms = vms.plus(column, own.where(~needed, own / factor))
    return vms


def _on_vsan(vms: Part, workbook: Workbook, journal: Journal) -> np.ndarray:
    """Which VMs lie on a datastore of type vsan, or called so where no sheet tells types."""
    aside = Journal(file=journal.file, unread=journal.unread)
    stores = read_part(workbook.find("vDatastore"), TYPE_COLUMNS, aside)
    names = [found[1].casefold() if (found := _DATASTORE.match(path)) else "" for path in vms.frame["path"]]
    if stores is None or not stores.has("type"):
        return np.array(["vsan" in name for name in names], dtype=bool)
    is_vsan = stores.frame["type"].str.casefold().str.startswith("vsan")
    own = set(stores.frame.loc[is_vsan, "name"].str.casefold())
    return np.array([name in own for name in names], dtype=bool)
