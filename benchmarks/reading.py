"""``python -m benchmarks.reading``: seconds and memory of reading exports, beside the engines that only give cells.

Every reading runs in a process of its own. Memory is the peak of that process and of the child that parses the file for
it, added up although the two peaks may not meet.
"""

from __future__ import annotations

import argparse
import datetime
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import tables
from benchmarks.__main__ import PERFORMANCE
from benchmarks.readers import ROOT

SUITE = "reading"
VMS = (1000, 10_000)
SECONDS_AT_MOST, MEMORY_MB_AT_MOST = 10.0, 1024.0
"""What reading 10,000 VMs may take."""

HEAD = ["export", "by", "seconds", "ratio", "memory MB", "what it gives", "target"]
_KIB_PER_MB = 1000


def planner_read(path: Path) -> str:
    """The whole reading, to a checked inventory."""
    import planner

    inventory = planner.read(path)
    return f"{len(inventory.workloads) + len(inventory.left_out):,} workloads, {len(inventory.hosts):,} hosts"


def _wanted() -> frozenset[str]:
    from planner.readers.formats import SHEETS
    from planner.readers.sheet_worker import fold

    return frozenset(map(fold, SHEETS))


def calamine(path: Path) -> str:
    """Cells of the sheets that the planner reads, in this process, by python-calamine."""
    import python_calamine

    from planner.readers.sheet_worker import fold

    wanted, book = _wanted(), python_calamine.CalamineWorkbook.from_path(str(path))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names if fold(name) in wanted]
    return f"{sum(len(rows) for rows in sheets):,} rows"


def openpyxl(path: Path) -> str:
    """Cells of the same sheets, in this process, by openpyxl in its fastest mode."""
    from openpyxl import load_workbook

    from planner.readers.sheet_worker import fold

    wanted, book = _wanted(), load_workbook(path, read_only=True, data_only=True)
    sheets = [list(book[name].iter_rows(values_only=True)) for name in book.sheetnames if fold(name) in wanted]
    return f"{sum(len(rows) for rows in sheets):,} rows"


WAYS: dict[str, Callable[[Path], str]] = {
    "planner.read": planner_read,
    "python-calamine, cells": calamine,
    "openpyxl, cells": openpyxl,
}


def child(way: str, path: str) -> None:
    """Measure one reading in this process and print it as JSON."""
    import planner  # noqa: F401  (loading code is not reading)

    start = time.perf_counter()
    gives = WAYS[way](Path(path))
    seconds = time.perf_counter() - start
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"seconds": seconds, "memory_mb": sum(peaks) / _KIB_PER_MB, "gives": gives}))


def measured(way: str, path: Path) -> dict:
    """One reading in a child process."""
    command = [sys.executable, "-m", "benchmarks.reading", "--child", way, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def rows_of(name: str, path: Path, ways: Sequence[str], *, is_target: bool) -> list[list[str]]:
    """A row of the table for each way to read one export; ratios are to the planner's seconds."""
    rows: list[list[str]] = []
    baseline = None
    for way in ways:
        found = measured(way, path)
        baseline = baseline or found["seconds"]
        reached = ""
        if is_target and way == "planner.read":
            good = found["seconds"] <= SECONDS_AT_MOST and found["memory_mb"] <= MEMORY_MB_AT_MOST
            reached = "reached" if good else "missed"
        figures = [f"{found['seconds']:.2f}", f"x{found['seconds'] / baseline:.2f}", f"{found['memory_mb']:,.0f}"]
        rows.append([name, way, *figures, found["gives"], reached])
        print(" | ".join(rows[-1]), flush=True)
    return rows


def main(given: Sequence[str] | None = None) -> int:
    """Make the exports, read each in every way, and print the table; 1 where the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--save", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--child", nargs=2, metavar=("WAY", "PATH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args(given)
    if arguments.child:
        child(*arguments.child)
        return 0
    from tests.exports import EXPORTS, rvtools_full

    facts = [f"{datetime.date.today().isoformat()}, {tables.machine()}", "`python -m benchmarks.reading`"]
    print(*facts, " | ".join(HEAD), sep="\n", flush=True)
    table = [HEAD]
    with TemporaryDirectory() as folder:
        for vms in VMS:
            path = Path(folder) / f"rvtools-{vms}.xlsx"
            path.write_bytes(rvtools_full(vms))
            name = f"RVTools, 27 sheets, {vms:,} VMs, {path.stat().st_size / 1e6:.1f} MB"
            table += rows_of(name, path, list(WAYS), is_target=vms == VMS[-1])
        path = Path(folder) / "rvtools-csv.zip"
        path.write_bytes(EXPORTS["rvtools-csv-comma"](0, VMS[-1]).as_zip())
        name = f"RVTools tabs as CSV in a zip, {VMS[-1]:,} VMs, {path.stat().st_size / 1e6:.1f} MB"
        table += rows_of(name, path, ["planner.read"], is_target=True)
    missed = sum(row[-1] == "missed" for row in table)
    target = f"at most {SECONDS_AT_MOST:g} s and {MEMORY_MB_AT_MOST:,.0f} MB for {VMS[-1]:,} VMs"
    lines = [f"Target: {target}: {'missed' if missed else 'reached'}."]
    print(*lines, sep="\n")
    if arguments.save:
        tables.save(PERFORMANCE, SUITE, tables.markdown(SUITE, table, facts, lines))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
