"""Groups of a space, for a colour column: k-means in the original dimensions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.errors import ParameterError
from core.modality import Metric
from vectors.keyed import KeyedVectors
from vectors.scoring import Scoring

_MINI_BATCH_ABOVE = 20_000  # rows
_MOST = 200


def cluster(
    vectors: KeyedVectors, n_clusters: int | None = None, seed: int = 0
) -> NDArray[np.int32]:
    """Return the k-means cluster of each vector; cluster 0 is the largest.

    Under ``cosine`` and ``dot`` rows are scaled to unit length first (groups are directions then).
    The same vectors and seed give the same clusters.

    Parameters
    ----------
    vectors : KeyedVectors
    n_clusters : int, optional
        2 … 200 (at most the number of vectors). Default √(n/2), between 2 and 20.
    seed : int

    Returns
    -------
    (n,) int32
        Fewer than ``n_clusters`` values where there are fewer distinct vectors.

    Raises
    ------
    ParameterError
        If ``n_clusters`` is out of range.

    References
    ----------
    Lloyd (1982), started by k-means++ (Arthur & Vassilvitskii 2007); above 20,000 rows by
    mini-batches (Sculley 2010).
    """
    n = len(vectors)
    most = min(_MOST, n)
    if n_clusters is None:
        n_clusters = min(max(2, min(20, round((n / 2) ** 0.5))), most)
    elif isinstance(n_clusters, bool) or not 1 <= n_clusters <= max(most, 1):
        raise ParameterError(f"n_clusters must be an integer in [1, {most}], got {n_clusters!r}.")
    if n == 0:
        return np.zeros(0, dtype=np.int32)
    metric: Metric = "euclidean" if vectors.metric == "euclidean" else "cosine"
    rows = Scoring(vectors.matrix, metric).faiss_base()  # of unit length under cosine
    return _largest_first(_k_means(rows, n_clusters, seed))


def _k_means(rows: NDArray[np.float32], n_clusters: int, seed: int) -> NDArray[np.int32]:
    import warnings

    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    if len(rows) > _MINI_BATCH_ABOVE:
        method = MiniBatchKMeans(n_clusters, random_state=seed, n_init=3, batch_size=4_096)
    else:
        method = KMeans(n_clusters, random_state=seed, n_init=3)
    with warnings.catch_warnings():  # fewer distinct rows than clusters is said in the docstring
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(method.fit_predict(rows), dtype=np.int32)


def _largest_first(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the labels numbered by size, equal sizes by first appearance: a stable naming."""
    _, first, which, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(sizes), dtype=np.int32)
    rank[np.lexsort((first, -sizes))] = np.arange(len(sizes), dtype=np.int32)
    return rank[which]
