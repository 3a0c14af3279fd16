"""Machines that may be counted twice: under a short name in one file and under a domain name in another."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from planner import naming
from planner.readers.tables import counted, note


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
