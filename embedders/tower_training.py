"""Training of a user tower and an item tower by a softmax over items, with torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix
from vectors.ranking import ItemSets

USERS_PER_STEP = 128
MOST_SEEN = 256
"""Items of one user that a step learns from; of more, it draws so many anew in each step."""
PRIOR = 5.0
"""As if each user had so many more items, of which nothing is known."""
_USERS_PER_BLOCK = 10_000
_INITIAL = 0.05  # standard deviation of untrained numbers


@dataclass(frozen=True)
class Recipe:
    """How towers are built and trained.

    Attributes
    ----------
    dim : int
    layers : bool
        Whether either tower ends in a layer that can bend its vectors.
    temperature : float
        What cosines are divided by in the softmax.
    dropout : float
        Share of a user's items hidden from the user tower in each step.
    learning_rate : float
    n_drawn : int or None
        Items that a step compares with beside those of its own users; None compares with all.
    seed : int
    """

    dim: int
    layers: bool
    temperature: float
    dropout: float
    learning_rate: float
    n_drawn: int | None
    seed: int


class Towers:
    """The two towers in training.

    Parameters
    ----------
    seen : ItemSets
        The items of each user to learn from.
    n_items : int
    features : ItemSets
        The features of each item (genres, words of the title).
    n_features : int
    recipe : Recipe
    """

    def __init__(
        self, seen: ItemSets, n_items: int, features: ItemSets, n_features: int, recipe: Recipe
    ) -> None:
        import torch

        self.seen, self.n_items, self.recipe = seen, n_items, recipe
        self._features = features if n_features else None
        self._random = np.random.default_rng(recipe.seed)
        counts = np.bincount(seen.items, minlength=n_items)
        self._share = counts / max(int(counts.sum()), 1)
        draw = torch.Generator().manual_seed(recipe.seed)

        def table(rows: int) -> Any:
            numbers = torch.randn(rows, recipe.dim, generator=draw) * _INITIAL
            return torch.nn.Parameter(numbers)

        self._table = {"item": table(n_items), "seen": table(n_items), "everybody": table(1)}
        if n_features:
            self._table["feature"] = table(n_features)
        if recipe.layers:
            for side in ("user", "item"):
                for name in ("in", "out"):
                    self._table[f"{side} {name}"] = table(recipe.dim)
        self._optimizers = self._new_optimizers()

    def _new_optimizers(self) -> list[Any]:
        """Return Adam for what every step changes, and one that leaves rows alone for the rest."""
        import torch

        rate, large = self.recipe.learning_rate, {"item", "seen", "feature"}
        if self.recipe.n_drawn is None:
            return [torch.optim.Adam(self._table.values(), lr=rate)]
        some = [table for name, table in self._table.items() if name in large]
        rest = [table for name, table in self._table.items() if name not in large]
        return [torch.optim.SparseAdam(some, lr=rate), torch.optim.Adam(rest, lr=rate)]

    def epoch(self) -> Iterator[tuple[int, float]]:
        """Train on every user once; yield, per step, how many users are done and the mean loss."""
        import torch

        users = self._random.permutation(np.flatnonzero(self.seen.sizes))
        done, total, n_pairs = 0, 0.0, 0
        for start in range(0, len(users), USERS_PER_STEP):
            rows = users[start : start + USERS_PER_STEP]
            place, items = self._drawn_pairs(rows)
            loss = self._loss(len(rows), place, items)
            for optimizer in self._optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in self._optimizers:
                optimizer.step()
            with torch.no_grad():
                total, n_pairs = total + float(loss) * len(items), n_pairs + len(items)
            done += len(rows)
            yield done, total / n_pairs

    def _drawn_pairs(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        place, items = self.seen.pairs(rows)
        if self.seen.sizes[rows].max() <= MOST_SEEN:
            return place, items
        order = np.lexsort((self._random.random(len(place)), place))
        first = np.searchsorted(place, place)
        kept = np.sort(order[np.arange(len(place)) - first < MOST_SEEN])
        return place[kept], items[kept]

    def _loss(self, n: int, place: NDArray[np.int64], items: NDArray[np.int32]) -> Any:
        """Return the mean of -log softmax over the pairs."""
        import torch

        shown = self._random.random(len(items)) >= self.recipe.dropout
        users = self._users(n, place[shown], items[shown])
        candidates, correction = self._candidates(items)
        vectors = self._items(candidates)
        logits = users @ vectors.T / self.recipe.temperature
        if correction is not None:
            logits = logits - correction
        at = items if candidates is None else np.searchsorted(candidates, items)
        rows, columns = torch.from_numpy(place), torch.from_numpy(at.astype(np.int64))
        own = logits[rows, columns]
        others = logits.index_put((rows, columns), torch.tensor(-torch.inf))
        norm = torch.logaddexp(torch.logsumexp(others, dim=1)[rows], own)
        weight = torch.from_numpy(_pair_weights(place, n))
        return ((norm - own) * weight).sum()

    def _candidates(self, items: NDArray[np.int32]) -> tuple[NDArray[np.int64] | None, Any]:
        """Return the items to compare with (None for all), and the log of how often each comes."""
        import torch

        if self.recipe.n_drawn is None:
            return None, None
        drawn = self._random.integers(0, self.n_items, self.recipe.n_drawn)
        candidates = np.unique(np.concatenate([items, drawn]))
        expected = self._share[candidates] * len(items) + self.recipe.n_drawn / self.n_items
        return candidates, torch.from_numpy(np.log(-np.expm1(-expected)).astype(np.float32))

    def _users(self, n: int, place: NDArray[np.int64], items: NDArray[np.int32]) -> Any:
        """Return ``(n, dim)`` vectors of users with the given items, user by user."""
        import torch

        sizes = np.bincount(place, minlength=n)
        starts = torch.from_numpy(np.cumsum(sizes) - sizes)
        summed = torch.nn.functional.embedding_bag(
            torch.from_numpy(items.astype(np.int64)),
            self._table["seen"],
            starts,
            mode="sum",
            sparse=self.recipe.n_drawn is not None,
        )
        mean = summed / torch.from_numpy((sizes + PRIOR).astype(np.float32))[:, None]
        return self._finished(mean + self._table["everybody"], "user")

    def _items(self, rows: NDArray[np.int64] | None) -> Any:
        """Return the ``(m, dim)`` vectors of items; of all, for None."""
        import torch

        sparse = self.recipe.n_drawn is not None
        if rows is None:
            own = self._table["item"]
        else:
            own = torch.nn.functional.embedding(
                torch.from_numpy(rows), self._table["item"], sparse=sparse
            )
        if self._features is not None:
            rows = np.arange(self.n_items) if rows is None else rows
            place, features = self._features.pairs(rows)
            sizes = np.bincount(place, minlength=len(rows))
            own = own + torch.nn.functional.embedding_bag(
                torch.from_numpy(features.astype(np.int64)),
                self._table["feature"],
                torch.from_numpy(np.cumsum(sizes) - sizes),
                mode="mean",
                sparse=sparse,
            )
        return self._finished(own, "item")

    def _finished(self, vectors: Any, side: str) -> Any:
        import torch

        if self.recipe.layers:
            bent = torch.tanh(vectors @ self._table[f"{side} in"]) @ self._table[f"{side} out"]
            vectors = vectors + bent
        return torch.nn.functional.normalize(vectors, dim=1)

    def user_vectors(self, users: NDArray[np.int64]) -> FloatMatrix:
        """Return the ``(len(users), dim)`` vectors of users by all that they have seen."""
        import torch

        blocks = []
        with torch.inference_mode():
            for start in range(0, len(users), _USERS_PER_BLOCK):
                rows = users[start : start + _USERS_PER_BLOCK]
                blocks.append(self._users(len(rows), *self.seen.pairs(rows)).numpy())
        return np.concatenate(blocks)

    def item_vectors(self) -> FloatMatrix:
        """Return the ``(n_items, dim)`` vectors of items."""
        import torch

        with torch.inference_mode():
            vectors: FloatMatrix = self._items(None).numpy()
        return vectors


def _pair_weights(place: NDArray[np.int64], n: int) -> NDArray[np.float32]:
    """Return ``(m,)`` weights of pairs, of sum 1: a user with four times as many counts double."""
    weights = 1 / np.sqrt(np.bincount(place, minlength=n))[place]
    normed: NDArray[np.float32] = (weights / weights.sum()).astype(np.float32)
    return normed


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in one thread, so that sums are added up in the same order every time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
