"""Image vectors of a pretrained CNN or ViT: what it sees before it names one of its classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray, FloatMatrix
from core.errors import EmbedderUnavailable, ParameterError, UnreadableSource, UnsafeSource
from core.params import Params, choice, flag, integer, text
from core.progress import Progress, quiet
from embedders import arithmetic, same_weights
from embedders.base import Availability
from embedders.hub_model import ModelSource, availability, stamp_of_file
from embedders.image_items import ImageItemEmbedder, ImageReference, image_references
from embedders.image_model_list import DEFAULT, ImageModelChoice, resolve, suggestions
from embedders.packing import State
from embedders.timm_model import TimmModel, load, missing_packages
from ingest.dataset import Dataset

_SIDE = 224


@dataclass(frozen=True, kw_only=True)
class ImageFeaturesParams(Params):
    """Settings of image features."""

    model: str = text(
        DEFAULT,
        help="The network: one of these, any other pretrained model of timm by its name, a model "
        "of the hub, or a folder.",
        suggestions=suggestions,
    )
    side: int = integer(
        0,
        low=0,
        high=1_024,
        automatic="what it was trained on",
        help="Pixels per side that the network sees; 0 takes what it was trained on.",
    )
    crop: str = choice(
        "published",
        ("published", "whole"),
        labels=("the middle", "the whole image"),
        help="Networks were trained on the middle of photos; the whole is stretched to a square.",
    )
    checkpoint: str = text(
        "",
        automatic="the published weights",
        help="The path of a file of weights for that architecture; empty for the published ones.",
        advanced=True,
    )
    normalise: bool = flag(
        False, help="Scale every vector to length 1; cosines do not change.", advanced=True
    )
    precision: str = arithmetic.setting()


class ImageFeatures(ImageItemEmbedder):
    """Vectors that a pretrained image network gives to its classifier.

    Notes
    -----
    Any model that timm can build, without its classifier (``num_classes=0``). Images are prepared
    as the model's own configuration asks: side, crop, interpolation, mean and deviation. Weights
    that do not fill every tensor of the network are refused.

    Transformers trained on another side read ``side`` with their table of positions resampled.

    References
    ----------
    Donahue et al. 2014, "DeCAF: A Deep Convolutional Activation Feature"; Wightman 2019, timm;
    Oquab et al. 2023, "DINOv2".
    """

    id = "image_features"
    title = "Pretrained CNN or ViT"
    summary = "Sees with a network trained on millions of photos; groups images by what they show."
    source = "Donahue et al. 2014, DeCAF; models of timm (Wightman 2019)"
    params_class = ImageFeaturesParams
    pretrained = True
    batch_cost = 16 * _SIDE * _SIDE  # some seconds of a large network: progress and cancel

    def __init__(self, params: Params | None = None, *, seed: int = 0) -> None:
        super().__init__(params, seed=seed)
        self._loaded: TimmModel | None = None
        self._compared: NDArray[np.float64] | None = None

    @classmethod
    def availability(cls, params: Params) -> Availability:
        """Tell whether the model is on this machine."""
        if missing := missing_packages():
            return Availability("needs_extra", f"Needs {', '.join(missing)}.")
        try:
            return availability(_choice(params).source)
        except (ParameterError, EmbedderUnavailable) as error:
            return Availability("needs_extra", str(error))

    @classmethod
    def needs(cls, params: Params) -> ModelSource | None:
        """Return the model on the hub that ``params`` name."""
        try:
            return _choice(params).source
        except (ParameterError, EmbedderUnavailable):
            return None  # there is nothing to get; ``availability`` says why

    def _identity(self) -> tuple[Any, ...]:
        """Return what the vectors depend on: a file of weights may be another one tomorrow."""
        own = arithmetic.as_ever(super()._identity())
        file = self.params.checkpoint.strip()
        return (*own, *stamp_of_file(file)) if file else own

    @property
    def is_fitted(self) -> bool:
        """Tell whether the weights are loaded."""
        return self._loaded is not None

    @property
    def _model(self) -> TimmModel:
        self._check_fitted()
        assert self._loaded is not None  # noqa: S101 -- told to the type checker
        return self._loaded

    def _dim(self) -> int:
        return self._model.dim

    def fit(self, dataset: Dataset, progress: Progress = quiet) -> Self:
        """Load the pretrained weights; nothing is trained.

        For 16-bit arithmetic a few items of ``dataset`` are embedded both ways and compared.

        Raises
        ------
        ParameterError
            For a model that does not exist, or a side that it cannot read.
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

    def _read(self) -> TimmModel:
        p: ImageFeaturesParams = self.params
        return load(_choice(p), p.side, p.crop == "whole")

    def _use_16_bits(self) -> None:
        self._loaded = self._model.to_bfloat16()

    def _prepare(self, dataset: Dataset, progress: Progress) -> Sequence[Any]:
        self._check_images(len(dataset))
        return image_references(dataset, progress)

    def _length(self, item: ImageReference) -> int:  # noqa: ARG002
        return self._model.side**2

    def _embed_batch(self, items: Sequence[ImageReference]) -> FloatMatrix:
        model, tensors = self._model, []
        for item in items:
            try:
                tensors.append(model.tensor(item.data))
            except (UnreadableSource, UnsafeSource) as error:
                raise item.unreadable(error) from error
        block = model.embed(tensors)
        if self.params.normalise:
            block = block / np.maximum(np.linalg.norm(block, axis=1, keepdims=True), 1e-12)
        return block

    def _provenance(self, dataset: Dataset, matrix: FloatMatrix) -> dict[str, Any]:  # noqa: ARG002
        model = self._model
        height, width = model.data["input_size"][1:]
        share = f"{model.data['crop_pct']:.0%} of its shorter side"
        seen = {
            "center": f"the middle of each image ({share})",
            "squash": "each whole image, stretched to fit",
            "border": "each whole image, with borders",
        }.get(model.data["crop_mode"], "each image")
        length = "length scaled to 1" if self.params.normalise else "length as it comes"
        return {
            **model.about,
            "notes": [
                f"Model {model.name}, the {model.dim:,} numbers before its classifier, {length}.",
                f"It saw {seen}, at {width} x {height} pixels.",
                *([] if self._compared is None else [arithmetic.told(self._compared)]),
            ],
        }


def _choice(params: Any) -> ImageModelChoice:
    return resolve(params.model, params.checkpoint)
