"""How well vectors find what belongs together: recall among the first k, and what chance gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix

KS = (1, 5, 10)
QUERIES_PER_BLOCK = 512


@dataclass(frozen=True)
class Retrieval:
    """How often the right thing is found.

    Attributes
    ----------
    recall : mapping of int to float
        Per k: the share of queries with something right among the k nearest candidates.
    mrr : float
        Mean of 1 / rank of the first right candidate.
    n_queries, n_candidates : int
    """

    recall: dict[int, float]
    mrr: float
    n_queries: int
    n_candidates: int

    @property
    def standing(self) -> tuple[float, float]:
        """Return what epochs are compared by: recall@5, then MRR."""
        return self.recall[5], self.mrr

    def figures(self) -> dict[str, float]:
        """Return the figures by their names."""
        return {**{f"recall@{k}": v for k, v in self.recall.items()}, "mrr": self.mrr}


def retrieval(
    queries: FloatMatrix,
    candidates: FloatMatrix,
    right: NDArray[np.bool_],
    *,
    without_self: bool = False,
) -> Retrieval:
    """Return how often the vectors of queries find what is right.

    Parameters
    ----------
    queries : (m, d) float32
        Of length 1; so are candidates.
    candidates : (n, d) float32
    right : (m, n) bool
        Which candidates are right; every query has at least one.
    without_self : bool
        Whether queries and candidates are the same things, and none may find itself.

    Notes
    -----
    Wrong candidates as similar as the right one count as nearer: vectors that are all alike find
    nothing.
    """
    ranks = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), QUERIES_PER_BLOCK):
        here = slice(start, start + QUERIES_PER_BLOCK)
        scores = queries[here] @ candidates.T
        if without_self:
            scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -np.inf
        best = np.where(right[here], scores, -np.inf).max(axis=1, keepdims=True)
        ranks[here] = 1 + ((scores >= best) & ~right[here]).sum(axis=1)
    return Retrieval(
        {k: float((ranks <= k).mean()) for k in KS},
        float((1 / ranks).mean()),
        len(queries),
        len(candidates) - without_self,
    )


def chance(
    right: NDArray[np.bool_], ks: Sequence[int] = KS, *, without_self: bool = False
) -> dict[int, float]:
    """Return the recall at each k of candidates in random order.

    With r right ones among n, the first k hold none of them with probability
    ``C(n - r, k) / C(n, k)``.
    """
    n = right.shape[1] - without_self
    counts, queries = np.unique(right.sum(axis=1), return_counts=True)
    found = {}
    for k in ks:
        first = np.arange(min(k, n))
        missed = np.prod(np.clip((n - counts[:, None] - first) / (n - first), 0, 1), axis=1)
        found[k] = float(((1 - missed) * queries).sum() / queries.sum())
    return found


def knn_accuracy(
    gallery: FloatMatrix,
    labels: Sequence[str],
    queries: FloatMatrix,
    truth: Sequence[str],
    k: int,
) -> float:
    """Return how often the k nearest of the gallery vote for the true label of a query.

    Votes count as much as they are similar; ties go to the label that comes first.

    Parameters
    ----------
    gallery : (n, d) float32
        Of length 1; so are queries.
    labels : sequence of str
    queries : (m, d) float32
    truth : sequence of str
    k : int
    """
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    known = {name: i for i, name in enumerate(names.tolist())}
    k = min(k, len(gallery))
    right = 0
    for start in range(0, len(queries), QUERIES_PER_BLOCK):
        scores = queries[start : start + QUERIES_PER_BLOCK] @ gallery.T
        nearest = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        weights = np.take_along_axis(scores, nearest, axis=1)
        votes = np.zeros((len(scores), len(names)))
        np.add.at(votes, (np.arange(len(scores))[:, None], codes[nearest]), weights)
        chosen = votes.argmax(axis=1)
        wanted = [known.get(label, -1) for label in truth[start : start + QUERIES_PER_BLOCK]]
        right += int((chosen == np.array(wanted)).sum())
    return right / max(1, len(queries))
