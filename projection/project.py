"""From vectors to a layout, whatever the method."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from core.arrays import AnyArray, FloatMatrix
from core.errors import ParameterError, QueryError
from core.progress import Progress, quiet
from projection.layout import Layout
from projection.methods import get_projection
from projection.pca import lay_out_pca
from projection.quality import measure_quality
from projection.space import Space
from vectors import KeyedVectors, KnnGraph


def project(
    vectors: KeyedVectors,
    method: str = "umap",
    *,
    n_components: int = 2,
    seed: int = 0,
    progress: Progress = quiet,
    graph: KnnGraph | None = None,
    with_quality: bool = True,
    **params: Any,
) -> Layout:
    """Lay vectors out in two or three dimensions.

    Same vectors, settings and seed give the same coordinates.

    Parameters
    ----------
    vectors : KeyedVectors
    method : str
        Id of a projection: "umap", "pca", "tsne".
    n_components : {2, 3}
    seed : int
    progress : Progress
    graph : KnnGraph, optional
        The finished neighbour graph of these vectors; saves UMAP the search.
    with_quality : bool
        Also measure how far the picture can be trusted.
    **params
        Settings of the method.

    Returns
    -------
    Layout
        Coordinates ``(n, n_components) float32``, centred and finite.

    Raises
    ------
    ParameterError
        For an unknown method or setting, or a value out of range.
    QueryError
        If there are no vectors.
    TooLarge
        If the method cannot do that many points.
    """
    chosen = get_projection(method)
    settings = chosen.params_class.from_dict(params)
    if n_components not in (2, 3):
        raise ParameterError(f"n_components must be 2 or 3, got {n_components!r}.")
    if not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ParameterError(f"seed must be an integer in [0, 4294967295], got {seed!r}.")
    if len(vectors) == 0:
        raise QueryError("There are no vectors to lay out. Embed at least one item first.")
    if graph is not None and len(graph) != len(vectors):
        raise ParameterError(
            f"The graph has {len(graph)} rows, the vectors {len(vectors)}. "
            "Give the graph of these vectors, or none."
        )
    begun = time.perf_counter()
    space = Space(vectors, seed=int(seed), progress=progress, graph=graph)
    coordinates = _placed(space, chosen.run, settings, n_components)
    elapsed = time.perf_counter() - begun
    return Layout(
        coordinates=coordinates,
        method=method,
        n_components=n_components,
        params=settings.to_dict(),
        seed=int(seed),
        quality=measure_quality(vectors, coordinates, progress=progress) if with_quality else None,
        elapsed_s=elapsed,
        notes=tuple(space.notes),
    )


def _placed(space: Space, run: Any, settings: Any, n_components: int) -> FloatMatrix:
    """Return centred, finite coordinates, also where there is nothing to lay out."""
    matrix = space.vectors.matrix
    if len(space) == 1 or bool((matrix == matrix[0]).all()):
        what = "There is one point" if len(space) == 1 else "All vectors are equal"
        space.notes.append(f"{what}: it lies at the origin.")
        return np.zeros((len(space), n_components), dtype=np.float32)
    placed = _centred(run(space, settings, n_components))
    if np.isfinite(placed).all():
        return placed
    space.notes.append("The method did not converge to finite coordinates: PCA is shown.")
    return _centred(lay_out_pca(space, settings, n_components))


def _centred(coordinates: AnyArray) -> FloatMatrix:
    wide = np.asarray(coordinates, dtype=np.float64)
    return np.ascontiguousarray(wide - wide.mean(axis=0), dtype=np.float32)
