"""Where the samples and the app's entry lie: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

from planner.errors import InputError, did_you_mean

_PACKAGE = Path(__file__).resolve().parent


def root() -> Path:
    """The folder that holds app.py and data/."""
    shipped = _PACKAGE / "_app"
    return shipped if shipped.is_dir() else _PACKAGE.parent


def sample(name: str) -> Path:
    """Path of a sample workbook, by its name without suffix.

    Raises
    ------
    InputError
        A sample that does not exist.
    """
    found = {path.stem: path for path in sorted((root() / "data").glob("*.xlsx"))}
    if name not in found:
        raise InputError(f"sample: found {name!r}{did_you_mean(name, found)}")
    return found[name]
