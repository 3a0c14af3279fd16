"""Cores that a list tells as sockets and cores per socket: multiplied to one column of cores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.readers.cells import cells_of, headings_of
from planner.readers.mapping.scores import BESIDE, counts_threads, named
from planner.readers.numerals import numbers_of, style_of
from planner.readers.sandbox import Sheet
from planner.readers.totals import total_word
from planner.schema.words import PER_SOCKET, phrases, plain, table_of, tokens
from planner.units import counted

HEADING, SOCKETS = "Cores", "Sockets"
MOST_ROWS_ABOVE = 12
_CALLED_CPU = frozenset({"cpu", "cpus", "processor", "processors", "prozessor", "prozessoren"})
_VIRTUAL = frozenset({"vcpu", "vcpus", "virtual", "virtuelle", "vm", "vms"})


MOST_SOCKETS = 8
"""Processors of one host; a larger figure under such a heading counts something else."""


@dataclass(frozen=True, kw_only=True)
class _Factors:
    """Positions of the columns of sockets, of cores per socket, and of all cores or vCPUs, where there are.

    `doubtful` where the first might count all CPUs of a VM.
    """

    sockets: int
    cores: int
    totals: tuple[int, ...]
    vcpus: tuple[int, ...]
    doubtful: bool


def with_cores_multiplied(sheet: Sheet) -> Sheet:
    """The sheet with one more column, sockets x cores per socket, and a remark; as it is where it has no such columns.

    A column of CPUs counts as sockets on a list of hosts alone: of a VM, it is all that the VM has; beside cores per
    CPU a remark says that this may be wrong. Where another column tells all cores, that is read, and a remark says
    where the factors differ.
    """
    for at, row in enumerate(sheet.rows[:MOST_ROWS_ABOVE]):
        headings = headings_of(row)
        found = _factors(headings, sheet.name)
        if found is None:
            told = _beside_all_cores(sheet, at, headings)
            if told is None:
                continue
            return told
        rows = sheet.rows[at + 1 :]
        sockets, cores = (_numbers(cells_of(rows, place), sheet) for place in (found.sockets, found.cores))
        if sockets is None or cores is None or not any(sockets):
            return sheet
        product = [
            a * b if a is not None and b is not None and not _is_of_totals(row) else None
            for row, a, b in zip(rows, sockets, cores, strict=True)
        ]
        totals = [(place, _numbers(cells_of(rows, place), sheet)) for place in found.totals]
        if found.doubtful and any(_is_total_of(total, product) for _, total in totals):
            return sheet.with_heading(at, found.sockets, SOCKETS)
        too_few = any(a and b and a < b for a, b in zip(sockets, cores, strict=True))
        if found.vcpus or (found.doubtful and not too_few and not {*tokens(headings[found.cores])} & _CALLED_CPU):
            return sheet
        names = f"{headings[found.sockets]!r} x {headings[found.cores]!r}"
        if found.doubtful:
            said = f"{headings[found.sockets]!r} beside {headings[found.cores]!r} read as all CPUs, not multiplied"
            return _remarked(sheet, ("suspicious", "vcpus", said))
        if _is_of_processors(headings[found.sockets]) and max(filter(None, sockets)) > MOST_SOCKETS:
            return sheet
        for place, total in totals:
            if total is not None and any(total):
                return _compared(sheet, at, product, total, f"{headings[place]!r}", names)
        return _multiplied(sheet, at, found, product, names)
    return sheet


def _beside_all_cores(sheet: Sheet, at: int, headings: Sequence[str]) -> Sheet | None:
    """The sheet with its column of CPUs called sockets where another column of physical cores is larger; None where the
    row of headings has no two such columns.

    Every row must have whole cores for each CPU. Where some have fewer cores than CPUs, a remark says so.
    """
    cpus = [place for place, text in enumerate(headings) if plain(text).lstrip("#") in _CALLED_CPU]
    cores = [place for place, text in enumerate(headings) if place not in cpus and _is_of_all_cores(text)]
    if len(cpus) != 1 or len(cores) != 1:
        return None
    rows = [row for row in sheet.rows[at + 1 :] if not _is_of_totals(row)]
    read = [_numbers(cells_of(rows, place), sheet) for place in (cpus[0], cores[0])]
    if None in read:
        return sheet
    pairs = [(one, other) for one, other in zip(*read, strict=True) if one and other]
    differ = [(one, other) for one, other in pairs if one != other]
    if not differ:
        return sheet
    cpu, core = (repr(headings[place]) for place in (cpus[0], cores[0]))
    if all(one <= MOST_SOCKETS and other >= one and other % one == 0 for one, other in pairs):
        message = (
            f"{cpu} beside {core} read as sockets, {core} as the cores of all: if they are the cores of each CPU, "
            "there are more"
        )
        kind = "guessed" if is_of_hosts(headings) else "suspicious"
        return _remarked(sheet.with_heading(at, cpus[0], SOCKETS), (kind, "cores", message))
    message = f"{counted(len(differ), 'row')} whose {cpu} differ from {core}: {cpu} read where it counts CPUs"
    return _remarked(sheet, ("suspicious", "vcpus", message))


def _is_of_all_cores(heading: str) -> bool:
    called = _means(heading, "hosts", "cores") and plain(heading) not in _CALLED_CPU
    return called and not counts_threads(heading) and _VIRTUAL.isdisjoint(tokens(heading))


def _is_total_of(total: list | None, product: list) -> bool:
    """Whether a column holds the product of two others wherever both are told."""
    pairs = [(one, other) for one, other in zip(total or [], product, strict=False) if one and other]
    return bool(pairs) and all(one == other for one, other in pairs)


def _factors(headings: Sequence[str], title: str) -> _Factors | None:
    per = [place for place, text in enumerate(headings) if _is_per_socket(text)]
    if len(per) != 1:
        return None
    others = [place for place, text in enumerate(headings) if text and place not in per]
    counts = [
        place
        for place in others
        if _means(headings[place], "hosts", "sockets") or plain(headings[place]) in _CALLED_CPU
    ]
    by_name = [place for place in counts if not _is_of_processors(headings[place])]
    of_hosts = table_of(title) == "hosts" or is_of_hosts([headings[place] for place in others])
    chosen = by_name or counts
    if len(chosen) != 1:
        return None
    rest = [place for place in others if place != chosen[0] and not counts_threads(headings[place])]
    totals = tuple(place for place in rest if _means(headings[place], "hosts", "cores"))
    vcpus = tuple(
        place
        for place in rest
        if place not in totals and _means(headings[place], "workloads", "vcpus") and not of_hosts
    )
    doubtful = not by_name and not of_hosts
    return _Factors(sockets=chosen[0], cores=per[0], totals=totals, vcpus=vcpus, doubtful=doubtful)


def is_of_hosts(headings: Sequence[str]) -> bool:
    """Whether headings are those of a list of hosts: of VMs, a column tells the host beside one of names."""
    called = [table_of(heading) for heading in headings]
    named_else = [
        heading
        for heading, table in zip(headings, called, strict=True)
        if table != "hosts" and _means(heading, "workloads", "name")
    ]
    described = any(_means(heading, "hosts", "model") for heading in headings)
    return "workloads" not in called and (described or ("hosts" in called and not named_else))


def _is_per_socket(heading: str) -> bool:
    known = {"".join(phrase) for phrase in phrases(PER_SOCKET)}
    return not known.isdisjoint({plain(heading), plain(heading).lstrip("#")})


def _is_of_totals(row: Sequence[object]) -> bool:
    """Whether a row is called a total: the product of two sums is not the sum of the products."""
    return any(isinstance(cell, str) and total_word(cell) for cell in row)


def _is_of_processors(heading: str) -> bool:
    """Whether a heading of sockets could as well count the CPUs that a VM has."""
    return _means(heading, "workloads", "vcpus")


def _means(heading: str, table: str, attribute: str) -> bool:
    return named(heading, table).get(attribute, 0.0) >= BESIDE


def _numbers(cells: list, sheet: Sheet) -> list[float | None] | None:
    """Cells as numbers; None where one is neither blank nor a number."""
    read = numbers_of(cells, wanted="", unit="", stated=True, sheet=style_of(cells), delimiter=sheet.delimiter)
    if read.findings or any(isinstance(cell, str) and cell.strip() for cell in read.cells):
        return None
    return [float(cell) if isinstance(cell, float | int) else None for cell in read.cells]


def _compared(sheet: Sheet, at: int, product: list, total: list, heading: str, names: str) -> Sheet:
    """The sheet with a remark where all cores and the factors disagree."""
    pairs = list(zip(product, total, strict=True))
    wrong = [row for row, (one, other) in enumerate(pairs) if one and other and one != other]
    if not wrong:
        return sheet
    one, other = pairs[wrong[0]]
    message = (
        f"{counted(len(wrong), 'row')} whose {heading} differ from {names}, such as {other:g} and {one:g} in row "
        f"{sheet.row_numbers[at + 1 + wrong[0]]}: {heading} read"
    )
    return _remarked(sheet, ("suspicious", "cores", message))


def _remarked(sheet: Sheet, remark: tuple[str, str, str]) -> Sheet:
    """The sheet with a remark more, once however often it is looked at."""
    return replace(sheet, remarks=tuple(dict.fromkeys((*sheet.remarks, remark))))


def _multiplied(sheet: Sheet, at: int, found: _Factors, product: list, names: str) -> Sheet:
    if _is_of_processors(str(sheet.rows[at][found.sockets])):
        # Called CPUs, they would be read as all that a server has where its list is one of servers to place.
        sheet = sheet.with_heading(at, found.sockets, SOCKETS)
    width = max(len(row) for row in sheet.rows)
    heads = [*sheet.rows[at], *[None] * (width - len(sheet.rows[at])), HEADING]
    below = [
        [*row, *[None] * (width - len(row)), cores] for row, cores in zip(sheet.rows[at + 1 :], product, strict=True)
    ]
    remark = ("converted", "cores", f"cores are {names}")
    return replace(sheet, rows=[*sheet.rows[:at], heads, *below], remarks=(*sheet.remarks, remark))
