"""What an RVTools export guarantees VMs, or denies them: reservations, limits and latency sensitivity."""

from __future__ import annotations

import numpy as np

from planner.proposals import CPU_RESERVATION, Figure, Proposal
from planner.readers.columns import Column
from planner.readers.exports import Part
from planner.readers.formats.rvtools.estate import Estate
from planner.units import GHZ_PER_UNIT, GIB_PER_UNIT, counted

VM_COLUMNS = (Column(name="latency", label="Latency Sensitivity"),)
CPU_COLUMNS = (
    Column(name="cpu_reservation", label="Reservation", aliases=("Reservation MHz",)),
    Column(name="cpu_limit", label="Limit", aliases=("Limit MHz",)),
)
MEMORY_COLUMNS = (Column(name="memory_limit", label="Limit", aliases=("Limit MiB", "Limit MB")),)

_MIB, _MHZ = GIB_PER_UNIT["mib"], GHZ_PER_UNIT["mhz"]
LIMITED = "a limit below the memory that a VM is given makes it swap: planned for what it is given"


def guarantees(estate: Estate) -> list[Proposal]:
    """Proposals on memory and CPU that is reserved, memory that is limited, and VMs sensitive to latency.

    One each: a VM's own figure is what its column holds. A limit on CPU has no rule, so it is noted.
    """
    _note_cpu_limits(estate)
    found = (_memory_reservation(estate), _cpu_reservation(estate), _memory_limit(estate), _latency(estate))
    return [proposal for proposal in found if proposal is not None]


def _memory_reservation(estate: Estate) -> Proposal | None:
    part, owner = estate.detail("vMemory")
    reserved = estate.workloads["memory_reservation_gib"].to_numpy("float64")
    if part is None:
        return None
    title = "memory that is reserved is kept whole, {:,.6g} GiB in all"
    return _least(estate, part, owner, reserved, "memory_reservation_gib", "memory_reservation", title)


def _cpu_reservation(estate: Estate) -> Proposal | None:
    part, owner = estate.detail("vCPU")
    if part is None or not part.has("cpu_reservation"):
        return None
    reserved = _by_vm(estate, estate.figures(part, "cpu_reservation", _MHZ), owner)
    title = "CPU that is reserved is kept whole against cores x GHz of a host, {:,.6g} GHz in all"
    return _least(estate, part, owner, reserved, CPU_RESERVATION, "cpu_reservation", title)


def _least(
    estate: Estate, part: Part, owner: np.ndarray, reserved: np.ndarray, column: str, told: str, title: str
) -> Proposal | None:
    """A proposal that keeps what is reserved."""
    vms = np.flatnonzero((reserved > 0) & estate.kept)
    if not len(vms):
        return None
    values = {estate.names[vm]: float(reserved[vm]) for vm in vms}
    cpu = column == CPU_RESERVATION
    return Proposal(
        key=f"reservation/{'cpu' if cpu else 'memory'}",
        kind="reservation",
        title=title.format(sum(values.values())),
        members=tuple(values),
        figures=(Figure(column=column, bound="least", values=values, before=dict.fromkeys(values, 0.0)),),
        resource=column if cpu else "",
        **_source(estate, part, owner, int(vms[0]), told),
    )


def _memory_limit(estate: Estate) -> Proposal | None:
    part, owner = estate.detail("vMemory")
    if part is None or not part.has("memory_limit"):
        return None
    limit = _by_vm(estate, estate.figures(part, "memory_limit", _MIB), owner)
    given = estate.workloads["memory_gib"].to_numpy("float64")
    vms = np.flatnonzero((limit > 0) & (limit < given) & estate.kept)
    if not len(vms):
        return None
    values = {estate.names[vm]: float(limit[vm]) for vm in vms}
    before = {estate.names[vm]: float(given[vm]) for vm in vms}
    return Proposal(
        key="limit/memory",
        kind="limit",
        title=f"memory counts up to its limit: {sum(before.values()) - sum(values.values()):,.6g} GiB less",
        members=tuple(values),
        figures=(Figure(column="memory_gib", bound="most", values=values, before=before),),
        on=False,
        why=LIMITED,
        **_source(estate, part, owner, int(vms[0]), "memory_limit"),
    )


def _note_cpu_limits(estate: Estate) -> None:
    part, owner = estate.detail("vCPU")
    if part is None or not part.has("cpu_limit"):
        return
    limit = _by_vm(estate, estate.figures(part, "cpu_limit", _MHZ), owner)
    vms = np.flatnonzero((limit > 0) & estate.planned)
    if len(vms):
        message = f"{counted(len(vms), 'VM')} with limited CPU: no rule, all their vCPUs count; such as"
        row = int(np.flatnonzero(owner == vms[0])[0])
        estate.note("information", f"{message} {estate.names[vms[0]]!r}", part.origin, "cpu_limit", row)


def _latency(estate: Estate) -> Proposal | None:
    """All memory of the VMs whose latency sensitivity is high, since vSphere asks for a full reservation."""
    if not estate.vms.has("latency"):
        return None
    high = (estate.vms.frame["latency"].str.casefold() == "high").to_numpy() & estate.kept
    given = estate.workloads["memory_gib"].to_numpy("float64")
    reserved = np.nan_to_num(estate.workloads["memory_reservation_gib"].to_numpy("float64"))
    vms, origin = np.flatnonzero(high & (reserved < given)), estate.vms.origin
    if not len(vms):
        if (high & estate.planned).any():
            message = f"{counted(int(high.sum()), 'VM')} of high latency sensitivity: their memory is reserved already"
            estate.note("information", message, origin, "latency", int(np.flatnonzero(high)[0]))
        return None
    values = {estate.names[vm]: float(given[vm]) for vm in vms}
    figure = Figure(
        column="memory_reservation_gib", bound="least", values=values, before=dict.fromkeys(values, 0.0)
    )  # fmt: skip
    return Proposal(
        key="latency/high",
        kind="latency",
        title="all memory of VMs of high latency sensitivity is kept whole",
        members=tuple(values),
        figures=(figure,),
        file=estate.journal.file,
        sheet=origin.sheet,
        row=origin.row(int(vms[0])),
        column=origin.heading("latency"),
    )


def _by_vm(estate: Estate, values: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """The first filled value of each VM's rows, NaN where there is none."""
    found = np.full(len(estate.names), np.nan)
    filled = np.flatnonzero((owner >= 0) & ~np.isnan(values))[::-1]
    found[owner[filled]] = values[filled]
    return found


def _source(estate: Estate, part: Part, owner: np.ndarray, vm: int, column: str) -> dict:
    """Where the first VM of a proposal stands on a sheet."""
    return {
        "file": estate.journal.file,
        "sheet": part.origin.sheet,
        "row": part.origin.row(int(np.flatnonzero(owner == vm)[0])),
        "column": part.origin.heading(column),
    }
