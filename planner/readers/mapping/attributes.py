"""What columns of a sheet of no known tool may be: the schema's attributes, and figures that become some."""

from __future__ import annotations

from functools import cache

from planner import schema
from planner.errors import InputError, did_you_mean
from planner.readers.columns import Column
from planner.schema.words import STATISTICS

USAGE = "usage"
TABLES = (*schema.TABLES, USAGE)
"""Tables that may be found; usage is what machines of another file were measured to use."""

_NUMBERS = ("number", "integer")


@cache
def columns_of(table: str) -> dict[str, Column]:
    """What a column of a table may be, by name.

    Raises
    ------
    InputError
        No such table.

    Examples
    --------
    >>> columns_of("workloads")["cpu_share_used"].unit, columns_of("usage")["name"].required
    ('share', True)
    """
    if table not in TABLES:
        raise InputError(f"table: found {table!r}{did_you_mean(table, TABLES)}")
    source = schema.attributes("workloads" if table == USAGE else table)
    found = {
        attribute.name: Column(
            name=attribute.name,
            label=attribute.heading,
            unit=attribute.unit,
            type="number" if attribute.type in _NUMBERS else "flag" if attribute.type == "flag" else "text",
            required=attribute.required,
        )
        for attribute in source.values()
    }
    if table in ("workloads", USAGE):
        found |= _measured()
    if table == USAGE:
        kept = ("name", "vm_uuid", "bios_uuid", "network_gbps", "iops", *_measured())
        kept += tuple(f"{base}_{name}" for base in ("cpu_ghz", "memory_gib") for name in STATISTICS)
        found = {name: column for name, column in found.items() if name in kept}
    return found


def is_use(attribute: str) -> bool:
    """Whether an attribute is a figure of measured CPU or memory use."""
    base, _, statistic = attribute.rpartition("_")
    return statistic in STATISTICS and base in ("cpu_ghz", "cpu_share", "memory_gib", "memory_share")


def _measured() -> dict[str, Column]:
    """Columns that are no attribute of the schema: shares of CPU and memory, storage in use, identifiers."""
    found = {
        f"{what}_share_{name}": Column(
            name=f"{what}_share_{name}", label=f"{label} {name} (share)", unit="share", type="number"
        )
        for what, label in (("cpu", "CPU"), ("memory", "Memory"))
        for name in STATISTICS
    }
    found["storage_gib_used"] = Column(name="storage_gib_used", label="Storage used (GiB)", unit="GiB", type="number")
    found["vm_uuid"] = Column(name="vm_uuid", label="VM UUID")
    found["bios_uuid"] = Column(name="bios_uuid", label="BIOS UUID")
    return found
