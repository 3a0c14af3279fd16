"""Azure Migrate import files: the CSV template, one row for each server."""

from __future__ import annotations

import numpy as np

from planner.readers.columns import fold, match_columns
from planner.readers.exports import Journal, Part, only_headings, read_part, require
from planner.readers.machines import example, number, text, use_columns, workloads_of
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables
from planner.units import counted

FORMAT = "Azure Migrate"
SHEETS = ()
MOST_DISKS = 64


def _disk(n: int) -> tuple:
    return (
        number(f"disk{n}_gib", f"Disk {n} size", unit="GiB", bare="GB"),
        number(f"disk{n}_reads", f"Disk {n} read ops (operations per second)", f"Disk {n} read ops"),
        number(f"disk{n}_writes", f"Disk {n} write ops (operations per second)", f"Disk {n} write ops"),
    )


COLUMNS = (
    text("name", "Server name", required=True),
    number("vcpus", "Cores", "Number of cores", required=True),
    number("memory_gib", "Memory", unit="GiB", bare="MB", required=True),
    text("os", "OS name"),
    *use_columns(cpu_share_used="CPU utilization percentage", memory_share_used="Memory utilization percentage"),
    number("received", "Network In throughput", unit="Gbps", bare="MB/s"),
    number("sent", "Network Out throughput", unit="Gbps", bare="MB/s"),
    number("disk_count", "Number of disks"),
    number("allocated_gib", "Storage allocated", unit="GiB", bare="GB"),
    number("storage_gib_used", "Storage in use", unit="GiB", bare="GB"),
    *(column for n in range(1, MOST_DISKS + 1) for column in _disk(n)),
)


def recognises(workbook: Workbook) -> bool:
    """Whether it is one table with a server's name, cores and memory, by an asterisk or a disk 1."""
    headings = only_headings(workbook, COLUMNS)
    found = match_columns(headings, COLUMNS)
    marked = any(text.startswith("*") for text in headings) or any(fold(text) == "osarchitecture" for text in headings)
    return {"name", "vcpus", "memory_gib"} <= found.keys() and (marked or "disk1_gib" in found)


def parse(workbook: Workbook) -> Tables:
    """The servers; storage is the sum of their disks, else what is allocated, else what is in use.

    Raises
    ------
    InputError
        A missing column, or cells that are no numbers.
    """
    journal = Journal(file=workbook.file)
    servers = read_part(workbook.only, COLUMNS, journal)
    journal.close()
    servers = _last_of_each(require(servers, workbook.file, ""), journal)
    servers = _with_storage(servers, journal)
    frame = servers.frame
    operations = [f"disk{n}_{way}" for n in range(1, MOST_DISKS + 1) for way in ("reads", "writes")]
    told = [name for name in operations if servers.has(name)]
    if told:
        servers = servers.plus("iops", frame[told].sum(axis=1, min_count=1), like=told[0])
    if servers.has("received") or servers.has("sent"):
        both = frame[["received", "sent"]].sum(axis=1, min_count=1)
        servers = servers.plus("network_gbps", both, like="received")
    tables = journal.tables(FORMAT)
    tables.put("workloads", *workloads_of(servers, journal))
    return tables


def _last_of_each(servers: Part, journal: Journal) -> Part:
    """Without rows that a later one of the same server updates, as the tool has it."""
    name = servers.frame["name"]
    updated = (name.duplicated(keep="last") & (name != "")).to_numpy()
    for position in np.flatnonzero(updated):
        journal.note(
            "dropped",
            "a later row updates this server",
            row=servers.origin.row(position),
            column=servers.origin.heading("name"),
            subject=name.iloc[position],
        )
    return servers.keep(~updated)


def _note_untold_disks(servers: Part, disks: list[str], journal: Journal) -> None:
    """Notes on servers with fewer or more sizes of disks than disks, by their number or by a later one with a size."""
    if not disks:
        return
    count = servers.frame["disk_count"].to_numpy()
    filled = servers.frame[disks].notna().to_numpy()
    last = (filled * [int(name.removeprefix("disk").removesuffix("_gib")) for name in disks]).max(axis=1)
    told = filled.sum(axis=1)
    there = np.fmax(last, count)
    for kind, rows, disks_there, message in (
        (
            "guessed",
            (told > 0) & (told < there),
            there,
            "with disks that have no size, counted as 0: storage may be missing",
        ),
        ("suspicious", told > count, count, "with more sizes of disks than disks, all of them counted"),
    ):
        if rows.any():
            first = int(np.flatnonzero(rows)[0])
            figures = f"{counted(int(told[first]), 'size')}, {counted(int(disks_there[first]), 'disk')}"
            column = "disk_count" if servers.has("disk_count") else "name"
            example(journal, kind, f"{message} ({figures})", servers, rows, column)


def _with_storage(servers: Part, journal: Journal) -> Part:
    disks = [f"disk{n}_gib" for n in range(1, MOST_DISKS + 1) if servers.has(f"disk{n}_gib")]
    _note_untold_disks(servers, disks, journal)
    found = np.full(len(servers.frame), np.nan)
    like = ""
    bases = [
        ("the sum of its disks", disks[0] if disks else "", servers.frame[disks].sum(axis=1, min_count=1)),
        ("what is allocated", "allocated_gib", servers.frame["allocated_gib"]),
        ("what is in use: no disk sizes are told", "storage_gib_used", servers.frame["storage_gib_used"]),
    ]
    for position, (basis, column, values) in enumerate(bases):
        chosen = np.isnan(found) & ~np.isnan(values.to_numpy(dtype=float)) & servers.has(column)
        found = np.where(chosen, values, found)
        if chosen.any():
            like = like or column
            message = f"storage of {counted(chosen.sum(), 'server')} is {basis}"
            journal.note("information" if position < 2 else "guessed", message, subject="storage_gib")
    return servers.plus("storage_gib", found, like=like) if like else servers
