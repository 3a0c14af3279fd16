"""RVTools workbooks: with MiB, with MB, as text cells, of a vSAN, and a large one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from tests.exports import rvtools_rows as rows
from tests.exports.estate import MIB_PER_GIB, Estate, Vm, make
from tests.exports.export import Export, Host, Told, Truth, truth_of
from tests.exports.files import Row, Table, xlsx
from tests.exports.rvtools_columns import SHEETS

FORMAT = "RVTools"
GHOST = "ghost-01"
"""Name of a running machine whose size no sheet tells."""


def mib(seed: int, vms: int) -> Export:
    """RVTools 4.7: 27 sheets, MiB, and the oddities of recent exports.

    A user's column between VM and Powerstate, blank headings at the end, a declared size beyond the content, booleans
    as text and as booleans, a number as a name, a row without a name, a blank power state, machines whose size only
    vCPU and vMemory tell, or no sheet at all, sheets that disagree, partitions of machines that vInfo does not list.
    """
    estate = make(seed, vms)
    sheets = full_sheets(estate)
    odd = [vm for vm in estate.vms if vm.is_running][4:8]
    info = sheets["vInfo"]
    headings = [*info.headings[:1], "Owner", *info.headings[1:], *[""] * 11]
    sheets["vInfo"] = Table(
        headings=headings, rows=_odd_info(info.rows, odd), beyond=(max(809, 2 * vms), len(headings) + 2)
    )
    sheets["vCPU"] = replace(sheets["vCPU"], rows=_with_other_cpus(sheets["vCPU"].rows, estate))
    lost = [dict(row) | {"VM": "gone-01", "VM UUID": "gone", "VM ID": "vm-1"} for row in rows.partitions(odd[0])]
    sheets["vPartition"] = replace(sheets["vPartition"], rows=[*sheets["vPartition"].rows, *lost])
    without = odd[3]
    kept = [row for row in sheets["vDisk"].rows if row["VM UUID"] != without.uuid]
    sheets["vDisk"] = replace(sheets["vDisk"], rows=kept)
    return Export(
        name="rvtools-mib", files={"RVTools_export_all.xlsx": xlsx(sheets)}, truth=_truth(estate, ("", GHOST))
    )


def mb(seed: int, vms: int) -> Export:
    """RVTools 3.x to 4.0: MB means MiB, no total disk capacity, neither vCPU nor vMemory, older headings."""
    estate = make(seed, vms)
    sheets = renamed(full_sheets(estate), in_mb)
    for missing in ("vCPU", "vMemory", "vMetaData", "vHealth", "vFileInfo"):
        del sheets[missing]
    young = {
        "Active Memory",
        "Total disk capacity MB",
        "Suspended To Memory",
        "HW target",
        "VM UUID",
        "Overall Cpu Readiness",
    }
    info = sheets["vInfo"]
    headings = [heading for heading in info.headings if heading not in young]
    headings.insert(headings.index("CPUs"), "CPU Usage %")
    emptied = [dict(row) | ({"In Use MB": 0} if number % 9 == 0 else {}) for number, row in enumerate(info.rows)]
    prefixed = [row | {"Host": "mgmt-" + str(row["Host"])} for row in emptied]
    sheets["vInfo"] = Table(headings=headings, rows=prefixed, beyond=(4 * vms, len(headings)))
    sheets["vDisk"] = _without(sheets["vDisk"], "VM UUID")
    sheets["vPartition"] = _without(sheets["vPartition"], "VM UUID")
    truth = replace(_truth(estate, ()), use={})
    return Export(name="rvtools-mb", files={"RVTools_old.xlsx": xlsx({"vFloppy": sheets["vCD"]} | sheets)}, truth=truth)


def text(seed: int, vms: int) -> Export:
    """A clone of RVTools that writes every cell as text and adds columns on replication.

    Some headings and the name of a sheet end with a blank.
    """
    estate = make(seed, vms)
    wanted = ("vInfo", "vCPU", "vMemory", "vDisk", "vPartition", "vNetwork", "vCluster", "vHost", "vDatastore")
    sheets = {}
    for name, content in full_sheets(estate).items():
        if name in wanted:
            sheets[name] = Table(headings=content.headings, rows=[as_text(row) for row in content.rows])
    info = sheets["vInfo"]
    replicated = [dict(row) | {"isMetroReplicated": "False", "isvSphereReplicated": "TRUE"} for row in info.rows]
    sheets["vInfo"] = Table(headings=[*info.headings, "isMetroReplicated", "isvSphereReplicated"], rows=replicated)
    blank = {"Memory": "Memory ", "CPUs": "CPUs  ", "# Memory": "# Memory ", "Capacity MiB": "Capacity MiB "}
    sheets = renamed(sheets, lambda heading: blank.get(heading, heading))
    sheets = {name + " " * (name == "vDisk"): content for name, content in sheets.items()}
    return Export(name="rvtools-text", files={"shiva.xlsx": xlsx(sheets)}, truth=_truth(estate, ()))


def vsan(seed: int, vms: int) -> Export:
    """Clusters on vSAN: provisioned and in use count every replica, the datastore's capacity is raw.

    What is given to a machine is the sum of its disks on vDisk. Sheet vMetaData has pairs of Data and Value.
    """
    estate = make(seed, vms)
    sheets = full_sheets(estate)
    copies = {"Provisioned MiB": 2, "In Use MiB": 2, "Unshared MiB": 2}
    inflated = [
        dict(row) | {heading: times * row[heading] for heading, times in copies.items()} for row in sheets["vInfo"].rows
    ]
    sheets["vInfo"] = replace(sheets["vInfo"], rows=inflated)
    sheets["vHost"] = replace(
        sheets["vHost"],
        rows=[dict(row) | {"vSAN Fault Domain Name": f"FD-{row['Rack']}"} for row in sheets["vHost"].rows],
    )
    stores = [
        dict(row) | ({"Type": "vsan", "Name": row["Name"] + "-vsanDatastore"} if row["# Hosts"] > 1 else {})
        for row in sheets["vDatastore"].rows
    ]
    sheets["vDatastore"] = replace(sheets["vDatastore"], rows=stores)
    keys = [{"Data": heading, "Value": value} for heading, value in rows.metadata().items()]
    sheets["vMetaData"] = Table(headings=["Data", "Value"], rows=keys)
    truth = replace(_truth(estate, ()), shared_storage_gib=0.0)
    return Export(name="rvtools-vsan", files={"RVTools_vsan.xlsx": xlsx(sheets)}, truth=truth)


def rvtools_full(vms: int = 10_000, seed: int = 0) -> bytes:
    """A large workbook as RVTools 4.7 writes it: all 27 sheets in order, about as wide as real ones."""
    return xlsx(full_sheets(make(seed, vms)))


def full_sheets(estate: Estate) -> dict[str, Table]:
    """All sheets with MiB, in order, without oddities but those of the estate itself."""
    each: dict[str, Callable[[Vm], Iterable[Row]]] = {
        "vInfo": lambda vm: [rows.info(vm)],
        "vCPU": lambda vm: [rows.cpu(vm)],
        "vMemory": lambda vm: [rows.memory(vm)],
        "vDisk": rows.disks,
        "vPartition": rows.partitions,
        "vNetwork": lambda vm: [rows.network(vm)],
    }
    whole = {
        "vCluster": lambda: list(rows.clusters(estate)),
        "vHost": lambda: list(rows.hosts(estate)),
        "vDatastore": lambda: [rows.datastore(store) for store in estate.datastores],
        "vMetaData": lambda: [rows.metadata()],
    }
    sheets = {}
    for name, headings in SHEETS.items():
        if name in each:
            content = [row for vm in estate.vms for row in each[name](vm)]
        else:
            content = whole[name]() if name in whole else list(rows.minor(name, estate))
        sheets[name] = Table(headings=headings, rows=content)
    return sheets


def renamed(sheets: dict[str, Table], heading: Callable[[str], str]) -> dict[str, Table]:
    """The same sheets under other headings."""
    return {
        name: Table(
            headings=[heading(text) for text in content.headings],
            rows=[{heading(key): value for key, value in row.items()} for row in content.rows],
        )
        for name, content in sheets.items()
    }


def in_mb(heading: str) -> str:
    """A heading as RVTools spelled it before 4.1."""
    older = {
        "OS according to the VMware Tools": "OS according to VMware Tools",
        "Cores per CPU": "Cores per Socket",
        "# Memory": "Memory",
    }
    return older.get(heading, re.sub(r"\bMiB\b", "MB", heading).replace("KiB", "KB"))


def as_text(row: Row) -> dict[str, str | None]:
    """A row whose cells are all text."""
    return {heading: None if value is None else str(value) for heading, value in row.items()}


def told(estate: Estate) -> list[Told]:
    """What sheets vInfo, vCPU, vMemory and vDisk tell of each machine."""
    found = []
    for vm in estate.vms:
        use = {
            "cpu_ghz_used": vm.cpu_mhz(vm.cpu_average) / 1000,
            "memory_gib_used": vm.used_mib(vm.memory_average) / MIB_PER_GIB,
        }
        found.append(
            Told(
                name=vm.name,
                vcpus=vm.vcpus,
                memory_gib=vm.memory_gib,
                storage_gib=vm.disk_gib,
                state=vm.state,
                use=use if vm.is_running else {},
            )
        )
    return found


def hosts(estate: Estate) -> list[Host]:
    """What sheet vHost tells of each host."""
    return [Host(name=h.name, cores=h.cores, memory_gib=h.memory_mib / MIB_PER_GIB) for h in estate.hosts]


def _truth(estate: Estate, dropped: tuple[str, ...]) -> Truth:
    return truth_of(FORMAT, told(estate), hosts(estate), dropped=dropped, shared_storage_gib=estate.shared_gib)


def _odd_info(content: Iterable[Row], odd: list[Vm]) -> list[Row]:
    """Rows of vInfo with everything that goes wrong there."""
    small, silent = odd[0], odd[1]
    found: list[Row] = []
    for number, row in enumerate(content):
        row = dict(row) | {"Owner": f"team {number % 4}"}
        if row["VM UUID"] == small.uuid:
            row |= dict.fromkeys(("CPUs", "Memory", "Cluster", "Host"))
        if row["VM UUID"] == silent.uuid:
            row["Powerstate"] = None
        if row["VM"] == "59":
            row["VM"] = 59
        if number % 11 == 1:
            row["Template"] = row["Template"] == "True"
        if number % 5 == 2 and row["Host"]:
            row["Host"] = str(row["Host"]).partition(".")[0]
        found.append(row)
    nameless = {"CPUs": 0, "Memory": 0, "Powerstate": "poweredOff", "Template": "False"}
    ghost = {"VM": GHOST, "Powerstate": "POWEREDON", "Template": "False", "VM UUID": "ghost", "VM ID": "vm-2"}
    return [*found[:10], nameless, *found[10:], ghost]


def _with_other_cpus(content: Iterable[Row], estate: Estate) -> list[Row]:
    """Rows of vCPU that say other CPUs than vInfo for some machines: vInfo is right."""
    moved = {vm.uuid for vm in [vm for vm in estate.vms if vm.is_running][8:11]}
    return [dict(row) | ({"CPUs": row["CPUs"] + 2} if row["VM UUID"] in moved else {}) for row in content]


def _without(content: Table, heading: str) -> Table:
    return replace(content, headings=[other for other in content.headings if other != heading])
