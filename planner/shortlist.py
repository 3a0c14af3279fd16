"""Shortlist: of many host models the few that are current and whose size suits an estate."""

from __future__ import annotations

import numpy as np
import pandas as pd

CURRENT_YEARS = 3
"""Years before the newest model of a catalogue in which others count as current."""
HOSTS = 6.0
"""Hosts that an estate is spread over at best: enough that losing one costs little, few enough to look after."""
ROOM = 1.5
"""Times the largest workload that a host model is to offer: hypervisor and headroom take the rest."""
VCPUS_PER_CORE = 4.0
"""vCPUs that a core is reckoned to carry, as in the preset balanced."""
DEMANDS = {"vcpus": "cores", "memory_gib": "memory_gib", "storage_gib": "storage_gib", "network_gbps": "network_gbps"}
"""What a workload takes, and the column of a host model that offers it."""


def shortlist(models: pd.DataFrame, workloads: pd.DataFrame, most: int = 6) -> list[str]:
    """Names of at most so many host models to offer for an estate at first.

    Of the models that are current and on which the largest workload fits, those that no other one has as much of
    everything as for no more money, the nearest to `HOSTS` hosts for the whole estate first: by the scarcest of CPU,
    memory, storage and network, added up and divided. Where the largest workload has no room to spare on any current
    model, one that it just fits on will do, then one that is not current; where it fits on none, the current ones are
    there. A figure that is missing limits nothing.

    Parameters
    ----------
    models : DataFrame
        name, cores, memory_gib, storage_gib, network_gbps, price, and year where it is known.
    workloads : DataFrame
        vcpus, memory_gib, storage_gib, network_gbps, and count where rows stand for several.
    most : int

    Returns
    -------
    list of str
        In the order of `models`.

    Examples
    --------
    >>> sizes = {"cores": [8.0, 32.0, 96.0], "memory_gib": [64.0, 256.0, 768.0], "price": [2e3, 8e3, 2e4]}
    >>> models = pd.DataFrame({"name": ["s", "m", "l"]} | sizes)
    >>> shortlist(models, pd.DataFrame({"vcpus": [4.0] * 90, "memory_gib": [12.0] * 90}), most=1)
    ['m']
    """
    offered, needed = _figures(models, DEMANDS.values()), _figures(workloads, DEMANDS)
    roomy, fits = ((offered >= times * needed.max(axis=0, initial=0.0)).all(axis=1) for times in (ROOM, 1.0))
    year = models["year"] if "year" in models else pd.Series(np.nan, index=models.index)
    current = (year.isna() | (year >= year.max() - CURRENT_YEARS)).to_numpy()
    among = next(
        (few for few in (roomy & current, fits & current, fits, current) if few.any()), np.ones(len(models), dtype=bool)
    )
    rows = [i for i in np.flatnonzero(among) if not _is_beaten(models, offered, among, i)]
    counts = workloads["count"].fillna(1).to_numpy(dtype=float) if "count" in workloads else np.ones(len(workloads))
    total = (counts @ needed) / np.array([VCPUS_PER_CORE, 1.0, 1.0, 1.0])
    hosts = np.maximum((total / np.maximum(offered[rows], 1e-9)).max(axis=1), 1e-9)
    nearest = np.argsort(np.abs(np.log(hosts / HOSTS)), kind="stable")[:most]
    return models["name"].iloc[sorted(rows[i] for i in nearest)].tolist()


def _figures(table: pd.DataFrame, columns) -> np.ndarray:
    """Columns side by side: what is missing of a workload is 0, of a host model any amount."""
    blank = 0.0 if "vcpus" in table else np.inf
    known = [table[name] if name in table else pd.Series(blank, index=table.index) for name in columns]
    return np.column_stack([column.fillna(blank).to_numpy(dtype=float) for column in known])


def _is_beaten(models: pd.DataFrame, offered: np.ndarray, among: np.ndarray, i: int) -> bool:
    """Whether another model has as much of everything for no more money; of equal ones the first stays."""
    price = models["price"].to_numpy(dtype=float)
    no_worse = among & (offered >= offered[i]).all(axis=1) & (price <= price[i])
    better = no_worse & ((offered > offered[i]).any(axis=1) | (price < price[i]))
    return bool(better.any() or no_worse[:i].any())
