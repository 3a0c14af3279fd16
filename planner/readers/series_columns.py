"""Headings of series: which column is the workload, the moment, CPU, memory and so on, and in which unit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from planner import units
from planner.errors import InputError, did_you_mean
from planner.readers.columns import fold

ALIASES = {
    "workload": (
        "workload", "name", "vm", "vmname", "host", "hostname", "server", "servername", "machine", "machinename",
        "machineid", "instance", "id", "vmid",
    ),
    "timestamp": ("timestamp", "time", "date", "datetime", "timestamputc", "timeutc", "moment"),
    "duration": ("duration",),
    "cpu": ("cpu", "cpuusage", "cpuused", "cpuutilization", "cpuutilisation", "cpuutil", "cpudemand", "usagecpu"),
    "memory": (
        "memory", "mem", "ram", "memoryusage", "memusage", "memoryused", "memused", "memoryutilization",
        "memoryutilisation", "memutil", "utilizedmemory", "activememory", "memoryactive",
    ),
    "storage": ("storage", "storageused", "diskused", "diskusage"),
    "network": (
        "network", "networkusage", "networkpersecsent", "networkpersecreceived", "networkreceivedthroughput",
        "networktransmittedthroughput",
    ),
    "iops": ("iops", "diskreadoperationspersec", "diskwriteoperationspersec", "readiops", "writeiops"),
}  # fmt: skip
"""Folded headings without their unit, by the part that a column plays; the first that stands wins."""

QUANTITY = {
    "cpu": {"GHz": "cpu_ghz", "share": "cpu_share"},
    "memory": {"GiB": "memory_gib", "share": "memory_share"},
    "storage": {"GiB": "storage_gib"},
    "network": {"Gbps": "network_gbps"},
    "iops": {"1/s": "iops"},
}
"""By part and unit that is converted to: the quantity of `planner.series`."""

SUMMED = frozenset({"network", "iops"})
"""Parts whose columns (sent and received, read and written) are added up."""

DURATION_SECONDS = {"ms": 0.001, "s": 1.0, "seconds": 1.0, "minutes": 60.0}
_SPELLINGS = sorted(
    {*units.GIB_PER_UNIT, *units.GHZ_PER_UNIT, *units.GBPS_PER_UNIT, *units.SHARE_PER_UNIT, *DURATION_SECONDS},
    key=len,
    reverse=True,
)
_UNIT = re.compile(rf"(?<![a-z])({'|'.join(map(re.escape, _SPELLINGS))})(?![a-z/])", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one column of a file plays: `factor` turns its numbers into the unit of `quantity`."""

    part: str
    position: int
    heading: str
    unit: str = ""
    quantity: str = ""
    factor: float = 1.0

    @property
    def wanted(self) -> str:
        """The unit of `quantity`; "" for counts."""
        units_of = {quantity: unit for unit, quantity in QUANTITY.get(self.part, {}).items()}
        return units_of[self.quantity] if self.part != "iops" else ""


def split(heading: str) -> tuple[str, str]:
    """A heading folded without its unit, and the unit.

    >>> split("cpu %"), split("CPU usage [MHZ]"), split("mem_gib"), split("UtilizedMemoryBytes")
    (('cpu', '%'), ('cpuusage', 'mhz'), ('mem', 'gib'), ('utilizedmemory', 'bytes'))
    """
    words = _CAMEL.sub(" ", heading).replace("_", " ")
    found = _UNIT.search(words)
    if found is None:
        return fold(words), ""
    return fold(words[: found.start()] + words[found.end() :]), found[1].lower()


def parts_of(headings: list[str], given: dict[str, str], file: str) -> list[Part]:
    """The part of each column that plays one; of two columns for one part the absolute one is read.

    Parameters
    ----------
    headings : list of str
    given : dict of str to str
        Unit by part, for headings that name none; ``""`` holds for every part.
    file : str
        For messages.

    Raises
    ------
    InputError
        A measured column whose unit is neither in its heading nor given, or in a unit of something else.
    """
    found: dict[str, list[Part]] = {}
    for position, heading in enumerate(headings):
        stem, unit = split(heading)
        part = next((part for part, names in ALIASES.items() if stem in names), None)
        if part is not None:
            found.setdefault(part, []).append(Part(part=part, position=position, heading=heading, unit=unit))
    chosen = []
    for part, candidates in found.items():
        if part in SUMMED:
            chosen += candidates
            continue
        order = ALIASES[part]
        best = min(
            candidates,
            key=lambda c: (
                c.unit in units.SHARE_PER_UNIT,
                not c.unit and part in QUANTITY,
                order.index(split(c.heading)[0]),
            ),
        )
        chosen.append(best)
    return [_measured(part, given, file) if part.part in QUANTITY else part for part in chosen]


def _measured(part: Part, given: dict[str, str], file: str) -> Part:
    unit = part.unit or given.get(part.part) or given.get("") or ""
    if part.part == "network" and unit in ("bytes", "b"):
        unit = "bytes/s"
    if part.part == "iops":
        return Part(part="iops", position=part.position, heading=part.heading, quantity="iops")
    wanted = QUANTITY[part.part]
    for to, quantity in wanted.items():
        factor = units.factor(unit, to) if unit else None
        if factor is not None:
            return Part(
                part=part.part,
                position=part.position,
                heading=part.heading,
                unit=unit,
                quantity=quantity,
                factor=factor,
            )
    known = [spelling for to in wanted for spelling in units.spellings(to)]
    if not unit:
        raise InputError(
            f"{file}, column {part.heading}: found no unit in the heading, expected one of {', '.join(known)}, "
            "or the unit given beside the file (unit)"
        )
    raise InputError(f"{file}, column {part.heading}: found unit {unit!r}{did_you_mean(unit, known)}")
