"""The child process that parses series from outside: run by path, it imports pandas and pyarrow but nothing of planner.

The file arrives on standard input. Standard output carries one line of JSON, ``{"columns": [...]}`` or
``{"error": sentence}``, and after it the bytes of one array for each column: numbers as float64, moments as int64
milliseconds since 1970, texts as int32 positions in the column's ``texts`` (-1 for a blank). A column of
kind "written" has the texts of numbers whose point may be one of thousands as well, which the parent decides: by the
first line's ``delimiter`` of cells, and ``shows``, a number of the file that has a decimal point for certain.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath

EXIT_MEMORY = 12
MAX_UNPACKED_BYTES = 1 << 30
MAX_MEMBERS = 200_000
SUFFIXES = frozenset({".csv", ".txt", ".dat", ".tsv"})
_EITHER_WAY = re.compile(r"^[+-]?[1-9]\d{0,2}\.\d{3}$", re.MULTILINE)
_POINT = re.compile(r"^(?![+-]?[1-9]\d{0,2}\.\d{3}$)[^.\n]*\.[^.\n]*$", re.MULTILINE)


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
        _print(*_columns(kind, data, frozenset(json.loads(text_headings)), sheets))
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


def _columns(kind: str, data: bytes, text_headings: frozenset[str], sheets) -> tuple[list[tuple[str, object]], dict]:
    """Heading and cells of each column, and how a text has its numbers; see `_table`."""
    import pandas as pd

    if kind == "parquet":
        frame, style = pd.read_parquet(io.BytesIO(data)), {}
    elif kind == "csv":
        frame, style = _table([("", data)], text_headings, sheets)
    else:
        return _of_members(_members(kind, data), text_headings, sheets)
    return [(str(name), frame[name]) for name in frame], style


def _table(files: list[tuple[str, bytes]], text_headings: frozenset[str], sheets) -> tuple[object, dict]:
    """Tables below each other, each with its workload where that has a name; and how their numbers are written.

    A column that is text in one file, or whose numbers can be read either way in all of them, stays text in each.
    """
    import pandas as pd

    parts = [_Part(name, sheets.decoded(data), text_headings, sheets) for name, data in files]
    written, shows = [], ""
    for heading in dict.fromkeys(heading for part in parts for heading in part.frame):
        having = [part for part in parts if heading in part.frame]
        numbers = [part for part in having if part.frame[heading].dtype.kind in "iufb"]
        all_numbers = len(numbers) == len(having)
        point, is_open = _point_of(heading, having) if all_numbers else ("", False)
        shows = shows or point
        if is_open:
            written.append(heading.strip())
        if is_open or not all_numbers:
            for part in numbers:
                part.frame[heading] = part.texts(heading)
    found = [part.frame.rename(columns=str.strip) for part in parts]
    found = [frame.assign(workload=part.name) if part.name else frame for part, frame in zip(parts, found, strict=True)]
    frame = found[0] if len(found) == 1 else pd.concat(found, ignore_index=True)
    return frame, {"delimiter": parts[0].mark, "written": written, "shows": shows}


def _point_of(heading: str, parts: list[_Part]) -> tuple[str, bool]:
    """A number of a column that has a decimal point for certain, else ""; and whether all that have a point may not."""
    point = next(filter(None, (_surely_of_a_point(part.frame[heading]) for part in parts)), "")
    if point or all(part.frame[heading].dtype.kind != "f" for part in parts):
        return point, False
    texts = "\n".join({text for part in parts for text in part.texts(heading).dropna().unique()})
    found = _POINT.search(texts)
    return (found[0], False) if found else ("", bool(_EITHER_WAY.search(texts)))


class _Part:
    """One text as a table, as pandas reads it."""

    def __init__(self, name: str, text: str, text_headings: frozenset[str], sheets) -> None:
        import pandas as pd

        self.name, self.text, self.mark = name, text, sheets.delimiter(text)
        headings = self._read(nrows=0).columns
        kinds = {heading: str for heading in headings if sheets.fold(str(heading)) in text_headings}
        self.frame = self._read(dtype=kinds, low_memory=False)
        index = self.frame.index
        if not index.equals(pd.RangeIndex(len(index))):
            raise ValueError("rows have more cells than there are headings")

    def texts(self, heading: str):
        """A column as it is written."""
        return self._read(dtype=str, usecols=[heading])[heading].str.strip()

    def _read(self, **how):
        import pandas as pd

        return pd.read_csv(io.StringIO(self.text), sep=self.mark, skipinitialspace=True, **how)


def _surely_of_a_point(column) -> str:
    """A number with a decimal point for certain: below 1, from 1000 on, or finer than a thousandth; "" for none."""
    if column.dtype.kind != "f":
        return ""
    cells = column.to_numpy()
    cells = cells[cells % 1 > 0]
    thousandths = abs(cells) * 1000
    finer = abs(thousandths - thousandths.round()) > 1e-6 * thousandths
    sure = cells[finer | (abs(cells) < 1) | (abs(cells) >= 1000)]
    return repr(float(sure[0])) if len(sure) else ""


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
) -> tuple[list[tuple[str, object]], dict]:
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
            tables.append((stem, content))
        else:
            lists.append((stem, values))
    if lists and tables:
        raise ValueError(f"files of bare values such as {lists[0][0]!r} beside files of tables; expected one kind")
    if tables:
        frame, style = _table(tables, text_headings, sheets)
        return [(str(name), frame[name]) for name in frame], style
    names = [stem for stem, _ in lists]
    if len(set(names)) < len(names):
        raise ValueError(f"two files named {next(n for n in names if names.count(n) > 1)!r}; expected every name once")
    import numpy as np

    counts = [len(values) for _, values in lists]
    return [
        ("workload", pd.Series(np.repeat(np.array(names, dtype=object), counts))),
        ("place in file", pd.Series(np.concatenate([np.arange(count) for count in counts] or [[]]))),
        ("value", pd.Series(np.concatenate([values for _, values in lists] or [[]]))),
    ], {}


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


def _print(columns: list[tuple[str, object]], style: dict) -> None:
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
            kind = "written" if heading in style.get("written", ()) else "text"
            head |= {"kind": kind, "texts": [str(text) for text in texts]}
            array = codes.astype("int32")
        heads.append(head | {"dtype": str(array.dtype), "count": len(array)})
        arrays.append(array)
    out = sys.stdout.buffer
    out.write((json.dumps({"columns": heads, **style}) + "\n").encode("utf-8"))
    for array in arrays:
        out.write(memoryview(array).cast("B") if len(array) else b"")
    out.flush()


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # Threads of pyarrow that still run at an ordinary end abort the process once in a hundred times.
