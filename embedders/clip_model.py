"""A CLIP model of open_clip, loaded from this machine alone: images and texts to one space.

open_clip's own functions build the networks, convert old checkpoints and transform images. What
it would fetch by itself (weights, tokenizers, the configuration of a text tower) is given to it as
folders; ``embedders.hub_model`` finds them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix, FloatVector
from core.errors import EmbedderUnavailable, QueryError
from embedders import tiny_clip
from embedders.clip_checkpoints import CONFIG, ClipChoice, architecture_config, checkpoints
from embedders.clip_model_list import BUNDLED
from embedders.hub_model import LocalModel, identity, local_path, required
from embedders.model_files import is_pickled
from embedders.torchvision_schemas import declare_missing

if TYPE_CHECKING:
    from PIL import Image

TRAINED_TOWERS = ("vision_cfg", "text_cfg")
_LONGEST = 8
"""Images longer than this many times their height (or higher) are cut before they are resized."""
_MARKS = 4
"""Room for the tokens that a tokenizer puts around a text, beside one per byte of it."""
_PROBLEMS = (RuntimeError, KeyError, IndexError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True, eq=False)
class ClipModel:
    """Towers, tokenizer and image transform, ready for inference.

    Attributes
    ----------
    name : str
    network : torch.nn.Module
        open_clip's CLIP, CustomTextCLIP (SigLIP among them) or CoCa.
    transform : callable
        From an RGB PIL image to a ``(3, height, width) float32`` tensor.
    tokenize : callable
        From texts and a length to an ``(n, length) int64`` tensor.
    context_length : int
        Tokens read of a text.
    fillers : frozenset of int
        Tokens that end a text or fill it up.
    ends : frozenset of int
        Tokens that end a text.
    token_text : callable
        From a token to how it is written.
    vocabulary : int
        Rows of the table of token vectors; 0 where it is not known.
    dim : int
    side : (int, int)
        Height and width of the images that the model sees.
    resize_mode : {"shortest", "longest", "squash"}
    logit_scale, logit_bias : float
        By which cosines are multiplied, and what is added, before the softmax or sigmoid.
    about : mapping
        What the provenance tells of the weights.
    notes : tuple of str
    is_16_bit : bool
        Whether the network calculates with bfloat16; its features are float32 all the same.
    """

    name: str
    network: Any
    transform: Callable[[Any], Any]
    tokenize: Callable[[Sequence[str], int], Any]
    context_length: int
    fillers: frozenset[int]
    ends: frozenset[int]
    token_text: Callable[[int], str]
    vocabulary: int
    dim: int
    side: tuple[int, int]
    resize_mode: str
    logit_scale: float
    logit_bias: float
    about: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    is_16_bit: bool = False

    def to_bfloat16(self) -> Self:
        """Return the model with 16-bit weights; this one, which others may use, stays exact."""
        import copy

        import torch

        return replace(self, network=copy.deepcopy(self.network).to(torch.bfloat16), is_16_bit=True)

    def token_ids(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], list[int]]:
        """Return the ``(n, context_length) int32`` tokens of ``texts`` and which were cut.

        A text was cut where, read a little further, a token of it would stand on the last place.
        """
        if not texts:
            return np.zeros((0, self.context_length), np.int32), []
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        length = self.context_length
        ids = np.asarray(self.tokenize(clean, length), np.int32)
        full = [row for row in range(len(ids)) if int(ids[row, -2]) not in self.fillers]
        cut: list[int] = []
        if full:
            longer = np.asarray(self.tokenize([clean[row] for row in full], length + 2), np.int32)
            last = longer[:, length - 1].tolist()
            cut = [row for row, token in zip(full, last, strict=True) if token not in self.fillers]
        if self.vocabulary and int(ids.max()) >= self.vocabulary:
            raise EmbedderUnavailable(
                f"The tokenizer of {self.name} makes token {int(ids.max())}, but the model knows "
                f"only {self.vocabulary:,} tokens: they do not belong together. "
                "Get the model again, or choose another one."
            )
        return ids, cut

    def real_tokens(self, text: str) -> tuple[list[int], int]:
        """Return the tokens that are read of a text, its marks among them, and how many are not."""
        clean = text.encode("utf-8", "replace")
        whole = np.asarray(self.tokenize([clean.decode("utf-8")], len(clean) + _MARKS), np.int32)
        read = self._without_filling(self.token_ids([text])[0][0])
        return read, len(self._without_filling(whole[0])) - len(read)

    def _without_filling(self, row: NDArray[np.int32]) -> list[int]:
        ids: list[int] = row.tolist()
        end = next((place for place, id in enumerate(ids) if id in self.ends), None)
        if end is not None:
            return ids[: end + 1]
        while len(ids) > 1 and ids[-1] == ids[-2] and ids[-1] in self.fillers:
            ids.pop()
        return ids

    def token_vectors(self, ids: NDArray[np.int32]) -> FloatMatrix | None:
        """Return the ``(context_length, dim) float32`` last states of a text's tokens, projected.

        Parameters
        ----------
        ids : (1, context_length) int32

        Returns
        -------
        matrix or None
            The row of the token that stands for the text is ``embed_texts`` of it; None where the
            tower has no such row.
        """
        import torch

        tower = getattr(self.network, "text", self.network)
        projection = getattr(tower, "text_projection", None)
        if not hasattr(tower, "ln_final"):
            return None
        seen: list[Any] = []
        hook = tower.ln_final.register_forward_hook(lambda _module, _given, out: seen.append(out))
        try:
            whole = self.embed_texts(ids)[0]
        finally:
            hook.remove()
        if not seen or seen[-1].ndim != 3:
            return None
        with torch.inference_mode():
            states = seen[-1][0]
            if isinstance(projection, torch.nn.Linear):
                states = projection(states)
            elif projection is not None:
                states = states @ projection
            matrix: FloatMatrix = states.float().numpy()
        if matrix.shape[1:] != whole.shape or not _row_like(matrix, whole):
            return None
        return matrix

    def pixels(self, image: NDArray[np.uint8]) -> Any:
        """Return ``(height, width, 3) uint8`` pixels as the ``(3, h, w)`` tensor of the model."""
        from PIL import Image

        return self.transform(within_reach(Image.fromarray(image), self.side, self.resize_mode))

    def embed_texts(self, ids: NDArray[np.int32]) -> FloatMatrix:
        """Return the ``(n, dim) float32`` features of token ids, not normalised."""
        import torch

        with torch.inference_mode():
            given = torch.from_numpy(ids.astype(np.int64))
            features: FloatMatrix = self.network.encode_text(given, normalize=False).float().numpy()
        return features

    def embed_images(self, pixels: Sequence[Any]) -> FloatMatrix:
        """Return the ``(n, dim) float32`` features of image tensors, not normalised."""
        import torch

        with torch.inference_mode():
            batch = torch.stack(list(pixels))
            if self.is_16_bit:
                batch = batch.to(torch.bfloat16)
            features: FloatMatrix = (
                self.network.encode_image(batch, normalize=False).float().numpy()
            )
        return features


def _row_like(matrix: FloatMatrix, vector: FloatVector) -> bool:
    """Tell whether a row of ``matrix`` is ``vector``, but for rounding."""
    gaps = np.abs(matrix - vector).max(axis=1)
    return bool(gaps.min() <= 1e-2 * max(float(np.abs(vector).max()), 1e-12))


def within_reach(image: Image.Image, side: tuple[int, int], mode: str) -> Image.Image:
    """Return a very long or very high image in a shape that can be resized in little memory.

    With the shortest edge brought to the model's size, a picture of 20,000 × 1 pixels would be
    resized to millions of pixels, of which the middle is kept: that middle is cut out before.
    With the longest edge brought to size, its other edge would vanish: it becomes one pixel.
    """
    width, height = image.size
    if mode == "shortest" and max(width, height) > _LONGEST * min(width, height):
        edge = _LONGEST * min(width, height)
        left, top = max(0, (width - edge) // 2), max(0, (height - edge) // 2)
        return image.crop((left, top, min(width, left + edge), min(height, top + edge)))
    if mode == "longest" and max(width, height) > 2 * max(side) * min(width, height):
        high = side[0] if height > width else 1
        return image.resize((side[1] if width > height else 1, high))
    return image


def missing_packages() -> list[str]:
    """Return which of the packages that run CLIP models are not installed."""
    needed = ("torch", "torchvision", "open_clip", "timm", "transformers", "safetensors")
    return [name for name in needed if find_spec(name) is None]


def load(choice: ClipChoice) -> ClipModel:
    """Return a model in evaluation mode, kept for the next call; nothing is fetched.

    Raises
    ------
    EmbedderUnavailable
        If a package or a file is missing, or the weights do not fit the architecture.
    """
    if missing := missing_packages():
        raise EmbedderUnavailable(
            f"CLIP needs {', '.join(missing)}, which is not installed. Install what "
            "requirements.txt lists, or choose a colour histogram or HOG."
        )
    return _load(choice, _version(choice))


def _version(choice: ClipChoice) -> str:
    """Return what tells these weights from others that may lie under the same name tomorrow."""
    known = identity(choice.source) if choice.source else ""
    if not choice.file:
        return known
    stat = local_path(choice.file).stat()
    return f"{known} {stat.st_size} {stat.st_mtime_ns}"


@lru_cache(maxsize=2)
def _load(choice: ClipChoice, version: str) -> ClipModel:  # noqa: ARG001 -- part of the key
    declare_missing()
    if choice.is_bundled:
        return _bundled()
    weights = required(choice.weights) if choice.weights else None
    read = {} if weights is None or choice.architecture else _configuration(weights.path)
    config = read.get("model_cfg") or architecture_config(choice.architecture)
    network = _network(config, choice)
    file = _weights_file(choice, weights)
    _fill(network, file, choice)
    return _ready(choice, network, config, read.get("preprocess_cfg", {}), weights, file)


def _bundled() -> ClipModel:
    from tokenizers import Tokenizer

    tiny = tiny_clip.load()
    read = _configuration(tiny_clip.FOLDER)
    config = read["model_cfg"]
    length = int(config["text_cfg"]["context_length"])
    tokenizer = Tokenizer.from_file(str(tiny_clip.FOLDER / "tokenizer.json"))

    def tokenize(texts: Sequence[str], wanted: int) -> Any:
        return tiny_clip.tokenize_with(tokenizer, wanted)(texts)

    ends = tiny.tokenize([""])[0].tolist()  # start, end and padding
    return ClipModel(
        name=BUNDLED,
        network=tiny.model,
        transform=tiny.preprocess,
        tokenize=tokenize,
        context_length=length,
        fillers=frozenset(ends[1:]),
        ends=frozenset(ends[1:2]),
        token_text=lambda id: str(tokenizer.id_to_token(id)),
        vocabulary=int(config["text_cfg"]["vocab_size"]),
        dim=int(config["embed_dim"]),
        side=(int(config["vision_cfg"]["image_size"]),) * 2,
        resize_mode=str(read["preprocess_cfg"]["resize_mode"]),
        logit_scale=_scale(tiny.model),
        logit_bias=_bias(tiny.model),
        about={"model": BUNDLED, "weights_sha256": tiny_clip.WEIGHTS_SHA256},
        notes=tuple(tiny_clip.ABOUT),
    )


def _configuration(folder: Path) -> dict[str, Any]:
    """Return what open_clip_config.json of a folder says.

    Raises
    ------
    EmbedderUnavailable
        If it says nothing that a CLIP model could be built from.
    """
    import json

    try:
        read = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        model = read["model_cfg"]
        whole = isinstance(model["embed_dim"], int) and all(
            isinstance(model[tower], dict) for tower in TRAINED_TOWERS
        )
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise EmbedderUnavailable(_NO_CONFIG) from error
    if not whole:
        raise EmbedderUnavailable(_NO_CONFIG)
    return dict(read)


_NO_CONFIG = (
    "open_clip_config.json of the model does not describe a CLIP model: it needs model_cfg with "
    "embed_dim, vision_cfg and text_cfg. Give a folder that open_clip saved."
)


def _network(config: dict[str, Any], choice: ClipChoice) -> Any:
    """Return open_clip's network for a configuration, with random weights."""
    from open_clip.coca_model import CoCa
    from open_clip.model import CLIP, CustomTextCLIP

    config = {**config, "vision_cfg": {**config["vision_cfg"], "timm_model_pretrained": False}}
    if choice.text_config is not None:
        folder = str(required(choice.text_config).path)
        tower = {"hf_model_name": folder, "hf_model_pretrained": False}
        config["text_cfg"] = {**config["text_cfg"], **tower}
    if (gelu := _quick_gelu(choice)) is not None:
        config["quick_gelu"] = gelu
    is_custom = config.pop("custom_text", False) or choice.text_config is not None
    kind = (CoCa if "multimodal_cfg" in config else CustomTextCLIP) if is_custom else CLIP
    try:
        return kind(**config).eval()
    except (*_PROBLEMS, AssertionError, OSError) as error:
        raise EmbedderUnavailable(
            f"The installed open_clip cannot build {choice.name} ({_first_line(error)}). "
            "Check its open_clip_config.json, or choose another model."
        ) from error


def _quick_gelu(choice: ClipChoice) -> bool | None:
    """Return the activation that a published checkpoint was trained with, None where unknown.

    Architecture and checkpoint may disagree (ViT-B-32 with openai's weights): vectors would be
    slightly wrong with the architecture's.
    """
    if not choice.tag:
        return None
    import open_clip

    listed = open_clip.get_pretrained_cfg(choice.architecture, choice.tag)
    return bool(listed.get("quick_gelu", False))


def _weights_file(choice: ClipChoice, weights: LocalModel | None) -> Path:
    if weights is None:
        return local_path(choice.file)
    if len(weights.weights) != 1:
        raise EmbedderUnavailable(
            f"The weights of {choice.name} come in {len(weights.weights)} parts; CLIP models are "
            "read from one file. Choose a checkpoint in one file."
        )
    return weights.weights[0]


def _fill(network: Any, file: Path, choice: ClipChoice) -> None:
    """Load weights into ``network``: all of them, and nothing that could run code."""
    import pickle

    from open_clip import load_checkpoint
    from safetensors import SafetensorError

    try:
        load_checkpoint(network, str(file), strict=True, weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, EOFError, OSError) as error:
        raise EmbedderUnavailable(_unreadable(file)) from error
    except _PROBLEMS as error:
        if is_pickled(file.name) and "weights_only" in str(error):
            raise EmbedderUnavailable(_unreadable(file)) from error
        raise EmbedderUnavailable(
            f"The checkpoint {file.name} does not fit {choice.name}: {_misfit(error)}. "
            "Choose the architecture that it was trained with."
        ) from error


def _unreadable(file: Path) -> str:
    return (
        f"{file.name} does not hold weights that can be read safely: it is broken, or holds "
        "program code. Give a safetensors file, or a file of tensors that torch saved."
    )


def _misfit(error: Exception) -> str:
    """Return in a few words how a checkpoint differs from its architecture."""
    text = str(error)
    shapes = re.search(
        r"size mismatch for (\S+): copying a param with shape torch\.Size\(\[([\d, ]*)\]\) from "
        r"checkpoint, the shape in current model is torch\.Size\(\[([\d, ]*)\]\)",
        text,
    )
    if shapes:
        name, there, here = (part.replace(", ", " × ") or "one number" for part in shapes.groups())
        return f"{name} is {there} in the file and {here} in the architecture"
    for what, words in (("Missing", "the file lacks"), ("Unexpected", "the file also holds")):
        if found := re.search(rf'{what} key\(s\) in state_dict: "([^"]+)"', text):
            return f"{words} {found[1]}"
    return _first_line(error)


def _first_line(error: Exception) -> str:
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line[:120].rstrip(".:")


def _ready(
    choice: ClipChoice,
    network: Any,
    config: dict[str, Any],
    transform: Mapping[str, Any],
    weights: LocalModel | None,
    file: Path,
) -> ClipModel:
    from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict

    notes = []
    if choice.architecture:
        transform, told = _listed_transform(choice)
        notes += told
    size = network.visual.image_size
    side = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    try:
        merged = merge_preprocess_dict(PreprocessCfg(), {**transform, "size": size})
        applied = image_transform_v2(PreprocessCfg(**merged), is_train=False)
    except (*_PROBLEMS, AssertionError) as error:
        raise EmbedderUnavailable(
            f"preprocess_cfg of {choice.name} cannot be used ({_first_line(error)}). "
            "Correct it in open_clip_config.json."
        ) from error
    tokenize, fillers, ends, token_text = _tokenizer(choice, config["text_cfg"])
    tower = getattr(network, "text", network)
    if gelu := _quick_gelu(choice):
        notes.append("Activation QuickGELU, with which the checkpoint was trained.")
    about = weights.provenance() if weights else _file_provenance(choice, file)
    return ClipModel(
        name=choice.name,
        network=network,
        transform=applied,
        tokenize=tokenize,
        context_length=int(config["text_cfg"].get("context_length", 77)),
        fillers=fillers,
        ends=ends,
        token_text=token_text,
        vocabulary=int(getattr(tower, "vocab_size", 0) or 0),
        dim=int(config["embed_dim"]),
        side=side,
        resize_mode=str(merged["resize_mode"]),
        logit_scale=_scale(network),
        logit_bias=_bias(network),
        about={
            **about,
            "model": choice.name,
            "quick_gelu": bool(gelu or config.get("quick_gelu", False)),
        },
        notes=tuple(notes),
    )


def _listed_transform(choice: ClipChoice) -> tuple[Mapping[str, Any], list[str]]:
    """Return how a published checkpoint (or the architecture's first one) wants its images."""
    import open_clip

    tags = checkpoints(choice.architecture)
    if choice.tag:
        return open_clip.get_pretrained_cfg(choice.architecture, choice.tag), []
    if not tags:
        return {}, ["Images are prepared as for OpenAI's models: the file does not say how."]
    return open_clip.get_pretrained_cfg(choice.architecture, tags[0]), [
        f"Images are prepared as for the checkpoint {tags[0]}: the file does not say how."
    ]


def _tokenizer(
    choice: ClipChoice, tower: Mapping[str, Any]
) -> tuple[
    Callable[[Sequence[str], int], Any], frozenset[int], frozenset[int], Callable[[int], str]
]:
    """Return how texts are cut, which tokens fill or end one, which end one, how one is written."""
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    length = int(tower.get("context_length", 77))
    settings = dict(tower.get("tokenizer_kwargs", {}))
    if choice.tokenizer is None:
        plain = SimpleTokenizer(context_length=length, **settings)
        return (
            lambda texts, n: plain(list(texts), n),
            frozenset({0, plain.eot_token_id}),
            frozenset({plain.eot_token_id}),
            lambda id: str(plain.decode([id])).strip(),
        )
    folder = str(required(choice.tokenizer).path)
    try:
        cut = HFTokenizer(
            folder,
            context_length=length,
            tokenizer_mode=tower.get("tokenizer_mode"),
            local_files_only=True,
            trust_remote_code=False,
            **settings,
        )
    except (*_PROBLEMS, OSError, ImportError) as error:
        raise EmbedderUnavailable(
            f"The tokenizer of {choice.name} cannot be loaded ({_first_line(error)}). "
            "Get the model again, or choose another one."
        ) from error
    own = cut.tokenizer
    ends = frozenset(e for e in (own.eos_token_id, own.sep_token_id) if e is not None)
    return (
        lambda texts, n: cut(list(texts), n),
        ends | {0} | ({own.pad_token_id} - {None}),
        ends,
        lambda id: str(own.convert_ids_to_tokens([id])[0]),
    )


def _file_provenance(choice: ClipChoice, file: Path) -> dict[str, Any]:
    digest = digest_of(file)
    return {"model": choice.name, "model_from": "a local file", "weights_sha256": digest}


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file of weights."""
    import hashlib

    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _scale(network: Any) -> float:
    """Return the factor of the softmax: the exponential of what is trained (Radford 2021, 2.3)."""
    return float(network.logit_scale.detach().exp().reshape(-1)[0])


def _bias(network: Any) -> float:
    bias = getattr(network, "logit_bias", None)
    return 0.0 if bias is None else float(bias.detach().reshape(-1)[0])


def image_tensor(model: ClipModel, data: bytes) -> Any:
    """Return an encoded image as the model takes it: upright, first frame, on white."""
    from ingest.image_codec import decode

    return model.pixels(decode(data))


def not_a_query(title: str, query: object) -> QueryError:
    """Return the error for a query that is neither a text nor an image."""
    return QueryError(f"{title} takes a text or an image file, got {type(query).__name__}.")
