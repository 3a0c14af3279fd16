"""Files from outside, before anything of them is parsed: paths, uploads, folders and archives of exports."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from planner.errors import InputError, did_you_mean

Source = str | os.PathLike | bytes | BinaryIO

MAX_FILE_BYTES = 256 * 1024**2
MAX_UNPACKED_BYTES = 1024**3
MAX_ENTRIES = 2000
MAX_MEMBERS = 200
"""Most files that are read out of one folder or archive."""

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
READABLE = (".xlsx", ".csv", ".json", ".tsv")
EXPECTED = "expected an .xlsx, .csv or .json file, or a folder or .zip of these"
_UNPACKING = (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError, zlib.error)
"""What zipfile raises for archives that are damaged, cut off, locked by a password, or packed in an unknown way."""
_WORKBOOK_PARTS = frozenset({"[Content_Types].xml", "xl/workbook.xml"})


@dataclass(frozen=True, kw_only=True)
class File:
    """One file with its content.

    Parameters
    ----------
    name : str
        Display name; within a folder or archive its path there.
    data : bytes
    parent : str
        Display name of the folder or archive that it was found in; "" for a file by itself.
    """

    name: str
    data: bytes
    parent: str = ""

    @property
    def label(self) -> str:
        """Name for messages: with its folder or archive."""
        return f"{self.parent}/{self.name}" if self.parent else self.name

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.lower()


def opened(source: Source) -> tuple[list[File], list[str]]:
    """The files of a source: itself, or what a folder or archive holds.

    Parameters
    ----------
    source : path, bytes or binary file object
        File objects are read from their beginning.

    Returns
    -------
    list of File
        In order of their names.
    list of str
        What a folder or archive holds besides and nobody reads.

    Raises
    ------
    InputError
        The file is missing or empty, goes beyond a limit, or the folder or archive holds nothing to read.
    """
    if isinstance(source, str | os.PathLike) and Path(source).is_dir():
        return _of_folder(Path(source))
    file = contents(source)
    if not file.data.startswith(ZIP):
        return [file], []
    names = set(entries(file))
    if names >= _WORKBOOK_PARTS or (file.suffix in (".xlsx", ".xlsm") and not _readable(sorted(names))):
        return [file], []
    return _of_archive(file)


def contents(source: Source) -> File:
    """A file; refused by its name or size before it is read."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        refuse_lock_file(path.name)
        if path.is_dir():
            raise InputError(f"{path}: found a folder, expected a file")
        if not path.is_file():
            folder = path.parent
            beside = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
            raise InputError(f"{path}: found no such file{did_you_mean(path.name, beside)}")
        with path.open("rb") as stream:
            return _filled(File(name=path.name, data=_limited(path.name, stream)))
    if isinstance(source, bytes | bytearray | memoryview):
        return _filled(File(name="upload", data=_limited("upload", io.BytesIO(source))))
    if not hasattr(source, "read"):
        raise InputError(f"found {type(source).__name__}, expected a path, bytes or a binary file object")
    name = Path(str(getattr(source, "name", "") or "upload")).name
    refuse_lock_file(name)
    if source.seekable():
        source.seek(0)
    return _filled(File(name=name, data=_limited(name, source)))


def refuse_lock_file(name: str) -> None:
    """Raise an InputError for the file that Excel keeps beside an open workbook."""
    if name.startswith("~$"):
        raise InputError(f"{name}: this is Excel's lock file, not the workbook; close Excel and choose {name[2:]}")


def entries(file: File) -> dict[str, int]:
    """Unpacked size of each part of a zip archive, by name, from its table of contents.

    Raises
    ------
    InputError
        A damaged archive, or one that goes beyond a limit.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            found = {entry.filename: entry.file_size for entry in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(
            f"{file.label}: found a truncated or damaged file ({error}); copy or export it again"
        ) from error
    if len(found) > MAX_ENTRIES:
        raise InputError(f"{file.label}: found {len(found):,} parts in the file, expected at most {MAX_ENTRIES:,}")
    if sum(found.values()) > MAX_UNPACKED_BYTES:
        unpacked, limit = sum(found.values()) / 1024**3, MAX_UNPACKED_BYTES // 1024**3
        raise InputError(f"{file.label}: found {unpacked:.1f} GiB when unpacked, expected at most {limit} GiB")
    return found


def _of_folder(folder: Path) -> tuple[list[File], list[str]]:
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    wanted = _readable(sorted(paths))
    if not wanted:
        raise InputError(f"{folder}: found a folder without any file to read, {EXPECTED}")
    _require_few(str(folder), wanted)
    found, size = [], 0
    for name in wanted:
        with paths[name].open("rb") as stream:
            found.append(File(name=name, data=_limited(f"{folder.name}/{name}", stream), parent=folder.name))
        size += len(found[-1].data)
        if size > MAX_UNPACKED_BYTES:
            raise InputError(f"{folder}: found more than {MAX_UNPACKED_BYTES // 1024**3} GiB of files, expected less")
    return _apart(found, sorted(set(paths) - set(wanted)))


def _of_archive(file: File) -> tuple[list[File], list[str]]:
    sizes = {name: size for name, size in entries(file).items() if not name.endswith("/")}
    wanted = _readable(sorted(sizes))
    if not wanted:
        shown = ", ".join(sorted(sizes)[:5]) or "nothing"
        raise InputError(f"{file.label}: found a zip archive with {shown}; {EXPECTED}")
    _require_few(file.label, wanted)
    found = []
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        for name in wanted:
            label = f"{file.label}/{name}"
            try:
                with archive.open(name) as stream:
                    found.append(File(name=name, data=_limited(label, stream, sizes[name]), parent=file.label))
            except _UNPACKING as error:
                raise InputError(f"{label}: cannot be unpacked ({error}); copy or export it again") from error
    return _apart(found, sorted(set(sizes) - set(wanted)))


def _apart(files: list[File], others: list[str]) -> tuple[list[File], list[str]]:
    """Files that hold something, and the names of those that are empty beside `others`."""
    filled = [file for file in files if file.data.strip()]
    if not filled:
        raise InputError(f"{files[0].parent}: found empty files only, {EXPECTED}")
    return filled, others + [file.name for file in files if file not in filled]


def _readable(names: list[str]) -> list[str]:
    """Names of files that may be exports; lock files and what systems hide away are none."""
    found = []
    for name in names:
        path = PurePosixPath(name)
        hidden = any(part.startswith((".", "~$", "__MACOSX")) for part in path.parts)
        if path.suffix.lower() in READABLE and not hidden:
            found.append(name)
    return found


def _require_few(label: str, names: list[str]) -> None:
    if len(names) > MAX_MEMBERS:
        raise InputError(f"{label}: found {len(names):,} files to read, expected at most {MAX_MEMBERS:,}")


def _limited(label: str, stream: BinaryIO, most: int | None = None) -> bytes:
    most = MAX_FILE_BYTES if most is None else min(most, MAX_FILE_BYTES)
    data = stream.read(most + 1)
    if not isinstance(data, bytes):
        raise InputError(f"{label}: found a file opened as text, expected one opened as binary ('rb')")
    if len(data) > most:
        raise InputError(f"{label}: found more than {MAX_FILE_BYTES // 1024**2} MiB, expected a smaller file")
    return data


def _filled(file: File) -> File:
    if not file.data.strip():
        raise InputError(f"{file.label}: found an empty file, {EXPECTED}")
    return file
