"""Image vectors of a pretrained CNN or ViT: what it sees before it names one of its classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import FloatMatrix
from core.errors import EmbedderUnavailable, ParameterError, UnreadableSource, UnsafeSource
from core.params import Params, choice, flag, integer, text
from core.progress import Progress
from embedders import arithmetic
from embedders.base import Availability
from embedders.hub_model import ModelSource, availability, stamp_of_file
from embedders.image_items import ImageItemEmbedder, ImageReference, image_references
from embedders.image_model_list import DEFAULT, ImageModelChoice, resolve, suggestions
from embedders.pretrained_model import PretrainedModel
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


class ImageFeatures(PretrainedModel[TimmModel], ImageItemEmbedder):
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
    batch_cost = 16 * _SIDE * _SIDE  # some seconds of a large network: progress and cancel

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

    def _dim(self) -> int:
        return self._model.dim

    def _read(self) -> TimmModel:
        p: ImageFeaturesParams = self.params
        return load(_choice(p), p.side, p.crop == "whole")

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
