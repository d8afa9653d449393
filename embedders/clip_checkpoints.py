"""Which CLIP models there are: what open_clip lists, by name, without importing it.

open_clip loads torch, which the server process does without. The architectures are read from the
configuration files that open_clip brings along; the published checkpoints, which it keeps in code,
from a table of ours (``data/open_clip_checkpoints.json``) that ``listed_by_open_clip`` makes and
a test compares with the installed version.
"""

from __future__ import annotations

import copy
import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from core.errors import EmbedderUnavailable, ParameterError
from embedders.clip_model_list import BUNDLED, download_mb
from embedders.hub_model import HubModel, ModelSource, at_hand, local_path
from embedders.model_files import CLIP_FILES, TOKENIZER_FILES, FileRule, only

TABLE = Path(__file__).resolve().parents[1] / "data" / "open_clip_checkpoints.json"
LOCAL_DIR, HF_HUB = "local-dir:", "hf-hub:"
CONFIG = "open_clip_config.json"
WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
PREFERRED = ("datacomp_xl", "laion2b_s34b", "laion2b")
"""Checkpoints taken when none is named: trained on most data, under the MIT licence."""
INSTEAD = "The bundled model tiny_clip needs no download."

# A checkpoint that open_clip lists has its configuration there; only the weights are needed.
_WEIGHTS_ONLY = replace(CLIP_FILES, id="clip-weights", required=())
_SHOWN = 12


@dataclass(frozen=True)
class ClipChoice:
    """A model that was asked for by name, and what has to be on this machine for it.

    Attributes
    ----------
    name : str
        What it is called in sentences.
    architecture : str
        One of ``architectures()``; empty where the configuration lies beside the weights.
    tag : str
        The published checkpoint, or "".
    file : str
        A checkpoint file that somebody typed, or "".
    weights, tokenizer, text_config : HubModel or None
        Where weights (with their configuration), tokenizer and the configuration of the text
        tower come from, where that is a hub model or a folder.
    """

    name: str
    architecture: str = ""
    tag: str = ""
    file: str = ""
    weights: HubModel | None = None
    tokenizer: HubModel | None = None
    text_config: HubModel | None = None

    @property
    def is_bundled(self) -> bool:
        """Tell whether it is the model that comes with the program."""
        return not (self.architecture or self.weights)

    @property
    def source(self) -> ModelSource | None:
        """Return all that may have to be downloaded as one, or None."""
        parts = [one for one in (self.weights, self.tokenizer, self.text_config) if one]
        unique = list({(one.name, one.files.id): one for one in parts}.values())
        return replace(unique[0], beside=tuple(unique[1:]), instead=INSTEAD) if unique else None


def architectures() -> tuple[str, ...]:
    """Return the names of the architectures that the installed open_clip knows, sorted."""
    return tuple(sorted(_config_files(), key=str.lower))


def checkpoints(architecture: str) -> tuple[str, ...]:
    """Return the published checkpoints of an architecture, in open_clip's order."""
    return tuple(_table().get(architecture, {}))


def default_checkpoint(architecture: str) -> str:
    """Return the checkpoint that is taken when none is named; empty where none is published."""
    tags = checkpoints(architecture)
    preferred = (tag for start in PREFERRED for tag in tags if tag.startswith(start))
    return next(preferred, tags[0] if tags else "")


def architecture_config(name: str) -> dict[str, Any]:
    """Return the configuration of an architecture, as open_clip keeps it."""
    return copy.deepcopy(_read_config(_config_files()[name]))


def resolve(model: str, checkpoint: str = "") -> ClipChoice:
    """Return what ``model`` and ``checkpoint`` stand for; nothing is loaded.

    Parameters
    ----------
    model : str
        "tiny_clip"; an architecture ("ViT-B-32"); "local-dir:" and a folder; "hf-hub:" and the
        name of an open_clip model on the hub, or that name alone ("laion/CLIP-ViT-B-32-…").
    checkpoint : str
        Of an architecture: a published checkpoint, or the path of a file of weights. Empty for a
        good one with a free licence (``PREFERRED``), else the first that is listed.

    Raises
    ------
    ParameterError
        For a name that does not exist, with those that look like it.
    EmbedderUnavailable
        For a path that may not be read.
    """
    model, checkpoint = model.strip(), checkpoint.strip()
    if model in {"", BUNDLED}:
        _no_checkpoint(BUNDLED, checkpoint)
        return ClipChoice(BUNDLED)
    place = model.removeprefix(LOCAL_DIR).removeprefix(HF_HUB)
    if place != model or model.startswith(("/", "./", "~")):
        _no_checkpoint(model, checkpoint)
        return _published(place, is_folder=not model.startswith(HF_HUB))
    name = model.replace("/", "-")  # ViT-B/32, as the paper writes it
    known = {known.lower(): known for known in architectures()}
    if name.lower() in known:
        return _of_architecture(known[name.lower()], checkpoint)
    if "/" in model:
        _no_checkpoint(model, checkpoint)
        return _published(model, is_folder=False)
    near = _near(name, list(known.values()))
    raise ParameterError(
        f"open_clip knows no architecture {model!r}. {near}Give one of its {len(known)} names "
        f"(such as ViT-B-32 or coca_ViT-B-32), {LOCAL_DIR} and a folder, or {BUNDLED}."
    )


def _of_architecture(name: str, checkpoint: str) -> ClipChoice:
    table = _table().get(name, {})
    tags = list(table)
    tower = architecture_config(name)["text_cfg"]
    choice = ClipChoice(
        name,
        name,
        tokenizer=_tokenizer(tower.get("hf_tokenizer_name")),
        text_config=_tokenizer(tower.get("hf_model_name")),
    )
    tag = checkpoint.lower().replace("-", "_") or default_checkpoint(name)
    if tag in table:
        repo, file = _split(table[tag])
        rule: FileRule = only(file) if file else _WEIGHTS_ONLY
        size = download_mb(name)
        weights = HubModel(repo, files=rule, mb=size)
        tokenizer = choice.tokenizer
        if tokenizer is not None and tokenizer.name == repo:
            # One download instead of two where the tokenizer lies beside the weights.
            needed = (("tokenizer files", TOKENIZER_FILES.weights),)
            rule = replace(rule, id="clip-tokenizer", required=needed)
            weights = tokenizer = HubModel(repo, files=rule, mb=size)
        return replace(
            choice, name=f"{name} ({tag})", tag=tag, weights=weights, tokenizer=tokenizer
        )
    if checkpoint.endswith(WEIGHT_SUFFIXES) or "/" in checkpoint:
        return replace(choice, name=f"{name} ({_checked_file(checkpoint)})", file=checkpoint)
    if not tags:
        raise ParameterError(
            f"open_clip lists no checkpoint of {name}. Give the path of a file of weights "
            f"({', '.join(WEIGHT_SUFFIXES)}), or choose another architecture."
        )
    raise ParameterError(
        f"open_clip lists no checkpoint {checkpoint!r} of {name}. {_near(tag, tags)}"
        f"It lists: {_listed(tags)}. A file of weights is given by its path."
    )


def _published(place: str, *, is_folder: bool) -> ClipChoice:
    """Return the choice for a model whose configuration lies beside its weights."""
    if is_folder and not place.startswith(("/", "./", "~")):
        place = f"./{place}"
    weights = HubModel(place, files=CLIP_FILES)
    tower = _text_tower(weights)
    return ClipChoice(
        Path(place).name if is_folder else place,
        weights=weights,
        tokenizer=weights if tower.get("hf_tokenizer_name") else None,
        text_config=_tokenizer(tower.get("hf_model_name")),
    )


def _text_tower(weights: HubModel) -> Mapping[str, Any]:
    """Return the configuration of the text tower, empty while it is not on this machine."""
    found = at_hand(weights)
    if found is None:
        return {}
    config = _read_config(found.path / CONFIG)
    tower = config.get("model_cfg", {}).get("text_cfg", {})
    return tower if isinstance(tower, dict) else {}


def _tokenizer(name: str | None) -> HubModel | None:
    return HubModel(name, files=TOKENIZER_FILES) if name else None


def _checked_file(path: str) -> str:
    """Return the name of a typed file of weights that is there and of a kind that is read."""
    found = local_path(path)
    if not found.is_file():
        raise ParameterError(
            f"There is no file {path}. Check the path, or give the name of a published checkpoint."
        )
    if found.suffix not in WEIGHT_SUFFIXES:
        raise ParameterError(
            f"Weights are read from {', '.join(WEIGHT_SUFFIXES)} files, got {found.name}."
        )
    return found.name


def _no_checkpoint(model: str, checkpoint: str) -> None:
    if checkpoint:
        raise ParameterError(
            f"{model} has one checkpoint; it takes no other ({checkpoint!r}). "
            "Leave the checkpoint empty, or name an architecture as the model."
        )


def _split(place: str) -> tuple[str, str]:
    """Return repository and file of "org/model/" or "org/model/file"."""
    org, model, file = place.split("/", 2)
    return f"{org}/{model}", file


def _near(name: str, known: list[str]) -> str:
    lower = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(lower[n] for n in near)}? " if near else ""


def _listed(tags: list[str]) -> str:
    shown = ", ".join(tags[:_SHOWN])
    return shown if len(tags) <= _SHOWN else f"{shown} and {len(tags) - _SHOWN} more"


def _read_config(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EmbedderUnavailable(
            f"{path.name} of the CLIP model cannot be read as JSON. Get the model again."
        ) from error
    if not isinstance(read, dict):
        raise EmbedderUnavailable(
            f"{path.name} of the CLIP model does not hold settings. Get the model again."
        )
    return read


@lru_cache(maxsize=1)
def _config_files() -> dict[str, Path]:
    spec = find_spec("open_clip")
    folders = (spec.submodule_search_locations if spec else None) or ()
    return {p.stem: p for f in folders for p in sorted(Path(f).glob("model_configs/*.json"))}


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def listed_by_open_clip() -> dict[str, dict[str, str]]:
    """Return architecture → checkpoint → hub repository (or file in it), as open_clip lists them.

    Imports open_clip. Write the result to ``TABLE`` when open_clip's version changes.
    """
    table: dict[str, dict[str, str]] = {}
    for architecture, tag, place in _listed_pairs():
        table.setdefault(architecture, {})[tag] = place
    return table


def _listed_pairs() -> Iterator[tuple[str, str, str]]:
    from embedders.torchvision_schemas import declare_missing

    declare_missing()
    import open_clip

    for architecture, tag in open_clip.list_pretrained():
        yield architecture, tag, open_clip.get_pretrained_cfg(architecture, tag)["hf_hub"]
