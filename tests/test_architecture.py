"""Imports point down only, and each library has its room."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

LAYERS = [
    {"cli", "__main__", "web", "terminal"},
    {"jobs", "scenarios", "writers", "anonymity", "charts", "migration", "explanations", "sensitivity", "tradeoffs"},
    {"solvers", "reports", "savings", "failure_tables", "corners", "fronts", "iron", "weights"},
    {"checker", "replay", "verifier", "readers", "economics", "baseline"},
    {"plan", "problem", "laws", "losses", "timeline"},
    {
        *(
            "policy",
            "prices",
            "licences",
            "rules",
            "proposals",
            "inventory",
            "imports",
            "numa",
            "power",
            "sizing",
            "series",
            "periods",
        ),
        *("matching", "storage"),
    },
    {
        "schema",
        "catalogue",
        "units",
        "errors",
        "settings",
        "samples",
        "stamps",
        "naming",
        "colours",
        "ranges",
        "shortlist",
    },
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
# readers/plans.py reads back what the writers wrote and shares the spelling of a harmless cell with them.
ALLOWED_UP = {("readers", "writers")}
FILES = sorted((ROOT / "planner").rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(ROOT / "planner").parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "planner":
                found += [f"planner.{name.name}" for name in node.names]
            else:
                found.append(node.module)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    room = room_of(path)
    if room == "__init__":
        return
    assert room in LEVEL, f"{room} has no layer"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "planner" and len(parts) > 1 and parts[1] in LEVEL and parts[1] != room:
            allowed = LEVEL[parts[1]] >= LEVEL[room] or (room, parts[1]) in ALLOWED_UP
            assert allowed, f"{path.name} imports {name}, which lies above it"


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        ("ortools", {"solvers", "verifier"}),
        ("streamlit", {"web", "cli"}),
        ("altair", {"charts"}),
        ("xlsxwriter", {"writers", "anonymity"}),
        ("python_calamine", {"readers"}),
    ],
)
def test_each_library_has_its_room(library, rooms):
    users = {room_of(path) for path in FILES if any(name.split(".")[0] == library for name in imports(path))}
    assert users <= rooms


def test_the_checker_shares_no_code_with_the_solvers():
    for path in (ROOT / "planner" / "checker").glob("*.py"):
        assert not [name for name in imports(path) if "solvers" in name or "ortools" in name or "economics" in name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_grows_past_500_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
