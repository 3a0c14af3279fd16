"""What each suite is to reach, as data, and how a row is judged by it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

OVERRUN = 1.1
"""A search that ends at its time limit may take this many times the limit; building and checking come on top."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What one row is to reach; what is None or False is not asked for.

    Parameters
    ----------
    proven, optimum, no_worse_than_published, beyond_volume : bool
        Status optimal; the known optimum found; no more than the best published value; a bound that is not the volume
        bound alone.
    value, gap, above_bound, seconds, memory_mb : float, optional
        At most this objective value, relative gap, distance from the bound, seconds of solve, peak memory.
    """

    proven: bool = False
    optimum: bool = False
    no_worse_than_published: bool = False
    beyond_volume: bool = False
    value: float | None = None
    gap: float | None = None
    above_bound: float | None = None
    seconds: float | None = None
    memory_mb: float | None = None

    def __str__(self) -> str:
        stated = [(item.name.replace("_", " "), getattr(self, item.name)) for item in fields(self)]
        return ", ".join(
            name if value is True else f"{name} <= {value:,g}" for name, value in stated if value not in (None, False)
        )


@dataclass(frozen=True, kw_only=True)
class SuiteTarget:
    """Target and time limit of the rows of a suite.

    Parameters
    ----------
    seconds : float
        Time limit of solve where none is given on the command line.
    each : Target
        What a row is to reach, unless `rows` says otherwise.
    rows : dict of str to (float, Target)
        Time limit and target by instance.
    needed : int, optional
        How many rows are to reach it; all where None.
    every : Target
        What no row at all may miss, and the time limit that this is stated for.
    every_at_seconds : float, optional
    """

    seconds: float
    each: Target = field(default_factory=Target)
    rows: dict[str, tuple[float, Target]] = field(default_factory=dict)
    needed: int | None = None
    every: Target = field(default_factory=Target)
    every_at_seconds: float | None = None

    def of(self, instance: str) -> tuple[float, Target]:
        """Time limit in seconds and target of one instance."""
        return self.rows.get(instance, (self.seconds, self.each))


def _within(seconds: float, **target) -> tuple[float, Target]:
    return seconds, Target(seconds=seconds * OVERRUN, **target)


TARGETS = {
    "caprara_toth": SuiteTarget(
        seconds=20, each=Target(proven=True), needed=190, every=Target(above_bound=1), every_at_seconds=60
    ),
    "vectorpack": SuiteTarget(
        seconds=30, each=Target(optimum=True), needed=54, every=Target(no_worse_than_published=True)
    ),
    "vectorpack_open": SuiteTarget(seconds=30, each=Target(no_worse_than_published=True)),
    "cloudbalancing": SuiteTarget(
        seconds=60,
        rows={
            "2computers-6processes": (60, Target(proven=True)),
            "4computers-12processes": (60, Target(proven=True)),
            "100computers-300processes": (60, Target(value=100_000, gap=0.035)),
            "400computers-1200processes": (60, Target(value=369_000, gap=0.025)),
            "1600computers-4800processes": (120, Target(gap=0.03)),
        },
    ),
    "roomy": SuiteTarget(
        seconds=20,
        rows={
            "roomy-1000": _within(5, proven=True),
            "roomy-5000": _within(20, above_bound=1),
            "roomy-20000": _within(20, above_bound=1),
            "roomy-100000": _within(60, gap=0.001, memory_mb=2048),
        },
    ),
    "tight": SuiteTarget(
        seconds=60,
        rows={
            f"tight-{host}-{count}": _within(seconds, gap=0.015, beyond_volume=True)
            for host in ("64x320", "96x480")
            for count, seconds in ((1000, 30), (5000, 60), (20_000, 120))
        },
    ),
    "shapes100": SuiteTarget(seconds=15, each=Target(proven=True, seconds=15 * OVERRUN)),
    "rules": SuiteTarget(seconds=60, each=_within(60, gap=0.03)[1], needed=6),
    "traces": SuiteTarget(seconds=60, each=Target(gap=0.03)),
    "small": SuiteTarget(
        seconds=10,
        each=Target(proven=True, seconds=1.0),
        rows={"command line, small_company.xlsx": (60, Target(seconds=3.0))},
    ),
}


def missed(target: Target, row) -> list[str]:
    """What a row (see `benchmarks.runner.Row`) lacks of a target, in words; empty where it is reached."""
    if row.error:
        return ["it failed"]
    found = []
    if target.proven and row.status != "optimal":
        found.append("not proven")
    if target.optimum and row.incumbent != row.optimum:
        found.append(f"optimum {_figure(row.optimum)} not found")
    if target.no_worse_than_published and (row.incumbent is None or row.incumbent > row.published):
        found.append(f"published {_figure(row.published)}")
    if target.beyond_volume and row.status != "optimal" and row.method in ("", "volume"):
        found.append(f"bound method {row.method or 'none'}")
    excess = None if None in (row.incumbent, row.bound) else row.incumbent - row.bound
    measured = {
        "value": row.incumbent,
        "gap": row.gap,
        "above_bound": excess,
        "seconds": row.seconds,
        "memory_mb": row.memory_mb,
    }
    for name, value in measured.items():
        limit = getattr(target, name)
        if limit is not None and (value is None or value > limit * (1 + 1e-9)):
            found.append(f"{name.replace('_', ' ')} {_figure(value)} > {_figure(limit)}")
    return found


def alarms(row) -> list[str]:
    """What can only be a defect, such as a bound above an optimum, a value that is not its plan's, a rejected plan."""
    found = []
    if row.optimum is not None and row.bound is not None and row.bound > row.optimum + 1e-6:
        found.append(f"bound {_figure(row.bound)} is above the known optimum {_figure(row.optimum)}")
    if row.optimum is not None and row.incumbent is not None and row.incumbent < row.optimum - 1e-6:
        found.append(f"value {_figure(row.incumbent)} is below the known optimum {_figure(row.optimum)}")
    if None not in (row.incumbent, row.bound) and row.bound > row.incumbent + 1e-6 * abs(row.incumbent):
        found.append(f"bound {_figure(row.bound)} is above the plan's value {_figure(row.incumbent)}")
    if None not in (row.incumbent, row.plan_value) and abs(row.plan_value - row.incumbent) > 1e-6 * abs(row.incumbent):
        found.append(f"the plan's own value is {_figure(row.plan_value)}, the solver states {_figure(row.incumbent)}")
    if row.violations:
        found.append(f"the checker finds {row.violations} violations")
    if row.verified is False:
        found.append("the bound does not verify")
    for name, peer in row.peers.items():
        if None not in (peer.value, row.bound) and not peer.violations and peer.value < row.bound - 1e-6 * row.bound:
            found.append(f"the plan of {name} at {_figure(peer.value)} is below the bound {_figure(row.bound)}")
        if None not in (peer.bound, row.incumbent) and peer.bound > row.incumbent * (1 + 1e-6):
            found.append(f"the bound of {name}, {_figure(peer.bound)}, is above the value {_figure(row.incumbent)}")
    return found


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:,.6g}"
