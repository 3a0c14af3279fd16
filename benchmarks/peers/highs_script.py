"""Solves an MPS file with HiGHS on one thread and writes its non-zero variables; runs in VPSolver's environment.

``python highs_script.py MODEL.mps SOLUTION.sol SECONDS`` prints status, bound and value (or none), separated by tabs.
"""

import sys
from pathlib import Path

import highspy

FEASIBLE = 2


def main(model: str, solution: str, seconds: str) -> None:
    """Reads, solves, writes."""
    highs = highspy.Highs()
    for name, value in (("output_flag", False), ("threads", 1), ("time_limit", float(seconds))):
        highs.setOptionValue(name, value)
    if highs.readModel(model) != highspy.HighsStatus.kOk:
        raise SystemExit(f"HiGHS cannot read {model}")
    highs.run()
    info = highs.getInfo()
    status = highs.modelStatusToString(highs.getModelStatus()).lower()
    found = info.primal_solution_status == FEASIBLE
    print(status, max(info.mip_dual_bound, 0.0), info.objective_function_value if found else "none", sep="\t")
    if found:
        values = zip(highs.getLp().col_names_, highs.getSolution().col_value, strict=True)
        lines = [f"{name} {round(value)}\n" for name, value in values if round(value)]
        Path(solution).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
