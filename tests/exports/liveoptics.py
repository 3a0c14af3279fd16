"""Live Optics: workbooks of VMware, Hyper-V and physical servers, and the archive that people download."""

from __future__ import annotations

from tests.exports.estate import MIB_PER_GIB, Estate, Vm, make
from tests.exports.export import Export, Told, Truth, truth_of
from tests.exports.export import Host as ToldHost
from tests.exports.files import CREATED, Row, Table, table, xlsx
from tests.exports.liveoptics_hosts import device_rows, disk_rows, host_rows, performance_rows

FORMAT = "Live Optics"
_PROJECT = {
    "Project ID": "1234567",
    "Date": "2026-01-15",
    "Project Name": "Example",
    "Collector Build Version": "24.3.1",
}
_POWER = {"on": "poweredOn", "off": "poweredOff", "suspended": "suspended"}


def vmware(seed: int, vms: int) -> Export:
    """The VMware workbook: host memory in KiB, machines in MiB, a LUN on every host that reaches it."""
    estate = make(seed, vms)
    return Export(
        name="liveoptics-vmware", files={"LiveOptics_VMWARE.xlsx": xlsx(_vmware(estate))}, truth=_truth(estate)
    )


def archive(seed: int, vms: int) -> Export:
    """What is downloaded: the VMWARE workbook beside AIR and PERF workbooks of the same machines, in one archive.

    What stands in the other two is made up: `Details`, and series that no machine must be read from.
    """
    estate = make(seed, vms)
    hours = [{"Time": f"2026-01-1{day} {hour:02d}:00", "CPU %": 20 + hour} for day in range(3) for hour in range(24)]
    detail = {"Details": details()}
    files = {
        "LiveOptics_1234567_AIR_01_15_2026.xlsx": xlsx(detail | {"Summary": table([{"Servers": len(estate.hosts)}])}),
        "LiveOptics_1234567_PERF_01_15_2026.xlsx": xlsx(detail | {"Performance": table(hours)}),
        "LiveOptics_1234567_VMWARE_01_15_2026.xlsx": xlsx(_vmware(estate)),
    }
    return Export(name="liveoptics-zip", files=files, truth=_truth(estate))


def details() -> Table:
    """Keys and values in two columns; the first pair stands where the headings would."""
    (first, value), *rest = _PROJECT.items()
    return Table(headings=[first, value], rows=[{first: key, value: text} for key, text in rest])


def ghz(vm: Vm, percent: float) -> float:
    """GHz to three decimals, as written, that a share of a machine's vCPUs is."""
    return round(vm.cpu_mhz(percent) / 1000, 3)


def _vmware(estate: Estate) -> dict[str, Table]:
    custom = [
        {"Guest VM Name": vm.name, "Custom Attribute": "Cost centre", "Custom Content": 4000 + vm.number % 5}
        for vm in estate.vms
    ]
    licences = [{"ESX Host": host.name, "Software Title": "vSphere 8 Enterprise Plus"} for host in estate.hosts]
    return {
        "Details": details(),
        "ESX Hosts": table(host_rows(estate)),
        "ESX Performance": table(performance_rows(estate)),
        "Host Devices": table(device_rows(estate)),
        "VMs": table([_machine(vm) for vm in estate.vms], beyond=(3 * len(estate.vms), 45)),
        "VM Performance": table([_performance(vm) for vm in estate.vms]),
        "VM Disks": table([row for vm in estate.vms for row in _guest_disks(vm)]),
        "Custom Attributes": table(custom),
        "ESX Licenses": table(licences),
        "Host Disks": table(disk_rows(estate)),
        "Host Network Adapters": table(_adapters(estate)),
    }


def _machine(vm: Vm) -> Row:
    guest = sum(disk.capacity_mib - 550 for disk in vm.disks) if vm.is_running else None
    return {
        "VM Name": vm.name,
        "IsRunning": "TRUE" if vm.is_running else "FALSE",
        "Power State": _POWER[vm.power],
        "VM OS": vm.os,
        "Template": "TRUE" if vm.state == "template" else "FALSE",
        "Virtual CPU": vm.vcpus,
        "Provisioned Memory (MiB)": vm.memory_mib,
        "Used Memory (active) (MiB)": vm.used_mib(vm.memory_average),
        "Consumed Memory (MiB)": vm.used_mib(vm.memory_peak),
        "Guest VM Disk Capacity (MiB)": guest,
        "Guest VM Disk Used (MiB)": None if guest is None else vm.used_disk_mib // 2,
        "Virtual Disk Size (MiB)": vm.disk_mib,
        "Virtual Disk Used (MiB)": vm.used_disk_mib,
        "Unshared (MiB)": vm.used_disk_mib,
        "Datastore": vm.disks[0].datastore,
        "Owner ": f"team {vm.number % 4}",
        "Host": vm.host.name,
        "Cluster": vm.host.cluster,
        "Datacenter": vm.host.datacenter,
        "NICs": 1,
        "Disks": len(vm.disks),
        "Guest Hostname": f"{vm.name}.example.com" if vm.is_running else None,
        "Guest IP1": vm.ip if vm.is_running else None,
        "Connection State": "connected",
        "Boot Time": CREATED if vm.is_running else None,
        "Date Provisioned": CREATED,
        "VMware Tools Version": 12352,
        "MOB ID": vm.moid,
        "UUID (BIOS)": vm.bios_uuid,
        "InstanceUUID": vm.uuid,
    }


def _performance(vm: Vm) -> Row:
    return {
        "VM Name": vm.name,
        "MOB ID": vm.moid,
        "Host": vm.host.name,
        "Peak vCPU %": vm.cpu_peak,
        "Peak vCPU (GHz)": ghz(vm, vm.cpu_peak),
        "Average vCPU %": vm.cpu_average,
        "Average vCPU (GHz)": ghz(vm, vm.cpu_average),
        "Peak Memory %": vm.memory_peak,
        "Peak Memory (MiB)": vm.used_mib(vm.memory_peak),
        "Avg Memory (MiB)": vm.used_mib(vm.memory_average),
        "Peak IOPS": 40 * vm.vcpus,
        "Average IOPS": 5 * vm.vcpus,
        "KB/sec": 300 * vm.vcpus,
        "VM IO Classification": "Low",
    }


def _guest_disks(vm: Vm) -> list[Row]:
    return [
        {
            "VM Name": vm.name,
            "MOB ID": vm.moid,
            "InstanceUUID": vm.uuid,
            "Disk": f"{'CDEFGH'[number]}:\\",
            "Capacity (MiB)": disk.capacity_mib - 550,
            "Used (MiB)": disk.used_mib // 2,
            "Free (MiB)": disk.capacity_mib - 550 - disk.used_mib // 2,
        }
        for number, disk in enumerate(vm.disks if vm.is_running else ())
    ]


def _adapters(estate: Estate) -> list[Row]:
    return [
        {
            "Host": host.name,
            "PNIC Name": f"vmnic{number}",
            "PNIC Speed (Mb/sec)": 25000,
            "PNIC Vendor": "Example",
            "PNIC Device Name": "25GbE",
        }
        for host in estate.hosts
        for number in range(2)
    ]


def _truth(estate: Estate) -> Truth:
    """Live Optics knows no placeholder: it shows one as powered off."""
    told = []
    for vm in estate.vms:
        use = {
            "cpu_ghz_average": ghz(vm, vm.cpu_average),
            "cpu_ghz_peak": ghz(vm, vm.cpu_peak),
            "memory_gib_average": vm.used_mib(vm.memory_average) / MIB_PER_GIB,
            "memory_gib_peak": vm.used_mib(vm.memory_peak) / MIB_PER_GIB,
        }
        told.append(
            Told(
                name=vm.name,
                vcpus=vm.vcpus,
                memory_gib=vm.memory_gib,
                storage_gib=vm.disk_gib,
                state="template" if vm.state == "template" else vm.power,
                use=use,
            )
        )
    hosts = [ToldHost(name=h.name, cores=h.cores, memory_gib=h.memory_mib / MIB_PER_GIB) for h in estate.hosts]
    return truth_of(FORMAT, told, hosts, shared_storage_gib=estate.shared_gib)
