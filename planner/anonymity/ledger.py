"""Every text of an export, whether it stays, and what stands for it otherwise."""

from __future__ import annotations

from planner.anonymity.kinds import KEPT
from planner.anonymity.names import Name, Parts, is_sought, may_stay, parts_of, replaced, sheet_parts
from planner.anonymity.patterns import Listed, parts_of_patterns
from planner.anonymity.search import Search
from planner.anonymity.surrogates import Surrogates
from planner.anonymity.vocabulary import explains, is_harmless, is_numbered_somewhere
from planner.readers.exports import as_text

Cell = str | int | float | bool | None

_SECOND = ("path",)
_LAST = ("patterns", "hosts")


class Ledger:
    """Texts are entered by kind of column; `close` finds their surrogates; then `of` gives what to write.

    Names are taken from the columns that hold them first, then from paths, then from rules, so that each is known by
    the time that something refers to it.
    """

    def __init__(self):
        self.parts: dict[tuple[str, str], Parts] = {}
        self.counts: dict[str, int] = {}
        self.headings: set[str] = set()
        self.surrogates = Surrogates(())
        self._written: dict[tuple[str, Cell], Cell] = {}

    def enter(self, kind: str, text: str) -> None:
        """Enter a text of a column of this kind; blanks are made single by `as_text`."""
        self.parts.setdefault((kind, text), ())

    def close(self) -> None:
        """Take every text apart and find a surrogate for every name."""
        known: set[str] = set()
        for stage in (self._kinds_but(_SECOND + _LAST), _SECOND):
            for kind, text in self.parts:
                if kind in stage:
                    self.parts[kind, text] = sheet_parts(text) if kind == "sheet" else parts_of(kind, text, known)
            known = {name.text.casefold() for name in self._names()}
        self._replace_what_names_somebody()
        texts: dict[str, dict[str, Parts]] = {}
        for (kind, text), parts in self.parts.items():
            if parts:
                texts.setdefault(kind, {})[text] = parts
        listed = Listed(texts, self.counts)
        for kind, text in self.parts:
            if kind in _LAST:
                self.parts[kind, text] = parts_of_patterns(kind, text, listed)
        self.surrogates = Surrogates(self._names())

    def of(self, kind: str, cell: Cell) -> Cell:
        """What to write for a cell of a column of this kind."""
        if cell is None or self.stays(kind, cell):
            return cell
        found = self._written.get((kind, cell))
        if found is None:
            text = as_text(cell)
            parts = self.parts[kind, text] if text else ()
            found = "".join(self.surrogates[part.text] if isinstance(part, Name) else part for part in parts)
            found = cell if found == text else found
            if isinstance(cell, int | float) and isinstance(found, str) and found.isdecimal():
                found = int(found)
            self._written[kind, cell] = found
        return found

    def kept(self) -> set[str]:
        """Texts of cells that stay as they are."""
        return {text for (_, text), parts in self.parts.items() if not any(isinstance(part, Name) for part in parts)}

    @staticmethod
    def stays(kind: str, cell: Cell) -> bool:
        """Whether a cell stays whatever else the export holds: flags and numbers, where they name nobody."""
        if isinstance(cell, bool):
            return kind in KEPT or kind in ("text", "numbering")
        if isinstance(cell, int | float):
            return kind in KEPT or (kind == "text" and may_stay(cell))
        return False

    def _kinds_but(self, others: tuple[str, ...]) -> set[str]:
        return {kind for kind, _ in self.parts} - set(others)

    def _names(self) -> list[Name]:
        return [part for parts in self.parts.values() for part in parts if isinstance(part, Name)]

    def _replace_what_names_somebody(self) -> None:
        """Replace what stays by its form, not by its words, where it holds a name: a machine may be called R640."""
        loose = [
            (kind, text)
            for (kind, text), parts in self.parts.items()
            if kind in KEPT and parts == (text,) and (is_numbered_somewhere(text) or not is_harmless(text))
        ]
        search = Search(name.text for name in self._names() if is_sought(name.text))
        while loose:
            found = [entry for entry in loose if _names_somebody(entry[1], search)]
            if not found:
                return
            for kind, text in found:
                self.parts[kind, text] = replaced(kind, text)
                search.add(text)
            loose = [entry for entry in loose if entry not in set(found)]


def _names_somebody(text: str, search: Search) -> bool:
    folded = text.casefold()
    return any(not explains(folded, begin, end) for begin, end in search.hits(folded))
