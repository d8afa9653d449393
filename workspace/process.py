"""The server's end of a worker process: JSON lines out through its stdin, in through its stdout.

``multiprocessing`` would import the program's main module again in every child, which under
``streamlit run`` is the app itself. A plain subprocess starts clean, gets its environment before
numpy is imported, learns of the server's death when its stdin ends, and cannot be sent a pickle.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from workspace.settings import Settings

Role = Literal["worker", "query"]
_PROJECT = Path(__file__).resolve().parents[1]
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
)
_START = "from workspace.worker import main; main()"
_LOG_LIMIT = 5_000_000


class WorkerProcess:
    """One child process.

    Parameters
    ----------
    role : {"worker", "query"}
    name : str
        For its log file.
    settings : Settings

    Notes
    -----
    On Linux the child asks to be killed when the *thread* that made it ends: make it from a thread
    that lives as long as the child may (``messages`` is read in that same thread).
    """

    def __init__(self, role: Role, name: str, settings: Settings) -> None:
        logs = settings.home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        log = logs / f"{name}.log"
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_suffix(".old.log"))
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, role, str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=_environment(settings),
                start_new_session=True,  # Ctrl-C in the terminal is the server's business
            )
        self._writing = threading.Lock()

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message; a dead process is noticed where its messages are read."""
        assert self._process.stdin is not None  # noqa: S101 -- told to the type checker
        line = json.dumps(message).encode() + b"\n"
        with self._writing, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield what the child says, until it ends."""
        assert self._process.stdout is not None  # noqa: S101 -- told to the type checker
        for line in self._process.stdout:
            try:
                yield json.loads(line)
            except ValueError:  # cut off by a kill in the middle of a line
                continue

    def kill(self) -> None:
        """End the process at once, whatever it does."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def stop(self) -> None:
        """Let the process end by itself: it does when its stdin ends."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None  # noqa: S101 -- told to the type checker
            self._process.stdin.close()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end; tell whether it came."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True


def _environment(settings: Settings) -> dict[str, str]:
    paths = [str(_PROJECT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONHASHSEED": "0",  # gensim draws its first vectors from hash(word)
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "EMBEDSCOPE_HOME": str(settings.home),
        "EMBEDSCOPE_NICE": str(settings.nice),
        "EMBEDSCOPE_DOWNLOADS": str(settings.downloads),
        "EMBEDSCOPE_API_HOSTS": settings.api_hosts,
        "EMBEDSCOPE_MODEL_FOLDERS": settings.model_folders,
        **dict.fromkeys(_THREAD_VARIABLES, str(settings.worker_threads)),
    }
