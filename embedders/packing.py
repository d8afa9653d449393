"""Texts as plain arrays, so that a fitted state can be stored without pickling."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.arrays import AnyArray

State = dict[str, AnyArray]
"""What a fitted method needs to answer queries later: plain arrays (never object dtype)."""


def pack_json(value: object) -> NDArray[np.uint8]:
    """Return ``value`` as the ``(n_bytes,) uint8`` of its JSON text.

    A numpy text array would pad every key to the longest and lose trailing NULs; JSON keeps each
    text exactly, lone surrogates included (they are escaped).
    """
    return np.frombuffer(json.dumps(value).encode("ascii"), dtype=np.uint8)


def unpack_json(array: AnyArray) -> Any:
    """Return the value that ``pack_json`` packed."""
    return json.loads(array.astype(np.uint8, copy=False).tobytes().decode("ascii"))
