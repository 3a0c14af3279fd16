"""Diving: whole patterns taken from the linear program one after another, new ones generated for what is left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from planner.solvers.colgen import Generation
from planner.solvers.greedy import ALPHAS, Room, filled_up
from planner.solvers.master import Solution
from planner.solvers.packing import OpenHost, Packing
from planner.solvers.pricing import Pattern, Prices

QUICK, EXACT = 6, 3
"""Rounds of quick and of exact pricing at most, between two decisions."""

RETURNS = 30
"""Decisions that one dive takes back at most."""


class Dive:
    """One dive: decisions made so far and what they leave to place.

    Parameters
    ----------
    generation : Generation
    random : numpy.random.Generator
    spread : float
        How far the choice of the next pattern may stray from the most used one; 0 for the first dive.
    over : callable
        Whether the dive must end.
    """

    def __init__(self, generation: Generation, random: np.random.Generator, spread: float, over: Callable[[], bool]):
        self.generation, self.instance = generation, generation.instance
        self.random, self.spread, self.over = random, spread, over
        self.left = self.instance.count.copy()
        self.available = self.instance.available.copy()
        self.hosts: list[OpenHost] = []
        self.rooms = {kind: Room(self.instance, kind) for kind, _ in generation.pricer.pairs}
        self.cost = 0
        self._anchor()

    def _anchor(self) -> None:
        """Take over the hosts of the best packing that carry coupled items: patterns know no rule across hosts."""
        incumbent, coupled = self.generation.incumbent, self.instance.coupled
        if not coupled.any():
            return
        if incumbent.packing is not None:
            known = incumbent.packing.hosts
        else:
            _, known = filled_up(self.instance, incumbent.anchors, self.instance.count, ALPHAS[1], self.over)
        for host in known:
            if host.items and coupled[[*host.items]].any():
                self.hosts.append(OpenHost(kind=host.kind, pool=host.pool, items=dict(host.items)))
                self.available[self.instance.kin[host.kind]] -= 1
                for s, n in host.items.items():
                    self.left[s] -= n
        self.cost = Packing(hosts=tuple(self.hosts)).value(self.instance)

    def run(self, most_value: int) -> Packing | None:
        """Decide until everything is placed, for at most `most_value`; None where that fails or time is up.

        A decision after which the linear program costs too much is taken back, and the next best one is made.
        """
        returns = 0
        self.generation.trim(self.generation.master.solve())
        before: list[tuple] = []
        try:
            while self.left.any():
                self.generation.master.require(self.left, self.available, self.hosts)
                solution = self._priced(most_value)
                if self.over():
                    return None
                if solution is None:
                    if not before or returns == RETURNS:
                        return None
                    returns += 1
                    solution, refused = self._back(before.pop())
                else:
                    refused = ()
                state = self._state()
                chosen = self._decide(solution, refused)
                if chosen is None:
                    return None
                before.append((*state, solution, (*refused, chosen)))
        finally:
            self.generation.master.require(self.instance.count, self.instance.available)
        return Packing(hosts=tuple(self.hosts))

    def _state(self) -> tuple:
        return self.left.copy(), self.available.copy(), len(self.hosts), self.cost

    def _back(self, state: tuple) -> tuple[Solution, tuple]:
        """Take the last decision back; the solution it was made from, and what was refused there."""
        self.left, self.available, hosts, self.cost, solution, refused = state
        del self.hosts[hosts:]
        return solution, refused

    def _priced(self, most_value: int) -> Solution | None:
        """The program for what is left, with new patterns while it costs too much; None where they do not help."""
        generation = self.generation
        solution = generation.master.solve()
        for turn in range(QUICK + EXACT):
            if self._within(solution, most_value):
                return solution
            if turn < QUICK:
                added = generation.quick_round(solution, solution.duals, self.left)
            else:
                prices = Prices.of(solution.duals.items, generation.pricer.dearest)
                added, _ = generation.short_round(solution, prices, solution.duals, self.left)
            if self.over() or (not added and turn >= QUICK):
                return None
            solution = generation.master.solve() if added else solution
        return solution if self._within(solution, most_value) else None

    def _within(self, solution: Solution, most_value: int) -> bool:
        return solution.missing <= 1e-6 and self.cost + solution.value <= most_value + 1e-6 * max(1.0, solution.value)

    def _decide(self, solution: Solution, refused: tuple) -> Pattern | None:
        """Take the patterns that the program uses once or more, or the one it uses most; the last one taken."""
        chosen = None
        whole = np.flatnonzero(solution.use >= 1 - 1e-6)
        if len(whole) and not refused:
            for p in whole[np.argsort(-solution.use[whole], kind="stable")].tolist():
                for _ in range(int(solution.use[p] + 1e-6)):
                    if self._take(solution.patterns[p]):
                        chosen = solution.patterns[p]
        else:
            score = solution.use.copy()
            if self.spread:
                score *= np.exp(self.random.normal(0.0, self.spread, len(score)))
            for p in np.argsort(-score, kind="stable").tolist():
                if solution.use[p] <= 1e-6:
                    break
                open_to = all(solution.patterns[p] is not pattern for pattern in refused)
                if open_to and self._take(solution.patterns[p]):
                    return solution.patterns[p]
        # None: hosts that cost nothing may be in use without need. Such a dive has come to its end.
        return chosen

    def _take(self, pattern: Pattern) -> bool:
        """One host with the pattern, less what is placed already, filled up with what fits; whether it was taken."""
        numbers = np.minimum(pattern.numbers, self.left[pattern.shapes])
        if not numbers.any() or self.available[pattern.kind] == 0:
            return False
        items = {s: n for s, n in zip(pattern.shapes.tolist(), numbers.tolist(), strict=True) if n}
        self.left[pattern.shapes] -= numbers
        if (numbers < pattern.numbers).any():
            self._fill_up(pattern, items)
        self.available[self.instance.kin[pattern.kind]] -= 1
        host = OpenHost(kind=pattern.kind, pool=pattern.pool, items=items)
        self.hosts.append(host)
        self.cost += Packing(hosts=(host,)).value(self.instance)
        return True

    def _fill_up(self, pattern: Pattern, items: dict[int, int]) -> None:
        instance, room = self.instance, self.rooms[pattern.kind]
        inside = (self.left > 0) & (instance.pool == pattern.pool) & instance.fits[:, pattern.kind]
        candidates = np.flatnonzero(inside)
        if not len(candidates):
            return
        chosen = np.zeros(int(self.left[candidates].sum()), dtype="int64")
        rest = (room.share[candidates] * self.left[candidates, None]).sum(axis=0)
        number = room.fill(self.generation.filling, candidates, rest, self.left, 1.5, chosen, items)
        for s in chosen[:number].tolist():
            items[s] = items.get(s, 0) + 1
