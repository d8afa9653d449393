"""How far sampling moves the mean agreement on neighbours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from comparison.neighbour_agreement import Ids, matches
from core.arrays import BoolVector

Float64 = NDArray[np.float64]


def neighbour_spread(
    a: Ids,
    b: Ids,
    weights: Float64,
    *,
    rows: BoolVector | None = None,
    turned: Callable[[Float64], Float64] | None = None,
) -> float:
    """Return the standard error of a mean agreement, from leaving out each item in turn.

    An item counts in its own agreement and in the lists of others; where it is left out, the
    ranks behind it move up by one. A bootstrap over the values of single items holds all lists
    fixed and is too narrow: of 60 to 300 items, nominal 95 % held the true value in 71 to 92 %.
    The jackknife errs on the wide side (Efron & Stein 1981, "The Jackknife Estimate of Variance",
    theorem 2): in the same samples 97.5 to 100 %, with 1.2 to 2.2 times the width needed.

    Parameters
    ----------
    a, b : (n, k + 1) integer
        Neighbours in both spaces: one more than count, to move up.
    weights : (k,) float64
        What an item shared by the first 1 … k of both lists adds at each depth: the agreement of
        an item is the sum of ``weights`` times ``shared_by_depth``.
    rows : (n,) bool, optional
        Items whose agreement counts; by default all.
    turned : callable, optional
        Takes that sum to the agreement where it is not linear (Jaccard).
    """
    n, k = a.shape[0], len(weights)
    rows = np.ones(n, bool) if rows is None else rows
    kept = np.flatnonzero(rows)
    a, b = a[kept], b[kept]
    turned = turned or (lambda sums: sums)
    row, p, q = matches(a, b)
    size = (len(kept), k + 1)
    # Rank, from 1, at which an item of one list stands in the other; k + 1: not among the first k.
    in_b, in_a = (np.full(size, k + 1) for _ in range(2))
    in_b[row, p], in_a[row, q] = np.minimum(q, k) + 1, np.minimum(p, k) + 1
    sums = _Sums(row, p, q, size, weights)
    own = turned(sums.equal[:, -1])
    ranks = np.broadcast_to(np.arange(1, k + 1), (len(kept), k))
    moved = np.zeros(n)
    for ids, first, second, new in (
        (a[:, :k], ranks, in_b[:, :k], np.ones((len(kept), k), bool)),
        (b[:, :k], in_a[:, :k], ranks, in_a[:, :k] > k),
    ):
        change = (turned(sums.without(first, second)) - own[:, None]) * new
        moved += np.bincount(ids.ravel(), change.ravel(), minlength=n)
    m = len(kept)
    left = (own.sum() - own + moved[kept]) / (m - 1)
    return float(np.sqrt((m - 1) / m * ((left - left.mean()) ** 2).sum()))


class _Sums:
    """Weighted counts of shared items up to each depth, with either list one longer."""

    def __init__(self, row: Ids, p: Ids, q: Ids, size: tuple[int, int], weights: Float64) -> None:
        k = len(weights)

        def counted(depth: Ids) -> NDArray[np.int64]:
            found = np.bincount(row * size[1] + depth, minlength=size[0] * size[1])
            return np.cumsum(found.reshape(size), axis=1)

        def summed(counts: NDArray[np.int64]) -> Float64:
            result = np.zeros(size)
            np.cumsum(counts * weights, axis=1, out=result[:, 1:])
            return result

        shared = counted(np.maximum(p, q))
        self.equal = summed(shared[:, :k])
        self.longer_a = summed(counted(np.maximum(p - 1, q))[:, :k])
        self.longer_b = summed(counted(np.maximum(p, q - 1))[:, :k])
        self.both = summed(shared[:, 1:] - 1)

    def without(self, p: Ids, q: Ids) -> Float64:
        """Return the sums of each row without the item at ranks ``p`` of one and ``q`` of both.

        Before both ranks nothing changes; between them one list has moved up, behind them both.
        """

        def at(sums: Float64, rank: Ids) -> Float64:
            return np.take_along_axis(sums, rank, axis=1)

        low, high = np.minimum(p, q) - 1, np.maximum(p, q) - 1
        one = np.where(
            p < q,
            at(self.longer_a, high) - at(self.longer_a, low),
            at(self.longer_b, high) - at(self.longer_b, low),
        )
        result: Float64 = at(self.equal, low) + one + self.both[:, -1:] - at(self.both, high)
        return result
