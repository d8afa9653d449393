"""The order of items by how differently two spaces see them: one rule wherever they are listed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from comparison.movers import Movers

Float64 = NDArray[np.float64]


def changed_order(
    overlap: Float64,
    moved: Movers | None = None,
    rbo: Float64 | None = None,
    *,
    most: bool = True,
    by_place: bool = False,
) -> NDArray[np.int64]:
    """Return all items, the most (or the least) changed first.

    Overlap knows k + 1 values only, so that many items are equal by it. Of equal ones those come
    first that moved farthest beyond their surroundings; where that was not measured, those whose
    first ranks differ most; then in the order of rows.

    Parameters
    ----------
    overlap : (n,) float64
        Share of the k nearest that both name. NaN, for items without a direction, comes last.
    moved : Movers, optional
        Where it was measured.
    rbo : (n,) float64, optional
        Rank-biased overlap of the same neighbours; counts only without ``moved``.
    most : bool
        False turns the order, except for the items without a figure.
    by_place : bool
        Whether displacement decides and overlap breaks its ties; needs ``moved``.

    Returns
    -------
    (n,) int64
    """
    sign = -1 if most else 1
    if moved is not None:
        second = moved.relative
    else:
        second = np.zeros(len(overlap)) if rbo is None else -rbo
    keys = (second, -overlap)
    last = np.isnan(overlap)
    if by_place and moved is not None:
        keys, last = (-overlap, second), np.isnan(second)
    order = np.lexsort((sign * keys[0], sign * keys[1], last))
    return np.asarray(order, np.int64)


def order_words(*, moved: bool, by_place: bool = False) -> str:
    """Return the rule in words, as it follows "by"."""
    if by_place:
        return "displacement beyond the surroundings"
    then = "displacement beyond the surroundings" if moved else "ranked neighbours (RBO)"
    return f"shared neighbours, then {then}"


def movers_words(moved: Movers) -> str:
    """Say how far items moved, in which unit, beside which null, and on what."""
    low, _, high = moved.random
    words = [
        f"Displacement, where 1 is a random other item: the median item moved "
        f"{np.median(moved.displacement):.2f}; 9 of 10 random items lie {low:.2f} to {high:.2f} "
        f"away; in spaces with nothing in common items would move {moved.shuffled:.2f}.",
        moved.note,
        f"Held out, {moved.n:,} items, {moved.dims[0]:,} and {moved.dims[1]:,} dimensions, "
        f"seed {moved.seed}.",
    ]
    return " ".join(word for word in words if word)
