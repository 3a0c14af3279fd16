"""verify(problem, bound): re-proves a lower bound from the evidence it carries. It shares no code with any solver.

Demand and capacity become whole numbers that every plan the checker accepts keeps to. A weighting gives each item (a
workload, or workloads kept together) a weight and each host a worth that no set of items on one such host exceeds: one
knapsack a host class proves that. The hosts of any plan are then worth at least what all items weigh, and the least
objective of hosts that are, in whole hosts, is a bound.
"""

from __future__ import annotations

import time

from planner.economics.ledger import Ledger, ledger
from planner.plan import Bound
from planner.problem import Problem
from planner.verifier.claims import LARGEST, Claim, is_number, read, small_units
from planner.verifier.covering import covered, most_value, searched
from planner.verifier.figures import build
from planner.verifier.knapsacks import worths_hold


def verify(problem: Problem, bound: Bound, *, time_limit: float = 60.0) -> bool:
    """Whether a lower bound has been proved again, from its own evidence and without trusting where it comes from.

    With weights ``a[i]`` and worths ``b[h]`` such that no set of items that host `h` can carry weighs more than
    ``b[h]``, the hosts ``y`` of any plan keep ``sum_h b[h] y[h] >= sum_i a[i]`` (Gilmore and Gomory, 1961,
    https://doi.org/10.1287/opre.9.6.849). A bound without weights is proved by a search of its own.

    Parameters
    ----------
    problem : Problem
    bound : Bound
        Evidence: a dict for each group of pools with `pools`, `method`, `value`, `search` and `weightings`, a tuple of
        dicts with `method`, `pool`, `weight` [workload of the pool], `worth` [offer of the ledger] and `placing`.
    time_limit : float
        Seconds.

    Returns
    -------
    bool
        True only if no plan that `check` accepts has a lower objective; False where that is not so, where the evidence
        does not show it or is not understood, and where time ran out.
    """
    book = ledger(problem)
    if not is_number(bound.value) or (book.opening < 0).any() or (book.rate < 0).any():
        return False
    asked = small_units(bound.value - book.fixed / book.scale, book.scale)
    if asked <= 0:
        return True
    deadline = time.monotonic() + time_limit
    claims = read(problem, bound.evidence, book.scale, len(book.row))
    if claims is None or not sum(claim.target for claim in claims) >= asked:
        return False
    return all(_holds(problem, book, claim, deadline) for claim in claims)


def _holds(problem: Problem, book: Ledger, claim: Claim, deadline: float) -> bool:
    """Whether no plan of the claim's pools has an objective below its target."""
    if claim.target <= 0:
        return True
    part = build(problem, book, claim)
    if not part.fits.any(axis=1).all():
        return True
    most = most_value(part)
    if most >= LARGEST:
        return False
    limit = int(min(claim.target - 1, most + 1))
    if claim.search:
        return searched(part, limit, deadline)
    place = {pool: p for p, pool in enumerate(claim.pools)}
    weightings = [(v, place[weighting.pool], weighting.placing) for v, weighting in enumerate(claim.weightings)]
    worths = all(worths_hold(part, v, p, placing, deadline) for v, p, placing in weightings)
    return worths and covered(part, weightings, limit, deadline)
