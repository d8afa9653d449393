"""``Job``: what is known about one long computation at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["queued", "running", "done", "cancelled", "failed", "interrupted"]
OPEN_STATES: tuple[State, ...] = ("queued", "running")

INTERRUPTED = "The server stopped while this job ran. Start it again."
CANCELLED = "Cancelled."
KILLED = (
    "The worker process ended unexpectedly, most likely for lack of memory. "
    "Try fewer items or smaller settings."
)
NOT_STARTED = (
    "No worker process could be started. Restart Embedscope; the log in its home folder says why."
)


@dataclass(frozen=True)
class Job:
    """A snapshot of a job; ask for a new one to see it move.

    Attributes
    ----------
    id, workspace : str
    task : str
        The task as JSON (``workspace.tasks.task_from_json``).
    title : str
        In words: "BERT sentence embeddings · reviews".
    state : {"queued", "running", "done", "cancelled", "failed", "interrupted"}
    stage : str
        What it does now: "embedding".
    done, total : int
        Units of the stage.
    note : str
        One short figure worth showing (a loss).
    fraction : float
        Of the whole job, 0 to 1; never falls while the job runs.
    created, started, finished : float or None
        Seconds since 1970.
    eta_s : float or None
        Seconds left, when that can be told.
    message : str
        Why it failed or stopped; "" otherwise.
    result : mapping
        "dataset" and "run": the ids this job is about (the run may still be in the making until
        "run_ready" is true). "layouts": what is drawn so far, in order of appearance; "layout":
        the newest of them. "qualities": the layouts whose quality is measured. "graph": the kNN
        graph. "preview": ``{"id", "n", "of"}`` once there is a picture of the first rows.
    training : mapping
        "stage", "epochs" planned, "losses" and "held_out" so far, as ``core.progress.tell_epoch``
        has them; empty where nothing is trained. Not stored: it matters while the job runs.
    """

    id: str
    workspace: str
    task: str
    title: str
    state: State = "queued"
    stage: str = ""
    done: int = 0
    total: int = 0
    note: str = ""
    fraction: float = 0.0
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    eta_s: float | None = None
    message: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Tell whether the job waits or runs."""
        return self.state in OPEN_STATES

    @property
    def text(self) -> str:
        """Return one line for the screen: "embedding 3,200 of 7,600, about 40 s left"."""
        if self.state == "queued":
            return "waiting for its turn"
        if self.state != "running":
            return self.message or self.state
        line = self.stage or "starting"
        if self.total > 1:
            line += f" {self.done:,} of {self.total:,}"
        if self.note:
            line += f" ({self.note})"
        if self.eta_s is not None:
            line += f", {_about(self.eta_s)} left"
        return line


def _about(seconds: float) -> str:
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s"
    if seconds < 5_400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3_600:.1f} h"
