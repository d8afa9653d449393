"""Two towers for users and items: who has to do with what, learnt as nearness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from core.arrays import FloatMatrix
from core.modality import Modality
from core.params import Params, choice, flag, integer, real
from core.progress import Progress, tell_epoch
from embedders.base import VocabularyEmbedder
from embedders.interactions import (
    Interactions,
    ItemFeatures,
    read_interactions,
    read_item_features,
)
from embedders.recommendation_trial import Trial
from embedders.tower_training import Recipe, Towers, one_thread
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors
from vectors.ranking import hold_out

FULL_UP_TO = 30_000_000
"""Users times items up to which a step compares with every item."""
DRAWN = 1_024
PATIENCE = 6
"""Epochs without a better figure after which training stops."""


@dataclass(frozen=True, kw_only=True)
class UserItemTowersParams(Params):
    """Settings of the two towers."""

    dim: int = integer(128, low=2, high=1_000, step=8, help="How many numbers a vector has.")
    least_weight: float = real(
        0.0,
        low=-1e6,
        high=1e6,
        step=0.5,
        help="Only interactions with this weight or more count: 4 to learn from ratings of 4 and "
        "5 stars alone. At 0 all above zero do, below 0 those of zero and less too; the form "
        "chooses ratings above their mean.",
    )
    epochs: int = integer(
        60, low=1, high=1_000, help="At most so many passes over all users; it stops before."
    )
    item_columns: bool = flag(
        True, help="Also learn from the categories and texts of items, such as genre and title."
    )
    held_out: float = real(
        0.2,
        low=0.0,
        high=0.5,
        step=0.05,
        help="Share of each user's interactions set aside: half say when to stop, half judge.",
    )
    refit: bool = flag(
        True,
        help="When the best epoch is known, train again on everything, the held-out included.",
    )
    baselines: bool = flag(
        True, help="Also fit implicit matrix factorisation (ALS), tuned, to be compared with."
    )
    temperature: float = real(
        0.15,
        low=0.01,
        high=2.0,
        step=0.01,
        help="Below 0.1 only the nearest wrong items push away; higher, all of them do.",
        advanced=True,
    )
    dropout: float = real(
        0.3,
        low=0.0,
        high=0.95,
        step=0.05,
        help="Share of a user's items hidden in each step; the tower must guess them.",
        advanced=True,
    )
    layers: bool = flag(
        False, help="End both towers in a layer that can bend the space.", advanced=True
    )
    learning_rate: float = real(
        0.01, low=1e-5, high=1.0, step=0.001, help="Size of the steps of training.", advanced=True
    )
    softmax: str = choice(
        "auto",
        ("auto", "full", "sampled"),
        labels=("by size", "over all items", "over items of the batch and drawn ones"),
        help="What each step compares with: every item, or a sample corrected for its bias.",
        advanced=True,
    )


class Trained(NamedTuple):
    """What a training leaves.

    Attributes
    ----------
    users, items : (n_users, dim) and (n_items, dim) float32
        After the epoch that was kept.
    epoch : int
    losses : list of float
        One per epoch.
    recalls : list of float
        On the part that says when to stop; the first from before training. Empty without it.
    """

    users: FloatMatrix
    items: FloatMatrix
    epoch: int
    losses: list[float]
    recalls: list[float]


class UserItemTowers(VocabularyEmbedder):
    """Vectors of users and items in one space: a user's are near to what suits the user.

    Notes
    -----
    The item tower is a vector per item plus the mean of the vectors of its features (values of
    categories, words of texts). The user tower is the mean of a second vector per item over what
    the user has seen (shrunk as if a few unknown ones were among it), plus one vector that all
    share: whoever has seen the same is the same. Both end at unit length, so that a score is a
    cosine.

    In each step a share of what each user has seen is hidden from the tower (``dropout``), and
    all of it is to be told from what the user has not seen: the loss of a seen item ``i`` is ``-log
    exp(s_i) / (exp(s_i) + Σ_j exp(s_j))`` over the items ``j`` not seen, with ``s`` the cosine
    divided by ``temperature``. A user of ``n`` items counts as ``sqrt(n)``, between one
    vote per user and one per item. Many items are sampled: those of the users of the step and some
    drawn uniformly, each score less the logarithm of how often its item is to be expected in such
    a sample, which is known here and need not be estimated.

    Each user's interactions are divided by lot: most are learnt from, some say after which epoch
    to stop, some judge. The same division judges random order, the most popular items and implicit
    matrix factorisation, whose settings are tuned on the part that says when to stop. With
    ``refit`` the vectors come from a second training on everything, for as many epochs.

    References
    ----------
    Covington, Adams & Sargin 2016, "Deep Neural Networks for YouTube Recommendations", section 3
    (users as bags of what they saw, softmax over items); Yi et al. 2019, "Sampling-Bias-Corrected
    Neural Modeling for Large Corpus Item Recommendations", equations 3 to 5 (two towers, unit
    length, temperature, correction by log q); Yang et al. 2020, "Mixed Negative Sampling for
    Learning Two-tower Neural Networks in Recommendations" (batch and uniform items together);
    Liang et al. 2018, "Variational Autoencoders for Collaborative Filtering", section 2.2 (input
    dropout, all of a user's items as targets).
    """

    id = "user_item_towers"
    title = "Two towers for users and items"
    version = 2  # interactions that do not count are not listed where the best epoch is looked for
    summary = "Learns from who chose what; users come to lie near the items that suit them."
    source = "Yi et al. 2019, Sampling-Bias-Corrected Neural Modeling for Large Corpus"
    accepts = frozenset({Modality.INTERACTIONS})
    params_class = UserItemTowersParams
    stochastic = True
    fit_stages: ClassVar[Mapping[str, float]] = {
        "training": 0.6,
        "fitting implicit ALS": 0.2,
        "training on everything": 0.2,
    }

    def _train(self, dataset: Dataset, progress: Progress) -> KeyedVectors:
        assert dataset.sides is not None  # noqa: S101 -- checked with the modality
        p: UserItemTowersParams = self.params
        self._check_size(6 * len(dataset), p.dim, "Lower dim.")  # two tables, gradients, moments
        data = read_interactions(dataset, p.least_weight)
        features = (
            read_item_features(dataset) if p.item_columns else ItemFeatures.none(data.n_items)
        )
        part = hold_out(data.users, p.held_out, self.seed)
        trial = Trial(data, part, self.seed)
        first = self._trained_on(trial, features, p.epochs, progress)
        about: dict[str, Any] = {"losses": first.losses}
        notes = [*data.notes, *features.notes, *trial.notes(dataset.sides.names)]
        result = first
        if trial.can_stop:
            about["held_out"] = trial.held_out(first.recalls, first.epoch)
        if trial.can_judge:
            about["recommendation"] = trial.judged(
                self.title, first.users, first.items, progress, with_als=p.baselines
            )
        if p.refit and (part > 0).any():
            everything = Trial(data, np.zeros_like(part), self.seed)
            result = self._trained_on(everything, features, first.epoch, progress, again=True)
            notes.append(
                f"The vectors come from a second training on all {len(data):,} interactions, for "
                f"as many epochs ({first.epoch}) as the first did best with; the figures are "
                "those of the first."
            )
        matrix = np.concatenate([result.users, result.items])
        matrix.setflags(write=False)
        return KeyedVectors(
            dataset.ids,
            matrix,
            kinds=dataset.sides.kinds(len(dataset)),
            metric=self.metric,
            provenance={
                **self._base_provenance(dataset),
                **about,
                "n_interactions": len(data),
                "notes": notes,
            },
        )

    def _trained_on(
        self,
        trial: Trial,
        features: ItemFeatures,
        epochs: int,
        progress: Progress,
        *,
        again: bool = False,
    ) -> Trained:
        """Train on the part to learn from, until the part to stop by is no longer found better."""
        data, stage = trial.data, "training on everything" if again else "training"
        total, patience = epochs * data.n_users, PATIENCE
        losses: list[float] = []
        progress(0, total, stage)
        with one_thread():
            towers = Towers(
                trial.seen,
                data.n_items,
                features.of_items,
                len(features.names),
                self._recipe(data),
            )
            recalls = [_recall(trial, towers)] if trial.can_stop else []
            kept, best = 0, None
            for epoch in range(1, epochs + 1):
                for done, loss in towers.epoch():
                    note = f"epoch {epoch} of {epochs}, loss {loss:.3f}"
                    progress((epoch - 1) * data.n_users + done, total, stage, note)
                losses.append(loss)
                if not trial.can_stop:
                    kept = epoch
                    tell_epoch(progress, stage, epochs, losses)
                    continue
                recalls.append(_recall(trial, towers))
                if best is None or recalls[-1] > recalls[kept]:
                    kept, best = epoch, _vectors(towers, data)
                tell_epoch(progress, stage, epochs, losses, trial.held_out(recalls, kept))
                if epoch - kept >= patience:
                    break
            users, items = best or _vectors(towers, data)
        progress(total, total, stage)
        return Trained(users, items, kept, losses, recalls)

    def _recipe(self, data: Interactions) -> Recipe:
        p: UserItemTowersParams = self.params
        small = data.n_users * data.n_items <= FULL_UP_TO
        full = p.softmax == "full" or (p.softmax == "auto" and small)
        return Recipe(
            dim=p.dim,
            layers=p.layers,
            temperature=p.temperature,
            dropout=p.dropout,
            learning_rate=p.learning_rate,
            n_drawn=None if full else DRAWN,
            seed=self.seed,
        )


def _vectors(towers: Towers, data: Interactions) -> tuple[FloatMatrix, FloatMatrix]:
    return towers.user_vectors(np.arange(data.n_users)), towers.item_vectors()


def _recall(trial: Trial, towers: Towers) -> float:
    items = towers.item_vectors()
    return trial.stopping_recall(lambda users: towers.user_vectors(users) @ items.T)
