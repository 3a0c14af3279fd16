"""Inner loops over arrays, in plain Python: small instances run them as they are, large ones through Numba.

The same source serves both, so that a small estate is solved without loading a compiler, and a property test can hold
the two against each other. Every kernel draws its random numbers from its own state, so both draw the same.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from functools import cache
from types import ModuleType

SMALL = 60
"""Items up to which plain Python is faster than loading compiled code."""


def load(name: str, items: int | None = None) -> ModuleType:
    """The kernels of one file, compiled unless the instance is small.

    Parameters
    ----------
    name : {"filling", "repacking", "knapsack"}
    items : int, optional
        How many items the instance has; compiled code in any case where not given.
    """
    return _plain(name) if items is not None and items <= SMALL else _compiled(name)


@cache
def _plain(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")


@cache
def _compiled(name: str) -> ModuleType:
    """A second copy of the module in which every function is compiled on first use and kept on disk."""
    import numba

    spec = importlib.util.find_spec(f"{__name__}.{name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for label, value in list(vars(module).items()):
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            setattr(module, label, numba.njit(cache=True, nogil=True)(value))
    return module
