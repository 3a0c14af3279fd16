"""How sure it is that a heading means an attribute, from its words, its unit and the values below.

    confidence = name x (1 + fit) / 2      where words of the heading mean the attribute
    confidence = 0.65 x fit                for a name that only its values tell, all different, where no other could be
    confidence = 0.5 x fit                 for other attributes that only values tell
    confidence = 0                         where unit or values rule it out (fit = 0)

`name` is 1 for a heading that the schema or its words know, 0.9 beside words that say nothing (total, number of) or
which figure is meant (average, peak), the likeness of spelling x 0.9 for a misspelt one, 0.5 where known words are
among others. `fit` is 0 to 1, see there.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from functools import cache, lru_cache

from planner import units
from planner.readers.columns import Column, in_mib
from planner.readers.mapping.attributes import USAGE, columns_of, is_use
from planner.readers.mapping.profiles import Profile
from planner.schema import attributes
from planner.schema.words import FILLER, OTHER, STATISTICS, is_within, phrases, plain, tokens, vocabulary

EXACT, BESIDE, MISSPELT, AMONG = 1.0, 0.9, 0.9, 0.5
LIKE = 0.8
"""Least likeness of spelling, as difflib counts it."""

ONLY_NAME, ONLY_VALUES = 0.65, 0.5
NUMBERED = 0.5
"""What names that are numbers are worth, beside those that are texts."""
_TYPICAL_GIB = frozenset(
    {0.5, 1, 1.5, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192}
)
_THREADS = frozenset({"thread", "threads", "logical", "logische", "logiques"})
_USE = {
    "vcpus": ("cpu_ghz", "cpu_share"),
    "cores": (),
    "memory_gib": ("memory_gib", "memory_share"),
    "storage_gib": ("storage_gib",),
}


@lru_cache(maxsize=8192)
def named(text: str, table: str) -> dict[str, float]:
    """How well the words of a heading, without its unit, name attributes of a table; only those that they do.

    >>> named("Anzahl vCPU", "workloads")["vcpus"], named("Peak CPU load", "workloads")["cpu_share_peak"]
    (0.9, 0.9)
    """
    spoken_of = "workloads" if table == USAGE else table
    found = dict.fromkeys(vocabulary(spoken_of).get(plain(text), ()), EXACT)
    known = _without_use(spoken_of)
    words = tokens(text)
    if not found and _says(words, OTHER):
        return {}
    statistic = next((name for name in reversed(STATISTICS) if _says(words, name)), "")
    core = _without(words, (FILLER, statistic, *(("used",) if statistic else ())))
    for meant, level in _meant(core, words, known).items():
        for name in _figures(meant, statistic) if statistic else (meant,):
            found[name] = max(found.get(name, 0.0), level)
    allowed = columns_of(table)
    return {name: level for name, level in found.items() if name in allowed}


def counts_threads(heading: str) -> bool:
    """Whether a heading counts what cores run, not cores.

    >>> counts_threads("Logical processors"), counts_threads("CPU Cores")
    (True, False)
    """
    return not _THREADS.isdisjoint(tokens(heading))


@cache
def _without_use(table: str) -> dict[str, frozenset[str]]:
    """The vocabulary without figures of use: which of them is meant must be said, and spelt right."""
    return {word: names for word, names in vocabulary(table).items() if not any(map(is_use, names))}


def _meant(core: tuple[str, ...], words: tuple[str, ...], known: dict[str, frozenset[str]]) -> dict[str, float]:
    """Attributes that the words of a heading name once those that say nothing are off."""
    found: dict[str, float] = {}

    def add(names: frozenset[str], level: float) -> None:
        for name in names:
            found[name] = max(found.get(name, 0.0), level)

    joined = "".join(core)
    add(known.get(joined, frozenset()), BESIDE)
    if core and all(word in known for word in core):
        add(frozenset.intersection(*(known[word] for word in core)), BESIDE)
    for whole in {joined, "".join(words)}:
        for close, likeness in _close(whole, known):
            add(known[close], MISSPELT * likeness)
    for start in range(len(core)):
        for end in range(start + 1, len(core) + 1):
            add(known.get("".join(core[start:end]), frozenset()), AMONG)
    return found


def _close(word: str, known: Iterable[str]) -> list[tuple[str, float]]:
    """The known words most like one of more than three letters, and their likeness."""
    candidates = [one for one in known if len(one) > 3] if len(word) > 3 else []
    found = difflib.get_close_matches(word, candidates, n=3, cutoff=LIKE)
    return [(one, difflib.SequenceMatcher(None, word, one).ratio()) for one in found]


def _says(words: tuple[str, ...], statistic: str) -> bool:
    return any(is_within(phrase, words) for phrase in phrases(statistic))


@cache
def _spoken(kinds: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The phrases of some kinds, the longest first."""
    return sorted({phrase for kind in kinds if kind for phrase in phrases(kind)}, key=len, reverse=True)


def _without(words: tuple[str, ...], kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Words without the phrases of some kinds, the longest first."""
    for phrase in _spoken(kinds):
        at = 0
        while at + len(phrase) <= len(words):
            if words[at : at + len(phrase)] == phrase:
                words = words[:at] + words[at + len(phrase) :]
            else:
                at += 1
    fillers = {phrase[0] for phrase in phrases(FILLER) if len(phrase) == 1}
    return tuple(word for word in words if FILLER not in kinds or not _close(word, fillers)) or words


def _figures(meant: str, statistic: str) -> tuple[str, ...]:
    """Attributes that a figure of the use of something may be."""
    return tuple(f"{base}_{statistic}" for base in _USE.get(meant, ()) if base != "storage_gib" or statistic == "used")


def confidence(seen: Profile, column: Column, table: str) -> float:
    """How sure it is that a column is an attribute, 0 to 1; see above."""
    level = named(seen.text, table).get(column.name, 0.0)
    suits = fit(seen, column, table)
    if not suits:
        return 0.0
    if level:
        return level * (1 + suits) / 2
    if column.name == "name":
        return ONLY_NAME * suits if seen.distinct == 1 and seen.numeric < 0.5 else 0.0
    return ONLY_VALUES * suits if column.name in _TOLD_BY_VALUES else 0.0


def unit_of(seen: Profile, column: Column, table: str) -> str:
    """Unit to read a column in: as its heading says, "" where its cells do, else as the size of its numbers tells."""
    if seen.fractions:
        return "share"
    if seen.unit or seen.cell_unit or column.unit not in units.SCALES:
        return seen.unit
    top = max(seen.values, default=0.0)
    if column.unit == "share":
        return "share" if top <= 1 else "%"
    if column.unit == "GHz":
        return "MHz" if seen.middle > 100 else ""
    if column.unit == "GiB":
        if seen.middle >= 2**26:
            return "bytes"
        if table not in ("workloads", USAGE):
            return "MiB" if in_mib(column.name, seen.values, of_host=True) else ""
        lots = 4096 if column.name in ("memory_gib",) and seen.whole == 1 else 65536
        return "MiB" if seen.middle >= lots or _is_in_mib(seen, column) else ""
    return ""


def _is_in_mib(seen: Profile, column: Column) -> bool:
    """Whether bare figures of memory are MiB: whole, none small, and all in steps of 64."""
    return (
        column.name.startswith("memory")
        and bool(seen.values)
        and seen.middle >= 1024
        and all(value % 64 == 0 for value in seen.values)
        and seen.within(256, float("inf")) > 0.9
    )


def fit(seen: Profile, column: Column, table: str) -> float:
    """How well the values of a column, and its unit, suit an attribute: 0 rules it out, as for a blank column.

    Numbers: at least nine of ten cells are numbers, their unit measures the same, most are within the schema's limits.
    Names: the share of filled cells that differ. States, flags, operating systems and UUIDs: the share of cells that
    are some. vCPUs: small whole numbers. Memory: sizes that machines come in. Use: a share of something.
    """
    if not seen.count:
        return 0.0
    if column.type == "number":
        return _fit_of_numbers(seen, column, table)
    suits = _FITS.get(column.name)
    if column.type == "flag":
        return seen.flags if seen.flags > 0.8 else 0.0
    if suits is not None:
        return suits(seen)
    return 0.0 if seen.measure and seen.numeric > 0.9 else 0.6 if seen.numeric < 0.5 else 0.3


def _fit_of_numbers(seen: Profile, column: Column, table: str) -> float:
    measured = seen.measure
    if seen.numeric < 0.9 or not seen.values or (measured and measured != _measure(column)):
        return 0.0
    factor = units.factor(unit_of(seen, column, table) or column.unit, column.unit) if seen.is_bare else 1.0
    sizes = [value * (factor or 1.0) for value in seen.values]
    known = attributes("workloads" if table == USAGE else table).get(column.name)
    low, high = (known.minimum, known.maximum) if known is not None else (0.0, float("inf"))
    inside = sum(low <= size <= high for size in sizes) / len(sizes)
    if inside < 0.9:
        return 0.0
    if column.name in ("vcpus", "cores"):
        return (1.0 if seen.middle <= 64 or column.name == "cores" else 0.4) if seen.whole > 0.9 else 0.1
    if column.unit == "share":
        return 0.5 if seen.is_bare and max(sizes) > 1 else 1.0 if max(sizes) <= 2 else 0.3
    if column.unit == "GHz":
        return 1.0 if measured else 0.3
    if column.name == "memory_gib":
        typical = sum(size in _TYPICAL_GIB or size % 32 == 0 for size in sizes) / len(sizes)
        return 0.5 + 0.5 * typical if sum(sizes) > 0 else 0.2
    return 0.9 if measured else 0.7


def _measure(column: Column) -> str:
    """What an attribute's unit must come from; counts measure nothing."""
    return column.unit if column.unit in units.SCALES else "count"


def _suits_name(seen: Profile) -> float:
    """Mostly filled texts that differ; sizes with a unit never.

    Numbers alone are hardly names, unless all differ and are written with more digits than a count or a running number.
    """
    if seen.measure and seen.numeric > 0.5:
        return 0.0
    numbered = NUMBERED if seen.distinct == 1 and seen.codes == 1 else 0.1
    level = numbered if seen.numeric > 0.9 else 1.0
    return seen.filled * seen.distinct * level


def _suits_state(seen: Profile) -> float:
    share = max(seen.states, min(1.0, seen.flags) * 0.9)
    return share if share > 0.5 else 0.0


def _suits_group(seen: Profile) -> float:
    """Texts that repeat, as sites, clusters and hosts do; all different they group nothing."""
    if seen.measure and seen.numeric > 0.5:
        return 0.0
    if seen.count > 4 and seen.distinct > 0.9:
        return 0.1
    return 0.5 if seen.numeric > 0.9 else 1.0


_FITS: dict[str, Callable[[Profile], float]] = {
    "name": _suits_name,
    "state": _suits_state,
    "os": lambda seen: 0.0 if seen.numeric > 0.9 else max(0.3, seen.systems),
    "vm_uuid": lambda seen: seen.identities,
    "bios_uuid": lambda seen: seen.identities,
    "pool": _suits_group,
    "host": _suits_group,
}
_TOLD_BY_VALUES = frozenset({"state", "os", "memory_gib", "vm_uuid"})
