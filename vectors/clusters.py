"""Groups of vectors in the original space, for colouring a map that has no labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from vectors.keyed import KeyedVectors

_FULL_BELOW = 20_000


def cluster(vectors: KeyedVectors, *, n_clusters: int, seed: int = 0) -> NDArray[np.int32]:
    """Return the ``(n,) int32`` k-means cluster of each vector, the largest cluster first.

    Under cosine rows are brought to unit length first (spherical k-means up to the averaging of
    centres). Above 20,000 rows mini-batches are used (Sculley 2010).

    Raises
    ------
    ParameterError
        If ``n_clusters`` is not in [1, n].
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans

    n = len(vectors)
    if not 1 <= n_clusters <= n:
        raise ParameterError(f"n_clusters must be an integer in [1, {n}], got {n_clusters}.")
    rows = np.asarray(vectors.matrix)
    if vectors.metric == "cosine":
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        rows = rows / np.where(norms > 0, norms, 1)
    method = KMeans if n <= _FULL_BELOW else MiniBatchKMeans
    n_distinct = len(np.unique(rows[: 4 * n_clusters], axis=0)) if n <= 4 * n_clusters else n
    groups = method(min(n_clusters, n_distinct), n_init=3, random_state=seed).fit_predict(rows)
    by_size = np.argsort(-np.bincount(groups), kind="stable")
    rank = np.empty_like(by_size)
    rank[by_size] = np.arange(len(by_size))
    return rank[groups].astype(np.int32)
