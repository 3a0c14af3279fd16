"""RVTools exports: every dialect, the quirks of real files, three real files, and damage that never escapes."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import readers
from planner.errors import InputError
from planner.inventory import Inventory
from planner.readers.formats import FORMATS, rvtools
from planner.readers.joining import inventory_of
from planner.readers.sandbox import Sheet, Workbook
from tests.conftest import examples

VM = {"VM": "web", "Powerstate": "poweredOn", "CPUs": 2.0, "Memory": 8192.0, "VM UUID": "u1", "Host": "esx01"}
HOST = {"Host": "esx01", "# CPU": 2.0, "Cores per CPU": 16.0, "# Cores": 32.0, "# Memory": 524288.0, "Speed": 2400.0}


def sheet(name: str, rows: list[dict]) -> Sheet:
    headings = list(dict.fromkeys(heading for row in rows for heading in row))
    cells = [headings, *([row.get(heading) for heading in headings] for row in rows)]
    return Sheet(name=name, rows=cells, row_numbers=list(range(1, len(cells) + 1)))


def export(*vms: dict, **sheets: list[dict]) -> Workbook:
    every = {name: sheet(name, rows) for name, rows in ({"vInfo": list(vms)} | sheets).items()}
    return Workbook(file="rv.xlsx", sheet_names=tuple(every), sheets=every)


def read(*vms: dict, **sheets: list[dict]) -> Inventory:
    return inventory_of([rvtools.parse(export(*vms, **sheets))])


def refusal(*vms: dict, **sheets: list[dict]) -> InputError:
    with pytest.raises(InputError) as caught:
        read(*vms, **sheets)
    return caught.value


def messages(inventory: Inventory, kind: str) -> list[str]:
    return list(inventory.notes.loc[inventory.notes["kind"] == kind, "message"])


def vm(name: str, **changes) -> dict:
    return VM | {"VM": name, "VM UUID": f"uuid of {name}"} | changes


def test_a_vm_becomes_a_workload():
    row = read(VM | {"Cluster": "c1", "OS according to the VMware Tools": "Debian"}).workloads.iloc[0]
    assert (row["name"], row["vcpus"], row["memory_gib"], row["pool"], row["host"]) == ("web", 2, 8, "c1", "esx01")
    assert (row["os"], row["state"], row["application"]) == ("Debian", "on", "")


@pytest.mark.parametrize("heading", ["Provisioned MiB", "Provisioned MB", "Provisioned MiB "])
def test_both_dialects_count_in_mib(heading):
    assert read(VM | {heading: 102400.0}).workloads["storage_gib"].tolist() == [100.0]


def test_mb_is_noted_as_mib():
    assert "MB read as MiB, converted to GiB" in messages(read(VM | {"Provisioned MB": 1024.0}), "converted")


def test_columns_may_stand_anywhere():
    shuffled = {"Owner": "x"} | dict(reversed(VM.items())) | {"Backup": "y"}
    pd.testing.assert_frame_equal(read(shuffled).workloads, read(VM).workloads)


@pytest.mark.parametrize(
    "heading",
    [
        "OS according to the VMware Tools",
        "OS according to VMware Tools",
        "Guest OS",
        "OS according to the configuration file",
    ],
)
def test_operating_system_synonyms(heading):
    assert read(VM | {heading: "Debian"}).workloads["os"].tolist() == ["Debian"]


def test_tools_know_the_operating_system_better_than_the_configuration():
    both = {"OS according to the configuration file": "Other", "OS according to the VMware Tools": "Debian"}
    assert read(VM | both).workloads["os"].tolist() == ["Debian"]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"Powerstate": "poweredOff"}, "powered off"),
        ({"Powerstate": "POWEREDOFF"}, "powered off"),
        ({"Template": True}, "template"),
        ({"Template": "True", "SRM Placeholder": "TRUE"}, "template"),
        ({"SRM Placeholder": "TRUE", "Powerstate": "poweredOff"}, "placeholder"),
    ],
)
def test_what_is_left_out_and_why(cells, reason):
    assert read(VM | cells).left_out["reason"].tolist() == [reason]


@pytest.mark.parametrize("cell", [None, False, "False", "FALSE", float("nan")])
def test_blank_and_false_flags_are_false(cell):
    assert len(read(VM | {"Template": cell, "SRM Placeholder": cell}).workloads) == 1


def test_a_suspended_vm_is_planned_for():
    assert read(VM | {"Powerstate": "suspended"}).workloads["state"].tolist() == ["suspended"]


def test_a_blank_power_state_is_on_and_noted():
    inventory = read(VM | {"Powerstate": None})
    assert inventory.workloads["state"].tolist() == ["on"]
    assert messages(inventory, "guessed")[:1] == ["1 VM without a power state: read as on; such as 'web'"]


def test_cpu_in_percent_takes_the_clock_of_the_host():
    rows = read(VM | {"CPU Usage %": 50.0}, vHost=[HOST]).workloads
    assert rows["cpu_ghz_used"].tolist() == [pytest.approx(0.5 * 2 * 2.4)]


def test_an_unknown_power_state_is_a_finding():
    assert "rv.xlsx, sheet vInfo, row 2, column Powerstate: found 'melted'" in str(
        refusal(VM | {"Powerstate": "melted"})
    )


def test_storage_is_the_sum_of_disks_then_total_then_provisioned():
    inventory = read(
        vm("a", **{"Total disk capacity MiB": 1024.0, "Provisioned MiB": 9999.0}),
        vm("b", **{"Total disk capacity MiB": 2048.0, "Provisioned MiB": 9999.0}),
        vm("c", **{"Provisioned MiB": 3072.0}),
        vm("d"),
        vDisk=[{"VM": "a", "Capacity MiB": 1024.0}, {"VM": "a", "Capacity MiB": 4096.0}],
    )
    assert inventory.workloads["storage_gib"].tolist() == [5, 2, 3, 0]
    assert [text for text in messages(inventory, "information") if text.startswith("storage of")] == [
        "storage of 1 VM is the sum of its disks in vDisk",
        "storage of 1 VM is Total disk capacity MiB",
        "storage of 1 VM is Provisioned MiB",
    ]
    assert messages(inventory, "guessed") == ["1 VM without storage anywhere in the export: read as 0; such as 'd'"]


def test_use_is_a_point_in_time():
    inventory = read(
        VM | {"Active Memory": 1024.0},
        vCPU=[{"VM": "web", "CPUs": 2.0, "Overall": 500.0}],
        vMemory=[{"VM": "web", "Size MiB": 8192.0, "Active": 2048.0}],
    )
    assert inventory.workloads[["cpu_ghz_used", "memory_gib_used"]].iloc[0].tolist() == [0.5, 2.0]
    assert sum("point in time" in text for text in messages(inventory, "information")) == 2


def test_active_memory_of_vinfo_is_the_fallback():
    assert read(VM | {"Active Memory": 1024.0}).workloads["memory_gib_used"].tolist() == [1.0]


def test_a_vm_that_is_off_used_nothing_that_counts():
    assert read(VM | {"Powerstate": "poweredOff", "Active Memory": 0.0}).left_out["memory_gib_used"].isna().all()


def test_guest_file_systems_are_summed():
    partitions = [{"VM": "web", "Consumed MiB": 1024.0}, {"VM": "web", "Consumed MiB": 512.0}]
    inventory = read(VM, vPartition=[*partitions, {"VM": "gone", "Consumed MiB": 1.0}])
    assert inventory.workloads["storage_gib_used"].tolist() == [1.5]
    assert messages(inventory, "ignored") == ["1 partition of no VM in vInfo, such as 'gone'"]


def test_cpus_and_memory_fall_back_on_their_own_sheets():
    inventory = read(
        VM | {"CPUs": None, "Memory": None},
        vCPU=[{"VM": "web", "CPUs": 18.0}],
        vMemory=[{"VM": "web", "Size MB": 40960.0}],
    )
    assert inventory.workloads[["vcpus", "memory_gib"]].iloc[0].tolist() == [18.0, 40.0]
    assert "1 VM without CPUs in vInfo: taken from vCPU; such as 'web'" in messages(inventory, "guessed")


def test_a_running_vm_of_unknown_size_is_dropped():
    inventory = read(VM, vm("lost", CPUs=None))
    assert inventory.workloads["name"].tolist() == ["web"]
    assert messages(inventory, "dropped") == ["CPUs unknown in every sheet: cannot be planned for"]


def test_a_template_of_unknown_size_is_still_listed():
    inventory = read(VM, vm("golden", Template=True, CPUs=None, Memory=None))
    assert inventory.left_out[["name", "vcpus", "memory_gib"]].to_numpy().tolist() == [["golden", 0.0, 0.0]]


def test_sheets_that_disagree_are_noted_once():
    inventory = read(vm("a"), vm("b"), vCPU=[{"VM": "a", "CPUs": 4.0}, {"VM": "b", "CPUs": 4.0}])
    expected = "2 VMs with another CPUs in vCPU: vInfo is used (2, not 4); such as 'a'"
    assert expected in messages(inventory, "information")
    assert inventory.workloads["vcpus"].tolist() == [2, 2]


def test_join_by_uuid_beats_the_name():
    disks = [{"VM": "renamed", "VM UUID": "u1", "Capacity MiB": 1024.0}]
    assert read(VM, vDisk=disks).workloads["storage_gib"].tolist() == [1.0]


def test_join_by_id_beats_the_name():
    vms = [vm("a", **{"VM ID": "vm-1"}), vm("b", **{"VM ID": "vm-2"})]
    disks = [{"VM": "a", "VM ID": "vm-2", "Capacity MiB": 1024.0}]
    assert read(*vms, vDisk=disks).workloads["storage_gib"].tolist() == [0.0, 1.0]


def test_an_id_counts_within_its_vcenter():
    vms = [vm(name, **{"VM ID": "vm-1", "VI SDK UUID": center}) for name, center in (("a", "c1"), ("b", "c2"))]
    disks = [{"VM": "x", "VM ID": "vm-1", "VI SDK UUID": "c2", "Capacity MiB": 1024.0}]
    assert read(*vms, vDisk=disks).workloads["storage_gib"].tolist() == [0.0, 1.0]


def test_a_name_with_another_id_is_another_vm():
    inventory = read(VM | {"VM ID": "vm-1"}, vDisk=[{"VM": "web", "VM ID": "vm-9", "Capacity MiB": 1024.0}])
    assert inventory.workloads["storage_gib"].tolist() == [0.0]
    assert messages(inventory, "ignored") == ["1 disk of no VM in vInfo, such as 'web'"]


def test_an_ambiguous_name_joins_nothing():
    inventory = read(vm("a"), vm("a", **{"VM UUID": "other"}), vDisk=[{"VM": "a", "Capacity MiB": 1024.0}])
    assert inventory.workloads["storage_gib"].tolist() == [0.0, 0.0]


def test_a_name_that_stands_twice_is_numbered():
    inventory = read(vm("a"), vm("a", **{"VM UUID": "x"}), vm("a (2)"), vm("a", **{"VM UUID": "y"}))
    assert inventory.workloads["name"].tolist() == ["a", "a (3)", "a (2)", "a (4)"]
    assert "the name stands twice: read as 'a (3)'" in messages(inventory, "converted")


def test_a_uuid_that_stands_twice_is_dropped():
    inventory = read(VM, VM | {"VM": "copy"})
    assert inventory.workloads["name"].tolist() == ["web"]
    assert messages(inventory, "dropped") == ["its VM UUID stands in row 2 already, for 'web'"]


def test_rows_without_a_name_are_dropped_and_counted():
    inventory = read(VM, vm(None, CPUs=0.0, Memory=0.0), vm(None, CPUs=None, Memory=None), vm(None))
    assert messages(inventory, "dropped") == [
        "2 rows without a VM name, CPUs and memory",
        "1 row without a VM name",
    ]


def test_a_numeric_name_becomes_text():
    assert read(VM | {"VM": 59.0}).workloads["name"].tolist() == ["59"]


def test_thousands_commas_are_read_and_noted():
    inventory = read(VM | {"Provisioned MB": "206,057"})
    assert inventory.workloads["storage_gib"].tolist() == [pytest.approx(206057 / 1024)]
    assert "1 number with thousands commas, such as '206,057'" in messages(inventory, "converted")


@pytest.mark.parametrize(
    ("cell", "shown"), [("many", "'many'"), (-2.0, "-2.0"), (float("inf"), "inf"), (True, "True"), ("nan", "'nan'")]
)
def test_what_is_no_number_is_a_finding(cell, shown):
    expected = f"rv.xlsx, sheet vInfo, row 2, column CPUs: found {shown}, expected a number from 0 up"
    assert str(refusal(VM | {"CPUs": cell})) == expected


def test_findings_of_all_sheets_are_told_together():
    error = refusal(VM | {"CPUs": "x"}, vm("b", Memory=-1.0), vDisk=[{"VM": "web", "Capacity MiB": "big"}])
    assert [detail.split(":")[0] for detail in error.details] == [
        "rv.xlsx, sheet vInfo, row 2, column CPUs",
        "rv.xlsx, sheet vInfo, row 3, column Memory",
        "rv.xlsx, sheet vDisk, row 2, column Capacity MiB",
    ]


def test_an_absurd_size_is_a_finding():
    assert "column Memory: found" in str(refusal(VM | {"Memory": 1e12}))


def test_a_missing_column_names_the_nearest():
    row = {("Memry" if key == "Memory" else key): value for key, value in VM.items()}
    assert str(refusal(row)) == (
        "rv.xlsx, sheet vInfo: column 'Memory' is missing, it is required; the nearest column found is 'Memry'"
    )


def test_an_empty_vinfo():
    with pytest.raises(InputError, match="sheet vInfo: found an empty sheet"):
        rvtools.parse(
            Workbook(
                file="rv.xlsx", sheet_names=("vInfo",), sheets={"vInfo": Sheet(name="vInfo", rows=[], row_numbers=[])}
            )
        )


@pytest.mark.parametrize("rows", [[], [vm(None)]])
def test_no_vm_at_all(rows):
    only_headings = Sheet(name="vInfo", rows=[list(VM), *[list(row.values()) for row in rows]], row_numbers=[1, 2])
    book = Workbook(file="rv.xlsx", sheet_names=("vInfo",), sheets={"vInfo": only_headings})
    with pytest.raises(InputError, match="found no workload"):
        inventory_of([rvtools.parse(book)])


@pytest.mark.parametrize(
    ("book", "format"),
    [
        (export(VM), "RVTools"),
        (export(VM, vmList=[{"VM Name": "a", "vCPUs": 2}], Metadata=[{"Hypervisor": "AHV"}]), "Nutanix Collector"),
        (export({"VMName": "a", "State": "Running", "Memory Assigned (GB)": 4.0}), "HyperVToolsX"),
    ],
)
def test_tools_that_share_sheet_names_are_told_apart(book, format):
    assert format == next(known for known in FORMATS if known.recognises(book)).FORMAT


def test_a_host():
    hosts = read(VM, vHost=[HOST | {"Vendor": "Dell  Inc.", "Model": " R640 ", "Cluster": "c1"}]).hosts
    assert hosts[["name", "model", "cores", "sockets", "ghz", "memory_gib", "pool"]].iloc[0].tolist() == [
        "esx01",
        "Dell Inc. R640",
        32,
        2,
        pytest.approx(2.4),
        512,
        "c1",
    ]
    assert hosts["storage_gib"].isna().all()


def test_host_synonyms():
    row = {"Name": "esx01", "# CPU": 2.0, "Cores per Socket": 20.0, "Memory": 524288.0}
    assert read(VM, vHost=[row]).hosts[["name", "cores", "memory_gib"]].iloc[0].tolist() == ["esx01", 40, 512]


def test_cores_that_disagree_are_noted():
    inventory = read(VM, vHost=[HOST | {"# Cores": 64.0}])
    assert inventory.hosts["cores"].tolist() == [32]
    assert "64 for # CPU x Cores per CPU = 32, which is used" in messages(inventory, "information")


def test_cores_alone_are_enough():
    assert read(VM, vHost=[HOST | {"Cores per CPU": None}]).hosts["cores"].tolist() == [32]


def test_host_memory_in_bytes_is_noticed():
    inventory = read(VM, vHost=[HOST | {"# Memory": 512.0 * 1024**3}])
    assert inventory.hosts["memory_gib"].tolist() == [512]
    assert any("read as bytes" in text for text in messages(inventory, "guessed"))


@pytest.mark.parametrize("cells", [{"# Memory": None}, {"# Memory": 0.0}, {"# CPU": None, "# Cores": None}])
def test_a_host_of_unknown_size_is_dropped(cells):
    inventory = read(VM, vHost=[HOST | cells])
    assert inventory.hosts.empty
    assert messages(inventory, "dropped") == ["cores or memory unknown: cannot be planned on"]


def test_a_host_in_maintenance_is_noted():
    inventory = read(VM, vHost=[HOST | {"in Maintenance Mode": "True"}])
    message = "in maintenance mode: carries nothing in the plan, unless maintenance is included"
    assert message in messages(inventory, "information")


def test_a_host_that_vhost_does_not_list_is_kept_and_noted():
    inventory = read(VM | {"Host": "esx99"}, vHost=[HOST])
    assert inventory.workloads["host"].tolist() == ["esx99"]
    assert "1 VM on a host that vHost does not list, such as 'esx99'" in messages(inventory, "information")


@pytest.mark.parametrize(
    ("cells", "flag"),
    [({"HT Active": "True"}, "yes"), ({"HT Active": "False", "HT Available": "True"}, "no"), ({}, "no")],
)
def test_hyper_threading_is_what_is_active(cells, flag):
    assert read(VM, vHost=[HOST | cells]).hosts["hyper_threading"].tolist() == [flag]


@pytest.mark.parametrize("heading", ["Reservation", "Reservation MiB", "Reservation MB"])
def test_reserved_memory_is_read_and_noted(heading):
    sheets = {"vMemory": [{"VM": "web", heading: "1,024"}, {"VM": "db", heading: 0.0}]}
    inventory = read(vm("web"), vm("db"), vm("app"), **sheets)
    assert inventory.workloads["memory_reservation_gib"].tolist() == [1, 0, 0]
    noted = "1 VM with reserved memory, 1 GiB in all: kept whole, never overcommitted; such as 'web'"
    assert noted in messages(inventory, "information")


def test_without_vmemory_nothing_is_reserved():
    assert read(VM).workloads["memory_reservation_gib"].tolist() == [0]


def test_a_csv_of_vinfo_is_rvtools_and_counts_in_mib():
    inventory = readers.read(b'VM;Powerstate;CPUs;Memory;Provisioned MB\n59;poweredOn;2;8192;"206,057"\n')
    assert inventory.sources == ("upload (RVTools)",)
    assert inventory.workloads["memory_gib"].tolist() == [8.0]
    assert inventory.workloads["storage_gib"].tolist() == [206057 / 1024]


def test_kubev2v(shared_rvtools):
    inventory = readers.read(shared_rvtools / "kubev2v_example1.xlsx")
    assert inventory.workloads["name"].tolist() == ["vm-3", "vm-8", "vm-9"]
    assert inventory.left_out["reason"].tolist() == ["powered off"] * 6
    assert inventory.workloads["vcpus"].tolist() == [3, 13, 18]
    assert inventory.workloads["memory_gib"].sum() * 1024 == 3526 + 34321 + 40960
    assert inventory.workloads["storage_gib"].tolist() == [512, 200, 100]
    assert inventory.workloads["pool"].tolist() == ["Cluster"] * 3
    assert (len(inventory.hosts), inventory.hosts["cores"].sum()) == (7, 224)
    assert inventory.hosts["memory_gib"].sum() * 1024 == 7 * 261797


def test_mjvincent(shared_rvtools):
    inventory = readers.read(shared_rvtools / "mjvincent_rvtools-small-complete.xlsx")
    assert inventory.workloads[["vcpus", "memory_gib", "storage_gib"]].sum().tolist() == [6, 24, 440]
    assert inventory.workloads["storage_gib_used"].tolist() == [60, 250]
    assert inventory.hosts.empty
    assert len(messages(inventory, "dropped")) == 2


def test_neil1taylor(shared_rvtools):
    inventory = readers.read(shared_rvtools / "neil1taylor_test-rvtools.xlsx")
    assert inventory.workloads[["vcpus", "memory_gib", "storage_gib"]].sum().tolist() == [14, 44, 650]
    assert inventory.hosts[["cores", "memory_gib", "sockets"]].sum().tolist() == [80, 1024, 4]
    assert set(inventory.hosts["model"]) == {"Dell Inc. PowerEdge R640"}


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(-(10**18), 10**18),
    st.text(max_size=6),
    st.sampled_from(
        ["web", "VM", "CPUs", "poweredOff", "1,024", "-1", "1e999", "0x10", "u1", "True", "Host", "Memory"]
    ),
)


@examples(150)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 9), CELLS), min_size=1, max_size=12))
def test_damage_ends_in_an_inventory_or_an_input_error(damage):
    book = export(
        VM | {"Cluster": "c1", "VM ID": "vm-1", "Total disk capacity MiB": 1.0},
        vm("b", Template="True", Memory=None),
        vm("c", CPUs=None),
        vCPU=[{"VM": "web", "CPUs": 4.0, "Overall": 9.0, "Host": "esx01"}] * 3,
        vMemory=[{"VM": "c", "Size MiB": 1.0, "Active": 1.0, "Cluster": "c1"}] * 3,
        vDisk=[{"VM": "web", "VM UUID": "u1", "Capacity MiB": 1.0}] * 3,
        vPartition=[{"VM": "web", "Consumed MiB": 1.0}] * 3,
        vHost=[HOST, HOST | {"Host": "esx02"}, HOST | {"Host": "esx03"}],
    )
    sheets = list(book.sheets.values())
    for where, row, column, cell in damage:
        cells = sheets[where].rows[row]
        cells[column % len(cells)] = cell
    try:
        assert isinstance(inventory_of([rvtools.parse(book)]), Inventory)
    except InputError as error:
        assert str(error)


@examples(100)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), CELLS), min_size=1, max_size=8))
def test_damage_to_a_plain_table_ends_the_same_way(damage):
    from planner.readers import template

    table = [["Name", "vCPUs", "Memory (MB)", "State", "x"], ["a", 1, 2048, "on", 1], ["b", 1, 2048, "off", 1]]
    for row, column, cell in damage:
        table[row][column] = cell
    book = Workbook(
        file="t.xlsx",
        sheet_names=("Workloads",),
        sheets={"Workloads": Sheet(name="Workloads", rows=table, row_numbers=[1, 2, 3])},
    )
    try:
        assert isinstance(inventory_of([template.parse(book)]), Inventory)
    except InputError as error:
        assert str(error)
