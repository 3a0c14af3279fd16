"""Sheets of no known tool, as people keep them: German, French, and one with everything that goes wrong in Excel."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from tests.exports.estate import MIB_PER_GIB, Vm, make
from tests.exports.export import Export, Told, truth_of
from tests.exports.files import CREATED, Row, csv_text, table

FORMAT = "table"
_SHOWN = ("on", "off", "suspended")
_GERMAN = {"on": "eingeschaltet", "off": "ausgeschaltet", "suspended": "angehalten"}
_FRENCH = {"on": "Sous tension", "off": "Hors tension", "suspended": "Suspendu"}
_ON = (True, "True", 1, "yes", "TRUE")
_OFF = (False, "FALSE", 0, "no", "False")


def german(seed: int, vms: int) -> Export:
    """Semicolons, decimal commas and dots for thousands, a title above, a row of sums below, in Windows' code page."""
    mapping = {
        "Servername": "name",
        "Kerne": "vcpus",
        "Arbeitsspeicher (GB)": "memory_gib",
        "Festplatte (GB)": "storage_gib",
        "Betriebssystem": "os",
        "Standort": "pool",
        "Zustand": "state",
    }
    title = "Serverliste Rechenzentrum, Stand 15.01.2026"
    return _listed("mapped-de", seed, vms, mapping, _GERMAN, _decimal_comma("."), title, "Summe", "cp1252")


def french(seed: int, vms: int) -> Export:
    """Semicolons, decimal commas and narrow blanks for thousands, sizes in Go, a row of totals below, in UTF-8."""
    mapping = {
        "Serveur": "name",
        "Processeurs virtuels": "vcpus",
        "Mémoire (Go)": "memory_gib",
        "Disque (Go)": "storage_gib",
        "Système d'exploitation": "os",
        "Site": "pool",
        "État": "state",
    }
    title = "Inventaire des serveurs, le 15/01/2026"
    return _listed("mapped-fr", seed, vms, mapping, _FRENCH, _decimal_comma("\u202f"), title, "TOTAL", "utf-8-sig")


def messy(seed: int, vms: int) -> Export:
    """A workbook with two title rows, merged cells, hidden rows, units in cells, a total and a second table below.

    Rows that are hidden by a filter are machines like the others. CPU load is a share of the vCPUs.
    """
    estate = make(seed, vms).without_names_twice()
    shown = [vm for vm in estate.vms if vm.state in ("on", "off")]
    rows = [_messy_row(vm) for vm in shown]
    workbook = _workbook(rows, sum(vm.vcpus for vm in shown))
    told = [
        Told(
            name=vm.name,
            vcpus=vm.vcpus,
            memory_gib=vm.memory_gib,
            storage_gib=vm.disk_gib,
            state=vm.state,
            use={"cpu_vcpus_used": vm.vcpus * vm.cpu_average / 100},
        )
        for vm in shown
    ]
    mapping = {
        "Server": "name",
        "# vCPU": "vcpus",
        "RAM": "memory_gib",
        "Disk total": "storage_gib",
        "CPU load": "cpu_vcpus_used",
        "Powered on": "state",
        "Site": "pool",
    }
    truth = truth_of(FORMAT, told, dropped=("Total", *_PARTS))
    return Export(name="mapped-messy", files={"Servers.xlsx": workbook}, truth=truth, mapping=mapping)


_PARTS = ("DIMM 64 GB", "SSD 1.92 TB")


def _listed(
    name: str,
    seed: int,
    vms: int,
    mapping: dict[str, str],
    states: dict[str, str],
    number: Callable[[float], str],
    title: str,
    total: str,
    encoding: str,
) -> Export:
    estate = make(seed, vms).without_names_twice()
    shown = [vm for vm in estate.vms if vm.state in _SHOWN]
    rows = []
    for vm in shown:
        cells = (vm.name, vm.vcpus, number(vm.memory_gib), number(vm.disk_gib))
        rows.append(dict(zip(mapping, (*cells, vm.os, vm.host.datacenter, states[vm.state]), strict=True)))
    sums = (sum(vm.vcpus for vm in shown), sum(vm.memory_gib for vm in shown), sum(vm.disk_gib for vm in shown))
    rows.append(dict(zip(mapping, (total, sums[0], number(sums[1]), number(sums[2])), strict=False)))
    text = title + ";" * (len(mapping) - 1) + "\r\n" + csv_text(table(rows), ";")
    told = [
        Told(name=vm.name, vcpus=vm.vcpus, memory_gib=vm.memory_gib, storage_gib=vm.disk_gib, state=vm.state)
        for vm in shown
    ]
    truth = truth_of(FORMAT, told, dropped=(total,))
    return Export(name=name, files={"server.csv": text.encode(encoding)}, truth=truth, mapping=mapping)


def _decimal_comma(thousands: str) -> Callable[[float], str]:
    return lambda value: f"{value:,.1f}".replace(",", "\0").replace(".", ",").replace("\0", thousands)


def _messy_row(vm: Vm) -> Row:
    small, large = vm.memory_mib < MIB_PER_GIB, vm.disk_gib >= 2048 and vm.disk_gib % 512 == 0
    spelled = _ON if vm.is_running else _OFF
    return {
        "Server": vm.name,
        "# vCPU": vm.vcpus,
        "RAM": f"{vm.memory_mib} MB" if small else f"{vm.memory_gib:g} GB",
        "Disk total": f"{vm.disk_gib / 1024:g} TB" if large else f"{vm.disk_gib:,.0f} GB",
        "CPU load": f"{vm.cpu_average:g} %" if vm.number % 2 else f"{vm.cpu_average:g}%",
        "Powered on": spelled[vm.number % len(spelled)],
        "Site": vm.host.datacenter,
        "Note": "to be replaced\nin 2027" if vm.number % 6 == 0 else None,
    }


def _workbook(rows: list[Row], vcpus: int) -> bytes:
    """Titles, headings in row 4, the machines by site, their total, and below a table of spare parts."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"strings_to_formulas": False})
    book.set_properties({"created": CREATED})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("Servers 2026")
    sheet.merge_range("A1:H1", "Server inventory", bold)
    sheet.merge_range("A2:H2", "as of January 2026, all sites")
    sheet.write_row("A4", rows[0], bold)
    ordered = sorted(rows, key=lambda row: row["Site"])
    for number, row in enumerate(ordered, start=4):
        sheet.write_row(number, 0, row.values())
        if number % 6 == 0:
            sheet.set_row(number, options={"hidden": True})
    _merge_sites(sheet, ordered)
    end = 4 + len(ordered)
    sheet.write_row(end, 0, ("Total", vcpus), bold)
    sheet.write(end + 3, 0, "Spare parts", bold)
    sheet.write_row(end + 4, 0, ("Item", "Quantity", "Size"))
    for number, part in enumerate(_PARTS, start=end + 5):
        sheet.write_row(number, 0, (part, 12, part.partition(" ")[2]))
    book.add_worksheet("Contacts").write_row(0, 0, ("Name", "Phone"))
    book.close()
    return target.getvalue()


def _merge_sites(sheet: Worksheet, ordered: list[Row]) -> None:
    """One cell over all rows of a site, as people do who like it tidy."""
    column, first = list(ordered[0]).index("Site"), 4
    for site, count in Counter(row["Site"] for row in ordered).items():
        if count > 1:
            sheet.merge_range(first, column, first + count - 1, column, site)
        first += count
