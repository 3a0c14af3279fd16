"""CPU use that an export tells in percent, as GHz."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.inventory import Inventory, notes_frame
from planner.readers.machines import STATISTICS
from planner.readers.tables import note
from planner.units import counted


def in_ghz(inventory: Inventory, ghz_per_vcpu: float | None) -> Inventory:
    """The inventory with shares of CPU turned into GHz: share x vCPUs x the clock of today's host.

    Parameters
    ----------
    inventory : Inventory
        With columns such as `cpu_share_peak` beside those of the schema.
    ghz_per_vcpu : float, optional
        Clock to use instead.

    Raises
    ------
    InputError
        A clock that no processor has.
    """
    if ghz_per_vcpu is not None and not 0.01 <= ghz_per_vcpu <= 20:
        raise InputError(f"ghz_per_vcpu: found {ghz_per_vcpu!r}, expected a number from 0.01 to 20")
    columns = [name for name in STATISTICS if f"cpu_share_{name}" in inventory.workloads]
    if not columns:
        return inventory
    clocks = dict(zip(inventory.hosts["name"], inventory.hosts["ghz"], strict=True))
    tables = {}
    unknown = np.zeros(len(inventory.workloads), dtype=bool)
    for table in ("workloads", "left_out"):
        frame = getattr(inventory, table).copy()
        clock = pd.Series(frame["host"].map(clocks), dtype=float) if ghz_per_vcpu is None else ghz_per_vcpu
        for name in columns:
            share = frame[f"cpu_share_{name}"].astype(float)
            ghz = share * frame["vcpus"] * clock
            blank = frame[f"cpu_ghz_{name}"].isna()
            frame[f"cpu_ghz_{name}"] = frame[f"cpu_ghz_{name}"].fillna(ghz)
            if table == "workloads":
                unknown |= (blank & share.notna() & ghz.isna()).to_numpy()
        tables[table] = frame
    notes = []
    if unknown.any():
        example = inventory.workloads["name"][unknown].iloc[0]
        message = (
            f"CPU use of {counted(int(unknown.sum()), 'workload')} is in percent and the clock of their hosts is not "
            f"known: not used; such as {example!r}; give ghz_per_vcpu, or hosts with their GHz"
        )
        notes.append(note("ignored", message, file=", ".join(inventory.sources), subject=example, column="cpu_share"))
    return replace(inventory, **tables, notes=notes_frame([*inventory.notes.to_dict("records"), *notes]))
