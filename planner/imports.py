"""What reading understood: one `Import` a file, and the tables of the import report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from planner import schema

if TYPE_CHECKING:
    from planner.inventory import Inventory

FIGURES_OF_A_WORKLOAD = ("vcpus", "memory_gib", "storage_gib", "state")
FIGURES_OF_A_HOST = ("cores", "memory_gib")
OTHER_FIGURES = frozenset(
    {*schema.attributes("workloads"), *schema.attributes("hosts")} - {*FIGURES_OF_A_WORKLOAD, *FIGURES_OF_A_HOST}
)
"""Attributes that a plan does without: a guess about one costs no confidence."""

_MEANING = r"^read as .*, confidence \d\.\d\d$"
"""What a note says of the meaning of a column, for which `sure` stands."""

TOTALS = {"vcpus": ("vCPUs", ""), "memory_gib": ("memory", "GiB"), "storage_gib": ("storage", "GiB")}
"""Columns of workloads that are added up: their label and unit."""

HOST_TOTALS = {"cores": ("host cores", ""), "memory_gib": ("host memory", "GiB")}


@dataclass(frozen=True, kw_only=True)
class Import:
    """What was found in one file, before files were joined.

    Parameters
    ----------
    file, format, dialect, version : str
        "" where there is nothing to tell.
    workloads, left_out, dropped, hosts : int
        Rows read as workloads to place, left out by their state, dropped with a note, and read as hosts.
    vcpus, memory_gib, storage_gib : float
        Totals of the workloads to place and of those left out, to compare with the tool that the file came from.
    confidence : float
        Share of the figures that a plan needs which were read as they stand and not guessed, from 0 to 1: a column
        whose unit is a guess counts with all its cells. Times how sure it is what the columns mean.
    """

    file: str
    format: str
    dialect: str = ""
    version: str = ""
    workloads: int = 0
    left_out: int = 0
    dropped: int = 0
    hosts: int = 0
    vcpus: float = 0.0
    memory_gib: float = 0.0
    storage_gib: float = 0.0
    confidence: float = 1.0


def import_of(
    part: Inventory, *, file: str, format: str, dialect: str = "", version: str = "", sure: float = 1.0
) -> Import:
    """What one file's inventory amounts to.

    Parameters
    ----------
    part : Inventory
        Of this file alone.
    file, format, dialect, version : str
    sure : float
        How sure it is what the columns mean.
    """
    every = pd.concat([part.workloads, part.left_out])
    counts = (part.notes["kind"] == "guessed") & ~part.notes["subject"].isin(OTHER_FIGURES)
    counts &= ~part.notes["message"].str.contains(_MEANING)
    guessed = int(part.notes.loc[counts, "count"].sum())
    needed = len(FIGURES_OF_A_WORKLOAD) * len(every) + len(FIGURES_OF_A_HOST) * len(part.hosts)
    totals = {name: float((every[name] * every["count"]).sum()) for name in TOTALS}
    return Import(
        file=file,
        format=format,
        dialect=dialect,
        version=version,
        workloads=int(part.workloads["count"].sum()),
        left_out=int(part.left_out["count"].sum()),
        dropped=int(part.notes.loc[part.notes["kind"] == "dropped", "count"].sum()),
        hosts=int(part.hosts["count"].sum()),
        **totals,
        confidence=sure * (1 - min(1.0, guessed / needed)) if needed else sure,
    )


def import_report(inventory: Inventory) -> dict[str, pd.DataFrame]:
    """The import report.

    Parameters
    ----------
    inventory : Inventory

    Returns
    -------
    dict of str to DataFrame
        ``files`` (one row each, as `Import`), ``totals`` (metric, unit, to_place, left_out, all), ``rows`` (why rows
        are not planned for, and how many), ``suspicious`` (what is unlikely, one row a finding), ``units`` (what was
        converted or guessed) and ``ignored`` (what nothing reads); none of them where nothing was read from a file.
    """
    if not inventory.imports:
        return {}
    notes = inventory.notes
    about = ["file", "sheet", "column", "subject", "message", "count"]
    without = notes[notes["kind"].isin(["dropped", "left out"])]
    reasons = without.assign(reason=without["message"].str.replace(r"; such as .*|: not planned for", "", regex=True))
    rows = reasons.groupby(["file", "kind", "reason"], sort=False, as_index=False)["count"].sum()
    return {
        "files": pd.DataFrame([asdict(one) for one in inventory.imports], columns=list(Import.__dataclass_fields__)),
        "totals": _totals(inventory),
        "rows": rows,
        "suspicious": notes.loc[notes["kind"] == "suspicious", about].reset_index(drop=True),
        "units": notes.loc[notes["kind"].isin(["converted", "guessed"]), ["kind", *about]].reset_index(drop=True),
        "ignored": notes.loc[notes["kind"] == "ignored", about].reset_index(drop=True),
    }


REPORTED = {
    "files": "Import",
    "totals": "Import totals",
    "rows": "Rows not planned for",
    "suspicious": "Suspicious figures",
    "units": "Units read",
    "ignored": "Not read",
}
"""What each table of the import report is called."""


def _totals(inventory: Inventory) -> pd.DataFrame:
    """Totals after files were joined, each machine once."""
    tables = {"to_place": inventory.workloads, "left_out": inventory.left_out}
    rows: list[dict] = []
    for column, (label, unit) in {"count": ("workloads", ""), **TOTALS}.items():
        figures = {name: _sum(table, column) for name, table in tables.items()}
        rows.append({"metric": label, "unit": unit, **figures, "all": sum(figures.values())})
    for column, (label, unit) in {"count": ("hosts", ""), **HOST_TOTALS}.items():
        figure = _sum(inventory.hosts, column)
        rows.append({"metric": label, "unit": unit, "to_place": None, "left_out": None, "all": figure})
    return pd.DataFrame(rows)


def _sum(table: pd.DataFrame, column: str) -> float:
    figures = table["count"] if column == "count" else table[column] * table["count"]
    return float(figures.sum())
