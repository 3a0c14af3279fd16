"""Files from outside, checked first and then parsed in a child process with limits.

A workbook of 5 kB can make a parser take all memory and abort, which no ``except`` catches. So nothing from outside is
parsed in this process: `load` looks at the container, and `sheet_worker` reads the cells elsewhere.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from planner.errors import InputError, did_you_mean
from planner.readers.sheet_worker import EXIT_MEMORY, fold

Source = str | os.PathLike | bytes | BinaryIO

MAX_FILE_BYTES = 256 * 1024**2
MAX_UNPACKED_BYTES = 1024**3
MAX_ENTRIES = 2000
MEMORY_BYTES = 3 * 1024**3
CPU_SECONDS = 120
WALL_SECONDS = 180
LOOK_AT_BYTES = 65536

_OLE = b"\xd0\xcf\x11\xe0"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_FOREIGN = {b"%PDF": "a PDF document", b"{\\rtf": "a text document", b"\x89PNG": "a picture", b"\x1f\x8b": "an archive"}
_CONTROL = bytes({*range(32)} - {*b"\t\n\r\f\x1a"})


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Cells of one sheet: rows that hold something, each with its number in the sheet."""

    name: str
    rows: list[list]
    row_numbers: list[int]


@dataclass(frozen=True, kw_only=True)
class Workbook:
    """A file from outside: the names of all its worksheets, and the cells of those that were wanted.

    A CSV file has one sheet whose name is empty.
    """

    file: str
    sheet_names: tuple[str, ...]
    sheets: dict[str, Sheet] = field(default_factory=dict)

    @property
    def is_csv(self) -> bool:
        return self.sheet_names == ("",)

    def find(self, name: str) -> Sheet | None:
        """The sheet of this name, whatever its case, blanks and underscores; None where there is none."""
        return next((sheet for sheet in self.sheets.values() if fold(sheet.name) == fold(name)), None)


def load(source: Source, sheets: frozenset[str] | None = None) -> Workbook:
    """Read an .xlsx or .csv file in a limited child process.

    Parameters
    ----------
    source : path, bytes or binary file object
        File objects are read from their beginning.
    sheets : frozenset of str, optional
        Names of the sheets to read, whatever their case, blanks and underscores; all where None. The only sheet of a
        workbook is always read.

    Raises
    ------
    InputError
        The file is missing, is no spreadsheet, is damaged, or goes beyond a limit of size, memory or time.
    """
    file, data = contents(source)
    kind = _kind(file, data)
    if kind == "xlsx":
        _check_container(file, data)
    wanted = None if sheets is None else sorted(fold(name) for name in sheets)
    return _workbook(file, _parsed(file, kind, data, wanted))


def is_binary(data: bytes) -> bool:
    """Whether content begins with what stands in no text; UTF-16, which its mark tells, is text."""
    head = data[:LOOK_AT_BYTES]
    return head[:2] not in (b"\xff\xfe", b"\xfe\xff") and head.translate(None, _CONTROL) != head


def contents(source: Source) -> tuple[str, bytes]:
    """Display name and content; a file is refused by its name or size before it is read."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        _refuse_lock_file(path.name)
        if path.is_dir():
            raise InputError(f"{path}: found a folder, expected an .xlsx or .csv file")
        if not path.is_file():
            folder = path.parent
            beside = sorted(entry.name for entry in folder.iterdir() if entry.is_file()) if folder.is_dir() else []
            raise InputError(f"{path}: found no such file{did_you_mean(path.name, beside)}")
        with path.open("rb") as stream:
            return path.name, _limited(path.name, stream)
    if isinstance(source, bytes | bytearray | memoryview):
        return "upload", _limited("upload", io.BytesIO(source))
    if not hasattr(source, "read"):
        raise InputError(f"found {type(source).__name__}, expected a path, bytes or a binary file object")
    file = Path(str(getattr(source, "name", "") or "upload")).name
    _refuse_lock_file(file)
    if source.seekable():
        source.seek(0)
    return file, _limited(file, source)


def _limited(file: str, stream: BinaryIO) -> bytes:
    data = stream.read(MAX_FILE_BYTES + 1)
    if not isinstance(data, bytes):
        raise InputError(f"{file}: found a file opened as text, expected one opened as binary ('rb')")
    if len(data) > MAX_FILE_BYTES:
        raise InputError(f"{file}: found more than {MAX_FILE_BYTES // 1024**2} MiB, expected a smaller file")
    if not data.strip():
        raise InputError(f"{file}: found an empty file, expected an .xlsx or .csv file with a heading row")
    return data


def _refuse_lock_file(name: str) -> None:
    if name.startswith("~$"):
        raise InputError(f"{name}: this is Excel's lock file, not the workbook; close Excel and choose {name[2:]}")


def _kind(file: str, data: bytes) -> str:
    """``xlsx`` or ``csv``, by content; the suffix only decides what to say."""
    expected = "expected an .xlsx or .csv file"
    if data.startswith(_OLE):
        raise InputError(f"{file}: found an encrypted or old .xls workbook; save it as .xlsx without password")
    if data.startswith(_ZIP):
        return "xlsx"
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise InputError(f"{file}: found {what}, which is not a spreadsheet; {expected}")
    head = data[:LOOK_AT_BYTES]
    if is_binary(data):
        raise InputError(f"{file}: found binary content that is not a spreadsheet; {expected}")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise InputError(f"{file}: found a web page or XML, which is not a spreadsheet; {expected}")
    if Path(file).suffix.lower() in (".xlsx", ".xlsm", ".xls"):
        raise InputError(f"{file}: found text, which is not a workbook; save it as .xlsx, or name it .csv")
    return "csv"


def _check_container(file: str, data: bytes) -> None:
    """Refuse what is no workbook, or too large unpacked, from the archive's table of contents."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"{file}: found a truncated or damaged workbook ({error}); copy or export it again") from error
    names = {entry.filename for entry in entries}
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES:
        raise InputError(f"{file}: found {len(entries):,} parts in the workbook, expected at most {MAX_ENTRIES:,}")
    if unpacked > MAX_UNPACKED_BYTES:
        limit = MAX_UNPACKED_BYTES // 1024**3
        raise InputError(f"{file}: found {unpacked / 1024**3:.1f} GiB when unpacked, expected at most {limit} GiB")
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
        inside = sorted(name for name in names if name.lower().endswith((".xlsx", ".csv")))
        hint = f"; unpack it and choose {inside[0]}" if inside else "; expected an .xlsx workbook"
        raise InputError(f"{file}: found a zip archive that is not an .xlsx workbook{hint}")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise InputError(f"{file}: found macros (vbaProject.bin) in the workbook; save it as .xlsx without macros")


def _parsed(file: str, kind: str, data: bytes, wanted: list[str] | None) -> bytes:
    """What the child printed; an InputError where it died or took too long."""
    packages = Path(importlib.util.find_spec("python_calamine").origin).parents[1]
    worker = Path(__file__).with_name("sheet_worker.py")
    limits = [str(MEMORY_BYTES), str(CPU_SECONDS)]
    command = [sys.executable, "-I", "-S", str(worker), kind, str(packages), json.dumps(wanted), *limits]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=WALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{file}: reading it took more than the limit of {WALL_SECONDS} s") from error
    if child.returncode == EXIT_MEMORY or b"memory allocation" in child.stderr or b"MemoryError" in child.stderr:
        raise InputError(
            f"{file}: reading it took more than the limit of {MEMORY_BYTES // 1024**3} GiB of memory; "
            "is there a stray cell far below or far right of the table?"
        )
    if child.returncode in (-9, -24):
        raise InputError(f"{file}: reading it took more than the limit of {CPU_SECONDS} s of processor time")
    if child.returncode != 0:
        raise InputError(f"{file}: found a damaged workbook that made the parser stop; export it again")
    return child.stdout


def _workbook(file: str, lines: bytes) -> Workbook:
    names: tuple[str, ...] = ()
    sheets: dict[str, Sheet] = {}
    sheet = None
    for line in lines.splitlines():
        value = json.loads(line)
        if isinstance(value, list):
            sheet.row_numbers.append(value[0])
            sheet.rows.append(value[1:])
        elif "error" in value:
            raise InputError(f"{file}: cannot be read: {value['error']}")
        elif "sheet_names" in value:
            names = tuple(value["sheet_names"])
        elif "sheet" in value:
            sheet = sheets[value["sheet"]] = Sheet(name=value["sheet"], rows=[], row_numbers=[])
    return Workbook(file=file, sheet_names=names, sheets=sheets)
