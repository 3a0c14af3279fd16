"""A made-up estate that every export tells of: virtual machines on hosts in clusters, with shared datastores."""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

MIB_PER_GIB = 1024
_ROLES = ("web", "app", "db", "mail", "file", "print", "build", "proxy")
_SYSTEMS = (
    "Microsoft Windows Server 2022 (64-bit)",
    "Ubuntu Linux (64-bit)",
    "Red Hat Enterprise Linux 9 (64-bit)",
    "SUSE Linux Enterprise 15 (64-bit)",
)
_MODELS = (
    ("Intel(R)  Xeon(R) Gold 6342   CPU @ 2.80GHz", 2, 24, 2800, 1_048_162),
    ("AMD EPYC 9354 32-Core Processor", 2, 32, 3250, 785_971),
    ("Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz", 1, 16, 2400, 261_710),
)
"""CPU model, sockets, cores a socket, MHz and memory in MiB, which is not round."""

_VMS_PER_HOST, _HOSTS_PER_CLUSTER = 12, 4


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A virtual disk; sizes in MiB, whole GiB each."""

    capacity_mib: int
    used_mib: int
    thin: bool
    datastore: str


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host as its hypervisor knows it."""

    name: str
    moid: str
    number: int
    cluster: str
    datacenter: str
    vcenter: int
    cpu_model: str
    sockets: int
    cores_per_socket: int
    mhz: int
    memory_mib: int
    maintenance: bool = False

    @property
    def cores(self) -> int:
        return self.sockets * self.cores_per_socket

    @property
    def short_name(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Datastore:
    """A datastore and the hosts that reach it; one host alone means a local disk."""

    name: str
    capacity_mib: int
    used_mib: int
    cluster: str
    vcenter: int
    hosts: tuple[str, ...]

    @property
    def is_shared(self) -> bool:
        return len(self.hosts) > 1


@dataclass(frozen=True, kw_only=True)
class Vm:
    """A virtual machine; `state` is on, suspended, off, template or placeholder.

    Percentages have one decimal and are of its vCPUs or memory; they are 0 where it does not run.
    """

    number: int
    name: str
    moid: str
    uuid: str
    bios_uuid: str
    state: str
    vcpus: int
    memory_mib: int
    disks: tuple[Disk, ...]
    os: str
    host: Host
    ip: str
    mac: str
    cpu_average: float
    cpu_p95: float
    cpu_peak: float
    memory_average: float
    memory_p95: float
    memory_peak: float

    @property
    def is_planned(self) -> bool:
        return self.state in ("on", "suspended")

    @property
    def is_running(self) -> bool:
        return self.state == "on"

    @property
    def power(self) -> str:
        """on, suspended or off: templates and placeholders are off."""
        return self.state if self.is_planned else "off"

    @property
    def memory_gib(self) -> float:
        return self.memory_mib / MIB_PER_GIB

    @property
    def disk_mib(self) -> int:
        return sum(disk.capacity_mib for disk in self.disks)

    @property
    def disk_gib(self) -> float:
        return self.disk_mib / MIB_PER_GIB

    @property
    def used_disk_mib(self) -> int:
        return sum(disk.used_mib for disk in self.disks)

    def cpu_mhz(self, percent: float) -> int:
        """Whole MHz that a share of its vCPUs is on its host."""
        return round(percent / 100 * self.vcpus * self.host.mhz)

    def used_mib(self, percent: float) -> int:
        """Whole MiB that a share of its memory is."""
        return round(percent / 100 * self.memory_mib)


@dataclass(frozen=True, kw_only=True)
class Estate:
    """Everything there is."""

    seed: int
    vms: tuple[Vm, ...]
    hosts: tuple[Host, ...]
    datastores: tuple[Datastore, ...]

    def on_host(self, host: Host) -> list[Vm]:
        return [vm for vm in self.vms if vm.host == host]

    @property
    def shared_gib(self) -> float:
        """Capacity of all shared datastores in GiB, each counted once."""
        return sum(store.capacity_mib for store in self.datastores if store.is_shared) / MIB_PER_GIB

    def without_names_twice(self) -> Estate:
        """The same machines, where a tool cannot tell two of one name apart."""
        seen: Counter[str] = Counter()
        vms = []
        for vm in self.vms:
            seen[vm.name] += 1
            vms.append(vm if seen[vm.name] == 1 else replace(vm, name=f"{vm.name}-b"))
        return replace(self, vms=tuple(vms))


def make(seed: int, vms: int) -> Estate:
    """An estate of so many virtual machines, at least 20, in two vCenters; the same seed makes the same.

    Names repeat across vCenters and so do managed object IDs; UUIDs do not.
    """
    if vms < 20:
        raise ValueError(f"found {vms} virtual machines, expected at least 20: one of every oddity")
    random = np.random.default_rng(seed)
    hosts = _hosts(random, max(4, -(-vms // _VMS_PER_HOST)))
    homes = [hosts[0], *(hosts[int(at)] for at in random.integers(len(hosts), size=vms - 2)), hosts[-1]]
    counters = (itertools.count(1000), itertools.count(1000))
    machines = [_vm(random, number, home, next(counters[home.vcenter])) for number, home in enumerate(homes)]
    machines = _with_states(random, machines)
    machines = _with_odd_names(machines)
    return Estate(seed=seed, vms=tuple(machines), hosts=tuple(hosts), datastores=tuple(_datastores(hosts, machines)))


def _hosts(random: np.random.Generator, count: int) -> list[Host]:
    hosts = []
    for number in range(count):
        vcenter = int(number >= (count + 1) // 2)
        cluster = f"Cluster {'AB'[vcenter]}{number // _HOSTS_PER_CLUSTER + 1:02d}"
        model, sockets, cores, mhz, memory = _MODELS[int(random.integers(len(_MODELS)))]
        hosts.append(
            Host(
                name=f"esx{number + 1:03d}.example.com",
                moid=f"host-{100 + number}",
                number=number,
                cluster=cluster,
                datacenter=("Berlin", "Lyon")[vcenter],
                vcenter=vcenter,
                cpu_model=model,
                sockets=sockets,
                cores_per_socket=cores,
                mhz=mhz,
                memory_mib=memory,
                maintenance=number == 2,
            )
        )
    return hosts


def _vm(random: np.random.Generator, number: int, host: Host, moid: int) -> Vm:
    average, p95, peak = np.sort(random.integers(10, 1000, 3)) / 10
    memory_average, memory_p95, memory_peak = np.sort(random.integers(50, 1000, 3)) / 10
    disks = tuple(_disk(random, host) for _ in range(int(random.integers(1, 5))))
    return Vm(
        number=number,
        name=f"{_ROLES[number % len(_ROLES)]}-{number:05d}",
        moid=f"vm-{moid}",
        uuid=str(uuid.UUID(bytes=random.bytes(16), version=4)),
        bios_uuid=str(uuid.UUID(bytes=random.bytes(16), version=4)),
        state="on",
        vcpus=int(
            random.choice(
                [1, 2, 3, 4, 6, 8, 12, 16, 24, 32], p=[0.1, 0.3, 0.02, 0.3, 0.03, 0.15, 0.02, 0.05, 0.01, 0.02]
            )
        ),
        memory_mib=512 * int(random.choice([1, 2, 3, 4, 8, 16, 24, 32, 64, 128, 257])),
        disks=disks,
        os=_SYSTEMS[int(random.integers(len(_SYSTEMS)))],
        host=host,
        ip=f"10.{number // 62500}.{number // 250 % 250}.{number % 250 + 1}",
        mac=f"00:50:56:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
        cpu_average=float(average),
        cpu_p95=float(p95),
        cpu_peak=float(peak),
        memory_average=float(memory_average),
        memory_p95=float(memory_p95),
        memory_peak=float(memory_peak),
    )


def _disk(random: np.random.Generator, host: Host) -> Disk:
    capacity = MIB_PER_GIB * int(random.choice([8, 16, 40, 60, 100, 127, 250, 500, 1024, 2048]))
    thin = bool(random.random() < 0.6)
    used = round(capacity * float(random.uniform(0.02, 0.9))) if thin else capacity
    return Disk(
        capacity_mib=capacity, used_mib=used, thin=thin, datastore=f"{host.cluster} san-{random.integers(1, 3)}"
    )


def _with_states(random: np.random.Generator, vms: list[Vm]) -> list[Vm]:
    """About a seventh off, and at least two suspended, two templates and a placeholder among them."""
    odd = ["suspended", "suspended", "template", "template", "placeholder", "off", "off"]
    odd += ["off"] * (len(vms) // 7 - 2)
    idle = {"cpu_average": 0.0, "cpu_p95": 0.0, "cpu_peak": 0.0}
    idle |= {"memory_average": 0.0, "memory_p95": 0.0, "memory_peak": 0.0}
    found = list(vms)
    for position, state in zip(random.permutation(np.arange(4, len(vms) - 1))[: len(odd)], odd, strict=False):
        found[position] = replace(found[position], state=state, **idle)
    return found


def _with_odd_names(vms: list[Vm]) -> list[Vm]:
    """A number, blanks and an umlaut as names, and the last machine called like the first, in another vCenter."""
    found = list(vms)
    for position, name in enumerate(("sql main 01", "59", "büro-01", "WEB-Front_2.example.com")):
        found[position] = replace(found[position], name=name)
    found[-1] = replace(found[-1], name=found[0].name)
    return found


def _datastores(hosts: list[Host], vms: list[Vm]) -> list[Datastore]:
    """Two shared datastores a cluster, twice as large as what its machines have there, and a local one a host."""
    used: Counter[str] = Counter()
    for vm in vms:
        for disk in vm.disks:
            used[disk.datastore] += disk.used_mib
    found = []
    for cluster in dict.fromkeys(host.cluster for host in hosts):
        members = [host for host in hosts if host.cluster == cluster]
        for name in (f"{cluster} san-1", f"{cluster} san-2"):
            found.append(
                Datastore(
                    name=name,
                    capacity_mib=(2 * used[name] // (1 << 20) + 4) << 20,
                    used_mib=used[name],
                    cluster=cluster,
                    vcenter=members[0].vcenter,
                    hosts=tuple(host.name for host in members),
                )
            )
        for host in members:
            found.append(
                Datastore(
                    name=f"{host.short_name}-local",
                    capacity_mib=228_864,
                    used_mib=1_443,
                    cluster=cluster,
                    vcenter=host.vcenter,
                    hosts=(host.name,),
                )
            )
    return found
