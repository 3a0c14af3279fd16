"""Nutanix: workbooks of the Collector, and the list of machines that Prism Central exports."""

from __future__ import annotations

from tests.exports.estate import MIB_PER_GIB, Estate, Vm, make
from tests.exports.export import Export, Host, Told, truth_of
from tests.exports.files import Row, csv_text, table, xlsx

_POWER = {"on": ("ON", "kOn", "poweredOn", "On"), "off": ("OFF", "kOff", "poweredOff"), "suspended": ("SUSPENDED",)}
GIB_PER_TIB = 1024


def collector(seed: int, vms: int) -> Export:
    """Nutanix Collector: vmList beside sheets that are called as those of RVTools; host memory in GiB.

    Placeholders are shown as powered off. CPU used is a share of Max CPU. vCPU and vMemory tell machines apart by name
    alone, so every name stands once.
    """
    estate = make(seed, vms).without_names_twice()
    sheets = {
        "Metadata": table([_metadata()]),
        "vmList": table([_listed(vm) for vm in estate.vms]),
        "vInfo": table([_info(vm) for vm in estate.vms]),
        "vCPU": table([_cpu(vm) for vm in estate.vms]),
        "vMemory": table([_memory(vm) for vm in estate.vms]),
        "vPartition": table([row for vm in estate.vms for row in _partitions(vm)]),
        "vNetwork": table([{"VM Name": vm.name, "MAC Address": vm.mac, "Network": "VM Network"} for vm in estate.vms]),
        "vHosts": table(_hosts(estate)),
        "vCluster": table(_clusters(estate)),
        "Datastore": table(_datastores(estate)),
        "vLicense": table([{"Name": "vSphere 8", "Used": 4, "Total": 8, "Expiry Date": "Never", "License Key": "x"}]),
    }
    hosts = [Host(name=r["Host Name"], cores=r["CPU Cores"], memory_gib=r["Memory Size"]) for r in _hosts(estate)]
    truth = truth_of("Nutanix Collector", [_told(vm) for vm in estate.vms], hosts)
    return Export(name="collector", files={"collector_export.xlsx": xlsx(sheets)}, truth=truth)


def prism(seed: int, vms: int) -> Export:
    """The CSV of Prism Central: sizes with their units in the cell, storage as "used / given"."""
    estate = make(seed, vms)
    shown = [vm for vm in estate.vms if vm.state in ("on", "off", "suspended")]
    rows = [_shown(vm) for vm in shown]
    told = [
        Told(
            name=vm.name,
            vcpus=vm.vcpus,
            memory_gib=vm.memory_gib,
            storage_gib=vm.disk_gib,
            state=vm.state,
            use={
                "cpu_vcpus_used": vm.vcpus * vm.cpu_average / 100,
                "memory_gib_used": vm.memory_gib * vm.memory_average / 100,
            }
            if vm.is_running
            else {},
        )
        for vm in shown
    ]
    text = csv_text(table(rows))
    return Export(name="prism", files={"prism_vms.csv": text.encode()}, truth=truth_of("Nutanix Prism", told))


def _metadata() -> Row:
    return {
        "Collector Version": "6.1",
        "Hypervisor": "VMware ESXi",
        "Connection Mode": "vCenter",
        "Collection Date & Time": "2026-01-15 09:00:00",
        "Performance Data Duration": "7 days",
    }


def _power(vm: Vm) -> str:
    spellings = _POWER[vm.power]
    return spellings[vm.number % len(spellings)]


def _max_mhz(vm: Vm) -> int:
    return vm.vcpus * vm.host.mhz


def _listed(vm: Vm) -> Row:
    return {
        "VM Name": vm.name,
        "Sizing Enabled": "Yes",
        "Power State": _power(vm),
        "vCPUs": vm.vcpus,
        "Max CPU (MHz)": _max_mhz(vm),
        "Memory (MiB)": vm.memory_mib,
        "Thin Provisioned": "True" if vm.disks[0].thin else "False",
        "Capacity (MiB)": vm.disk_mib,
        "Consumed (MiB)": vm.used_disk_mib,
        "Datastore": vm.disks[0].datastore,
        "Storage Container": None,
        "Connection State": "Connected",
        "Volume Group Attached": "No",
        "Volume Group Capacity (MiB)": 0,
        "Volume Group Consumed (MiB)": 0,
        "Target Cluster": None,
        "Guest OS": vm.os,
        "Template": "True" if vm.state == "template" else "False",
        "Host": vm.host.name,
        "Cluster Name": vm.host.cluster,
        "Datacenter Name": vm.host.datacenter,
    }


def _info(vm: Vm) -> Row:
    return {
        "VM Name": vm.name,
        "MOID": vm.moid,
        "Power State": _power(vm),
        "Guest OS": vm.os,
        "Tool Status": "toolsOk",
        "95th Percentile IOPS": 20 * vm.vcpus,
    }


def _cpu(vm: Vm) -> Row:
    return {
        "VM Name": vm.name,
        "Power State": _power(vm),
        "vCPUs": vm.vcpus,
        "Average %": vm.cpu_average,
        "Peak %": vm.cpu_peak,
        "Median %": vm.cpu_average,
        "95th Percentile % (recommended)": vm.cpu_p95,
        "CPU Readiness 95th Percentile %": 0.4,
    }


def _memory(vm: Vm) -> Row:
    return {
        "VM Name": vm.name,
        "Size (MiB)": vm.memory_mib,
        "Average %": vm.memory_average,
        "Peak %": vm.memory_peak,
        "Median %": vm.memory_average,
        "95th Percentile % (recommended)": vm.memory_p95,
    }


def _partitions(vm: Vm) -> list[Row]:
    return [
        {"VM Name": vm.name, "Path": f"/data{number}", "Capacity (MiB)": disk.capacity_mib - 550, "Consumed (MiB)": 9}
        for number, disk in enumerate(vm.disks if vm.is_running else ())
    ]


def _hosts(estate: Estate) -> list[Row]:
    return [
        {
            "Host Name": host.name,
            "Model": "Rack 2000",
            "Service Tag": f"EX{host.number:05d}",
            "CPU Model": host.cpu_model,
            "CPU Cores": host.cores,
            "CPU Speed": host.mhz / 1000,
            "Memory Size": round(host.memory_mib / MIB_PER_GIB, 2),
            "Hypervisor": "VMware ESXi 8.0.3",
            "NICs": 4,
            "VMs": len(estate.on_host(host)),
            "CPU Usage": 22.5,
            "Memory Usage": 51.0,
            "95th Percentile IOPS": 4000,
            "95th Percentile Disk Throughput (KBps)": 250000,
        }
        for host in estate.hosts
    ]


def _clusters(estate: Estate) -> list[Row]:
    return [
        {
            "Cluster Name": name,
            "CPU Usage %": 22.5,
            "Memory Usage %": 51.0,
            "Capacity (MiB)": 10 << 20,
            "Consumed (MiB)": 5 << 20,
        }
        for name in dict.fromkeys(host.cluster for host in estate.hosts)
    ]


def _datastores(estate: Estate) -> list[Row]:
    return [
        {
            "Datastore Name": store.name,
            "Datastore Type": "VMFS",
            "Capacity (MiB)": store.capacity_mib,
            "Consumed (MiB)": store.used_mib,
        }
        for store in estate.datastores
    ]


def _told(vm: Vm) -> Told:
    ghz = _max_mhz(vm) / 1000
    shares = {"average": (vm.cpu_average, vm.memory_average), "peak": (vm.cpu_peak, vm.memory_peak)}
    shares["p95"] = (vm.cpu_p95, vm.memory_p95)
    use = {}
    for figure, (cpu, memory) in shares.items():
        use[f"cpu_ghz_{figure}"] = cpu / 100 * ghz
        use[f"memory_gib_{figure}"] = memory / 100 * vm.memory_gib
    return Told(
        name=vm.name,
        vcpus=vm.vcpus,
        memory_gib=vm.memory_gib,
        storage_gib=vm.disk_gib,
        state="template" if vm.state == "template" else vm.power,
        use=use,
    )


def _shown(vm: Vm) -> Row:
    given, used = vm.disk_gib, vm.used_disk_mib / MIB_PER_GIB
    memory = f"{vm.memory_mib} MiB" if vm.memory_mib < MIB_PER_GIB else f"{vm.memory_gib:g} GiB"
    is_large = given >= GIB_PER_TIB and given % (GIB_PER_TIB / 4) == 0
    storage = f"{given / GIB_PER_TIB:g} TiB" if is_large else f"{given:g} GiB"
    return {
        "VM Name": vm.name,
        "Host": vm.host.name if vm.is_running else "-",
        "IP Addresses": f"{vm.ip}, fe80::{vm.number:x}",
        "Cores": vm.vcpus,
        "Memory Capacity": memory,
        "Storage": f"{used:.1f} GiB / {storage}",
        "CPU Usage": f"{vm.cpu_average:g}%",
        "Memory Usage": f"{vm.memory_average:g}%",
        "Controller Read IOPS": 12,
        "Controller Write IOPS": 7,
        "Controller IO Bandwidth": "310 KBps",
        "Power State": {"on": "On", "off": "Off", "suspended": "Suspended"}[vm.state],
        "Cluster": vm.host.cluster,
        "Categories": "AppType:Default, Environment:Production",
    }
