"""Two estates in the planner's own template: a small company, and a medium one of 20 applications."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

Row = dict[str, object]

SEED = 20260118
POOLS = ("north", "south")

OWNED = {
    "north": {"model": "2U-32c", "cores": 32, "memory_gib": 384, "ghz": 2.6, "idle_w": 130, "peak_w": 420},
    "south": {"model": "2U-40c", "cores": 40, "memory_gib": 512, "ghz": 2.4, "idle_w": 150, "peak_w": 520},
}
"""Owned hosts of each pool; round figures of a sample, not of a product."""

HOSTS_PER_POOL = 8

ESTIMATES = ("price", "idle_w", "peak_w", "embodied_kgco2e")
"""Figures of the host models for sale that nobody measured or quoted."""

APPLICATIONS = (
    "web shop",
    "customer portal",
    "billing",
    "accounting",
    "payroll",
    "warehouse",
    "shipping",
    "purchasing",
    "customer records",
    "service desk",
    "document archive",
    "intranet",
    "mail",
    "reporting",
    "data warehouse",
    "product data",
    "quality lab",
    "time clock",
    "monitoring",
    "build farm",
)

FRONTS_TOGETHER = ("billing", "warehouse", "document archive", "quality lab")
"""Applications whose first web server and first application server talk so much that they share a host."""

LINUX = ("Ubuntu Server 24.04", "Debian 12", "Red Hat Enterprise Linux 9")
WINDOWS = ("Windows Server 2019", "Windows Server 2022")


@dataclass(frozen=True)
class Tier:
    """One layer of an application and how its machines are spread in size."""

    name: str
    machines: tuple[int, ...]
    vcpus: tuple[int, ...]
    gib_per_vcpu: float
    disk_gib: float
    network_gbps: tuple[float, ...]


LAN = (0.2, 0.5)
TIERS = (
    Tier("web", machines=(2, 2, 3), vcpus=(2, 2, 4), gib_per_vcpu=2, disk_gib=60, network_gbps=LAN),
    Tier("app", machines=(1, 2, 2), vcpus=(2, 4, 4, 8), gib_per_vcpu=4, disk_gib=120, network_gbps=LAN),
    Tier("db", machines=(1, 2, 2), vcpus=(4, 4, 8, 16), gib_per_vcpu=6, disk_gib=700, network_gbps=(0.5, 1)),
)


def small_company() -> dict[str, list[Row]]:
    """Three applications that run on a physical server each, and one server that could carry them all."""
    shop = {"name": "web shop", "vcpus": 4, "memory_gib": 16, "storage_gib": 200, "network_gbps": 0.5}
    accounting = {"name": "accounting", "vcpus": 4, "memory_gib": 32, "storage_gib": 500, "network_gbps": 0.2}
    files = {"name": "mail and files", "vcpus": 4, "memory_gib": 16, "storage_gib": 2000, "network_gbps": 0.5}
    workloads = [
        shop | {"os": "Ubuntu Server 24.04"},
        accounting | {"os": "Windows Server 2022"},
        files | {"os": "Debian 12"},
    ]
    # Round figures for a sample: about what a small company is offered, not a quote and not a product.
    # Embodied carbon by the components of catalogue/embodied.csv: two rack units, 128 GiB, two disks of 7.68 TB.
    server = {
        "name": "one server for all",
        "cores": 16,
        "memory_gib": 128,
        "sockets": 1,
        "storage_gib": 7680,
        "network_gbps": 10,
        "price": 4500,
        "idle_w": 45,
        "peak_w": 190,
        "rack_units": 2,
        "embodied_kgco2e": 883,
        "estimate": "|".join(ESTIMATES),
    }
    return {"workloads": [row | {"application": row["name"]} for row in workloads], "host_models": [server]}


def medium_estate() -> dict[str, list[Row]]:
    """About 120 workloads of 20 applications on 16 owned hosts in two pools, and two host models for sale."""
    rng = random.Random(SEED)
    workloads: list[Row] = []
    for number, application in enumerate(APPLICATIONS):
        workloads += _application(rng, application, POOLS[number % 2])
    for row in rng.sample([row for row in workloads if not row.keys() & {"keep_apart", "keep_together"}], 8):
        row["state"] = "off"
    workloads += _equal_workers()
    workloads.append({"name": "golden image"} | _size(rng, "", "north", TIERS[0]) | {"state": "template"})
    _place(workloads)
    return {"workloads": workloads, "hosts": _owned_hosts(), "host_models": _for_sale()}


def totals(tables: dict[str, list[Row]]) -> dict:
    """Counts and sums that a reader of the workbook must arrive at; a row with a count counts that often."""
    workloads = tables["workloads"]
    on = [row for row in workloads if row.get("state", "on") == "on"]
    states = Counter()
    for row in workloads:
        states[row.get("state", "on")] += row.get("count", 1)
    summed = ("vcpus", "memory_gib", "storage_gib", "network_gbps")
    return {
        "workload_rows": len(workloads),
        "workloads": dict(sorted(states.items())),
        "powered_on": {name: _total(on, name) for name in summed},
        "hosts": sum(row.get("count", 1) for row in tables.get("hosts", [])),
        "host_models": len(tables["host_models"]),
    }


def _total(rows: list[Row], name: str) -> float:
    return round(sum(row[name] * row.get("count", 1) for row in rows), 6)


def _application(rng: random.Random, application: str, pool: str) -> list[Row]:
    slug = application.replace(" ", "-")
    rows = []
    for tier in TIERS:
        size = _size(rng, application, pool, tier)
        machines = rng.choice(tier.machines)
        labels = {"keep_apart": f"{slug}-db"} if tier.name == "db" and machines > 1 else {}
        for number in range(1, machines + 1):
            rows.append({"name": f"{slug}-{tier.name}-{number}"} | size | _use(rng, size) | labels)
    if application in FRONTS_TOGETHER:
        for row in rows:
            if row["name"].endswith(("-web-1", "-app-1")):
                row["keep_together"] = f"{slug}-front"
    return rows


def _size(rng: random.Random, application: str, pool: str, tier: Tier) -> Row:
    vcpus = rng.choice(tier.vcpus)
    return {
        "vcpus": vcpus,
        "memory_gib": max(2, round(vcpus * tier.gib_per_vcpu * rng.lognormvariate(0, 0.35) / 2) * 2),
        "storage_gib": max(20, round(tier.disk_gib * rng.lognormvariate(0, 0.6) / 10) * 10),
        "network_gbps": rng.choice(tier.network_gbps),
        "os": rng.choice(WINDOWS if rng.random() < 0.45 else LINUX),
        "pool": pool,
        "application": application,
    }


def _use(rng: random.Random, size: Row) -> Row:
    return {
        "cpu_ghz_used": round(size["vcpus"] * OWNED[size["pool"]]["ghz"] * rng.betavariate(1.5, 12), 2),
        "memory_gib_used": round(size["memory_gib"] * rng.uniform(0.3, 0.85), 1),
    }


def _equal_workers() -> list[Row]:
    """Rows that stand for several equal workloads; all of a row run on the host that it names."""
    worker = {
        "vcpus": 2,
        "memory_gib": 4,
        "storage_gib": 50,
        "network_gbps": 0.1,
        "cpu_ghz_used": 0.8,
        "memory_gib_used": 2.5,
        "os": "Ubuntu Server 24.04",
    }
    return [
        worker | {"name": "build-worker", "pool": "south", "application": "build farm", "count": 6},
        worker | {"name": "probe", "pool": "north", "application": "monitoring", "count": 4},
        worker | {"name": "print-queue", "pool": "north", "application": "intranet", "count": 2},
    ]


def _place(workloads: list[Row]) -> None:
    """Name today's host of each workload: the one with the least memory given away that its labels allow."""
    given = {pool: {f"{pool}-{number:02d}": 0 for number in range(1, HOSTS_PER_POOL + 1)} for pool in POOLS}
    together: dict[object, str] = {}
    apart: dict[object, list[str]] = {}
    for row in workloads:
        label = row.get("keep_apart")
        hosts = given[row["pool"]]
        free = [host for host in hosts if label is None or host not in apart.get(label, [])]
        host = together.get(row.get("keep_together")) or min(free, key=hosts.get)
        row["host"] = host
        if row.get("state", "on") == "on":
            hosts[host] += row["memory_gib"] * row.get("count", 1)
        if label is not None:
            apart.setdefault(label, []).append(host)
        if "keep_together" in row:
            together[row["keep_together"]] = host


def _owned_hosts() -> list[Row]:
    common = {"sockets": 2, "storage_gib": 14336, "network_gbps": 20, "rack_units": 2}
    shared = {pool: OWNED[pool] | common | {"pool": pool} for pool in POOLS}
    return [
        shared[pool] | {"name": f"{pool}-{number:02d}", "rack": f"{pool}-{(number + 3) // 4}"}
        for pool in POOLS
        for number in range(1, HOSTS_PER_POOL + 1)
    ]


def _for_sale() -> list[Row]:
    # Round figures for a sample, not quotes and not products; embodied carbon by catalogue/embodied.csv.
    common = {"sockets": 2, "network_gbps": 50, "rack_units": 2, "estimate": "|".join(ESTIMATES)}
    standard = {"name": "standard", "cores": 48, "memory_gib": 768, "ghz": 2.6, "storage_gib": 15360}
    large = {"name": "large", "cores": 96, "memory_gib": 1536, "ghz": 2.4, "storage_gib": 30720}
    return [
        standard | common | {"price": 18000, "idle_w": 160, "peak_w": 560, "embodied_kgco2e": 2233},
        large | common | {"price": 34000, "idle_w": 220, "peak_w": 880, "embodied_kgco2e": 4030},
    ]
