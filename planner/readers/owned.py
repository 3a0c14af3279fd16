"""Rows of an export as owned hosts: named once, of known size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from planner import naming, schema
from planner.readers.exports import Journal, Part
from planner.schema import Origin
from planner.units import counted


def hosts_of(hosts: Part, journal: Journal) -> tuple[pd.DataFrame, Origin]:
    """The hosts of a sheet whose columns are named as the schema's, with `vendor` joined to the model, and where they
    stand.

    Storage stays blank unless the sheet has it. A host without cores or memory is dropped and noted, like a second row
    of the same host.
    """
    given = hosts.frame
    frame = pd.DataFrame({"name": given["name"]})
    for name in schema.attributes("hosts"):
        if name in given and name not in frame and hosts.has(name):
            frame[name] = given[name]
    if "vendor" in given:
        model = frame.get("model", "")
        frame["model"] = (given["vendor"] + " " + model).str.strip()
    for name, blank in (("cores", np.nan), ("memory_gib", np.nan), ("pool", "")):
        if name not in frame:
            frame[name] = blank
    if "sockets" in frame:
        frame["sockets"] = frame["sockets"].where(frame["sockets"] > 0)
    if "ghz" in frame:
        frame["ghz"] = frame["ghz"].where(frame["ghz"] > 0)
    keep = _keep(frame, hosts.origin, journal)
    if "maintenance" in frame:
        for position in np.flatnonzero(keep & frame["maintenance"].to_numpy(dtype=bool)):
            message = "in maintenance mode: carries nothing in the plan, unless maintenance is included"
            host_note(journal, "information", message, hosts.origin, position, "maintenance", frame)
    if keep.any() and "storage_gib" not in frame:
        message = "the export tells no disks of hosts: storage is not limited on them"
        journal.note("information", message, sheet=hosts.origin.sheet, subject="storage_gib")
    origin = replace(hosts.origin, rows=hosts.origin.rows[keep])
    return frame[keep].reset_index(drop=True), origin


def note_unknown_hosts(workloads: pd.DataFrame, origin: Origin, hosts: Part, journal: Journal) -> None:
    """One note on VMs whose host does not stand among the hosts, in no spelling; the value is kept."""
    if "host" not in workloads:
        return
    meant, _ = naming.meant(workloads["host"].unique(), hosts.frame["name"])
    unknown = ((workloads["host"] != "") & ~workloads["host"].isin({*hosts.frame["name"], *meant})).to_numpy()
    if unknown.any():
        first = int(np.flatnonzero(unknown)[0])
        example = workloads["host"].iloc[first]
        listed = f"{hosts.origin.sheet} does not list" if hosts.origin.sheet else "is not listed"
        journal.note(
            "information",
            f"{counted(unknown.sum(), 'VM')} on a host that {listed}, such as {example!r}",
            sheet=origin.sheet,
            row=origin.row(first),
            column=origin.heading("host"),
            subject=workloads["name"].iloc[first],
            count=unknown.sum(),
        )


def host_note(
    journal: Journal, kind: str, message: str, origin: Origin, position: int, column: str, frame: pd.DataFrame
) -> None:
    """A note on one host."""
    journal.note(
        kind,
        message,
        sheet=origin.sheet,
        row=origin.row(position),
        column=origin.heading(column),
        subject=frame["name"].iloc[position],
    )


def _keep(frame: pd.DataFrame, origin: Origin, journal: Journal) -> np.ndarray:
    nameless = (frame["name"] == "").to_numpy()
    again = frame["name"].duplicated().to_numpy() & ~nameless
    unknown = ~((frame["cores"] > 0) & (frame["memory_gib"] > 0)).to_numpy() & ~nameless & ~again
    for rows, message, column in (
        (nameless, "a row without a host name", "name"),
        (again, "the host stands in a row above already", "name"),
        (unknown, "cores or memory unknown: cannot be planned on", "cores"),
    ):
        for position in np.flatnonzero(rows):
            host_note(journal, "dropped", message, origin, position, column, frame)
    return ~(nameless | again | unknown)
