"""The sheets vCluster, vHost and vDatastore of the synthetic export."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from _rvtools_clusters import CLUSTERS, Cluster
from _rvtools_detail import DATACENTER, DATASTORES_PER_CLUSTER, VCENTER, Detail, Row, flag
from _rvtools_estate import EXPORTED, MIB_PER_GIB, Host, short_name

DATASTORE_FILL = 0.72


def cluster_row(cluster: Cluster, hosts: list[Host]) -> Row:
    """The row of a cluster on vCluster."""
    members = [host for host in hosts if host.cluster is cluster]
    cores = sum(host.generation.cores for host in members)
    mhz = sum(host.generation.cores * host.generation.mhz for host in members)
    mib = sum(host.generation.memory_mib for host in members)
    at_work = sum(not host.maintenance for host in members)
    return {
        "Name": cluster.name,
        "Config status": "green",
        "OverallStatus": "green",
        "NumHosts": len(members),
        "numEffectiveHosts": at_work,
        "TotalCpu": mhz,
        "NumCpuCores": cores,
        "NumCpuThreads": 2 * cores,
        "Effective Cpu": int(mhz * 0.96 * at_work / len(members)),
        "TotalMemory": mib,
        "Effective Memory": int(mib * 0.97 * at_work / len(members)),
        "HA enabled": flag(True),
        "Failover Level": 1,
        "AdmissionControlEnabled": flag(True),
        "DRS enabled": flag(True),
        "DRS default VM behavior": "fullyAutomated",
        "DPM enabled": flag(False),
        "Object ID": f"domain-c{10 + CLUSTERS.index(cluster)}",
    } | VCENTER


def host_rows(hosts: list[Host], details: list[Detail]) -> list[Row]:
    """The rows of vHost, with what the machines on each host add up to."""
    by_host = defaultdict(list)
    for detail in details:
        by_host[short_name(detail.machine.host)].append(detail)
    return [
        _host_hardware(host) | _host_load(host, by_host[short_name(host.name)]) | _host_facts(host, number)
        for number, host in enumerate(hosts, start=1)
    ]


def _host_hardware(host: Host) -> Row:
    generation = host.generation
    return {
        "Host": host.name,
        "Datacenter": DATACENTER,
        "Cluster": host.cluster.name,
        "Config status": "green",
        "Compliance Check State": None,
        "in Maintenance Mode": flag(host.maintenance),
        "in Quarantine Mode": flag(False),
        "vSAN Fault Domain Name": None,
        "CPU Model": generation.cpu_model,
        "Speed": generation.mhz,
        "HT Available": flag(True),
        "HT Active": flag(True),
        "# CPU": generation.sockets,
        "Cores per CPU": generation.cores_per_socket,
        "# Cores": generation.cores,
    }


def _host_load(host: Host, details: list[Detail]) -> Row:
    generation = host.generation
    running = [detail for detail in details if detail.is_on]
    vcpus = sum(detail.machine.vcpus for detail in running)
    used_mhz = sum(detail.overall_mhz for detail in running)
    used_mib = sum(detail.consumed_mib for detail in running)
    return {
        "CPU usage %": round(100 * used_mhz / (generation.cores * generation.mhz)),
        "# Memory": generation.memory_mib,
        "Memory Tiering Type": "noTiering",
        "Memory usage %": round(100 * used_mib / generation.memory_mib),
        "Console": 0,
        "# NICs": 4,
        "# HBAs": 2,
        "# VMs total": len(details),
        "# VMs": len(running),
        "VMs per Core": len(running) / generation.cores,
        "# vCPUs": vcpus,
        "vCPUs per Core": vcpus / generation.cores,
        "vRAM": sum(detail.machine.memory_mib for detail in running),
        "VM Used memory": used_mib,
        "VM Memory Swapped": 0,
        "VM Memory Ballooned": 0,
    }


def _host_facts(host: Host, number: int) -> Row:
    return {
        "VMotion support": flag(True),
        "Storage VMotion support": flag(True),
        "Current EVC": "intel-skylake",
        "Max EVC": host.generation.evc,
        "Assigned License(s)": "vSphere 8 Enterprise Plus",
        "ATS Heartbeat": 1,
        "ATS Locking": 1,
        "Current CPU power man. policy": "Balanced",
        "Supported CPU power man.": "ACPI C-states",
        "Host Power Policy": "dynamic",
        "ESX Version": "VMware ESXi 8.0.3 build-24280767",
        "Boot time": EXPORTED - timedelta(days=20 + 7 * number),
        "DNS Servers": "10.1.0.10, 10.1.0.11",
        "DHCP": flag(False),
        "Domain": "corp.example",
        "NTP Server(s)": "ntp.corp.example",
        "NTPD running": flag(True),
        "Time Zone": "UTC",
        "Time Zone Name": "UTC",
        "GMT Offset": "0",
        "Vendor": "Sample Systems",
        "Model": host.generation.model,
        "Serial number": f"SAMPLE{number:04d}",
        "Service tag": f"S{number:05d}",
        "BIOS Version": "2.19.1",
        "BIOS Date": datetime(2024, 3, 14),
        "Object ID": f"host-{100 + number}",
    } | VCENTER


def datastore_rows(details: list[Detail]) -> list[Row]:
    """The rows of vDatastore, as full as the machines on them make them."""
    return [
        _datastore(cluster, f"ds-{cluster.key}-{number:02d}", details)
        for cluster in CLUSTERS
        for number in range(1, DATASTORES_PER_CLUSTER + 1)
    ]


def _datastore(cluster: Cluster, name: str, details: list[Detail]) -> Row:
    stored = [detail for detail in details if detail.datastore == name]
    used = sum(detail.in_use_mib for detail in stored)
    tib = MIB_PER_GIB * MIB_PER_GIB
    capacity = round(used / DATASTORE_FILL / tib + 0.5) * tib
    return {
        "Name": name,
        "Config status": "green",
        "Address": f"naa.600{sum(map(ord, name)):08d}",
        "Accessible": flag(True),
        "Type": "VMFS",
        "# VMs total": len(stored),
        "# VMs": sum(detail.is_on for detail in stored),
        "Capacity MiB": capacity,
        "Provisioned MiB": sum(detail.disk_mib for detail in stored),
        "In Use MiB": used,
        "Free MiB": capacity - used,
        "Free %": round(100 * (capacity - used) / capacity),
        "SIOC enabled": flag(False),
        "# Hosts": len(cluster.hosts),
        "Hosts": ", ".join(f"esx-{cluster.key}{number:02d}" for number in range(1, len(cluster.hosts) + 1)),
        "Cluster name": None,
        "Block size": 1,
        "Major Version": 6,
        "Version": "6.82",
    } | VCENTER
