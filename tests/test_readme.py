"""What the README says, run as it stands there."""

from __future__ import annotations

import re
import shutil
import textwrap

import pytest

from tests.conftest import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
CATALOGUE = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")


def test_the_python_block_runs(tmp_path, monkeypatch):
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.S)
    shutil.copytree(ROOT / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "plan.xlsx").stat().st_size > 0


def test_the_python_block_of_the_catalogue_page_runs(monkeypatch):
    (block,) = re.findall(r"```python\n(.*?)```", CATALOGUE, flags=re.S)
    monkeypatch.chdir(ROOT)
    names: dict = {}
    exec(compile(block, "docs/catalogue.md", "exec"), names)
    problem = names["problem"]
    assert problem.host_models["name"].tolist()[:2] == ["quote-17", "dl320-gen11"]
    assert (problem.prices.energy_per_kwh, problem.prices.carbon_kg_per_kwh, problem.prices.pue) == (
        0.0942,
        0.04418,
        1.42,
    )


def test_the_catalogue_page_counts_what_stands_in_the_tables():
    from planner import catalogue

    models, curves, regions = catalogue.host_models(), catalogue.power_curves(), catalogue.regions()
    assert f"| {len(models)} models from a mini PC to four sockets, 2017 to 2025" in CATALOGUE
    assert f"| {len(curves)} load curves, {curves['year'].min()} to {curves['year'].max()}:" in CATALOGUE
    countries, priced = regions["code"].str.len().eq(3).sum(), regions["energy_per_kwh"].notna().sum()
    assert f"grid carbon of {countries} countries" in CATALOGUE
    assert f"electricity prices of {priced} of them" in CATALOGUE
    for target in re.findall(r"\]\((\.\./planner/catalogue/\w+\.csv)\)", CATALOGUE):
        assert (ROOT / "docs" / target).resolve().exists(), target


def test_the_policy_block_of_the_docs_is_a_policy():
    from planner import Hypervisor, Policy

    text = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, flags=re.S)
    policy = Policy.from_toml(block)
    assert policy.overcommit.cpu_by_tier == {"gold": 2.0}
    assert policy.hypervisor == Hypervisor.known("esxi")


def test_the_rules_block_of_the_docs_is_rules():
    from planner import rules, settings

    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", text, flags=re.S)
    tables = settings.parse_toml(textwrap.dedent(block), "docs")
    assert [type(rule).__name__ for rule in rules.from_dicts(tables["rule"], "docs")] == ["KeepApart", "Limit"]


def test_every_verb_and_option_exists():
    from typer.testing import CliRunner

    from planner.cli import app

    runner = CliRunner()
    for verb in re.findall(r"^planner (\w+)", TEXT, flags=re.M):
        assert runner.invoke(app, [verb, "--help"]).exit_code == 0, verb


@pytest.mark.parametrize("figure", re.findall(r"\*(\d+) hosts; fewer", TEXT))
def test_the_figure_of_the_first_paragraph_is_the_samples(figure):
    import planner

    result = planner.solve(planner.Problem.build(planner.read(ROOT / "data" / "rvtools_800.xlsx")), time_limit=20)
    assert (result.hosts_used, result.bound.value) == (int(figure), int(figure))
