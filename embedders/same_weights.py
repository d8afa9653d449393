"""Whether a stored run is asked with the weights that it was made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.arrays import AnyArray
from core.errors import EmbedderUnavailable
from embedders.packing import State, pack_json, unpack_json

WEIGHTS = "weights"
"""Under which name a state holds the SHA-256 of the weights."""


def kept(about: Mapping[str, Any]) -> State:
    """Return what a state keeps of a model whose provenance is ``about``."""
    return {WEIGHTS: pack_json(about["weights_sha256"])}


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
    if WEIGHTS in state and unpack_json(state[WEIGHTS]) != about["weights_sha256"]:
        raise EmbedderUnavailable(
            f"The weights of {model} on this machine are no longer those that the vectors were "
            "made with. Embed the data again, or bring the earlier model back."
        )
