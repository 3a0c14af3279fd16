"""``python -m benchmarks SUITE``: runs a suite, prints its table, and with --save puts it into docs/performance.md."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence

from benchmarks import runner, tables
from benchmarks.peers import NAMES, USUAL
from benchmarks.readers import ROOT
from benchmarks.suites import SUITES, SuiteUnavailable, cases
from benchmarks.targets import TARGETS, alarms

PERFORMANCE = ROOT / "docs" / "performance.md"
FIGURE_WIDTH, PEER_WIDTH = 10, 28


def _peers(text: str) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name)
    if unknown := [name for name in names if name not in NAMES]:
        raise argparse.ArgumentTypeError(f"found {unknown[0]!r}, expected some of {','.join(NAMES)}")
    return names


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suite", choices=list(SUITES))
    parser.add_argument("--time-limit", type=float, metavar="S", help="seconds of search; the suite's own by default")
    parser.add_argument("--only", default="*", metavar="GLOB", help="only instances whose names match")
    parser.add_argument(
        "--peers",
        nargs="?",
        type=_peers,
        const=USUAL,
        default=(),
        metavar="NAMES",
        help=f"also run {','.join(USUAL)}, or those named, among them vpsolver",
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="search threads")
    parser.add_argument("--save", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Runs a suite; 1 where a row failed or shows a defect, 2 where there is nothing to run."""
    arguments = _arguments(given)
    try:
        chosen = cases(arguments.suite, arguments.only)
    except SuiteUnavailable as reason:
        print(f"suite {arguments.suite} skipped: {reason}")
        return 2
    if not chosen:
        print(f"suite {arguments.suite}: no instance matches {arguments.only!r}")
        return 2
    facts = [f"{datetime.date.today().isoformat()}, {tables.machine()}", f"`{tables.command_line()}`"]
    print(*facts, runner.warm_up(arguments.workers), sep="\n", flush=True)
    facts.append("Each instance in a process of its own, after a warm-up that is not timed.")
    head = tables.headings(arguments.peers)
    longest = max(len(case.name) for case in chosen)
    fixed = len(tables.COLUMNS) + 1
    widths = [longest, *[FIGURE_WIDTH] * fixed, *[PEER_WIDTH] * len(arguments.peers), 0]
    print(tables.printed(head, widths), flush=True)
    table, rows = [head], []
    measured = runner.run(arguments.suite, chosen, arguments.time_limit, arguments.workers, arguments.peers)
    for row, case in zip(measured, chosen, strict=True):
        rows.append(row)
        table.append(tables.cells(row, case, arguments.peers))
        print(tables.printed(table[-1], widths), flush=True)
        for alarm in alarms(row):
            print(f"!!! DEFECT in {row.instance}: {alarm}", flush=True)
    lines = tables.summary(rows, chosen, TARGETS[arguments.suite])
    print(*lines, sep="\n")
    if arguments.save:
        tables.save(PERFORMANCE, arguments.suite, tables.markdown(arguments.suite, table, facts, lines))
    return int(any(row.error or alarms(row) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
