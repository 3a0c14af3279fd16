"""How many servers do we really need? Places every workload, checks the plan, and proves a lower bound beside it."""

from planner import catalogue
from planner.anonymity import Anonymised, anonymise
from planner.baseline import today
from planner.checker import Violation, check
from planner.errors import InputError
from planner.explanations import Explanation, explain
from planner.fronts import Front
from planner.inventory import Inventory
from planner.numa import numa_fit, numa_misfits
from planner.periods import Periods
from planner.plan import Bound, Plan, Progress, Result, Status, Stop
from planner.policy import Failover, Growth, Headroom, Hypervisor, Policy
from planner.prices import Prices
from planner.problem import Problem
from planner.proposals import Proposal
from planner.ranges import Range
from planner.readers import read, read_series, read_table
from planner.readers.mapping import Mapping
from planner.readers.plans import read_plan
from planner.reports import Report, report
from planner.rules import (
    AvoidTag,
    Cap,
    Forbid,
    KeepApart,
    KeepTogether,
    Limit,
    Maintenance,
    NumaFit,
    Pin,
    RequireTag,
    Reserve,
)
from planner.scenarios import Scenario, sweep
from planner.sensitivity import Sensitivity, break_even, sensitivity
from planner.series import Series
from planner.sizing import Overcommit, Sizing
from planner.solvers import solve
from planner.solvers.failures import failures
from planner.storage import Storage
from planner.tradeoffs import pareto
from planner.verifier import verify
from planner.writers import to_bytes, write

__all__ = [
    "Anonymised",
    "AvoidTag",
    "Bound",
    "Cap",
    "Explanation",
    "Failover",
    "Forbid",
    "Front",
    "Growth",
    "Headroom",
    "Hypervisor",
    "InputError",
    "Inventory",
    "KeepApart",
    "KeepTogether",
    "Limit",
    "Maintenance",
    "Mapping",
    "NumaFit",
    "Overcommit",
    "Periods",
    "Pin",
    "Plan",
    "Policy",
    "Prices",
    "Problem",
    "Progress",
    "Proposal",
    "Range",
    "Report",
    "RequireTag",
    "Reserve",
    "Result",
    "Scenario",
    "Sensitivity",
    "Series",
    "Sizing",
    "Status",
    "Stop",
    "Storage",
    "Violation",
    "anonymise",
    "break_even",
    "catalogue",
    "check",
    "explain",
    "failures",
    "numa_fit",
    "numa_misfits",
    "pareto",
    "read",
    "read_plan",
    "read_series",
    "read_table",
    "report",
    "sensitivity",
    "solve",
    "sweep",
    "to_bytes",
    "today",
    "verify",
    "write",
]
