"""t-SNE by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import AnyArray
from core.errors import TooLarge
from core.params import Params, integer, real
from projection.pca import lay_out_pca
from projection.principal import principal_components
from projection.space import Space

_AT_MOST = 50_000  # points; Barnes-Hut in scikit-learn takes about ten minutes there
_THREADS_FROM = 5_000  # points
_REDUCE_TO = 50  # as in van der Maaten & Hinton (2008), section 4.2


@dataclass(frozen=True, kw_only=True)
class TsneParams(Params):
    """Settings of t-SNE."""

    perplexity: float = real(
        30.0,
        low=2.0,
        high=200.0,
        step=1.0,
        help="About how many neighbours each point attends to; below a third of the points.",
    )
    max_iter: int = integer(
        1_000, low=250, high=5_000, step=250, help="Steps of the optimiser.", advanced=True
    )
    early_exaggeration: float = real(
        12.0,
        low=1.0,
        high=50.0,
        step=1.0,
        help="How strongly groups are pulled together at first; more gives more separate groups.",
        advanced=True,
    )


def lay_out_tsne(space: Space, params: TsneParams, n_components: int) -> AnyArray:
    """Return ``(n, n_components) float32`` coordinates, started from PCA.

    Raises
    ------
    TooLarge
        Beyond 50,000 points.
    """
    n = len(space)
    if n > _AT_MOST:
        raise TooLarge(
            f"t-SNE takes at most {_AT_MOST:,} points, got {n:,}. Use UMAP, or fewer points."
        )
    if n < 7:  # perplexity 2 needs more than 6 points
        space.notes.append(f"t-SNE needs at least 7 points, there are {n}: PCA is shown.")
        return lay_out_pca(space, params, n_components)
    perplexity = params.perplexity
    if perplexity >= n / 3:
        perplexity = max(1.0, (n - 1) // 3 - 1e-3)
        space.notes.append(f"Perplexity was reduced to {perplexity:.0f}: there are {n} points.")
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    data, wide = space.matrix, space.matrix.shape[1] > _REDUCE_TO
    if wide:
        data = principal_components(data, _REDUCE_TO, space.seed).coordinates
        space.notes.append(f"t-SNE ran on the first {_REDUCE_TO} principal components.")
    first = principal_components(data, n_components, space.seed).coordinates
    start = first / (first[:, 0].std() or 1.0) * 1e-4  # the spread that t-SNE expects
    space.progress(0, 1, "t-SNE")  # scikit-learn tells nothing in between
    method = TSNE(
        n_components,
        perplexity=perplexity,
        early_exaggeration=params.early_exaggeration,
        max_iter=params.max_iter,
        init=np.ascontiguousarray(start),
        learning_rate="auto",
        random_state=space.seed,
    )
    # Small problems are thousands of tiny parallel regions: on a busy machine two threads that
    # wait for each other took fifty times as long as one.
    with threadpool_limits(1 if n < _THREADS_FROM else None, user_api="openmp"):
        coordinates = method.fit_transform(data)
    space.progress(1, 1, "t-SNE", f"KL {method.kl_divergence_:.2f}")
    return np.asarray(coordinates)
