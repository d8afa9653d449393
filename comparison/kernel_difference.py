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
_TINY = 1e-30
_EVEN = 0.5
_LEFT_OPEN = 0.5  # of 1 / sqrt(n d): sampling moves a mean of d correlations of n items by .6


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


def kernel_features(space: AnyArray, centre: Float64 | None = None) -> FloatMatrix:
    """Return centred rows of length 1, whose inner products are the cosine kernel.

    Without centring the first mode would be the direction that all items share. The centre is the
    mean unless given.
    """
    centred = np.array(space, np.float64)
    centred -= centred.mean(axis=0) if centre is None else centre
    return _unit(centred)


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

    Exchanging the places of a space that is merely noisier makes both equally noisy, so that it
    would seem to tear groups. With ``x = s + e`` and ``y = c s + f`` for noise e and f of unlike
    size, the weighted mean ``m = (1 - w) x + w y / c`` with w the share of e is uncorrelated with
    the difference ``r = y / c - x``. Unless w = ½ may be, the spaces are drawn anew as
    ``m - w r*`` and ``m + (1 - w) r*``, where r* has each coordinate of r, along the directions
    that the spaces share, from another item: as wide in each, but the same for no group.

    Parameters
    ----------
    x : (n, p1) float32
    y : (n, p2) float32
        Of the same items.
    n_permutations : int
    seed : int

    Attributes
    ----------
    scale, weight : float
        c and w, w from 0 (all noise is in the wider space) to 1.

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
        centres = [space.mean(axis=0, dtype=np.float64) for space in (narrow, wide)]
        one, other = (
            kernel_features(space[fitted], c)
            for space, c in zip((narrow, wide), centres, strict=True)
        )
        u, _, vt = np.linalg.svd((one.T @ other).astype(np.float64), full_matrices=False)
        one, other = (narrow[self._rows] - centres[0]) @ u, wide[self._rows] - centres[1]
        along = other @ vt.T
        self.scale, self.weight = _balance(one, along, other)
        if vt.shape[0] < vt.shape[1]:  # beside the directions that both have, the wider has others
            one = np.hstack([one, np.zeros_like(other)])
            along = np.hstack([along, other - along @ vt])
        self._one, self._other = one.astype(np.float32), along.astype(np.float32)

    def __call__(self, among: BoolVector, progress: Progress = quiet) -> Exchanged:
        """Test the spaces of the items where the ``(n,)`` mask is true."""
        some = among[self._rows]
        one, other = self._one[some], self._other[some]
        if len(one) < 3:
            return Exchanged(0.0, np.inf, 1.0, len(one))
        observed = _largest(_unit(one), _unit(other))
        rng, sizes = np.random.default_rng(self._seed), np.empty(self._n_permutations)
        for i in range(self._n_permutations):
            progress(i, self._n_permutations, "exchanging places")
            sizes[i] = _largest(*map(_unit, self._drawn(one, other, rng)))
        p = (1 + int((sizes >= observed).sum())) / (self._n_permutations + 1)
        return Exchanged(observed, float(sizes.max()), p, len(one))

    def _drawn(
        self, one: FloatMatrix, other: FloatMatrix, rng: np.random.Generator
    ) -> tuple[FloatMatrix, FloatMatrix]:
        """Return the two spaces as they would be if they differed at random only."""
        if self.weight == _EVEN:
            coin = rng.random(len(one))[:, None] < 0.5
            return np.where(coin, one, other), np.where(coin, other, one)
        apart = other / np.float32(self.scale) - one
        weight = np.float32(self.weight)
        middle = one + weight * apart
        drawn = rng.permuted(apart.T, axis=1).T
        return middle - weight * drawn, middle + (1 - weight) * drawn


def _balance(p: Float64, q: Float64, y: Float64) -> tuple[float, float]:
    """Return the scale c and the weight w that leave mean and difference uncorrelated.

    Along the directions that the spaces share, where they are p and q, and along all others of
    ``y`` together. Each counts alike by the size of its correlation, so that the few directions of
    a group that is really torn decide nothing, however wide they are.
    """
    n = len(p)
    a, b, g = (np.einsum("ij,ij->j", *pair) / n for pair in ((p, p), (q, q), (p, q)))
    rest = max(0.0, float(np.einsum("ij,ij->", y, y)) / n - float(b.sum()))
    a, b, g = np.append(a, 0.0), np.append(b, rest), np.append(g, 0.0)
    if min(a.sum(), b.sum()) <= 0:
        return 1.0, 0.5
    scales = np.sqrt(b.sum() / a.sum()) * np.geomspace(0.2, 5, 81)
    weights = np.linspace(0, 1, 41)
    losses = np.empty((len(scales), len(weights)))
    w = weights[:, None]
    for i, c in enumerate(scales.tolist()):
        v, h = b / c**2, g / c
        of_r = np.maximum(a + v - 2 * h, 0)
        of_m = (1 - w) ** 2 * a + w**2 * v + 2 * w * (1 - w) * h
        both = w * v - (1 - w) * a + (1 - 2 * w) * h
        size = np.sqrt(np.maximum(of_m, 0) * of_r)
        losses[i] = (np.abs(both) / np.maximum(size, _TINY)).mean(axis=1)
    # What sampling alone adds to the least; where it leaves a choice, the middle is nearest.
    within = np.argwhere(losses <= losses.min() + _LEFT_OPEN / np.sqrt(n * len(a)))
    away = np.abs(weights[within[:, 1]] - 0.5)
    nearest = within[np.lexsort((losses[tuple(within.T)], away))[0]]
    return float(scales[nearest[0]]), float(weights[nearest[1]])


def _unit(rows: AnyArray) -> FloatMatrix:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: FloatMatrix = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit


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
