"""What may stay as it stands: numbers, dates, units, and texts made of words that tell nothing about their owner.

The lists beside this module are all that is known; whatever they do not name is replaced.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files

from planner import schema, units

MOST_DIGITS = 4
"""Longest number that may stand within a text; a longer one may be somebody's."""

MOST_DIGITS_OF_OS = 6
"""Longest number in the name of an operating system: ``Windows 10.0.17763``."""

PHRASES = frozenset({"anti-affinity", "keep together", "keep apart", "must not", "should not", "red hat"})
"""Harmless words that stay together where the rest of a name is replaced."""

_NUMBER = r"[+-]?(?:\d+(?:[.,]\d+)?|\d{1,3}(?:[., ' ]\d{3})+(?:[.,]\d+)?)(?:e[+-]?\d+)?"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?(?: ?[ap]m)?(?:Z| ?[+-]\d{2}:?\d{2})?"
_DATE = r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})"
_PLAIN = re.compile(rf"{_NUMBER}|(?:{_DATE})(?:[T ]{_CLOCK})?|{_CLOCK}|#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!)", re.I)
_MEASURE = re.compile(rf"({_NUMBER}) ?([A-Za-z%/]+)")
_UNITS = frozenset(
    {*units.GIB_PER_UNIT, *units.GHZ_PER_UNIT, *units.GBPS_PER_UNIT, *units.SHARE_PER_UNIT}
    | {"ki", "mi", "gi", "ti", "m", "k", "g", "t", "s", "ms", "w", "hz", "iops", "vcpu", "vcpus"}
)
_WORD = re.compile(r"[^\W_]+")
_SAFE = re.compile(r"[\w\s()\[\]{}/\\,;:.@+\-&%#=*!?®™<>|'\"]*")
_NUMBERED = re.compile(r"([a-z]{2,})\d{1,3}|\d{1,4}([a-z]+)")
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ADDRESS = re.compile(r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)")
_RELEASE = re.compile(r"\d{1,9}|[a-z]{0,2}\d{1,4}[a-z]{0,2}\d{0,2}")
_CODE = re.compile(
    r"\d{1,5}[a-z]{0,3}|(?:dl|ml|bl|sl|xl|r|t|c|m|mx|fc|fx|xr|b|s|x|e|p|v|w|sr|sd|sn|st|se|hx|nx|rx|tx|cx|bx|g|gen|k|q)"
    r"\d{1,5}[a-z]{0,2}\d{0,2}"
)


def lines_of(name: str) -> list[str]:
    """Lines of a list beside this module, without its comments."""
    lines = files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _listed(name: str) -> frozenset[str]:
    return frozenset(word for line in lines_of(name) for word in line.casefold().split())


@cache
def headings() -> dict[tuple[str, str], str]:
    """Kind of column by sheet ("" for any) or kind of record, and heading, as the list spells them."""
    text = files(__package__).joinpath("headings.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        (sheet, heading): row["kind"]
        for row in rows
        for sheet in row["sheet"].split("|")
        for heading in row["headings"].split("|")
    }


@cache
def words() -> frozenset[str]:
    """Harmless words in lower case: the list, and the words of tools' headings, sheets, states and flags."""
    headed = (heading for _, heading in headings())
    spelled = " ".join([*headed, *lines_of("sheets.txt"), *schema.STATES, *schema.FLAGS])
    return _listed("words.txt") | {word.casefold() for word in _WORD.findall(spelled) if not word.isdigit()}


@cache
def numbering() -> frozenset[str]:
    """Words of headings, in lower case, below which numbers are likely to be identifiers."""
    return _listed("numbering.txt")


@cache
def hardware() -> frozenset[str]:
    """Makers of hardware and words of their product names, in lower case."""
    return _listed("hardware.txt")


def is_plain(text: str) -> bool:
    """Whether a text is nothing but a number, a measure, a date or a time.

    >>> is_plain("206,057"), is_plain("16 GiB"), is_plain("2024/01/31 08:00:00"), is_plain("10.1.2.3"), is_plain("db1")
    (True, True, True, False, False)
    """
    if _ADDRESS.search(text):
        return False
    measure = _MEASURE.fullmatch(text)
    return bool(_PLAIN.fullmatch(text)) or (measure is not None and measure[2].casefold() in _UNITS)


def is_harmless(text: str, kind: str = "value") -> bool:
    """Whether a text may stay in a column of this kind.

    Parameters
    ----------
    text : str
    kind : {"value", "os", "version", "hardware"}
        Versions may carry longer numbers, hardware the codes of models.

    Examples
    --------
    >>> is_harmless("Microsoft Windows Server 2019 (64-bit)"), is_harmless("poweredOn"), is_harmless("Windows of Acme")
    (True, True, False)
    >>> is_harmless("Dell Inc. PowerEdge R640", "hardware"), is_harmless("R640", "value")
    (True, False)
    """
    if is_plain(text):
        return True
    if not _SAFE.fullmatch(text) or (_ADDRESS.search(text) and kind != "version"):
        return False
    found = _WORD.findall(text)
    if kind == "version":
        return any(map(str.isdigit, text)) and all(
            is_word(word) or _RELEASE.fullmatch(word.casefold()) for word in found
        )
    if kind == "hardware":
        known = hardware()
        named = any(word.casefold() in known or word.casefold().rstrip("0123456789") in known for word in found)
        return named and all(_is_hardware(word, known) for word in found)
    if kind == "os":
        return all(is_word(word) or (word.isdigit() and len(word) <= MOST_DIGITS_OF_OS) for word in found)
    return _tells_little(found) and all(map(is_word, found))


def is_word(word: str) -> bool:
    """Whether a word is on the list, by itself or joined from such, or is a short number.

    >>> is_word("vmMonitoringDisabled"), is_word("64bit"), is_word("vmxnet3"), is_word("2022"), is_word("Acme")
    (True, True, True, True, False)
    """
    known, folded = words(), word.casefold()
    if folded in known or len(folded) == 1:
        return True
    if word.isdigit():
        return len(word) <= MOST_DIGITS
    numbered = _NUMBERED.fullmatch(folded)
    if numbered and (numbered[1] or numbered[2]) in known:
        return True
    parts = _CAMEL.findall(word)
    return len(parts) > 1 and "".join(parts) == word and all(p.casefold() in known and len(p) > 1 for p in parts)


def explains(text: str, begin: int, end: int) -> bool:
    """Whether what stands in a text from `begin` to `end` lies within harmless words alone.

    A word that is harmless for its form alone, as letters with a number are, explains no more than a part of itself.

    >>> explains("windows server", 0, 7), explains("[store-01] acme.vmx", 11, 15), explains("esx01-local", 0, 5)
    (True, False, False)
    """
    if is_plain(text):
        return True
    touched = [found for found in _WORD.finditer(text) if found.start() < end and found.end() > begin]
    if any(is_numbered(found[0]) and begin <= found.start() and found.end() <= end for found in touched):
        return False
    return is_harmless(text) or all(is_word(found[0]) for found in touched)


def is_numbered(word: str) -> bool:
    """Whether a word is harmless for its form alone: letters on the list with a number, on no list as it stands.

    >>> is_numbered("esx01"), is_numbered("vmxnet3"), is_numbered("esx")
    (True, False, False)
    """
    return word.casefold() not in words() and _NUMBERED.fullmatch(word.casefold()) is not None


def is_numbered_somewhere(text: str) -> bool:
    """Whether a text holds a word that is harmless for its form alone, so that it may be somebody's name."""
    return not is_plain(text) and any(map(is_numbered, _WORD.findall(text)))


def is_within_a_word(text: str, begin: int, end: int) -> bool:
    """Whether what stands in a text from `begin` to `end` lies within one harmless word, or one of `PHRASES`.

    >>> is_within_a_word("[store-01] vm-01.vmdk", 17, 21), is_within_a_word("web server", 0, 10)
    (True, False)
    """
    touched = [found for found in _WORD.finditer(text) if found.start() < end and found.end() > begin]
    if text[begin:end].casefold() in PHRASES:
        return True
    return len(touched) == 1 and touched[0][0].isalpha() and is_word(touched[0][0])


def _tells_little(found: list[str]) -> bool:
    """Whether a text has words, or no more than two numbers: more of them may be a telephone number."""
    numbers = sum(map(str.isdigit, found))
    return numbers <= 2 or any(word.isalpha() and len(word) > 1 for word in found)


def _is_hardware(word: str, known: frozenset[str]) -> bool:
    folded = word.casefold()
    return folded in known or is_word(word) or _CODE.fullmatch(folded) is not None
