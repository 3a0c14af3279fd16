"""What a plan asks to be decided: its figures beside today's, and what they rest on, in sentences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from planner import catalogue
from planner.economics.appraisal import DOES_NOT_APPLY, MISSING
from planner.economics.costs import OPTIONAL
from planner.plan import Status
from planner.reports import DISCOUNTED, NPV, PAYBACK, Report, estimates_of
from planner.units import counted
from planner.writers.inputs import INPUTS

UNKNOWN = "not known"
_FEWEST = {
    "hosts": "no plan under the same rules needs fewer hosts",
    "cost": "no plan under the same rules costs less",
    "energy": "no plan under the same rules uses less energy",
    "carbon": "no plan under the same rules emits less carbon",
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of the decision: what it is, and a line below."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What is to be known before the plan is signed; `alarm` where it must not be overlooked."""

    about: str
    text: str
    alarm: bool = False


def headline(report: Report) -> str:
    """The decision in one line."""
    today, plan = len(report.baseline.hosts), report.plan.hosts_used
    workloads = counted(len(report.plan.placement), "workload")
    run = "runs" if today == 1 else "run"
    return f"{counted(plan, 'host')} for {workloads}, where {counted(today, 'host')} {run} today"


def number(value: float) -> str:
    """A figure as people read it: whole where it is large.

    >>> number(13600.4), number(79.158), number(0.381), number(float("nan"))
    ('13,600', '79.2', '0.381', 'not known')
    """
    if value != value:
        return UNKNOWN
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def figures(report: Report) -> list[Figure]:
    """Hosts, money, payback, energy and carbon: the plan beside today."""
    totals, total = report.totals.set_index("metric"), report.savings.set_index("item").loc["total"]
    years, unit = f"{report.years:g} years", total["unit"]
    lacking = ", ".join(report.lacking)
    without = f", without {lacking}" if lacking else ""
    rate = report.problem.prices.discount_rate
    later = f"; later years count less, by {100 * rate:g} % a year" if rate > 0 else ""
    hosts, energy = totals.loc["hosts"], totals.loc["energy per year"]
    found = [
        _hosts(hosts["today"], hosts["plan"]),
        _compared(f"Costs over {years}", total["today_horizon"], total["plan_horizon"], f" {unit}", without + later),
        _compared("Costs per year", total["today_per_year"], total["plan_per_year"], f" {unit}", without),
        _payback(report, without),
        _compared("Energy per year", energy["today"], energy["plan"], " kWh", ""),
    ]
    carbon = totals.loc[f"carbon over {years}"]
    return [*found, _compared(f"Carbon over {years}", carbon["today"], carbon["plan"], " kg CO2e", "")]


def _hosts(today: float, plan: float) -> Figure:
    more = plan - today
    note = "as many as today" if more == 0 else f"{abs(more):,.0f} {'more' if more > 0 else 'fewer'} than today"
    return Figure(label="Hosts", value=f"{today:,.0f} → {plan:,.0f}", note=note)


def _compared(label: str, today: float, plan: float, unit: str, without: str) -> Figure:
    saved = today - plan
    note = f"today {number(today)}, plan {number(plan)}{without}"
    if saved != saved:
        return Figure(label=label, value=UNKNOWN, note=note)
    if saved == 0:
        return Figure(label=label, value="as today", note=note)
    return Figure(label=label, value=f"{number(abs(saved))}{unit} {'less' if saved > 0 else 'more'}", note=note)


def _payback(report: Report, without: str) -> Figure:
    label, note = "Paid back", "what is bought, by what costs less"
    summary = report.summary.set_index("item")["value"]
    years, worth = summary[PAYBACK], summary[NPV]
    if years == MISSING:
        return Figure(label=label, value=UNKNOWN, note=f"{note}{without}")
    if years == DOES_NOT_APPLY:
        note = "less at the start, more every year"
    elif years == 0:
        note = "no more is paid at the start than for today's hosts"
    elif not isinstance(years, str) and years > 0 and report.problem.prices.discount_rate > 0:
        later = summary[DISCOUNTED]
        note += f"; discounted: {later if isinstance(later, str) else f'after {number(later)} years'}"
    note += f"; net present value {number(worth)} {report.problem.prices.currency}{without}"
    told = years if isinstance(years, str) else "at once" if years == 0 else f"after {number(years)} years"
    return Figure(label=label, value=told, note=note)


def statements(report: Report) -> list[Statement]:
    """Proof, check, failures, what is left out and what is estimated."""
    return [
        Statement(about="How good it is", text=_proof(report)),
        _checked(report),
        Statement(about="When hosts fail", text=_failover(report)),
        Statement(about="Left out", text=_left_out(report)),
        *([Statement(about="Ranges", text=spread(report))] if report.ranges is not None else []),
        *_bought_licences(report),
        Statement(about="Estimates", text=_estimates(report)),
        Statement(about="Today", text=report.baseline.assumption),
    ]


def _proof(report: Report) -> str:
    result = report.result
    if result is None:
        return "Not told: the plan was not searched for in this run, so nothing says how far from the best it is."
    without = f" The search left out {' and '.join(result.without)}: figures are missing." if result.without else ""
    if result.bound is None:
        return f"Nothing is proven: a better plan may exist.{without}"
    unit, least = result.objective_unit, number(result.bound.value)
    if result.status is Status.OPTIMAL:
        return (
            f"Proven to be the best: {_FEWEST[result.objective_name]}. The lower bound is {least} {unit} (method: "
            f"{result.bound.method}), and the plan meets it.{without}"
        )
    needed = number(result.objective_value)
    return (
        f"Proven: no plan under the same rules can do with less than {least} {unit} (method: {result.bound.method}). "
        f"This one needs {needed} {unit}, so at most {result.gap:.1%} could still be saved.{without}"
    )


def _checked(report: Report) -> Statement:
    kinds = report.verdict["kind"].tolist()
    if kinds == ["accepted"]:
        text = "Accepted by a checker that shares no code with the search: every limit and rule holds."
        return Statement(about="Check", text=text)
    told = ", ".join(f"{kind} ({count:,})" for kind, count in report.verdict["kind"].value_counts().items())
    return Statement(about="Check", text=f"Rejected, do not sign: {told}. See the checker's verdict below.", alarm=True)


def _failover(report: Report) -> str:
    failover, spares = report.problem.policy.failover, len(report.plan.spares)
    standing = f" {spares:,} {'host only stands' if spares == 1 else 'hosts only stand'} by." if spares else ""
    if not failover.hosts:
        return f"No reserve is kept: when a host is lost, what it carries may have nowhere to restart.{standing}"
    lost = "one host" if failover.hosts == 1 else f"any {failover.hosts} hosts"
    if failover.within != "host":
        lost = (
            f"one {failover.within}" if failover.hosts == 1 else f"any {failover.hosts} of the same {failover.within}"
        )
    where = "in each pool" if failover.within == "host" else "at once"
    if failover.is_verified:
        told = (
            f"For the loss of {lost} {where}, the plan says where every lost workload restarts; each case was checked."
        )
    elif failover.mode == "spare":
        told = f"For the loss of {lost} {where}, hosts stand by that could each take over the load of any other."
    else:
        told = f"A reserve for the loss of {lost} {where} is kept as a share of capacity; restarts are not planned."
    return told + standing


def _left_out(report: Report) -> str:
    told = []
    if len(report.left_out):
        reasons = report.left_out["reason"].value_counts()
        told.append(f"{len(report.left_out):,} machines ({', '.join(f'{n:,} {why}' for why, n in reasons.items())}).")
    if report.lacking:
        told.append(f"No figures for {', '.join(report.lacking)}: in no total. The table Savings says what to give.")
    unpriced = [item for item, field in OPTIONAL.items() if getattr(report.problem.prices, field) is None]
    if unpriced:
        told.append(f"No price is given for {' and '.join(unpriced)}.")
    totals = report.totals.set_index("metric")["saving"]
    unknown = [name for name in totals.index if name.startswith("carbon") and totals[name] != totals[name]]
    if unknown:
        told.append(f"Not known: {', '.join(unknown)}{_to_give(report)}.")
    return " ".join(told) or "Nothing."


def spread(report: Report) -> str:
    """From where to where the saving lies where prices are given as ranges, and at which figures."""
    total = report.ranges.set_index("item").loc["total"]
    low, likely, high = (number(total[f"saving_{end}"]) for end in ("low", "likely", "high"))
    return (
        f"The saving over the horizon lies between {low} and {high} {total['unit']}, likely {likely}: least at "
        f"{total['saving_low_at'] or 'any figure'}, most at {total['saving_high_at'] or 'any figure'}."
    )


def _bought_licences(report: Report) -> list[Statement]:
    """Licences that are paid once, where part of the saving is not to buy those of today's hosts."""
    before, savings = report.money.before.once, report.savings.set_index("item")["saving_horizon"]
    products = dict.fromkeys(licence.product for licence in report.problem.prices.licences)
    told = [
        f"{product} ({number(savings[product])} {report.problem.prices.currency})"
        for product in products
        if before[product].sum() > 0 and savings[product] > 0
    ]
    text = (
        f"What is saved includes licences that today's hosts would have to buy at the start: {', '.join(told)}. Where "
        "you own them already that is no money saved: give them a price of 0."
    )
    return [Statement(about="Owned licences", text=text)] if told else []


def _to_give(report: Report) -> str:
    """What carbon lacks: watts are asked for with the energy that they cost."""
    hosts, money = report.problem.hosts, report.money
    lacks = np.isnan(money.after.embodied_kg[: len(money.hosts)])
    models = hosts["name"].iloc[money.hosts["row"].to_numpy()[lacks]].unique().tolist()
    asked = ["prices.carbon_kg_per_kwh"] if report.problem.prices.carbon_kg_per_kwh is None else []
    asked += [f"embodied_kgco2e of {', '.join(models)}"] if models else []
    return f"; give {' and '.join(asked)}" if asked else ""


def _estimates(report: Report) -> str:
    """What was not measured or quoted, but estimated: by the catalogue, or in the table of host models."""
    defaults = catalogue.table("prices").set_index("field")
    units = {one.field: (one.label, one.unit.format(currency=report.problem.prices.currency)) for one in INPUTS}
    units["vcpu_activity"] = "busy share of each vCPU", ""
    sources = report.assumptions.set_index("setting")["source"]
    told = []
    for field, row in defaults.iterrows():
        if row["estimate"] == "yes" and sources.get(f"prices.{field}") == row["source"]:
            label, unit = units.get(field, (field, row["unit"]))
            label = label if label[:2].isupper() else label[:1].lower() + label[1:]
            told.append(f"{label} {getattr(report.problem.prices, field):g} {unit}".strip())
    for licence in report.problem.prices.licences:
        if licence.estimate:
            told.append(f"the price of {licence.product} {licence.edition}")
    used = [("today", report.baseline.hosts, None), ("the plan", report.problem.host_models, report.plan)]
    for whose, table, plan in used:
        if models := estimates_of(table, plan):
            told.append(f"figures of the host models of {whose} ({', '.join(models)})")
    return (
        f"Neither measured nor quoted, to be replaced with your figures: {'; '.join(told)}."
        if told
        else "No figure is marked as an estimate."
    )
