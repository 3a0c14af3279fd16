"""Exports read back raw, cell by cell and without the planner, to see that each holds what its truth says."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable

import openpyxl

from tests.exports.export import Export, Host, Told

Rows = list[dict[str, object]]
Reread = tuple[list[Told], list[Host]]
MIB, GIB = 1024, 1024**3
_SPELLINGS = {
    "on": "poweredon|on|kon|powered on|running|active|eingeschaltet|sous tension|true|1|yes",
    "suspended": "suspended|saved|angehalten|suspendu",
    "off": "poweredoff|off|koff|powered off|stopped|shutoff|ausgeschaltet|hors tension|false|0|no",
}


def workbook(export: Export, wanted: str = "", heading_row: int = 1) -> dict[str, Rows]:
    """Sheets of the first workbook whose name holds `wanted`, rows by heading trimmed."""
    data = next(data for name, data in export.files.items() if wanted in name)
    book = openpyxl.load_workbook(io.BytesIO(data))
    found = {}
    for sheet in book.worksheets:
        rows = [list(row) for row in sheet.iter_rows(min_row=heading_row, values_only=True)]
        headings = [str(cell or "").strip() for cell in rows[0]] if rows else []
        found[sheet.title.strip()] = [
            dict(zip(headings, row, strict=True)) for row in rows[1:] if any(c is not None for c in row)
        ]
    return found


def table(export: Export, name: str = "", delimiter: str = ",", encoding: str = "utf-8-sig", skip: int = 0) -> Rows:
    """Rows of the first CSV file whose name holds `name`, `skip` lines left out above the headings."""
    data = next(data for file, data in export.files.items() if name in file)
    lines = io.StringIO(data.decode(encoding), newline="")
    for _ in range(skip):
        lines.readline()
    return [dict(row) for row in csv.DictReader(lines, delimiter=delimiter)]


def state_of(cell: object) -> str:
    """State that a cell spells; blank means on."""
    text = str("on" if cell in (None, "") else cell).strip().casefold()
    return next(state for state, spellings in _SPELLINGS.items() if text in spellings.split("|"))


def is_true(cell: object) -> bool:
    """Whether a cell spells a yes."""
    return str(cell).casefold() in ("true", "1", "yes")


def figure(cell: object) -> float:
    """A number; blank is 0, commas separate thousands."""
    return float(str(cell).replace(",", "")) if cell not in (None, "") else 0.0


def continental(cell: object) -> float:
    """A number with a decimal comma, dots or blanks separating thousands."""
    text = "".join(letter for letter in str(cell or "0") if letter.isdigit() or letter in ",-")
    return float(text.replace(",", "."))


def size(cell: object) -> float:
    """GiB or GHz of a cell with its unit, GB meaning GiB."""
    number, unit = str(cell).split()
    factors = {"t": 1024, "g": 1, "m": 1 / MIB, "k": 1 / MIB**2, "b": 1 / GIB}
    return figure(number) * (factors[unit[0].casefold()] if "Hz" not in unit else {"G": 1, "M": 1e-3}[unit[0]])


def simple(
    name: str,
    vcpus: str,
    memory: tuple[str, float],
    storage: tuple[str, float] | None = None,
    state: Callable[[dict], str] = lambda row: "on",
    number: Callable[[object], float] = figure,
) -> Callable[[dict], Told]:
    """How a row tells one workload, by headings; sizes with the number of their unit in a GiB."""

    def one(row: dict) -> Told:
        return Told(
            name=str(row[name]),
            vcpus=number(row[vcpus]),
            memory_gib=number(row[memory[0]]) / memory[1],
            storage_gib=number(row[storage[0]]) / storage[1] if storage else 0.0,
            state=state(row),
        )

    return one


def host_list(rows: Rows, name: str, cores: str, memory: str, per_gib: float) -> list[Host]:
    """Hosts of rows by heading."""
    return [Host(name=str(r[name]), cores=figure(r[cores]), memory_gib=figure(r[memory]) / per_gib) for r in rows]


def rvtools_state(
    row: dict, power: str = "Powerstate", template: str = "Template", holder: str = "SRM Placeholder"
) -> str:
    """State that three columns of RVTools tell together."""
    if is_true(row.get(template)):
        return "template"
    return "placeholder" if is_true(row.get(holder)) else state_of(row.get(power))


def rvtools(tabs: dict[str, Rows], unit: str, number: Callable[[object], float] = figure) -> Reread:
    """Machines of vInfo, what it leaves blank from vCPU and vMemory, disks of vDisk, hosts of vHost."""

    def key(row: dict) -> tuple:
        return str(row["VI SDK UUID"]), row["VM ID"]

    cpus = {key(row): row for row in tabs.get("vCPU", ())}
    memory = {key(row): row for row in tabs.get("vMemory", ())}
    disks: dict[tuple, float] = defaultdict(float)
    for row in tabs["vDisk"]:
        disks[key(row)] += number(row[f"Capacity {unit}"]) / MIB
    told = []
    for row in tabs["vInfo"]:
        other, further = cpus.get(key(row), {}), memory.get(key(row), {})
        vcpus, mib = figure(row["CPUs"] or other.get("CPUs")), figure(row["Memory"] or further.get(f"Size {unit}"))
        if row["VM"] and vcpus:
            state = rvtools_state(row)
            told.append(
                Told(
                    name=str(row["VM"]),
                    vcpus=vcpus,
                    memory_gib=mib / MIB,
                    storage_gib=disks[key(row)] or figure(row.get(f"Total disk capacity {unit}")) / MIB,
                    state=state,
                    use=_rvtools_use(row, other, further) if state == "on" else {},
                )
            )
    return told, _rvtools_hosts(tabs["vHost"])


def _rvtools_use(info: dict, cpu: dict, memory: dict) -> dict[str, float]:
    """What a machine uses by vCPU, and by vMemory or else vInfo."""
    active = memory.get("Active", info.get("Active Memory"))
    use = {"cpu_ghz_used": figure(cpu["Overall"]) / 1000} if cpu else {}
    return use | ({} if active is None else {"memory_gib_used": figure(active) / MIB})


def _rvtools_hosts(rows: Rows) -> list[Host]:
    return [
        Host(
            name=str(row["Host"]),
            cores=figure(row["# CPU"]) * figure(row.get("Cores per CPU", row.get("Cores per Socket"))),
            memory_gib=figure(row.get("# Memory", row.get("Memory"))) / MIB,
        )
        for row in rows
    ]


def rvtools_db(export: Export) -> Reread:
    """Headings that are names of database columns, joined by name."""
    tabs = workbook(export)
    disks: dict[object, float] = defaultdict(float)
    for row in tabs["vDisk"]:
        disks[row["vDiskVMName"]] += row["vDiskCapacityMiB"] / MIB
    told = [
        Told(
            name=str(row["vInfoVMName"]),
            vcpus=row["vInfoCPUs"],
            memory_gib=row["vInfoMemory"] / MIB,
            storage_gib=disks[row["vInfoVMName"]],
            state=rvtools_state(row, "vInfoPowerstate", "vInfoTemplate", "vInfoSRMPlaceHolder"),
        )
        for row in tabs["vInfo"]
    ]
    return told, host_list(tabs["vHost"], "vHostName", "vHostNumCpuCores", "vHostMemorySize", GIB)


def rvtools_folder(delimiter: str, number: Callable[[object], float]) -> Callable[[Export], Reread]:
    """Tabs as CSV files."""

    def read(export: Export) -> Reread:
        tabs = {tab: table(export, f"_tab{tab}.csv", delimiter) for tab in ("vInfo", "vDisk", "vHost")}
        return rvtools(tabs, "MB", number)

    return read


def live_optics(export: Export) -> Reread:
    """The VMware workbook; use joined by managed object and host."""
    sheets = workbook(export, "VMWARE")
    used = {(row["MOB ID"], row["Host"]): row for row in sheets["VM Performance"]}
    told = []
    for row in sheets["VMs"]:
        use = used[row["MOB ID"], row["Host"]]
        figures = {
            "cpu_ghz_average": use["Average vCPU (GHz)"],
            "cpu_ghz_peak": use["Peak vCPU (GHz)"],
            "memory_gib_average": use["Avg Memory (MiB)"] / MIB,
            "memory_gib_peak": use["Peak Memory (MiB)"] / MIB,
        }
        told.append(
            Told(
                name=row["VM Name"],
                vcpus=row["Virtual CPU"],
                memory_gib=row["Provisioned Memory (MiB)"] / MIB,
                storage_gib=row["Virtual Disk Size (MiB)"] / MIB,
                state=rvtools_state(row, "Power State"),
                use=figures,
            )
        )
    return told, host_list(sheets["ESX Hosts"], "Host Name", "CPU Cores", "Memory (KiB)", MIB**2)


def live_optics_hyperv(export: Export) -> Reread:
    """Memory in bytes."""
    sheets = workbook(export)
    one = simple(
        "Guest VM Name",
        "Virtual CPU",
        ("Provisioned Memory (Bytes)", GIB),
        ("Virtual Disk Size (MiB)", MIB),
        lambda row: "on" if is_true(row["IsRunning"]) else "off",
    )
    return [one(row) for row in sheets["VMs"]], host_list(
        sheets["Hypervisors"], "Server Name", "CPU Cores", "Memory (KiB)", MIB**2
    )


def live_optics_general(export: Export) -> Reread:
    """Servers whose cores are what they ask for; the disks of each add up to its local capacity."""
    sheets = workbook(export)
    disks: dict[object, float] = defaultdict(float)
    for row in sheets["Server Disks"]:
        disks[row["Server Name"]] += row["Capacity (GiB)"]
    told = [
        Told(
            name=row["Server Name"],
            vcpus=row["CPU Cores"],
            memory_gib=row["Memory (KiB)"] / MIB**2,
            storage_gib=disks[row["Server Name"]],
            use={
                "cpu_ghz_peak": row["Peak CPU Percentage"] / 100 * row["Net Clock Speed (GHz)"],
                "memory_gib_peak": row["Peak Memory Usage (KiB)"] / MIB**2,
            },
        )
        for row in sheets["Servers"]
    ]
    return told, [Host(name=one.name, cores=one.vcpus, memory_gib=one.memory_gib) for one in told]


def collector(export: Export) -> Reread:
    """vmList with the shares of vCPU and vMemory, which stand in the same order."""
    sheets = workbook(export)
    figures = {"average": "Average %", "peak": "Peak %", "p95": "95th Percentile % (recommended)"}
    told = []
    for row, cpu, memory in zip(sheets["vmList"], sheets["vCPU"], sheets["vMemory"], strict=True):
        assert row["VM Name"] == cpu["VM Name"] == memory["VM Name"]
        gib = row["Memory (MiB)"] / MIB
        use = {f"cpu_ghz_{name}": cpu[text] / 100 * row["Max CPU (MHz)"] / 1000 for name, text in figures.items()}
        use |= {f"memory_gib_{name}": memory[text] / 100 * gib for name, text in figures.items()}
        told.append(
            Told(
                name=row["VM Name"],
                vcpus=row["vCPUs"],
                memory_gib=gib,
                storage_gib=row["Capacity (MiB)"] / MIB,
                state=rvtools_state(row, "Power State"),
                use=use,
            )
        )
    return told, host_list(sheets["vHosts"], "Host Name", "CPU Cores", "Memory Size", 1)


def total(cells: Iterable[object]) -> float:
    """Sum of numbers, blanks left out."""
    return sum(figure(cell) for cell in cells)
