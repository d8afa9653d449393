"""Pretrained weights of a run: how much had to be downloaded for them, and under which licence."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from core.errors import EmbedscopeError
from embedders.hub_model import MARKER, ModelSource
from workspace.records import RunInfo

NOT_KNOWN = "not known"


class Weights(NamedTuple):
    """What pretrained weights cost beside time.

    Attributes
    ----------
    mb : int or None
        Megabytes of the download, 0 where there is none; None where it is not known.
    download, licence : str
        In a few words.
    """

    mb: int | None
    download: str
    licence: str


def weights_of(run: RunInfo) -> Weights:
    """Return the download and the licence of the weights that a run was made with.

    The download is "none" where a method learns from the data alone and "bundled" where the weights
    come with the program; "not known" where neither the download nor the list of known models
    tells.
    """
    from embedders import get_embedder, minilm, tiny_clip

    digest = run.provenance.get("weights_sha256")
    if digest == minilm.WEIGHTS_SHA256:
        return Weights(0, "bundled", "Apache-2.0")
    if digest == tiny_clip.WEIGHTS_SHA256:
        return Weights(0, "bundled", "as this program")
    try:
        method = get_embedder(run.embedder, **run.params)
        source = method.needs(method.params)
    except EmbedscopeError:  # a setting or a file that is no more
        return Weights(None, NOT_KNOWN, NOT_KNOWN)
    if source is None:
        return Weights(0, "own file", NOT_KNOWN) if digest else Weights(0, "none", "–")
    return _of_source(source, run.params)


def _of_source(source: ModelSource, params: Any) -> Weights:
    sizes = [_megabytes(one) for one in source.all()]
    licence = _licence(source, params)
    if any(size is None for size in sizes):
        return Weights(None, NOT_KNOWN, licence)
    total = sum(size or 0 for size in sizes)
    return Weights(total, f"{total:,} MB", licence)


def _megabytes(source: ModelSource) -> int | None:
    files = _told(source).get("files")
    if isinstance(files, dict) and files:
        return max(1, round(sum(files.values()) / 1e6))
    return source.mb


def _licence(source: ModelSource, params: Any) -> str:
    """Return what the hub told with the download, else what the lists of known models say."""
    from embedders import clip_model_list, image_model_list, text_model_list

    if told := _told(source).get("licence"):
        return str(told)
    name = source.name.partition("@")[0].lower()
    listed = {one.name.lower(): one.licence for one in text_model_list.KNOWN}
    listed |= {one.name.lower(): one.licence for one in image_model_list.KNOWN}
    if not params.get("checkpoint"):  # an architecture with its usual weights
        listed |= {one.name.lower(): one.licence for one in clip_model_list.KNOWN}
    asked = str(params.get("model", "")).lower()
    return listed.get(name.removeprefix("timm/")) or listed.get(asked) or NOT_KNOWN


def _told(source: ModelSource) -> dict[str, Any]:
    try:
        told = json.loads((source.folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError, NotImplementedError, EmbedscopeError):
        return {}
    return told if isinstance(told, dict) else {}
