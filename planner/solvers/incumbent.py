"""Incumbent: the best packing, the best bound and the clock; the only thing that methods share and change."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from planner.plan import Progress
from planner.solvers.bounds import Cover
from planner.solvers.failover import with_reserve
from planner.solvers.instance import Instance
from planner.solvers.packing import Packing


@dataclass(kw_only=True)
class Clock:
    """One clock for the whole search: when it began, when it must end, and whether somebody said stop."""

    limit: float
    should_stop: Callable[[], bool] | None = None
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def remaining(self) -> float:
        return max(self.limit - self.seconds, 0.0)

    @property
    def cancelled(self) -> bool:
        return self.should_stop is not None and bool(self.should_stop())


@dataclass(kw_only=True)
class Incumbent:
    """What is known of one instance.

    Parameters
    ----------
    instance : Instance
    announce : callable
        Called with the method's name whenever something improved.
    gap : float
        Relative gap at which the search may end.
    """

    instance: Instance
    announce: Callable[[str], None]
    gap: float = 0.0
    packing: Packing | None = None
    method: str = ""
    bound: int | None = None
    bound_method: str = ""
    cover: Cover | None = None
    reason: str = ""
    infeasible: bool = False

    @property
    def value(self) -> int | None:
        return None if self.packing is None else self.packing.value(self.instance)

    @property
    def purchase(self) -> int | None:
        """What the packing buys, in cents."""
        return None if self.packing is None else self.packing.key(self.instance)[1]

    @property
    def proven(self) -> bool:
        """Whether nothing better is possible."""
        return self.infeasible or (self.packing is not None and self.bound is not None and self.value <= self.bound)

    @property
    def good_enough(self) -> bool:
        """Whether the gap asked for is reached."""
        if self.packing is None or self.bound is None:
            return False
        return self.value - self.bound <= self.gap * self.value

    def offer(self, packing: Packing, method: str) -> bool:
        """Take a packing, completed by its failover reserve, if it is better than the best; say whether it was."""
        complete = with_reserve(self.instance, packing)
        if complete is None:
            return False
        if self.packing is not None and complete.key(self.instance) >= self.packing.key(self.instance):
            return False
        self.packing, self.method = complete, method
        self.announce(method)
        return True

    def raise_bound(self, value: int, method: str) -> None:
        """Take a proven bound if it is above the best."""
        if self.bound is None or value > self.bound:
            self.bound, self.bound_method = value, method
            self.announce(method)


def progress(clock: Clock, incumbents: list[Incumbent], method: str, scale: int) -> Progress:
    """Where the whole search stands: sums over its instances, None where one of them has nothing yet."""
    values = [incumbent.value for incumbent in incumbents]
    bounds = [incumbent.bound for incumbent in incumbents]
    packed = all(value is not None for value in values)
    return Progress(
        seconds=clock.seconds,
        method=method,
        incumbent=sum(values) / scale if packed else None,
        bound=sum(bounds) / scale if all(bound is not None for bound in bounds) else None,
        hosts_used=sum(len(incumbent.packing.hosts) for incumbent in incumbents) if packed else None,
    )
