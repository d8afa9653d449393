"""A worker process: takes tasks one after another from its stdin, answers on its stdout."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import logging
import os
import queue
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from core.errors import Cancelled, EmbedscopeError
from workspace.settings import Settings, settings

_LOG = logging.getLogger("embedscope.worker")
_REPORT_EVERY_S = 0.1
_QUERY_NICE = 0
_PR_SET_PDEATHSIG = 1


class Line:
    """The way to the server: one JSON object per line, from any thread."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def send(self, **message: Any) -> None:
        """Send one message."""
        from workspace.entries import plain

        data = json.dumps(message, default=plain).encode() + b"\n"
        with self._lock:
            self._stream.write(data)
            self._stream.flush()


class Inbox:
    """Reads the server's messages in a thread, so that cancelling reaches a busy worker."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._cancelled: set[str] = set()
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True, name="inbox").start()

    def _read(self) -> None:
        for line in self._stream:
            message = json.loads(line)
            if message["say"] == "cancel":
                self._cancelled.add(message["job"])
                continue
            if message["say"] == "run":  # a job started again keeps its id, not its cancel
                self._cancelled.discard(message["job"])
            self.messages.put(message)
        os._exit(0)  # the server has gone: nobody waits for anything any more

    def is_cancelled(self, job: str) -> bool:
        """Tell whether the user asked to stop this job."""
        return job in self._cancelled


def failure_text(error: BaseException) -> str:
    """Return the sentence for the user; what was not foreseen goes to the log in full."""
    if isinstance(error, EmbedscopeError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There was not enough memory. Try fewer items or smaller settings."
    reference = secrets.token_hex(4)
    _LOG.error("reference %s", reference, exc_info=error)
    return (
        "Something went wrong that Embedscope did not foresee. Try other settings; if it happens "
        f"again, report it with the reference {reference} (the log holds the details)."
    )


def serve_jobs(line: Line, inbox: Inbox, chosen: Settings) -> None:
    """Run tasks until the server goes away."""
    from workspace.catalog import Catalog
    from workspace.store import Store

    store = Store(chosen.home)
    catalog = Catalog(chosen.home / "catalog.sqlite")
    line.send(say="ready")
    while True:
        message = inbox.messages.get()
        if message["say"] == "warm":
            warm_up(message["step"])
            line.send(say="warm")
            continue
        job = message["job"]
        try:
            result = _run(message, store, catalog, line, inbox)
        except Cancelled:
            line.send(say="cancelled", job=job)
        except BaseException as error:
            line.send(say="failed", job=job, message=failure_text(error))
        else:
            line.send(say="done", job=job, result=result)


def _run(message: dict[str, Any], store: Any, catalog: Any, line: Line, inbox: Inbox) -> Any:
    from workspace.context import Context, StagedProgress
    from workspace.tasks import task_from_json

    job = message["job"]
    last_at, last_stage = 0.0, ""

    def report(values: dict[str, Any]) -> None:
        if inbox.is_cancelled(job):
            raise Cancelled
        nonlocal last_at, last_stage
        now = time.monotonic()
        complete = values["done"] == values["total"]
        soon = now - last_at < _REPORT_EVERY_S
        if soon and values["stage"] == last_stage and not complete and "training" not in values:
            return
        last_at, last_stage = now, values["stage"]
        line.send(say="progress", job=job, values=values)

    def publish(**result: Any) -> None:
        line.send(say="publish", job=job, result=result)

    task = task_from_json(message["task"])
    context = Context(store, catalog, message["workspace"], StagedProgress(report), publish)
    module, _, name = task.runs.partition(":")
    run: Callable[[Any, Context], Any] = getattr(importlib.import_module(module), name)
    return run(task, context)


WARM_UP = {
    "projection": ("projection.warm", "warm_up"),
    "language model": ("embedders.minilm", "load"),
    "compiled methods": ("embedders.warm", "warm_up"),
}
"""What the first job would otherwise wait for, in steps between which a job may come."""


def warm_up(step: str) -> None:
    """Import and compile one step of ``WARM_UP``."""
    module, function = WARM_UP[step]
    try:
        getattr(importlib.import_module(module), function)()
    except Exception:  # the job boundary: a missing extra must not end the worker
        _LOG.warning("could not warm up %s", module, exc_info=True)
    gc.collect()
    gc.freeze()  # what is loaded now never becomes garbage


def main() -> None:
    """Serve until the server goes away."""
    role, server = sys.argv[1], int(sys.argv[2])
    _die_with(server)
    chosen = settings()
    if hasattr(os, "nice"):
        os.nice(_QUERY_NICE if role == "query" else chosen.nice)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s %(process)d %(levelname)s %(name)s %(message)s",
    )
    # Libraries print to file 1; only we may write to the server.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    line, inbox = Line(answers), Inbox(sys.stdin.buffer)
    with contextlib.suppress(BrokenPipeError):
        if role == "query":
            from workspace.queries import serve_queries

            serve_queries(line, inbox, chosen)
        else:
            serve_jobs(line, inbox, chosen)


def _die_with(server: int) -> None:
    """Ask Linux to end this process with the server, even inside a C loop that keeps the GIL."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != server:  # it died before we asked
        os._exit(0)
