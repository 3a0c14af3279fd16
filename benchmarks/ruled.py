"""An estate under rules: machines of some applications, 60 rules of every kind, hosts in racks with tags."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

import planner
from benchmarks.estates import virtual_machines
from planner import (
    AvoidTag,
    Cap,
    Forbid,
    KeepApart,
    KeepTogether,
    Limit,
    Maintenance,
    NumaFit,
    Pin,
    RequireTag,
    Reserve,
)
from planner.rules import Rule

HOST = (64, 768, 12_000)
"""Cores, GiB of memory and GiB of storage of every host."""

RACKS = ("R1", "R2", "R3", "R4")
MEMBERS = 5
"""Machines of an application."""


def ruled(
    count: int = 800, seed: int = 1, *, failover: planner.Failover | None = None, more: Sequence[Rule] = ()
) -> dict:
    """Arguments of `Problem.build`: applications of five machines under `rules` and `more`, verified N+1 by default.

    Twelve hosts are owned, of which one is in maintenance; more can be bought for each rack.
    """
    rng = np.random.default_rng(seed)
    workloads = virtual_machines(count, seed, clip=(32, 384, 3000))
    applications = max(count // MEMBERS, 1)
    number = rng.permutation(np.arange(count) % applications)
    workloads["application"] = [f"app-{n:03}" for n in number]
    workloads["name"] = [f"{a}-{w:04}" for a, w in zip(workloads["application"], range(count), strict=True)]
    workloads["os"] = rng.choice(["linux", "windows"], count, p=[0.7, 0.3])
    zone = rng.choice(["", "dmz", "lab"], applications, p=[0.9, 0.06, 0.04])
    workloads["tags"] = zone[number]
    inventory = planner.Inventory.from_frames(workloads=workloads, hosts=_owned())
    policy = planner.Policy(
        name="ruled",
        overcommit=planner.Overcommit(cpu=4.0),
        failover=planner.Failover(hosts=1, mode="verified") if failover is None else failover,
    )
    return {
        "inventory": inventory,
        "host_models": _models(),
        "policy": policy,
        "rules": [*rules(), *more],
        "prices": planner.Prices.none(),
    }


def rules() -> list[Rule]:
    """Sixty rules: some keep replicas apart, some spread, hold, pin or forbid, some keep hosts free."""
    apart = [KeepApart(f"app-{n:03}-*") for n in range(18)]
    twos = [KeepApart(f"app-{n:03}-*", at_most=2) for n in range(20, 28)]
    spread = [KeepApart(f"app-{n:03}-*", within="rack", at_most=2) for n in range(30, 36)]
    together = [KeepTogether(f"app-{n:03}-*") for n in range(40, 44)]
    limits = [Limit(f"application:app-{n:03}", most_hosts=2) for n in range(50, 54)]
    tags = [
        RequireTag(f"application:app-{n:03}", tag)
        for n, tag in zip(range(60, 66), ["gpu-ready", "fast"] * 3, strict=True)
    ]
    avoid = [AvoidTag(f"application:app-{n:03}", "old") for n in range(70, 74)]
    forbid = [Forbid(f"app-{n:03}-*", hosts="rack:R4") for n in range(80, 83)]
    pins = [Pin("app-090-*", hosts="esx0*")]
    numa = [NumaFit(f"application:app-{n:03}") for n in (100, 101)]
    zones = [KeepApart("tag:dmz", others="tag:lab")]
    hosts = [Reserve("esx01", cores=4, memory_gib=64), Maintenance("esx12"), Cap("*", most_workloads=60)]
    return [*apart, *twos, *spread, *together, *limits, *tags, *avoid, *forbid, *pins, *numa, *zones, *hosts]


def _owned() -> pd.DataFrame:
    cores, memory_gib, storage_gib = HOST
    tags = ["old", "old, fast", "fast", "fast, gpu-ready"] * 3
    return pd.DataFrame(
        {
            "name": [f"esx{n:02}" for n in range(1, 13)],
            "cores": cores,
            "memory_gib": memory_gib,
            "storage_gib": storage_gib,
            "sockets": 2,
            "rack": [RACKS[n % 4] for n in range(12)],
            "tags": tags,
        }
    )


def _models() -> pd.DataFrame:
    cores, memory_gib, storage_gib = HOST
    return pd.DataFrame(
        {
            "name": [f"new-{rack}" for rack in RACKS],
            "cores": cores,
            "memory_gib": memory_gib,
            "storage_gib": storage_gib,
            "sockets": 2,
            "rack": RACKS,
            "tags": ["fast", "fast", "gpu-ready, fast", "fast"],
        }
    )
