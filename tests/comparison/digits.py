"""The digits of scikit-learn beside their first principal components: spaces with known figures."""

from __future__ import annotations

from functools import cache

import numpy as np


@cache
def digits() -> np.ndarray:
    from sklearn.datasets import load_digits

    return load_digits().data


@cache
def components(k: int) -> np.ndarray:
    from sklearn.decomposition import PCA

    return PCA(k, random_state=0).fit_transform(digits())


@cache
def neighbours(k: int | None, n: int) -> np.ndarray:
    """Return the ``n`` nearest of each digit, or of its first ``k`` components; ties by row."""
    from sklearn.neighbors import NearestNeighbors

    space = digits() if k is None else components(k)
    return (
        NearestNeighbors(n_neighbors=n, algorithm="brute")
        .fit(space)
        .kneighbors(return_distance=False)
    )
