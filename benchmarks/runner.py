"""Runs cases one child process each and gathers what they measured; a child that crashes is a row that says so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers import Outcome
from benchmarks.readers import ROOT
from benchmarks.suites import Case

PATIENCE, GRACE_SECONDS = 3.0, 300.0
"""A child is ended after this many times its time limit and this many seconds more."""


@dataclass(kw_only=True)
class Row:
    """What was measured of one case; None is what was not measured or does not apply.

    Parameters
    ----------
    instance : str
    workloads, shapes : int, optional
        `shapes` counts distinct demand vectors.
    incumbent, bound, gap : float, optional
        As in `planner.Result`.
    plan_value : float, optional
        The objective computed from the plan, to compare with the incumbent that the solver states.
    status, method : str
        As in `planner.Result`; `method` is the bound's.
    seconds, total_seconds : float, optional
        Of solve alone; of building the problem and solve.
    memory_mb : float, optional
    violations : int, optional
    verified : bool, optional
    optimum, published : float, optional
        As in `benchmarks.suites.Case`.
    peers : dict of str to Outcome
    error : str
        Why there is no result.
    """

    instance: str
    workloads: int | None = None
    shapes: int | None = None
    incumbent: float | None = None
    bound: float | None = None
    gap: float | None = None
    plan_value: float | None = None
    status: str = ""
    method: str = ""
    seconds: float | None = None
    total_seconds: float | None = None
    memory_mb: float | None = None
    violations: int | None = None
    verified: bool | None = None
    optimum: float | None = None
    published: float | None = None
    peers: dict[str, Outcome] = field(default_factory=dict)
    error: str = ""


def warm_up(workers: int) -> str:
    """Fills Numba's cache on disk in a child process; says how long that took, or how it failed."""
    started = time.perf_counter()
    error = _run([sys.executable, "-m", "benchmarks.child", "--workers", str(workers)], 600.0)
    ended = f"warm-up, not timed, in a process of its own: {time.perf_counter() - started:.0f} s"
    return f"{ended}; it failed: {error}" if error else ended


def run(
    suite: str,
    cases: Sequence[Case],
    time_limit_s: float | None = None,
    workers: int = 1,
    peers: Sequence[str] = (),
) -> Iterator[Row]:
    """The rows of a suite's cases, one after the other.

    Parameters
    ----------
    suite : str
    cases : sequence of Case
    time_limit_s : float, optional
        Seconds of search of every case; by default each case's own.
    workers : int
        Threads of the solver and of CP-SAT as a peer.
    peers : sequence of str
        Names of `benchmarks.peers.NAMES`.
    """
    for case in cases:
        seconds = case.seconds if time_limit_s is None else time_limit_s
        row = Row(instance=case.name, optimum=case.optimum, published=case.published)
        if case.command:
            _time_command(row, case.command)
        else:
            measured, row.error = _child(suite, case.name, seconds, workers)
            for name, value in measured.items():
                setattr(row, name, value)
            for name in peers:
                outcome, error = _child(suite, case.name, seconds, workers, "--peer", name)
                row.peers[name] = Outcome(note=error) if error else Outcome(**outcome)
        yield row


def _time_command(row: Row, command: Sequence[str]) -> None:
    started = time.perf_counter()
    row.error = _run([sys.executable, "-m", "planner", *command], 300.0)
    row.seconds = row.total_seconds = time.perf_counter() - started


def _child(suite: str, case: str, time_limit_s: float, workers: int, *more: str) -> tuple[dict, str]:
    """What a child measured, and how it failed ("" where it did not)."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "measured.json"
        command = [sys.executable, "-m", "benchmarks.child", "--suite", suite, "--case", case, "--out", str(out)]
        command += ["--time-limit", str(time_limit_s), "--workers", str(workers), *more]
        error = _run(command, PATIENCE * time_limit_s + GRACE_SECONDS)
        return json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}, error


def _run(command: list[str], timeout_s: float) -> str:
    """Runs a command at the root of the repository; how it failed in one line, "" where it did not."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=os.name == "posix",
    ) as child:
        try:
            _, said = child.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            _end(child)
            child.communicate()
            return f"ended after {timeout_s:,g} s"
        except BaseException:
            _end(child)
            raise
    if child.returncode == 0:
        return ""
    if child.returncode < 0:
        return f"crashed: {signal.Signals(-child.returncode).name}"
    return f"crashed: {(said.strip() or f'code {child.returncode}').splitlines()[-1]}"


def _end(child: subprocess.Popen) -> None:
    """Ends a child and what it started."""
    if os.name == "posix":
        os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
