"""Ranked lists for users: the best items they have not seen, and how many held-out ones come back.

Everything is binary: an item is relevant to a user or it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.arrays import FloatMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet

Users = NDArray[np.int64]
Floats = NDArray[np.float64]
Score = Callable[[Users], FloatMatrix]
"""``(rows of users) -> (len(rows), n_items) float32``, higher is better."""

NOBODY = -1
"""Fills a list that has fewer items than were asked for."""
_BLOCK_SCORES = 8_000_000  # 32 MB of scores at a time


@dataclass(frozen=True, eq=False)
class ItemSets:
    """A set of items for each user, as compressed rows.

    Attributes
    ----------
    starts : (n_users + 1,) int64
        The items of user ``u`` are ``items[starts[u]:starts[u + 1]]``.
    items : (m,) int32
        Ascending within a user, each once.
    """

    starts: NDArray[np.int64]
    items: NDArray[np.int32]

    @classmethod
    def of(cls, users: ArrayLike, items: ArrayLike, n_users: int) -> ItemSets:
        """Return the sets of ``(m,)`` pairs of a user and an item, in any order."""
        who, what = np.asarray(users, np.int64), np.asarray(items, np.int64)
        width = int(what.max()) + 1 if len(what) else 1
        pairs = np.unique(who * width + what)
        counts = np.bincount(pairs // width, minlength=n_users)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(starts, (pairs % width).astype(np.int32))

    def __len__(self) -> int:
        """Return the number of users."""
        return len(self.starts) - 1

    def __getitem__(self, user: int) -> NDArray[np.int32]:
        """Return the items of one user."""
        return self.items[self.starts[user] : self.starts[user + 1]]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Return the ``(n_users,) int64`` number of items of each."""
        return np.diff(self.starts)

    def pairs(self, users: Users) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Return ``(m,)`` places in ``users`` and items of those users, user by user."""
        sizes = self.sizes[users]
        place = np.repeat(np.arange(len(users)), sizes)
        offset = np.arange(len(place)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return place, self.items[self.starts[users][place] + offset]


class RankingScores(NamedTuple):
    """How well the lists of some users bring back what is relevant to them.

    Attributes
    ----------
    recall, ndcg : (n,) float64
        In [0, 1]; NaN for a user to whom nothing is relevant.
    """

    recall: Floats
    ndcg: Floats


def best_items(
    score: Score,
    users: Users,
    n_items: int,
    k: int,
    *,
    hidden: ItemSets | None = None,
    progress: Progress = quiet,
) -> NDArray[np.int32]:
    """Return the ``(len(users), k) int32`` best items of each user, best first.

    Equal scores come in order of position. A user with fewer than ``k`` items to choose from has
    ``NOBODY`` in the remaining places.

    Parameters
    ----------
    score : callable
    users : (n,) int64
        Rows that ``score`` understands.
    n_items : int
    k : int
        1 or more.
    hidden : ItemSets, optional
        What must not be listed (what the user has seen already).
    progress : Progress
        Called once per block of users.

    Raises
    ------
    ParameterError
        If ``k`` is below 1.
    """
    if k < 1:
        raise ParameterError(f"k must be 1 or more, got {k}.")
    result = np.full((len(users), k), NOBODY, np.int32)
    width, block = min(k, n_items), max(1, _BLOCK_SCORES // max(n_items, 1))
    for start in range(0, len(users), block):
        rows = users[start : start + block]
        scores = np.array(score(rows), np.float32)
        if hidden is not None:
            scores[hidden.pairs(rows)] = -np.inf
        result[start : start + block, :width] = _first(scores, width)
        progress(min(start + block, len(users)), len(users), "ranking")
    return result


def _first(scores: FloatMatrix, k: int) -> NDArray[np.int32]:
    """Return the positions of the ``k`` largest scores of each row, in order; -inf is nobody."""
    threshold = np.partition(scores, -k, axis=1)[:, -k]
    row, position = np.nonzero(scores >= threshold[:, None])  # ties at the end: more than k
    value = scores[row, position]
    order = np.lexsort((position, -value, row))
    row, position, value = row[order], position[order], value[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    chosen = (rank < k) & np.isfinite(value)
    lists = np.full((len(scores), k), NOBODY, np.int32)
    lists[row[chosen], rank[chosen]] = position[chosen]
    return lists


def ranking_scores(lists: NDArray[np.int32], relevant: ItemSets, users: Users) -> RankingScores:
    """Return recall@k and nDCG@k of lists of ``k`` items.

    Parameters
    ----------
    lists : (n, k) int32
        From ``best_items``.
    relevant : ItemSets
    users : (n,) int64
        Whose lists they are.

    Notes
    -----
    ``recall@k = |list ∩ relevant| / |relevant|``. ``nDCG@k = DCG / iDCG`` with
    ``DCG = Σ_{rank ≤ k} [relevant] / log2(rank + 1)``, and iDCG that of a list that begins with
    ``min(k, |relevant|)`` relevant items.

    References
    ----------
    Järvelin & Kekäläinen 2002, "Cumulated Gain-Based Evaluation of IR Techniques", section 2.2,
    with base 2 and binary gains.
    """
    k = lists.shape[1]
    hits = _hits(lists, relevant, users)
    sizes = relevant.sizes[users]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(sizes, k)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return RankingScores(hits.sum(axis=1) / sizes, (hits @ discounts) / ideal)


def _hits(lists: NDArray[np.int32], relevant: ItemSets, users: Users) -> NDArray[np.bool_]:
    """Tell, ``(n, k) bool``, which listed items are relevant."""
    width = int(max(lists.max(initial=0), relevant.items.max(initial=0))) + 1
    place, item = relevant.pairs(users)
    wanted = place * width + item  # ascending: places and items within a user are
    asked = np.arange(len(lists))[:, None] * width + lists
    found = np.searchsorted(wanted, asked)
    inside = found < len(wanted)
    hits = np.zeros(lists.shape, bool)
    hits[inside] = wanted[found[inside]] == asked[inside]
    hits[lists == NOBODY] = False
    return hits


def chance_scores(
    n_items: int, k: int, hidden: ItemSets, relevant: ItemSets, users: Users
) -> RankingScores:
    """Return what a list in random order of everything not hidden reaches on average.

    With ``c`` items to choose from, any rank holds a relevant one with probability
    ``|relevant| / c``. Hidden and relevant items of a user must be disjoint.
    """
    candidates = np.maximum(n_items - hidden.sizes[users], 1)
    length = np.minimum(candidates, k)
    sizes = relevant.sizes[users]
    gains = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    with np.errstate(invalid="ignore", divide="ignore"):
        ndcg = gains[length] * (sizes / candidates) / gains[np.minimum(sizes, k)]
        return RankingScores(np.where(sizes > 0, length / candidates, np.nan), ndcg)


def hold_out(users: NDArray[np.int64], share: float, seed: int) -> NDArray[np.int8]:
    """Divide interactions: what to learn from (0), when to stop (1), what to be judged by (2).

    Of the ``n`` interactions of each user, drawn at random, ``share`` are held out (rounded, at
    least one), the larger half of them to judge by. A user with one interaction keeps it, one with
    two has one to be judged by.

    Parameters
    ----------
    users : (m,) int64
        Of each interaction; the pairs of user and item are distinct.
    share : float
        In [0, 1); 0 holds out nothing.
    seed : int

    Returns
    -------
    part : (m,) int8
    """
    part = np.zeros(len(users), np.int8)
    if share <= 0 or not len(users):
        return part
    order = np.lexsort((np.random.default_rng(seed).random(len(users)), users))
    sorted_users = users[order]
    first = np.searchsorted(sorted_users, sorted_users)
    size = np.searchsorted(sorted_users, sorted_users, side="right") - first
    rank = np.arange(len(users)) - first
    n_out = np.where(size >= 2, np.clip(np.rint(size * share), 1, size - 1), 0)
    n_stop = n_out // 2
    part[order] = np.where(rank < n_out, np.where(rank < n_stop, 1, 2), 0)
    return part
