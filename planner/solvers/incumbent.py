"""Incumbent: the best packing, the best bound and the clock; the only thing that methods share and change."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from planner.solvers import bounds
from planner.solvers.failover import with_reserve
from planner.solvers.instance import Instance
from planner.solvers.packing import OpenHost, Packing, across


@dataclass(kw_only=True)
class Clock:
    """One clock for the whole search: when it began, when it must end, and whether somebody said stop."""

    limit: float
    should_stop: Callable[[], bool] | None = None
    began: float = field(default_factory=time.monotonic)
    stopped: bool = False
    asked: float = -1.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def remaining(self) -> float:
        return max(self.limit - self.seconds, 0.0)

    @property
    def cancelled(self) -> bool:
        """Whether somebody said stop; asked at most every tenth of a second, and never again after that."""
        if self.should_stop is not None and not self.stopped and self.seconds - self.asked >= 0.1:
            self.stopped, self.asked = bool(self.should_stop()), self.seconds
        return self.stopped

    @property
    def over(self) -> bool:
        """Whether the search must end now."""
        return self.remaining == 0 or self.cancelled


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
    whole : callable
        How many times what the packings of all instances cost the whole objective is: with what no plan can do without.
    exhausted : bool
        Whether CP-SAT has searched its model to the end: it proves nothing more.
    anchors : tuple of OpenHost
        Hosts with the items that rules across hosts concern, placed before all others.
    """

    instance: Instance
    announce: Callable[[str], None]
    gap: float = 0.0
    whole: Callable[[], float] = lambda: 1.0
    seed: int = 0
    anchors: tuple[OpenHost, ...] = ()
    packing: Packing | None = None
    key: tuple[int, int, int] | None = None
    method: str = ""
    bound: int | None = None
    bound_method: str = ""
    searched: bool = False
    exhausted: bool = False
    weightings: list[bounds.Weighting] = field(default_factory=list)
    cover: bounds.Cover | None = None
    reason: str = ""
    infeasible: bool = False

    @property
    def value(self) -> int | None:
        return None if self.key is None else self.key[0]

    @property
    def purchase(self) -> int | None:
        """What the packing buys, in cents."""
        return None if self.key is None else self.key[2]

    @property
    def proven(self) -> bool:
        """Whether nothing better is possible."""
        return self.infeasible or (self.packing is not None and self.bound is not None and self.value <= self.bound)

    @property
    def good_enough(self) -> bool:
        """Whether the gap asked for is reached, in this instance's share of the whole objective."""
        if self.infeasible:
            return True
        if self.packing is None or self.bound is None:
            return False
        return self.value - self.bound <= self.gap * self.value * self.whole()

    def offer(self, packing: Packing, method: str) -> bool:
        """Take a packing, completed by its failover reserve, if it is better than the best; say whether it was.

        One that breaks a rule across hosts is not taken: methods that fill hosts one by one do not look at those.
        """
        complete = with_reserve(self.instance, packing)
        if complete is None or not across(self.instance, complete.hosts):
            return False
        if self.packing is not None and complete.rank(self.instance) >= self.packing.rank(self.instance):
            return False
        self.packing, self.key, self.method = complete, complete.key(self.instance), method
        self.announce(method)
        return True

    def take(self, packing: Packing, method: str) -> None:
        """Make a complete packing the incumbent whether it is better or not."""
        self.packing, self.key, self.method = packing, packing.key(self.instance), method
        self.announce(method)

    def prove(self, weightings: list[bounds.Weighting]) -> bool:
        """Solve the covering problem with further weightings; keep them and its value where that is above the bound.

        Earlier weightings of the same method are dropped where it takes none of them: each is to be verified.
        """
        if not weightings:
            return False
        method = weightings[-1].method
        others = [w for w in self.weightings if w.method != method]
        for kept in (others, self.weightings) if len(others) < len(self.weightings) else (others,):
            together = [*kept, *weightings]
            cover = bounds.cover(self.instance, together, seed=self.seed)
            if cover.value is None or self.bound is None or cover.value > self.bound:
                break
        else:
            return False
        self._take(cover)
        return True

    def cut(self, weightings: list[bounds.Weighting]) -> bool:
        """Keep further weightings whatever they raise, and the hosts that cover them all; whether any hosts do."""
        self._take(bounds.cover(self.instance, [*self.weightings, *weightings], seed=self.seed))
        return not self.infeasible

    def _take(self, cover: bounds.Cover) -> None:
        self.cover = cover
        if cover.value is None:
            self.infeasible = True
            return
        self.weightings = list(cover.weightings)
        self.raise_bound(cover.value, self.weightings[-1].method)

    def raise_bound(self, value: int, method: str, *, searched: bool = False) -> None:
        """Take a proven bound if it is above the best; `searched` where no weightings prove it."""
        if self.bound is None or value > self.bound:
            self.bound, self.bound_method, self.searched = value, method, searched
            self.announce(method)
