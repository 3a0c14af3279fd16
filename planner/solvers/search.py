"""Search: which methods run on an instance, in which order, until it is proven or time is up."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np

from planner.solvers import bounds, cpsat, greedy
from planner.solvers.coarse import features
from planner.solvers.colgen import Generation
from planner.solvers.diving import Dive
from planner.solvers.failover import standing_by, with_reserve
from planner.solvers.fractional import METHOD, Fractional
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import Instance
from planner.solvers.kernels import SMALL
from planner.solvers.master import Stalled
from planner.solvers.neighbourhoods import Neighbourhoods
from planner.solvers.packing import OpenHost, Packing, unused
from planner.solvers.repack import MOST_PLACES, Attempt, longest

MOST_ROWS = 400
"""Shapes up to which column generation has one row for each."""

MOST_SHAPES = 40_000
"""Shapes up to which there is column generation: pricing more of them takes longer than a search lasts."""

FEW_COUNTS = 4_000
"""Counting variables of CP-SAT's model (shapes times hosts) up to which it is tried before the other methods."""

SOME_COUNTS = 10_000
"""Counting variables up to which CP-SAT gets a turn between dives: it proves what no linear program does."""

EASY_HOSTS, WEIGHING = 9, 2.0
"""Hosts up to which a search is quick to verify, and seconds spent on weights that need none."""

EARLY = 0.03
"""Share of the time that one attempt at repacking may take before column generation has said which hosts pay."""

MOST_WEIGHED = 2_000_000
"""Shapes times classes up to which items are taken in parts: a cut looks at each of them."""

IN_PARTS = 0.3
"""Share of the time that cuts by items in parts may take."""

NEARLY = 0.02
"""Share of its price by which an item may cost more on a host than where it costs least, at first."""

REMIXING = 0.15
"""Share of the time that mixes of hosts are tried for before column generation, and of what is left after each dive."""

NEAR = 0.2
"""Share of what is left of the time that a few hosts at a time are improved for, where they carry many items, and that
further cuts may take then."""

QUICK_COVER = 0.3
"""Deterministic time for one mix of hosts to pack into."""

QUICK = 0.5
"""Deterministic time that CP-SAT may spend before the other methods."""

MOST_SLICES, SOME_SLICES = 400, 50
"""Slices of work after which one attempt at repacking ends, and one into an early mix of hosts."""


class Search:
    """The search on one instance.

    Parameters
    ----------
    incumbent : Incumbent
    clock : Clock
    until : float
        Second on the clock at which this search ends.
    seed, workers : int
    """

    def __init__(self, incumbent: Incumbent, clock: Clock, until: float, seed: int, workers: int):
        self.incumbent, self.instance, self.clock = incumbent, incumbent.instance, clock
        self.until, self.seed, self.workers = until, seed, workers
        self.attempts, self.patience, self.turn = 0, until, until
        self.in_parts: Fractional | None = None
        self.vain: dict[bytes, int] = {}

    @property
    def over(self) -> bool:
        # Where restarts decide, a model searched to the end may leave a gap that no packing closes.
        decided = self.instance.failing is not None and self.incumbent.exhausted
        return decided or self.incumbent.good_enough or self.clock.over or self.clock.seconds >= self.until

    def run(self) -> None:
        """Improve packing and bound until the instance is proven or time is up."""
        small = self.instance.items <= SMALL or self._counts <= FEW_COUNTS
        if not self.over and (small or self.incumbent.packing is None):
            cpsat.improve(self.incumbent, self.clock, self._seconds, seed=self.seed, workers=self.workers, effort=QUICK)
        if self.incumbent.searched:
            self._weigh()
        if self.over:
            return
        if self.incumbent.packing is None:
            self._place_all()
        if self.incumbent.packing is None:
            self._finish()
            return
        self._anchor()
        self._take_in_parts(IN_PARTS)
        if self.over:
            return
        self.patience = EARLY * self._seconds
        self._take_turn()
        self._remix(SOME_SLICES)
        self._shrink(5)
        near = Neighbourhoods(self.incumbent, self.clock, self.seed, self.workers)
        if near.applies and self.in_parts is not None:
            self._by_turns(near)
        else:
            with suppress(Stalled):  # The search goes on without column generation.
                self._generate()
        self.patience = self.turn = self.until
        while not self.over:
            before = self.attempts
            self._remix(MOST_SLICES)
            self._shrink(MOST_SLICES)
            if self.attempts == before:
                self._finish()
                return

    def _anchor(self) -> None:
        """Where the coupled items could not be placed alone, keep them where the first packing has them."""
        coupled = self.instance.coupled
        if coupled.any() and not self.incumbent.anchors:
            hosts = [
                OpenHost(kind=h.kind, pool=h.pool, items={s: n for s, n in h.items.items() if coupled[s]})
                for h in self.incumbent.packing.hosts
            ]
            self.incumbent.anchors = tuple(host for host in hosts if host.items)

    def _take_in_parts(self, share: float) -> None:
        """The bound of items in parts on whole hosts, where hosts are unlike, in a share of the time."""
        if len(self.instance.available) == 1 or self.instance.fits.size > MOST_WEIGHED:
            return
        try:
            self.in_parts = self.in_parts or Fractional(self.instance, self.incumbent.packing.mix(self.instance))
            self.in_parts.prove(self.incumbent, self.clock, self.clock.seconds + share * self._seconds)
        except Stalled:  # The search goes on without.
            self.in_parts = None

    def _weigh(self) -> None:
        """Look for weights that prove what CP-SAT proved by searching: those are quick to verify, a search is not."""
        known = self.incumbent
        if known.packing is None or len(known.packing.hosts) <= EASY_HOSTS or self.clock.over:
            return
        bare = Incumbent(instance=self.instance, announce=lambda method: None, seed=self.seed)
        bare.prove(bounds.resources(self.instance))
        bare.prove(bounds.counting(self.instance))
        generation = Generation(bare, self.clock, self.seed)
        generation.seed_patterns(known.packing)
        with suppress(Stalled):
            generation.run(min(self._seconds, WEIGHING))
        if bare.bound >= known.bound:
            known.weightings, known.bound_method, known.searched = bare.weightings, bare.bound_method, False

    @property
    def _seconds(self) -> float:
        return min(self.clock.remaining, self.until - self.clock.seconds)

    @property
    def _counts(self) -> int:
        """Counting variables of CP-SAT's model."""
        return len(cpsat.slots_for(self.instance, self.incumbent)) * len(self.instance.count)

    def _finish(self) -> None:
        cpsat.improve(self.incumbent, self.clock, self._seconds, seed=self.seed, workers=self.workers)

    def _place_all(self) -> None:
        """A first packing on all hosts there are, where those in limited number left the starts without one."""
        instance = self.instance
        if len(instance.pools) > 1:
            return
        left = unused(instance, self.incumbent.anchors)
        able = [own[-1] for own in instance.families]  # Of ways of licensing the last one covers most.
        hosts = [OpenHost(kind=c, pool=0) for c in able for _ in range(int(left[c]))]
        waiting = instance.count.copy()
        for host in self.incumbent.anchors:
            for s, n in host.items.items():
                waiting[s] -= n
        if not waiting[instance.coupled].any():
            self._attempt([*self.incumbent.anchors, *hosts], waiting, MOST_SLICES)

    def _attempt(
        self, hosts: list[OpenHost], waiting: np.ndarray, slices: int, instance: Instance | None = None
    ) -> bool:
        """Try to place what waits on some hosts, by the rules of an instance; whether that gave a better packing."""
        if len(hosts) * longest(self.instance) > MOST_PLACES:
            return False
        self.attempts += 1
        attempt = Attempt(instance or self.instance, hosts, waiting, self.seed + self.attempts)
        if not attempt.run(self.clock, min(self.until, self.clock.seconds + self.patience), slices):
            return False
        attempt.cheapen()
        hosts = greedy.cheapened(self.instance, attempt.result())
        return self.incumbent.offer(Packing(hosts=tuple(hosts)), "repacking")

    def _shrink(self, slices: int) -> None:
        """Take hosts away while the others can take their items: several at once while that works."""
        step = 1 << 30
        while not self.over:
            running = [host for host in self.incumbent.packing.hosts if host.items]
            free = [host for host in running if not self._rooted(host)]
            if len(running) < 2 or not free:
                return
            step = max(
                min(step, (self.incumbent.value - self.incumbent.bound) // (4 * self._dearest()), len(free) // 2), 1
            )
            if self._without(running, free, step, slices):
                continue
            if step == 1:
                return
            step //= 4

    def _rooted(self, host: OpenHost) -> bool:
        """Whether a host carries items that repacking leaves where they are."""
        spread = [law.amount for law in self.instance.spreads]
        return any(amount[s] and self.instance.count[s] > 1 for amount in spread for s in host.items)

    def _dearest(self) -> int:
        return max(int(self.instance.opening.max()), 1)

    def _without(self, running: list[OpenHost], free: list[OpenHost], number: int, slices: int) -> bool:
        """Try to do without those of the free hosts that carry least for their cost."""
        instance = self.instance
        relative = instance.demand / np.maximum(instance.capacity.max(axis=0), 1)
        size = relative.sum(axis=1)
        carried = np.array([sum(size[s] * n for s, n in host.items.items()) for host in free])
        cost = np.array([max(int(instance.opening[host.kind]), 1) for host in free], dtype=float)
        random = np.random.default_rng(self.seed + self.attempts)
        rank = np.argsort(carried / cost * np.exp(random.normal(0.0, 0.1 if self.attempts else 0.0, len(free))))
        waiting = np.zeros(len(instance.count), dtype="int64")
        gone = [free[at] for at in rank[:number].tolist()]
        for host in gone:
            for s, n in host.items.items():
                waiting[s] += n
        away = {id(host) for host in gone}
        rest = self._completed([host for host in running if id(host) not in away])
        return rest is not None and self._attempt(rest, waiting, slices)

    def _completed(self, hosts: list[OpenHost]) -> list[OpenHost] | None:
        """Some hosts with those that a share in reserve still needs, to pack into; None where they are no better."""
        if self.instance.failover_mode != "share" or not self.instance.failover_hosts:
            return hosts
        complete = with_reserve(self.instance, Packing(hosts=tuple(hosts)))
        if complete is None or complete.rank(self.instance) >= self.incumbent.packing.rank(self.instance):
            return None
        return list(complete.hosts)

    def _remix(self, slices: int) -> None:
        """Pack into mixes of hosts that cover the demand with some room to spare, the cheapest that works."""
        if len(self.instance.available) == 1 or len(self.instance.count) > MOST_SHAPES or self.over:
            return
        low, high = 0.0, 0.2
        while high - low > 0.002 and not self.over and self.clock.seconds < self.turn:
            surplus = (low + high) / 2
            mix = self._roomier(surplus)
            if mix.any() and not self._into(mix, slices):
                low = surplus
            else:
                high = surplus
        if self.in_parts is not None and not self.over and self.clock.seconds < self.turn:
            self._into(self.incumbent.cover.mix, slices)

    def _take_turn(self) -> None:
        """From now on mixes of hosts are tried for a share of the time."""
        self.turn = self.clock.seconds + REMIXING * self._seconds

    def _roomier(self, surplus: float) -> np.ndarray:
        """Hosts [C, P] that cover what is known with room to spare, for less than the best packing; none where none."""
        known, most = self.incumbent.weightings, self.incumbent.value - 1
        asked = np.array([surplus if w.method in ("volume", METHOD) else 0.0 for w in known])
        return bounds.cover(
            self.instance, known, seed=self.seed, most_value=most, surplus=asked, effort=QUICK_COVER
        ).mix

    def _into(self, mix: np.ndarray, slices: int) -> bool:
        """Try to pack everything into a mix of hosts, items near where they cost least first.

        A mix that was tried in vain is tried again with more slices alone.
        """
        if self.vain.get(mix.tobytes(), 0) >= slices:
            return False
        self.vain[mix.tobytes()] = slices
        if self.in_parts is not None and not self.instance.coupled.any():
            try:
                found = self.in_parts.solve(mix)
            except Stalled:
                self.in_parts = None
            else:
                hosts, waiting = greedy.filled_kinds(self.instance, mix, found.whole, lambda: self.over)
                cheap = found.excess <= NEARLY * found.price[:, None]
                near = replace(self.instance, allowed=self.instance.allowed & cheap)
                return any(self._attempt(hosts, waiting, slices, instance) for instance in (near, self.instance))
        hosts, waiting = greedy.filled_mix(self.instance, mix, 1.0, lambda: self.over, self.incumbent.anchors)
        return self._attempt(hosts, waiting, slices)

    def _by_turns(self, near: Neighbourhoods) -> None:
        """Mixes of hosts with ever more patience, a few hosts at a time as long as that helps, and more cuts.

        Items in parts have said what column generation would: where hosts carry many, its programs stay where they
        begin.
        """
        self.turn, useful = self.until, True
        while not self.over and self.patience < self._seconds:
            self.patience *= 2
            self._remix(MOST_SLICES)
            self._shrink(MOST_SLICES)
            useful = useful and near.run(self.clock.seconds + NEAR * self._seconds)
            if self.in_parts is not None:
                self._take_in_parts(NEAR)

    def _generate(self) -> None:
        """Column generation, then dives between attempts at repacking."""
        if self.over or len(self.instance.count) > MOST_SHAPES:
            return
        coarse = len(self.instance.count) > MOST_ROWS
        rows = features(self.instance) if coarse else None
        prices = None if self.in_parts is None else self.in_parts.first.price
        generation = Generation(self.incumbent, self.clock, self.seed, rows, prices)
        for alpha in greedy.ALPHAS[:3]:
            packing = (
                None
                if self.over
                else greedy.filled(self.instance, alpha, lambda: self.over, anchors=self.incumbent.anchors)
            )
            if packing is not None:
                generation.seed_patterns(packing)
        generation.seed_patterns(self.incumbent.packing)
        generation.run(self._seconds * 0.6)
        random, dives = np.random.default_rng(self.seed), 0
        counts = self._counts
        while not self.over and not coarse:
            dive = Dive(generation, random, 0.3 if dives else 0.0, lambda: self.over)
            packing = dive.run(self.incumbent.value - 1 - standing_by(self.instance))
            dives += 1
            if packing is not None:
                self.incumbent.offer(packing, "diving")
            if not self.over:
                self._shrink(10 * dives)
                self._take_turn()
                self._remix(SOME_SLICES * dives)
            if not self.over and counts <= SOME_COUNTS:
                cpsat.improve(
                    self.incumbent, self.clock, self._seconds, seed=self.seed, workers=self.workers, effort=dives
                )
