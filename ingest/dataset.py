"""``Dataset``: what every reader makes and every method takes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.arrays import BoolVector
from core.errors import DatasetError
from core.fingerprint import fingerprint
from core.modality import Modality
from ingest.sides import Sides

WeightKind = Literal["", "rating", "count"]
Role = Literal[
    "text", "numeric", "categorical", "label", "id", "time", "ignored",
    "left", "right", "user", "item", "weight",
]  # fmt: skip
"""What a column is for. The second line is said when reading pairs and interactions only."""


@dataclass(frozen=True)
class Dropped:
    """One thing that the source held and the dataset does not.

    Attributes
    ----------
    where : str
        Row number, file name or id, as the user would look for it.
    reason : str
        Why, in a few words ("empty text", "truncated image").
    """

    where: str
    reason: str


@dataclass(frozen=True)
class Edges:
    """The edges of a graph over the items of a Dataset.

    Attributes
    ----------
    source, target : (m,) int32
        Positions in ``Dataset.ids``.
    weight : (m,) float32
        Positive; 1 where the source gave none.
    directed : bool
    """

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    weight: NDArray[np.float32]
    directed: bool = False

    def __len__(self) -> int:
        """Return the number of edges."""
        return len(self.source)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Items of one modality with ids, columns and relations; immutable.

    Attributes
    ----------
    name : str
        How it is called on screen; not part of the fingerprint.
    modality : Modality
    ids : tuple of str
        Unique, one per item, in the order of the source.
    items : sequence or None
        By modality. TEXT: ``list[str]``. IMAGE: a ``Sequence[bytes]`` of encoded image files
        (may read from disk on access; see ``ingest.images``). TABLE: ``pandas.DataFrame`` of the
        feature columns (roles numeric, categorical and time), index 0..n-1. VECTORS:
        ``(n, d) float32``. GRAPH: None, the ids are the nodes. PAIRS: ``PairedItems``, str on a
        side of texts and bytes on one of images. INTERACTIONS: None.
    columns : pandas.DataFrame
        All other columns (labels, texts, numbers, times), index 0..n-1, unique str names. For
        TABLE it holds every column except ignored ones, features included, so that a map can be
        coloured by any of them.
    roles : mapping of str to Role
        The role of each column in ``columns``.
    edges : Edges or None
        Of a graph its edges; of pairs and interactions one edge per pair, from an item of the left
        side to one of the right side, directed.
    sides : Sides or None
        Of pairs and interactions: what the two sides are. The distinct left items come first.
    weight_kind : {"", "rating", "count"}
        Of interactions: what their column's name says that the weights are; "" where nothing does.
        Negative ones are ratings, if they are not called counts. Ratings may be 0 or less.
    dropped : tuple of Dropped
        What the source held and this does not, at most ``MAX_LISTED`` listed.
    n_dropped : int
        How many in all.
    notes : tuple of str
        Sentences about how the source was read (encoding, delimiter, sheet, renamed ids).
    """

    name: str
    modality: Modality
    ids: tuple[str, ...]
    items: Any
    columns: pd.DataFrame = field(default_factory=pd.DataFrame)
    roles: Mapping[str, Role] = field(default_factory=dict)
    edges: Edges | None = None
    sides: Sides | None = None
    weight_kind: WeightKind = ""
    dropped: tuple[Dropped, ...] = ()
    n_dropped: int = 0
    notes: tuple[str, ...] = ()

    MAX_LISTED = 1_000

    def __post_init__(self) -> None:
        """Check that ids, items, columns and edges fit together."""
        n = len(self.ids)
        if n == 0:
            raise DatasetError(f"{self.name} holds no item. Give at least one row.")
        if len(set(self.ids)) != n:
            raise DatasetError(f"{self.name} has repeated ids; ids must be unique.")
        if self.items is not None and len(self.items) != n:
            raise DatasetError(f"{self.name} has {n} ids but {len(self.items)} items.")
        if self.columns.empty and len(self.columns) != n:
            object.__setattr__(self, "columns", pd.DataFrame(index=pd.RangeIndex(n)))
        if len(self.columns) != n:
            raise DatasetError(f"{self.name} has {n} ids but {len(self.columns)} rows of columns.")
        self._check_sides(n)

    def _check_sides(self, n: int) -> None:
        has_sides = self.modality in {Modality.PAIRS, Modality.INTERACTIONS}
        if has_sides != (self.sides is not None):
            raise DatasetError(
                f"{self.name}: pairs and interactions have two sides, other data has none."
            )
        if self.sides is None:
            return
        edges, n_left = self.edges, self.sides.n_left
        if edges is None or not edges.directed or not 0 <= n_left <= n:
            raise DatasetError(
                f"{self.name}: two sides need directed edges between them, and a left side of 0 "
                f"to {n} items; it has {n_left}."
            )
        if len(edges) and not (
            edges.source.min() >= 0
            and edges.source.max() < n_left
            and edges.target.min() >= n_left
            and edges.target.max() < n
        ):
            raise DatasetError(f"{self.name}: an edge does not lead from the left to the right.")

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.ids)

    def __repr__(self) -> str:
        """Return name, kind and size: all items would fill many screens of a notebook."""
        columns = (
            f", columns {', '.join(map(str, self.columns))}" if len(self.columns.columns) else ""
        )
        edges = f", {len(self.edges):,} edges" if self.edges is not None else ""
        if self.sides is not None and self.edges is not None:
            n_left, (left, right) = self.sides.n_left, self.sides.names
            edges = f", {n_left:,} {left} x {len(self) - n_left:,} {right}{edges}"
        return f"Dataset({self.name!r}, {self.modality}, {len(self):,} items{edges}{columns})"

    @property
    def label(self) -> str | None:
        """Return the first label column, or None."""
        names = (str(name) for name in self.columns)
        return next((name for name in names if self.roles.get(name) == "label"), None)

    @cached_property
    def fingerprint(self) -> str:
        """Return a digest of all content that can change vectors or what is shown (not the name).

        Columns are hashed with their roles; images by their encoded bytes.
        """
        parts = (
            "dataset-1",
            self.modality,
            list(self.ids),
            self._items_digest(),
            _frame_digest(self.columns),
            dict(self.roles),
            self.edges,
        )
        known = [part for part in (self.sides, self.weight_kind) if part]
        return fingerprint(*parts, *known)

    def _items_digest(self) -> str:
        if self.items is None:
            return ""
        if isinstance(self.items, pd.DataFrame):
            return _frame_digest(self.items)
        if isinstance(self.items, np.ndarray):
            return fingerprint(self.items)
        ready = getattr(self.items, "fingerprint", None)  # a disk-backed sequence knows its own
        if ready:
            return str(ready)
        if self.modality is Modality.IMAGE:  # hashed one by one, so that stored images agree
            return fingerprint([hashlib.sha256(item).hexdigest() for item in self.items])
        return fingerprint(list(self.items))

    def subset(self, where: BoolVector | Sequence[int] | NDArray[np.int64]) -> Dataset:
        """Return the items of a ``(n,) bool`` mask, or at given positions, in that order.

        Edges between two kept items are kept. ``dropped`` and ``notes`` stay with the original.

        Raises
        ------
        DatasetError
            If nothing is left, or, of a dataset with two sides, a left item would stand behind a
            right one.
        """
        mask = np.asarray(where)
        rows = np.flatnonzero(mask) if mask.dtype == bool else mask.astype(np.int64)
        rows = np.where(rows < 0, rows + len(self), rows)  # -1 is the last item, on its own side
        return dataclasses.replace(
            self,
            ids=tuple(self.ids[i] for i in rows),
            items=_take(self.items, rows),
            columns=self.columns.iloc[rows].reset_index(drop=True),
            edges=_take_edges(self.edges, rows, len(self)) if self.edges is not None else None,
            sides=self.sides.take(rows) if self.sides else None,
            dropped=(),
            n_dropped=0,
            notes=(),
        )


def _take(items: Any, rows: NDArray[np.int64]) -> Any:
    if items is None:
        return None
    if isinstance(items, pd.DataFrame):
        return items.iloc[rows].reset_index(drop=True)
    if isinstance(items, np.ndarray):
        return items[rows]
    take = getattr(items, "take", None)  # a disk-backed sequence stays on disk
    return take(rows) if take else [items[i] for i in rows]


def _take_edges(edges: Edges, rows: NDArray[np.int64], n: int) -> Edges:
    new = np.full(n, -1, dtype=np.int32)
    new[rows] = np.arange(len(rows), dtype=np.int32)
    source, target = new[edges.source], new[edges.target]
    keep = (source >= 0) & (target >= 0)
    return Edges(source[keep], target[keep], edges.weight[keep], edges.directed)


def _frame_digest(frame: pd.DataFrame) -> str:
    hashes = [
        pd.util.hash_pandas_object(frame[name], index=False).to_numpy() for name in frame.columns
    ]
    return fingerprint([str(c) for c in frame.columns], [str(t) for t in frame.dtypes], hashes)
