"""What was embedded before: vectors of single items, from finished runs and interrupted jobs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix
from embedders.base import ItemEmbedder, ItemKeys
from embedders.changing_model import ChangingModel
from workspace.catalog import Catalog
from workspace.entries import saving
from workspace.store import Store

_KEPT_S = 7 * 86_400
"""How long what a cancelled job has made is kept, to go on from there."""
_OF_WITNESS = np.zeros((1, 16), np.uint8)
"""The key of no item."""


class StoredItems:
    """The vectors that this server has of items, for one pretrained method with its settings.

    Finished runs tell by the digests of their items which vectors they hold. What a running job
    makes is appended to a file of its own, which outlives a cancel or a crash and is deleted when
    the run is complete. Whole blocks are appended, and a block that was cut off is not read.

    Where somebody else runs the model, vectors of another model than the one that answers now are
    not used; the file of a running job begins with the vector that tells its model. That vector
    decides, not the model's name; where the model changes under way, nothing more is kept.

    Parameters
    ----------
    store : Store
    catalog : Catalog
    embedder : ItemEmbedder
        Fitted.
    run : str
        Id of the run that is being made.
    """

    def __init__(self, store: Store, catalog: Catalog, embedder: ItemEmbedder, run: str) -> None:
        self._store, self._catalog, self._run = store, catalog, run
        self._recipe, self._method = embedder.recipe(), embedder.id
        self._unfinished = store.unfinished(run)
        self._items: tuple[ItemKeys, NDArray[np.int64]] | None = None
        self._changing = embedder if isinstance(embedder, ChangingModel) else None
        self._n_made = 0
        self.n_earlier = 0
        """Items of the last search that had been embedded before this job."""

    def find(self, keys: ItemKeys) -> tuple[NDArray[np.int64], FloatMatrix]:
        """Return which of ``keys`` are known, ``(m,) int64``, and their ``(m, d)`` vectors."""
        wanted = {key.tobytes(): row for row, key in enumerate(keys) if key.any()}
        rows: list[int] = []
        blocks: list[FloatMatrix] = []
        for known, matrix, at in self._sources():
            if blocks and matrix.shape[1] != blocks[0].shape[1]:
                continue  # a service may have changed the model behind a name
            places = [
                (wanted.pop(key), at[place])
                for place, key in enumerate(map(bytes, known))
                if key in wanted
            ]
            if places:
                rows += [row for row, _ in places]
                blocks.append(np.asarray(matrix[[row for _, row in places]], np.float32))
            if not wanted:
                break
        self.n_earlier = max(0, len(rows) - self._n_made)
        matrix = np.concatenate(blocks) if blocks else np.empty((0, 0), np.float32)
        return np.array(rows, np.int64), matrix

    def keep(self, keys: ItemKeys, vectors: FloatMatrix) -> None:
        """Append the vectors of a few items that were just made; not those of a mixed run."""
        if self._is_mixed():
            return
        self._n_made += len(keys)
        self._unfinished.parent.mkdir(parents=True, exist_ok=True)
        with saving("vectors"), self._unfinished.open("ab") as stream:
            if self._changing is not None and not stream.tell():
                np.save(stream, _OF_WITNESS)
                np.save(stream, self._changing.witness()[np.newaxis])
            np.save(stream, np.ascontiguousarray(keys))
            np.save(stream, np.ascontiguousarray(vectors, np.float32))

    def complete(self, keys: ItemKeys, rows: NDArray[np.int64]) -> None:
        """Learn at which row of the vectors each item has its own; the last call counts."""
        self._items = keys, rows

    def finish(self) -> None:
        """Tell later runs what this one holds, now that its vectors are kept."""
        if self._items is not None and not self._is_mixed():
            self._store.save_items(self._run, self._recipe, *self._items)
        limit = time.time() - _KEPT_S
        for file in self._unfinished.parent.glob("*.blocks"):
            with contextlib.suppress(OSError):  # another job may be cleaning too
                if file == self._unfinished or file.stat().st_mtime < limit:
                    file.unlink()

    def _sources(self) -> Iterator[tuple[ItemKeys, FloatMatrix, NDArray[np.int64]]]:
        """Yield keys, vectors, and the row of each key's vector."""
        if self._is_of_another_model(self._unfinished):
            self._unfinished.unlink(missing_ok=True)
        for known, block in _blocks(self._unfinished):
            yield known, block, np.arange(len(block))
        for run in self._catalog.runs_of_method(self._method):
            items = self._store.items(run, self._recipe)
            if items is None or self._was_of_another_model(run):
                continue
            vectors = self._store.vectors(run)
            if vectors is not None:
                yield items["keys"], vectors.matrix, items["rows"]

    def _is_of_another_model(self, file: Path) -> bool:
        """Tell whether the first block of a file is the witness of a model that is no more."""
        if self._changing is None:
            return False
        for known, block in _blocks(file):
            is_witness = known.shape == _OF_WITNESS.shape and not known.any()
            return is_witness and self._changing.changed_from(block[0])
        return False

    def _is_mixed(self) -> bool:
        """Tell whether more than one model answers: nobody knows which vector is whose."""
        return self._changing is not None and not self._changing.is_of_one_model()

    def _was_of_another_model(self, run: str) -> bool:
        if self._changing is None:
            return False
        state = self._store.state(run)
        return state is not None and self._changing.changed_since(state)


def _blocks(file: Path) -> Iterator[tuple[ItemKeys, FloatMatrix]]:
    """Yield the whole blocks of a file; what was cut off at its end is cut away for good."""
    if not file.is_file():
        return
    with file.open("r+b") as stream:
        whole = 0
        while True:
            try:
                keys = np.load(stream, allow_pickle=False)
                vectors = np.load(stream, allow_pickle=False)
            except (ValueError, EOFError, OSError):
                break
            whole = stream.tell()
            yield keys, vectors
        stream.truncate(whole)  # what is appended next must follow a whole block
