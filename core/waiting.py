"""Waiting for a call that cannot be interrupted, without being held up by it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
POLL_S = 0.25
"""Seconds between two beats: cancelling must take effect within two."""


def wait_for(call: Callable[[], T], beat: Callable[[], None], limit_s: float, name: str) -> T:
    """Return what ``call`` returns, with a beat (which may cancel) while it is awaited.

    Looking up a host's name ignores every time-out that sockets have, and a trickle of bytes never
    meets one; so the call runs in a thread that is left behind when the waiting ends.

    Parameters
    ----------
    call : callable
    beat : callable
        Called every ``POLL_S`` seconds; what it raises ends the waiting.
    limit_s : float
    name : str
        Of the thread, for whoever looks at a process.

    Raises
    ------
    TimeoutError
        After ``limit_s`` seconds.
    Exception
        What ``call`` or ``beat`` raises.
    """
    answer: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answer.put((call(), None))
        except Exception as error:
            answer.put((None, error))

    threading.Thread(target=run, daemon=True, name=name).start()
    until = time.monotonic() + limit_s
    while True:
        left = until - time.monotonic()
        try:
            value, error = answer.get(timeout=min(POLL_S, max(0.01, left)))
        except queue.Empty:
            if time.monotonic() >= until:
                raise TimeoutError(f"no answer in {limit_s:g} seconds") from None
            beat()
            continue
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]
