"""The clusters of the synthetic virtual estate: hosts of two generations, and the mix of machines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Generation:
    """What hosts bought together have in common."""

    cpu_model: str
    model: str
    sockets: int
    cores_per_socket: int
    mhz: int
    memory_mib: int
    evc: str

    @property
    def cores(self) -> int:
        return self.sockets * self.cores_per_socket


# Real CPU names carry runs of blanks, and a host reports a little less memory than is installed.
OLDER = Generation(
    cpu_model="Intel(R) Xeon(R) Gold 6142 CPU      @ 2.60GHz",
    model="Sample Server 1U G1",
    sockets=2,
    cores_per_socket=16,
    mhz=2594,
    memory_mib=392_869,
    evc="intel-skylake",
)
NEWER = Generation(
    cpu_model="Intel(R)  Xeon(R)  Gold 6342 CPU @ 2.80GHz",
    model="Sample Server 2U G2",
    sockets=2,
    cores_per_socket=24,
    mhz=2793,
    memory_mib=523_926,
    evc="intel-icelake",
)


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster: its hosts by generation, and the mix of machines that makes CPU or memory bind."""

    name: str
    key: str
    hosts: tuple[Generation, ...]
    machines: int
    vcpu_weights: dict[int, int]
    gib_per_vcpu_weights: dict[int, int]


CLUSTERS = (
    Cluster(
        name="PROD-A",
        key="a",
        hosts=(OLDER,) * 8 + (NEWER,) * 6,
        machines=335,
        vcpu_weights={1: 22, 2: 43, 4: 27, 8: 7, 16: 1},
        gib_per_vcpu_weights={1: 6, 2: 30, 4: 46, 8: 15, 16: 3},
    ),
    Cluster(
        name="PROD-B",
        key="b",
        hosts=(NEWER,) * 12,
        machines=300,
        vcpu_weights={1: 20, 2: 44, 4: 27, 8: 8, 16: 1},
        gib_per_vcpu_weights={1: 6, 2: 27, 4: 48, 8: 16, 16: 3},
    ),
    Cluster(
        name="TEST",
        key="t",
        hosts=(OLDER,) * 8,
        machines=155,
        vcpu_weights={1: 16, 2: 38, 4: 32, 8: 11, 16: 2, 32: 1},
        gib_per_vcpu_weights={1: 28, 2: 42, 4: 28, 8: 2},
    ),
)
