"""Rows of totals: what people add below a table, and what would count every workload twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

_TOTAL = re.compile(
    r"(grand |sub|sub-|overall )?(total|totals|sum|sums)|(gesamt|zwischen)?(summe|summen)|gesamt|insgesamt|"
    r"(sous-)?(total|totaux)|somme|ensemble|totale|totali|somma|suma|totaal|som|razem|итого|σ|∑|Σ",
    re.IGNORECASE,
)
_HOLDS_A_WORD = re.compile(
    r"\b(\w*totaa?l\w*|sums?|summen?|gesamt\w*|\w*ergebnis|insgesamt|suma|somme|totaux|razem|итого|vms|servers|machines|workloads)\b",
    re.IGNORECASE,
)
"""Names that a row of totals may have, beside those of one word; its figures decide."""

MOST_CANDIDATES = 200
"""Nameless rows that are looked at; a sheet with more of them has no totals in mind."""

_AROUND = re.compile(r"\s*[:=(].*$")
TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Rows that add up others, and rows that are called so but do not.

    Parameters
    ----------
    rows : array of int
        Positions of rows of totals.
    doubtful : dict of int to (str, float, float)
        Position to the column that is too large for one workload and not the sum: its name, what it holds, the sum.
    """

    rows: np.ndarray
    doubtful: dict[int, tuple[str, float, float]]


def total_word(name: str) -> str:
    """What a row of totals is called, without what stands behind; "" where the name is another.

    >>> total_word("Total (12 VMs)"), total_word("Summe:"), total_word("total-01")
    ('Total', 'Summe', '')
    """
    text = _alone(name)
    return text if _TOTAL.fullmatch(text) else ""


def totals_of(names: Sequence[object], figures: Mapping[str, Sequence[object]]) -> Totals:
    """Which rows are sums of the rows above, by their name and their figures.

    A row counts as one where it has no name, or one with a word for totals in a few languages, and each of its figures
    is the sum of all rows above or of those since the last such row, or their number or mean. Rows with a count add up
    as often as that says.

    Parameters
    ----------
    names : sequence
        Name of each row; None or "" where blank.
    figures : mapping of str to sequence
        Numbers by column; anything else counts as blank.

    Examples
    --------
    >>> found = totals_of(["a", "b", "Total:"], {"vcpus": [2, 4, 6], "memory_gib": [8.0, 8.0, 16.0]})
    >>> found.rows, found.doubtful
    (array([2]), {})
    >>> totals_of(["a", "b", "Total"], {"vcpus": [2, 4, 9]}).doubtful
    {2: ('vcpus', 9.0, 6.0)}
    """
    texts = ["" if name is None else _alone(str(name)) for name in names]
    strict = [bool(text and _TOTAL.fullmatch(text)) for text in texts]
    candidates = [
        row for row, text in enumerate(texts) if row and (not text or strict[row] or _HOLDS_A_WORD.search(text))
    ]
    if len(candidates) > MOST_CANDIDATES:
        candidates = [row for row in candidates if strict[row]]
    rows: list[int] = []
    doubtful: dict[int, tuple[str, float, float]] = {}
    if not candidates:
        return Totals(rows=np.empty(0, dtype=int), doubtful={})
    values = {name: _floats(cells) for name, cells in figures.items()}
    real = np.ones(len(texts), dtype=bool)
    for row in candidates:
        least = 1 if strict[row] else 2
        spans = [span for start in {0, rows[-1] + 1 if rows else 0} if (span := _span(real, start, row)).sum() >= least]
        told = {name: column[row] for name, column in values.items() if not np.isnan(column[row])}
        if any(told.values()) and any(_adds_up(told, values, span, least) for span in spans):
            real[row] = False
            rows.append(row)
        elif strict[row] and spans and (lie := _too_large(told, values, row, real)):
            doubtful[row] = lie
    return Totals(rows=np.array(rows, dtype=int), doubtful=doubtful)


def _span(real: np.ndarray, start: int, end: int) -> np.ndarray:
    """The real rows from one to before another, as a mask of all rows."""
    found = np.zeros(len(real), dtype=bool)
    found[start:end] = real[start:end]
    return found


def _alone(name: str) -> str:
    return _AROUND.sub("", name).strip()


def _adds_up(told: dict, values: dict, span: np.ndarray, least: int) -> bool:
    """Whether every figure of a row follows from these rows, each as often as its count says, and one is their sum."""
    sums = 0
    counts = np.nan_to_num(values["count"], nan=1.0) if "count" in values else np.ones(len(span))
    for name, figure in told.items():
        known = span & ~np.isnan(values[name])
        parts = values[name][known]
        totals = (parts.sum(), parts.sum() if name == "count" else (parts * counts[known]).sum())
        if (
            any(np.isclose(figure, total, rtol=TOLERANCE, atol=0) for total in totals)
            and np.count_nonzero(parts) >= least
        ):
            sums += 1
        elif not (figure == len(parts) or (len(parts) and np.isclose(figure, parts.mean(), rtol=1e-3))):
            return False
    return sums > 0


def _too_large(told: dict, values: dict, row: int, real: np.ndarray) -> tuple[str, float, float] | None:
    for name, figure in told.items():
        parts = values[name][:row][real[:row]]
        parts = parts[~np.isnan(parts)]
        if len(parts) and figure > parts.max():
            return name, float(figure), float(parts.sum())
    return None


def _floats(cells: Sequence[object]) -> np.ndarray:
    is_number = (isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells)
    return np.array([cell if number else np.nan for cell, number in zip(cells, is_number, strict=True)], dtype=float)
