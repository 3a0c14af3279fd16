"""The child process that parses series from outside: run by path, it imports pandas and pyarrow but nothing of planner.

The file arrives on standard input. Standard output carries one line of JSON, ``{"columns": [...]}`` or
``{"error": sentence}``, and after it the bytes of one array for each column: numbers as float64, moments as int64
milliseconds since 1970, texts as int32 positions in the column's ``texts`` (-1 for a blank).
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

EXIT_MEMORY = 12
MAX_UNPACKED_BYTES = 1 << 30
MAX_MEMBERS = 200_000
SUFFIXES = frozenset({".csv", ".txt", ".dat", ".tsv"})


def main(kind: str, packages: str, text_headings: str, memory_bytes: str, cpu_seconds: str) -> int:
    """Parse standard input and print its columns.

    Parameters
    ----------
    kind : {"csv", "parquet", "tar", "zip"}
    packages : str
        Folder to import pandas from.
    text_headings : str
        JSON list of folded headings whose columns are texts even where they look like numbers.
    memory_bytes, cpu_seconds : str
        Limits of this process.
    """
    sys.path[:0] = [packages]
    sheets = _sheet_worker()
    data = sys.stdin.buffer.read()
    try:
        import pyarrow.parquet  # noqa: F401  Libraries are loaded before the limits hold: they only map addresses.

        sheets.limit_resources(int(memory_bytes), int(cpu_seconds))
        columns = _columns(kind, data, frozenset(json.loads(text_headings)), sheets)
        _print(columns)
    except MemoryError:
        return EXIT_MEMORY
    except (ValueError, OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, KeyError) as error:
        sys.stdout.write(json.dumps({"error": " ".join(str(error).split())[:200]}) + "\n")
    return 0


def _sheet_worker():
    """The module beside this one, by path: importing the package would load all of it."""
    from importlib.util import module_from_spec, spec_from_file_location

    path = __file__.replace("series_worker.py", "sheet_worker.py")
    spec = spec_from_file_location("sheet_worker", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _columns(kind: str, data: bytes, text_headings: frozenset[str], sheets) -> list[tuple[str, object]]:
    import pandas as pd

    if kind == "parquet":
        frame = pd.read_parquet(io.BytesIO(data))
        return [(str(name), frame[name]) for name in frame]
    if kind == "csv":
        frame = _table(data, text_headings, sheets)
        return [(str(name), frame[name]) for name in frame]
    return _of_members(_members(kind, data), text_headings, sheets)


def _table(data: bytes, text_headings: frozenset[str], sheets):
    import pandas as pd

    text = sheets.decoded(data)
    mark = sheets.delimiter(text)
    headings = pd.read_csv(io.StringIO(text), sep=mark, nrows=0, skipinitialspace=True).columns
    kinds = {name: str for name in headings if sheets.fold(str(name)) in text_headings}
    frame = pd.read_csv(io.StringIO(text), sep=mark, dtype=kinds, skipinitialspace=True, low_memory=False)
    if isinstance(frame.index, pd.MultiIndex) or not (frame.index == range(len(frame))).all():
        raise ValueError("rows have more cells than there are headings")
    return frame.rename(columns=lambda name: str(name).strip())


def _members(kind: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of an archive, in memory: nothing is written, so no path can lead astray."""
    unpacked = count = 0
    if kind == "tar":
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as archive:
            for member in archive:
                if member.isfile():
                    unpacked, count = unpacked + member.size, count + 1
                    _require_size(unpacked, count)
                    yield member.name, archive.extractfile(member).read()
        return
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as stream:
                    content = stream.read(MAX_UNPACKED_BYTES + 1 - unpacked)
                unpacked, count = unpacked + len(content), count + 1
                _require_size(unpacked, count)
                yield member.filename, content


def _require_size(unpacked: int, count: int) -> None:
    if unpacked > MAX_UNPACKED_BYTES:
        raise ValueError(f"more than {MAX_UNPACKED_BYTES >> 30} GiB when unpacked")
    if count > MAX_MEMBERS:
        raise ValueError(f"more than {MAX_MEMBERS:,} files in the archive")


def _of_members(
    members: Iterator[tuple[str, bytes]], text_headings: frozenset[str], sheets
) -> list[tuple[str, object]]:
    """One file a workload: lists of values, or tables; the file's name is the workload's."""
    import pandas as pd

    lists, tables = [], []
    for path, content in members:
        name = PurePosixPath(path).name
        if name.startswith((".", "__MACOSX")) or not content.strip():
            continue
        stem = PurePosixPath(name).stem if PurePosixPath(name).suffix.lower() in SUFFIXES else name
        values = _values(content, sheets)
        if values is None:
            tables.append(_table(content, text_headings, sheets).assign(workload=stem))
        else:
            lists.append((stem, values))
    if lists and tables:
        raise ValueError(f"files of bare values such as {lists[0][0]!r} beside files of tables; expected one kind")
    if tables:
        frame = pd.concat(tables, ignore_index=True)
        return [(str(name), frame[name]) for name in frame]
    names = [stem for stem, _ in lists]
    if len(set(names)) < len(names):
        raise ValueError(f"two files named {next(n for n in names if names.count(n) > 1)!r}; expected every name once")
    import numpy as np

    counts = [len(values) for _, values in lists]
    return [
        ("workload", pd.Series(np.repeat(np.array(names, dtype=object), counts))),
        ("place in file", pd.Series(np.concatenate([np.arange(count) for count in counts] or [[]]))),
        ("value", pd.Series(np.concatenate([values for _, values in lists] or [[]]))),
    ]


def _values(content: bytes, sheets):
    """The numbers of a file that has one a line, None where it is a table."""
    import numpy as np

    lines = sheets.decoded(content).split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    try:
        return np.array([float(line) if line.strip() else np.nan for line in lines])
    except ValueError:
        return None


def _print(columns: list[tuple[str, object]]) -> None:
    import pandas as pd

    heads, arrays = [], []
    for heading, column in columns:
        head = {"heading": heading, "kind": "number"}
        if isinstance(column.dtype, pd.DatetimeTZDtype) or column.dtype.kind == "M":
            aware = isinstance(column.dtype, pd.DatetimeTZDtype)
            head["kind"] = "time of UTC" if aware else "time"
            moments = (column.dt.tz_convert("UTC").dt.tz_localize(None) if aware else column).astype("datetime64[ms]")
            array = moments.to_numpy().astype("int64")
        elif column.dtype.kind in "iufb":
            array = column.to_numpy(dtype="float64")
        else:
            codes, texts = pd.factorize(column.astype(object))
            head |= {"kind": "text", "texts": [str(text) for text in texts]}
            array = codes.astype("int32")
        heads.append(head | {"dtype": str(array.dtype), "count": len(array)})
        arrays.append(array)
    out = sys.stdout.buffer
    out.write((json.dumps({"columns": heads}) + "\n").encode("utf-8"))
    for array in arrays:
        out.write(memoryview(array).cast("B") if len(array) else b"")
    out.flush()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
