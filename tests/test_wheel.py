"""An installed wheel brings the same app, settings and samples as a checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
def test_the_wheel_carries_the_app_its_settings_the_samples_and_the_tables(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT], check=True, timeout=300
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in ("app.py", ".streamlit/config.toml", "data/small_company.xlsx", "data/rvtools_800.xlsx"):
            assert archive.read(f"planner/_app/{name}") == (ROOT / name).read_bytes()
        carried = set(archive.namelist())
    for kind in ("*.py", "*.csv"):
        expected = {str(path.relative_to(ROOT)) for path in (ROOT / "planner").rglob(kind)}
        assert expected, f"no {kind} in this checkout"
        assert expected <= carried
