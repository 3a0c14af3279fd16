"""Losses: what fails together, and the cases of failure that a plan for N+k has to survive.

With `k` for `failover.hosts` a case is the loss of 1 to `k` hosts of one pool; where `failover.within` names a column
of hosts, of all hosts in 1 to `k` of its domains. Cases in which nothing is lost that carries a workload are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from planner.errors import InputError, did_you_mean
from planner.laws import Apart, Laws, sources
from planner.policy import Failover

MOST_CASES = 200_000
"""Cases that are listed one by one at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Losses:
    """Cases of failure, N of them.

    Parameters
    ----------
    names : array of str, shape [N]
        What is lost, sorted and joined by " + ".
    case, host : arrays of int, shape [M]
        For each host that is lost in a case: the case's number, ascending, and the host's position.
    """

    names: np.ndarray
    case: np.ndarray
    host: np.ndarray

    def lost(self, case: int) -> np.ndarray:
        """Positions of the hosts that are lost in a case."""
        begin, end = np.searchsorted(self.case, [case, case + 1])
        return self.host[begin:end]


def domains(hosts: pd.DataFrame, within: str) -> np.ndarray:
    """The name of what each host of `problem.hosts` fails together with; "" where nobody says.

    Raises
    ------
    InputError
        A column that is not there.
    """
    if within == "host":
        return hosts["name"].to_numpy(dtype=object)
    known = [name for name in hosts.columns if name not in ("name", "owned", "available")]
    if within not in known:
        raise InputError(f"failover.within: found {within!r}{did_you_mean(within, ['host', *known])}")
    cells = hosts[within].astype(object)
    return cells.where(cells.notna(), "").astype(str).str.strip().to_numpy(dtype=object)


def case_count(groups: list[int], most: int) -> int:
    """How many sets of 1 to `most` there are within groups of some sizes.

    >>> case_count([4, 3], 2)
    16
    """
    return sum(math.comb(size, number) for size in groups for number in range(1, most + 1))


def losses(
    names: np.ndarray,
    domain: np.ndarray,
    pool: np.ndarray,
    loaded: np.ndarray,
    failover: Failover,
    inside: np.ndarray | None = None,
) -> Losses:
    """The cases of a plan's hosts.

    Parameters
    ----------
    names, domain, pool : arrays of str, shape [host]
        `domain` is read where `failover.within` is not "host".
    loaded : array of bool, shape [host]
        Which of them carry anything.
    failover : Failover
    inside : array of bool, shape [host], optional
        The hosts whose loss is looked at, all by default.

    Raises
    ------
    InputError
        More cases than `MOST_CASES`.
    """
    inside = np.ones(len(names), dtype=bool) if inside is None else inside
    units, members = _units(names, domain, pool, failover.within, np.flatnonzero(inside).tolist())
    number = case_count([len(group) for group in units], failover.hosts)
    if number > MOST_CASES:
        raise InputError(
            f"failover.hosts: found {failover.hosts} to be lost at once, which makes {number:,} cases in this plan, "
            f"expected at most {MOST_CASES:,} where they are judged one by one"
        )
    called, case, host = [], [], []
    for unit in _sets(units, failover.hosts):
        lost = [h for name in unit for h in members[name]]
        if loaded[lost].any():
            case += [len(called)] * len(lost)
            host += lost
            called.append(" + ".join(sorted({name for _, name in unit})))
    return Losses(
        names=np.array(called, dtype=object), case=np.array(case, dtype="int64"), host=np.array(host, dtype="int64")
    )


def _units(
    names: np.ndarray, domain: np.ndarray, pool: np.ndarray, within: str, inside: list[int]
) -> tuple[list[list[tuple[str, str]]], dict[tuple[str, str], list[int]]]:
    """What may be lost, in groups of which several are lost at once, and the hosts in each."""
    by_host = within == "host"
    members: dict[tuple[str, str], list[int]] = {}
    for h in inside:
        members.setdefault((pool[h], names[h]) if by_host else ("", domain[h]), []).append(h)
    groups: dict[str, list[tuple[str, str]]] = {}
    for unit in members:
        groups.setdefault(unit[0], []).append(unit)
    return list(groups.values()), members


def _sets(groups: list[list[tuple[str, str]]], most: int) -> Iterator[tuple[tuple[str, str], ...]]:
    for number in range(1, most + 1):
        for group in groups:
            yield from combinations(group, number)


def require_survivors(failover: Failover, laws: Laws, workloads: pd.DataFrame, hosts: pd.DataFrame) -> None:
    """Raise an InputError where too few hosts are there for any plan to survive: in a pool, or by a rule.

    Raises
    ------
    InputError
        As many hosts or domains to fail as a pool has, a host of unknown domain, and with mode "verified" a workload or
        a group kept apart that rules leave no host for once `failover.hosts` are lost.
    """
    if not failover.hosts:
        return
    serves, available = hosts["pool"].to_numpy(), hosts["available"].to_numpy()
    domain = domains(hosts, failover.within)
    unknown = np.flatnonzero((domain == "") & (available > 0))
    if len(unknown):
        raise InputError(
            f"host {hosts['name'].iloc[unknown[0]]!r}: {failover.within} is blank ({len(unknown):,} of {len(hosts):,} "
            f"are); failover.within = {failover.within!r} needs it for every host that may be used"
        )
    pool_of = workloads["pool"].to_numpy()
    for pool in np.unique(pool_of):
        serving = np.isin(serves, ["", pool]) & (available > 0)
        number = _count(serving, failover.within, domain, available)
        if number <= failover.hosts:
            named = f"pool {pool!r}" if pool else "the workloads"
            what = "hosts" if failover.within == "host" else f"domains of {failover.within}"
            raise InputError(
                f"failover.hosts: found {failover.hosts} {what} to fail and {number:,.0f} that {named} may use, "
                "expected fewer"
            )
        if failover.mode == "verified":
            _require_under_rules(failover, laws, workloads, hosts, domain, pool_of == pool, serving)


def _count(rows: np.ndarray, within: str, domain: np.ndarray, available: np.ndarray) -> float:
    """How many hosts of some rows may be lost one by one, or domains of them."""
    return float(available[rows].sum()) if within == "host" else len(set(domain[rows]))


def _require_under_rules(
    failover: Failover,
    laws: Laws,
    workloads: pd.DataFrame,
    hosts: pd.DataFrame,
    domain: np.ndarray,
    inside: np.ndarray,
    serving: np.ndarray,
) -> None:
    names, available, k = workloads["name"].to_numpy(), hosts["available"].to_numpy(), failover.hosts
    what = "host" if failover.within == "host" else failover.within
    combination, permitted = laws.permitted
    for number in np.unique(combination[inside]).tolist():
        usable = permitted[number] & serving
        count = _count(usable, failover.within, domain, available)
        if count <= k:
            w = int(np.flatnonzero(inside & (combination == number))[0])
            shown = ", ".join(map(repr, hosts["name"][usable].head(3)))
            raise InputError(
                f"{sources(laws, w)}: workload {names[w]!r} may run on {shown} alone, which is lost with {count:,.0f} "
                f"{what}{'s' if count > 1 else ''}, and failover.hosts = {k}, expected at least {k + 1} to choose from"
            )
    for law in laws.apart:
        members = law.members[inside[law.members]]
        if not len(members) or not _same_domains(law, failover):
            continue
        usable = permitted[np.unique(combination[members])].any(axis=0) & serving
        left = _count(usable, failover.within, domain, available) - k
        if len(members) > law.at_most * left:
            raise InputError(
                f"{law.source}: workload {names[members[0]]!r} and {len(members) - 1} more are kept to {law.at_most} a "
                f"{what}, and {left:,.0f} that they may use are left with failover.hosts = {k}, expected at least "
                f"{-(-len(members) // law.at_most)}"
            )


def _same_domains(law: Apart, failover: Failover) -> bool:
    """Whether what a law spreads over is what is lost at once."""
    return law.within == failover.within
