"""Time stamps as they stand in files, as seconds of UTC: formats, epochs, zones and the two odd hours a year."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from planner.errors import InputError, nearest

_EPOCHS = (
    ("seconds", 1e11, 1.0),
    ("milliseconds", 1e14, 1e-3),
    ("microseconds", 1e17, 1e-6),
    ("nanoseconds", 1e20, 1e-9),
)
_OFFSET = r"(?:[zZ]|[+-]\d{2}:?\d{2})$"
_GERMAN = r"^\s*\d{1,2}\.\d{1,2}\.\d{4}"


def require_zone(name: str, where: str) -> str:
    """The name, if it is a time zone of the IANA database.

    Raises
    ------
    InputError
        A zone that is not there, with the nearest one.
    """
    try:
        ZoneInfo(name)
    except (ValueError, OSError, TypeError, KeyError) as error:
        raise InputError(
            f"{where}: found {name!r}, expected a time zone such as 'Europe/Berlin'{_near(name)}"
        ) from error
    return name


def _near(name: object) -> str:
    from zoneinfo import available_timezones

    zones = sorted(available_timezones())
    close = nearest(str(name), zones) or nearest(str(name), [zone.rpartition("/")[2] for zone in zones])
    full = next((zone for zone in zones if close in (zone, zone.rpartition("/")[2])), None)
    return f"; did you mean {full!r}?" if full else ""


def moment(value: object, time_zone: str | None, where: str) -> int:
    """One moment as seconds of UTC since 1970; a naive one is in `time_zone`, or in UTC.

    Examples
    --------
    >>> moment("2011-03-03", None, "start"), moment("2011-03-03T01:00+01:00", "Asia/Tokyo", "start")
    (1299110400, 1299110400)
    """
    try:
        found = pd.Timestamp(value)
        if found is pd.NaT:
            raise ValueError("no time")
        found = found.tz_localize(time_zone or "UTC") if found.tzinfo is None else found
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}: found {value!r}, expected a time such as 2024-05-06T00:00") from error
    return int(found.timestamp())


def to_utc(stamps: np.ndarray, owner: np.ndarray, time_zone: str | None, where: str) -> tuple[np.ndarray, list[tuple]]:
    """Stamps as seconds of UTC since 1970.

    Stamps that name an offset keep it; numbers are epochs, their unit told by their size; naive stamps are in
    `time_zone`, or in UTC where none is given. The hour that autumn has twice is told by order: the first stamp of a
    workload is summer time, the same stamp again is winter time. A stamp in the hour that spring skips is read one
    hour later.

    Parameters
    ----------
    stamps : array of number, datetime64 or str, shape [sample]
    owner : array of int, shape [sample]
        Whose sample each is.
    time_zone : str, optional
        Name in the IANA database.
    where : str
        File and column, for messages.

    Returns
    -------
    array of float, shape [sample]
    list of (kind, message)
        What was converted or guessed.

    Raises
    ------
    InputError
        A stamp that is no time; the message has its row.
    """
    if stamps.dtype.kind in "iuf":
        return _from_epochs(stamps.astype(float), where)
    if stamps.dtype.kind == "M":
        return _localised(pd.DatetimeIndex(stamps), owner, time_zone)
    kinds, unique = pd.factorize(stamps, use_na_sentinel=False)
    texts = pd.Series(unique, dtype=object).fillna("").astype(str).str.strip()
    aware = texts.str.contains(_OFFSET, regex=True) & texts.str.contains(":")
    german = texts.str.contains(_GERMAN, regex=True)
    parsed = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[ns]")
    with_zone = pd.to_datetime(texts[aware], format="ISO8601", errors="coerce", utc=True)
    parsed[aware] = with_zone.dt.tz_localize(None)
    parsed[german] = pd.to_datetime(texts[german], dayfirst=True, format="mixed", errors="coerce")
    rest = ~aware & ~german
    parsed[rest] = pd.to_datetime(texts[rest].str.replace("/", "-"), format="ISO8601", errors="coerce")
    if parsed.isna().any():
        bad = int(np.flatnonzero(parsed.isna().to_numpy()[kinds])[0])
        raise InputError(
            f"{where}, row {bad + 2}: found {stamps[bad]!r}, expected a time such as 2024-05-06T07:08:09, with or "
            "without an offset such as +02:00"
        )
    times = pd.DatetimeIndex(parsed.to_numpy()[kinds])
    known = aware.to_numpy()[kinds]
    if known.all():
        return _seconds(times), []
    seconds = _seconds(times)
    seconds[~known], notes = _localised(times[~known], owner[~known], time_zone)
    return seconds, notes


def _seconds(times: pd.DatetimeIndex) -> np.ndarray:
    return times.to_numpy().astype("datetime64[ms]").astype("int64") / 1000.0


def _from_epochs(values: np.ndarray, where: str) -> tuple[np.ndarray, list[tuple]]:
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(bad):
        raise InputError(f"{where}, row {bad[0] + 2}: found {values[bad[0]]!r}, expected a time")
    largest = values.max(initial=0.0)
    for unit, limit, factor in _EPOCHS:
        if largest < limit:
            return values * factor, [("converted", f"numbers read as {unit} of UTC since 1970")]
    raise InputError(f"{where}: found {largest:g}, expected a time since 1970")


def _localised(times: pd.DatetimeIndex, owner: np.ndarray, time_zone: str | None) -> tuple[np.ndarray, list[tuple]]:
    if time_zone is None:
        return _seconds(times), [("guessed", "stamps without a zone read as UTC; name a time zone if they are local")]
    notes = [("converted", f"stamps without a zone read as local time of {time_zone}")]
    hour = pd.Timedelta(hours=1)
    first = times.tz_localize(time_zone, ambiguous="NaT", nonexistent=hour)
    twice = np.asarray(first.isna())
    pairs = pd.DataFrame({"owner": owner[twice], "time": times[twice]})
    summer = np.ones(len(times), dtype=bool)
    summer[twice] = (pairs.groupby(["owner", "time"]).cumcount() == 0).to_numpy()
    found = times.tz_localize(time_zone, ambiguous=summer, nonexistent=hour)
    if twice.any():
        message = (
            f"{int(twice.sum()):,} stamps in the hour that the clock of {time_zone} shows twice: "
            "the first of a workload is read as summer time, the same stamp again as winter time"
        )
        notes.append(("guessed", message))
    skipped = np.asarray(found.tz_localize(None) != times)
    if skipped.any():
        message = (
            f"{int(skipped.sum()):,} stamps in the hour that the clock of {time_zone} skips, the first "
            f"{times[int(np.flatnonzero(skipped)[0])]}: read one hour later"
        )
        notes.append(("guessed", message))
    return _seconds(found.tz_convert("UTC").tz_localize(None)), notes
