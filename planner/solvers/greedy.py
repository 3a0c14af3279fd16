"""Starts: bin-centric filling, first- and best-fit decreasing, by shape and count, over mixed hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from planner.solvers.instance import Instance
from planner.solvers.kernels import load as load_kernels
from planner.solvers.packing import OpenHost, Packing, load, unused

ALPHAS = (1.5, 1.0, 0.5, 2.0, 3.0)
"""How much turning away from the direction of what is left costs, the usually best first."""

CHUNK, QUICK_CHUNK = 5_000, 500
"""Shapes that compete for one host; more are packed chunk by chunk, what fills no host well going on to the next. The
first packing of so many has small chunks, to be there soon."""

MOST_LOOKS = 5e6
"""Shapes times hosts beyond which first and best fit are left out."""


def packings(
    instance: Instance, mix: np.ndarray | None, over: Callable[[], bool], anchors: Sequence[OpenHost] = ()
) -> Iterator[tuple[str, Packing]]:
    """Packings by several rules, the usually best first; none where a rule runs out of hosts.

    Parameters
    ----------
    instance : Instance
    mix : array of int, shape [C, P], optional
        How many hosts of each class to open first in each pool, from the covering bound.
    over : callable
        Whether to give up; asked before every host.
    anchors : sequence of OpenHost
        Hosts that carry the coupled items already; everything else is filled in around those.

    Yields
    ------
    (str, Packing)
        The name of the rule and what it gave.
    """
    mixes = [None] if mix is None or len(instance.available) == 1 else [mix, None]
    needed = (instance.demand * instance.count[:, None]).sum(axis=0) / np.maximum(instance.capacity.max(axis=0), 1)
    if len(instance.demand) > CHUNK:
        packing = filled(instance, ALPHAS[0], over, mixes[0], QUICK_CHUNK, anchors)
        if packing is not None:
            yield "bin-centric filling", packing
    for alpha in ALPHAS if len(instance.demand) <= 4 * CHUNK else ALPHAS[:3]:
        for wanted in mixes:
            packing = filled(instance, alpha, over, wanted, anchors=anchors)
            if packing is not None:
                yield "bin-centric filling", packing
    if len(instance.demand) * needed.max() > MOST_LOOKS or anchors:
        return
    for best in (True, False):
        for name, key in _keys(instance).items():
            for wanted in mixes:
                if over():
                    return
                packing = fitted(instance, np.argsort(-key, kind="stable"), best, wanted)
                if packing is not None:
                    yield f"{'best' if best else 'first'}-fit decreasing by {name}", packing


def _keys(instance: Instance) -> dict[str, np.ndarray]:
    """Sizes of shapes to sort by, each of shape [S]: relative to the largest capacity and to what is scarce."""
    relative = instance.demand / np.maximum(instance.capacity.max(axis=0), 1)
    scarcity = (relative * instance.count[:, None]).sum(axis=0)
    weighted = relative * (scarcity / max(scarcity.max(), 1e-12))
    return {
        "weighted sum": weighted.sum(axis=1),
        "largest share": relative.max(axis=1),
        "sum": relative.sum(axis=1),
        "scarcest resource": relative[:, int(np.argmax(scarcity))] + 1e-3 * weighted.sum(axis=1),
    }


def filled(
    instance: Instance,
    alpha: float,
    over: Callable[[], bool],
    mix: np.ndarray | None = None,
    chunk_size: int = CHUNK,
    anchors: Sequence[OpenHost] = (),
) -> Packing | None:
    """Hosts filled one after another, each along the direction of what is left to place; None where `over` or short.

    Anchors are filled up first. Where a mix is given its hosts follow, the largest before the smaller ones; then, and
    without a mix, the class that carries most for its cost is opened.
    """
    kernels = load_kernels("filling", instance.items)
    remaining, hosts = filled_up(instance, anchors, instance.count, alpha, over)
    left = unused(instance, hosts)
    mix = None if mix is None else beyond(instance, mix, hosts)
    preference = _preference(instance)
    for p in range(len(instance.pools)):
        inside = np.flatnonzero(instance.pool == p)
        queue = iter([] if mix is None else [c for c in _by_size(instance) for _ in range(int(mix[c, p]))])
        chunks = np.array_split(_dealt(instance, inside, chunk_size), -(-len(inside) // chunk_size))
        shapes = inside[:0]
        for number, chunk in enumerate(chunks, start=1):
            shapes, keep = np.concatenate([shapes, chunk]), number < len(chunks)
            if not _fill_chunk(
                instance, kernels, shapes, p, alpha, queue, preference, remaining, left, hosts, keep, over
            ):
                return None
            shapes = shapes[remaining[shapes] > 0]
    return Packing(hosts=tuple(cheapened(instance, hosts)))


def filled_mix(
    instance: Instance, mix: np.ndarray, alpha: float, over: Callable[[], bool], anchors: Sequence[OpenHost] = ()
) -> tuple[list[OpenHost], np.ndarray]:
    """The hosts of a mix filled as far as that goes until `over`, and how many items of each shape are left: [S]."""
    mix = beyond(instance, mix, anchors)
    new = [
        OpenHost(kind=kind, pool=p)
        for p in range(len(instance.pools))
        for kind in _by_size(instance)
        for _ in range(int(mix[kind, p]))
    ]
    remaining, hosts = filled_up(instance, [*anchors, *new], instance.count, alpha, over)
    return hosts, remaining


def filled_kinds(
    instance: Instance, mix: np.ndarray, number: np.ndarray, over: Callable[[], bool]
) -> tuple[list[OpenHost], np.ndarray]:
    """A mix of hosts [C, P] filled with so many items [S, C] of each class, and how many items have no host: [S]."""
    hosts, waiting = [], instance.count - number.sum(axis=1)
    for kind in np.flatnonzero(mix.any(axis=1)).tolist():
        new = [OpenHost(kind=kind, pool=p) for p in range(len(instance.pools)) for _ in range(int(mix[kind, p]))]
        remaining, full = filled_up(instance, new, number[:, kind], ALPHAS[1], over)
        hosts, waiting = hosts + full, waiting + remaining
    return hosts, waiting


def beyond(instance: Instance, mix: np.ndarray, hosts: Sequence[OpenHost]) -> np.ndarray:
    """What a mix of hosts [C, P] has beyond some that are open."""
    mix = mix.copy()
    for host in hosts:
        mix[host.kind, host.pool] = max(mix[host.kind, host.pool] - 1, 0)
    return mix


def filled_up(
    instance: Instance, hosts: Sequence[OpenHost], count: np.ndarray, alpha: float, over: Callable[[], bool]
) -> tuple[np.ndarray, list[OpenHost]]:
    """Hosts with what they carry and what else fits, filled until `over`, and how many items are left then: [S]."""
    kernels = load_kernels("filling", instance.items)
    remaining = count.copy()
    for host in hosts:
        for s, n in host.items.items():
            remaining[s] -= n
    rooms = {c: Room(instance, c) for c in {host.kind for host in hosts}}
    full = []
    for host in hosts:
        inside = (remaining > 0) & (instance.pool == host.pool) & instance.fits[:, host.kind] & ~instance.coupled
        candidates, items = np.flatnonzero(inside), dict(host.items)
        if len(candidates) and not over():
            room = rooms[host.kind]
            rest = (room.share[candidates] * remaining[candidates, None]).sum(axis=0)
            chosen = np.zeros(int(remaining[candidates].sum()), dtype="int64")
            number = room.fill(kernels, candidates, rest, remaining, alpha, chosen, items)
            for s, n in zip(*(x.tolist() for x in np.unique(chosen[:number], return_counts=True)), strict=True):
                items[s] = items.get(s, 0) + n
        full.append(OpenHost(kind=host.kind, pool=host.pool, items=items))
    return remaining, full


def _dealt(instance: Instance, shapes: np.ndarray, chunk_size: int) -> np.ndarray:
    """Shapes in an order that gives every chunk its fair share of large and small ones."""
    chunks = -(-len(shapes) // chunk_size)
    if chunks <= 1:
        return shapes
    relative = (instance.demand[shapes] / np.maximum(instance.capacity.max(axis=0), 1)).sum(axis=1)
    by_size = shapes[np.argsort(-relative, kind="stable")]
    return np.concatenate([by_size[n::chunks] for n in range(chunks)])


def _by_size(instance: Instance) -> list[int]:
    size = (instance.capacity / np.maximum(instance.capacity.max(axis=0), 1)).sum(axis=1)
    return np.argsort(-size, kind="stable").tolist()


def _fill_chunk(instance, kernels, shapes, pool, alpha, queue, preference, remaining, left, hosts, keep, over) -> bool:
    """Place what remains of some shapes of a pool, a few hosts' worth left over if `keep`; whether hosts sufficed."""
    longest = int(remaining[shapes].sum())
    chosen = np.zeros(longest, dtype="int64")
    classes = {c: Room(instance, c) for c in range(len(instance.available))}
    while longest > 0:
        if over():
            return False
        kind = next((c for c in queue if left[c] > 0), None)
        options = preference if kind is None else [kind]
        for kind in options:
            if left[kind] == 0:
                continue
            room = classes[kind]
            candidates = shapes[(remaining[shapes] > 0) & instance.fits[shapes, kind]]
            number = 0
            if len(candidates):
                rest = room.share[candidates] * remaining[candidates, None]
                number = room.fill(kernels, candidates, rest.sum(axis=0), remaining, alpha, chosen)
            if number:
                shapes_chosen, numbers = np.unique(chosen[:number], return_counts=True)
                items = dict(zip(shapes_chosen.tolist(), numbers.tolist(), strict=True))
                hosts.append(OpenHost(kind=kind, pool=pool, items=items))
                left[instance.kin[kind]] -= 1
                longest -= number
                if keep and longest < 3 * number:
                    return True
                break
        else:
            if options is preference:
                return False
    return True


class Room:
    """A host class as the filling kernel sees it."""

    def __init__(self, instance: Instance, kind: int):
        self.instance = instance
        self.capacity = instance.capacity[kind]
        self.share = instance.demand / np.maximum(self.capacity, 1)
        self.alike = bool((instance.reach == instance.reach[0]).all())
        self.free = self.capacity.copy()
        self.taken = np.zeros(2 * len(instance.limit), dtype="int64")

    def fill(self, kernels, candidates, rest, remaining, alpha, chosen, items=None) -> int:
        """Fill a host that carries some items already; how many items were chosen.

        Items that may run on fewer hosts than others go first: the others find room elsewhere.

        Parameters
        ----------
        kernels : module
            Those of ``filling``.
        candidates : array of int
            Shapes that may run on the host; overwritten.
        rest : array of float, shape [R]
            What is left to place, in shares of the host: the direction to fill along.
        remaining : array of int, shape [S]
            Items left of each shape; reduced by what is chosen.
        alpha : float
        chosen : array of int
            Receives the shapes chosen.
        items : dict, optional
            What the host carries already.
        """
        items, number = dict(items or {}), 0
        if self.alike:
            return self._fill(kernels, candidates, rest, remaining, alpha, chosen, items)
        reach = self.instance.reach[candidates]
        for level in np.unique(reach):
            more = self._fill(kernels, candidates[reach == level], rest, remaining, alpha, chosen[number:], items)
            for s in chosen[number : number + more].tolist():
                items[s] = items.get(s, 0) + 1
            number += more
        return number

    def _fill(self, kernels, candidates, rest, remaining, alpha, chosen, items) -> int:
        """Fill with some candidates what others left."""
        instance = self.instance
        length = float(np.linalg.norm(rest))
        direction = rest / length if length > 0 else np.full(len(rest), len(rest) ** -0.5)
        self.free[:] = self.capacity
        self.taken[:] = 0
        for s, n in items.items():
            self.free -= n * instance.demand[s]
            kernels.take_group(s, instance.groups, instance.zone, self.taken, n)
        return kernels.fill_host(
            candidates, instance.demand, self.share, instance.groups, instance.limit, instance.zone,
            remaining, self.capacity, self.free, self.taken, direction, alpha, chosen,
        )  # fmt: skip


def fitted(instance: Instance, order: np.ndarray, best: bool, mix: np.ndarray | None) -> Packing | None:
    """First or best fit of the shapes in an order; None where the hosts do not suffice."""
    kernels = load_kernels("filling", instance.items)
    rows = min(instance.items + (0 if mix is None else int(mix.sum())), int(instance.stock.sum()))
    kind, pool = np.zeros(rows, dtype="int64"), np.zeros(rows, dtype="int64")
    left, opened = instance.stock.copy(), 0
    if mix is not None:
        kinds, pools = np.nonzero(mix)
        opened = int(mix.sum())
        kind[:opened], pool[:opened] = np.repeat(kinds, mix[kinds, pools]), np.repeat(pools, mix[kinds, pools])
        np.subtract.at(left, instance.purse, mix.sum(axis=1))
    free = instance.capacity[kind]
    members = np.zeros(len(instance.limit), dtype="int64")
    np.add.at(
        members, instance.groups[instance.groups >= 0], np.repeat(instance.count, (instance.groups >= 0).sum(axis=1))
    )
    begins = np.cumsum(members) - members
    at, shape, number = (np.zeros(instance.items, dtype="int64") for _ in range(3))
    placed, opened, missing = kernels.fit_all(
        order, instance.demand, instance.count, instance.pool, instance.groups, instance.limit, instance.zone,
        begins, np.zeros(int(members.sum()), dtype="int64"), np.zeros(len(members), dtype="int64"),
        instance.fits, instance.capacity, np.array(_preference(instance)), left, instance.purse, opened,
        kind, pool, free, 1.0 / np.maximum(instance.capacity.max(axis=0), 1), best, at, shape, number,
    )  # fmt: skip
    if missing:
        return None
    hosts = [OpenHost(kind=c, pool=p) for c, p in zip(kind[:opened].tolist(), pool[:opened].tolist(), strict=True)]
    for b, s, n in zip(at[:placed].tolist(), shape[:placed].tolist(), number[:placed].tolist(), strict=True):
        hosts[b].items[s] = hosts[b].items.get(s, 0) + n
    return Packing(hosts=tuple(cheapened(instance, [host for host in hosts if host.items])))


def _preference(instance: Instance) -> list[int]:
    """Host classes in the order in which to open them: least cost for the average mix of demand that fits."""
    average = (instance.demand * instance.count[:, None]).sum(axis=0) / instance.count.sum()
    needed = average > 0
    average_items = (instance.capacity[:, needed] / average[needed]).min(axis=1) if needed.any() else instance.available
    fit = np.maximum(average_items, 1e-9)
    cost, purchase = instance.opening / fit, instance.tiebreak / fit
    return np.lexsort((-fit, purchase, np.round(cost, 9))).tolist()


def cheapened(instance: Instance, hosts: list[OpenHost]) -> list[OpenHost]:
    """Each host made the cheapest class that still carries what it has and that is available."""
    if len(instance.available) == 1:
        return hosts
    left = unused(instance, hosts)
    loads = [load(instance, host) for host in hosts]
    placed = np.any([law.amount > 0 for law in instance.spreads] or [instance.count < 0], axis=0)
    for host, carried in sorted(zip(hosts, loads, strict=True), key=lambda pair: tuple(pair[1])):
        shapes = list(host.items)
        numbers = np.array([host.items[s] for s in shapes])
        able = (instance.capacity >= carried).all(axis=1) & instance.allowed[shapes].all(axis=0)
        free = (left > 0) & (not placed[shapes].any())  # Where items are spread over places: it may stand elsewhere.
        able &= free | (instance.family == instance.family[host.kind])
        able[host.kind] = True
        cost = instance.opening + numbers @ instance.placing[shapes]
        best = min(np.flatnonzero(able).tolist(), key=lambda c: (cost[c], instance.tiebreak[c], c != host.kind))
        left[instance.kin[host.kind]] += 1
        left[instance.kin[best]] -= 1
        host.kind = best
    return hosts
