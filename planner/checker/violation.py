"""Violation: one way in which a plan breaks a problem."""

from __future__ import annotations

from dataclasses import dataclass

TOLERANCE = 1e-9
"""Relative rounding error granted to a sum of floats against a capacity."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One way in which a plan breaks the problem: the kind, one sentence, and what it concerns.

    `when` is the period, or the moment in the policy's time zone, where the problem is planned by the hour.
    """

    kind: str
    message: str
    host: str = ""
    workload: str = ""
    resource: str = ""
    found: float | None = None
    limit: float | None = None
    when: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"
