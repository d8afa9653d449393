"""A home folder, a running job runner, and how to wait for a job."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from toy_tasks import ToyEmbedder

from embedders import registry
from workspace.runner import JobRunner
from workspace.settings import Settings

HERE = Path(__file__).resolve().parent


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def _toys_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the toy method here and in every child, for this test only."""
    monkeypatch.setattr(registry, "EMBEDDERS", (*registry.EMBEDDERS, ToyEmbedder))
    paths = [
        str(HERE / "in_children"),
        str(HERE),
        str(HERE.parents[1]),
        os.environ.get("PYTHONPATH", ""),
    ]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in paths if path))


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., JobRunner]]:
    """Start a runner on the test's home; more than one may be started."""
    started: list[JobRunner] = []

    def make(**values) -> JobRunner:
        values = {"spare_workers": 0, "worker_threads": 1, "warm_up": False, **values}
        started.append(JobRunner(Settings(home=home, **values)))
        return started[-1]

    yield make
    for runner in started:
        runner.shutdown()
