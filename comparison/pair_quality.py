"""Do cosines order pairs of items as people do? Semantic textual similarity and its like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comparison.dyadic_error import covariance_over_nodes, pearson, spearman
from comparison.resampling import RESAMPLES, Floats, normal_draws
from comparison.shared_items import SharedItems
from comparison.task_result import TaskResult, TaskScore
from core.arrays import FloatMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet
from vectors.scoring import Scoring

LEAST_PAIRS = 20
"""Resampled correlations of fewer pairs jump too far to be shown."""
_NEAR_ONE = 1e-9  # a correlation nearer to 1 has no finite z


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
    draws, the same for every space, about Fisher's z; pairs that share an item are not taken as
    independent (:func:`comparison.dyadic_error.covariance_over_nodes`).

    Parameters
    ----------
    items : SharedItems
    left, right : (m,) int
        Places of the items of each pair; -1 for an item that is not shared.
    ratings : (m,) float
        On any scale; NaN where there is none.
    seed : int
        Of the draws.
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
    every, extras = {}, {}
    for i, name in enumerate(items.names if not refused else ()):
        progress(i, len(items.names), "pairs", name)
        matrix = items.matrices[i]
        every[name] = cosines_of_pairs(matrix, first[used], second[used])
        is_zero = ~np.any(matrix != 0, axis=1)
        n_zero = float((is_zero[first[used]] | is_zero[second[used]]).sum())
        extras[name] = {"pairs with a zero vector": n_zero}
    progress(len(items.names), len(items.names), "pairs")
    ends = np.stack([first[used], second[used]], axis=1)
    repeats = np.bincount(ends.ravel(), minlength=1).max() > 1
    return {
        measure: TaskResult(
            f"pairs-{measure.lower()}",
            "Similarity of pairs",
            f"{measure}'s correlation of cosine and rating",
            "pairs",
            int(used.sum()),
            None if refused else 0.0,
            "vectors that have nothing to do with the ratings",
            {
                "metric": "cosine",
                "draws": RESAMPLES,
                "independent": "pairs that share no item" if repeats else "pairs",
                "seed": seed,
            },
            correlation_scores(figure, every, extras, rated[used], ends, seed),
            left_out={reason: n for reason, n in left_out.items() if n},
            refused=refused,
        )
        for measure, figure in {"Spearman": spearman, "Pearson": pearson}.items()
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


def correlation_scores(
    figure: Callable[[Floats, Floats], tuple[float, Floats]],
    every: Mapping[str, Floats],
    extras: Mapping[str, Mapping[str, float]],
    ratings: Floats,
    ends: NDArray[np.int64],
    seed: int,
) -> dict[str, TaskScore]:
    """Return the correlation of each space whose cosines differ, with draws paired over spaces.

    Parameters
    ----------
    figure : callable
        ``spearman`` or ``pearson`` of :mod:`comparison.dyadic_error`.
    every : mapping of str to (m,) float64
        The cosines in each space.
    extras : mapping of str to mapping
        What else is told of a space.
    ratings : (m,) float64
    ends : (m, 2) int64
        What stands at both ends of each pair: pairs that share it are not independent.
    seed : int
    """
    scores = {name: TaskScore.refusal("All pairs have the same cosine.") for name in every}
    usable = [name for name, cosines in every.items() if np.ptp(cosines) > 0]
    if not usable:
        return scores
    found = [figure(every[name], ratings) for name in usable]
    values = np.array([value for value, _ in found])
    slope = 1 / np.maximum(1 - values**2, _NEAR_ONE)  # of Fisher's z
    influence = np.stack([added for _, added in found], axis=1) * slope
    covariance = covariance_over_nodes(influence, ends[:, 0], ends[:, 1])
    inside = np.clip(values, _NEAR_ONE - 1, 1 - _NEAR_ONE)
    draws = np.tanh(normal_draws(np.arctanh(inside), covariance, seed=seed))
    for i, name in enumerate(usable):
        scores[name] = TaskScore.of_draws(float(values[i]), draws[:, i], extra=extras[name])
    return scores


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
