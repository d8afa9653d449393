"""How well vectors of users and items recommend, beside what is popular and chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.arrays import BoolVector, FloatMatrix
from core.errors import DatasetError, ParameterError
from core.progress import Progress, quiet
from ingest.dataset import Dataset
from vectors.bootstrap import Interval, bootstrap_mean
from vectors.keyed import KeyedVectors
from vectors.ranking import (
    Floats,
    ItemSets,
    RankingScores,
    Score,
    best_items,
    chance_scores,
    ranking_scores,
)

MOST_POPULAR, CHANCE = "most popular", "chance"


@dataclass(frozen=True, eq=False)
class RecommendationTest:
    """What was known of users when the vectors were made, and what is to be found.

    Attributes
    ----------
    users, items : tuple of str
        Keys of either side.
    kinds : (str, str)
        What users and items are called.
    hidden : ItemSets
        Known already: not listed, and counted for popularity.
    relevant : ItemSets
        To be found; apart from the hidden ones.
    """

    users: tuple[str, ...]
    items: tuple[str, ...]
    kinds: tuple[str, str]
    hidden: ItemSets
    relevant: ItemSets

    @classmethod
    def of(cls, dataset: Dataset, *, hidden: ArrayLike, relevant: ArrayLike) -> Self:
        """Return the test for the two sides of a dataset of interactions.

        Parameters
        ----------
        dataset : Dataset
        hidden, relevant : (m, 2) int
            Pairs of a user and an item, each counted from 0 on its side. A relevant pair that is
            hidden too is not looked for.

        Raises
        ------
        DatasetError
            If the dataset has no two sides, or nothing is relevant.
        """
        if dataset.sides is None:
            raise DatasetError(f"{dataset.name} has no users and items. Give interactions.")
        n_users = dataset.sides.n_left
        width = len(dataset) - n_users
        known, wanted = (
            np.unique(np.asarray(pairs, np.int64).reshape(-1, 2) @ [width, 1])
            for pairs in (hidden, relevant)
        )
        wanted = np.setdiff1d(wanted, known)
        if not len(wanted):
            raise DatasetError("Nothing is to be found. Keep some interactions back.")
        return cls(
            dataset.ids[:n_users],
            dataset.ids[n_users:],
            dataset.sides.names,
            ItemSets.of(known // width, known % width, n_users),
            ItemSets.of(wanted // width, wanted % width, n_users),
        )


@dataclass(frozen=True, eq=False)
class RecommendationScore:
    """How well one method brings back what is relevant.

    Attributes
    ----------
    recall, ndcg : Interval
        Means over users with their 95 % bootstrap intervals.
    per_user : RankingScores
        Of each user tested.
    """

    recall: Interval
    ndcg: Interval
    per_user: RankingScores


@dataclass(frozen=True, eq=False)
class RecommendationScores:
    """Several methods on one test.

    Attributes
    ----------
    k : int
    users : (n,) int64
        Who was tested: everybody to whom something is relevant.
    scores : mapping of str to RecommendationScore
        The methods given, then "most popular" and "chance".
    differences : mapping of (str, str) to (Interval, Interval)
        Recall and nDCG of the first less those of the second, user by user; chance left out.
    """

    k: int
    users: NDArray[np.int64]
    scores: Mapping[str, RecommendationScore]
    differences: Mapping[tuple[str, str], tuple[Interval, Interval]]


def measure_recommendation(
    spaces: Mapping[str, KeyedVectors],
    test: RecommendationTest,
    *,
    k: int = 20,
    seed: int = 0,
    progress: Progress = quiet,
) -> RecommendationScores:
    """Return recall@k and nDCG@k of methods that have vectors of users and items.

    A user's items are ranked by the metric the vectors are meant for; equally near ones come in a
    random order, one for all users and methods. A user whose vector is zero is shown nothing. The
    vectors must not have been made with knowledge of the relevant interactions; only who made them
    can tell.

    Parameters
    ----------
    spaces : mapping of str to KeyedVectors
    test : RecommendationTest
    k : int
    seed : int
        Of the bootstrap and of the order of ties.
    progress : Progress
        Called once per block of users.

    Raises
    ------
    UnknownKey
        If a user or item has no vector.
    ParameterError
        If a name is that of a baseline, or ``k`` is below 1.
    """
    if taken := {MOST_POPULAR, CHANCE} & set(spaces):
        raise ParameterError(f"{taken.pop()!r} is the name of a baseline. Choose another name.")
    users = np.flatnonzero(test.relevant.sizes)
    n_items = len(test.items)
    test = _reordered(test, np.random.default_rng(seed).permutation(n_items))
    ways: dict[str, Score] = {name: _scoring(v, test) for name, v in spaces.items()}
    counts = np.bincount(test.hidden.items, minlength=n_items).astype(np.float32)
    ways[MOST_POPULAR] = lambda rows: np.broadcast_to(counts, (len(rows), n_items))
    per_user = {
        name: ranking_scores(
            best_items(score, users, n_items, k, hidden=test.hidden, progress=progress),
            test.relevant,
            users,
        )
        for name, score in ways.items()
    }
    pairs = list(combinations(per_user, 2))
    per_user[CHANCE] = chance_scores(n_items, k, test.hidden, test.relevant, users)

    def interval(values: Floats) -> Interval:
        return bootstrap_mean(values, seed=seed)

    return RecommendationScores(
        k,
        users,
        {
            name: RecommendationScore(interval(of.recall), interval(of.ndcg), of)
            for name, of in per_user.items()
        },
        {
            (a, b): (
                interval(per_user[a].recall - per_user[b].recall),
                interval(per_user[a].ndcg - per_user[b].ndcg),
            )
            for a, b in pairs
        },
    )


def _reordered(test: RecommendationTest, order: NDArray[np.int64]) -> RecommendationTest:
    """Return the test with its items in another order: lists put ties in order of position."""
    place = np.argsort(order)
    hidden, relevant = (
        ItemSets.of(np.repeat(np.arange(len(sets)), sets.sizes), place[sets.items], len(sets))
        for sets in (test.hidden, test.relevant)
    )
    items = tuple(test.items[i] for i in order.tolist())
    return replace(test, items=items, hidden=hidden, relevant=relevant)


def _scoring(vectors: KeyedVectors, test: RecommendationTest) -> Score:
    sides = []
    for keys, kind in zip((test.users, test.items), test.kinds, strict=True):
        rows = [vectors.position(key, kind) for key in keys]
        matrix = vectors.matrix[rows].astype(np.float32)
        if vectors.metric == "cosine":
            lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
            matrix = (matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        sides.append(matrix)
    users, items = sides
    half_squares = (
        0.5 * (items**2).sum(axis=1) if vectors.metric == "euclidean" else np.float32(0)
    )  # nearer means u·v - |v|²/2 is larger
    is_blank: BoolVector = np.logical_not(np.any(users, axis=1))

    def score(rows: NDArray[np.int64]) -> FloatMatrix:
        found: FloatMatrix = users[rows] @ items.T - half_squares
        found[is_blank[rows]] = -np.inf  # nobody is listed
        return found

    return score
