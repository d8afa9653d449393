"""Image models worth knowing, and which others timm lists, without importing it.

timm loads torch, which the server process does without; the names of its models are read from a
table of ours (``data/timm_models.txt``, written by ``data/list_timm_models.py``) that a test
compares with the installed version.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.errors import EmbedderUnavailable, EmbedscopeError, ParameterError
from core.params import Suggestion
from embedders import hub_model
from embedders.hub_model import HubModel, local_path
from embedders.model_files import IMAGE_FILES, PICKLES

TABLE = Path(__file__).resolve().parents[1] / "data" / "timm_models.txt"
WEIGHT_SUFFIXES = (".safetensors", *PICKLES)
DEFAULT = "mobilenetv3_large_100.ra_in1k"
INSTEAD = "A network trained on your own labels, HOG and colour histograms need no download."
_HF_HUB = "hf-hub:"


@dataclass(frozen=True, kw_only=True)
class KnownImageModel:
    """Facts of one model, as timm's own configuration states them.

    Attributes
    ----------
    name : str
        Architecture and tag.
    mb : int
        Megabytes to download: four bytes per number of the published weights.
    licence : str
    dim : int
        Length of its vectors.
    side : int
        Pixels per side of the images it was trained on.
    good_at : str
        A few words.
    """

    name: str
    mb: int
    licence: str
    dim: int
    side: int
    good_at: str

    @property
    def about(self) -> str:
        """Return a sentence on what it is good at and what to know of it."""
        return f"{self.good_at}; reads {self.side} x {self.side} pixels; licence {self.licence}."


def _model(name: str, mb: int, dim: int, side: int, good_at: str) -> KnownImageModel:
    return KnownImageModel(
        name=name, mb=mb, licence="Apache-2.0", dim=dim, side=side, good_at=good_at
    )


KNOWN: tuple[KnownImageModel, ...] = (
    _model(DEFAULT, 22, 1_280, 224, "Quick and small: photos of things, on any laptop"),
    _model("mobilenetv3_small_100.lamb_in1k", 10, 1_024, 224, "The quickest and smallest"),
    _model("efficientnet_b0.ra_in1k", 21, 1_280, 224, "Photos of things; small, a little slower"),
    _model("resnet18.a1_in1k", 47, 512, 224, "The classic small residual network"),
    _model("resnet50.a1_in1k", 102, 2_048, 224, "The classic that papers compare with"),
    _model(
        "convnext_tiny.in12k_ft_in1k", 114, 768, 224, "Photos of twelve thousand kinds of things"
    ),
    _model(
        "vit_tiny_patch16_224.augreg_in21k_ft_in1k", 23, 192, 224, "The smallest transformer here"
    ),
    _model(
        "vit_small_patch16_224.augreg_in21k_ft_in1k", 88, 384, 224, "Photos; a small transformer"
    ),
    _model(
        "vit_small_patch16_224.dino",
        87,
        384,
        224,
        "Learnt without labels: groups images by what they show, not by one list of classes",
    ),
    _model(
        "vit_small_patch14_dinov2.lvd142m",
        88,
        384,
        518,
        "The strongest small one, learnt without labels; slow at its full side, try 224",
    ),
    _model(
        "vit_base_patch14_dinov2.lvd142m",
        346,
        768,
        518,
        "Strong on fine differences, learnt without labels; slow without a graphics card",
    ),
    _model(
        "vit_base_patch16_siglip_224.webli",
        372,
        768,
        224,
        "The image tower of SigLIP: what captions on the web speak of",
    ),
)


@dataclass(frozen=True)
class ImageModelChoice:
    """A model that was asked for by name.

    Attributes
    ----------
    name : str
        What it is called in sentences.
    architecture : str
        timm's name; empty where the configuration lies beside the weights.
    source : HubModel or None
    file : str
        A file of weights that somebody typed, or "".
    """

    name: str
    architecture: str = ""
    source: HubModel | None = None
    file: str = ""


@lru_cache(maxsize=1)
def listed() -> dict[str, tuple[str, ...]]:
    """Return the tags of each architecture that timm publishes on the hub, its default first."""
    rows = (line.split() for line in TABLE.read_text(encoding="utf-8").splitlines())
    return {row[0]: tuple(row[1:]) for row in rows if row}


def resolve(model: str, checkpoint: str = "") -> ImageModelChoice:
    """Return which model a name means, and what has to be on this machine for it.

    Parameters
    ----------
    model : str
        An architecture of timm ("resnet18"), with a tag ("resnet18.a1_in1k"), a model of the hub
        ("timm/resnet18.a1_in1k", "hf-hub:org/model"), or the path of a folder.
    checkpoint : str
        The path of a file of weights for that architecture; empty for the published ones.

    Raises
    ------
    ParameterError
        For a name that timm does not have, with those that look similar.
    EmbedderUnavailable
        If the file of weights is not there or may not be read.
    """
    name, file = model.strip().removeprefix(_HF_HUB), checkpoint.strip()
    if not name:
        raise ParameterError(
            "The name of the image model is empty. Give one such as resnet18, or choose one."
        )
    if name.startswith(("/", "./", "~")) or "/" in name:
        if file:
            raise ParameterError(
                f"A file of weights needs the name of an architecture, such as resnet18, not "
                f"{name!r}. Leave one of the two empty."
            )
        source = HubModel(name, IMAGE_FILES, instead=INSTEAD)
        return ImageModelChoice(Path(name).name if source.is_path else name, "", source)
    architecture, _, tag = name.partition(".")
    tags = _tags(architecture)
    if file:
        return ImageModelChoice(f"{architecture} with {_file(file).name}", architecture, None, file)
    if tag and tag not in tags:
        shown = ", ".join(tags[:8])
        raise ParameterError(
            f"timm has no weights {tag!r} of {architecture}; there are: {shown}. "
            f"{_similar(tag, tags)}".strip()
        )
    full = f"{architecture}.{tag or tags[0]}"
    known = next((one for one in KNOWN if one.name == full), None)
    mb = known.mb if known else None
    source = HubModel(f"timm/{full}", IMAGE_FILES, mb=mb, instead=INSTEAD)
    return ImageModelChoice(full, architecture, source)


def _tags(architecture: str) -> tuple[str, ...]:
    if tags := listed().get(architecture):
        return tags
    raise ParameterError(
        f"timm has no pretrained image model {architecture!r}. "
        f"{_similar(architecture, listed()) or 'Choose one of the list, or give a folder.'}"
    )


def _similar(name: str, names: object) -> str:
    near = difflib.get_close_matches(name.lower(), list(names), n=3, cutoff=0.6)  # type: ignore[call-overload]
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else ""


def _file(text: str) -> Path:
    path = local_path(text)
    if not text.endswith(WEIGHT_SUFFIXES):
        raise EmbedderUnavailable(
            f"{path.name} is no file of weights; its name ends in one of "
            f"{', '.join(WEIGHT_SUFFIXES)}. Give such a file."
        )
    if not path.is_file():
        raise EmbedderUnavailable(f"There is no file {text}. Check its path.")
    return path


def suggestions() -> tuple[Suggestion, ...]:
    """Return the models of the list, then others that are on this machine, ready ones marked."""
    made = []
    for model in KNOWN:
        state = "ready" if is_ready(model.name) else f"{model.mb:,} MB to download"
        label = f"{model.name} · {model.dim:,}-d · {state}"
        made.append(Suggestion(model.name, label, model.about))
    ours = {f"timm/{model.name}" for model in KNOWN}
    made += [
        Suggestion(name, f"{name} · ready", "Found on this machine.")
        for name in hub_model.ready_models(IMAGE_FILES)
        if name not in ours and _is_timm(name)
    ]
    return tuple(made)


def _is_timm(name: str) -> bool:
    """Tell whether a model of the hub looks like one of timm: others have the same file names."""
    organisation, _, own = name.rpartition("/")
    return organisation == "timm" or own.partition(".")[0] in listed()


def is_ready(name: str) -> bool:
    """Tell whether a model is on this machine."""
    try:
        source = resolve(name).source
        return source is not None and hub_model.locate(source) is not None
    except EmbedscopeError:
        return False
