"""What in a cell is somebody's name: cells taken apart into names and what stands between them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container
from dataclasses import dataclass

from planner import schema
from planner.anonymity.kinds import KEPT, kind_of, known_sheet
from planner.anonymity.vocabulary import MOST_DIGITS as MOST_DIGITS_OF_NUMBERS
from planner.anonymity.vocabulary import is_harmless, is_plain
from planner.readers.columns import split_unit
from planner.readers.totals import total_word
from planner.rules import words

MOST_DIGITS = 6
"""Longest whole number that stays below a heading that no tool has; a longer one may be a telephone number."""


@dataclass(frozen=True)
class Name:
    """A text that is to be replaced, and the kind of thing that it names."""

    kind: str
    text: str


Parts = tuple[str | Name, ...]
"""A cell taken apart: what stays, and the names between it."""

_NAMED = {
    "value": "text", "count": "text", "os": "system", "version": "text", "hardware": "model", "hosts": "host",
    "patterns": "vm", "path": "vm", "mount": "directory", "numbering": "text", "uuid": "id",
}  # fmt: skip
"""Kind of the names in columns whose own kind is another."""

_MAY_BE_TOTALS = ("vm", "host", "text")
"""Kinds of columns in which a row of totals is called so."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_MAC = re.compile(r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}", re.I)
_IP = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3})(/\d{1,2}|:\d{1,5})?")
_MAIL = re.compile(r"([^\s@]+)@([\w.-]+\.[^\W\d_]{2,})")
_FQDN = re.compile(r"([\w-]+)\.((?:[\w-]+\.)*[^\W\d_]{2,})")
_ON_DATASTORE = re.compile(r"\[([^\]]*)\]( ?)(.*)", re.S)
_EXTENSION = re.compile(
    r"\.(?:vmx|vmxf|vmdk|vmtx|vmsd|vmsn|vmss|vswp|nvram|log|iso|img|vhdx?|avhdx?|qcow2|raw|flp|hlog|lck)$", re.I
)
_SUFFIXES = (
    re.compile(r"-(?:flat|delta|ctk|rdmp?|sesparse|digest|aux)$", re.I),
    re.compile(r"[-_]\d{1,6}$"),
    re.compile(r"-Snapshot\d{1,6}$", re.I),
)
_FRACTION = re.compile(r"\d[.,](?:\d{1,2}|\d{4,})(?!\d)")
_STRUCTURE = frozenset({"resources", "vm", "host", "datacenters", "vcls", "discovered"})
_INFRASTRUCTURE = (
    (re.compile(r"vCLS\b.*", re.I | re.S), "vCLS-", ""),
    (re.compile(r"NTNX\b.*CVM", re.I | re.S), "NTNX-", "-CVM"),
)
_TELLING = {
    "rule": re.compile(
        r"anti-?affinity|affinity|separate|keep together|keep apart|must not|must|should not|should", re.I
    ),
    "system": re.compile(
        r"\b(?:windows|win(?=\d)|linux|unix|ubuntu|debian|red hat|rhel|suse|sles|centos|rocky|almalinux|fedora|oracle|"
        r"solaris|freebsd|esxi)(?![a-z])",
        re.I,
    ),
}
"""Words of a name that planning depends on, by kind."""


def parts_of(kind: str, text: str, known: Container[str] = frozenset()) -> Parts:
    """A cell taken apart; without any name where it stays as it is.

    Parameters
    ----------
    kind : str
        Kind of its column.
    text : str
        Blanks trimmed and single.
    known : container of str
        Names in lower case that stand elsewhere in the export, by which paths are taken apart.

    Examples
    --------
    >>> parts_of("os", "Debian 12"), parts_of("vm", "Debian 12")
    (('Debian 12',), (Name(kind='vm', text='Debian 12'),))
    >>> parts_of("host", "esx01.corp.example")
    (Name(kind='host', text='esx01'), '.', Name(kind='domain', text='corp.example'))
    """
    if (kind in KEPT and is_harmless(text, kind)) or (kind == "text" and _may_stay(text)):
        return (text,)
    named = _NAMED.get(kind, kind)
    if kind == "path" or _ON_DATASTORE.fullmatch(text):
        return _path(text, known)
    if kind == "mount":
        return _mount(text)
    if kind in ("tag", "rule", "hosts"):
        return joined([_shaped(named, word) or _one(named, word) for word in words(text) or [text]])
    if kind == "heading":
        return _heading(text)
    if kind in _MAY_BE_TOTALS and (word := total_word(text)):
        return (word, ": ", Name(named, text)) if any(map(str.isalnum, text[len(word) :])) else (word,)
    if kind in ("folder", "cluster", "datacenter") and "/" in text:
        return joined([_one("folder", segment) if segment else () for segment in text.split("/")], "/")
    if kind == "domain":
        return joined([(Name("domain", word),) for word in words(text)]) or (Name("domain", text),)
    if named == "id":
        return _shaped(named, text) or _identifier(text)
    return _shaped(named, text) or _one(named, text)


def _heading(text: str) -> Parts:
    """A heading that no tool has, by a name that keeps its unit."""
    if kind_of(text, "Hosts"):
        return (text,)
    unit = split_unit(text)[1]
    return (Name("heading", text), f" ({unit})") if unit else (Name("heading", text),)


def replaced(kind: str, text: str) -> Parts:
    """A text of a column of this kind that would stay, but names somebody."""
    return _one(_NAMED.get(kind, kind), text)


def _identifier(text: str) -> Parts:
    """An identifier; one that tells first what it identifies, ``node/pve1``, by its segments."""
    head, slash, tail = text.partition("/")
    if slash and tail and head.isalpha() and is_harmless(head):
        return joined([(head,), *(_identifier_alone(segment) for segment in tail.split("/"))], "/")
    return _identifier_alone(text)


def _identifier_alone(text: str) -> Parts:
    return (Name("number" if text.isdecimal() else "id", text),) if text else ()


def _one(kind: str, text: str) -> Parts:
    """One thing's name; what tools tell machines of the infrastructure and rules by stays before it."""
    if kind == "folder" and text.casefold() in _STRUCTURE:
        return (text,)
    if kind == "vm":
        for shape, before, behind in _INFRASTRUCTURE:
            if shape.fullmatch(text):
                return tuple(part for part in (before, Name(kind, text), behind) if part)
    if kind in _TELLING:
        told = _TELLING[kind].findall(text)
        return (" ".join(told).lower() + " ", Name(kind, text)) if told else (Name(kind, text),)
    if kind == "tag" and is_harmless(text):
        return (text,)
    return (Name(kind, text),)


def _may_stay(text: str) -> bool:
    """Whether a text below a heading that no tool has is a date, a flag, a state, or a short number."""
    if len(text) > 1 and (text.casefold() in schema.FLAGS or text.casefold() in schema.STATES):
        return True
    if not is_plain(text):
        return False
    if any(mark in text[1:] for mark in "-/:") or _FRACTION.search(text):
        return True
    return len(re.sub(r"\D", "", text)) <= MOST_DIGITS and not re.match(r"[+-]?0\d", text)


def may_stay(number: float) -> bool:
    """Whether a number below a heading that no tool has is too short to be an identifier."""
    return not float(number).is_integer() or abs(number) < 10**MOST_DIGITS


def _shaped(kind: str, text: str) -> Parts | None:
    """A cell whose form tells what it names: addresses, or a list of them."""
    found = _address(kind, text)
    if found is None and re.search(r"[,;]", text):
        each = [_address(kind, word) for word in words(text)]
        if each and all(each):
            return joined(each)
    return found


def _address(kind: str, text: str) -> Parts | None:
    if _UUID.fullmatch(text):
        return (Name("uuid", text),)
    if _MAC.fullmatch(text):
        return (Name("mac", text),)
    if found := _IP.fullmatch(text):
        return (Name("ip", found[1]), found[2]) if found[2] else (Name("ip", found[1]),)
    if text.count(":") >= 2 and _is_ipv6(text):
        return (Name("ip6", text),)
    if found := _MAIL.fullmatch(text):
        return (Name("user", found[1]), "@", Name("domain", found[2]))
    if found := _FQDN.fullmatch(text):
        kind = kind if kind in ("vm", "host", "cluster", "datastore") else "host"
        return (*_one(kind, found[1]), ".", Name("domain", found[2]))
    return None


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text.partition("%")[0].partition("/")[0])
    except ValueError:
        return False
    return True


def _path(text: str, known: Container[str]) -> Parts:
    """``[datastore] folder/file.vmx`` by its segments."""
    found = _ON_DATASTORE.fullmatch(text)
    head: Parts = ()
    if found:
        store: Parts = (Name("datastore", found[1]),) if found[1] else ()
        head, text = ("[", *store, "]", found[2]), found[3]
    segments = [_file(segment, known) if segment else ("",) for segment in text.split("/")]
    return tuple(part for part in (*head, *joined(segments, "/")) if part != "")


def _file(segment: str, known: Container[str]) -> Parts:
    """A file or folder: the machine that it belongs to, and what the hypervisor put behind."""
    extension = _EXTENSION.search(segment)
    end = extension.start() if extension else len(segment)
    cut = end
    while segment[:cut].casefold() not in known:
        found = next((f for shape in _SUFFIXES if (f := shape.search(segment[:cut])) and f.start()), None)
        if found is None:
            cut = end
            break
        cut = found.start()
    return tuple(part for part in (*(_one("vm", segment[:cut]) if cut else ()), segment[cut:]) if part)


def _mount(text: str) -> Parts:
    """A path inside a guest: drive letters and what every system calls its folders stay."""
    mark = "\\" if "\\" in text else "/"
    each = []
    for segment in text.split(mark):
        stays = not segment or re.fullmatch(r"[A-Za-z]:", segment) or (is_harmless(segment) and not is_plain(segment))
        each.append((segment,) if stays else (Name("directory", segment),))
    return tuple(part for part in joined(each, mark) if part)


def joined(each: list[Parts], mark: str = ", ") -> Parts:
    """Several cells' parts as one's, with a mark between them."""
    found: list[str | Name] = []
    for position, parts in enumerate(each):
        found += [mark, *parts] if position else parts
    return tuple(found)


def sheet_parts(name: str) -> Parts:
    """The name of a sheet; those of tools stay."""
    return (name,) if known_sheet(name) else (Name("sheet", name),)


def is_sought(text: str) -> bool:
    """Whether a name is looked for in what was written: short numbers stand everywhere by chance.

    >>> is_sought("web"), is_sought("4711"), is_sought("00493012345")
    (True, False, True)
    """
    return not (text.isdigit() and len(text) <= MOST_DIGITS_OF_NUMBERS)
