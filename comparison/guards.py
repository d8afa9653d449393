"""Where a measure would mislead: one function per measure, returning the reason or None.

A reason is a sentence for the screen: it names the value, the bound and what to do. Bounds on the
number of items keep a figure from being mostly chance; they are conventions, not theorems, except
where a function says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from comparison.agreement import guard_of_procrustes
from core.modality import Metric

__all__ = [
    "guard_of_cca",
    "guard_of_cka",
    "guard_of_class_neighbours",
    "guard_of_distances",
    "guard_of_extent",
    "guard_of_hubness",
    "guard_of_metrics",
    "guard_of_movers",
    "guard_of_neighbours",
    "guard_of_pairs",
    "guard_of_procrustes",
    "guard_of_spectrum",
    "guard_of_torn_groups",
    "guard_of_two_nn",
]

FEWEST_FOR_MOVERS = 20
FEWEST_FOR_GROUPS = 50
_MOST_TIES = 0.1


def guard_of_neighbours(n: int, k: int) -> str | None:
    """Refuse overlap, Jaccard, rank-biased overlap and second-order cosine for ``n <= 5 k``."""
    if n > 5 * k:
        return None
    return (
        f"{n:,} items are too few for {k:,} neighbours: a fifth of all items would be shared by "
        f"chance alone. More than {5 * k:,} items are needed, or a smaller k."
    )


def guard_of_extent(spread: float, size: float) -> str | None:
    """Refuse a space without a shape: all its items lie in one point, to float32 precision.

    Parameters
    ----------
    spread : float
        The widest range of one dimension.
    size : float
        The largest number in the space.
    """
    if spread > 1e-6 * size:
        return None
    return "All items lie in one point, so that none is nearer than another."


def guard_of_metrics(first: Metric, second: Metric) -> str | None:
    """Tell where neighbours are found by two different measures of nearness."""
    if first == second:
        return None
    return (
        f"Neighbours by {first} and by {second} differ even in one and the same space. Compare "
        "both under one metric."
    )


def guard_of_cka(n: int) -> str | None:
    """Refuse debiased CKA below 4 items, where its estimator divides by 0."""
    if n >= 4:
        return None
    return f"Debiased CKA needs at least 4 items, here are {n:,}."


def guard_of_distances(n: int) -> str | None:
    """Refuse correlations of distances (distance correlation, RSA) below 20 items."""
    if n >= 20:
        return None
    return f"{n:,} items have too few distances to compare: at least 20 items are needed."


def guard_of_movers(n: int) -> str | None:
    """Refuse movers where not even five dimensions could be aligned on one half of the items."""
    if n >= FEWEST_FOR_MOVERS:
        return None
    return (
        f"{n:,} items are too few to fit a rotation on one half and measure the other: at least "
        f"{FEWEST_FOR_MOVERS} are needed."
    )


def guard_of_cca(n: int, kept: int) -> str | None:
    """Refuse canonical correlations unless ``n > 10 (d1 + d2)``, dimensions after truncation.

    Of pure noise, ``d1 + d2 - n + 1`` correlations are exactly 1 (Raghu et al. 2017 keep the
    leading directions for that reason).
    """
    if n > 10 * kept:
        return None
    return (
        f"{n:,} items are too few for {kept:,} dimensions (both spaces together): canonical "
        f"correlations of noise would look high. More than {10 * kept:,} items are needed, or "
        "fewer dimensions."
    )


def guard_of_torn_groups(n: int) -> str | None:
    """Refuse modes of the difference of two kernels below 50 items."""
    if n >= FEWEST_FOR_GROUPS:
        return None
    return (
        f"{n:,} items are too few to look for groups that two spaces treat differently: at least "
        f"{FEWEST_FOR_GROUPS} are needed."
    )


def guard_of_hubness(n: int, k: int) -> str | None:
    """Refuse hubness for ``n < 10 k``, where every item is in many lists anyway."""
    if n >= 10 * k:
        return None
    return (
        f"{n:,} items are too few for hubs among {k:,} neighbours: at least {10 * k:,} are needed, "
        "or a smaller k."
    )


def guard_of_pairs(n: int) -> str | None:
    """Refuse mean cosine and uniformity below two items with a direction."""
    if n >= 2:
        return None
    return f"A pair of items whose vectors are not zero is needed, here are {n:,} such items."


def guard_of_spectrum(n: int, d: int) -> str | None:
    """Refuse IsoScore and effective rank for ``n <= d``: n items span n - 1 directions at most."""
    if n > d:
        return None
    return (
        f"{n:,} items cannot fill {d:,} dimensions, so an even space would look uneven. More than "
        f"{d:,} items are needed."
    )


def guard_of_two_nn(n_different: int, tied: float = 0.0) -> str | None:
    """Refuse the intrinsic dimension below 100 different items, or where distances tie.

    Parameters
    ----------
    n_different : int
        Items after exact duplicates were left out.
    tied : float
        Share of items whose two nearest are equally far: binary vectors and small counts.
    """
    if n_different < 100:
        return (
            f"{n_different:,} different items are too few for an intrinsic dimension: at least 100 "
            "are needed."
        )
    if tied > _MOST_TIES:
        return (
            f"{tied:.0%} of the items have two equally near neighbours, as binary vectors and "
            "counts do; the intrinsic dimension is for continuous vectors."
        )
    return None


def guard_of_class_neighbours(sizes: Sequence[int]) -> str | None:
    """Refuse a comparison of classes unless two classes have more than two items each."""
    usable = sum(size > 2 for size in sizes)
    if usable >= 2:
        return None
    return (
        f"Two classes with more than 2 items each are needed, the labels have {usable}. Choose "
        "another column as the label."
    )
