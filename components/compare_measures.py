"""The measures of agreement: what each means, its chance level and its noise floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from comparison.agreement import Agreement, Pair
from comparison.calibration import DIRECTIONS, calibrated_k
from comparison.chance import Calibrated
from comparison.compare import Comparison
from comparison.guards import guard_of_neighbours
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
FURTHER = (
    Measure(
        "ranks",
        "RSA",
        "Rank correlation of the distances between items (representational similarity analysis): "
        "whether the same items are the far ones, however far.",
        False,
        lambda c: c.ranks,
    ),
    Measure(
        "cca",
        "SVCCA",
        "Mean canonical correlation of the directions that hold 99 % of the variance of each "
        "space: whether one is a linear map of the other. Of few items it says nothing.",
        False,
        lambda c: c.cca,
    ),
)
"""Measures for those who know them: without a noise floor, and not in the reports."""
BY_ID = {measure.id: measure for measure in (*MEASURES, *FURTHER)}


def floor_of(stored: StoredComparison, name: str, measure: str, k: int) -> float | None:
    """Return what two runs of one method with two seeds reach, or None where no seed matters."""
    floor = stored.floors.get(name)
    if floor is None:
        return None
    if BY_ID[measure].is_local:
        return None if guard_of_neighbours(floor.n_local, k) else floor.local(measure, k)
    value: float | None = getattr(floor, measure, None)
    return value


def calibrated_of(stored: StoredComparison, measure: str, pair: Pair, k: int) -> Calibrated | None:
    """Return the agreement of a pair beside that of random pairings, or None.

    Neighbours are calibrated at the k of the recipe only.
    """
    if BY_ID[measure].is_local and k != stored.info.recipe.k:
        return None
    return stored.calibrated.get(measure, {}).get(pair)


def chance_of_pairings(
    stored: StoredComparison, measure: str, k: int
) -> tuple[float, float] | None:
    """Return the least and the most that random pairings of two embeddings reach, or None."""
    m = len(stored.info.names)
    pairs = [(i, j) for i in range(m) for j in range(i + 1, m)]
    found = [calibrated_of(stored, measure, pair, k) for pair in pairs]
    chances = [one.chance for one in found if one is not None]
    return (min(chances), max(chances)) if chances else None


def reasons_of(table: Agreement) -> list[str]:
    """Return why pairs have no figure, each reason with its pairs, the commonest first."""
    by_reason: dict[str, list[str]] = {}
    for (i, j), reason in sorted(table.refused.items()):
        by_reason.setdefault(reason, []).append(f"{table.names[i]} and {table.names[j]}")
    n_pairs = len(table.names) * (len(table.names) - 1) // 2
    told = []
    for reason, pairs in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        who = pairs[0] if len(pairs) == 1 else f"{len(pairs)} of {n_pairs} pairs"
        told.append(f"– {who}: {reason}")
    return told


def pair_sentence(stored: StoredComparison, measure: str, a: str, b: str, k: int) -> str:
    """Return what is known of one pair: value, interval, chance, noise floor, calibrated value."""
    table = BY_ID[measure].of(stored.comparison.at(k))
    i, j = sorted((table.names.index(a), table.names.index(b)))
    if (i, j) in table.refused:
        return f"{a} and {b}: {table.refused[i, j]}"
    words = [f"{table.measure} of {a} and {b}: {table.values[i, j]:.3f}"]
    if table.low[i, j] == table.low[i, j]:  # a number
        words[0] += f" (95 % interval {table.low[i, j]:.3f} to {table.high[i, j]:.3f})"
    words.append(f"{table.used.get((i, j), table.n_used):,} items")
    if table.chance is not None:
        words.append(f"unrelated spaces: {table.chance:.3f}")
    for name in (a, b):
        floor = floor_of(stored, name, measure, k)
        if floor is not None:
            words.append(f"{name} with another seed: {floor:.3f}")
    found = calibrated_of(stored, measure, (i, j), k)
    if found is not None:
        words.append(_calibrated_words(found, calibrated_k(k, found.n_rows), measure))
    told = " · ".join(words)
    return f"{told}. {table.remarks[i, j]}" if (i, j) in table.remarks else told


def _calibrated_words(found: Calibrated, k: int, measure: str) -> str:
    """Say what random pairings give; the figures are of a sample and, of neighbours, its k."""
    at = f" at k = {k}" if BY_ID[measure].is_local else ""
    if measure == "shape":
        at = f" in up to {DIRECTIONS} directions"
    least = 1 / (found.n_permutations + 1)
    p = f"p {'≤' if found.p <= least + 1e-9 else '='} {max(found.p, least):.2f}"
    return (
        f"calibrated: {found.calibrated:.3f}, where 0 is chance and 1 the most there can be "
        f"({found.n_permutations} random pairings of {found.n_rows:,} items{at}: observed there "
        f"{found.observed:.3f}, random pairings {found.chance:.3f}, {p})"
    )
