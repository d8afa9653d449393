"""Do cosines order pairs of items as people do? Semantic textual similarity and its like."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comparison.resampling import Counts, Floats, resampled, spearman_of_draws, weighted_correlation
from comparison.shared_items import SharedItems
from comparison.task_result import TaskResult, TaskScore
from core.arrays import FloatMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet
from vectors.scoring import Scoring

LEAST_PAIRS = 20
"""Resampled correlations of fewer pairs jump too far to be shown."""
_FEWER_DRAWS_ABOVE = 20_000


def measure_pairs(
    items: SharedItems,
    left: ArrayLike,
    right: ArrayLike,
    ratings: ArrayLike,
    *,
    seed: int = 0,
    progress: Progress = quiet,
) -> dict[str, TaskResult]:
    """Return Spearman's and Pearson's correlation of cosine and rating over pairs of items.

    Cer et al. 2017, "SemEval-2017 Task 1: Semantic Textual Similarity"; all pairs pooled. A zero
    vector has cosine 0 with everything; ``extra`` counts pairs with one. Intervals are from 1,000
    draws of pairs (200 above 20,000 pairs), the same for every space.

    Parameters
    ----------
    items : SharedItems
    left, right : (m,) int
        Places of the items of each pair; -1 for an item that is not shared.
    ratings : (m,) float
        On any scale; NaN where there is none.
    seed : int
        Of the bootstrap.
    progress : Progress
        Called once per space.

    Returns
    -------
    dict of str to TaskResult
        Under "Spearman" and "Pearson".

    Raises
    ------
    ParameterError
        If lengths differ or a place is out of range.
    """
    first, second = (np.asarray(side, np.int64) for side in (left, right))
    rated = np.asarray(ratings, np.float64)
    _check(first, second, rated, len(items))
    has_items, has_rating = (first >= 0) & (second >= 0), np.isfinite(rated)
    used = has_items & has_rating
    left_out = {
        "pairs of items that are not in every space": int((~has_items).sum()),
        "pairs without a rating": int((has_items & ~has_rating).sum()),
    }
    refused = _refusal(rated[used])
    n_draws = 200 if used.sum() > _FEWER_DRAWS_ABOVE else 1_000
    scores: dict[str, dict[str, TaskScore]] = {"Spearman": {}, "Pearson": {}}
    for i, name in enumerate(items.names if not refused else ()):
        progress(i, len(items.names), "pairs", name)
        both = _scores(items.matrices[i], first[used], second[used], rated[used], seed, n_draws)
        for measure, score in zip(scores, both, strict=True):
            scores[measure][name] = score
    progress(len(items.names), len(items.names), "pairs")
    return {
        measure: TaskResult(
            f"pairs-{measure.lower()}",
            "Similarity of pairs",
            f"{measure}'s correlation of cosine and rating",
            "pairs",
            int(used.sum()),
            None if refused else 0.0,
            "vectors that have nothing to do with the ratings",
            {"metric": "cosine", "draws": n_draws, "seed": seed},
            found,
            left_out={reason: n for reason, n in left_out.items() if n},
            refused=refused,
        )
        for measure, found in scores.items()
    }


def cosines_of_pairs(
    matrix: FloatMatrix, left: NDArray[np.int64], right: NDArray[np.int64]
) -> Floats:
    """Return the cosine of each pair of rows, ``(m,) float64``."""
    scoring = Scoring(matrix, "cosine")
    found, step = np.empty(len(left)), 8_192
    for start in range(0, len(left), step):
        part = slice(start, start + step)
        first = scoring.prepare(matrix[left[part]])
        found[part] = scoring.fine_pairs(first, right[part][:, None])[:, 0]
    # The rows are float32: what differs beyond 12 digits is rounding, and must not make a rank.
    return np.round(found, 12)


def places_of(ids: Sequence[str], wanted: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each wanted id among ``ids``, -1 where it is none of them."""
    places = {id: row for row, id in enumerate(ids)}
    return np.array([places.get(id, -1) for id in wanted], np.int64)


def _scores(
    matrix: FloatMatrix,
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    ratings: Floats,
    seed: int,
    n_draws: int,
) -> tuple[TaskScore, TaskScore]:
    cosines = cosines_of_pairs(matrix, left, right)
    is_zero = ~np.any(matrix != 0, axis=1)
    extra = {"pairs with a zero vector": float((is_zero[left] | is_zero[right]).sum())}
    if np.ptp(cosines) == 0:
        refusal = TaskScore.refusal("All pairs have the same cosine.")
        return refusal, refusal
    once = np.ones((1, len(cosines)), np.int64)
    found = []
    for figure in (spearman_of_draws(cosines, ratings), _pearson_of_draws(cosines, ratings)):
        draws = resampled(figure, len(cosines), n_resamples=n_draws, seed=seed)
        found.append(TaskScore.of_draws(float(figure(once)[0]), draws, extra=extra))
    return found[0], found[1]


def _pearson_of_draws(x: Floats, y: Floats) -> Callable[[Counts], Floats]:
    return lambda counts: weighted_correlation(x, y, counts)


def _check(left: NDArray[np.int64], right: NDArray[np.int64], ratings: Floats, n: int) -> None:
    if not left.shape == right.shape == ratings.shape or left.ndim != 1:
        raise ParameterError(
            f"Pairs need as many left items, right items and ratings, got {left.shape}, "
            f"{right.shape} and {ratings.shape}."
        )
    for side in (left, right):
        if len(side) and not -1 <= side.min() <= side.max() < n:
            raise ParameterError(
                f"A pair names item {side.max() if side.max() >= n else side.min()}; items are "
                f"numbered 0 to {n - 1}, -1 for one that is not shared."
            )


def _refusal(ratings: Floats) -> str:
    if len(ratings) < LEAST_PAIRS:
        return f"{len(ratings)} rated pairs are too few; {LEAST_PAIRS} are needed."
    if np.ptp(ratings) == 0:
        return "All pairs have the same rating, so there is no order to find."
    return ""
