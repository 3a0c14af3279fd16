"""A synthetic virtual estate of 800 machines in three clusters, with the oddities of real exports."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from _rvtools_clusters import CLUSTERS, Cluster, Generation

from planner.units import GIB_PER_UNIT

T = TypeVar("T")

SEED = 20260109
MIB_PER_GIB = round(1 / GIB_PER_UNIT["mib"])
EPOCH = datetime(1969, 12, 31, 22, 0, 0)
"""What a creation date of zero looks like in an export made west of Greenwich."""

EXPORTED = datetime(2026, 1, 14, 6, 30, 0)

LARGEST_MEMORY_GIB = 192

SYSTEMS = {
    "Microsoft Windows Server 2019 (64-bit)": 24,
    "Microsoft Windows Server 2022 (64-bit)": 18,
    "Microsoft Windows Server 2016 (64-bit)": 8,
    "Red Hat Enterprise Linux 8 (64-bit)": 20,
    "Ubuntu Linux (64-bit)": 14,
    "SUSE Linux Enterprise 15 (64-bit)": 8,
    "Debian GNU/Linux 11 (64-bit)": 8,
}
ROLES = ("web", "app", "db", "file", "batch", "cache", "queue", "auth", "print", "report")
NAMES_WITH_BLANKS = ("Print Server old", "SQL report (copy)", "Archive 2019 do not delete")
UNITS = ("fin", "hr", "ops", "crm", "wms", "lab", "pub", "dev")


@dataclass(frozen=True, kw_only=True)
class Host:
    name: str
    cluster: Cluster
    generation: Generation
    maintenance: bool = False


@dataclass(kw_only=True)
class Machine:
    """One virtual machine as the export shows it; `vcpus` and `memory_mib` are what it was given."""

    name: str | int
    cluster: Cluster
    host: str
    vcpus: int
    memory_mib: int
    disks_mib: list[int]
    system: str
    vm_uuid: str
    created: datetime
    load: float
    active: float
    vm_id: str = ""
    power: str = "poweredOn"
    template: bool = False
    placeholder: bool = False
    blank_in_vinfo: bool = False
    vcpus_in_vcpu: int | None = None

    @property
    def kind(self) -> str:
        """State that the planner is to read: a template or placeholder is one whatever its power state."""
        if self.template:
            return "template"
        if self.placeholder:
            return "placeholder"
        return {"poweredOn": "on", "poweredOff": "off", "suspended": "suspended"}[self.power]

    @property
    def is_agent(self) -> bool:
        """Whether this is a machine that the cluster itself runs (vCLS)."""
        return str(self.name).startswith("vCLS")


@dataclass(frozen=True, kw_only=True)
class Estate:
    hosts: list[Host]
    machines: list[Machine]
    quirks: dict[str, object] = field(default_factory=dict)


def make_estate() -> Estate:
    """The estate, the same each time."""
    rng = random.Random(SEED)
    hosts = [host for cluster in CLUSTERS for host in _hosts(cluster)]
    machines = [machine for cluster in CLUSTERS for machine in _machines(rng, cluster)]
    _switch_off(rng, machines)
    _place(rng, hosts, machines)
    for cluster in CLUSTERS:
        machines += _agents(rng, cluster, [host for host in hosts if host.cluster is cluster])
    for number, machine in enumerate(machines):
        machine.vm_id = f"vm-{1001 + 3 * number}"
    quirks = _make_odd(rng, machines)
    return Estate(hosts=hosts, machines=machines, quirks=quirks)


def _hosts(cluster: Cluster) -> list[Host]:
    return [
        Host(
            name=f"esx-{cluster.key}{number:02d}.corp.example",
            cluster=cluster,
            generation=generation,
            maintenance=(cluster.key, number) == ("a", 3),
        )
        for number, generation in enumerate(cluster.hosts, start=1)
    ]


def _machines(rng: random.Random, cluster: Cluster) -> list[Machine]:
    numbers = Counter()
    machines = []
    for _ in range(cluster.machines):
        role = f"{rng.choice(UNITS)}-{rng.choice(ROLES)}"
        numbers[role] += 1
        machines.append(_machine(rng, cluster, f"{cluster.key}-{role}-{numbers[role]:02d}"))
    return machines


def _machine(rng: random.Random, cluster: Cluster, name: str) -> Machine:
    vcpus = _weighted(rng, cluster.vcpu_weights)
    disks = 1 + min(5, int(rng.expovariate(1.1)))
    return Machine(
        name=name,
        cluster=cluster,
        host="",
        vcpus=vcpus,
        memory_mib=_memory_mib(rng, vcpus, cluster),
        disks_mib=[_disk_mib(rng, number) for number in range(disks)],
        system=_weighted(rng, SYSTEMS),
        vm_uuid=_uuid(rng),
        created=EXPORTED - timedelta(days=rng.randrange(20, 2600), seconds=rng.randrange(86400)),
        load=rng.betavariate(1.3, 16),
        active=rng.betavariate(1.6, 11),
    )


def _memory_mib(rng: random.Random, vcpus: int, cluster: Cluster) -> int:
    """Mostly a power of two of GiB; now and then three quarters of it, or a figure that somebody typed."""
    gib = min(vcpus * _weighted(rng, cluster.gib_per_vcpu_weights), LARGEST_MEMORY_GIB)
    draw = rng.random()
    if draw < 0.08 and gib >= 4:
        return gib * MIB_PER_GIB * 3 // 4
    if draw < 0.11:
        return gib * 1000 - gib * 1000 % 4
    return gib * MIB_PER_GIB


def _disk_mib(rng: random.Random, number: int) -> int:
    """The first disk holds the operating system; the others are log-normal, a third of an odd size."""
    if number == 0:
        return rng.choice((40, 50, 60, 60, 80, 80, 100, 120)) * MIB_PER_GIB
    mib = rng.lognormvariate(4.4, 1.0) * MIB_PER_GIB
    if rng.random() < 0.33:
        return max(1024, int(mib))
    return max(10, round(mib / MIB_PER_GIB / 10) * 10) * MIB_PER_GIB


def _switch_off(rng: random.Random, machines: list[Machine]) -> None:
    shuffled = rng.sample(machines, len(machines))
    off, templates, placeholders = shuffled[:64], shuffled[64:72], shuffled[72:80]
    for machine in off + templates + placeholders:
        machine.power = "poweredOff"
    for machine in templates:
        machine.template = True
    for machine in placeholders:
        machine.placeholder = True
    shuffled[80].power = "suspended"


def _place(rng: random.Random, hosts: list[Host], machines: list[Machine]) -> None:
    """Name today's host of each machine: of two tried, the one with less of its memory given away."""
    given = {host.name: 0.0 for host in hosts}
    for machine in machines:
        open_hosts = [host for host in hosts if host.cluster is machine.cluster and not host.maintenance]
        host = min(rng.sample(open_hosts, 2), key=lambda host: given[host.name])
        machine.host = host.name
        if machine.power == "poweredOn":
            given[host.name] += machine.memory_mib / host.generation.memory_mib


def _agents(rng: random.Random, cluster: Cluster, hosts: list[Host]) -> list[Machine]:
    """The three vCLS machines that a cluster runs for itself."""
    agents = []
    for host in [host for host in hosts if not host.maintenance][:3]:
        agent = _machine(rng, cluster, f"vCLS-{_uuid(rng)}")
        agent.host, agent.vcpus, agent.memory_mib, agent.disks_mib = host.name, 1, 128, [2048]
        agent.system = "Other 3.x or later Linux (64-bit)"
        agents.append(agent)
    return agents


def _make_odd(rng: random.Random, machines: list[Machine]) -> dict[str, object]:
    """Give a few machines the oddities of real exports, and say which."""
    plain = [machine for machine in machines if machine.kind == "on" and not machine.is_agent]
    odd = iter(rng.sample(plain, 40))
    spaced = [next(odd) for _ in NAMES_WITH_BLANKS]
    for machine, name in zip(spaced, NAMES_WITH_BLANKS, strict=True):
        machine.name = name
    numeric, blank = next(odd), next(odd)
    numeric.name = 59
    blank.blank_in_vinfo = True
    differing = [next(odd) for _ in range(5)]
    for machine in differing:
        machine.vcpus_in_vcpu = machine.vcpus * 2
    short = [next(odd) for _ in range(6)]
    for machine in short:
        machine.host = short_name(machine.host)
    ancient = [next(odd) for _ in range(4)]
    for machine in ancient:
        machine.created = EPOCH
    twins = [next(machine for machine in odd if machine.cluster.key == key) for key in ("a", "b")]
    for machine in twins:
        machine.name = "license-server"
    return {
        "names_with_blanks": [machine.name for machine in spaced],
        "numeric_name": numeric.name,
        "name_in_two_clusters": twins[0].name,
        "blank_in_vinfo": {"name": blank.name, "vcpus": blank.vcpus, "memory_mib": blank.memory_mib},
        "other_cpus_in_vcpu": sorted(machine.name for machine in differing),
        "short_host_name": sorted(machine.name for machine in short),
        "created_at_epoch": sorted(machine.name for machine in ancient),
    }


def short_name(host: str) -> str:
    """A host's name without its domain."""
    return host.split(".")[0]


def _weighted(rng: random.Random, weights: dict[T, int]) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))
