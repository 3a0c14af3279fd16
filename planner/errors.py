"""The one exception that bad input raises, and the one way to name the nearest valid thing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Input that cannot be planned with, in one sentence: where, what was found, what was expected.

    Parameters
    ----------
    message : str
        The sentence, complete in itself.
    details : sequence of str
        Further findings of the same kind, each complete in itself; the message names the first and how many follow.
    """

    def __init__(self, message: str, details: Iterable[str] = ()):
        super().__init__(message)
        self.details = tuple(details)


class UnknownColumns(InputError):
    """A table of a known format that lacks a column it cannot be read without: somebody may say what others mean.

    Parameters
    ----------
    message : str
    file : str
        Display name of the file.
    """

    def __init__(self, message: str, file: str):
        super().__init__(message)
        self.file = file


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate closest in spelling to `word`, or None where none is close.

    >>> nearest("esx0l", ["esx01", "web"])
    'esx01'
    >>> nearest("alpha", ["zulu"]) is None
    True
    """
    by_folded = {str(candidate).casefold(): str(candidate) for candidate in candidates}
    found = difflib.get_close_matches(str(word).casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """`; did you mean X?` for the nearest candidate, the short list of what is valid otherwise.

    >>> did_you_mean("balnced", ["raw", "balanced"])
    "; did you mean 'balanced'?"
    >>> did_you_mean("q", ["raw", "balanced"])
    '; expected one of raw, balanced'
    """
    candidates = [str(candidate) for candidate in candidates]
    match = nearest(word, candidates)
    if match is not None:
        return f"; did you mean {match!r}?"
    if not candidates:
        return ""
    shown = ", ".join(candidates[:8]) + (", ..." if len(candidates) > 8 else "")
    return f"; expected one of {shown}"
