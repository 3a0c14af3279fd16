"""How full the hosts of a plan are, made ready for a chart: one by one, or of many how many are how full."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.colours import BLUE, GREY, ORANGE
from planner.writers.headings import heading

MOST_HOSTS = 40
"""Hosts that a chart shows one by one."""
_SUFFIX = "_utilisation"
_STEP = 10
"""Per cent in a class of hosts."""
COLOURS = (BLUE, ORANGE, GREY)


@dataclass(frozen=True, kw_only=True, eq=False)
class Utilisation:
    """What a chart of the hosts' utilisation shows.

    Parameters
    ----------
    frame : DataFrame
        Index: hosts, the fullest first, or classes such as ``70 to 80 %``. A column for each resource, three at most:
        share used, or number of hosts.
    counted : bool
        Whether hosts are counted by class.
    """

    frame: pd.DataFrame
    counted: bool

    @property
    def title(self) -> str:
        """What the chart shows."""
        return "How many hosts are how full" if self.counted else "How full each host is"


def utilisation(hosts: pd.DataFrame) -> Utilisation:
    """The utilisation of hosts for a chart.

    Parameters
    ----------
    hosts : DataFrame
        `Report.hosts`.
    """
    columns = [name for name in hosts if name.endswith(_SUFFIX) and hosts[name].notna().any()][: len(COLOURS)]
    shares = hosts.set_index("host")[columns].rename(columns=_label)
    if len(hosts) <= MOST_HOSTS:
        order = shares.max(axis=1).sort_values(ascending=False, kind="stable").index
        return Utilisation(frame=shares.loc[order], counted=False)
    # A share such as 0.7 counts from 70 % on, whatever its last digits are.
    classes = np.minimum(np.floor(shares * 100 / _STEP + 1e-9), 100 // _STEP - 1)
    starts = range(0, 100, _STEP)
    counts = {name: [int((classes[name] == start // _STEP).sum()) for start in starts] for name in classes}
    return Utilisation(frame=pd.DataFrame(counts, index=[f"{at} to {at + _STEP} %" for at in starts]), counted=True)


def _label(column: str) -> str:
    return heading(column).removesuffix(" utilisation")
