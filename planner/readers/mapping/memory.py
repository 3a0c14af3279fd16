"""Mappings that somebody confirmed, kept in the user's folder under the fingerprint of their headings.

The folder is ``PLANNER_CONFIG_DIR`` where that is set, else the one where the system keeps settings.
"""

from __future__ import annotations

import datetime
import os
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from planner.errors import InputError
from planner.readers.mapping.mappings import MappedTable, Mapping
from planner.settings import read_toml

DAY = "# confirmed "


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """A table's mapping and the day, as ``2026-01-15``, on which somebody confirmed it."""

    mapped: MappedTable
    day: str


def folder() -> Path:
    """Where mappings are kept; it need not exist yet.

    Raises
    ------
    InputError
        The system does not say where a user's settings go.
    """
    return config_folder(dict(os.environ), sys.platform) / "mappings"


def config_folder(environment: dict[str, str], platform: str) -> Path:
    """The planner's settings folder on a platform with these environment variables.

    >>> config_folder({"XDG_CONFIG_HOME": "/settings"}, "linux").as_posix()
    '/settings/capacity-planner'
    """
    if own := environment.get("PLANNER_CONFIG_DIR"):
        return Path(own)
    name = {"win32": "APPDATA"}.get(platform, "XDG_CONFIG_HOME")
    home = environment.get("USERPROFILE" if platform == "win32" else "HOME")
    usual = {"win32": "AppData/Roaming", "darwin": "Library/Application Support"}.get(platform, ".config")
    base = environment.get(name) if platform != "darwin" else None
    if not base and not home:
        raise InputError(f"found neither {name} nor a home folder to keep mappings in; set PLANNER_CONFIG_DIR")
    return Path(base or Path(home) / usual) / "capacity-planner"


def known() -> frozenset[str]:
    """Fingerprints of all mappings that are remembered."""
    try:
        place = folder()
    except InputError:
        # Where nothing can be kept, nothing was; only keeping something needs the folder.
        return frozenset()
    return frozenset(path.stem for path in place.glob("*.toml"))


def recall(fingerprint: str) -> Remembered:
    """The mapping that is kept under a fingerprint of `known`.

    Raises
    ------
    InputError
        The file was damaged; the message says how to forget it.
    """
    path = folder() / f"{fingerprint}.toml"
    try:
        mapping = Mapping.from_dict(read_toml(path), path.name)
    except InputError as error:
        raise InputError(
            f"the mapping remembered in {path} cannot be used: {error}; delete it, or --forget-mapping"
        ) from error
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return Remembered(mapped=mapping.tables[0], day=first.removeprefix(DAY))


def remember(tables: Iterable[MappedTable], today: datetime.date | None = None) -> list[Path]:
    """Keep mappings, each in a file of its own that is whole or not there; returns their paths.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    place, written = folder(), []
    day = (today or datetime.date.today()).isoformat()
    for one in tables:
        text = f"{DAY}{day}\n{Mapping(tables=(one,)).to_toml()}"
        path = place / f"{one.fingerprint}.toml"
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=place, suffix=".new", delete=False) as stream:
                stream.write(text)
            Path(stream.name).replace(path)
        except OSError as error:
            raise InputError(f"{path}: the mapping cannot be kept ({error}); set PLANNER_CONFIG_DIR") from error
        written.append(path)
    return written


def forget(fingerprints: Iterable[str]) -> int:
    """Delete what is kept under these fingerprints; returns how many there were."""
    gone = set(fingerprints) & known()
    for one in gone:
        (folder() / f"{one}.toml").unlink(missing_ok=True)
    return len(gone)
