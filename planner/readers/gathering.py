"""Files that belong together: the tabs of one export, written as a file each, become one workbook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from types import ModuleType

from planner.errors import InputError
from planner.readers.sandbox import Workbook


def gathered(books: Sequence[Workbook], formats: Iterable[ModuleType]) -> list[Workbook]:
    """Workbooks, with the files that are tabs of one export joined.

    Parameters
    ----------
    books : sequence of Workbook
    formats : iterable of module
        One with a function ``tab_of(workbook)`` tells for a CSV file or JSON document which export of its folder it
        belongs to and which tab it is, or None.

    Raises
    ------
    InputError
        Two files of a folder are the same tab of the same export.
    """
    tabbed = [known for known in formats if hasattr(known, "tab_of")]
    found: list[Workbook | dict[str, Workbook]] = []
    groups: dict[tuple, dict[str, Workbook]] = {}
    for book in books:
        if book.table is None:
            found.append(book)
            continue
        told = next(((known, tab) for known in tabbed if (tab := known.tab_of(book))), None)
        if told is None:
            found.append(book)
            continue
        known, (export, tab) = told
        key = (known.FORMAT, _folder(book), export)
        if key not in groups:
            groups[key] = {}
            found.append(groups[key])
        if tab in groups[key]:
            raise InputError(
                f"{book.file}: found a second file of {tab} beside {groups[key][tab].file}, expected one for each "
                f"{known.FORMAT} export; put the files of each export into a folder or .zip of its own"
            )
        groups[key][tab] = book
    return [_joined(one) if isinstance(one, dict) else one for one in found]


def _folder(book: Workbook) -> str:
    """Where a file stands; "" for a file by itself."""
    if book.source is None or not book.source.parent:
        return ""
    inside = PurePosixPath(book.source.name).parent.as_posix()
    return book.source.parent if inside == "." else f"{book.source.parent}/{inside}"


def _joined(tabs: dict[str, Workbook]) -> Workbook:
    first = next(iter(tabs.values()))
    others = len(tabs) - 1
    label = first.file if not others else _folder(first) or f"{first.file} and {others} more"
    sheets = {tab: replace(book.table, name=tab) for tab, book in tabs.items()}
    return Workbook(
        file=label,
        kind=first.kind,
        sheet_names=tuple(sheets),
        sheets=sheets,
        source=first.source,
        members={tab: book.source for tab, book in tabs.items() if book.source is not None},
    )
