"""Small frozen dataclasses to and from dictionaries and TOML, with errors that name the key and its near match."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import tomli_w

from planner.errors import InputError, did_you_mean

T = TypeVar("T")
MISSING = "none"
"""How a figure that is missing is written in TOML, which has no null."""
FLAGS = {"yes": True, "no": False}
"""How true and false are written in a sheet."""


def to_dict(settings: Any) -> dict:
    """Fields of a settings dataclass as plain nested dictionaries, without those that are None (TOML has no null)."""
    return _without_none(asdict(settings))


def with_none(settings: Any) -> dict:
    """Fields of a settings dataclass as plain nested dictionaries, None where a figure is missing; for JSON."""
    return asdict(settings)


def from_dict(cls: type[T], values: dict, where: str) -> T:
    """A settings dataclass from nested dictionaries.

    Raises
    ------
    InputError
        A key that the class does not have or cannot do without, or a value of the wrong type; named with `where`.
    """
    known = {f.name: f for f in fields(cls)}
    hints = _hints(cls)
    arguments = {}
    for key, value in values.items():
        if key not in known:
            raise InputError(f"{where}: found {key!r}{did_you_mean(key, known)}")
        if is_dataclass(hints[key]):
            if not isinstance(value, dict):
                raise InputError(f"{where}.{key}: found {value!r}, expected a table")
            arguments[key] = from_dict(hints[key], value, f"{where}.{key}")
        elif value == MISSING and type(None) in get_args(hints[key]):
            arguments[key] = None
        elif hints[key] is bool and value in FLAGS:
            arguments[key] = FLAGS[value]
        else:
            arguments[key] = tuple(value) if isinstance(value, list) else value
    asked = [f.name for f in known.values() if f.default is dataclasses.MISSING is f.default_factory]
    if lacking := [name for name in asked if name not in arguments]:
        raise InputError(f"{where}: found no {', no '.join(map(repr, lacking))}, expected {' and '.join(asked)}")
    try:
        return cls(**arguments)
    except TypeError as error:
        raise InputError(f"{where}: {error}") from error


@cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def to_toml(values: dict) -> str:
    """TOML text of nested dictionaries."""
    return tomli_w.dumps(values)


def read_toml(source: str | Path) -> dict:
    """The tables of a TOML file.

    Raises
    ------
    InputError
        A file that does not exist or is not TOML; the message has the line that the parser stumbled on.
    """
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{path}: file not found{near_file(path)}") from error
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path.name}: expected a TOML file; {error}") from error
    return parse_toml(text, path.name)


def parse_toml(text: str, where: str) -> dict:
    """The tables of TOML text; an InputError with the line that the parser stumbled on where it is not TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: expected TOML; {error}") from error


def near_file(path: Path) -> str:
    """`; did you mean X?` for the file in the same folder whose name is closest to that of `path`."""
    if not path.parent.is_dir():
        return f"; the folder {str(path.parent)!r} does not exist"
    return did_you_mean(path.name, sorted(p.name for p in path.parent.iterdir() if p.is_file())[:500])


def require(value: object, name: str, minimum: float, maximum: float, *, blank: bool = False) -> None:
    """Raise an InputError unless `value` is a number from `minimum` to `maximum` (or None where `blank` allows it)."""
    if value is None and blank:
        return
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not minimum <= value <= maximum:
        raise InputError(f"{name}: found {value!r}, expected a number from {minimum:,g} to {maximum:,g}")


def _without_none(values: dict) -> dict:
    return {
        key: _without_none(value) if isinstance(value, dict) else list(value) if isinstance(value, tuple) else value
        for key, value in values.items()
        if value is not None
    }
