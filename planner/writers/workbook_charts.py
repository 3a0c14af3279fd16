"""Charts of a written workbook: Excel's own, of cells, so that they follow the prices."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from planner.colours import BLUE, GREY
from planner.writers.formulas import MISSING, Formula, cell
from planner.writers.inputs import sentence
from planner.writers.live import Live
from planner.writers.sheets import Sheets
from planner.writers.utilisation import COLOURS, utilisation

SHEET = "Charts"
_DATA = 16
"""First column of the cells that charts are of."""
_WIDE, _HALF, _HEIGHT = 960, 475, 320
"""Sizes in pixels; a row has 20 of them, a column 64."""
_QUIET = {"color": "#D9DDE0", "width": 0.75}
_GRID = {"visible": True, "line": _QUIET}
_AMOUNTS = {"num_format": "#,##0"}


@dataclass(frozen=True, kw_only=True)
class _Block:
    """Cells that a chart is of: rows and columns of the sheet, counted from 0, headings in the first row."""

    top: int
    rows: int
    columns: int

    def series(self, at: int, colour: str) -> dict:
        """A column as a series of a chart."""
        first, last = self.top + 1, self.top + self.rows
        return {
            "name": [SHEET, self.top, _DATA + at],
            "categories": [SHEET, first, _DATA, last, _DATA],
            "values": [SHEET, first, _DATA + at, last, _DATA + at],
            "fill": {"color": colour},
            "gap": 60,
            "overlap": 0,
        }


def write_charts(sheets: Sheets, live: Live) -> None:
    """Write the sheet with the charts: costs by item, energy, carbon, and how full the hosts are."""
    page = sheets.book.add_worksheet(SHEET)
    sheets.cell(page, 0, 0, "Today and the plan", sheets.formats["title"])
    sheets.cell(page, 0, _DATA, "What the charts are of", sheets.formats["title"])
    page.hide_gridlines(2)
    page.freeze_panes(1, 0)
    used = utilisation(live.report.hosts)
    tables = [_items(live), _figure(live, "energy per year"), _figure(live, _carbon(live)), _used(used.frame)]
    blocks, row = [], 2
    for table, look in zip(tables, ("live", "live", "live", "whole" if used.counted else "share"), strict=True):
        blocks.append(_write(sheets, page, table, row, look))
        row += len(table) + 3
    items, energy, carbon, hosts = blocks
    unit = live.prices.currency
    page.insert_chart(2, 0, _bars(sheets, items, f"Costs over the horizon ({unit})", _WIDE))
    page.insert_chart(19, 0, _columns(sheets, energy, "Energy per year (kWh)", _HALF, _AMOUNTS))
    page.insert_chart(
        19, 0, _columns(sheets, carbon, "Carbon over the horizon (kg CO2e)", _HALF, _AMOUNTS), {"x_offset": 485}
    )
    if used.frame.size:
        scale = {"num_format": "0"} if used.counted else {"num_format": "0%", "max": 1}
        page.insert_chart(36, 0, _columns(sheets, hosts, used.title, _WIDE, scale, COLOURS))
    page.set_column(_DATA, _DATA, 34)
    page.set_column(_DATA + 1, _DATA + 3, 14)
    page.set_landscape()
    page.print_area(0, 0, 53, _DATA - 2)
    page.fit_to_pages(1, 1)


def _items(live: Live) -> pd.DataFrame:
    """What each item costs over the horizon; one that is missing says so in its label."""
    rows = []
    for item in live.items:
        label, saving = live.at(item, "item"), live.at(item, "saving_horizon")
        lacks = live.figures.loc[item, "saving_horizon"] != live.figures.loc[item, "saving_horizon"]
        told = f"{item}{f' ({MISSING})' if lacks else ''}"
        name = sentence(label, f'IF(ISNUMBER({saving}),""," ({MISSING})")', value=told)
        rows.append([name, *(live.reference(item, f"{estate}_horizon") for estate in ("today", "plan"))])
    return pd.DataFrame(rows, columns=["Item", "Today", "Plan"], dtype=object)


def _carbon(live: Live) -> str:
    return f"carbon over {live.prices.years:g} years"


def _figure(live: Live, metric: str) -> pd.DataFrame:
    """A figure of the totals, today and in the plan."""
    row = live.report.totals["metric"].tolist().index(metric)
    rows = []
    for column, estate in enumerate(("today", "plan"), start=2):
        value = live.report.totals[estate].iloc[row]
        at, lacks = cell(row + 1, column, "Totals"), bool(value != value)
        label = f"{estate}{f' ({MISSING})' if lacks else ''}"
        name = sentence(f'"{estate}"', f'IF(ISNUMBER({at}),""," ({MISSING})")', value=label)
        rows.append([name, Formula(f"={at}", MISSING if lacks else float(value))])
    unit = live.report.totals["unit"].iloc[row]
    return pd.DataFrame(rows, columns=["Estate", unit], dtype=object)


def _used(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename_axis("Hosts").reset_index()


def _write(sheets: Sheets, page, table: pd.DataFrame, top: int, look: str) -> _Block:
    for at, name in enumerate(table):
        sheets.cell(page, top, _DATA + at, name, sheets.formats["head"])
        for row, value in enumerate(table[name].tolist(), start=top + 1):
            sheets.cell(page, row, _DATA + at, value, sheets.formats["general" if at == 0 else look])
    return _Block(top=top, rows=len(table), columns=table.shape[1])


def _bars(sheets: Sheets, block: _Block, title: str, width: int):
    """Horizontal bars, today above the plan."""
    chart = sheets.book.add_chart({"type": "bar"})
    for at, colour in ((1, GREY), (2, BLUE)):
        chart.add_series(block.series(at, colour))
    chart.set_y_axis({"reverse": True, "line": _QUIET})
    chart.set_x_axis({"major_gridlines": _GRID, "line": {"none": True}} | _AMOUNTS)
    return _finished(chart, title, width)


def _columns(sheets: Sheets, block: _Block, title: str, width: int, scale: dict, colours: tuple[str, ...] = ()):
    """Upright columns: a series for each colour, or today and the plan side by side."""
    chart = sheets.book.add_chart({"type": "column"})
    for at, colour in zip(range(1, block.columns), colours, strict=False):
        chart.add_series(block.series(at, colour))
    if not colours:
        points = {"points": [{"fill": {"color": GREY}}, {"fill": {"color": BLUE}}]}
        chart.add_series(block.series(1, BLUE) | points)
        chart.set_legend({"none": True})
    chart.set_y_axis({"min": 0, "major_gridlines": _GRID, "line": {"none": True}} | scale)
    return _finished(chart, title, width, legend=bool(colours))


def _finished(chart, title: str, width: int, *, legend: bool = True):
    chart.set_title({"name": title, "overlay": False, "name_font": {"size": 12, "bold": True}})
    if legend:
        chart.set_legend({"position": "top"})
    chart.set_size({"width": width, "height": _HEIGHT})
    return chart
