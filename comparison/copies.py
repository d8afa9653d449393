"""Items that are the same: one of them must not answer for the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comparison.class_labels import ClassLabels
from comparison.shared_items import SharedItems
from core.arrays import AnyArray, FloatMatrix

_WITHIN = 1e-5  # of the length of a row: a model rounds equal texts differently in other batches
_BLOCK_FLOATS = 4_000_000


def copies_among(items: SharedItems, labels: ClassLabels) -> NDArray[np.int64]:
    """Return the group of each item, ``(n,) int64``: by the items themselves where they tell.

    Else by their vectors. Two texts can have equal vectors everywhere and be two texts all the
    same: methods that count words leave rare ones out.
    """
    return groups_of_copies(items) if labels.groups is None else labels.groups


def groups_of_copies(items: SharedItems) -> NDArray[np.int64]:
    """Return the group of each item, ``(n,) int64``: items with equal vectors in every space.

    What is equal in one space only is what that space makes of different items, and stays. Vectors
    count as equal within a hundred-thousandth of their length. Of items that lie next to each
    other on one random direction of all spaces neighbours are compared.
    """
    place = np.zeros(len(items))
    rng = np.random.default_rng(0)
    lengths = [_lengths(matrix) for matrix in items.matrices]
    for matrix, length in zip(items.matrices, lengths, strict=True):
        direction = rng.standard_normal((matrix.shape[1],))
        place += _product(matrix, direction) / (float(length.mean()) or 1.0)
    order = np.argsort(place, kind="stable")
    equal = np.ones(len(order) - 1, bool)
    for matrix, length in zip(items.matrices, lengths, strict=True):
        at = np.flatnonzero(equal)
        equal[at] = _are_equal(matrix, length, order[at], order[at + 1])
    groups = np.empty(len(order), np.int64)
    groups[order] = np.concatenate([[0], np.cumsum(~equal)])
    return groups


def n_copies(groups: NDArray[np.int64]) -> int:
    """Return how many items have a copy."""
    sizes = np.bincount(groups)
    return int(sizes[sizes > 1].sum())


def without_copies(items: SharedItems, labels: ClassLabels) -> ClassLabels:
    """Return the labels of the first of every group of copies; the others count as left out."""
    groups = copies_among(items, labels)
    _, first = np.unique(groups[labels.rows], return_index=True)
    keep = np.zeros(len(labels), bool)
    keep[labels.rows[first]] = True
    return labels.only(keep, "copies of another item")


def _lengths(matrix: FloatMatrix) -> NDArray[np.float64]:
    found = np.empty(len(matrix))
    step = max(1, _BLOCK_FLOATS // matrix.shape[1])
    for start in range(0, len(matrix), step):
        part = matrix[start : start + step].astype(np.float64)
        found[start : start + step] = np.linalg.norm(part, axis=1)
    return found


def _product(matrix: FloatMatrix, direction: NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.empty(len(matrix))
    step = max(1, _BLOCK_FLOATS // matrix.shape[1])
    for start in range(0, len(matrix), step):
        found[start : start + step] = matrix[start : start + step].astype(np.float64) @ direction
    return found


def _are_equal(
    matrix: FloatMatrix, lengths: NDArray[np.float64], first: AnyArray, second: AnyArray
) -> NDArray[np.bool_]:
    found = np.empty(len(first), bool)
    step = max(1, _BLOCK_FLOATS // matrix.shape[1])
    for start in range(0, len(first), step):
        one, two = first[start : start + step], second[start : start + step]
        apart = np.linalg.norm(matrix[one].astype(np.float64) - matrix[two], axis=1)
        found[start : start + step] = apart <= _WITHIN * lengths[one]
    return found
