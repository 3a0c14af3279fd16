"""More exports read back raw: CSV tables, JSON documents and sheets of no known tool."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable

from tests.exports import reread as raw
from tests.exports.export import Export, Host, Told
from tests.exports.reread import GIB, MIB, Reread, figure, size, state_of, total

_KUBERNETES = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}


def azure(export: Export) -> Reread:
    """The sum of the disks, or what is in use where none is listed."""
    rows = [{key.strip("*"): cell for key, cell in row.items()} for row in raw.table(export)]
    told = []
    for row in rows:
        cores, gib = figure(row["Cores"]), figure(row["Memory (In MB)"]) / MIB
        disks = total(cell for heading, cell in row.items() if heading.endswith("size (In GB)"))
        storage = disks or figure(row.get("Storage in use (In GB)"))
        allocated = figure(row.get("Storage allocated (In MB)")) / MIB
        use = {}
        if row["CPU utilization percentage"]:
            use["cpu_vcpus_used"] = cores * figure(row["CPU utilization percentage"]) / 100
            use["memory_gib_used"] = gib * figure(row["Memory utilization percentage"]) / 100
        told.append(
            Told(name=row["Server name"], vcpus=cores, memory_gib=gib, storage_gib=allocated or storage, use=use)
        )
    return told, []


def migration_hub(export: Export) -> Reread:
    """Named by VMware, or by host name."""
    told = []
    for row in raw.table(export):
        cores = figure(row["CPU.NumberOfCores"])
        told.append(
            Told(
                name=row["VMware.VMName"] or row["HostName"],
                vcpus=cores,
                memory_gib=figure(row["RAM.TotalSizeInMB"]) / MIB,
                use={
                    "cpu_vcpus_average": cores * figure(row["CPU.UsagePct.Avg"]) / 100,
                    "cpu_vcpus_peak": cores * figure(row["CPU.UsagePct.Max"]) / 100,
                    "memory_gib_average": figure(row["RAM.UsedSizeInMB.Avg"]) / MIB,
                    "memory_gib_peak": figure(row["RAM.UsedSizeInMB.Max"]) / MIB,
                },
            )
        )
    return told, []


def migration_center(export: Export) -> Reread:
    """Machines with the sum of their disks, and the samples of each."""
    disks: dict[str, float] = defaultdict(float)
    for row in raw.table(export, "diskInfo"):
        disks[row["MachineId"]] += figure(row["SizeInGib"])
    samples = defaultdict(list)
    for row in raw.table(export, "perfInfo"):
        share, used = figure(row["CpuUtilizationPercentage"]) / 100, figure(row["UtilizedMemoryBytes"]) / GIB
        samples[row["MachineId"]].append((share, used))
    told = []
    for row in raw.table(export, "vmInfo"):
        cores, use = figure(row["AllocatedProcessorCoreCount"]), {}
        if mine := samples[row["MachineId"]]:
            shares, used = zip(*mine, strict=True)
            use = {"cpu_vcpus_average": cores * sum(shares) / len(mine), "cpu_vcpus_peak": cores * max(shares)}
            use |= {"memory_gib_average": sum(used) / len(mine), "memory_gib_peak": max(used)}
        told.append(
            Told(
                name=row["MachineName"],
                vcpus=cores,
                memory_gib=figure(row["MemoryGiB"]),
                storage_gib=disks[row["MachineId"]],
                state=state_of(row["MachineStatus"]),
                use=use,
            )
        )
    return told, []


def prism(export: Export) -> Reread:
    """Storage after the slash; shares of what a machine is given."""
    told = []
    for row in raw.table(export):
        cores, gib, state = figure(row["Cores"]), size(row["Memory Capacity"]), state_of(row["Power State"])
        shares = {"cpu_vcpus_used": cores, "memory_gib_used": gib} if state == "on" else {}
        percent = {"cpu_vcpus_used": row["CPU Usage"], "memory_gib_used": row["Memory Usage"]}
        told.append(
            Told(
                name=row["VM Name"],
                vcpus=cores,
                memory_gib=gib,
                storage_gib=size(row["Storage"].partition(" / ")[2]),
                state=state,
                use={name: given * figure(percent[name].rstrip("%")) / 100 for name, given in shares.items()},
            )
        )
    return told, []


def vsphere(export: Export) -> Reread:
    """Cells with their units."""
    told = []
    for row in raw.table(export):
        state = state_of(row["State"])
        use = {"cpu_ghz_used": size(row["Host CPU"]), "memory_gib_used": size(row["Host Mem"])}
        told.append(
            Told(
                name=row["Name"],
                vcpus=figure(row["CPUs"]),
                memory_gib=size(row["Memory Size"]),
                storage_gib=size(row["Provisioned Space"]),
                state=state,
                use=use if state == "on" else {},
            )
        )
    return told, []


def powershell(skip: int) -> Callable[[Export], Reread]:
    """What is assigned, or what a machine starts with."""

    def one(row: dict) -> Told:
        return Told(
            name=row["Name"],
            vcpus=figure(row["ProcessorCount"]),
            memory_gib=(figure(row["MemoryAssigned"]) or figure(row["MemoryStartup"])) / GIB,
            state=state_of(row["State"]),
        )

    return lambda export: ([one(row) for row in raw.table(export, skip=skip)], [])


def toolsx(export: Export) -> Reread:
    """vInfo with the sum of its disks on vVHD."""
    sheets = raw.workbook(export)
    disks: dict[object, float] = defaultdict(float)
    for row in sheets["vVHD"]:
        disks[row["VM ID"]] += row["Max Size (GB)"]
    told = [
        Told(
            name=row["VM Name"],
            vcpus=row["vCPU"],
            memory_gib=row["Memory Assigned (GB)"] or row["Memory Startup (GB)"],
            storage_gib=disks[row["VM ID"]],
            state=state_of(row["State"]),
        )
        for row in sheets["vInfo"]
    ]
    return told, raw.host_list(sheets["vHost"], "Host", "Cores", "Memory (GB)", 1)


def proxmox(export: Export) -> Reread:
    """Machines and nodes of one list."""
    (data,) = export.files.values()
    document = json.loads(data)
    items = document["data"] if isinstance(document, dict) else document
    told = [
        Told(
            name=item["name"],
            vcpus=item["maxcpu"],
            memory_gib=item["maxmem"] / GIB,
            storage_gib=item["maxdisk"] / GIB,
            state="template" if item["template"] else state_of(item["status"]),
            use={"cpu_vcpus_used": item["cpu"] * item["maxcpu"], "memory_gib_used": item["mem"] / GIB},
        )
        for item in items
        if item["type"] in ("qemu", "lxc")
    ]
    nodes = [item for item in items if item["type"] == "node" and item["status"] == "online"]
    return told, raw.host_list(nodes, "node", "maxcpu", "maxmem", GIB)


def openstack(lists: Callable[[Export, str], raw.Rows]) -> Callable[[Export], Reread]:
    """Servers by the sizes of their flavors."""

    def read(export: Export) -> Reread:
        flavors = {row["ID"]: row for row in lists(export, "flavor_list")}
        told = []
        for row in lists(export, "server_list"):
            flavor = flavors[row["Flavor ID"]]
            told.append(
                Told(
                    name=row["Name"],
                    vcpus=figure(flavor["VCPUs"]),
                    memory_gib=figure(flavor["RAM"]) / MIB,
                    storage_gib=figure(flavor["Disk"]) + figure(flavor["Ephemeral"]),
                    state=state_of(row["Status"]),
                )
            )
        hosts = raw.host_list(lists(export, "hypervisor_list"), "Hypervisor Hostname", "vCPUs", "Memory MB", MIB)
        return told, hosts

    return read


def json_list(export: Export, name: str) -> raw.Rows:
    """Records of the file of this name."""
    return json.loads(export.files[f"{name}.json"])


def kubernetes(export: Export) -> Reread:
    """Pods that run or wait and belong to no DaemonSet; what nodes may be asked for beside their DaemonSets."""
    (data,) = export.files.values()
    items = json.loads(data)["items"]
    told, agents = [], {}
    for pod in (item for item in items if item["kind"] == "Pod"):
        is_agent = pod["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"
        if is_agent:
            agents[pod["spec"]["nodeName"]] = pod["spec"]["containers"][0]["resources"]["requests"]
        if is_agent or pod["status"]["phase"] not in ("Running", "Pending"):
            continue
        asked = {}
        for resource, quantity in (("cpu", _cpu), ("memory", _memory)):
            main, before = (
                [quantity(one["resources"]["requests"][resource]) for one in pod["spec"].get(group, ())]
                for group in ("containers", "initContainers")
            )
            asked[resource] = max([sum(main), *before])
        told.append(Told(name=pod["metadata"]["name"], vcpus=asked["cpu"], memory_gib=asked["memory"]))
    hosts = [
        Host(
            name=name,
            cores=_cpu(free["cpu"]) - _cpu(agents[name]["cpu"]),
            memory_gib=_memory(free["memory"]) - _memory(agents[name]["memory"]),
        )
        for node in items
        if node["kind"] == "Node" and (free := node["status"]["allocatable"]) and (name := node["metadata"]["name"])
    ]
    return told, hosts


def _cpu(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def _memory(text: str) -> float:
    return float(text[:-2]) * _KUBERNETES[text[-2:]] / GIB if text[-2:] in _KUBERNETES else float(text) / GIB


def template(export: Export) -> Reread:
    """Rows times their count."""
    sheets = raw.workbook(export)
    told = []
    for row in sheets["Workloads"]:
        count = row["Count"] or 1
        names = {"cpu_ghz_used": "CPU used (GHz)", "memory_gib_used": "Memory used (GiB)"}
        told.append(
            Told(
                name=str(row["Name"]),
                vcpus=count * row["vCPUs"],
                memory_gib=count * figure(row["Memory (GiB)"]),
                storage_gib=count * figure(row["Storage (GiB)"]),
                state=row["State"],
                use={name: count * row[heading] for name, heading in names.items() if row[heading] is not None},
            )
        )
    hosts = [
        Host(name=row["Name"], cores=row["Count"] * row["Cores"], memory_gib=row["Count"] * row["Memory (GiB)"])
        for row in sheets["Hosts"]
    ]
    return told, hosts


def physical(export: Export) -> Reread:
    """Physical servers."""
    told = [
        Told(
            name=str(row["Server"]),
            vcpus=row["Cores"],
            memory_gib=row["RAM (MB)"] / MIB,
            storage_gib=row["HDD (GB)"],
            use={"cpu_ghz_used": row["CPU used (GHz)"], "memory_gib_used": row["RAM used (GB)"]},
        )
        for row in raw.workbook(export)["Workloads"]
    ]
    return told, []


def european(encoding: str) -> Callable[[Export], Reread]:
    """The columns of a mapping, below a title and above a row without a state."""

    def read(export: Export) -> Reread:
        by_meaning = {meaning: heading for heading, meaning in export.mapping.items()}
        name, vcpus, memory, storage, state = (
            by_meaning[meaning] for meaning in ("name", "vcpus", "memory_gib", "storage_gib", "state")
        )
        one = raw.simple(name, vcpus, (memory, 1), (storage, 1), lambda row: state_of(row[state]), raw.continental)
        rows = [row for row in raw.table(export, delimiter=";", encoding=encoding, skip=1) if row[state]]
        return [one(row) for row in rows], []

    return read


def messy(export: Export) -> Reread:
    """Rows below the headings in row 4 that say how much memory they have and whether they run."""
    told = []
    for row in raw.workbook(export, heading_row=4)["Servers 2026"]:
        if row["Powered on"] is None:
            continue
        vcpus = row["# vCPU"]
        told.append(
            Told(
                name=str(row["Server"]),
                vcpus=vcpus,
                memory_gib=size(row["RAM"]),
                storage_gib=size(row["Disk total"]),
                state=state_of(row["Powered on"]),
                use={"cpu_vcpus_used": vcpus * figure(str(row["CPU load"]).rstrip("% ")) / 100},
            )
        )
    return told, []


REREAD: dict[str, Callable[[Export], Reread]] = {
    "rvtools-mib": lambda export: raw.rvtools(raw.workbook(export), "MiB"),
    "rvtools-mb": lambda export: raw.rvtools(raw.workbook(export), "MB"),
    "rvtools-db": raw.rvtools_db,
    "rvtools-csv-comma": raw.rvtools_folder(",", figure),
    "rvtools-csv-semicolon": raw.rvtools_folder(";", raw.continental),
    "rvtools-text": lambda export: raw.rvtools(raw.workbook(export), "MiB"),
    "rvtools-vsan": lambda export: raw.rvtools(raw.workbook(export), "MiB"),
    "liveoptics-vmware": raw.live_optics,
    "liveoptics-hyperv": raw.live_optics_hyperv,
    "liveoptics-general": raw.live_optics_general,
    "liveoptics-zip": raw.live_optics,
    "collector": raw.collector,
    "azure-migrate": azure,
    "azure-migrate-variant": azure,
    "migration-hub": migration_hub,
    "migration-center": migration_center,
    "prism": prism,
    "vsphere-client": vsphere,
    "hyperv-powershell": powershell(1),
    "hyperv-powershell-untyped": powershell(0),
    "hypervtoolsx": toolsx,
    "proxmox": proxmox,
    "openstack-csv": openstack(raw.table),
    "openstack-json": openstack(json_list),
    "kubernetes": kubernetes,
    "template": template,
    "physical": physical,
    "mapped-de": european("cp1252"),
    "mapped-messy": messy,
    "mapped-fr": european("utf-8-sig"),
}
"""How the raw content of each export is added up; one that must be refused is not here."""


def _devices(export: Export) -> dict[str, float]:
    rows = raw.workbook(export, "VMWARE")["Host Devices"]
    return {row["Device Name"]: row["Capacity (GiB)"] for row in rows if row["Device Type"] == "Cluster"}


def _datastores(
    unit: str, tabs: Callable[[Export], raw.Rows], number: Callable[[object], float] = figure
) -> Callable[[Export], dict[str, float]]:
    def read(export: Export) -> dict[str, float]:
        shared = [row for row in tabs(export) if "," in row["Hosts"] and row["Type"] != "vsan"]
        return {row["Name"]: number(row[f"Capacity {unit}"]) / MIB for row in shared}

    return read


def _datastore_sheet(export: Export) -> raw.Rows:
    return raw.workbook(export)["vDatastore"]


SHARED: dict[str, Callable[[Export], dict[str, float]]] = {
    "rvtools-mib": _datastores("MiB", _datastore_sheet),
    "rvtools-mb": _datastores("MB", _datastore_sheet),
    "rvtools-text": _datastores("MiB", _datastore_sheet),
    "rvtools-vsan": _datastores("MiB", _datastore_sheet),
    "rvtools-csv-comma": _datastores("MB", lambda export: raw.table(export, "_tabvDatastore", ",")),
    "rvtools-csv-semicolon": _datastores(
        "MB", lambda export: raw.table(export, "_tabvDatastore", ";"), raw.continental
    ),
    "liveoptics-vmware": _devices,
    "liveoptics-zip": _devices,
}
"""Capacity in GiB of each datastore that several hosts of a cluster share, by name, as each export holds it."""
