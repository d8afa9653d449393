"""Agreement of whole spaces, of every two of several: made once, with guards and intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from comparison.agreement import Agreement, Pair, guard_of_procrustes
from comparison.global_agreement import (
    DistanceTable,
    LinearKernel,
    canonical_correlations,
    leading,
    narrowed,
    procrustes_spread,
)
from comparison.global_spread import global_spread
from comparison.guards import guard_of_cca, guard_of_cka, guard_of_distances, guard_of_extent
from comparison.shared_items import SharedItems
from core.arrays import AnyArray, FloatMatrix
from core.progress import Progress
from vectors.bootstrap import Interval
from vectors.item_pairs import item_pairs

SAMPLE = 5_000
"""Items of measures that need every pair of items."""
KEPT = 0.99
"""Share of variance whose directions count in SVCCA."""
STEPS = 3
"""Steps of progress per pair."""
_PAIRS = 200_000  # of items, whose distances are ranked


class Wholes(NamedTuple):
    """The tables of agreement of whole spaces.

    Attributes
    ----------
    cka : Agreement
        Debiased linear CKA of all items.
    distances, shape : Agreement
        Distance correlation (squared, corrected) and Procrustes similarity of a sample.
    ranks, cca : Agreement
        Rank correlation of distances (RSA) and mean canonical correlation (SVCCA) of a sample.
    """

    cka: Agreement
    distances: Agreement
    shape: Agreement
    ranks: Agreement
    cca: Agreement


def sampled(n: int, seed: int) -> NDArray[np.int64]:
    """Return the rows of measures that need every pair: all of up to 5,000, else so many."""
    if n <= SAMPLE:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, SAMPLE, replace=False))


def without_extent(matrix: FloatMatrix) -> str | None:
    """Return why a space has no shape, or None where it has one."""
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    size = max(float(np.abs(low).max(initial=0.0)), float(np.abs(high).max(initial=0.0)))
    return guard_of_extent(float((high.astype(np.float64) - low).max(initial=0.0)), size)


def either(reasons: Mapping[str, str | None], a: str, b: str) -> str | None:
    """Return the reason of the first of two spaces that has one, with its name."""
    told = [f"{name}: {reasons[name]}" for name in (a, b) if reasons.get(name)]
    return told[0] if told else None


def wholes(
    items: SharedItems,
    flat: Mapping[str, str | None],
    *,
    seed: int,
    progress: Progress,
    at: int,
    total: int,
) -> Wholes:
    """Return the agreement of every two whole spaces.

    Parameters
    ----------
    items : SharedItems
    flat : mapping of str to str or None
        Why a space has no shape, by name: nothing is measured with it.
    seed : int
        Of samples and parts.
    progress : Progress
    at, total : int
        Steps done before, and of all.
    """
    n, names = len(items), items.names
    rows = sampled(n, seed)
    spaces = [narrowed(matrix) for matrix in items.matrices]
    kernels = [LinearKernel.of(space) for space in spaces]
    parts = _Parts([space[rows] for space in spaces], items.matrices, seed)
    found: dict[str, dict[Pair, float]] = {name: {} for name in Wholes._fields}
    refused: dict[str, dict[Pair, str]] = {name: {} for name in Wholes._fields}
    errors: dict[Pair, float] = {}
    for done, (i, j) in enumerate(combinations(range(len(names)), 2)):
        step, both = at + STEPS * done, f"{names[i]} and {names[j]}"
        reasons = parts.reasons(n, i, j, either(flat, names[i], names[j]))
        for measure, reason in reasons.items():
            if reason is not None:
                refused[measure][i, j] = reason
        progress(step, total, "comparing shapes", both)
        if reasons["cka"] is None:
            found["cka"][i, j] = kernels[i].cka(kernels[j])
        if reasons["shape"] is None:
            both_spaces = parts.spaces[i], parts.spaces[j]
            found["shape"][i, j], errors[i, j] = procrustes_spread(*both_spaces)
        progress(step + 1, total, "comparing distances", both)
        if reasons["distances"] is None:
            found["distances"][i, j] = parts.tables[i].correlation(parts.tables[j]).corrected
        progress(step + 2, total, "comparing ranks and directions", both)
        if reasons["ranks"] is None:
            found["ranks"][i, j] = float(np.corrcoef(parts.ranks[i], parts.ranks[j])[0, 1])
        if reasons["cca"] is None:
            correlations = canonical_correlations(parts.bases[i], parts.bases[j])
            found["cca"][i, j] = float(correlations.mean())
    spread = global_spread(spaces, seed=seed)
    used = len(rows)
    half: dict[str, Mapping[Pair, float]] = {"shape": {p: 1.96 * e for p, e in errors.items()}}
    if spread is not None:
        wider = np.sqrt(n / used)
        half["cka"] = spread.kernels
        half["distances"] = {pair: wider * each for pair, each in spread.distances.items()}
    return Wholes(
        *(
            Agreement.of(
                _TITLES[measure],
                names,
                _intervals(found[measure], half.get(measure)),
                n_used=n if measure == "cka" else used,
                chance=_CHANCE.get(measure),
                refused=refused[measure],
            )
            for measure in Wholes._fields
        )
    )


_TITLES = {
    "cka": "debiased CKA",
    "distances": "distance correlation, squared and corrected",
    "shape": "Procrustes similarity",
    "ranks": "rank correlation of distances (RSA)",
    "cca": f"SVCCA (mean correlation, {KEPT:.0%} of the variance)",
}
_CHANCE = {"cka": 0.0, "distances": 0.0, "ranks": 0.0}


class _Parts:
    """What the measures need of a sample of each space, made once."""

    def __init__(
        self, spaces: Sequence[AnyArray], matrices: Sequence[FloatMatrix], seed: int
    ) -> None:
        from scipy.stats import rankdata

        self.spaces = spaces
        self.tables = [DistanceTable.of(space) for space in spaces]
        left, right = item_pairs(len(spaces[0]), _PAIRS, np.random.default_rng(seed))
        self.ranks = [rankdata(table.distances[left, right]) for table in self.tables]
        # Of a space that fills more than half of its items, CCA is refused before it is made.
        narrow = [2 * space.shape[1] <= len(space) for space in spaces]
        self.bases = [
            leading(space, KEPT) if is_narrow else np.empty((len(space), 0))
            for space, is_narrow in zip(spaces, narrow, strict=True)
        ]
        self._kept = [
            basis.shape[1] if is_narrow else space.shape[1]
            for basis, is_narrow, space in zip(self.bases, narrow, spaces, strict=True)
        ]
        self._dims = [matrix.shape[1] for matrix in matrices]

    def reasons(self, n: int, i: int, j: int, flat: str | None) -> dict[str, str | None]:
        """Return per measure why it would mislead for two spaces of ``n`` items, or None."""
        used = len(self.spaces[i])
        kept = self._kept[i] + self._kept[j]
        return {
            "cka": flat or guard_of_cka(n),
            "distances": flat or guard_of_distances(used),
            "shape": flat or guard_of_procrustes(used, self._dims[i], self._dims[j]),
            "ranks": flat or guard_of_distances(used),
            "cca": flat or guard_of_cca(used, kept),
        }


def _intervals(
    values: Mapping[Pair, float], half: Mapping[Pair, float] | None
) -> Mapping[Pair, float] | Mapping[Pair, Interval]:
    """Return values with their intervals, no interval beyond 1."""
    if half is None:
        return values
    return {
        pair: Interval(value, value - half[pair], min(1.0, value + half[pair]))
        for pair, value in values.items()
    }
