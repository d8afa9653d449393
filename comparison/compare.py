"""``compare``: several embeddings of the same items, in their original spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from comparison.agreement import Agreement, Pair, guard_of_procrustes
from comparison.global_agreement import (
    DistanceTable,
    LinearKernel,
    narrowed,
    procrustes,
)
from comparison.global_spread import global_spread
from comparison.neighbour_agreement import (
    chance_jaccard,
    chance_overlap,
    jaccard,
    overlap,
    rank_biased_overlap,
    shared_by_depth,
)
from comparison.shared_items import SharedItems, join
from core.arrays import IntMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet
from vectors.bootstrap import Interval, bootstrap_mean
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors

DEEPEST = 50
"""Neighbours that are looked at, so that k may be moved without searching again."""
SAMPLE = 5_000
"""Items of measures that need every pair of items."""
CURVE = (1, 5, 10, 25, 50)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What N spaces say of the same items.

    Attributes
    ----------
    items : SharedItems
    graphs : tuple of (n, K) int32
        The nearest items of every item in each space, nearest first.
    k : int
        Neighbours that count in ``overlap``, ``jaccard`` and ``rank_biased_overlap``.
    cka, distances, shape : Agreement
        Debiased CKA of all items; distance correlation and Procrustes of a sample.
    seed : int
        Of samples and intervals.
    """

    items: SharedItems
    graphs: tuple[IntMatrix, ...]
    k: int
    cka: Agreement
    distances: Agreement
    shape: Agreement
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the spaces."""
        return self.items.names

    @property
    def depth(self) -> int:
        """Return the largest k."""
        return int(self.graphs[0].shape[1])

    @cached_property
    def overlap(self) -> Agreement:
        """Return the mean share of the k nearest that two spaces have in common."""
        return self._local("overlap", "overlap", chance_overlap(self.k, len(self.items)))

    @cached_property
    def jaccard(self) -> Agreement:
        """Return the mean Jaccard index of the k nearest."""
        return self._local("jaccard", "Jaccard", chance_jaccard(self.k, len(self.items)))

    @cached_property
    def rank_biased_overlap(self) -> Agreement:
        """Return the mean overlap that counts early ranks more (p = .9)."""
        return self._local("rbo", "rank-biased overlap", None)

    def per_item(self, a: str, b: str, measure: str = "overlap") -> NDArray[np.float64]:
        """Return the agreement of two spaces on each item's neighbours, ``(n,)`` in 0 … 1.

        Parameters
        ----------
        a, b : str
            Names of spaces.
        measure : {"overlap", "jaccard", "rbo"}
        """
        measures = {"overlap": overlap, "jaccard": jaccard, "rbo": rank_biased_overlap}
        if measure not in measures:
            known = ", ".join(measures)
            raise ParameterError(f"measure must be one of {known}, got {measure!r}.")
        return measures[measure](self._shared(a, b, self.k), self.k)

    def curve(self, a: str, b: str) -> dict[int, float]:
        """Return the mean overlap for several k: conclusions can turn with k."""
        depths = [k for k in CURVE if k <= self.depth]
        shared = self._shared(a, b, depths[-1])
        return {k: float(overlap(shared, k).mean()) for k in depths}

    def at(self, k: int) -> Comparison:
        """Return the same comparison for another number of neighbours; nothing is searched."""
        if not 1 <= k <= self.depth:
            raise ParameterError(f"k must be an integer in [1, {self.depth}], got {k!r}.")
        return Comparison(
            self.items, self.graphs, k, self.cka, self.distances, self.shape, self.seed
        )

    def _shared(self, a: str, b: str, depth: int) -> NDArray[np.int32]:
        first, second = (self.graphs[self._place(name)][:, :depth] for name in (a, b))
        return shared_by_depth(first, second)

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise ParameterError(f"There is no space {name!r}; there are: {', '.join(self.names)}.")
        return self.names.index(name)

    def _local(self, measure: str, title: str, chance: float | None) -> Agreement:
        cells = {}
        for i, j in combinations(range(len(self.names)), 2):
            each = self.per_item(self.names[i], self.names[j], measure)
            cells[i, j] = bootstrap_mean(each, seed=self.seed)
        return Agreement.of(
            f"{title}@{self.k}", self.names, cells, n_used=len(self.items), chance=chance
        )


def compare(
    spaces: Mapping[str, KeyedVectors],
    *,
    k: int = 10,
    seed: int = 0,
    kind: str | None = None,
    graphs: Mapping[str, IntMatrix] | None = None,
    progress: Progress = quiet,
) -> Comparison:
    """Compare 2 to 8 embeddings of the same items.

    Parameters
    ----------
    spaces : mapping of str to KeyedVectors
        Joined by id; what some space lacks is left out of all and listed.
    k : int
        Neighbours per item.
    seed : int
        Of samples and of bootstrap intervals.
    kind : str, optional
        The kind of key to compare; by default the first of each space.
    graphs : mapping of str to (n, K) int32, optional
        True neighbours that are known already, of spaces whose items are all shared.
    progress : Progress

    Returns
    -------
    Comparison

    Raises
    ------
    ParameterError, DatasetError
        For too few spaces, none in common, or a k that the items do not allow.
    """
    items = join(spaces, kind)
    n = len(items)
    deepest = min(DEEPEST, n - 1)
    if n < 5 or not 1 <= k <= deepest:
        raise ParameterError(
            f"With {n:,} shared items k must be an integer in [1, {max(1, deepest)}] and at least "
            f"5 items are needed, got k = {k!r}."
        )
    pairs = list(combinations(range(len(items.names)), 2))
    total = len(items.names) + 2 * len(pairs)
    found = _graphs(items, deepest, graphs or {}, progress, total)
    cka, distances, shape = _as_wholes(items, pairs, seed, progress, total)
    return Comparison(items, found, k, cka, distances, shape, seed)


def _as_wholes(
    items: SharedItems, pairs: list[Pair], seed: int, progress: Progress, total: int
) -> tuple[Agreement, Agreement, Agreement]:
    """Return debiased CKA, distance correlation and Procrustes similarity of every two spaces."""
    n, names = len(items), items.names
    rows = np.arange(n)
    if n > SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(n, SAMPLE, replace=False))
    spaces = [narrowed(matrix) for matrix in items.matrices]
    own = [LinearKernel.of(space) for space in spaces]
    some = [space[rows] for space in spaces]
    apart = [DistanceTable.of(space) for space in some]
    kernels, distances, shapes, refused = {}, {}, {}, {}
    for done, (i, j) in enumerate(pairs):
        at, both = len(names) + 2 * done, f"{names[i]} and {names[j]}"
        progress(at, total, "comparing shapes", both)
        kernels[i, j] = own[i].cka(own[j])
        progress(at + 1, total, "comparing distances", both)
        distances[i, j] = apart[i].correlation(apart[j]).corrected
        reason = guard_of_procrustes(
            len(rows), items.matrices[i].shape[1], items.matrices[j].shape[1]
        )
        if reason is None:
            shapes[i, j] = procrustes(some[i], some[j]).similarity
        else:
            refused[i, j] = reason
    used = len(rows)
    spread = global_spread(spaces, seed=seed)
    progress(total, total, "comparing distances")
    corrected = "distance correlation, squared and corrected"
    return (
        Agreement.of(
            "debiased CKA",
            names,
            _within_of(kernels, spread and spread.kernels, 1.0),
            n_used=n,
            chance=0.0,
        ),
        Agreement.of(
            corrected,
            names,
            _within_of(distances, spread and spread.distances, np.sqrt(n / used)),
            n_used=used,
            chance=0.0,
        ),
        Agreement.of("Procrustes similarity", names, shapes, n_used=used, refused=refused),
    )


def _within_of(
    values: Mapping[Pair, float], half: Mapping[Pair, float] | None, wider: float
) -> Mapping[Pair, float] | Mapping[Pair, Interval]:
    """Return values with their intervals, ``wider`` where fewer items than all were used."""
    if half is None:
        return values
    return {
        pair: Interval(value, value - wider * half[pair], min(1.0, value + wider * half[pair]))
        for pair, value in values.items()
    }


def _graphs(
    items: SharedItems,
    depth: int,
    known: Mapping[str, IntMatrix],
    progress: Progress,
    total: int,
) -> tuple[IntMatrix, ...]:
    found, n = [], len(items)
    for place, name in enumerate(items.names):
        progress(place, total, "finding neighbours", name)
        ready = known.get(name)
        whole = not items.left_out[place] and (np.diff(items.rows[place]) == 1).all()
        if ready is not None and whole and len(ready) == n and ready.shape[1] >= depth:
            found.append(ready[:, :depth])
            continue
        space = KeyedVectors(items.ids, items.matrices[place], metric=items.metrics[place])
        beat = _within(progress, place, total, name)
        found.append(VectorIndex(space).knn_graph(depth, beat).ids)
    return tuple(found)


def _within(progress: Progress, at: int, of: int, name: str) -> Progress:
    """Return a progress that tells the steps of one part as its note."""

    def beat(done: int, total: int, stage: str = "", note: str = "") -> None:  # noqa: ARG001
        progress(at, of, "finding neighbours", f"{name}: {done:,} of {total:,}")

    return beat
