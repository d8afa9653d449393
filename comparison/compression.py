"""The compression lab: what is lost when the same vectors are kept in fewer bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from comparison.label_votes import majority
from comparison.neighbour_agreement import chance_overlap
from comparison.vector_codes import Code, Codec, Kept, usual_codes
from core.arrays import BoolVector, FloatMatrix, frozen_float32
from core.errors import ParameterError
from core.modality import METRICS, Metric
from core.progress import Progress, quiet
from vectors.bootstrap import Interval, bootstrap_mean
from vectors.index import VectorIndex
from vectors.keyed import KeyedVectors
from vectors.scoring import Scoring, nearest_first

RESCORED = 4
"""Candidates per neighbour that binary search hands to the full vectors."""
_CELLS = 16_000_000  # Hamming distances at a time
_MILLION = 1_000_000

Lists = NDArray[np.int64]


@dataclass(frozen=True)
class CompressedSpace:
    """What one code keeps, and what it costs.

    Attributes
    ----------
    code : Code
    vector_bytes : int
        Per vector, of what is searched.
    beside_bytes : int
        Per vector, of full vectors that rescoring needs besides; they may lie on a disk.
    codebook_bytes : int
        Once, however many vectors there are.
    recall : Interval
        Share of the k true neighbours among the k found, mean over the queries.
    task : Interval or None
        Share of queries whose label the k found neighbours give by majority.
    on_frontier : bool
        No other is smaller (with what lies beside) and at least as good.
    note : str
    """

    code: Code
    vector_bytes: int
    beside_bytes: int
    codebook_bytes: int
    recall: Interval
    task: Interval | None
    on_frontier: bool = False
    note: str = ""

    @property
    def label(self) -> str:
        """Return the short name of the code."""
        return self.code.label

    @property
    def bytes_per_million(self) -> int:
        """Return the bytes of a million vectors, without the codebook, with what lies beside."""
        return _MILLION * (self.vector_bytes + self.beside_bytes)


@dataclass(frozen=True, eq=False)
class CompressionResult:
    """All codes of one space.

    Attributes
    ----------
    rows : tuple of CompressedSpace
        In the order asked for.
    refused : mapping of str to str
        Label of a code to the reason why it was not judged.
    n, dim, k, n_queries, seed : int
    metric : {"cosine", "dot", "euclidean"}
        Of the true neighbours.
    chance_recall : float
        ``k / (n - 1)``.
    n_task : int
        Queries with a label.
    chance_task : float or None
        The share of the largest class: what always naming it would reach.
    no_task : str
        Why there is no task score; empty where there is one.
    """

    rows: tuple[CompressedSpace, ...]
    refused: Mapping[str, str]
    n: int
    dim: int
    k: int
    n_queries: int
    seed: int
    metric: Metric
    chance_recall: float
    n_task: int
    chance_task: float | None
    no_task: str


def compress(
    matrix: ArrayLike,
    metric: Metric = "cosine",
    *,
    codes: Sequence[Code] | None = None,
    k: int = 10,
    n_queries: int = 1_000,
    labels: Sequence[str | None] | None = None,
    seed: int = 0,
    progress: Progress = quiet,
) -> CompressionResult:
    """Measure what is left of a space in each code.

    A sample of items is looked up among all others. Queries stay at full precision (they are not
    stored), except under Hamming distance. What a code learns (directions, ranges, centres) it
    learns from these items.

    Parameters
    ----------
    matrix : array_like, (n, d)
    metric : {"cosine", "dot", "euclidean"}
        Says which neighbours are the true ones; ties go to the lower row.
    codes : sequence of Code, optional
        By default ``usual_codes(d)``.
    k : int
        1 … n - 1.
    n_queries : int
        All items where there are fewer.
    labels : sequence of str or None, length n, optional
        For a task score: leave-one-out accuracy of the majority of k neighbours; a draw goes to
        the first class by name. Items without a label neither ask nor vote; where no neighbour
        has one, the guess counts as wrong.
    seed : int
        Of the sample, the intervals, random directions and trained centres.
    progress : Progress
        Called once per code.

    Raises
    ------
    ParameterError
        For an unknown metric, too few items, a k or a number of queries out of range.
    DatasetError
        If the matrix holds NaN or infinity, or has no column.
    """
    x = frozen_float32(matrix, what="The vectors")
    n = len(x)
    _check(n, k, n_queries, metric, labels)
    wanted = tuple(codes) if codes is not None else usual_codes(x.shape[1])
    steps = len(wanted) + 1
    rows = _sample(n, n_queries, seed)
    progress(0, steps, "compressing", "true neighbours")
    true = _nearest(x, x[rows], rows, metric, k)
    task = _Task.of(labels, rows)
    codec = Codec(x, metric, rows, seed)
    measured: list[CompressedSpace] = []
    refused: dict[str, str] = {}
    for done, code in enumerate(wanted, 1):
        progress(done, steps, "compressing", code.label)
        if reason := codec.refusal(code):
            refused[code.label] = reason
            continue
        kept = codec.keep(code)
        found = _found(code, kept, x, rows, metric, k)
        measured.append(_measured(code, kept, found, true, task, 4 * x.shape[1], seed))
    progress(steps, steps, "compressing")
    flags = frontier(
        [row.bytes_per_million for row in measured], [row.recall.mean for row in measured]
    )
    marked = (
        replace(row, on_frontier=bool(flag)) for row, flag in zip(measured, flags, strict=True)
    )
    return CompressionResult(
        rows=tuple(marked),
        refused=refused,
        n=n,
        dim=x.shape[1],
        k=k,
        n_queries=len(rows),
        seed=seed,
        metric=metric,
        chance_recall=chance_overlap(k, n),
        n_task=int(task.asks.sum()),
        chance_task=task.chance,
        no_task=task.reason,
    )


def frontier(costs: ArrayLike, scores: ArrayLike) -> BoolVector:
    """Tell, ``(m,) bool``, what nothing cheaper (or equally cheap) beats.

    A row is on the frontier if no other costs at most as much and scores at least as much, one of
    the two strictly. Of equal rows all are. NaN is never on it.
    """
    c, s = np.asarray(costs, np.float64), np.asarray(scores, np.float64)
    better = (c[None] <= c[:, None]) & (s[None] >= s[:, None])
    better &= (c[None] < c[:, None]) | (s[None] > s[:, None])
    return np.asarray(~better.any(axis=1) & np.isfinite(c) & np.isfinite(s))


def _check(
    n: int, k: int, n_queries: int, metric: str, labels: Sequence[str | None] | None
) -> None:
    if metric not in METRICS:
        raise ParameterError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}.")
    if n < 3 or not 1 <= k <= n - 1:
        raise ParameterError(
            f"With {n:,} items k must be an integer in [1, {max(1, n - 1)}] and at least 3 items "
            f"are needed, got k = {k!r}."
        )
    if n_queries < 1:
        raise ParameterError(f"n_queries must be at least 1, got {n_queries!r}.")
    if labels is not None and len(labels) != n:
        raise ParameterError(f"Give one label per item: {n:,} items, {len(labels):,} labels.")


def _sample(n: int, most: int, seed: int) -> Lists:
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def _measured(
    code: Code, kept: Kept, found: Lists, true: Lists, task: _Task, full_bytes: int, seed: int
) -> CompressedSpace:
    place = np.arange(len(found))[:, None] * (1 + int(max(found.max(), true.max())))
    each = np.isin(found + place, true + place).mean(axis=1)
    rescored = code.family == "rescored"
    return CompressedSpace(
        code=code,
        vector_bytes=kept.vector_bytes,
        beside_bytes=full_bytes if rescored else 0,
        codebook_bytes=kept.codebook_bytes,
        recall=bootstrap_mean(each, seed=seed),
        task=bootstrap_mean(task.score(found), seed=seed) if not task.reason else None,
        note="needs the full vectors too, on a disk at least" if rescored else kept.note,
    )


def _found(code: Code, kept: Kept, x: FloatMatrix, rows: Lists, metric: Metric, k: int) -> Lists:
    if not kept.is_hamming:
        return _nearest(kept.items, kept.queries, rows, metric, k)
    if code.family == "binary":
        return _nearest_signs(kept.items, kept.queries, rows, k)
    candidates = _nearest_signs(kept.items, kept.queries, rows, min(RESCORED * k, len(x) - 1))
    scoring = Scoring(x, metric)
    found = np.empty((len(rows), k), np.int64)
    for start in range(0, len(rows), 256):
        part = slice(start, start + 256)
        some = candidates[part]
        nearness = scoring.fine_pairs(scoring.prepare(x[rows[part]]), some).astype(np.float32)
        found[part] = np.take_along_axis(some, nearest_first(nearness, some, k), axis=1)
    return found


def _nearest(
    items: FloatMatrix, queries: FloatMatrix, rows: Lists, metric: Metric, k: int
) -> Lists:
    """Return the ``(q, k)`` nearest items of queries that are rows themselves, without them."""
    keyed = KeyedVectors([str(i) for i in range(len(items))], items, metric=metric)
    found, _ = VectorIndex(keyed, exact=True).search_batch(queries, k + 1)
    return _without_own(found, rows)


def _nearest_signs(items: FloatMatrix, queries: FloatMatrix, rows: Lists, k: int) -> Lists:
    """Do the same by Hamming distance, ``(d - dot) / 2`` of ±1 vectors."""
    n, d = items.shape
    found = np.empty((len(queries), k + 1), np.int64)
    step = max(1, _CELLS // n)
    for start in range(0, len(queries), step):
        dots = queries[start : start + step] @ items.T  # whole numbers: exact in float32
        keys = (d - dots).astype(np.int64) * n + np.arange(n)  # distance first, then the row
        best = np.sort(np.partition(keys, k, axis=1)[:, : k + 1], axis=1)
        found[start : start + step] = best % n
    return _without_own(found, rows)


def _without_own(found: Lists, rows: Lists) -> Lists:
    own = found == rows[:, None]
    own[~own.any(axis=1), -1] = True  # so many duplicates that the item itself is not listed
    rest: Lists = found[~own].reshape(len(found), -1)
    return rest


class _Task:
    """Leave-one-out accuracy of the majority label of k neighbours."""

    def __init__(self, codes: NDArray[np.int64], rows: Lists, reason: str) -> None:
        self.codes, self.rows, self.reason = codes, rows, reason
        self.asks: BoolVector = codes[rows] >= 0 if not reason else np.zeros(len(rows), bool)
        known = codes[codes >= 0]
        self.chance = None if reason else float(np.bincount(known).max() / len(known))

    @classmethod
    def of(cls, labels: Sequence[str | None] | None, rows: Lists) -> _Task:
        if labels is None:
            return cls(np.empty(0, np.int64), rows, "There are no labels.")
        places = {name: i for i, name in enumerate(sorted({x for x in labels if x is not None}))}
        codes = np.array([-1 if x is None else places[x] for x in labels], np.int64)
        if len(places) < 2:
            return cls(codes, rows, f"Labels need at least two classes, there is {len(places)}.")
        if not (codes[rows] >= 0).any():
            return cls(codes, rows, "None of the items looked up has a label.")
        return cls(codes, rows, "")

    def score(self, found: Lists) -> NDArray[np.float64]:
        """Return 1 or 0 for each query with a label."""
        own = self.codes[self.rows[self.asks]]
        guess = majority(self.codes[found[self.asks]], int(self.codes.max()) + 1)
        return np.asarray(guess == own, np.float64)
