"""The server's end of the query process: one question, one answer, within a time limit."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from core import errors
from core.arrays import FloatMatrix, FloatVector
from core.errors import EmbedscopeError, QueryError, UnknownKey
from embedders.trace import Trace
from workspace.packing import pack, unpack
from workspace.settings import Settings
from workspace.slot import Slot


class _Ended(Exception):
    """The query process ended before it answered."""


class _NotReady(Exception):
    """The query process did not start in time."""


class QueryClient:
    """Asks the query process; starts a stuck or dead one again.

    Parameters
    ----------
    settings : Settings
    on_change : callable
        Called when the process became ready or warm, or ended.
    """

    def __init__(self, settings: Settings, on_change: Callable[[], None]) -> None:
        self._timeout_s = settings.query_timeout_s
        self._on_change = on_change
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Any]] = {}
        self.slot = Slot(
            "query",
            "queries",
            settings,
            warm_up=("language model",) if settings.warm_up else (),
            on_message=self._hear,
            on_end=self._ended,
        )

    def prepare(self, run: str) -> None:
        """Let the process load a run's model, so that it is there when a question comes."""
        if self.slot.ready:
            self.slot.send(say="load", run=run)

    def embed(self, run: str, query: object) -> FloatVector:
        """Return the ``(d,) float32`` vector of a query.

        Raises
        ------
        EmbedscopeError
            As ``_answer``.
        """
        vector: FloatVector = self._answer("vector", run, query)
        return vector

    def embed_several(self, run: str, queries: Sequence[str]) -> FloatMatrix:
        """Return the ``(n, d) float32`` vectors of several texts or keys.

        Raises
        ------
        EmbedscopeError
            As ``_answer``.
        """
        vectors: FloatMatrix = self._answer("vectors", run, list(queries))
        return vectors

    def trace(self, run: str, text: str) -> Trace:
        """Return how a text becomes a vector in a run.

        Raises
        ------
        EmbedscopeError
            As ``_answer``.
        """
        return Trace.from_arrays(self._answer("trace", run, text))

    def trace_item(self, run: str, text: str, side: int | None) -> Trace:
        """Return how a text became the vector of an item of ``side``.

        Raises
        ------
        EmbedscopeError
            As ``_answer``.
        """
        return Trace.from_arrays(self._answer("trace item", run, {"text": text, "side": side}))

    def _answer(self, what: str, run: str, query: object) -> Any:
        """Ask, and once more after a crash.

        Raises
        ------
        QueryError
            After a second crash, or when the time is over. A process that did not answer is
            started again; one that only just starts is left to do so.
        EmbedscopeError
            Whatever the method says about the query.
        """
        deadline = time.monotonic() + self._timeout_s
        for _ in range(2):
            try:
                return self._ask(what, run, query, deadline)
            except _Ended:
                continue
            except _NotReady:  # left alone: killed, it would start from the beginning
                raise QueryError(
                    f"The process that answers queries did not start within {self._timeout_s} "
                    "seconds. Try again in a moment."
                ) from None
            except TimeoutError:
                self.slot.kill()  # it may be stuck for good
                raise QueryError(
                    f"The query was not answered within {self._timeout_s} seconds. "
                    "Try again in a moment; a shorter query may help."
                ) from None
        raise QueryError(
            "The query could not be answered: the process that holds the model ended twice, most "
            "likely for lack of memory. Try a smaller model."
        )

    def _ask(self, what: str, run: str, query: object, deadline: float) -> Any:
        answer: Future[Any] = Future()
        with self._changed:
            if not self._changed.wait_for(lambda: self.slot.ready, deadline - time.monotonic()):
                raise _NotReady
            number = next(self._numbers)
            self._waiting[number] = answer
        self.slot.send(say="query", id=number, what=what, run=run, query=pack(query))
        try:
            return answer.result(max(0.0, deadline - time.monotonic()))
        finally:
            self._waiting.pop(number, None)

    def _hear(self, slot: Slot, message: dict[str, Any]) -> None:
        if message["say"] == "ready":
            with self._changed:
                slot.ready = True
                self._changed.notify_all()
        elif message["say"] == "warm":
            slot.warming = False
            del slot.cold[:1]
        else:
            answer = self._waiting.get(message["query"])
            if answer is not None and not answer.done():
                _settle(answer, message)
            return
        self._on_change()

    def _ended(self, slot: Slot) -> None:
        with self._changed:
            slot.reset()
            waiting = list(self._waiting.values())
        for answer in waiting:
            if not answer.done():
                answer.set_exception(_Ended())
        self._on_change()  # it may have been the one that warmed up: the others' turn comes


def _settle(answer: Future[Any], message: dict[str, Any]) -> None:
    if message["say"] == "answer":
        answer.set_result(unpack(message["answer"]))
        return
    text = message["message"]
    kind = getattr(errors, message["error"], QueryError)
    if kind is UnknownKey:
        suggestions = tuple(message["suggestions"])
        answer.set_exception(UnknownKey(text, key=message["key"], suggestions=suggestions))
    elif isinstance(kind, type) and issubclass(kind, EmbedscopeError):
        answer.set_exception(kind(text))
    else:
        answer.set_exception(QueryError(text))
