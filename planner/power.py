"""Load curves: the power that a host draws at each tenth of its CPU, from idle to full load."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner import catalogue
from planner.errors import InputError, did_you_mean

LEVELS = np.linspace(0.0, 1.0, 11)
"""Utilisation at each point of a curve: active idle, 10 %, ... 100 %, as SPECpower_ssj2008 publishes it."""

MOST_W = 100_000.0


def load_curves(hosts: pd.DataFrame, idle_w: float | None = None, peak_w: float | None = None) -> np.ndarray:
    """Power of hosts at each of `LEVELS`, W: along their own curve, else the straight line from idle to peak.

    Parameters
    ----------
    hosts : DataFrame
        name, power_curve, idle_w, peak_w.
    idle_w, peak_w : float, optional
        Of hosts without a curve whose own figures are blank.

    Returns
    -------
    array of float, shape [host, 11]
        NaN where neither is known.

    Raises
    ------
    InputError
        A curve that the catalogue does not have, of another length, or that falls; a peak below idle.

    Examples
    --------
    >>> one = pd.DataFrame({"name": ["r"], "power_curve": [""], "idle_w": [100.0], "peak_w": [300.0]})
    >>> load_curves(one)[0, [0, 1, 10]].tolist()
    [100.0, 120.0, 300.0]
    """
    idle = hosts["idle_w"].fillna(np.nan if idle_w is None else idle_w).to_numpy(dtype=float)
    peak = hosts["peak_w"].fillna(np.nan if peak_w is None else peak_w).to_numpy(dtype=float)
    texts = hosts["power_curve"].to_numpy(dtype=object)
    for at in np.flatnonzero((peak < idle) & (texts == "")):
        raise InputError(
            f"host {hosts['name'].iloc[at]!r}: found peak_w {peak[at]:,g}, expected at least idle_w ({idle[at]:,g})"
        )
    curves = idle[:, None] + LEVELS * (peak - idle)[:, None]
    numbers, known = pd.factorize(texts)
    for number, text in enumerate(known):
        if text:
            own = numbers == number
            curves[own] = curve_of(text, f"host {hosts['name'].to_numpy()[own][0]!r}")
    return curves


def curve_of(text: str, where: str = "power_curve") -> np.ndarray:
    """The eleven watts that a cell stands for: a name of the catalogue's curves, or the watts with ``|`` between them.

    Examples
    --------
    >>> curve_of("50|60|70|80|90|100|110|120|130|140|150")[[0, 5, 10]].tolist()
    [50.0, 100.0, 150.0]
    """
    if not any(separator in text for separator in "|;/"):
        return _of_catalogue(text, where)
    parts = [part.strip() for part in text.replace(";", "|").replace("/", "|").split("|")]
    try:
        watts = np.array([float(part) for part in parts])
    except ValueError:
        watts = np.array([np.nan])
    if len(watts) != len(LEVELS) or not ((watts >= 0) & (watts <= MOST_W)).all():
        raise InputError(
            f"{where}, power_curve: found {text!r}, expected {len(LEVELS)} watts from 0 to {MOST_W:,.0f} with | "
            "between them (at active idle, 10 %, ... 100 % of the CPU), or the name of a curve of the catalogue"
        )
    falls = np.flatnonzero(np.diff(watts) < 0)
    if len(falls):
        at = int(falls[0])
        raise InputError(
            f"{where}, power_curve: found {watts[at]:,g} W at {LEVELS[at]:.0%} and {watts[at + 1]:,g} W at "
            f"{LEVELS[at + 1]:.0%}, expected watts that never fall as the load rises"
        )
    return watts


def _of_catalogue(name: str, where: str) -> np.ndarray:
    curves = catalogue.table("power_curves")
    names = curves["name"].str.casefold()
    found = curves[names == name.casefold()]
    if found.empty:
        raise InputError(
            f"{where}, power_curve: found {name!r}{did_you_mean(name.casefold(), names)}; expected a curve of the "
            f"catalogue or {len(LEVELS)} watts with | between them"
        )
    return found.iloc[0][[f"w{round(100 * level)}" for level in LEVELS]].to_numpy(dtype=float)
