"""One module a file format: each says what it recognises and turns it into `Tables`.

A format has the constants ``FORMAT``, its name for people, and ``SHEETS``, the sheets that it reads; and the functions
``recognises(workbook)`` and ``parse(workbook)``. One that comes as several files has ``tab_of(workbook)`` too, see
`planner.readers.gathering`; one whose sheets people call the same has ``resembles(workbook)``, which looks at their
names alone.
"""

from __future__ import annotations

from planner.readers.formats import (
    azure_migrate,
    collector,
    hyperv_powershell,
    hypervtoolsx,
    kubernetes,
    liveoptics,
    migration_center,
    migration_hub,
    openstack,
    prism,
    proxmox,
    rvtools,
    series,
    template,
    vsphere_client,
)

FORMATS = (
    collector,
    hypervtoolsx,
    liveoptics,
    rvtools,
    azure_migrate,
    migration_hub,
    migration_center,
    prism,
    vsphere_client,
    hyperv_powershell,
    proxmox,
    openstack,
    kubernetes,
    series,
    template,
)
"""In the order in which they are asked: sheet names are shared, so the more particular goes first."""

SHEETS = frozenset(name for known in FORMATS for name in known.SHEETS)
"""Names of all sheets that some format reads."""
