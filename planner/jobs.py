"""Job: solve() in the background, with progress and cancel; JobRunner: a queue of them for a server.

A job never calls back into whoever started it: people poll `snapshot()`, which is immutable. Every thread is a daemon,
because threads that the interpreter joins would keep a stopped server alive until the search ends.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from planner.errors import InputError
from planner.plan import Progress, Result
from planner.problem import Problem
from planner.solvers import solve as solve_problem

MOST_STEPS = 1_000
"""Steps of the search that a job remembers; beyond it every second one is forgotten."""

log = logging.getLogger(__name__)


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, eq=False)
class Snapshot:
    """A job at one moment.

    Parameters
    ----------
    state : JobState
        ``done`` has a result, even one that was cut short; ``cancelled`` was stopped before the search began;
        ``failed`` has an error.
    seconds : float
        Since the search began; 0 while queued.
    trace : tuple of Progress
        Steps of the search so far.
    incumbent, bound : float or None
        Best plan and best bound so far, in the objective's unit.
    hosts_used : int or None
    result : Result or None
    error : str
        One sentence, empty unless the job failed.
    details : tuple of str
        Further findings behind the error.
    """

    state: JobState
    seconds: float
    trace: tuple[Progress, ...] = ()
    incumbent: float | None = None
    bound: float | None = None
    hosts_used: int | None = None
    result: Result | None = None
    error: str = ""
    details: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in (JobState.DONE, JobState.CANCELLED, JobState.FAILED)

    @property
    def gap(self) -> float | None:
        """(incumbent - bound) / incumbent; 0 where they meet, None where either is missing."""
        if self.incumbent is None or self.bound is None:
            return None
        return 0.0 if self.incumbent <= self.bound else (self.incumbent - self.bound) / abs(self.incumbent or 1.0)


class Job:
    """One search in the background.

    Parameters
    ----------
    problem : Problem
    solve : callable, optional
        What is called with the problem, the options, `on_progress` and `should_stop`; `planner.solve` by default. What
        it returns is the result.
    **options
        Arguments of `planner.solve`: time_limit, gap, seed, workers, start.

    Attributes
    ----------
    after : dict of str to Job
        Jobs that go on from this one's result, once somebody asked for them, by what they find: "why", "trade-offs".
    about : str
        Where the result comes from, if not from a search of this job: a sentence.

    Examples
    --------
    ``job = Job(problem, time_limit=30).start()``, then ``job.snapshot()`` now and again, ``job.cancel()`` to stop with
    the best plan so far, ``job.wait().result`` for the end of it.
    """

    def __init__(self, problem: Problem, *, solve: Callable[..., Result] = solve_problem, **options):
        self.token = secrets.token_urlsafe(16)
        self.problem = problem
        self.options = options
        self._solve = solve
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._over = threading.Event()
        self._state = JobState.QUEUED
        self._trace: list[Progress] = []
        self._began: float | None = None
        self._ended: float | None = None
        self._result: Result | None = None
        self._error, self._details = "", ()
        self.after: dict[str, Job] = {}
        self.about = ""

    @property
    def time_limit(self) -> float:
        """Seconds that the search may take."""
        return float(self.options.get("time_limit", 60.0))

    @property
    def finished(self) -> bool:
        """Whether nothing will change any more."""
        return self._over.is_set()

    def start(self) -> Job:
        """Begin in a thread of its own; a job that a `JobRunner` queued is started by it."""
        threading.Thread(target=self.run, name=f"job-{self.token[:6]}", daemon=True).start()
        return self

    def cancel(self) -> None:
        """Ask the search to end with the best plan so far; a job that has not begun ends at once."""
        self._stop.set()
        with self._lock:
            if self._state is JobState.QUEUED:
                self._finish(JobState.CANCELLED)
            elif self._state is JobState.RUNNING:
                self._state = JobState.STOPPING

    def wait(self, timeout: float | None = None) -> Snapshot:
        """The snapshot once the job has finished, or after `timeout` seconds."""
        self._over.wait(timeout)
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        """The job as it is now."""
        with self._lock:
            last = self._trace[-1] if self._trace else None
            end = time.monotonic() if self._ended is None else self._ended
            return Snapshot(
                state=self._state,
                seconds=0.0 if self._began is None else end - self._began,
                trace=tuple(self._trace),
                incumbent=None if last is None else last.incumbent,
                bound=None if last is None else last.bound,
                hosts_used=None if last is None else last.hosts_used,
                result=self._result,
                error=self._error,
                details=self._details,
            )

    def run(self) -> None:
        """Search on the calling thread; returns when the job has finished, and at once if it was cancelled before."""
        with self._lock:
            if self._state is not JobState.QUEUED:
                return
            self._state, self._began = JobState.RUNNING, time.monotonic()
        try:
            result = self._solve(
                self.problem, on_progress=self._progress, should_stop=self._stop.is_set, **self.options
            )
        except InputError as error:
            self._fail(str(error), error.details)
        except Exception as error:
            # A thread has nobody above it to raise to: the log gets the traceback, whoever polls gets the sentence.
            log.exception("job %s failed", self.token[:6])
            self._fail(f"The search broke off with {type(error).__name__}: {error}")
        else:
            with self._lock:
                self._result = result
                self._finish(JobState.DONE)

    def _progress(self, step: Progress) -> None:
        with self._lock:
            self._trace.append(step)
            if len(self._trace) > MOST_STEPS:
                del self._trace[1:-1:2]

    def _fail(self, error: str, details: tuple[str, ...] = ()) -> None:
        with self._lock:
            self._error, self._details = error, details
            self._finish(JobState.FAILED)

    def _finish(self, state: JobState) -> None:
        self._state, self._ended = state, time.monotonic()
        self._over.set()


class JobRunner:
    """A queue of jobs, threads that work it off, and a register by token that only who knows the token can use.

    Parameters
    ----------
    slots : int
        Searches that run at the same time; the others wait in line.
    lease : float
        Seconds without a `get` after which a job is cancelled: nobody looks at it any more. Browsers slow down the
        timers of tabs in the background to one a minute, hence the default.
    keep : float
        Seconds without a `get` after which a finished job is forgotten.
    """

    def __init__(self, *, slots: int = 2, lease: float = 180.0, keep: float = 12 * 3600.0):
        self.slots, self.lease, self.keep = slots, lease, keep
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._polled: dict[str, float] = {}
        self._queue: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._closed = threading.Event()
        for number in range(slots):
            threading.Thread(target=self._work, name=f"slot-{number}", daemon=True).start()
        threading.Thread(target=self._tidy, name="job-leases", daemon=True).start()
        atexit.register(self.close)

    @property
    def workers(self) -> int:
        """Search threads that one job may use so that all slots together do not exceed the processors."""
        return max(1, (os.cpu_count() or 1) // self.slots)

    def submit(self, problem: Problem, **options) -> Job:
        """Queue a job; `options` are those of `Job`. Its `token` is how to `get` it again."""
        job = Job(problem, **options)
        with self._lock:
            self._jobs[job.token] = job
            self._polled[job.token] = time.monotonic()
        self._queue.put(job)
        return job

    def adopt(self, problem: Problem, result: Result, about: str) -> Job:
        """A job that has its result already, told about in a sentence; it is registered like any other."""
        job = Job(problem, solve=lambda problem, **options: result)
        job.about = about
        job.run()
        with self._lock:
            self._jobs[job.token] = job
            self._polled[job.token] = time.monotonic()
        return job

    def get(self, token: str | None) -> Job | None:
        """The job with this token, its lease renewed; None where there is none (any more)."""
        with self._lock:
            job = self._jobs.get(token or "")
            if job is not None:
                self._polled[job.token] = time.monotonic()
            return job

    def close(self) -> None:
        """Cancel every job and let the threads end."""
        self._closed.set()
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.cancel()

    def _work(self) -> None:
        while not self._closed.is_set():
            self._queue.get().run()

    def _tidy(self) -> None:
        while not self._closed.wait(min(1.0, self.lease / 4)):
            now = time.monotonic()
            with self._lock:
                unseen = {token: now - polled for token, polled in self._polled.items()}
                late = [job for token, job in self._jobs.items() if not job.finished and unseen[token] > self.lease]
                for token in [t for t, job in self._jobs.items() if job.finished and unseen[t] > self.keep]:
                    del self._jobs[token], self._polled[token]
            for job in late:
                job.cancel()
