"""Storage that hosts bring together: laws, and brute force over all sets of hosts and all placements on them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import planner
from planner import Failover, Forbid, Policy, Prices, Status, Storage
from tests.conftest import drawn_problem, estate, examples, machines, problem_of, solved


@st.composite
def problems(draw) -> planner.Problem:
    """Tiny random vSANs: owned hosts and a model with disks of several sizes, a reserve, a rule, hosts or cost."""
    count = draw(st.integers(1, 3))
    size = st.integers(1, 4)
    frame = estate(*((f"w{i}", draw(size), draw(size)) for i in range(count)))
    frame["storage_gib"] = [draw(st.sampled_from([0, 5, 15, 30.5])) for _ in range(count)]
    room, raw = st.integers(2, 6), st.sampled_from([0, 40, 80, 100.1, 160])
    owned = machines(*((f"h{i}", draw(room), draw(room)) for i in range(draw(st.integers(0, 2)))))
    owned["storage_gib"] = [draw(raw) for _ in range(len(owned))]
    models = machines(("r", draw(st.integers(4, 6)), draw(st.integers(4, 6))), price=draw(st.integers(1, 9)))
    models = models.assign(storage_gib=draw(raw), count=draw(st.sampled_from([2, 3, 4])))
    policy = Policy(
        storage=Storage(mode="vsan", slack=draw(st.sampled_from([0.0, 0.25])), rebuild=draw(st.booleans())),
        failover=Failover(hosts=draw(st.sampled_from([0, 0, 1])), mode=draw(st.sampled_from(["share", "spare"]))),
    )
    bare = len(owned) and not policy.failover.hosts
    rules = [Forbid("w*", hosts="h0")] if bare and draw(st.booleans()) else []
    objective = draw(st.sampled_from(["hosts", "cost"]))
    return drawn_problem(frame, owned, models, policy=policy, rules=rules, objective=objective, prices=Prices.none())


def brute_force(problem: planner.Problem) -> float | None:
    """The least objective over all sets of hosts and all placements on them, judged by the checker."""
    policy, rows = problem.policy, problem.hosts
    needed = problem.workloads["storage_gib"].sum()
    lost = policy.failover.hosts if policy.storage.rebuild else 0
    mixes = []
    for mix in itertools.product(*(range(int(n) + 1) for n in rows["available"])):
        offers = sorted(rows["storage_gib"].repeat(mix) * (1 - policy.storage.slack) / 2)
        if len(offers) >= 3 and sum(offers[: len(offers) - lost]) >= needed - 1e-9:
            price = rows["price"].where(~rows["owned"], 0.0)
            mixes.append((len(offers) if problem.objective == "hosts" else float(price @ np.array(mix)), mix))
    for value, mix in sorted(mixes):
        if any(planner.check(problem, plan) == [] for plan in placements(problem, mix)):
            return value
    return None


def placements(problem: planner.Problem, mix: tuple[int, ...]):
    """Every placement on a mix of hosts that no host is too small for; of equal hosts the first comes first."""
    seats = [
        (row.name, "", at) if row.owned else (f"{row.name}-{number}", row.name, at)
        for at, row in enumerate(problem.hosts.itertuples(index=False))
        for number in range(mix[at])
    ]
    for choice in itertools.product(range(len(seats)), repeat=len(problem.workloads)):
        loads = {
            at: problem.demand[[w for w, one in enumerate(choice) if one == at], :, 0].sum(axis=0) for at in choice
        }
        if all((load <= problem.capacity[seats[at][2]] + 1e-9).all() for at, load in loads.items()):
            placed = pd.DataFrame([seats[at][:2] for at in choice], columns=["host", "model"])
            idle = [seat[:2] for at, seat in enumerate(seats) if at not in choice]
            spares = pd.DataFrame(idle, columns=["host", "model"])
            yield planner.Plan.from_frames(placed.assign(workload=problem.workloads["name"]), spares)


@examples(80)
@given(problems())
def test_law_brute_force_agrees(problem):
    result = solved(problem)
    best = brute_force(problem)
    if best is None:
        assert result.status == Status.INFEASIBLE
        assert result.reason
    else:
        assert result.status == Status.OPTIMAL
        assert result.objective_value == pytest.approx(best)
        assert not planner.verify(problem, replace(result.bound, value=best + 1))


@examples(40)
@given(problems(), st.integers(0, 7), st.integers(1, 4))
def test_law_pools_that_share_hosts_pass_the_checker_and_their_bounds_are_proven_again(problem, belongs, more):
    inventory = problem.inventory
    frame = inventory.workloads.assign(pool=["pq"[belongs >> i & 1] for i in range(len(inventory.workloads))])
    hosts = pd.concat([inventory.hosts, machines(*((f"m{i}", 5, 5) for i in range(more)), storage_gib=60.0)])
    result = solved(
        problem_of(
            frame, hosts, problem.host_models, policy=problem.policy, objective=problem.objective, prices=Prices.none()
        )
    )
    assert result.reason if result.plan is None else result.bound.value <= result.objective_value + 1e-9


@examples(30)
@given(problems(), st.sampled_from(["raid-1", "raid-5", "raid-6"]))
def test_law_more_snapshots_or_hosts_to_lose_never_take_fewer(problem, raid):
    policy = replace(problem.policy, storage=replace(problem.policy.storage, raid=raid, failures_to_tolerate=None))
    before = solved(problem.replace(policy=policy))
    after = solved(problem.replace(policy=replace(policy, storage=replace(policy.storage, snapshots=0.5))))
    assert after.status == Status.INFEASIBLE or after.objective_value >= before.objective_value
