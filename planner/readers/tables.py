"""What a reader hands over: tables with the schema's columns, where they came from, and what reading them did."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from planner.proposals import Proposal
from planner.readers.files import File
from planner.readers.sandbox import Sheet
from planner.rules import Rule
from planner.schema import Origin


def note(
    kind: str,
    message: str,
    *,
    file: str,
    sheet: str = "",
    row: int | None = None,
    column: str = "",
    subject: str = "",
    count: int = 1,
) -> dict:
    """One row of `Inventory.notes`; `count` is how many rows or cells it is about."""
    return {
        "kind": kind,
        "file": file,
        "sheet": sheet,
        "row": row,
        "column": column,
        "subject": subject,
        "message": message,
        "count": int(count),
    }


def remarks_of(sheet: Sheet, file: str) -> list[dict]:
    """Notes on what was added to the cells of a sheet, or found among them: about each row but that of the headings."""
    rows = max(1, len(sheet.rows) - 1)
    return [
        note(kind, message, file=file, sheet=sheet.name, subject=subject, count=count[0] if count else rows)
        for kind, subject, message, *count in sheet.remarks
    ]


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Tables of one file, not yet checked against the schema.

    Parameters
    ----------
    file : str
        Display name of the file.
    format : str
        What kind of file it is, for people: ``RVTools``.
    dialect, version : str
        Which kind of it, and what the file says of the program that wrote it; "" where there is nothing to tell.
    frames : dict
        Table name (workloads, hosts, host_models) to DataFrame; tables that the file does not have are absent.
    origins : dict
        Table name to `Origin`.
    notes : list of dict
        Rows of `Inventory.notes`, see `note`.
    unread : dict
        By sheet that was read, the headings of its columns that nothing reads.
    any_size : bool
        Whether machines of this format come in any size, so that a part of a CPU or odd memory is no finding.
    confidence : float
        How sure it is that the columns mean what they were read as, from 0 to 1: 1 for a format that is known.
    rules : list of Rule
    shared_stores : dict
        By pool, the capacity in GiB of each store that its hosts share, by its name.
    proposals : list of Proposal
        What the file shows that a plan should keep, with plain names in its rules.
    series : File, optional
        What the file's machines were measured to use over time.
    series_names : dict
        Name of the workload of each series, by the name that the series has.
    """

    file: str
    format: str
    dialect: str = ""
    version: str = ""
    frames: dict[str, pd.DataFrame] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    notes: list[dict] = field(default_factory=list)
    unread: dict[str, list[str]] = field(default_factory=dict)
    any_size: bool = False
    confidence: float = 1.0
    rules: list[Rule] = field(default_factory=list)
    shared_stores: dict[str, dict[str, float]] = field(default_factory=dict)
    proposals: list[Proposal] = field(default_factory=list)
    series: File | None = None
    series_names: dict[str, str] = field(default_factory=dict)

    def put(self, table: str, frame: pd.DataFrame, origin: Origin) -> None:
        """Take a table and where it came from."""
        self.frames[table], self.origins[table] = frame, origin
