"""How long work reports that it is alive, and learns that it should stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """One call, made at least once per batch or epoch; it may raise ``Cancelled``.

    ``done`` and ``total`` count units of the current ``stage`` (items, epochs, …); ``done`` never
    falls within a stage and reaches ``total`` when the stage is complete. ``note`` carries one
    short figure worth showing (a loss, an explained variance).
    """

    def __call__(self, done: int, total: int, stage: str = "", note: str = "") -> None:
        """Report that ``done`` of ``total`` units of ``stage`` are complete."""


def quiet(done: int, total: int, stage: str = "", note: str = "") -> None:
    """Report to nobody."""
