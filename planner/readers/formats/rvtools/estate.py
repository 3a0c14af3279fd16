"""What harvesting constraints needs of an RVTools export: VMs beside their workloads, and owned hosts as bits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from planner.readers.exports import Journal, Part
from planner.readers.machines import is_planned
from planner.readers.numerals import numbers_of, style_of
from planner.readers.sandbox import Workbook
from planner.schema import Origin
from planner.units import counted

UNLIMITED = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Estate:
    """VMs, the sheets that tell of them, and hosts.

    Parameters
    ----------
    workbook : Workbook
    vms : Part
        Rows of vInfo.
    workloads : DataFrame
        As read, a row for each row of `vms`.
    kept : array of bool
        Which rows of `vms` are workloads after all.
    hosts : DataFrame
        Owned hosts as read; none where the export has no vHost.
    host_part : Part or None
        The rows of vHost behind them.
    details : dict
        Sheet name to its Part and the position in `vms` that each of its rows belongs to, -1 for none.
    journal : Journal
    """

    workbook: Workbook
    vms: Part
    workloads: pd.DataFrame
    kept: np.ndarray
    hosts: pd.DataFrame
    host_part: Part | None
    details: dict[str, tuple[Part, np.ndarray]] = field(default_factory=dict)
    journal: Journal

    @cached_property
    def names(self) -> list[str]:
        return self.workloads["name"].tolist()

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of vInfo of each workload, by its name."""
        return {name: row for row, name in enumerate(self.names)}

    @cached_property
    def pools(self) -> list[str]:
        return self.workloads["pool"].tolist()

    @cached_property
    def planned(self) -> np.ndarray:
        """Which VMs are planned for unless somebody asks otherwise."""
        return self.kept & self.workloads["state"].map(is_planned).to_numpy(dtype=bool)

    @cached_property
    def host_names(self) -> list[str]:
        return self.hosts["name"].tolist()

    @cached_property
    def bits(self) -> dict[str, int]:
        """The bit of each host, by its name whatever its case, and by its first label where only one host has that."""
        full = {name.casefold(): 1 << at for at, name in enumerate(self.host_names)}
        short: dict[str, int] = {}
        for name, bit in full.items():
            label = first_label(name)
            short[label] = 0 if label in short else bit
        return {label: bit for label, bit in short.items() if bit} | full

    @cached_property
    def everywhere(self) -> int:
        """The bits of all hosts."""
        return (1 << len(self.host_names)) - 1

    @cached_property
    def today(self) -> list[int]:
        """The bit of the host that carries each VM today, 0 where vHost does not have it."""
        return [self.bit_of(name) for name in self.workloads["host"].tolist()]

    def bit_of(self, host: str) -> int:
        """The bit of a host by its full or short name; 0 for a host that vHost does not have."""
        folded = host.casefold()
        return self.bits.get(folded) or self.bits.get(first_label(folded), 0)

    def bits_of(self, hosts: Iterable[str]) -> int:
        """The bits of several hosts."""
        found = 0
        for name in hosts:
            found |= self.bit_of(name)
        return found

    def serving(self, pool: str) -> int:
        """The bits of the hosts that serve a pool."""
        if pool not in self._serving:
            serve = ((self.hosts["pool"] == pool) | (self.hosts["pool"] == "")).tolist()
            self._serving[pool] = sum(1 << at for at, mine in enumerate(serve) if mine)
        return self._serving[pool]

    @cached_property
    def resting(self) -> int:
        """The bits of the hosts in maintenance, which carry nothing."""
        if "maintenance" not in self.hosts:
            return 0
        return sum(1 << at for at, rests in enumerate(self.hosts["maintenance"].tolist()) if rests)

    @cached_property
    def _serving(self) -> dict[str, int]:
        return {}

    def hosts_in(self, bits: int) -> list[str]:
        """Names of the hosts of some bits, in the order of vHost."""
        return [name for at, name in enumerate(self.host_names) if bits >> at & 1]

    def detail(self, sheet: str) -> tuple[Part | None, np.ndarray]:
        """The Part of a sheet and the VM of each of its rows; None where the export does not have it."""
        return self.details.get(sheet, (None, np.empty(0, dtype=int)))

    def note(self, kind: str, message: str, origin: Origin, column: str = "", at: int | None = None) -> None:
        """A note on a sheet, on its row at a position where one is given."""
        heading = origin.heading(column) if column else ""
        row = None if at is None else origin.row(at)
        self.journal.note(kind, message, sheet=origin.sheet, row=row, column=heading, subject="proposed rules")

    def figures(self, part: Part, column: str, factor: float) -> np.ndarray:
        """A column of texts as numbers times `factor`; NaN for blank and unlimited, and for what is none, noted."""
        cells = [text or None for text in part.frame[column].tolist()]
        numbers = numbers_of(cells, wanted="", unit="", stated=True, sheet=style_of(cells)).cells
        values = np.array([cell if isinstance(cell, int | float) else np.nan for cell in numbers], dtype="float64")
        wrong = [at for at, cell in enumerate(numbers) if isinstance(cell, str)]
        if wrong:
            message = f"{counted(len(wrong), 'cell')} without a number, such as {cells[wrong[0]]!r}: read as blank"
            self.note("ignored", message, part.origin, column, wrong[0])
        return np.where(values > UNLIMITED, values * factor, np.nan)


def first_label(name: str) -> str:
    """A host's name up to its first dot; an address stays whole.

    >>> first_label("esx01.corp.example"), first_label("10.1.2.3")
    ('esx01', '10.1.2.3')
    """
    label = name.partition(".")[0]
    return name if label.isdigit() else label


def listed(names: list[str], most: int = 4) -> str:
    """Some names as text, the others counted.

    >>> listed(["a", "b"]), listed(list("abcdef"))
    ('a, b', 'a, b, c, d and 2 more')
    """
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")
