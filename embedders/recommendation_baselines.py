"""What a recommender has to beat: the most popular items, and implicit matrix factorisation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.arrays import FloatMatrix
from vectors.ranking import ItemSets, Score, Users

ITERATIONS = 15
FEW = 300_000
"""Interactions up to which all the settings of implicit ALS are tried, beyond only some."""

Judge = Callable[[Score], float]
"""Says how good a way to score is, on interactions set aside for choosing."""


def popularity(seen: ItemSets, n_items: int) -> Score:
    """Return the score that ranks items by how many users have seen them."""
    counts = np.bincount(seen.items, minlength=n_items).astype(np.float32)

    def score(users: Users) -> FloatMatrix:
        return np.broadcast_to(counts, (len(users), n_items))

    return score


@dataclass(frozen=True)
class AlsSettings:
    """Settings of implicit ALS; ``alpha`` is the confidence of an interaction, 1 that of none."""

    factors: int = 64
    regularization: float = 10.0
    alpha: float = 5.0


@dataclass(frozen=True, eq=False)
class Als:
    """A fitted factorisation.

    Attributes
    ----------
    users, items : (n_users, f) and (n_items, f) float32
    settings : AlsSettings
    """

    users: FloatMatrix
    items: FloatMatrix
    settings: AlsSettings

    def score(self, users: Users) -> FloatMatrix:
        """Return the ``(len(users), n_items)`` scores of some users."""
        scores: FloatMatrix = self.users[users] @ self.items.T
        return scores


def fit_als(
    seen: ItemSets,
    n_items: int,
    settings: AlsSettings,
    *,
    seed: int = 0,
    on_iteration: Callable[[int], None] | None = None,
) -> Als:
    """Return the factorisation of who has seen what, by the ``implicit`` library in one thread.

    ``on_iteration`` is called with the number of the iteration that has ended; it may raise.

    References
    ----------
    Hu, Koren & Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets", equation
    3, solved by conjugate gradients (Takács, Pilászy & Tikk 2011).
    """
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy.sparse import csr_matrix

    ones = np.ones(len(seen.items), np.float32)
    matrix = csr_matrix((ones, seen.items, seen.starts), shape=(len(seen), n_items))

    def report(iteration: int, *_: float) -> None:
        if on_iteration is not None:
            on_iteration(iteration + 1)

    with _one_blas_thread():
        model = AlternatingLeastSquares(
            factors=settings.factors,
            regularization=settings.regularization,
            alpha=settings.alpha,
            iterations=ITERATIONS,
            num_threads=1,
            random_state=seed,
        )
        model.fit(matrix, show_progress=False, callback=report)
    return Als(np.asarray(model.user_factors), np.asarray(model.item_factors), settings)


def tuned_als(
    seen: ItemSets,
    n_items: int,
    judge: Judge | None,
    *,
    seed: int = 0,
    on_fit: Callable[[int, int], None] | None = None,
) -> Als:
    """Return the factorisation with the best settings that ``judge`` finds, one after the other.

    First the regularisation is chosen, then the confidence, then the number of factors; without
    ``judge`` nothing is.
    ``on_fit`` is called with fits done and to do, after each iteration of a fit; it may raise.
    """
    rounds = _rounds(len(seen.items)) if judge is not None else {}
    total = 1 + sum(map(len, rounds.values()))
    done = 0

    def fitted(settings: AlsSettings) -> tuple[float, Als]:
        def report(_: int) -> None:
            if on_fit is not None:
                on_fit(done, total)

        model = fit_als(seen, n_items, settings, seed=seed, on_iteration=report)
        return (judge(model.score) if judge is not None else 0.0), model

    best, model = fitted(AlsSettings())
    done += 1
    for name, values in rounds.items():
        begun = model.settings
        for value in values:
            change: dict[str, Any] = {name: value}
            figure, other = fitted(replace(begun, **change))
            done += 1
            if figure > best:
                best, model = figure, other
    if on_fit is not None:
        on_fit(total, total)
    return model


def _rounds(n: int) -> dict[str, tuple[float, ...]]:
    if n > FEW:
        return {"regularization": (1.0, 100.0)}
    return {
        "regularization": (0.01, 1.0, 30.0, 100.0),
        "alpha": (1.0, 2.0, 10.0, 20.0),
        "factors": (16, 32, 128),
    }


@contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Keep BLAS from adding sums up in an order that depends on its threads."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
