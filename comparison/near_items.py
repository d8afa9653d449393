"""Distances of neighbours in one space, and items that are (nearly) the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, BoolVector
from core.modality import Metric
from vectors.item_pairs import item_pairs, squared_distances

Float64 = NDArray[np.float64]
Rows = NDArray[np.int64]
_NEAR = 0.05  # of the median distance of two items
_SAME = 1e-5  # of it: rows that differ only in length are as far as float32 rounds
_PAIRS = 20_000
_BLOCK_FLOATS = 4_000_000
_LISTED = 20
_DEEPEST = 50
_SEARCHED = 5_000  # rows of subsamples whose neighbours are not in the lists


@dataclass(frozen=True, eq=False)
class NearestDistances:
    """Euclidean distances of every item to its neighbours.

    Attributes
    ----------
    points : (n, d) float32
        What is measured: the rows, of length 1 unless the metric is euclidean.
    neighbours : (n, K) integer
    distances : (n, K) float64
    to_kth : (n,) float64
    median : float
        Of the distance of two items.
    euclidean : bool
        Whether the neighbours are those of least distance (not under the dot product).
    """

    points: AnyArray
    neighbours: NDArray[np.integer]
    distances: Float64
    to_kth: Float64
    median: float
    euclidean: bool

    @classmethod
    def of(
        cls,
        matrix: AnyArray,
        lengths: Float64,
        metric: Metric,
        neighbours: NDArray[np.integer],
        k: int,
        seed: int,
    ) -> NearestDistances:
        """Measure the neighbours under ``metric`` of rows of these lengths."""
        points = np.asarray(matrix)
        if metric != "euclidean":
            points = points / np.where(lengths > 0, lengths, 1)[:, None].astype(points.dtype)
        near = neighbours[:, :_DEEPEST]
        distances = np.empty(near.shape)
        step = max(1, _BLOCK_FLOATS // max(1, near.shape[1] * points.shape[1]))
        for start in range(0, len(points), step):
            rows = slice(start, start + step)
            apart = points[near[rows]] - points[rows][:, None, :]
            squared = np.einsum("ikd,ikd->ik", apart, apart)
            distances[rows] = np.sqrt(squared)
        pairs = item_pairs(len(points), _PAIRS, np.random.default_rng(seed))
        median = float(np.sqrt(np.median(squared_distances(points, *pairs))))
        return cls(points, near, distances, distances[:, k - 1], median, metric != "dot")

    @property
    def same(self) -> float:
        """Return the distance up to which two items stand at one place but for rounding."""
        return _SAME * self.median

    def two_nearest(self, rows: Rows) -> tuple[Float64, Float64]:
        """Return the distances of ``(m,)`` items to the two nearest among these items.

        From the lists, where they hold two of them; the others are compared with all items of the
        sample.
        """
        among = np.zeros(len(self.points), bool)
        among[rows] = True
        inside = among[self.neighbours[rows]]
        found = np.full((len(rows), 2), np.nan)
        if self.euclidean:
            known = inside.sum(axis=1) >= 2
            first = inside.argmax(axis=1)
            rest = inside.copy()
            rest[np.arange(len(rows)), first] = False
            each = self.distances[rows]
            for column, place in enumerate((first, rest.argmax(axis=1))):
                found[known, column] = each[np.arange(len(rows)), place][known]
        missing = np.flatnonzero(np.isnan(found[:, 0]))
        if len(missing) > _SEARCHED:  # evenly spaced: rows are in no order that matters here
            missing = missing[:: -(-len(missing) // _SEARCHED)]
        self._search(rows, missing, found)
        known = ~np.isnan(found[:, 0])
        found = np.sort(found[known], axis=1)  # neighbours equally far but for rounding
        return found[:, 0], found[:, 1]

    def _search(self, rows: Rows, missing: Rows, found: Float64) -> None:
        """Compare some of the items with all items of the sample."""
        from scipy.spatial.distance import cdist

        sample = self.points[rows].astype(np.float64)
        step = max(1, _BLOCK_FLOATS // len(rows))
        for start in range(0, len(missing), step):
            some = missing[start : start + step]
            apart = cdist(sample[some], sample)
            apart[np.arange(len(some)), some] = np.inf
            found[some] = np.sort(np.partition(apart, 1, axis=1)[:, :2], axis=1)


class Duplicates(NamedTuple):
    """Items that are equal, or so near that they might as well be.

    Attributes
    ----------
    equal : int
        Items beyond the first of their kind: equal in every number.
    groups : tuple of (m,) int64
        The largest groups of equal items, at most 20.
    n_groups : int
        Of equal items.
    near : int
        Items that stand nearer than ``within`` to another, equal ones included.
    near_groups : tuple of (m,) int64
        The largest chains of such items, at most 20.
    n_near_groups : int
    within : float
        A twentieth of the median distance of two items.
    first_of_each : (n,) bool
        True for the first item at each place: but for equal ones and, unless the metric is
        euclidean, for those of the direction of an earlier one.
    """

    equal: int
    groups: tuple[Rows, ...]
    n_groups: int
    near: int
    near_groups: tuple[Rows, ...]
    n_near_groups: int
    within: float
    first_of_each: BoolVector


def find_duplicates(matrix: AnyArray, nearest: NearestDistances) -> Duplicates:
    """Return the equal and the nearly equal items.

    Nearly equal ones are looked for among the neighbours only; a crowd of more equal items than
    there are neighbours is still found equal.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = len(matrix)
    plain = np.ascontiguousarray(matrix) + np.zeros(1, matrix.dtype)  # -0 is 0
    raw = plain.view(np.dtype((np.void, plain.strides[0]))).ravel()
    _, first, kind = np.unique(raw, return_index=True, return_inverse=True)
    groups, n_groups = _largest(kind)

    def chained(within: float) -> NDArray[np.int32]:
        row, place = np.nonzero(nearest.distances < within)
        other = nearest.neighbours[row, place]
        # Equal items are tied to the first of them, lest a crowd falls apart.
        ends = np.concatenate([row, np.arange(n)]), np.concatenate([other, first[kind]])
        graph: Any = coo_matrix((np.ones(len(ends[0]), np.int8), ends), shape=(n, n))
        found: NDArray[np.int32] = connected_components(graph, directed=False)[1]
        return found

    first_of_each = np.zeros(n, bool)
    first_of_each[np.unique(chained(nearest.same), return_index=True)[1]] = True
    within = _NEAR * nearest.median
    chains = chained(within)
    near_groups, n_near_groups = _largest(chains)
    near = int((np.bincount(chains)[chains] > 1).sum())
    return Duplicates(
        n - len(first),
        groups,
        n_groups,
        near,
        near_groups,
        n_near_groups,
        within,
        first_of_each,
    )


def _largest(kind: NDArray[np.integer]) -> tuple[tuple[Rows, ...], int]:
    """Return the largest groups of more than one item, and how many such groups there are."""
    sizes = np.bincount(kind)
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return (), 0
    order = np.argsort(kind, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    groups = [order[starts[g] : starts[g + 1]] for g in several]
    groups.sort(key=lambda rows: (-len(rows), rows[0]))
    return tuple(groups[:_LISTED]), len(several)
