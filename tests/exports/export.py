"""An export as a tool would write it, and the truth that a reader of it has to arrive at."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

REASONS = {"off": "powered off", "template": "template", "placeholder": "placeholder"}
"""States that are not planned for, and the reason that is given."""

_MOMENT = (2026, 1, 15, 9, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a file tells of one workload, in the planner's units, as written: after every rounding of the tool.

    Parameters
    ----------
    name : str
    state : str
        on, suspended, off, template or placeholder.
    vcpus : float
    memory_gib, storage_gib : float
        What it is given, not what it uses; storage is 0 where the format tells none.
    use : dict
        What it uses, by column of the planner's table such as `cpu_ghz_used`, or `cpu_vcpus_used`, `_average`, `_peak`
        and `_p95` where the file tells shares of its vCPUs and no clock.
    """

    name: str
    vcpus: float
    memory_gib: float
    storage_gib: float = 0.0
    state: str = "on"
    use: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Host:
    """What a file tells of one host: cores as written, memory in GiB."""

    name: str
    cores: float
    memory_gib: float


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Counts and totals of one export.

    Parameters
    ----------
    format : str
        Name of the format as people know it.
    workloads : int
        Workloads to plan for: on or suspended.
    left_out : dict
        Number of workloads by reason: powered off, template, placeholder.
    names : tuple of str
        Names of the workloads to plan for as they stand in the file, sorted, repeated where the file repeats them.
    vcpus, memory_gib, storage_gib : float
        Totals of the workloads to plan for.
    hosts : int
    host_cores, host_memory_gib : float
        Totals of the hosts that can be planned on; 0 where the format tells none.
    use : dict
        Totals of what workloads to plan for use, by column, see `Told`.
    dropped : tuple of str
        Names of rows that are no workload: "" for a row without a name, totals, pods that have ended.
    shared_storage_gib : float or None
        Datastores that several hosts of one cluster share, each counted once; None where the format does not say.
    refused : bool
        The file lacks what every plan needs, so it must be refused.
    """

    format: str
    workloads: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    vcpus: float = 0.0
    memory_gib: float = 0.0
    storage_gib: float = 0.0
    hosts: int = 0
    host_cores: float = 0.0
    host_memory_gib: float = 0.0
    use: Mapping[str, float] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    shared_storage_gib: float | None = None
    refused: bool = False


@dataclass(frozen=True, kw_only=True)
class Export:
    """Files of one export by name, and what is true of them.

    Parameters
    ----------
    name : str
        Key of the format and dialect.
    files : dict
        File name to content; several where the tool writes a folder or an archive.
    truth : Truth
    mapping : dict
        For sheets of no known tool: heading as it stands to the column of the planner's table that it means.
    """

    name: str
    files: Mapping[str, bytes]
    truth: Truth
    mapping: Mapping[str, str] = field(default_factory=dict)

    def as_zip(self) -> bytes:
        """All files in one archive, the same bytes each time."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.files.items():
                archive.writestr(zipfile.ZipInfo(name, _MOMENT), data, zipfile.ZIP_DEFLATED)
        return target.getvalue()

    def write(self, folder: Path) -> list[Path]:
        """Write the files under a folder, which is made where it is missing; returns their paths."""
        paths = [folder / name for name in self.files]
        for path, data in zip(paths, self.files.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return paths


def truth_of(
    format: str,
    told: Iterable[Told],
    hosts: Iterable[Host] = (),
    *,
    dropped: Iterable[str] = (),
    shared_storage_gib: float | None = None,
) -> Truth:
    """The totals of what a file tells."""
    told, hosts = list(told), list(hosts)
    planned = [one for one in told if one.state not in REASONS]
    columns = sorted({column for one in planned for column in one.use})
    return Truth(
        format=format,
        workloads=len(planned),
        left_out=dict(sorted(Counter(REASONS[one.state] for one in told if one.state in REASONS).items())),
        names=tuple(sorted(one.name for one in planned)),
        vcpus=sum(one.vcpus for one in planned),
        memory_gib=sum(one.memory_gib for one in planned),
        storage_gib=sum(one.storage_gib for one in planned),
        hosts=len(hosts),
        host_cores=sum(host.cores for host in hosts),
        host_memory_gib=sum(host.memory_gib for host in hosts),
        use={column: sum(one.use.get(column, 0.0) for one in planned) for column in columns},
        dropped=tuple(dropped),
        shared_storage_gib=shared_storage_gib,
    )
