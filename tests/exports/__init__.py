"""Exports of every format that is read, made up from a seed, each with the truth that a reader has to arrive at."""

from __future__ import annotations

from collections.abc import Callable

from tests.exports import rvtools, rvtools_other
from tests.exports.export import Export, Truth
from tests.exports.rvtools import rvtools_full

__all__ = ["EXPORTS", "Export", "Truth", "rvtools_full"]

EXPORTS: dict[str, Callable[[int, int], Export]] = {
    "rvtools-mib": rvtools.mib,
    "rvtools-mb": rvtools.mb,
    "rvtools-db": rvtools_other.db,
    "rvtools-csv-comma": rvtools_other.csv_comma,
    "rvtools-csv-semicolon": rvtools_other.csv_semicolon,
    "rvtools-text": rvtools.text,
    "rvtools-vsan": rvtools.vsan,
}
"""By format and dialect: the export of an estate made from a seed with so many virtual machines, at least 20."""
