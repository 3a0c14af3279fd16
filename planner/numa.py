"""NUMA: whether a workload fits in the memory and cores of one processor socket of a host.

A node of host `h` has cores[h] / sockets[h] cores and memory_gib[h] / sockets[h] memory. A workload that is larger than
a node spreads over several and reads memory across them, which is slower. The sizes are those that the workload is
given, against whole physical cores: no overcommit, no second threads, no hypervisor.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pandas as pd

NEEDS = {"cpu": "vcpus", "memory": "memory_gib"}
"""Column of a workload that has to fit, by resource."""

_NODES = {"cpu": "cores", "memory": "memory_gib"}


class Estate(Protocol):
    """What has workloads and hosts: a Problem, or an Inventory."""

    @property
    def workloads(self) -> pd.DataFrame: ...

    @property
    def hosts(self) -> pd.DataFrame: ...


def numa_fit(workloads: pd.DataFrame, hosts: pd.DataFrame) -> np.ndarray:
    """Whether each workload fits in one NUMA node of each host; True where a host's sockets are not known.

    Returns
    -------
    array of bool, shape [workload, host]

    Examples
    --------
    >>> workloads = pd.DataFrame({"vcpus": [8, 20], "memory_gib": [64, 64]})
    >>> hosts = pd.DataFrame({"cores": [32, 32], "memory_gib": [512, 512], "sockets": [2, np.nan]})
    >>> numa_fit(workloads, hosts).tolist()
    [[True, True], [False, True]]
    """
    fits = [
        workloads[need].to_numpy(dtype=float)[:, None] <= _node(hosts, resource)[None, :]
        for resource, need in NEEDS.items()
    ]
    return np.logical_and.reduce(fits)


def numa_misfits(estate: Estate) -> pd.DataFrame:
    """Workloads that do not fit in one NUMA node of every host that serves their pool.

    Parameters
    ----------
    estate : Problem or Inventory

    Returns
    -------
    DataFrame
        One row for each workload and resource that is too large for some node: workload, resource, needs, largest_node
        (the largest that is known), hosts_fit (rows of hosts that take the whole workload in a node) and hosts (rows
        that serve its pool).
    """
    pools, served = estate.workloads["pool"], estate.hosts["pool"]
    parts = [
        _misfits(estate.workloads[pools == pool], estate.hosts[served.isin(["", pool])]) for pool in pools.unique()
    ]
    columns = ["workload", "resource", "needs", "largest_node", "hosts_fit", "hosts"]
    filled = [part for part in parts if len(part)]
    found = pd.concat(filled).sort_index(kind="stable") if filled else pd.DataFrame(columns=columns)
    return found[columns].reset_index(drop=True)


def numa_warnings(estate: Estate) -> list[dict]:
    """Rows of notes: one on workloads that fit in no NUMA node, one on those that fit on some hosts only."""
    found = numa_misfits(estate)
    kinds = (
        (found["hosts_fit"] == 0, "fit in no NUMA node of the hosts that serve their pool"),
        (found["hosts_fit"] > 0, "fit in a NUMA node of some hosts only"),
    )
    rows = []
    for chosen, what in kinds:
        if chosen.any():
            first, count = found[chosen].iloc[0], found.loc[chosen, "workload"].nunique()
            message = (
                f"workloads that {what}: {count:,}, such as {first['workload']!r}: it has {first['needs']:g} "
                f"{NEEDS[first['resource']]}, the largest node {first['largest_node']:g}; across nodes memory is slower"
            )
            rows.append({"kind": "warning", "subject": first["workload"], "message": message})
    return rows


def _node(hosts: pd.DataFrame, resource: str) -> np.ndarray:
    """Size of one node of each host; inf where its sockets are not known."""
    size = hosts[_NODES[resource]].to_numpy(dtype=float) / hosts["sockets"].to_numpy(dtype=float)
    return np.where(np.isnan(size), np.inf, size)


def _misfits(workloads: pd.DataFrame, hosts: pd.DataFrame) -> pd.DataFrame:
    """Misfits of one pool; index the workload's, so that parts can be put in order again."""
    shapes = hosts.groupby(["cores", "memory_gib", "sockets"], dropna=False).size().rename("rows").reset_index()
    if shapes.empty or workloads.empty:
        return pd.DataFrame()
    hosts_fit = numa_fit(workloads, shapes).astype("int64") @ shapes["rows"].to_numpy()
    misfit = hosts_fit < len(hosts)
    parts = []
    for resource, need in NEEDS.items():
        node, needs = _node(shapes, resource), workloads[need].to_numpy(dtype=float)
        large = misfit & (needs > node.min())
        known = node[np.isfinite(node)]
        parts.append(
            pd.DataFrame(
                {
                    "workload": workloads["name"][large],
                    "resource": resource,
                    "needs": needs[large],
                    "largest_node": known.max(initial=0.0),
                    "hosts_fit": hosts_fit[large],
                    "hosts": len(hosts),
                }
            )
        )
    return pd.concat(parts)
