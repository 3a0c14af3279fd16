"""Series: what workloads were measured to use, aligned on one regular grid of UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from planner.errors import InputError
from planner.inventory import notes_frame

QUANTITIES = ("cpu_ghz", "memory_gib", "storage_gib", "network_gbps", "iops")
SHARES = {"cpu_share": "cpu_ghz", "memory_share": "memory_gib"}
"""Shares of what a workload was given, and the quantity that each becomes once that is known."""

MINUTE_SECONDS, HOUR_SECONDS = 60, 3600
MOST_CELLS = 500_000_000
LEAST_COVERAGE = 0.6
"""A workload that was measured for less of the time than this is named in a note."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Series:
    """What workloads were measured to use, aligned on one regular grid of UTC.

    Parameters
    ----------
    names : tuple of str
        The workloads, as the files name them.
    times : array of datetime64[s], shape [T]
        Beginning of each step, UTC.
    step_minutes : float
    samples : dict of str to array of float32, shape [W, T]
        By quantity (`QUANTITIES` and `SHARES`): the highest sample in each step, NaN where nothing was measured.
        Read-only.
    notes : DataFrame
        What was converted, guessed or dropped, with the columns of `planner.inventory.NOTE_COLUMNS`.
    sources : tuple of str
        What was read.
    """

    names: tuple[str, ...]
    times: np.ndarray
    step_minutes: float
    samples: dict[str, np.ndarray]
    notes: pd.DataFrame = field(default_factory=notes_frame)
    sources: tuple[str, ...] = ()

    def __post_init__(self):
        for name, array in self.samples.items():
            if array.shape != (len(self.names), len(self.times)):
                raise InputError(
                    f"series {name}: found shape {array.shape}, expected {len(self.names), len(self.times)}"
                )
            array.flags.writeable = False
        self.times.flags.writeable = False

    @classmethod
    def from_samples(
        cls,
        names: Sequence[str],
        owner: np.ndarray,
        seconds: np.ndarray,
        values: dict[str, np.ndarray],
        *,
        duration_seconds: np.ndarray | None = None,
        step_minutes: float | None = None,
        notes: Iterable[dict] = (),
        sources: tuple[str, ...] = (),
    ) -> Series:
        """Series from samples in any order, at any moments: a step of the grid holds the highest sample in it.

        Parameters
        ----------
        names : sequence of str
        owner : array of int, shape [sample]
            Position in `names`.
        seconds : array of float, shape [sample]
            Moment of each sample, seconds of UTC since 1970.
        values : dict of str to array of float, shape [sample]
            By quantity; NaN and negative values are not measured.
        duration_seconds : array of float, shape [sample], optional
            How long each sample had held when it was taken: it then counts in every step that it touches. Without it
            a sample begins at its moment and holds for the usual distance of its workload's samples, at most an hour.
        step_minutes : float, optional
            Step of the grid; by default the workloads' usual distance between samples, at most an hour.
        notes : iterable of dict
            Rows of notes so far.
        sources : tuple of str

        Raises
        ------
        InputError
            No sample, or a grid beyond `MOST_CELLS`.
        """
        rows = list(notes)
        if not len(seconds) or not values:
            raise InputError(f"{', '.join(sources) or 'series'}: found no sample, expected at least one")
        own = _own_steps(owner, seconds, len(names))
        step = _grid_step(own) if step_minutes is None else max(round(step_minutes * MINUTE_SECONDS), 1)
        rows += _step_notes(names, owner, seconds, own, step, duration_seconds is not None)
        first = np.floor(seconds / step).astype("int64")
        if duration_seconds is None:
            held = np.rint(np.minimum(np.nan_to_num(own, nan=step), HOUR_SECONDS) / step)
            last = first + np.maximum(held, 1).astype("int64")[owner] - 1
        else:
            last = np.ceil(seconds / step).astype("int64") - 1
            first = np.minimum(np.floor((seconds - duration_seconds) / step).astype("int64"), last)
        begin, end = int(first.min()), int(last.max()) + 1
        _require_size(names, owner, seconds, len(names), end - begin, step)
        grids, lost = {}, 0
        for quantity, samples in values.items():
            lost += int((samples < 0).sum())
            grids[quantity] = _highest(len(names), end - begin, owner, first - begin, last - begin, samples)
        if lost:
            rows.append(_note("dropped", f"{lost:,} negative values, taken as not measured"))
        times = np.arange(begin, end).astype("int64") * step
        made = cls(
            names=tuple(names),
            times=times.astype("datetime64[s]"),
            step_minutes=step / MINUTE_SECONDS,
            samples=grids,
            sources=sources,
        )
        return replace(made, notes=notes_frame([*rows, *made._coverage_notes()]))

    def coverage(self, quantity: str) -> np.ndarray:
        """Share of the steps in which each workload was measured, shape [W]."""
        return (~np.isnan(self.samples[quantity])).mean(axis=1)

    def table(self, names: Sequence[str] | None = None, percentiles: Sequence[float] = (95,)) -> pd.DataFrame:
        """Average, peak and percentiles of each workload, index the name.

        A percentile q is the smallest sample that at least q percent of the samples do not exceed. Columns are
        ``cpu_ghz_average``, ``cpu_ghz_peak``, ``cpu_ghz_p95`` and so on by quantity; NaN where nothing was measured.
        """
        rows = range(len(self.names)) if names is None else [self.names.index(name) for name in names]
        rows = np.array(rows, dtype=int)
        columns = {}
        for quantity, values in self.samples.items():
            parts = [statistics(values[rows[at : at + 256]], percentiles) for at in range(0, len(rows), 256)]
            joined = np.concatenate(parts, axis=1) if parts else np.zeros((2 + len(percentiles), 0))
            labels = ("average", "peak", *(f"p{q:g}" for q in percentiles))
            columns |= {f"{quantity}_{label}": figures for label, figures in zip(labels, joined, strict=True)}
        return pd.DataFrame(columns, index=pd.Index([self.names[row] for row in rows], name="name"))

    def scaled(self, given: dict[str, np.ndarray]) -> Series:
        """The series with shares turned into quantities: share x what the workload was given.

        Parameters
        ----------
        given : dict of str to array of float, shape [W]
            By share of `SHARES`: GHz or GiB that each workload was given. NaN leaves what is measured otherwise.
        """
        made = {name: array for name, array in self.samples.items() if name not in SHARES}
        for share, quantity in SHARES.items():
            if share in self.samples:
                scaled = (self.samples[share] * given[share][:, None]).astype("float32")
                known = made.get(quantity, scaled)
                made[quantity] = np.where(np.isnan(known), scaled, known)
        return replace(self, samples=made)

    def _coverage_notes(self) -> list[dict]:
        rows = []
        for quantity in self.samples:
            coverage = self.coverage(quantity)
            for w in np.flatnonzero(coverage < LEAST_COVERAGE):
                message = (
                    f"{quantity} measured in {coverage[w]:.0%} of {len(self.times):,} steps; a step without a sample "
                    "is planned with the highest of the same hour on other days, or of all hours"
                )
                rows.append(_note("information", message, self.names[w]))
            holes = int(((coverage >= LEAST_COVERAGE) & (coverage < 1)).sum())
            if holes:
                message = f"{quantity}: {holes:,} more workloads have gaps, planned with the highest of the same hour"
                rows.append(_note("information", message))
        return rows

    def __repr__(self) -> str:
        return (
            f"Series({len(self.names):,} workloads, {len(self.times):,} steps of {self.step_minutes:g} min from "
            f"{self.times[0]} UTC; {', '.join(self.samples)}; {len(self.notes):,} notes)"
        )


def rank(percentile: float, count: np.ndarray) -> np.ndarray:
    """Position, among `count` values in rising order, of the smallest that `percentile` percent do not exceed.

    >>> rank(95, np.array([20, 1, 288])).tolist()
    [18, 0, 273]
    """
    return np.maximum(np.ceil(np.round(percentile * count / 100, 9)).astype("int64") - 1, 0)


def statistics(values: np.ndarray, percentiles: Sequence[float]) -> np.ndarray:
    """Average, peak and percentiles of each row, shape [2 + percentile, row]; NaN for a row of NaN."""
    count = (~np.isnan(values)).sum(axis=1)
    order = np.sort(values.astype(float), axis=1)
    at = np.arange(len(values))
    average = np.nansum(order, axis=1) / np.where(count > 0, count, np.nan)
    ranked = [order[at, rank(q, count)] for q in (100, *percentiles)]
    return np.array([average, *ranked])


def _note(kind: str, message: str, subject: str = "") -> dict:
    return {"kind": kind, "column": "series", "subject": subject, "message": message}


def _own_steps(owner: np.ndarray, seconds: np.ndarray, count: int) -> np.ndarray:
    """Usual distance between a workload's samples, seconds, shape [W]; NaN for those with one sample."""
    order = np.lexsort((seconds, owner))
    distance, same = np.diff(seconds[order]), np.diff(owner[order]) == 0
    kept = same & (distance > 0)
    usual = pd.Series(distance[kept]).groupby(owner[order][1:][kept]).median()
    return usual.reindex(range(count)).to_numpy()


def _grid_step(own: np.ndarray) -> int:
    """The most usual distance, to whole minutes where it is longer than one, and at most an hour."""
    known = own[~np.isnan(own)]
    if not len(known):
        return HOUR_SECONDS
    usual = float(np.median(known))
    step = round(usual / MINUTE_SECONDS) * MINUTE_SECONDS if usual > MINUTE_SECONDS else max(round(usual), 1)
    return min(step, HOUR_SECONDS)


def _step_notes(
    names: Sequence[str], owner: np.ndarray, seconds: np.ndarray, own: np.ndarray, step: int, lasting: bool
) -> list[dict]:
    minutes = step / MINUTE_SECONDS
    rows = []
    moments = pd.DataFrame({"owner": owner, "seconds": seconds}).duplicated()
    if moments.any():
        first = names[int(owner[int(np.flatnonzero(moments)[0])])]
        message = (
            f"{int(moments.sum()):,} samples repeat the moment of another of the same workload: the highest counts"
        )
        rows.append(_note("dropped", message, first))
    if ((seconds % step) != 0).any():
        message = f"samples lie off the grid of {minutes:g} min: each step holds the highest sample in it"
        rows.append(_note("converted", message))
    differ = np.flatnonzero(np.abs(own - step) > 0.05 * step)
    for w in differ[:20] if not lasting else ():
        message = f"usually sampled every {own[w] / MINUTE_SECONDS:g} min, the grid has steps of {minutes:g} min"
        rows.append(_note("converted", message, names[w]))
    if len(differ) > 20 and not lasting:
        rows.append(
            _note("converted", f"{len(differ) - 20:,} more workloads are sampled at another pace than the grid")
        )
    return rows


def _require_size(
    names: Sequence[str], owner: np.ndarray, seconds: np.ndarray, workloads: int, steps: int, step: int
) -> None:
    if workloads * steps > MOST_CELLS:
        middle = np.median(seconds)
        far = int(np.argmax(np.abs(seconds - middle)))
        stamp = pd.Timestamp(seconds[far], unit="s")
        raise InputError(
            f"series: found {workloads:,} workloads over {steps * step / 86400:,.0f} days in steps of {step:,} s, "
            f"expected at most {MOST_CELLS:,} cells; workload {names[int(owner[far])]!r} has a sample at {stamp}: is "
            "that right? Otherwise give a longer step (step_minutes)"
        )


def _highest(
    workloads: int, steps: int, owner: np.ndarray, first: np.ndarray, last: np.ndarray, samples: np.ndarray
) -> np.ndarray:
    """Highest sample in each cell, NaN where there is none."""
    grid = np.full(workloads * steps, np.nan, dtype="float32")
    known = np.flatnonzero(~np.isnan(samples) & (samples >= 0))
    for at in range(0, len(known), 1_000_000):
        part = known[at : at + 1_000_000]
        held = last[part] - first[part] + 1
        begin = owner[part].astype("int64") * steps + first[part]
        room = (owner[part].astype("int64") + 1) * steps  # A sample at the end of the grid holds to its end only.
        offset = np.arange(held.sum()) - np.repeat(np.cumsum(held) - held, held)
        cell = np.repeat(begin, held) + offset
        inside = cell < np.repeat(room, held)
        np.fmax.at(grid, cell[inside], np.repeat(samples[part], held)[inside].astype("float32"))
    return grid.reshape(workloads, steps)
