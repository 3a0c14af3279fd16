"""Of the catalogue's host models, the few that are offered at first."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import catalogue
from planner.samples import sample
from planner.shortlist import CURRENT_YEARS, ROOM, shortlist
from tests.conftest import estate, examples, machines, solved

MODELS = catalogue.host_models()
SIZES = st.lists(st.tuples(st.integers(1, 64), st.integers(1, 512), st.integers(0, 2000)), min_size=1, max_size=40)


@pytest.mark.parametrize("name", ["small_company", "medium_estate", "rvtools_800"])
def test_a_sample_on_the_shortlist_alone_has_a_plan(name):
    inventory = planner.read(sample(name))
    chosen = shortlist(MODELS, inventory.workloads)
    assert 1 <= len(chosen) <= 6
    alone = planner.Inventory.from_frames(workloads=inventory.workloads.drop(columns="host"))
    models = MODELS[MODELS["name"].isin(chosen)]
    problem = planner.Problem.build(alone, host_models=models, policy="balanced")
    assert solved(problem, time_limit=2).plan is not None


@examples(40)
@given(SIZES, st.integers(1, 8))
def test_models_are_current_fit_the_largest_workload_and_none_is_beaten(sizes, most):
    workloads = pd.DataFrame(sizes, columns=["vcpus", "memory_gib", "storage_gib"])
    chosen = MODELS[MODELS["name"].isin(shortlist(MODELS, workloads, most))]
    assert 1 <= len(chosen) <= most
    assert (chosen["year"] >= MODELS["year"].max() - CURRENT_YEARS).all()
    for taken, offered in (("vcpus", "cores"), ("memory_gib", "memory_gib"), ("storage_gib", "storage_gib")):
        assert (chosen[offered] >= ROOM * workloads[taken].max()).all()
    for one in chosen.itertuples():
        same = chosen[(chosen["cores"] >= one.cores) & (chosen["memory_gib"] >= one.memory_gib)]
        same = same[(same["storage_gib"] >= one.storage_gib) & (same["network_gbps"] >= one.network_gbps)]
        assert same.loc[same["price"] <= one.price, "name"].tolist() == [one.name]


@examples(20)
@given(SIZES)
def test_counts_stand_for_so_many_rows(sizes):
    workloads = pd.DataFrame(sizes, columns=["vcpus", "memory_gib", "storage_gib"])
    tripled = pd.concat([workloads] * 3, ignore_index=True)
    assert shortlist(MODELS, workloads.assign(count=3)) == shortlist(MODELS, tripled)


def test_a_workload_that_fits_on_an_old_model_alone_has_that_one():
    models = machines(("new", 8, 64), ("old", 64, 512), price=1000.0).assign(year=[2025, 2017])
    assert shortlist(models, estate(("a", 32, 128))) == ["old"]
    assert shortlist(models, estate(("a", 4, 32))) == ["new"]
    assert shortlist(models, estate(("a", 50, 400))) == ["old"], "without room to spare"
    assert shortlist(models, estate(("a", 99, 999))) == ["new"], "where nothing fits, the current ones"


def test_an_estate_without_workloads_has_current_models():
    models = pd.DataFrame(
        {"name": ["old", "new"], "cores": 8.0, "memory_gib": 64.0, "price": 1e3, "year": [2015, 2025]}
    )
    assert shortlist(models, estate()) == ["new"]


def test_figures_that_are_missing_limit_nothing():
    models = machines(("a", 16, 128), ("b", 16, 128)).assign(storage_gib=[None, 10.0], price=[None, 900.0])
    assert shortlist(models, estate(("w", 2, 64), storage_gib=100.0)) == ["a"]
    assert shortlist(models, estate(("w", 2, 64), storage_gib=None)) == ["a", "b"]
