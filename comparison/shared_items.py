"""Several spaces brought to the same items in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix
from core.errors import DatasetError, ParameterError
from core.modality import Metric
from vectors.keyed import KeyedVectors

MOST_SPACES = 8


@dataclass(frozen=True, eq=False)
class SharedItems:
    """The items that all spaces hold.

    Attributes
    ----------
    names : tuple of str
        Of the spaces.
    ids : tuple of str
        Shared items, in the order of the first space.
    matrices : tuple of (n, d) float32
        Row ``i`` of each is item ``ids[i]``.
    metrics : tuple of {"cosine", "dot", "euclidean"}
    left_out : tuple of tuple of str
        Per space, the items that some other space lacks.
    rows : tuple of (n,) int64
        Where the shared items lie in each space.
    """

    names: tuple[str, ...]
    ids: tuple[str, ...]
    matrices: tuple[FloatMatrix, ...]
    metrics: tuple[Metric, ...]
    left_out: tuple[tuple[str, ...], ...]
    rows: tuple[NDArray[np.int64], ...]

    def __len__(self) -> int:
        """Return the number of shared items."""
        return len(self.ids)


def join(spaces: Mapping[str, KeyedVectors], kind: str | None = None) -> SharedItems:
    """Bring spaces to the items they share, by id.

    Parameters
    ----------
    spaces : mapping of str to KeyedVectors
        2 to 8 of them.
    kind : str, optional
        The kind of key to compare; by default the first kind of each space (its items, not the
        words or topics beside them).

    Raises
    ------
    ParameterError
        If there are too few or too many spaces.
    DatasetError
        If no item is in all of them.
    """
    if not 2 <= len(spaces) <= MOST_SPACES:
        raise ParameterError(
            f"Two to {MOST_SPACES} spaces can be compared at a time, got {len(spaces)}."
        )
    chosen = {name: space.of_kind(kind or space.kind_names[0]) for name, space in spaces.items()}
    common = set.intersection(*(set(space.keys) for space in chosen.values()))
    first = next(iter(chosen.values()))
    ids = tuple(key for key in first.keys if key in common)
    if not ids:
        raise DatasetError(
            f"No item is in all of {', '.join(chosen)}. Compare spaces of the same data, or give "
            "both files the same ids. Embeddings of different items can be compared by classes of "
            "the same name only: section Classes of a pair."
        )
    rows = tuple(_rows(space, ids) for space in chosen.values())
    return SharedItems(
        tuple(chosen),
        ids,
        tuple(_taken(space, at) for space, at in zip(chosen.values(), rows, strict=True)),
        tuple(space.metric for space in chosen.values()),
        tuple(tuple(key for key in space.keys if key not in common) for space in chosen.values()),
        rows,
    )


def _rows(space: KeyedVectors, ids: tuple[str, ...]) -> NDArray[np.int64]:
    if space.keys == ids:
        return np.arange(len(ids))
    places = {key: row for row, key in enumerate(space.keys)}
    return np.fromiter((places[id] for id in ids), np.int64, len(ids))


def _taken(space: KeyedVectors, rows: NDArray[np.int64]) -> FloatMatrix:
    if len(rows) == len(space) and (rows == np.arange(len(rows))).all():
        return space.matrix
    taken: FloatMatrix = space.matrix[rows]
    return taken
