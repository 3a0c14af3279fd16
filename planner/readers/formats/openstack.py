"""OpenStack client lists: servers with a table of flavours, and hypervisors; CSV or JSON."""

from __future__ import annotations

from planner.errors import InputError, nearest
from planner.readers.columns import fold
from planner.readers.exports import Journal, Part, only_headings, read_part, require
from planner.readers.machines import number, text, workloads_of
from planner.readers.owned import host_note, hosts_of, note_unknown_hosts
from planner.readers.sandbox import Workbook
from planner.readers.tables import Tables

FORMAT = "OpenStack"
SHEETS = ()
SERVERS, FLAVOURS, HYPERVISORS = "server list", "flavor list", "hypervisor list"

SERVER_COLUMNS = (
    text("vm_uuid", "ID", required=True),
    text("name", "Name", required=True),
    text("state", "Status"),
    text("os", "Image Name", "Image"),
    text("flavour", "Flavor Name", "Flavor", "Flavor.original_name"),
    text("flavour_id", "Flavor ID"),
    text("pool", "Availability Zone"),
    text("host", "Host"),
    number("vcpus", "Flavor.vcpus"),
    number("memory_gib", "Flavor.ram", unit="GiB", bare="MiB"),
    number("disk_gib", "Flavor.disk", unit="GiB", bare="GiB"),
    number("ephemeral_gib", "Flavor.ephemeral", unit="GiB", bare="GiB"),
)
FLAVOUR_COLUMNS = (
    text("flavour_id", "ID"),
    text("name", "Name", required=True),
    number("memory_gib", "RAM", unit="GiB", bare="MiB", required=True),
    number("disk_gib", "Disk", unit="GiB", bare="GiB", required=True),
    number("ephemeral_gib", "Ephemeral", unit="GiB", bare="GiB"),
    number("vcpus", "VCPUs", required=True),
)
HYPERVISOR_COLUMNS = (
    text("name", "Hypervisor Hostname", required=True),
    text("state", "State"),
    number("cores", "vCPUs", required=True),
    number("memory_gib", "Memory", unit="GiB", bare="MiB", required=True),
)
TABS = {
    SERVERS: {"id", "name", "status"},
    FLAVOURS: {"name", "ram", "vcpus"},
    HYPERVISORS: {"hypervisorhostname", "vcpus"},
}
"""Folded headings that each list has; servers have a flavour too."""

STATES = {
    "shelved": "off", "shelved_offloaded": "off", "deleted": "off", "soft_deleted": "off", "stopped": "off",
    "build": "on", "reboot": "on", "hard_reboot": "on", "resize": "on", "verify_resize": "on", "migrating": "on",
    "rebuild": "on", "rescue": "on", "password": "on", "revert_resize": "on",
}  # fmt: skip
"""States of a server beside those that the schema knows."""


def tab_of(workbook: Workbook) -> tuple[str, str] | None:
    """Which list a file is, by its headings."""
    headings = {fold(text) for text in only_headings(workbook, SERVER_COLUMNS)}
    tab = next((tab for tab, needed in TABS.items() if needed <= headings), None)
    if tab == SERVERS and not any(text.startswith("flavor") for text in headings):
        return None
    return ("", tab) if tab else None


def recognises(workbook: Workbook) -> bool:
    """Whether there is a list of servers."""
    return workbook.find(SERVERS) is not None


def parse(workbook: Workbook) -> Tables:
    """The servers, as large as their flavours, and the hypervisors.

    Raises
    ------
    InputError
        No table of flavours, a flavour that it does not have, a missing column, or cells that are no numbers.
    """
    journal = Journal(file=workbook.file)
    servers = require(read_part(workbook.find(SERVERS), SERVER_COLUMNS, journal), workbook.file, SERVERS)
    flavours = read_part(workbook.find(FLAVOURS), FLAVOUR_COLUMNS, journal)
    hypervisors = read_part(workbook.find(HYPERVISORS), HYPERVISOR_COLUMNS, journal)
    journal.close()
    servers = servers.plus("state", servers.frame["state"].map(lambda state: STATES.get(state.casefold(), state)))
    if not servers.has("vcpus"):
        servers = _with_flavours(servers, flavours, workbook.file)
    disks = servers.frame["disk_gib"] + servers.frame["ephemeral_gib"].fillna(0.0)
    servers = servers.plus("storage_gib", disks, like="disk_gib")
    message = "storage is the flavour's disks; volumes stand in a list of their own"
    journal.note("information", message, sheet=SERVERS, subject="storage_gib")
    tables = journal.tables(FORMAT)
    tables.put("workloads", *workloads_of(servers, journal))
    if hypervisors is not None:
        note_unknown_hosts(tables.frames["workloads"], tables.origins["workloads"], hypervisors, journal)
        tables.put("hosts", *hosts_of(_with_zones(hypervisors, servers), journal))
        if len(hypervisors.frame):
            message = "vCPUs of a hypervisor are its threads: with hyper-threading it has half as many cores"
            host_note(journal, "guessed", message, hypervisors.origin, 0, "cores", hypervisors.frame)
    return tables


def _with_flavours(servers: Part, flavours: Part | None, file: str) -> Part:
    if flavours is None:
        raise InputError(
            f"{file}: found a list of servers without sizes, expected the flavours too: "
            "openstack flavor list --all -f csv, read together with it"
        )
    table = flavours.frame
    row_of = {name: row for row, name in enumerate(table["name"])} | {
        key: row for row, key in enumerate(table["flavour_id"]) if key
    }
    names = servers.frame["flavour_id"].where(servers.frame["flavour_id"].isin(row_of.keys()), servers.frame["flavour"])
    for position, name in enumerate(names):
        if name not in row_of:
            close = nearest(name, table["name"])
            hint = f"the nearest is {close!r}" if close else f"found {', '.join(table['name'][:8])}"
            raise InputError(
                f"{servers.origin.where(position, 'flavour')}: found flavour {name!r}, which {flavours.origin.sheet} "
                f"does not have; {hint}"
            )
    rows = [row_of[name] for name in names]
    for column in ("vcpus", "memory_gib", "disk_gib", "ephemeral_gib"):
        servers = servers.plus(column, table[column].to_numpy()[rows], like="flavour")
    return servers


def _with_zones(hypervisors: Part, servers: Part) -> Part:
    """The availability zone of a hypervisor is that of the servers on it, where they agree."""
    placed = servers.frame[(servers.frame["host"] != "") & (servers.frame["pool"] != "")]
    zones = placed.groupby("host")["pool"].agg(lambda found: found.iloc[0] if found.nunique() == 1 else "")
    return hypervisors.plus("pool", hypervisors.frame["name"].map(zones).fillna(""), like="name")
