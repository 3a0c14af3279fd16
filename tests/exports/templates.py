"""The planner's own template, filled in: with virtual machines, and with physical servers to be replaced."""

from __future__ import annotations

from tests.exports.estate import MIB_PER_GIB, Estate, Vm, make
from tests.exports.export import Export, Host, Told, truth_of
from tests.exports.files import Row, Table, table, xlsx

FORMAT = "template"
EQUAL = 3
"""How many equal workloads, or hosts, some rows stand for."""


def template(seed: int, vms: int) -> Export:
    """Workloads, hosts and host models; some rows stand for several, some cells are text, and a row is blank.

    A row counts as one workload; totals count what it stands for.
    """
    estate = make(seed, vms).without_names_twice()
    rows = [_workload(vm) for vm in estate.vms]
    hosts = [_host(estate, number) for number in range(len(estate.hosts))]
    headings = list(rows[0])
    sheets = {
        "Read me": table([{"Read me": "Fill in the sheet Workloads."}]),
        "Workloads": Table(headings=headings, rows=[*rows[:7], {}, *rows[7:]]),
        "Hosts": table(hosts),
        "Host models": _models(),
    }
    told = [_told(row) for row in rows]
    told_hosts = [
        Host(name=row["Name"], cores=row["Cores"] * row["Count"], memory_gib=row["Memory (GiB)"] * row["Count"])
        for row in hosts
    ]
    return Export(name="template", files={"mine.xlsx": xlsx(sheets)}, truth=truth_of(FORMAT, told, told_hosts))


def physical(seed: int, vms: int) -> Export:
    """Physical servers as workloads, and models to buy for all of them; the template under its other headings."""
    estate = make(seed, vms).without_names_twice()
    rows = [
        {
            "Server": vm.name,
            "Application": vm.name.partition("-")[0],
            "Cores": vm.vcpus,
            "RAM (MB)": vm.memory_mib,
            "Rack": f"R{vm.number % 3 + 1}",
            "HDD (GB)": vm.disk_mib // MIB_PER_GIB,
            "CPU used (GHz)": round(vm.cpu_mhz(vm.cpu_peak) / 1000, 3),
            "RAM used (GB)": round(vm.used_mib(vm.memory_peak) / MIB_PER_GIB, 2),
            "Operating system": vm.os,
            "Site": vm.host.datacenter,
        }
        for vm in estate.vms
    ]
    told = [
        Told(
            name=row["Server"],
            vcpus=row["Cores"],
            memory_gib=row["RAM (MB)"] / MIB_PER_GIB,
            storage_gib=row["HDD (GB)"],
            use={"cpu_ghz_used": row["CPU used (GHz)"], "memory_gib_used": row["RAM used (GB)"]},
        )
        for row in rows
    ]
    sheets = {"Workloads": table(rows), "Host models": _models()}
    return Export(name="physical", files={"servers.xlsx": xlsx(sheets)}, truth=truth_of(FORMAT, told))


def _models() -> Table:
    models = (("small", 32, 512, 14000), ("large", 64, 1024, 26000))
    return table(
        [
            {"Name": name, "Cores": cores, "Memory (GiB)": memory, "Price": price}
            for name, cores, memory, price in models
        ]
    )


def _workload(vm: Vm) -> Row:
    is_used = vm.is_running and vm.number % 3 == 0
    return {
        "Name": int(vm.name) if vm.name.isdigit() else vm.name,
        "vCPUs": vm.vcpus,
        "Memory (GiB)": f"{vm.memory_gib:,.1f}" if vm.number % 8 == 5 else vm.memory_gib,
        "Storage (GiB)": vm.disk_gib if vm.number % 10 else None,
        "CPU used (GHz)": round(vm.cpu_mhz(vm.cpu_p95) / 1000, 3) if is_used else None,
        "Memory used (GiB)": round(vm.used_mib(vm.memory_p95) / MIB_PER_GIB, 2) if is_used else None,
        "Owner": f"team {vm.number % 4}",
        "Operating system": vm.os,
        "Pool": vm.host.cluster,
        "Host": vm.host.short_name,
        "State": vm.state,
        "Count": EQUAL if _is_several(vm) else None,
    }


def _is_several(vm: Vm) -> bool:
    return vm.number % 7 == 6


def _told(row: Row) -> Told:
    count = row["Count"] or 1
    use = {
        column: row[heading]
        for column, heading in (("cpu_ghz_used", "CPU used (GHz)"), ("memory_gib_used", "Memory used (GiB)"))
        if row[heading] is not None
    }
    return Told(
        name=str(row["Name"]),
        vcpus=count * row["vCPUs"],
        memory_gib=count * float(str(row["Memory (GiB)"]).replace(",", "")),
        storage_gib=count * (row["Storage (GiB)"] or 0.0),
        state=row["State"],
        use={column: count * figure for column, figure in use.items()},
    )


def _host(estate: Estate, number: int) -> Row:
    host = estate.hosts[number]
    return {
        "Name": host.short_name,
        "Model": "Rack 2000",
        "Cores": host.cores,
        "Memory (GiB)": round(host.memory_mib / MIB_PER_GIB, 2),
        "Clock (GHz)": host.mhz / 1000,
        "Count": EQUAL if number == 1 else 1,
        "Pool": host.cluster,
        "Maintenance": "yes" if host.maintenance else "no",
    }
