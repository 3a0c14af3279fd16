"""write(report, path): a plan to hand over, as xlsx, csv, json or html."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from planner.errors import InputError, did_you_mean
from planner.reports import Report
from planner.writers.html import html_bytes
from planner.writers.json import json_bytes
from planner.writers.placement_csv import csv_bytes
from planner.writers.workbook import xlsx_bytes

FORMATS: dict[str, Callable[[Report], bytes]] = {
    "xlsx": xlsx_bytes,
    "csv": csv_bytes,
    "json": json_bytes,
    "html": html_bytes,
}


def to_bytes(report: Report, format: str) -> bytes:
    """A report as the bytes of a file.

    Parameters
    ----------
    report : Report
    format : {"xlsx", "csv", "json", "html"}

    Raises
    ------
    InputError
        Another format.
    """
    if format not in FORMATS:
        raise InputError(f"output: found format {format!r}{did_you_mean(format, FORMATS)}")
    return FORMATS[format](report)


def require_writable(path: str | os.PathLike, formats: Iterable[str] = tuple(FORMATS)) -> Path:
    """The path, if a file could be written there: a suffix that is known, a report's by default, and a folder there.

    Raises
    ------
    InputError
        Another suffix, or a folder that does not exist.
    """
    path = Path(path)
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in formats:
        raise InputError(f"{path}: found suffix {path.suffix!r}{did_you_mean(suffix, formats)}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written, the folder {str(path.parent)!r} does not exist")
    return path


def write(report: Report, path: str | os.PathLike) -> Path:
    """Write a report in the format of the path's suffix: .xlsx, .csv, .json or .html.

    The file appears whole or not at all; one that is there is replaced.

    Raises
    ------
    InputError
        Another suffix, or a folder that does not exist or cannot be written to.
    """
    path = require_writable(path)
    return put(path, to_bytes(report, path.suffix.lower().removeprefix(".")))


def put(path: Path, data: bytes) -> Path:
    """Write a file that appears whole or not at all.

    Raises
    ------
    InputError
        A folder that cannot be written to.
    """
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written, {error.strerror}") from error
    return path
