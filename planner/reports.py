"""report(problem, plan): what a plan means, as a few named tables."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib import metadata

import numpy as np
import pandas as pd

from planner import baseline as estates
from planner import catalogue, licences, proposals, rules, settings
from planner.baseline import Baseline
from planner.checker import check
from planner.corners import ranges_table
from planner.economics.appraisal import MISSING, Appraisal
from planner.economics.energy import cpu_of, watts
from planner.economics.valuation import Load
from planner.failure_tables import failure_table
from planner.inventory import notes_frame
from planner.iron import iron_table
from planner.numa import numa_warnings
from planner.plan import Plan, Result
from planner.prices import LIMITS, Prices, unit_of
from planner.problem import Problem
from planner.savings import Money, costs_table, licences_table, money_of, savings_table
from planner.units import MONTHS_PER_YEAR

PAYBACK, DISCOUNTED = "payback against today", "discounted payback against today"
"""Items of the summary: years until what is bought has paid for itself, or a word in place of them."""

NPV = "net present value against today"
"""Item of the summary: what the plan is worth beyond today's estate; the total saving over the horizon."""

AT_ONCE = "0, at once"
"""How a payback of 0 years is shown in a table."""

APPRAISED = (PAYBACK, DISCOUNTED, NPV)
"""Items of the summary that appraise the plan as an investment."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """Tables of a plan; the writers and the app show them as they are.

    Parameters
    ----------
    totals : DataFrame
        metric, unit, today, plan, saving.
    savings : DataFrame
        item, unit, today_per_year, plan_per_year, saving_per_year, today_horizon, plan_horizon, saving_horizon,
        assumption.
    costs : DataFrame
        host, model, pool, decision (keep, buy or give up), a column for each item of the savings, total: each host of
        the plan over the horizon, and owned hosts that it gives up.
    licences : DataFrame
        host, model, product, edition, workloads (in need of it), licences (units of the edition).
    money : Money
        What today's hosts and the plan's cost, host by host: the tables above are its sums.
    summary : DataFrame
        item, value, unit.
    placement : DataFrame
        workload, host, model, pool and the workload's figures.
    hosts : DataFrame
        host, model, pool, workloads, owned, and by resource used, capacity, utilisation; watts. Where demand is
        planned by the hour, `used` is the hour that needs most, and `busiest_hour` says which that is of CPU.
    left_out, notes, assumptions, verdict : DataFrame
        Workloads not planned for; what reading did, and warnings; setting, value, unit, source; kind, message.
    proposals : DataFrame
        What the files show that the plan keeps, or does not: key, on, kind, what, workloads, rules, why_off, source.
    moves : DataFrame or None
    imports : dict of str to DataFrame
        The tables of the import report, see `planner.imports.import_report`.
    explanations : dict of str to DataFrame
        The tables of `planner.explain`, empty where it was not asked.
    failures : DataFrame or None
        Where the policy's failover is verified: case, workloads_lost, worst_resource, used_share, restart_on (how many
        hosts, or "spare hosts" that take over whole), verdict; the worst case first, the first 1,000 at most.
    ranges : DataFrame or None
        Where prices are given as ranges: item, unit, today, plan and saving over the horizon at low, likely and high,
        and the corner of the ranges at either end of the saving.
    iron : DataFrame
        Keeping each owned host against a share of a new one, see `planner.iron.iron_table`; empty where no host is
        owned or none may be bought.
    """

    problem: Problem
    plan: Plan
    result: Result | None
    baseline: Baseline
    totals: pd.DataFrame
    savings: pd.DataFrame
    costs: pd.DataFrame
    licences: pd.DataFrame
    money: Money
    summary: pd.DataFrame
    placement: pd.DataFrame
    hosts: pd.DataFrame
    left_out: pd.DataFrame
    notes: pd.DataFrame
    assumptions: pd.DataFrame
    verdict: pd.DataFrame
    proposals: pd.DataFrame
    moves: pd.DataFrame | None
    imports: dict[str, pd.DataFrame] = field(default_factory=dict)
    explanations: dict[str, pd.DataFrame] = field(default_factory=dict)
    failures: pd.DataFrame | None = None
    ranges: pd.DataFrame | None = None
    iron: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def years(self) -> float:
        """The horizon over which costs are added up."""
        return self.problem.prices.years

    @property
    def lacking(self) -> list[str]:
        """Items for which figures are missing, and which no total counts."""
        unknown = self.savings["saving_per_year"].isna() & (self.savings["item"] != "total")
        return self.savings.loc[unknown, "item"].tolist()

    @property
    def summary_told(self) -> pd.DataFrame:
        """The summary as people read it: a payback of 0 says what that means."""
        paid = self.summary["item"].isin([PAYBACK, DISCOUNTED]) & self.summary["value"].map(lambda value: value == 0)
        return self.summary.assign(value=self.summary["value"].mask(paid, AT_ONCE))

    def __repr__(self) -> str:
        return self.totals.to_string(index=False)


def report(
    problem: Problem,
    plan: Plan,
    baseline: Baseline | None = None,
    *,
    result: Result | None = None,
    explanations: dict[str, pd.DataFrame] | None = None,
) -> Report:
    """What a plan means in hosts, money and energy, beside today's estate.

    Parameters
    ----------
    problem : Problem
    plan : Plan
    baseline : Baseline, optional
        By default `planner.today(problem)`.
    result : Result, optional
        Where the plan came from: adds bound, gap and moves.
    explanations : dict, optional
        Tables of an `Explanation`, to be written with the rest.
    """
    baseline = estates.today(problem) if baseline is None else baseline
    hosts = _hosts(problem, plan)
    money = money_of(problem, plan, baseline, hosts)
    savings = savings_table(problem, baseline, money)
    violations = check(problem, plan)
    return Report(
        problem=problem,
        plan=plan,
        result=result,
        baseline=baseline,
        totals=_totals(problem, baseline, money, savings),
        savings=savings,
        costs=costs_table(problem, money),
        licences=licences_table(problem, money),
        money=money,
        summary=_summary(problem, plan, result, hosts, money, len(violations)),
        placement=_placement(problem, plan),
        hosts=hosts.drop(columns="row"),
        left_out=problem.inventory.left_out[["name", "reason", "vcpus", "memory_gib", "storage_gib", "pool", "host"]],
        notes=notes_frame([*problem.inventory.notes.to_dict("records"), *numa_warnings(problem)]),
        assumptions=_assumptions(problem, plan, baseline),
        verdict=_verdict(violations),
        proposals=proposals.to_frame(problem.inventory.proposals),
        moves=None if result is None else result.moves,
        imports=problem.inventory.import_report(),
        explanations=dict(explanations or {}),
        failures=failure_table(problem, plan, violations),
        ranges=ranges_table(problem, plan, baseline),
        iron=iron_table(problem, plan, baseline, money),
    )


def payback_told(value: float | str) -> str:
    """A payback of `Report.summary` in words.

    >>> payback_told(4.347), payback_told(0.0), payback_told("never")
    ('after 4.35 years', 'at once, as no more is paid at the start', 'never')
    """
    if isinstance(value, str):
        return value
    return f"after {value:,.3g} years" if value > 0 else "at once, as no more is paid at the start"


def _hosts(problem: Problem, plan: Plan) -> pd.DataFrame:
    """Hosts in use with what they carry, by resource; hosts that the problem does not know are left to the checker."""
    carried = Load.of(problem, plan)
    hosts, rows = carried.hosts.copy(), carried.row
    hosts["row"], hosts["owned"] = rows, problem.hosts["owned"].to_numpy()[rows]
    for r, resource in enumerate(problem.resources):
        load = carried.sums(problem.demand[:, r])
        used = load.max(axis=1)
        capacity = problem.capacity[rows, r]
        if resource == "cpu" and load.shape[1] > 1:
            hosts["busiest_hour"] = [problem.policy.time.label(period) for period in load.argmax(axis=1)]
        hosts[f"{resource}_used"] = used
        hosts[f"{resource}_capacity"] = np.where(np.isfinite(capacity), capacity, np.nan)
        hosts[f"{resource}_utilisation"] = np.where(
            np.isfinite(capacity) & (capacity > 0), used / np.maximum(capacity, 1e-12), np.nan
        )
    cpu = np.maximum(cpu_of(problem, problem.hosts)[rows], 1e-9)
    hosts["cpu_busy"] = carried.busy.mean(axis=1) / cpu
    hosts["watts"] = carried.power_w(watts(problem.hosts, problem.prices))
    return hosts


def _totals(problem: Problem, baseline: Baseline, money: Money, savings: pd.DataFrame) -> pd.DataFrame:
    currency, years = problem.prices.currency, problem.prices.years
    horizon, hosts = savings.set_index("item"), money.hosts
    kwh, carbon = (
        [_sum(getattr(costs, name)) for costs in (money.before, money.after)] for name in ("energy_kwh", "carbon_kg")
    )
    embodied = [_sum(costs.embodied_kg) for costs in (money.before, money.after)]
    rows = [
        ("hosts", "hosts", len(baseline.hosts), len(hosts)),
        ("cores", "cores", baseline.hosts["cores"].sum(), _sum_of(problem, hosts, "cores")),
        ("memory", "GiB", baseline.hosts["memory_gib"].sum(), _sum_of(problem, hosts, "memory_gib")),
        ("energy per year", "kWh", *kwh),
        ("carbon from use per year", "kg CO2e", *carbon),
        ("carbon embodied in what is bought", "kg CO2e", *embodied),
        (f"carbon over {years:g} years", "kg CO2e", *(c * years + e for c, e in zip(carbon, embodied, strict=True))),
    ]
    for item in savings["item"]:
        rows.append(
            (f"{item} per year", currency, horizon.loc[item, "today_per_year"], horizon.loc[item, "plan_per_year"])
        )
    for item in savings["item"]:
        name = f"{item} over {years:g} years"
        rows.append((name, currency, horizon.loc[item, "today_horizon"], horizon.loc[item, "plan_horizon"]))
    share = len(problem.workloads) * years * MONTHS_PER_YEAR
    each = [horizon.loc["total", name] / share for name in ("today_horizon", "plan_horizon")]
    rows.append(("total per workload and month", currency, *each))
    names = {
        "energy per year": "energy cost per year",
        f"energy over {years:g} years": f"energy cost over {years:g} years",
    }
    frame = pd.DataFrame(rows, columns=["metric", "unit", "today", "plan"])
    money = frame["unit"] == currency
    frame.loc[money, "metric"] = frame.loc[money, "metric"].replace(names)
    missing = savings.loc[savings["saving_per_year"].isna(), "item"].tolist()
    if missing:
        without = f"total without {', '.join(missing)}"
        frame["metric"] = frame["metric"].str.replace(r"^total", without, regex=True)
    return frame.astype({"today": float, "plan": float}).assign(saving=lambda f: f["today"] - f["plan"])


def _sum(figures: np.ndarray) -> float:
    return float(figures.sum())


def _sum_of(problem: Problem, hosts: pd.DataFrame, column: str) -> float:
    return float(problem.hosts[column].to_numpy()[hosts["row"]].sum())


def _summary(
    problem: Problem, plan: Plan, result: Result | None, hosts: pd.DataFrame, money: Money, violations: int
) -> pd.DataFrame:
    rows = [
        ("workloads placed", len(plan.placement), "workloads"),
        ("workloads left out", len(problem.inventory.left_out), "workloads"),
        ("hosts", plan.hosts_used, "hosts"),
        ("hosts that only stand by", len(plan.spares), "hosts"),
        *_survival(problem),
        *_appraised(money, problem.prices),
        ("policy", problem.policy.name, ""),
        ("objective", f"least {problem.objective}", ""),
    ]
    for storage in problem.shared_storage:
        inside = hosts["pool"].isin([storage.pool] if len(problem.pools) > 1 else ["", storage.pool])
        named = f" in pool {storage.pool!r}" if storage.pool else ""
        rows.append((f"storage needed{named}", storage.needed_gib, "GiB"))
        rows.append((f"storage usable{named}", storage.offered_gib(hosts.loc[inside, "row"].to_numpy()), "GiB"))
    if problem.timeline is not None:
        time, busiest = problem.policy.time, int(problem.demand[:, 0].sum(axis=0).argmax())
        rows.append(("busiest hour", f"{time.label(busiest)} ({time.by.replace('_', ' ')}, {time.time_zone})", ""))
    if result is not None:
        rows += [
            ("status", str(result.status), ""),
            ("why the search ended", str(result.stop), ""),
            ("objective value", result.objective_value, result.objective_unit),
            *([("left out of the objective", ", ".join(result.without), "")] if result.without else []),
            ("proven lower bound", None if result.bound is None else result.bound.value, result.objective_unit),
            ("bound proven by", "" if result.bound is None else result.bound.method, ""),
            ("gap", result.gap, "share"),
            ("seconds", round(result.seconds, 2), "s"),
            ("seed", result.seed, ""),
        ]
    rows.append(("checker's verdict", "accepted" if violations == 0 else f"{violations:,} violations", ""))
    return pd.DataFrame(rows, columns=["item", "value", "unit"], dtype=object)


def _appraised(money: Money, prices: Prices) -> list[tuple]:
    """The plan against today as an investment: when it has paid for itself, and what it is worth."""
    found = Appraisal.of(money.before, money.after, prices)
    years = {PAYBACK: found.payback, DISCOUNTED: found.discounted_payback}
    told = [(item, value, "" if isinstance(value, str) else "years") for item, value in years.items()]
    worth = found.net_present_value
    return [*told, (NPV, MISSING if np.isnan(worth) else worth, prices.currency)]


def _survival(problem: Problem) -> list[tuple]:
    """What the plan was made to survive."""
    failover = problem.policy.failover
    if not failover.is_verified:
        return []
    what = "hosts of a pool" if failover.within == "host" else f"domains of {failover.within}"
    return [("lost at once, every case verified", failover.hosts, what)]


def _placement(problem: Problem, plan: Plan) -> pd.DataFrame:
    columns = ["name", "vcpus", "memory_gib", "storage_gib", "network_gbps", "os", "application", "host"]
    figures = problem.workloads[columns].rename(columns={"name": "workload", "host": "host_today"})
    return plan.placement.merge(figures, on="workload", how="left")


def _assumptions(problem: Problem, plan: Plan, baseline: Baseline) -> pd.DataFrame:
    """Every setting with its unit and source: what a written plan is read back with."""
    presets, priced = catalogue.table("presets"), catalogue.table("prices")
    preset = presets[presets["preset"] == problem.policy.name].set_index("field")
    defaults = priced.set_index("field")
    usual = Prices(currency=problem.prices.currency, exchange=problem.prices.exchange)
    rows = []
    for key, value in _flat(settings.to_dict(problem.policy), "policy"):
        source = preset["source"].get(key.removeprefix("policy."), "")
        same = (
            source and str(preset["value"].get(key.removeprefix("policy."))) == f"{value:g}"
            if _number(value)
            else False
        )
        rows.append((key, value, preset["unit"].get(key.removeprefix("policy."), ""), source if same else "given"))
    told = {key: value for key, value in settings.with_none(problem.prices).items() if key != "licences"}
    for key, value in _flat(told, "prices"):
        name = key.removeprefix("prices.")
        same = name in defaults.index and _number(value) and getattr(usual, name) == value
        unit = unit_of(problem.prices, name) if name in LIMITS else ""
        rows.append((key, value, unit, defaults["source"][name] if same else "given"))
    models = {**estimates_of(baseline.hosts), **estimates_of(problem.host_models, plan)}
    rows += [(f"host_models.{name}", figures, "", "estimate") for name, figures in models.items()]
    rows += [
        ("prices.licences", licences.to_toml(problem.prices.licences), "TOML", "given"),
        ("objective", problem.objective, "", "given"),
        ("merge_pools", "yes" if problem.merge_pools else "no", "", "given"),
        ("resources", ",".join(problem.extra_resources), "", "given"),
        ("rules", rules.to_toml(problem.given_rules) if problem.given_rules else "", "TOML", "given"),
        ("today", baseline.assumption, "", "derived"),
        ("left out", "Storage of workloads that are left out is not counted anywhere.", "", "derived"),
        ("planner", version(), "", "derived"),
        ("python", platform.python_version(), "", "derived"),
    ]
    return pd.DataFrame(rows, columns=["setting", "value", "unit", "source"], dtype=object)


def estimates_of(table: pd.DataFrame, plan: Plan | None = None) -> dict[str, str]:
    """Which figures of host models are estimates, by name of the model, as the column `estimate` says.

    Parameters
    ----------
    table : DataFrame
        Host models, or hosts with a column `model`.
    plan : Plan, optional
        Only the models that it has hosts of.
    """
    if "estimate" not in table:
        return {}
    names = table["model" if "model" in table else "name"]
    used = names.notna() if plan is None else names.isin(plan.hosts["model"])
    told = table["estimate"].fillna("").astype(str).str.strip()
    return {
        str(name): ", ".join(figures.split("|"))
        for name, figures in zip(names[used], told[used], strict=True)
        if figures
    }


def version() -> str:
    """Version of the installed package."""
    try:
        return metadata.version("capacity-planner")
    except metadata.PackageNotFoundError:
        return "not installed"


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _flat(values: dict, prefix: str) -> list[tuple[str, object]]:
    found = []
    for key, value in values.items():
        found += _flat(value, f"{prefix}.{key}") if isinstance(value, dict) else [(f"{prefix}.{key}", value)]
    return found


def _verdict(violations: list) -> pd.DataFrame:
    rows = [(v.kind, v.message, v.host, v.workload, v.resource) for v in violations]
    rows = rows or [("accepted", "Every rule holds on the original numbers.", "", "", "")]
    return pd.DataFrame(rows, columns=["kind", "message", "host", "workload", "resource"], dtype=str)
