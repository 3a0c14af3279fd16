"""Looks through the bytes that were written for any name that was replaced."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Container, Iterable, Iterator
from functools import cache
from xml.sax.saxutils import unescape

from planner.anonymity.pages import xlsx_bytes
from planner.anonymity.search import Search
from planner.anonymity.vocabulary import explains, is_within_a_word
from planner.readers.exports import as_text
from planner.readers.files import ZIP
from planner.readers.sheet_worker import MAX_CSV_FIELD

_SLICE = 1 << 23
_NUMBERS = re.compile(rb' r="[A-Z]*\d+"| spans="\d+:\d+"| s="\d+"|<v>-?\d+(?:\.\d+)?(?:E[+-]?\d+)?</v>', re.I)
_MARKS = re.compile(rb'[<>"]')
_ENTITIES = {"&quot;": '"', "&apos;": "'"}


def leaks(
    name: str,
    data: bytes,
    originals: Iterable[str],
    kept: Container[str] = frozenset(),
    headings: Container[str] = frozenset(),
) -> list[tuple[str, str]]:
    """Originals that stand in a file, and the texts in which they do; none where it keeps its secrets.

    Every text of the file is looked through whatever its letter case: cells, names, properties and all else that a
    container holds, unpacked and with its entities resolved. What lies within harmless words of a text that was to
    stay, within one such word of another text, in a heading of a tool, or in what every workbook holds, is none.

    Parameters
    ----------
    name : str
        The file's name, which tells what a text file is.
    data : bytes
    originals : iterable of str
    kept : container of str
        Texts of cells that were to stay, blanks single.
    headings : container of str
        Headings of tools that were to stay, blanks single.
    """
    search = Search(originals)
    found = []
    for text in texts_of(name, data):
        if as_text(text) in headings:
            continue
        folded = text.casefold()
        for begin, end in search.hits(folded):
            spelled = text if len(text) == len(folded) else folded
            stays = as_text(text) in kept
            if not (explains(spelled, begin, end) if stays else is_within_a_word(spelled, begin, end)):
                found.append((folded[begin:end], text))
    return sorted(set(found))


def texts_of(name: str, data: bytes) -> set[str]:
    """Every text that a file holds, without what every workbook holds."""
    if data.startswith(ZIP):
        return set(_of_archive(data)) - _of_any_workbook(_sheets(data))
    text = data.decode("utf-8").replace("\0", "")
    if name.endswith(".json"):
        return set(_of_json(json.loads(text)))
    csv.field_size_limit(MAX_CSV_FIELD)
    mark = max(",;\t", key=text.partition("\n")[0].count)
    return {cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) for cell in row}


def _of_archive(data: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        yield from filter(None, (archive.comment.decode("utf-8"), *archive.namelist()))
        for entry in archive.infolist():
            yield from filter(None, (entry.comment.decode("utf-8"), entry.extra.decode("utf-8")))
            content = archive.read(entry)
            if entry.filename.endswith((".xml", ".rels")):
                yield from _of_markup(content)
            else:
                yield from texts_of(entry.filename, content)


def _of_markup(content: bytes) -> Iterator[str]:
    """What stands between the marks of XML, once each; numbers and the addresses of cells are left out."""
    found: set[bytes] = set()
    content = content.replace(b"\0", b"")
    begin = 0
    while begin < len(content):
        end = content.find(b"</row>", begin + _SLICE)
        end = len(content) if end < 0 else end
        found.update(_MARKS.split(_NUMBERS.sub(b"", content[begin:end])))
        begin = end
    for piece in found:
        yield unescape(piece.decode("utf-8"), _ENTITIES)


def _of_json(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _of_json(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _of_json(inner)
    elif isinstance(value, str):
        yield value


def _sheets(data: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sum(name.startswith("xl/worksheets/") for name in archive.namelist())


@cache
def _of_any_workbook(sheets: int) -> frozenset[str]:
    """Texts of a workbook of so many sheets that says nothing: one cell of each type that is written."""
    cells = ["a", " a ", 1.0, True, "2000-01-01T00:00:00"]
    written = xlsx_bytes({f"Sheet {number + 1}": iter([(1, cells)]) for number in range(sheets)})
    return frozenset(_of_archive(written)) if sheets else frozenset()
