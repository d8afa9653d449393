"""The store: datasets, vectors, model states, graphs and layouts, each under its content's id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from core.arrays import AnyArray
from core.errors import WorkspaceError
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors
from workspace import formats
from workspace.entries import Entries
from workspace.identity import dataset_id, graph_id
from workspace.locks import FileLock

if TYPE_CHECKING:
    from projection.layout import Layout
    from projection.quality import Quality
    from vectors import KnnGraph


T = TypeVar("T")


class Store:
    """Content-addressed objects under one folder, safe for many processes.

    What is broken or missing reads as None, so that callers compute it again.

    Parameters
    ----------
    root : Path
        Made when something is first written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries = Entries(root)
        self.images = root / "images"

    def lock(self, id: str) -> FileLock:
        """Return the lock under which one object is computed."""
        return FileLock(self.root / "locks" / id)

    @contextmanager
    def keeping_datasets(self) -> Iterator[None]:
        """Let nobody else keep or delete a dataset meanwhile.

        One lock for all of them, as they share images.
        """
        with self.lock("datasets").held(lambda: None, every_s=0.02):
            yield

    # datasets
    def save_dataset(self, dataset: Dataset) -> str:
        """Keep the content of a dataset; return its id."""
        id = dataset_id(dataset)
        self.entries.write("datasets", id, lambda f: formats.save_dataset(f, dataset, self.images))
        return id

    def dataset_meta(self, id: str) -> dict[str, Any] | None:
        """Return fingerprint, modality, n, roles and label of a dataset, with its size."""
        return self._sized("datasets", id)

    def dataset(self, id: str, told: Mapping[str, Any]) -> Dataset | None:
        """Return a dataset; ``told`` are the name, notes and dropped rows of whoever loaded it."""
        meta = self.entries.meta("datasets", id)
        if meta is None:
            return None
        return formats.load_dataset(self.entries.path("datasets", id), meta, self.images, told)

    def image_digests(self, id: str) -> set[str]:
        """Return the hashes of the images of a dataset (empty for other kinds)."""
        meta = self.entries.meta("datasets", id)
        if meta is None or meta["items"] not in {"images", "pairs"}:
            return set()
        table = pd.read_parquet(self.entries.path("datasets", id) / "ids.parquet")
        return set(table["image"].dropna()) if "image" in table else set()

    # vectors and what is needed to query them
    def save_vectors(self, id: str, vectors: KeyedVectors) -> dict[str, Any]:
        """Keep vectors; return their meta data, with the size."""
        self.entries.write("vectors", id, lambda f: formats.save_vectors(f, vectors))
        return self._sized("vectors", id) or {}

    def vectors_meta(self, id: str) -> dict[str, Any] | None:
        """Return metric, provenance, kinds, n, dim and size of stored vectors."""
        return self._sized("vectors", id)

    def vectors(self, id: str) -> KeyedVectors | None:
        """Return vectors, memory-mapped."""
        meta = self.entries.meta("vectors", id)
        if meta is None:
            return None
        return formats.load_vectors(self.entries.path("vectors", id), meta)

    def save_state(self, id: str, state: Mapping[str, AnyArray]) -> None:
        """Keep what an embedder needs to answer queries."""
        self.entries.write("states", id, lambda f: formats.save_arrays(f, state))

    def state(self, id: str) -> dict[str, AnyArray] | None:
        """Return the state of a fitted embedder, memory-mapped."""
        meta = self.entries.meta("states", id)
        return None if meta is None else formats.load_arrays(self.entries.path("states", id), meta)

    def save_items(self, id: str, recipe: str, keys: AnyArray, rows: AnyArray) -> None:
        """Keep which items a run holds, ``(m, 16) uint8``, and at which rows of its vectors."""

        def fill(folder: Path) -> dict[str, Any]:
            return {**formats.save_arrays(folder, {"keys": keys, "rows": rows}), "recipe": recipe}

        self.entries.write("items", id, fill)

    def items(self, id: str, recipe: str) -> dict[str, AnyArray] | None:
        """Return the items of a run and their rows, if it was made by ``recipe``."""
        meta = self.entries.meta("items", id)
        if meta is None or meta["recipe"] != recipe:
            return None
        return formats.load_arrays(self.entries.path("items", id), meta)

    def unfinished(self, id: str) -> Path:
        """Return the file in which a job keeps the vectors of a run until all are there."""
        return self.root / "unfinished" / f"{id}.blocks"

    def state_bytes(self, id: str) -> int:
        """Return how many bytes a stored state takes; 0 where there is none."""
        found = self._sized("states", id)
        return int(found["bytes"]) if found and found["names"] else 0

    # graphs and layouts
    def save_graph(self, id: str, graph: KnnGraph) -> None:
        """Keep a kNN graph."""
        self.entries.write("graphs", id, lambda f: formats.save_record(f, graph))

    def graph(self, id: str) -> KnnGraph | None:
        """Return a kNN graph, memory-mapped."""
        loaded = self._record("graphs", id)
        if loaded is None:
            return None
        from vectors import KnnGraph

        return KnnGraph(**loaded)

    def save_layout(self, id: str, layout: Layout) -> None:
        """Keep a layout."""
        self.entries.write("layouts", id, lambda f: formats.save_record(f, layout))

    def layout(self, id: str) -> Layout | None:
        """Return a layout; its quality is None until ``save_quality``."""
        loaded = self._record("layouts", id)
        if loaded is None:
            return None
        from projection.layout import Layout

        quality = self.entries.meta("qualities", id)
        return Layout(**{**loaded, "quality": quality and quality["values"]})

    def save_quality(self, id: str, quality: Quality) -> None:
        """Keep how far a layout may be trusted; measured after the layout is shown."""
        self.entries.write("qualities", id, lambda f: formats.save_record(f, quality))

    def save_preview(self, id: str, arrays: Mapping[str, AnyArray]) -> None:
        """Keep the first picture of a long encoding."""
        self.entries.write("previews", id, lambda f: formats.save_arrays(f, arrays))

    def preview(self, id: str) -> dict[str, AnyArray] | None:
        """Return the arrays of a first picture."""
        meta = self.entries.meta("previews", id)
        if meta is None:
            return None
        return formats.load_arrays(self.entries.path("previews", id), meta)

    # comparisons
    def save_comparison(
        self, id: str, arrays: Mapping[str, AnyArray], told: Mapping[str, Any]
    ) -> None:
        """Keep the arrays and plain values of a comparison."""

        def fill(folder: Path) -> dict[str, Any]:
            return {**formats.save_arrays(folder, arrays), **told}

        self.entries.write("comparisons", id, fill)

    def comparison_meta(self, id: str) -> dict[str, Any] | None:
        """Return the plain values of a comparison."""
        return self.entries.meta("comparisons", id)

    def comparison_arrays(self, id: str) -> dict[str, AnyArray] | None:
        """Return the arrays of a comparison, memory-mapped."""
        meta = self.entries.meta("comparisons", id)
        if meta is None:
            return None
        return formats.load_arrays(self.entries.path("comparisons", id), meta)

    def remove_comparison(self, id: str) -> None:
        """Delete a comparison and all that was measured on it."""
        self.entries.remove("comparisons", id)
        for finding in list(self.entries.ids("findings")):
            meta = self.entries.meta("findings", finding)
            if meta is not None and meta.get("of") == id:
                self.entries.remove("findings", finding)

    def save_finding(self, id: str, of: str, arrays: Mapping[str, AnyArray], told: Any) -> None:
        """Keep what was measured on the comparison ``of`` (a task, a compression)."""

        def fill(folder: Path) -> dict[str, Any]:
            return {**formats.save_arrays(folder, arrays), "of": of, "told": told}

        self.entries.write("findings", id, fill)

    def finding(self, id: str) -> tuple[dict[str, AnyArray], Any] | None:
        """Return the arrays and plain values of what was measured, or None."""
        meta = self.entries.meta("findings", id)
        if meta is None:
            return None
        return formats.load_arrays(self.entries.path("findings", id), meta), meta["told"]

    def remove_dataset(self, id: str) -> None:
        """Delete a dataset and those of its images that no other dataset shows."""
        doomed = self.image_digests(id)
        self.entries.remove("datasets", id)
        if doomed:
            for other in self.entries.ids("datasets"):
                doomed -= self.image_digests(other)
            for digest in doomed:
                (self.images / digest[:2] / digest).unlink(missing_ok=True)

    def remove_run(self, id: str, kinds: Iterable[str], layouts: Iterable[str]) -> None:
        """Delete the vectors of a run and all that was made of them."""
        for kind in kinds:
            self.entries.remove("graphs", graph_id(id, kind))
        for layout in layouts:
            self.entries.remove("layouts", layout)
            self.entries.remove("qualities", layout)
        for entry in ("previews", "states", "items", "vectors"):
            self.entries.remove(entry, id)

    def _sized(self, kind: str, id: str) -> dict[str, Any] | None:
        meta = self.entries.meta(kind, id)
        if meta is None:
            return None
        return {**meta, "bytes": sum(size for size, _ in meta["files"].values())}

    def _record(self, kind: str, id: str) -> dict[str, Any] | None:
        meta = self.entries.meta(kind, id)
        if meta is None:
            return None
        return {**meta["values"], **formats.load_arrays(self.entries.path(kind, id), meta)}


def present(value: T | None, what: str) -> T:
    """Return ``value``, or say that the stored thing has gone.

    Raises
    ------
    WorkspaceError
    """
    if value is None:
        raise WorkspaceError(
            f"{what} is missing or damaged on disk. Run it again; the rest is not affected."
        )
    return value
