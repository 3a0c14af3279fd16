"""Fixtures and small builders that the tests share."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import reject, settings

import planner
from planner.readers import series_files, series_worker

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"

# A law says what holds, not how long it takes: neighbours may keep the machine busy.
# The environment variable LAWS says how many times as many examples are tried as each law names.
TIMES = float(os.environ.get("LAWS", "0.5"))
settings.register_profile("laws", deadline=None, max_examples=round(60 * TIMES))
settings.load_profile("laws")


def examples(number: int, **options) -> settings:
    """So many examples of a law; times as many as the environment variable LAWS says."""
    return settings(max_examples=max(round(number * TIMES), 1), deadline=None, **options)


@pytest.fixture(autouse=True)
def config_folder(tmp_path_factory, monkeypatch) -> Path:
    """An empty settings folder for each test, so that none sees or touches the user's own."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("PLANNER_CONFIG_DIR", str(folder))
    return folder


@pytest.fixture
def parsed_here(monkeypatch) -> None:
    """Series are parsed in this process and without limits: a child that imports pandas takes half a second each."""
    sheets = series_worker._sheet_worker()
    monkeypatch.setattr(sheets, "limit_resources", lambda *_: None)
    monkeypatch.setattr(series_worker, "_sheet_worker", lambda: sheets)

    def run(command: list[str], *, input: bytes, **_) -> subprocess.CompletedProcess:
        given, printed = io.TextIOWrapper(io.BytesIO(input)), io.TextIOWrapper(io.BytesIO(), write_through=True)
        with patch.multiple(sys, stdin=given, stdout=printed, path=[*sys.path]):
            code = series_worker.main(*command[command.index(series_worker.__file__) + 1 :])
        return subprocess.CompletedProcess(command, code, printed.buffer.getvalue(), b"")

    monkeypatch.setattr(series_files, "subprocess", SimpleNamespace(run=run, TimeoutExpired=subprocess.TimeoutExpired))


@pytest.fixture
def shared_rvtools() -> Path:
    """Folder of RVTools workbooks by others; the test is skipped where it is absent."""
    folder = SHARED / "rvtools"
    if not folder.is_dir():
        pytest.skip("the RVTools workbooks of others lie beside the repository, not in it; absent here")
    return folder


def estate(*rows: tuple, **columns) -> pd.DataFrame:
    """Workloads from (name, vcpus, memory_gib) and further columns."""
    return pd.DataFrame(rows, columns=["name", "vcpus", "memory_gib"]).assign(**columns)


def machines(*rows: tuple, **columns) -> pd.DataFrame:
    """Hosts or host models from (name, cores, memory_gib) and further columns."""
    return pd.DataFrame(rows, columns=["name", "cores", "memory_gib"]).assign(**columns)


def problem_of(workloads: pd.DataFrame, hosts=None, models=None, **arguments) -> planner.Problem:
    """A problem of frames, policy raw unless another is given."""
    inventory = planner.Inventory.from_frames(workloads=workloads, hosts=hosts, host_models=models)
    return planner.Problem.build(inventory, **({"policy": "raw"} | arguments))


def drawn_problem(workloads: pd.DataFrame, hosts=None, models=None, **arguments) -> planner.Problem:
    """A problem that hypothesis drew; drawn again where its rules contradict what is there."""
    try:
        return problem_of(workloads, hosts, models, **arguments)
    except planner.InputError:
        reject()


def plan_of(*rows: tuple) -> planner.Plan:
    """A plan from (workload, host) or (workload, host, model)."""
    return planner.Plan.from_frames(
        pd.DataFrame([(*row, "")[:3] for row in rows], columns=["workload", "host", "model"])
    )


def solved(problem: planner.Problem, **options) -> planner.Result:
    """The result of a search that is short, whose plan the checker accepts and whose bound is proven again."""
    result = planner.solve(problem, **({"time_limit": 10} | options))
    if result.plan is not None:
        assert planner.check(problem, result.plan) == []
    if result.bound is not None:
        assert planner.verify(problem, result.bound)
    return result


def hard_estate(count: int = 600) -> pd.DataFrame:
    """Workloads whose search goes on for minutes: a tenth to two fifths of a large host in each of three resources."""
    random = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "name": [f"w{i}" for i in range(count)],
            "vcpus": random.integers(55, 220, count),
            "memory_gib": random.integers(184, 734, count),
            "storage_gib": random.integers(2145, 8580, count),
        }
    )
