"""Tables of one file that say what each other is: hosts beside the VMs that they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from planner.readers.cells import cells_of
from planner.readers.mapping.attributes import columns_of
from planner.readers.mapping.profiles import profile
from planner.readers.mapping.proposals import Found, as_hosts_of, titled
from planner.schema.words import table_of

NEEDED_FOR_DOUBT = 2
"""What a table must have of what it needs to look like one that could not be read."""


def told_apart(every: Sequence[Found]) -> list[Found]:
    """The tables of a file, those of servers beside a list of VMs read as hosts where that is what they are.

    Servers are hosts where the VMs name them as theirs, where their sheet is called so, or where they have no storage,
    which workloads have; the last is a guess. A remark marks servers that are none of this and as large as hosts.
    """
    of_vms = [found for found in every if _is_of_vms(found)]
    others = [found for found in every if found.mapped.is_sure and found.mapped.table == "workloads"]
    if not of_vms or len(others) == len(of_vms):
        return list(every)
    return [_judged(found, of_vms) if found in others and found not in of_vms else found for found in every]


def unread_hosts(every: Sequence[Found]) -> Found | None:
    """The first table on a sheet called hosts that has some of what hosts need and is not read, as one of hosts."""
    read = {found.region.sheet.name for found in every if found.mapped.is_sure}
    for found in every:
        name = found.region.sheet.name
        if table_of(name) != "hosts" or name in read:
            continue
        hosts = as_hosts_of(found)
        needed = [one for one in hosts.mapped.columns if columns_of("hosts")[one.attribute].required]
        if len(needed) >= NEEDED_FOR_DOUBT:
            return hosts
    return None


def _is_of_vms(found: Found) -> bool:
    """Whether a table of workloads is called VMs, by its sheet, a title or the heading of its names."""
    mapped = found.mapped
    if mapped.table != "workloads" or not mapped.is_sure:
        return False
    title = titled(found.region, found.at)
    return title != "hosts" and "workloads" in (title, table_of(mapped.attributes["name"].heading))


def _judged(found: Found, of_vms: Sequence[Found]) -> Found:
    hosts = as_hosts_of(found)
    names = {str(cell).casefold() for cell in _cells(found, "name") if cell is not None}
    carriers = {str(cell).casefold() for vms in of_vms for cell in _cells(vms, "host") if cell is not None}
    beside = of_vms[0].region.sheet.name
    what = f"beside VMs on sheet {beside!r}" if beside else "beside VMs"
    if table_of(found.region.sheet.name) == "hosts":
        # What is called hosts and lacks what hosts need is refused, see `unread_hosts`.
        return hosts
    if hosts.mapped.is_sure and names & carriers:
        return _remarked(hosts, "guessed", f"servers {what} that run on them: read as hosts")
    if hosts.mapped.is_sure and "storage_gib" not in found.mapped.attributes:
        return _remarked(hosts, "guessed", f"servers without storage {what}: read as hosts")
    own, given = _figures(found), [figure for vms in of_vms for figure in _figures(vms)]
    if own and given and min(own) >= max(given) and median(own) > median(given):
        return _remarked(found, "suspicious", f"servers {what}, each as large as the largest: are they its hosts?")
    return found


def _cells(found: Found, attribute: str) -> list[object]:
    one = found.mapped.attributes.get(attribute)
    if one is None:
        return []
    return cells_of([found.region.sheet.rows[at] for at in found.rows], found.region.labels(found.at)[one.heading])


def _figures(found: Found) -> tuple[float, ...]:
    """Memory of each machine, in the unit of its heading or cells."""
    heading = found.mapped.attributes["memory_gib"].heading
    return profile(heading, _cells(found, "memory_gib"), found.region.sheet.delimiter).values


def _remarked(found: Found, kind: str, message: str) -> Found:
    return replace(found, remarks=(*found.remarks, (kind, message)))
