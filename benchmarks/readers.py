"""Instances by others as arguments of `Problem.build`: .vbp files, the Vectorpack archive, cloud balancing."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import estates

ROOT = Path(__file__).resolve().parents[1]
INSTANCES = ROOT.parent / "shared" / "data" / "instances"
ARCHIVE = INSTANCES / "vectorpack" / "New_instances.tar.gz"
VCPUS_AT_MOST, MEMORY_GIB_AT_MOST = 4096, 65_536
"""What the schema takes for one workload; larger figures need columns of their own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VectorPacking:
    """Items to be packed into as few equal bins as possible.

    Parameters
    ----------
    capacity : array of int, shape [dimension]
    sizes : array of int, shape [item type, dimension]
    copies : array of int, shape [item type]
    """

    capacity: np.ndarray
    sizes: np.ndarray
    copies: np.ndarray


def parse_vbp(text: str) -> VectorPacking:
    """The instance in VPSolver's .vbp format: dimensions, capacities, item types, then a line of sizes and copies each.

    Raises
    ------
    ValueError
        More or fewer numbers than the format asks for, or one that is not whole.

    Examples
    --------
    >>> parse_vbp("2  10 5  1  3 2 4").copies.tolist()
    [4]
    """
    numbers = np.array([int(word) for word in text.split()])
    dimensions = int(numbers[0])
    types = int(numbers[1 + dimensions])
    table = numbers[2 + dimensions :]
    if len(table) != types * (dimensions + 1):
        raise ValueError(f"found {len(table)} numbers of items, expected {types} times {dimensions + 1}")
    table = table.reshape(types, dimensions + 1)
    return VectorPacking(capacity=numbers[1 : 1 + dimensions], sizes=table[:, :-1], copies=table[:, -1])


def format_vbp(instance: VectorPacking) -> str:
    """The instance as text in .vbp format."""
    lines = [str(len(instance.capacity)), " ".join(map(str, instance.capacity)), str(len(instance.copies))]
    for sizes, copies in zip(instance.sizes, instance.copies, strict=True):
        lines.append(" ".join(map(str, [*sizes, copies])))
    return "\n".join(lines) + "\n"


def from_vectors(instance: VectorPacking) -> dict:
    """Arguments of `Problem.build`: two dimensions as vCPUs and GiB of memory, others as columns dim3, dim4, ...

    Where the first two are too large for the schema, they stand in columns too, and vCPUs and memory are 0.
    """
    dimensions = len(instance.capacity)
    figures = {f"dim{d + 1}": d for d in range(dimensions)}
    zero = pd.DataFrame({"vcpus": np.zeros(len(instance.copies)), "memory_gib": 0.0})
    hosts = pd.DataFrame({"name": ["bin"], "cores": [1.0], "memory_gib": [1.0]})
    if dimensions >= 2 and instance.capacity[0] <= VCPUS_AT_MOST and instance.capacity[1] <= MEMORY_GIB_AT_MOST:
        zero["vcpus"], zero["memory_gib"] = instance.sizes[:, 0], instance.sizes[:, 1]
        hosts["cores"], hosts["memory_gib"] = instance.capacity[0], instance.capacity[1]
        figures = {name: d for name, d in figures.items() if d >= 2}
    workloads = zero.assign(
        name=[f"item-{number}" for number in range(len(instance.copies))],
        count=instance.copies,
        **{name: instance.sizes[:, d] for name, d in figures.items()},
    )
    workloads = workloads[workloads["count"] > 0].reset_index(drop=True)
    hosts = hosts.assign(**{name: instance.capacity[d] for name, d in figures.items()})
    return estates.problem_arguments(workloads, hosts, resources=tuple(figures))


def vbp_file(path: Path) -> dict:
    """Arguments of `Problem.build` for a .vbp file."""
    return from_vectors(parse_vbp(path.read_text(encoding="utf-8")))


def vectorpack_member(name: str, archive: Path = ARCHIVE) -> dict:
    """Arguments of `Problem.build` for an instance of the Vectorpack archive, e.g. ``class1_20_3_0``."""
    path = f"New_instances_multidim/{name.split('_')[0]}/{name}.vbp"
    with tarfile.open(archive) as tar:
        member = tar.extractfile(path)
        if member is None:
            raise ValueError(f"{archive.name}: {path} is not a file")
        return from_vectors(parse_vbp(member.read().decode("utf-8")))


def cloud_balancing(path: Path) -> dict:
    """Arguments of `Problem.build` for OptaPlanner's cloud balancing: computers at their cost, equal ones merged."""
    data = json.loads(path.read_text(encoding="utf-8"))
    figures = {"cpuPower": "cores", "memory": "memory_gib", "networkBandwidth": "network_gbps", "cost": "price"}
    computers = pd.DataFrame(data["computerList"]).rename(columns=figures)
    models = computers.groupby(list(figures.values()), sort=True).size().reset_index(name="count")
    models["name"] = [f"computer-{number}" for number in range(len(models))]
    processes = pd.DataFrame(data["processList"])
    workloads = pd.DataFrame(
        {
            "name": "process-" + processes["id"].astype(str),
            "vcpus": processes["requiredCpuPower"],
            "memory_gib": processes["requiredMemory"],
            "network_gbps": processes["requiredNetworkBandwidth"],
        }
    )
    return estates.problem_arguments(workloads, models, "cost")


def caprara_toth_optima() -> dict[str, int]:
    """Optimum of every instance of Caprara and Toth that was proven, or is known by construction (class 10)."""
    table = pd.read_csv(INSTANCES / "caprara_toth" / "reference_values.csv")
    optima = dict(zip(table["instance"], table["best_ub"].where(table["optimal"] == 1), strict=True))
    by_vpsolver = dict(zip(table["instance"], table["vpsolver_highs_optimum"], strict=True))
    known = {name: by_vpsolver[name] if np.isnan(value) else value for name, value in optima.items()}
    known |= {name: int(name.split("_")[2]) / 3 for name in known if name.startswith("CL_10_")}
    return {name: int(value) for name, value in known.items() if not np.isnan(value)}


def vectorpack_values() -> pd.DataFrame:
    """Published values by instance: class, items, dimensions, OPT (-1 unknown), best_overall."""
    path = INSTANCES / "vectorpack" / "New_summary_known.csv"
    table = pd.read_csv(path, sep="\t").set_index("instance_name", drop=False)
    parts = table["instance_name"].str.split("_", expand=True)
    return table.assign(group=parts[0], items=parts[1].astype(int), dimensions=parts[2].astype(int))


def spread_sample(table: pd.DataFrame, size: int, seed: int) -> list[str]:
    """Names of `size` rows spread evenly over classes and dimensions, and within these over the numbers of items.

    Every (class, dimensions) gives one row in turn, each time from its next number of items, until there are enough.
    """
    rng = np.random.default_rng(seed)
    queues = []
    for number, (_, cell) in enumerate(table.groupby(["group", "dimensions"], sort=True)):
        by_items = [rng.permutation(rows["instance_name"].to_numpy()) for _, rows in cell.groupby("items", sort=True)]
        turn = number % len(by_items)
        by_items = by_items[turn:] + by_items[:turn]
        depth = max(map(len, by_items))
        queues.append([names[level] for level in range(depth) for names in by_items if level < len(names)])
    depth = max(map(len, queues))
    return [queue[level] for level in range(depth) for queue in queues if level < len(queue)][:size]
