"""Pairs of different rows, drawn at random where there are too many to look at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray

Rows = NDArray[np.int64]


def item_pairs(n: int, n_pairs: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return all pairs of ``n`` rows if there are at most ``n_pairs``, else so many drawn."""
    if n * (n - 1) // 2 <= n_pairs:
        left, right = np.triu_indices(n, 1)
        return left, right
    return random_pairs(n, n_pairs, rng)


def random_pairs(n: int, n_pairs: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return ``n_pairs`` pairs of two different rows, with repeats."""
    left = rng.integers(n, size=n_pairs)
    return left, (left + rng.integers(1, n, size=n_pairs)) % n


def squared_distances(
    matrix: AnyArray, left: Rows, right: Rows, step: int = 8_192
) -> NDArray[np.float64]:
    """Return the squared Euclidean distance of each pair, ``(m,) float64``."""
    squared = np.empty(len(left))
    for start in range(0, len(left), step):
        part = slice(start, start + step)
        difference = matrix[left[part]].astype(np.float64) - matrix[right[part]]
        squared[part] = np.einsum("ij,ij->i", difference, difference)
    return squared
