"""How far sampling moves the measures that need every pair of items."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparison.agreement import Pair
from core.arrays import AnyArray
from core.progress import Progress, quiet

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
PARTS, PART = 20, 500
_T = 2.093  # 97.5 % of Student's t with PARTS - 1 degrees of freedom
FEWEST = 40
"""Items below which parts of them say nothing about the whole."""


class Spread(NamedTuple):
    """Half widths of 95 % intervals of every two spaces.

    Attributes
    ----------
    kernels, distances : mapping of pair to float
        Of debiased CKA and of the corrected squared distance correlation.
    """

    kernels: dict[Pair, float]
    distances: dict[Pair, float]


def global_spread(
    spaces: Sequence[AnyArray], *, seed: int = 0, progress: Progress = quiet
) -> Spread | None:
    """Return how far debiased CKA and distance correlation would move with other items.

    The delete-d jackknife of Shao & Wu 1989, "A General Theory for Jackknife Variance Estimation":
    from 20 random parts of ``b`` items, at most 500 and at most half, the standard deviation over
    parts times ``sqrt(b / (n - b))``. Parts drawn without replacement share items, so that
    ``sqrt(b / n)`` would be too narrow by up to 1.4. Student's t for 20 parts stands in for 1.96.
    Intervals held the true value in 95.5 to 97 % of 100 to 200 samples of 60, 100 and 400 items.

    Parameters
    ----------
    spaces : sequence of (n, d) arrays
        Rows are the same items.
    seed : int
        Of the parts.

    Returns
    -------
    Spread or None
        None for fewer than 40 items.
    """
    n = len(spaces[0])
    if n < FEWEST:
        return None
    size = min(PART, n // 2)
    pairs = list(combinations(range(len(spaces)), 2))
    rng = np.random.default_rng(seed)
    found = np.empty((2, PARTS, len(pairs)))
    for part in range(PARTS):
        progress(part, PARTS, "how sure it is")
        rows = np.sort(rng.choice(n, size, replace=False))
        made = [_both(np.asarray(space[rows], np.float64)) for space in spaces]
        for which in (0, 1):
            for place, (i, j) in enumerate(pairs):
                found[which, part, place] = np.vdot(made[i][which], made[j][which])
    progress(PARTS, PARTS, "how sure it is")
    half = _T * found.std(axis=1, ddof=1) * np.sqrt(size / (n - size))
    return Spread(*(dict(zip(pairs, row.tolist(), strict=True)) for row in half))


def _both(space: Float64) -> tuple[Float32, Float32]:
    centred = space - space.mean(axis=0)
    kernel = centred @ centred.T
    sizes = np.diagonal(kernel)
    squares = np.clip(sizes[:, None] + sizes[None, :] - 2 * kernel, 0, None)
    return u_centred(kernel), u_centred(np.sqrt(squares))


def u_centred(matrix: Float64) -> Float32:
    """Return the U-centred matrix, scaled so that its product with itself is 1.

    Székely & Rizzo 2014, "Partial Distance Correlation", definition 2. Of two kernels the inner
    product is then debiased CKA (Song et al. 2012, equation 5, is the same sum), of two matrices of
    distances the corrected squared distance correlation.
    """
    n = len(matrix)
    rows = matrix.sum(axis=1) - np.diagonal(matrix)  # the diagonal counts as 0
    centred = matrix - rows[:, None] / (n - 2) - rows[None, :] / (n - 2)
    centred += rows.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(centred, 0.0)
    size = float(np.linalg.norm(centred))
    unit: Float32 = (centred / size if size > 0 else centred).astype(np.float32)
    return unit
