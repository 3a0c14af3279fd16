"""Savings: today's estate against a plan in money, energy and carbon, item by item, and the plan host by host."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner import baseline as estates
from planner.baseline import Baseline
from planner.economics.changeover import DISPOSAL, MIGRATION, RESALE, Changeover
from planner.economics.costs import ENERGY, HARDWARE, MAINTENANCE, OPTIONAL, Costs, costs
from planner.economics.energy import busy, cpu_of, mean_w, watts
from planner.economics.licences import Licences, by_itself, everywhere, licence_costs, needs_of
from planner.economics.valuation import plan_licences
from planner.licences import Licence
from planner.plan import Plan
from planner.prices import Prices, of_the_catalogue
from planner.problem import Problem
from planner.units import counted

GIVE = {
    HARDWARE: "their price",
    ENERGY: "idle_w and peak_w, or prices.host_idle_w and prices.host_peak_w for all that have none",
    "rack space": "their rack_units",
}
"""What is to be given of hosts whose figures an item lacks."""

FIGURES = (
    "today_per_year",
    "plan_per_year",
    "saving_per_year",
    "today_horizon",
    "plan_horizon",
    "saving_horizon",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Money:
    """What today's estate and a plan cost.

    Parameters
    ----------
    before, after : Costs
        Of the hosts of the baseline; of the hosts of the plan, and then of those that it gives up.
    licences : Licences or None
        Of the plan's hosts.
    hosts : DataFrame
        The plan's hosts: host, model, pool, row (of problem.hosts), watts (their mean power).
    given_up : array of int
        Rows of problem.hosts of the owned hosts that the plan does not use.
    moves : int
        Workloads that are on another host than today, or whose host today is not known.
    """

    before: Costs
    after: Costs
    licences: Licences | None
    hosts: pd.DataFrame
    given_up: np.ndarray
    moves: int


def money_of(problem: Problem, plan: Plan, baseline: Baseline, hosts: pd.DataFrame) -> Money:
    """What today's estate and a plan cost; `hosts` as `Money` has it."""
    rows = problem.hosts.iloc[hosts["row"]].reset_index(drop=True)
    licences = plan_licences(problem, plan)
    cpu = np.maximum(cpu_of(problem, baseline.hosts), 1e-9)
    loads = estates.loads(problem, baseline, busy(problem)[0], cpu)
    before = costs(
        baseline.hosts,
        mean_w(watts(baseline.hosts, problem.prices), loads / cpu[:, None]),
        np.full(len(baseline.hosts), baseline.bought),
        problem.prices,
        _licences_today(problem, baseline),
    )
    bought = ~rows["owned"].to_numpy(dtype=bool)
    after = costs(rows, hosts["watts"].to_numpy(), bought, problem.prices, licences)
    change = Changeover.of(problem)
    given_up = change.given_up(hosts["host"], problem.hosts["name"])
    moved = change.moved(problem, plan)
    after = after.with_items(_changing(plan.placement[moved], hosts, change, given_up))
    before = before.with_items(pd.DataFrame(0.0, index=range(len(baseline.hosts)), columns=list(change.items)))
    return Money(before=before, after=after, licences=licences, hosts=hosts, given_up=given_up, moves=int(moved.sum()))


def _changing(moved: pd.DataFrame, hosts: pd.DataFrame, change: Changeover, given_up: np.ndarray) -> pd.DataFrame:
    """What changing over costs: moves told with the host that a workload comes to, the rest with hosts given up."""
    running, gone = np.zeros(len(hosts)), np.zeros(len(given_up))
    moves = hosts["host"].map(moved["host"].value_counts()).fillna(0).to_numpy(dtype=float) * change.per_move
    once = {
        MIGRATION: np.concatenate([moves, gone]),
        DISPOSAL: np.concatenate([running, change.disposal[given_up]]),
        RESALE: np.concatenate([running, -change.resale[given_up]]),
    }
    return pd.DataFrame({item: once[item] for item in change.items}, index=range(len(hosts) + len(given_up)))


def _licences_today(problem: Problem, baseline: Baseline) -> Licences | None:
    """What the licences of today's hosts cost; what workloads without a known host need is missing.

    Where every workload has a physical server of its own there is no hypervisor to be licensed.
    """
    prices = problem.prices
    if not prices.licences:
        return None
    placed, names = baseline.plan.placement, baseline.hosts["name"]
    h = pd.Index(names).get_indexer(placed["host"])
    w = pd.Index(problem.workloads["name"]).get_indexer(placed["workload"])
    h, w = h[(h >= 0) & (w >= 0)], w[(h >= 0) & (w >= 0)]
    needs, size = needs_of(problem), len(baseline.hosts)
    shared = (not baseline.bought) | names.isin(problem.workloads["host"]).to_numpy()
    row = pd.Index(problem.hosts["name"]).get_indexer(names)
    owned = (row >= 0) & problem.hosts["owned"].to_numpy(dtype=bool)[row]
    counts = {one.product: shared.astype("int64") for one in prices.licences if not one.workloads}
    for product, who in needs.items():
        reached = owned & everywhere(problem, product)[row]
        counts[product] = np.maximum(np.bincount(h, weights=who[w], minlength=size).astype("int64"), reached)
    units = {}
    for edition, asked in ((key, asked) for own in by_itself(problem).values() for key, asked in own.units.items()):
        units[edition] = np.zeros((size, 2))
        np.add.at(units[edition], h, asked[w])
    found = licence_costs(prices, baseline.hosts, counts, units)
    unplaced = np.setdiff1d(np.arange(len(problem.workloads)), w)
    for product in (name for name, who in needs.items() if who[unplaced].any()):
        found.once[product] = found.yearly[product] = np.nan
    return found


def savings_table(problem: Problem, baseline: Baseline, money: Money) -> pd.DataFrame:
    """What every item costs today and in the plan, per year and over the horizon, and the sum of what is known."""
    prices = problem.prices
    why = _assumptions(problem, baseline, money)
    rows = []
    for item in money.after.once.columns:
        figures = []
        for total in (lambda costs: costs.per_year(prices), lambda costs: costs.horizon(prices)):
            today, plan = (float(total(costs)[item].sum(skipna=False)) for costs in (money.before, money.after))
            figures += [today, plan, today - plan]
        rows.append((item, prices.currency, *figures, why[item]))
    frame = pd.DataFrame(rows, columns=["item", "unit", *FIGURES, "assumption"])
    complete = frame[list(FIGURES)].notna().all(axis=1)
    missing = frame.loc[~complete, "item"].tolist()
    told = f"Sum of {', '.join(frame.loc[complete, 'item'])}" if complete.any() else "Not known"
    told += f"; without {', '.join(missing)}, for which figures are missing." if missing else "."
    alone = frame.loc[frame["plan_horizon"].notna() & frame["today_horizon"].isna(), "item"].tolist()
    told += f" {', '.join(alone)}: missing today alone, so the costs by host count it." if alone else ""
    unpriced = [item for item, field in OPTIONAL.items() if getattr(prices, field) is None]
    told += f" No price is given for {' and '.join(unpriced)}: left out." if unpriced else ""
    told += _over_the_years(prices, bool((money.before.once.any() | money.after.once.any()).any()))
    total = frame.loc[complete, list(FIGURES)].sum(min_count=1).to_dict()
    last = pd.DataFrame([{"item": "total", "unit": prices.currency, **total, "assumption": told}])
    return pd.concat([frame, last], ignore_index=True)


def _over_the_years(prices: Prices, once: bool) -> str:
    """How figures per year and over the horizon come from each other, where that is no plain product."""
    told = f" Per year, what is paid once is spread over {prices.years:g} years." if once else ""
    if prices.discount_rate > 0:
        told += (
            f" Over the horizon, later years count less by {100 * prices.discount_rate:g} % a year: {prices.years:g} "
            f"count as {prices.years_discounted:.3g}."
        )
    return told


def _assumptions(problem: Problem, baseline: Baseline, money: Money) -> dict[str, str]:
    """What the figures of each item rest on, in a sentence."""
    prices = problem.prices
    rest = "" if prices.residual_share is None else f"{prices.residual_share:.0%} of their price"
    left = f", less what they are still worth then, {rest}{', discounted' * (prices.discount_rate > 0)}" if rest else ""
    before, after = len(baseline.hosts), len(money.hosts)
    each = f"{prices.currency} per running host and year: {counted(before, 'host')} today, {after:,} in the plan."
    found = {
        HARDWARE: f"Hosts that are bought, once, over {prices.years:g} years{left}; owned hosts are paid for already."
        f"{_of_the_catalogue(problem, baseline, money)}",
        ENERGY: f"{_curves(problem, baseline, money)}; {prices.vcpu_activity:.0%} of each vCPU busy, PUE "
        f"{prices.pue:g}, {_money(prices.energy_per_kwh)} {prices.currency}/kWh. {baseline.assumption}",
        MAINTENANCE: f"{_money(prices.maintenance_per_host_year)} {each}",
        "administration": f"{_money(prices.administration_per_host_year)} {each}",
        "rack space": f"{_money(prices.rack_unit_year)} {prices.currency} per rack unit and year.",
    }
    gone = counted(len(money.given_up), "owned host")
    worth = problem.hosts["resale"].iloc[money.given_up]
    unknown = f" Of {worth.isna().sum():,} of them it is not known and not counted." if worth.isna().any() else ""
    found |= {
        MIGRATION: f"{_money(prices.migration_per_workload)} {prices.currency} for every workload that is "
        f"on another host than today, or whose host today is not known: {counted(money.moves, 'workload')}.",
        DISPOSAL: f"{_money(prices.disposal_per_host)} {prices.currency} per host that is given up: {gone}.",
        RESALE: f"What hosts that are given up bring in: {gone}.{unknown}",
    }
    for product in dict.fromkeys(licence.product for licence in prices.licences):
        found[product] = _of_licences(problem, product, money.licences, money.hosts["row"].to_numpy())
        if unknown := _licensed_nowhere(problem, baseline, product):
            found[product] += (
                f" Today's are missing: today's host of {counted(unknown, 'workload')} in need of it is not known."
            )
    lacking = _lacking(baseline, money)
    return {item: f"{text} {lacking[item]}" if item in lacking else text for item, text in found.items()}


def _licensed_nowhere(problem: Problem, baseline: Baseline, product: str) -> int:
    """How many workloads that need a product have no host today that is known."""
    needs = needs_of(problem).get(product)
    placed = problem.workloads["name"].isin(baseline.plan.placement["workload"]).to_numpy()
    return 0 if needs is None else int((needs & ~placed).sum())


def _lacking(baseline: Baseline, money: Money) -> dict[str, str]:
    """For each item that lacks figures of hosts whose these are, and what to give."""
    names, found = pd.concat([baseline.hosts["name"], money.hosts["host"]]).to_numpy(), {}
    for item, what in GIVE.items():
        if item not in money.after.once:
            continue
        known = [
            costs.energy_kwh if item == ENERGY else (costs.once[item] + costs.yearly[item]).to_numpy()
            for costs in (money.before, money.after)
        ]
        unknown = np.isnan(np.concatenate([known[0], known[1][: len(money.hosts)]]))
        hosts = list(dict.fromkeys(names[unknown]))
        more = f" and {counted(len(hosts) - 1, 'more host')}" if len(hosts) > 1 else ""
        found |= {item: f"Not known of {hosts[0]}{more}: give {what}."} if hosts else {}
    return found


def _of_the_catalogue(problem: Problem, baseline: Baseline, money: Money) -> str:
    """Which bought hosts have the catalogue's price, where that is in another currency than all prices."""
    currency = problem.prices.currency
    if currency == Prices.currency:
        return ""
    usual = problem.host_models["name"][of_the_catalogue(problem.host_models)]
    bought = problem.hosts["name"].iloc[money.hosts["row"]]
    today = baseline.hosts["model"].tolist() if baseline.bought else []
    names = list(dict.fromkeys([*today, *bought[bought.isin(usual)]]))
    if not names:
        return ""
    told = f" Prices of {', '.join(names)} are the catalogue's, in {Prices.currency}"
    if Prices.currency not in problem.prices.exchange:
        return f"{told}: give yours, or prices.exchange with what 1 {Prices.currency} is worth."
    return f"{told}: 1 {Prices.currency} counts as {problem.prices.worth_of(Prices.currency):g} {currency}."


def _curves(problem: Problem, baseline: Baseline, money: Money) -> str:
    """How many hosts, today's and the plan's, have a load curve of their own."""
    own = [baseline.hosts["power_curve"] != "", problem.hosts["power_curve"].iloc[money.hosts["row"]] != ""]
    curved = [int(one.sum()) for one in own]
    line = "straight line from idle to peak watts"
    if not any(curved):
        return line.capitalize()
    return (
        f"Load curve of eleven points for {curved[0]:,} of {counted(len(own[0]), 'host')} today and {curved[1]:,} of "
        f"{len(own[1]):,} in the plan, {line} for the rest"
    )


def _of_licences(problem: Problem, product: str, licences: Licences, rows: np.ndarray) -> str:
    editions = [licence for licence in problem.prices.licences if licence.product == product]
    bought = licences.bought[licences.bought["product"] == product].groupby("edition", sort=False)["position"].size()
    chosen = "; ".join(f"{edition} on {counted(hosts, 'host')}" for edition, hosts in bought.items()) or "on no host"
    asked = ", ".join(_rule(problem, licence) for licence in editions)
    unknown = int(problem.hosts["sockets"].isna().to_numpy()[rows].sum())
    sockets = f" Sockets of {counted(unknown, 'host')} are not known and count as one." if unknown else ""
    once = any(not licence.yearly and licence.price is not None for licence in editions)
    paid = "What is paid once counts as bought at the start, today too. Give what you own already a price of 0."
    return (
        f"Licences of the plan: {chosen}. {asked}. {paid if once else 'Those that you own already cost less.'}{sockets}"
    )


def _rule(problem: Problem, licence: Licence) -> str:
    currency = licence.currency or problem.prices.currency
    if licence.price is None:
        return f"{licence.edition}: no price given"
    units = f"{licence.units:g} {licence.per}s" if licence.units != 1 else licence.per
    every = " and year" if licence.yearly else ""
    estimate = ", an estimate" if licence.estimate else ""
    return f"{licence.edition}: {licence.price:,g} {currency} per {units}{every} ({licence.source}{estimate})"


def _money(price: float | None) -> str:
    return "no price given in" if price is None else f"{price:,g}"


def costs_table(problem: Problem, money: Money) -> pd.DataFrame:
    """What each host of the plan costs over the horizon, item by item, and in all; the sum of each column is its item.

    Owned hosts that the plan gives up stand at the end. A total lacks what is missing.
    """
    frame = money.after.horizon(problem.prices)
    known = frame.columns[frame.notna().all()]
    owned = problem.hosts["owned"].iloc[money.hosts["row"]].to_numpy(dtype=bool)
    running = money.hosts[["host", "model", "pool"]].assign(decision=np.where(owned, "keep", "buy"))
    gone = problem.hosts.iloc[money.given_up][["name", "model", "pool"]].rename(columns={"name": "host"})
    told = pd.concat([running, gone.assign(decision="give up")], ignore_index=True)
    return told.join(frame).assign(total=frame[known].sum(axis=1, min_count=1))


def licences_table(problem: Problem, money: Money) -> pd.DataFrame:
    """Which edition of each product every host of the plan is licensed with, and for how many workloads.

    The workloads are NaN where every host in use needs the product, whatever it carries.
    """
    columns = ["host", "model", "product", "edition", "workloads", "licences"]
    if money.licences is None:
        return pd.DataFrame(columns=columns)
    bought = money.licences.bought
    told = money.hosts[["host", "model"]].iloc[bought["position"]].reset_index(drop=True)
    frame = told.join(bought.drop(columns="position").reset_index(drop=True))[columns]
    of_hosts = {licence.product for licence in problem.prices.licences if not licence.workloads}
    return frame.assign(workloads=frame["workloads"].astype(float).mask(frame["product"].isin(of_hosts)))
