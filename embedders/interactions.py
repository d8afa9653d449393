"""What a recommender learns from: who has to do with what, cleaned and counted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DatasetError
from ingest.dataset import Dataset, WeightKind
from vectors.ranking import ItemSets

MIN_FEATURE = 2
"""A genre or a word must be found with so many items: alone it tells nothing of another item."""
MOST_FEATURES = 50_000
MOST_RATINGS = 20
_LIST = re.compile(r"\s*[|;]\s*")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, eq=False)
class Interactions:
    """Distinct pairs of a user and an item.

    Attributes
    ----------
    users, items : (m,) int64
        Counted from 0 on either side; sorted by user, then by item.
    n_users, n_items : int
    notes : tuple of str
        What was left out, with counts.
    others : ItemSets or None
        The items of each user in interactions that do not count, such as low ratings: nothing is
        learnt from them, but neither does one recommend what the user knows. None where all count.
    """

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    n_users: int
    n_items: int
    notes: tuple[str, ...] = ()
    others: ItemSets | None = None

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.users)

    def sets(self, where: NDArray[np.bool_] | None = None) -> ItemSets:
        """Return the items of each user, all or those of a ``(m,) bool`` mask."""
        if where is None:
            return ItemSets.of(self.users, self.items, self.n_users)
        return ItemSets.of(self.users[where], self.items[where], self.n_users)

    def known(self, where: NDArray[np.bool_]) -> ItemSets:
        """Return what each user has had: the pairs of a ``(m,) bool`` mask, and all others."""
        if self.others is None:
            return self.sets(where)
        users, items = self.others.pairs(np.arange(self.n_users))
        return ItemSets.of(
            np.concatenate([self.users[where], users]),
            np.concatenate([self.items[where], items]),
            self.n_users,
        )


def read_interactions(dataset: Dataset, least: float) -> Interactions:
    """Return the interactions of a dataset that count.

    What ``counts`` is learnt from; of repeated pairs the largest weight decides. The items of all
    others are ``Interactions.others``: the user knows them.

    Raises
    ------
    DatasetError
        If none counts.
    """
    assert dataset.sides is not None  # noqa: S101 -- checked with the modality
    assert dataset.edges is not None  # noqa: S101
    n_users = dataset.sides.n_left
    n_items = len(dataset) - n_users
    edges = dataset.edges
    if not len(edges):
        raise DatasetError(f"{dataset.name} holds no interaction. Give at least one pair.")
    weights = edges.weight.astype(np.float64)
    positive = weights > 0  # false for NaN
    counted = counts(weights, least)
    if not counted.any():
        bar = f"{'' if least < 0 else 'above 0 and '}at least {least:g}"
        largest = np.nanmax(weights)
        more = "" if largest > 0 else " Below 0 it lets weights of 0 and less count."
        raise DatasetError(
            f"None of the {len(edges):,} interactions of {dataset.name} counts: a weight must be "
            f"{bar}; the largest is {largest:g}. Lower the least weight.{more}"
        )
    pairs = edges.source.astype(np.int64) * n_items + (edges.target.astype(np.int64) - n_users)
    distinct = np.unique(pairs[counted])
    rest = np.setdiff1d(pairs[~counted], distinct)
    others = ItemSets.of(rest // n_items, rest % n_items, n_users) if len(rest) else None
    notes = []
    if n := int((~positive & ~counted).sum()):
        notes.append(f"{n:,} interactions with a weight of zero or below are not learnt from.")
    if n := int((positive & ~counted).sum()):
        notes.append(f"{n:,} interactions with a weight below {least:g} are not learnt from.")
    if n := int(counted.sum()) - len(distinct):
        notes.append(f"{n:,} interactions that repeat a pair were counted once.")
    low, high = weights[counted].min(), weights[counted].max()
    if low < high:
        notes.append(
            f"Weights from {low:g} to {high:g} count alike; a higher least weight learns from the "
            "heavier ones only."
        )
    return Interactions(
        distinct // n_items, distinct % n_items, n_users, n_items, tuple(notes), others
    )


def counts(weights: NDArray[Any], least: float) -> NDArray[np.bool_]:
    """Tell, ``(m,) bool``, which weights are learnt from: those of ``least`` or more.

    Zero and negative ones are among them only where ``least`` itself is negative: the 0 that is
    set at first means all above zero. No number counts never.
    """
    enough = weights >= least  # false for NaN
    return enough if least < 0 else enough & (weights > 0)


@dataclass(frozen=True)
class RatingScale:
    """Weights that are ratings, of a few values.

    Attributes
    ----------
    values : tuple of float
        The distinct ones, ascending.
    n_from : tuple of int
        How many interactions have each value or a higher one.
    mean : float
    """

    values: tuple[float, ...]
    n_from: tuple[int, ...]
    mean: float

    @property
    def good(self) -> float:
        """Return the lowest value above the mean: from it on a rating speaks for its item."""
        return next(value for value in self.values if value > self.mean)

    def least_from(self, value: float) -> float:
        """Return the least weight with which a rating of ``value`` is the lowest that counts.

        That is 0 (all above zero) for the lowest positive rating of all, and something below 0
        for the rating 0 (see ``counts``).
        """
        if value > 0:
            return 0.0 if value == self.values[0] else value
        if value < 0:
            return value
        return max((v / 2 for v in self.values if v < 0), default=-1.0)

    def lowest(self, least: float) -> float | None:
        """Return the lowest rating that counts from a least weight on; None if none does."""
        found = counts(np.array(self.values), least)
        return self.values[int(found.argmax())] if found.any() else None


def rating_scale(weights: NDArray[np.float32], kind: WeightKind = "") -> RatingScale | None:
    """Return the scale of weights that are ratings; None of counts, and where all are equal.

    Ratings take at most twenty values. Where ``kind``, which comes from the name of their column,
    says nothing, they are told from counts (plays, purchases) by this: of counts the lowest is the
    most frequent, of ratings hardly ever, for people rate what they chose. Negative ones are no
    counts. Values of 0 or less belong to the scale of ratings only.
    """
    is_signed = kind == "" and bool((weights < 0).any())
    own = np.isfinite(weights) if kind == "rating" or is_signed else weights > 0
    found, times = np.unique(weights[own].astype(np.float64), return_counts=True)
    if kind == "count" or not 2 <= len(found) <= MOST_RATINGS:
        return None
    if kind == "" and not is_signed and times.argmax() == 0:
        return None
    n_from = times[::-1].cumsum()[::-1]
    return RatingScale(
        tuple(found.tolist()), tuple(n_from.tolist()), float(np.average(found, weights=times))
    )


@dataclass(frozen=True, eq=False)
class ItemFeatures:
    """What is known of items beside who had to do with them.

    Attributes
    ----------
    of_items : ItemSets
        The features of each item.
    names : tuple of str
        Such as ``"genres: Drama"`` or ``"title: 1995"``.
    notes : tuple of str
    """

    of_items: ItemSets
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def none(cls, n_items: int) -> ItemFeatures:
        """Return that nothing is known of ``n_items`` items."""
        return cls(ItemSets(np.zeros(n_items + 1, np.int64), np.empty(0, np.int32)))


def read_item_features(dataset: Dataset) -> ItemFeatures:
    """Return the values of categories and labels and the words of texts of the item side.

    A category such as ``Comedy|Drama`` (also with semicolons) is several. Texts are cut into
    words, in lower case. What is found with fewer than ``MIN_FEATURE`` items, or with all of them,
    is left out; of more than ``MOST_FEATURES`` the most frequent are kept.
    """
    assert dataset.sides is not None  # noqa: S101 -- checked with the modality
    n_left = dataset.sides.n_left
    n_items = len(dataset) - n_left
    found: dict[str, set[int]] = {}
    used = []
    for name in map(str, dataset.columns):
        role = dataset.roles.get(name)
        if name == "side" or role not in {"label", "categorical", "text"}:
            continue
        values = dataset.columns[name].iloc[n_left:]
        present = values.notna().to_numpy(dtype=bool)
        if not present.any():
            continue
        used.append(name)
        for item in np.flatnonzero(present).tolist():
            cell = str(values.iloc[item])
            parts = _WORD.findall(cell.lower()) if role == "text" else _LIST.split(cell.strip())
            for part in parts:
                if part:
                    found.setdefault(f"{name}: {part}", set()).add(item)
    telling = [name for name, of in found.items() if MIN_FEATURE <= len(of) < n_items]
    telling = sorted(telling, key=lambda name: (-len(found[name]), name))[:MOST_FEATURES]
    pairs = np.array(
        [(item, at) for at, name in enumerate(telling) for item in sorted(found[name])], np.int64
    ).reshape(-1, 2)
    notes: tuple[str, ...] = ()
    if telling:
        notes = (
            f"Items are also known by {len(telling):,} values and words of the "
            f"{'column' if len(used) == 1 else 'columns'} {', '.join(used)}.",
        )
    return ItemFeatures(ItemSets.of(pairs[:, 0], pairs[:, 1], n_items), tuple(telling), notes)
