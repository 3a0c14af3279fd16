"""Exports of every format that is read, made up from a seed, each with the truth that a reader has to arrive at."""

from __future__ import annotations

from collections.abc import Callable

from tests.exports import (
    clouds,
    hyperv,
    kubernetes,
    liveoptics,
    liveoptics_other,
    mapped,
    migration,
    nutanix,
    rvtools,
    rvtools_other,
    templates,
    vsphere,
)
from tests.exports.export import Export, Truth
from tests.exports.rvtools import rvtools_full

__all__ = ["EXPORTS", "Export", "Truth", "rvtools_full"]

EXPORTS: dict[str, Callable[[int, int], Export]] = {
    "rvtools-mib": rvtools.mib,
    "rvtools-mb": rvtools.mb,
    "rvtools-db": rvtools_other.db,
    "rvtools-csv-comma": rvtools_other.csv_comma,
    "rvtools-csv-semicolon": rvtools_other.csv_semicolon,
    "rvtools-text": rvtools.text,
    "rvtools-vsan": rvtools.vsan,
    "liveoptics-vmware": liveoptics.vmware,
    "liveoptics-hyperv": liveoptics_other.hyperv,
    "liveoptics-general": liveoptics_other.general,
    "liveoptics-zip": liveoptics.archive,
    "collector": nutanix.collector,
    "azure-migrate": migration.azure,
    "azure-migrate-variant": migration.azure_variant,
    "migration-hub": migration.migration_hub,
    "migration-center": migration.migration_center,
    "prism": nutanix.prism,
    "vsphere-client": vsphere.with_sizes,
    "vsphere-client-default": vsphere.default,
    "hyperv-powershell": hyperv.powershell,
    "hyperv-powershell-untyped": hyperv.powershell_untyped,
    "hypervtoolsx": hyperv.toolsx,
    "proxmox": clouds.proxmox,
    "openstack-csv": clouds.openstack_csv,
    "openstack-json": clouds.openstack_json,
    "kubernetes": kubernetes.kubernetes,
    "template": templates.template,
    "physical": templates.physical,
    "mapped-de": mapped.german,
    "mapped-messy": mapped.messy,
    "mapped-fr": mapped.french,
}
"""By format and dialect: the export of an estate made from a seed with so many virtual machines, at least 20."""
