"""Files from outside, checked first and then parsed in a child process with limits.

A workbook of 5 kB can make a parser take all memory and abort, which no ``except`` catches. So nothing from outside is
parsed in this process: `load` looks at the container, and `sheet_worker` reads the cells elsewhere.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from planner.errors import InputError
from planner.readers.files import EXPECTED, ZIP, File, Source, contents, entries
from planner.readers.sheet_worker import EXIT_MEMORY, fold

MEMORY_BYTES = 3 * 1024**3
CPU_SECONDS = 120
WALL_SECONDS = 180
LOOK_AT_BYTES = 65536
ROWS_A_REPORT = 5000
WORKER = Path(__file__).with_name("sheet_worker.py")

OnRows = Callable[[str, str, int], None]
"""Told while a file is read: file, sheet, rows so far; at the end the file alone and all its rows."""

_OLE = b"\xd0\xcf\x11\xe0"
_FOREIGN = {b"%PDF": "a PDF document", b"{\\rtf": "a text document", b"\x89PNG": "a picture", b"\x1f\x8b": "an archive"}
_PARQUET = b"PAR1"
_CONTROL = bytes({*range(32)} - {*b"\t\n\r\f\x1a"})


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Cells of one sheet: rows that hold something, each with its number in the sheet.

    `hidden` counts the rows that hold something and that a spreadsheet program does not show, and `visible` says
    whether it shows the sheet; `delimiter` is what separates the cells of a CSV file, and `cut` whether that ends
    without a line end. Rows of a CSV file keep their trailing blanks, which tell how wide they are.
    `remarks` says what was added to the cells or found among them: kind of note, attribute, message, and of how many
    rows where that is not all. `renamed` has headings as they stand in the file, and as they are called here.
    """

    name: str
    rows: list[list]
    row_numbers: list[int]
    hidden: int = 0
    visible: bool = True
    delimiter: str = ""
    cut: bool = False
    remarks: tuple[tuple[str, str, str] | tuple[str, str, str, int], ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    def with_heading(self, at: int, place: int, text: str) -> Sheet:
        """The sheet with one heading of the row at a position called something else."""
        heads = list(self.rows[at])
        before, heads[place] = " ".join(str(heads[place]).split()), text
        rows = [*self.rows[:at], heads, *self.rows[at + 1 :]]
        return replace(self, rows=rows, renamed=(*self.renamed, (before, text)))


@dataclass(frozen=True, kw_only=True)
class Workbook:
    """A file from outside: the names of all its worksheets, and the cells of those that were wanted.

    Parameters
    ----------
    file : str
        Display name.
    kind : {"xlsx", "csv", "json"}
        A CSV file has one sheet without a name. So has a JSON document: a row for each record under a row of headings,
        which join the names of two levels by a dot; what lies deeper is a cell.
    sheet_names : tuple of str
    sheets : dict of str to Sheet
    source : File, optional
        Where it came from.
    members : dict of str to File
        Where each sheet came from, where files of their own were joined.
    """

    file: str
    kind: Literal["xlsx", "csv", "json"] = "xlsx"
    sheet_names: tuple[str, ...]
    sheets: dict[str, Sheet] = field(default_factory=dict)
    source: File | None = None
    members: dict[str, File] = field(default_factory=dict)

    @property
    def table(self) -> Sheet | None:
        """The only sheet of a CSV file or JSON document; None for a workbook."""
        return self.sheets.get("") if self.kind != "xlsx" else None

    @property
    def only(self) -> Sheet | None:
        """The sheet of a file that has no other: of a CSV file, a JSON document or a workbook; None where empty."""
        found = next(iter(self.sheets.values())) if len(self.sheet_names) == 1 and self.sheets else None
        return found if found is not None and found.rows else None

    def find(self, name: str) -> Sheet | None:
        """The sheet of this name, whatever its case, blanks and underscores; None where there is none."""
        return next((sheet for sheet in self.sheets.values() if fold(sheet.name) == fold(name)), None)


def load(source: Source | File, sheets: frozenset[str] | None = None, *, on_rows: OnRows | None = None) -> Workbook:
    """Read an .xlsx, .csv or .json file in a limited child process.

    Parameters
    ----------
    source : path, bytes, binary file object or File
        File objects are read from their beginning.
    sheets : frozenset of str, optional
        Names of the sheets to read, whatever their case, blanks and underscores; all where None. The only sheet of a
        workbook is always read.
    on_rows : callable, optional
        Called with file, sheet and rows so far as reading goes on.

    Raises
    ------
    InputError
        The file is missing, is no spreadsheet, is damaged, or goes beyond a limit of size, memory or time.
    """
    file = source if isinstance(source, File) else contents(source)
    kind = _kind(file)
    if kind == "xlsx":
        _check_container(file)
    wanted = None if sheets is None else sorted(fold(name) for name in sheets)
    return _parsed(file, kind, wanted, on_rows)


def document(source: Source | File) -> object:
    """A JSON document as it stands, parsed in the child first, which refuses what is too deep or damaged.

    Raises
    ------
    InputError
        As for `load`, and for what is no JSON.
    """
    file = source if isinstance(source, File) else contents(source)
    if _kind(file) != "json":
        raise InputError(f"{file.label}: found no JSON document")
    found: list = []
    _run_worker(file, "document", None, found.append)
    if "error" in found[0]:
        raise InputError(f"{file.label}: cannot be read: {found[0]['error']}")
    return found[0]["document"]


def is_binary(data: bytes) -> bool:
    """Whether content begins with what stands in no text; UTF-16, which its mark tells, is text."""
    head = data[:LOOK_AT_BYTES]
    return head[:2] not in (b"\xff\xfe", b"\xfe\xff") and head.translate(None, _CONTROL) != head


def _kind(file: File) -> Literal["xlsx", "csv", "json"]:
    """What a file is, by its content; the suffix only decides what to say."""
    name, data = file.label, file.data
    if data.startswith(_OLE):
        raise InputError(f"{name}: found an encrypted or old .xls workbook; save it as .xlsx without password")
    if data.startswith(ZIP):
        return "xlsx"
    if data.startswith(_PARQUET):
        raise InputError(f"{name}: found a Parquet file, which is read with --series FILE alone; {EXPECTED}")
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            raise InputError(f"{name}: found {what}, which is not a spreadsheet; {EXPECTED}")
    if is_binary(data):
        raise InputError(f"{name}: found binary content that is not a spreadsheet; {EXPECTED}")
    first = data[:LOOK_AT_BYTES].translate(None, b"\x00\xff\xfe").removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if first == b"<":
        raise InputError(f"{name}: found a web page or XML, which is not a spreadsheet; {EXPECTED}")
    if file.suffix in (".xlsx", ".xlsm", ".xls"):
        raise InputError(f"{name}: found text, which is not a workbook; save it as .xlsx, or name it .csv")
    is_json = file.suffix == ".json" or (first in (b"{", b"[") and file.suffix not in (".csv", ".tsv"))
    return "json" if is_json else "csv"


def _check_container(file: File) -> None:
    """Refuse what is no workbook, or too large unpacked, from the archive's table of contents."""
    names = entries(file)
    if not {"[Content_Types].xml", "xl/workbook.xml"} <= set(names):
        inside = sorted(name for name in names if name.lower().endswith((".xlsx", ".csv", ".json")))
        hint = f"; unpack it and choose {inside[0]}" if inside else f"; {EXPECTED}"
        raise InputError(f"{file.label}: found a zip archive that is not an .xlsx workbook{hint}")
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise InputError(
            f"{file.label}: found macros (vbaProject.bin) in the workbook; save it as .xlsx without macros"
        )


def _parsed(file: File, kind: str, wanted: list[str] | None, on_rows: OnRows | None) -> Workbook:
    """What the child printed, as a workbook."""
    names: list[str] = []
    sheets: dict[str, Sheet] = {}
    sheet = Sheet(name="", rows=[], row_numbers=[])

    def take(value: list | dict) -> None:
        nonlocal sheet
        if isinstance(value, list):
            sheet.row_numbers.append(value[0])
            sheet.rows.append(value[1:])
            if on_rows is not None and len(sheet.rows) % ROWS_A_REPORT == 0:
                on_rows(file.label, sheet.name, len(sheet.rows))
        elif "error" in value:
            raise InputError(f"{file.label}: cannot be read: {value['error']}")
        elif "sheet_names" in value:
            names.extend(value["sheet_names"])
        elif "sheet" in value:
            about = {key: value[key] for key in ("hidden", "visible", "delimiter", "cut") if key in value}
            sheet = Sheet(name=value["sheet"], rows=[], row_numbers=[], **about)
            sheets[sheet.name] = sheet
            if on_rows is not None:
                on_rows(file.label, sheet.name, 0)

    _run_worker(file, kind, wanted, take)
    if on_rows is not None:
        on_rows(file.label, "", sum(len(one.rows) for one in sheets.values()))
    return Workbook(file=file.label, kind=kind, sheet_names=tuple(names), sheets=sheets, source=file)


def _run_worker(file: File, kind: str, wanted: list[str] | None, take: Callable[[list | dict], None]) -> None:
    """Parse a file in the child and hand on each value that it prints; an InputError where it died or took too long."""
    packages = Path(importlib.util.find_spec("python_calamine").origin).parents[1]
    limits = [str(MEMORY_BYTES), str(CPU_SECONDS)]
    command = [sys.executable, "-I", "-S", str(WORKER), kind, str(packages), json.dumps(wanted), *limits]
    late = threading.Event()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:

        def end() -> None:
            late.set()
            child.kill()

        said: list[bytes] = []
        aside = [
            threading.Thread(target=_feed, args=(child, file.data), daemon=True),
            threading.Thread(target=lambda: said.append(child.stderr.read()), daemon=True),
        ]
        clock = threading.Timer(WALL_SECONDS, end)
        for thread in (*aside, clock):
            thread.start()
        try:
            for line in child.stdout:
                # The last line of a child that was killed may be half of one; its exit code tells below.
                if line.endswith(b"\n"):
                    take(json.loads(line))
        except BaseException:
            child.kill()
            raise
        finally:
            clock.cancel()
            for thread in aside:
                thread.join()
        code = child.wait()
    _require_finished(file.label, code, b"".join(said), late.is_set())


def _feed(child: subprocess.Popen, data: bytes) -> None:
    try:
        child.stdin.write(data)
        child.stdin.close()
    except OSError:
        return  # The child died before it read everything; its exit code says so.


def _require_finished(file: str, code: int, said: bytes, late: bool) -> None:
    if late:
        raise InputError(f"{file}: reading it took more than the limit of {WALL_SECONDS} s")
    if code == EXIT_MEMORY or b"memory allocation" in said or b"MemoryError" in said:
        raise InputError(
            f"{file}: reading it took more than the limit of {MEMORY_BYTES // 1024**3} GiB of memory; "
            "is there a stray cell far below or far right of the table?"
        )
    if code in (-9, -24):
        raise InputError(f"{file}: reading it took more than the limit of {CPU_SECONDS} s of processor time")
    if code != 0:
        raise InputError(f"{file}: found damaged content that made the parser stop; export it again")
