"""Policy: how table figures become demand and capacity.

For workload `w`, host `h` and resource `r`::

    demand[w, r]   = growth.factor * table[w, r] + hypervisor overhead per workload
    capacity[h, r] = (table[h, r] - hypervisor overhead per host) * overcommit[r] * (1 - headroom[r])

A blank capacity is not limited. CPU capacity counts cores times `perf`, their speed relative to the reference core.
Where `time` plans by the hour, what a series of use needs in each hour takes the table figure's place; see `periods`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from planner import catalogue, settings
from planner.errors import InputError, did_you_mean
from planner.periods import Periods

PRESETS = ("raw", "dense", "balanced", "conservative")
RESOURCES = ("cpu", "memory", "storage", "network", "iops", "gpus", "workloads")
"""Resources that every problem knows, in the order in which they are shown; `workloads` is the cap on their number."""

RESOURCE_UNITS = {
    "cpu": "vCPU",
    "memory": "GiB",
    "storage": "GiB",
    "network": "Gbps",
    "iops": "1/s",
    "gpus": "GPU",
    "workloads": "workloads",
}
Basis = Literal["allocated", "used"]
FailoverMode = Literal["share", "spare"]


def _choice(value: object, name: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name}: found {value!r}{did_you_mean(str(value), choices)}")


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """What a workload is taken to need: what it was given, or what it was measured to use.

    With ``cpu="used"`` demand is `cpu_ghz_used` and a host offers cores x GHz x perf without overcommit; with
    ``memory="used"`` demand is `memory_gib_used`. A workload without the measurement is then an error, not a guess.
    """

    cpu: Basis = "allocated"
    memory: Basis = "allocated"

    def __post_init__(self):
        _choice(self.cpu, "sizing.cpu", get_args(Basis))
        _choice(self.memory, "sizing.memory", get_args(Basis))


@dataclass(frozen=True, kw_only=True)
class Overcommit:
    """How many vCPUs are promised per core, and how many GiB per GiB of memory."""

    cpu: float = 1.0
    memory: float = 1.0

    def __post_init__(self):
        settings.require(self.cpu, "overcommit.cpu", 0.1, 64)
        settings.require(self.memory, "overcommit.memory", 0.1, 10)


@dataclass(frozen=True, kw_only=True)
class Headroom:
    """Share of each resource of a host that a plan leaves free, from 0 to below 1."""

    cpu: float = 0.0
    memory: float = 0.0
    storage: float = 0.0
    network: float = 0.0
    iops: float = 0.0

    def __post_init__(self):
        for name in ("cpu", "memory", "storage", "network", "iops"):
            settings.require(getattr(self, name), f"headroom.{name}", 0, 0.95)


@dataclass(frozen=True, kw_only=True)
class Hypervisor:
    """What the hypervisor itself takes from each host, and adds to each workload."""

    name: str = "none"
    cores_per_host: float = 0.0
    memory_gib_per_host: float = 0.0
    storage_gib_per_host: float = 0.0
    memory_gib_per_workload: float = 0.0

    def __post_init__(self):
        settings.require(self.cores_per_host, "hypervisor.cores_per_host", 0, 1024)
        settings.require(self.memory_gib_per_host, "hypervisor.memory_gib_per_host", 0, 65536)
        settings.require(self.storage_gib_per_host, "hypervisor.storage_gib_per_host", 0, 1048576)
        settings.require(self.memory_gib_per_workload, "hypervisor.memory_gib_per_workload", 0, 1024)

    @classmethod
    def known(cls, name: str) -> Hypervisor:
        """The overhead that the catalogue gives for a hypervisor.

        Raises
        ------
        InputError
            A hypervisor that the catalogue does not have.
        """
        rows = catalogue.table("hypervisors")
        _choice(name, "hypervisor", tuple(rows["name"].unique()))
        rows = rows[rows["name"] == name]
        return cls(name=name, **dict(zip(rows["field"], rows["value"].astype(float), strict=True)))


@dataclass(frozen=True, kw_only=True)
class Failover:
    """How many hosts of a pool may fail at once without a workload being lost.

    ``share``: the pool's demand fits into the capacity that is left when its `hosts` largest hosts are lost, resource
    by resource (a percentage reserve); a host that carries nothing counts only if it could carry any one workload of
    the pool. ``spare``: `hosts` hosts of the pool carry nothing and could each take over the load of any other.
    """

    hosts: int = 0
    mode: FailoverMode = "share"

    def __post_init__(self):
        settings.require(self.hosts, "failover.hosts", 0, 64)
        if self.hosts != int(self.hosts):
            raise InputError(f"failover.hosts: found {self.hosts!r}, expected a whole number")
        object.__setattr__(self, "hosts", int(self.hosts))
        _choice(self.mode, "failover.mode", get_args(FailoverMode))


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Growth of every demand, compounding over the years planned for.

    Examples
    --------
    >>> round(Growth(per_year=0.10, years=3).factor, 3)
    1.331
    """

    per_year: float = 0.0
    years: float = 0.0

    def __post_init__(self):
        settings.require(self.per_year, "growth.per_year", -0.5, 5)
        settings.require(self.years, "growth.years", 0, 30)

    @property
    def factor(self) -> float:
        return (1 + self.per_year) ** self.years


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How table figures become demand and capacity; see the module for the formulas.

    Examples
    --------
    >>> Policy.preset("balanced").overcommit.cpu
    4.0
    >>> Policy.from_toml(Policy.preset("dense").to_toml()) == Policy.preset("dense")
    True
    """

    name: str = "raw"
    sizing: Sizing = field(default_factory=Sizing)
    overcommit: Overcommit = field(default_factory=Overcommit)
    headroom: Headroom = field(default_factory=Headroom)
    hypervisor: Hypervisor = field(default_factory=Hypervisor)
    failover: Failover = field(default_factory=Failover)
    growth: Growth = field(default_factory=Growth)
    time: Periods = field(default_factory=Periods)

    @classmethod
    def preset(cls, name: str) -> Policy:
        """One of the four presets: raw, dense, balanced, conservative; figures and sources in catalogue/presets.csv.

        Raises
        ------
        InputError
            A preset that does not exist.
        """
        _choice(name, "policy", PRESETS)
        rows = catalogue.table("presets")
        values: dict = {"name": name}
        for row in rows[rows["preset"] == name].itertuples(index=False):
            part, key = row.field.split(".")
            if row.field == "hypervisor.name":
                values["hypervisor"] = settings.to_dict(Hypervisor.known(row.value))
            else:
                values.setdefault(part, {})[key] = int(row.value) if row.field == "failover.hosts" else float(row.value)
        return settings.from_dict(cls, values, f"preset {name}")

    @classmethod
    def from_toml(cls, text: str) -> Policy:
        """The policy written in TOML text; keys that are missing are as in preset raw."""
        return settings.from_dict(cls, settings.parse_toml(text, "policy"), "policy")

    @classmethod
    def read(cls, name_or_path: str | Path) -> Policy:
        """A preset by name, or a policy from a TOML file."""
        if str(name_or_path) in PRESETS:
            return cls.preset(str(name_or_path))
        if Path(name_or_path).suffix.lower() != ".toml":
            raise InputError(
                f"policy: found {str(name_or_path)!r}, expected {', '.join(PRESETS)} or a .toml file"
                f"{did_you_mean(str(name_or_path), PRESETS)}"
            )
        return settings.from_dict(cls, settings.read_toml(name_or_path), Path(name_or_path).name)

    def to_toml(self) -> str:
        """The policy as TOML text, every figure in it."""
        return settings.to_toml(settings.to_dict(self))

    def by_time(self, by: str, time_zone: str | None = None) -> Policy:
        """The policy with demand planned by the hour; CPU sized by allocation is then sized by use.

        Parameters
        ----------
        by : {"none", "hour_of_day", "hour_of_week"}
        time_zone : str, optional
            Whose clock tells the hour; the policy's own by default.
        """
        time = replace(self.time, by=by, time_zone=time_zone or self.time.time_zone)
        allocated = by != "none" and self.sizing.cpu == "allocated"
        return replace(self, time=time, sizing=replace(self.sizing, cpu="used") if allocated else self.sizing)

    def demand_table(self, workloads: pd.DataFrame) -> dict[str, np.ndarray]:
        """Demand of each workload by resource, each an array of shape [workload], units as in `RESOURCE_UNITS`."""
        grown = self.growth.factor
        cpu = "vcpus" if self.sizing.cpu == "allocated" else "cpu_ghz_used"
        memory = "memory_gib" if self.sizing.memory == "allocated" else "memory_gib_used"
        return {
            "cpu": workloads[cpu].to_numpy() * grown,
            "memory": workloads[memory].to_numpy() * grown + self.hypervisor.memory_gib_per_workload,
            "storage": workloads["storage_gib"].to_numpy() * grown,
            "network": workloads["network_gbps"].to_numpy() * grown,
            "iops": workloads["iops"].to_numpy() * grown,
            "gpus": workloads["gpus"].to_numpy(),
            "workloads": np.ones(len(workloads)),
        }

    def demand_of_use(self, resource: str, used: np.ndarray) -> np.ndarray:
        """Demand for CPU or memory that was measured in use: growth, and the overhead per workload."""
        overhead = self.hypervisor.memory_gib_per_workload if resource == "memory" else 0.0
        return used * self.growth.factor + overhead

    def capacity_table(self, hosts: pd.DataFrame) -> dict[str, np.ndarray]:
        """Capacity of each host by resource, each an array of shape [host], inf where not limited."""
        cores = np.maximum(hosts["cores"].to_numpy() - self.hypervisor.cores_per_host, 0) * hosts["perf"].to_numpy()
        by_core = self.overcommit.cpu if self.sizing.cpu == "allocated" else hosts["ghz"].to_numpy()
        memory = np.maximum(hosts["memory_gib"].to_numpy() - self.hypervisor.memory_gib_per_host, 0)
        storage = np.maximum(hosts["storage_gib"].to_numpy() - self.hypervisor.storage_gib_per_host, 0)
        table = {
            "cpu": cores * by_core * (1 - self.headroom.cpu),
            "memory": memory * self.overcommit.memory * (1 - self.headroom.memory),
            "storage": storage * (1 - self.headroom.storage),
            "network": hosts["network_gbps"].to_numpy() * (1 - self.headroom.network),
            "iops": hosts["iops"].to_numpy() * (1 - self.headroom.iops),
            "gpus": hosts["gpus"].to_numpy(),
            "workloads": hosts["max_workloads"].to_numpy(),
        }
        return {name: np.where(np.isnan(values), np.inf, values) for name, values in table.items()}
