"""The bundled small CLIP model: found, checked and loaded, once per process.

``data/train_tiny_clip.py`` makes it; its folder is one that open_clip reads (``local-dir:``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.errors import EmbedderUnavailable
from embedders.torchvision_schemas import declare_missing

FOLDER = Path(__file__).resolve().parents[1] / "data" / "tiny_clip"
WEIGHTS = "open_clip_model.safetensors"
WEIGHTS_SHA256 = "70d70a1515f0706f1e7bbf2108eb632d16d3d15f07637a21b1722489666c6e60"
"""Of the weights that ``data/train_tiny_clip.py`` made for this version."""
LICENCE = "Same terms as this project; word pieces and their vectors from MiniLM, Apache-2.0"
ABOUT = (
    "A small CLIP model trained by this project, on two things only: drawn scenes of one or two "
    "groups of simple shapes on a light ground, and handwritten digits.",
    "It knows six shapes (circle, square, triangle, star, diamond, cross), eight colours (red, "
    "orange, yellow, green, blue, purple, pink, black), counts of one to four, two sizes, plain, "
    "striped and dotted shapes, above, below, left and right, and the digits 0 to 9.",
    "Of 500 scenes with combinations of count, colour and shape that it was never trained on, it "
    "finds the right picture first for .970 of the captions (chance .002).",
    "It knows nothing of photographs: on other pictures, and for other words, its answers mean "
    "little. Choose a larger CLIP model for those.",
)
"""What a user must know of the model, in plain sentences."""
SEEN = (
    "The bundled CLIP was trained on drawn scenes and on four fifths of scikit-learn's handwritten "
    "digits. Where images here are among those, it has seen what is held out, and the held-out "
    "figures, those before training too, are better than new images would give."
)
"""What a method that trains on top of the model must say of its held-out figures."""


class TinyClip(NamedTuple):
    """What open_clip's factory gives: model, image transform and tokenizer, for inference."""

    model: Any
    preprocess: Callable[[Any], Any]
    """From a PIL image to a ``(3, 64, 64) float32`` tensor."""
    tokenize: Callable[[Sequence[str]], Any]
    """From texts to an ``(n, 24) int64`` tensor of word pieces; longer texts are cut."""


def missing_packages() -> list[str]:
    """Return which of the packages that the model needs are not installed."""
    needed = ("torch", "torchvision", "open_clip", "timm", "tokenizers", "safetensors")
    return [name for name in needed if find_spec(name) is None]


@lru_cache(maxsize=1)
def load() -> TinyClip:
    """Return the bundled model in evaluation mode; nothing is fetched.

    Raises
    ------
    EmbedderUnavailable
        If a package is missing, or the weights are not those of this version.
    """
    if missing := missing_packages():
        raise EmbedderUnavailable(
            f"The bundled CLIP model needs {', '.join(missing)}, which is not installed. "
            "Install what requirements.txt lists, or choose a colour histogram or HOG."
        )
    return load_folder(FOLDER, WEIGHTS_SHA256)


def load_folder(folder: Path, sha256: str) -> TinyClip:
    """Return the model of a folder whose weights must have the digest ``sha256``."""
    _check_weights(folder / WEIGHTS, sha256)
    declare_missing()
    import torch
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from safetensors.torch import load_file
    from tokenizers import Tokenizer

    config = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are overwritten
        model = new_model(config)
    model.load_state_dict(load_file(folder / WEIGHTS))  # float16 is widened to float32
    side = config["model_cfg"]["vision_cfg"]["image_size"]
    transform = image_transform_v2(
        PreprocessCfg(size=side, **config["preprocess_cfg"]), is_train=False
    )
    length = config["model_cfg"]["text_cfg"]["context_length"]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return TinyClip(model.eval(), transform, tokenize_with(tokenizer, length))


def new_model(config: dict[str, Any]) -> Any:
    """Return open_clip's model of a configuration, its weights random."""
    declare_missing()
    from open_clip.model import CustomTextCLIP

    towers = {name: value for name, value in config["model_cfg"].items() if name != "custom_text"}
    return CustomTextCLIP(**towers)


def tokenize_with(tokenizer: Any, length: int) -> Callable[[Sequence[str]], Any]:
    """Return a function that cuts texts into word pieces and pads them to ``length``."""
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length)

    def tokenize(texts: Sequence[str]) -> Any:
        import torch

        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        ids = [encoding.ids for encoding in tokenizer.encode_batch(clean)]
        return torch.tensor(ids, dtype=torch.int64).reshape(len(ids), length)

    return tokenize


def as_input(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Any:
    """Return ``(n, side, side, 3) uint8`` images as the model takes them, without a loop."""
    import torch

    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    return (images.float() / 255 - 0.5) / 0.25


def _check_weights(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise EmbedderUnavailable(
            "The weights of the bundled CLIP model are missing. Install the project again."
        )
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise EmbedderUnavailable(
            f"The weights of the bundled CLIP model are not those of this version (SHA-256 "
            f"{found[:12]}…, expected {sha256[:12]}…). Install the project again."
        )
