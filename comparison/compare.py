"""``compare``: several embeddings of the same items, in their original spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from comparison.agreement import Agreement
from comparison.guards import guard_of_metrics, guard_of_neighbours
from comparison.neighbour_agreement import (
    chance_jaccard,
    chance_overlap,
    chance_rank_biased_overlap,
    jaccard,
    overlap,
    rank_biased_overlap,
    rank_weights,
    shared_by_depth,
)
from comparison.neighbour_spread import neighbour_spread
from comparison.shared_items import SharedItems, join
from comparison.tied_neighbours import Settled, settled, without_direction
from comparison.whole_agreement import STEPS, Wholes, either, wholes, without_extent
from core.arrays import BoolVector, IntMatrix
from core.errors import ParameterError
from core.progress import Progress, quiet
from vectors.bootstrap import Interval
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors
from vectors.neighbors import KnnGraph

DEEPEST = 50
"""Neighbours that are looked at, so that k may be moved without searching again."""
CURVE = (1, 5, 10, 25, 50)
SPREAD_BY_ALL, SPREAD_BY = 10_000, 10
"""Items above which the width of an interval is that of the first 10 neighbours: the time grows
with k², the width shrinks with k."""
MANY_TIES = 0.05
"""Share of items with a tie at rank k above which a figure is said to rest on chance in part."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """What N spaces say of the same items.

    Attributes
    ----------
    items : SharedItems
    graphs : tuple of (n, K) int32
        The nearest items of every item in each space, nearest first, equal ones in random order.
    ties : tuple of (K,) float64
        Per space and rank k, the share of items of which chance decides the k nearest.
    blank : tuple of (n,) bool
        Per space, items without a direction (zero vectors): they have no nearest.
    flat : mapping of str to str
        Spaces without a shape, and why: nothing is measured with them.
    k : int
        Neighbours that count in ``overlap``, ``jaccard`` and ``rank_biased_overlap``.
    whole : Wholes
        The tables of whole spaces.
    seed : int
        Of samples, ties and intervals.
    """

    items: SharedItems
    graphs: tuple[IntMatrix, ...]
    ties: tuple[NDArray[np.float64], ...]
    blank: tuple[BoolVector, ...]
    flat: Mapping[str, str]
    k: int
    whole: Wholes
    seed: int

    @property
    def cka(self) -> Agreement:
        """Return debiased linear CKA of all items."""
        return self.whole.cka

    @property
    def distances(self) -> Agreement:
        """Return distance correlation, squared and corrected, of a sample."""
        return self.whole.distances

    @property
    def shape(self) -> Agreement:
        """Return Procrustes similarity of a sample."""
        return self.whole.shape

    @property
    def ranks(self) -> Agreement:
        """Return the rank correlation of the distances (RSA) of a sample."""
        return self.whole.ranks

    @property
    def cca(self) -> Agreement:
        """Return the mean canonical correlation (SVCCA) of a sample."""
        return self.whole.cca

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
        chance = chance_rank_biased_overlap(self.k, len(self.items))
        return self._local("rbo", "rank-biased overlap", chance)

    def per_item(self, a: str, b: str, measure: str = "overlap") -> NDArray[np.float64]:
        """Return the agreement of two spaces on each item's neighbours, ``(n,)`` in 0 … 1.

        NaN for items without a direction in either space.

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
        each = measures[measure](self._shared(a, b, self.k), self.k)
        each[~self._with_vectors(a, b)] = np.nan
        return each

    def curve(self, a: str, b: str) -> dict[int, float]:
        """Return the mean overlap for several k: conclusions can turn with k.

        Those for which there are too few items are left out; all, where nothing can be measured.
        """
        if (a, b) not in self._curves:
            self._curves[a, b] = self._curve(a, b)
        return dict(self._curves[a, b])

    def _curve(self, a: str, b: str) -> dict[int, float]:
        rows = self._with_vectors(a, b)
        depths = [
            k for k in CURVE if k <= self.depth and not guard_of_neighbours(int(rows.sum()), k)
        ]
        if not depths or either(self.flat, a, b):
            return {}
        shared = self._shared(a, b, depths[-1])[rows]
        return {k: float(overlap(shared, k).mean()) for k in depths}

    def at(self, k: int) -> Comparison:
        """Return the same comparison for another number of neighbours; nothing is searched.

        What was measured for a k is kept: a page asks for it at every turn.
        """
        if not 1 <= k <= self.depth:
            raise ParameterError(f"k must be an integer in [1, {self.depth}], got {k!r}.")
        if k == self.k:
            return self
        made = self._family.get(k)
        if made is None:
            made = replace(self, k=k)
            vars(made)["_family"] = self._family
            self._family[k] = made
        return made

    @cached_property
    def _family(self) -> dict[int, Comparison]:
        """The same comparison for every k that was asked for; all of them share it."""
        return {self.k: self}

    @cached_property
    def _curves(self) -> dict[tuple[str, str], dict[int, float]]:
        return {}

    def remarks_on(self, a: str, b: str) -> str:
        """Return what to know of the neighbours of two spaces: sentences, none where all is well.

        Two metrics, many ties, items without a vector.
        """
        i, j = self._place(a), self._place(b)
        told = [guard_of_metrics(self.items.metrics[i], self.items.metrics[j]) or ""]
        for name, place in ((a, i), (b, j)):
            share = float(self.ties[place][self.k - 1])
            if share > MANY_TIES:
                told.append(
                    f"In {name} {share:.0%} of the items have equally near candidates for rank "
                    f"{self.k}: which of them count is drawn at random."
                )
        without = int((~self._with_vectors(a, b)).sum())
        if without:
            told.append(
                f"{without:,} of {len(self.items):,} items have only zeros as their vector in "
                "one of the two and are left out."
            )
        return " ".join(part for part in told if part)

    def _with_vectors(self, a: str, b: str) -> BoolVector:
        kept: BoolVector = ~(self.blank[self._place(a)] | self.blank[self._place(b)])
        return kept

    def _shared(self, a: str, b: str, depth: int) -> NDArray[np.int32]:
        first, second = (self.graphs[self._place(name)][:, :depth] for name in (a, b))
        return shared_by_depth(first, second)

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise ParameterError(f"There is no space {name!r}; there are: {', '.join(self.names)}.")
        return self.names.index(name)

    def _local(self, measure: str, title: str, chance: float) -> Agreement:
        cells, refused, remarks, used = {}, {}, {}, {}
        for i, j in combinations(range(len(self.names)), 2):
            a, b = self.names[i], self.names[j]
            used[i, j] = int(self._with_vectors(a, b).sum())
            reason = either(self.flat, a, b) or guard_of_neighbours(used[i, j], self.k)
            remark = self.remarks_on(a, b)
            if reason:
                refused[i, j] = reason
                continue
            cells[i, j] = self._interval(measure, a, b)
            if remark:
                remarks[i, j] = remark
        return Agreement.of(
            f"{title}@{self.k}",
            self.names,
            cells,
            n_used=max(used.values()),
            chance=chance,
            refused=refused,
            remarks=remarks,
            used=used,
        )

    def _interval(self, measure: str, a: str, b: str) -> Interval:
        """Return the mean of a measure and where it would lie for other items of the same kind."""
        rows = self._with_vectors(a, b)
        mean = float(self.per_item(a, b, measure)[rows].mean())
        k = min(self.k, self.depth - 1)  # one neighbour more than count has to be known
        if len(self.items) > SPREAD_BY_ALL:
            k = min(k, SPREAD_BY)
        weights, turned = np.eye(k)[-1], None
        if measure == "overlap":
            weights = weights / k
        elif measure == "rbo":
            weights = rank_weights(k)
        else:

            def turned(both: NDArray[np.float64]) -> NDArray[np.float64]:
                share: NDArray[np.float64] = both / (2 * k - both)
                return share

        first, second = (self.graphs[self._place(name)][:, : k + 1] for name in (a, b))
        half = 1.96 * neighbour_spread(first, second, weights, rows=rows, turned=turned)
        return Interval(mean, max(0.0, mean - half), min(1.0, mean + half))


def compare(
    spaces: Mapping[str, KeyedVectors],
    *,
    k: int = 10,
    seed: int = 0,
    kind: str | None = None,
    graphs: Mapping[str, KnnGraph] | None = None,
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
        Of samples, and of the order of equally near items.
    kind : str, optional
        The kind of key to compare; by default the first of each space.
    graphs : mapping of str to KnnGraph, optional
        Neighbours that are known already, of spaces whose items are all shared.
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
    m = len(items.names)
    total = m + STEPS * m * (m - 1) // 2
    found = _graphs(items, deepest, graphs or {}, seed, progress, total)
    reasons = {
        name: without_extent(matrix)
        for name, matrix in zip(items.names, items.matrices, strict=True)
    }
    flat = {name: reason for name, reason in reasons.items() if reason}
    whole = wholes(items, flat, seed=seed, progress=progress, at=m, total=total)
    progress(total, total, "comparing distances")
    return Comparison(
        items,
        tuple(each.ids for each in found),
        tuple(each.ties for each in found),
        tuple(
            without_direction(matrix, metric)
            for matrix, metric in zip(items.matrices, items.metrics, strict=True)
        ),
        flat,
        k,
        whole,
        seed,
    )


def _graphs(
    items: SharedItems,
    depth: int,
    known: Mapping[str, KnnGraph],
    seed: int,
    progress: Progress,
    total: int,
) -> list[Settled]:
    found, n = [], len(items)
    for place, name in enumerate(items.names):
        progress(place, total, "finding neighbours", name)
        matrix, metric = items.matrices[place], items.metrics[place]
        beat = _within(progress, place, total, name)
        graph = known.get(name)
        whole = not items.left_out[place] and (np.diff(items.rows[place]) == 1).all()
        if graph is None or not whole or graph.ids.shape[0] != n or graph.ids.shape[1] < depth:
            space = KeyedVectors(items.ids, matrix, metric=metric)
            graph = VectorIndex(space).knn_graph(depth, beat)
        ids, scores = graph.ids[:, :depth], graph.scores[:, :depth]
        found.append(settled(ids, scores, matrix, metric, seed=seed, progress=beat))
    return found


def _within(progress: Progress, at: int, of: int, name: str) -> Progress:
    """Return a progress that tells the steps of one part as its note."""

    def beat(done: int, total: int, stage: str = "", note: str = "") -> None:  # noqa: ARG001
        progress(at, of, "finding neighbours", f"{name}: {done:,} of {total:,}")

    return beat
