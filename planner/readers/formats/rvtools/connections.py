"""What the hosts of an RVTools export are connected to: datastores of vDatastore, port groups of vPort and dvPort."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from planner.proposals import Proposal
from planner.readers.columns import Column
from planner.readers.exports import Journal, Part, owners, read_part
from planner.readers.formats.rvtools.estate import Estate, listed
from planner.readers.formats.rvtools.reach import Needs, proposals_of
from planner.rules import words
from planner.schema import Origin
from planner.units import counted

VCENTER = Column(name="vcenter", label="VI SDK UUID")
PATH = Column(name="path", label="Path")
NETWORKS = tuple(Column(name=f"network_{n}", label=f"Network #{n}") for n in range(1, 9))
VM_COLUMNS = (PATH, *NETWORKS)
DISK_COLUMNS = (PATH,)
DATASTORES = (
    Column(name="name", label="Name"),
    Column(name="hosts", label="Hosts"),
    Column(name="number", label="# Hosts"),
    VCENTER,
)
STANDARD_PORTS = (Column(name="host", label="Host"), Column(name="name", label="Port Group"), VCENTER)
SWITCHES = (
    Column(name="name", label="Switch", aliases=("Name",)),
    Column(name="hosts", label="Host members"),
    VCENTER,
)
DISTRIBUTED_PORTS = (
    Column(name="name", label="Port", aliases=("Port Group",)),
    Column(name="switch", label="Switch"),
    VCENTER,
)
CARDS = (
    Column(name="name", label="VM", aliases=("VM Name",)),
    Column(name="vm_uuid", label="VM UUID"),
    Column(name="vm_id", label="VM ID"),
    VCENTER,
    Column(name="network", label="Network"),
)
MOVES_TOO = "its disks can move with a VM; switch it on to keep the VMs where their disks are"
_DATASTORE = re.compile(r"\[([^\[\]]+)\]")


@dataclass
class Things:
    """Datastores or networks by vCenter and name, the hosts that reach each, and where each stands."""

    names: list[str] = field(default_factory=list)
    reached: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)
    _alone: dict[str, int | None] | None = None

    def add(self, vcenter: str, name: str, hosts: int, row: int) -> None:
        """Add hosts to a thing; `row` is the position of its first row."""
        key = vcenter, name.casefold()
        if key not in self.numbers:
            self.numbers[key] = len(self.names)
            self.names.append(name)
            self.reached.append(0)
            self.rows.append(row)
        self.reached[self.numbers[key]] |= hosts
        self._alone = None

    def find(self, vcenter: str, name: str) -> int | None:
        """Number of the thing of this name: of this vCenter, else where one alone has the name; None otherwise."""
        found = self.numbers.get((vcenter, name.casefold()))
        if found is not None:
            return found
        if self._alone is None:
            self._alone = {}
            for (_, folded), number in self.numbers.items():
                self._alone[folded] = None if folded in self._alone else number
        return self._alone.get(name.casefold())


def datastores(estate: Estate) -> list[Proposal]:
    """Proposals that keep VMs off hosts that do not see the datastores of their disks and of their configuration.

    What lies on a datastore of one host alone can move with its VM, so that proposal is off.
    """
    part = _read(estate, "vDatastore", DATASTORES)
    if part is None or not part.has("hosts") or not estate.host_names:
        return []
    things, cut = Things(), set()
    for row, (name, hosts, number, vcenter) in enumerate(_rows(part, "name", "hosts", "number", "vcenter")):
        listed_hosts = words(hosts)
        if name:
            things.add(vcenter, name, estate.bits_of(listed_hosts), row)
            if number.isdigit() and int(number) > len(listed_hosts):
                cut.add(things.numbers[vcenter, name.casefold()])
    paths = [estate.vms.frame["path"].tolist()]
    owner = [range(len(estate.names))]
    disks, of_disk = estate.detail("vDisk")
    if disks is not None:
        paths.append(disks.frame["path"].tolist())
        owner.append(of_disk.tolist())
    pairs = (
        (vm, found[1])
        for cells, vms in zip(paths, owner, strict=True)
        for path, vm in zip(cells, vms, strict=True)
        if (found := _DATASTORE.match(path))
    )
    needed = _needed(estate, things, cut, pairs, ("datastore", part.origin, "hosts"))
    local = {number for number, hosts in enumerate(things.reached) if hosts.bit_count() == 1}
    shared = _needs(things, [own - local for own in needed], ("datastore", part.origin, "hosts"))
    alone = _needs(things, [own & local for own in needed], ("local datastore", part.origin, "hosts"))
    moving = [replace(one, on=False, why=one.why or MOVES_TOO) for one in proposals_of(estate, alone)]
    return proposals_of(estate, shared) + moving


def networks(estate: Estate) -> list[Proposal]:
    """Proposals that keep VMs off hosts without the port groups of their network cards."""
    things, origin = _networks(estate)
    if origin is None or not estate.host_names:
        return []
    columns = [estate.vms.frame[column.name].tolist() for column in NETWORKS]
    pairs = [(vm, name) for cells in columns for vm, name in enumerate(cells) if name]
    # vInfo names the first eight networks of each VM; vNetwork is slow to join, and tells no other but more.
    told = estate.vms.has(NETWORKS[0].name) and not any(columns[-1])
    cards = None if told else _read(estate, "vNetwork", CARDS)
    if cards is not None and cards.has("network"):
        owner = owners(cards, estate.vms, "network card", estate.journal)
        pairs += zip(owner.tolist(), cards.frame["network"].tolist(), strict=True)
    needed = _needed(estate, things, set(), pairs, ("network", origin, "name"))
    return proposals_of(estate, _needs(things, needed, ("network", origin, "name")))


def _networks(estate: Estate) -> tuple[Things, Origin | None]:
    """The port groups of standard and of distributed switches; without an origin where no sheet tells any."""
    things, origin = Things(), None
    ports, switches = _read(estate, "dvPort", DISTRIBUTED_PORTS), _read(estate, "dvSwitch", SWITCHES)
    if ports is not None and switches is not None and ports.has("switch") and switches.has("hosts"):
        members = Things()
        for row, (name, hosts, vcenter) in enumerate(_rows(switches, "name", "hosts", "vcenter")):
            members.add(vcenter, name, estate.bits_of(words(hosts)), row)
        for row, (name, switch, vcenter) in enumerate(_rows(ports, "name", "switch", "vcenter")):
            number = members.find(vcenter, switch)
            if name and number is not None:
                things.add(vcenter, name, members.reached[number], row)
                origin = ports.origin
    standard = _read(estate, "vPort", STANDARD_PORTS)
    if standard is not None and standard.has("host"):
        # Where a network is on both kinds of switches, the row that is named is the distributed one's.
        base = standard.origin if origin is None else origin
        for row, (host, name, vcenter) in enumerate(_rows(standard, "host", "name", "vcenter")):
            if name:
                things.add(vcenter, name, estate.bit_of(host), row if base is standard.origin else 0)
                origin = base
    return things, origin


def _needed(
    estate: Estate, things: Things, cut: set[int], pairs: Iterable[tuple[int, str]], told: tuple[str, Origin, str]
) -> list[set[int]]:
    """Numbers of the things that each VM needs; what no owned host is listed for forbids nothing, noted."""
    kind, origin, column = told
    needed: list[set[int]] = [set() for _ in estate.names]
    unknown: dict[str, int] = {}
    vcenters = estate.vms.frame["vcenter"].tolist()
    for vm, name in pairs:
        if vm < 0:
            continue
        number = things.find(vcenters[vm], name)
        if number is not None and number not in cut and things.reached[number]:
            needed[vm].add(number)
        elif estate.planned[vm]:
            unknown.setdefault(name, vm)
    if unknown:
        message = f"{counted(len(unknown), kind)} of which no owned host, or not every host, is listed: forbids nothing"
        estate.note("ignored", f"{message}; {listed(list(unknown))}", origin, column)
    return needed


def _needs(things: Things, needed: list[set[int]], told: tuple[str, Origin, str]) -> Needs:
    kind, origin, column = told
    return Needs(
        kind=kind.replace(" ", "-"),
        what=kind,
        things=things.names,
        reached=things.reached,
        rows=things.rows,
        of=[tuple(sorted(numbers)) for numbers in needed],
        origin=origin,
        column=column,
        proven=True,
    )


def _read(estate: Estate, sheet: str, columns: tuple[Column, ...]) -> Part | None:
    """A sheet that no plan needs."""
    found = estate.workbook.find(sheet)
    return read_part(found, columns, Journal(file=estate.journal.file, unread=estate.journal.unread))


def _rows(part: Part, *columns: str) -> Iterable[tuple[str, ...]]:
    return zip(*(part.frame[column].tolist() for column in columns), strict=True)
