"""Which neighbours vote for the class of an item, and what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comparison.class_labels import ClassLabels
from comparison.shared_items import SharedItems
from comparison.tied_neighbours import settled, without_direction
from core.arrays import FloatMatrix, IntMatrix
from core.modality import Metric
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

NO_VECTOR = "without a vector in some space"
_CELLS = 4_000_000  # votes per block
_FEW = 50  # copies of an item: more of them are kept out of the search instead of its answer
Rows = NDArray[np.int64]


def with_vectors(items: SharedItems, labels: ClassLabels) -> tuple[ClassLabels, dict[str, str]]:
    """Return the labels of items that have a vector in every space, and the spaces set aside.

    A row of zeros has no direction: under the cosine and the dot product all others are equally
    near to it, and "its nearest" would be whichever come first. Such an item neither votes nor is
    judged, in any space, so that all are judged on the same items. A space that lacks vectors for
    more than half of the labelled items is set aside, with the reason, and narrows no other.
    """
    keep = np.ones(len(labels), bool)
    refused = {}
    for name, matrix, metric in zip(items.names, items.matrices, items.metrics, strict=True):
        has_vector = ~without_direction(matrix, metric)
        n, n_with = len(labels.rows), int(has_vector[labels.rows].sum())
        if 2 * n_with < n:
            refused[name] = f"It has vectors for {n_with:,} of {n:,} items with a label only."
        else:
            keep &= has_vector
    return labels.only(keep, NO_VECTOR), refused


def most_voters(labels: ClassLabels, groups: Rows) -> int:
    """Return how many items can vote for every item: all others but its copies."""
    used = groups[labels.rows]
    return int(len(used) - np.bincount(used).max())


def voters(
    items: SharedItems, i: int, graph: IntMatrix, labels: ClassLabels, groups: Rows, k: int
) -> Rows:
    """Return the ``(m, k)`` nearest voters of each item with a label in space ``i``.

    Items with a label vote, copies of an item do not (of the item they would say what it is). The
    search goes on where a graph of neighbours holds too few. Equally near ones are in random order
    there, as they are in the graphs of :func:`comparison.compare.compare`.

    Parameters
    ----------
    items : SharedItems
    i : int
    graph : (n, K) int32
        Nearest first.
    labels : ClassLabels
    groups : (n,) int64
        From :func:`comparison.copies.copies_among`.
    k : int
        At most ``most_voters``.
    """
    rows = labels.rows
    near = graph[rows].astype(np.int64)
    votes = (labels.codes[near] >= 0) & (groups[near] != groups[rows][:, None])
    first = np.argsort(~votes, axis=1, kind="stable")[:, :k]
    found = np.empty((len(rows), k), np.int64)
    found[:, : first.shape[1]] = np.take_along_axis(near, first, axis=1)
    short = np.flatnonzero(votes.sum(axis=1) < k)
    if len(short):
        found[short] = _searched(items, i, labels, groups, rows[short], k)
    return found


def _searched(
    items: SharedItems, i: int, labels: ClassLabels, groups: Rows, rows: Rows, k: int
) -> Rows:
    matrix, metric = items.matrices[i], items.metrics[i]
    may_vote = labels.codes >= 0
    sizes = np.bincount(groups[may_vote], minlength=int(groups.max()) + 1)[groups[rows]]
    found = np.empty((len(rows), k), np.int64)
    few = np.flatnonzero(sizes <= _FEW)
    if len(few):
        deep = k + int(sizes[few].max())
        wider = _nearest(matrix, metric, np.flatnonzero(may_vote), rows[few], deep)
        is_copy = groups[wider] == groups[rows[few]][:, None]
        order = np.argsort(is_copy, axis=1, kind="stable")[:, :k]
        found[few] = np.take_along_axis(wider, order, axis=1)
    many = np.flatnonzero(sizes > _FEW)
    for group in np.unique(groups[rows[many]]).tolist():
        of_group = many[groups[rows[many]] == group]
        one = rows[of_group[:1]]
        among = np.union1d(np.flatnonzero(may_vote & (groups != group)), one)
        found[of_group] = _nearest(matrix, metric, among, one, k)
    return found


def _nearest(matrix: FloatMatrix, metric: Metric, among: Rows, rows: Rows, k: int) -> Rows:
    """Return up to ``k`` nearest of ``among`` to each of ``rows``, which are among them.

    Equally near ones are in random order.
    """
    some = matrix[among]
    own = np.searchsorted(among, rows)
    index = VectorIndex(KeyedVectors([str(row) for row in among.tolist()], some, metric=metric))
    positions, scores = index.search_batch(some[own], min(k + 1, len(some)))
    is_own = positions == own[:, None]
    is_own[~is_own.any(axis=1), -1] = True  # so many as near that the item itself is not listed
    shape = (len(rows), -1)
    ids = positions[~is_own].reshape(shape).astype(np.int32)
    return among[settled(ids, scores[~is_own].reshape(shape), some, metric, rows=own).ids]


def majority(codes: NDArray[np.integer], n_classes: int) -> Rows:
    """Return the class named most often in each row, of equals the first; -1 where none is.

    Parameters
    ----------
    codes : (m, k) int
        -1 where a neighbour has no vote.
    n_classes : int
    """
    guess = np.empty(len(codes), np.int64)
    width = n_classes + 1  # the first column is for those without a vote
    step = max(1, _CELLS // max(width, codes.shape[1]))
    for start in range(0, len(codes), step):
        part = codes[start : start + step].astype(np.int64)
        cells = part + 1 + np.arange(len(part))[:, None] * width
        votes = np.bincount(cells.ravel(), minlength=len(part) * width)
        votes = votes.reshape(len(part), width)[:, 1:]
        guess[start : start + step] = np.where(votes.any(axis=1), votes.argmax(axis=1), -1)
    return guess
