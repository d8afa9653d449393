"""What the recommend page asks of a run: its two sides, their names, and who has had what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from components import session
from core.modality import Modality
from embedders.interactions import RatingScale, rating_scale
from ingest import Dataset, Role
from ingest.sides import SIDE_COLUMN
from vectors import KeyedVectors, VectorIndex
from workspace.workspace import RunInfo


@dataclass(frozen=True, eq=False)
class Side:
    """Users or items.

    Attributes
    ----------
    kind : str
        What one of them is called, which is the kind of its key.
    keys : tuple of str
    names : (n,) object
        What a person reads: the first text column, or the key.
    columns : pandas.DataFrame
        What is known of this side; without what is empty for all of it.
    roles : mapping of str to Role
    seen : (n,) int64
        In how many interactions each is.
    """

    kind: str
    keys: tuple[str, ...]
    names: NDArray[np.object_]
    columns: pd.DataFrame
    roles: dict[str, Role]
    seen: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.keys)

    @property
    def plural(self) -> str:
        """Return what several are called."""
        return f"{self.kind}s"

    def label(self, row: int) -> str:
        """Return the name, with the key where they differ."""
        name, key = str(self.names[row]), self.keys[row]
        return name if name == key else f"{name} · {key}"

    def matching(self, text: str, limit: int) -> tuple[NDArray[np.int64], int]:
        """Return up to ``limit`` rows whose name or key contains ``text``, and how many do.

        Exact ones come first, then those with the most interactions. All of a side without names
        come in its own order.
        """
        wanted = text.strip().casefold()
        if not wanted:
            named = any(name != key for name, key in zip(self.names, self.keys, strict=True))
            rows = np.argsort(-self.seen, kind="stable") if named else np.arange(len(self))
            return rows[:limit], len(rows)
        hits = [
            (key.casefold() != wanted and str(name).casefold() != wanted, -int(count), row)
            for row, (key, name, count) in enumerate(
                zip(self.keys, self.names, self.seen, strict=True)
            )
            if wanted in key.casefold() or wanted in str(name).casefold()
        ]
        return np.array([hit[2] for hit in sorted(hits)[:limit]], np.int64), len(hits)


@dataclass(frozen=True, eq=False)
class Shop:
    """Users, items and what has been between them, of a dataset of interactions.

    Attributes
    ----------
    users, items : Side
    starts : (n_users + 1,) int64
    had : (m,) int64
        The items of user ``u`` are ``had[starts[u]:starts[u + 1]]``, heaviest first.
    weights : (m,) float32
    scale : RatingScale or None
        Where the weights are ratings.
    weighted : bool
        Whether the weights differ at all.
    """

    users: Side
    items: Side
    starts: NDArray[np.int64]
    had: NDArray[np.int64]
    weights: NDArray[np.float32]

    scale: RatingScale | None

    @property
    def weighted(self) -> bool:
        """Tell whether the weights differ at all."""
        return bool(len(self.weights)) and bool(np.ptp(self.weights) > 0)

    def of_user(self, user: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the items of a user and their weights, heaviest first, each once."""
        part = slice(self.starts[user], self.starts[user + 1])
        _, first = np.unique(self.had[part], return_index=True)
        kept = np.sort(first)
        return self.had[part][kept], self.weights[part][kept]


def shop_of(dataset: Dataset) -> Shop:
    """Return both sides of a dataset of interactions."""
    assert dataset.sides is not None  # noqa: S101 -- the page asks for interactions
    assert dataset.edges is not None  # noqa: S101
    n_users = dataset.sides.n_left
    users = dataset.edges.source.astype(np.int64)
    items = dataset.edges.target.astype(np.int64) - n_users
    order = np.lexsort((items, -dataset.edges.weight, users))
    counts = np.bincount(users, minlength=n_users)
    sides = [
        _side(dataset, 0, slice(0, n_users), counts),
        _side(
            dataset,
            1,
            slice(n_users, len(dataset)),
            np.bincount(items, minlength=len(dataset) - n_users),
        ),
    ]
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    weights = dataset.edges.weight[order]
    scale = rating_scale(weights, dataset.weight_kind)
    return Shop(sides[0], sides[1], starts, items[order], weights, scale)


def _side(dataset: Dataset, which: int, part: slice, seen: NDArray[np.int64]) -> Side:
    assert dataset.sides is not None  # noqa: S101 -- told to the type checker
    columns = dataset.columns.iloc[part].reset_index(drop=True)
    kept = [c for c in columns if str(c) != SIDE_COLUMN and columns[c].notna().any()]
    columns = columns[kept]
    keys = dataset.ids[part]
    names = np.array(keys, dtype=object)
    title = next((c for c in kept if dataset.roles.get(str(c)) == "text"), None)
    if title is not None:
        names = columns[title].where(columns[title].notna(), pd.Series(keys)).to_numpy(object)
        columns = columns.drop(columns=[title])
    roles = {str(c): dataset.roles[str(c)] for c in columns if str(c) in dataset.roles}
    return Side(dataset.sides.names[which], keys, names, columns, roles, seen)


@dataclass(frozen=True, eq=False)
class Recommender:
    """A run with vectors of users and items.

    Attributes
    ----------
    run : RunInfo
    shop : Shop
    """

    run: RunInfo
    shop: Shop

    @property
    def least(self) -> float | None:
        """Return the least rating that was learnt from; None where ratings play no such part."""
        least = self.run.params.get("least_weight")
        return None if least is None or self.shop.scale is None else float(least)

    def index(self, side: Side) -> VectorIndex:
        """Return the index over one side, in the geometry of the run."""
        return session.index(self.run.id, side.kind, self.run.metric)

    def vectors(self, side: Side) -> KeyedVectors:
        """Return the vectors of one side."""
        return self.index(side).vectors


def recommender(run: RunInfo) -> Recommender | None:
    """Return what the page asks of a run, or None where it has no vectors of users and items."""
    dataset = session.dataset(run.dataset)
    if dataset.modality is not Modality.INTERACTIONS or dataset.sides is None:
        return None
    if not set(dataset.sides.names) <= set(run.kinds):
        return None
    shop = session.worked_out(("shop", run.dataset), lambda: shop_of(dataset))
    return Recommender(run, shop)
