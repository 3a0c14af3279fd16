"""The child process that parses a file from outside: run by path, it imports the standard library and calamine only.

The file arrives on standard input. Standard output carries one JSON value a line: the names of all sheets, then for
each wanted sheet its name and its filled rows as ``[row number, cell, ...]``; or one ``{"error": sentence}``. An exit
code other than 0 means that this process died.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator

EXIT_MEMORY = 12
MAX_CSV_FIELD = 1 << 20
DELIMITERS = ",;\t"


def main(kind: str, packages: str, wanted: str, memory_bytes: str, cpu_seconds: str) -> int:
    """Parse standard input and print its sheets.

    Parameters
    ----------
    kind : {"xlsx", "csv"}
    packages : str
        Folder to import calamine from; the interpreter runs without any site packages.
    wanted : str
        JSON list of folded sheet names, or ``null`` for all.
    memory_bytes, cpu_seconds : str
        Limits of this process, where the system knows such limits.
    """
    limit_resources(int(memory_bytes), int(cpu_seconds))
    data = sys.stdin.buffer.read()
    names = json.loads(wanted)
    try:
        lines = csv_lines(data) if kind == "csv" else xlsx_lines(data, names and frozenset(names), packages)
        for line in lines:
            sys.stdout.write(json.dumps(line, default=_as_text))
            sys.stdout.write("\n")
    except MemoryError:
        return EXIT_MEMORY
    except ValueError as error:
        sys.stdout.write(json.dumps({"error": " ".join(str(error).split())[:200]}))
    return 0


def limit_resources(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit address space, processor time and core dumps of this process."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the parent's clock still holds
        return
    limits = {resource.RLIMIT_CPU: cpu_seconds, resource.RLIMIT_CORE: 0}
    if sys.platform == "linux":  # macOS refuses a limit on address space
        limits[resource.RLIMIT_AS] = memory_bytes
    for limit, value in limits.items():
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def fold(name: str) -> str:
    """A sheet's name without case, blanks and punctuation.

    >>> fold(" Host_models")
    'hostmodels'
    """
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def xlsx_lines(data: bytes, wanted: frozenset[str] | None, packages: str) -> Iterator[object]:
    """The lines of a workbook; its only sheet is wanted whatever its name."""
    sys.path.append(packages)
    import python_calamine

    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        metadata = workbook.sheets_metadata
        worksheets = [s.name for s in metadata if s.typ == python_calamine.SheetTypeEnum.WorkSheet]
        yield {"sheet_names": [name.strip() for name in worksheets]}
        for name in worksheets:
            if wanted is None or len(worksheets) == 1 or fold(name) in wanted:
                sheet = workbook.get_sheet_by_name(name)
                yield {"sheet": name.strip()}
                first = sheet.start[0] + 1 if sheet.start is not None else 1
                yield from filled_rows(sheet.to_python(), first)
    except python_calamine.CalamineError as error:
        raise ValueError(f"not a valid workbook ({error})") from error


def csv_lines(data: bytes) -> Iterator[object]:
    """The lines of a CSV file, as one sheet without a name."""
    csv.field_size_limit(MAX_CSV_FIELD)
    text = decoded(data)
    yield {"sheet_names": [""]}
    yield {"sheet": ""}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text), strict=True)
    try:
        yield from filled_rows(reader, 1)
    except csv.Error as error:
        raise ValueError(f"not valid CSV near line {reader.line_num} ({error})") from error


def decoded(data: bytes) -> str:
    """Text of a CSV file: UTF-16 where a byte order mark says so, else UTF-8, else Windows-1252."""
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("not text in UTF-8, UTF-16 or Windows-1252")


def delimiter(text: str) -> str:
    """Comma, semicolon or tab: the most frequent outside quotes in the first line that holds any.

    >>> delimiter('"a,b";c\\n1,5;2')
    ';'
    """
    for line in text.splitlines()[:10]:
        unquoted = "".join(line.split('"')[::2])
        best = max(DELIMITERS, key=unquoted.count)
        if best in unquoted:
            return best
    return ","


def filled_rows(rows: Iterable[list], first: int) -> Iterator[list]:
    """Row number and cells of every row that holds something; trailing blanks are cut, blank cells are None."""
    for number, row in enumerate(rows, first):
        cells = [None if cell == "" or (isinstance(cell, str) and not cell.strip()) else cell for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            yield [number, *cells]


def _as_text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
