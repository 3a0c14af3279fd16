"""Disks of an RVTools export that say where VMs run: those that VMs share, and raw ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from planner.proposals import Proposal, slug
from planner.readers.columns import Column
from planner.readers.exports import Part
from planner.readers.formats.rvtools.estate import Estate, listed
from planner.rules import KeepApart, KeepTogether, Pin
from planner.units import counted

DISK_COLUMNS = (
    Column(name="raw", label="Raw", type="flag"),
    Column(name="compatibility", label="Raw Comp. Mode", aliases=("Raw Comp Mode", "Raw Compatibility Mode")),
    Column(name="lun", label="Raw LUN ID"),
    Column(name="bus", label="Shared Bus"),
    Column(name="sharing", label="Sharing mode"),
)
_GLOBAL_IDS = ("naa.", "eui.", "t10.", "vml.")
"""Beginnings of a LUN's identifier that no other LUN has; a bare number may stand for many."""

MULTI_WRITER = "VMs that write one disk may share a host; apart they survive the loss of one"
LUN_UNTOLD = "the export does not say which hosts see the LUN; switched on, its VMs stay on today's hosts"


def disks(estate: Estate) -> list[Proposal]:
    """Proposals on shared disks, by their bus and their sharing mode, and on raw disks in physical mode."""
    part, owner = estate.detail("vDisk")
    if part is None:
        return []
    return [*_shared(estate, part, owner.tolist()), *_raw(estate, part, owner.tolist())]


def _shared(estate: Estate, part: Part, owner: list[int]) -> list[Proposal]:
    """For VMs of a pool that share a disk: together by a virtual bus, apart by a physical one or by multi-writer."""
    frame, vcenters = part.frame, estate.vms.frame["vcenter"].tolist()
    rows_of: dict[tuple, list[int]] = defaultdict(list)
    cells = zip(owner, *(frame[name].tolist() for name in ("path", "lun", "bus", "sharing")), strict=True)
    for row, (vm, path, lun, bus, sharing) in enumerate(cells):
        mode = _mode(bus, sharing)
        if mode and vm >= 0 and estate.kept[vm]:
            scope = mode, vcenters[vm], estate.pools[vm]
            if path:
                rows_of[*scope, path.casefold()].append(row)
            if lun.casefold().startswith(_GLOBAL_IDS):
                rows_of[*scope, lun.casefold()].append(row)
    by_members: dict[tuple, list[int]] = {}
    for (mode, *_), rows in rows_of.items():
        members = tuple(sorted({owner[row] for row in rows}))
        if len(members) > 1:
            by_members.setdefault((mode, members), []).extend(rows)
    return [_shares(estate, part, mode, members, min(rows)) for (mode, members), rows in by_members.items()]


def _mode(bus: str, sharing: str) -> str:
    """How a disk is shared.

    >>> _mode("physicalSharing", "sharingNone"), _mode("noSharing", "sharingMultiWriter"), _mode("noSharing", "")
    ('physical', 'multi-writer', '')
    """
    folded = bus.casefold()
    if folded.startswith("virtual"):
        return "virtual"
    if folded.startswith("physical"):
        return "physical"
    return "multi-writer" if "multi" in sharing.casefold() else ""


def _shares(estate: Estate, part: Part, mode: str, vms: tuple[int, ...], row: int) -> Proposal:
    members = tuple(estate.names[vm] for vm in vms)
    together = mode == "virtual"
    how = "must share a host" if together else "run on different hosts"
    bus = "multi-writer mode" if mode == "multi-writer" else f"a {mode} bus"
    column = "sharing" if mode == "multi-writer" else "bus"
    off = mode == "multi-writer"
    return Proposal(
        key=f"shared-disk/{slug(members[0])}",
        kind="shared disk",
        title=f"{listed(list(members))} share a disk by {bus}: they {how}",
        members=members,
        rules=(KeepTogether(members) if together else KeepApart(members),),
        on=not off,
        why=MULTI_WRITER if off else "",
        **_source(estate, part, row, column),
    )


def _raw(estate: Estate, part: Part, owner: list[int]) -> list[Proposal]:
    """For the VMs of each pool with raw disks in physical mode: that they stay on today's hosts."""
    frame = part.frame
    physical = frame["compatibility"].str.casefold().str.startswith("physical").to_numpy() & frame["raw"].to_numpy()
    mapped = {vm for vm, raw, hard in zip(owner, frame["raw"], physical, strict=True) if raw and not hard and vm >= 0}
    if planned := [vm for vm in sorted(mapped) if estate.planned[vm]]:
        message = f"{counted(len(planned), 'VM')} with raw disks that are not in physical mode: forbids nothing"
        estate.note("information", f"{message}; such as {estate.names[planned[0]]!r}", part.origin, "raw")
    first: dict[str, dict[int, int]] = defaultdict(dict)
    for row, (vm, hard) in enumerate(zip(owner, physical, strict=True)):
        if hard and vm >= 0 and estate.kept[vm]:
            first[estate.pools[vm]].setdefault(vm, row)
    found = [_pinned(estate, part, pool, rows) for pool, rows in first.items()]
    return [proposal for proposal in found if proposal is not None]


def _pinned(estate: Estate, part: Part, pool: str, rows: dict[int, int]) -> Proposal | None:
    on_host: dict[int, list[str]] = defaultdict(list)
    for vm in rows:
        on_host[estate.today[vm]].append(estate.names[vm])
    pins = [Pin(names, estate.hosts_in(bit)) for bit, names in on_host.items() if bit]
    if not pins:
        return None
    members = tuple(_each(on_host[bit] for bit in on_host if bit))
    return Proposal(
        key=f"raw-disk/{slug(pool)}" if pool else "raw-disk",
        kind="raw disk",
        title=f"VMs{f' of {pool}' if pool else ''} with raw disks in physical mode stay on today's hosts",
        members=members,
        rules=tuple(pins),
        on=False,
        why=LUN_UNTOLD,
        **_source(estate, part, min(rows.values()), "raw"),
    )


def _each(lists: Iterable[list[str]]) -> list[str]:
    return [name for names in lists for name in names]


def _source(estate: Estate, part: Part, row: int, column: str) -> dict:
    return {
        "file": estate.journal.file,
        "sheet": part.origin.sheet,
        "row": part.origin.row(row),
        "column": part.origin.heading(column),
    }
