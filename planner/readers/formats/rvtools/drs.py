"""DRS rules of an RVTools export: VMs that share the name of a rule, and what its type or its name says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from planner.proposals import Proposal, slug
from planner.readers.columns import Column
from planner.readers.formats.rvtools.estate import Estate, listed
from planner.rules import KeepApart, KeepTogether, Pin, Rule, words
from planner.units import counted

VM_COLUMNS = (
    Column(name="rule_types", label="Cluster rule(s)"),
    Column(name="rule_names", label="Cluster rule name(s)"),
)
Type = Literal["apart", "together", "hosts", "order", ""]

_TYPES: tuple[tuple[Type, re.Pattern], ...] = (
    ("order", re.compile(r"depend", re.I)),
    ("hosts", re.compile(r"vm.?s?.?(to|on)?.?host|machines? (to|on) host|\b(must|should) (not )?run\b", re.I)),
    (
        "apart",
        re.compile(
            r"anti(?!.?(vir|mal|spam))|separat|\bapart\b|\bspread\b|(not|never).?together|different.?host", re.I
        ),
    ),
    ("together", re.compile(r"affin|together|same.?host|co.?locat", re.I)),
)
UNTOLD = "the export does not say whether this rule keeps its VMs apart or together"
HOSTS_UNTOLD = "the export does not say which hosts this rule names; switched on, its VMs stay on today's hosts"


@dataclass
class Found:
    """A rule as the export shows it: its name, type where one is told, and rows of vInfo."""

    name: str
    pool: str
    type: Type = ""
    rows: list[int] = field(default_factory=list)


def type_of(text: str) -> Type:
    """What a rule's type or name says that it does, "" where it says nothing.

    >>> [type_of(text) for text in ("ClusterAntiAffinityRuleSpec", "Keep VMs Together", "VM-Host Affinity")]
    ['apart', 'together', 'hosts']
    >>> type_of("anti-virus"), type_of("sql never together")
    ('', 'apart')
    """
    return next((kind for kind, pattern in _TYPES if pattern.search(text)), "")


def drs(estate: Estate) -> list[Proposal]:
    """A proposal for each DRS rule of a cluster that several of its VMs share.

    The type is taken from the column that tells it, else from words of the name; where neither says anything two
    proposals are off, one for each type.
    """
    if not estate.vms.has("rule_names"):
        return []
    found = _rules(estate)
    alone = [one for one in found if len(one.rows) < 2 and one.type in ("apart", "together", "")]
    if alone:
        message = (
            f"{counted(len(alone), 'DRS rule')} of a single VM: forbids nothing; {listed([o.name for o in alone])}"
        )
        estate.note("ignored", message, estate.vms.origin, "rule_names", alone[0].rows[0])
    orders = [one for one in found if one.type == "order"]
    if orders:
        message = f"{counted(len(orders), 'DRS rule')} on the order of restarts: not about where VMs run"
        estate.note("ignored", message, estate.vms.origin, "rule_names", orders[0].rows[0])
    return [proposal for one in found if one not in alone for proposal in _proposals(estate, one)]


def _rules(estate: Estate) -> list[Found]:
    """The rules by vCenter, cluster and name, in the order of their first VM."""
    frame, found = estate.vms.frame, {}
    cells = zip(*(frame[name].tolist() for name in ("rule_names", "rule_types", "vcenter")), strict=True)
    for row, (names, types, vcenter) in enumerate(cells):
        if not names or not estate.kept[row]:
            continue
        rules, kinds = words(names), words(types)
        if len(kinds) == 1:
            kinds = kinds * len(rules)
        for at, name in enumerate(rules):
            pool = estate.pools[row]
            one = found.setdefault((vcenter, pool, name), Found(name=name, pool=pool))
            one.rows.append(row)
            told = type_of(kinds[at]) if len(kinds) == len(rules) else ""
            one.type = one.type or told or type_of(name)
    return list(found.values())


def _proposals(estate: Estate, one: Found) -> list[Proposal]:
    members = tuple(dict.fromkeys(estate.names[row] for row in one.rows))
    of_pool = f" of {one.pool}" if one.pool else ""
    key, named = f"drs/{slug(one.name)}", f"DRS rule {one.name!r}{of_pool}"
    if one.type == "apart":
        return [_made(estate, one, members, key, f"{named} keeps its VMs apart", KeepApart(members))]
    if one.type == "together":
        return [_made(estate, one, members, key, f"{named} keeps its VMs together", KeepTogether(members))]
    if one.type == "hosts":
        today = estate.hosts_in(_bits(estate, one.rows))
        if not today:
            return []
        title = f"{named} names hosts: its VMs stay on {listed(today)}"
        return [_made(estate, one, members, key, title, Pin(members, today), HOSTS_UNTOLD)]
    if one.type == "order":
        return []
    apart = _made(estate, one, members, f"{key}/apart", f"{named} keeps its VMs apart", KeepApart(members), UNTOLD)
    title = f"{named} keeps its VMs together"
    return [apart, _made(estate, one, members, f"{key}/together", title, KeepTogether(members), UNTOLD)]


def _made(
    estate: Estate, one: Found, members: tuple[str, ...], key: str, title: str, rule: Rule, why: str = ""
) -> Proposal:
    origin = estate.vms.origin
    return Proposal(
        key=key, kind="drs", title=title, members=members, rules=(rule,), on=not why, why=why,
        file=estate.journal.file, sheet=origin.sheet, row=origin.row(one.rows[0]), column=origin.heading("rule_names"),
    )  # fmt: skip


def _bits(estate: Estate, rows: list[int]) -> int:
    found = 0
    for row in rows:
        found |= estate.today[row]
    return found
