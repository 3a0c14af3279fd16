"""Shared storage of an RVTools export: sheet vDatastore, added up by cluster."""

from __future__ import annotations

import numpy as np

from planner.readers.exports import Journal, Part, read_part
from planner.readers.machines import number, text
from planner.readers.sandbox import Sheet
from planner.readers.tables import counted

DATASTORE_COLUMNS = (
    text("name", "Name", "vDatastoreName"),
    text("type", "Type", "vDatastoreType"),
    text("accessible", "Accessible", "vDatastoreAccessible"),
    number("capacity_gib", "Capacity", "vDatastoreCapacity", unit="GiB", bare="MiB"),
    text("hosts", "Hosts", "vDatastoreHosts"),
)


def shared_storage_gib(sheet: Sheet | None, hosts: Part, journal: Journal) -> dict[str, float]:
    """Capacity in GiB by cluster of the datastores that several of its hosts, and no other cluster's, can reach.

    A local datastore has one host. What vSAN shows is raw, so it is not counted; neither is a datastore that is not
    accessible, that clusters share, or whose hosts vHost does not list. One note tells each of these, and what counts.
    No plan needs the sheet unless its policy says so, so a broken cell is noted and never refuses the file.
    """
    aside = Journal(file=journal.file, notes=journal.notes)
    datastores = read_part(sheet, DATASTORE_COLUMNS, aside)
    if datastores is None or not datastores.has("hosts"):
        return {}
    for finding in aside.findings:
        journal.note("ignored", finding, sheet=datastores.origin.sheet)
    frame = datastores.frame
    cluster_of = dict(zip(hosts.frame["name"], hosts.frame["pool"], strict=True))
    reach = [[name.strip() for name in cell.split(",") if name.strip()] for cell in frame["hosts"]]
    clusters = [{cluster_of[name] for name in names if name in cluster_of} for names in reach]
    number = np.array([len(names) for names in reach])
    several = np.array([len(found) for found in clusters])
    lost = (frame["accessible"].str.casefold() == "false").to_numpy()
    raw = frame["type"].str.casefold().str.startswith("vsan").to_numpy()
    size = frame["capacity_gib"].to_numpy()
    left = np.ones(len(frame), dtype=bool)
    for rows, why in (
        (lost, "not accessible"),
        (raw, "of vSAN, whose capacity is raw: storage mode vsan counts the hosts' own disks"),
        (number == 1, "of one host: local, not shared"),
        (several == 0, "of no host in vHost"),
        (several > 1, "that hosts of several clusters reach"),
        (~(size > 0), "without a capacity"),
    ):
        if (rows & left).any():
            _note(datastores, rows & left, f"{why}: not counted as shared storage", "ignored", journal)
        left &= ~rows
    found: dict[str, float] = {}
    for position in np.flatnonzero(left).tolist():
        (cluster,) = clusters[position]
        found[cluster] = found.get(cluster, 0.0) + float(size[position])
    for cluster, gib in found.items():
        mine = left & np.array([cluster in names for names in clusters])
        named = f"cluster {cluster!r}" if cluster else "hosts without a cluster"
        message = f"shared by {named}: {gib:,.6g} GiB, a limit where the policy's storage mode is shared"
        _note(datastores, mine, message, "information", journal)
    return found


def _note(datastores: Part, rows: np.ndarray, message: str, kind: str, journal: Journal) -> None:
    """One note that counts datastores and names the first of them."""
    first = int(np.flatnonzero(rows)[0])
    name = datastores.frame["name"].iloc[first]
    origin = datastores.origin
    journal.note(
        kind,
        f"{counted(int(rows.sum()), 'datastore')} {message}; such as {name!r}",
        sheet=origin.sheet,
        row=origin.row(first),
        column=origin.heading("name"),
        subject=name,
    )
