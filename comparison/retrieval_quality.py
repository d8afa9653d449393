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
"""``(m,) rows of queries -> (m, n_documents) float64``, higher is better."""

LEAST_QUERIES = 20
DEPTH = 1_000
TIES = "queries with an answer that ties"
MEASURES = ("nDCG", "recall", "MRR", "MAP", "hit")
_CELLS = 8_000_000  # 64 MB of scores at a time


def space_scores(queries: FloatMatrix, documents: FloatMatrix, metric: Metric) -> Score:
    """Return the score of a space: nearness in its metric, in float64.

    Scores that differ by less than rounding are equal, so that equal documents tie.

    Parameters
    ----------
    queries : (q, d) float32
    documents : (n, d) float32
    metric : {"cosine", "dot", "euclidean"}
    """
    scoring = Scoring(documents, metric)
    asked, answers = scoring.prepare(queries), scoring.prepare(documents)
    halves = (answers**2).sum(axis=1) / 2 if metric == "euclidean" else np.zeros(len(answers))

    def score(rows: Rows) -> Floats:
        # Nearer means that q·d - |d|²/2 is larger.
        found: Floats = asked[rows] @ answers.T - halves
        scale = np.abs(found).max(axis=1, keepdims=True, initial=0.0)
        return np.round(found / np.where(scale > 0, scale, 1.0), 12)

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
    ``depth`` deep. Equal scores come in order of position, which flatters whoever scores many alike
    where answers stand first in the data: ``extra`` holds the share of queries with an answer that
    ties.

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


def query_figures(ranks: Rows, gains: Floats, k: int, depth: int = DEPTH) -> Floats:
    """Return nDCG@k, recall@k, MRR, MAP and hit@k of one query.

    Parameters
    ----------
    ranks : (r,) int64
        Of its relevant documents, from 1.
    gains : (r,) float64
        Above 0.
    """
    order = np.argsort(ranks)
    ranks, gains = ranks[order], gains[order]
    near = ranks <= k
    dcg = (gains[near] / np.log2(ranks[near] + 1)).sum()
    seen = ranks[ranks <= depth]
    precision = np.arange(1, len(seen) + 1) / seen
    first = 1 / seen[0] if len(seen) else 0.0
    return np.array(
        [dcg / _ideal(gains, k), near.mean(), first, precision.sum() / len(ranks), near.any()]
    )


def chance_figures(gains: Floats, n_candidates: int, k: int, depth: int = DEPTH) -> Floats:
    """Return what ``query_figures`` are on average when the candidates come in random order."""
    length = min(k, n_candidates)
    discounts = (1 / np.log2(np.arange(2, length + 2))).sum()
    mrr, ap, hit = _chance_of_ranks(len(gains), n_candidates, k, depth)
    ndcg = gains.sum() / n_candidates * discounts / _ideal(gains, k)
    return np.array([ndcg, length / n_candidates, mrr, ap, hit])


@lru_cache(maxsize=4_096)
def _chance_of_ranks(r: int, n: int, k: int, depth: int) -> tuple[float, float, float]:
    """Return expected MRR, average precision and hit@k of ``r`` relevant among ``n``."""
    places = np.arange(1, n + 1)
    # Probability that none of the first j is relevant.
    none = np.cumprod(np.clip(n - r - places + 1, 0, None) / (n - places + 1))
    first = -np.diff(none, prepend=1.0)
    cut = places[:depth]
    others = (r - 1) / (n - 1) if n > 1 else 0.0
    ap = ((1 + (cut - 1) * others) / cut).sum() / n
    return float((first[:depth] / cut).sum()), float(ap), float(1 - none[min(k, n) - 1])


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
                ranks, ties[place] = _ranks(scores[row], test, place, is_relevant, among)
                figures[place] = query_figures(ranks, test.gains[place][is_relevant], k, depth)
        found[name] = figures, ties
    progress(total, total, "searching")
    return found


def _ranks(
    scores: Floats, test: JudgedQueries, place: int, is_relevant: BoolVector, among: str
) -> tuple[Rows, bool]:
    """Return the ranks of the relevant documents of one query and whether one of them ties."""
    relevant = test.judged[place][is_relevant]
    is_candidate = np.full(len(scores), among == "all")
    is_candidate[test.judged[place]] = True
    if test.itself[place] >= 0:
        is_candidate[test.itself[place]] = False
    candidates = np.flatnonzero(is_candidate)
    found = scores[candidates]
    ranks, has_tie = np.empty(len(relevant), np.int64), False
    for i, document in enumerate(relevant.tolist()):  # few, so that sorting all would cost more
        own = scores[document]
        equal = candidates[found == own]
        ranks[i] = 1 + np.count_nonzero(found > own) + np.count_nonzero(equal < document)
        has_tie |= len(equal) > 1
    return ranks, has_tie


def _chance(test: JudgedQueries, k: int, depth: int, among: str) -> Floats:
    rows = []
    for judged, gains, itself in zip(test.judged, test.gains, test.itself, strict=True):
        n = len(judged) if among == "judged" else test.n_documents - int(itself >= 0)
        rows.append(chance_figures(gains[gains > 0], n, k, depth))
    return np.array(rows)
