"""Names of machines as people write them: in other case, or short for a domain name."""

from __future__ import annotations

import re
from collections.abc import Iterable

_FULL = re.compile(r"([\w-]+)(?:\.[\w-]+)*\.(?!\d+$)[\w-]+")


def parts(name: str) -> tuple[str, bool]:
    """A name in lower case up to its first dot, and whether it is a domain name; what is none stays whole.

    The last label of a domain name is no number, so that addresses and versions are none.

    >>> parts("ESX01.corp.local"), parts("ESX01"), parts("10.1.2.3"), parts("app 2.0")
    (('esx01', True), ('esx01', False), ('10.1.2.3', False), ('app 2.0', False))
    """
    folded = folded_name(name)
    found = _FULL.fullmatch(folded)
    return (found[1], True) if found else (folded, False)


def folded_name(name: str) -> str:
    """A name without case and without the dot that may end a domain name."""
    return name.strip().removesuffix(".").casefold()


def meant(named: Iterable[str], known: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Which known machine each name means that is no known name itself: the same in other case, else the same in short.

    A short name and a domain name mean one machine where no other domain name, on either side, begins like it.

    Parameters
    ----------
    named, known : iterable of str

    Returns
    -------
    dict
        The known name by the name that means it.
    list of str
        Names that could mean several, or one that others could mean as well.

    Examples
    --------
    >>> meant(["ESX01", "esx02", "esx03.b"], ["esx01", "esx02.corp.local", "esx03.a"])
    ({'ESX01': 'esx01', 'esx02': 'esx02.corp.local'}, [])
    >>> meant(["esx01"], ["esx01.berlin", "esx01.paris"])
    ({}, ['esx01'])
    """
    given, there = dict.fromkeys(name for name in named if name), dict.fromkeys(known)
    wanted = [name for name in given if name not in there]
    if not wanted:
        return {}, []
    same: dict[str, list[str]] = {}
    alike: dict[tuple[str, bool], list[str]] = {}
    for name in there:
        same.setdefault(folded_name(name), []).append(name)
        alike.setdefault(parts(name), []).append(name)
    full: dict[str, set[str]] = {}
    for name in (*given, *there):
        stem, is_full = parts(name)
        if is_full:
            full.setdefault(stem, set()).add(folded_name(name))
    found, doubtful = {}, []
    for name in wanted:
        stem, is_full = parts(name)
        candidates = same.get(folded_name(name)) or alike.get((stem, not is_full), [])
        sure = folded_name(name) in same or len(full.get(stem, ())) == 1
        if candidates and sure and len(candidates) == 1:
            found[name] = candidates[0]
        elif candidates:
            doubtful.append(name)
    return found, doubtful
