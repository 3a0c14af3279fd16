"""Old iron: what keeping each owned host costs, against a share of the cheapest new one that could carry the same.

A new host is larger than an old one as a rule, so what stands against an old host is a share of a new one: the largest
share of any resource that the load takes there, at a new host filled up with more load of the same kind. This judges
hosts one by one; which to keep, to give up and to buy together is what `planner.solve` with objective cost decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planner.baseline import Baseline
from planner.economics.appraisal import payback
from planner.economics.changeover import DISPOSAL, MIGRATION, RESALE, Changeover
from planner.economics.costs import ENERGY, Costs, costs
from planner.economics.energy import busy, cpu_of, mean_w, watts
from planner.economics.licences import Licences, by_itself, everywhere, licence_costs, needs_of
from planner.plan import Plan
from planner.prices import LIMITS
from planner.problem import Problem
from planner.savings import Money
from planner.units import energy_kwh_per_year

COLUMNS = (
    *("host", "model", "decision", "workloads", "busy_cores", "unit", "keeping_horizon", "keeping_per_busy_core"),
    *("new_model", "new_share", "replacing_horizon", "replacing_per_busy_core", "cheaper"),
    *("electricity_break_even", "replacing_pays", "pays_after_years", "note"),
)
KEEP, REPLACE = "keep", "replace"
EMPTY = "carries nothing"
FULL = 1 + 1e-9
"""Share of a new host that a load may take at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """What keeping, or replacing, each of the old hosts costs; NaN where a figure is missing.

    Parameters
    ----------
    once, yearly : array of float, shape [O]
        Money, paid at the start less what is left at the end, and every year.
    left : array of float, shape [O]
        What is left at the end, taken off `once` already.
    kwh : array of float, shape [O]
        Per year.
    """

    once: np.ndarray
    yearly: np.ndarray
    left: np.ndarray
    kwh: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class _Loads:
    """What the old hosts carry: kept ones what the plan gives them, those given up what they carry today.

    Parameters
    ----------
    rows : array of int, shape [O]
        Rows of problem.hosts.
    w, h : array of int, shape [M]
        Each workload on an old host, and the position of that in `rows`.
    moved : array of int, shape [O]
        Workloads that replacing the host would move.
    """

    rows: np.ndarray
    w: np.ndarray
    h: np.ndarray
    moved: np.ndarray

    def sums(self, figures: np.ndarray) -> np.ndarray:
        """Figures of workloads [W, ...] summed up by old host [O, ...]."""
        total = np.zeros((len(self.rows), *figures.shape[1:]), dtype=float)
        np.add.at(total, self.h, figures[self.w])
        return total


def iron_table(problem: Problem, plan: Plan, baseline: Baseline, money: Money) -> pd.DataFrame:
    """Keeping old hosts against buying new ones, host by host.

    ``keeping = energy, maintenance, administration, rack space and licences over the horizon + resale forgone``

    ``replacing = new_share * (what a new host costs over the horizon) + moves + disposal``

    Returns
    -------
    DataFrame
        A row for each owned host that a plan may use, where any host may be bought:

        - host, model, decision (keep or give up), unit (the currency);
        - workloads and busy_cores (mean), in the plan where the host is kept, else today;
        - keeping_horizon, replacing_horizon: money over the horizon, and each per busy core;
        - new_model: the cheapest of which one host could carry the same, and new_share: the share of it;
        - cheaper: keep or replace;
        - electricity_break_even: money per kWh at which both cost the same with all else as it is; replacing_pays:
          above or below that;
        - pays_after_years: discounted; NaN where never, or where nothing is paid and more is spent every year;
        - note: what is missing. Figures are NaN unless both sides are known.
    """
    change = Changeover.of(problem)
    models = np.flatnonzero(~problem.hosts["owned"].to_numpy(dtype=bool) & (problem.hosts["available"] > 0).to_numpy())
    if not (change.is_open.any() and len(models)):
        return pd.DataFrame(columns=list(COLUMNS))
    loads = _loads(problem, plan, change)
    keeping, lacking = _keeping(problem, baseline, money, loads)
    replacing, model, share, note = _replacing(_as_ordered(problem, money), loads, models)
    keeping = _plus(keeping, change.resale[loads.rows])
    replacing = _plus(replacing, loads.moved * change.per_move + change.disposal[loads.rows])
    work = loads.sums(busy(problem)[0]).mean(axis=1) / np.maximum(cpu_of(problem, problem.hosts)[loads.rows], 1e-9)
    hosts, given_up = problem.hosts.iloc[loads.rows], np.isin(loads.rows, money.given_up)
    frame = pd.DataFrame(
        {
            "host": hosts["name"].to_numpy(),
            "model": hosts["model"].to_numpy(),
            "decision": np.where(given_up, "give up", "keep"),
            "workloads": np.bincount(loads.h, minlength=len(loads.rows)),
            "busy_cores": work * hosts["cores"].to_numpy(dtype=float),
            "unit": problem.prices.currency,
            "new_model": model,
            "new_share": share,
            "note": [f"not known: {lack}" if lack else told for lack, told in zip(lacking, note, strict=True)],
        }
    )
    return _compared(problem, frame, keeping, replacing).reindex(columns=list(COLUMNS))


def _plus(side: _Side, once: np.ndarray) -> _Side:
    return _Side(once=side.once + once, yearly=side.yearly, left=side.left, kwh=side.kwh)


def _loads(problem: Problem, plan: Plan, change: Changeover) -> _Loads:
    """What each old host carries, in the plan or, where that gives it up, today."""
    names, rows = problem.hosts["name"], np.flatnonzero(change.is_open)
    given_up = change.given_up(plan.hosts["host"], names)
    planned = np.full(len(problem.workloads), -1)
    w = pd.Index(problem.workloads["name"]).get_indexer(plan.placement["workload"])
    planned[w[w >= 0]] = pd.Index(names).get_indexer(plan.placement["host"])[w >= 0]
    kept = np.flatnonzero(np.isin(planned, np.setdiff1d(rows, given_up)))
    gone = np.flatnonzero(np.isin(change.at, given_up))
    w, row = np.concatenate([kept, gone]), np.concatenate([planned[kept], change.at[gone]])
    h = np.searchsorted(rows, row)
    return _Loads(rows=rows, w=w, h=h, moved=np.bincount(h[change.at[w] == row], minlength=len(rows)))


def _keeping(problem: Problem, baseline: Baseline, money: Money, loads: _Loads) -> tuple[_Side, list[str]]:
    """What running each old host costs with what it carries, and which items of it are missing."""
    names = problem.hosts["name"].to_numpy()[loads.rows]
    planned = pd.Index(money.hosts["host"]).get_indexer(names)
    today = pd.Index(baseline.hosts["name"]).get_indexer(names)
    at = np.where(planned >= 0, planned, np.where(today >= 0, today + len(money.after.once), -1))
    items = [item for item in money.after.once if item not in (MIGRATION, DISPOSAL, RESALE)]
    unknown = np.full((1, len(items)), np.nan)
    once, yearly = (
        np.concatenate([*(getattr(one, kind)[items].to_numpy() for one in (money.after, money.before)), unknown])[at]
        for kind in ("once", "yearly")
    )
    curves, offered = watts(problem.hosts, problem.prices)[loads.rows], cpu_of(problem, problem.hosts)[loads.rows]
    used = loads.sums(busy(problem)[0]) / np.maximum(offered, 1e-9)[:, None]
    kwh = energy_kwh_per_year(mean_w(curves, used), problem.prices.pue)
    price = problem.prices.energy_per_kwh
    yearly[:, items.index(ENERGY)] = kwh * (np.nan if price is None else price)
    missing = [", ".join(np.array(items)[lacks]) for lacks in np.isnan(once + yearly)]
    return _Side(once=once.sum(axis=1), yearly=yearly.sum(axis=1), left=np.zeros(len(kwh)), kwh=kwh), missing


def _as_ordered(problem: Problem, money: Money) -> Problem:
    """The problem with each licence at what a unit costs in the plan, its share of the least order included."""
    if money.licences is None:
        return problem
    units = money.licences.bought.groupby("product")["licences"].sum()
    licences = tuple(
        one
        if one.price is None or not one.least_per_order
        else replace(
            one, price=one.price * max(one.least_per_order / units.get(one.product, np.inf), 1.0), least_per_order=0
        )
        for one in problem.prices.licences
    )
    return replace(problem, prices=replace(problem.prices, licences=licences))


def _replacing(problem: Problem, loads: _Loads, models: np.ndarray) -> tuple[_Side, np.ndarray, np.ndarray, list[str]]:
    """What a share of the cheapest new host costs that could carry each load; its model and share, and a note."""
    taken, able = _shares(problem, loads, models)
    size, names = len(loads.rows), problem.hosts["name"].to_numpy(dtype=object)
    best, share = np.full(size, np.inf), np.full(size, np.nan)
    model, lost = (np.full(size, "", dtype=object) for _ in range(2))
    kept = {kind: np.full(size, np.nan) for kind in ("once", "yearly", "left", "kwh")}
    work, demands = loads.sums(busy(problem)[0]), _demands(problem, loads)
    for number, row in enumerate(models.tolist()):
        own = np.flatnonzero(able[:, number])
        part = taken[own, number]
        asked = {key: (counts[own].T / part).T for key, counts in demands.items()}
        found = _filled(problem, row, work[own] / part[:, None], asked)
        total = found.horizon(problem.prices).sum(axis=1, skipna=False).to_numpy() * part
        lost[own[np.isnan(total)]] = names[row]
        better = total < best[own]
        best[own[better]], model[own[better]], share[own[better]] = total[better], names[row], part[better]
        for kind, figures in _figures(found).items():
            kept[kind][own[better]] = (figures * part)[better]
    empty = np.bincount(loads.h, minlength=size) == 0
    share[empty] = 0.0
    for figures in kept.values():
        figures[empty] = 0.0
    note = np.where(lost == "", "", "not known: price or figures of host model " + lost)
    note[~able.any(axis=1)] = "no host model can carry what it carries"
    note[empty] = EMPTY
    return _Side(**kept), model, share, note.tolist()


def _filled(problem: Problem, row: int, work: np.ndarray, asked: dict[tuple[str, str], np.ndarray]) -> Costs:
    """What new hosts of a row of problem.hosts cost, each filled up with a load: its busy CPU [N, P] and licences."""
    hosts = problem.hosts.iloc[np.full(len(work), row)].reset_index(drop=True)
    offered = np.maximum(cpu_of(problem, hosts), 1e-9)
    drawn = mean_w(watts(hosts, problem.prices), work / offered[:, None])
    bought = np.ones(len(hosts), dtype=bool)
    return costs(hosts, drawn, bought, problem.prices, _licences(problem, row, hosts, asked))


def _shares(problem: Problem, loads: _Loads, models: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The share of a host of each model that each load takes, and whether one host may carry it: [O, M] each."""
    needs, capacity = loads.sums(problem.demand).max(axis=2), problem.capacity[models]
    with np.errstate(divide="ignore", invalid="ignore"):
        taken = np.nan_to_num(needs[:, None, :] / capacity[None], nan=0.0, posinf=np.inf).max(axis=2)
    able = (taken > 0) & (taken <= FULL)
    number, permitted = problem.laws.permitted
    serves, pools = problem.hosts["pool"].to_numpy()[models], problem.workloads["pool"].to_numpy()
    allowed = permitted[number[loads.w]][:, models] & ((serves == "") | (pools[loads.w][:, None] == serves))
    np.logical_and.at(able, loads.h, allowed)
    return taken, able


def _demands(problem: Problem, loads: _Loads) -> dict[tuple[str, str], np.ndarray]:
    """What each load asks of licences: workloads by product, and units and workloads of editions for each of them."""
    found = {(product, ""): loads.sums(who.astype(float)) for product, who in needs_of(problem).items()}
    for product, own in by_itself(problem).items():
        found |= {(product, edition): loads.sums(asked) for edition, asked in own.units.items()}
    return found


def _licences(
    problem: Problem, row: int, hosts: pd.DataFrame, demands: dict[tuple[str, str], np.ndarray]
) -> Licences | None:
    """Licences of hosts of a row of problem.hosts that are filled up with a load each."""
    products = dict.fromkeys(one.product for one in problem.prices.licences)
    counts = {}
    for product in products:
        least = np.full(len(hosts), int(everywhere(problem, product)[row]))
        counts[product] = np.maximum(least, np.ceil(demands.get((product, ""), least) - 1e-9).astype("int64"))
    units = {edition: asked for (_, edition), asked in demands.items() if edition}
    return licence_costs(problem.prices, hosts, counts, units) if products else None


def _figures(found: Costs) -> dict[str, np.ndarray]:
    once, yearly = (getattr(found, kind).sum(axis=1, skipna=False).to_numpy() for kind in ("once", "yearly"))
    return {"once": once, "yearly": yearly, "left": found.left, "kwh": found.energy_kwh}


def _compared(problem: Problem, frame: pd.DataFrame, keeping: _Side, replacing: _Side) -> pd.DataFrame:
    """The table with what both sides cost, which is cheaper, and where that turns."""
    prices, years = problem.prices, problem.prices.years_discounted
    old, new = (side.once + side.yearly * years for side in (keeping, replacing))
    stands_by = ((frame["decision"] == "keep") & (frame["workloads"] == 0)).to_numpy()
    known = np.isfinite(old + new) & ~stands_by
    old, new = (np.where(known, figures, np.nan) for figures in (old, new))
    cores = frame["busy_cores"].where(frame["busy_cores"] > 0).to_numpy(dtype=float)
    less = (keeping.kwh - replacing.kwh) * years
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.nan if prices.energy_per_kwh is None else prices.energy_per_kwh + (new - old) / less
    turn = np.where((turn >= 0) & (turn <= LIMITS["energy_per_kwh"][1]), turn, np.nan)
    outlay, saved = replacing.once + replacing.left - keeping.once, keeping.yearly - replacing.yearly
    waits = [payback(*pair, prices.discount_rate) for pair in zip(outlay, saved, strict=True)]
    after = np.array([np.nan if isinstance(one, str) else one for one in waits])
    return frame.assign(
        keeping_horizon=old,
        keeping_per_busy_core=old / cores,
        replacing_horizon=new,
        replacing_per_busy_core=new / cores,
        cheaper=np.where(known, np.where(new < old, REPLACE, KEEP), ""),
        electricity_break_even=turn,
        replacing_pays=np.where(np.isnan(turn), "", np.where(less > 0, "above", "below")),
        pays_after_years=np.where(known, after, np.nan),
        note=np.where(stands_by, "stands by to take over: nothing of its own to weigh", frame["note"]),
    )
