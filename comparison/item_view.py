"""One item, or one query, seen by several spaces: whose neighbours are whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comparison.shared_items import SharedItems
from core.arrays import IntMatrix
from core.errors import ParameterError, QueryError
from vectors.scoring import Scoring, nearest_first

Float64 = NDArray[np.float64]
Rows = NDArray[np.int64]
_FUSION = 60  # of reciprocal-rank fusion, as published


@dataclass(frozen=True, eq=False)
class JoinedNeighbours:
    """The neighbours that at least one space names among its k nearest, joined over all spaces.

    Attributes
    ----------
    names : tuple of str
        Spaces.
    asked : tuple of bool
        Which of them had a vector to search with.
    rows : (m,) int64
        Neighbours in consensus order: by the sum of ``1 / (60 + rank)`` over the spaces that have
        them within ``depth`` (reciprocal-rank fusion; Cormack, Clarke & Büttcher 2009, equation
        1), equal sums by row.
    fused : (m,) float64
        That sum.
    ranks : (m, s) int64
        1 = nearest; 0 = not within ``depth``, or the space was not asked.
    scores : (m, s) float32
        Cosine, dot product or distance, of all neighbours in all spaces that were asked; else NaN.
    k, depth, n : int
        Neighbours that count; how far ranks are known; items that stood for selection.
    """

    names: tuple[str, ...]
    asked: tuple[bool, ...]
    rows: Rows
    fused: Float64
    ranks: NDArray[np.int64]
    scores: NDArray[np.float32]
    k: int
    depth: int
    n: int

    @property
    def within_k(self) -> NDArray[np.bool_]:
        """Tell, ``(m, s)``, which spaces have which neighbour among their k nearest."""
        return (self.ranks > 0) & (self.ranks <= self.k)

    @property
    def shared(self) -> Rows:
        """Return the neighbours that all spaces that were asked have among their k nearest."""
        shared: Rows = self.rows[self.within_k[:, self._asked].all(axis=1)]
        return shared

    def unique_to(self, name: str) -> Rows:
        """Return the neighbours that only this space has among its k nearest."""
        mine = self.within_k[:, self._place(name)]
        unique: Rows = self.rows[mine & (self.within_k.sum(axis=1) == 1)]
        return unique

    def rank_change(self, first: str, second: str) -> Float64:
        """Return how many ranks each neighbour is farther in the second space, ``(m,)``.

        NaN where one of the ranks is beyond ``depth``.
        """
        one, other = (self.ranks[:, self._place(name)] for name in (first, second))
        known = (one > 0) & (other > 0)
        return np.where(known, (other - one).astype(np.float64), np.nan)

    @property
    def _asked(self) -> Rows:
        return np.flatnonzero(self.asked)

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise ParameterError(f"There is no space {name!r}; there are: {', '.join(self.names)}.")
        return self.names.index(name)


class ItemView:
    """Joins the neighbours of items and queries over the spaces of a comparison.

    Parameters
    ----------
    items : SharedItems
    graphs : tuple of (n, K) int32
        Neighbours in each space.
    """

    def __init__(self, items: SharedItems, graphs: Sequence[IntMatrix]) -> None:
        if len(graphs) != len(items.names) or any(len(graph) != len(items) for graph in graphs):
            raise ParameterError("Each space needs the neighbours of all shared items.")
        self._items = items
        self._graphs = tuple(graphs)

    @cached_property
    def _scorings(self) -> tuple[Scoring, ...]:
        items = self._items
        return tuple(
            Scoring(matrix, metric)
            for matrix, metric in zip(items.matrices, items.metrics, strict=True)
        )

    def of_item(self, row: int, k: int = 10) -> JoinedNeighbours:
        """Return the joined neighbours of the item in this row.

        Raises
        ------
        ParameterError
            If the row or k is out of range.
        """
        self._check_row(row)
        depth = min(graph.shape[1] for graph in self._graphs)
        if not 1 <= k <= depth:
            raise ParameterError(f"k must be an integer in [1, {depth}], got {k!r}.")
        lists = [graph[row, :depth].astype(np.int64) for graph in self._graphs]
        return self._joined(lists, self._vectors_of(row), k, depth, len(self._items) - 1)

    def of_query(
        self, vectors: Sequence[ArrayLike | None], k: int = 10, depth: int = 50
    ) -> JoinedNeighbours:
        """Return the joined neighbours of one query, given as one vector per space.

        Parameters
        ----------
        vectors : sequence of (d,) array_like or None
            None for a space that cannot embed the query.
        k, depth : int

        Raises
        ------
        QueryError
            If no space has a vector, or one does not fit its space.
        ParameterError
            If k is out of range.
        """
        n = len(self._items)
        depth = min(depth, n)
        if not 1 <= k <= depth:
            raise ParameterError(f"k must be an integer in [1, {depth}], got {k!r}.")
        asked = self._checked(vectors)
        lists = [
            None if vector is None else _nearest(scoring, vector, depth)
            for scoring, vector in zip(self._scorings, asked, strict=True)
        ]
        return self._joined(lists, asked, k, depth, n)

    def exact_ranks(self, found: JoinedNeighbours, row: int) -> NDArray[np.int64]:
        """Return the ranks of all joined neighbours of an item in all spaces, ``(m, s)``.

        Whatever the depth of the graphs: every item is compared, one product per space.
        """
        self._check_row(row)
        return self._ranks(found.rows, self._vectors_of(row), row)

    def exact_query_ranks(
        self, found: JoinedNeighbours, vectors: Sequence[ArrayLike | None]
    ) -> NDArray[np.int64]:
        """Return the same for a query; 0 in spaces without a vector."""
        return self._ranks(found.rows, self._checked(vectors), None)

    def _ranks(
        self, rows: Rows, vectors: Sequence[Float64 | None], own: int | None
    ) -> NDArray[np.int64]:
        ranks = np.zeros((len(rows), len(self._scorings)), np.int64)
        for s, (scoring, vector) in enumerate(zip(self._scorings, vectors, strict=True)):
            if vector is not None:
                ranks[:, s] = _ranks_of(scoring, vector, rows, own)
        return ranks

    def _joined(
        self,
        lists: Sequence[Rows | None],
        vectors: Sequence[Float64 | None],
        k: int,
        depth: int,
        n: int,
    ) -> JoinedNeighbours:
        rows = np.unique(np.concatenate([each[:k] for each in lists if each is not None]))
        ranks = np.zeros((len(rows), len(lists)), np.int64)
        scores = np.full((len(rows), len(lists)), np.nan, np.float32)
        for s, (each, vector) in enumerate(zip(lists, vectors, strict=True)):
            if each is None or vector is None:
                continue
            at, place = np.nonzero(rows[:, None] == each[None, :])
            ranks[at, s] = place + 1
            scoring = self._scorings[s]
            scores[:, s] = scoring.as_score(scoring.fine(vector, rows))
        weights = np.divide(1.0, _FUSION + ranks, out=np.zeros(ranks.shape), where=ranks > 0)
        fused = weights.sum(axis=1)
        order = np.argsort(-fused, kind="stable")
        return JoinedNeighbours(
            self._items.names,
            tuple(each is not None for each in lists),
            rows[order],
            fused[order],
            ranks[order],
            scores[order],
            k,
            depth,
            n,
        )

    def _vectors_of(self, row: int) -> list[Float64 | None]:
        return [scoring.prepare(scoring.matrix[row][None])[0] for scoring in self._scorings]

    def _checked(self, vectors: Sequence[ArrayLike | None]) -> list[Float64 | None]:
        names = self._items.names
        if len(vectors) != len(names):
            raise QueryError(f"{len(names)} spaces need {len(names)} vectors, got {len(vectors)}.")
        if all(vector is None for vector in vectors):
            raise QueryError("No space has a vector for this query, so there is nothing to search.")
        checked: list[Float64 | None] = []
        for name, scoring, given in zip(names, self._scorings, vectors, strict=True):
            if given is None:
                checked.append(None)
                continue
            vector = np.asarray(given, np.float64)
            dim = scoring.matrix.shape[1]
            if vector.shape != (dim,) or not np.isfinite(vector).all():
                raise QueryError(
                    f"The query for {name} must be {dim:,} finite numbers, got shape "
                    f"{vector.shape}. Embed it with the method of that space."
                )
            checked.append(scoring.prepare(vector[None])[0])
        return checked

    def _check_row(self, row: int) -> None:
        if not 0 <= row < len(self._items):
            raise ParameterError(
                f"row must be an integer in [0, {len(self._items) - 1:,}], got {row!r}."
            )


def _shown(scoring: Scoring, query: Float64, rows: Rows) -> NDArray[np.float32]:
    """Return nearness in float64 rounded to float32, by which every list is ordered."""
    with np.errstate(over="ignore"):
        return scoring.fine_unique(query, rows).astype(np.float32)


def _nearest(scoring: Scoring, query: Float64, k: int) -> Rows:
    """Return the k nearest rows, equal ones in order of position."""
    rows = np.arange(len(scoring.matrix))
    quick = scoring.coarse(query)
    if k < len(rows):
        kth = np.partition(quick, len(rows) - k)[len(rows) - k]
        rows = rows[quick >= kth - 2 * scoring.error_bound(query)]
    nearness = _shown(scoring, query, rows)
    nearest: Rows = rows[nearest_first(nearness[None], rows[None], k)[0]]
    return nearest


def _ranks_of(scoring: Scoring, query: Float64, targets: Rows, own: int | None) -> Rows:
    """Return the rank of each target among all rows but ``own``."""
    quick = np.asarray(scoring.coarse(query), np.float64)
    if own is not None:
        quick[own] = -np.inf
    # The quick scores decide but for those within rounding of a target, or equal once rounded.
    slack = 2 * scoring.error_bound(query) + 2.0**-22 * float(np.abs(quick[targets]).max(initial=0))
    nearness = _shown(scoring, query, targets)
    order = np.sort(quick)
    ranks = np.empty(len(targets), np.int64)
    for i, (row, mine) in enumerate(zip(targets, nearness, strict=True)):
        surely = len(order) - int(np.searchsorted(order, quick[row] + slack, side="right"))
        near = np.flatnonzero(np.abs(quick - quick[row]) <= slack)
        theirs = _shown(scoring, query, near)
        ranks[i] = 1 + surely + int(((theirs > mine) | ((theirs == mine) & (near < row))).sum())
    return ranks
