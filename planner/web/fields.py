"""The fields of the form: policy, the host models that may be bought, and proposed rules.

`policy`, as `money.prices`, draws its fields and returns what makes the object, because a figure out of range is an
error to show when the form is sent, not while it is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import streamlit as st

import planner
from planner import proposals as proposing
from planner import schema
from planner.catalogue import host_models as catalogue_models
from planner.catalogue import table as catalogue_table
from planner.policy import PRESETS
from planner.shortlist import shortlist
from planner.sizing import column_of
from planner.web.source import Chosen

EDITED = (
    "buy", "name", "cores", "memory_gib", "storage_gib", "network_gbps", "price", "idle_w", "peak_w", "power_curve",
    "rack_units", "embodied_kgco2e", "count", "estimate", "from",
)  # fmt: skip


def presets_in_words() -> str:
    """What the presets differ in, a line each."""
    lines = []
    for name in PRESETS:
        made = planner.Policy.preset(name)
        lines.append(
            f"- **{name}**: {made.overcommit.cpu:g} vCPUs a core, {made.headroom.cpu:.0%} of CPU and "
            f"{made.headroom.memory:.0%} of memory left free, {made.failover.hosts} hosts may fail"
        )
    return "\n".join([*lines, "", "Every figure can be changed below."])


def hypervisor(place, preset: str) -> str:
    """The hypervisor whose overhead the catalogue fills in; the preset's own at first."""
    names = catalogue_table("hypervisors")["name"].unique().tolist()
    return place.selectbox(
        "Hypervisor", names, index=names.index(planner.Policy.preset(preset).hypervisor.name),
        key=f"hypervisor_{preset}",
        help="Fills in what it takes from each host; most figures are estimates, and each can be changed below.",
    )  # fmt: skip


def policy(preset: str, hypervisor: str, inventory: planner.Inventory) -> Callable[[], planner.Policy]:
    """Fields of a policy, filled in from a preset and from the catalogue's figures for a hypervisor."""
    base = replace(planner.Policy.preset(preset), hypervisor=planner.Hypervisor.known(hypervisor))

    def number(place, label: str, name: str, value: float, minimum: float, maximum: float, step: float):
        filled_by = f"{preset}_{hypervisor}" if name.startswith("hypervisor_") else preset
        return place.number_input(
            label, float(minimum), float(maximum), float(value), step, "%g", key=f"{name}_{filled_by}"
        )

    sizing = _sizing(base, number, inventory)
    st.markdown("**Left free on each host (%)**")
    free = {
        name: number(place, f"{label} free (%)", f"headroom_{name}", 100 * getattr(base.headroom, name), 0, 95, 5.0)
        for place, label, name in zip(
            st.columns(4), ("CPU", "Memory", "Storage", "Network"), ("cpu", "memory", "storage", "network"), strict=True
        )
    }
    st.markdown("**Taken by the hypervisor**")
    a, b, c, d = st.columns(4)
    taken = base.hypervisor
    cores = number(a, "Cores per host", "hypervisor_cores", taken.cores_per_host, 0, 1024, 1.0)
    host_memory = number(b, "Memory per host (GiB)", "hypervisor_memory", taken.memory_gib_per_host, 0, 65536, 4.0)
    storage = number(c, "Storage per host (GiB)", "hypervisor_storage", taken.storage_gib_per_host, 0, 1048576, 16.0)
    each = number(d, "Memory per workload (GiB)", "hypervisor_each", taken.memory_gib_per_workload, 0, 1024, 0.05)
    failover = _failover(base, preset, inventory)
    st.markdown("**Growth**")
    a, b, _ = st.columns([1, 1, 2])
    growth = number(a, "Growth per year (%)", "growth", 100 * base.growth.per_year, -50, 500, 5.0)
    years = number(b, "Growth over (years)", "growth_years", base.growth.years, 0, 30, 1.0)

    def made() -> planner.Policy:
        made = replace(
            base,
            **sizing(),
            headroom=replace(base.headroom, **{name: round(value / 100, 6) for name, value in free.items()}),
            hypervisor=replace(
                taken,
                cores_per_host=cores,
                memory_gib_per_host=host_memory,
                storage_gib_per_host=storage,
                memory_gib_per_workload=each,
            ),
            failover=failover(),
            growth=planner.Growth(per_year=round(growth / 100, 6), years=years),
        )
        return made if made == planner.Policy.preset(preset) else replace(made, name=f"{preset}, adjusted")

    return made


def _failover(base: planner.Policy, preset: str, inventory: planner.Inventory) -> Callable[[], planner.Failover]:
    """Fields of the reserve for hosts that fail; those of what holds meanwhile count only where it is verified."""
    st.markdown("**Hosts that may fail**")
    a, b, c, d, e = st.columns([2, 3, 2, 3, 3])
    fail = a.number_input("Hosts that may fail", 0, 64, base.failover.hosts, key=f"failover_hosts_{preset}")
    modes = {
        "share": "room shared by all hosts",
        "spare": "whole spare hosts",
        "verified": "a restart found for every failure",
    }
    mode = b.selectbox(
        "Reserve kept as", list(modes), index=list(modes).index(base.failover.mode), format_func=modes.get,
        key=f"failover_mode_{preset}",
    )  # fmt: skip
    racks = not schema.is_blank(inventory.hosts["rack"]).any() and len(inventory.hosts) > 0
    within = c.selectbox(
        "Lost as one", ["host", "rack"] if racks else ["host"], key="failover_within", disabled=not racks,
        help="For a restart found for every failure: single hosts, or whole racks where the file names every host's.",
    )  # fmt: skip
    relaxed = {
        name: place.number_input(
            label, 0.1, most, None, step, "%g", key=f"failover_{name}", placeholder="as otherwise",
            help="For a restart found for every failure: what is promised while hosts are lost.",
        )
        for place, label, name, most, step in (
            (d, "vCPUs per core meanwhile", "overcommit_cpu", 64.0, 0.5),
            (e, "Memory per GiB meanwhile", "overcommit_memory", 10.0, 0.1),
        )
    }  # fmt: skip

    def made() -> planner.Failover:
        if mode != "verified":
            return planner.Failover(hosts=int(fail), mode=mode)
        return replace(base.failover, hosts=int(fail), mode=mode, within=within, **relaxed)

    return made


def _sizing(base: planner.Policy, number: Callable, inventory: planner.Inventory) -> Callable[[], dict]:
    """Fields of overcommit and sizing; returns what makes both."""
    a, b, c, d = st.columns(4)
    cpu = number(a, "vCPUs per core", "overcommit_cpu", base.overcommit.cpu, 0.1, 64, 0.5)
    memory = number(b, "Memory promised per GiB", "overcommit_memory", base.overcommit.memory, 0.1, 10, 0.1)
    cpu_basis = _basis(c, "Size CPU by", "cpu", inventory)
    memory_basis = _basis(d, "Size memory by", "memory", inventory)
    a, b, _ = st.columns([1, 1, 2])
    reference = a.number_input(
        "Reference clock (GHz)", 0.1, 20.0, base.sizing.reference_ghz, 0.1, "%g", key=f"reference_ghz_{base.name}",
        placeholder="not needed",
        help="Only where some workloads are sized by vCPUs and others by measured GHz: the slowest host's clock.",
    )  # fmt: skip
    threads = number(b, "A hyper-threaded core counts as", "threads", base.sizing.hyper_threading_weight, 1, 2, 0.05)
    return lambda: {
        "overcommit": replace(base.overcommit, cpu=cpu, memory=memory),
        "sizing": planner.Sizing(
            cpu=cpu_basis, memory=memory_basis, reference_ghz=reference, hyper_threading_weight=threads
        ),
    }


def _basis(place, label: str, resource: str, inventory: planner.Inventory) -> str:
    """The bases that the file has a figure of for every workload."""
    words = {
        "allocated": "what is allocated",
        "used": "what is used",
        "average": "average use",
        "p95": "95th percentile of use",
        "peak": "peak use",
    }
    known = [basis for basis in words if inventory.workloads[column_of(resource, basis)].notna().all()]
    return place.selectbox(
        label, known, format_func=words.get, key=f"sizing_{resource}", disabled=len(known) == 1,
        help="What the file has a figure of for every workload. Its column Sizing goes before this.",
    )  # fmt: skip


def host_models(chosen: Chosen) -> pd.DataFrame:
    """A table of what the file and the catalogue offer, to tick, change and add to."""
    st.caption(
        "Tick what may be bought; prices are estimates until you put in your quote. A blank count means as many as "
        "needed. Rows can be changed and added. Nothing ticked means that only today's hosts are used. Where neither "
        "hosts nor models stand in the file, a few that are current and suit its size are ticked."
    )
    attributes = schema.attributes("host_models")
    columns = {name: attributes[name].heading for name in EDITED if name in attributes}
    return st.data_editor(
        _offered(chosen.inventory),
        hide_index=True,
        height=300,
        num_rows="dynamic",
        column_order=EDITED,
        column_config={
            **columns,
            "buy": st.column_config.CheckboxColumn("May be bought", default=True),
            "power_curve": st.column_config.TextColumn(
                columns["power_curve"], help=attributes["power_curve"].description
            ),
            "estimate": st.column_config.TextColumn(columns["estimate"], help=attributes["estimate"].description),
            "from": st.column_config.TextColumn("Offered by", disabled=True, default="you"),
        },
        key=f"models_{chosen.key}",
    )


def proposals(chosen: Chosen) -> dict[str, bool]:
    """The list of proposed rules with a box each to switch it on or off: whether each is on, by its key."""
    if not chosen.inventory.proposals:
        return {}
    st.markdown("**Proposed rules**")
    st.caption("What the export shows that a plan should keep. Tick what the plan is to keep.")
    shown = proposing.to_frame(chosen.inventory.proposals)
    headings = {"what": "Proposed rule", "workloads": "Workloads", "why_off": "Why it is off", "source": "Source"}
    edited = st.data_editor(
        shown,
        hide_index=True,
        column_order=["on", *headings, "key"],
        column_config={
            **headings,
            "on": st.column_config.CheckboxColumn("On"),
            "key": "Key",
        },
        disabled=[column for column in shown if column != "on"],
        key=f"proposals_{chosen.key}",
    )
    return dict(zip(edited["key"], edited["on"].astype(bool).tolist(), strict=True))


def _offered(inventory: planner.Inventory) -> pd.DataFrame:
    mine = inventory.host_models.assign(buy=True, **{"from": "your file"})
    others = catalogue_models("*")
    titles = catalogue_table("host_models").set_index("name")["title"]
    taken = set(mine["name"]) | set(inventory.hosts["name"])
    others = others[~others["name"].isin(taken)]
    alone = mine.empty and inventory.hosts.empty
    ticked = others["name"].isin(shortlist(others, inventory.workloads)) & alone
    others = others.assign(buy=ticked, **{"from": "catalogue: " + others["name"].map(titles)})
    others = others.sort_values("buy", ascending=False, kind="stable")
    return pd.concat([frame for frame in (mine, others) if len(frame)], ignore_index=True)


def bought(models: pd.DataFrame) -> pd.DataFrame:
    """The rows that are ticked and have a name, as the table of host models that a problem takes."""
    ticked = models["buy"].fillna(False).astype(bool) & ~schema.is_blank(models["name"])
    return models[ticked].drop(columns=["buy", "from"]).reset_index(drop=True)
