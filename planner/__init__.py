"""How many servers do we really need? Places every workload, checks the plan, and proves a lower bound beside it."""

from planner import catalogue
from planner.baseline import today
from planner.checker import Violation, check
from planner.errors import InputError
from planner.inventory import Inventory
from planner.periods import Periods
from planner.plan import Bound, Plan, Progress, Result, Status, Stop
from planner.policy import Failover, Growth, Headroom, Hypervisor, Overcommit, Policy, Sizing
from planner.prices import Prices
from planner.problem import Problem
from planner.readers import read, read_series, read_table
from planner.readers.plans import read_plan
from planner.reports import Report, report
from planner.rules import KeepApart, KeepTogether, Pin
from planner.scenarios import Scenario, sweep
from planner.series import Series
from planner.solvers import solve
from planner.verifier import verify
from planner.writers import to_bytes, write

__all__ = [
    "Bound",
    "Failover",
    "Growth",
    "Headroom",
    "Hypervisor",
    "InputError",
    "Inventory",
    "KeepApart",
    "KeepTogether",
    "Overcommit",
    "Periods",
    "Pin",
    "Plan",
    "Policy",
    "Prices",
    "Problem",
    "Progress",
    "Report",
    "Result",
    "Scenario",
    "Series",
    "Sizing",
    "Status",
    "Stop",
    "Violation",
    "catalogue",
    "check",
    "read",
    "read_plan",
    "read_series",
    "read_table",
    "report",
    "solve",
    "sweep",
    "to_bytes",
    "today",
    "verify",
    "write",
]
