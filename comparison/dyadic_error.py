"""How sure a figure of pairs of items is, where pairs that share an item are not independent."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comparison.resampling import Floats, symmetric_root


def covariance_over_nodes(
    influence: Floats, left: NDArray[np.int64], right: NDArray[np.int64]
) -> Floats:
    """Return the covariance of figures of pairs of nodes, where pairs that share a node depend.

    The sum over every two pairs that share a node of the products of what each moves the figures
    (Fafchamps & Gubert 2007, "The formation of risk sharing networks"; Aronow, Samii & Assenova
    2015, "Cluster-robust variance estimation for dyadic data"). What sharing adds is kept from
    being negative, so that the figures are never surer than those of independent pairs.

    Parameters
    ----------
    influence : (m, s) float64
        What each pair adds to the error of each of ``s`` figures.
    left, right : (m,) int64
        Nodes of each pair.

    Returns
    -------
    (s, s) float64
    """
    is_self = left == right
    ends = np.concatenate([left, right[~is_self]])
    both = np.concatenate([influence, influence[~is_self]])
    by_node = np.stack([np.bincount(ends, column) for column in both.T], axis=1)
    # What sharing adds: a pair was counted at each of its nodes.
    root = symmetric_root(by_node.T @ by_node - both.T @ both)
    covariance: Floats = influence.T @ influence + root @ root
    return covariance


def pearson(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Return Pearson's correlation and what each of ``(m,)`` pairs adds to its error.

    The influence function (Devlin, Gnanadesikan & Kettenring 1975, "Robust estimation and outlier
    detection with correlation coefficients"), over ``m``.
    """
    a, b = _standardised(x), _standardised(y)
    r = float(np.mean(a * b))
    return r, (a * b - r / 2 * (a * a + b * b)) / len(x)


def spearman(x: Floats, y: Floats) -> tuple[float, Floats]:
    """Return Spearman's correlation and what each of ``(m,)`` pairs adds to its error.

    As Pearson's of the ranks, and a pair moves the ranks of all above it besides (Croux & Dehon
    2010, "Influence functions of the Spearman and Kendall correlation measures").
    """
    u, v = (_mid_ranks(values) for values in (x, y))
    r, added = pearson(u, v)
    a, b = _standardised(u), _standardised(v)
    for own, other, rank in ((a, b, u), (b, a, v)):
        moved = _mean_above(rank, other - r * own) / float(rank.std())
        added = added + (moved - moved.mean()) / len(x)
    return r, added


def _standardised(values: Floats) -> Floats:
    centred = values - values.mean()
    found: Floats = centred / np.sqrt(np.mean(centred * centred))
    return found


def _mid_ranks(values: Floats) -> Floats:
    """Return mean ranks as shares of all, 0 … 1."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = ((np.cumsum(counts) - counts / 2) / len(values))[place]
    return ranks


def _mean_above(ranks: Floats, values: Floats) -> Floats:
    """Return, for each rank, the sum of ``values`` at larger ranks (equal by half) over m."""
    _, place = np.unique(ranks, return_inverse=True)
    sums = np.bincount(place, values)
    above: Floats = (np.cumsum(sums[::-1])[::-1] - sums / 2)[place]
    return above / len(ranks)
