"""A written plan read back: ours with everything it takes to check it, or anybody's with workload and host."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from planner import licences, schema, settings
from planner import rules as placement_rules
from planner.errors import InputError, nearest
from planner.inventory import Inventory
from planner.plan import Plan
from planner.policy import Policy
from planner.prices import Prices
from planner.problem import Problem
from planner.readers.columns import fold
from planner.readers.files import Source
from planner.readers.sandbox import Sheet, Workbook, load
from planner.writers.headings import PROPOSALS
from planner.writers.placement_csv import original

ALIASES = {
    "workload": ("vm", "vmname", "vm_name", "name", "virtualmachine", "virtual_machine"),
    "host": ("esx", "esxihost", "esxi_host", "server", "target", "targethost", "target_host", "hostname", "host_name"),
}
"""Folded headings of plans that other tools made, by the column that they stand for."""

DEEPEST = 3
"""Dots that part a setting such as policy.overcommit.cpu_by_tier.gold; any further one belongs to the tier's name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class WrittenPlan:
    """A plan as it stands in a file.

    Parameters
    ----------
    plan : Plan
    settings : dict
        Arguments of `Problem.build` that the file brings along; empty for a plan that is not ours.
    switches : dict
        Whether the plan keeps a proposal, by key; see `Inventory.switch_as`.
    """

    plan: Plan
    settings: dict = field(default_factory=dict)
    switches: dict[str, bool] = field(default_factory=dict)

    def problem(self, inventory: Inventory, **given) -> Problem:
        """The problem that the plan was made for, on an inventory; arguments that are given go before the file's."""
        return Problem.build(inventory.switch_as(self.switches), **(self.settings | given))


def read_plan(source: Source) -> WrittenPlan:
    """A plan from .xlsx, .csv or .json: one that `write` wrote, or any table with workload and host.

    Raises
    ------
    InputError
        Not a plan: no column workload or host, or broken settings.
    """
    if isinstance(source, str | Path) and Path(source).suffix.lower() == ".json":
        path = Path(source)
        try:
            return _from_json(path.name, path.read_bytes())
        except FileNotFoundError as error:
            raise InputError(f"{path.name}: file not found{settings.near_file(path)}") from error
    if isinstance(source, bytes) and source.lstrip()[:1] == b"{":
        return _from_json("upload", source)
    if not isinstance(source, str | Path | bytes) and str(getattr(source, "name", "")).lower().endswith(".json"):
        return _from_json(str(source.name), source.read())
    book = load(source, None)
    sheet = book.find("Placement") or next(iter(book.sheets.values()))
    placement = _table(book, sheet)
    placement = _text(placement)
    if book.table is not None:
        placement = placement.map(original)
    placement = placement.rename(columns=_names(placement.columns))
    if "workload" not in placement or "host" not in placement:
        found = ", ".join(map(str, placement.columns[:8]))
        close = nearest("workload", placement.columns)
        hint = f"; the nearest is {close!r}" if close else ""
        raise InputError(f"{book.file}: found columns {found}, expected a plan with columns Workload and Host{hint}")
    restarts = None
    if "case" in placement and book.table is not None:
        stated = placement["case"] != ""
        restarts, placement = placement[stated], placement[~stated]
    spare = placement["workload"] == ""
    spares = placement[spare]
    if (hosts := book.find("Hosts")) is not None and sheet is not hosts:
        table = _text(_table(book, hosts))
        if "workloads" in table:
            spares = table[pd.to_numeric(table["workloads"], errors="coerce") == 0]
    if (stated := book.find("Restarts")) is not None and sheet is not stated:
        restarts = _text(_table(book, stated))
    plan = Plan.from_frames(placement[~spare], spares, restarts)
    return WrittenPlan(plan=plan, settings=_settings(book), switches=_switches(book))


def _names(columns: pd.Index) -> dict[str, str]:
    """What other tools call the columns of a plan."""
    called = {}
    for wanted, others in ALIASES.items():
        found = next((name for name in others if name in columns), None)
        if wanted not in columns and found is not None:
            called[found] = wanted
    return called


def _table(book: Workbook, sheet: Sheet) -> pd.DataFrame:
    """The table of a sheet, columns folded to names; a title above the headings is skipped."""
    rows = sheet.rows
    if not rows:
        raise InputError(f"{book.file}, sheet {sheet.name}: found no rows, expected a table with headings")
    start = next((at for at, row in enumerate(rows) if sum(cell not in (None, "") for cell in row) > 1), 0)
    names = [fold(str(cell)).replace(" ", "_") for cell in rows[start] if cell not in (None, "")]
    width = len(names)
    cells = [(row + [None] * width)[:width] for row in rows[start + 1 :]]
    return pd.DataFrame(cells, columns=names, dtype=object)


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(lambda cell: "" if cell is None else f"{cell:g}" if isinstance(cell, float) else str(cell))


def _settings(book: Workbook) -> dict:
    sheet = book.find("Assumptions")
    if sheet is None:
        return {}
    table = _table(book, sheet)
    values = {str(row.setting): row.value for row in table.itertuples(index=False)}
    nested: dict = {"policy": {}, "prices": {}}
    for key, value in values.items():
        head, *path = key.split(".", DEEPEST)
        if head in nested and path:
            at = nested[head]
            for part in path[:-1]:
                at = at.setdefault(part, {})
            at[path[-1]] = None if value in (None, "") else value
    licensed = str(nested["prices"].pop("licences", None) or "")
    nested["prices"]["licences"] = licences.from_toml(licensed, f"{book.file}, sheet Assumptions, prices.licences")
    extra = str(values.get("resources") or "")
    text = str(values.get("rules") or "")
    found = {
        "policy": settings.from_dict(Policy, nested["policy"], f"{book.file}, sheet Assumptions, policy"),
        "prices": settings.from_dict(Prices, nested["prices"], f"{book.file}, sheet Assumptions, prices"),
        "objective": str(values.get("objective") or "hosts"),
        "merge_pools": values.get("merge_pools") == "yes",
        "resources": tuple(name for name in extra.split(",") if name),
        "rules": placement_rules.from_toml(text, f"{book.file}, rules"),
    }
    if (models := book.find("Host models")) is not None and len(models.rows) > 1:
        found["host_models"] = _host_models(book, models)
    return found


def _switches(book: Workbook) -> dict[str, bool]:
    """Which proposals the plan keeps; a person may have changed the column."""
    sheet = book.find(PROPOSALS)
    if sheet is None or book.find("Assumptions") is None:
        return {}
    table, where = _text(_table(book, sheet)), f"{book.file}, sheet {sheet.name}"
    if not {"key", "on"} <= set(table):
        raise InputError(f"{where}: found columns {', '.join(table)}, expected Key and On")
    found = {}
    for key, cell in zip(table["key"], table["on"], strict=True):
        state = schema.FLAGS.get(cell.strip().casefold())
        if key and state is None:
            raise InputError(f"{where}, {key}: found {cell!r} in column On, expected yes or no")
        if key:
            found[key] = state == "yes"
    return found


def _host_models(book: Workbook, sheet: Sheet) -> pd.DataFrame:
    table = _table(book, sheet)
    names = {fold(a.heading).replace(" ", "_"): a.name for a in schema.attributes("host_models").values()}
    return schema.conform(table.rename(columns=names), "host_models", schema.Origin(file=book.file, sheet=sheet.name))


def _from_json(file: str, data: bytes) -> WrittenPlan:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise InputError(f"{file}: expected a plan in JSON; {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("placement"), list):
        raise InputError(f"{file}: found JSON without a list 'placement', expected a plan that planner wrote")
    plan = Plan.from_frames(pd.DataFrame(document["placement"]), _rows(document, "spares"), _rows(document, "restarts"))
    given = document.get("settings")
    if not given:
        return WrittenPlan(plan=plan)
    found = {
        "policy": settings.from_dict(Policy, given["policy"], f"{file}, settings.policy"),
        "prices": settings.from_dict(Prices, given["prices"], f"{file}, settings.prices"),
        "objective": given["objective"],
        "merge_pools": given["merge_pools"],
        "resources": tuple(given["resources"]),
        "rules": placement_rules.from_dicts(given["rules"], f"{file}, settings.rules"),
    }
    if document.get("host_models"):
        found["host_models"] = schema.conform(
            pd.DataFrame(document["host_models"]), "host_models", schema.Origin(file=file, sheet="host_models")
        )
    switches = {str(row["key"]): bool(row["on"]) for row in given.get("proposals") or ()}
    return WrittenPlan(plan=plan, settings=found, switches=switches)


def _rows(document: dict, name: str) -> pd.DataFrame | None:
    return pd.DataFrame(document[name]) if document.get(name) else None
