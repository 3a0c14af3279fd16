"""Series of files as the command line names them, with the settings file that says how to read them."""

from __future__ import annotations

from collections.abc import Sequence

from planner.errors import InputError, did_you_mean
from planner.inventory import Inventory
from planner.readers.series_files import read_series
from planner.settings import read_toml

KNOWN = ("unit", "quantity", "start", "step_minutes", "time_zone", "ghz_per_vcpu")


def with_series(
    inventory: Inventory, series: Sequence[str], settings: str | None, ghz_per_vcpu: float | None
) -> tuple[Inventory, str | None]:
    """The inventory with the series of some files, and the time zone of their settings.

    Parameters
    ----------
    inventory : Inventory
    series : sequence of str
        Paths, see `read_series`; none leaves the inventory as it is.
    settings : str or None
        Path of a .toml file with `KNOWN`.
    ghz_per_vcpu : float or None
        Clock behind use in percent, GHz; one in the settings goes before.

    Raises
    ------
    InputError
        Settings without series, a setting that does not exist, or series that cannot be read.
    """
    if not series:
        if settings is not None:
            raise InputError("--series-settings: found no --series to read with them")
        return inventory, None
    how = {} if settings is None else read_toml(settings)
    if unknown := [key for key in how if key not in KNOWN]:
        raise InputError(f"{settings}: found {unknown[0]!r}{did_you_mean(unknown[0], KNOWN)}")
    clock = how.pop("ghz_per_vcpu", ghz_per_vcpu)
    found = read_series(list(series), **how)
    return inventory.with_series(found, ghz_per_vcpu=clock), how.get("time_zone")
