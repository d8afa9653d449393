"""What can be shown of each vector: a text, a picture, the columns of its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.modality import Modality
from ingest import Dataset, Edges, PairedItems, Role, Sides
from vectors import KeyedVectors
from vectors.keyed import KINDS_TOGETHER

ITEM_KINDS = frozenset({"document", "image", "row", "node", "item"})
"""Kinds whose vectors stand for the items of the dataset, one each; others (words) do not."""


@dataclass(frozen=True, eq=False)
class RunItems:
    """Texts, pictures and columns in the order of some vectors.

    Attributes
    ----------
    keys : tuple of str
    texts : sequence of str
        What a person reads for the item; the key where there is nothing better.
    images : sequence of bytes or None, or None
        Encoded image files; None for an item that is none, as on the other side of pairs.
    columns : pandas.DataFrame
        One row per key.
    roles : mapping of str to Role
    edges : Edges or None
        Of a graph, between rows of these items; of pairs, from left to right ones.
    sides : Sides or None
        Of pairs and interactions; left items come first.
    """

    keys: tuple[str, ...]
    texts: Sequence[str]
    images: Sequence[bytes | None] | None
    columns: pd.DataFrame
    roles: Mapping[str, Role]
    edges: Edges | None = None
    sides: Sides | None = None

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.keys)

    def image(self, position: int) -> bytes | None:
        """Return the encoded image at ``position``, or None where the item is none."""
        return None if self.images is None else self.images[position]

    @property
    def picture_rows(self) -> range:
        """Return the positions that have a picture: all, one side, or none."""
        if self.images is None:
            return range(0)
        if self.sides is None:
            return range(len(self))
        left, right = (modality is Modality.IMAGE for modality in self.sides.modalities)
        n_left = self.sides.n_left
        return range(0 if left else n_left, len(self) if right else n_left)

    @cached_property
    def _position_of(self) -> dict[str, int]:
        return {key: position for position, key in enumerate(self.keys)}

    def position(self, key: str) -> int | None:
        """Return the row of ``key``, or None."""
        return self._position_of.get(key)

    @cached_property
    def _haystack(self) -> pd.Series[str]:
        """Return text, id and labels of each item in one lower-case line."""
        line = pd.Series(list(self.texts), dtype="str").str.lower()
        if self.texts is not self.keys:
            line = line + "\n" + pd.Series(list(self.keys), dtype="str").str.lower()
        for name in self.columns:
            if self.roles.get(str(name)) in {"label", "categorical"}:
                line = line + "\n" + self.columns[name].astype("str").str.lower().fillna("")
        return line

    def containing(self, wanted: str) -> NDArray[np.int64]:
        """Return the positions whose text, id or label contains ``wanted``, in any case."""
        hits = self._haystack.str.contains(wanted.lower(), regex=False, na=False)
        return np.flatnonzero(hits.to_numpy(dtype=bool))

    @property
    def label(self) -> str | None:
        """Return the first label column, or None."""
        return next((str(c) for c in self.columns if self.roles.get(str(c)) == "label"), None)

    @property
    def colour_columns(self) -> list[str]:
        """Return the columns a map can be coloured by, labels first."""
        order = {"label": 0, "categorical": 1, "numeric": 2, "time": 3}
        usable = [str(c) for c in self.columns if self.roles.get(str(c)) in order]
        return sorted(usable, key=lambda name: order[self.roles[name]])


def insert_first(frame: pd.DataFrame, name: str, values: Sequence[object]) -> str:
    """Put a column in front and return its name: ``name``, or one the data does not use yet."""
    taken = set(map(str, frame.columns))
    free, number = name, 1
    while free in taken:
        free = f"item {name}" if number == 1 else f"item {name} {number}"
        number += 1
    frame.insert(0, free, values)
    return free


def run_items(dataset: Dataset, vectors: KeyedVectors, kind: str) -> RunItems:
    """Line up what ``dataset`` knows with the rows of ``vectors`` of one kind."""
    if not stands_for_items(kind, dataset):
        frame = pd.DataFrame(index=pd.RangeIndex(len(vectors)))
        return RunItems(vectors.keys, vectors.keys, None, frame, {})
    if vectors.keys != dataset.ids:
        row_of = {key: row for row, key in enumerate(dataset.ids)}
        dataset = dataset.subset(np.asarray([row_of[key] for key in vectors.keys]))
    return _whole(dataset)


def stands_for_items(kind: str, dataset: Dataset) -> bool:
    """Tell whether vectors of ``kind`` stand for items of the dataset, one each.

    Of pairs and interactions those are the sides, alone and together.
    """
    if dataset.sides is None:
        return kind in ITEM_KINDS
    sides = dataset.sides.names
    return kind in sides or set(kind.split(KINDS_TOGETHER)) <= set(sides)


def subset_items(dataset: Dataset, rows: NDArray[np.int64]) -> RunItems:
    """Return the items at some rows of ``dataset``."""
    return _whole(dataset.subset(rows))


def _whole(dataset: Dataset) -> RunItems:
    images: Sequence[bytes | None] | None = None
    edges = dataset.edges
    if dataset.modality is Modality.IMAGE:
        images = dataset.items
    elif dataset.sides is not None:
        if Modality.IMAGE in dataset.sides.modalities:
            images = _OnlyImages(dataset.items)
        edges = edges if edges is not None and len(edges) else None  # one side alone has none
    return RunItems(
        dataset.ids, _texts(dataset), images, dataset.columns, dataset.roles, edges, dataset.sides
    )


class _OnlyImages(Sequence[bytes | None]):
    """The images among items of two sides, None where a text stands; read when asked for."""

    def __init__(self, items: Sequence[str | bytes]) -> None:
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        """Return one image or None, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        item = self._items[index]
        return item if isinstance(item, bytes) else None


def _texts(dataset: Dataset) -> Sequence[str]:
    if dataset.modality is Modality.TEXT:
        texts: Sequence[str] = dataset.items
        return texts
    if isinstance(dataset.items, PairedItems):
        names = _named(dataset)
        parts = (
            zip(dataset.sides.modalities, (dataset.items.left, dataset.items.right), strict=True)
            if dataset.sides
            else ()
        )
        shown: list[str] = []
        for modality, side in parts:
            own = side if modality is Modality.TEXT else names[len(shown) : len(shown) + len(side)]
            shown += own
        return shown
    return _named(dataset)


def _named(dataset: Dataset) -> Sequence[str]:
    """Return the first column of texts, of each side its own; the id where a side has none."""
    names = [n for n in dataset.columns if dataset.roles.get(str(n)) == "text"]
    if not names:
        return dataset.ids
    if dataset.sides is None:
        return dataset.columns[names[0]].fillna("").astype(str).tolist()
    shown: list[str] = []
    n_left = dataset.sides.n_left
    for part in (slice(0, n_left), slice(n_left, len(dataset))):
        ids = dataset.ids[part]
        columns = (dataset.columns[n].iloc[part].fillna("").astype(str).tolist() for n in names)
        told = next((column for column in columns if any(column)), ids)
        shown += [text or id for text, id in zip(told, ids, strict=True)]
    return shown
