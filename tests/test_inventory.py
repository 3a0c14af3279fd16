"""Tables that pass the schema, and the one sentence for those that do not."""

from __future__ import annotations

import pandas as pd
import pytest

from planner import InputError, Inventory, schema
from tests.conftest import estate, machines


@pytest.mark.parametrize("table", schema.TABLES)
def test_every_attribute_has_a_description_and_a_heading(table):
    for attribute in schema.attributes(table).values():
        assert attribute.description
        assert attribute.heading
        assert attribute.type in ("text", "number", "integer", "state", "flag")


def test_the_contracts_columns_exist():
    workloads = (
        "name vcpus memory_gib storage_gib network_gbps iops gpus cpu_ghz_used memory_gib_used os pool host state"
    )
    assert set(workloads.split()) <= set(schema.attributes("workloads"))
    assert {"application", "keep_together", "keep_apart", "count"} <= set(schema.attributes("workloads"))
    hosts = (
        "name cores memory_gib sockets ghz perf storage_gib network_gbps iops gpus max_workloads price idle_w peak_w"
    )
    for table in ("hosts", "host_models"):
        assert set(hosts.split()) <= set(schema.attributes(table))
        assert {"rack_units", "embodied_kgco2e", "count", "pool", "rack", "tags"} <= set(schema.attributes(table))


def test_blank_optional_cells_take_their_defaults():
    row = Inventory.from_frames(workloads=estate(("web", 2, 4))).workloads.iloc[0]
    assert (row["storage_gib"], row["gpus"], row["count"], row["state"], row["pool"]) == (0, 0, 1, "on", "")
    assert pd.isna(row["cpu_ghz_used"])


def test_numbers_written_as_text_and_numeric_names_are_read():
    row = Inventory.from_frames(workloads=estate((59.0, "2", " 4.5 "))).workloads.iloc[0]
    assert (row["name"], row["vcpus"], row["memory_gib"]) == ("59", 2.0, 4.5)


@pytest.mark.parametrize(
    ("cell", "found"),
    [("four", "'four'"), (-1, "-1"), (float("inf"), "inf"), (99999, "99999"), (True, "True"), ("nan", "'nan'")],
)
def test_a_bad_number_is_named_with_row_column_and_what_was_expected(cell, found):
    with pytest.raises(InputError) as error:
        Inventory.from_frames(workloads=estate(("web", 2, 4), ("db", cell, 8)))
    message = str(error.value)
    assert "row 2" in message
    assert "column vcpus" in message
    assert f"found {found}" in message
    assert "expected a number of vCPU from 0 to 4,096" in message


def test_an_empty_required_cell_is_named():
    with pytest.raises(InputError, match=r"row 1, column memory_gib: found an empty cell"):
        Inventory.from_frames(workloads=estate(("web", 2, None)))


def test_a_missing_column_names_the_nearest():
    with pytest.raises(InputError, match=r"'vCPUs' \(vcpus\) is missing.*nearest column found is 'vcpu'"):
        Inventory.from_frames(workloads=pd.DataFrame({"name": ["a"], "vcpu": [1], "memory_gib": [1]}))


def test_a_name_that_stands_twice_is_named_with_both_rows():
    with pytest.raises(InputError, match=r"row 3, column name: found 'web' a second time \(first in row 1\)"):
        Inventory.from_frames(workloads=estate(("web", 1, 1), ("db", 1, 1), ("web", 1, 1)))


def test_an_unknown_state_names_the_nearest():
    with pytest.raises(InputError, match=r"found 'poweredOnn'.*did you mean 'poweredon'"):
        Inventory.from_frames(workloads=estate(("web", 1, 1), state="poweredOnn"))


def test_flags_are_yes_or_no_however_they_are_spelled():
    cells = ["yes", "TRUE", True, 1, 1.0, "on", "no", "False", False, 0, "off", None, ""]
    hosts = machines(*((f"h{i}", 8, 8) for i in range(len(cells)))).assign(hyper_threading=cells)
    found = Inventory.from_frames(workloads=estate(("web", 1, 1)), hosts=hosts).hosts["hyper_threading"]
    assert found.tolist() == ["yes"] * 6 + ["no"] * 7
    again = schema.conform(hosts.assign(hyper_threading=found), "hosts")
    assert again["hyper_threading"].tolist() == found.tolist()
    assert set(schema.conform(hosts.drop(columns="hyper_threading"), "hosts")["hyper_threading"]) == {"no"}


@pytest.mark.parametrize(("cell", "hint"), [("yess", "; did you mean 'yes'?"), (2, "")])
def test_a_flag_that_is_neither_is_named(cell, hint):
    hosts = machines(("h", 8, 8), hyper_threading=cell)
    with pytest.raises(InputError) as error:
        Inventory.from_frames(workloads=estate(("web", 1, 1)), hosts=hosts)
    assert f"row 1, column hyper_threading: found '{cell}', expected yes or no{hint}" in str(error.value)


def test_an_empty_table_is_said_to_be_empty():
    with pytest.raises(InputError, match="found no workload"):
        Inventory.from_frames(workloads=estate())


def test_all_findings_are_collected():
    with pytest.raises(InputError) as error:
        Inventory.from_frames(workloads=estate(("a", -1, -1), ("b", "x", 1)))
    assert len(error.value.details) == 3
    assert "and 2 more" in str(error.value)


def test_what_is_off_is_left_out_with_its_reason_and_can_be_asked_for():
    frame = estate(("on", 1, 1), ("off", 1, 1), ("tmpl", 1, 1), ("srm", 1, 1), ("sleeping", 1, 1)).assign(
        state=["poweredOn", "poweredOff", "template", "placeholder", "suspended"]
    )
    inventory = Inventory.from_frames(workloads=frame)
    assert inventory.workloads["name"].tolist() == ["on", "sleeping"]
    assert inventory.left_out.set_index("name")["reason"].to_dict() == {
        "off": "powered off",
        "tmpl": "template",
        "srm": "placeholder",
    }
    notes = inventory.notes[inventory.notes["kind"] == "left out"]
    assert notes["row"].tolist() == [2, 3, 4]
    assert inventory.include("powered off").workloads["name"].tolist() == ["on", "sleeping", "off"]
    assert len(inventory.include("powered_off", "template", "placeholder").left_out) == 0
    with pytest.raises(InputError, match="did you mean 'template'"):
        inventory.include("templates")


def test_other_columns_are_kept():
    inventory = Inventory.from_frames(
        workloads=estate(("a", 1, 1), pcie_slots=2), hosts=machines(("h", 1, 1), pcie_slots=4)
    )
    assert inventory.workloads["pcie_slots"].tolist() == [2]
    assert inventory.hosts["pcie_slots"].tolist() == [4]
