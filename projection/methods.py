"""The projections there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.arrays import AnyArray
from core.errors import ParameterError
from core.params import Params
from projection.pca import PcaParams, lay_out_pca
from projection.space import Space
from projection.tsne import TsneParams, lay_out_tsne
from projection.umap_layout import UmapParams, lay_out_umap


@dataclass(frozen=True)
class Projection:
    """One way to draw vectors.

    Attributes
    ----------
    id, title, summary, source : str
    params_class : type of Params
        Its settings, from which a form is made.
    run : callable
        ``(space, params, n_components) -> (n, n_components)`` coordinates.
    """

    id: str
    title: str
    summary: str
    source: str
    params_class: type[Params]
    run: Callable[[Space, Any, int], AnyArray]


_PROJECTIONS = (
    Projection(
        "umap",
        "UMAP",
        "Keeps neighbours together; distances between groups say little.",
        "McInnes, Healy & Melville 2018",
        UmapParams,
        lay_out_umap,
    ),
    Projection(
        "pca",
        "PCA",
        "The flat view that keeps most of the variance; distances can be read.",
        "Pearson 1901",
        PcaParams,
        lay_out_pca,
    ),
    Projection(
        "tsne",
        "t-SNE",
        "Shows small groups clearly; sizes and gaps between groups mean nothing.",
        "van der Maaten & Hinton 2008",
        TsneParams,
        lay_out_tsne,
    ),
)


def list_projections() -> tuple[Projection, ...]:
    """Return all projections, the default first."""
    return _PROJECTIONS


def get_projection(id: str) -> Projection:
    """Return the projection registered under ``id``.

    Raises
    ------
    ParameterError
        If there is none, with the ids there are.
    """
    for method in _PROJECTIONS:
        if method.id == id:
            return method
    known = ", ".join(method.id for method in _PROJECTIONS)
    raise ParameterError(f"There is no projection {id!r}; choose one of: {known}.")
