"""The vSphere Client's list of machines as CSV: sizes with their units in the cell."""

from __future__ import annotations

from tests.exports.estate import MIB_PER_GIB, Estate, Vm, make
from tests.exports.export import Export, Told, Truth, truth_of
from tests.exports.files import Row, csv_text, table

FORMAT = "vSphere Client"
_STATES = {"on": "Powered On", "off": "Powered Off", "suspended": "Suspended"}
_FACTORS = {"MB": 1 / MIB_PER_GIB, "GB": 1.0, "TB": 1024.0, "MHz": 0.001, "GHz": 1.0, "B": 1 / 1024**3}


def with_sizes(seed: int, vms: int) -> Export:
    """The list with columns CPUs and Memory Size, which the user added; sizes are rounded to two decimals.

    Provisioned Space is what a machine is given to store, Host CPU and Host Mem what it uses.
    """
    rows = [_row(vm) for vm in _shown(make(seed, vms))]
    told = [
        Told(
            name=row["Name"],
            vcpus=row["CPUs"],
            memory_gib=value(row["Memory Size"]),
            storage_gib=value(row["Provisioned Space"]),
            state={spelled: state for state, spelled in _STATES.items()}[row["State"]],
            use={"cpu_ghz_used": value(row["Host CPU"]), "memory_gib_used": value(row["Host Mem"])}
            if row["State"] == "Powered On"
            else {},
        )
        for row in rows
    ]
    return Export(name="vsphere-client", files={"ExportList.csv": _csv(rows)}, truth=truth_of(FORMAT, told))


def default(seed: int, vms: int) -> Export:
    """The list with its default columns: none tells vCPUs, so nothing can be planned."""
    rows = [
        {heading: cell for heading, cell in _row(vm).items() if heading not in ("CPUs", "Memory Size")}
        for vm in _shown(make(seed, vms))
    ]
    truth = Truth(format=FORMAT, refused=True)
    return Export(name="vsphere-client-default", files={"ExportList.csv": _csv(rows)}, truth=truth)


def value(cell: str) -> float:
    """GiB or GHz that a cell says.

    >>> value("1.5 TB"), value("512 MB"), value("2 GHz")
    (1536.0, 0.5, 2.0)
    """
    figure, unit = cell.split()
    return float(figure.replace(",", "")) * _FACTORS[unit]


def _shown(estate: Estate) -> list[Vm]:
    return [vm for vm in estate.vms if vm.state in _STATES]


def _row(vm: Vm) -> Row:
    return {
        "Name": vm.name,
        "State": _STATES[vm.state],
        "Status": "Normal",
        "Provisioned Space": _size(vm.disk_gib + vm.memory_gib),
        "CPUs": vm.vcpus,
        "Memory Size": _size(vm.memory_gib),
        "Used Space": _size(vm.used_disk_mib / MIB_PER_GIB),
        "Host CPU": _clock(vm.cpu_mhz(vm.cpu_average)),
        "Host Mem": _size(vm.used_mib(vm.memory_average) / MIB_PER_GIB),
        "Guest Mem %": round(vm.memory_average),
    }


def _size(gib: float) -> str:
    if gib == 0:
        return "0 B"
    if gib < 1:
        return f"{gib * MIB_PER_GIB:.4g} MB"
    return f"{gib:.6g} GB" if gib < 1024 else f"{round(gib / 1024, 2):g} TB"


def _clock(mhz: int) -> str:
    return f"{mhz} MHz" if mhz < 1000 else f"{mhz / 1000:.2f} GHz"


def _csv(rows: list[Row]) -> bytes:
    return csv_text(table(rows)).encode("utf-8-sig")
