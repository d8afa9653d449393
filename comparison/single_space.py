"""The shape of one space: hubs, common direction, how many dimensions are really used."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray
from core.errors import ParameterError
from vectors.item_pairs import item_pairs

Float64 = NDArray[np.float64]


class Hubness(NamedTuple):
    """How unevenly items occur among the neighbours of others.

    Attributes
    ----------
    skewness : float
        Of the counts; 0 = even, above 1 = strong hubs.
    antihubs : float
        Share of items that are nobody's neighbour.
    counts : (n,) int64
        In how many lists of neighbours each item stands.
    """

    skewness: float
    antihubs: float
    counts: NDArray[np.int64]


def hubness(neighbours: NDArray[np.integer]) -> Hubness:
    """Return the hubs among ``(n, k)`` lists of neighbours.

    Radovanović, Nanopoulos & Ivanović 2010, "Hubs in Space", equation 1 (skewness of N_k).
    """
    from scipy.stats import skew

    counts = np.bincount(neighbours.ravel(), minlength=len(neighbours)).astype(np.int64)
    skewness = float(skew(counts)) if np.ptp(counts) else 0.0
    return Hubness(skewness, float((counts == 0).mean()), counts)


def mean_cosine(x: AnyArray) -> float:
    """Return the mean cosine of two different items (anisotropy), -1 … 1.

    Ethayarajh 2019, "How Contextual are Contextualized Word Representations?", section 3.3; over
    all pairs, from the length of the mean direction. Zero vectors are left out.
    """
    unit = _directions(x)
    n = len(unit)
    mean = unit.mean(axis=0)
    return float((n * (mean @ mean) - 1) / (n - 1))


class Spectrum(NamedTuple):
    """How the variance is spread over directions.

    Attributes
    ----------
    participation_ratio : float
        ``(Σλ)² / Σλ²`` of the covariance's eigenvalues: 1 … d directions that matter.
    iso_score : float
        0 (one direction) … 1 (all alike).
    effective_rank : float
        ``exp(entropy)`` of the singular values.
    first_share : float
        Share of the variance along the first direction.
    """

    participation_ratio: float
    iso_score: float
    effective_rank: float
    first_share: float


def spectrum(x: AnyArray) -> Spectrum:
    """Return how evenly a space uses its dimensions.

    Rudman et al. 2022, "IsoScore", Algorithm 1, which comes to ``(PR - 1) / (d - 1)``; Roy &
    Vetterli 2007, "The effective rank", equation 2 (of the centred space, singular values).

    Raises
    ------
    ParameterError
        If all items lie in one point.
    """
    wide = np.asarray(x, np.float64)
    centred = wide - wide.mean(axis=0)
    eigenvalues = np.clip(np.linalg.eigvalsh(centred.T @ centred), 0, None)[::-1]
    if eigenvalues.sum() == 0:
        raise ParameterError("All items lie in one point: there is no direction to speak of.")
    ratio = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    p = np.sqrt(eigenvalues)
    p = p[p > 0] / p.sum()
    d = wide.shape[1]
    return Spectrum(
        float(ratio),
        float((ratio - 1) / (d - 1)) if d > 1 else 1.0,
        float(np.exp(-(p * np.log(p)).sum())),
        float(eigenvalues[0] / eigenvalues.sum()),
    )


def two_nn(first: AnyArray, second: AnyArray, discard: float = 0.1) -> float:
    """Return the intrinsic dimension from the distances to the two nearest neighbours.

    Facco et al. 2017, "Estimating the intrinsic dimension of datasets by a minimal neighborhood
    information", equation 2 and the fit that follows: the slope of ``-ln(1 - F(μ))`` on ``ln μ``
    through 0, without the largest tenth of the ratios μ.

    Parameters
    ----------
    first, second : (n,)
        Euclidean distances to the nearest and to the second nearest other item.
    discard : float
        Share of the largest ratios that is left out.

    Notes
    -----
    Items with a duplicate (first distance 0) are left out.

    Raises
    ------
    ParameterError
        If fewer than three different ratios are left.
    """
    apart = np.asarray(first) > 0
    ratios = np.sort(np.asarray(second, np.float64)[apart] / np.asarray(first, np.float64)[apart])
    n = len(ratios)
    kept = int(n * (1 - discard))
    if kept < 3 or ratios[kept - 1] <= 1:
        raise ParameterError(
            "The intrinsic dimension needs items at different distances; here nearly all are "
            "duplicates or equally far."
        )
    x = np.log(ratios[:kept])
    y = -np.log(1 - np.arange(1, kept + 1) / n)
    return float(x @ y / (x @ x))


def uniformity(x: AnyArray, *, n_pairs: int = 1_000_000, seed: int = 0) -> float:
    """Return how evenly directions cover the sphere: ``ln mean exp(-2 |u - v|²)``, -4 … 0.

    Wang & Isola 2020, "Understanding Contrastive Representation Learning", equation 2 with t = 2;
    lower is more even. All pairs of different items where there are at most ``n_pairs``, else a
    random sample of pairs. Zero vectors are left out.
    """
    unit = _directions(x)
    left, right = item_pairs(len(unit), n_pairs, np.random.default_rng(seed))
    total = 0.0
    for start in range(0, len(left), 50_000):
        some = slice(start, start + 50_000)
        cosines = np.einsum("ij,ij->i", unit[left[some]], unit[right[some]])
        total += float(np.exp(-4 * (1 - cosines)).sum())
    return float(np.log(total / len(left)))


def _directions(x: AnyArray) -> Float64:
    wide = np.asarray(x, np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    if (lengths > 0).sum() < 2:
        raise ParameterError("At least two items need a vector that is not zero.")
    some = lengths > 0
    unit: Float64 = wide[some] / lengths[some, None]
    return unit
