"""The vectors as a layout sees them: one geometry, few dimensions, one neighbour graph."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from core.arrays import AnyArray, FloatMatrix
from core.progress import Progress, quiet
from projection.principal import principal_components
from vectors import KeyedVectors, KnnGraph, VectorIndex

LayoutMetric = Literal["cosine", "euclidean"]

REDUCE_TO = 64  # dimensions that the graph of a large layout is searched in
EXACT_GRAPH_UP_TO = 20_000  # rows; beyond, a layout does not notice an approximate graph


@dataclass
class Space:
    """One collection of vectors, prepared for layouts.

    A dot product is no distance; such vectors are laid out by their angles, like cosine.

    Attributes
    ----------
    vectors : KeyedVectors
    seed : int
    progress : Progress
    graph : KnnGraph or None
        A finished graph of these vectors, used where its metric and width fit.
    notes : list of str
        What methods want the reader of the picture to know.
    """

    vectors: KeyedVectors
    seed: int = 0
    progress: Progress = quiet
    graph: KnnGraph | None = None
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Say that dot products are read as angles."""
        if self.vectors.metric == "dot":
            self.notes.append("A dot product is no distance: points are laid out by angle.")

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.vectors)

    @property
    def metric(self) -> LayoutMetric:
        """Return the geometry of the layout."""
        return "euclidean" if self.vectors.metric == "euclidean" else "cosine"

    @cached_property
    def matrix(self) -> FloatMatrix:
        """Return ``(n, d) float32`` rows whose Euclidean distances order the neighbours.

        For cosine that is rows of unit length (|u - v|² = 2 - 2 cos); zero rows stay zero.
        """
        matrix = np.asarray(self.vectors.matrix)
        return unit_rows(matrix) if self.metric == "cosine" else matrix

    @cached_property
    def reduced(self) -> FloatMatrix:
        """Return the first 64 principal components, or ``matrix`` if it has no more columns."""
        if self.matrix.shape[1] <= REDUCE_TO:
            return self.matrix
        return principal_components(self.matrix, REDUCE_TO, self.seed).coordinates

    def neighbours(self, k: int) -> tuple[AnyArray, AnyArray]:
        """Return ``(n, k) int32`` neighbours and their ``float32`` layout distances, without self.

        The graph that was handed over is used if it has the metric and at least ``k`` columns.
        Else one is made: exact up to 20,000 rows, approximate on 64 principal components beyond
        (which the layout does not notice; neighbour *lists* never come from here).
        """
        given = self.graph
        if given is not None and given.metric == self.metric and given.k >= min(k, len(self) - 1):
            graph = given.first(k)
            return np.asarray(graph.ids), as_distance(graph)
        if len(self) <= EXACT_GRAPH_UP_TO:
            index = VectorIndex(self.vectors, metric=self.metric, exact=True)
            graph = index.knn_graph(k, self.progress)
            return graph.ids, as_distance(graph)
        reduced = KeyedVectors(self.vectors.keys, self.reduced, kinds=self.vectors.kinds.tolist())
        graph = VectorIndex(reduced, metric="euclidean", exact=False).knn_graph(k, self.progress)
        dims = self.reduced.shape[1]
        self.notes.append(f"Neighbours for the layout: {graph.engine}, on {dims} dimensions.")
        distances = graph.scores**2 / 2 if self.metric == "cosine" else graph.scores
        return graph.ids, distances


def as_distance(graph: KnnGraph) -> AnyArray:
    """Return the ``(n, k) float32`` distances of a graph: 1 - cosine, or Euclidean."""
    if graph.metric == "cosine":
        return np.asarray(np.maximum(1.0 - graph.scores, 0.0), dtype=np.float32)
    return np.asarray(graph.scores, dtype=np.float32)


def unit_rows(matrix: AnyArray) -> FloatMatrix:
    """Return a copy of ``matrix`` with rows of length 1; zero rows stay zero."""
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    scaled = matrix / np.where(largest > 0, largest, 1)  # no square over- or underflows
    length = np.sqrt(np.einsum("ij,ij->i", scaled, scaled))[:, None]
    return np.asarray(scaled / np.where(length > 0, length, 1), dtype=np.float32)
