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
    """Return the ``n`` nearest of each digit, or of its first ``k`` components.

    Pixels are whole numbers, so many distances are equal: such ties go to the lower row. How ties
    go moves the known figures in their fourth digit.
    """
    from scipy.spatial.distance import cdist

    space = digits() if k is None else components(k)
    distances = cdist(space, space, "sqeuclidean")
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1, kind="stable")[:, :n]
