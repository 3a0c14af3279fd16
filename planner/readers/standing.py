"""Hosts that a column of states calls in maintenance or away: they carry nothing."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from planner.readers.tables import note
from planner.schema import FLAGS, STATES, Origin
from planner.schema.words import phrases, plain, tokens
from planner.units import counted

_HEADINGS = frozenset(
    {plain(text) for text in ("connection state", "connection", "verbindungsstatus", "mode", "modus", "betriebsmodus")}
)
_RESTS = frozenset(
    {plain(text) for text in ("maintenance mode", "entering maintenance mode", "im wartungsmodus", "drained")}
)
_AWAY = frozenset(
    plain(text)
    for text in (
        *("disconnected", "not connected", "not responding", "no response", "unreachable", "failed", "down", "retired"),
        *(
            "decommissioned",
            "standby",
            "getrennt",
            "nicht verbunden",
            "nicht erreichbar",
            "keine antwort",
            "ausgefallen",
        ),
        *("ausgemustert", "defekt", "déconnecté", "déconnectée", "desconectado", "desconectada", "disconnesso"),
        *("niet verbonden", "rozłączony", "切断", "応答なし"),
    )
)


def with_resting(frame: pd.DataFrame, origin: Origin) -> tuple[pd.DataFrame, list[dict]]:
    """Hosts with those in maintenance that a column of states calls so, or away, and a note on each word for it.

    Parameters
    ----------
    frame : DataFrame
        Hosts; columns that are no attribute stand under their own heading.
    origin : Origin
    """
    notes = []
    for heading in [name for name in frame.columns if _is_of_states(str(name))]:
        told = ["" if cell is None else str(cell).strip() for cell in frame[heading]]
        resting = [plain(text) in _RESTS or _says_maintenance(text) for text in told]
        away = [plain(text) in _AWAY or STATES.get(text.casefold()) == "off" for text in told]
        for rows, message in ((resting, "in maintenance"), (away, "away, as one in maintenance")):
            if any(rows):
                frame, said = _rested(frame, np.array(rows), message, heading, told, origin)
                notes.append(said)
    return frame, notes


def _rested(
    frame: pd.DataFrame, rows: np.ndarray, what: str, heading: str, told: list[str], origin: Origin
) -> tuple[pd.DataFrame, dict]:
    first = int(np.flatnonzero(rows)[0])
    known: Iterable = frame["maintenance"] if "maintenance" in frame else [""] * len(frame)
    flags = [
        "yes" if row or FLAGS.get(str(cell).strip().casefold()) == "yes" else cell
        for row, cell in zip(rows, known, strict=True)
    ]
    name = str(frame["name"].iloc[first])
    message = (
        f"{counted(int(rows.sum()), 'host')} that {heading!r} calls {told[first]!r}, such as {name!r}, {what}: carries "
        "nothing in the plan, unless maintenance is included"
    )
    about = {"row": origin.row(first), "column": heading, "subject": name, "count": rows.sum()}
    frame = frame.assign(maintenance=pd.Series(flags, index=frame.index, dtype=object))
    return frame, note("guessed", message, file=origin.file, sheet=origin.sheet, **about)


def _is_of_states(heading: str) -> bool:
    words = {"".join(phrase) for phrase in phrases("state")} | {"status", "state", "powerstate"} | _HEADINGS
    return plain(heading) in words


def _says_maintenance(text: str) -> bool:
    return tokens(text) in phrases("maintenance")
