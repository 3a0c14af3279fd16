"""Problem: an inventory, what may be bought, and the policy, as demand and capacity arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from functools import cached_property, partial
from typing import Literal, get_args

import numpy as np
import pandas as pd

from planner import schema
from planner.errors import InputError, did_you_mean, nearest
from planner.inventory import Inventory
from planner.laws import Laws, offered, require_room, resolve
from planner.losses import require_survivors
from planner.policy import RESOURCE_UNITS, RESOURCES, Policy
from planner.power import load_curves
from planner.prices import Prices, exchanged
from planner.proposals import CPU_RESERVATION, Proposal
from planner.rules import Rule
from planner.sizing import require_clocks
from planner.storage import PoolStorage, pool_storage, storage_among
from planner.timeline import Timeline, timeline_of
from planner.units import counted

Objective = Literal["hosts", "cost", "energy", "carbon"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Everything a placement is judged by. Make one with `Problem.build`, vary it with `problem.replace`.

    Parameters
    ----------
    inventory, policy, prices, objective
        As given to `build`; a proposal of the inventory may have raised the policy's failover.
    rules : tuple of Rule
        Those given, the inventory's own, and those of its proposals that are on.
    given_rules : tuple of Rule
        The rules without those of proposals.
    workloads : DataFrame
        One row per workload (rows with a `count` written out), columns of the schema, index 0..W-1.
    hosts : DataFrame
        One row per owned host, then one row per host model; columns of the schema, and `owned` (bool) and `available`
        (how many there are, inf for as many as needed), index 0..H-1.
    resources : tuple of str
        The limits, in order.
    demand : array of float, shape [W, R, P]
        Demand of each workload by resource and period; one period is the static case. Read-only.
    timeline : Timeline, optional
        Where the policy plans by the hour: the series that `demand` is the periods of, for the checker.
    capacity : array of float, shape [H, R]
        Capacity of one host of each row, inf where not limited. Read-only.
    shared_storage : tuple of PoolStorage
        Storage of each pool where the policy has pools share it; it is no resource of a host then.
    laws : Laws
        What the rules and the columns that stand for rules ask of a placement, by rows of `workloads` and `hosts`.
    """

    inventory: Inventory
    policy: Policy
    rules: tuple[Rule, ...]
    given_rules: tuple[Rule, ...]
    prices: Prices
    objective: Objective
    merge_pools: bool
    extra_resources: tuple[str, ...]
    host_models: pd.DataFrame
    workloads: pd.DataFrame
    hosts: pd.DataFrame
    resources: tuple[str, ...]
    demand: np.ndarray
    capacity: np.ndarray
    shared_storage: tuple[PoolStorage, ...] = ()
    laws: Laws = field(default_factory=Laws)
    timeline: Timeline | None = None

    @classmethod
    def build(
        cls,
        inventory: Inventory,
        host_models: pd.DataFrame | None = None,
        policy: Policy | str | None = None,
        rules: Iterable[Rule] = (),
        prices: Prices | None = None,
        objective: Objective = "hosts",
        *,
        resources: Sequence[str] = (),
        merge_pools: bool = False,
    ) -> Problem:
        """The problem of placing an inventory's workloads on its hosts and on host models that can be bought.

        Parameters
        ----------
        inventory : Inventory
        host_models : DataFrame, optional
            What may be bought; by default what the inventory's own file offers, which may be nothing.
        policy : Policy or str, optional
            A policy or the name of a preset; "balanced" by default.
        rules : iterable of Rule
            Beside those of the inventory and of its proposals that are on, see `Inventory.switch`.
        prices : Prices, optional
        objective : {"hosts", "cost", "energy", "carbon"}
            What is to be least.
        resources : sequence of str
            Further limits: names of columns that stand on workloads and on hosts alike.
        merge_pools : bool
            Plan all pools as one.

        Raises
        ------
        InputError
            No workload or no host, a measurement or price that the policy or objective needs and that is blank, a rule
            that names nothing or contradicts another, or shared storage of which no figure is known.
        """
        policy = Policy.preset("balanced") if policy is None else policy
        policy = Policy.preset(policy) if isinstance(policy, str) else policy
        proposed = [one for one in inventory.proposals if one.on]
        policy = _with_failover(policy, proposed)
        resources = tuple(dict.fromkeys([*resources, *(one.resource for one in proposed if one.resource)]))
        prices = Prices() if prices is None else prices
        if objective not in get_args(Objective):
            raise InputError(f"objective: found {objective!r}{did_you_mean(str(objective), get_args(Objective))}")
        models = inventory.host_models if host_models is None else schema.conform(host_models, "host_models")
        workloads = _expanded(inventory.workloads, "workload")
        if workloads.empty:
            raise InputError(
                f"inventory: found no workload to plan for ({len(inventory.left_out):,} left out), "
                "expected at least one"
            )
        hosts = _candidates(_expanded(inventory.hosts, "host"), exchanged(models, prices))
        if CPU_RESERVATION in resources and CPU_RESERVATION not in hosts:
            hosts[CPU_RESERVATION] = hosts["cores"] * hosts["ghz"]
        if merge_pools:
            workloads, hosts = workloads.assign(pool=""), hosts.assign(pool="")
        timeline = timeline_of(inventory.series, workloads, policy)
        _require_exchange(models, hosts, prices, objective)
        _require_figures(workloads, hosts, policy, objective)
        harvested = dict.fromkeys(rule for one in proposed for rule in one.rules)
        given = tuple(rule for rule in dict.fromkeys([*inventory.rules, *_rules(rules)]) if rule not in harvested)
        rules = (*given, *harvested)
        left = offered(rules, hosts)
        hosts = hosts.assign(available=left["available"])
        names, demand, capacity = _arrays(workloads, left, policy, resources, timeline)
        shared = pool_storage(policy, workloads, left, inventory.workloads["pool"], inventory.shared_storage_gib)
        laws = resolve(rules, workloads, hosts)
        require_room(laws, workloads, hosts, partial(_fitting, demand, capacity))
        require_survivors(policy.failover, laws, workloads, hosts)
        return cls(
            inventory=inventory,
            policy=policy,
            rules=rules,
            given_rules=given,
            prices=prices,
            objective=objective,
            merge_pools=merge_pools,
            extra_resources=resources,
            host_models=models,
            workloads=workloads,
            hosts=hosts,
            resources=names,
            demand=demand,
            capacity=capacity,
            shared_storage=shared,
            laws=laws,
            timeline=timeline,
        )

    def replace(self, **changes) -> Problem:
        """The problem built again with some arguments of `build` changed: a what-if.

        Examples
        --------
        ``problem.replace(policy="dense")``, ``problem.replace(objective="cost")``.
        """
        # The rules that stand in the inventory are among those given by now, where a change may drop them.
        arguments = {
            "inventory": dataclasses.replace(self._proposing(changes), rules=()),
            "host_models": self.host_models,
            "policy": self.policy,
            "rules": self.given_rules,
            "prices": self.prices,
            "objective": self.objective,
            "resources": self.extra_resources,
            "merge_pools": self.merge_pools,
        }
        unknown = [name for name in changes if name not in arguments]
        if unknown:
            raise InputError(f"replace: found {unknown[0]!r}{did_you_mean(unknown[0], arguments)}")
        return Problem.build(**(arguments | changes))

    def _proposing(self, changes: dict) -> Inventory:
        """The inventory with those proposals off that a change of rules or policy goes against."""
        gone: set[str] = set()
        proposed = [one for one in self.inventory.proposals if one.on]
        if "rules" in changes:
            changes["rules"] = kept = _rules(changes["rules"])
            gone |= {one.key for one in proposed if not set(kept).issuperset(one.rules)}
        policy = changes.get("policy")
        if policy is not None:
            policy = Policy.preset(policy) if isinstance(policy, str) else policy
            gone |= {one.key for one in proposed if one.failover_hosts > policy.failover.hosts}
        return self.inventory.switch_as(dict.fromkeys(gone, False))

    def without(self, workloads: Iterable[str]) -> Problem:
        """The problem with some workloads left out; rules hold for those that stay.

        `replace` on it builds anew, where a rule that names none of those that stay is an error.

        Parameters
        ----------
        workloads : iterable of str
            Names as in `problem.workloads`.

        Raises
        ------
        InputError
            A name that is not there, nothing left to place, or CPU left in another unit than before.
        """
        out, names = set(workloads), self.workloads["name"]
        unknown = sorted(out - set(names))
        if unknown:
            raise InputError(f"without: found workload {unknown[0]!r}{did_you_mean(unknown[0], names)}")
        stays = ~names.isin(out).to_numpy()
        left, kept = self.workloads[stays].reset_index(drop=True), np.flatnonzero(stays)
        if not len(kept):
            raise InputError(f"without: found all {len(names):,} workloads, expected at least one to stay")
        if self.policy.sizing.cpu_unit(left) != self.cpu_unit:
            raise InputError("without: all that stay are measured in GHz, expected one sized by its vCPUs to stay")
        demand = self.demand[kept]
        demand.flags.writeable = False
        inventory = changed(
            self.inventory, workloads=_expanded(self.inventory.workloads, "workload")[stays].reset_index(drop=True)
        )
        timeline = None if self.timeline is None else changed(self.timeline, row=self.timeline.row[kept])
        return changed(
            self,
            inventory=inventory,
            workloads=left,
            demand=demand,
            shared_storage=storage_among(self.shared_storage, self.policy, left),
            laws=self.laws.among(kept),
            timeline=timeline,
        )

    @property
    def pools(self) -> tuple[str, ...]:
        """The workloads' pools, sorted; ("",) where none is named."""
        return tuple(sorted(self.workloads["pool"].unique()))

    @cached_property
    def cpu_unit(self) -> str:
        """Unit of CPU figures: GHz where every workload is sized by measured CPU, else vCPU."""
        return self.policy.sizing.cpu_unit(self.workloads)

    @cached_property
    def in_failure(self) -> Problem:
        """The problem while hosts are lost: demand and capacity by `Policy.in_failure`, the same rules, no reserve."""
        policy = self.policy.in_failure
        if not self.policy.failover.relaxed:
            return changed(self, policy=policy)
        left = offered(self.rules, self.hosts)
        _, demand, capacity = _arrays(self.workloads, left, policy, self.extra_resources, self.timeline)
        return changed(self, policy=policy, demand=demand, capacity=capacity)

    def unit(self, resource: str) -> str:
        """Unit of a resource's figures."""
        return self.cpu_unit if resource == "cpu" else RESOURCE_UNITS.get(resource, resource)

    def __repr__(self) -> str:
        owned = int(self.hosts["owned"].sum())
        hosts = f"{counted(owned, 'owned host')} and {counted(len(self.hosts) - owned, 'host model')}"
        return (
            f"Problem({counted(len(self.workloads), 'workload')} on {hosts} in {counted(len(self.pools), 'pool')}; "
            f"{', '.join(self.resources)}; policy {self.policy.name}; least {self.objective})"
        )


def _with_failover(policy: Policy, proposed: list[Proposal]) -> Policy:
    """The policy with as many hosts that may fail as the proposals ask for at least."""
    least = max((proposal.failover_hosts for proposal in proposed), default=0)
    if policy.failover.hosts >= least:
        return policy
    return changed(policy, failover=changed(policy.failover, hosts=least), name=f"{policy.name}, adjusted")


def _expanded(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    """One row for each of `count`; rows that stand for several are named name-1, name-2, ..."""
    counts = frame["count"].fillna(1).astype("int64").to_numpy()
    if (counts == 1).all():
        return frame.reset_index(drop=True)
    positions = np.repeat(np.arange(len(frame)), counts)
    number = np.arange(len(positions)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    result = frame.iloc[positions].reset_index(drop=True)
    numbered = result["name"] + "-" + pd.Series(number).astype(str)
    result["name"] = result["name"].where(counts[positions] == 1, numbered)
    result["count"] = 1.0
    twice = result["name"][result["name"].duplicated()]
    if len(twice):
        raise InputError(f"{what} {twice.iloc[0]!r}: a row of that name and a row with a count both give this name")
    return result


def _candidates(owned: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    owned = owned.assign(owned=True, available=1.0)
    count = models["count"].fillna(np.inf)
    models = models.assign(owned=False, available=count, model=models["name"], maintenance="no", resale=np.nan)
    clash = set(owned["name"]) & set(models["name"])
    if clash:
        raise InputError(f"host model {min(clash)!r}: an owned host has the same name, expected different names")
    if owned.empty and models.empty:
        raise InputError(
            "hosts: found no owned host and no host model, expected at least one of either to place on "
            "(sheet Hosts or Host models, --hosts or --host-models)"
        )
    frames = [frame for frame in (owned, models) if not frame.empty]
    return pd.concat(frames, ignore_index=True)


def _require_exchange(models: pd.DataFrame, hosts: pd.DataFrame, prices: Prices, objective: str) -> None:
    """Objective cost needs the catalogue's prices of hosts in the currency of all prices."""
    lost = hosts["name"].isin(models.loc[models["price"].notna(), "name"]) & hosts["price"].isna() & ~hosts["owned"]
    if objective == "cost" and lost.any():
        own, other = prices.currency, Prices.currency
        raise InputError(
            f"host model {hosts.loc[lost, 'name'].iloc[0]!r}: its price is the catalogue's, in {other}, found prices "
            f"in {own}; expected exchange with what 1 {other} is worth, or a price of your own"
        )


def _require_figures(workloads: pd.DataFrame, hosts: pd.DataFrame, policy: Policy, objective: str) -> None:
    policy.overcommit.require_tiers(workloads["tier"])
    require_clocks(policy.sizing, workloads, hosts)
    load_curves(hosts)
    needs = []
    if policy.sizing.cpu_unit(workloads) == "GHz":
        needs.append((hosts, "ghz", "host", "sizing CPU by what is measured"))
    if objective == "cost":
        needs.append((hosts[~hosts["owned"]], "price", "host model", "objective cost"))
    for frame, column, what, why in needs:
        blank = frame.loc[frame[column].isna(), "name"]
        if len(blank):
            raise InputError(
                f"{what} {blank.iloc[0]!r}: {column} is blank ({len(blank):,} of {len(frame):,} are); "
                f"{why} needs it for every {what}"
            )


def _arrays(
    workloads: pd.DataFrame,
    hosts: pd.DataFrame,
    policy: Policy,
    extra: tuple[str, ...],
    timeline: Timeline | None,
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Resource names, demand [W, R, P] and capacity [H, R]; resources that limit nothing here are left out."""
    demand = policy.demand_table(workloads)
    capacity = policy.capacity_table(hosts, policy.sizing.cpu_unit(workloads))
    for name in extra:
        if name in demand:
            raise InputError(f"resources: {name!r} is a resource already, expected a further column")
        demand[name] = _extra_column(workloads, name, "workloads", blank=0.0)
        capacity[name] = _extra_column(hosts, name, "hosts", blank=np.inf)
    names = tuple(
        name
        for name in (*RESOURCES, *extra)
        if name in ("cpu", "memory") or (demand[name].any() and np.isfinite(capacity[name]).any())
    )
    demand_array = np.stack([demand[name] for name in names], axis=1).astype(float)[:, :, None]
    capacity_array = np.stack([capacity[name] for name in names], axis=1).astype(float)
    demand_array.flags.writeable = capacity_array.flags.writeable = False
    if timeline is not None:
        demand_array = timeline.demand(policy, names, demand_array, workloads)
    return names, demand_array, capacity_array


def _extra_column(frame: pd.DataFrame, name: str, table: str, blank: float) -> np.ndarray:
    if name not in frame:
        close = nearest(name, frame.columns)
        hint = f"; did you mean {close!r}?" if close else ""
        raise InputError(f"resources: found no column {name!r} on {table}{hint}")
    empty = schema.is_blank(frame[name])
    values = pd.to_numeric(frame[name].where(~empty), errors="coerce").astype("float64")
    bad = (values.isna() & ~empty) | (values < 0) | np.isinf(values)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"{table}, {frame['name'].iloc[row]!r}, column {name}: found {frame[name].iloc[row]!r}, "
            "expected a number from 0"
        )
    return values.fillna(blank).to_numpy()


def _rules(given: Iterable[Rule]) -> list[Rule]:
    rules = list(given)
    for number, rule in enumerate(rules, start=1):
        if not isinstance(rule, Rule):
            raise InputError(f"rule {number}: found {rule!r}, expected a rule such as KeepApart('sql-*')")
    return rules


def _fitting(demand: np.ndarray, capacity: np.ndarray, members: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Which of some workloads fit alone on a host of any of some rows: bool [len(members)]."""
    fits = np.zeros(len(members), dtype=bool)
    needs = demand[members].max(axis=2)
    for room in np.unique(capacity[rows], axis=0):
        fits |= (needs <= room).all(axis=1)
    return fits
