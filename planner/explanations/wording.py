"""Wording: names, counts and figures as explanations say them."""

from __future__ import annotations

from collections.abc import Iterable

from planner.policy import Failover
from planner.problem import Problem
from planner.units import counted


def listed(names: Iterable[str], most: int = 5) -> str:
    """Names in a row, those beyond the first few as a count.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    shown = list(map(repr, names))
    more = len(shown) - most
    return ", ".join(shown) if more <= 0 else f"{', '.join(shown[:most])} and {more:,} more"


def joined(words: Iterable[str]) -> str:
    """Words as a sentence enumerates them.

    >>> joined(["cpu", "memory", "storage"]), joined(["cpu"])
    ('cpu, memory and storage', 'cpu')
    """
    words = list(words)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def pools_named(pools: Iterable[str]) -> str:
    """Pools at the beginning of a sentence.

    >>> pools_named(["north"]), pools_named([""]), pools_named(["a", "b"])
    ('Pool north', 'The estate', 'Pools a and b')
    """
    named = [pool for pool in pools if pool]
    if not named:
        return "The estate"
    return f"Pool{'s' if len(named) > 1 else ''} {joined(named)}"


def valued(problem: Problem, value: float, unit: str) -> str:
    """A value of the objective with its unit."""
    return counted(value, "host") if problem.objective == "hosts" else f"{value:,.2f} {unit}"


def lost(failover: Failover) -> str:
    """What a plan has to survive the loss of, as a part of its hosts.

    >>> lost(Failover(hosts=2)), lost(Failover(hosts=1, mode="verified", within="fault_domain"))
    ('2 of them', 'any 1 fault domain')
    """
    if failover.within == "host":
        return f"{failover.hosts} of them"
    return f"any {counted(failover.hosts, failover.within.replace('_', ' '))}"


def called(resource: str) -> str:
    """A resource in a sentence.

    >>> called("cpu"), called("workloads"), called("memory")
    ('CPU', 'the cap on workloads', 'memory')
    """
    words = {"cpu": "CPU", "iops": "IOPS", "gpus": "GPUs", "workloads": "the cap on workloads"}
    return words.get(resource, resource.replace("_", " "))


def opening(sentence: str) -> str:
    """A sentence with a capital letter, the rest as it is.

    >>> opening("memory binds")
    'Memory binds'
    """
    return sentence[:1].upper() + sentence[1:]
