"""Units and their conversions: the only place that knows that a GiB has 1024 MiB.

Virtualisation tools write ``MB`` and ``GB`` where they mean MiB and GiB (RVTools did so until 4.0, Live Optics still
does), so both spellings are read as the binary unit, French octets (Go) too. Readers note when they do so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

HOURS_PER_YEAR = 8760
MONTHS_PER_YEAR = 12
WATTS_PER_KW = 1000
CENTS_PER_MONEY_UNIT = 100
CENTS_BELOW = 100
"""Amounts below which cents are told."""
MHZ_PER_GHZ = 1000
MBPS_PER_GBPS = 1000

GIB_PER_UNIT = {
    "b": 1 / 1024**3,
    "bytes": 1 / 1024**3,
    "kib": 1 / 1024**2,
    "kb": 1 / 1024**2,
    "mib": 1 / 1024,
    "mb": 1 / 1024,
    "gib": 1.0,
    "gb": 1.0,
    "tib": 1024.0,
    "tb": 1024.0,
    "ko": 1 / 1024**2,
    "mo": 1 / 1024,
    "go": 1.0,
    "to": 1024.0,
    "mio": 1 / 1024,
    "gio": 1.0,
    "tio": 1024.0,
    "mbyte": 1 / 1024,
    "gbyte": 1.0,
    "tbyte": 1024.0,
}
"""GiB in one of each unit of memory or storage, by lower-case name."""

GHZ_PER_UNIT = {"mhz": 1 / MHZ_PER_GHZ, "ghz": 1.0, "hz": 1e-9, "khz": 1e-6}
GBPS_PER_UNIT = {
    "mbps": 1 / MBPS_PER_GBPS,
    "mbit/s": 1 / MBPS_PER_GBPS,
    "gbps": 1.0,
    "gbit/s": 1.0,
    "bytes/s": 8e-9,
    "mb/s": 8e-3,
}
SHARE_PER_UNIT = {
    "%": 0.01,
    "percent": 0.01,
    "percentage": 0.01,
    "pct": 0.01,
    "fraction": 1.0,
    "ratio": 1.0,
    "share": 1.0,
}

SCALES = {"GiB": GIB_PER_UNIT, "GHz": GHZ_PER_UNIT, "Gbps": GBPS_PER_UNIT, "share": SHARE_PER_UNIT}
GIB_PER_LETTER = {letter: GIB_PER_UNIT[f"{letter}ib"] for letter in "kmgt"}
"""GiB in what one letter behind a number stands for: ``16G``."""

_DECIMAL_SPELLING = frozenset({"kb", "mb", "gb", "tb", "ko", "mo", "go", "to", "mbyte", "gbyte", "tbyte"})


def factor(found: str, wanted: str) -> float | None:
    """Multiplier that turns a value in unit `found` into unit `wanted`; None where the two do not measure the same.

    >>> factor("MiB", "GiB") == 1 / 1024
    True
    >>> factor("GB", "GiB"), factor("MHz", "GHz"), factor("MiB", "GHz")
    (1.0, 0.001, None)
    >>> factor("vCPUs", "vCPU")
    1.0
    """
    if found.lower() in (wanted.lower(), f"{wanted.lower()}s"):
        return 1.0
    return SCALES.get(wanted, {}).get(found.lower())


def spellings(wanted: str) -> list[str]:
    """Units, as they may be written, that can be turned into unit `wanted`.

    >>> spellings("GHz")
    ['mhz', 'ghz', 'hz', 'khz']
    """
    return list(SCALES.get(wanted, {wanted: 1.0}))


def factor_in_cell(found: str, wanted: str) -> float | None:
    """As `factor`, for a unit behind a number, where one letter is enough for a size.

    >>> factor_in_cell("G", "GiB"), factor_in_cell("M", "GiB") == 1 / 1024, factor_in_cell("G", "GHz")
    (1.0, True, None)
    """
    return GIB_PER_LETTER[found.lower()] if is_letter(found, wanted) else factor(found, wanted)


def is_letter(unit: str, wanted: str) -> bool:
    """Whether a unit is one letter that stands for a size, such as G for GiB."""
    return wanted == "GiB" and unit.lower() in GIB_PER_LETTER


def in_cells(wanted: str) -> str:
    """What may stand behind a number for unit `wanted`, for messages; "" where nothing may.

    >>> in_cells("GiB"), in_cells("vCPU")
    ('KiB, MiB, GiB, TiB, KB, MB, GB, TB, or K, M, G, T', '')
    """
    return _IN_CELLS.get(wanted, "")


_IN_CELLS = {
    "GiB": "KiB, MiB, GiB, TiB, KB, MB, GB, TB, or K, M, G, T",
    "GHz": "MHz, GHz",
    "Gbps": "Mbps, Gbps",
    "share": "%",
}


def is_decimal_spelling(unit: str) -> bool:
    """Whether `unit` is written as a decimal unit (MB) that the field uses for the binary one (MiB)."""
    return unit.lower() in _DECIMAL_SPELLING


def counted(number: float, what: str) -> str:
    """How many, in words.

    >>> counted(1, "host"), counted(1200, "VM")
    ('1 host', '1,200 VMs')
    """
    return f"{number:,.0f} {what}{'' if number == 1 else 's'}"


def decimals(figures: Iterable[float]) -> int:
    """How many decimals figures beside each other need: two where all are small, so that a difference can be followed.

    >>> decimals([8.5, 4.71, 3.78]), decimals([60146.3, 33365.1]), decimals([3, 2, 1])
    (2, 0, 0)
    """
    known = [figure for figure in figures if not math.isnan(figure)]
    return 2 if any(figure % 1 for figure in known) and max(map(abs, known)) < CENTS_BELOW else 0


def energy_kwh_per_year(power_w: float, pue: float) -> float:
    """Energy drawn from the grid in a year by a constant load of `power_w` behind a facility of the given PUE.

    >>> energy_kwh_per_year(100, 1.5)
    1314.0
    """
    return power_w * HOURS_PER_YEAR * pue / WATTS_PER_KW
