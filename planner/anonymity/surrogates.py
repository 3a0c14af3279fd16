"""What stands for a name: the same for the same name, another for another, and never what was a name itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from planner.anonymity.names import Name, is_sought
from planner.anonymity.search import Search
from planner.errors import InputError

_SHAPES = {
    "vm": ("vm-{:04d}", "guest-{:04d}"),
    "host": ("host-{:02d}", "node-{:02d}"),
    "cluster": ("cluster-{}", "pool-{}"),
    "datacenter": ("site-{}",),
    "datastore": ("datastore-{:02d}", "store-{:02d}"),
    "network": ("net-{:02d}",),
    "switch": ("switch-{:02d}",),
    "folder": ("folder-{:02d}",),
    "domain": ("domain-{:02d}.example", "zone-{:02d}.example"),
    "user": ("person-{:02d}",),
    "id": ("id-{:06d}", "key-{:06d}"),
    "number": ("9{:06d}", "8{:07d}", "7{:08d}"),
    "uuid": ("00000000-0000-4000-a000-{:012d}", "eeeeeeee-eeee-4eee-aeee-{:012d}"),
    "serial": ("serial-{:04d}",),
    "licence": ("licence-{:02d}",),
    "model": ("model-{:02d}",),
    "system": ("system-{:02d}",),
    "rule": ("rule-{:02d}",),
    "application": ("application-{:02d}", "service-{:02d}"),
    "group": ("group-{:02d}",),
    "tag": ("tag-{:02d}",),
    "rack": ("rack-{:02d}",),
    "address": ("address-{:04d}",),
    "directory": ("directory-{:02d}",),
    "text": ("text-{:06d}",),
    "heading": ("Custom {}", "Further {}"),
    "sheet": ("Sheet {}", "Page {}"),
    "file": ("file-{:02d}",),
}
_LAST = ("zq-{:06d}", "xj-{:06d}", "kwvz-{:06d}", "qjxzkvwpbf-{:06d}", "jqzvxkwyfgpmbhcd-{:06d}")
KINDS = (*_SHAPES, "ip", "ip6", "mac")
"""Kinds of names; where a name is of several, the first gives its surrogate's form."""

_RANK = {kind: rank for rank, kind in enumerate(KINDS)}
MOST_TRIES = 5000
"""Surrogates of one form in a row that hold somebody's name, until the next form is taken."""


class Surrogates:
    """A surrogate for each name, in the order in which names are first given.

    Names that differ in letter case alone get surrogates that do. No surrogate holds any of the names.

    Parameters
    ----------
    names : iterable of Name
    """

    def __init__(self, names: Iterable[Name]):
        kinds: dict[str, str] = {}
        spellings: dict[str, dict[str, None]] = {}
        for name in names:
            folded = name.text.casefold()
            spellings.setdefault(folded, {})[name.text] = None
            known = kinds.get(folded)
            if known is None or _RANK[name.kind] < _RANK[known]:
                kinds[folded] = name.kind
        self.avoided = Search(text for text in spellings if is_sought(text))
        self._count: dict[str, int] = {}
        self._taken: set[str] = set()
        self._spent: set[str] = set()
        self._found: dict[str, str] = {}
        self._kind: dict[str, str] = {}
        for folded, texts in spellings.items():
            for text, surrogate in zip(texts, self._next(kinds[folded], len(texts)), strict=True):
                self._found[text], self._kind[text] = surrogate, kinds[folded]

    def __getitem__(self, text: str) -> str:
        return self._found[text]

    def rows(self) -> list[tuple[str, str, str]]:
        """Kind, original and surrogate of every name, kind by kind."""
        found = [(self._kind[text], text, surrogate) for text, surrogate in self._found.items()]
        return sorted(found, key=lambda row: _RANK[row[0]])

    def _next(self, kind: str, spellings: int) -> list[str]:
        """So many surrogates that differ in letter case alone."""
        for shape in (*_shapes(kind), *_LAST):
            letters = sum(letter.isalpha() for letter in shape.format(0))
            if shape in self._spent or 2**letters < spellings:
                continue
            for _ in range(MOST_TRIES):
                number = self._count[shape] = self._count.get(shape, 0) + 1
                root = _filled(shape, number)
                if root.casefold() not in self._taken and not self.avoided.stands_in(root.casefold()):
                    self._taken.add(root.casefold())
                    return [spelling for spelling, _ in zip(_spelled(root), range(spellings), strict=False)]
            self._spent.add(shape)
        raise InputError(f"anonymise: found no surrogate for a {kind} that is not part of a name in the export")


def _shapes(kind: str) -> tuple[str, ...]:
    if kind == "ip":
        return ("10.{}", "240.{}", "250.{}")
    if kind == "ip6":
        return ("fd00::{}", "fdee::{}")
    return ("0a:00:00:{}", "0e:ee:ee:{}") if kind == "mac" else _SHAPES[kind]


def _filled(shape: str, number: int) -> str:
    if shape.endswith(".{}"):
        return shape.format(f"{number // 62500 % 250}.{number // 250 % 250}.{number % 250 + 1}")
    if shape.endswith("::{}"):
        return shape.format(f"{number >> 16:x}:{number & 0xFFFF:04x}")
    if shape.endswith(":{}"):
        return shape.format(":".join(f"{number >> shift & 255:02x}" for shift in (16, 8, 0)))
    return shape.format(number)


def _spelled(root: str) -> Iterator[str]:
    """The text in every pattern of letter case, as it stands first."""
    letters = [position for position, letter in enumerate(root) if letter.isalpha()]
    for pattern in range(2 ** len(letters)):
        spelled = list(root)
        for bit, position in enumerate(letters):
            if pattern >> bit & 1:
                spelled[position] = spelled[position].swapcase()
        yield "".join(spelled)
