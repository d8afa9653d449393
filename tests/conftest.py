"""Shared fixtures: where the real data lies, and small datasets with known answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Tests run side by side, as many as there are cores: what each starts takes one of them. With more,
# the threads of torch and BLAS wait for each other: a part of the suite took 120 s of CPU, not 42.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("EMBEDSCOPE_WORKER_THREADS", "1")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(name: str) -> Path:
    """Return a folder of the real-data collection, or skip the test that asks for it."""
    folder = SHARED / name
    if not folder.exists():
        pytest.skip(f"real data set {name!r} is not on this machine (looked in ../shared/data)")
    return folder


def run_python(code: str, **environment: str) -> list[str]:
    """Run ``code`` in a fresh process and return the words it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parents[1],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


_failed_once: list[pytest.TestReport] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what a failed try said of a test that is run once more."""
    if report.outcome == "rerun":  # type: ignore[comparison-overlap]
        _failed_once.append(report)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell a race even where the second try passed."""
    for report in _failed_once:
        terminalreporter.section(f"FAILED ONCE: {report.nodeid}", yellow=True)
        terminalreporter.write_line(report.longreprtext[-4_000:])
        for name, text in report.sections:
            terminalreporter.write_line(f"--- {name}\n{text}")
