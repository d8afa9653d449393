"""Agreement beside what random pairings of the same items would give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from comparison.agreement import Pair, guard_of_procrustes
from comparison.chance import Calibrated, calibrate
from comparison.global_spread import u_centred
from comparison.guards import guard_of_distances
from comparison.neighbour_agreement import overlap, rank_biased_overlap, shared_by_depth
from comparison.shared_items import SharedItems
from comparison.tied_neighbours import settled, without_direction
from comparison.whole_agreement import without_extent
from core.arrays import IntMatrix
from core.modality import Metric
from core.progress import Progress, quiet
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

ROWS = 500
"""Items that are paired at random: each pairing needs every two of them."""
SHAPE_PERMUTATIONS = 19
"""Random pairings of Procrustes, each a decomposition: p can be 1 in 20 at best."""
DIRECTIONS = 100
"""Strongest directions of each space in which these are made."""
_LISTED = 50
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
    those among the sample, so ``k`` is cut to a tenth of it (``calibrated_k``). Items without a
    direction in some space are left out. Procrustes takes the 100 strongest directions of each
    space and 19 pairings.

    Parameters
    ----------
    items : SharedItems
    k : int
    n_permutations : int
    seed : int
    progress : Progress

    Returns
    -------
    mapping of {"overlap", "rbo", "cka", "distances", "shape"} to mapping of pair to Calibrated
        Without pairs for which the measure would mislead.

    References
    ----------
    Gröger, Wen & Brbić 2026 (arXiv 2602.14486).
    """
    known = ~np.any(
        [without_direction(*each) for each in zip(items.matrices, items.metrics, strict=True)],
        axis=0,
    )
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(known))
    rows = np.sort(rows[:ROWS])
    found: dict[str, dict[Pair, Calibrated]] = {m: {} for m in (*_MEASURES, "shape")}
    if guard_of_distances(len(rows)):
        return found
    k = calibrated_k(k, len(rows))
    spaces = [
        None if without_extent(matrix) else _Sampled.of(matrix[rows], metric, k, seed)
        for matrix, metric in zip(items.matrices, items.metrics, strict=True)
    ]
    pairs = list(combinations(range(len(spaces)), 2))
    for done, (i, j) in enumerate(pairs):
        progress(done, len(pairs), "comparing with chance", f"{items.names[i]}, {items.names[j]}")
        first, second = spaces[i], spaces[j]
        if first is None or second is None:
            continue
        for measure, shuffled in _MEASURES.items():
            value = shuffled(first, second)
            found[measure][i, j] = calibrate(
                value(np.arange(len(rows))),
                value,
                len(rows),
                n_permutations=n_permutations,
                seed=seed,
            )
        a, b = first.directions, second.directions
        if guard_of_procrustes(len(rows), a.shape[1], b.shape[1]) is None:
            found["shape"][i, j] = _shape(a, b, seed)
    progress(len(pairs), len(pairs), "comparing with chance")
    return found


def calibrated_k(k: int, n_rows: int) -> int:
    """Return the neighbours that count where agreement among ``n_rows`` items is calibrated."""
    return max(1, min(k, n_rows // 10))


def _shape(a: Float64, b: Float64, seed: int) -> Calibrated:
    """Return the calibrated Procrustes similarity of centred spaces of length 1."""

    def value(order: NDArray[np.int64]) -> float:
        return min(1.0, float(np.linalg.svd(a.T @ b[order], compute_uv=False).sum()))

    n = len(a)
    return calibrate(value(np.arange(n)), value, n, n_permutations=SHAPE_PERMUTATIONS, seed=seed)


def _directions(centred: Float64) -> Float64:
    """Return a centred space in its 100 strongest directions, of length 1."""
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    turned: Float64 = u[:, :DIRECTIONS] * s[:DIRECTIONS]
    return turned / (np.linalg.norm(turned) or 1.0)


class _Sampled:
    """What the measures need of one space, such that a new order of its rows costs little."""

    def __init__(
        self, graph: IntMatrix, kernel: Float32, distances: Float32, directions: Float64
    ) -> None:
        self.graph, self.kernel, self.distances = graph, kernel, distances
        self.directions = directions

    @classmethod
    def of(cls, matrix: NDArray[np.float32], metric: Metric, k: int, seed: int) -> _Sampled:
        from scipy.spatial.distance import cdist

        keys = [str(i) for i in range(len(matrix))]
        space = KeyedVectors(keys, matrix, metric=metric)
        graph = VectorIndex(space, exact=True).knn_graph(_LISTED)
        near = settled(graph.ids, graph.scores, space.matrix, metric, seed=seed).ids[:, :k]
        wide = matrix.astype(np.float64)
        centred = wide - wide.mean(axis=0)
        return cls(
            near,
            u_centred(centred @ centred.T),
            u_centred(cdist(centred, centred)),
            _directions(centred),
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
