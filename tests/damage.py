"""Damage to exports that are loaded already: what people, tools and disks do to sheets, drawn from a seed."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from planner import readers
from planner.errors import InputError
from planner.inventory import Inventory
from planner.readers.exports import as_text
from planner.readers.files import File
from planner.readers.formats import SHEETS
from planner.readers.joining import inventory_of
from planner.readers.sandbox import Workbook, load
from tests.exports import EXPORTS

VMS = 20
SERIES = "perfInfo.csv"
"""Use over time, which is read from the file's bytes and not from cells."""

CLOCK = 1.0
"""GHz of a vCPU, where a file tells CPU as shares."""

RVTOOLS = {"name": ("vInfo", "VM"), "vcpus": ("vInfo", "CPUs"), "memory_gib": ("vInfo", "Memory")}
LIVE = {"name": ("VMs", "VM Name"), "vcpus": ("VMs", "Virtual CPU")}
LIVE_VMWARE = LIVE | {
    "memory_gib": ("VMs", "Provisioned Memory (MiB)"),
    "storage_gib": ("VMs", "Virtual Disk Size (MiB)"),
}
AZURE = {"vcpus": ("", "Cores"), "memory_gib": ("", "*Memory (In MB)")}
HYPERV = {"name": ("", "Name"), "vcpus": ("", "ProcessorCount"), "memory_gib": ("", "MemoryAssigned")}
FLAVOURS = {
    "name": ("server_list", "Name"),
    "vcpus": ("flavor_list", "VCPUs"),
    "memory_gib": ("flavor_list", "RAM"),
    "storage_gib": ("flavor_list", "Disk"),
}
WHERE: dict[str, dict[str, tuple[str, str]]] = {
    **dict.fromkeys(
        ("rvtools-mib", "rvtools-text", "rvtools-vsan"), RVTOOLS | {"storage_gib": ("vDisk", "Capacity MiB")}
    ),
    "rvtools-mb": RVTOOLS | {"storage_gib": ("vDisk", "Capacity MB")},
    **dict.fromkeys(
        ("rvtools-csv-comma", "rvtools-csv-semicolon"), RVTOOLS | {"storage_gib": ("vDisk", "Capacity MB")}
    ),
    "rvtools-db": {
        "name": ("vInfo", "vInfoVMName"),
        "vcpus": ("vInfo", "vInfoCPUs"),
        "memory_gib": ("vInfo", "vInfoMemory"),
        "storage_gib": ("vDisk", "vDiskCapacityMiB"),
    },
    "liveoptics-vmware": LIVE_VMWARE,
    "liveoptics-zip": LIVE_VMWARE,
    "liveoptics-hyperv": {
        "name": ("VMs", "Guest VM Name"),
        "vcpus": ("VMs", "Virtual CPU"),
        "memory_gib": ("VMs", "Provisioned Memory (Bytes)"),
        "storage_gib": ("VMs", "Virtual Disk Size (MiB)"),
    },
    "liveoptics-general": {
        "name": ("Servers", "Server Name"),
        "vcpus": ("Servers", "CPU Cores"),
        "memory_gib": ("Servers", "Memory (KiB)"),
        "storage_gib": ("Servers", "Local Capacity (GiB)"),
    },
    "collector": {
        "name": ("vmList", "VM Name"),
        "vcpus": ("vmList", "vCPUs"),
        "memory_gib": ("vmList", "Memory (MiB)"),
        "storage_gib": ("vmList", "Capacity (MiB)"),
    },
    "azure-migrate": AZURE
    | {"name": ("", "*Server name"), "vcpus": ("", "*Cores"), "storage_gib": ("", "Disk 1 size (In GB)")},
    "azure-migrate-variant": AZURE | {"name": ("", "Server name"), "storage_gib": ("", "*Storage allocated (In MB)")},
    "migration-hub": {
        "name": ("", "VMware.VMName"),
        "vcpus": ("", "CPU.NumberOfCores"),
        "memory_gib": ("", "RAM.TotalSizeInMB"),
    },
    "migration-center": {
        "name": ("vmInfo", "MachineName"),
        "vcpus": ("vmInfo", "AllocatedProcessorCoreCount"),
        "memory_gib": ("vmInfo", "MemoryGiB"),
        "storage_gib": ("diskInfo", "SizeInGib"),
    },
    "prism": {
        "name": ("", "VM Name"),
        "vcpus": ("", "Cores"),
        "memory_gib": ("", "Memory Capacity"),
        "storage_gib": ("", "Storage"),
    },
    "vsphere-client": {
        "name": ("", "Name"),
        "vcpus": ("", "CPUs"),
        "memory_gib": ("", "Memory Size"),
        "storage_gib": ("", "Provisioned Space"),
    },
    "hyperv-powershell": HYPERV,
    "hyperv-powershell-untyped": HYPERV,
    "hypervtoolsx": {
        "name": ("vInfo", "VM Name"),
        "vcpus": ("vInfo", "vCPU"),
        "memory_gib": ("vInfo", "Memory Startup (GB)"),
        "storage_gib": ("vVHD", "Max Size (GB)"),
    },
    "proxmox": {
        "name": ("", "name"),
        "vcpus": ("", "maxcpu"),
        "memory_gib": ("", "maxmem"),
        "storage_gib": ("", "maxdisk"),
    },
    "openstack-csv": FLAVOURS,
    "openstack-json": FLAVOURS,
    "kubernetes": {"name": ("", "metadata.name")},
    "template": {
        "name": ("Workloads", "Name"),
        "vcpus": ("Workloads", "vCPUs"),
        "memory_gib": ("Workloads", "Memory (GiB)"),
        "storage_gib": ("Workloads", "Storage (GiB)"),
    },
    "physical": {
        "name": ("Workloads", "Server"),
        "vcpus": ("Workloads", "Cores"),
        "memory_gib": ("Workloads", "RAM (MB)"),
        "storage_gib": ("Workloads", "HDD (GB)"),
    },
}
"""By export, the tab and heading of a workload's name and sizes; the tab of a file by itself is ""."""

READ = tuple(WHERE)
"""Exports that are read as they stand."""


@dataclass
class Tab:
    """One sheet, or CSV file, that may be damaged in place."""

    name: str
    rows: list[list]
    numbers: list[int]
    header: int

    def column(self, heading: str) -> int:
        return [as_text(cell) for cell in self.rows[self.header]].index(heading)

    def cell(self, row: int, position: int) -> object:
        return self.rows[row][position] if position < len(self.rows[row]) else None

    def put(self, row: int, position: int, value: object) -> None:
        self.rows[row] += [None] * (position + 1 - len(self.rows[row]))
        self.rows[row][position] = value

    @property
    def width(self) -> int:
        return len(self.rows[self.header])

    @property
    def body(self) -> range:
        return range(self.header + 1, len(self.rows))

    def insert(self, at: int, row: list) -> None:
        """A row more; those below move on."""
        number = self.numbers[at] if at < len(self.numbers) else self.numbers[-1] + 1
        self.rows.insert(at, row)
        self.numbers[at:] = [number, *(below + 1 for below in self.numbers[at:])]


@cache
def _loaded(key: str) -> tuple[Workbook, ...]:
    export = EXPORTS[key](0, VMS)
    parent = "export" if len(export.files) > 1 else ""
    files = [File(name=name, data=data, parent=parent) for name, data in export.files.items() if name != SERIES]
    return tuple(load(file, SHEETS) for file in files)


def books_of(key: str) -> list[Workbook]:
    """The files of an export through the sandbox, with rows of their own."""
    return [
        replace(
            book,
            sheets={
                name: replace(sheet, rows=[list(row) for row in sheet.rows], row_numbers=list(sheet.row_numbers))
                for name, sheet in book.sheets.items()
            },
        )
        for book in _loaded(key)
    ]


def tabs_of(books: Sequence[Workbook]) -> list[Tab]:
    """Every sheet with rows, by its name, or by that of its file's part after the last ``_tab``."""
    found = []
    for book in books:
        for sheet in book.sheets.values():
            stem = book.source.stem.rpartition("_tab")[2] if book.source and len(books) > 1 else ""
            if sheet.rows:
                header = 1 if len(sheet.rows[0]) == 1 and len(sheet.rows) > 1 and len(sheet.rows[1]) > 1 else 0
                found.append(Tab(sheet.name or stem, sheet.rows, sheet.row_numbers, header))
    return found


def place(key: str, tabs: Sequence[Tab], what: str) -> tuple[Tab, int]:
    """The tab and the position of a column of `WHERE`."""
    name, heading = WHERE[key][what]
    candidates = [tab for tab in tabs if tab.name == name]
    return next((tab, tab.column(heading)) for tab in candidates if heading in map(as_text, tab.rows[tab.header]))


def plain(name: str) -> str:
    """A name as it stands in the file: without the namespace of a pod."""
    return name.rpartition("/")[2]


def workload_rows(key: str, tabs: Sequence[Tab], inventory: Inventory) -> dict[int, str]:
    """Rows of the list of workloads that are planned for and whose name stands once, with the name."""
    tab, position = place(key, tabs, "name")
    names = {row: as_text(tab.cell(row, position)) for row in tab.body}
    once = Counter(names.values())
    planned = Counter(plain(name) for name in inventory.workloads["name"])
    return {row: name for row, name in names.items() if name and once[name] == 1 and planned[name] == 1}


def rng_of(*what: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(what).encode()))


def outcome(books: Sequence[Workbook]) -> Inventory | InputError:
    """What reading ends in; anything else that is raised fails the test."""
    try:
        return inventory_of_books(books)
    except InputError as error:
        assert str(error)
        assert "Traceback" not in str(error)
        return error


def inventory_of_books(books: Sequence[Workbook]) -> Inventory:
    """What `planner.read` makes of files whose cells are loaded already, no mapping remembered."""
    tables = readers._parsed(readers._prepared(books), None, remembered=False)
    return inventory_of(tables, ghz_per_vcpu=CLOCK)


@cache
def untouched(key: str) -> Inventory:
    return inventory_of_books(books_of(key))


def figures(inventory: Inventory) -> dict[str, float]:
    """Counts and totals of what is planned for and on."""
    workloads, hosts = inventory.workloads, inventory.hosts
    found = {
        name: float((workloads[name] * workloads["count"]).sum()) for name in ("vcpus", "memory_gib", "storage_gib")
    }
    found |= {f"host {name}": float((hosts[name] * hosts["count"]).sum()) for name in ("cores", "memory_gib")}
    return found | {
        "workloads": float(workloads["count"].sum()),
        "left out": float(inventory.left_out["count"].sum()),
        "hosts": float(hosts["count"].sum()),
    }


def near(wanted: dict[str, float]) -> object:
    return pytest.approx(wanted, rel=1e-9, abs=1e-9)


def new_notes(before: Inventory, after: Inventory) -> list[dict]:
    """Notes that damage added, without those that only inform."""
    known = Counter(map(_plain_note, before.notes.to_dict("records")))
    found = []
    for row in after.notes.to_dict("records"):
        note = _plain_note(row)
        known[note] -= 1
        if known[note] < 0 and row["kind"] != "information":
            found.append(row)
    return found


def _plain_note(row: dict) -> tuple:
    return tuple(str(row[name]) for name in ("kind", "file", "sheet", "row", "column", "subject", "message", "count"))


def says(error: InputError) -> str:
    return " ".join([str(error), *error.details])


def names_row(text: str, number: int) -> bool:
    return re.search(rf"\brow {number}\b", text) is not None
