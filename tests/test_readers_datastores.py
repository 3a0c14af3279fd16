"""Datastores of RVTools exports: the storage that hosts of a cluster share."""

from __future__ import annotations

import pytest

from planner import Policy, Problem, Storage
from tests.test_readers_rvtools import HOST, VM, messages, read

STORE = {"Name": "san1", "Type": "VMFS", "Accessible": "True", "Capacity MiB": 1024.0 * 1024, "Hosts": "e1, e2"}


def clusters() -> list[dict]:
    return [HOST | {"Host": f"e{i}", "Cluster": "c1" if i < 3 else "c2"} for i in range(1, 5)]


def test_datastores_that_hosts_of_a_cluster_share_are_added_up():
    stores = [
        STORE,
        STORE | {"Name": "san2", "Hosts": "e1,e2"},
        STORE | {"Name": "san3", "Hosts": "e3, e4, elsewhere"},
        STORE | {"Name": "local", "Hosts": "e1"},
        STORE | {"Name": "images", "Hosts": "e1, e3"},
        STORE | {"Name": "vsanDatastore", "Type": "vsan"},
        STORE | {"Name": "gone", "Accessible": "False"},
        STORE | {"Name": "lost", "Hosts": "x, y"},
        STORE | {"Name": "odd", "Capacity MiB": "much"},
    ]
    inventory = read(VM | {"Cluster": "c1"}, vHost=clusters(), vDatastore=stores)
    assert inventory.shared_storage_gib == {"c1": 2048.0, "c2": 1024.0}
    assert [text for text in messages(inventory, "information") if "datastore" in text] == [
        "2 datastores shared by cluster 'c1': 2,048 GiB, a limit where the policy's storage mode is shared; such as "
        "'san1'",
        "1 datastore shared by cluster 'c2': 1,024 GiB, a limit where the policy's storage mode is shared; such as "
        "'san3'",
    ]
    ignored = messages(inventory, "ignored")
    assert [text for text in ignored if text.startswith("rv.xlsx")] == [
        "rv.xlsx, sheet vDatastore, row 10, column Capacity MiB: found 'much', expected a number from 0 up"
    ]
    for name, why in (
        ("local", "of one host: local, not shared"),
        ("images", "that hosts of several clusters reach"),
        ("vsanDatastore", "of vSAN, whose capacity is raw: storage mode vsan counts the hosts' own disks"),
        ("gone", "not accessible"),
        ("lost", "of no host in vHost"),
        ("odd", "without a capacity"),
    ):
        assert f"1 datastore {why}: not counted as shared storage; such as {name!r}" in ignored


def test_shared_storage_of_an_export_is_a_limit_where_the_policy_says_so():
    inventory = read(VM | {"Cluster": "c1", "Provisioned MiB": 2048.0 * 1024}, vHost=clusters(), vDatastore=[STORE])
    problem = Problem.build(inventory, policy=Policy(storage=Storage(mode="shared")))
    assert problem.shared_storage[0].unattainable(problem.hosts["available"].to_numpy()) == (
        "storage: the workloads of pool 'c1' need 2,048 GiB together, their shared storage has 1,024"
    )
    assert Problem.build(inventory, policy="raw").shared_storage == ()


def test_datastores_without_their_hosts_say_nothing():
    bare = {name: value for name, value in STORE.items() if name != "Hosts"}
    assert read(VM, vHost=clusters(), vDatastore=[bare]).shared_storage_gib == {}
    assert read(VM, vDatastore=[STORE]).shared_storage_gib == {}


def on_vsan(name: str, **cells) -> dict:
    return VM | {"VM": name, "VM UUID": f"uuid of {name}", "Path": "[vsanDatastore] x/x.vmx"} | cells


VSAN = {"vDatastore": [{"Name": "vsanDatastore", "Type": "vsan", "Capacity MiB": 1024.0, "Hosts": "esx01"}]}


def test_what_is_provisioned_on_vsan_is_divided_by_its_copies():
    inventory = read(on_vsan("a", **{"Provisioned MiB": 204800.0}), **VSAN)
    assert inventory.workloads["storage_gib"].tolist() == [100.0]
    assert "divided by 2, for RAID-1 with one failure to tolerate" in " ".join(inventory.notes["message"])


def test_the_copies_are_those_that_vms_with_known_disks_show():
    known = [{"VM": "b", "VM UUID": "uuid of b", "Capacity MiB": 102400.0}]
    told = on_vsan("b", **{"Provisioned MiB": 102400.0 * 4 / 3 + 8192})
    inventory = read(on_vsan("a", **{"Provisioned MiB": 102400.0}), told, vDisk=known, **VSAN)
    assert inventory.workloads["storage_gib"].tolist() == [pytest.approx(75.0, rel=0.01), 100.0]


def test_elsewhere_and_where_disks_are_known_nothing_is_divided():
    elsewhere = on_vsan("a", Path="[san1] x", **{"Provisioned MiB": 102400.0})
    counted = on_vsan("b", **{"Provisioned MiB": 204800.0, "Total disk capacity MiB": 102400.0})
    inventory = read(elsewhere, counted, **VSAN)
    assert inventory.workloads["storage_gib"].tolist() == [100.0, 100.0]
    assert "vSAN, where" not in " ".join(inventory.notes["message"])
