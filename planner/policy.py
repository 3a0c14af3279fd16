"""Policy: how table figures become demand and capacity.

For workload `w`, host `h` and resource `r`, with `sized` and `weight` as the module `sizing` has them::

    demand[w, cpu]    = sized * weight, in vCPU or GHz
    demand[w, memory] = max(sized, reserved) * weight + reserved * (overcommit.memory - weight)
                        + hypervisor.memory_gib_per_workload
    demand[w, r]      = growth.factor * table[w, r]
    capacity[h, cpu]  = cores[h] * overcommit.cpu * (1 - headroom.cpu)       in vCPU
                      = cores[h] * ghz[h] * (1 - headroom.cpu)               in GHz, where every workload is measured
    capacity[h, r]    = (table[h, r] - hypervisor overhead per host) * overcommit[r] * (1 - headroom[r])
    cores[h]          = (table[h, cores] - hypervisor.cores_per_host) * perf[h] * threads[h]
    threads[h]        = sizing.hyper_threading_weight where the host has hyper-threading, else 1

A blank capacity is not limited. `perf` brings generations of processors together: the speed of one core relative to the
reference core, at the same clock where CPU is counted in GHz. A ceiling on utilisation is 1 - headroom: a host is never
filled beyond it. Only memory and CPU are overcommitted; GPUs, the cap on workloads and further resources know neither
growth nor headroom.
Where storage is shared by a pool it limits no host; see `storage`.
Where `time` plans by the hour, what a series of use needs in each hour takes the place of `sized`; see `periods`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from planner import catalogue, settings
from planner.errors import InputError, did_you_mean, nearest
from planner.periods import Periods
from planner.sizing import Overcommit, Sizing, cpu_weight, figures
from planner.storage import Storage

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
FailoverMode = Literal["share", "spare", "verified"]
RELAXABLE = {"overcommit": ("cpu", "memory"), "headroom": ("cpu", "memory", "storage", "network", "iops")}
HYPERVISOR_FIGURES = {
    "cores_per_host": 1024,
    "memory_gib_per_host": 65536,
    "storage_gib_per_host": 1048576,
    "memory_gib_per_workload": 1024,
}
"""Figures of a hypervisor, and the most that each may be."""


def _choice(value: object, name: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name}: found {value!r}{did_you_mean(str(value), choices)}")


@dataclass(frozen=True, kw_only=True)
class Headroom:
    """Share of each resource of a host that a plan leaves free, from 0 to below 1: its ceiling is 1 - headroom."""

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
    """What the hypervisor itself takes from each host, and adds to each workload.

    Figures that are not given are those of the catalogue for `name`; a name that the catalogue does not have takes 0
    for them, and has to give at least one itself.

    Examples
    --------
    >>> Hypervisor(name="nutanix-ahv", memory_gib_per_host=48).cores_per_host
    8.0
    """

    name: str = "none"
    cores_per_host: float | None = None
    memory_gib_per_host: float | None = None
    storage_gib_per_host: float | None = None
    memory_gib_per_workload: float | None = None

    def __post_init__(self):
        known = _hypervisors()
        given = [name for name in HYPERVISOR_FIGURES if getattr(self, name) is not None]
        unknown = self.name not in known
        if unknown and (not given or (len(given) < len(HYPERVISOR_FIGURES) and nearest(self.name, known))):
            raise InputError(f"hypervisor.name: found {self.name!r}{did_you_mean(self.name, known)}")
        for name, most in HYPERVISOR_FIGURES.items():
            if name not in given:
                object.__setattr__(self, name, 0.0 if unknown else known[self.name][name])
            settings.require(getattr(self, name), f"hypervisor.{name}", 0, most)

    @classmethod
    def known(cls, name: str) -> Hypervisor:
        """The overhead that the catalogue gives for a hypervisor.

        Raises
        ------
        InputError
            A hypervisor that the catalogue does not have.
        """
        _choice(name, "hypervisor", tuple(_hypervisors()))
        return cls(name=name)


@cache
def _hypervisors() -> dict[str, dict[str, float]]:
    """Figures of the catalogue by hypervisor."""
    rows = catalogue.table("hypervisors")
    return {
        name: dict(zip(own["field"], own["value"].astype(float), strict=True))
        for name, own in rows.groupby("name", sort=False)
    }


@cache
def _preset(name: str) -> dict:
    """Figures of a preset as the catalogue has them, by part of a policy."""
    rows = catalogue.table("presets")
    values: dict = {"name": name}
    for row in rows[rows["preset"] == name].itertuples(index=False):
        part, key = row.field.split(".")
        if row.field == "hypervisor.name":
            values["hypervisor"] = settings.to_dict(Hypervisor.known(row.value))
        else:
            values.setdefault(part, {})[key] = int(row.value) if row.field == "failover.hosts" else float(row.value)
    return values


RELAXED = tuple(f"{part}_{name}" for part, names in RELAXABLE.items() for name in names)
"""Figures that a failover may relax while hosts are lost."""


@dataclass(frozen=True, kw_only=True)
class Failover:
    """How many hosts of a pool may fail at once without a workload being lost.

    ``share``: the pool's demand fits into the capacity that is left when its `hosts` largest hosts are lost, resource
    by resource (a percentage reserve); a host that carries nothing counts only if it could carry any one workload of
    the pool. ``spare``: `hosts` hosts of the pool carry nothing and could each take over the load of any other. In
    both a host that carries nothing counts only if the rules let a workload of the pool run there.
    ``verified``: for the loss of any 1 to `hosts` hosts of a pool, or domains of `within`, the plan says where every
    lost workload restarts: on a host of the plan that is left, under every rule, beside what runs there and stays.

    Parameters
    ----------
    hosts : int
        How many are lost at once; domains of `within` where it is not "host".
    mode : {"share", "spare", "verified"}
    within : str
        What is lost as one: "host", or the column of hosts that names it: "rack", or any other such as "fault_domain".
        All hosts of a domain are lost at once, whatever pool they are in.
    overcommit_cpu, overcommit_memory : float, optional
        Overcommit while hosts are lost, at least the policy's; None: as in normal running.
    headroom_cpu, headroom_memory, headroom_storage, headroom_network, headroom_iops : float, optional
        Headroom while hosts are lost, at most the policy's; None: as in normal running.

    Examples
    --------
    >>> Failover(hosts=1, mode="verified", overcommit_cpu=6.0, headroom_cpu=0.0).relaxed
    {'overcommit_cpu': 6.0, 'headroom_cpu': 0.0}
    """

    hosts: int = 0
    mode: FailoverMode = "share"
    within: str = "host"
    overcommit_cpu: float | None = None
    overcommit_memory: float | None = None
    headroom_cpu: float | None = None
    headroom_memory: float | None = None
    headroom_storage: float | None = None
    headroom_network: float | None = None
    headroom_iops: float | None = None

    def __post_init__(self):
        settings.require(self.hosts, "failover.hosts", 0, 64)
        if self.hosts != int(self.hosts):
            raise InputError(f"failover.hosts: found {self.hosts!r}, expected a whole number")
        object.__setattr__(self, "hosts", int(self.hosts))
        _choice(self.mode, "failover.mode", get_args(FailoverMode))
        if not isinstance(self.within, str) or not self.within.strip():
            raise InputError(f"failover.within: found {self.within!r}, expected 'host' or a column of hosts: 'rack'")
        for name, value in self.relaxed.items():
            settings.require(value, f"failover.{name}", *((0.1, 64) if name.startswith("overcommit") else (0, 0.95)))
        given = [*self.relaxed, *(["within"] if self.within != "host" else [])]
        if given and self.mode != "verified":
            raise InputError(
                f"failover.{given[0]}: found {getattr(self, given[0])!r} with mode {self.mode!r}, expected mode "
                "'verified': no other judges what happens when hosts are lost"
            )

    @property
    def relaxed(self) -> dict[str, float]:
        """The figures that hold while hosts are lost in place of the policy's."""
        return {name: getattr(self, name) for name in RELAXED if getattr(self, name) is not None}

    @property
    def is_verified(self) -> bool:
        """Whether a plan has to say where lost workloads restart."""
        return self.hosts > 0 and self.mode == "verified"


@dataclass(frozen=True, kw_only=True)
class Growth:
    """Growth of every demand, compounding over the years planned for; a memory reservation does not grow by itself.

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
    storage: Storage = field(default_factory=Storage)
    time: Periods = field(default_factory=Periods)

    def __post_init__(self):
        self._require_copies()
        for name, value in self.failover.relaxed.items():
            part, resource = name.split("_", 1)
            normal = getattr(getattr(self, part), resource)
            if (value < normal) if part == "overcommit" else (value > normal):
                limit = "at least" if part == "overcommit" else "at most"
                raise InputError(
                    f"failover.{name}: found {value:g}, stricter than {part}.{resource} in normal running, expected "
                    f"{limit} {normal:g}"
                )

    def _require_copies(self) -> None:
        """Raise an InputError where a vSAN would lose data in a failure that plans are to survive."""
        storage, failover = self.storage, self.failover
        if storage.mode != "vsan" or not failover.is_verified:
            return
        if failover.within != "host":
            raise InputError(
                f"failover.within: found {failover.within!r} with storage.mode 'vsan', which keeps its copies on "
                "different hosts, not on different domains; expected 'host'"
            )
        if failover.hosts > storage.failures_to_tolerate:
            raise InputError(
                f"failover.hosts: found {failover.hosts} to be lost at once with a vSAN that tolerates "
                f"{storage.failures_to_tolerate}, expected at most so many, or a larger storage.failures_to_tolerate"
            )

    @property
    def in_failure(self) -> Policy:
        """The policy while hosts are lost: overcommit and headroom as the failover relaxes them, and no reserve."""
        changed = {part: {} for part in RELAXABLE}
        for name, value in self.failover.relaxed.items():
            part, resource = name.split("_", 1)
            changed[part][resource] = value
        parts = {part: replace(getattr(self, part), **values) for part, values in changed.items()}
        return replace(self, failover=Failover(), **parts)

    @classmethod
    def preset(cls, name: str) -> Policy:
        """One of the four presets: raw, dense, balanced, conservative; figures and sources in catalogue/presets.csv.

        Raises
        ------
        InputError
            A preset that does not exist.
        """
        _choice(name, "policy", PRESETS)
        return settings.from_dict(cls, _preset(name), f"preset {name}")

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
        """Demand of each workload by resource, each an array of shape [workload], units as in `RESOURCE_UNITS`.

        Raises
        ------
        InputError
            A figure that the policy sizes by and that a workload lacks, or CPU in two units without a reference clock.
        """
        grown = self.growth.factor
        cpu = figures(workloads, "cpu", self.sizing.bases(workloads, "cpu")) * grown
        return {
            "cpu": cpu * cpu_weight(self.sizing, self.overcommit, workloads),
            "memory": self._memory(workloads) + self.hypervisor.memory_gib_per_workload,
            "storage": workloads["storage_gib"].to_numpy() * grown,
            "network": workloads["network_gbps"].to_numpy() * grown,
            "iops": workloads["iops"].to_numpy() * grown,
            "gpus": workloads["gpus"].to_numpy(),
            "workloads": np.ones(len(workloads)),
        }

    def _memory(self, workloads: pd.DataFrame) -> np.ndarray:
        basis = self.sizing.bases(workloads, "memory")
        sized = figures(workloads, "memory", basis) * self.growth.factor
        reserved = workloads["memory_reservation_gib"].to_numpy()
        weight = self.overcommit.weight("memory", basis, workloads["tier"])
        return np.maximum(sized, reserved) * weight + reserved * (self.overcommit.memory - weight)

    def demand_of_use(self, resource: str, used: np.ndarray, workloads: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
        """Demand for CPU or memory of some workloads that were measured over time.

        Parameters
        ----------
        resource : {"cpu", "memory"}
        used : array of float, shape [len(rows), P]
            GHz or GiB in each period.
        workloads : DataFrame
            All of them.
        rows : array of int
            The positions of those that were measured.
        """
        grown = used * self.growth.factor
        if resource == "cpu":
            return grown * cpu_weight(self.sizing, self.overcommit, workloads)[rows, None]
        reserved = workloads["memory_reservation_gib"].to_numpy()[rows, None]
        return np.maximum(grown, reserved) * self.overcommit.memory + self.hypervisor.memory_gib_per_workload

    def busy_per_demand(self, workloads: pd.DataFrame, vcpu_activity: float) -> np.ndarray:
        """CPU that one unit of each workload's CPU demand keeps busy: cores, or GHz where that is the unit.

        A vCPU is busy for `vcpu_activity` of the time, whatever ratio its tier is promised at; measured CPU is what was
        measured.
        """
        if self.sizing.cpu_unit(workloads) == "GHz":
            return np.ones(len(workloads))
        allocated = self.sizing.bases(workloads, "cpu") == "allocated"
        weight = cpu_weight(self.sizing, self.overcommit, workloads)
        return np.where(allocated, vcpu_activity / weight, 1 / self.overcommit.cpu)

    def capacity_table(self, hosts: pd.DataFrame, cpu_unit: str) -> dict[str, np.ndarray]:
        """Capacity of each host by resource, each an array of shape [host], inf where not limited.

        Parameters
        ----------
        hosts : DataFrame
        cpu_unit : {"vCPU", "GHz"}
            As `sizing.cpu_unit` has it for the workloads that are to be placed.
        """
        threads = np.where(hosts["hyper_threading"] == "yes", self.sizing.hyper_threading_weight, 1.0)
        cores = np.maximum(hosts["cores"].to_numpy() - self.hypervisor.cores_per_host, 0) * hosts["perf"].to_numpy()
        by_core = hosts["ghz"].to_numpy() if cpu_unit == "GHz" else self.overcommit.cpu
        memory = np.maximum(hosts["memory_gib"].to_numpy() - self.hypervisor.memory_gib_per_host, 0)
        storage = np.maximum(hosts["storage_gib"].to_numpy() - self.hypervisor.storage_gib_per_host, 0)
        unlimited = np.full(len(hosts), np.inf)
        table = {
            "cpu": cores * threads * by_core * (1 - self.headroom.cpu),
            "memory": memory * self.overcommit.memory * (1 - self.headroom.memory),
            "storage": storage * (1 - self.headroom.storage) if self.storage.mode == "host" else unlimited,
            "network": hosts["network_gbps"].to_numpy() * (1 - self.headroom.network),
            "iops": hosts["iops"].to_numpy() * (1 - self.headroom.iops),
            "gpus": hosts["gpus"].to_numpy(),
            "workloads": hosts["max_workloads"].to_numpy(),
        }
        return {name: np.where(np.isnan(values), np.inf, values) for name, values in table.items()}
