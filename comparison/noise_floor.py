"""How alike two runs of one method are that differ by their seed only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comparison.agreement import guard_of_procrustes
from comparison.global_agreement import debiased_cka, distance_correlation, procrustes
from comparison.neighbour_agreement import jaccard, overlap, rank_biased_overlap, shared_by_depth
from comparison.tied_neighbours import settled, without_direction
from comparison.whole_agreement import without_extent
from core.arrays import FloatMatrix, IntMatrix
from core.errors import ParameterError
from core.modality import Metric
from core.progress import Progress, quiet
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

SAMPLED_ABOVE = 10_000
"""Items whose neighbours are all searched again; of more, a sample is."""
SAMPLE = 5_000
LOCAL = {"overlap": overlap, "jaccard": jaccard, "rbo": rank_biased_overlap}


@dataclass(frozen=True)
class NoiseFloor:
    """Agreement of a method with itself under another seed.

    Attributes
    ----------
    name : str
        Of the space.
    seeds : (int, int)
    by_depth : mapping of str to tuple of float
        Mean overlap ("overlap"), Jaccard ("jaccard") and rank-biased overlap ("rbo") for
        k = 1 … the deepest.
    cka, distances : float or None
        None where a run lies in one point.
    shape : float or None
        None where a rotation would fit noise as well.
    n_local, n_global : int
        Items behind them; for neighbours those with a direction in both runs.
    """

    name: str
    seeds: tuple[int, int]
    by_depth: Mapping[str, tuple[float, ...]]
    cka: float | None
    distances: float | None
    shape: float | None
    n_local: int
    n_global: int

    def local(self, measure: str, k: int) -> float:
        """Return a local measure ("overlap", "jaccard", "rbo") at k neighbours."""
        values = self.by_depth[measure]
        if not 1 <= k <= len(values):
            raise ParameterError(f"k must be an integer in [1, {len(values)}], got {k!r}.")
        return values[k - 1]


def noise_floor(
    name: str,
    first: FloatMatrix,
    again: FloatMatrix,
    metric: Metric,
    graph: IntMatrix,
    *,
    seeds: tuple[int, int],
    seed: int = 0,
    progress: Progress = quiet,
) -> NoiseFloor:
    """Measure two runs of one method against each other as two methods are measured.

    Two methods that agree as far as this are as alike as two runs of one (Wendlandt, Kummerfeld &
    Mihalcea 2018, "Factors Influencing the Surprising Instability of Word Embeddings").

    Parameters
    ----------
    name : str
    first, again : (n, d) float32
        Rows are the same items.
    metric : {"cosine", "dot", "euclidean"}
    graph : (n, K) int32
        Neighbours of every item in ``first``, equal ones in random order; as many are searched in
        ``again``.
    seeds : (int, int)
        Of the two runs.
    seed : int
        Of samples: above 10,000 items 5,000 have their neighbours searched, and measures that need
        every pair of items take 5,000.
    progress : Progress
    """
    n, depth = len(first), graph.shape[1]
    index = VectorIndex(KeyedVectors([str(i) for i in range(n)], again, metric=metric))
    rows = sampled_rows(n, SAMPLED_ABOVE, seed)
    if len(rows) == n:
        whole = index.knn_graph(depth, progress)
        found, scores = whole.ids, whole.scores
    else:
        found, scores = neighbours_of_rows(index, rows, depth, progress)
    matrix = index.vectors.matrix
    found = settled(found, scores, matrix, metric, rows=rows, seed=seed).ids
    known = ~(without_direction(first, metric) | without_direction(again, metric))[rows]
    shared = shared_by_depth(graph[rows[known]], found[known])
    by_depth = {
        measure: tuple(
            float(of(shared, k).mean()) if len(shared) else 0.0 for k in range(1, depth + 1)
        )
        for measure, of in LOCAL.items()
    }
    some = sampled_rows(n, SAMPLE, seed)
    x, y = first[some], again[some]
    flat = without_extent(first) or without_extent(again)
    fits = not flat and guard_of_procrustes(len(some), x.shape[1], y.shape[1]) is None
    return NoiseFloor(
        name=name,
        seeds=seeds,
        by_depth=by_depth,
        cka=None if flat else debiased_cka(first, again),
        distances=None if flat else distance_correlation(x, y).corrected,
        shape=procrustes(x, y).similarity if fits else None,
        n_local=len(shared),
        n_global=len(some),
    )


def sampled_rows(n: int, above: int, seed: int) -> NDArray[np.int64]:
    """Return all rows of up to ``above``, else 5,000 of them, ascending; the same for one seed."""
    if n <= above:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, SAMPLE, replace=False))


def neighbours_of_rows(
    index: VectorIndex, rows: NDArray[np.int64], depth: int, progress: Progress = quiet
) -> tuple[IntMatrix, NDArray[np.float32]]:
    """Return the nearest other items of some rows and their scores, ``(len(rows), depth)``."""
    matrix = index.vectors.matrix
    found = np.empty((len(rows), depth), np.int32)
    scores = np.empty((len(rows), depth), np.float32)
    step = 1_000
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        positions, near = index.search_batch(matrix[part], depth + 1)
        own = positions == part[:, None]
        # Among many duplicates an item may not find itself: then the farthest one goes.
        own[~own.any(axis=1), -1] = True
        found[start : start + step] = positions[~own].reshape(len(part), depth)
        scores[start : start + step] = near[~own].reshape(len(part), depth)
        progress(start + len(part), len(rows), "neighbours")
    return found, scores
