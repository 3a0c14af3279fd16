"""Hosts of an RVTools export: sheet vHost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from planner.readers.columns import Column
from planner.readers.exports import Journal, Part
from planner.readers.tables import counted
from planner.schema import Origin
from planner.units import GIB_PER_UNIT

HOST_COLUMNS = (
    Column(name="name", label="Host", aliases=("Name",), required=True),
    Column(name="pool", label="Cluster"),
    Column(name="vendor", label="Vendor"),
    Column(name="model", label="Model"),
    Column(name="maintenance", label="in Maintenance Mode", type="flag"),
    Column(name="sockets", label="# CPU", type="number"),
    Column(name="per_socket", label="Cores per CPU", aliases=("Cores per Socket",), type="number"),
    Column(name="cores", label="# Cores", type="number"),
    Column(name="ghz", label="Speed", type="number", unit="GHz", bare_unit="MHz"),
    Column(name="hyper_threading", label="HT Active", aliases=("Hyperthreading Active",), type="flag"),
    Column(name="memory_gib", label="# Memory", aliases=("Memory",), type="number", unit="GiB", bare_unit="MiB"),
)
MOST_MEMORY_GIB = 16 * 1024
"""More memory than this in one host means that the column holds bytes: some exports write them without saying so."""


def read_hosts(hosts: Part, journal: Journal) -> tuple[pd.DataFrame, Origin]:
    """The hosts that can be planned on, and where they stand.

    Cores are ``# CPU`` x ``Cores per CPU``, else ``# Cores``; never threads. Storage stays blank: RVTools does not know
    it. A host without cores or memory is dropped and noted, like a second row of the same host.
    """
    cores = _cores(hosts, journal)
    memory = _memory(hosts, journal)
    given = hosts.frame
    frame = pd.DataFrame(
        {
            "name": given["name"],
            "model": (given["vendor"] + " " + given["model"]).str.strip(),
            "cores": cores,
            "memory_gib": memory,
            "sockets": given["sockets"].where(given["sockets"] > 0),
            "ghz": given["ghz"],
            "hyper_threading": given["hyper_threading"],
            "pool": given["pool"],
            "maintenance": given["maintenance"],
        }
    )
    keep = _keep(frame, hosts.origin, journal)
    for position in np.flatnonzero(keep & given["maintenance"].to_numpy()):
        message = "in maintenance mode: carries nothing in the plan, unless maintenance is included"
        _host_note(journal, "information", message, hosts.origin, position, "maintenance", frame)
    if keep.any():
        message = "RVTools knows no disk per host: storage is not limited on these hosts"
        journal.note("information", message, sheet=hosts.origin.sheet, subject="storage_gib")
    origin = replace(hosts.origin, rows=hosts.origin.rows[keep])
    return frame[keep].reset_index(drop=True), origin


def note_unknown_hosts(workloads: pd.DataFrame, origin: Origin, hosts: Part, journal: Journal) -> None:
    """One note on VMs whose host does not stand in vHost; the value is kept."""
    unknown = ((workloads["host"] != "") & ~workloads["host"].isin(set(hosts.frame["name"]))).to_numpy()
    if unknown.any():
        first = int(np.flatnonzero(unknown)[0])
        example = workloads["host"].iloc[first]
        journal.note(
            "information",
            f"{counted(unknown.sum(), 'VM')} on a host that vHost does not list, such as {example!r}",
            sheet=origin.sheet,
            row=origin.row(first),
            column=origin.heading("host"),
            subject=workloads["name"].iloc[first],
        )


def _cores(hosts: Part, journal: Journal) -> pd.Series:
    frame = hosts.frame
    product = frame["sockets"] * frame["per_socket"]
    differ = ((product > 0) & (frame["cores"] > 0) & (product != frame["cores"])).to_numpy()
    for position in np.flatnonzero(differ):
        message = (
            f"{frame['cores'].iloc[position]:g} for # CPU x Cores per CPU = {product.iloc[position]:g}, which is used"
        )
        _host_note(journal, "information", message, hosts.origin, position, "cores", frame)
    return product.where(product > 0, frame["cores"])


def _memory(hosts: Part, journal: Journal) -> pd.Series:
    memory = hosts.frame["memory_gib"]
    in_bytes = memory > MOST_MEMORY_GIB
    for position in np.flatnonzero(in_bytes):
        message = f"{memory.iloc[position]:,.0f} GiB is no host's memory: read as bytes"
        _host_note(journal, "guessed", message, hosts.origin, position, "memory_gib", hosts.frame)
    return memory.where(~in_bytes, memory / GIB_PER_UNIT["mib"] * GIB_PER_UNIT["b"])


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
            _host_note(journal, "dropped", message, origin, position, column, frame)
    return ~(nameless | again | unknown)


def _host_note(
    journal: Journal, kind: str, message: str, origin: Origin, position: int, column: str, frame: pd.DataFrame
) -> None:
    journal.note(
        kind,
        message,
        sheet=origin.sheet,
        row=origin.row(position),
        column=origin.heading(column),
        subject=frame["name"].iloc[position],
    )
