"""What the command line prints: results on standard output, progress on standard error."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pandas as pd
from rich.console import Console, ConsoleDimensions
from rich.markup import escape
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

import planner
from planner import proposals, rules
from planner.checker import Violation
from planner.corners import NO_MONEY
from planner.fronts import Front
from planner.imports import REPORTED
from planner.inventory import Inventory, notes_frame
from planner.jobs import Job, JobState
from planner.numa import numa_warnings
from planner.plan import Plan, Result
from planner.problem import Problem
from planner.readers.mapping import Suggestion
from planner.readers.sandbox import OnRows
from planner.reports import APPRAISED, NPV, Report, payback_told
from planner.samples import sample
from planner.sensitivity import Sensitivity
from planner.units import counted, decimals
from planner.writers.decision import spread
from planner.writers.fronts import below, named
from planner.writers.headings import heading

WIDE = 200
"""Columns of a page that is no terminal, such as a file: tables need not be squeezed there."""


class _Page(Console):
    """As wide as where it is printed to at the time."""

    @property
    def size(self) -> ConsoleDimensions:
        columns = os.environ.get("COLUMNS", "")
        if columns.isdigit() or not self.is_terminal:
            return ConsoleDimensions(int(columns) if columns.isdigit() else WIDE, 25)
        return super().size


_out = _Page(highlight=False, soft_wrap=False)
_err = Console(stderr=True, highlight=False)
MOST_ROWS = 200
MOST_MOVES = 10


@contextmanager
def reading() -> Iterator[OnRows]:
    """Progress of reading on standard error: file, sheet and rows so far; nothing where that is no terminal."""
    with _err.status("reading") as status:
        yield lambda file, sheet, rows: status.update(escape(f"reading {file}{sheet and ', ' + sheet}: {rows:,} rows"))


def show_inventory(inventory: Inventory) -> None:
    """What was read, and one row for everything converted, guessed, left out or dropped."""
    for one in inventory.imports:
        about = " ".join(filter(None, (one.format, one.version))) + (f", {one.dialect}" if one.dialect else "")
        _out.print(f"read {one.file} ({about}), confidence {one.confidence:.1%}", markup=False)
    report = inventory.import_report()
    _frame("Totals, to compare with the tool that exported them", report["totals"])
    rows = [
        ("host models to buy", f"{len(inventory.host_models):,}"),
        ("placement rules", f"{len(inventory.rules):,}"),
        ("pools", ", ".join(sorted(filter(None, inventory.workloads["pool"].unique()))) or "none named"),
    ]
    _pairs(rows)
    for name in ("rows", "suspicious"):
        if len(report[name]):
            _frame(REPORTED[name], report[name].drop(columns=["sheet", "column", "subject"], errors="ignore"))
    if inventory.rules:
        _frame("Placement rules", rules.to_frame(inventory.rules))
    if inventory.proposals:
        shown = proposals.to_frame(inventory.proposals)
        shown["on"] = shown["on"].map({True: "on", False: "off"})
        shown["what"] = [
            f"{what} (off: {why})" if why else what for what, why in zip(shown["what"], shown["why_off"], strict=True)
        ]
        _frame(
            "Proposed rules (--switch-off KEY, --switch-on KEY)", shown[["key", "on", "what", "workloads", "source"]]
        )
    told = inventory.notes[inventory.notes["kind"] != "suspicious"]
    notes = notes_frame([*told.to_dict("records"), *numa_warnings(inventory)])
    if len(notes):
        notes["where"] = [
            ", ".join(
                str(part) for part in (n.file, n.sheet, "" if pd.isna(n.row) else f"row {n.row}", n.column) if part
            )
            for n in notes.itertuples()
        ]
        _frame("What reading did, and why", notes[["kind", "where", "subject", "message"]])


def show_suggestions(suggestions: Iterable[Suggestion]) -> None:
    """What each column of some files is taken for, and how sure that is."""
    for one in suggestions:
        mapped = one.mapped
        place = f"{one.file}, sheet {mapped.sheet}" if mapped.sheet else one.file
        known = {column.heading: column for column in mapped.columns}
        rows = [
            {
                "heading": heading,
                "attribute": known[heading].attribute if heading in known else "",
                "unit": known[heading].unit if heading in known else "",
                "confidence": known[heading].confidence if heading in known else float("nan"),
                "values": ", ".join(values[:3]),
            }
            for heading, values in one.samples.items()
        ]
        title = f"{place}, row {mapped.row}: {mapped.table}, {one.origin or f'confidence {mapped.confidence:.2f}'}"
        _frame(title, pd.DataFrame(rows, columns=["heading", "attribute", "unit", "confidence", "values"]))
        if mapped.missing:
            _out.print(f"missing: {', '.join(mapped.missing)}", markup=False)


def show_inventory_line(inventory: Inventory, problem: Problem) -> None:
    """One line on what goes into the problem, one on what does not."""
    _out.print(repr(problem), markup=False, soft_wrap=True)
    reasons = inventory.left_out["reason"].value_counts()
    if len(reasons):
        parts = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        _out.print(f"left out: {parts} (see planner inspect)", markup=False, soft_wrap=True)
    if inventory.proposals:
        on = sum(one.on for one in inventory.proposals)
        line = f"proposed rules: {on:,} on, {len(inventory.proposals) - on:,} off (see planner inspect)"
        _out.print(line, markup=False, soft_wrap=True)
    doubtful = inventory.notes[inventory.notes["kind"].isin(["guessed", "dropped", "suspicious", "ignored"])]
    if len(doubtful):
        counts = ", ".join(f"{count:,} {kind}" for kind, count in doubtful["kind"].value_counts().items())
        _out.print(f"notes: {counts} (see planner inspect)", markup=False, soft_wrap=True)
    for note in inventory.notes[
        inventory.notes["message"].str.contains("did you mean|nearest", regex=True)
    ].itertuples():
        _out.print(f"  {note.column or note.subject}: {note.message}", markup=False, soft_wrap=True)


def solve_interruptibly(problem: Problem, **options) -> Result:
    """Solve in a thread; progress on standard error; Ctrl-C stops the search and keeps the best plan."""
    job = Job(problem, **options).start()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Bar(*columns, console=_err, transient=True, disable=not _err.is_terminal) as bar:
        task = bar.add_task("solving", total=None)
        while not job.finished:
            try:
                seen = job.wait(0.2)
                if seen.incumbent is not None:
                    bound = "-" if seen.bound is None else f"{seen.bound:,.6g}"
                    bar.update(task, description=f"best {seen.incumbent:,.6g}, bound {bound} (Ctrl-C keeps the best)")
            except KeyboardInterrupt:
                job.cancel()
    last = job.wait()
    if last.state is JobState.FAILED:
        raise planner.InputError(last.error, details=last.details)
    return last.result


def explain_interruptibly(
    problem: Problem, result: Result, time_limit: float, seed: int, workers: int
) -> planner.Explanation:
    """Explain a result; Ctrl-C leaves open what was not asked yet."""
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        with _err.status("explaining (Ctrl-C ends it)"):
            return planner.explain(
                problem, result, time_limit=time_limit, seed=seed, workers=workers, should_stop=stop.is_set
            )
    finally:
        signal.signal(signal.SIGINT, before)


def show_result(result: Result, report: Report | None) -> None:
    """Status, hosts, bound and gap; then today against the plan."""
    _out.print(repr(result), markup=False, soft_wrap=True)
    if report is None:
        return
    _out.print()
    totals(report)
    if result.moves is not None and len(result.moves):
        _frame(counted(len(result.moves), "move"), result.moves, most=MOST_MOVES)
    if report.failures is not None and len(report.failures):
        _out.print(worst_case(report.failures), markup=False, soft_wrap=True)
    verdict = report.verdict["kind"].iloc[0]
    _out.print(f"checker: {verdict}", markup=False)


def worst_case(failures: pd.DataFrame) -> str:
    """One line on the worst case of failure."""
    worst = failures.iloc[0]
    return (
        f"failures: {len(failures):,} cases; the worst is the loss of {worst['case']}: {worst['workloads_lost']:,} "
        f"workloads restart, {worst['used_share']:.0%} of the {worst['worst_resource']} that is left is used"
    )


def totals(report: Report) -> None:
    """Today against the plan."""
    table = Table(title="Today and plan", title_justify="left")
    table.add_column("")
    for name in ("today", "plan", "saving"):
        table.add_column(name, justify="right")
    table.add_column("unit")
    for row in report.totals.itertuples(index=False):
        table.add_row(row.metric, *_figures(row.today, row.plan, row.saving), row.unit)
    _out.print(table)
    without = f", without {', '.join(report.lacking)}" if report.lacking else ""
    for row in report.summary[report.summary["item"].isin(APPRAISED)].itertuples(index=False):
        worth = row.item == NPV and not isinstance(row.value, str)
        told = f"{row.value:,.0f} {row.unit}" if worth else payback_told(row.value)
        _out.print(f"{row.item}: {told}{without}", markup=False)
    if report.ranges is not None:
        _out.print(spread(report), markup=False, soft_wrap=True)
    for row in report.savings.itertuples(index=False):
        _out.print(f"{row.item}: {row.assumption}", markup=False, soft_wrap=True)


def show_verdict(problem: Problem, plan: Plan, violations: list[Violation], name: str) -> None:
    """The checker's verdict on a plan."""
    notes = problem.inventory.notes
    for note in notes[notes["column"] == proposals.NOTED].itertuples():
        _out.print(f"{note.subject}: {note.message}", markup=False, soft_wrap=True)
    if not violations:
        _out.print(
            f"{name}: accepted. {len(plan.placement):,} workloads on {plan.hosts_used:,} hosts; "
            f"{', '.join(problem.resources)} hold on every host, and so does every rule, under policy "
            f"{problem.policy.name!r}.",
            markup=False,
            soft_wrap=True,
        )
        return
    _out.print(f"{name}: {len(violations):,} found, under policy {problem.policy.name!r}", markup=False, soft_wrap=True)
    _frame("", pd.DataFrame([{"kind": v.kind, "message": v.message} for v in violations]))


def show_comparison(table: pd.DataFrame) -> None:
    """Scenarios side by side."""
    shown = table[
        ["scenario", "status", "hosts", "bound", "gap", "cost_horizon", "saving_horizon", "seconds", "reason"]
    ]
    _frame("Scenarios", shown)


def show_front(front: Front) -> None:
    """Plans of a front side by side, what is proven, and what is not known."""
    shown = [name for name in ("plan", *front.units) if front.table[name].notna().any()]
    plans = front.table[[*shown, "least"]].round(dict.fromkeys(front.units, 0))
    _frame(f"Plans by {', '.join(front.objectives)}, none better than another in all", named(front, plans))
    for row in front.table[front.table["proof"] != ""].itertuples():
        _out.print(f"{row.plan}: {row.proof}", markup=False, soft_wrap=True)
    for name, bound in front.bounds.items():
        if bound:
            _out.print(f"{name}: no plan has {below(front, name)}, proven", markup=False, soft_wrap=True)
    for name, items in front.without.items():
        _out.print(f"{name} is without {' and '.join(items)}: no figures", markup=False, soft_wrap=True)
    for name, why in front.missing.items():
        _out.print(f"{name} is not known: {why}", markup=False, soft_wrap=True)


def show_sensitivity(found: Sensitivity) -> None:
    """What each figure of the prices does to the saving, the widest first, and what is not known."""
    known = found.tornado[found.tornado["width"].notna() & ~found.tornado["assumption"].isin(NO_MONEY)]
    shown = ["assumption", "unit", "low", "likely", "high", "saving_low", "saving_high", "break_even"]
    shown += [name for name in ("gain_low", "gain_high") if name in known]
    amounts = [name for name in shown if name.startswith(("saving", "gain"))]
    table = known[shown].round(dict.fromkeys(amounts, 0)).round(dict.fromkeys(("low", "high", "break_even"), 4))
    _frame(f"The plan {found.told}{found.told_without}; one assumption at a time moves it to", table)
    for source, rows in known.groupby("source", sort=False):
        whose = "all" if len(rows) == len(known) else ", ".join(rows["assumption"])
        _out.print(f"low and high {source}: {whose}", markup=False, soft_wrap=True)
    noted = found.tornado[found.tornado["note"] != ""]
    for note, rows in noted.groupby("note", sort=False):
        _out.print(f"{', '.join(rows['assumption'])}: {note}", markup=False, soft_wrap=True)


def show_demo() -> None:
    """The small company: from its spreadsheet to its savings."""
    path = sample("small_company")
    inventory = planner.read(path)
    _out.print("A small company runs three applications on three servers with three operating systems.")
    _out.print(f"Its spreadsheet: {path}\n", markup=False, soft_wrap=True)
    shown = inventory.workloads[["name", "os", "vcpus", "memory_gib", "storage_gib", "network_gbps"]]
    _frame("Workloads", shown)
    balanced = planner.Policy.preset("balanced")
    alone = dataclasses.replace(balanced, failover=planner.Failover(hosts=0))
    problem = planner.Problem.build(inventory, policy=alone)
    result = planner.solve(problem, time_limit=10)
    report = planner.report(problem, result.plan, result=result)
    _out.print("Can one server with a hypervisor carry all three? 4 vCPUs a core, 20 % of CPU kept free:\n")
    show_result(result, report)
    reserved = planner.Problem.build(inventory, policy=balanced)
    second = planner.solve(reserved, time_limit=10)
    safer = planner.report(reserved, second.plan, result=second)
    saving = safer.savings.iloc[-1]["saving_horizon"]
    than_today = f"saves {saving:,.0f}" if saving >= 0 else f"costs {-saving:,.0f} more than today"
    _out.print(
        f"\nOne server is a single point of failure. To survive the loss of a server (N+1) it takes "
        f"{second.hosts_used} of them; over {reserved.prices.years:g} years that {than_today}, "
        f"in {reserved.prices.currency}.",
        markup=False,
        soft_wrap=True,
    )
    _out.print(
        "\nNext: `planner app` opens this in the browser; `planner template mine.xlsx` writes the blank spreadsheet; "
        "`planner solve mine.xlsx --out plan.xlsx` plans it.",
        markup=False,
        soft_wrap=True,
    )


def open_when_up(address: str, patience: float = 30.0) -> None:
    """Open a browser window at the app's address as soon as it answers; give up after `patience` seconds."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1) as answer:
                up = answer.status == 200
        except OSError:
            up = False
        if up:
            webbrowser.open(address)
            return
        time.sleep(0.3)


def _figures(*values: float) -> list[str]:
    """Figures of a row, with as many decimals as they need."""
    after = decimals(values)
    return ["missing" if pd.isna(value) else f"{value:,.{after}f}" for value in values]


def _pairs(rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows) + 2
    for name, text in rows:
        _out.print(f"{name:<{width}}{text}", markup=False)


def _frame(title: str, frame: pd.DataFrame, most: int = MOST_ROWS) -> None:
    table = Table(title=title or None, title_justify="left")
    for name in frame.columns:
        number = frame[name].dtype.kind in "fiu"
        options = {"justify": "right" if number else "left", "no_wrap": number or name == "key"}
        table.add_column(heading(str(name)), overflow="fold", **options)
    for row in frame.head(most).itertuples(index=False):
        table.add_row(*("" if pd.isna(v) else f"{v:,.6g}" if isinstance(v, float) else str(v) for v in row))
    _out.print(table, markup=False)
    if len(frame) > most:
        _out.print(f"... and {len(frame) - most:,} more rows; a written plan has them all", markup=False)
