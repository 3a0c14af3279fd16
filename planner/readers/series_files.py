"""Series of use out of files: long tables in CSV or Parquet, and one file a workload in a folder or an archive."""

from __future__ import annotations

import glob
import importlib.util
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from planner.errors import InputError, did_you_mean
from planner.readers import sandbox
from planner.readers.files import Source, contents
from planner.readers.numerals import POINT, Style, are_fractions, numbers_of, style_of
from planner.readers.series_columns import ALIASES, DURATION_SECONDS, QUANTITY, Part, parts_of
from planner.readers.series_worker import EXIT_MEMORY
from planner.readers.tables import note
from planner.series import Series
from planner.stamps import moment, require_zone, to_utc
from planner.units import counted

MAX_FILE_BYTES = 1024**3
MEMORY_BYTES = 8 * 1024**3
CPU_SECONDS = 300
WALL_SECONDS = 600
_TYPES = {"float64": np.float64, "int64": np.int64, "int32": np.int32}
_PARQUET, _GZIP, _ZIP = b"PAR1", b"\x1f\x8b", b"PK\x03\x04"


@dataclass(frozen=True, kw_only=True)
class _Column:
    """A column as the child printed it; `shows` is a number of the file that has a decimal point for certain."""

    heading: str
    kind: str
    cells: np.ndarray
    texts: tuple[str, ...] = ()
    delimiter: str = ""
    shows: str = ""

    def as_numbers(self) -> _Column:
        """The column with numbers that were kept as they are written read with a decimal point."""
        if self.kind != "written":
            return self
        cells = np.array([*map(float, self.texts), np.nan])[self.cells]
        return _Column(heading=self.heading, kind="number", cells=cells)


@dataclass(frozen=True, kw_only=True)
class _Samples:
    """Samples of one file."""

    names: tuple[str, ...]
    owner: np.ndarray
    seconds: np.ndarray
    duration_seconds: np.ndarray | None
    measured: dict[str, np.ndarray]
    notes: list[dict]


def read_series(
    source: Source | Sequence[Source],
    *,
    quantity: str | None = None,
    unit: str | dict[str, str] | None = None,
    start: object = None,
    step_minutes: float | None = None,
    time_zone: str | None = None,
) -> Series:
    """Read what workloads were measured to use over time.

    Parameters
    ----------
    source : path, pattern, bytes, binary file object, or a list of these
        A long table (.csv, .parquet) with a row for each workload and moment; or a folder, a pattern such as
        ``traces/*.csv`` or an archive (.tar.gz, .zip) with one file a workload, named as the workload, that holds a
        table or one value a line.
    quantity : {"cpu", "memory", "storage", "network", "iops"}, optional
        What bare values are; "cpu" by default.
    unit : str or dict, optional
        Unit of columns whose heading names none, and of bare values: percent, fraction, MHz, GHz, bytes, KiB, MiB,
        GiB, ...; a dictionary gives it by quantity. KB and MB are read as KiB and MiB, as the field uses them.
    start : str or datetime, optional
        Moment of the first value of files with one value a line.
    step_minutes : float, optional
        Distance of their values; for tables the step of the grid.
    time_zone : str, optional
        Zone of stamps that name none, such as "Europe/Berlin"; UTC where it is not given, which is noted.

    Returns
    -------
    Series
        On one grid of UTC; its notes tell everything converted, guessed or dropped.

    Raises
    ------
    InputError
        A file that cannot be read or goes beyond a limit, a column that is missing, a unit that nothing tells.
    """
    if time_zone is not None:
        require_zone(time_zone, "time_zone")
    if quantity is not None and quantity not in QUANTITY:
        raise InputError(f"quantity: found {quantity!r}{did_you_mean(quantity, QUANTITY)}")
    units = {"": unit} if isinstance(unit, str) else dict(unit or {})
    if unknown := [key for key in units if key and key not in QUANTITY]:
        raise InputError(f"unit: found {unknown[0]!r}{did_you_mean(unknown[0], QUANTITY)}")
    sources = list(source) if isinstance(source, list | tuple) else [source]
    if not sources:
        raise InputError("series: found no file to read, expected at least one")
    found, files = [], []
    for one in sources:
        file, kind, data = _contents(one)
        columns = _parsed(file, kind, data)
        if [column.heading for column in columns] == ["workload", "place in file", "value"]:
            columns = _dated(columns, file, quantity or "cpu", units, start, step_minutes)
        found.append(_samples(file, columns, units, time_zone))
        files.append(f"{file} (series)")
    return _joined(found, tuple(files), step_minutes)


def _contents(source: Source) -> tuple[str, str, bytes]:
    """Display name, kind (csv, parquet, tar, zip) and content."""
    if isinstance(source, str | Path):
        path = Path(source)
        many = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else []
        if not path.exists() and any(sign in str(source) for sign in "*?["):
            many = sorted(Path(found) for found in glob.glob(str(source), recursive=True))  # noqa: PTH207
        if many:
            return path.name or str(path), "tar", _packed(many)
        if path.is_dir():
            raise InputError(f"{path}: found an empty folder, expected one file a workload")
        if not path.is_file():
            beside = sorted(p.name for p in path.parent.iterdir()) if path.parent.is_dir() else []
            raise InputError(f"{path}: found no such file{did_you_mean(path.name, beside)}")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path.name}: found more than {MAX_FILE_BYTES // 1024**2} MiB, expected a smaller file")
        file, data = path.name, path.read_bytes()
    else:
        opened = contents(source)
        file, data = opened.name, opened.data
    if not data.strip():
        raise InputError(f"{file}: found an empty file, expected series of use")
    if data.startswith(_PARQUET):
        return file, "parquet", data
    if data.startswith(_ZIP):
        return file, "zip", data
    if data.startswith(_GZIP) or data[257:262] == b"ustar":
        return file, "tar", data
    if sandbox.is_binary(data):
        raise InputError(f"{file}: found binary content, expected series in .csv, .parquet, .tar.gz or .zip")
    return file, "csv", data


def _packed(paths: list[Path]) -> bytes:
    """Files as one archive, for the child."""
    if sum(path.stat().st_size for path in paths) > MAX_FILE_BYTES:
        raise InputError(f"{paths[0].parent}: found more than {MAX_FILE_BYTES // 1024**2} MiB, expected fewer files")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in paths:
            archive.add(path, arcname=path.name, recursive=False)
    return buffer.getvalue()


def _parsed(file: str, kind: str, data: bytes) -> list[_Column]:
    """Columns that the child printed; an InputError where it died or took too long."""
    packages = str(Path(importlib.util.find_spec("pandas").origin).parents[1])
    texts = json.dumps([*ALIASES["workload"]])
    limits = [str(MEMORY_BYTES), str(CPU_SECONDS)]
    worker = Path(__file__).with_name("series_worker.py")
    command = [sys.executable, "-I", "-S", str(worker), kind, packages, texts, *limits]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=WALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{file}: reading it took more than the limit of {WALL_SECONDS} s") from error
    if child.returncode == EXIT_MEMORY or b"MemoryError" in child.stderr:
        raise InputError(f"{file}: reading it took more than the limit of {MEMORY_BYTES // 1024**3} GiB of memory")
    if child.returncode in (-9, -24):
        raise InputError(f"{file}: reading it took more than the limit of {CPU_SECONDS} s of processor time")
    if child.returncode != 0:
        said = (child.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"{file}: found content that made the parser stop ({said[:160]}); export it again")
    at = child.stdout.index(b"\n") + 1
    head = json.loads(child.stdout[:at])
    if "error" in head:
        raise InputError(f"{file}: cannot be read: {head['error']}")
    columns = []
    for column in head["columns"]:
        cells = np.frombuffer(child.stdout, _TYPES[column["dtype"]], count=column["count"], offset=at)
        at += cells.nbytes
        texts = tuple(column.get("texts", ()))
        style = {name: head.get(name, "") for name in ("delimiter", "shows")}
        columns.append(_Column(heading=column["heading"], kind=column["kind"], cells=cells, texts=texts, **style))
    return columns


def _dated(
    columns: list[_Column], file: str, quantity: str, units: dict[str, str], start: object, step_minutes: float | None
) -> list[_Column]:
    """Bare values as a table: moments from start and step, and the quantity and unit that were given."""
    if start is None or step_minutes is None:
        raise InputError(f"{file}: found files of bare values, expected start and step_minutes beside them")
    if not 0 < step_minutes <= 1440:
        raise InputError(f"step_minutes: found {step_minutes!r}, expected a number above 0, to 1,440")
    unit = units.get(quantity) or units.get("")
    if not unit:
        raise InputError(f"{file}: found files of bare values, expected their unit beside them, such as unit='percent'")
    name, place, value = columns
    return [
        name,
        _Column(heading="timestamp", kind="start", cells=place.cells * step_minutes * 60, texts=(str(start),)),
        _Column(heading=f"{quantity} ({unit})", kind="number", cells=value.cells),
    ]


def _samples(file: str, columns: list[_Column], units: dict[str, str], time_zone: str | None) -> _Samples:
    """The samples of one file, in the units of `Series`, with notes."""
    headings = [column.heading for column in columns]
    parts = parts_of(headings, units, file)
    played = {part.part: part for part in parts}
    for needed, words in (("workload", "a workload's name"), ("timestamp", "a moment")):
        if needed not in played:
            hint = did_you_mean(needed, headings)
            raise InputError(f"{file}: found columns {', '.join(headings[:12])}; none is read as {words}{hint}")
    if not any(part.quantity for part in parts):
        raise InputError(f"{file}: found columns {', '.join(headings[:12])}; none is read as CPU, memory or other use")
    measured = {part.position for part in parts if part.quantity}
    columns = [column if at in measured else column.as_numbers() for at, column in enumerate(columns)]
    names, owner = _names(file, columns[played["workload"].position])
    notes = _column_notes(file, headings, parts)
    stamps = played["timestamp"]
    seconds, said = _moments(columns[stamps.position], owner, time_zone, f"{file}, column {stamps.heading}")
    notes += [note(kind, message, file=file, column=stamps.heading) for kind, message in said]
    duration = None
    if "duration" in played:
        part = played["duration"]
        unit = part.unit or ("ms" if np.nanmedian(columns[part.position].cells) >= 10_000 else "s")
        duration = columns[part.position].cells * DURATION_SECONDS[unit]
        if not part.unit:
            notes.append(note("guessed", f"no unit in the heading: read as {unit}", file=file, column=part.heading))
    values: dict[str, np.ndarray] = {}
    style = _style([columns[at] for at in measured])
    for part in parts:
        if part.quantity:
            numbers, said = _numbers(columns[part.position], part, style, file)
            notes += [*said, *_fractions_told(numbers, part, file)]
            values[part.quantity] = values[part.quantity] + numbers if part.quantity in values else numbers
    return _Samples(names=names, owner=owner, seconds=seconds, duration_seconds=duration, measured=values, notes=notes)


def _names(file: str, column: _Column) -> tuple[tuple[str, ...], np.ndarray]:
    if column.kind == "number":
        unique, owner = np.unique(column.cells, return_inverse=True)
        return tuple(f"{value:.15g}" for value in unique), owner
    if (column.cells < 0).any():
        row = int(np.flatnonzero(column.cells < 0)[0]) + 2
        raise InputError(f"{file}, row {row}, column {column.heading}: found a blank cell, expected a workload's name")
    return tuple(text.strip() for text in column.texts), column.cells.astype("int64")


def _moments(
    column: _Column, owner: np.ndarray, time_zone: str | None, where: str
) -> tuple[np.ndarray, list[tuple[str, str]]]:
    if column.kind == "start":
        return moment(column.texts[0], time_zone, "start") + column.cells, []
    if column.kind == "time of UTC":
        return column.cells / 1000.0, []
    if column.kind == "time":
        return to_utc(column.cells.astype("datetime64[ms]"), owner, time_zone, where)
    if column.kind == "text":
        return to_utc(np.array([*column.texts, None], dtype=object)[column.cells], owner, time_zone, where)
    return to_utc(column.cells, owner, time_zone, where)


def _style(columns: list[_Column]) -> Style:
    """How the numbers of a file are written, those included that pandas read."""
    found = style_of(text for column in columns for text in column.texts)
    shown = next((column.shows for column in columns if column.shows), "")
    return replace(found, shows={POINT: shown} | found.shows if shown else found.shows)


def _numbers(column: _Column, part: Part, style: Style, file: str) -> tuple[np.ndarray, list[dict]]:
    """A measured column in the unit of its quantity, and what there is to say of how its numbers are written."""
    if column.kind == "number":
        return column.cells * part.factor, []
    where = f"{file}, column {column.heading}"
    read = numbers_of(
        column.texts, wanted=part.wanted, unit=part.unit, stated=True, sheet=style, delimiter=column.delimiter
    )
    for _, message in read.findings:
        raise InputError(f"{where}: {message}")
    for code, cell in enumerate(read.cells):
        if isinstance(cell, str) and cell.strip().casefold() not in ("", "na", "nan"):
            row = int(np.flatnonzero(column.cells == code)[0]) + 2
            raise InputError(f"{where}, row {row}: found {column.texts[code]!r}, expected a number")
    known = np.array([cell if isinstance(cell, float) else np.nan for cell in read.cells] + [np.nan])
    about = {"file": file, "column": column.heading, "subject": part.quantity, "count": int((column.cells >= 0).sum())}
    texts = f"of {counted(len(column.texts), 'different text')}, "
    return known[column.cells], [
        note(one.kind, one.message if one.kind == "guessed" else texts + one.message, **about) for one in read.remarks
    ]


def _fractions_told(numbers: np.ndarray, part: Part, file: str) -> list[dict]:
    """That percent may be fractions: a file of machines that all idle is as good, so they stay percent."""
    known = numbers[~np.isnan(numbers)]
    if not are_fractions(known, part.unit):
        return []
    message = (
        "no sample is above 1 %: are these fractions, not percent? then head the column with fraction, not percent"
    )
    return [note("suspicious", message, file=file, column=part.heading, subject=part.quantity, count=len(known))]


def _column_notes(file: str, headings: list[str], parts: list[Part]) -> list[dict]:
    notes = []
    for part in parts:
        if part.quantity and part.factor != 1.0:
            message = f"{part.unit} converted to {part.quantity}"
            notes.append(note("converted", message, file=file, column=part.heading, subject=part.quantity))
    taken = {part.position for part in parts}
    ignored = [heading for position, heading in enumerate(headings) if position not in taken]
    if ignored:
        notes.append(note("ignored", f"columns that nothing reads: {', '.join(ignored[:12])}", file=file))
    return notes


def _joined(found: list[_Samples], sources: tuple[str, ...], step_minutes: float | None) -> Series:
    """One series of all files; a workload in two files is the highest of both where they meet."""
    names = sorted({name for part in found for name in part.names})
    position = {name: at for at, name in enumerate(names)}
    owner = np.concatenate([np.array([position[n] for n in part.names], dtype="int64")[part.owner] for part in found])
    quantities = sorted({quantity for part in found for quantity in part.measured})
    lasting = [part.duration_seconds is not None for part in found]
    if any(lasting) and not all(lasting):
        raise InputError(f"series: {', '.join(sources)}: some have a column duration, others not; read them one by one")
    return Series.from_samples(
        names,
        owner,
        np.concatenate([part.seconds for part in found]),
        {
            quantity: np.concatenate(
                [part.measured.get(quantity, np.full(len(part.seconds), np.nan)) for part in found]
            )
            for quantity in quantities
        },
        duration_seconds=np.concatenate([part.duration_seconds for part in found]) if all(lasting) else None,
        step_minutes=step_minutes,
        notes=[row for part in found for row in part.notes],
        sources=sources,
    )
