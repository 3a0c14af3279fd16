"""Rows of totals and means: what people add below a table, and what would count every workload twice."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

_TOTAL = re.compile(
    r"(grand |sub|sub-|overall )?(total|totals|sum|sums)|(gesamt|zwischen)?(summe|summen)|gesamt|insgesamt|"
    r"(sous-)?(total|totaux)|somme|ensemble|totale|totali|somma|suma|totaal|som|razem|итого|σ|∑|Σ",
    re.IGNORECASE,
)
_HOLDS_A_WORD = re.compile(
    r"\b(\w*totaa?l\w*|sums?|summen?|gesamt\w*|\w*ergebnis|insgesamt|suma|somme|totaux|razem|итого|vms|servers|machines|"
    r"workloads|hosts|maschinen|rechner|all|alles?|tou(s|te|tes)|tod[oa]s|tutt[ei]|wszystkie)\b|全|合計|総計|計$",
    re.IGNORECASE,
)
"""Names that a row of totals may have, beside those of one word; its figures decide."""

_MEAN = re.compile(
    r"averages?|avg\.?|mean|mittel|mittelwert|durchschnitt|schnitt|ø|moyenne|promedio|gemiddelde?|średnia|平均",
    re.IGNORECASE,
)
LEAST_ROWS, LEAST_FIGURES = 3, 2
"""Rows above and figures from which a last row of any name that adds all up is no chance."""

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
    means : frozenset of int
        Those of `rows` that hold means.
    unlikely : dict of int to str
        Rows that are kept, and what they look like: one called a mean, or a last one that adds up all others.
    """

    rows: np.ndarray
    doubtful: dict[int, tuple[str, float, float]]
    means: frozenset[int] = frozenset()
    unlikely: dict[int, str] = field(default_factory=dict)


def total_word(name: str) -> str:
    """What a row of totals or means is called, without what stands behind; "" where the name is another.

    >>> total_word("Total (12 VMs)"), total_word("Mittelwert:"), total_word("total-01")
    ('Total', 'Mittelwert', '')
    """
    text = _alone(name)
    return text if _TOTAL.fullmatch(text) or _MEAN.fullmatch(text) else ""


def totals_of(names: Sequence[object], figures: Mapping[str, Sequence[object]]) -> Totals:
    """Which rows are sums or means of the rows above, by their name and their figures.

    A row counts as one where it has no name, or one with a word for totals in a few languages, and each of its figures
    is the sum of all rows above or of those since the last such row, or their number or mean. Rows with a count add up
    as often as that says. A row of means is called one, and each of its figures is the mean of the rows above.

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
    values = {name: _floats(cells) for name, cells in figures.items()}
    real = np.ones(len(texts), dtype=bool)
    for row in candidates:
        least = 1 if strict[row] else 2
        spans = [span for start in {0, rows[-1] + 1 if rows else 0} if (span := _span(real, start, row)).sum() >= least]
        told = _told(values, row)
        if any(told.values()) and any(_adds_up(told, values, span, least) for span in spans):
            real[row] = False
            rows.append(row)
        elif strict[row] and spans and (lie := _too_large(told, values, row, real)):
            doubtful[row] = lie
    means, unlikely = _means(texts, values, rows, real)
    last = int(np.flatnonzero(real)[-1]) if real.any() else 0
    if last and last not in unlikely and _is_sum_of_all(values, real, last):
        unlikely[last] = "the sum of all rows above"
    dropped = np.array(sorted({*rows, *means}), dtype=int)
    return Totals(rows=dropped, doubtful=doubtful, means=frozenset(means), unlikely=unlikely)


def _means(
    texts: Sequence[str], values: dict[str, np.ndarray], totals: Sequence[int], real: np.ndarray
) -> tuple[set[int], dict[int, str]]:
    """Rows called means that are some, which are real no longer, and what there is to say of those that are none."""
    means, unlikely = set(), {}
    for row in (row for row, text in enumerate(texts) if row and _MEAN.fullmatch(text)):
        spans = [_span(real, start, row) for start in {0, *(at + 1 for at in totals if at < row)}]
        if any(_are_means(_told(values, row), values, span) for span in spans):
            real[row] = False
            means.add(row)
        else:
            unlikely[row] = "called a mean, though it is none of the rows above"
    return means, unlikely


def _told(values: dict[str, np.ndarray], row: int) -> dict[str, float]:
    return {name: column[row] for name, column in values.items() if not np.isnan(column[row])}


def _are_means(told: dict, values: dict, span: np.ndarray) -> bool:
    """Whether every figure of a row is the mean of these rows, perhaps rounded to a whole number or two decimals."""
    for name, figure in told.items():
        parts = values[name][span & ~np.isnan(values[name])]
        if not len(parts):
            return False
        slack = 0.5 if figure % 1 == 0 else 0.005
        if abs(figure - parts.mean()) > max(slack, 1e-3 * abs(figure)):
            return False
    return bool(told)


def _is_sum_of_all(values: dict, real: np.ndarray, last: int) -> bool:
    """Whether a row of any name adds up, in each of its figures, so many rows above that this is no chance."""
    span, told = _span(real, 0, last), {name: figure for name, figure in _told(values, last).items() if name != "count"}
    if span.sum() < LEAST_ROWS or sum(figure > 0 for figure in told.values()) < LEAST_FIGURES:
        return False
    counts = np.nan_to_num(values["count"], nan=1.0) if "count" in values else np.ones(len(span))
    totals = {name: np.nansum((values[name] * counts)[span]) for name in told}
    return all(np.isclose(figure, totals[name], rtol=TOLERANCE, atol=0) for name, figure in told.items())


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
