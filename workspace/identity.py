"""Ids made of content: equal work has equal ids, so that it is found instead of done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.fingerprint import fingerprint
from ingest.dataset import Dataset
from workspace.tasks import LayoutSpec

if TYPE_CHECKING:
    from embedders import Embedder

GRAPH_K = 30
"""Neighbours of every point in the kNN graph that map, UMAP and quality share."""


def dataset_id(dataset: Dataset) -> str:
    """Return the id of a dataset."""
    return "d" + dataset.fingerprint[:24]


def run_id(embedder: Embedder, dataset: Dataset) -> str:
    """Return the id of the vectors that ``embedder`` makes of ``dataset``."""
    return _id("r", embedder.fingerprint(dataset))


def graph_id(run: str, kind: str) -> str:
    """Return the id of the kNN graph of one kind of key."""
    return _id("g", "graph-1", run, kind, GRAPH_K)


def layout_id(run: str, kind: str, spec: LayoutSpec) -> str:
    """Return the id of a layout."""
    return _id(
        "l", "layout-1", run, kind, spec.method, spec.n_components, spec.seed, dict(spec.params)
    )


def _id(prefix: str, *parts: object) -> str:
    return prefix + fingerprint(*parts)[:24]  # 96 bits: no two will ever meet
