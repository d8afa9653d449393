"""How far two spaces agree on the neighbours of each item."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix
from core.errors import ParameterError

Ids = NDArray[np.integer]
"""Neighbours of every item, ``(n, k)``, nearest first, none twice, the item itself not among
them."""
_CELLS = 4_000_000  # comparisons per block


def shared_by_depth(a: Ids, b: Ids) -> NDArray[np.int32]:
    """Return how many neighbours are among the nearest ``j`` of both, for each depth ``j``.

    Parameters
    ----------
    a, b : (n, k) integer
        Row ``i`` of both is about the same item.

    Returns
    -------
    (n, k) int32
        Column ``j - 1`` counts the items shared by the first ``j`` of either list.

    Raises
    ------
    ParameterError
        If the shapes differ.
    """
    if a.shape != b.shape or a.ndim != 2:
        raise ParameterError(
            f"Neighbours must be two (n, k) arrays of one shape, got {a.shape} and {b.shape}."
        )
    shared = np.zeros(a.shape, np.int32)
    row, p, q = matches(a, b)
    # An item at place p of one list and q of the other is shared from depth max(p, q) on.
    np.add.at(shared, (row, np.maximum(p, q)), 1)
    np.cumsum(shared, axis=1, out=shared)
    return shared


def matches(a: Ids, b: Ids) -> tuple[NDArray[np.int64], ...]:
    """Return row and place in either list, from 0, of each item that both lists name."""
    n, k = a.shape
    step = max(1, _CELLS // max(1, k * b.shape[1]))
    found = []
    for start in range(0, max(n, 1), step):
        block = slice(start, start + step)
        row, p, q = np.nonzero(a[block, :, None] == b[block, None, :])
        found.append((row + start, p, q))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def overlap(shared: NDArray[np.int32], k: int) -> NDArray[np.float64]:
    """Return the share of the ``k`` nearest that both spaces name, ``(n,)`` in 0 … 1.

    Huh et al. 2024 ("The Platonic Representation Hypothesis", mutual k-nearest neighbours).
    Chance is ``k / (n - 1)``.

    Parameters
    ----------
    shared : (n, K) int32
        From ``shared_by_depth``.
    k : int
        1 … K.
    """
    at: NDArray[np.float64] = shared[:, _depth(shared, k)] / k
    return at


def jaccard(shared: NDArray[np.int32], k: int) -> NDArray[np.float64]:
    """Return what both name over what either names, ``(n,)`` in 0 … 1.

    It rises with the overlap of an item, but means of the two are not to be compared.
    """
    both = shared[:, _depth(shared, k)]
    share: NDArray[np.float64] = both / (2 * k - both)
    return share


def rank_biased_overlap(
    shared: NDArray[np.int32], k: int, persistence: float = 0.9
) -> NDArray[np.float64]:
    """Return the overlap that counts early ranks more, ``(n,)`` in 0 … 1.

    Webber, Moffat & Zobel 2010, "A similarity measure for indefinite rankings", equation 32 (RBO
    extrapolated from depth ``k``): two equal lists have 1.

    Parameters
    ----------
    shared : (n, K) int32
    k : int
    persistence : float
        How likely a reader goes on to the next rank; 1 / (1 - p) ranks are read on average.
    """
    depth = _depth(shared, k) + 1
    result: NDArray[np.float64] = shared[:, :depth] @ rank_weights(k, persistence)
    return result


def rank_weights(k: int, persistence: float = 0.9) -> NDArray[np.float64]:
    """Return what an item shared by the first 1 … k adds to rank-biased overlap, ``(k,)``."""
    if not 0 < persistence < 1:
        raise ParameterError(f"persistence must lie between 0 and 1, got {persistence!r}.")
    depths = np.arange(1, k + 1)
    weights: NDArray[np.float64] = (1 - persistence) / persistence * persistence**depths / depths
    weights[-1] += persistence**k / k
    return weights


def chance_overlap(k: int, n: int) -> float:
    """Return the overlap that random neighbours among ``n`` items would have."""
    return k / (n - 1)


def chance_rank_biased_overlap(k: int, n: int, persistence: float = 0.9) -> float:
    """Return the rank-biased overlap of random neighbours, exactly.

    Two random lists share ``d² / (n - 1)`` of their first ``d`` items on average.
    """
    return float(rank_weights(k, persistence) @ np.arange(1, k + 1) ** 2) / (n - 1)


def chance_jaccard(k: int, n: int) -> float:
    """Return the mean Jaccard of random neighbours, exactly (hypergeometric)."""
    from scipy.stats import hypergeom

    both = np.arange(k + 1)
    return float((hypergeom(n - 1, k, k).pmf(both) * both / (2 * k - both)).sum())


def second_order_cosine(
    x: FloatMatrix, y: FloatMatrix, a: Ids, b: Ids, block: int = 512
) -> NDArray[np.float64]:
    """Return how alike both spaces grade the neighbours of each item, ``(n,)`` in -1 … 1.

    The cosine of the two vectors of similarities between an item and all its neighbours in either
    space (Hamilton et al. 2016, "Cultural Shift or Linguistic Drift?", equation 2).

    Parameters
    ----------
    x : (n, d1) float32
    y : (n, d2) float32
    a, b : (n, k) integer
        Neighbours in ``x`` and in ``y``.

    Notes
    -----
    Both spaces are centred first: where all vectors share a direction, every similarity is near 1
    and anything would look alike.
    """
    unit = [_unit(space) for space in (x, y)]
    result = np.empty(len(x))
    for start in range(0, len(x), block):
        rows = slice(start, start + block)
        union = np.concatenate([a[rows], b[rows]], axis=1)
        repeated = (b[rows][:, :, None] == a[rows][:, None, :]).any(axis=2)
        counted = np.concatenate([np.ones_like(a[rows], bool), ~repeated], axis=1)
        graded = [np.einsum("id,ikd->ik", space[rows], space[union]) * counted for space in unit]
        lengths = np.linalg.norm(graded[0], axis=1) * np.linalg.norm(graded[1], axis=1)
        products = (graded[0] * graded[1]).sum(axis=1)
        result[rows] = np.divide(
            products, lengths, out=np.zeros_like(products, dtype=float), where=lengths > 0
        )
    return result


def _unit(space: FloatMatrix) -> AnyArray:
    centred = space.astype(np.float64) - space.mean(axis=0, dtype=np.float64)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    unit: AnyArray = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    return unit


def _depth(shared: NDArray[np.int32], k: int) -> int:
    if not 1 <= k <= shared.shape[1]:
        raise ParameterError(f"k must be an integer in [1, {shared.shape[1]}], got {k!r}.")
    return k - 1
