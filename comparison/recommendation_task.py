"""Recommendation as a task: what users chose, found again or foreseen, beside what is popular."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from comparison.recommendation import (
    CHANCE,
    MOST_POPULAR,
    RecommendationTest,
    measure_recommendation,
)
from comparison.task_result import TaskResult, TaskScore
from core.errors import DatasetError
from core.progress import Progress, quiet
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors

LEAST_USERS = 20
SEEN_WARNING = (
    "These choices may have been seen when the vectors were made: the figure tells how well they "
    "keep the choices, not how well they foresee new ones. Give later choices to measure that."
)


def recommendation_results(
    spaces: Mapping[str, KeyedVectors],
    dataset: Dataset,
    *,
    later: ArrayLike | None = None,
    k: int = 20,
    seed: int = 0,
    progress: Progress = quiet,
) -> dict[str, TaskResult]:
    """Return recall@k and nDCG@k over users, items ranked by each space's own metric.

    Parameters
    ----------
    spaces : mapping of str to KeyedVectors
        A space without vectors of both sides is refused.
    dataset : Dataset
        Of interactions.
    later : (m, 2) int, optional
        Choices that are not in the dataset, by position of the user and of the item in
        ``dataset.ids``: they are looked for among the items that the user does not have in the
        dataset, beside the items that are most popular there. Without them the choices of the
        dataset itself are looked for, which are its interactions with a weight above 0; what was
        rated 0 or less is known and not listed.
    k : int
    seed : int
        Of the bootstrap over users and of the order of ties.
    progress : Progress

    Returns
    -------
    dict of str to TaskResult
        Under "recall" and "nDCG".

    Raises
    ------
    DatasetError
        If the dataset has no two sides, or nothing is to be found.

    References
    ----------
    As ``measure_recommendation``.
    """
    if dataset.sides is None or dataset.edges is None:
        raise DatasetError(f"{dataset.name} has no users and items. Give interactions.")
    n_left, sides = dataset.sides.n_left, set(dataset.sides.names)
    own = np.stack([dataset.edges.source, dataset.edges.target], axis=1).astype(np.int64)
    shift = np.array([0, n_left])
    is_choice = dataset.edges.weight > 0
    wanted = own[is_choice] if later is None else np.asarray(later, np.int64).reshape(-1, 2)
    hidden = own[~is_choice] if later is None else own
    n_low = int((~is_choice).sum()) if later is None else 0
    test = RecommendationTest.of(dataset, hidden=hidden - shift, relevant=wanted - shift)
    n_users = int((test.relevant.sizes > 0).sum())
    refused = ""
    if n_users < LEAST_USERS:
        refused = f"{n_users} users have something to be found; {LEAST_USERS} are needed."
    usable = {name: v for name, v in spaces.items() if sides <= set(v.kind_names)}
    blank = TaskResult(
        "recommendation",
        "Recommendation",
        "",
        "users",
        n_users,
        chance_how="expected value of a random order",
        settings={"k": k, "choices to find": int(test.relevant.sizes.sum()), "seed": seed},
        warning=SEEN_WARNING if later is None else "",
        refused=refused,
        left_out={"ratings of 0 or less": n_low} if n_low else {},
    )
    found = (
        None if refused else measure_recommendation(usable, test, k=k, seed=seed, progress=progress)
    )
    results = {}
    for measure in ("recall", "nDCG"):
        field = measure.lower()
        scores: dict[str, TaskScore] = {}
        chance = None
        for name in spaces if found else ():
            scores[name] = TaskScore.refusal(f"It lacks vectors of {' or '.join(sorted(sides))}.")
        for name, score in found.scores.items() if found else ():
            each = getattr(score.per_user, field)
            if name == CHANCE:
                chance = float(each.mean())
            elif name != MOST_POPULAR or later is not None:  # else nothing is known of popularity
                scores[name] = TaskScore.of_units(each, seed=seed)
        results[measure] = replace(
            blank,
            task=f"recommendation-{field}",
            measure=f"{measure}@{k}",
            chance=chance,
            scores=scores,
            baselines=(MOST_POPULAR,) if later is not None and scores else (),
        )
    return results
