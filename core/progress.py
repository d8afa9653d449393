"""How long work reports that it is alive, and learns that it should stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable


class Progress(Protocol):
    """One call, made at least once per batch or epoch; it may raise ``Cancelled``.

    ``done`` and ``total`` count units of the current ``stage`` (items, epochs, …); ``done`` never
    falls within a stage and reaches ``total`` when the stage is complete. ``note`` carries one
    short figure worth showing (a loss, an explained variance).
    """

    def __call__(self, done: int, total: int, stage: str = "", note: str = "") -> None:
        """Report that ``done`` of ``total`` units of ``stage`` are complete."""


@runtime_checkable
class TrainingProgress(Protocol):
    """What a listener may take besides ``Progress``: it draws a training while it runs."""

    def trained(self, training: Mapping[str, Any]) -> None:
        """Take the losses and held-out figures of all epochs so far; see ``tell_epoch``."""

    def expect(self, stages: Mapping[str, float]) -> None:
        """Take the stages of a training with their expected work; see ``tell_stages``."""


def quiet(done: int, total: int, stage: str = "", note: str = "") -> None:
    """Report to nobody."""


def tell_epoch(
    progress: Progress,
    stage: str,
    n_epochs: int,
    losses: Sequence[float],
    held_out: Mapping[str, Any] | None = None,
) -> None:
    """Tell how a training stands after an epoch, where ``progress`` listens to that.

    Parameters
    ----------
    progress : Progress
    stage : str
        As progress calls it: "training".
    n_epochs : int
        Planned; fewer may be run.
    losses : sequence of float
        One per epoch so far.
    held_out : mapping, optional
        As the provenance of a trained method holds it: ``name``, ``values`` and, where known,
        ``start``, ``chance`` and ``kept`` (the best epoch so far).
    """
    if isinstance(progress, TrainingProgress):
        told = {"stage": stage, "epochs": n_epochs, "losses": [float(loss) for loss in losses]}
        progress.trained({**told, "held_out": dict(held_out) if held_out else None})


def tell_stages(progress: Progress, stages: Mapping[str, float]) -> None:
    """Tell the stages still to come and the work each will take, in any unit; see ``expect``."""
    if isinstance(progress, TrainingProgress):
        progress.expect(stages)
