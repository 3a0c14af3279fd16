"""Rows as a table on the screen and in docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers import NAMES, Outcome
from benchmarks.runner import Row
from benchmarks.suites import Case
from benchmarks.targets import SuiteTarget, alarms, missed

COLUMNS = ("instance", "workloads", "shapes", "incumbent", "bound", "gap", "status", "seconds", "total", "memory MB")
HEADING = """# Performance

Measured by `python -m benchmarks SUITE --save`, which replaces a suite's section. Every instance runs in a process of
its own, after an untimed warm-up in another. *Shapes* are distinct demand vectors; *seconds* is solve alone, loading of
compiled code included; *total* adds building the problem; *check* counts violations; *verify* is the verdict on the
bound, - where there is none to give. A peer's cell is its value, its seconds (compiled code loaded before) and the
ratio of its value to ours.
"""


def headings(peers: Sequence[str]) -> tuple[str, ...]:
    """Column headings of a table with these peers."""
    return (*COLUMNS, "check", "verify", *peers, "target")


def cells(row: Row, case: Case, peers: Sequence[str]) -> tuple[str, ...]:
    """A row as texts, one a heading."""
    lacks = missed(case.target, row)
    return (
        row.instance,
        _number(row.workloads),
        _number(row.shapes),
        _number(row.incumbent),
        _number(row.bound),
        "-" if row.gap is None else f"{row.gap:.2%}",
        row.error or row.status or "-",
        _number(row.seconds, 2),
        _number(row.total_seconds, 2),
        _number(row.memory_mb, 0),
        _number(row.violations),
        "-" if row.verified is None else str(row.verified),
        *(_peer(row.peers.get(name), row.incumbent) for name in peers),
        "missed: " + "; ".join(lacks) if lacks else "reached",
    )


def _number(value: float | None, places: int | None = None) -> str:
    if value is None:
        return "-"
    if places is None:
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
    return f"{value:,.{places}f}"


def _peer(outcome: Outcome | None, ours: float | None) -> str:
    if outcome is None:
        return "-"
    if outcome.violations:
        return f"invalid: {outcome.note}"
    found = outcome.note or "-"
    if outcome.value is not None:
        ratio = f", x{outcome.value / ours:.3f}" if ours else ""
        found = f"{_number(outcome.value)}, {outcome.seconds:.2f} s{ratio}"
    elif outcome.seconds is not None:
        found += f", {outcome.seconds:.2f} s"
    return found if outcome.bound is None else f"{found}, bound {_number(outcome.bound)}"


def summary(rows: Sequence[Row], cases: Sequence[Case], target: SuiteTarget) -> list[str]:
    """How many rows reached the suite's target, which broke what none may break, and every alarm."""
    pairs = list(zip(rows, cases, strict=True))
    reached = sum(not missed(case.target, row) for row, case in pairs)
    proven = sum(row.status == "optimal" for row in rows)
    needed = f"{target.needed} of the whole suite are asked for" if target.needed else "all are asked for"
    asked = sorted({str(case.target) for case in cases} - {""})
    lines = [f"{reached} of {len(rows)} reached the target ({' | '.join(asked)}); {needed}. {proven} proven optimal."]
    if str(target.every):
        broken = [row.instance for row in rows if missed(target.every, row)]
        stated = f" (stated for {target.every_at_seconds:g} s)" if target.every_at_seconds else ""
        shown = f"{len(broken)} do not: {', '.join(broken)}" if broken else "all do"
        lines.append(f"Every one is to have {target.every}{stated}: {shown}.")
    lines += [f"DEFECT in {row.instance}: {alarm}." for row in rows for alarm in alarms(row)]
    lines += [f"FAILED: {row.instance}: {row.error}." for row in rows if row.error]
    return lines


def machine() -> str:
    """CPU model, cores, memory, and the versions of Python and OR-Tools."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    software = f"Python {platform.python_version()}, OR-Tools {version('ortools')}"
    return f"{_cpu_model()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB; {software}"


def _cpu_model() -> str:
    information = Path("/proc/cpuinfo")
    if information.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", information.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found.group(1).strip()
    return platform.processor() or platform.machine()


def markdown(suite: str, table: Sequence[Sequence[str]], facts: Sequence[str], lines: Sequence[str]) -> str:
    """A suite's section: heading, facts of the run, summary, table (headings first)."""
    head, *body = [[text.replace("|", "\\|").replace("\n", " ") for text in row] for row in table]
    peers = [f"`{name}` is {NAMES[name]}" for name in head if name in NAMES]
    rows = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *body)]
    parts = [f"## {suite}", "  \n".join(facts), "  \n".join(lines)]
    if peers:
        parts.append("; ".join(peers) + ".")
    return "\n\n".join([*parts, "\n".join(rows)])


def save(path: Path, suite: str, section: str) -> None:
    """Puts a suite's section between its markers in a file, which is made where it is absent; the rest stays.

    Raises
    ------
    ValueError
        The file has one of the suite's two markers but not the other, or has them twice.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else HEADING
    opening, closing = f"<!-- {suite} -->", f"<!-- /{suite} -->"
    found = (text.count(opening), text.count(closing))
    block = f"{opening}\n{section}\n{closing}"
    if found == (0, 0):
        text = f"{text.rstrip()}\n\n{block}\n"
    elif found == (1, 1) and text.index(opening) < text.index(closing):
        before, rest = text.split(opening)
        text = before + block + rest.split(closing)[1]
    else:
        raise ValueError(f"{path.name}: found {found[0]} {opening} and {found[1]} {closing}, expected one of each")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def printed(texts: Sequence[str], widths: Sequence[int]) -> str:
    """A row for the screen: the first column to the left, figures to the right, the last as long as it is."""
    last = len(texts) - 1
    aligned = [
        text if number == last else text.ljust(width) if number == 0 else text.rjust(width)
        for number, (text, width) in enumerate(zip(texts, widths, strict=True))
    ]
    return "  ".join(aligned)


def command_line() -> str:
    """The command that was given."""
    return shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
