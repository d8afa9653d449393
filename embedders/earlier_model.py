"""The model of an earlier run, applied to other data: nothing is trained."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from core.arrays import AnyArray, FloatVector
from core.errors import ModalityMismatch, NotFittedError, ParameterError
from core.modality import Modality
from core.params import Params, run
from core.progress import Progress, quiet
from embedders.base import Embedder
from embedders.packing import State, pack_json, unpack_json
from embedders.saved_model import read_model
from embedders.trace import Trace
from ingest.dataset import Dataset
from vectors.keyed import KeyedVectors

_STORED = re.compile(r"r[0-9a-f]{24}")
_ABOUT = "earlier about"
_OF_TRAINING = ("losses", "held_out", "test", "pretraining_losses")


@dataclass(frozen=True, kw_only=True)
class EarlierModelParams(Params):
    """Settings of an earlier model."""

    run: str = run(help="The run whose model is applied to these data; nothing is trained again.")


class EarlierModel(Embedder):
    """A fitted model on data that it was not fitted on.

    Parameters
    ----------
    params : EarlierModelParams, optional
        ``run`` is the path of a file that ``save_model`` wrote, or the id of a run whose model
        ``supply_model`` hands over.
    seed : int
        Plays no part.

    Notes
    -----
    The model is kept with the result: queries are answered after the earlier run was removed.
    """

    id = "earlier"
    title = "Model of an earlier run"
    summary = "Applies what an earlier run has learnt to these data: train once, use on new items."
    source = "Your earlier run"
    accepts = frozenset(
        {Modality.TEXT, Modality.IMAGE, Modality.TABLE, Modality.VECTORS, Modality.PAIRS}
    )
    queries = accepts - {Modality.PAIRS}
    pair_sides = frozenset({Modality.TEXT, Modality.IMAGE})
    params_class = EarlierModelParams

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._given: Embedder | None = None
        self._model: Embedder | None = None
        self._trained_on = ""

    def supply_model(self, name: str, model: Embedder, trained_on: str) -> None:
        """Take the fitted model of the earlier run.

        Raises
        ------
        ParameterError
            If the setting is another one.
        """
        if name != "run":
            super().supply_model(name, model, trained_on)
        self._given, self._trained_on = model, trained_on

    def _chosen(self) -> Embedder:
        """Return the fitted model that the setting names."""
        named = str(self.params.run)
        if self._given is None:
            if not named:
                raise ParameterError(
                    "No earlier run is chosen (run). Choose one; if there is none, embed some "
                    "data first."
                )
            if _STORED.fullmatch(named):
                raise ParameterError(
                    f"The run {named!r} is not at hand: it may have been removed. Choose another "
                    "one."
                )
            self._given, self._trained_on = read_model(named)
        given = self._given
        if isinstance(given, EarlierModel):  # a model that was applied: take the model itself
            self._given, self._trained_on = given._inner(), given._trained_on
        return self._given

    @property
    def is_fitted(self) -> bool:
        """Tell whether the model was taken up."""
        return self._model is not None

    def _inner(self) -> Embedder:
        if self._model is None:
            raise NotFittedError(f"{self.title} has not been fitted yet. Call fit(dataset) first.")
        return self._model

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Take up the model of the earlier run.

        Raises
        ------
        ParameterError
            If no run is chosen or it is gone.
        ModalityMismatch
            If its model makes no vectors of such data, or of none but those it was fitted on.
        """
        self._check_modality(dataset)
        progress(0, 1, "loading the earlier model")
        model = self._chosen()
        check_applies(model, dataset)
        self._model = model
        progress(1, 1, "loading the earlier model")
        return self

    def vectors(self, dataset: Dataset, progress: Progress = quiet) -> KeyedVectors:
        """Return what the model makes of the items of ``dataset``."""
        self._check_modality(dataset)
        model = self._inner()
        check_applies(model, dataset)
        found = model.vectors(dataset, progress)
        about = {k: v for k, v in found.provenance.items() if k not in _OF_TRAINING}
        where = f", fitted on {self._trained_on}" if self._trained_on else ""
        notes = [
            f"The model is {model.title}{where}; nothing was trained here.",
            *self._attributed(model, about["notes"], dataset.name),
        ]
        about |= self._base_provenance(dataset)
        about |= {
            "notes": notes,
            "model_of": self._told(model),
            "datasets": {"run": model.title + (f" of {self._trained_on}" if where else "")},
        }
        return KeyedVectors(
            found.keys,
            found.matrix,
            kinds=found.kinds.tolist(),
            metric=found.metric,
            provenance=about,
        )

    def _attributed(self, model: Embedder, notes: Sequence[str], name: str) -> list[str]:
        """Return ``notes`` so that each tells which data it is about."""
        source = self._trained_on or "the data it was fitted on"
        here = [note for note in notes if note in model.notes_on_data]
        others = [note for note in notes if note not in model.notes_on_data]
        if model.run_notes:
            start = f"From its own run, on {source}: "
            others = [start + note if note in model.run_notes else note for note in others]
        elif others:
            figures = "Figures of a training, where any follow, were measured on"
            others.insert(0, f"{figures} {source}, not on {name}.")
        return [*here, *others]

    def _told(self, model: Embedder) -> dict[str, Any]:
        return {
            "method": model.id,
            "version": model.version,
            "params": model.params.to_dict(),
            "seed": model.seed,
            "trained_on": self._trained_on,
        }

    def embed_query(self, query: object) -> FloatVector:
        """Return the vector that the model gives to a query."""
        return self._inner().embed_query(query)

    def trace(self, text: str) -> Trace:
        """Return how the model makes a vector of a text."""
        return self._inner().trace(text)

    def trace_item(self, text: str, side: int | None) -> Trace:
        """Return how the model makes the vector of an item."""
        return self._inner().trace_item(text, side)

    def _identity(self) -> tuple[Any, ...]:
        """Return which model it is: a file counts by its content, not by its path."""
        named = str(self.params.run)
        content = named
        if named and not _STORED.fullmatch(named):
            try:
                with Path(named).open("rb") as stream:
                    content = hashlib.file_digest(stream, "sha256").hexdigest()
            except OSError as error:
                raise ParameterError(
                    f"There is no model {Path(named).name!r} to read. Choose a run, or a file "
                    "that save_model wrote."
                ) from error
        return self.id, self.version, {"run": content}

    def state(self) -> State:
        """Return the model's own state, and which model it is."""
        model = self._inner()
        return {_ABOUT: pack_json(self._told(model)), **model.state()}

    def restore(self, state: Mapping[str, AnyArray]) -> Self:
        """Take up the stored model; the earlier run is not needed."""
        from embedders.registry import get_embedder

        told = unpack_json(state[_ABOUT])
        model = get_embedder(told["method"], seed=told["seed"], **told["params"])
        own = {name: array for name, array in state.items() if name != _ABOUT}
        self._model, self._trained_on = model.restore(own), told["trained_on"]
        return self


def check_applies(model: Embedder, dataset: Dataset) -> None:
    """Refuse data that ``model`` makes no vectors of.

    Raises
    ------
    ModalityMismatch
    """
    if not model.transfers:
        raise ModalityMismatch(
            f"{model.title} has vectors only for the items it was fitted on, and none for those "
            f"of {dataset.name}. Choose a run of another method, or fit this one on these data."
        )
    sides = dataset.sides.modalities if dataset.sides else None
    if not model.takes(dataset.modality, sides):
        takes = " or ".join(sorted(model.accepts))
        raise ModalityMismatch(
            f"The model is {model.title}, which takes {takes} data, but {dataset.name} is "
            f"{dataset.modality} data. Choose a run on such data."
        )
