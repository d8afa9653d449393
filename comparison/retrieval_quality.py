"""Search with known answers: recall@k, MRR, nDCG@k, MAP and hit@k of every query."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from comparison.judged_queries import JudgedQueries
from comparison.task_result import Setting, TaskResult, TaskScore
from core.arrays import BoolVector, FloatMatrix
from core.errors import ParameterError
from core.modality import Metric
from core.progress import Progress, quiet
from vectors.scoring import Scoring

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Score = Callable[[Rows], Floats]
"""``(m,) rows of queries -> (m, n_documents) float64``, higher is better; -inf is not found."""

LEAST_QUERIES = 20
DEPTH = 1_000
TIES = "queries with an answer that ties"
MEASURES = ("nDCG", "recall", "MRR", "MAP", "hit")
_CELLS = 8_000_000  # 64 MB of scores at a time


def space_scores(queries: FloatMatrix, documents: FloatMatrix, metric: Metric) -> Score:
    """Return the score of a space: nearness in its metric, in float64.

    Scores that differ by less than rounding are equal, so that equal documents tie. A query of
    zeros is one of which the space knows nothing; it finds nothing.

    Parameters
    ----------
    queries : (q, d) float32
    documents : (n, d) float32
    metric : {"cosine", "dot", "euclidean"}
    """
    scoring = Scoring(documents, metric)
    asked, answers = scoring.prepare(queries), scoring.prepare(documents)
    is_blank: BoolVector = np.logical_not(np.any(queries, axis=1))
    halves = (answers**2).sum(axis=1) / 2 if metric == "euclidean" else np.zeros(len(answers))

    def score(rows: Rows) -> Floats:
        # Nearer means that q·d - |d|²/2 is larger.
        found: Floats = asked[rows] @ answers.T - halves
        scale = np.abs(found).max(axis=1, keepdims=True, initial=0.0)
        scores: Floats = np.round(found / np.where(scale > 0, scale, 1.0), 12)
        scores[is_blank[rows]] = -np.inf
        return scores

    return score


def measure_retrieval(
    methods: Mapping[str, Score],
    test: JudgedQueries,
    *,
    k: int = 10,
    depth: int = DEPTH,
    among: Literal["all", "judged"] = "all",
    baselines: Sequence[str] = (),
    least_queries: int = LEAST_QUERIES,
    seed: int = 0,
    progress: Progress = quiet,
) -> dict[str, TaskResult]:
    """Return how well methods bring back what is relevant, query by query.

    With the ranks of relevant documents (gain above 0): recall@k is the share of them among the
    first ``k``, hit@k whether there is one, MRR 1 over the rank of the first, MAP the mean over
    them of the precision at their ranks, nDCG@k ``Σ gain / log2(rank + 1)`` over that of the best
    order (Järvelin & Kekäläinen 2002 with linear gain, as BEIR and MTEB). MRR and MAP look
    ``depth`` deep. Where scores are equal the figures are their means over all orders of the equal
    ones (McSherry & Najork 2008, "Computing Information Retrieval Performance Measures Efficiently
    in the Presence of Tied Scores"), and ``extra`` holds the share of queries with an answer that
    ties. A document that scores -inf is not found, at any rank.

    Parameters
    ----------
    methods : mapping of str to Score
        Such as from ``space_scores`` and ``bm25_scores``.
    test : JudgedQueries
    k, depth : int
    among : {"all", "judged"}
        Rank every document, or those judged for the query only (re-ranking).
    baselines : sequence of str
        Which methods are no space.
    least_queries : int
        Fewer are refused.
    seed : int
        Of the bootstrap over queries.
    progress : Progress
        Called once per block of queries.

    Returns
    -------
    dict of str to TaskResult
        Under "nDCG", "recall", "MRR", "MAP" and "hit".

    Raises
    ------
    ParameterError
        If ``k`` or ``depth`` is below 1.
    """
    if k < 1 or depth < 1:
        raise ParameterError(f"k and depth must be 1 or more, got {k!r} and {depth!r}.")
    refused = ""
    if len(test) < least_queries:
        refused = (
            f"{len(test)} queries with a relevant document are too few; {least_queries} are needed."
        )
    found = {} if refused else _figures(methods, test, k, depth, among, progress)
    chance = None if refused else _chance(test, k, depth, among)
    settings: dict[str, Setting] = {
        "k": k, "depth": depth, "ranked": among, "documents": test.n_documents, "seed": seed,
    }  # fmt: skip
    results = {}
    for i, measure in enumerate(MEASURES):
        at_k = measure not in {"MRR", "MAP"}
        results[measure] = TaskResult(
            f"retrieval-{measure.lower()}",
            "Search with judgements",
            f"{measure}@{k}" if at_k else measure,
            "queries",
            len(test),
            None if chance is None else float(chance[:, i].mean()),
            "expected value of a random order",
            settings,
            {
                name: TaskScore.of_units(f[:, i], seed=seed, extra={TIES: float(ties.mean())})
                for name, (f, ties) in found.items()
            },
            tuple(baselines),
            test.left_out,
            warning=" ".join(test.notes),
            refused=refused,
        )
    return results


def query_figures(
    before: Rows, gains: Floats, k: int, depth: int = DEPTH, tied: Rows | None = None
) -> Floats:
    """Return nDCG@k, recall@k, MRR, MAP and hit@k of one query, over all orders of ties.

    Parameters
    ----------
    before : (r,) int64
        How many candidates score higher than each of its relevant documents; -1 = not found.
    gains : (r,) float64
        Above 0.
    tied : (r,) int64, optional
        How many candidates score as each does, itself included; 1 by default.
    """
    discounts = np.append(1 / np.log2(np.arange(2, k + 2)), 0.0)
    dcg = recalled = ap = mrr = 0.0
    missed, n_before = 1.0, 0
    for start in np.unique(before[before >= 0]).tolist():
        some = before == start
        r, t = int(some.sum()), 1 if tied is None else int(tied[some][0])
        inside = min(max(k - start, 0), t)  # of the places of the tie among the first k
        dcg += gains[some].mean() * r * discounts[start : start + inside].sum() / t
        recalled += r * inside / t
        places = start + np.arange(1, min(t, max(0, depth - start)) + 1)
        first, none = _first_of(r, t, max(inside, len(places)))
        missed *= none[inside]
        if n_before == 0:
            mrr = float((first[: len(places)] / places).sum())
        # At its place, a share of the others of the tie stands before a relevant document.
        others = (places - start - 1) * (r - 1) / max(1, t - 1)
        ap += r / t * float(((n_before + 1 + others) / places).sum())
        n_before += r
    n = len(gains)
    return np.array([dcg / _ideal(gains, k), recalled / n, mrr, ap / n, 1 - missed])


@lru_cache(maxsize=1_024)
def _first_of(r: int, t: int, m: int) -> tuple[Floats, Floats]:
    """Return how likely the first of ``r`` among ``t`` in random order is at each of ``m`` places.

    And how likely none of them is among the first 0, 1, … m.
    """
    places = np.arange(1, m + 1)
    none = np.append(1.0, np.cumprod(np.clip(t - r - places + 1, 0, None) / (t - places + 1)))
    return -np.diff(none), none


def chance_figures(gains: Floats, n_candidates: int, k: int, depth: int = DEPTH) -> Floats:
    """Return what ``query_figures`` are on average when the candidates come in random order."""
    none = np.zeros(len(gains), np.int64)
    return query_figures(none, gains, k, depth, none + n_candidates)


def _ideal(gains: Floats, k: int) -> float:
    best = np.sort(gains)[::-1][:k]
    return float((best / np.log2(np.arange(2, len(best) + 2))).sum())


def _figures(
    methods: Mapping[str, Score],
    test: JudgedQueries,
    k: int,
    depth: int,
    among: str,
    progress: Progress,
) -> dict[str, tuple[Floats, BoolVector]]:
    """Return ``(m, 5)`` figures of each method, and where a relevant document ties."""
    step = max(1, _CELLS // max(1, test.n_documents))
    total = len(test) * len(methods)
    found = {}
    for i, (name, score) in enumerate(methods.items()):
        figures, ties = np.empty((len(test), len(MEASURES))), np.zeros(len(test), bool)
        for start in range(0, len(test), step):
            progress(i * len(test) + start, total, "searching", name)
            places = range(start, min(start + step, len(test)))
            scores = score(test.queries[start : start + step])
            for row, place in enumerate(places):
                is_relevant = test.gains[place] > 0
                before, tied = _places(scores[row], test, place, is_relevant, among)
                ties[place] = (tied > 1).any()
                figures[place] = query_figures(
                    before, test.gains[place][is_relevant], k, depth, tied
                )
        found[name] = figures, ties
    progress(total, total, "searching")
    return found


def _places(
    scores: Floats, test: JudgedQueries, place: int, is_relevant: BoolVector, among: str
) -> tuple[Rows, Rows]:
    """Return how many candidates score higher than each relevant document, and how many as it."""
    relevant = test.judged[place][is_relevant]
    is_candidate = np.full(len(scores), among == "all")
    is_candidate[test.judged[place]] = True
    if test.itself[place] >= 0:
        is_candidate[test.itself[place]] = False
    found = scores[is_candidate]
    before, tied = np.full(len(relevant), -1, np.int64), np.ones(len(relevant), np.int64)
    for i, own in enumerate(scores[relevant].tolist()):  # few: sorting all would cost more
        if own > -np.inf:
            before[i], tied[i] = np.count_nonzero(found > own), np.count_nonzero(found == own)
    return before, tied


def _chance(test: JudgedQueries, k: int, depth: int, among: str) -> Floats:
    rows = []
    for judged, gains, itself in zip(test.judged, test.gains, test.itself, strict=True):
        n = len(judged) if among == "judged" else test.n_documents - int(itself >= 0)
        rows.append(chance_figures(gains[gains > 0], n, k, depth))
    return np.array(rows)
