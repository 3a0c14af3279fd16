"""Names that mean one machine in several files: hosts of workloads, and machines that may be counted twice."""

from __future__ import annotations

import pandas as pd
import pytest

import planner
from tests.test_joining import WEB, file, info, info_beside, names, said

HOSTS = "host,cores,memory_gib,ghz"


@pytest.mark.parametrize(
    ("named", "host"),
    [
        ("ESX01", "esx01"),
        ("esx01", "esx01.corp.local"),
        ("ESX01.corp.local", "esx01"),
        ("esx01.corp.local.", "ESX01.corp.local"),
    ],
)
def test_a_workload_is_on_the_host_that_its_list_means(named, host):
    rows = ("a,1,1,esx09", f"b,1,1,{named}", f"c,1,1,{named}")
    workloads = file("w.csv", "name,vcpus,memory_gib,host", *rows)
    inventory = planner.read([workloads, file("h.csv", HOSTS, f"{host},32,512,2.5", "esx09,32,512,2.5")])
    assert inventory.workloads["host"].tolist() == ["esx09", host, host]
    (joined,) = inventory.notes[inventory.notes["column"] == "host"].to_dict("records")
    assert (joined["kind"], joined["count"], joined["subject"]) == ("converted", 2, "b")
    assert f"such as {named!r} for {host!r}: joined" in joined["message"]


@pytest.mark.parametrize(
    ("named", "hosts", "told"),
    [
        (["esx01"], ["esx01.berlin", "esx01.paris"], 1),
        (["esx01.berlin", "esx01.paris"], ["esx01"], 2),
        (["esx01"], ["esx01.berlin", "ESX01.paris"], 1),
        (["esx01.berlin"], ["esx01.paris"], 0),
        (["10.0.0.1"], ["10", "10.0.0.2"], 0),
        (["10"], ["10.0.0.1"], 0),
    ],
)
def test_a_host_that_could_be_several_is_joined_to_none(named, hosts, told):
    workloads = file("w.csv", "name,vcpus,memory_gib,host", *(f"vm{n},1,1,{name}" for n, name in enumerate(named)))
    inventory = planner.read([workloads, file("h.csv", HOSTS, *(f"{name},32,512,2.5" for name in hosts))])
    assert inventory.workloads["host"].tolist() == named
    notes = inventory.notes[inventory.notes["column"] == "host"]
    assert (notes["kind"].tolist(), notes["count"].sum()) == (["information"] * bool(told), told)


def test_use_in_percent_has_the_clock_of_the_host_that_is_meant():
    listed = file("w.csv", "Server,vCPU,RAM (GB),Disk (GB),ESX Host,CPU peak %", "a,2,8,100,ESX01,50")
    hosts = file("h.csv", HOSTS, "esx01.corp.local,32,512,3", "esx02.corp.local,32,512,2")
    assert planner.read([listed, hosts]).workloads["cpu_ghz_peak"].tolist() == [3.0]


def test_other_hosts_are_joined_to_like_those_of_the_files():
    inventory = planner.read(file("w.csv", "name,vcpus,memory_gib,host", "a,1,1,ESX01"))
    hosts = pd.DataFrame({"name": ["esx01.corp.local"], "cores": [32], "memory_gib": [512.0]})
    assert inventory.with_hosts(hosts).workloads["host"].tolist() == ["esx01.corp.local"]


def both(one: str, other: str, headings: str = "name,vcpus,memory_gib,host") -> planner.Inventory:
    return planner.read([file("a.csv", headings, one), file("b.csv", headings, other)])


def test_a_short_name_and_a_domain_name_of_one_size_may_be_counted_twice():
    inventory = both("web,2,8,", "web.corp.local,2,8,")
    assert names(inventory) == ["web", "web.corp.local"]
    (message,) = inventory.import_report()["suspicious"]["message"]
    assert "1 workload may be counted twice" in message and "such as 'web' and 'web.corp.local'" in message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("web,2,8,", "web.corp.local,4,8,"),
        ("web,2,8,", "web.corp.local,2,16,"),
        ("web.a.local,2,8,", "web.b.local,2,8,"),
        ("web,2,8,", "db.corp.local,2,8,"),
    ],
)
def test_what_is_of_another_size_or_domain_is_no_double(one, other):
    assert "counted twice" not in said(both(one, other))


def test_a_short_name_and_a_domain_name_in_one_file_are_two():
    inventory = planner.read(file("a.csv", "name,vcpus,memory_gib,host", "web,2,8,e1", "web.corp.local,2,8,e1"))
    assert names(inventory) == ["web", "web.corp.local"]
    assert "counted twice" not in said(inventory)


def test_a_short_name_and_a_domain_name_on_one_host_are_told_and_kept():
    inventory = both("web,2,8,ESX01", "web.corp.local,2,8,esx01.corp.local")
    assert names(inventory) == ["web", "web.corp.local"]
    assert "1 workload may be counted twice" in said(inventory)


def test_several_that_may_be_counted_twice_are_counted():
    rows = [file("a.csv", "name,vcpus,memory_gib,host", "web,2,8,e1")]
    rows.append(file("b.csv", "name,vcpus,memory_gib,host", "web.a.local,2,8,e1", "web.b.local,2,8,e1"))
    inventory = planner.read(rows)
    assert len(names(inventory)) == 3
    assert "2 workloads may be counted twice" in said(inventory)


def test_identifiers_say_that_a_short_name_and_a_domain_name_are_two():
    other = WEB.replace("web,", "web.corp.local,")
    two = planner.read([info("a.csv", WEB), info_beside("b", other.replace("u1,s1,vm-1", "u2,s2,vm-2"))])
    assert names(two) == ["web", "web.corp.local"]
    assert "counted twice" not in said(two)
    assert names(planner.read([info("a.csv", WEB), info_beside("b", other)])) == ["web"]


def test_hosts_under_a_short_name_and_a_domain_name_may_be_counted_twice():
    hosts = [file(f"{name}.csv", HOSTS, f"{name},32,512,2") for name in ("esx01", "esx01.corp.local")]
    inventory = planner.read([file("w.csv", "name,vcpus,memory_gib", "a,1,1"), *hosts])
    assert len(inventory.hosts) == 2
    assert "1 host may be counted twice" in said(inventory)
