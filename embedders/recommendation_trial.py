"""The trial of a recommender: what it learns from, when it stops, and how it compares."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix
from core.progress import Progress
from embedders.interactions import Interactions
from embedders.recommendation_baselines import popularity, tuned_als
from vectors.bootstrap import bootstrap_mean
from vectors.ranking import (
    Floats,
    ItemSets,
    RankingScores,
    Score,
    Users,
    best_items,
    chance_scores,
    ranking_scores,
)

K = 20
"""Length of the lists by which recommenders are judged."""
MOST_JUDGED = 5_000
"""Users that figures are computed on; of more, so many are drawn."""
N_GROUPS = 3
ALS_TITLE, POPULARITY_TITLE, CHANCE_TITLE = "Implicit ALS", "Most popular", "Chance"


class Trial:
    """Interactions divided by lot, and the figures that the division yields.

    Parameters
    ----------
    data : Interactions
    part : (m,) int8
        From ``hold_out``: 0 to learn from, 1 to stop by, 2 to be judged by.
    seed : int
    """

    def __init__(self, data: Interactions, part: NDArray[np.int8], seed: int) -> None:
        self.data, self.seed = data, seed
        self.seen, self._stop, self._test = (data.sets(part == which) for which in range(3))
        # As in the lists of the app: what a user has had is not recommended, whether it counts or
        # not (a low rating says that the item is known).
        self._known, self._hidden = data.known(part == 0), data.known(part < 2)
        self._n_counted = np.bincount(data.users[part < 2], minlength=data.n_users)
        self._stop_users = some_users(self._stop, seed)
        self._test_users = some_users(self._test, seed)
        self.can_stop = len(self._stop_users) > 0
        self.can_judge = len(self._test_users) > 0

    def stopping_recall(self, score: Score) -> float:
        """Return the mean recall on the part to stop by; what was had before is not listed."""
        lists = best_items(score, self._stop_users, self.data.n_items, K, hidden=self._known)
        return float(ranking_scores(lists, self._stop, self._stop_users).recall.mean())

    def held_out(self, recalls: list[float], kept: int) -> dict[str, Any]:
        """Return what the provenance says of the training; ``recalls`` begin before it."""
        return {
            "name": f"recall@{K}",
            "values": [round(value, 5) for value in recalls],
            "before": round(recalls[0], 5),
            "start": 0,
            "kept": kept,
            "chance": self._chance_to_stop,
        }

    @cached_property
    def _chance_to_stop(self) -> float:
        chance = chance_scores(self.data.n_items, K, self._known, self._stop, self._stop_users)
        return round(float(chance.recall.mean()), 5)

    def judged(
        self,
        title: str,
        users: FloatMatrix,
        items: FloatMatrix,
        progress: Progress,
        *,
        with_als: bool,
    ) -> dict[str, Any]:
        """Return how a recommender compares with the baselines on the part to be judged by.

        Parameters
        ----------
        title : str
        users, items : (n_users, d) and (n_items, d) float32
            A score is their dot product.
        progress : Progress
        with_als : bool
            Whether to fit implicit ALS too.
        """
        n_items = self.data.n_items
        scores = {title: self._scored(lambda rows: users[rows] @ items.T)}
        about: dict[str, Any] = {}
        if with_als:
            als = tuned_als(
                self.seen,
                n_items,
                self.stopping_recall if self.can_stop else None,
                seed=self.seed,
                on_fit=lambda done, total: progress(done, total, "fitting implicit ALS"),
            )
            scores[ALS_TITLE] = self._scored(als.score)
            about["als"] = {**vars(als.settings), "tuned": self.can_stop}
        scores[POPULARITY_TITLE] = self._scored(popularity(self.seen, n_items))
        scores[CHANCE_TITLE] = chance_scores(n_items, K, self._hidden, self._test, self._test_users)
        return {
            "k": K,
            "n_users": len(self._test_users),
            "n_users_with_any": int((self._test.sizes > 0).sum()),
            "n_held_out": int(self._test.sizes[self._test_users].sum()),
            "rows": [_row(name, found) for name, found in scores.items()],
            "differences": [
                _row(name, _less(scores[title], found))
                for name, found in scores.items()
                if name not in {title, CHANCE_TITLE}
            ],
            "groups": self._groups(scores),
            **about,
        }

    def _scored(self, score: Score) -> RankingScores:
        lists = best_items(score, self._test_users, self.data.n_items, K, hidden=self._hidden)
        return ranking_scores(lists, self._test, self._test_users)

    def _groups(self, scores: Mapping[str, RankingScores]) -> list[dict[str, Any]]:
        """Return the mean recall among users with few, some and many interactions."""
        sizes = self.seen.sizes[self._test_users]
        edges = np.unique(np.quantile(sizes, np.linspace(0, 1, N_GROUPS + 1)[1:-1], method="lower"))
        which = np.searchsorted(edges, sizes)  # up to and with the first edge, and so on
        groups = []
        for group in np.unique(which):
            inside = which == group
            groups.append(
                {
                    "from": int(sizes[inside].min()),
                    "to": int(sizes[inside].max()),
                    "n_users": int(inside.sum()),
                    "recall": {
                        name: round(float(found.recall[inside].mean()), 5)
                        for name, found in scores.items()
                    },
                }
            )
        return groups

    def notes(self, names: tuple[str, str]) -> list[str]:
        """Return sentences on how the interactions were divided and on users without any."""
        learnt, n = self.seen.sizes, len(self.data)
        n_stop, n_test = int(self._stop.sizes.sum()), int(self._test.sizes.sum())
        notes = []
        if self.can_judge:
            notes.append(
                f"Of {n:,} interactions, {n_test:,} were kept to judge by and {n_stop:,} to say "
                "when to stop, drawn per user."
            )
        else:
            notes.append("Nothing was held out, so there are no figures on how well it recommends.")
        if self.can_judge and not self.can_stop:
            notes.append("Too little was held out to say when to stop: every epoch was trained.")
        if n_alone := int((self._n_counted == 0).sum()):
            notes.append(
                f"{n_alone:,} of {len(learnt):,} {names[0]}s have no interaction that counts; they "
                "share one vector."
            )
        used = np.bincount(self.data.items, minlength=self.data.n_items)
        if n_unused := int((used == 0).sum()):
            notes.append(
                f"{n_unused:,} of {len(used):,} {names[1]}s are in no interaction that counts."
            )
        return notes


def some_users(held: ItemSets, seed: int) -> Users:
    """Return the users with something held out; of many, ``MOST_JUDGED`` drawn by lot."""
    users = np.flatnonzero(held.sizes)
    if len(users) <= MOST_JUDGED:
        return users
    return np.sort(np.random.default_rng(seed).choice(users, MOST_JUDGED, replace=False))


def _row(name: str, found: RankingScores) -> dict[str, Any]:
    """Return means with their intervals as plain values."""

    def interval(values: Floats) -> list[float]:
        return [round(figure, 5) for figure in bootstrap_mean(values)]

    return {"name": name, "recall": interval(found.recall), "ndcg": interval(found.ndcg)}


def _less(one: RankingScores, other: RankingScores) -> RankingScores:
    return RankingScores(one.recall - other.recall, one.ndcg - other.ndcg)
