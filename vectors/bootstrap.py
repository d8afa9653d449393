"""How far sampling alone moves a mean."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_CELLS = 4_000_000  # counts drawn at a time


class Interval(NamedTuple):
    """A mean over items and where it would lie for other items of the same kind."""

    mean: float
    low: float
    high: float


def bootstrap_mean(
    values: NDArray[np.float64], *, n_resamples: int = 1_000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Return the mean of ``(n,)`` values with its percentile interval; NaN where there is none.

    Values are resampled as counts of equal values, so that a million items with a dozen different
    values cost no more than these.

    References
    ----------
    Efron & Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3.
    """
    n = len(values)
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    different, counts = np.unique(np.asarray(values, np.float64), return_counts=True)
    step = max(1, _CELLS // len(different))
    means = np.empty(n_resamples)
    for start in range(0, n_resamples, step):
        some = slice(start, min(start + step, n_resamples))
        drawn = rng.multinomial(n, counts / n, size=some.stop - start)
        means[some] = drawn @ different / n
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(np.mean(values)), float(low), float(high))
