"""Clusters of an RVTools export: what HA keeps free, and the fault domains of vSAN."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from planner.proposals import Proposal
from planner.readers.columns import Column
from planner.readers.exports import Journal, Part, read_part
from planner.readers.formats.rvtools.estate import Estate, listed
from planner.rules import KeepApart
from planner.units import counted

HOST_COLUMNS = (Column(name="fault_domain", label="vSAN Fault Domain Name", aliases=("vSAN Fault Domain",)),)
CLUSTERS = (
    Column(name="name", label="Name", aliases=("Cluster",)),
    Column(name="ha", label="HA enabled", type="flag"),
    Column(name="level", label="Failover Level"),
    Column(name="admission", label="AdmissionControlEnabled", aliases=("Admission Control Enabled",), type="flag"),
)
FAULT_DOMAIN = "fault_domain"
"""Column of hosts that names the vSAN fault domain of each."""

BY_POLICY = "the policy says for all pools how many hosts may fail; switched on, it is at least this"
ON_HOSTS = "the export keeps them on different hosts alone; a host without a fault domain would carry none of them"


def high_availability(estate: Estate) -> list[Proposal]:
    """One proposal that as many hosts may fail as the clusters' HA keeps free, and notes on clusters without it."""
    part = read_part(
        estate.workbook.find("vCluster"), CLUSTERS, Journal(file=estate.journal.file, unread=estate.journal.unread)
    )
    if part is None or not part.has("ha"):
        return []
    pools = {estate.pools[row] for row, planned in enumerate(estate.planned) if planned}
    rows = [row for row, name in enumerate(part.frame["name"]) if name in pools]
    ha, level = part.frame["ha"].tolist(), [_whole(text) for text in part.frame["level"]]
    admission = part.frame["admission"].tolist() if part.has("admission") else ha
    for which, what in (
        ([row for row in rows if not ha[row]], "without HA: nothing restarts there today"),
        ([row for row in rows if ha[row] and not admission[row]], "with HA and no admission control: no host is kept"),
        ([row for row in rows if ha[row] and admission[row] and not level[row]], "whose HA counts no hosts"),
    ):
        if which:
            message = f"{counted(len(which), 'cluster')} {what}; {_named(part, which)}"
            estate.note("information", message, part.origin, "ha", which[0])
    kept = [row for row in rows if ha[row] and admission[row] and level[row]]
    if not kept:
        return []
    most = max(level[row] for row in kept)
    first = next(row for row in kept if level[row] == most)
    names = part.frame["name"].tolist()
    named = {names[row] for row in kept}
    members = (name for row, name in enumerate(estate.names) if estate.kept[row] and estate.pools[row] in named)
    levels = ", ".join(f"{level[row]} in {names[row]}" for row in kept[:4])
    return [
        Proposal(
            key="ha/failover",
            kind="ha",
            title=f"HA keeps hosts free ({levels}): {counted(most, 'host')} may fail",
            members=tuple(members),
            failover_hosts=most,
            on=False,
            why=BY_POLICY,
            file=estate.journal.file,
            sheet=part.origin.sheet,
            row=part.origin.row(first),
            column=part.origin.heading("level"),
        )
    ]


def with_fault_domains(hosts: pd.DataFrame, part: Part) -> pd.DataFrame:
    """The hosts with the column `fault_domain`, where any has one."""
    domains = part.frame["fault_domain"].to_numpy()
    return hosts.assign(**{FAULT_DOMAIN: domains}) if (domains != "").any() else hosts


def fault_domains(estate: Estate, proposals: Iterable[Proposal]) -> list[Proposal]:
    """A proposal, off, that VMs which are kept apart stand in different vSAN fault domains."""
    if FAULT_DOMAIN not in estate.hosts:
        return []
    cells = estate.hosts[FAULT_DOMAIN]
    first = int((cells != "").to_numpy().argmax())
    domains = cells[cells != ""].nunique()
    origin = estate.host_part.origin
    message = f"{counted(domains, 'vSAN fault domain')}: rules may spread over them, KeepApart within {FAULT_DOMAIN!r}"
    estate.note("information", message, origin, "fault_domain", first)
    pool_of = dict(zip(estate.names, estate.pools, strict=True))
    spread = []
    for proposal in proposals:
        for rule in proposal.rules:
            if isinstance(rule, KeepApart) and proposal.on:
                serving = estate.hosts["pool"].isin(["", pool_of[rule.workloads[0]]])
                if len(rule.workloads) <= cells[serving & (cells != "")].nunique():
                    spread.append(KeepApart(rule.workloads, within=FAULT_DOMAIN))
    if not spread:
        return []
    members = tuple(dict.fromkeys(name for rule in spread for name in rule.workloads))
    return [
        Proposal(
            key="vsan/fault-domains",
            kind="vsan",
            title=f"VMs that are kept apart stand in different vSAN fault domains, {domains} of them",
            members=members,
            rules=tuple(spread),
            on=False,
            why=ON_HOSTS,
            file=estate.journal.file,
            sheet=origin.sheet,
            row=origin.row(first),
            column=origin.heading("fault_domain"),
        )
    ]


def _whole(text: str) -> int:
    """A count of hosts; 0 where none is told, as where HA keeps a share of resources.

    >>> _whole("1"), _whole(""), _whole("25 %")
    (1, 0, 0)
    """
    return int(text) if re.fullmatch(r"\d{1,3}", text) else 0


def _named(part: Part, rows: list[int]) -> str:
    return listed(part.frame["name"].iloc[rows].tolist())
