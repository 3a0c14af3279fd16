"""verify(): true bounds are proved again, false ones never; brute force over all plans that the checker accepts."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import planner
from planner import Bound, Failover, KeepApart, Pin, Policy, Prices, Problem
from planner.economics.ledger import ledger
from planner.verifier import verify
from tests.conftest import drawn_problem, estate, examples, machines, problem_of, solved


def weighting(weight, worth, pool: str = "", placing: int = 0) -> dict:
    figures = {"weight": np.array(weight, dtype="int64"), "worth": np.array(worth, dtype="int64")}
    return {"method": "by hand", "pool": pool, "placing": placing, **figures}


def group(value, *weightings, pools=("",), search: bool = False) -> dict:
    return {"pools": pools, "method": "by hand", "value": value, "weightings": weightings, "search": search}


def bound(*groups: dict) -> Bound:
    return Bound(value=sum(given["value"] for given in groups), method="by hand", evidence=groups)


def proves(problem: Problem, value: float, *weightings: dict, **options) -> bool:
    """Whether a value is proved and one more is not."""
    accepted = verify(problem, bound(group(value, *weightings, **options)))
    one_more = value + 1 / ledger(problem).scale
    assert not verify(problem, bound(group(one_more, *weightings, **options)))
    return accepted


def items(*sizes: float) -> pd.DataFrame:
    return estate(*((f"w{i}", 1, size) for i, size in enumerate(sizes)))


SEVEN = (items(4, 4, 4, 4, 4, 4, 3), None, machines(("r", 64, 10)))
"""Seven items on hosts of 10 that hold two each, so 4; volume alone says 3."""


def test_volume_needs_no_weights():
    assert proves(problem_of(*SEVEN), 3)


def test_volume_holds_for_figures_that_do_not_come_out_even():
    assert proves(problem_of(items(*[1 / 3] * 10), models=machines(("r", 64, 1))), 4)
    assert proves(problem_of(items(*[0.1] * 30), models=machines(("r", 64, 0.3))), 10)


def test_the_tolerance_of_the_checker_is_granted():
    problem = problem_of(items(5, 5 + 4e-9), models=machines(("r", 64, 10)))
    one = pd.DataFrame({"workload": ["w0", "w1"], "host": "r-1", "model": "r"})
    assert planner.check(problem, planner.Plan.from_frames(one)) == []
    assert not verify(problem, bound(group(2)))
    assert not verify(problem, bound(group(2, weighting([1, 1], [1]))))
    assert not verify(problem, bound(group(2, search=True)))


def test_counting_big_items_proves_what_volume_misses():
    assert proves(problem_of(*SEVEN), 4, weighting([1] * 7, [2]))


def test_weights_of_gilmore_and_gomory_are_proved_by_an_exact_knapsack():
    # Sizes 6, 5, 4, 3 on 10: sets (6 4) (5 5) (4 3 3) (3 3 3); the last two leave room, which volume does not see.
    problem = problem_of(items(6, 6, 6, 5, 5, 5, 5, 4, 3, 3), models=machines(("r", 64, 10)))
    weights = [4, 4, 4, 3, 3, 3, 3, 2, 2, 2]
    assert proves(problem, 5, weighting(weights, [6]))
    assert not verify(problem, bound(group(5, weighting(weights, [5]))))


def test_mixed_hosts_with_prices():
    models = machines(("big", 64, 20), ("small", 64, 10)).assign(price=[500, 300])
    problem = problem_of(items(6, 6, 6, 6, 5), models=models, prices=Prices.none(), objective="cost")
    assert proves(problem, 1000, weighting([1] * 5, [3, 1]))
    assert proves(problem, 800)
    assert proves(problem, 1000, search=True)


def test_pools_are_proved_side_by_side_or_in_one_group():
    workloads = items(*[4] * 6).assign(pool=["north"] * 3 + ["south"] * 3)
    hosts = machines(("n1", 64, 10), ("n2", 64, 10), ("s1", 64, 10), ("s2", 64, 10)).assign(
        pool=["north"] * 2 + ["south"] * 2
    )
    problem = problem_of(workloads, hosts)
    north = weighting([1] * 3, [2, 2, 0, 0], "north")
    south = weighting([1] * 3, [0, 0, 2, 2], "south")
    apart = [group(2, north, pools=("north",)), group(2, south, pools=("south",))]
    assert verify(problem, bound(*apart))
    assert proves(problem, 4, north, south, pools=("north", "south"))
    assert not verify(problem, Bound(value=5, method="", evidence=tuple(apart)))
    for evidence in (apart[:1], [*apart, apart[0]], [apart[0], group(2, pools=("elsewhere",))]):
        assert not verify(problem, Bound(value=2, method="", evidence=tuple(evidence)))


def test_pools_that_share_limited_hosts_need_them_together():
    workloads = items(6, 6, 6).assign(pool=["a", "b", "c"])
    models = machines(("dear", 64, 10), ("cheap", 64, 10)).assign(price=[900, 100], count=[None, 1])
    problem = problem_of(workloads, models=models, prices=Prices.none(), objective="cost")
    assert proves(problem, 1900, pools=("a", "b", "c"))
    assert verify(problem, bound(*(group(100, pools=(pool,)) for pool in "abc")))
    assert not verify(problem, bound(*(group(900, pools=(pool,)) for pool in "abc")))


def test_pins_keep_items_off_the_host_whose_worth_is_proved():
    hosts = machines(("h0", 64, 8), ("h1", 64, 8), ("h2", 64, 8))
    free = problem_of(items(4, 4, 4), hosts)
    pinned = problem_of(
        items(4, 4, 4), hosts, rules=[Pin("w0", hosts="h0"), Pin("w1", hosts="h1"), Pin("w2", hosts="h2")]
    )
    assert proves(pinned, 3, weighting([1, 1, 1], [1, 1, 1]))
    assert not verify(free, bound(group(3, weighting([1, 1, 1], [1, 1, 1]))))
    assert proves(pinned, 3, search=True)


def test_kept_apart_and_kept_together():
    apart = problem_of(items(1, 1, 1), models=machines(("r", 64, 10)), rules=[KeepApart("w*")])
    assert proves(apart, 3, weighting([1, 1, 1], [1]))
    pairs = items(3, 3, 3, 3, 3, 3).assign(keep_together=["a", "a", "b", "b", "c", "c"])
    together = problem_of(pairs, models=machines(("r", 64, 10)))
    assert proves(together, 3, weighting([1, 0, 1, 0, 0, 1], [1]))
    assert not verify(
        problem_of(items(*[3] * 6), models=machines(("r", 64, 10))), bound(group(3, weighting([1] * 6, [2])))
    )


@pytest.mark.parametrize(("mode", "value"), [("share", 3), ("spare", 3)])
def test_the_failover_reserve_is_counted(mode, value):
    problem = problem_of(
        items(*[8] * 8), models=machines(("r", 64, 32)), policy=Policy(failover=Failover(hosts=1, mode=mode))
    )
    assert proves(problem, value)
    assert proves(problem, value, search=True)


def test_share_counts_fractions_that_no_packing_uses():
    # Every host offers 10.5 and packs 10; three of which two may be counted carry 21.
    policy = Policy(failover=Failover(hosts=1))
    problem = problem_of(items(*[7] * 3), models=machines(("r", 64, 10.5)), policy=policy)
    assert proves(problem, 3)
    assert proves(problem, 3, search=True)


def test_a_spare_must_take_over_the_largest_load():
    hosts = machines(("h0", 9, 16), ("h1", 9, 8), ("h2", 9, 8))
    problem = problem_of(items(7, 8), hosts, policy=Policy(failover=Failover(hosts=1, mode="spare")))
    assert proves(problem, 3, search=True)


def test_energy_with_the_cost_of_placing():
    models = machines(("hot", 8, 16), ("cool", 8, 8)).assign(idle_w=[200, 150], peak_w=[400, 700])
    problem = problem_of(estate(*((f"w{i}", 2, 4) for i in range(4))), models=models, objective="energy")
    best = brute_force(problem) / 1000
    assert proves(problem, best, search=True)
    book = ledger(problem)
    # With placing 1 a host's worth is what its load may cost at most less what placing it costs.
    weight = np.full(4, int(book.opening[0]) // 4 + int(book.placing(0, 0)) + 1)
    worth = [int(max(n * (weight[0] - book.placing(0, h)) for n in range(most + 1))) for h, most in ((0, 4), (1, 2))]
    claim = weighting(weight, worth, placing=1)
    low, high = 0, round(best * 1000) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if verify(problem, bound(group(middle / 1000, claim))) else (low, middle)
    value = low
    assert int(book.opening[0]) < value <= best * 1000
    assert not verify(problem, bound(group(value / 1000, weighting(weight, [worth[0] - 1, worth[1]], placing=1))))


def test_weights_that_were_tampered_with_are_refused():
    problem, weights = problem_of(*SEVEN), [1] * 7
    assert verify(problem, bound(group(4, weighting(weights, [2]))))
    for weight, worth in (([1] * 6 + [2], [2]), (weights, [1]), (weights, [-1]), ([1] * 6 + [-1], [2]), ([1] * 6, [2])):
        assert not verify(problem, bound(group(4, weighting(weight, worth))))
    good = group(4, weighting(weights, [2]))
    for broken in (
        {name: good[name] for name in good if name != "search"},
        good | {"value": float("nan")},
        good | {"value": "4"},
        good | {"pools": ""},
        good | {"weightings": ({"pool": ""},)},
        good | {"weightings": ({**good["weightings"][0], "weight": [1] * 7},)},
        good | {"weightings": ({**good["weightings"][0], "weight": np.ones(7)},)},
        good | {"weightings": ({**good["weightings"][0], "placing": -1},)},
        "evidence",
    ):
        assert not verify(problem, Bound(value=4, method="", evidence=(broken,)))


def test_what_needs_no_proof_and_what_has_no_plan():
    problem = problem_of(*SEVEN)
    assert verify(problem, Bound(value=0, method=""))
    assert verify(problem, Bound(value=float("-inf"), method=""))
    assert not verify(problem, Bound(value=1, method=""))
    assert not verify(problem, bound(group(float("inf"))))
    for nowhere in (
        problem_of(items(40), models=machines(("r", 64, 10))),
        problem_of(items(6, 6), machines(("h", 64, 10))),
    ):
        assert verify(nowhere, bound(group(10**6)))
        assert verify(nowhere, bound(group(float("inf"), search=True)))
    homeless = problem_of(items(1).assign(pool="a"), machines(("h", 64, 10)).assign(pool="b"))
    assert verify(homeless, bound(group(7, pools=("a",))))


def test_no_time_proves_nothing():
    assert not verify(problem_of(*SEVEN), bound(group(4, weighting([1] * 7, [2]))), time_limit=0)


@pytest.mark.slow
def test_a_hundred_thousand_distinct_workloads():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1000, 60_000, 100_000) / 1000
    models = machines(("big", 4096, 512), ("small", 4096, 256)).assign(price=[9000, 5000])
    problem = problem_of(items(*sizes), models=models, prices=Prices.none(), objective="cost")
    weight = np.rint(sizes * 1000).astype("int64")
    value = np.ceil(weight.sum() / 512_000) * 9000 - 9000
    assert verify(problem, bound(group(float(value), weighting(weight, [512_000, 256_000]))), time_limit=30)


# ---- brute force: the least objective over all plans that the checker accepts


def brute_force(problem: Problem) -> int | None:
    """Least objective in small units over all placements and all hosts that stand by, judged by the checker alone."""
    book, pools = ledger(problem), problem.workloads["pool"].tolist()
    reserve = problem.policy.failover.hosts
    seats = [
        (host.name if host.owned else f"{host.name}-{number}", "" if host.owned else host.name, row)
        for row, host in enumerate(problem.hosts.itertuples())
        for number in range(int(min(host.available, len(pools) + (reserve > 0))))
    ]
    found = []
    twins = {at: at - 1 for at in range(1, len(seats)) if seats[at][2] == seats[at - 1][2]}
    for choice in itertools.product(range(len(seats)), repeat=len(pools)):
        # Of equal hosts the first comes first.
        if any(at in twins and twins[at] not in choice[: choice.index(at)] for at in choice):
            continue
        if any(overfull(problem, [w for w, one in enumerate(choice) if one == at], seats[at][2]) for at in set(choice)):
            continue
        placing = sum(int(book.placing(w, seats[at][2])) for w, at in enumerate(choice))
        rest = [at for at in range(len(seats)) if at not in choice]
        for number in range(len(rest) + 1 if reserve else 1):
            for idle in itertools.combinations(rest, number):
                on = {*choice, *idle}
                if not any(at in twins and twins[at] not in on for at in on):
                    value = placing + sum(int(book.opening[seats[at][2]]) for at in on)
                    found += [
                        (value, choice, tuple(zip(idle, stands, strict=True)))
                        for stands in itertools.product(problem.pools, repeat=number)
                    ]
    for value, choice, idle in sorted(found, key=lambda one: one[0]):
        placed = pd.DataFrame([seats[at][:2] for at in choice], columns=["host", "model"])
        spares = pd.DataFrame([(*seats[at][:2], pool) for at, pool in idle], columns=["host", "model", "pool"])
        plan = planner.Plan.from_frames(placed.assign(workload=problem.workloads["name"]), spares)
        if not planner.check(problem, plan):
            return value
    return None


def overfull(problem: Problem, members: list[int] | np.ndarray, row: int) -> bool:
    """Whether workloads are so far above a host's capacity that the checker need not be asked."""
    return bool((problem.demand[members].sum(axis=0)[:, 0] > problem.capacity[row] + 1e-6).any())


@st.composite
def problems(draw) -> Problem:
    """Tiny random problems: pools, rules, limits, reserves, every kind of objective."""
    count = draw(st.integers(1, 3))
    reserve = draw(st.sampled_from([0, 0, 1])) if count < 3 else 0
    size = st.sampled_from([1, 2, 3, 4, 5, 1.5, 0.1, 1 / 3])
    frame = estate(*((f"w{i}", draw(size), draw(size)) for i in range(count)))
    frame["keep_apart"] = [draw(st.sampled_from(["", "", "x"])) for _ in range(count)]
    pools = draw(st.sampled_from([[""], [""], ["p", "q"]]))
    frame["pool"] = [draw(st.sampled_from(pools)) for _ in range(count)]
    if draw(st.booleans()) and count > 1 and len(pools) == 1 and not (frame["keep_apart"][:2] == "x").all():
        frame["keep_together"] = ["t", "t", ""][:count]
    room = st.sampled_from([3, 4, 5, 6, 8, 5.5])
    owned = machines(*((f"h{i}", draw(room), draw(room)) for i in range(draw(st.integers(0, 2)))))
    models = machines(("r", draw(room), draw(room))).assign(
        price=draw(st.integers(1, 9)), count=draw(st.sampled_from([None, 1, 2]))
    )
    watts = {"idle_w": draw(st.integers(50, 100)), "peak_w": draw(st.integers(100, 300))}
    owned, models = owned.assign(**watts), models.assign(**watts | {"idle_w": 70})
    rules = [Pin("w0", hosts=draw(st.sampled_from(["h0", "r"])))] if len(owned) and draw(st.booleans()) else []
    policy = Policy(failover=Failover(hosts=reserve, mode=draw(st.sampled_from(["share", "spare"]))))
    objective = draw(st.sampled_from(["hosts", "cost", "energy"]))
    return drawn_problem(
        frame, owned, models, policy=policy, rules=rules, objective=objective, prices=Prices(energy_per_kwh=None)
    )


def drawn_weighting(draw, problem: Problem, pool: str) -> dict:
    """Random weights; worths that are right for one host without its rules, or up to one unit below."""
    mine = np.flatnonzero(problem.workloads["pool"] == pool)
    book = ledger(problem)
    unit = int(book.opening.max()) // 2 + 1 if draw(st.booleans()) else 1
    weight = np.array(draw(st.lists(st.integers(0, 4), min_size=len(mine), max_size=len(mine)))) * unit
    placing = draw(st.sampled_from([0, 0, 1]))
    worth = []
    for row in range(len(problem.hosts)):
        sets = (
            list(chosen)
            for number in range(len(mine) + 1)
            for chosen in itertools.combinations(range(len(mine)), number)
            if not overfull(problem, mine[list(chosen)], row)
        )
        net = weight - placing * book.placing(mine, row)
        worth.append(max(int(net[chosen].sum()) for chosen in sets) - draw(st.sampled_from([0, 0, 0, 1, unit])))
    return weighting(weight, worth, pool, placing=placing)


@examples(20)
@given(st.data())
def test_law_no_bound_above_the_optimum_is_ever_proved(data):
    problem = data.draw(problems())
    best = brute_force(problem)
    assume(best is not None)
    scale = ledger(problem).scale
    claims = [
        drawn_weighting(data.draw, problem, pool) for pool in problem.pools for _ in range(data.draw(st.integers(0, 2)))
    ]
    for above in (1e-3, 1, max(best // 10, 2)):
        assert not verify(problem, bound(group((best + above) / scale, *claims, pools=problem.pools)))
    assert not verify(problem, bound(group((best + 1) / scale, pools=problem.pools, search=True)))


@examples(20)
@given(problems())
def test_law_a_search_proves_the_optimum(problem):
    best = brute_force(problem)
    value = 10**6 if best is None else best / ledger(problem).scale
    assert verify(problem, bound(group(value, pools=problem.pools, search=True)))


def test_what_a_search_proves_over_many_hosts_carries_weights_all_the_same():
    random = np.random.default_rng(2)
    rows = [(f"w{i}", int(random.integers(1, 1000)), int(random.integers(1, 1000))) for i in range(25)]
    problem = problem_of(estate(*rows), models=machines(("h", 1000, 1000)))
    result = solved(problem)
    assert result.status == "optimal"
    assert result.hosts_used > 9
    assert not any(group["search"] for group in result.bound.evidence)
