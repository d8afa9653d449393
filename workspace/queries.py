"""The query process: keeps a few embedders loaded and turns what a user types into a vector."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from core.arrays import FloatMatrix, FloatVector
from core.errors import NotFittedError
from workspace.catalog import Catalog
from workspace.packing import pack, unpack
from workspace.settings import Settings
from workspace.store import Store, present
from workspace.supplies import restored

if TYPE_CHECKING:
    from embedders import Embedder
    from workspace.worker import Inbox, Line

KEPT = 4
"""Embedders kept loaded; the least recently asked goes first."""


class LoadedEmbedders:
    """Fitted embedders by run id, taken up from the store when first asked."""

    def __init__(self, store: Store, catalog: Catalog, kept: int = KEPT) -> None:
        self._store, self._catalog, self._kept = store, catalog, kept
        self._loaded: OrderedDict[str, Embedder] = OrderedDict()

    def embedder(self, run: str) -> Embedder:
        """Return the fitted embedder of a run.

        Raises
        ------
        WorkspaceError
            If the run or its state has gone.
        NotFittedError
            If the method keeps nothing to answer with.
        """
        if run not in self._loaded:
            info = present(self._catalog.known_run(run), "The run")
            # A dataset that was removed is found no more: the method goes on without it.
            self._loaded[run] = restored(info, self._store, lambda id: self._store.dataset(id, {}))
        self._loaded.move_to_end(run)
        while len(self._loaded) > self._kept:
            self._loaded.popitem(last=False)
        return self._loaded[run]

    def _asked(self, run: str) -> Embedder:
        embedder = self.embedder(run)
        if not embedder.queries:
            raise NotFittedError(f"{embedder.title} cannot embed new queries. Search by an item.")
        return embedder

    def embed(self, run: str, query: Any) -> FloatVector:
        """Return the ``(d,) float32`` vector of a query."""
        return np.asarray(self._asked(run).embed_query(query), np.float32)

    def embed_several(self, run: str, queries: list[Any]) -> FloatMatrix:
        """Return the ``(n, d) float32`` vectors of several queries."""
        embedder = self._asked(run)
        return np.asarray(embedder.embed_queries(queries), np.float32)

    def trace(self, run: str, text: str) -> dict[str, Any]:
        """Return how a text becomes a vector, as plain values and arrays."""
        return self.embedder(run).trace(text).to_arrays()

    def trace_item(self, run: str, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return how a text became the vector of an item, as plain values and arrays."""
        return self.embedder(run).trace_item(item["text"], item["side"]).to_arrays()


def serve_queries(line: Line, inbox: Inbox, chosen: Settings) -> None:
    """Answer queries until the server goes away."""
    from workspace.worker import failure_text, warm_up

    loaded = LoadedEmbedders(Store(chosen.home), Catalog(chosen.home / "catalog.sqlite"))
    asks: dict[str, Callable[[str, Any], Any]] = {
        "vector": loaded.embed,
        "vectors": loaded.embed_several,
        "trace": loaded.trace,
        "trace item": loaded.trace_item,
    }
    line.send(say="ready")
    while True:
        message = inbox.messages.get()
        if message["say"] == "warm":
            warm_up(message["step"])
            line.send(say="warm")
            continue
        if message["say"] == "load":
            with suppress(Exception):  # whoever asks a question is told what is wrong
                loaded.embedder(message["run"])
            continue
        try:
            ask = asks[message["what"]]
            answer = ask(message["run"], unpack(message["query"]))
        except BaseException as error:
            line.send(
                say="refused",
                query=message["id"],
                error=type(error).__name__,
                message=failure_text(error),
                key=getattr(error, "key", ""),
                suggestions=list(getattr(error, "suggestions", ())),
            )
        else:
            line.send(say="answer", query=message["id"], answer=pack(answer))
