"""Rights: which hosts a plan licenses whole, and which workloads by themselves, where editions of a product do either.

A workload with a licence of its own takes it wherever it runs. One without runs only on hosts that are licensed whole,
in every failure whose restarts the plan tells too.
"""

from __future__ import annotations

from collections import deque

import numpy as np


def rights(fee: np.ndarray, cost: np.ndarray, w: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest way to license workloads of a product on all hosts that carry them in some case.

    ``cost = sum of cost[h] over whole hosts + sum of fee[w] over workloads with a seat on any host that is not whole``

    Parameters
    ----------
    fee : array of int, shape [W]
        Whole small units for licensing each workload by itself.
    cost : array of float, shape [N]
        Whole small units for licensing each host whole; infinite where no edition does that.
    w, h : array of int, shape [M]
        Seats: each workload that needs the product with each host that carries it in some case.

    Returns
    -------
    (array of bool [N], array of bool [W])
        Hosts that are licensed whole, and workloads that are licensed by themselves. Of ways that cost the same the one
        with the fewest whole hosts.

    Examples
    --------
    Five workloads run on one host and restart on another: a licence for both hosts costs more than one for each.

    >>> seats = np.repeat(np.arange(5), 2), np.tile([0, 1], 5)
    >>> whole, own = rights(np.full(5, 10), np.array([35, 35]), *seats)
    >>> whole.tolist(), int(own.sum())
    ([False, False], 5)
    >>> rights(np.full(5, 20), np.array([35, 35]), *seats)[0].tolist()
    [True, True]
    """
    order = np.lexsort((h, w))
    known, begins = np.unique(w[order], return_index=True)
    fees: dict[tuple[int, ...], int] = {}
    for one, hosts in zip(known.tolist(), np.split(h[order], begins[1:]) if len(known) else (), strict=True):
        seats = tuple(hosts.tolist())
        fees[seats] = fees.get(seats, 0) + int(fee[one])
    whole, own = np.zeros(len(cost), dtype=bool), np.zeros(len(fee), dtype=bool)
    whole[_whole(fees, cost.tolist())] = True
    np.logical_or.at(own, w, ~whole[h])
    return whole, own


def _whole(fees: dict[tuple[int, ...], int], room: list[float]) -> list[int]:
    """Hosts to license whole, given the fees of workloads by the hosts that carry them: a minimum cut.

    Fees flow to hosts, no more to each than it costs whole. Where some find no room, their hosts pay
    (Picard 1976, doi:10.1287/mnsc.22.11.1268).
    """
    paid: list[dict[tuple[int, ...], int]] = [{} for _ in room]
    whole: set[int] = set()
    for seats, left in fees.items():
        while left > 0 and not whole.issuperset(seats):
            end, reached = _room(seats, room, paid, whole)
            if end is None:
                whole.update(reached)
                break
            path = [(end, *reached[end])]
            while path[-1][1] is not None:
                path.append((path[-1][1], *reached[path[-1][1]]))
            amount = min([left, room[end], *(paid[before][via] for _, before, via in path[:-1])])
            for host, before, via in path:
                paid[host][via] = paid[host].get(via, 0) + amount
                if before is not None:
                    paid[before][via] -= amount
            room[end] -= amount
            left -= amount
    return sorted(whole)


def _room(
    seats: tuple[int, ...], room: list[float], paid: list[dict], whole: set[int]
) -> tuple[int | None, dict[int, tuple[int | None, tuple[int, ...]]]]:
    """The nearest host with room for fees of some seats, others' fees moved on for it; how each host is reached.

    Returns
    -------
    (int or None, dict of int to tuple)
        The host, and for each that is reached the one before it and whose fees would move from there.
    """
    reached = {host: (None, seats) for host in seats if host not in whole}
    waiting = deque(reached)
    while waiting:
        host = waiting.popleft()
        if room[host] > 0:
            return host, reached
        for via, amount in paid[host].items():
            for other in via if amount else ():
                if other not in reached and other not in whole:
                    reached[other] = host, via
                    waiting.append(other)
    return None, reached
