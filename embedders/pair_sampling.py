"""Which pairs a two-tower model learns from in an epoch, and what is no negative example."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Pairs = NDArray[np.int64]
"""``(m, 2)`` positions of left and right things."""


class PairSampler(ABC):
    """Pairs of things that belong together, by their positions in a dataset."""

    @abstractmethod
    def epoch(self, rng: np.random.Generator) -> Pairs:
        """Return the pairs of one epoch, ``(m, 2)``, shuffled."""

    @abstractmethod
    def same(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Return where left ``i`` and right ``j`` of a batch belong together, ``(m, m) bool``.

        Besides the diagonal those are pairs that are known, and things with equal content: they
        must not be pushed apart.
        """

    @property
    @abstractmethod
    def n_pairs(self) -> int:
        """Return the number of pairs in an epoch."""

    @property
    @abstractmethod
    def n_distinct(self) -> int:
        """Return how many things or labels must be told apart; below two nothing can be learnt."""


class GivenPairs(PairSampler):
    """The pairs of the data, each once per epoch.

    Parameters
    ----------
    pairs : (m, 2) int64
    content : (n,) int64
        Per position of the dataset: equal numbers are equal things.
    """

    def __init__(self, pairs: Pairs, content: Positions) -> None:
        self._pairs, self._content = pairs, content
        self._n = int(content.max()) + 1
        self._known = np.unique(self._keys(content[pairs[:, 0]], content[pairs[:, 1]]))

    def _keys(self, left: Positions, right: Positions) -> Positions:
        keys: Positions = left * self._n + right
        return keys

    @property
    def n_pairs(self) -> int:
        """Return the number of pairs."""
        return len(self._pairs)

    @property
    def n_distinct(self) -> int:
        """Return the number of distinct things on the side that has fewer."""
        return min(len(np.unique(self._content[self._pairs[:, side]])) for side in (0, 1))

    def epoch(self, rng: np.random.Generator) -> Pairs:
        """Return all pairs, shuffled."""
        return self._pairs[rng.permutation(len(self._pairs))]

    def same(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Return where the pair is known, or both things are one."""
        alike = self._content[pairs[:, :1]] == self._content[pairs[:, 1]][None]
        together: NDArray[np.bool_] = self.between(pairs[:, 0], pairs[:, 1]) | alike
        return together

    def between(self, left: Positions, right: Positions) -> NDArray[np.bool_]:
        """Return where left ``i`` and right ``j`` are a known pair, ``(m, n) bool``."""
        keys = self._keys(self._content[left][:, None], self._content[right][None])
        place = np.searchsorted(self._known, keys).clip(max=len(self._known) - 1)
        known: NDArray[np.bool_] = self._known[place] == keys
        return known


class LabelPairs(PairSampler):
    """Two items of the same label; who meets whom is drawn anew in every epoch.

    Parameters
    ----------
    rows : (n,) int64
        Positions of the items that take part.
    codes : (n,) int64
        Their labels as numbers.

    Notes
    -----
    Every item takes part once per epoch; of a label with an odd number of items one sits out.
    """

    def __init__(self, rows: Positions, codes: Positions) -> None:
        self._rows, self._codes = rows, codes
        self._code_of = np.full(int(rows.max()) + 1, -1, np.int64)
        self._code_of[rows] = codes

    @property
    def n_pairs(self) -> int:
        """Return the number of pairs in an epoch."""
        return int((np.bincount(self._codes) // 2).sum())

    @property
    def n_distinct(self) -> int:
        """Return the number of labels with at least one pair."""
        return int((np.bincount(self._codes) >= 2).sum())

    def epoch(self, rng: np.random.Generator) -> Pairs:
        """Return new pairs within the labels, shuffled."""
        order = rng.permutation(len(self._rows))
        order = order[np.argsort(self._codes[order], kind="stable")]
        codes = self._codes[order]
        starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
        within = np.arange(len(codes)) - np.repeat(starts, np.diff(np.r_[starts, len(codes)]))
        first = np.flatnonzero(within % 2 == 0)
        first = first[first + 1 < len(codes)]
        first = first[codes[first] == codes[first + 1]]
        pairs = np.stack([self._rows[order[first]], self._rows[order[first + 1]]], axis=1)
        return pairs[rng.permutation(len(pairs))]

    def same(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Return where both items have the same label."""
        codes = self._code_of[pairs]
        together: NDArray[np.bool_] = codes[:, :1] == codes[:, 1][None]
        return together


class SelfPairs(PairSampler):
    """Every thing with itself: the two sides differ only by dropout or augmentation.

    Parameters
    ----------
    rows : (n,) int64
        Positions of distinct things.

    References
    ----------
    Gao, Yao & Chen 2021, "SimCSE", section 3; for images Chen et al. 2020, "SimCLR", section 2.1.
    """

    def __init__(self, rows: Positions) -> None:
        self._rows = rows

    @property
    def n_pairs(self) -> int:
        """Return the number of things."""
        return len(self._rows)

    @property
    def n_distinct(self) -> int:
        """Return the number of things."""
        return len(self._rows)

    def epoch(self, rng: np.random.Generator) -> Pairs:
        """Return every thing beside itself, shuffled."""
        rows = self._rows[rng.permutation(len(self._rows))]
        return np.stack([rows, rows], axis=1)

    def same(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Return the diagonal."""
        return np.eye(len(pairs), dtype=np.bool_)


@dataclass(frozen=True)
class Split:
    """Pairs to learn from and pairs that are held out.

    Attributes
    ----------
    train, held_out : (m, 2) int64
    leaks_right : bool
        Whether right things of held-out pairs are seen in training, with other left ones: where
        nearly all pairs hang together there is no other way.
    """

    train: Pairs
    held_out: Pairs
    leaks_right: bool = False


def split_pairs(
    pairs: Pairs, content: Positions, share: float, most: int, rng: np.random.Generator
) -> Split:
    """Hold out about ``share`` of the pairs so that nothing of them is seen in training.

    Pairs that share a thing stay together (connected components), as long as that leaves enough;
    else left things are held out with all their pairs.

    Parameters
    ----------
    pairs : (m, 2) int64
    content : (n,) int64
        Equal numbers are equal things.
    share : float
    most : int
        Upper bound of held-out pairs.
    rng : numpy.random.Generator
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    goal = min(round(share * len(pairs)), most)
    none = Split(pairs, pairs[:0])
    if goal < 2 or len(pairs) - goal < 2:
        return none
    left, right = content[pairs[:, 0]], content[pairs[:, 1]]
    n = int(content.max()) + 1
    graph = coo_array((np.ones(len(pairs), np.int8), (left, right)), shape=(n, n))
    group = connected_components(graph, directed=False)[1][left].astype(np.int64)
    held = _whole_groups(group, goal, rng)
    if held.sum() >= max(2, goal // 2):
        return Split(pairs[~held], pairs[held])
    held = _whole_groups(left, goal, rng)
    if held.sum() < 2 or (~held).sum() < 2:
        return none
    return Split(pairs[~held], pairs[held], leaks_right=True)


def _whole_groups(group: Positions, goal: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return the mask of about ``goal`` elements that are whole groups, drawn at random."""
    names, sizes = np.unique(group, return_counts=True)
    chosen, total = [], 0
    for i in rng.permutation(len(names)):
        if total + sizes[i] <= goal:
            chosen.append(names[i])
            total += int(sizes[i])
        if total == goal:
            break
    return np.isin(group, chosen)


def split_labelled(
    rows: Positions, codes: Positions, share: float, most: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], int]:
    """Return which of ``rows`` are held out, the same share of every label, and how many.

    A label keeps at least two items to learn from, and gives none or at least two: of small labels
    some are drawn that give two, so that the share is right over all of them.
    """
    goal = min(share, most / max(1, len(rows)))
    held = np.zeros(len(rows), np.bool_)
    for code in np.unique(codes):
        own = rng.permutation(np.flatnonzero(codes == code))
        n = round(goal * len(own))
        if n < 2 and rng.random() < goal * len(own) / 2:
            n = 2
        if n >= 2 and len(own) - n >= 2:
            held[own[:n]] = True
    return held, int(held.sum())
