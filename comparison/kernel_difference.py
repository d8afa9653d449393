"""Eigenvectors of the difference of two kernels over the same items, and what chance makes of them.

Jalali et al. 2025, "Towards an Explainable Comparison and Alignment of Feature Embeddings" (SPEC):
the eigenvectors of ``(K_x - K_y) / n`` with large positive eigenvalues weigh items that lie close
together in x and not in y, those with large negative ones the reverse.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, BoolVector, FloatMatrix
from core.progress import Progress, quiet

Float64 = NDArray[np.float64]
_NEGLIGIBLE = 1e-6  # of the largest variance: float32 knows no less
_TEST_ROWS = 2_000


class Modes(NamedTuple):
    """Eigenvalues and eigenvectors of the difference.

    Attributes
    ----------
    values : (m,) float64
        Largest first, about -1 … 1: both kernels have trace 1.
    loadings : (n, m) float64
        Unit length each; the sign of a column means nothing.
    """

    values: Float64
    loadings: Float64


def kernel_features(space: AnyArray) -> FloatMatrix:
    """Return centred rows of length 1, whose inner products are the cosine kernel.

    Without centring the first mode would be the direction that all items share.
    """
    centred = np.array(space, np.float64)
    centred -= centred.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    centred /= np.where(lengths > 0, lengths, 1)
    return centred.astype(np.float32)


def difference_modes(x: FloatMatrix, y: FloatMatrix, n_modes: int) -> Modes:
    """Return the outermost modes of ``(x x' - y y') / n`` in ``O(n (p1 + p2)²)``.

    At most ``n_modes`` from either end of the spectrum, the largest eigenvalue first.


    With ``M = [x y] / √n = Q R`` the difference is ``Q (R S R') Q'``, where S is 1 on the columns
    of x and -1 on those of y: a symmetric matrix of ``p1 + p2`` rows has all its eigenvalues that
    are not 0.
    """
    values, vectors, half = _small_problem(x, y)
    order = np.argsort(-values, kind="stable")
    if len(order) > 2 * n_modes:
        order = np.concatenate([order[:n_modes], order[-n_modes:]])
    turn = half @ vectors[:, order] / math.sqrt(len(x))
    split = x.shape[1]
    narrow = turn.astype(np.float32)
    loadings = x @ narrow[:split] + y @ narrow[split:]
    return Modes(values[order], loadings.astype(np.float64))


def _small_problem(x: FloatMatrix, y: FloatMatrix) -> tuple[Float64, Float64, Float64]:
    """Return eigenvalues and -vectors of ``R S R'`` and the map from M's columns to Q's."""
    split = x.shape[1]
    both = np.empty((split + y.shape[1],) * 2)
    both[:split, :split], both[split:, split:] = x.T @ x, y.T @ y
    both[:split, split:] = x.T @ y
    both[split:, :split] = both[:split, split:].T
    variances, axes = np.linalg.eigh(both / len(x))
    some = variances > _NEGLIGIBLE * variances[-1]
    roots, axes = np.sqrt(variances[some]), axes[:, some]
    signs = np.where(np.arange(len(both)) < split, 1.0, -1.0)
    r = roots[:, None] * axes.T
    values, vectors = np.linalg.eigh((r * signs) @ r.T)
    return values, vectors, axes / roots


class ExchangeTest:
    """Tells whether two spaces differ by more than what is random for each item.

    One space is turned onto the other with one half of the items. In the other half, the two
    places of each item are exchanged by a coin: where the spaces differ only in what is random for
    each item, the largest eigenvalue stays as it was; where one space treats a group differently,
    the group is torn a little in both, and it falls.

    Parameters
    ----------
    x : (n, p1) float32
    y : (n, p2) float32
        From ``kernel_features``.
    n_permutations : int
    seed : int

    Notes
    -----
    At most 2,000 items of each half are looked at.
    """

    def __init__(
        self, x: FloatMatrix, y: FloatMatrix, *, n_permutations: int = 19, seed: int = 0
    ) -> None:
        self._seed, self._n_permutations = seed, n_permutations
        narrow, wide = sorted((x, y), key=lambda space: space.shape[1])
        halves = np.array_split(np.random.default_rng(seed).permutation(len(x)), 2)
        fitted, self._rows = (half[:_TEST_ROWS] for half in halves)
        u, _, vt = np.linalg.svd(
            (narrow[fitted].T @ wide[fitted]).astype(np.float64), full_matrices=False
        )
        self._one = narrow[self._rows] @ (u @ vt).astype(np.float32)
        self._other = wide[self._rows]

    def __call__(self, among: BoolVector, progress: Progress = quiet) -> Exchanged:
        """Test the spaces of the items where the ``(n,)`` mask is true."""
        some = among[self._rows]
        one, other = self._one[some], self._other[some]
        if len(one) < 3:
            return Exchanged(0.0, np.inf, 1.0, len(one))
        observed = _largest(one, other)
        rng, sizes = np.random.default_rng(self._seed), np.empty(self._n_permutations)
        for i in range(self._n_permutations):
            progress(i, self._n_permutations, "exchanging places")
            coin = rng.random(len(one))[:, None] < 0.5
            sizes[i] = _largest(np.where(coin, one, other), np.where(coin, other, one))
        p = (1 + int((sizes >= observed).sum())) / (self._n_permutations + 1)
        return Exchanged(observed, float(sizes.max()), p, len(one))


class Exchanged(NamedTuple):
    """Outcome of an exchange of places.

    Attributes
    ----------
    observed : float
        Size of the largest eigenvalue over the items that were looked at.
    exchanged : float
        The largest size that any exchange gave.
    p : float
        How often exchanged places have one as large; at least ``1 / (n_permutations + 1)``.
    n : int
        Items looked at.
    """

    observed: float
    exchanged: float
    p: float
    n: int


def _largest(x: FloatMatrix, y: FloatMatrix) -> float:
    """Return the size of the largest eigenvalue of either sign, by Lanczos' iteration."""
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    n = len(x)

    def apply(v: Float64) -> Float64:
        flat = v.ravel().astype(np.float32)
        product: Float64 = ((x @ (flat @ x) - y @ (flat @ y)) / n).astype(np.float64)
        return product

    operator = LinearOperator((n, n), matvec=apply, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=n)  # ARPACK's own differs from call to call
    try:
        found = eigsh(operator, 1, which="LM", v0=start, tol=1e-3, return_eigenvectors=False)
    except ArpackError:  # no difference at all, or no convergence
        found = _small_problem(x, y)[0]
    return float(np.abs(found).max(initial=0.0))
