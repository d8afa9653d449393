"""What a task sees while a worker runs it: store, catalog, progress, and how to publish."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.errors import WorkspaceError
from ingest.dataset import Dataset
from workspace.catalog import Catalog
from workspace.store import Store, present

Report = Callable[[dict[str, Any]], None]
"""Takes one message for the server; may raise ``Cancelled``."""


class StagedProgress:
    """Turns the progress of one part after another into a fraction and time left of the whole.

    Parameters
    ----------
    report : callable
        Takes ``stage, done, total, note, fraction, eta_s`` as a mapping.
    clock : callable
        Seconds, rising.

    Notes
    -----
    Every part starts with an expected time. Once it reports, the time it took so far stands for
    its rate. The fraction is the time spent over the time expected in all; it never falls, even
    when a part turns out to be slower than expected.
    """

    def __init__(self, report: Report, clock: Callable[[], float] = time.monotonic) -> None:
        self._report, self._clock = report, clock
        self._begun = clock()
        self._ahead: dict[str, float] = {}
        self._expected = 0.0
        self._part_begun = self._inner_begun = self._begun
        self._inner = ""
        self._fraction = 0.0

    def plan(self, expected_s: Mapping[str, float]) -> None:
        """Set the parts still to come, in order, with the seconds each will take, roughly."""
        self._ahead = dict(expected_s)

    def begin(self, part: str, stage: str) -> None:
        """Start a planned part; ``stage`` is what the user reads until the part reports."""
        self._expected = self._ahead.pop(part, 0.0)
        self._part_begun = self._clock()
        self._inner = ""
        self(0, 0, stage)

    def __call__(self, done: int, total: int, stage: str = "", note: str = "") -> None:
        """Report progress of the current part; may raise ``Cancelled``."""
        now = self._clock()
        if stage != self._inner:
            self._inner, self._inner_begun = stage, now
        left = self._left_in_part(done, total, now)
        remaining = left + sum(self._ahead.values())
        spent = now - self._begun
        if spent + remaining > 0:
            # 0.99: only the end of the job is the whole of it
            self._fraction = max(self._fraction, min(0.99, spent / (spent + remaining)))
        known = done > 0 and now - self._inner_begun > 1.0
        self._report(
            {
                "stage": stage,
                "done": int(done),
                "total": int(total),
                "note": note,
                "fraction": self._fraction,
                "eta_s": remaining if known else None,
            }
        )

    def _left_in_part(self, done: int, total: int, now: float) -> float:
        if done > 0 and total > 0:
            return (now - self._inner_begun) / done * (total - done)
        return max(0.0, self._expected - (now - self._part_begun))


@dataclass
class Context:
    """One task's view of the world."""

    store: Store
    catalog: Catalog
    workspace: str
    progress: StagedProgress
    publish: Callable[..., None]
    """Tells the server what is finished: ``publish(run=id)``; shown at once."""

    def dataset(self, id: str) -> Dataset:
        """Return a dataset that the workspace was given.

        Raises
        ------
        WorkspaceError
        """
        told = self.catalog.told(self.workspace, id)
        if told is None:
            raise WorkspaceError(
                "This dataset is no longer in the workspace. Load it again, then start the job."
            )
        return present(self.store.dataset(id, told), f"The dataset {told['name']}")

    @contextmanager
    def alone(self, id: str) -> Iterator[None]:
        """Make sure that nobody else computes the same object at the same time."""

        def waiting() -> None:
            self.progress(0, 0, "waiting for the same work of another job")

        with self.store.lock(id).held(waiting):
            yield
