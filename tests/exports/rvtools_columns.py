"""Headings of RVTools workbooks with MiB, sheet by sheet, in order."""

from __future__ import annotations


def _split(text: str) -> list[str]:
    return [heading.strip() for heading in text.replace("\n", " ").split("|")]


CUSTOM = ("Backup status", "Last backup", "Cost centre")
"""Custom attributes, which stand between Annotation and Datacenter."""

_START = ["VM", "Powerstate", "Template", "SRM Placeholder"]
_OS = ["OS according to the configuration file", "OS according to the VMware Tools"]
_VCENTER = ["VI SDK Server", "VI SDK UUID"]
_END = ["Annotation", *CUSTOM, "Datacenter", "Cluster", "Host", "Folder", *_OS, "VM ID", "VM UUID", *_VCENTER]

VINFO = [
    *_START,
    *_split(
        "Config status|DNS Name|Connection state|Guest state|Heartbeat|Consolidation Needed|PowerOn|"
        "Suspended To Memory|Suspend time|Suspend Interval|Creation date|Change Version|CPUs|"
        "Overall Cpu Readiness|Memory|Active Memory|"
        "NICs|Disks|Total disk capacity MiB|Fixed Passthru HotPlug|min Required EVC Mode Key|Latency Sensitivity|"
        "Op Notification Timeout|EnableUUID|CBT|Primary IP Address"
    ),
    *(f"Network #{number}" for number in range(1, 9)),
    *_split(
        "Num Monitors|Video Ram KiB|Resource pool|Folder ID|Folder|vApp|DAS protection|FT State|FT Role|FT Latency|"
        "FT Bandwidth|FT Sec. Latency|Vm Failover In Progress|Provisioned MiB|In Use MiB|Unshared MiB|"
        "HA Restart Priority|HA Isolation Response|HA VM Monitoring|Cluster rule(s)|Cluster rule name(s)|Boot Required|"
        "Boot delay|Boot retry delay|Boot retry enabled|Boot BIOS setup|Reboot PowerOff|EFI Secure boot|Firmware|"
        "HW version|HW upgrade status|HW upgrade policy|HW target|Path|Log directory|Snapshot directory|"
        "Suspend directory|Annotation"
    ),
    *CUSTOM,
    *("Datacenter", "Cluster", "Host", *_OS, "Customization Info", "Guest Detailed Data"),
    *("VM ID", "SMBIOS UUID", "VM UUID", "VI SDK Server type", "VI SDK API Version", *_VCENTER),
]
VHOST = [
    *_split(
        "Host|Datacenter|Cluster|Config status|Compliance Check State|in Maintenance Mode|in Quarantine Mode|"
        "vSAN Fault Domain Name|CPU Model|Speed|HT Available|HT Active|# CPU|Cores per CPU|# Cores|CPU usage %|"
        "# Memory|Memory Tiering Type|Memory usage %|Console|# NICs|# HBAs|# VMs total|# VMs|VMs per Core|# vCPUs|"
        "vCPUs per Core|vRAM|VM Used memory|VM Memory Swapped|VM Memory Ballooned|VMotion support|"
        "Storage VMotion support|Current EVC|Max EVC|Assigned License(s)|ATS Heartbeat|ATS Locking|"
        "Current CPU power man. policy|Supported CPU power man.|Host Power Policy|ESX Version|Boot time|DNS Servers|"
        "DHCP|Domain|Domain List|DNS Search Order|NTP Server(s)|NTPD running|Time Zone|Time Zone Name|GMT Offset|"
        "Vendor|Model|Serial number|Service tag|OEM specific string|BIOS Vendor|BIOS Version|BIOS Date|"
        "Certificate Issuer|"
        "Certificate Start Date|Certificate Expiry Date|Certificate Status|Certificate Subject|Object ID|"
        "AutoDeploy.MachineIdentity"
    ),
    *("Rack", "Warranty until", "Asset number", "UUID", *_VCENTER),
]
VCLUSTER = [
    *_split(
        "Name|Config status|OverallStatus|NumHosts|numEffectiveHosts|TotalCpu|NumCpuCores|NumCpuThreads|Effective Cpu|"
        "TotalMemory|Effective Memory|Num VMotions|HA enabled|Failover Level|AdmissionControlEnabled|Host monitoring|"
        "HB Datastore Candidate Policy|Isolation Response|Restart Priority|Cluster Settings|Max Failures|"
        "Max Failure Window|Failure Interval|Min Up Time|VM Monitoring|DRS enabled|DRS default VM behavior|"
        "DRS vmotion rate|DPM enabled|DPM default behavior|DPM Host Power Action Rate|Object ID"
    ),
    *CUSTOM,
    *("com.vmware.vsan.enabled", *_VCENTER),
]
VDATASTORE = [
    *_split(
        "Name|Config status|Address|Accessible|Type|# VMs total|# VMs|Capacity MiB|Provisioned MiB|In Use MiB|Free MiB|"
        "Free %|SIOC enabled|SIOC Threshold|# Hosts|Hosts|Cluster name|Cluster capacity MiB|Cluster free space MiB|"
        "Block size|Max Blocks|# Extents|Major Version|Version|VMFS Upgradeable|MHA|URL|Object ID"
    ),
    *CUSTOM,
    *_VCENTER,
]
VCPU = [
    *_START,
    *_split(
        "CPUs|Sockets|Cores p/s|Max|Overall|Level|Shares|Reservation|Entitlement|DRS Entitlement|Limit|Hot Add|"
        "Hot Remove|Numa Hotadd Exposed"
    ),
    *_END,
]
VMEMORY = [
    *_START,
    *_split(
        "Size MiB|Memory Reservation Locked To Max|Overhead|Max|Consumed|Consumed Overhead|Private|Shared|Swapped|"
        "Ballooned|Active|Entitlement|DRS Entitlement|Level|Shares|Reservation|Limit|Hot Add"
    ),
    *_END,
]
VDISK = [
    *_START,
    *_split(
        "Disk|Disk Key|Disk UUID|Disk Path|Capacity MiB|Raw|Disk Mode|Sharing mode|Thin|Eagerly Scrub|Split|"
        "Write Through|Level|Shares|Reservation|Limit|Controller|Label|SCSI Unit #|Unit #|Shared Bus|Path|Raw LUN ID|"
        "Raw Comp. Mode|Internal Sort Column"
    ),
    *_END,
]
VPARTITION = [
    *_START,
    *("Disk Key", "Disk", "Capacity MiB", "Consumed MiB", "Free MiB", "Free % ", "Internal Sort Column"),
    *_END,
]
VNETWORK = [
    *_START,
    *_split(
        "NIC label|Adapter|Network|Switch|Connected|Starts Connected|Mac Address|Type|IPv4 Address|IPv6 Address|"
        "Direct Path IO|Internal Sort Column"
    ),
    *_END,
]
SHEETS = {
    "vInfo": VINFO,
    "vCPU": VCPU,
    "vMemory": VMEMORY,
    "vDisk": VDISK,
    "vPartition": VPARTITION,
    "vNetwork": VNETWORK,
    "vCD": [*_START, *_split("Device Node|Connected|Starts Connected|Device Type"), *_END],
    "vUSB": [*_START, *_split("Device Node|Device Type|Connected|Family|Speed|EHCI enabled|Auto connect"), *_END],
    "vSnapshot": [*_START, *_split("Name|Description|Date / time|Filename|Size MiB (vmsn)|Size MiB (total)"), *_END],
    "vTools": [
        *_START,
        *_split("VM Version|Tools|Tools Version|Required Version|Upgradeable|Upgrade Policy|Sync time|App status"),
        *_END,
    ],
    "vSource": [
        *_split("Name|OS type|API type|API version|Version|Patch level|Build|Fullname|Product name|Product version"),
        *("Product line", "Vendor", *_VCENTER),
    ],
    "vRP": [
        *_split("Resource Pool name|Resource Pool path|Status|# VMs total|# VMs|# vCPUs|CPU limit|CPU reservation"),
        *_split("CPU shares|Mem Configured|Mem limit|Mem reservation|Mem shares|Object ID"),
        *_VCENTER,
    ],
    "vCluster": VCLUSTER,
    "vHost": VHOST,
    "vHBA": [*_split("Host|Datacenter|Cluster|Device|Type|Status|Bus|Pci|Driver|Model|WWN"), *_VCENTER],
    "vNIC": [*_split("Host|Datacenter|Cluster|Network Device|Driver|Speed|Duplex|MAC|Switch|PCI|WakeOn"), *_VCENTER],
    "vSwitch": [*_split("Host|Datacenter|Cluster|Switch|# Ports|Free Ports|Promiscuous Mode|MTU"), *_VCENTER],
    "vPort": [*_split("Host|Datacenter|Cluster|Port Group|Switch|VLAN|Promiscuous Mode|Policy"), *_VCENTER],
    "dvSwitch": [*_split("Switch|Datacenter|Name|Vendor|Version|Host members|Max Ports|# Ports|# VMs"), *_VCENTER],
    "dvPort": [*_split("Port|Switch|Type|# Ports|VLAN|Speed|Full Duplex|Blocked"), *_VCENTER],
    "vSC_VMK": [*_split("Host|Datacenter|Cluster|Port Group|Device|Mac Address|DHCP|IP Address|MTU"), *_VCENTER],
    "vDatastore": VDATASTORE,
    "vMultiPath": [*_split("Host|Cluster|Datacenter|Datastore|Disk|Display name|Policy|Oper. State"), *_VCENTER],
    "vLicense": [*_split("Name|Key|Labels|Cost Unit|Total|Used|Expiration Date|Features"), *_VCENTER],
    "vFileInfo": [*_split("Friendly Path Name|File Name|File Type|File Size in bytes|Path"), *_VCENTER],
    "vHealth": [*_split("Name|Message|Message type"), *_VCENTER],
    "vMetaData": ["RVTools major version", "RVTools version", "xlsx creation datetime", "Server"],
}
"""Headings of all 27 sheets, in the order of the workbook."""
