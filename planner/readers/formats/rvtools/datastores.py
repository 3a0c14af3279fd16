"""Shared storage of an RVTools export: sheet vDatastore, added up by cluster."""

from __future__ import annotations

from planner.readers import pooled
from planner.readers.exports import Journal, Part, read_part
from planner.readers.machines import number, text
from planner.readers.sandbox import Sheet

DATASTORE_COLUMNS = (
    text("name", "Name", "vDatastoreName"),
    text("type", "Type", "vDatastoreType"),
    text("accessible", "Accessible", "vDatastoreAccessible"),
    number("capacity_gib", "Capacity", "vDatastoreCapacity", unit="GiB", bare="MiB"),
    text("hosts", "Hosts", "vDatastoreHosts"),
)


def shared_stores(sheet: Sheet | None, hosts: Part, journal: Journal) -> dict[str, dict[str, float]]:
    """Capacity in GiB by cluster of the datastores that several of its hosts, and no other cluster's, can reach.

    A local datastore has one host. What vSAN shows is raw, so it is not counted; neither is a datastore that is not
    accessible, that clusters share, or whose hosts vHost does not list. One note tells each of these, and what counts.
    No plan needs the sheet unless its policy says so, so a broken cell is noted and never refuses the file.
    """
    aside = Journal(file=journal.file, notes=journal.notes, unread=journal.unread)
    datastores = read_part(sheet, DATASTORE_COLUMNS, aside)
    if datastores is None or not datastores.has("hosts"):
        return {}
    for finding in aside.findings:
        journal.note("ignored", finding, sheet=datastores.origin.sheet)
    frame = datastores.frame
    reach = [[name.strip() for name in cell.split(",") if name.strip()] for cell in frame["hosts"]]
    lost = (frame["accessible"].str.casefold() == "false").to_numpy()
    raw = frame["type"].str.casefold().str.startswith("vsan").to_numpy()
    refused = (
        (lost, "not accessible"),
        (raw, "of vSAN, whose capacity is raw: storage mode vsan counts the hosts' own disks"),
    )
    return pooled.shared_stores(datastores, reach, hosts, journal, refused=refused)
