"""Compile all kernels and keep them on disk: ``python -m planner.solvers.kernels``."""

from __future__ import annotations

from planner.solvers.kernels import NAMES, load

for name in NAMES:
    load(name)
