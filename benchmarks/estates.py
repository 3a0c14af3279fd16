"""Estates made up from a seed: virtual machines of any number, host models, labels and pools."""

from __future__ import annotations

import numpy as np
import pandas as pd

import planner

VCPUS = np.array([1, 2, 4, 8, 16, 32])
VCPU_WEIGHTS = np.array([0.22, 0.27, 0.22, 0.15, 0.10, 0.04])
GIB_PER_VCPU_MEDIAN = 3.8
GIB_PER_VCPU_SIGMA = 0.7
GIB_PER_VCPU_RANGE = (1.0, 16.0)
DISK_MEDIAN_GIB = 67.0
DISK_SIGMA = 1.0

MIXED_MODELS = (
    ("small", 32, 256, 2400, 11_000),
    ("medium", 64, 512, 6000, 19_500),
    ("wide-memory", 64, 1024, 6000, 25_500),
    ("large", 128, 1024, 12_000, 37_000),
    ("deep-storage", 96, 768, 24_000, 33_000),
)
"""Name, cores, GiB of memory, GiB of storage and price of host models to choose among."""


def virtual_machines(count: int, seed: int, *, clip: tuple[float, float, float] | None = None) -> pd.DataFrame:
    """Virtual machines of 1 to 32 vCPU, 1 to 16 GiB per vCPU and log-normal disks, nearly every one a shape of its own.

    Parameters
    ----------
    count : int
    seed : int
    clip : (vCPU, GiB of memory, GiB of storage), optional
        No machine is larger than this in any resource.

    Returns
    -------
    DataFrame
        name, vcpus, memory_gib (in quarters of a GiB), storage_gib (in tenths).
    """
    rng = np.random.default_rng(seed)
    vcpus = rng.choice(VCPUS, count, p=VCPU_WEIGHTS)
    gib_per_vcpu = np.clip(GIB_PER_VCPU_MEDIAN * rng.lognormal(0.0, GIB_PER_VCPU_SIGMA, count), *GIB_PER_VCPU_RANGE)
    memory_gib = np.round(4 * vcpus * gib_per_vcpu) / 4
    storage_gib = np.maximum(np.round(DISK_MEDIAN_GIB * rng.lognormal(0.0, DISK_SIGMA, count), 1), 0.1)
    if clip is not None:
        vcpus, memory_gib, storage_gib = (
            np.minimum(values, limit) for values, limit in zip((vcpus, memory_gib, storage_gib), clip, strict=True)
        )
    return pd.DataFrame(
        {
            "name": [f"vm-{number}" for number in range(count)],
            "vcpus": vcpus.astype(float),
            "memory_gib": memory_gib.astype(float),
            "storage_gib": storage_gib,
        }
    )


def shaped_machines(count: int, shapes: int, seed: int) -> pd.DataFrame:
    """Virtual machines of few distinct shapes, the first shapes the most frequent; one row a shape, with `count`."""
    rng = np.random.default_rng(seed)
    pool = virtual_machines(shapes * 20, seed)
    pool["storage_gib"] = np.maximum(10.0, np.round(pool["storage_gib"], -1))
    distinct = pool.drop_duplicates(["vcpus", "memory_gib", "storage_gib"]).head(shapes)
    if len(distinct) < shapes or count < shapes:
        raise ValueError(f"found {len(distinct)} distinct shapes and {count} machines, expected {shapes} or more")
    weights = 1.0 / np.arange(1, shapes + 1)
    extra = rng.multinomial(count - shapes, weights / weights.sum())
    return distinct.assign(name=[f"shape-{number}" for number in range(shapes)], count=1 + extra).reset_index(drop=True)


def host_model(cores: float, memory_gib: float, storage_gib: float, name: str = "host") -> pd.DataFrame:
    """One host model, as many as needed, without a price."""
    return pd.DataFrame({"name": [name], "cores": [cores], "memory_gib": [memory_gib], "storage_gib": [storage_gib]})


def mixed_host_models(number: int = len(MIXED_MODELS), pools: tuple[str, ...] = ()) -> pd.DataFrame:
    """The first `number` of `MIXED_MODELS` with their prices; with `pools`, each model offered to each pool apart."""
    models = pd.DataFrame(MIXED_MODELS[:number], columns=["name", "cores", "memory_gib", "storage_gib", "price"])
    if not pools:
        return models
    apart = [models.assign(name=models["name"] + f"-{pool}", pool=pool) for pool in pools]
    return pd.concat(apart, ignore_index=True)


def in_pools(workloads: pd.DataFrame, pools: tuple[str, ...], seed: int) -> pd.DataFrame:
    """The workloads, each in one of the pools by chance."""
    rng = np.random.default_rng(seed)
    return workloads.assign(pool=rng.choice(np.array(pools), len(workloads)))


def labelled(workloads: pd.DataFrame, seed: int, *, apart: int = 0, together: int = 0) -> pd.DataFrame:
    """The workloads with groups to be kept apart (of 2 to 4) and pairs to be kept together, no workload in two groups.

    Parameters
    ----------
    workloads : DataFrame
        One row a workload; members of a group are of one pool where a column `pool` is there.
    seed : int
    apart, together : int
        How many groups of each kind are wished; fewer where the workloads do not suffice.
    """
    rng = np.random.default_rng(seed)
    labels = {"keep_apart": np.full(len(workloads), "", object), "keep_together": np.full(len(workloads), "", object)}
    pools = workloads["pool"].to_numpy() if "pool" in workloads else np.zeros(len(workloads))
    free = rng.permutation(len(workloads)).tolist()
    sizes = [("keep_apart", int(rng.integers(2, 5))) for _ in range(apart)] + [("keep_together", 2)] * together
    for number, (column, size) in enumerate(sizes):
        group = [w for w in free if pools[w] == pools[free[0]]][:size]
        if len(group) < 2:
            break
        labels[column][group] = f"group-{number}"
        free = [w for w in free if w not in group]
    return workloads.assign(**labels)


def problem_arguments(
    workloads: pd.DataFrame, host_models: pd.DataFrame, objective: str = "hosts", resources: tuple[str, ...] = ()
) -> dict:
    """Arguments of `Problem.build` for these tables, policy raw and no price but the hosts'."""
    return {
        "inventory": planner.Inventory.from_frames(workloads=workloads),
        "host_models": host_models,
        "policy": "raw",
        "prices": planner.Prices.none(),
        "objective": objective,
        "resources": resources,
    }


def roomy(count: int, seed: int = 1) -> dict:
    """Arguments of `Problem.build`: about 40 distinct machines to a host of 256 cores, 1024 GiB and 16,000 GiB."""
    return problem_arguments(virtual_machines(count, seed), host_model(256, 1024, 16_000))


def tight(count: int, host: tuple[float, float, float], seed: int = 1) -> dict:
    """Arguments of `Problem.build`: the machines of `roomy`, clipped, on a host that holds 11 to 18 of them."""
    return problem_arguments(virtual_machines(count, seed, clip=host), host_model(*host))


def few_shapes(count: int, shapes: int = 100, seed: int = 1) -> dict:
    """Arguments of `Problem.build`: machines of `shapes` distinct shapes on hosts of 96 cores and 786 GiB."""
    return problem_arguments(shaped_machines(count, shapes, seed), host_model(96, 786, 20_000))


def mixed(count: int, seed: int = 1, *, models: int = 5, pools: tuple[str, ...] = (), objective: str = "cost") -> dict:
    """Arguments of `Problem.build`: machines in pools, on several host models with prices."""
    workloads = virtual_machines(count, seed, clip=MIXED_MODELS[0][1:4])
    if pools:
        workloads = in_pools(workloads, pools, seed)
    return problem_arguments(workloads, mixed_host_models(models, pools), objective)


def small(seed: int) -> dict:
    """Arguments of `Problem.build`: 3 to 50 machines on 1 to 3 host models, some with labels, two pools or prices."""
    rng = np.random.default_rng(seed)
    count, models = int(rng.integers(3, 51)), int(rng.integers(1, 4))
    half = tuple(size / 2 for size in MIXED_MODELS[0][1:4])  # so that a pair kept together fits on any model
    workloads = virtual_machines(count, seed, clip=half)
    pools = ("east", "west") if seed % 4 == 1 else ()
    if pools:
        workloads = in_pools(workloads, pools, seed)
    if seed % 3 == 0:
        workloads = labelled(workloads, seed, apart=1 + count // 12, together=1 + count // 15)
    return problem_arguments(workloads, mixed_host_models(models, pools), "cost" if seed % 5 == 2 else "hosts")
