"""A fitted method as one file: safetensors, with its id, settings and seed beside the arrays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core.arrays import AnyArray
from core.errors import EmbedscopeError, NotFittedError, UnreadableSource
from embedders.base import Embedder
from embedders.packing import pack_json, unpack_json

FORMAT = "1"
_ABOUT = "embedscope"
_TEXTS = "texts"
_REMEDY = "Save the model again with this version, or choose another file."


class SavedModel(NamedTuple):
    """A fitted method and what it was fitted on (a name; may be empty)."""

    embedder: Embedder
    trained_on: str


def save_model(embedder: Embedder, path: str | Path, *, trained_on: str = "") -> None:
    """Write a fitted method to a file, from which ``load_model`` makes it again.

    Parameters
    ----------
    embedder : Embedder
        Fitted.
    path : str or Path
        By custom ends with ".safetensors".
    trained_on : str
        Name of the data, for whoever loads it.

    Raises
    ------
    NotFittedError
    """
    if not embedder.is_fitted:
        raise NotFittedError(f"{embedder.title} has not been fitted yet. Call fit(dataset) first.")
    Path(path).write_bytes(model_bytes(embedder, embedder.state(), trained_on=trained_on))


def model_bytes(embedder: Embedder, state: Mapping[str, AnyArray], *, trained_on: str) -> bytes:
    """Return the file that holds ``state`` of a method with the settings of ``embedder``."""
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in state.items()}
    texts = [name for name, array in arrays.items() if array.dtype.kind == "U"]
    for name in texts:  # safetensors knows no texts
        arrays[name] = pack_json(arrays[name].tolist())
    about = {
        "format": FORMAT,
        "id": embedder.id,
        "version": embedder.version,
        "params": embedder.params.to_dict(),
        "seed": embedder.seed,
        "trained_on": trained_on,
        _TEXTS: texts,
    }
    packed: bytes = save(arrays, {_ABOUT: json.dumps(about)})
    return packed


def load_model(path: str | Path) -> Embedder:
    """Return the fitted method that ``save_model`` wrote.

    Raises
    ------
    UnreadableSource
        If it is no such file, damaged, or of another version of the method.
    """
    return read_model(path).embedder


def read_model(path: str | Path) -> SavedModel:
    """Return the fitted method of a file and what it was fitted on.

    Raises
    ------
    UnreadableSource
    """
    name = Path(path).name
    try:
        about, arrays = _read(path)
        embedder = _made(name, about)
        for text in about[_TEXTS]:
            arrays[text] = np.array(unpack_json(arrays[text]), dtype=np.str_)
        return SavedModel(embedder.restore(arrays), str(about["trained_on"]))
    except EmbedscopeError:
        raise
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise UnreadableSource(
            f"{name} is no model that was saved here, or it is damaged. {_REMEDY}"
        ) from error


def _read(path: str | Path) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            about = json.loads((file.metadata() or {})[_ABOUT])
            return about, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(str(error)) from error


def _made(name: str, about: Mapping[str, Any]) -> Embedder:
    from embedders.registry import get_embedder

    embedder = get_embedder(about["id"], seed=about["seed"], **about["params"])
    if about["format"] != FORMAT or about["version"] != embedder.version:
        raise UnreadableSource(
            f"{name} holds {embedder.title} in version {about['version']}; this is version "
            f"{embedder.version}, whose vectors differ. {_REMEDY}"
        )
    return embedder
