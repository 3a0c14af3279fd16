"""Live Optics beside VMware: the workbook of Hyper-V, and the general one of physical servers."""

from __future__ import annotations

from tests.exports.estate import MIB_PER_GIB, Host, Vm, make
from tests.exports.export import Export, Told, truth_of
from tests.exports.export import Host as ToldHost
from tests.exports.files import Row, table, xlsx
from tests.exports.liveoptics import FORMAT, details
from tests.exports.liveoptics_hosts import hardware

BYTES_PER_MIB = 1024**2
KIB_PER_GIB = 1024**2


def hyperv(seed: int, vms: int) -> Export:
    """The Hyper-V workbook: memory in bytes, no power state, only IsRunning; its hosts are called hypervisors."""
    estate = make(seed, vms)
    sheets = {
        "Details": details(),
        "Hypervisors": table([_hypervisor(host) for host in estate.hosts]),
        "VMs": table([_machine(vm) for vm in estate.vms]),
    }
    told = [
        Told(
            name=vm.name,
            vcpus=vm.vcpus,
            memory_gib=vm.memory_gib,
            storage_gib=vm.disk_gib,
            state="on" if vm.is_running else "off",
        )
        for vm in estate.vms
    ]
    hosts = [ToldHost(name=h.name, cores=h.cores, memory_gib=h.memory_mib / MIB_PER_GIB) for h in estate.hosts]
    return Export(
        name="liveoptics-hyperv", files={"LiveOptics_HYPERV.xlsx": xlsx(sheets)}, truth=truth_of(FORMAT, told, hosts)
    )


def general(seed: int, vms: int) -> Export:
    """The general workbook: every server is one workload, whose vCPUs are its cores, and the host that carries it.

    What a server is given to store is its local capacity.
    """
    estate = make(seed, vms).without_names_twice()
    servers = [_server(vm) for vm in estate.vms]
    disks = [
        {
            "Server Name": vm.name,
            "Device Name": f"\\\\.\\PHYSICALDRIVE{number}",
            "Capacity (GiB)": disk.capacity_mib / MIB_PER_GIB,
            "Used (GiB)": disk.used_mib / MIB_PER_GIB,
            "Free (GiB)": (disk.capacity_mib - disk.used_mib) / MIB_PER_GIB,
            "Model": "SSD 960",
            "Vendor": "Example",
        }
        for vm in estate.vms
        for number, disk in enumerate(vm.disks)
    ]
    sheets = {"Details": details(), "Servers": table(servers), "Server Disks": table(disks)}
    told = [_told(row) for row in servers]
    hosts = [ToldHost(name=one.name, cores=one.vcpus, memory_gib=one.memory_gib) for one in told]
    return Export(
        name="liveoptics-general", files={"LiveOptics_GENERAL.xlsx": xlsx(sheets)}, truth=truth_of(FORMAT, told, hosts)
    )


def _hypervisor(host: Host) -> Row:
    return {
        "Server Name": host.name,
        **hardware(host),
        "Peak Memory Usage (KiB)": host.memory_mib * 700,
        "Peak CPU Percentage": 61.5,
        "Local Capacity (GiB)": 894.0,
        "Used Capacity (GiB)": 300.5,
        "Free Capacity (GiB)": 593.5,
        "Peak IOPS": 5000,
        "Average IOPS": 700,
        "Peak Throughput MB/s": 400,
    }


def _machine(vm: Vm) -> Row:
    return {
        "Guest VM Name": vm.name,
        "Guest VM OS": vm.os,
        "IsRunning": "TRUE" if vm.is_running else "FALSE",
        "Power State": None,
        "Hypervisor": vm.host.name,
        "Cluster": vm.host.cluster,
        "Virtual CPU": vm.vcpus,
        "Provisioned Memory (Bytes)": vm.memory_mib * BYTES_PER_MIB,
        "Used Memory (active) (Bytes)": vm.used_mib(vm.memory_average) * BYTES_PER_MIB,
        "Consumed Memory (Bytes)": vm.used_mib(vm.memory_peak) * BYTES_PER_MIB,
        "Guest VM Disk Capacity (MiB)": None,
        "Guest VM Disk Used (MiB)": None,
        "Virtual Disk Size (MiB)": vm.disk_mib,
        "Virtual Disk Used (MiB)": vm.used_disk_mib,
    }


def _server(vm: Vm) -> Row:
    """A physical server as large as a machine of the estate, which always runs."""
    clock = vm.host.mhz / 1000
    return {
        "Server Name": vm.name,
        "OS": vm.os,
        "Manufacturer": "Example Systems",
        "Model": "Tower 100",
        "CPU Sockets": 2 if vm.vcpus % 2 == 0 else 1,
        "CPU Cores": vm.vcpus,
        "CPU Description": vm.host.cpu_model,
        "CPU Clock Speed (GHz)": clock,
        "Net Clock Speed (GHz)": round(vm.vcpus * clock, 3),
        "Memory (KiB)": vm.memory_mib * 1024,
        "Peak Memory Usage (KiB)": vm.used_mib(vm.memory_peak) * 1024,
        "Peak CPU Percentage": vm.cpu_peak,
        "Local Capacity (GiB)": vm.disk_gib,
        "Used Capacity (GiB)": vm.used_disk_mib / MIB_PER_GIB,
        "Free Capacity (GiB)": (vm.disk_mib - vm.used_disk_mib) / MIB_PER_GIB,
        "Peak IOPS": 40 * vm.vcpus,
        "Average IOPS": 5 * vm.vcpus,
        "95% IOPS": 20 * vm.vcpus,
        "Peak Throughput MB/s": 3 * vm.vcpus,
        "Avg. Throughput MB/s": vm.vcpus,
    }


def _told(row: Row) -> Told:
    return Told(
        name=row["Server Name"],
        vcpus=row["CPU Cores"],
        memory_gib=row["Memory (KiB)"] / KIB_PER_GIB,
        storage_gib=row["Local Capacity (GiB)"],
        use={
            "cpu_ghz_peak": row["Peak CPU Percentage"] / 100 * row["CPU Cores"] * row["CPU Clock Speed (GHz)"],
            "memory_gib_peak": row["Peak Memory Usage (KiB)"] / KIB_PER_GIB,
        },
    )
