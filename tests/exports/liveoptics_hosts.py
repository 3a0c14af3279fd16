"""Hosts and their devices in the VMware workbook of Live Optics."""

from __future__ import annotations

from tests.exports.estate import MIB_PER_GIB, Estate, Host
from tests.exports.files import CREATED, Row

KIB_PER_MIB = 1024
LOCAL_GIB = 223.5


def hardware(host: Host) -> Row:
    """Processors, clock and memory of a host, in the columns that all workbooks share."""
    return {
        "CPU Sockets": host.sockets,
        "CPU Cores": host.cores,
        "CPU Threads": 2 * host.cores,
        "CPU Description": host.cpu_model,
        "CPU Clock Speed (GHz)": host.mhz / 1000,
        "Net Clock Speed (GHz)": round(host.cores * host.mhz / 1000, 3),
        "Memory (KiB)": host.memory_mib * KIB_PER_MIB,
    }


def host_rows(estate: Estate) -> list[Row]:
    """The rows of ESX Hosts; vCenter is a version, not a name."""
    return [
        {
            "Host Name": host.name,
            "Datacenter": host.datacenter,
            "Cluster": host.cluster,
            "vCenter": "VMware vCenter Server 8.0.3 build-24322831",
            "Config Status": "green",
            "Manufacturer": "Example Systems",
            "Model": "Rack 2000",
            "Serial No": f"EX{host.number:05d}",
            "OS": "VMware ESXi 8.0.3 build-24280767",
            **hardware(host),
            "Local Capacity (GiB)": LOCAL_GIB,
            "Guest VM Count": len(estate.on_host(host)),
            "Number of NICs": 2,
            "Number of HBAs": 1,
            "Boot Time": CREATED,
        }
        for host in estate.hosts
    ]


def performance_rows(estate: Estate) -> list[Row]:
    """The rows of ESX Performance."""
    return [
        {
            "Host": host.name,
            "Peak CPU %": 61.5,
            "Peak CPU (GHz)": round(0.615 * host.cores * host.mhz / 1000, 3),
            "Average CPU %": 22.1,
            "Average CPU (GHz)": round(0.221 * host.cores * host.mhz / 1000, 3),
            "Peak Memory %": 70.0,
            "Peak Memory (MiB)": round(0.7 * host.memory_mib),
            "Average Memory %": 55.0,
            "Average Memory (MiB)": round(0.55 * host.memory_mib),
            "Peak IOPS": 9000,
            "Average IOPS": 800,
            "95% IOPS": 4000,
            "Peak Throughput MB/s": 600,
            "Avg Throughput MB/s": 40,
        }
        for host in estate.hosts
    ]


def device_rows(estate: Estate) -> list[Row]:
    """The rows of Host Devices: a shared LUN stands once for every host that reaches it."""
    return [
        {
            "Server Name": host,
            "Device Name": store.name,
            "Device Type": "Cluster" if store.is_shared else "Local",
            "Lun Type": "VMFS",
            "Capacity (GiB)": store.capacity_mib / MIB_PER_GIB,
            "Used Capacity (GiB)": store.used_mib / MIB_PER_GIB,
            "Free Capacity (GiB)": (store.capacity_mib - store.used_mib) / MIB_PER_GIB,
            "VM Count": sum(vm.disks[0].datastore == store.name for vm in estate.vms),
        }
        for store in estate.datastores
        for host in store.hosts
    ]


def disk_rows(estate: Estate) -> list[Row]:
    """The rows of Host Disks."""
    return [
        {
            "Host": host.name,
            "Disk Name": "naa.5000",
            "Disk Capacity (MiB)": int(LOCAL_GIB * MIB_PER_GIB),
            "Disk Model": "SSD 240",
            "Disk Vendor": "Example",
            "SSD": "TRUE",
        }
        for host in estate.hosts
    ]
