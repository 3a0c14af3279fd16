"""NUMA: what fits in one node, and what is said of what does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner.numa import numa_warnings
from tests.conftest import estate, machines, problem_of, solved


def test_a_node_is_a_hosts_share_of_a_socket():
    workloads = estate(("fits", 16, 256), ("wide", 17, 8), ("tall", 4, 257))
    hosts = machines(("two", 32, 512), ("one", 32, 512), ("unknown", 8, 8)).assign(sockets=[2, 1, None])
    assert planner.numa_fit(workloads, hosts).tolist() == [[True, True, True], [False, True, True], [False, True, True]]


def test_misfits_say_what_is_needed_and_the_largest_node():
    workloads = estate(("fits", 8, 8), ("some", 20, 8), ("none", 40, 600)).assign(pool="p")
    hosts = machines(("small", 32, 512), ("large", 64, 1024), ("elsewhere", 512, 4096)).assign(
        sockets=[2, 2, 1], pool=["p", "", "q"]
    )
    problem = problem_of(workloads, hosts)
    found = planner.numa_misfits(problem)
    assert found.to_dict("split")["data"] == [
        ["some", "cpu", 20, 32, 1, 2],
        ["none", "cpu", 40, 32, 0, 2],
        ["none", "memory", 600, 512, 0, 2],
    ]
    assert found.columns.tolist() == ["workload", "resource", "needs", "largest_node", "hosts_fit", "hosts"]


def test_no_misfit_is_an_empty_table_and_no_warning():
    problem = problem_of(estate(("a", 8, 8)), machines(("h", 32, 512), sockets=2))
    assert planner.numa_misfits(problem).empty
    assert numa_warnings(problem) == []
    assert numa_warnings(planner.Inventory.from_frames(workloads=estate(("a", 8, 8)))) == []


def test_a_report_warns_of_misfits():
    problem = problem_of(estate(("a", 20, 8), ("b", 2, 2)), machines(("h", 32, 512), ("i", 64, 512), sockets=2))
    notes = planner.report(problem, solved(problem).plan).notes
    warnings = notes[notes["kind"] == "warning"]
    assert warnings["subject"].tolist() == ["a"]
    assert warnings["message"].tolist() == [
        "workloads that fit in a NUMA node of some hosts only: 1, such as 'a': it has 20 vcpus, the largest node 32; "
        "across nodes memory is slower"
    ]


SIZES = st.tuples(st.integers(0, 40), st.integers(0, 600))
NODES = st.tuples(st.integers(1, 64), st.integers(1, 1024), st.sampled_from([None, 1, 2, 4]))


@given(st.lists(SIZES, min_size=1, max_size=6), st.lists(NODES, min_size=1, max_size=6))
def test_misfits_are_the_workloads_that_some_host_does_not_fit(sizes, nodes):
    workloads = estate(*((f"w{i}", *size) for i, size in enumerate(sizes)))
    hosts = machines(*((f"h{i}", *node[:2]) for i, node in enumerate(nodes))).assign(
        sockets=[node[2] for node in nodes]
    )
    problem = problem_of(workloads, hosts)
    fit = planner.numa_fit(problem.workloads, problem.hosts)
    found = planner.numa_misfits(problem)
    assert found["workload"].unique().tolist() == problem.workloads["name"][~fit.all(axis=1)].tolist()
    by_name = dict(zip(problem.workloads["name"], fit.sum(axis=1), strict=True))
    assert (found["hosts_fit"] == found["workload"].map(by_name)).all()


@pytest.mark.parametrize("sockets", [None, np.nan])
def test_unknown_sockets_fit_everything(sockets):
    assert planner.numa_fit(estate(("a", 999, 9999)), machines(("h", 1, 1), sockets=sockets)).all()
