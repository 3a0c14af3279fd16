"""Bytes that go wrong on the way, through the child that parses: an inventory or one clear error, never a crash.

What an archive's checksums, a quote or a line end show is never read as other totals without a word.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from planner.errors import InputError
from planner.inventory import Inventory
from planner.readers.files import File
from planner.readers.formats import SHEETS
from planner.readers.sandbox import load
from tests.damage import VMS, figures, inventory_of_books, near, new_notes, rng_of, untouched
from tests.exports import EXPORTS

SINGLE = {key: next(iter(EXPORTS[key](0, VMS).files.items())) for key in EXPORTS if key.split("-")[0] != "mapped"}
SINGLE = {key: file for key, file in SINGLE.items() if len(EXPORTS[key](0, VMS).files) == 1}
WORKBOOKS = [key for key, (name, _) in SINGLE.items() if name.endswith(".xlsx")]
TEXTS = [key for key, (name, _) in SINGLE.items() if name.endswith(".csv") and key != "vsphere-client-default"]
DOCUMENTS = [key for key, (name, _) in SINGLE.items() if name.endswith(".json")]

Damage = Callable[[bytes, np.random.Generator], bytes]


def read(key: str, data: bytes) -> Inventory | InputError:
    name, _ = SINGLE[key]
    try:
        return inventory_of_books([load(File(name=name, data=data), SHEETS)])
    except InputError as error:
        text = str(error)
        assert name in text
        assert "Traceback" not in text
        assert len(text) < 1000
        return error


def assert_same_or_told(key: str, after: Inventory | InputError) -> None:
    if isinstance(after, Inventory) and figures(after) != near(figures(untouched(key))):
        assert new_notes(untouched(key), after)


def truncated(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(1, len(data)))]


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    """A few bytes changed anywhere."""
    found = bytearray(data)
    for at in rng.integers(len(data), size=int(rng.integers(1, 6))):
        found[at] ^= int(rng.integers(1, 256))
    return bytes(found)


def zeroed(data: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(len(data)))
    return data[:at] + bytes(len(data[at : at + 512])) + data[at + 512 :]


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def member_of(parts: dict[str, bytes], rng: np.random.Generator) -> str:
    names = [name for name in parts if name.startswith("xl/") and not name.startswith("xl/theme")]
    return names[int(rng.integers(len(names)))]


def member_marked_up_wrongly(data: bytes, rng: np.random.Generator) -> bytes:
    """Valid checksums around markup that is broken."""
    parts = members(data)
    name = member_of(parts, rng)
    content = bytearray(parts[name])
    marks = [at for at, byte in enumerate(content) if byte in b'<>/="']
    content[marks[int(rng.integers(len(marks)))]] = int(rng.integers(32, 127))
    return zipped(parts | {name: bytes(content)})


def member_truncated(data: bytes, rng: np.random.Generator) -> bytes:
    parts = members(data)
    name = member_of(parts, rng)
    return zipped(parts | {name: truncated(parts[name], rng)})


def member_lost(data: bytes, rng: np.random.Generator) -> bytes:
    parts = members(data)
    del parts[member_of(parts, rng)]
    return zipped(parts)


def members_swapped(data: bytes, rng: np.random.Generator) -> bytes:
    parts = members(data)
    one, other = member_of(parts, rng), member_of(parts, rng)
    return zipped(parts | {one: parts[other], other: parts[one]})


def with_nuls(data: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(len(data)))
    return data[:at] + bytes(int(rng.integers(1, 9))) + data[at:]


def quoted_wrongly(data: bytes, rng: np.random.Generator) -> bytes:
    """A quote too many, or one too few."""
    quotes = [at for at, byte in enumerate(data) if byte == ord('"')]
    if quotes and rng.random() < 0.5:
        at = quotes[int(rng.integers(len(quotes)))]
        return data[:at] + data[at + 1 :]
    at = int(rng.integers(len(data)))
    return data[:at] + b'"' + data[at:]


def with_a_long_line(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.insert(int(rng.integers(1, len(lines))), b"x" * int(rng.choice([70_000, 2_000_000])) + b"\r\n")
    return b"".join(lines)


def with_a_delimiter_more(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.splitlines(keepends=True)
    at = int(rng.integers(2, len(lines)))
    mark = b";" if lines[1].count(b";") > lines[1].count(b",") else b","
    lines[at] = b"x" + mark + lines[at]
    return b"".join(lines)


def in_utf16_without_mark(data: bytes, rng: np.random.Generator) -> bytes:
    return data.decode("utf-8", errors="replace").encode(str(rng.choice(["utf-16-le", "utf-16-be"])))


def in_another_encoding(data: bytes, rng: np.random.Generator) -> bytes:
    return data.decode("utf-8", errors="replace").encode(str(rng.choice(["cp1252", "cp850", "utf-7"])), "replace")


def key_twice(data: bytes, rng: np.random.Generator) -> bytes:
    """Every record tells one of its names again."""
    name = json.dumps(str(rng.choice(["name", "maxcpu", "kind"])))
    return data.replace(b"{", b"{" + name.encode() + b": 1, " + name.encode() + b": 2, ")


def with_odd_numbers(data: bytes, rng: np.random.Generator) -> bytes:
    odd = str(rng.choice(["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "9" * 5000, "-1", "01", "true"]))
    numbers = [at for at in range(1, len(data)) if data[at - 1 : at] == b" " and data[at : at + 1].isdigit()]
    if not numbers:
        return data.replace(b'"500m"', odd.encode(), 1)
    at = numbers[int(rng.integers(len(numbers)))]
    end = at + len(data[at:]) - len(data[at:].lstrip(b"0123456789.e+-"))
    return data[:at] + odd.encode() + data[end:]


def nested_deeply(data: bytes, rng: np.random.Generator) -> bytes:
    return b'{"items": ' + b'{"a": ' * 50_000 + data + b"}" * 50_000 + b"}"


KINDS: list[tuple[Damage, list[str], int]] = [
    *((damage, WORKBOOKS, 13) for damage in (truncated, flipped, zeroed)),
    *((damage, WORKBOOKS, 9) for damage in (member_marked_up_wrongly, member_truncated, member_lost, members_swapped)),
    *((damage, TEXTS, 6) for damage in (truncated, with_nuls, quoted_wrongly, with_a_long_line)),
    *((damage, TEXTS, 5) for damage in (with_a_delimiter_more, in_utf16_without_mark, in_another_encoding)),
    *((damage, TEXTS, 2) for damage in (flipped, zeroed)),
    *((damage, DOCUMENTS, 6) for damage in (truncated, flipped, key_twice, with_odd_numbers, nested_deeply, with_nuls)),
]
"""Each kind of damage, what it is done to, and how often."""

EVERY_RUN = 3
SAFE = (truncated, flipped, zeroed)
"""Damage that the checksums of a workbook show."""


def cases() -> list:
    found = []
    for damage, keys, times in KINDS:
        for seed in range(times):
            key = keys[(seed * 5 + len(found)) % len(keys)]
            marks = [pytest.mark.slow] if seed >= EVERY_RUN else []
            found.append(pytest.param(damage, key, seed, marks=marks, id=f"{damage.__name__} {key} {seed}"))
    return found


def test_there_are_a_hundred_and_fifty_cases():
    assert len(cases()) >= 150


@pytest.mark.parametrize(("damage", "key", "seed"), cases())
def test_damaged_bytes_end_in_an_inventory_or_one_error(damage, key, seed):
    _, data = SINGLE[key]
    after = read(key, damage(data, rng_of(damage.__name__, key, seed)))
    assert isinstance(after, Inventory | InputError)
    if key in WORKBOOKS and damage in SAFE and isinstance(after, Inventory):
        assert figures(after) == near(figures(untouched(key)))
    if damage in (member_marked_up_wrongly, with_a_delimiter_more, quoted_wrongly, with_nuls, key_twice):
        assert_same_or_told(key, after)
