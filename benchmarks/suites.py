"""Suites: which instances there are under which name, and how each is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial

import planner
from benchmarks import estates, readers, ruled, traces
from benchmarks.targets import TARGETS, Target

SAMPLE_SEED = 2025
SMALL_PROBLEMS = 40


@dataclass(frozen=True, kw_only=True)
class Case:
    """One instance of a suite.

    Parameters
    ----------
    name : str
    arguments : callable, optional
        Gives the arguments of `planner.Problem.build`.
    command : tuple of str
        What to run instead, after ``python -m planner``; timed as a whole, interpreter and imports included.
    seconds : float
        Time limit of solve.
    target : Target
    optimum, published : float, optional
        The known optimum; the best value that others published.
    """

    name: str
    arguments: Callable[[], dict] | None = None
    command: tuple[str, ...] = ()
    seconds: float = 60.0
    target: Target = field(default_factory=Target)
    optimum: float | None = None
    published: float | None = None


class SuiteUnavailable(Exception):
    """Data that a suite is read from are not there."""


def cases(suite: str, only: str = "*") -> list[Case]:
    """The instances of a suite whose names match the pattern, in a fixed order.

    Raises
    ------
    SuiteUnavailable
        The suite's data lie beside the repository and are absent.
    """
    made = [case for case in SUITES[suite]() if fnmatchcase(case["name"], only)]
    targets = TARGETS[suite]
    result = []
    for case in made:
        seconds, target = targets.of(case["name"])
        result.append(Case(seconds=seconds, target=target, **case))
    return result


def _folder(name: str):
    folder = readers.INSTANCES / name
    if not folder.is_dir():
        raise SuiteUnavailable(f"the folder {folder} is absent: instances of others lie beside the repository")
    return folder


def _caprara_toth() -> list[dict]:
    def by_numbers(path) -> tuple[int, ...]:
        return tuple(int(part) for part in path.stem.split("_")[1:])

    paths = sorted(_folder("caprara_toth").glob("*.vbp"), key=by_numbers)
    optima = readers.caprara_toth_optima()
    return [
        {"name": path.stem, "arguments": partial(readers.vbp_file, path), "optimum": optima.get(path.stem)}
        for path in paths
    ]


def _vectorpack(known: bool, size: int) -> list[dict]:
    _folder("vectorpack")
    table = readers.vectorpack_values()
    table = table[(table["OPT"] >= 0) == known]
    return [
        {
            "name": name,
            "arguments": partial(readers.vectorpack_member, name),
            "optimum": float(table.at[name, "OPT"]) if known else None,
            "published": float(table.at[name, "best_overall"]),
        }
        for name in readers.spread_sample(table, size, SAMPLE_SEED)
    ]


def _cloud_balancing() -> list[dict]:
    folder = _folder("cloudbalancing")
    published = {"100computers-300processes": 112_400.0, "400computers-1200processes": 441_870.0}
    return [
        {
            "name": name,
            "arguments": partial(readers.cloud_balancing, folder / f"{name}.json"),
            "published": published.get(name),
        }
        for name in TARGETS["cloudbalancing"].rows
    ]


def _roomy() -> list[dict]:
    return [
        {"name": f"roomy-{count}", "arguments": partial(estates.roomy, count)}
        for count in (1000, 5000, 20_000, 100_000)
    ]


def _tight() -> list[dict]:
    hosts = {"64x320": (64, 320, 1200), "96x480": (96, 480, 2000)}
    return [
        {"name": f"tight-{label}-{count}", "arguments": partial(estates.tight, count, host)}
        for label, host in hosts.items()
        for count in (1000, 5000, 20_000)
    ]


def _few_shapes() -> list[dict]:
    return [
        {"name": f"shapes100-{count}", "arguments": partial(estates.few_shapes, count)} for count in (10_000, 100_000)
    ]


def _small() -> list[dict]:
    rows = [{"name": f"small-{seed}", "arguments": partial(estates.small, seed)} for seed in range(SMALL_PROBLEMS)]
    command = ("solve", "data/small_company.xlsx")
    return [*rows, {"name": "command line, small_company.xlsx", "command": command}]


def _traces() -> list[dict]:
    if not traces.TRACES.is_dir():
        raise SuiteUnavailable(f"the folder {traces.TRACES} is absent: traces of others lie beside the repository")
    return [
        {"name": f"{estate}, {label}", "arguments": partial(make, sizing)}
        for estate, make in traces.ESTATES.items()
        for label, sizing in traces.SIZINGS.items()
        if (estate, label) not in traces.NEVER
    ]


def _rules() -> list[dict]:
    # Windows fills 11.4 hosts: with one of 12 lost, what is pinned as well has hardly a place left.
    twelve, thirteen = ([planner.Limit("os:windows", most_hosts=most)] for most in (12, 13))
    rack = planner.Failover(hosts=1, mode="verified", within="rack")
    replicas = [planner.KeepApart("os:windows", within="rack", at_most=80)]
    return [
        {"name": "rules-800", "arguments": ruled.ruled},
        {"name": "rules-800, Windows on 12 hosts", "arguments": partial(ruled.ruled, more=twelve)},
        {"name": "rules-800, Windows on 13 hosts", "arguments": partial(ruled.ruled, more=thirteen)},
        {"name": "rules-800, Windows over racks", "arguments": partial(ruled.ruled, more=replicas)},
        {"name": "rules-800, by share", "arguments": partial(ruled.ruled, failover=planner.Failover(hosts=1))},
        {"name": "rules-800, any rack", "arguments": partial(ruled.ruled, failover=rack)},
        {"name": "rules-8000", "arguments": partial(ruled.ruled, 8000)},
    ]


SUITES: dict[str, Callable[[], list[dict]]] = {
    "caprara_toth": _caprara_toth,
    "vectorpack": partial(_vectorpack, True, 60),
    "vectorpack_open": partial(_vectorpack, False, 40),
    "cloudbalancing": _cloud_balancing,
    "roomy": _roomy,
    "tight": _tight,
    "shapes100": _few_shapes,
    "small": _small,
    "rules": _rules,
    "traces": _traces,
}
