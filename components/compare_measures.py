"""The measures of agreement: what each means, its chance level and its noise floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from comparison.agreement import Agreement, Pair
from comparison.chance import Calibrated
from comparison.compare import Comparison
from workspace.stored_comparison import StoredComparison


@dataclass(frozen=True)
class Measure:
    """One way to say how far two spaces agree.

    Attributes
    ----------
    id, title : str
    says : str
        One sentence for somebody who meets it for the first time.
    is_local : bool
        Whether it counts k neighbours.
    of : callable
        Takes a comparison, returns the table.
    """

    id: str
    title: str
    says: str
    is_local: bool
    of: Callable[[Comparison], Agreement]


MEASURES = (
    Measure(
        "overlap",
        "Shared neighbours",
        "Of the k nearest items in one space, the share that is also among the k nearest in the "
        "other; the mean over all items.",
        True,
        lambda c: c.overlap,
    ),
    Measure(
        "rbo",
        "Ranked neighbours",
        "Rank-biased overlap (p = .9): like shared neighbours, but the first ranks count most.",
        True,
        lambda c: c.rank_biased_overlap,
    ),
    Measure(
        "cka",
        "CKA",
        "Debiased linear CKA: whether the large directions of both spaces are the same, whatever "
        "the rotation and scale. A few far items can decide it.",
        False,
        lambda c: c.cka,
    ),
    Measure(
        "distances",
        "Distances",
        "Distance correlation, squared and corrected for chance: whether items that are far apart "
        "in one space are far apart in the other.",
        False,
        lambda c: c.distances,
    ),
    Measure(
        "shape",
        "Procrustes",
        "How well one space can be rotated and scaled onto the other; 1 is the same shape.",
        False,
        lambda c: c.shape,
    ),
)
BY_ID = {measure.id: measure for measure in MEASURES}


def floor_of(stored: StoredComparison, name: str, measure: str, k: int) -> float | None:
    """Return what two runs of one method with two seeds reach, or None where no seed matters."""
    floor = stored.floors.get(name)
    if floor is None:
        return None
    if BY_ID[measure].is_local:
        return floor.local(measure, k)
    value: float | None = getattr(floor, measure)
    return value


def calibrated_of(stored: StoredComparison, measure: str, pair: Pair) -> Calibrated | None:
    """Return the agreement of a pair beside that of random pairings, or None."""
    return stored.calibrated.get(measure, {}).get(pair)


def pair_sentence(stored: StoredComparison, measure: str, a: str, b: str, k: int) -> str:
    """Return what is known of one pair: value, interval, chance, noise floor, calibrated value."""
    table = BY_ID[measure].of(stored.comparison.at(k))
    i, j = sorted((table.names.index(a), table.names.index(b)))
    if (i, j) in table.refused:
        return f"{a} and {b}: {table.refused[i, j]}"
    words = [f"{table.measure} of {a} and {b}: {table.values[i, j]:.3f}"]
    if table.low[i, j] == table.low[i, j]:  # a number
        words[0] += f" (95 % interval {table.low[i, j]:.3f} to {table.high[i, j]:.3f})"
    words.append(f"{table.n_used:,} items")
    if table.chance is not None:
        words.append(f"unrelated spaces: {table.chance:.3f}")
    for name in (a, b):
        floor = floor_of(stored, name, measure, k)
        if floor is not None:
            words.append(f"{name} with another seed: {floor:.3f}")
    found = calibrated_of(stored, measure, (i, j))
    if found is not None:
        words.append(
            f"calibrated by {found.n_permutations} random pairings of {found.n_rows:,} items: "
            f"{found.calibrated:.3f} (p {'≤' if found.p <= 0.01 else '='} {max(found.p, 0.01):.2f})"
        )
    return " · ".join(words)
