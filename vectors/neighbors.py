"""Answers of the index: the neighbours of one query, and of every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import IntMatrix
from core.modality import Metric


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The nearest rows of one query, nearest first; equal scores in order of position.

    Attributes
    ----------
    keys, kinds : tuple of str
        Name and kind of each neighbour.
    positions : (k,) int64
        Rows of the index.
    scores : (k,) float32
        Cosine or dot product, or the Euclidean distance.
    metric : {"cosine", "dot", "euclidean"}
    higher_is_nearer : bool
        False for ``euclidean``, whose score is a distance.
    exact : bool
        True when every candidate was compared.
    engine : str
        How the answer was found, in words: ``"exact, 7,600 compared"``.
    n_compared : int
        Vectors that stood for selection: all but the query's own row and those masked out.
    """

    keys: tuple[str, ...]
    kinds: tuple[str, ...]
    positions: NDArray[np.int64]
    scores: NDArray[np.float32]
    metric: Metric
    exact: bool
    engine: str
    n_compared: int

    @property
    def higher_is_nearer(self) -> bool:
        """Tell whether a larger score means nearer."""
        return self.metric != "euclidean"

    @property
    def ranks(self) -> NDArray[np.int64]:
        """Return the ``(k,) int64`` ranks 1 … k."""
        return np.arange(1, len(self.keys) + 1, dtype=np.int64)

    def __len__(self) -> int:
        """Return the number of neighbours found."""
        return len(self.keys)


@dataclass(frozen=True, eq=False)
class KnnGraph:
    """The nearest neighbours of every row, without the row itself.

    Attributes
    ----------
    ids : (n, k) int32
        Neighbour rows, nearest first; equal scores in order of position.
    scores : (n, k) float32
        As in :class:`Neighbors`.
    metric : {"cosine", "dot", "euclidean"}
    exact : bool
    engine : str
    """

    ids: IntMatrix
    scores: NDArray[np.float32]
    metric: Metric
    exact: bool
    engine: str = ""

    def __post_init__(self) -> None:
        """Freeze the arrays, which several consumers share."""
        self.ids.setflags(write=False)
        self.scores.setflags(write=False)

    @property
    def k(self) -> int:
        """Return the number of neighbours per row."""
        return int(self.ids.shape[1])

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.ids)

    def first(self, k: int) -> KnnGraph:
        """Return the graph of the ``k`` nearest only (``self`` if it has no more)."""
        if k >= self.k:
            return self
        ids = np.ascontiguousarray(self.ids[:, :k])
        scores = np.ascontiguousarray(self.scores[:, :k])
        return KnnGraph(ids, scores, self.metric, self.exact, self.engine)
