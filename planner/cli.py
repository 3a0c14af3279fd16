"""The command line: verbs, each of which calls one public function.

Exit code 0: fine; 1: infeasible, or violations found; 2: bad input.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="How many servers do we really need? Places every workload, checks the plan, proves a bound beside it.",
)

Files = Annotated[list[str], typer.Argument(help="Workbooks or CSV files: our template, or an RVTools export.")]
Include = Annotated[
    list[str],
    typer.Option("--include", help="Plan for powered-off, template or placeholder too; or on hosts in maintenance."),
]
Hosts = Annotated[str | None, typer.Option("--hosts", help="File with the hosts that are owned.")]
Models = Annotated[
    str | None,
    typer.Option("--host-models", help="File with host models to buy, or catalogue:PATTERN, e.g. catalogue:r7*."),
]
PolicyOption = Annotated[
    str | None, typer.Option("--policy", help="raw, dense, balanced, conservative, or a .toml file.")
]
PricesOption = Annotated[str | None, typer.Option("--prices", help="Prices in a .toml file.")]
RulesOption = Annotated[str | None, typer.Option("--rules", help="Placement rules in a .toml file.")]
Objective = Annotated[
    str | None, typer.Option("--objective", help="What is to be least: hosts, cost, energy or carbon.")
]
Resources = Annotated[list[str], typer.Option("--resource", help="A further column that is a limit; may be repeated.")]
SeriesFiles = Annotated[
    list[str],
    typer.Option("--series", help="Use over time: .csv, .parquet, a folder or an archive; may be repeated."),
]
SeriesSettings = Annotated[
    str | None,
    typer.Option(
        "--series-settings",
        help="How to read --series, in a .toml file: unit, quantity, start, step_minutes, time_zone, ghz_per_vcpu.",
    ),
]
Time = Annotated[
    str | None,
    typer.Option("--time", help="Plan CPU by its use in each hour of the series: hour_of_day, hour_of_week or none."),
]
MappingOption = Annotated[
    str | None,
    typer.Option("--mapping", help="What columns of an own spreadsheet mean, in a .toml file; it is remembered."),
]
Forget = Annotated[
    bool, typer.Option("--forget-mapping", help="Forget first what is remembered for the headings of these files.")
]
Clock = Annotated[
    float | None,
    typer.Option("--ghz-per-vcpu", help="Clock behind CPU use in percent, where no host of the files tells it."),
]
Merge = Annotated[bool | None, typer.Option("--merge-pools/--keep-pools", help="Plan all clusters as one pool.")]

SwitchOff = Annotated[
    list[str], typer.Option("--switch-off", help="A proposed rule not to keep: its key or a pattern; may be repeated.")
]
SwitchOn = Annotated[
    list[str], typer.Option("--switch-on", help="A proposed rule to keep: its key or a pattern; may be repeated.")
]


@app.command()
def template(path: Annotated[str, typer.Argument(help="Where to write it: .xlsx or .csv.")]) -> None:
    """Write the blank template to fill in."""
    from planner.writers.template import write_template

    write_template(path)
    print(f"{path}: a blank template; sheet 'Read me' says how to fill it")


@app.command()
def inspect(
    files: Files,
    include: Include = (),
    mapping: MappingOption = None,
    forget_mapping: Forget = False,
    ghz_per_vcpu: Clock = None,
    series: SeriesFiles = (),
    series_settings: SeriesSettings = None,
    switch_off: SwitchOff = (),
    switch_on: SwitchOn = (),
) -> None:
    """Show what was read, converted, left out and dropped, and why."""
    from planner.readers.series_settings import with_series
    from planner.terminal import show_inventory

    inventory = _read(files, include, mapping, forget_mapping, ghz_per_vcpu).switch(off=switch_off, on=switch_on)
    show_inventory(with_series(inventory, series, series_settings, ghz_per_vcpu)[0])


@app.command()
def mapping(
    files: Files,
    out: Annotated[str | None, typer.Option("--out", "-o", help="Where to write the mapping, a .toml.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what is remembered for these headings.")] = False,
) -> None:
    """Show what the columns of an own spreadsheet are taken for, and write it to correct and confirm."""
    from planner import InputError, readers
    from planner.readers.mapping import Mapping
    from planner.terminal import show_suggestions

    if forget:
        print(f"forgot {readers.forget(files)} remembered")
    if out is not None and Path(out).exists() and not overwrite:
        raise InputError(f"{out}: found a file of this name already; give another, or --overwrite")
    found = readers.suggestions(files)
    if not found:
        raise InputError(f"{', '.join(files)}: found exports of known tools only, which need no mapping")
    show_suggestions(found)
    if out is not None:
        text = Mapping(tables=tuple(one.mapped for one in found)).to_toml(comments=True)
        Path(out).write_text(text, encoding="utf-8")
        print(f"wrote {out}: correct it, then read the files with --mapping {out}")


@app.command()
def solve(
    files: Files,
    start: Annotated[str | None, typer.Option("--start", help="A plan that stands: the fewest moves from it.")] = None,
    hosts: Hosts = None,
    host_models: Models = None,
    policy: PolicyOption = None,
    prices: PricesOption = None,
    rules: RulesOption = None,
    objective: Objective = None,
    resource: Resources = (),
    merge_pools: Merge = None,
    include: Include = (),
    mapping: MappingOption = None,
    forget_mapping: Forget = False,
    ghz_per_vcpu: Clock = None,
    series: SeriesFiles = (),
    series_settings: SeriesSettings = None,
    time: Time = None,
    switch_off: SwitchOff = (),
    switch_on: SwitchOn = (),
    time_limit: Annotated[float, typer.Option("--time-limit", min=0, help="Seconds of search.")] = 60.0,
    gap: Annotated[float, typer.Option("--gap", min=0, max=1, help="Gap to the bound at which to end.")] = 0.0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same plan.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Search threads.")] = 1,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what binds, why not one host fewer, or what conflicts.")
    ] = False,
    out: Annotated[str | None, typer.Option("--out", help="Plan to write: .xlsx, .csv, .json or .html.")] = None,
    json_out: Annotated[str | None, typer.Option("--json", help="Result to write as JSON.")] = None,
) -> None:
    """Place every workload on the fewest (or cheapest) hosts, with a proven lower bound."""
    import planner
    from planner.readers.plans import read_plan
    from planner.terminal import explain_interruptibly, show_inventory_line, show_result, solve_interruptibly
    from planner.writers import require_writable
    from planner.writers.json import infeasible_document

    for path in filter(None, (out, json_out)):
        require_writable(path)
    standing = None if start is None else read_plan(start)
    inventory, arguments = _arguments(
        files, hosts, host_models, policy, prices, rules, objective, resource, merge_pools, include,
        mapping, forget_mapping, ghz_per_vcpu, series, series_settings, time, switch_off, switch_on, standing,
    )  # fmt: skip
    problem = planner.Problem.build(inventory, **arguments)
    show_inventory_line(inventory, problem)
    result = solve_interruptibly(
        problem,
        time_limit=time_limit,
        gap=gap,
        seed=seed,
        workers=workers,
        start=None if standing is None else standing.plan,
    )
    found = explain_interruptibly(problem, result, time_limit, seed, workers) if explain else None
    tables = {} if found is None else found.tables
    report = None if result.plan is None else planner.report(problem, result.plan, result=result, explanations=tables)
    show_result(result, report)
    if found is not None:
        print(f"\n{found}")
    for path in [path for path in (out, json_out) if path is not None and report is not None]:
        planner.write(report, path)
        print(f"wrote {path}")
    if report is None:
        if json_out is not None:
            Path(json_out).write_text(
                json.dumps(infeasible_document(problem, result, tables), indent=1) + "\n", encoding="utf-8"
            )
        raise typer.Exit(1)


@app.command()
def check(
    files: Files,
    hosts: Hosts = None,
    host_models: Models = None,
    policy: PolicyOption = None,
    prices: PricesOption = None,
    rules: RulesOption = None,
    objective: Objective = None,
    resource: Resources = (),
    merge_pools: Merge = None,
    include: Include = (),
    mapping: MappingOption = None,
    forget_mapping: Forget = False,
    ghz_per_vcpu: Clock = None,
    series: SeriesFiles = (),
    series_settings: SeriesSettings = None,
    time: Time = None,
    switch_off: SwitchOff = (),
    switch_on: SwitchOn = (),
) -> None:
    """Judge a plan, ours or not: the last FILE is the plan, those before it are the inventory."""
    import planner
    from planner.readers.plans import read_plan
    from planner.terminal import show_verdict

    if len(files) < 2:
        raise planner.InputError("check: found one file, expected the inventory's files and then the plan")
    *inventory_files, plan_file = files
    written = read_plan(plan_file)
    inventory, arguments = _arguments(
        inventory_files, hosts, host_models, policy, prices, rules, objective, resource, merge_pools, include,
        mapping, forget_mapping, ghz_per_vcpu, series, series_settings, time, switch_off, switch_on, written,
    )  # fmt: skip
    problem = planner.Problem.build(inventory, **arguments)
    violations = planner.check(problem, written.plan)
    show_verdict(problem, written.plan, violations, plan_file)
    if violations:
        raise typer.Exit(1)


@app.command()
def compare(
    files: Files,
    scenarios: Annotated[str, typer.Option("--scenarios", help="What-ifs in a .toml file, [scenario.NAME] each.")],
    hosts: Hosts = None,
    host_models: Models = None,
    policy: PolicyOption = None,
    prices: PricesOption = None,
    rules: RulesOption = None,
    objective: Objective = None,
    resource: Resources = (),
    merge_pools: Merge = None,
    include: Include = (),
    mapping: MappingOption = None,
    forget_mapping: Forget = False,
    ghz_per_vcpu: Clock = None,
    series: SeriesFiles = (),
    series_settings: SeriesSettings = None,
    time: Time = None,
    switch_off: SwitchOff = (),
    switch_on: SwitchOn = (),
    time_limit: Annotated[float, typer.Option("--time-limit", min=0, help="Seconds of search a scenario.")] = 30.0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same plans.")] = 0,
    out: Annotated[str | None, typer.Option("--out", help="Table to write as .csv.")] = None,
) -> None:
    """Solve under each scenario of a file, and show them side by side."""
    import planner
    from planner.scenarios import read_scenarios
    from planner.terminal import show_comparison

    inventory, arguments = _arguments(
        files, hosts, host_models, policy, prices, rules, objective, resource, merge_pools, include,
        mapping, forget_mapping, ghz_per_vcpu, series, series_settings, time, switch_off, switch_on, None,
    )  # fmt: skip
    problem = planner.Problem.build(inventory, **arguments)
    table = planner.sweep(problem, read_scenarios(scenarios), time_limit=time_limit, seed=seed)
    show_comparison(table)
    if out is not None:
        table.to_csv(out, index=False)
        print(f"wrote {out}")
    if not table["hosts"].notna().all():
        raise typer.Exit(1)


@app.command()
def pareto(
    files: Files,
    objectives: Annotated[
        str, typer.Option("--objectives", help="Two or more of hosts, cost, energy, carbon and moves, by commas.")
    ] = "hosts,cost",
    start: Annotated[str | None, typer.Option("--start", help="A plan that moves are counted from.")] = None,
    hosts: Hosts = None,
    host_models: Models = None,
    policy: PolicyOption = None,
    prices: PricesOption = None,
    rules: RulesOption = None,
    resource: Resources = (),
    merge_pools: Merge = None,
    include: Include = (),
    mapping: MappingOption = None,
    forget_mapping: Forget = False,
    ghz_per_vcpu: Clock = None,
    series: SeriesFiles = (),
    series_settings: SeriesSettings = None,
    time: Time = None,
    switch_off: SwitchOff = (),
    switch_on: SwitchOn = (),
    points: Annotated[int, typer.Option("--points", min=0, help="Searches between the ends at most.")] = 12,
    time_limit: Annotated[float, typer.Option("--time-limit", min=0, help="Seconds of all searches together.")] = 60.0,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same plans.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Search threads.")] = 1,
    out: Annotated[str | None, typer.Option("--out", help="Front to write: .xlsx, .csv or .json.")] = None,
) -> None:
    """Show the plans between the fewest hosts, the least cost, energy or carbon, and the fewest moves."""
    import planner
    from planner.readers.plans import read_plan
    from planner.terminal import show_front
    from planner.writers import require_writable
    from planner.writers.fronts import FORMATS, write_front

    if out is not None:
        require_writable(out, FORMATS)
    standing = None if start is None else read_plan(start)
    inventory, arguments = _arguments(
        files, hosts, host_models, policy, prices, rules, None, resource, merge_pools, include,
        mapping, forget_mapping, ghz_per_vcpu, series, series_settings, time, switch_off, switch_on, standing,
    )  # fmt: skip
    front = planner.pareto(
        planner.Problem.build(inventory, **arguments),
        tuple(name.strip() for name in objectives.split(",") if name.strip()),
        points=points,
        time_limit=time_limit,
        seed=seed,
        workers=workers,
        start=None if standing is None else standing.plan,
    )
    show_front(front)
    if out is not None:
        print(f"wrote {write_front(front, out)}")


@app.command()
def sensitivity(
    files: Files,
    hosts: Hosts = None,
    host_models: Models = None,
    prices: PricesOption = None,
    objective: Objective = None,
    include: Include = (),
    mapping: MappingOption = None,
    ghz_per_vcpu: Clock = None,
    series: SeriesFiles = (),
    series_settings: SeriesSettings = None,
    resolve: Annotated[bool, typer.Option("--resolve", help="Solve again at either end of each figure.")] = False,
    time_limit: Annotated[float, typer.Option("--time-limit", min=0, help="Seconds of each such search.")] = 10.0,
    out: Annotated[str | None, typer.Option("--out", help="Table to write as .csv.")] = None,
) -> None:
    """Show which prices matter to what a plan saves, and where that is nothing: the last FILE is the plan."""
    import planner
    from planner.readers.plans import read_plan
    from planner.terminal import show_sensitivity
    from planner.writers import require_writable

    if len(files) < 2:
        raise planner.InputError("sensitivity: found one file, expected the inventory's files and then the plan")
    if out is not None:
        require_writable(out, ("csv",))
    written = read_plan(files[-1])
    inventory, arguments = _arguments(
        files[:-1], hosts, host_models, None, prices, None, objective, (), None, include,
        mapping, False, ghz_per_vcpu, series, series_settings, None, (), (), written,
    )  # fmt: skip
    problem = planner.Problem.build(inventory, **arguments)
    found = planner.sensitivity(problem, written.plan, resolve=resolve, time_limit=time_limit)
    show_sensitivity(found)
    if out is not None:
        found.tornado.to_csv(out, index=False)
        print(f"wrote {out}")


@app.command()
def anonymise(
    file: Annotated[str, typer.Argument(help="An export: .xlsx, .csv, .json, or a folder or .zip of these.")],
    out: Annotated[str, typer.Option("--out", "-o", help="Where to write it without names.")],
    key: Annotated[
        str | None, typer.Option("--key", help="Where to write the key, a .csv; beside --out if not.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
) -> None:
    """Replace every name, address and identifier of an export, so that it can be shared for support."""
    import planner

    done = planner.anonymise(file, out, key=key, overwrite=overwrite)
    print(f"wrote {done.path}: {done.names:,} names replaced, and none of them found in what was written")
    print(f"wrote {done.key}: the key tells who is who; keep it at home, never send it along")


@app.command(name="app")
def browser_app(
    port: Annotated[int, typer.Option("--port", help="Port on this machine.")] = 8501,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser window.")] = True,
) -> None:
    """Open the app in the browser; it works without internet."""
    import threading

    from streamlit.web import cli as streamlit

    from planner.samples import root
    from planner.terminal import open_when_up

    if open_browser:
        threading.Thread(target=open_when_up, args=(f"http://localhost:{port}",), daemon=True).start()
    sys.argv = ["streamlit", "run", str(root() / "app.py"), f"--server.port={port}"]
    sys.exit(streamlit.main())


@app.command()
def demo() -> None:
    """The small company, start to finish: three servers become one."""
    from planner.terminal import show_demo

    show_demo()


def _arguments(
    files, hosts, host_models, policy, prices, rules, objective, resource, merge_pools, include,
    mapping, forget_mapping, ghz_per_vcpu, series, series_settings, time, switch_off, switch_on, written,
) -> tuple:  # fmt: skip
    """The inventory, and the arguments of Problem.build: those of a `written` plan, and over them what was given."""
    import planner
    from planner import readers, scenarios
    from planner.readers.series_settings import with_series
    from planner.rules import read_rules

    inventory = _read(files, include, mapping, forget_mapping, ghz_per_vcpu)
    given: dict = {} if written is None else dict(written.settings)
    if written is not None:
        inventory = inventory.switch_as(written.switches)
    inventory = inventory.switch(off=switch_off, on=switch_on)
    if hosts is not None:
        inventory = inventory.with_hosts(readers.read_table(hosts, "hosts"))
    inventory, time_zone = with_series(inventory, series, series_settings, ghz_per_vcpu)
    if host_models is not None:
        given["host_models"] = scenarios.host_models(host_models)
    if policy is not None:
        given["policy"] = planner.Policy.read(policy)
    if prices is not None:
        given["prices"] = planner.Prices.read(prices)
    if rules is not None:
        given["rules"] = read_rules(rules)
    if objective is not None:
        given["objective"] = objective
    if resource:
        given["resources"] = tuple(resource)
    if merge_pools is not None:
        given["merge_pools"] = merge_pools
    if time is not None:
        given["policy"] = (given.get("policy") or planner.Policy.preset("balanced")).by_time(time, time_zone)
    return inventory, given


def _read(files, include, mapping, forget_mapping, ghz_per_vcpu):
    """The inventory of some files; a mapping that was given, and by which they could be read, is remembered."""
    from planner import readers
    from planner.terminal import reading

    if forget_mapping:
        readers.forget(list(files))
    with reading() as on_rows:
        inventory = readers.read(
            list(files), include=tuple(include), ghz_per_vcpu=ghz_per_vcpu, mapping=mapping, on_rows=on_rows
        )
    if mapping is not None:
        readers.remember(list(files), mapping)
    return inventory


def main() -> None:
    """Run the command line; bad input ends in one sentence and exit code 2."""
    from planner.errors import InputError

    try:
        app()
    except InputError as error:
        print(f"planner: {error}", file=sys.stderr)
        for detail in error.details[1:10]:
            print(f"  {detail}", file=sys.stderr)
        if len(error.details) > 10:
            print(f"  ... and {len(error.details) - 10:,} more", file=sys.stderr)
        sys.exit(2)
