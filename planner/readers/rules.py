"""Placement rules from a sheet ``Rules``: a row each, every rule knowing its row."""

from __future__ import annotations

import pandas as pd

from planner import rules, schema
from planner.errors import InputError
from planner.rules import Rule
from planner.schema import Origin

SHEET = "Rules"


def rules_of(frame: pd.DataFrame, origin: Origin) -> tuple[Rule, ...]:
    """The rules of a sheet's rows; blank rows are skipped.

    Parameters
    ----------
    frame : DataFrame
        Columns of the schema's table ``rules``, as they stand in the file.
    origin : Origin

    Raises
    ------
    InputError
        An unknown kind, a column that the kind needs and that is blank, one that it does not have, or a figure that is
        none; with file, sheet and row.
    """
    found = []
    for position, row in enumerate(frame.to_dict("records")):
        given = {name: cell for name, cell in row.items() if name in schema.attributes("rules") and not _blank(cell)}
        if given:
            at = origin.where(position)
            found.append(rules.from_dict({name: _value(name, cell, at) for name, cell in given.items()}, at))
    return tuple(found)


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and pd.isna(cell)) or str(cell).strip() == ""


def _value(name: str, cell: object, at: str) -> object:
    """A cell as the rule takes it: patterns as a list, figures as numbers."""
    attribute = schema.attributes("rules")[name]
    if attribute.is_number:
        try:
            return float(str(cell))
        except ValueError as error:
            raise InputError(
                f"{at}, column {attribute.label}: found {cell!r}, expected {attribute.expected}"
            ) from error
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
    return rules.words(text) if name in ("workloads", "others", "hosts") else text
