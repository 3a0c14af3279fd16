"""Types of the kernels' arguments. Each stands for one type of Numba, so that every kernel is compiled once."""

from __future__ import annotations

import numpy as np

Ints = np.ndarray
IntTable = np.ndarray
Floats = np.ndarray
FloatTable = np.ndarray
Bools = np.ndarray
BoolTable = np.ndarray
IntCube = np.ndarray

NUMBA = {
    "int": "int64",
    "float": "float64",
    "bool": "boolean",
    "Ints": "int64[::1]",
    "IntTable": "int64[:, ::1]",
    "Floats": "float64[::1]",
    "FloatTable": "float64[:, ::1]",
    "Bools": "boolean[::1]",
    "BoolTable": "boolean[:, ::1]",
    "IntCube": "int64[:, :, ::1]",
}
"""Arrays are contiguous, rows first."""
