"""Jobs: a search in the background shows where it stands, stops when asked, and is nobody's but its holder's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pandas as pd
import pytest

import planner
from planner.jobs import MOST_STEPS, Job, JobRunner, JobState


@pytest.fixture
def problem() -> planner.Problem:
    workloads = pd.DataFrame({"name": ["a", "b", "c"], "vcpus": [2, 2, 4], "memory_gib": [4, 4, 8]})
    hosts = pd.DataFrame({"name": ["h1", "h2", "h3"], "cores": [8, 8, 8], "memory_gib": [16, 16, 16]})
    return planner.Problem.build(planner.Inventory.from_frames(workloads, hosts), policy="raw")


def endless(steps: int = 1) -> Callable[..., planner.Result]:
    """A search that announces `steps` steps, then goes on until it is told to stop."""

    def solve(problem, *, on_progress, should_stop, **options) -> planner.Result:
        for number in range(steps):
            on_progress(
                planner.Progress(seconds=number, method="test", incumbent=4.0, bound=1.0 + number, hosts_used=4)
            )
        while not should_stop():
            time.sleep(0.005)
        return planner.solve(problem, time_limit=0)

    return solve


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_a_job_solves_in_the_background(problem):
    end = Job(problem, time_limit=5).start().wait(30)
    assert end.state is JobState.DONE
    assert end.result.hosts_used == 1
    assert planner.check(problem, end.result.plan) == []
    assert (end.incumbent, end.bound, end.gap) == (1, 1, 0)
    assert end.hosts_used == 1


def test_progress_is_seen_while_it_runs_and_cancel_keeps_the_plan(problem):
    job = Job(problem, solve=endless(steps=3)).start()
    until(lambda: len(job.snapshot().trace) == 3)
    now = job.snapshot()
    assert (now.state, now.incumbent, now.bound, now.hosts_used) == (JobState.RUNNING, 4, 3, 4)
    assert now.gap == pytest.approx(0.25)
    assert not now.finished
    job.cancel()
    end = job.wait(5)
    assert end.state is JobState.DONE
    assert end.result.plan is not None
    assert len(now.trace) == 3, "a snapshot stays as it was"


def test_cancel_of_a_real_search_ends_it_early(problem):
    job = Job(problem, time_limit=600).start()
    job.cancel()
    assert job.wait(10).finished


def test_a_job_cancelled_before_it_begins_never_begins(problem):
    job = Job(problem, solve=endless())
    job.cancel()
    job.run()
    end = job.snapshot()
    assert (end.state, end.result, end.seconds) == (JobState.CANCELLED, None, 0)


def test_time_stands_still_once_finished(problem):
    job = Job(problem, time_limit=5).start()
    job.wait(30)
    assert job.snapshot().seconds == job.snapshot().seconds


def test_bad_input_is_one_sentence_with_its_details(problem):
    def refuse(problem, **options):
        raise planner.InputError("host 'x': no price", details=["host 'y': no price"])

    end = Job(problem, solve=refuse).start().wait(5)
    assert (end.state, end.error, end.details) == (JobState.FAILED, "host 'x': no price", ("host 'y': no price",))


def test_a_defect_is_named_and_logged(problem, caplog):
    def fall_over(problem, **options):
        raise ZeroDivisionError("division by zero")

    end = Job(problem, solve=fall_over).start().wait(5)
    assert end.state is JobState.FAILED
    assert "ZeroDivisionError: division by zero" in end.error
    assert "Traceback" in caplog.text


def test_a_long_trace_is_thinned_and_keeps_its_ends(problem):
    job = Job(problem, solve=endless(steps=3 * MOST_STEPS)).start()
    until(lambda: job.snapshot().bound == 3 * MOST_STEPS)
    trace = job.snapshot().trace
    assert len(trace) <= MOST_STEPS
    assert (trace[0].seconds, trace[-1].seconds) == (0, 3 * MOST_STEPS - 1)
    job.cancel()


def test_a_runner_works_its_queue_off_in_order(problem):
    runner = JobRunner(slots=1)
    first = runner.submit(problem, solve=endless())
    second = runner.submit(problem, solve=endless())
    until(lambda: first.snapshot().state is JobState.RUNNING)
    assert second.snapshot().state is JobState.QUEUED
    first.cancel()
    until(lambda: second.snapshot().state is JobState.RUNNING)
    runner.close()
    assert second.wait(5).finished


def test_only_the_token_finds_a_job(problem):
    runner = JobRunner(slots=1)
    job = runner.submit(problem, time_limit=5)
    assert runner.get(job.token) is job
    assert runner.get(None) is runner.get("") is runner.get("guess") is None
    assert len(job.token) >= 20


def test_a_job_nobody_looks_at_is_cancelled_and_then_forgotten(problem):
    runner = JobRunner(slots=1, lease=0.2, keep=0.2)
    job = runner.submit(problem, solve=endless())
    assert job.wait(5).finished
    time.sleep(0.4)
    until(lambda: job.token not in runner._jobs)


def test_looking_at_a_job_keeps_it_alive(problem):
    runner = JobRunner(slots=1, lease=0.4)
    job = runner.submit(problem, solve=endless())
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        runner.get(job.token)
        time.sleep(0.05)
    assert not job.finished
    runner.close()


def test_the_default_lease_outlives_a_background_tab():
    assert JobRunner().lease >= 150


def test_no_thread_keeps_the_interpreter_alive(problem):
    runner = JobRunner(slots=1)
    runner.submit(problem, solve=endless())
    ours = [thread for thread in threading.enumerate() if thread.name.startswith(("slot-", "job-"))]
    assert ours
    assert all(thread.daemon for thread in ours)
    runner.close()


def test_a_result_that_is_there_already_is_kept_like_any_other(problem):
    runner = JobRunner()
    result = planner.solve(problem, time_limit=5)
    job = runner.adopt(problem, result, "Found elsewhere.")
    assert runner.get(job.token) is job
    assert (job.snapshot().state, job.snapshot().result, job.about) == (JobState.DONE, result, "Found elsewhere.")
    assert planner.check(problem, result.plan) == []
    runner.close()
