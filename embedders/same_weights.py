"""Whether a stored run is asked with the weights that it was made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.arrays import AnyArray
from core.errors import EmbedderUnavailable
from embedders.packing import State, pack_json, unpack_json

WEIGHTS = "weights"
"""Under which name a state holds the SHA-256 of the weights."""
SHARDS = "shards"
"""Under which name it holds those of further files of weights, where there are any."""


def kept(about: Mapping[str, Any]) -> State:
    """Return what a state keeps of a model whose provenance is ``about``."""
    state = {WEIGHTS: pack_json(about["weights_sha256"])}
    shards = about.get("shards_sha256")
    return {**state, SHARDS: pack_json(shards)} if shards else state


def check(state: Mapping[str, AnyArray], about: Mapping[str, Any], model: str) -> None:
    """Refuse weights that are not those of ``state``: queries would meet foreign vectors.

    Parameters
    ----------
    state : mapping
        Of a run; one without a digest is not checked.
    about : mapping
        The provenance of the model that was loaded.
    model : str
        What it is called in the sentence.

    Raises
    ------
    EmbedderUnavailable
    """
    now = kept(about)
    # States of earlier versions and models that were downloaded know the first file alone.
    known = [name for name in (WEIGHTS, SHARDS) if name in state and name in now]
    if any(unpack_json(state[name]) != unpack_json(now[name]) for name in known):
        raise EmbedderUnavailable(
            f"The weights of {model} on this machine are no longer those that the vectors were "
            "made with. Embed the data again, or bring the earlier model back."
        )
