"""The in-memory index over one set of vectors: exact, or approximate and saying so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.arrays import AnyArray, BoolVector, FloatMatrix
from core.errors import ParameterError, QueryError
from core.modality import METRICS, Metric
from core.progress import Progress, quiet
from vectors.approximate import InvertedFile
from vectors.candidates import likely_nearest
from vectors.keyed import KeyedVectors
from vectors.neighbors import KnnGraph, Neighbors
from vectors.scoring import Float64, Rows, Scoring, nearest_first

EXACT_UP_TO = 250_000  # rows; one exact query on 250k x 384 takes about 20 ms on two cores
_SLACK = 8  # candidates beyond k that are fetched, to settle ties
_QUERY_BLOCK = 2_048
_GATHER_BELOW = 0.3  # share of rows below which copying them beats scoring all


class VectorIndex:
    """Nearest neighbours over one :class:`KeyedVectors`.

    Up to 250,000 rows every row is compared. Beyond, an inverted file is built on the first
    search and tuned to recall@10 ≥ 0.98 on this data; filtered searches stay exact. Every answer
    says which. Scores are computed in float64 and reported as float32; equal scores come in order
    of position. Under ``cosine`` a zero vector scores 0 with everything.

    Safe to share between threads.

    Parameters
    ----------
    vectors : KeyedVectors
        Used as they are. Memory: 16 bytes per row beside the vectors; during batches under cosine
        a normalised copy (4·n·d bytes) unless the rows have unit length; one more copy, kept,
        for the approximate index.
    metric : {"cosine", "dot", "euclidean"}, optional
        Default: the metric the vectors are meant for.
    exact : bool, optional
        True or False forces the kind of search; None decides by size.

    Raises
    ------
    ParameterError
        For an unknown metric.
    """

    def __init__(
        self, vectors: KeyedVectors, *, metric: Metric | None = None, exact: bool | None = None
    ) -> None:
        metric = vectors.metric if metric is None else metric
        if metric not in METRICS:
            raise ParameterError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}.")
        self.vectors = vectors
        self.metric: Metric = metric
        self.exact = len(vectors) <= EXACT_UP_TO if exact is None else exact
        self._scoring = Scoring(vectors.matrix, metric)
        # Products of extreme numbers leave float32, in which the inverted file computes.
        self.exact = self.exact or self._scoring.is_extreme
        self._inverted: InvertedFile | None = None
        self._build_lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.vectors)

    def search(
        self, query: str | ArrayLike, k: int = 10, *, where: BoolVector | None = None
    ) -> Neighbors:
        """Return the ``k`` nearest rows of a vector, or of a key without its own row.

        Parameters
        ----------
        query : str or array_like, (d,)
        k : int
            1 … n. Fewer come back where the mask leaves fewer.
        where : (n,) bool, optional
            Rows that may be answered; such a search is exact.

        Raises
        ------
        UnknownKey
            If the key has no vector.
        QueryError
            If the vector has the wrong length or is not finite, or the mask does not fit.
        ParameterError
            If ``k`` is out of range.
        """
        own = self.vectors.position(query) if isinstance(query, str) else None
        vector = self.vectors.matrix[own] if own is not None else query
        prepared = self._scoring.prepare(self._checked_queries(vector, ndim=1)[None])
        self._check_k(k)
        allowed = self._allowed_rows(where)
        n_compared = len(self) if allowed is None else len(allowed)
        if own is not None and (allowed is None or own in allowed):
            n_compared -= 1
        positions, nearness = self._search_one(prepared[0], k, own, allowed)
        exact = self.exact or allowed is not None
        return Neighbors(
            keys=tuple(self.vectors.keys[i] for i in positions),
            kinds=tuple(self.vectors.kinds[positions].tolist()),
            positions=positions,
            scores=self._scoring.as_score(nearness),
            metric=self.metric,
            exact=exact,
            engine=self._engine(n_compared, exact=exact),
            n_compared=n_compared,
        )

    def search_batch(
        self, queries: ArrayLike, k: int = 10, where: BoolVector | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the nearest rows of many vectors.

        Parameters
        ----------
        queries : array_like, (m, d)
        k : int
        where : (n,) bool, optional

        Returns
        -------
        positions : (m, k) int64
        scores : (m, k) float32
            Both have fewer columns where the mask leaves fewer than ``k`` rows.

        Raises
        ------
        QueryError, ParameterError
            As :meth:`search`.
        """
        checked = self._checked_queries(queries, ndim=2)
        self._check_k(k)
        allowed = self._allowed_rows(where)
        width = min(k, len(self) if allowed is None else len(allowed))
        parts = list(self._batches(checked, width, own=None, allowed=allowed))
        if not parts:
            return np.empty((0, width), np.int64), np.empty((0, width), np.float32)
        positions = np.vstack([p for p, _ in parts])
        return positions, self._scoring.as_score(np.vstack([s for _, s in parts]))

    def cosines(self, queries: ArrayLike, rows: Rows | None = None) -> AnyArray:
        """Return the cosine of every row with each query, whatever the size of the index.

        Parameters
        ----------
        queries : array_like, (m, d)
        rows : (c,) int64, optional
            Compare these rows only, in float64. Without it all rows are compared in float32,
            which is off by ``rounding_bound(d)`` at most.

        Returns
        -------
        (m, n) float32, or (m, c) float64
            A zero vector has cosine 0 with everything.

        Raises
        ------
        ParameterError
            If the index is not one under cosine.
        QueryError
            If the queries do not fit.
        """
        if self.metric != "cosine":
            raise ParameterError(f"Cosines need an index under cosine, this one is {self.metric}.")
        prepared = self._scoring.prepare(self._checked_queries(queries, ndim=2))
        width, dtype = (len(self), np.float32) if rows is None else (len(rows), np.float64)
        cosines = np.empty((len(prepared), width), dtype)
        for i, query in enumerate(prepared):  # one pass each: beats a product with a thin matrix
            scoring = self._scoring
            cosines[i] = scoring.coarse(query) if rows is None else scoring.fine(query, rows)
        return cosines

    @property
    def has_direction(self) -> BoolVector:
        """Tell, ``(n,) bool``, which rows are no zero vectors."""
        return self._scoring.norms > 0

    @cached_property
    def mean_direction(self) -> Float64:
        """Return the ``(d,) float64`` mean of the rows scaled to unit length, zero ones left out.

        Its squared length is what all rows have in common; 1 minus that is their total variance.
        """
        return self._scoring.mean_direction()

    def knn_graph(self, k: int, progress: Progress = quiet) -> KnnGraph:
        """Return the ``k`` nearest rows of every row; no row lists itself.

        Duplicates list each other. With n ≤ k rows there are n - 1 columns.

        Raises
        ------
        ParameterError
            If ``k`` is below 1.
        """
        if k < 1:
            raise ParameterError(f"k must be at least 1, got {k}.")
        n = len(self)
        width = min(k, max(n - 1, 0))
        ids = np.empty((n, width), dtype=np.int32)
        scores = np.empty((n, width), dtype=np.float32)
        start = 0
        if width:
            own = np.arange(n, dtype=np.int64)
            for positions, nearness in self._batches(self.vectors.matrix, width, own, None):
                stop = start + len(positions)
                ids[start:stop] = positions
                scores[start:stop] = self._scoring.as_score(nearness)
                start = stop
                progress(start, n, "neighbours")
        return KnnGraph(ids, scores, self.metric, self.exact, self._engine(n, exact=self.exact))

    # Checks

    def _checked_queries(self, queries: ArrayLike, *, ndim: int) -> AnyArray:
        try:
            array = np.asarray(queries)
            array = array.astype(np.float64) if array.dtype.kind not in "f" else array
        except (TypeError, ValueError) as error:
            raise QueryError("A query vector must hold numbers only.") from error
        dim = self.vectors.dim
        if array.ndim != ndim or array.shape[-1] != dim:
            wanted = f"({dim},)" if ndim == 1 else f"(m, {dim})"
            raise QueryError(
                f"The query has shape {array.shape}, the vectors here need {wanted}. "
                "Embed the query with the same method and settings."
            )
        if not np.isfinite(array).all():
            raise QueryError("The query vector holds NaN or infinity, so nothing is near to it.")
        return array

    def _check_k(self, k: int) -> None:
        n = len(self)
        if n == 0:
            raise QueryError("There are no vectors to search. Embed at least one item first.")
        is_count = isinstance(k, int | np.integer) and not isinstance(k, bool)
        if not is_count or not 1 <= k <= n:
            raise ParameterError(f"k must be an integer in [1, {n:,}] (the vectors), got {k!r}.")

    def _allowed_rows(self, where: BoolVector | None) -> Rows | None:
        if where is None:
            return None
        mask = np.asarray(where)
        if mask.dtype != np.bool_ or mask.shape != (len(self),):
            raise QueryError(
                f"The filter has dtype {mask.dtype} and shape {mask.shape}; "
                f"give one boolean per vector, shape ({len(self)},)."
            )
        rows = np.flatnonzero(mask)
        if not len(rows):
            raise QueryError("The filter leaves no vector to search. Loosen it.")
        return rows

    # Search

    def _search_one(
        self, query: Float64, k: int, own: int | None, allowed: Rows | None
    ) -> tuple[Rows, NDArray[np.float32]]:
        if not self.exact and allowed is None:
            excluded = None if own is None else np.array([own])
            positions, nearness = self._approximate_block(query[None], k, excluded)
            return positions[0], nearness[0]
        return self._exact_one(query, k, own, allowed)

    def _exact_one(
        self, query: Float64, k: int, own: int | None, allowed: Rows | None
    ) -> tuple[Rows, NDArray[np.float32]]:
        """Score all rows with one BLAS product, which beats faiss Flat for a single query."""
        rows = allowed
        if rows is not None and len(rows) > _GATHER_BELOW * len(self):
            nearness = self._scoring.coarse(query)[rows]
        else:
            nearness = self._scoring.coarse(query, rows)
        rows = np.arange(len(self)) if rows is None else rows
        if own is not None:
            keep = rows != own
            rows, nearness = rows[keep], nearness[keep]
        k = min(k, len(rows))
        if k < len(rows):
            kth = np.partition(nearness, len(rows) - k)[len(rows) - k]
            rows = rows[nearness >= kth - 2 * self._scoring.error_bound(query)]
        elif k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        with np.errstate(over="ignore"):  # products beyond float32 rank as infinite
            fine = self._scoring.fine_unique(query, rows).astype(np.float32)
        best = nearest_first(fine[None], rows[None], k)[0]
        return rows[best], fine[best]

    def _batches(
        self, queries: AnyArray, k: int, own: Rows | None, allowed: Rows | None
    ) -> Iterator[tuple[Rows, NDArray[np.float32]]]:
        approximate = not self.exact and allowed is None
        base = None
        if not approximate and len(queries):
            base = self._scoring.faiss_base(allowed)
        for start in range(0, len(queries), _QUERY_BLOCK):
            prepared = self._scoring.prepare(queries[start : start + _QUERY_BLOCK])
            mine = None if own is None else own[start : start + _QUERY_BLOCK]
            if base is None:
                yield self._approximate_block(prepared, k, mine)
            else:
                yield self._exact_block(prepared, k, mine, allowed, base)

    def _exact_block(
        self,
        queries: Float64,
        k: int,
        own: Rows | None,
        allowed: Rows | None,
        base: FloatMatrix,
    ) -> tuple[Rows, NDArray[np.float32]]:
        scoring = self._scoring
        fetched = min(len(base), k + _SLACK + (own is not None))
        if scoring.is_extreme or np.abs(queries).max(initial=0.0) > 1e18:
            doubtful = np.ones(len(queries), dtype=bool)
            positions = np.zeros((len(queries), k), np.int64)
            nearness = np.zeros((len(queries), k), np.float32)
        else:
            ids, left_behind = likely_nearest(
                queries.astype(np.float32), base, fetched, euclidean=self.metric == "euclidean"
            )
            ids = ids if allowed is None else allowed[ids]
            positions, nearness = self._rescored(queries, ids, k, own)
            # Was something left behind that could tie with the k-th? Then look at all rows.
            kth = nearness[:, -1].astype(np.float64)
            kth = -(kth**2) if self.metric == "euclidean" else kth
            bounds = np.array([scoring.error_bound(q) for q in queries])
            doubtful = (fetched < len(base)) & ~(left_behind < kth - 2 * bounds)
        for rows in _equal_rows(queries, np.flatnonzero(doubtful)):
            self._fill_equal(rows, queries[rows[0]], own, allowed, positions, nearness)
        return positions, nearness

    def _fill_equal(
        self,
        rows: Rows,
        query: Float64,
        own: Rows | None,
        allowed: Rows | None,
        positions: Rows,
        nearness: NDArray[np.float32],
    ) -> None:
        """Answer equal queries by one look at all rows: data of categories hold many of them."""
        k = positions.shape[1]
        found, scores = self._exact_one(query, k + (own is not None), None, allowed)
        for i in rows:
            others = slice(k) if own is None else np.flatnonzero(found != own[i])[:k]
            positions[i], nearness[i] = found[others], scores[others]

    def _rescored(
        self, queries: Float64, ids: Rows, k: int, own: Rows | None
    ) -> tuple[Rows, NDArray[np.float32]]:
        """Order candidates by their float64 scores; ``own`` and missing ones (-1) go last."""
        fine = np.empty(ids.shape, dtype=np.float32)
        step = max(1, 4_000_000 // (ids.shape[1] * self.vectors.dim))
        for start in range(0, len(ids), step):
            part = slice(start, start + step)
            fine[part] = self._scoring.fine_pairs(queries[part], ids[part])
        if own is not None:
            fine[ids == own[:, None]] = -np.inf
        fine[ids < 0] = -np.inf
        best = nearest_first(fine, ids, k)
        return np.take_along_axis(ids, best, axis=1), np.take_along_axis(fine, best, axis=1)

    def _approximate_block(
        self, queries: Float64, k: int, own: Rows | None
    ) -> tuple[Rows, NDArray[np.float32]]:
        n = len(self)
        available = n - (own is not None)
        k = min(k, available)
        fetched = min(n, k + _SLACK + (own is not None))
        ids = self._inverted_file().candidates(queries.astype(np.float32), fetched)
        positions, nearness = self._rescored(queries, ids, k, own)
        # The probed cells held fewer than k rows: the promise of k answers goes before speed.
        for i in np.flatnonzero(~np.isfinite(nearness).all(axis=1)):
            mine = None if own is None else int(own[i])
            positions[i], nearness[i] = self._exact_one(queries[i], k, mine, None)
        return positions, nearness

    def _inverted_file(self) -> InvertedFile:
        with self._build_lock:
            if self._inverted is None:
                self._inverted = InvertedFile(self._scoring)
            return self._inverted

    def _engine(self, n_compared: int, *, exact: bool) -> str:
        return f"exact, {n_compared:,} compared" if exact else self._inverted_file().engine


def _equal_rows(queries: Float64, among: Rows) -> Iterator[Rows]:
    """Yield groups of the rows ``among`` that hold the same bytes."""
    if not len(among):
        return
    some = np.ascontiguousarray(queries[among])
    raw = some.view(np.dtype((np.void, some.shape[1] * some.itemsize))).ravel()
    _, group = np.unique(raw, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order])) + 1
    yield from np.split(among[order], starts)
