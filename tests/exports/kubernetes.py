"""Kubernetes: what `kubectl get pods,nodes -A -o json` prints."""

from __future__ import annotations

from tests.exports.estate import MIB_PER_GIB, Host, Vm, make
from tests.exports.export import Export, Told, truth_of
from tests.exports.export import Host as ToldHost
from tests.exports.files import json_bytes

RESERVED_MILLICORES, RESERVED_MIB = 500, 2048
AGENT_MILLICORES, AGENT_MIB = 200, 256
"""What of a node's capacity pods may not request."""

SIDECAR_MILLICORES, SIDECAR_MIB = 100, 128
INIT_MIB = 1024
_PHASES = {
    "on": "Running",
    "suspended": "Pending",
    "off": "Succeeded",
    "template": "Failed",
    "placeholder": "Succeeded",
}
_OWNERS = ("ReplicaSet", "StatefulSet")


def kubernetes(seed: int, vms: int) -> Export:
    """Pods and nodes in one list.

    A pod asks for the sum of its containers, or for the largest of its init containers where that is more. Pods that
    have ended and those of DaemonSets, which every node carries anyway, are no workloads. A node's cores and memory are
    what is allocatable. Names of pods are those in the truth, without their namespaces.
    """
    estate = make(seed, vms).without_names_twice()
    pods, told, dropped = [], [], []
    for vm in estate.vms:
        pods.append(_pod(vm))
        if vm.is_planned:
            told.append(_told(vm))
        else:
            dropped.append(_name(vm))
    for host in estate.hosts:
        pods.append(_agent(host))
        dropped.append(f"node-agent-{host.number:05d}")
    nodes = [_node(host) for host in estate.hosts]
    document = {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": [*pods, *nodes]}
    hosts = [
        ToldHost(
            name=host.short_name,
            cores=host.cores - (RESERVED_MILLICORES + AGENT_MILLICORES) / 1000,
            memory_gib=(host.memory_mib - RESERVED_MIB - AGENT_MIB) / MIB_PER_GIB,
        )
        for host in estate.hosts
    ]
    truth = truth_of("Kubernetes", told, hosts, dropped=dropped)
    return Export(name="kubernetes", files={"cluster.json": json_bytes(document)}, truth=truth)


def _name(vm: Vm) -> str:
    return f"pod-{vm.number:05d}"


def _phase(vm: Vm) -> str:
    return _PHASES.get(vm.state, "Succeeded")


def _millicores(vm: Vm) -> int:
    return 250 * vm.vcpus


def _has_sidecar(vm: Vm) -> bool:
    return vm.number % 3 == 0


def _has_init(vm: Vm) -> bool:
    return vm.number % 4 == 1


def _told(vm: Vm) -> Told:
    cpu, memory = _millicores(vm), vm.memory_mib
    if _has_sidecar(vm):
        cpu, memory = cpu + SIDECAR_MILLICORES, memory + SIDECAR_MIB
    if _has_init(vm):
        cpu, memory = max(cpu, 1000), max(memory, INIT_MIB)
    return Told(name=_name(vm), vcpus=cpu / 1000, memory_gib=memory / MIB_PER_GIB)


def _cpu(millicores: int) -> str:
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"


def _memory(vm: Vm) -> str:
    if vm.memory_mib % MIB_PER_GIB == 0:
        return f"{vm.memory_mib // MIB_PER_GIB}Gi"
    return f"{vm.memory_mib}Mi" if vm.number % 2 else str(vm.memory_mib * 1024**2)


def _container(name: str, cpu: str, memory: str) -> dict:
    asked = {"cpu": cpu, "memory": memory}
    return {"name": name, "image": f"example/{name}:1", "resources": {"requests": asked, "limits": asked}}


def _pod(vm: Vm) -> dict:
    containers = [_container("main", _cpu(_millicores(vm)), _memory(vm))]
    if _has_sidecar(vm):
        containers.append(_container("sidecar", f"{SIDECAR_MILLICORES}m", f"{SIDECAR_MIB}Mi"))
    spec: dict = {"containers": containers}
    if _has_init(vm):
        spec["initContainers"] = [_container("migrate", "1", f"{INIT_MIB}Mi"), _container("wait", "10m", "16Mi")]
    if vm.is_running or not vm.is_planned:
        spec["nodeName"] = vm.host.short_name
    owner = _OWNERS[vm.number % 2] if vm.is_planned else "Job"
    return _object(_name(vm), f"team-{vm.number % 4}", owner) | {"spec": spec, "status": {"phase": _phase(vm)}}


def _agent(host: Host) -> dict:
    spec = {"containers": [_container("agent", f"{AGENT_MILLICORES}m", f"{AGENT_MIB}Mi")], "nodeName": host.short_name}
    pod = _object(f"node-agent-{host.number:05d}", "kube-system", "DaemonSet")
    return pod | {"spec": spec, "status": {"phase": "Running"}}


def _object(name: str, namespace: str, owner: str) -> dict:
    owned = [{"apiVersion": "apps/v1", "kind": owner, "name": name.rpartition("-")[0], "controller": True}]
    metadata = {"name": name, "namespace": namespace, "labels": {"app": "example"}, "ownerReferences": owned}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def _node(host: Host) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": host.short_name, "labels": {"topology.kubernetes.io/zone": host.datacenter}},
        "spec": {},
        "status": {
            "capacity": {"cpu": str(host.cores), "memory": f"{host.memory_mib * 1024}Ki", "pods": "110"},
            "allocatable": {
                "cpu": f"{1000 * host.cores - RESERVED_MILLICORES}m",
                "memory": f"{(host.memory_mib - RESERVED_MIB) * 1024}Ki",
                "pods": "110",
            },
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
