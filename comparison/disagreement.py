"""Items whose class one space finds among the neighbours and another does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from comparison.class_neighbours import Labels, class_codes, vote
from core.errors import ParameterError


@dataclass(frozen=True, eq=False)
class Disagreements:
    """Where the first space finds the label of an item and the second does not.

    Attributes
    ----------
    rows : (m,) int64
        Items, the largest difference of the shares first.
    first, second : (m,) float64
        Share of the item's own class among its labelled neighbours in either space.
    instead : tuple of str
        What the neighbours in the second space vote for; "" where none has a label.
    both, only_first, only_second, neither : int
        How many items either space finds.
    p : float
        Exact test of McNemar (1947): how often a coin would split the items that only one finds
        as unevenly.
    n_used, n_unlabelled, k : int
    rule : str
        When a label counts as found.
    """

    rows: NDArray[np.int64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    instead: tuple[str, ...]
    both: int
    only_first: int
    only_second: int
    neither: int
    p: float
    n_used: int
    n_unlabelled: int
    k: int
    rule: str


def disagreements(
    first: NDArray[np.integer],
    second: NDArray[np.integer],
    labels: Labels,
    *,
    k: int = 10,
    share: float | None = None,
) -> Disagreements:
    """Find the items whose label the first space finds and the second does not.

    Parameters
    ----------
    first, second : (n, K) integer
        Neighbours of the same items in two spaces, nearest first.
    labels : sequence of str or None
    k : int
    share : float, optional
        A label is found where at least this share of the labelled neighbours has it; by default
        where the neighbours vote for it (of equally frequent classes the first by name).

    Raises
    ------
    ParameterError
        If shapes differ, or k or ``share`` is out of range.
    """
    if len(first) != len(second) or len(first) != len(labels):
        raise ParameterError(
            f"Both spaces and the labels need the same items, got {len(first):,}, {len(second):,} "
            f"and {len(labels):,}."
        )
    depth = min(first.shape[1], second.shape[1])
    if not 1 <= k <= depth:
        raise ParameterError(f"k must be an integer in [1, {depth}], got {k!r}.")
    if share is not None and not 0 < share <= 1:
        raise ParameterError(f"share must lie above 0 and at most at 1, got {share!r}.")
    classes, codes = class_codes(labels)
    labelled = np.flatnonzero(codes >= 0)
    own = codes[labelled]
    shares, votes, found = [], [], []
    for graph in (first, second):
        near = codes[graph[labelled, :k]]
        shares.append(((near == own[:, None]).sum(1)) / np.maximum(1, (near >= 0).sum(1)))
        votes.append(vote(near, len(classes)))
        found.append(votes[-1] == own if share is None else shares[-1] >= share)
    only = np.flatnonzero(found[0] & ~found[1])
    only = only[np.argsort(-(shares[0] - shares[1])[only], kind="stable")]
    others = int((found[1] & ~found[0]).sum())
    return Disagreements(
        labelled[only],
        shares[0][only],
        shares[1][only],
        tuple(classes[code] if code >= 0 else "" for code in votes[1][only]),
        int((found[0] & found[1]).sum()),
        len(only),
        others,
        int((~found[0] & ~found[1]).sum()),
        _mcnemar(len(only), others),
        len(labelled),
        len(labels) - len(labelled),
        k,
        f"most of the {k} neighbours" if share is None else f"{share:.0%} of the {k} neighbours",
    )


def _mcnemar(one: int, other: int) -> float:
    from scipy.stats import binomtest

    return float(binomtest(one, one + other).pvalue) if one + other else 1.0
