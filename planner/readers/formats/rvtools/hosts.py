"""Hosts of an RVTools export: sheet vHost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from planner.readers.exports import Journal, Part
from planner.readers.machines import flag, number, text
from planner.readers.owned import host_note, hosts_of
from planner.schema import Origin
from planner.units import GIB_PER_UNIT

HOST_COLUMNS = (
    text("name", "Host", "Name", "vHostName", required=True),
    text("pool", "Cluster", "vHostCluster"),
    text("vendor", "Vendor", "vHostVendor"),
    text("model", "Model", "vHostModel"),
    flag("maintenance", "in Maintenance Mode", "vHostInMaintenanceMode"),
    number("sockets", "# CPU", "vHostNumCpu"),
    number("per_socket", "Cores per CPU", "Cores per Socket", "vHostCoresPerCPU"),
    number("cores", "# Cores", "vHostNumCpuCores"),
    number("ghz", "Speed", "vHostCpuMhz", unit="GHz", bare="MHz"),
    flag("hyper_threading", "HT Active", "Hyperthreading Active", "vHostHTActive"),
    number("memory_gib", "# Memory", "Memory", "vHostMemorySize", unit="GiB", bare="MiB"),
)
MOST_MEMORY_GIB = 16 * 1024
"""More memory than this in one host means that the column holds bytes: some exports write them without saying so."""


def read_hosts(hosts: Part, journal: Journal) -> tuple[pd.DataFrame, Origin]:
    """The hosts that can be planned on, and where they stand.

    Cores are ``# CPU`` x ``Cores per CPU``, else ``# Cores``; never threads. Storage stays blank: RVTools does not know
    it.
    """
    frame = hosts.frame.assign(cores=_cores(hosts, journal), memory_gib=_memory(hosts, journal))
    headings = {"cores": hosts.origin.heading("cores")} | hosts.origin.headings
    return hosts_of(Part(frame=frame, origin=replace(hosts.origin, headings=headings)), journal)


def _cores(hosts: Part, journal: Journal) -> pd.Series:
    frame = hosts.frame
    product = frame["sockets"] * frame["per_socket"]
    differ = ((product > 0) & (frame["cores"] > 0) & (product != frame["cores"])).to_numpy()
    for position in np.flatnonzero(differ):
        message = (
            f"{frame['cores'].iloc[position]:g} for # CPU x Cores per CPU = {product.iloc[position]:g}, which is used"
        )
        host_note(journal, "information", message, hosts.origin, position, "cores", frame)
    return product.where(product > 0, frame["cores"])


def _memory(hosts: Part, journal: Journal) -> pd.Series:
    memory = hosts.frame["memory_gib"]
    in_bytes = memory > MOST_MEMORY_GIB
    for position in np.flatnonzero(in_bytes):
        message = f"{memory.iloc[position]:,.0f} GiB is no host's memory: read as bytes"
        host_note(journal, "guessed", message, hosts.origin, position, "memory_gib", hosts.frame)
    return memory.where(~in_bytes, memory / GIB_PER_UNIT["mib"] * GIB_PER_UNIT["b"])
