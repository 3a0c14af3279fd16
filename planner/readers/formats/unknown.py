"""Files in no known format: what they have, and what is nearest to it."""

from __future__ import annotations

from typing import NoReturn

from planner.errors import InputError, nearest
from planner.readers.formats import template
from planner.readers.sandbox import Workbook


def parse(workbook: Workbook) -> NoReturn:
    """Refuse the file, with the nearest thing that would be read."""
    near_miss = template.near_miss(workbook)
    if near_miss:
        raise InputError(near_miss)
    found = ", ".join(workbook.sheet_names[:12]) or "none"
    close = next((hit for name in workbook.sheet_names if (hit := nearest(name, ("Workloads", "vInfo")))), None)
    hint = f"; did you mean {close!r}?" if close else ""
    raise InputError(
        f"{workbook.file}: found sheets {found}, expected sheet 'Workloads' (the planner's template) or 'vInfo' "
        f"(RVTools){hint}"
    )
