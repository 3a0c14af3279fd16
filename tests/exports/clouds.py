"""JSON and CSV of cluster software: Proxmox, OpenStack and Kubernetes."""

from __future__ import annotations

import csv

from tests.exports.estate import MIB_PER_GIB, Datastore, Estate, Vm, make
from tests.exports.estate import Host as EstateHost
from tests.exports.export import Export, Host, Told, Truth, truth_of
from tests.exports.files import Row, csv_text, json_bytes, table

BYTES_PER_MIB = 1024**2
BYTES_PER_GIB = 1024**3
_STATUS = {"on": "ACTIVE", "off": "SHUTOFF", "suspended": "SUSPENDED"}
_POWER = {"on": "Running", "off": "Shutdown", "suspended": "Suspended"}
EPHEMERAL_GIB = 20


def proxmox(seed: int, vms: int) -> Export:
    """`/cluster/resources` of Proxmox: machines, containers, nodes and storages in one list, sizes in bytes.

    A list as `pvesh` prints it where the seed is even, under `data` as the API answers where it is odd. Nodes tell
    logical processors and no cores; one node is offline and tells nothing. A storage that nodes share stands once for
    each of them. Suspended machines are shown as stopped.
    """
    estate = make(seed, vms)
    shown = [vm for vm in estate.vms if vm.state != "placeholder"]
    found = [_guest(vm) for vm in shown]
    found += [_node(host) for host in estate.hosts]
    found.append({"id": "node/pve-off", "node": "pve-off", "type": "node", "status": "offline"})
    found += [_storage(store, host) for store in estate.datastores for host in store.hosts]
    told = [
        Told(
            name=vm.name,
            vcpus=vm.vcpus,
            memory_gib=vm.memory_gib,
            storage_gib=vm.disk_gib,
            state="off" if vm.state == "suspended" else vm.state,
            use={
                "cpu_vcpus_used": vm.vcpus * vm.cpu_average / 100,
                "memory_gib_used": vm.used_mib(vm.memory_average) / MIB_PER_GIB,
            },
        )
        for vm in shown
    ]
    hosts = [Host(name=h.short_name, cores=2 * h.cores, memory_gib=h.memory_mib / MIB_PER_GIB) for h in estate.hosts]
    document = {"data": found} if seed % 2 else found
    return Export(
        name="proxmox", files={"resources.json": json_bytes(document)}, truth=truth_of("Proxmox", told, hosts)
    )


def openstack_csv(seed: int, vms: int) -> Export:
    """Three lists of OpenStack as CSV: servers name a flavor, flavors tell sizes, hypervisors tell what there is.

    Storage is the disk of the flavor and its ephemeral disk. Hypervisors tell logical processors and no cores.
    """
    lists, truth = _openstack(seed, vms)
    files = {
        name + ".csv": csv_text(table(rows), quoting=csv.QUOTE_NONNUMERIC).encode() for name, rows in lists.items()
    }
    return Export(name="openstack-csv", files=files, truth=truth)


def openstack_json(seed: int, vms: int) -> Export:
    """The same three lists as JSON."""
    lists, truth = _openstack(seed, vms)
    return Export(
        name="openstack-json",
        files={name + ".json": json_bytes(rows) for name, rows in lists.items()},
        truth=truth,
    )


def _guest(vm: Vm) -> Row:
    kind = "lxc" if vm.number % 5 == 4 else "qemu"
    number = 100 + vm.number
    row: dict[str, object] = {
        "id": f"{kind}/{number}",
        "type": kind,
        "vmid": number,
        "name": vm.name,
        "node": vm.host.short_name,
        "status": "running" if vm.is_running else "stopped",
        "cpu": vm.cpu_average / 100,
        "maxcpu": vm.vcpus,
        "mem": vm.used_mib(vm.memory_average) * BYTES_PER_MIB,
        "maxmem": vm.memory_mib * BYTES_PER_MIB,
        "disk": 0,
        "maxdisk": vm.disk_mib * BYTES_PER_MIB,
        "diskread": 123456,
        "diskwrite": 654321,
        "netin": 1000,
        "netout": 2000,
        "uptime": 86400 if vm.is_running else 0,
        "template": int(vm.state == "template"),
    }
    return row | ({"tags": "prod;web", "pool": "tenants"} if vm.number % 3 == 0 else {})


def _node(host: EstateHost) -> Row:
    return {
        "id": f"node/{host.short_name}",
        "type": "node",
        "node": host.short_name,
        "status": "online",
        "cpu": 0.31,
        "maxcpu": 2 * host.cores,
        "mem": 300 * BYTES_PER_GIB,
        "maxmem": host.memory_mib * BYTES_PER_MIB,
        "disk": 5 * BYTES_PER_GIB,
        "maxdisk": 94 * BYTES_PER_GIB,
        "uptime": 864000,
        "level": "",
    }


def _storage(store: Datastore, host: str) -> Row:
    node = host.partition(".")[0]
    return {
        "id": f"storage/{node}/{store.name}",
        "type": "storage",
        "storage": store.name,
        "node": node,
        "status": "available",
        "shared": int(store.is_shared),
        "plugintype": "rbd" if store.is_shared else "dir",
        "content": "images,rootdir",
        "disk": store.used_mib * BYTES_PER_MIB,
        "maxdisk": store.capacity_mib * BYTES_PER_MIB,
    }


def _openstack(seed: int, vms: int) -> tuple[dict[str, list[Row]], Truth]:
    estate = make(seed, vms)
    shown = [vm for vm in estate.vms if vm.state in _STATUS]
    flavors = {_flavor(vm)["Name"]: _flavor(vm) for vm in shown}
    lists = {
        "server_list": [_server(vm) for vm in shown],
        "flavor_list": list(flavors.values()),
        "hypervisor_list": _hypervisors(estate),
    }
    told = []
    for vm in shown:
        flavor = flavors[_flavor(vm)["Name"]]
        told.append(
            Told(
                name=vm.name,
                vcpus=flavor["VCPUs"],
                memory_gib=flavor["RAM"] / MIB_PER_GIB,
                storage_gib=flavor["Disk"] + flavor["Ephemeral"],
                state=vm.state,
            )
        )
    rows = lists["hypervisor_list"]
    hosts = [
        Host(name=row["Hypervisor Hostname"], cores=row["vCPUs"], memory_gib=row["Memory MB"] / MIB_PER_GIB)
        for row in rows
    ]
    return lists, truth_of("OpenStack", told, hosts)


def _flavor(vm: Vm) -> Row:
    """A flavor as large as the machine: those of equal size share one."""
    disk = vm.disks[0].capacity_mib // MIB_PER_GIB
    ephemeral = EPHEMERAL_GIB if vm.vcpus >= 8 else 0
    name = f"c{vm.vcpus}.m{vm.memory_mib}.d{disk}"
    return {
        "ID": f"id-{name}",
        "Name": name,
        "RAM": vm.memory_mib,
        "Disk": disk,
        "Ephemeral": ephemeral,
        "VCPUs": vm.vcpus,
        "Is Public": True,
    }


def _server(vm: Vm) -> Row:
    flavor = _flavor(vm)
    return {
        "ID": vm.uuid,
        "Name": vm.name,
        "Status": _STATUS[vm.state],
        "Task State": None,
        "Power State": _POWER[vm.state],
        "Networks": f"internal={vm.ip}",
        "Image Name": vm.os,
        "Image ID": "c0ffee00-0000-4000-8000-000000000001",
        "Flavor Name": flavor["Name"],
        "Flavor ID": flavor["ID"],
        "Availability Zone": "nova",
        "Host": vm.host.name,
        "Properties": "",
    }


def _hypervisors(estate: Estate) -> list[Row]:
    running = {host: [vm for vm in estate.on_host(host) if vm.is_running] for host in estate.hosts}
    return [
        {
            "ID": f"{host.number:08d}",
            "Hypervisor Hostname": host.name,
            "Hypervisor Type": "QEMU",
            "Host IP": f"192.168.1.{host.number % 250 + 1}",
            "State": "up",
            "vCPUs Used": sum(vm.vcpus for vm in running[host]),
            "vCPUs": 2 * host.cores,
            "Memory MB Used": sum(vm.memory_mib for vm in running[host]),
            "Memory MB": host.memory_mib,
        }
        for host in estate.hosts
    ]
