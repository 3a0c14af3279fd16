"""What people call the columns of their tables, in several languages: ``words.csv`` beside the attributes.

A row of the CSV has a language, what is meant, and words for it parted by ``|``. Meant is an attribute of a table, one
of `QUALIFIERS`, `PER_SOCKET`, or a table itself as it is called in the names of sheets.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from planner.schema import TABLES, attributes, rows_of

STATISTICS = ("used", "average", "peak", "p95")
FILLER = "filler"
OTHER = "other"
PER_SOCKET = "cores_per_socket"
QUALIFIERS = (*STATISTICS, FILLER, OTHER)
"""Words beside the thing itself: which figure of its use is meant, nothing that matters (number of, total), or another
thing than it is (free memory)."""

_TOKEN = re.compile(r"[^\W_]+|[#%]")
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "œ": "oe", "æ": "ae"})


def tokens(text: str) -> tuple[str, ...]:
    """The words of a heading without case and accents.

    >>> tokens("Mémoire_vive (Go)"), tokens("# vCPU")
    (('memoire', 'vive', 'go'), ('#', 'vcpu'))
    """
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return tuple(_TOKEN.findall("".join(letter for letter in folded if not unicodedata.combining(letter))))


def plain(text: str) -> str:
    """A heading as one word without case, accents and blanks.

    >>> plain("Système d'exploitation")
    'systemedexploitation'
    """
    return "".join(tokens(text))


@cache
def phrases(meant: str) -> frozenset[tuple[str, ...]]:
    """Words for one thing, in all languages, each as its `tokens`."""
    rows = [row for row in rows_of("words.csv") if row["attribute"] == meant]
    return frozenset(tokens(word) for row in rows for word in row["words"].split("|"))


@cache
def vocabulary(table: str) -> dict[str, frozenset[str]]:
    """Every known spelling of a heading of a table, as `plain` text, and the attributes that it may mean.

    >>> sorted(vocabulary("workloads")["speicher"]), sorted(vocabulary("hosts")["kerne"])
    (['memory_gib', 'storage_gib'], ['cores'])
    """
    found: dict[str, set[str]] = {}
    for attribute in attributes(table).values():
        own = {plain(text) for text in (attribute.name, attribute.label, attribute.heading, *attribute.aliases)}
        for word in own | {"".join(phrase) for phrase in phrases(attribute.name)}:
            found.setdefault(word, set()).add(attribute.name)
    if table == "hosts":
        for phrase in phrases("host"):
            found.setdefault("".join(phrase), set()).add("name")
    for identity in ("vm_uuid", "bios_uuid") if table == "workloads" else ():
        for phrase in phrases(identity):
            found.setdefault("".join(phrase), set()).add(identity)
    return {word: frozenset(meant) for word, meant in found.items()}


def table_of(title: str) -> str:
    """The table that the name of a sheet tells of; "" where it says nothing or several.

    >>> table_of("ESXi-Hosts"), table_of("Virtuelle Maschinen 2026"), table_of("Tabelle1")
    ('hosts', 'workloads', '')
    """
    words = tokens(title)
    told = {table for table in TABLES if any(is_within(phrase, words) for phrase in phrases(table))}
    told -= {"hosts"} if "host_models" in told else set()
    return told.pop() if len(told) == 1 else ""


def is_within(phrase: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Whether the words of a phrase stand side by side among others."""
    return any(words[at : at + len(phrase)] == phrase for at in range(len(words) - len(phrase) + 1))
