"""Which files of a published model are needed, and whether a folder has them all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from core.fingerprint import fingerprint

_MODULE = re.compile(r"\d+_\w+")
"""Folders of the modules of a sentence-transformers model: 1_Pooling, 2_Dense."""
_SHARDS = ("model-*-of-*.safetensors", "pytorch_model-*-of-*.bin")
PICKLES = (".bin", ".pt", ".pth", ".ckpt")
"""Endings of weights that torch may read with ``weights_only=True`` alone."""


@dataclass(frozen=True)
class FileRule:
    """What to take of a model's files.

    Attributes
    ----------
    id : str
        Names the rule in folders.
    weights : tuple of str
        Patterns of file names, the preferred one first: only the first that is met is taken.
    wanted : tuple of str
        Patterns of what is taken where it is there.
    required : tuple of (str, tuple of str)
        What there must be: in words, and the patterns of which one must be met.
    has_modules : bool
        Whether folders such as 1_Pooling belong to the model.
    """

    id: str
    weights: tuple[str, ...]
    wanted: tuple[str, ...]
    required: tuple[tuple[str, tuple[str, ...]], ...]
    has_modules: bool = False

    def choose(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of ``names`` (paths with "/") that belong to the model, sorted."""
        folders: dict[str, list[str]] = {}
        for name in names:
            parent = str(PurePosixPath(name).parent)
            if parent == "." or (self.has_modules and _MODULE.fullmatch(parent)):
                folders.setdefault(parent, []).append(name)
        chosen = {name for inside in folders.values() for name in self._of_folder(inside)}
        return tuple(sorted(chosen))

    def lacking(self, names: Iterable[str]) -> str:
        """Return, in words, what is missing among the chosen ``names``; empty where nothing is.

        A dense layer in a folder of its own has weights too: they are not the model's.
        """
        needed = (("weights", self.weights), *self.required)
        main = [
            path.name
            for path in map(PurePosixPath, names)
            if str(path.parent) == "." or path.parent.name.startswith("0_")
        ]
        return next((what for what, patterns in needed if not _met(main, patterns)), "")

    def _of_folder(self, names: list[str]) -> list[str]:
        def met(pattern: str) -> list[str]:
            return [n for n in names if fnmatchcase(PurePosixPath(n).name, pattern)]

        weights: list[str] = next((found for p in self.weights if (found := met(p))), [])
        if weights and _is_shard(weights[0]):
            weights = weights + met(_index_of(weights[0]))
        return [*weights, *(n for p in self.wanted for n in met(p))]


def only(*names: str) -> FileRule:
    """Return the rule that takes exactly these files, all of them required."""
    required = tuple((name, (name,)) for name in names)
    return FileRule(f"files-{fingerprint(*names)[:8]}", names[:1], names, required)


_TOKENIZER = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "*.model",
    "bpe.codes",
)
_TOKENIZER_TOO = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
)

TEXT_FILES = FileRule(
    "text",
    ("model.safetensors", _SHARDS[0], "pytorch_model.bin", _SHARDS[1]),
    (
        *_TOKENIZER,
        *_TOKENIZER_TOO,
        "config.json",
        "modules.json",
        "config_sentence_transformers.json",
        "sentence_*_config.json",
    ),
    # A model of static vectors of tokens has no configuration besides the list of its modules.
    (("config.json", ("config.json", "modules.json")), ("tokenizer files", _TOKENIZER)),
    has_modules=True,
)
"""A transformers or sentence-transformers model: weights, tokenizer, module folders."""

CLIP_FILES = FileRule(
    "clip",
    (
        "open_clip_model.safetensors",
        "open_clip_model-*-of-*.safetensors",
        "open_clip_pytorch_model.bin",
    ),
    ("open_clip_config.json", *_TOKENIZER, *_TOKENIZER_TOO),
    (("open_clip_config.json", ("open_clip_config.json",)),),
)
"""An open_clip checkpoint with its configuration and tokenizer."""

IMAGE_FILES = FileRule(
    "image",
    ("model.safetensors", "pytorch_model.bin"),
    ("config.json",),
    (("config.json", ("config.json",)),),
)
"""A timm model."""

TOKENIZER_FILES = FileRule(
    "tokenizer",
    _TOKENIZER,
    (*_TOKENIZER, *_TOKENIZER_TOO, "config.json"),
    (),
)
"""A tokenizer alone, for a model whose weights lie elsewhere."""


def is_complete(folder: Path, rule: FileRule) -> bool:
    """Tell whether ``folder`` holds a whole model by ``rule``, every shard included."""
    try:
        names = [p.relative_to(folder).as_posix() for p in _files(folder, rule)]
    except OSError:  # no folder, or none that may be read
        return False
    chosen = rule.choose(names)
    if rule.lacking(chosen):
        return False
    here = set(chosen)
    for name in chosen:
        if name.endswith(".index.json"):
            parent = PurePosixPath(name).parent
            if any(str(parent / shard) not in here for shard in _shards(folder / name)):
                return False
        elif _is_shard(name) and str(PurePosixPath(name).with_name(_index_of(name))) not in here:
            return False
    return "modules.json" not in here or _has_modules(folder, here)


def stamp(folder: Path, rule: FileRule) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and time of change of all files that decide on the vectors of a model.

    Not only the weights: pooling, prompts and tokenizer are files, too.
    """
    names = [path.relative_to(folder).as_posix() for path in _files(folder, rule)]
    deciding = {*rule.choose(names), *(name for name in names if name.endswith(".json"))}
    stats = [(name, (folder / name).stat()) for name in sorted(deciding)]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def is_pickled(name: str) -> bool:
    """Tell whether a file of weights is a pickle: read with ``weights_only=True`` or not at all."""
    return name.endswith(PICKLES)


def is_safe(name: str) -> bool:
    """Tell whether a path from a listing stays inside the folder that it is put into."""
    parts = name.split("/")
    return (
        name.isprintable()
        and not re.search(r'[\\:*?"<>|]', name)
        and all(part not in {"", ".", ".."} for part in parts)
        and len(name) <= 300
    )


def _files(folder: Path, rule: FileRule) -> list[Path]:
    inside = [folder]
    if rule.has_modules:
        inside += [p for p in folder.iterdir() if p.is_dir() and _MODULE.fullmatch(p.name)]
    return [p for one in inside for p in one.iterdir() if p.is_file()]


def _shards(index: Path) -> set[str]:
    try:
        parts = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return {str(part) for part in parts}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return {"an index that can be read"}


def _has_modules(folder: Path, names: set[str]) -> bool:
    """Tell whether every module that modules.json lists is there, where it has files at all."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        for module in modules:
            path, kind = module["path"], module["type"].rpartition(".")[2]
            inside = [n for n in names if n.startswith(f"{path}/") or not path]
            lacks_settings = (
                kind == "Transformer" and str(PurePosixPath(path, "config.json")) not in names
            )
            if lacks_settings or (not inside and kind != "Normalize"):
                return False
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False
    return True


def _met(names: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def _is_shard(name: str) -> bool:
    return re.search(r"-\d+-of-\d+\.\w+$", name) is not None


def _index_of(shard: str) -> str:
    return re.sub(r"-\d+-of-\d+(\.\w+)$", r"\1.index.json", PurePosixPath(shard).name)
