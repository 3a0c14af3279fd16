"""The command line: verbs, exit codes, one sentence for bad input."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from unittest.mock import patch

import openpyxl
import pytest

from planner.cli import main
from planner.samples import sample
from tests.conftest import ROOT, hard_estate


def run(*arguments: object, code: int = 0, cwd=ROOT) -> subprocess.CompletedProcess:
    """What a command prints and how it ends, in this process: starting one takes longer than most commands."""
    command, ended = ["planner", *map(str, arguments)], 0
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
        chdir(cwd),
        patch.object(sys, "argv", command),
        patch.dict(os.environ, COLUMNS="200"),
    ):
        try:
            main()
        except SystemExit as end:
            ended = end.code or 0
    done = subprocess.CompletedProcess(command, ended, out.getvalue(), err.getvalue())
    assert done.returncode == code, done.stdout + done.stderr
    return done


def run_alone(*arguments: object, code: int = 0) -> subprocess.CompletedProcess:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "planner", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"},
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_demo_prints_before_and_after():
    out = run_alone("demo").stdout
    assert "accounting" in out
    assert "optimal (proven)" in out
    assert "payback against today: at once, as no more is paid at the start" in out
    assert "net present value against today: 7,158 EUR" in out
    assert "planner app" in out
    assert "N+1" in out


def test_the_rvtools_sample_is_solved_checked_and_bounded(tmp_path):
    plan, result = tmp_path / "plan.xlsx", tmp_path / "result.json"
    began = time.monotonic()
    run("solve", sample("rvtools_800"), "--out", plan, "--json", result)
    assert time.monotonic() - began < 30
    document = json.loads(result.read_text())
    assert document["bound"]["value"] <= document["hosts_used"]
    assert len(document["placement"]) == document["workloads"] == 719
    assert "accepted" in run("check", sample("rvtools_800"), plan).stdout
    assert "accepted" in run("check", sample("rvtools_800"), result).stdout


def test_check_finds_what_a_hand_broke(tmp_path):
    plan = tmp_path / "plan.xlsx"
    run("solve", sample("medium_estate"), "--time-limit", 5, "--out", plan)
    book = openpyxl.load_workbook(plan)
    for row in list(book["Placement"].iter_rows(min_row=2))[:60]:
        row[1].value = book["Placement"]["B2"].value
        row[2].value = book["Placement"]["C2"].value
    book.save(plan)
    out = run("check", sample("medium_estate"), plan, code=1).stdout
    assert "over capacity" in out


def test_inspect_lists_each_row_left_out():
    out = run("inspect", sample("rvtools_800")).stdout
    assert re.search(r"left out\W+powered off\W+64\b", out)
    assert "left out" in out


def test_the_export_of_others_is_solved_and_explains_each_row_left_out(shared_rvtools, tmp_path):
    result = tmp_path / "out.json"
    run("solve", shared_rvtools / "kubev2v_example1.xlsx", "--json", result)
    document = json.loads(result.read_text())
    assert [row["name"] for row in document["left_out"]] == ["vm-1", "vm-2", "vm-4", "vm-5", "vm-6", "vm-7"]
    assert {row["reason"] for row in document["left_out"]} == {"powered off"}
    assert document["workloads"] == 3


def test_solve_from_a_plan_that_stands_lists_the_moves(tmp_path):
    plan = tmp_path / "plan.xlsx"
    run("solve", sample("small_company"), "--out", plan)
    assert "moves     0" in run("solve", sample("small_company"), "--start", plan).stdout


def test_template_is_written_read_and_said_to_be_empty(tmp_path):
    path = tmp_path / "mine.xlsx"
    run("template", path)
    assert "found no workload" in run("solve", path, code=2).stderr
    assert "found a file of that name" in run("template", path, code=2).stderr


def test_options_reach_the_problem(tmp_path):
    rules, policy, prices = tmp_path / "r.toml", tmp_path / "p.toml", tmp_path / "e.toml"
    rules.write_text('[[rule]]\nkind = "KeepApart"\nworkloads = ["web shop", "accounting"]\n')
    policy.write_text('name = "ours"\n[overcommit]\ncpu = 2.0\n')
    prices.write_text("energy_per_kwh = 0.5\n")
    result = tmp_path / "r.json"
    run(
        "solve", sample("small_company"), "--rules", rules, "--policy", policy, "--prices", prices,
        "--objective", "cost", "--host-models", "catalogue:r7*", "--seed", 3, "--json", result,
    )  # fmt: skip
    document = json.loads(result.read_text())
    assert document["hosts_used"] == 2
    assert document["settings"]["policy"]["overcommit"]["cpu"] == 2.0
    assert document["settings"]["prices"]["energy_per_kwh"] == 0.5
    assert (document["objective"]["name"], document["seed"]) == ("cost", 3)


def test_hosts_from_their_own_file_and_workloads_that_are_off(tmp_path):
    workloads, hosts, result = tmp_path / "w.csv", tmp_path / "h.csv", tmp_path / "r.json"
    workloads.write_text("Name,vCPUs,Memory (GiB),Power state\nweb,2,4,poweredOn\nold,2,4,poweredOff\n")
    hosts.write_text("Host;Cores;Memory (GiB)\nh1;8;64\nh2;8;64\n")
    assert "no owned host" in run("solve", workloads, code=2).stderr
    run("solve", workloads, "--hosts", hosts, "--include", "powered-off", "--json", result)
    assert [row["workload"] for row in json.loads(result.read_text())["placement"]] == ["web", "old"]
    assert "accepted" in run("check", workloads, result, "--hosts", hosts, "--include", "powered-off").stdout
    assert "'old'" in run("check", workloads, result, "--hosts", hosts, code=1).stdout


def test_infeasible_ends_with_code_1_and_its_reason(tmp_path):
    path = tmp_path / "w.csv"
    path.write_text("name,vcpus,memory_gib\ngiant,4,9000\n")
    result = tmp_path / "r.json"
    out = run("solve", path, "--host-models", "catalogue:r740", "--json", result, code=1).stdout
    assert "workload 'giant' needs 9,000" in out
    assert json.loads(result.read_text())["status"] == "infeasible"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["solve", "nowhere.xlsx"], "nowhere.xlsx"),
        (["solve", sample("small_company"), "--policy", "balnced"], "did you mean 'balanced'"),
        (["solve", sample("small_company"), "--objective", "host"], "did you mean 'hosts'"),
        (["solve", sample("small_company"), "--host-models", "catalogue:r9999"], "r9999"),
        (["check", sample("small_company")], "expected the inventory's files and then the plan"),
        (["inspect", ROOT / "LICENSE"], "LICENSE"),
        (["solve", sample("small_company"), "--time-limit", "-1"], "time-limit"),
        (["fly"], "fly"),
    ],
)
def test_bad_input_ends_with_code_2_and_one_sentence(arguments, words):
    assert words in run(*arguments, code=2).stderr


def test_a_process_of_its_own_ends_in_the_same_way():
    alone, here = (each("inspect", ROOT / "LICENSE", code=2) for each in (run_alone, run))
    assert (alone.stdout, alone.stderr) == (here.stdout, here.stderr)


def test_ctrl_c_keeps_the_best_plan(tmp_path):
    path, models = tmp_path / "w.csv", tmp_path / "m.csv"
    hard_estate().to_csv(path, index=False)
    models.write_text("name,cores,memory_gib,storage_gib\nbig,550,1843,21457\n")
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "planner",
            "solve",
            path,
            "--host-models",
            models,
            "--policy",
            "raw",
            "--time-limit",
            "90",
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(12)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert time.monotonic() - began < 10
    assert "feasible (cancelled)" in out
    assert "checker: accepted" in out


def test_money_on_the_terminal_can_be_followed_and_is_short(tmp_path):
    plan, prices = tmp_path / "plan.xlsx", tmp_path / "prices.toml"
    prices.write_text("migration_per_workload = 5\n")
    out = run("solve", sample("medium_estate"), "--objective", "cost", "--prices", prices, "--out", plan).stdout
    month = re.search(r"total per workload and month\D+([\d.]+)\D+([\d.]+)\D+([\d.]+)", out)
    today, planned, saving = map(float, month.groups())
    assert saving == pytest.approx(today - planned, abs=0.0151)
    moves = int(re.search(r"^moves +(\d+)$", out, re.MULTILINE)[1])
    assert moves > 10
    assert f"... and {moves - 10:,} more rows; a written plan has them all" in out
    told = run("sensitivity", sample("medium_estate"), plan).stdout
    assert re.search(r"maintenance_per_host_year\W+EUR/host/year\W+320\W+400\W+480\W", told)
    assert "low and high ±20 %, no range is given: all" in told
    wrong = run("sensitivity", sample("medium_estate"), plan, "--out", tmp_path / "t.txt", code=2).stderr
    assert "found suffix '.txt'; expected one of csv" in wrong


def test_what_is_missing_stands_beside_the_payback(tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text('energy_per_kwh = "none"\nmaintenance_per_host_year = "none"\n')
    out = run("solve", sample("small_company"), "--objective", "cost", "--prices", prices).stdout
    assert "payback against today: never, without energy, maintenance" in out
    assert "net present value against today: -1,500 EUR, without energy, maintenance" in out


def test_a_front_says_fewer_of_what_is_counted_and_names_the_currency(tmp_path):
    path = tmp_path / "front.xlsx"
    out = run(
        "pareto", sample("medium_estate"), "--objectives", "hosts,cost,moves", "--points", 0, "--time-limit", 10,
        "--out", path,
    ).stdout  # fmt: skip
    assert re.search(r"hosts: no plan has fewer than \d+ hosts, proven", out)
    assert "Cost (EUR)" in out
    assert "moves: no plan has" not in out
    headings = [cell.value for cell in openpyxl.load_workbook(path)["Front"][1]]
    assert "Cost (EUR)" in headings
    assert "Proven: not fewer hosts than" in headings
