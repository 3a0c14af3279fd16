"""Anonymised exports of every format read like the originals, and hold no name of the estate that they tell of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import numpy as np
import pandas as pd
import pytest

import planner
from planner.anonymity.names import is_sought, parts_of
from planner.errors import InputError
from tests.exports import EXPORTS, Export
from tests.exports.estate import make
from tests.test_anonymity import book, found_in, surrogates
from tests.test_readers_rvtools import HOST, vm

SEED, VMS, MANY = 0, 24, 120
CLOCK = 1.0
"""GHz of a vCPU where an export tells shares."""

TABLES = ("workloads", "left_out", "hosts", "host_models")
UNREAD = {"vsphere-client-default"}
"""Exports that are refused without sizes."""

OWN = {"mapped-de", "mapped-messy", "mapped-fr"}
"""Spreadsheets of no known tool: their headings do not stay, so that nobody can guess any more what they mean."""

MUCH_ALIKE = {"rvtools-mb", "rvtools-csv-semicolon", "rvtools-text", "liveoptics-zip", "azure-migrate-variant"}
"""Exports whose tables are those of another, written in another way."""

FOLDER = TemporaryDirectory(prefix="anonymous-exports-")
SOLVED = ("template", "proxmox", "kubernetes")
PACKED = ("rvtools-csv-comma", "liveoptics-vmware", "proxmox", "kubernetes", "openstack-json")


@pytest.fixture(scope="module", autouse=True)
def cleared():
    """Nothing that was written for these tests stays behind."""
    yield
    FOLDER.cleanup()


def each(keys: Iterable[str]) -> pytest.MarkDecorator:
    marks = dict.fromkeys(MUCH_ALIKE, pytest.mark.slow)
    return pytest.mark.parametrize("key", [pytest.param(key, marks=marks.get(key, ())) for key in keys])


@cache
def made(key: str, vms: int = VMS) -> Export:
    return EXPORTS[key](SEED, vms)


@cache
def written(key: str, vms: int = VMS) -> Path:
    """The one file of an export, or the folder of several."""
    paths = made(key, vms).write(Path(mkdtemp(dir=FOLDER.name)) / "export")
    return paths[0] if len(paths) == 1 else paths[0].parent


@cache
def shared(key: str, vms: int = VMS) -> planner.Anonymised:
    source = written(key, vms)
    return planner.anonymise(source, Path(mkdtemp(dir=FOLDER.name)) / f"out{source.suffix or '.zip'}")


def read(source: Path, export: Export) -> planner.Inventory:
    in_shares = any(column.startswith("cpu_vcpus") for column in export.truth.use)
    return planner.read(source, ghz_per_vcpu=CLOCK if in_shares else None)


def names_of_the_estate() -> list[str]:
    """Every name, address and identifier of the estate that is no short number."""
    estate = make(SEED, VMS)
    found = {name for vm in estate.vms for name in (vm.name, vm.uuid, vm.bios_uuid, vm.mac)}
    found |= {name for host in estate.hosts for name in (host.name, host.short_name, host.cluster, host.datacenter)}
    found |= {store.name for store in estate.datastores}
    return sorted(name for name in found if is_sought(name))


def assert_alike(before: planner.Inventory, after: planner.Inventory) -> None:
    """The same figures row by row, and the same rows joined by each text."""
    for table in TABLES:
        one, two = getattr(before, table), getattr(after, table)
        assert list(one.columns) == list(two.columns)
        assert len(one) == len(two), table
        for column in one.columns:
            if pd.api.types.is_numeric_dtype(one[column]):
                np.testing.assert_allclose(one[column], two[column], err_msg=f"{table}.{column}")
            else:
                assert one[column].factorize()[0].tolist() == two[column].factorize()[0].tolist(), (table, column)
                assert (one[column] == "").tolist() == (two[column] == "").tolist(), (table, column)
        for column in {"state", "reason"} & set(one.columns):
            assert one[column].tolist() == two[column].tolist()
    assert listed_hosts(before) == listed_hosts(after)
    assert list(before.shared_storage_gib.values()) == list(after.shared_storage_gib.values())
    assert before.notes["kind"].tolist() == after.notes["kind"].tolist()
    assert [told.format for told in before.imports] == [told.format for told in after.imports]


def listed_hosts(inventory: planner.Inventory) -> int:
    """How many workloads run on a host that is listed."""
    return int(inventory.workloads["host"].isin(inventory.hosts["name"]).sum())


@each(key for key in EXPORTS if key not in UNREAD | OWN)
def test_an_anonymised_export_reads_like_the_original(key):
    assert_alike(read(written(key), made(key)), read(shared(key).path, made(key)))


@pytest.mark.parametrize("key", sorted(UNREAD))
def test_what_is_refused_is_refused_when_it_is_anonymised(key):
    for source in (written(key), shared(key).path):
        with pytest.raises(InputError):
            read(source, made(key))


@pytest.mark.parametrize("key", sorted(OWN))
def test_a_spreadsheet_of_no_known_tool_needs_a_mapping_when_it_is_anonymised(key):
    assert len(read(written(key), made(key)).workloads) == made(key).truth.workloads
    with pytest.raises(InputError, match=r"planner mapping .* -o mapping.toml"):
        read(shared(key).path, made(key))


@each(EXPORTS)
def test_no_name_of_the_estate_stands_in_the_bytes(key):
    done = shared(key)
    names = sorted({*names_of_the_estate(), *filter(is_sought, made(key).truth.names)})
    assert len(found_in(made(key).as_zip(), names)) > VMS / 2
    assert found_in(done.path.read_bytes(), names) == []


@pytest.mark.parametrize("key", SOLVED)
def test_an_anonymised_export_has_the_plan_of_the_original(key):
    plans = [
        planner.solve(planner.Problem.build(read(source, made(key)), policy="raw"), time_limit=5)
        for source in (written(key, MANY), shared(key, MANY).path)
    ]
    assert plans[0].hosts_used == plans[1].hosts_used > 1
    assert plans[0].bound.value == plans[1].bound.value


@pytest.mark.parametrize("key", PACKED)
def test_folders_and_archives_make_the_round_trip(key, tmp_path):
    made(key).write(tmp_path / "folder")
    (tmp_path / "export.zip").write_bytes(made(key).as_zip())
    before = read(written(key), made(key))
    for source in ("folder", "export.zip"):
        done = planner.anonymise(tmp_path / source, tmp_path / f"{source.partition('.')[0]}-out.zip")
        assert_alike(before, read(done.path, made(key)))
        assert found_in(done.path.read_bytes(), names_of_the_estate()) == []


POD = {
    "kind": "Pod",
    "metadata": {
        "name": "acme-shop-7d9f8", "namespace": "acme-prod", "uid": "6007d11f-a8eb-4e02-a90a-aeabbbe28e86",
        "labels": {"app.kubernetes.io/name": "acme-shop", "acme.test/team": "acme-blue", "zone": "acme-north"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"a": "acme"}'},
        "ownerReferences": [{"kind": "StatefulSet", "name": "acme-shop"}],
    },
    "spec": {
        "nodeName": "acme-k8s-1",
        "tolerations": [{"key": "acme.test/gpu", "effect": "NoSchedule"}],
        "volumes": [{"name": "acme-data", "nfs": {"server": "nas.acme.test", "path": "/acme"}}],
        "initContainers": [{"name": "acme-side", "restartPolicy": "Always", "image": "acme/side:1"}],
        "containers": [{
            "name": "acme-main", "image": "registry.acme.test/acme/shop:2", "args": ["--to=acme"],
            "env": [{"name": "ACME_PIN", "value": "77412"}, {"name": "MODE", "value": "acme"}],
            "resources": {"requests": {"cpu": "500m", "memory": "17179869184"}},
        }],
    },
    "status": {"phase": "Running", "podIP": "10.46.29.190", "hostIP": "10.46.29.191"},
}  # fmt: skip
AGENT = {
    "kind": "Pod",
    "metadata": {"name": "acme-agent", "ownerReferences": [{"kind": "DaemonSet", "name": "acme-agent"}]},
    "spec": {
        "nodeName": "acme-k8s-1",
        "containers": [{"name": "acme-a", "resources": {"requests": {"cpu": 1, "memory": "1Gi"}}}],
    },
    "status": {"phase": "Running"},
}
NODE = {
    "kind": "Node",
    "metadata": {"name": "acme-k8s-1", "labels": {"kubernetes.io/hostname": "acme-k8s-1"}},
    "spec": {"providerID": "aws:///acme/i-0123", "taints": [{"key": "acme.test/gpu", "effect": "NoSchedule"}]},
    "status": {
        "allocatable": {"cpu": "15500m", "memory": "64Gi", "pods": "110"},
        "addresses": [{"type": "InternalIP", "address": "10.46.29.191"}],
        "images": [{"names": ["registry.acme.test/acme/shop:2"], "sizeBytes": 5}],
    },
}


def test_objects_of_a_cluster_keep_their_joins_and_lose_their_names(tmp_path):
    source = tmp_path / "cluster.json"
    source.write_text(json.dumps({"kind": "List", "items": [POD, AGENT, NODE]}))
    done = planner.anonymise(source, tmp_path / "out.json")
    assert_alike(planner.read(source), planner.read(done.path))
    secrets = ["acme", "shop", "registry", "10.46.29", "77412", "i-0123", "6007d11f"]
    assert found_in(done.path.read_bytes(), secrets) == []
    found = planner.read(done.path)
    (host,), (workload,) = found.hosts.to_dict("records"), found.workloads.to_dict("records")
    assert (host["name"], host["cores"], host["memory_gib"], host["maintenance"]) == ("host-01", 14.5, 63.0, "yes")
    told = (workload["name"], workload["host"], workload["application"])
    assert told == ("folder-01/vm-0001", "host-01", "application-01")
    assert surrogates(done)["acme-k8s-1"] == "host-01"


def test_identifiers_tell_what_they_identify_and_numbers_stay_numbers(tmp_path):
    records = [
        {"id": "qemu/100", "type": "qemu", "vmid": 100, "name": "acme-web", "node": "esx001", "maxcpu": 2, "maxmem": 9},
        {"id": "node/esx001", "type": "node", "node": "esx001", "maxcpu": 8, "maxmem": 99},
        {"id": "storage/esx001/esx001-local", "type": "storage", "node": "esx001", "storage": "esx001-local"},
    ]
    source = tmp_path / "resources.json"
    source.write_text(json.dumps(records))
    done = planner.anonymise(source, tmp_path / "out.json")
    guest, node, store = json.loads(done.path.read_text())
    assert isinstance(guest["vmid"], int)
    assert guest["vmid"] != 100
    assert guest["id"] == f"qemu/{guest['vmid']}"
    assert (node["id"], store["id"]) == ("node/host-01", "storage/host-01/datastore-01")
    assert (guest["node"], store["node"], store["storage"]) == ("host-01", "host-01", "datastore-01")


def test_words_with_a_number_stay_only_where_they_name_nobody(tmp_path):
    rows = [
        vm("esx001", Powerstate="poweredOn") | {"Config status": "web01"},
        vm("debian12", **{"OS according to the VMware Tools": "Debian12 core", "Config status": "esx001"}),
    ]
    source = book(tmp_path / "rv.xlsx", vInfo=rows, vHost=[HOST])
    done = planner.anonymise(source, tmp_path / "out.xlsx")
    assert found_in(done.path.read_bytes(), ["esx001", "debian12"]) == []
    assert found_in(done.path.read_bytes(), ["web01"]) == ["web01"]
    systems = planner.read(done.path).workloads["os"]
    assert systems.str.startswith("debian system-").tolist() == [False, True]


def test_rows_of_totals_states_and_units_stay(tmp_path):
    source = tmp_path / "own.csv"
    source.write_text(
        "Name,vCPUs,Memory (GiB),Storage (GB),Lager (GB),Zustand,Vermerk\nacme-a,2,4,9,10,poweredOn,x\n"
        "acme-b,4,8,9,20,kOff,acme\nSumme (2 VMs),6,12,18,30,,\n"
    )
    done = planner.anonymise(source, tmp_path / "out.csv")
    assert done.path.read_text().splitlines() == [
        "Name,vCPUs,Memory (GiB),Storage (GB),Custom 1 (GB),Custom 2,Custom 3",
        "vm-0001,2,4,9,10,poweredOn,text-000001",
        "vm-0002,4,8,9,20,kOff,text-000002",
        "Summe: vm-0003,6,12,18,30,,",
    ]
    for one in (planner.read(source), planner.read(done.path)):
        assert one.workloads["vcpus"].sum() + one.left_out["vcpus"].sum() == 6


@pytest.mark.parametrize(
    ("system", "kept"),
    [
        ("RHEL 9", "RHEL 9"),
        ("SLES for Acme Applications 15 SP5", "sles "),
        ("Rocky Linux 9.4 (Blue Onyx)", "rocky linux "),
        ("Win2019", "win "),
        ("Windows of Acme", "windows "),
        ("VMware ESXi 8.0.3 build-24280767", "esxi "),
    ],
)
def test_the_family_of_a_system_stays(system, kept):
    assert parts_of("os", system)[0] == kept


def test_what_rules_and_policies_refer_to_stays_or_stays_joined(tmp_path):
    common = {"vCPUs": 2, "Memory (GiB)": 4, "Application": "Acme ERP", "Require tag": "acme-gpu, gold", "Pool": "acme"}
    rows = [
        common | {"Name": "acme-a", "Keep apart": "acme-dbs", "Pin": "acme-h*", "Tier": "gold", "Sizing": "cpu=p95"},
        common | {"Name": "acme-b", "Keep apart": "acme-dbs", "Tags": "acme-prod", "Tier": "acme", "Host": "acme-h1"},
    ]
    hosts = [
        {"Name": f"acme-h{number}", "Cores": 8, "Memory (GiB)": 64, "Tags": "gold, acme-gpu", "Pool": "acme"}
        | {"Rack": f"acme-r{number}", "Model": "PowerEdge R750"}
        for number in (1, 2)
    ]
    source = book(tmp_path / "own.xlsx", Workloads=rows, Hosts=hosts)
    done = planner.anonymise(source, tmp_path / "out.xlsx")
    before, after = planner.read(source), planner.read(done.path)
    who = surrogates(done)
    assert_alike(before, after)
    assert found_in(done.path.read_bytes(), ["acme", "dbs", "erp"]) == []
    assert after.hosts["tags"].tolist() == [f"gold, {who['acme-gpu']}"] * 2
    assert after.workloads["require_tag"].tolist() == [f"{who['acme-gpu']}, gold"] * 2
    assert after.workloads["pin"].tolist() == [f"{who['acme-h1']}, {who['acme-h2']}", ""]
    assert after.workloads["sizing"].tolist() == ["cpu=p95", ""]
    assert after.workloads["tier"].tolist() == ["gold", who["acme"]]
    assert after.hosts["rack"].tolist() == [who["acme-r1"], who["acme-r2"]]
    assert after.hosts["model"].tolist() == ["PowerEdge R750"] * 2
