"""Agreement beside what random pairings of the same items would give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from comparison.agreement import Pair
from comparison.chance import Calibrated, calibrate
from comparison.global_spread import u_centred
from comparison.neighbour_agreement import overlap, rank_biased_overlap, shared_by_depth
from comparison.shared_items import SharedItems
from core.arrays import IntMatrix
from core.progress import Progress, quiet
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

ROWS = 500
"""Items that are paired at random: each pairing needs every two of them."""
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Shuffled = Callable[[NDArray[np.int64]], float]


def calibrated_agreement(
    items: SharedItems,
    k: int,
    *,
    n_permutations: int = 100,
    seed: int = 0,
    progress: Progress = quiet,
) -> dict[str, dict[Pair, Calibrated]]:
    """Return the calibrated agreement of every two spaces.

    Of more than 500 items a sample is taken, the same for all spaces and seeds; neighbours are
    those among the sample, so ``k`` is cut to a tenth of it.

    Parameters
    ----------
    items : SharedItems
    k : int
    n_permutations : int
    seed : int
    progress : Progress

    Returns
    -------
    mapping of {"overlap", "rbo", "cka", "distances"} to mapping of pair to Calibrated

    References
    ----------
    Gröger, Wen & Brbić 2026 (arXiv 2602.14486).
    """
    n = len(items)
    rows = np.sort(np.random.default_rng(seed).permutation(n)[:ROWS])
    k = max(1, min(k, len(rows) // 10))
    spaces = [
        _Sampled.of(matrix[rows], metric, k)
        for matrix, metric in zip(items.matrices, items.metrics, strict=True)
    ]
    found: dict[str, dict[Pair, Calibrated]] = {m: {} for m in _MEASURES}
    pairs = list(combinations(range(len(spaces)), 2))
    for done, (i, j) in enumerate(pairs):
        progress(done, len(pairs), "comparing with chance", f"{items.names[i]}, {items.names[j]}")
        for measure, shuffled in _MEASURES.items():
            value = shuffled(spaces[i], spaces[j])
            found[measure][i, j] = calibrate(
                value(np.arange(len(rows))),
                value,
                len(rows),
                n_permutations=n_permutations,
                seed=seed,
            )
    progress(len(pairs), len(pairs), "comparing with chance")
    return found


class _Sampled:
    """What the measures need of one space, such that a new order of its rows costs little."""

    def __init__(self, graph: IntMatrix, kernel: Float32, distances: Float32) -> None:
        self.graph, self.kernel, self.distances = graph, kernel, distances

    @classmethod
    def of(cls, matrix: NDArray[np.float32], metric: str, k: int) -> _Sampled:
        from scipy.spatial.distance import cdist

        keys = [str(i) for i in range(len(matrix))]
        space = KeyedVectors(keys, matrix, metric=metric)  # type: ignore[arg-type]
        wide = matrix.astype(np.float64)
        centred = wide - wide.mean(axis=0)
        return cls(
            VectorIndex(space, exact=True).knn_graph(k).ids,
            u_centred(centred @ centred.T),
            u_centred(cdist(centred, centred)),
        )


def _local(measure: Callable[[NDArray[np.int32], int], Float64]) -> Callable[..., Shuffled]:
    def of(a: _Sampled, b: _Sampled) -> Shuffled:
        k = a.graph.shape[1]

        def value(order: NDArray[np.int64]) -> float:
            """Return the measure when row ``i`` of ``a`` is paired with row ``order[i]`` of b."""
            place = np.empty_like(order)
            place[order] = np.arange(len(order))
            other = place[b.graph[order]].astype(np.int32)
            return float(measure(shared_by_depth(a.graph, other), k).mean())

        return value

    return of


def _inner(of: Callable[[_Sampled], Float32]) -> Callable[..., Shuffled]:
    def measure(a: _Sampled, b: _Sampled) -> Shuffled:
        left, right = of(a), of(b)
        return lambda order: float(np.vdot(left, right.take(order, 0).take(order, 1)))

    return measure


_MEASURES: Mapping[str, Callable[[_Sampled, _Sampled], Shuffled]] = {
    "overlap": _local(overlap),
    "rbo": _local(rank_biased_overlap),
    "cka": _inner(lambda space: space.kernel),
    "distances": _inner(lambda space: space.distances),
}
