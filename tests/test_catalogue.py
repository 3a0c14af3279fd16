"""The catalogue: what stands in it, where it is from, and how it is asked."""

from __future__ import annotations

import re

import pytest

from planner import catalogue, schema
from planner.errors import InputError


@pytest.fixture
def models():
    return catalogue.host_models()


def test_columns_are_those_of_the_schema_and_then_the_sources(models):
    sources = ["title", "power_source", "price_source", "year", "estimate"]
    assert models.columns.tolist() == [*schema.attributes("host_models"), *sources]


def test_every_model_can_be_planned_and_priced(models):
    sizes = ["cores", "memory_gib", "sockets", "ghz", "storage_gib", "network_gbps", "price", "rack_units"]
    assert (models[sizes] > 0).all(axis=None)
    assert (models["perf"] == 1).all()
    assert ((models["idle_w"] > 0) & (models["idle_w"] < models["peak_w"])).all()
    assert (models["cores"] % models["sockets"] == 0).all()


def test_names_are_short_slugs(models):
    assert models["name"].is_unique
    assert models["name"].str.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*").all()
    assert "tower-1s" in set(models["name"])


def test_power_has_a_named_result_of_the_year_given(models):
    for row in models.itertuples():
        assert "SPECpower_ssj2008" in row.power_source
        assert row.power_source.endswith("spec.org")
        assert re.search(r"published [A-Z][a-z]{2}-(\d{4})", row.power_source).group(1) == str(row.year)


def test_prices_say_that_they_are_estimates(models):
    assert (models["price_source"] == "estimate by this project; replace with your quote").all()
    assert models["estimate"].map(lambda names: "price" in names.split("|")).all()


def test_estimates_name_columns_that_are_filled(models):
    for row in models.to_dict("records"):
        for name in row["estimate"].split("|"):
            assert row[name] == row[name], f"{row['name']}: {name} is blank"


def test_power_of_another_system_is_an_estimate(models):
    borrowed = models["power_source"].str.startswith("no result for this model")
    marked = models["estimate"].map(lambda names: {"idle_w", "peak_w"} <= set(names.split("|")))
    assert (borrowed == marked).all()
    assert set(models.loc[borrowed, "name"]) == {"r750", "r760"}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("r740", ["r740"]),
        ("R740", ["r740"]),
        ("r7*", ["r740", "r7525", "r750", "r760", "r770"]),
        ("dl380-gen1?", ["dl380-gen10", "dl380-gen11"]),
        ("r[67]40", ["r640", "r740"]),
    ],
)
def test_pattern(pattern, names):
    found = catalogue.host_models(pattern)
    assert found["name"].tolist() == names
    assert found.index.tolist() == list(range(len(names)))


def test_pattern_without_match_names_the_nearest():
    with pytest.raises(InputError, match=r"found no 'r74O'; did you mean 'r740'\?"):
        catalogue.host_models("r74O")


def test_pattern_unlike_anything_lists_what_there_is():
    with pytest.raises(InputError, match="expected one of tower-1s"):
        catalogue.host_models("zzz*")


def test_frames_are_fresh_copies():
    for get in (catalogue.host_models, lambda: catalogue.table("host_models")):
        first = get()
        first.loc[0, "price"] = -1
        assert get().loc[0, "price"] > 0


def test_table_keeps_blank_texts_as_empty_strings():
    for name in ("presets", "hypervisors", "prices", "host_models"):
        texts = catalogue.table(name).select_dtypes(include="str")
        assert not texts.isna().any(axis=None)


def test_every_hypervisor_has_every_figure_once_and_says_what_is_estimated():
    rows = catalogue.table("hypervisors")
    figures = {
        "cores_per_host": "core",
        "memory_gib_per_host": "GiB",
        "storage_gib_per_host": "GiB",
        "memory_gib_per_workload": "GiB",
    }
    assert {"none", "generic", "esxi", "hyper-v", "kvm", "proxmox", "nutanix-ahv", "xcp-ng"} == set(rows["name"])
    for _, own in rows.groupby("name"):
        assert dict(zip(own["field"], own["unit"], strict=True)) == figures
    assert (rows["value"] >= 0).all()
    assert (rows["estimate"] == "yes")[rows["source"].str.startswith("estimate")].all()
    assert rows.loc[(rows["estimate"] == "no") & (rows["name"] != "none"), "year"].notna().all()


def test_table_that_does_not_exist_names_the_nearest():
    with pytest.raises(InputError, match=r"found no table 'preset'; did you mean 'presets'\?"):
        catalogue.table("preset")
