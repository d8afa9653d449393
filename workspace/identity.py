"""Ids made of content: equal work has equal ids, so that it is found instead of done again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.fingerprint import fingerprint
from ingest.dataset import Dataset
from workspace.tasks import LayoutSpec

if TYPE_CHECKING:
    from embedders import Embedder
    from workspace.recipes import Member, Recipe

GRAPH_K = 50
"""Neighbours of every point in the kNN graph that the map and UMAP share.

UMAP's widest preset takes 49; fewer here would make it search all over again.
"""

_WITHOUT_CHANCE = {"pca"}


def dataset_id(dataset: Dataset) -> str:
    """Return the id of a dataset."""
    return id_of_fingerprint(dataset.fingerprint)


def id_of_fingerprint(fingerprint: str) -> str:
    """Return the id of the dataset with a fingerprint."""
    return "d" + fingerprint[:24]


def run_id(embedder: Embedder, dataset: Dataset, generation: int = 0) -> str:
    """Return the id of the vectors that ``embedder`` makes of ``dataset``.

    ``generation`` counts how often the model behind the settings has become another one.
    """
    later = (generation,) if generation else ()
    return _id("r", embedder.fingerprint(dataset), *later)


def graph_id(run: str, kind: str) -> str:
    """Return the id of the kNN graph of one kind of key."""
    return _id("g", "graph-1", run, kind, GRAPH_K)


def layout_id(run: str, kind: str, spec: LayoutSpec) -> str:
    """Return the id of a layout; settings left out count as their defaults.

    Raises
    ------
    ParameterError
        For an unknown method or setting, or a value out of range.
    """
    spec = canonical(spec)
    return _id(
        "l", "layout-1", run, kind, spec.method, spec.n_components, spec.seed, dict(spec.params)
    )


def comparison_id(
    recipe: Recipe, runs: Sequence[str], lost: Sequence[tuple[Member, bool]] = ()
) -> str:
    """Return the id of the comparison of some runs under the names of a recipe.

    ``lost`` are members that failed (True) or whose other seed did (False): once that is mended it
    is another comparison.
    """
    named = [(member.name, run) for member, run in zip(recipe.members, runs, strict=True)]
    parts: list[object] = [recipe.dataset, named, recipe.k, recipe.seed, recipe.noise]
    if lost:
        parts.append(list(lost))
    return _id("c", "comparison-2", *parts)


def canonical(spec: LayoutSpec) -> LayoutSpec:
    """Return the spec with every setting written out, and no seed where none plays a part.

    Raises
    ------
    ParameterError
        For an unknown method or setting, or a value out of range.
    """
    from projection import get_projection

    params = get_projection(spec.method).params_class.from_dict(spec.params).to_dict()
    seed = 0 if spec.method in _WITHOUT_CHANCE else spec.seed
    return dataclasses.replace(spec, params=params, seed=seed)


def _id(prefix: str, *parts: object) -> str:
    return prefix + fingerprint(*parts)[:24]  # 96 bits: no two will ever meet
