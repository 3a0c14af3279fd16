"""Files into inventories: `read` sniffs the format, one module a format does the rest."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from planner import schema
from planner.errors import InputError, did_you_mean, nearest
from planner.inventory import Inventory
from planner.readers.columns import frame_from_sheet
from planner.readers.files import Source
from planner.readers.formats import rvtools, template
from planner.readers.sandbox import Workbook, load
from planner.readers.series_files import read_series
from planner.readers.tables import Tables, inventory_of

__all__ = ["read", "read_series", "read_table"]

FORMATS = (rvtools, template)
_WANTED = frozenset({*rvtools.SHEETS, *template.SHEETS.values(), template.RULES})


def read(source: Source | Sequence[Source], *, include: Sequence[str] = ()) -> Inventory:
    """Read an inventory from one file or several.

    Parameters
    ----------
    source : path, bytes, binary file object, or a list of these
        Our template (.xlsx), one table as .csv, or an RVTools export (.xlsx). The tables of several files are joined.
    include : sequence of str
        Workloads to plan for after all, by the reason they are left out: "powered off", "template", "placeholder".

    Returns
    -------
    Inventory
        Its `notes` tell everything that was converted, guessed, dropped or left out.

    Raises
    ------
    InputError
        A file that cannot be read or is in no known format, cells outside the schema, a name in two files, or no
        workload at all.
    """
    sources = list(source) if isinstance(source, list | tuple) else [source]
    if not sources:
        raise InputError("found no file to read, expected at least one")
    inventory = inventory_of([_parsed(load(one, _WANTED)) for one in sources])
    return inventory.include(*include) if include else inventory


def read_table(source: Source, table: str) -> pd.DataFrame:
    """Read one table, as for ``--hosts FILE`` or ``--host-models FILE``.

    Parameters
    ----------
    source : path, bytes or binary file object
        A workbook with the sheet of that table, or with a single sheet, or a CSV file.
    table : {"workloads", "hosts", "host_models"}

    Returns
    -------
    DataFrame
        The table, passed by `schema.conform`; notes on its columns in ``attrs["notes"]``.

    Raises
    ------
    InputError
        A file that cannot be read, cells outside the schema, or no row at all.
    """
    if table not in template.SHEETS:
        raise InputError(f"found table {table!r}{did_you_mean(table, template.SHEETS)}")
    workbook = load(source, frozenset({template.SHEETS[table]}))
    sheet = template.sheet_of(workbook, table)
    frame, origin, notes = frame_from_sheet(sheet, table, workbook.file)
    checked = schema.conform(frame, table, origin)
    if checked.empty:
        raise InputError(f"{origin.where()}: found no row below the headings, expected at least one")
    checked.attrs["notes"] = notes
    return checked


def _parsed(workbook: Workbook) -> Tables:
    for known in FORMATS:
        if known.recognises(workbook):
            return known.parse(workbook)
    near_miss = template.near_miss(workbook)
    if near_miss:
        raise InputError(near_miss)
    found = ", ".join(workbook.sheet_names[:12]) or "none"
    close = next((hit for name in workbook.sheet_names if (hit := nearest(name, ("Workloads", "vInfo")))), None)
    hint = f"; did you mean {close!r}?" if close else ""
    raise InputError(
        f"{workbook.file}: found sheets {found}, expected sheet 'Workloads' (the planner's template) or 'vInfo' "
        f"(RVTools){hint}"
    )
