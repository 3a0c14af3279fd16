"""Proxmox VE: ``/cluster/resources`` as JSON; VMs and containers, nodes and storage, sizes in bytes."""

from __future__ import annotations

import numpy as np

from planner.readers.columns import fold
from planner.readers.exports import Journal, Part, only_headings, read_part, require
from planner.readers.machines import flag, number, text, workloads_of
from planner.readers.owned import host_note, hosts_of, note_unknown_hosts
from planner.readers.pooled import shared_stores
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables
from planner.units import counted

FORMAT = "Proxmox VE"
SHEETS = ()
GUESTS = ("qemu", "lxc")
BESIDE = ("node", "storage", "pool", "sdn", "network")
"""Types of resources that are no guest."""

COLUMNS = (
    text("type", "type", required=True),
    text("vm_id", "id"),
    text("guest_name", "name"),
    text("host", "node"),
    text("state", "status"),
    text("storage", "storage"),
    flag("template", "template"),
    flag("shared", "shared"),
    text("tags", "tags"),
    number("vcpus", "maxcpu", required=True),
    number("memory_gib", "maxmem", unit="GiB", bare="bytes", required=True),
    number("memory_gib_used", "mem", unit="GiB", bare="bytes"),
    number("storage_gib", "maxdisk", unit="GiB", bare="bytes"),
    number("cpu_share_used", "cpu", unit="share", bare="share"),
)


def _away(nodes: Part, journal: Journal) -> np.ndarray:
    """Which nodes are not online, with a note on each: they carry nothing, like a host in maintenance."""
    states = nodes.frame["state"]
    away = ~states.str.casefold().isin(("online", "")).to_numpy()
    for position in np.flatnonzero(away):
        message = f"the node is {states.iloc[position]}: read as in maintenance"
        host_note(journal, "guessed", message, nodes.origin, position, "state", nodes.frame)
    return away


def recognises(workbook: Workbook) -> bool:
    """Whether it is a list of resources with type, node, maxcpu and maxmem."""
    headings = {fold(text) for text in only_headings(workbook, COLUMNS)}
    return {"type", "node", "maxcpu", "maxmem"} <= headings


def parse(workbook: Workbook) -> Tables:
    """The guests, the nodes as hosts, and what storage they share.

    Raises
    ------
    InputError
        A missing field, or one that is no number.
    """
    journal = Journal(file=workbook.file)
    every = require(read_part(workbook.only, COLUMNS, journal), workbook.file, "")
    journal.close()
    kind = every.frame["type"]
    others = ~kind.isin((*GUESTS, *BESIDE)).to_numpy()
    if others.any():
        first = int(others.argmax())
        names = ", ".join(map(repr, sorted(set(kind[others]))))
        message = f"{counted(int(others.sum()), 'resource')} of type {names}, expected one of {', '.join(GUESTS)}"
        where = {"row": every.origin.row(first), "column": every.origin.heading("type")}
        journal.note("ignored", message, **where, subject=every.frame["vm_id"].iloc[first], count=others.sum())
    guests = every.keep(kind.isin(GUESTS).to_numpy())
    names = guests.frame["guest_name"].where(guests.frame["guest_name"] != "", guests.frame["vm_id"])
    guests = guests.plus("name", names, like="guest_name")
    guests = guests.plus("tags", guests.frame["tags"].str.replace(";", ", "))
    tables = journal.tables(FORMAT)
    tables.put("workloads", *workloads_of(guests, journal))
    nodes = every.keep((kind == "node").to_numpy())
    nodes = nodes.plus("name", nodes.frame["host"], like="host").plus("cores", nodes.frame["vcpus"], like="vcpus")
    if not len(nodes.frame):
        return tables
    nodes = nodes.without("storage_gib").plus("maintenance", _away(nodes, journal), like="state")
    note_unknown_hosts(tables.frames["workloads"], tables.origins["workloads"], nodes, journal)
    tables.put("hosts", *hosts_of(nodes, journal))
    message = "maxcpu of a node is its threads: with hyper-threading it has half as many cores"
    host_note(journal, "guessed", message, nodes.origin, 0, "cores", nodes.frame)
    stores = every.keep((kind == "storage").to_numpy())
    if len(stores.frame):
        stores = stores.plus("name", stores.frame["storage"], like="storage")
        seen_by = stores.frame.groupby("name", sort=False)["host"].unique()
        alone = ~stores.frame["shared"]
        stores = stores.plus("capacity_gib", stores.frame["storage_gib"], like="storage_gib")
        stores = stores.keep((~stores.frame["name"].duplicated() | alone).to_numpy())
        local = (~stores.frame["shared"]).to_numpy()
        reach = [list(seen_by[name]) for name in stores.frame["name"]]
        tables.shared_stores.update(
            shared_stores(stores, reach, nodes, journal, refused=[(local, "of one node")], label="storage")
        )
    return tables
