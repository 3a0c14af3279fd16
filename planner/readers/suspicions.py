"""Figures that were read without complaint and are still unlikely: one note a kind, with how many and an example."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from planner.inventory import Inventory
from planner.readers.machines import STATISTICS
from planner.readers.tables import counted, note

ODD_STEP_GIB = 0.5
"""Memory is sold in these steps, or in powers of two below."""

SLACK = 1.05
"""Use is measured with turbo and rounding: up to this much above what is given is no finding."""


def suspicions(inventory: Inventory, *, any_size: bool = False) -> list[dict]:
    """Notes of kind ``suspicious`` on workloads to place.

    A workload larger than any host of its pool, use of more than all that is given, memory that nobody gives out (no
    power of two and no multiple of 512 MiB), parts of a CPU, and storage of 0 where others have some; with `any_size`
    neither odd memory nor a part of a CPU is one.
    """
    frame = inventory.workloads
    if frame.empty:
        return []
    where = {"file": ", ".join(inventory.sources)}
    notes = []
    for rows, message, column, unit in (*_larger_than_hosts(inventory), *_use(inventory), *_odd(frame, any_size)):
        if rows.any():
            first = int(np.flatnonzero(rows)[0])
            name, figure = frame["name"].iloc[first], frame[column].iloc[first]
            example = f"such as {name!r} with {figure:,.6g}{unit}"
            text = f"{counted(int(rows.sum()), 'workload')} {message}; {example}"
            notes.append(note("suspicious", text, **where, column=column, subject=name, count=rows.sum()))
    return notes


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


def _odd(frame: pd.DataFrame, any_size: bool) -> Iterator[tuple[np.ndarray, str, str, str]]:
    memory = frame["memory_gib"]
    if not any_size:
        log2 = np.log2(memory.where(memory > 0))
        odd = (memory > 0) & ~np.isclose(memory % ODD_STEP_GIB, 0) & ~np.isclose(log2, np.round(log2))
        odd &= ~np.isclose(memory % ODD_STEP_GIB, ODD_STEP_GIB)
        yield odd.to_numpy(), "with memory that is no power of two and no multiple of 512 MiB", "memory_gib", " GiB"
        yield (frame["vcpus"] % 1 != 0).to_numpy(), "with a part of a CPU", "vcpus", " vCPUs"
    empty = (frame["storage_gib"] == 0).to_numpy()
    if not empty.all():
        yield empty, "without any storage", "storage_gib", " GiB"
