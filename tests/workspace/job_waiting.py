"""How tests wait for jobs."""

from __future__ import annotations

import time
from collections.abc import Callable

from workspace.jobs import Job
from workspace.runner import JobRunner


def wait_for(condition: Callable[[], object], timeout_s: float = 20.0) -> object:
    """Return the first true value of ``condition``."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("waited too long")


def ended(runner: JobRunner, job: Job, timeout_s: float = 30.0) -> Job:
    """Return a job once it has ended."""
    wait_for(lambda: not runner.job(job.id).active, timeout_s)
    return runner.job(job.id)
