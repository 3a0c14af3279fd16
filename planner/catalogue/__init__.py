"""Catalogue: facts as CSV, each row with its source and year, and what of it is an estimate.

Cores, clock and watts of a host model are those of a published SPECpower_ssj2008 result: where a system and
processor have several, the one with the highest peak, then the highest idle. Such tests run with little memory and few
disks, so a host with all its memory draws more. Memory, storage and network are a configuration that this project
chose. A mini PC has no such result: its watts are estimates.

Embodied carbon of a host model is an estimate from the components of `embodied.csv`, rounded to a kilogram::

    embodied_kgco2e = chassis + processor * sockets + memory * memory_gib + ssd * ssd_tb

The components are estimates that the authors of the GreenSKU framework published ("Designing Cloud Servers for Lower
Carbon", ISCA 2024, doi 10.1109/ISCA59077.2024.00041; Azure/AzurePublicDataset, CC-BY-4.0).

A power curve is all eleven load levels of one SPECpower_ssj2008 result. `power_curve` of a host model names one only if
it is the very result that its idle and peak watts are from.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import pandas as pd

from planner import schema
from planner.errors import InputError, did_you_mean
from planner.schema import Origin

HOST_MODELS = "host_models"


def host_models(pattern: str = "*") -> pd.DataFrame:
    """Host models of the catalogue whose name matches a pattern.

    Parameters
    ----------
    pattern : str
        Name with wildcards ``*``, ``?`` and ``[...]``; upper and lower case are the same.

    Returns
    -------
    DataFrame
        Columns of the schema, power_curve (a name of `power_curves`, "" where there is none) and estimate (which
        columns of the row are estimates, with ``|`` between them) among them; then title, chassis and ssd_tb (raw TB of
        its disks), which embodied carbon rests on, the sources of power, price and embodied carbon, and year (of the
        power source); a fresh copy.

    Raises
    ------
    InputError
        A pattern that matches no host model.

    Examples
    --------
    >>> host_models("R7?0")["name"].tolist()
    ['r740', 'r750', 'r760', 'r770']
    """
    found = _matching(HOST_MODELS, pattern, ["name"])
    return schema.conform(found, HOST_MODELS, Origin(file=f"catalogue/{HOST_MODELS}.csv"))


def power_curves(pattern: str = "*") -> pd.DataFrame:
    """Published load curves of servers whose name matches a pattern.

    Parameters
    ----------
    pattern : str
        Name with wildcards, as for `host_models`.

    Returns
    -------
    DataFrame
        name, system, cores, the watts w0 (active idle), w10, ... w100 at each percentage of the highest load, source,
        year (of publication) and estimate; a fresh copy.

    Raises
    ------
    InputError
        A pattern that matches no power curve.

    Examples
    --------
    >>> power_curves("r640-*").set_index("name").loc["r640-8180", ["w0", "w50", "w100"]].tolist()
    [55.0, 232.0, 469.0]
    """
    return _matching("power_curves", pattern, ["name"])


def regions(pattern: str = "*") -> pd.DataFrame:
    """Electricity prices and grid carbon of regions whose code or name matches a pattern.

    Parameters
    ----------
    pattern : str
        ISO 3166 code of three letters, EU, EUROPE or WORLD, or an English name; with wildcards, as for `host_models`.
        Without wildcards a code of two letters, another English name or a German name as well.

    Returns
    -------
    DataFrame
        code, name, aliases (with ``|`` between them), energy_per_kwh (NaN where no price is known) with its unit, band
        of consumption, source and year, carbon_kg_per_kwh with its unit, source and year, and estimate (which columns
        are estimates); a fresh copy.

    Raises
    ------
    InputError
        A pattern that matches no region.

    Examples
    --------
    >>> regions("fra")[["name", "energy_per_kwh", "carbon_kg_per_kwh"]].values.tolist()
    [['France', 0.0942, 0.04418]]
    >>> [regions(name)["code"].item() for name in ("DE", "Deutschland", "great britain")]
    ['DEU', 'DEU', 'GBR']
    """
    return _matching("regions", pattern, ["code", "name"], aliases="aliases")


def pue(pattern: str = "*") -> pd.DataFrame:
    """Power usage effectiveness of data centres, energy of the site over energy of its machines, by name.

    Parameters
    ----------
    pattern : str
        Name with wildcards, as for `host_models`.

    Returns
    -------
    DataFrame
        name, title, pue, unit, source, year and estimate (yes or no); a fresh copy.

    Raises
    ------
    InputError
        A pattern that matches no row.

    Examples
    --------
    >>> pue("average-2025")["pue"].item()
    1.54
    """
    return _matching("pue", pattern, ["name"])


def table(name: str) -> pd.DataFrame:
    """A CSV of the catalogue as it stands there: text is "" where blank, numbers are NaN; a fresh copy.

    Raises
    ------
    InputError
        A table that the catalogue does not have.

    Examples
    --------
    >>> table("host_models")["name"].iloc[0]
    'tower-1s'
    """
    return _read(name).copy()


def _matching(name: str, pattern: str, columns: list[str], aliases: str = "") -> pd.DataFrame:
    """Rows of a table in which one of the columns matches the pattern, in upper or lower case; index 0..n-1.

    `aliases` is the column of other names, with ``|`` between them, of which one may be the pattern itself.
    """
    rows = table(name)
    wanted, others = pattern.casefold(), rows[aliases].str.split("|") if aliases else pd.Series([[]] * len(rows))
    matches = rows[columns].map(lambda text: fnmatchcase(text.casefold(), wanted)).any(axis=1)
    matches |= others.map(lambda texts: wanted in [text.casefold() for text in texts if text]).astype(bool)
    if not matches.any():
        # What is of two letters is close to too much.
        names = rows[columns].to_numpy().ravel().tolist() + [
            text for texts in others for text in texts if len(text) > 2
        ]
        raise InputError(
            f"{name.replace('_', ' ')} of the catalogue: found no {pattern!r}{did_you_mean(pattern, names)}"
        )
    return rows[matches].reset_index(drop=True)


@cache
def _read(name: str) -> pd.DataFrame:
    folder = files(__package__)
    known = sorted(file.name.removesuffix(".csv") for file in folder.iterdir() if file.name.endswith(".csv"))
    if name not in known:
        raise InputError(f"catalogue: found no table {name!r}{did_you_mean(name, known)}")
    with folder.joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        rows = pd.read_csv(file, keep_default_na=False, na_values=[""])
    texts = rows.select_dtypes(include="str").columns
    return rows.assign(**{column: rows[column].fillna("") for column in texts})
