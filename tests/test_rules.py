"""Placement rules: each kind in the checker, in every method, and against trying all placements."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

import planner
from planner import (
    AvoidTag,
    Cap,
    Forbid,
    KeepApart,
    KeepTogether,
    Limit,
    Maintenance,
    Pin,
    Prices,
    RequireTag,
    Reserve,
    Status,
)
from planner.economics.ledger import ledger
from planner.solvers import bounds, cpsat, greedy
from planner.solvers.anchoring import anchor
from planner.solvers.assembly import assembled
from planner.solvers.colgen import Generation
from planner.solvers.diving import Dive
from planner.solvers.incumbent import Clock, Incumbent
from planner.solvers.instance import build, components
from planner.solvers.packing import OpenHost, Packing
from planner.solvers.search import Search
from tests.conftest import drawn_problem, estate, examples, machines, plan_of, problem_of, solved

HOSTS = machines(
    ("h1", 8, 8),
    ("h2", 8, 8),
    ("h3", 8, 8),
    rack=["R1", "R1", "R2"],
    tags=["linux, gold", "linux", "windows"],
    storage_gib=[100, 100, 100],
)
TRIO = estate(("a", 1, 1.0), ("b", 2, 2.0), ("c", 3, 3.0), tags=["dmz", "", "lan"], storage_gib=[10, 10, 10])

CASES = {
    # rule: rules, a placement of a, b, c that keeps them, one that breaks them, the violation's kind
    "keep apart": ([KeepApart("*")], "h1 h2 h3", "h1 h1 h3", "kept apart"),
    "keep apart, two a host": ([KeepApart("*", at_most=2)], "h1 h1 h3", "h1 h1 h1", "kept apart"),
    "keep apart by racks": ([KeepApart(["a", "b"], within="rack")], "h1 h3 h1", "h1 h2 h3", "kept apart"),
    "sides apart": ([KeepApart("tag:dmz", others="tag:lan")], "h1 h1 h2", "h1 h2 h1", "kept apart"),
    "keep together": ([KeepTogether(["a", "c"])], "h2 h1 h2", "h2 h1 h1", "kept together"),
    "pin": ([Pin("a", hosts="h[23]")], "h2 h1 h1", "h1 h1 h1", "pinned"),
    "forbid": ([Forbid("*", hosts="rack:R1")], "h3 h3 h3", "h3 h3 h1", "forbidden"),
    "require a tag": ([RequireTag(["a", "b"], "linux")], "h1 h2 h3", "h1 h3 h3", "tag required"),
    "avoid a tag": ([AvoidTag("c", "gold")], "h1 h1 h2", "h1 h1 h1", "tag avoided"),
    "limit": ([Limit("*", most_hosts=2)], "h1 h3 h3", "h1 h2 h3", "on too many hosts"),
    "reserve": ([Reserve("h1", cores=4, memory_gib=4)], "h1 h1 h2", "h1 h1 h1", "over capacity"),
    "maintenance": ([Maintenance("h1")], "h2 h2 h2", "h1 h2 h2", "too many hosts"),
    "cap": ([Cap("h1", most_workloads=2)], "h1 h1 h2", "h1 h1 h1", "over capacity"),
}


def placed(text: str) -> planner.Plan:
    return plan_of(*zip("abc", text.split(), strict=True))


def incumbent_of(instance) -> Incumbent:
    """What every method begins with: first bounds, and the coupled items placed."""
    incumbent = Incumbent(instance=instance, announce=lambda method: None)
    incumbent.prove(bounds.resources(instance))
    incumbent.prove(bounds.counting(instance))
    if not incumbent.infeasible:
        anchor(incumbent, Clock(limit=20.0))
    return incumbent


def by_greedy(incumbent: Incumbent) -> None:
    mix = incumbent.cover.mix if incumbent.cover else None
    for method, packing in greedy.packings(incumbent.instance, mix, lambda: False, incumbent.anchors):
        incumbent.offer(packing, method)


def by_cpsat(incumbent: Incumbent) -> None:
    cpsat.improve(incumbent, Clock(limit=20.0), 20.0, seed=0, workers=1)


def by_columns(incumbent: Incumbent) -> None:
    generation = Generation(incumbent, Clock(limit=20.0), 0)
    loose = greedy.filled(incumbent.instance, 1.0, lambda: False, anchors=incumbent.anchors)
    if loose is not None:
        generation.seed_patterns(loose)
    generation.run(10.0)
    packing = None
    if not incumbent.infeasible:
        packing = Dive(generation, np.random.default_rng(0), 0.0, lambda: False).run(10**12)
    if packing is not None:
        incumbent.offer(packing, "diving")


def by_repacking(incumbent: Incumbent) -> None:
    search = Search(incumbent, Clock(limit=20.0), 20.0, 0, 1)
    search._place_all()
    if incumbent.packing is not None:
        search._shrink(20)


METHODS = {"greedy": by_greedy, "CP-SAT": by_cpsat, "column generation": by_columns, "repacking": by_repacking}


def plan_by(method: str, problem: planner.Problem) -> planner.Plan | None:
    """The plan that one method finds alone; None where it finds none."""
    found = []
    for pools in components(problem):
        instance = build(problem, ledger(problem), pools)
        if not instance.fits.any(axis=1).all():
            return None
        incumbent = incumbent_of(instance)
        if not incumbent.infeasible and (incumbent.anchors or not instance.coupled.any() or method == "CP-SAT"):
            METHODS[method](incumbent)
        if incumbent.packing is None:
            return None
        found.append((instance, incumbent.packing))
    return assembled(problem, found, [None] * len(found), None)


@pytest.mark.parametrize("case", CASES)
def test_the_checker_tells_a_placement_that_keeps_a_rule_from_one_that_breaks_it(case):
    rules, keeps, breaks, kind = CASES[case]
    problem = problem_of(TRIO, HOSTS, rules=rules)
    assert planner.check(problem, placed(keeps)) == []
    found = planner.check(problem, placed(breaks))
    assert {violation.kind for violation in found} == {kind}
    assert planner.check(problem_of(TRIO, HOSTS), placed(breaks)) == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES)
def test_every_method_keeps_every_rule(case, method):
    rules, keeps, breaks, _ = CASES[case]
    free = problem_of(TRIO, HOSTS, rules=rules)
    plan = plan_by(method, free)
    assert plan is not None and planner.check(free, plan) == []
    # Held to the placement that keeps the rule, a method finds it; held to the one that breaks it, it finds none.
    held = problem_of(TRIO, HOSTS, rules=[*rules, *held_to(keeps)])
    assert planner.check(held, plan_by(method, held)) == []
    try:
        broken = problem_of(TRIO, HOSTS, rules=[*rules, *held_to(breaks)])
    except planner.InputError:
        return
    assert plan_by(method, broken) is None
    assert planner.solve(broken, time_limit=5).status == Status.INFEASIBLE


def held_to(placement: str) -> list[Pin]:
    return [Pin(name, hosts=host) for name, host in zip("abc", placement.split(), strict=True)]


@pytest.mark.parametrize("case", CASES)
def test_solve_needs_no_more_hosts_without_a_rule(case):
    rules = CASES[case][0]
    ruled, free = solved(problem_of(TRIO, HOSTS, rules=rules)), solved(problem_of(TRIO, HOSTS))
    assert ruled.status == Status.OPTIMAL
    assert free.hosts_used <= ruled.hosts_used


@pytest.mark.parametrize("mode", ["share", "spare"])
def test_a_host_where_rules_let_nothing_run_is_no_reserve(mode):
    policy = planner.Policy(failover=planner.Failover(hosts=1, mode=mode))
    problem = problem_of(TRIO.head(1), HOSTS, rules=[Forbid("*", hosts="h3")], policy=policy)
    kept = plan_of(("a", "h1"))
    reserve = {name: planner.Plan(placement=kept.placement, spares=spare_of(name)) for name in ("h2", "h3")}
    assert planner.check(problem, reserve["h2"]) == []
    assert {found.kind for found in planner.check(problem, reserve["h3"])} == {"failover"}
    assert solved(problem).plan.spares["host"].tolist() != ["h3"]


def spare_of(name: str) -> pd.DataFrame:
    return pd.DataFrame({"host": [name], "model": [""], "pool": [""]})


@st.composite
def ruled_problems(draw, most: int = 4):
    """Small random problems with up to three random rules, hosts in racks and with tags."""
    count = draw(st.integers(2, most))
    size = st.integers(1, 5)
    frame = estate(*((f"w{i}", draw(size), draw(size)) for i in range(count)))
    frame["tags"] = [draw(st.sampled_from(["", "gold", "dmz"])) for _ in range(count)]
    frame["pool"] = [draw(st.sampled_from(["p", "q"])) if draw(st.booleans()) else "p" for _ in range(count)]
    number = draw(st.integers(2, 3))
    hosts = machines(*((f"h{i}", draw(st.integers(3, 9)), draw(st.integers(3, 9))) for i in range(number)))
    hosts["rack"] = [draw(st.sampled_from(["R1", "R2", ""])) for _ in range(number)]
    hosts["tags"] = [draw(st.sampled_from(["linux", "windows", "linux,fast"])) for _ in range(number)]
    models = machines(("r", draw(st.integers(4, 9)), draw(st.integers(4, 9))), price=draw(st.integers(1, 9)))
    rules = [draw(random_rule(count, number)) for _ in range(draw(st.integers(1, 3)))]
    objective = draw(st.sampled_from(["hosts", "cost"]))
    return drawn_problem(
        frame, hosts, models if draw(st.booleans()) else None, rules=rules, objective=objective, prices=Prices.none()
    )


@st.composite
def random_rule(draw, workloads: int, hosts: int):
    some = draw(st.lists(st.sampled_from([f"w{i}" for i in range(workloads)]), min_size=1, max_size=4, unique=True))
    where = draw(st.lists(st.sampled_from([f"h{i}" for i in range(hosts)]), min_size=1, max_size=2, unique=True))
    tag = draw(st.sampled_from(["linux", "windows", "fast"]))
    return draw(
        st.sampled_from(
            [
                KeepApart(some),
                KeepApart(some, at_most=2),
                KeepApart(some, within="rack"),
                KeepApart(some, within="rack", at_most=2),
                KeepApart("tag:gold", others="tag:dmz"),
                KeepApart(some[:1], others=some[1:] or "tag:dmz"),
                KeepTogether(some),
                Pin(some[:2], where),
                Forbid(some, where),
                RequireTag(some[:2], tag),
                AvoidTag(some, tag),
                Limit(some, most_hosts=1),
                Limit("*", most_hosts=2),
                Reserve(where, cores=1, memory_gib=2),
                Maintenance(where[:1]),
                Cap("h*", most_workloads=2),
            ]
        )
    )


def seats_of(problem) -> list[tuple[str, str]]:
    owned = problem.hosts.loc[problem.hosts["owned"], "name"].tolist()
    bought = len(problem.workloads) if not problem.hosts["owned"].all() else 0
    return [(name, "") for name in owned] + [(f"r-{i}", "r") for i in range(bought)]


def best_by_trying_all(problem) -> float | None:
    """Least objective over all maps from workloads to hosts, judged by the checker alone."""
    names, seats = problem.workloads["name"].tolist(), seats_of(problem)
    price = dict(zip(problem.hosts["name"], problem.hosts["price"], strict=True))
    row = [problem.hosts.index[problem.hosts["name"] == (model or name)][0] for name, model in seats]
    owned, best = int(problem.hosts["owned"].sum()), None
    for choice in itertools.product(range(len(seats)), repeat=len(names)):
        used = {seats[at] for at in choice}
        value = len(used) if problem.objective == "hosts" else sum(price[model] for _, model in used if model)
        bought = list(dict.fromkeys(at for at in choice if at >= owned))
        # Hosts that are bought are alike, so only the first ones are tried; what is far too much needs no judge.
        if (best is not None and value >= best) or bought != list(range(owned, owned + len(bought))):
            continue
        load = np.zeros((len(seats), problem.demand.shape[1]))
        np.add.at(load, list(choice), problem.demand[:, :, 0])
        if (load > problem.capacity[row] + 1e-6).any():
            continue
        if not planner.check(problem, plan_of(*((name, *seats[at]) for name, at in zip(names, choice, strict=True)))):
            best = value
    return best


@examples(40)
@given(ruled_problems())
def test_law_trying_all_placements_agrees(problem):
    result, best = solved(problem), best_by_trying_all(problem)
    assert result.status == (Status.INFEASIBLE if best is None else Status.OPTIMAL)
    assert best is None or result.objective_value == pytest.approx(best)


@examples(40)
@given(ruled_problems(most=6), st.sampled_from(sorted(METHODS)))
def test_law_what_any_method_finds_the_checker_accepts(problem, method):
    plan = plan_by(method, problem)
    if plan is not None:
        assert planner.check(problem, plan) == []


@examples(100)
@given(ruled_problems(), st.randoms(use_true_random=False))
def test_law_the_model_with_variables_fixed_agrees_with_the_checker(problem, random):
    """On owned hosts: CP-SAT's model and the packing of a placement are feasible just where the checker accepts it."""
    if not problem.hosts["owned"].all():
        try:
            problem = problem.replace(host_models=problem.host_models.head(0))
        except planner.InputError:  # Only a host that is bought would do.
            reject()
    instance = build(problem, ledger(problem), problem.pools)
    owned = problem.hosts["name"].tolist()
    choice = [random.randrange(len(owned)) for _ in problem.workloads.index]
    kind_of = {int(row): c for c, rows in enumerate(instance.rows) for row in rows}
    accepted = not planner.check(
        problem, plan_of(*((name, owned[h]) for name, h in zip(problem.workloads["name"], choice, strict=True)))
    )
    hosts = packed(instance, choice, kind_of)
    if hosts is None:  # Kept together on two hosts, two pools on one, or a host in maintenance: no packing says so.
        assert not accepted
        return
    fits = all(instance.fits[s, host.kind] for host in hosts for s in host.items)
    assert (fits and Packing(hosts=tuple(hosts)).fits(instance)) == accepted
    if fits:
        model = cpsat.Model(instance, [cpsat.Slot(kind=h.kind, pool=h.pool) for h in hosts], ordered=False)
        for (s, i), variable in model.number.items():
            model.model.add(variable == hosts[i].items.get(s, 0))
        status = cpsat.cp_model.CpSolver().solve(model.model)
        assert (status == cpsat.cp_model.OPTIMAL) == accepted


def packed(instance, choice, kind_of) -> list[OpenHost] | None:
    """A placement as hosts of the instance, None where no packing stands for it."""
    hosts: dict[int, OpenHost] = {}
    for s in range(len(instance.count)):
        for item in instance.members.items(s).tolist():
            at = {choice[w] for w in instance.members.item(item)}
            row = min(at)
            if len(at) > 1 or row not in kind_of:
                return None
            host = hosts.setdefault(row, OpenHost(kind=kind_of[row], pool=int(instance.pool[s])))
            if host.pool != instance.pool[s]:
                return None
            host.items[s] = host.items.get(s, 0) + 1
    return list(hosts.values())


@examples(20)
@given(ruled_problems(), st.data())
def test_law_dropping_a_rule_never_costs_more(problem, data):
    dropped = data.draw(st.integers(0, len(problem.rules) - 1))
    rules = [rule for number, rule in enumerate(problem.rules) if number != dropped]
    ruled, free = solved(problem), solved(problem.replace(rules=rules))
    if ruled.plan is not None:
        assert free.objective_value <= ruled.objective_value + 1e-9
