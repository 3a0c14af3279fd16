"""Weighted sums of objectives, as prices: what is traded against cost has a price of its own."""

from __future__ import annotations

import dataclasses
from typing import get_args

from planner.prices import LIMITS
from planner.problem import Objective, Problem

FINE = 1000.0
"""Money that the largest weight is made where cost has none, so that whole cents are a fine measure."""


def weighted(problem: Problem, weights: dict[str, float]) -> Problem:
    """The problem whose cost is a weighted sum of objectives, in prices alone: every method and bound holds for it.

    ``sum over objectives of weight * objective``, all scaled alike. What a host adds is a sum a year, what a kWh
    and its carbon add is on the price of energy, what embodied carbon adds on the price of a host.

    Parameters
    ----------
    problem : Problem
    weights : dict of str to float
        By hosts, cost, energy and carbon.

    Examples
    --------
    ``weighted(problem, {"hosts": 500.0, "cost": 1.0})`` has each host cost 500 more over the horizon.
    """
    prices, years = problem.prices, problem.prices.years_discounted
    largest = weights.get("cost") or max(weights.values()) / FINE
    hosts, money, energy, carbon = (weights.get(name, 0.0) / largest for name in get_args(Objective))
    kwh = energy + carbon * (prices.carbon_kg_per_kwh or 0.0) * prices.years
    per_kwh = money * (prices.energy_per_kwh or 0.0) + kwh / years
    dearest = LIMITS["energy_per_kwh"][1]
    down = min(dearest / per_kwh, 1.0) if per_kwh else 1.0
    hosts, money, carbon, per_kwh = (down * figure for figure in (hosts, money, carbon, per_kwh))
    yearly = money * (prices.administration_per_host_year or 0.0) + hosts / years
    changed = {
        name: None if getattr(prices, name) is None or not money else money * getattr(prices, name)
        for name in ("maintenance_per_host_year", "rack_unit_year", "migration_per_workload", "disposal_per_host")
    }
    licences = tuple(
        dataclasses.replace(one, price=None if one.price is None else money * one.price)
        for one in (prices.licences if money else ())
    )
    priced = dataclasses.replace(
        prices,
        energy_per_kwh=min(per_kwh, dearest) or None,
        administration_per_host_year=yearly or None,
        residual_share=None,
        licences=licences,
        ranges={},
        **changed,
    )
    models = problem.host_models
    own = money * models["price"] * (1 - prices.residual) if money else 0.0
    embodied = carbon * models["embodied_kgco2e"].fillna(0) if carbon else 0.0
    hosts_owned = problem.inventory.hosts
    inventory = dataclasses.replace(
        problem.inventory, rules=(), hosts=hosts_owned.assign(resale=hosts_owned["resale"] * money)
    )
    models = models.assign(price=own + embodied)
    return problem.replace(objective="cost", prices=priced, host_models=models, inventory=inventory)
