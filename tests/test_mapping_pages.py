"""Own spreadsheets on the command line and on the page: shown, corrected, remembered, forgotten."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from planner.samples import sample
from tests.test_app import errors, page
from tests.test_cli import run

TABLE = "Servername;Kerne;Arbeitsspeicher (GB);Sicherung (GB)\nweb;2;4;40\ndb;8;64;640\n"
STRANGE = "Foo;Bar;Baz\nweb;2;4096\ndb;8;65536\n"


def uploaded(text: str, name: str = "server.csv") -> AppTest:
    return page().file_uploader(key="upload").upload(name, text.encode(), "text/csv").run()


def memory_of(app: AppTest) -> float:
    """GiB of all workloads that were read."""
    return float(next(one for one in app.dataframe if "Memory (GiB)" in one.value).value["Memory (GiB)"].sum())


def meanings(app: AppTest) -> dict[str, object]:
    return {box.label.removeprefix("meaning of "): box for box in app.selectbox if box.label.startswith("meaning of ")}


def units(app: AppTest) -> dict[str, object]:
    return {box.label.removeprefix("unit of "): box for box in app.selectbox if box.label.startswith("unit of ")}


def test_the_command_line_writes_a_proposal_reads_it_and_remembers_it(tmp_path, config_folder):
    file, toml = tmp_path / "server.csv", tmp_path / "mapping.toml"
    file.write_text(STRANGE)
    assert "--mapping mapping.toml" in run("inspect", file, code=2).stderr
    assert "missing" in run("mapping", file, "-o", toml).stdout
    assert "found a file of this name already" in run("mapping", file, "-o", toml, code=2).stderr
    toml.write_text(
        '[[table]]\nrow = 1\n[table.columns]\nFoo = "name"\nBar = "vcpus"\n'
        'Baz = {attribute = "memory_gib", unit = "MB"}\n'
    )
    assert "columns given" in run("inspect", file, "--mapping", toml).stdout
    assert len(list((config_folder / "mappings").iterdir())) == 1
    assert "columns remembered from" in " ".join(run("inspect", file).stdout.split())
    assert "forgot 1 remembered" in run("mapping", file, "--forget").stdout
    run("inspect", file, code=2)


def test_an_option_forgets_before_it_reads(tmp_path, config_folder):
    file, toml = tmp_path / "server.csv", tmp_path / "mapping.toml"
    file.write_text(TABLE)
    run("mapping", file, "-o", toml)
    run("solve", file, "--host-models", "catalogue:r740*", "--mapping", toml, "--time-limit", 2)
    assert list((config_folder / "mappings").iterdir())
    assert "columns guessed" in run("inspect", file, "--forget-mapping").stdout


def test_known_tools_need_no_mapping():
    assert "need no mapping" in run("mapping", sample("rvtools_800"), code=2).stderr


def test_the_page_shows_what_was_guessed_and_reads_what_is_corrected():
    app = uploaded(TABLE)
    assert not app.exception
    assert memory_of(app) == 68
    boxes = meanings(app)
    assert {heading: box.value for heading, box in boxes.items()} == {
        "Servername": "name",
        "Kerne": "vcpus",
        "Arbeitsspeicher (GB)": "memory_gib",
        "Sicherung (GB)": "",
    }
    boxes["Arbeitsspeicher (GB)"].select("")
    app = boxes["Sicherung (GB)"].select("memory_gib").run()
    assert not app.exception
    assert memory_of(app) == 680
    app = units(app)["Sicherung (GB)"].select("mib").run()
    assert memory_of(app) == pytest.approx(680 / 1024, abs=0.01)


def test_two_columns_of_one_meaning_are_refused_and_what_was_read_stays():
    app = meanings(uploaded(TABLE))["Sicherung (GB)"].select("memory_gib").run()
    assert "memory\\_gib is column" in errors(app)[0]
    assert memory_of(app) == 68


def test_a_file_that_cannot_be_read_is_told_its_meaning_on_the_page_and_remembered(config_folder):
    app = uploaded(STRANGE)
    assert "missing" in errors(app)[0]
    boxes = meanings(app)
    for heading, name in (("Foo", "name"), ("Bar", "vcpus"), ("Baz", "memory_gib")):
        boxes[heading].select(name)
    app = app.run()
    units(app)["Baz"].select("mib")
    app = app.run()
    assert not errors(app)
    assert memory_of(app) == 68
    app = app.button(key="remember_mapping").click().run()
    assert "Remembered" in app.success[0].value
    assert len(list((config_folder / "mappings").iterdir())) == 1
    again = uploaded(STRANGE, "next.csv")
    assert not errors(again)
    assert memory_of(again) == 68
    again = again.button(key="forget_mapping").click().run()
    assert "missing" in errors(again)[0]
    assert not list((config_folder / "mappings").iterdir())


def test_a_known_format_shows_no_mapping():
    app = page().selectbox(key="sample").select("rvtools_800.xlsx").run()
    assert not meanings(app)
    assert not app.exception
