"""Exports without names: every name, address and identifier replaced, so that an export can be shared for support.

A file is read cell by cell and written anew; nothing of the file itself is carried over. What stays is what the lists
beside `vocabulary` allow, and whatever was written is searched for every name that was replaced before it is put in
place.
"""

from __future__ import annotations

import csv
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

from planner.anonymity.kinds import known_sheet, tab_of
from planner.anonymity.leaks import leaks
from planner.anonymity.ledger import Ledger
from planner.anonymity.names import is_sought
from planner.anonymity.pages import read
from planner.errors import InputError
from planner.readers.files import File, Source, opened

__all__ = ["Anonymised", "anonymise"]

_TABLES = {name.casefold(): name for name in ("vmInfo", "diskInfo", "tagInfo", "perfInfo", "series", "workloads")}
_MADE = (2000, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Anonymised:
    """What was written: the export without names, its key, and how many names the key holds."""

    path: Path
    key: Path
    names: int
    files: int


def anonymise(
    source: Source, out: str | os.PathLike, *, key: str | os.PathLike | None = None, overwrite: bool = False
) -> Anonymised:
    """Write an export with every name, address and identifier replaced by a surrogate, and the key beside it.

    The same name has the same surrogate on every sheet and in every file, names that differ in letter case alone have
    surrogates that do, and numbers, dates, units, operating systems and hardware stay, so that the anonymised export
    gives the plan of the original.

    Parameters
    ----------
    source : path, bytes or binary file object
        A workbook, a CSV file, a JSON document, or a folder or archive of these.
    out : path
        Where to write it: with the suffix of the source, or ``.zip`` for a folder or archive.
    key : path, optional
        Where to write the key: a CSV file of kind, original and surrogate, for the eyes of its owner alone. Beside
        `out`, as ``NAME-key.csv``, unless given.
    overwrite : bool
        Whether files that are there are replaced.

    Returns
    -------
    Anonymised

    Raises
    ------
    InputError
        The source cannot be read; a file is there already, or has another suffix; or a name was found in what was to
        be written, of which nothing is left then.
    """
    files, _ = opened(source)
    packed = bool(files[0].parent)
    out = Path(out)
    key = out.with_name(f"{out.stem}-key.csv") if key is None else Path(key)
    _require_places(source, out, key, overwrite)
    ledger = Ledger()
    read_files = [(file, read(file)) for file in files]
    suffix = ".zip" if packed else f".{read_files[0][1].kind}"
    if out.suffix.lower() != suffix:
        raise InputError(f"{out}: found suffix {out.suffix!r}, expected {suffix!r} as the source has")
    for file, content in read_files:
        content.enter(ledger)
        if packed and not _known_stem(file.stem):
            ledger.enter("file", file.stem)
    ledger.close()
    written = [(_member(file, content.kind, ledger), content.written(ledger)) for file, content in read_files]
    data = _archive(written) if packed else written[0][1]
    rows = ledger.surrogates.rows()
    _require_no_leak(out, data, [original for _, original, _ in rows if is_sought(original)], ledger)
    _put(key, _key_bytes(rows), private=True)
    _put(out, data)
    return Anonymised(path=out, key=key, names=len(rows), files=len(files))


def _require_places(source: Source, out: Path, key: Path, overwrite: bool) -> None:
    """Refuse places that hold something, or that would hold two things."""
    if out.resolve() == key.resolve():
        raise InputError(f"{out}: found the same file for the export and its key, expected two")
    for path in (out, key):
        if isinstance(source, str | os.PathLike) and path.resolve() == Path(source).resolve():
            raise InputError(f"{path}: found the source itself, expected another file to write to")
        if not path.parent.is_dir():
            raise InputError(f"{path}: cannot be written, the folder {str(path.parent)!r} does not exist")
        if path.is_dir() or (path.exists() and not overwrite):
            raise InputError(f"{path}: stands there already; choose another name, or ask to overwrite it")


def _known_stem(stem: str) -> str:
    """What a file of this name is called in every export; "" where it is not one of a tool's."""
    tab = tab_of(stem)
    if tab:
        return f"RVTools_tab{tab}"
    return _TABLES.get(stem.casefold(), stem if known_sheet(stem) else "")


def _member(file: File, kind: str, ledger: Ledger) -> str:
    stem = _known_stem(file.stem) or (str(ledger.of("file", file.stem)) if file.parent else "file")
    return f"{stem}.{kind}"


def _archive(files: list[tuple[str, bytes]]) -> bytes:
    """A zip archive of files; a name that stands twice gets a number."""
    buffer, taken = io.BytesIO(), set()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            stem, _, suffix = name.rpartition(".")
            again = 2
            while name in taken:
                name, again = f"{stem}-{again}.{suffix}", again + 1
            taken.add(name)
            archive.writestr(zipfile.ZipInfo(name, _MADE), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _key_bytes(rows: list[tuple[str, str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["kind", "original", "surrogate"])
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def _require_no_leak(out: Path, data: bytes, originals: list[str], ledger: Ledger) -> None:
    found = leaks(out.name, data, originals, ledger.kept(), ledger.headings)
    if found:
        original, text = found[0]
        more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
        raise InputError(
            f"{out}: found {original!r} of the original in {text[:80]!r} of what was to be written{more}, expected no "
            "name to be left; nothing was written"
        )


def _put(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write a file that appears whole or not at all; a private one can be read by its owner alone."""
    draft = path.with_name(path.name + ".part")
    try:
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600 if private else 0o666)
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written, {error.strerror}") from error
