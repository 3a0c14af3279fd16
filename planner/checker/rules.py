"""The placement rules, judged one by one on where each workload is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from planner.checker.violation import Violation
from planner.problem import Problem


def rule_violations(problem: Problem, at: np.ndarray, hosts: pd.DataFrame) -> Iterator[Violation]:
    """Every way in which a placement breaks a rule.

    Parameters
    ----------
    problem : Problem
    at : array of int, shape [W]
        Position in `hosts` of the host that carries each workload, -1 where none does.
    hosts : DataFrame
        Hosts of the plan: `host`, its name, and `row`, its row in problem.hosts or -1.
    """
    names, host_names, rows = (
        problem.workloads["name"].to_numpy(),
        hosts["host"].to_numpy(),
        hosts["row"].to_numpy("int64"),
    )
    yield from _apart(problem, at, names, host_names, rows)
    for group in problem.laws.together:
        members = group[at[group] >= 0]
        for w in members[at[members] != at[members[:1]].sum()] if len(members) else ():
            message = (
                f"workload {names[w]!r} is on {host_names[at[w]]!r}, {names[members[0]]!r} that it is to be kept "
                f"together with on {host_names[at[members[0]]]!r}"
            )
            yield Violation(kind="kept together", message=message, host=host_names[at[w]], workload=names[w])
    for law in problem.laws.rivals:
        mine, others = (side[at[side] >= 0] for side in law.sides)
        for h in np.intersect1d(at[mine], at[others]):
            v, w = mine[at[mine] == h][0], others[at[others] == h][0]
            message = (
                f"workloads {names[v]!r} and {names[w]!r} share host {host_names[h]!r}, by {law.source} they never do"
            )
            yield Violation(kind="kept apart", message=message, host=host_names[h], workload=names[w])
    for law in problem.laws.allowed:
        members = law.members[at[law.members] >= 0]
        # A host that nobody knows is a violation of its own.
        known = members[rows[at[members]] >= 0]
        for w in known[~law.rows[rows[at[known]]]]:
            shown = ", ".join(problem.hosts["name"][law.rows].head(5)) or "no host"
            message = f"workload {names[w]!r} is on {host_names[at[w]]!r}, by {law.source} it may run on {shown}"
            yield Violation(kind=law.kind, message=message, host=host_names[at[w]], workload=names[w])
    for law in problem.laws.limited:
        used = np.unique(at[law.members][at[law.members] >= 0])
        if len(used) > law.most_hosts:
            message = (
                f"{len(law.members)} workloads run on {len(used)} hosts ({', '.join(host_names[used[:5]])}), by "
                f"{law.source} on {law.most_hosts} at most"
            )
            found, limit = float(len(used)), float(law.most_hosts)
            yield Violation(kind="on too many hosts", message=message, found=found, limit=limit)


def _apart(
    problem: Problem, at: np.ndarray, names: np.ndarray, host_names: np.ndarray, rows: np.ndarray
) -> Iterator[Violation]:
    for law in problem.laws.apart:
        members = law.members[at[law.members] >= 0]
        where = at[members]
        if law.domain is not None:
            members = members[rows[where] >= 0]
            where = law.domain[rows[at[members]]]
        domains, count = np.unique(where, return_counts=True)
        for d, number in zip(domains[count > law.at_most], count[count > law.at_most], strict=True):
            crowd = members[where == d]
            host = host_names[at[crowd[-1]]]
            place = f"host {host!r}"
            if law.domain is not None:
                place = f"{law.within} {problem.hosts[law.within].iloc[rows[at[crowd[-1]]]]!r}"
            if number == 2 and law.at_most == 1:
                message = f"workloads {names[crowd[0]]!r} and {names[crowd[1]]!r} share {place}"
            else:
                shown = ", ".join(map(repr, names[crowd[:5]]))
                message = f"{number} workloads ({shown}) share {place}, by {law.source} {law.at_most} at most may"
            yield Violation(
                kind="kept apart",
                message=message,
                host=host,
                workload=names[crowd[-1]],
                found=float(number),
                limit=float(law.at_most),
            )
