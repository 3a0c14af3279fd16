"""Claims: what the evidence of a bound says, read without trusting it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from planner.problem import Problem

LARGEST = 2**53
"""The largest total of weights, and the largest objective, that is read: floats hold whole numbers up to it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Weighting:
    """A weighting as claimed: weight [workload of the pool], worth [offer of the ledger]."""

    pool: str
    weight: np.ndarray
    worth: np.ndarray
    placing: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Claim:
    """No plan of these pools has an objective below `target` whole small units (inf: there is no plan)."""

    pools: tuple[str, ...]
    target: float
    weightings: tuple[Weighting, ...]
    search: bool


def is_number(value: object) -> bool:
    """Whether a value is a number that can be reckoned with; infinity is one."""
    if isinstance(value, int | np.integer):
        return abs(value) <= LARGEST
    return isinstance(value, float | np.floating) and not math.isnan(value)


def small_units(value: float, scale: int) -> float:
    """The least whole number of small units, from 0, that is at least a value; floats may miss it by a whisker."""
    small = float(value) * scale
    return math.ceil(max(small - 1e-6 - 1e-12 * small, 0.0)) if math.isfinite(small) else max(small, 0.0)


def read(problem: Problem, evidence: object, scale: int, offers: int) -> list[Claim] | None:
    """What the evidence claims; None where it is not understood or misses a pool or has one twice."""
    if not isinstance(evidence, tuple | list):
        return None
    claims = [_claim(problem, group, scale, offers) for group in evidence]
    known = [claim for claim in claims if claim is not None]
    named = sorted(pool for claim in known for pool in claim.pools)
    return known if len(known) == len(claims) and named == list(problem.pools) else None


def _claim(problem: Problem, group: object, scale: int, offers: int) -> Claim | None:
    if not isinstance(group, dict) or not {"pools", "method", "value", "weightings", "search"} <= group.keys():
        return None
    pools, weightings, search = group["pools"], group["weightings"], group["search"]
    if not isinstance(pools, tuple | list) or not all(isinstance(pool, str) for pool in pools):
        return None
    if not is_number(group["value"]) or not isinstance(search, bool) or not isinstance(weightings, tuple | list):
        return None
    read = [_weighting(problem, weighting, pools, offers) for weighting in weightings]
    known = tuple(weighting for weighting in read if weighting is not None)
    if len(known) < len(read):
        return None
    target = small_units(group["value"], scale)
    return Claim(pools=tuple(pools), target=target, weightings=known, search=search)


def _weighting(problem: Problem, given: object, pools: Iterable[str], offers: int) -> Weighting | None:
    if not isinstance(given, dict) or not {"method", "pool", "weight", "worth", "placing"} <= given.keys():
        return None
    pool, weight, worth, placing = (given[name] for name in ("pool", "weight", "worth", "placing"))
    if not isinstance(pool, str) or pool not in pools or not isinstance(placing, int | np.integer):
        return None
    shapes = ((int((problem.workloads["pool"] == pool).sum()),), (offers,))
    for figures, shape in zip((weight, worth), shapes, strict=True):
        if not isinstance(figures, np.ndarray) or figures.dtype.kind not in "iu" or figures.shape != shape:
            return None
    if not weight.size or weight.min() < 0 or weight.sum(dtype="float64") > LARGEST or not 0 <= placing <= LARGEST:
        return None
    # No set weighs more than everything, so a larger worth claims no more.
    worth = np.minimum(worth, int(weight.sum())).astype("int64")
    return Weighting(pool=pool, weight=weight.astype("int64"), worth=worth, placing=int(placing))
