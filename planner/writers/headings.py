"""Headings that people read, for the columns of report tables."""

from __future__ import annotations

from planner.policy import RESOURCE_UNITS

_WHOLE = {
    "workload": "Workload",
    "host": "Host",
    "model": "Model",
    "pool": "Pool",
    "vcpus": "vCPUs",
    "memory_gib": "Memory (GiB)",
    "storage_gib": "Storage (GiB)",
    "network_gbps": "Network (Gbps)",
    "os": "Operating system",
    "metric": "Figure",
    "count": "How many",
    "licences": "Licensed units",
    "host_today": "Host today",
    "cpu_busy": "CPU busy",
    "watts": "Power (W)",
    "today_per_year": "Today per year",
    "plan_per_year": "Plan per year",
    "saving_per_year": "Saving per year",
    "today_horizon": "Today over the horizon",
    "plan_horizon": "Plan over the horizon",
    "saving_horizon": "Saving over the horizon",
    "keeping_horizon": "Keeping over the horizon",
    "replacing_horizon": "Replacing over the horizon",
    "new_share": "Share of a new host",
    "electricity_break_even": "Break-even of electricity (money/kWh)",
    "pays_after_years": "Replacing pays after (years)",
    "today_yearly": "Today every year",
    "plan_yearly": "Plan every year",
    "energy_per_kwh": "Electricity price",
    "pue": "PUE",
    "carbon_kg_per_kwh": "Grid carbon",
    "vcpu_activity": "vCPUs busy on average",
    "host_idle_w": "Watts idle, where unknown",
    "host_peak_w": "Watts at full load, where unknown",
    "maintenance_per_host_year": "Maintenance",
    "rack_unit_year": "Rack space",
    "administration_per_host_year": "Administration",
    "migration_per_workload": "Migration",
    "disposal_per_host": "Disposal",
    "residual_share": "Worth left at the end",
    "years": "Years added up",
    "energy_kwh": "Energy (kWh/year)",
    "carbon_kg": "Carbon (kg CO2e)",
    "hosts_bound": "Proven: not fewer hosts than",
    "cost_bound": "Proven: not less cost than",
    "energy_kwh_bound": "Proven: not less energy than (kWh/year)",
    "carbon_kg_bound": "Proven: not less carbon than (kg CO2e)",
    "moves_bound": "Proven: not fewer moves than",
}
EXPLANATIONS = {
    "sentences": "Explanations",
    "binding": "What binds",
    "proof": "Why not fewer",
    "changes": "What would save",
    "conflict": "What conflicts",
    "division": "Adding up",
}
"""What each table of an explanation is called; the sentences come first."""

PROPOSALS = "Proposed rules"
"""Sheet of what the files show that a plan should keep, and whether it does."""

_RESOURCES = {"cpu": "CPU", "iops": "IOPS", "gpus": "GPUs"}


def heading(column: str) -> str:
    """The heading of a report column.

    >>> heading("cpu_used"), heading("memory_utilisation"), heading("from_host"), heading("cost (EUR)")
    ('CPU used (vCPU)', 'Memory utilisation', 'From host', 'Cost (EUR)')

    The name of a product, of which costs have a column each, stays as it is:

    >>> heading("windows-server")
    'windows-server'
    """
    if column in _WHOLE:
        return _WHOLE[column]
    resource, _, figure = column.rpartition("_")
    if resource in RESOURCE_UNITS and figure in ("used", "capacity", "utilisation"):
        unit = "" if figure == "utilisation" else f" ({RESOURCE_UNITS[resource]})"
        return f"{_RESOURCES.get(resource, resource.capitalize())} {figure}{unit}"
    told = column.replace("_", " ")
    return told if "-" in told else told[:1].upper() + told[1:]
