"""RVTools data beside its usual workbook: database column names, and folders of CSV files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace

from tests.exports.estate import MIB_PER_GIB, make
from tests.exports.export import Export, truth_of
from tests.exports.files import Row, Table, csv_text, xlsx
from tests.exports.rvtools import FORMAT, full_sheets, hosts, in_mb, renamed, told

BYTES_PER_MIB = MIB_PER_GIB**2
_NAMES = {
    "vInfo": {
        "VM": "vInfoVMName",
        "Powerstate": "vInfoPowerstate",
        "Template": "vInfoTemplate",
        "SRM Placeholder": "vInfoSRMPlaceHolder",
        "CPUs": "vInfoCPUs",
        "Memory": "vInfoMemory",
        "Provisioned MiB": "vInfoProvisioned",
        "In Use MiB": "vInfoInUse",
        "Total disk capacity MiB": "vInfoTotalDiskCapacityMiB",
        "NICs": "vInfoNICs",
        "Disks": "vInfoNumVirtualDisks",
        "OS according to the configuration file": "vInfoOS",
        "OS according to the VMware Tools": "vInfoOSTools",
        "Datacenter": "vInfoDataCenter",
        "Cluster": "vInfoCluster",
        "Host": "vInfoHost",
        "VM UUID": "vInfoUUID",
        "DNS Name": "vInfoGuestHostName",
        "Primary IP Address": "vInfoPrimaryIPAddress",
        "Resource pool": "vInfoResourcepool",
        "Folder": "vInfoFolder",
        "Creation date": "vInfoCreateDate",
        "VI SDK Server": "vInfoVISDKServer",
    },
    "vMemory": {
        "VM": "vMemoryVMName",
        "VM UUID": "vMemoryUUID",
        "Size MiB": "vMemorySizeMiB",
        "Reservation": "vMemoryReservation",
    },
    "vDisk": {
        "VM": "vDiskVMName",
        "Capacity MiB": "vDiskCapacityMiB",
        "Raw": "vDiskRaw",
        "Disk Mode": "vDiskMode",
    },
    "vPartition": {
        "VM": "vPartitionVMName",
        "VM UUID": "vPartitionUUID",
        "Disk": "vPartitionDisk",
        "Capacity MiB": "vPartitionCapacityMiB",
        "Consumed MiB": "vPartitionConsumedMiB",
    },
    "vCluster": {
        "Name": "vClusterName",
        "NumHosts": "vClusterNumHosts",
        "TotalCpu": "vClusterTotalCpu",
        "TotalMemory": "vClusterTotalMemory",
    },
    "vHost": {
        "Host": "vHostName",
        "Datacenter": "vHostDatacenter",
        "Cluster": "vHostCluster",
        "CPU Model": "vHostCpuModel",
        "Speed": "vHostCpuMhz",
        "# CPU": "vHostNumCpu",
        "Cores per CPU": "vHostCoresPerCPU",
        "# Cores": "vHostNumCpuCores",
        "CPU usage %": "vHostOverallCpuUsage",
        "# Memory": "vHostMemorySize",
        "Memory usage %": "vHostOverallMemoryUsage",
        "# vCPUs": "vHostvCPUs",
        "vCPUs per Core": "vHostVCPUsPerCore",
        "vSAN Fault Domain Name": "vHostvSANFaultDomainName",
        "ESX Version": "vHostFullName",
    },
    "vDatastore": {
        "Name": "vDatastoreName",
        "Capacity MiB": "vDatastoreCapacity",
        "Free MiB": "vDatastoreFreeSpace",
    },
}
_GROUPED = {
    "vInfo": ("Provisioned MB", "In Use MB", "Unshared MB"),
    "vDisk": ("Capacity MB",),
    "vPartition": ("Capacity MB", "Consumed MB", "Free MB"),
    "vDatastore": ("Capacity MB", "Provisioned MB", "In Use MB", "Free MB"),
}
"""Columns that old CSV exports write with separators of thousands."""

_CSV_TABS = ("vInfo", "vDisk", "vPartition", "vNetwork", "vSnapshot", "vCluster", "vHost", "vDatastore")


def db(seed: int, vms: int) -> Export:
    """Headings are the names of database columns; vHostMemorySize and vClusterTotalMemory are bytes.

    vDisk tells machines apart by name alone, so every name stands once.
    """
    estate = make(seed, vms).without_names_twice()
    sheets = full_sheets(estate)
    found = {
        tab: Table(headings=list(names.values()), rows=[_under(names, row) for row in sheets[tab].rows])
        for tab, names in _NAMES.items()
    }
    for tab, heading in (("vHost", "vHostMemorySize"), ("vCluster", "vClusterTotalMemory")):
        in_bytes = [row | {heading: row[heading] * BYTES_PER_MIB} for row in found[tab].rows]
        found[tab] = replace(found[tab], rows=in_bytes)
    silent = [replace(one, use={}) for one in told(estate)]
    truth = truth_of(FORMAT, silent, hosts(estate))
    return Export(name="rvtools-db", files={"rvtools_db.xlsx": xlsx(found)}, truth=truth)


def csv_comma(seed: int, vms: int) -> Export:
    """A folder of tabs of an old RVTools in English: MB, "206,057" in quotes, a machine called 59, line breaks."""
    return _folder("rvtools-csv-comma", seed, vms, ",", _english)


def csv_semicolon(seed: int, vms: int) -> Export:
    """A folder of tabs of an old RVTools in German: semicolons, 206.057 for thousands, decimal commas."""
    return _folder("rvtools-csv-semicolon", seed, vms, ";", _german)


def _folder(name: str, seed: int, vms: int, delimiter: str, number: Callable[[float, bool], object]) -> Export:
    estate = make(seed, vms)
    sheets = renamed(full_sheets(estate), in_mb)
    files = {}
    for tab in _CSV_TABS:
        grouped = _GROUPED.get(tab, ())
        headings = [text for text in sheets[tab].headings if text != "Total disk capacity MB"]
        rows = [
            {heading: _cell(value, heading in grouped, number) for heading, value in row.items()}
            for row in sheets[tab].rows
        ]
        text = csv_text(Table(headings=headings, rows=rows), delimiter, csv.QUOTE_MINIMAL)
        files[f"RVTools_tab{tab}.csv"] = text.encode("utf-8-sig" if delimiter == ";" else "utf-8")
    silent = [replace(one, use={k: v for k, v in one.use.items() if k == "memory_gib_used"}) for one in told(estate)]
    truth = truth_of(FORMAT, silent, hosts(estate), shared_storage_gib=estate.shared_gib)
    return Export(name=name, files=files, truth=truth)


def _cell(value: object, grouped: bool, number: Callable[[float, bool], object]) -> object:
    if hasattr(value, "strftime"):
        return value.strftime("%Y/%m/%d %H:%M:%S")
    return number(value, grouped) if isinstance(value, int | float) else value


def _english(value: float, grouped: bool) -> object:
    return f"{value:,}" if grouped else value


def _german(value: float, grouped: bool) -> object:
    if grouped:
        return f"{value:,}".replace(",", ".")
    return f"{value:.4f}".replace(".", ",") if isinstance(value, float) else value


def _under(names: dict[str, str], row: Row) -> dict[str, object]:
    return {short: row.get(heading) for heading, short in names.items()}
