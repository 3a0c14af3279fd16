"""EVC modes of an RVTools export: a VM runs on hosts alone whose CPU baseline has what it needs."""

from __future__ import annotations

from functools import cache

from planner import catalogue
from planner.errors import nearest
from planner.proposals import Proposal
from planner.readers.columns import Column
from planner.readers.formats.rvtools.estate import Estate
from planner.readers.formats.rvtools.reach import Needs, proposals_of
from planner.units import counted

VM_COLUMNS = (Column(name="evc", label="min Required EVC Mode Key", aliases=("min Required EVC Mode",)),)
HOST_COLUMNS = (Column(name="evc_now", label="Current EVC"), Column(name="evc_most", label="Max EVC"))


@cache
def included() -> dict[str, frozenset[str]]:
    """For each baseline of the catalogue those whose features it has, itself among them."""
    parents = {row.key: [key for key in row.includes.split("|") if key] for row in catalogue.table("evc").itertuples()}

    def closure(key: str) -> frozenset[str]:
        return frozenset({key}).union(*(closure(parent) for parent in parents[key]))

    return {key: closure(key) for key in parents}


@cache
def estimated() -> frozenset[str]:
    """Baselines of the catalogue of which no source tells which others they include."""
    table = catalogue.table("evc")
    return frozenset(table.loc[table["estimate"].str.contains("includes"), "key"])


def evc(estate: Estate) -> list[Proposal]:
    """Proposals that keep VMs off hosts whose baseline lacks what they need.

    The baseline of a host is its current EVC mode, else the highest that its CPU offers; a host of which neither is
    known, or in the catalogue, is taken to do.
    """
    if not estate.vms.has("evc") or estate.host_part is None:
        return []
    wanted = [key.casefold() for key in estate.vms.frame["evc"].tolist()]
    frame = estate.host_part.frame
    baselines = [(now or most).casefold() for now, most in zip(frame["evc_now"], frame["evc_most"], strict=True)]
    needed = [key for key in dict.fromkeys(wanted) if key in included()]
    _note_unknown(estate, [key for row, key in enumerate(wanted) if estate.planned[row]], baselines)
    reached = [
        sum(1 << at for at, has in enumerate(baselines) if has not in included() or key in included()[has])
        for key in needed
    ]
    place = {key: at for at, key in enumerate(needed)}
    needs = Needs(
        kind="evc",
        what="EVC mode",
        things=needed,
        reached=reached,
        rows=[wanted.index(key) for key in needed],
        of=[(place[key],) if key in place else () for key in wanted],
        origin=estate.vms.origin,
        column="evc",
    )
    return proposals_of(estate, needs)


def _note_unknown(estate: Estate, wanted: list[str], baselines: list[str]) -> None:
    """Notes on modes that the catalogue lacks or estimates, and on hosts of which none is known."""
    for key in sorted({*wanted, *baselines} - {"", *included()}):
        close = nearest(key, included())
        hint = f"; the nearest is {close!r}" if close else ""
        message = f"EVC mode {key!r} is not in the catalogue: forbids nothing{hint}"
        estate.note("ignored", message, estate.vms.origin, "evc")
    known = {*wanted, *baselines} & {*included()}
    if len(known) > 1 and (unsure := sorted(known & estimated())):
        message = f"which EVC modes have what {', '.join(unsure)} has is an estimate of the catalogue"
        estate.note("guessed", message, estate.vms.origin, "evc")
    blank = baselines.count("")
    if blank and any(wanted):
        message = f"{counted(blank, 'host')} without an EVC mode: taken to have what VMs need"
        estate.note("guessed", message, estate.host_part.origin, "evc_most", baselines.index(""))
