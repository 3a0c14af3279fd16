"""Looks for many texts at once in many others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

SHORTEST = 3
"""Shorter texts stand everywhere by chance and are not looked for."""
_HEAD = 5


class Search:
    """Finds any of many texts, whatever their case.

    Every text is filed under its first few letters, so that looking through a text takes a few steps a letter however
    many are sought.

    Parameters
    ----------
    sought : iterable of str
        Those of fewer than `SHORTEST` letters are not sought.
    """

    def __init__(self, sought: Iterable[str] = ()):
        self.sought: set[str] = set()
        self._lengths: dict[str, set[int]] = {}
        for text in sought:
            self.add(text)

    def add(self, text: str) -> None:
        """Look for one more text."""
        text = text.casefold()
        if len(text) >= SHORTEST and text not in self.sought:
            self.sought.add(text)
            self._lengths.setdefault(text[:_HEAD], set()).add(len(text))

    def hits(self, text: str) -> Iterator[tuple[int, int]]:
        """Begin and end of each place in `text`, which is folded already, where something sought stands.

        >>> list(Search(["Web", "db-01"]).hits("a web of db-01"))
        [(2, 5), (9, 14)]
        """
        lengths, sought = self._lengths, self.sought
        for begin in range(len(text) - SHORTEST + 1):
            for size in range(SHORTEST, _HEAD + 1):
                found = lengths.get(text[begin : begin + size])
                if found is not None and begin + size <= len(text):
                    for length in sorted(found):
                        if text[begin : begin + length] in sought and begin + length <= len(text):
                            yield begin, begin + length

    def stands_in(self, text: str) -> bool:
        """Whether anything sought stands in `text`, which is folded already."""
        return next(self.hits(text), None) is not None
