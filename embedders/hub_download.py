"""Bringing a pretrained model to this machine: what the hub tells of it, then file by file."""

from __future__ import annotations

import dataclasses
import http.client
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from core.errors import EmbedderUnavailable, TooLarge, UnsafeSource
from core.home import DOWNLOADS, downloads_allowed, downloads_folder
from core.progress import Progress, quiet
from core.waiting import wait_for
from embedders.hub_model import (
    MARKER,
    HubModel,
    LocalModel,
    ModelSource,
    WebFile,
    at_hand,
    hub_endpoint,
    ready_models,
    required,
)
from embedders.model_files import is_pickled, is_safe
from ingest.download import CONNECT_S, MB, Remote, download

_MOST_ANSWER = 20_000_000  # bytes; a list of ten thousand files has three million
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_TRUE = {"1", "ON", "YES", "TRUE"}
_UNREACHABLE = (OSError, http.client.HTTPException, TimeoutError)
_MOST_SHOWN = 6


@dataclass(frozen=True)
class Offer:
    """What would be downloaded of one model, as its server tells.

    Attributes
    ----------
    source : HubModel or WebFile
    files : tuple of (str, Remote)
        Path inside the model, and where it comes from.
    commit : str
        The hub's commit, to which every file is pinned; empty for a file that has none.
    licence : str
        As the hub tells it, such as "apache-2.0"; empty where it does not.
    """

    source: HubModel | WebFile
    files: tuple[tuple[str, Remote], ...]
    commit: str = ""
    licence: str = ""

    @property
    def size(self) -> int:
        """Return the bytes of all files."""
        return sum(remote.size for _, remote in self.files)

    @property
    def mb(self) -> int:
        """Return the size in millions of bytes, at least 1."""
        return max(1, round(self.size / MB))

    @property
    def is_pickled(self) -> bool:
        """Tell whether the weights come as pickles (they are read as plain numbers only)."""
        return any(is_pickled(name) for name, _ in self.files)

    @property
    def unfinished(self) -> Path:
        """Return where the files lie until all are there."""
        mark = self.commit or self.source.folder.name
        return downloads_folder() / f"{unfinished_name(self.source)}{mark[:40]}"


def unfinished_name(source: ModelSource) -> str:
    """Return how the folder begins in which the files of a model wait until all are there."""
    kind = source.files.id if isinstance(source, HubModel) else "file"
    return f"model-{kind}-{re.sub(r'[^a-zA-Z0-9_.-]', '-', source.name)[:80]}-"


def look_up(source: ModelSource, progress: Progress = quiet) -> tuple[Offer, ...]:
    """Ask the servers what of a model, and of what it needs, would have to be downloaded.

    Sends the model's name and nothing else: no key, no account.

    Parameters
    ----------
    source : ModelSource
    progress : Progress
        Called several times a second; may raise ``Cancelled``.

    Returns
    -------
    tuple of Offer
        One for each part that is not on this machine; empty where all is.

    Raises
    ------
    EmbedderUnavailable
        If downloads are switched off, the server cannot be reached, or it has no such model that
        anybody may have and this program can load.
    UnsafeSource
        If the list of files is not what such a list may be.
    """
    check_downloads(source)
    offers = []
    for one in source.all():
        alone = dataclasses.replace(one, beside=())
        if at_hand(alone) is not None:
            continue
        if isinstance(one, WebFile):
            offers.append(_web_offer(one, progress))
        elif isinstance(one, HubModel) and not one.is_path:
            offers.append(_hub_offer(one, progress))
        else:
            required(alone)  # a folder that is not there cannot be downloaded: it says so
    return tuple(offers)


def fetch(
    source: ModelSource,
    progress: Progress = quiet,
    *,
    consent: bool = False,
    at_most_mb: int | None = None,
) -> Path:
    """Bring a model, and what it needs, to this machine; return its folder (or file).

    Every file goes through ``ingest.download.download``: a broken transfer is continued by the
    next call, and nothing is kept that has not the published size and digest. The model appears
    in its place only when it is whole.

    Parameters
    ----------
    source : ModelSource
    progress : Progress
        Counts megabytes of all files together.
    consent : bool
        Whether it may be downloaded if it is not here.
    at_most_mb : int, optional
        What was agreed to; a model that has grown since is refused.

    Raises
    ------
    EmbedderUnavailable
        As ``look_up``, and without consent, and if the connection is lost for good.
    UnsafeSource
        If what arrived is not the published file; it is deleted.
    TooLarge
        If the disk has no room, or more would come than was agreed to.
    """
    if not consent:
        return required(source).path
    found = at_hand(source)
    if found is None:
        offers = look_up(source, progress)
        _check_room(source, offers, at_most_mb)
        whole = _Whole(progress, sum(offer.size for offer in offers))
        for offer in offers:
            _bring(offer, whole)
        found = required(source)
    return found.path


def check_downloads(source: ModelSource) -> None:
    """Refuse where the operator, or the environment, switched downloads off.

    Raises
    ------
    EmbedderUnavailable
    """
    offline = next((v for v in _OFFLINE if os.environ.get(v, "").upper() in _TRUE), "")
    reason = f"({DOWNLOADS})" if not downloads_allowed() else f"({offline})" if offline else ""
    if reason:
        raise EmbedderUnavailable(
            f"{source.name} was not downloaded: downloads are switched off on this server "
            f"{reason}. {instead_of(source)}"
        )


def instead_of(source: ModelSource) -> str:
    """Return a sentence on what works without a download of ``source``."""
    ready = ready_models(source.files) if isinstance(source, HubModel) else ()
    shown = ", ".join(ready[:_MOST_SHOWN]) + (" …" if len(ready) > _MOST_SHOWN else "")
    here = f"On this machine already: {shown}." if ready else ""
    return " ".join(filter(None, (source.instead, here))) or (
        "Choose a model that is on this machine, or another method."
    )


class _Whole:
    """Progress of several files as one."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress, self._size = progress, max(1, size)
        self._before = 0
        self._mb = max(1, round(size / MB))

    def of(self, size: int) -> Callable[..., None]:
        """Return the progress of the next file."""
        before = self._before
        self._before += size

        def tell(done: int, total: int, stage: str = "", note: str = "") -> None:
            have = before + size * done / max(1, total)
            is_all = done == total and self._before == self._size  # not rounded up to it
            mb = self._mb if is_all else min(self._mb - 1, round(have * self._mb / self._size))
            # Of one megabyte no number is shown: the word alone would dangle.
            shown = stage.removesuffix(", megabyte") if self._mb == 1 else stage
            self._progress(mb, self._mb, shown, note)

        return tell


def _bring(offer: Offer, whole: _Whole) -> None:
    """Download what is missing of one model and put it into its place."""
    source, folder = offer.source, offer.unfinished
    folder.mkdir(parents=True, exist_ok=True)
    for name, remote in offer.files:
        tell, target = whole.of(remote.size), folder / name
        if remote.size:
            download(remote, target, tell, instead=instead_of(source))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
    told = {
        "name": source.name,
        "host": source.host,
        "commit": offer.commit,
        "licence": offer.licence,
        "files": {name: remote.size for name, remote in offer.files},
        "weights_sha256": _weights_digest(offer),
        "fetched": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    (folder / MARKER).write_text(json.dumps(told, indent=1), encoding="utf-8")
    source.folder.parent.mkdir(parents=True, exist_ok=True)
    if source.folder.exists():  # damaged since it was fetched, or it would have been taken
        shutil.rmtree(source.folder)
    folder.replace(source.folder)


def _weights_digest(offer: Offer) -> str:
    source = offer.source
    if isinstance(source, HubModel):
        here = {name: remote for name, remote in offer.files}
        files = LocalModel(source, offer.unfinished, "").weights[:1]
        digests = [here[path.relative_to(offer.unfinished).as_posix()].digest for path in files]
    else:
        digests = [source.digest]
    kind, _, digest = (digests or [""])[0].partition(":")
    return digest if kind == "sha256" and len(digest) == 64 else ""


def _check_room(source: ModelSource, offers: tuple[Offer, ...], at_most_mb: int | None) -> None:
    need = sum(offer.size for offer in offers)
    if at_most_mb is not None and need > 1.05 * (at_most_mb + 1) * MB:
        raise TooLarge(
            f"{source.name} would be {need / MB:,.0f} MB by now, and {at_most_mb:,} MB were agreed "
            "to. Look it up again and decide anew."
        )
    folder = downloads_folder()
    folder.mkdir(parents=True, exist_ok=True)
    have = sum(
        f.stat().st_size for o in offers if o.unfinished.exists() for f in _files(o.unfinished)
    )
    free = shutil.disk_usage(folder).free
    if need - have > free:
        raise TooLarge(
            f"{source.name} needs {need / MB:,.0f} MB of disk, {free / MB:,.0f} MB are free. "
            "Free some space and start it again, or choose a smaller model."
        )


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


# -- what the servers tell ---------------------------------------------------------------------


def _hub_offer(source: HubModel, progress: Progress) -> Offer:
    endpoint = hub_endpoint()
    revision = quote(source.revision, safe="")
    asked = f"{endpoint}/api/models/{source.repo}/revision/{revision}?blobs=true"
    told = _asked(source, asked, progress)
    commit, files = told.get("sha"), _listed(told.get("siblings"))
    if not (isinstance(commit, str) and re.fullmatch(r"[0-9a-f]{40}", commit)) or files is None:
        raise EmbedderUnavailable(_no_answer(source))
    if told.get("gated") or told.get("private") or told.get("disabled"):
        raise EmbedderUnavailable(_gated(source))
    wrong = next((name for name in files if not is_safe(name)), None)
    if wrong is not None:
        raise UnsafeSource(
            f"The list of files of {source.name} on {source.host} holds {wrong!r}, a path that "
            "would leave the model's folder. Nothing was downloaded."
        )
    chosen = source.files.choose(files)
    if lacks := source.files.lacking(chosen):
        raise EmbedderUnavailable(
            f"{source.name} on {source.host} holds no model that can be loaded here: it lacks "
            f"{lacks}. Choose another model. {instead_of(source)}"
        )
    base = f"{endpoint}/{source.repo}/resolve/{commit}"
    remotes = tuple(
        (name, Remote(f"{base}/{quote(name)}", *files[name], f"{source.name} ({name})"))
        for name in chosen
    )
    return Offer(source, remotes, commit, _licence(told))


def _listed(siblings: object) -> dict[str, tuple[int, str]] | None:
    """Return size and digest of every file by its path; None if that is no such list."""
    files = {}
    try:
        for one in siblings:  # type: ignore[attr-defined]
            lfs = one.get("lfs") or {}
            size = int(lfs.get("size", one["size"]))
            digest = f"sha256:{lfs['sha256']}" if lfs else f"gitsha1:{one['blobId']}"
            if size < 0 or not re.fullmatch(r"sha256:[0-9a-f]{64}|gitsha1:[0-9a-f]{40}", digest):
                return None
            files[str(one["rfilename"])] = (size, digest)
    except (TypeError, ValueError, LookupError, AttributeError):
        return None
    return files


def _licence(told: dict[str, Any]) -> str:
    card = told.get("cardData")
    named = card.get("license_name") or card.get("license") if isinstance(card, dict) else None
    tags = told.get("tags") if isinstance(told.get("tags"), list) else []
    tagged = (str(t).partition(":")[2] for t in tags or () if str(t).startswith("license:"))
    licence = str(named) if isinstance(named, str) else next(tagged, "")
    return licence[:80]


def _web_offer(source: WebFile, progress: Progress) -> Offer:
    def head() -> int:
        with _opened(urllib.request.Request(source.url, method="HEAD")) as answer:
            return int(answer.headers.get("Content-Length") or 0)

    size = _careful(source, head, progress)
    if size <= 0:
        raise EmbedderUnavailable(_no_answer(source))
    remote = Remote(source.url, size, source.digest, source.name)
    return Offer(source, ((source.file_name, remote),))


def _asked(source: HubModel, url: str, progress: Progress) -> dict[str, Any]:
    def read() -> bytes:
        with _opened(urllib.request.Request(url)) as answer:
            data: bytes = answer.read(_MOST_ANSWER + 1)
            return data

    data = _careful(source, read, progress)
    try:
        told = json.loads(data[:_MOST_ANSWER])
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise EmbedderUnavailable(_no_answer(source))
    return told


def _opened(request: urllib.request.Request) -> Any:
    request.add_header("User-Agent", "Embedscope")
    answer = urllib.request.urlopen(request, timeout=CONNECT_S)
    if request.full_url.startswith("https:") and not answer.url.startswith("https:"):
        raise OSError("sent on to a place without encryption")
    return answer


def _careful(source: ModelSource, ask: Callable[[], Any], progress: Progress) -> Any:
    """Return what ``ask`` returns, or say in a sentence why there is no answer."""

    def beat() -> None:
        progress(0, 0, f"asking {source.host}")

    beat()
    try:
        return wait_for(ask, beat, CONNECT_S, "look-up")
    except urllib.error.HTTPError as error:
        raise EmbedderUnavailable(_refused(source, error)) from error
    except (*_UNREACHABLE, ValueError) as error:
        raise EmbedderUnavailable(
            f"{source.host} cannot be reached, so {source.name} was not downloaded. "
            f"{instead_of(source)}"
        ) from error


def _refused(source: ModelSource, error: urllib.error.HTTPError) -> str:
    told = error.headers.get("X-Error-Code", "") if error.headers else ""
    if told == "GatedRepo":
        return _gated(source)
    if told == "RevisionNotFound" and isinstance(source, HubModel):
        return (
            f"{source.host} has no revision {source.revision!r} of {source.repo}. "
            "Leave out what stands after '@', or copy a revision from the model's page."
        )
    if error.code in {401, 403, 404}:  # the hub answers 401 for what does not exist, too
        return (
            f"{source.host} has no model {source.name} that anybody may download (HTTP "
            f"{error.code}). Check the spelling against its page; a private model must be put "
            f"onto this machine by its owner. {instead_of(source)}"
        )
    when = "too many people ask at the moment" if error.code == 429 else "it has a fault just now"
    return (
        f"{source.host} did not tell about {source.name} (HTTP {error.code}): {when}. "
        f"Try again in a while. {instead_of(source)}"
    )


def _gated(source: ModelSource) -> str:
    return (
        f"{source.name} is gated: its authors give it only to people who accept their conditions "
        f"on its page at {source.host}. Fetch it there with your own account and put its folder "
        f"into the models folder of this program's home. {instead_of(source)}"
    )


def _no_answer(source: ModelSource) -> str:
    return (
        f"What {source.host} answered does not describe a model, so {source.name} was not "
        f"downloaded. Try again later. {instead_of(source)}"
    )
