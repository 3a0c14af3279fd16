"""Which column becomes which attribute, each at most once, so that the scores add up to the most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def assigned(scores: Sequence[Sequence[float]]) -> list[int]:
    """For each row, the column it is given, -1 for none; a score of 0 is never given.

    The Hungarian method with shortest augmenting paths, O(rows² x columns).

    References
    ----------
    .. [1] H. W. Kuhn, The Hungarian method for the assignment problem, Naval Research Logistics Quarterly 2 (1955),
       doi:10.1002/nav.3800020109.

    Examples
    --------
    >>> assigned([[1.0, 0.9], [0.9, 0.0], [0.0, 0.0]])
    [1, 0, -1]
    """
    matrix = np.asarray(scores, dtype=float)
    if not matrix.size:
        return [-1] * len(matrix)
    rows, columns = matrix.shape
    # A column of its own, of cost 0, lets every row stay without one.
    cost = np.hstack([-matrix, np.zeros((rows, rows))])
    row_price, column_price = np.zeros(rows + 1), np.zeros(columns + rows + 1)
    owner = np.full(columns + rows + 1, -1)
    for row in range(rows):
        _augment(row, cost, row_price, column_price, owner)
    found = [-1] * rows
    for column, row in enumerate(owner[:columns]):
        if row >= 0 and matrix[row, column] > 0:
            found[row] = column
    return found


def _augment(row: int, cost: np.ndarray, row_price: np.ndarray, column_price: np.ndarray, owner: np.ndarray) -> None:
    """Give one more row a column along the cheapest path; the last place of `owner` stands for the start."""
    start = len(owner) - 1
    owner[start] = row
    least = np.full(start, np.inf)
    came_from = np.full(start, start)
    done = np.zeros(start + 1, dtype=bool)
    at = start
    while owner[at] >= 0:
        done[at] = True
        reduced = cost[owner[at]] - row_price[owner[at]] - column_price[:start]
        better = ~done[:start] & (reduced < least)
        least[better], came_from[better] = reduced[better], at
        step = np.where(done[:start], np.inf, least)
        nearest = int(step.argmin())
        delta = step[nearest]
        row_price[owner[done]] += delta
        column_price[done] -= delta
        least[~done[:start]] -= delta
        at = nearest
    while at != start:
        owner[at] = owner[came_from[at]]
        at = int(came_from[at])
    owner[start] = -1
