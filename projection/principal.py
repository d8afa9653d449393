"""Principal components of a matrix, exact and with a fixed sign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from core.arrays import AnyArray, FloatMatrix
from vectors.scoring import Float64

_DENSE_UP_TO = 3_000  # rows or columns of the one symmetric eigenproblem
_BLOCK_FLOATS = 4_000_000  # 32 MB of float64 at a time


class Components(NamedTuple):
    """Coordinates on principal axes, and the share of the variance that each explains."""

    coordinates: FloatMatrix
    explained: Float64


def principal_components(matrix: AnyArray, k: int, seed: int = 0) -> Components:
    """Return the first ``k`` principal components of the rows.

    Exact by the covariance matrix or the Gram matrix where the smaller side is at most 3,000;
    larger problems by randomised SVD with a fixed seed (Halko, Martinsson & Tropp 2011). Where
    there are fewer than ``k`` components the rest is zero.

    Notes
    -----
    The sign of a component is arbitrary; here its loading of largest magnitude is positive, so
    that equal data give equal pictures.

    References
    ----------
    Pearson (1901), On lines and planes of closest fit. Jolliffe (2002), Principal Component
    Analysis, section 3.5 (Gram matrix).
    """
    mean = matrix.mean(axis=0, dtype=np.float64)
    axes = _signed(_axes(matrix, mean, k, seed))
    total, coordinates = 0.0, np.zeros((len(matrix), k), dtype=np.float64)
    for rows, centred in _centred_blocks(matrix, mean):
        coordinates[rows, : len(axes)] = centred @ axes.T
        total += float(np.einsum("ij,ij->", centred, centred))
    explained = (coordinates**2).sum(axis=0) / (total or 1.0)
    return Components(coordinates.astype(np.float32), explained)


def _axes(matrix: AnyArray, mean: Float64, k: int, seed: int) -> Float64:
    """Return up to ``k`` orthonormal axes as rows, the strongest first."""
    n, d = matrix.shape
    if min(n, d) > _DENSE_UP_TO:
        from sklearn.utils.extmath import randomized_svd

        _, _, axes = randomized_svd(matrix - mean.astype(np.float32), k, random_state=seed)
        return np.asarray(axes, dtype=np.float64)
    if d <= n:
        covariance = np.zeros((d, d))
        for _, centred in _centred_blocks(matrix, mean):
            covariance += centred.T @ centred
        _, found = _strongest(covariance, k)
        return found.T
    centred = matrix.astype(np.float64) - mean
    values, found = _strongest(centred @ centred.T, k)
    real = values > 1e-12 * max(float(values[0]), 0.0)  # centring leaves one value of zero
    return (found[:, real] / np.sqrt(values[real])).T @ centred


def _strongest(symmetric: Float64, k: int) -> tuple[Float64, Float64]:
    """Return the ``k`` largest eigenvalues and their eigenvectors as columns."""
    from scipy.linalg import eigh

    n = len(symmetric)
    values, found = eigh(symmetric, subset_by_index=[max(0, n - k), n - 1])
    return values[::-1], found[:, ::-1]


def _signed(axes: Float64) -> Float64:
    strongest = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(len(axes)), strongest])
    return axes * np.where(signs == 0, 1.0, signs)[:, None]


def _centred_blocks(matrix: AnyArray, mean: Float64) -> Iterator[tuple[slice, Float64]]:
    step = max(1, _BLOCK_FLOATS // matrix.shape[1])
    for start in range(0, len(matrix), step):
        rows = slice(start, start + step)
        yield rows, matrix[rows].astype(np.float64) - mean
