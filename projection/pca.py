"""PCA as a projection: the flat view that keeps most of the variance."""

from __future__ import annotations

from dataclasses import dataclass

from core.arrays import AnyArray
from core.params import Params
from projection.principal import principal_components
from projection.space import Space


@dataclass(frozen=True, kw_only=True)
class PcaParams(Params):
    """PCA has no settings."""


def lay_out_pca(space: Space, _params: Params, n_components: int) -> AnyArray:
    """Return the ``(n, n_components) float32`` scores on the first principal components."""
    coordinates, explained = principal_components(space.matrix, n_components, space.seed)
    space.progress(1, 1, "components")
    shares = " + ".join(f"{share:.1%}" for share in explained)
    space.notes.append(f"Explained variance: {shares} = {explained.sum():.1%}.")
    if space.metric == "cosine":
        space.notes.append("Vectors were scaled to unit length first, as cosine ignores length.")
    return coordinates
