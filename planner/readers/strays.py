"""Storage that stands where nothing reads it: on a sheet of its own, in a dialect that no format knows."""

from __future__ import annotations

from planner.errors import UnknownColumns
from planner.readers.cells import headings_of
from planner.readers.columns import MAX_TITLE_ROWS, fold
from planner.readers.machines import may_be_storage
from planner.readers.sandbox import Sheet, Workbook, load
from planner.readers.tables import Tables


def require_storage(book: Workbook, tables: Tables) -> None:
    """Refuse a file whose workloads have no storage where another sheet lists some for machines of the same heading.

    Parameters
    ----------
    book : Workbook
    tables : Tables
        What was read of it.

    Raises
    ------
    UnknownColumns
        The message names the heading and its sheet.
    """
    frame = tables.frames.get("workloads")
    if frame is None or frame.empty or ("storage_gib" in frame and frame["storage_gib"].gt(0).any()):
        return
    name = tables.origins["workloads"].headings.get("name", "")
    taken = {origin.sheet for origin in tables.origins.values()}
    if len(book.sheets) < len(book.sheet_names) and book.source is not None:
        book = load(book.source, None)
    for sheet in book.sheets.values():
        heading = "" if sheet.name in taken else _of_storage(sheet, name)
        if heading:
            raise UnknownColumns(
                f"{book.file}: found no storage of workloads that is known, but {heading!r} on sheet {sheet.name}, for "
                "storage read as 0 would be wrong",
                book.file,
            )


def _of_storage(sheet: Sheet, name: str) -> str:
    """The first heading about storage in a row of headings with that of the names; "" where there is none."""
    for row in sheet.rows[: MAX_TITLE_ROWS + 1]:
        headings = headings_of(row)
        if fold(name) in map(fold, headings):
            return next(filter(may_be_storage, headings), "")
    return ""
