"""Methods that load one pretrained model and train nothing: loading, 16 bits, state, restoring."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray
from core.params import Params
from core.progress import Progress, quiet
from embedders import arithmetic, same_weights
from embedders.base import ItemEmbedder
from embedders.packing import State
from ingest.dataset import Dataset


class LoadedModel(Protocol):
    """What the methods need of a model, whatever library runs it."""

    @property
    def name(self) -> str:
        """Return what it is called in sentences."""

    @property
    def about(self) -> Mapping[str, Any]:
        """Return where it came from, with ``weights_sha256``."""

    def to_bfloat16(self) -> Self:
        """Return the model with 16-bit weights; this one stays exact."""


M = TypeVar("M", bound=LoadedModel)


class PretrainedModel(ItemEmbedder, Generic[M]):
    """An embedder whose model is read from its weights; a subclass says how.

    Its settings hold ``precision`` (see ``arithmetic.setting``).
    """

    pretrained = True

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._loaded: M | None = None
        self._compared: NDArray[np.float64] | None = None

    @abstractmethod
    def _read(self) -> M:
        """Return the model that the settings name, with all its bits."""

    @property
    def is_fitted(self) -> bool:
        """Tell whether the weights are loaded."""
        return self._loaded is not None

    @property
    def _model(self) -> M:
        self._check_fitted()
        assert self._loaded is not None  # noqa: S101 -- told to the type checker
        return self._loaded

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Load the pretrained weights; nothing is trained.

        For 16-bit arithmetic a few items of ``dataset`` are embedded both ways and compared.

        Raises
        ------
        ParameterError
            For a model or a checkpoint that does not exist, or settings it cannot follow.
        EmbedderUnavailable
            If it is not on this machine, or its weights do not fit.
        """
        self._check_modality(dataset)
        progress(0, 1, "loading model")
        self._loaded = self._read()
        progress(1, 1, "loading model")
        self._compared = None
        if self.params.precision == arithmetic.BFLOAT16:
            self._compared = arithmetic.measured(self, dataset, self._use_16_bits, progress)
        return self

    def _use_16_bits(self) -> None:
        self._loaded = self._model.to_bfloat16()

    def state(self) -> State:
        """Return which weights they were, and the cosines that were measured for 16 bits."""
        measured = {} if self._compared is None else {"compared": self._compared}
        return {**same_weights.kept(self._model.about), **measured}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Load the pretrained weights.

        Raises
        ------
        EmbedderUnavailable
            As ``fit``, and if the weights are others now: queries would meet foreign vectors.
        """
        model = self._read()
        same_weights.check(state, model.about, model.name)
        self._loaded = model
        if self.params.precision == arithmetic.BFLOAT16:
            self._use_16_bits()
        self._compared = np.asarray(state["compared"]) if "compared" in state else None
        return self
