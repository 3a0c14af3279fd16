"""The catalogue: what stands in it, where it is from, and how it is asked."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from planner import catalogue, schema
from planner.errors import InputError


@pytest.fixture
def models():
    return catalogue.host_models()


def test_columns_are_those_of_the_schema_and_then_the_sources(models):
    facts = ["title", "chassis", "ssd_tb"]
    sources = ["power_source", "price_source", "embodied_source", "year"]
    assert models.columns.tolist() == [*schema.attributes("host_models"), *facts, *sources]


def test_models_reach_from_a_home_server_to_four_sockets(models):
    assert len(models) >= 28
    assert set(models["sockets"]) == {1, 2, 4}
    assert models["memory_gib"].min() <= 16
    assert models["memory_gib"].max() >= 4096
    assert models["year"].min() == 2017
    measured = models[~models["power_source"].str.startswith("no SPECpower")]
    assert measured["year"].max() == 2025
    for maker in ("Intel Xeon", "AMD EPYC", "Dell", "Hewlett", "Lenovo", "Fujitsu", "Huawei", "ASUS", "Supermicro"):
        assert measured["power_source"].str.contains(maker).any(), maker


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
    for row in models[~models["power_source"].str.startswith("no SPECpower")].itertuples():
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


def test_power_of_another_system_or_of_none_is_an_estimate(models):
    borrowed = models["power_source"].str.startswith("no result for this model")
    unmeasured = models["power_source"].str.startswith("no SPECpower_ssj2008 result; estimate by this project, 2026:")
    marked = models["estimate"].map(lambda names: {"idle_w", "peak_w"} <= set(names.split("|")))
    assert ((borrowed | unmeasured) == marked).all()
    assert set(models.loc[borrowed, "name"]) == {"r750", "r760"}
    assert set(models.loc[unmeasured, "name"]) == {"mini-n5105", "nuc-i5"}


def test_a_model_that_is_no_older_and_has_no_less_costs_no_less(models):
    sizes = ["year", "cores", "memory_gib", "storage_gib", "network_gbps", "sockets", "rack_units"]
    for row in models.to_dict("records"):
        less = models[(models[sizes] <= [row[size] for size in sizes]).all(axis=1)]
        assert less["price"].max() <= row["price"], row["name"]


def test_embodied_carbon_is_the_sum_of_the_components(models):
    kg = catalogue.table("embodied").set_index("component")["kgco2e"]
    for row in models.itertuples():
        parts = kg["processor"] * row.sockets + kg["memory"] * row.memory_gib + kg["ssd"] * row.ssd_tb
        assert row.embodied_kgco2e == round(kg[row.chassis] + parts), row.name
        assert {"ssd_tb", "embodied_kgco2e"} <= set(row.estimate.split("|"))
        assert row.ssd_tb * 1e12 / 2**30 >= row.storage_gib, "usable storage is part of the raw one"
    small, large = models["title"].str.startswith("Mini PC"), models["rack_units"] > 1
    assert (models.loc[small, "chassis"] == "chassis-mini").all()
    assert (models.loc[large, "chassis"] == "chassis-2u").all()
    assert (models.loc[~small & ~large, "chassis"] == "chassis-1u").all()


def test_components_of_embodied_carbon_are_those_of_the_source():
    kg = catalogue.table("embodied").set_index("component")["kgco2e"]
    assert kg[["chassis-1u", "chassis-2u", "processor"]].tolist() == [350, 375, 30.7]
    assert kg["memory"] * 64 == pytest.approx(105.4)
    assert kg["ssd"] * 2 == pytest.approx(34.65)


def test_a_power_curve_of_a_model_is_the_result_that_its_watts_are_from(models):
    curves = catalogue.power_curves().set_index("name")
    named = models[models["power_curve"] != ""]
    assert len(named) >= 15
    for row in named.itertuples():
        curve = curves.loc[row.power_curve]
        assert curve["source"].startswith(row.power_source)
        assert (curve["w0"], curve["w100"], curve["cores"]) == (row.idle_w, row.peak_w, row.cores)
        assert curve["year"] == row.year


def test_power_curves_rise_and_name_result_and_repository():
    curves = catalogue.power_curves()
    watts = curves[[f"w{percent}" for percent in range(0, 101, 10)]]
    assert len(curves) >= 40
    assert curves["name"].is_unique
    assert not curves["system"].duplicated().any()
    assert (watts.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    published = curves["source"].str.extract(
        r"^SPECpower_ssj2008, .*, published [A-Z][a-z]{2}-(\d{4}), spec\.org; load"
    )
    assert (published[0].astype(int) == curves["year"]).all()
    assert curves["source"].str.contains(r"github [\w-]+/[\w-]+, .*, commit [0-9a-f]{7}").all()
    assert (curves["estimate"] == "no").all()


def test_the_curve_of_a_known_server_is_the_published_one():
    (row,) = catalogue.power_curves("dl380-gen10-8180").to_dict("records")
    watts = [row[f"w{percent}"] for percent in range(0, 101, 10)]
    assert watts == [49.3, 118, 145, 173, 203, 237, 271, 308, 366, 419, 461]


def test_a_region_has_a_code_of_two_letters_and_no_other_its_names():
    rows = catalogue.regions()
    own = [
        {*row.aliases.casefold().split("|"), row.code.casefold(), row.name.casefold()}
        for row in rows.itertuples(index=False)
    ]
    every = pd.Series([name for names in own for name in names])
    assert every.is_unique
    assert "" not in set(every)
    countries = rows["code"].str.len() == 3
    assert rows.loc[countries, "aliases"].str.match("^[A-Z]{2}(?:[|]|$)").all()


def test_regions_have_carbon_and_a_price_or_none():
    rows = catalogue.regions()
    assert rows["code"].is_unique
    countries = rows["code"].str.fullmatch("[A-Z]{3}")
    assert countries.sum() >= 40
    assert set(rows.loc[~countries, "code"]) == {"EU", "EUROPE", "WORLD"}
    assert rows["carbon_kg_per_kwh"].between(0.001, 1.5).all()
    assert (rows["carbon_unit"] == "kgCO2e/kWh").all()
    assert rows["carbon_source"].str.contains("Ember.*CC-BY-SA-4.0").all()
    assert rows["carbon_year"].between(2020, 2026).all()
    priced = rows["energy_per_kwh"].notna()
    assert priced.sum() >= 40
    assert rows.loc[priced, "energy_per_kwh"].between(0.02, 0.5).all(), "a price that is not known is missing, never 0"
    assert rows.loc[priced, "energy_source"].str.contains("Eurostat|EIA").all()
    for column, value in {"energy_unit": "EUR/kWh", "estimate": "energy_per_kwh"}.items():
        assert (rows[column] == value).eq(priced).all(), column
    assert (rows.loc[~priced, ["energy_unit", "energy_band", "energy_source", "estimate"]] == "").all(axis=None)


def test_default_prices_are_figures_of_the_tables():
    rows = catalogue.table("prices").set_index("field")
    defaults, germany = rows["value"], catalogue.regions("deu").iloc[0]
    assert germany["energy_per_kwh"] == defaults["energy_per_kwh"]
    carbon = (germany["carbon_kg_per_kwh"], germany["carbon_year"])
    assert carbon == (defaults["carbon_kg_per_kwh"], rows["year"]["carbon_kg_per_kwh"])
    assert catalogue.pue("average-2025")["pue"].item() == defaults["pue"]


def test_pue_is_at_least_one_and_has_a_source():
    rows = catalogue.pue()
    assert rows["name"].is_unique
    assert rows["pue"].between(1, 3).all()
    assert (rows["source"].str.len() > 10).all()
    undated = rows["year"].isna()
    assert set(rows.loc[undated, "name"]) == {"none", "aws"}
    assert rows.loc[rows["estimate"] == "yes", "name"].tolist() == ["aws"]


@pytest.mark.parametrize(
    ("get", "pattern", "column", "found"),
    [
        (catalogue.regions, "F*LAND", "code", ["FIN"]),
        (catalogue.regions, "d?u", "name", ["Germany"]),
        (catalogue.regions, "DEUTSCHLAND", "code", ["DEU"]),
        (catalogue.regions, "at", "name", ["Austria"]),
        (catalogue.regions, "Turkey", "name", ["Türkiye"]),
        (catalogue.regions, "großbritannien", "code", ["GBR"]),
        (catalogue.power_curves, "R7[34]0-*", "name", ["r730-e5-2699v3", "r730-e5-2699v4", "r740-8180", "r740-8280"]),
        (catalogue.pue, "equinix-*", "pue", [1.46, 1.42]),
    ],
)
def test_patterns_of_the_other_tables(get, pattern, column, found):
    rows = get(pattern)
    assert rows[column].tolist() == found
    assert rows.index.tolist() == list(range(len(found)))


@pytest.mark.parametrize(
    ("get", "pattern", "words"),
    [
        (catalogue.regions, "Germny", "regions of the catalogue: found no 'Germny'; did you mean 'Germany'?"),
        (catalogue.regions, "Osterreich", "found no 'Osterreich'; did you mean 'Österreich'?"),
        (
            catalogue.power_curves,
            "r640-818O",
            "power curves of the catalogue: found no 'r640-818O'; did you mean 'r640-8180'?",
        ),
        (catalogue.pue, "average-2035", "pue of the catalogue: found no 'average-2035'; did you mean 'average-20"),
    ],
)
def test_a_pattern_that_no_row_of_a_table_matches_names_the_nearest(get, pattern, words):
    with pytest.raises(InputError) as error:
        get(pattern)
    assert words in str(error.value)


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
    for get, column in (
        (catalogue.host_models, "price"),
        (lambda: catalogue.table("host_models"), "price"),
        (catalogue.power_curves, "w0"),
        (catalogue.regions, "carbon_kg_per_kwh"),
        (catalogue.pue, "pue"),
    ):
        first = get()
        first.loc[0, column] = -1
        assert get().loc[0, column] > 0


def test_table_keeps_blank_texts_as_empty_strings():
    for name in ("presets", "hypervisors", "prices", "host_models", "power_curves", "regions", "pue", "embodied"):
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
