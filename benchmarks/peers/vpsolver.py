"""VPSolver (Brandao and Pedroso, arc-flow) in a virtual environment of its own, its models solved by HiGHS.

pyvpsolver is built from source when first asked for (a C++ compiler is needed) and lies in the user's cache folder.
HiGHS cannot be loaded beside OR-Tools, hence the separate environment.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.peers import assignment
from benchmarks.peers.items import Items, NotApplicable
from benchmarks.readers import VectorPacking, format_vbp

REQUIREMENTS = ("pyvpsolver==3.1.4", "highspy==1.15.1")
BUILD_CONSTRAINT = "setuptools<70\n"
INSTALL_SECONDS = 600
ITEM_TYPES_AT_MOST = 1000
HIGHS = Path(__file__).with_name("highs_script.py")


def cache_folder() -> Path:
    """Folder outside the repository for what benchmarks install: ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "capacity-planner-bench"


def install() -> Path:
    """The folder of VPSolver's programs; makes its environment when it is not there yet.

    Raises
    ------
    NotApplicable
        It cannot be installed: the last line that pip said.
    """
    environment = cache_folder() / "vpsolver"
    programs, done = environment / "bin", environment / "installed"
    if done.is_file() and done.read_text(encoding="utf-8").split() == list(REQUIREMENTS):
        return programs
    cache_folder().mkdir(parents=True, exist_ok=True)
    constraint = cache_folder() / "build-constraint.txt"
    constraint.write_text(BUILD_CONSTRAINT, encoding="utf-8")
    # pip up to 25.2 builds under PIP_CONSTRAINT, later ones under PIP_BUILD_CONSTRAINT
    settings = os.environ | {"PIP_CONSTRAINT": str(constraint), "PIP_BUILD_CONSTRAINT": str(constraint)}
    for command in (
        [sys.executable, "-m", "venv", str(environment)],
        [str(programs / "python"), "-m", "pip", "install", "--quiet", *REQUIREMENTS],
    ):
        try:
            ended = subprocess.run(
                command, env=settings, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise NotApplicable(f"not installed: no end after {error.timeout:g} s") from error
        if ended.returncode:
            said = (ended.stderr.strip() or ended.stdout.strip() or "no message").splitlines()[-1]
            raise NotApplicable(f"not installed: {said}")
    done.write_text("\n".join(REQUIREMENTS) + "\n", encoding="utf-8")
    return programs


def arc_flow(items: Items, time_limit_s: float) -> assignment.Assigned:
    """Items on the fewest bins by VPSolver's arc-flow model: graph, model and search share the time limit.

    Raises
    ------
    NotApplicable
        Several kinds of host or pools, hosts that run out, figures that no factor makes whole, too many item types,
        no time left after building the graph, or VPSolver cannot be installed.
    """
    instance, item_of_copy = vector_packing(items)
    programs = install()
    ends = time.monotonic() + time_limit_s
    with TemporaryDirectory() as folder:
        files = {name: str(Path(folder) / f"model.{name}") for name in ("vbp", "afg", "mps", "sol")}
        Path(files["vbp"]).write_text(format_vbp(instance), encoding="utf-8")
        _run([str(programs / "vbp2afg"), files["vbp"], files["afg"]], ends, "building the graph")
        _run([str(programs / "afg2mps"), files["afg"], files["mps"]], ends, "writing the model")
        left = str(max(ends - time.monotonic(), 1.0))
        said = _run([str(programs / "python"), str(HIGHS), files["mps"], files["sol"], left], ends + 30, "HiGHS")
        status, bound, found = said.strip().splitlines()[-1].split("\t")
        bound = float(np.ceil(float(bound) - 1e-6))
        none = np.zeros(0, dtype=np.int64)
        if found == "none":
            return assignment.Assigned(host_of=None, kind_of=none, bound=bound, status=status)
        shown = _run(
            [str(programs / "vbpsol"), files["afg"], files["sol"], "0", "1"], ends + 30, "reading the solution"
        )
    host_of = _host_of(shown, item_of_copy)
    kind_of = np.zeros(int(host_of.max()) + 1, dtype=np.int64)
    return assignment.Assigned(host_of=host_of, kind_of=kind_of, bound=bound, status=status)


def vector_packing(items: Items) -> tuple[VectorPacking, list[list[int]]]:
    """The items as a vector packing instance of distinct sizes, and the items of each size."""
    if len(items.capacity) > 1 or len(np.unique(items.pool)) > 1 or items.available[0] < len(items.demand):
        raise NotApplicable("only for one host model, as many as needed, and one pool")
    if not (items.price == 1).all():
        raise NotApplicable("only for the fewest hosts")
    demand, capacity = assignment.whole(items)
    limited = np.isfinite(capacity[0]) & (demand > 0).any(axis=0)
    sizes, size_of, copies = np.unique(demand[:, limited], axis=0, return_inverse=True, return_counts=True)
    if len(sizes) > ITEM_TYPES_AT_MOST:
        raise NotApplicable(f"{len(sizes):,} item types")
    members = [np.flatnonzero(size_of.ravel() == number).tolist() for number in range(len(sizes))]
    instance = VectorPacking(
        capacity=capacity[0, limited].astype(np.int64), sizes=sizes.astype(np.int64), copies=copies.astype(np.int64)
    )
    return instance, members


def _run(command: list[str], ends: float, what: str) -> str:
    try:
        left = max(ends - time.monotonic(), 1.0)
        ended = subprocess.run(command, capture_output=True, text=True, timeout=left, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotApplicable(f"out of time: {what}") from error
    if ended.returncode:
        said = (ended.stderr.strip() or ended.stdout.strip() or f"code {ended.returncode}").splitlines()[-1]
        raise NotApplicable(f"{what} failed: {said}")
    return ended.stdout


def _host_of(shown: str, item_of_copy: list[list[int]]) -> np.ndarray:
    """Host of each item from what vbpsol prints: PYSOL=(bins,[[(times,[(size, option), ...]), ...]])."""
    match = re.search(r"PYSOL=(.*)", shown)
    if match is None:
        raise ValueError(f"vbpsol printed no solution: {shown[-200:]!r}")
    _, (patterns, *_) = ast.literal_eval(match.group(1))
    left = [list(members) for members in item_of_copy]
    host_of = np.full(sum(map(len, left)), -1, dtype=np.int64)
    host = 0
    for times, pattern in patterns:
        for _ in range(times):
            taken = [left[size].pop() for size, _ in pattern if left[size]]
            host_of[taken] = host
            host += bool(taken)
    if (host_of < 0).any():
        raise ValueError(f"VPSolver's solution leaves out {(host_of < 0).sum()} items")
    return host_of
