"""A place for one long-lived child process, kept filled by one thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from workspace.process import Role, WorkerProcess
from workspace.settings import Settings

_LOG = logging.getLogger(__name__)
_MAX_PAUSE_S = 30.0


class Slot:
    """Keeps a child process alive until closed; its thread waits and never polls.

    Parameters
    ----------
    role, name, settings
        As for ``WorkerProcess``.
    warm_up : tuple of str
        Steps to warm up, in order.
    on_message : callable
        Takes slot and message, in the slot's thread.
    on_end : callable
        Takes the slot after its process has ended, before another one starts.
    """

    def __init__(
        self,
        role: Role,
        name: str,
        settings: Settings,
        *,
        warm_up: tuple[str, ...],
        on_message: Callable[[Slot, dict[str, Any]], None],
        on_end: Callable[[Slot], None],
    ) -> None:
        self.name = name
        self.process: WorkerProcess | None = None
        self.ready = False
        self.job: str | None = None
        self.turn = 0
        """How many jobs were given to this place so far; tells two runs of one job apart."""
        self.warming = False
        self.cold: list[str] = list(warm_up)
        self.failed_starts = 0
        self.settled = threading.Event()
        """Set when the first process has started, or failed to."""
        self._all_steps = warm_up
        self._closing = threading.Event()
        self._role, self._settings = role, settings
        self._after: Slot | None = None
        self._on_message, self._on_end = on_message, on_end
        self._thread = threading.Thread(target=self._keep_filled, daemon=True, name=name)

    def start(self, after: Slot | None) -> None:
        """Start the first process once ``after`` has started its own (or soon anyway)."""
        self._after = after
        self._thread.start()

    @property
    def is_idle(self) -> bool:
        """Tell whether a job can start here now."""
        return self.ready and self.job is None and not self.warming

    def send(self, **message: Any) -> None:
        """Send a message to the process, if there is one."""
        process = self.process
        if process is not None:
            process.send(message)

    def kill(self) -> None:
        """End the process at once; another one takes its place."""
        process = self.process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Let the process end and start no other; ``join`` waits for it."""
        self._closing.set()
        process = self.process
        if process is not None:
            process.stop()
            if not self.ready:  # still importing: it would not notice for a while
                process.kill()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of a closed slot; kill what does not end by itself."""
        process = self.process
        if process is not None and not process.wait(timeout_s):
            process.kill()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _keep_filled(self) -> None:
        if self._after is not None:
            self._after.settled.wait(20.0)  # starting all at once would slow the first page
        while not self._closing.is_set():
            self._one_life()
            self.settled.set()
            if self.failed_starts:
                self._closing.wait(min(_MAX_PAUSE_S, 0.2 * 2**self.failed_starts))

    def _one_life(self) -> None:
        begun = time.monotonic()
        try:
            self.process = WorkerProcess(self._role, self.name, self._settings)
        except OSError:
            _LOG.exception("%s could not be started", self.name)
            self.failed_starts += 1
            self._tell(self._on_end)
            return
        if self._closing.is_set():  # closed in between: nobody else would stop it
            self.process.stop()
        for message in self.process.messages():
            if message["say"] == "ready":
                self.failed_starts = 0
                self.settled.set()
            self._tell(self._on_message, message)
        self.process.wait()
        if not self.ready and not self._closing.is_set():
            self.failed_starts += 1
            _LOG.warning("%s ended after %.1f s", self.name, time.monotonic() - begun)
        self.process = None
        self._tell(self._on_end)

    def _tell(self, listener: Callable[..., None], *message: dict[str, Any]) -> None:
        try:
            listener(self, *message)
        except Exception:  # the job boundary: without this thread the place stays empty for good
            _LOG.exception("%s could not pass on what its process said", self.name)

    def reset(self) -> None:
        """Forget the state of the process that ended."""
        self.ready = self.warming = False
        self.job = None
        self.cold = list(self._all_steps)
