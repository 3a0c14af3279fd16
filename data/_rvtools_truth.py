"""What is true of the synthetic virtual estate: what a reader of its export must count and sum up to."""

from __future__ import annotations

from collections import Counter

from _rvtools_clusters import CLUSTERS, Cluster
from _rvtools_estate import MIB_PER_GIB, Estate, Machine

VCPUS_PER_CORE, CPU_HEADROOM, MEMORY_HEADROOM = 4, 0.2, 0.1
HYPERVISOR_CORES, HYPERVISOR_GIB = 2, 16
"""The policy behind `hosts_at_least`; with it each cluster needs 60 to 75 % of its hosts."""


def totals(estate: Estate) -> dict:
    """Counts, and sums of the machines that are powered on.

    CPUs and memory are those of vInfo, or of vCPU and vMemory where it is blank.
    The row without a name is not counted.
    """
    on = [machine for machine in estate.machines if machine.kind == "on"]
    return {
        "machines": len(estate.machines),
        "rows_without_name": 1,
        "by_state": _by_state(estate.machines),
        "powered_on": _sums(on),
        "of_which_agents": _sums([machine for machine in on if machine.is_agent]),
        "clusters": {cluster.name: _cluster_totals(estate, cluster) for cluster in CLUSTERS},
        "hosts": len(estate.hosts),
        "cores": sum(host.generation.cores for host in estate.hosts),
        "host_memory_mib": sum(host.generation.memory_mib for host in estate.hosts),
        "in_maintenance": [host.name for host in estate.hosts if host.maintenance],
        "quirks": estate.quirks,
    }


def _cluster_totals(estate: Estate, cluster: Cluster) -> dict:
    machines = [machine for machine in estate.machines if machine.cluster is cluster]
    return {
        "hosts": len(cluster.hosts),
        "by_state": _by_state(machines),
        "powered_on": _sums([machine for machine in machines if machine.kind == "on"]),
        "hosts_at_least": _hosts_at_least(
            cluster, [machine for machine in machines if machine.kind in ("on", "suspended")]
        ),
    }


def _by_state(machines: list[Machine]) -> dict[str, int]:
    return dict(sorted(Counter(machine.kind for machine in machines).items()))


def _sums(machines: list[Machine]) -> dict[str, int]:
    return {
        "machines": len(machines),
        "vcpus": sum(machine.vcpus for machine in machines),
        "memory_mib": sum(machine.memory_mib for machine in machines),
        "disk_mib": sum(sum(machine.disks_mib) for machine in machines),
    }


def _hosts_at_least(cluster: Cluster, machines: list[Machine]) -> dict[str, int]:
    """Fewest hosts, largest first, whose capacity covers what the machines ask for, resource by resource."""
    vcpus_per_core = VCPUS_PER_CORE * (1 - CPU_HEADROOM)
    cpu = [(host.cores - HYPERVISOR_CORES) * vcpus_per_core for host in cluster.hosts]
    usable_mib = [host.memory_mib - HYPERVISOR_GIB * MIB_PER_GIB for host in cluster.hosts]
    memory = [mib * (1 - MEMORY_HEADROOM) for mib in usable_mib]
    return {
        "cpu": _fewest(cpu, sum(machine.vcpus for machine in machines)),
        "memory": _fewest(memory, sum(machine.memory_mib for machine in machines)),
    }


def _fewest(capacities: list[float], demand: float) -> int:
    largest_first = sorted(capacities, reverse=True)
    return next(n for n in range(len(capacities) + 1) if sum(largest_first[:n]) >= demand)
