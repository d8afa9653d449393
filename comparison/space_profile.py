"""The shape of one space at once: each figure, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparison.guards import (
    guard_of_hubness,
    guard_of_pairs,
    guard_of_spectrum,
    guard_of_two_nn,
)
from comparison.near_items import Duplicates, NearestDistances, find_duplicates
from comparison.single_space import hubness, mean_cosine, spectrum, two_nn, uniformity
from core.arrays import AnyArray
from core.errors import ParameterError
from core.modality import Metric
from core.progress import Progress, quiet

Float64 = NDArray[np.float64]
Rows = NDArray[np.int64]
_PAIRS = 200_000
_LISTED = 20
_STEPS = 6
_MOST_TIED = 0.1
_TIE_FLOATS = 2_000_000


class Figure(NamedTuple):
    """One figure, or why there is none.

    Attributes
    ----------
    value : float or None
    reason : str
        Why not; "" where there is a value.
    n : int
        Items behind it.
    """

    value: float | None
    reason: str
    n: int


class Hubs(NamedTuple):
    """Items that stand in the most lists of neighbours.

    Attributes
    ----------
    skewness, antihubs : Figure
        Of the counts; share of items in nobody's list. Refused where ties decide.
    rows : (m,) int64
        The largest hubs, the largest first; none where ties decide.
    counts : (m,) int64
        In how many lists each stands.
    shares : (m,) float64
        The same as a share of all lists; ``k / n`` would be even.
    tied : float
        Share of the lists whose last item is no nearer than the next, so that it is there by the
        order of items; NaN where no next ones are known.
    """

    skewness: Figure
    antihubs: Figure
    rows: Rows
    counts: Rows
    shares: Float64
    tied: float


class Norms(NamedTuple):
    """Lengths of the vectors; ``variation`` is the standard deviation over the mean."""

    smallest: float
    median: float
    largest: float
    variation: float


class Outliers(NamedTuple):
    """Items far from everything.

    Attributes
    ----------
    rows : (m,) int64
        The farthest first.
    ratios : (m,) float64
        Distance to the k-th neighbour over its median over the items where it is not 0.
    beyond : float
        Ratio above which an item counts as an outlier: 1 plus 5 scaled median deviations over
        these items; 5 scaled mean deviations where over half of them are equally far.
    n_beyond : int
    """

    rows: Rows
    ratios: Float64
    beyond: float
    n_beyond: int


@dataclass(frozen=True, eq=False)
class SpaceProfile:
    """The shape of one space.

    Attributes
    ----------
    hubs : Hubs
    mean_cosine, mean_cosine_centred : Figure
        Anisotropy before and after the mean is taken off.
    iso_score, effective_rank, participation_ratio, first_share : Figure
        See ``single_space.spectrum``; effective rank of singular values.
    intrinsic_dimension : tuple of Figure
        TwoNN over all items at different places, a half and a quarter of them: a figure that
        depends on how many there are is no dimension.
    uniformity : Figure
    norms : Norms
    duplicates : Duplicates
    zeros : (m,) int64
        Rows whose vector is zero.
    outliers : Outliers
    k, n, d, seed : int
    metric : {"cosine", "dot", "euclidean"}
    """

    hubs: Hubs
    mean_cosine: Figure
    mean_cosine_centred: Figure
    iso_score: Figure
    effective_rank: Figure
    participation_ratio: Figure
    first_share: Figure
    intrinsic_dimension: tuple[Figure, Figure, Figure]
    uniformity: Figure
    norms: Norms
    duplicates: Duplicates
    zeros: Rows
    outliers: Outliers
    k: int
    n: int
    d: int
    seed: int
    metric: Metric


def profile(
    matrix: AnyArray,
    metric: Metric,
    neighbours: NDArray[np.integer],
    *,
    k: int = 10,
    seed: int = 0,
    progress: Progress = quiet,
) -> SpaceProfile:
    """Measure the shape of one space.

    Distances (intrinsic dimension, duplicates, outliers) are Euclidean: of the rows as they are
    under ``euclidean``, of rows of length 1 otherwise. The spectrum is of the rows as they are.

    Parameters
    ----------
    matrix : (n, d)
    metric : {"cosine", "dot", "euclidean"}
    neighbours : (n, K) integer
        Under that metric, nearest first, without the item itself.
    k : int
    seed : int
        Of subsamples and of pairs.

    Raises
    ------
    ParameterError
        If the neighbours are of other items, or k is out of range.
    """
    n, d = matrix.shape
    if len(neighbours) != n:
        raise ParameterError(f"There are {n:,} items but neighbours of {len(neighbours):,}.")
    if not 1 <= k <= neighbours.shape[1]:
        raise ParameterError(f"k must be an integer in [1, {neighbours.shape[1]}], got {k!r}.")
    progress(0, _STEPS, "lengths and hubs")
    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
    zeros = np.flatnonzero(lengths == 0)
    hubs = _hubs(neighbours[:, :k], k, _tied(matrix, lengths, metric, neighbours, k))
    progress(1, _STEPS, "directions")
    some = n - len(zeros)
    pairs = guard_of_pairs(some)
    plain = _figure(lambda: mean_cosine(matrix), pairs, some)
    centred = np.asarray(matrix, np.float64) - matrix.mean(axis=0, dtype=np.float64)
    after = _figure(partial(mean_cosine, centred), pairs, n)
    progress(2, _STEPS, "spectrum")
    shape = _spectrum_figures(centred)
    progress(3, _STEPS, "distances of neighbours")
    nearest = NearestDistances.of(matrix, lengths, metric, neighbours, k, seed)
    duplicates = find_duplicates(matrix, nearest)
    progress(4, _STEPS, "intrinsic dimension")
    dimension = _dimensions(nearest, duplicates.first_of_each, seed)
    progress(5, _STEPS, "evenness of directions")
    even = _figure(lambda: uniformity(matrix, n_pairs=_PAIRS, seed=seed), pairs, some)
    progress(_STEPS, _STEPS, "evenness of directions")
    return SpaceProfile(
        hubs,
        plain,
        after,
        *shape,
        dimension,
        even,
        _norms(lengths),
        duplicates,
        zeros,
        _outliers(nearest.to_kth, nearest.same),
        k,
        n,
        d,
        seed,
        metric,
    )


def _figure(measure: Callable[[], float], reason: str | None, n: int) -> Figure:
    """Return the measure, or the reason that forbids it or that it gives itself."""
    if reason:
        return Figure(None, reason, n)
    try:
        return Figure(measure(), "", n)
    except ParameterError as error:
        return Figure(None, str(error), n)


def _hubs(neighbours: NDArray[np.integer], k: int, tied: float) -> Hubs:
    n = len(neighbours)
    reason = guard_of_hubness(n, k)
    listed = _LISTED
    if tied > _MOST_TIED:
        listed = 0
        reason = (
            f"In {tied:.0%} of the lists the neighbour number {k} is no nearer than the next one: "
            "which of them is listed depends on the order of the items, and so would the hubs. "
            "Binary vectors, small counts and zero vectors tie; hubness is for continuous ones."
        )
    found = hubness(neighbours)
    top = np.argsort(-found.counts, kind="stable")[:listed]
    return Hubs(
        _figure(lambda: found.skewness, reason, n),
        _figure(lambda: found.antihubs, reason, n),
        top,
        found.counts[top],
        found.counts[top] / n,
        tied,
    )


def _tied(
    matrix: AnyArray, lengths: Float64, metric: Metric, neighbours: NDArray[np.integer], k: int
) -> float:
    """Return the share of items whose neighbours k and k + 1 are equally near."""
    if neighbours.shape[1] <= k:
        return float("nan")
    n_tied = 0
    step = max(1, _TIE_FLOATS // matrix.shape[1])
    for start in range(0, len(matrix), step):
        rows = slice(start, start + step)
        own = matrix[rows].astype(np.float64)
        nearness = []
        for column in (k - 1, k):
            near = neighbours[rows, column]
            other = matrix[near].astype(np.float64)
            if metric == "euclidean":
                nearness.append(np.sqrt(((own - other) ** 2).sum(axis=1)))
                continue
            products = np.einsum("ij,ij->i", own, other)
            if metric == "cosine":
                products /= np.where(lengths[near] > 0, lengths[near], 1)
            nearness.append(products)
        n_tied += int(np.isclose(nearness[0], nearness[1], rtol=1e-9, atol=1e-12).sum())
    return n_tied / len(matrix)


def _spectrum_figures(centred: Float64) -> tuple[Figure, Figure, Figure, Figure]:
    n, d = centred.shape
    reason = guard_of_spectrum(n, d)
    if reason is None:
        try:
            found = spectrum(centred)
        except ParameterError as error:
            reason = str(error)
        else:
            values = (
                found.iso_score,
                found.effective_rank,
                found.participation_ratio,
                found.first_share,
            )
            one, two, three, four = (Figure(value, "", n) for value in values)
            return one, two, three, four
    none = Figure(None, reason, n)
    return none, none, none, none


def _dimensions(
    nearest: NearestDistances, different: NDArray[np.bool_], seed: int
) -> tuple[Figure, Figure, Figure]:
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(different))
    parts = [rows, rows[: len(rows) // 2], rows[: len(rows) // 4]]
    one, two, three = (_dimension(nearest, np.sort(part)) for part in parts)
    return one, two, three


def _dimension(nearest: NearestDistances, rows: Rows) -> Figure:
    n = len(rows)
    reason = guard_of_two_nn(n)
    if reason:
        return Figure(None, reason, n)
    first, second = nearest.two_nearest(rows)
    apart = first > nearest.same  # one that rounding sets apart would count as a wide ratio
    first, second = first[apart], second[apart]
    tied = float(np.isclose(first, second, rtol=1e-6).mean()) if len(first) else 0.0
    return _figure(lambda: two_nn(first, second), guard_of_two_nn(len(first), tied), n)


def _norms(lengths: Float64) -> Norms:
    mean = float(lengths.mean())
    return Norms(
        float(lengths.min()),
        float(np.median(lengths)),
        float(lengths.max()),
        float(lengths.std() / mean) if mean > 0 else 0.0,
    )


def _outliers(to_kth: Float64, same: float) -> Outliers:
    """Return the farthest items; those in a crowd of copies tell nothing of what is usual."""
    apart = to_kth > same
    median = float(np.median(to_kth[apart])) if apart.any() else 1.0
    ratios = to_kth / median
    deviations = np.abs(ratios[apart] - 1) if apart.any() else np.zeros(1)
    # 1.4826 makes the median deviation of a normal distribution its standard deviation, 1.2533 the
    # mean deviation (Iglewicz & Hoaglin 1993, "How to Detect and Handle Outliers", section 3.2).
    spread = 1.4826 * float(np.median(deviations)) or 1.2533 * float(deviations.mean())
    beyond = 1 + 5 * spread
    top = np.argsort(-ratios, kind="stable")[:_LISTED]
    return Outliers(top, ratios[top], beyond, int((ratios > beyond).sum()))
