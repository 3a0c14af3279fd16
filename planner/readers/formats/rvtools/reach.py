"""Where VMs may run, for whatever their hosts must reach or offer: VMs with the same hosts make one proposal."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from planner.proposals import Proposal, slug
from planner.readers.formats.rvtools.estate import Estate, listed
from planner.rules import Forbid
from planner.schema import Origin
from planner.units import counted

NOT_MERGED = "matters only where pools are merged"
NO_HOST = "no owned host would be left for them that is not in maintenance"


@dataclass(frozen=True, kw_only=True, eq=False)
class Needs:
    """What VMs need of their hosts.

    Parameters
    ----------
    kind : str
        Kind of the proposals and beginning of their keys.
    what : str
        What is needed, in words, in the singular: "datastore".
    things : list of str
        Names of what is needed.
    reached : list of int
        Bits of the hosts that reach, or offer, each thing.
    rows : list of int
        Position in `origin` of each thing.
    of : list of tuple of int
        Things that each VM needs, by row of vInfo.
    origin : Origin
    column : str
    proven : bool
        Whether a VM on a host proves that the host reaches what the VM needs, for other VMs too.
    """

    kind: str
    what: str
    things: list[str]
    reached: list[int]
    rows: list[int]
    of: list[tuple[int, ...]]
    origin: Origin
    column: str
    proven: bool = False


def proposals_of(estate: Estate, needs: Needs) -> list[Proposal]:
    """Proposals that keep VMs off the owned hosts that do not reach what they need.

    One for all VMs of a pool with the same hosts, on; and one, off, for what would be out of reach in other pools. A
    host that is bought can be connected to anything, so none of them names host models. Where a VM runs today it may
    stay.
    """
    needs = _proven(estate, needs)
    inside: dict[tuple[str, int], list[int]] = {}
    outside: dict[int, list[int]] = {}
    known: dict[tuple[int, ...], int] = {}
    for row, things in enumerate(needs.of):
        if not things or not estate.kept[row]:
            continue
        if things not in known:
            known[things] = _reached(estate, needs, things)
        out, own, today = estate.everywhere & ~known[things], estate.serving(estate.pools[row]), estate.today[row]
        if out & own & ~today:
            inside.setdefault((estate.pools[row], out & own & ~today), []).append(row)
        if out & ~own & ~today:
            outside.setdefault(out & ~own & ~today, []).append(row)
    found = [_inside(estate, needs, pool, out, rows) for (pool, out), rows in inside.items()]
    if outside:
        found.append(_outside(estate, needs, outside))
    if not any(estate.planned[row] for rows in inside.values() for row in rows) and any(needs.of):
        message = f"every owned host of its pool has the {needs.what} that a VM needs: no rule is proposed"
        estate.note("information", message, needs.origin, needs.column)
    return found


def _proven(estate: Estate, needs: Needs) -> Needs:
    """The needs with the hosts that VMs prove to reach them; one note counts VMs on hosts that are not listed."""
    reached, rows = list(needs.reached), []
    for row, things in enumerate(needs.of):
        today = estate.today[row] if estate.kept[row] else 0
        lacking = [thing for thing in things if today & ~needs.reached[thing]]
        if lacking:
            rows.append(row)
        for thing in lacking if needs.proven else ():
            reached[thing] |= today
    if rows:
        so = "taken to have it" if needs.proven else "they may stay there"
        message = f"{counted(len(rows), 'VM')} on a host that is not listed with their {needs.what}: {so}; such as"
        estate.note("guessed", f"{message} {estate.names[rows[0]]!r}", estate.vms.origin, "name", rows[0])
    return replace(needs, reached=reached)


def _reached(estate: Estate, needs: Needs, things: tuple[int, ...]) -> int:
    found = estate.everywhere
    for thing in things:
        found &= needs.reached[thing]
    return found


def _inside(estate: Estate, needs: Needs, pool: str, out: int, rows: list[int]) -> Proposal:
    """VMs of one pool that the same hosts of it cannot carry."""
    left = estate.hosts_in(estate.serving(pool) & ~out & ~estate.resting)
    short = [t for t in dict.fromkeys(t for row in rows for t in needs.of[row]) if out & ~needs.reached[t]]
    hosts = estate.hosts_in(out)
    of_pool = f" of {pool}" if pool else ""
    where = f"on {listed(left)} or new hosts" if left else "on new hosts alone"
    members = tuple(estate.names[row] for row in rows)
    digest = hashlib.sha256("\n".join(sorted(hosts)).encode()).hexdigest()[:6]
    return Proposal(
        key=f"{needs.kind}/{slug(pool)}-{digest}" if pool else f"{needs.kind}/{digest}",
        kind=needs.kind,
        title=f"VMs{of_pool} run {where}: not every host has {needs.what} {listed([needs.things[t] for t in short])}",
        members=members,
        rules=(Forbid(members, hosts),),
        on=bool(left),
        why="" if left else NO_HOST,
        **_source(estate, needs, short[0]),
    )


def _outside(estate: Estate, needs: Needs, groups: dict[int, list[int]]) -> Proposal:
    """VMs that hosts of other pools could not carry, were pools merged."""
    members = tuple(estate.names[row] for rows in groups.values() for row in rows)
    rules = [Forbid([estate.names[row] for row in rows], estate.hosts_in(out)) for out, rows in groups.items()]
    out, rows = next(iter(groups.items()))
    short = next(thing for thing in needs.of[rows[0]] if out & ~needs.reached[thing])
    return Proposal(
        key=f"{needs.kind}/other-pools",
        kind=needs.kind,
        title=f"where pools are merged, VMs keep off hosts of other pools that do not have their {needs.what}",
        members=members,
        rules=tuple(rules),
        on=False,
        why=NOT_MERGED,
        **_source(estate, needs, short),
    )


def _source(estate: Estate, needs: Needs, thing: int) -> dict:
    return {
        "file": estate.journal.file,
        "sheet": needs.origin.sheet,
        "row": needs.origin.row(needs.rows[thing]),
        "column": needs.origin.heading(needs.column),
    }
