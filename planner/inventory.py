"""Inventory: what there is today, as tables that passed the schema."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from planner import proposals as proposing
from planner import schema
from planner.errors import InputError, did_you_mean
from planner.imports import Import, import_report
from planner.proposals import Proposal
from planner.rules import Rule
from planner.schema import Origin

if TYPE_CHECKING:
    from planner.series import Series

NOTE_COLUMNS = ("kind", "file", "sheet", "row", "column", "subject", "message", "count")
LEFT_OUT_STATES = {"off": "powered off", "template": "template", "placeholder": "placeholder"}
"""States that are not planned for unless asked, and the reason that is given."""

MAINTENANCE = "maintenance"
"""What to include for hosts in maintenance to carry workloads after all."""


def notes_frame(rows: Iterable[dict] = ()) -> pd.DataFrame:
    """Notes as a table with the columns of `NOTE_COLUMNS`.

    `row` is a nullable integer, blank where there is none; `count` is how many rows or cells the note is about, 1 where
    nobody says.
    """
    rows = list(rows)
    told = {name: [None if pd.isna(cell := row.get(name)) else cell for row in rows] for name in NOTE_COLUMNS}
    columns: dict[str, pd.Series] = {}
    for name, cells in told.items():
        if name == "row":
            columns[name] = pd.Series(cells, dtype="Int64")
        elif name == "count":
            columns[name] = pd.Series([1 if cell is None else int(cell) for cell in cells], dtype="int64")
        else:
            columns[name] = pd.Series(["" if cell is None else str(cell) for cell in cells], dtype="str")
    return pd.DataFrame(columns)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inventory:
    """Workloads and hosts as they are today, and everything that reading them did.

    Parameters
    ----------
    workloads, hosts, host_models : DataFrame
        Tables that passed the schema; `host_models` is what the file offers to buy, often empty.
    left_out : DataFrame
        Workloads that are not planned for: the columns of `workloads`, and `reason`.
    notes : DataFrame
        One row for everything converted, guessed, dropped or left out, with the columns of `NOTE_COLUMNS`.
    sources : tuple of str
        What was read: file names with the format found.
    rules : tuple of Rule
        Placement rules that stand in what was read.
    series : Series, optional
        What workloads were measured to use over time, see `with_series`.
    shared_storage_gib : dict
        Usable storage that hosts of a pool share, by pool, where what was read tells it.
    imports : tuple of Import
        What was found in each file.
    harvested : tuple of Proposal
        What the files show that a plan should keep, of every workload, planned for or not; see `proposals`.
    """

    workloads: pd.DataFrame
    hosts: pd.DataFrame
    host_models: pd.DataFrame
    left_out: pd.DataFrame
    notes: pd.DataFrame = field(default_factory=notes_frame)
    sources: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    series: Series | None = None
    shared_storage_gib: dict[str, float] = field(default_factory=dict)
    imports: tuple[Import, ...] = ()
    harvested: tuple[Proposal, ...] = ()

    @classmethod
    def from_frames(
        cls,
        workloads: pd.DataFrame,
        hosts: pd.DataFrame | None = None,
        host_models: pd.DataFrame | None = None,
        *,
        notes: pd.DataFrame | None = None,
        origins: dict[str, Origin] | None = None,
        sources: tuple[str, ...] = (),
        rules: tuple[Rule, ...] = (),
    ) -> Inventory:
        """An inventory from DataFrames with the columns of the schema.

        Parameters
        ----------
        workloads : DataFrame
            `name`, `vcpus`, `memory_gib` and any of the optional columns; other columns are kept.
        hosts, host_models : DataFrame, optional
            `name`, `cores`, `memory_gib` and any of the optional columns.
        notes : DataFrame, optional
            What a reader already has to say, see `notes_frame`.
        origins : dict, optional
            Table name to `Origin`, for messages that name file, sheet, row and column.
        sources : tuple of str
            What was read.
        rules : tuple of Rule
            Placement rules that stand in it.

        Raises
        ------
        InputError
            A table that does not pass the schema, or has no workload at all.
        """
        origins = origins or {}
        tables = {"workloads": workloads, "hosts": hosts, "host_models": host_models}
        checked = {
            name: schema.blank(name) if frame is None else schema.conform(frame, name, origins.get(name))
            for name, frame in tables.items()
        }
        every = checked["workloads"]
        origin = origins.get("workloads") or Origin(file="workloads table")
        if every.empty:
            raise InputError(f"{origin.where()}: found no workload, expected at least one row below the headings")
        rows = [] if notes is None else notes.to_dict("records")
        out = every["state"].isin(list(LEFT_OUT_STATES)).to_numpy()
        for position in np.flatnonzero(out):
            reason = LEFT_OUT_STATES[every["state"].iloc[position]]
            rows.append(
                {
                    "kind": "left out",
                    "file": origin.file,
                    "sheet": origin.sheet,
                    "row": origin.row(position),
                    "column": origin.heading("state"),
                    "subject": every["name"].iloc[position],
                    "message": f"{reason}: not planned for",
                }
            )
        left_out = every[out].assign(reason=every.loc[out, "state"].map(LEFT_OUT_STATES).astype(str))
        return cls(
            workloads=every[~out].reset_index(drop=True),
            hosts=checked["hosts"],
            host_models=checked["host_models"],
            left_out=left_out.reset_index(drop=True),
            notes=notes_frame(rows),
            sources=sources,
            rules=rules,
        )

    def include(self, *reasons: str) -> Inventory:
        """The inventory with workloads, or hosts, that were left out for these reasons planned for after all.

        Parameters
        ----------
        *reasons : str
            Any of "powered off", "template", "placeholder" (or "off" for the first), and "maintenance" for hosts.

        Raises
        ------
        InputError
            A reason that does not exist.
        """
        known = {*LEFT_OUT_STATES.values(), MAINTENANCE}
        wanted = {LEFT_OUT_STATES.get(reason, reason.replace("_", " ").replace("-", " ")) for reason in reasons}
        for reason in wanted - known:
            raise InputError(f"include: found {reason!r}{did_you_mean(reason, sorted(known))}")
        back = self.left_out["reason"].isin(wanted)
        returned = self.left_out[back].drop(columns="reason")
        names = set(returned["name"])
        stays = ~((self.notes["kind"] == "left out") & self.notes["subject"].isin(names))
        added = [
            {
                "kind": "information",
                "subject": row.name,
                "message": f"{row.state}: planned for because it was asked for",
            }
            for row in returned[["name", "state"]].itertuples(index=False)
        ]
        hosts = self.hosts.assign(maintenance="no") if MAINTENANCE in wanted else self.hosts
        return replace(
            self,
            hosts=hosts,
            workloads=pd.concat([self.workloads, returned], ignore_index=True),
            left_out=self.left_out[~back].reset_index(drop=True),
            notes=notes_frame([*self.notes[stays].to_dict("records"), *added]),
        )

    def import_report(self) -> dict[str, pd.DataFrame]:
        """What reading understood: files, totals, rows, suspicious figures, units and what nothing reads, as tables."""
        return import_report(self)

    @cached_property
    def proposals(self) -> tuple[Proposal, ...]:
        """What was harvested that asks something of the workloads planned for and the hosts owned."""
        return proposing.among(self.harvested, self.workloads["name"], self.hosts)

    def switch(self, *, off: Iterable[str] = (), on: Iterable[str] = ()) -> Inventory:
        """The inventory with proposals switched off and on.

        Parameters
        ----------
        off, on : iterable of str
            Keys of proposals, or patterns of keys such as ``drs/*``; what both name is on.

        Raises
        ------
        InputError
            A key that does not exist, with the nearest.
        """
        return self._with_harvest(proposing.switched(self.harvested, off, on))

    def switch_as(self, states: dict[str, bool]) -> Inventory:
        """The inventory with its proposals as a plan had them; those that it does not name stay as they are.

        What the plan kept and this inventory does not show is noted.

        Parameters
        ----------
        states : dict
            Whether it is on, by key.
        """
        gone = sorted({key for key, on in states.items() if on} - {one.key for one in self.harvested})
        message = "a proposed rule that the plan keeps and that what was read does not show: not kept"
        rows = [{"kind": "ignored", "column": proposing.NOTED, "subject": key, "message": message} for key in gone]
        found = self._with_harvest(tuple(one.switched(states.get(one.key, one.on)) for one in self.harvested))
        return replace(found, notes=notes_frame([*self.notes.to_dict("records"), *rows])) if rows else found

    def _with_harvest(self, harvested: tuple[Proposal, ...]) -> Inventory:
        return replace(
            self,
            harvested=harvested,
            workloads=proposing.bounded(self.workloads, harvested),
            left_out=proposing.bounded(self.left_out, harvested),
        )

    def with_hosts(self, hosts: pd.DataFrame) -> Inventory:
        """The inventory with other owned hosts, a table that passes the schema; notes on reading it are kept."""
        from planner.matching import on_hosts

        notes = [*self.notes.to_dict("records"), *hosts.attrs.get("notes", ())]
        return on_hosts(replace(self, hosts=schema.conform(hosts, "hosts"), notes=notes_frame(notes)))

    def with_series(self, series: Series, *, ghz_per_vcpu: float | None = None) -> Inventory:
        """The inventory with what its workloads were measured to use over time.

        Workloads gain the columns `series_name` and, by quantity, ``_average``, ``_peak`` and ``_p95``; a blank
        `cpu_ghz_used` or `memory_gib_used` becomes the peak. Rows with a `count` follow one series each.

        Parameters
        ----------
        series : Series
            Matched by name, whatever its case; names on one side only are noted.
        ghz_per_vcpu : float, optional
            Clock behind CPU given in percent: GHz = share x vCPUs x clock. By default today's host's `ghz`.

        Raises
        ------
        InputError
            No name in common, no time in common, or percent of CPU and no clock to turn it into GHz.
        """
        from planner.matching import attached

        return attached(self, series, ghz_per_vcpu)

    def __repr__(self) -> str:
        return (
            f"Inventory({len(self.workloads):,} workloads, {len(self.left_out):,} left out, "
            f"{len(self.hosts):,} hosts, {len(self.host_models):,} host models, {len(self.notes):,} notes)"
        )
