"""Real series of use by others as arguments of `Problem.build`: Bitbrains and PlanetLab, sized in four ways.

Bitbrains: 50 virtual machines, 30 days in steps of five minutes, CPU in MHz; what each was given stands beside it.
PlanetLab: 1,052 machines of a day, CPU in whole percent of a core that the trace does not name. As CloudSim does, each
is taken as one core of 2500, 2000, 1000 or 500 MIPS in turn, MIPS as MHz, on hosts of 2 x 2660 MIPS. CloudSim's
memory (613 to 1740 MB, hosts of 4 GB) binds long before its CPU: one estate has it so, one has ample memory.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

import planner
from benchmarks import readers

TRACES = readers.INSTANCES.parent / "traces"

SIZINGS = {
    "allocated": planner.Policy(),
    "peak": planner.Policy(sizing=planner.Sizing(cpu="used")),
    "hour of day": planner.Policy(sizing=planner.Sizing(cpu="used"), time=planner.Periods(by="hour_of_day")),
    "hour of week": planner.Policy(sizing=planner.Sizing(cpu="used"), time=planner.Periods(by="hour_of_week")),
}
"""How demand is made; memory is what each machine was given, always."""

CLOUDSIM_MHZ = np.array([2500, 2000, 1000, 500])
CLOUDSIM_MEMORY_MIB = np.array([870, 1740, 1740, 613])
CLOUDSIM_HOST_MHZ, CLOUDSIM_HOST_MIB = 2 * 2660, 4096


def bitbrains(policy: planner.Policy, cores: int, memory_gib: float) -> dict:
    """Arguments of `Problem.build`: the 50 machines on hosts of so many cores of 2.6 GHz."""
    series = planner.read_series(TRACES / "bitbrains" / "trace.parquet", unit={"cpu": "MHz"})
    given = pd.read_parquet(TRACES / "bitbrains" / "meta.parquet")
    workloads = pd.DataFrame(
        {"name": given["id"], "vcpus": given["cpu_count"], "memory_gib": given["mem_capacity"] / 1024**2}
    )
    host = pd.DataFrame({"name": ["host"], "cores": [cores], "memory_gib": [memory_gib], "ghz": [2.6]})
    return _arguments(workloads, series, host, policy, None)


def planetlab(policy: planner.Policy, memory_gib: float) -> dict:
    """Arguments of `Problem.build`: the 1,052 machines on CloudSim's hosts, with so much memory."""
    series = planner.read_series(
        TRACES / "planetlab" / "20110303.tar.gz", unit="percent", start="2011-03-03", step_minutes=5
    )
    kind = np.arange(len(series.names)) % len(CLOUDSIM_MHZ)
    workloads = pd.DataFrame(
        {
            "name": series.names,
            "vcpus": CLOUDSIM_MHZ[kind] / 1000,
            "memory_gib": CLOUDSIM_MEMORY_MIB[kind] / 1024,
        }
    )
    host = {"name": ["host"], "cores": [CLOUDSIM_HOST_MHZ / 1000], "memory_gib": [memory_gib], "ghz": [1.0]}
    return _arguments(workloads, series, pd.DataFrame(host), policy, 1.0)


def _arguments(
    workloads: pd.DataFrame,
    series: planner.Series,
    host: pd.DataFrame,
    policy: planner.Policy,
    ghz_per_vcpu: float | None,
) -> dict:
    inventory = planner.Inventory.from_frames(workloads=workloads).with_series(series, ghz_per_vcpu=ghz_per_vcpu)
    return {"inventory": inventory, "host_models": host, "policy": policy, "prices": planner.Prices.none()}


ESTATES = {
    "bitbrains on 32 cores": partial(bitbrains, cores=32, memory_gib=512),
    "bitbrains on 16 cores": partial(bitbrains, cores=16, memory_gib=512),
    "planetlab": partial(planetlab, memory_gib=64),
    "planetlab, memory as in CloudSim": partial(planetlab, memory_gib=CLOUDSIM_HOST_MIB / 1024),
}

NEVER = {
    ("bitbrains on 16 cores", "allocated"),  # One machine was given 32 vCPUs.
    ("planetlab", "hour of week"),  # The trace has one day.
    ("planetlab, memory as in CloudSim", "hour of week"),
}
"""Estates and sizings that do not go together."""
