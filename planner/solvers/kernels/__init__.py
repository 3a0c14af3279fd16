"""Inner loops over arrays, written in plain Python and compiled by Numba; a small estate's first filling runs as it is.

The same source serves both, so that what a small start settles loads no compiler, and a property test can hold the two
against each other. Every kernel draws its random numbers from its own state, so both draw the same.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import subprocess
import sys
from functools import cache
from types import ModuleType

from planner.solvers.kernels.types import NUMBA

SMALL = 60
"""Items up to which plain Python is faster than loading compiled code."""

NAMES = ("filling", "repacking", "knapsack", "worth", "simplex")


def load(name: str, items: int | None = None) -> ModuleType:
    """The kernels of one file, compiled unless the instance is small.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    items : int, optional
        How many items the instance has; compiled code in any case where not given.
    """
    return _plain(name) if items is not None and items <= SMALL else _compiled(name)


def prepare() -> None:
    """Compile all kernels in a process of its own, so that no search waits for it and no page stands still."""
    subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


@cache
def _plain(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")


@cache
def _compiled(name: str) -> ModuleType:
    """A second copy of the module in which every function is compiled and kept on disk.

    The types are given rather than found at each call: one version of each function is compiled and no more, which is
    what keeps the first use on a machine short.
    """
    import numba

    spec = importlib.util.find_spec(f"{__name__}.{name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for label, value in list(vars(module).items()):
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            types = ", ".join(NUMBA[parameter] for parameter in inspect.get_annotations(value).values())
            setattr(module, label, numba.njit(f"({types},)", cache=True, nogil=True, error_model="numpy")(value))
    return module
