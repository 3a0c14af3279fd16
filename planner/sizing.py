"""Sizing: which figure of a workload counts, and how much of a host one unit of it takes.

For workload `w` of tier `t`, and `r` of cpu and memory::

    sized[w, r]       = growth.factor * table[w, column_of(r, basis[w, r])]
    ratio[w, r]       = 1                        where the basis is measured: what is used is never overcommitted
                      = overcommit.r_by_tier[t]  where the basis is "allocated" and the policy names the tier
                      = overcommit.r             otherwise
    weight[w, r]      = overcommit.r / ratio[w, r]
    demand[w, memory] = max(sized, reserved) * weight + reserved * (overcommit.memory - weight)
    demand[w, cpu]    = sized * weight                    vCPU, where the basis is "allocated"
                      = sized / reference_ghz * weight    vCPU, where it is measured and another's is "allocated"
                      = sized                             GHz, where every workload's is measured

A host offers `overcommit` for each core and GiB, so `weight` makes one unit of a workload take 1 / ratio of a core or
of a GiB, and one host can carry every tier and basis. A reservation is memory that is never overcommitted: it takes one
whole GiB for each GiB, what is sized beyond it takes 1 / ratio. It does not grow with the workload.

GHz become vCPU by way of the reference core, the one whose `perf` is 1 and whose clock is `reference_ghz`: 1 GHz takes
1 / reference_ghz of it. As long as no host's clock is below the reference, which a problem makes sure of where clocks
are known, the GHz used on a host are at most its cores x GHz x perf, as they are where every workload is measured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from planner import schema, settings
from planner.errors import InputError, did_you_mean

Resource = Literal["cpu", "memory"]
BASES = ("allocated", "used", "average", "peak", "p95")
"""Bases whose columns stand in the schema; any other percentile (p99, p99.9) takes a further column of its name."""

_ALLOCATED = {"cpu": "vcpus", "memory": "memory_gib"}
_MEASURED = {"cpu": "cpu_ghz_", "memory": "memory_gib_"}
_PERCENTILE = re.compile(r"p[1-9]\d?(\.\d{1,3})?")


def column_of(resource: Resource, basis: str) -> str:
    """The workload column that sizing a resource by a basis takes: the one place that knows their names.

    Parameters
    ----------
    resource : {"cpu", "memory"}
    basis : str
        allocated, used, average, peak or a percentile.

    Examples
    --------
    >>> column_of("cpu", "allocated"), column_of("cpu", "p95"), column_of("memory", "peak")
    ('vcpus', 'cpu_ghz_p95', 'memory_gib_peak')
    """
    return _ALLOCATED[resource] if basis == "allocated" else _MEASURED[resource] + basis


def basis_named(text: object, where: str) -> str:
    """The basis that a word means, in its usual spelling.

    Raises
    ------
    InputError
        A word that is no basis; named with `where`.

    Examples
    --------
    >>> basis_named(" Peak ", "sizing.cpu"), basis_named("P99.90", "sizing.cpu")
    ('peak', 'p99.9')
    """
    word = str(text).strip().casefold()
    if _PERCENTILE.fullmatch(word):
        return f"p{float(word[1:]):g}"
    if word not in BASES:
        hint = did_you_mean(word, BASES)
        hint += " or a percentile from p1 to p99.999" if "expected" in hint else ""
        raise InputError(f"{where}: found {text!r}{hint}")
    return word


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """What a workload is taken to need: what it was given, or what it was measured to use.

    Parameters
    ----------
    cpu, memory : str
        Basis: "allocated", "used" (a measurement that says nothing of when), "average", "peak", or a percentile such
        as "p95". A workload's own column `sizing` goes before it. A figure that is missing is an error, not a guess.
    reference_ghz : float, optional
        Clock of the reference core, in which measured GHz are told as vCPU; needed where allocated and measured CPU
        stand side by side.
    hyper_threading_weight : float
        What a core with two threads counts as, from 1 to 2; VMware Cloud Sizer takes 1.25.
    """

    cpu: str = "allocated"
    memory: str = "allocated"
    reference_ghz: float | None = None
    hyper_threading_weight: float = 1.0

    def __post_init__(self):
        for resource in _ALLOCATED:
            basis = basis_named(getattr(self, resource), f"sizing.{resource}")
            object.__setattr__(self, resource, basis)
        settings.require(self.reference_ghz, "sizing.reference_ghz", 0.1, 20, blank=True)
        settings.require(self.hyper_threading_weight, "sizing.hyper_threading_weight", 1, 2)

    def bases(self, workloads: pd.DataFrame, resource: Resource) -> np.ndarray:
        """Basis of each workload: its own where its column `sizing` names one, else the policy's.

        Raises
        ------
        InputError
            A column `sizing` that says something else; named with its workload.
        """
        codes, texts = pd.factorize(workloads["sizing"])
        names = workloads["name"]
        own = [_stated(text, names.iloc[int(np.argmax(codes == code))]) for code, text in enumerate(texts)]
        return np.array([stated.get(resource, getattr(self, resource)) for stated in own], dtype=object)[codes]

    def cpu_unit(self, workloads: pd.DataFrame) -> str:
        """Unit of all CPU figures: GHz where every workload is measured, else vCPU."""
        return "vCPU" if (self.bases(workloads, "cpu") == "allocated").any() else "GHz"


@dataclass(frozen=True, kw_only=True)
class Overcommit:
    """How many vCPUs are promised per core, and how many GiB per GiB of memory; by tier where tiers are named.

    Parameters
    ----------
    cpu, memory : float
        The ratio for every workload of no tier, or of a tier that is not named here.
    cpu_by_tier, memory_by_tier : dict
        Tier, as in the column `tier` of the workloads, to its ratio.
    """

    cpu: float = 1.0
    memory: float = 1.0
    cpu_by_tier: dict[str, float] = field(default_factory=dict, hash=False)
    memory_by_tier: dict[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self):
        for resource, most in (("cpu", 64), ("memory", 10)):
            settings.require(getattr(self, resource), f"overcommit.{resource}", 0.1, most)
            name = f"{resource}_by_tier"
            by_tier = getattr(self, name)
            if not isinstance(by_tier, dict):
                raise InputError(f"overcommit.{name}: found {by_tier!r}, expected a table of tiers, such as gold = 2.0")
            for tier, ratio in by_tier.items():
                if not isinstance(tier, str) or not tier or tier != tier.strip():
                    raise InputError(
                        f"overcommit.{name}: found tier {tier!r}, expected a name without blanks around it"
                    )
                settings.require(ratio, f"overcommit.{name}.{tier}", 0.1, most)
            object.__setattr__(self, name, dict(by_tier))

    def weight(self, resource: Resource, basis: np.ndarray, tiers: pd.Series) -> np.ndarray:
        """What one unit of each workload takes of what a host offers; see the module."""
        plain, by_tier = getattr(self, resource), getattr(self, f"{resource}_by_tier")
        ratio = tiers.astype(object).map(by_tier).astype(float).fillna(plain).to_numpy() if by_tier else plain
        return plain / np.where(basis == "allocated", ratio, 1.0)

    def require_tiers(self, tiers: pd.Series) -> None:
        """Raise an InputError for a tier that no workload has."""
        present = sorted(set(tiers) - {""})
        for name in ("cpu_by_tier", "memory_by_tier"):
            for tier in getattr(self, name):
                if tier not in present:
                    hint = did_you_mean(tier, present) or "; the column tier is blank for every workload"
                    raise InputError(f"overcommit.{name}: found tier {tier!r}, which no workload has{hint}")


def figures(workloads: pd.DataFrame, resource: Resource, basis: np.ndarray) -> np.ndarray:
    """The figure of each workload in the column of its basis: vCPU or GHz, and GiB.

    Parameters
    ----------
    workloads : DataFrame
    resource : {"cpu", "memory"}
    basis : array of str, shape [workload]

    Raises
    ------
    InputError
        A figure that is missing or is no number; the first workload, how many there are, and what there is instead.
    """
    found = np.full(len(workloads), np.nan)
    for one in pd.unique(basis):
        rows, column = np.flatnonzero(basis == one), column_of(resource, one)
        if column not in workloads:
            raise InputError(_missing(workloads, resource, one, rows, rows, "is not in the table"))
        cells = workloads[column].iloc[rows]
        found[rows] = values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
        blank = schema.is_blank(cells).to_numpy()
        wrong = np.flatnonzero(~blank & ~((values >= 0) & np.isfinite(values)))
        if len(wrong):
            name, cell = workloads["name"].iloc[rows[wrong[0]]], cells.iloc[wrong[0]]
            raise InputError(f"workload {name!r}, column {column}: found {cell!r}, expected a number from 0")
        if blank.any():
            raise InputError(_missing(workloads, resource, one, rows[blank], rows, "is blank"))
    return found


def cpu_weight(sizing: Sizing, overcommit: Overcommit, workloads: pd.DataFrame) -> np.ndarray:
    """Demand for CPU of one unit of each workload's figure; see the module.

    Raises
    ------
    InputError
        Allocated and measured workloads side by side, and no reference clock.
    """
    basis = sizing.bases(workloads, "cpu")
    measured = basis != "allocated"
    if measured.all():
        return np.ones(len(workloads))
    weight = overcommit.weight("cpu", basis, workloads["tier"])
    if not measured.any():
        return weight
    if sizing.reference_ghz is None:
        given, other = (workloads["name"].iloc[int(np.argmax(rows))] for rows in (~measured, measured))
        raise InputError(
            f"sizing.reference_ghz: found none, expected the clock in GHz of the core that vCPUs are counted against: "
            f"CPU of workload {given!r} is sized by its vCPUs and that of {other!r} by GHz "
            f"({basis[int(np.argmax(measured))]}), which share hosts in one unit only; "
            "the clock of the slowest host overcommits no measured use"
        )
    return np.where(measured, weight / sizing.reference_ghz, weight)


def require_clocks(sizing: Sizing, workloads: pd.DataFrame, hosts: pd.DataFrame) -> None:
    """Raise an InputError where measured use would be overcommitted on a host that is slower than the reference."""
    basis = sizing.bases(workloads, "cpu")
    if sizing.reference_ghz is None or len(set(basis == "allocated")) < 2:
        return
    slow = hosts[hosts["ghz"] < sizing.reference_ghz]
    if len(slow):
        raise InputError(
            f"sizing.reference_ghz: found {sizing.reference_ghz:g}, above the {slow['ghz'].iloc[0]:g} GHz of host "
            f"{slow['name'].iloc[0]!r} ({len(slow):,} of {len(hosts):,} are slower), so that measured use would be "
            f"overcommitted there; expected at most {hosts['ghz'].min():g}, the clock of the slowest host"
        )


def _stated(text: str, workload: str) -> dict[str, str]:
    """Resource to basis, as one cell of the column `sizing` says it; blank says nothing."""
    where = f"workload {workload!r}, column sizing"
    if not text:
        return {}
    if "=" not in text:
        return dict.fromkeys(_ALLOCATED, basis_named(text, where))
    stated: dict[str, str] = {}
    for part in re.split("[,;]", text):
        resource, _, word = (piece.strip() for piece in part.partition("="))
        if resource.casefold() not in _ALLOCATED or resource.casefold() in stated:
            raise InputError(f"{where}: found {text!r}, expected a basis, or one each such as cpu=p95, memory=peak")
        stated[resource.casefold()] = basis_named(word, where)
    return stated


def _missing(
    workloads: pd.DataFrame, resource: Resource, basis: str, missing: np.ndarray, sized: np.ndarray, how: str
) -> str:
    row = workloads.iloc[int(missing[0])]
    prefix = _MEASURED[resource]
    known = [name.removeprefix(prefix) for name in map(str, workloads) if name.startswith(prefix)]
    known = ["allocated", *(one for one in known if one in BASES[1:] or _PERCENTILE.fullmatch(one))]
    there = [one for one in known if pd.notna(pd.to_numeric(row[column_of(resource, one)], errors="coerce"))]
    return (
        f"workload {row['name']!r}: {column_of(resource, basis)} {how} ({len(missing):,} of {len(sized):,} sized by it "
        f"lack it); sizing {resource} by {basis!r} needs it, the table has {', '.join(there)} for this workload"
    )
