"""Which classes stand beside which in a space, and which of them moved between two spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from comparison.guards import guard_of_class_neighbours
from core.errors import ParameterError

Float64 = NDArray[np.float64]
Labels = Sequence[str | None]
_CELLS = 4_000_000


@dataclass(frozen=True, eq=False)
class ClassNeighbours:
    """Of which classes the neighbours of each class are.

    Attributes
    ----------
    classes : tuple of str
        By name.
    shares : (c, c) float64
        Row a, column b: mean share of class b among the labelled neighbours of an item of class a.
        Rows sum to 1; NaN for a class none of whose items has a labelled neighbour.
    chance : (c, c) float64
        The same for random neighbours.
    confusion : (c, c) int64
        Row a, column b: items of class a whose neighbours vote for class b.
    sizes : (c,) int64
        Items of each class.
    links : (n_used, n) sparse float64
        Weight of each labelled neighbour of each item that counts; rows sum to 1.
    codes : (n_used,) int64
        Class of each of these items.
    rows : (n_used,) int64
        Which items they are.
    every_code : (n,) int64
        Class of every item; -1 without a label.
    k, n : int
        Neighbours looked at; items of the space.
    n_unlabelled, n_without : int
        Items left out because they have no label, or no labelled neighbour.
    """

    classes: tuple[str, ...]
    shares: Float64
    chance: Float64
    confusion: NDArray[np.int64]
    sizes: NDArray[np.int64]
    links: Any
    codes: NDArray[np.int64]
    rows: NDArray[np.int64]
    every_code: NDArray[np.int64]
    k: int
    n: int
    n_unlabelled: int
    n_without: int

    @property
    def accuracy(self) -> float:
        """Return the share of items whose neighbours vote for their own class."""
        return float(np.trace(self.confusion) / max(1, self.confusion.sum()))


def class_codes(labels: Labels) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the classes by name and the class of each item, ``(n,)``, -1 without a label."""
    classes = tuple(sorted({label for label in labels if label}))
    place = {label: i for i, label in enumerate(classes)}
    codes = [place[label] if label else -1 for label in labels]
    return classes, np.array(codes, np.int64)


def class_neighbours(
    neighbours: NDArray[np.integer], labels: Labels, k: int = 10
) -> ClassNeighbours:
    """Count the classes among the ``k`` nearest neighbours of every labelled item.

    Parameters
    ----------
    neighbours : (n, K) integer
        Nearest first, without the item itself.
    labels : sequence of str or None
        ``None`` and "" are items without a label: they are neither rows nor neighbours.
    k : int

    Raises
    ------
    ParameterError
        If the lengths differ, k is out of range, or there are not two classes of 3 items.
    """
    n, depth = neighbours.shape
    if len(labels) != n:
        raise ParameterError(f"There are {n:,} items but {len(labels):,} labels.")
    if not 1 <= k <= depth:
        raise ParameterError(f"k must be an integer in [1, {depth}], got {k!r}.")
    classes, codes = class_codes(labels)
    sizes = np.bincount(codes[codes >= 0], minlength=len(classes)).astype(np.int64)
    reason = guard_of_class_neighbours(sizes.tolist())
    if reason:
        raise ParameterError(reason)
    labelled = np.flatnonzero(codes >= 0)
    near = codes[neighbours[labelled, :k]]
    counted = (near >= 0).any(axis=1)
    rows, near = labelled[counted], near[counted]
    links = _links(neighbours[rows, :k], near >= 0, n)
    own = codes[rows]
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (own, vote(near, len(classes))), 1)
    return ClassNeighbours(
        classes,
        _mean_of_classes(links @ members(codes, len(classes)), own, len(classes)),
        (sizes[None, :] - np.eye(len(classes))) / (sizes.sum() - 1),
        confusion,
        sizes,
        links,
        own,
        rows,
        codes,
        k,
        n,
        n - len(labelled),
        len(labelled) - len(rows),
    )


def vote(near: NDArray[np.integer], n_classes: int) -> NDArray[np.int64]:
    """Return the most frequent class of each row; of equally frequent ones the first.

    First by name, as scikit-learn's ``KNeighborsClassifier`` does, so that the accuracy is the one
    that is published elsewhere.

    Parameters
    ----------
    near : (n, k) integer
        Classes of the neighbours; -1 has no vote.
    n_classes : int

    Returns
    -------
    (n,) int64
        -1 where no neighbour has a vote.
    """
    n = len(near)
    winners = np.full(n, -1, np.int64)
    step = max(1, _CELLS // max(1, n_classes))
    for start in range(0, n, step):
        block = near[start : start + step]
        row, place = np.nonzero(block >= 0)
        of = block[row, place]
        counts = np.zeros((len(block), n_classes), np.int32)
        np.add.at(counts, (row, of), 1)
        some = (block >= 0).any(axis=1)
        winners[start : start + step][some] = counts.argmax(axis=1)[some]
    return winners


def members(codes: NDArray[np.int64], n_classes: int) -> Any:
    """Return the ``(n, c)`` sparse matrix that is 1 where an item is of a class."""
    from scipy.sparse import csr_matrix

    some = np.flatnonzero(codes >= 0)
    return csr_matrix((np.ones(len(some)), (some, codes[some])), shape=(len(codes), n_classes))


def _links(neighbours: NDArray[np.integer], is_labelled: NDArray[np.bool_], n: int) -> Any:
    from scipy.sparse import csr_matrix

    row, place = np.nonzero(is_labelled)
    weights = 1 / is_labelled.sum(axis=1)
    shape = (len(neighbours), n)
    return csr_matrix((weights[row], (row, neighbours[row, place])), shape=shape)


def _mean_of_classes(each: Any, codes: NDArray[np.int64], n_classes: int) -> Float64:
    sums = np.asarray((members(codes, n_classes).T @ each).todense())
    sizes = np.bincount(codes, minlength=n_classes)[:, None]
    means: Float64 = np.divide(sums, sizes, out=np.full(sums.shape, np.nan), where=sizes > 0)
    return means
