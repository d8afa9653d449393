"""How far classes move between two spaces by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparison.class_neighbours import members

Float64 = NDArray[np.float64]
Rows = NDArray[np.int64]
_COIN = np.array([-1, 1], np.float32)


@dataclass(frozen=True, eq=False)
class Side:
    """The neighbours of one space over the shared classes only.

    Attributes
    ----------
    links : (m, n) sparse float64
        Weight of each neighbour of each item that counts; rows sum to 1.
    codes, rows : (m,) int64
        Class of each of these items, and which items they are.
    every_code : (n,) int64
        Class of every item; -1 = none of these.
    chance : (c, c) float64
    """

    links: Any
    codes: Rows
    rows: Rows
    every_code: Rows
    chance: Float64

    @cached_property
    def members(self) -> Any:
        """Return the ``(n, c)`` sparse matrix of which item is of which class."""
        return members(self.every_code, len(self.chance))

    def means(self) -> Float64:
        """Return the mean shares of classes around each class; NaN for one without an item."""
        each = self.links @ self.members
        n = len(self.chance)
        sums = np.asarray((members(self.codes, n).T @ each).todense())
        sizes = np.bincount(self.codes, minlength=n)[:, None]
        means: Float64 = np.divide(sums, sizes, out=np.full((n, n), np.nan), where=sizes > 0)
        return means


class _Part(NamedTuple):
    """What items contribute to the row of one class.

    Attributes
    ----------
    links : (m, n) sparse float64
        Of the items of the class; its sum over items makes the row.
    rows : (m,) int64
    own : (m, c) sparse float64
        What the lists of these items add.
    usual : (c,) float64
        Shares that make way where an item comes into a list.
    """

    links: Any
    rows: Rows
    own: Any
    usual: Float64


def class_noise(
    sides: Sequence[Side], paired: bool, n_shuffles: int, rng: np.random.Generator
) -> Float64:
    """Return how far each class moves at most by chance, ``(c,)``; NaN for one without items.

    Parameters
    ----------
    sides : (Side, Side)
    paired : bool
        Whether both are of the same items.
    n_shuffles : int
    rng : numpy.random.Generator
    """
    c = len(sides[0].chance)
    coins = [
        rng.choice(_COIN, (len(side.every_code), n_shuffles))
        for side in (sides[:1] if paired else sides)
    ]
    moved = np.full((c, n_shuffles), np.nan)
    for of in range(c):
        parts = _paired(sides, of) if paired else _unpaired(sides, of)
        if parts:
            shuffled = sum(
                _shuffled(part, side.members, coin)
                for part, side, coin in zip(parts, sides, coins, strict=False)
            )
            moved[of] = np.abs(shuffled).sum(axis=0) / 2
    size: Float64 = moved.mean(axis=1)
    some = size > 0
    if not some.any():
        return size
    largest = (moved[some] / size[some, None]).max(axis=0)
    bound: Float64 = size * float(np.quantile(largest, 0.95))
    return bound


def _paired(sides: Sequence[Side], of: int) -> list[_Part]:
    places = [np.flatnonzero(side.codes == of) for side in sides]
    rows, a, b = np.intersect1d(
        sides[0].rows[places[0]], sides[1].rows[places[1]], return_indices=True
    )
    if not len(rows):
        return []
    one, two = (
        side.links[place[some]] for side, place, some in zip(sides, places, (a, b), strict=True)
    )
    links = (two - one).tocsr() / len(rows)
    usual = np.asarray((one + two).sum(axis=0) @ sides[0].members).ravel() / (2 * len(rows))
    return [_Part(links, rows, (links @ sides[0].members).tocsr(), usual)]


def _unpaired(sides: Sequence[Side], of: int) -> list[_Part]:
    from scipy.sparse import csr_matrix

    parts = []
    for side in sides:
        some = np.flatnonzero(side.codes == of)
        if len(some) < 2:
            return []
        links = side.links[some]
        each = np.asarray((links @ side.members).todense())
        usual = each.mean(axis=0)
        # Deviations from a mean of their own are too small by this much.
        scale = np.sqrt(len(some) / (len(some) - 1)) / len(some)
        own = csr_matrix((each - usual) * scale)
        parts.append(_Part(links / len(some), side.rows[some], own, usual))
    return parts


def _shuffled(part: _Part, classes: Any, coin: NDArray[np.float32]) -> Float64:
    """Return the ``(c, n_shuffles)`` row when a coin turns what each item contributes."""
    from scipy.sparse import csr_matrix, diags, hstack

    inward = np.asarray(part.links.sum(axis=0)).ravel()
    size = np.asarray(classes.sum(axis=0)).ravel()
    expected = np.where(size > 0, (inward @ classes) / np.maximum(size, 1), 0.0)
    deviates = inward - classes @ expected
    total = float((deviates**2).sum())
    if total > 0:
        # A link is in the list of one item and leads to another: it must not count twice.
        deviates *= np.sqrt(max(0.0, 1 - float((part.links.data**2).sum()) / total))
    some = np.flatnonzero(deviates)
    inward = deviates[some]
    weights = hstack([part.own.T, classes[some].T @ diags(inward)])
    found: Float64 = csr_matrix(weights, dtype=np.float32) @ coin[np.append(part.rows, some)]
    found -= np.outer(part.usual, inward.astype(np.float32) @ coin[some])
    return found
