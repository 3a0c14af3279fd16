"""Timeline: the series behind a problem that is planned by the hour, by workload and resource."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.policy import Policy
from planner.series import HOUR_SECONDS, MINUTE_SECONDS, Series

QUANTITY = {"cpu": "cpu_ghz", "memory": "memory_gib"}
"""Resources that can be planned by the hour, and what is measured of each."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline:
    """The series behind the demand of a problem that is planned by the hour.

    Parameters
    ----------
    series : Series
    row : array of int, shape [W]
        Row of the series of each workload, -1 where it has none and is planned flat.
    quantities : dict of str to str
        By resource that is planned by the hour: its quantity in the series.
    """

    series: Series
    row: np.ndarray
    quantities: dict[str, str]

    def demand(
        self, policy: Policy, resources: tuple[str, ...], flat: np.ndarray, workloads: pd.DataFrame
    ) -> np.ndarray:
        """Demand by period: that of the series where there is one, the table's in every period otherwise.

        Parameters
        ----------
        policy : Policy
        resources : tuple of str
        flat : array of float, shape [W, R, 1]
        workloads : DataFrame

        Returns
        -------
        array of float, shape [W, R, P]
            Read-only; see `planner.periods` for the formula.
        """
        demand = np.repeat(flat, policy.time.count, axis=2)
        for resource, quantity in self.quantities.items():
            levels = policy.time.levels(self.series.samples[quantity], self.series.times)
            measured = ~np.isnan(levels[:, 0])
            by_use = policy.sizing.bases(workloads, resource) != "allocated"
            known = np.flatnonzero((self.row >= 0) & measured[self.row] & by_use)
            used = policy.demand_of_use(resource, levels[self.row[known]], workloads, known)
            demand[known, resources.index(resource)] = used
        demand.flags.writeable = False
        return demand


def timeline_of(series: Series | None, workloads: pd.DataFrame, policy: Policy) -> Timeline | None:
    """The timeline of a problem, None where its policy plans all times as one.

    Parameters
    ----------
    series : Series, optional
        Of the inventory.
    workloads : DataFrame
        With the column `series_name` that `Inventory.with_series` made.
    policy : Policy

    Raises
    ------
    InputError
        The policy plans by the hour, and there is no series, none of what is sized by use, or steps longer than that.
    """
    if policy.time.by == "none":
        return None
    where = f"policy.time.by: found {policy.time.by!r}"
    by_use = [resource for resource in QUANTITY if (policy.sizing.bases(workloads, resource) != "allocated").any()]
    if not by_use:
        raise InputError(f"{where}, and every workload is 'allocated', expected one of them sized by use")
    if series is None:
        raise InputError(f"{where} and no series of use, expected Inventory.with_series (or --series FILE)")
    quantities = {resource: QUANTITY[resource] for resource in by_use if QUANTITY[resource] in series.samples}
    if not quantities:
        raise InputError(
            f"{where}, sized by use: {', '.join(by_use)}; found series of {', '.join(series.samples)}, "
            f"expected {' or '.join(QUANTITY[resource] for resource in by_use)}"
        )
    if series.step_minutes * MINUTE_SECONDS > HOUR_SECONDS:
        raise InputError(f"{where} and series in steps of {series.step_minutes:g} min, expected at most 60")
    rows = {name: row for row, name in enumerate(series.names)}
    row = workloads["series_name"].map(rows).fillna(-1).to_numpy(dtype="int64")
    row.flags.writeable = False
    return Timeline(series=series, row=row, quantities=quantities)
