"""Machines that may be counted twice: under a short name and a domain name in two files, or on two sheets of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from planner import naming
from planner.readers.tables import note
from planner.units import counted


def note_doubles(
    frame: pd.DataFrame,
    files: Sequence[str],
    sizes: Sequence[str],
    what: str,
    differ: Callable[[int, int], bool] = lambda one, other: False,
) -> list[dict]:
    """One note of kind ``suspicious`` on rows that may be one of another file: alike in short, and of the same size.

    Parameters
    ----------
    frame : DataFrame
    files : sequence of str
        Of each row, the file that it comes from.
    sizes : sequence of str
        Columns that are equal where two rows are the same machine.
    what : str
        What a row is, for the message.
    differ : callable
        Whether two rows, by position, are known to be two.
    """
    if len(set(files)) < 2:
        return []
    seen: dict[tuple, dict[str, int]] = {}
    found: list[tuple[int, int]] = []
    figures = zip(*(frame[name].round(1) for name in sizes), strict=True)
    for row, (name, file, size) in enumerate(zip(frame["name"], files, figures, strict=True)):
        stem, is_full = naming.parts(name)
        others = seen.get((stem, not is_full, size), {})
        earlier = next((at for its, at in others.items() if its != file and not differ(at, row)), None)
        if earlier is not None:
            found.append((earlier, row))
        seen.setdefault((stem, is_full, size), {}).setdefault(file, row)
    if not found:
        return []
    one, other = (frame["name"].iloc[at] for at in found[0])
    file = files[found[0][1]]
    message = (
        f"{counted(len(found), what)} may be counted twice, by a short name in one file and a domain name in another, "
        f"of the same size; such as {one!r} and {other!r}: keep one of them"
    )
    return [note("suspicious", message, file=file, column="name", subject=other, count=len(found))]


def note_repeats(frames: Sequence[pd.DataFrame], files: Sequence[str], sheets: Sequence[str]) -> list[dict]:
    """A note of kind ``suspicious`` on each table with names of an earlier table of its file, such as one a month.

    Rows that are left out, and those with a UUID of their own, are not counted.

    Parameters
    ----------
    frames : sequence of DataFrame
        Workloads of each table that are no row of an earlier one, by the names that they have there.
    files, sheets : sequence of str
        Of each table.
    """
    notes: list[dict] = []
    seen: dict[tuple[str, str], str] = {}
    for frame, file, sheet in zip(frames, files, sheets, strict=True):
        rows = frame[frame["reason"] == ""]
        bare = rows["vm_uuid"].fillna("").eq("") if "vm_uuid" in rows else [True] * len(rows)
        names = rows["name"].tolist()
        again = [name for name, alone in zip(names, bare, strict=True) if alone and (file, name.casefold()) in seen]
        if again:
            earlier = seen[file, again[0].casefold()]
            place = f"sheet {earlier}" if earlier != sheet else "an earlier table"
            said = "stands" if len(again) == 1 else "stand"
            own = f"sheet {sheet}" if sheet else "a table"
            message = (
                f"{len(again):,} of {counted(len(rows), 'name')} of {own} {said} in {place} too, such as {again[0]!r}: "
                "counted twice; are they the same? then keep one of the two"
            )
            about = {"column": "name", "subject": again[0], "count": len(again)}
            notes.append(note("suspicious", message, file=file, sheet=sheet, **about))
        for name in names:
            seen.setdefault((file, name.casefold()), sheet)
    return notes
