"""Cells that select machines as rules do: names, patterns, and keys such as ``application:``."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.anonymity.names import Name, Parts, joined, parts_of
from planner.rules import words

_WILD = re.compile(r"[*?\[]")
_OF_COUNT = re.compile(r"(.+)-(\d+)", re.S)
_KEYS = {
    "application": ("application",), "pool": ("cluster",), "tag": ("tag",), "os": ("os",), "host": ("host",),
    "model": ("hardware", "model"), "rack": ("rack",),
}  # fmt: skip
MOST_NAMED = 2000
"""Most machines of one row with a count that a pattern names one by one."""


@dataclass(frozen=True)
class Listed:
    """What rules may select.

    Parameters
    ----------
    texts : dict
        Texts of the columns of each kind, each as it was and taken apart.
    counts : dict of str to int
        How many machines a name stands for, where it is more than one: they are called name-1, name-2, ...
    """

    texts: dict[str, dict[str, Parts]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def of(self, kinds: tuple[str, ...]) -> Iterator[tuple[str, Parts]]:
        for kind in kinds:
            yield from self.texts.get(kind, {}).items()


def parts_of_patterns(kind: str, text: str, listed: Listed) -> Parts:
    """A list of names and patterns, taken apart; a pattern becomes what it selects.

    Parameters
    ----------
    kind : {"patterns", "hosts"}
        Whether workloads are selected, or hosts and host models.
    text : str
    listed : Listed

    Examples
    --------
    >>> listed = Listed({"vm": {"sql-a": (Name("vm", "sql-a"),), "web": (Name("vm", "web"),)}})
    >>> parts_of_patterns("patterns", "SQL-*", listed)
    (Name(kind='vm', text='sql-a'),)
    """
    found: list[Parts] = []
    for word in words(text):
        head, colon, tail = word.partition(":")
        kinds = _KEYS.get(head.strip().casefold()) if colon else None
        before: Parts = (f"{head.strip().casefold()}:",) if kinds else ()
        target = tail.strip() if kinds else word
        kinds = kinds or (("vm",) if kind == "patterns" else ("host", "model"))
        meant = _selected(kinds, target, listed) if _WILD.search(target) else [_alone(kinds, target, listed)]
        found += [before + parts for parts in meant or [(Name(kinds[-1], target),)]]
    return joined(found)


def _alone(kinds: tuple[str, ...], target: str, listed: Listed) -> Parts:
    """A name as it stands in its column, or one of those that a row with a count stands for."""
    for kind in kinds:
        if target in listed.texts.get(kind, {}):
            return listed.texts[kind][target]
    numbered = _OF_COUNT.fullmatch(target)
    if numbered and listed.counts.get(numbered[1], 0) >= int(numbered[2]):
        return (*_alone(kinds, numbered[1], listed), "-", numbered[2])
    return parts_of(kinds[0], target)


def _selected(kinds: tuple[str, ...], pattern: str, listed: Listed) -> list[Parts]:
    accept = re.compile(fnmatch.translate(pattern.casefold())).match
    found: list[Parts] = []
    for text, parts in listed.of(kinds):
        folded, count = text.casefold(), listed.counts.get(text, 1)
        if count == 1:
            found += [parts] if accept(folded) else []
        elif count > MOST_NAMED or all(accept(f"{folded}-{number}") for number in range(1, count + 1)):
            found += [(*parts, "-*")] if accept(f"{folded}-1") else []
        else:
            found += [(*parts, f"-{number}") for number in range(1, count + 1) if accept(f"{folded}-{number}")]
    # A comma in a text that is kept would end the word that selects by it.
    return [tuple(re.sub("[,;]", "?", part) if isinstance(part, str) else part for part in parts) for parts in found]
