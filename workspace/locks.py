"""A lock that lives as long as the process that holds it, whatever ends that process."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """An exclusive lock on a file; the system frees it when the holder dies.

    A process id can be taken again by a stranger after a restart (always so in a container), so
    "is the owner alive?" is asked of the lock and not of the id.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free; tell whether it is ours now."""
        if self._handle is not None:
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(handle)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            os.close(self._handle)  # closing frees the lock
            self._handle = None

    @contextmanager
    def held(self, waiting: Callable[[], None], *, every_s: float = 0.2) -> Iterator[None]:
        """Hold the lock; call ``waiting`` (which may raise) while somebody else has it."""
        while not self.try_acquire():
            waiting()
            time.sleep(every_s)
        try:
            yield
        finally:
            self.release()


def clean_locks(folder: Path, older_than_s: float = 86_400) -> None:
    """Delete old lock files that nobody holds."""
    for path in folder.glob("*"):
        lock = FileLock(path)
        if path.stat().st_mtime < time.time() - older_than_s and lock.try_acquire():
            path.unlink(missing_ok=True)
            lock.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
