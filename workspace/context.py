"""What a task sees while a worker runs it: store, catalog, progress, and how to publish."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import WorkspaceError
from ingest.dataset import Dataset
from workspace.catalog import GONE, Catalog
from workspace.store import Store, present

if TYPE_CHECKING:
    from embedders import Embedder

_WINDOW_S = 10.0
_LASTING_S = 8.0
_LEAST_SHARE = 0.01  # of a part whose long stages have not begun
_TRUSTED_S = 2.0  # a rate over less than this would jump
_SLOW_S = 20.0  # after which a stage whose steps take seconds is judged as a whole

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
    Every part starts with an expected time. Once it reports, its rate over the last seconds tells
    (texts are embedded longest first, so the rate of the beginning would mislead). The fraction is
    the time spent over the time expected in all; it never falls, even when a part turns out to be
    slower than expected.

    A part may name its stages with the work each will take (a training does). Then the share of
    that work which is done counts, not the time: nobody knows how long the first epoch will take.
    """

    def __init__(self, report: Report, clock: Callable[[], float] = time.monotonic) -> None:
        self._report, self._clock = report, clock
        self._begun = self._part_begun = self._stage_begun = clock()
        self._ahead: dict[str, float] = {}
        self._expected = 0.0
        self._stage, self._stage_from = "", 0
        self._seen: deque[tuple[float, int]] = deque()
        self._fraction = 0.0
        self._stages: dict[str, float] = {}
        self._reached = self._part_from = 0.0
        self._said: dict[str, Any] = {}
        self._has_trained = False

    def plan(self, expected_s: Mapping[str, float]) -> None:
        """Set the parts still to come, in order, with the seconds each will take, roughly."""
        self._ahead = dict(expected_s)

    def begin(self, part: str, stage: str, stages: Mapping[str, float] | None = None) -> None:
        """Start a planned part; ``stage`` is what the user reads until the part reports.

        ``stages`` are those that take long, with the work of each; see ``expect``.
        """
        self._expected = self._ahead.pop(part, 0.0)
        self._part_begun, self._part_from = self._clock(), self._fraction
        self.expect(stages or {})
        if stages is not None and self._has_trained:  # of another member of a comparison
            self.trained({})
        self(0, 0, stage)
        self._stage = ""  # the part's own first report starts the measuring

    def expect(self, stages: Mapping[str, float]) -> None:
        """Set the stages of this part that take long, in order, with the work of each."""
        self._stages, self._reached = dict(stages), 0.0

    def trained(self, training: Mapping[str, Any]) -> None:
        """Report how a training stands after an epoch; may raise ``Cancelled``."""
        self._has_trained = bool(training)
        self._report({**self._said, "training": dict(training)})

    def __call__(self, done: int, total: int, stage: str = "", note: str = "") -> None:
        """Report progress of the current part; may raise ``Cancelled``."""
        now = self._clock()
        if stage != self._stage:
            self._stage, self._stage_begun, self._stage_from = stage, now, done
            self._seen.clear()
        self._seen.append((now, done))
        while now - self._seen[1 if len(self._seen) > 1 else 0][0] > _WINDOW_S:
            self._seen.popleft()
        measured = self._measured_s(done, total)
        ahead = sum(self._ahead.values())
        if self._stages:
            measured, left = self._left_by_work(measured, now, done / total if total else 0.0)
            fraction = self._reached_of_all(now - self._part_begun + left, ahead)
        else:
            left = self._left_in_part(measured, now)
            spent = now - self._begun
            fraction = spent / max(spent + left + ahead, 1e-9)
        # 0.99: only the end of the job is the whole of it
        self._fraction = max(self._fraction, min(0.99, fraction))
        self._said = {
            "stage": stage,
            "done": int(done),
            "total": int(total),
            "note": note,
            "fraction": self._fraction,
            "eta_s": None if measured is None else left + ahead,
        }
        self._report(self._said)

    def _measured_s(self, done: int, total: int) -> float | None:
        """Return the seconds left of the current stage by its own rate, once that is known."""
        (then, before), (now, _) = self._seen[0], self._seen[-1]
        advanced, least = done - before, max(0.01 * total, 1e-9)
        if advanced < least and now - self._stage_begun > _SLOW_S:
            # Steps so slow that the last seconds hold too few of them: all of the stage tells.
            then, advanced, least = self._stage_begun, done - self._stage_from, 2
        if now - then < _TRUSTED_S or advanced < least:
            return None
        return (now - then) / advanced * (total - done)

    def _left_by_work(
        self, measured: float | None, now: float, share: float
    ) -> tuple[float | None, float]:
        """Return the seconds left of a part whose stages are known, by the work left.

        The first is None where the rate of the current stage does not tell.
        """
        names, here_left = list(self._stages), 0.0
        if self._stage in names:
            before = sum(self._stages[name] for name in names[: names.index(self._stage)])
            work = self._stages[self._stage]
            self._reached = max(self._reached, before + share * work)
            here_left = (1 - share) * work
        whole = sum(self._stages.values())
        ahead = whole - self._reached
        if measured is not None and 0 < ahead <= 2 * here_left:
            return measured, measured * ahead / here_left
        spent, part = now - self._part_begun, max(_LEAST_SHARE, self._reached / whole)
        return None, max(self._expected - spent, spent * (1 - part) / part)

    def _reached_of_all(self, part_s: float, ahead_s: float) -> float:
        """Return the fraction of the job by the work done in a part that takes ``part_s``."""
        share = part_s / max(part_s + ahead_s, 1e-9)
        done = self._reached / sum(self._stages.values())
        return self._part_from + (1 - self._part_from) * share * done

    def _left_in_part(self, measured: float | None, now: float) -> float:
        expected = max(0.0, self._expected - (now - self._part_begun))
        if measured is None:
            return expected
        whole = measured + now - self._seen[0][0]
        # A short stage (cutting into tokens) says nothing of the long one that follows it; a
        # stage that lasts is the long one.
        if whole < 0.25 * self._expected and now - self._stage_begun < _LASTING_S:
            return max(measured, expected)
        return measured


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
            raise WorkspaceError(GONE)
        return present(self.store.dataset(id, told), f"The dataset {told['name']}")

    def model(self, run: str) -> tuple[Embedder, str]:
        """Return the fitted model of a run of the workspace, and the name of its data.

        Raises
        ------
        WorkspaceError
        """
        from workspace.supplies import restored

        found = self.catalog.runs(self.workspace, id=run)
        info = present(found[0] if found else None, "The run")
        told = self.catalog.told(self.workspace, info.dataset)
        model = restored(info, self.store, lambda id: self.store.dataset(id, {}))
        return model, str(told["name"]) if told else ""

    @contextmanager
    def alone(self, id: str) -> Iterator[None]:
        """Make sure that nobody else computes the same object at the same time."""

        def waiting() -> None:
            self.progress(0, 0, "waiting for the same work of another job")

        with self.store.lock(id).held(waiting):
            yield
