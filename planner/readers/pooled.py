"""Storage that hosts share: datastores and LUNs added up by cluster, each once however many hosts list it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planner.readers.exports import Journal, Part
from planner.units import counted


def shared_stores(
    stores: Part,
    reach: Sequence[Sequence[str]],
    hosts: Part,
    journal: Journal,
    *,
    refused: Sequence[tuple[np.ndarray, str]] = (),
    label: str = "datastore",
) -> dict[str, dict[str, float]]:
    """Capacity in GiB, by cluster and name, of what several of its hosts, and no other cluster's, can reach.

    Parameters
    ----------
    stores : Part
        One row for each store, with columns `name` and `capacity_gib`.
    reach : sequence of sequence of str
        Names of the hosts that see each store.
    hosts : Part
        With columns `name` and `pool`.
    journal : Journal
        Takes one note for each reason for which stores do not count, and one for each cluster.
    refused : sequence of (array of bool, str)
        Further stores that do not count, and why.
    label : str
        What a store is called.
    """
    pools = hosts.frame["pool"] if "pool" in hosts.frame else [""] * len(hosts.frame)
    cluster_of = dict(zip(hosts.frame["name"], pools, strict=True))
    clusters = [{cluster_of[name] for name in names if name in cluster_of} for names in reach]
    number = np.array([len(names) for names in reach], dtype=int)
    several = np.array([len(found) for found in clusters], dtype=int)
    size = stores.frame["capacity_gib"].to_numpy()
    left = np.ones(len(stores.frame), dtype=bool)
    for rows, why in (
        *refused,
        (number == 1, "of one host: local, not shared"),
        (several == 0, f"of no host in {hosts.origin.sheet or 'the list'}"),
        (several > 1, "that hosts of several clusters reach"),
        (~(size > 0), "without a capacity"),
    ):
        if (rows & left).any():
            _note(stores, rows & left, f"{why}: not counted as shared storage", "ignored", label, journal)
        left &= ~rows
    found: dict[str, dict[str, float]] = {}
    for position in np.flatnonzero(left).tolist():
        (cluster,) = clusters[position]
        own = found.setdefault(cluster, {})
        name, again = stores.frame["name"].iloc[position], 2
        key = name
        while key in own:
            key, again = f"{name} ({again})", again + 1
        own[key] = float(size[position])
    for cluster, own in found.items():
        mine = left & np.array([cluster in names for names in clusters])
        named = f"cluster {cluster!r}" if cluster else "hosts without a cluster"
        message = f"shared by {named}: {sum(own.values()):,.6g} GiB, a limit where the policy's storage mode is shared"
        _note(stores, mine, message, "information", label, journal)
    return found


def _note(stores: Part, rows: np.ndarray, message: str, kind: str, label: str, journal: Journal) -> None:
    """One note that counts stores and names the first of them."""
    first = int(np.flatnonzero(rows)[0])
    name = stores.frame["name"].iloc[first]
    origin = stores.origin
    journal.note(
        kind,
        f"{counted(int(rows.sum()), label)} {message}; such as {name!r}",
        sheet=origin.sheet,
        row=origin.row(first),
        column=origin.heading("name"),
        subject=name,
        count=rows.sum(),
    )
