"""A pretrained model of timm, loaded from this machine alone, up to its last layer but one."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from core.arrays import FloatMatrix
from core.errors import EmbedderUnavailable, ParameterError
from embedders.clip_model import digest_of, within_reach
from embedders.hub_model import identity, local_path, required, stamp_of_file
from embedders.image_model_list import ImageModelChoice
from embedders.torchvision_schemas import declare_missing

_REACH = {"center": "shortest", "squash": "squash", "border": "longest"}
_DATA = ("input_size", "interpolation", "mean", "std", "crop_pct", "crop_mode")
# What a configuration may not decide: where weights come from.
_OURS = {"pretrained", "checkpoint_path", "cache_dir", "pretrained_cfg", "pretrained_cfg_overlay"}
_PROBLEMS = (RuntimeError, KeyError, IndexError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, eq=False)
class TimmModel:
    """A network that ends before its classifier, ready for inference.

    Attributes
    ----------
    name : str
    network : torch.nn.Module
    transform : callable
        From a PIL image to the ``(channels, side, side) float32`` tensor of the model.
    dim : int
    data : mapping
        timm's data configuration: input_size, mean, std, interpolation, crop.
    about : mapping
        What the provenance tells of the weights.
    is_16_bit : bool
        Whether the network calculates with bfloat16; its vectors are float32 all the same.
    """

    name: str
    network: Any
    transform: Callable[[Any], Any]
    dim: int
    data: Mapping[str, Any]
    about: Mapping[str, Any]
    is_16_bit: bool = False

    def to_bfloat16(self) -> Self:
        """Return the model with 16-bit weights; this one, which others may use, stays exact."""
        import copy

        import torch

        return replace(self, network=copy.deepcopy(self.network).to(torch.bfloat16), is_16_bit=True)

    @property
    def side(self) -> int:
        """Return the pixels per side that it sees (of its height, where it is no square)."""
        return int(self.data["input_size"][1])

    def tensor(self, data: bytes) -> Any:
        """Return an encoded image as the network reads it: upright, first frame, on white."""
        from PIL import Image

        from ingest.image_codec import decode

        channels, height, width = self.data["input_size"]
        image = Image.fromarray(decode(data, mode="L" if channels == 1 else "RGB"))
        return self.transform(
            within_reach(image, (height, width), _REACH.get(self.data["crop_mode"], "shortest"))
        )

    def embed(self, tensors: list[Any]) -> FloatMatrix:
        """Return the ``(n, dim) float32`` vectors of image tensors."""
        import torch

        with torch.inference_mode():
            batch = torch.stack(tensors)
            if self.is_16_bit:
                batch = batch.to(torch.bfloat16)
            block: FloatMatrix = self.network(batch).float().numpy()
        return block


def missing_packages() -> list[str]:
    """Return which of the packages that run the models are not installed."""
    return [n for n in ("torch", "torchvision", "timm", "safetensors") if find_spec(n) is None]


def load(choice: ImageModelChoice, side: int = 0, whole: bool = False) -> TimmModel:
    """Return a model in evaluation mode; nothing is fetched, and no weight is left at random.

    Parameters
    ----------
    choice : ImageModelChoice
    side : int
        Pixels per side to give it; 0 for its own.
    whole : bool
        Show it the whole image, stretched, instead of the published crop of the middle.

    Raises
    ------
    EmbedderUnavailable
        If a package or a file is missing, or the weights do not fit the architecture.
    ParameterError
        If the model cannot read images of that side.
    """
    if missing := missing_packages():
        raise EmbedderUnavailable(
            f"Image features need {', '.join(missing)}, which is not installed. Install what "
            "requirements.txt lists, or choose a colour histogram or HOG."
        )
    known = identity(choice.source) if choice.source else ""
    typed = stamp_of_file(choice.file) if choice.file else ()
    return _load(choice, side, whole, (known, *typed))


@lru_cache(maxsize=2)
def _load(
    choice: ImageModelChoice,
    side: int,
    whole: bool,
    version: tuple[object, ...],  # noqa: ARG001 -- other weights may lie there tomorrow
) -> TimmModel:
    declare_missing()
    from timm.data import create_transform, resolve_data_config

    architecture, arguments, published, weights, about = _parts(choice)
    network, fixed = _network(choice, architecture, arguments, side)
    _fill(network, architecture, weights, choice, resized=fixed and bool(side))
    network.eval()
    data = resolve_data_config({}, pretrained_cfg={**network.pretrained_cfg, **published})
    data = {key: data[key] for key in _DATA}
    if side:
        data["input_size"] = (data["input_size"][0], side, side)
    if whole:
        data |= {"crop_mode": "squash", "crop_pct": 1.0}
    if data["input_size"][0] not in {1, 3}:
        raise EmbedderUnavailable(
            f"{choice.name} reads images of {data['input_size'][0]} channels; grey and colour "
            "images have one and three. Choose another model."
        )
    transform = create_transform(**data, is_training=False)
    return TimmModel(choice.name, network, transform, _dim(network, data, choice), data, about)


def _parts(
    choice: ImageModelChoice,
) -> tuple[str, dict[str, Any], dict[str, Any], Path, dict[str, Any]]:
    """Return architecture, its arguments, the data settings, the weights, and what to tell."""
    if choice.source is None:
        path = local_path(choice.file)
        about = {"model": choice.name, "model_from": "a file", "weights_sha256": digest_of(path)}
        return choice.architecture, {}, {}, path, about
    local = required(choice.source)
    architecture, arguments, published = _configuration(local.path / "config.json", choice)
    return architecture, arguments, published, local.weights[0], local.provenance()


def _configuration(
    path: Path, choice: ImageModelChoice
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return what a model's config.json says, in timm's newer form or in its older flat one."""
    from timm import is_model

    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        architecture = read["architecture"]
        published = dict(read.get("pretrained_cfg", read))
        arguments = {k: v for k, v in dict(read.get("model_args") or {}).items() if k not in _OURS}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise EmbedderUnavailable(
            f"{choice.name} is no model of timm: its config.json names no architecture. "
            "Choose another model."
        ) from error
    architecture = str(architecture).partition(".")[0]
    if not is_model(architecture):
        raise EmbedderUnavailable(
            f"{choice.name} is a {architecture!r}, which the installed timm does not know. "
            "Choose another model."
        )
    return architecture, arguments, {k: published[k] for k in _DATA if published.get(k)}


def _network(
    choice: ImageModelChoice, architecture: str, arguments: dict[str, Any], side: int
) -> tuple[Any, bool]:
    """Return the network without its classifier, and whether it was built for ``side``."""
    import timm

    wanted = {**arguments, "num_classes": 0}
    tries: list[dict[str, Any]] = [{**wanted, "img_size": side}, wanted] if side else [wanted]
    for settings in tries:  # convolutional networks read any side and take no img_size
        try:
            return timm.create_model(architecture, pretrained=False, **settings), (
                "img_size" in settings
            )
        except TypeError as error:
            problem: Exception = error
        except (*_PROBLEMS, AssertionError) as error:
            problem = error
            break
    if side and "img_size" in settings:
        raise ParameterError(_bad_side(choice, side)) from problem
    raise EmbedderUnavailable(
        f"{choice.name} cannot be built: its configuration does not suit {architecture}. "
        "Choose another model."
    ) from problem


def _fill(
    network: Any, architecture: str, weights: Path, choice: ImageModelChoice, *, resized: bool
) -> None:
    """Load weights into ``network``: every one of its tensors, and nothing that could run code."""
    import pickle

    from safetensors import SafetensorError
    from timm.models import load_state_dict

    try:
        read = load_state_dict(str(weights), weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, EOFError, OSError, *_PROBLEMS) as error:
        raise EmbedderUnavailable(
            f"{weights.name} of {choice.name} does not hold weights that can be read safely: it "
            "is broken, or holds program code. Give a safetensors file."
        ) from error
    wanted = network.state_dict()
    lacking: list[str] = list(wanted)
    for convert in _conversions(architecture, resized):
        try:
            given = convert(dict(read), network)
            left = [n for n, t in wanted.items() if n not in given or given[n].shape != t.shape]
        except (*_PROBLEMS, AssertionError):
            continue
        if not left:  # what is given beyond is the classifier, which is not needed
            network.load_state_dict({name: given[name] for name in wanted})
            return
        lacking = min(lacking, left, key=len)
    raise EmbedderUnavailable(
        f"The weights {weights.name} do not fit {choice.name}: {len(lacking):,} of "
        f"{len(wanted):,} tensors are missing or of another shape (first {lacking[0]}). "
        "Choose the architecture that they were made for."
    )


def _conversions(architecture: str, resized: bool) -> list[Callable[[Any, Any], Any]]:
    """Return ways to read a checkpoint: as it is, and as timm converts older or larger ones."""
    from timm.models import model_entrypoint

    def plain(state: Any, network: Any) -> Any:  # noqa: ARG001
        return state

    ways: list[Callable[[Any, Any], Any]] = []
    module = sys.modules[model_entrypoint(architecture).__module__]
    filter_fn = getattr(module, "checkpoint_filter_fn", None)
    if filter_fn is not None:
        ways.append(filter_fn)
        if "adapt_layer_scale" in inspect.signature(filter_fn).parameters:
            ways.append(lambda s, n: filter_fn(s, n, adapt_layer_scale=True))
    return [*ways, plain] if resized else [plain, *ways]


def _dim(network: Any, data: Mapping[str, Any], choice: ImageModelChoice) -> int:
    """Return the length of the vectors, as one blank image shows it."""
    import torch

    size = tuple(data["input_size"])
    try:
        with torch.inference_mode():
            shape = network(torch.zeros(1, *size)).shape
    except (*_PROBLEMS, AssertionError) as error:
        raise ParameterError(_bad_side(choice, size[1])) from error
    if len(shape) != 2:
        raise EmbedderUnavailable(
            f"{choice.name} gives no single vector per image. Choose another model."
        )
    return int(shape[1])


def _bad_side(choice: ImageModelChoice, side: int) -> str:
    return (
        f"{choice.name} cannot read images of {side} x {side} pixels. Choose 0 for its own side, "
        "or a multiple of the side of its patches (14 or 16, as its name says)."
    )
