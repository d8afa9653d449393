"""A method that needs a model of the hub, for tests; importable by name in a child process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import embedders.registry
from core.modality import Modality
from core.params import Params, text
from embedders.base import ItemEmbedder
from embedders.hub_model import HubModel, availability, required


@dataclass(frozen=True, kw_only=True)
class ToyHubParams(Params):
    model: str = text("org/tiny", help="Name of the model.")


class ToyHubEmbedder(ItemEmbedder):
    """Vector = how often each of the first letters occurs, times the mean of a model's weights."""

    id = "toy-hub"
    title = "Toy of the hub"
    summary = "Counts letters by the weight of a model."
    source = "none"
    accepts = frozenset({Modality.TEXT})
    queries = frozenset({Modality.TEXT})
    params_class = ToyHubParams
    pretrained = True
    weight: float | None = None

    @classmethod
    def needs(cls, params):
        return HubModel(params.model, instead="The toy without a hub needs none.")

    @classmethod
    def availability(cls, params):
        return availability(cls.needs(params))

    def fit(self, dataset, progress=None):
        from safetensors.numpy import load_file

        self.found = required(self.needs(self.params))
        (weights,) = load_file(self.found.weights[0]).values()
        self.weight = float(np.abs(weights).mean())
        return self

    def restore(self, state):
        return self.fit(None)

    @property
    def is_fitted(self):
        return self.weight is not None

    def _provenance(self, dataset, matrix):
        return self.found.provenance()

    def _embed_batch(self, items: Sequence[str]) -> np.ndarray:
        counts = [[item.count(letter) + 1 for letter in "abcd"] for item in items]
        return np.array(counts, np.float32) * self.weight


def register() -> None:
    """Add the toy to the registry of this process."""
    if ToyHubEmbedder not in embedders.registry.EMBEDDERS:
        embedders.registry.EMBEDDERS = (*embedders.registry.EMBEDDERS, ToyHubEmbedder)
