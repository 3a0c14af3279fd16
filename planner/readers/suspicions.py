"""Figures that were read without complaint and are still unlikely: one note a kind, with how many and an example."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from planner.inventory import Inventory
from planner.readers.machines import STATISTICS
from planner.readers.tables import note
from planner.units import counted

ODD_STEP_GIB = 0.5
"""Memory is sold in these steps, or in powers of two below."""

FASTEST_GHZ = 6.5
"""No core is faster: more than this for each vCPU is too much whatever the host."""

LEAST_CLOCK_GHZ, MOST_CLOCK_GHZ = 0.5, 10

LEAST_SHARE = 0.01
"""Where no machine uses more than this of what it has, fractions stand where percent are told, or units are wrong."""

LEAST_MEMORY_GIB = 1 / 16
MOST_GIB_PER_VCPU = 512

SLACK = 1.05
"""Use is measured with turbo and rounding: up to this much above what is given is no finding."""


def suspicions(inventory: Inventory, *, any_size: bool = False) -> list[dict]:
    """Notes of kind ``suspicious`` on workloads to place, and on the clock of hosts.

    A workload larger than any host of its pool, use of more than all that is given, memory that nobody gives out (no
    power of two and no multiple of 512 MiB), next to none or far too much for its vCPUs, parts of a CPU, storage of 0
    where others have some, and use of next to nothing by all; with `any_size` neither odd memory nor a part of a CPU is
    one.
    """
    frame = inventory.workloads
    where = {"file": ", ".join(inventory.sources)}
    notes = _clocks(inventory.hosts, where)
    if frame.empty:
        return notes
    for rows, message, column, unit in (
        *_larger_than_hosts(inventory),
        *_use(inventory),
        *_idle(frame),
        *_odd(frame, any_size),
    ):
        if rows.any():
            first = int(np.flatnonzero(rows)[0])
            name, figure = frame["name"].iloc[first], frame[column].iloc[first]
            example = f"such as {name!r} with {figure:,.6g}{unit}"
            text = f"{counted(int(rows.sum()), 'workload')} {message}; {example}"
            notes.append(note("suspicious", text, **where, column=column, subject=name, count=rows.sum()))
    return notes


def _clocks(hosts: pd.DataFrame, where: dict) -> list[dict]:
    """A note on hosts with a clock that no processor has: GHz where MHz are told, or the other way round."""
    strange = hosts[(hosts["ghz"] < LEAST_CLOCK_GHZ) | (hosts["ghz"] > MOST_CLOCK_GHZ)]
    if strange.empty:
        return []
    name, clock = strange["name"].iloc[0], strange["ghz"].iloc[0]
    message = (
        f"{counted(len(strange), 'host')} with a clock below {LEAST_CLOCK_GHZ:g} or above {MOST_CLOCK_GHZ:g} GHz: is "
        f"the unit right?; such as {name!r} with {clock:.6g} GHz"
    )
    return [note("suspicious", message, **where, column="ghz", subject=name, count=len(strange))]


def _larger_than_hosts(inventory: Inventory) -> Iterator[tuple[np.ndarray, str, str, str]]:
    frame, hosts = inventory.workloads, inventory.hosts
    if hosts.empty:
        return
    threads = hosts["cores"] * np.where(hosts["hyper_threading"] == "yes", 2, 1)
    for column, sizes, unit in (("vcpus", threads, " vCPUs"), ("memory_gib", hosts["memory_gib"], " GiB")):
        largest = sizes.groupby(hosts["pool"]).max()
        anywhere = largest.get("", 0.0)
        own = frame["pool"].map(largest).fillna(0.0).where(frame["pool"] != "", sizes.max())
        limit = np.maximum(own, anywhere)
        rows = ((frame[column] > limit) & (limit > 0)).to_numpy()
        yield rows, "larger than any host of its pool", column, unit


def _use(inventory: Inventory) -> Iterator[tuple[np.ndarray, str, str, str]]:
    frame = inventory.workloads
    clock = frame["host"].map(dict(zip(inventory.hosts["name"], inventory.hosts["ghz"], strict=True))).astype(float)
    clock = clock.fillna(FASTEST_GHZ)
    given = {"cpu_ghz": frame["vcpus"] * clock, "memory_gib": frame["memory_gib"]}
    for quantity, unit in (("cpu_ghz", " GHz"), ("memory_gib", " GiB")):
        for name in STATISTICS:
            column = f"{quantity}_{name}"
            yield (
                (frame[column] > SLACK * given[quantity]).to_numpy(),
                "using more than all that is given",
                column,
                unit,
            )
    for column in (f"cpu_share_{name}" for name in STATISTICS if f"cpu_share_{name}" in frame):
        yield (
            (frame[column].astype(float) > SLACK).to_numpy(),
            "using more than 100 % of its CPUs",
            column,
            " of its CPUs",
        )


def _idle(frame: pd.DataFrame) -> Iterator[tuple[np.ndarray, str, str, str]]:
    """Use that is next to nothing for every workload that has a figure."""
    for name in STATISTICS:
        for column, given, unit in (
            (f"cpu_share_{name}", 1.0, " of its CPUs"),
            (f"memory_gib_{name}", frame["memory_gib"], " GiB"),
        ):
            if column not in frame:
                continue
            share = frame[column].astype(float) / given
            if share.count() > 1 and 0 < share.max() <= LEAST_SHARE:
                message = (
                    f"using at most {LEAST_SHARE:.0%} of what is given, as all do: are these fractions, not percent?"
                )
                yield (share > 0).to_numpy(), message, column, unit


def _odd(frame: pd.DataFrame, any_size: bool) -> Iterator[tuple[np.ndarray, str, str, str]]:
    memory = frame["memory_gib"]
    if not any_size:
        log2 = np.log2(memory.where(memory > 0))
        odd = (memory > 0) & ~np.isclose(memory % ODD_STEP_GIB, 0) & ~np.isclose(log2, np.round(log2))
        odd &= ~np.isclose(memory % ODD_STEP_GIB, ODD_STEP_GIB)
        yield odd.to_numpy(), "with memory that is no power of two and no multiple of 512 MiB", "memory_gib", " GiB"
        tiny = (memory > 0) & (memory < LEAST_MEMORY_GIB)
        yield tiny.to_numpy(), "with less than 64 MiB of memory: is the unit right?", "memory_gib", " GiB"
        much = (frame["vcpus"] > 0) & (memory > MOST_GIB_PER_VCPU * frame["vcpus"])
        message = f"with more than {MOST_GIB_PER_VCPU} GiB of memory for each vCPU: is the unit right?"
        yield much.to_numpy(), message, "memory_gib", " GiB"
        yield (frame["vcpus"] % 1 != 0).to_numpy(), "with a part of a CPU", "vcpus", " vCPUs"
    empty = (frame["storage_gib"] == 0).to_numpy()
    if not empty.all():
        yield empty, "without any storage", "storage_gib", " GiB"
