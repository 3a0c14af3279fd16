"""Catalogue: facts as CSV, each row with its source and year, and what of it is an estimate.

Cores, clock and watts of a host model are those of a published SPECpower_ssj2008 result: where a system and
processor have several, the one with the highest peak. Such tests run with little memory and few disks, so a
host with all its memory draws more. Memory, storage and network are a configuration that this project chose.
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
        Columns of the schema, then title, power_source, price_source, year (of the power source) and estimate
        (which columns of the row are estimates, with ``|`` between them); a fresh copy.

    Raises
    ------
    InputError
        A pattern that matches no host model.

    Examples
    --------
    >>> host_models("R7?0")["name"].tolist()
    ['r740', 'r750', 'r760', 'r770']
    """
    rows = table(HOST_MODELS)
    names = rows["name"]
    found = rows[[fnmatchcase(name.casefold(), pattern.casefold()) for name in names]]
    if found.empty:
        raise InputError(f"host models of the catalogue: found no {pattern!r}{did_you_mean(pattern, names)}")
    return schema.conform(found, HOST_MODELS, Origin(file=f"catalogue/{HOST_MODELS}.csv"))


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
