"""Where several items are equally near, chance decides which of them are listed.

A search answers equal scores in order of position. Positions are shared by all spaces, so that two
spaces with nothing in common would agree on the first rows, these would look like hubs, and a
random pairing of rows would not show it.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, BoolVector, FloatMatrix, IntMatrix
from core.modality import Metric
from core.progress import Progress, quiet
from vectors.scoring import Scoring

Float64 = NDArray[np.float64]
Rows = NDArray[np.int64]
_CELLS = 8_000_000  # scores that are held at a time
_DRAWN = 4  # candidates that are looked at per place that is open


class Settled(NamedTuple):
    """Neighbours whose order among equally near ones is random.

    Attributes
    ----------
    ids : (m, K) int32
    ties : (K,) float64
        Per rank, the share of items whose next neighbour is as near: there chance decides which
        are the k nearest. Items without a direction are not counted.
    """

    ids: IntMatrix
    ties: Float64


def without_direction(matrix: FloatMatrix, metric: Metric) -> BoolVector:
    """Tell, ``(n,) bool``, which rows have no nearest items: under cosine and dot those of zeros.

    Such a row scores 0 with everything. A Euclidean distance from the origin means something.
    """
    if metric == "euclidean":
        return np.zeros(len(matrix), bool)
    blank = np.empty(len(matrix), bool)
    step = max(1, _CELLS // max(1, matrix.shape[1]))
    for start in range(0, len(matrix), step):
        blank[start : start + step] = ~np.asarray(matrix[start : start + step]).any(axis=1)
    return blank


def settled(
    ids: IntMatrix,
    scores: AnyArray,
    matrix: FloatMatrix,
    metric: Metric,
    *,
    rows: Rows | None = None,
    seed: int = 0,
    progress: Progress = quiet,
) -> Settled:
    """Return the neighbours with ties in random order, per item and space.

    Within a list equal scores are shuffled. Where the last two of a list are equal, all items that
    are as near compete for the places of their block. Equal matrices are settled alike, so that a
    space agrees with itself; any other draws independently.

    Parameters
    ----------
    ids : (m, K) int32
        Nearest first, as :class:`VectorIndex` gives them.
    scores : (m, K) float32
    matrix : (n, d) float32
    metric : {"cosine", "dot", "euclidean"}
    rows : (m,) int64, optional
        Whose neighbours they are; by default all rows in order.
    seed : int
    progress : Progress

    Notes
    -----
    A block that would begin at the very last rank is not seen: rank K + 1 was not searched.
    """
    n = len(matrix)
    m, width = ids.shape
    rows = np.arange(m) if rows is None else rows
    blank = without_direction(matrix, metric)
    lost = blank[rows]
    equal = np.zeros((m, width), bool)
    equal[:, :-1] = np.asarray(scores[:, 1:]) == np.asarray(scores[:, :-1])
    equal[lost] = False
    if not lost.any() and not equal.any():
        return Settled(ids, np.zeros(width))
    own_seed = _seed_of(matrix, seed)
    found = _shuffled(np.asarray(ids), equal, own_seed)
    for at in np.flatnonzero(lost).tolist():
        row = int(rows[at])
        drawn = _rng(own_seed, row).choice(n - 1, width, replace=False)
        found[at] = drawn + (drawn >= row)  # all but the row itself
    if width < n - 1 and width > 1:
        open_ended = np.flatnonzero(equal[:, -2])
        block = _Blocks(Scoring(matrix, metric), own_seed)
        block.draw(found, open_ended, rows, equal, progress)
    counted = max(1, m - int(lost.sum()))
    return Settled(found, equal.sum(axis=0) / counted)


def _seed_of(matrix: FloatMatrix, seed: int) -> int:
    """Return a number made of the vectors: two different spaces must not break ties alike."""
    digest = blake2b(np.ascontiguousarray(matrix).data, digest_size=7)
    digest.update(str(seed).encode())
    return int.from_bytes(digest.digest(), "little")


def _rng(seed: int, row: int) -> np.random.Generator:
    return np.random.default_rng((seed, row))


def _shuffled(ids: IntMatrix, equal: NDArray[np.bool_], seed: int) -> IntMatrix:
    """Return the lists with each run of equal scores in random order."""
    found = ids.copy()
    some = np.flatnonzero(equal.any(axis=1))
    block = np.zeros((len(some), ids.shape[1]))
    block[:, 1:] = np.cumsum(~equal[some, :-1], axis=1)
    block += np.random.default_rng(seed).random(block.shape)
    found[some] = np.take_along_axis(ids[some], np.argsort(block, axis=1), axis=1)
    return found


class _Blocks:
    """Draws from all items that are as near as the last of a list."""

    def __init__(self, scoring: Scoring, seed: int) -> None:
        self._scoring, self._seed = scoring, seed

    def draw(
        self,
        found: IntMatrix,
        places: Rows,
        rows: Rows,
        equal: NDArray[np.bool_],
        progress: Progress,
    ) -> None:
        """Fill the last block of ``found[places]`` anew; mark in ``equal`` what goes beyond it."""
        scoring, width = self._scoring, found.shape[1]
        base = scoring.faiss_base() if len(places) and not scoring.is_extreme else None
        step = max(1, _CELLS // len(scoring.matrix))
        for start in range(0, len(places), step):
            some = places[start : start + step]
            queries = scoring.prepare(scoring.matrix[rows[some]])
            near = self._near(queries, base)
            last = scoring.fine_pairs(queries, found[some, -1:].astype(np.int64))[:, 0]
            for at, query, scores, level in zip(some.tolist(), queries, near, last, strict=True):
                before = np.flatnonzero(~equal[at, :-1])
                begin = int(before[-1]) + 1 if len(before) else 0
                drawn = self._drawn(query, scores, float(level), int(rows[at]), width - begin)
                equal[at, -1] = len(drawn) > width - begin
                found[at, begin:] = drawn[: width - begin]
            progress(start + len(some), len(places), "equally near items")

    def _near(self, queries: Float64, base: FloatMatrix | None) -> AnyArray:
        """Return the quick nearness ``(m, n)`` of all rows, as ``Scoring.coarse`` has it."""
        scoring = self._scoring
        if base is None or np.abs(queries).max(initial=0.0) > 1e18:
            return np.stack([scoring.coarse(query) for query in queries])
        product: AnyArray = queries.astype(np.float32) @ base.T
        if scoring.metric != "euclidean":
            return product
        sizes = np.einsum("ij,ij->i", queries, queries)
        nearness: AnyArray = 2.0 * product.astype(np.float64) - scoring.norms**2 - sizes[:, None]
        return nearness

    def _drawn(self, query: Float64, near: AnyArray, level: float, row: int, wanted: int) -> Rows:
        """Return up to ``wanted + 1`` random items exactly as near as ``level``."""
        scoring = self._scoring
        quick = -(level**2) if scoring.metric == "euclidean" else level
        candidates = np.flatnonzero(np.abs(near - quick) <= 2 * scoring.error_bound(query))
        candidates = candidates[candidates != row]
        exact = np.float32(level)

        def alike(some: Rows) -> Rows:
            kept: Rows = some[scoring.fine_unique(query, some).astype(np.float32) == exact]
            return kept

        return _random_alike(candidates, alike, wanted + 1, _rng(self._seed, row))


def _random_alike(
    candidates: Rows, alike: Callable[[Rows], Rows], wanted: int, rng: np.random.Generator
) -> Rows:
    """Return ``wanted`` random ones of the candidates that pass; fewer where fewer do."""
    some = rng.choice(candidates, min(len(candidates), _DRAWN * wanted), replace=False)
    found = alike(some)
    if len(found) < wanted and len(some) < len(candidates):
        found = alike(rng.permutation(candidates))
    return found[:wanted]
