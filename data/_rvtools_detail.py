"""What an export shows of a machine on every sheet, and the figures derived from it."""

from __future__ import annotations

import random
from datetime import timedelta

from _rvtools_clusters import CLUSTERS
from _rvtools_estate import EXPORTED, Machine

Row = dict[str, object]

DATACENTER = "DC-EAST"
VCENTER = {"VI SDK Server": "vcenter.corp.example", "VI SDK UUID": "5c1f7a52-6d2e-4b8a-9d0f-0e7a6f1b2c3d"}
DATASTORES_PER_CLUSTER = 4


class Detail:
    """A machine and what an export derives from it; drawn from its UUID, so the same each time."""

    def __init__(self, machine: Machine, mhz: int):
        rng = random.Random(machine.vm_uuid)
        self.machine = machine
        self.is_on = machine.power == "poweredOn"
        self.disk_mib = sum(machine.disks_mib)
        self.in_use_mib = 0 if machine.placeholder else int(self.disk_mib * rng.uniform(0.25, 0.9))
        self.max_mhz = machine.vcpus * mhz
        self.overall_mhz = int(self.max_mhz * machine.load) if self.is_on else 0
        self.consumed_mib = int(machine.memory_mib * rng.uniform(0.55, 0.99)) if self.is_on else 0
        self.active_mib = int(machine.memory_mib * machine.active) if self.is_on else 0
        self.datastore = f"ds-{machine.cluster.key}-{rng.randrange(1, DATASTORES_PER_CLUSTER + 1):02d}"
        self.address = f"10.{20 + CLUSTERS.index(machine.cluster)}.{rng.randrange(8)}.{rng.randrange(5, 250)}"
        self.mac = ":".join(["00", "50", "56", *(f"{rng.randrange(256):02x}" for _ in range(3))])
        self.network = f"{machine.cluster.name.lower()}-vlan-{rng.choice((110, 120, 130))}"
        self.powered_on_at = EXPORTED - timedelta(days=rng.randrange(1, 400), minutes=rng.randrange(1440))
        self.has_tools = self.is_on and not machine.is_agent and rng.random() < 0.96
        self.is_windows = "Windows" in machine.system
        self.partition_fill = [rng.uniform(0.1, 0.95) for _ in machine.disks_mib]
        self.sockets = machine.vcpus if rng.random() < 0.6 or machine.vcpus < 4 else 2
        self.wave = f"wave {rng.randrange(1, 4)}" if rng.random() < 0.3 else None

    @property
    def head(self) -> Row:
        machine = self.machine
        return {
            "VM": machine.name,
            "Powerstate": machine.power,
            "Template": flag(machine.template),
            "SRM Placeholder": flag(machine.placeholder),
        }

    @property
    def tail(self) -> Row:
        return self.custom | self.place | {"Folder": self.folder} | self.systems | self.ids | VCENTER

    @property
    def custom(self) -> Row:
        """Annotation and, behind it, the attributes that the users of this vCenter defined."""
        known = self.is_on and not self.machine.is_agent
        return {
            "Annotation": None,
            "Backup status": "Backup succeeded" if known else None,
            "Cost centre": f"CC-{1000 + len(str(self.machine.name)) * 7}" if known else None,
        }

    @property
    def place(self) -> Row:
        return {"Datacenter": DATACENTER, "Cluster": self.machine.cluster.name, "Host": self.machine.host}

    @property
    def folder(self) -> str:
        return "vCLS" if self.machine.is_agent else self.machine.cluster.name.title()

    @property
    def systems(self) -> Row:
        return {
            "OS according to the configuration file": self.machine.system,
            "OS according to the VMware Tools": self.machine.system if self.has_tools else None,
        }

    @property
    def ids(self) -> Row:
        return {"VM ID": self.machine.vm_id, "VM UUID": self.machine.vm_uuid}


def flag(value: bool) -> str:
    """RVTools writes the words, not Excel's booleans."""
    return "True" if value else "False"
