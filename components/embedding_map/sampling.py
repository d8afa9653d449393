"""Which points to draw when there are more than a browser can show smoothly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError

__all__ = ["draw_limit", "draw_sample"]

_LIMITS = {2: 200_000, 3: 100_000}


def draw_limit(dims: int) -> int:
    """Return how many points a map of that many dimensions draws at most."""
    return _LIMITS[dims]


def draw_sample(
    n: int, limit: int, seed: int = 0, codes: NDArray[np.integer] | None = None
) -> NDArray[np.int64]:
    """Choose the points to draw, every class in its share and none left out.

    Parameters
    ----------
    n : int
        Number of points.
    limit : int
        Number of points to draw at most, at least 1.
    seed : int
        Same seed, same sample.
    codes : (n,) integer ndarray, optional
        Class of each point. Each class gets its share of the places by largest remainder, and at
        least one place as long as there are enough.

    Returns
    -------
    (min(n, limit),) int64 ndarray
        Positions in ascending order.

    Raises
    ------
    ParameterError
        If ``limit`` is below 1 or ``codes`` has another length than ``n``.
    """
    if limit < 1:
        raise ParameterError(f"A sample of {limit} points cannot be drawn; ask for at least 1.")
    if codes is not None and len(codes) != n:
        raise ParameterError(f"{len(codes):,} class codes were given for {n:,} points.")
    if n <= limit:
        return np.arange(n, dtype=np.int64)
    rng = np.random.default_rng(seed)
    if codes is None:
        return np.sort(rng.choice(n, limit, replace=False)).astype(np.int64)
    classes, member, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    places = _shares(sizes, limit)
    shuffled = rng.permutation(n)
    by_class = shuffled[np.argsort(member[shuffled], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    chosen = [by_class[starts[c] : starts[c] + places[c]] for c in range(len(classes))]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def _shares(sizes: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Split ``limit`` places by largest remainder, one for every class first where possible."""
    floor = np.ones_like(sizes) if len(sizes) <= limit else np.zeros_like(sizes)
    spare = limit - int(floor.sum())
    exact = (sizes - floor) / (sizes - floor).sum() * spare
    places = floor + exact.astype(np.int64)
    rest = limit - int(places.sum())
    order = np.argsort(-(exact - np.floor(exact)), kind="stable")
    places[order[:rest]] += 1
    capped: NDArray[np.int64] = np.minimum(places, sizes)
    return capped
