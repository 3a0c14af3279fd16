"""Repacking on a given set of hosts: items without a host are put in by pushing lighter ones out, under a tabu."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.solvers.kernels.types import Bools, BoolTable, Floats, FloatTable, Ints, IntTable


def draw(state: Ints, below: int):
    """A whole number from 0 to below - 1."""
    state[0] = (state[0] * 1103515245 + 12345) % 2147483648
    return (state[0] >> 8) % below


def within_groups(
    s: int,
    b: int,
    out1: int,
    out2: int,
    also: int,
    shape: Ints,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    content: IntTable,
    size: Ints,
):
    """Whether host `b` may take one more item of shape `s`, and of shape `also` (-1 for none), by groups and zones."""
    for k in range(groups.shape[1]):
        g = groups[s, k]
        if g < 0:
            continue
        members = 1
        for at in range(-1, size[b]):
            j = -1 if at < 0 else content[b, at]
            other = also if at < 0 else shape[j]
            if other < 0 or (j >= 0 and j in (out1, out2)):
                continue
            for k2 in range(groups.shape[1]):
                g2 = groups[other, k2]
                if g2 == g:
                    members += 1
                elif g2 >= 0 and zone[g] >= 0 and zone[g2] == zone[g]:
                    return False
        if members > limit[g]:
            return False
    return True


def fits_with(
    s: int,
    b: int,
    out1: int,
    out2: int,
    shape: Ints,
    demand: IntTable,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    free: IntTable,
    content: IntTable,
    size: Ints,
):
    """Whether one more item of shape `s` fits on host `b` once items `out1` and `out2` (-1 for none) have left it."""
    for r in range(demand.shape[1]):
        room = free[b, r]
        if out1 >= 0:
            room += demand[shape[out1], r]
        if out2 >= 0:
            room += demand[shape[out2], r]
        if demand[s, r] > room:
            return False
    return within_groups(s, b, out1, out2, -1, shape, groups, limit, zone, content, size)


def take_off(
    i: int, shape: Ints, demand: IntTable, free: IntTable, content: IntTable, size: Ints, where: Ints, position: Ints
):
    """Take an item off its host."""
    b = where[i]
    last = content[b, size[b] - 1]
    content[b, position[i]] = last
    position[last] = position[i]
    size[b] -= 1
    for r in range(demand.shape[1]):
        free[b, r] += demand[shape[i], r]
    where[i] = -1


def put_on(
    i: int,
    b: int,
    shape: Ints,
    demand: IntTable,
    free: IntTable,
    content: IntTable,
    size: Ints,
    where: Ints,
    position: Ints,
):
    """Put an item on a host."""
    content[b, size[b]] = i
    position[i] = size[b]
    size[b] += 1
    for r in range(demand.shape[1]):
        free[b, r] -= demand[shape[i], r]
    where[i] = b


def exchange(
    shape: Ints,
    demand: IntTable,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    usable: BoolTable,
    kind: Ints,
    free: IntTable,
    content: IntTable,
    size: Ints,
    where: Ints,
    position: Ints,
    fixed: Bools,
    state: Ints,
    tries: int,
):
    """Exchange random pairs of items, none of them fixed, between hosts where both still fit."""
    items = len(shape)
    for _ in range(tries):
        i, j = draw(state, items), draw(state, items)
        a, b = where[i], where[j]
        if a < 0 or b < 0 or a == b or shape[i] == shape[j] or fixed[i] or fixed[j]:
            continue
        if not usable[shape[i], kind[b]] or not usable[shape[j], kind[a]]:
            continue
        if not fits_with(shape[i], b, j, -1, shape, demand, groups, limit, zone, free, content, size):
            continue
        if not fits_with(shape[j], a, i, -1, shape, demand, groups, limit, zone, free, content, size):
            continue
        take_off(i, shape, demand, free, content, size, where, position)
        take_off(j, shape, demand, free, content, size, where, position)
        put_on(i, b, shape, demand, free, content, size, where, position)
        put_on(j, a, shape, demand, free, content, size, where, position)


def repack(
    shape: Ints,
    demand: IntTable,
    weight: Floats,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    usable: BoolTable,
    kind: Ints,
    free: IntTable,
    content: IntTable,
    size: Ints,
    where: Ints,
    position: Ints,
    fixed: Bools,
    waiting: Ints,
    waiters: int,
    sample: int,
    steps: int,
    penalty: Floats,
    tabu: Ints,
    tabu_host: Ints,
    state: Ints,
):
    """Try to find a host for every item that waits, pushing out what weighs less.

    In each step one of the moves *in* (one or two waiting items) *out* (none, one or two items) of one host is made:
    the one after which the waiting items weigh least, unless it would bring an item back to a host that it left just
    before. Where no move lowers the weight, items that wait become heavier. Between steps items change hosts.

    Parameters
    ----------
    shape : array of int, shape [N]
        Shape of each item.
    weight : array of float, shape [S]
    usable : array of bool, shape [S, T]
    kind : array of int, shape [B]
        Type of each host.
    free : array of int, shape [B, R]
    content : array of int, shape [B, M]
        Items on each host; `size` of them count.
    where, position : arrays of int, shape [N]
        Host of each item, -1 where it waits, and its place in `content`.
    fixed : array of bool, shape [N]
        Items that stay on their hosts.
    waiting : array of int, shape [N]
        Items without a host; the first `waiters` count.
    sample : int
        How many hosts are looked at in a step.
    steps : int
    penalty, tabu, tabu_host : arrays, shape [N]
        Factors on the items' weights; until which step an item may not return to which host.
    state : array of int
        Random state, and the number of steps made so far.

    Returns
    -------
    (int, float)
        How many items wait at the end, and the least weight that waited, by the weights without factors.
    """
    hosts = len(kind)
    lightest = 1e300
    for _ in range(steps):
        if waiters == 0:
            break
        state[1] += 1
        now = state[1]
        t1 = waiting[draw(state, waiters)]
        s1 = shape[t1]
        gain1 = weight[s1] * penalty[t1]
        first = draw(state, hosts)
        best, best_host, best_out1, best_out2, best_in2, ties = 1e300, -1, -1, -1, -1, 1
        for n in range(min(sample, hosts)):
            b = first + n
            if b >= hosts:
                b -= hosts
            if not usable[s1, kind[b]] or (tabu_host[t1] == b and tabu[t1] > now):
                continue
            if fits_with(s1, b, -1, -1, shape, demand, groups, limit, zone, free, content, size):
                best, best_host, best_out1, best_out2, best_in2 = -1e300, b, -1, -1, -1
                break
            for at in range(size[b]):
                j = content[b, at]
                out = weight[shape[j]] * penalty[j]
                if out - gain1 > best or fixed[j]:
                    continue
                if fits_with(s1, b, j, -1, shape, demand, groups, limit, zone, free, content, size):
                    delta, in2 = out - gain1, -1
                    for w in range(min(waiters, 16)):
                        t2 = waiting[w]
                        s2 = shape[t2]
                        if t2 == t1 or not usable[s2, kind[b]] or delta - weight[s2] * penalty[t2] >= best:
                            continue
                        fits = True
                        for r in range(demand.shape[1]):
                            if demand[s1, r] + demand[s2, r] > free[b, r] + demand[shape[j], r]:
                                fits = False
                                break
                        heavier = in2 < 0 or weight[s2] * penalty[t2] > weight[shape[in2]] * penalty[in2]
                        if (
                            fits
                            and heavier
                            and within_groups(s2, b, j, -1, s1, shape, groups, limit, zone, content, size)
                        ):
                            in2 = t2
                    if in2 >= 0:
                        delta -= weight[shape[in2]] * penalty[in2]
                    if delta < best:
                        ties = 1
                    elif delta == best:
                        ties += 1
                    if delta < best or (delta == best and draw(state, ties) == 0):
                        best, best_host, best_out1, best_out2, best_in2 = delta, b, j, -1, in2
                    continue
                for at2 in range(at):
                    j2 = content[b, at2]
                    delta = out + weight[shape[j2]] * penalty[j2] - gain1
                    if fixed[j2]:
                        continue
                    if delta < best and fits_with(
                        s1, b, j, j2, shape, demand, groups, limit, zone, free, content, size
                    ):
                        best, best_host, best_out1, best_out2, best_in2, ties = delta, b, j, j2, -1, 1
        if best_host >= 0:
            for out in (best_out1, best_out2):
                if out >= 0:
                    take_off(out, shape, demand, free, content, size, where, position)
                    tabu[out], tabu_host[out] = now + 4 + draw(state, 8), best_host
                    waiting[waiters] = out
                    waiters += 1
            for into in (t1, best_in2):
                if into >= 0:
                    put_on(into, best_host, shape, demand, free, content, size, where, position)
                    for w in range(waiters):
                        if waiting[w] == into:
                            waiters -= 1
                            waiting[w] = waiting[waiters]
                            break
        if best >= 0.0:
            penalty[t1] += 0.1
        total = 0.0
        for w in range(waiters):
            total += weight[shape[waiting[w]]]
        if total < lightest:
            lightest = total
        exchange(
            shape, demand, groups, limit, zone, usable, kind, free, content, size, where, position, fixed, state, 4
        )
    return waiters, lightest


def drawn(n: int, hosts: int, where: Ints, state: Ints):
    """A random item, and a random host to move it to; every other time the host of a random item to exchange it for."""
    i = draw(state, len(where))
    if n % 2 == 0:
        return i, draw(state, hosts), -1
    j = draw(state, len(where))
    return i, where[j], j


def change_places(
    i: int,
    b: int,
    j: int,
    shape: Ints,
    demand: IntTable,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    free: IntTable,
    content: IntTable,
    size: Ints,
    where: Ints,
    position: Ints,
):
    """Move an item to a host, in exchange for one of its items unless that is -1, where both fit then."""
    a = where[i]
    if not fits_with(shape[i], b, j, -1, shape, demand, groups, limit, zone, free, content, size):
        return
    if j >= 0 and not fits_with(shape[j], a, i, -1, shape, demand, groups, limit, zone, free, content, size):
        return
    take_off(i, shape, demand, free, content, size, where, position)
    if j >= 0:
        take_off(j, shape, demand, free, content, size, where, position)
        put_on(j, a, shape, demand, free, content, size, where, position)
    put_on(i, b, shape, demand, free, content, size, where, position)


def unevenness(b: int, s: int, sign: int, demand: IntTable, share: FloatTable, free: IntTable, kind: Ints):
    """By how much the sum of the squared shares in use on host `b` changes with one item of shape `s` more or less."""
    change = 0.0
    for r in range(demand.shape[1]):
        part = share[kind[b], r]
        own = sign * demand[s, r] * part
        change += own * (2.0 * (1.0 - free[b, r] * part) + own)
    return change


def even_out(
    shape: Ints,
    demand: IntTable,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    share: FloatTable,
    kind: Ints,
    free: IntTable,
    content: IntTable,
    size: Ints,
    where: Ints,
    position: Ints,
    fixed: Bools,
    state: Ints,
    tries: int,
):
    """Move random items, and exchange random pairs, between hosts of a type where that evens out what is in use.

    Parameters
    ----------
    share : array of float, shape [T, R]
        One over the capacity of each type of host.
    """
    hosts = len(kind)
    for n in range(tries):
        i, b, j = drawn(n, hosts, where, state)
        a, s = where[i], shape[i]
        if a == b or kind[a] != kind[b] or fixed[i] or (j >= 0 and (shape[j] == s or fixed[j])):
            continue
        change = unevenness(a, s, -1, demand, share, free, kind) + unevenness(b, s, 1, demand, share, free, kind)
        if j >= 0:
            t = shape[j]
            change += unevenness(a, t, 1, demand, share, free, kind) + unevenness(b, t, -1, demand, share, free, kind)
            # Both changes of a host together are less than one after the other by twice their product.
            for r in range(demand.shape[1]):
                change -= 4.0 * demand[s, r] * demand[t, r] * share[kind[a], r] ** 2
        if change < -1e-12:
            change_places(i, b, j, shape, demand, groups, limit, zone, free, content, size, where, position)


def cheapen(
    shape: Ints,
    demand: IntTable,
    groups: IntTable,
    limit: Ints,
    zone: Ints,
    usable: BoolTable,
    type: Ints,
    cost: IntTable,
    kind: Ints,
    free: IntTable,
    content: IntTable,
    size: Ints,
    where: Ints,
    position: Ints,
    fixed: Bools,
    state: Ints,
    tries: int,
):
    """Move random items, and exchange random pairs, where they then cost less.

    Parameters
    ----------
    usable : array of bool, shape [S, T]
        Where each shape may go, by `type` of the host.
    cost : array of int, shape [S, K]
        Of one item of each shape, by `kind` of the host.
    """
    hosts = len(kind)
    for n in range(tries):
        i, b, j = drawn(n, hosts, where, state)
        a, s = where[i], shape[i]
        change = cost[s, kind[b]] - cost[s, kind[a]]
        if j >= 0:
            change += cost[shape[j], kind[a]] - cost[shape[j], kind[b]]
        if change >= 0 or fixed[i] or not usable[s, type[b]]:
            continue
        if j < 0 or (not fixed[j] and usable[shape[j], type[a]]):
            change_places(i, b, j, shape, demand, groups, limit, zone, free, content, size, where, position)
