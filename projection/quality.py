"""How far a picture agrees with the vectors it shows.

Two local figures and their opposite views (trustworthiness: are neighbours in the picture true
neighbours? continuity: are true neighbours still near?), the share of true neighbours kept, and
one global figure (do far things look far?). All are computed against the original vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray
from core.progress import Progress, quiet
from projection.space import Space
from vectors import KeyedVectors
from vectors.item_pairs import random_pairs, squared_distances

EXACT_UP_TO = 5_000  # points; beyond, rows are sampled
_SAMPLED_ROWS = 2_000
_ALL_PAIRS_UP_TO = 2_000  # points, two million pairs
_SAMPLED_PAIRS = 200_000  # the error of a rank correlation is then about 0.002
_BLOCK_CELLS = 4_000_000
NEIGHBOURS = 12
"""Of which trustworthiness and continuity tell, unless the points are too few for so many."""
_SMALLEST = 5  # points
_WIDE_UP_TO = 64  # dimensions whose products are cheap enough in float64


@dataclass(frozen=True)
class Quality:
    """Agreement of a layout with its vectors; 1 is perfect for each figure.

    Attributes
    ----------
    trustworthiness : float
        0 … 1; lowered by neighbours in the picture that are far in the space. Random coordinates
        score about .5.
    continuity : float
        0 … 1; lowered by neighbours in the space that are far in the picture.
    overlap_at_10 : float
        Share of the 10 nearest in the space that are among the 10 nearest in the picture.
    rank_correlation : float or None
        Spearman correlation of pairwise distances, -1 … 1; None if all distances are equal.
    k : int
        Neighbours behind the first two: 12, or fewer where there are fewer than 25 points.
    overlap_k : int
        Neighbours behind the overlap: 10, or fewer where there are fewer than 21 points.
    n_used : int
        Points whose neighbours were looked at, always among all ``n_total`` points.
    n_total : int
    n_pairs : int
        Pairs behind the rank correlation.
    metric : str
        Geometry of the space: "cosine" or "euclidean".
    seed : int
        Of the sample.
    """

    trustworthiness: float
    continuity: float
    overlap_at_10: float
    rank_correlation: float | None
    k: int
    overlap_k: int
    n_used: int
    n_total: int
    n_pairs: int
    metric: str
    seed: int

    @property
    def chance_overlap(self) -> float:
        """Return the overlap that random coordinates would reach."""
        return self.overlap_k / (self.n_total - 1)


class _Sums(NamedTuple):
    intrusion: float
    extrusion: float
    shared: float


def measure_quality(
    vectors: KeyedVectors,
    coordinates: AnyArray,
    *,
    k: int = NEIGHBOURS,
    seed: int = 0,
    progress: Progress = quiet,
) -> Quality | None:
    """Measure how far ``coordinates`` agree with ``vectors``.

    Up to 5,000 points every point counts. Beyond, the neighbourhoods of 2,000 points drawn with
    ``seed`` are ranked among **all** points, so that the figures estimate the full ones without
    bias. Equal distances rank by position.

    Parameters
    ----------
    vectors : KeyedVectors, n rows
        Compared by their metric; dot products by angle, as they are laid out.
    coordinates : (n, 2 or 3) float32
    k : int
        Reduced where ``k < n / 2`` does not hold.
    seed : int
    progress : Progress

    Returns
    -------
    Quality or None
        None below five points.

    References
    ----------
    Trustworthiness and continuity: Venna & Kaski (2001), ICANN, equations 1-2. Rank correlation
    of distances: Kobak & Berens (2019), Nature Communications 10:5416.
    """
    n = len(vectors)
    if n < _SMALLEST:
        return None
    space = Space(vectors)
    rng = np.random.default_rng(seed)
    rows = np.arange(n)
    if n > EXACT_UP_TO:
        rows = np.sort(rng.choice(n, _SAMPLED_ROWS, replace=False))
    widest = (n - 1) // 2
    k, overlap_k = min(k, widest), min(10, widest)
    data, picture = _centred(space.matrix), _centred(coordinates)
    intrusion = extrusion = shared = 0.0
    done = 0
    for part in _blocks(rows, n):
        sums = _compared(_distances(data, part), _distances(picture, part), k, overlap_k)
        intrusion, extrusion = intrusion + sums.intrusion, extrusion + sums.extrusion
        shared += sums.shared
        done += len(part)
        progress(done, len(rows), "quality")
    scale = 2.0 / (len(rows) * k * (2.0 * n - 3.0 * k - 1.0))
    correlation, n_pairs = _rank_correlation(data, picture, rng)
    return Quality(
        trustworthiness=1.0 - scale * intrusion,
        continuity=1.0 - scale * extrusion,
        overlap_at_10=shared / (len(rows) * overlap_k),
        rank_correlation=correlation,
        k=k,
        overlap_k=overlap_k,
        n_used=len(rows),
        n_total=n,
        n_pairs=n_pairs,
        metric=space.metric,
        seed=seed,
    )


def _centred(matrix: AnyArray) -> AnyArray:
    """Return float32 rows around their mean: less is lost when distances are differences."""
    return np.asarray(matrix - matrix.mean(axis=0, dtype=np.float64), dtype=np.float32)


def _blocks(rows: NDArray[np.int64], n: int) -> Iterator[NDArray[np.int64]]:
    step = max(1, _BLOCK_CELLS // n)
    for start in range(0, len(rows), step):
        yield rows[start : start + step]


def _distances(matrix: AnyArray, rows: NDArray[np.int64]) -> AnyArray:
    """Return the ``(r, n) float32`` squared distances; a row to itself is infinite."""
    if matrix.shape[1] <= 3:  # differences: a product would blur points that nearly coincide
        squared = np.zeros((len(rows), len(matrix)), dtype=np.float32)
        for column in matrix.T:
            difference = column[rows, None] - column[None]
            difference *= difference
            squared += difference
    else:
        if matrix.shape[1] <= _WIDE_UP_TO:
            matrix = matrix.astype(np.float64)
        lengths = np.einsum("ij,ij->i", matrix, matrix)
        squared = matrix[rows] @ matrix.T
        squared *= -2.0
        squared += lengths
        squared += lengths[rows, None]
        squared = squared.astype(np.float32, copy=False)
    squared[np.arange(len(rows)), rows] = np.inf
    return squared


def _compared(far: AnyArray, near: AnyArray, k: int, overlap_k: int) -> _Sums:
    """Return how much rank is lost either way, and how many neighbours are shared."""
    width = max(k, overlap_k)
    true, drawn = _nearest(far, width), _nearest(near, width)
    lost = np.maximum(_ranks(far, drawn[:, :k]) - k, 0).sum(dtype=np.float64)
    torn = np.maximum(_ranks(near, true[:, :k]) - k, 0).sum(dtype=np.float64)
    both = true[:, :overlap_k, None] == drawn[:, None, :overlap_k]
    return _Sums(float(lost), float(torn), float(both.sum()))


def _nearest(distances: AnyArray, k: int) -> NDArray[np.int64]:
    """Return the columns of the ``k`` smallest per row, equal ones in order of position."""
    found = np.argpartition(distances, k - 1, axis=1)[:, :k]
    kth = np.take_along_axis(distances, found, axis=1).max(axis=1)
    # argpartition picks any of the columns that tie with the k-th: such rows are sorted in full.
    for row in np.flatnonzero((distances <= kth[:, None]).sum(axis=1) > k):
        found[row] = np.argsort(distances[row], kind="stable")[:k]
    found.sort(axis=1)
    values = np.take_along_axis(distances, found, axis=1)
    order = np.argsort(values, axis=1, kind="stable")
    return np.take_along_axis(found, order, axis=1)


def _ranks(distances: AnyArray, columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rank, from 1, that each of the ``(r, k)`` columns has in its row."""
    ranks = np.empty(columns.shape, dtype=np.int64)
    values = np.take_along_axis(distances, columns, axis=1)
    for j in range(columns.shape[1]):
        value = values[:, j, None]
        ranks[:, j] = np.count_nonzero(distances < value, axis=1) + 1
        tied = np.count_nonzero(distances == value, axis=1) > 1
        for row in np.flatnonzero(tied):
            before = distances[row, : columns[row, j]]
            ranks[row, j] += np.count_nonzero(before == values[row, j])
    return ranks


def _rank_correlation(
    data: AnyArray, picture: AnyArray, rng: np.random.Generator
) -> tuple[float | None, int]:
    """Return the Spearman correlation of the distances of pairs, and the number of pairs."""
    from scipy.spatial.distance import pdist
    from scipy.stats import rankdata

    n = len(data)
    if n <= _ALL_PAIRS_UP_TO:
        spread = pdist(data.astype(np.float64)), pdist(picture.astype(np.float64))
    else:
        pairs = random_pairs(n, _SAMPLED_PAIRS, rng)
        spread = squared_distances(data, *pairs), squared_distances(picture, *pairs)
    first, second = (rankdata(distances) for distances in spread)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None, len(first)
    return float(np.corrcoef(first, second)[0, 1]), len(first)
