"""Diving: whole patterns taken from the linear program one after another, new ones generated for what is left."""

from __future__ import annotations

import numpy as np

from planner.solvers.colgen import Generation, Solution
from planner.solvers.greedy import Room
from planner.solvers.packing import OpenHost, Packing
from planner.solvers.pricing import Pattern

ROUNDS = 4
"""Quick pricing rounds between two decisions."""


class Dive:
    """One dive: decisions made so far and what they leave to place.

    Parameters
    ----------
    generation : Generation
    random : numpy.random.Generator
    spread : float
        How far the choice of the next pattern may stray from the most used one; 0 for the first dive.
    """

    def __init__(self, generation: Generation, random: np.random.Generator, spread: float):
        self.generation, self.instance = generation, generation.instance
        self.random, self.spread = random, spread
        self.left = self.instance.count.copy()
        self.available = self.instance.available.copy()
        self.hosts: list[OpenHost] = []
        self.rooms = {kind: Room(self.instance, kind) for kind, _ in generation.pricer.pairs}
        self.cost = 0

    def run(self, most_value: int | None) -> Packing | None:
        """Decide until everything is placed; None where hosts run out, time is up or `most_value` is out of reach."""
        master, clock = self.generation.master, self.generation.clock
        try:
            while self.left.any():
                master.require(self.left, self.available)
                solution = self._priced()
                if clock.over or solution.missing > 1e-6:
                    return None
                reach = self.cost + np.ceil(solution.value - 1e-6 * max(1.0, solution.value))
                if most_value is not None and reach > most_value:
                    return None
                before = int(self.left.sum())
                self._decide(solution)
                if int(self.left.sum()) == before:  # Hosts that cost nothing may be in use without need.
                    return None
        finally:
            master.require(self.instance.count, self.instance.available)
        return Packing(hosts=tuple(self.hosts))

    def _priced(self) -> Solution:
        master = self.generation.master
        solution = master.solve()
        for _ in range(ROUNDS):
            if not self.generation.quick_round(solution, solution.duals, self.left, tries=6):
                break
            solution = master.solve()
        return solution

    def _decide(self, solution: Solution) -> None:
        """Take the patterns that the program uses once or more, or the one it uses most."""
        patterns = self.generation.master.patterns
        whole = np.flatnonzero(solution.use >= 1 - 1e-6)
        if len(whole):
            for p in whole[np.argsort(-solution.use[whole], kind="stable")].tolist():
                for _ in range(int(solution.use[p] + 1e-6)):
                    self._take(patterns[p])
            return
        score = solution.use.copy()
        if self.spread:
            score *= np.exp(self.random.normal(0.0, self.spread, len(score)))
        self._take(patterns[int(np.argmax(score))])

    def _take(self, pattern: Pattern) -> None:
        """One host with the pattern, less what is placed already, and filled up with what fits."""
        numbers = np.minimum(pattern.numbers, self.left[pattern.shapes])
        if not numbers.any() or self.available[pattern.kind] == 0:
            return
        items = {s: n for s, n in zip(pattern.shapes.tolist(), numbers.tolist(), strict=True) if n}
        self.left[pattern.shapes] -= numbers
        if (numbers < pattern.numbers).any():
            self._fill_up(pattern, items)
        self.available[pattern.kind] -= 1
        host = OpenHost(kind=pattern.kind, pool=pattern.pool, items=items)
        self.hosts.append(host)
        self.cost += Packing(hosts=(host,)).value(self.instance)

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
