"""Savings and totals of a written workbook as formulas, from the prices' cells and the sums over hosts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.economics.appraisal import DOES_NOT_APPLY, NEVER, Appraisal
from planner.economics.costs import ENERGY, HARDWARE, OPTIONAL
from planner.reports import DISCOUNTED, NPV, PAYBACK, Report
from planner.units import MONTHS_PER_YEAR
from planner.writers.formulas import MISSING, Formula, cell, column_range, known, shown
from planner.writers.host_costs import (
    DRIVERS,
    EMBODIED,
    KWH,
    PRICE,
    HostCosts,
    hosts_planned,
    hosts_today,
    is_priced,
    items_of,
)
from planner.writers.inputs import END, SHEET, sentence, write_inputs
from planner.writers.sheets import LINE_POINTS, Sheets

TOP = END + 1
"""Row of the headings of the savings, counted from 0."""
_FIRST = TOP + 1
_COLUMNS = (
    *("item", "unit", "today_per_year", "plan_per_year", "saving_per_year"),
    *("today_horizon", "plan_horizon", "saving_horizon"),
    *("today_once", "plan_once", "today_yearly", "plan_yearly", "assumption_as_planned"),
)
_COLUMN = {name: at for at, name in enumerate(_COLUMNS)}
_FIGURES = _COLUMNS[2:-1]
OUTLAY, SAVED = "paid at the start beyond today, hosts at their full price", "saved every year"
WITHOUT = "left out of the total, for want of figures"
NOTHING = "nothing"
_NARROWEST = 13
"""Characters of a column of figures, whose heading takes two lines."""
_MARGIN = 0.4
"""Left and right of a printed page, inches."""
_BELOW = (OUTLAY, SAVED, PAYBACK, DISCOUNTED, NPV, WITHOUT)
"""Rows below the total."""


def _told(figure: float) -> str:
    return MISSING if np.isnan(figure) else f"{figure:,.2f}"


def _payback(cells: list[str], years: str, value: float | str) -> Formula:
    """Years, or a word in place of them, from the cells of what is paid and of what is saved every year."""
    outlay, saved = cells
    text = f'IF({outlay}<=0,IF({saved}>=0,0,"{DOES_NOT_APPLY}"),IF({saved}>0,{years},"{NEVER}"))'
    formula = known(text, cells, np.nan)
    return Formula(formula.text, value)


def _discounted(outlay: str, saved: str) -> str:
    """The formula of `planner.economics.appraisal.payback` where later years count less."""
    times = f"({outlay}/{saved})"
    whole = f"INT(-LN(1-{times}*discount_rate)/LN(1+discount_rate))"
    years = f"{whole}+({times}-(1-(1+discount_rate)^(-{whole}))/discount_rate)*(1+discount_rate)^({whole}+1)"
    return f'IF(discount_rate<1E-9,{times},IF({times}*discount_rate>=1,"{NEVER}",{years}))'


class Live:
    """The figures of a report that follow the prices in its workbook.

    Parameters
    ----------
    report : Report
    """

    def __init__(self, report: Report):
        self.report = report
        self.prices = report.problem.prices
        self.estates: dict[str, HostCosts] = {"today": hosts_today(report), "plan": hosts_planned(report)}
        self.items = items_of(report.money.after)
        self.last = _FIRST + len(self.items) - 1
        self.figures = self._figures()

    def at(self, item: str, column: str, sheet: str = SHEET) -> str:
        """The cell of a figure of the savings; item "total" is the last row."""
        row = self.last + 1 if item == "total" else _FIRST + self.items.index(item)
        return cell(row, _COLUMN[column], sheet)

    def reference(self, item: str, column: str) -> Formula:
        """A figure of the savings, as a reference."""
        return Formula(f"={self.at(item, column)}", shown(self.figures.loc[item, column]))

    def appraised(self, item: str) -> Formula:
        """An item of the summary that appraises the plan, as a reference."""
        return Formula(f"={self._below(item)}", self._appraisal()[item][1].value)

    @property
    def without(self) -> str:
        """The cell that names the items which the total leaves out, with commas between them, or `NOTHING`."""
        return self._below(WITHOUT)

    def _below(self, row: str, sheet: str = SHEET) -> str:
        """The cell of a row below the total."""
        return cell(self.last + 3 + _BELOW.index(row), 2, sheet)

    def _figures(self) -> pd.DataFrame:
        """The figures of every item and of their total, NaN where missing."""
        found = pd.DataFrame(index=self.items, columns=_FIGURES, dtype=float)
        for name, estate in self.estates.items():
            for kind in ("once", "yearly"):
                found[f"{name}_{kind}"] = [estate.amount(item, kind) for item in self.items]
            once, yearly = found[f"{name}_once"], found[f"{name}_yearly"]
            found[f"{name}_per_year"] = once / self.prices.years + yearly
            found[f"{name}_horizon"] = once + yearly * self.prices.years_discounted
        for span in ("per_year", "horizon"):
            found[f"saving_{span}"] = found[f"today_{span}"] - found[f"plan_{span}"]
        complete = found["saving_per_year"].notna()
        found.loc["total"] = found[complete].sum(min_count=1)
        return found

    def write_savings(self, sheets: Sheets) -> None:
        """Write the sheet: prices, savings item by item, and when what is bought has paid for itself."""
        told = self.report.savings.set_index("item")["assumption"]
        rows = [
            self._item(item, str(told.get(item, "No price is given: left out of the total."))) for item in self.items
        ]
        frame = pd.DataFrame([*rows, self._total()], columns=list(_COLUMNS), dtype=object)
        title = "Today against the plan, per year and over the horizon"
        page = sheets.sheet(SHEET, frame, title=title, top=TOP)
        page.freeze_panes(1, 1)
        write_inputs(sheets, page, self.prices, self.report.assumptions, len(self.report.problem.workloads))
        look = sheets.formats
        below = self._appraisal() | {WITHOUT: ("", self._without())}
        for row, label in enumerate(_BELOW, start=self.last + 3):
            unit, value = below[label]
            sheets.cell(page, row, 0, label[:1].upper() + label[1:], look["general"])
            sheets.cell(page, row, 1, unit, look["general"])
            kind = "general" if label == WITHOUT else "payback" if label in (PAYBACK, DISCOUNTED) else "live"
            sheets.cell(page, row, 2, value, look[kind])
        page.set_column(0, 0, 46)
        page.set_column(1, 1, 18)
        for name in _FIGURES:
            widest = max(len(_told(value)) for value in self.figures[name])
            page.set_column(_COLUMN[name], _COLUMN[name], max(widest + 2, _NARROWEST))
        page.set_row(TOP, 2 * LINE_POINTS)
        page.set_margins(left=_MARGIN, right=_MARGIN)

    def _item(self, item: str, told: str) -> list[object]:
        values = self.figures.loc[item]
        found: dict[str, object] = {"item": item, "unit": self.prices.currency, "assumption_as_planned": told}
        for name, estate in self.estates.items():
            once, yearly = (self.at(item, f"{name}_{kind}", "") for kind in ("once", "yearly"))
            for kind in ("once", "yearly"):
                found[f"{name}_{kind}"] = estate.total(item, kind)
            for span, text, need in (
                ("per_year", f"{once}/years+{yearly}", "years"),
                ("horizon", f"{once}+{yearly}*years_discounted", "years_discounted"),
            ):
                found[f"{name}_{span}"] = known(text, (once, yearly, need), values[f"{name}_{span}"])
        for span in ("per_year", "horizon"):
            found[f"saving_{span}"] = self._less(item, span)
        return [found[name] for name in _COLUMNS]

    def _less(self, item: str, span: str) -> Formula:
        today, plan = (self.at(item, f"{name}_{span}", "") for name in ("today", "plan"))
        return known(f"{today}-{plan}", (today, plan), self.figures.loc[item, f"saving_{span}"])

    def _total(self) -> list[object]:
        """The sum of the items whose figures are all known."""
        complete = column_range(_FIRST, self.last, _COLUMN["saving_per_year"])
        found: dict[str, object] = {"item": "total", "unit": self.prices.currency}
        for name in _FIGURES:
            amounts = column_range(_FIRST, self.last, _COLUMN[name])
            text = f'=IF(COUNT({complete})=0,"{MISSING}",SUMIF({complete},"<>{MISSING}",{amounts}))'
            found[name] = Formula(text, shown(self.figures.loc["total", name]))
        told = str(self.report.savings.set_index("item").loc["total", "assumption"])
        return [found.get(name, told) for name in _COLUMNS]

    def _appraisal(self) -> dict[str, tuple[str, Formula]]:
        """Unit and figure of each row that appraises the plan as an investment."""
        money, unit = self.report.money, self.prices.currency
        found = Appraisal.of(money.before, money.after, self.prices)
        once, yearly = (
            [self.at("total", f"{name}_{kind}", "") for name in ("today", "plan")] for kind in ("once", "yearly")
        )
        price = [estate.sum_of(PRICE) for estate in self.estates.values()]
        left = f"IF(ISNUMBER({self.at(HARDWARE, 'saving_horizon', '')}),({price[1]}-{price[0]})*(1-bought_share),0)"
        outlay = known(f"{once[1]}-{once[0]}+{left}", (*once, "bought_share"), found.outlay)
        saved = known(f"{yearly[0]}-{yearly[1]}", yearly, np.nan if np.isnan(found.outlay) else found.yearly)
        cells = [self._below(row, "") for row in (OUTLAY, SAVED)]
        worth = self.at("total", "saving_horizon", "")
        return {
            OUTLAY: (unit, outlay),
            SAVED: (unit, saved),
            PAYBACK: ("years", _payback(cells, f"{cells[0]}/{cells[1]}", found.payback)),
            DISCOUNTED: ("years", _payback(cells, _discounted(*cells), found.discounted_payback)),
            NPV: (unit, known(worth, (worth,), found.net_present_value)),
        }

    def _without(self) -> Formula:
        """Names of the items without figures; an optional one that nobody prices is none of them."""
        parts, missing = [], []
        for item in self.items:
            saving, label = self.at(item, "saving_per_year", ""), self.at(item, "item", "")
            priced = f",COUNT({DRIVERS[item].times[0]})=1" if item in OPTIONAL else ""
            parts.append(f'IF(AND(NOT(ISNUMBER({saving})){priced}),", "&{label},"")')
            if np.isnan(self.figures.loc[item, "saving_per_year"]) and is_priced(self.prices, item):
                missing.append(item)
        names = "&".join(parts)
        return Formula(f'=IF({names}="","{NOTHING}",MID({names},3,999))', ", ".join(missing) or NOTHING)

    def totals(self) -> pd.DataFrame:
        """The report's totals, each that depends on prices or hosts as a formula."""
        live = self._live_totals()
        rows = []
        for row in self.report.totals.itertuples(index=False):
            metric, figures = live.pop(row.metric, (row.metric, None))
            values = [row.today, row.plan]
            if figures is not None:
                values = [Formula(one.text, shown(value)) for one, value in zip(figures, values, strict=True)]
            rows.append([metric, row.unit, *(shown(value) if value != value else value for value in values)])
        for metric, figures in live.values():
            rows.append([metric, self.prices.currency, *figures])
        for at, row in enumerate(rows, start=1):
            is_live = any(isinstance(one, Formula) for one in row[2:])
            today, plan = (one.value if isinstance(one, Formula) else one for one in row[2:])
            saving = np.nan if MISSING in (today, plan) else today - plan
            cells = [cell(at, column, fixed=False) for column in (2, 3)]
            row.append(known(f"{cells[0]}-{cells[1]}", cells, saving) if is_live else shown(saving))
        return pd.DataFrame(rows, columns=["metric", "unit", "today", "plan", "saving"], dtype=object)

    def _live_totals(self) -> dict[str, tuple[object, list[Formula]]]:
        """Metric as the report calls it: what the workbook calls it, and its figures today and in the plan."""
        years = f"{self.prices.years:g}"
        found: dict[str, tuple[object, list[Formula]]] = {}
        kwh, embodied = ([one.sum_of(name) for one in self.estates.values()] for name in (KWH, EMBODIED))
        grid = ("pue", "carbon_kg_per_kwh")
        found["energy per year"] = "energy per year", [known(f"{q}*pue", (q, "pue"), np.nan) for q in kwh]
        used = [known(f"{q}*pue*carbon_kg_per_kwh", (q, *grid), np.nan) for q in kwh]
        found["carbon from use per year"] = "carbon from use per year", used
        bought = [known(e, (e,), np.nan) for e in embodied]
        found["carbon embodied in what is bought"] = "carbon embodied in what is bought", bought
        name = sentence('"carbon over "', "years", '" years"', value=f"carbon over {years} years")
        found[name.value] = (
            name,
            [
                known(f"{q}*pue*carbon_kg_per_kwh*years+{e}", (q, *grid, "years", e), np.nan)
                for q, e in zip(kwh, embodied, strict=True)
            ],
        )
        for span in ("per_year", "horizon"):
            for item in (*self.items, "total"):
                label = self._metric(item, span)
                figures = [Formula(f"={self.at(item, f'{name}_{span}')}", MISSING) for name in self.estates]
                found[label.value] = label, figures
        share = f"(workloads_planned*years*{MONTHS_PER_YEAR})"
        label = self._named("total", '" per workload and month"', " per workload and month")
        cells = [self.at("total", f"{name}_horizon") for name in self.estates]
        found[label.value] = label, [known(f"{c}/{share}", (c, "workloads_planned", "years"), np.nan) for c in cells]
        return found

    def _metric(self, item: str, span: str) -> Formula:
        if span == "per_year":
            return self._named(item, '" per year"', " per year")
        return self._named(item, '" over "&years&" years"', f" over {self.prices.years:g} years")

    def _named(self, item: str, text: str, told: str) -> Formula:
        """An item as the totals call it, and what follows."""
        if item == "total":
            left = self._without().value
            lacking = f'IF({self.without}="{NOTHING}",""," without "&{self.without})'
            return sentence('"total"', lacking, text, value=f"total{f' without {left}' * (left != NOTHING)}{told}")
        if item == ENERGY:
            return sentence('"energy cost"', text, value=f"energy cost{told}")
        return sentence(self.at(item, "item"), text, value=f"{item}{told}")
