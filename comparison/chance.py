"""What a figure would be by chance, and how far sampling alone moves it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from core.progress import Progress, quiet
from vectors.bootstrap import Interval, bootstrap_mean


class Calibrated(NamedTuple):
    """A similarity beside what it is when rows are paired at random.

    Attributes
    ----------
    observed : float
    chance : float
        Mean over the random pairings.
    threshold : float
        What only a share ``alpha`` of random pairings reach.
    calibrated : float
        0 (no more than chance) … 1 (the largest value there can be).
    p : float
        How often chance does as well: at least ``1 / (n_permutations + 1)``.
    n_rows, n_permutations : int
    """

    observed: float
    chance: float
    threshold: float
    calibrated: float
    p: float
    n_rows: int
    n_permutations: int


def calibrate(
    observed: float,
    shuffled: Callable[[NDArray[np.int64]], float],
    n_rows: int,
    *,
    n_permutations: int = 100,
    alpha: float = 0.05,
    largest: float = 1.0,
    seed: int = 0,
    progress: Progress = quiet,
) -> Calibrated:
    """Compare a similarity with its values when the rows of one side are shuffled.

    Gröger, Wen & Brbić 2026 (arXiv 2602.14486): with the order statistic ``τ`` of rank
    ``ceil((1 - α)(B + 1))`` among the observed and the B random values, the calibrated similarity
    is ``(s - τ) / (s_max - τ)``, cut to 0 … 1.

    Parameters
    ----------
    observed : float
    shuffled : callable
        Takes an order of the rows, ``(n_rows,) int64``, and returns the similarity under it.
    n_rows : int
    n_permutations : int
    alpha : float
    largest : float
        The value of equal spaces.
    """
    if not 0 < alpha < 1:
        raise ParameterError(f"alpha must lie between 0 and 1, got {alpha!r}.")
    rng = np.random.default_rng(seed)
    null = np.empty(n_permutations)
    for i in range(n_permutations):
        progress(i, n_permutations, "shuffling")
        null[i] = shuffled(rng.permutation(n_rows))
    progress(n_permutations, n_permutations, "shuffling")
    every = np.sort(np.append(null, observed))
    rank = min(len(every), math.ceil((1 - alpha) * (n_permutations + 1)))
    threshold = float(every[rank - 1])
    room = largest - threshold
    share = float(np.clip((observed - threshold) / room, 0, 1)) if room > 0 else 0.0
    p = (1 + int((null >= observed).sum())) / (n_permutations + 1)
    return Calibrated(
        float(observed), float(null.mean()), threshold, share, p, n_rows, n_permutations
    )


def paired_difference(
    first: NDArray[np.float64], second: NDArray[np.float64], *, seed: int = 0
) -> Interval:
    """Return the mean of ``first - second`` over the same items with its bootstrap interval.

    An interval that holds 0 means: these items do not tell the two apart.
    """
    if len(first) != len(second):
        raise ParameterError(
            f"Both need a value for the same items, got {len(first)} and {len(second)}."
        )
    if not len(first):
        raise ParameterError("A mean needs at least one value.")
    return bootstrap_mean(np.asarray(first, np.float64) - second, seed=seed)
