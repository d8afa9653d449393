"""Bootstrap of figures that are no means: a correlation of pairs, an F1 of counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

RESAMPLES = 1_000
_CELLS = 2_000_000  # counts drawn at a time


def resampled(
    figure: Callable[[Counts], Floats], n: int, *, n_resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """Return a figure under ``n_resamples`` draws of ``n`` units with replacement.

    The same ``n`` and seed draw the same units, so that figures of two spaces are paired draw by
    draw.

    Parameters
    ----------
    figure : callable
        Takes ``(b, n) int64``, how often each unit is in each draw, and returns ``(b,)``; NaN
        where a draw leaves none.
    n : int
    n_resamples : int
    seed : int

    Returns
    -------
    (n_resamples,) float64
    """
    rng = np.random.default_rng(seed)
    values = np.empty(n_resamples)
    step = max(1, _CELLS // max(1, n))
    for start in range(0, n_resamples, step):
        some = slice(start, min(start + step, n_resamples))
        picks = rng.integers(n, size=(some.stop - start, n))
        picks += np.arange(len(picks))[:, None] * n
        counts = np.bincount(picks.ravel(), minlength=len(picks) * n).reshape(len(picks), n)
        values[some] = figure(counts)
    return values


def normal_draws(
    values: Floats, covariance: Floats, *, n_resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """Return draws of several figures about their values, paired by their covariance.

    Parameters
    ----------
    values : (s,) float64
    covariance : (s, s) float64
        Negative eigenvalues, which an estimate can have, count as 0.
    n_resamples : int
    seed : int

    Returns
    -------
    (n_resamples, s) float64
    """
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal((n_resamples, len(values)))
    draws: Floats = values + normal @ symmetric_root(covariance)
    return draws


def symmetric_root(matrix: Floats) -> Floats:
    """Return the root of a symmetric matrix; negative eigenvalues count as 0."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    root: Floats = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root


def middle(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of resampled values, NaN ones left out."""
    kept = values[np.isfinite(values)]
    if not len(kept):
        return float("nan"), float("nan")
    low, high = np.quantile(kept, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
