"""Pretrained models that are not part of the program: what they are, and where they lie.

A method says what it would need (``Embedder.needs(params) -> ModelSource | None``); the app asks
the user and downloads it; the method loads it from where it lies. Nothing here uses the network.

::

    HubModel(name, files=TEXT_FILES)   "org/model" or "org/model@revision" of the model hub
    WebFile(name, url, digest)         one file at an address with a published digest

    locate(source) -> Path | None      the folder (of a hub model) or file; None if it is not here
    at_hand(source) -> LocalModel | None    the same with origin, commit, digest, and what it needs
    required(source) -> LocalModel     the same, or EmbedderUnavailable with what to do
    availability(source) -> Availability    for ``Embedder.availability``
    identity(source) -> str            which version is here (``Embedder.fingerprint`` holds it)
    local_path(text) -> Path           a path that somebody typed, if it may be read
    LocalModel.provenance() -> dict    model, model_commit, model_from, weights_sha256

``embedders.hub_download`` asks the hub (``look_up``) and brings the files (``fetch``).

A hub model is looked for as ``models/<name>`` in the home folder (put there by a person), among
the downloaded ones (``models/hub``), and in the cache of huggingface_hub. A name that is a path
("/…", "./…", "~/…") is a folder on this machine. Weights are safetensors wherever a model has
them; where ``is_pickled(file)`` they must be read with ``torch.load(weights_only=True)``, and the
code that a model may bring along is never run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import EmbedderUnavailable, ParameterError
from core.home import MODEL_FOLDERS, may_read_models_in, models_folder
from embedders.base import Availability
from embedders.model_files import PICKLES, TEXT_FILES, FileRule, is_complete, stamp

MARKER = "embedscope-model.json"
"""Written last into the folder of a download: what came, from where, and at which commit."""
PUBLIC_HUB = "https://huggingface.co"
_PART = r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9_])?"
_NAME = re.compile(rf"({_PART}(?:/{_PART})?)(?:@({_PART}))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{8,64}")
_MOST_SHOWN = 120  # characters of what somebody typed


@dataclass(frozen=True)
class ModelSource:
    """A model that a method needs and that may have to be downloaded.

    Attributes
    ----------
    name : str
        What it is called in sentences and in the provenance.
    mb : int or None
        Megabytes of the download, roughly, where they are known beforehand.
    instead : str
        A sentence that says what works without it.
    beside : tuple of ModelSource
        What it needs too (the tokenizer of another model, say).
    """

    name: str
    mb: int | None = field(default=None, kw_only=True)
    instead: str = field(default="", kw_only=True)
    beside: tuple[ModelSource, ...] = field(default=(), kw_only=True)

    @property
    def host(self) -> str:
        """Return the server that it would come from."""
        raise NotImplementedError

    @property
    def folder(self) -> Path:
        """Return where its download lies, be it there or not."""
        raise NotImplementedError

    def all(self) -> Iterator[ModelSource]:
        """Yield the model and what it needs beside."""
        yield self
        for one in self.beside:
            yield from one.all()


@dataclass(frozen=True)
class HubModel(ModelSource):
    """A model of the hub (or a folder on this machine, where the name is a path).

    Attributes
    ----------
    name : str
        "org/model", "model", either with "@revision"; or a path.
    files : FileRule
        Which of its files are needed.

    Raises
    ------
    ParameterError
        If the name is neither.
    """

    files: FileRule = TEXT_FILES

    def __post_init__(self) -> None:
        """Check the name."""
        if not self.is_path:
            _parsed(self.name)

    @property
    def is_path(self) -> bool:
        """Tell whether the name is a path on this machine."""
        return self.name.startswith(("/", "./", "~")) or Path(self.name).is_absolute()

    @property
    def repo(self) -> str:
        """Return the name without a revision."""
        return self.name if self.is_path else _parsed(self.name)[0]

    @property
    def revision(self) -> str:
        """Return the branch, tag or commit; "main" where none is named."""
        return "" if self.is_path else _parsed(self.name)[1]

    @property
    def host(self) -> str:
        """Return the hub's host, with its port where it has one."""
        return urlsplit(hub_endpoint()).netloc

    @property
    def folder(self) -> Path:
        """Return where its download lies, be it there or not."""
        named = f"{self.repo.replace('/', '--')}@{self.revision}"
        return models_folder() / "hub" / self.files.id / named


@dataclass(frozen=True)
class WebFile(ModelSource):
    """One file at an address.

    Attributes
    ----------
    name : str
    url : str
        https only (this machine may be asked without).
    digest : str
        "sha256:" and 64 hexadecimal digits, or the first eight or more where only those are
        published.

    Raises
    ------
    ParameterError
        If the address or the digest is none.
    """

    url: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        """Check address and digest."""
        parts = urlsplit(self.url)
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost"}:
            raise ParameterError(
                f"The model {self.name} must come from an https address, got {self.url!r}."
            )
        if not _DIGEST.fullmatch(self.digest):
            raise ParameterError(
                f"The model {self.name} needs the digest that its publisher gives "
                f"(sha256:…), got {self.digest!r}."
            )

    @property
    def host(self) -> str:
        """Return the server's host, with its port where it has one."""
        return urlsplit(self.url).netloc

    @property
    def folder(self) -> Path:
        """Return where its download lies, be it there or not."""
        return models_folder() / "hub" / "files" / self.digest.partition(":")[2]

    @property
    def file_name(self) -> str:
        """Return what the file is called."""
        name = re.sub(r"[^\w.-]", "_", Path(urlsplit(self.url).path).name).lstrip(".")
        return name or "weights"


@dataclass(frozen=True)
class LocalModel:
    """A model on this machine.

    Attributes
    ----------
    source : ModelSource
    path : Path
        Its folder, or its file.
    origin : str
        Where it came from, in words: "huggingface.co", "the Hugging Face cache", "a local folder".
    commit : str
        The hub's commit; empty where it is not known.
    weights_sha256 : str
        Of the (first) file of weights, where it was checked when it was downloaded.
    beside : tuple of LocalModel
        What it needs too, in the order of ``source.beside``.
    """

    source: ModelSource
    path: Path
    origin: str
    commit: str = ""
    weights_sha256: str = ""
    beside: tuple[LocalModel, ...] = ()

    @property
    def weights(self) -> tuple[Path, ...]:
        """Return the files of weights: one, or its shards."""
        return _weights(self.source, self.path)

    @property
    def is_pickled(self) -> bool:
        """Tell whether the weights are pickles, to be read with ``weights_only=True`` alone."""
        return any(path.suffix in PICKLES for path in self.weights)

    def provenance(self) -> dict[str, Any]:
        """Return what a run keeps of the model, as plain values; it is shown with the run."""
        about: dict[str, Any] = {
            "model": self.source.name,
            "model_from": self.origin,
            "model_commit": self.commit,
            "weights_sha256": self.weights_sha256 or _digest_of(self.weights[:1]),
        }
        if not self.weights_sha256 and len(self.weights) > 1:  # not checked when they came
            about["shards_sha256"] = [_digest_of((shard,)) for shard in self.weights[1:]]
        beside = [one.provenance() for one in self.beside]
        return {**about, **({"model_beside": beside} if beside else {})}


def hub_endpoint() -> str:
    """Return the hub's address: ``HF_ENDPOINT``, else the public one.

    Raises
    ------
    ParameterError
        If the variable is set to something else than an http address.
    """
    text = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or PUBLIC_HUB
    if not re.fullmatch(r"https?://[\w.:\[\]-]+(/[\w./-]*)?", text):
        raise ParameterError(
            f"HF_ENDPOINT must be an http address such as {PUBLIC_HUB}, got {text!r}. "
            "Correct it or leave it out."
        )
    return text


def locate(source: ModelSource) -> Path | None:
    """Return the folder or file of a model, or None where it (or what it needs) is not here."""
    found = at_hand(source)
    return None if found is None else found.path


def at_hand(source: ModelSource) -> LocalModel | None:
    """Return a model that is on this machine whole, with all that it needs; or None.

    Raises
    ------
    EmbedderUnavailable
        If the name is a path that may not be read.
    """
    if isinstance(source, HubModel):
        found = _hub_model(source)
    else:
        assert isinstance(source, WebFile)  # noqa: S101 -- told to the type checker
        found = _downloaded(source)
    beside = [at_hand(one) for one in source.beside]
    if found is None or any(one is None for one in beside):
        return None
    return LocalModel(
        found.source,
        found.path,
        found.origin,
        found.commit,
        found.weights_sha256,
        tuple(one for one in beside if one is not None),
    )


def required(source: ModelSource) -> LocalModel:
    """Return a model that is on this machine.

    Raises
    ------
    EmbedderUnavailable
        If it is not, with what could be done.
    """
    found = at_hand(source)
    if found is None:
        raise EmbedderUnavailable(f"{availability(source).hint} {source.instead}".strip())
    return found


def identity(source: ModelSource) -> str:
    """Return what tells this version of a model, as it lies here, from any other one.

    The commit where there is one, else sizes and times of its files (somebody may put another
    model into the same folder); empty where it is not here. Part of every run's fingerprint.
    """
    try:
        found = at_hand(source)
    except EmbedderUnavailable:
        found = None
    return "" if found is None else " ".join(_identities(found))


def _identities(found: LocalModel) -> Iterator[str]:
    if found.commit:
        yield found.commit
    elif found.weights_sha256:
        yield found.weights_sha256
    elif isinstance(found.source, HubModel):
        for name, size, changed in stamp(found.path, found.source.files):
            yield f"{name} {size} {changed}"
    else:
        stat = found.path.stat()
        yield f"{found.path.name} {stat.st_size} {stat.st_mtime_ns}"
    for one in found.beside:
        yield from _identities(one)


def availability(source: ModelSource | None) -> Availability:
    """Tell whether a model is here, would have to be downloaded, or cannot be had.

    Raises
    ------
    EmbedderUnavailable
        If the name is a path that may not be read.
    """
    if source is None or at_hand(source) is not None:
        return Availability("ready")
    missing = next(one for one in source.all() if at_hand(_alone(one)) is None)
    if isinstance(missing, HubModel) and (missing.is_path or _is_put_there(missing)):
        return Availability("needs_extra", _why_no_model(missing))
    size = f"{source.mb:,} MB" if source.mb else "size shown before it starts"
    hint = (
        f"{missing.name} is not on this machine; it can be downloaded from {missing.host} ({size})."
    )
    return Availability("needs_download", hint, source.mb)


def stamp_of_file(text: str) -> tuple[int, ...]:
    """Return size and time of change of a named file of weights; () where there is none.

    A file may hold other weights tomorrow: a method adds this to its identity.
    """
    try:
        stat = local_path(text).stat()
    except (EmbedderUnavailable, OSError):
        return ()  # whoever loads it says what is wrong with it
    return stat.st_size, stat.st_mtime_ns


def local_path(text: str) -> Path:
    """Return a path that somebody typed, with links followed.

    Raises
    ------
    EmbedderUnavailable
        If models may not be loaded from there; whether anything is there is not told then.
    """
    try:
        path = Path(text).expanduser()
        real = path.resolve() if may_read_models_in(path) else None
    except (OSError, ValueError, RuntimeError):  # no such user, a NUL, links in a circle
        real = None
    if real is None:
        raise EmbedderUnavailable(
            f"Models are not loaded from {_short(text)!r}. Put the model into the models folder "
            "of this program's home and give its name, or let the operator list its folder in "
            f"{MODEL_FOLDERS}."
        )
    return real


def ready_models(files: FileRule) -> tuple[str, ...]:
    """Return the names of the models by ``files`` that are on this machine whole, sorted."""
    names = set()
    for folder in _folders(models_folder() / "hub" / files.id):
        told = _marker(folder)
        if told is not None:
            names.add(str(told["name"]))
    for folder in _folders(_hub_cache()):
        name = folder.name.removeprefix("models--").replace("--", "/")
        if folder.name.startswith("models--") and _NAME.fullmatch(name):
            names |= {name} if _cached(HubModel(name, files)) else set()
    own = models_folder()
    for folder in _folders(own):
        for one in (folder, *_folders(folder)):
            name = one.relative_to(own).as_posix()
            if _NAME.fullmatch(name) and folder.name != "hub" and is_complete(one, files):
                names.add(name)
    return tuple(sorted(names))


def _alone(source: ModelSource) -> ModelSource:
    import dataclasses

    return dataclasses.replace(source, beside=())


def _parsed(name: str) -> tuple[str, str]:
    """Return repository and revision of a name.

    Raises
    ------
    ParameterError
    """
    found = _NAME.fullmatch(name)
    if not found or ".." in name or "--" in name:
        raise ParameterError(
            f"{_short(name)!r} is not the name of a model: it has the form organisation/model, "
            "such as sentence-transformers/all-MiniLM-L6-v2 (letters, digits, '-', '_' and '.'). "
            "Copy it from the model's page."
        )
    return found[1], found[2] or "main"


def _hub_model(source: HubModel) -> LocalModel | None:
    if source.is_path:
        folder = local_path(source.name)
        whole = is_complete(folder, source.files)
        return LocalModel(source, folder, "a local folder") if whole else None
    own = _own_folder(source)
    if source.revision == "main" and is_complete(own, source.files):
        return LocalModel(source, own, "a local folder")
    return _downloaded(source) or _cached(source)


def _downloaded(source: HubModel | WebFile) -> LocalModel | None:
    told = _marker(source.folder)
    if told is None:
        return None
    path = source.folder if isinstance(source, HubModel) else source.folder / source.file_name
    if not path.exists():
        return None
    return LocalModel(source, path, told["host"], told["commit"], told["weights_sha256"])


def _marker(folder: Path) -> dict[str, Any] | None:
    """Return what is told of a download, or None unless every file is there in its size."""
    try:
        told: dict[str, Any] = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        whole = all((folder / n).stat().st_size == size for n, size in told["files"].items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return told if whole else None


def _hub_cache() -> Path:
    """Return the cache of huggingface_hub, by the variables that it reads too."""
    given = os.environ.get
    base = given("HF_HOME") or Path(given("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    cache = given("HF_HUB_CACHE") or given("HUGGINGFACE_HUB_CACHE") or Path(base) / "hub"
    return Path(os.path.expandvars(cache)).expanduser()


def _cached(source: HubModel) -> LocalModel | None:
    """Return a model that another program has fetched into the cache of huggingface_hub."""
    store = _hub_cache() / f"models--{source.repo.replace('/', '--')}"
    commit = source.revision
    try:
        if not _COMMIT.fullmatch(commit):
            commit = (store / "refs" / commit).read_text(encoding="utf-8").strip()
        folder = store / "snapshots" / commit
        if not _COMMIT.fullmatch(commit) or not is_complete(folder, source.files):
            return None
    except (OSError, ValueError):
        return None
    return LocalModel(source, folder, "the Hugging Face cache", commit)


def _weights(source: ModelSource, path: Path) -> tuple[Path, ...]:
    if not isinstance(source, HubModel):
        return (path,)
    for pattern in source.files.weights:
        if found := sorted(path.glob(pattern)) or sorted(path.glob(f"0_*/{pattern}")):
            return tuple(found)
    return ()


def _digest_of(weights: tuple[Path, ...]) -> str:
    if not weights:
        return ""
    real = weights[0].resolve().name  # the cache of huggingface_hub names large files by digest
    if re.fullmatch(r"[0-9a-f]{64}", real):
        return real
    with weights[0].open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(p for p in parent.iterdir() if p.is_dir())
    except OSError:
        return []


def _own_folder(source: HubModel) -> Path:
    """Return where a model of that name lies that somebody put into the models folder."""
    return models_folder() / source.repo


def _is_put_there(source: HubModel) -> bool:
    is_named = source.revision == "main" and source.repo.partition("/")[0] != "hub"
    return is_named and _own_folder(source).is_dir()


def _why_no_model(source: HubModel) -> str:
    shown = _short(source.name)
    folder = source.name if source.is_path else str(_own_folder(source))
    try:
        names = [p.name for p in local_path(folder).iterdir()]
    except PermissionError:
        return f"The folder {shown} may not be read by this program. Let its owner allow it."
    except OSError:
        return f"There is no folder {shown}. Check the path, or give the name of a model."
    lacks = source.files.lacking(source.files.choose(names)) or "some of its files"
    if not source.is_path:
        return (
            f"The folder {shown} in the models folder holds no model that can be loaded: it lacks "
            f"{lacks}. Add what is missing, or remove the folder to download the model."
        )
    return (
        f"The folder {shown} holds no model that can be loaded: it lacks {lacks}. "
        "Give the folder that a model was saved into."
    )


def _short(typed: str) -> str:
    return typed if len(typed) <= _MOST_SHOWN else f"{typed[:_MOST_SHOWN]}…"
