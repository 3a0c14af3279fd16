"""Constraints that an RVTools export shows, harvested as proposals that a person can switch off or on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from planner.proposals import Proposal, distinct
from planner.readers.formats.rvtools import clusters, connections, disks, drs, evc, guarantees
from planner.readers.formats.rvtools.estate import Estate
from planner.rules import KeepApart, KeepTogether

VM_COLUMNS = (*drs.VM_COLUMNS, *evc.VM_COLUMNS, *guarantees.VM_COLUMNS, *connections.VM_COLUMNS)
CPU_COLUMNS = guarantees.CPU_COLUMNS
MEMORY_COLUMNS = guarantees.MEMORY_COLUMNS
DISK_COLUMNS = (*disks.DISK_COLUMNS, *connections.DISK_COLUMNS)
HOST_COLUMNS = (*evc.HOST_COLUMNS, *clusters.HOST_COLUMNS)
SHEETS = ("vCluster", "vNetwork", "vPort", "dvPort", "dvSwitch")
"""Sheets that are read for constraints alone."""


def harvest(estate: Estate) -> list[Proposal]:
    """Everything that the export shows and a plan should keep, each key once; what cannot be kept is off."""
    rules = [without_room(estate, one) for one in (*drs.drs(estate), *disks.disks(estate))]
    found = [*rules, *evc.evc(estate), *connections.datastores(estate), *connections.networks(estate)]
    found += guarantees.guarantees(estate)
    found += [*clusters.fault_domains(estate, rules), *clusters.high_availability(estate)]
    return without_contradictions(list(distinct(found)))


def without_room(estate: Estate, proposal: Proposal) -> Proposal:
    """The proposal, off where it keeps more planned VMs of a cluster apart than that has hosts that are not resting."""
    for rule in proposal.rules if proposal.on else ():
        if isinstance(rule, KeepApart):
            rows = [row for name in rule.workloads if estate.planned[row := estate.row_of[name]]]
            for pool, count in Counter(estate.pools[row] for row in rows).items():
                hosts = (estate.serving(pool) & ~estate.resting).bit_count()
                if 0 < hosts < count:
                    why = f"{count} VMs, and their cluster has {hosts} hosts: nobody can keep it"
                    return replace(proposal, on=False, why=why)
    return proposal


def without_contradictions(proposals: list[Proposal]) -> list[Proposal]:
    """The proposals with those off that keep VMs apart which another one that is on keeps together."""
    parent: dict[str, str] = {}
    keeper: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.get(name, name) != name:
            name = parent[name]
        return name

    for proposal in proposals:
        for rule in proposal.rules if proposal.on else ():
            if isinstance(rule, KeepTogether):
                for name in rule.workloads:
                    keeper.setdefault(name, proposal.key)
                    parent[root(name)] = root(rule.workloads[0])
    return [_settled(proposal, root, keeper) for proposal in proposals]


def _settled(proposal: Proposal, root: Callable[[str], str], keeper: dict[str, str]) -> Proposal:
    """The proposal, off where it keeps two VMs apart that share a root."""
    for rule in proposal.rules if proposal.on else ():
        if isinstance(rule, KeepApart):
            first: dict[str, str] = {}
            for name in rule.workloads:
                if first.setdefault(root(name), name) != name:
                    why = f"contradicts {keeper[name]!r}, which keeps some of these VMs together"
                    return replace(proposal, on=False, why=why)
    return proposal
