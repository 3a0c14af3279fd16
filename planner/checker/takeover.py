"""Takeover: hosts that carry nothing and restart whole what any other host of their pool carried.

In a case the i-th lost host that carries anything restarts whole on the i-th of the listed hosts that is left. Since
nothing else is on those, a plan survives every case when for each pool

1. the hosts listed carry nothing, and with the k largest domains lost as many are left as lost hosts carried anything;
2. each has room for the load of any host of the pool, and every workload of the pool may run on it;
3. no domain of a spread could come to hold more members than it may, were the most crowded hosts restarted in it.

What holds within a host holds on the one that takes it over whole; so does the number of hosts that workloads run on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.checker.violation import TOLERANCE, Violation

if TYPE_CHECKING:
    from planner.checker.restarts import Site


@dataclass(frozen=True, kw_only=True, eq=False)
class Takeover:
    """The hosts listed by their names, and those that the plan has by pool."""

    listed: list[str]
    by_pool: dict[str, np.ndarray]

    @classmethod
    def of(cls, site: Site, listed: list[str]) -> Takeover:
        """The hosts of a plan that are listed to take over."""
        place = {name: h for h, name in enumerate(site.names)}
        known = np.array([place[name] for name in dict.fromkeys(listed) if name in place], dtype="int64")
        return cls(listed=listed, by_pool={pool: known[site.pool[known] == pool] for pool in set(site.pool[known])})

    @property
    def pools(self) -> list[str]:
        """Pools whose cases are taken over."""
        return list(self.by_pool)


def takeover_violations(site: Site, takeover: Takeover) -> Iterator[Violation]:
    """Every way in which hosts listed to take over could not."""
    for name, times in Counter(takeover.listed).items():
        if name not in site.names or times > 1:
            why = "this plan does not have" if name not in site.names else "stands there more than once"
            message = f"restarts name host {name!r} to take over, which {why}"
            yield Violation(kind="failover", message=message, host=name)
    for pool, spares in takeover.by_pool.items():
        for h in spares[site.loaded[spares]]:
            message = f"host {site.names[h]!r} is to take over and carries workloads itself"
            yield Violation(kind="failover", message=message, host=site.names[h])
        mine = np.flatnonzero((site.pool == pool) & site.loaded)
        if len(mine):
            yield from _enough(site, pool, mine, spares)
            yield from _room(site, mine, spares)
            yield from _rules(site, pool, mine, spares)


def _largest(domain: np.ndarray, k: int) -> int:
    """How many hosts stand in the k domains that have the most."""
    return int(np.sort(np.unique(domain, return_counts=True)[1])[::-1][:k].sum())


def _enough(site: Site, pool: str, mine: np.ndarray, spares: np.ndarray) -> Iterator[Violation]:
    k = site.problem.policy.failover.hosts
    needed = _largest(site.domain[np.concatenate([mine, spares])].astype(str), k)
    if len(spares) < needed:
        named = f"pool {pool!r}" if pool else "the plan"
        message = f"{named} has {len(spares)} hosts to take over, and {needed} may be lost that carry or take over"
        yield Violation(kind="failover", message=message, found=float(len(spares)), limit=float(needed))


def _room(site: Site, mine: np.ndarray, spares: np.ndarray) -> Iterator[Violation]:
    for h in spares:
        room = site.capacity[h]
        over = site.load[mine] > room + TOLERANCE * np.maximum(room, 1)
        if over.any():
            lost, column = np.argwhere(over)[0]
            resource, unit, when = site.unit(int(column))
            at = f" at {when}" if when else ""
            found, limit = float(site.load[mine[lost], column]), float(room[column])
            message = (
                f"with {site.names[mine[lost]]!r} lost, host {site.names[h]!r} takes over {found:,.6g} {unit} of "
                f"{resource}{at}, it may carry {limit:,.6g}"
            )
            yield Violation(
                kind="failover", message=message, host=site.names[h], resource=resource, found=found, limit=limit,
                when=when,
            )  # fmt: skip


def _rules(site: Site, pool: str, mine: np.ndarray, spares: np.ndarray) -> Iterator[Violation]:
    laws, names = site.problem.laws, site.problem.workloads["name"].to_numpy(dtype=object)
    for law in laws.allowed:
        members = law.members[site.pool_of[law.members] == pool]
        for h in spares[~law.rows[site.row[spares]]] if len(members) else ():
            message = (
                f"host {site.names[h]!r} is to take over workload {names[members[0]]!r}, which may not run on it by "
                f"{law.source}"
            )
            yield Violation(kind="failover", message=message, host=site.names[h], workload=names[members[0]])
    across = [law for law in laws.apart if law.domain is not None]
    if site.problem.policy.failover.within != "host":
        for law in (*across, *laws.limited):
            pools = set(site.pool_of[law.members])
            if pool in pools and len(pools) > 1:
                message = f"{law.source} reaches across pools, expected a restart for each workload in every case"
                yield Violation(kind="failover", message=message)
    for law in across:
        yield from _spread(site, law, mine, spares)


def _spread(site: Site, law, mine: np.ndarray, spares: np.ndarray) -> Iterator[Violation]:
    count, domain = site.count(law.members), law.domain[site.row]
    lost = _largest(site.domain[mine].astype(str), site.problem.policy.failover.hosts)
    for d in np.unique(domain[spares][domain[spares] >= 0]):
        slots = min(int((domain[spares] == d).sum()), lost)
        arriving = int(np.sort(count[mine[domain[mine] != d]])[::-1][:slots].sum())
        most = int(count[domain == d].sum()) + arriving
        if arriving and most > law.at_most:
            place = site.problem.hosts[law.within].iloc[site.row[spares[domain[spares] == d][0]]]
            message = f"{most} workloads could share {law.within} {place!r}, by {law.source} {law.at_most} at most may"
            yield Violation(kind="failover", message=message, found=float(most), limit=float(law.at_most))
