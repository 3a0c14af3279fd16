"""The child process that parses a file from outside: run by path, it imports the standard library and calamine only.

The file arrives on standard input. Standard output carries one JSON value a line: the names of all sheets, then for
each wanted sheet its name and its filled rows as ``[row number, cell, ...]``; or one ``{"error": sentence}``. An exit
code other than 0 means that this process died.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import unescape

EXIT_MEMORY = 12
MAX_CSV_FIELD = 1 << 20
DELIMITERS = ",;\t"
RECORDS = ("items", "data", "value", "servers", "records", "rows")
"""Names under which documents keep their list of records."""

MOST_HEADINGS = 5000
MOST_CELLS = 50_000_000
"""Of a sheet, blank ones between others included: what the parent has to hold."""

MOST_DIGITS = 300
"""Of a whole number, which is one that a float can hold."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_HIDDEN_ROW = re.compile(rb'<row\b[^>]*?\br="(\d+)"[^>]*?\bhidden="(?:1|true)"')


def main(kind: str, packages: str, wanted: str, memory_bytes: str, cpu_seconds: str) -> int:
    """Parse standard input and print its sheets.

    Parameters
    ----------
    kind : {"xlsx", "csv", "json", "document"}
        A document is printed whole, as ``{"document": ...}``.
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
        for line in _lines(kind, data, names and frozenset(names), packages):
            sys.stdout.write(json.dumps(line, default=_as_text))
            sys.stdout.write("\n")
    except MemoryError:
        return EXIT_MEMORY
    except ValueError as error:
        sys.stdout.write(json.dumps({"error": " ".join(str(error).split())[:200]}) + "\n")
    return 0


def _lines(kind: str, data: bytes, wanted: frozenset[str] | None, packages: str) -> Iterator[object]:
    if kind == "xlsx":
        return xlsx_lines(data, wanted, packages)
    if kind == "csv":
        return csv_lines(data)
    return json_lines(data) if kind == "json" else iter([{"document": parsed_json(data)}])


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
        shown = {s.name for s in metadata if s.visible == python_calamine.SheetVisibleEnum.Visible}
        chosen = [name for name in worksheets if wanted is None or len(worksheets) == 1 or fold(name) in wanted]
        hidden = hidden_rows(data, frozenset(chosen))
        for name in chosen:
            sheet = workbook.get_sheet_by_name(name)
            first = sheet.start[0] + 1 if sheet.start is not None else 1
            rows = sheet.to_python()
            spread_merged(rows, sheet.merged_cell_ranges or (), sheet.start)
            filled = list(filled_rows(rows, first))
            unseen = hidden.get(name, frozenset())
            rows_hidden = sum(row[0] in unseen for row in filled) if unseen else 0
            yield {"sheet": name.strip(), "hidden": rows_hidden, "visible": name in shown}
            yield from filled
    except python_calamine.CalamineError as error:
        raise ValueError(f"not a valid workbook ({error})") from error


def spread_merged(rows: list[list], ranges: Iterable[tuple], start: tuple[int, int] | None) -> None:
    """Give each cell of a merged range the value that a spreadsheet keeps in its first cell alone."""
    if start is None:
        return
    for (top, left), (bottom, right) in ranges:
        if top < start[0] or left < start[1] or bottom - start[0] >= len(rows):
            continue
        value = rows[top - start[0]][left - start[1]] if left - start[1] < len(rows[top - start[0]]) else ""
        for row in rows[top - start[0] : bottom - start[0] + 1]:
            for column in range(left - start[1], min(right - start[1] + 1, len(row))):
                row[column] = value


def hidden_rows(data: bytes, sheets: frozenset[str]) -> dict[str, frozenset[int]]:
    """Row numbers that are hidden, by sheet; from the sheets' own markup, which calamine does not tell."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        if "xl/_rels/workbook.xml.rels" not in names:
            return {}
        links = archive.read("xl/_rels/workbook.xml.rels").decode(errors="replace")
        targets = {
            _attribute(tag, "Id"): _attribute(tag, "Target") for tag in re.findall(r"<Relationship\b[^>]*", links)
        }
        found = {}
        for tag in re.findall(r"<sheet\b[^>]*", archive.read("xl/workbook.xml").decode(errors="replace")):
            path = targets.get(_attribute(tag, "r:id"), "").removeprefix("/xl/")
            if _attribute(tag, "name") in sheets and f"xl/{path}" in names:
                rows = _hidden_of(archive, f"xl/{path}")
                if rows:
                    found[_attribute(tag, "name")] = frozenset(rows)
        return found


def _hidden_of(archive: zipfile.ZipFile, path: str) -> set[int]:
    rows: set[int] = set()
    rest = b""
    with archive.open(path) as stream:
        while piece := stream.read(1 << 20):
            text = rest + piece
            if b"hidden=" in text:
                rows.update(int(found[1]) for found in _HIDDEN_ROW.finditer(text))
            rest = text[-2048:]
    return rows


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{re.escape(name)}="([^"]*)"', tag)
    return unescape(found[1], {"&quot;": '"', "&apos;": "'"}) if found else ""


def csv_lines(data: bytes) -> Iterator[object]:
    """The lines of a CSV file, as one sheet without a name."""
    csv.field_size_limit(MAX_CSV_FIELD)
    text = decoded(data)
    yield {"sheet_names": [""]}
    mark, first = delimiter(text), 1
    declared = re.match(r'"?sep=(.)"?\r?\n', text, re.IGNORECASE)
    if declared:
        mark, text, first = declared[1], text[declared.end() :], 2
    yield {"sheet": "", "delimiter": mark, "cut": not text.endswith(("\n", "\r"))}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        yield from filled_rows(reader, first, trim=False)
    except csv.Error as error:
        raise ValueError(f"not valid CSV near line {reader.line_num} ({error})") from error


def json_lines(data: bytes) -> Iterator[object]:
    """The records of a JSON document as rows, numbered from 1, below a row 0 of headings.

    Names of two levels are joined by a dot; what lies deeper stays in its cell.
    """
    records = [_flat(record) for record in records_of(parsed_json(data))]
    headings = list(dict.fromkeys(name for record in records for name in record))
    if len(headings) > MOST_HEADINGS:
        raise ValueError(f"found {len(headings):,} different names in the records, expected at most {MOST_HEADINGS:,}")
    yield {"sheet_names": [""]}
    yield {"sheet": ""}
    yield [0, *headings]
    rows = ([record.get(name) for name in headings] for record in records)
    yield from filled_rows(rows, 1)


def parsed_json(data: bytes) -> object:
    """A JSON document.

    Raises
    ------
    ValueError
        It is damaged, nests too deeply, tells a name of one record twice, or holds what is no number or no text.
    """
    text = decoded(data)
    try:
        found = json.loads(text, object_pairs_hook=_record, parse_int=_whole)
        if _SURROGATE.search(text):
            json.dumps(found, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("the JSON document nests too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("found half of a character (a lone surrogate such as \\ud800), expected whole ones") from None
    return found


def _record(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"found {twice!r} twice in one record, expected it once")
    return found


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(f"found a number of {len(text):,} digits, expected at most {MOST_DIGITS}")
    return int(text)


def records_of(document: object) -> list[dict]:
    """The list of records that a document is, or keeps under a name.

    >>> records_of({"kind": "List", "items": [{"a": 1}]}), records_of({"a": 1})
    ([{'a': 1}], [{'a': 1}])
    """
    if isinstance(document, dict):
        lists = [document[name] for name in RECORDS if isinstance(document.get(name), list)]
        others = [value for value in document.values() if isinstance(value, list) and value]
        only = [value for value in others if all(isinstance(one, dict) for one in value)]
        document = lists[0] if lists else only[0] if len(only) == 1 else [document]
    if not isinstance(document, list) or not all(isinstance(record, dict) for record in document):
        raise ValueError("found JSON that is no list of records, expected one such as [{...}, {...}]")
    return document


def _flat(record: dict) -> dict:
    found = {}
    for name, value in record.items():
        if isinstance(value, dict) and value:
            found |= {f"{name}.{inner}": cell for inner, cell in value.items()}
        else:
            found[name] = value
    return found


def decoded(data: bytes) -> str:
    """Text of a file: UTF-16 where a byte order mark says so, else UTF-8, else Windows-1252."""
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


def filled_rows(rows: Iterable[list], first: int, *, trim: bool = True) -> Iterator[list]:
    """Row number and cells of every row that holds something; blank cells are None, trailing ones are cut if `trim`.

    Raises
    ------
    ValueError
        The rows hold more than `MOST_CELLS` cells.
    """
    cells_so_far = 0
    for number, row in enumerate(rows, first):
        cells = [None if cell == "" or (isinstance(cell, str) and not cell.strip()) else cell for cell in row]
        filled = len(cells)
        while filled and cells[filled - 1] is None:
            filled -= 1
        if filled:
            cells = cells[:filled] if trim else cells
            cells_so_far += len(cells)
            if cells_so_far > MOST_CELLS:
                raise ValueError(f"found more than {MOST_CELLS:,} cells in one sheet, expected fewer")
            yield [number, *cells]


def _as_text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
